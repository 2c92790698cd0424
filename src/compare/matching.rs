//! Findings of two runs, matched: what is new, what became worse, what was there, what is gone.
//!
//! Every finding is matched once, so that a second instance of a defect is never taken for the first. The passes go from
//! what is certain to what is likely: the same value in the same place, also after a rename or move; the same place with
//! another value; the same resource under another address.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::exposure::{is_degree, is_within, names_other_host};
use super::subject::{Judging, Subject, body_digest, subjects};
use crate::finding::{Finding, Severity, Status};
use crate::model::{Model, Move, Resource};
use crate::source::Sources;

/// One side of a comparison.
pub(super) struct Side<'a> {
    pub findings: Vec<&'a Finding>,
    /// What each judged.
    pub subjects: Vec<Subject<'a>>,
    /// Whether each is suppressed on its side.
    pub suppressed: Vec<bool>,
    pub model: &'a Model,
}

impl<'a> Side<'a> {
    /// The findings in force and those that are suppressed, which were made from this model and these texts.
    pub fn of(
        kept: &'a [Finding],
        suppressed: impl IntoIterator<Item = &'a Finding>,
        model: &'a Model,
        sources: &'a Sources,
    ) -> Side<'a> {
        let findings: Vec<&Finding> = kept.iter().chain(suppressed).collect();
        Side {
            subjects: subjects(&findings, model, sources),
            suppressed: (0..findings.len()).map(|at| at >= kept.len()).collect(),
            findings,
            model,
        }
    }
}

/// Roots and paths of the base under their names after the change.
pub(super) type Renames = FxHashMap<String, String>;

