//! Makes text from the scanned tree inert for each kind of output. All writers pass such text through here.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

use regex::Regex;

/// Characters that steer a terminal or hide what is written: C0 and C1 controls, bidirectional controls, line separators,
/// blanks without width, letters without a shape, what chooses the shape of another, tags.
pub fn is_active(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}')
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(char, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
        || matches!(char, '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
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
    let blank = line.len() - line.trim_start().len();
    match line[blank..].strip_prefix("::") {
        Some(rest) => Cow::Owned(without_old_commands(&format!("{}\\u{{3a}}:{rest}", &line[..blank])).into_owned()),
        None => without_old_commands(line),
    }
}

fn without_old_commands(text: &str) -> Cow<'_, str> {
    static OLD_COMMAND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"##([A-Za-z]*\[)").expect("the pattern is constant"));
    OLD_COMMAND.replace_all(text, r"\u{23}#$1")
}

/// A writer of lines for a terminal or a log, from which nothing in them acts: each passes [`plain`] but for its tabs, and
/// [`log_line`]. What escapes itself, as JSON of reports does, passes unchanged.
pub struct LogLines<'w> {
    out: &'w mut dyn Write,
    /// The line so far.
    line: Vec<u8>,
}

impl<'w> LogLines<'w> {
    /// Writes to `out`.
    pub fn new(out: &'w mut dyn Write) -> LogLines<'w> {
        LogLines { out, line: Vec::new() }
    }

    /// Writes a last line that has no end, and hands on what the writer behind keeps back.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.end_line("")?;
        }
        self.out.flush()
    }

    fn end_line(&mut self, end: &str) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.line);
        let inert: Vec<_> = text.split('\t').map(plain).collect();
        let written = write!(self.out, "{}{end}", log_line(&inert.join("\t")));
        self.line.clear();
        written
    }
}

impl Write for LogLines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(rest) => {
                    self.line.extend_from_slice(rest);
                    self.end_line("\n")?;
                }
                None => self.line.extend_from_slice(part),
            }
        }
        Ok(bytes.len())
    }

    /// Keeps back a line that has not ended: what acts may be written in two parts.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// For the message of a workflow command.
pub fn command_data(text: &str) -> String {
    without_old_commands(&plain(text)).replace('%', "%25")
}

/// For a property of a workflow command.
pub fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For a cell of a Markdown table or an item of a list: no markup, no HTML, no link, no mention or reference, no line end.
pub fn markdown(text: &str) -> String {
    inert_markdown(text, |out, sign| out.extend(['\\', sign]))
}

/// The same inside an element of HTML that stands in Markdown, where a backslash is a backslash.
pub fn markdown_element(text: &str) -> String {
    inert_markdown(text, |out, sign| out.push_str(&format!("&#{};", sign as u32)))
}

fn inert_markdown(text: &str, escape: impl Fn(&mut String, char)) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '$' => out.push_str("&#36;"),
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' => escape(&mut out, char),
            char => out.push(char),
        }
        // GitHub and GitLab look for mentions, references and addresses once entities are resolved; a blank without width
        // keeps them from ringing somebody or leading somewhere.
        let next = rest.peek().copied().unwrap_or(' ');
        let leads = match char {
            '@' | '#' | '!' | '~' | '%' | '$' | '&' => next.is_alphanumeric() || next == '"',
            '[' => stands_for_a_reference(rest.clone()),
            ':' => next == '/',
            '.' => stands_before_last(&out, "www"),
            '-' => next.is_ascii_digit() && stands_before_last(&out, "gh"),
            _ => false,
        };
        if leads {
            out.push_str("&#8203;");
        }
    }
    out
}

/// Whether what follows a bracket is a name and `:`, as in GitLab's `[vulnerability:12]`.
fn stands_for_a_reference(rest: impl Iterator<Item = char>) -> bool {
    let mut rest = rest.skip_while(|char| char.is_ascii_alphabetic() || matches!(char, '_' | '-'));
    rest.next() == Some(':')
}

/// Whether `word` stands before the last byte, in any case.
fn stands_before_last(text: &str, word: &str) -> bool {
    let end = text.len().saturating_sub(1);
    let before = end.checked_sub(word.len()).and_then(|start| text.get(start..end));
    before.is_some_and(|before| before.eq_ignore_ascii_case(word))
}

