//! Terraform: syntax, evaluation and the way into the common model.
//!
//! A folder is a module. Modules that nobody calls are roots; a called module is judged through its callers. Every root is
//! evaluated on its own, in parallel with the others.

pub mod body;
pub mod eval;
pub mod functions;
mod installed;
mod kubernetes;
pub mod module;
pub mod policy;
pub mod syntax;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use regex::Regex;
use rustc_hash::FxHashMap;

use self::eval::{Dependencies, Evaluator, Instance, Repetition, Scope};
use self::module::{Declaration, Module};
use self::value::{Member, Val};
use super::{Claim, Context, Frontend, LocalEdge, Parsed, Settings};
use crate::model::{Entry, Node, Resource};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources, Span};

/// The terraform whose semantics are followed.
const VERSION: &str = "1.11.4";

/// The Terraform and OpenTofu frontend.
pub struct Terraform;

impl Frontend for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn claims(&self, path: &Path) -> Claim {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if path.to_str().and_then(installed::root_of_list).is_some() {
            return Claim::Yes;
        }
        let ends = [".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json"];
        if ends.iter().any(|end| name.ends_with(end)) { Claim::Yes } else { Claim::No }
    }

    /// A module is its folder, what it calls by path, and what is installed for its other calls.
    fn context(&self, text: &str) -> Context {
        static LOCAL: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"\bsource"?\s*[=:]\s*"(\.\.?/[^"$]*)""#).expect("the pattern is fixed"));
        let called = LOCAL.captures_iter(text).map(|found| found[1].to_string());
        let installed = text.contains("module").then(|| installed::FOLDER.to_string());
        Context {
            folders: std::iter::once(".".to_string()).chain(called).collect(),
            installed: installed.into_iter().collect(),
        }
    }

    fn parse(&self, settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let mut parsed = Parsed::default();
        let (folders, modules) = load(sources, files, &mut parsed);
        let mut names: Vec<&String> = folders.keys().collect();
        names.sort();
        for name in &names {
            if let Some(module) = modules.get(*name) {
                parsed.observations.extend(module.observations.iter().cloned());
                parsed.problems.extend(module.problems.iter().cloned());
            }
        }
        let roots = roots(&modules);
        parsed.problems.extend(undeclared(&modules, &roots, settings));
        let judged: Vec<Root> = roots
            .par_iter()
            .map(|folder| Root::evaluate(&modules, &folders[folder], modules[folder].clone(), settings, sources))
            .collect();
        parsed.resources.reserve_exact(judged.iter().map(|root| root.resources.len()).sum());
        for root in judged {
            let base = parsed.resources.len() as u32;
            parsed.edges.extend(root.edges.into_iter().map(|edge| LocalEdge {
                from: edge.from + base,
                to: edge.to + base,
                ..edge
            }));
            parsed.resources.extend(root.resources);
            parsed.problems.extend(root.problems);
            parsed.observations.extend(root.observations);
        }
        parsed.resources.extend(kubernetes::objects(&parsed.resources));
        for name in &names {
            parsed.resources.extend(variable_files(&folders[*name], name, settings));
        }
        // Several roots may call one module and see the same thing in it.
        parsed.problems.sort();
        parsed.problems.dedup();
        parsed.observations.sort_by(|a, b| (a.span, a.name, &a.message).cmp(&(b.span, b.name, &b.message)));
        parsed.observations.dedup_by(|a, b| a.span == b.span && a.name == b.name);
        parsed
    }
}

/// Values of the command line for variables that no root module declares.
fn undeclared(modules: &FxHashMap<String, Arc<Module>>, roots: &[String], settings: &Settings) -> Vec<Problem> {
    let is_declared = |name: &str| roots.iter().any(|root| modules[root].variables.get(name).is_some());
    let problem = |(name, _): &(String, String)| {
        let message = format!("--var gives a value to \"{name}\", which no root module declares");
        Problem::with_path(ProblemKind::Evaluation, "", message).help("correct the name, or leave the flag out")
    };
    settings.vars.iter().filter(|(name, _)| !roots.is_empty() && !is_declared(name)).map(problem).collect()
}

