//! Findings of two runs, matched: what is new, what became worse, what was there, what is gone.
//!
//! Every finding is matched once, so that a second instance of a defect is never taken for the first. The passes go from
//! what is certain to what is likely: the same place; the same place after a rename or move; the same place with another
//! value; the same resource under another address.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::subject::{Subject, digest};
use crate::finding::{Finding, Status};
use crate::model::{Model, Resource};

/// One side of a comparison.
pub(super) struct Side<'a> {
    pub findings: Vec<&'a Finding>,
    /// What each judged.
    pub subjects: Vec<Subject<'a>>,
    /// Whether each is suppressed on its side.
    pub suppressed: Vec<bool>,
    pub model: &'a Model,
}

/// Roots and paths of the base under their names after the change.
pub(super) type Renames = FxHashMap<String, String>;

/// For each finding of the head the one of the base that it was, if any.
pub(super) fn pair(base: &Side<'_>, head: &Side<'_>, renames: &Renames) -> Vec<Option<usize>> {
    let mut pairs = Pairs { of_head: vec![None; head.findings.len()], taken: vec![false; base.findings.len()] };
    let renamed = |root: &Arc<str>| renames.get(&**root).map_or_else(|| root.clone(), |new| Arc::from(new.as_str()));
    let base_root: Vec<Arc<str>> = base.subjects.iter().map(|one| renamed(&one.root)).collect();
    // What is suppressed on both sides is matched before what is on one only.
    for by_state in [true, false] {
        let state = |side: &Side<'_>, index: usize| by_state && side.suppressed[index];
        pairs.pass(
            |at| {
                let one = base.findings[at];
                Some((
                    state(base, at),
                    &one.rule,
                    &base_root[at],
                    &one.address,
                    &one.attribute,
                    base.subjects[at].value,
                ))
            },
            |at| {
                let one = head.findings[at];
                let subject = &head.subjects[at];
                Some((state(head, at), &one.rule, &subject.root, &one.address, &one.attribute, subject.value))
            },
        );
    }
    // Another value in the same place. Another secret is another finding.
    pairs.pass(
        |at| {
            let one = base.findings[at];
            (!one.sensitive).then_some((&one.rule, &base_root[at], &one.address, &one.attribute))
        },
        |at| {
            let one = head.findings[at];
            (!one.sensitive).then_some((&one.rule, &head.subjects[at].root, &one.address, &one.attribute))
        },
    );
    let gone = Moved::find(base, head, |index| pairs.taken[index], renames);
    let came = Moved::find(head, base, |index| pairs.of_head[index].is_some(), &FxHashMap::default());
    let body = |moved: &Moved<'_>, at: usize| moved.of[at].map(|resource| digest(&resource.body));
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
    // A secret in a text that went elsewhere.
    pairs.pass(
        |at| base.findings[at].sensitive.then_some((&base.findings[at].rule, base.subjects[at].value)),
        |at| head.findings[at].sensitive.then_some((&head.findings[at].rule, head.subjects[at].value)),
    );
    pairs.of_head
}

/// How a finding stands to what it was.
pub(super) fn status((before, was): (&Finding, &Subject<'_>), (now, is): (&Finding, &Subject<'_>)) -> Status {
    let is_wider = is.reach > was.reach;
    // Of values that no addresses measure, a list with another element says more than it did.
    let has_more =
        is.reach == 0.0 && !was.parts.is_empty() && is.parts.iter().any(|part| was.parts.binary_search(part).is_err());
    let is_surer = before.possible && !now.possible;
    if now.severity > before.severity || is_wider || has_more || is_surer { Status::Worse } else { Status::Old }
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
    fn find(side: &Side<'a>, other: &Side<'_>, is_matched: impl Fn(usize) -> bool, renames: &Renames) -> Moved<'a> {
        let left: Vec<usize> = (0..side.findings.len()).filter(|at| !is_matched(*at)).collect();
        let mut of = vec![None; side.findings.len()];
        if left.is_empty() {
            return Moved { of };
        }
        let there: FxHashSet<(&str, &str)> =
            other.model.resources.iter().map(|resource| (&*resource.root, &*resource.address)).collect();
        for at in left {
            let subject = &side.subjects[at];
            let root = renames.get(&*subject.root).map_or(&*subject.root, String::as_str);
            of[at] = subject.resource.filter(|resource| !there.contains(&(root, &*resource.address)));
        }
        Moved { of }
    }
}
