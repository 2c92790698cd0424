//! Names and the way through attributes and indices.

use std::sync::Arc;

use super::{Evaluated, Evaluator, Failure, Scope, fail, unknown};
use crate::frontend::terraform::functions;
use crate::frontend::terraform::syntax::{ExprId, ExprKind, Text};
use crate::frontend::terraform::value::arms::spread;
use crate::frontend::terraform::value::convert::{after_apply, convert};
use crate::frontend::terraform::value::{AFTER_APPLY, DECIDED, Kind, Sort, Type, Unknown, Val};
use crate::path;
use crate::source::Span;

/// One step of a traversal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    Name(Text),
    Key(ExprId),
}

impl Evaluator<'_> {
    pub(super) fn traversal(&self, scope: Scope<'_>, id: ExprId) -> Evaluated {
        let file = scope.file;
        let span = file.expr_span(id);
        let mut steps = Vec::new();
        let mut at = id;
        let root = loop {
            match file.expr(at).kind {
                ExprKind::Attribute(base, name) => {
                    steps.push(Access::Name(name));
                    at = base;
                }
                ExprKind::Index(base, key) => {
                    steps.push(Access::Key(key));
                    at = base;
                }
                ExprKind::Variable(name) => break Some(name),
                _ => break None,
            }
        };
        steps.reverse();
        let Some(root) = root else {
            let value = self.eval(scope, at)?;
            return self.follow(scope, value, &steps, false, span);
        };
        let (value, used, is_loose) = self.named(scope, file.text(root), &steps, span)?;
        self.follow(scope, value, &steps[used..], is_loose, span)
    }

    /// A single nested block may be named without an index, and with one: only the provider's schema tells whether the block is
    /// a list. In JSON (`is_loose`) an argument may be a block.
    fn follow(&self, scope: Scope<'_>, mut value: Val, steps: &[Access], is_loose: bool, span: Span) -> Evaluated {
        for step in steps {
            value = match *step {
                Access::Name(name) => {
                    let name = scope.file.text(name);
                    match &value.kind {
                        Kind::Tuple(items) if items.len() == 1 && (is_loose || items[0].is_block()) => {
                            member(&items[0], name, span)?
                        }
                        _ => member(&value, name, span)?,
                    }
                }
                Access::Key(key) => {
                    let key = self.eval(scope, key)?;
                    match &value.kind {
                        // The other way round: a block of which there is one.
                        Kind::Object(_) if is_loose && key.as_number().is_some_and(|key| key.as_i64() == Some(0)) => {
                            value
                        }
                        _ => index(&value, &key, span)?,
                    }
                }
            };
        }
        Ok(value.used_as(span, step_name(scope.file.source_text(span))))
    }

    /// The value of a name, how many steps after the root it used, and whether it is part of a resource that is written in JSON.
    fn named(
        &self,
        scope: Scope<'_>,
        root: &str,
        steps: &[Access],
        span: Span,
    ) -> Result<(Val, usize, bool), Box<Failure>> {
        let mut binding = scope.names;
        while let Some(bound) = binding {
            if bound.name == root {
                return Ok((bound.value.clone(), 0, false));
            }
            binding = bound.next;
        }
        if scope.is_constant {
            return Err(fail(span, format!("variables are not allowed here: `{root}`")));
        }
        if scope.is_closed {
            return Err(fail(span, format!("the template is given no variable \"{root}\"")));
        }
        let name = match steps.first() {
            Some(Access::Name(name)) => scope.file.text(*name),
            _ if matches!(root, "var" | "local" | "path" | "terraform") => {
                return Err(fail(span, format!("`{root}` wants a name after a dot")));
            }
            _ => "",
        };
        let instance = scope.instance;
        let one = |val: Val| Ok((val, 1, false));
        match root {
            "var" => one(self.variable(instance, name, span)),
            "local" => one(self.local(instance, name, span)),
            "each" => match (&scope.repetition.each, name) {
                (Some((key, _)), "key") => one(key.clone()),
                (Some((_, value)), "value") => one(value.clone()),
                (Some(_), _) => Err(fail(span, "`each` has only `key` and `value`")),
                (None, _) => Err(fail(span, "`each` stands only in blocks with for_each")),
            },
            "count" => match (&scope.repetition.index, name) {
                (Some(index), "index") => one(index.clone()),
                (Some(_), _) => Err(fail(span, "`count` has only `index`")),
                (None, _) => Err(fail(span, "`count` stands only in blocks with count")),
            },
            "path" => one(match name {
                // Terraform runs in the folder of the root module and tells paths from there.
                "module" => Val::string(path::between(instance.root_folder(), &instance.module.folder), span),
                "root" => Val::string(".", span),
                "cwd" => functions::filesystem::working_folder(span),
                _ => return Err(fail(span, "`path` has only `module`, `root` and `cwd`")),
            }),
            "terraform" => one(match name {
                "workspace" => Val::string("default", span),
                "applying" => unknown(
                    Type::Bool,
                    "whether terraform applies is not known",
                    Some("terraform.applying".into()),
                    span,
                ),
                _ => return Err(fail(span, "`terraform` has only `workspace` and `applying`")),
            }),
            "self" => {
                let reason = "`self` is known when the provisioner runs";
                Ok((unknown(Type::Dynamic, reason, Some("self".into()), span), 0, false))
            }
            "module" => self.output(scope, steps, span).map(|(val, used)| (val, used, false)),
            _ => self.resource(scope, root, steps, span),
        }
    }
}

