//! Patches as kustomize lays them over objects: strategic merges and JSON patches (RFC 6902).
//!
//! Every value of the result stands where it was written, in the object or in the patch.

use std::sync::Arc;

use crate::model::{Entry, Node, Value};

/// Lists whose elements are told apart by a key, in objects of the API itself. Source: `patchMergeKey` of its published types.
const MERGE_KEYS: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
    ("resourceClaims", "name"),
    ("secrets", "name"),
    ("webhooks", "name"),
    ("conditions", "type"),
    ("ownerReferences", "uid"),
];

/// Keys in the path of an operation: each may put a whole text below, so that they limit how deep an object gets.
const MAX_STEPS: usize = 64;

/// What an element of a patch's list or map says about itself.
const DIRECTIVE: &str = "$patch";

/// An object with a strategic merge patch laid over it; none when the patch deletes it.
pub(super) fn strategic(base: &Node, patch: &Node, is_of_api: bool) -> Option<Node> {
    if directive(patch) == Some("delete") {
        return None;
    }
    Some(over(base, patch, is_of_api))
}

fn directive(node: &Node) -> Option<&str> {
    node.get(DIRECTIVE).as_str()
}

fn over(base: &Node, patch: &Node, is_of_api: bool) -> Node {
    let (Value::Map(map), Value::Map(_)) = (&base.value, &patch.value) else { return plain(patch) };
    if directive(patch) == Some("replace") {
        return plain(patch);
    }
    let mut entries = map.entries().to_vec();
    for entry in patch.entries().iter().filter(|entry| !entry.key.starts_with('$')) {
        let place = entries.iter().position(|one| one.key == entry.key);
        if matches!(entry.node.value, Value::Null) {
            place.map(|place| entries.remove(place));
            continue;
        }
        match place {
            Some(place) => entries[place].node = field(&entry.key, &entries[place].node, &entry.node, is_of_api),
            None => entries.push(Entry { node: plain(&entry.node), ..entry.clone() }),
        }
    }
    Node { value: Node::map(entries, base.span).value, ..base.clone() }
}

fn field(key: &str, base: &Node, patch: &Node, is_of_api: bool) -> Node {
    let (Value::List(old), Value::List(new)) = (&base.value, &patch.value) else { return over(base, patch, is_of_api) };
    let merge_key = match key {
        // A container's ports and a service's.
        "ports" => ["containerPort", "port"].into_iter().find(|name| new.iter().all(|item| text(item, name).is_some())),
        _ => MERGE_KEYS.iter().find(|(list, _)| *list == key).map(|(_, name)| *name),
    };
    let Some(merge_key) = merge_key.filter(|_| is_of_api) else { return plain(patch) };
    if new.iter().any(|item| directive(item) == Some("replace")) {
        return plain(patch);
    }
    let mut items = old.to_vec();
    let mut added = Vec::new();
    for item in new.iter() {
        let Some(name) = text(item, merge_key) else { continue };
        let place = items.iter().position(|one| text(one, merge_key).as_ref() == Some(&name));
        match (place, directive(item) == Some("delete")) {
            (Some(place), true) => {
                items.remove(place);
            }
            (Some(place), false) => items[place] = over(&items[place], item, is_of_api),
            (None, true) => {}
            (None, false) => added.push(plain(item)),
        }
    }
    // What is new stands first, as kustomize puts it.
    added.extend(items);
    Node { value: Value::List(Arc::from(added)), ..base.clone() }
}

fn text(item: &Node, key: &str) -> Option<String> {
    item.get(key).to_text()
}

/// A patch's value without what speaks to the patcher.
fn plain(node: &Node) -> Node {
    match &node.value {
        Value::Map(map) => {
            let kept = map.entries().iter().filter(|entry| !entry.key.starts_with('$'));
            let kept = kept.filter(|entry| !matches!(entry.node.value, Value::Null));
            let entries = kept.map(|entry| Entry { node: plain(&entry.node), ..entry.clone() });
            Node { value: Node::map(entries.collect(), node.span).value, ..node.clone() }
        }
        Value::List(items) => {
            let kept = items.iter().filter(|item| directive(item).is_none() || item.entries().len() > 1);
            Node { value: Value::List(kept.map(plain).collect()), ..node.clone() }
        }
        _ => node.clone(),
    }
}

