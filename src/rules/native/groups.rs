//! Checks of security groups by what they are attached to: databases, tasks, nodes, clusters, load balancers.

use std::collections::BTreeSet;

use super::subnets::words;
use super::{Cx, Findings, Native, show};
use crate::model::view::flow::Direction;
use crate::model::view::security_group::{GROUPS, Rule, is_whole_network, rules, sources, users};
use crate::model::{Lookup, Node, Resource, ResourceId};

/// The checks by name. Each looks at a group once, however many resources use it.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-security-group-database-open-to-cidr", Native::Resource("terraform", GROUPS, database_cidr)),
    ("aws-security-group-database-extra-port", Native::Resource("terraform", GROUPS, database_port)),
    ("aws-security-group-database-egress", Native::Resource("terraform", GROUPS, database_egress)),
    ("aws-security-group-task-open-to-cidr", Native::Resource("terraform", GROUPS, task_source)),
    ("aws-security-group-node-open-to-cidr", Native::Resource("terraform", GROUPS, node_cidr)),
    ("aws-security-group-load-balancer-extra-port", Native::Resource("terraform", GROUPS, balancer_port)),
    ("aws-security-group-cluster-extra-port", Native::Resource("terraform", GROUPS, cluster_port)),
    ("aws-security-group-bastion-ingress", Native::Resource("terraform", GROUPS, bastion_ingress)),
    (
        "aws-vpc-default-security-group-open",
        Native::Resource("terraform", &["aws_vpc", "aws_default_security_group"], default_group),
    ),
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
    let tags = instance.body.get("tags").entries();
    let telling = tags.iter().filter(|tag| ["name", "role", "purpose"].contains(&tag.key.to_lowercase().as_str()));
    let modules = instance.address.rsplit_once("aws_instance.").map_or("", |(modules, _)| modules);
    let texts = [&*instance.name, modules].into_iter().chain(telling.filter_map(|tag| tag.node.as_str()));
    texts.flat_map(words).any(|word| BASTION.contains(&word.as_str()))
}

/// The first user of a group for which something holds.
fn used_by<'a>(cx: &Cx<'a>, group: ResourceId, is_meant: impl Fn(&Resource) -> bool) -> Option<&'a Resource> {
    users(cx.model, group).into_iter().map(|user| cx.model.resource(user)).find(|user| is_meant(user))
}

