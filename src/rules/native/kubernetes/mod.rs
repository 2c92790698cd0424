//! Checks of Kubernetes objects that a table cannot state: what joins several objects, and what the API counts in a way of its
//! own. Objects that Terraform declares are judged as manifests are.

mod cluster;
mod fields;
pub(super) mod image;
mod ingress;
mod legacy;
mod missing;
mod network;
mod object;
mod pod;
mod profile;
mod rbac;
mod replicas;
mod version;
mod volume;
mod workload;

use super::Native;
use crate::model::Resource;
use crate::source::Span;

/// The checks by name; one slice per subject.
pub const CHECKS: &[&[(&str, Native)]] = &[
    cluster::CHECKS,
    fields::CHECKS,
    image::CHECKS,
    ingress::CHECKS,
    legacy::CHECKS,
    missing::CHECKS,
    network::CHECKS,
    object::CHECKS,
    pod::CHECKS,
    profile::CHECKS,
    rbac::CHECKS,
    replicas::CHECKS,
    version::CHECKS,
    volume::CHECKS,
    workload::CHECKS,
];

/// Where an object that lacks something is reported: at its name.
pub fn name_span(object: &Resource) -> Span {
    object.body.at("metadata.name").known().map_or(object.head, |name| name.span)
}
