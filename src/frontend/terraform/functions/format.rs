//! `format` and `formatlist`: the verbs of Go's `fmt` that terraform documents.

use std::iter::Peekable;
use std::str::Chars;

use unicode_segmentation::UnicodeSegmentation;

use super::{ANY, Answer, Function, MAX_TEXT, Place, STRING, Val, Want, bounded, few, open, text, variadic};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::lower::encode_json;
use crate::frontend::terraform::value::{Kind, Number, Type, Unknown};

const PART: super::Parameter = ANY.null().unknown();
/// Columns that a verb may ask for.
const MAX_WIDTH: usize = 1 << 16;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("format", &[STRING], PART, Want::String, |a, at| {
        let pattern = text(&a[0]);
        if a[1..].iter().any(Val::has_unknown) {
            let result = open(Type::String, a, at);
            let Kind::Unknown(unknown) = &result.kind else { return Ok(result) };
            // What stands before the first verb is known.
            let known = pattern.split('%').next().unwrap_or("");
            let prefix = (!known.is_empty() && known.len() < pattern.len()).then(|| known.into());
            let template = template(pattern, &a[1..]).map(Into::into);
            let unknown = Unknown { prefix, template, ..(**unknown).clone() };
            return Ok(result.with_kind(Kind::Unknown(unknown.into())));
        }
        // A null of no type leaves the result unknown.
        if a[1..].iter().any(is_bare_null) {
            return Ok(open(Type::String, a, at));
        }
        bounded(formatted(pattern, &a[1..])?, at)
    }),
    variadic("formatlist", &[STRING], PART, Want::List(&Want::String), format_list),
];

/// The text with `${reference}` where a `%s` meets an unknown; none for patterns with other verbs.
fn template(pattern: &str, values: &[Val]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        match rest.as_bytes().get(at + 1)? {
            b'%' => out.push('%'),
            b's' | b'v' | b'd' => {
                let value = values.next()?;
                match &value.kind {
                    Kind::Unknown(unknown) => match &unknown.template {
                        Some(template) => out.push_str(template),
                        None => {
                            out.push_str(&format!("${{{}}}", unknown.references.first().map_or("unknown", |one| one)));
                        }
                    },
                    _ => out.push_str(&value.to_text()?),
                }
            }
            _ => return None,
        }
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    Some(out)
}

fn format_list(arguments: &[Val], at: &Place) -> Answer {
    let ty = Type::list(Type::String);
    let lists = |argument: &Val| matches!(argument.kind, Kind::List(_) | Kind::Set(_) | Kind::Tuple(_));
    let is_open = |argument: &Val| argument.is_unknown() && !argument.ty().is_primitive() || is_bare_null(argument);
    if arguments[1..].iter().any(is_open) {
        return Ok(open(ty, arguments, at));
    }
    let mut rows = None;
    for argument in arguments[1..].iter().filter(|argument| lists(argument)) {
        let len = argument.items().len();
        if *rows.get_or_insert(len) != len {
            return Err("the lists are not of one length".into());
        }
    }
    let rows = few(rows.unwrap_or(1))?;
    let mut items = Vec::with_capacity(rows);
    let mut length = 0;
    for row in 0..rows {
        let values: Vec<Val> = arguments[1..]
            .iter()
            .map(|argument| if lists(argument) { argument.items()[row].clone() } else { argument.clone() })
            .collect();
        if values.iter().any(Val::has_unknown) {
            items.push(open(Type::String, &values, at));
            continue;
        }
        let item = bounded(formatted(text(&arguments[0]), &values)?, at)?;
        // Each may be short enough, and all together not.
        length += item.text_len();
        if length > MAX_TEXT {
            return Err("the texts grow past the limit".into());
        }
        items.push(item);
    }
    Ok(Val::list(Type::String, items, at.span))
}

/// One verb with its flags.
struct Verb {
    minus: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// Whether this is `null` and nothing more.
fn is_bare_null(value: &Val) -> bool {
    matches!(value.kind, Kind::Null(Type::Dynamic))
}

fn formatted(pattern: &str, values: &[Val]) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    let mut highest = 0;
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let (verb, explicit) = verb(&mut chars)?;
        if verb.letter == '%' {
            out.push('%');
            continue;
        }
        if let Some(explicit) = explicit {
            next = explicit;
        }
        let value = values.get(next).ok_or_else(|| format!("no argument for the verb at place {}", next + 1))?;
        next += 1;
        highest = highest.max(next);
        if value.is_null() && verb.letter != 'v' {
            return Err(format!("`%{}` can't show null", verb.letter));
        }
        let body = body(&verb, value)?;
        match verb.letter {
            // Booleans ignore the width.
            't' => out.push_str(&body),
            'd' | 'b' | 'o' | 'x' | 'X' if body.is_empty() => {}
            // Their zeros stand already.
            'd' | 'b' | 'o' | 'x' | 'X' => pad(&body, &Verb { zero: false, ..verb }, &mut out),
            // Infinity has no digits.
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' if body.ends_with('f') => {
                pad(&body, &Verb { zero: false, ..verb }, &mut out)
            }
            _ => pad(&body, &verb, &mut out),
        }
    }
    if highest < values.len() {
        return Err(format!("{} arguments, of which the pattern uses {highest}", values.len()));
    }
    Ok(out)
}

