//! What findings judged, free of places and names, so that the same finding is known again where text has moved.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::exposure::{last_key, read};
use crate::finding::Finding;
use crate::model::view::rule::is_rule;
use crate::model::{Entry, Lookup, Model, Node, Resource, Value};
use crate::source::{Sources, Span};

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
    /// A hash of the rule around the value: two rules may open the same addresses to different ports.
    pub rule: u64,
    /// What it is.
    pub judged: Judging<'a>,
}

/// What stands where a finding points.
pub(super) enum Judging<'a> {
    /// A value with the rule around it, if it is in one.
    Value(&'a Node, Option<&'a Node>),
    /// A text, such as an instruction of a Dockerfile.
    Text(&'a str),
    /// Nothing: something is missing there.
    Missing,
}

/// A named element of a list, such as a container, with those around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    /// A hash of its name and those around it; 0 for none.
    pub name: u64,
    /// A hash of it without its name.
    pub rest: u64,
}

/// What these findings judged, in their order.
pub(super) fn subjects<'a>(findings: &[&Finding], model: &'a Model, sources: &'a Sources) -> Vec<Subject<'a>> {
    let mut owners: FxHashMap<(&str, &str, Span), &Resource> = FxHashMap::default();
    for resource in &model.resources {
        owners.entry((&*resource.root, &*resource.address, resource.span)).or_insert(resource);
    }
    let mut values: FxHashMap<*const Resource, Values<'_>> = FxHashMap::default();
    let subject = |finding: &&Finding| {
        let owner = finding.scope.and_then(|scope| owners.get(&(&*finding.root, &*finding.address, scope)).copied());
        let place = owner.and_then(|owner| {
            let values = values.entry(std::ptr::from_ref(owner)).or_insert_with(|| Values::of(&owner.body));
            values.0.get(&finding.judged).copied()
        });
        let root = owner.map_or_else(|| sources.get(finding.at.file).path().into(), |owner| owner.root.clone());
        let is_script = owner.is_none_or(|owner| owner.format == "dockerfile");
        let (judged, value, rule) = match place {
            // What is missing is told at the block that should have it.
            Some(place) if place.lacks(&finding.attribute) => (Judging::Missing, 0, 0),
            Some(place) => {
                let (around, rule) = place.rule.unzip();
                let rule = rule.unwrap_or(0);
                (Judging::Value(place.node, around), digest(&read(place.node)), rule)
            }
            None if is_script => {
                let text = sources.slice(finding.judged);
                (Judging::Text(text), text_digest(text), 0)
            }
            // The header of a resource or a block in it.
            None => (Judging::Missing, 0, 0),
        };
        let within = place.map(|place| place.holder).unwrap_or_default();
        Subject { resource: owner, root, within, value, rule, judged }
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
    node: &'a Node,
    /// The key that has it, or the list that it is in.
    key: &'a str,
    /// The innermost rule around it, with its hash.
    rule: Option<(&'a Node, u64)>,
    holder: Holder,
}

impl Place<'_> {
    /// Whether this is a block of which an attribute was judged that it does not have.
    fn lacks(&self, attribute: &str) -> bool {
        // A container is told by the line of its name.
        let is_block = !self.node.entries().is_empty() || self.key == "name" && self.holder.name != 0;
        is_block && self.rule.is_none() && self.key != last_key(attribute)
    }
}

/// The values of a resource by where they stand; the innermost of those in one place.
struct Values<'a>(FxHashMap<Span, Place<'a>>);

impl<'a> Values<'a> {
    fn of(body: &'a Node) -> Values<'a> {
        let mut values = FxHashMap::default();
        let mut open = vec![Place { node: body, key: "", rule: None, holder: Holder::default() }];
        while let Some(place) = open.pop() {
            let Place { node, .. } = place;
            let rule = if is_rule(node) { Some((node, digest(node))) } else { place.rule };
            let place = Place { rule, ..place };
            values.insert(node.span, place);
            open.extend(node.structure.as_deref().map(|node| Place { node, ..place }));
            open.extend(node.entries().iter().map(|entry| Place { node: &entry.node, key: &entry.key, ..place }));
            open.extend(node.items().iter().map(|node| Place { node, holder: place.holder.of(node), ..place }));
        }
        Values(values)
    }
}

impl Holder {
    /// The holder of what is in an element of a list.
    fn of(self, element: &Node) -> Holder {
        let Lookup::Known(Node { value: Value::String(name), .. }) = element.get("name") else { return self };
        let mut hasher = DefaultHasher::new();
        (self.name, name).hash(&mut hasher);
        Holder { name: hasher.finish(), rest: digest_without(element, name, true) }
    }
}

/// A hash of a resource's body that is the same under another name or in another namespace.
pub(super) fn body_digest(resource: &Resource) -> u64 {
    let name = &*resource.name;
    if resource.format == "terraform" {
        return digest_without(&resource.body, name, true);
    }
    let digest = |entry: &Entry, everywhere| (entry.key.clone(), digest_without(&entry.node, name, everywhere));
    let mut parts = Vec::new();
    for entry in resource.body.entries() {
        match &*entry.key {
            "metadata" => {
                let inner = entry.node.entries().iter();
                let inner = inner.filter(|inner| !matches!(&*inner.key, "name" | "namespace"));
                parts.extend(inner.map(|inner| digest(inner, true)));
            }
            _ => parts.push(digest(entry, false)),
        }
    }
    parts.sort_unstable();
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// A hash of a value: equal for equal values, wherever they stand and in whatever order their keys do.
pub(super) fn digest(node: &Node) -> u64 {
    // No text is this one.
    digest_without(node, "\0", false)
}

/// A hash of a value in which a name, wherever it is all of a text, might be another: in labels and selectors, or everywhere.
fn digest_without(node: &Node, name: &str, everywhere: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &node.value {
        Value::Null => 0_u8.hash(&mut hasher),
        Value::Bool(bool) => (1_u8, bool).hash(&mut hasher),
        Value::Number(number) => (2_u8, number.as_f64().to_bits()).hash(&mut hasher),
        Value::String(text) if everywhere && **text == *name => 7_u8.hash(&mut hasher),
        Value::String(text) => (3_u8, text).hash(&mut hasher),
        Value::List(items) => {
            (4_u8, items.iter().map(|item| digest_without(item, name, everywhere)).collect::<Vec<_>>())
                .hash(&mut hasher);
        }
        Value::Map(map) => {
            let is_label = |key: &str| matches!(key, "labels" | "matchLabels" | "selector");
            let digest = |entry: &Entry| digest_without(&entry.node, name, everywhere || is_label(&entry.key));
            let mut entries: Vec<(&str, u64)> =
                map.entries().iter().map(|entry| (&*entry.key, digest(entry))).collect();
            entries.sort_unstable();
            (5_u8, entries).hash(&mut hasher);
        }
        // What it refers to has another name after a move.
        Value::Unknown(_) => 6_u8.hash(&mut hasher),
    }
    hasher.finish()
}
