//! Runs the selected rules over the model: indexed by format and kind, so that cost follows resources, not rules.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::admission;
use super::arms;
use super::catalog::Catalog;
use super::native::{Cx, Findings, Found, Native, find, names_secret, show_of};
use super::precedence;
use super::rego;
use super::schema::{Check, Rule, Table, Target};
use super::table::{self, Scope};
use crate::finding::{Finding, Fingerprint, Related};
use crate::model::dockerfile::BUILD_CHECKS;
use crate::model::view::pod::{Pod, pod};
use crate::model::view::{command, rule};
use crate::model::{DECIDED, Lookup, Node, Resource, ResourceId};
use crate::problem::{Problem, ProblemKind};
use crate::secret;
use crate::source::Span;

/// What the rules made of the model.
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings, sorted by file, place and rule.
    pub findings: Vec<Finding>,
    /// How often a rule could not decide, by rule id, sorted.
    pub undecided: Vec<(Arc<str>, usize)>,
    /// Rules that broke.
    pub problems: Vec<Problem>,
}

impl Judged {
    /// Leaves of findings that speak of one cause in one place the most telling, and those of rules that were `asked`.
    pub fn one_per_cause(&mut self, catalog: &Catalog, asked: &FxHashSet<usize>) {
        precedence::one_per_cause(&mut self.findings, catalog.rules(), asked);
    }
}

/// One thing to do for a resource.
#[derive(Clone, Copy)]
enum Job<'a> {
    Table(&'a Table, &'a Target),
    Native(fn(&Cx, ResourceId, &Resource, &mut Findings)),
}

/// A native check of pods.
type PodCheck = fn(&Cx, ResourceId, Pod<'_>, &mut Findings);

/// Which rules a resource meets.
pub(super) struct Index<'a> {
    exact: FxHashMap<(&'a str, &'a str), Vec<(usize, Job<'a>)>>,
    prefixes: Vec<(&'a str, &'a str, usize, Job<'a>)>,
    views: Vec<(&'a str, usize, Job<'a>)>,
    pods: Vec<(usize, PodCheck)>,
}

impl<'a> Index<'a> {
    /// The rules at these indices that judge one resource, and those that look at more.
    pub(super) fn of(rules: &'a [Rule], selected: &[usize]) -> (Index<'a>, Vec<(usize, Native)>) {
        let mut index =
            Index { exact: FxHashMap::default(), prefixes: Vec::new(), views: Vec::new(), pods: Vec::new() };
        let mut project = Vec::new();
        for &rule in selected {
            match &rules[rule].check {
                Check::Table(table) => {
                    for target in &table.targets {
                        for kind in &target.kinds {
                            index.add(&target.format, kind, rule, Job::Table(table, target));
                        }
                    }
                }
                Check::Native(name) => match find(name) {
                    Some(Native::Resource(format, kinds, check)) => {
                        kinds.iter().for_each(|kind| index.add(format, kind, rule, Job::Native(check)));
                    }
                    Some(Native::Pod(check)) => index.pods.push((rule, check)),
                    Some(native) => project.push((rule, native)),
                    // The catalog refuses such a rule of the user's, and a test such a rule of its own.
                    None => project.push((rule, Native::Project(|_, _| panic!("no native check has this name")))),
                },
                Check::Rego(_) | Check::Imported => {}
            }
        }
        (index, project)
    }

    fn add(&mut self, format: &'a str, kind: &'a str, rule: usize, job: Job<'a>) {
        match kind.strip_suffix('*') {
            _ if format == "view" => self.views.push((kind, rule, job)),
            Some(prefix) => self.prefixes.push((format, prefix, rule, job)),
            None => self.exact.entry((format, kind)).or_default().push((rule, job)),
        }
    }

    fn jobs<'b>(&'b self, resource: &'b Resource) -> impl Iterator<Item = (usize, Job<'a>)> + use<'a, 'b> {
        let exact = self.exact.get(&(resource.format, &*resource.kind)).map_or(&[][..], |jobs| &jobs[..]);
        let by_prefix = self
            .prefixes
            .iter()
            .filter(|(format, prefix, ..)| *format == resource.format && resource.kind.starts_with(prefix))
            .map(|(_, _, rule, job)| (*rule, *job));
        exact.iter().copied().chain(by_prefix)
    }

    /// Runs every rule that a resource meets.
    pub(super) fn judge(&self, cx: Cx<'_>, id: ResourceId, resource: &Resource, chosen: Chosen) -> Vec<Ran> {
        let mut results = Vec::new();
        let runs = |job: &Job<'_>| chosen == Chosen::Yes || !matches!(job, Job::Table(table, _) if table.is_local());
        for (rule, job) in self.jobs(resource).filter(|(_, job)| runs(job)) {
            guarded(&mut results, rule, Some(id), |findings| run(cx, id, resource, job, findings));
        }
        if let Some(pod) = pod(resource) {
            for (rule, check) in &self.pods {
                guarded(&mut results, *rule, Some(id), |findings| check(&cx, id, pod, findings));
            }
            for (view, rule, job) in self.views.iter().filter(|(_, _, job)| runs(job)) {
                guarded(&mut results, *rule, Some(id), |findings| run_view(cx, id, pod, view, *job, findings));
            }
        }
        results
    }
}

/// Whether the checks of single resources are run for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// None is.
    No,
    /// Those that look at other resources too.
    Joined,
    /// All are.
    Yes,
}

