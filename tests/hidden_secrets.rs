//! Reports and previews never show a secret, whoever speaks of it and whichever rules run.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::change::Change;
use support::run::{gate, printed};
use support::tree;

const FORMATS: [&str; 9] = ["text", "json", "sarif", "github", "gitlab", "junit", "markdown", "comment", "html"];

/// Put together here, so that this file holds no token.
fn token() -> String {
    format!("glpat-{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2")
}

/// A value that nothing but the name before it makes a secret.
fn literal() -> String {
    format!("h7Gk29fL{}", "q0ZpXw3R")
}

/// Fails where a format shows one of the secrets, and where it says nothing of what is expected.
fn hides(folder: &Path, more: &[&str], secrets: &[&str], says: &str) {
    for format in FORMATS {
        let output = gate(folder, &[&["scan", "--show-suppressed", "--format", format], more].concat());
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(format == "gitlab" || format == "junit" || text.contains(says), "{format} {more:?}: {text}");
        for secret in secrets {
            assert!(!text.contains(secret), "{format} {more:?}: {secret} in {text}");
        }
    }
}

#[test]
fn addresses_of_sources_are_told_without_what_opens_them() {
    let token = token();
    let folder = tree(&[
        (
            "main.tf",
            &format!(
                "module \"a\" {{\n  source = \"git::https://oauth2:{token}@git.acme.io/a.git?ref=v1\"\n}}\nmodule \"b\" {{\n  \
                 source = \"git::https://a:tiny1@git.acme.io/b.git\"\n}}\nmodule \"c\" {{\n  source = \
                 \"https://git.acme.io/c.zip?token=tiny2\"\n}}\n"
            ),
        ),
        ("k/kustomization.yaml", &format!("resources:\n- https://oauth2:{token}@git.acme.io/base?ref=v1\n")),
    ]);
    hides(folder.path(), &[], &[&token, "tiny1", "tiny2"], "was not read");
    hides(folder.path(), &["--select", "aws-*"], &[&token, "tiny1", "tiny2"], "was not read");
}

/// Inside of quotes the signs of YAML are letters like others.
#[test]
fn passwords_that_begin_with_a_sign_are_hidden() {
    let secrets = ["!", "*", "&", "@", "#"].map(|sign| format!("{sign}{}", literal()));
    let [first, second, third, fourth, fifth] = &secrets;
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: a\n    image: a/a:latest\n    args: \
         [\"--password\", \"{first}\"]\n    env:\n    - {{name: DB_PASSWORD, value: \"{second}\"}}\n    - name: API_TOKEN\n      \
         value: \"{third}\"\n"
    );
    let image = format!("FROM alpine:3.20\nRUN sudo app --password '{fourth}'\n");
    let folder = tree(&[("pod.yaml", &pod), ("Dockerfile", &image), (".env", &format!("DB_PASSWORD='{fifth}'\n"))]);
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    hides(folder.path(), &[], &secrets, "Dockerfile");
    hides(folder.path(), &["--select", "container-*"], &secrets, "Dockerfile");
}

/// A value that is a key, a name or a reason is told as one.
#[test]
fn values_that_pass_through_messages_are_hidden() {
    let (token, literal) = (token(), literal());
    let folder = tree(&[
        (
            "main.tf",
            &format!(
                "variable \"n\" {{\n  default = {{ \"{token}\" = 1 }}\n}}\nlocals {{\n  db_password = \"{literal}\"\n}}\nresource \
                 \"aws_s3_bucket\" \"b\" {{\n  for_each = var.n\n  bucket = each.key\n}}\nresource \"aws_db_instance\" \"d\" {{\n  \
                 password = local.db_password\n  storage_encrypted = local.db_password\n  engine = local.db_password\n}}\nresource \
                 \"aws_lb_listener\" \"{literal}\" {{\n  protocol = \"{token}\"\n}}\n"
            ),
        ),
        ("Dockerfile", &format!("FROM {token}/x:latest AS {token}\nUSER {token}\nCOPY --from={token} a b\n")),
        (
            "gate.yaml",
            &format!(
                "ignore:\n  - {{ rule: general-secret-literal-committed, paths: [\"**/x.env\"], reason: \"{literal} is revoked\" }}\n"
            ),
        ),
    ]);
    hides(folder.path(), &[], &[&token, &literal], "GitLab personal access token");
}

#[test]
fn a_change_tells_of_no_secret() {
    let (token, literal) = (token(), literal());
    let main = format!("resource \"aws_s3_bucket\" \"{token}\" {{\n  bucket = \"a\"\n}}\n");
    let change = Change::from(&[("main.tf", &main), (".env", &format!("DB_PASSWORD={literal}\n"))])
        .write("main.tf", "# nothing\n")
        .write("gate.yaml", &format!("ignore:\n  - {{ rule: docker-*, paths: [{token}], reason: \"{literal}\" }}\n"));
    change.commit();
    hides(change.path(), &["--base", "main", "--show-old"], &[&token, &literal], "gate.yaml");
}

