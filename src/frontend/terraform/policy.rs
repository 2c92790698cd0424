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

/// The document that a data block with these members describes.
pub fn document(members: &[Member], head: Span) -> Val {
    let find = |name: &str| members.iter().find(|member| &*member.key == name).map(|member| &member.val);
    let mut statements: Vec<Val> = Vec::new();
    for name in ["source_json", "source_policy_documents"] {
        let mut sources = Vec::new();
        find(name).into_iter().for_each(|documents| add_documents(documents, &mut sources));
        statements.extend(sources);
    }
    for block in find("statement").map(Val::items).unwrap_or_default() {
        override_statement(&mut statements, statement(block));
    }
    for name in ["override_policy_documents", "override_json"] {
        let mut overrides = Vec::new();
        find(name).into_iter().for_each(|documents| add_documents(documents, &mut overrides));
        overrides.into_iter().for_each(|one| override_statement(&mut statements, one));
    }
    let member = |key: &str, val: Val| Member { key: key.into(), key_span: head, val };
    let version = find("version").cloned().unwrap_or_else(|| Val::string("2012-10-17", head));
    let mut parts = vec![member("Version", version), member("Statement", Val::tuple(statements, head))];
    if let Some(id) = find("policy_id").filter(|id| !id.is_null()) {
        parts.push(member("Id", id.clone()));
    }
    let document = Val::object(parts, head);
    let text = match document.has_unknown() {
        true => super::eval::not_null(Val::depends(Type::String, &[&document], head)),
        false => Val::string(encode_json(&document), head),
    };
    text.made_from(document)
}

/// A statement with the `Sid` of an earlier one takes its place.
fn override_statement(statements: &mut Vec<Val>, new: Val) {
    let sid = new.member("Sid").and_then(Val::as_str).filter(|sid| !sid.is_empty());
    let known =
        sid.and_then(|sid| statements.iter().position(|old| old.member("Sid").and_then(Val::as_str) == Some(sid)));
    match known {
        Some(index) => statements[index] = new,
        None => statements.push(new),
    }
}

fn add_documents(val: &Val, statements: &mut Vec<Val>) {
    if let Some(structure) = &val.structure {
        return add_documents(structure, statements);
    }
    match &val.kind {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            val.items().iter().for_each(|item| add_documents(item, statements));
        }
        Kind::Map(_) | Kind::Object(_) => match val.member("Statement") {
            Some(one) if !one.items().is_empty() => statements.extend(one.items().iter().cloned()),
            Some(one) if !one.members().is_empty() => statements.push(one.clone()),
            _ => {}
        },
        Kind::String(text) => {
            if let Ok(document) = decode(text, val.span) {
                add_documents(&document, statements);
            }
        }
        Kind::Unknown(_) => statements.push(val.clone()),
        _ => {}
    }
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
    for (ours, theirs) in NAMES {
        if let Some(member) = find(ours) {
            members.push(Member { key: (*theirs).into(), key_span: member.key_span, val: listed(&member.val) });
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
            val.clone().with_kind(Kind::Tuple(items.into()))
        }
        _ => val.clone(),
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
    kinds.iter_mut().for_each(|kind| kind.val = listed(&kind.val));
    Val::object(kinds, blocks.span)
}

fn conditions(blocks: &Val) -> Val {
    let mut tests: Vec<Member> = Vec::new();
    for block in blocks.items() {
        let text = |name: &str| block.member(name).and_then(Val::to_text).unwrap_or_else(|| "".into());
        let (test, variable) = (text("test"), text("variable"));
        let Some(values) = block.members().iter().find(|member| &*member.key == "values") else { continue };
        let inner = Member { key: variable, key_span: values.key_span, val: listed(&values.val) };
        let known = tests.iter().position(|member| member.key == test);
        let mut inners = known.map(|index| tests[index].val.members().to_vec()).unwrap_or_default();
        inners.push(inner);
        let member = Member { key: test, key_span: block.span, val: Val::object(inners, block.span) };
        match known {
            Some(index) => tests[index] = member,
            None => tests.push(member),
        }
    }
    Val::object(tests, blocks.span)
}
