//! What a cluster should no longer run: Helm 2's server, the dashboard, old pod security policies, one authority for all.

use super::name_span;
use super::pod::strings;
use crate::model::view::pod::Pod;
use crate::model::{Lookup, Node, Resource, ResourceId};
use crate::rules::native::containers::{each, head};
use crate::rules::native::{Cx, Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-tiller-deployed", Native::Pod(tiller)),
    ("k8s-tiller-reachable", Native::Pod(|_, _, pod, out| reachable_tiller(pod, out))),
    ("k8s-dashboard-deployed", Native::Pod(dashboard)),
    ("k8s-psp-seccomp-unset", Native::Resource("kubernetes", &["PodSecurityPolicy"], policy_seccomp)),
    ("k8s-shared-certificate-authority", Native::Project(shared_authority)),
];

/// Whether any container of the pod comes from an image with one of these names.
fn has_image(pod: Pod<'_>, names: &[&str]) -> bool {
    pod.containers().any(|container| {
        let image = container.body.get("image").as_str().unwrap_or("");
        names.iter().any(|name| image.contains(name))
    })
}

/// Where an object or its pods carry a name or label that satisfies `is_meant`.
fn named(resource: &Resource, is_meant: fn(&str, &str) -> bool) -> Option<&Node> {
    let template = crate::model::view::pod::template(resource)?;
    let metadata = [&resource.body, template].map(|node| node.get("metadata"));
    metadata.into_iter().filter_map(Lookup::known).find_map(|metadata| {
        let labels = metadata.get("labels").entries();
        let named =
            metadata.get("name").known().filter(|name| name.as_str().is_some_and(|text| is_meant("name", text)));
        named.or_else(|| {
            labels.iter().map(|entry| (&entry.key, &entry.node)).find_map(|(key, node)| {
                node.as_str().is_some_and(|text| key.as_ref() != "name" && is_meant(key, text)).then_some(node)
            })
        })
    })
}

/// The server of Helm 2, by its image or the names that its chart gives.
fn tiller(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let is_tiller = |key: &str, text: &str| match key {
        "app" => text == "helm" || text == "tiller",
        "name" => text.contains("tiller"),
        _ => false,
    };
    let resource = cx.model.resource(id);
    if has_image(pod, &["tiller"]) {
        out.at(resource.head, "", "Tiller is deployed, wanted Helm 3, which has none");
    } else if let Some(node) = named(resource, is_tiller) {
        out.fail(node, "metadata", "Tiller is deployed by this name, wanted Helm 3, which has none");
    }
}

fn dashboard(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let is_dashboard = |key: &str, text: &str| matches!(key, "app" | "k8s-app") && text == "kubernetes-dashboard";
    let resource = cx.model.resource(id);
    if has_image(pod, &["kubernetes-dashboard", "kubernetesui"]) {
        out.at(resource.head, "", "the Kubernetes dashboard is deployed, wanted none");
    } else if let Some(node) = named(resource, is_dashboard) {
        out.fail(node, "metadata.labels", "the Kubernetes dashboard is deployed, wanted none");
    }
}

/// Helm 2's server obeys whoever reaches its port; without the flag it listens on every address.
fn reachable_tiller(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let image = container.body.get("image").as_str().unwrap_or("");
        let mut words = strings(container.body, "args").chain(strings(container.body, "command"));
        let is_local = words.any(|(_, word)| {
            word.strip_prefix("--listen=").is_some_and(|address| {
                ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| address.starts_with(local))
            })
        });
        if image.contains("tiller") && !is_local {
            out.at(head(container), "args", "Tiller listens to the whole cluster, wanted --listen=localhost:44134");
        }
    });
}

/// The profile that an old pod security policy gives by default.
fn policy_seccomp(_: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    const NAME: &str = "seccomp.security.alpha.kubernetes.io/defaultProfileName";
    let annotations = policy.body.at("metadata.annotations");
    let found = annotations.known().map_or(annotations, |annotations| annotations.get(NAME));
    match found {
        Lookup::Known(node) if matches!(node.as_str(), Some("runtime/default" | "docker/default")) => {}
        Lookup::Known(node) => {
            out.fail(
                node,
                "metadata.annotations",
                format!("the default profile is {}, wanted runtime/default", show(node)),
            );
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            let at = name_span(policy);
            out.at(at, "metadata.annotations", format!("the annotation {NAME} is not set, wanted runtime/default"));
        }
    }
}

/// etcd must trust another authority than the API server: else every client of the API may write to etcd.
fn shared_authority(cx: &Cx, out: &mut Findings) {
    use crate::model::view::command::flags;
    let mut client: Vec<String> = Vec::new();
    let mut trusted: Vec<(ResourceId, Node, String)> = Vec::new();
    for (id, resource) in cx.model.iter() {
        let Some(pod) = crate::model::view::pod::pod(resource) else { continue };
        for container in pod.containers() {
            if let Some(flags) = flags(container, "kube-apiserver")
                && let Lookup::Known(node) = flags.body.get("client-ca-file")
            {
                client.extend(node.as_str().map(str::to_string));
            }
            if let Some(flags) = flags(container, "etcd")
                && let Lookup::Known(node) = flags.body.get("trusted-ca-file")
            {
                trusted.extend(node.as_str().map(|text| (id, node.clone(), text.to_string())));
            }
        }
    }
    for (id, node, file) in trusted.iter().filter(|(.., file)| client.contains(file)) {
        let message =
            format!("etcd trusts {file}, as the API server does for its clients, wanted an authority of its own");
        out.about(*id).fail(node, "trusted-ca-file", message);
    }
}
