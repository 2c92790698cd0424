//! Random expressions mean to gate what they mean to terraform: value, type, sensitivity, or an error.
//!
//! `GATE_DIFFERENTIAL_COUNT` and `GATE_DIFFERENTIAL_SEED` make the run longer or another one. Without terraform 1.11 on the
//! path nothing is compared.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod generator;
mod module;
mod oracle;
mod plan;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use gate::frontend::Settings;
use gate::frontend::terraform::evaluate_all;
use gate::frontend::terraform::value::lower::encode_json;
use gate::frontend::terraform::value::{Marks, Val};
use gate::source::{Source, Sources};

use self::generator::{Random, expression};
use self::oracle::Verdict;

/// Expressions in one module for terraform.
const BATCH: usize = 400;
/// As the threads of a scan have it.
const STACK_BYTES: usize = 64 << 20;

/// Files that expressions read.
const FILES: &[(&str, &[u8])] = &[
    ("plain.txt", b"plain text\n"),
    ("nested/deep.txt", b"deep"),
    ("nested/more/deeper.txt", b"deeper"),
    ("hello.tftpl", b"Hello ${name}!\n"),
    ("loop.tftpl", b"%{ for name in names ~}\n- ${name}\n%{ endfor ~}\n"),
    ("bytes.bin", b"\xff\xfe\x00"),
];

