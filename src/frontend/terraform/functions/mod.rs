//! Terraform's functions: one table row each, with the types of its parameters.
//!
//! The row says what is converted, and what null and unknown arguments mean; the code behind it sees arguments that fit.
//! <https://developer.hashicorp.com/terraform/language/functions>

mod charset;
mod collection;
mod csv;
mod encoding;
pub mod filesystem;
mod format;
mod hash;
pub mod json;
mod map;
mod network;
mod number;
mod pattern;
mod regular;
mod rsa;
mod set;
mod text;
mod time;
mod types;
mod yaml;

use std::cell::Cell;
use std::path::Path;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::value::arms::spread;
use super::value::convert::convert;
use super::value::{Kind, Marks, Type, Unknown, Val};
use crate::filesystem::{FileSystem, Reach};
use crate::problem::ProblemKind;
use crate::source::Span;

/// Bytes of text that one expression may produce.
pub const MAX_TEXT: usize = 8 << 20;
/// Elements that one expression may produce.
pub const MAX_ELEMENTS: usize = 100_000;

/// Where a function is called.
pub struct Place<'a> {
    /// The call.
    pub span: Span,
    /// Where files are read.
    pub files: &'a dyn FileSystem,
    /// The root of the scan: nothing outside it is read.
    pub root: &'a Path,
    /// The folder that terraform runs in, that of the root module, relative to the root of the scan: relative paths begin there.
    pub folder: &'a str,
    /// Which files below the root are read.
    pub reach: &'a Reach,
    /// What was there and was not read.
    pub withheld: Cell<Option<Withheld>>,
}

