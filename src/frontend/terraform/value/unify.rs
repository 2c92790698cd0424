//! What can be converted to what, and the type that values of several types have in common, as `cty` decides both.

use std::cmp::Ordering;
use std::sync::Arc;

use super::convert::bare;
use super::{AttributeType, Type};

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
            sequence_element(items, element).is_some_and(|element| items.iter().all(|item| can_convert(item, &element)))
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| can_convert(a, b))
        }
        (Type::Object(attributes), Type::Map(element)) => {
            let types: Vec<Type> = attributes.iter().map(|one| one.ty.clone()).collect();
            map_element(&types, element).is_some_and(|element| types.iter().all(|ty| can_convert(ty, &element)))
        }
        (Type::Map(element), Type::Object(attributes)) => {
            attributes.iter().all(|one| one.optional.is_some() || can_convert(element, &one.ty))
        }
        (Type::Object(_), Type::Object(attributes)) => {
            attributes.iter().all(|wanted| match from.attribute(&wanted.name) {
                Some(given) => can_convert(&given.ty, &wanted.ty),
                None => wanted.optional.is_some(),
            })
        }
        _ => false,
    }
}

/// The element type of the list or set that a tuple of these types becomes, where `wanted` may leave it open.
pub fn sequence_element(items: &[Type], wanted: &Type) -> Option<Type> {
    if items.is_empty() || *wanted != Type::Dynamic {
        return Some(wanted.clone());
    }
    // Where the common type stays open, all must be open: else two kinds of elements would stand in one list.
    unify(items).filter(|ty| *ty != Type::Dynamic || items.iter().all(|item| *item == Type::Dynamic))
}

/// The element type of the map that an object of these types becomes, where `wanted` may leave it open.
pub fn map_element(attributes: &[Type], wanted: &Type) -> Option<Type> {
    if attributes.is_empty() || *wanted != Type::Dynamic { Some(wanted.clone()) } else { unify(attributes) }
}

