//! What holds for objects of any kind: namespaces, labels, names of ports and the order of keys.

use super::name_span;
use crate::model::view::pod::pod;
use crate::model::view::selector::{each as each_of, namespace, share_namespace};
use crate::model::{Lookup, Node, Resource, ResourceId, Value};
use crate::rules::native::containers::each;
use crate::rules::native::{Cx, Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-default-namespace", Native::Resource("kubernetes", &["*"], default_namespace)),
    ("k8s-pod-refused-by-namespace", Native::Admission),
    ("k8s-namespace-missing-limit-range", Native::Pod(|cx, id, _, out| namespaced(cx, id, "LimitRange", out))),
    ("k8s-namespace-missing-quota", Native::Pod(|cx, id, _, out| namespaced(cx, id, "ResourceQuota", out))),
    ("k8s-invalid-port-name", Native::Resource("kubernetes", &["*"], port_names)),
    ("k8s-cyclic-owner", Native::Resource("kubernetes", &["*"], cyclic_owner)),
    ("k8s-invalid-label", Native::Resource("kubernetes", &["*"], invalid_label)),
    ("k8s-unsorted-keys", Native::Resource("kubernetes", &["*"], unsorted)),
    (
        "k8s-namespace-missing-pod-security",
        Native::Resource("kubernetes", &["Namespace"], |_, _, one, out| pod_security(one, Level::Any, out)),
    ),
    (
        "k8s-namespace-privileged-pod-security",
        Native::Resource("kubernetes", &["Namespace"], |_, _, one, out| pod_security(one, Level::Baseline, out)),
    ),
    (
        "k8s-namespace-weak-pod-security",
        Native::Resource("kubernetes", &["Namespace"], |_, _, one, out| pod_security(one, Level::Restricted, out)),
    ),
];

/// Kinds that lie in a namespace and that people write; others have no namespace or belong to the cluster.
const NAMESPACED: &[&str] = &[
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Service",
    "Ingress",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "DeploymentConfig",
];

fn default_namespace(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if !NAMESPACED.contains(&&*resource.kind) {
        return;
    }
    // What the cluster itself brings lives there.
    if matches!((&*resource.kind, &*resource.name), ("ServiceAccount", "default") | ("Service", "kubernetes")) {
        return;
    }
    match resource.body.at("metadata.namespace") {
        Lookup::Known(node) if node.as_str() == Some("default") => {
            out.fail(node, "metadata.namespace", "metadata.namespace is \"default\", wanted a namespace of its own");
        }
        Lookup::Absent(_) => {
            out.at(
                name_span(resource),
                "metadata.namespace",
                "metadata.namespace is not set, wanted a namespace of its own",
            );
        }
        _ => {}
    }
}

/// A workload whose namespace has no object of this kind.
fn namespaced(cx: &Cx, id: ResourceId, kind: &str, out: &mut Findings) {
    let workload = cx.model.resource(id);
    if namespace(workload).is_some()
        && !each_of(cx.model, cx.model.cluster().of_kind_near(kind, workload))
            .any(|one| share_namespace(one, workload) != Some(false))
    {
        out.at(
            name_span(workload),
            "metadata.namespace",
            format!("the tree declares no {kind} for its namespace, wanted one"),
        );
    }
}

/// Names of ports are IANA service names: at most 15 of `a-z`, `0-9` and single `-` inside, with a letter among them.
fn is_port_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn port_names(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let judge = |node: &Node, attribute: &str, out: &mut Findings| {
        let bad = match (node.as_f64(), node.as_str()) {
            (Some(number), _) => !(1.0..=65535.0).contains(&number),
            (_, Some(name)) => !is_port_name(name),
            _ => false,
        };
        if bad {
            out.fail(
                node,
                attribute,
                format!("{attribute} is {}, wanted 1 to 65535 or a name of at most 15 a-z, 0-9 and -", show(node)),
            );
        }
    };
    if &*resource.kind == "Service" && &*resource.api_version == "v1" {
        for port in resource.body.at("spec.ports").items() {
            if let Lookup::Known(node) = port.get("targetPort") {
                judge(node, "targetPort", out);
            }
        }
        return;
    }
    let Some(pod) = pod(resource) else { return };
    each(pod, out, |container, out| {
        for port in container.body.get("ports").items() {
            if let Lookup::Known(node) = port.get("name") {
                judge(node, "ports.name", out);
            }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            for action in ["httpGet", "tcpSocket"] {
                if let Lookup::Known(node) = container.body.at(&format!("{probe}.{action}.port")) {
                    judge(node, "port", out);
                }
            }
        }
    });
}

