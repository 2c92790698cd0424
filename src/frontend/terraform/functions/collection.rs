//! Lists, sets and tuples.

use unicode_segmentation::UnicodeSegmentation;

use super::{
    ANY, Answer, Function, LIST, NUMBER, Parameter, Place, STRINGS, Val, Want, few, function, is_sequence, open, text,
    variadic, whole,
};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::unify::unify;
use crate::frontend::terraform::value::{Kind, Marks, Sort, Type, equal};

pub(super) const PARTS: Parameter = ANY.unknown().parts();
pub(super) const OPEN: Parameter = ANY.null().unknown().parts();
const BOOLS: Parameter = Parameter::of(Want::List(&Want::Bool));

pub(super) const FUNCTIONS: &[Function] = &[
    function("alltrue", &[BOOLS], Want::Bool, |a, at| {
        // Unlike `anytrue`, terraform looks no further than the first that is not known.
        match a[0].items().iter().find(|item| item.as_bool() != Some(true)) {
            Some(item) if item.is_unknown() => Ok(open(Type::Bool, a, at)),
            found => Ok(Val::bool(found.is_none(), at.span)),
        }
    }),
    function("anytrue", &[BOOLS], Want::Bool, |a, at| {
        let items = a[0].items();
        match items.iter().any(|item| item.as_bool() == Some(true)) {
            true => Ok(Val::bool(true, at.span)),
            false if items.iter().any(Val::is_unknown) => Ok(open(Type::Bool, a, at)),
            false => Ok(Val::bool(false, at.span)),
        }
    }),
    function("chunklist", &[LIST.parts(), NUMBER], Want::List(&Want::List(&Want::Any)), chunklist),
    variadic("coalescelist", &[ANY.null().unknown()], ANY.null().unknown(), Want::Any, coalescelist),
    function("compact", &[STRINGS.whole()], Want::List(&Want::String), |a, at| {
        let kept = a[0].items().iter().filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
        Ok(Val::list(Type::String, kept.cloned().collect(), at.span))
    })
    .keeping(),
    variadic("concat", &[PARTS], PARTS, Want::Any, concat),
    function("contains", &[ANY.unknown(), ANY.unknown()], Want::Bool, contains),
    function("distinct", &[LIST.whole()], Want::List(&Want::Any), distinct).keeping(),
    function("element", &[PARTS, NUMBER.unknown()], Want::Any, element),
    function("flatten", &[PARTS], Want::Any, flatten),
    function("index", &[ANY.unknown(), ANY.unknown()], Want::Number, index),
    function("length", &[PARTS], Want::Number, length),
    function("matchkeys", &[LIST.unknown(), LIST.unknown(), LIST.unknown()], Want::List(&Want::Any), matchkeys),
    function("one", &[PARTS], Want::Any, one),
    variadic("range", &[NUMBER], NUMBER, Want::List(&Want::Number), range),
    function("reverse", &[PARTS], Want::Any, reverse).keeping(),
    function("slice", &[PARTS, NUMBER.unknown(), NUMBER.unknown()], Want::Any, slice),
    function("sort", &[STRINGS], Want::List(&Want::String), |a, at| {
        let mut items = a[0].items().to_vec();
        if items.iter().any(Val::is_null) {
            return Err("the list holds null".into());
        }
        // Where the known ones come to stand is not known either.
        if a[0].has_unknown() {
            let one = Val::depends(Type::String, &[&a[0]], at.span);
            return Ok(Val::list(Type::String, vec![one; items.len()], at.span));
        }
        items.sort_by(|a, b| text(a).cmp(text(b)));
        Ok(Val::list(Type::String, items, at.span))
    })
    .keeping(),
];

/// A list of the same kind as `like`: a tuple stays one.
fn same_kind(like: &Val, items: Vec<Val>, at: &Place) -> Val {
    match &like.kind {
        Kind::List(elements) | Kind::Set(elements) => Val::list(elements.ty.clone(), items, at.span),
        _ => Val::tuple(items, at.span),
    }
}

