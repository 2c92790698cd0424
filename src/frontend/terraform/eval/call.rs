//! Calls of functions and of modules.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::name::step_name;
use super::{Caller, Evaluated, Evaluator, Instance, Instances, Repetition, Scope, fail, limit};
use crate::frontend::terraform::functions::{self, Place};
use crate::frontend::terraform::module::{Declaration, Module, folder_of_call};
use crate::frontend::terraform::syntax::{self, ExprId, ExprKind, List, Text};
use crate::frontend::terraform::value::{DECIDED, Kind, Member, Type, Unknown, Val};
use crate::model::Call;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// Variables that a template may be given.
const MAX_VARIABLES: usize = 1000;
/// Module calls inside module calls.
const MAX_MODULE_DEPTH: usize = 32;

impl Evaluator<'_> {
    pub(super) fn call(&self, scope: Scope<'_>, name: Text, arguments: List, expanded: bool, span: Span) -> Evaluated {
        let file = scope.file;
        let name = file.text(name);
        let name = name.strip_prefix("core::").unwrap_or(name);
        let exprs = file.exprs(arguments);
        if scope.is_constant {
            return Err(fail(span, format!("functions are not allowed here: `{name}`")));
        }
        match name {
            "try" | "can" if expanded => return self.attempt_expanded(scope, name, exprs, span),
            "try" => return self.first_that_works(scope, exprs, span),
            "can" => return self.works(scope, exprs, span),
            name if name.starts_with("provider::") => return self.provider_function(scope, name, span),
            "templatefile" | "templatestring" if !expanded => return self.rendered(scope, name, exprs, span),
            _ => {}
        }
        let mut values: Vec<Val> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            values.push(self.eval(scope, *expr)?);
        }
        if expanded && let Some(last) = values.pop() {
            match expansion(&last, span)? {
                Some(items) => values.extend(items),
                None => return Ok(Val::depends(Type::Dynamic, &[&last], span)),
            }
        }
        self.charge_call(name, &values, span)?;
        let place = self.place(scope, span);
        let result = functions::call(name, values, &place);
        match (result, self.withheld(name, &place)) {
            (Err(_), Some(unread)) => Ok(unread),
            (Ok(value), _) => {
                self.charge_result(name, &value, span)?;
                // What a function takes out of its argument was decided there.
                let name = exprs.first().filter(|expr| is_reference(scope, **expr));
                let name = name.map_or(DECIDED, |expr| step_name(file.source_text(file.expr_span(*expr))));
                Ok(value.used_as(span, name))
            }
            (Err(message), None) if functions::is_limit(&message) => Err(limit(span, format!("{name}: {message}"))),
            (Err(message), None) => Err(fail(span, format!("{name}: {message}"))),
        }
    }

    /// Tells of a file that a function was not given; what stands for its result.
    fn withheld(&self, name: &str, place: &Place<'_>) -> Option<Val> {
        let withheld = place.withheld.take()?;
        let message = format!("{name}: {}", withheld.message);
        self.problem(Problem::at(withheld.kind, place.span, message).help(withheld.help));
        Some(functions::without(name, &withheld, place.span))
    }

    /// Where a function is called, and where it reads files.
    fn place<'s>(&'s self, scope: Scope<'s>, span: Span) -> Place<'s> {
        Place {
            span,
            files: &*self.settings.files,
            root: &self.settings.root,
            folder: scope.instance.root_folder(),
            reach: &self.settings.reach,
            withheld: Cell::default(),
        }
    }

    /// The code of a provider is not here; but terraform knows no function of a provider that the module does not require.
    fn provider_function(&self, scope: Scope<'_>, name: &str, span: Span) -> Evaluated {
        let provider = name.split("::").nth(1).unwrap_or("");
        let requires = |declaration: &Declaration| {
            let file = &declaration.file;
            let blocks = file.blocks(declaration.block.body).iter();
            blocks
                .filter(|block| file.text(block.kind) == "required_providers")
                .any(|block| file.attribute(block.body, provider).is_some())
        };
        if !scope.instance.module.settings.iter().any(requires) {
            return Err(fail(span, format!("{name}: the module requires no provider \"{provider}\"")));
        }
        Ok(super::unknown(Type::Dynamic, "functions of providers are not evaluated", Some(name.into()), span))
    }

    fn first_that_works(&self, scope: Scope<'_>, exprs: &[ExprId], span: Span) -> Evaluated {
        let mut last = None;
        for expr in exprs {
            match self.eval(scope, *expr) {
                Ok(value) => return Ok(undecided(value).used_at(span)),
                Err(failure) if failure.is_limit => return Err(failure),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| fail(span, "`try` wants an argument")))
    }

    fn works(&self, scope: Scope<'_>, exprs: &[ExprId], span: Span) -> Evaluated {
        let [expr] = exprs else { return Err(fail(span, "`can` wants one argument")) };
        match self.eval(scope, *expr) {
            Err(failure) if failure.is_limit => Err(failure),
            Ok(value) if value.has_unknown() => Ok(Val::depends(Type::Bool, &[&value], span)),
            Ok(_) => Ok(Val::bool(true, span)),
            Err(_) => Ok(Val::bool(false, span)),
        }
    }

    /// `try(…, list...)` and `can(list...)`, whose list must be one whatever else is tried.
    fn attempt_expanded(&self, scope: Scope<'_>, name: &str, exprs: &[ExprId], span: Span) -> Evaluated {
        let Some((last, before)) = exprs.split_last() else { return Err(fail(span, "`...` expands a list")) };
        let last = self.eval(scope, *last)?;
        let Some(items) = expansion(&last, span)? else { return Ok(Val::depends(Type::Dynamic, &[&last], span)) };
        match (name, items.into_iter().next()) {
            ("can", Some(_)) if before.is_empty() && last.items().len() == 1 => Ok(Val::bool(true, span)),
            ("can", None) => self.works(scope, before, span),
            ("can", Some(_)) => Err(fail(span, "`can` wants one argument")),
            (_, Some(item)) if before.is_empty() => Ok(item.used_at(span)),
            (_, Some(item)) => match self.first_that_works(scope, before, span) {
                Err(failure) if !failure.is_limit => Ok(item.used_at(span)),
                result => result,
            },
            (_, None) => self.first_that_works(scope, before, span),
        }
    }

    /// `templatefile(path, variables)` and `templatestring(template, variables)`.
    fn rendered(&self, scope: Scope<'_>, name: &str, exprs: &[ExprId], span: Span) -> Evaluated {
        let [source, variables] = exprs else { return Err(fail(span, format!("{name} wants two arguments"))) };
        if name == "templatefile" && scope.is_closed {
            return Err(fail(span, "a template file can't read another template file"));
        }
        if name == "templatestring" && !is_reference(scope, *source) {
            return Err(fail(span, "templatestring wants a reference to a string, not an expression"));
        }
        let mut source = self.eval(scope, *source)?;
        if name == "templatefile" {
            source = functions::filesystem::readable(source);
        }
        let variables = self.eval(scope, *variables)?;
        if source.is_null() || variables.is_null() {
            return Err(fail(span, format!("{name} takes no null")));
        }
        let unknown = Val::depends(Type::String, &[&source, &variables], span);
        if source.is_unknown() || variables.is_unknown() {
            return Ok(unknown);
        }
        if !matches!(variables.kind, Kind::Map(_) | Kind::Object(_)) {
            return Err(fail(span, format!("{name} wants its variables as a map")));
        }
        if variables.members().len() > MAX_VARIABLES {
            return Err(fail(span, format!("{name} takes at most {MAX_VARIABLES} variables")));
        }
        let Some(text) = source.to_text() else { return Err(fail(span, format!("{name} wants a string"))) };
        let text: Arc<str> = match name {
            "templatefile" => {
                let place = self.place(scope, span);
                let read = functions::filesystem::read_text(&place, &text);
                if let Some(unread) = self.withheld(name, &place) {
                    return Ok(unread);
                }
                read.map_err(|error| fail(span, error))?.into()
            }
            _ => text,
        };
        self.charge_text(text.len(), span)?;
        // Places inside the text mean nothing outside: all of the result stands at the call.
        let (file, template) = syntax::parse_template(FileId::OUTSIDE, text)
            .map_err(|problem| fail(span, format!("{name}: {}", problem.message)))?;
        let none = Repetition::default();
        let closed = Scope { is_closed: true, ..Scope::new(scope.instance, &file, &none) };
        let result = self.with_variables(closed, variables.members(), template);
        let val = result.map_err(|failure| {
            Box::new(super::Failure { span, message: format!("{name}: {}", failure.message), ..*failure })
        })?;
        Ok(val.placed(span).marked(variables.deep_marks().with(source.marks)))
    }

    fn with_variables(&self, scope: Scope<'_>, members: &[Member], template: ExprId) -> Evaluated {
        match members.split_first() {
            Some((member, _)) if !is_identifier(&member.key) => {
                Err(fail(member.key_span, format!("\"{}\" is no name of a variable", member.key)))
            }
            Some((member, rest)) => {
                let binding = scope.binding(&member.key, member.val.clone());
                self.with_variables(scope.bind(&binding), rest, template)
            }
            None => self.eval(scope, template),
        }
    }

    // Module calls.

    /// The instances that a module call makes; none where its source is not there, which is reported.
    pub fn children(&self, instance: &Rc<Instance>, name: &str, call: &Declaration) -> Instances {
        if let Some(children) = instance.children.borrow().get(name) {
            return children.clone();
        }
        // A cycle through `count` meets an empty list instead of recursion without end.
        instance.children.borrow_mut().insert(name.into(), Rc::default());
        let children = Rc::new(self.instantiate(instance, name, call));
        instance.children.borrow_mut().insert(name.into(), children.clone());
        children
    }

    fn instantiate(&self, instance: &Rc<Instance>, name: &str, call: &Declaration) -> Vec<Rc<Instance>> {
        let Some(module) = self.called_module(instance, name, call) else { return Vec::new() };
        self.check_arguments(name, call, &module);
        let mut folders = instance.folders.clone();
        folders.push(module.folder.clone());
        let all = self.representatives(instance, call, &format!("module.{name}"));
        all.iter()
            .take(self.granted_modules(all.len(), call.head()))
            .map(|repetition| {
                let address = format!("{}module.{name}{}", instance.prefix, repetition.key);
                let mut calls = instance.calls.to_vec();
                calls.push(Call { address: address.as_str().into(), span: call.head() });
                Rc::new(Instance {
                    module: module.clone(),
                    prefix: format!("{address}."),
                    calls: calls.into(),
                    folders: folders.clone(),
                    caller: Some(Caller {
                        instance: instance.clone(),
                        call: name.into(),
                        repetition: repetition.clone(),
                    }),
                    given: FxHashMap::default(),
                    memos: Default::default(),
                    children: RefCell::default(),
                    repetitions: RefCell::default(),
                })
            })
            .collect()
    }

    pub(super) fn called_module(&self, instance: &Rc<Instance>, name: &str, call: &Declaration) -> Option<Arc<Module>> {
        let Some(source) = call.attribute("source") else {
            self.problem(Problem::at(ProblemKind::Evaluation, call.head(), format!("module \"{name}\" has no source")));
            return None;
        };
        let span = source.file.expr_span(source.item);
        let (root, key) = instance.key_of(name);
        let folder = match folder_of_call(&root.module, &key, &instance.module, call) {
            Ok(folder) => folder,
            Err(lost) => {
                let message = format!("module \"{name}\" was not read: {}", lost.reason);
                self.problem(Problem::at(lost.kind, span, message).help(lost.help));
                return None;
            }
        };
        if instance.folders.contains(&folder) {
            let message = format!("module \"{name}\" calls itself through {folder}");
            self.problem(Problem::at(ProblemKind::Limit, span, message).help("terraform refuses module cycles"));
            return None;
        }
        if instance.folders.len() >= MAX_MODULE_DEPTH {
            let message = format!("modules nested more than {MAX_MODULE_DEPTH} deep");
            self.problem(Problem::at(ProblemKind::Limit, span, message));
            return None;
        }
        match self.modules.get(&folder) {
            Some(module) => Some(module.clone()),
            None => {
                let message = format!("module \"{name}\" was not read: there is no Terraform file in {folder}");
                self.problem(
                    Problem::at(ProblemKind::Unread, span, message)
                        .help("correct the path, or scan the folder that holds it"),
                );
                None
            }
        }
    }

    fn check_arguments(&self, name: &str, call: &Declaration, module: &Module) {
        const META: &[&str] = &["source", "version", "count", "for_each", "providers", "depends_on"];
        for attribute in call.file.attributes(call.block.body) {
            let argument = call.file.text(attribute.name);
            if !META.contains(&argument) && module.variables.get(argument).is_none() {
                let span = call.file.name_span(attribute);
                let message = format!("module \"{name}\" has no variable \"{argument}\"");
                self.observe("terraform-unknown-module-argument", span, message);
            }
        }
        for (variable, declaration) in module.variables.iter() {
            if declaration.attribute("default").is_none() && call.attribute(variable).is_none() {
                let message = format!("module \"{name}\" is called without its required argument \"{variable}\"");
                self.observe("terraform-missing-module-argument", call.head(), message);
            }
        }
    }
}

