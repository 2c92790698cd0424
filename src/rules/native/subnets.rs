//! Checks of where things lie in a network: public and private subnets, tiers, NAT gateways.

use std::collections::BTreeSet;

use super::{Cx, Findings, Native};
use crate::model::view::network::{Exposure, Placement, SUBNETS, exposure, placement};
use crate::model::{Lookup, Resource, ResourceId};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-ecs-service-in-public-subnet", Native::Resource("terraform", &["aws_ecs_service"], service)),
    ("aws-rds-in-public-subnet", Native::Resource("terraform", &["aws_db_instance", "aws_rds_cluster"], database)),
    ("aws-vpc-private-subnet-with-internet-route", Native::Resource("terraform", &["aws_subnet"], private_by_name)),
    ("aws-vpc-shared-nat-gateway", Native::Resource("terraform", &["aws_vpc"], shared_nat)),
    ("aws-vpc-missing-data-tier", Native::Resource("terraform", SUBNETS, data_tier)),
];

/// Words in a subnet's name or tags that promise that it is not public.
const PRIVATE: &[&str] = &["private", "data", "database", "db", "isolated", "internal"];

/// What runs in subnets beside databases, and the argument that names the subnets.
const COMPUTE: &[(&str, &str)] = &[
    ("aws_ecs_service", "network_configuration"),
    ("aws_eks_node_group", "subnet_ids"),
    ("aws_eks_fargate_profile", "subnet_ids"),
    ("aws_instance", "subnet_id"),
    ("aws_autoscaling_group", "vpc_zone_identifier"),
    ("aws_lambda_function", "vpc_config"),
    ("aws_lb", "subnets"),
    ("aws_alb", "subnets"),
];

fn service(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    // The service's own address flag does not matter: the route does.
    let (Lookup::Known(node) | Lookup::Unknown(node)) = service.body.at("network_configuration.subnets") else {
        return;
    };
    match placement(cx.model, id, "network_configuration", node) {
        Placement::Public(subnet, route) => {
            let message = format!(
                "network_configuration.subnets holds {}, wanted subnets without a route to an internet gateway",
                name(cx, subnet)
            );
            let found = out.fail_at_choice(node, "network_configuration.subnets", message);
            explain(cx, found, subnet, route);
        }
        Placement::Private => {}
        Placement::Unknown => out.undecided(),
    }
}

fn database(cx: &Cx, id: ResourceId, database: &Resource, out: &mut Findings) {
    let (Lookup::Known(node) | Lookup::Unknown(node)) = database.body.get("db_subnet_group_name") else { return };
    let mut groups = cx.model.referred(id, "db_subnet_group_name", "aws_db_subnet_group");
    if let Some(name) = node.as_str()
        && groups.is_empty()
    {
        let same_name = |one: &Resource| one.body.get("name").as_str() == Some(name);
        let named = cx.model.iter().filter(|(_, one)| &*one.kind == "aws_db_subnet_group" && one.root == database.root);
        groups.extend(named.filter(|(_, one)| same_name(one)).map(|(id, _)| id));
    }
    if groups.is_empty() {
        return out.undecided();
    }
    for group_id in groups {
        let group = cx.model.resource(group_id);
        let (Lookup::Known(listed) | Lookup::Unknown(listed)) = group.body.get("subnet_ids") else { continue };
        match placement(cx.model, group_id, "subnet_ids", listed) {
            Placement::Public(subnet, route) => {
                let message = format!(
                    "db_subnet_group_name leads to {}, wanted subnets without a route to an internet gateway",
                    name(cx, subnet)
                );
                // The name of the group is decided somewhere else, but that is not what is wrong with it.
                let found = out.at(node.span, "db_subnet_group_name", message);
                found.related(listed.span, format!("{} lists its subnets", group.address));
                explain(cx, found, subnet, route);
            }
            Placement::Private => {}
            Placement::Unknown => out.undecided(),
        }
    }
}

fn name(cx: &Cx, subnet: Option<ResourceId>) -> String {
    match subnet {
        Some(id) => format!("the public subnet {}", cx.model.resource(id).address),
        None => "public subnets".into(),
    }
}

fn explain(cx: &Cx, found: &mut super::Found, subnet: Option<ResourceId>, route: Span) {
    if let Some(id) = subnet {
        let subnet = cx.model.resource(id);
        found.related(subnet.head, format!("{} is public", subnet.address));
    }
    found.related(cx.sources.get(route.file).first_line(route), "because of this");
}