/// The files of every folder, and the modules that they make.
fn load(
    sources: &Sources,
    files: &[FileId],
    parsed: &mut Parsed,
) -> (FxHashMap<String, Folder>, FxHashMap<String, Arc<Module>>) {
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
    let mut names: Vec<&String> = folders.keys().collect();
    names.sort();
    let modules = names
        .iter()
        .filter(|name| !folders[**name].files.is_empty())
        .map(|name| {
            let installed = installed.remove(*name).unwrap_or_default();
            ((*name).clone(), Arc::new(Module { installed, ..folders[*name].module(name) }))
        })
        .collect();
    (folders, modules)
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
    let mut parsed = Parsed::default();
    let (mut folders, modules) = load(sources, files, &mut parsed);
    let module = modules.get(".").cloned().unwrap_or_else(|| Arc::new(Module::new(".".into(), &[])));
    let folder = folders.remove(".").unwrap_or_default();
    let evaluator = Evaluator::new(&modules, settings);
    let given = given(&evaluator, &folder, &module, settings, sources, &mut parsed.problems);
    let instance = evaluator.root(module, given);
    for expression in expressions {
        answer(match syntax::parse_expression(FileId::OUTSIDE, expression.into()) {
            Err(problem) => Err(problem.message),
            Ok((file, expr)) => {
                let none = Repetition::default();
                evaluator.forget();
                let result = evaluator.eval(Scope::new(&instance, &file, &none), expr);
                let seen = evaluator.observations.take();
                match (result, seen.into_iter().next()) {
                    (_, Some(observation)) => Err(observation.message),
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
    files: Vec<(Arc<syntax::File>, bool)>,
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
        self.files.push((file, is_override));
    }

    /// Override files last, each part in the order of names.
    fn module(&self, folder: &str) -> Module {
        let mut files = self.files.clone();
        files.sort_by_key(|(file, is_override)| (*is_override, file.id));
        Module::new(folder.to_string(), &files)
    }
}

/// Folders that no module of the tree calls, and one of each ring of modules that only call each other. Installed code is
/// judged through its callers.
fn roots(modules: &FxHashMap<String, Arc<Module>>) -> Vec<String> {
    let mut names: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
    if !names.iter().all(|folder| installed::is_installed(folder)) {
        names.retain(|folder| !installed::is_installed(folder));
    }
    let calls: BTreeMap<&str, Vec<String>> =
        names.iter().map(|name| (*name, modules[*name].called_folders().collect())).collect();
    let called: BTreeSet<&str> = calls
        .iter()
        .flat_map(|(caller, folders)| folders.iter().filter(move |folder| folder != caller))
        .filter_map(|folder| names.get(folder.as_str()).copied())
        .collect();
    let mut reached = BTreeSet::new();
    let mut roots = Vec::new();
    for name in names.difference(&called).chain(called.iter()) {
        if reached.contains(name) {
            continue;
        }
        roots.push(name.to_string());
        let mut open = vec![*name];
        while let Some(folder) = open.pop() {
            if reached.insert(folder) {
                open.extend(calls[folder].iter().filter_map(|next| names.get(next.as_str())));
            }
        }
    }
    roots.sort();
    roots
}

/// What one root module yields.
#[derive(Default)]
struct Root {
    resources: Vec<Resource>,
    edges: Vec<LocalEdge>,
    problems: Vec<Problem>,
    observations: Vec<crate::model::Observation>,
}

/// References of one resource before addresses are looked up.
type References = Vec<(u32, Arc<str>, Dependencies)>;

impl Root {
    fn evaluate(
        modules: &FxHashMap<String, Arc<Module>>,
        folder: &Folder,
        module: Arc<Module>,
        settings: &Settings,
        sources: &Sources,
    ) -> Root {
        let evaluator = Evaluator::new(modules, settings);
        let mut root = Root::default();
        let given = given(&evaluator, folder, &module, settings, sources, &mut root.problems);
        let instance = evaluator.root(module.clone(), given);
        let mut references = References::new();
        root.collect(&evaluator, &instance, &mut references);
        root.connect(references);
        root.problems.extend(evaluator.problems.take());
        root.observations = evaluator.observations.take();
        root
    }

    fn collect(&mut self, evaluator: &Evaluator<'_>, instance: &Rc<Instance>, references: &mut References) {
        let module = instance.module.clone();
        evaluator.validate(instance);
        for (name, declaration) in module.outputs.iter() {
            evaluator.output_value(instance, name, declaration, declaration.head());
        }
        for (kind, declarations) in [("terraform", &module.settings), ("provider", &module.providers)] {
            for declaration in declarations {
                let label = declaration.labels.first().map(|label| label.to_string()).unwrap_or_default();
                let (kind, address) = match kind {
                    "provider" => (format!("provider.{label}"), format!("provider.{label}")),
                    _ => ("terraform".to_string(), "terraform".to_string()),
                };
                self.add(evaluator, instance, declaration, &kind, &label, &address, &Repetition::default(), references);
                if kind == "terraform" {
                    required_version(evaluator, declaration);
                    self.backends(evaluator, instance, declaration);
                }
            }
        }
        for (kind, declarations) in [("variable", &module.variables), ("output", &module.outputs)] {
            for (name, declaration) in declarations.iter() {
                let address = if kind == "variable" { format!("var.{name}") } else { format!("output.{name}") };
                self.add(evaluator, instance, declaration, kind, name, &address, &Repetition::default(), references);
            }
        }
        for (name, local) in module.locals.iter() {
            // Evaluated even when unused: what is wrong in it is wrong.
            let span = local.file.expr_span(local.item);
            let node = evaluator.lower(&evaluator.local(instance, name, span));
            let key_span = node.span;
            self.resources.push(Resource {
                format: "terraform",
                kind: "local".into(),
                api_version: "".into(),
                name: name.clone(),
                address: format!("{}local.{name}", instance.prefix).into(),
                body: Node::map(vec![Entry { key: "value".into(), key_span, node }], span),
                head: span,
                span,
                calls: instance.calls.clone(),
                root: instance.root_folder().into(),
            });
        }
        for (key, declaration) in module.resources.iter().chain(module.data.iter()) {
            let is_data = key.starts_with("data.");
            let labels = &declaration.labels;
            let kind = if is_data { format!("data.{}", labels[0]) } else { labels[0].to_string() };
            let (all, dependencies) = evaluator.repeated(instance, declaration, key);
            for repetition in all.iter() {
                if !dependencies.is_empty() {
                    references.push((self.resources.len() as u32, "for_each".into(), dependencies.clone()));
                }
                evaluator.preconditions(Scope::new(instance, &declaration.file, repetition), declaration, key);
                let address = format!("{key}{}", repetition.key);
                self.add(evaluator, instance, declaration, &kind, &labels[1], &address, repetition, references);
            }
        }
        for (name, call) in module.calls.iter() {
            let address = format!("module.{name}");
            // One resource for the call however often it is made; `each` and `count` need an instance to mean something.
            let (all, dependencies) = evaluator.repeated(instance, call, &address);
            if let Some(repetition) = all.first() {
                if !dependencies.is_empty() {
                    references.push((self.resources.len() as u32, "for_each".into(), dependencies));
                }
                self.add(evaluator, instance, call, "module", name, &address, repetition, references);
            }
            for child in evaluator.children(instance, name, call).iter() {
                self.collect(evaluator, child, references);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one row of facts about one block, passed straight on")]
    fn add(
        &mut self,
        evaluator: &Evaluator<'_>,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        kind: &str,
        name: &str,
        address: &str,
        repetition: &Repetition,
        references: &mut References,
    ) {
        let from = self.resources.len() as u32;
        let file = &declaration.file;
        let mut depends = |attribute: &str, dependencies: Dependencies| {
            if !dependencies.is_empty() {
                references.push((from, attribute.into(), dependencies));
            }
        };
        let mut members = match kind {
            "variable" => variable_members(evaluator, instance, declaration),
            _ => body::body(evaluator, Scope::new(instance, file, repetition), declaration, &mut depends),
        };
        if kind == "data.aws_iam_policy_document" {
            let val = policy::document(evaluator, instance, declaration, repetition);
            members.push(Member { key: "json".into(), key_span: val.span, val });
        }
        let entries = entries(evaluator, members);
        let span = file.block_span(&declaration.block);
        self.resources.push(Resource {
            format: "terraform",
            kind: kind.into(),
            api_version: "".into(),
            name: name.into(),
            address: format!("{}{address}", instance.prefix).into(),
            body: Node::map(entries, declaration.head()),
            head: declaration.head(),
            span,
            calls: instance.calls.clone(),
            root: instance.root_folder().into(),
        });
    }

    /// `backend "s3"` of a `terraform` block, as a resource of its own kind.
    fn backends(&mut self, evaluator: &Evaluator<'_>, instance: &Rc<Instance>, declaration: &Declaration) {
        let file = &declaration.file;
        for block in file.blocks(declaration.block.body).iter().filter(|block| file.text(block.kind) == "backend") {
            let label = file.labels(block).next().unwrap_or("").to_string();
            let none = Repetition::default();
            let members = body::inside(evaluator, Scope::new(instance, file, &none), block.body, &mut |_, _| {});
            let entries = entries(evaluator, members);
            self.resources.push(Resource {
                format: "terraform",
                kind: format!("backend.{label}").into(),
                api_version: "".into(),
                name: label.as_str().into(),
                address: format!("backend.{label}").into(),
                body: Node::map(entries, file.header_span(block)),
                head: file.header_span(block),
                span: file.block_span(block),
                calls: instance.calls.clone(),
                root: instance.root_folder().into(),
            });
        }
    }

    /// Turns addresses into edges; an address without an instance key means every instance.
    fn connect(&mut self, references: References) {
        let mut by_address: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        for (index, resource) in self.resources.iter().enumerate() {
            let address = &*resource.address;
            by_address.entry(address.to_string()).or_default().push(index as u32);
            if address.ends_with(']')
                && let Some((plain, _)) = address.rsplit_once('[')
            {
                by_address.entry(plain.to_string()).or_default().push(index as u32);
            }
        }
        for (from, attribute, dependencies) in references {
            for address in dependencies {
                for to in by_address.get(&*address).into_iter().flatten().filter(|to| **to != from) {
                    self.edges.push(LocalEdge { from, attribute: attribute.clone(), to: *to });
                }
            }
        }
    }
}

/// Says so where a module wants another terraform than the one whose semantics are followed; its values may differ then.
fn required_version(evaluator: &Evaluator<'_>, declaration: &Declaration) {
    let Some(required) = declaration.attribute("required_version") else { return };
    let Some(wanted) = module::literal(&required.file, required.item) else { return };
    if !installed::satisfies(VERSION, wanted) {
        let message =
            format!("the module requires terraform {wanted:?}, and is evaluated as terraform {VERSION} would");
        evaluator.problem(Problem::at(ProblemKind::Note, required.file.expr_span(required.item), message));
    }
}

/// The members of a body as rules see them.
fn entries(evaluator: &Evaluator<'_>, members: Vec<Member>) -> Vec<Entry> {
    let entry =
        |member: Member| Entry { node: evaluator.lower(&member.val), key: member.key, key_span: member.key_span };
    members.into_iter().map(entry).collect()
}

/// The declared facts of a variable; validations speak of the variable itself and are no values.
fn variable_members(evaluator: &Evaluator<'_>, instance: &Rc<Instance>, declaration: &Declaration) -> Vec<Member> {
    let none = Repetition::default();
    ["default", "sensitive", "nullable", "description"]
        .iter()
        .filter_map(|name| {
            let argument = declaration.attribute(name)?;
            let (val, _) = evaluator.argument(Scope::new(instance, &argument.file, &none), argument.item);
            Some(Member { key: (*name).into(), key_span: val.span, val })
        })
        .collect()
}

/// Variable files as resources of their own kind: what they assign is judged though the text does not say for which module.
fn variable_files(folder: &Folder, path: &str, settings: &Settings) -> Vec<Resource> {
    let modules = FxHashMap::default();
    let evaluator = Evaluator::new(&modules, settings);
    let instance = evaluator.root(Arc::new(Module::new(path.into(), &[])), FxHashMap::default());
    let none = Repetition::default();
    let resource = |(name, file): &(String, Arc<syntax::File>)| {
        let entries: Vec<Entry> = file
            .attributes(file.root())
            .iter()
            .map(|attribute| {
                let (val, _) = evaluator.argument(Scope::new(&instance, file, &none), attribute.value);
                let node = evaluator.lower(&val);
                let key_span = Span::new(file.id, attribute.start, attribute.name_end);
                Entry { key: file.text(attribute.name).into(), key_span, node }
            })
            .collect();
        let head = entries.first()?.key_span;
        let span = entries.iter().fold(head, |span, entry| span.to(entry.node.span));
        Some(Resource {
            format: "terraform",
            kind: "tfvars".into(),
            api_version: "".into(),
            name: name.as_str().into(),
            address: name.as_str().into(),
            body: Node::map(entries, head),
            head,
            span,
            calls: Arc::from([]),
            root: path.into(),
        })
    };
    folder.assignments.iter().filter_map(resource).collect()
}

/// Values of a root's variables from files and flags, later ones first: flags in order, `*.auto.tfvars`, `terraform.tfvars`.
fn given(
    evaluator: &Evaluator<'_>,
    folder: &Folder,
    module: &Arc<Module>,
    settings: &Settings,
    sources: &Sources,
    problems: &mut Vec<Problem>,
) -> FxHashMap<Arc<str>, Val> {
    let mut given = FxHashMap::default();
    let none = Repetition::default();
    let nothing = evaluator.root(module.clone(), FxHashMap::default());
    let mut flag = |name: &str, value: &str, given: &mut FxHashMap<Arc<str>, Val>| {
        let Some(declaration) = module.variables.get(name) else { return };
        let span = declaration.head();
        let ty = evaluator.declared_type(&nothing, declaration);
        let is_literal = ty.is_primitive() || declaration.attribute("type").is_none();
        let val = match is_literal {
            true => Ok(Val::string(value, span)),
            false => literal_expression(evaluator, &nothing, value, span),
        };
        match val {
            Ok(val) => {
                given.insert(name.into(), val);
            }
            Err(message) => problems.push(
                Problem::at(ProblemKind::Evaluation, span, format!("the value given for var.{name}: {message}"))
                    .help("give it as an expression, as in ['a', 'b'] with double quotes"),
            ),
        }
    };
    if settings.tf_env {
        let variables =
            std::env::vars().filter_map(|(name, value)| Some((name.strip_prefix("TF_VAR_")?.to_string(), value)));
        for (name, value) in variables {
            flag(&name, &value, &mut given);
        }
    }
    let mut files: Vec<(usize, &String, Arc<syntax::File>)> = folder
        .variables
        .iter()
        .map(|(name, file)| (usize::from(!name.starts_with("terraform.tfvars")), name, file.clone()))
        .collect();
    files.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let mut trees: Vec<Arc<syntax::File>> = files.into_iter().map(|(_, _, file)| file).collect();
    let mut parse_problems = Vec::new();
    for id in &settings.var_files {
        let source = sources.get(*id);
        let tree = match source.path().ends_with(".json") {
            true => syntax::parse_json(*id, source.shared_text(), true),
            false => syntax::parse(*id, source.shared_text()),
        };
        parse_problems.extend(tree.problems);
        trees.push(tree.file);
    }
    for file in trees {
        for attribute in file.attributes(file.root()) {
            // Only bound names are known in a variable file, and there is none.
            let scope = Scope { is_closed: true, ..Scope::new(&nothing, &file, &none) };
            let (val, _) = evaluator.argument(scope, attribute.value);
            given.insert(Arc::from(file.text(attribute.name)), val);
        }
    }
    for (name, value) in &settings.vars {
        flag(name, value, &mut given);
    }
    problems.extend(parse_problems);
    given
}

/// A value from the command line for a variable of a compound type.
fn literal_expression(
    evaluator: &Evaluator<'_>,
    instance: &Rc<Instance>,
    text: &str,
    span: Span,
) -> Result<Val, String> {
    let (file, expr) = syntax::parse_expression(FileId::OUTSIDE, text.into()).map_err(|problem| problem.message)?;
    let none = Repetition::default();
    let scope = Scope { is_closed: true, ..Scope::new(instance, &file, &none) };
    evaluator.eval(scope, expr).map(|val| val.placed(span)).map_err(|failure| failure.message)
}
