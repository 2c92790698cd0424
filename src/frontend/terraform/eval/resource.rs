//! Resources and data sources as values, and how often a block is repeated.

use std::rc::Rc;
use std::sync::Arc;

use super::name::Access;
use super::{Dependencies, Evaluated, Evaluator, Failure, Instance, Repetition, Scope, Space, fail, unknown};
use crate::frontend::terraform::body;
use crate::frontend::terraform::module::Declaration;
use crate::frontend::terraform::policy;
use crate::frontend::terraform::syntax::{ExprId, ExprKind};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Kind, Marks, Member, Members, Type, Unknown, Val};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Instances of one resource or module that are judged one by one.
const MAX_INSTANCES: usize = 10_000;

/// What stands in a resource's body and is none of its attributes.
const META: &[&str] = &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

impl Evaluator<'_> {
    /// The value of a resource, data source or ephemeral resource, or of one attribute of it, and how many steps after the
    /// root it used.
    pub(super) fn resource(
        &self,
        scope: Scope<'_>,
        root: &str,
        steps: &[Access],
        span: Span,
    ) -> Result<(Val, usize), Box<Failure>> {
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
                    return Ok((self.undeclared(span, format!("`{root}`"), message), 0));
                }
            },
        };
        let instance = scope.instance;
        let module = &instance.module;
        let Some(declaration) = module.resources.get(&key).or_else(|| module.data.get(&key)) else {
            let message = format!("{key} is not declared in this module");
            return Ok((self.undeclared(span, key, message), used));
        };
        let touch = |key: &str| self.touch(format!("{}{key}", instance.prefix).into());
        if declaration.attribute("count").is_none() && declaration.attribute("for_each").is_none() {
            touch(&key);
            let none = Repetition::default();
            return Ok(match text(steps.get(used)) {
                Some(name) => (self.attribute(instance, declaration, &key, &none, name, span)?, used + 1),
                None => (self.object_of(instance, declaration, &key, &none, span), used),
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
            return Ok((unknown(Type::Dynamic, "the instances are not known", Some(of.into()), span), used));
        };
        let is_keyed = declaration.attribute("for_each").is_some();
        if let (Some(Access::Key(index)), Some(name)) = (steps.get(used), text(steps.get(used + 1))) {
            let index = self.eval(scope, *index)?;
            if let Some(text) = index.to_text() {
                let wanted = if is_keyed { format!("[{text:?}]") } else { format!("[{text}]") };
                if let Some(repetition) = all.iter().find(|one| one.key == wanted) {
                    touch(&format!("{key}{}", repetition.key));
                    let val = self.attribute(instance, declaration, &key, repetition, name, span)?;
                    return Ok((val, used + 2));
                }
                return Err(fail(span, format!("{key} has no instance {wanted}")));
            }
            touch(&key);
            return Ok((Val::depends(Type::Dynamic, &[&index], span), used + 2));
        }
        touch(&key);
        Ok((self.instances(instance, declaration, &key, &all, is_keyed, span), used))
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
                for name in ["id", "output"] {
                    let val = computed(&address, name, span);
                    members.push(Member { key: name.into(), key_span: span, val });
                }
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
                Ok(policy::document(self, instance, declaration, repetition))
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
                "id" | "output" => Ok(computed(key, name, span)),
                _ => Err(fail(span, format!("{key} has no attribute \"{name}\""))),
            };
        }
        let marks = if key.starts_with("ephemeral.") { Marks::EPHEMERAL } else { Marks::NONE };
        Ok(computed(&format!("{key}{}", repetition.key), name, span).marked(marks))
    }

    // Repetition.

    /// The instances of a block with `count` or `for_each`; one plain instance without. None where the number is unknown.
    pub fn repetitions(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
    ) -> Option<Vec<Repetition>> {
        let none = Repetition::default();
        if let Some(count) = declaration.attribute("count") {
            let span = count.file.expr_span(count.item);
            let scope = Scope::new(instance, &count.file, &none);
            let memo = format!("{key}.count");
            let value =
                self.memoized(instance, Space::Resource, &memo, span, || counted(self.eval(scope, count.item)?, span));
            let number = value.as_number()?.as_i64().unwrap_or(i64::MAX);
            let shown = self.bounded(number.unsigned_abs() as usize, span, "count");
            let one = |index: usize| Repetition {
                index: Some(Val::int(index as i64, span)),
                each: None,
                key: format!("[{index}]"),
            };
            return Some((0..shown).map(one).collect());
        }
        let Some(each) = declaration.attribute("for_each") else { return Some(vec![none]) };
        let span = each.file.expr_span(each.item);
        let scope = Scope::new(instance, &each.file, &none);
        let memo = format!("{key}.for_each");
        let value = self.memoized(instance, Space::Resource, &memo, span, || keyed(self.eval(scope, each.item)?, span));
        if value.is_unknown() {
            return None;
        }
        let mut all = value.pairs();
        all.truncate(self.bounded(all.len(), span, "for_each"));
        all.into_iter()
            .map(|(key, value)| {
                let name = format!("[{:?}]", key.to_text()?);
                Some(Repetition { index: None, each: Some((key, value)), key: name })
            })
            .collect()
    }

    fn bounded(&self, wanted: usize, span: Span, what: &str) -> usize {
        if wanted <= MAX_INSTANCES {
            return wanted;
        }
        let message = format!("{what} asks for {wanted} instances: only the first is judged");
        self.problem(
            Problem::at(ProblemKind::Limit, span, message)
                .help(format!("gate judges up to {MAX_INSTANCES} instances one by one")),
        );
        1
    }

    /// As [`Evaluator::representatives`], with the resources that the number of instances depends on.
    pub fn repeated(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
    ) -> (Vec<Repetition>, Dependencies) {
        self.collectors.borrow_mut().push(Dependencies::new());
        let all = self.representatives(instance, declaration, key);
        (all, self.collectors.borrow_mut().pop().unwrap_or_default())
    }

    /// As [`Evaluator::repetitions`], with one representative of unknown key where the number is unknown.
    pub fn representatives(&self, instance: &Rc<Instance>, declaration: &Declaration, key: &str) -> Vec<Repetition> {
        self.repetitions(instance, declaration, key).unwrap_or_else(|| {
            let span = declaration.head();
            let part = |ty: Type, name: &str| {
                let unknown = Unknown {
                    ty,
                    reason: "the instances are not known".into(),
                    references: vec![name.into()],
                    not_null: true,
                    ..Unknown::default()
                };
                Val::unknown(unknown, span)
            };
            if declaration.attribute("count").is_some() {
                let index = Some(part(Type::Number, "count.index"));
                return vec![Repetition { index, each: None, key: String::new() }];
            }
            let each = Some((part(Type::String, "each.key"), part(Type::Dynamic, "each.value")));
            vec![Repetition { index: None, each, key: String::new() }]
        })
    }
}

