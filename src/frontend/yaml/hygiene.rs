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
        // Templates print large numbers with an exponent.
        Value::Number(number) if dialect == Dialect::Helm && is_tag(&own()) && is_rounded(text) => (
            "yaml-shortened-version",
            format!("{text} is read as the number {number}; quote it if the tag {text} is meant"),
        ),
        // A list of versions has its name one level up.
        Value::Number(number) if loses_zeros(text) && is_version(frames.iter().filter_map(key_of), dialect) => (
            "yaml-shortened-version",
            format!("{text} is read as the number {number}; quote it if the version {text} is meant"),
        ),
        _ => return None,
    };
    Some(Observation { name, span, message, address: None })
}

/// An unquoted key that becomes `true` or `false`, under which nobody looks for it.
pub(super) fn look_at_key(text: &str, value: &Value, span: Span) -> Option<Observation> {
    let Value::Bool(bool) = value else { return None };
    let message = format!("the key {text} is read as {bool}; quote it");
    (!is_core_boolean(text)).then_some(Observation { name: "yaml-truthy", span, message, address: None })
}

/// Whether what the last of these keys, the outermost first, names is a version: `python-version`, `appVersion`, `tag`; in workflows
/// also a language, which actions and the environment know by its name, and whatever jobs are multiplied by.
fn is_version(keys: impl Iterator<Item = String>, dialect: Dialect) -> bool {
    let keys: Vec<String> = keys.collect();
    let Some(own) = keys.last() else { return false };
    let is_language = || matches!(&**own, "python" | "node" | "go" | "golang" | "ruby" | "php" | "java" | "dotnet");
    let is_matrix = || keys.windows(2).any(|pair| pair[0] == "strategy" && pair[1] == "matrix") && !is_quantity(own);
    let is_of_workflow = dialect == Dialect::GitHub && (is_language() || is_matrix());
    own.ends_with("version") || own.ends_with("versions") || is_tag(own) || is_of_workflow
}

/// Whether a key names the tag of an image: `tag`, `imageTag`, `docker_tag`.
fn is_tag(key: &str) -> bool {
    ["", "image", "docker", "container", "version", "release"]
        .iter()
        .any(|word| key.strip_suffix("tag").is_some_and(|rest| rest.trim_end_matches(['_', '-']) == *word))
}

/// `1234567`, which templates print as `1.234567e+06`, and `12345e7`, of which they make another number.
fn is_rounded(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_long = text.len() > 6 && is_number(text) && !text.starts_with('0');
    is_long || text.split_once(['e', 'E']).is_some_and(|(digits, exponent)| is_number(digits) && is_number(exponent))
}

/// Whether a key names what is measured, so that a zero at the end means nothing.
fn is_quantity(key: &str) -> bool {
    const WORDS: &str =
        "timeout minute second ratio rate threshold factor weight percent fraction probability tolerance scale";
    let is_word = |word: &str| WORDS.split(' ').any(|one| word == one || word.strip_suffix('s') == Some(one));
    key.split(|char: char| !char.is_ascii_alphanumeric()).any(is_word)
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
