//! The objects of Kubernetes by what others find them by: kind, name, labels, account, target, each within its namespace. Rules
//! that join objects ask here, so that their cost follows what belongs together and not the square of the tree.

use rustc_hash::FxHashMap;

use super::pod::{pod, template};
use super::selector::namespace;
use crate::model::{Lookup, Node, Resource, ResourceId};

/// The index. Every answer is in the order of the model; what is unknown may be meant, and is part of every answer that it may
/// belong to.
#[derive(Debug, Default)]
pub struct Cluster {
    found: FxHashMap<String, Vec<ResourceId>>,
}

/// Kinds that select pods by labels, and where their selector stands.
const SELECTORS: &[(&str, &str)] = &[
    ("NetworkPolicy", "spec.podSelector"),
    ("CiliumNetworkPolicy", "spec.endpointSelector"),
    ("PodDisruptionBudget", "spec.selector"),
];

/// Kinds of which a controller makes a Secret, and where its name may stand.
const MAKERS: &[&str] = &["ExternalSecret", "SealedSecret", "Certificate"];
const MADE: &[&str] = &["metadata.name", "spec.target.name", "spec.secretName"];

/// Where objects of any namespace are found, and those whose namespace is unknown. No namespace can have these names.
const ANY: &str = "*";
const UNKNOWN: &str = "?";

/// One thing that a selector asks of labels: any of these, a value being any where none is named.
type Demand = Vec<(String, Option<String>)>;

/// A selector on its way into the index.
struct Selector<'a> {
    id: ResourceId,
    resource: &'a Resource,
    demands: Vec<Demand>,
}

impl Cluster {
    /// Indexes the objects among these resources.
    pub fn new(resources: &[Resource]) -> Cluster {
        let mut cluster = Cluster::default();
        let mut selectors = Vec::new();
        for (number, resource) in resources.iter().enumerate().filter(|(_, one)| one.format == "kubernetes") {
            let id = ResourceId(number as u32);
            cluster.add(id, resource);
            if let Some((_, path)) = SELECTORS.iter().find(|(known, _)| *known == &*resource.kind) {
                let demands = resource.body.at(path).known().map(demands).unwrap_or_default();
                selectors.push(Selector { id, resource, demands });
            }
        }
        cluster.add_selectors(&selectors);
        cluster
    }

    fn add(&mut self, id: ResourceId, resource: &Resource) {
        let kind = &*resource.kind;
        let space = namespace(resource);
        self.put(space, &["kind", kind], id);
        self.put_by(space, &["name", kind], resource.body.at("metadata.name"), id);
        if let Some(template) = template(resource) {
            self.put(space, &["workload"], id);
            self.put_labels(space, "label", template.at("metadata.labels"), id);
            if let Some(account) = pod(resource).map(|pod| pod.spec.get("serviceAccountName")) {
                self.put_by(space, &["account"], account, id);
            }
        }
        // A workload without a template carries the labels that it selects, as far as anybody can tell.
        self.put_labels(space, "label", resource.body.at("spec.selector.matchLabels"), id);
        if kind == "Service" {
            self.put_labels(space, "service", resource.body.at("metadata.labels"), id);
        }
        if MAKERS.contains(&kind) {
            MADE.iter().for_each(|path| self.put_by(space, &["made"], resource.body.at(path), id));
        }
        if matches!(kind, "HorizontalPodAutoscaler" | "ScaledObject") {
            self.put_by(space, &["target"], resource.body.at("spec.scaleTargetRef.name"), id);
        }
        if matches!(kind, "RoleBinding" | "ClusterRoleBinding") {
            for subject in resource.body.get("subjects").items() {
                let space = match subject.get("namespace") {
                    Lookup::Absent(_) => space,
                    found => found.as_str(),
                };
                self.put_by(space, &["subject"], subject.get("name"), id);
            }
        }
    }

