//! Reads from the end of a name to the literal that is assigned to it, in the syntax of the file.

mod pairs;

use super::file::Syntax;

/// Blanks between the parts of an assignment.
const MAX_BLANKS: usize = 40;
/// Longest literal that is read.
const MAX_VALUE: usize = 500;
/// Bytes before a name, on its line, that may say what it is.
pub(super) const MAX_BEFORE: usize = 200;

/// Where the literal stands that is assigned to the name at `name_start..name_end`; what is to be hidden is read to its end.
pub(super) fn literal_after(
    bytes: &[u8],
    (name_start, name_end): (usize, usize),
    syntax: Syntax,
    is_to_hide: bool,
) -> Option<(usize, usize)> {
    Reader { bytes, at: name_end, syntax, name_start, name_end, is_in_map: false, is_to_hide }.value()
}

/// Goes from the end of a name to the value.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) syntax: Syntax,
    name_start: usize,
    name_end: usize,
    /// Whether the name is a value in a map of YAML that is written on one line.
    pub(super) is_in_map: bool,
    /// Whether all of the value is meant, in whatever form, or only a literal that says itself that it is one.
    is_to_hide: bool,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> u8 {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, count: usize) -> u8 {
        self.bytes.get(self.at + count).copied().unwrap_or(b'\n')
    }

    /// Skips a byte if it is the wanted one.
    pub(super) fn takes(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == wanted;
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn blanks(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take(MAX_BLANKS).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// The byte before the name.
    fn before(&self) -> u8 {
        self.name_start.checked_sub(1).map_or(b'\n', |index| self.bytes[index])
    }

    /// Where the literal stands.
    fn value(&mut self) -> Option<(usize, usize)> {
        // In a text inside of another, the quotes are escaped.
        let escaped = self.peek() == b'\\' && is_quote(self.ahead(1));
        self.at += usize::from(escaped);
        let quoted_name = is_quote(self.peek()) && self.before() == self.peek();
        if is_quote(self.peek()) && !quoted_name || self.peek() == b'\\' {
            return None;
        }
        self.at += usize::from(quoted_name);
        if quoted_name {
            self.at += usize::from(self.peek() == b' ' && self.ahead(1) == b']');
            self.takes(b']');
        } else if self.takes(b'[') {
            while self.peek().is_ascii_alphanumeric() || self.peek() == b'_' {
                self.at += 1;
            }
            if !self.takes(b']') {
                return None;
            }
        }
        self.takes(b'?');
        if self.bytes[..self.name_start].ends_with(b"${") {
            return self.default();
        }
        let blanks = self.blanks();
        let byte = self.peek();
        match byte {
            b':' => self.after_colon(escaped),
            b'=' => self.after_equals(blanks),
            b'|' | b'?' if self.ahead(1) == byte => {
                self.at += 2;
                self.takes(b'=');
                self.blanks();
                self.quoted(false)
            }
            b'?' if self.ahead(1) == b'=' => {
                self.at += 1;
                self.after_equals(blanks)
            }
            b',' | b'\r' | b'\n' if self.is_option() => {
                self.takes(b',');
                self.next_word(quoted_name)
            }
            b',' | b'\r' | b'\n' if self.syntax == Syntax::Yaml && self.names_pair(quoted_name) => {
                self.is_in_map = self.takes(b',');
                self.blanks_and_line();
                self.of_pair(false)
            }
            b',' if quoted_name => {
                self.at += 1;
                self.blanks_and_line();
                self.of_pair(self.is_argument())
            }
            b'(' if !quoted_name && blanks == 0 && self.is_setter() => {
                self.at += 1;
                let value = self.quoted(false)?;
                (self.is_to_hide || self.peek() == b')').then_some(value)
            }
            b'>' if !quoted_name && blanks == 0 && self.before() == b'<' => self.element(),
            b'<' if !quoted_name => self.below_key(),
            b'>' if quoted_name => self.named_element(),
            _ if quoted_name && blanks > 0 => self.of_pair(false).or_else(|| self.named_element()),
            _ if blanks > 0 => self.after_blank(),
            _ => None,
        }
    }

    /// `${PASSWORD:-x}` of a shell, `${password:x}` of Spring.
    fn default(&mut self) -> Option<(usize, usize)> {
        // What is said where there is no value is none either: `${PASSWORD:?is not set}`.
        if !self.takes(b':') || self.peek() == b'?' {
            return None;
        }
        self.at += usize::from(matches!(self.peek(), b'-' | b'='));
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| matches!(byte, b'}' | b'$' | b'\n'))?;
        (rest[length] == b'}').then_some((self.at, self.at + length))
    }

    /// The rest of a text that begins with the name: `"X-Api-Key: x"`.
    fn header(&self) -> Option<(usize, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        let length = rest.iter().take(MAX_VALUE).take_while(is_token).count();
        (rest.get(length) == Some(&self.before())).then_some((self.at, self.at + length))
    }

    fn blanks_and_line(&mut self) {
        self.blanks();
        self.takes(b'\r');
        if self.takes(b'\n') {
            self.blanks();
        }
    }

    fn after_colon(&mut self, escaped: bool) -> Option<(usize, usize)> {
        self.at += 1;
        if self.takes(b'=') {
            self.blanks();
            return self.quoted_or_rest(false);
        }
        let blanks = self.blanks();
        if escaped {
            return self.quoted(true);
        }
        match self.peek() {
            b'{' => return self.in_map(),
            b'\r' | b'\n' if self.syntax == Syntax::Yaml => {
                let at = self.at;
                let member = self.member_below();
                if member.is_some() || !self.is_to_hide {
                    return member;
                }
                self.at = at;
            }
            _ => {}
        }
        if is_quote(self.before()) && self.bytes[self.name_end] == b':' {
            return self.header();
        }
        if self.is_code() && self.peek().is_ascii_alphabetic() | matches!(self.peek(), b'&' | b'\'') {
            if let Some(value) = self.quoted(false) {
                return Some(value);
            }
            // The name of a type stands between.
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let is_type = |byte: &&u8| byte.is_ascii_alphanumeric() || b"&'_<>[]? .|".contains(byte);
            self.at += rest.iter().take(MAX_BLANKS).take_while(is_type).count();
            return (self.takes(b'=') && self.peek() != b'=' && self.peek() != b'>')
                .then(|| self.blanks())
                .and_then(|_| self.quoted(false));
        }
        match self.syntax {
            Syntax::Yaml if blanks == 0 && !is_quote(self.peek()) => match self.peek() {
                b'\r' | b'\n' if self.is_to_hide => self.whole_rest(false),
                _ => None,
            },
            Syntax::Shell => self.quoted(false),
            _ => self.quoted_or_rest(false),
        }
    }

    fn after_equals(&mut self, blanks: usize) -> Option<(usize, usize)> {
        self.at += 1;
        match self.peek() {
            // A secret that something is compared with is one too.
            b'=' if self.is_to_hide => self.at += 1 + usize::from(self.ahead(1) == b'='),
            b'=' | b'~' if self.syntax != Syntax::Lines => return None,
            b'>' => self.at += 1,
            _ => {}
        }
        let more = self.blanks();
        // In shells and the scripts of manifests, blanks end words.
        let is_word = blanks + more == 0;
        if matches!(self.syntax, Syntax::Shell | Syntax::Yaml) && !is_word {
            return self.quoted(false);
        }
        if is_word && self.is_in_command() {
            return self.word();
        }
        self.takes(b'(');
        self.quoted_or_rest(is_word && self.syntax != Syntax::Lines)
    }

    /// `--password x`, `#define PASSWORD "x"`, `Password string = "x"`, `PASSWORD 'x'`.
    fn after_blank(&mut self) -> Option<(usize, usize)> {
        let before = &self.bytes[self.name_start.saturating_sub(MAX_BEFORE)..self.name_start];
        let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
        let is_flag = self.bytes[self.name_start..].starts_with(b"--");
        if is_flag && matches!(self.syntax, Syntax::Shell | Syntax::Yaml) {
            return self.quoted_or_rest(true);
        }
        if is_flag && self.is_in_command() {
            return self.word();
        }
        let words = before.trim_ascii();
        let is_instruction = words.eq_ignore_ascii_case(b"ENV");
        if is_instruction && self.syntax == Syntax::Shell {
            return self.quoted_or_rest(false);
        }
        if self.syntax == Syntax::Shell && exports(words) {
            return self.quoted_or_rest(true);
        }
        // A parameter of PowerShell.
        let is_parameter = || matches!(self.bytes[self.name_start..], [b'-', b'A'..=b'Z', ..]);
        if self.is_code() && is_quote(self.peek()) && is_parameter() {
            return self.quoted(false);
        }
        // Where a proxy sets a header, and a directive of a server that has a value.
        if matches!(words, b"proxy_set_header" | b"add_header" | b"fastcgi_param") && is_quote(self.peek()) {
            return self.quoted(false);
        }
        let is_define = words == b"#define";
        let is_statement = matches!(&self.bytes[self.name_start..self.name_end], b"PASSWORD" | b"password");
        if is_define
            || is_statement && before.to_ascii_lowercase().windows(5).any(|part| part == b"user " || part == b"role ")
        {
            return self.quoted(false);
        }
        if !self.is_code() {
            return None;
        }
        // The statements of Gradle and its kin.
        if is_quote(self.peek()) && before.trim_ascii().is_empty() {
            let value = self.quoted(false)?;
            return matches!(self.peek(), b'\n' | b'\r').then_some(value);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_type = rest.starts_with(b"string") || rest.starts_with(b"As String") || rest.starts_with(b"String");
        if !is_type {
            return None;
        }
        self.at += rest.iter().take(MAX_BLANKS).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b' ').count();
        (self.takes(b'=') && self.peek() != b'=').then(|| self.blanks()).and_then(|_| self.quoted(false))
    }

    /// Whether the name is a long option of a command: `--db-password`.
    fn is_option(&self) -> bool {
        self.bytes[self.name_start..].starts_with(b"--")
    }

    /// The word after an option in a list of words: `["--password", "x"]`, and in YAML the item below it.
    fn next_word(&mut self, is_quoted: bool) -> Option<(usize, usize)> {
        self.blanks_and_line();
        if self.syntax == Syntax::Yaml && self.takes(b'-') {
            return if self.blanks() > 0 { self.quoted_or_rest(false) } else { None };
        }
        let value = is_quoted.then(|| self.quoted(false)).flatten()?;
        self.blanks_and_line();
        (self.is_to_hide || matches!(self.peek(), b',' | b']')).then_some(value)
    }

    /// Whether the name is the first argument of a call, as in `define("DB_PASSWORD", "x")`.
    fn is_argument(&self) -> bool {
        let mut before = self.bytes[..self.name_start.saturating_sub(1)]
            .iter()
            .rev()
            .take(MAX_BLANKS)
            .skip_while(|byte| **byte == b' ');
        before.next() == Some(&b'(') && before.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    /// `setPassword("x")`, `.password("x")`, `withToken("x")`.
    fn is_setter(&self) -> bool {
        let name = &self.bytes[self.name_start..self.name_end];
        let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        let is_set = [&b"set"[..], b"Set", b"with", b"With"].iter().any(|start| last.starts_with(start));
        is_set || name.contains(&b'.') && matches!(last, b"password" | b"secret" | b"token" | b"apiKey" | b"api_key")
    }

    fn quoted_or_rest(&mut self, is_word: bool) -> Option<(usize, usize)> {
        if is_quote(self.peek()) || self.is_code() {
            return self.quoted(false);
        }
        self.rest(is_word)
    }

    pub(super) fn is_code(&self) -> bool {
        matches!(self.syntax, Syntax::Code | Syntax::Terraform)
    }

    /// Whether the name is an option of a command, or a variable that one sets, in a text of Terraform.
    fn is_in_command(&self) -> bool {
        let is_exported = || self.bytes[..self.name_start].ends_with(b"export ");
        self.syntax == Syntax::Terraform && (self.is_option() || is_exported())
    }

    /// A word of a command, whatever the syntax around it.
    fn word(&mut self) -> Option<(usize, usize)> {
        if is_quote(self.peek()) { self.quoted(false) } else { self.rest(true) }
    }

    /// What is not quoted: a word, or the rest of the line.
    fn rest(&mut self, is_word: bool) -> Option<(usize, usize)> {
        if self.is_to_hide {
            return self.whole_rest(is_word);
        }
        let from = self.at;
        let is_shell = is_word || self.syntax == Syntax::Shell;
        let is_in_map = self.syntax == Syntax::Yaml && (self.is_in_map || self.begins_in_map());
        let ends = |byte: &u8| {
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
                || is_in_map && matches!(byte, b',' | b'}')
                || is_shell && matches!(byte, b';' | b'&' | b'|' | b'\\' | b')')
        };
        let rest = self.bytes.get(from..)?;
        let mut length = rest.iter().take(MAX_VALUE).position(ends).unwrap_or(rest.len().min(MAX_VALUE));
        if is_shell && let Some(inside) = self.ends_in_quotes(&rest[..length]) {
            length = inside;
        }
        let value = &rest[..length];
        self.at += length;
        self.blanks();
        let is_end =
            matches!(self.peek(), b'\r' | b'\n' | b'#' | b';') || is_in_map && matches!(self.peek(), b',' | b'}');
        // A template, an expression, another structure.
        let is_reference = value.contains(&b'"')
            || value.contains(&b'\'')
            || value.contains(&b'`')
            || value.first().is_some_and(|first| self.begins_reference(*first))
            || is_shell && value.contains(&b'$')
            || value.ends_with(b",")
            || value.ends_with(b"}");
        (!is_reference && (is_end || is_shell)).then_some((from, from + length))
    }

    /// Whether what is not quoted is no text when it begins with this sign: a template, in YAML also an alias, a tag or a block, in
    /// shells what they part words by.
    fn begins_reference(&self, first: u8) -> bool {
        let more: &[u8] = match self.syntax {
            Syntax::Yaml => b"&*!|>@",
            Syntax::Shell => b"&|>",
            _ => b"",
        };
        b"${[%(<".contains(&first) || more.contains(&first)
    }

    /// Whether the name is a key in a map of YAML that is written on one line.
    pub(super) fn begins_in_map(&self) -> bool {
        let mut before = self.bytes[..self.name_start].iter().rev().take(MAX_BLANKS).skip_while(|byte| **byte == b' ');
        matches!(before.next(), Some(b'{' | b','))
    }

    /// The length of a word that ends a text in quotes: of `x"]` in `["--password=x"]` one.
    pub(super) fn ends_in_quotes(&self, word: &[u8]) -> Option<usize> {
        let length = word.iter().position(|byte| is_quote(*byte))?;
        let before = &self.bytes[self.name_start.saturating_sub(MAX_BEFORE)..self.name_start];
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
        let opened = line.iter().filter(|byte| **byte == word[length]).count() % 2 == 1;
        let rest = word[length + 1..].iter().all(|byte| matches!(byte, b',' | b']' | b'}' | b')' | b'"' | b'\''));
        (opened && rest).then_some(length)
    }

    /// A literal in quotes that nothing is joined to.
    fn quoted(&mut self, escaped: bool) -> Option<(usize, usize)> {
        if self.is_to_hide {
            return self.whole_quoted(escaped);
        }
        if matches!(self.peek(), b'b' | b'u' | b'B' | b'U' | b'L' | b'@' | b'N') && is_quote(self.ahead(1)) {
            self.at += 1;
        }
        if escaped && !self.takes(b'\\') {
            return None;
        }
        let quote = Some(self.peek()).filter(|byte| is_quote(*byte))?;
        let from = self.at + 1;
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| *byte == quote || matches!(byte, b'\n' | b'\\'))?;
        let is_closed = match escaped {
            true => rest[length..].starts_with(&[b'\\', quote]),
            false => rest[length] == quote,
        };
        self.at = from + length + 1 + usize::from(escaped);
        let mut next = self.bytes.get(self.at..)?.iter().skip_while(|byte| matches!(byte, b' ' | b'\t'));
        let next = next.next().copied().unwrap_or(b'\n');
        let is_open = matches!(next, b'+' | b'%' | b'[' | b'?' | b'$') || next == quote;
        // Shells replace names in these.
        let value = &rest[..length];
        let is_template = value.contains(&b'$') && (self.syntax == Syntax::Shell && quote != b'\'' || quote == b'`');
        (is_closed && !is_open && !is_template).then_some((from, from + length))
    }
}

/// Whether these words set a variable for what a shell starts: `setenv` of csh, `set -gx` of fish.
fn exports(words: &[u8]) -> bool {
    let set = |options: &[u8]| options.iter().all(u8::is_ascii_alphabetic) && options.contains(&b'x');
    words == b"setenv" || words.strip_prefix(b"set -").is_some_and(set) || words == b"set --export"
}

/// How far to the right a line of YAML begins.
pub(super) fn depth(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}
