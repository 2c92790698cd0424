//! Conversion to a type, and the type that several can be converted to, as `cty`'s `convert` package does both.

use std::sync::Arc;

use super::{AttributeType, Kind, Member, Members, Number, Type, Unknown, Val};

/// The value as one of type `ty`; else why it can't be. Parts of `ty` that are dynamic take any value, but the elements of one
/// collection must agree on a type.
pub fn convert(val: Val, ty: &Type) -> Result<Val, String> {
    if let Type::Dynamic = ty {
        return Ok(val);
    }
    let kind = match &val.kind {
        Kind::Null(_) => Kind::Null(ty.clone()),
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
                let (ty, items) = elements(&val, element, "list")?;
                return Ok(carry(&val, Val::list(ty, items, val.span)));
            }
            (Type::Set(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
                let (ty, items) = elements(&val, element, "set")?;
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
            _ => return Err(format!("{} is required, here is {}", ty.noun(), val.ty().noun())),
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
        prefix: unknown.prefix.clone().filter(|_| keeps_text),
        template: unknown.template.clone().filter(|_| keeps_text),
        arms,
        ..unknown.clone()
    };
    Ok(val.clone().with_kind(Kind::Unknown(Arc::new(unknown))))
}

/// The type of an unknown of type `from` after conversion to `to`: what `to` leaves open, `from` may tell.
fn resolve(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (_, Type::Dynamic) => from.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(resolve(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(resolve(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(resolve(a, b)),
        _ => to.clone(),
    }
}

fn elements(val: &Val, element: &Type, what: &str) -> Result<(Type, Vec<Val>), String> {
    let items = val.items();
    let ty = match (element, &val.kind) {
        (Type::Dynamic, Kind::List(elements) | Kind::Set(elements)) => elements.ty.clone(),
        (Type::Dynamic, _) => {
            common(items.iter()).ok_or_else(|| format!("all {what} elements must have the same type"))?
        }
        _ => element.clone(),
    };
    let ty_known = if element.has_dynamic() && !matches!(element, Type::Dynamic) {
        // `list(list(any))`: the elements must agree once each is converted.
        let converted: Result<Vec<Val>, String> = items.iter().map(|item| convert(item.clone(), element)).collect();
        let converted = converted?;
        common(converted.iter()).ok_or_else(|| format!("all {what} elements must have the same type"))?
    } else {
        ty
    };
    let items: Result<Vec<Val>, String> = items.iter().map(|item| convert(item.clone(), &ty_known)).collect();
    Ok((bare(&ty_known), items?))
}

/// The type that all values can be converted to; dynamic for none.
fn common<'v>(items: impl Iterator<Item = &'v Val>) -> Option<Type> {
    let types: Vec<Type> = items.filter(|item| !matches!(&item.kind, Kind::Null(Type::Dynamic))).map(Val::ty).collect();
    if types.is_empty() { Some(Type::Dynamic) } else { unify(&types) }
}

fn map(val: &Val, element: &Type) -> Result<Kind, String> {
    let members = val.members();
    let ty = match (element, &val.kind) {
        (Type::Dynamic, Kind::Map(members)) => members.ty.clone(),
        (Type::Dynamic, _) => {
            common(members.iter().map(|member| &member.val)).ok_or("all map elements must have the same type")?
        }
        _ if element.has_dynamic() => {
            let converted: Result<Vec<Val>, String> =
                members.iter().map(|member| convert(member.val.clone(), element)).collect();
            common(converted?.iter()).ok_or("all map elements must have the same type")?
        }
        _ => element.clone(),
    };
    let items: Result<Vec<Member>, String> = members
        .iter()
        .map(|member| {
            let val =
                convert(member.val.clone(), &ty).map_err(|error| format!("element \"{}\": {error}", member.key))?;
            Ok(Member { val, ..member.clone() })
        })
        .collect();
    Ok(Kind::Map(Arc::new(Members { ty: bare(&ty), items: items?, open: None })))
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
        reason: "known after apply".into(),
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

/// Whether some value of type `from` may be converted to `to`.
pub fn can_convert(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::Bool, Type::Number) | (Type::Number, Type::Bool) => false,
        (from, to) if from.is_primitive() && to.is_primitive() => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            can_convert(a, b)
        }
        (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
            items.iter().all(|item| can_convert(item, element))
                && (!element.has_dynamic() || items.is_empty() || unify(items).is_some())
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| can_convert(a, b))
        }
        (Type::Object(attributes), Type::Map(element)) => {
            let types: Vec<Type> = attributes.iter().map(|one| one.ty.clone()).collect();
            types.iter().all(|ty| can_convert(ty, element))
                && (!element.has_dynamic() || types.is_empty() || unify(&types).is_some())
        }
        (Type::Map(element), Type::Object(attributes)) => attributes.iter().all(|one| can_convert(element, &one.ty)),
        (Type::Object(_), Type::Object(attributes)) => {
            attributes.iter().all(|wanted| match from.attribute(&wanted.name) {
                Some(given) => can_convert(&given.ty, &wanted.ty),
                None => wanted.optional.is_some(),
            })
        }
        _ => false,
    }
}