fn only_sequence(value: &Val, what: &str) -> Result<(), String> {
    let fits = match &value.kind {
        Kind::Unknown(unknown) => {
            matches!(unknown.ty, Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_))
        }
        _ => is_sequence(value),
    };
    if fits { Ok(()) } else { Err(format!("{what} wants a list, set or tuple, here is {}", value.sort().noun())) }
}

/// Refuses what has no order, and primitives.
fn only_list(value: &Val) -> Result<(), String> {
    match value.sort() {
        Sort::List | Sort::Tuple | Sort::Dynamic => Ok(()),
        other => Err(format!("wants a list or tuple, here is {}", other.noun())),
    }
}

fn chunklist(arguments: &[Val], at: &Place) -> Answer {
    let size = whole(&arguments[1], 0, i64::MAX)? as usize;
    let items = arguments[0].items();
    let ty = arguments[0].ty();
    let element = ty.element().cloned().unwrap_or_default();
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items.chunks(size).map(|chunk| Val::list(element.clone(), chunk.to_vec(), at.span)).collect();
    Ok(Val::list(ty, chunks, at.span))
}

fn coalescelist(arguments: &[Val], at: &Place) -> Answer {
    if !arguments.iter().all(|argument| is_untyped(argument) || matches!(argument.sort(), Sort::List | Sort::Tuple)) {
        return Err("wants lists or tuples".into());
    }
    match arguments.iter().find(|argument| argument.is_unknown() || !argument.items().is_empty()) {
        Some(unknown) if unknown.is_unknown() => Ok(open(Type::Dynamic, std::slice::from_ref(unknown), at)),
        found => found.cloned().ok_or_else(|| "no list has an element".into()),
    }
}

/// A result that is not known, in whole or in part, with the elements of the list that it was made from: rules see those.
pub(super) fn with_elements(result: Val, list: &Val) -> Val {
    let parts = list.partial().unwrap_or(list).items();
    if !result.has_unknown() || parts.iter().all(Val::is_unknown) {
        return result;
    }
    let parts = Val::tuple(parts.to_vec(), result.span);
    result.made_from(parts)
}

/// Whether terraform knows nothing of an argument, not even its type: then most functions look at none of them.
pub(super) fn is_untyped(argument: &Val) -> bool {
    argument.is_unknown() && argument.sort() == Sort::Dynamic
}

fn concat(arguments: &[Val], at: &Place) -> Answer {
    if arguments.iter().any(is_untyped) {
        return partial(arguments, at);
    }
    let mut items = Vec::new();
    let mut lists: Vec<Type> = Vec::new();
    let mut is_open = false;
    for argument in arguments {
        match &argument.kind {
            Kind::List(elements) => lists.push(elements.ty.clone()),
            Kind::Tuple(_) => {}
            Kind::Unknown(unknown) => match &unknown.ty {
                Type::List(element) => {
                    lists.push((**element).clone());
                    is_open = true;
                }
                Type::Dynamic | Type::Tuple(_) => return partial(arguments, at),
                other => return Err(format!("wants lists or tuples, here is {}", other.noun())),
            },
            _ => return Err(format!("wants lists or tuples, here is {}", argument.sort().noun())),
        }
        few(items.len() + argument.items().len())?;
        items.extend(argument.items().iter().cloned());
    }
    // Lists alone stay a list of what all can be converted to; a tuple among them makes a tuple.
    if lists.len() == arguments.len()
        && let Some(ty) = unify(&lists)
    {
        if is_open {
            return partial(arguments, at);
        }
        // What one list leaves open, the elements of the others tell.
        let told = || items.iter().map(Val::ty).find(|one| *one != Type::Dynamic);
        let ty = if ty == Type::Dynamic { told().unwrap_or(ty) } else { ty };
        let items = items.into_iter().map(|item| convert(item, &ty)).collect::<Result<Vec<Val>, String>>()?;
        return Ok(Val::list(ty, items, at.span));
    }
    if is_open { partial(arguments, at) } else { Ok(Val::tuple(items, at.span)) }
}

