//! How often a block is repeated: `count` and `for_each`.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::FxHashMap;

use super::{Dependencies, Evaluated, Evaluator, Instance, Scope, Space, fail};
use crate::frontend::terraform::module::Declaration;
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Kind, Marks, Type, Unknown, Val};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Instances of one resource or module that are judged one by one.
const MAX_INSTANCES: usize = 10_000;

/// Which instance of a repeated block.
#[derive(Debug, Clone, Default)]
pub struct Repetition {
    /// `count.index`
    pub index: Option<Val>,
    /// `each.key` and `each.value`
    pub each: Option<(Val, Val)>,
    /// What stands in brackets after the name: `[0]`, `["a"]`, or nothing.
    pub key: String,
}

impl Repetition {
    /// The key of the instance that an index names; none where the index is not known.
    pub fn key_of(index: &Val, is_keyed: bool) -> Option<String> {
        let text = index.to_text()?;
        Some(if is_keyed { format!("[{}]", quoted(&text)) } else { format!("[{text}]") })
    }
}

/// A key as terraform writes it into addresses: quoted, without the beginnings of templates, and with escapes in place of what
/// does not print.
fn quoted(key: &str) -> String {
    static PRINTS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$").expect("the pattern is fixed"));
    let mut quoted = String::with_capacity(key.len() + 2);
    quoted.push('"');
    let mut chars = key.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' | '\\' => quoted.extend(['\\', char]),
            '$' | '%' if chars.peek() == Some(&'{') => quoted.extend([char, char]),
            ' '..='~' => quoted.push(char),
            other if PRINTS.is_match(other.encode_utf8(&mut [0; 4])) => quoted.push(other),
            other if u32::from(other) < 0x10000 => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

/// The instances of one block, found by key.
#[derive(Debug, Default)]
pub struct Repetitions {
    all: Vec<Repetition>,
    by_key: FxHashMap<String, usize>,
}

impl Repetitions {
    fn new(all: Vec<Repetition>) -> Rc<Repetitions> {
        let by_key = all.iter().enumerate().map(|(position, one)| (one.key.clone(), position)).collect();
        Rc::new(Repetitions { all, by_key })
    }

    /// Where the instance with this key stands.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied()
    }
}

impl Deref for Repetitions {
    type Target = [Repetition];

    fn deref(&self) -> &[Repetition] {
        &self.all
    }
}

