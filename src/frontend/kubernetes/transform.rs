//! What the other keys of a kustomization do to objects: namespaces, labels, images and numbers of replicas.

use std::sync::Arc;

use super::OF_CLUSTER;
use crate::model::{Entry, Node, Value};
use crate::source::Span;

/// Labels of selectors and of what they select, by kind: where kustomize puts a common label beside `metadata.labels`.
const SELECTORS: &[(&str, &str)] = &[
    ("Service", "spec.selector"),
    ("ReplicationController", "spec.selector"),
    ("Deployment", "spec.selector.matchLabels"),
    ("ReplicaSet", "spec.selector.matchLabels"),
    ("DaemonSet", "spec.selector.matchLabels"),
    ("StatefulSet", "spec.selector.matchLabels"),
    ("NetworkPolicy", "spec.podSelector.matchLabels"),
    ("PodDisruptionBudget", "spec.selector.matchLabels"),
];

/// Labels of pods.
const TEMPLATES: &[(&str, &str)] = &[
    ("ReplicationController", "spec.template.metadata.labels"),
    ("Deployment", "spec.template.metadata.labels"),
    ("ReplicaSet", "spec.template.metadata.labels"),
    ("DaemonSet", "spec.template.metadata.labels"),
    ("StatefulSet", "spec.template.metadata.labels"),
    ("Job", "spec.template.metadata.labels"),
    ("CronJob", "spec.jobTemplate.spec.template.metadata.labels"),
];

/// An object in the namespace that a kustomization names. Subjects of bindings that are service accounts move along, since they
/// are of the same kustomization in all but rare cases.
pub(super) fn namespace(object: &Node, kind: &str, namespace: &Node) -> Node {
    if OF_CLUSTER.contains(&kind) && kind != "ClusterRoleBinding" {
        return object.clone();
    }
    let mut object = object.clone();
    if kind != "ClusterRoleBinding" {
        object = with(&object, &["metadata", "namespace"], namespace);
    }
    let Some(subjects) = object.get("subjects").known() else { return object };
    let subjects =
        subjects.items().iter().map(|subject| match subject.get("kind").as_str() == Some("ServiceAccount") {
            true => with(subject, &["namespace"], namespace),
            false => subject.clone(),
        });
    let subjects = Node { value: Value::List(subjects.collect()), ..object.get("subjects").node().clone() };
    with(&object, &["subjects"], &subjects)
}

/// An object with the labels of a kustomization; `selectors` says whether pods and selectors have them too, `templates` whether
/// pods have.
pub(super) fn labels(object: &Node, kind: &str, labels: &Node, selectors: bool, templates: bool) -> Node {
    let places = |table: &'static [(&str, &str)]| table.iter().filter(|(one, _)| *one == kind).map(|(_, path)| *path);
    let mut object = joined(object, "metadata.labels", labels);
    if selectors || templates {
        for path in places(TEMPLATES) {
            object = joined(&object, path, labels);
        }
    }
    if selectors {
        // Policies and budgets that select all pods keep doing so.
        let is_kept =
            |path: &str| matches!(kind, "NetworkPolicy" | "PodDisruptionBudget") && object.at(path).is_absent();
        let paths: Vec<&str> = places(SELECTORS).filter(|path| !is_kept(path)).collect();
        object = paths.into_iter().fold(object, |object, path| joined(&object, path, labels));
    }
    object
}

/// An object with annotations of a kustomization.
pub(super) fn annotations(object: &Node, annotations: &Node) -> Node {
    joined(object, "metadata.annotations", annotations)
}

fn joined(object: &Node, path: &str, added: &Node) -> Node {
    let steps: Vec<&str> = path.split('.').collect();
    added.entries().iter().fold(object.clone(), |object, entry| {
        let steps: Vec<&str> = steps.iter().copied().chain([&*entry.key]).collect();
        with(&object, &steps, &entry.node)
    })
}

/// The node with a value at a path; maps on the way that are not there are made.
fn with(node: &Node, steps: &[&str], value: &Node) -> Node {
    let Some((step, rest)) = steps.split_first() else { return value.clone() };
    let mut entries = match &node.value {
        Value::Map(map) => map.entries().to_vec(),
        Value::Null => Vec::new(),
        _ => return node.clone(),
    };
    match entries.iter_mut().find(|entry| *entry.key == **step) {
        Some(entry) => entry.node = with(&entry.node, rest, value),
        None => {
            let empty = Node::map(Vec::new(), value.span);
            let made = with(&empty, rest, value);
            entries.push(Entry { key: (*step).into(), key_span: value.span, node: made });
        }
    }
    Node { value: Node::map(entries, node.span).value, ..node.clone() }
}

/// A workload with another number of replicas.
pub(super) fn replicas(object: &Node, count: &Node) -> Node {
    with(object, &["spec", "replicas"], count)
}

/// What a kustomization says of an image.
pub(super) struct Image<'a> {
    pub name: &'a str,
    pub new_name: Option<&'a Node>,
    pub new_tag: Option<&'a Node>,
    pub digest: Option<&'a Node>,
}

/// An object whose containers run other images. The name stands where the last part of it was written.
pub(super) fn images(node: &Node, images: &[Image<'_>]) -> Node {
    match &node.value {
        Value::Map(map) => {
            let entries = map.entries().iter().map(|entry| {
                let is_list = matches!(&*entry.key, "containers" | "initContainers" | "ephemeralContainers");
                let made = match &entry.node.value {
                    Value::List(items) if is_list => {
                        let items: Arc<[Node]> = items.iter().map(|item| container(item, images)).collect();
                        Node { value: Value::List(items), ..entry.node.clone() }
                    }
                    _ => self::images(&entry.node, images),
                };
                Entry { node: made, ..entry.clone() }
            });
            Node { value: Node::map(entries.collect(), node.span).value, ..node.clone() }
        }
        Value::List(items) => {
            Node { value: Value::List(items.iter().map(|item| self::images(item, images)).collect()), ..node.clone() }
        }
        _ => node.clone(),
    }
}

fn container(container: &Node, images: &[Image<'_>]) -> Node {
    let Some(old) = container.get("image").known() else { return container.clone() };
    let Some(written) = old.as_str() else { return container.clone() };
    let (name, tag, digest) = parts(written);
    let Some(image) = images.iter().find(|image| image.name == name) else { return container.clone() };
    let word = |node: Option<&Node>| node.and_then(Node::to_text);
    let new_name = word(image.new_name);
    let name = new_name.as_deref().unwrap_or(name);
    let (tag, digest) = match (word(image.new_tag), word(image.digest)) {
        (None, None) => (tag.map(str::to_string), digest.map(str::to_string)),
        // A new tag takes the place of a digest, and the other way round.
        (tag, digest) => (tag, digest),
    };
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    let at: Span =
        [image.digest, image.new_tag, image.new_name].into_iter().flatten().next().map_or(old.span, |one| one.span);
    with(container, &["image"], &Node::string(format!("{name}{tag}{digest}"), at))
}

/// Name, tag and digest of an image.
fn parts(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (rest, None, digest),
    }
}
