//! The words of an instruction by BuildKit's own small shell: quotes, escapes, and variables with a few modifiers. It knows
//! neither commands nor arithmetic, and what it finds is not what `sh` finds.

use regex::Regex;

use crate::frontend::growth::Budget;

/// Substitutions inside each other that are followed; Dockerfiles have two or three.
const MAX_DEPTH: usize = 64;

/// The longest value that a pattern is matched with.
const MAX_MATCHED: usize = 4096;

/// What is known of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Set(String),
    Unset,
    /// Something outside of the file may set it.
    Open,
}

/// Why a text has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// BuildKit refuses it.
    Refused,
    /// It depends on what is not known.
    Open,
    /// More variables inside each other, or longer ones, than are followed.
    Limit,
}

/// Where variables come from; without such a source they stay as written, and so do quotes and escapes where they are kept.
pub(super) type Source<'s> = &'s mut dyn FnMut(&str) -> Given;

/// Text that was read, as a whole and as words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lexed {
    pub text: String,
    pub words: Vec<String>,
}

/// Reads a text with its variables filled in, and its quotes and escapes taken away.
pub(super) fn filled(text: &str, escape: char, source: Source<'_>, budget: &mut Budget) -> Result<Lexed, Failure> {
    Lexer { rest: text, escape, keeps_quotes: false, keeps_escapes: false, depth: 0, source: Some((source, budget)) }
        .until(None, false)
}

/// Reads a text whose variables stay as they are; `is_raw` keeps quotes and escapes.
pub(super) fn split(text: &str, is_raw: bool) -> Result<Lexed, Failure> {
    // BuildKit reads heredocs so, whatever the file says of its escape character.
    Lexer { rest: text, escape: '\\', keeps_quotes: is_raw, keeps_escapes: is_raw, depth: 0, source: None }
        .until(None, is_raw)
}

struct Lexer<'t, 's> {
    rest: &'t str,
    escape: char,
    keeps_quotes: bool,
    keeps_escapes: bool,
    depth: usize,
    source: Option<(Source<'s>, &'s mut Budget)>,
}

/// Words as they grow.
#[derive(Default)]
struct Words {
    word: String,
    words: Vec<String>,
}

impl Words {
    fn add(&mut self, char: char) {
        if !char.is_whitespace() {
            self.word.push(char);
        } else if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.words.push(self.word);
        }
        self.words
    }
}

