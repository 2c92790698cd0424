//! Rules in the sense of firewalls and policies: what is allowed to whom stands in several attributes of one block, and none of them
//! means anything without the others.

use crate::model::json::to_json;
use crate::model::{Lookup, Node};
use crate::source::Span;

/// Keys by which a map is known for a rule: one of a firewall, a statement of a policy, a rule of a role, a binding of one.
const KEYS: [&str; 11] = [
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
];

/// Keys of a rule that say nothing about what it allows.
pub const WORDS: [&str; 9] = ["description", "name", "Sid", "sid", "tags", "tags_all", "labels", "metadata", "id"];

/// Whether a map is a rule.
pub fn is_rule(node: &Node) -> bool {
    // `from` and `to` of something that runs are its own.
    KEYS.iter().any(|key| !matches!(node.get(key), Lookup::Absent(_))) && node.get("image").is_absent()
}

/// The innermost rule of a body around this place.
pub fn around(body: &Node, place: Span) -> Option<&Node> {
    let mut found = None;
    let mut open = vec![(body, None)];
    while let Some((node, rule)) = open.pop() {
        let rule = if is_rule(node) { Some(node) } else { rule };
        if node.span == place && rule.is_some() {
            found = rule;
        }
        let children =
            node.entries().iter().map(|entry| &entry.node).chain(node.items()).chain(node.structure.as_deref());
        open.extend(children.map(|child| (child, rule)));
    }
    found
}

/// A text that two rules have in common if they allow the same.
pub fn identity(rule: &Node) -> String {
    let mut json = to_json(rule);
    if let Some(map) = json.as_object_mut() {
        map.retain(|key, _| !WORDS.contains(&key.as_str()));
    }
    json.to_string()
}
