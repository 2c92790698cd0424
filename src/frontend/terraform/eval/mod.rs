//! Evaluation of expressions and names, on demand and memoized per module instance.
//!
//! Values are typed and converted as terraform does; each carries its place and the steps that led to it. An error is a
//! failure with a place, which `try` and `can` catch; at the top of an argument it becomes a problem and the value is unknown.

mod budget;
mod call;
mod expression;
mod name;
mod operator;
mod repetition;
mod resource;
mod template;
mod variable;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use self::budget::Budget;
use super::module::Module;
use super::syntax::{ExprId, File};
use super::value::{Type, Unknown, Val, lower};
use crate::frontend::Settings;
use crate::model::{Call, Names, Node, Observation};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// Expressions inside expressions, across names.
const MAX_DEPTH: u32 = 600;
/// Values within one value: lists of lists of lists grow by doubling.
const MAX_WEIGHT: u32 = 1 << 20;
/// Values that one root module hands to the rules.
const MAX_LOWERED: u64 = 2_000_000;

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// Limits can't be caught by `try`.
    pub is_limit: bool,
    /// What is known of the value nevertheless: a conditional has the type of both its arms, also of one that fails.
    pub partial: Option<Val>,
    /// The name that is not declared, where that is what is wrong: `try` catches it, and without `try` it is told as such.
    pub undeclared: Option<Arc<str>>,
}

impl Failure {
    /// The failure of something of which nothing is known, whatever is known of its parts.
    fn bare(mut self: Box<Failure>) -> Box<Failure> {
        self.partial = None;
        self
    }

    /// The failure of something whose type is known though its value is not.
    fn of_type(mut self: Box<Failure>, ty: Type) -> Box<Failure> {
        self.partial = Some(unknown(ty, "", None, self.span));
        self
    }
}

/// A value or a failure.
pub type Evaluated = Result<Val, Box<Failure>>;

/// Addresses of the resources that a value depends on; without an instance key where all instances are meant, or an unknown one.
pub type Dependencies = BTreeSet<Arc<str>>;

enum Memo {
    InProgress,
    Done(Val, Option<Rc<Dependencies>>),
}

/// What a memoized value is the value of.
#[derive(Debug, Clone, Copy)]
enum Space {
    Variable,
    Local,
    Output,
    /// Attributes and repetitions of resources, by address.
    Resource,
}

impl Space {
    fn name(self, key: &str) -> String {
        match self {
            Space::Variable => format!("var.{key}"),
            Space::Local => format!("local.{key}"),
            Space::Output => format!("output.{key}"),
            Space::Resource => key.to_string(),
        }
    }
}

/// One instance of a module: the root, or one call of a local module.
pub struct Instance {
    /// What it is an instance of.
    pub module: Arc<Module>,
    /// Put before every address: empty, or `module.db["a"].`.
    pub prefix: String,
    /// The calls that made it.
    pub calls: Arc<[Call]>,
    folders: Vec<String>,
    caller: Option<Caller>,
    /// Values from outside, for roots: variable files and flags.
    given: FxHashMap<Arc<str>, Val>,
    memos: [RefCell<FxHashMap<Arc<str>, Memo>>; 4],
    children: RefCell<FxHashMap<Arc<str>, Instances>>,
    /// The instances of repeated blocks whose number is known, by address.
    repetitions: RefCell<FxHashMap<Arc<str>, Rc<Repetitions>>>,
}

/// The instances that one module call makes.
pub type Instances = Rc<Vec<Rc<Instance>>>;

impl Instance {
    /// The folder of the root module that this instance belongs to.
    pub fn root_folder(&self) -> &str {
        &self.folders[0]
    }

    /// Ends an evaluation. What a call made holds its caller, which holds what it made: nothing of it would be freed.
    pub fn release(&self) {
        let children = self.children.take();
        self.memos.iter().for_each(|memos| drop(memos.take()));
        children.into_values().flat_map(|made| made.to_vec()).for_each(|child| child.release());
    }

    /// The root instance, and the names of the calls from there to the call `name` of this one, joined by dots.
    fn key_of(&self, name: &str) -> (&Instance, String) {
        match &self.caller {
            None => (self, name.to_string()),
            Some(caller) => {
                let (root, key) = caller.instance.key_of(&caller.call);
                (root, format!("{key}.{name}"))
            }
        }
    }

    /// The key of this instance of a repeated call: `[0]`, `["a"]`, or nothing.
    pub fn key(&self) -> &Repetition {
        static NONE: Repetition = Repetition { index: None, each: None, key: String::new() };
        self.caller.as_ref().map_or(&NONE, |caller| &caller.repetition)
    }
}

struct Caller {
    instance: Rc<Instance>,
    call: Arc<str>,
    repetition: Repetition,
}

