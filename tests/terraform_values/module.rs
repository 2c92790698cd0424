//! Random modules: variables with types, defaults and given values, locals in any order, resources and nested modules that are
//! repeated, outputs.
//!
//! Most expressions stand in `try`, for a single one that terraform refuses would leave nothing of the module to compare.

use std::fmt::Write as _;

use super::generator::{Random, expression};

/// The files of a tree of modules, with the list of modules that `terraform init` would write.
pub fn tree(random: &mut Random) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut calls = vec![("".to_string(), "".to_string(), ".".to_string())];
    module(random, "", "", 0, &mut files, &mut calls);
    let list: Vec<String> = calls
        .iter()
        .map(|(key, source, folder)| format!("{{\"Key\":{key:?},\"Source\":{source:?},\"Dir\":{folder:?}}}"))
        .collect();
    files.push((".terraform/modules/modules.json".into(), format!("{{\"Modules\":[{}]}}", list.join(","))));
    files
}

/// A type constraint.
enum Ty {
    Any,
    String,
    Number,
    Bool,
    List(Box<Ty>),
    Set(Box<Ty>),
    Map(Box<Ty>),
    Tuple(Vec<Ty>),
    /// Attributes: name, type, and for optional ones the default.
    Object(Vec<(&'static str, Ty, Option<Option<String>>)>),
}

impl Ty {
    fn random(random: &mut Random, depth: u32) -> Ty {
        let inner = |random: &mut Random| Box::new(Ty::random(random, depth - 1));
        match random.below(if depth == 0 { 4 } else { 11 }) {
            0 => Ty::Any,
            1 => Ty::Number,
            2 => Ty::Bool,
            3 => Ty::String,
            4 => Ty::List(inner(random)),
            5 => Ty::Set(inner(random)),
            6 | 7 => Ty::Map(inner(random)),
            8 => Ty::Tuple((0..random.below(3)).map(|_| *inner(random)).collect()),
            _ => {
                let names = ["a", "b", "name", "ports"];
                let count = 1 + random.below(4);
                let attribute = |name| {
                    let ty = Ty::random(random, depth - 1);
                    let optional = match random.below(3) {
                        0 => None,
                        1 => Some(None),
                        _ => Some(Some(ty.plain(random))),
                    };
                    (name, ty, optional)
                };
                Ty::Object(names.into_iter().take(count).map(attribute).collect())
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Ty::Any => "any".into(),
            Ty::String => "string".into(),
            Ty::Number => "number".into(),
            Ty::Bool => "bool".into(),
            Ty::List(inner) => format!("list({})", inner.text()),
            Ty::Set(inner) => format!("set({})", inner.text()),
            Ty::Map(inner) => format!("map({})", inner.text()),
            Ty::Tuple(items) => format!("tuple([{}])", items.iter().map(Ty::text).collect::<Vec<_>>().join(", ")),
            Ty::Object(attributes) => {
                let one = |(name, ty, optional): &(&str, Ty, Option<Option<String>>)| match optional {
                    None => format!("{name} = {}", ty.text()),
                    Some(None) => format!("{name} = optional({})", ty.text()),
                    Some(Some(default)) => format!("{name} = optional({}, {default})", ty.text()),
                };
                format!("object({{ {} }})", attributes.iter().map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// A value of this type.
    fn plain(&self, random: &mut Random) -> String {
        let pick = |random: &mut Random, from: &[&str]| from[random.below(from.len())].to_string();
        match self {
            Ty::Any => pick(random, &["1", "\"x\"", "true", "[1, 2]", "{ a = 1 }", "[\"a\"]", "[]", "{}"]),
            Ty::String => pick(random, &["\"a\"", "\"\"", "\"b c\"", "\"é\"", "\"1\"", "\"true\""]),
            Ty::Number => pick(random, &["0", "1", "2.5", "-3", "1e3", "443"]),
            Ty::Bool => pick(random, &["true", "false"]),
            Ty::List(inner) | Ty::Set(inner) => {
                let items: Vec<String> = (0..random.below(4)).map(|_| inner.plain(random)).collect();
                format!("[{}]", items.join(", "))
            }
            Ty::Map(inner) => {
                let names = ["k", "\"two words\"", "z", "1"];
                let count = random.below(4);
                let items: Vec<String> =
                    names.iter().take(count).map(|name| format!("{name} = {}", inner.plain(random))).collect();
                format!("{{ {} }}", items.join(", "))
            }
            Ty::Tuple(items) => {
                format!("[{}]", items.iter().map(|item| item.plain(random)).collect::<Vec<_>>().join(", "))
            }
            Ty::Object(attributes) => {
                let mut items = Vec::new();
                for (name, ty, optional) in attributes {
                    match optional {
                        Some(_) if random.chance(2) => {}
                        Some(_) if random.chance(5) => items.push(format!("{name} = null")),
                        _ => items.push(format!("{name} = {}", ty.value(random))),
                    }
                }
                if random.chance(6) {
                    items.push("more = [1]".into());
                }
                format!("{{ {} }}", items.join(", "))
            }
        }
    }

    /// A value that can be converted to this type, most of the time.
    fn value(&self, random: &mut Random) -> String {
        if random.chance(25) {
            return "null".into();
        }
        match self {
            Ty::String if random.chance(4) => ["1", "true", "2.50"][random.below(3)].into(),
            Ty::Number if random.chance(4) => "\"8080\"".into(),
            Ty::Bool if random.chance(4) => "\"true\"".into(),
            _ if random.chance(80) => Ty::random(random, 1).plain(random),
            _ => self.plain(random),
        }
    }
}

/// What expressions of a module may name: everything, and what is known before apply.
#[derive(Default, Clone)]
struct Names {
    all: Vec<String>,
    known: Vec<String>,
}

impl Names {
    fn add(&mut self, name: String, is_known: bool) {
        if is_known {
            self.known.push(name.clone());
        }
        self.all.push(name);
    }

    fn one<'n>(names: &'n [String], random: &mut Random) -> &'n str {
        if names.is_empty() { "path.module" } else { &names[random.below(names.len())] }
    }
}

/// An expression over these names.
fn over(names: &[String], random: &mut Random) -> String {
    let (a, b) = (Names::one(names, random), Names::one(names, random));
    let inner = match random.below(22) {
        0..3 => return a.to_string(),
        3 => format!("[for x in try(tolist({a}), [{a}]) : x]"),
        4 => format!("{{ for k, v in try(tomap({a}), {{}}) : k => v if v != {b} }}"),
        5 => format!("merge(try(tomap({a}), {{}}), {{ extra = {b} }})"),
        6 => format!("jsonencode({{ a = {a}, b = {b} }})"),
        7 => format!("{a} == null ? \"none\" : {a}"),
        8 => format!("{a} == {b} ? {a} : {b}"),
        9 => format!("\"<${{{a}}}-${{{b}}}>\""),
        10 => format!("concat({a}, {b}, [\"end\"])"),
        11 => format!("flatten([{a}, [{b}]])"),
        12 => format!("length({a}) + length({b})"),
        // In parentheses, for terraform looks at the attributes of a plain reference before it evaluates anything.
        13 => format!("({a}).a.b"),
        14 => format!("({a})[0]"),
        15 => format!("values({a})[*].a"),
        16 => format!("({a})[*].name"),
        17 => format!("toset([for v in {a} : tostring(v)])"),
        18 => format!("{{ for v in {a} : jsonencode(v) => v... }}"),
        19 => format!("lookup({a}, \"a\", {b})"),
        20 => format!("[{a}, {{ b = {b} }}]"),
        _ => loop {
            let closed = expression(random);
            // Names that stand in another context, and texts whose lines a `try` can't hold.
            if !["terraform_data.", "local.", "var.", "<<", "abspath", "nope("].iter().any(|name| closed.contains(name))
            {
                break closed;
            }
        },
    };
    format!("try({inner}, \"refused\")")
}

struct Input {
    name: String,
    ty: Ty,
    is_required: bool,
}

/// Writes a module and what it calls; gives its variables and the names of its outputs.
fn module(
    random: &mut Random,
    folder: &str,
    key: &str,
    depth: u32,
    files: &mut Vec<(String, String)>,
    calls: &mut Vec<(String, String, String)>,
) -> (Vec<Input>, Vec<String>) {
    let mut blocks: Vec<String> = Vec::new();
    let mut names = Names::default();
    let mut inputs = Vec::new();
    let mut given = String::new();
    for index in 0..1 + random.below(4) {
        let name = format!("v{index}");
        let ty = Ty::random(random, 2);
        let mut text = format!("variable \"{name}\" {{\n");
        if !random.chance(6) {
            let _ = writeln!(text, "  type = {}", ty.text());
        }
        let is_required = random.chance(3);
        if !is_required {
            let _ = writeln!(text, "  default = {}", ty.value(random));
        }
        if random.chance(5) {
            text.push_str("  nullable = false\n");
        }
        if depth == 0 && (is_required || random.chance(3)) {
            let _ = writeln!(given, "{name} = {}", ty.value(random));
        }
        blocks.push(format!("{text}}}\n"));
        names.add(format!("var.{name}"), true);
        inputs.push(Input { name, ty, is_required });
    }
    for index in 0..random.below(3) {
        let is_known = random.chance(2);
        let input = over(if is_known { &names.known } else { &names.all }, random);
        let (repeat, selectors): (String, &[&str]) = match random.below(4) {
            0 => ("  count = 2\n".into(), &["[0]", "[1]", "[*]"]),
            1 => ("  for_each = toset([\"x\", \"y z\"])\n".into(), &["[\"x\"]", "[\"y z\"]"]),
            2 => {
                let keys = Names::one(&names.known, random).to_string();
                let text = format!("  for_each = {{ for i, v in try(flatten([{keys}]), []) : \"k${{i}}\" => v }}\n");
                (text, &[])
            }
            _ => ("".into(), &[""]),
        };
        let own = match random.below(4) {
            0 if repeat.contains("for_each") => "[each.key, each.value]".to_string(),
            0 if repeat.contains("count") => "count.index".to_string(),
            _ => input,
        };
        blocks.push(format!("resource \"terraform_data\" \"r{index}\" {{\n{repeat}  input = {own}\n}}\n"));
        for selector in selectors {
            names.add(format!("terraform_data.r{index}{selector}.input"), false);
            names.add(format!("terraform_data.r{index}{selector}.output"), false);
            names.add(format!("terraform_data.r{index}{selector}.id"), false);
        }
    }
    if depth < 2 {
        for index in 0..random.below(3) {
            let name = format!("m{index}");
            let below = format!("{folder}{name}/");
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            calls.push((key.clone(), format!("./{name}"), below.trim_end_matches('/').to_string()));
            let (wanted, outputs) = module(random, &below, &key, depth + 1, files, calls);
            let mut text = format!("module \"{name}\" {{\n  source = \"./{name}\"\n");
            let selectors: &[&str] = match random.below(3) {
                0 => {
                    text.push_str("  count = 2\n");
                    &["[0]", "[1]", "[*]"]
                }
                1 => {
                    text.push_str("  for_each = { one = 1, two = { a = true } }\n");
                    &["[\"one\"]", "[\"two\"]"]
                }
                _ => &[""],
            };
            for input in wanted {
                if input.is_required || random.chance(2) {
                    let value = match random.below(3) {
                        0 => over(&names.known, random),
                        _ => input.ty.value(random),
                    };
                    let _ = writeln!(text, "  {} = {value}", input.name);
                }
            }
            blocks.push(format!("{text}}}\n"));
            for output in outputs {
                for selector in selectors {
                    names.add(format!("module.{name}{selector}.{output}"), false);
                }
            }
        }
    }
    for index in 0..random.below(6) {
        let is_known = random.chance(2);
        let value = over(if is_known { &names.known } else { &names.all }, random);
        blocks.push(format!("locals {{\n  l{index} = {value}\n}}\n"));
        names.add(format!("local.l{index}"), is_known);
    }
    let mut outputs = Vec::new();
    for index in 0..1 + random.below(4) {
        let name = format!("o{index}");
        blocks.push(format!("output \"{name}\" {{\n  value = {}\n  sensitive = true\n}}\n", over(&names.all, random)));
        outputs.push(name);
    }
    // Blocks in any order, in two files.
    let mut texts = [String::new(), String::new()];
    while !blocks.is_empty() {
        let block = blocks.swap_remove(random.below(blocks.len()));
        texts[random.below(2)].push_str(&block);
    }
    for (name, text) in ["main.tf", "more.tf"].into_iter().zip(texts) {
        files.push((format!("{folder}{name}"), text));
    }
    if !given.is_empty() {
        let name = ["terraform.tfvars", "some.auto.tfvars"][random.below(2)];
        files.push((format!("{folder}{name}"), given));
    }
    (inputs, outputs)
}
