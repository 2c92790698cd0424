//! Reads all of what is assigned to a name, for texts that are shown: up to the quote that closes, whatever is escaped before
//! it, the bodies of heredocs and of blocks of YAML, and what is joined to a literal.
//!
//! The search that makes findings stops where it is not sure; what hides goes on.

use super::file::Syntax;
use super::reader::{MAX_BEFORE, Reader, depth, is_quote};

/// Bytes of a value that are followed.
const MAX_WHOLE: usize = 20_000;
/// Bytes of a line that opens a heredoc or a block.
const MAX_HEAD: usize = 200;
/// Signs between a literal and its quote, as in `rb"…"` and `r#"…"#`.
const MAX_PREFIX: usize = 3;

impl<'a> Reader<'a> {
    /// What is left of the text, as far as a value may go on.
    fn window(&self, from: usize) -> &'a [u8] {
        let bytes = self.bytes.get(from..).unwrap_or_default();
        &bytes[..bytes.len().min(MAX_WHOLE)]
    }

    /// All of a text in quotes, with those that are joined to it, or the body of a heredoc.
    pub(super) fn whole_quoted(&mut self, escaped: bool) -> Option<(usize, usize)> {
        if self.is_code() {
            self.at += self.window(self.at).iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        if self.window(self.at).starts_with(b"<<") {
            return self.heredoc();
        }
        let is_prefix = |byte: &&u8| byte.is_ascii_alphabetic() || matches!(byte, b'@' | b'#' | b'$');
        let prefix = self.window(self.at).iter().take(MAX_PREFIX).take_while(is_prefix).count();
        self.at += if is_quote(self.ahead(prefix)) { prefix } else { 0 };
        if escaped && !self.takes(b'\\') {
            return None;
        }
        let quote = Some(self.peek()).filter(|byte| is_quote(*byte))?;
        let is_triple = !escaped && self.window(self.at).starts_with(&[quote; 3]);
        let from = self.at + if is_triple { 3 } else { 1 };
        let rest = self.window(from);
        let length = match is_triple {
            true => rest.windows(3).position(|three| three == [quote; 3]),
            false => self.closing(rest, quote, escaped),
        };
        let Some(length) = length else {
            // Nothing closes it: no more than the line can be meant.
            let length = line_length(rest);
            self.at = from + length;
            return Some((from, self.at));
        };
        let mut end = from + length;
        self.at = end + if is_triple { 3 } else { 1 + usize::from(escaped) };
        while let Some(next) = self.joined(quote).filter(|_| !escaped) {
            let rest = self.window(next + 1);
            let length = self.closing(rest, self.bytes[next], false).unwrap_or_else(|| line_length(rest));
            end = next + 1 + length;
            self.at = end + 1;
            if end - from > MAX_WHOLE {
                break;
            }
        }
        Some((from, end))
    }

    /// How far the quote is that closes a text; none where it is left open.
    fn closing(&self, rest: &[u8], quote: u8, escaped: bool) -> Option<usize> {
        let is_raw = quote == b'\'' && matches!(self.syntax, Syntax::Shell | Syntax::Yaml | Syntax::Lines);
        let has_lines = quote == b'`' || matches!(self.syntax, Syntax::Shell | Syntax::Yaml);
        // The braces and quotes that are open inside of a template of Terraform.
        let mut open: Vec<u8> = Vec::new();
        let is_template = self.syntax == Syntax::Terraform && !escaped;
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            let next = rest.get(at + 1).copied();
            at += match byte {
                b'\n' if !has_lines => return None,
                b'\\' if escaped && next == Some(quote) => return Some(at),
                // A sign that is escaped in the text inside, and the same once more.
                b'\\' if escaped && next == Some(b'\\') => 3 + usize::from(rest.get(at + 2) == Some(&b'\\')),
                b'\\' if !is_raw => 2,
                b'$' | b'%' if is_template && next == Some(*byte) => 2,
                b'$' | b'%' if is_template && next == Some(b'{') && open.last() != Some(&b'{') => {
                    open.push(b'{');
                    2
                }
                b'{' if open.last() == Some(&b'{') => {
                    open.push(b'{');
                    1
                }
                b'}' if open.last() == Some(&b'{') => {
                    open.pop();
                    1
                }
                byte if *byte == quote => {
                    match open.last() {
                        None => return Some(at),
                        Some(b'{') => open.push(quote),
                        Some(_) => drop(open.pop()),
                    }
                    1
                }
                _ => 1,
            };
        }
        None
    }

    /// Where the quote of a text stands that is joined to the one that ended here: `'it''s'`, `'a'"b"` of a shell, `"a" + "b"`.
    fn joined(&self, quote: u8) -> Option<usize> {
        let is_next = |byte: u8| byte == quote || self.syntax == Syntax::Shell && is_quote(byte);
        if is_next(self.peek()) {
            return Some(self.at);
        }
        let rest = self.window(self.at);
        let blanks = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let sign = blanks(rest);
        if !self.is_code() || !matches!(rest.get(sign), Some(b'+')) {
            return None;
        }
        let after = sign + 1 + blanks(&rest[sign + 1..]);
        rest.get(after).is_some_and(|byte| is_quote(*byte)).then_some(self.at + after)
    }

    /// The lines of `<<-END`, up to the one that says `END`.
    fn heredoc(&mut self) -> Option<(usize, usize)> {
        let head = self.head();
        let word = head[2..].trim_ascii_start();
        let word = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"~")).unwrap_or(word);
        let word = word.strip_prefix(b"\"").or_else(|| word.strip_prefix(b"'")).unwrap_or(word);
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let word = &word[..word.iter().take_while(is_word).count()];
        if word.is_empty() || head.len() == MAX_HEAD {
            return None;
        }
        let from = self.at + head.len() + 1;
        let mut length = 0;
        for line in self.window(from).split_inclusive(|byte| *byte == b'\n') {
            let last = line.trim_ascii().strip_prefix(word);
            if last.is_some_and(|rest| rest.iter().all(|byte| b",;)".contains(byte))) {
                break;
            }
            length += line.len();
        }
        self.at = from + length;
        Some((from, self.at))
    }

    /// All of what is not quoted: a word with what it quotes, the rest of the line, a block.
    pub(super) fn whole_rest(&mut self, is_word: bool) -> Option<(usize, usize)> {
        if is_word || self.syntax == Syntax::Shell {
            return self.whole_word();
        }
        if self.syntax == Syntax::Yaml {
            self.tags();
            if is_quote(self.peek()) {
                return self.whole_quoted(false);
            }
            match self.peek() {
                b'|' | b'>' if self.is_header() => return self.block(),
                b'\r' | b'\n' => return self.below(),
                b'*' => return None,
                b'{' | b'[' if !self.window(self.at).starts_with(b"{{") => return None,
                _ => {}
            }
        }
        let is_in_map = self.syntax == Syntax::Yaml && (self.is_in_map || self.begins_in_map());
        let (from, rest) = (self.at, self.window(self.at));
        let is_end = |at: &usize| match rest[*at] {
            b'\n' => true,
            b',' | b'}' => is_in_map,
            b'#' => *at == 0 || rest[*at - 1].is_ascii_whitespace(),
            _ => false,
        };
        let end = (0..rest.len()).find(is_end).unwrap_or(rest.len());
        self.at = from + rest[..end].trim_ascii_end().len();
        Some((from, self.at))
    }

    /// A word of a command, with quotes and escapes in it.
    fn whole_word(&mut self) -> Option<(usize, usize)> {
        let (from, rest) = (self.at, self.window(self.at));
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'&' | b'|' | b')');
        let simple = rest.iter().position(ends).unwrap_or(rest.len());
        let length = match self.ends_in_quotes(&rest[..simple]) {
            Some(inside) => inside,
            None => {
                let mut at = 0;
                while let Some(byte) = rest.get(at).filter(|byte| !ends(byte)) {
                    at += match byte {
                        b'\\' => 2,
                        quote if is_quote(*quote) => {
                            let inside = &rest[at + 1..];
                            self.closing(inside, *quote, false).map_or_else(|| line_length(inside), |end| end + 1) + 1
                        }
                        b'$' if rest.get(at + 1) == Some(&b'(') => {
                            let ends = |byte: &u8| matches!(byte, b')' | b'\n');
                            rest[at..].iter().position(ends).map_or(rest.len() - at, |end| end + 1)
                        }
                        _ => 1,
                    };
                }
                at.min(rest.len())
            }
        };
        self.at = from + length;
        Some((from, self.at))
    }

    /// Skips what YAML says of a value before it: `!!str`, `&name`.
    fn tags(&mut self) {
        while matches!(self.peek(), b'!' | b'&') {
            let rest = self.window(self.at);
            let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
            if rest.get(length).is_none_or(|byte| *byte != b' ') {
                return;
            }
            self.at += length;
            self.blanks();
        }
    }

    /// Whether a block of YAML begins here: a sign, how it is to be read, and nothing more.
    fn is_header(&self) -> bool {
        let line = &self.head()[1..];
        let signs = line.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-')).count();
        let after = line[signs..].trim_ascii();
        after.is_empty() || after.starts_with(b"#")
    }

    /// The rest of the line at hand, as far as it matters.
    fn head(&self) -> &'a [u8] {
        let rest = self.window(self.at);
        let rest = &rest[..rest.len().min(MAX_HEAD)];
        &rest[..line_length(rest)]
    }

    /// Columns before the key on the line at hand; the sign of a list counts as one.
    fn indentation(&self) -> usize {
        let before = &self.bytes[self.at.saturating_sub(MAX_BEFORE)..self.at];
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
        line.iter().take_while(|byte| matches!(byte, b' ' | b'-')).count()
    }

    /// The lines of a block of YAML: all that stand deeper than its key.
    fn block(&mut self) -> Option<(usize, usize)> {
        let indentation = self.indentation();
        let from = self.at + line_length(self.window(self.at)) + 1;
        let is_inside = |line: &&[u8]| line.trim_ascii().is_empty() || depth(line) > indentation;
        let lines = self.window(from).split_inclusive(|byte| *byte == b'\n').take_while(is_inside);
        let length: usize = lines.map(<[u8]>::len).sum();
        self.at = from + length;
        (length > 0).then_some((from, self.at))
    }

    /// The value in YAML that stands alone on the line below its key.
    fn below(&mut self) -> Option<(usize, usize)> {
        let indentation = self.indentation();
        let from = self.at + line_length(self.window(self.at)) + 1;
        let rest = self.window(from);
        let line = &rest[..line_length(rest)];
        let text = line.trim_ascii();
        let depth = depth(line);
        let first = text.first().copied()?;
        if depth <= indentation || matches!(first, b'#' | b'-' | b'{' | b'[' | b'*') {
            return None;
        }
        self.at = from + depth;
        if is_quote(first) {
            return self.whole_quoted(false);
        }
        let is_map = text.ends_with(b":") || text.windows(2).any(|pair| pair == b": ");
        let end = self.at + text.len();
        (!is_map).then_some((std::mem::replace(&mut self.at, end), end))
    }
}