    /// Each selector under the one of its demands that it shares with the fewest others.
    fn add_selectors(&mut self, selectors: &[Selector<'_>]) {
        let key = |one: &Selector<'_>, (key, value): &(String, Option<String>)| {
            let space = namespace(one.resource).unwrap_or(UNKNOWN);
            [space, &one.resource.kind, key, value.as_deref().unwrap_or_default()].join("\0")
        };
        let mut counts: FxHashMap<String, usize> = FxHashMap::default();
        for one in selectors {
            one.demands.iter().flatten().for_each(|label| *counts.entry(key(one, label)).or_default() += 1);
        }
        for one in selectors {
            let count = |demand: &&Demand| -> usize { demand.iter().map(|label| counts[&key(one, label)]).sum() };
            let (space, kind) = (namespace(one.resource), &*one.resource.kind);
            let Some(rarest) = one.demands.iter().min_by_key(count) else {
                self.put(space, &["selector", kind], one.id);
                continue;
            };
            for (label, value) in rarest {
                match value {
                    Some(value) => self.put(space, &["selector", kind, label, value], one.id),
                    None => self.put(space, &["selector", kind, label], one.id),
                }
            }
        }
    }

    fn put_labels(&mut self, space: Option<&str>, of: &str, labels: Lookup<'_>, id: ResourceId) {
        match labels {
            Lookup::Unknown(_) => self.put(space, &[of], id),
            _ => labels.entries().iter().for_each(|entry| {
                self.put_by(space, &[of, &entry.key], entry.node.as_lookup(), id);
                self.put(space, &["has", of, &entry.key], id);
            }),
        }
    }

    fn put(&mut self, space: Option<&str>, key: &[&str], id: ResourceId) {
        for space in [space.unwrap_or(UNKNOWN), ANY] {
            let ids = self.found.entry(path(space, key)).or_default();
            if ids.last() != Some(&id) {
                ids.push(id);
            }
        }
    }

    /// Under the key with the value, or under the key alone where the value is unknown.
    fn put_by(&mut self, space: Option<&str>, key: &[&str], value: Lookup<'_>, id: ResourceId) {
        match value {
            Lookup::Unknown(_) => self.put(space, key, id),
            Lookup::Known(node) => match node.to_text() {
                Some(text) => self.put(space, &[key, &[&text]].concat(), id),
                None => self.put(space, key, id),
            },
            Lookup::Absent(_) => {}
        }
    }

    fn at(&self, space: &str, key: &[&str]) -> &[ResourceId] {
        self.found.get(&path(space, key)).map_or(&[], Vec::as_slice)
    }

    /// The objects of a kind.
    pub fn of_kind(&self, kind: &str) -> &[ResourceId] {
        self.at(ANY, &["kind", kind])
    }

    /// The objects of a kind that lie, or may lie, in the namespace of this one.
    pub fn of_kind_near(&self, kind: &str, near: &Resource) -> Vec<ResourceId> {
        self.union(Some(near), &[&["kind", kind]])
    }

    /// The objects of a kind that have, or may have, this name: in the namespace of that object, or in any.
    pub fn named(&self, kind: &str, name: &str, near: Option<&Resource>) -> Vec<ResourceId> {
        self.union(near, &[&["name", kind, name], &["name", kind]])
    }

    /// The objects of which a controller makes, or may make, the Secret of this name in the namespace of that object.
    pub fn making(&self, secret: &str, near: &Resource) -> Vec<ResourceId> {
        self.union(Some(near), &[&["made", secret], &["made"]])
    }

    /// Workloads in the namespace of `near` whose pods may carry all labels of this map.
    pub fn labeled(&self, wanted: &Node, near: &Resource) -> Vec<ResourceId> {
        self.pods(&equalities(wanted), near)
    }

    /// Workloads in the namespace of `near` whose pods this `LabelSelector` may select: all where there is none.
    pub fn selected(&self, selector: Option<&Node>, near: &Resource) -> Vec<ResourceId> {
        self.pods(&selector.map(demands).unwrap_or_default(), near)
    }

