//! Which texts are manifests: by the look of them, before anything is parsed and where nothing can be.
//!
//! Whatever kubectl finds two keys in must be found here too, or a change hides an object by how it writes them. What looks like a
//! manifest and is none costs a parse.

use std::borrow::Cow;

use crate::frontend::yaml;
use crate::model::{Node, Value};
use crate::source::FileId;

/// The keys of every object. Another case is refused by kubectl, which is told.
const VERSION: &[&str] = &["apiVersion", "ApiVersion", "apiversion"];
const KIND: &[&str] = &["kind", "Kind"];

/// Whether a text may hold an object: it has both keys somewhere, written as they are, with escapes or in base64.
pub(super) fn may_hold_object(text: &str) -> bool {
    has_keys(text) || hides_keys(text) || has_escapes(text) && has_keys(&plain(text))
}

fn has_keys(text: &str) -> bool {
    let has = |key: &&str| {
        text.match_indices(*key).any(|(at, _)| {
            let before = text[..at].bytes().next_back();
            let after = text[at + key.len()..].bytes().next();
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b'$'))
                && after.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.' | b'/'))
        })
    };
    VERSION.iter().any(has) && KIND.iter().any(has)
}

/// Whether keys may stand in base64, by the tag `!!binary`, which may itself be written in several ways.
fn hides_keys(text: &str) -> bool {
    ["!!b", "!!%", "!<tag:"].iter().any(|tag| text.contains(tag))
}

fn has_escapes(text: &str) -> bool {
    ["\\u", "\\x", "\\U", "\\\n", "\\\r"].iter().any(|escape| text.contains(escape))
}

/// Whether a document of the text is an object, so that no other format may have the file.
pub(in crate::frontend) fn is_object(text: &str) -> bool {
    if !may_hold_object(text) {
        return false;
    }
    let begins = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    if begins("apiVersion") && begins("kind") {
        return true;
    }
    let read = yaml::read(FileId::OUTSIDE, text);
    read.documents.iter().any(|one| has_keys_of_object(&one.root))
        || !read.problems.is_empty() && looks_like_manifest(text)
}

/// Whether a document has what every object has, or holds one.
pub(super) fn has_keys_of_object(root: &Node) -> bool {
    has_keys_itself(root) || items(root).is_some()
}

fn has_keys_itself(root: &Node) -> bool {
    ["apiVersion", "kind"].iter().all(|key| !root.get(key).is_absent())
}

/// The items of a list. kubectl asks for its kind and no version; what has no version is a list if there are objects in it.
pub(super) fn items(root: &Node) -> Option<&[Node]> {
    let items = root.get("items").known().filter(|items| matches!(items.value, Value::List(_)))?.items();
    let is_list = has_keys_itself(root) || !root.get("kind").is_absent() && items.iter().any(has_keys_itself);
    is_list.then_some(items)
}

/// Whether a text of which no object could be read would be a manifest: as YAML by a line of its own, as JSON by a key.
pub(super) fn looks_like_manifest(text: &str) -> bool {
    let text = &*plain(text);
    let first = text.trim_start();
    let is_json = first.starts_with('{') && !first.starts_with("{{");
    let begins = |line: &str| {
        let key = line.trim_start_matches(['"', '\'']);
        key.strip_prefix("apiVersion").is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
    };
    text.lines().any(begins) || (is_json && ["\"apiVersion\"", "{apiVersion:"].iter().any(|key| text.contains(key)))
}

/// The text with its escapes written out and `\n` at the end of every line.
fn plain(text: &str) -> Cow<'_, str> {
    if !has_escapes(text) && !text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, length) = match escaped(rest) {
            Some(escape) => escape,
            None if rest.starts_with('\\') => (Some('\\'), 1),
            None => (Some('\n'), rest.chars().next().map_or(1, char::len_utf8)),
        };
        plain.extend(char);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain.into()
}

/// The character that an escape at the beginning of a text stands for, and its bytes; a line end that is escaped is nothing.
fn escaped(text: &str) -> Option<(Option<char>, usize)> {
    let mut chars = text.strip_prefix('\\')?.chars();
    let digits = match chars.next()? {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => {
            let rest = text[1..].trim_start();
            return Some((None, text.len() - rest.len()));
        }
        // What is escaped begins no escape itself.
        '\\' => return Some((Some('\\'), 2)),
        _ => return None,
    };
    let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
    Some((Some(char::from_u32(code)?), 2 + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_however_they_are_written() {
        for text in [
            "apiVersion: v1\nkind: Pod\n",
            "apiVersion: v1\rkind: Pod\r",
            "\"api\\u0056ersion\": v1\n\"k\\x69nd\": Pod\n",
            "{\"api\\u0056ersion\":\"v1\",\t\"\\u006bind\":\"Pod\"}",
            "? \"api\\\n  Version\"\n: v1\n? \"\\U0000006bind\"\n: Pod\n",
            "!!binary YXBpVmVyc2lvbg==: v1\n!!binary a2luZA==: Pod\n",
            "!!str apiVersion: v1\n!<tag:yaml.org,2002:str> kind: Pod\n",
            "x: &a apiVersion\ny: &b kind\n*a : v1\n*b : Pod\n",
            "a: 1\n---\n{kind: Pod,apiVersion: v1}\n",
            "apiVersion: v1\u{85}kind: Pod\u{2028}",
        ] {
            assert!(may_hold_object(text), "{text:?}");
            assert!(is_object(text), "{text:?}");
        }
    }

    #[test]
    fn what_speaks_of_objects_is_none() {
        for text in [
            "hpa:\n  target: { apiVersion: apps/v1, kind: Deployment }\n",
            "# apiVersion and kind\nimage: x\n",
            "{\"dependencies\": {\"kind-of\": \"1\", \"apiVersion\": \"1\"}}",
            "path: C:\\\\users\\new\n",
        ] {
            assert!(!is_object(text), "{text:?}");
        }
        assert!(!may_hold_object("{\"kind-of\": 1, \"apiVersion\": 2}"));
    }
}
