//! What YAML says otherwise than it looks: scalars that are read as something else than most people read, and tabs.

use super::{Dialect, Frame};
use crate::model::{Observation, Value};
use crate::source::{FileId, Span};

/// An unquoted scalar that is read as something else than most people read.
pub(super) fn look_at(
    text: &str,
    value: &Value,
    span: Span,
    frames: &[Frame],
    dialect: Dialect,
) -> Option<Observation> {
    let key_of = |frame: &Frame| match frame {
        Frame::Map { key: Some((key, ..)), .. } => Some(key.to_ascii_lowercase()),
        _ => None,
    };
    let own = || frames.last().and_then(key_of).unwrap_or_default();
    let (name, message) = match value {
        Value::Bool(bool) if !is_core_boolean(text) => {
            ("yaml-truthy", format!("{text} is read as {bool}; write {bool}, or quote it if text is meant"))
        }
        Value::Number(number) if is_octal(text) && dialect != Dialect::GitHub && !own().ends_with("mode") => {
            ("yaml-octal", format!("{text} is read as the octal number {number}; quote it if text is meant"))
        }
        // A list of versions has its name one level up.
        Value::Number(number) if loses_zeros(text) && frames.iter().rev().find_map(key_of).is_some_and(is_version) => (
            "yaml-shortened-version",
            format!("{text} is read as the number {number}; quote it if the version {text} is meant"),
        ),
        _ => return None,
    };
    Some(Observation { name, span, message, address: None })
}

/// Whether a key names a version: `python-version`, `appVersion`, `tag`.
fn is_version(key: String) -> bool {
    key.ends_with("version") || key.ends_with("versions") || key == "tag"
}

/// `1.20`, which is 1.2 as a number; `1.0` is meant as often as `1`.
fn loses_zeros(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(whole, rest)| is_number(whole) && is_number(rest) && rest.len() > 1 && rest.ends_with('0'))
}

/// A boolean of YAML 1.2 too.
pub(super) fn is_core_boolean(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
}

fn is_octal(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
}

/// Lines that a tab indents, which YAML forbids; kubectl refuses such a document.
pub fn tab_lines(file: FileId, text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..blank].find('\t')
            && !line.trim().is_empty()
        {
            spans.push(Span::new(file, (at + tab) as u32, (at + tab + 1) as u32));
        }
        at += line.len();
    }
    spans
}
