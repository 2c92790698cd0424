//! Suppressions in texts that no format reads: scripts, `.env`, code, workflows, templates.

use crate::support::report::list;
use crate::support::run::scanned;
use crate::support::tree;

const RULE: &str = "general-service-token-committed";
const KEY: &str = "general-aws-key-committed";

/// In two parts, so that this file holds no token.
fn token() -> String {
    ["ghp_", "x7Kq2mV9sLw4TzB8nRc5YhJ3dFgP6aQeU1bb"].concat()
}

/// How many findings of the rule are in force, how many are suppressed, and what else is found or told.
fn scan(files: &[(&str, &str)], rule: &str) -> (usize, usize, Vec<String>) {
    let folder = tree(files);
    let rules = format!("{rule},gate-unused-suppression,gate-expired-suppression");
    let (_, report) = scanned(folder.path(), &[".", "--select", &rules]);
    let findings = list(&report, "findings");
    let (about, found): (Vec<_>, Vec<_>) = findings.iter().partition(|one| one["rule"] != rule);
    let about = about.iter().map(|one| format!("{}:{}", one["rule"].as_str().unwrap(), one["at"]["line"]));
    let notes =
        list(&report, "problems").iter().filter(|one| !one["message"].as_str().unwrap().contains("Helm template"));
    let notes = notes.map(|one| one["message"].as_str().unwrap().to_string());
    (found.len(), list(&report, "suppressed").len(), about.chain(notes).collect())
}

#[test]
fn comments_and_blank_lines_may_stand_between() {
    let own = format!("gate: ignore[{RULE}] revoked");
    let top = format!("gate: ignore-file[{RULE}] revoked");
    let token = token();
    for (path, text) in [
        (".env", format!("A=1\n\n# {own}\n# see TICKET-12\nTOKEN={token}\n")),
        ("b.env", format!("A=1\n# {own}\n\nTOKEN={token}\n")),
        ("a.js", format!("/*\n * {top}\n */\nconst T = \"{token}\";\n")),
        ("b.js", format!("let a;\n/*\n * {own}\n */\nconst T = \"{token}\";\n")),
        ("deploy.sh", format!("#!/bin/sh\n\n# deploys\n# {top}\nset -e\necho start\n\nT={token}\n")),
        ("page.html", format!("<!-- {own} -->\n<p>{token}</p>\n")),
        ("chart/templates/a.yaml", format!("stringData:\n  {{{{- /* {own} */}}}}\n  t1: \"{token}\"\n")),
        (".github/workflows/a.yml", format!("on: push\njobs:\n  a:\n    # {own}\n    env:\n      A: {token}\n")),
        (
            ".github/workflows/b.yml",
            format!("jobs:\n  a:\n    steps:\n      - run: x # {own}\n        env:\n          A: {token}\n"),
        ),
        ("other.yaml", format!("env: # {own}\n  A: {token}\n")),
    ] {
        let chart = ("chart/Chart.yaml", "apiVersion: v2\nname: x\nversion: 0.1.0\n");
        assert_eq!(scan(&[(path, &text), chart], RULE), (0, 1, vec![]), "{path}: {text}");
    }
}

#[test]
fn words_and_quotes_begin_comments_where_the_language_has_them() {
    let own = format!("gate: ignore[{RULE}] revoked");
    let token = token();
    for (path, text) in [
        ("a.bat", format!("@echo off\r\nREM {own}\r\nset T={token}\r\n")),
        ("a.cmd", format!(":: {own}\r\nset T={token}\r\n")),
        ("a.vb", format!("Dim T = \"{token}\" ' {own}\n")),
        ("a.bas", format!("Rem {own}\nT = \"{token}\"\n")),
    ] {
        assert_eq!(scan(&[(path, &text)], RULE), (0, 1, vec![]), "{path}: {text}");
    }
}

