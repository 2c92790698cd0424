//! Rules in the sense of firewalls and policies: what is allowed to whom stands in several attributes of one block, and none of them
//! means anything without the others.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::json::to_json;
use crate::model::{Lookup, Node, Resource};
use crate::source::Span;

/// Keys by which a map is known for a rule: one of a firewall, a statement of a policy, a rule of a role, a binding of one.
const KEYS: [&str; 12] = [
    "from_port",
    "fromPort",
    "ip_protocol",
    "Action",
    "NotAction",
    "actions",
    "not_actions",
    "verbs",
    "from",
    "to",
    "roleRef",
    "role_ref",
];

/// Keys of a rule that say nothing about what it allows.
pub const WORDS: [&str; 9] = ["description", "name", "Sid", "sid", "tags", "tags_all", "labels", "metadata", "id"];

/// Whether a map is a rule.
pub fn is_rule(node: &Node) -> bool {
    // `from` and `to` of something that runs are its own.
    KEYS.iter().any(|key| !matches!(node.get(key), Lookup::Absent(_))) && node.get("image").is_absent()
}

/// The rules around places of resources. Every body is gone through once, however many places are asked for: a group of a firewall
/// may have thousands of them.
#[derive(Default)]
pub struct Rules<'m> {
    places: FxHashMap<*const Resource, FxHashMap<Span, &'m Node>>,
    identities: FxHashMap<*const Node, Arc<str>>,
}

impl<'m> Rules<'m> {
    /// What the innermost rule around a place of a resource allows, as a text that two rules have in common if they allow the same.
    pub fn around(&mut self, resource: &'m Resource, place: Span) -> Option<Arc<str>> {
        let places = self.places.entry(std::ptr::from_ref(resource)).or_insert_with(|| places(&resource.body));
        let rule = *places.get(&place)?;
        let identity = self.identities.entry(std::ptr::from_ref(rule));
        Some(identity.or_insert_with(|| identity_of(rule).into()).clone())
    }
}

/// The places in rules with the innermost one.
fn places(body: &Node) -> FxHashMap<Span, &Node> {
    let mut places = FxHashMap::default();
    let mut open = vec![(body, None)];
    while let Some((node, rule)) = open.pop() {
        let rule = if is_rule(node) { Some(node) } else { rule };
        places.extend(rule.map(|rule| (node.span, rule)));
        let children =
            node.entries().iter().map(|entry| &entry.node).chain(node.items()).chain(node.structure.as_deref());
        open.extend(children.map(|child| (child, rule)));
    }
    places
}

fn identity_of(rule: &Node) -> String {
    let mut json = to_json(rule);
    if let Some(map) = json.as_object_mut() {
        map.retain(|key, _| !WORDS.contains(&key.as_str()));
    }
    json.to_string()
}