/// What expressions may name: what is not known before apply, and variables whose types fill in what is left out.
const CONTEXT: &str = r##"
resource "terraform_data" "u" {
  input = timestamp()
}
resource "terraform_data" "some" {
  for_each = { a = 1, b = 2 }
  input    = each.value
}
resource "terraform_data" "counted" {
  count = 2
  input = "n${count.index}"
}
locals {
  u_dynamic   = jsondecode(terraform_data.u.id)
  u_number    = tonumber(terraform_data.u.id)
  u_bool      = terraform_data.u.id == "x"
  u_strings   = split(",", terraform_data.u.id)
  u_map       = tomap({ for s in split(",", terraform_data.u.id) : s => 1 })
  u_set       = toset(split(",", terraform_data.u.id))
  u_tuple     = ["a", terraform_data.u.id]
  u_object    = { a = "x", b = terraform_data.u.id }
  u_part_list = tolist(["a", terraform_data.u.id])
  u_part_map  = tomap({ a = 1, b = tonumber(terraform_data.u.id) })
  u_nested    = [{ a = terraform_data.u.id, b = [1] }, { a = "k", b = [tonumber(terraform_data.u.id)] }]
  text        = "hello $${name}%%{ for n in names }, $${n}%%{ endfor }"
}
variable "settings" {
  type = object({
    name   = optional(string)
    ports  = optional(list(number), [80, 443])
    nested = optional(object({ on = optional(bool, true), level = optional(number) }), {})
  })
  default = { name = 5, ports = null, extra = 1 }
}
variable "rules" {
  type    = list(object({ port = number, protocol = optional(string, "tcp"), cidrs = optional(set(string), []) }))
  default = [{ port = "22" }, { port = 80, protocol = null, cidrs = ["b", "a", "a"] }]
}
variable "by_name" {
  type    = map(object({ size = optional(number, 1), tags = optional(map(string)) }))
  default = { one = {}, two = { size = "2", tags = { n = 1 } } }
}
variable "secret" {
  type      = string
  default   = "s3cret"
  sensitive = true
}
variable "pair" {
  type    = tuple([string, any])
  default = [1, { a = true }]
}
variable "words" {
  type    = set(any)
  default = ["b", "a", 1]
}
"##;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_expressions_mean_what_terraform_says() {
    if !oracle::is_installed() {
        eprintln!("skipped: there is no terraform 1.11 to compare with");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in FILES {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let count = number("GATE_DIFFERENTIAL_COUNT", 300) as usize;
    std::fs::write(folder.path().join("context.tf"), CONTEXT).unwrap();
    let mut random = Random::new(number("GATE_DIFFERENTIAL_SEED", 1));
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    let mut values = 0;
    while seen.len() < count {
        let mut batch = Vec::new();
        while batch.len() < BATCH.min(count - seen.len() + batch.len()) {
            let expression = expression(&mut random);
            if seen.insert(expression.clone()) {
                batch.push(expression);
            }
        }
        let answers = gate(folder.path(), &batch);
        for ((expression, answer), verdict) in batch.iter().zip(answers).zip(oracle::ask(folder.path(), &batch)) {
            values += usize::from(matches!(verdict, Verdict::Value { .. }));
            if let Some(difference) = difference(expression, &answer, &verdict) {
                differences.push(format!("{expression}\n    {difference}"));
            }
        }
    }
    eprintln!("{} expressions, {values} of them with a value", seen.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn gate(folder: &Path, expressions: &[String]) -> Vec<Result<Val, String>> {
    let settings = Settings { root: folder.to_path_buf(), ..Settings::default() };
    let work = || {
        let mut answers = Vec::new();
        let expressions = expressions.iter().cloned();
        let mut sources = Sources::default();
        let context = sources.add(Source::new("context.tf".to_string(), CONTEXT.to_string()));
        evaluate_all(&settings, &sources, &[context], expressions, &mut |answer| {
            answers.push(answer);
        });
        answers
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn difference(expression: &str, answer: &Result<Val, String>, verdict: &Verdict) -> Option<String> {
    let mentions = |names: &[&str]| names.iter().any(|name| expression.contains(name));
    // Left unknown on purpose: dependent on the machine, or unknown to terraform for no reason.
    let may_be_open = mentions(&["abspath(", "format"]);
    // The oracle's own files lie in the folder.
    if matches!(verdict, Verdict::Value { json, .. } if json.contains("\"context.tf\"")) {
        return None;
    }
    match (answer, verdict) {
        // Exponents past gate's limit.
        (Err(message), _) if message.contains("out of range") => None,
        (Ok(val), Verdict::Unwritable) if encode_json(val).contains("Inf") => None,
        (Err(message), Verdict::Unwritable) if message.contains("infinite") => None,
        (Err(_), Verdict::Refused(_)) => None,
        (Ok(val), Verdict::Unknown) if val.has_unknown() || may_be_open => None,
        (Ok(val), Verdict::Value { .. }) if val.has_unknown() && may_be_open => None,
        (Ok(val), Verdict::Value { json, ty, is_sensitive }) => {
            let ours = (encode_json(val), val.ty().to_string(), val.deep_marks().has(Marks::SENSITIVE));
            // The last bit of a logarithm is another in each library.
            let is_near = mentions(&["pow(", "log("]) && (near(&ours.0, json) || shortened(&ours.0) == shortened(json));
            let same = !val.has_unknown() && (ours.0 == *json || is_near) && (&ours.1, &ours.2) == (ty, is_sensitive);
            (!same).then(|| {
                format!("terraform {json} {ty} {is_sensitive}\n    gate      {} {} {}", ours.0, ours.1, ours.2)
            })
        }
        (Ok(val), _) => Some(format!("terraform {verdict:?}\n    gate      {} {}", encode_json(val), val.ty())),
        (Err(message), _) => Some(format!("terraform {verdict:?}\n    gate      refuses: {message}")),
    }
}

/// A text with twelve digits at most in a row after a point.
fn shortened(text: &str) -> String {
    let mut digits = None;
    let keep = |char: &char| {
        digits = match (char, digits) {
            ('.', _) => Some(0),
            ('0'..='9', Some(count)) => Some(count + 1),
            _ => None,
        };
        digits.is_none_or(|count| count <= 12)
    };
    text.chars().filter(keep).collect()
}

fn near(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-12 * a.abs(),
        _ => false,
    }
}
