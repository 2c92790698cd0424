//! `jsonencode` and `jsondecode`. Numbers keep all their digits.

use std::sync::Arc;

use super::{ANY, Answer, Function, Place, STRING, Val, Want, bounded, function, normal, text};
use crate::frontend::terraform::value::lower::{encode_json, is_finite};
use crate::frontend::terraform::value::{Kind, Member, Number, Sort, Type, Unknown};
use crate::source::Span;

/// Values inside values.
const MAX_DEPTH: usize = 200;

pub(super) const FUNCTIONS: &[Function] = &[
    function("jsondecode", &[STRING], Want::Any, |a, at| decode(text(&a[0]), at.span)),
    function("jsonencode", &[ANY.null().unknown()], Want::String, encode),
];

/// The value that a JSON text holds, with every part at `span`: objects and tuples, whatever their elements.
pub fn decode(text: &str, span: Span) -> Answer {
    let mut reader = Reader { text, at: 0, depth: 0, span };
    let val = reader.value().map_err(|error| format!("invalid JSON at byte {}: {error}", reader.at))?;
    reader.blank();
    match reader.peek() {
        None => Ok(val),
        Some(_) => Err(format!("invalid JSON: more text after the value, at byte {}", reader.at)),
    }
}

fn encode(arguments: &[Val], at: &Place) -> Answer {
    if arguments[0].has_unknown() {
        // The kind of value tells how its text begins.
        let prefix = match arguments[0].sort() {
            Sort::Object | Sort::Map => Some("{"),
            Sort::Tuple | Sort::List | Sort::Set => Some("["),
            _ => None,
        };
        let prefix = prefix.filter(|_| !arguments[0].is_unknown()).map(Arc::from);
        let open = super::open(Type::String, arguments, at);
        let Kind::Unknown(unknown) = &open.kind else { return Ok(open) };
        let unknown = Unknown { prefix, ..(**unknown).clone() };
        return Ok(open.with_kind(Kind::Unknown(unknown.into())).made_from(arguments[0].clone()));
    }
    Ok(bounded(written(&arguments[0])?, at)?.made_from(arguments[0].clone()))
}

/// The JSON of a value; an error where a number is infinite, for which JSON has no word.
pub(super) fn written(value: &Val) -> Result<String, String> {
    match is_finite(value) {
        true => Ok(encode_json(value)),
        false => Err("JSON has no infinite numbers".into()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    span: Span,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        self.blank();
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self) -> Answer {
        self.blank();
        if self.depth >= MAX_DEPTH {
            return Err(format!("values nested more than {MAX_DEPTH} deep"));
        }
        let span = self.span;
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Val::string(normal(self.string()?), span)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words =
                    [("null", Val::null(span)), ("true", Val::bool(true, span)), ("false", Val::bool(false, span))];
                let rest = &self.text[self.at..];
                let (word, val) =
                    words.into_iter().find(|(word, _)| rest.starts_with(word)).ok_or("a value is expected")?;
                self.at += word.len();
                Ok(val)
            }
        }
    }

    fn array(&mut self) -> Answer {
        self.at += 1;
        self.depth += 1;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.value()?);
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err("`,` or `]` is expected".into());
                }
            }
        }
        self.depth -= 1;
        Ok(Val::tuple(items, self.span))
    }

    fn object(&mut self) -> Answer {
        self.at += 1;
        self.depth += 1;
        let mut members = Vec::new();
        if !self.take(b'}') {
            loop {
                self.blank();
                if self.peek() != Some(b'"') {
                    return Err("a key in quotes is expected".into());
                }
                let key: Arc<str> = normal(self.string()?).into();
                if !self.take(b':') {
                    return Err("`:` is expected".into());
                }
                members.push(Member { key, key_span: self.span, val: self.value()? });
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err("`,` or `}` is expected".into());
                }
            }
        }
        self.depth -= 1;
        Ok(Val::object(members, self.span))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Answer {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leads_with_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leads_with_zero && whole > 1) {
            return Err("this is no number".into());
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err("digits are expected after the point".into());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err("digits are expected in the exponent".into());
            }
        }
        let number = Number::parse(&self.text[start..self.at]).ok_or("the number is out of range")?;
        Ok(Val::new(Kind::Number(number), self.span))
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|char: char| matches!(char, '"' | '\\' | '\0'..='\u{1f}'))
                .ok_or("a string is never closed")?;
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err("a control character in a string".into()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let code = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        Ok(match code {
            Some(code @ (b'"' | b'\\' | b'/')) => code as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.unit(self.at).ok_or("`\\u` wants four hexadecimal digits")?;
                self.at += 4;
                let rest = self.text.as_bytes().get(self.at..self.at + 2);
                // Two halves make one character; half of one alone makes none.
                match (first, rest) {
                    (0xd800..0xdc00, Some(b"\\u")) => match self.unit(self.at + 2) {
                        Some(second @ 0xdc00..0xe000) => {
                            self.at += 6;
                            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                        }
                        _ => char::REPLACEMENT_CHARACTER,
                    },
                    _ => char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return Err("there is no such escape".into()),
        })
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}
