//! Compiles `policies/` into the catalog that the binary carries. A malformed rule fails the build with its file and line.

// Cargo shows what a build script prints.
#![allow(clippy::print_stderr, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

#[allow(dead_code)]
#[path = "src/rules/schema.rs"]
mod schema;
#[allow(dead_code)]
#[path = "src/severity.rs"]
mod severity;

#[path = "src/spelling.rs"]
mod spelling;

fn main() {
    println!("cargo:rerun-if-changed=policies");
    println!("cargo:rerun-if-changed=src/rules/schema.rs");
    println!("cargo:rerun-if-changed=src/rules/schema/names.rs");
    println!("cargo:rerun-if-changed=src/rules/schema/read.rs");
    println!("cargo:rerun-if-changed=src/spelling.rs");
    println!("cargo:rerun-if-changed=src/severity.rs");
    let mut files = Vec::new();
    collect(Path::new("policies"), &mut files);
    files.sort();
    let mut rules = Vec::new();
    // Modules without an id of their own: what the Rego rules share.
    let mut libraries: Vec<(String, String)> = Vec::new();
    let mut broken = false;
    for file in &files {
        let path = file.to_string_lossy().replace('\\', "/");
        println!("cargo:rerun-if-changed={path}");
        let text = fs::read_to_string(file).unwrap_or_else(|error| {
            eprintln!("{path}: {error}");
            exit(1)
        });
        let parsed = if path.ends_with(".rego") {
            if path.ends_with("_test.rego") {
                continue;
            }
            let rule = schema::parse_rego(&path, &text);
            if let Ok(None) = rule {
                libraries.push((path.clone(), text.clone()));
            }
            rule.map(|rule| rule.into_iter().collect()).map_err(|mistake| vec![mistake])
        } else {
            schema::parse(&text)
        };
        match parsed {
            Ok(mut parsed) => {
                for (rule, _) in &mut parsed {
                    add_tags(rule, &path);
                }
                rules.extend(parsed.into_iter().map(|(rule, prose)| (path.clone(), rule, prose)));
            }
            Err(mistakes) => {
                broken = true;
                for mistake in mistakes {
                    eprintln!("{path}:{}: {}", mistake.line, mistake.message);
                    mistake.help.iter().for_each(|help| eprintln!("  help: {help}"));
                }
            }
        }
    }
    broken |= has_duplicates(&rules);
    if broken {
        exit(1);
    }
    rules.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    let (checks, prose): (Vec<_>, Vec<_>) = rules.into_iter().map(|(_, rule, prose)| (rule, prose)).unzip();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let write = |name: &str, bytes: Vec<u8>| fs::write(out.join(name), bytes).expect("OUT_DIR can be written");
    write("rules.bin", postcard::to_stdvec(&checks).expect("rules have a plain form"));
    // Each rule's prose in bytes of its own: most runs read that of a few rules.
    let prose: Vec<Vec<u8>> =
        prose.iter().map(|one| postcard::to_stdvec(one).expect("prose has a plain form")).collect();
    write("prose.bin", postcard::to_stdvec(&prose).expect("bytes have a plain form"));
    write("libraries.bin", postcard::to_stdvec(&libraries).expect("texts have a plain form"));
}

/// `policies/aws/rds.yaml` tags its rules `aws` and `rds`.
fn add_tags(rule: &mut schema::Rule, path: &str) {
    let stem = path.trim_start_matches("policies/").rsplit_once('.').map_or("", |(stem, _)| stem);
    for tag in stem.split('/').filter(|tag| *tag != "rego") {
        if !rule.tags.iter().any(|known| known == tag) {
            rule.tags.push(tag.to_string());
        }
    }
}

/// Tells of ids and aliases that belong to another rule already.
fn has_duplicates(rules: &[(String, schema::Rule, schema::Prose)]) -> bool {
    let all: Vec<&schema::Rule> = rules.iter().map(|(_, rule, _)| rule).collect();
    let wrong = schema::wrong_names(&all);
    for (index, message) in &wrong {
        let (path, rule, _) = &rules[*index];
        eprintln!("{path}: rule '{}': {message}", rule.id);
    }
    !wrong.is_empty()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "rego") {
            files.push(path);
        }
    }
}