/// Bytes before the end of a line.
fn line_length(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use crate::secret::{find_to_hide, without};

    fn shown(path: &str, text: &str) -> String {
        without(text, find_to_hide(path, text).into_iter())
    }

    /// Put together here, so that this file holds no secret of its own.
    const SECRET: &str = concat!("Qz7", "kkLm9x4w");

    #[test]
    fn values_are_hidden_however_they_are_written() {
        for (path, text, expected) in [
            ("a.tf", "password = \"a\\\"?\\\\?\" # why", "password = \"***\" # why"),
            ("a.tf", "password = \"$${?}?\"", "password = \"***\""),
            ("a.tf", "password = \"${\"?\"}\"\nname = \"b\"", "password = \"***\"\nname = \"b\""),
            ("a.tf", "password = \"\\u00e9?\"", "password = \"***\""),
            ("a.tf", "password = \"${var.a}?\"", "password = \"***\""),
            (
                "a.tf",
                "password = <<-X\n    ?\n\n    b?\n  X\nname = 1",
                "password = <<-X\n    ***\n\n    ***\n  X\nname = 1",
            ),
            ("a.json", "{\"password\": \"a\\\"?\", \"a\": 1}", "{\"password\": \"***\", \"a\": 1}"),
            (
                "a.json",
                "{\"b\": \"{\\\"password\\\": \\\"a\\\\\\\"?\\\"}\"}",
                "{\"b\": \"{\\\"password\\\": \\\"***\\\"}\"}",
            ),
            ("a.yaml", "password: \"a\\\"?\" # b", "password: \"***\" # b"),
            ("a.yaml", "password: 'it''s ?'\n", "password: '***'\n"),
            ("a.yaml", "password: !!str &a ? b\nc: d\n", "password: !!str &a ***\nc: d\n"),
            ("a.yaml", "password: |-\n  ?\n\n  b\nc: d\n", "password: |-\n  ***\n\n  ***\nc: d\n"),
            ("a.yaml", "password: \"a\n  ?\"\nc: d\n", "password: \"***\n  ***\"\nc: d\n"),
            ("a.yaml", "a:\n  password:\n    ?\n  c: d\n", "a:\n  password:\n    ***\n  c: d\n"),
            (
                "a.yaml",
                "env:\n  - name: DB_PASSWORD\n    value: |\n      ?\n  - name: B\n    value: c\n",
                "env:\n  - name: DB_PASSWORD\n    value: |\n      ***\n  - name: B\n    value: c\n",
            ),
            ("a.yaml", "env: [\"DB_PASSWORD=a\\\\?\"]\n", "env: [\"DB_PASSWORD=***\"]\n"),
            (".env", "DB_PASSWORD=a\"? b", "DB_PASSWORD=***"),
            ("a.sh", "export DB_PASSWORD=a\\ ?'b c'\"d\"; run", "export DB_PASSWORD=***; run"),
            ("a.sh", "DB_PASSWORD='a'\"'\"'?' run", "DB_PASSWORD='***' run"),
            ("a.py", "password = (\n  \"a\"\n  + \"?\")", "password = (\n  \"***\n  ***\")"),
            ("a.py", "password = \"\"\"?\n\"\"\"", "password = \"\"\"***\n\"\"\""),
            ("a.py", "if password == '?':", "if password == '***':"),
        ] {
            assert_eq!(shown(path, &text.replace('?', SECRET)), expected, "{path}: {text}");
        }
    }

    #[test]
    fn references_and_structures_are_shown() {
        for (path, text) in [
            ("a.tf", "password = \"${var.password}\""),
            ("a.tf", "password = random_password.db.result"),
            ("a.yaml", "password: ${{ secrets.DB_PASSWORD }}\n"),
            ("a.yaml", "password: \"{{ .Values.password }}\"\n"),
            ("a.yaml", "password: ${DB_PASSWORD:?is not set}\n"),
            ("a.yaml", "password:\n  secretKeyRef:\n    name: db\n"),
            ("a.yaml", "password:\n- a\n"),
            ("a.yaml", "password: *shared\n"),
            ("a.sh", "PASSWORD=\"$(pass show db1)\" run"),
            ("a.sh", "PASSWORD=$DB_PASSWORD run"),
            ("a.json", "{\"password\": \"\", \"name\": \"Qz7kkLm9x4w\"}"),
        ] {
            assert_eq!(shown(path, text), text, "{path}");
        }
    }

    /// Nothing closes what every name opens.
    #[test]
    fn hostile_texts_are_followed_no_further_than_a_value_goes() {
        for (path, text) in [
            ("a.yaml", "password: \"\\".repeat(30_000)),
            ("a.yaml", "password: |\n ".repeat(30_000)),
            ("a.tf", "password = \"${".repeat(30_000)),
            ("a.tf", "password = <<X\n".repeat(30_000)),
            ("a.sh", "password='\"`$(".repeat(30_000)),
        ] {
            assert!(shown(path, &text).len() <= 2 * text.len(), "{path}");
        }
    }
}
