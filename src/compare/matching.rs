//! Findings of two runs, matched: what is new, what became worse, what was there, what is gone.
//!
//! Every finding is matched once, so that a second instance of a defect is never taken for the first. The passes go from
//! what is certain to what is likely: the same value in the same place, also after a rename or move; the same place with
//! another value; the same resource under another address.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::digest::body_digest;
use super::exposure::{is_degree, is_within, names_other_host};
use super::names::Names;
use super::subject::{Documents, Holder, Judged, Judging, Subject, holders, subjects};
use super::target::acts_on_more;
use crate::address::without_keys;
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
    /// The findings in force and those that are suppressed, which were made from this model. What they judged is not looked at yet.
    pub fn of(kept: &'a [Finding], suppressed: impl IntoIterator<Item = &'a Finding>, model: &'a Model) -> Side<'a> {
        let findings: Vec<&Finding> = kept.iter().chain(suppressed).collect();
        let suppressed = (0..findings.len()).map(|at| at >= kept.len()).collect();
        Side { findings, subjects: Vec::new(), suppressed, model }
    }

    /// Looks at what the findings judged in these texts, but for those that are paired already.
    pub fn look(
        &mut self,
        is_paired: impl Fn(usize) -> bool,
        (sources, documents): (&'a Sources, &'a Documents),
        names: &Names<'_>,
    ) {
        let wanted = self.findings.iter().enumerate().map(|(at, finding)| (!is_paired(at)).then_some(*finding));
        self.subjects = subjects(&wanted.collect::<Vec<_>>(), (self.model, documents), sources, names);
    }

    /// Takes these in too, none of which is suppressed.
    pub fn add(&mut self, findings: &'a [Finding]) {
        self.findings.extend(findings);
        self.suppressed.resize(self.findings.len(), false);
    }

    /// The documents in what the findings that are not paired yet are about.
    pub fn documents(&self, is_paired: impl Fn(usize) -> bool) -> Documents {
        let left = self.findings.iter().enumerate().filter(|(at, _)| !is_paired(*at));
        Documents::of(left.map(|(_, finding)| *finding), self.model)
    }

    /// What was judged in each attribute of each resource, by whatever rule.
    pub fn around(&self) -> FxHashMap<Attribute<'a>, Around<'a>> {
        let mut around: FxHashMap<Attribute<'_>, Around<'_>> = FxHashMap::default();
        let mut known = FxHashSet::default();
        for (at, subject) in self.subjects.iter().enumerate() {
            let Judging::Values(values) = &subject.judged else { continue };
            let around = around.entry(self.attribute(at)).or_default();
            for one in values.iter().filter(|one| known.insert((self.attribute(at), std::ptr::from_ref(one.node)))) {
                around.judged.push(*one);
                around.rules.extend(one.rule.map(|(_, hash)| hash));
            }
        }
        around
    }

    /// The attribute that a finding judged.
    pub fn attribute(&self, at: usize) -> Attribute<'a> {
        let one = self.findings[at];
        (&*one.root, &*one.address, &*one.attribute)
    }
}

/// An attribute by the root and the address of its resource.
pub(super) type Attribute<'a> = (&'a str, &'a str, &'a str);

/// What was judged in one attribute.
#[derive(Default)]
pub(super) struct Around<'a> {
    judged: Vec<Judged<'a>>,
    /// Hashes of the rules around.
    rules: FxHashSet<u64>,
}

/// Roots and paths of the base under their names after the change.
pub(super) type Renames = FxHashMap<String, String>;

