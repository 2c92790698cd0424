//! Expressions of every kind but names and calls.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::operator::not_null;
use super::{Evaluated, Evaluator, Failure, MAX_WEIGHT, Scope, fail, limit, unknown};
use crate::frontend::terraform::functions::normal;
use crate::frontend::terraform::syntax::{ExprId, ExprKind, For, List};
use crate::frontend::terraform::value::arms::spread;
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::unify::unify;
use crate::frontend::terraform::value::{Kind, Marks, Member, Number, Type, Unknown, Val};
use crate::source::Span;

impl Evaluator<'_> {
    pub(super) fn expression(&self, scope: Scope<'_>, id: ExprId) -> Evaluated {
        let file = scope.file;
        let span = file.expr_span(id);
        match file.expr(id).kind {
            ExprKind::Null => Ok(Val::null(span)),
            ExprKind::Bool(bool) => Ok(Val::bool(bool, span)),
            ExprKind::Number(text) => Number::parse(file.text(text))
                .map(|number| Val::new(Kind::Number(number), span))
                .ok_or_else(|| fail(span, "the number is out of range")),
            ExprKind::String(text) => match file.text(text) {
                text if text.is_ascii() => Ok(Val::string(text, span)),
                text => Ok(Val::string(normal(text.to_string()), span)),
            },
            ExprKind::Template(parts) => self.template(scope, parts, span),
            ExprKind::Parenthesis(inner) => self.eval(scope, inner),
            ExprKind::Element => scope.element.cloned().ok_or_else(|| fail(span, "a splat element outside a splat")),
            ExprKind::Variable(_) | ExprKind::Attribute(..) | ExprKind::Index(..) => {
                self.traversal(scope, id).map_err(Failure::bare)
            }
            ExprKind::Splat(source, each) => self.splat(scope, source, each, span),
            ExprKind::Call(name, arguments, expanded) => {
                self.call(scope, name, arguments, expanded, span).map_err(Failure::bare)
            }
            ExprKind::Tuple(items) => {
                let mut failed = Failed::default();
                let items: Result<Vec<Val>, _> =
                    file.exprs(items).iter().map(|item| failed.part(self.eval(scope, *item))).collect();
                failed.settle(Val::tuple(items?, span))
            }
            ExprKind::Object(items) => self.object(scope, items, span),
            ExprKind::For(index) => self.for_loop(scope, index, span),
            ExprKind::Conditional(condition, yes, no) => self.conditional(scope, condition, yes, no, span),
            ExprKind::Binary(operator, left, right) => self.binary(scope, operator, left, right, span),
            ExprKind::Negate(inner) => self.negate(scope, inner, span),
            ExprKind::Not(inner) => self.not(scope, inner, span),
        }
    }

    /// Both arms are evaluated, for the result has the type that both can be converted to; only what is wrong with the
    /// chosen one counts.
    fn conditional(&self, scope: Scope<'_>, condition: ExprId, yes: ExprId, no: ExprId, span: Span) -> Evaluated {
        let at = scope.file.expr_span(condition);
        let condition = self.condition(scope, condition, "the condition");
        let (yes, no) = (self.eval(scope, yes), self.eval(scope, no));
        let ty = match (Failed::known(&yes), Failed::known(&no)) {
            (Some(yes), Some(no)) => common_type(yes, no),
            _ => Some(Type::Dynamic),
        };
        let refused = || fail(span, "the two results of the conditional have types that do not go together");
        let ty = match ty {
            Some(ty) => ty,
            // A limit or a condition that fails tells more than the types of what it leaves open.
            None => return Err(condition.err().unwrap_or_else(refused)),
        };
        let condition = condition.map_err(|failure| failure.of_type(ty.clone()))?;
        // Who looks at the result must be ready for either arm, so it is marked as both are.
        let marks = [&yes, &no].into_iter().flatten().fold(condition.marks, |marks, arm| marks.with(arm.marks));
        let (chosen, other) = match condition.as_bool() {
            Some(true) => (yes, no),
            Some(false) => (no, yes),
            None => return Ok(either(&condition, yes, no, ty, span).marked(marks)),
        };
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(failure) => {
                let partial = failure.partial.clone().and_then(|val| convert(val, &ty).ok());
                return Err(match partial {
                    Some(partial) => Box::new(Failure { partial: Some(partial), ..*failure }),
                    None => failure.of_type(ty),
                });
            }
        };
        if !is_of_one_type(&chosen, &ty, &other) {
            return Err(fail(at, "the elements of the result can't all be of one type").of_type(ty));
        }
        let chosen = convert(chosen, &ty).map_err(|error| fail(at, error).of_type(ty))?;
        Ok(chosen.used_at(span).marked(marks))
    }

    /// A condition as a boolean; null is refused, unknown stays.
    pub(super) fn condition(&self, scope: Scope<'_>, expr: ExprId, what: &str) -> Result<Val, Box<Failure>> {
        let span = scope.file.expr_span(expr);
        let val = self.eval(scope, expr).map_err(Failure::bare)?;
        // What is not known may turn out to be a boolean, whatever its type says.
        if val.is_unknown() {
            return Ok(val);
        }
        let val = convert(val, &Type::Bool).map_err(|_| fail(span, format!("{what} is not true or false")))?;
        if val.is_null() { Err(fail(span, format!("{what} is null"))) } else { Ok(val) }
    }

    fn object(&self, scope: Scope<'_>, items: List, span: Span) -> Evaluated {
        let file = scope.file;
        let mut members: Vec<Member> = Vec::with_capacity(items.len() / 2);
        let mut marks = Marks::NONE;
        let mut open = None;
        let mut failed = Failed::default();
        for pair in file.exprs(items).chunks(2) {
            let key_span = file.expr_span(pair[0]);
            let key: Arc<str> = match file.expr(pair[0]).kind {
                // A bare name is the key itself, keywords included.
                ExprKind::Variable(name) => file.text(name).into(),
                ExprKind::Null | ExprKind::Bool(_) => file.source_text(key_span).into(),
                _ => {
                    let key = self.eval(scope, pair[0]).map_err(Failure::bare)?;
                    match self.key(&key, key_span)? {
                        Some(text) => {
                            marks = marks.with(key.marks);
                            text
                        }
                        None => {
                            open = Some(key);
                            continue;
                        }
                    }
                }
            };
            members.push(Member { key, key_span, val: failed.part(self.eval(scope, pair[1]))? });
        }
        if let Some(key) = open {
            return failed.settle(Val::depends(Type::Dynamic, &[&key], span).marked(marks));
        }
        failed.settle(Val::object(members, span).marked(marks))
    }

    /// The text of a key; none where it is not known.
    fn key(&self, key: &Val, span: Span) -> Result<Option<Arc<str>>, Box<Failure>> {
        if key.is_null() {
            return Err(fail(span, "a key can't be null"));
        }
        if key.is_unknown() {
            return Ok(None);
        }
        let text = key.to_text().ok_or_else(|| fail(span, "a key is a string"))?;
        self.charge_text(text.len(), span)?;
        Ok(Some(text))
    }

    /// What `for` may go through.
    pub(super) fn iterable(&self, scope: Scope<'_>, expr: ExprId) -> Evaluated {
        let span = scope.file.expr_span(expr);
        let collection = self.eval(scope, expr).map_err(Failure::bare)?;
        match &collection.kind {
            Kind::Null(_) => Err(fail(span, "`for` can't go through null")),
            Kind::Unknown(unknown) if unknown.ty.is_primitive() => Err(fail(span, "`for` wants a collection")),
            Kind::Unknown(_) => Ok(collection),
            _ if collection.is_collection() => Ok(collection),
            _ => Err(fail(span, "`for` goes through a list, a set or a map")),
        }
    }

    fn for_loop(&self, scope: Scope<'_>, index: u32, span: Span) -> Evaluated {
        let parsed = *scope.file.for_expr(index);
        let collection = self.iterable(scope, parsed.collection)?;
        self.looped(scope, parsed, collection, span)
    }

    /// A `for` through a collection of which not all is known: through its arms, or through the parts that are known.
    fn looped_in_part(&self, scope: Scope<'_>, parsed: For, collection: &Val, span: Span) -> Val {
        let open = not_null(Val::depends(Type::Dynamic, &[collection], span));
        // The place of a part within the whole is not known, so that its index is not either.
        let parts = collection.partial().filter(|parts| parsed.key_name.is_none() || !parts.members().is_empty());
        if let Some(parts) = parts {
            let known = match &parts.kind {
                Kind::Object(_) => parts.clone(),
                _ => Val::tuple(parts.items().iter().filter(|part| !part.is_unknown()).cloned().collect(), parts.span),
            };
            return match self.looped(scope, parsed, known, span) {
                Ok(known) if !known.items().is_empty() => {
                    let mut items = known.items().to_vec();
                    items.push(open.clone());
                    open.made_from(Val::tuple(items, span))
                }
                Ok(known) if !known.members().is_empty() => open.made_from(known),
                _ => open,
            };
        }
        let parts = std::slice::from_ref(collection);
        spread(open, parts, &mut |parts| self.looped(scope, parsed, parts[0].clone(), span))
    }

    fn looped(&self, scope: Scope<'_>, parsed: For, collection: Val, span: Span) -> Evaluated {
        if collection.is_unknown() {
            return Ok(self.looped_in_part(scope, parsed, &collection, span));
        }
        let mut marks = collection.marks;
        let mut items = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        let mut seen: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        let mut groups: Vec<Vec<Val>> = Vec::new();
        let mut open: Option<Val> = None;
        let mut weight = 0u32;
        let mut failed = Failed::default();
        if let Some(condition) = parsed.condition {
            // A condition that no value could meet is refused though there is no element.
            let anything = || unknown(Type::Dynamic, "", None, span);
            let key = scope.binding(parsed.key_name.map_or("", |name| scope.file.text(name)), anything());
            let inner = scope.bind(&key);
            let value = inner.binding(scope.file.text(parsed.value_name), anything());
            let span = scope.file.expr_span(condition);
            let filter = self.condition(inner.bind(&value), condition, "the filter")?;
            convert(filter, &Type::Bool).map_err(|_| fail(span, "the filter is not true or false"))?;
        }
        for (key, value) in collection.pairs() {
            if weight > MAX_WEIGHT {
                return Err(limit(span, format!("a value of more than {MAX_WEIGHT} parts")));
            }
            let key_name = parsed.key_name.map_or("", |name| scope.file.text(name));
            let key = scope.binding(key_name, key);
            let inner = scope.bind(&key);
            let value = inner.binding(scope.file.text(parsed.value_name), value);
            let inner = inner.bind(&value);
            if let Some(condition) = parsed.condition {
                let condition = self.condition(inner, condition, "the filter")?;
                marks = marks.with(condition.marks);
                match condition.as_bool() {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        open.get_or_insert(condition);
                        continue;
                    }
                }
            }
            let Some(key) = parsed.key else {
                let val = failed.part(self.eval(inner, parsed.value))?;
                weight = weight.saturating_add(val.size());
                items.push(val);
                continue;
            };
            let key_span = scope.file.expr_span(key);
            let key = self.eval(inner, key).map_err(Failure::bare)?;
            marks = marks.with(key.marks);
            let text = match self.key(&key, key_span) {
                Ok(Some(text)) => text,
                // Once a key is not known, nothing is said of the others.
                Err(_) if open.is_some() => continue,
                Err(failure) => return Err(failure),
                Ok(None) => {
                    open.get_or_insert(key);
                    continue;
                }
            };
            let val = failed.part(self.eval(inner, parsed.value))?;
            weight = weight.saturating_add(val.size());
            match seen.get(&text) {
                Some(index) if parsed.grouped => groups[*index].push(val),
                Some(_) => {
                    failed.part(Err(fail(key_span, format!("two elements have the key \"{text}\""))))?;
                }
                None => {
                    seen.insert(text.clone(), members.len());
                    groups.push(vec![val.clone()]);
                    members.push(Member { key: text, key_span, val });
                }
            }
        }
        if let Some(open) = open {
            let open = not_null(Val::depends(Type::Dynamic, &[&open], span));
            // Those that the filter lets through, whatever it does to the others.
            let open = match parsed.key.is_none() && !items.is_empty() {
                true => {
                    items.push(open.clone());
                    open.made_from(Val::tuple(items, span))
                }
                false => open,
            };
            return failed.settle(open.marked(marks));
        }
        if parsed.key.is_none() {
            return failed.settle(Val::tuple(items, span).marked(marks));
        }
        if parsed.grouped {
            for (member, group) in members.iter_mut().zip(groups) {
                member.val = Val::tuple(group, span);
            }
        }
        failed.settle(Val::object(members, span).marked(marks))
    }

    fn splat(&self, scope: Scope<'_>, source: ExprId, each: ExprId, span: Span) -> Evaluated {
        let source = self.eval(scope, source).map_err(Failure::bare)?;
        let marks = source.marks;
        let apply = |element: &Val| self.eval(Scope { element: Some(element), ..scope }, each);
        let mut failed = Failed::default();
        let mut all = |items: &[Val]| -> Result<Vec<Val>, Box<Failure>> {
            items.iter().map(|item| failed.part(apply(item))).collect()
        };
        let val = match &source.kind {
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return Err(fail(span, "a splat can't go through null"));
            }
            Kind::Null(_) => Val::tuple(Vec::new(), span),
            Kind::List(_) | Kind::Set(_) => {
                let items = all(source.items())?;
                let types: Vec<Type> = items.iter().map(Val::ty).collect();
                match unify(&types) {
                    Some(ty) if types.iter().all(|one| *one == ty) => Val::list(ty, items, span),
                    _ if types.is_empty() => {
                        let open = |failure: Box<Failure>| failure.of_type(Type::list(Type::Dynamic));
                        Val::list(splat_type(&source, &apply).map_err(open)?, items, span)
                    }
                    _ => Val::tuple(items, span),
                }
            }
            Kind::Tuple(items) => Val::tuple(all(items)?, span),
            Kind::Unknown(unknown) => match &unknown.ty {
                Type::Dynamic => Val::depends(Type::Dynamic, &[&source], span),
                Type::Tuple(items) => {
                    let one = |ty: &Type| {
                        let one = Unknown { ty: ty.clone(), ..(**unknown).clone() };
                        Ok(apply(&Val::unknown(one, source.span))?.ty())
                    };
                    let items: Result<Vec<Type>, Box<Failure>> = items.iter().map(one).collect();
                    not_null(Val::depends(Type::Tuple(items?.into()), &[&source], span))
                }
                Type::List(element) | Type::Set(element) => {
                    let one = Val::unknown(Unknown { ty: (**element).clone(), ..(**unknown).clone() }, source.span);
                    let one = apply(&one)?;
                    not_null(Val::depends(Type::list(one.ty()), &[&source, &one], span))
                }
                _ if unknown.not_null => Val::tuple(all(std::slice::from_ref(&source))?, span),
                // One element, or none where it turns out to be null.
                _ => Val::depends(Type::Dynamic, &[&source, &apply(&source)?], span),
            },
            _ => Val::tuple(all(std::slice::from_ref(&source))?, span),
        };
        failed.settle(val.marked(marks))
    }
}