impl<'t> Lexer<'t, '_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let length = self.rest.find(|char: char| !fits(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Everything up to a character outside quotes, which is taken too.
    fn until(&mut self, stop: Option<char>, keeps_escapes: bool) -> Result<Lexed, Failure> {
        if self.depth > MAX_DEPTH {
            return Err(Failure::Limit);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.keeps_escapes, keeps_escapes);
        let lexed = self.inside(stop);
        self.keeps_escapes = outer;
        self.depth -= 1;
        lexed
    }

    fn inside(&mut self, stop: Option<char>) -> Result<Lexed, Failure> {
        let (mut text, mut words) = (String::new(), Words::default());
        while let Some(char) = self.peek() {
            match char {
                _ if stop == Some(char) => {
                    self.next();
                    return Ok(Lexed { text, words: words.finish() });
                }
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|char| words.add(char));
                    text.push_str(&value);
                }
                '\'' | '"' | '<' => {
                    let value = match char {
                        '\'' => self.single_quoted()?,
                        '"' => self.double_quoted()?,
                        _ => self.less_than(),
                    };
                    words.word.push_str(&value);
                    text.push_str(&value);
                }
                _ => {
                    self.next();
                    if char != self.escape {
                        words.add(char);
                        text.push(char);
                        continue;
                    }
                    let kept = self.keeps_escapes.then_some(char);
                    for char in kept.into_iter().chain(self.next()) {
                        words.word.push(char);
                        text.push(char);
                    }
                }
            }
        }
        if stop.is_some() { Err(Failure::Refused) } else { Ok(Lexed { text, words: words.finish() }) }
    }

    /// Blanks after `<<` belong to its word.
    fn less_than(&mut self) -> String {
        self.next();
        if self.peek() != Some('<') {
            return "<".into();
        }
        self.next();
        format!("<<{}", self.take_while(|char| matches!(char, ' ' | '\t' | '\r')))
    }

    fn single_quoted(&mut self) -> Result<String, Failure> {
        let length = self.rest[1..].find('\'').ok_or(Failure::Refused)?;
        let (quoted, rest) = self.rest.split_at(length + 2);
        self.rest = rest;
        Ok(if self.keeps_quotes { quoted.into() } else { quoted[1..=length].into() })
    }

    fn double_quoted(&mut self) -> Result<String, Failure> {
        let mut text = String::new();
        let quote = self.next().filter(|_| self.keeps_quotes);
        text.extend(quote);
        loop {
            match self.peek().ok_or(Failure::Refused)? {
                '"' => {
                    self.next();
                    text.extend(quote);
                    return Ok(text);
                }
                '$' => text.push_str(&self.dollar()?),
                mut char => {
                    self.next();
                    if char == self.escape {
                        if self.keeps_escapes {
                            text.push(char);
                        }
                        match self.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == self.escape => {
                                self.next();
                                char = next;
                            }
                            Some(_) => {}
                        }
                    }
                    text.push(char);
                }
            }
        }
    }

    /// A name, a number, or one of the parameters that are one character.
    fn name(&mut self) -> &'t str {
        match self.peek() {
            Some(first) if first.is_numeric() => self.take_while(char::is_numeric),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => {
                let (name, rest) = self.rest.split_at(1);
                self.rest = rest;
                name
            }
            _ => self.take_while(|char| char.is_alphanumeric() || char == '_'),
        }
    }

    fn dollar(&mut self) -> Result<String, Failure> {
        let written = self.rest;
        self.next();
        if self.peek() != Some('{') {
            return match self.name() {
                "" => Ok("$".into()),
                name if self.source.is_none() => Ok(format!("${name}")),
                name => self.plain(name),
            };
        }
        self.next();
        if matches!(self.peek(), None | Some('{' | '}' | ':')) {
            return Err(Failure::Refused);
        }
        let name = self.name();
        let mut operation = self.next().ok_or(Failure::Refused)?;
        match operation {
            '}' if self.source.is_none() => return Ok(written[..written.len() - self.rest.len()].into()),
            '}' => return self.plain(name),
            '/' => return self.replaced(name),
            _ => {}
        }
        let colon = if operation == ':' { ":" } else { "" };
        if operation == ':' {
            operation = self.next().ok_or(Failure::Refused)?;
        } else if !"+-?#%".contains(operation) {
            return Err(Failure::Refused);
        }
        let is_pattern = matches!(operation, '#' | '%');
        if is_pattern && !colon.is_empty() {
            return Err(Failure::Refused);
        }
        let word = self.until(Some('}'), is_pattern)?.text;
        match self.value(name) {
            None => Ok(format!("${{{name}{colon}{operation}{word}}}")),
            Some(value) => self.modified(value, operation, !colon.is_empty(), word),
        }
    }

    /// What the source says of a variable.
    fn value(&mut self, name: &str) -> Option<Given> {
        self.source.as_mut().map(|(source, _)| source(name))
    }

    fn plain(&mut self, name: &str) -> Result<String, Failure> {
        let value = known(self.value(name))?;
        self.spend(value)
    }

    fn spend(&mut self, text: String) -> Result<String, Failure> {
        let fits = self.source.as_mut().is_none_or(|(_, budget)| budget.spend(text.len()));
        if fits { Ok(text) } else { Err(Failure::Limit) }
    }

    fn modified(
        &mut self,
        value: Given,
        operation: char,
        empty_is_unset: bool,
        word: String,
    ) -> Result<String, Failure> {
        let is_set = matches!(&value, Given::Set(text) if !(empty_is_unset && text.is_empty()));
        let text = match (operation, is_set) {
            ('-', false) | ('+', true) => word,
            ('+', false) => String::new(),
            ('-' | '?', true) => known(Some(value))?,
            ('?', false) if value == Given::Open => return Err(Failure::Open),
            ('#' | '%', _) => trimmed(&known(Some(value))?, operation, &word)?,
            _ => return Err(Failure::Refused),
        };
        self.spend(text)
    }

    /// `${name/pattern/text}`, and with two slashes everywhere; the first slash was taken.
    fn replaced(&mut self, name: &str) -> Result<String, Failure> {
        let slashes = if self.peek() == Some('/') { "//" } else { "/" };
        if slashes == "//" {
            self.next();
        }
        let pattern = self.until(Some('/'), true)?.text;
        let by = self.until(Some('}'), true)?.text;
        let Some(value) = self.value(name) else { return Ok(format!("${{{name}{slashes}{pattern}/{by}}}")) };
        let value = known(Some(value))?;
        let regex = compiled(&value, &expression(&pattern, true)?)?;
        let limit = if slashes == "//" { 0 } else { 1 };
        let text = regex.replacen(&value, limit, regex::NoExpand(&by)).into_owned();
        self.spend(text)
    }
}

