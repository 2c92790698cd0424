//! A module as written: the files of one folder, sorted into declarations. Nothing is evaluated here.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::installed::{self, Found, Installed};
use super::language;
use super::syntax::{Block, BodyId, ExprId, ExprKind, File};
use crate::model::Observation;
use crate::path;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// A place in one of the module's files.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The file.
    pub file: Arc<File>,
    /// The item in it.
    pub item: T,
}

/// A block with its labels.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The file.
    pub file: Arc<File>,
    /// The block.
    pub block: Block,
    /// Its labels.
    pub labels: Vec<Arc<str>>,
    /// Bodies of override files, which replace arguments of the first.
    pub overrides: Vec<(Arc<File>, BodyId)>,
    /// Whether it is what OpenTofu makes of a block that is another to terraform.
    pub is_of_opentofu: bool,
}

impl Declaration {
    /// The argument of this name, overrides first.
    pub fn attribute(&self, name: &str) -> Option<At<ExprId>> {
        for (file, body) in self.overrides.iter().rev() {
            if let Some(attribute) = file.attribute(*body, name) {
                return Some(At { file: file.clone(), item: attribute.value });
            }
        }
        let attribute = self.file.attribute(self.block.body, name)?;
        Some(At { file: self.file.clone(), item: attribute.value })
    }

    /// Whether its instances have keys. An override file may add the other of `count` and `for_each`: then `count` decides.
    pub fn is_keyed(&self) -> bool {
        self.attribute("count").is_none() && self.attribute("for_each").is_some()
    }

    /// The header.
    pub fn head(&self) -> Span {
        self.file.header_span(&self.block)
    }
}

/// The declarations of one folder.
#[derive(Debug, Default)]
pub struct Module {
    /// The folder, relative to the root of the scan; `.` for the root itself.
    pub folder: String,
    /// `variable` blocks by name.
    pub variables: Ordered<Declaration>,
    /// `locals` by name.
    pub locals: Ordered<At<ExprId>>,
    /// `resource` blocks by `type.name`.
    pub resources: Ordered<Declaration>,
    /// `data` blocks by `data.type.name`.
    pub data: Ordered<Declaration>,
    /// `module` blocks by name.
    pub calls: Ordered<Declaration>,
    /// `output` blocks by name.
    pub outputs: Ordered<Declaration>,
    /// `provider` blocks.
    pub providers: Vec<Declaration>,
    /// `check` blocks.
    pub checks: Vec<Declaration>,
    /// `terraform` blocks.
    pub settings: Vec<Declaration>,
    /// `moved` blocks.
    pub moves: Vec<Declaration>,
    /// Names declared twice.
    pub observations: Vec<Observation>,
    /// What terraform refuses.
    pub problems: Vec<Problem>,
    /// What `terraform init` installed for this folder as a root module.
    pub installed: Installed,
    /// The files that OpenTofu reads and terraform does not.
    pub opentofu: FxHashSet<FileId>,
}

/// Items by name, in the order of the files.
#[derive(Debug)]
pub struct Ordered<T> {
    items: Vec<(Arc<str>, T)>,
    index: FxHashMap<Arc<str>, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { items: Vec::new(), index: FxHashMap::default() }
    }
}

impl<T> Ordered<T> {
    /// The item of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.index.get(name).map(|index| &self.items[*index].1)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.index.get(name).map(|index| &mut self.items[*index].1)
    }

    /// Every name and item.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &T)> {
        self.items.iter().map(|(name, item)| (name, item))
    }

    /// Adds an item; false when the name is taken (the first stays).
    fn add(&mut self, name: Arc<str>, item: T) -> bool {
        if self.index.contains_key(&name) {
            return false;
        }
        self.index.insert(name.clone(), self.items.len());
        self.items.push((name, item));
        true
    }
}

impl Ordered<Declaration> {
    /// Adds an item with a further override beside the one of this name, which stays as it is and goes by the name.
    fn change_beside(&mut self, name: &str, body: (Arc<File>, BodyId)) {
        let is_beside = |(other, one): &(Arc<str>, Declaration)| &**other == name && one.is_of_opentofu;
        if let Some((_, changed)) = self.items.iter_mut().find(|item| is_beside(item)) {
            changed.overrides.push(body);
            return;
        }
        let Some(base) = self.get(name) else { return };
        let mut changed = Declaration { is_of_opentofu: true, ..base.clone() };
        changed.overrides.push(body);
        self.items.push((name.into(), changed));
    }
}

/// What a file of a folder is to its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its blocks change those of others.
    pub is_override: bool,
    /// OpenTofu reads it, and terraform does not.
    pub is_opentofu: bool,
}

