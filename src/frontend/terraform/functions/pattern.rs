//! Patterns of RE2 in the syntax of the `regex` crate, which knows more than RE2 and reads some signs otherwise.

use std::iter::Peekable;
use std::str::Chars;

/// Times that something may be repeated.
const MAX_REPEAT: u32 = 1000;

/// The pattern for the crate, or why RE2 refuses it.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    // Whether the last thing was a repetition: `**` repeats nothing.
    let mut was_repeated = false;
    while let Some(char) = chars.next() {
        let repeats = match char {
            '\\' => {
                escape(&mut chars, false, &mut out)?;
                false
            }
            '[' => {
                class(&mut chars, &mut out)?;
                false
            }
            '(' => {
                group(&mut chars, &mut out)?;
                false
            }
            '*' | '+' | '?' => {
                out.push(char);
                true
            }
            '{' => match counted(&chars)? {
                Some(text) => {
                    chars.nth(text.len() - 1);
                    out.push('{');
                    out.push_str(&text);
                    true
                }
                None => {
                    out.push_str("\\{");
                    false
                }
            },
            '}' => {
                out.push_str("\\}");
                false
            }
            other => {
                out.push(other);
                false
            }
        };
        if repeats && was_repeated {
            return Err("invalid regular expression: a repetition of a repetition".into());
        }
        if repeats && let Some(lazy) = chars.next_if_eq(&'?') {
            out.push(lazy);
        }
        was_repeated = repeats;
    }
    Ok(out)
}

/// The rest of `{2}`, `{2,}` or `{2,3}` after the brace, if this is a repetition; else the brace is a character.
fn counted(chars: &Peekable<Chars<'_>>) -> Result<Option<String>, String> {
    let text: String = chars.clone().take(12).collect();
    let Some((inner, _)) = text.split_once('}') else { return Ok(None) };
    let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || !(most.is_empty() || is_number(most)) {
        return Ok(None);
    }
    let (least, most) = (least.parse::<u32>().ok(), most.parse::<u32>().ok().or(least.parse().ok()));
    match (least, most) {
        (Some(least), Some(most)) if least <= most && most <= MAX_REPEAT => Ok(Some(format!("{inner}}}"))),
        _ => Err("invalid regular expression: the count of a repetition is too large".into()),
    }
}

/// What follows an opening parenthesis: only flags that RE2 knows.
fn group(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('(');
    let mut rest = chars.clone();
    if rest.next() != Some('?') {
        return Ok(());
    }
    let flags: String = rest.take_while(|char| char.is_ascii_alphabetic() || *char == '-').collect();
    let is_name = flags.starts_with('P');
    if !is_name && flags.chars().any(|flag| !"imsU-".contains(flag)) {
        return Err(format!("invalid regular expression: unknown flags `{flags}`"));
    }
    if let Some(question) = chars.next() {
        out.push(question);
    }
    Ok(())
}

/// What follows a backslash. `\d`, `\w`, `\s` and `\b` know ASCII only.
fn escape(chars: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) -> Result<(), String> {
    let Some(char) = chars.next() else { return Err("invalid regular expression: it ends with a backslash".into()) };
    let (ascii, is_negated) = match char {
        'd' => ("0-9", false),
        'w' => ("0-9A-Za-z_", false),
        's' => ("\\t\\n\\f\\r ", false),
        'D' => ("0-9", true),
        'W' => ("0-9A-Za-z_", true),
        'S' => ("\\t\\n\\f\\r ", true),
        'b' | 'B' if !in_class => {
            out.push_str(if char == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" });
            return Ok(());
        }
        'Q' if !in_class => {
            let rest: String = chars.by_ref().collect();
            let (literal, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
            out.push_str(&regex::escape(literal));
            out.push_str(&translated(after)?);
            return Ok(());
        }
        '0'..='7' => return octal(char, chars, out),
        'A' | 'z' if !in_class => {
            out.push('\\');
            out.push(char);
            return Ok(());
        }
        'p' | 'P' => return property(char == 'P', chars, out),
        'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' => {
            out.push('\\');
            out.push(char);
            return Ok(());
        }
        char if char.is_ascii_punctuation() => {
            out.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
            return Ok(());
        }
        other => return Err(format!("invalid regular expression: there is no escape `\\{other}`")),
    };
    match (in_class, is_negated) {
        (true, false) => out.push_str(ascii),
        (_, true) => out.push_str(&format!("[^{ascii}]")),
        (false, false) => out.push_str(&format!("[{ascii}]")),
    }
    Ok(())
}

/// What follows `\p` or `\P`: a general category, a script, or `Any`, by the name that Unicode gives it. The crate knows
/// more properties and takes names in any case.
fn property(is_negated: bool, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    const CATEGORIES: &[&str] = &[
        "C", "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P",
        "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
    ];
    let whole: String = match chars.next() {
        Some('{') => {
            let rest: String = chars.clone().take_while(|char| *char != '}').collect();
            chars.nth(rest.chars().count());
            rest
        }
        Some(letter) => letter.into(),
        None => String::new(),
    };
    let name = whole.strip_prefix('^').unwrap_or(&whole);
    let letter = if is_negated != (name.len() < whole.len()) { 'P' } else { 'p' };
    let is_script = name.len() > 2
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|char| char.is_ascii_alphabetic() || char == '_')
        && !name.bytes().all(|byte| byte.is_ascii_uppercase());
    match name {
        "Any" => out.push_str(&format!("\\{letter}{{any}}")),
        name if CATEGORIES.contains(&name) => out.push_str(&format!("\\{letter}{{gc={name}}}")),
        name if is_script => out.push_str(&format!("\\{letter}{{sc={name}}}")),
        _ => return Err(format!("invalid regular expression: there is no class of characters `{whole}`")),
    }
    Ok(())
}

/// `\0`, `\12` and `\101`; a single digit but zero would be a reference back, which RE2 has not.
fn octal(first: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let mut digits = String::from(first);
    while digits.len() < 3
        && let Some(digit) = chars.next_if(|char| ('0'..='7').contains(char))
    {
        digits.push(digit);
    }
    if digits.len() == 1 && first != '0' {
        return Err("invalid regular expression: references back are not known".into());
    }
    let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
    out.push_str(&format!("\\x{{{code:X}}}"));
    Ok(())
}

/// A class after its opening bracket: within, `[`, `&&`, `--` and `~~` are nothing but characters.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if let Some(negation) = chars.next_if_eq(&'^') {
        out.push(negation);
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(char) = chars.next() {
        match char {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                // The name of a POSIX class, up to its own bracket.
                for char in chars.by_ref() {
                    out.push(char);
                    if char == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            '&' | '~' => {
                out.push('\\');
                out.push(char);
            }
            '\\' => escape(chars, true, out)?,
            other => out.push(other),
        }
    }
    Err("invalid regular expression: a class is never closed".into())
}