/// Lists of which some are not known. Rules still see the elements that are: the structure of the result holds them.
fn partial(arguments: &[Val], at: &Place) -> Answer {
    Ok(open(Type::Dynamic, arguments, at).made_from(known_parts(arguments, at)?))
}

/// The elements of several collections one after the other; what is not known of one stands for the rest of its elements, once
/// however often it is named.
pub(super) fn known_parts(arguments: &[Val], at: &Place) -> Answer {
    let mut known: Vec<Val> = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    for argument in arguments {
        let parts = match (argument.partial(), argument.is_unknown()) {
            (Some(parts), _) => parts.items(),
            (None, true) => std::slice::from_ref(argument),
            (None, false) => argument.items(),
        };
        let mut is_new = |part: &&Val| match &part.kind {
            Kind::Unknown(unknown) if unknown.arms.is_none() && part.structure.is_none() => {
                let what = (unknown.reason.clone(), unknown.references.clone(), unknown.template.clone());
                seen.insert((what, part.marks.has(Marks::SENSITIVE)))
            }
            _ => true,
        };
        known.extend(parts.iter().filter(&mut is_new).cloned());
        few(known.len())?;
    }
    Ok(Val::tuple(known, at.span))
}

fn contains(arguments: &[Val], at: &Place) -> Answer {
    if arguments.iter().any(is_untyped) {
        return Ok(open(Type::Bool, arguments, at));
    }
    only_sequence(&arguments[0], "contains")?;
    if arguments[0].is_unknown() || arguments[1].is_unknown() {
        return Ok(open(Type::Bool, arguments, at));
    }
    search(&arguments[0], &arguments[1]).map_or_else(
        |is_open| if is_open { Ok(open(Type::Bool, arguments, at)) } else { Ok(Val::bool(false, at.span)) },
        |_| Ok(Val::bool(true, at.span)),
    )
}

/// The place of a value in a list; else whether what is unknown might be it.
fn search(list: &Val, wanted: &Val) -> Result<usize, bool> {
    let mut is_open = false;
    for (index, item) in list.items().iter().enumerate() {
        match equal(item, wanted) {
            Some(true) => return Ok(index),
            Some(false) => {}
            None => is_open = true,
        }
    }
    Err(is_open)
}

fn distinct(arguments: &[Val], at: &Place) -> Answer {
    let mut kept: Vec<Val> = Vec::new();
    let mut texts = rustc_hash::FxHashSet::default();
    for item in arguments[0].items() {
        let is_new = match item.to_text() {
            Some(text) => texts.insert(text),
            None => !kept.iter().any(|other| equal(other, item) == Some(true)),
        };
        if is_new {
            kept.push(item.clone());
        }
    }
    Ok(same_kind(&arguments[0], kept, at))
}

fn element(arguments: &[Val], at: &Place) -> Answer {
    let list = &arguments[0];
    only_list(list)?;
    if list.sort() == Sort::Dynamic {
        return Ok(open(Type::Dynamic, arguments, at));
    }
    if arguments[1].is_unknown() {
        return Ok(open(Type::Dynamic, arguments, at));
    }
    let index = whole(&arguments[1], i64::MIN, i64::MAX)?;
    // Beyond the end it begins again, before the start it counts from the end; terraform refuses the latter for tuples.
    let is_tuple = list.sort() == Sort::Tuple;
    let within = |len: usize| match index % len as i64 {
        rest if rest < 0 && is_tuple => Err("the index is negative".to_string()),
        rest => Ok(rest.rem_euclid(len as i64) as usize),
    };
    if let Kind::Unknown(unknown) = &list.kind {
        let element = match &unknown.ty {
            Type::Tuple(items) if !items.is_empty() => items[within(items.len())?].clone(),
            ty => ty.element().cloned().unwrap_or_default(),
        };
        return Ok(Val::depends(element, arguments.iter().collect::<Vec<_>>().as_slice(), at.span));
    }
    let items = list.items();
    if items.is_empty() {
        return Err("the list is empty".into());
    }
    Ok(items[within(items.len())?].clone())
}

