//! What findings judged, free of places and names, so that the same finding is known again where text has moved.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::digest::{digest, digest_of_element, joined};
use super::exposure::{last_key, read};
use super::names::Names;
use super::target::target_digest;
use crate::finding::Finding;
use crate::model::dockerfile::Dockerfile;
use crate::model::view::rule::is_rule;
use crate::model::{Lookup, Model, Node, Resource, Value};
use crate::source::{FileId, Sources, Span};

/// What one finding judged.
pub(super) struct Subject<'a> {
    /// The resource, if it is about one.
    pub resource: Option<&'a Resource>,
    /// The root of the resource; the path of the file where there is none.
    pub root: Arc<str>,
    /// The element of the resource that holds it: a container by its name.
    pub within: Holder,
    /// A hash of the value, or of the text where no value stands; 0 for what is missing.
    pub value: u64,
    /// A hash of the rules around the value: two rules may open the same addresses to different ports.
    pub rule: u64,
    /// A hash of what the resource acts on.
    pub target: u64,
    /// What it is.
    pub judged: Judging<'a>,
}

impl Subject<'_> {
    fn unseen(root: Arc<str>) -> Self {
        let judged = Judging::Missing;
        Subject { resource: None, root, within: Holder::default(), value: 0, rule: 0, target: 0, judged }
    }
}

/// What stands where a finding points.
pub(super) enum Judging<'a> {
    /// A value, or several where one text makes them: a block for each element, an alias.
    Values(Rc<[Judged<'a>]>),
    /// A text, such as an instruction of a Dockerfile, and what the variables in it stand for.
    Text(Cow<'a, str>),
    /// Nothing: something is missing there.
    Missing,
}

/// A value that was judged.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub node: &'a Node,
    /// The innermost rule around it, if it is in one, with its hash.
    pub rule: Option<(&'a Node, u64)>,
    /// The attribute of the resource in which it is, as a whole.
    pub whole: &'a Node,
}

/// A named element of a list, such as a container, with those around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    /// A hash of its name and those around it; 0 for none.
    pub name: u64,
    /// A hash of it without its name.
    pub rest: u64,
}

/// What these findings judged, in their order; nothing for those that are left out.
pub(super) fn subjects<'a, 'f>(
    findings: &[Option<&'f Finding>],
    model: &'a Model,
    sources: &'a Sources,
    names: &Names<'_>,
) -> Vec<Subject<'a>> {
    let mut owners: FxHashMap<(&str, &str, Span), &Resource> = FxHashMap::default();
    for resource in &model.resources {
        owners.entry((&*resource.root, &*resource.address, resource.span)).or_insert(resource);
    }
    let mut values: FxHashMap<*const Resource, Values<'_>> = FxHashMap::default();
    let dockerfiles: FxHashMap<FileId, &Dockerfile> =
        model.dockerfiles.iter().map(|dockerfile| (dockerfile.file, &**dockerfile)).collect();
    let owner = |finding: &Finding| {
        let scope = finding.scope?;
        owners.get(&(&*finding.root, &*finding.address, scope)).copied()
    };
    // How often a rule speaks of one place: of as many values as stand there it speaks of each.
    let mut counts: FxHashMap<Spot<'_>, usize> = FxHashMap::default();
    for finding in findings.iter().flatten() {
        *counts.entry((&*finding.rule, owner(finding).map(std::ptr::from_ref), finding.judged)).or_default() += 1;
    }
    let mut told: FxHashMap<Spot<'_>, usize> = FxHashMap::default();
    let nowhere: Arc<str> = "".into();
    let mut shared: FxHashMap<(*const Resource, Span, &str), Rc<Shared<'_>>> = FxHashMap::default();
    let subject = |finding: &Option<&'f Finding>| {
        let Some(finding) = finding else { return Subject::unseen(nowhere.clone()) };
        let owner = owner(finding);
        let place = owner.and_then(|owner| {
            let (resource, key) = (std::ptr::from_ref(owner), last_key(&finding.attribute));
            let values = values.entry(resource).or_insert_with(|| Values::of(&owner.body, names));
            let find = || Rc::new(Shared::of(&values.at(finding.judged, key), names));
            let shared = shared.entry((resource, finding.judged, key)).or_insert_with(find).clone();
            let spot = (&*finding.rule, Some(resource), finding.judged);
            let number = told.entry(spot).or_default();
            *number += 1;
            let one = shared.each.get(*number - 1).filter(|_| counts[&spot] == shared.each.len());
            one.or(shared.all.as_ref()).cloned()
        });
        let root = owner.map_or_else(|| sources.get(finding.at.file).path().into(), |owner| owner.root.clone());
        let is_script = owner.is_none_or(|owner| owner.format == "dockerfile");
        let within = place.as_ref().map(|place| place.holder).unwrap_or_default();
        let (judged, value, rule) = match place {
            // What is missing is told at the block that should have it.
            Some(place) if place.lacks(&finding.attribute) => (Judging::Missing, 0, 0),
            Some(place) => (Judging::Values(place.judged), place.value, place.rule),
            None if is_script => {
                let dockerfile = dockerfiles.get(&finding.judged.file).copied();
                let text = with_variables(sources.slice(finding.judged), dockerfile);
                let value = text_digest(&text);
                (Judging::Text(text), value, 0)
            }
            // The header of a resource or a block in it.
            None => (Judging::Missing, 0, 0),
        };
        let target = owner.map_or(0, |owner| target_digest(owner, names));
        Subject { resource: owner, root, within, value, rule, target, judged }
    };
    findings.iter().map(subject).collect()
}

