//! Terraform's functions: one table from name to code.
//!
//! A function that is not in the table yields an unknown that names it. Unknown arguments make the result unknown unless the
//! function can tell without them.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use sha2::{Digest, Sha256, Sha512};

use super::eval::{number_of, opaque, pairs};
use super::module::Declaration;
use super::syntax::{ExprId, ExprKind, File};
use crate::model::{Entry, Node, Number, Value};
use crate::source::Span;

/// Bytes of text that one expression may produce.
pub const MAX_TEXT: usize = 8 << 20;
/// Elements that one expression may produce.
const MAX_ELEMENTS: usize = 100_000;

type Answer = Result<Node, String>;

/// What a function is given beside its arguments.
struct At<'a> {
    span: Span,
    root: &'a Path,
    folder: &'a str,
}

type Function = fn(&[Node], &At) -> Answer;

/// A function, the least and the most number of its arguments, and whether it takes unknown ones.
const FUNCTIONS: &[(&str, usize, usize, bool, Function)] = &[
    ("abs", 1, 1, false, |a, at| Ok(number(at, num(&a[0])?.abs()))),
    ("alltrue", 1, 1, false, |a, at| Ok(boolean(at, a[0].items().iter().all(|item| item.as_bool() == Some(true))))),
    ("anytrue", 1, 1, false, |a, at| Ok(boolean(at, a[0].items().iter().any(|item| item.as_bool() == Some(true))))),
    ("base64decode", 1, 1, false, base64decode),
    ("base64encode", 1, 1, false, |a, at| {
        Ok(string(at, base64::engine::general_purpose::STANDARD.encode(text(&a[0])?)))
    }),
    ("base64sha256", 1, 1, false, |a, at| {
        Ok(string(at, base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text(&a[0])?))))
    }),
    ("basename", 1, 1, false, |a, at| {
        Ok(string(at, text(&a[0])?.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_string()))
    }),
    ("ceil", 1, 1, false, |a, at| Ok(number(at, num(&a[0])?.ceil()))),
    ("chomp", 1, 1, false, |a, at| Ok(string(at, text(&a[0])?.trim_end_matches(['\r', '\n']).to_string()))),
    ("chunklist", 2, 2, false, chunklist),
    ("cidrhost", 2, 2, false, cidrhost),
    ("cidrnetmask", 1, 1, false, cidrnetmask),
    ("cidrsubnet", 3, 3, false, cidrsubnet),
    ("coalesce", 1, 255, true, coalesce),
    ("coalescelist", 1, 255, true, |a, at| {
        first(a, at, |node| !node.items().is_empty()).unwrap_or_else(|| Err("no list has an element".into()))
    }),
    ("compact", 1, 1, false, |a, at| {
        let keep = |item: &&Node| item.is_unknown() || !matches!(item.value, Value::Null) && item.as_str() != Some("");
        Ok(list(at, a[0].items().iter().filter(keep).cloned().collect()))
    }),
    ("concat", 0, 255, true, concat),
    ("contains", 2, 2, false, |a, at| Ok(boolean(at, a[0].items().iter().any(|item| same(item, &a[1]))))),
    ("dirname", 1, 1, false, |a, at| {
        Ok(string(at, text(&a[0])?.rsplit_once('/').map_or(".".into(), |(head, _)| head.to_string())))
    }),
    ("distinct", 1, 1, false, |a, at| Ok(list(at, distinct(a[0].items())))),
    ("element", 2, 2, false, |a, at| {
        let items = a[0].items();
        if items.is_empty() {
            return Err("the list is empty".into());
        }
        let _ = at;
        Ok(items[(num(&a[1])? as i64).rem_euclid(items.len() as i64) as usize].clone())
    }),
    ("endswith", 2, 2, false, |a, at| Ok(boolean(at, text(&a[0])?.ends_with(&text(&a[1])?)))),
    ("file", 1, 1, false, |a, at| Ok(string(at, read(at, &text(&a[0])?)?))),
    ("fileexists", 1, 1, false, |a, at| Ok(boolean(at, resolve(at, &text(&a[0])?).is_ok()))),
    ("filebase64", 1, 1, false, |a, at| {
        Ok(string(at, base64::engine::general_purpose::STANDARD.encode(read(at, &text(&a[0])?)?)))
    }),
    ("flatten", 1, 1, true, flatten),
    ("floor", 1, 1, false, |a, at| Ok(number(at, num(&a[0])?.floor()))),
    ("format", 1, 255, false, format_function),
    ("formatlist", 1, 255, false, formatlist),
    ("index", 2, 2, false, |a, at| {
        let at_index = a[0].items().iter().position(|item| same(item, &a[1]));
        at_index.map(|index| number(at, index as f64)).ok_or("the value is not in the list".into())
    }),
    ("join", 1, 255, false, join),
    ("jsondecode", 1, 1, false, |a, at| {
        let value: serde_json::Value = serde_json::from_str(&text(&a[0])?).map_err(|error| error.to_string())?;
        Ok(from_json(&value, at.span))
    }),
    ("jsonencode", 1, 1, true, |a, at| match a[0].has_unknown() {
        // The structure with its holes says more than an unknown string: rules about policies read it.
        true => Ok(Node { span: at.span, ..a[0].clone() }),
        false => {
            let structure = Some(Arc::new(a[0].clone()));
            Ok(Node { structure, ..string(at, to_json(&a[0]).to_string()) })
        }
    }),
    ("keys", 1, 1, true, |a, at| match a[0].is_unknown() {
        true => Ok(opaque(at.span, &[&a[0]])),
        false => Ok(list(at, pairs(&a[0]).into_iter().map(|(key, _)| key).collect())),
    }),
    ("length", 1, 1, true, length),
    ("lookup", 2, 3, true, lookup),
    ("lower", 1, 1, false, |a, at| Ok(string(at, text(&a[0])?.to_lowercase()))),
    ("map", 0, 0, false, |_, _| Err("`map` is gone: write `{ … }` or tomap".into())),
    ("matchkeys", 3, 3, false, |a, at| {
        let (values, keys, wanted) = (a[0].items(), a[1].items(), a[2].items());
        let chosen = values.iter().zip(keys).filter(|(_, key)| wanted.iter().any(|one| same(one, key)));
        Ok(list(at, chosen.map(|(value, _)| value.clone()).collect()))
    }),
    ("max", 1, 255, false, |a, at| fold(a, at, f64::max)),
    ("merge", 0, 255, true, merge),
    ("min", 1, 255, false, |a, at| fold(a, at, f64::min)),
    ("nonsensitive", 1, 1, true, |a, _| Ok(a[0].clone())),
    ("one", 1, 1, true, |a, at| match a[0].items() {
        _ if a[0].is_unknown() => Ok(opaque(at.span, &[&a[0]])),
        [] => Ok(Node::new(Value::Null, at.span)),
        [only] => Ok(only.clone()),
        _ => Err("the list has more than one element".into()),
    }),
    ("parseint", 2, 2, false, |a, at| {
        let base = num(&a[1])? as u32;
        if !(2..=36).contains(&base) {
            return Err("the base is between 2 and 36".into());
        }
        i64::from_str_radix(&text(&a[0])?, base).map(|int| number(at, int as f64)).map_err(|error| error.to_string())
    }),
    ("pow", 2, 2, false, |a, at| Ok(number(at, num(&a[0])?.powf(num(&a[1])?)))),
    ("range", 1, 3, false, range),
    ("regex", 2, 2, false, regex_function),
    ("regexall", 2, 2, false, regexall),
    ("replace", 3, 3, false, replace),
    ("reverse", 1, 1, false, |a, at| Ok(list(at, a[0].items().iter().rev().cloned().collect()))),
    ("sensitive", 1, 1, true, |a, _| Ok(a[0].clone())),
    ("setintersection", 1, 255, false, |a, at| {
        let rest = &a[1..];
        let in_all = |item: &&Node| rest.iter().all(|other| other.items().iter().any(|one| same(one, item)));
        Ok(list(at, distinct(&a[0].items().iter().filter(in_all).cloned().collect::<Vec<_>>())))
    }),
    ("setproduct", 1, 255, false, setproduct),
    ("setsubtract", 2, 2, false, |a, at| {
        let keep = |item: &&Node| !a[1].items().iter().any(|one| same(one, item));
        Ok(list(at, a[0].items().iter().filter(keep).cloned().collect()))
    }),
    ("setunion", 1, 255, false, |a, at| {
        Ok(list(at, distinct(&a.iter().flat_map(|set| set.items().iter().cloned()).collect::<Vec<_>>())))
    }),
    ("sha256", 1, 1, false, |a, at| Ok(string(at, hex(&Sha256::digest(text(&a[0])?))))),
    ("sha512", 1, 1, false, |a, at| Ok(string(at, hex(&Sha512::digest(text(&a[0])?))))),
    ("signum", 1, 1, false, |a, at| Ok(number(at, if num(&a[0])? == 0.0 { 0.0 } else { num(&a[0])?.signum() }))),
    ("slice", 3, 3, false, |a, at| {
        let (from, to) = (num(&a[1])? as usize, num(&a[2])? as usize);
        a[0].items().get(from..to).map(|items| list(at, items.to_vec())).ok_or("the range is outside the list".into())
    }),
    ("sort", 1, 1, false, |a, at| {
        let mut items = a[0].items().to_vec();
        items.sort_by_key(|item| to_text(item).unwrap_or_default());
        Ok(list(at, items))
    }),
    ("split", 2, 2, false, |a, at| {
        let (separator, whole) = (text(&a[0])?, text(&a[1])?);
        if separator.is_empty() {
            return Ok(list(at, whole.chars().map(|char| string(at, char.to_string())).collect()));
        }
        Ok(list(at, whole.split(separator.as_str()).map(|part| string(at, part.to_string())).collect()))
    }),
    ("startswith", 2, 2, false, |a, at| Ok(boolean(at, text(&a[0])?.starts_with(&text(&a[1])?)))),
    ("strcontains", 2, 2, false, |a, at| Ok(boolean(at, text(&a[0])?.contains(&text(&a[1])?)))),
    ("strrev", 1, 1, false, |a, at| Ok(string(at, text(&a[0])?.chars().rev().collect()))),
    ("substr", 3, 3, false, substr),
    ("sum", 1, 1, false, |a, at| {
        let numbers: Result<Vec<f64>, String> = a[0].items().iter().map(num).collect();
        Ok(number(at, numbers?.iter().sum()))
    }),
    ("title", 1, 1, false, |a, at| {
        let mut begins = true;
        let titled = text(&a[0])?
            .chars()
            .map(|char| {
                let upper = begins && char.is_alphabetic();
                begins = !char.is_alphanumeric();
                if upper { char.to_uppercase().next().unwrap_or(char) } else { char }
            })
            .collect();
        Ok(string(at, titled))
    }),
    ("tobool", 1, 1, false, |a, at| match a[0].value {
        Value::Null => Ok(a[0].clone()),
        _ => a[0].as_bool().map(|bool| boolean(at, bool)).ok_or("not a boolean".into()),
    }),
    ("tolist", 1, 1, true, |a, _| Ok(a[0].clone())),
    ("tomap", 1, 1, true, |a, _| Ok(a[0].clone())),
    ("tonumber", 1, 1, false, |a, at| match a[0].value {
        Value::Null => Ok(a[0].clone()),
        _ => a[0].as_f64().map(|float| number(at, float)).ok_or("not a number".into()),
    }),
    ("toset", 1, 1, true, |a, at| match a[0].is_unknown() {
        true => Ok(a[0].clone()),
        false => {
            let mut items = distinct(a[0].items());
            items.sort_by_key(|item| to_text(item).unwrap_or_default());
            Ok(list(at, items))
        }
    }),
    ("tostring", 1, 1, false, |a, at| match a[0].value {
        Value::Null => Ok(a[0].clone()),
        _ => Ok(string(at, text(&a[0])?)),
    }),
    ("transpose", 1, 1, false, transpose),
    ("trim", 2, 2, false, |a, at| {
        let cut: Vec<char> = text(&a[1])?.chars().collect();
        Ok(string(at, text(&a[0])?.trim_matches(&cut[..]).to_string()))
    }),
    ("trimprefix", 2, 2, false, |a, at| {
        let whole = text(&a[0])?;
        Ok(string(at, whole.strip_prefix(text(&a[1])?.as_str()).unwrap_or(&whole).to_string()))
    }),
    ("trimspace", 1, 1, false, |a, at| Ok(string(at, text(&a[0])?.trim().to_string()))),
    ("trimsuffix", 2, 2, false, |a, at| {
        let whole = text(&a[0])?;
        Ok(string(at, whole.strip_suffix(text(&a[1])?.as_str()).unwrap_or(&whole).to_string()))
    }),
    ("upper", 1, 1, false, |a, at| Ok(string(at, text(&a[0])?.to_uppercase()))),
    ("urlencode", 1, 1, false, |a, at| Ok(string(at, urlencode(&text(&a[0])?)))),
    ("values", 1, 1, true, |a, at| match a[0].is_unknown() {
        true => Ok(opaque(at.span, &[&a[0]])),
        false => Ok(list(at, pairs(&a[0]).into_iter().map(|(_, value)| value).collect())),
    }),
    ("zipmap", 2, 2, false, |a, at| {
        let entries =
            a[0].items().iter().zip(a[1].items()).map(|(key, value)| Ok(entry(text(key)?.as_str(), value.clone())));
        Ok(map(at, entries.collect::<Result<_, String>>()?))
    }),
];

