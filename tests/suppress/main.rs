//! What suppressions take out of the verdict, and what they must not.
#![allow(clippy::unwrap_used)]

mod about;
mod json;
mod objects;
mod options;
#[path = "../support/mod.rs"]
mod support;
mod texts;
mod toy;

use std::path::Path;

use gate::config::Config;
use gate::problem::ProblemKind;
use gate::suppress::Date;
use toy::{Scan, docker, hcl, modules, yaml};

/// A bucket with the finding on line 3 (`acl`) and one about something missing on line 2 (the header).
const BUCKET: &str = "\
# above
resource \"aws_s3_bucket\" \"x\" {
  acl = \"public-read\"
  # inside
  versioning {
    enabled = false
  }
}
";

fn bucket(replacing: &str, with: &str) -> Scan {
    hcl(&BUCKET.replace(replacing, with))
        .found("aws-s3-public-acl", "acl = \"public-read\"")
        .found("aws-s3-logging", "resource \"aws_s3_bucket\" \"x\" {")
        .found("aws-s3-versioning", "enabled = false")
}

fn config(text: &str) -> Config {
    Config::parse("gate.yaml", text, Path::new("/repo"), Path::new("/repo")).unwrap()
}

#[test]
fn a_comment_at_the_end_of_a_line_reaches_that_line() {
    let decided =
        bucket("\"public-read\"", "\"public-read\" # gate: ignore[aws-s3-public-acl] public downloads").apply();
    assert_eq!(decided.gone(), ["aws-s3-public-acl"]);
    let one = &decided.suppressed[0];
    assert_eq!((one.reason.as_str(), one.dialect, &one.until, &one.owner), ("public downloads", "gate", &None, &None));
    assert!(decided.notes.is_empty(), "{:?}", decided.notes);
}

#[test]
fn a_comment_above_a_line_reaches_the_next_line_of_code() {
    let above = "  # gate: ignore[aws-s3-public-acl] public downloads\n\n  # another remark\n  acl = \"public-read\"";
    assert_eq!(bucket("  acl = \"public-read\"", above).apply().gone(), ["aws-s3-public-acl"]);
    let below = "  acl = \"public-read\"\n  # gate: ignore[aws-s3-public-acl] too late";
    let decided = bucket("  acl = \"public-read\"", below).apply();
    assert!(decided.gone().is_empty());
    assert_eq!(decided.said(), ["main.tf:4: the suppression of aws-s3-public-acl suppresses nothing"]);
}

#[test]
fn on_the_head_of_a_block_it_reaches_all_of_it() {
    let all = "gate: ignore[aws-s3-public-acl, aws-s3-logging, aws-s3-versioning] all of it";
    assert_eq!(bucket("# above", &format!("# {all}")).apply().kept.len(), 0);
    assert_eq!(bucket("# above", &format!("// {all}")).apply().kept.len(), 0);
    assert_eq!(bucket("# above", &format!("/* {all} */")).apply().kept.len(), 0);
    assert_eq!(bucket("\"x\" {", &format!("\"x\" {{ # {all}")).apply().kept.len(), 0);
    let nested = bucket("# inside", &format!("# {all}")).apply();
    assert_eq!(nested.gone(), ["aws-s3-versioning"], "a nested block holds only what is in it");
}

#[test]
fn a_comment_on_one_resource_says_nothing_about_the_next() {
    let text = "\
# gate: ignore[aws-s3-public-acl] the first
resource \"aws_s3_bucket\" \"a\" {
  acl = \"public-read\"
}
resource \"aws_s3_bucket\" \"b\" {
  acl = \"public-write\"
}
";
    let decided = hcl(text)
        .found("aws-s3-public-acl", "acl = \"public-read\"")
        .found("aws-s3-public-acl", "acl = \"public-write\"");
    assert_eq!(decided.apply().kept.len(), 1);
}

