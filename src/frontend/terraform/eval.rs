//! Evaluation of expressions and names, on demand and memoized per module instance.
//!
//! Values are the model's own nodes: literals carry their place, names add the step that led to it. An error is a failure
//! with a place, which `try` and `can` catch; at the top of an argument it becomes a problem and the value is unknown.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::functions;
use super::module::{Declaration, Module, folder_of_call};
use super::policy;
use super::syntax::{ExprId, ExprKind, File, List, Operator, Part, Text};
use crate::frontend::Settings;
use crate::model::{Call, Entry, Node, Number, Observation, Step, Trail, Unknown, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Instances of one resource or module that are judged one by one.
const MAX_INSTANCES: usize = 10_000;
/// Module calls inside module calls.
const MAX_MODULE_DEPTH: usize = 32;
/// Expressions inside expressions, across names.
const MAX_DEPTH: u32 = 600;

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// Limits and cycles can't be caught by `try`.
    pub is_limit: bool,
}

/// A value or a failure.
pub type Evaluated = Result<Node, Box<Failure>>;

/// Addresses of the resources that a value depends on; without an instance key where all instances are meant, or an unknown one.
pub type Dependencies = BTreeSet<Arc<str>>;

enum Memo {
    InProgress,
    Done(Node, Rc<Dependencies>),
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
    given: FxHashMap<Arc<str>, Node>,
    memo: RefCell<FxHashMap<String, Memo>>,
    children: RefCell<FxHashMap<Arc<str>, Instances>>,
}

/// The instances that one module call makes.
pub type Instances = Rc<Vec<Rc<Instance>>>;

impl Instance {
    /// The folder of the root module that this instance belongs to.
    pub fn root_folder(&self) -> &str {
        &self.folders[0]
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
}

struct Caller {
    instance: Rc<Instance>,
    call: Arc<str>,
    repetition: Repetition,
}

/// Which instance of a repeated block.
#[derive(Debug, Clone, Default)]
pub struct Repetition {
    /// `count.index`
    pub index: Option<Node>,
    /// `each.key` and `each.value`
    pub each: Option<(Node, Node)>,
    /// What stands in brackets after the name: `[0]`, `["a"]`, or nothing.
    pub key: String,
}

/// A name bound by `for`, `dynamic` or a template.
pub struct Binding<'s> {
    name: &'s str,
    value: Node,
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
    pub element: Option<&'s Node>,
}

impl<'s> Scope<'s> {
    /// The scope of an argument outside any loop.
    pub fn new(instance: &'s Rc<Instance>, file: &'s Arc<File>, repetition: &'s Repetition) -> Scope<'s> {
        Scope { instance, file, repetition, names: None, element: None }
    }

    /// With one more name.
    pub fn bind(self, binding: &'s Binding<'s>) -> Scope<'s> {
        Scope { names: Some(binding), ..self }
    }

