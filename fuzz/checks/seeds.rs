//! Inputs to begin with: the fixtures, the examples of the rules and a few written for their forms.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gate::config::Config;
use gate::frontend::terraform::syntax;
use gate::report::FORMATS;
use gate::rules::Catalog;
use gate::scan;
use gate::source::FileId;

use super::judged::{self, RULES};
use super::tree::Tree;

/// Bytes of one seed: mutations of large inputs find little and take long.
const MAX_BYTES: usize = 6_000;

/// The seeds of the target with this name; `root` is the folder of the project.
pub fn seeds(root: &Path, target: &str) -> Vec<Vec<u8>> {
    let mut seeds = match target {
        "terraform" => [files(root, &["tf"]), folders(root), examples("terraform")].concat(),
        "expression" => expressions(root),
        "dockerfile" => [files(root, &["Dockerfile"]), examples("dockerfile"), lines(WORKFLOWS)].concat(),
        "kubernetes" => [files(root, &["yaml", "json"]), examples("kubernetes"), lines(KUSTOMIZATION)].concat(),
        "compose" => [files(root, &["compose.yaml"]), folders(root), examples("compose"), compose(root)].concat(),
        "rego" => rego(root),
        "suppressions" => lines(SUPPRESSIONS),
        "sarif" => results(root),
        "configuration" => configurations(root),
        "secrets" => [files(root, &["tf", "yaml", "Dockerfile"]), secrets()].concat(),
        "compare" => changes(root),
        _ => Vec::new(),
    };
    seeds.retain(|seed| !seed.is_empty() && seed.len() <= MAX_BYTES);
    seeds.sort();
    seeds.dedup();
    seeds
}

/// All files below a folder, sorted.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { below(&path, found) } else { found.push(path) }
    }
}

fn fixtures(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    below(&root.join("fixtures"), &mut found);
    found
}

/// Fixtures whose names end so.
fn files(root: &Path, ends: &[&str]) -> Vec<Vec<u8>> {
    let is_wanted = |path: &PathBuf| path.to_str().is_some_and(|path| ends.iter().any(|end| path.ends_with(end)));
    fixtures(root).iter().filter(|path| is_wanted(path)).filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The files of each folder of the fixtures as one input.
fn folders(root: &Path) -> Vec<Vec<u8>> {
    let all = fixtures(root);
    let folders: BTreeSet<&Path> = all.iter().filter_map(|path| path.parent()).collect();
    let joined = folders.into_iter().map(|folder| {
        let inside = all.iter().filter(|path| path.parent() == Some(folder));
        inside.flat_map(|path| divided(path.file_name().and_then(|name| name.to_str()), path)).collect()
    });
    joined.collect()
}

fn divided(name: Option<&str>, path: &Path) -> Vec<u8> {
    let text = std::fs::read(path).unwrap_or_default();
    [format!("# file: {}\n", name.unwrap_or("file")).as_bytes(), &text, b"\n"].concat()
}

/// The examples of all rules for one format.
fn examples(format: &str) -> Vec<Vec<u8>> {
    let catalog = Catalog::built_in();
    let all = (0..catalog.rules().len()).flat_map(|rule| {
        let prose = catalog.prose(rule);
        prose.bad.iter().chain(&prose.good).filter(|example| example.format == format).collect::<Vec<_>>()
    });
    all.map(|example| example.text.clone().into_bytes()).collect()
}

/// The expressions of the fixtures and examples.
fn expressions(root: &Path) -> Vec<Vec<u8>> {
    let texts = [files(root, &["tf"]), examples("terraform")].concat();
    let mut found: BTreeSet<Vec<u8>> = lines(EXPRESSIONS).into_iter().collect();
    for text in texts.into_iter().filter_map(|text| String::from_utf8(text).ok()) {
        let file = syntax::parse(FileId(0), text.as_str().into()).file;
        for number in 0..file.expr_count() {
            let text = file.source_text(file.expr_span(syntax::ExprId(number as u32)));
            // Names and literals alone are in others.
            if (8..400).contains(&text.len()) && text.contains(['(', '[', '{', '?', '$']) {
                found.insert(text.as_bytes().to_vec());
            }
        }
    }
    found.into_iter().collect()
}

/// The Compose project of the fixtures with all that belongs to it.
fn compose(root: &Path) -> Vec<Vec<u8>> {
    ["broken", "kept"].into_iter().map(|state| whole(&root.join("fixtures/compose").join(state))).collect()
}

fn whole(folder: &Path) -> Vec<u8> {
    let mut paths = Vec::new();
    below(folder, &mut paths);
    let relative = |path: &Path| path.strip_prefix(folder).ok().and_then(Path::to_str).map(str::to_string);
    paths.iter().flat_map(|path| divided(relative(path).as_deref(), path)).collect()
}

fn rego(root: &Path) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for folder in ["policies", "examples", "docs"] {
        below(&root.join(folder), &mut paths);
    }
    let read = |path: &PathBuf| std::fs::read(path).ok();
    let modules = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "rego"));
    let mut seeds: Vec<Vec<u8>> = modules.filter_map(read).collect();
    // The blocks of the manual.
    let manual = std::fs::read_to_string(root.join("docs/rego.md")).unwrap_or_default();
    seeds.extend(manual.split("```rego\n").skip(1).filter_map(|rest| rest.split("```").next()).map(Vec::from));
    seeds.extend(REGO.iter().map(|text| text.as_bytes().to_vec()));
    seeds
}