/// What a step of the way of a value is called by a name as it is written.
pub(super) fn step_name(text: &str) -> &str {
    const LONGEST: usize = 80;
    if text.len() > LONGEST || text.contains('\n') { DECIDED } else { text }
}

/// The attribute of an object or the element of a map.
pub(super) fn member(value: &Val, name: &str, span: Span) -> Evaluated {
    match &value.kind {
        Kind::Object(members) => match (value.member(name), &members.open) {
            (Some(val), _) => Ok(val.clone()),
            (None, Some(resource)) => Ok(after_apply(resource, name, span)),
            (None, None) => Err(fail(span, format!("there is no attribute \"{name}\" in this object"))),
        },
        Kind::Map(_) => {
            value.member(name).cloned().ok_or_else(|| fail(span, format!("there is no element \"{name}\" in this map")))
        }
        Kind::Unknown(unknown) => {
            let ty = match &unknown.ty {
                Type::Dynamic => Type::Dynamic,
                Type::Map(element) => (**element).clone(),
                ty @ Type::Object(_) => match ty.attribute(name) {
                    Some(attribute) => attribute.ty.clone(),
                    None => return Err(fail(span, format!("there is no attribute \"{name}\" in this object"))),
                },
                other => return Err(fail(span, format!("{} has no attributes", other.noun()))),
            };
            let open = part(unknown, ty, &format!(".{name}"), span);
            Ok(match value.known_members().iter().find(|known| &*known.key == name) {
                // Of a map that is known in part: rules see the part, terraform does not.
                Some(known) => open.with_arms(known.val.clone(), known.val.clone()),
                None => spread(open, std::slice::from_ref(value), &mut |whole| member(&whole[0], name, span)),
            })
        }
        Kind::Null(_) => Err(fail(span, format!("the value is null, and has no attribute \"{name}\""))),
        _ => Err(fail(span, format!("{} has no attribute \"{name}\"", value.sort().noun()))),
    }
    .map(|val| val.marked(value.marks))
}

/// A part of an unknown: its references lead to the part.
fn part(whole: &Unknown, ty: Type, step: &str, span: Span) -> Val {
    let not_null = whole.not_null && &*whole.reason == AFTER_APPLY;
    let references = whole.references.iter().map(|reference| Arc::from(format!("{reference}{step}"))).collect();
    Val::unknown(Unknown { ty, reason: whole.reason.clone(), references, not_null, ..Unknown::default() }, span)
}

