//! Where rules speak of one cause in one place, the most telling one is heard, and the others only where it was not asked.

mod support;

use std::process::Command;

use gate::rules::Catalog;
use serde_json::Value;
use support::tree;

/// Every right on everything (line 5), and any right on roles (line 6).
const ROLE: &str = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: operator }
rules:
  - { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }
  - { apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: ["*"] }
"#;

/// Rule and line of each finding.
fn found(files: &[(&str, &str)], arguments: &[&str]) -> Vec<(String, u64)> {
    let folder = tree(files);
    let output = Command::new(env!("CARGO_BIN_EXE_gate"))
        .current_dir(folder.path())
        .args(["scan", "--format", "json"])
        .args(arguments)
        .output()
        .expect("gate starts");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let finding =
        |one: &Value| (one["rule"].as_str().expect("an id").to_string(), one["at"]["line"].as_u64().expect("a number"));
    report["findings"].as_array().expect("a list").iter().map(finding).collect()
}

fn is(found: &[(String, u64)], expected: &[(&str, u64)]) {
    let found: Vec<(&str, u64)> = found.iter().map(|(rule, line)| (rule.as_str(), *line)).collect();
    assert_eq!(found, expected);
}

#[test]
fn one_cause_is_one_finding() {
    let all = found(&[("role.yaml", ROLE)], &[]);
    is(&all, &[("k8s-rbac-wildcard-verb-and-resource", 5), ("k8s-rbac-escalate-verb", 6)]);
}

#[test]
fn a_rule_that_is_asked_alone_answers() {
    for (alias, rule) in [("CKV_K8S_158", "k8s-rbac-escalate-verb"), ("CKV_K8S_49", "k8s-rbac-wildcard")] {
        is(&found(&[("role.yaml", ROLE)], &["--select", alias]), &[(rule, 5), (rule, 6)]);
    }
    let both = ["--select", "CKV_K8S_49,k8s-rbac-escalate-verb"];
    assert_eq!(found(&[("role.yaml", ROLE)], &both).len(), 4);
    let without = ["--ignore", "k8s-rbac-wildcard-verb-and-resource"];
    is(&found(&[("role.yaml", ROLE)], &without), &[("k8s-rbac-escalate-verb", 5), ("k8s-rbac-escalate-verb", 6)]);
}

fn rule(id: &str, keys: &str) -> String {
    format!(
        "- id: {id}\n  title: Queue is open\n  severity: low\n  targets: [{{ terraform: [aws_sqs_queue], path: policy }}]\n  fail: {{ contains: x }}\n  {keys}\n"
    )
}

#[test]
fn what_is_only_possible_silences_nothing_that_is_certain() {
    let queue = r#"variable "name" {}
resource "aws_sqs_queue" "orders" {
  policy = var.name == "orders" ? "x" : "y"
}
resource "aws_sqs_queue" "returns" {
  policy = "x"
}
"#;
    let rules = rule("acme-one", "implies: [acme-two]") + &rule("acme-two", "").replace("contains: x", "in: [x, y]");
    let files = [("main.tf", queue), ("rules/acme.yaml", &rules)];
    let all = found(&files, &["--policy", "rules", "--ignore", "aws,terraform"]);
    is(&all, &[("acme-one", 3), ("acme-two", 3), ("acme-one", 6)]);
}

#[test]
fn a_rule_implies_another_of_its_folder_and_never_itself() {
    let add = |text: &str| Catalog::built_in().add("rules.yaml", text).map_err(|mistakes| mistakes[0].message.clone());
    assert_eq!(add(&(rule("acme-one", "implies: [acme-two]") + &rule("acme-two", ""))), Ok(2));
    // A policy can't silence the catalog.
    let said = add(&rule("acme-one", "implies: [aws-s3-public-acl]")).expect_err("not its own");
    assert_eq!(said, "rule 'acme-one': implies 'aws-s3-public-acl', which is no rule here");
    let circle = rule("acme-one", "implies: [acme-two]") + &rule("acme-two", "implies: [acme-one]");
    let said = add(&circle).expect_err("nobody would be heard");
    assert_eq!(said, "rule 'acme-one': implies itself, so that nobody would be told");
}

#[test]
fn the_files_of_a_folder_are_one_set_of_rules() {
    let (one, two) = (rule("acme-one", "implies: [acme-two]"), rule("acme-two", ""));
    let files = [("main.tf", ""), ("rules/one.yaml", one.as_str()), ("rules/two.yaml", two.as_str())];
    is(&found(&files, &["--policy", "rules"]), &[]);
    let mut catalog = Catalog::built_in();
    let wrong = catalog.add_together(&[("two.yaml", &two), ("one.yaml", &one.replace("acme-two", "acme-three"))]);
    let wrong: Vec<(usize, String)> =
        wrong.expect_err("a slip").into_iter().map(|(file, mistake)| (file, mistake.message)).collect();
    assert_eq!(wrong, [(1, "rule 'acme-one': implies 'acme-three', which is no rule here".to_string())]);
    assert!(catalog.find("acme-two").is_none(), "nothing is added");
}
