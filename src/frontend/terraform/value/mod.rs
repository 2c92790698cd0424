//! The values of Terraform's language, typed as terraform types them.
//!
//! Inside the evaluator a value knows its type, its marks and the way it came; rules see the model's [`Node`]s, into which
//! [`lower`] turns a value at the edge.

pub mod constraint;
pub mod convert;
pub mod lower;
pub mod number;
pub mod types;
pub mod unify;

use std::cmp::Ordering;
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

pub use self::number::Number;
pub use self::types::{AttributeType, Sort, Type};
use crate::source::Span;

/// A value with the place of the expression that yields it.
#[derive(Debug, Clone)]
pub struct Val {
    /// The value.
    pub kind: Kind,
    /// Where it is used.
    pub span: Span,
    /// What may not be shown or stored.
    pub marks: Marks,
    /// What the parts say, kept so that no question walks a large value twice.
    summary: Summary,
    /// Where it was decided, when that is elsewhere.
    pub trail: Option<Arc<Link>>,
    /// What a text was encoded from.
    pub structure: Option<Arc<Val>>,
}

/// What a value's parts say together.
#[derive(Debug, Clone, Copy, Default)]
struct Summary {
    /// Number of values within, itself included; saturating.
    weight: u32,
    marks: Marks,
    has_unknown: bool,
}

