//! What is not known in Terraform and what is known of it nevertheless: arms of conditionals, parts of collections, and what
//! rules make of both.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::report::list;
use support::run::scanned;
use support::tree;

fn scan(files: &[(&str, &str)], rules: &str) -> Value {
    let mut arguments = vec!["--select", rules];
    arguments.extend(files.iter().any(|(path, _)| path.starts_with("policy/")).then_some("--policy=policy"));
    scanned(tree(files).path(), &arguments).1
}

/// How many rules could not decide.
fn undecided(report: &Value) -> usize {
    report["counts"]["undecided"].as_object().map_or(0, |all| all.len())
}

/// Whether what one rule finds is certain, possible, undecided or nothing.
fn judged(text: &str, rule: &str) -> &'static str {
    let report = scan(&[("main.tf", text)], rule);
    assert_eq!(report["problems"], serde_json::json!([]), "{text}");
    match list(&report, "findings").iter().map(|one| one["possible"] == true).min() {
        Some(false) => "bad",
        Some(true) => "possible",
        None if undecided(&report) > 0 => "undecided",
        None => "good",
    }
}

const VARIABLES: &str = r#"
variable "b" { type = bool }
variable "c" { type = bool }
variable "s" { type = string }
variable "l" { type = list(string) }
variable "tags" { type = map(string) }
"#;