/// The type that values of all these types can be converted to.
pub fn unify(types: &[Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|ty| ty == first) {
        return Some(bare(first));
    }
    let count = |is: fn(&Type) -> bool| types.iter().filter(|ty| is(ty)).count();
    let dynamic = count(|ty| matches!(ty, Type::Dynamic));
    let lists = count(|ty| matches!(ty, Type::List(_)));
    let sets = count(|ty| matches!(ty, Type::Set(_)));
    let maps = count(|ty| matches!(ty, Type::Map(_)));
    let tuples = count(|ty| matches!(ty, Type::Tuple(_)));
    let objects = count(|ty| matches!(ty, Type::Object(_)));
    let is_all = |count: usize| count > 0 && count + dynamic == types.len();
    if dynamic > 0 && [lists, sets, maps, tuples, objects].into_iter().any(is_all) {
        return Some(Type::Dynamic);
    }
    let elements = || -> Option<Type> {
        let all: Vec<Type> = types.iter().flat_map(element_types).collect();
        if all.is_empty() { Some(Type::Dynamic) } else { unify(&all) }
    };
    if is_all(maps) || (maps > 0 && is_all(maps + objects)) {
        return elements().map(Type::map);
    }
    if is_all(lists) || (lists > 0 && is_all(lists + tuples)) {
        return elements().map(Type::list);
    }
    if is_all(sets) {
        return elements().map(Type::set);
    }
    if is_all(objects) {
        return unify_objects(types).or_else(|| elements().map(Type::map));
    }
    if is_all(tuples) {
        return unify_tuples(types).or_else(|| elements().map(Type::list));
    }
    if dynamic > 0 {
        return Some(Type::Dynamic);
    }
    // The first type, the most general ones before others, that all can be converted to.
    let generality = |ty: &&Type| match ty {
        Type::String => 0,
        Type::Number | Type::Bool => 1,
        Type::List(_) | Type::Map(_) => 2,
        Type::Set(_) => 3,
        _ => 4,
    };
    let mut preferred: Vec<&Type> = types.iter().collect();
    preferred.sort_by_key(generality);
    preferred.into_iter().find(|wanted| types.iter().all(|ty| can_convert(ty, wanted))).map(bare)
}

fn element_types(ty: &Type) -> Vec<Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => vec![(**element).clone()],
        Type::Tuple(items) => items.to_vec(),
        Type::Object(attributes) => attributes.iter().map(|one| one.ty.clone()).collect(),
        _ => Vec::new(),
    }
}

fn unify_objects(types: &[Type]) -> Option<Type> {
    let Some(Type::Object(first)) = types.first() else { return None };
    let mut attributes = Vec::with_capacity(first.len());
    for attribute in first.iter() {
        let all: Option<Vec<Type>> =
            types.iter().map(|ty| ty.attribute(&attribute.name).map(|one| one.ty.clone())).collect();
        attributes.push(AttributeType { name: attribute.name.clone(), ty: unify(&all?)?, optional: None });
    }
    let same_size = types.iter().all(|ty| matches!(ty, Type::Object(other) if other.len() == first.len()));
    same_size.then(|| Type::Object(Arc::new(attributes)))
}

fn unify_tuples(types: &[Type]) -> Option<Type> {
    let Some(Type::Tuple(first)) = types.first() else { return None };
    let mut items = Vec::with_capacity(first.len());
    for index in 0..first.len() {
        let all: Option<Vec<Type>> = types
            .iter()
            .map(|ty| match ty {
                Type::Tuple(items) if items.len() == first.len() => items.get(index).cloned(),
                _ => None,
            })
            .collect();
        items.push(unify(&all?)?);
    }
    types
        .iter()
        .all(|ty| matches!(ty, Type::Tuple(items) if items.len() == first.len()))
        .then(|| Type::Tuple(Arc::new(items)))
}