#[test]
fn text_in_strings_and_heredocs_is_no_comment() {
    for text in ["\"public-read # gate: ignore[aws-s3-public-acl] no\"", "\"public-read #trivy:ignore:AVD-AWS-0092\""] {
        let changed = BUCKET.replace("\"public-read\"", text);
        let decided = hcl(&changed).found("aws-s3-public-acl", "acl = ").apply();
        assert_eq!(decided.kept.len(), 1, "{text}");
    }
    let heredoc = "  acl = <<EOT\n# gate: ignore[aws-s3-public-acl] no\nEOT\n";
    let changed = BUCKET.replace("  acl = \"public-read\"\n", heredoc);
    assert_eq!(hcl(&changed).found("aws-s3-public-acl", "acl = ").apply().kept.len(), 1);
}

#[test]
fn a_value_of_many_lines_is_reached_from_its_first() {
    let heredoc = "  # gate: ignore[aws-s3-public-acl] generated\n  acl = <<EOT\nlong\npublic\nEOT\n";
    let changed = BUCKET.replace("  acl = \"public-read\"\n", heredoc);
    assert_eq!(hcl(&changed).found("aws-s3-public-acl", "public\nEOT").apply().kept.len(), 0);
}

#[test]
fn without_a_reason_it_does_not_act_unless_that_is_allowed() {
    for comment in [
        "# gate: ignore[aws-s3-public-acl]",
        "# gate: ignore[aws-s3-public-acl] --",
        "/* gate: ignore[aws-s3-public-acl] */",
    ] {
        let scan = bucket("\"public-read\"", &format!("\"public-read\" {comment}"));
        let decided = scan.apply();
        assert!(decided.gone().is_empty(), "{comment}");
        assert_eq!(
            decided.said(),
            ["main.tf:3: the suppression of aws-s3-public-acl has no reason, so it does not act"]
        );
        assert_eq!(scan.with(config("require-reason: false")).apply().gone(), ["aws-s3-public-acl"]);
    }
}

#[test]
fn a_suppression_acts_on_its_last_day_and_not_after() {
    for comment in [
        "# gate: ignore[aws-s3-public-acl until=2027-03-01] by=team-data downloads",
        "# gate: ignore[aws-s3-public-acl] until=2027-03-01 by=team-data downloads",
        "# gate: ignore[aws-s3-public-acl, by=team-data] until=2027-03-01 downloads",
    ] {
        let scan = bucket("\"public-read\"", &format!("\"public-read\" {comment}"));
        let decided = scan.on("2027-03-01").apply();
        assert_eq!(decided.gone(), ["aws-s3-public-acl"], "{comment}");
        let one = &decided.suppressed[0];
        assert_eq!((one.reason.as_str(), one.until.as_deref()), ("downloads", Some("2027-03-01")));
        assert_eq!(one.owner.as_deref(), Some("team-data"));
        let decided = scan.on("2027-03-02").apply();
        assert!(decided.gone().is_empty());
        assert_eq!(decided.said(), ["main.tf:3: the suppression of aws-s3-public-acl ended on 2027-03-01"]);
    }
}

#[test]
fn a_date_that_does_not_exist_is_told() {
    let decided =
        bucket("\"public-read\"", "\"public-read\" # gate: ignore[aws-s3-public-acl until=2027-02-30] x").apply();
    assert!(decided.gone().is_empty());
    assert_eq!(decided.said(), ["main.tf:3: `2027-02-30` is not a date, so it does not act"]);
}

#[test]
fn bare_and_sweeping_suppressions_do_not_act() {
    for (comment, said) in [
        ("# gate: ignore", "a suppression without rule ids does not act"),
        ("# gate: ignore[] because", "a suppression without rule ids does not act"),
        ("# gate: ignore aws-s3-public-acl", "a suppression without rule ids does not act"),
        ("# gate: ignore[*] because", "`*` is a pattern, so it does not act"),
        ("# gate: ignore[aws-s3-*] because", "`aws-s3-*` is a pattern, so it does not act"),
        ("# see gate: ignore[aws-s3-public-acl] x", "a suppression does not act after other words"),
    ] {
        let decided = bucket("\"public-read\"", &format!("\"public-read\" {comment}")).apply();
        assert!(decided.gone().is_empty(), "{comment}");
        assert_eq!(decided.said(), [format!("main.tf:3: {said}")]);
    }
    for prose in ["# gate: opens at nine", "# the gate: ignored by all", "# gate: ignored since 2019"] {
        let decided = bucket("\"public-read\"", &format!("\"public-read\" {prose}")).apply();
        assert!(decided.notes.is_empty(), "{prose}");
    }
}