/// For each finding of the head the one of the base that it was, if any.
pub(super) fn pair(base: &Side<'_>, head: &Side<'_>, renames: &Renames) -> Vec<Option<usize>> {
    let mut pairs = Pairs { of_head: vec![None; head.findings.len()], taken: vec![false; base.findings.len()] };
    let renamed = |root: &Arc<str>| renames.get(&**root).map_or_else(|| root.clone(), |new| Arc::from(new.as_str()));
    let base_root: Vec<Arc<str>> = base.subjects.iter().map(|one| renamed(&one.root)).collect();
    let moves = Moves::of(head.model);
    let moved = base.findings.iter().zip(&base_root).map(|(one, root)| moves.now(root, &one.address));
    let base_address: Vec<Arc<str>> = moved.collect();
    // The rule, the root, the resource and the attribute.
    type Place<'k> = (&'k Arc<str>, &'k Arc<str>, &'k Arc<str>, &'k str);
    let was = |at: usize| -> Place<'_> {
        (&base.findings[at].rule, &base_root[at], &base_address[at], &base.findings[at].attribute)
    };
    let is = |at: usize| -> Place<'_> {
        let one = head.findings[at];
        (&one.rule, &head.subjects[at].root, &one.address, &one.attribute)
    };
    // What is suppressed on both sides is matched before what is on one only.
    for by_state in [true, false] {
        let key = |side: &Side<'_>, at: usize| {
            let subject = &side.subjects[at];
            (by_state && side.suppressed[at], subject.within.name, subject.value, subject.rule)
        };
        pairs.pass(|at| Some((was(at), key(base, at))), |at| Some((is(at), key(head, at))));
    }
    // Stages are counted: another one before them gives them other names.
    pairs.pass(
        |at| is_stage(base, at).then(|| (was(at).0, was(at).1, was(at).3, base.subjects[at].value)),
        |at| is_stage(head, at).then(|| (is(at).0, is(at).1, is(at).3, head.subjects[at].value)),
    );
    // Another rule around the same value; then another value in the same place. Another secret is another finding.
    let holder = |side: &Side<'_>, at: usize| side.subjects[at].within.name;
    pairs.pass(
        |at| Some((was(at), holder(base, at), base.subjects[at].value)),
        |at| Some((is(at), holder(head, at), head.subjects[at].value)),
    );
    pairs.pass(
        |at| (!base.findings[at].sensitive).then(|| (was(at), holder(base, at))),
        |at| (!head.findings[at].sensitive).then(|| (is(at), holder(head, at))),
    );
    // A container that got another name and nothing else.
    let rest = |side: &Side<'_>, at: usize| {
        let subject = &side.subjects[at];
        (subject.within.name != 0).then_some((subject.within.rest, subject.value))
    };
    pairs.pass(|at| Some((was(at), rest(base, at)?)), |at| Some((is(at), rest(head, at)?)));
    let gone =
        Moved::find(base, head, |index| pairs.taken[index], |at| (base_root[at].clone(), base_address[at].clone()));
    let came = Moved::find(
        head,
        base,
        |index| pairs.of_head[index].is_some(),
        |at| (head.subjects[at].root.clone(), head.findings[at].address.clone()),
    );
    let body = |moved: &Moved<'_>, at: usize| moved.of[at].map(body_digest);
    let key = |side: &Side<'_>, moved: &Moved<'_>, at: usize| {
        let one = side.findings[at];
        moved.of[at]
            .map(|resource| (one.rule.clone(), resource.kind.clone(), one.attribute.clone(), side.subjects[at].value))
    };
    // The same resource with the same values under another address; then one of the same name in the same root. One of its kind
    // alone may be another one: then it is new.
    pairs.pass(
        |at| Some((key(base, &gone, at)?, body(&gone, at)?)),
        |at| Some((key(head, &came, at)?, body(&came, at)?)),
    );
    pairs.pass(
        |at| Some((key(base, &gone, at)?, gone.of[at]?.name.clone(), &base_root[at])),
        |at| Some((key(head, &came, at)?, came.of[at]?.name.clone(), &head.subjects[at].root)),
    );
    // An object of a cluster is itself in whatever file or build it is.
    let object = |side: &Side<'_>, at: usize| {
        let one = side.findings[at];
        let is_object = side.subjects[at].resource.is_some_and(|resource| resource.format == "kubernetes");
        is_object.then(|| (one.rule.clone(), one.address.clone(), one.attribute.clone(), holder(side, at)))
    };
    let value = |side: &Side<'_>, at: usize| (side.subjects[at].value, side.subjects[at].rule);
    pairs.pass(|at| Some((object(base, at)?, value(base, at))), |at| Some((object(head, at)?, value(head, at))));
    pairs.pass(
        |at| object(base, at).filter(|_| !base.findings[at].sensitive),
        |at| object(head, at).filter(|_| !head.findings[at].sensitive),
    );
    // A root that is gone gave way to one that came, where both make of a text that did not change what they make: a module whose
    // last example goes stands for itself.
    let roots_of_head: FxHashSet<&str> = head.model.resources.iter().map(|one| &*one.root).collect();
    let roots_of_base: FxHashSet<Arc<str>> = base.model.resources.iter().map(|one| renamed(&one.root)).collect();
    let place = |side: &Side<'_>, at: usize| {
        let one = side.findings[at];
        Some((one.rule.clone(), one.scope?, one.judged, one.attribute.clone(), value(side, at)))
    };
    pairs.pass(
        |at| place(base, at).filter(|_| !roots_of_head.contains(&*base_root[at])),
        |at| place(head, at).filter(|_| !roots_of_base.contains(&head.subjects[at].root)),
    );
    // The last stage is the image, whatever the stages before it are called and built from.
    let image = |side: &Side<'_>, at: usize| {
        let is_image = side.subjects[at].resource.is_some_and(|one| one.body.get("final").as_bool() == Some(true));
        let one = side.findings[at];
        (is_image && is_stage(side, at) && one.attribute == "user").then(|| one.rule.clone())
    };
    pairs.pass(|at| Some((image(base, at)?, &base_root[at])), |at| Some((image(head, at)?, &head.subjects[at].root)));
    // A secret in a text that went elsewhere.
    pairs.pass(
        |at| base.findings[at].sensitive.then_some((&base.findings[at].rule, base.subjects[at].value)),
        |at| head.findings[at].sensitive.then_some((&head.findings[at].rule, head.subjects[at].value)),
    );
    pairs.of_head
}

fn is_stage(side: &Side<'_>, at: usize) -> bool {
    side.subjects[at].resource.is_some_and(|resource| resource.format == "dockerfile")
}

