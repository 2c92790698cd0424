//! Expressions: operators by precedence, terms, and what follows a term. `lines` says whether line ends are blank, as inside
//! brackets.

use super::ast::*;
use super::parser::{Attempt, Parser};

impl Parser {
    /// Reads an expression; the position is at its first byte.
    pub(super) fn expression(&mut self, lines: bool) -> Attempt<ExprId> {
        self.deeper()?;
        let start = self.at;
        let mut result = self.binary(0, lines)?;
        self.space(lines);
        if self.peek() == b'?' {
            self.at += 1;
            self.space(lines);
            let yes = self.expression(lines)?;
            self.space(lines);
            if self.peek() != b':' {
                return Err(self.unexpected("`:` and the value for the other case"));
            }
            self.at += 1;
            self.space(lines);
            let no = self.expression(lines)?;
            result = self.push(start, ExprKind::Conditional(result, yes, no));
        }
        self.depth -= 1;
        Ok(result)
    }

    fn operator(&self) -> Option<(Operator, usize, u8)> {
        Some(match (self.peek(), self.peek_at(1)) {
            (b'|', b'|') => (Operator::Or, 2, 1),
            (b'&', b'&') => (Operator::And, 2, 2),
            (b'=', b'=') => (Operator::Equal, 2, 3),
            (b'!', b'=') => (Operator::NotEqual, 2, 3),
            (b'<', b'=') => (Operator::LessEqual, 2, 4),
            (b'>', b'=') => (Operator::GreaterEqual, 2, 4),
            (b'<', _) => (Operator::Less, 1, 4),
            (b'>', _) => (Operator::Greater, 1, 4),
            (b'+', _) => (Operator::Add, 1, 5),
            (b'-', _) => (Operator::Subtract, 1, 5),
            (b'*', _) => (Operator::Multiply, 1, 6),
            (b'/', ahead) if ahead != b'*' => (Operator::Divide, 1, 6),
            (b'%', _) => (Operator::Modulo, 1, 6),
            _ => return None,
        })
    }

    /// Precedence climbing; chains of one level are a loop, so that their length costs no stack.
    fn binary(&mut self, least: u8, lines: bool) -> Attempt<ExprId> {
        let start = self.at;
        let mut left = self.unary(lines)?;
        loop {
            let before = self.at;
            self.space(lines);
            match self.operator() {
                Some((operator, width, level)) if level > least => {
                    self.at += width;
                    self.space(lines);
                    let right = self.binary(level, lines)?;
                    left = self.push(start, ExprKind::Binary(operator, left, right));
                }
                _ => {
                    // The expression's span ends where its last token does.
                    self.at = if lines { self.at } else { before };
                    return Ok(left);
                }
            }
        }
    }

    fn unary(&mut self, lines: bool) -> Attempt<ExprId> {
        let start = self.at;
        let operator = self.peek();
        if operator == b'-' || (operator == b'!' && self.peek_at(1) != b'=') {
            self.deeper()?;
            self.at += 1;
            self.space(lines);
            let inner = self.unary(lines)?;
            self.depth -= 1;
            let kind = if operator == b'-' { ExprKind::Negate(inner) } else { ExprKind::Not(inner) };
            return Ok(self.push(start, kind));
        }
        let term = self.term(lines)?;
        self.postfix(start, term, lines)
    }

    /// Attributes, indices and splats after a term.
    fn postfix(&mut self, start: usize, mut base: ExprId, lines: bool) -> Attempt<ExprId> {
        loop {
            let before = self.at;
            self.space(lines);
            match self.peek() {
                b'.' if self.peek_at(1) == b'.' => {
                    self.at = before;
                    return Ok(base);
                }
                b'.' => {
                    self.at += 1;
                    self.space(lines);
                    if self.peek() == b'*' {
                        self.at += 1;
                        let mut each = self.push(self.at, ExprKind::Element);
                        // After `.*` only attributes belong to the element; an index applies to the whole result.
                        while self.peek() == b'.' && !matches!(self.peek_at(1), b'*' | b'.') {
                            self.at += 1;
                            each = self.member(start, each)?;
                        }
                        if self.peek() == b'.' && self.peek_at(1) == b'*' {
                            let help = "write `[*]` for both";
                            return Err(self.fail(self.at, self.at + 2, "`.*` within another `.*`", help));
                        }
                        base = self.push(start, ExprKind::Splat(base, each));
                    } else {
                        base = self.member(start, base)?;
                    }
                }
                b'[' => {
                    let open = self.at;
                    self.at += 1;
                    self.space(true);
                    if self.peek() == b'*' {
                        self.at += 1;
                        self.space(true);
                        self.close(b']', open)?;
                        self.deeper()?;
                        let element = self.push(self.at, ExprKind::Element);
                        let each = self.postfix(start, element, lines)?;
                        self.depth -= 1;
                        base = self.push(start, ExprKind::Splat(base, each));
                    } else {
                        let key = self.expression(true)?;
                        self.space(true);
                        self.close(b']', open)?;
                        base = self.push(start, ExprKind::Index(base, key));
                    }
                }
                _ => {
                    self.at = before;
                    return Ok(base);
                }
            }
        }
    }

