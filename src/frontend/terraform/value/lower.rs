//! From values to the model's nodes, and to JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Kind, Link, Marks, Member, Number, Type, Unknown, Val};
use crate::model::{self, Entry, Node, Step, Trail, Value};

/// Steps that a finding shows at most; a longer way keeps its two ends.
const MAX_STEPS: usize = 8;

/// The value as rules see it.
pub fn lower(val: &Val) -> Node {
    Lowering::default().node(val)
}

/// What was lowered of one value, by where it lies in memory: a part that is mentioned often is held once.
#[derive(Default)]
struct Lowering {
    collections: FxHashMap<usize, Value>,
    structures: FxHashMap<usize, Arc<Node>>,
    unknowns: FxHashMap<usize, Arc<model::Unknown>>,
}

impl Lowering {
    fn node(&mut self, val: &Val) -> Node {
        let trail = val.trail.as_deref().map(|link| Arc::new(trail(link)));
        // What a list holds may be known though not where in it.
        if let (Kind::List(_), Some(parts)) = (&val.kind, &val.structure) {
            return Node { span: val.span, trail, ..self.node(parts) };
        }
        // Of a list or map that is known in part, rules see the part; of one with two arms, either.
        if let (Kind::Unknown(unknown), Some(parts)) = (&val.kind, &val.structure)
            && !matches!(unknown.ty, Type::String)
            && unknown.arms.is_none()
        {
            let known = self.structure(parts);
            let value = match &known.value {
                Value::Map(map) => {
                    let rest = Value::Unknown(self.unknown(unknown));
                    let rest = Node { value: rest, span: val.span, trail: trail.clone(), structure: None };
                    Value::Map(Arc::new(model::Map::open(map.entries().to_vec(), rest)))
                }
                known => known.clone(),
            };
            return Node { value, span: val.span, trail, structure: known.structure.clone() };
        }
        let structure = match &val.structure {
            Some(structure) => Some(self.structure(structure)),
            None => truth(val).map(Arc::new),
        };
        Node { value: self.value(val), span: val.span, trail, structure }
    }

    fn value(&mut self, val: &Val) -> Value {
        match &val.kind {
            Kind::Null(_) => Value::Null,
            Kind::Bool(bool) => Value::Bool(*bool),
            Kind::Number(number) if number.as_f64().is_finite() => Value::Number(lower_number(number)),
            // Known to terraform, but none of the numbers that rules see: better not known than wrong.
            Kind::Number(number) => Value::Unknown(Arc::new(model::Unknown {
                reason: format!("the number {number} is larger than what is judged"),
                not_null: true,
                ..model::Unknown::default()
            })),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Unknown(unknown) => Value::Unknown(self.unknown(unknown)),
            _ => match val.shared_address() {
                None => self.collection(val),
                Some(address) => match self.collections.get(&address) {
                    Some(value) => value.clone(),
                    None => {
                        let value = self.collection(val);
                        self.collections.insert(address, value.clone());
                        value
                    }
                },
            },
        }
    }

    fn collection(&mut self, val: &Val) -> Value {
        match &val.kind {
            Kind::Map(members) | Kind::Object(members) => {
                let entry = |member: &Member| Entry {
                    key: member.key.clone(),
                    key_span: member.key_span,
                    node: self.node(&member.val),
                };
                Value::Map(Arc::new(model::Map::new(members.items.iter().map(entry).collect())))
            }
            _ => Value::List(val.items().iter().map(|item| self.node(item)).collect()),
        }
    }

    fn structure(&mut self, structure: &Arc<Val>) -> Arc<Node> {
        let address = Arc::as_ptr(structure) as usize;
        if let Some(node) = self.structures.get(&address) {
            return Arc::clone(node);
        }
        let node = Arc::new(self.node(structure));
        self.structures.insert(address, Arc::clone(&node));
        node
    }

    fn unknown(&mut self, unknown: &Arc<Unknown>) -> Arc<model::Unknown> {
        let address = Arc::as_ptr(unknown) as usize;
        if let Some(lowered) = self.unknowns.get(&address) {
            return Arc::clone(lowered);
        }
        let lowered = Arc::new(model::Unknown {
            reason: unknown.reason.to_string(),
            references: unknown.references.iter().map(|reference| reference.to_string()).collect(),
            not_null: unknown.not_null,
            template: unknown.template.clone(),
            arms: unknown.arms.as_ref().map(|arms| Arc::new([self.node(&arms[0]), self.node(&arms[1])])),
        });
        self.unknowns.insert(address, Arc::clone(&lowered));
        lowered
    }
}

