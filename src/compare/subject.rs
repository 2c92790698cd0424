//! What findings judged, free of places and names, so that the same finding is known again where text has moved.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::digest::{digest, digest_of_element, joined};
use super::exposure::{last_key, read};
use super::names::Names;
use super::target::target_digest;
use crate::finding::Finding;
use crate::model::dockerfile::Dockerfile;
use crate::model::view::rule::is_rule;
use crate::model::{Lookup, Model, Node, Resource, Value, hash_in_rule};
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

/// Documents that the texts of a model hold, by the values that are these texts: parsed from a file, they have no places of their own.
#[derive(Default)]
pub(super) struct Documents(FxHashMap<*const Node, Node>);

impl Documents {
    /// Those in the resources that these findings are about.
    pub fn of<'f>(findings: impl Iterator<Item = &'f Finding>, model: &Model) -> Documents {
        let about: FxHashSet<(&str, &str)> =
            findings.filter(|one| one.scope.is_some()).map(|one| (&*one.root, &*one.address)).collect();
        let mut documents = Documents::default();
        let resources = model.resources.iter().filter(|one| about.contains(&(&*one.root, &*one.address)));
        let mut open: Vec<&Node> = resources.map(|one| &one.body).collect();
        while let Some(node) = open.pop() {
            open.extend(node.structure.as_deref());
            open.extend(node.entries().iter().map(|entry| &entry.node).chain(node.items()));
            if node.structure.is_none()
                && let Cow::Owned(document) = read(node)
            {
                documents.0.insert(node, document);
            }
        }
        documents
    }
}

