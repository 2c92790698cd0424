//! Makes text from the scanned tree inert for each kind of output. All writers pass such text through here.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Characters that steer a terminal or hide what is written: C0 and C1 controls, bidirectional controls, line separators.
fn is_active(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// For a terminal or a log: active characters are written as `\u{…}`, tabs as a blank.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\t' => out.push(' '),
            char if is_active(char) => out.extend(char.escape_unicode()),
            char => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// For a line of a log that the runner of a workflow reads: GitHub takes `::name::` at the start of a line and `##[name]`
/// anywhere in it for commands, Azure Pipelines and TeamCity `##word[`. The first sign of each is written as `\u{…}`.
pub fn log_line(line: &str) -> Cow<'_, str> {
    static OLD_COMMAND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"##([A-Za-z]*\[)").expect("the pattern is constant"));
    let blank = line.len() - line.trim_start().len();
    let line: Cow<'_, str> = match line[blank..].strip_prefix("::") {
        Some(rest) => Cow::Owned(format!("{}\\u{{3a}}:{rest}", &line[..blank])),
        None => Cow::Borrowed(line),
    };
    if OLD_COMMAND.is_match(&line) {
        return Cow::Owned(OLD_COMMAND.replace_all(&line, r"\u{23}#$1").into_owned());
    }
    line
}

/// For the message of a workflow command.
pub fn command_data(text: &str) -> String {
    plain(text).replace('%', "%25")
}

/// For a property of a workflow command.
pub fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For a cell of a Markdown table: no markup, no HTML, no mention, no line end.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in plain(text).chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner keeps a mention from ringing somebody.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(char);
            }
            ':' => out.push_str("&#58;"),
            char => out.push(char),
        }
    }
    out
}

/// For XML text and attributes; characters that XML 1.0 has no place for were escaped before.
pub fn xml(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A path as the URI reference of SARIF: percent-encoded, `/` kept.
pub fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_tree_acts_in_any_output() {
        let hostile = "a\r\n::stop-commands::x\u{1b}[31m\u{202e}<b>|@all%0A";
        assert_eq!(plain(hostile), "a\\u{d}\\u{a}::stop-commands::x\\u{1b}[31m\\u{202e}<b>|@all%0A");
        assert!(!command_property(hostile).contains([':', '\n', '\r', ',']));
        assert!(command_data(hostile).contains("%250A"));
        assert!(!markdown(hostile).contains('<') && markdown(hostile).contains("\\|"));
        assert_eq!(log_line("  ::set-output name=x::0\n"), "  \\u{3a}:set-output name=x::0\n");
        assert_eq!(log_line("3 | # ##[add-mask]x ##vso[y]"), "3 | # \\u{23}#[add-mask]x \\u{23}#vso[y]");
        assert_eq!(log_line("cidr ::/0 ## [x]"), "cidr ::/0 ## [x]");
        assert_eq!(uri("a b/ü:c"), "a%20b/%C3%BC%3Ac");
    }
}