    /// A binding on top of this scope's.
    pub fn binding(self, name: &'s str, value: Node) -> Binding<'s> {
        Binding { name, value, next: self.names }
    }
}

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
    depth: Cell<u32>,
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
            depth: Cell::new(0),
        }
    }

    /// The instance of a root module, with the values of its variables that come from outside.
    pub fn root(&self, module: Arc<Module>, given: FxHashMap<Arc<str>, Node>) -> Rc<Instance> {
        let folders = vec![module.folder.clone()];
        Rc::new(Instance {
            module,
            prefix: String::new(),
            calls: Arc::from([]),
            folders,
            caller: None,
            given,
            memo: RefCell::default(),
            children: RefCell::default(),
        })
    }

    /// Evaluates an argument; a failure is reported once and leaves an unknown. Gives the resources that it depends on too.
    pub fn argument(&self, scope: Scope<'_>, expr: ExprId) -> (Node, Dependencies) {
        self.collectors.borrow_mut().push(Dependencies::new());
        let result = self.eval(scope, expr);
        let dependencies = self.collectors.borrow_mut().pop().unwrap_or_default();
        (result.unwrap_or_else(|failure| self.give_up(scope.file.expr_span(expr), *failure)), dependencies)
    }

    fn give_up(&self, span: Span, failure: Failure) -> Node {
        if self.said.borrow_mut().insert(failure.span) {
            let kind = if failure.is_limit { ProblemKind::Limit } else { ProblemKind::Evaluation };
            self.problems.borrow_mut().push(Problem::at(kind, failure.span, failure.message.clone()));
        }
        Node::unknown(failure.message, Vec::new(), false, span)
    }

    /// Reports something at a place, once.
    pub fn problem(&self, problem: Problem) {
        if problem.span.is_none_or(|span| self.said.borrow_mut().insert(span)) {
            self.problems.borrow_mut().push(problem);
        }
    }

    fn observe(&self, name: &'static str, span: Span, message: String) {
        if self.said.borrow_mut().insert(span) {
            self.observations.borrow_mut().push(Observation { name, span, message, address: None });
        }
    }

    fn touch(&self, address: Arc<str>) {
        if let Some(collector) = self.collectors.borrow_mut().last_mut() {
            collector.insert(address);
        }
    }

    /// The value of a named thing, computed once for each instance; `compute` runs with a collector of its own.
    fn memoized(&self, instance: &Instance, key: String, span: Span, compute: impl FnOnce() -> Evaluated) -> Evaluated {
        match instance.memo.borrow().get(&key) {
            Some(Memo::Done(node, dependencies)) => {
                dependencies.iter().for_each(|address| self.touch(address.clone()));
                return Ok(node.clone());
            }
            Some(Memo::InProgress) => {
                self.observe("terraform-cycle", span, format!("{key} depends on itself; terraform refuses the cycle"));
                return Ok(Node::unknown(format!("{key} depends on itself"), vec![key.clone()], false, span));
            }
            None => {}
        }
        instance.memo.borrow_mut().insert(key.clone(), Memo::InProgress);
        self.collectors.borrow_mut().push(Dependencies::new());
        let result = compute();
        let dependencies = Rc::new(self.collectors.borrow_mut().pop().unwrap_or_default());
        let node = result.unwrap_or_else(|failure| {
            let at = failure.span;
            self.give_up(at, *failure)
        });
        dependencies.iter().for_each(|address| self.touch(address.clone()));
        instance.memo.borrow_mut().insert(key, Memo::Done(node.clone(), dependencies));
        Ok(node)
    }

    /// Evaluates an expression.
    pub fn eval(&self, scope: Scope<'_>, expr: ExprId) -> Evaluated {
        self.depth.set(self.depth.get() + 1);
        let result = if self.depth.get() > MAX_DEPTH {
            let message = format!("expressions nested or chained more than {MAX_DEPTH} deep");
            Err(Box::new(Failure { span: scope.file.expr_span(expr), message, is_limit: true }))
        } else {
            self.eval_inner(scope, expr)
        };
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn eval_inner(&self, scope: Scope<'_>, id: ExprId) -> Evaluated {
        let file = scope.file;
        let span = file.expr_span(id);
        let node = |value| Ok(Node::new(value, span));
        match file.expr(id).kind {
            ExprKind::Null => node(Value::Null),
            ExprKind::Bool(bool) => node(Value::Bool(bool)),
            ExprKind::Number(text) => node(Value::Number(parse_number(file.text(text)))),
            ExprKind::String(text) => node(Value::String(file.text(text).into())),
            ExprKind::Template(parts) => self.template(scope, parts, span),
            ExprKind::Parenthesis(inner) => self.eval(scope, inner),
            ExprKind::Element => scope.element.cloned().ok_or_else(|| fail(span, "a splat element outside a splat")),
            ExprKind::Variable(_) | ExprKind::Attribute(..) | ExprKind::Index(..) => self.traversal(scope, id),
            ExprKind::Splat(source, each) => self.splat(scope, source, each, span),
            ExprKind::Call(name, arguments, expanded) => self.call(scope, name, arguments, expanded, span),
            ExprKind::Tuple(items) => {
                let items = file.exprs(items).iter().map(|item| self.eval(scope, *item)).collect::<Result<_, _>>()?;
                Ok(Node::list(items, span))
            }
            ExprKind::Object(items) => self.object(scope, items, span),
            ExprKind::For(index) => self.for_loop(scope, index, span),
            ExprKind::Conditional(condition, yes, no) => {
                let condition = self.eval(scope, condition)?;
                match truth(&condition) {
                    Truth::True => self.eval(scope, yes).map(|value| respan(value, span)),
                    Truth::False => self.eval(scope, no).map(|value| respan(value, span)),
                    Truth::Unknown => {
                        let (yes, no) = (self.eval(scope, yes)?, self.eval(scope, no)?);
                        Ok(opaque(span, &[&condition, &yes, &no]))
                    }
                    Truth::Not => Err(fail(span, "the condition is not true or false")),
                }
            }
            ExprKind::Binary(operator, left, right) => self.binary(scope, operator, left, right, span),
            ExprKind::Negate(inner) => {
                let inner = self.eval(scope, inner)?;
                match (&inner.value, inner.as_f64()) {
                    (Value::Unknown(_), _) => Ok(opaque(span, &[&inner])),
                    (Value::Number(Number::Int(int)), _) if *int != i64::MIN => node(Value::Number(Number::Int(-int))),
                    (_, Some(number)) => node(Value::Number(number_of(-number))),
                    _ => Err(fail(span, "only a number can be negated")),
                }
            }
            ExprKind::Not(inner) => {
                let inner = self.eval(scope, inner)?;
                match truth(&inner) {
                    Truth::True => node(Value::Bool(false)),
                    Truth::False => node(Value::Bool(true)),
                    Truth::Unknown => Ok(opaque(span, &[&inner])),
                    Truth::Not => Err(fail(span, "`!` wants true or false")),
                }
            }
        }
    }

    fn template(&self, scope: Scope<'_>, parts: List, span: Span) -> Evaluated {
        let mut text = String::new();
        let mut unknowns = Vec::new();
        // A template of a single interpolation is that value itself.
        if let [Part::Expr(only)] = scope.file.parts(parts) {
            return self.eval(scope, *only).map(|value| respan(value, span));
        }
        self.write_parts(scope, parts, &mut text, &mut unknowns)?;
        if unknowns.is_empty() {
            return Ok(Node::string(text, span));
        }
        let mut node = opaque(span, &unknowns.iter().collect::<Vec<_>>());
        if let Value::Unknown(unknown) = &mut node.value {
            let unknown = Arc::make_mut(unknown);
            unknown.not_null = true;
            unknown.template = Some(text.into());
        }
        Ok(node)
    }

    fn write_parts(
        &self,
        scope: Scope<'_>,
        parts: List,
        text: &mut String,
        unknowns: &mut Vec<Node>,
    ) -> Result<(), Box<Failure>> {
        for part in scope.file.parts(parts) {
            match *part {
                Part::Text(literal) => text.push_str(scope.file.text(literal)),
                Part::Expr(expr) => {
                    let value = self.eval(scope, expr)?;
                    match &value.value {
                        Value::Unknown(unknown) => {
                            text.push_str("${");
                            text.push_str(unknown.references.first().map_or("unknown", String::as_str));
                            text.push('}');
                            unknowns.push(value);
                        }
                        _ => match functions::to_text(&value) {
                            Some(part) => text.push_str(&part),
                            None => {
                                return Err(fail(
                                    scope.file.expr_span(expr),
                                    "only strings, numbers and booleans fit into a template",
                                ));
                            }
                        },
                    }
                }
                Part::If(condition, yes, no) => {
                    let condition = self.eval(scope, condition)?;
                    match truth(&condition) {
                        Truth::True => self.write_parts(scope, yes, text, unknowns)?,
                        Truth::False => self.write_parts(scope, no, text, unknowns)?,
                        _ => unknowns.push(condition),
                    }
                }
                Part::For(index) => {
                    let parsed = *scope.file.template_for(index);
                    let collection = self.eval(scope, parsed.collection)?;
                    if collection.is_unknown() {
                        unknowns.push(collection);
                        continue;
                    }
                    for (key, value) in pairs(&collection) {
                        let key_name = parsed.key_name.map_or("", |name| scope.file.text(name));
                        let key = scope.binding(key_name, key);
                        let inner = scope.bind(&key);
                        let value = inner.binding(scope.file.text(parsed.value_name), value);
                        self.write_parts(inner.bind(&value), parsed.body, text, unknowns)?;
                    }
                }
            }
            if text.len() > functions::MAX_TEXT {
                let span = Span::new(scope.file.id, 0, 0);
                return Err(Box::new(Failure {
                    span,
                    message: "a template grows past the limit on text".into(),
                    is_limit: true,
                }));
            }
        }
        Ok(())
    }

    fn object(&self, scope: Scope<'_>, items: List, span: Span) -> Evaluated {
        let file = scope.file;
        let mut entries: Vec<Entry> = Vec::with_capacity(items.len() / 2);
        let mut seen: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        for pair in file.exprs(items).chunks(2) {
            let key_span = file.expr_span(pair[0]);
            let key: Arc<str> = match file.expr(pair[0]).kind {
                // A bare name is the key itself.
                ExprKind::Variable(name) => file.text(name).into(),
                _ => {
                    let key = self.eval(scope, pair[0])?;
                    if key.is_unknown() {
                        return Ok(opaque(span, &[&key]));
                    }
                    functions::to_text(&key).ok_or_else(|| fail(key_span, "an object's key is a string"))?.into()
                }
            };
            let node = self.eval(scope, pair[1])?;
            // The last of equal keys counts, as in terraform.
            match seen.get(&key) {
                Some(index) => entries[*index].node = node,
                None => {
                    seen.insert(key.clone(), entries.len());
                    entries.push(Entry { key, key_span, node });
                }
            }
        }
        Ok(Node::map(entries, span))
    }

    fn for_loop(&self, scope: Scope<'_>, index: u32, span: Span) -> Evaluated {
        let parsed = *scope.file.for_expr(index);
        let collection = self.eval(scope, parsed.collection)?;
        match collection.value {
            Value::Unknown(_) => return Ok(opaque(span, &[&collection])),
            Value::List(_) | Value::Map(_) => {}
            _ => return Err(fail(span, "`for` iterates over a list, a set or a map")),
        }
        let mut items = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        let mut groups: Vec<Vec<Node>> = Vec::new();
        for (key, value) in pairs(&collection) {
            let key_name = parsed.key_name.map_or("", |name| scope.file.text(name));
            let key = scope.binding(key_name, key);
            let inner = scope.bind(&key);
            let value = inner.binding(scope.file.text(parsed.value_name), value);
            let inner = inner.bind(&value);
            if let Some(condition) = parsed.condition {
                let condition = self.eval(inner, condition)?;
                match truth(&condition) {
                    Truth::True => {}
                    Truth::False => continue,
                    Truth::Unknown => return Ok(opaque(span, &[&condition])),
                    Truth::Not => return Err(fail(span, "the filter is not true or false")),
                }
            }
            let node = self.eval(inner, parsed.value)?;
            let Some(key) = parsed.key else {
                items.push(node);
                continue;
            };
            let key_span = scope.file.expr_span(key);
            let key = self.eval(inner, key)?;
            if key.is_unknown() {
                return Ok(opaque(span, &[&key]));
            }
            let key: Arc<str> = functions::to_text(&key).ok_or_else(|| fail(key_span, "a key is a string"))?.into();
            match seen.get(&key) {
                Some(index) if parsed.grouped => groups[*index].push(node),
                Some(_) => return Err(fail(key_span, &format!("two elements have the key \"{key}\""))),
                None => {
                    seen.insert(key.clone(), entries.len());
                    groups.push(vec![node.clone()]);
                    entries.push(Entry { key, key_span, node });
                }
            }
        }
        if parsed.key.is_none() {
            return Ok(Node::list(items, span));
        }
        if parsed.grouped {
            for (entry, group) in entries.iter_mut().zip(groups) {
                entry.node = Node::list(group, span);
            }
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Node::map(entries, span))
    }

    fn binary(&self, scope: Scope<'_>, operator: Operator, left: ExprId, right: ExprId, span: Span) -> Evaluated {
        let a = self.eval(scope, left)?;
        let b = self.eval(scope, right)?;
        let node = |value| Ok(Node::new(value, span));
        match operator {
            Operator::And | Operator::Or => {
                // Terraform does not short-circuit: an unknown side makes the result unknown, whatever the other says.
                let (x, y) = (truth(&a), truth(&b));
                match (x, y) {
                    (Truth::Not, _) | (_, Truth::Not) => Err(fail(span, "`&&` and `||` want true or false")),
                    (Truth::Unknown, _) | (_, Truth::Unknown) => Ok(opaque(span, &[&a, &b])),
                    _ if operator == Operator::And => node(Value::Bool(x == Truth::True && y == Truth::True)),
                    _ => node(Value::Bool(x == Truth::True || y == Truth::True)),
                }
            }
            Operator::Equal | Operator::NotEqual => {
                let negated = operator == Operator::NotEqual;
                // A computed value is never null.
                let null_test = |x: &Node, y: &Node| {
                    matches!(x.value, Value::Null) && matches!(&y.value, Value::Unknown(unknown) if unknown.not_null)
                };
                if null_test(&a, &b) || null_test(&b, &a) {
                    return node(Value::Bool(negated));
                }
                if a.has_unknown() || b.has_unknown() {
                    return Ok(opaque(span, &[&a, &b]));
                }
                node(Value::Bool(functions::same(&a, &b) != negated))
            }
            _ if a.is_unknown() || b.is_unknown() => Ok(opaque(span, &[&a, &b])),
            _ => {
                let (Some(x), Some(y)) = (a.as_f64(), b.as_f64()) else {
                    return Err(fail(span, "arithmetic and comparison want numbers"));
                };
                let exact = match (integer(&a), integer(&b)) {
                    (Some(x), Some(y)) => match operator {
                        Operator::Add => x.checked_add(y),
                        Operator::Subtract => x.checked_sub(y),
                        Operator::Multiply => x.checked_mul(y),
                        Operator::Modulo => x.checked_rem(y),
                        _ => None,
                    },
                    _ => None,
                };
                node(match operator {
                    Operator::Less => Value::Bool(x < y),
                    Operator::LessEqual => Value::Bool(x <= y),
                    Operator::Greater => Value::Bool(x > y),
                    Operator::GreaterEqual => Value::Bool(x >= y),
                    Operator::Divide | Operator::Modulo if y == 0.0 => return Err(fail(span, "division by zero")),
                    _ if exact.is_some() => Value::Number(Number::Int(exact.unwrap_or_default())),
                    Operator::Add => Value::Number(number_of(x + y)),
                    Operator::Subtract => Value::Number(number_of(x - y)),
                    Operator::Multiply => Value::Number(number_of(x * y)),
                    Operator::Divide => Value::Number(number_of(x / y)),
                    _ => Value::Number(number_of(x % y)),
                })
            }
        }
    }

    fn splat(&self, scope: Scope<'_>, source: ExprId, each: ExprId, span: Span) -> Evaluated {
        // The instances of a resource, whose configured arguments are known though the object as a whole is not.
        if let Some((declaration, key)) = self.resource_named(scope, source)
            && let ExprKind::Attribute(base, name) = scope.file.expr(each).kind
            && matches!(scope.file.expr(base).kind, ExprKind::Element)
        {
            let repetitions = self.repetitions(scope.instance, declaration, &key);
            self.touch(format!("{}{key}", scope.instance.prefix).into());
            let name = scope.file.text(name);
            if let Some(repetitions) = repetitions {
                let items = repetitions
                    .iter()
                    .map(|repetition| {
                        self.resource_attribute(scope.instance, declaration, &key, repetition, name, span)
                    })
                    .collect::<Result<_, _>>()?;
                return Ok(Node::list(items, span));
            }
        }
        let source = self.eval(scope, source)?;
        let apply = |element: &Node| self.eval(Scope { element: Some(element), ..scope }, each);
        match &source.value {
            Value::Unknown(_) => {
                let element = apply(&source)?;
                Ok(opaque(span, &[&element]))
            }
            Value::Null => Ok(Node::list(Vec::new(), span)),
            Value::List(items) => Ok(Node::list(items.iter().map(apply).collect::<Result<_, _>>()?, span)),
            _ => Ok(Node::list(vec![apply(&source)?], span)),
        }
    }

    fn call(&self, scope: Scope<'_>, name: Text, arguments: List, expanded: bool, span: Span) -> Evaluated {
        let file = scope.file;
        let name = file.text(name);
        let exprs = file.exprs(arguments);
        match name {
            "try" => {
                let mut last = None;
                for expr in exprs {
                    match self.eval(scope, *expr) {
                        Ok(value) => return Ok(respan(value, span)),
                        Err(failure) if failure.is_limit => return Err(failure),
                        Err(failure) => last = Some(failure),
                    }
                }
                return Err(last.unwrap_or_else(|| fail(span, "`try` wants an argument")));
            }
            "can" => {
                let Some(expr) = exprs.first() else { return Err(fail(span, "`can` wants an argument")) };
                return match self.eval(scope, *expr) {
                    Ok(value) if value.is_unknown() => Ok(opaque(span, &[&value])),
                    Ok(_) => Ok(Node::new(Value::Bool(true), span)),
                    Err(failure) if failure.is_limit => Err(failure),
                    Err(_) => Ok(Node::new(Value::Bool(false), span)),
                };
            }
            _ => {}
        }
        let mut values: Vec<Node> = exprs.iter().map(|expr| self.eval(scope, *expr)).collect::<Result<_, _>>()?;
        if expanded && let Some(last) = values.pop() {
            match &last.value {
                Value::List(items) => values.extend(items.iter().cloned()),
                Value::Unknown(_) => return Ok(opaque(span, &[&last])),
                _ => return Err(fail(span, "`...` expands a list")),
            }
        }
        match functions::call(name, &values, span, &self.settings.root, &scope.instance.module.folder) {
            Some(Ok(value)) => Ok(Node { span, ..value }),
            Some(Err(message)) => Err(fail(span, &format!("{name}: {message}"))),
            None => {
                let reason = format!("function {name} is not evaluated");
                Ok(Node::unknown(reason, references(&values.iter().collect::<Vec<_>>()), false, span))
            }
        }
    }

    // Names.

    fn traversal(&self, scope: Scope<'_>, id: ExprId) -> Evaluated {
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
            return self.follow(scope, value, &steps, span);
        };
        let (value, used) = self.named(scope, file.text(root), &steps, span)?;
        // The place of use stays the node's own; where it was decided is the first step of its trail.
        let value = self.follow(scope, value, &steps[used..], span)?;
        Ok(value)
    }

    fn follow(&self, scope: Scope<'_>, mut value: Node, steps: &[Access], span: Span) -> Evaluated {
        for step in steps {
            value = match *step {
                Access::Name(name) => self.member(&value, scope.file.text(name), span)?,
                Access::Key(key) => {
                    let key = self.eval(scope, key)?;
                    self.index(&value, &key, span)?
                }
            };
        }
        Ok(respan(value, span))
    }

    fn member(&self, value: &Node, name: &str, span: Span) -> Evaluated {
        match &value.value {
            Value::Map(map) => match map.get(name) {
                Some(node) => Ok(node.clone()),
                None => Err(fail(span, &format!("there is no attribute \"{name}\" in this object"))),
            },
            Value::Unknown(unknown) => {
                let references = unknown.references.iter().map(|reference| format!("{reference}.{name}")).collect();
                Ok(Node::unknown(unknown.reason.clone(), references, unknown.not_null && is_resource(unknown), span))
            }
            // A single nested block may be written without its index in JSON syntax.
            Value::List(items) if items.len() == 1 => self.member(&items[0], name, span),
            _ => Err(fail(span, &format!("this value has no attribute \"{name}\""))),
        }
    }

    fn index(&self, value: &Node, key: &Node, span: Span) -> Evaluated {
        if value.is_unknown() || key.is_unknown() {
            return Ok(opaque(span, &[value, key]));
        }
        match &value.value {
            Value::List(items) => {
                let index = key.as_f64().ok_or_else(|| fail(span, "the index of a list is a number"))?;
                items.get(index as usize).filter(|_| index >= 0.0 && index.fract() == 0.0).cloned().ok_or_else(|| {
                    fail(span, &format!("index {index} is out of range: the list has {} elements", items.len()))
                })
            }
            Value::Map(map) => {
                let key = functions::to_text(key).ok_or_else(|| fail(span, "the key of a map is a string"))?;
                map.get(&key).cloned().ok_or_else(|| fail(span, &format!("there is no key \"{key}\" in this map")))
            }
            _ => Err(fail(span, "only lists and maps have elements")),
        }
    }

    /// The value of a name and how many steps after the root it used.
    fn named(&self, scope: Scope<'_>, root: &str, steps: &[Access], span: Span) -> Result<(Node, usize), Box<Failure>> {
        let mut binding = scope.names;
        while let Some(bound) = binding {
            if bound.name == root {
                return Ok((bound.value.clone(), 0));
            }
            binding = bound.next;
        }
        let name = match steps.first() {
            Some(Access::Name(name)) => scope.file.text(*name),
            _ => "",
        };
        let instance = scope.instance;
        let known = |text: String| Ok((Node::string(text, span), 1));
        match root {
            "var" => Ok((self.variable(instance, name, span)?, 1)),
            "local" => Ok((self.local(instance, name, span)?, 1)),
            "each" => {
                let Some((key, value)) = &scope.repetition.each else {
                    return Err(fail(span, "`each` stands only in blocks with for_each"));
                };
                Ok((if name == "key" { key.clone() } else { value.clone() }, 1))
            }
            "count" => {
                let index = scope.repetition.index.clone();
                Ok((index.ok_or_else(|| fail(span, "`count` stands only in blocks with count"))?, 1))
            }
            "path" => match name {
                "module" => known(instance.module.folder.clone()),
                "root" => known(instance.folders[0].clone()),
                _ => Ok((
                    Node::unknown("the working directory is not known", vec![format!("path.{name}")], true, span),
                    1,
                )),
            },
            "terraform" if name == "workspace" => known("default".into()),
            "self" => {
                Ok((Node::unknown("`self` is known when the provisioner runs", vec!["self".into()], true, span), 0))
            }
            "module" => self.output(scope, steps, span),
            _ => self.resource(scope, root, steps, span),
        }
    }

    fn variable(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Evaluated {
        let Some(declaration) = instance.module.variables.get(name) else {
            let message = format!("variable \"{name}\" is not declared in this module");
            self.observe("terraform-undeclared-reference", span, message);
            return Ok(Node::unknown(
                format!("variable \"{name}\" is not declared"),
                vec![format!("var.{name}")],
                false,
                span,
            ));
        };
        let value = self.memoized(instance, format!("var.{name}"), span, || {
            if let Some(given) = instance.given.get(name) {
                return Ok(given.clone());
            }
            if let Some(caller) = &instance.caller
                && let Some(call) = caller.instance.module.calls.get(&caller.call)
                && let Some(argument) = call.attribute(name)
            {
                let scope = Scope::new(&caller.instance, &argument.file, &caller.repetition);
                let value = self.eval(scope, argument.item)?;
                // A null argument means the default unless the variable takes nulls, which is the default of `nullable`.
                let takes_null = !matches!(
                    declaration.attribute("nullable").map(|at| at.file.expr(at.item).kind),
                    Some(ExprKind::Bool(false))
                );
                if !matches!(value.value, Value::Null) || takes_null {
                    let what = format!("argument {name} of {}", call_name(&caller.instance, &caller.call));
                    return Ok(from(value, argument.file.expr_span(argument.item), what));
                }
            }
            match declaration.attribute("default") {
                Some(default) => {
                    let none = Repetition::default();
                    let scope = Scope::new(instance, &default.file, &none);
                    let value = self.eval(scope, default.item)?;
                    Ok(from(value, default.file.expr_span(default.item), format!("default of var.{name}")))
                }
                None => {
                    let reason = format!("variable \"{name}\" has no value");
                    Ok(Node::unknown(reason, vec![format!("var.{name}")], false, declaration.head()))
                }
            }
        })?;
        Ok(functions::convert_declared(value, declaration))
    }

    fn local(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Evaluated {
        let Some(local) = instance.module.locals.get(name) else {
            self.observe(
                "terraform-undeclared-reference",
                span,
                format!("local value \"{name}\" is not declared in this module"),
            );
            return Ok(Node::unknown(
                format!("local \"{name}\" is not declared"),
                vec![format!("local.{name}")],
                false,
                span,
            ));
        };
        self.memoized(instance, format!("local.{name}"), span, || {
            let none = Repetition::default();
            let value = self.eval(Scope::new(instance, &local.file, &none), local.item)?;
            Ok(from(value, local.file.expr_span(local.item), format!("local.{name}")))
        })
    }

    fn output(&self, scope: Scope<'_>, steps: &[Access], span: Span) -> Result<(Node, usize), Box<Failure>> {
        let Some(Access::Name(name)) = steps.first() else { return Err(fail(span, "`module` wants a name")) };
        let name = scope.file.text(*name);
        let instance = scope.instance;
        let Some(call) = instance.module.calls.get(name) else {
            self.observe(
                "terraform-undeclared-reference",
                span,
                format!("module \"{name}\" is not declared in this module"),
            );
            return Ok((
                Node::unknown(
                    format!("module \"{name}\" is not declared"),
                    vec![format!("module.{name}")],
                    false,
                    span,
                ),
                1,
            ));
        };
        let repeated = call.attribute("count").is_some() || call.attribute("for_each").is_some();
        let children = self.children(instance, name, call);
        let (key, used) = match steps.get(1) {
            Some(Access::Key(key)) if repeated => (Some(self.eval(scope, *key)?), 2),
            _ => (None, 1),
        };
        let Some(Access::Name(output)) = steps.get(used) else {
            return Ok((self.module_object(call, &children, key, span)?, used));
        };
        let output = scope.file.text(*output);
        let child = match &key {
            None => children.first(),
            Some(key) if key.is_unknown() => children.first(),
            Some(key) => {
                let wanted = match &key.value {
                    Value::String(text) => format!("[{text:?}]."),
                    _ => format!("[{}].", functions::to_text(key).unwrap_or_default()),
                };
                children.iter().find(|child| child.prefix.ends_with(&wanted))
            }
        };
        let reference = vec![format!("module.{name}.{output}")];
        let Some(child) = child else {
            return Ok((Node::unknown("the module was not read", reference, false, span), used + 1));
        };
        let Some(declaration) = child.module.outputs.get(output) else {
            let message = format!("module \"{name}\" has no output \"{output}\"");
            self.observe("terraform-undeclared-reference", span, message.clone());
            return Ok((Node::unknown(message, reference, false, span), used + 1));
        };
        Ok((self.output_value(child, output, declaration, span)?, used + 1))
    }

    /// The value of an output of an instance.
    pub fn output_value(
        &self,
        instance: &Rc<Instance>,
        name: &str,
        declaration: &Declaration,
        span: Span,
    ) -> Evaluated {
        self.memoized(instance, format!("output.{name}"), span, || {
            let Some(value) = declaration.attribute("value") else { return Ok(Node::new(Value::Null, span)) };
            let none = Repetition::default();
            self.eval(Scope::new(instance, &value.file, &none), value.item)
        })
    }

    /// A module as a value: its outputs, in a list or map where it is repeated.
    fn module_object(&self, call: &Declaration, children: &[Rc<Instance>], key: Option<Node>, span: Span) -> Evaluated {
        let mut instances = Vec::new();
        for child in children {
            let mut entries = Vec::new();
            for (output, declaration) in child.module.outputs.iter() {
                let node = self.output_value(child, output, declaration, span)?;
                entries.push(Entry { key: output.clone(), key_span: span, node });
            }
            let key = child.caller.as_ref().map(|caller| caller.repetition.key.clone()).unwrap_or_default();
            instances.push((key, Node::map(entries, span)));
        }
        let is_counted = call.attribute("count").is_some();
        let is_keyed = call.attribute("for_each").is_some();
        // A representative without a key stands for instances that are not known.
        if (is_counted || is_keyed) && instances.iter().any(|(key, _)| key.is_empty()) {
            return Ok(Node::unknown("the instances of the module are not known", Vec::new(), true, span));
        }
        let all = if is_counted {
            Node::list(instances.into_iter().map(|(_, node)| node).collect(), span)
        } else if is_keyed {
            let entry = |(key, node): (String, Node)| {
                let name = key.trim_start_matches("[\"").trim_end_matches("\"]").to_string();
                Entry { key: name.into(), key_span: span, node }
            };
            Node::map(instances.into_iter().map(entry).collect(), span)
        } else {
            let only = instances.into_iter().next().map(|(_, node)| node);
            only.unwrap_or_else(|| Node::unknown("the module was not read", Vec::new(), true, span))
        };
        match key {
            Some(key) => self.index(&all, &key, span),
            None => Ok(all),
        }
    }

    /// The declaration that an expression names as a whole resource, and its key.
    fn resource_named<'s>(&self, scope: Scope<'s>, id: ExprId) -> Option<(&'s Declaration, String)> {
        let file = scope.file;
        let ExprKind::Attribute(base, name) = file.expr(id).kind else { return None };
        let module = &scope.instance.module;
        match file.expr(base).kind {
            ExprKind::Variable(kind) => {
                let key = format!("{}.{}", file.text(kind), file.text(name));
                module.resources.get(&key).map(|declaration| (declaration, key))
            }
            ExprKind::Attribute(root, kind) => match file.expr(root).kind {
                ExprKind::Variable(root) if file.text(root) == "data" => {
                    let key = format!("data.{}.{}", file.text(kind), file.text(name));
                    module.data.get(&key).map(|declaration| (declaration, key))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn resource(
        &self,
        scope: Scope<'_>,
        root: &str,
        steps: &[Access],
        span: Span,
    ) -> Result<(Node, usize), Box<Failure>> {
        let text = |step: Option<&Access>| match step {
            Some(Access::Name(name)) => Some(scope.file.text(*name)),
            _ => None,
        };
        let (key, mut used) = match root {
            "data" => match (text(steps.first()), text(steps.get(1))) {
                (Some(kind), Some(name)) => (format!("data.{kind}.{name}"), 2),
                _ => return Err(fail(span, "a data source is named `data.TYPE.NAME`")),
            },
            _ => match text(steps.first()) {
                Some(name) => (format!("{root}.{name}"), 1),
                None => {
                    self.observe(
                        "terraform-undeclared-reference",
                        span,
                        format!("`{root}` is not a name that this place knows"),
                    );
                    return Ok((
                        Node::unknown(format!("`{root}` is not declared"), vec![root.to_string()], false, span),
                        0,
                    ));
                }
            },
        };
        let module = &scope.instance.module;
        let Some(declaration) = module.resources.get(&key).or_else(|| module.data.get(&key)) else {
            self.observe("terraform-undeclared-reference", span, format!("{key} is not declared in this module"));
            return Ok((Node::unknown(format!("{key} is not declared"), vec![key], false, span), used));
        };
        let mut repetition: Option<Repetition> = None;
        let mut any_instance = false;
        if let Some(Access::Key(index)) = steps.get(used)
            && (declaration.attribute("count").is_some() || declaration.attribute("for_each").is_some())
        {
            let index = self.eval(scope, *index)?;
            used += 1;
            let wanted = match &index.value {
                Value::String(text) => format!("[{text:?}]"),
                Value::Unknown(_) => String::new(),
                _ => format!("[{}]", functions::to_text(&index).unwrap_or_default()),
            };
            let all = self.repetitions(scope.instance, declaration, &key).unwrap_or_default();
            any_instance = index.is_unknown();
            repetition = all.into_iter().find(|one| one.key == wanted);
        }
        let instance_key = repetition.as_ref().map_or("", |one| &one.key);
        self.touch(format!("{}{key}{instance_key}", scope.instance.prefix).into());
        let Some(attribute) = text(steps.get(used)) else {
            return Ok((Node::unknown("known after apply", vec![key], true, span), used));
        };
        let is_repeated = declaration.attribute("count").is_some() || declaration.attribute("for_each").is_some();
        if any_instance || (is_repeated && repetition.is_none()) {
            return Ok((Node::unknown("known after apply", vec![format!("{key}.{attribute}")], true, span), used + 1));
        }
        let repetition = repetition.unwrap_or_default();
        Ok((self.resource_attribute(scope.instance, declaration, &key, &repetition, attribute, span)?, used + 1))
    }

    fn resource_attribute(
        &self,
        instance: &Rc<Instance>,
        declaration: &Declaration,
        key: &str,
        repetition: &Repetition,
        attribute: &str,
        span: Span,
    ) -> Evaluated {
        if key.starts_with("data.aws_iam_policy_document.") && matches!(attribute, "json" | "minified_json") {
            let memo = format!("{key}{}.json", repetition.key);
            return self
                .memoized(instance, memo, span, || Ok(policy::document(self, instance, declaration, repetition)));
        }
        if let Some(argument) = declaration.attribute(attribute) {
            let memo = format!("{key}{}.{attribute}", repetition.key);
            return self.memoized(instance, memo, span, || {
                let scope = Scope::new(instance, &argument.file, repetition);
                let value = self.eval(scope, argument.item)?;
                Ok(from(value, argument.file.expr_span(argument.item), format!("{key}.{attribute}")))
            });
        }
        let file = &declaration.file;
        if file.blocks(declaration.block.body).iter().any(|block| file.text(block.kind) == attribute) {
            let memo = format!("{key}{}.{attribute}", repetition.key);
            return self.memoized(instance, memo, span, || {
                let scope = Scope::new(instance, file, repetition);
                let body = super::body::body(self, scope, declaration.block.body, &mut |_, _| {});
                let node = body.into_iter().find(|entry| &*entry.key == attribute).map(|entry| entry.node);
                Ok(node.unwrap_or_else(|| Node::new(Value::Null, span)))
            });
        }
        Ok(Node::unknown("known after apply", vec![format!("{key}.{attribute}")], true, span))
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
            let value = self.memoized(instance, format!("{key}.count"), span, || self.eval(scope, count.item)).ok()?;
            let number = value.as_f64()?;
            let shown = self.bounded(number.max(0.0) as usize, span, "count");
            return Some(
                (0..shown)
                    .map(|index| Repetition {
                        index: Some(Node::new(Value::Number(Number::Int(index as i64)), span)),
                        each: None,
                        key: format!("[{index}]"),
                    })
                    .collect(),
            );
        }
        let Some(each) = declaration.attribute("for_each") else { return Some(vec![none]) };
        let span = each.file.expr_span(each.item);
        let scope = Scope::new(instance, &each.file, &none);
        let value = self.memoized(instance, format!("{key}.for_each"), span, || self.eval(scope, each.item)).ok()?;
        if value.is_unknown() {
            return None;
        }
        let mut all: Vec<(Node, Node)> = pairs(&value);
        if matches!(value.value, Value::List(_)) {
            // A set: every element is its own key.
            all = all.into_iter().map(|(_, element)| (element.clone(), element)).collect();
        }
        let shown = self.bounded(all.len(), span, "for_each");
        all.truncate(shown);
        all.into_iter()
            .map(|(key, value)| {
                let name = format!("[{:?}]", functions::to_text(&key)?);
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

    /// As [`Evaluator::repetitions`], with one representative of unknown key where the number is unknown.
    pub fn representatives(&self, instance: &Rc<Instance>, declaration: &Declaration, key: &str) -> Vec<Repetition> {
        self.repetitions(instance, declaration, key).unwrap_or_else(|| {
            let span = declaration.head();
            let unknown = |name: &str| Node::unknown("the instances are not known", vec![name.to_string()], true, span);
            if declaration.attribute("count").is_some() {
                return vec![Repetition { index: Some(unknown("count.index")), each: None, key: String::new() }];
            }
            vec![Repetition {
                index: None,
                each: Some((unknown("each.key"), unknown("each.value"))),
                key: String::new(),
            }]
        })
    }

    // Module calls.

    /// The instances that a module call makes; none where its source is not there, which is reported.
    pub fn children(&self, instance: &Rc<Instance>, name: &str, call: &Declaration) -> Rc<Vec<Rc<Instance>>> {
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
        self.representatives(instance, call, &format!("module.{name}"))
            .into_iter()
            .map(|repetition| {
                let address = format!("{}module.{name}{}", instance.prefix, repetition.key);
                let mut calls = instance.calls.to_vec();
                calls.push(Call { address: address.as_str().into(), span: call.head() });
                Rc::new(Instance {
                    module: module.clone(),
                    prefix: format!("{address}."),
                    calls: calls.into(),
                    folders: folders.clone(),
                    caller: Some(Caller { instance: instance.clone(), call: name.into(), repetition }),
                    given: FxHashMap::default(),
                    memo: RefCell::default(),
                    children: RefCell::default(),
                })
            })
            .collect()
    }

    fn called_module(&self, instance: &Rc<Instance>, name: &str, call: &Declaration) -> Option<Arc<Module>> {
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
                self.problem(Problem::at(ProblemKind::Unread, span, message).help(lost.help));
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
                let span = Span::new(call.file.id, attribute.start, attribute.name_end);
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

/// One step of a traversal.
#[derive(Debug, Clone, Copy)]
enum Access {
    Name(Text),
    Key(ExprId),
}

/// A truth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// `true` or `"true"`
    True,
    /// `false` or `"false"`
    False,
    /// Not known.
    Unknown,
    /// No boolean.
    Not,
}

/// What a value says as a condition.
pub fn truth(node: &Node) -> Truth {
    match (&node.value, node.as_bool()) {
        (Value::Unknown(_), _) => Truth::Unknown,
        (_, Some(true)) => Truth::True,
        (_, Some(false)) => Truth::False,
        _ => Truth::Not,
    }
}

/// Keys and values of a collection: indices for lists, sorted keys for maps.
pub fn pairs(node: &Node) -> Vec<(Node, Node)> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (Node::new(Value::Number(Number::Int(index as i64)), item.span), item.clone()))
            .collect(),
        Value::Map(map) => {
            let mut entries: Vec<&Entry> = map.entries().iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            entries
                .into_iter()
                .map(|entry| (Node::string(entry.key.clone(), entry.key_span), entry.node.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn call_name(instance: &Instance, name: &str) -> String {
    format!("{}module.{name}", instance.prefix)
}

fn is_resource(unknown: &Unknown) -> bool {
    unknown.reason == "known after apply"
}

fn fail(span: Span, message: &str) -> Box<Failure> {
    Box::new(Failure { span, message: message.to_string(), is_limit: false })
}

fn references(parts: &[&Node]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in parts {
        collect_references(part, &mut all);
    }
    all
}

fn collect_references(node: &Node, all: &mut Vec<String>) {
    match &node.value {
        Value::Unknown(unknown) => {
            for reference in &unknown.references {
                if !all.contains(reference) {
                    all.push(reference.clone());
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect_references(item, all)),
        Value::Map(map) => map.entries().iter().for_each(|entry| collect_references(&entry.node, all)),
        _ => {}
    }
}

/// An unknown that depends on unknown parts.
pub fn opaque(span: Span, parts: &[&Node]) -> Node {
    let reason = parts.iter().find_map(|part| match &part.value {
        Value::Unknown(unknown) => Some(unknown.reason.clone()),
        _ => None,
    });
    Node::unknown(
        reason.unwrap_or_else(|| "depends on values that are not known".into()),
        references(parts),
        false,
        span,
    )
}

/// Gives a value the place of its use; the place that it had becomes the first step of its trail unless it is inside.
fn respan(value: Node, span: Span) -> Node {
    if span.contains(value.span) {
        return Node { span, ..value };
    }
    let has_steps =
        value.trail.as_ref().is_some_and(|trail| trail.steps.first().is_some_and(|step| step.span == value.span));
    if has_steps {
        return Node { span, ..value };
    }
    from_place(value, span, "decided here".into())
}

fn from_place(value: Node, span: Span, what: String) -> Node {
    let mut steps = vec![Step { span: value.span, what }];
    if let Some(trail) = &value.trail {
        steps.extend(trail.steps.iter().cloned());
    }
    Node { span, trail: Some(Arc::new(Trail { steps })), ..value }
}

/// Marks that a name's value was written at `span`.
fn from(value: Node, span: Span, what: String) -> Node {
    let mut steps = vec![Step { span, what }];
    if let Some(trail) = &value.trail {
        steps.extend(trail.steps.iter().cloned());
    }
    // Trails grow with each name on the way; a long chain keeps its two ends.
    if steps.len() > 8 {
        steps.drain(4..steps.len() - 4);
    }
    Node { span, trail: Some(Arc::new(Trail { steps })), ..value }
}

/// Reads a number's text: integers exactly.
pub fn parse_number(text: &str) -> Number {
    text.parse().map(Number::Int).unwrap_or_else(|_| number_of(text.parse().unwrap_or(f64::NAN)))
}

/// A number as an integer where it is one.
pub fn number_of(number: f64) -> Number {
    if number.fract() == 0.0 && number.abs() < 9.0e15 { Number::Int(number as i64) } else { Number::Float(number) }
}

fn integer(node: &Node) -> Option<i64> {
    match &node.value {
        Value::Number(Number::Int(int)) => Some(*int),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