#[test]
fn whoever_accepts_a_narrower_control_elsewhere_accepts_what_says_the_same() {
    let image = "FROM registry.example.com/shop:1.2\n";
    for (comment, user) in [
        ("# checkov:skip=CKV_DOCKER_3: started by the platform", ""),
        ("# kics-scan disable=fd54f200-402c-4333-a5a4-36ef6709af2f", ""),
        ("# hadolint global ignore=DL3002", "USER root\n"),
        ("# checkov:skip=CKV_DOCKER_8: started by the platform", "USER root\n"),
    ] {
        let text = format!("{comment}\n{image}{user}CMD [\"shop\"]\n");
        assert_eq!(scan(&[("Dockerfile", &text)], "container-run-as-root"), (0, 1, vec![]), "{text}");
    }
    let text = format!("{image}USER root\n");
    let files = [("Dockerfile", text.as_str()), (".hadolint.yaml", "ignored: [DL3002]\n")];
    let counts = [&files[..1], &files].map(|files| scan(files, "container-run-as-root").0);
    assert_eq!(counts, [1, 0], "in its configuration too");
}

#[test]
fn code_between_parts_them() {
    let token = token();
    for text in [
        format!("# gate: ignore[{RULE}] revoked\nA=1\nTOKEN={token}\n"),
        format!("A=1\n# gate: ignore-file[{RULE}] revoked\nB=1\nTOKEN={token}\n"),
    ] {
        let (found, gone, told) = scan(&[(".env", &text)], RULE);
        assert_eq!((found, gone, told.len()), (1, 0, 1), "{told:?}");
    }
}

#[test]
fn what_does_not_act_is_told_where_nothing_is_found() {
    let of = |path: &str, text: &str| scan(&[(path, text)], RULE).2;
    let expired = format!("A=1\n\n# gate: ignore[{RULE}] until=2025-01-01 revoked\nTOKEN=none\n");
    assert_eq!(of("unused.env", &expired), ["gate-expired-suppression:3"]);
    let unused = format!("run() {{\n  go(); // gate: ignore[{RULE}] revoked\n}}\n");
    assert_eq!(of("a.ts", &unused), ["gate-unused-suppression:2"]);
    let top = format!("#!/bin/sh\n# deploys\n# gate: ignore-file[{RULE}] revoked\necho\n");
    assert_eq!(of("a.sh", &top), ["gate-unused-suppression:3"]);
    // Prose and texts that speak of suppressions are none.
    let prose = format!("Write this:\n\n    # gate: ignore[{RULE}] why\n");
    assert_eq!(of("README.md", &prose), Vec::<String>::new());
    let text = format!("let said = \"# gate: ignore[{RULE}] why\";\n/// So `gate: ignore[{RULE}] why`.\n");
    assert_eq!(of("a.rs", &text), Vec::<String>::new());
}

#[test]
fn checkovs_skips_of_secrets_act_in_any_text() {
    let key = ["AKIA", "Q3EGRT7ZKXW5PLMS"].concat();
    let skip = "# checkov:skip=CKV_SECRET_2:revoked";
    for (path, text) in [
        (".env", format!("K={key} {skip}\n")),
        ("above.env", format!("{skip}\nK={key}\n")),
        ("below.env", format!("K={key}\n{skip}\n")),
        (".github/workflows/ci.yml", format!("on: push\nenv:\n  KEY: {key} {skip}\n")),
        ("a.yaml", format!("env:\n  {skip}\n  KEY: {key}\n")),
    ] {
        assert_eq!(scan(&[(path, &text)], KEY), (0, 1, vec![]), "{path}");
    }
    let far = format!("{skip}\n\nK={key}\n");
    assert_eq!(scan(&[(".env", &far)], KEY), (1, 0, vec![]));
    let other = format!("K={key} # checkov:skip=CKV_AWS_41:x\n");
    assert_eq!(scan(&[(".env", &other)], KEY), (1, 0, vec![]));
}
