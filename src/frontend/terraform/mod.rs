//! Terraform: syntax, evaluation and the way into the common model.
//!
//! A folder is a module. Modules that nobody calls are roots, and those that are applied by themselves whoever calls them; any
//! other is judged through its callers. Every root is evaluated on its own, in parallel with the others.

pub mod body;
mod defaults;
mod embedded;
pub mod eval;
pub mod functions;
mod given;
mod installed;
mod kubernetes;
mod language;
pub mod module;
pub mod policy;
mod root;
mod roots;
pub mod syntax;
pub mod value;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use self::eval::{Evaluator, Repetition, Scope};
use self::given::{given, variable_files};
use self::module::{Module, Role};
use self::root::Root;
use self::value::{Kind, Val};
use super::{Claim, Context, Frontend, Parsed, Settings};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources, Span};

/// The terraform whose semantics are followed.
const VERSION: &str = "1.11.4";

/// Whether a file of this name or path is a part of a module, or sets its variables.
pub fn is_named(name: &str) -> bool {
    [".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json"].iter().any(|end| name.ends_with(end))
}

/// The Terraform and OpenTofu frontend.
pub struct Terraform;

impl Frontend for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn claims(&self, path: &Path) -> Claim {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.to_str().and_then(installed::root_of_list).is_some() {
            return Claim::Yes;
        }
        if is_named(&name) { Claim::Yes } else { Claim::No }
    }

    /// A module is its folder, what it calls by path, and what is installed for its other calls.
    fn context(&self, _path: &Path, text: &str) -> Context {
        static LOCAL: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"\bsource"?\s*[=:]\s*"(\.\.?/[^"$]*)""#).expect("the pattern is fixed"));
        // Most files call nothing, and are spared the search.
        let calls = ["\"./", "\"../"].iter().any(|begin| text.contains(begin));
        let found = calls.then(|| LOCAL.captures_iter(text)).into_iter().flatten();
        let called = found.map(|found| found[1].to_string());
        let installed = text.contains("module").then(|| installed::FOLDER.to_string());
        Context {
            folders: std::iter::once(".".to_string()).chain(called).collect(),
            installed: installed.into_iter().collect(),
            ..Context::default()
        }
    }

    fn is_called(&self) -> bool {
        true
    }

    fn parse(&self, settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let Loaded { folders, modules, parsed: texts } = load(sources, files);
        let mut parsed = evaluate(&folders, modules, settings, sources);
        parsed.read = texts.read;
        parsed.comments = texts.comments;
        parsed.problems.extend(texts.problems);
        // Several roots may call one module and see the same thing in it.
        parsed.problems.sort();
        parsed.problems.dedup();
        parsed
    }
}

/// Files that are parsed and sorted into modules, of which nothing is evaluated yet.
pub struct Loaded {
    folders: FxHashMap<String, Folder>,
    modules: FxHashMap<String, Arc<Module>>,
    /// What the texts say by themselves.
    parsed: Parsed,
}

impl Loaded {
    /// Evaluates every root module, in parallel.
    pub fn evaluate(&self, settings: &Settings, sources: &Sources) -> Parsed {
        evaluate(&self.folders, self.modules.clone(), settings, sources)
    }
}

