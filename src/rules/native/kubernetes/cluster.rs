//! Configuration of the cluster itself: encryption at rest, removed versions of the API.

use crate::model::{Lookup, Node, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    (
        "k8s-unencrypted-secrets-at-rest",
        Native::Resource("kubernetes", &["EncryptionConfiguration", "EncryptionConfig"], encryption),
    ),
    ("k8s-removed-api-version", Native::Resource("kubernetes", &["*"], removed_api)),
];

/// The first provider of a list writes; the others only read.
fn encryption(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let resources = resource.body.get("resources").known().map(Node::items).unwrap_or_default();
    for group in resources {
        let Lookup::Known(providers) = group.get("providers") else {
            out.at(group.span, "resources.providers", "no provider encrypts, wanted kms, secretbox or aescbc");
            continue;
        };
        let Some(first) = providers.items().first() else { continue };
        if first.entries().iter().any(|entry| &*entry.key == "identity") {
            out.fail(
                first,
                "resources.providers",
                "the first provider is identity, which does not encrypt, wanted kms, secretbox or aescbc",
            );
        }
    }
}

/// Group and version, the kinds (none for all), and the minor version of Kubernetes 1 that dropped them.
/// Source: the deprecated API migration guide of the Kubernetes project.
const REMOVED: &[(&str, &[&str], u8)] = &[
    ("extensions/v1beta1", &["Ingress"], 22),
    ("extensions/v1beta1", &[], 16),
    ("apps/v1beta1", &[], 16),
    ("apps/v1beta2", &[], 16),
    ("admissionregistration.k8s.io/v1beta1", &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"], 22),
    ("admissionregistration.k8s.io/v1beta1", &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"], 34),
    ("apiextensions.k8s.io/v1beta1", &[], 22),
    ("apiregistration.k8s.io/v1beta1", &[], 22),
    ("authentication.k8s.io/v1beta1", &["TokenReview"], 22),
    ("authorization.k8s.io/v1beta1", &[], 22),
    ("autoscaling/v2beta1", &[], 25),
    ("autoscaling/v2beta2", &[], 26),
    ("batch/v1beta1", &[], 25),
    ("batch/v2alpha1", &[], 21),
    ("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], 22),
    ("coordination.k8s.io/v1beta1", &["Lease"], 22),
    ("discovery.k8s.io/v1beta1", &[], 25),
    ("events.k8s.io/v1beta1", &[], 25),
    ("flowcontrol.apiserver.k8s.io/v1beta1", &[], 26),
    ("flowcontrol.apiserver.k8s.io/v1beta2", &[], 29),
    ("flowcontrol.apiserver.k8s.io/v1beta3", &[], 32),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22),
    ("node.k8s.io/v1beta1", &[], 25),
    ("policy/v1beta1", &[], 25),
    ("rbac.authorization.k8s.io/v1alpha1", &[], 22),
    ("rbac.authorization.k8s.io/v1beta1", &[], 22),
    ("scheduling.k8s.io/v1alpha1", &["PriorityClass"], 22),
    ("scheduling.k8s.io/v1beta1", &[], 22),
    ("storage.k8s.io/v1beta1", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], 22),
    ("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], 27),
];

fn removed_api(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let version = &*resource.api_version;
    let is_meant = |(name, kinds, _): &&(&str, &[&str], u8)| {
        *name == version && (kinds.is_empty() || kinds.contains(&&*resource.kind))
    };
    let Some((_, _, minor)) = REMOVED.iter().find(is_meant) else { return };
    let message = format!("{version} {} is gone since Kubernetes 1.{minor}, wanted its successor", resource.kind);
    match resource.body.get("apiVersion") {
        Lookup::Known(node) => out.fail(node, "apiVersion", message),
        // Terraform's resource type stands for the version.
        other => out.at(other.node().span, "apiVersion", message),
    };
}
