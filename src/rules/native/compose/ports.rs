//! What services publish.

use super::service;
use crate::model::view::compose::{Port, ports};
use crate::model::{Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("compose-privileged-port", service(privileged_port)),
    ("compose-port-on-all-interfaces", service(all_interfaces)),
    ("compose-data-port-on-all-interfaces", service(data_port)),
];

fn privileged_port(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for port in ports(service) {
        let low = [port.published, port.target].into_iter().flatten().find(|(first, _)| *first < 1024 && *first > 0);
        if let Some((first, _)) = low {
            out.at(port.node.span, "ports", format!("port {first} is privileged, wanted one from 1024"));
        }
    }
}

fn all_interfaces(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for port in ports(service) {
        match port.is_on_all_interfaces() {
            Some(true) => {
                let message =
                    "the port is published on all interfaces of the host, wanted an address such as 127.0.0.1";
                out.at(port.node.span, "ports.host_ip", message);
            }
            Some(false) => {}
            None => out.undecided(),
        }
    }
}

/// Ports of stores, queues and their consoles, which rarely ask who is there.
const DATA: &[(u16, &str)] = &[
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2375, "the Docker API"),
    (2379, "etcd"),
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (5672, "RabbitMQ"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (7687, "Neo4j"),
    (8086, "InfluxDB"),
    (9042, "Cassandra"),
    (9092, "Kafka"),
    (9200, "Elasticsearch"),
    (11211, "Memcached"),
    (26257, "CockroachDB"),
    (27017, "MongoDB"),
];

fn data_port(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for port in ports(service) {
        let Port { target: Some((first, last)), .. } = port else { continue };
        let Some((number, what)) = DATA.iter().find(|(number, _)| (first..=last).contains(number)) else { continue };
        match port.is_on_all_interfaces() {
            Some(true) => {
                let message = format!(
                    "port {number} ({what}) is published on all interfaces of the host, past its firewall, wanted \
                     127.0.0.1 before it or no published port"
                );
                out.at(port.node.span, "ports.host_ip", message);
            }
            Some(false) => {}
            None => out.undecided(),
        }
    }
}