/// Evaluates every root module, in parallel. The trees of a root that nobody calls go when it has been evaluated, if no one
/// else holds them.
fn evaluate(
    folders: &FxHashMap<String, Folder>,
    mut modules: FxHashMap<String, Arc<Module>>,
    settings: &Settings,
    sources: &Sources,
) -> Parsed {
    let mut parsed = Parsed::default();
    let mut names: Vec<&String> = folders.keys().collect();
    names.sort();
    for name in &names {
        if let Some(module) = modules.get(*name) {
            parsed.observations.extend(module.observations.iter().cloned());
            parsed.problems.extend(module.problems.iter().cloned());
        }
    }
    let roots = roots::of(&modules, folders, settings, sources);
    parsed.problems.extend(undeclared(&modules, &roots, settings));
    let mut called: FxHashSet<String> = modules.values().flat_map(|module| module.called_folders()).collect();
    called.extend(modules.values().flat_map(|module| module.installed.folders().map(str::to_string)));
    let var_files = given::of_roots(&roots, settings, sources);
    let roots: Vec<(Vec<FileId>, String, Option<Arc<Module>>)> = roots
        .into_iter()
        .map(|folder| {
            let own = if called.contains(&folder) { modules.get(&folder).cloned() } else { modules.remove(&folder) };
            (var_files(&folder), folder, own)
        })
        .collect();
    let mut roots = roots.into_iter();
    loop {
        // In portions: what one gives up serves the next, and never all resources are held twice.
        let portion: Vec<_> = roots.by_ref().take(PORTION).collect();
        if portion.is_empty() {
            break;
        }
        let judged: Vec<Root> = portion
            .into_par_iter()
            .filter_map(|(var_files, folder, own)| {
                Some(Root::evaluate(&modules, &folders[&folder], own?, settings, sources, &var_files))
            })
            .collect();
        judged.into_iter().for_each(|root| parsed.add(root.into()));
    }
    drop(modules);
    parsed.resources.extend(names.iter().flat_map(|name| variable_files(&folders[*name], name, settings)));
    embedded::structure(&mut parsed.resources, sources);
    parsed.resources.extend(kubernetes::objects(&parsed.resources, sources));
    // Several roots may call one module and see the same thing in it.
    parsed.observations.sort_by(|a, b| (a.span, a.name, &a.message).cmp(&(b.span, b.name, &b.message)));
    parsed.observations.dedup_by(|a, b| a.span == b.span && a.name == b.name);
    parsed
}

/// How many root modules are evaluated before their resources join the others'.
const PORTION: usize = 128;

/// Values of the command line for variables that no root module declares.
fn undeclared(modules: &FxHashMap<String, Arc<Module>>, roots: &[String], settings: &Settings) -> Vec<Problem> {
    let is_declared = |name: &str| roots.iter().any(|root| modules[root].variables.get(name).is_some());
    let problem = |(name, _): &(String, String)| {
        let message = format!("--var gives a value to \"{name}\", which no root module declares");
        Problem::with_path(ProblemKind::Evaluation, "", message).help("correct the name, or leave the flag out")
    };
    settings.vars.iter().filter(|(name, _)| !roots.is_empty() && !is_declared(name)).map(problem).collect()
}

/// Parses files and sorts them into modules.
pub fn load(sources: &Sources, files: &[FileId]) -> Loaded {
    let mut parsed = Parsed::default();
    let (files, mut installed) = installed::used(sources, files, &mut parsed.problems);
    parsed.read.clone_from(&files);
    let trees: Vec<(FileId, syntax::Parsed)> = files
        .par_iter()
        .map(|id| {
            let source = sources.get(*id);
            let text = source.shared_text();
            let tree = match source.path() {
                path if path.ends_with(".json") => syntax::parse_json(*id, text, path.ends_with(".tfvars.json")),
                _ => syntax::parse(*id, text),
            };
            (*id, tree)
        })
        .collect();
    let mut folders: FxHashMap<String, Folder> = FxHashMap::default();
    for (id, tree) in trees {
        parsed.problems.extend(tree.problems);
        parsed.comments.extend(tree.file.comments());
        let (folder, name) = split(sources.get(id));
        folders.entry(folder.to_string()).or_default().add(name, tree.file);
    }
    let mut modules = FxHashMap::default();
    for (name, folder) in folders.iter_mut().filter(|(_, folder)| !folder.files.is_empty()) {
        let installed = installed.remove(name).unwrap_or_default();
        modules.insert(name.clone(), Arc::new(Module { installed, ..folder.module(name) }));
    }
    Loaded { folders, modules, parsed }
}