/// Whether a check looks at nothing but one resource, so that what it finds there depends on nothing else.
pub fn is_local(check: &Check) -> bool {
    matches!(check, Check::Table(table) if table.is_local())
}

/// Whether a check looks at the scan as a whole, so that what it finds in one place may come from any other; all others
/// look at one resource and what that is related to.
pub fn is_whole(check: &Check) -> bool {
    match check {
        Check::Table(_) => false,
        Check::Native(name) => !matches!(find(name), Some(Native::Resource(..) | Native::Pod(_))),
        Check::Rego(_) => true,
        Check::Imported => false,
    }
}

/// Judges the model by the rules at the given indices of the catalog.
pub fn judge(cx: Cx<'_>, catalog: &Catalog, selected: &[usize]) -> Judged {
    judge_some(cx, catalog, selected, &|_| Chosen::Yes)
}

/// The same, but checks of single resources are run for the chosen ones only; those of the whole scan see all.
pub fn judge_some(
    cx: Cx<'_>,
    catalog: &Catalog,
    selected: &[usize],
    chosen: &(dyn Fn(&Resource) -> Chosen + Sync),
) -> Judged {
    let rules = catalog.rules();
    let (index, project) = Index::of(rules, selected);
    let has_rego = selected.iter().any(|rule| matches!(rules[*rule].check, Check::Rego(_)));
    let resources = &cx.model.resources;
    let per_resource = (0..resources.len()).into_par_iter().map(|number| {
        let id = ResourceId(number as u32);
        let resource = &resources[number];
        let chosen = chosen(resource);
        if chosen == Chosen::No {
            return Vec::new();
        }
        let judged = index.judge(cx, id, resource, chosen);
        // Almost no body has two arms.
        let worlds = resource.body.worlds();
        if worlds == 0 {
            return judged;
        }
        let within = |world| {
            let body = resource.body.in_world(world, worlds);
            index.judge(cx, id, &Resource { body, ..resource.clone() }, chosen)
        };
        arms::weigh(judged, (0..worlds).map(within).collect())
    });
    let mut results: Vec<Ran> = per_resource.flatten_iter().collect();
    let whole = project.par_iter().map(|(rule, native)| {
        let mut results = Vec::new();
        guarded(&mut results, *rule, None, |findings| match native {
            Native::Project(check) => check(&cx, findings),
            Native::Dockerfile(check) => cx.model.dockerfiles.iter().for_each(|file| check(&cx, file, findings)),
            Native::Observed(name) => observed(cx, name, findings),
            Native::Admission => admission::refused(cx, rules, findings),
            Native::Suppressions => {}
            Native::Resource(..) | Native::Pod(_) => unreachable!("indexed above"),
        });
        results
    });
    results.extend(whole.flatten_iter().collect::<Vec<_>>());
    if has_rego {
        results.extend(rego::judge(cx, catalog, selected));
    }
    collect(cx, rules, results)
}