    fn pods(&self, demands: &[Demand], near: &Resource) -> Vec<ResourceId> {
        self.rarest("label", demands, Some(near)).unwrap_or_else(|| self.union(Some(near), &[&["workload"]]))
    }

    /// Services whose own labels this `LabelSelector` may select, in the namespace of that object or in any.
    pub fn services(&self, selector: &Node, near: Option<&Resource>) -> Vec<ResourceId> {
        let found = self.rarest("service", &demands(selector), near);
        found.unwrap_or_else(|| self.union(near, &[&["kind", "Service"]]))
    }

    /// What meets the demand that the fewest meet; None without demands.
    fn rarest(&self, of: &str, demands: &[Demand], near: Option<&Resource>) -> Option<Vec<ResourceId>> {
        let spaces = spaces(near);
        let lists = |demand: &Demand| {
            let mut lists: Vec<&[ResourceId]> = Vec::new();
            let mut add = |key: &[&str]| lists.extend(spaces.iter().map(|space| self.at(space, key)));
            add(&[of]);
            for (label, value) in demand {
                match value {
                    Some(value) => {
                        add(&[of, label, value]);
                        add(&[of, label]);
                    }
                    None => add(&["has", of, label]),
                }
            }
            lists
        };
        let candidates = demands.iter().map(lists);
        candidates.min_by_key(|lists| lists.iter().map(|ids| ids.len()).sum::<usize>()).map(joined)
    }

    /// The network policies or disruption budgets in the namespace of `near` whose selector may select these labels.
    pub fn selecting(&self, kind: &str, labels: Lookup<'_>, near: &Resource) -> Vec<ResourceId> {
        let entries = labels.entries();
        let values: Option<Vec<String>> = entries.iter().map(|entry| entry.node.to_text()).collect();
        let (Some(values), false) = (values, labels.is_unknown()) else { return self.of_kind_near(kind, near) };
        let mut keys: Vec<Vec<&str>> = vec![vec!["selector", kind]];
        for (entry, value) in entries.iter().zip(&values) {
            keys.push(vec!["selector", kind, &entry.key]);
            keys.push(vec!["selector", kind, &entry.key, value]);
        }
        let keys: Vec<&[&str]> = keys.iter().map(Vec::as_slice).collect();
        self.union(Some(near), &keys)
    }

    /// Autoscalers in the namespace of `near` whose target may have this name.
    pub fn scaling(&self, name: Lookup<'_>, near: &Resource) -> Vec<ResourceId> {
        match name.to_text() {
            Some(name) => self.union(Some(near), &[&["target", &name], &["target"]]),
            None => self.union(Some(near), &[&["kind", "HorizontalPodAutoscaler"], &["kind", "ScaledObject"]]),
        }
    }

    /// Bindings with a subject that may have this name in the namespace of `near`.
    pub fn binding(&self, subject: &str, near: &Resource) -> Vec<ResourceId> {
        self.union(Some(near), &[&["subject", subject], &["subject"]])
    }

    /// Workloads in the namespace of `near` that name this service account.
    pub fn running_as(&self, account: &str, near: &Resource) -> Vec<ResourceId> {
        self.union(Some(near), &[&["account", account]])
    }

    fn union(&self, near: Option<&Resource>, keys: &[&[&str]]) -> Vec<ResourceId> {
        joined(spaces(near).into_iter().flat_map(|space| keys.iter().map(move |key| self.at(space, key))))
    }
}

/// What is in some of the lists, sorted.
fn joined<'i>(lists: impl IntoIterator<Item = &'i [ResourceId]>) -> Vec<ResourceId> {
    let mut found: Vec<ResourceId> = lists.into_iter().flatten().copied().collect();
    found.sort();
    found.dedup();
    found
}

fn path(space: &str, key: &[&str]) -> String {
    let mut path = String::with_capacity(space.len() + key.iter().map(|part| part.len() + 1).sum::<usize>());
    path.push_str(space);
    for part in key {
        path.push('\0');
        path.push_str(part);
    }
    path
}

