//! Policies of users, through the real frontends: what they are given, and what becomes of what they return.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use gate::frontend::{FRONTENDS, Settings};
use gate::model::Model;
use gate::rules::{Catalog, Cx, Judged, judge};
use gate::source::{Source, Sources};
use gate::testing::Policies;

/// Judges one file by policies; findings as `line: rule: message`.
fn run(policies: &[(&str, &str)], path: &str, text: &str) -> (Judged, Vec<String>) {
    let mut catalog = Catalog::empty();
    for (path, policy) in policies {
        catalog.add(path, policy).unwrap();
    }
    let mut sources = Sources::default();
    let file = sources.add(Source::new(path, text));
    let format = FRONTENDS.iter().find(|it| it.claims(Path::new(path)) != gate::frontend::Claim::No).unwrap();
    let parsed = format.parse(&Settings::default(), &sources, &[file]);
    assert_eq!(parsed.problems, []);
    let model = Model::of(parsed.resources);
    let all: Vec<usize> = (0..catalog.rules().len()).collect();
    let judged = judge(Cx { model: &model, sources: &sources, options: gate::rules::Options::none() }, &catalog, &all);
    let found = judged
        .findings
        .iter()
        .map(|finding| format!("{}: {}: {}", sources.line(finding.at), finding.rule, finding.message))
        .collect();
    (judged, found)
}

/// The fenced blocks of this language in a page of the documentation.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_string()).collect()
}

#[test]
fn the_modules_of_the_documentation_work() {
    let folder = tempfile::tempdir().unwrap();
    for (index, module) in blocks("rego.md", "rego").iter().enumerate() {
        let end = if module.contains("_test\n") { "_test" } else { "" };
        fs::write(folder.path().join(format!("module{index}{end}.rego")), module).unwrap();
    }
    for (index, rules) in blocks("rules.md", "yaml").iter().enumerate() {
        fs::write(folder.path().join(format!("rules{index}.yaml")), rules).unwrap();
    }
    let tally = Policies::load(folder.path()).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).run("");
    let mut text = Vec::new();
    tally.write(&mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "3 rules, 5 examples, 1 tests: 0 failed\n");
}

#[test]
fn every_operator_of_the_documentation_is_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("## Operators").nth(1).unwrap().split("\n## ").next().unwrap();
    let examples: Vec<&str> = section.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next()).collect();
    assert_eq!(examples.len(), 17);
    for example in examples {
        let rule = format!(
            "- id: org-x-y\n  title: x\n  severity: low\n  targets: [{{ terraform: [aws_x] }}]\n  fail: {example}\n"
        );
        Catalog::empty().add("x.yaml", &rule).unwrap_or_else(|mistakes| panic!("{example}: {mistakes:?}"));
    }
}

const TERRAFORM: &str = "\
variable \"owner\" {}

resource \"aws_s3_bucket\" \"logs\" {
  bucket = \"logs\"
  tags = {
    team = \"platform\"
  }
}

resource \"aws_s3_bucket\" \"open\" {
  tags = {
    owner = var.owner
  }
}

resource \"aws_s3_bucket\" \"none\" {
}
";

#[test]
fn an_attribute_that_a_variable_decides_is_undecided() {
    let policy = &blocks("rego.md", "rego")[0];
    let (judged, found) = run(&[("owner.rego", policy)], "main.tf", TERRAFORM);
    assert_eq!(
        found,
        [
            "5: org-s3-owner-tag: aws_s3_bucket.logs: has no owner",
            "16: org-s3-owner-tag: aws_s3_bucket.none: has no owner",
        ]
    );
    assert_eq!(judged.undecided, [("org-s3-owner-tag".into(), 1)]);
    assert_eq!(judged.problems, []);
}

#[test]
fn a_conftest_policy_about_terraform_reads_blocks_by_type_and_name() {
    let policy = "package terraform.buckets\n\ndeny[msg] {\n  bucket := input.resource.aws_s3_bucket[name]\n  not bucket.tags\n  msg := sprintf(\"%s has no tags\", [name])\n}\n";
    let (judged, found) = run(&[("buckets.rego", policy)], "main.tf", TERRAFORM);
    assert_eq!(judged.problems, []);
    assert_eq!(found, ["16: rego-terraform-buckets: aws_s3_bucket.none: none has no tags"]);
}

