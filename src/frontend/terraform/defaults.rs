//! What a provider's configuration gives to its resources: `default_tags` of AWS, `default_labels` of Google.
//!
//! The provider merges them into an attribute of each resource, where rules see them. Whether a type of resource can be tagged
//! at all only the provider knows: all of its resources get the attribute.
//! Sources: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs#default_tags> and
//! <https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference#default_labels>

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::body;
use super::eval::{Evaluator, Instance, Repetition, Scope};
use super::module::Declaration;
use super::syntax::ExprKind;
use super::value::{Member, Type, Val};
use crate::source::Span;

/// A provider that gives defaults: its local name and that of its resources' types, the argument (in a block where one is
/// named), the argument of a resource that is merged over it, and the attribute that both make.
struct Giver {
    provider: &'static str,
    block: Option<&'static str>,
    argument: &'static str,
    own: &'static str,
    all: &'static str,
}

const GIVERS: &[Giver] = &[
    Giver { provider: "aws", block: Some("default_tags"), argument: "tags", own: "tags", all: "tags_all" },
    Giver { provider: "google", block: None, argument: "default_labels", own: "labels", all: "effective_labels" },
    Giver { provider: "google-beta", block: None, argument: "default_labels", own: "labels", all: "effective_labels" },
];

/// The defaults that are in force in one instance of a module, by the name of the provider's configuration: `aws`, `aws.eu`.
#[derive(Default)]
pub struct Defaults {
    by_name: FxHashMap<String, Val>,
}

impl Defaults {
    /// Those of an instance: what its caller passes, and what its own `provider` blocks say.
    pub fn of(evaluator: &Evaluator<'_>, instance: &Rc<Instance>, passed: Defaults) -> Defaults {
        let mut by_name = passed.by_name;
        for declaration in &instance.module.providers {
            let label = &*declaration.labels[0];
            let Some(giver) = GIVERS.iter().find(|giver| giver.provider == label) else { continue };
            let none = Repetition::default();
            let scope = Scope::new(instance, &declaration.file, &none);
            let body = Val::object(body::body(evaluator, scope, declaration, &mut |_, _| {}), declaration.head());
            let name = match body.member("alias").and_then(Val::as_str) {
                Some(alias) => format!("{label}.{alias}"),
                None => label.to_string(),
            };
            let holder = match giver.block {
                Some(block) => body.member(block).and_then(|blocks| blocks.items().first().or(Some(blocks))),
                None => Some(&body),
            };
            match holder.and_then(|holder| holder.member(giver.argument)).filter(|val| !val.is_null()) {
                Some(val) => by_name.insert(name, val.clone()),
                None => by_name.remove(&name),
            };
        }
        Defaults { by_name }
    }

    /// What a called module gets: the configurations that `providers` names, or all without an alias.
    pub fn passed(&self, call: &Declaration) -> Defaults {
        let Some(providers) = call.attribute("providers") else {
            let plain = self.by_name.iter().filter(|(name, _)| !name.contains('.'));
            return Defaults { by_name: plain.map(|(name, val)| (name.clone(), val.clone())).collect() };
        };
        let file = &providers.file;
        let text = |expr| file.source_text(file.expr_span(expr)).trim_matches('"');
        let ExprKind::Object(items) = file.expr(providers.item).kind else { return Defaults::default() };
        let pairs = file.exprs(items).chunks(2).filter_map(|pair| match pair {
            [inner, outer] => Some((text(*inner).to_string(), self.by_name.get(text(*outer))?.clone())),
            _ => None,
        });
        Defaults { by_name: pairs.collect() }
    }

    /// Adds to the body of a resource of this type what its provider makes of the defaults.
    pub fn apply(&self, kind: &str, members: &mut Vec<Member>, head: Span) {
        if self.by_name.is_empty() {
            return;
        }
        let Some((prefix, _)) = kind.split_once('_') else { return };
        let named = members.iter().find(|member| &*member.key == "provider").and_then(|member| member.val.as_str());
        let name = named.map_or(prefix, |name| name.trim_matches('"'));
        let provider = name.split('.').next().unwrap_or(name);
        let Some(giver) = GIVERS.iter().find(|giver| giver.provider == provider) else { return };
        let Some(given) = self.by_name.get(name) else { return };
        let own = members.iter().find(|member| &*member.key == giver.own).map(|member| &member.val);
        let val = match own.filter(|own| !own.is_null()) {
            None => given.clone(),
            Some(own) if own.is_unknown() || given.is_unknown() => {
                Val::depends(Type::map(Type::String), &[given, own], own.span)
            }
            // Of equal keys the last counts: the resource's own.
            Some(own) => Val::object(given.members().iter().chain(own.members()).cloned().collect(), own.span),
        };
        members.push(Member { key: Arc::from(giver.all), key_span: head, val });
    }
}
