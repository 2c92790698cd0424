//! Checks of security groups by what they are attached to: databases, tasks, nodes, clusters, load balancers.

use super::subnets::words;
use super::{Cx, Findings, Native, show};
use crate::model::view::flow::Direction;
use crate::model::view::security_group::{Rule, attached, holders, is_whole_network, rules, sources};
use crate::model::{Lookup, Node, Resource, ResourceId};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-security-group-database-open-to-cidr", Native::Resource("terraform", DATABASES, database_cidr)),
    ("aws-security-group-database-extra-port", Native::Resource("terraform", DATABASES, database_port)),
    ("aws-security-group-database-egress", Native::Resource("terraform", DATABASES, database_egress)),
    ("aws-security-group-task-open-to-cidr", Native::Resource("terraform", &["aws_ecs_service"], task_source)),
    (
        "aws-security-group-node-open-to-cidr",
        Native::Resource("terraform", &["aws_eks_node_group", "aws_security_group"], node_cidr),
    ),
    (
        "aws-security-group-load-balancer-extra-port",
        Native::Resource("terraform", &["aws_lb", "aws_alb"], balancer_port),
    ),
    ("aws-security-group-cluster-extra-port", Native::Resource("terraform", &["aws_eks_cluster"], cluster_port)),
    (
        "aws-vpc-default-security-group-open",
        Native::Resource("terraform", &["aws_vpc", "aws_default_security_group"], default_group),
    ),
    ("aws-security-group-bastion-ingress", Native::Resource("terraform", &["aws_instance"], bastion_ingress)),
];

const DATABASES: &[&str] = &["aws_db_instance", "aws_rds_cluster"];

/// Ports that RDS gives an engine by default, by how the engine's name starts; longer names first.
const ENGINE_PORTS: &[(&str, i64)] = &[
    ("aurora-postgresql", 5432),
    ("aurora", 3306),
    ("postgres", 5432),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("sqlserver", 1433),
    ("custom-sqlserver", 1433),
    ("oracle", 1521),
    ("custom-oracle", 1521),
    ("db2", 50_000),
];

/// Words that name a machine through which people reach others.
const BASTION: &[&str] = &["bastion", "jump", "jumpbox", "jumphost", "jumpserver"];

/// Whether an instance is a bastion by its label or its tags.
pub(super) fn is_bastion(instance: &Resource) -> bool {
    let tags = instance.body.get("tags").known().map(Node::entries).unwrap_or_default();
    let telling = tags.iter().filter(|tag| ["name", "role", "purpose"].contains(&tag.key.to_lowercase().as_str()));
    let modules = instance.address.rsplit_once("aws_instance.").map_or("", |(modules, _)| modules);
    let texts = [&*instance.name, modules].into_iter().chain(telling.filter_map(|tag| tag.node.as_str()));
    texts.flat_map(words).any(|word| BASTION.contains(&word.as_str()))
}

/// Each rule of each group; findings speak of the rule and show the holder beside it.
fn each(
    cx: &Cx,
    holder: &Resource,
    groups: Vec<ResourceId>,
    direction: Direction,
    out: &mut Findings,
    mut check: impl FnMut(ResourceId, &Rule, &mut Findings),
) {
    for group in groups {
        for rule in rules(cx.model, group, direction) {
            let known = out.found.len();
            check(group, &rule, out.about(rule.resource));
            if cx.model.resource(group).address == holder.address {
                continue;
            }
            for found in &mut out.found[known..] {
                found.related(holder.head, format!("{} uses {}", holder.address, cx.model.resource(group).address));
            }
        }
    }
}

/// The address blocks of a rule that take in the whole VPC. What is open to the internet has rules of its own, but for the ports
/// of the web, which these leave to load balancers.
fn wide_peers(cx: &Cx, group: ResourceId, rule: &Rule, wanted: &str, out: &mut Findings) {
    let flow = &rule.flow;
    let is_web = matches!(flow.ports, Some((80, 80) | (443, 443)));
    let open: Vec<&Node> = flow.open_peers().map(|(node, _)| node).collect();
    for (peer, name) in flow.peers.iter().chain(&flow.unknown_peers) {
        let is_open = open.iter().any(|one| std::ptr::eq(*one, *peer));
        let attribute = attribute(rule, name);
        match is_whole_network(cx.model, group, peer) {
            _ if is_open && !is_web => {}
            Some(true) => {
                let what = match peer.as_str() {
                    Some(_) if is_open => format!("{}, the whole internet", show(peer)),
                    Some(_) => show(peer),
                    None => "the whole VPC".into(),
                };
                out.fail_at_choice(peer, &attribute, format!("{attribute} is {what}, wanted {wanted}"));
            }
            Some(false) => {}
            None => out.undecided(),
        }
    }
}