fn flatten(arguments: &[Val], at: &Place) -> Answer {
    /// False where the number of elements is not known.
    fn walk(value: &Val, out: &mut Vec<Val>, marks: &mut Marks) -> bool {
        // The marks of a list that is gone go to the result.
        *marks = marks.with(value.marks);
        value.items().iter().all(|item| match &item.kind {
            _ if is_sequence(item) => walk(item, out, marks),
            Kind::Unknown(unknown) if !is_flat(&unknown.ty) => false,
            _ => {
                out.push(item.clone());
                true
            }
        })
    }
    fn is_flat(ty: &Type) -> bool {
        !matches!(ty, Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_))
    }
    only_sequence(&arguments[0], "flatten")?;
    let mut items = Vec::new();
    let mut marks = Marks::NONE;
    if arguments[0].is_unknown() || !walk(&arguments[0], &mut items, &mut marks) {
        return match arguments[0].is_unknown() {
            true => Ok(open(Type::Dynamic, arguments, at)),
            false => partial(arguments[0].items(), at),
        };
    }
    few(items.len())?;
    Ok(Val::tuple(items, at.span).marked(marks))
}

fn index(arguments: &[Val], at: &Place) -> Answer {
    if arguments.iter().any(is_untyped) {
        return Ok(open(Type::Number, arguments, at));
    }
    only_list(&arguments[0])?;
    if arguments.iter().any(Val::is_unknown) {
        return Ok(open(Type::Number, arguments, at));
    }
    if arguments[0].items().is_empty() {
        return Err("the list is empty".into());
    }
    for (index, item) in arguments[0].items().iter().enumerate() {
        match equal(item, &arguments[1]) {
            Some(true) => return Ok(Val::int(index as i64, at.span)),
            Some(false) => {}
            None => return Ok(open(Type::Number, arguments, at)),
        }
    }
    Err("the value is not in the list".into())
}

fn length(arguments: &[Val], at: &Place) -> Answer {
    let count = match &arguments[0].kind {
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Bool | Type::Number => return Err("wants a string or a collection".into()),
            // The type tells how many there are.
            Type::Tuple(items) => items.len(),
            Type::Object(attributes) => attributes.len(),
            _ => return Ok(open(Type::Number, arguments, at)),
        },
        Kind::String(text) => text.graphemes(true).count(),
        Kind::Set(elements) if elements.items.len() > 1 && arguments[0].has_unknown() => {
            return Ok(open(Type::Number, arguments, at));
        }
        Kind::Map(members) | Kind::Object(members) => members.items.len(),
        _ if is_sequence(&arguments[0]) => arguments[0].items().len(),
        _ => return Err("wants a string or a collection".into()),
    };
    Ok(Val::int(count as i64, at.span))
}

fn matchkeys(arguments: &[Val], at: &Place) -> Answer {
    let (values, keys, wanted) = (&arguments[0], &arguments[1], &arguments[2]);
    let types: Vec<Type> = [keys, wanted].iter().filter_map(|list| list.element_ty().cloned()).collect();
    let ty = unify(&types).ok_or("keys and search set have types that do not go together")?;
    if values.is_unknown() || keys.has_unknown() || wanted.has_unknown() {
        return Ok(open(values.ty(), arguments, at));
    }
    if values.items().len() != keys.items().len() {
        return Err("values and keys must be of one length".into());
    }
    let wanted: Result<Vec<Val>, String> = wanted.items().iter().map(|item| convert(item.clone(), &ty)).collect();
    let wanted = wanted?;
    let mut kept = Vec::new();
    for (value, key) in values.items().iter().zip(keys.items()) {
        let key = convert(key.clone(), &ty)?;
        if wanted.iter().any(|one| equal(one, &key) == Some(true)) {
            kept.push(value.clone());
        }
    }
    Ok(same_kind(values, kept, at))
}