/// What gate itself says of the fixtures, and what other tools write beyond that.
fn results(root: &Path) -> Vec<Vec<u8>> {
    let sarif = FORMATS.iter().find(|format| format.name == "sarif").expect("a format");
    let mut seeds: Vec<Vec<u8>> = SARIF.iter().map(|text| text.as_bytes().to_vec()).collect();
    for text in files(root, &["Dockerfile"]) {
        let tree = Tree::of(&text, "Dockerfile");
        let discovered = judged::discover(&tree);
        let request = judged::request(&tree, &RULES, Config::default());
        let mut report = scan::scan(&request, &discovered).expect("nothing is compared");
        report.findings.truncate(2);
        report.rules.retain(|rule| report.findings.iter().any(|finding| finding.rule == rule.id));
        let mut bytes = Vec::new();
        (sarif.write)(&report, Default::default(), &mut bytes).expect("memory takes all");
        seeds.push(bytes);
    }
    seeds
}

/// Configurations beside rules, and rules of gate's own under another name.
fn configurations(root: &Path) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = CONFIGURATIONS.iter().map(|text| text.as_bytes().to_vec()).collect();
    let mut paths = Vec::new();
    below(&root.join("policies"), &mut paths);
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // Every tenth rule is enough to have all forms.
        for rule in text.split("\n- id: ").skip(1).step_by(10) {
            seeds.push(format!("# file: rules.yaml\n- id: acme-{rule}\n").into_bytes());
        }
    }
    seeds
}

/// Examples of each kind, put together here, so that this file holds no credential.
fn secrets() -> Vec<Vec<u8>> {
    let body = "x7Kq2mVb9TzR4nWc8LpY1sDf6GhJ3aE5uQ0iB2c4";
    let line = "MHcCAQEEIKq7Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrEwQhZx8oAoGCCqGSM49\n".repeat(4);
    let words = [
        ["ghp_", &body[..36]].concat(),
        ["github_pat_", &body[..22], "_", body, "5678901234567890123"].concat(),
        ["AKIA", "Q3EGRZ7LNP2WXK5D\naws_secret_access_key = ", body].concat(),
        ["xoxb-", "123456789012-123456789012-", &body[..24]].concat(),
        ["sk_live_", &body[..24]].concat(),
        ["glpat-", &body[..20]].concat(),
        ["postgres", "://shop:tangerine-9-harbor@db.acme.example:5432/shop"].concat(),
        ["Authorization: Bearer ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.", body].concat(),
        ["-----BEGIN RSA PRIVATE", " KEY-----\n", &line, "-----END RSA PRIVATE", " KEY-----"].concat(),
        ["-----BEGIN OPENSSH PRIVATE", " KEY-----\\n", &line.replace('\n', "\\n"), "-----END"].concat(),
        ["\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE", " KEY-----\\nMIIE\""].concat(),
    ];
    words.into_iter().map(|word| format!("# settings\nvalue = \"{word}\"\npassword: {word}\n").into_bytes()).collect()
}

/// Each fixture that has a broken and a kept form, as a change from one to the other, both ways.
fn changes(root: &Path) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = CHANGES.iter().map(|text| text.as_bytes().to_vec()).collect();
    for path in fixtures(root) {
        let Some(kept) =
            path.to_str().filter(|path| path.contains("/broken/")).map(|path| path.replace("/broken/", "/kept/"))
        else {
            continue;
        };
        if let (Ok(broken), Ok(kept), Some(name)) = (std::fs::read(&path), std::fs::read(kept), path.file_name()) {
            let file = format!("# file: {}\n", name.to_string_lossy());
            for [from, to] in [[&broken, &kept], [&kept, &broken]] {
                seeds.push([file.as_bytes(), from, b"\n# change\n", file.as_bytes(), to].concat());
            }
        }
    }
    seeds
}

/// Texts that blank lines divide.
fn lines(text: &str) -> Vec<Vec<u8>> {
    text.split("\n\n").map(|text| text.trim_matches('\n').as_bytes().to_vec()).collect()
}

const EXPRESSIONS: &str = include_str!("seeds/expressions.txt");
const SUPPRESSIONS: &str = include_str!("seeds/suppressions.txt");
const KUSTOMIZATION: &str = include_str!("seeds/kustomization.txt");
const WORKFLOWS: &str = include_str!("seeds/workflows.txt");
const REGO: &[&str] = &[include_str!("seeds/policy-terraform.txt"), include_str!("seeds/policy-kubernetes.txt")];
const SARIF: &[&str] = &[include_str!("seeds/results.sarif"), include_str!("seeds/trivial.sarif")];
const CONFIGURATIONS: &[&str] = &[
    include_str!("seeds/gate.yaml"),
    include_str!("seeds/hadolint.yaml"),
    include_str!("seeds/rules.yaml"),
    include_str!("seeds/baseline.txt"),
];
const CHANGES: &[&str] = &[include_str!("seeds/change-module.txt"), include_str!("seeds/change-cluster.txt")];
