//! Texts of JSON and YAML in arguments that rules read as what they say: every part gets the place of its line in a heredoc.

use std::sync::Arc;

use crate::frontend::yaml;
use crate::model::{Map, Node, Resource, Unknown, Value};
use crate::source::{Sources, Span};

/// Arguments that hold such a text, or a list of them.
const TEXTS: &[(&str, &str)] = &[("aws_ecs_task_definition", "container_definitions"), ("helm_release", "values")];

/// Gives the texts of known arguments their structure.
pub fn structure(resources: &mut [Resource], sources: &Sources) {
    for resource in resources {
        let Some((_, argument)) = TEXTS.iter().find(|(kind, _)| *kind == &*resource.kind) else { continue };
        let Value::Map(map) = &resource.body.value else { continue };
        let made =
            map.entries().iter().find(|entry| &*entry.key == *argument).and_then(|entry| read(&entry.node, sources));
        let Some(made) = made else { continue };
        let mut entries = map.entries().to_vec();
        if let Some(entry) = entries.iter_mut().find(|entry| &*entry.key == *argument) {
            entry.node = made;
        }
        resource.body = Node { value: Value::Map(Arc::new(Map::new(entries))), ..resource.body.clone() };
    }
}

/// The same value with the structure of its text; none where there is nothing to add.
fn read(node: &Node, sources: &Sources) -> Option<Node> {
    if node.structure.is_some() {
        return None;
    }
    if let Value::List(items) = &node.value {
        let made = items.iter().map(|item| read(item, sources).unwrap_or_else(|| item.clone()));
        return Some(Node { value: Value::List(made.collect()), ..node.clone() });
    }
    let text = match &node.value {
        Value::String(text) => text,
        Value::Unknown(unknown) => unknown.template.as_ref()?,
        _ => return None,
    };
    let mut documents = yaml::read(node.span.file, text);
    let root = (documents.problems.is_empty() && documents.documents.len() == 1)
        .then(|| documents.documents.remove(0).root)?;
    let place = |span: Span| in_heredoc(span, text, node.span, sources).unwrap_or(node.span);
    let value: fn(&Value) -> Value = if node.is_unknown() { rendered } else { Value::clone };
    Some(Node { structure: Some(Arc::new(root.rebuilt(&place, &value))), ..node.clone() })
}

/// The line of a heredoc that holds a place of its text; none for a value that is written in another way.
pub(super) fn in_heredoc(span: Span, text: &str, whole: Span, sources: &Sources) -> Option<Span> {
    let source = sources.get(whole.file);
    let start = source.text().as_bytes()[whole.start as usize..].windows(2).position(|pair| pair == b"<<")?;
    let head = source.line(whole.start + start as u32);
    let is_heredoc = head == source.line(whole.start) && sources.slice(whole).lines().count() > text.lines().count();
    let above = text.as_bytes()[..(span.start as usize).min(text.len())].iter().filter(|byte| **byte == b'\n').count();
    let line = source.line_text(head + 1 + above as u32);
    let indent = line.len() - line.trim_start().len();
    let from = line.as_ptr() as usize - source.text().as_ptr() as usize + indent;
    let place = Span::new(whole.file, from as u32, (from + line.trim().len()) as u32);
    (is_heredoc && whole.contains(place)).then_some(place)
}

/// A value in a text of a template: with a reference in it, it is not known.
fn rendered(value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    if !text.contains("${") {
        return value.clone();
    }
    let names = text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_string()));
    let references: Vec<String> = names.collect();
    Value::Unknown(Arc::new(Unknown {
        reason: format!("{} is not known", references.join(", ")),
        references,
        not_null: true,
        template: Some(Arc::clone(text)),
        arms: None,
    }))
}
