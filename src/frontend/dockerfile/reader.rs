//! The lines of a Dockerfile as instructions.

use super::heredocs::{self, Delimiter};
use super::{KEYWORDS, json, syntax};
use crate::model::dockerfile::{Arguments, Directive, Flag, Heredoc, Instruction, Script, Shell, Word, Words, words};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// Heredocs without an end that are looked for, each through the rest of the file; scripts have one or two shifts like `1 << 2`.
const MAX_LOST: usize = 100;

/// The parser directives that there are.
const DIRECTIVES: &[&str] = &["syntax", "escape", "check"];

/// What a text holds.
pub(super) struct Lines {
    pub directives: Vec<Directive>,
    pub instructions: Vec<Instruction>,
    pub comments: Vec<Span>,
    /// Blank lines inside instructions.
    pub blank_lines: Vec<Span>,
    pub problems: Vec<Problem>,
    /// The character that continues lines.
    pub escape: char,
}

/// Reads a text whose lines are all indented by `indent` blanks that are not theirs.
pub(super) fn read(file: FileId, text: &str, indent: usize) -> Lines {
    let (comments, blank_lines, problems) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader =
        Reader { file, text, at: 0, escape: '\\', indent, is_dockers: true, lost: 0, comments, blank_lines, problems };
    let directives = reader.directives();
    let frontend = directives.iter().find(|one| one.name == "syntax");
    let is_dockers = |one: &&Directive| one.value.trim_start_matches("docker.io/").starts_with("docker/dockerfile");
    if let Some(other) = frontend.filter(|one| !one.value.is_empty() && !is_dockers(one)) {
        reader.is_dockers = false;
        let message =
            format!("is built by {}, which may read it as it likes; judged as Docker itself would", other.value);
        let help = "name `docker/dockerfile` after `syntax=`, or look at what that image does";
        reader.problems.push(Problem::at(ProblemKind::Note, other.span, message).help(help));
    }
    let instructions = reader.instructions();
    let Reader { escape, mut comments, blank_lines, problems, .. } = reader;
    comments.shrink_to_fit();
    Lines { directives, instructions, comments, blank_lines, problems, escape }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    escape: char,
    /// Blanks before each line that do not belong to it.
    indent: usize,
    /// Whether Docker's own frontend reads the file, whose flags are known.
    is_dockers: bool,
    /// Heredocs that were looked for and have no end.
    lost: usize,
    comments: Vec<Span>,
    blank_lines: Vec<Span>,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    /// The line at `at` without its end, and where the next begins.
    fn line(&self, at: usize) -> (&'t str, usize) {
        let rest = &self.text[at..];
        let next = rest.find('\n').map_or(self.text.len(), |length| at + length + 1);
        (rest[..next - at].trim_end_matches(['\n', '\r']), next)
    }

    fn comment(&mut self, at: usize, line: &str) {
        let lead = line.len() - line.trim_start().len();
        self.comments.push(self.span(at + lead, at + line.len()));
    }

    /// `# escape=` and its like stand before everything else, each at most once. The first line that is none ends them: whatever
    /// follows it is a comment.
    fn directives(&mut self) -> Vec<Directive> {
        let mut directives = Vec::new();
        let mut at = 0;
        while at < self.text.len() {
            let (line, next) = self.line(at);
            let Some((name, value)) = directive(line) else { break };
            if directives.iter().any(|one: &Directive| one.name == name) {
                break;
            }
            if name == "escape" && value == "`" {
                self.escape = '`';
            }
            directives.push(Directive { name, value, span: self.span(at, at + line.len()) });
            at = next;
        }
        directives
    }

    fn instructions(&mut self) -> Vec<Instruction> {
        let mut instructions = Vec::new();
        while self.at < self.text.len() {
            let (line, next) = self.line(self.at);
            let trimmed = line.trim();
            if trimmed.is_empty() {
                self.at = next;
            } else if trimmed.starts_with('#') {
                self.comment(self.at, line);
                self.at = next;
            } else if let Some(instruction) = self.instruction() {
                instructions.push(instruction);
            }
        }
        instructions
    }

    /// Joins the lines of one instruction. Comment and blank lines inside a continuation vanish, as in BuildKit.
    fn logical_line(&mut self) -> (Script, usize) {
        let mut script = Script::default();
        let mut end = self.at;
        let mut first = true;
        while self.at < self.text.len() {
            let (line, next) = self.line(self.at);
            let start = self.at;
            let trimmed = line.trim();
            if !first && trimmed.starts_with('#') {
                self.comment(start, line);
                self.at = next;
                continue;
            }
            if !first && trimmed.is_empty() {
                self.blank_lines.push(self.span(start, next));
                self.at = next;
                continue;
            }
            self.at = next;
            let lead = if first { line.len() - line.trim_start().len() } else { 0 };
            let body = line.trim_end_matches([' ', '\t']);
            // An escape that is escaped itself continues nothing.
            let continued = body.strip_suffix(self.escape).filter(|before| !before.ends_with(self.escape));
            let kept = continued.unwrap_or(line);
            match first {
                true => script.start = (start + lead) as u32,
                false => script.pieces.push((script.text.len() as u32, start as u32)),
            }
            script.text.push_str(&kept[lead.min(kept.len())..]);
            end = start + line.len();
            first = false;
            if continued.is_none() {
                break;
            }
        }
        (script, end)
    }

    fn instruction(&mut self) -> Option<Instruction> {
        let start = self.at;
        let (script, mut end) = self.logical_line();
        let mut instruction = self.parse(&script, 0, end)?;
        for delimiter in self.delimiters(&instruction, &script.text) {
            let before = self.at;
            let Delimiter { name, strips_tabs, is_apart } = delimiter;
            match self.heredoc(&name, strips_tabs) {
                Some(heredoc) => {
                    end = heredoc.span.end as usize;
                    instruction.heredocs.push(heredoc);
                }
                // Builders that would miss its end are newer than those that find no heredoc here.
                None if is_apart && self.lost < MAX_LOST => {
                    self.lost += 1;
                    self.at = before;
                }
                None => {
                    let problem = Problem::at(
                        ProblemKind::Syntax,
                        self.span(start, start + 1),
                        format!("the heredoc {} is never closed", name.escape_debug()),
                    );
                    self.problems.push(problem.help(format!("end it with a line `{}`", name.escape_debug())));
                    self.at = self.text.len();
                    end = self.at;
                    break;
                }
            }
        }
        instruction.span.end = end as u32;
        if let Some(trigger) = &mut instruction.trigger {
            trigger.span.end = end as u32;
            trigger.heredocs.clone_from(&instruction.heredocs);
        }
        Some(instruction)
    }

    /// What the heredocs of an instruction end with. Only RUN, COPY and ADD have any, in ONBUILD too.
    fn delimiters(&mut self, instruction: &Instruction, line: &str) -> Vec<Delimiter> {
        let acting = instruction.trigger.as_deref().unwrap_or(instruction);
        if !matches!(acting.keyword, "RUN" | "COPY" | "ADD") || acting.is_json() {
            return Vec::new();
        }
        heredocs::delimiters(line).unwrap_or_else(|_| {
            let message = "more variables inside each other in this line are not followed";
            let problem = Problem::at(ProblemKind::Limit, instruction.keyword_span, message);
            self.problems.push(problem.help("set them by ARG or ENV first"));
            Vec::new()
        })
    }

    fn heredoc(&mut self, name: &str, strips_tabs: bool) -> Option<Heredoc> {
        let start = self.at;
        let mut script = Script { start: start as u32, ..Script::default() };
        while self.at < self.text.len() {
            let at = self.at;
            let (raw, next) = self.line(at);
            self.at = next;
            let line = raw.get(self.indent..).unwrap_or("");
            let line = if strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == name {
                return Some(Heredoc {
                    name: name.to_string(),
                    script,
                    span: self.span(start, at + self.line(at).0.len()),
                });
            }
            // What the shell does not see moves the rest: leading tabs, the indent of what holds the file, carriage returns.
            let begin =
                (at + self.indent.min(raw.len()) + raw.get(self.indent..).map_or(0, str::len) - line.len()) as u32;
            if script.offset(script.text.len()) != begin {
                script.pieces.push((script.text.len() as u32, begin));
            }
            script.text.push_str(line);
            script.text.push('\n');
        }
        None
    }

    /// Parses the instruction that begins at `from` of a joined line.
    fn parse(&mut self, script: &Script, from: usize, end: usize) -> Option<Instruction> {
        let text = &script.text;
        let from = from + (text[from..].len() - text[from..].trim_start().len());
        let width = text[from..].find(char::is_whitespace).unwrap_or(text.len() - from);
        let written = &text[from..from + width];
        let start = script.offset(from);
        let keyword_span = Span::new(self.file, start, start + width as u32);
        let span = Span::new(self.file, start, end as u32);
        let Some(keyword) = KEYWORDS.iter().copied().find(|known| known.eq_ignore_ascii_case(written)) else {
            let near = crate::spelling::nearest(&written.to_ascii_uppercase(), KEYWORDS);
            let shown: String = written.chars().take(40).collect();
            let mut problem = Problem::at(
                ProblemKind::Syntax,
                keyword_span,
                format!("unknown instruction `{}`", shown.escape_debug()),
            );
            problem.help = near.map(|near| format!("did you mean {near}?"));
            self.problems.push(problem);
            return None;
        };
        let mut at = from + width;
        let mut instruction = Instruction {
            keyword,
            keyword_span,
            span,
            flags: Vec::new(),
            arguments: Arguments::Json(Vec::new()),
            heredocs: Vec::new(),
            trigger: None,
            commands: None,
            user: None,
            shell: Shell::default(),
        };
        let takes_flags = matches!(instruction.keyword, "FROM" | "RUN" | "COPY" | "ADD" | "HEALTHCHECK");
        loop {
            at += text[at..].len() - text[at..].trim_start().len();
            if !takes_flags || !text[at..].starts_with("--") {
                break;
            }
            let width = text[at..].find(char::is_whitespace).unwrap_or(text.len() - at);
            let word = &text[at + 2..at + width];
            if word.is_empty() {
                break;
            }
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let span = self.script_span(script, at, at + width);
            instruction.flags.push(Flag { name: name.to_string(), value: value.trim_matches('"').to_string(), span });
            at += width;
        }
        let rest_end = text.trim_end().len().max(at);
        instruction.arguments = self.arguments(instruction.keyword, script, at, rest_end);
        self.problems.extend(syntax::refused(&instruction, text[at..rest_end].trim(), self.is_dockers));
        // ONBUILD in ONBUILD is forbidden; what it would hold runs never.
        if instruction.keyword == "ONBUILD" && from == 0 && !text[at..rest_end].is_empty() {
            instruction.trigger = self.parse(script, at, end).map(Box::new);
        }
        Some(instruction)
    }

    fn script_span(&self, script: &Script, start: usize, end: usize) -> Span {
        script.span(self.file, start, end)
    }

    fn arguments(&self, keyword: &str, script: &Script, at: usize, end: usize) -> Arguments {
        let text = &script.text[at..end];
        let takes_json =
            matches!(keyword, "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" | "COPY" | "ADD" | "VOLUME" | "HEALTHCHECK");
        let json_at =
            if keyword == "HEALTHCHECK" { text.to_ascii_uppercase().strip_prefix("CMD").map_or(0, |_| 3) } else { 0 };
        let json = text[json_at..].trim_start();
        if takes_json && json.starts_with('[') {
            // Malformed JSON is the shell form, as BuildKit has it.
            if let Some(items) = json::texts(json) {
                return Arguments::Json(self.json_words(script, at, end, items));
            }
        }
        let words = || words(script, (at, end), self.file, self.escape);
        match keyword {
            "ENV" | "LABEL" if !text.trim().is_empty() => Arguments::Pairs(pairs(words(), script, at, end, self)),
            "ARG" => Arguments::Pairs(words().into_iter().map(split_pair).collect()),
            _ => Arguments::Text(self.rest(script, at, end), Words::new(self.file, self.escape)),
        }
    }

    /// The joined text from `at`, with its own pieces.
    fn rest(&self, script: &Script, at: usize, end: usize) -> Script {
        let inside = script.pieces.iter().filter(|(start, _)| *start as usize > at && (*start as usize) < end);
        Script {
            text: script.text[at..end].to_string(),
            start: script.offset(at),
            pieces: inside.map(|(start, file)| (start - at as u32, *file)).collect(),
        }
    }

    fn json_words(&self, script: &Script, at: usize, end: usize, items: Vec<String>) -> Vec<Word> {
        let mut from = at;
        items
            .into_iter()
            .map(|text| {
                let quoted = serde_json::to_string(&text).unwrap_or_default();
                let found = script.text[from..end].find(&quoted).map(|found| from + found);
                let (start, stop) = found.map_or((at, end), |start| (start, start + quoted.len()));
                from = found.map_or(from, |_| stop);
                Word { text, span: self.script_span(script, start, stop) }
            })
            .collect()
    }
}

