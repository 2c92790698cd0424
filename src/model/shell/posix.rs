//! The grammar of `sh` and `bash`, as far as commands are concerned.

mod word;

use super::{Command, Commands, Fault, MAX_RAW, Word};

/// Reads a script.
pub(super) fn read(text: &str, depth: u32, out: &mut Commands) {
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, end: text.len(), heredocs: 0, lost: 0, is_plain: false, out };
    reader.list(depth, None);
}

struct Reader<'t, 'o> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Where the part at hand ends: that of the text, or of backquotes.
    end: usize,
    /// Heredocs met so far.
    heredocs: usize,
    /// Heredocs whose end was not found.
    lost: u32,
    /// A double quote was not closed: those after it stand for themselves, else each would be read again.
    is_plain: bool,
    out: &'o mut Commands,
}

/// What the next word is, when not one of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Word,
    /// The target of a redirection.
    Target,
    /// The text after `<<<`.
    HereString,
    /// The delimiter of a heredoc, and whether its lines lose leading tabs.
    Delimiter(bool),
    /// A word in the head of `for` or `select`.
    Head,
    /// A word between `case` and `in`.
    CaseHead,
}

/// A command on its way.
struct Pending {
    command: Command,
    word: Option<Word>,
    next: Next,
    /// Delimiters of heredocs whose text begins after this line.
    delimiters: Vec<(String, bool)>,
    /// Open `case`s; true where a pattern is awaited.
    cases: Vec<bool>,
    parens: u32,
    reads_pipe: bool,
    /// Substitutions around it.
    depth: u32,
}

/// Faults that are told of one script.
const MAX_FAULTS: usize = 8;

/// Heredocs without an end are looked for this often: each search reads to the end of the text.
const MAX_LOST_HEREDOCS: u32 = 32;

