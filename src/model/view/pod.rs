//! The pod of a workload, wherever its kind keeps it, and its containers.

use crate::model::{Lookup, Node, Resource};

/// Kinds that hold a pod and the path to its spec; the metadata lies beside the spec.
const PODS: &[(&str, &str)] = &[
    ("Pod", ""),
    ("Deployment", "spec.template"),
    ("StatefulSet", "spec.template"),
    ("DaemonSet", "spec.template"),
    ("ReplicaSet", "spec.template"),
    ("ReplicationController", "spec.template"),
    ("Job", "spec.template"),
    ("CronJob", "spec.jobTemplate.spec.template"),
    ("PodTemplate", "template"),
    ("Rollout", "spec.template"),
    ("DeploymentConfig", "spec.template"),
];

/// The same for Knative, whose kinds have names of their own or of others.
const KNATIVE: &[(&str, &str)] = &[("Service", "spec.template"), ("Configuration", "spec.template"), ("Revision", "")];

/// Lists of containers in a pod's spec. Init and ephemeral ones have the same access as the others.
const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

/// A pod's template.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    /// `metadata` and `spec` of the pod.
    pub template: &'a Node,
    /// Its spec.
    pub spec: &'a Node,
}

/// A container of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// Its pod.
    pub pod: Pod<'a>,
    /// The list that it stands in.
    pub list: &'static str,
    /// Its own body.
    pub body: &'a Node,
}

/// The pod that an object runs; none for other kinds, and for objects without a pod's spec.
pub fn pod(resource: &Resource) -> Option<Pod<'_>> {
    let template = template(resource)?;
    Some(Pod { template, spec: template.get("spec").known()? })
}

/// The template of the pod that an object runs: its metadata, and mostly a spec.
pub fn template(resource: &Resource) -> Option<&Node> {
    if resource.format != "kubernetes" {
        return None;
    }
    let is_knative = resource.api_version.starts_with("serving.knative.dev/");
    let kinds = if is_knative { KNATIVE } else { PODS };
    let (_, path) = kinds.iter().find(|(kind, _)| *kind == &*resource.kind)?;
    if path.is_empty() { Some(&resource.body) } else { resource.body.at(path).known() }
}

impl<'a> Pod<'a> {
    /// Whether the pod says that it runs on Windows, where Linux's settings mean nothing. Source: the Pod Security Standards.
    pub fn is_windows(self) -> bool {
        self.spec.at("os.name").as_str() == Some("windows")
    }

    /// All containers: init, main and ephemeral.
    pub fn containers(self) -> impl Iterator<Item = Container<'a>> {
        CONTAINERS.iter().flat_map(move |list| {
            let items = self.spec.get(list).items();
            items.iter().map(move |body| Container { pod: self, list, body })
        })
    }
}

impl<'a> Container<'a> {
    /// The container's name.
    pub fn name(self) -> &'a str {
        self.body.get("name").as_str().unwrap_or("")
    }

    /// What messages call it: its name, or that it has none.
    pub fn title(self) -> &'a str {
        Some(self.name()).filter(|name| !name.is_empty()).unwrap_or("without a name")
    }

    /// A field of the security context: the container's own, else the pod's.
    pub fn security(self, field: &str) -> Lookup<'a> {
        match self.body.at(&format!("securityContext.{field}")) {
            Lookup::Absent(own) => match self.pod.spec.at(&format!("securityContext.{field}")) {
                Lookup::Absent(_) => Lookup::Absent(own),
                found => found,
            },
            found => found,
        }
    }
}