/// What one rule made of one subject.
pub(super) struct Ran {
    /// Index of the rule.
    pub rule: usize,
    /// The subject, if it was one resource.
    pub resource: Option<ResourceId>,
    /// What it found, or why it broke.
    pub findings: Result<Findings, String>,
}

/// Runs a check so that its panic becomes a problem instead of a lost scan; silent results are dropped.
fn guarded(results: &mut Vec<Ran>, rule: usize, resource: Option<ResourceId>, check: impl FnOnce(&mut Findings)) {
    let mut findings = Findings::of(resource);
    let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut findings)));
    let findings = match outcome {
        Ok(()) if findings.found.is_empty() && findings.undecided == 0 => return,
        Ok(()) => {
            findings.found.shrink_to_fit();
            Ok(findings)
        }
        Err(panic) => Err(panic_text(&*panic)),
    };
    results.push(Ran { rule, resource, findings });
}

/// The words of a panic.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".into())
}

fn run(cx: Cx<'_>, id: ResourceId, resource: &Resource, job: Job<'_>, findings: &mut Findings) {
    match job {
        Job::Native(check) => check(&cx, id, resource, findings),
        Job::Table(table, target) => judge_root(cx, id, &resource.body, resource.head, table, target, findings),
    }
}

/// Judges what a view of a pod shows: its spec, each of its containers, or the flags of a component that one starts.
fn run_view(cx: Cx<'_>, id: ResourceId, pod: Pod<'_>, view: &str, job: Job<'_>, findings: &mut Findings) {
    let Job::Table(table, target) = job else { return };
    if view == "pod" {
        return judge_root(
            cx,
            id,
            pod.spec,
            cx.sources.get(pod.spec.span.file).first_line(pod.spec.span),
            table,
            target,
            findings,
        );
    }
    for container in pod.containers() {
        let known = findings.found.len();
        if view != "container" {
            if let Some(flags) = command::flags(container, view) {
                judge_root(cx, id, &flags.body, flags.program, table, target, findings);
            }
            continue;
        }
        let head = container.body.get("name").known().map_or(container.body.span, |name| name.span);
        judge_root(cx, id, container.body, head, table, target, findings);
        for found in &mut findings.found[known..] {
            found.of_container(container.title());
        }
    }
}

/// Holds one root against a table; `head` is the place for something missing at the top.
fn judge_root(
    cx: Cx<'_>,
    id: ResourceId,
    root: &Node,
    head: Span,
    table: &Table,
    target: &Target,
    findings: &mut Findings,
) {
    table::judge(table, target, Scope { model: cx.model, resource: id }, root, &mut |hit| {
        if hit.undecided {
            return findings.undecided();
        }
        let wanted = hit.wanted.map(|wanted| format!(", wanted {wanted}")).unwrap_or_default();
        let what = if hit.path.is_empty() { String::new() } else { format!("{} ", hit.path) };
        let node = hit.at.node();
        let message = match hit.at {
            Lookup::Absent(_) if what.is_empty() => format!("is not set{wanted}"),
            Lookup::Absent(_) => format!("{what}is not set{wanted}"),
            // The root itself is blamed when something beside it is missing.
            _ if std::ptr::eq(node, root) => {
                format!("{what}{}", wanted.trim_start_matches(", ").replace("wanted", "lacks"))
            }
            _ => format!("{what}is {}{wanted}", show_of(&hit.path, node)),
        };
        let found = match std::ptr::eq(node, root) {
            true => findings.at(head, hit.path, message),
            false => findings.fail(node, hit.path, message),
        };
        found.lacks = hit.lacks;
    });
}

