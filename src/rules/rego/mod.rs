//! Rego checks: what a module is given, and how what it returns becomes findings with places.
//!
//! A policy returns a path and the engine finds the span. Unknown values are left out of `input`; a finding whose path leads
//! to one is undecided, so `not x` on a value that the text leaves open is no false alarm.

mod evaluate;
mod input;
mod module;
mod nesting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use rayon::prelude::*;
use regorus::Value;

pub use evaluate::{BUDGET, Program};
pub use module::{Module, read};

use super::catalog::Catalog;
use super::engine::{Ran, panic_text};
use super::native::{Cx, Findings};
use super::schema::{Check, Input, Mistake, Prose, Rego, Rule, Target, VERDICTS};
use super::severity::Severity;
use crate::model::ResourceId;

/// The id of the rule that stands for the package of a module without METADATA: `rego-main` for `package main`.
fn plain_id(module: &Module) -> String {
    let name = module.package.join("-").to_lowercase();
    let kebab: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let parts: Vec<&str> = kebab.split('-').filter(|part| !part.is_empty()).collect();
    format!("rego-{}", parts.join("-"))
}

/// The rules that a module without an id stands for: one for what denies, one, of low severity, for what warns.
pub fn plain_rules(module: &Module) -> Vec<(Rule, Prose)> {
    let package = module.package.join(".");
    let rule = |verdicts: &[&str], severity: Severity, end: &str| {
        let verdicts: Vec<String> = verdicts.iter().map(|verdict| verdict.to_string()).collect();
        if !module.rules.iter().any(|name| is_verdict(name, &verdicts)) {
            return None;
        }
        let (path, text) = (module.path.clone(), module.text.clone());
        let targets =
            vec![Target { format: plain_format(module).into(), kinds: vec!["*".into()], path: String::new() }];
        let rule = Rule {
            id: format!("{}{end}", plain_id(module)),
            title: format!("Policy {package} does not hold"),
            severity,
            aliases: Vec::new(),
            shared_aliases: Vec::new(),
            accepted_as: Vec::new(),
            implies: Vec::new(),
            tags: vec!["rego".into()],
            packs: Vec::new(),
            compliance: Vec::new(),
            default: true,
            heuristic: false,
            sensitive: false,
            message: None,
            check: Check::Rego(Rego { path, text, targets, input: Input::Document, verdicts }),
        };
        Some((rule, Prose::default()))
    };
    let denies = rule(&["deny", "violation"], Severity::Medium, "");
    denies.into_iter().chain(rule(&["warn"], Severity::Low, "-warn")).collect()
}

/// What a module without METADATA judges: the package may name a format.
fn plain_format(module: &Module) -> &'static str {
    let names = |format: &str| module.package.iter().any(|part| part.to_lowercase().contains(format));
    match () {
        () if names("terraform") => "terraform",
        () if names("docker") => "dockerfile",
        () => "kubernetes",
    }
}

/// Whether a rule stands for a package whose modules have no METADATA.
pub fn is_plain(rule: &Rule) -> bool {
    matches!(&rule.check, Check::Rego(rego) if rego.verdicts.len() < VERDICTS.len())
}

/// The file of a Rego rule; empty for other rules.
pub fn path(rule: &Rule) -> &str {
    match &rule.check {
        Check::Rego(rego) => &rego.path,
        _ => "",
    }
}

/// Whether a rule of a module gives findings: `deny`, or `deny_` and more.
fn is_verdict(name: &str, verdicts: &[String]) -> bool {
    verdicts.iter().any(|verdict| match name.strip_prefix(verdict.as_str()) {
        Some(rest) => rest.is_empty() || rest.starts_with('_'),
        None => false,
    })
}

/// The mistakes that only show when all of the user's modules are there: names that nothing declares, recursion, conflicts.
pub fn mistakes(catalog: &Catalog, built_in: bool) -> Vec<(String, Mistake)> {
    match catalog.modules(built_in) {
        Ok(modules) => Program::new(&modules, BUDGET).err().unwrap_or_default(),
        Err(mistake) => vec![mistake],
    }
}

/// A `test_` rule that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The file that declares it.
    pub path: String,
    /// Its name with the package: `data.main_test.test_latest`.
    pub name: String,
    /// Why it failed; none when it holds.
    pub failure: Option<String>,
}