/// The line of a finding is shown, and what else stands on it.
#[test]
fn other_words_of_the_line_of_a_finding_are_hidden_whichever_rules_run() {
    let literal = literal();
    let folder = tree(&[
        (
            "Dockerfile",
            &format!(
                "FROM alpine\nRUN export DB_PASSWORD={literal} && sudo ls\nRUN wget --header \"X-Api-Key: {literal}\" -O- \
                 http://a.acme.io/x | sh\nRUN export TOKEN=hunter2 && sudo id\n"
            ),
        ),
        (
            "compose.yaml",
            &format!(
                "services:\n  a: {{image: \"a:1\", privileged: true, command: \"app --db-password={literal}\", environment: \
                 {{DB_PASSWORD: hunter2}}}}\n"
            ),
        ),
    ]);
    for more in
        [&[][..], &["--select", "docker-*,container-privileged"], &["--ignore", "general-*,container-plaintext-*"]]
    {
        hides(folder.path(), more, &[&literal, "hunter2"], "privileged");
    }
    let text = printed(folder.path(), &["scan"]);
    assert!(text.contains("export DB_PASSWORD=***"), "{text}");
}

/// Escaped, in several lines, made of parts, and under names of the model alone.
#[test]
fn the_whole_of_a_value_is_hidden_however_it_is_written() {
    let part = "Lm9x4w";
    let folder = tree(&[
        (
            "main.tf",
            &format!(
                "variable \"on\" {{}}\nresource \"aws_db_instance\" \"a\" {{\n  publicly_accessible = true # checkov:skip=CKV_AWS_16: ok\n  \
                 password = <<-X\n    Vz7-kk-{part}\n  X\n}}\nresource \"aws_db_instance\" \"b\" {{\n  publicly_accessible = true # checkov:skip=CKV_AWS_16: ok\n  \
                 password = \"Qz7\\\"kk\\\\{part}\"\n}}\nresource \"aws_db_instance\" \"c\" {{\n  publicly_accessible = true\n  password = \
                 var.on ? \"Rz7$${{kk}}{part}\" : \"${{\"Sz7-kk-{part}\"}}\"\n}}\n"
            ),
        ),
        (
            "b.tf.json",
            &format!(
                "{{\"resource\": {{\"aws_db_instance\": {{\"h\": {{\"publicly_accessible\": true, \"password\": \"Hz7\\\"kk-{part}\"}}}}}}}}"
            ),
        ),
        (
            "compose.yaml",
            &format!(
                "services:\n  a:\n    image: x:1\n    environment:\n      DB_PASSWORD: \"Iz7\\\"kk{part}\"\n    privileged: true\n"
            ),
        ),
        (
            "pod.yaml",
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: a\n    image: x:1\n    env:\n    - name: \
                 DB_PASSWORD\n      value: |\n        Kz7-kk-{part}\n    securityContext: {{privileged: true}}\n"
            ),
        ),
    ]);
    hides(folder.path(), &[], &[part], "compose.yaml");
    hides(folder.path(), &["--select", "aws-rds-publicly-accessible,container-privileged"], &[part], "compose.yaml");
    let text = printed(folder.path(), &["migrate", "."]);
    assert!(text.contains("+++ b/main.tf") && text.contains("password = \"***\"") && !text.contains(part), "{text}");
}

/// A rule of one's own about an attribute that holds one, and others to which it is passed on.
#[test]
fn messages_tell_no_value_of_a_secret_name_as_it_is_decoded() {
    let (literal, part) = (literal(), "Lm9x4w");
    let policy = |id: &str, path: &str| {
        format!(
            "- id: {id}\n  title: Not managed\n  severity: high\n  targets: [{{ terraform: [aws_db_instance], path: {path} }}]\n  expect: {{ in: \
             [managed] }}\n  why: w\n  fix: f\n  bad: |\n    resource \"aws_db_instance\" \"a\" {{\n      {path} = \"y\" # expect\n    }}\n  \
             good: |\n    resource \"aws_db_instance\" \"a\" {{\n      {path} = \"managed\"\n    }}\n"
        )
    };
    let long = format!("{literal}{literal}{literal}{literal}{literal}");
    let folder = tree(&[
        ("p.yaml", &(policy("acme-password", "password") + &policy("acme-engine", "engine"))),
        (
            "main.tf",
            &format!(
                "locals {{\n  b = \"Bz7-kk\"\n  c = \"-{part}\"\n}}\nresource \"aws_db_instance\" \"a\" {{\n  password = \
                 \"Qz8\\\"kk\\\\{part}\"\n  engine = \"Qz8\\\"kk\\\\{part}\"\n}}\nresource \"aws_db_instance\" \"b\" {{\n  password = \
                 \"${{local.b}}${{local.c}}\"\n  engine = \"${{local.b}}${{local.c}}\"\n}}\nresource \"aws_db_instance\" \"c\" {{\n  password = \
                 \"{long}\"\n  engine = \"{long}\"\n}}\nresource \"aws_db_instance\" \"d\" {{\n  password = \"tiny1\"\n}}\n"
            ),
        ),
    ]);
    for format in ["json", "gitlab", "markdown", "github"] {
        let text = printed(folder.path(), &["scan", "--policy", "p.yaml", "--select", "acme-*", "--format", format]);
        assert!(text.contains("acme-engine"), "{format}: {text}");
        for secret in ["kk-Lm9x4w", "kk\\Lm9x4w", "kk\\\\Lm9x4w", &literal, "tiny1"] {
            assert!(!text.contains(secret), "{format}: {secret} in {text}");
        }
    }
    let text = printed(folder.path(), &["scan", "--policy", "p.yaml", "--select", "acme-password"]);
    assert!(text.contains("aws_db_instance.d: password is \"***\", wanted one of"), "{text}");
}