#[test]
fn ids_of_other_tools_and_any_case_are_understood() {
    for id in ["CKV_AWS_20", "AVD-AWS-0092", "aws-0092", "AWS-S3-Public-ACL"] {
        let decided = bucket("\"public-read\"", &format!("\"public-read\" # gate: ignore[{id}] downloads")).apply();
        assert_eq!(decided.gone(), ["aws-s3-public-acl"], "{id}");
    }
    let decided = bucket("\"public-read\"", "\"public-read\" # gate: ignore[aws-s3-public-ac] downloads").apply();
    assert_eq!(decided.said(), ["main.tf:3: no rule or alias is called `aws-s3-public-ac`"]);
    assert_eq!(decided.notes[0].help.as_deref(), Some("did you mean `aws-s3-public-acl`?"));
}

#[test]
fn each_id_that_suppresses_nothing_is_told_if_its_rule_ran() {
    let comment = "# gate: ignore[aws-s3-public-acl, aws-rds-public-access] downloads";
    let scan = bucket("\"public-read\"", &format!("\"public-read\" {comment}"));
    let decided = scan.apply();
    assert_eq!(decided.said(), ["main.tf:3: the suppression of aws-rds-public-access suppresses nothing"]);
    assert!(scan.running(&["aws-s3-public-acl"]).apply().notes.is_empty());
}

#[test]
fn ignore_file_acts_only_in_the_first_comments() {
    let top = bucket("# above", "# Copyright\n\n# gate: ignore-file[aws-s3-public-acl, aws-s3-versioning] a lab");
    assert_eq!(top.apply().gone(), ["aws-s3-public-acl", "aws-s3-versioning"]);
    for late in ["# inside", "\"public-read\""] {
        let with = format!("{} # gate: ignore-file[aws-s3-public-acl] a lab", late.trim_start_matches("# inside"));
        let decided = bucket(late, &with).apply();
        assert!(decided.gone().is_empty());
        assert!(
            decided.said()[0].ends_with(
                "`ignore-file` acts only in the first comments of a file, or in the outermost object of JSON"
            )
        );
    }
}

#[test]
fn a_module_call_answers_for_all_that_it_creates() {
    let text = "\
# gate: ignore[aws-s3-public-acl] the module is a lab
module \"lab\" {
  source = \"./lab\"
}
module \"live\" {
  source = \"./lab\"
}
";
    let module = "resource \"aws_s3_bucket\" \"x\" {\n  acl = \"public-read\"\n}\n";
    let scan = modules(&[("main.tf", text), ("lab/main.tf", module)])
        .found_in("lab/main.tf", "aws-s3-public-acl", "acl = ", "module.lab.aws_s3_bucket.x")
        .found_in("lab/main.tf", "aws-s3-public-acl", "acl = ", "module.live.aws_s3_bucket.x");
    let decided = scan.apply();
    assert_eq!(decided.suppressed.len(), 1);
    assert_eq!(&*decided.kept[0].address, "module.live.aws_s3_bucket.x");
    let skip = text.replace("# gate: ignore[aws-s3-public-acl] the module is a lab\n", "").replacen(
        "  source",
        "  # checkov:skip=CKV_AWS_20:a lab\n  source",
        1,
    );
    let scan = modules(&[("main.tf", &skip), ("lab/main.tf", module)])
        .found_in("lab/main.tf", "aws-s3-public-acl", "acl = ", "module.lab.aws_s3_bucket.x")
        .found_in("lab/main.tf", "aws-s3-public-acl", "acl = ", "module.live.aws_s3_bucket.x");
    assert_eq!(scan.apply().suppressed.len(), 1);
}