impl Module {
    /// Sorts the files of a folder into declarations; override files must come last.
    pub fn new(folder: String, files: &[(Arc<File>, Role)]) -> Module {
        let opentofu = files.iter().filter(|(_, role)| role.is_opentofu).map(|(file, _)| file.id).collect();
        let mut module = Module { folder, opentofu, ..Module::default() };
        for (file, role) in files {
            language::check_file(file, &mut module.problems);
            for block in file.blocks(file.root()) {
                module.add(file, *block, role.is_override);
            }
        }
        module
    }

    fn add(&mut self, file: &Arc<File>, block: Block, is_override: bool) {
        if language::check_block(file, &block, is_override, &mut self.problems) {
            self.declare(file, block, is_override);
        }
    }

    /// Puts a sound block among its like.
    fn declare(&mut self, file: &Arc<File>, block: Block, is_override: bool) {
        let labels: Vec<Arc<str>> = file.labels(&block).map(Arc::from).collect();
        let kind = file.text(block.kind).to_string();
        if kind == "locals" {
            return self.add_locals(file, &block, is_override);
        }
        let opentofu = &self.opentofu;
        let is_of_opentofu_alone = |base: &File| opentofu.contains(&file.id) && !opentofu.contains(&base.id);
        let declaration = Declaration {
            file: file.clone(),
            block,
            labels: labels.clone(),
            overrides: Vec::new(),
            is_of_opentofu: false,
        };
        let (items, name) = match (kind.as_str(), &labels[..]) {
            ("variable", [name]) => (&mut self.variables, name.to_string()),
            ("output", [name]) => (&mut self.outputs, name.to_string()),
            ("module", [name]) => (&mut self.calls, name.to_string()),
            ("resource", [kind, name]) => (&mut self.resources, format!("{kind}.{name}")),
            ("ephemeral", [kind, name]) => (&mut self.resources, format!("ephemeral.{kind}.{name}")),
            ("data", [kind, name]) => (&mut self.data, format!("data.{kind}.{name}")),
            ("provider", [label]) if is_override => return self.override_provider(label, declaration),
            ("check", [_]) => {
                // The data source of a check is one of the module's.
                for inner in file.blocks(block.body).iter().filter(|inner| file.text(inner.kind) == "data") {
                    self.declare(file, *inner, is_override);
                }
                return self.checks.push(declaration);
            }
            ("provider", [_]) => return self.providers.push(declaration),
            ("terraform", []) => return self.settings.push(declaration),
            ("moved", []) => return self.moves.push(declaration),
            _ => return,
        };
        if is_override && let Some(base) = items.get_mut(&name) {
            let body = (file.clone(), block.body);
            if !is_of_opentofu_alone(&base.file) {
                base.overrides.push(body);
                return;
            }
            // What a block is to one of them it is not to the other, so that each is judged.
            if matches!(kind.as_str(), "resource" | "data" | "ephemeral") {
                items.change_beside(&name, body);
                return;
            }
            let span = file.header_span(&block);
            return self.unjudged(&format!("{kind} \"{name}\""), span);
        }
        let span = file.header_span(&block);
        if is_override {
            return self.nothing_to_change(&format!("{kind} \"{name}\""), span);
        }
        if !items.add(name.as_str().into(), declaration) {
            self.duplicate(&kind, &name, span);
        }
    }

    /// An override file that OpenTofu reads and terraform does not, where the change may be in everything.
    fn unjudged(&mut self, what: &str, span: Span) {
        let message = format!("terraform does not read this file: what {what} is for OpenTofu is not judged");
        let help = "name the file .tf, or all files of the folder .tofu";
        self.problems.push(Problem::at(ProblemKind::Unread, span, message).help(help));
    }

    /// An override file that changes what is not declared.
    fn nothing_to_change(&mut self, what: &str, span: Span) {
        let message = format!("there is no {what} for this override file to change");
        self.problems.push(Problem::at(ProblemKind::Evaluation, span, message).help("declare it in a file of its own"));
    }

    /// An override file changes the provider of the same name and alias; that without an alias needs no block to be changed.
    fn override_provider(&mut self, label: &str, declaration: Declaration) {
        let alias = |one: &Declaration| {
            let written = one.file.attribute(one.block.body, "alias")?;
            literal(&one.file, written.value).map(str::to_string)
        };
        let wanted = alias(&declaration);
        let opentofu = &self.opentofu;
        let is_of_opentofu_alone =
            |base: &File| opentofu.contains(&declaration.file.id) && !opentofu.contains(&base.id);
        let mut known = self.providers.iter_mut();
        match known.find(|one| &*one.labels[0] == label && alias(one) == wanted) {
            Some(base) if is_of_opentofu_alone(&base.file) => {
                self.unjudged(&format!("provider \"{label}\""), declaration.head());
            }
            Some(base) => base.overrides.push((declaration.file, declaration.block.body)),
            None if wanted.is_none() => self.providers.push(declaration),
            None => {
                let alias = wanted.unwrap_or_default();
                let what = format!("provider \"{label}\" with the alias {alias:?}");
                self.nothing_to_change(&what, declaration.head());
            }
        }
    }