/// The type of the elements that a splat over an empty list would have.
fn splat_type(source: &Val, apply: &dyn Fn(&Val) -> Evaluated) -> Result<Type, Box<Failure>> {
    let ty = source.element_ty().cloned().unwrap_or_default();
    apply(&unknown(ty, "", None, source.span)).map(|val| val.ty())
}

/// Parts of a value of which some fail. The rest is evaluated all the same: together they tell the type of the whole.
#[derive(Default)]
struct Failed(Option<Box<Failure>>);

impl Failed {
    /// The part, or what stands for it. A limit ends it all.
    fn part(&mut self, part: Evaluated) -> Evaluated {
        part.or_else(|mut failure| {
            if failure.is_limit {
                return Err(failure);
            }
            let known = failure.partial.take();
            let val = known.unwrap_or_else(|| unknown(Type::Dynamic, &failure.message, None, failure.span));
            self.0.get_or_insert(failure);
            Ok(val)
        })
    }

    /// The whole, or the first failure with it.
    fn settle(self, val: Val) -> Evaluated {
        match self.0 {
            None => Ok(val),
            Some(failure) => Err(Box::new(Failure { partial: Some(val), ..*failure })),
        }
    }

    /// What is known of a result.
    fn known(result: &Evaluated) -> Option<&Val> {
        match result {
            Ok(val) => Some(val),
            Err(failure) => failure.partial.as_ref(),
        }
    }
}

