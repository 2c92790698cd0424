//! What Rego sees of the model, and the way back from a path to a place.

use std::collections::BTreeMap;

use regorus::Value;
use rustc_hash::FxHashMap;

use crate::model::{Model, Node, Number, Resource, ResourceId, Value as NodeValue};
use crate::rules::schema::Target;
use crate::rules::table::kind_matches;

/// The Kubernetes objects that the views of pods and containers stand for: those that hold a pod's specification.
const WORKLOADS: &[&str] = &[
    "Pod",
    "PodTemplate",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
];

/// The resources that targets select, in the order of the model.
pub fn selected(model: &Model, targets: &[Target]) -> Vec<ResourceId> {
    let matches = |resource: &Resource| {
        targets.iter().any(|target| match target.format.as_str() {
            "view" => resource.format == "kubernetes" && WORKLOADS.contains(&&*resource.kind),
            format => resource.format == format && target.kinds.iter().any(|kind| kind_matches(kind, &resource.kind)),
        })
    };
    model.iter().filter(|(_, resource)| matches(resource)).map(|(id, _)| id).collect()
}

/// Parts of a selection in which every address is one resource's: two root modules, or two manifests, may each have a
/// resource of the same address, and then are judged apart.
pub fn batches(model: &Model, selected: &[ResourceId]) -> Vec<Vec<ResourceId>> {
    let mut roots: FxHashMap<(&str, usize), usize> = FxHashMap::default();
    let mut groups: Vec<Vec<ResourceId>> = Vec::new();
    let mut seen: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    for id in selected {
        let resource = model.resource(*id);
        let repeat = seen.entry((&resource.root, &resource.address)).or_default();
        let group = *roots.entry((&resource.root, *repeat)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        *repeat += 1;
        groups[group].push(*id);
    }
    let mut batches: Vec<Vec<ResourceId>> = Vec::new();
    let mut taken: Vec<std::collections::HashSet<&str>> = Vec::new();
    for group in groups {
        let address = |id: &ResourceId| &*model.resource(*id).address;
        // Looking at every batch for every group would take quadratic time in a tree of copies.
        let free = taken.iter().rev().take(8).position(|taken| !group.iter().any(|id| taken.contains(address(id))));
        let batch = match free {
            Some(back) => taken.len() - 1 - back,
            None => {
                batches.push(Vec::new());
                taken.push(Default::default());
                taken.len() - 1
            }
        };
        taken[batch].extend(group.iter().map(address));
        batches[batch].extend(group);
    }
    batches
}

/// An object with these members.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::from(members.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>())
}

/// A value without what is unknown in it. An unknown element of a list is null, so that the indices of the others stay true.
pub fn value(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null | NodeValue::Unknown(_) => Value::Null,
        NodeValue::Bool(bool) => Value::from(*bool),
        NodeValue::Number(Number::Int(int)) => Value::from(*int),
        NodeValue::Number(Number::Float(float)) if float.is_finite() => Value::from(*float),
        NodeValue::Number(float) => Value::from(float.to_string()),
        NodeValue::String(text) => Value::from(&**text),
        NodeValue::List(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        NodeValue::Map(map) => {
            let known = map.entries().iter().filter(|entry| !entry.node.is_unknown());
            let members = known.map(|entry| (Value::from(&*entry.key), value(&entry.node)));
            Value::from(members.collect::<BTreeMap<_, _>>())
        }
    }
}

/// A resource as an element of `input.resources`.
pub fn record(resource: &Resource, attrs: Value) -> Value {
    object([
        ("address", Value::from(&*resource.address)),
        ("format", Value::from(resource.format)),
        ("type", Value::from(&*resource.kind)),
        ("api_version", Value::from(&*resource.api_version)),
        ("name", Value::from(&*resource.name)),
        ("root", Value::from(&*resource.root)),
        ("attrs", attrs),
    ])
}

/// A resource as a document of its own: a manifest as it stands, and Terraform by block, type and name.
pub fn document(resource: &Resource, attrs: Value) -> Value {
    if resource.format != "terraform" {
        return attrs;
    }
    let named = object([(&resource.name, attrs)]);
    let (block, kind) = match resource.kind.split_once('.') {
        Some((block @ ("data" | "provider" | "backend"), kind)) => (block, kind),
        _ if ["variable", "output", "module", "terraform"].contains(&&*resource.kind) => (&*resource.kind, ""),
        _ => ("resource", &*resource.kind),
    };
    object([(block, if kind.is_empty() { named } else { object([(kind, named)]) })])
}

/// The steps of a `path`: a list of keys and indices, or one string with dots. None for anything else.
pub fn path(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Undefined | Value::Null => Some(Vec::new()),
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split('.').map(str::to_string).collect()),
        Value::Array(steps) => steps
            .iter()
            .map(|step| match step {
                Value::String(text) => Some(text.to_string()),
                Value::Number(_) => Some(step.as_u64().ok()?.to_string()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// Where a path leads.
pub enum Place<'a> {
    /// The node, or the nearest above it that exists.
    At(&'a Node),
    /// To an unknown value, through one, or to a list or map that holds one, so that the policy did not see all of it.
    Unknown,
}

/// Follows a path from the body of a resource.
pub fn follow<'a>(body: &'a Node, path: &[String]) -> Place<'a> {
    let mut node = body;
    for step in path {
        let next = match &node.value {
            NodeValue::Unknown(_) => return Place::Unknown,
            NodeValue::Map(map) => map.get(step),
            NodeValue::List(items) => match step.parse::<usize>() {
                Ok(index) => items.get(index),
                // A list of one block may be named without its index.
                Err(_) => match &items[..] {
                    [only] => match &only.value {
                        NodeValue::Unknown(_) => return Place::Unknown,
                        NodeValue::Map(map) => map.get(step),
                        _ => None,
                    },
                    _ => None,
                },
            },
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => return Place::At(node),
        }
    }
    let open = match &node.value {
        NodeValue::Unknown(_) => true,
        // The body as a whole is blamed for what it lacks, not for the one value in it that is open.
        _ if path.is_empty() => false,
        NodeValue::List(items) => items.iter().any(Node::is_unknown),
        NodeValue::Map(map) => map.entries().iter().any(|entry| entry.node.is_unknown()),
        _ => false,
    };
    if open { Place::Unknown } else { Place::At(node) }
}
