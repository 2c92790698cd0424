//! What tools say: placeholders filled, links and line ends taken out, secrets masked. The text stays untrusted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::form::{Component, Descriptor, Message, Text};
use crate::escape::plain;
use crate::secret;

/// Characters of a message or text that are kept.
const MAX_CHARS: usize = 1_000;

/// The message of a result, in one line without a full stop; empty when there is none.
pub(super) fn of(message: Option<&Message>, rule: Option<&Descriptor>, driver: &Component) -> String {
    let Some(message) = message else { return String::new() };
    let by_id = || {
        let id = message.id.as_ref()?;
        let strings = [rule.and_then(|rule| rule.message_strings.as_ref()), driver.global_message_strings.as_ref()];
        strings.into_iter().flatten().find_map(|strings: &BTreeMap<String, Text>| text(strings.get(id)))
    };
    let template = message.text.as_deref().or_else(by_id).or(message.markdown.as_deref()).unwrap_or("");
    let filled = fill(template, message.arguments.as_deref().unwrap_or_default());
    let line = match sentence(&filled) {
        Some(sentence) => sentence,
        None => filled,
    };
    one_line(&without_links(&line)).trim_end_matches('.').to_string()
}

/// The plain text of a description, else its Markdown.
pub(super) fn text(text: Option<&Text>) -> Option<&str> {
    let text = text?;
    text.text.as_deref().or(text.markdown.as_deref()).filter(|text| !text.trim().is_empty())
}

/// `{0}` stands for the first argument, `{{` for a brace.
fn fill(template: &str, arguments: &[String]) -> String {
    static HOLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\{\{|\}\}|\{(\d{1,4})\}").expect("the pattern is fixed"));
    if arguments.is_empty() && !template.contains("{{") {
        return template.to_string();
    }
    // An argument may be long and stand in many places.
    let shorten = |argument: &String| argument.chars().take(MAX_CHARS).collect::<String>();
    let filled = HOLE.replace_all(template, |found: &regex::Captures<'_>| match (&found[0], found.get(1)) {
        ("{{", _) => "{".to_string(),
        ("}}", _) => "}".to_string(),
        (hole, Some(number)) => {
            let argument = number.as_str().parse::<usize>().ok().and_then(|number| arguments.get(number));
            argument.map_or(hole.to_string(), shorten)
        }
        (hole, None) => hole.to_string(),
    });
    filled.into_owned()
}

/// The sentence in a message that is a list of `Name: value` lines, as Trivy's are.
fn sentence(message: &str) -> Option<String> {
    let value = |name: &str| {
        let mut lines = message.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.next().map(str::trim).filter(|value| !value.is_empty())
    };
    if !message.contains('\n') {
        return None;
    }
    if let Some(sentence) = value("Message") {
        return Some(sentence.to_string());
    }
    if let (Some(package), Some(version)) = (value("Package"), value("Installed Version")) {
        let name = message.lines().find_map(|line| line.strip_prefix("Vulnerability ")).unwrap_or("a vulnerability");
        let fixed =
            value("Fixed Version").map_or("no version fixes it yet".into(), |fixed| format!("fixed in {fixed}"));
        return Some(format!("{package} {version} has {name}, {fixed}"));
    }
    let secret = message.lines().find_map(|line| line.strip_prefix("Secret "));
    secret.map(|what| format!("a committed secret: {what}"))
}

/// `[text](2)` and `[text](https://…)` say `text`.
fn without_links(text: &str) -> Cow<'_, str> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\[([^\[\]\n]{1,300})\]\((?:\d+|https?://[^()\s]{1,500})\)").expect("the pattern is fixed")
    });
    LINK.replace_all(text, "$1")
}

/// A text in one line, with what steers terminals written out and credentials masked.
pub(super) fn one_line(text: &str) -> String {
    // What is cut off anyway need not be looked at.
    let head = match text.char_indices().nth(4 * MAX_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    let joined = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let masked = secret::without_secrets(&joined);
    let cut: String = match masked.chars().count() > MAX_CHARS {
        true => masked.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
        false => masked.into_owned(),
    };
    plain(&cut).into_owned()
}

/// A message about a secret without the words that are quoted in it, since one of them may be the secret. Of a text that is at
/// hand only what is quoted there too is hidden, so that names stay.
pub(super) fn masked(message: &str, line: Option<&str>) -> String {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"'[^']*'|"[^"]*"|`[^`]*`"#).expect("the pattern is fixed"));
    let hidden = QUOTED.replace_all(message, |found: &regex::Captures<'_>| {
        let inside = &found[0][1..found[0].len() - 1];
        let is_literal =
            |line: &str| ['\'', '"', '`'].iter().any(|sign| line.contains(&format!("{sign}{inside}{sign}")));
        match line.is_none_or(is_literal) {
            true => "'***'".to_string(),
            false => found[0].to_string(),
        }
    });
    hidden.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, arguments: &[&str]) -> String {
        let message = Message {
            text: Some(text.into()),
            arguments: Some(arguments.iter().map(|argument| argument.to_string()).collect()),
            ..Message::default()
        };
        let driver = Component { name: "x".into(), guid: None, rules: None, global_message_strings: None };
        of(Some(&message), None, &driver)
    }

    #[test]
    fn placeholders_are_filled_once_and_links_say_their_text() {
        assert_eq!(
            said("'{0}' reaches {1} in {{braces}} and {7}.", &["{1}", "a sink"]),
            "'{1}' reaches a sink in {braces} and {7}"
        );
        assert_eq!(
            said("depends on a [user-provided value](1), see [docs](https://x.example/y)", &[]),
            "depends on a user-provided value, see docs"
        );
        assert_eq!(said("array[0](x) stays", &[]), "array[0](x) stays");
    }

    #[test]
    fn lists_of_names_and_values_become_a_sentence() {
        let misconfiguration = "Artifact: main.tf\nType: terraform\nVulnerability AWS-0180\nSeverity: HIGH\nMessage: The instance is public\nLink: [x](https://x.example)";
        assert_eq!(said(misconfiguration, &[]), "The instance is public");
        let package = "Package: openssl\nInstalled Version: 3.0.1\nVulnerability CVE-2031-0001\nSeverity: HIGH\nFixed Version: 3.0.2\nLink: [x](https://x.example)";
        assert_eq!(said(package, &[]), "openssl 3.0.1 has CVE-2031-0001, fixed in 3.0.2");
        let unfixed = package.replace("Fixed Version: 3.0.2", "Fixed Version: ");
        assert_eq!(said(&unfixed, &[]), "openssl 3.0.1 has CVE-2031-0001, no version fixes it yet");
    }

    #[test]
    fn what_steers_terminals_or_is_a_secret_does_not_get_through() {
        assert_eq!(said("a\n::error::b\u{1b}[31m", &[]), "a ::error::b\\u{1b}[31m");
        assert!(said(&"x ".repeat(90_000), &[]).chars().count() <= MAX_CHARS);
        let key = format!("found ghp_{}", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
        assert!(!said(&key, &[]).contains("A1b2C3"), "{}", said(&key, &[]));
        assert_eq!(masked("hardcoded password: 'blue-horse'", Some("x = \"blue-horse\"")), "hardcoded password: '***'");
        assert_eq!(masked("assigned to: \"PASSWORD\"", Some("PASSWORD = \"blue-horse\"")), "assigned to: \"PASSWORD\"");
        assert_eq!(masked("found 'x'", None), "found '***'");
    }
}