/// Runs every `test_` rule of the modules, in the order of modules and names; or says why the modules do not go together.
pub fn run_tests(modules: &[Module]) -> Result<Vec<Test>, Vec<(String, Mistake)>> {
    let program = Program::new(modules, BUDGET)?;
    let mut tests: Vec<Test> = Vec::new();
    for module in modules {
        for rule in module.rules.iter().filter(|rule| rule.starts_with("test_")) {
            let name = format!("{}.{rule}", module.data_path());
            if tests.iter().all(|test| test.name != name) {
                tests.push(Test { path: module.path.clone(), name, failure: None });
            }
        }
    }
    tests.par_iter_mut().for_each(|test| {
        test.failure = match program.run(vec![test.name.clone()], vec![Value::Undefined]) {
            Err(reason) => Some(reason),
            Ok(answers) => match &answers[0][0] {
                Value::Bool(true) => None,
                Value::Undefined => Some("is undefined, wanted true".into()),
                other => Some(format!("is {other}, wanted true")),
            },
        }
    });
    Ok(tests)
}

/// Judges the model by the Rego rules among the selected ones. Compiles nothing unless a rule selects a resource.
pub(super) fn judge(cx: Cx<'_>, catalog: &Catalog, selected: &[usize]) -> Vec<Ran> {
    catch_unwind(AssertUnwindSafe(|| judge_within(cx, catalog, selected, BUDGET))).unwrap_or_else(|panic| {
        let is_rego = |index: &&usize| matches!(catalog.rules()[**index].check, Check::Rego(_));
        let rule = selected.iter().find(is_rego).copied();
        let findings = Err(format!("{}; no Rego policy was run", panic_text(&*panic)));
        rule.map(|rule| Ran { rule, resource: None, findings }).into_iter().collect()
    })
}

fn judge_within(cx: Cx<'_>, catalog: &Catalog, selected: &[usize], budget: std::time::Duration) -> Vec<Ran> {
    let bodies: Vec<OnceLock<Value>> = cx.model.resources.iter().map(|_| OnceLock::new()).collect();
    let mut results = Vec::new();
    for built_in in [true, false] {
        let jobs: Vec<Job> = selected
            .iter()
            .filter(|index| catalog.is_built_in(**index) == built_in)
            .filter_map(|index| match &catalog.rules()[*index].check {
                Check::Rego(rego) => Some((*index, rego, input::selected(cx.model, &rego.targets))),
                _ => None,
            })
            .filter(|(.., resources)| !resources.is_empty())
            .map(|(rule, rego, resources)| Job { cx, rule, title: &catalog.rules()[rule].title, rego, resources })
            .collect();
        let Some(first) = jobs.first() else { continue };
        let prepared = catalog.modules(built_in).map_err(|mistake| vec![mistake]).and_then(|modules| {
            let program = Program::new(&modules, budget)?;
            Ok((modules, program))
        });
        match prepared {
            Ok((modules, program)) => {
                let ran: Vec<Ran> = jobs.par_iter().filter_map(|job| job.run(&modules, &program, &bodies)).collect();
                results.extend(ran);
            }
            Err(mistakes) => {
                let reasons: Vec<String> = mistakes
                    .iter()
                    .map(|(path, mistake)| format!("{path}:{}: {}", mistake.line, mistake.message))
                    .collect();
                let reason = format!("{}; no Rego policy beside it was run", reasons.join("; "));
                results.push(Ran { rule: first.rule, resource: None, findings: Err(reason) });
            }
        }
    }
    results
}

/// One rule and the resources that it is asked about.
struct Job<'a> {
    cx: Cx<'a>,
    rule: usize,
    title: &'a str,
    rego: &'a Rego,
    resources: Vec<ResourceId>,
}

