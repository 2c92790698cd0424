//! `aws_iam_policy_document`: the one data source that only computes.
//!
//! Its `json` is the text that the provider renders, with the document as its structure, so that every statement keeps its
//! place and unknown parts stay parts.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use std::sync::Arc;

use super::functions::json::decode;
use super::value::lower::encode_json;
use super::value::{Kind, Member, Type, Val};
use crate::source::Span;

/// A document while others are merged into it.
#[derive(Default)]
struct Document {
    version: Option<Val>,
    id: Option<Val>,
    statements: Vec<Val>,
}

impl Document {
    /// Takes the statements of another: one with the `Sid` of an earlier one takes its place.
    fn merge(&mut self, other: Document) {
        self.id = other.id.filter(|id| id.as_str() != Some("")).or(self.id.take());
        self.version = match (self.version.take(), other.version) {
            (Some(old), Some(new)) if new.as_str() > old.as_str() || new.is_unknown() => Some(new),
            (old, new) => old.or(new),
        };
        other.statements.into_iter().for_each(|one| self.add(one));
    }

    fn add(&mut self, new: Val) {
        let sid = new.member("Sid").and_then(Val::as_str).filter(|sid| !sid.is_empty());
        let is_earlier = |old: &Val| old.member("Sid").and_then(Val::as_str) == sid;
        match sid.and_then(|_| self.statements.iter().position(is_earlier)) {
            Some(index) => self.statements[index] = new,
            None => self.statements.push(new),
        }
    }

    /// Takes all documents that a value holds, as text or structure.
    fn merge_all(&mut self, val: &Val) {
        if let Some(structure) = &val.structure {
            return self.merge_all(structure);
        }
        match &val.kind {
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => val.items().iter().for_each(|item| self.merge_all(item)),
            Kind::Map(_) | Kind::Object(_) => {
                let statements = match val.member("Statement") {
                    Some(one) if !one.items().is_empty() => one.items().to_vec(),
                    Some(one) if !one.members().is_empty() => vec![one.clone()],
                    _ => Vec::new(),
                };
                let (version, id) = (val.member("Version").cloned(), val.member("Id").cloned());
                self.merge(Document { version, id, statements });
            }
            Kind::String(text) => {
                if let Ok(document) = decode(text, val.span) {
                    self.merge_all(&document);
                }
            }
            Kind::Unknown(_) => self.statements.push(val.clone()),
            _ => {}
        }
    }
}

/// The document that a data block with these members describes.
pub fn document(members: &[Member], head: Span) -> Val {
    let find = |name: &str| members.iter().find(|member| &*member.key == name).map(|member| &member.val);
    let set = |name: &str| find(name).filter(|val| !val.is_null()).cloned();
    let mut merged = Document::default();
    for name in ["source_json", "source_policy_documents"] {
        find(name).into_iter().for_each(|documents| merged.merge_all(documents));
    }
    let statements = match find("statement") {
        // Not even how many there are is known.
        Some(open) if open.is_unknown() => vec![open.clone()],
        blocks => blocks.map(Val::items).unwrap_or_default().iter().map(statement).collect(),
    };
    let version = set("version").unwrap_or_else(|| Val::string("2012-10-17", head));
    merged.merge(Document { version: Some(version), id: set("policy_id"), statements });
    for name in ["override_policy_documents", "override_json"] {
        find(name).into_iter().for_each(|documents| merged.merge_all(documents));
    }
    let statements = (!merged.statements.is_empty()).then(|| Val::tuple(merged.statements, head));
    let parts = [("Version", merged.version), ("Statement", statements), ("Id", merged.id)];
    let member = |(key, val): (&str, Option<Val>)| Some(Member { key: key.into(), key_span: head, val: val? });
    let document = Val::object(parts.into_iter().filter_map(member).collect(), head);
    let text = match document.has_unknown() {
        true => super::eval::not_null(Val::depends(Type::String, &[&document], head)),
        false => Val::string(encode_json(&document), head),
    };
    text.made_from(document)
}

