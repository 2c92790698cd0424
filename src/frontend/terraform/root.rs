//! One root module as resources, edges and problems.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::defaults::Defaults;
use super::eval::{Dependencies, Evaluator, Instance, Repetition, Scope};
use super::given::given;
use super::module::{self, Declaration, Module};
use super::value::Member;
use super::{Folder, VERSION, body, installed, policy};
use crate::frontend::{LocalEdge, Parsed, Settings};
use crate::model::{Entry, Move, Node, Observation, Resource};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources, Span};

/// References between the resources of one root module that are kept.
const MAX_EDGES: usize = 500_000;

/// Blocks of one root module and of all that it calls, each instance counted, that are judged.
const MAX_RESOURCES: usize = 500_000;

/// What one root module yields.
#[derive(Default)]
pub struct Root {
    folder: Arc<str>,
    /// What providers give to the resources of the instance that is collected.
    defaults: Defaults,
    pub resources: Vec<Resource>,
    pub edges: Vec<LocalEdge>,
    pub problems: Vec<Problem>,
    pub observations: Vec<Observation>,
    pub moves: Vec<Move>,
}

impl From<Root> for Parsed {
    fn from(root: Root) -> Parsed {
        let Root { resources, edges, problems, observations, moves, .. } = root;
        Parsed { resources, edges, problems, observations, moves, ..Parsed::default() }
    }
}

/// References of one resource before addresses are looked up.
type References = Vec<(u32, Arc<str>, Dependencies)>;

impl Root {
    /// Evaluates a root module and all that it calls.
    pub(super) fn evaluate(
        modules: &FxHashMap<String, Arc<Module>>,
        folder: &Folder,
        module: Arc<Module>,
        settings: &Settings,
        sources: &Sources,
        var_files: &[FileId],
    ) -> Root {
        let evaluator = Evaluator::new(modules, settings);
        let mut root = Root { folder: module.folder.as_str().into(), ..Root::default() };
        let given = given(&evaluator, folder, &module, (settings, var_files), sources, &mut root.problems);
        let instance = evaluator.root(module.clone(), given);
        let mut references = References::new();
        // Level by level, so that a tree that grows past the limits takes nothing from what stands above it.
        let mut open = VecDeque::from([(instance.clone(), Defaults::default())]);
        while let Some((instance, passed)) = open.pop_front() {
            root.collect(&evaluator, &instance, passed, &mut references, &mut open);
        }
        instance.release();
        root.connect(references);
        root.resources.shrink_to_fit();
        root.edges.shrink_to_fit();
        root.problems.extend(evaluator.problems.take());
        root.observations = evaluator.observations.take();
        root
    }

