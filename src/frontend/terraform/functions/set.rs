//! Sets.

use super::collection::{is_untyped, known_parts};
use super::{ANY, Answer, Function, Place, SET, Val, Want, few, function, open, variadic};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::unify::unify;
use crate::frontend::terraform::value::{Kind, Marks, Sort, Type, equal};

const WHOLE: super::Parameter = SET.unknown();
const FACTOR: super::Parameter = ANY.unknown().parts();

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("setintersection", &[WHOLE], WHOLE, Want::Set(&Want::Any), |a, at| {
        let (ty, sets) = unified(a)?;
        if a.iter().any(Val::has_unknown) {
            return Ok(open(Type::set(ty), a, at));
        }
        let (first, rest) = sets.split_first().ok_or("wants a set")?;
        let kept = first.iter().filter(|item| rest.iter().all(|set| holds(set, item))).cloned().collect();
        Ok(Val::set(ty, kept, at.span))
    }),
    variadic("setproduct", &[FACTOR], FACTOR, Want::Any, product),
    function("setsubtract", &[WHOLE, WHOLE], Want::Set(&Want::Any), |a, at| {
        let (ty, sets) = unified(a)?;
        if a.iter().any(Val::has_unknown) {
            return Ok(open(Type::set(ty), a, at));
        }
        Ok(Val::set(ty, sets[0].iter().filter(|item| !holds(&sets[1], item)).cloned().collect(), at.span))
    }),
    variadic("setunion", &[WHOLE], WHOLE, Want::Set(&Want::Any), |a, at| {
        let (ty, sets) = unified(a)?;
        if a.iter().any(Val::is_unknown) {
            return Ok(open(Type::set(ty), a, at).made_from(known_parts(a, at)?));
        }
        Ok(Val::set(ty, sets.concat(), at.span))
    }),
];

/// Sets of one type of element.
fn unified(arguments: &[Val]) -> Result<(Type, Vec<Vec<Val>>), String> {
    // Empty sets of no known type fit to any other.
    let is_nothing = |set: &&Val| set.items().is_empty() && set.element_ty() == Some(&Type::Dynamic);
    let types: Vec<Type> =
        arguments.iter().filter(|set| !is_nothing(set)).filter_map(|set| set.element_ty().cloned()).collect();
    let refused = "the sets have elements of types that do not go together";
    let ty = match &types[..] {
        [] => Type::Dynamic,
        types => unify(types).ok_or(refused)?,
    };
    let wanted = Type::set(ty.clone());
    let sets: Result<Vec<Val>, String> = arguments.iter().map(|set| convert(set.clone(), &wanted)).collect();
    let sets = sets?;
    let element = sets.first().and_then(|set| set.element_ty().cloned()).unwrap_or(ty);
    if sets.iter().any(|set| set.element_ty() != Some(&element)) {
        return Err(refused.into());
    }
    Ok((element, sets.into_iter().map(|set| set.items().to_vec()).collect()))
}

fn holds(set: &[Val], wanted: &Val) -> bool {
    set.iter().any(|item| equal(item, wanted) == Some(true))
}

/// Every combination of one element of each; a set if one argument is a set, else a list.
fn product(arguments: &[Val], at: &Place) -> Answer {
    if arguments.iter().any(is_untyped) {
        return Ok(open(Type::Dynamic, arguments, at));
    }
    if arguments.len() < 2 {
        return Err("wants two collections or more".into());
    }
    if !arguments.iter().all(|argument| matches!(argument.sort(), Sort::List | Sort::Set | Sort::Tuple)) {
        return Err("wants lists, sets or tuples".into());
    }
    if arguments.iter().any(Val::is_unknown) {
        return Ok(open(Type::Dynamic, arguments, at));
    }
    let mut elements = Vec::new();
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    let mut count = 1usize;
    for argument in arguments {
        count = few(count.saturating_mul(argument.items().len()))?;
        let types: Vec<Type> = argument.items().iter().map(Val::ty).collect();
        let ty = match (&argument.kind, &types[..]) {
            (Kind::List(elements) | Kind::Set(elements), _) => elements.ty.clone(),
            (_, []) => Type::Dynamic,
            (_, types) => unify(types).ok_or("the elements have types that do not go together")?,
        };
        let items: Result<Vec<Val>, String> = argument.items().iter().map(|item| convert(item.clone(), &ty)).collect();
        let items = items?;
        rows = rows
            .iter()
            .flat_map(|row| items.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()))
            .collect();
        elements.push(ty);
    }
    let ty = Type::Tuple(std::sync::Arc::new(elements));
    let rows: Vec<Val> = rows.into_iter().map(|row| Val::tuple(row, at.span)).collect();
    if arguments.iter().any(|argument| matches!(argument.kind, Kind::Set(_))) {
        // An element of a set can't be told from the others, so their marks are those of the whole.
        let marks = rows.iter().fold(Marks::NONE, |marks, row| marks.with(row.deep_marks()));
        return Ok(Val::set(ty, rows, at.span).marked(marks));
    }
    Ok(Val::list(ty, rows, at.span))
}