/// A value. Only [`Val::new`] and [`Val::with_kind`] put one into a [`Val`].
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null` of a type.
    Null(Type),
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// A list and the type of its elements.
    List(Arc<Elements>),
    /// A set in terraform's order.
    Set(Arc<Elements>),
    /// A map, sorted by key.
    Map(Arc<Members>),
    /// A tuple.
    Tuple(Arc<Vec<Val>>),
    /// An object, sorted by key.
    Object(Arc<Members>),
    /// Not known.
    Unknown(Arc<Unknown>),
}

/// The elements of a list or set.
#[derive(Debug, Clone)]
pub struct Elements {
    /// Their type.
    pub ty: Type,
    /// The elements.
    pub items: Vec<Val>,
}

/// The elements of a map or the attributes of an object.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// The type of a map's elements; unused for objects.
    pub ty: Type,
    /// Sorted by key.
    pub items: Vec<Member>,
    /// For a resource or data source: its name. Attributes that are not configured are known after apply only.
    pub open: Option<Arc<str>>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Member {
    /// The key.
    pub key: Arc<str>,
    /// Where it stands.
    pub key_span: Span,
    /// The value.
    pub val: Val,
}

/// Why a value is not known, and what is known of it nevertheless.
#[derive(Debug, Clone, Default)]
pub struct Unknown {
    /// Its type.
    pub ty: Type,
    /// The reason, for people.
    pub reason: Arc<str>,
    /// What it depends on.
    pub references: Vec<Arc<str>>,
    /// It will not be null.
    pub not_null: bool,
    /// A string of at least one character.
    pub not_empty: bool,
    /// The text that a string begins with.
    pub prefix: Option<Arc<str>>,
    /// A text with `${reference}` in place of what is not known.
    pub template: Option<Arc<str>>,
    /// The two arms of a conditional whose condition is not known.
    pub arms: Option<Arc<[Val; 2]>>,
}

/// Marks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Marks = Marks(0);
    /// Must not be shown.
    pub const SENSITIVE: Marks = Marks(1);
    /// Must not be stored.
    pub const EPHEMERAL: Marks = Marks(2);

    /// The marks of both.
    pub fn with(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// These marks without `other`.
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }

    /// Whether all of `other` are here.
    pub fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A step on the way of a value, nearest first.
#[derive(Debug)]
pub struct Link {
    /// Where it stands.
    pub span: Span,
    /// What it is, for people.
    pub what: Arc<str>,
    /// The step before.
    pub next: Option<Arc<Link>>,
}

impl Summary {
    fn of(kind: &Kind) -> Summary {
        let mut summary = Summary { weight: 1, ..Summary::default() };
        let mut add = |part: &Val| {
            summary.weight = summary.weight.saturating_add(part.summary.weight);
            summary.marks = summary.marks.with(part.deep_marks());
            summary.has_unknown |= part.summary.has_unknown;
        };
        match kind {
            Kind::Unknown(_) => summary.has_unknown = true,
            Kind::List(elements) | Kind::Set(elements) => elements.items.iter().for_each(add),
            Kind::Tuple(items) => items.iter().for_each(add),
            Kind::Map(members) | Kind::Object(members) => {
                members.items.iter().for_each(|member| add(&member.val));
                summary.has_unknown |= members.open.is_some();
            }
            Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
        }
        summary
    }
}

impl Val {
    /// A value without marks and trail.
    pub fn new(kind: Kind, span: Span) -> Val {
        let summary = Summary::of(&kind);
        Val { kind, span, marks: Marks::NONE, summary, trail: None, structure: None }
    }

    /// Another value with the same place, marks and trail.
    pub fn with_kind(self, kind: Kind) -> Val {
        let summary = Summary::of(&kind);
        Val { kind, summary, ..self }
    }

    /// What `other` is, with this place, trail and structure.
    pub fn sharing(self, other: &Val) -> Val {
        Val { kind: other.kind.clone(), marks: other.marks, summary: other.summary, ..self }
    }

    /// Where the parts of a large collection lie in memory; none for small values, which are as quickly made anew.
    pub fn shared_address(&self) -> Option<usize> {
        const LARGE: u32 = 64;
        match &self.kind {
            _ if self.weight() < LARGE => None,
            Kind::List(parts) | Kind::Set(parts) => Some(Arc::as_ptr(parts) as usize),
            Kind::Map(parts) | Kind::Object(parts) => Some(Arc::as_ptr(parts) as usize),
            Kind::Tuple(parts) => Some(Arc::as_ptr(parts) as usize),
            _ => None,
        }
    }

    /// How many values are within, itself included.
    pub fn weight(&self) -> u32 {
        self.summary.weight
    }

    /// `null` of no known type.
    pub fn null(span: Span) -> Val {
        Val::new(Kind::Null(Type::Dynamic), span)
    }

    /// A string.
    pub fn string(text: impl Into<Arc<str>>, span: Span) -> Val {
        Val::new(Kind::String(text.into()), span)
    }

    /// A boolean.
    pub fn bool(bool: bool, span: Span) -> Val {
        Val::new(Kind::Bool(bool), span)
    }

    /// What is counted.
    pub fn int(int: i64, span: Span) -> Val {
        Val::new(Kind::Number(Number::word(int)), span)
    }

    /// A tuple.
    pub fn tuple(items: Vec<Val>, span: Span) -> Val {
        Val::new(Kind::Tuple(Arc::new(items)), span)
    }

    /// A list whose elements have this type.
    pub fn list(ty: Type, items: Vec<Val>, span: Span) -> Val {
        Val::new(Kind::List(Arc::new(Elements { ty, items })), span)
    }

    /// A set; equal elements are merged, the rest sorted as terraform sorts them.
    pub fn set(ty: Type, mut items: Vec<Val>, span: Span) -> Val {
        items.sort_by(set_order);
        items.dedup_by(|a, b| equal(a, b) == Some(true));
        Val::new(Kind::Set(Arc::new(Elements { ty, items })), span)
    }

    /// An object; of equal keys the last counts.
    pub fn object(items: Vec<Member>, span: Span) -> Val {
        Val::new(Kind::Object(Arc::new(Members { items: sorted(items), ..Members::default() })), span)
    }

    /// A map whose elements have this type; of equal keys the last counts.
    pub fn map(ty: Type, items: Vec<Member>, span: Span) -> Val {
        Val::new(Kind::Map(Arc::new(Members { ty, items: sorted(items), open: None })), span)
    }

    /// Not known.
    pub fn unknown(unknown: Unknown, span: Span) -> Val {
        Val::new(Kind::Unknown(Arc::new(unknown)), span)
    }

    /// Not known because of `parts`: their references and the reason of the first.
    pub fn depends(ty: Type, parts: &[&Val], span: Span) -> Val {
        let mut unknown = Unknown { ty, ..Unknown::default() };
        for part in parts {
            part.collect_references(&mut unknown);
        }
        if unknown.reason.is_empty() {
            unknown.reason = "depends on values that are not known".into();
        }
        let marks = parts.iter().fold(Marks::NONE, |marks, part| marks.with(part.deep_marks()));
        Val { marks, ..Val::unknown(unknown, span) }
    }

    fn collect_references(&self, into: &mut Unknown) {
        match &self.kind {
            Kind::Unknown(unknown) => {
                if into.reason.is_empty() {
                    into.reason = unknown.reason.clone();
                }
                for reference in &unknown.references {
                    if !into.references.contains(reference) {
                        into.references.push(reference.clone());
                    }
                }
            }
            _ => self.parts().for_each(|part| part.collect_references(into)),
        }
    }

    /// The same value at another place of use. Where it was decided becomes the first step of its trail, unless that lies
    /// within the place of use.
    pub fn used_at(self, span: Span) -> Val {
        let told = self.trail.as_ref().is_some_and(|link| link.span == self.span);
        if span.contains(self.span) || told {
            return Val { span, ..self };
        }
        let link = Link { span: self.span, what: "decided here".into(), next: self.trail };
        Val { span, trail: Some(Arc::new(link)), ..self }
    }

    /// Marks that a name's value was written at `span`.
    pub fn through(self, span: Span, what: Arc<str>) -> Val {
        let link = Link { span, what, next: self.trail };
        Val { span, trail: Some(Arc::new(link)), ..self }
    }

    /// The same value with every part at one place, and no trail: for values from texts that are no file of the scan.
    pub fn placed(&self, span: Span) -> Val {
        let kind = match &self.kind {
            Kind::Unknown(unknown) => Kind::Unknown(Arc::new(Unknown { arms: None, ..(**unknown).clone() })),
            _ => self.map_parts(Some(span), &|part| part.placed(span)),
        };
        Val { marks: self.marks, ..Val::new(kind, span) }
    }

    /// The same kind of value with each part as `change` makes it, which must keep the types of parts; keys at another place if
    /// one is given.
    pub fn map_parts(&self, key_span: Option<Span>, change: &dyn Fn(&Val) -> Val) -> Kind {
        let elements =
            |all: &Elements| Arc::new(Elements { ty: all.ty.clone(), items: all.items.iter().map(change).collect() });
        let members = |all: &Members| {
            let items = all.items.iter().map(|one| Member {
                key: one.key.clone(),
                key_span: key_span.unwrap_or(one.key_span),
                val: change(&one.val),
            });
            Arc::new(Members { ty: all.ty.clone(), items: items.collect(), open: all.open.clone() })
        };
        match &self.kind {
            Kind::List(items) => Kind::List(elements(items)),
            Kind::Set(items) => Kind::Set(elements(items)),
            Kind::Tuple(items) => Kind::Tuple(Arc::new(items.iter().map(change).collect())),
            Kind::Map(items) => Kind::Map(members(items)),
            Kind::Object(items) => Kind::Object(members(items)),
            other => other.clone(),
        }
    }

    /// The same value at another place.
    pub fn at(self, span: Span) -> Val {
        Val { span, ..self }
    }

    /// With what it was encoded or made from.
    pub fn made_from(self, structure: Val) -> Val {
        Val { structure: Some(Arc::new(structure)), ..self }
    }

    /// With more marks.
    pub fn marked(mut self, marks: Marks) -> Val {
        self.marks = self.marks.with(marks);
        self
    }

    /// Without these marks of its own; those of its parts stay.
    pub fn own_unmarked(mut self, marks: Marks) -> Val {
        self.marks = self.marks.without(marks);
        self
    }

    /// Its type. For a tuple or object every part is looked at: where the sort is enough, [`Val::sort`] costs nothing.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) => ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(elements) => Type::list(elements.ty.clone()),
            Kind::Set(elements) => Type::set(elements.ty.clone()),
            Kind::Map(members) => Type::map(members.ty.clone()),
            Kind::Tuple(items) => Type::Tuple(Arc::new(items.iter().map(Val::ty).collect())),
            Kind::Object(members) if members.open.is_some() => Type::Dynamic,
            Kind::Object(members) => {
                let attribute =
                    |member: &Member| AttributeType { name: member.key.clone(), ty: member.val.ty(), optional: None };
                Type::Object(Arc::new(members.items.iter().map(attribute).collect()))
            }
            Kind::Unknown(unknown) => unknown.ty.clone(),
        }
    }

    /// Its type without the inside.
    pub fn sort(&self) -> Sort {
        match &self.kind {
            Kind::Null(ty) => ty.sort(),
            Kind::Bool(_) => Sort::Bool,
            Kind::Number(_) => Sort::Number,
            Kind::String(_) => Sort::String,
            Kind::List(_) => Sort::List,
            Kind::Set(_) => Sort::Set,
            Kind::Map(_) => Sort::Map,
            Kind::Tuple(_) => Sort::Tuple,
            Kind::Object(members) if members.open.is_some() => Sort::Dynamic,
            Kind::Object(_) => Sort::Object,
            Kind::Unknown(unknown) => unknown.ty.sort(),
        }
    }

    /// The type of the elements of a list, set or map, known or not; none for anything else.
    pub fn element_ty(&self) -> Option<&Type> {
        match &self.kind {
            Kind::List(elements) | Kind::Set(elements) => Some(&elements.ty),
            Kind::Map(members) => Some(&members.ty),
            Kind::Null(ty) => ty.element(),
            Kind::Unknown(unknown) => unknown.ty.element(),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether the value itself is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether any part is not known.
    pub fn has_unknown(&self) -> bool {
        self.summary.has_unknown
    }

    /// The marks of the value and of all its parts.
    pub fn deep_marks(&self) -> Marks {
        self.marks.with(self.summary.marks)
    }

    /// The elements of a list, set or tuple; none for anything else.
    pub fn items(&self) -> &[Val] {
        match &self.kind {
            Kind::List(elements) | Kind::Set(elements) => &elements.items,
            Kind::Tuple(items) => items,
            _ => &[],
        }
    }

    /// The members of a map or object; none for anything else.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Map(members) | Kind::Object(members) => &members.items,
            _ => &[],
        }
    }

    /// The member of this key.
    pub fn member(&self, key: &str) -> Option<&Val> {
        let members = self.members();
        members.binary_search_by(|one| (*one.key).cmp(key)).ok().map(|index| &members[index].val)
    }

    /// Elements or members, without their keys.
    pub fn parts(&self) -> impl Iterator<Item = &Val> {
        self.items().iter().chain(self.members().iter().map(|member| &member.val))
    }

    /// A list, set, tuple, map or object.
    pub fn is_collection(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Set(_) | Kind::Map(_) | Kind::Tuple(_) | Kind::Object(_))
    }

    /// Keys and values in terraform's order of iteration: indices for lists and tuples, elements twice for sets.
    pub fn pairs(&self) -> Vec<(Val, Val)> {
        match &self.kind {
            Kind::Set(elements) => elements.items.iter().map(|one| (one.clone(), one.clone())).collect(),
            Kind::Map(_) | Kind::Object(_) => {
                let pair = |one: &Member| (Val::string(one.key.clone(), one.key_span), one.val.clone());
                self.members().iter().map(pair).collect()
            }
            _ => {
                let pair = |(index, one): (usize, &Val)| (Val::int(index as i64, one.span), one.clone());
                self.items().iter().enumerate().map(pair).collect()
            }
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    /// A number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A primitive as terraform writes it into text.
    pub fn to_text(&self) -> Option<Arc<str>> {
        match &self.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string().into()),
            Kind::Bool(bool) => Some(if *bool { "true" } else { "false" }.into()),
            _ => None,
        }
    }
}

/// Sorts members by key; of equal keys the last counts.
pub fn sorted(mut items: Vec<Member>) -> Vec<Member> {
    if items.is_sorted_by(|a, b| a.key < b.key) {
        return items;
    }
    items.reverse();
    items.sort_by(|a, b| a.key.cmp(&b.key));
    items.dedup_by(|later, first| later.key == first.key);
    items
}

/// Whether two values are equal as terraform's `==` says; none where it depends on what is not known.
pub fn equal(a: &Val, b: &Val) -> Option<bool> {
    let null_against_not_null =
        |x: &Val, y: &Val| x.is_null() && matches!(&y.kind, Kind::Unknown(unknown) if unknown.not_null);
    if null_against_not_null(a, b) || null_against_not_null(b, a) {
        return Some(false);
    }
    // What is not known within may leave a type open that is none in the end.
    let other_types =
        |x: &Type, y: &Type| if a.has_unknown() || b.has_unknown() { differ(x, y) == Some(false) } else { x != y };
    match (&a.kind, &b.kind) {
        (Kind::Unknown(_), Kind::Unknown(_)) => None,
        (Kind::Unknown(_), Kind::Null(_)) | (Kind::Null(_), Kind::Unknown(_)) => None,
        (Kind::Unknown(open), Kind::String(text)) | (Kind::String(text), Kind::Unknown(open))
            if open.prefix.as_deref().is_some_and(|known| !text.starts_with(safe(known))) =>
        {
            Some(false)
        }
        (Kind::Unknown(open), Kind::String(text)) | (Kind::String(text), Kind::Unknown(open))
            if open.not_empty && text.is_empty() =>
        {
            Some(false)
        }
        (Kind::Unknown(x), _) => never_equal(&x.ty, &b.ty()),
        (_, Kind::Unknown(y)) => never_equal(&a.ty(), &y.ty),
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
        (Kind::Bool(x), Kind::Bool(y)) => Some(x == y),
        (Kind::Number(x), Kind::Number(y)) => Some(x == y),
        (Kind::String(x), Kind::String(y)) => Some(x == y),
        (Kind::List(x), Kind::List(y)) | (Kind::Set(x), Kind::Set(y)) if other_types(&x.ty, &y.ty) => Some(false),
        (Kind::List(_), Kind::List(_)) | (Kind::Set(_), Kind::Set(_)) => items_equal(a, b),
        (Kind::Tuple(_), Kind::Tuple(_)) => items_equal(a, b),
        (Kind::Map(x), Kind::Map(y)) if other_types(&x.ty, &y.ty) => Some(false),
        (Kind::Map(x), Kind::Map(y)) | (Kind::Object(x), Kind::Object(y)) => {
            if x.open.is_some() || y.open.is_some() {
                return None;
            }
            if x.items.len() != y.items.len() || x.items.iter().zip(&y.items).any(|(x, y)| x.key != y.key) {
                return Some(false);
            }
            all(x.items.iter().zip(&y.items).map(|(x, y)| equal(&x.val, &y.val)))
        }
        _ => Some(false),
    }
}

/// The part of a known start that what follows can't change: a letter may still get an accent, and `=` a stroke.
fn safe(prefix: &str) -> &str {
    let Some(last) = prefix.graphemes(true).next_back() else { return prefix };
    match last.as_bytes() {
        [b'<' | b'=' | b'>'] => &prefix[..prefix.len() - 1],
        [byte] if byte.is_ascii_punctuation() || *byte == b' ' => prefix,
        _ => &prefix[..prefix.len() - last.len()],
    }
}

/// Some(false) where an unknown of one type can't turn out to be equal to a value of the other; none where it can. Only what is
/// no collection may turn out to be of another type.
fn never_equal(a: &Type, b: &Type) -> Option<bool> {
    fn is_open(ty: &Type) -> bool {
        match ty {
            Type::Dynamic => true,
            Type::Tuple(items) => items.iter().any(is_open),
            Type::Object(attributes) => attributes.iter().any(|one| is_open(&one.ty)),
            _ => false,
        }
    }
    if a == b || is_open(a) || is_open(b) { None } else { Some(false) }
}

/// Some(false) where two types can't be those of equal values; none where they may.
fn differ(a: &Type, b: &Type) -> Option<bool> {
    if a == b || a.has_dynamic() || b.has_dynamic() { None } else { Some(false) }
}

fn items_equal(a: &Val, b: &Val) -> Option<bool> {
    let (a, b) = (a.items(), b.items());
    if a.len() != b.len() {
        return Some(false);
    }
    all(a.iter().zip(b).map(|(x, y)| equal(x, y)))
}

/// What the first part that is not equal says: terraform stops there, even where it is not known.
fn all(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts.find(|part| *part != Some(true)).unwrap_or(Some(true))
}

/// The order of elements in a set: by value for primitives, else by a text that tells values apart; null and unknown last.
pub fn set_order(a: &Val, b: &Val) -> Ordering {
    let rank = |val: &Val| if val.is_unknown() { 2 } else { u8::from(val.is_null()) };
    rank(a).cmp(&rank(b)).then_with(|| match (&a.kind, &b.kind) {
        (Kind::Bool(x), Kind::Bool(y)) => x.cmp(y),
        (Kind::Number(x), Kind::Number(y)) => x.cmp(y),
        (Kind::String(x), Kind::String(y)) => x.cmp(y),
        _ => set_key(a).cmp(&set_key(b)),
    })
}

/// What tells a compound element of a set from others, in the form by which `cty` sorts them.
fn set_key(val: &Val) -> String {
    let mut key = String::new();
    write_set_key(val, &mut key);
    key
}

fn write_set_key(val: &Val, key: &mut String) {
    match &val.kind {
        Kind::Unknown(_) => key.push('?'),
        Kind::Null(_) => key.push('~'),
        Kind::Bool(bool) => key.push(if *bool { 'T' } else { 'F' }),
        Kind::Number(number) => key.push_str(&number.to_string()),
        Kind::String(text) => key.push_str(&format!("{text:?}")),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            let (open, close) = match val.kind {
                Kind::Tuple(_) => ('<', '>'),
                _ => ('[', ']'),
            };
            key.push(open);
            for item in val.items() {
                write_set_key(item, key);
                key.push(';');
            }
            key.push(close);
        }
        Kind::Map(members) => {
            key.push('{');
            for member in &members.items {
                key.push_str(&format!("{:?}:", member.key));
                write_set_key(&member.val, key);
                key.push(';');
            }
            key.push('}');
        }
        Kind::Object(members) => {
            key.push('<');
            for member in &members.items {
                write_set_key(&member.val, key);
                key.push(';');
            }
            key.push('>');
        }
    }
}
