//! `aws_iam_policy_document`: the one data source that only computes. Its `json` is delivered as the document's structure, so
//! that every statement keeps its place and unknown parts stay parts.

use std::rc::Rc;

use super::body;
use super::eval::{Evaluator, Instance, Repetition, Scope};
use super::module::Declaration;
use crate::model::{Entry, Node, Value};

/// The document that a data block describes. Source and override documents contribute their statements.
pub fn document(
    evaluator: &Evaluator<'_>,
    instance: &Rc<Instance>,
    declaration: &Declaration,
    repetition: &Repetition,
) -> Node {
    let scope = Scope::new(instance, &declaration.file, repetition);
    let entries = body::body(evaluator, scope, declaration.block.body, &mut |_, _| {});
    let head = declaration.head();
    let find = |name: &str| entries.iter().find(|entry| &*entry.key == name).map(|entry| &entry.node);
    let mut statements: Vec<Node> = Vec::new();
    for name in ["source_policy_documents", "source_json"] {
        find(name).into_iter().for_each(|documents| add_documents(documents, &mut statements));
    }
    for block in find("statement").map(Node::items).unwrap_or_default() {
        statements.push(statement(block));
    }
    for name in ["override_policy_documents", "override_json"] {
        find(name).into_iter().for_each(|documents| add_documents(documents, &mut statements));
    }
    let entry = |key: &str, node: Node| Entry { key: key.into(), key_span: head, node };
    Node::map(
        vec![entry("Version", Node::string("2012-10-17", head)), entry("Statement", Node::list(statements, head))],
        head,
    )
}

fn add_documents(node: &Node, statements: &mut Vec<Node>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| add_documents(item, statements)),
        Value::Map(map) => match map.get("Statement") {
            Some(Node { value: Value::List(items), .. }) => statements.extend(items.iter().cloned()),
            Some(one) => statements.push(one.clone()),
            None => {}
        },
        Value::String(text) => {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
                add_documents(&super::functions::from_json(&value, node.span), statements);
            }
        }
        Value::Unknown(_) => statements.push(node.clone()),
        _ => {}
    }
}

/// A `statement` block in the form of the JSON.
pub fn statement(block: &Node) -> Node {
    const NAMES: &[(&str, &str)] = &[
        ("sid", "Sid"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ];
    let mut entries = Vec::new();
    let effect = block.get("effect").known().cloned().unwrap_or_else(|| Node::string("Allow", block.span));
    entries.push(Entry { key: "Effect".into(), key_span: effect.span, node: effect });
    for (ours, theirs) in NAMES {
        if let Some(entry) = block.entries().iter().find(|entry| &*entry.key == *ours) {
            entries.push(Entry { key: (*theirs).into(), ..entry.clone() });
        }
    }
    for (ours, theirs) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        if let Some(entry) = block.entries().iter().find(|entry| &*entry.key == ours) {
            entries.push(Entry { key: theirs.into(), key_span: entry.key_span, node: principals(&entry.node) });
        }
    }
    if let Some(entry) = block.entries().iter().find(|entry| &*entry.key == "condition") {
        entries.push(Entry { key: "Condition".into(), key_span: entry.key_span, node: conditions(&entry.node) });
    }
    Node::map(entries, block.span)
}

fn principals(blocks: &Node) -> Node {
    let mut entries: Vec<Entry> = Vec::new();
    for block in blocks.items() {
        let kind = block.get("type").known().and_then(Node::as_str).unwrap_or("AWS").to_string();
        let Some(identifiers) = block.entries().iter().find(|entry| &*entry.key == "identifiers") else { continue };
        entries.push(Entry {
            key: kind.as_str().into(),
            key_span: identifiers.key_span,
            node: identifiers.node.clone(),
        });
    }
    Node::map(entries, blocks.span)
}

fn conditions(blocks: &Node) -> Node {
    let mut tests: Vec<Entry> = Vec::new();
    for block in blocks.items() {
        let text = |name: &str| block.get(name).known().and_then(Node::as_str).unwrap_or("").to_string();
        let (test, variable) = (text("test"), text("variable"));
        let Some(values) = block.entries().iter().find(|entry| &*entry.key == "values") else { continue };
        let inner = Entry { key: variable.as_str().into(), key_span: values.key_span, node: values.node.clone() };
        let known = tests.iter().position(|entry| *entry.key == *test);
        let mut inners = known.map(|index| tests[index].node.entries().to_vec()).unwrap_or_default();
        inners.push(inner);
        let entry = Entry { key: test.as_str().into(), key_span: block.span, node: Node::map(inners, block.span) };
        match known {
            Some(index) => tests[index] = entry,
            None => tests.push(entry),
        }
    }
    Node::map(tests, blocks.span)
}