/// For each finding of the head the one of the base that is just so, where the change touches nothing.
pub(super) fn identical(base: &Side<'_>, head: &Side<'_>, is_untouched: impl Fn(&Finding) -> bool) -> Pairs {
    let key = |side: &Side<'_>, at: usize| {
        let one = side.findings[at];
        let place = (one.at, one.judged, one.scope, one.root.clone());
        let says = (one.rule.clone(), one.address.clone(), one.attribute.clone(), one.message.clone());
        let degree = (one.severity, one.possible, one.environments.clone(), side.suppressed[at]);
        is_untouched(one).then_some((place, says, degree))
    };
    let mut pairs = Pairs { of_head: vec![None; head.findings.len()], taken: vec![false; base.findings.len()] };
    pairs.pass(|at| key(base, at), |at| key(head, at));
    pairs
}

/// For each finding of the head the one of the base that it was, if any.
pub(super) fn pair(
    mut pairs: Pairs,
    base: &Side<'_>,
    head: &Side<'_>,
    renames: &Renames,
    names: &Names<'_>,
) -> Vec<Option<usize>> {
    let renamed = |root: &Arc<str>| renames.get(&**root).map_or_else(|| root.clone(), |new| Arc::from(new.as_str()));
    let base_root: Vec<Arc<str>> = base.subjects.iter().map(|one| renamed(&one.root)).collect();
    let moves = Moves::of(base.model, head.model, renamed);
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
    // A container that got another name and nothing else: the old name is gone, and the new one was not there.
    let left = (0..base.findings.len()).filter(|at| !pairs.taken[*at]);
    let before = holders_of(base, left, |at| (&base_root[at], &base_address[at]));
    let left = (0..head.findings.len()).filter(|at| pairs.of_head[*at].is_none());
    let after = holders_of(head, left, |at| (&head.subjects[at].root, &head.findings[at].address));
    let rest = |side: &Side<'_>, at: usize, other: Option<&FxHashSet<u64>>| {
        let Holder { name, rest } = side.subjects[at].within;
        (name != 0 && !other?.contains(&name)).then_some((rest, side.subjects[at].value))
    };
    pairs.pass(
        |at| Some((was(at), rest(base, at, after.get(&(was(at).1, was(at).2)))?)),
        |at| Some((is(at), rest(head, at, before.get(&(is(at).1, is(at).2)))?)),
    );
    let gone =
        Moved::find(base, head, |index| pairs.taken[index], |at| (base_root[at].clone(), base_address[at].clone()));
    let came = Moved::find(
        head,
        base,
        |index| pairs.of_head[index].is_some(),
        |at| (head.subjects[at].root.clone(), head.findings[at].address.clone()),
    );
    // A name that is also a label is the label's where the label stays.
    let body = |moved: &Moved<'_>, at: usize, with_name: bool| {
        moved.of[at].map(|resource| body_digest(resource, with_name.then_some(&*resource.name), names))
    };
    let key = |side: &Side<'_>, moved: &Moved<'_>, at: usize| {
        let one = side.findings[at];
        moved.of[at]
            .map(|resource| (one.rule.clone(), resource.kind.clone(), one.attribute.clone(), side.subjects[at].value))
    };
    // The same resource with the same values under another address; then one of the same name in the same root, in the module
    // that it was in, or in one around or below it. One of its kind alone may be another one: then it is new.
    for with_name in [true, false] {
        pairs.pass(
            |at| Some((key(base, &gone, at)?, body(&gone, at, with_name)?)),
            |at| Some((key(head, &came, at)?, body(&came, at, with_name)?)),
        );
    }
    for (of_base, of_head) in WRAPPINGS {
        let named = |resource: &Resource, part: Part| Some((resource.name.clone(), modules(resource, part)?));
        pairs.pass(
            |at| Some((key(base, &gone, at)?, named(gone.of[at]?, of_base)?, &base_root[at])),
            |at| Some((key(head, &came, at)?, named(came.of[at]?, of_head)?, &head.subjects[at].root)),
        );
    }
    // An object of a cluster is itself in whatever file or build it is, if it left one and came to another.
    let object = |side: &Side<'_>, moved: &Moved<'_>, at: usize| {
        let one = side.findings[at];
        let is_object = moved.of[at].is_some_and(|resource| resource.format == "kubernetes");
        is_object.then(|| (one.rule.clone(), one.address.clone(), one.attribute.clone(), holder(side, at)))
    };
    let value = |side: &Side<'_>, at: usize| (side.subjects[at].value, side.subjects[at].rule);
    pairs.pass(
        |at| Some((object(base, &gone, at)?, value(base, at))),
        |at| Some((object(head, &came, at)?, value(head, at))),
    );
    pairs.pass(
        |at| object(base, &gone, at).filter(|_| !base.findings[at].sensitive),
        |at| object(head, &came, at).filter(|_| !head.findings[at].sensitive),
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
    // Another rule may speak of it there. What gets into an image is given to others than those who have the repository.
    let anywhere = |side: &Side<'_>, at: usize| {
        let one = side.findings[at];
        let is_of_image = || side.model.dockerfiles.iter().any(|file| file.file == one.judged.file);
        (one.sensitive && !is_of_image()).then(|| side.subjects[at].value)
    };
    pairs.pass(|at| anywhere(base, at), |at| anywhere(head, at));
    pairs.of_head
}