/// An object after the operations of a JSON patch. What does not fit is told: kustomize would refuse it.
pub(super) fn json(base: &Node, operations: &[Node], told: &mut Vec<(crate::source::Span, String)>) -> Node {
    let mut object = base.clone();
    for operation in operations {
        let word = |key: &str| operation.get(key).as_str();
        let (Some(name), Some(path)) = (word("op"), word("path")) else {
            told.push((operation.span, "an operation names no `op` or no `path`".into()));
            continue;
        };
        let steps: Vec<String> =
            path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        if steps.len() > MAX_STEPS {
            told.push((operation.span, format!("a path of more than {MAX_STEPS} keys is not followed")));
            continue;
        }
        let value = match name {
            "add" | "replace" => Some(operation.get("value").node().clone()),
            "remove" => None,
            // It changes nothing.
            "test" => continue,
            _ => {
                told.push((operation.span, format!("`{name}` of {path} is not applied")));
                continue;
            }
        };
        match changed(&object, &steps, value.as_ref(), name) {
            Some(made) => object = made,
            None => told.push((operation.span, format!("`{name}` does not fit: {path} is not there"))),
        }
    }
    object
}

fn changed(node: &Node, steps: &[String], value: Option<&Node>, name: &str) -> Option<Node> {
    let Some((step, rest)) = steps.split_first() else { return value.cloned() };
    match &node.value {
        Value::Map(map) => {
            let mut entries = map.entries().to_vec();
            let place = entries.iter().position(|entry| *entry.key == **step);
            match (place, rest.is_empty(), value) {
                (Some(place), true, None) => {
                    entries.remove(place);
                }
                (Some(place), ..) => entries[place].node = changed(&entries[place].node, rest, value, name)?,
                (None, true, Some(value)) if name == "add" => {
                    entries.push(Entry { key: step.as_str().into(), key_span: value.span, node: value.clone() });
                }
                _ => return None,
            }
            Some(Node { value: Node::map(entries, node.span).value, ..node.clone() })
        }
        Value::List(list) => {
            let mut items = list.to_vec();
            let place = match step.as_str() {
                "-" => items.len(),
                number => number.parse().ok()?,
            };
            match (rest.is_empty(), value) {
                (true, Some(value)) if name == "add" && place <= items.len() => items.insert(place, value.clone()),
                (true, None) if place < items.len() => {
                    items.remove(place);
                }
                _ => *items.get_mut(place)? = changed(items.get(place)?, rest, value, name)?,
            }
            Some(Node { value: Value::List(Arc::from(items)), ..node.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::yaml;
    use crate::source::FileId;

    fn node(text: &str) -> Node {
        yaml::read(FileId(0), text).documents.remove(0).root
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Map(map) => {
                let entries = map.entries().iter().map(|entry| format!("{}: {}", entry.key, shown(&entry.node)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
            _ => node.to_text().unwrap_or_default(),
        }
    }

    #[test]
    fn containers_are_merged_by_name_and_other_lists_replaced() {
        let base = node("containers:\n- {name: a, args: [x], image: a:1}\n- {name: b}\n");
        let patch = node("containers:\n- {name: a, args: [v, z]}\n- {name: c}\n");
        let merged = strategic(&base, &patch, true).expect("it is kept");
        assert_eq!(shown(&merged), "{containers: [{name: c}, {name: a, args: [v, z], image: a:1}, {name: b}]}");
        let replaced = strategic(&base, &patch, false).expect("it is kept");
        assert_eq!(shown(&replaced), "{containers: [{name: a, args: [v, z]}, {name: c}]}");
    }

    #[test]
    fn null_and_directives_take_away() {
        let base = node("spec: {a: 1, b: {c: 2, d: 3}}\nenv: [{name: X, value: y}, {name: Z}]\n");
        let patch = node("spec: {a: null, b: {$patch: replace, e: 4}}\nenv: [{name: X, $patch: delete}]\n");
        assert_eq!(
            shown(&strategic(&base, &patch, true).expect("it is kept")),
            "{spec: {b: {e: 4}}, env: [{name: Z}]}"
        );
        assert!(strategic(&base, &node("$patch: delete\n"), true).is_none());
    }

    #[test]
    fn json_patches_reach_into_lists_and_tell_what_is_not_there() {
        let base = node("spec: {list: [{a: 1}, {a: 2}]}\nmetadata: {annotations: {a/b: x}}\n");
        let patch = node(
            "- {op: replace, path: /spec/list/1/a, value: 3}\n- {op: add, path: /spec/list/-, value: {a: 4}}\n- {op: remove, path: /spec/list/0}\n- {op: replace, path: /metadata/annotations/a~1b, value: v}\n- {op: remove, path: /spec/none/x}\n- {op: move, path: /x, from: /y}\n",
        );
        let mut told = Vec::new();
        let made = json(&base, patch.items(), &mut told);
        assert_eq!(shown(&made), "{spec: {list: [{a: 3}, {a: 4}]}, metadata: {annotations: {a/b: v}}}");
        let told: Vec<String> = told.into_iter().map(|(_, what)| what).collect();
        assert_eq!(told, ["`remove` does not fit: /spec/none/x is not there", "`move` of /x is not applied"]);
    }
}
