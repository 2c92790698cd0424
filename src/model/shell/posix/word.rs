//! Parts of words: quotes, expansions and the commands inside them.

use super::{Pending, Reader, grow};
use crate::model::shell::{Fault, MAX_DEPTH, MAX_RAW};

impl Reader<'_, '_> {
    /// From an opening parenthesis past the one that closes it.
    pub(super) fn skip_parens(&mut self) {
        let start = self.at;
        let mut depth = 0_u32;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\\' => self.at += 1,
                b'\'' => {
                    self.at += self.bytes[self.at + 1..self.end].iter().position(|b| *b == b'\'').map_or(0, |n| n + 1)
                }
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        self.clamp();
        if depth > 0 {
            self.fault(start, Fault::Unclosed("("));
        }
    }

    /// Escapes may step over the end or into a character.
    pub(super) fn clamp(&mut self) {
        self.at = self.at.min(self.end);
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    /// A quoted, escaped or expanded part of a word.
    pub(super) fn part(&mut self, depth: u32, pending: &mut Pending) {
        let start = self.at;
        match self.bytes[start] {
            b'\\' => {
                let width = self.text[start + 1..self.end].chars().next().map_or(0, char::len_utf8);
                self.at = start + 1 + width;
                if self.text[start + 1..self.at] != *"\n" {
                    grow(&mut pending.word, start, &self.text[start + 1..self.at]).quoted = true;
                }
            }
            b'\'' => match self.text[start + 1..self.end].find('\'') {
                Some(length) => {
                    let stop = start + 1 + length;
                    grow(&mut pending.word, start, &self.text[start + 1..stop]).quoted = true;
                    self.at = stop + 1;
                }
                None => self.unclosed(start, pending),
            },
            b'"' => self.double_quoted(depth, pending),
            _ => {
                let expands = self.expansion(depth);
                let raw = &self.text[start..self.at];
                let shown = if raw.len() > MAX_RAW { "$(…)" } else { raw };
                grow(&mut pending.word, start, shown).expands |= expands;
            }
        }
    }

    pub(super) fn double_quoted(&mut self, depth: u32, pending: &mut Pending) {
        let open = self.at;
        if self.is_plain {
            self.at += 1;
            grow(&mut pending.word, open, "\"");
            return;
        }
        let known = (pending.word.clone(), self.out.list.len(), self.out.faults.len(), self.out.has_pipe);
        grow(&mut pending.word, open, "").quoted = true;
        self.at += 1;
        loop {
            let start = self.at;
            match self.byte(0) {
                None => {
                    self.is_plain = true;
                    // What was taken for its inside is read again as commands.
                    self.out.list.truncate(known.1);
                    self.out.faults.truncate(known.2);
                    (pending.word, self.out.has_pipe) = (known.0, known.3);
                    self.unclosed(open, pending);
                    return;
                }
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(b'\\') => {
                    let next = self.text[start + 1..self.end].chars().next();
                    self.at += 1 + next.map_or(0, char::len_utf8);
                    let from = start + usize::from(matches!(next, Some('"' | '\\' | '$' | '`' | '\n')));
                    grow(&mut pending.word, open, &self.text[from..self.at]);
                }
                Some(b'$' | b'`') => {
                    let expands = self.expansion(depth);
                    let raw = &self.text[start..self.at];
                    let shown = if raw.len() > MAX_RAW { "$(…)" } else { raw };
                    grow(&mut pending.word, open, shown).expands |= expands;
                }
                Some(_) => {
                    let rest = &self.bytes[start..self.end];
                    let is_end = |byte: &u8| b"\"\\$`".contains(byte);
                    self.at += rest.iter().position(is_end).unwrap_or(rest.len());
                    grow(&mut pending.word, open, &self.text[start..self.at]);
                }
            }
        }
    }

    /// A quote without an end is told and stands for itself, so that the rest of the script is judged.
    pub(super) fn unclosed(&mut self, start: usize, pending: &mut Pending) {
        let mark = if self.bytes[start] == b'"' { "\"" } else { "'" };
        self.fault(start, Fault::Unclosed(mark));
        grow(&mut pending.word, start, mark);
        self.at = start + 1;
    }

    /// `$name`, `${…}`, `$(…)`, `$((…))`, `$'…'` or backquotes; false for a dollar alone.
    pub(super) fn expansion(&mut self, depth: u32) -> bool {
        let start = self.at;
        if self.bytes[start] == b'`' {
            let mut stop = start + 1;
            while stop < self.end && self.bytes[stop] != b'`' {
                stop += if self.bytes[stop] == b'\\' { 2 } else { 1 };
            }
            let is_closed = stop < self.end;
            self.at = stop.min(self.end);
            self.clamp();
            self.inner(depth, start + 1, self.at, false);
            if is_closed {
                self.at += 1;
            } else {
                self.fault(start, Fault::Unclosed("`"));
            }
            return true;
        }
        match self.byte(1) {
            Some(b'(') if self.byte(2) == Some(b'(') => {
                self.at += 1;
                self.skip_parens();
            }
            Some(b'(') => self.substitution(depth, start, 2),
            Some(b'{') => self.braces(depth, start),
            Some(b'\'') => {
                self.at += 2;
                while let Some(byte) = self.byte(0).filter(|byte| *byte != b'\'') {
                    self.at += if byte == b'\\' { 2 } else { 1 };
                }
                self.at += 1;
                self.clamp();
                return false;
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let rest = &self.bytes[start + 1..self.end];
                let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                self.at += 1 + name;
            }
            Some(byte) if byte.is_ascii_digit() || b"?@*#$!-".contains(&byte) => self.at += 2,
            _ => {
                self.at += 1;
                return false;
            }
        }
        true
    }

    /// `$(…)`, `<(…)` or `>(…)`, whose commands begin `skip` bytes on.
    pub(super) fn substitution(&mut self, depth: u32, start: usize, skip: usize) {
        if depth >= MAX_DEPTH {
            self.fault(start, Fault::TooDeep);
            // What is not followed is passed over with all that is in it, so that the rest keeps its meaning.
            self.at = start + skip - 1;
            self.skip_parens_quietly();
            return;
        }
        self.at = start + skip;
        self.list(depth + 1, Some(start));
    }

    pub(super) fn skip_parens_quietly(&mut self) {
        let known = self.out.faults.len();
        self.skip_parens();
        self.out.faults.truncate(known);
    }

    /// `${…}`: substitutions inside are followed.
    pub(super) fn braces(&mut self, depth: u32, start: usize) {
        self.at = start + 2;
        let mut open = 1_u32;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\\' => self.at += 1,
                b'{' if self.bytes[self.at - 1] == b'$' => open += 1,
                b'}' => {
                    open -= 1;
                    if open == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b'`' => {
                    self.expansion(depth);
                    continue;
                }
                b'$' if self.byte(1) == Some(b'(') && self.byte(2) != Some(b'(') => {
                    let at = self.at;
                    self.substitution(depth, at, 2);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.clamp();
        self.fault(start, Fault::Unclosed("${"));
    }

    /// Commands of a part of the text; of an array's elements only the substitutions count.
    pub(super) fn inner(&mut self, depth: u32, start: usize, stop: usize, is_array: bool) {
        if depth >= MAX_DEPTH {
            self.fault(start, Fault::TooDeep);
            return;
        }
        let (at, end) = (self.at, self.end);
        (self.at, self.end) = (start, stop.max(start));
        if is_array {
            while let Some(byte) = self.byte(0) {
                match byte {
                    b'$' | b'`' => {
                        self.expansion(depth);
                    }
                    b'\'' => {
                        let rest = &self.bytes[self.at + 1..self.end];
                        self.at += 2 + rest.iter().position(|byte| *byte == b'\'').unwrap_or(rest.len());
                    }
                    _ => self.at += 1,
                }
            }
        } else {
            self.list(depth + 1, None);
        }
        (self.at, self.end) = (at, end);
    }
}
