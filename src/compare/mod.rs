//! A change is judged against what was there: findings of the base and of the head are matched, and only what is new or has
//! become worse closes the gate. Everything that can weaken the verdict is taken from the base.
//!
//! The base is read from git's objects. What the change does not touch is not read, evaluated or judged again: a finding there
//! was there before.

mod builds;
mod digest;
mod exposure;
mod imported;
mod matching;
mod names;
mod placed;
mod plan;
mod renames;
mod subject;
mod target;
mod union;

use std::sync::{Arc, LazyLock};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::discover::{self, Discovered, Walk};
use crate::filesystem::{Commit, Files, Reach, Recording};
use crate::finding::{Finding, Status, Suppressed};
use crate::frontend::{Environment, Settings};
use crate::model::Lookup;
use crate::problem::{Problem, ProblemKind};
use crate::report::{Comparison, Fixed, Proposal};
use crate::rules::engine::{Chosen, is_local, is_whole};
use crate::rules::{Cx, Judged, judge_some};
use crate::scan::{Assembled, Request, environments};
use crate::source::FileId;
use crate::suppress;
pub use builds::leave_out_builds;
use matching::{Side, identical, pair, status};
use names::Names;
pub use plan::Difference;
use plan::Plan;

/// What a change is held against.
#[derive(Clone)]
pub struct Base<'a> {
    /// What it is called: `main (1a2b3c4d5e6f)`.
    pub name: String,
    /// Its files.
    pub commit: Arc<Commit>,
    /// The files of the commit at hand.
    pub tip: Arc<Commit>,
    /// How the head was walked.
    pub walk: Walk<'a>,
    /// What expressions of the head read from files.
    pub recording: Arc<Recording>,
    /// Whether suppressions in texts of the head act: those of the base do otherwise.
    pub trusts_head: bool,
    /// What the change would do to the verdict once merged, as far as configuration and policies tell.
    pub proposed: Vec<Proposal>,
}

/// The head, judged.
pub struct Head<'a> {
    /// Its files.
    pub discovered: &'a Discovered,
    /// Its model.
    pub assembled: &'a Assembled,
    /// Its findings before suppressions.
    pub judged: &'a [Finding],
    /// What was found in files that were read and not asked for.
    pub beside: &'a [Finding],
}

/// Findings of the head with their status.
pub struct Compared {
    /// Those in force.
    pub kept: Vec<Finding>,
    /// Those that a suppression takes out of the verdict.
    pub suppressed: Vec<Suppressed>,
    /// What there is to say about the change.
    pub comparison: Comparison,
    /// What kept the base from being read whole: notes.
    pub notes: Vec<Problem>,
}

/// Reads what is another in the base than in the head, which is told to those who read the head. Fails when the base can't be
/// walked.
pub fn difference(base: &Base<'_>, head: &Discovered) -> Result<Difference, discover::Error> {
    plan::difference(head, &placed::commit(base, head)?, &base.tip, &base.walk)
}

