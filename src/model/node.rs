//! Values with places: what every frontend yields and every rule reads.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub use super::map::{Entry, Map};
use crate::source::Span;

/// A value and the text that wrote it.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where the attribute, element or block stands that has this value: the place that a finding points at.
    pub span: Span,
    /// The way the value came when it was decided elsewhere (a variable, a local, a module argument), nearest step first.
    pub trail: Option<Arc<Trail>>,
    /// What a JSON text was encoded from (`jsonencode`), so that rules about documents find every part at its own place. Of a
    /// text that its format takes for a boolean where one is wanted, that boolean.
    pub structure: Option<Arc<Node>>,
}

/// The places that decided a value, from the use back to the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// At least one step.
    pub steps: Vec<Step>,
}

/// What a step is called that has no name.
pub const DECIDED: &str = "decided here";

/// One step of a [`Trail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub span: Span,
    /// What it is, for people: `var.public`, `local.tags`, `argument public of module.db`, `default of var.public`.
    pub what: Arc<str>,
}

/// A value as its format's own engine computes it.
#[derive(Debug, Clone)]
pub enum Value {
    /// Explicit null. Rules treat it as absent, as Terraform and the Kubernetes API do.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// A list, tuple or set; nested blocks of one type are a list too.
    List(Arc<[Node]>),
    /// A map, object, block body or YAML mapping, in the order of the file.
    Map(Arc<Map>),
    /// A value that the text alone does not decide.
    Unknown(Arc<Unknown>),
}

/// A number: integers exactly, all others as the nearest double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer that fits.
    Int(i64),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// As a double; integers past 2^53 lose digits.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(int) => int as f64,
            Number::Float(float) => float,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(int) => write!(f, "{int}"),
            Number::Float(float) => write!(f, "{float}"),
        }
    }
}

/// Why a value is not known, and what it depends on.
#[derive(Debug, Clone, Default)]
pub struct Unknown {
    /// The reason, for people: `variable "cidr" has no value`.
    pub reason: String,
    /// What it refers to: `var.cidr`, `aws_kms_key.main.arn`.
    pub references: Vec<String>,
    /// The value is known not to be null, as an attribute that a provider computes.
    pub not_null: bool,
    /// For text of which only parts are unknown: the text with `${reference}` in their place. Rules about documents
    /// (policies) read it; nobody may take it for the value.
    pub template: Option<Arc<str>>,
    /// The two values of a conditional whose condition is not known: what is bad in both is bad.
    pub arms: Option<Arc<[Node; 2]>>,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// A value that is known, though parts inside may not be.
    Known(&'a Node),
    /// The value, or something on the way to it, is unknown.
    Unknown(&'a Node),
    /// Nothing is there, or null; the node is the nearest parent that exists.
    Absent(&'a Node),
}

impl<'a> Lookup<'a> {
    /// The node to point at.
    pub fn node(self) -> &'a Node {
        match self {
            Lookup::Known(node) | Lookup::Unknown(node) | Lookup::Absent(node) => node,
        }
    }

    /// The node if it is known.
    pub fn known(self) -> Option<&'a Node> {
        match self {
            Lookup::Known(node) => Some(node),
            _ => None,
        }
    }

    /// The text, if it is known and one.
    pub fn as_str(self) -> Option<&'a str> {
        self.known()?.as_str()
    }

    /// The truth value, if it is known and one.
    pub fn as_bool(self) -> Option<bool> {
        self.known()?.as_bool()
    }

    /// The number, if it is known and one.
    pub fn as_f64(self) -> Option<f64> {
        self.known()?.as_f64()
    }

    /// A known scalar as text; see [`Node::to_text`].
    pub fn to_text(self) -> Option<String> {
        self.known()?.to_text()
    }

    /// The elements of a known list; none of anything else.
    pub fn items(self) -> &'a [Node] {
        self.known().map(Node::items).unwrap_or_default()
    }

    /// The entries of a known map; none of anything else.
    pub fn entries(self) -> &'a [Entry] {
        self.known().map(Node::entries).unwrap_or_default()
    }

    /// Whether the value is unknown.
    pub fn is_unknown(self) -> bool {
        matches!(self, Lookup::Unknown(_))
    }

    /// Whether nothing is there.
    pub fn is_absent(self) -> bool {
        matches!(self, Lookup::Absent(_))
    }
}

