//! Reads Rego modules: what each declares, and what a set of them calls or imports that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;
use std::sync::LazyLock;

use regex::Regex;
use regorus::Engine;
use regorus::unstable::{self as ast, Expr, Literal, Query, RuleHead};

use super::evaluate::EXTENSIONS;
use super::nesting;
use crate::rules::engine::panic_text;
use crate::rules::schema::Mistake;

/// A module that parses.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its file, as messages name it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it is written in the syntax before Rego v1: `deny[msg] { … }`.
    pub v0: bool,
    /// The parts of its package, without `data`.
    pub package: Vec<String>,
    /// The names of its rules, without functions.
    pub rules: BTreeSet<String>,
    syntax: ast::Ref<ast::Module>,
}

impl Module {
    /// Its package as a query names it: `data.main`, `data.a["b-c"]`.
    pub fn data_path(&self) -> String {
        let is_name = |part: &String| {
            !part.starts_with(|it: char| it.is_ascii_digit())
                && part.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        };
        self.package.iter().fold("data".to_string(), |path, part| match is_name(part) {
            true => format!("{path}.{part}"),
            false => format!("{path}[{part:?}]"),
        })
    }
}

/// A call in the body of a rule or function.
struct Call {
    /// The function that calls, with its package; none inside a rule.
    caller: Option<String>,
    /// The parts of the name that is called.
    callee: Vec<String>,
    line: u32,
}

/// Parses a module as Rego v1 and, if it does not say `import rego.v1`, as v0.
pub fn read(path: &str, text: &str) -> Result<Module, Mistake> {
    nesting::check(text)?;
    catch_unwind(|| parse(path, text)).unwrap_or_else(|panic| {
        let message = format!("the Rego parser broke: {}", panic_text(&*panic));
        Err(Mistake { line: 1, message, help: None })
    })
}

fn parse(path: &str, text: &str) -> Result<Module, Mistake> {
    static V1: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*import\s+rego\.v1\s*$").expect("the pattern is constant"));
    let parse = |v0: bool| {
        let mut engine = Engine::new();
        engine.set_rego_v0(v0);
        engine.add_policy(path.to_string(), text.to_string()).map(|_| engine)
    };
    let (mut engine, v0) = match parse(false) {
        Ok(engine) => (engine, false),
        Err(error) if V1.is_match(text) => return Err(mistake(&error.to_string())),
        Err(error) => match parse(true) {
            Ok(engine) => (engine, true),
            Err(older) => {
                // The version that understands more of the text is the one its author means.
                let (v1, v0) = (mistake(&error.to_string()), mistake(&older.to_string()));
                let is_older = v0.line > v1.line || v1.message.contains("keyword is required");
                return Err(if is_older { v0 } else { v1 });
            }
        },
    };
    let syntax = engine.get_modules().last().expect("one module was added").clone();
    let package = path_of(&syntax.package.refr).unwrap_or_default();
    let mut rules = BTreeSet::new();
    for rule in &syntax.policy {
        let head = match &**rule {
            ast::Rule::Spec { head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. }, .. } => refr,
            ast::Rule::Default { refr, args, .. } if args.is_empty() => refr,
            _ => continue,
        };
        rules.insert(root(head).to_string());
    }
    Ok(Module { path: path.to_string(), text: text.to_string(), v0, package, rules, syntax })
}

