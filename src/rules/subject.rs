//! What a finding judged, free of places and names, so that the same finding is known again where text has moved.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ipnet::IpNet;

use crate::finding::Subject;
use crate::model::{Lookup, Node, Resource, Value};
use crate::source::Span;

/// Elements of a list that are told apart; longer lists count as a whole.
const MAX_PARTS: usize = 1_000;

/// Ports of a rule that names none.
const ALL_PORTS: f64 = 65_536.0;

/// What a finding at `at` judged: a value of the resource if one stands there, else the text.
pub(super) fn subject(resource: Option<&Resource>, path: &str, at: Span, text: &str) -> Subject {
    let root = resource.map_or_else(|| Arc::from(path), |resource| resource.root.clone());
    let way = resource.map(|resource| way(&resource.body, at)).unwrap_or_default();
    let Some(node) = way.last().filter(|node| node.span == at) else {
        // A header or another place that is no value: blanks don't count.
        let mut hasher = DefaultHasher::new();
        text.split_whitespace().for_each(|word| word.hash(&mut hasher));
        return Subject { root, value: hasher.finish(), parts: Box::default(), reach: 0.0 };
    };
    let mut parts: Vec<u64> = node.items().iter().take(MAX_PARTS + 1).map(digest).collect();
    if parts.len() > MAX_PARTS {
        parts.clear();
    }
    parts.sort_unstable();
    let addresses = addresses(node);
    let reach = if addresses > 0.0 { addresses * ports(&way) } else { 0.0 };
    Subject { root, value: digest(node), parts: parts.into(), reach }
}

/// The nodes from the root down to the innermost one that stands at `at`; none when nothing does. The span of a block is its
/// header, so that all of the body is looked through.
fn way(root: &Node, at: Span) -> Vec<&Node> {
    let inner = root.items().iter().chain(root.entries().iter().map(|entry| &entry.node));
    for node in inner {
        let mut below = way(node, at);
        if !below.is_empty() {
            below.insert(0, root);
            return below;
        }
    }
    if root.span == at { vec![root] } else { Vec::new() }
}

/// A hash of a value: equal for equal values, wherever they stand and in whatever order their keys do.
pub fn digest(node: &Node) -> u64 {
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

/// How many ports the innermost block around a value opens, as rules of firewalls write them.
fn ports(way: &[&Node]) -> f64 {
    let number = |block: &Node, names: [&str; 2]| {
        names.iter().find_map(|name| match block.get(name) {
            Lookup::Known(node) => match &node.value {
                Value::Number(number) => Some(number.as_f64()),
                Value::String(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        })
    };
    let block = way.iter().rev().find(|node| {
        ["from_port", "from_ports", "protocol", "ip_protocol"].iter().any(|name| !node.get(name).is_absent())
    });
    let Some(block) = block else { return 1.0 };
    match (number(block, ["from_port", "fromPort"]), number(block, ["to_port", "toPort"])) {
        (Some(from), Some(to)) if (from, to) != (0.0, 0.0) && from >= 0.0 => (to - from + 1.0).max(1.0),
        _ => ALL_PORTS,
    }
}
