//! Maps and objects.

use std::sync::Arc;

use super::collection::{OPEN, PARTS};
use super::{
    Answer, Function, Parameter, Place, STRING, STRINGS, Val, Want, few, function, open, string, text, variadic,
};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Elements, Kind, Marks, Member, Sort, Type};

const LISTS: Parameter = Parameter::of(Want::Map(&Want::List(&Want::String)));

pub(super) const FUNCTIONS: &[Function] = &[
    function("keys", &[PARTS], Want::Any, keys),
    variadic("lookup", &[PARTS, STRING.unknown()], OPEN.unmarked(), Want::Any, lookup),
    variadic("merge", &[], OPEN.unmarked(), Want::Any, |a, at| {
        // A null adds nothing, its marks included.
        let marks = a.iter().filter(|one| !one.is_null()).fold(Marks::NONE, |marks, one| marks.with(one.marks));
        merge(a, at).map(|val| val.marked(marks))
    }),
    function("transpose", &[LISTS.whole()], Want::Map(&Want::List(&Want::String)), transpose),
    function("values", &[PARTS], Want::Any, values),
    function("zipmap", &[STRINGS, PARTS], Want::Any, zipmap),
];

fn only_map(value: &Val, what: &str) -> Result<(), String> {
    match value.sort() {
        Sort::Map | Sort::Object | Sort::Dynamic => Ok(()),
        other => Err(format!("{what} wants a map or an object, here is {}", other.noun())),
    }
}

fn keys(arguments: &[Val], at: &Place) -> Answer {
    only_map(&arguments[0], "keys")?;
    let key = |member: &Member| Val::string(member.key.clone(), member.key_span);
    let all: Vec<Val> = arguments[0].members().iter().map(key).collect();
    Ok(match &arguments[0].kind {
        Kind::Map(_) => Val::list(Type::String, all, at.span),
        Kind::Object(_) => Val::tuple(all, at.span),
        Kind::Unknown(unknown) => match &unknown.ty {
            // The attributes of an object are known with its type.
            Type::Object(attributes) => {
                Val::tuple(attributes.iter().map(|one| string(one.name.clone(), at)).collect(), at.span)
            }
            Type::Map(_) => open(Type::list(Type::String), arguments, at),
            _ => open(Type::Dynamic, arguments, at),
        },
        _ => return Err("wants a map".into()),
    })
}

fn values(arguments: &[Val], at: &Place) -> Answer {
    only_map(&arguments[0], "values")?;
    let all: Vec<Val> = arguments[0].members().iter().map(|member| member.val.clone()).collect();
    Ok(match &arguments[0].kind {
        Kind::Map(members) => Val::list(members.ty.clone(), all, at.span),
        Kind::Object(_) => Val::tuple(all, at.span),
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Map(element) => open(Type::list((**element).clone()), arguments, at),
            _ => open(Type::Dynamic, arguments, at),
        },
        _ => return Err("wants a map".into()),
    })
}

fn lookup(arguments: &[Val], at: &Place) -> Answer {
    let [map, key, rest @ ..] = arguments else { return Err("wants a map and a key".into()) };
    if rest.len() > 1 {
        return Err("wants a map, a key and perhaps a default".into());
    }
    only_map(map, "lookup")?;
    let default = match (map.element_ty(), rest.first()) {
        (Some(element), Some(default)) => {
            let default = convert(default.clone(), element);
            Some(default.map_err(|_| "the default must have the type of the map's elements")?)
        }
        (_, default) => default.cloned(),
    };
    if map.is_unknown() || key.is_unknown() {
        return Ok(Val::depends(map.element_ty().cloned().unwrap_or_default(), &[map, key], at.span));
    }
    match (map.member(text(key)), default) {
        (Some(value), _) => Ok(value.clone()),
        (None, _) if matches!(&map.kind, Kind::Object(members) if members.open.is_some()) => {
            Ok(open(Type::Dynamic, arguments, at))
        }
        (None, Some(default)) => Ok(default),
        (None, None) => Err(format!("there is no key {:?} and no default", text(key))),
    }
}