#[test]
fn a_value_decided_elsewhere_can_be_accepted_where_it_is_used() {
    let text = "\
variable \"acl\" {
  default = \"public-read\"
}
resource \"aws_s3_bucket\" \"x\" {
  acl = var.acl # gate: ignore[aws-s3-public-acl] downloads
}
";
    let scan =
        hcl(text).found_through("aws-s3-public-acl", "default = \"public-read\"", "acl = var.acl", "aws_s3_bucket.x");
    assert_eq!(scan.apply().gone(), ["aws-s3-public-acl"]);
    let elsewhere = text
        .replace("# gate: ignore[aws-s3-public-acl] downloads", "")
        .replace("variable", "# gate: ignore[aws-s3-public-acl] the default is for labs\nvariable");
    let scan = hcl(&elsewhere).found_through(
        "aws-s3-public-acl",
        "default = \"public-read\"",
        "acl = var.acl",
        "aws_s3_bucket.x",
    );
    assert_eq!(scan.apply().gone(), ["aws-s3-public-acl"]);
}

#[test]
fn a_rule_may_be_beyond_suppression() {
    let strict =
        config("rules: { aws-s3-public-acl: { ignorable: false } }\nignore: [{ rule: CKV_AWS_20, reason: r }]\n");
    let scan = bucket("\"public-read\"", "\"public-read\" # gate: ignore[aws-s3-public-acl] downloads").with(strict);
    let decided = scan.apply();
    assert!(decided.gone().is_empty());
    let said = decided.said();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|note| note.contains("aws-s3-public-acl can't be suppressed")), "{said:?}");
}

#[test]
fn entries_of_the_configuration_act_by_path_address_and_day() {
    let entry = |rest: &str| config(&format!("ignore:\n  - {{ rule: CKV_AWS_20, reason: a lab{rest} }}\n"));
    let scan = bucket("# above", "# above");
    let acts = |rest: &str| scan.with(entry(rest)).apply().gone() == ["aws-s3-public-acl"];
    assert!(acts(""));
    assert!(acts(", paths: ['*.tf']"));
    assert!(!acts(", paths: [infra/**]"));
    assert!(acts(", address: 'aws_s3_bucket.*'"));
    assert!(!acts(", address: 'module.*'"));
    assert!(!acts(", paths: ['*.tf'], address: 'module.*'"));
    assert!(acts(", until: 2026-11-21"));
    assert!(!acts(", until: 2026-11-20"));
    let decided = scan.with(entry(", until: 2026-11-20")).apply();
    assert_eq!(decided.said(), ["gate.yaml: line 2: the entry for CKV_AWS_20 ended on 2026-11-20"]);
    let decided = scan.with(entry(", paths: [infra/**]")).apply();
    assert_eq!(decided.said(), ["gate.yaml: line 2: the entry for CKV_AWS_20 suppresses nothing"]);
    assert!(
        scan.with(entry(", paths: [infra/**]")).of_files().apply().notes.is_empty(),
        "a part says nothing of the rest"
    );
    let one = &scan.with(entry(", owner: team-data, until: 2027-01-01")).apply().suppressed[0];
    assert_eq!((one.dialect, one.at, one.reason.as_str()), ("config", None, "a lab"));
    assert_eq!((one.owner.as_deref(), one.until.as_deref()), (Some("team-data"), Some("2027-01-01")));
}

#[test]
fn checkov_skips_inside_the_block_only() {
    let comment = "# checkov:skip=CKV_AWS_20,CKV_AWS_18: public downloads";
    let inside = bucket("  # inside", &format!("  {comment}")).apply();
    assert_eq!(inside.gone(), ["aws-s3-public-acl", "aws-s3-logging"]);
    assert_eq!((inside.suppressed[0].reason.as_str(), inside.suppressed[0].dialect), ("public downloads", "checkov"));
    assert!(bucket("# above", comment).apply().gone().is_empty(), "the line above the block is outside");
    assert!(
        bucket("\"x\" {", &format!("\"x\" {{ {comment}")).apply().gone().is_empty(),
        "the first line does not count"
    );
    assert_eq!(bucket("# inside", "#bridgecrew:skip=CKV_AWS_20").apply().gone(), ["aws-s3-public-acl"]);
    assert!(bucket("# inside", "#checkov:skip=*").apply().gone().is_empty());
    assert!(bucket("# inside", comment).with(config("dialects: [trivy]")).apply().gone().is_empty());
    let unknown = bucket("# inside", "# checkov:skip=CKV_AWS_99999:x").apply();
    assert_eq!(unknown.said(), ["main.tf:4: no rule or alias is called `CKV_AWS_99999`"]);
    let twice = bucket("# inside", "# checkov:skip=CKV_AWS_99999:x\n  # checkov:skip=CKV_AWS_99999:y").apply();
    assert_eq!(twice.said().len(), 1, "a name is told once");
}