/// Calls a function; None for one that the table lacks.
pub fn call(name: &str, arguments: &[Node], span: Span, root: &Path, folder: &str) -> Option<Answer> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    let (_, least, most, takes_unknown, function) = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
    if !(*least..=*most).contains(&arguments.len()) {
        return Some(Err(format!("wants {least} to {most} arguments, got {}", arguments.len())));
    }
    if !takes_unknown && arguments.iter().any(Node::has_unknown) {
        return Some(Ok(opaque(span, &arguments.iter().collect::<Vec<_>>())));
    }
    Some(function(arguments, &At { span, root, folder }))
}

fn string(at: &At, text: String) -> Node {
    Node::string(text, at.span)
}

fn number(at: &At, number: f64) -> Node {
    Node::new(Value::Number(number_of(number)), at.span)
}

fn boolean(at: &At, bool: bool) -> Node {
    Node::new(Value::Bool(bool), at.span)
}

fn list(at: &At, items: Vec<Node>) -> Node {
    Node::list(items, at.span)
}

fn map(at: &At, mut entries: Vec<Entry>) -> Node {
    // Terraform's maps are sorted; of equal keys the last counts.
    entries.reverse();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries.dedup_by(|a, b| a.key == b.key);
    Node::map(entries, at.span)
}

