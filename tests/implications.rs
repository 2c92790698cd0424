//! Where rules speak of one cause in one place, the most telling one is heard, and the others only where it was not asked.

mod support;

use gate::rules::Catalog;
use serde_json::Value;
use support::report::found;
use support::run::scanned;
use support::tree;

/// Every right on everything (line 5), and any right on roles (line 6).
const ROLE: &str = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: operator }
rules:
  - { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }
  - { apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: ["*"] }
"#;

fn scan(files: &[(&str, &str)], arguments: &[&str]) -> Value {
    scanned(tree(files).path(), arguments).1
}

#[test]
fn one_cause_is_one_finding() {
    let all = scan(&[("role.yaml", ROLE)], &[]);
    assert_eq!(found(&all), [("k8s-rbac-wildcard-verb-and-resource", 5), ("k8s-rbac-escalate-verb", 6)]);
}

#[test]
fn a_rule_that_is_asked_alone_answers() {
    for (alias, rule) in [("CKV_K8S_158", "k8s-rbac-escalate-verb"), ("CKV_K8S_49", "k8s-rbac-wildcard")] {
        assert_eq!(found(&scan(&[("role.yaml", ROLE)], &["--select", alias])), [(rule, 5), (rule, 6)]);
    }
    let both = ["--select", "CKV_K8S_49,k8s-rbac-escalate-verb"];
    assert_eq!(found(&scan(&[("role.yaml", ROLE)], &both)).len(), 4);
    let without = ["--ignore", "k8s-rbac-wildcard-verb-and-resource"];
    assert_eq!(
        found(&scan(&[("role.yaml", ROLE)], &without)),
        [("k8s-rbac-escalate-verb", 5), ("k8s-rbac-escalate-verb", 6)]
    );
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
    let all = scan(&files, &["--policy", "rules", "--ignore", "aws,terraform"]);
    assert_eq!(found(&all), [("acme-one", 3), ("acme-two", 3), ("acme-one", 6)]);
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
    assert_eq!(found(&scan(&files, &["--policy", "rules"])), []);
    let mut catalog = Catalog::built_in();
    let wrong = catalog.add_together(&[("two.yaml", &two), ("one.yaml", &one.replace("acme-two", "acme-three"))]);
    let wrong: Vec<(usize, String)> =
        wrong.expect_err("a slip").into_iter().map(|(file, mistake)| (file, mistake.message)).collect();
    assert_eq!(wrong, [(1, "rule 'acme-one': implies 'acme-three', which is no rule here".to_string())]);
    assert!(catalog.find("acme-two").is_none(), "nothing is added");
}
