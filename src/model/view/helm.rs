//! What Terraform's `helm_release` tells a chart: its values in all their forms, the last of which counts.
//!
//! The chart itself is elsewhere, so that only what is set can be judged, never what is left out.

use std::collections::BTreeMap;

use crate::model::{Lookup, Node, Resource, Value};

/// Values in one release; charts have hundreds, not more.
const MAX_SETTINGS: usize = 10_000;

/// One value.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// `controller.image.tag`.
    pub path: String,
    /// What it is set to.
    pub node: &'a Node,
}

impl Setting<'_> {
    /// The last key of the path.
    pub fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or("")
    }

    /// The key before that; numbers of elements do not count.
    pub fn parent(&self) -> &str {
        self.path.rsplit('.').skip(1).find(|part| part.parse::<usize>().is_err()).unwrap_or("")
    }

    /// Whether it stands in a security context, as charts call them: `securityContext`, `containerSecurityContext`.
    pub fn is_in_security_context(&self) -> bool {
        self.parent().to_lowercase().ends_with("securitycontext")
    }

    /// Whether it is true, also where Terraform has it as a text.
    pub fn is_true(&self) -> bool {
        self.node.to_text().is_some_and(|text| text == "true")
    }
}

/// The values of a release by their paths; none for other resources.
pub fn settings(resource: &Resource) -> Vec<Setting<'_>> {
    let mut all = BTreeMap::new();
    if &*resource.kind != "helm_release" {
        return Vec::new();
    }
    for document in resource.body.get("values").items() {
        flatten(document.structure.as_deref().unwrap_or(document), String::new(), &mut all);
    }
    for argument in ["set", "set_list", "set_sensitive"] {
        for item in resource.body.get(argument).items() {
            if let (Some(name), Lookup::Known(value)) = (item.get("name").as_str(), item.get("value")) {
                all.insert(name.replace('[', ".").replace(']', ""), value);
            }
        }
    }
    all.into_iter().map(|(path, node)| Setting { path, node }).collect()
}

fn flatten<'a>(node: &'a Node, path: String, all: &mut BTreeMap<String, &'a Node>) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    if all.len() >= MAX_SETTINGS {
        return;
    }
    match &node.value {
        Value::Map(map) => map.entries().iter().for_each(|entry| flatten(&entry.node, below(&entry.key), all)),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| flatten(item, below(&index.to_string()), all));
        }
        // A whole text that was not read is no value.
        _ if path.is_empty() => {}
        _ => {
            all.insert(path, node);
        }
    }
}
