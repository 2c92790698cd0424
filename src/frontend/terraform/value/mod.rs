//! The values of Terraform's language, typed as terraform types them.
//!
//! Inside the evaluator a value knows its type, its marks and the way it came; rules see the model's [`Node`]s, into which
//! [`lower`] turns a value at the edge.

pub mod arms;
pub mod constraint;
mod content;
pub mod convert;
mod decimal;
mod equality;
pub mod lower;
pub mod number;
pub mod types;
pub mod unify;

use std::sync::Arc;

pub use self::equality::{equal, set_order};
pub use self::number::Number;
pub use self::types::{AttributeType, Sort, Type};
pub use crate::model::DECIDED;
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

/// From how many values on a collection is worth being found again.
const LARGE: u32 = 64;

/// What a value's parts say together.
#[derive(Debug, Clone, Copy, Default)]
struct Summary {
    /// Number of values within, itself included; saturating.
    weight: u32,
    /// Number of values that these were made from, and of parts of the types that are all that is known of some; saturating.
    behind: u32,
    /// Bytes of text within; saturating.
    text: u32,
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
    /// A nested block. Only the provider's schema tells whether there may be many, and thus a list of them.
    pub is_block: bool,
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

/// Why what a provider computes is not known. A part of such a value is computed too, so that it is told by this reason.
pub const AFTER_APPLY: &str = "known after apply";

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
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let mut add = |part: &Val| {
            summary.weight = summary.weight.saturating_add(part.summary.weight);
            summary.behind = summary.behind.saturating_add(part.summary.behind);
            summary.text = summary.text.saturating_add(part.summary.text);
            summary.marks = summary.marks.with(part.deep_marks());
            summary.has_unknown |= part.summary.has_unknown;
        };
        match kind {
            Kind::Unknown(unknown) => {
                summary.has_unknown = true;
                summary.behind = unknown.ty.parts();
                for arm in unknown.arms.iter().flat_map(|arms| arms.iter()) {
                    summary.weight = summary.weight.saturating_add(arm.summary.weight);
                    summary.behind = summary.behind.saturating_add(arm.summary.behind);
                }
                summary.text = unknown.template.as_ref().map_or(0, |text| length(text));
            }
            Kind::String(text) => summary.text = length(text),
            Kind::List(elements) | Kind::Set(elements) => elements.items.iter().for_each(add),
            Kind::Tuple(items) => items.iter().for_each(add),
            Kind::Map(members) | Kind::Object(members) => {
                members.items.iter().for_each(|member| add(&member.val));
                summary.has_unknown |= members.open.is_some();
            }
            Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) => {}
        }
        summary
    }

    /// As [`Summary::of`], of what was made from `structure`.
    fn made(kind: &Kind, structure: Option<&Arc<Val>>) -> Summary {
        let summary = Summary::of(kind);
        let behind = structure.map_or(0, |structure| structure.size());
        Summary { behind: summary.behind.saturating_add(behind), ..summary }
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
        let summary = Summary::made(&kind, self.structure.as_ref());
        Val { kind, summary, ..self }
    }

    /// What `other` is, with this place, trail and structure.
    pub fn sharing(self, other: &Val) -> Val {
        let summary = Summary::made(&other.kind, self.structure.as_ref());
        Val { kind: other.kind.clone(), marks: other.marks, summary, ..self }
    }

    /// Where the parts of a large collection lie in memory; none for small values, which are as quickly made anew.
    pub fn shared_address(&self) -> Option<usize> {
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

    /// How many values are within or behind it: also those that texts were encoded from, and those that are all that is known
    /// of a collection.
    pub fn size(&self) -> u32 {
        self.summary.weight.saturating_add(self.summary.behind)
    }

    /// Bytes of text within.
    pub fn text_len(&self) -> usize {
        self.summary.text as usize
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

    /// The inside of a nested block.
    pub fn block(items: Vec<Member>, span: Span) -> Val {
        let members = Members { items: sorted(items), is_block: true, ..Members::default() };
        Val::new(Kind::Object(Arc::new(members)), span)
    }

    /// Whether it is the inside of a nested block.
    pub fn is_block(&self) -> bool {
        matches!(&self.kind, Kind::Object(members) if members.is_block)
    }

    /// A map whose elements have this type; of equal keys the last counts.
    pub fn map(ty: Type, items: Vec<Member>, span: Span) -> Val {
        Val::new(Kind::Map(Arc::new(Members { ty, items: sorted(items), ..Members::default() })), span)
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
        self.used_as(span, DECIDED)
    }

    /// As [`Val::used_at`]; `name` is what it is called there.
    pub fn used_as(self, span: Span, name: &str) -> Val {
        let val = self.each_arm(&|arm| arm.used_as(span, name));
        val.moved_to(span, name)
    }

    /// The same value with both its arms, if it has two, as `change` makes them.
    fn each_arm(self, change: &dyn Fn(Val) -> Val) -> Val {
        let Kind::Unknown(unknown) = &self.kind else { return self };
        let Some(arms) = &unknown.arms else { return self };
        let arms = Some(Arc::new(arms.each_ref().map(|arm| change(arm.clone()))));
        let unknown = Unknown { arms, ..(**unknown).clone() };
        self.with_kind(Kind::Unknown(unknown.into()))
    }

    fn moved_to(self, span: Span, name: &str) -> Val {
        let told = self.trail.as_ref().is_some_and(|link| link.span == self.span);
        if span.contains(self.span) || told {
            return Val { span, ..self };
        }
        let link = Link { span: self.span, what: name.into(), next: self.trail };
        Val { span, trail: Some(Arc::new(link)), ..self }
    }

    /// Marks that a name's value was written at `span`.
    pub fn through(self, span: Span, what: Arc<str>) -> Val {
        let val = self.each_arm(&|arm| arm.through(span, what.clone()));
        let link = Link { span, what, next: val.trail };
        Val { span, trail: Some(Arc::new(link)), ..val }
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
            Arc::new(Members {
                ty: all.ty.clone(),
                items: items.collect(),
                open: all.open.clone(),
                is_block: all.is_block,
            })
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
        let val = self.each_arm(&|arm| arm.at(span));
        Val { span, ..val }
    }

    /// With what it was encoded or made from.
    pub fn made_from(self, structure: Val) -> Val {
        let structure = Some(Arc::new(structure));
        Val { summary: Summary::made(&self.kind, structure.as_ref()), structure, ..self }
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