#[test]
fn a_conftest_policy_about_manifests_is_left_alone_by_other_formats() {
    let policy = "package main\n\ndeny[msg] {\n  not input.metadata.labels\n  msg := \"no labels\"\n}\n";
    assert_eq!(run(&[("labels.rego", policy)], "main.tf", TERRAFORM).1, [""; 0]);
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n";
    let (judged, found) = run(&[("labels.rego", policy)], "service.yaml", service);
    assert_eq!(judged.problems, []);
    assert_eq!(found, ["2: rego-main: Service/shop/web: no labels"]);
}

#[test]
fn modules_import_what_others_of_the_folder_declare() {
    let library = "package lib.names\n\nshort(name) if count(name) < 3\n";
    let policy = "package main\n\nimport data.lib.names\n\nwarn contains {\"msg\": \"short name\", \"path\": \"metadata.name\"} if names.short(input.metadata.name)\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: ab\n";
    let (judged, found) = run(&[("lib.rego", library), ("main.rego", policy)], "service.yaml", service);
    assert_eq!(judged.problems, []);
    assert_eq!(found, ["4: rego-main-warn: Service/default/ab: short name"]);
}

#[test]
fn walk_and_the_builtins_without_io_are_there() {
    let policy = r#"package main

import rego.v1

deny contains {"msg": "secret in clear", "path": path} if {
	walk(input, [path, value])
	is_string(value)
	base64.is_valid(value)
	base64.decode(value) == "hunter2"
}

deny contains "wide" if net.cidr_contains("10.0.0.0/8", input.spec.loadBalancerIP)

deny contains "old" if semver.compare(input.metadata.labels.version, "2.0.0") == -1
"#;
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  labels:\n    version: 1.4.2\nspec:\n  loadBalancerIP: 10.1.2.3\n";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\ndata:\n  password: aHVudGVyMg==\n";
    let (judged, found) = run(&[("main.rego", policy)], "service.yaml", service);
    assert_eq!(judged.problems, []);
    assert_eq!(found, ["2: rego-main: Service/default/web: old", "2: rego-main: Service/default/web: wide"]);
    let (judged, found) = run(&[("main.rego", policy)], "secret.yaml", secret);
    assert_eq!(judged.problems, []);
    assert_eq!(found, ["6: rego-main: Secret/default/web: secret in clear"]);
}

#[test]
fn failing_tests_and_examples_are_listed_with_file_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let policy = &blocks("rego.md", "rego")[0];
    write("owner.rego", &policy.replace("has no owner\"", "x\"").replace("\"logs\" { # expect", "\"logs\" {"));
    write(
        "owner_test.rego",
        "package org.owner_tag_test\n\nimport data.org.owner_tag\n\ntest_wrong if count(owner_tag.deny) == 1 with input as {\"resources\": []}\n\ntest_right if true\n",
    );
    let tally = Policies::load(folder.path()).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).run("");
    assert_eq!((tally.rules, tally.examples, tally.tests, tally.failures.len()), (1, 2, 2, 2));
    assert_eq!(tally.failures[0].subject, "bad example 1 (terraform)");
    assert!(tally.failures[0].file.ends_with("owner.rego"));
    assert_eq!(tally.failures[1].name, "data.org.owner_tag_test.test_wrong");
    assert!(tally.failures[1].file.ends_with("owner_test.rego"));
}

#[test]
fn modules_that_do_not_go_together_fail_the_test_of_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.rego"), "package main\n\nimport data.lib\n\ndeny contains \"x\" if lib.y\n")
        .unwrap();
    let tally = Policies::load(folder.path()).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).run("");
    assert!(!tally.passed());
    assert_eq!(tally.failures[0].reasons[0], "nothing is loaded as data.lib");
    fs::write(folder.path().join("b.rego"), "package lib\n\ny :=\n").unwrap();
    let mistakes = Policies::load(folder.path()).err().unwrap();
    assert!(mistakes[0].0.ends_with("b.rego"), "{mistakes:?}");
}
