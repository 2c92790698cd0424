//! Templates: quoted strings and heredocs, with interpolation, directives and strip markers.

use super::ast::*;
use super::parser::{Attempt, Parser};

/// A template's pieces before directives are nested.
enum Piece {
    /// Text that may be trimmed and dedented.
    Text(String),
    Expr(ExprId),
    If(ExprId),
    Else,
    EndIf,
    For(Option<Text>, Text, ExprId),
    EndFor,
}

impl Parser {
    /// Reads a quoted template; the position is at the opening quote.
    pub(super) fn quoted(&mut self) -> Attempt<ExprKind> {
        let open = self.at;
        self.at += 1;
        // Most strings hold neither escapes nor interpolation and stay where they are.
        let rest = &self.bytes()[self.at..self.end];
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'%' | b'\n' | b'\r'));
        if let Some(length) = plain
            && rest[length] == b'"'
        {
            let text = self.source_text(self.at, self.at + length);
            self.at += length + 1;
            return Ok(ExprKind::String(text));
        }
        let pieces = self.pieces(Some(open))?;
        self.assemble(pieces)
    }

    /// The template of a JSON string: the whole of the text, without quotes.
    pub(super) fn whole_template(&mut self) -> Attempt<ExprKind> {
        let pieces = self.pieces(None)?;
        self.assemble(pieces)
    }

    /// Reads pieces up to the closing quote, or to the end of the text if there is no opening one.
    fn pieces(&mut self, open: Option<usize>) -> Attempt<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut trim = false;
        loop {
            if self.at >= self.end {
                let Some(open) = open else { break };
                return Err(self.fail(open, open + 1, "this string is never closed", "add the closing quote"));
            }
            match self.peek() {
                b'"' if open.is_some() => {
                    self.at += 1;
                    break;
                }
                b'\n' | b'\r' if open.is_some() => {
                    let open = open.unwrap_or(self.at);
                    let help = "close the quote, or use a heredoc for several lines";
                    return Err(self.fail(open, self.at, "a quoted string ends on its line", help));
                }
                b'\\' if open.is_some() => self.escape(&mut text)?,
                b'$' | b'%' if self.marker(&mut text) => {}
                b'$' | b'%' if self.peek_at(1) == b'{' => {
                    flush(&mut text, &mut pieces, trim);
                    trim = self.sequence(&mut pieces)?;
                }
                // Strip markers reach to the end of the line only: each line of an unquoted template is a text of its own.
                b'\n' if open.is_none() => {
                    text.push('\n');
                    self.at += 1;
                    flush(&mut text, &mut pieces, std::mem::take(&mut trim));
                }
                _ => self.take_plain(&mut text, open.is_some()),
            }
        }
        flush(&mut text, &mut pieces, trim);
        Ok(pieces)
    }

    /// Takes text up to the next byte that may mean something.
    fn take_plain(&mut self, text: &mut String, quoted: bool) {
        let ends = |byte: &u8| match byte {
            b'$' | b'%' | b'\n' => true,
            b'"' | b'\\' | b'\r' => quoted,
            _ => false,
        };
        let rest = &self.bytes()[self.at..self.end];
        // The first byte is known to be plain.
        let length = rest.iter().skip(1).position(ends).map_or(rest.len(), |length| length + 1);
        text.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    /// `$${` and `%%{` stand for themselves; so does a sign before anything but a brace.
    fn marker(&mut self, text: &mut String) -> bool {
        let sign = self.peek();
        if self.peek_at(1) == sign && self.peek_at(2) == b'{' {
            text.push(sign as char);
            text.push('{');
            self.at += 3;
            return true;
        }
        if self.peek_at(1) != b'{' {
            text.push(sign as char);
            self.at += 1;
            return true;
        }
        false
    }

    fn escape(&mut self, text: &mut String) -> Attempt<()> {
        let start = self.at;
        let code = self.peek_at(1);
        self.at += 2;
        match code {
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'"' => text.push('"'),
            b'\\' => text.push('\\'),
            b'u' | b'U' => {
                let width = if code == b'u' { 4 } else { 8 };
                let digits = self.text.get(self.at..(self.at + width).min(self.end)).unwrap_or("");
                let char = u32::from_str_radix(digits, 16).ok();
                let char =
                    char.filter(|_| digits.len() == width && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let Some(code) = char else {
                    let message = format!("`\\{}` wants {width} hexadecimal digits", code as char);
                    return Err(self.fail(start, self.at, message, "write the code point in full"));
                };
                self.at += width;
                let Some(char) = char::from_u32(code) else {
                    return Err(self.fail(start, self.at, "no character has this code point", "write another one"));
                };
                text.push(char);
            }
            _ => {
                let help = r#"escapes are \n, \r, \t, \", \\, \uNNNN and \UNNNNNNNN; write a backslash as \\"#;
                return Err(self.fail(start, start + 2, "unknown escape in a string", help));
            }
        }
        Ok(())
    }

    /// Reads `${ … }` or `%{ … }`; true when its end asks to trim what follows.
    fn sequence(&mut self, pieces: &mut Vec<Piece>) -> Attempt<bool> {
        let start = self.at;
        let directive = self.peek() == b'%';
        self.at += 2;
        if self.peek() == b'~' {
            self.at += 1;
            if let Some(Piece::Text(text)) = pieces.last_mut() {
                text.truncate(text.trim_end().len());
            }
        }
        self.space(true);
        let piece = if directive { self.directive(start)? } else { Piece::Expr(self.expression(true)?) };
        pieces.push(piece);
        self.space(true);
        let trim = self.peek() == b'~';
        if trim {
            self.at += 1;
        }
        self.close(b'}', start)?;
        Ok(trim)
    }

    fn directive(&mut self, start: usize) -> Attempt<Piece> {
        let before = self.at;
        let name = self.identifier().map(|name| self.word(name).to_string()).unwrap_or_default();
        self.space(true);
        Ok(match name.as_str() {
            "if" => Piece::If(self.expression(true)?),
            "else" => Piece::Else,
            "endif" => Piece::EndIf,
            "endfor" => Piece::EndFor,
            "for" => {
                let (key, value) = self.for_names()?;
                Piece::For(key, value, self.expression(true)?)
            }
            _ => {
                let help = "directives are if, else, endif, for and endfor; write `%%{` for the characters themselves";
                return Err(self.fail(start, before.max(start + 2), "unknown template directive", help));
            }
        })
    }

    /// Reads `<<MARK` or `<<-MARK` to the line of its mark.
    pub(super) fn heredoc(&mut self) -> Attempt<ExprKind> {
        let open = self.at;
        self.at += 2;
        let flush_left = self.peek() == b'-';
        if flush_left {
            self.at += 1;
        }
        let Some(mark) = self.identifier() else {
            return Err(self.fail(open, self.at, "a heredoc needs a mark after `<<`", "write `<<EOT`"));
        };
        let mark = self.word(mark).to_string();
        if self.peek() == b'\r' {
            self.at += 1;
        }
        if self.peek() != b'\n' {
            return Err(self.fail(
                open,
                self.at,
                "the mark of a heredoc ends its line",
                "begin the text on the next line",
            ));
        }
        self.at += 1;
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut trim = false;
        let mut line_begins = true;
        loop {
            if line_begins {
                let rest = &self.text[self.at..self.end];
                let line = rest.split('\n').next().unwrap_or("");
                // The closing mark's line must itself be ended.
                if line.trim() == mark && line.len() < rest.len() {
                    let lead = line.len() - line.trim_start().len();
                    self.at += lead + mark.len();
                    break;
                }
                line_begins = false;
            }
            if self.at >= self.end {
                let message = format!("this heredoc is never closed by a line `{mark}`");
                return Err(self.fail(open, open + 2, message, "put the mark alone on a line after the text"));
            }
            match self.peek() {
                b'\n' => {
                    text.push('\n');
                    self.at += 1;
                    // Each line is a piece of its own: strip markers and dedenting work by lines.
                    flush(&mut text, &mut pieces, trim);
                    trim = false;
                    line_begins = true;
                }
                b'$' | b'%' if self.marker(&mut text) => {}
                b'$' | b'%' if self.peek_at(1) == b'{' => {
                    flush(&mut text, &mut pieces, trim);
                    trim = self.sequence(&mut pieces)?;
                }
                b'\r' if self.peek_at(1) != b'\n' => {
                    let help = "end lines by a line feed, with or without a carriage return before it";
                    self.report(self.at, self.at + 1, "a carriage return inside a line", help);
                    text.push('\r');
                    self.at += 1;
                }
                _ => {
                    let rest = &self.bytes()[self.at..self.end];
                    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'$' | b'%');
                    // The first byte is text: a plain one, or the carriage return of a line's end.
                    let length = rest.iter().skip(1).position(ends).map_or(rest.len(), |length| length + 1);
                    text.push_str(&self.text[self.at..self.at + length]);
                    self.at += length;
                }
            }
        }
        flush(&mut text, &mut pieces, trim);
        if flush_left {
            dedent(&mut pieces);
        }
        self.assemble(pieces)
    }

    /// Nests directives and moves the pieces into the arena.
    fn assemble(&mut self, pieces: Vec<Piece>) -> Attempt<ExprKind> {
        if let [] | [Piece::Text(_)] = &pieces[..] {
            let text = match pieces.first() {
                Some(Piece::Text(text)) => text.clone(),
                _ => String::new(),
            };
            return Ok(ExprKind::String(self.pooled(&text)));
        }
        let mut pieces = pieces.into_iter();
        let (parts, end) = self.nest(&mut pieces, 0)?;
        if end.is_some() {
            return Err(self.fail(
                self.at.saturating_sub(1),
                self.at,
                "a template directive that closes nothing",
                "remove it",
            ));
        }
        let parts = self.part_list(&parts);
        // Heredocs are split into lines; without sequences they are plain strings again.
        let texts: Option<Vec<Text>> = self
            .file
            .parts(parts)
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(*text),
                _ => None,
            })
            .collect();
        match texts {
            Some(texts) => {
                let whole: String = texts.into_iter().map(|text| self.file.text(text).to_string()).collect();
                Ok(ExprKind::String(self.pooled(&whole)))
            }
            None => Ok(ExprKind::Template(parts)),
        }
    }

    fn part_list(&mut self, parts: &[Part]) -> List {
        let start = self.file.parts.len() as u32;
        self.file.parts.extend_from_slice(parts);
        List { start, len: parts.len() as u32 }
    }

    /// Reads parts until the pieces end or a directive closes or divides them.
    fn nest(&mut self, pieces: &mut std::vec::IntoIter<Piece>, depth: u32) -> Attempt<(Vec<Part>, Option<Piece>)> {
        if depth > super::MAX_DEPTH {
            return Err(self.fail(self.at, self.at, "template directives nested too deep", "split the template"));
        }
        let unclosed = |parser: &Parser| {
            parser.fail(
                parser.at,
                parser.at,
                "a template directive is never closed",
                "add `%{ endif }` or `%{ endfor }`",
            )
        };
        let mut parts = Vec::new();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Text(text) => {
                    let text = self.pooled(&text);
                    parts.push(Part::Text(text));
                }
                Piece::Expr(expr) => parts.push(Part::Expr(expr)),
                Piece::If(condition) => {
                    let (yes, mut end) = self.nest(pieces, depth + 1)?;
                    let yes = self.part_list(&yes);
                    let mut no = List::default();
                    if let Some(Piece::Else) = end {
                        let (other, other_end) = self.nest(pieces, depth + 1)?;
                        no = self.part_list(&other);
                        end = other_end;
                    }
                    if !matches!(end, Some(Piece::EndIf)) {
                        return Err(unclosed(self));
                    }
                    parts.push(Part::If(condition, yes, no));
                }
                Piece::For(key_name, value_name, collection) => {
                    let (body, end) = self.nest(pieces, depth + 1)?;
                    if !matches!(end, Some(Piece::EndFor)) {
                        return Err(unclosed(self));
                    }
                    let body = self.part_list(&body);
                    self.file.template_fors.push(TemplateFor { key_name, value_name, collection, body });
                    parts.push(Part::For(self.file.template_fors.len() as u32 - 1));
                }
                end @ (Piece::Else | Piece::EndIf | Piece::EndFor) => return Ok((parts, Some(end))),
            }
        }
        Ok((parts, None))
    }
}

/// Ends a run of literal text. Empty runs are kept only where trimming emptied them, for they still divide lines.
fn flush(text: &mut String, pieces: &mut Vec<Piece>, trim: bool) {
    if text.is_empty() {
        return;
    }
    let mut literal = std::mem::take(text);
    if trim {
        literal = literal.trim_start().to_string();
    }
    pieces.push(Piece::Text(literal));
}

/// Removes the smallest indentation of all lines from each, as `<<-` asks; blank lines do not count.
fn dedent(pieces: &mut [Piece]) {
    let mut least = usize::MAX;
    let mut line_begins = true;
    let mut lines = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if std::mem::take(&mut line_begins) {
            match piece {
                Piece::Text(text) => {
                    let indent = text.chars().take_while(|char| char.is_whitespace()).count();
                    let is_blank = text.ends_with('\n') && text.trim_start().is_empty();
                    if !is_blank {
                        least = least.min(indent);
                        lines.push(index);
                    }
                }
                _ => least = 0,
            }
        }
        line_begins = matches!(piece, Piece::Text(text) if text.ends_with('\n'));
    }
    for index in lines {
        if let Piece::Text(text) = &mut pieces[index] {
            *text = text.chars().skip(least).collect();
        }
    }
}
