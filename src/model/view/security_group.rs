//! Security groups: their rules, inline and on their own, the groups that these admit, and what the groups are attached to.

use ipnet::IpNet;

use super::flow::{Direction, Flow, flows};
use super::network::collect;
use crate::model::{Lookup, Model, Node, ResourceId};

/// Groups that Terraform manages.
pub const GROUPS: &[&str] = &["aws_security_group", "aws_default_security_group"];

/// Rules that are resources of their own.
const RULES: &[&str] =
    &["aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"];

/// The arguments by which resources take security groups.
const ATTACHING: &[(&str, &[&str])] = &[
    ("aws_instance", &["vpc_security_group_ids", "security_groups"]),
    ("aws_launch_template", &["vpc_security_group_ids", "network_interfaces"]),
    ("aws_launch_configuration", &["security_groups"]),
    ("aws_network_interface", &["security_groups"]),
    ("aws_db_instance", &["vpc_security_group_ids"]),
    ("aws_rds_cluster", &["vpc_security_group_ids"]),
    ("aws_db_proxy", &["vpc_security_group_ids"]),
    ("aws_docdb_cluster", &["vpc_security_group_ids"]),
    ("aws_neptune_cluster", &["vpc_security_group_ids"]),
    ("aws_redshift_cluster", &["vpc_security_group_ids"]),
    ("aws_elasticache_cluster", &["security_group_ids"]),
    ("aws_elasticache_replication_group", &["security_group_ids"]),
    ("aws_ecs_service", &["network_configuration"]),
    ("aws_lb", &["security_groups"]),
    ("aws_alb", &["security_groups"]),
    ("aws_elb", &["security_groups"]),
    ("aws_eks_cluster", &["vpc_config"]),
    ("aws_lambda_function", &["vpc_config"]),
    ("aws_efs_mount_target", &["security_groups"]),
    ("aws_vpc_endpoint", &["security_group_ids"]),
    ("aws_opensearch_domain", &["vpc_options"]),
    ("aws_msk_cluster", &["broker_node_group_info"]),
    ("aws_mq_broker", &["security_groups"]),
];

/// What a group is attached to: the resources that name it, the node groups of a launch template, the instance behind an
/// interface.
pub fn users(model: &Model, group: ResourceId) -> Vec<ResourceId> {
    let mut users: Vec<ResourceId> = Vec::new();
    for edge in model.graph.incoming(group) {
        let kind = &*model.resource(edge.from).kind;
        if kind == "aws_network_interface_sg_attachment" && &*edge.attribute == "security_group_id" {
            users.extend(model.referred(edge.from, "network_interface_id", "aws_instance"));
        }
        if !ATTACHING.iter().any(|(known, attributes)| *known == kind && attributes.contains(&&*edge.attribute)) {
            continue;
        }
        users.push(edge.from);
        match kind {
            "aws_launch_template" => {
                users.extend(model.referring(edge.from, "launch_template", "aws_eks_node_group"));
            }
            "aws_network_interface" => {
                users.extend(model.referring(edge.from, "network_interface", "aws_instance"));
            }
            _ => {}
        }
    }
    users.sort();
    users.dedup();
    users
}

/// One rule of a group and the resource that writes it.
#[derive(Debug, Clone)]
pub struct Rule<'a> {
    /// The group itself, or a rule on its own.
    pub resource: ResourceId,
    /// What it allows.
    pub flow: Flow<'a>,
}

/// The rules of a group in one direction.
pub fn rules(model: &Model, group: ResourceId, direction: Direction) -> Vec<Rule<'_>> {
    let own = RULES.iter().flat_map(|kind| model.referring(group, "security_group_id", kind));
    std::iter::once(group)
        .chain(own)
        .flat_map(|resource| flows(model.resource(resource)).into_iter().map(move |flow| Rule { resource, flow }))
        .filter(|rule| rule.flow.direction == direction)
        .collect()
}

/// The groups that a rule admits, as far as they are resources of the scan.
pub fn sources(model: &Model, rule: &Rule<'_>) -> Vec<ResourceId> {
    let of = |attribute: &str| -> Vec<ResourceId> {
        GROUPS.iter().flat_map(|kind| model.referred(rule.resource, attribute, kind)).collect()
    };
    if rule.flow.block.is_empty() {
        return [of("source_security_group_id"), of("referenced_security_group_id")].concat();
    }
    // The blocks of a group share its references: those of this block are told apart by name.
    let (Lookup::Known(node) | Lookup::Unknown(node)) = rule.flow.body.get("security_groups") else {
        return Vec::new();
    };
    let mut references = Vec::new();
    collect(node, &mut references);
    let named = |id: &ResourceId| {
        let group = model.resource(*id);
        references.iter().any(|one| one.strip_suffix(".id") == Some(&format!("{}.{}", group.kind, group.name)))
    };
    of(rule.flow.block).into_iter().filter(named).collect()
}

/// Whether an address block takes in all of the group's VPC; None where the text does not tell.
pub fn is_whole_network(model: &Model, group: ResourceId, peer: &Node) -> Option<bool> {
    if let Some(text) = peer.as_str() {
        let block: IpNet = text.trim().parse().ok()?;
        let vpc = model.referred(group, "vpc_id", "aws_vpc").into_iter().find_map(|vpc| {
            let network = model.resource(vpc).body.get("cidr_block").as_str()?;
            network.parse::<IpNet>().ok()
        });
        // No VPC is wider than a /16; of IPv6 addresses AWS gives each a /56.
        let widest = if matches!(block, IpNet::V6(_)) { 56 } else { 16 };
        return Some(block.prefix_len() <= widest || vpc.is_some_and(|vpc| block.contains(&vpc)));
    }
    let mut references = Vec::new();
    collect(peer, &mut references);
    let is_network = |reference: &&str| {
        let (name, attribute) = reference.rsplit_once('.').unwrap_or(("", ""));
        let is_vpc = name.trim_start_matches("data.").starts_with("aws_vpc.") && attribute == "cidr_block";
        is_vpc || name.starts_with("module.") && attribute == "vpc_cidr_block"
    };
    references.iter().any(is_network).then_some(true)
}