/// `k=v k=v`, or the old form `k v` in which everything after the name is the value.
fn pairs(words: Vec<Word>, script: &Script, at: usize, end: usize, reader: &Reader<'_>) -> Vec<(Word, Option<Word>)> {
    if words[0].text.contains('=') {
        return words.into_iter().map(split_pair).collect();
    }
    let text = &script.text[at..end];
    let name_width = text.find(char::is_whitespace).unwrap_or(text.len());
    let value_at = at + name_width + (text[name_width..].len() - text[name_width..].trim_start().len());
    let name = words.into_iter().next().expect("the caller saw a word");
    let value = (value_at < end).then(|| Word {
        text: script.text[value_at..end].to_string(),
        span: reader.script_span(script, value_at, end),
    });
    vec![(name, value)]
}

fn split_pair(word: Word) -> (Word, Option<Word>) {
    let Some((name, value)) = word.text.split_once('=') else { return (word, None) };
    let at = name.len() as u32 + 1;
    let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''));
    let bare = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value);
    let split = Span { start: (word.span.start + at).min(word.span.end), ..word.span };
    let value = Word { text: bare.to_string(), span: split };
    let name_span = Span { end: (word.span.start + name.len() as u32).min(word.span.end), ..word.span };
    (Word { text: name.to_string(), span: name_span }, Some(value))
}

/// The name in lower case and the value of a line that is a parser directive.
fn directive(line: &str) -> Option<(String, String)> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let width = rest.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(width);
    let value = rest.trim_ascii_start().strip_prefix('=').filter(|value| !value.is_empty())?.trim_ascii();
    let name = name.to_ascii_lowercase();
    DIRECTIVES.contains(&name.as_str()).then(|| (name, value.to_string()))
}
