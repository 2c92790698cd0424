//! Checks of security groups and network ACLs.

use super::{Cx, Findings, Native, show};
use crate::model::view::flow::{Direction, Flow, NETWORK_ACLS, SECURITY_GROUPS, flows};
use crate::model::{Node, Resource, ResourceId};
use crate::rules::table::cidr_is_open;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    (
        "aws-security-group-public-ssh",
        Native::Resource("terraform", SECURITY_GROUPS, |_, _, resource, out| open_port(resource, 22, out)),
    ),
    (
        "aws-security-group-public-rdp",
        Native::Resource("terraform", SECURITY_GROUPS, |_, _, resource, out| open_port(resource, 3389, out)),
    ),
    ("aws-security-group-public-all-ports", Native::Resource("terraform", SECURITY_GROUPS, all_ports)),
    ("aws-security-group-public-sensitive-port", Native::Resource("terraform", SECURITY_GROUPS, sensitive_port)),
    ("aws-security-group-public-unexpected-port", Native::Resource("terraform", SECURITY_GROUPS, unexpected_port)),
    (
        "aws-security-group-public-egress",
        Native::Resource("terraform", SECURITY_GROUPS, |_, _, resource, out| egress(resource, false, out)),
    ),
    (
        "aws-security-group-unrestricted-egress",
        Native::Resource("terraform", SECURITY_GROUPS, |_, _, resource, out| egress(resource, true, out)),
    ),
    (
        "aws-nacl-public-ssh",
        Native::Resource("terraform", NETWORK_ACLS, |_, _, resource, out| open_port(resource, 22, out)),
    ),
    (
        "aws-nacl-public-rdp",
        Native::Resource("terraform", NETWORK_ACLS, |_, _, resource, out| open_port(resource, 3389, out)),
    ),
    (
        "aws-nacl-public-ftp",
        Native::Resource("terraform", NETWORK_ACLS, |_, _, resource, out| open_port(resource, 21, out)),
    ),
    (
        "aws-nacl-public-ftp-data",
        Native::Resource("terraform", NETWORK_ACLS, |_, _, resource, out| open_port(resource, 20, out)),
    ),
    (
        "aws-nacl-all-ports-open",
        Native::Resource("terraform", &["aws_network_acl", "aws_network_acl_rule"], acl_all_ports),
    ),
    (
        "aws-security-group-public-http",
        Native::Resource("terraform", SECURITY_GROUPS, |_, _, resource, out| open_port(resource, 80, out)),
    ),
    ("aws-security-group-public-ingress", Native::Resource("terraform", SECURITY_GROUPS, any_ingress)),
    ("aws-elb-unredirected-http", Native::Resource("terraform", &["aws_lb", "aws_alb"], unredirected)),
];

