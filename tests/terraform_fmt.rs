//! The Terraform parser beside `terraform fmt`: both must accept and refuse the same texts, made at random from a seed and
//! then broken at random. Skipped where terraform is not on PATH.
//!
//! `GATE_FMT_TEXTS=200000 GATE_FMT_SEED=7 cargo test --release --test terraform_fmt -- --nocapture` runs longer, from another
//! seed. What it finds becomes a case in `tests/terraform_syntax.rs`.

#![allow(clippy::print_stderr)]

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use gate::frontend::terraform::syntax::parse;
use gate::source::FileId;

#[allow(dead_code)]
#[path = "../examples/corpus/random.rs"]
mod random;

use random::Random;

/// Texts of one run of terraform.
const BATCH: usize = 2_000;
/// Texts unless `GATE_FMT_TEXTS` says otherwise.
const TEXTS: usize = 2_000;

/// Pieces that mutations put in, each of which means something somewhere.
const TOKENS: &[&str] = &[
    "{", "}", "[", "]", "(", ")", "=", "==", "=>", ",", ".", "..", "...", ":", "::", "?", "!", "!=", "-", "+", "*",
    "/", "//", "/*", "*/", "#", "%", "&&", "||", "&", "|", "<", "<=", ">", "\"", "\\", "\\n", "\\u00e9", "$", "${",
    "%{", "~", "~}", "$${", "%%{", "<<EOT\n", "<<-EOT\n", "EOT\n", "\n", "\r\n", "\r", "\t", " ", "for", "in", "if",
    "else", "endif", "endfor", "null", "true", "0", "1.5", "1e", "1e5", ".5", "é", "x-y", "_", "'", "`", ";", "@",
    "[*]", ".*", "\u{a0}", "\u{200b}",
];

