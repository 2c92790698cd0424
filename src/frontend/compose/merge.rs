//! How Compose lays one file over another: maps are joined, lists are appended, other values are replaced; ports, volumes and
//! their like are replaced by what takes their place; `!reset` and `!override` do what they say.
//!
//! Source: the Compose Specification, 13-merge.md. Both sides have the form that [`super::shape`] gives them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::short::text_of;
use crate::model::{Entry, Lookup, Map, Node, Value};
use crate::source::Span;

/// What a tag does to the value below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// `!reset`: neither this value nor that below counts.
    Reset,
    /// `!override`: this value alone counts.
    Override,
}

/// Tags by the key of the tagged value.
pub(super) type Tags = FxHashMap<Span, Tag>;

/// Lists whose elements are told apart by some of their keys.
const BY_KEYS: &[(&str, &[&str])] = &[
    ("ports", &["host_ip", "target", "published", "protocol"]),
    ("volumes", &["target"]),
    ("devices", &["target"]),
    ("secrets", &["source", "target"]),
    ("configs", &["source", "target"]),
    ("env_file", &["path"]),
];

/// Lists that are one value.
const WHOLE: &[&str] = &["command", "entrypoint", "test"];

/// A service or another part with what lies over it.
pub(super) fn over(base: &Node, above: &Node, tags: &Tags) -> Node {
    match (&base.value, &above.value) {
        (Value::Map(base_map), Value::Map(above_map)) => {
            let mut entries: Vec<Entry> = base_map.entries().to_vec();
            let mut places: FxHashMap<Arc<str>, usize> =
                entries.iter().enumerate().map(|(index, entry)| (entry.key.clone(), index)).collect();
            let mut dropped = FxHashSet::default();
            for entry in above_map.entries() {
                match (places.get(&entry.key).copied(), tags.get(&entry.key_span)) {
                    (Some(index), Some(Tag::Reset)) => {
                        dropped.insert(index);
                    }
                    (None, Some(Tag::Reset)) => {}
                    (Some(index), Some(Tag::Override)) => entries[index] = entry.clone(),
                    (Some(index), None) => {
                        let node = by_key(&entry.key, &entries[index].node, &entry.node, tags);
                        entries[index].node = node;
                    }
                    (None, _) => {
                        places.insert(entry.key.clone(), entries.len());
                        entries.push(entry.clone());
                    }
                }
            }
            if !dropped.is_empty() {
                let mut index = 0;
                entries.retain(|_| {
                    index += 1;
                    !dropped.contains(&(index - 1))
                });
            }
            Node { value: Value::Map(Arc::new(Map::new(entries))), ..base.clone() }
        }
        (Value::List(base_items), Value::List(items)) => {
            let known: FxHashSet<String> = base_items.iter().filter_map(Node::to_text).collect();
            let is_new = |item: &&Node| item.to_text().is_none_or(|text| !known.contains(&text));
            Node::list(base_items.iter().chain(items.iter().filter(is_new)).cloned().collect(), base.span)
        }
        // `web:` alone changes nothing.
        (_, Value::Null) => base.clone(),
        _ => above.clone(),
    }
}

fn by_key(key: &str, base: &Node, above: &Node, tags: &Tags) -> Node {
    if WHOLE.contains(&key) {
        return above.clone();
    }
    if key == "logging" && differ(base, above, "driver") {
        return above.clone();
    }
    match BY_KEYS.iter().find(|(name, _)| *name == key) {
        Some((_, keys)) if matches!((&base.value, &above.value), (Value::List(_), Value::List(_))) => {
            let identity = |item: &Node| -> Vec<Option<String>> { keys.iter().map(|key| text_at(item, key)).collect() };
            let mut items = base.items().to_vec();
            let mut places: FxHashMap<Vec<Option<String>>, usize> =
                items.iter().enumerate().map(|(index, item)| (identity(item), index)).collect();
            for item in above.items() {
                match places.get(&identity(item)) {
                    Some(index) => items[*index] = item.clone(),
                    None => {
                        places.insert(identity(item), items.len());
                        items.push(item.clone());
                    }
                }
            }
            Node::list(items, base.span)
        }
        _ => over(base, above, tags),
    }
}

/// The text at a key, with variables that have no value as they are written.
fn text_at(node: &Node, key: &str) -> Option<String> {
    let (Lookup::Known(found) | Lookup::Unknown(found)) = node.get(key) else { return None };
    text_of(found).map(|text| text.into_owned())
}

fn differ(base: &Node, above: &Node, key: &str) -> bool {
    let text = |node: &Node| node.get(key).to_text();
    text(above).is_some_and(|above| text(base) != Some(above))
}

/// The same value without what its own tags reset.
pub(super) fn alone(node: &Node, tags: &Tags) -> Node {
    if tags.is_empty() {
        return node.clone();
    }
    match &node.value {
        Value::Map(map) => {
            let kept = map.entries().iter().filter(|entry| tags.get(&entry.key_span) != Some(&Tag::Reset));
            let entries = kept.map(|entry| Entry { node: alone(&entry.node, tags), ..entry.clone() }).collect();
            Node { value: Value::Map(Arc::new(Map::new(entries))), ..node.clone() }
        }
        _ => node.clone(),
    }
}
