//! Conversion of a value to a type, as `cty` converts.

use std::sync::Arc;

use super::unify::{can_convert, map_element, sequence_element, unify};
use super::{AFTER_APPLY, AttributeType, Kind, Member, Members, Number, Type, Unknown, Val};

/// The value as one of type `ty`; else why it can't be. Parts of `ty` that are dynamic take any value, but the elements of one
/// collection must agree on a type.
pub fn convert(val: Val, ty: &Type) -> Result<Val, String> {
    if let Type::Dynamic = ty {
        return Ok(val);
    }
    // What is of the type already stays as it is, shared with whoever has it.
    let is_there = match (&val.kind, ty) {
        (Kind::List(have), Type::List(wanted)) | (Kind::Set(have), Type::Set(wanted)) => have.ty == **wanted,
        (Kind::Map(have), Type::Map(wanted)) => have.ty == **wanted,
        _ => false,
    };
    if is_there && ty.is_settled() {
        return Ok(val);
    }
    let kind = match &val.kind {
        Kind::Null(from) if *from != Type::Dynamic && !can_convert(from, ty) => {
            return Err(format!("{} is required, here is {}", ty.noun(), from.noun()));
        }
        Kind::Null(from) => Kind::Null(bare(&resolve(from, ty))),
        Kind::Unknown(unknown) => return convert_unknown(&val, unknown, ty),
        kind => match (ty, kind) {
            (Type::Bool, Kind::Bool(_)) | (Type::Number, Kind::Number(_)) | (Type::String, Kind::String(_)) => {
                return Ok(val);
            }
            (Type::String, Kind::Number(_) | Kind::Bool(_)) => {
                Kind::String(val.to_text().expect("numbers and booleans have a text"))
            }
            (Type::Number, Kind::String(text)) => Kind::Number(Number::parse(text).ok_or("a number is required")?),
            (Type::Bool, Kind::String(text)) => Kind::Bool(match &**text {
                "true" | "1" => true,
                "false" | "0" => false,
                "True" | "TRUE" | "False" | "FALSE" => {
                    return Err(
                        "a bool is required; to convert from string, use lowercase \"true\" or \"false\"".into()
                    );
                }
                _ => return Err("a bool is required".into()),
            }),
            (Type::List(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
                let (ty, items) = elements(&val, element, true)?;
                // How many there are, and in which order, is told once all are known: two may be the same.
                if matches!(val.kind, Kind::Set(_)) && items.len() > 1 && val.has_unknown() {
                    let open = Val::depends(Type::list(ty), &[&val], val.span);
                    return Ok(carry(&val, open).made_from(Val::tuple(items, val.span)));
                }
                return Ok(carry(&val, Val::list(ty, items, val.span)));
            }
            (Type::Set(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
                let (ty, items) = elements(&val, element, false)?;
                // A set's marks are those of all its elements: an element can't be told from the others.
                let marks = items.iter().fold(val.marks, |marks, item| marks.with(item.deep_marks()));
                return Ok(carry(&val, Val::set(ty, items, val.span)).marked(marks));
            }
            (Type::Map(element), Kind::Map(_) | Kind::Object(_)) => map(&val, element)?,
            (Type::Object(attributes), Kind::Map(_) | Kind::Object(_)) => object(&val, attributes)?,
            (Type::Tuple(types), Kind::Tuple(items)) => {
                if types.len() != items.len() {
                    return Err(format!("a tuple of {} elements is required, here are {}", types.len(), items.len()));
                }
                let items: Result<Vec<Val>, String> =
                    items.iter().zip(types.iter()).map(|(item, ty)| convert(item.clone(), ty)).collect();
                Kind::Tuple(Arc::new(items?))
            }
            _ => return Err(format!("{} is required, here is {}", ty.noun(), val.sort().noun())),
        },
    };
    Ok(val.with_kind(kind))
}

fn carry(from: &Val, to: Val) -> Val {
    from.clone().with_kind(to.kind)
}

fn convert_unknown(val: &Val, unknown: &Unknown, ty: &Type) -> Result<Val, String> {
    if !can_convert(&unknown.ty, ty) {
        return Err(format!("{} is required, here is {}", ty.noun(), unknown.ty.noun()));
    }
    if unknown.ty == *ty {
        return Ok(val.clone());
    }
    let keeps_text = matches!((&unknown.ty, ty), (Type::Dynamic | Type::String, Type::String));
    let arms = unknown.arms.as_ref().and_then(|arms| {
        let [a, b] = &**arms;
        Some(Arc::new([convert(a.clone(), ty).ok()?, convert(b.clone(), ty).ok()?]))
    });
    let arms: Option<Arc<[Val; 2]>> = arms;
    let unknown = Unknown {
        ty: resolve(&unknown.ty, ty),
        not_empty: unknown.not_empty && keeps_text,
        prefix: unknown.prefix.clone().filter(|_| keeps_text),
        template: unknown.template.clone().filter(|_| keeps_text),
        arms,
        ..unknown.clone()
    };
    Ok(val.clone().with_kind(Kind::Unknown(Arc::new(unknown))))
}

/// The type of a null or unknown of type `from` after conversion to `to`: what `to` leaves open, `from` may tell.
fn resolve(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (_, Type::Dynamic) => from.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(resolve(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(resolve(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(resolve(a, b)),
        (Type::Tuple(items), Type::List(element)) => {
            Type::list(sequence_element(items, element).unwrap_or_else(|| (**element).clone()))
        }
        (Type::Tuple(items), Type::Set(element)) => {
            Type::set(sequence_element(items, element).unwrap_or_else(|| (**element).clone()))
        }
        _ => to.clone(),
    }
}

/// The elements of a list, set or tuple as those of a list or set, and their type.
fn elements(val: &Val, wanted: &Type, is_list: bool) -> Result<(Type, Vec<Val>), String> {
    let items = val.items();
    let disagree = || "the elements can't all be of one type".to_string();
    if let Kind::List(elements) | Kind::Set(elements) = &val.kind {
        if items.is_empty() && !can_convert(&elements.ty, wanted) {
            return Err(format!(
                "elements of another type: {} is required, here is {}",
                wanted.noun(),
                elements.ty.noun()
            ));
        }
        if *wanted == Type::Dynamic || items.is_empty() {
            return Ok((bare(&resolve(&elements.ty, wanted)), items.to_vec()));
        }
        let items = converted(items, wanted)?;
        return Ok((agreed(&items).ok_or_else(disagree)?, items));
    }
    let types: Vec<Type> = items.iter().map(Val::ty).collect();
    let element = sequence_element(&types, wanted).ok_or_else(disagree)?;
    if items.is_empty() {
        return Ok((bare(&element), Vec::new()));
    }
    let mut items = converted(items, &element)?;
    if is_list && element.has_dynamic() {
        let types: Vec<Type> = items.iter().map(Val::ty).collect();
        items = converted(&items, &unify(&types).ok_or_else(disagree)?)?;
    }
    Ok((agreed(&items).ok_or_else(disagree)?, items))
}

fn converted(items: &[Val], ty: &Type) -> Result<Vec<Val>, String> {
    items.iter().map(|item| convert(item.clone(), ty)).collect()
}

/// The one type that all parts of a collection have; parts of open type fit to any.
fn agreed<'v>(parts: impl IntoIterator<Item = &'v Val>) -> Option<Type> {
    let mut agreed = Type::Dynamic;
    for part in parts {
        let ty = part.ty();
        if agreed == Type::Dynamic {
            agreed = ty;
        } else if ty != Type::Dynamic && ty != agreed {
            return None;
        }
    }
    Some(agreed)
}

fn map(val: &Val, wanted: &Type) -> Result<Kind, String> {
    let members = val.members();
    let disagree = || "the elements can't all be of one type".to_string();
    let element = match &val.kind {
        Kind::Map(map) if *wanted == Type::Dynamic || members.is_empty() => {
            let ty = bare(&resolve(&map.ty, wanted));
            return Ok(Kind::Map(Arc::new(Members { ty, ..(**map).clone() })));
        }
        Kind::Map(_) => wanted.clone(),
        _ => {
            let types: Vec<Type> = members.iter().map(|member| member.val.ty()).collect();
            map_element(&types, wanted).ok_or_else(disagree)?
        }
    };
    let each = |members: &[Member], ty: &Type| -> Result<Vec<Member>, String> {
        let one = |member: &Member| {
            let val =
                convert(member.val.clone(), ty).map_err(|error| format!("element \"{}\": {error}", member.key))?;
            Ok(Member { val, ..member.clone() })
        };
        members.iter().map(one).collect()
    };
    let mut items = each(members, &element)?;
    if element.has_dynamic() && element != Type::Dynamic && !items.is_empty() {
        let types: Vec<Type> = items.iter().map(|member| member.val.ty()).collect();
        items = each(&items, &unify(&types).ok_or_else(disagree)?)?;
    }
    let ty = match items.is_empty() {
        true => bare(&element),
        false => agreed(items.iter().map(|member| &member.val)).ok_or_else(disagree)?,
    };
    Ok(Kind::Map(Arc::new(Members { ty, items, ..Members::default() })))
}

fn object(val: &Val, attributes: &[AttributeType]) -> Result<Kind, String> {
    let open = match &val.kind {
        Kind::Object(members) => members.open.clone(),
        _ => None,
    };
    let mut items = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let name = &attribute.name;
        let default = || match &attribute.optional {
            Some(Some(default)) => Ok(default.clone()),
            Some(None) => Ok(Val::new(Kind::Null(attribute.ty.clone()), val.span)),
            None => Err(format!("attribute \"{name}\" is required")),
        };
        let members = val.members();
        let given = members.binary_search_by(|member| member.key.cmp(name)).ok().map(|index| &members[index]);
        let value = match given {
            Some(member) if member.val.is_null() && matches!(attribute.optional, Some(Some(_))) => default()?,
            Some(member) => member.val.clone(),
            None => match &open {
                Some(open) => after_apply(open, name, val.span),
                None => default()?,
            },
        };
        let value = convert(value, &attribute.ty).map_err(|error| format!("attribute \"{name}\": {error}"))?;
        let key_span = given.map_or(val.span, |member| member.key_span);
        items.push(Member { key: name.clone(), key_span, val: value });
    }
    Ok(Kind::Object(Arc::new(Members { items, ..Members::default() })))
}

/// An attribute that the provider computes.
pub fn after_apply(resource: &str, attribute: &str, span: crate::source::Span) -> Val {
    let unknown = Unknown {
        reason: AFTER_APPLY.into(),
        references: vec![format!("{resource}.{attribute}").into()],
        not_null: true,
        ..Unknown::default()
    };
    Val::unknown(unknown, span)
}

/// A type without what a constraint adds.
pub fn bare(ty: &Type) -> Type {
    match ty {
        Type::List(element) => Type::list(bare(element)),
        Type::Set(element) => Type::set(bare(element)),
        Type::Map(element) => Type::map(bare(element)),
        Type::Tuple(items) => Type::Tuple(Arc::new(items.iter().map(bare).collect())),
        Type::Object(attributes) => {
            let one = |one: &AttributeType| AttributeType { name: one.name.clone(), ty: bare(&one.ty), optional: None };
            Type::Object(Arc::new(attributes.iter().map(one).collect()))
        }
        other => other.clone(),
    }
}