fn expression(random: &mut Random, depth: u32) -> String {
    let leaf = depth == 0;
    match random.between(0, if leaf { 8 } else { 24 }) {
        0 => random.pick(&["null", "true", "false"]).into(),
        1 => random.pick(&["0", "12", "1.5", "1e5", "1E-3", "0.25e+2", "007", "123456789012345678901"]).into(),
        2 => random.pick(&["var.a", "local.b-c", "each.key", "a", "é_1", "data.x.y.z", "a.0", "a.0.b"]).into(),
        3..6 => string(random, depth),
        6 => random.pick(&["[]", "{}", "\"\"", "f()"]).into(),
        7 => format!("-{}", random.between(0, 9)),
        8 => format!("[{}]", list(random, depth, ", ")),
        9 => format!("[\n  {},\n]", list(random, depth, ",\n  # note\n  ")),
        10 | 11 => object(random, depth),
        12 => format!("{}({})", random.pick(&["f", "max", "provider::aws::arn"]), list(random, depth, ", ")),
        13 => format!("f({}...)", list(random, depth, ", ")),
        14 => format!("({})", expression(random, depth - 1)),
        15 => format!("(\n{}\n)", expression(random, depth - 1)),
        16 => format!(
            "{} ? {} : {}",
            expression(random, depth - 1),
            expression(random, depth - 1),
            expression(random, depth - 1)
        ),
        17 | 18 => {
            let operator = random.pick(&["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]);
            let blank = random.pick(&[" ", "", "  ", " /* c */ "]);
            format!("{}{blank}{operator}{blank}{}", expression(random, depth - 1), expression(random, depth - 1))
        }
        19 => format!("{}{}", random.pick(&["!", "-", "! ", "!!", "- "]), expression(random, depth - 1)),
        20 => {
            let end =
                random.pick(&["[0]", "[\"k\"]", ".b", "[*]", "[*].b", ".*", ".*.b", "[a.b]", ".0", "[*][0]", " .b"]);
            format!("{}{end}", random.pick(&["a", "a.b", "f(1)", "[1, 2]", "(a)", "{ b = 1 }"]))
        }
        21 => format!(
            "[for {} in {} : {}{}]",
            random.pick(&["v", "k, v", "k,v"]),
            expression(random, depth - 1),
            expression(random, depth - 1),
            random.pick(&["", " if v != null", "..."])
        ),
        22 => format!(
            "{{for {} in {} : {} => {}{}}}",
            random.pick(&["v", "k, v"]),
            expression(random, depth - 1),
            expression(random, depth - 1),
            expression(random, depth - 1),
            random.pick(&["", "...", " if k", "... if k"])
        ),
        _ => heredoc(random, depth),
    }
}

fn list(random: &mut Random, depth: u32, separator: &str) -> String {
    let items: Vec<String> = (0..random.between(0, 4)).map(|_| expression(random, depth - 1)).collect();
    items.join(separator)
}

fn object(random: &mut Random, depth: u32) -> String {
    let separator = random.pick(&[", ", "\n", ",\n", "\r\n", " # c\n"]);
    let pairs: Vec<String> = (0..random.between(0, 4))
        .map(|_| {
            let key = random.pick(&["a", "\"b\"", "(a.b)", "b-c", "1", "\"${a}\"", "for_each", "if", "a.b"]);
            let sign = random.pick(&[" = ", "=", ": ", ":"]);
            format!("{key}{sign}{}", expression(random, depth - 1))
        })
        .collect();
    let (open, close) = if random.chance(50) { ("{\n", "\n}") } else { ("{ ", " }") };
    format!("{open}{}{close}", pairs.join(separator))
}

fn string(random: &mut Random, depth: u32) -> String {
    let mut text = String::from("\"");
    for _ in 0..random.between(0, 4) {
        text.push_str(&template_piece(random, depth));
        if random.chance(20) {
            text.push_str(random.pick(&["\\n", "\\\"", "\\\\", "\\t", "\\u00e9", "\\U0001F600", "\\r"]));
        }
    }
    text + "\""
}

fn template_piece(random: &mut Random, depth: u32) -> String {
    match random.between(0, if depth == 0 { 5 } else { 9 }) {
        0 | 1 => random.pick(&["a b", "x", "10.0.0.0/8", " ", "é😀", "{", "}", "#", "//"]).into(),
        2 => random.pick(&["$", "%", "$$", "%%", "$a", "100%"]).into(),
        3 => random.pick(&["$${a}", "%%{a}", "$$${a}"]).into(),
        4 => "${a}".into(),
        5 => format!("${{{}}}", expression(random, depth - 1)),
        6 => format!("${{~ {} ~}}", expression(random, depth - 1)),
        7 => format!(
            "%{{ if {} }}{}%{{ {}endif }}",
            expression(random, depth - 1),
            template_piece(random, depth - 1),
            random.pick(&["", "else }n%{ ", "else ~} %{~ "])
        ),
        _ => format!(
            "%{{ for {} in {} ~}}{}%{{ endfor }}",
            random.pick(&["v", "k, v"]),
            expression(random, depth - 1),
            template_piece(random, depth - 1)
        ),
    }
}

fn heredoc(random: &mut Random, depth: u32) -> String {
    let mark = random.pick(&["EOT", "END", "é", "E-1"]);
    let mut text = format!("<<{}{mark}\n", random.pick(&["", "-"]));
    for _ in 0..random.between(0, 4) {
        text.push_str(random.pick(&["", "  ", "\t", "\""]));
        text.push_str(&template_piece(random, depth.saturating_sub(1)));
        text.push('\n');
    }
    text + random.pick(&["", "  "]) + mark + random.pick(&["\n", "\n", "\n", ""])
}

fn item(random: &mut Random, depth: u32, number: usize) -> String {
    match random.between(0, if depth == 0 { 5 } else { 9 }) {
        0..5 => {
            let end = random.pick(&["\n", "\n", " # c\n", " // c\n", " /* c */\n", "\r\n"]);
            format!("{}{number} = {}{end}", random.pick(&["a", "b-", "é", "_x"]), expression(random, 3))
        }
        5 => random.pick(&["# note\n", "// note\n", "/* one\ntwo */\n", "\n\n", "  \t\n"]).into(),
        6 => format!("b {}{{ {} }}\n", labels(random), random.pick(&["", "a = 1", "a = [\n1\n]", "a = \"x\""])),
        _ => {
            let inner: String =
                (0..random.between(0, 3)).map(|index| item(random, depth - 1, index as usize)).collect();
            format!("block {}{{\n{inner}}}\n", labels(random))
        }
    }
}

fn labels(random: &mut Random) -> &'static str {
    random.pick(&["", "\"a\" ", "\"a\" \"b\" ", "a ", "\"a\\n\" ", "\"a\"\"b\"", "\"é\" "])
}

/// A text by the grammar; in four of five cases broken at one place or two.
fn text(random: &mut Random) -> String {
    let mut text: String = (0..random.between(1, 4)).map(|number| item(random, 2, number as usize)).collect();
    if !random.chance(20) {
        for _ in 0..random.between(1, 3) {
            text = mutated(random, &text);
        }
    }
    text
}

fn mutated(random: &mut Random, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return random.pick(TOKENS).to_string();
    }
    let at = random.between(0, chars.len() as u64) as usize;
    let width = (random.between(1, 4) as usize).min(chars.len() - at);
    let (head, rest) = chars.split_at(at);
    let join =
        |middle: &str, tail: &[char]| head.iter().collect::<String>() + middle + &tail.iter().collect::<String>();
    match random.between(0, 6) {
        0 => join("", &rest[1..]),
        1 => join("", &rest[width..]),
        2 => join(&rest[..width].iter().collect::<String>(), rest),
        3 => join(random.pick(TOKENS), &rest[width..]),
        4 => head.iter().collect(),
        _ => join(random.pick(TOKENS), rest),
    }
}