/// An attribute that the provider computes. `id` and `arn` are strings in every provider's schema.
fn computed(resource: &str, name: &str, span: Span) -> Val {
    let unknown = Unknown {
        ty: if matches!(name, "id" | "arn") { Type::String } else { Type::Dynamic },
        reason: "known after apply".into(),
        references: vec![format!("{resource}.{name}").into()],
        not_null: name != "output",
        ..Unknown::default()
    };
    Val::unknown(unknown, span)
}

/// A `count`: a whole number, zero or more, or unknown.
fn counted(val: Val, span: Span) -> Evaluated {
    let val = convert(val, &Type::Number).map_err(|error| fail(span, format!("invalid count: {error}")))?;
    let refused = match val.as_number() {
        _ if val.is_null() => Some("it is null"),
        _ if val.deep_marks().has(Marks::SENSITIVE) => Some("it comes from a sensitive value"),
        _ if val.deep_marks().has(Marks::EPHEMERAL) => Some("it comes from an ephemeral value"),
        Some(number) if number.is_negative() => Some("it is negative"),
        Some(number) if !number.is_integer() => Some("it is no whole number"),
        _ => None,
    };
    refused.map_or(Ok(val), |why| Err(fail(span, format!("invalid count: {why}"))))
}

/// A `for_each`: a map, an object or a set of strings, or unknown.
fn keyed(val: Val, span: Span) -> Evaluated {
    let refused = match &val.kind {
        _ if val.is_null() => Some("it is null"),
        _ if val.marks.has(Marks::SENSITIVE) => Some("it comes from a sensitive value"),
        _ if val.marks.has(Marks::EPHEMERAL) => Some("it comes from an ephemeral value"),
        Kind::Map(_) | Kind::Object(_) => None,
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Dynamic | Type::Map(_) | Type::Object(_) => None,
            Type::Set(element) if matches!(**element, Type::String | Type::Dynamic) => None,
            _ => Some("it wants a map or a set of strings"),
        },
        Kind::Set(elements) => match &elements.ty {
            _ if elements.items.iter().any(Val::is_null) => Some("the set holds null"),
            Type::String => None,
            _ if elements.items.is_empty() => None,
            _ => Some("it wants a map or a set of strings"),
        },
        _ => Some("it wants a map or a set of strings; convert a list with toset"),
    };
    if let Some(why) = refused {
        return Err(fail(span, format!("invalid for_each: {why}")));
    }
    // Keys that are not known make the whole unknown: no instance can be told from another.
    if matches!(val.kind, Kind::Set(_)) && val.has_unknown() {
        return Ok(Val::depends(Type::set(Type::String), &[&val], span));
    }
    Ok(val)
}