#[test]
fn checkov_is_not_led_astray_by_a_brace_in_a_string() {
    let text = "\
resource \"aws_s3_bucket\" \"a\" {
  bucket = \"}\"
  # checkov:skip=CKV_AWS_20:mine
}
resource \"aws_s3_bucket\" \"b\" {
  acl = \"public-read\"
}
";
    assert_eq!(hcl(text).found("aws-s3-public-acl", "acl = ").apply().kept.len(), 1);
}

#[test]
fn trivy_and_tfsec_reach_the_line_the_next_line_and_blocks() {
    for comment in [
        "#trivy:ignore:AVD-AWS-0092",
        "# tfsec:ignore:aws-0092",
        "//trivy:ignore:AWS-0092",
        "# public downloads trivy:ignore:AVD-AWS-0092",
        "#tfsec:ignore:aws-rds-public-access tfsec:ignore:AVD-AWS-0092",
    ] {
        let decided = bucket("\"public-read\"", &format!("\"public-read\" {comment}")).apply();
        assert_eq!(decided.gone(), ["aws-s3-public-acl"], "{comment}");
        assert_eq!(bucket("# above", comment).apply().gone(), ["aws-s3-public-acl"], "{comment}");
    }
    let stacked = bucket("# above", "#trivy:ignore:AVD-AWS-0092\n#trivy:ignore:AVD-AWS-0089").apply();
    assert_eq!(stacked.gone(), ["aws-s3-public-acl", "aws-s3-logging"]);
    assert!(bucket("# above", "#trivy:ignore:AVD-AWS-0092\n").apply().gone().is_empty(), "a blank line parts them");
    assert_eq!(bucket("# above", "#trivy:ignore:*").apply().kept.len(), 0);
    assert_eq!(bucket("# above", "#trivy:ignore:AVD-AWS-0092:ws:dev").apply().gone().len(), 0);
    assert_eq!(bucket("# above", "#trivy:ignore:AVD-AWS-0092:ws:def*").apply().gone().len(), 1);
}

#[test]
fn the_long_names_of_tfsec_and_trivy_act() {
    for comment in [
        "#tfsec:ignore:aws-s3-no-public-access-with-acl",
        "#trivy:ignore:aws-s3-no-public-access-with-acl",
        "#tfsec:ignore:AWS-S3-no-public-access-with-acl:exp:2027-01-31",
    ] {
        let decided = bucket("\"public-read\"", &format!("\"public-read\" {comment}")).apply();
        assert_eq!((decided.gone(), decided.said()), (vec!["aws-s3-public-acl"], vec![]), "{comment}");
    }
    let decided = bucket("# above", "#tfsec:ignore:aws-s3-enable-bucket-logging").apply();
    assert_eq!(decided.gone(), ["aws-s3-logging"]);
}

#[test]
fn unknown_names_of_other_tools_are_told() {
    for (comment, name) in
        [("#tfsec:ignore:aws-s3-no-such-check", "aws-s3-no-such-check"), ("#trivy:ignore:AVD-AWS-9999", "AVD-AWS-9999")]
    {
        let decided = bucket("# above", comment).apply();
        assert_eq!(decided.said(), [format!("main.tf:1: no rule or alias is called `{name}`")]);
        assert!(decided.notes[0].help.as_ref().is_some_and(|help| help.starts_with("no rule of gate's stands for it")));
    }
}

