//! Values that stand beside or below a name: in members of a pair, in a map of the name, and between tags.

use super::{MAX_BLANKS, MAX_VALUE, Reader, depth, is_quote};
use crate::secret::file::Syntax;

/// Bytes of a map within which its member `value` is looked for.
const MAX_MAP: usize = 300;
/// Lines below a name in YAML, likewise.
const MAX_LINES: usize = 4;

impl Reader<'_> {
    /// The value beside a name in a pair: `"name": "PASSWORD", "value": "x"`, `name="password" value="x"`.
    pub(super) fn of_pair(&mut self, is_argument: bool) -> Option<(usize, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let quote = rest.first().copied().filter(|byte| is_quote(*byte));
        let word = &rest[usize::from(quote.is_some())..];
        if word.len() > 5 && word[..5].eq_ignore_ascii_case(b"value") {
            self.at += 5 + usize::from(quote.is_some());
            if quote.is_some_and(|quote| !self.takes(quote)) {
                return None;
            }
            self.blanks();
            if !self.takes(b':') && !self.takes(b'=') {
                return None;
            }
            self.blanks();
            return match self.syntax {
                Syntax::Yaml => self.quoted_or_rest(false),
                _ => self.quoted(false),
            };
        }
        let value = is_argument.then(|| self.quoted(false)).flatten()?;
        self.blanks();
        (self.is_to_hide || matches!(self.peek(), b')' | b',')).then_some(value)
    }

    /// Whether the name is all of the text that something in YAML has as its name: `name: PASSWORD`, `key: "PASSWORD"`.
    pub(super) fn names_pair(&self, is_quoted: bool) -> bool {
        let end = self.name_start - usize::from(is_quoted);
        let line = &self.bytes[end.saturating_sub(MAX_BLANKS)..end];
        let line = line.rsplit(|byte| *byte == b'\n').next().unwrap_or(line);
        let Some(key) = line.trim_ascii_end().strip_suffix(b":").filter(|_| line.ends_with(b" ")) else { return false };
        let key = key.strip_suffix(b"\"").unwrap_or(key);
        let before = key.strip_suffix(b"name").or_else(|| key.strip_suffix(b"key"));
        before.is_some_and(|before| before.last().is_none_or(|last| b" -{,\"".contains(last)))
    }

    /// The member `value` of the map that is written behind a name: `"db_password": {"sensitive": true, "value": "x"}`.
    pub(super) fn in_map(&mut self) -> Option<(usize, usize)> {
        let rest = self.bytes.get(self.at + 1..)?;
        let length = rest
            .iter()
            .take(MAX_MAP)
            .position(|byte| matches!(byte, b'{' | b'}' | b'['))
            .unwrap_or(MAX_MAP.min(rest.len()));
        let map = &rest[..length];
        let is_member = |at: usize| {
            let before = map[..at].trim_ascii_end().last();
            let quoted = map[at + 5..].first().is_some_and(|next| is_quote(*next));
            match quoted {
                true => at > 0 && is_quote(map[at - 1]),
                false => before.is_none_or(|before| *before == b','),
            }
        };
        let at = (0..map.len().saturating_sub(5)).find(|at| map[*at..].starts_with(b"value") && is_member(*at))?;
        self.at += 1 + at - usize::from(at > 0 && is_quote(map[at - 1]));
        self.is_in_map = true;
        self.of_pair(false)
    }

    /// The member `value` of the map below a name in YAML.
    pub(super) fn member_below(&mut self) -> Option<(usize, usize)> {
        let line_start = self.bytes[..self.name_start].iter().rev().take(MAX_BLANKS).position(|byte| *byte == b'\n');
        let line_start = self.name_start - line_start.unwrap_or(self.name_start.min(MAX_BLANKS));
        let own = depth(&self.bytes[line_start..self.name_start]);
        let rest = self.bytes.get(self.at..)?;
        let rest = &rest[..rest.len().min(MAX_LINES * MAX_VALUE)];
        let mut at = self.at;
        for (index, line) in rest.split_inclusive(|byte| *byte == b'\n').take(MAX_LINES + 1).enumerate() {
            if index == 0 {
                at += line.len();
                continue;
            }
            let blanks = depth(line);
            if blanks <= own && !line.trim_ascii().is_empty() {
                return None;
            }
            if line[blanks..].starts_with(b"value:") {
                self.at = at + blanks;
                return self.of_pair(false);
            }
            at += line.len();
        }
        None
    }

    /// The text between the tags of `<string name="password">x</string>`, and of `<property name="password"><value>x</value>`.
    pub(super) fn named_element(&mut self) -> Option<(usize, usize)> {
        let before = &self.bytes[..self.name_start.saturating_sub(1)];
        if !before.ends_with(b" name=") && !before.ends_with(b" key=") {
            return None;
        }
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| matches!(byte, b'>' | b'<' | b'\n'))?;
        if rest[length] != b'>' || rest[..length].ends_with(b"/") {
            return None;
        }
        self.at += length;
        let tag = self.at;
        self.at += 1;
        self.blanks_and_line();
        let rest = self.bytes.get(self.at..)?;
        self.at = if rest.starts_with(b"<value>") { self.at + b"<value".len() } else { tag };
        self.element()
    }

    /// The text of the element that follows a key: `<key>ApiKey</key><string>x</string>`.
    pub(super) fn below_key(&mut self) -> Option<(usize, usize)> {
        const END: &[u8] = b"</key>";
        let rest = self.bytes.get(self.at..)?;
        if !self.bytes[..self.name_start].ends_with(b"<key>") || !rest.starts_with(END) {
            return None;
        }
        self.at += END.len();
        self.blanks_and_line();
        if !self.bytes.get(self.at..)?.starts_with(b"<string>") {
            return None;
        }
        self.at += b"<string".len();
        self.element()
    }

    /// The text of `<password>x</password>`.
    pub(super) fn element(&mut self) -> Option<(usize, usize)> {
        self.at += 1;
        let from = self.at;
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| matches!(byte, b'<' | b'\n'))?;
        rest[length..].starts_with(b"</").then_some((from, from + length))
    }
}
