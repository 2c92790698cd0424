//! `gate inspect`: the common model as JSON — what rules see, with places, unknowns and module chains.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use crate::discover::Discovered;
use crate::model::json::to_json;
use crate::model::{Node, Resource, Value};
use crate::report::encode;
use crate::scan::Assembled;
use crate::source::{Sources, Span};

/// Terraform blocks that are resources of the model but not of terraform.
const DECLARATIONS: &[&str] = &["variable", "output", "module", "terraform", "local", "tfvars"];

/// Writes the model. Known values stand under `values`; `unknown` mirrors them with `true` where a part is not known.
pub fn write(discovered: &Discovered, assembled: &Assembled, out: &mut dyn Write) -> io::Result<()> {
    let sources = &discovered.sources;
    let mut roots: BTreeMap<String, (Map<String, Json>, Vec<Json>)> = BTreeMap::new();
    let mut others = Vec::new();
    for resource in &assembled.model.resources {
        if resource.format != "terraform" {
            others.push(entry(resource, sources));
            continue;
        }
        let root = roots.entry(resource.root.to_string()).or_default();
        let is_root = resource.calls.is_empty();
        match &*resource.kind {
            "output" if is_root => {
                if let Some(value) = resource.body.entries().iter().find(|entry| &*entry.key == "value") {
                    root.0.insert(resource.name.to_string(), value_json(&value.node));
                }
            }
            kind if DECLARATIONS.contains(&kind) || kind.starts_with("provider.") || kind.starts_with("backend.") => {}
            _ => root.1.push(entry(resource, sources)),
        }
    }
    // A folder without any code is a module without resources.
    if roots.is_empty() && others.is_empty() {
        roots.entry(".".into()).or_default();
    }
    let terraform: Vec<Json> = roots
        .into_iter()
        .map(|(path, (outputs, resources))| json!({"path": path, "outputs": outputs, "resources": resources}))
        .collect();
    let problems: Vec<Json> = assembled
        .problems
        .iter()
        .chain(&discovered.problems)
        .map(|problem| {
            let line = problem.span.map(|span| sources.line(span));
            json!({"kind": problem.kind.name(), "message": problem.message, "path": problem.path, "line": line})
        })
        .chain(assembled.model.observations.iter().filter(|one| one.name.starts_with("terraform-")).map(|one| {
            let path = sources.get(one.span.file).path();
            json!({"kind": "evaluation", "message": one.message, "path": path, "line": sources.line(one.span)})
        }))
        .collect();
    encode::pretty(&json!({"terraform": terraform, "resources": others, "problems": problems}), out)?;
    writeln!(out)
}

/// A value as `gate inspect` and `gate console` write it.
pub fn value_json(node: &Node) -> Json {
    let mut value = json!({"value": to_json(node)});
    if node.has_unknown() {
        value["unknown"] = unknown(node);
    }
    value
}

fn entry(resource: &Resource, sources: &Sources) -> Json {
    let (mode, kind) = match resource.kind.strip_prefix("data.") {
        Some(kind) => ("data", kind),
        None => ("managed", &*resource.kind),
    };
    let mut entry = json!({
        "address": &*resource.address,
        "mode": mode,
        "type": kind,
        "format": resource.format,
        "values": to_json(&resource.body),
        "at": place(sources, resource.head),
    });
    if !resource.api_version.is_empty() {
        entry["api_version"] = json!(&*resource.api_version);
    }
    if resource.body.has_unknown() {
        entry["unknown"] = unknown(&resource.body);
    }
    if !resource.calls.is_empty() {
        let calls: Vec<Json> = resource
            .calls
            .iter()
            .map(|call| json!({"address": &*call.address, "at": place(sources, call.span)}))
            .collect();
        entry["calls"] = json!(calls);
    }
    entry
}

fn place(sources: &Sources, span: Span) -> Json {
    let (start, end) = sources.region(span);
    json!({"path": sources.get(span.file).path(), "line": start.line, "column": start.column, "end_line": end.line})
}

/// `true` where a value is not known; objects and lists of such marks elsewhere.
fn unknown(node: &Node) -> Json {
    match &node.value {
        Value::Unknown(_) => json!(true),
        Value::List(items) => {
            items.iter().map(|item| if item.has_unknown() { unknown(item) } else { json!(false) }).collect()
        }
        Value::Map(map) => map
            .entries()
            .iter()
            .filter(|entry| entry.node.has_unknown())
            .map(|entry| (entry.key.to_string(), unknown(&entry.node)))
            .collect::<Map<_, _>>()
            .into(),
        _ => json!(false),
    }
}
