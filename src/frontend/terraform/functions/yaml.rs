//! `yamlencode` and `yamldecode`, as terraform's YAML library (go-cty-yaml) writes and reads.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use granit_parser::{Event, Parser, ScalarStyle};
use regex::Regex;
use rustc_hash::FxHashMap;

use super::{ANY, Answer, Function, Place, STRING, Val, Want, bounded, function, open, string, text};
use crate::frontend::terraform::value::{Kind, Member, Number, Type};

/// Columns after which quoted text is folded at the next blank.
const WIDTH: usize = 80;
/// Longest text that stands as a simple key.
const MAX_SIMPLE_KEY: usize = 128;
/// Values that aliases of one text may stand for together.
const MAX_ALIASED: u32 = 100_000;

pub(super) const FUNCTIONS: &[Function] = &[
    function("yamldecode", &[STRING], Want::Any, |a, at| decode(text(&a[0]), at)),
    function("yamlencode", &[ANY.null().unknown()], Want::String, |a, at| {
        if a[0].has_unknown() {
            return Ok(open(Type::String, a, at).made_from(a[0].clone()));
        }
        let mut out = String::new();
        match &a[0].kind {
            Kind::String(text) => {
                scalar(text, 2, &mut out);
                out.push('\n');
            }
            Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) => {
                let _ = write!(out, "{}\n...\n", plain(&a[0]));
            }
            _ if is_empty(&a[0]) => {
                let _ = writeln!(out, "{}", plain(&a[0]));
            }
            _ => block(&a[0], 0, &mut out),
        }
        Ok(bounded(out, at)?.made_from(a[0].clone()))
    }),
];

fn is_empty(val: &Val) -> bool {
    val.is_collection() && val.items().is_empty() && val.members().is_empty()
}

/// Null, booleans, numbers and empty collections.
fn plain(val: &Val) -> String {
    match &val.kind {
        Kind::Map(_) | Kind::Object(_) => "{}".into(),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => "[]".into(),
        _ => val.to_text().map_or_else(|| "null".into(), |text| text.to_string()),
    }
}

/// A collection that is not empty, each line of it at `indent`; the first line is indented already.
fn block(val: &Val, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    if matches!(val.kind, Kind::Map(_) | Kind::Object(_)) {
        for (index, member) in val.members().iter().enumerate() {
            if index > 0 {
                out.push_str(&margin);
            }
            let is_simple = member.key.len() <= MAX_SIMPLE_KEY && !member.key.contains('\n');
            if !is_simple {
                out.push_str("? ");
            }
            scalar(&member.key, indent + 2, out);
            if !is_simple {
                let _ = write!(out, "\n{margin}");
            }
            out.push(':');
            // A list stands under its key, a map two columns further in.
            let is_list = matches!(member.val.kind, Kind::List(_) | Kind::Set(_) | Kind::Tuple(_));
            under(&member.val, if is_list { indent } else { indent + 2 }, indent, out);
        }
        return;
    }
    for (index, item) in val.items().iter().enumerate() {
        if index > 0 {
            out.push_str(&margin);
        }
        out.push('-');
        if item.is_collection() && !is_empty(item) {
            out.push(' ');
            block(item, indent + 2, out);
        } else {
            under(item, indent, indent, out);
        }
    }
}

/// A value after its key or dash.
fn under(val: &Val, inner: usize, indent: usize, out: &mut String) {
    match &val.kind {
        Kind::String(text) => {
            out.push(' ');
            scalar(text, indent + 2, out);
            out.push('\n');
        }
        _ if val.is_collection() && !is_empty(val) => {
            let _ = write!(out, "\n{}", " ".repeat(inner));
            block(val, inner, out);
        }
        _ => {
            let _ = writeln!(out, " {}", plain(val));
        }
    }
}

/// A string: a literal block where it has lines and no character needs an escape, else quoted. No line break at the end.
fn scalar(text: &str, inner: usize, out: &mut String) {
    let is_block = text.contains('\n')
        && !text.ends_with(' ')
        && !text.contains(" \n")
        && text.chars().all(|char| char == '\n' || is_printable(char));
    if is_block {
        literal(text, inner, out);
    } else {
        quoted(text, inner, out);
    }
}

fn literal(text: &str, inner: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    let kept = text.strip_suffix('\n').unwrap_or(text);
    for line in kept.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            let _ = write!(out, "{}{line}", " ".repeat(inner));
        }
    }
}

fn is_printable(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && char != '\u{feff}'
}

fn quoted(text: &str, inner: usize, out: &mut String) {
    let mut column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    out.push('"');
    column += 1;
    let mut after_space = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let is_last = chars.peek().is_none();
        if char == ' ' && !after_space && column > WIDTH && at > 0 && !is_last {
            let _ = write!(out, "\n{}", " ".repeat(inner));
            column = inner;
            if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                out.push('\\');
                column += 1;
            }
            after_space = true;
            continue;
        }
        after_space = char == ' ';
        let from = out.len();
        match char {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            char if is_printable(char) => out.push(char),
            char => {
                let code = char as u32;
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
        column += out[from..].chars().count();
    }
    out.push('"');
}

// Reading.

enum Frame {
    List(Vec<Val>, usize),
    Map { members: Vec<Member>, key: Option<Arc<str>>, is_merge: bool, merged: Vec<Member>, anchor: usize },
}