/// Objects that a search for owners looks at, at most: no chain of owners is near as long.
const OWNERS: usize = 64;

/// The objects of the tree that an object names as its owners, each with the reference. An owner of a namespace lies in it.
fn owners<'a>(cx: &Cx<'a>, object: &'a Resource) -> Vec<(ResourceId, &'a Node)> {
    let references = object.body.at("metadata.ownerReferences").items();
    let found = references.iter().flat_map(|reference| {
        let text = |key: &str| reference.get(key).as_str();
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else { return Vec::new() };
        let named = cx.model.cluster().named(kind, name, Some(object)).into_iter();
        named.filter(|id| &*cx.model.resource(*id).name == name).map(|id| (id, reference)).collect()
    });
    found.collect()
}

/// An object that owns itself by way of others is told once, at the first of them.
fn cyclic_owner(cx: &Cx, id: ResourceId, object: &Resource, out: &mut Findings) {
    for (owner, reference) in owners(cx, object) {
        let mut seen = vec![owner];
        let mut next = 0;
        while next < seen.len() && seen.len() < OWNERS && !seen.contains(&id) {
            let above = owners(cx, cx.model.resource(seen[next])).into_iter().map(|(above, _)| above);
            let above: Vec<ResourceId> = above.filter(|above| *above >= id && !seen.contains(above)).collect();
            seen.extend(above);
            next += 1;
        }
        if owner >= id && seen.contains(&id) {
            let name = reference.get("name").known().unwrap_or(reference);
            let message = format!(
                "the object owns its owner {}: neither is ever deleted, wanted owners without a circle",
                show(name)
            );
            out.fail(name, "metadata.ownerReferences", message);
            return;
        }
    }
}

fn is_label(value: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    value.is_empty()
        || value.len() <= 63
            && is_end(value.as_bytes().first())
            && is_end(value.as_bytes().last())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn invalid_label(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Lookup::Known(labels) = resource.body.at("metadata.labels") else { return };
    for entry in labels.entries() {
        let is_bad = match &entry.node.value {
            Value::String(text) => !is_label(text),
            Value::Bool(_) | Value::Number(_) => resource.body.get("apiVersion").known().is_some(),
            _ => false,
        };
        if is_bad {
            let message = format!("label {} is {}, which the API server refuses", entry.key, show(&entry.node));
            out.fail(&entry.node, "metadata.labels", message);
        }
    }
}

/// The first key of every mapping that stands before one that sorts after it.
fn unsorted(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if resource.body.get("apiVersion").known().is_none() {
        return;
    }
    unsorted_below(&resource.body, "", out);
}

fn unsorted_below(node: &Node, path: &str, out: &mut Findings) {
    for item in node.items() {
        unsorted_below(item, path, out);
    }
    let entries = node.entries();
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].key > pair[1].key) {
        let message = format!("{} stands after {}, wanted sorted keys", pair[1].key, pair[0].key);
        out.at(pair[1].key_span, path, message);
    }
    for entry in entries {
        let below = if path.is_empty() { entry.key.to_string() } else { format!("{path}.{}", entry.key) };
        unsorted_below(&entry.node, &below, out);
    }
}

/// What a namespace must enforce at least.
#[derive(PartialEq, Clone, Copy)]
enum Level {
    Any,
    Baseline,
    Restricted,
}

fn pod_security(resource: &Resource, wanted: Level, out: &mut Findings) {
    const LABEL: &str = "pod-security.kubernetes.io/enforce";
    if resource.name.starts_with("kube-") {
        return;
    }
    let found = match resource.body.at("metadata.labels") {
        Lookup::Known(labels) => labels.get(LABEL),
        other => other,
    };
    match (found, wanted) {
        (Lookup::Unknown(_), _) => out.undecided(),
        (Lookup::Absent(_), Level::Baseline | Level::Restricted) | (Lookup::Known(_), Level::Any) => {}
        (Lookup::Absent(_), _) => {
            let message = format!("the label {LABEL} is not set: every pod is admitted, wanted baseline or restricted");
            out.at(name_span(resource), "metadata.labels", message);
        }
        (Lookup::Known(node), Level::Baseline) if matches!(node.as_str(), Some("baseline" | "restricted")) => {}
        (Lookup::Known(node), Level::Restricted) if node.as_str() != Some("baseline") => {}
        (Lookup::Known(node), _) => {
            let wanted = if wanted == Level::Restricted { "restricted" } else { "baseline or restricted" };
            out.fail(node, "metadata.labels", format!("pod security is enforced at {}, wanted {wanted}", show(node)));
        }
    }
}