    fn add_locals(&mut self, file: &Arc<File>, block: &Block, is_override: bool) {
        for attribute in file.attributes(block.body) {
            let name: Arc<str> = file.text(attribute.name).into();
            let item = At { file: file.clone(), item: attribute.value };
            let span = file.name_span(attribute);
            if is_override {
                match self.locals.get_mut(&name) {
                    Some(base) if self.opentofu.contains(&file.id) && !self.opentofu.contains(&base.file.id) => {
                        self.unjudged(&format!("local \"{name}\""), span);
                    }
                    Some(base) => *base = item,
                    None => {
                        self.nothing_to_change(&format!("local \"{name}\""), span);
                        self.locals.add(name, item);
                    }
                }
            } else if !self.locals.add(name.clone(), item) {
                self.duplicate("local", &name, span);
            }
        }
    }

    fn duplicate(&mut self, kind: &str, name: &str, span: Span) {
        let message = format!("{kind} \"{name}\" is declared twice in this module; terraform refuses it");
        self.observations.push(Observation { name: "terraform-duplicate-block", span, message, address: None });
    }

    /// The folders of modules that this one calls, as a root: local ones and those that are installed for it.
    pub fn called_folders(&self) -> impl Iterator<Item = String> {
        self.folders_called_by(|_| true)
    }

    /// Those of the calls that are chosen by what declares them.
    pub fn folders_called_by<'m>(
        &'m self,
        is_chosen: impl Fn(&Declaration) -> bool + 'm,
    ) -> impl Iterator<Item = String> + 'm {
        let chosen = self.calls.iter().filter(move |(_, call)| is_chosen(call));
        chosen.filter_map(|(name, call)| folder_of_call(self, name, self, call).ok())
    }
}

/// The text of a string literal.
pub fn literal(file: &File, expr: ExprId) -> Option<&str> {
    match file.expr(expr).kind {
        ExprKind::String(text) => Some(file.text(text)),
        _ => None,
    }
}

/// The folder that a local source (`./x`, `../x`) names, relative to the root of the scan; none for sources elsewhere and
/// for those that leave the root.
pub fn local_folder(folder: &str, source: &str) -> Option<String> {
    if !source.starts_with("./") && !source.starts_with("../") && source != "." && source != ".." {
        return None;
    }
    folder_below(folder, source)
}

/// Joins a relative path to a folder; none when it is absolute or leaves the root of the scan.
pub fn folder_below(folder: &str, path: &str) -> Option<String> {
    // A drive letter makes a path absolute too.
    if path.starts_with('/') || path.contains('\\') || path.get(1..2) == Some(":") {
        return None;
    }
    path::join(folder, path).map(|joined| if joined.is_empty() { ".".into() } else { joined })
}

/// A module call that leads to no code: what to tell, and what to do.
pub struct Lost {
    /// Goes after `module "x" was not read: `.
    pub reason: String,
    /// What to do.
    pub help: &'static str,
    /// Whether the code is fetched from elsewhere: [`ProblemKind::UnreadModule`].
    pub kind: ProblemKind,
}

/// The folder of a called module's code, relative to the root of the scan. `key` holds the names of the calls that lead to it
/// from `root`, the last its own: `app.database`.
pub fn folder_of_call(root: &Module, key: &str, caller: &Module, call: &Declaration) -> Result<String, Lost> {
    let text = |name: &str| {
        let argument = call.attribute(name)?;
        literal(&argument.file, argument.item).map(str::to_string)
    };
    let source = text("source").unwrap_or_default();
    if let Some(folder) = local_folder(&caller.folder, &source) {
        return Ok(folder);
    }
    if source.starts_with('.') {
        let reason = format!("its source {source:?} lies outside the scanned folder");
        return Err(Lost { reason, help: "scan the folder that holds both", kind: ProblemKind::Unread });
    }
    let is_place = source.is_empty() || source.starts_with(['/', '~']) || source.starts_with("file:");
    let kind = if is_place { ProblemKind::Unread } else { ProblemKind::UnreadModule };
    match root.installed.find(key, &source, text("version").as_deref()) {
        Found::At(folder) => Ok(folder.to_string()),
        Found::Outside(folder) => Err(Lost {
            reason: format!("it is installed in {folder:?}, outside the scanned folder"),
            help: "run `terraform init` again, or scan the folder that holds both",
            kind: ProblemKind::Unread,
        }),
        Found::Stale => Err(Lost {
            reason: format!("its source {source:?} or version is not what is installed in {}", installed::FOLDER),
            help: "run `terraform init` again",
            kind: ProblemKind::UnreadModule,
        }),
        Found::Missing => Err(Lost {
            reason: format!("its source {source:?} is not in this tree"),
            help: "gate fetches nothing: run `terraform init` or vendor the module, or accept it with `accept-unread: [modules]` in gate.yaml",
            kind,
        }),
    }
}
