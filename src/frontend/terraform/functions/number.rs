//! Numbers.

use super::{Answer, Function, NUMBER, Place, STRING, Val, Want, function, variadic, whole};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Kind, Number, Sort, Type};

pub(super) const FUNCTIONS: &[Function] = &[
    function("abs", &[NUMBER], Want::Number, |a, at| {
        let number = number(&a[0])?;
        wrap(if number.has_minus() { number.negate() } else { number.clone() }, at)
    }),
    function("ceil", &[NUMBER], Want::Number, |a, at| wrap(number(&a[0])?.ceil(), at)),
    function("floor", &[NUMBER], Want::Number, |a, at| wrap(number(&a[0])?.floor(), at)),
    function("log", &[NUMBER, NUMBER], Want::Number, |a, at| {
        let (value, base) = (number(&a[0])?.as_f64(), number(&a[1])?.as_f64());
        double(value.ln() / base.ln(), at)
    }),
    variadic("max", &[NUMBER], NUMBER, Want::Number, |a, at| extreme(a, at, |a, b| a > b)),
    variadic("min", &[NUMBER], NUMBER, Want::Number, |a, at| extreme(a, at, |a, b| a < b)),
    function("parseint", &[super::ANY, NUMBER], Want::Number, parse_int),
    function("pow", &[NUMBER, NUMBER], Want::Number, |a, at| {
        double(power(number(&a[0])?.as_f64(), number(&a[1])?.as_f64()), at)
    }),
    function("signum", &[NUMBER], Want::Number, |a, at| {
        Ok(Val::int(whole(&a[0], i64::MIN, i64::MAX)?.signum(), at.span))
    }),
    function("sum", &[super::ANY.unknown()], Want::Number, sum),
    function("plantimestamp", &[], Want::String, unknowable),
    function("timestamp", &[], Want::String, unknowable),
    function("uuid", &[], Want::String, unknowable),
    variadic("bcrypt", &[STRING], NUMBER, Want::String, unknowable),
];

/// What no two runs agree on.
fn unknowable(_: &[Val], at: &Place) -> Answer {
    let reason = "the result is another at every run";
    Ok(super::super::eval::not_null(super::super::eval::unknown(Type::String, reason, None, at.span)))
}

fn number(value: &Val) -> Result<&Number, String> {
    value.as_number().ok_or_else(|| "a number is required".to_string())
}

fn wrap(number: Number, at: &Place) -> Answer {
    Ok(Val::new(Kind::Number(number), at.span))
}

fn double(result: f64, at: &Place) -> Answer {
    wrap(Number::from_f64(result).ok_or("the result is no finite number")?, at)
}

/// A power as Go computes it: whole exponents by squaring, so that the last bits are the same.
fn power(base: f64, exponent: f64) -> f64 {
    let is_whole = exponent.fract() == 0.0 && exponent.abs() < 9e15;
    if !is_whole || !base.is_normal() {
        return base.powf(exponent);
    }
    let mut result = 1.0f64;
    let mut square = base;
    let mut left = exponent.abs() as u64;
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    // What leaves the range of doubles on the way may lie within it in the end.
    if !result.is_normal() {
        return base.powf(exponent);
    }
    if exponent < 0.0 { 1.0 / result } else { result }
}

/// The first of the arguments that none `beats`: of equal ones, which zeros of two signs are, the first counts.
fn extreme(arguments: &[Val], at: &Place, beats: fn(&Number, &Number) -> bool) -> Answer {
    let numbers: Result<Vec<Number>, String> = arguments.iter().map(|value| number(value).cloned()).collect();
    let best = numbers?.into_iter().reduce(|best, next| if beats(&next, &best) { next } else { best });
    wrap(best.ok_or("wants an argument")?, at)
}

fn parse_int(arguments: &[Val], at: &Place) -> Answer {
    let text = match &arguments[0].kind {
        Kind::String(text) => text,
        _ => return Err("the first argument is a string".into()),
    };
    let base = whole(&arguments[1], 2, 62)?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let refused = || format!("{text:?} is no integer in base {base}");
    if digits.is_empty() || digits.len() > 4096 {
        return Err(refused());
    }
    let base_number = Number::Int(base);
    let mut total = Number::Int(0);
    for char in digits.chars() {
        // Up to base 36 the case of letters does not matter; above it, lower case comes first.
        let digit = match char {
            '0'..='9' => i64::from(char as u32 - '0' as u32),
            'a'..='z' => i64::from(char as u32 - 'a' as u32) + 10,
            'A'..='Z' if base <= 36 => i64::from(char as u32 - 'A' as u32) + 10,
            'A'..='Z' => i64::from(char as u32 - 'A' as u32) + 36,
            _ => return Err(refused()),
        };
        if digit >= base {
            return Err(refused());
        }
        let next = total.multiply(&base_number).and_then(|total| total.add(&Number::Int(digit)));
        total = next.map_err(|refused| refused.to_string())?;
    }
    wrap(if negative && total != Number::Int(0) { total.negate() } else { total }, at)
}

fn sum(arguments: &[Val], at: &Place) -> Answer {
    let is_sequence = matches!(arguments[0].sort(), Sort::List | Sort::Set | Sort::Tuple);
    if arguments[0].is_unknown() || is_sequence && arguments[0].has_unknown() {
        return Ok(super::open(Type::Number, arguments, at));
    }
    if !is_sequence {
        return Err("wants a list, set or tuple of numbers".into());
    }
    let items = arguments[0].items();
    if items.is_empty() {
        return Err("the list is empty".into());
    }
    let mut total: Option<Number> = None;
    for item in items {
        if item.is_null() {
            return Err("the list holds null".into());
        }
        let item = convert(item.clone(), &Type::Number)?;
        let number = number(&item)?;
        total = Some(match total {
            Some(total) => total.add(number).map_err(|refused| refused.to_string())?,
            None => number.clone(),
        });
    }
    wrap(total.ok_or("the list is empty")?, at)
}
