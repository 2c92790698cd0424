//! IAM policy documents: statements from JSON text, from `jsonencode` and from `aws_iam_policy_document`.

use std::borrow::Cow;

use crate::model::json::from_json;
use crate::model::{Lookup, Node, Value};

/// A document as a structure; None where it is not known. Text of which only parts are unknown is read with the references in
/// their place.
pub fn document(node: &Node) -> Option<Cow<'_, Node>> {
    if let Some(structure) = &node.structure {
        return Some(Cow::Borrowed(structure));
    }
    let text = match &node.value {
        Value::Map(_) | Value::List(_) => return Some(Cow::Borrowed(node)),
        Value::String(text) => text,
        Value::Unknown(unknown) => unknown.template.as_ref()?,
        _ => return None,
    };
    let value = serde_json::from_str::<serde_json::Value>(text).ok()?;
    let mut parsed = from_json(&value, node.span);
    parsed.trail.clone_from(&node.trail);
    Some(Cow::Owned(parsed))
}

/// The statements of a document; a single one may stand without a list.
pub fn statements(document: &Node) -> Vec<Statement<'_>> {
    match document.get("Statement") {
        Lookup::Known(node) => match &node.value {
            Value::List(items) => {
                items.iter().filter(|item| !item.is_unknown()).map(|body| Statement { body }).collect()
            }
            Value::Map(_) => vec![Statement { body: node }],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether a pattern of a policy takes in a text: `*` stands for any characters, `?` for one. Case matters.
pub fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut next, mut star, mut retry) = (0, 0, None, 0);
    while next < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some(at);
                retry = next;
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[next] => {
                at += 1;
                next += 1;
            }
            _ => match star {
                Some(known) => {
                    retry += 1;
                    (at, next) = (known + 1, retry);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// One statement.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Its body.
    pub body: &'a Node,
}

impl<'a> Statement<'a> {
    /// Whether it allows, as far as that is known.
    pub fn allows(self) -> bool {
        let effect = self.body.get("Effect");
        !effect.is_unknown() && effect.as_str().is_none_or(|effect| effect.eq_ignore_ascii_case("allow"))
    }

    /// Whether it is not known if it allows.
    pub fn is_undecided(self) -> bool {
        self.body.get("Effect").is_unknown()
    }

    /// The elements of `Action`, `Resource` and the like; a single string counts as one.
    pub fn values(self, name: &str) -> Vec<&'a Node> {
        match self.body.get(name) {
            Lookup::Known(node) => match &node.value {
                Value::List(items) => items.iter().collect(),
                _ => vec![node],
            },
            _ => Vec::new(),
        }
    }

    /// Principals with their type; `"*"` alone has the type `*`.
    pub fn principals(self) -> Vec<(&'a str, &'a Node)> {
        match self.body.get("Principal") {
            Lookup::Known(node) => match &node.value {
                Value::Map(map) => map
                    .entries()
                    .iter()
                    .flat_map(|entry| {
                        let items = match &entry.node.value {
                            Value::List(items) => items.iter().collect::<Vec<_>>(),
                            _ => vec![&entry.node],
                        };
                        items.into_iter().map(move |node| (&*entry.key, node))
                    })
                    .collect(),
                _ => vec![("*", node)],
            },
            _ => Vec::new(),
        }
    }

    /// Every condition: its test, its key and its value.
    pub fn conditions(self) -> impl Iterator<Item = (&'a str, &'a str, &'a Node)> {
        let tests = self.body.get("Condition").entries();
        tests.iter().flat_map(|test| test.node.entries().iter().map(|entry| (&*test.key, &*entry.key, &entry.node)))
    }
}
