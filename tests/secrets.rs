//! Committed secrets through the whole program: found in every text, once, never printed, and left alone where a comment says so.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::report::{list, places};
use support::run::{printed, scanned};
use support::tree;
use tempfile::TempDir;

/// Put together here, so that this file holds no token.
fn token() -> String {
    format!("ghp_{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrE")
}

const PASSWORD: &str = "b4ttery-staple";

/// A value that nothing but the name before it makes a secret.
fn literal() -> String {
    format!("h7Gk29fL{}", "q0ZpXw3R")
}

/// `path:line rule` of every finding about a secret.
fn found(folder: &TempDir) -> Vec<String> {
    let (_, report) = scanned(Path::new("."), &[folder.path().to_str().unwrap()]);
    let words = ["committed", "password-literal", "credential-in-url", "plaintext", "hardcoded", "secret-named"];
    let mut found = places(&report);
    found.retain(|one| words.iter().any(|word| one.contains(word)));
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
        let text = printed(folder.path(), &["scan", "--format", format]);
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
        (
            "Dockerfile",
            &format!("FROM alpine:3.20\nRUN curl -H 'a: {token}' https://a.io # pragma: allowlist secret\n"),
        ),
    ]);
    assert_eq!(found(&folder), ["a.py:2 general-service-token-committed", "b.js:3 general-service-token-committed"]);
    let (_, all) = scanned(folder.path(), &["--no-suppress"]);
    let tokens = list(&all, "findings").iter().filter(|one| one["rule"] == "general-service-token-committed").count();
    assert_eq!(tokens, 9);
}

#[test]
fn literals_of_secret_names_are_found_in_files_of_every_kind() {
    let literal = literal();
    let texts = [
        (".env", "# the shop\nDB_PASSWORD=?\n"),
        (".github/workflows/ci.yaml", "on: push\nenv:\n  DB_PASSWORD: ?\njobs: {}\n"),
        ("config.yaml", "db:\n  password: ?\n"),
        ("c.json", "{\"db\": {\"password\": \"?\"}}\n"),
        ("a.py", "DB_PASSWORD = '?'\n"),
        ("app.properties", "spring.datasource.password=?\n"),
        ("app.ini", "[db]\npassword = ?\n"),
        ("app.toml", "api_key = \"?\"\n"),
        ("deploy.sh", "export API_TOKEN=?\n"),
        ("app.ts", "const apiKey: string = '?';\n"),
        ("App.java", "static final String PASSWORD = \"?\";\n"),
        ("main.go", "dbPassword := \"?\"\n"),
        ("a.rb", "config.secret_key = '?'\n"),
        ("a.php", "define('DB_PASSWORD', '?');\n"),
        ("a.cs", "const string ApiKey = \"?\";\n"),
        ("my.cnf", "[client]\npassword=?\n"),
        ("settings.xml", "<password>?</password>\n"),
        (".netrc", "machine git.acme.io login deploy password ?\n"),
        (".pgpass", "db.acme.io:5432:shop:app:?\n"),
    ];
    let files: Vec<(&str, String)> = texts.iter().map(|(path, text)| (*path, text.replace('?', &literal))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut expected: Vec<String> = texts
        .iter()
        .map(|(path, text)| {
            let line = text[..text.find('?').unwrap()].matches('\n').count() + 1;
            format!("{path}:{line} general-secret-literal-committed")
        })
        .collect();
    expected.sort();
    let folder = tree(&files);
    assert_eq!(found(&folder), expected);
    for format in ["text", "json", "sarif", "github", "junit", "markdown", "html"] {
        let text = printed(folder.path(), &["scan", "--format", format]);
        assert!(text.contains("general-secret-literal-committed"), "{format}: {text}");
        assert!(!text.contains(&literal), "{format}: {text}");
    }
}

#[test]
fn made_up_literals_are_left_alone() {
    let line = format!("DB_PASSWORD='{}'\n", literal());
    let folder = tree(&[
        ("tests/login.py", &line),
        ("src/login_test.go", &line),
        ("README.md", &line),
        ("locales/de.properties", &line),
        (".env.example", &line),
        ("yarn.lock", &line),
        (".env", "DB_PASSWORD=changeme\nAPI_TOKEN=${TOKEN}\nSECRET=<secret>\nPASSWORD_FILE=/run/secrets/db1\n"),
    ]);
    assert_eq!(found(&folder), [""; 0]);
}

/// What a model gives a meaning is judged by the rules about that.
#[test]
fn a_literal_that_a_model_judges_is_one_finding_of_its_rule() {
    let literal = literal();
    let folder = tree(&[
        ("prod.tfvars", &format!("db_password = \"{literal}\"\n")),
        ("main.tf", &format!("# password = \"{literal}\"\nlocals {{\n  db_password = \"{literal}\"\n}}\n")),
        ("Dockerfile", &format!("FROM alpine:3.20\nENV DB_PASSWORD={literal}\n")),
        (
            "secret.yaml",
            &format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  password: {literal}\n"),
        ),
        (
            "compose.yaml",
            &format!("services:\n  web:\n    image: a/web:1.2\n    environment:\n      DB_PASSWORD: {literal}\n"),
        ),
        ("a.py", &format!("url = 'postgres://app:{literal}@db.internal/app'\npassword = '{}'\n", token())),
    ]);
    let rules: Vec<String> = found(&folder);
    assert_eq!(
        rules,
        [
            "Dockerfile:2 docker-secret-named-variable",
            "a.py:1 general-credential-in-url",
            "a.py:2 general-service-token-committed",
            "compose.yaml:5 container-plaintext-secret-in-env",
            "main.tf:3 general-password-literal",
            "prod.tfvars:1 general-password-literal",
            "secret.yaml:6 k8s-secret-committed",
        ]
    );
}

#[test]
fn comments_accept_literals() {
    let literal = literal();
    let folder = tree(&[
        ("a.py", &format!("password = '{literal}'  # pragma: allowlist secret\nsecret = '{literal}'\n")),
        (
            "b.env",
            &format!(
                "# gate: ignore[general-secret-literal-committed] of a container on this machine\nDB_PASSWORD={literal}\n"
            ),
        ),
        ("c.yaml", &format!("db:\n  password: {literal} # gitleaks:allow\n")),
        ("d.ts", &format!("// pragma: allowlist nextline secret\nconst apiKey = '{literal}'\n")),
    ]);
    assert_eq!(found(&folder), ["a.py:2 general-secret-literal-committed"]);
}

/// Two passwords under one name have one fingerprint: nothing of them is in it.
#[test]
fn fingerprints_hold_names_and_no_passwords() {
    let fingerprint = |line: &str| {
        let folder = tree(&[(".env", line)]);
        let (_, report) = scanned(folder.path(), &[]);
        report["findings"][0]["fingerprint"].as_str().unwrap().to_string()
    };
    let one = fingerprint(&format!("DB_PASSWORD={}\n", literal()));
    assert_eq!(one, fingerprint("DB_PASSWORD=Tr0ub4dor&3\n"));
    assert_ne!(one, fingerprint(&format!("API_PASSWORD={}\n", literal())));
}