fn entry(key: &str, node: Node) -> Entry {
    Entry { key: key.into(), key_span: node.span, node }
}

fn text(node: &Node) -> Result<String, String> {
    to_text(node).ok_or_else(|| "a string was expected".to_string())
}

fn num(node: &Node) -> Result<f64, String> {
    node.as_f64().ok_or_else(|| "a number was expected".to_string())
}

/// The text that a primitive converts to; None for null, unknown and collections.
pub fn to_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether two known values are equal, as `==` has it.
pub fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => {
            // Decimal arithmetic in terraform; doubles differ in their last digits.
            let (a, b) = (a.as_f64(), b.as_f64());
            a == b || (a - b).abs() <= f64::EPSILON * a.abs().max(b.abs())
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.entries().len() == b.entries().len()
                && a.entries().iter().all(|entry| b.get(&entry.key).is_some_and(|other| same(&entry.node, other)))
        }
        _ => false,
    }
}

fn distinct(items: &[Node]) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::new();
    let mut texts = rustc_hash::FxHashSet::default();
    for item in items {
        let is_new = match to_text(item) {
            Some(text) => texts.insert((std::mem::discriminant(&item.value), text)),
            None => !kept.iter().any(|other| same(other, item)),
        };
        if is_new {
            kept.push(item.clone());
        }
    }
    kept
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fold(arguments: &[Node], at: &At, join: fn(f64, f64) -> f64) -> Answer {
    let numbers: Result<Vec<f64>, String> = arguments.iter().map(num).collect();
    numbers?.into_iter().reduce(join).map(|result| number(at, result)).ok_or("no argument".into())
}