    fn collect(
        &mut self,
        evaluator: &Evaluator<'_>,
        instance: &Rc<Instance>,
        passed: Defaults,
        references: &mut References,
        open: &mut VecDeque<(Rc<Instance>, Defaults)>,
    ) {
        if let Some(call) = instance.calls.last()
            && self.granted(evaluator, 1, call.span) == 0
        {
            return;
        }
        let module = instance.module.clone();
        if evaluator.settings.with_defaults {
            self.defaults = Defaults::of(evaluator, instance, passed);
        }
        evaluator.validate(instance);
        evaluator.promises(instance);
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
        for declaration in &module.moves {
            let address = |name| {
                let at = declaration.attribute(name)?;
                let text: String = at.file.source_text(at.file.expr_span(at.item)).split_whitespace().collect();
                Some(format!("{}{}", instance.prefix, text.trim_matches('"')))
            };
            if let (Some(from), Some(to)) = (address("from"), address("to")) {
                self.moves.push(Move { root: self.folder.clone(), from, to });
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
                kind: evaluator.name("local"),
                api_version: evaluator.name(""),
                name: name.clone(),
                address: format!("{}local.{name}", instance.prefix).into(),
                body: Node::map(vec![Entry { key: evaluator.name("value"), key_span, node }], span),
                head: span,
                span,
                calls: instance.calls.clone(),
                root: self.folder.clone(),
            });
        }
        for (key, declaration) in module.resources.iter().chain(module.data.iter()) {
            let is_data = key.starts_with("data.");
            let labels = &declaration.labels;
            let kind = if is_data { format!("data.{}", labels[0]) } else { labels[0].to_string() };
            if self.granted(evaluator, 1, declaration.head()) == 0 {
                continue;
            }
            let (all, dependencies) = evaluator.repeated(instance, declaration, key);
            let granted = self.granted(evaluator, all.len(), declaration.head());
            for (nth, repetition) in all.iter().take(granted).enumerate() {
                if nth > 0 && evaluator.is_spent() {
                    evaluator.tell_left(nth, all.len(), declaration.head());
                    break;
                }
                if !dependencies.is_empty() {
                    references.push((self.resources.len() as u32, evaluator.name("for_each"), dependencies.clone()));
                }
                evaluator.preconditions(Scope::new(instance, &declaration.file, repetition), declaration, key);
                let address = format!("{key}{}", repetition.key);
                self.add(evaluator, instance, declaration, &kind, &labels[1], &address, repetition, references);
            }
        }
        let defaults = std::mem::take(&mut self.defaults);
        for (name, call) in module.calls.iter() {
            let address = format!("module.{name}");
            // One resource for the call however often it is made; `each` and `count` need an instance to mean something.
            let (all, dependencies) = evaluator.repeated(instance, call, &address);
            if let Some(repetition) = all.first() {
                if !dependencies.is_empty() {
                    references.push((self.resources.len() as u32, evaluator.name("for_each"), dependencies));
                }
                self.add(evaluator, instance, call, "module", name, &address, repetition, references);
            }
            for child in evaluator.children(instance, name, call).iter() {
                open.push_back((child.clone(), defaults.passed(call)));
            }
        }
    }

    /// How many of these blocks there is room for.
    fn granted(&self, evaluator: &Evaluator<'_>, wanted: usize, at: Span) -> usize {
        let told = (
            format!(
                "this module and what it calls make more than {MAX_RESOURCES} blocks: what is over that is not judged"
            ),
            "call modules in fewer levels, or make fewer instances",
        );
        evaluator.room(wanted, MAX_RESOURCES.saturating_sub(self.resources.len()), at, told)
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
                references.push((from, evaluator.name(attribute), dependencies));
            }
        };
        let mut members = match kind {
            "variable" => variable_members(evaluator, instance, declaration),
            "output" => {
                let (val, dependencies) =
                    evaluator.collected(|| evaluator.output_value(instance, name, declaration, declaration.head()));
                depends("value", dependencies);
                body::output(evaluator, Scope::new(instance, file, repetition), declaration, val, &mut depends)
            }
            _ => body::body(evaluator, Scope::new(instance, file, repetition), declaration, &mut depends),
        };
        if !kind.contains('.') {
            self.defaults.apply(kind, &mut members, declaration.head());
        }
        if kind == "data.aws_iam_policy_document" {
            let val = policy::document(&members, declaration.head());
            members.push(Member { key: "json".into(), key_span: val.span, val });
        }
        let entries = entries(evaluator, members);
        let span = file.block_span(&declaration.block);
        self.resources.push(Resource {
            format: "terraform",
            kind: evaluator.name(kind),
            api_version: evaluator.name(""),
            name: evaluator.name(name),
            address: format!("{}{address}", instance.prefix).into(),
            body: Node::map(entries, declaration.head()),
            head: declaration.head(),
            span,
            calls: instance.calls.clone(),
            root: self.folder.clone(),
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
                root: self.folder.clone(),
            });
        }
    }

    /// Turns addresses into edges; an address without an instance key means every instance. Two blocks of which every
    /// instance refers to every other multiply: past a limit references are left out, which is a problem.
    fn connect(&mut self, references: References) {
        let mut by_address: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
        for (index, resource) in self.resources.iter().enumerate() {
            let address = &*resource.address;
            by_address.entry(address).or_default().push(index as u32);
            if address.ends_with(']')
                && let Some((plain, _)) = address.rsplit_once('[')
            {
                by_address.entry(plain).or_default().push(index as u32);
            }
        }
        for (from, attribute, dependencies) in references {
            for address in dependencies {
                let Some(all) = by_address.get(&*address) else { continue };
                if self.edges.len() + all.len() > MAX_EDGES {
                    let at = self.resources[from as usize].head;
                    let message =
                        format!("the instances of this module refer to each other more than {MAX_EDGES} times");
                    let help = "refer to single instances: the references from here on are not judged";
                    self.problems.push(Problem::at(ProblemKind::Limit, at, message).help(help));
                    return;
                }
                let others = all.iter().filter(|to| **to != from);
                self.edges.extend(others.map(|to| LocalEdge { from, attribute: attribute.clone(), to: *to }));
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
            let scope = match *name {
                "default" => Scope::constant(instance, &argument.file, &none),
                _ => Scope::new(instance, &argument.file, &none),
            };
            let (val, _) = evaluator.argument(scope, argument.item);
            Some(Member { key: evaluator.name(name), key_span: val.span, val })
        })
        .collect()
}