/// The type that values of all these types can be converted to.
pub fn unify(types: &[Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|ty| ty == first) {
        return Some(bare(first));
    }
    let mut distinct: Vec<&Type> = Vec::new();
    for ty in types {
        if !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    let types: Vec<Type> = distinct.into_iter().map(bare).collect();
    let types = &types[..];
    let count = |is: fn(&Type) -> bool| types.iter().filter(|ty| is(ty)).count();
    let dynamic = count(|ty| matches!(ty, Type::Dynamic));
    let lists = count(|ty| matches!(ty, Type::List(_)));
    let sets = count(|ty| matches!(ty, Type::Set(_)));
    let maps = count(|ty| matches!(ty, Type::Map(_)));
    let tuples = count(|ty| matches!(ty, Type::Tuple(_)));
    let objects = count(|ty| matches!(ty, Type::Object(_)));
    let is_all = |count: usize| count + dynamic == types.len();
    for (kind, wrap) in [(maps, Type::map as fn(Type) -> Type), (lists, Type::list), (sets, Type::set)] {
        if kind > 0 && is_all(kind) {
            return if dynamic > 0 { Some(Type::Dynamic) } else { collections(types, wrap) };
        }
    }
    if maps > 0 && is_all(maps + objects) {
        if let Some(ty) = as_maps(types) {
            return Some(ty);
        }
    } else if lists > 0 && is_all(lists + tuples) {
        if let Some(ty) = as_lists(types) {
            return Some(ty);
        }
    } else if objects > 0 && is_all(objects) {
        return if dynamic > 0 { Some(Type::Dynamic) } else { alike_objects(types) };
    } else if tuples > 0 && is_all(tuples) {
        return if dynamic > 0 { Some(Type::Dynamic) } else { alike_tuples(types) };
    } else if objects > 0 && tuples > 0 {
        return None;
    }
    general_first(types).into_iter().find(|wanted| types.iter().all(|ty| can_convert(ty, wanted))).cloned()
}

/// The result, if all the types can really be converted to it.
fn reachable(types: &[Type], wanted: Type) -> Option<Type> {
    types.iter().all(|ty| *ty == wanted || can_convert(ty, &wanted)).then_some(wanted)
}

fn collections(types: &[Type], wrap: fn(Type) -> Type) -> Option<Type> {
    let elements: Option<Vec<Type>> = types.iter().map(|ty| ty.element().cloned()).collect();
    reachable(types, wrap(unify(&elements?)?))
}

/// Objects among maps are maps themselves, if their attributes allow it.
fn as_maps(types: &[Type]) -> Option<Type> {
    let (objects, maps): (Vec<Type>, Vec<Type>) = types.iter().cloned().partition(|ty| matches!(ty, Type::Object(_)));
    let map = objects_to_map(&objects)?;
    let all: Vec<Type> = maps.into_iter().chain([map]).collect();
    unify(&all).filter(|ty| matches!(ty, Type::Map(_)))
}

/// Tuples among lists are lists themselves, if their elements allow it.
fn as_lists(types: &[Type]) -> Option<Type> {
    let (tuples, lists): (Vec<Type>, Vec<Type>) = types.iter().cloned().partition(|ty| matches!(ty, Type::Tuple(_)));
    let list = tuples_to_list(&tuples)?;
    let all: Vec<Type> = lists.into_iter().chain([list]).collect();
    unify(&all).filter(|ty| matches!(ty, Type::List(_)))
}

/// Objects with the same attributes stay objects; others become a map.
fn alike_objects(types: &[Type]) -> Option<Type> {
    let Some(Type::Object(first)) = types.first() else { return None };
    let is_alike = |ty: &Type| matches!(ty, Type::Object(other) if other.len() == first.len() && other.iter().zip(first.iter()).all(|(a, b)| a.name == b.name));
    if !types.iter().all(is_alike) {
        return objects_to_map(types);
    }
    let mut attributes = Vec::with_capacity(first.len());
    for attribute in first.iter() {
        let all: Option<Vec<Type>> =
            types.iter().map(|ty| ty.attribute(&attribute.name).map(|one| one.ty.clone())).collect();
        attributes.push(AttributeType { name: attribute.name.clone(), ty: unify(&all?)?, optional: None });
    }
    reachable(types, Type::Object(Arc::new(attributes))).or_else(|| objects_to_map(types))
}

fn objects_to_map(types: &[Type]) -> Option<Type> {
    let attributes: Vec<Type> = types
        .iter()
        .filter_map(|ty| if let Type::Object(attributes) = ty { Some(attributes) } else { None })
        .flat_map(|attributes| attributes.iter().map(|one| one.ty.clone()))
        .collect();
    reachable(types, Type::map(unify(&attributes)?))
}

/// Tuples of one length stay tuples; others become a list.
fn alike_tuples(types: &[Type]) -> Option<Type> {
    let tuples: Option<Vec<&Arc<Vec<Type>>>> =
        types.iter().map(|ty| if let Type::Tuple(items) = ty { Some(items) } else { None }).collect();
    let tuples = tuples?;
    let len = tuples.first()?.len();
    if tuples.iter().any(|items| items.len() != len) {
        return tuples_to_list(types);
    }
    let items: Option<Vec<Type>> =
        (0..len).map(|index| unify(&tuples.iter().map(|items| items[index].clone()).collect::<Vec<_>>())).collect();
    reachable(types, Type::Tuple(Arc::new(items?))).or_else(|| tuples_to_list(types))
}

fn tuples_to_list(types: &[Type]) -> Option<Type> {
    let items: Vec<Type> = types
        .iter()
        .filter_map(|ty| if let Type::Tuple(items) = ty { Some(items) } else { None })
        .flat_map(|items| items.iter().cloned())
        .collect();
    reachable(types, Type::list(unify(&items)?))
}

/// The types, those first to which more can be converted; types that can't be compared keep their order.
fn general_first(types: &[Type]) -> Vec<&Type> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); types.len()];
    let mut above = vec![0usize; types.len()];
    for i in 0..types.len() {
        for j in i + 1..types.len() {
            match preference(&types[i], &types[j]) {
                Ordering::Less => {
                    below[i].push(j);
                    above[j] += 1;
                }
                Ordering::Greater => {
                    below[j].push(i);
                    above[i] += 1;
                }
                Ordering::Equal => {}
            }
        }
    }
    let mut order: Vec<usize> = (0..types.len()).filter(|index| above[*index] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        for index in std::mem::take(&mut below[order[next]]) {
            above[index] -= 1;
            if above[index] == 0 {
                order.push(index);
            }
        }
        next += 1;
    }
    order.into_iter().map(|index| &types[index]).collect()
}

/// Less where `a` is the more general type.
fn preference(a: &Type, b: &Type) -> Ordering {
    let all = |pairs: &mut dyn Iterator<Item = Ordering>| {
        let found: Vec<Ordering> = pairs.collect();
        match (found.contains(&Ordering::Less), found.contains(&Ordering::Greater)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    };
    match (a, b) {
        // What is open will most likely turn out to be what stands beside it.
        (Type::Dynamic, Type::Dynamic) => Ordering::Equal,
        (Type::Dynamic, _) => Ordering::Greater,
        (_, Type::Dynamic) => Ordering::Less,
        (Type::String, Type::Bool | Type::Number) => Ordering::Less,
        (Type::Bool | Type::Number, Type::String) => Ordering::Greater,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            preference(a, b)
        }
        (Type::List(_) | Type::Tuple(_), Type::Set(_)) | (Type::List(_), Type::Tuple(_)) => Ordering::Less,
        (Type::Set(_), Type::List(_) | Type::Tuple(_)) | (Type::Tuple(_), Type::List(_)) => Ordering::Greater,
        (Type::Map(_), Type::Object(_)) => Ordering::Less,
        (Type::Object(_), Type::Map(_)) => Ordering::Greater,
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            all(&mut a.iter().zip(b.iter()).map(|(a, b)| preference(a, b)))
        }
        (Type::Object(a), Type::Object(b))
            if a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.name == b.name) =>
        {
            all(&mut a.iter().zip(b.iter()).map(|(a, b)| preference(&a.ty, &b.ty)))
        }
        _ => Ordering::Equal,
    }
}