    /// The name or old-style index after a dot.
    fn member(&mut self, start: usize, base: ExprId) -> Attempt<ExprId> {
        if self.peek().is_ascii_digit() {
            let digits = self.at;
            self.digits();
            if self.peek() == b'.' && self.peek_at(1).is_ascii_digit() {
                let help = "write indices in brackets: [0][1]";
                return Err(self.fail(digits, self.at + 2, "two indices after dots in a row", help));
            }
            self.exponent();
            let number = self.source_text(digits, self.at);
            let key = self.push(digits, ExprKind::Number(number));
            return Ok(self.push(start, ExprKind::Index(base, key)));
        }
        match self.identifier() {
            Some(name) => Ok(self.push(start, ExprKind::Attribute(base, name))),
            None => Err(self.unexpected("an attribute's name after the dot")),
        }
    }

    fn term(&mut self, lines: bool) -> Attempt<ExprId> {
        let start = self.at;
        match self.peek() {
            b'"' => {
                let kind = self.quoted()?;
                Ok(self.push(start, kind))
            }
            b'0'..=b'9' => self.number(),
            b'(' => {
                self.at += 1;
                self.space(true);
                let inner = self.expression(true)?;
                self.space(true);
                self.close(b')', start)?;
                Ok(self.push(start, ExprKind::Parenthesis(inner)))
            }
            b'[' => self.tuple(),
            b'{' => self.object(),
            b'<' if self.peek_at(1) == b'<' => {
                let kind = self.heredoc()?;
                Ok(self.push(start, kind))
            }
            _ => match self.identifier() {
                Some(name) => self.named(start, name, lines),
                None => Err(self.unexpected("a value")),
            },
        }
    }

    fn named(&mut self, start: usize, name: Text, lines: bool) -> Attempt<ExprId> {
        let end = self.at;
        self.space(lines);
        let mut name = name;
        let mut last = end;
        while self.peek() == b':' && self.peek_at(1) == b':' {
            self.at += 2;
            self.space(lines);
            if self.identifier().is_none() {
                return Err(self.unexpected("a function's name after `::`"));
            }
            last = self.at;
            name = self.source_text(start, last);
            self.space(lines);
        }
        if self.peek() == b'(' {
            return self.call(start, name);
        }
        self.at = last;
        if last != end {
            return Err(self.unexpected("`(` after a function's name"));
        }
        let kind = match self.word(name) {
            "null" => ExprKind::Null,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            _ => ExprKind::Variable(name),
        };
        Ok(self.push(start, kind))
    }

    fn call(&mut self, start: usize, name: Text) -> Attempt<ExprId> {
        let open = self.at;
        self.at += 1;
        let arguments = self.separated(b')')?;
        let expanded = !arguments.is_empty() && self.ellipsis();
        self.close(b')', open)?;
        let arguments = self.list(&arguments);
        Ok(self.push(start, ExprKind::Call(name, arguments, expanded)))
    }

    /// Expressions with commas between them, a last comma allowed, up to what is none; `bracket` ends them for the caller.
    fn separated(&mut self, bracket: u8) -> Attempt<Vec<ExprId>> {
        let mut items = Vec::new();
        loop {
            self.space(true);
            if self.peek() == bracket {
                return Ok(items);
            }
            items.push(self.expression(true)?);
            self.space(true);
            if self.peek() != b',' {
                return Ok(items);
            }
            self.at += 1;
        }
    }

    /// Skips the `...` that spreads the last argument or groups a loop's values.
    fn ellipsis(&mut self) -> bool {
        let found = self.peek() == b'.' && self.peek_at(1) == b'.' && self.peek_at(2) == b'.';
        if found {
            self.at += 3;
            self.space(true);
        }
        found
    }