/// Reads a verb after its `%`, and the argument that it names itself (`%[2]d`), counted from 0.
fn verb(chars: &mut Peekable<Chars<'_>>) -> Result<(Verb, Option<usize>), String> {
    let mut verb = Verb {
        minus: false,
        plus: false,
        sharp: false,
        zero: false,
        space: false,
        width: 0,
        precision: None,
        letter: '%',
    };
    while let Some(flag) = chars.next_if(|char| "+-# 0".contains(*char)) {
        match flag {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            '#' => verb.sharp = true,
            '0' => verb.zero = true,
            _ => verb.space = true,
        }
    }
    let number = |chars: &mut Peekable<Chars<'_>>| -> Result<Option<usize>, String> {
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        match digits.parse::<usize>() {
            Ok(number) if number <= MAX_WIDTH => Ok(Some(number)),
            Err(_) if digits.is_empty() => Ok(None),
            _ => Err("a width past the limit".into()),
        }
    };
    verb.width = number(chars)?.unwrap_or(0);
    if chars.next_if_eq(&'.').is_some() {
        verb.precision = Some(number(chars)?.unwrap_or(0));
    }
    let mut explicit = None;
    if chars.next_if_eq(&'[').is_some() {
        let index = number(chars)?.filter(|index| *index > 0).ok_or("an argument's place is a number from 1")?;
        chars.next_if_eq(&']').ok_or("the place of an argument is never closed")?;
        explicit = Some(index - 1);
    }
    verb.letter = chars.next().ok_or("the pattern ends within a verb")?;
    Ok((verb, explicit))
}

fn body(verb: &Verb, value: &Val) -> Result<String, String> {
    let as_text = || -> Result<std::sync::Arc<str>, String> {
        let text = convert(value.clone(), &Type::String).map_err(|_| format!("`%{}` wants a string", verb.letter))?;
        text.to_text().ok_or_else(|| "a string is required".to_string())
    };
    let as_number = || -> Result<Number, String> {
        let number = convert(value.clone(), &Type::Number).map_err(|_| format!("`%{}` wants a number", verb.letter))?;
        number.as_number().cloned().ok_or_else(|| "a number is required".to_string())
    };
    let as_integer = || -> Result<Number, String> {
        let number = as_number()?;
        if number.is_integer() { Ok(number) } else { Err(format!("`%{}` wants a whole number", verb.letter)) }
    };
    let as_float = |written: &dyn Fn(&Number) -> String| -> Result<String, String> {
        let number = as_number()?;
        Ok(match number.is_finite() {
            true => signed(written(&number), &number, verb),
            // Its sign is always written.
            false if verb.space => number.to_string().replace('+', " "),
            false => number.to_string(),
        })
    };
    Ok(match verb.letter {
        'v' if verb.sharp => super::json::written(value)?,
        'v' => match &value.kind {
            Kind::String(text) => text.to_string(),
            Kind::Number(number) => general(number, None, 'g'),
            Kind::Bool(bool) => bool.to_string(),
            _ => super::json::written(value)?,
        },
        's' => cut(&as_text()?, verb.precision),
        'q' => encode_json(&Val::string(cut(&as_text()?, verb.precision), value.span)),
        't' => {
            let bool = convert(value.clone(), &Type::Bool).map_err(|_| "`%t` wants a boolean")?;
            bool.as_bool().ok_or("a boolean is required")?.to_string()
        }
        'd' => integer(&as_integer()?, 10, "", verb),
        'b' | 'o' | 'x' | 'X' => {
            if let ('x' | 'X', Kind::String(text)) = (verb.letter, &value.kind)
                && Number::parse(text).is_none()
            {
                return Err(format!("`%{}` wants a number", verb.letter));
            }
            let number = as_integer()?;
            let (base, prefix) = match verb.letter {
                'b' => (2, "0b"),
                'o' => (8, "0"),
                'x' => (16, "0x"),
                _ => (16, "0X"),
            };
            let text = integer(&number, base, if verb.sharp { prefix } else { "" }, verb);
            if verb.letter == 'X' { text.to_uppercase() } else { text }
        }
        'e' | 'E' => as_float(&|number| exponential(number, verb.precision.unwrap_or(6), verb.letter))?,
        'f' | 'F' => as_float(&|number| number.fixed(verb.precision.unwrap_or(6)))?,
        'g' | 'G' => as_float(&|number| general(number, verb.precision, verb.letter))?,
        other => return Err(format!("there is no verb `%{other}`")),
    })
}