/// Ports of databases, caches, directories and remote administration; IANA's service names.
const SENSITIVE: &[(i64, &str)] = &[
    (20, "FTP"),
    (21, "FTP"),
    (23, "Telnet"),
    (25, "SMTP"),
    (110, "POP3"),
    (135, "RPC"),
    (139, "NetBIOS"),
    (389, "LDAP"),
    (445, "SMB"),
    (636, "LDAPS"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2375, "Docker"),
    (2379, "etcd"),
    (2483, "Oracle"),
    (3306, "MySQL"),
    (4505, "Salt"),
    (5432, "PostgreSQL"),
    (5601, "Kibana"),
    (5900, "VNC"),
    (6379, "Redis"),
    (6443, "Kubernetes"),
    (7001, "Cassandra"),
    (9042, "Cassandra"),
    (9200, "Elasticsearch"),
    (9300, "Elasticsearch"),
    (10250, "kubelet"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (27018, "MongoDB"),
];

/// Each flow of a direction that an open peer makes bad; unknown peers and ports are counted.
fn each_open(
    resource: &Resource,
    direction: Direction,
    out: &mut Findings,
    mut bad: impl FnMut(&Flow) -> Option<String>,
) {
    for flow in flows(resource).into_iter().filter(|flow| flow.direction == direction) {
        if flow.is_unknown || flow.has_unknown_peer {
            out.undecided();
        }
        let Some(what) = bad(&flow) else { continue };
        for (peer, name) in flow.open_peers() {
            let attribute = if flow.block.is_empty() { name.to_string() } else { format!("{}.{name}", flow.block) };
            let message = format!("{attribute} is {}: {what}", show(peer));
            out.fail(peer, attribute, message).in_rule(flow.body);
        }
    }
}

fn open_port(resource: &Resource, port: i64, out: &mut Findings) {
    each_open(resource, Direction::Ingress, out, |flow| {
        (flow.covers(port) && !is_denied_before(resource, flow, port))
            .then(|| format!("port {port} is open to the internet, wanted named networks"))
    });
}

/// Whether an entry of the same ACL with a lower number denies the port to the whole internet; the first that matches decides.
fn is_denied_before(resource: &Resource, flow: &Flow, port: i64) -> bool {
    let number = |body: &Node, name: &str| body.get(name).as_f64();
    let Some(own) = number(flow.body, "rule_no").filter(|_| !flow.block.is_empty()) else { return false };
    let entries = resource.body.get(flow.block).items();
    entries.iter().any(|entry| {
        let text = |name: &str| entry.get(name).as_str().unwrap_or("");
        let is_open = ["cidr_block", "ipv6_cidr_block"].iter().any(|name| cidr_is_open(text(name)));
        let is_whole = matches!(text("protocol"), "-1" | "all");
        let covers = number(entry, "from_port").is_some_and(|from| from <= port as f64)
            && number(entry, "to_port").is_some_and(|to| port as f64 <= to);
        text("action") == "deny"
            && is_open
            && (is_whole || covers)
            && number(entry, "rule_no").is_some_and(|no| no < own)
    })
}

fn all_ports(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    each_open(resource, Direction::Ingress, out, |flow| {
        flow.covers_all().then(|| "every port is open to the internet, wanted the ports that are needed".into())
    });
}

/// A load balancer of which a listener takes HTTP and does not send its clients to HTTPS.
fn unredirected(cx: &Cx, id: ResourceId, balancer: &Resource, out: &mut Findings) {
    let other = |node: &Node| matches!(node.as_str(), Some("network" | "gateway"));
    if balancer.body.get("load_balancer_type").known().is_some_and(other) {
        return;
    }
    let kinds = ["aws_lb_listener", "aws_alb_listener"];
    let listeners = kinds.iter().flat_map(|kind| cx.model.referring(id, "load_balancer_arn", kind));
    for listener in listeners.map(|id| cx.model.resource(id)) {
        let text = |path: &str| listener.body.at(path).as_str();
        let port = listener.body.get("port").as_f64();
        let is_http = port == Some(80.0) || text("protocol") == Some("HTTP");
        let to_https =
            text("default_action.redirect.protocol").is_some_and(|name| matches!(name, "HTTPS" | "#{protocol}"));
        if is_http && !(text("default_action.type") == Some("redirect") && to_https) {
            let message = format!("{} takes HTTP and does not redirect it to HTTPS", listener.address);
            out.at(balancer.head, "", message).related(listener.head, "the listener");
        }
    }
}

fn any_ingress(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    each_open(resource, Direction::Ingress, out, |_| {
        Some("the whole internet is admitted, wanted named networks".into())
    });
}

/// Whoever the peer is: an ACL is there to narrow ports. AWS's default ACL allows all and is left to the VPC's other controls.
fn acl_all_ports(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    for flow in flows(resource).into_iter().filter(|flow| flow.direction == Direction::Ingress) {
        if flow.is_unknown {
            out.undecided();
        }
        if !flow.covers_all() {
            continue;
        }
        let name = if flow.body.get("from_port").known().is_some_and(|port| port.as_f64() == Some(0.0))
            && flow.body.get("to_port").known().is_some_and(|port| port.as_f64() == Some(65_535.0))
        {
            "from_port"
        } else {
            "protocol"
        };
        let node = flow.body.get(name).known().unwrap_or(flow.body);
        let attribute = if flow.block.is_empty() { name.to_string() } else { format!("{}.{name}", flow.block) };
        out.fail(node, attribute, "every port is allowed in, wanted the ports that are needed").in_rule(flow.body);
    }
}

fn sensitive_port(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    each_open(resource, Direction::Ingress, out, |flow| {
        let (port, service) = SENSITIVE.iter().find(|(port, _)| flow.covers(*port))?;
        Some(format!("port {port} ({service}) is open to the internet, wanted the security group of its clients"))
    });
}

fn unexpected_port(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    each_open(resource, Direction::Ingress, out, |flow| {
        let (from, to) = flow.ports?;
        let has_own_rule = flow.covers(22) || flow.covers(3389) || SENSITIVE.iter().any(|(port, _)| flow.covers(*port));
        let is_web = from == to && matches!(from, 80 | 443);
        let ports = if from == to { format!("port {from}") } else { format!("ports {from} to {to}") };
        (!has_own_rule && !is_web).then(|| format!("{ports} open to the internet, wanted 80, 443 or named networks"))
    });
}

fn egress(resource: &Resource, only_all_ports: bool, out: &mut Findings) {
    each_open(resource, Direction::Egress, out, |flow| match only_all_ports {
        true => {
            flow.covers_all().then(|| "every port to the internet is allowed, wanted named networks and ports".into())
        }
        false => Some("traffic to the whole internet is allowed, wanted named networks".into()),
    });
}
