//! Which objects of Kubernetes belong together: namespaces, label selectors and the pods that they select.

use super::pod::template;
use crate::model::{Lookup, Model, Node, Resource, ResourceId, Value};

/// The namespace that an object lies in: `default` where it names none, None where it is unknown.
pub fn namespace(resource: &Resource) -> Option<&str> {
    match resource.body.at("metadata.namespace") {
        Lookup::Known(node) => node.as_str(),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => Some("default"),
    }
}

/// Whether two objects lie in one namespace; None where one is unknown.
pub fn share_namespace(one: &Resource, other: &Resource) -> Option<bool> {
    Some(namespace(one)? == namespace(other)?)
}

/// Whether a map of labels, as a Service has it, selects the labels. An empty one selects nothing.
pub fn map_selects(selector: &Node, labels: Lookup<'_>) -> Option<bool> {
    match &selector.value {
        Value::Map(map) if map.entries().is_empty() => Some(false),
        Value::Map(_) => equal(selector, labels),
        Value::Unknown(_) => None,
        _ => Some(false),
    }
}

/// Whether a `LabelSelector` (`matchLabels` and `matchExpressions`) selects the labels. An empty one selects all.
pub fn selects(selector: &Node, labels: Lookup<'_>) -> Option<bool> {
    if selector.is_unknown() {
        return None;
    }
    let by_labels = match selector.get("matchLabels") {
        Lookup::Known(wanted) => equal(wanted, labels),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => Some(true),
    };
    let by_expressions = match selector.get("matchExpressions") {
        Lookup::Known(list) => all(list.items().iter().map(|expression| holds(expression, labels))),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => Some(true),
    };
    all([by_labels, by_expressions].into_iter())
}

/// False beats unknown beats true.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

fn equal(wanted: &Node, labels: Lookup<'_>) -> Option<bool> {
    all(wanted.entries().iter().map(|entry| match (label(labels, &entry.key), entry.node.to_text()) {
        (Label::Unknown, _) => None,
        (Label::Absent, _) => Some(false),
        (Label::Value(have), Some(want)) => Some(have == want),
        (Label::Value(_), None) => None,
    }))
}

fn holds(expression: &Node, labels: Lookup<'_>) -> Option<bool> {
    let key = expression.get("key").known()?.as_str()?;
    let operator = expression.get("operator").known()?.as_str()?;
    let values: Vec<Option<String>> = expression.get("values").items().iter().map(Node::to_text).collect();
    let has = |value: &str| {
        let known = values.iter().flatten().any(|one| one == value);
        if !known && values.iter().any(Option::is_none) { None } else { Some(known) }
    };
    match (operator, label(labels, key)) {
        (_, Label::Unknown) => None,
        ("In", Label::Value(value)) => has(&value),
        ("NotIn", Label::Value(value)) => has(&value).map(|found| !found),
        ("In" | "Exists", Label::Absent) | ("DoesNotExist", Label::Value(_)) => Some(false),
        ("NotIn" | "DoesNotExist", Label::Absent) | ("Exists", Label::Value(_)) => Some(true),
        _ => None,
    }
}

enum Label {
    Value(String),
    Absent,
    Unknown,
}

fn label(labels: Lookup<'_>, key: &str) -> Label {
    match labels {
        Lookup::Absent(_) => Label::Absent,
        Lookup::Unknown(_) => Label::Unknown,
        Lookup::Known(map) => match map.get(key) {
            Lookup::Absent(_) => Label::Absent,
            Lookup::Unknown(_) => Label::Unknown,
            Lookup::Known(node) => node.to_text().map_or(Label::Unknown, Label::Value),
        },
    }
}

/// The labels that the pods of a workload carry; None for what runs no pods.
pub fn pod_labels(workload: &Resource) -> Option<Lookup<'_>> {
    Some(template(workload)?.at("metadata.labels"))
}

/// Objects of this kind, in manifests and in Terraform.
pub fn objects<'a>(model: &'a Model, kind: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
    model.cluster().of_kind(kind).iter().map(|id| model.resource(*id))
}

/// The objects with these ids.
pub fn each(model: &Model, ids: Vec<ResourceId>) -> impl Iterator<Item = &Resource> {
    ids.into_iter().map(|id| model.resource(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Entry;
    use crate::source::{FileId, Span};

    fn span() -> Span {
        Span::new(FileId(0), 0, 1)
    }

    fn map(pairs: &[(&str, Node)]) -> Node {
        let entry = |(key, node): &(&str, Node)| Entry { key: (*key).into(), key_span: span(), node: node.clone() };
        Node::map(pairs.iter().map(entry).collect(), span())
    }

    fn text(text: &str) -> Node {
        Node::string(text, span())
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> Node {
        let values = Node::list(values.iter().map(|value| text(value)).collect(), span());
        let one = map(&[("key", text(key)), ("operator", text(operator)), ("values", values)]);
        map(&[("matchExpressions", Node::list(vec![one], span()))])
    }

    #[test]
    fn an_empty_label_selector_selects_all_and_an_empty_service_selector_nothing() {
        let labels = map(&[("app", text("web"))]);
        assert_eq!(selects(&map(&[]), Lookup::Known(&labels)), Some(true));
        assert_eq!(map_selects(&map(&[]), Lookup::Known(&labels)), Some(false));
        assert_eq!(map_selects(&labels, Lookup::Known(&labels)), Some(true));
    }

    #[test]
    fn expressions_select_as_the_api_server_does() {
        let labels = map(&[("app", text("web"))]);
        let labels = Lookup::Known(&labels);
        assert_eq!(selects(&expression("app", "In", &["web", "api"]), labels), Some(true));
        assert_eq!(selects(&expression("app", "NotIn", &["web"]), labels), Some(false));
        assert_eq!(selects(&expression("tier", "NotIn", &["web"]), labels), Some(true));
        assert_eq!(selects(&expression("tier", "Exists", &[]), labels), Some(false));
        assert_eq!(selects(&expression("tier", "DoesNotExist", &[]), labels), Some(true));
    }

    #[test]
    fn an_unknown_label_leaves_the_selection_open() {
        let labels = map(&[("app", Node::unknown("no value", Vec::new(), false, span()))]);
        let wanted = map(&[("matchLabels", map(&[("app", text("web"))]))]);
        assert_eq!(selects(&wanted, Lookup::Known(&labels)), None);
    }
}