/// The boolean that terraform takes a text for where the provider wants one; of `"true"` and `"false"` everybody knows.
fn truth(val: &Val) -> Option<Node> {
    let bool = match val.as_str()? {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    Some(Node::new(Value::Bool(bool), val.span))
}

fn lower_number(number: &Number) -> model::Number {
    number.as_i64().map_or_else(|| model::Number::Float(number.as_f64()), model::Number::Int)
}

fn trail(link: &Link) -> Trail {
    let mut steps = Vec::new();
    let mut at = Some(link);
    while let Some(link) = at {
        steps.push(Step { span: link.span, what: link.what.clone() });
        at = link.next.as_deref();
    }
    if steps.len() > MAX_STEPS {
        steps.drain(MAX_STEPS / 2..steps.len() - MAX_STEPS / 2);
    }
    steps.shrink_to_fit();
    Trail { steps }
}

/// The text that terraform's `jsonencode` makes: no blanks, sorted keys, `<`, `>` and `&` escaped. Unknown parts are null.
pub fn encode_json(val: &Val) -> String {
    let mut text = String::new();
    write_json(val, &mut text);
    text
}

fn write_json(val: &Val, out: &mut String) {
    match &val.kind {
        Kind::Null(_) | Kind::Unknown(_) => out.push_str("null"),
        Kind::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Kind::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Kind::String(text) => write_json_text(text, out),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            out.push('[');
            for (index, item) in val.items().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Kind::Map(_) | Kind::Object(_) => {
            out.push('{');
            for (index, member) in val.members().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json_text(&member.key, out);
                out.push(':');
                write_json(&member.val, out);
            }
            out.push('}');
        }
    }
}

/// A JSON string as Go's encoder writes it.
fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", char as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// What `gate console` answers, as JSON: the value, its type, and mirrors of it with `true` where a part is unknown or sensitive.
/// Numbers are written out as they are, which [`Json`] could not hold.
pub fn answer(val: &Val) -> String {
    if val.is_unknown() {
        return json!({"unknown": true}).to_string();
    }
    let mut about = JsonMap::from_iter([("type".to_string(), json!(val.ty().to_string()))]);
    if val.has_unknown() {
        about.insert("unknown".into(), mirror(val, &|val| val.is_unknown()));
    }
    if val.deep_marks().has(Marks::SENSITIVE) {
        about.insert("sensitive".into(), mirror(val, &|val| val.marks.has(Marks::SENSITIVE)));
    }
    let value = if is_finite(val) { encode_json(val) } else { plain(val).to_string() };
    let about = Json::Object(about).to_string();
    format!("{{\"value\":{value},{}", &about[1..])
}

/// Whether no number in it is infinite, so that it can be written as JSON.
pub fn is_finite(val: &Val) -> bool {
    val.as_number().is_none_or(Number::is_finite) && val.parts().all(is_finite)
}

/// A value with infinite numbers, which JSON has not: they are texts.
fn plain(val: &Val) -> Json {
    match &val.kind {
        Kind::Null(_) | Kind::Unknown(_) => Json::Null,
        Kind::Bool(bool) => (*bool).into(),
        Kind::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            // JSON has no infinite numbers, and a whole number is exact or a text.
            None => Some(number.as_f64())
                .filter(|float| {
                    !number.is_integer() || Number::parse(&float.to_string()).is_some_and(|same| same == *number)
                })
                .and_then(serde_json::Number::from_f64)
                .map_or_else(|| Json::String(number.to_string()), Json::Number),
        },
        Kind::String(text) => text.to_string().into(),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => val.items().iter().map(plain).collect(),
        Kind::Map(_) | Kind::Object(_) => val
            .members()
            .iter()
            .map(|member| (member.key.to_string(), plain(&member.val)))
            .collect::<JsonMap<_, _>>()
            .into(),
    }
}

fn mirror(val: &Val, is: &dyn Fn(&Val) -> bool) -> Json {
    if is(val) {
        return json!(true);
    }
    match &val.kind {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => val.items().iter().map(|item| mirror(item, is)).collect(),
        Kind::Map(_) | Kind::Object(_) => val
            .members()
            .iter()
            .map(|member| (member.key.to_string(), mirror(&member.val, is)))
            .filter(|(_, mirrored)| *mirrored != json!(false))
            .collect::<JsonMap<_, _>>()
            .into(),
        _ => json!(false),
    }
}
