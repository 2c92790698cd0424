//! What findings judged, free of places and names, so that the same finding is known again where text has moved.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use crate::finding::Finding;
use crate::model::{Lookup, Model, Node, Resource, Value};
use crate::source::{Sources, Span};

/// Elements of a list that are told apart; longer lists count as a whole.
const MAX_PARTS: usize = 1_000;

/// Ports of a rule that names none.
const ALL_PORTS: f64 = 65_536.0;

/// What one finding judged.
pub(super) struct Subject<'a> {
    /// The resource, if it is about one.
    pub resource: Option<&'a Resource>,
    /// The root of the resource; the path of the file where there is none.
    pub root: Arc<str>,
    /// A hash of the value, of the text where no value stands.
    pub value: u64,
    /// Hashes of a list's elements, sorted.
    pub parts: Vec<u64>,
    /// How many pairs of address and port the value opens; 0 where it speaks of none.
    pub reach: f64,
}

/// What these findings judged, in their order.
pub(super) fn subjects<'a>(findings: &[&Finding], model: &'a Model, sources: &Sources) -> Vec<Subject<'a>> {
    let mut owners: FxHashMap<(&str, Span), &Resource> = FxHashMap::default();
    for resource in &model.resources {
        owners.entry((&*resource.address, resource.span)).or_insert(resource);
    }
    let mut values: FxHashMap<*const Resource, Values<'_>> = FxHashMap::default();
    let subject = |finding: &&Finding| {
        let owner = finding.scope.and_then(|scope| owners.get(&(&*finding.address, scope)).copied());
        let value = owner.and_then(|owner| {
            let values = values.entry(std::ptr::from_ref(owner)).or_insert_with(|| Values::of(&owner.body));
            values.0.get(&finding.judged).copied()
        });
        let root = owner.map_or_else(|| sources.get(finding.at.file).path().into(), |owner| owner.root.clone());
        match value {
            Some((node, block)) => {
                let mut parts: Vec<u64> = node.items().iter().take(MAX_PARTS + 1).map(digest).collect();
                if parts.len() > MAX_PARTS {
                    parts.clear();
                }
                parts.sort_unstable();
                let addresses = addresses(node);
                let reach = if addresses > 0.0 { addresses * block.map_or(1.0, ports) } else { 0.0 };
                Subject { resource: owner, root, value: digest(node), parts, reach }
            }
            // A header or another place that is no value: blanks don't count.
            None => {
                let mut hasher = DefaultHasher::new();
                sources.slice(finding.judged).split_whitespace().for_each(|word| word.hash(&mut hasher));
                Subject { resource: owner, root, value: hasher.finish(), parts: Vec::new(), reach: 0.0 }
            }
        }
    };
    findings.iter().map(subject).collect()
}

/// The values of a resource by where they stand, each with the innermost block around it that speaks of ports; the innermost
/// of those in one place.
struct Values<'a>(FxHashMap<Span, (&'a Node, Option<&'a Node>)>);

impl<'a> Values<'a> {
    fn of(body: &'a Node) -> Values<'a> {
        let mut values = FxHashMap::default();
        let mut open = vec![(body, None)];
        while let Some((node, around)) = open.pop() {
            const PORTS: [&str; 4] = ["from_port", "fromPort", "protocol", "ip_protocol"];
            let has_ports = node.entries().iter().any(|entry| PORTS.contains(&&*entry.key));
            let block = if has_ports { Some(node) } else { around };
            values.insert(node.span, (node, block));
            open.extend(
                node.items().iter().chain(node.entries().iter().map(|entry| &entry.node)).map(|one| (one, block)),
            );
        }
        Values(values)
    }
}

/// A hash of a value: equal for equal values, wherever they stand and in whatever order their keys do.
pub(super) fn digest(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &node.value {
        Value::Null => 0_u8.hash(&mut hasher),
        Value::Bool(bool) => (1_u8, bool).hash(&mut hasher),
        Value::Number(number) => (2_u8, number.as_f64().to_bits()).hash(&mut hasher),
        Value::String(text) => (3_u8, text).hash(&mut hasher),
        Value::List(items) => (4_u8, items.iter().map(digest).collect::<Vec<_>>()).hash(&mut hasher),
        Value::Map(map) => {
            let mut entries: Vec<(&str, u64)> =
                map.entries().iter().map(|entry| (&*entry.key, digest(&entry.node))).collect();
            entries.sort_unstable();
            (5_u8, entries).hash(&mut hasher);
        }
        // What it refers to has another name after a move.
        Value::Unknown(_) => 6_u8.hash(&mut hasher),
    }
    hasher.finish()
}

/// How many addresses the CIDR blocks of a value hold; addresses of version 6 count by their networks of 64 bits.
fn addresses(node: &Node) -> f64 {
    let own = node.as_str().and_then(|text| text.trim().parse::<IpNet>().ok()).map_or(0.0, |network| match network {
        IpNet::V4(network) => 2_f64.powi(32 - i32::from(network.prefix_len())),
        IpNet::V6(network) => 2_f64.powi(64 - i32::from(network.prefix_len()).min(64)),
    });
    own + node.items().iter().map(addresses).sum::<f64>()
}

/// How many ports a block opens, as rules of firewalls write them.
fn ports(block: &Node) -> f64 {
    let number = |names: [&str; 2]| {
        names.iter().find_map(|name| match block.get(name) {
            Lookup::Known(node) => match &node.value {
                Value::Number(number) => Some(number.as_f64()),
                Value::String(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        })
    };
    match (number(["from_port", "fromPort"]), number(["to_port", "toPort"])) {
        (Some(from), Some(to)) if (from, to) != (0.0, 0.0) && from >= 0.0 => (to - from + 1.0).max(1.0),
        _ => ALL_PORTS,
    }
}