/// Holds the findings of the head, as suppressions leave them, against those of the base, from which it differs so.
pub fn against(
    (base, difference): (&Base<'_>, Difference),
    request: &Request<'_>,
    head: &Head<'_>,
    kept: Vec<Finding>,
    suppressed: Vec<Suppressed>,
) -> Compared {
    let base = &Base { commit: Arc::clone(&difference.commit), ..base.clone() };
    let before = judge_base(base, difference, request, head);
    let mut proposed = base.proposed.clone();
    // An entry of the configuration in force acts on the head as on the base; comments are the change's own word.
    let (tentative, settled): (Vec<Suppressed>, Vec<Suppressed>) =
        suppressed.into_iter().partition(|one| !base.trusts_head && one.dialect != "config" && one.dialect != "sarif");
    let names = Names::of(&before.model, &head.assembled.model);
    let open = tentative.iter().map(|one| &one.finding);
    let mut now = Side::of(&kept, open, &head.assembled.model);
    // What nobody asked for is no less there: it did not become what is asked for.
    let asked = now.findings.len();
    now.add(head.beside);
    let mut was = Side::of(&before.kept, &before.suppressed, &before.model);
    let pairs = identical(&was, &now, |finding| before.plan.leaves_alone(finding));
    let (texts, of_base) = (&head.discovered.sources, &before.plan.discovered.sources);
    let documents = now.documents(|at| pairs.of_head[at].is_some());
    now.look(|at| pairs.of_head[at].is_some(), (texts, &documents), &names);
    let documents = was.documents(|at| pairs.taken[at]);
    was.look(|at| pairs.taken[at], (of_base, &documents), &names);
    let mut pairs = pair(pairs, &was, &now, &before.plan.renames, &names);
    let statuses = statuses(base, head, &before, [&was, &now], &pairs, &names);
    let fixed = fixed(base, head, &before, &was, &pairs);
    pairs.truncate(asked);
    let first_tentative = kept.len();
    let is_accepted: Vec<bool> = (first_tentative..pairs.len())
        .map(|at| statuses[at] == Status::Old && pairs[at].is_some_and(|before| was.suppressed[before]))
        .collect();
    let mut result =
        Compared { kept: Vec::new(), suppressed: settled, comparison: Comparison::default(), notes: before.notes };
    for (at, mut finding) in kept.into_iter().enumerate() {
        finding.status = Some(statuses[at]);
        result.kept.push(finding);
    }
    for (at, mut one) in tentative.into_iter().enumerate() {
        one.finding.status = Some(statuses[first_tentative + at]);
        if is_accepted[at] {
            result.suppressed.push(one);
            continue;
        }
        if let Some(at) = one.at {
            proposed.push(Proposal {
                path: head.discovered.sources.get(at.file).path().to_string(),
                at: Some(at),
                message: match &*one.finding.address {
                    "" => format!("a suppression of {}", one.finding.rule),
                    address => format!("a suppression of {} ({address})", one.finding.rule),
                },
            });
        }
        result.kept.push(one.finding);
    }
    proposed.sort();
    proposed.dedup();
    result.comparison = Comparison { against: base.name.clone(), fixed, proposed, accepted: false };
    result
}

/// How each finding of the head stands to the base.
fn statuses(
    base: &Base<'_>,
    head: &Head<'_>,
    before: &Before,
    [was, now]: [&Side<'_>; 2],
    pairs: &[Option<usize>],
    names: &Names<'_>,
) -> Vec<Status> {
    let places = LazyLock::new(|| imported::Places::of(base, head, before, &now.findings));
    let around = LazyLock::new(|| was.around());
    let each = pairs.iter().enumerate().map(|(at, pair)| match pair {
        Some(before) => status(
            (was.findings[*before], &was.subjects[*before]),
            (now.findings[at], &now.subjects[at]),
            around.get(&was.attribute(*before)),
            names,
        ),
        None if is_imported(now.findings[at]) && places.have(now.findings[at]) => Status::Old,
        None => Status::New,
    });
    each.collect()
}

/// Findings of the base that are mended: what is not judged any more is not.
fn fixed(base: &Base<'_>, head: &Head<'_>, before: &Before, was: &Side<'_>, pairs: &[Option<usize>]) -> Vec<Fixed> {
    let mut is_gone: Vec<bool> = was.suppressed.iter().map(|suppressed| !suppressed).collect();
    pairs.iter().flatten().for_each(|at| is_gone[*at] = false);
    let sources = &head.discovered.sources;
    let only: Option<FxHashSet<&str>> =
        head.discovered.only.as_ref().map(|only| only.iter().map(|file| sources.get(*file).path()).collect());
    let undecided = LazyLock::new(|| Undecided::of(base, head, &before.plan.renames));
    let is_mended = |at: &usize| {
        let path = before.plan.discovered.sources.get(was.findings[*at].at.file).path();
        only.as_ref().is_none_or(|only| only.contains(path))
            && !undecided.has(was.findings[*at], path, &was.subjects[*at].root)
    };
    let mended = (0..is_gone.len()).filter(|at| is_gone[*at]).filter(is_mended);
    let mut fixed: Vec<Fixed> = mended.map(|at| before.fixed(was.findings[at])).collect();
    fixed.sort();
    fixed
}

/// Whether another tool said it: its rules are named `tool/rule`. What it would have said of the base nobody knows.
fn is_imported(finding: &Finding) -> bool {
    finding.rule.contains('/')
}

/// What of the head nobody can tell anything of.
struct Undecided<'a> {
    base: &'a Base<'a>,
    head: &'a Head<'a>,
    renames: &'a FxHashMap<String, String>,
    /// Paths of files with something that was not read, or of which nothing was judged.
    unread: FxHashSet<&'a str>,
    /// Paths of files whose texts are there.
    there: FxHashSet<&'a str>,
    resources: FxHashMap<(&'a str, &'a str), &'a crate::model::Resource>,
}

impl<'a> Undecided<'a> {
    fn of(base: &'a Base<'a>, head: &'a Head<'a>, renames: &'a FxHashMap<String, String>) -> Undecided<'a> {
        let problems = head.assembled.problems.iter().chain(&head.discovered.problems);
        // A note on a file as a whole tells that it was not judged.
        let is_unread = |one: &&Problem| one.kind.closes() || one.kind == ProblemKind::Note && one.span.is_none();
        let resources = &head.assembled.model.resources;
        Undecided {
            base,
            head,
            renames,
            unread: problems.filter(is_unread).map(|one| one.path.as_str()).collect(),
            there: head.discovered.sources.iter().map(|(_, source)| source.path()).collect(),
            resources: resources.iter().map(|one| ((&*one.root, &*one.address), one)).collect(),
        }
    }

    /// Whether it is open if a finding of the base in this file and root still holds: the file is there and was not read, or the
    /// value has become unknown.
    fn has(&self, finding: &Finding, path: &str, root: &str) -> bool {
        let now = |path: &str| self.renames.get(path).map_or(path.to_string(), String::clone);
        let path = now(path);
        let full = self.head.discovered.root.join(&path);
        // Of texts that no format reads only those with a secret are kept.
        let is_left_out = self.base.tip.leaves_out(&full)
            || finding.scope.is_some() && !self.there.contains(&*path) && self.base.walk.files.kind(&full).is_ok();
        let root = now(root);
        let resource = self.resources.get(&(&*root, &*finding.address));
        let is_unknown = resource.is_some_and(|one| matches!(one.body.at(&finding.attribute), Lookup::Unknown(_)));
        self.unread.contains(&*path) || is_left_out || is_unknown
    }
}

/// The base, judged.
struct Before {
    plan: Plan,
    model: crate::model::Model,
    kept: Vec<Finding>,
    suppressed: Vec<Finding>,
    notes: Vec<Problem>,
}

impl Before {
    fn fixed(&self, finding: &Finding) -> Fixed {
        let source = self.plan.discovered.sources.get(finding.at.file);
        Fixed {
            root: finding.root.clone(),
            path: source.path().to_string(),
            line: source.line(finding.at.start),
            rule: finding.rule.clone(),
            severity: finding.severity,
            message: finding.message.clone(),
            address: finding.address.clone(),
        }
    }
}

fn judge_base(base: &Base<'_>, difference: Difference, request: &Request<'_>, head: &Head<'_>) -> Before {
    let commit = &*base.commit;
    let has_changed = |file: &FileId| {
        let source = head.discovered.sources.get(*file);
        !commit.has_bytes(&head.discovered.root.join(source.path()), source.text().as_bytes())
    };
    let settings = &request.settings;
    // What decides values everywhere, or is judged several times over, is judged anew as a whole.
    let is_whole_again = !settings.environments.is_empty()
        || settings.var_files.iter().any(has_changed)
        || plan::reads_changed(&base.recording, commit, (&Files::default(), &settings.reach));
    let mut plan = plan::plan(head.discovered, difference, &base.tip, is_whole_again);
    let of_base = |file: &FileId| {
        let path = head.discovered.sources.get(*file).path();
        let renamed = || plan.changed.get(plan.origins.get(path)?);
        match plan.unchanged.contains(file) {
            true => Some(*file),
            false => plan.changed.get(path).or_else(renamed).copied(),
        }
    };
    let settings = Settings {
        files: Files::from(Arc::clone(&base.commit)),
        // The files of the base are its own: what it does not have is not there.
        reach: Reach { tip: None, ..settings.reach.clone() },
        var_files: settings.var_files.iter().filter_map(of_base).collect(),
        environments: settings
            .environments
            .iter()
            .map(|one| Environment {
                name: one.name.clone(),
                var_files: one.var_files.iter().filter_map(of_base).collect(),
            })
            .collect(),
        ..settings.clone()
    };
    let secrets = union::secrets(&plan, head);
    let (assembled, mut judged) = if is_whole_again {
        environments::judge_each(request, &settings, &plan.discovered, secrets)
    } else {
        let part = crate::scan::assemble_with(&settings, &plan.discovered, secrets);
        plan.touch_roots_of_head_alone(&head.assembled.model, &part.model);
        judge_part(request, &plan, part, head)
    };
    let mut findings = std::mem::take(&mut judged.findings);
    request.config.adjust(request.catalog, &mut findings);
    let is_asked = |finding: &Finding| !plan.unasked.contains(plan.discovered.sources.get(finding.at.file).path());
    findings.retain(is_asked);
    let (kept, suppressed) = match request.suppress {
        false => (findings, Vec::new()),
        true => {
            let decided = suppress::apply(findings, &request.suppressions(&plan.discovered, &assembled));
            (decided.kept, decided.suppressed.into_iter().map(|one| one.finding).collect())
        }
    };
    // What can't be read of the base closes nothing: its findings are missing, so that the head's count as new.
    let unread = assembled.problems.iter().chain(&plan.discovered.problems).chain(&judged.problems);
    let notes = unread
        .filter(|problem| problem.kind.closes())
        .map(|problem| {
            let message = format!("not read in {}, so that old findings count as new: {}", base.name, problem.message);
            Problem::with_path(ProblemKind::Note, problem.path.clone(), message)
        })
        .collect();
    Before { plan, model: assembled.model, kept, suppressed, notes }
}

/// Judges what was read again, among all that was there; the rest is as the head has it.
fn judge_part(request: &Request<'_>, plan: &Plan, part: Assembled, head: &Head<'_>) -> (Assembled, Judged) {
    let is_cluster = |format: &str| format != "terraform";
    // Objects of a cluster and images are judged with each other, whatever file they are in.
    let joins = |resource: &crate::model::Resource| is_cluster(resource.format);
    let is_joined = part.model.resources.iter().any(joins)
        || head.assembled.model.resources.iter().any(|one| joins(one) && plan.touched.contains(&*one.root));
    let assembled = union::union(plan, part, head);
    let chosen = |resource: &crate::model::Resource| match plan.touched.contains(&*resource.root) {
        true => Chosen::Yes,
        false if is_joined && is_cluster(resource.format) => Chosen::Joined,
        false => Chosen::No,
    };
    let cx = Cx { model: &assembled.model, sources: &plan.discovered.sources, options: &request.config.options };
    let mut judged = judge_some(cx, request.catalog, &request.selected, &chosen);
    judged.one_per_cause(request.catalog, &request.asked);
    let selected = || request.selected.iter().map(|rule| &request.catalog.rules()[*rule]);
    let whole: FxHashSet<&str> = selected().filter(|rule| is_whole(&rule.check)).map(|rule| rule.id.as_str()).collect();
    let local: FxHashSet<&str> = selected().filter(|rule| is_local(&rule.check)).map(|rule| rule.id.as_str()).collect();
    let resources = &head.assembled.model.resources;
    let cluster: FxHashSet<(&str, &str)> =
        resources.iter().filter(|one| joins(one)).map(|one| (&*one.root, &*one.address)).collect();
    let was_there = |finding: &&Finding| {
        let root = match &*finding.root {
            "" => head.discovered.sources.get(finding.at.file).path(),
            root => root,
        };
        let is_taken_over = !is_imported(finding) && !whole.contains(&*finding.rule) && !plan.touched.contains(root);
        is_taken_over
            && (local.contains(&*finding.rule) || !(is_joined && cluster.contains(&(root, &*finding.address))))
    };
    judged.findings.extend(head.judged.iter().filter(was_there).cloned());
    (assembled, judged)
}
