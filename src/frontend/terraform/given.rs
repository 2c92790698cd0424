//! Values that a root module is given from outside: files, flags and the environment.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::eval::{Evaluator, Instance, Repetition, Scope};
use super::module::Module;
use super::value::Val;
use super::{Folder, syntax};
use crate::frontend::Settings;
use crate::model::{Entry, Node, Resource};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources, Span};

/// The variable files that each root is given by `--var-file` and the environment, in order.
///
/// What the command line names is for every root. A file of an environment is for the root that stands nearest above it, so
/// that each stack of a tree has its own; one above or beside all roots is for all.
pub fn of_roots(roots: &[String], settings: &Settings, sources: &Sources) -> impl Fn(&str) -> Vec<FileId> + use<> {
    let owner = |file: &FileId| {
        let path = Path::new(sources.get(*file).path());
        // Files outside the scan lie below no root.
        let is_inside = !path.is_absolute() && !path.starts_with("..");
        let above = roots.iter().filter(|root| is_inside && (*root == "." || path.starts_with(root)));
        above.max_by_key(|root| if *root == "." { 0 } else { root.len() }).cloned()
    };
    let owned: Vec<(FileId, Option<String>)> =
        settings.environment_files.iter().map(|file| (*file, owner(file))).collect();
    let named = settings.var_files.clone();
    move |root| {
        let own = owned.iter().filter(|(_, owner)| owner.as_ref().is_none_or(|owner| owner == root));
        named.iter().copied().chain(own.map(|(file, _)| *file)).collect()
    }
}

/// Values of a root's variables from files and flags, later ones first: flags in order, `*.auto.tfvars`, `terraform.tfvars`.
pub fn given(
    evaluator: &Evaluator<'_>,
    folder: &Folder,
    module: &Arc<Module>,
    (settings, var_files): (&Settings, &[FileId]),
    sources: &Sources,
    problems: &mut Vec<Problem>,
) -> FxHashMap<Arc<str>, Val> {
    let mut given = FxHashMap::default();
    let none = Repetition::default();
    let nothing = evaluator.root(module.clone(), FxHashMap::default());
    let mut flag = |name: &str, value: &str, how: &str, given: &mut FxHashMap<Arc<str>, Val>| {
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
                given.insert(name.into(), val.through(span, format!("var.{name}, given by {how}").into()));
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
            flag(&name, &value, &format!("TF_VAR_{name}"), &mut given);
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
    for id in var_files {
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
            let scope = Scope::constant(&nothing, &file, &none);
            let (val, _) = evaluator.argument(scope, attribute.value);
            let name = file.text(attribute.name);
            let (span, path) = (val.span, sources.get(val.span.file).path());
            let what = format!("var.{name}, given in {path}:{}", sources.line(span));
            given.insert(name.into(), val.through(span, what.into()));
        }
    }
    for (name, value) in &settings.vars {
        flag(name, value, "--var", &mut given);
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
    let scope = Scope::constant(instance, &file, &none);
    evaluator.eval(scope, expr).map(|val| val.placed(span)).map_err(|failure| failure.message)
}

/// Variable files as resources of their own kind: what they assign is judged though the text does not say for which module.
pub fn variable_files(folder: &Folder, path: &str, settings: &Settings) -> Vec<Resource> {
    let modules = FxHashMap::default();
    let evaluator = Evaluator::new(&modules, settings);
    let instance = evaluator.root(Arc::new(Module::new(path.into(), &[])), FxHashMap::default());
    let none = Repetition::default();
    let resource = |(name, file): &(String, Arc<syntax::File>)| {
        let entries: Vec<Entry> = file
            .attributes(file.root())
            .iter()
            .map(|attribute| {
                let (val, _) = evaluator.argument(Scope::constant(&instance, file, &none), attribute.value);
                let node = evaluator.lower(&val);
                let key_span = file.name_span(attribute);
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