/// An instruction with the values of the variables that it names: another value may fetch from elsewhere.
fn with_variables<'a>(text: &'a str, dockerfile: Option<&Dockerfile>) -> Cow<'a, str> {
    let Some(dockerfile) = dockerfile.filter(|_| text.contains('$')) else { return Cow::Borrowed(text) };
    let is_named = |name: &str| {
        let mut after = text.match_indices('$').map(|(at, _)| text[at + 1..].trim_start_matches('{'));
        let is_end = |char: char| !char.is_ascii_alphanumeric() && char != '_';
        after.any(|after| after.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(is_end)))
    };
    let pairs = dockerfile.instructions.iter().flat_map(|one| one.pairs());
    let values = pairs.filter_map(|(name, value)| value.as_ref().filter(|_| is_named(&name.text)));
    let values: Vec<&str> = values.map(|value| value.text.as_str()).collect();
    match values.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{text} {}", values.join(" "))),
    }
}

/// A hash of a text: blanks, continued lines and the name of a stage don't count.
fn text_digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut words = text.split_whitespace().filter(|word| !matches!(*word, "\\" | "`")).peekable();
    let is_stage = words.peek().is_some_and(|word| word.eq_ignore_ascii_case("from"));
    while let Some(word) = words.next() {
        if is_stage && word.eq_ignore_ascii_case("as") {
            words.next();
            continue;
        }
        word.hash(&mut hasher);
    }
    hasher.finish()
}

/// A value where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    judged: Judged<'a>,
    /// The key that has it, or the list that it is in.
    key: &'a str,
    holder: Holder,
    /// Whether something in it stands at the same place.
    is_covered: bool,
}

impl Place<'_> {
    /// Whether this is a block or an object of which an attribute was judged that it does not have.
    fn lacks(&self, attribute: &str) -> bool {
        // Objects and containers are told by the line of their name.
        let is_block = !self.judged.node.entries().is_empty() || self.key == "name";
        let is_whole = attribute.is_empty() && !self.judged.node.entries().is_empty();
        is_whole || is_block && self.judged.rule.is_none() && self.key != last_key(attribute)
    }
}

/// A rule, a resource and a place in it.
type Spot<'a> = (&'a str, Option<*const Resource>, Span);

/// All that stands at one place.
struct Shared<'a> {
    each: Vec<Stand<'a>>,
    /// All as one, where a finding may be of any of them.
    all: Option<Stand<'a>>,
}