const OPENERS: &[&str] =
    &["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "time", "coproc"];

impl Reader<'_, '_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied().filter(|_| self.at + ahead < self.end)
    }

    fn fault(&mut self, at: usize, fault: Fault) {
        // The first faults of a script tell enough.
        if self.out.faults.len() < MAX_FAULTS {
            self.out.faults.push((at, fault));
        }
    }

    /// Reads commands up to the closing parenthesis of the substitution that opened at `opened`, or to the end.
    fn list(&mut self, depth: u32, opened: Option<usize>) {
        let mut pending = Pending {
            command: Command::default(),
            word: None,
            next: Next::Word,
            delimiters: Vec::new(),
            cases: Vec::new(),
            parens: 0,
            reads_pipe: false,
            depth,
        };
        while let Some(byte) = self.byte(0) {
            if pending.cases.last() == Some(&true) && pending.word.is_none() {
                self.pattern(&mut pending);
                continue;
            }
            match byte {
                b'\\' | b'\'' | b'"' | b'$' | b'`' => self.part(depth, &mut pending),
                b'#' if pending.word.is_none() => {
                    let rest = &self.bytes[self.at..self.end];
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                }
                b' ' | b'\t' | b'\r' => {
                    // Before the word is finished: `[[` goes on to its end.
                    self.at += 1;
                    self.finish_word(&mut pending);
                }
                b'<' | b'>' => self.redirection(depth, &mut pending),
                b'&' if self.byte(1) == Some(b'>') => {
                    self.finish_word(&mut pending);
                    self.at += 1;
                }
                b'(' => self.open(depth, &mut pending),
                b')' => {
                    self.finish_command(&mut pending, false);
                    self.at += 1;
                    if pending.parens == 0 && opened.is_some() {
                        return;
                    }
                    pending.parens = pending.parens.saturating_sub(1);
                }
                b'\n' | b';' | b'&' | b'|' => self.separator(byte, &mut pending),
                _ => {
                    let start = self.at;
                    let rest = &self.bytes[start..self.end];
                    let is_plain = |byte: &u8| !b" \t\r\n;&|()<>\\'\"$`".contains(byte);
                    self.at += rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len()).max(1);
                    grow(&mut pending.word, start, &self.text[start..self.at]);
                }
            }
        }
        self.finish_command(&mut pending, false);
        if let Some(at) = opened {
            self.fault(at, Fault::Unclosed("$("));
        } else if pending.parens > 0 {
            self.fault(self.end, Fault::Unclosed("("));
        }
    }

    fn separator(&mut self, byte: u8, pending: &mut Pending) {
        let doubled = self.byte(1) == Some(byte);
        let is_pipe = byte == b'|' && !doubled;
        self.finish_command(pending, is_pipe);
        self.at += 1;
        match byte {
            b'|' if is_pipe => self.at += usize::from(self.byte(0) == Some(b'&')),
            b'|' => self.at += 1,
            b'&' if doubled => self.at += 1,
            b';' if doubled || self.byte(0) == Some(b'&') => {
                if let Some(case) = pending.cases.last_mut() {
                    *case = true;
                }
                while matches!(self.byte(0), Some(b';' | b'&')) {
                    self.at += 1;
                }
            }
            b'\n' => {
                for (name, strips_tabs) in std::mem::take(&mut pending.delimiters) {
                    self.skip_heredoc(&name, strips_tabs);
                }
            }
            _ => {}
        }
    }

    /// A heredoc inside a script: its lines are no commands. Where none of them follow, the Dockerfile reader took them.
    fn skip_heredoc(&mut self, name: &str, strips_tabs: bool) {
        if self.lost >= MAX_LOST_HEREDOCS {
            return;
        }
        let mut at = self.at;
        while at < self.end {
            let rest = &self.text[at..self.end];
            let length = rest.find('\n').unwrap_or(rest.len());
            let line = rest[..length].trim_end_matches('\r');
            at = (at + length + 1).min(self.end);
            if (if strips_tabs { line.trim_start_matches('\t') } else { line }) == name {
                self.at = at;
                return;
            }
        }
        self.lost += 1;
    }

    /// A pattern of `case` up to its `)`, or `esac`.
    fn pattern(&mut self, pending: &mut Pending) {
        while self.byte(0).is_some_and(|byte| byte.is_ascii_whitespace() || byte == b'(') {
            self.at += 1;
        }
        let rest = &self.text[self.at..self.end];
        if let Some(after) = rest.strip_prefix("esac")
            && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
        {
            self.at += 4;
            pending.cases.pop();
            return;
        }
        let mut quote = None;
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            match (byte, quote) {
                (b'\\', _) => self.at += 1,
                (b'"' | b'\'', None) => quote = Some(byte),
                (byte, Some(open)) if byte == open => quote = None,
                (b')', None) => break,
                _ => {}
            }
        }
        self.clamp();
        if let Some(case) = pending.cases.last_mut() {
            *case = false;
        }
    }

    /// `(`: a function's parentheses, an array, arithmetic, or a subshell.
    fn open(&mut self, depth: u32, pending: &mut Pending) {
        let rest = self.text[self.at + 1..self.end].trim_start_matches([' ', '\t']);
        if pending.word.is_some() && rest.starts_with(')') || pending.command.words.len() == 1 && rest.starts_with(')')
        {
            // `name() { …; }`: what follows is its body.
            pending.word = None;
            pending.command = Command::default();
            self.at = self.end - rest.len() + 1;
        } else if pending.word.as_ref().is_some_and(|word| word.text.ends_with('=')) {
            let from = self.at;
            self.skip_parens();
            self.inner(depth, from + 1, self.at.saturating_sub(1).max(from + 1), true);
        } else if self.byte(1) == Some(b'(') && pending.command.words.is_empty() && pending.word.is_none() {
            self.skip_parens();
        } else {
            self.finish_command(pending, false);
            pending.parens += 1;
            self.at += 1;
        }
    }

    /// A redirection operator, or a process substitution.
    fn redirection(&mut self, depth: u32, pending: &mut Pending) {
        let start = self.at;
        let byte = self.bytes[start];
        if self.byte(1) == Some(b'(') {
            self.substitution(depth, start, 2);
            let raw = &self.text[start..self.at];
            let shown = if raw.len() > MAX_RAW { "<(…)" } else { raw };
            grow(&mut pending.word, start, shown).expands = true;
            return;
        }
        // Digits right before it name the file descriptor.
        let is_descriptor = pending.word.as_ref().is_some_and(|word| {
            !word.quoted
                && !word.expands
                && !word.text.is_empty()
                && word.text.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_descriptor {
            pending.word = None;
        }
        self.finish_word(pending);
        self.at += 1;
        pending.next = Next::Target;
        if byte == b'<' && self.byte(0) == Some(b'<') {
            self.at += 1;
            if self.byte(0) == Some(b'<') {
                self.at += 1;
                pending.next = Next::HereString;
            } else {
                let strips_tabs = self.byte(0) == Some(b'-');
                self.at += usize::from(strips_tabs);
                pending.next = Next::Delimiter(strips_tabs);
            }
        } else if matches!(self.byte(0), Some(b'>' | b'&' | b'|')) {
            self.at += 1;
        }
    }

    fn finish_word(&mut self, pending: &mut Pending) {
        let Some(word) = pending.word.take() else { return };
        match std::mem::replace(&mut pending.next, Next::Word) {
            Next::Target => return,
            Next::HereString => {
                pending.command.here_string = Some(Box::new(word));
                return;
            }
            Next::Delimiter(strips_tabs) => {
                pending.command.heredocs.push(self.heredocs);
                self.heredocs += 1;
                pending.delimiters.push((word.text, strips_tabs));
                return;
            }
            Next::CaseHead => {
                match pending.cases.last_mut() {
                    Some(case) if word.text == "in" => *case = true,
                    _ => pending.next = Next::CaseHead,
                }
                return;
            }
            Next::Head => {
                if !matches!(word.text.as_str(), "do" | "{") {
                    pending.next = Next::Head;
                }
                return;
            }
            Next::Word => {}
        }
        if pending.command.words.is_empty() && !word.quoted {
            match word.text.as_str() {
                "for" | "select" => {
                    pending.next = Next::Head;
                    return;
                }
                "function" => {
                    pending.next = Next::Target;
                    return;
                }
                "case" => {
                    pending.cases.push(false);
                    pending.next = Next::CaseHead;
                    return;
                }
                "esac" => {
                    pending.cases.pop();
                    return;
                }
                text if OPENERS.contains(&text) => return,
                "[[" => {
                    self.conditional(pending, word);
                    return;
                }
                _ => {}
            }
        }
        if pending.command.words.is_empty()
            && let Some((name, value)) = word.text.split_once('=')
            && is_name(name)
        {
            pending.command.assignments.push((name.trim_end_matches('+').to_string(), value.to_string()));
            return;
        }
        pending.command.words.push(word);
    }

    /// `[[ … ]]`, in which operators separate no commands; the substitutions inside are found.
    fn conditional(&mut self, pending: &mut Pending, word: Word) {
        let rest = &self.text[self.at..self.end];
        let stop = rest.find("]]").map_or(self.end, |length| self.at + length);
        let from = self.at;
        self.inner(pending.depth, from, stop, true);
        pending.command.words.push(word);
        self.at = (stop + 2).min(self.end);
    }

    fn finish_command(&mut self, pending: &mut Pending, is_pipe: bool) {
        self.finish_word(pending);
        // Between `case x` and `in` a line may end.
        if pending.next != Next::CaseHead {
            pending.next = Next::Word;
        }
        let mut command = std::mem::take(&mut pending.command);
        command.piped = is_pipe;
        command.reads_pipe = std::mem::replace(&mut pending.reads_pipe, is_pipe);
        self.out.has_pipe |= is_pipe;
        if !command.words.is_empty() || !command.assignments.is_empty() || !command.heredocs.is_empty() {
            self.out.list.push(command);
        }
    }
}

/// `name`, `name+` or `name[index]` before the sign of an assignment.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('+').unwrap_or(text);
    let text = text.split_once('[').map_or(text, |(name, _)| name);
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn grow<'w>(word: &'w mut Option<Word>, at: usize, text: &str) -> &'w mut Word {
    let word = word.get_or_insert_with(|| Word { at: at as u32, ..Word::default() });
    word.text.push_str(text);
    word
}