/// The element of a list or map at a key.
pub(super) fn index(value: &Val, key: &Val, span: Span) -> Evaluated {
    if value.is_null() {
        return Err(fail(span, "the value is null, and has no elements"));
    }
    if key.is_null() {
        return Err(fail(span, "the index is null"));
    }
    let marks = value.marks.with(key.marks);
    let number = || {
        let key = convert(key.clone(), &Type::Number).map_err(|_| fail(span, "the index of a list is a number"))?;
        match key.as_number() {
            Some(number) if number.is_negative() || !number.is_integer() => {
                Err(fail(span, "the index of a list is a whole number, zero or more"))
            }
            Some(number) => Ok(Some(number.as_i64().map_or(usize::MAX, |index| index as usize))),
            None => Ok(None),
        }
    };
    let text = || {
        let key = convert(key.clone(), &Type::String).map_err(|_| fail(span, "the key of a map is a string"))?;
        Ok::<_, Box<Failure>>(key.to_text())
    };
    let open = |ty: Type| Ok(Val::depends(ty, &[value, key], span));
    // Of a key without a type terraform asks nothing, not even whether there is something to look it up in.
    if matches!(&key.kind, Kind::Unknown(unknown) if unknown.ty == Type::Dynamic) {
        return open(Type::Dynamic).map(|val| val.marked(marks));
    }
    let element = || value.element_ty().cloned().unwrap_or_default();
    match &value.kind {
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Dynamic => open(Type::Dynamic),
            Type::List(_) => number().and_then(|_| open(element())),
            Type::Map(_) => text().and_then(|_| open(element())),
            Type::Tuple(items) => match number()? {
                Some(index) => open(items.get(index).cloned().ok_or_else(|| out_of_range(index, items.len(), span))?),
                None => open(Type::Dynamic),
            },
            Type::Object(_) => match text()? {
                Some(name) => member(value, &name, span),
                None => open(Type::Dynamic),
            },
            ty => Err(no_elements(ty.sort(), span)),
        },
        Kind::List(_) | Kind::Tuple(_) => {
            let items = value.items();
            match number()? {
                Some(index) => items.get(index).cloned().ok_or_else(|| out_of_range(index, items.len(), span)),
                None => open(element()).map(|any| any.one_of(items.iter(), false)),
            }
        }
        Kind::Map(_) | Kind::Object(_) => match text()? {
            Some(name) => member(value, &name, span),
            None => open(element()).map(|any| any.one_of(value.parts(), false)),
        },
        _ => Err(no_elements(value.sort(), span)),
    }
    .map(|val| match val.is_unknown() {
        true => {
            let parts = [value.clone(), key.clone()];
            spread(val, &parts, &mut |parts| index(&parts[0], &parts[1], span)).marked(marks)
        }
        false => val.marked(marks),
    })
}

fn no_elements(sort: Sort, span: Span) -> Box<Failure> {
    match sort {
        Sort::Set => fail(span, "the elements of a set have no index; convert it with tolist"),
        other => fail(span, format!("{} has no elements", other.noun())),
    }
}

fn out_of_range(index: usize, len: usize, span: Span) -> Box<Failure> {
    fail(span, format!("index {index} is out of range: the list has {len} elements"))
}

#[cfg(test)]
mod tests {
    use crate::frontend::Settings;
    use crate::frontend::terraform::evaluate_all;
    use crate::source::Sources;

    fn refusal(expression: &str) -> String {
        let mut said = None;
        let settings = Settings { root: "\0".into(), ..Settings::default() };
        let asked = std::iter::once(expression.to_string());
        evaluate_all(&settings, &Sources::default(), &[], asked, &mut |answer| said = answer.err());
        said.expect("the expression is refused")
    }

    #[test]
    fn a_namespace_is_no_value_and_has_no_index() {
        for expression in ["var", "var[0]", "local[\"a\"]", "path", "upper(terraform)", "[for x in [1] : local]"] {
            assert!(refusal(expression).ends_with("wants a name after a dot"), "{expression}");
        }
    }
}