/// What one module of a set names that no module declares, and functions that call themselves, which Rego forbids and which
/// would never end.
pub fn check(modules: &[Module]) -> Vec<(String, Mistake)> {
    let functions: BTreeSet<String> = modules.iter().flat_map(functions).collect();
    let mut found = Vec::new();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for module in modules {
        let mut wrong = |line: u32, message: String, help: &str| {
            let help = Some(help.to_string());
            found.push((module.path.clone(), Mistake { line: line as usize, message, help }));
        };
        for import in &module.syntax.imports {
            let path = path_of(&import.refr).unwrap_or_default();
            if path.first().is_some_and(|root| root == "data") && !is_loaded(&path[1..], modules) {
                let message = format!("nothing is loaded as {}", path.join("."));
                wrong(import.span.line, message, "put the module that declares it into the same folder of policies");
            }
        }
        let mut names = Vec::new();
        let calls = calls(module, &mut names);
        for (path, line) in names {
            if !is_loaded(&path[1..], modules) {
                let message = format!("nothing is loaded as {}", path.join("."));
                wrong(line, message, "gate loads modules, no data files: write the values into a module");
            }
        }
        for call in calls {
            match resolve(module, &call.callee, &functions) {
                Some(function) => {
                    if let Some(caller) = call.caller {
                        edges.entry(caller).or_default().insert(function);
                    }
                }
                None if is_builtin(&call.callee.join(".")) => {}
                None => {
                    let message = format!("there is no function {}", call.callee.join("."));
                    wrong(call.line, message, "policies have no network, no clock, no files and no randomness");
                }
            }
        }
    }
    for module in modules {
        for rule in &module.syntax.policy {
            let ast::Rule::Spec { head: RuleHead::Func { refr, span, .. }, .. } = &**rule else { continue };
            let name = full_name(module, refr);
            if reaches(&edges, &name, &name) {
                let message = format!("function {name} calls itself");
                found.push((module.path.clone(), Mistake { line: span.line as usize, message, help: None }));
            }
        }
    }
    found
}

/// Line and words of an error of the Rego engine.
pub fn mistake(error: &str) -> Mistake {
    let whole = || Mistake { line: 1, message: error.trim().replace('\n', " "), help: None };
    place(error).map_or_else(whole, |(_, mistake)| mistake)
}

/// Path, line and words of an error that the Rego engine gives with an excerpt of the module.
pub fn place(error: &str) -> Option<(String, Mistake)> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)^\s*--> ([^\n]*):(\d+):\d+\n.*?\berror: ([^\n]*)").expect("the pattern is constant")
    });
    let found = PLACE.captures(error)?;
    let line = found[2].parse().unwrap_or(1);
    Some((found[1].to_string(), Mistake { line, message: found[3].trim_end_matches(':').to_string(), help: None }))
}

fn functions(module: &Module) -> Vec<String> {
    let heads = module.syntax.policy.iter().filter_map(|rule| match &**rule {
        ast::Rule::Spec { head: RuleHead::Func { refr, .. }, .. } => Some(refr),
        ast::Rule::Default { refr, args, .. } if !args.is_empty() => Some(refr),
        _ => None,
    });
    heads.map(|refr| full_name(module, refr)).collect()
}

fn full_name(module: &Module, refr: &Expr) -> String {
    let path = path_of(refr).unwrap_or_default();
    module.package.iter().chain(&path).cloned().collect::<Vec<_>>().join(".")
}

/// The function that a call means: through an import, with its whole path, or of its own package.
fn resolve(module: &Module, callee: &[String], functions: &BTreeSet<String>) -> Option<String> {
    let (first, rest) = callee.split_first()?;
    let imported = module.syntax.imports.iter().find_map(|import| {
        let path = path_of(&import.refr)?;
        let alias =
            import.r#as.as_ref().map_or_else(|| path.last().cloned(), |alias| Some(alias.text().to_string()))?;
        (path[0] == "data" && alias == *first).then(|| [&path[1..], rest].concat())
    });
    let own = [&module.package[..], callee].concat();
    let whole = (first == "data").then(|| rest.to_vec());
    [imported, whole, Some(own)].into_iter().flatten().map(|path| path.join(".")).find(|name| functions.contains(name))
}

fn is_builtin(name: &str) -> bool {
    name == "print" || ast::BUILTINS.contains_key(name) || EXTENSIONS.iter().any(|(extension, ..)| *extension == name)
}

/// Whether a path below `data` leads into, or out of, a package of the set.
fn is_loaded(path: &[String], modules: &[Module]) -> bool {
    modules.iter().any(|module| path.iter().zip(&module.package).all(|(a, b)| a == b))
}