fn first(arguments: &[Node], at: &At, wanted: impl Fn(&Node) -> bool) -> Option<Answer> {
    for argument in arguments {
        if argument.is_unknown() {
            return Some(Ok(opaque(at.span, &[argument])));
        }
        if wanted(argument) {
            return Some(Ok(argument.clone()));
        }
    }
    None
}

fn coalesce(arguments: &[Node], at: &At) -> Answer {
    let wanted = |node: &Node| !matches!(node.value, Value::Null) && node.as_str() != Some("");
    first(arguments, at, wanted).unwrap_or_else(|| Err("every argument is null or empty".into()))
}

fn concat(arguments: &[Node], at: &At) -> Answer {
    let mut items = Vec::new();
    for argument in arguments {
        match &argument.value {
            Value::List(list) => items.extend(list.iter().cloned()),
            // The known elements stay visible beside the unknown ones.
            Value::Unknown(_) => items.push(argument.clone()),
            _ => return Err("wants lists".into()),
        }
    }
    Ok(list(at, items))
}

fn flatten(arguments: &[Node], at: &At) -> Answer {
    fn walk(node: &Node, out: &mut Vec<Node>) {
        for item in node.items() {
            match item.value {
                Value::List(_) => walk(item, out),
                _ => out.push(item.clone()),
            }
        }
    }
    if arguments[0].is_unknown() {
        return Ok(opaque(at.span, &[&arguments[0]]));
    }
    let mut items = Vec::new();
    walk(&arguments[0], &mut items);
    Ok(list(at, items))
}

fn length(arguments: &[Node], at: &At) -> Answer {
    match &arguments[0].value {
        Value::Unknown(_) => Ok(opaque(at.span, &[&arguments[0]])),
        Value::String(text) => Ok(number(at, text.chars().count() as f64)),
        Value::List(items) => Ok(number(at, items.len() as f64)),
        Value::Map(map) => Ok(number(at, map.entries().len() as f64)),
        _ => Err("wants a string, list or map".into()),
    }
}

