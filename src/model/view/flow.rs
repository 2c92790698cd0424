//! Allowed network flows of security groups and network ACLs in all their forms: peers and port intervals, never expanded.

use crate::model::{Lookup, Node, Resource};

/// Which way a flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the machines that the group protects.
    Ingress,
    /// From them.
    Egress,
}

/// One rule: a direction, an interval of ports and the CIDR blocks on the other side.
#[derive(Debug, Clone)]
pub struct Flow<'a> {
    /// Which way.
    pub direction: Direction,
    /// First and last port; all of them for protocol `-1`; none where unknown or without ports (ICMP).
    pub ports: Option<(i64, i64)>,
    /// Whether protocol or ports are not known.
    pub is_unknown: bool,
    /// The CIDR blocks, each at its own place, with the argument that holds it.
    pub peers: Vec<(&'a Node, &'static str)>,
    /// Whether a peer is not known.
    pub has_unknown_peer: bool,
    /// The peers that are not known.
    pub unknown_peers: Vec<(&'a Node, &'static str)>,
    /// The block or body that makes the rule.
    pub body: &'a Node,
    /// The block's type where it is inline (`ingress`), else empty.
    pub block: &'static str,
}

/// Kinds whose flows are understood.
pub const SECURITY_GROUPS: &[&str] = &[
    "aws_security_group",
    "aws_default_security_group",
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
];

/// Network ACLs and their rules.
pub const NETWORK_ACLS: &[&str] = &["aws_network_acl", "aws_default_network_acl", "aws_network_acl_rule"];

const PEERS: &[&str] = &["cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6", "cidr_block", "ipv6_cidr_block"];

/// The flows that a resource allows; denying ACL entries allow none.
pub fn flows(resource: &Resource) -> Vec<Flow<'_>> {
    let body = &resource.body;
    let text = |path: &str| body.get(path).as_str().unwrap_or("");
    match &*resource.kind {
        "aws_security_group" | "aws_default_security_group" | "aws_network_acl" | "aws_default_network_acl" => {
            let mut flows = Vec::new();
            for (block, direction) in [("ingress", Direction::Ingress), ("egress", Direction::Egress)] {
                if let Lookup::Known(blocks) = body.get(block) {
                    flows.extend(blocks.items().iter().filter_map(|node| flow(node, direction, block)));
                }
            }
            flows
        }
        "aws_security_group_rule" if body.get("type").is_unknown() => either(body),
        "aws_security_group_rule" => {
            let direction = if text("type") == "egress" { Direction::Egress } else { Direction::Ingress };
            flow(body, direction, "").into_iter().collect()
        }
        "aws_network_acl_rule" if body.get("egress").is_unknown() => either(body),
        "aws_network_acl_rule" => {
            let is_egress = body.get("egress").as_bool() == Some(true);
            flow(body, if is_egress { Direction::Egress } else { Direction::Ingress }, "").into_iter().collect()
        }
        "aws_vpc_security_group_ingress_rule" => flow(body, Direction::Ingress, "").into_iter().collect(),
        "aws_vpc_security_group_egress_rule" => flow(body, Direction::Egress, "").into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A rule of which not even the direction is known: one each way.
fn either(body: &Node) -> Vec<Flow<'_>> {
    [Direction::Ingress, Direction::Egress].map(|direction| open(body, direction, "")).into()
}

/// A rule of which it is not known whether it allows anything that way.
fn open<'a>(body: &'a Node, direction: Direction, block: &'static str) -> Flow<'a> {
    Flow {
        direction,
        ports: None,
        is_unknown: true,
        peers: Vec::new(),
        has_unknown_peer: false,
        unknown_peers: Vec::new(),
        body,
        block,
    }
}

fn flow<'a>(body: &'a Node, direction: Direction, block: &'static str) -> Option<Flow<'a>> {
    let actions = ["action", "rule_action"].map(|name| body.get(name));
    let action = actions.iter().find_map(|action| action.as_str());
    if action.is_some_and(|action| action.eq_ignore_ascii_case("deny")) {
        return None;
    }
    if actions.iter().any(|action| action.is_unknown()) {
        return Some(open(body, direction, block));
    }
    let protocol = match body.get("protocol") {
        Lookup::Absent(_) => body.get("ip_protocol"),
        found => found,
    };
    let mut is_unknown = protocol.is_unknown();
    let name = protocol.known().map(|node| node.to_text().unwrap_or_default().to_lowercase());
    let port = |name: &str| body.get(name).as_f64().map(|port| port as i64);
    let ports = match name.as_deref() {
        _ if is_unknown => None,
        Some("-1" | "all") => Some((0, 65_535)),
        Some("icmp" | "icmpv6" | "1" | "58") => None,
        _ => {
            is_unknown |= body.get("from_port").is_unknown() || body.get("to_port").is_unknown();
            port("from_port").zip(port("to_port")).map(|(from, to)| if from < 0 { (0, 65_535) } else { (from, to) })
        }
    };
    let mut peers = Vec::new();
    let mut unknown_peers = Vec::new();
    for name in PEERS {
        match body.get(name) {
            Lookup::Known(node) if node.as_str().is_some() => peers.push((node, *name)),
            Lookup::Known(node) => {
                for item in node.items() {
                    if item.is_unknown() {
                        unknown_peers.push((item, *name));
                    } else {
                        peers.push((item, *name));
                    }
                }
            }
            Lookup::Unknown(node) => unknown_peers.push((node, *name)),
            Lookup::Absent(_) => {}
        }
    }
    let has_unknown_peer = !unknown_peers.is_empty();
    Some(Flow { direction, ports, is_unknown, peers, has_unknown_peer, unknown_peers, body, block })
}

impl<'a> Flow<'a> {
    /// The peers that stand for the internet.
    pub fn open_peers(&self) -> impl Iterator<Item = (&'a Node, &'static str)> {
        self.peers.iter().copied().filter(|(node, _)| node.as_str().is_some_and(crate::rules::table::cidr_is_open))
    }

    /// Whether the interval holds a port.
    pub fn covers(&self, port: i64) -> bool {
        self.ports.is_some_and(|(from, to)| from <= port && port <= to)
    }

    /// Whether the interval is that of every port.
    pub fn covers_all(&self) -> bool {
        self.ports.is_some_and(|(from, to)| from <= 1 && to >= 65_535)
    }
}