fn reaches(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for next in edges.get(name).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

/// Every call of a module; every fixed path that starts with `data` goes into `names`.
fn calls(module: &Module, names: &mut Vec<(Vec<String>, u32)>) -> Vec<Call> {
    let mut calls = Vec::new();
    for rule in &module.syntax.policy {
        let mut caller = None;
        let mut visit = |expr: &Expr, caller: &Option<String>| match expr {
            Expr::Call { fcn, span, .. } => {
                let callee = path_of(fcn).unwrap_or_default();
                calls.push(Call { caller: caller.clone(), callee, line: span.line });
            }
            Expr::RefDot { span, .. } | Expr::RefBrack { span, .. } => {
                let fixed = path_of(expr).unwrap_or_default();
                if fixed.len() > 1 && fixed[0] == "data" {
                    names.push((fixed, span.line));
                }
            }
            _ => {}
        };
        match &**rule {
            ast::Rule::Default { value, .. } => walk(value, &mut |expr| visit(expr, &caller)),
            ast::Rule::Spec { head, bodies, .. } => {
                let mut parts: Vec<&Expr> = Vec::new();
                match head {
                    RuleHead::Compr { refr, assign, .. } => {
                        parts.push(refr);
                        parts.extend(assign.iter().map(|assign| &*assign.value));
                    }
                    RuleHead::Set { refr, key, .. } => {
                        parts.push(refr);
                        parts.extend(key.iter().map(|key| &**key));
                    }
                    RuleHead::Func { refr, args, assign, .. } => {
                        caller = Some(full_name(module, refr));
                        parts.extend(args.iter().map(|arg| &**arg));
                        parts.extend(assign.iter().map(|assign| &*assign.value));
                    }
                }
                parts.into_iter().for_each(|part| walk(part, &mut |expr| visit(expr, &caller)));
                for body in bodies {
                    body.assign.iter().for_each(|assign| walk(&assign.value, &mut |expr| visit(expr, &caller)));
                    walk_query(&body.query, &mut |expr| visit(expr, &caller));
                }
            }
        }
    }
    calls
}

fn walk_query(query: &Query, visit: &mut dyn FnMut(&Expr)) {
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().for_each(|key| walk(key, visit));
                walk(value, visit);
                walk(collection, visit);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => walk(expr, visit),
            Literal::Every { domain, query, .. } => {
                walk(domain, visit);
                walk_query(query, visit);
            }
        }
        // What `with` replaces need not be there; what it puts in its place must.
        statement.with_mods.iter().for_each(|with| walk(&with.r#as, visit));
    }
}

/// Visits an expression and all below it. The parser bounds the depth.
fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| walk(item, visit)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            walk(key, visit);
            walk(value, visit);
        }),
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            walk(term, visit);
            walk_query(query, visit);
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            walk(key, visit);
            walk(value, visit);
            walk_query(query, visit);
        }
        Expr::Call { params, .. } => params.iter().for_each(|param| walk(param, visit)),
        Expr::UnaryExpr { expr, .. } => walk(expr, visit),
        Expr::RefDot { refr, .. } => walk_reference(refr, visit),
        Expr::RefBrack { refr, index, .. } => {
            walk_reference(refr, visit);
            walk(index, visit);
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            walk(lhs, visit);
            walk(rhs, visit);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().for_each(|key| walk(key, visit));
            walk(value, visit);
            walk(collection, visit);
        }
    }
}

/// Goes down a reference without visiting its parts: `data.a.b` is one name, not three.
fn walk_reference(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    match expr {
        Expr::RefDot { refr, .. } => walk_reference(refr, visit),
        Expr::RefBrack { refr, index, .. } => {
            walk_reference(refr, visit);
            walk(index, visit);
        }
        other => walk(other, visit),
    }
}

/// The fixed parts at the start of a reference: `data.a` of `data.a[x].b`. None when it does not start with a name.
fn path_of(expr: &Expr) -> Option<Vec<String>> {
    fn collect(expr: &Expr, path: &mut Vec<String>) -> Option<bool> {
        match expr {
            Expr::Var { span, .. } => {
                path.push(span.text().to_string());
                Some(true)
            }
            Expr::RefDot { refr, field, .. } => {
                let fixed = collect(refr, path)?;
                if fixed {
                    path.push(field.0.text().to_string());
                }
                Some(fixed)
            }
            Expr::RefBrack { refr, index, .. } => {
                let fixed = collect(refr, path)?;
                match &**index {
                    Expr::String { value, .. } if fixed => {
                        path.push(value.as_string().ok()?.to_string());
                        Some(true)
                    }
                    _ => Some(false),
                }
            }
            _ => None,
        }
    }
    let mut path = Vec::new();
    collect(expr, &mut path)?;
    Some(path)
}

/// The name at the start of a rule's head: `deny` of `deny[msg]`.
fn root(head: &Expr) -> &str {
    let mut head = head;
    loop {
        match head {
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => head = refr,
            other => return other.span().text(),
        }
    }
}
