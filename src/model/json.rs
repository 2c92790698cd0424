//! Between nodes and JSON.

use serde_json::Value as Json;

use super::{Entry, Node, Number, Value};
use crate::source::Span;

/// A JSON value as a node; every part stands at `span`.
pub fn from_json(value: &Json, span: Span) -> Node {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Number(
            number.as_i64().map(Number::Int).unwrap_or_else(|| Number::Float(number.as_f64().unwrap_or(f64::NAN))),
        ),
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(|item| from_json(item, span)).collect()),
        Json::Object(map) => {
            let entry = |(key, value): (&String, &Json)| Entry {
                key: key.as_str().into(),
                key_span: span,
                node: from_json(value, span),
            };
            return Node::map(map.iter().map(entry).collect(), span);
        }
    };
    Node::new(value, span)
}

/// A node as JSON with sorted keys; unknown parts become null.
pub fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Unknown(_) => Json::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(Number::Int(int)) => (*int).into(),
        Value::Number(Number::Float(float)) => (*float).into(),
        Value::String(text) => text.to_string().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let mut entries: Vec<&Entry> = map.entries().iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let pairs = entries.into_iter().map(|entry| (entry.key.to_string(), to_json(&entry.node)));
            pairs.collect::<serde_json::Map<_, _>>().into()
        }
    }
}