/// Each line: what is wanted, and an expression.
fn table(rows: &str, rule: &str, resource: &dyn Fn(&str) -> String) {
    let wrong: Vec<String> = rows
        .lines()
        .filter_map(|row| {
            let (wanted, expression) = row.split_once(' ')?;
            let is = judged(&format!("{VARIABLES}{}", resource(expression.trim())), rule);
            (is != wanted).then(|| format!("{row}\n  is {is}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_arms_of_a_conditional_are_kept_whatever_is_made_of_them() {
    let rows = "\
bad       (var.b ? { public = true, n = 1 } : { public = true, n = 2 }).public
possible  (var.b ? { public = true } : { public = false }).public
good      (var.b ? { public = false, n = 1 } : { public = false, n = 2 }).public
bad       (var.b ? [true, 1] : [true, 2])[0]
possible  (var.b ? { x = true } : { x = false })[\"x\"]
bad       !(var.b ? false : false)
possible  !(var.b ? false : true)
possible  (var.b ? 1 : 2) == 2
bad       (var.b ? true : true) && true
possible  (var.b ? true : var.c)
bad       var.b ? true : var.c ? true : true
possible  var.b ? false : var.c ? true : false
possible  coalesce(var.b ? true : null, false)
possible  lookup(var.b ? { a = true } : {}, \"a\", false)
bad       lookup(var.b ? { a = true } : { a = true, b = false }, \"a\", false)
possible  merge({ p = false }, var.b ? { p = true } : {}).p
bad       merge({ p = true }, var.b ? { q = true } : {}).p
possible  one([for one in (var.b ? [true] : [false]) : one])
possible  contains(var.b ? [\"x\"] : [\"y\"], \"x\")
possible  contains([\"y\", var.b ? \"x\" : \"z\"], \"x\")
possible  tobool(var.b ? \"true\" : \"false\")
possible  try(var.b ? true : false, false)
bad       [true, true][length(var.s)]
possible  { a = true, b = false }[var.s]
undecided var.b";
    table(rows, "aws-rds-publicly-accessible", &|value| {
        format!("resource \"aws_db_instance\" \"a\" {{\n  publicly_accessible = {value}\n}}\n")
    });
}

#[test]
fn arms_reach_rules_through_locals_modules_and_repetitions() {
    let database = "resource \"aws_db_instance\" \"a\" {\n  publicly_accessible = local.cfg.public\n}\n";
    let local = |arms: &str| format!("{VARIABLES}locals {{\n  cfg = var.b ? {arms}\n}}\n{database}");
    let rule = "aws-rds-publicly-accessible";
    assert_eq!(judged(&local("{ public = true, n = 1 } : { public = true, n = 2 }"), rule), "bad");
    assert_eq!(judged(&local("{ public = true } : { public = false }"), rule), "possible");
    let each = |each: &str| {
        let resource = "resource \"aws_db_instance\" \"a\" {\n  publicly_accessible = each.value";
        judged(&format!("{VARIABLES}{resource}\n  for_each = {each}\n}}\n"), rule)
    };
    assert_eq!(each("var.b ? { a = true } : {}"), "possible", "there may be none");
    assert_eq!(each("var.b ? { a = true } : { a = true, b = true }"), "bad");
    assert_eq!(each("var.b ? { a = false } : {}"), "undecided");
    let module = r#"variable "b" { type = bool }
module "m" {
  source = "./m"
  cfg    = var.b ? { public = true, more = 2 } : { public = true, more = 1 }
}
"#;
    let inner = r#"variable "cfg" { type = object({ public = bool, more = optional(number) }) }
resource "aws_db_instance" "a" {
  publicly_accessible = var.cfg.public
}
"#;
    let report = scan(&[("main.tf", module), ("m/main.tf", inner)], rule);
    assert_eq!(report["findings"][0]["possible"], false, "{report}");
}

#[test]
fn known_elements_of_a_list_are_kept_beside_those_that_are_not() {
    let rows = "\
possible  concat([\"10.0.0.0/8\"], var.b ? [\"0.0.0.0/0\"] : [])
bad       concat([\"0.0.0.0/0\"], var.b ? [\"10.0.0.0/8\"] : [])
bad       concat(concat(var.l, [\"0.0.0.0/0\"]), [\"10.0.0.0/8\"])
bad       [for one in concat(var.l, [\"0.0.0.0/0\"]) : one]
bad       distinct(concat(var.l, [\"0.0.0.0/0\"]))
bad       distinct([\"0.0.0.0/0\", var.s])
bad       compact([\"0.0.0.0/0\", var.s])
bad       sort([\"0.0.0.0/0\", var.s])
bad       tolist(setunion([\"0.0.0.0/0\"], [var.s]))
bad       setunion([\"0.0.0.0/0\"], var.l)
bad       tolist(toset(concat(var.l, [\"0.0.0.0/0\"])))
bad       flatten([[\"0.0.0.0/0\"], var.b ? [\"1.1.1.1/32\"] : []])
possible  flatten([[\"10.0.0.0/8\"], var.b ? [\"0.0.0.0/0\"] : []])
bad       coalescelist([\"0.0.0.0/0\"], var.l)
bad       [for one in [\"0.0.0.0/0\", var.s] : one if one != \"\"]
undecided [for one in [\"0.0.0.0/0\", var.s] : one if one != var.s]
undecided concat(var.l, [\"10.0.0.0/8\"])";
    table(rows, "aws-security-group-public-ssh", &|value| {
        format!(
            "resource \"aws_security_group_rule\" \"a\" {{\n  type        = \"ingress\"\n  from_port   = 22\n  to_port     = 22\n  protocol    = \"tcp\"\n  cidr_blocks = {value}\n}}\n"
        )
    });
}

#[test]
fn a_dynamic_block_over_a_conditional_has_the_elements_of_its_arms() {
    let rows = "\
possible  var.b ? [\"0.0.0.0/0\"] : []
bad       concat([\"0.0.0.0/0\"], var.b ? [\"10.0.0.0/8\"] : [])
possible  concat([\"10.0.0.0/8\"], var.b ? [\"0.0.0.0/0\"] : [])
bad       concat(var.l, [\"0.0.0.0/0\"])
bad       var.b ? { a = \"0.0.0.0/0\" } : { a = \"0.0.0.0/0\", b = \"10.0.0.0/8\" }
undecided var.b ? [\"10.0.0.0/8\"] : []
undecided var.l";
    table(rows, "aws-security-group-public-ssh", &|value| {
        format!(
            "resource \"aws_security_group\" \"a\" {{\n  dynamic \"ingress\" {{\n    for_each = {value}\n    content {{\n      from_port   = 22\n      to_port     = 22\n      protocol    = \"tcp\"\n      cidr_blocks = [ingress.value]\n    }}\n  }}\n}}\n"
        )
    });
}

#[test]
fn a_key_of_a_map_that_is_known_in_part_is_unknown_and_not_absent() {
    let rule = r#"- id: org-owner
  title: Bucket has no owner
  severity: low
  targets:
    - { terraform: [aws_s3_bucket], path: tags.owner }
  expect: { present: true }
  bad: |
    resource "aws_s3_bucket" "a" {} # expect
  good: |
    resource "aws_s3_bucket" "a" {
      tags = { owner = "me" }
    }
"#;
    let tags = |value: &str| {
        let text = format!(
            "{VARIABLES}data \"x\" \"y\" {{}}\nlocals {{\n  t = merge(var.tags, {{ a = \"1\" }})\n}}\nresource \"aws_s3_bucket\" \"a\" {{\n  tags = {value}\n}}\n"
        );
        let files = [("main.tf", &*text), ("policy/owner.yaml", rule)];
        let report = scan(&files, "org-owner");
        let found = list(&report, "findings").len();
        (found, undecided(&report))
    };
    for value in [
        "merge(var.tags, { a = \"1\" })",
        "merge({ a = \"1\" }, var.tags)",
        "merge(merge(var.tags, { a = \"1\" }), {})",
        "merge(local.t, { b = \"x\" })",
        "tomap(merge(var.tags, { a = \"1\" }))",
        "{ for k, v in merge(var.tags, { a = \"1\" }) : k => v }",
        "merge(data.x.y.tags, { a = \"1\" })",
    ] {
        assert_eq!(tags(value), (0, 1), "{value}");
    }
    assert_eq!(tags("merge(var.tags, { owner = \"me\" })"), (0, 0));
    assert_eq!(tags("merge({ a = \"1\" }, { b = \"2\" })"), (1, 0));
}

#[test]
fn statements_and_rules_of_which_parts_are_open_are_possible_or_undecided() {
    let document = |body: &str| {
        let statement = format!("  statement {{\n{body}\n  }}\n");
        judged(
            &format!("{VARIABLES}data \"aws_iam_policy_document\" \"a\" {{\n{statement}}}\n"),
            "aws-iam-admin-policy",
        )
    };
    let all = "actions = [\"*\"]\nresources = [\"*\"]\n";
    assert_eq!(document(&format!("{all}effect = var.b ? \"Allow\" : \"Deny\"")), "possible");
    assert_eq!(document(&format!("{all}effect = var.b ? \"Deny\" : \"Deny\"")), "good");
    assert_eq!(document(&format!("{all}effect = var.s")), "undecided");
    assert_eq!(document("resources = [\"*\"]\nactions = var.b ? [\"*\"] : [\"s3:GetObject\"]"), "possible");
    assert_eq!(document("resources = [\"*\"]\nactions = var.l"), "undecided");
    assert_eq!(document("actions = [\"*\"]\nresources = [var.b ? \"*\" : \"arn:aws:s3:::x\"]"), "possible");
    let policy = format!(
        "{VARIABLES}resource \"aws_iam_policy\" \"p\" {{\n  policy = jsonencode({{ Statement = [{{ Effect = var.b ? \"Allow\" : \"Deny\", Action = \"*\", Resource = \"*\" }}] }})\n}}\n"
    );
    assert_eq!(judged(&policy, "aws-iam-admin-policy"), "possible");
    let rows = "\
bad       type = \"ingress\"; protocol = \"tcp\"
possible  type = var.b ? \"ingress\" : \"egress\"; protocol = \"tcp\"
undecided type = var.s; protocol = \"tcp\"
possible  type = \"ingress\"; protocol = var.b ? \"tcp\" : \"icmp\"
undecided type = \"ingress\"; protocol = var.s";
    table(rows, "aws-security-group-public-ssh", &|arguments| {
        format!(
            "resource \"aws_security_group_rule\" \"a\" {{\n  {}\n  from_port   = 22\n  to_port     = 22\n  cidr_blocks = [\"0.0.0.0/0\"]\n}}\n",
            arguments.replace("; ", "\n  ")
        )
    });
}

#[test]
fn the_known_beginning_of_a_text_tells_it_from_others() {
    let group = |description: &str| {
        format!("{VARIABLES}resource \"aws_security_group\" \"a\" {{\n  description = \"{description}\"\n}}\n")
    };
    let rule = "aws-security-group-missing-description";
    assert_eq!(judged(&group("Tasks of ${var.s}"), rule), "good");
    assert_eq!(judged(&group("Managed by ${var.s}"), rule), "undecided");
}

#[test]
fn one_and_nought_are_booleans_to_terraform_where_one_is_wanted_and_texts_elsewhere() {
    let database =
        |public: &str| format!("resource \"aws_db_instance\" \"x\" {{\n  publicly_accessible = {public}\n}}\n");
    for (public, wanted) in [("\"1\"", "bad"), ("\"0\"", "good"), ("\"true\"", "bad"), ("\"yes\"", "good")] {
        assert_eq!(judged(&database(public), "aws-rds-publicly-accessible"), wanted, "{public}");
    }
    let pod = "resource \"kubernetes_pod\" \"a\" {\n  spec {\n    container {\n      name  = \"a\"\n      image = \"a\"\n      security_context {\n        privileged = \"1\"\n      }\n    }\n  }\n}\n";
    assert_eq!(judged(pod, "container-privileged"), "bad");
    // The API of Kubernetes takes no text there.
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: a, securityContext: { privileged: \"1\" } }] }\n";
    assert_eq!(scan(&[("pod.yaml", manifest)], "container-privileged")["findings"], serde_json::json!([]));
    let retention = "resource \"aws_db_instance\" \"x\" {\n  backup_retention_period = \"0\"\n}\n";
    assert_eq!(judged(retention, "aws-rds-backups-disabled"), "bad");
}
