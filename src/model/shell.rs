//! Commands of a shell script, as far as rules ask for them: words without quotes, at their places, through lists, pipes,
//! groups, substitutions and the branches of control flow.
//!
//! A tolerant splitter and no shell: it never fails, looks at each byte once for each level of substitution, and stops at a
//! depth limit.

use super::dockerfile::Script;

/// Substitutions inside substitutions that are followed.
const MAX_DEPTH: u32 = 16;

/// One simple command.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Words without quotes; assignments before the name are left out.
    pub words: Vec<Word>,
    /// Whether its output goes into a pipe.
    pub piped: bool,
    /// Variables assigned before the name.
    pub assignments: Vec<String>,
}

/// A word of a command.
#[derive(Debug, Clone)]
pub struct Word {
    /// The text without quotes.
    pub text: String,
    /// Offset in the script.
    pub at: usize,
    /// Whether a variable or substitution is part of it.
    pub expands: bool,
}

/// Words that open or divide control flow and are no commands.
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "!", "{", "}",
    "time", "function",
];

/// Commands that run the rest of their line.
const PREFIXES: &[&str] = &["sudo", "exec", "env", "command", "nice", "nohup", "eatmydata"];

/// The commands of a script, in the order of their first words.
pub fn commands(script: &Script) -> Vec<Command> {
    let mut out = Vec::new();
    split(&script.text, 0, 0, &mut out);
    out.sort_by_key(|command| command.words.first().map_or(0, |word| word.at));
    out
}

fn split(text: &str, base: usize, depth: u32, out: &mut Vec<Command>) {
    let bytes = text.as_bytes();
    let mut command = Command::default();
    let mut word: Option<Word> = None;
    let mut at = 0;
    let finish_word = |word: &mut Option<Word>, command: &mut Command| {
        let Some(word) = word.take() else { return };
        if command.words.is_empty() {
            if KEYWORDS.contains(&word.text.as_str()) {
                return;
            }
            if let Some((name, _)) = word.text.split_once('=')
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                command.assignments.push(name.to_string());
                return;
            }
        }
        command.words.push(word);
    };
    while at < bytes.len() {
        let byte = bytes[at];
        let start = at;
        let grow = |word: &mut Option<Word>, text: &str| {
            word.get_or_insert_with(|| Word { text: String::new(), at: base + start, expands: false })
                .text
                .push_str(text);
        };
        match byte {
            b'\\' => {
                let width = text[at + 1..].chars().next().map_or(0, char::len_utf8);
                grow(&mut word, &text[at + 1..at + 1 + width]);
                at += 1 + width;
            }
            b'\'' => {
                let end = text[at + 1..].find('\'').map_or(text.len(), |length| at + 1 + length);
                grow(&mut word, &text[at + 1..end]);
                at = (end + 1).min(text.len());
            }
            b'"' => {
                let end = quoted_end(bytes, at);
                let inner = &text[at + 1..end.min(text.len())];
                grow(&mut word, &inner.replace("\\\"", "\""));
                if inner.contains(['$', '`'])
                    && let Some(word) = &mut word
                {
                    word.expands = true;
                }
                substitutions(inner, base + at + 1, depth, out);
                at = (end + 1).min(text.len());
            }
            b'$' | b'`' => {
                let end = expansion_end(bytes, at);
                grow(&mut word, &text[at..end]);
                if let Some(word) = &mut word {
                    word.expands = true;
                }
                substitutions(&text[at..end], base + at, depth, out);
                at = end;
            }
            b'#' if word.is_none() => {
                at = text[at..].find('\n').map_or(text.len(), |length| at + length);
            }
            b';' | b'\n' | b'(' | b')' | b'&' | b'|' => {
                finish_word(&mut word, &mut command);
                let is_pipe = byte == b'|' && bytes.get(at + 1) != Some(&b'|');
                let is_redirection =
                    byte == b'&' && (start > 0 && bytes[start - 1] == b'>' || bytes.get(at + 1) == Some(&b'>'));
                if !is_redirection {
                    command.piped = is_pipe;
                    if !command.words.is_empty() || !command.assignments.is_empty() {
                        out.push(std::mem::take(&mut command));
                    }
                    command = Command::default();
                }
                at += 1;
            }
            b' ' | b'\t' | b'\r' => {
                finish_word(&mut word, &mut command);
                at += 1;
            }
            _ => {
                let width = text[at..].chars().next().map_or(1, char::len_utf8);
                grow(&mut word, &text[at..at + width]);
                at += width;
            }
        }
    }
    finish_word(&mut word, &mut command);
    if !command.words.is_empty() || !command.assignments.is_empty() {
        out.push(command);
    }
}