fn known(value: Option<Given>) -> Result<String, Failure> {
    match value {
        Some(Given::Set(text)) => Ok(text),
        Some(Given::Unset) | None => Ok(String::new()),
        Some(Given::Open) => Err(Failure::Open),
    }
}

/// `${name#pattern}` and `${name%pattern}`; the sign twice takes as much away as it can.
fn trimmed(value: &str, sign: char, word: &str) -> Result<String, Failure> {
    let (pattern, is_greedy) = match word.strip_prefix(sign) {
        Some(pattern) => (pattern, true),
        None => (word, false),
    };
    let (kept, taken) = match (sign, is_greedy) {
        ('#', _) => ("", format!("^{}", expression(pattern, is_greedy)?)),
        // The more is kept in front, the less is taken away at the end.
        (_, false) => ("^(?s:(.*))", format!("{}$", expression(pattern, false)?)),
        (_, true) => ("^(?s:(.*?))", format!("{}$", expression(pattern, true)?)),
    };
    let regex = compiled(value, &format!("{kept}{taken}"))?;
    let Some(found) = regex.captures(value) else { return Ok(value.into()) };
    Ok(match found.get(1) {
        Some(kept) => kept.as_str().into(),
        None => value[found.get(0).map_or(0, |all| all.end())..].into(),
    })
}

fn compiled(value: &str, expression: &str) -> Result<Regex, Failure> {
    if value.len().max(expression.len()) > MAX_MATCHED {
        return Err(Failure::Open);
    }
    Regex::new(expression).map_err(|_| Failure::Open)
}

/// A pattern with `*` and `?` as a regular expression.
fn expression(pattern: &str, is_greedy: bool) -> Result<String, Failure> {
    let mut expression = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '*' => expression.push_str(if is_greedy { ".*" } else { ".*?" }),
            '?' => expression.push('.'),
            // What closes the substitution is escaped for that alone.
            '\\' if matches!(chars.peek(), Some('}' | '/')) => {}
            '\\' => match chars.next() {
                Some(escaped @ ('*' | '?' | '\\')) => expression.extend(['\\', escaped]),
                _ => return Err(Failure::Refused),
            },
            char => expression.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
    }
    Ok(expression)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::growth::MAX_GROWN;

    fn told(text: &str) -> Result<Lexed, Failure> {
        let mut source = |name: &str| match name {
            "U" => Given::Set("root".into()),
            "LONG" => Given::Set("a.b.a.c".into()),
            "EMPTY" => Given::Set(String::new()),
            "HERE" => Given::Open,
            _ => Given::Unset,
        };
        filled(text, '\\', &mut source, &mut Budget::default())
    }

    #[test]
    fn quotes_escapes_and_variables_are_taken_away() {
        for (text, wanted) in [
            ("r\"\"o'o't", "root"),
            ("r\\oot", "root"),
            ("'$U'", "$U"),
            ("\"$U \\\" \\x\"", "root \" \\x"),
            ("$U:${U}", "root:root"),
            ("${NO}${NO:-$U}", "root"),
            ("${EMPTY-x}${EMPTY:-y}${U:+z}${NO+z}", "yz"),
            ("${LONG%a*}|${LONG%%a*}|${LONG#a?}|${LONG##*.}", "a.b.||b.a.c|c"),
            ("${LONG/a/x}|${LONG//a/x}", "x.b.a.c|x.b.x.c"),
            ("${HERE:-app}$", "app$"),
            ("a\\", "a"),
        ] {
            assert_eq!(told(text).map(|lexed| lexed.text), Ok(wanted.into()), "{text}");
        }
        assert_eq!(
            told("a 'b c' $U\\ d").map(|lexed| lexed.words),
            Ok(["a", "b c", "root d"].map(String::from).into())
        );
    }

    #[test]
    fn what_is_not_known_or_refused_has_no_words() {
        for text in ["${", "${}", "${U", "'a", "\"a", "${U^}", "${#U}", "${U:#a}", "${NO?why}"] {
            assert_eq!(told(text), Err(Failure::Refused), "{text}");
        }
        assert_eq!([told("$HERE"), told("${HERE%x}")], [Err(Failure::Open), Err(Failure::Open)]);
        assert_eq!(told(&("${A:-".repeat(5_000) + &"}".repeat(5_000))), Err(Failure::Limit));
        let mut long = |_: &str| Given::Set("x".repeat(MAX_GROWN / 2));
        assert_eq!(filled("$A$A$A", '\\', &mut long, &mut Budget::default()), Err(Failure::Limit));
    }
}