/// A `statement` block in the form of the JSON.
fn statement(block: &Val) -> Val {
    const NAMES: &[(&str, &str)] = &[
        ("sid", "Sid"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ];
    let find = |name: &str| block.members().iter().find(|member| &*member.key == name && !member.val.is_null());
    let mut members = Vec::new();
    let effect = find("effect").map_or_else(|| Val::string("Allow", block.span), |member| member.val.clone());
    members.push(Member { key: "Effect".into(), key_span: effect.span, val: effect });
    // An empty name or list is as none.
    let is_empty = |val: &Val| val.as_str() == Some("") || val.is_collection() && val.items().is_empty();
    for (ours, theirs) in NAMES {
        if let Some(member) = find(ours).filter(|member| !is_empty(&member.val)) {
            let val = match *ours {
                "resources" | "not_resources" => with_variables(&listed(&member.val)),
                _ => listed(&member.val),
            };
            members.push(Member { key: (*theirs).into(), key_span: member.key_span, val });
        }
    }
    for (ours, theirs) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        if let Some(member) = find(ours) {
            members.push(Member { key: theirs.into(), key_span: member.key_span, val: principals(&member.val) });
        }
    }
    if let Some(member) = find("condition") {
        members.push(Member { key: "Condition".into(), key_span: member.key_span, val: conditions(&member.val) });
    }
    Val::object(members, block.span)
}

/// The strings of a set as the provider writes them: from the last to the first, a single one without its list.
fn listed(val: &Val) -> Val {
    match val.items() {
        [only] => only.clone(),
        items if !items.is_empty() && items.iter().all(|item| item.as_str().is_some()) => {
            let mut items = items.to_vec();
            items.sort_by(|a, b| b.as_str().cmp(&a.as_str()));
            items.dedup_by(|a, b| a.as_str() == b.as_str());
            val.clone().with_kind(Kind::Tuple(items.into()))
        }
        _ => val.clone(),
    }
}

/// With `${…}` for the `&{…}` by which IAM's own variables are written where terraform would read them as its own.
fn with_variables(val: &Val) -> Val {
    match &val.kind {
        Kind::String(text) if text.contains("&{") => {
            val.clone().with_kind(Kind::String(text.replace("&{", "${").into()))
        }
        Kind::String(_) | Kind::Unknown(_) => val.clone(),
        _ => val.clone().with_kind(val.map_parts(None, &with_variables)),
    }
}

fn principals(blocks: &Val) -> Val {
    let mut kinds: Vec<Member> = Vec::new();
    for block in blocks.items() {
        let kind: Arc<str> = block.member("type").and_then(Val::to_text).unwrap_or_else(|| "AWS".into());
        let Some(identifiers) = block.members().iter().find(|member| &*member.key == "identifiers") else { continue };
        // `*` of type `*` is everyone.
        if &*kind == "*"
            && let [only] = identifiers.val.items()
            && blocks.items().len() == 1
        {
            return only.clone();
        }
        match kinds.iter_mut().find(|known| known.key == kind) {
            Some(known) => {
                let all = known.val.items().iter().chain(identifiers.val.items()).cloned().collect();
                known.val = Val::tuple(all, known.val.span);
            }
            None => {
                let val = identifiers.val.clone();
                kinds.push(Member { key: kind, key_span: identifiers.key_span, val });
            }
        }
    }
    kinds.iter_mut().for_each(|kind| kind.val = with_variables(&listed(&kind.val)));
    Val::object(kinds, blocks.span)
}

/// Conditions by test and variable; values in their order, those of blocks with one test and variable together.
fn conditions(blocks: &Val) -> Val {
    let mut tests: Vec<(Arc<str>, Span, Vec<Member>)> = Vec::new();
    for block in blocks.items() {
        let text = |name: &str| block.member(name).and_then(Val::to_text).unwrap_or_else(|| "".into());
        let (test, variable) = (text("test"), text("variable"));
        let Some(values) = block.members().iter().find(|member| &*member.key == "values") else { continue };
        let nth = tests.iter().position(|(known, ..)| *known == test).unwrap_or_else(|| {
            tests.push((test, block.span, Vec::new()));
            tests.len() - 1
        });
        let variables = &mut tests[nth].2;
        let val = with_variables(&values.val);
        match variables.iter_mut().find(|known| known.key == variable) {
            Some(known) => {
                let both = [&known.val, &val].into_iter().flat_map(|val| match val.is_unknown() {
                    true => vec![val.clone()],
                    false => val.items().to_vec(),
                });
                known.val = Val::tuple(both.collect(), known.val.span);
            }
            None => variables.push(Member { key: variable, key_span: values.key_span, val }),
        }
    }
    let test = |(key, span, mut variables): (Arc<str>, Span, Vec<Member>)| {
        for variable in &mut variables {
            if let [only] = variable.val.items() {
                variable.val = only.clone();
            }
        }
        Member { key, key_span: span, val: Val::object(variables, span) }
    };
    Val::object(tests.into_iter().map(test).collect(), blocks.span)
}