impl Job<'_> {
    fn run(&self, modules: &[Module], program: &Program, bodies: &[OnceLock<Value>]) -> Option<Ran> {
        let outcome = self.findings(modules, program, bodies);
        let silent = outcome.as_ref().is_ok_and(|findings| findings.found.is_empty() && findings.undecided == 0);
        (!silent).then_some(Ran { rule: self.rule, resource: None, findings: outcome })
    }

    fn findings(&self, modules: &[Module], program: &Program, bodies: &[OnceLock<Value>]) -> Result<Findings, String> {
        let model = self.cx.model;
        let verdicts = self.verdicts(modules)?;
        let body =
            |id: ResourceId| bodies[id.0 as usize].get_or_init(|| input::value(&model.resource(id).body)).clone();
        let (batches, inputs): (Vec<Vec<ResourceId>>, Vec<Value>) = match self.rego.input {
            Input::Resources => input::batches(model, &self.resources)
                .into_iter()
                .map(|batch| {
                    let records = batch.iter().map(|id| input::record(model.resource(*id), body(*id)));
                    let document = input::object([("resources", Value::from(records.collect::<Vec<_>>()))]);
                    (batch, document)
                })
                .unzip(),
            Input::Document => {
                self.resources.iter().map(|id| (vec![*id], input::document(model.resource(*id), body(*id)))).unzip()
            }
        };
        let answers = program.run(verdicts, inputs)?;
        let mut findings = Findings::of(None);
        for (batch, values) in batches.iter().zip(&answers) {
            for value in values {
                self.take(batch, value, &mut findings)?;
            }
        }
        Ok(findings)
    }

    /// The rules of the package that give findings, as paths below `data`.
    fn verdicts(&self, modules: &[Module]) -> Result<Vec<String>, String> {
        let own = modules.iter().find(|module| module.path == self.rego.path).ok_or("its module is not loaded")?;
        let mut names: Vec<&String> = modules
            .iter()
            .filter(|module| module.package == own.package)
            .flat_map(|module| &module.rules)
            .filter(|name| is_verdict(name, &self.rego.verdicts))
            .collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(format!("{} declares no {}", self.rego.path, self.rego.verdicts.join(", ")));
        }
        Ok(names.into_iter().map(|name| format!("{}.{name}", own.data_path())).collect())
    }

    /// Turns what one verdict gives into findings.
    fn take(&self, batch: &[ResourceId], value: &Value, findings: &mut Findings) -> Result<(), String> {
        match value {
            Value::Undefined | Value::Bool(false) | Value::Null => Ok(()),
            Value::Bool(true) => self.place(batch, &Value::from(self.title), findings),
            Value::Set(items) => items.iter_sorted().try_for_each(|item| self.place(batch, item, findings)),
            Value::Array(items) => items.iter().try_for_each(|item| self.place(batch, item, findings)),
            other => self.place(batch, other, findings),
        }
    }

    /// One finding: a message, or an object with `msg`, `resource`, `path`, and `reads` for what else it rests on.
    fn place(&self, batch: &[ResourceId], item: &Value, findings: &mut Findings) -> Result<(), String> {
        let field = |name: &str| match item {
            Value::Object(_) => &item[name],
            _ => &Value::Undefined,
        };
        let message = match item {
            Value::String(text) => text.to_string(),
            Value::Object(_) => match field("msg") {
                Value::String(text) => text.to_string(),
                Value::Undefined => self.title.to_string(),
                other => return Err(format!("gives a `msg` that is not a string: {other}")),
            },
            other => return Err(format!("gives neither a string nor an object: {other}")),
        };
        let path =
            input::path(field("path")).ok_or_else(|| format!("gives a `path` that is no path: {}", field("path")))?;
        let wrong_reads = || format!("gives `reads` that are no list of paths: {}", field("reads"));
        let reads: Vec<Vec<String>> = match field("reads") {
            Value::Undefined => Vec::new(),
            Value::Array(paths) => paths.iter().map(input::path).collect::<Option<_>>().ok_or_else(wrong_reads)?,
            _ => return Err(wrong_reads()),
        };
        let model = self.cx.model;
        let named = match field("resource") {
            Value::Undefined => None,
            Value::String(address) => {
                let resource = batch.iter().find(|id| *model.resource(**id).address == **address);
                Some(*resource.ok_or_else(|| format!("blames {address}, which is no resource that it was given"))?)
            }
            other => return Err(format!("gives a `resource` that is not an address: {other}")),
        };
        let Some(id) = named.or_else(|| batch.first().filter(|_| batch.len() == 1).copied()) else {
            // A finding about all resources together stands at the first of them.
            let head = model.resource(batch[0]).head;
            findings.at(head, "", message).address = Some("".into());
            return Ok(());
        };
        let resource = model.resource(id);
        findings.about(id);
        let attribute =
            path.iter().filter(|step| step.parse::<usize>().is_err()).cloned().collect::<Vec<_>>().join(".");
        let is_open = |path: &Vec<String>| matches!(input::follow(&resource.body, path), input::Place::Unknown);
        match input::follow(&resource.body, &path) {
            _ if reads.iter().any(is_open) => findings.undecided(),
            input::Place::Unknown => findings.undecided(),
            input::Place::At(node) if !std::ptr::eq(node, &resource.body) => {
                findings.fail(node, attribute, message);
            }
            input::Place::At(_) => {
                findings.at(resource.head, attribute, message);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