/// Whether a tuple or object may become the list or map that the other arm is, where that leaves the type of its elements
/// open. Within a conditional terraform then converts no element that is itself compound.
fn is_of_one_type(val: &Val, ty: &Type, other: &Evaluated) -> bool {
    let is_open = matches!(ty, Type::List(element) | Type::Map(element) if **element == Type::Dynamic);
    let is_other = Failed::known(other).is_some_and(|other| other.sort() == ty.sort());
    if !is_open || !is_other || !matches!(val.kind, Kind::Tuple(_) | Kind::Object(_)) {
        return true;
    }
    let mut types = val.parts().map(Val::ty).filter(|ty| !ty.is_primitive() && *ty != Type::Dynamic);
    types.next().is_none_or(|first| val.parts().all(|part| part.ty() == first))
}

/// The type of a conditional with these results.
fn common_type(yes: &Val, no: &Val) -> Option<Type> {
    match (&yes.kind, &no.kind) {
        (Kind::Null(Type::Dynamic), _) => Some(no.ty()),
        (_, Kind::Null(Type::Dynamic)) => Some(yes.ty()),
        _ => match (yes.ty(), no.ty()) {
            (Type::Dynamic, _) | (_, Type::Dynamic) => Some(Type::Dynamic),
            (a, b) => unify(&[a, b]),
        },
    }
}

