//! Which objects a patch is for.

use super::Object;
use crate::model::{Entry, Lookup, Node, Resource, Value};

/// Whether the merge keys of the API's types hold for an object; those of others are replaced as a whole.
pub(super) fn is_of_api(resource: &Resource) -> bool {
    let group = group(&resource.api_version);
    !group.contains('.') || group.ends_with(".k8s.io")
}

fn group(version: &str) -> &str {
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a patch is for an object: by its own kind and name.
pub(super) fn is_namesake(document: &Node, object: &Object) -> bool {
    let word = |path: &str| document.at(path).as_str();
    let resource = &object.resource;
    let namespace = resource.body.at("metadata.namespace").as_str();
    word("kind") == Some(&*resource.kind)
        && word("apiVersion").is_none_or(|version| group(version) == group(&resource.api_version))
        && word("metadata.name").is_some_and(|name| object.names.iter().any(|one| one == name))
        && word("metadata.namespace").is_none_or(|wanted| namespace.is_none_or(|namespace| namespace == wanted))
}

/// What a patch's `target` selects.
pub(super) struct Target<'n> {
    node: &'n Node,
    /// Its words that are regular expressions, each for the whole of a value.
    patterns: Vec<(&'static str, Pattern)>,
}

impl<'n> Target<'n> {
    pub(super) fn new(node: &'n Node) -> Target<'n> {
        let pattern = |key: &'static str| {
            let text = node.get(key).to_text()?;
            let pattern = regex::Regex::new(&format!("^(?:{text})$")).map_or(Pattern::Text(text), Pattern::Regex);
            Some((key, pattern))
        };
        let keys = ["kind", "name", "namespace", "group", "version"];
        Target { node, patterns: keys.into_iter().filter_map(pattern).collect() }
    }

    pub(super) fn selects(&self, object: &Object) -> bool {
        let resource = &object.resource;
        let fits = |(key, pattern): &(&str, Pattern)| {
            let fits = |value: &str| match pattern {
                Pattern::Regex(regex) => regex.is_match(value),
                Pattern::Text(text) => text == value,
            };
            match *key {
                "kind" => fits(&resource.kind),
                "name" => object.names.iter().any(|name| fits(name)),
                "group" => fits(group(&resource.api_version)),
                "version" => fits(resource.api_version.rsplit('/').next().unwrap_or("")),
                _ => fits(resource.body.at("metadata.namespace").as_str().unwrap_or("default")),
            }
        };
        self.patterns.iter().all(fits)
            && self.holds("labelSelector", resource.body.at("metadata.labels"))
            && self.holds("annotationSelector", resource.body.at("metadata.annotations"))
    }

    /// Whether labels satisfy a selector: `app=web,tier!=db,owner`.
    fn holds(&self, key: &str, held: Lookup<'_>) -> bool {
        let Some(selector) = self.node.get(key).as_str() else { return true };
        let value = |key: &str| match held {
            Lookup::Known(held) => held.get(key.trim()).to_text(),
            _ => None,
        };
        selector.split(',').all(|term| match (term.split_once("!="), term.split_once('=')) {
            (Some((key, wanted)), _) => value(key).as_deref() != Some(wanted.trim()),
            (_, Some((key, wanted))) => value(key).as_deref() == Some(wanted.trim_start_matches('=').trim()),
            _ => value(term).is_some(),
        })
    }
}

enum Pattern {
    Regex(regex::Regex),
    /// What is no regular expression is taken as it stands.
    Text(String),
}

/// A patch without what only tells which object it is for: kind, version, name and namespace stay those of the object.
pub(super) fn unnamed(document: &Node) -> Node {
    let kept = |node: &Node, dropped: &[&str]| {
        let entries = node.entries().iter().filter(|entry| !dropped.contains(&&*entry.key)).cloned();
        Node { value: Node::map(entries.collect(), node.span).value, ..node.clone() }
    };
    let mut patch = kept(document, &["kind", "apiVersion"]);
    if let Value::Map(map) = &patch.value {
        let entries = map.entries().iter().map(|entry| match &*entry.key {
            "metadata" => Entry { node: kept(&entry.node, &["name", "namespace"]), ..entry.clone() },
            _ => entry.clone(),
        });
        patch = Node { value: Node::map(entries.collect(), patch.span).value, ..patch.clone() };
    }
    patch
}
