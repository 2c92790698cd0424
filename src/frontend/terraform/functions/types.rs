//! Conversions and marks.

use super::{ANY, Answer, Function, Place, Val, Want, function, open, variadic};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::unify::unify;
use crate::frontend::terraform::value::{Kind, Marks, Type, Unknown};

const OPEN: super::Parameter = ANY.null().unknown().parts();

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("coalesce", &[ANY.null().unknown()], ANY.null().unknown(), Want::Any, coalesce),
    function("ephemeralasnull", &[OPEN.unmarked()], Want::Any, |a, _| Ok(as_null(&a[0]))),
    function("issensitive", &[OPEN.unmarked()], Want::Bool, |a, at| match a[0].marks.has(Marks::SENSITIVE) {
        // What is not known may become sensitive yet, but never stops being so.
        false if a[0].is_unknown() => Ok(open(Type::Bool, a, at)),
        is_sensitive => Ok(Val::bool(is_sensitive, at.span)),
    }),
    function("nonsensitive", &[OPEN.unmarked()], Want::Any, |a, _| Ok(a[0].clone().own_unmarked(Marks::SENSITIVE))),
    function("sensitive", &[OPEN], Want::Any, |a, _| Ok(a[0].clone().marked(Marks::SENSITIVE))),
    function("tobool", &[OPEN], Want::Bool, |a, at| converted(a, at, Type::Bool)),
    function("tolist", &[OPEN], Want::List(&Want::Any), |a, at| converted(a, at, Type::list(Type::Dynamic))),
    function("tomap", &[OPEN], Want::Map(&Want::Any), |a, at| converted(a, at, Type::map(Type::Dynamic))),
    function("tonumber", &[OPEN], Want::Number, |a, at| converted(a, at, Type::Number)),
    function("toset", &[OPEN], Want::Set(&Want::Any), |a, at| converted(a, at, Type::set(Type::Dynamic))),
    function("tostring", &[OPEN], Want::String, |a, at| converted(a, at, Type::String)),
];

fn converted(arguments: &[Val], at: &Place, ty: Type) -> Answer {
    let val = convert(arguments[0].clone(), &ty)?.at(at.span);
    // That it will not be null is not told of what is converted.
    Ok(match &val.kind {
        // Nor the type of its elements.
        Kind::Unknown(unknown) => {
            let ty = if ty.is_primitive() { unknown.ty.clone() } else { ty };
            let unknown = Unknown { ty, not_null: false, ..(**unknown).clone() };
            val.with_kind(Kind::Unknown(unknown.into()))
        }
        _ => val,
    })
}

/// Ephemeral values, at any depth, as null.
fn as_null(value: &Val) -> Val {
    if value.marks.has(Marks::EPHEMERAL) {
        return Val::new(Kind::Null(value.ty()), value.span).marked(value.marks.without(Marks::EPHEMERAL));
    }
    match value.deep_marks().has(Marks::EPHEMERAL) {
        true => value.clone().with_kind(value.map_parts(None, &as_null)),
        false => value.clone(),
    }
}

/// The first argument that is neither null nor an empty string, as the type that all can be converted to.
fn coalesce(arguments: &[Val], at: &Place) -> Answer {
    let types: Vec<Type> = arguments.iter().map(Val::ty).collect();
    let ty = unify(&types).ok_or("the arguments have types that do not go together")?;
    for argument in arguments {
        if argument.is_unknown() {
            return Ok(open(ty, std::slice::from_ref(argument), at));
        }
        let value = convert(argument.clone(), &ty)?;
        let is_empty_text = ty == Type::String && value.as_str() == Some("") && value.marks == Marks::NONE;
        if !value.is_null() && !is_empty_text {
            return Ok(value);
        }
    }
    Err("every argument is null or empty".into())
}