/// The `dynamic` blocks of a text, of which the model has what they make.
pub fn dynamic_blocks(file: FileId, text: Arc<str>) -> Vec<Span> {
    if !text.contains("dynamic") {
        return Vec::new();
    }
    let tree = syntax::parse(file, text).file;
    let (mut bodies, mut found) = (vec![tree.root()], Vec::new());
    while let Some(body) = bodies.pop() {
        for block in tree.blocks(body) {
            bodies.push(block.body);
            if tree.text(block.kind) == "dynamic" {
                found.push(tree.block_span(block));
            }
        }
    }
    found
}

/// Evaluates expressions one by one in the root module of the scan, for `gate console`. Each answer is a value or what is
/// wrong; what the module itself has wrong is no answer.
pub fn evaluate_all(
    settings: &Settings,
    sources: &Sources,
    files: &[FileId],
    expressions: impl Iterator<Item = String>,
    answer: &mut dyn FnMut(Result<Val, String>),
) {
    let Loaded { mut folders, modules, .. } = load(sources, files);
    let module = modules.get(".").cloned().unwrap_or_else(|| Arc::new(Module::new(".".into(), &[])));
    let folder = folders.remove(".").unwrap_or_default();
    let evaluator = Evaluator::new(&modules, settings);
    let given = given(&evaluator, &folder, &module, (settings, &settings.var_files), sources, &mut Vec::new());
    let instance = evaluator.root(module, given);
    // What failed once is remembered as a value that is not known: who asks for it is told why each time.
    let mut failed: FxHashSet<String> = FxHashSet::default();
    for expression in expressions {
        answer(match syntax::parse_expression(FileId::OUTSIDE, expression.into()) {
            Err(problem) => Err(problem.message),
            Ok((file, expr)) => {
                let none = Repetition::default();
                evaluator.forget();
                let result = evaluator.eval(Scope::new(&instance, &file, &none), expr);
                let seen = evaluator.observations.take();
                let problems = evaluator.problems.take().into_iter();
                failed.extend(problems.filter(|one| one.kind != ProblemKind::Note).map(|one| one.message));
                match (result, seen.into_iter().next()) {
                    (_, Some(observation)) => Err(observation.message),
                    (Ok(Val { kind: Kind::Unknown(unknown), .. }), None) if failed.contains(&*unknown.reason) => {
                        Err(unknown.reason.to_string())
                    }
                    (Ok(value), None) => Ok(value),
                    (Err(failure), None) => Err(failure.message),
                }
            }
        });
    }
}

fn split(source: &Source) -> (&str, &str) {
    source.path().rsplit_once('/').unwrap_or((".", source.path()))
}

/// The files of one folder.
#[derive(Default)]
struct Folder {
    files: Vec<(Arc<syntax::File>, Role)>,
    /// Variable files that terraform loads by itself, in its order.
    variables: Vec<(String, Arc<syntax::File>)>,
    /// All variable files, whoever names them.
    assignments: Vec<(String, Arc<syntax::File>)>,
}

impl Folder {
    fn add(&mut self, name: &str, file: Arc<syntax::File>) {
        let stem = name.split('.').next().unwrap_or("");
        if name.ends_with(".tfvars") || name.ends_with(".tfvars.json") {
            self.assignments.push((name.to_string(), file.clone()));
            let is_auto = name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
            if is_auto || stem == "terraform" {
                self.variables.push((name.to_string(), file));
            }
            return;
        }
        let is_override = stem == "override" || stem.ends_with("_override");
        let is_opentofu = name.ends_with(".tofu") || name.ends_with(".tofu.json");
        self.files.push((file, Role { is_override, is_opentofu }));
    }

    /// The module that the files make, which has them from now on. Override files last, each part in the order of names.
    fn module(&mut self, folder: &str) -> Module {
        let mut files = std::mem::take(&mut self.files);
        files.sort_by_key(|(file, role)| (role.is_override, file.id));
        Module::new(folder.to_string(), &files)
    }
}