/// The numbers of the texts that terraform refuses.
fn refused(texts: &[String], folder: &Path) -> HashSet<usize> {
    for (number, text) in texts.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.tf")), text).expect("a file in a folder of ours");
    }
    let output = Command::new("terraform")
        .args(["fmt", "-check", "-list=false", "-no-color", "."])
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .expect("terraform ran a moment ago");
    let told = String::from_utf8_lossy(&output.stderr);
    // Every diagnostic names its place: `on 12.tf line 3, in resource "a" "b":`.
    told.split(" on ")
        .skip(1)
        .filter_map(|place| place.split_once(".tf line ").and_then(|(number, _)| number.parse().ok()))
        .collect()
}

fn from_environment<T: std::str::FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(value) => value.parse().ok().unwrap_or_else(|| panic!("{name} is no number: {value}")),
        Err(_) => usual,
    }
}

#[test]
fn the_same_texts_are_accepted_and_refused_as_by_terraform_fmt() {
    if Command::new("terraform").arg("-version").output().is_err() {
        eprintln!("skipped: terraform is not on PATH");
        return;
    }
    let (count, seed) = (from_environment("GATE_FMT_TEXTS", TEXTS), from_environment("GATE_FMT_SEED", 1));
    let mut random = Random::new(seed);
    let (mut done, mut accepted, mut differences) = (0, 0, Vec::new());
    while done < count && differences.len() < 20 {
        let texts: Vec<String> = (0..BATCH.min(count - done)).map(|_| text(&mut random)).collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let refused = refused(&texts, folder.path());
        assert!(refused.len() < texts.len() || texts.len() < 50, "terraform accepts some of what the grammar makes");
        for (number, text) in texts.iter().enumerate() {
            let problems = parse(FileId(0), text.as_str().into()).problems;
            let is_refused = refused.contains(&number);
            accepted += usize::from(!is_refused);
            if problems.is_empty() == is_refused {
                let ours = problems.first().map_or("accepted".to_string(), |problem| {
                    format!("refused at {:?}: {}", problem.span.map(|span| span.start), problem.message)
                });
                differences.push(format!(
                    "{}\n{text:?}\n{ours}\n",
                    if is_refused { "terraform refuses" } else { "terraform accepts" }
                ));
            }
        }
        done += texts.len();
    }
    eprintln!("{done} texts from seed {seed}, {accepted} accepted by both");
    assert!(differences.is_empty(), "of {done} texts from seed {seed}:\n{}", differences.join("\n"));
}