/// What stands at one place, or one of that.
#[derive(Clone)]
struct Stand<'a> {
    first: Place<'a>,
    holder: Holder,
    judged: Rc<[Judged<'a>]>,
    value: u64,
    rule: u64,
}

impl<'a> Shared<'a> {
    fn of(places: &[Place<'a>], names: &Names<'_>) -> Shared<'a> {
        let each = places.iter().filter_map(|place| Stand::of(std::slice::from_ref(place), names)).collect();
        Shared { each, all: Stand::of(places, names) }
    }
}

impl<'a> Stand<'a> {
    fn of(places: &[Place<'a>], names: &Names<'_>) -> Option<Stand<'a>> {
        Some(Stand {
            first: *places.first()?,
            holder: Holder::of_all(places),
            judged: places.iter().map(|place| place.judged).collect(),
            value: joined(places.iter().map(|place| digest(&read(place.judged.node), names))),
            rule: joined(places.iter().filter_map(|place| Some(place.judged.rule?.1))),
        })
    }

    fn lacks(&self, attribute: &str) -> bool {
        self.first.lacks(attribute)
    }
}

/// The values of a resource with where they stand, in that order; the innermost of those in one place.
struct Values<'a>(Vec<(Span, Place<'a>)>);

impl<'a> Values<'a> {
    fn of(body: &'a Node, names: &Names<'_>) -> Values<'a> {
        let judged = Judged { node: body, rule: None, whole: body };
        let root = Place { judged, key: "", holder: Holder::default(), is_covered: false };
        let mut values: Vec<(Span, Place<'_>)> = Vec::new();
        let mut open = vec![(root, None)];
        while let Some((mut place, parent)) = open.pop() {
            let node = place.judged.node;
            if let Some(parent) = parent.filter(|parent: &usize| values[*parent].0 == node.span) {
                values[parent].1.is_covered = true;
            }
            if is_rule(node) {
                place.judged.rule = Some((node, digest(node, names)));
            }
            let own = Some(values.len());
            values.push((node.span, place));
            let with = |node| Place { judged: Judged { node, ..place.judged }, ..place };
            open.extend(node.structure.as_deref().map(|node| (with(node), own)));
            open.extend(node.entries().iter().map(|entry| {
                let mut inner = Place { key: &entry.key, ..with(&entry.node) };
                if parent.is_none() {
                    inner.judged.whole = &entry.node;
                }
                (inner, own)
            }));
            let element = |node| (Place { holder: place.holder.of(node, names), ..with(node) }, own);
            open.extend(node.items().iter().map(element));
        }
        values.retain(|(_, place)| !place.is_covered);
        values.sort_by_key(|(span, _)| *span);
        Values(values)
    }

    /// What stands at a place under this key; under another one if nothing does.
    fn at(&self, span: Span, key: &str) -> Vec<Place<'a>> {
        let from = self.0.partition_point(|(other, _)| *other < span);
        let there = self.0[from..].iter().take_while(|(other, _)| *other == span).map(|(_, place)| place);
        let is_there = there.clone().any(|place| place.key == key);
        let other = there.clone().last().map_or("", |place| place.key);
        there.filter(|place| place.key == if is_there { key } else { other }).copied().collect()
    }
}

impl Holder {
    /// The holder of what is in an element of a list.
    fn of(self, element: &Node, names: &Names<'_>) -> Holder {
        let Lookup::Known(Node { value: Value::String(name), .. }) = element.get("name") else { return self };
        let mut hasher = DefaultHasher::new();
        (self.name, name).hash(&mut hasher);
        Holder { name: hasher.finish(), rest: digest_of_element(element, name, names) }
    }

    /// One for all that stands at one place.
    fn of_all(places: &[Place<'_>]) -> Holder {
        match places {
            [] => Holder::default(),
            [one] => one.holder,
            _ if places.iter().all(|one| one.holder == places[0].holder) => places[0].holder,
            _ => Holder {
                name: joined(places.iter().map(|one| one.holder.name)),
                rest: joined(places.iter().map(|one| one.holder.rest)),
            },
        }
    }
}