/// Each rule of a group; findings speak of the rule and show the user beside it.
fn each(
    cx: &Cx,
    group: ResourceId,
    user: &Resource,
    direction: Direction,
    out: &mut Findings,
    mut check: impl FnMut(&Rule, &mut Findings),
) {
    for rule in rules(cx.model, group, direction) {
        let known = out.found.len();
        check(&rule, out.about(rule.resource));
        let address = &cx.model.resource(group).address;
        if user.address == *address {
            continue;
        }
        for found in &mut out.found[known..] {
            found.related(user.head, format!("{} uses {address}", user.address));
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

fn is_database(resource: &Resource) -> bool {
    DATABASES.contains(&&*resource.kind)
}

fn database_cidr(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let Some(database) = used_by(cx, id, is_database) else { return };
    each(cx, id, database, Direction::Ingress, out, |rule, out| {
        wide_peers(cx, id, rule, "the security groups of the database's clients", out);
    });
}

/// The port on which a database listens; None where it is not known.
fn port(database: &Resource) -> Option<i64> {
    match database.body.get("port") {
        Lookup::Known(node) => node.as_f64().map(|port| port as i64),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => {
            let engine = database.body.get("engine").as_str()?;
            ENGINE_PORTS.iter().find(|(name, _)| engine.starts_with(name)).map(|(_, port)| *port)
        }
    }
}

fn database_port(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let users = users(cx.model, id);
    let Some(database) = users.iter().map(|user| cx.model.resource(*user)).find(|user| is_database(user)) else {
        return;
    };
    // A group that others share needs their ports too.
    let ports = users.iter().map(|user| port(cx.model.resource(*user))).collect::<Option<BTreeSet<i64>>>();
    let Some(ports) = ports.filter(|_| users.iter().all(|user| is_database(cx.model.resource(*user)))) else {
        return out.undecided();
    };
    let shown: Vec<String> = ports.iter().map(i64::to_string).collect();
    let wanted = format!("only the database's port {}", shown.join(" or "));
    each(cx, id, database, Direction::Ingress, out, |rule, out| {
        other_ports(rule, |from, to| from == to && ports.contains(&from), &wanted, out);
    });
}

fn database_egress(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let Some(database) = used_by(cx, id, is_database) else { return };
    each(cx, id, database, Direction::Egress, out, |rule, out| {
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
        protocol.as_str().is_some_and(|name| !matches!(name, "HTTP" | "HTTPS"))
    })
}

fn task_source(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let services: Vec<ResourceId> = users(cx.model, id)
        .into_iter()
        .filter(|user| {
            let user = cx.model.resource(*user);
            &*user.kind == "aws_ecs_service" && !user.body.get("load_balancer").is_absent()
        })
        .collect();
    let Some(first) = services.first() else { return };
    if services.iter().any(|service| is_behind_network_balancer(cx, *service)) {
        return;
    }
    each(cx, id, cx.model.resource(*first), Direction::Ingress, out, |rule, out| {
        wide_peers(cx, id, rule, "the security group of the load balancer", out);
        // Other services and machines may be clients; people's way in is none.
        for source in sources(cx.model, rule) {
            let clients = users(cx.model, source);
            let is_bastion = |client: &ResourceId| {
                let client = cx.model.resource(*client);
                &*client.kind == "aws_instance" && is_bastion(client)
            };
            if clients.is_empty() || !clients.iter().all(is_bastion) {
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

/// The group of a node group's machines, or one that Kubernetes knows as theirs by its tag.
fn node_cidr(cx: &Cx, id: ResourceId, group: &Resource, out: &mut Findings) {
    let users = users(cx.model, id);
    let is_kind = |kinds: &[&str], user: &ResourceId| kinds.contains(&&*cx.model.resource(*user).kind);
    let nodes = users.iter().find(|user| is_kind(&["aws_eks_node_group"], user)).map(|user| cx.model.resource(*user));
    let tags = group.body.get("tags").entries();
    let machines = ["aws_launch_template", "aws_launch_configuration"];
    let is_tagged = tags.iter().any(|tag| tag.key.starts_with("kubernetes.io/cluster/"))
        && users.iter().all(|user| is_kind(&machines, user));
    let Some(user) = nodes.or(is_tagged.then_some(group)) else { return };
    each(cx, id, user, Direction::Ingress, out, |rule, out| {
        wide_peers(cx, id, rule, "the groups of the load balancer and of the cluster", out);
    });
}

fn balancer_port(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let is_application = |user: &Resource| {
        let other = |node: &Node| matches!(node.as_str(), Some("network" | "gateway"));
        matches!(&*user.kind, "aws_lb" | "aws_alb") && !user.body.get("load_balancer_type").known().is_some_and(other)
    };
    let Some(balancer) = used_by(cx, id, is_application) else { return };
    each(cx, id, balancer, Direction::Ingress, out, |rule, out| {
        if rule.flow.open_peers().next().is_some() {
            let is_wanted = |from, to| from == to && matches!(from, 80 | 443);
            other_ports(rule, is_wanted, "only 80 and 443 on a public load balancer", out);
        }
    });
}

fn cluster_port(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let Some(cluster) = used_by(cx, id, |user| &*user.kind == "aws_eks_cluster") else { return };
    each(cx, id, cluster, Direction::Ingress, out, |rule, out| {
        // Members of a group may talk to each other.
        if rule.flow.body.get("self").as_bool() != Some(true) {
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

fn bastion_ingress(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    let Some(bastion) = used_by(cx, id, |user| &*user.kind == "aws_instance" && is_bastion(user)) else { return };
    each(cx, id, bastion, Direction::Ingress, out, |rule, out| {
        let at = cx.sources.get(rule.flow.body.span.file).first_line(rule.flow.body.span);
        out.at(at, rule.flow.block, "lets connections in to a bastion, wanted none: Session Manager needs no ingress");
    });
}
