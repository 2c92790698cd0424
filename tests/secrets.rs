//! Committed secrets through the whole program: found in every text, once, never printed, and left alone where a comment says so.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::tree;
use tempfile::TempDir;

/// Put together here, so that this file holds no token.
fn token() -> String {
    format!("ghp_{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrE")
}

const PASSWORD: &str = "b4ttery-staple";

fn output(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gate")).arg("scan").args(arguments).arg(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `path:line rule` of every finding about a secret.
fn found(folder: &TempDir) -> Vec<String> {
    let report: Value = serde_json::from_str(&output(folder.path(), &["--format", "json"])).unwrap();
    let mut found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let at = &one["at"];
            format!("{}:{} {}", at["path"].as_str().unwrap(), at["line"], one["rule"].as_str().unwrap())
        })
        .filter(|one| {
            ["committed", "password-literal", "credential-in-url", "plaintext", "hardcoded", "secret-named"]
                .iter()
                .any(|word| one.contains(word))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn secrets_are_found_in_texts_of_every_kind() {
    let token = token();
    let assignment = format!("token = '{token}'\n");
    let folder = tree(&[
        ("app/main.py", &format!("import os\n{assignment}")),
        (".env", &format!("GITHUB={token}\nDB=postgres://app:{PASSWORD}@db.internal/app\n")),
        (".config/tool.ini", &assignment),
        ("live/prod.tfvars", &format!("name = \"a\"\ndb_password = \"{PASSWORD}\"\n")),
        ("values.yaml", &format!("github:\n  token: {token}\n")),
        ("docs/latin1.txt", &assignment),
        ("package-lock.json", &format!("{{\"resolved\": \"https://x/{token}\"}}\n")),
    ]);
    let latin1 = [b"caf\xe9\n", assignment.as_bytes()].concat();
    std::fs::write(folder.path().join("docs/latin1.txt"), latin1).unwrap();
    assert_eq!(
        found(&folder),
        [
            ".config/tool.ini:1 general-service-token-committed",
            ".env:1 general-service-token-committed",
            ".env:2 general-credential-in-url",
            "app/main.py:2 general-service-token-committed",
            "docs/latin1.txt:2 general-service-token-committed",
            "live/prod.tfvars:2 general-password-literal",
            "package-lock.json:1 general-service-token-committed",
            "values.yaml:2 general-service-token-committed",
        ]
    );
}

#[test]
fn what_is_ignored_binary_or_installed_is_left_alone() {
    let text = format!("token = '{}'\n", token());
    let folder = tree(&[
        (".gitignore", "local.env\n"),
        ("local.env", &text),
        (".git/config", &text),
        ("node_modules/a/index.js", &text),
        ("logo.png", &text),
        ("core", &format!("\0\0{text}")),
    ]);
    assert_eq!(found(&folder), [""; 0]);
}

#[test]
fn one_secret_is_one_finding() {
    let token = token();
    let folder = tree(&[
        (
            "main.tf",
            &format!(
                "locals {{\n  api_token = \"{token}\"\n  db_password = \"{PASSWORD}\"\n}}\n\nresource \"aws_db_instance\" \"a\" \
                 {{\n  password = local.db_password\n}}\n\nresource \"aws_db_instance\" \"b\" {{\n  password = \
                 local.db_password\n  tags = {{ token = local.api_token }}\n}}\n"
            ),
        ),
        ("Dockerfile", &format!("FROM alpine:3.20\nENV GITHUB_TOKEN={token}\n")),
        (
            "pod.yaml",
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: \
                 a/web:1.2\n      env:\n        - name: API_TOKEN\n          value: {token}\n        - name: DB_PASSWORD\n          \
                 value: {PASSWORD}\n"
            ),
        ),
    ]);
    let places: Vec<String> = found(&folder).iter().map(|one| one.split(' ').next().unwrap().to_string()).collect();
    let mut unique = places.clone();
    unique.dedup();
    // The two databases are two findings about one line: each has its address.
    unique.retain(|place| place != "main.tf:3");
    let mut rest = places;
    rest.retain(|place| place != "main.tf:3");
    assert_eq!(rest, unique);
    assert_eq!(unique, ["Dockerfile:2", "main.tf:2", "pod.yaml:11", "pod.yaml:13"]);
}

#[test]
fn no_format_prints_a_secret() {
    let token = token();
    let other = format!("glpat-{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2");
    let folder = tree(&[
        ("deploy.sh", &format!("curl -H 'a: {token}' -H 'b: {other}' https://u:{PASSWORD}@acme.io/\n")),
        (
            "main.tf",
            &format!(
                "provider \"x\" {{\n  password = \"{PASSWORD}\"\n  url = \"http://{token}:{PASSWORD}@acme.io\"\n}}\n"
            ),
        ),
    ]);
    for format in ["text", "json", "sarif", "github", "junit", "markdown"] {
        let text = output(folder.path(), &["--format", format]);
        assert!(text.contains("general-service-token-committed"), "{format}: {text}");
        for secret in [&token, &other, PASSWORD] {
            assert!(!text.contains(secret), "{format}: {text}");
        }
    }
}

#[test]
fn comments_of_other_tools_accept_secrets() {
    let token = token();
    let folder = tree(&[
        ("a.py", &format!("a = '{token}'  # pragma: allowlist secret\nb = '{token}'\n")),
        ("b.js", &format!("// pragma: allowlist nextline secret\nconst a = '{token}'\nconst b = '{token}'\n")),
        ("c.go", &format!("var a = \"{token}\" // gitleaks:allow\n")),
        ("d.rb", &format!("# gate: ignore[general-service-token-committed] revoked\na = '{token}'\n")),
        ("e.tf", &format!("locals {{\n  a = \"{token}\" # gitleaks:allow\n}}\n")),
        ("f.html", &format!("<!-- gate: ignore[general-service-token-committed] revoked -->\n<p>{token}</p>\n")),
    ]);
    assert_eq!(found(&folder), ["a.py:2 general-service-token-committed", "b.js:3 general-service-token-committed"]);
    let all: Value = serde_json::from_str(&output(folder.path(), &["--format", "json", "--no-suppress"])).unwrap();
    assert_eq!(all["findings"].as_array().unwrap().len(), 8);
}