/// The hash of a value in a rule of which this is the hash: equal values in other rules have others.
pub fn hash_in_rule(value: u64, rule: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (value, rule).hash(&mut hasher);
    hasher.finish()
}

impl Node {
    /// A node without a trail.
    pub fn new(value: Value, span: Span) -> Node {
        Node { value, span, trail: None, structure: None }
    }

    /// A string node.
    pub fn string(text: impl Into<Arc<str>>, span: Span) -> Node {
        Node::new(Value::String(text.into()), span)
    }

    /// An unknown node.
    pub fn unknown(reason: impl Into<String>, references: Vec<String>, not_null: bool, span: Span) -> Node {
        Node::new(
            Value::Unknown(Arc::new(Unknown { reason: reason.into(), references, not_null, ..Unknown::default() })),
            span,
        )
    }

    /// A map node.
    pub fn map(entries: Vec<Entry>, span: Span) -> Node {
        Node::new(Value::Map(Arc::new(Map::new(entries))), span)
    }

    /// A list node.
    pub fn list(items: Vec<Node>, span: Span) -> Node {
        Node::new(Value::List(items.into()), span)
    }

    /// Known, unknown or absent (null counts as absent, with this node as the place).
    pub fn as_lookup(&self) -> Lookup<'_> {
        match self.value {
            Value::Null => Lookup::Absent(self),
            Value::Unknown(_) => Lookup::Unknown(self),
            _ => Lookup::Known(self),
        }
    }

    /// Follows one key, without crossing lists. `Unknown` when this node is; never a guess.
    pub fn get(&self, key: &str) -> Lookup<'_> {
        match &self.value {
            Value::Map(map) => match map.get(key) {
                Some(node) if matches!(node.value, Value::Null) => Lookup::Absent(node),
                Some(node) => node.as_lookup(),
                None => map.rest().map_or(Lookup::Absent(self), Lookup::Unknown),
            },
            Value::Unknown(_) => Lookup::Unknown(self),
            _ => Lookup::Absent(self),
        }
    }

    /// Whether it is a text, list or map with nothing in it.
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::String(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(map) => map.entries().is_empty(),
            _ => false,
        }
    }

    /// A hash of the value, wherever it stands: what stands at one place is told apart by it.
    pub fn hash_of_value(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(&self.value).hash(&mut hasher);
        match &self.value {
            Value::Null => {}
            Value::Bool(bool) => bool.hash(&mut hasher),
            Value::Number(number) => number.as_f64().to_bits().hash(&mut hasher),
            Value::String(text) => text.hash(&mut hasher),
            Value::List(items) => items.iter().for_each(|item| item.hash_of_value().hash(&mut hasher)),
            Value::Map(map) => {
                map.entries().iter().for_each(|entry| (&entry.key, entry.node.hash_of_value()).hash(&mut hasher));
            }
            Value::Unknown(unknown) => (&unknown.template, &unknown.references).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// Follows a dotted path of keys; a list on the way stands for its only element if it has just one
    /// (a nested block), else the path is absent. For paths that fan out see [`Node::all`].
    pub fn at(&self, path: &str) -> Lookup<'_> {
        let mut node = self;
        for key in path.split('.') {
            if let Value::List(items) = &node.value {
                match &items[..] {
                    [only] => node = only,
                    _ => return Lookup::Absent(node),
                }
            }
            match node.get(key) {
                Lookup::Known(next) => node = next,
                other => return other,
            }
        }
        Lookup::Known(node)
    }

    /// Every value that a path leads to; lists on the way and at the end fan out into their elements (a trailing `[]`
    /// or `[]` after a key is allowed and changes nothing but the end: without it a list at the end is one value).
    /// A part that is absent or unknown yields one such lookup, so the result is never empty except for empty lists.
    pub fn all<'a>(&'a self, path: &str, out: &mut Vec<Lookup<'a>>) {
        if path.is_empty() {
            out.push(self.as_lookup());
            return;
        }
        let (step, rest) = path.split_once('.').unwrap_or((path, ""));
        let key = step.strip_suffix("[]").unwrap_or(step);
        let fan_out = step.len() != key.len();
        self.each_map(&mut |node| match if key == "*" { Lookup::Known(node) } else { node.get(key) } {
            Lookup::Known(next) if key == "*" => match &next.value {
                Value::Map(map) => map.entries().iter().for_each(|entry| entry.node.all(rest, out)),
                _ => out.push(Lookup::Absent(next)),
            },
            Lookup::Known(next) => match &next.value {
                Value::List(items) if fan_out || !rest.is_empty() => items.iter().for_each(|item| item.all(rest, out)),
                _ => next.all(rest, out),
            },
            other => out.push(other),
        });
    }

    fn each_map<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        match &self.value {
            Value::List(items) => items.iter().for_each(|item| item.each_map(visit)),
            _ => visit(self),
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean, or the strings that Terraform and CloudFormation convert to one.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(bool) => Some(*bool),
            Value::String(text) => match &**text {
                "true" => Some(true),
                "false" => Some(false),
                _ => match self.structure.as_deref()?.value {
                    Value::Bool(bool) => Some(bool),
                    _ => None,
                },
            },
            _ => None,
        }
    }

    /// A number, or a string that reads as one.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => Some(number.as_f64()),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The text that a primitive is written as; none for null, unknown and collections.
    pub fn to_text(&self) -> Option<String> {
        match &self.value {
            Value::String(text) => Some(text.to_string()),
            Value::Bool(bool) => Some(bool.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The elements of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(map) => map.entries(),
            _ => &[],
        }
    }

    /// Whether the value, not its parts, is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.value, Value::Unknown(_))
    }

    /// The same tree with its places changed by `place`, and every value that is neither list nor map by `value`.
    pub fn rebuilt(&self, place: &dyn Fn(Span) -> Span, value: &dyn Fn(&Value) -> Value) -> Node {
        let value = match &self.value {
            Value::List(items) => Value::List(items.iter().map(|item| item.rebuilt(place, value)).collect()),
            Value::Map(map) => {
                let entries = map.entries().iter().map(|entry| Entry {
                    key: entry.key.clone(),
                    key_span: place(entry.key_span),
                    node: entry.node.rebuilt(place, value),
                });
                Value::Map(Arc::new(map.with(entries.collect())))
            }
            other => value(other),
        };
        Node { value, span: place(self.span), ..self.clone() }
    }

    /// Whether any part is unknown.
    pub fn has_unknown(&self) -> bool {
        match &self.value {
            Value::Unknown(_) => true,
            Value::List(items) => items.iter().any(Node::has_unknown),
            Value::Map(map) => map.rest().is_some() || map.written().iter().any(|entry| entry.node.has_unknown()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn span(start: u32) -> Span {
        Span::new(FileId(0), start, start + 1)
    }

    fn entry(key: &str, node: Node) -> Entry {
        Entry { key: key.into(), key_span: node.span, node }
    }

    /// A model consists of these: a word more in a node is a megabyte more for each five of input.
    #[test]
    fn nodes_and_entries_stay_small() {
        assert_eq!((size_of::<Value>(), size_of::<Node>(), size_of::<Entry>()), (24, 56, 88));
    }

    #[test]
    fn paths_cross_lists_and_keep_the_three_answers_apart() {
        let rule = |cidr: Node| Node::map(vec![entry("cidr_blocks", Node::list(vec![cidr], span(3)))], span(2));
        let unknown = Unknown { reason: "no value".into(), references: vec!["var.x".into()], ..Unknown::default() };
        let body = Node::map(
            vec![entry(
                "ingress",
                Node::list(
                    vec![
                        rule(Node::string("0.0.0.0/0", span(4))),
                        rule(Node::new(Value::Unknown(unknown.into()), span(5))),
                        Node::map(vec![], span(6)),
                    ],
                    span(1),
                ),
            )],
            span(0),
        );
        let mut found = Vec::new();
        body.all("ingress.cidr_blocks[]", &mut found);
        assert!(matches!(found[0], Lookup::Known(node) if node.as_str() == Some("0.0.0.0/0")));
        assert!(matches!(found[1], Lookup::Unknown(node) if node.span == span(5)));
        assert!(matches!(found[2], Lookup::Absent(node) if node.span == span(6)));
        assert_eq!(found.len(), 3);
    }
}