/// What a conditional is whose condition is not known: both arms, for rules that find both bad or one.
fn either(condition: &Val, yes: Evaluated, no: Evaluated, ty: Type, span: Span) -> Val {
    let parts: Vec<&Val> = [Some(condition), yes.as_ref().ok(), no.as_ref().ok()].into_iter().flatten().collect();
    let open = Val::depends(ty.clone(), &parts, span);
    let (Ok(yes), Ok(no)) = (&yes, &no) else { return open };
    let (Ok(yes), Ok(no)) = (convert(yes.clone(), &ty), convert(no.clone(), &ty)) else { return open };
    if yes.is_null() && no.is_null() {
        return Val::new(Kind::Null(ty), span);
    }
    if let (Some(x), Some(y)) = (yes.as_number(), no.as_number())
        && x == y
    {
        return yes.used_at(span);
    }
    let is_set = |val: &Val| match &val.kind {
        Kind::Null(_) => false,
        Kind::Unknown(unknown) => unknown.not_null,
        _ => true,
    };
    let both_set = is_set(&yes) && is_set(&no);
    let Kind::Unknown(unknown) = &open.kind else { return open };
    let mut unknown = (**unknown).clone();
    unknown.not_null = both_set;
    open.with_kind(Kind::Unknown(unknown.into())).with_arms(yes, no)
}
