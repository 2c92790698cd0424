//! Resources and data sources as values, and how often a block is repeated.

use std::rc::Rc;
use std::sync::Arc;

use super::name::Access;
use super::{Evaluated, Evaluator, Failure, Instance, Repetition, Scope, Space, fail, unknown};
use crate::frontend::terraform::body;
use crate::frontend::terraform::module::Declaration;
use crate::frontend::terraform::policy;
use crate::frontend::terraform::syntax::{ExprId, ExprKind};
use crate::frontend::terraform::value::{AFTER_APPLY, Kind, Marks, Member, Members, Type, Unknown, Val};
use crate::source::Span;

/// What stands in a resource's body and is none of its attributes.
const META: &[&str] = &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

impl Evaluator<'_> {
    /// The value of a resource, data source or ephemeral resource, or of one attribute of it, how many steps after the
    /// root it used, and whether it is written in JSON.
    pub(super) fn resource(
        &self,
        scope: Scope<'_>,
        root: &str,
        steps: &[Access],
        span: Span,
    ) -> Result<(Val, usize, bool), Box<Failure>> {
        let text = |step: Option<&Access>| match step {
            Some(Access::Name(name)) => Some(scope.file.text(*name)),
            _ => None,
        };
        let (key, mut used) = match root {
            "data" | "ephemeral" => match (text(steps.first()), text(steps.get(1))) {
                (Some(kind), Some(name)) => (format!("{root}.{kind}.{name}"), 2),
                _ => return Err(fail(span, format!("it is named `{root}.TYPE.NAME`"))),
            },
            _ => match text(steps.first()) {
                Some(name) => (format!("{root}.{name}"), 1),
                None => {
                    let message = format!("`{root}` is not a name that this place knows");
                    return Ok((self.undeclared(span, format!("`{root}`"), message), 0, false));
                }
            },
        };
        let instance = scope.instance;
        let module = &instance.module;
        let Some(declaration) = module.resources.get(&key).or_else(|| module.data.get(&key)) else {
            let message = format!("{key} is not declared in this module");
            let reason = format!("{key} is not declared");
            // Whatever was meant, its attribute has a value, as that of a resource that is there.
            let attribute = text(steps.get(used)).map(|name| (computed(&key, name, &reason, span), used + 1, false));
            let whole = self.undeclared(span, key, message);
            return Ok(attribute.unwrap_or((whole, used, false)));
        };
        let is_json = declaration.file.is_json();
        let touch = |key: &str| self.touch(format!("{}{key}", instance.prefix).into());
        if declaration.attribute("count").is_none() && declaration.attribute("for_each").is_none() {
            touch(&key);
            let none = Repetition::default();
            return Ok(match text(steps.get(used)) {
                Some(name) => (self.attribute(instance, declaration, &key, &none, name, span)?, used + 1, is_json),
                None => (self.object_of(instance, declaration, &key, &none, span), used, is_json),
            });
        }
        let Some(all) = self.repetitions(instance, declaration, &key) else {
            touch(&key);
            // Which instance is not known, nor what it holds.
            let of = match steps.get(used) {
                Some(Access::Key(_)) => {
                    used += 1;
                    match text(steps.get(used)) {
                        Some(name) => {
                            used += 1;
                            format!("{key}.{name}")
                        }
                        None => key,
                    }
                }
                _ => key,
            };
            return Ok((unknown(Type::Dynamic, "the instances are not known", Some(of.into()), span), used, false));
        };
        let is_keyed = declaration.is_keyed();
        if let (Some(Access::Key(index)), Some(name)) = (steps.get(used), text(steps.get(used + 1))) {
            let index = self.eval(scope, *index)?;
            if let Some(wanted) = Repetition::key_of(&index, is_keyed) {
                let Some(repetition) = all.position(&wanted).and_then(|position| all.get(position)) else {
                    return Err(fail(span, format!("{key} has no instance {wanted}")));
                };
                touch(&format!("{key}{wanted}"));
                let val = self.attribute(instance, declaration, &key, repetition, name, span)?;
                return Ok((val, used + 2, is_json));
            }
            touch(&key);
            return Ok((Val::depends(Type::Dynamic, &[&index], span), used + 2, false));
        }
        touch(&key);
        // Once for all who ask; an instance that asks for all of them, itself too, is a cycle.
        let whole = self.memoized(instance, Space::Resource, &key, span, || {
            Ok(self.instances(instance, declaration, &key, &all, is_keyed, declaration.head()))
        });
        Ok((whole.at(span), used, is_json))
    }

    /// The address (without an instance key) that an expression names as a whole resource, data source or instance of one.
    pub fn address(&self, scope: Scope<'_>, id: ExprId) -> Option<Arc<str>> {
        let file = scope.file;
        match file.expr(id).kind {
            ExprKind::Index(base, _) => self.address(scope, base),
            ExprKind::Attribute(base, name) => {
                let key = match file.expr(base).kind {
                    ExprKind::Variable(kind) => format!("{}.{}", file.text(kind), file.text(name)),
                    ExprKind::Attribute(root, kind) => match file.expr(root).kind {
                        ExprKind::Variable(root) => {
                            format!("{}.{}.{}", file.text(root), file.text(kind), file.text(name))
                        }
                        _ => return None,
                    },
                    _ => return None,
                };
                let module = &scope.instance.module;
                let is_there = module.resources.get(&key).is_some() || module.data.get(&key).is_some();
                is_there.then(|| format!("{}{key}", scope.instance.prefix).into())
            }
            _ => None,
        }
    }

    /// All instances: a tuple with `count`, an object with `for_each`.
    fn instances(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
        all: &[Repetition],
        is_keyed: bool,
        span: Span,
    ) -> Val {
        let one = |repetition: &Repetition| self.object_of(instance, declaration, key, repetition, span);
        if !is_keyed {
            return Val::tuple(all.iter().map(one).collect(), span);
        }
        let members = all.iter().filter_map(|repetition| {
            let (key, _) = repetition.each.as_ref()?;
            Some(Member { key: key.to_text()?, key_span: span, val: one(repetition) })
        });
        Val::object(members.collect(), span)
    }

    /// One instance as an object: what is configured; all else is known after apply.
    fn object_of(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
        repetition: &Repetition,
        span: Span,
    ) -> Val {
        let address = format!("{key}{}", repetition.key);
        self.memoized(instance, Space::Resource, &address, span, || {
            let scope = Scope::new(instance, &declaration.file, repetition);
            let mut members = body::body(self, scope, declaration, &mut |_, _| {});
            members.retain(|member| !META.contains(&&*member.key));
            if key.starts_with("terraform_data.") {
                for name in ["input", "triggers_replace"] {
                    if !members.iter().any(|member| &*member.key == name) {
                        members.push(Member { key: name.into(), key_span: span, val: Val::null(span) });
                    }
                }
                let input = members.iter().find(|member| &*member.key == "input").map(|member| member.val.clone());
                let output = echoed(input.as_ref(), &address, span);
                members.push(Member { key: "output".into(), key_span: span, val: output });
                let val = computed(&address, "id", AFTER_APPLY, span);
                members.push(Member { key: "id".into(), key_span: span, val });
            }
            let open = (!key.starts_with("terraform_data.")).then(|| address.as_str().into());
            let members =
                Members { items: crate::frontend::terraform::value::sorted(members), open, ..Members::default() };
            Ok(Val::new(Kind::Object(members.into()), declaration.head()))
        })
    }

    /// One attribute of one instance, without evaluating the others.
    fn attribute(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
        repetition: &Repetition,
        name: &str,
        span: Span,
    ) -> Evaluated {
        let address = format!("{key}{}.{name}", repetition.key);
        if key.starts_with("data.aws_iam_policy_document.") && matches!(name, "json" | "minified_json") {
            return Ok(self.memoized(instance, Space::Resource, &address, span, || {
                let scope = Scope::new(instance, &declaration.file, repetition);
                let members = body::body(self, scope, declaration, &mut |_, _| {});
                Ok(policy::document(&members, declaration.head()))
            }));
        }
        if let Some(argument) = declaration.attribute(name) {
            return Ok(self.memoized(instance, Space::Resource, &address, span, || {
                let scope = Scope::new(instance, &argument.file, repetition);
                let value = self.eval(scope, argument.item)?;
                Ok(value.through(argument.file.expr_span(argument.item), format!("{key}.{name}").into()))
            }));
        }
        let file = &declaration.file;
        let is_block = file.blocks(declaration.block.body).iter().any(|block| {
            file.text(block.kind) == name
                || file.text(block.kind) == "dynamic" && file.labels(block).next() == Some(name)
        });
        if is_block {
            return Ok(self.memoized(instance, Space::Resource, &address, span, || {
                let scope = Scope::new(instance, file, repetition);
                let found = body::body(self, scope, declaration, &mut |_, _| {});
                let found = found.into_iter().find(|member| &*member.key == name).map(|member| member.val);
                Ok(found.unwrap_or_else(|| Val::tuple(Vec::new(), span)))
            }));
        }
        if key.starts_with("terraform_data.") {
            return match name {
                "input" | "triggers_replace" => Ok(Val::null(span)),
                "output" => {
                    let input = self.attribute(instance, declaration, key, repetition, "input", span)?;
                    Ok(echoed(Some(&input), &format!("{key}{}", repetition.key), span))
                }
                "id" => Ok(computed(&format!("{key}{}", repetition.key), name, AFTER_APPLY, span)),
                _ => Err(fail(span, format!("{key} has no attribute \"{name}\""))),
            };
        }
        let marks = if key.starts_with("ephemeral.") { Marks::EPHEMERAL } else { Marks::NONE };
        Ok(computed(&format!("{key}{}", repetition.key), name, AFTER_APPLY, span).marked(marks))
    }
}

/// The `output` of a `terraform_data`: its input once it is applied, of which the type is known before.
fn echoed(input: Option<&Val>, resource: &str, span: Span) -> Val {
    match input {
        None => Val::null(span),
        Some(input) if input.is_null() => input.clone().at(span),
        Some(input) => {
            let reference = format!("{resource}.output").into();
            unknown(input.ty(), AFTER_APPLY, Some(reference), span)
        }
    }
}

/// An attribute that the provider computes. `id` and `arn` are strings in every provider's schema.
fn computed(resource: &str, name: &str, reason: &str, span: Span) -> Val {
    let unknown = Unknown {
        ty: if matches!(name, "id" | "arn") { Type::String } else { Type::Dynamic },
        reason: reason.into(),
        references: vec![format!("{resource}.{name}").into()],
        not_null: true,
        ..Unknown::default()
    };
    Val::unknown(unknown, span)
}