fn lookup(arguments: &[Node], at: &At) -> Answer {
    if arguments[0].is_unknown() || arguments[1].is_unknown() {
        return Ok(opaque(at.span, &[&arguments[0], &arguments[1]]));
    }
    let key = text(&arguments[1])?;
    let found = arguments[0].entries().iter().find(|entry| *entry.key == *key).map(|entry| entry.node.clone());
    found.or_else(|| arguments.get(2).cloned()).ok_or_else(|| format!("there is no key {key:?} and no default"))
}

fn merge(arguments: &[Node], at: &At) -> Answer {
    let mut entries = Vec::new();
    for argument in arguments {
        match &argument.value {
            Value::Map(map) => entries.extend(map.entries().iter().cloned()),
            Value::Null => {}
            Value::Unknown(_) => return Ok(opaque(at.span, &[argument])),
            _ => return Err("wants maps".into()),
        }
    }
    Ok(map(at, entries))
}

fn join(arguments: &[Node], at: &At) -> Answer {
    let separator = text(&arguments[0])?;
    let parts: Result<Vec<String>, String> = arguments[1..].iter().flat_map(|list| list.items()).map(text).collect();
    Ok(string(at, parts?.join(&separator)))
}

fn chunklist(arguments: &[Node], at: &At) -> Answer {
    let size = num(&arguments[1])?;
    if size < 1.0 {
        return Err("the size is at least 1".into());
    }
    Ok(list(at, arguments[0].items().chunks(size as usize).map(|chunk| list(at, chunk.to_vec())).collect()))
}

fn setproduct(arguments: &[Node], at: &At) -> Answer {
    let mut rows: Vec<Vec<Node>> = vec![Vec::new()];
    for argument in arguments {
        if rows.len().saturating_mul(argument.items().len()) > MAX_ELEMENTS {
            return Err(format!("more than {MAX_ELEMENTS} combinations"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                argument.items().iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect())
            })
            .collect();
    }
    Ok(list(at, rows.into_iter().map(|row| list(at, row)).collect()))
}

fn transpose(arguments: &[Node], at: &At) -> Answer {
    let mut columns: std::collections::BTreeMap<String, Vec<Node>> = Default::default();
    for (key, values) in pairs(&arguments[0]) {
        for value in values.items() {
            columns.entry(text(value)?).or_default().push(key.clone());
        }
    }
    Ok(map(at, columns.into_iter().map(|(key, items)| entry(&key, list(at, items))).collect()))
}

fn range(arguments: &[Node], at: &At) -> Answer {
    let numbers: Vec<f64> = arguments.iter().map(num).collect::<Result<_, _>>()?;
    let (start, end) = if numbers.len() == 1 { (0.0, numbers[0]) } else { (numbers[0], numbers[1]) };
    let step = numbers.get(2).copied().unwrap_or(if end < start { -1.0 } else { 1.0 });
    if step == 0.0 {
        return Err("the step is not zero".into());
    }
    let count = ((end - start) / step).ceil().max(0.0);
    if count > 1024.0 {
        return Err("more than 1024 elements".into());
    }
    Ok(list(at, (0..count as usize).map(|index| number(at, start + step * index as f64)).collect()))
}

fn substr(arguments: &[Node], at: &At) -> Answer {
    let chars: Vec<char> = text(&arguments[0])?.chars().collect();
    let offset = num(&arguments[1])? as i64;
    let start = if offset < 0 { (chars.len() as i64 + offset).max(0) } else { offset } as usize;
    let wanted = num(&arguments[2])?;
    let end = if wanted < 0.0 { chars.len() } else { (start + wanted as usize).min(chars.len()) };
    Ok(string(at, chars.get(start.min(chars.len())..end.max(start.min(chars.len()))).unwrap_or(&[]).iter().collect()))
}

fn replace(arguments: &[Node], at: &At) -> Answer {
    let (whole, part, with) = (text(&arguments[0])?, text(&arguments[1])?, text(&arguments[2])?);
    let result = match part.strip_prefix('/').and_then(|part| part.strip_suffix('/')).filter(|_| part.len() > 1) {
        Some(pattern) => compile(pattern)?.replace_all(&whole, with.as_str()).into_owned(),
        None => whole.replace(&part, &with),
    };
    if result.len() > MAX_TEXT { Err("the result is too long".into()) } else { Ok(string(at, result)) }
}

/// Regular expressions are linear in time by the crate's construction; their size is bounded.
fn compile(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| error.to_string())
}