fn merge(arguments: &[Val], at: &Place) -> Answer {
    let mut types: Vec<Type> = Vec::new();
    for argument in arguments {
        match argument.ty() {
            // A plain null leaves the type of the result open.
            Type::Dynamic => {
                types.push(Type::Dynamic);
                break;
            }
            ty @ (Type::Map(_) | Type::Object(_)) => types.push(ty),
            other => return Err(format!("wants maps or objects, here is {}", other.noun())),
        }
    }
    let mut members: Vec<Member> = Vec::new();
    for argument in arguments {
        match &argument.kind {
            Kind::Null(_) => continue,
            Kind::Object(map) if map.open.is_some() => return Ok(open(Type::Dynamic, arguments, at)),
            Kind::Unknown(_) => return Ok(merged(arguments, at)),
            Kind::Map(_) | Kind::Object(_) => {}
            _ => return Err(format!("wants maps or objects, here is {}", argument.sort().noun())),
        }
        few(members.len() + argument.members().len())?;
        members.extend(argument.members().iter().cloned());
    }
    // Maps of one type stay a map; anything else makes an object.
    match types.split_first() {
        Some((Type::Map(element), rest)) if rest.iter().all(|ty| *ty == types[0]) => {
            Ok(Val::map((**element).clone(), members, at.span))
        }
        _ => Ok(Val::object(members, at.span)),
    }
}

/// Maps of which some are not known. Rules still see the members that are, in the structure of the result.
fn merged(arguments: &[Val], at: &Place) -> Val {
    let mut members = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let later = arguments[index + 1..].iter().find(|later| later.is_unknown() && later.sort() != Sort::Object);
        members.extend(argument.known_members().iter().map(|member| match later {
            // There is such a member, though an unknown map that comes later may replace it.
            Some(later) => Member { val: Val::depends(Type::Dynamic, &[later], member.val.span), ..member.clone() },
            None => member.clone(),
        }));
    }
    let result = open(Type::Dynamic, arguments, at);
    if members.is_empty() { result } else { result.made_from(Val::object(members, at.span)) }
}

fn transpose(arguments: &[Val], at: &Place) -> Answer {
    let mut turned: std::collections::BTreeMap<Arc<str>, Vec<Val>> = Default::default();
    for member in arguments[0].members() {
        if member.val.is_null() {
            return Err(format!("the list of {:?} is null", member.key));
        }
        for item in member.val.items() {
            let key = item.to_text().ok_or("a list holds null")?;
            turned.entry(key).or_default().push(Val::string(member.key.clone(), member.key_span));
        }
    }
    let ty = Type::list(Type::String);
    let members = turned.into_iter().map(|(key, mut names)| {
        names.sort_by(|a, b| text(a).cmp(text(b)));
        let names = Elements { ty: Type::String, items: names };
        Member { key, key_span: at.span, val: Val::new(Kind::List(names.into()), at.span) }
    });
    Ok(Val::map(ty, members.collect(), at.span))
}

fn zipmap(arguments: &[Val], at: &Place) -> Answer {
    let (keys, values) = (&arguments[0], &arguments[1]);
    match values.sort() {
        Sort::List | Sort::Tuple | Sort::Dynamic => {}
        other => return Err(format!("wants a list or tuple of values, here is {}", other.noun())),
    }
    if values.is_unknown() || keys.has_unknown() {
        return Ok(open(values.element_ty().map_or(Type::Dynamic, |ty| Type::map(ty.clone())), arguments, at));
    }
    if keys.items().len() != values.items().len() {
        return Err("keys and values must be of one length".into());
    }
    let mut members = Vec::new();
    for (key, value) in keys.items().iter().zip(values.items()) {
        let text = key.to_text().ok_or("a key is null")?;
        members.push(Member { key: text, key_span: key.span, val: value.clone() });
    }
    Ok(match &values.kind {
        Kind::List(elements) => Val::map(elements.ty.clone(), members, at.span),
        _ => Val::object(members, at.span),
    })
}
