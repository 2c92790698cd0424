//! Scalars as go-yaml v2 resolves them (`resolve.go`, YAML 1.1 with its extensions) and as JSON then holds them.

use base64::Engine as _;

use crate::model::{Number, Value};

/// The value of a scalar. `tag` is the suffix of its tag (`str`, `int`), if it has one.
///
/// Fails where kubectl does: on infinities and on `.nan`, which JSON can't hold.
pub fn resolve(text: &str, is_plain: bool, tag: Option<&str>) -> Result<Value, String> {
    let string = || Value::String(text.into());
    match tag {
        Some("str") => return Ok(string()),
        Some("null") => return Ok(Value::Null),
        Some("binary") => {
            let compact: String = text.split_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(compact)
                .map_err(|error| format!("!!binary: {error}"))?;
            return Ok(Value::String(String::from_utf8_lossy(&bytes).into()));
        }
        Some("int" | "float" | "bool") => {}
        // An unknown tag is dropped; what it stands before is text.
        Some(_) => return Ok(string()),
        None if !is_plain => return Ok(string()),
        None => {}
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => {
            return Err(format!("{text} has no place in JSON"));
        }
        _ => match number(text) {
            Some(number) => Value::Number(number),
            None => string(),
        },
    })
}

/// Integers in bases 2, 8, 10 and 16 with underscores, and YAML's floats.
fn number(text: &str) -> Option<Number> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(rest) => (if plain.starts_with('-') { -1 } else { 1 }, rest),
        None => (1, plain.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let based = |prefix: &[&str], base: u32| {
        let rest = prefix.iter().find_map(|prefix| digits.strip_prefix(prefix))?;
        i64::from_str_radix(rest, base)
            .ok()
            .filter(|_| !rest.starts_with(['+', '-']))
            .map(|int| Number::Int(sign * int))
    };
    if let Some(int) = based(&["0x", "0X"], 16).or_else(|| based(&["0b"], 2)).or_else(|| based(&["0o", "0O"], 8)) {
        return Some(int);
    }
    // Go's ParseInt with base 0: a leading zero means octal; digits past 7 leave it a float.
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return i64::from_str_radix(digits, 8).ok().map(|int| Number::Int(sign * int));
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        return match plain.parse::<i64>() {
            Ok(int) => Some(Number::Int(int)),
            Err(_) => plain.parse().ok().map(Number::Float),
        };
    }
    is_float(&plain).then(|| plain.parse::<f64>().ok()).flatten().filter(|float| float.is_finite()).map(|float| {
        if float.fract() == 0.0 && float.abs() < 9.0e15 { Number::Int(float as i64) } else { Number::Float(float) }
    })
}

/// go-yaml's `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(text);
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let width = digits(fraction);
        if whole == 0 && width == 0 {
            return false;
        }
        rest = &fraction[width..];
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// The string that a key becomes in JSON; None for null and collections.
pub fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match resolve(text, true, None) {
            Ok(value) => match value {
                Value::Null => "null".into(),
                Value::Bool(bool) => bool.to_string(),
                Value::Number(number) => number.to_string(),
                Value::String(text) => format!("{text:?}"),
                other => format!("{other:?}"),
            },
            Err(message) => format!("error: {message}"),
        }
    }

    #[test]
    fn plain_scalars_are_read_as_kubectl_reads_them() {
        for (text, want) in [
            ("off", "false"),
            ("tRUE", "\"tRUE\""),
            ("0755", "493"),
            ("0o17", "15"),
            ("08", "8"),
            ("1_000", "1000"),
            ("-0x10", "-16"),
            ("2.50", "2.5"),
            ("1e2", "100"),
            (".5", "0.5"),
            ("1.2.3", "\"1.2.3\""),
            ("12:30", "\"12:30\""),
            ("250m", "\"250m\""),
            ("", "null"),
            ("-.inf", "error: -.inf has no place in JSON"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }
}