fn captures(at: &At, regex: &regex::Regex, found: &regex::Captures<'_>) -> Node {
    let group = |index: usize| match found.get(index) {
        Some(text) => string(at, text.as_str().to_string()),
        None => Node::new(Value::Null, at.span),
    };
    let names: Vec<(usize, &str)> =
        regex.capture_names().enumerate().filter_map(|(index, name)| name.map(|name| (index, name))).collect();
    match regex.captures_len() {
        1 => group(0),
        _ if !names.is_empty() => map(at, names.into_iter().map(|(index, name)| entry(name, group(index))).collect()),
        count => list(at, (1..count).map(group).collect()),
    }
}

fn regex_function(arguments: &[Node], at: &At) -> Answer {
    let regex = compile(&text(&arguments[0])?)?;
    let whole = text(&arguments[1])?;
    regex.captures(&whole).map(|found| captures(at, &regex, &found)).ok_or("the pattern does not match".into())
}

fn regexall(arguments: &[Node], at: &At) -> Answer {
    let regex = compile(&text(&arguments[0])?)?;
    let whole = text(&arguments[1])?;
    Ok(list(at, regex.captures_iter(&whole).map(|found| captures(at, &regex, &found)).collect()))
}

fn format_function(arguments: &[Node], at: &At) -> Answer {
    Ok(string(at, format_text(&text(&arguments[0])?, &arguments[1..])?))
}

fn formatlist(arguments: &[Node], at: &At) -> Answer {
    let pattern = text(&arguments[0])?;
    let rows = arguments[1..].iter().map(|argument| argument.items().len()).max().unwrap_or(1);
    let row = |index: usize| {
        let values: Vec<Node> = arguments[1..]
            .iter()
            .map(|argument| match &argument.value {
                Value::List(items) => items.get(index).cloned().unwrap_or_else(|| argument.clone()),
                _ => argument.clone(),
            })
            .collect();
        format_text(&pattern, &values).map(|text| string(at, text))
    };
    Ok(list(at, (0..rows).map(row).collect::<Result<_, _>>()?))
}

/// The verbs of Go's fmt that terraform documents.
fn format_text(pattern: &str, values: &[Node]) -> Result<String, String> {
    let mut result = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    while let Some(char) = chars.next() {
        if char != '%' {
            result.push(char);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = chars.next_if(|char| "+-# 0".contains(*char)) {
            flags.push(flag);
        }
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        let width: usize = digits.parse().unwrap_or(0);
        let mut precision = None;
        if chars.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = Some(digits.parse::<usize>().unwrap_or(0));
        }
        if width > 1 << 16 || precision.is_some_and(|precision| precision > 1 << 10) {
            return Err("a width past the limit".into());
        }
        let verb = chars.next().ok_or("the pattern ends with `%`")?;
        if verb == '%' {
            result.push('%');
            continue;
        }
        let value = values.get(next).ok_or("too few arguments for the pattern")?;
        next += 1;
        let body = match verb {
            's' | 'v' => match &value.value {
                Value::List(_) | Value::Map(_) | Value::Null => to_json(value).to_string(),
                _ => text(value)?,
            },
            'q' => format!("{:?}", text(value)?),
            'd' => format!("{}", num(value)? as i64),
            'f' => format!("{:.*}", precision.unwrap_or(6), num(value)?),
            'g' => Number::Float(num(value)?).to_string(),
            'x' => format!("{:x}", num(value)? as i64),
            'X' => format!("{:X}", num(value)? as i64),
            'o' => format!("{:o}", num(value)? as i64),
            'b' => format!("{:b}", num(value)? as i64),
            't' => value.as_bool().ok_or("`%t` wants a boolean")?.to_string(),
            other => return Err(format!("unknown verb `%{other}`")),
        };
        let body = if flags.contains('+') && matches!(verb, 'd' | 'f') && !body.starts_with('-') {
            format!("+{body}")
        } else {
            body
        };
        let missing = width.saturating_sub(body.chars().count());
        if flags.contains('-') {
            result.push_str(&body);
            result.extend(std::iter::repeat_n(' ', missing));
        } else if flags.contains('0') && body.starts_with('-') {
            result.push('-');
            result.extend(std::iter::repeat_n('0', missing));
            result.push_str(&body[1..]);
        } else {
            result.extend(std::iter::repeat_n(if flags.contains('0') { '0' } else { ' ' }, missing));
            result.push_str(&body);
        }
    }
    if next < values.len() { Err("too many arguments for the pattern".into()) } else { Ok(result) }
}

fn base64decode(arguments: &[Node], at: &At) -> Answer {
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(text(&arguments[0])?).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(|text| string(at, text)).map_err(|_| "the result is not UTF-8".into())
}

