//! Regular expressions. Terraform has RE2, whose linear time the `regex` crate shares.

use regex::{Captures, Regex, RegexBuilder};

use super::{Function, MAX_ELEMENTS, Place, STRING, Val, Want, bounded, few, function, string, text};
use crate::frontend::terraform::value::{AttributeType, Kind, Member, Type};

pub(super) const FUNCTIONS: &[Function] = &[
    function("regex", &[STRING, STRING], Want::Any, |a, at| {
        let regex = compile(text(&a[0]))?;
        let found = regex.captures(text(&a[1])).ok_or("the pattern does not match")?;
        Ok(value(&regex, &found, at))
    }),
    function("regexall", &[STRING, STRING], Want::List(&Want::Any), |a, at| {
        let regex = compile(text(&a[0]))?;
        let ty = shape(&regex);
        let found = regex.captures_iter(text(&a[1])).take(MAX_ELEMENTS + 1);
        let all: Vec<Val> = found.map(|found| value(&regex, &found, at)).collect();
        few(all.len())?;
        Ok(Val::list(ty, all, at.span))
    }),
    function("replace", &[STRING, STRING, STRING], Want::String, |a, at| {
        let (whole, wanted, with) = (text(&a[0]), text(&a[1]), text(&a[2]));
        // A pattern between slashes is a regular expression.
        let pattern = wanted.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let pattern = pattern.filter(|_| wanted.len() > 1);
        let Some(pattern) = pattern else {
            if whole.len().saturating_mul(with.len().max(1)) > super::MAX_TEXT * 8 {
                return Err("the text grows past the limit".into());
            }
            return bounded(whole.replace(wanted, with), at);
        };
        bounded(compile(pattern)?.replace_all(whole, with).into_owned(), at)
    }),
];

/// Compiles a pattern as Go does.
fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(&super::pattern::translated(pattern)?)
        .size_limit(4 << 20)
        .build()
        .map_err(|error| format!("invalid regular expression: {}", error.to_string().lines().last().unwrap_or("")))?;
    let named = regex.capture_names().flatten().count();
    if named > 0 && named + 1 != regex.captures_len() {
        return Err("named and unnamed groups can't be mixed".into());
    }
    Ok(regex)
}

/// The type of a match: a string, a tuple of groups, or an object of named groups.
fn shape(regex: &Regex) -> Type {
    let mut names: Vec<&str> = regex.capture_names().flatten().collect();
    names.sort_unstable();
    match regex.captures_len() {
        1 => Type::String,
        _ if !names.is_empty() => {
            let one = |name: &&str| AttributeType { name: (*name).into(), ty: Type::String, optional: None };
            Type::Object(std::sync::Arc::new(names.iter().map(one).collect()))
        }
        count => Type::Tuple(std::sync::Arc::new(vec![Type::String; count - 1])),
    }
}

fn value(regex: &Regex, found: &Captures<'_>, at: &Place) -> Val {
    let group = |matched: Option<regex::Match<'_>>| match matched {
        Some(matched) => string(matched.as_str(), at),
        None => Val::new(Kind::Null(Type::String), at.span),
    };
    if regex.captures_len() == 1 {
        return group(found.get(0));
    }
    if regex.capture_names().flatten().next().is_some() {
        let member = |name: &str| Member { key: name.into(), key_span: at.span, val: group(found.name(name)) };
        return Val::object(regex.capture_names().flatten().map(member).collect(), at.span);
    }
    Val::tuple((1..regex.captures_len()).map(|index| group(found.get(index))).collect(), at.span)
}