fn observed(cx: Cx<'_>, name: &str, findings: &mut Findings) {
    for observation in cx.model.observations.iter().filter(|observation| observation.name == name) {
        let found = findings.at(observation.span, "", observation.message.clone());
        found.address.clone_from(&observation.address);
    }
}

fn collect(cx: Cx<'_>, rules: &[Rule], results: Vec<Ran>) -> Judged {
    let mut judged = Judged::default();
    let ids: Vec<Arc<str>> = rules.iter().map(|rule| Arc::from(rule.id.as_str())).collect();
    let mut undecided = vec![0; rules.len()];
    let mut around = rule::Rules::default();
    let found = results.iter().filter_map(|ran| ran.findings.as_ref().ok());
    judged.findings.reserve_exact(found.map(|findings| findings.found.len()).sum());
    for ran in results {
        match ran.findings {
            Ok(findings) => {
                undecided[ran.rule] += findings.undecided;
                let finish = |found| finish(cx, &rules[ran.rule], &ids[ran.rule], found, &mut around);
                judged.findings.extend(findings.found.into_iter().map(finish));
            }
            Err(reason) => {
                let message = format!("{} broke: {reason}", ids[ran.rule]);
                let mut problem = Problem::with_path(ProblemKind::Rule, "", message)
                    .help("this is a defect of the rule; leave it out with --ignore until it is mended");
                if let Some(id) = ran.resource {
                    let head = cx.model.resource(id).head;
                    problem.path = cx.sources.get(head.file).path().to_string();
                    problem.span = Some(head);
                }
                judged.problems.push(problem);
            }
        }
    }
    judged.findings.sort_by(|a, b| {
        (a.at, &a.rule, &a.address, &a.root, &a.attribute, &a.message).cmp(&(
            b.at,
            &b.rule,
            &b.address,
            &b.root,
            &b.attribute,
            &b.message,
        ))
    });
    judged.findings.dedup_by(|a, b| a.root == b.root && a.reads_like(b) && b.takes_in(a));
    precedence::one_per_secret(&mut judged.findings);
    fail_build_checks(cx, rules, &ids, &mut judged.findings);
    judged.undecided = ids.into_iter().zip(undecided).filter(|(_, count)| *count > 0).collect();
    judged.problems.sort();
    judged
}

/// Where a Dockerfile says `# check=error=true`, what BuildKit checks fails the build: no such finding is below medium there.
fn fail_build_checks(cx: Cx<'_>, rules: &[Rule], ids: &[Arc<str>], findings: &mut [Finding]) {
    let strict: Vec<_> =
        cx.model.dockerfiles.iter().filter(|file| file.checks_are_errors()).map(|file| file.file).collect();
    for finding in findings.iter_mut().filter(|finding| strict.contains(&finding.at.file)) {
        let rule = ids.iter().position(|id| *id == finding.rule).map(|index| &rules[index]);
        if rule.is_some_and(|rule| rule.aliases.iter().any(|alias| BUILD_CHECKS.contains(&alias.as_str()))) {
            finding.severity = finding.severity.max(crate::severity::Severity::Medium);
        }
    }
}