/// Some tools make titles of what they say.
#[test]
fn rules_of_other_tools_repeat_no_secret_of_the_tree() {
    let secret = format!("Xk29-{}", "vuq8Lm!q");
    let log = serde_json::json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "acme", "rules": [
        {"id": "Q2", "name": secret, "shortDescription": {"text": format!("{secret} is called")},
         "properties": {"tags": [format!("by-{secret}")]}}
    ]}}, "results": [
        {"ruleId": "Q1", "message": {"text": format!("connect is called with {secret}")},
         "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": 1}}}]},
        {"ruleId": "Q2", "message": {"text": "so is this"},
         "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": 2}}}]}
    ]}]});
    let folder = tree(&[
        ("main.tf", &format!("resource \"aws_db_instance\" \"a\" {{\n  password = \"{secret}\"\n}}\n")),
        ("app.py", "connect(a)\nconnect(b)\n"),
        ("acme.sarif", &log.to_string()),
    ]);
    for format in FORMATS {
        let text = printed(folder.path(), &["scan", "--import", "acme.sarif", "--format", format, "main.tf", "app.py"]);
        assert!(text.contains("Q1") && !text.contains("vuq8Lm"), "{format}: {text}");
    }
}

/// Who has a report could try passwords until one gives the same hash.
#[test]
fn fingerprints_are_the_same_whatever_the_password() {
    let log = serde_json::json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "acme"}}, "results": [
        {"ruleId": "Q", "message": {"text": "root logs in"},
         "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": 1}}}]}
    ]}]});
    let reports = ["hunter22a", "hunter23b"].map(|password| {
        let folder = tree(&[
            ("app.py", &format!("password = \"{password}\"; login()\n")),
            (
                "main.tf",
                &format!(
                    "resource \"aws_db_instance\" \"a\" {{\n  publicly_accessible = true\n  password = \"{password}\"\n}}\n"
                ),
            ),
            ("acme.sarif", &log.to_string()),
        ]);
        let arguments = ["scan", "--import", "acme.sarif", "--format", "sarif", "main.tf", "app.py"];
        let report: serde_json::Value = serde_json::from_str(&printed(folder.path(), &arguments)).unwrap();
        report["runs"][0]["results"].clone()
    });
    assert!(reports[0].as_array().unwrap().len() > 2, "{}", reports[0]);
    assert_eq!(reports[0], reports[1]);
}

/// Of old and new lines.
#[test]
fn what_would_be_migrated_is_shown_without_secrets() {
    let (token, literal) = (token(), literal());
    let folder = tree(&[(
        "main.tf",
        &format!(
            "resource \"aws_db_instance\" \"a\" {{\n  # checkov:skip=CKV_AWS_17: ok\n  password = \"{literal}\" \
             #tfsec:ignore:aws-rds-no-public-db-access\n  publicly_accessible = true # checkov:skip=CKV_AWS_17: {token}\n  \
             master_password = \"hunter2\"\n}}\n"
        ),
    )]);
    let text = printed(folder.path(), &["migrate", "."]);
    assert!(text.contains("+++ b/main.tf") && text.contains("***"), "{text}");
    for secret in [&token, &literal, "hunter2"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    printed(folder.path(), &["migrate", ".", "--write"]);
    let written = std::fs::read_to_string(folder.path().join("main.tf")).unwrap();
    assert!(written.contains(&format!("password = \"{literal}\"")), "{written}");
}

/// Whoever commits a report commits no token with it.
#[test]
fn a_report_in_the_tree_is_no_leak() {
    let token = token();
    let folder = tree(&[(".env", &format!("T={token}\n"))]);
    for format in ["text", "json", "sarif", "gitlab", "junit", "markdown", "html"] {
        printed(folder.path(), &["scan", "--quiet", "--format", &format!("{format}=report.{format}"), "."]);
    }
    std::fs::remove_file(folder.path().join(".env")).unwrap();
    let output = gate(folder.path(), &["scan", "."]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