/// How a finding stands to what it was.
pub(super) fn status((before, was): (&Finding, &Subject<'_>), (now, is): (&Finding, &Subject<'_>)) -> Status {
    let is_surer = before.possible && !now.possible;
    // Without a name a finding holds in all environments.
    let holds = |name| before.environments.is_empty() || before.environments.contains(name);
    let is_elsewhere =
        !before.environments.is_empty() && now.environments.is_empty() || !now.environments.iter().all(holds);
    if now.severity > before.severity || is_wider(was, now, is) || is_surer || is_elsewhere {
        Status::Worse
    } else {
        Status::Old
    }
}

/// Whether what is judged now opens something that it did not.
fn is_wider(was: &Subject<'_>, now: &Finding, is: &Subject<'_>) -> bool {
    if (was.value, was.rule) == (is.value, is.rule) {
        return false;
    }
    match (&was.judged, &is.judged) {
        (Judging::Value(_, Some(was)), Judging::Value(_, Some(is))) => !is_within(is, was),
        (Judging::Value(was, _), Judging::Value(is, _)) => {
            // Style and hardening are wrong by degrees, and so are versions.
            let is_degree = is.items().is_empty() && (now.severity <= Severity::Low || is_degree(&now.attribute, is));
            !is_degree && !is_within(is, was)
        }
        (Judging::Text(was), Judging::Text(is)) => names_other_host(is, was),
        _ => false,
    }
}

/// What went on under another address, as `moved` blocks of the head say.
struct Moves<'a>(FxHashMap<&'a str, Vec<&'a Move>>);

impl<'a> Moves<'a> {
    fn of(model: &'a Model) -> Moves<'a> {
        let mut moves: FxHashMap<&str, Vec<&Move>> = FxHashMap::default();
        model.moves.iter().for_each(|one| moves.entry(&one.root).or_default().push(one));
        Moves(moves)
    }

    /// The address in the head.
    fn now(&self, root: &str, address: &Arc<str>) -> Arc<str> {
        let Some(moves) = self.0.get(root) else { return address.clone() };
        let mut address = address.clone();
        // One may go on where another ended; a circle is refused by terraform.
        for _ in 0..=moves.len() {
            let next = moves.iter().find_map(|one| {
                let rest = address.strip_prefix(&*one.from)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{}{rest}", one.to))
            });
            match next {
                Some(next) => address = next.into(),
                None => break,
            }
        }
        address
    }
}

struct Pairs {
    of_head: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Pairs {
    /// Pairs what is left on both sides by a key, in order.
    fn pass<K: Eq + Hash>(&mut self, base_key: impl Fn(usize) -> Option<K>, head_key: impl Fn(usize) -> Option<K>) {
        if self.of_head.iter().all(Option::is_some) || self.taken.iter().all(|taken| *taken) {
            return;
        }
        let mut left: FxHashMap<K, std::collections::VecDeque<usize>> = FxHashMap::default();
        for at in (0..self.taken.len()).filter(|at| !self.taken[*at]) {
            if let Some(key) = base_key(at) {
                left.entry(key).or_default().push_back(at);
            }
        }
        for at in 0..self.of_head.len() {
            if self.of_head[at].is_some() {
                continue;
            }
            let before = head_key(at).and_then(|key| left.get_mut(&key)?.pop_front());
            if let Some(before) = before {
                self.of_head[at] = Some(before);
                self.taken[before] = true;
            }
        }
    }
}

/// The resources of unmatched findings that the other side does not have.
struct Moved<'a> {
    of: Vec<Option<&'a Resource>>,
}

impl<'a> Moved<'a> {
    /// `place` tells root and address under the names of the other side.
    fn find(
        side: &Side<'a>,
        other: &Side<'_>,
        is_matched: impl Fn(usize) -> bool,
        place: impl Fn(usize) -> (Arc<str>, Arc<str>),
    ) -> Moved<'a> {
        let left: Vec<usize> = (0..side.findings.len()).filter(|at| !is_matched(*at)).collect();
        let mut of = vec![None; side.findings.len()];
        if left.is_empty() {
            return Moved { of };
        }
        let there: FxHashSet<(&str, &str)> =
            other.model.resources.iter().map(|resource| (&*resource.root, &*resource.address)).collect();
        for at in left {
            let (root, address) = place(at);
            of[at] = side.subjects[at].resource.filter(|_| !there.contains(&(&*root, &*address)));
        }
        Moved { of }
    }
}