/// A name bound by `for`, `dynamic` or a template.
pub struct Binding<'s> {
    name: &'s str,
    value: Val,
    next: Option<&'s Binding<'s>>,
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// The module instance.
    pub instance: &'s Rc<Instance>,
    /// The file that the expression stands in.
    pub file: &'s Arc<File>,
    /// `each` and `count`.
    pub repetition: &'s Repetition,
    /// Bound names, innermost first.
    pub names: Option<&'s Binding<'s>>,
    /// The element of the innermost splat.
    pub element: Option<&'s Val>,
    /// A template file: only bound names are known, and no further template file is read.
    pub is_closed: bool,
    /// A variable file or the default of a variable: no function may be called either.
    pub is_constant: bool,
}

impl<'s> Scope<'s> {
    /// The scope of an argument outside any loop.
    pub fn new(instance: &'s Rc<Instance>, file: &'s Arc<File>, repetition: &'s Repetition) -> Scope<'s> {
        Scope { instance, file, repetition, names: None, element: None, is_closed: false, is_constant: false }
    }

    /// The scope of a variable file or of a default, in which neither names nor functions are known.
    pub fn constant(instance: &'s Rc<Instance>, file: &'s Arc<File>, repetition: &'s Repetition) -> Scope<'s> {
        Scope { is_closed: true, is_constant: true, ..Scope::new(instance, file, repetition) }
    }

    /// With one more name.
    pub fn bind(self, binding: &'s Binding<'s>) -> Scope<'s> {
        Scope { names: Some(binding), ..self }
    }

    /// A binding on top of this scope's.
    pub fn binding(self, name: &'s str, value: Val) -> Binding<'s> {
        Binding { name, value, next: self.names }
    }
}

/// By the address of a value and the type that it was converted to: the value, and what came of it.
type Conversions = FxHashMap<(usize, FileId, ExprId), (Val, Val)>;

/// Evaluates the instances of one root module.
pub struct Evaluator<'a> {
    /// Every module of the tree, by folder.
    pub modules: &'a FxHashMap<String, Arc<Module>>,
    /// Where files may be read.
    pub settings: &'a Settings,
    /// What went wrong.
    pub problems: RefCell<Vec<Problem>>,
    /// What was seen beside values.
    pub observations: RefCell<Vec<Observation>>,
    said: RefCell<FxHashSet<Span>>,
    collectors: RefCell<Vec<Dependencies>>,
    names: RefCell<Names>,
    types: RefCell<FxHashMap<(FileId, ExprId), Type>>,
    /// Large values as the types of variables.
    conversions: RefCell<Conversions>,
    /// Defaults of variables that were looked at.
    checked: RefCell<FxHashSet<(FileId, ExprId)>>,
    depth: Cell<u32>,
    budget: Budget,
    lowered: Cell<u64>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator over these modules.
    pub fn new(modules: &'a FxHashMap<String, Arc<Module>>, settings: &'a Settings) -> Evaluator<'a> {
        Evaluator {
            modules,
            settings,
            problems: RefCell::default(),
            observations: RefCell::default(),
            said: RefCell::default(),
            collectors: RefCell::new(vec![Dependencies::new()]),
            names: RefCell::default(),
            types: RefCell::default(),
            conversions: RefCell::default(),
            checked: RefCell::default(),
            depth: Cell::new(0),
            budget: Budget::default(),
            lowered: Cell::new(0),
        }
    }

    /// A name of the module: of an argument, a block or a kind of resources. They repeat a lot, and each is held once.
    pub fn name(&self, text: &str) -> Arc<str> {
        self.names.borrow_mut().get(text)
    }

    /// The instance of a root module, with the values of its variables that come from outside.
    pub fn root(&self, module: Arc<Module>, given: FxHashMap<Arc<str>, Val>) -> Rc<Instance> {
        let folders = vec![module.folder.clone()];
        Rc::new(Instance {
            module,
            prefix: String::new(),
            calls: Arc::from([]),
            folders,
            caller: None,
            given,
            memos: Default::default(),
            children: RefCell::default(),
            repetitions: RefCell::default(),
        })
    }

    /// Evaluates an argument; a failure is reported once and leaves an unknown. Gives the resources that it depends on too.
    pub fn argument(&self, scope: Scope<'_>, expr: ExprId) -> (Val, Dependencies) {
        let (result, dependencies) = self.collected(|| self.eval(scope, expr));
        (result.unwrap_or_else(|failure| self.give_up(scope.file.expr_span(expr), *failure)), dependencies)
    }

    /// What `work` yields, and the resources that it depends on.
    pub fn collected<T>(&self, work: impl FnOnce() -> T) -> (T, Dependencies) {
        self.collectors.borrow_mut().push(Dependencies::new());
        let result = work();
        (result, self.collectors.borrow_mut().pop().unwrap_or_default())
    }

    /// The value as rules see it. What grows past all measure is unknown to them, and a problem.
    pub fn lower(&self, val: &Val) -> Node {
        let total = self.lowered.get() + u64::from(val.size());
        if total > MAX_LOWERED {
            let message = "the values of this module grow past what is judged".to_string();
            self.problem(Problem::at(ProblemKind::Limit, val.span, message.clone()));
            return Node::unknown(message, Vec::new(), false, val.span);
        }
        self.lowered.set(total);
        lower::lower(val)
    }