fn one(arguments: &[Val], at: &Place) -> Answer {
    only_sequence(&arguments[0], "one")?;
    let ty = match arguments[0].ty() {
        Type::Tuple(items) => items.first().cloned().unwrap_or_default(),
        ty => ty.element().cloned().unwrap_or_default(),
    };
    if arguments[0].is_unknown() {
        return Ok(Val::depends(ty, &[&arguments[0]], at.span));
    }
    match arguments[0].items() {
        [] => Ok(Val::new(Kind::Null(ty), at.span)),
        [only] => Ok(only.clone()),
        // Two elements of which one is not known may be the same.
        _ if arguments[0].has_unknown() && arguments[0].sort() == Sort::Set => {
            Ok(Val::depends(ty, &[&arguments[0]], at.span))
        }
        _ => Err("the list has more than one element".into()),
    }
}

fn range(arguments: &[Val], at: &Place) -> Answer {
    use crate::frontend::terraform::value::Number;
    let numbers: Vec<&Number> = arguments.iter().filter_map(Val::as_number).collect();
    let (zero, one) = (Number::word(0), Number::word(1));
    let (start, end, step) = match numbers[..] {
        [end] => (&zero, end, if end.is_negative() { one.negate() } else { one }),
        [start, end] => (start, end, if end < start { one.negate() } else { one }),
        [start, end, step] => (start, end, step.clone()),
        _ => return Err("wants one to three numbers".into()),
    };
    if step == zero {
        return match start == end {
            true => Ok(Val::list(Type::Number, Vec::new(), at.span)),
            false => Err("a step of zero gets nowhere".into()),
        };
    }
    if (step.is_negative() && end > start) || (!step.is_negative() && end < start) {
        return Err("the step leads away from the end".into());
    }
    let mut items = Vec::new();
    let mut next = start.clone();
    while if step.is_negative() { next > *end } else { next < *end } {
        // Terraform refuses more than 1,024 numbers.
        if items.len() >= 1024 {
            return Err("more than 1024 numbers".into());
        }
        items.push(Val::new(Kind::Number(next.clone()), at.span));
        next = next.add(&step).map_err(|refused| refused.to_string())?;
    }
    Ok(Val::list(Type::Number, items, at.span))
}

fn reverse(arguments: &[Val], at: &Place) -> Answer {
    only_sequence(&arguments[0], "reverse")?;
    if arguments[0].is_unknown() {
        let ty = arguments[0].element_ty().map_or(Type::Dynamic, |element| Type::list(element.clone()));
        return Ok(open(ty, arguments, at));
    }
    Ok(same_kind(&arguments[0], arguments[0].items().iter().rev().cloned().collect(), at))
}

fn slice(arguments: &[Val], at: &Place) -> Answer {
    only_list(&arguments[0])?;
    if let Kind::Unknown(unknown) = &arguments[0].kind {
        let ty = if unknown.ty.sort() == Sort::List { unknown.ty.clone() } else { Type::Dynamic };
        return Ok(open(ty, arguments, at));
    }
    let items = arguments[0].items();
    let most = items.len() as i64;
    // Each index is held to the length though the other be unknown.
    let index = |nth: usize, least: i64| match arguments[nth].is_unknown() {
        true => Ok(None),
        false => whole(&arguments[nth], least, most).map(Some),
    };
    let start = index(1, 0)?;
    let (Some(start), Some(end)) = (start, index(2, start.unwrap_or(0))?) else {
        let ty = match &arguments[0].kind {
            Kind::List(elements) => Type::list(elements.ty.clone()),
            _ => Type::Dynamic,
        };
        return Ok(open(ty, arguments, at));
    };
    let (start, end) = (start as usize, end as usize);
    Ok(same_kind(&arguments[0], items[start..end].to_vec(), at))
}