fn attribute(rule: &Rule, name: &str) -> String {
    if rule.flow.block.is_empty() { name.to_string() } else { format!("{}.{name}", rule.flow.block) }
}

/// Ports other than the wanted ones. ICMP has none and is no service.
fn other_ports(rule: &Rule, is_wanted: impl Fn(i64, i64) -> bool, wanted: &str, out: &mut Findings) {
    let flow = &rule.flow;
    if flow.is_unknown {
        return out.undecided();
    }
    let Some((from, to)) = flow.ports else { return };
    if is_wanted(from, to) {
        return;
    }
    let (name, node) = ["from_port", "protocol", "ip_protocol"]
        .iter()
        .find_map(|name| Some((*name, flow.body.get(name).known()?)))
        .unwrap_or(("", flow.body));
    let ports = match (from, to) {
        (0, 65_535) => "every port is".into(),
        (from, to) if from == to => format!("port {from} is"),
        (from, to) => format!("ports {from} to {to} are"),
    };
    out.fail(node, attribute(rule, name), format!("{ports} open, wanted {wanted}"));
}

fn database_cidr(cx: &Cx, id: ResourceId, database: &Resource, out: &mut Findings) {
    each(cx, database, attached(cx.model, id), Direction::Ingress, out, |group, rule, out| {
        wide_peers(cx, group, rule, "the security groups of the database's clients", out);
    });
}

/// The port on which a database listens; None where it is not known.
fn port(database: &Resource) -> Option<i64> {
    match database.body.get("port") {
        Lookup::Known(node) => node.as_f64().map(|port| port as i64),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => {
            let engine = database.body.get("engine").known().and_then(Node::as_str)?;
            ENGINE_PORTS.iter().find(|(name, _)| engine.starts_with(name)).map(|(_, port)| *port)
        }
    }
}

fn database_port(cx: &Cx, id: ResourceId, database: &Resource, out: &mut Findings) {
    for group in attached(cx.model, id) {
        // A group that others share needs their ports too.
        let holders = holders(cx.model, group);
        let mut ports = Vec::new();
        for holder in holders {
            let holder = cx.model.resource(holder);
            match port(holder).filter(|_| DATABASES.contains(&&*holder.kind)) {
                Some(port) => ports.push(port),
                None => ports.push(-1),
            }
        }
        if ports.contains(&-1) {
            out.undecided();
            continue;
        }
        let Some(shown) = port(database) else { continue };
        each(cx, database, vec![group], Direction::Ingress, out, |_, rule, out| {
            let is_wanted = |from, to| from == to && ports.contains(&from);
            other_ports(rule, is_wanted, &format!("only the database's port {shown}"), out);
        });
    }
}

fn database_egress(cx: &Cx, id: ResourceId, database: &Resource, out: &mut Findings) {
    each(cx, database, attached(cx.model, id), Direction::Egress, out, |_, rule, out| {
        let at = cx.sources.get(rule.flow.body.span.file).first_line(rule.flow.body.span);
        out.at(at, rule.flow.block, "lets a database open connections, wanted no egress rule");
    });
}

/// Whether the service's targets keep their clients' addresses, as those of a network load balancer without a group do.
fn is_behind_network_balancer(cx: &Cx, id: ResourceId) -> bool {
    let groups = ["aws_lb_target_group", "aws_alb_target_group"];
    let groups = groups.iter().flat_map(|kind| cx.model.referred(id, "load_balancer", kind));
    groups.into_iter().any(|group| {
        let protocol = cx.model.resource(group).body.get("protocol");
        protocol.known().and_then(Node::as_str).is_some_and(|name| !matches!(name, "HTTP" | "HTTPS"))
    })
}

fn task_source(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    if service.body.get("load_balancer").is_absent() || is_behind_network_balancer(cx, id) {
        return;
    }
    each(cx, service, attached(cx.model, id), Direction::Ingress, out, |group, rule, out| {
        wide_peers(cx, group, rule, "the security group of the load balancer", out);
        // Other services and machines may be clients; people's way in is none.
        for source in sources(cx.model, rule) {
            let users = holders(cx.model, source);
            let is_bastion = |user: &ResourceId| {
                let user = cx.model.resource(*user);
                &*user.kind == "aws_instance" && is_bastion(user)
            };
            if users.is_empty() || !users.iter().all(is_bastion) {
                continue;
            }
            let names = ["source_security_group_id", "referenced_security_group_id", "security_groups"];
            let body = &rule.flow.body;
            let (name, node) = names
                .iter()
                .find_map(|name| match body.get(name) {
                    Lookup::Known(node) | Lookup::Unknown(node) => Some((*name, node)),
                    Lookup::Absent(_) => None,
                })
                .unwrap_or(("", body));
            let source = &cx.model.resource(source).address;
            let message = format!("admits the bastion's group {source}, wanted the load balancer's only");
            out.fail_at_choice(node, attribute(rule, name), message);
        }
    });
}