fn private_by_name(cx: &Cx, id: ResourceId, subnet: &Resource, out: &mut Findings) {
    if !is_private_by_name(subnet) {
        return;
    }
    match exposure(cx.model, id) {
        Exposure::Public(route) => {
            let message = "the name says private, but its route table has a route to an internet gateway";
            let found = out.at(subnet.head, "", message);
            found.related(cx.sources.get(route.file).first_line(route), "the route");
        }
        Exposure::Private => {}
        Exposure::Unknown => out.undecided(),
    }
}

/// Whether the label, the instance key or a tag calls a subnet private and none calls it public.
fn is_private_by_name(subnet: &Resource) -> bool {
    let label = subnet.address.rsplit_once("aws_subnet.").map_or(&*subnet.name, |(_, label)| label);
    let tags = subnet.body.get("tags").entries();
    let telling = tags.iter().filter(|tag| ["name", "tier", "type"].contains(&tag.key.to_lowercase().as_str()));
    let texts = std::iter::once(label).chain(telling.filter_map(|tag| tag.node.as_str()));
    let words: Vec<String> = texts.flat_map(words).collect();
    words.iter().any(|word| PRIVATE.contains(&word.as_str())) && !words.iter().any(|word| word == "public")
}

/// The words of a name, in lower case.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether an instance number stands for one that is not known.
fn has_unknown_number(resource: &Resource) -> bool {
    ["count", "for_each"].iter().any(|name| resource.body.get(name).is_unknown())
}

fn shared_nat(cx: &Cx, vpc_id: ResourceId, _: &Resource, out: &mut Findings) {
    let all: Vec<ResourceId> = SUBNETS.iter().flat_map(|kind| cx.model.referring(vpc_id, "vpc_id", kind)).collect();
    let mut gateways: Vec<ResourceId> =
        all.iter().flat_map(|subnet| cx.model.referring(*subnet, "subnet_id", "aws_nat_gateway")).collect();
    gateways.sort();
    gateways.dedup();
    gateways.retain(|id| {
        let body = &cx.model.resource(*id).body;
        let text = |name: &str| body.get(name).as_str();
        text("connectivity_type") != Some("private")
    });
    let Some(first) = gateways.first() else { return };
    let is_regional = |id: &ResourceId| {
        let body = &cx.model.resource(*id).body;
        body.get("availability_mode").as_str() == Some("regional")
    };
    if gateways.iter().any(is_regional) {
        return;
    }
    let private: Vec<&Resource> = all
        .iter()
        .filter(|id| exposure(cx.model, **id) == Exposure::Private)
        .map(|id| cx.model.resource(*id))
        .collect();
    if private.iter().copied().chain(gateways.iter().map(|id| cx.model.resource(*id))).any(has_unknown_number) {
        return out.undecided();
    }
    let known: BTreeSet<&str> =
        private.iter().filter_map(|subnet| subnet.body.get("availability_zone").as_str()).collect();
    let zones = match known.len() {
        // Zones from a data source are unknown one by one; the subnets of one resource are spread over them.
        0 => private.iter().map(|one| private.iter().filter(|other| same_block(one, other)).count()).max().unwrap_or(0),
        number => number,
    };
    if zones > 1 && gateways.len() < zones {
        let message = format!(
            "{} NAT gateway{} for private subnets in {zones} availability zones, wanted one in each zone",
            gateways.len(),
            if gateways.len() == 1 { "" } else { "s" }
        );
        out.about(*first).at(cx.model.resource(*first).head, "", message);
    }
}

fn same_block(a: &Resource, b: &Resource) -> bool {
    a.head == b.head && a.calls == b.calls
}

fn data_tier(cx: &Cx, id: ResourceId, subnet: &Resource, out: &mut Findings) {
    let Some(group_id) = cx.model.referring(id, "subnet_ids", "aws_db_subnet_group").first().copied() else { return };
    let tenant = cx.model.graph.incoming(id).iter().find(|edge| {
        let kind = &*cx.model.resource(edge.from).kind;
        COMPUTE.iter().any(|(known, argument)| *known == kind && *argument == &*edge.attribute)
    });
    let Some(tenant) = tenant.map(|edge| cx.model.resource(edge.from)) else { return };
    let group = cx.model.resource(group_id);
    let (Lookup::Known(node) | Lookup::Unknown(node)) = group.body.get("subnet_ids") else { return };
    // Which subnet it is does not matter: one finding for the group says it.
    let message = format!("the database shares subnets with {}, wanted a tier for data alone", tenant.address);
    let found = out.about(group_id).at(node.span, "subnet_ids", message);
    found.related(tenant.head, "runs in the same subnet").related(subnet.head, format!("{} is one", subnet.address));
}