impl Evaluator<'_> {
    /// The instances of a block with `count` or `for_each`; one plain instance without. None where the number is unknown.
    pub fn repetitions(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
    ) -> Option<Rc<Repetitions>> {
        let Some((name, span, value)) = self.repeating(instance, declaration, key) else {
            return Some(Repetitions::new(vec![Repetition::default()]));
        };
        if value.is_unknown() {
            return None;
        }
        if let Some(known) = instance.repetitions.borrow().get(key) {
            return Some(known.clone());
        }
        let most = if key.starts_with("module.") { self.conceivable_modules() } else { usize::MAX };
        let all = match name {
            "count" => {
                let number = value.as_number()?.as_i64().unwrap_or(i64::MAX);
                let one = |index: usize| Repetition {
                    index: Some(Val::int(index as i64, span)),
                    each: None,
                    key: format!("[{index}]"),
                };
                let wanted = most.min(number.unsigned_abs() as usize);
                (0..self.bounded(wanted, span, name)).map(one).collect()
            }
            _ => {
                let mut all = value.pairs();
                all.truncate(self.bounded(most.min(all.len()), span, name));
                let one = |(key, value): (Val, Val)| {
                    let name = Repetition::key_of(&key, true)?;
                    Some(Repetition { index: None, each: Some((key, value)), key: name })
                };
                all.into_iter().map(one).collect::<Option<_>>()?
            }
        };
        let all = Repetitions::new(all);
        instance.repetitions.borrow_mut().insert(key.into(), all.clone());
        Some(all)
    }

    /// The value of `count` or `for_each`, with its name and place; none without one.
    fn repeating(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
    ) -> Option<(&'static str, Span, Val)> {
        let (name, at) = match (declaration.attribute("count"), declaration.attribute("for_each")) {
            (Some(count), _) => ("count", count),
            (None, each) => ("for_each", each?),
        };
        let span = at.file.expr_span(at.item);
        let value = self.memoized(instance, Space::Resource, &format!("{key}.{name}"), span, || {
            let value = self.eval(Scope::new(instance, &at.file, &Repetition::default()), at.item)?;
            if name == "count" { counted(value, span) } else { keyed(value, span) }
        });
        Some((name, span, value))
    }

    fn bounded(&self, wanted: usize, span: Span, what: &str) -> usize {
        let message = match wanted > MAX_INSTANCES {
            true => format!("{what} asks for {wanted} instances: only the first is judged"),
            false => match self.charge(wanted as u64, span) {
                Ok(()) => return wanted,
                Err(failure) => format!("{}: only the first of {wanted} instances is judged", failure.message),
            },
        };
        self.problem(
            Problem::at(ProblemKind::Limit, span, message)
                .help(format!("gate judges up to {MAX_INSTANCES} instances one by one")),
        );
        wanted.min(1)
    }

    /// Tells that of the instances of a block only the first are made, since there is no room for more.
    pub fn tell_left(&self, made: usize, wanted: usize, head: Span) {
        let message = format!("the values of this module grow past what is judged: {made} of {wanted} instances are");
        self.problem(Problem::at(ProblemKind::Limit, head, message).help("make fewer instances, or smaller ones"));
    }

    /// As [`Evaluator::representatives`], with the resources that the number of instances depends on.
    pub fn repeated(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
    ) -> (Rc<Repetitions>, Dependencies) {
        self.collected(|| self.representatives(instance, declaration, key))
    }

    /// As [`Evaluator::repetitions`], with one representative of unknown key where the number is unknown.
    pub fn representatives(&self, instance: &Rc<Instance>, declaration: &Declaration, key: &str) -> Rc<Repetitions> {
        self.repetitions(instance, declaration, key).unwrap_or_else(|| {
            let span = declaration.head();
            let part = |ty: Type, name: &str| {
                let unknown = Unknown {
                    ty,
                    reason: "the instances are not known".into(),
                    references: vec![name.into()],
                    not_null: true,
                    ..Unknown::default()
                };
                Val::unknown(unknown, span)
            };
            let one = match declaration.attribute("count") {
                Some(_) => Repetition { index: Some(part(Type::Number, "count.index")), ..Repetition::default() },
                None => {
                    let value = part(Type::Dynamic, "each.value");
                    let known = self.repeating(instance, declaration, key).and_then(|(.., all)| all.known_elements());
                    let value = match known {
                        // An instance that is there in any case stands for itself.
                        Some(known) => {
                            let is_open = known.has_others && known.certain.is_empty();
                            let all = known.certain.iter().chain(&known.perhaps);
                            value.one_of(all.map(|(_, value)| value), is_open)
                        }
                        None => value,
                    };
                    let each = (part(Type::String, "each.key"), value);
                    Repetition { each: Some(each), ..Repetition::default() }
                }
            };
            Repetitions::new(vec![one])
        })
    }
}

/// A `count`: a whole number, zero or more, or unknown.
fn counted(val: Val, span: Span) -> Evaluated {
    let val = convert(val, &Type::Number).map_err(|error| fail(span, format!("invalid count: {error}")))?;
    let refused = match val.as_number() {
        _ if val.is_null() => Some("it is null"),
        // Unlike a key, a number tells nothing of a sensitive value: terraform takes it.
        _ if val.deep_marks().has(Marks::EPHEMERAL) => Some("it comes from an ephemeral value"),
        Some(number) if number.is_negative() => Some("it is negative"),
        Some(number) if !number.is_integer() => Some("it is no whole number"),
        _ => None,
    };
    refused.map_or(Ok(val), |why| Err(fail(span, format!("invalid count: {why}"))))
}

/// A `for_each`: a map, an object or a set of strings, or unknown.
fn keyed(val: Val, span: Span) -> Evaluated {
    let refused = match &val.kind {
        _ if val.is_null() => Some("it is null"),
        _ if val.marks.has(Marks::SENSITIVE) => Some("it comes from a sensitive value"),
        _ if val.marks.has(Marks::EPHEMERAL) => Some("it comes from an ephemeral value"),
        Kind::Map(_) | Kind::Object(_) => None,
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Dynamic | Type::Map(_) | Type::Object(_) => None,
            Type::Set(element) if matches!(**element, Type::String | Type::Dynamic) => None,
            _ => Some("it wants a map or a set of strings"),
        },
        Kind::Set(elements) => match &elements.ty {
            _ if elements.items.iter().any(Val::is_null) => Some("the set holds null"),
            Type::String => None,
            _ if elements.items.is_empty() => None,
            _ => Some("it wants a map or a set of strings"),
        },
        _ => Some("it wants a map or a set of strings; convert a list with toset"),
    };
    if let Some(why) = refused {
        return Err(fail(span, format!("invalid for_each: {why}")));
    }
    // Keys that are not known make the whole unknown: no instance can be told from another.
    if matches!(val.kind, Kind::Set(_)) && val.has_unknown() {
        return Ok(Val::depends(Type::set(Type::String), &[&val], span));
    }
    Ok(val)
}
