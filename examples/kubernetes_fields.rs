//! Writes the table of Kubernetes fields, `src/model/kubernetes/fields.txt`, from the published OpenAPI documents
//! (`api/openapi-spec/swagger.json` of each release of Kubernetes, Apache-2.0), oldest first:
//!
//! `cargo run --example kubernetes_fields -- v1.25/swagger.json … v1.37/swagger.json > src/model/kubernetes/fields.txt`
//!
//! A field is in the table if any of the releases knows it, so that no version of a cluster makes it unknown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The fields of a type with their forms; none for a type that is no object with known fields.
#[derive(Default)]
struct Table {
    types: BTreeMap<String, BTreeMap<String, String>>,
    /// Types that are written in place: scalars, and objects whose fields nobody lists.
    plain: BTreeMap<String, String>,
    kinds: BTreeMap<(String, String), String>,
}

#[expect(clippy::print_stdout, reason = "the table is what this program prints")]
fn main() {
    let mut table = Table::default();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).expect("each argument is a file");
        let document: Value = serde_json::from_str(&text).expect("each argument is an OpenAPI document in JSON");
        let definitions = ["definitions", "$defs"].iter().find_map(|key| document.get(key)?.as_object());
        table.add(definitions.expect("the document has definitions"));
    }
    print!("{}", table.text());
}

impl Table {
    fn add(&mut self, definitions: &serde_json::Map<String, Value>) {
        for (name, definition) in definitions {
            match definition.get("properties").and_then(Value::as_object) {
                Some(properties) => {
                    let fields = self.types.entry(name.clone()).or_default();
                    for (field, schema) in properties {
                        fields.insert(field.clone(), form(schema));
                    }
                }
                None => {
                    self.plain.insert(name.clone(), plain(name, definition));
                }
            }
            let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            for kind in kinds.into_iter().flatten() {
                let part = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
                if is_written(name, part("kind")) {
                    let version = match part("group") {
                        "" => part("version").to_string(),
                        group => format!("{group}/{}", part("version")),
                    };
                    self.kinds.insert((version, part("kind").to_string()), name.clone());
                }
            }
        }
    }

    /// Kinds first, then every type that they reach.
    fn text(&self) -> String {
        let mut out = String::from(
            "# The fields of Kubernetes' built-in kinds, from its published OpenAPI documents (Apache-2.0), releases 1.25 to 1.37.\n\
             # Made by examples/kubernetes_fields.rs; not edited by hand.\n",
        );
        let mut wanted: Vec<&str> = self.kinds.values().map(String::as_str).collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if reached.insert(name) {
                wanted.extend(self.fields(name).filter_map(|(_, form)| self.reference(form)));
            }
        }
        for ((version, kind), name) in &self.kinds {
            out.push_str(&format!("kind {version} {kind} {}\n", short(name)));
        }
        for name in &reached {
            let own = short(name);
            let package = own.rsplit_once('.').map_or("", |(package, _)| package);
            out.push_str(&own);
            for (field, form) in self.fields(name) {
                out.push_str(&format!(" {field}:{}", self.written(form, package)));
            }
            out.push('\n');
        }
        out
    }

    /// The fields that people write: what the cluster reports is free.
    fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_kind = self.kinds.values().any(|kind| kind == name);
        self.types[name].iter().map(move |(field, form)| match field.as_str() {
            "status" if is_kind => ("status", "any"),
            "managedFields" => ("managedFields", "any"),
            _ => (field.as_str(), form.as_str()),
        })
    }

    fn reference<'a>(&self, form: &'a str) -> Option<&'a str> {
        let name = form.trim_matches(['[', ']', '{', '}']);
        self.types.contains_key(name).then_some(name)
    }

    /// A form as the table has it: a type of the same package without the package's name.
    fn written(&self, form: &str, package: &str) -> String {
        let name = form.trim_matches(['[', ']', '{', '}']);
        let known = match self.plain.get(name) {
            Some(plain) => plain.clone(),
            None if self.types.contains_key(name) => match short(name).strip_prefix(package) {
                Some(rest) if rest.matches('.').count() == 1 => rest.to_string(),
                _ => short(name),
            },
            None => name.to_string(),
        };
        form.replace(name, &known)
    }
}

/// Whether people write objects of this kind into files.
fn is_written(name: &str, kind: &str) -> bool {
    !name.contains(".pkg.apis.meta.") && !kind.ends_with("List") && !kind.ends_with("Review")
}

/// `string`, `[TYPE]` for a list, `{TYPE}` for a map of the author's own keys.
fn form(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or_default().to_string();
    }
    match kind(schema) {
        "string" | "integer" | "boolean" | "number" => kind(schema).to_string(),
        "array" => format!("[{}]", schema.get("items").map_or_else(|| "any".into(), form)),
        "object" => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => format!("{{{}}}", form(values)),
            _ => "any".into(),
        },
        _ => "any".into(),
    }
}

/// Some renderings of the document allow null beside the type.
fn kind(schema: &Value) -> &str {
    let of = |value: &'_ Value| value.as_str().is_some_and(|name| name != "null");
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names.iter().find(|name| of(name)).and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}

fn plain(name: &str, definition: &Value) -> String {
    match name.rsplit('.').next() {
        Some("Quantity") => "quantity".into(),
        Some("IntOrString") => "int-or-string".into(),
        _ if kind(definition) == "string" => "string".into(),
        _ => "any".into(),
    }
}

/// `apps.v1.Deployment` for `io.k8s.api.apps.v1.Deployment`.
fn short(name: &str) -> String {
    let parts: Vec<&str> = name.rsplit('.').take(3).collect();
    format!("{}.{}.{}", parts[2], parts[1], parts[0])
}