/// For text and attributes of XML and HTML; characters that XML 1.0 has no place for are escaped, and the `##[name]` that the
/// runner of a workflow takes for a command.
pub fn xml(text: &str) -> String {
    let text = plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    text.replace('\'', "&#39;").replace("##", "&#35;&#35;").replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
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
        assert_eq!(command_data("##[error]x ##vso[y]"), "\\u{23}#[error]x \\u{23}#vso[y]");
        assert!(!markdown(hostile).contains('<') && markdown(hostile).contains("\\|"));
        assert_eq!(xml("<a b='\"'>##[x]&\u{1b}"), "&lt;a b=&#39;&quot;&#39;&gt;&#35;&#35;[x]&amp;\\u{1b}");
        assert_eq!(log_line("  ::set-output name=x::0\n"), "  \\u{3a}:set-output name=x::0\n");
        assert_eq!(log_line("3 | # ##[add-mask]x ##vso[y]"), "3 | # \\u{23}#[add-mask]x \\u{23}#vso[y]");
        assert_eq!(log_line("cidr ::/0 ## [x]"), "cidr ::/0 ## [x]");
        assert_eq!(uri("a b/ü:c"), "a%20b/%C3%BC%3Ac");
    }

    #[test]
    fn lines_for_a_log_are_inert_however_they_are_written() {
        let mut out = Vec::new();
        let mut lines = LogLines::new(&mut out);
        for part in ["title \u{1b}[3", "1m\n::er", "ror::x\n\tx #", "#[add-mask]y", "\n+\ta\n", "::end"] {
            lines.write_all(part.as_bytes()).expect("a vector takes all");
        }
        lines.finish().expect("a vector takes all");
        let expected = "title \\u{1b}[31m\n\\u{3a}:error::x\n\tx \\u{23}#[add-mask]y\n+\ta\n\\u{3a}:end";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn what_nobody_sees_is_written_out() {
        for (hidden, shown) in [
            ("pa\u{ad}y", "pa\\u{ad}y"),
            ("a\u{34f}\u{115f}\u{1160}b", "a\\u{34f}\\u{115f}\\u{1160}b"),
            ("\u{3164}\u{ffa0}", "\\u{3164}\\u{ffa0}"),
            ("a\u{fe00}\u{fe0f}", "a\\u{fe00}\\u{fe0f}"),
            ("x\u{e0100}\u{e01ef}\u{e0041}", "x\\u{e0100}\\u{e01ef}\\u{e0041}"),
        ] {
            assert_eq!(plain(hidden), shown);
        }
        assert_eq!(plain("é ü 漢字 한글 🙂"), "é ü 漢字 한글 🙂");
    }

    #[test]
    fn markdown_from_the_tree_is_read_as_it_was_written() {
        for (text, shown) in [
            ("a | b", r"a \| b"),
            ("`rm`", r"\`rm\`"),
            ("<script>alert(1)</script>", r"&lt;script&gt;alert\(1\)&lt;/script&gt;"),
            ("<!-- gate -->", r"&lt;\!-- gate --&gt;"),
            ("@org/team", "&#64;&#8203;org/team"),
            ("nginx@sha256", "nginx&#64;&#8203;sha256"),
            ("#12 GH-12 !3", r"&#35;&#8203;12 GH-&#8203;12 \!&#8203;3"),
            ("[x](https://e.example)", r"\[x\]\(https&#58;&#8203;//e.example\)"),
            ("![x](//e.example/p.png)", r"\!\[x\]\(//e.example/p.png\)"),
            ("www.e.example", "www.&#8203;e.example"),
            ("**b** __i__ ~~s~~", r"\*\*b\*\* \_\_i\_\_ \~\~&#8203;s\~\~"),
            ("$x$ :tada:", "&#36;&#8203;x&#36; &#58;tada&#58;"),
            ("&12 a&b", "&amp;&#8203;12 a&amp;&#8203;b"),
            ("[vulnerability:1] [1:2]", r"\[&#8203;vulnerability&#58;1\] \[1&#58;2\]"),
            ("a\n\n# b", r"a\\u\{a\}\\u\{a\}&#35; b"),
            ("\u{202e}\u{1b}[1m", r"\\u\{202e\}\\u\{1b\}\[1m"),
        ] {
            assert_eq!(markdown(text), shown, "{text}");
        }
        assert_eq!(markdown_element("<b>_@a_</b>"), "&lt;b&gt;&#95;&#64;&#8203;a&#95;&lt;/b&gt;");
    }
}