/// Where what may share a namespace with this object is found.
fn spaces(near: Option<&Resource>) -> Vec<&str> {
    match near.and_then(namespace) {
        Some(space) => vec![space, UNKNOWN],
        None => vec![ANY],
    }
}

/// What a map of labels asks for.
fn equalities(labels: &Node) -> Vec<Demand> {
    labels.entries().iter().map(|entry| vec![(bare_label(&entry.key).to_string(), entry.node.to_text())]).collect()
}

/// The key of a label without the source that Cilium may write before it; no key of Kubernetes has a colon.
pub fn bare_label(key: &str) -> &str {
    key.split_once(':').map_or(key, |(_, rest)| rest)
}

/// What a `LabelSelector` asks for, without what asks that a label or value be missing.
fn demands(selector: &Node) -> Vec<Demand> {
    let mut demands = selector.get("matchLabels").known().map(equalities).unwrap_or_default();
    for expression in selector.get("matchExpressions").items() {
        let text = |key: &str| expression.get(key).as_str();
        let (Some(key), Some(operator)) = (text("key").map(bare_label), text("operator")) else { continue };
        let values = || -> Option<Demand> {
            let values = expression.get("values").known()?.items();
            values.iter().map(|value| Some((key.to_string(), Some(value.to_text()?)))).collect()
        };
        match operator {
            "In" => demands.push(values().unwrap_or_else(|| vec![(key.to_string(), None)])),
            "Exists" => demands.push(vec![(key.to_string(), None)]),
            _ => {}
        }
    }
    demands
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::frontend::{Frontend, Settings, kubernetes::Kubernetes};
    use crate::source::{Source, Sources};

    fn read(text: &str) -> Vec<Resource> {
        let mut sources = Sources::default();
        let id = sources.add(Source::new("app.yaml".to_string(), text.to_string()));
        Kubernetes.parse(&Settings::default(), &sources, &[id]).resources
    }

    /// A pod and a policy that selects it in each of several places, which share a label.
    fn pairs(count: usize, namespace: impl Fn(usize) -> String, component: impl Fn(usize) -> String) -> Vec<Resource> {
        let mut text = String::new();
        for number in 0..count {
            let (space, part) = (namespace(number), component(number));
            let labels = format!("app: web, component: {part}");
            write!(
                text,
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: a{number}, namespace: {space}, labels: {{ {labels} }} }}\nspec: {{ containers: [] }}\n\
                 ---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{ name: a{number}, namespace: {space} }}\nspec:\n  podSelector:\n    matchLabels: {{ app: web }}\n    matchExpressions: [{{ key: component, operator: In, values: [{part}] }}]\n"
            )
            .expect("a string takes it");
        }
        read(&text)
    }

    #[test]
    fn an_answer_holds_what_shares_the_namespace_and_the_rarest_label() {
        let ways = [
            pairs(9, |number| format!("n{number}"), |_| "c".into()),
            pairs(9, |_| "shop".into(), |number| format!("c{number}")),
        ];
        for resources in ways {
            let cluster = Cluster::new(&resources);
            let (pod, policy) = (&resources[8], &resources[9]);
            let selector = policy.body.at("spec.podSelector").known();
            assert_eq!(cluster.selected(selector, policy), [ResourceId(8)]);
            assert_eq!(cluster.selecting("NetworkPolicy", pod.body.at("metadata.labels"), pod), [ResourceId(9)]);
        }
    }

    #[test]
    fn a_selector_of_no_label_is_part_of_every_answer_in_its_namespace() {
        let resources = read(
            "apiVersion: v1\nkind: Pod\nmetadata: { name: a, labels: { app: web } }\nspec: { containers: [] }\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: a }\nspec:\n  podSelector:\n    matchExpressions: [{ key: app, operator: NotIn, values: [db] }]\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: b, namespace: shop }\nspec: { podSelector: {} }\n",
        );
        let cluster = Cluster::new(&resources);
        let found = cluster.selecting("NetworkPolicy", resources[0].body.at("metadata.labels"), &resources[0]);
        assert_eq!(found, [ResourceId(1)]);
    }
}