/// What these findings judged, in their order; nothing for those that are left out.
pub(super) fn subjects<'a, 'f>(
    findings: &[Option<&'f Finding>],
    (model, documents): (&'a Model, &'a Documents),
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
    let spot_of = |finding: &'f Finding| -> Spot<'f> {
        let container = finding.container.as_deref();
        (&*finding.rule, owner(finding).map(std::ptr::from_ref), finding.judged, container, finding.value)
    };
    let mut counts: FxHashMap<Spot<'_>, usize> = FxHashMap::default();
    for finding in findings.iter().flatten() {
        *counts.entry(spot_of(finding)).or_default() += 1;
    }
    let mut told: FxHashMap<Spot<'_>, usize> = FxHashMap::default();
    let nowhere: Arc<str> = "".into();
    let mut shared: FxHashMap<_, Rc<Shared<'_>>> = FxHashMap::default();
    let subject = |finding: &Option<&'f Finding>| {
        let Some(finding) = *finding else { return Subject::unseen(nowhere.clone()) };
        let owner = owner(finding);
        let place = owner.and_then(|owner| {
            let spot = spot_of(finding);
            let (_, resource, span, container, value) = spot;
            let values =
                values.entry(std::ptr::from_ref(owner)).or_insert_with(|| Values::of(&owner.body, names, documents));
            let find = || Rc::new(Shared::of(&values.at(finding), names));
            let key = (resource, span, last_key(&finding.attribute), container, value);
            let shared = shared.entry(key).or_insert_with(find).clone();
            let number = told.entry(spot).or_default();
            *number += 1;
            let one = shared.each.get(*number - 1).filter(|_| counts[&spot] == shared.each.len());
            one.or(shared.all.as_ref()).cloned()
        });
        let root = owner.map_or_else(|| sources.get(finding.at.file).path().into(), |owner| owner.root.clone());
        let is_script = owner.is_none_or(|owner| owner.format == "dockerfile");
        let within = place.as_ref().map(|place| place.holder).unwrap_or_default();
        let (judged, value, rule) = match place {
            // A secret is the same in whatever form it is written, and whatever is around it.
            _ if finding.sensitive => (Judging::Missing, finding.value, 0),
            // What is missing is told at the block that should have it.
            Some(place) if place.lacks(&finding.attribute) => (Judging::Missing, 0, 0),
            Some(place) => (Judging::Values(place.judged), place.value, place.rule),
            None if is_script => {
                let text = sources.slice(finding.judged);
                let dockerfile = dockerfiles.get(&finding.judged.file);
                let text = dockerfile.map_or(Cow::Borrowed(text), |dockerfile| dockerfile.with_variables(text));
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
    /// The outermost named element of a list that it is in, such as a container.
    container: Option<&'a str>,
    /// Whether it is that element.
    is_container: bool,
    /// Whether something in it stands at the same place.
    is_covered: bool,
    /// What tells its value from others at its place, and the innermost rule around it.
    hash: u64,
    rule_hash: u64,
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

/// A rule, a resource and a place in it; the container and the value that are told of there.
type Spot<'a> = (&'a str, Option<*const Resource>, Span, Option<&'a str>, u64);

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

/// The values of a resource with where they stand, in that order.
struct Values<'a>(Vec<(Span, Place<'a>)>);

impl<'a> Values<'a> {
    fn of(body: &'a Node, names: &Names<'_>, documents: &'a Documents) -> Values<'a> {
        let judged = Judged { node: body, rule: None, whole: body };
        let root = Place {
            judged,
            key: "",
            holder: Holder::default(),
            container: None,
            is_container: false,
            is_covered: false,
            hash: 0,
            rule_hash: 0,
        };
        let mut values: Vec<(Span, Place<'_>)> = Vec::new();
        let mut open = vec![(root, None)];
        while let Some((mut place, parent)) = open.pop() {
            let node = place.judged.node;
            if let Some(parent) = parent.filter(|parent: &usize| values[*parent].0 == node.span) {
                values[parent].1.is_covered = true;
            }
            place.hash = node.hash_of_value();
            if is_rule(node) {
                place.judged.rule = Some((node, digest(node, names)));
                place.rule_hash = place.hash;
            }
            let is_root = values.is_empty();
            let own = Some(values.len());
            values.push((node.span, place));
            let with = |node| Place { judged: Judged { node, ..place.judged }, is_container: false, ..place };
            open.extend(node.structure.as_deref().map(|node| (with(node), own)));
            // What a text says does not take its place.
            open.extend(documents.0.get(&std::ptr::from_ref(node)).map(|node| (with(node), None)));
            open.extend(node.entries().iter().map(|entry| {
                let mut inner = Place { key: &entry.key, ..with(&entry.node) };
                if is_root {
                    inner.judged.whole = &entry.node;
                }
                (inner, own)
            }));
            open.extend(node.items().iter().map(|node| (with(node).element(place, names), own)));
        }
        values.sort_by_key(|(span, _)| *span);
        Values(values)
    }

    /// What of all that stands at one place a finding is about: what is in the container that it names, has the value that it tells of,
    /// and stands under the key that it names. Each counts as far as anything there is so.
    fn at(&self, finding: &Finding) -> Vec<Place<'a>> {
        let (span, key) = (finding.judged, last_key(&finding.attribute));
        let from = self.0.partition_point(|(other, _)| *other < span);
        let there = self.0[from..].iter().take_while(|(other, _)| *other == span).map(|(_, place)| place);
        let mut there: Vec<&Place<'_>> = there.collect();
        let container = finding.container.as_deref();
        let is_in_container = narrow(&mut there, |place| container.is_some() && place.container == container);
        let is_told = finding.value != 0 && !finding.sensitive;
        if is_told && narrow(&mut there, |place| place.has(finding.value)) {
            narrow(&mut there, |place| place.key == key);
            return there.into_iter().copied().collect();
        }
        let is_there = there.iter().any(|place| !place.is_covered && place.key == key);
        if is_there || !is_in_container || !narrow(&mut there, |place| place.is_container) {
            there.retain(|place| !place.is_covered);
            let other = there.last().map_or("", |place| place.key);
            there.retain(|place| place.key == if is_there { key } else { other });
        }
        there.into_iter().copied().collect()
    }
}

/// Leaves those of which something is true, if there are any, and tells whether there are.
fn narrow(places: &mut Vec<&Place<'_>>, is_so: impl Fn(&Place<'_>) -> bool) -> bool {
    let is_any = places.iter().any(|place| is_so(place));
    if is_any {
        places.retain(|place| is_so(place));
    }
    is_any
}

impl<'a> Place<'a> {
    /// Whether a hash is that of its value, by itself or in the rule around it.
    fn has(&self, value: u64) -> bool {
        self.hash == value || hash_in_rule(self.hash, self.rule_hash) == value
    }

    /// The place of an element of the list that stands at another one.
    fn element(self, list: Place<'a>, names: &Names<'_>) -> Place<'a> {
        let node = self.judged.node;
        let name = node.get("name").as_str();
        let is_container = list.container.is_none() && name.is_some();
        Place { holder: list.holder.of(node, names), container: list.container.or(name), is_container, ..self }
    }
}

/// The names of all elements of lists in a resource, each with those around it.
pub(super) fn holders(resource: &Resource) -> FxHashSet<u64> {
    let mut holders = FxHashSet::default();
    let mut open = vec![(&resource.body, 0)];
    while let Some((node, around)) = open.pop() {
        open.extend(node.structure.as_deref().map(|node| (node, around)));
        open.extend(node.entries().iter().map(|entry| (&entry.node, around)));
        for element in node.items() {
            let name = element.get("name").as_str().map(|name| name_within(around, name));
            holders.extend(name);
            open.push((element, name.unwrap_or(around)));
        }
    }
    holders
}

/// A hash of the name of an element and of those around it.
fn name_within(around: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (around, name).hash(&mut hasher);
    hasher.finish()
}

impl Holder {
    /// The holder of what is in an element of a list.
    fn of(self, element: &Node, names: &Names<'_>) -> Holder {
        let Lookup::Known(Node { value: Value::String(name), .. }) = element.get("name") else { return self };
        Holder { name: name_within(self.name, name), rest: digest_of_element(element, name, names) }
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