/// Gives a finding its rule, its final place and its fingerprint.
fn finish<'m>(cx: Cx<'m>, rule: &Rule, id: &Arc<str>, found: Found, around: &mut rule::Rules<'m>) -> Finding {
    let resource = found.resource.map(|id| cx.model.resource(id));
    let address =
        found.address.or_else(|| resource.map(|resource| resource.address.clone())).unwrap_or_else(|| "".into());
    let mut related = Vec::new();
    if let Some(resource) = resource {
        for call in resource.calls.iter() {
            related.push(Related {
                at: cx.sources.get(call.span.file).first_line(call.span),
                message: format!("{} is called here", call.address),
            });
        }
    }
    // The line to mend is the one that decided the value; the way from there to the use explains it.
    let mut at = found.at;
    if let Some(trail) = &found.trail {
        // The finding stands at the last step: its name is told where the value is used.
        let origin = trail.steps.last().map(|step| &*step.what).filter(|what| *what != DECIDED);
        let message =
            format!("the value is used here{}", origin.map(|what| format!(", set by {what}")).unwrap_or_default());
        related.push(Related { at: cx.sources.get(at.file).first_line(at), message });
        for step in &trail.steps {
            related.push(Related {
                at: cx.sources.get(step.span.file).first_line(step.span),
                message: step.what.to_string(),
            });
        }
        if let Some(origin) = trail.steps.last() {
            at = origin.span;
        }
    }
    // Code fetched from elsewhere can't be mended here: the finding stands at the call that brought it in.
    if is_vendored(cx.sources.get(at.file).path())
        && let Some(call) = resource.and_then(|resource| {
            resource.calls.iter().rev().find(|call| !is_vendored(cx.sources.get(call.span.file).path()))
        })
    {
        related
            .push(Related { at: cx.sources.get(at.file).first_line(at), message: "in the module's own code".into() });
        at = call.span;
    }
    let text = cx.sources.slice(found.at);
    let snippet: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let at = cx.sources.get(at.file).first_line(at);
    related.retain(|place| place.at != at);
    related.extend(found.related);
    related.dedup();
    related.shrink_to_fit();
    let is_secret = names_secret(&found.attribute) && secret::may_be_secret(bare(&snippet));
    let message = match &rule.message {
        Some(template) => {
            let shown = if is_secret { secret::HIDDEN } else { bare(&snippet) };
            fill(template, &address, resource, &found.attribute, shown)
        }
        None if address.is_empty() || found.message.starts_with(&*address) => found.message,
        None => format!("{address}: {}", found.message),
    };
    let sensitive = found.sensitive || rule.sensitive;
    let value = match sensitive {
        false => found.value,
        true => found.secret.unwrap_or_else(|| {
            let value = resource.filter(|_| !found.sensitive).map(|resource| resource.body.at(&found.attribute));
            secret::hash_of(value.and_then(Lookup::as_str).unwrap_or(text))
        }),
    };
    // A short secret could be guessed from its hash.
    let identity = match sensitive {
        true => found.identity.as_deref().unwrap_or(""),
        false if is_secret => "",
        false => &snippet,
    };
    // The same addresses are another matter on another port.
    let of_rules = resource.filter(|resource| resource.format != "dockerfile" && !sensitive);
    let around = of_rules.and_then(|resource| around.around(resource, found.at));
    // What stays the same when lines move, files are renamed and code is reformatted.
    let parts = [id, &*address, &found.attribute, identity];
    let fingerprint = Fingerprint::of(parts.into_iter().chain(around.as_deref()));
    Finding {
        address,
        attribute: found.attribute,
        related,
        root: resource.map_or_else(|| "".into(), |resource| resource.root.clone()),
        scope: resource.map(|resource| resource.span),
        possible: found.possible,
        sensitive,
        container: found.container,
        value,
        lacks: found.lacks,
        fingerprint,
        judged: found.at,
        ..Finding::new(id.clone(), if found.is_milder { rule.severity.milder() } else { rule.severity }, message, at)
    }
}

fn is_vendored(path: &str) -> bool {
    path.split('/').any(|part| part == ".terraform")
}

fn fill(template: &str, address: &str, resource: Option<&Resource>, attribute: &str, value: &str) -> String {
    template
        .replace("{address}", address)
        .replace("{name}", resource.map_or("", |resource| &resource.name))
        .replace("{path}", attribute)
        .replace("{value}", value)
}

/// A text without the quotes that its author may or may not have written.
fn bare(snippet: &str) -> &str {
    let within = |quote: char| snippet.strip_prefix(quote)?.strip_suffix(quote).filter(|rest| !rest.contains(quote));
    within('"').or_else(|| within('\'')).unwrap_or(snippet)
}