fn decode(text: &str, at: &Place) -> Answer {
    // The parser here is more lenient: a tab is no indentation.
    if text
        .lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.trim_start_matches(' ').starts_with('\t'))
    {
        return Err("invalid YAML: a tab can't begin a line".into());
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut anchors: FxHashMap<usize, Val> = FxHashMap::default();
    let mut root: Option<Val> = None;
    let mut documents = 0;
    let mut aliased = 0u32;
    for next in Parser::new_from_str(text) {
        let (event, _) = next.map_err(|error| format!("invalid YAML: {}", error.info()))?;
        let (val, is_plain_merge) = match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err("the text holds more than one document".into());
                }
                continue;
            }
            Event::Scalar(content, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let tag = tag.map(|tag| format!("{tag}"));
                let val = resolved(&content, is_plain, tag.as_deref(), at)?;
                if anchor > 0 {
                    anchors.insert(anchor, val.clone());
                }
                (val, is_plain && &*content == "<<")
            }
            Event::SequenceStart(_, anchor, _) => {
                frames.push(Frame::List(Vec::new(), anchor));
                continue;
            }
            Event::MappingStart(_, anchor, _) => {
                let (members, merged) = (Vec::new(), Vec::new());
                frames.push(Frame::Map { members, key: None, is_merge: false, merged, anchor });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = frames.pop() else { continue };
                let (val, anchor) = match frame {
                    Frame::List(items, anchor) => (Val::tuple(items, at.span), anchor),
                    Frame::Map { members, mut merged, anchor, .. } => {
                        merged.extend(members);
                        (Val::object(merged, at.span), anchor)
                    }
                };
                if anchor > 0 {
                    anchors.insert(anchor, val.clone());
                }
                (val, false)
            }
            Event::Alias(id) => {
                let val = anchors.get(&id).cloned().ok_or("an alias inside its own anchor")?;
                aliased = aliased.saturating_add(val.weight());
                if aliased > MAX_ALIASED {
                    return Err("the aliases stand for too many values".into());
                }
                (val, false)
            }
            Event::UnresolvedAlias(name) => return Err(format!("unknown anchor `{name}`")),
            _ => continue,
        };
        place(&mut frames, &mut root, val, is_plain_merge)?;
    }
    root.ok_or_else(|| "the text holds no document".into())
}

fn place(frames: &mut [Frame], root: &mut Option<Val>, val: Val, is_plain_merge: bool) -> Result<(), String> {
    match frames.last_mut() {
        None => *root = Some(val),
        Some(Frame::List(items, _)) => items.push(val),
        Some(Frame::Map { members, key, is_merge, merged, .. }) => match key.take() {
            None => {
                *is_merge = is_plain_merge;
                *key = Some(val.to_text().ok_or("a key must be a string, number or boolean")?);
            }
            Some(_) if *is_merge => match &val.kind {
                Kind::Object(inner) => merged.extend(inner.items.iter().cloned()),
                Kind::Tuple(items) => {
                    for item in items.iter().rev() {
                        merged.extend(item.members().iter().cloned());
                    }
                }
                _ => return Err("`<<` merges maps".into()),
            },
            Some(key) => members.push(Member { key, key_span: val.span, val }),
        },
    }
    Ok(())
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").expect("the pattern is fixed")
});

fn resolved(content: &str, is_plain: bool, tag: Option<&str>, at: &Place) -> Answer {
    let kind = match tag {
        None if !is_plain => "str",
        None => return Ok(implicit(content, at)?.unwrap_or_else(|| string(content, at))),
        Some(tag) => match tag.strip_prefix("tag:yaml.org,2002:").or_else(|| tag.strip_prefix("!!")) {
            Some(kind) => kind,
            None if tag == "!" => "str",
            None => return Err(format!("unsupported tag \"{tag}\"")),
        },
    };
    match kind {
        "str" | "binary" => Ok(string(content, at)),
        "int" | "float" | "bool" | "null" | "timestamp" => Ok(match implicit(content, at)? {
            Some(val) if is_plain => val,
            _ => string(content, at),
        }),
        other => Err(format!("unsupported tag \"!!{other}\"")),
    }
}

/// What a plain scalar is taken for; none for a string.
fn implicit(content: &str, at: &Place) -> Result<Option<Val>, String> {
    let number = |text: &str| Number::parse(text).map(|number| Val::new(Kind::Number(number), at.span));
    Ok(match content {
        "" | "~" | "null" | "Null" | "NULL" => Some(Val::null(at.span)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Some(Val::bool(true, at.span))
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Some(Val::bool(false, at.span))
        }
        ".nan" | ".NaN" | ".NAN" => return Err("NaN is no number here".into()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => number("inf"),
        "-.inf" | "-.Inf" | "-.INF" => number("-inf"),
        _ if NUMBER.is_match(content) => number(content),
        _ => match (content.strip_prefix("0x"), content.strip_prefix("0o")) {
            (Some(hex), _) => i64::from_str_radix(hex, 16).ok().map(|int| Val::int(int, at.span)),
            (_, Some(octal)) => i64::from_str_radix(octal, 8).ok().map(|int| Val::int(int, at.span)),
            _ => timestamp(content).map(|text| string(text, at)),
        },
    })
}

/// A date or point in time, in the one form that terraform gives them.
fn timestamp(content: &str) -> Option<String> {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:([Tt]| )([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?$")
            .expect("the pattern is fixed")
    });
    let found = FORM.captures(content)?;
    let part = |index: usize| found.get(index).map_or(Some(0), |part| part.as_str().parse::<u32>().ok());
    let date = NaiveDate::from_ymd_opt(part(1)? as i32, part(2)?, part(3)?)?;
    let time = date.and_hms_opt(part(5)?, part(6)?, part(7)?)?;
    let zone = found.get(8).map(|zone| zone.as_str());
    // With a letter between date and time a zone is required, with a blank there is none.
    match (found.get(4).map(|between| between.as_str()), zone) {
        (None | Some(" "), None) | (Some("T" | "t"), Some(_)) => {}
        _ => return None,
    }
    let zone = match zone {
        None | Some("+00:00") => "Z",
        Some(zone) => zone,
    };
    Some(format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S")))
}