fn urlencode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
            b' ' => "+".into(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn network(node: &Node) -> Result<ipnet::IpNet, String> {
    text(node)?.parse().map_err(|_| "not a CIDR block".to_string())
}

fn cidrsubnet(arguments: &[Node], at: &At) -> Answer {
    let net = network(&arguments[0])?;
    let (bits, index) = (num(&arguments[1])? as u32, num(&arguments[2])? as u128);
    let prefix = u32::from(net.prefix_len()) + bits;
    let width = u32::from(net.max_prefix_len());
    if prefix > width || (bits < 128 && index >= 1u128 << bits) {
        return Err("the subnet does not fit into the block".into());
    }
    let shift = width - prefix;
    let offset = if shift >= 128 { 0 } else { index << shift };
    let subnet = match net.trunc() {
        ipnet::IpNet::V4(net) => std::net::IpAddr::V4((u32::from(net.addr()) | offset as u32).into()),
        ipnet::IpNet::V6(net) => std::net::IpAddr::V6((u128::from(net.addr()) | offset).into()),
    };
    Ok(string(at, format!("{subnet}/{prefix}")))
}

fn cidrhost(arguments: &[Node], at: &At) -> Answer {
    let net = network(&arguments[0])?.trunc();
    let index = num(&arguments[1])? as i128;
    let size = u32::from(net.max_prefix_len() - net.prefix_len());
    if size < 127 && index.unsigned_abs() >= 1u128 << size {
        return Err("the host does not fit into the block".into());
    }
    let host = match net {
        ipnet::IpNet::V4(net) => {
            let base =
                if index < 0 { i128::from(u32::from(net.broadcast())) + 1 } else { i128::from(u32::from(net.addr())) };
            std::net::IpAddr::V4(((base + index) as u32).into())
        }
        ipnet::IpNet::V6(net) => std::net::IpAddr::V6(u128::from(net.addr()).wrapping_add(index as u128).into()),
    };
    Ok(string(at, host.to_string()))
}

fn cidrnetmask(arguments: &[Node], at: &At) -> Answer {
    match network(&arguments[0])? {
        ipnet::IpNet::V4(net) => Ok(string(at, net.netmask().to_string())),
        ipnet::IpNet::V6(_) => Err("only IPv4 blocks have a netmask".into()),
    }
}

/// The real path of a file below the root of the scan; refuses all that leaves it, links included.
fn resolve(at: &At, path: &str) -> Result<std::path::PathBuf, String> {
    let root = at.root.canonicalize().map_err(|error| error.to_string())?;
    let module = at.folder;
    let relative = path.strip_prefix("./").unwrap_or(path);
    let below_module = relative == module || relative.starts_with(&format!("{module}/")) || module == ".";
    let candidate = if below_module { root.join(relative) } else { root.join(module).join(relative) };
    let real = candidate.canonicalize().map_err(|_| format!("there is no file {path:?}"))?;
    if real.starts_with(&root) && real.is_file() {
        Ok(real)
    } else {
        Err(format!("{path:?} lies outside the scanned folder"))
    }
}

fn read(at: &At, path: &str) -> Result<String, String> {
    let real = resolve(at, path)?;
    let size = real.metadata().map_err(|error| error.to_string())?.len();
    if size > MAX_TEXT as u64 {
        return Err(format!("{path:?} is larger than the limit"));
    }
    std::fs::read_to_string(real).map_err(|error| error.to_string())
}

/// A JSON value as a node; every part stands at `span`.
pub fn from_json(value: &serde_json::Value, span: Span) -> Node {
    let value = match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(*bool),
        serde_json::Value::Number(number) => Value::Number(
            number.as_i64().map(Number::Int).unwrap_or_else(|| Number::Float(number.as_f64().unwrap_or(f64::NAN))),
        ),
        serde_json::Value::String(text) => Value::String(text.as_str().into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(|item| from_json(item, span)).collect()),
        serde_json::Value::Object(map) => {
            return Node::map(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.as_str().into(),
                        key_span: span,
                        node: from_json(value, span),
                    })
                    .collect(),
                span,
            );
        }
    };
    Node::new(value, span)
}

/// A node as JSON; unknown parts become null.
pub fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null | Value::Unknown(_) => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(Number::Int(int)) => (*int).into(),
        Value::Number(Number::Float(float)) => (*float).into(),
        Value::String(text) => text.to_string().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let mut entries: Vec<&Entry> = map.entries().iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            entries
                .into_iter()
                .map(|entry| (entry.key.to_string(), to_json(&entry.node)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
    }
}

