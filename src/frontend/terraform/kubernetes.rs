//! The objects that resources of Terraform's `kubernetes` provider declare, in the form of manifests, so that one rule judges
//! both. The provider writes the API's names in snake case, repeated fields as blocks named in the singular.
//! Source of the names: the provider's documented schema and the Kubernetes API reference.

use std::sync::Arc;

use super::embedded::in_heredoc;
use crate::frontend::yaml;
use crate::model::{Entry, Lookup, Node, Resource, Value};
use crate::source::{Sources, Span};

/// Maps whose keys are the author's own.
const FREE: &[&str] = &[
    "annotations",
    "binary_data",
    "binary_data_wo",
    "capacity",
    "data",
    "data_wo",
    "default",
    "default_request",
    "hard",
    "labels",
    "limits",
    "match_labels",
    "max",
    "max_limit_request_ratio",
    "min",
    "node_selector",
    "options",
    "parameters",
    "requests",
    "selector",
    "volume_attributes",
];

/// Resource types without `kubernetes_` and version, the kind and the version that they declare.
const KINDS: &[(&str, &str, &str)] = &[
    ("api_service", "APIService", "apiregistration.k8s.io/v1"),
    ("certificate_signing_request", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    ("cluster_role", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("cluster_role_binding", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("config_map", "ConfigMap", "v1"),
    ("cron_job", "CronJob", "batch/v1"),
    ("daemon_set", "DaemonSet", "apps/v1"),
    ("daemonset", "DaemonSet", "apps/v1"),
    ("default_service_account", "ServiceAccount", "v1"),
    ("deployment", "Deployment", "apps/v1"),
    ("endpoints", "Endpoints", "v1"),
    ("horizontal_pod_autoscaler", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("ingress", "Ingress", "networking.k8s.io/v1"),
    ("job", "Job", "batch/v1"),
    ("limit_range", "LimitRange", "v1"),
    ("mutating_webhook_configuration", "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("namespace", "Namespace", "v1"),
    ("network_policy", "NetworkPolicy", "networking.k8s.io/v1"),
    ("persistent_volume", "PersistentVolume", "v1"),
    ("persistent_volume_claim", "PersistentVolumeClaim", "v1"),
    ("pod", "Pod", "v1"),
    ("pod_disruption_budget", "PodDisruptionBudget", "policy/v1"),
    ("pod_security_policy", "PodSecurityPolicy", "policy/v1beta1"),
    ("priority_class", "PriorityClass", "scheduling.k8s.io/v1"),
    ("replication_controller", "ReplicationController", "v1"),
    ("resource_quota", "ResourceQuota", "v1"),
    ("role", "Role", "rbac.authorization.k8s.io/v1"),
    ("role_binding", "RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("secret", "Secret", "v1"),
    ("service", "Service", "v1"),
    ("service_account", "ServiceAccount", "v1"),
    ("stateful_set", "StatefulSet", "apps/v1"),
    ("storage_class", "StorageClass", "storage.k8s.io/v1"),
    ("validating_webhook_configuration", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
];

/// Blocks that stand for an element of a list, and the list's name in the API. All other blocks are one object.
const LISTS: &[(&str, &str)] = &[
    ("allowed_flex_volumes", "allowedFlexVolumes"),
    ("allowed_host_paths", "allowedHostPaths"),
    ("container", "containers"),
    ("egress", "egress"),
    ("env", "env"),
    ("env_from", "envFrom"),
    ("ephemeral_container", "ephemeralContainers"),
    ("from", "from"),
    ("host_aliases", "hostAliases"),
    ("http_header", "httpHeaders"),
    ("image_pull_secret", "imagePullSecrets"),
    ("image_pull_secrets", "imagePullSecrets"),
    ("init_container", "initContainers"),
    ("items", "items"),
    ("limit", "limits"),
    ("match_expressions", "matchExpressions"),
    ("metric", "metrics"),
    ("node_selector_term", "nodeSelectorTerms"),
    ("path", "paths"),
    ("port", "ports"),
    ("ports", "ports"),
    ("preferred_during_scheduling_ignored_during_execution", "preferredDuringSchedulingIgnoredDuringExecution"),
    ("range", "ranges"),
    ("readiness_gate", "readinessGates"),
    ("rule", "rules"),
    ("secret", "secrets"),
    ("sources", "sources"),
    ("subject", "subjects"),
    ("subset", "subsets"),
    ("sysctl", "sysctls"),
    ("tls", "tls"),
    ("to", "to"),
    ("toleration", "tolerations"),
    ("topology_spread_constraint", "topologySpreadConstraints"),
    ("volume", "volumes"),
    ("volume_claim_template", "volumeClaimTemplates"),
    ("volume_device", "volumeDevices"),
    ("volume_mount", "volumeMounts"),
    ("webhook", "webhooks"),
];

/// Blocks that are a list only inside these, because another object has a single one of the name.
const LISTS_BELOW: &[(&str, &str, &str)] = &[
    ("spec", "ingress", "ingress"),
    ("pod_affinity", REQUIRED, "requiredDuringSchedulingIgnoredDuringExecution"),
    ("pod_anti_affinity", REQUIRED, "requiredDuringSchedulingIgnoredDuringExecution"),
];

const REQUIRED: &str = "required_during_scheduling_ignored_during_execution";

/// Single objects whose name is that of a list elsewhere.
const SINGLE_BELOW: &[(&str, &str)] = &[
    // `backend { service { port { number = 80 } } }`.
    ("service", "port"),
    // A volume's source, and the selector of a projected one.
    ("volume", "secret"),
    ("sources", "secret"),
    ("metric", "metric"),
    ("pods", "metric"),
    ("object", "metric"),
    ("external", "metric"),
];

/// Parts of names that the API writes in capitals, or in a way of their own.
const WORDS: &[(&str, &str)] = &[
    ("host_ipc", "hostIPC"),
    ("host_pid", "hostPID"),
    ("host_ip", "hostIP"),
    ("pod_ip", "podIP"),
    ("cluster_ip", "clusterIP"),
    ("cluster_ips", "clusterIPs"),
    ("external_ips", "externalIPs"),
    ("load_balancer_ip", "loadBalancerIP"),
    ("downward_api", "downwardAPI"),
    ("non_resource_urls", "nonResourceURLs"),
    ("volume_id", "volumeID"),
    ("pd_id", "pdID"),
    ("disk_uri", "dataDiskURI"),
    ("fs_group", "fsGroup"),
    ("client_ip", "clientIP"),
];

/// The objects that these resources declare. Addresses and places are those of the resources.
pub fn objects(resources: &[Resource], sources: &Sources) -> Vec<Resource> {
    let declared = |resource| match is_kubectl(resource) {
        true => in_yaml(resource, sources),
        false => object(resource).into_iter().collect(),
    };
    resources.iter().flat_map(declared).collect()
}

fn is_kubectl(resource: &Resource) -> bool {
    &*resource.kind == "kubectl_manifest"
}

/// `kubectl_manifest` holds the object as a text of YAML. A file is judged where it lies.
fn in_yaml(resource: &Resource, sources: &Sources) -> Vec<Resource> {
    let Lookup::Known(body) = resource.body.get("yaml_body") else { return Vec::new() };
    let declared = |object: &Node| {
        let text = |key: &str| object.get(key).as_str();
        Some(declared(resource, text("kind")?, text("apiVersion")?, object.clone()))
    };
    if let Some(structure) = &body.structure {
        return declared(structure).into_iter().collect();
    }
    let written = sources.slice(body.span);
    if written.contains("file(") && !written.contains("templatefile(") {
        return Vec::new();
    }
    let Some(text) = body.as_str() else { return Vec::new() };
    let documents = yaml::read(body.span.file, text).documents;
    let place = |span: Span| in_heredoc(span, text, body.span, sources).unwrap_or(body.span);
    documents.iter().filter_map(|document| declared(&document.root.rebuilt(&place, &Value::clone))).collect()
}

fn object(resource: &Resource) -> Option<Resource> {
    let name = resource.kind.strip_prefix("kubernetes_")?;
    if name == "manifest" {
        return manifest(resource);
    }
    let name = unversioned(name);
    let (_, kind, api_version) = KINDS.iter().find(|(known, ..)| *known == name)?;
    let body = Node { span: resource.body.span, ..translate(&resource.body, name) };
    Some(declared(resource, kind, api_version, body))
}

/// `kubernetes_manifest` holds the object in the API's own words.
fn manifest(resource: &Resource) -> Option<Resource> {
    let Lookup::Known(body) = resource.body.get("manifest") else { return None };
    let text = |key: &str| body.get(key).as_str();
    Some(declared(resource, text("kind")?, text("apiVersion")?, body.clone()))
}

fn declared(resource: &Resource, kind: &str, api_version: &str, body: Node) -> Resource {
    let name = body.at("metadata.name").as_str().unwrap_or(&resource.name).into();
    Resource {
        format: "kubernetes",
        kind: kind.into(),
        api_version: api_version.into(),
        name,
        body: Node { span: resource.head, ..body },
        ..resource.clone()
    }
}

/// `deployment_v1` is `deployment`.
fn unversioned(name: &str) -> &str {
    match name.rsplit_once("_v") {
        Some((stem, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => stem,
        _ => name,
    }
}

/// A block's contents under the API's names.
fn translate(block: &Node, parent: &str) -> Node {
    let Value::Map(map) = &block.value else { return block.clone() };
    let entries = map.entries().iter().map(|entry| {
        let (key, node) = field(&entry.key, &entry.node, parent);
        Entry { key: key.into(), key_span: entry.key_span, node }
    });
    Node::map(entries.collect(), block.span)
}

fn field(key: &str, node: &Node, parent: &str) -> (String, Node) {
    let items = match &node.value {
        // A block may also be written as an object, as JSON syntax does.
        Value::Map(_) if !is_free(key, node) => std::slice::from_ref(node),
        _ => node.items(),
    };
    let is_block = !items.is_empty() && items.iter().all(|item| matches!(item.value, Value::Map(_)));
    if !is_block {
        return (camel(key), node.clone());
    }
    let below = LISTS_BELOW.iter().find(|(above, name, _)| *above == parent && *name == key).map(|(.., list)| *list);
    let anywhere = || LISTS.iter().find(|(name, _)| *name == key).map(|(_, list)| *list);
    let is_single = SINGLE_BELOW.contains(&(parent, key));
    match below.or_else(anywhere).filter(|_| !is_single) {
        Some(list) => {
            let items = items.iter().map(|item| translate(item, key)).collect::<Vec<_>>();
            (list.to_string(), Node { value: Value::List(Arc::from(items)), ..node.clone() })
        }
        None => (camel(key), translate(&items[0], key)),
    }
}

/// Whether a map keeps its keys. `selector` is a plain map in a service and an object elsewhere.
fn is_free(key: &str, node: &Node) -> bool {
    let is_object = ["match_labels", "match_expressions"].iter().any(|part| !node.get(part).is_absent());
    FREE.contains(&key) && !(key == "selector" && is_object)
}

fn camel(name: &str) -> String {
    if let Some((_, own)) = WORDS.iter().find(|(known, _)| *known == name) {
        return own.to_string();
    }
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_string();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_blocks_become_those_of_the_api() {
        assert_eq!(camel("run_as_non_root"), "runAsNonRoot");
        assert_eq!(camel("host_pid"), "hostPID");
        assert_eq!(camel("se_linux_options"), "seLinuxOptions");
        assert_eq!(unversioned("cron_job_v1beta1"), "cron_job");
        assert_eq!(unversioned("persistent_volume"), "persistent_volume");
    }
}
