//! Strings. Characters are grapheme clusters, and strings are kept in normal form C.

use unicode_segmentation::UnicodeSegmentation;

use super::{
    Answer, Function, NUMBER, Place, STRING, STRINGS, Val, Want, bounded, function, open, string, text, variadic, whole,
};
use crate::frontend::terraform::value::{Kind, Type};

pub(super) const FUNCTIONS: &[Function] = &[
    function("chomp", &[STRING], Want::String, |a, at| Ok(string(text(&a[0]).trim_end_matches(['\r', '\n']), at))),
    function("endswith", &[STRING, STRING], Want::Bool, |a, at| {
        Ok(Val::bool(text(&a[0]).ends_with(text(&a[1])), at.span))
    }),
    function("indent", &[NUMBER, STRING], Want::String, |a, at| {
        let spaces = " ".repeat(whole(&a[0], 0, 1 << 16)? as usize);
        bounded(text(&a[1]).replace('\n', &format!("\n{spaces}")), at)
    }),
    variadic("join", &[STRING, STRINGS.whole()], STRINGS.whole(), Want::String, join),
    function("lower", &[STRING], Want::String, |a, at| {
        // Simple case mapping, as Go has it: one character stays one.
        let lower = |char: char| char.to_lowercase().next().unwrap_or(char);
        bounded(text(&a[0]).chars().map(lower).collect(), at)
    }),
    function("split", &[STRING, STRING], Want::List(&Want::String), split),
    function("startswith", &[STRING.unknown(), STRING], Want::Bool, starts_with),
    function("strcontains", &[STRING, STRING], Want::Bool, |a, at| {
        Ok(Val::bool(text(&a[0]).contains(text(&a[1])), at.span))
    }),
    function("strrev", &[STRING], Want::String, |a, at| bounded(text(&a[0]).graphemes(true).rev().collect(), at)),
    function("substr", &[STRING, NUMBER, NUMBER], Want::String, substr),
    function("title", &[STRING], Want::String, title),
    function("trim", &[STRING, STRING], Want::String, |a, at| {
        let cut: Vec<char> = text(&a[1]).chars().collect();
        Ok(string(text(&a[0]).trim_matches(&cut[..]), at))
    }),
    function("trimprefix", &[STRING, STRING], Want::String, |a, at| {
        Ok(string(text(&a[0]).strip_prefix(text(&a[1])).unwrap_or(text(&a[0])), at))
    }),
    function("trimspace", &[STRING], Want::String, |a, at| Ok(string(text(&a[0]).trim(), at))),
    function("trimsuffix", &[STRING, STRING], Want::String, |a, at| {
        Ok(string(text(&a[0]).strip_suffix(text(&a[1])).unwrap_or(text(&a[0])), at))
    }),
    function("upper", &[STRING], Want::String, |a, at| bounded(text(&a[0]).chars().map(upper).collect(), at)),
];

/// Simple case mapping: what would become several characters stays as it is.
fn upper(char: char) -> char {
    let mut mapped = char.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => char,
    }
}

fn join(arguments: &[Val], at: &Place) -> Answer {
    let mut parts = Vec::new();
    for list in &arguments[1..] {
        for item in list.items() {
            parts.push(item.as_str().ok_or("a list holds null")?);
        }
    }
    bounded(parts.join(text(&arguments[0])), at)
}

fn split(arguments: &[Val], at: &Place) -> Answer {
    let (separator, whole) = (text(&arguments[0]), text(&arguments[1]));
    let parts: Vec<Val> = match separator {
        "" => whole.chars().map(|char| string(char.to_string(), at)).collect(),
        _ => whole.split(separator).map(|part| string(part, at)).collect(),
    };
    super::few(parts.len())?;
    Ok(Val::list(Type::String, parts, at.span))
}

fn starts_with(arguments: &[Val], at: &Place) -> Answer {
    let prefix = text(&arguments[1]);
    match &arguments[0].kind {
        Kind::Unknown(unknown) => match unknown.prefix.as_deref() {
            Some(known) if known.starts_with(prefix) => Ok(Val::bool(true, at.span)),
            Some(known) if !prefix.starts_with(known) => Ok(Val::bool(false, at.span)),
            _ if prefix.is_empty() => Ok(Val::bool(true, at.span)),
            _ => Ok(open(Type::Bool, arguments, at)),
        },
        _ => Ok(Val::bool(text(&arguments[0]).starts_with(prefix), at.span)),
    }
}

fn substr(arguments: &[Val], at: &Place) -> Answer {
    let graphemes: Vec<&str> = text(&arguments[0]).graphemes(true).collect();
    let mut offset = whole(&arguments[1], i64::MIN, i64::MAX)?;
    let length = whole(&arguments[2], i64::MIN, i64::MAX)?;
    if offset < 0 {
        offset = offset.saturating_add(graphemes.len() as i64).max(0);
    }
    let rest = graphemes.get(offset as usize..).unwrap_or(&[]);
    let taken = if length < 0 { rest.len() } else { rest.len().min(length as usize) };
    Ok(string(rest[..taken].concat(), at))
}

/// The first letter of each word in upper case; letters, digits and underscores make words.
fn title(arguments: &[Val], at: &Place) -> Answer {
    let mut begins = true;
    let titled = text(&arguments[0])
        .chars()
        .map(|char| {
            let result = if begins { upper(char) } else { char };
            begins = match char {
                '_' => false,
                char if char.is_ascii() => !char.is_ascii_alphanumeric(),
                char if char.is_alphanumeric() => false,
                char => char.is_whitespace(),
            };
            result
        })
        .collect();
    bounded(titled, at)
}
