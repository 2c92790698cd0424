//! Hashes of values: equal for equal ones, wherever they stand.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::names::Names;
use crate::model::{Entry, Node, Resource, Value};

/// A hash of a value: equal for equal values, in whatever order their keys are.
pub(super) fn digest(node: &Node, names: &Names<'_>) -> u64 {
    Digest { names, name: None }.of(node, false)
}

/// The same of a named element of a list, under whatever name.
pub(super) fn digest_of_element(node: &Node, name: &str, names: &Names<'_>) -> u64 {
    Digest { names, name: Some(name) }.of(node, true)
}

/// One hash of several, in any order; 0 for none.
pub(super) fn joined(hashes: impl IntoIterator<Item = u64>) -> u64 {
    let mut hashes: Vec<u64> = hashes.into_iter().collect();
    if hashes.is_empty() {
        return 0;
    }
    hashes.sort_unstable();
    let mut hasher = DefaultHasher::new();
    hashes.hash(&mut hasher);
    hasher.finish()
}

/// A hash of a resource's body that is the same under another name or in another namespace: where `name` is all of a text, it counts
/// as the name.
pub(super) fn body_digest(resource: &Resource, name: Option<&str>, names: &Names<'_>) -> u64 {
    // A label of Terraform is nobody's value.
    if resource.format == "terraform" {
        return digest(&resource.body, names);
    }
    let digest = Digest { names, name };
    let mut parts = Vec::new();
    for entry in resource.body.entries() {
        let is_metadata = &*entry.key == "metadata";
        let inner = |inner: &&Entry| is_metadata && !matches!(&*inner.key, "name" | "namespace");
        parts.extend(entry.node.entries().iter().filter(inner).map(|one| (&one.key, digest.of(&one.node, true))));
        if !is_metadata {
            parts.push((&entry.key, digest.of(&entry.node, resource.format == "kubernetes")));
        }
    }
    parts.sort_unstable();
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// How values are hashed.
struct Digest<'a, 'm> {
    names: &'a Names<'m>,
    /// A name that might be another wherever it is all of a text.
    name: Option<&'a str>,
}

impl Digest<'_, '_> {
    /// With names left out in labels and selectors, or everywhere: what runs is no name.
    fn of(&self, node: &Node, everywhere: bool) -> u64 {
        let mut hasher = DefaultHasher::new();
        match &node.value {
            Value::Null => 0_u8.hash(&mut hasher),
            Value::Bool(bool) => (1_u8, bool).hash(&mut hasher),
            Value::Number(number) => (2_u8, number.as_f64().to_bits()).hash(&mut hasher),
            Value::String(text) if everywhere && self.is_name(text) => 7_u8.hash(&mut hasher),
            Value::String(text) => (3_u8, self.names.text(text)).hash(&mut hasher),
            Value::List(items) => {
                (4_u8, items.iter().map(|item| self.of(item, everywhere)).collect::<Vec<_>>()).hash(&mut hasher);
            }
            Value::Map(map) => {
                let digest = |entry: &Entry| match &*entry.key {
                    "labels" | "matchLabels" | "selector" => self.of(&entry.node, self.name.is_some()),
                    "image" | "command" | "args" => self.of(&entry.node, false),
                    _ => self.of(&entry.node, everywhere),
                };
                let mut entries: Vec<(&str, u64)> =
                    map.entries().iter().map(|entry| (&*entry.key, digest(entry))).collect();
                entries.sort_unstable();
                (5_u8, entries).hash(&mut hasher);
            }
            Value::Unknown(unknown) => (6_u8, self.names.unknown(unknown)).hash(&mut hasher),
        }
        hasher.finish()
    }

    fn is_name(&self, text: &str) -> bool {
        self.name == Some(text) || self.name.is_some() && self.names.is_renamed_object(text)
    }
}