#[test]
fn trivy_ends_on_the_day_named_and_tells_bad_days() {
    let scan = bucket("# above", "#trivy:ignore:AVD-AWS-0092:exp:2026-11-22");
    assert_eq!(scan.on("2026-11-21").apply().suppressed[0].until.as_deref(), Some("2026-11-21"));
    let decided = scan.on("2026-11-22").apply();
    assert!(decided.gone().is_empty());
    assert_eq!(decided.said(), ["main.tf:1: the suppression of AVD-AWS-0092 ended on 2026-11-21"]);
    let decided = bucket("# above", "#trivy:ignore:AVD-AWS-0092:exp:22.11.2026").apply();
    assert!(decided.gone().is_empty());
    assert_eq!(decided.said(), ["main.tf:1: `22.11.2026` is not a date, so it does not act"]);
}

#[test]
fn trivy_filters_by_attribute() {
    let with = |filter: &str| bucket("# above", &format!("#trivy:ignore:AVD-AWS-0092[{filter}]")).apply().gone().len();
    assert_eq!(with("acl=public-read"), 1);
    assert_eq!(with("acl=private"), 0);
    assert_eq!(with("acl=public-read,bucket=b"), 0);
    assert_eq!(with("versioning.enabled=false"), 1);
}

const DOCKERFILE: &str = "\
# syntax=docker/dockerfile:1
# top
FROM debian AS build
RUN cd /tmp && \\
    cd /opt
# between
RUN cd /srv
FROM alpine
RUN cd /last
";

fn dockerfile(replacing: &str, with: &str) -> Scan {
    docker(&DOCKERFILE.replace(replacing, with))
        .found("docker-untagged", "FROM debian")
        .found("docker-cd", "cd /opt")
        .found("docker-cd", "RUN cd /srv")
        .found("docker-cd", "RUN cd /last")
}

#[test]
fn hadolint_reaches_the_next_instruction_the_stage_or_the_file() {
    assert_eq!(dockerfile("# top", "# hadolint ignore=DL3006").apply().gone(), ["docker-untagged"]);
    let from = dockerfile("# top", "# hadolint ignore=DL3006,DL3003").apply();
    assert_eq!(from.gone(), ["docker-untagged"], "FROM does not stand for its stage");
    let above = DOCKERFILE.replace("RUN cd /tmp", "# hadolint ignore=DL3003\nRUN cd /tmp");
    let decided = docker(&above).found("docker-cd", "cd /opt").found("docker-cd", "RUN cd /srv").apply();
    assert_eq!((decided.suppressed.len(), decided.kept.len()), (1, 1), "all lines of one instruction");
    assert_eq!(dockerfile("# between", "# hadolint global ignore=DL3003").apply().gone().len(), 3);
    assert_eq!(dockerfile("# between", "# hadolint stage ignore=DL3003").apply().gone().len(), 0);
    assert_eq!(dockerfile("# top", "# hadolint stage ignore=DL3003").apply().gone().len(), 2, "it stands above FROM");
    let reason = dockerfile("# between", "# hadolint ignore=DL3003 # legacy").apply();
    assert_eq!(reason.suppressed[0].reason, "legacy");
}

#[test]
fn hadolint_takes_the_rest_for_prose() {
    for comment in [
        "# hadolint ignore=DL3003\n",
        "# hadolint ignore=DL3003\n# another",
        "# hadolint ignore=DL3003,typo",
        "# hadolint ignore=DL3003 because",
        "# hadolint ignore=DL3003,",
        "# use hadolint ignore=DL3003",
    ] {
        assert!(dockerfile("# between", comment).apply().gone().is_empty(), "{comment}");
    }
    let other = hcl("# hadolint global ignore=CKV_AWS_20\nresource \"a\" \"b\" {\n  acl = 1\n}\n");
    assert_eq!(other.found("aws-s3-public-acl", "acl = ").apply().kept.len(), 1, "a dialect of Dockerfiles only");
}

#[test]
fn own_and_checkov_comments_act_in_dockerfiles() {
    let own = "# gate: ignore[docker-cd] legacy layout";
    assert_eq!(dockerfile("# between", own).apply().gone().len(), 1);
    assert_eq!(dockerfile("# top", own).apply().gone().len(), 2, "FROM is the head of its stage");
    let file = dockerfile("# top", "# gate: ignore-file[docker-cd] legacy layout");
    assert_eq!(file.apply().gone().len(), 3, "a parser directive is no code");
    assert_eq!(dockerfile("# between", "#checkov:skip=CKV_DOCKER_10:legacy").apply().gone().len(), 3);
}