/// The names of the elements of lists in the resources that these findings are about, by root and address.
fn holders_of<'k>(
    side: &Side<'_>,
    findings: impl Iterator<Item = usize>,
    place: impl Fn(usize) -> (&'k Arc<str>, &'k Arc<str>),
) -> FxHashMap<(&'k Arc<str>, &'k Arc<str>), FxHashSet<u64>> {
    let mut all = FxHashMap::default();
    for at in findings.filter(|at| side.subjects[*at].within.name != 0) {
        if let Some(resource) = side.subjects[at].resource {
            all.entry(place(at)).or_insert_with(|| holders(resource));
        }
    }
    all
}

fn is_stage(side: &Side<'_>, at: usize) -> bool {
    side.subjects[at].resource.is_some_and(|resource| resource.format == "dockerfile")
}

/// Which part of the path of module calls counts.
#[derive(Clone, Copy)]
enum Part {
    All,
    /// Without the outermost.
    Inner,
    /// Without the innermost.
    Outer,
}

/// The parts of base and head that are the same: the module, one that a call was put around or taken off, and one whose blocks were
/// put into a module or taken out.
const WRAPPINGS: [(Part, Part); 5] = [
    (Part::All, Part::All),
    (Part::All, Part::Inner),
    (Part::Inner, Part::All),
    (Part::All, Part::Outer),
    (Part::Outer, Part::All),
];

/// The calls on the way to a resource, without keys; none where there is none to leave out.
fn modules(resource: &Resource, part: Part) -> Option<String> {
    let address = without_keys(resource.calls.last().map_or("", |call| &*call.address));
    // `module.net.module.zone`
    let mut calls: Vec<&str> = address.split('.').skip(1).step_by(2).collect();
    match part {
        Part::All => {}
        Part::Inner => drop((!calls.is_empty()).then(|| calls.remove(0))?),
        Part::Outer => drop(calls.pop()?),
    }
    Some(calls.join("."))
}