    fn number(&mut self) -> Attempt<ExprId> {
        let start = self.at;
        self.digits();
        if self.peek() == b'.' && self.peek_at(1).is_ascii_digit() {
            self.at += 1;
            self.digits();
        }
        self.exponent();
        let text = self.source_text(start, self.at);
        Ok(self.push(start, ExprKind::Number(text)))
    }

    fn digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
    }

    fn exponent(&mut self) {
        if matches!(self.peek(), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek_at(1), b'+' | b'-'));
            if self.peek_at(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits();
            }
        }
    }

    fn tuple(&mut self) -> Attempt<ExprId> {
        let start = self.at;
        self.at += 1;
        self.space(true);
        if self.keyword("for") {
            return self.for_loop(start, b']');
        }
        let items = self.separated(b']')?;
        self.close(b']', start)?;
        let items = self.list(&items);
        Ok(self.push(start, ExprKind::Tuple(items)))
    }

    fn object(&mut self) -> Attempt<ExprId> {
        let start = self.at;
        self.at += 1;
        self.space(true);
        if self.keyword("for") {
            return self.for_loop(start, b'}');
        }
        let mut items = Vec::new();
        loop {
            self.space(true);
            if self.peek() == b'}' {
                break;
            }
            let key = self.expression(false)?;
            self.space(false);
            match self.peek() {
                b'=' if self.peek_at(1) != b'=' => self.at += 1,
                b':' => self.at += 1,
                _ => return Err(self.unexpected("`=` or `:` after the key")),
            }
            self.space(false);
            let value = self.expression(false)?;
            items.extend([key, value]);
            self.space(false);
            match self.peek() {
                b',' => self.at += 1,
                b'\n' => {}
                b'\r' if self.peek_at(1) == b'\n' => {}
                b'}' => break,
                _ => {
                    let problem = self.close(b'}', start).err();
                    return Err(problem.unwrap_or_else(|| self.unexpected("`,` or the end of the line")));
                }
            }
        }
        self.close(b'}', start)?;
        let items = self.list(&items);
        Ok(self.push(start, ExprKind::Object(items)))
    }

    /// `for k, v in c : …` after the keyword, up to the closing bracket.
    fn for_loop(&mut self, start: usize, bracket: u8) -> Attempt<ExprId> {
        let (key_name, value_name) = self.for_names()?;
        let collection = self.expression(true)?;
        self.space(true);
        if self.peek() != b':' {
            return Err(self.unexpected("`:` after what is iterated"));
        }
        self.at += 1;
        self.space(true);
        let mut value = self.expression(true)?;
        let mut key = None;
        self.space(true);
        if self.peek() == b'=' && self.peek_at(1) == b'>' {
            if bracket == b']' {
                return Err(self.unexpected("a single value: only `{for …}` has keys"));
            }
            self.at += 2;
            self.space(true);
            key = Some(value);
            value = self.expression(true)?;
            self.space(true);
        } else if bracket == b'}' {
            return Err(self.unexpected("`=>` and the value"));
        }
        let dots = self.at;
        let grouped = self.ellipsis();
        if grouped && bracket == b']' {
            self.at = dots;
            return Err(self.unexpected("`]`: only `{for …}` groups values"));
        }
        let mut condition = None;
        if self.keyword("if") {
            self.space(true);
            condition = Some(self.expression(true)?);
            self.space(true);
        }
        self.close(bracket, start)?;
        self.file.fors.push(For { key_name, value_name, collection, key, value, condition, grouped });
        let index = self.file.fors.len() as u32 - 1;
        Ok(self.push(start, ExprKind::For(index)))
    }

    /// The names and the `in` of a loop.
    pub(super) fn for_names(&mut self) -> Attempt<(Option<Text>, Text)> {
        self.space(true);
        let Some(first) = self.identifier() else { return Err(self.unexpected("a name after `for`")) };
        self.space(true);
        let mut names = (None, first);
        if self.peek() == b',' {
            self.at += 1;
            self.space(true);
            let Some(second) = self.identifier() else { return Err(self.unexpected("the second name")) };
            names = (Some(first), second);
            self.space(true);
        }
        if !self.keyword("in") {
            return Err(self.unexpected("`in`"));
        }
        self.space(true);
        Ok(names)
    }
}