/// Converts a variable's value to its declared type as far as rules can tell the difference: primitives, sets, and the
/// defaults of optional object attributes.
pub fn convert_declared(value: Node, declaration: &Declaration) -> Node {
    match declaration.attribute("type") {
        Some(constraint) => convert(value, &constraint.file, constraint.item),
        None => value,
    }
}

fn convert(node: Node, file: &Arc<File>, constraint: ExprId) -> Node {
    match file.expr(constraint).kind {
        ExprKind::Variable(name) => {
            let value = match (file.text(name), &node.value) {
                ("string", Value::Number(_) | Value::Bool(_)) => to_text(&node).map(|text| Value::String(text.into())),
                ("number", Value::String(_)) => node.as_f64().map(|number| Value::Number(number_of(number))),
                ("bool", Value::String(_)) => node.as_bool().map(Value::Bool),
                _ => None,
            };
            match value {
                Some(value) => Node { value, ..node },
                None => node,
            }
        }
        ExprKind::Call(name, arguments, _) => {
            let Some(inner) = file.exprs(arguments).first().copied() else { return node };
            match (file.text(name), &node.value) {
                ("list" | "set", Value::List(items)) => {
                    let items: Vec<Node> = items.iter().map(|item| convert(item.clone(), file, inner)).collect();
                    Node { value: Value::List(items.into()), ..node }
                }
                ("map", Value::Map(map)) => {
                    let entries = map
                        .entries()
                        .iter()
                        .map(|entry| Entry { node: convert(entry.node.clone(), file, inner), ..entry.clone() });
                    Node { value: Node::map(entries.collect(), node.span).value, ..node }
                }
                ("object", Value::Map(_)) => convert_object(node, file, inner),
                ("optional", _) => convert(node, file, inner),
                _ => node,
            }
        }
        _ => node,
    }
}

fn convert_object(node: Node, file: &Arc<File>, attributes: ExprId) -> Node {
    let ExprKind::Object(items) = file.expr(attributes).kind else { return node };
    let mut entries = Vec::new();
    for pair in file.exprs(items).chunks(2) {
        let name = match file.expr(pair[0]).kind {
            ExprKind::Variable(name) | ExprKind::String(name) => file.text(name),
            _ => continue,
        };
        let given = node.entries().iter().find(|entry| &*entry.key == name);
        let optional = match file.expr(pair[1]).kind {
            ExprKind::Call(call, arguments, _) if file.text(call) == "optional" => Some(file.exprs(arguments)),
            _ => None,
        };
        let default = optional.and_then(|arguments| arguments.get(1)).and_then(|default| constant(file, *default));
        let inner = optional.and_then(|arguments| arguments.first().copied()).unwrap_or(pair[1]);
        let key_span = given.map_or(file.expr_span(pair[0]), |entry| entry.key_span);
        let value = match (given, default) {
            (Some(entry), default) if matches!(entry.node.value, Value::Null) => {
                default.unwrap_or_else(|| entry.node.clone())
            }
            (Some(entry), _) => entry.node.clone(),
            (None, Some(default)) => default,
            (None, None) => Node::new(Value::Null, node.span),
        };
        entries.push(Entry { key: name.into(), key_span, node: convert(value, file, inner) });
    }
    Node { value: Node::map(entries, node.span).value, ..node }
}

/// A constant expression, as defaults of optional attributes must be.
fn constant(file: &Arc<File>, id: ExprId) -> Option<Node> {
    let span = file.expr_span(id);
    let value = match file.expr(id).kind {
        ExprKind::Null => Value::Null,
        ExprKind::Bool(bool) => Value::Bool(bool),
        ExprKind::Number(text) => Value::Number(super::eval::parse_number(file.text(text))),
        ExprKind::String(text) => Value::String(file.text(text).into()),
        ExprKind::Tuple(items) => {
            let items: Option<Vec<Node>> = file.exprs(items).iter().map(|item| constant(file, *item)).collect();
            Value::List(items?.into())
        }
        ExprKind::Object(items) => {
            let mut entries = Vec::new();
            for pair in file.exprs(items).chunks(2) {
                let (ExprKind::Variable(name) | ExprKind::String(name)) = file.expr(pair[0]).kind else { return None };
                entries.push(Entry {
                    key: file.text(name).into(),
                    key_span: file.expr_span(pair[0]),
                    node: constant(file, pair[1])?,
                });
            }
            return Some(Node::map(entries, span));
        }
        ExprKind::Negate(inner) => {
            let inner = constant(file, inner)?;
            Value::Number(number_of(-inner.as_f64()?))
        }
        _ => return None,
    };
    Some(Node::new(value, span))
}
