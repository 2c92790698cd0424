//! Comments that take findings out of the verdict, in the syntaxes of all tools.

use std::collections::BTreeMap;

use gate::config::Config;
use gate::finding::Finding;
use gate::report::Report;
use gate::scan;

use super::judged::{self, RULES};
use super::tree::Tree;

/// Lines that are put into comments everywhere in files that have findings: they take findings out, and neither lose one nor
/// make one of another kind. The same lines as text suppress nothing.
pub fn comments(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains(char::is_control)).take(6).collect();
    let tree = commented(&lines);
    let discovered = judged::discover(&tree);
    let scan = |suppress| {
        let request = scan::Request { suppress, ..judged::request(&tree, &RULES, Config::default()) };
        scan::scan(&request, &discovered).expect("nothing is compared")
    };
    let (with, without) = (scan(true), scan(false));
    judged::check_nothing_broke(with.problems.iter());
    for one in &with.suppressed {
        judged::check_findings(&discovered.sources, std::slice::from_ref(&one.finding));
        one.at.iter().for_each(|at| judged::check_span(&discovered.sources, *at, &one.reason));
    }
    for problem in &with.problems {
        problem.span.iter().for_each(|span| judged::check_span(&discovered.sources, *span, &problem.message));
    }
    assert_eq!(without.suppressed.len(), 0);
    let all = with.findings.iter().chain(with.suppressed.iter().map(|one| &one.finding));
    assert_eq!(count(all), count(without.findings.iter()), "suppressions lose findings, or make some");
    match judged::share(input) {
        0 => judged::check_report(&with),
        1 => rewriting(&tree),
        2 | 3 => texts(&lines),
        _ => {}
    }
}