/// A file that terraform would read and gate does not.
pub struct Withheld {
    /// Whether it was missed, or is not meant to be read.
    pub kind: ProblemKind,
    /// What was not read, and why.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

/// A value, or what is wrong.
pub type Answer = Result<Val, String>;

type Code = fn(&[Val], &Place) -> Answer;

/// What a parameter wants.
#[derive(Clone, Copy)]
enum Want {
    Any,
    Bool,
    Number,
    String,
    /// Lists, sets and tuples become lists; of any element type where none is named.
    List(&'static Want),
    Set(&'static Want),
    Map(&'static Want),
}

impl Want {
    fn ty(self) -> Type {
        match self {
            Want::Any => Type::Dynamic,
            Want::Bool => Type::Bool,
            Want::Number => Type::Number,
            Want::String => Type::String,
            Want::List(element) => Type::list(element.ty()),
            Want::Set(element) => Type::set(element.ty()),
            Want::Map(element) => Type::map(element.ty()),
        }
    }
}

/// A parameter.
#[derive(Clone, Copy)]
struct Parameter {
    want: Want,
    takes_null: bool,
    /// The code sees unknown arguments; else they make the result unknown.
    takes_unknown: bool,
    /// An unknown part makes the result unknown too.
    is_whole: bool,
    /// It names a file: a place below `path.cwd` is known to the functions that read it, though not to others.
    is_path: bool,
    /// Which marks the argument gives to the result.
    marks: Given,
}

/// Which marks of an argument become those of the result.
#[derive(Clone, Copy)]
enum Given {
    /// Its own and those of all its parts.
    All,
    /// Its own; those of parts stay with the parts.
    Own,
    /// None: the function is about marks.
    None,
}

impl Parameter {
    const fn of(want: Want) -> Parameter {
        Parameter { want, takes_null: false, takes_unknown: false, is_whole: false, is_path: false, marks: Given::All }
    }

    const fn null(self) -> Parameter {
        Parameter { takes_null: true, ..self }
    }

    const fn unknown(self) -> Parameter {
        Parameter { takes_unknown: true, ..self }
    }

    const fn whole(self) -> Parameter {
        Parameter { is_whole: true, ..self }
    }

    const fn path(self) -> Parameter {
        Parameter { is_path: true, ..self }
    }

    const fn parts(self) -> Parameter {
        Parameter { marks: Given::Own, ..self }
    }

    const fn unmarked(self) -> Parameter {
        Parameter { marks: Given::None, ..self }
    }
}

const ANY: Parameter = Parameter::of(Want::Any);
const NUMBER: Parameter = Parameter::of(Want::Number);
const STRING: Parameter = Parameter::of(Want::String);
const PATH: Parameter = STRING.path();
const LIST: Parameter = Parameter::of(Want::List(&Want::Any));
const STRINGS: Parameter = Parameter::of(Want::List(&Want::String));
const SET: Parameter = Parameter::of(Want::Set(&Want::Any));

/// A function.
struct Function {
    name: &'static str,
    parameters: &'static [Parameter],
    variadic: Option<Parameter>,
    /// The type of an unknown result.
    returns: Want,
    /// The result holds what the first argument holds, but for doubles and empty texts.
    is_keeping: bool,
    code: Code,
}

impl Function {
    const fn keeping(self) -> Function {
        Function { is_keeping: true, ..self }
    }
}

const fn function(name: &'static str, parameters: &'static [Parameter], returns: Want, code: Code) -> Function {
    Function { name, parameters, variadic: None, returns, is_keeping: false, code }
}

const fn variadic(
    name: &'static str,
    parameters: &'static [Parameter],
    rest: Parameter,
    returns: Want,
    code: Code,
) -> Function {
    Function { name, parameters, variadic: Some(rest), returns, is_keeping: false, code }
}

/// The tables, one per subject.
const TABLES: &[&[Function]] = &[
    collection::FUNCTIONS,
    csv::FUNCTIONS,
    encoding::FUNCTIONS,
    filesystem::FUNCTIONS,
    format::FUNCTIONS,
    hash::FUNCTIONS,
    json::FUNCTIONS,
    map::FUNCTIONS,
    network::FUNCTIONS,
    number::FUNCTIONS,
    regular::FUNCTIONS,
    rsa::FUNCTIONS,
    set::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    types::FUNCTIONS,
    yaml::FUNCTIONS,
];

static BY_NAME: LazyLock<FxHashMap<&'static str, &'static Function>> =
    LazyLock::new(|| TABLES.iter().copied().flatten().map(|function| (function.name, function)).collect());

/// Calls a function of terraform's own.
pub fn call(name: &str, arguments: Vec<Val>, place: &Place) -> Answer {
    let function = BY_NAME.get(name).ok_or("there is no function of this name")?;
    let least = function.parameters.len();
    if arguments.len() < least || (arguments.len() > least && function.variadic.is_none()) {
        let more = if function.variadic.is_some() { " or more" } else { "" };
        return Err(format!("wants {least}{more} arguments, got {}", arguments.len()));
    }
    let parameters = function.parameters.iter().chain(function.variadic.iter().cycle());
    let mut marks = Marks::NONE;
    let mut is_open = false;
    let mut values = Vec::with_capacity(arguments.len());
    for (index, (argument, parameter)) in arguments.into_iter().zip(parameters).enumerate() {
        marks = marks.with(match parameter.marks {
            Given::All => argument.deep_marks(),
            Given::Own => argument.marks,
            Given::None => Marks::NONE,
        });
        let nth = index + 1;
        if argument.is_null() && !parameter.takes_null {
            return Err(format!("argument {nth} is null"));
        }
        let mut value = convert(argument, &parameter.want.ty()).map_err(|error| format!("argument {nth}: {error}"))?;
        if parameter.is_path {
            value = filesystem::readable(value);
        }
        is_open |= value.is_unknown() && !parameter.takes_unknown || parameter.is_whole && value.has_unknown();
        values.push(value);
    }
    let result = if is_open { open(function.returns.ty(), &values, place) } else { (function.code)(&values, place)? };
    let result = match values.first() {
        Some(list) if function.is_keeping => collection::with_elements(result, list),
        _ => result,
    };
    // What is not known because of a conditional is what it is in either arm.
    let result = spread(result, &values, &mut |values| call(name, values.to_vec(), place));
    Ok(result.marked(marks))
}

/// What stands for the result of a function that was not given what it reads.
pub fn without(name: &str, withheld: &Withheld, span: Span) -> Val {
    let ty = BY_NAME.get(name).map_or(Type::String, |function| function.returns.ty());
    let reason = withheld.message.as_str().into();
    Val::unknown(Unknown { ty, reason, not_null: true, ..Unknown::default() }, span)
}

/// The result of a function that can't be told from these arguments.
fn open(returns: Type, arguments: &[Val], place: &Place) -> Val {
    super::eval::not_null(Val::depends(returns, &arguments.iter().collect::<Vec<_>>(), place.span))
}

fn text(value: &Val) -> &str {
    value.as_str().unwrap_or("")
}

fn string(text: impl Into<std::sync::Arc<str>>, place: &Place) -> Val {
    Val::string(text, place.span)
}

/// A text as terraform keeps it: in normal form C, below the limit.
fn bounded(text: String, place: &Place) -> Answer {
    if text.len() > MAX_TEXT {
        return Err("the text grows past the limit".into());
    }
    Ok(string(normal(text), place))
}

/// Normal form C, in which terraform keeps every string.
pub fn normal(text: String) -> String {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

/// A whole number between two bounds.
fn whole(value: &Val, least: i64, most: i64) -> Result<i64, String> {
    let number = value.as_number().ok_or("a number is required")?;
    match number.as_i64() {
        Some(int) if (least..=most).contains(&int) => Ok(int),
        Some(_) if most == i64::MAX => Err(format!("a whole number of at least {least} is required")),
        Some(_) => Err(format!("a whole number between {least} and {most} is required")),
        None => Err("a whole number is required".into()),
    }
}

/// Whether what is wrong with a call is that its result is larger than any that is made here: terraform makes it all the same.
pub fn is_limit(message: &str) -> bool {
    message.ends_with(" past the limit") || message.starts_with(&format!("more than {MAX_ELEMENTS} "))
}

/// Refuses results with too many elements.
fn few(count: usize) -> Result<usize, String> {
    if count > MAX_ELEMENTS { Err(format!("more than {MAX_ELEMENTS} elements")) } else { Ok(count) }
}

fn is_sequence(value: &Val) -> bool {
    matches!(value.kind, Kind::List(_) | Kind::Set(_) | Kind::Tuple(_))
}