    /// Whether so much was spent that no further instance of a block is worth making: of one each, what is written out is judged.
    pub fn is_spent(&self) -> bool {
        self.lowered.get() > MAX_LOWERED / 16 * 15 || self.budget.is_spent()
    }

    fn give_up(&self, span: Span, failure: Failure) -> Val {
        if let Some(name) = failure.undeclared {
            return self.undeclared(failure.span, name.to_string(), failure.message).at(span);
        }
        if self.said.borrow_mut().insert(failure.span) {
            let kind = if failure.is_limit { ProblemKind::Limit } else { ProblemKind::Evaluation };
            self.problems.borrow_mut().push(Problem::at(kind, failure.span, failure.message.clone()));
        }
        unknown(Type::Dynamic, &failure.message, None, span)
    }

    /// Forgets what was said: each expression of a console answers for itself.
    pub fn forget(&self) {
        self.observations.take();
        self.said.borrow_mut().clear();
        self.budget.renew();
    }

    /// Reports something at a place, once.
    pub fn problem(&self, problem: Problem) {
        if problem.span.is_none_or(|span| self.said.borrow_mut().insert(span)) {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Reports that terraform refuses what stands here.
    fn refuse(&self, span: Span, message: String) {
        self.problem(Problem::at(ProblemKind::Evaluation, span, message));
    }

    fn observe(&self, name: &'static str, span: Span, message: String) {
        if self.said.borrow_mut().insert(span) {
            self.observations.borrow_mut().push(Observation { name, span, message, address: None });
        }
    }

    /// Notes a name that is not declared; its value is unknown.
    fn undeclared(&self, span: Span, name: String, message: String) -> Val {
        self.observe("terraform-undeclared-reference", span, message);
        unknown(Type::Dynamic, &format!("{name} is not declared"), Some(name.into()), span)
    }

    fn touch(&self, address: Arc<str>) {
        if let Some(collector) = self.collectors.borrow_mut().last_mut() {
            collector.insert(address);
        }
    }

    fn touch_all(&self, dependencies: Option<&Dependencies>) {
        dependencies.into_iter().flatten().for_each(|address| self.touch(address.clone()));
    }

    /// The value of a named thing, computed once for each instance; `compute` runs with a collector of its own.
    fn memoized(
        &self,
        instance: &Instance,
        space: Space,
        key: &str,
        span: Span,
        compute: impl FnOnce() -> Evaluated,
    ) -> Val {
        let memos = &instance.memos[space as usize];
        match memos.borrow().get(key) {
            Some(Memo::Done(val, dependencies)) => {
                self.touch_all(dependencies.as_deref());
                return val.clone();
            }
            Some(Memo::InProgress) => {
                let name = space.name(key);
                let message = format!("{name} depends on itself; terraform refuses the cycle");
                self.observe("terraform-cycle", span, message);
                return unknown(Type::Dynamic, &format!("{name} depends on itself"), Some(name.into()), span);
            }
            None => {}
        }
        let key: Arc<str> = key.into();
        memos.borrow_mut().insert(key.clone(), Memo::InProgress);
        let (result, dependencies) = self.collected(compute);
        let val = result.unwrap_or_else(|failure| {
            let at = failure.span;
            self.give_up(at, *failure)
        });
        let dependencies = (!dependencies.is_empty()).then(|| Rc::new(dependencies));
        self.touch_all(dependencies.as_deref());
        memos.borrow_mut().insert(key, Memo::Done(val.clone(), dependencies));
        val
    }

    /// Evaluates an expression.
    pub fn eval(&self, scope: Scope<'_>, expr: ExprId) -> Evaluated {
        self.depth.set(self.depth.get() + 1);
        let charged = self.charge(1, scope.file.expr_span(expr));
        let result = match charged {
            _ if self.depth.get() > MAX_DEPTH => {
                let message = format!("expressions nested or chained more than {MAX_DEPTH} deep");
                Err(limit(scope.file.expr_span(expr), message))
            }
            Err(failure) if !budget::is_written_out(scope.file.expr(expr).kind) => Err(failure),
            _ => self.expression(scope, expr),
        };
        self.depth.set(self.depth.get() - 1);
        match result {
            Ok(val) if val.size() > MAX_WEIGHT => {
                Err(limit(scope.file.expr_span(expr), format!("a value of more than {MAX_WEIGHT} parts")))
            }
            result => result,
        }
    }
}

/// An unknown of a type, for a reason, with the name that it stands for.
pub fn unknown(ty: Type, reason: &str, reference: Option<Arc<str>>, span: Span) -> Val {
    let references = reference.into_iter().collect();
    Val::unknown(Unknown { ty, reason: reason.into(), references, ..Unknown::default() }, span)
}

pub use self::operator::not_null;
pub use self::repetition::{Repetition, Repetitions};

fn fail(span: Span, message: impl Into<String>) -> Box<Failure> {
    Box::new(Failure { span, message: message.into(), is_limit: false, partial: None, undeclared: None })
}

fn limit(span: Span, message: String) -> Box<Failure> {
    Box::new(Failure { span, message, is_limit: true, partial: None, undeclared: None })
}