/// How often there is what.
fn count<'f>(findings: impl Iterator<Item = &'f Finding>) -> BTreeMap<(String, String, String, u32), usize> {
    let mut counts = BTreeMap::new();
    // What is said of suppressions themselves is said only where they act.
    for one in findings.filter(|one| !one.rule.starts_with("gate-")) {
        let key = (one.rule.to_string(), one.address.to_string(), one.message.clone(), one.at.start);
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

/// Files of each format with the lines as comments in them: at the top, above, inside, and behind.
fn commented(lines: &[&str]) -> Tree {
    let block = |indent: &str, sign: &str| -> String {
        lines.iter().map(|line| format!("{indent}{sign} {}\n", line.trim())).collect()
    };
    let last = lines.last().map_or("", |line| line.trim());
    let (top, inner, slashes) = (block("", "#"), block("  ", "#"), block("  ", "//"));
    let stars = lines.iter().map(|line| line.replace("*/", "")).collect::<Vec<_>>().join("\n   ");
    let mut tree = Tree::of(b"", "empty.txt");
    let terraform = format!(
        "{top}resource \"aws_s3_bucket\" \"a\" {{\n{inner}  acl = \"public-read\" # {last}\n}}\n\n{slashes}\nresource \"aws_db_instance\" \"b\" {{\n  publicly_accessible = true // {last}\n{slashes}  storage_encrypted = false\n}}\n/* {stars} */\nresource \"aws_security_group\" \"c\" {{\n  ingress {{ # {last}\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n{top}"
    );
    let dockerfile = format!(
        "{top}FROM ubuntu:latest\n{top}RUN apt-get update && \\\n{top}    apt-get install curl\n\n{top}\nADD . /app\n{top}FROM alpine\nENV API_PASSWORD=tangerine-9-harbor\n"
    );
    let note = serde_json::to_string(last).expect("a text is JSON");
    let key = serde_json::to_string(lines.first().unwrap_or(&"")).expect("a text is JSON");
    let manifest = format!(
        "{top}apiVersion: v1\nkind: Pod\nmetadata:\n  name: web # {last}\n  annotations:\n    {key}: {note}\n    checkov.io/skip1: {note}\nspec:\n{inner}  hostNetwork: true # {last}\n  containers:\n    - name: web\n{inner}      image: nginx\n      securityContext:\n        privileged: true # {last}\n{top}---\n{top}apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
    );
    let compose = format!("{top}services:\n{inner}  web:\n    image: nginx # {last}\n{inner}    privileged: true\n");
    let workflow = format!(
        "{top}on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n{inner}      - run: docker build --target app . # {last}\n        env:\n          DEBUG: yes # {last}\n"
    );
    // JSON has no comments: members without a meaning stand for them.
    let json = format!(
        "{{\n  \"//\": {key},\n  \"resource\": {{\n    \"aws_s3_bucket\": {{\n      \"d\": {{\n        \"//\": {note},\n        \"acl\": \"public-read\"\n      }}\n    }}\n  }}\n}}\n"
    );
    let other = format!("// {last}\nconst token = \"{}\"; // {last}\n", token());
    for (path, text) in [
        ("main.tf", terraform),
        ("Dockerfile", dockerfile),
        ("pod.yaml", manifest),
        ("compose.yaml", compose),
        (".github/workflows/build.yaml", workflow),
        ("bucket.tf.json", json),
        ("app.js", other),
    ] {
        tree.add(path, text.into_bytes());
    }
    tree
}

/// Something that looks like a token of GitHub's, in two parts so that this file holds none.
fn token() -> String {
    ["ghp_", "x7Kq2mVb9TzR4nWc8LpY1sDf6GhJ3aE5uQ0i"].concat()
}

/// The lines as texts, where nobody means a suppression.
fn texts(lines: &[&str]) {
    let text = serde_json::to_string(&lines.join(" ")).expect("a text is JSON");
    let template = text.replace("${", "$${").replace("%{", "%%{");
    let terraform =
        format!("resource \"aws_s3_bucket\" \"a\" {{\n  acl = \"public-read\"\n  bucket = {template}\n}}\n");
    let label = text.replace('$', "\\$");
    let dockerfile = format!("FROM ubuntu:latest\nLABEL note={label}\nADD . /app\n");
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  hostNetwork: true\n  containers:\n    - name: web\n      image: nginx\n      args: [{text}]\n"
    );
    let mut tree = Tree::of(b"", "empty.txt");
    for (path, text) in [("main.tf", terraform), ("Dockerfile", dockerfile), ("pod.yaml", manifest)] {
        tree.add(path, text.into_bytes());
    }
    let discovered = judged::discover(&tree);
    let report = scan(&tree, &discovered);
    let said: Vec<_> = report.suppressed.iter().map(|one| (&one.finding.rule, &one.reason, one.dialect)).collect();
    assert!(said.is_empty(), "a text suppresses: {said:?}");
}

fn scan<'s>(tree: &Tree, discovered: &'s gate::discover::Discovered) -> Report<'s> {
    scan::scan(&judged::request(tree, &RULES, Config::default()), discovered).expect("nothing is compared")
}

/// Suppressions of other tools in gate's own form: the same findings are suppressed. How keys are sorted is another matter once
/// annotations have other names.
fn rewriting(tree: &Tree) {
    let discovered = judged::discover(tree);
    let request = judged::request(tree, &RULES, Config::default());
    let rewriting = gate::migrate::rewrite(&request, &discovered, &request.selected).expect("nothing is compared");
    let mut edited = Tree::of(b"", "empty.txt");
    for (file, source) in discovered.sources.iter() {
        let text = match rewriting.edits.get(&file) {
            Some(edits) => gate::suppress::edited(source.text(), edits),
            None => source.text().to_string(),
        };
        edited.add(source.path(), text.into_bytes());
    }
    for left in &rewriting.left {
        judged::check_span(&discovered.sources, left.at, &left.why);
    }
    let after = judged::discover(&edited);
    let suppressed = |report: &Report<'_>| {
        let mut keys: Vec<String> = report
            .suppressed
            .iter()
            .filter(|one| &*one.finding.rule != "k8s-unsorted-keys")
            .map(|one| format!("{} {} {}", one.finding.rule, one.finding.address, one.finding.message))
            .collect();
        keys.sort();
        keys
    };
    let (was, is) = (suppressed(&scan(tree, &discovered)), suppressed(&scan(&edited, &after)));
    assert_eq!(was, is, "rewritten suppressions reach something else");
}
