//! When two values are equal, and the order of sets.

use std::cmp::Ordering;

use unicode_segmentation::UnicodeSegmentation;

use super::{Kind, Type, Val};

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
        (_, Kind::Unknown(y)) => never_equal(&y.ty, &a.ty()),
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

/// Some(false) where an unknown of one type can't turn out to be equal to a value of the other; none where it can.
fn never_equal(unknown: &Type, known: &Type) -> Option<bool> {
    fn is_open(ty: &Type) -> bool {
        match ty {
            Type::Dynamic => true,
            Type::Tuple(items) => items.iter().any(is_open),
            Type::Object(attributes) => attributes.iter().any(|one| is_open(&one.ty)),
            _ => false,
        }
    }
    match (unknown, known) {
        (Type::Dynamic, _) => None,
        // What is open inside does not make something else of the whole.
        (Type::Tuple(_), Type::Tuple(_)) | (Type::Object(_), Type::Object(_)) if is_open(unknown) || is_open(known) => {
            None
        }
        (_, Type::Tuple(_) | Type::Object(_)) if unknown != known => Some(false),
        _ if unknown == known || is_open(unknown) => None,
        _ => Some(false),
    }
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
