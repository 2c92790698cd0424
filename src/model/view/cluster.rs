//! The objects of Kubernetes by what others find them by: kind, name, labels, account, target. Rules that join objects ask
//! here, so that their cost follows what belongs together and not the square of the tree.

use rustc_hash::FxHashMap;

use super::pod::{pod, template};
use crate::model::{Lookup, Node, Resource, ResourceId};

/// The index. Every answer is in the order of the model; what is unknown may be meant, and is part of every answer that it may
/// belong to.
#[derive(Debug, Default)]
pub struct Cluster {
    found: FxHashMap<String, Vec<ResourceId>>,
}

/// Kinds that select pods by labels, and where their selector stands.
const SELECTORS: &[(&str, &str)] = &[("NetworkPolicy", "spec.podSelector"), ("PodDisruptionBudget", "spec.selector")];

impl Cluster {
    /// Indexes the objects among these resources.
    pub fn new(resources: &[Resource]) -> Cluster {
        let mut cluster = Cluster::default();
        for (number, resource) in resources.iter().enumerate().filter(|(_, one)| one.format == "kubernetes") {
            cluster.add(ResourceId(number as u32), resource);
        }
        cluster
    }

    fn add(&mut self, id: ResourceId, resource: &Resource) {
        let kind = &*resource.kind;
        self.put(&["kind", kind], id);
        self.put_by(&["name", kind], resource.body.at("metadata.name"), id);
        if let Some(template) = template(resource) {
            self.put(&["workload"], id);
            self.put_labels(template.at("metadata.labels"), id);
            if let Some(account) = pod(resource).map(|pod| pod.spec.get("serviceAccountName")) {
                self.put_by(&["account"], account, id);
            }
        }
        // A workload without a template carries the labels that it selects, as far as anybody can tell.
        self.put_labels(resource.body.at("spec.selector.matchLabels"), id);
        if let Some((_, path)) = SELECTORS.iter().find(|(known, _)| *known == kind) {
            let labels = resource.body.at(&format!("{path}.matchLabels"));
            match labels.known().and_then(|labels| labels.entries().first()) {
                Some(entry) => self.put_by(&["selector", kind, &entry.key], entry.node.as_lookup(), id),
                None => self.put(&["selector", kind], id),
            }
        }
        if matches!(kind, "HorizontalPodAutoscaler" | "ScaledObject") {
            self.put_by(&["target"], resource.body.at("spec.scaleTargetRef.name"), id);
        }
        if matches!(kind, "RoleBinding" | "ClusterRoleBinding") {
            for subject in resource.body.get("subjects").known().map(Node::items).unwrap_or_default() {
                self.put_by(&["subject"], subject.get("name"), id);
            }
        }
    }

    fn put_labels(&mut self, labels: Lookup<'_>, id: ResourceId) {
        match labels {
            Lookup::Unknown(_) => self.put(&["label"], id),
            _ => labels.known().map(Node::entries).unwrap_or_default().iter().for_each(|entry| {
                self.put_by(&["label", &entry.key], entry.node.as_lookup(), id);
            }),
        }
    }

    fn put(&mut self, key: &[&str], id: ResourceId) {
        let ids = self.found.entry(key.join("\0")).or_default();
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    }

    /// Under the key with the value, or under the key alone where the value is unknown.
    fn put_by(&mut self, key: &[&str], value: Lookup<'_>, id: ResourceId) {
        match value {
            Lookup::Unknown(_) => self.put(key, id),
            Lookup::Known(node) => match node.to_text() {
                Some(text) => self.put(&[key, &[&text]].concat(), id),
                None => self.put(key, id),
            },
            Lookup::Absent(_) => {}
        }
    }

    fn at(&self, key: &[&str]) -> &[ResourceId] {
        self.found.get(&key.join("\0")).map_or(&[], Vec::as_slice)
    }

    /// The objects of a kind.
    pub fn of_kind(&self, kind: &str) -> &[ResourceId] {
        self.at(&["kind", kind])
    }

    /// The objects of a kind that have, or may have, this name.
    pub fn named(&self, kind: &str, name: &str) -> Vec<ResourceId> {
        self.union(&[&["name", kind, name], &["name", kind]])
    }

    /// Everything that runs pods.
    pub fn workloads(&self) -> &[ResourceId] {
        self.at(&["workload"])
    }

    /// Workloads whose pods may carry these labels: all where the map is empty.
    pub fn labeled(&self, wanted: Option<&Node>) -> Vec<ResourceId> {
        let first = wanted.and_then(|wanted| wanted.entries().first());
        match first.and_then(|entry| Some((&entry.key, entry.node.to_text()?))) {
            Some((key, value)) => self.union(&[&["label", key, &value], &["label", key], &["label"]]),
            None => self.workloads().to_vec(),
        }
    }

    /// The network policies or disruption budgets whose selector may select these labels.
    pub fn selecting(&self, kind: &str, labels: Lookup<'_>) -> Vec<ResourceId> {
        if labels.is_unknown() {
            return self.of_kind(kind).to_vec();
        }
        let mut found = self.at(&["selector", kind]).to_vec();
        for entry in labels.known().map(Node::entries).unwrap_or_default() {
            match entry.node.to_text() {
                Some(value) => {
                    found.extend(self.at(&["selector", kind, &entry.key, &value]));
                    found.extend(self.at(&["selector", kind, &entry.key]));
                }
                None => return self.of_kind(kind).to_vec(),
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Autoscalers whose target may have this name.
    pub fn scaling(&self, name: Lookup<'_>) -> Vec<ResourceId> {
        match name.known().and_then(Node::to_text) {
            Some(name) => self.union(&[&["target", &name], &["target"]]),
            None => [self.of_kind("HorizontalPodAutoscaler"), self.of_kind("ScaledObject")].concat(),
        }
    }

    /// Bindings with a subject that may have this name.
    pub fn binding(&self, subject: &str) -> Vec<ResourceId> {
        self.union(&[&["subject", subject], &["subject"]])
    }

    /// Workloads that name this service account.
    pub fn running_as(&self, account: &str) -> &[ResourceId] {
        self.at(&["account", account])
    }

    fn union(&self, keys: &[&[&str]]) -> Vec<ResourceId> {
        let mut found: Vec<ResourceId> = keys.iter().flat_map(|key| self.at(key)).copied().collect();
        found.sort();
        found.dedup();
        found
    }
}
