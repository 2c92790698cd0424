//! An id of another tool whose check several rules of the catalog cover together stands for all of them, wherever it is written.

mod support;

use std::path::Path;

use gate::rules::Catalog;
use serde_json::{Value, json};
use support::report::{found, list, text};
use support::run::{printed, scanned};
use support::tree;

/// `docker-untagged-base-image` on line 1, `docker-latest-base-image` on line 2.
const TWO_STAGES: &str = "FROM debian AS base\nFROM alpine:latest\nCOPY --from=base /etc/os-release /\nUSER 10001\n";

fn report(folder: &Path, arguments: &[&str]) -> Value {
    scanned(folder, arguments).1
}

const BOTH: [(&str, u64); 2] = [("docker-untagged-base-image", 1), ("docker-latest-base-image", 2)];

#[test]
fn selecting_and_ignoring_it_means_all_its_rules() {
    let folder = tree(&[("Dockerfile", TWO_STAGES)]);
    assert_eq!(found(&report(folder.path(), &["--select", "CKV_DOCKER_7"])), BOTH);
    assert_eq!(found(&report(folder.path(), &["--select", "CKV_DOCKER_7", "--ignore", "DL3007"])), BOTH[..1]);
    assert_eq!(found(&report(folder.path(), &["--select", "DL3006,DL3007", "--ignore", "DS-0001"])), []);
}

#[test]
fn the_configuration_sets_all_its_rules_and_a_name_of_one_goes_before() {
    let config = "version: 1\nrules:\n  DS-0001: { severity: critical }\n  DL3007: { severity: low }\n";
    let folder = tree(&[("Dockerfile", TWO_STAGES), ("gate.yaml", config)]);
    let report = report(folder.path(), &["--select", "DS-0001"]);
    let severities: Vec<&str> = list(&report, "findings").iter().map(|one| text(&one["severity"])).collect();
    assert_eq!(severities, ["critical", "low"]);
}

#[test]
fn suppressing_it_suppresses_all_its_rules() {
    let comments = TWO_STAGES.replace("FROM debian", "#checkov:skip=CKV_DOCKER_7:internal mirror\nFROM debian");
    let folder = tree(&[("Dockerfile", &comments)]);
    assert_eq!(found(&report(folder.path(), &["--select", "CKV_DOCKER_7"])), []);
    let entry = "version: 1\nignore:\n  - rule: DS-0001\n    reason: a mirror pins them\n";
    let folder = tree(&[("Dockerfile", TWO_STAGES), ("gate.yaml", entry)]);
    assert_eq!(found(&report(folder.path(), &["--select", "CKV_DOCKER_7"])), []);
}

#[test]
fn migrating_it_names_each_of_its_rules_that_it_acts_on() {
    let manifest = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: web\n  annotations:\n    ignore-check.kube-linter.io/exposed-services: the gateway of the site\nspec:\n  type: NodePort\n  selector: { app: web }\n  ports: [{ port: 443, name: https }]\n";
    let folder = tree(&[
        (".trivyignore", "DS-0001\n"),
        ("Dockerfile", &TWO_STAGES.replace("FROM alpine", "#trivy:ignore:DS-0001\nFROM alpine")),
        ("both/Dockerfile", &format!("#checkov:skip=CKV_DOCKER_7:internal mirror\n{TWO_STAGES}")),
        ("service.yaml", manifest),
    ]);
    let said = printed(folder.path(), &["migrate"]);
    for part in [
        "rule: \"docker-latest-base-image\"",
        "rule: \"docker-untagged-base-image\"",
        "# gate: ignore[docker-latest-base-image] ",
        "# gate: ignore-file[docker-latest-base-image, docker-untagged-base-image] internal mirror",
        "+    gate.dev/ignore.k8s-node-port-service: \"the gateway of the site\"",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // One that acts on nothing would be told as unused.
    assert!(!said.contains("k8s-load-balancer-service"), "{said}");
}

#[test]
fn a_result_of_another_tool_repeats_whichever_of_its_rules_has_found_the_same() {
    let result = |line: u32| {
        json!({"ruleId": "DS-0001", "level": "warning", "message": {"text": "Specify a tag"}, "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": "Dockerfile"}, "region": {"startLine": line}}}]})
    };
    let log = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Trivy"}}, "results": [result(1), result(2)]}]});
    let folder = tree(&[("Dockerfile", TWO_STAGES), ("trivy.sarif", &log.to_string())]);
    let both = report(folder.path(), &["--select", "CKV_DOCKER_7", "--import", "trivy.sarif"]);
    assert_eq!(found(&both), BOTH);
    for one in list(&both, "findings") {
        assert_eq!(one["tools"], json!(["trivy"]));
    }
    // What gate does not look for is left to the tool; what nobody wants to hear of stays out.
    let one = report(folder.path(), &["--select", "DL3006", "--import", "trivy.sarif"]);
    assert_eq!(found(&one), [("docker-untagged-base-image", 1), ("trivy/DS-0001", 2)]);
    let none = report(folder.path(), &["--select", "DL3006", "--ignore", "CKV_DOCKER_7", "--import", "trivy.sarif"]);
    assert_eq!(found(&none), []);
}

#[test]
fn explaining_it_tells_of_each_of_its_rules() {
    let folder = tree(&[]);
    let said = printed(folder.path(), &["explain", "ckv_docker_7"]);
    for part in ["2 rules together cover ckv_docker_7", "docker-latest-base-image (", "docker-untagged-base-image ("] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_name_is_shared_only_where_every_rule_says_so() {
    let rule = |id: &str, keys: &str| {
        format!(
            "- id: {id}\n  title: Queue is open\n  severity: low\n  targets: [{{ terraform: [aws_sqs_queue], path: policy }}]\n  fail: {{ equals: x }}\n  {keys}\n"
        )
    };
    let add = |text: &str| Catalog::built_in().add("rules.yaml", text).map_err(|mistakes| mistakes[0].message.clone());
    let shared = "shared-aliases: [ACME_1]";
    assert_eq!(add(&(rule("acme-queue-one", shared) + &rule("acme-queue-two", shared))), Ok(2));
    let said =
        add(&(rule("acme-queue-one", shared) + &rule("acme-queue-two", "aliases: [acme_1]"))).expect_err("a slip");
    assert_eq!(
        said,
        "rule 'acme-queue-two': 'acme_1' belongs to rule 'acme-queue-one' already; if both cover it, each says `shared-aliases`"
    );
    let said = add(&rule("acme-queue-one", shared)).expect_err("a slip");
    assert_eq!(said, "rule 'acme-queue-one': no other rule has 'ACME_1' among its `shared-aliases`");
    let said = add(&(rule("acme-queue-one", "aliases: [A_1]") + &rule("acme-queue-two", "aliases: [A_1]")))
        .expect_err("a slip");
    assert!(said.contains("belongs to rule 'acme-queue-one' already"), "{said}");
    let said = add(&rule("acme-queue-one", "shared-aliases: [CKV_DOCKER_7]")).expect_err("taken");
    assert!(said.contains("taken by a rule of the catalog"), "{said}");
}