fn cut(text: &str, precision: Option<usize>) -> String {
    match precision {
        // Terraform takes a precision of zero for none.
        Some(most) if most > 0 => text.graphemes(true).take(most).collect(),
        _ => text.to_string(),
    }
}

/// A whole number with its sign, the mark of its base, and zeros up to the precision or the width; a zero with a precision of
/// zero is nothing at all, whatever the width.
fn integer(number: &Number, base: u8, prefix: &str, verb: &Verb) -> String {
    let digits = number.in_base(base).unwrap_or_default();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None if verb.plus => ("+", &*digits),
        None if verb.space => (" ", &*digits),
        None => ("", &*digits),
    };
    let zeros = match verb.precision {
        Some(0) if digits == "0" => return String::new(),
        Some(least) => least.saturating_sub(digits.len()),
        None if verb.zero && !verb.minus => verb.width.saturating_sub(sign.len() + prefix.len() + digits.len()),
        None => 0,
    };
    format!("{sign}{prefix}{}{digits}", "0".repeat(zeros))
}

fn signed(text: String, number: &Number, verb: &Verb) -> String {
    match () {
        () if number.is_negative() => text,
        () if verb.plus => format!("+{text}"),
        () if verb.space => format!(" {text}"),
        () => text,
    }
}

/// `1.5e+06`: Go writes at least two digits of the exponent, and its sign.
fn exponential(number: &Number, precision: usize, letter: char) -> String {
    let (is_negative, digits, exponent) = number.scientific(precision + 1);
    let (first, rest) = digits.split_at(1);
    let sign = if is_negative { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    go_exponent(&format!("{sign}{first}{point}{rest}e{exponent}"), letter)
}

fn go_exponent(text: &str, letter: char) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    let letter = if letter.is_ascii_uppercase() { 'E' } else { 'e' };
    format!("{mantissa}{letter}{sign}{digits:0>2}")
}

/// Go's `%g`: with an exponent below 10^-4 and from 10^6 on (10^precision where one is given).
fn general(number: &Number, precision: Option<usize>, letter: char) -> String {
    let text = number.to_string();
    let Some(digits) = precision.map(|digits| digits.max(1)) else {
        return match scientific(&text) {
            Some((mantissa, exponent)) if !(-4..6).contains(&exponent) => {
                go_exponent(&format!("{mantissa}e{exponent}"), letter)
            }
            _ => text,
        };
    };
    let (is_negative, digits, power) = number.scientific(digits);
    let sign = if is_negative { "-" } else { "" };
    let kept = match digits.trim_end_matches('0') {
        "" => "0",
        kept => kept,
    };
    if power < -4 || power >= digits.len() as i64 {
        let (first, rest) = kept.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return go_exponent(&format!("{sign}{first}{point}{rest}e{power}"), letter);
    }
    if power < 0 {
        return format!("{sign}0.{}{kept}", "0".repeat(power.unsigned_abs() as usize - 1));
    }
    let whole = power as usize + 1;
    match kept.split_at_checked(whole) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{kept:0<whole$}"),
    }
}

/// Mantissa and exponent of a decimal text; none for zero.
fn scientific(text: &str) -> Option<(String, i32)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let first = all.find(|digit| digit != '0')?;
    let exponent = whole.len() as i32 - 1 - first as i32;
    let kept = all[first..].trim_end_matches('0');
    let mantissa = match kept.split_at(1) {
        (one, "") => format!("{sign}{one}"),
        (one, rest) => format!("{sign}{one}.{rest}"),
    };
    Some((mantissa, exponent))
}

fn pad(body: &str, verb: &Verb, out: &mut String) {
    let missing = verb.width.saturating_sub(body.graphemes(true).count());
    let is_number = matches!(verb.letter, 'e' | 'E' | 'f' | 'F' | 'g' | 'G');
    if verb.minus {
        out.push_str(body);
        out.extend(std::iter::repeat_n(' ', missing));
    } else if verb.zero {
        let sign = if is_number { body.len() - body.trim_start_matches(['-', '+', ' ']).len() } else { 0 };
        out.push_str(&body[..sign]);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(&body[sign..]);
    } else {
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(body);
    }
}
