//! Variables, locals and the outputs of modules.

use std::rc::Rc;

use super::name::{Access, index};
use super::{Evaluated, Evaluator, Failure, Instance, Repetition, Scope, Space, fail, unknown};
use crate::frontend::terraform::module::{At, Declaration};
use crate::frontend::terraform::syntax::{Block, BodyId, ExprId, ExprKind};
use crate::frontend::terraform::value::constraint::constraint;
use crate::frontend::terraform::value::convert::{bare, convert};
use crate::frontend::terraform::value::{Marks, Member, Type, Val};
use crate::source::Span;

impl Evaluator<'_> {
    pub(super) fn variable(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Val {
        let Some(declaration) = instance.module.variables.get(name) else {
            let message = format!("variable \"{name}\" is not declared in this module");
            return self.undeclared(span, format!("var.{name}"), message);
        };
        self.memoized(instance, Space::Variable, name, span, || {
            let ty = self.declared_type(instance, declaration);
            let val = self.variable_value(instance, name, declaration, &ty)?;
            let at = val.span;
            let val = self.converted(val, &ty, declaration);
            let val = val.map_err(|error| fail(at, format!("invalid value for var.{name}: {error}")))?;
            Ok(val.marked(self.declared_marks(instance, declaration)))
        })
    }

    /// The value as the type of a variable. Instances of one module are often given one large value: it is converted once, and
    /// shared.
    fn converted(&self, val: Val, ty: &Type, declaration: &Declaration) -> Result<Val, String> {
        let (Some(at), Some(address)) = (declaration.attribute("type"), val.shared_address()) else {
            return convert(val, ty);
        };
        let key = (address, at.file.id, at.item);
        if let Some((from, to)) = self.conversions.borrow().get(&key)
            && from.marks == val.marks
        {
            return Ok(val.sharing(to));
        }
        let to = convert(val.clone(), ty)?;
        // The value is kept with its result, so that no other comes to its address.
        self.conversions.borrow_mut().insert(key, (val, to.clone()));
        Ok(to)
    }

    fn variable_value(&self, instance: &Rc<Instance>, name: &str, declaration: &Declaration, ty: &Type) -> Evaluated {
        // A null means the default for variables that take no null.
        let takes_null = takes_null(declaration);
        let required = || format!("var.{name} takes no null, and has no default to take its place");
        let is_required = !takes_null && declaration.attribute("default").is_none();
        if let Some(given) = instance.given.get(name)
            && given.is_null()
            && is_required
        {
            return Err(fail(given.span, required()));
        }
        if let Some(given) = instance.given.get(name)
            && (takes_null || !given.is_null())
        {
            return Ok(given.clone());
        }
        if let Some(caller) = &instance.caller
            && let Some(call) = caller.instance.module.calls.get(&caller.call)
            && let Some(argument) = call.attribute(name)
        {
            let scope = Scope::new(&caller.instance, &argument.file, &caller.repetition);
            let value = self.eval(scope, argument.item)?;
            if value.is_null() && is_required {
                return Err(fail(argument.file.expr_span(argument.item), required()));
            }
            if takes_null || !value.is_null() {
                let what = format!("argument {name} of {}module.{}", caller.instance.prefix, caller.call);
                return Ok(value.through(argument.file.expr_span(argument.item), what.into()));
            }
        }
        match declaration.attribute("default") {
            Some(default) => {
                let none = Repetition::default();
                let value = self.eval(Scope::constant(instance, &default.file, &none), default.item)?;
                Ok(value.through(default.file.expr_span(default.item), format!("default of var.{name}").into()))
            }
            None => {
                let reason = format!("variable \"{name}\" has no value");
                Ok(unknown(bare(ty), &reason, Some(format!("var.{name}").into()), declaration.head()))
            }
        }
    }

    /// Evaluates something that may depend on nothing but itself, in the scope of an instance.
    fn constant(&self, instance: &Rc<Instance>, at: &At<ExprId>) -> Evaluated {
        let none = Repetition::default();
        self.eval(Scope::new(instance, &at.file, &none), at.item)
    }

    /// The type that a variable is declared with; any without one.
    pub fn declared_type(&self, instance: &Rc<Instance>, declaration: &Declaration) -> Type {
        let Some(at) = declaration.attribute("type") else { return Type::Dynamic };
        let key = (at.file.id, at.item);
        if let Some(ty) = self.types.borrow().get(&key) {
            return ty.clone();
        }
        let default = |item: ExprId| {
            self.constant(instance, &At { file: at.file.clone(), item }).map_err(|failure| failure.message)
        };
        let ty = constraint(&at.file, at.item, &default).unwrap_or_else(|message| {
            self.refuse(at.file.expr_span(at.item), message);
            Type::Dynamic
        });
        self.types.borrow_mut().insert(key, ty.clone());
        ty
    }

    fn declared_marks(&self, instance: &Rc<Instance>, declaration: &Declaration) -> Marks {
        [("sensitive", Marks::SENSITIVE), ("ephemeral", Marks::EPHEMERAL)]
            .into_iter()
            .filter(|(name, _)| {
                declaration
                    .attribute(name)
                    .and_then(|at| self.constant(instance, &at).ok())
                    .and_then(|val| convert(val, &Type::Bool).ok())
                    .is_some_and(|val| val.as_bool() == Some(true))
            })
            .fold(Marks::NONE, |marks, (_, mark)| marks.with(mark))
    }

    /// Evaluates every variable of an instance and its `validation` blocks: a value that does not fit is refused though nothing
    /// names the variable, and a default though another value is given.
    pub fn validate(&self, instance: &Rc<Instance>) {
        let none = Repetition::default();
        for (name, declaration) in instance.module.variables.iter() {
            self.variable(instance, name, declaration.head());
            if let Some(default) = declaration.attribute("default")
                && self.checked.borrow_mut().insert((default.file.id, default.item))
            {
                self.check_default(instance, name, declaration, &default);
            }
            let file = &declaration.file;
            for block in file.blocks(declaration.block.body) {
                if file.text(block.kind) == "validation" {
                    let value = self.variable(instance, name, declaration.head());
                    let about = format!("the value of var.{name} is refused");
                    self.check(Scope::new(instance, file, &none), block, Some(value.span), &about);
                }
            }
        }
    }

    /// Whether a default can be what the variable is declared to be. What is wrong with the default itself shows where it is used.
    fn check_default(&self, instance: &Rc<Instance>, name: &str, declaration: &Declaration, default: &At<ExprId>) {
        let at = default.file.expr_span(default.item);
        let Ok(val) = self.constant(instance, default) else { return };
        if val.is_null() && !takes_null(declaration) {
            return self.refuse(at, format!("var.{name} takes no null, which its default is"));
        }
        if let Err(error) = convert(val, &self.declared_type(instance, declaration)) {
            self.refuse(at, format!("invalid default for var.{name}: {error}"));
        }
    }

    /// Evaluates the `precondition` blocks of a resource. What it promises afterwards is not known before.
    pub fn preconditions(&self, scope: Scope<'_>, declaration: &Declaration, key: &str) {
        let file = scope.file;
        let lifecycles =
            file.blocks(declaration.block.body).iter().filter(|block| file.text(block.kind) == "lifecycle");
        for lifecycle in lifecycles {
            self.conditions(scope, lifecycle.body, "precondition", &format!("a precondition of {key} does not hold"));
        }
    }

    /// Evaluates the `precondition` blocks of the outputs, and what `check` blocks assert.
    pub fn promises(&self, instance: &Rc<Instance>) {
        let none = Repetition::default();
        for (name, output) in instance.module.outputs.iter() {
            let about = format!("a precondition of output.{name} does not hold");
            self.conditions(Scope::new(instance, &output.file, &none), output.block.body, "precondition", &about);
        }
        for check in &instance.module.checks {
            let about = format!("check {:?} does not hold", &*check.labels[0]);
            self.conditions(Scope::new(instance, &check.file, &none), check.block.body, "assert", &about);
        }
    }

    fn conditions(&self, scope: Scope<'_>, body: BodyId, kind: &str, about: &str) {
        for block in scope.file.blocks(body).iter().filter(|block| scope.file.text(block.kind) == kind) {
            self.check(scope, block, None, about);
        }
    }

    /// Evaluates a block with `condition` and `error_message`; a condition that is false is a problem at `at`, or at the
    /// condition.
    fn check(&self, scope: Scope<'_>, block: &Block, at: Option<Span>, about: &str) {
        let file = scope.file;
        let Some(condition) = file.attribute(block.body, "condition") else { return };
        let (val, _) = self.argument(scope, condition.value);
        let holds = convert(val, &Type::Bool).ok().and_then(|val| val.as_bool());
        if holds == Some(false) {
            let message = file
                .attribute(block.body, "error_message")
                .and_then(|message| self.argument(scope, message.value).0.to_text());
            let at = at.unwrap_or_else(|| file.expr_span(condition.value));
            self.refuse(at, format!("{about}: {}", message.as_deref().unwrap_or("the condition is false")));
        }
    }

    /// The value of a local.
    pub fn local(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Val {
        let Some(local) = instance.module.locals.get(name) else {
            let message = format!("local value \"{name}\" is not declared in this module");
            return self.undeclared(span, format!("local.{name}"), message);
        };
        self.memoized(instance, Space::Local, name, span, || {
            let value = self.constant(instance, local)?;
            Ok(value.through(local.file.expr_span(local.item), format!("local.{name}").into()))
        })
    }

    /// `module.name…`: the value and how many steps it used.
    pub(super) fn output(&self, scope: Scope<'_>, steps: &[Access], span: Span) -> Result<(Val, usize), Box<Failure>> {
        let Some(Access::Name(name)) = steps.first() else { return Err(fail(span, "`module` wants a name")) };
        let name = scope.file.text(*name);
        let instance = scope.instance;
        let Some(call) = instance.module.calls.get(name) else {
            let message = format!("module \"{name}\" is not declared in this module");
            return Ok((self.undeclared(span, format!("module.{name}"), message), 1));
        };
        let is_counted = call.attribute("count").is_some();
        let is_keyed = call.is_keyed();
        let children = self.children(instance, name, call);
        let reference = format!("module.{name}");
        if children.is_empty() && !(is_counted || is_keyed) {
            return Ok((unknown(Type::Dynamic, "the module was not read", Some(reference.into()), span), 1));
        }
        if !(is_counted || is_keyed) {
            // Only the output that is named is evaluated, so that modules may feed each other.
            let Some(Access::Name(output)) = steps.get(1) else {
                return Ok((self.outputs(&children[0], span), 1));
            };
            return Ok((self.named_output(&children[0], name, scope.file.text(*output), span)?, 2));
        }
        // A representative stands alone; and none may mean that there is none, or that the module was not read.
        let is_open = match children.first() {
            Some(child) => child.key().key.is_empty(),
            None => self.called_module(instance, name, call).is_none(),
        };
        if is_open {
            let reason = "the instances of the module are not known";
            return Ok((unknown(Type::Dynamic, reason, Some(reference.into()), span), 1));
        }
        if let (Some(Access::Key(key)), Some(Access::Name(output))) = (steps.get(1), steps.get(2)) {
            let key = self.eval(scope, *key)?;
            let known = Repetition::key_of(&key, is_keyed).and_then(|wanted| {
                self.repetitions(instance, call, &reference)?
                    .position(&wanted)
                    .and_then(|position| children.get(position))
            });
            if let Some(child) = known {
                let val = self.named_output(child, name, scope.file.text(*output), span)?;
                return Ok((val.marked(key.marks), 3));
            }
            return Ok((index(&self.module_value(&children, is_keyed, span), &key, span)?, 2));
        }
        Ok((self.module_value(&children, is_keyed, span), 1))
    }

    /// A repeated module as a value: its instances in a tuple, or in an object by key.
    fn module_value(&self, children: &[Rc<Instance>], is_keyed: bool, span: Span) -> Val {
        if !is_keyed {
            return Val::tuple(children.iter().map(|child| self.outputs(child, span)).collect(), span);
        }
        let members = children.iter().filter_map(|child| {
            let key = child.key().each.as_ref().and_then(|(key, _)| key.to_text())?;
            Some(Member { key, key_span: span, val: self.outputs(child, span) })
        });
        Val::object(members.collect(), span)
    }

    /// All outputs of an instance.
    fn outputs(&self, instance: &Rc<Instance>, span: Span) -> Val {
        let members = instance.module.outputs.iter().map(|(name, declaration)| {
            let val = self.output_value(instance, name, declaration, span);
            Member { key: name.clone(), key_span: span, val }
        });
        Val::object(members.collect(), span)
    }

    fn named_output(&self, child: &Rc<Instance>, module: &str, output: &str, span: Span) -> Evaluated {
        match child.module.outputs.get(output) {
            Some(declaration) => Ok(self.output_value(child, output, declaration, span)),
            // Unlike a variable or a resource that is not declared, terraform finds this out as it evaluates.
            None => {
                let failure = fail(span, format!("module \"{module}\" has no output \"{output}\""));
                let undeclared = Some(format!("module.{module}.{output}").into());
                Err(Box::new(Failure { undeclared, ..*failure }))
            }
        }
    }

    /// The value of an output of an instance.
    pub fn output_value(&self, instance: &Rc<Instance>, name: &str, declaration: &Declaration, span: Span) -> Val {
        self.memoized(instance, Space::Output, name, span, || {
            let Some(value) = declaration.attribute("value") else { return Ok(Val::null(span)) };
            let marks = self.declared_marks(instance, declaration);
            let val = self.constant(instance, &value)?;
            if val.deep_marks().has(Marks::SENSITIVE) && !marks.has(Marks::SENSITIVE) && instance.caller.is_none() {
                let message = format!("output \"{name}\" shows a sensitive value without `sensitive = true`");
                self.refuse(value.file.expr_span(value.item), message);
            }
            let is_ephemeral = marks.has(Marks::EPHEMERAL);
            if val.deep_marks().has(Marks::EPHEMERAL) && !is_ephemeral {
                let message = format!("output \"{name}\" gives an ephemeral value without `ephemeral = true`");
                self.refuse(value.file.expr_span(value.item), message);
            }
            if is_ephemeral && instance.caller.is_none() {
                let message = format!("output \"{name}\" of a root module can't be ephemeral");
                self.refuse(declaration.head(), message);
            }
            // That a child calls its output sensitive is for those who read its plan: to its caller the value is what it is.
            let kept = match instance.caller {
                Some(_) => marks.without(Marks::SENSITIVE),
                None => marks,
            };
            Ok(val.marked(kept))
        })
    }
}

fn takes_null(declaration: &Declaration) -> bool {
    let nullable = declaration.attribute("nullable").map(|at| at.file.expr(at.item).kind);
    !matches!(nullable, Some(ExprKind::Bool(false)))
}