#[test]
fn kics_reaches_the_file_the_line_or_the_block() {
    const ID: &str = "38c5ee0d-7f22-4260-ab72-5073048df100";
    assert_eq!(bucket("# above", "# kics-scan ignore").apply().kept.len(), 0);
    assert_eq!(bucket("  # inside", "  # kics-scan ignore").apply().gone().len(), 0, "only above all code");
    assert_eq!(bucket("# above", &format!("# kics-scan disable={ID}")).apply().gone(), ["aws-s3-public-acl"]);
    let enable = bucket("# above", &format!("# kics-scan enable={ID}")).apply();
    assert_eq!(enable.gone(), ["aws-s3-logging", "aws-s3-versioning"]);
    let line = bucket("  acl", "  # kics-scan ignore-line\n  acl").apply();
    assert_eq!(line.gone(), ["aws-s3-public-acl"]);
    assert_eq!(bucket("# above", "# kics-scan ignore-line").apply().gone(), ["aws-s3-logging"]);
    assert_eq!(bucket("# above", "# kics-scan ignore-block").apply().kept.len(), 0);
    assert_eq!(bucket("# inside", "# kics-scan ignore-block").apply().gone(), ["aws-s3-versioning"]);
    let stage = dockerfile("# top", "# kics-scan ignore-block").apply();
    assert_eq!(stage.kept.len(), 1, "the stage below, not the next");
    assert_eq!(dockerfile("RUN cd /tmp", "# kics-scan ignore-line\nRUN cd /tmp").apply().gone().len(), 1);
}

const POD: &str = "\
---
# top
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    note: none
spec:
  hostNetwork: true
  containers:
    - name: a
      image: nginx
    - name: b
      image: redis
";

fn pod(replacing: &str, with: &str) -> Scan {
    yaml(&POD.replace(replacing, with))
        .found("k8s-host-network", "hostNetwork: true")
        .found("k8s-image-tag", "image: nginx")
        .found("k8s-image-tag", "image: redis")
}

#[test]
fn comments_in_manifests_reach_lines_items_and_objects() {
    let own = |id: &str| format!("# gate: ignore[{id}] a node agent");
    assert_eq!(pod("# top", &own("k8s-image-tag")).apply().gone().len(), 2);
    let before_mark = pod("---\n", &format!("{}\n---\n", own("k8s-image-tag"))).apply();
    assert_eq!(before_mark.gone().len(), 2, "a document mark is no code");
    assert_eq!(pod("nginx", &format!("nginx {}", own("k8s-image-tag"))).apply().gone().len(), 1);
    let item = pod("    - name: a", &format!("    {}\n    - name: a", own("k8s-image-tag"))).apply();
    assert_eq!(item.gone().len(), 1, "the first element does not stand for the list");
    let list = pod("  containers:", &format!("  containers: {}", own("k8s-image-tag"))).apply();
    assert_eq!(list.gone().len(), 2);
    let first = pod("hostNetwork: true", &format!("hostNetwork: true {}", own("k8s-image-tag"))).apply();
    assert_eq!(first.gone().len(), 0, "the first key does not stand for the map");
    assert_eq!(pod("# top", "#checkov:skip=CKV_K8S_19:x").apply().gone().len(), 0, "of manifests it reads annotations");
    let scalar = pod("note: none", "note: |\n      # gate: ignore-file[k8s-image-tag] no").apply();
    assert_eq!(scalar.gone().len(), 0, "a block scalar is no comment");
}

