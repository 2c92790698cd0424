//! Kinds of the API and their versions: what no release has, what one dropped, and what one will.

use crate::model::kubernetes::{Type, is_built_in, kinds, versions};
use crate::model::{Lookup, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native};
use crate::spelling::nearest;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-unknown-kind", Native::Resource("kubernetes", &["*"], unknown_kind)),
    ("k8s-removed-api-version", Native::Resource("kubernetes", &["*"], removed_api)),
    ("k8s-deprecated-api-version", Native::Resource("kubernetes", &["*"], deprecated_api)),
];

/// A version of the API, the kinds of it that are meant (none for all), and a minor version of Kubernetes 1.
type Since = (&'static str, &'static [&'static str], u8);

/// What a release dropped. Source: the deprecated API migration guide of the Kubernetes project.
const REMOVED: &[Since] = &[
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

/// What is still served, by the release that deprecated it, and what to use.
const DEPRECATED: &[(Since, &str)] = &[
    (("v1", &["ComponentStatus"], 19), "the health endpoints of the components"),
    (("v1", &["Endpoints"], 33), "discovery.k8s.io/v1 EndpointSlice"),
];

fn since<'a>(list: impl IntoIterator<Item = &'a Since>, resource: &Resource) -> Option<u8> {
    let is_meant = |(name, kinds, _): &&Since| {
        *name == &*resource.api_version && (kinds.is_empty() || kinds.contains(&&*resource.kind))
    };
    list.into_iter().find(is_meant).map(|(.., minor)| *minor)
}

/// What to write in place of a removed version.
fn successor(kind: &str) -> String {
    match (versions(kind).first(), kind) {
        (Some(version), _) => (*version).to_string(),
        (None, "PodSecurityPolicy" | "PodSecurityPolicyList") => "the levels of Pod Security admission".into(),
        (None, _) => "what the migration guide names".into(),
    }
}

/// At the version, or at what stands for it: Terraform's resource type does.
fn report(resource: &Resource, message: String, out: &mut Findings) {
    match resource.body.get("apiVersion") {
        Lookup::Known(node) => out.fail(node, "apiVersion", message),
        other => out.at(other.node().span, "apiVersion", message),
    };
}

fn removed_api(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Some(minor) = since(REMOVED, resource) else { return };
    if cx.options.kubernetes.minor.is_some_and(|own| own < minor) {
        return;
    }
    let (version, kind) = (&resource.api_version, &resource.kind);
    report(resource, format!("{version} {kind} is gone since Kubernetes 1.{minor}, wanted {}", successor(kind)), out);
}

fn deprecated_api(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let (version, kind) = (&resource.api_version, &resource.kind);
    let own = cx.options.kubernetes.minor;
    let later = since(REMOVED, resource).filter(|minor| own.is_some_and(|own| own < *minor));
    if let Some(minor) = later {
        let wanted = successor(kind);
        let message = format!("{version} {kind} goes with Kubernetes 1.{minor}, wanted {wanted}");
        return report(resource, message, out);
    }
    let found = DEPRECATED.iter().find_map(|(one, wanted)| Some((since([one], resource)?, wanted)));
    if let Some((minor, wanted)) = found
        && own.is_none_or(|own| own >= minor)
    {
        let message = format!("{version} {kind} is deprecated since Kubernetes 1.{minor}, wanted {wanted}");
        report(resource, message, out);
    }
}

/// Kinds that no release describes and that are right all the same: of clients, of requests, and of OpenShift before its API had
/// groups.
const OTHERS: &[&str] = &[
    "List",
    "Status",
    "Config",
    "Binding",
    "Eviction",
    "EncryptionConfig",
    "Policy",
    "ComponentStatus",
    "RangeAllocation",
    "SerializedReference",
    "PodStatusResult",
    "DeleteOptions",
    "WatchEvent",
    "Preferences",
    "TokenRequest",
    "TokenReview",
    "SelfSubjectReview",
    "SubjectAccessReview",
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
    "LocalSubjectAccessReview",
    "APIGroup",
    "APIResourceList",
    "APIVersions",
    "Scale",
    "Template",
    "DeploymentConfig",
    "BuildConfig",
    "Build",
    "ImageStream",
    "ImageStreamTag",
    "Route",
    "Project",
    "ProjectRequest",
    "User",
    "Group",
    "Identity",
    "OAuthClient",
    "SecurityContextConstraints",
    "ClusterNetwork",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
];

/// A kind or version of a built-in group that no release has: the API server refuses the object, and rules about its kind or
/// its fields do not see it.
fn unknown_kind(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let (version, kind) = (&*resource.api_version, &*resource.kind);
    let Lookup::Known(written) = resource.body.get("apiVersion") else { return };
    if written.as_str() != Some(version) || Type::of_kind(version, kind).is_some() || !is_built_in(version) {
        return;
    }
    let is_list = kind.strip_suffix("List").is_some_and(|item| !versions(item).is_empty());
    let is_other = OTHERS.contains(&kind);
    let is_old = since(REMOVED, resource).is_some();
    if is_list || is_other || is_old {
        return;
    }
    let known = versions(kind);
    if let Some(wanted) = known.first() {
        let message = format!("{version} has no {kind}, wanted {wanted}; its fields were not judged");
        out.fail(written, "apiVersion", message);
        return;
    }
    let Lookup::Known(node) = resource.body.get("kind") else { return };
    let meant = nearest(kind, &kinds()).map(|near| format!(", did you mean {near}?")).unwrap_or_default();
    let message = format!("{version} has no kind {kind}{meant}; what the object holds was not judged");
    out.fail(node, "kind", message);
}