/// What `try` yields where the value is not known: it may still fail, and then the next argument is of any type.
fn undecided(val: Val) -> Val {
    match &val.kind {
        Kind::Unknown(unknown) => {
            let unknown = Unknown { ty: Type::Dynamic, not_null: false, not_empty: false, ..(**unknown).clone() };
            val.with_kind(Kind::Unknown(unknown.into()))
        }
        _ => val,
    }
}

/// A plain reference: names and constant indices.
fn is_reference(scope: Scope<'_>, mut expr: ExprId) -> bool {
    loop {
        match scope.file.expr(expr).kind {
            ExprKind::Variable(_) => return true,
            ExprKind::Attribute(base, _) | ExprKind::Index(base, _) => expr = base,
            _ => return false,
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && chars.all(|char| char == '-' || unicode_ident::is_xid_continue(char))
}

/// The arguments that `list...` stands for; none where they are not known. Its marks go to its elements: where there is none,
/// there is nothing to mark.
fn expansion(list: &Val, span: Span) -> Result<Option<Vec<Val>>, Box<super::Failure>> {
    match &list.kind {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            Ok(Some(list.items().iter().map(|item| item.clone().marked(list.marks)).collect()))
        }
        Kind::Unknown(unknown)
            if matches!(unknown.ty, Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
        {
            Ok(None)
        }
        _ => Err(fail(span, "`...` expands a list, a set or a tuple")),
    }
}
