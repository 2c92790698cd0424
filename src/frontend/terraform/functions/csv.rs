//! Comma-separated values, as strict about quotes as Go's reader.

use std::sync::Arc;

use super::{Answer, Function, MAX_ELEMENTS, Place, STRING, Val, Want, few, function, string, text};
use crate::frontend::terraform::value::{AttributeType, Member, Type};

pub(super) const FUNCTIONS: &[Function] = &[function("csvdecode", &[STRING], Want::List(&Want::Any), decode)];

fn decode(arguments: &[Val], at: &Place) -> Answer {
    let mut records = records(text(&arguments[0]))?.into_iter();
    let names: Vec<Arc<str>> =
        records.next().ok_or("the first line must name the columns")?.into_iter().map(Arc::from).collect();
    let mut sorted = names.clone();
    sorted.sort();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("two columns have one name".into());
    }
    let attribute = |name: Arc<str>| AttributeType { name, ty: Type::String, optional: None };
    let ty = Type::Object(Arc::new(sorted.into_iter().map(attribute).collect()));
    let mut rows = Vec::new();
    for record in records {
        let member = |(name, field): (&Arc<str>, String)| Member {
            key: name.clone(),
            key_span: at.span,
            val: string(field, at),
        };
        rows.push(Val::object(names.iter().zip(record).map(member).collect(), at.span));
    }
    Ok(Val::list(ty, rows, at.span))
}

/// The fields of each line that is not empty; all lines have as many as the first.
fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.strip_suffix('\r').unwrap_or(&text);
    let mut records: Vec<Vec<String>> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix('\n') {
            rest = next;
            continue;
        }
        let mut fields = Vec::new();
        loop {
            let (field, after) =
                field(rest).map_err(|error| format!("invalid CSV: record {}: {error}", records.len() + 1))?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    break;
                }
            }
            if fields.len() > MAX_ELEMENTS {
                return Err("a line has too many fields".into());
            }
        }
        if records.first().is_some_and(|first| first.len() != fields.len()) {
            return Err(format!("invalid CSV: record {} has another number of fields", records.len() + 1));
        }
        records.push(fields);
        few(records.len())?;
    }
    Ok(records)
}

/// One field, and what follows it: a comma, a line end, or nothing.
fn field(text: &str) -> Result<(String, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (field, after) = text.split_at(end);
        return match field.contains('"') {
            true => Err("a quote within a field that is not quoted".into()),
            false => Ok((field.to_string(), after)),
        };
    };
    let mut field = String::new();
    loop {
        let end = rest.find('"').ok_or("a quoted field is never closed")?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.as_bytes().first() {
            Some(b'"') => {
                field.push('"');
                rest = &rest[1..];
            }
            None | Some(b',' | b'\n') => return Ok((field, rest)),
            Some(_) => return Err("a quoted field goes on after its closing quote".into()),
        }
    }
}
