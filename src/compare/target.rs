//! What a resource acts on, beside what it allows: a role that a policy is attached to, the pods that a policy of the network selects.
//! The same hole in something else is another hole.

use std::collections::BTreeSet;

use super::digest::{digest, joined};
use super::exposure::is_within;
use super::names::Names;
use crate::model::{Lookup, Node, Resource, Value};

/// Ends of the types of resources that give something to another one.
const GIVERS: [&str; 8] =
    ["_policy", "_attachment", "_rule", "_permission", "_acl", "_public_access_block", "_binding", "_membership"];

/// Attributes that say to which.
const RECEIVERS: [&str; 14] = [
    "bucket",
    "role",
    "roles",
    "user",
    "users",
    "group",
    "groups",
    "security_group_id",
    "function_name",
    "repository",
    "queue_url",
    "file_system_id",
    "key_id",
    "secret_arn",
];

/// What a resource acts on, by what it is called there.
fn targets(resource: &Resource) -> Vec<(&'static str, &Node)> {
    let at = |path: &'static str| match resource.body.at(path) {
        Lookup::Known(node) | Lookup::Unknown(node) => Some((path, node)),
        Lookup::Absent(_) => None,
    };
    match (resource.format, &*resource.kind) {
        ("kubernetes", "Service") => ["spec.ports", "spec.selector"].into_iter().filter_map(at).collect(),
        ("kubernetes", "NetworkPolicy") => at("spec.podSelector").into_iter().collect(),
        ("terraform", kind) if GIVERS.iter().any(|end| kind.ends_with(end)) => {
            RECEIVERS.iter().filter_map(|name| at(name)).collect()
        }
        _ => Vec::new(),
    }
}

/// A hash of what a resource acts on.
pub(super) fn target_digest(resource: &Resource, names: &Names<'_>) -> u64 {
    joined(targets(resource).iter().map(|(_, node)| digest(node, names)))
}

/// Whether a resource acts on something that it did not act on.
pub(super) fn acts_on_more(now: &Resource, was: &Resource, names: &Names<'_>) -> bool {
    let before = targets(was);
    targets(now).iter().any(|(path, node)| {
        let Some((_, before)) = before.iter().find(|(other, _)| other == path) else {
            return !matches!(*path, "spec.podSelector" | "spec.selector");
        };
        match *path {
            "spec.ports" => !numbers(node).is_subset(&numbers(before)),
            "spec.selector" => !keys(before).is_subset(&keys(node)) || names.are_other_pods(path, was, now),
            "spec.podSelector" => !labels(before).is_subset(&labels(node)) || names.are_other_pods(path, was, now),
            _ => !is_within(node, before, names),
        }
    })
}

/// The ports of a Service.
fn numbers(ports: &Node) -> BTreeSet<String> {
    let number = |port: &Node| match port.get("port") {
        Lookup::Known(Node { value: Value::Number(number), .. }) => Some(number.to_string()),
        other => other.known().and_then(|node| Lookup::Known(node).as_str().map(str::to_string)),
    };
    ports.items().iter().filter_map(number).collect()
}

fn keys(map: &Node) -> BTreeSet<String> {
    map.entries().iter().map(|entry| entry.key.to_string()).collect()
}

/// What narrows a selector.
fn labels(selector: &Node) -> BTreeSet<String> {
    let labels = selector.get("matchLabels").known().map(keys).unwrap_or_default().into_iter();
    let expressions = selector.get("matchExpressions").known().map_or(&[][..], |node| node.items());
    let key = |expression: &Node| expression.get("key").as_str().map(|key| format!("{key} in"));
    labels.chain(expressions.iter().filter_map(key)).collect()
}