/// The groups of a node group's machines, or a group that Kubernetes knows as theirs by its tag.
fn node_cidr(cx: &Cx, id: ResourceId, resource: &Resource, out: &mut Findings) {
    let groups: Vec<ResourceId> = if &*resource.kind == "aws_eks_node_group" {
        let templates = cx.model.referred(id, "launch_template", "aws_launch_template");
        templates.into_iter().flat_map(|template| attached(cx.model, template)).collect()
    } else {
        let tags = resource.body.get("tags").known().map(Node::entries).unwrap_or_default();
        let is_tagged = tags.iter().any(|tag| tag.key.starts_with("kubernetes.io/cluster/"));
        let is_other = |holder: &ResourceId| {
            !matches!(&*cx.model.resource(*holder).kind, "aws_launch_template" | "aws_launch_configuration")
        };
        match is_tagged && !holders(cx.model, id).iter().any(is_other) {
            true => vec![id],
            false => return,
        }
    };
    each(cx, resource, groups, Direction::Ingress, out, |group, rule, out| {
        wide_peers(cx, group, rule, "the groups of the load balancer and of the cluster", out);
    });
}

fn balancer_port(cx: &Cx, id: ResourceId, balancer: &Resource, out: &mut Findings) {
    let other = |node: &Node| matches!(node.as_str(), Some("network" | "gateway"));
    if balancer.body.get("load_balancer_type").known().is_some_and(other) {
        return;
    }
    each(cx, balancer, attached(cx.model, id), Direction::Ingress, out, |_, rule, out| {
        if rule.flow.open_peers().next().is_some() {
            let is_wanted = |from, to| from == to && matches!(from, 80 | 443);
            other_ports(rule, is_wanted, "only 80 and 443 on a public load balancer", out);
        }
    });
}

fn cluster_port(cx: &Cx, id: ResourceId, cluster: &Resource, out: &mut Findings) {
    each(cx, cluster, attached(cx.model, id), Direction::Ingress, out, |_, rule, out| {
        // Members of a group may talk to each other.
        if rule.flow.body.get("self").known().and_then(Node::as_bool) != Some(true) {
            other_ports(rule, |from, to| (from, to) == (443, 443), "only the API's port 443", out);
        }
    });
}

/// A VPC whose default group nobody emptied; of a group whose VPC is elsewhere, the rules.
fn default_group(cx: &Cx, id: ResourceId, resource: &Resource, out: &mut Findings) {
    let open = |group: ResourceId| {
        [Direction::Ingress, Direction::Egress].into_iter().flat_map(move |direction| rules(cx.model, group, direction))
    };
    if &*resource.kind == "aws_vpc" {
        let groups = cx.model.referring(id, "vpc_id", "aws_default_security_group");
        let rule = groups.iter().flat_map(|group| open(*group)).next();
        if groups.is_empty() {
            out.at(resource.head, "", "no aws_default_security_group without rules takes over the default group");
        } else if let Some(rule) = rule {
            let at = cx.sources.get(rule.flow.body.span.file).first_line(rule.flow.body.span);
            out.at(resource.head, "", "its default security group has rules, wanted none").related(at, "a rule");
        }
        return;
    }
    if !cx.model.referred(id, "vpc_id", "aws_vpc").is_empty() {
        return;
    }
    for rule in open(id) {
        let at = cx.sources.get(rule.flow.body.span.file).first_line(rule.flow.body.span);
        out.at(at, rule.flow.block, "the default security group has a rule, wanted none");
    }
}

fn bastion_ingress(cx: &Cx, id: ResourceId, instance: &Resource, out: &mut Findings) {
    if !is_bastion(instance) {
        return;
    }
    each(cx, instance, attached(cx.model, id), Direction::Ingress, out, |_, rule, out| {
        let at = cx.sources.get(rule.flow.body.span.file).first_line(rule.flow.body.span);
        out.at(at, rule.flow.block, "lets connections in to a bastion, wanted none: Session Manager needs no ingress");
    });
}