#[test]
fn annotations_reach_their_object() {
    let with = |annotation: &str| pod("note: none", annotation).apply();
    let own = with("gate.dev/ignore.k8s-host-network: until=2027-01-01 by=net node agent");
    assert_eq!(own.gone(), ["k8s-host-network"]);
    let one = &own.suppressed[0];
    assert_eq!(
        (one.reason.as_str(), one.until.as_deref(), one.owner.as_deref()),
        ("node agent", Some("2027-01-01"), Some("net"))
    );
    assert_eq!(with("gate.dev/ignore.k8s-host-network: \"\"").gone().len(), 0);
    assert_eq!(with("gate.dev/ignore.k8s-nonsense: x").said().len(), 1);
    assert_eq!(with("gate.dev/ignore.k8s-image-tag: pinned by the mirror").gone().len(), 2);
    let linter = with("ignore-check.kube-linter.io/host-network: node agent");
    assert_eq!((linter.gone().len(), linter.suppressed[0].dialect), (1, "kube-linter"));
    assert_eq!(with("kube-linter.io/ignore-all: legacy").kept.len(), 0);
    for key in ["checkov.io/skip1", "checkov.io/skip", "team-checkov.io/skip#2", "bridgecrew.io/skip3"] {
        let checkov = with(&format!("{key}: CKV_K8S_19=node agent = needed"));
        assert_eq!(checkov.gone(), ["k8s-host-network"], "{key}");
        assert_eq!(checkov.suppressed[0].reason, "node agent = needed");
    }
    let off = pod("note: none", "checkov.io/skip1: CKV_K8S_19=x").with(config("dialects: []")).apply();
    assert_eq!(off.gone().len(), 0);
}

#[test]
fn an_annotation_says_nothing_about_the_next_object() {
    let two =
        format!("{}{}", POD.replace("note: none", "kube-linter.io/ignore-all: legacy"), POD.replace("web", "api"));
    let second = two.rfind("hostNetwork").unwrap();
    let decided =
        yaml(&two).found("k8s-host-network", "hostNetwork: true").found_at("k8s-host-network", second, 17).apply();
    assert_eq!((decided.suppressed.len(), decided.kept.len()), (1, 1));
}

#[test]
fn of_several_suppressions_the_own_one_is_shown_and_none_is_unused() {
    let both = "\"public-read\" # gate: ignore[aws-s3-public-acl] public downloads";
    let scan = bucket("\"public-read\"", both).with(config("ignore: [{ rule: aws-s3-public-acl, reason: other }]"));
    let decided = scan.apply();
    assert_eq!(decided.suppressed[0].reason, "public downloads");
    assert!(decided.notes.is_empty(), "{:?}", decided.said());
}

#[test]
fn notes_of_files_read_as_context_are_left_out() {
    let scan = bucket("# inside", "# gate: ignore[aws-rds-public-access] nothing here").only_others();
    assert!(scan.apply().notes.is_empty());
}

#[test]
fn a_file_without_final_line_end_or_code_below_is_no_trouble() {
    for text in
        ["# gate: ignore[aws-s3-public-acl] x", "\n\n# gate: ignore[aws-s3-public-acl] x\n\n", "# trivy:ignore:"]
    {
        let decided = hcl(text).apply();
        assert!(decided.suppressed.is_empty());
    }
    assert!(Date::parse("2026-11-21").is_some());
}

#[test]
fn a_file_full_of_suppressions_hits_a_limit_and_is_quick() {
    let text: String = (0..6_000)
        .map(|n| {
            format!(
                "# gate: ignore[aws-s3-public-acl] r\nresource \"aws_s3_bucket\" \"b{n}\" {{\n  acl = \"x{n}\"\n}}\n"
            )
        })
        .collect();
    let scan = hcl(&text).found("aws-s3-public-acl", "acl = \"x0\"").found("aws-s3-public-acl", "acl = \"x5999\"");
    let decided = scan.apply();
    assert_eq!((decided.suppressed.len(), decided.kept.len()), (1, 1));
    assert!(decided.notes.iter().any(|note| note.kind == ProblemKind::Limit && note.span.is_some()));
}

#[test]
fn of_many_unknown_rules_only_the_first_are_held_against_all_that_are_known() {
    let names: Vec<String> = (0..200).map(|number| format!("aws-s3-public-acl{number}")).collect();
    let decided = bucket("\"public-read\"", &format!("\"public-read\" # gate: ignore[{}] x", names.join(","))).apply();
    let is_guess = |help: &Option<String>| help.as_deref().is_some_and(|help| help.starts_with("did you mean"));
    assert_eq!(decided.notes.len(), names.len());
    assert_eq!(decided.notes.iter().filter(|note| is_guess(&note.help)).count(), 100);
}