/// How a finding stands to what it was; `around` is what was judged in the same attribute of the same resource.
pub(super) fn status(
    (before, was): (&Finding, &Subject<'_>),
    (now, is): (&Finding, &Subject<'_>),
    around: Option<&Around<'_>>,
    names: &Names<'_>,
) -> Status {
    let is_surer = before.possible && !now.possible;
    // Without a name a finding holds in all environments.
    let holds = |name| before.environments.is_empty() || before.environments.contains(name);
    let is_elsewhere =
        !before.environments.is_empty() && now.environments.is_empty() || !now.environments.iter().all(holds);
    // Of two rules one may take the same secret for a graver one than the other.
    let is_graver = now.severity > before.severity && (now.rule == before.rule || !now.sensitive);
    let is_wider = || match (before.lacks, now.lacks) {
        (0, 0) => is_wider(was, now, is, around, names),
        (before, now) => now & !before != 0,
    };
    if is_graver || is_surer || is_elsewhere || is_wider() { Status::Worse } else { Status::Old }
}

/// Whether what is judged now opens something that it did not.
fn is_wider(
    was: &Subject<'_>,
    now: &Finding,
    is: &Subject<'_>,
    around: Option<&Around<'_>>,
    names: &Names<'_>,
) -> bool {
    if was.target != is.target
        && let (Some(was), Some(is)) = (was.resource, is.resource)
        && was.kind == is.kind
        && acts_on_more(is, was, names)
    {
        return true;
    }
    if (was.value, was.rule) == (is.value, is.rule) {
        return false;
    }
    match (&was.judged, &is.judged) {
        (Judging::Values(_), Judging::Values(is)) => {
            let Some(Around { judged: was, rules: known }) = around else { return true };
            is.iter().any(|one| match one.rule {
                Some((_, hash)) if known.contains(&hash) => false,
                // A document may be a text on one side and a structure on the other.
                rule if rule.is_none() != known.is_empty() => {
                    !was.iter().any(|old| is_within(one.whole, old.whole, names))
                }
                Some((rule, _)) => !was.iter().any(|old| old.rule.is_some_and(|(old, _)| is_within(rule, old, names))),
                None => {
                    // Style and hardening are wrong by degrees, and so are versions.
                    let is_low = now.severity <= Severity::Low;
                    let is_degree = one.node.items().is_empty() && (is_low || is_degree(&now.attribute, one.node));
                    !is_degree && !was.iter().any(|old| is_within(one.node, old.node, names))
                }
            })
        }
        (Judging::Text(was), Judging::Text(is)) => names_other_host(is, was),
        _ => false,
    }
}

/// What went on under another address, as `moved` blocks of the head say.
struct Moves<'a> {
    by_root: FxHashMap<&'a str, Vec<&'a Move>>,
    /// Roots and addresses of the base, the roots under their names in the head.
    base: FxHashSet<(Arc<str>, &'a str)>,
    head: FxHashSet<(&'a str, &'a str)>,
}

impl<'a> Moves<'a> {
    fn of(base: &'a Model, head: &'a Model, renamed: impl Fn(&Arc<str>) -> Arc<str>) -> Moves<'a> {
        let mut by_root: FxHashMap<&str, Vec<&Move>> = FxHashMap::default();
        head.moves.iter().for_each(|one| by_root.entry(&one.root).or_default().push(one));
        if by_root.is_empty() {
            return Moves { by_root, base: FxHashSet::default(), head: FxHashSet::default() };
        }
        Moves {
            by_root,
            base: base.resources.iter().map(|one| (renamed(&one.root), &*one.address)).collect(),
            head: head.resources.iter().map(|one| (&*one.root, &*one.address)).collect(),
        }
    }

    /// The address in the head. What is still there has not moved, and nothing moves onto what was there.
    fn now(&self, root: &Arc<str>, address: &Arc<str>) -> Arc<str> {
        let Some(moves) = self.by_root.get(&**root) else { return address.clone() };
        let mut now = address.clone();
        let mut left: Vec<&Move> = moves.clone();
        // One may go on where another ended; none goes on where it ended itself, as one from `web` to `web[0]`.
        loop {
            let next = left.iter().enumerate().find_map(|(at, one)| {
                let rest = now.strip_prefix(&*one.from)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then(|| (at, format!("{}{rest}", one.to)))
            });
            let Some((at, next)) = next else { break };
            left.remove(at);
            now = next.into();
        }
        let is_taken = self.head.contains(&(&**root, &**address)) || self.base.contains(&(root.clone(), &*now));
        if is_taken { address.clone() } else { now }
    }
}

/// Findings that are paired.
pub(super) struct Pairs {
    /// For each of the head the one of the base.
    pub of_head: Vec<Option<usize>>,
    /// Whether each of the base is paired.
    pub taken: Vec<bool>,
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
