//! The inside of a block as one map: arguments, and blocks as lists under their type, with `dynamic` blocks expanded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::eval::{Dependencies, Evaluator, Scope, pairs};
use super::syntax::{Block, BodyId};
use crate::model::{Entry, Node, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Blocks that a single `dynamic` may make.
const MAX_BLOCKS: usize = 10_000;

/// Evaluates a body. `depends` is told for each top-level argument or block which resources it refers to.
pub fn body(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    body: BodyId,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Vec<Entry> {
    let file = scope.file;
    let mut entries: Vec<Entry> = Vec::new();
    for attribute in file.attributes(body) {
        let name = file.text(attribute.name);
        let (node, dependencies) = match name {
            // Names of providers and resources, not values.
            "provider" | "providers" | "ignore_changes" | "replace_triggered_by" => {
                (Node::string(file_text(file, attribute.value), file.expr_span(attribute.value)), Dependencies::new())
            }
            "depends_on" => {
                let (_, dependencies) = evaluator.argument(scope, attribute.value);
                depends("", dependencies);
                continue;
            }
            _ => evaluator.argument(scope, attribute.value),
        };
        depends(name, dependencies);
        let key_span = Span::new(file.id, attribute.start, attribute.name_end);
        entries.push(Entry { key: name.into(), key_span, node });
    }
    let mut groups: BTreeMap<Arc<str>, (Span, Vec<Node>)> = BTreeMap::new();
    let mut order: Vec<Arc<str>> = Vec::new();
    for block in file.blocks(body) {
        let is_dynamic = file.text(block.kind) == "dynamic";
        let kind: Arc<str> = match file.labels(block).next() {
            Some(label) if is_dynamic => label.into(),
            _ => file.text(block.kind).into(),
        };
        let header = file.header_span(block);
        if !groups.contains_key(&kind) {
            order.push(kind.clone());
        }
        let group = groups.entry(kind.clone()).or_insert_with(|| (header, Vec::new()));
        let mut told = |_: &str, dependencies: Dependencies| depends(&kind, dependencies);
        if is_dynamic {
            dynamic(evaluator, scope, block, &kind, &mut group.1, &mut told);
        } else {
            group.1.push(nested(evaluator, scope, block, &mut told));
        }
    }
    for kind in &order {
        if let Some((span, blocks)) = groups.remove(kind)
            && !blocks.is_empty()
            && !entries.iter().any(|entry| entry.key == *kind)
        {
            entries.push(Entry { key: kind.clone(), key_span: span, node: Node::list(blocks, span) });
        }
    }
    entries
}

fn file_text(file: &Arc<super::syntax::File>, expr: super::syntax::ExprId) -> String {
    let span = file.expr_span(expr);
    file.source_text(span).to_string()
}

fn nested(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    block: &Block,
    depends: &mut dyn FnMut(&str, Dependencies),
) -> Node {
    let mut entries = body(evaluator, scope, block.body, depends);
    let span = scope.file.block_span(block);
    if let Some(label) = scope.file.labels(block).next() {
        let header = scope.file.header_span(block);
        entries.push(Entry { key: "#label".into(), key_span: header, node: Node::string(label, header) });
    }
    Node::map(entries, span)
}

/// Expands `dynamic "kind" { for_each, iterator, content }`; where the number is not known, one block stands for all.
fn dynamic(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    block: &Block,
    kind: &str,
    out: &mut Vec<Node>,
    depends: &mut dyn FnMut(&str, Dependencies),
) {
    let file = scope.file;
    let Some(content) = file.blocks(block.body).iter().find(|inner| file.text(inner.kind) == "content") else {
        let span = file.header_span(block);
        evaluator.problem(Problem::at(
            ProblemKind::Evaluation,
            span,
            format!("dynamic \"{kind}\" has no content block"),
        ));
        return;
    };
    let Some(each) = file.attribute(block.body, "for_each") else { return };
    let iterator = match file.attribute(block.body, "iterator").map(|attribute| file.expr(attribute.value).kind) {
        Some(super::syntax::ExprKind::Variable(name)) => file.text(name),
        _ => kind,
    };
    let (collection, dependencies) = evaluator.argument(scope, each.value);
    depends(kind, dependencies);
    let items = match &collection.value {
        Value::Unknown(unknown) => {
            let part = |name: &str| {
                Node::unknown(unknown.reason.clone(), vec![format!("{iterator}.{name}")], true, collection.span)
            };
            vec![(part("key"), part("value"))]
        }
        _ => pairs(&collection),
    };
    if items.len() > MAX_BLOCKS {
        let message =
            format!("dynamic \"{kind}\" makes {} blocks: only the first {MAX_BLOCKS} are judged", items.len());
        evaluator.problem(Problem::at(ProblemKind::Limit, file.header_span(block), message));
    }
    let is_set = matches!(collection.value, Value::List(_));
    for (key, value) in items.into_iter().take(MAX_BLOCKS) {
        let span = value.span;
        let key = if is_set && !matches!(value.value, Value::List(_) | Value::Map(_)) { value.clone() } else { key };
        let each = Node::map(
            vec![
                Entry { key: "key".into(), key_span: span, node: key },
                Entry { key: "value".into(), key_span: span, node: value },
            ],
            span,
        );
        let binding = scope.binding(iterator, each);
        out.push(nested(evaluator, scope.bind(&binding), content, depends));
    }
}
