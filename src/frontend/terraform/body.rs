//! The inside of a block as one object: arguments, and blocks as tuples under their type, with `dynamic` blocks expanded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::eval::{Dependencies, Evaluator, Scope};
use super::module::Declaration;
use super::syntax::{Block, BodyId, ExprId, ExprKind, File};
use super::value::{Kind, Member, Type, Unknown, Val};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Blocks that a single `dynamic` may make.
const MAX_BLOCKS: usize = 10_000;

/// How often a block is repeated is no part of its body: [`Evaluator::representatives`] tells that once for all instances.
const REPETITION: &[&str] = &["count", "for_each"];

/// Evaluates the body of a declaration with its override files, in the order of the files. `depends` is told for each
/// top-level argument or block which resources it refers to.
pub fn body(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    declaration: &Declaration,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Vec<Member> {
    let mut members = without(REPETITION, evaluator, scope, declaration.block.body, depends);
    // Of a number that is not known, rules see that it is not.
    if scope.repetition.key.is_empty() {
        let open = [
            ("count", scope.repetition.index.as_ref()),
            ("for_each", scope.repetition.each.as_ref().map(|(key, _)| key)),
        ];
        for (name, val) in open {
            if let Some(val) = val {
                members.push(Member { key: name.into(), key_span: val.span, val: val.clone() });
            }
        }
    }
    for (file, body) in &declaration.overrides {
        replace(&mut members, without(REPETITION, evaluator, Scope { file, ..scope }, *body, depends));
    }
    members
}

/// What an override file says takes the place of what the others say; of `lifecycle` only the arguments that it names.
fn replace(members: &mut Vec<Member>, others: Vec<Member>) {
    for other in others {
        match members.iter_mut().find(|known| known.key == other.key) {
            Some(known) if &*known.key == "lifecycle" => known.val = lifecycle(&known.val, &other.val),
            Some(known) => *known = other,
            None => members.push(other),
        }
    }
}

/// A `lifecycle` with what an override file changes in it. Conditions and triggers stay those of the first.
fn lifecycle(base: &Val, other: &Val) -> Val {
    const KEPT: &[&str] = &["postcondition", "precondition", "replace_triggered_by"];
    let arguments = |val: &Val| val.items().first().map_or(Vec::new(), |first| first.members().to_vec());
    let changed = arguments(other).into_iter().filter(|member| !KEPT.contains(&&*member.key));
    let all = arguments(base).into_iter().chain(changed).collect();
    Val::tuple(vec![Val::object(all, base.span)], base.span)
}

/// The body of an output whose value is known already.
pub fn output(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    declaration: &Declaration,
    val: Val,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Vec<Member> {
    let mut members = without(&["value"], evaluator, scope, declaration.block.body, depends);
    for (file, body) in &declaration.overrides {
        let others = without(&["value"], evaluator, Scope { file, ..scope }, *body, depends);
        replace(&mut members, others);
    }
    let bodies = declaration.overrides.iter().rev().map(|(file, body)| (file, *body));
    let mut bodies = bodies.chain([(&declaration.file, declaration.block.body)]);
    let written = bodies.find_map(|(file, body)| Some((file, file.attribute(body, "value")?)));
    if let Some((file, attribute)) = written {
        let key_span = file.name_span(attribute);
        members.push(Member { key: "value".into(), key_span, val });
    }
    members
}

/// Evaluates what stands between two braces.
pub fn inside(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    body: BodyId,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Vec<Member> {
    without(&[], evaluator, scope, body, depends)
}

fn without(
    left_out: &[&str],
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    body: BodyId,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Vec<Member> {
    let file = scope.file;
    let mut members: Vec<Member> = Vec::with_capacity(file.attributes(body).len());
    for attribute in file.attributes(body) {
        let name = file.text(attribute.name);
        if left_out.contains(&name) {
            continue;
        }
        let (val, dependencies) = match name {
            // Names of providers and resources, not values.
            "provider" | "providers" | "ignore_changes" | "replace_triggered_by" => {
                (Val::string(written(file, attribute.value), file.expr_span(attribute.value)), Dependencies::new())
            }
            "depends_on" => {
                depends("", named(evaluator, scope, attribute.value));
                continue;
            }
            _ => evaluator.argument(scope, attribute.value),
        };
        depends(name, dependencies);
        let key_span = file.name_span(attribute);
        members.push(Member { key: evaluator.name(name), key_span, val });
    }
    let mut groups: BTreeMap<Arc<str>, (Span, Vec<Val>)> = BTreeMap::new();
    let mut order: Vec<Arc<str>> = Vec::new();
    for block in file.blocks(body) {
        let is_dynamic = file.text(block.kind) == "dynamic";
        let kind: Arc<str> = match file.labels(block).next() {
            Some(label) if is_dynamic => evaluator.name(label),
            _ => evaluator.name(file.text(block.kind)),
        };
        if !groups.contains_key(&kind) {
            order.push(kind.clone());
        }
        let group = groups.entry(kind.clone()).or_insert_with(|| (file.header_span(block), Vec::new()));
        let mut told = |_: &str, dependencies: Dependencies| depends(&kind, dependencies);
        if is_dynamic {
            dynamic(evaluator, scope, block, &kind, &mut group.1, &mut told);
        } else {
            group.1.push(nested(evaluator, scope, block, &mut told));
        }
    }
    for kind in order {
        let Some((span, blocks)) = groups.remove(&kind).filter(|(_, blocks)| !blocks.is_empty()) else { continue };
        match members.iter_mut().find(|member| member.key == kind) {
            None => members.push(Member { key: kind, key_span: span, val: Val::tuple(blocks, span) }),
            // In JSON syntax blocks that are written out are values, which `dynamic` adds to.
            Some(known) => {
                let written = match known.val.kind {
                    Kind::Object(_) => vec![known.val.clone()],
                    _ => known.val.items().to_vec(),
                };
                known.val = Val::tuple(written.into_iter().chain(blocks).collect(), known.val.span);
            }
        }
    }
    members
}

fn written(file: &File, expr: ExprId) -> &str {
    file.source_text(file.expr_span(expr))
}

/// The resources that `depends_on` names. Nothing of them is evaluated: only their addresses count.
fn named(evaluator: &Evaluator<'_>, scope: Scope<'_>, expr: ExprId) -> Dependencies {
    let file = scope.file;
    let ExprKind::Tuple(items) = file.expr(expr).kind else { return Dependencies::new() };
    let mut found = Dependencies::new();
    for item in file.exprs(items) {
        match evaluator.address(scope, *item) {
            Some(address) => {
                found.insert(address);
            }
            // Not a resource: a module or a variable, evaluated for what it depends on.
            None => found.extend(evaluator.argument(scope, *item).1),
        }
    }
    found
}

fn nested(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    block: &Block,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Val {
    let mut members = inside(evaluator, scope, block.body, depends);
    let span = scope.file.block_span(block);
    if let Some(label) = scope.file.labels(block).next() {
        let header = scope.file.header_span(block);
        members.push(Member { key: evaluator.name("#label"), key_span: header, val: Val::string(label, header) });
    }
    Val::block(members, span)
}

/// Expands `dynamic "kind" { for_each, iterator, content }`; where the number is not known, one block stands for all.
fn dynamic(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    block: &Block,
    kind: &str,
    out: &mut Vec<Val>,
    depends: &mut dyn FnMut(&str, Dependencies),
) {
    let file = scope.file;
    let header = file.header_span(block);
    let Some(content) = file.blocks(block.body).iter().find(|inner| file.text(inner.kind) == "content") else {
        let message = format!("dynamic \"{kind}\" has no content block");
        evaluator.problem(Problem::at(ProblemKind::Evaluation, header, message));
        return;
    };
    let Some(each) = file.attribute(block.body, "for_each") else {
        let message = format!("dynamic \"{kind}\" has no for_each");
        evaluator.problem(Problem::at(ProblemKind::Evaluation, header, message));
        return;
    };
    let iterator = match file.attribute(block.body, "iterator").map(|attribute| file.expr(attribute.value).kind) {
        Some(ExprKind::Variable(name) | ExprKind::String(name)) => file.text(name),
        _ => kind,
    };
    let (collection, dependencies) = evaluator.argument(scope, each.value);
    depends(kind, dependencies);
    let items = match &collection.kind {
        Kind::Unknown(unknown) => {
            let part = |ty: Type, name: &str| {
                let unknown = Unknown {
                    ty,
                    reason: unknown.reason.clone(),
                    references: vec![format!("{iterator}.{name}").into()],
                    not_null: true,
                    ..Unknown::default()
                };
                Val::unknown(unknown, collection.span)
            };
            let element = unknown.ty.element().cloned().unwrap_or_default();
            let rest = (part(Type::Dynamic, "key"), part(element, "value"));
            match collection.known_elements() {
                None => vec![rest],
                Some(known) => {
                    let keys = known.perhaps.iter().map(|(key, _)| key);
                    let values = known.perhaps.iter().map(|(_, value)| value);
                    let rest = (rest.0.one_of(keys, known.has_others), rest.1.one_of(values, known.has_others));
                    known.certain.into_iter().chain([rest]).collect()
                }
            }
        }
        _ if collection.is_collection() => collection.pairs(),
        Kind::Null(_) => {
            let message = format!("the for_each of dynamic \"{kind}\" is null");
            evaluator.problem(Problem::at(ProblemKind::Evaluation, collection.span, message));
            return;
        }
        _ => {
            let message = format!("the for_each of dynamic \"{kind}\" is no collection");
            evaluator.problem(Problem::at(ProblemKind::Evaluation, collection.span, message));
            return;
        }
    };
    if items.len() > MAX_BLOCKS {
        let message =
            format!("dynamic \"{kind}\" makes {} blocks: only the first {MAX_BLOCKS} are judged", items.len());
        evaluator.problem(Problem::at(ProblemKind::Limit, header, message));
    }
    let granted = evaluator.granted_blocks(items.len().min(MAX_BLOCKS), header);
    for (key, value) in items.into_iter().take(granted) {
        let span = value.span;
        let part = |name: &str, val: Val| Member { key: evaluator.name(name), key_span: span, val };
        let each = Val::object(vec![part("key", key), part("value", value)], span);
        let binding = scope.binding(iterator, each);
        out.push(nested(evaluator, scope.bind(&binding), content, depends));
    }
}