/// The end of a double-quoted text: the closing quote, substitutions skipped.
fn quoted_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at,
            b'$' => at = expansion_end(bytes, at).max(at + 1),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `$name`, `${…}`, `$(…)`, `$((…))` or backquotes.
fn expansion_end(bytes: &[u8], start: usize) -> usize {
    let close = match (bytes[start], bytes.get(start + 1)) {
        (b'`', _) => {
            return bytes[start + 1..]
                .iter()
                .position(|byte| *byte == b'`')
                .map_or(bytes.len(), |length| start + length + 2);
        }
        (_, Some(b'(')) => (b'(', b')'),
        (_, Some(b'{')) => (b'{', b'}'),
        _ => {
            let name =
                bytes[start + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            return start
                + 1
                + name.max(usize::from(
                    start + 1 < bytes.len() && matches!(bytes[start + 1], b'?' | b'@' | b'*' | b'#' | b'$' | b'!'),
                ));
        }
    };
    let mut depth = 0_u32;
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'\'' if close.1 == b')' => {
                at += bytes[at + 1..].iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |length| length + 1);
            }
            byte if byte == close.0 => depth += 1,
            byte if byte == close.1 => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Follows the command substitutions of a text.
fn substitutions(text: &str, base: usize, depth: u32, out: &mut Vec<Command>) {
    if depth >= MAX_DEPTH {
        return;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'`' => {
                let end = expansion_end(bytes, at);
                split(&text[at + 1..(end - 1).max(at + 1)], base + at + 1, depth + 1, out);
                at = end;
            }
            b'$' if bytes.get(at + 1) == Some(&b'(') && bytes.get(at + 2) != Some(&b'(') => {
                let end = expansion_end(bytes, at);
                split(&text[at + 2..(end - 1).max(at + 2)], base + at + 2, depth + 1, out);
                at = end;
            }
            _ => at += 1,
        }
    }
}

impl Command {
    /// The program: the last part of its path, after prefixes such as `sudo` and their options.
    pub fn name(&self) -> &str {
        self.words.get(self.first()).map_or("", |word| word.text.rsplit('/').next().unwrap_or(""))
    }

    fn first(&self) -> usize {
        let mut index = 0;
        while let Some(word) = self.words.get(index) {
            // `sudo -u USER` and `-g GROUP` take the next word.
            if index > 0 && matches!(word.text.as_str(), "-u" | "-g") {
                index += 2;
                continue;
            }
            let is_prefix = PREFIXES.contains(&word.text.as_str());
            let is_option = index > 0 && (word.text.starts_with('-') || word.text.contains('='));
            if !is_prefix && !is_option {
                break;
            }
            index += 1;
        }
        index.min(self.words.len().saturating_sub(1))
    }

    /// The words after the program.
    pub fn arguments(&self) -> &[Word] {
        self.words.get(self.first() + 1..).unwrap_or(&[])
    }

    /// The words after the program that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        self.arguments().iter().filter(|word| !word.text.starts_with('-'))
    }

    /// Whether an option is given: a short one alone or in a cluster, a long one with or without value.
    pub fn has_option(&self, short: &str, long: &[&str]) -> bool {
        self.arguments().iter().any(|word| {
            if let Some(name) = word.text.strip_prefix("--") {
                let name = name.split('=').next().unwrap_or(name);
                return long.contains(&name);
            }
            word.text.strip_prefix('-').is_some_and(|cluster| !short.is_empty() && cluster.contains(short))
        })
    }

    /// Whether the first operand is one of these: `install` of `apt-get -y install curl`.
    pub fn is(&self, name: &str, actions: &[&str]) -> bool {
        self.name() == name && self.operands().next().is_some_and(|word| actions.contains(&word.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let script = Script { text: text.into(), map: vec![(0, 0)] };
        commands(&script).iter().map(|command| command.name().to_string()).collect()
    }

    #[test]
    fn commands_are_found_through_lists_pipes_branches_and_substitutions() {
        assert_eq!(
            names(
                "set -e; if [ -f x ]; then DEBIAN_FRONTEND=noninteractive apt-get install -y \"$(cat list)\" | tee log; fi && sudo -u app id"
            ),
            ["set", "[", "apt-get", "cat", "tee", "id"]
        );
        assert_eq!(names("echo 'a; rm x' \"b && c\" # rm -rf /"), ["echo"]);
    }

    #[test]
    fn hostile_scripts_end() {
        assert!(names(&"$(".repeat(50_000)).len() < 100);
        assert!(names(&"\"".repeat(50_001)).len() < 100);
        assert_eq!(names("a &> b; c 2>&1"), ["a", "c"]);
    }
}
