//! Terraform as a whole module: where values come from, what is not known, and what terraform refuses.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::report::{list, text};
use support::run::{command, gate, inspected, json, printed, scanned};
use support::tree;

/// The exit code, the findings of these rules and the problems.
fn scan(files: &[(&str, &str)], rules: &str) -> (i32, Vec<Value>, Vec<Value>) {
    let (code, report) = scanned(tree(files).path(), &["--select", rules]);
    (code, list(&report, "findings").clone(), list(&report, "problems").clone())
}

const PUBLIC: &str = "aws-rds-publicly-accessible";

const DATABASE: &str = r#"variable "public" {
  type    = bool
  default = false
}

resource "aws_db_instance" "orders" {
  publicly_accessible = var.public
}
"#;

#[test]
fn a_finding_stands_where_the_value_was_given_and_tells_in_which_environment() {
    let files = [
        ("main.tf", DATABASE),
        ("env/prod.tfvars", "public = true\n"),
        ("env/dev.tfvars", "public = false\n"),
        ("gate.yaml", "terraform:\n  environments:\n    prod: [env/prod.tfvars]\n    dev: [env/dev.tfvars]\n"),
    ];
    let (code, findings, _) = scan(&files, PUBLIC);
    assert_eq!(code, 1);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["environments"], serde_json::json!(["prod"]));
    assert_eq!(findings[0]["at"]["path"], "env/prod.tfvars");
    assert!(findings[0]["message"].as_str().unwrap().ends_with("(environment prod)"));
}

#[test]
fn what_holds_in_every_environment_names_none() {
    let files = [
        ("main.tf", DATABASE),
        ("all.tfvars", "public = true\n"),
        ("gate.yaml", "terraform:\n  environments:\n    prod: [all.tfvars]\n    dev: [all.tfvars]\n"),
    ];
    let (_, findings, _) = scan(&files, PUBLIC);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["environments"], serde_json::json!([]));
}

#[test]
fn a_conditional_that_is_not_decided_is_bad_where_both_arms_are_and_possible_where_one_is() {
    let database = |arms: &str| {
        format!(
            "variable \"open\" {{ type = bool }}\nresource \"aws_db_instance\" \"a\" {{\n  publicly_accessible = var.open ? {arms}\n}}\n"
        )
    };
    let judged = |arms: &str| scan(&[("main.tf", &database(arms))], PUBLIC);
    let (code, findings, _) = judged("true : true");
    assert_eq!((code, findings.len()), (1, 1));
    assert_eq!(findings[0]["possible"], false);
    let (code, findings, _) = judged("true : false");
    assert_eq!((code, findings.len()), (0, 1), "what is possible only does not close the gate");
    assert_eq!(findings[0]["possible"], true);
    let (code, findings, _) = judged("false : false");
    assert_eq!((code, findings.len()), (0, 0));
}

#[test]
fn known_elements_beside_unknown_ones_are_judged() {
    let group = r#"variable "offices" { type = list(string) }
resource "aws_security_group" "web" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = concat(var.offices, ["0.0.0.0/0"])
  }
}
"#;
    let (code, findings, _) = scan(&[("main.tf", group)], "aws-security-group*");
    assert_eq!(code, 1);
    assert!(findings.iter().any(|one| one["message"].as_str().unwrap().contains("0.0.0.0/0")), "{findings:?}");
}

#[test]
fn values_that_terraform_refuses_are_problems_at_their_place() {
    let refused: &[(&str, u64, &str)] = &[
        (
            "variable \"port\" {\n  default = 0\n  validation {\n    condition     = var.port > 0\n    error_message = \"no port\"\n  }\n}\n",
            2,
            "no port",
        ),
        (
            "variable \"n\" {\n  type    = number\n  default = \"many\"\n}\noutput \"n\" { value = var.n }\n",
            3,
            "a number is required",
        ),
        ("resource \"aws_eip\" \"a\" {\n  count = -1\n}\n", 2, "it is negative"),
        ("resource \"aws_eip\" \"a\" {\n  for_each = [\"a\"]\n}\n", 2, "toset"),
        ("resource \"aws_eip\" \"a\" {\n  for_each = sensitive({ a = 1 })\n}\n", 2, "sensitive"),
        ("output \"a\" {\n  value = sensitive(\"x\")\n}\n", 2, "sensitive"),
        ("locals {\n  a = true ? [1] : { a = 1 }\n}\n", 2, "do not go together"),
        ("locals {\n  a = upper([])\n}\n", 2, "a string is required"),
    ];
    for (text, line, message) in refused {
        let (_, _, problems) = scan(&[("main.tf", text)], PUBLIC);
        let found = problems.iter().find(|problem| problem["message"].as_str().unwrap().contains(message));
        let found = found.unwrap_or_else(|| panic!("{text}: {problems:?}"));
        assert_eq!(found["at"]["line"], *line, "{text}: {found}");
    }
}

#[test]
fn an_override_without_a_base_and_a_flag_without_a_variable_are_problems() {
    let (_, _, problems) =
        scan(&[("main.tf", "locals {}\n"), ("override.tf", "resource \"aws_eip\" \"a\" {}\n")], PUBLIC);
    assert!(problems[0]["message"].as_str().unwrap().contains("there is no resource \"aws_eip.a\""));
    let folder = tree(&[("main.tf", DATABASE)]);
    let said = printed(folder.path(), &["scan", "--format", "json", "--var", "pubic=true"]);
    assert!(said.contains("which no root module declares"));
}

#[test]
fn values_that_double_with_every_name_end_in_a_limit() {
    let mut text = String::from("locals {\n  a0 = [1, 1]\n");
    for index in 1..24 {
        text.push_str(&format!("  a{index} = [local.a{}, local.a{}]\n", index - 1, index - 1));
    }
    text.push_str("}\noutput \"all\" { value = jsonencode(local.a23) }\n");
    let (code, _, problems) = scan(&[("main.tf", &text)], PUBLIC);
    assert_eq!(code, 2);
    assert!(problems.iter().any(|problem| problem["kind"] == "limit"), "{problems:?}");
}

#[test]
fn instances_that_each_ask_for_all_do_not_multiply() {
    let names: Vec<String> = (0..40).map(|number| format!("\"k{number}\"")).collect();
    let text = format!(
        "resource \"aws_kms_key\" \"all\" {{\n  for_each = toset([{}])\n  a {{\n    b = aws_kms_key.all\n  }}\n  a {{\n    b = aws_kms_key.all\n  }}\n}}\n",
        names.join(", ")
    );
    let folder = tree(&[("main.tf", &text)]);
    let output = gate(folder.path(), &["inspect", "."]);
    // Forty instances that hold forty each, not forty to the power of forty.
    assert!(output.status.success() && output.stdout.len() < 20_000_000, "{}", output.stdout.len());
    let (_, findings, _) = scan(&[("main.tf", &text)], "tf-reference-cycle");
    assert!(!findings.is_empty());
}

#[test]
fn a_template_file_is_read_below_the_root_only_and_never_reads_itself() {
    let main = r#"locals {
  greeting = templatefile("${path.module}/hello.tftpl", { names = ["a", "b"] })
  itself   = templatefile("self.tftpl", {})
  outside  = file("/etc/hostname")
}
output "greeting" { value = local.greeting }
"#;
    let files = [
        ("main.tf", main),
        ("hello.tftpl", "%{ for name in names ~}\nhi ${name}\n%{ endfor ~}\n"),
        ("self.tftpl", "${templatefile(\"self.tftpl\", {})}"),
    ];
    let folder = tree(&files);
    let model = inspected(folder.path());
    assert_eq!(model["terraform"][0]["outputs"]["greeting"]["value"], "hi a\nhi b\n");
    let problems: Vec<&str> = list(&model, "problems").iter().map(|one| text(&one["message"])).collect();
    assert!(problems.iter().any(|one| one.contains("can't read another template file")), "{problems:?}");
    assert!(problems.iter().any(|one| one.contains("outside the scanned folder")), "{problems:?}");
}

#[test]
fn a_block_that_terraform_does_not_know_is_not_judged_and_closes_the_gate() {
    let wrong = [
        ("resorce \"aws_db_instance\" \"a\" {}\n", "no block `resorce`"),
        ("resource \"aws_db_instance\" {}\n", "wants the labels type and name, got 1"),
        ("locals \"a\" {}\n", "wants no label, got 1"),
        ("publicly_accessible = true\n", "outside of every block"),
    ];
    for (text, message) in wrong {
        let (code, _, problems) = scan(&[("main.tf", &format!("locals {{}}\n{text}"))], PUBLIC);
        assert_eq!(code, 2, "{text}");
        assert_eq!(problems[0]["kind"], "unread", "{text}");
        assert_eq!(problems[0]["at"]["line"], 2, "{text}");
        assert!(problems[0]["message"].as_str().unwrap().contains(message), "{problems:?}");
    }
    let json = r#"{"//": "a comment", "locals": {"a": 1}, "resorce": {"aws_eip": {"a": {}}}}"#;
    let (code, _, problems) = scan(&[("main.tf.json", json)], PUBLIC);
    assert_eq!((code, problems.len()), (2, 1), "{problems:?}");
    let stray: String = (0..1000).map(|number| format!("name_{number} = 1\n")).collect();
    let (code, _, problems) = scan(&[("main.tf", &stray)], PUBLIC);
    assert_eq!((code, problems.len()), (2, 101), "the rest is counted");
    assert_eq!(problems[100]["message"], "900 more arguments stand outside of every block");
}

#[test]
fn a_misspelt_argument_of_a_block_of_terraforms_own_is_told_with_the_word_that_was_meant() {
    let main = r#"variable "public" {
  defualt = true
}
output "it" {
  valu = var.public
}
check "health" {
  asert {}
}
resource "aws_db_instance" "orders" {
  anything = "a provider may know it"
  lifecycle {
    prevent_destory = true
  }
}
"#;
    let (_, _, problems) =
        scan(&[("main.tf", main), ("override.tf", "output \"it\" {\n  sensitive = true\n}\n")], PUBLIC);
    let told: Vec<(u64, &str)> = problems
        .iter()
        .map(|one| (one["at"]["line"].as_u64().unwrap(), one["help"].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        (2, "did you mean `default`?"),
        (4, ""),
        (5, "did you mean `value`?"),
        (8, "did you mean `assert`?"),
        (13, "did you mean `prevent_destroy`?"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_checks_and_preconditions_say_is_held_against_the_values_in_both_syntaxes() {
    let native = r#"locals { size = 1 }
output "size" {
  value = local.size
  precondition {
    condition     = local.size > 1
    error_message = "too small"
  }
}
check "size" {
  data "aws_eip" "one" {}
  assert {
    condition     = local.size == 2
    error_message = "size is ${local.size}"
  }
  assert {
    condition     = data.aws_eip.one.public_ip != ""
    error_message = "not known yet"
  }
}
"#;
    let json = r#"{
  "variable": {"port": {"default": 70000, "validation": [{"condition": "${var.port < 65536}", "error_message": "no port"}]}},
  "resource": {"aws_eip": {"a": {"lifecycle": {"precondition": {"condition": "${var.port == 1}", "error_message": "not 1"}}}}}
}"#;
    let (_, _, problems) = scan(&[("main.tf", native), ("other.tf.json", json)], PUBLIC);
    let told: Vec<&str> = problems.iter().map(|one| one["message"].as_str().unwrap()).collect();
    let expected = [
        "a precondition of output.size does not hold: too small",
        "check \"size\" does not hold: size is 1",
        "the value of var.port is refused: no port",
        "a precondition of aws_eip.a does not hold: not 1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_default_tags_of_a_provider_reach_its_resources_through_modules() {
    let main = r#"provider "aws" {
  region = "eu-central-1"
  default_tags {
    tags = { Team = "orders", Stage = "dev" }
  }
}
provider "aws" {
  alias = "eu"
  default_tags {
    tags = { Team = "europe" }
  }
}
resource "aws_vpc" "own" {
  tags = { Stage = "prod" }
}
resource "aws_vpc" "eu" {
  provider = aws.eu
}
module "plain" {
  source = "./queue"
}
module "eu" {
  source    = "./queue"
  providers = { aws = aws.eu }
}
"#;
    let queue = "resource \"aws_sqs_queue\" \"q\" {}\nresource \"random_id\" \"r\" {}\n";
    let folder = tree(&[("main.tf", main), ("queue/main.tf", queue)]);
    let model = inspected(folder.path());
    let resources = list(&model["terraform"][0], "resources");
    let tags = |address: &str| {
        resources.iter().find(|one| one["address"] == address).unwrap_or_else(|| panic!("{resources:#?}"))["values"]
            ["tags_all"]
            .clone()
    };
    assert_eq!(tags("aws_vpc.own"), serde_json::json!({"Stage": "prod", "Team": "orders"}));
    assert_eq!(tags("aws_vpc.eu"), serde_json::json!({"Team": "europe"}));
    assert_eq!(tags("module.plain.aws_sqs_queue.q"), serde_json::json!({"Stage": "dev", "Team": "orders"}));
    assert_eq!(tags("module.eu.aws_sqs_queue.q"), serde_json::json!({"Team": "europe"}));
    assert_eq!(tags("module.eu.random_id.r"), Value::Null);
}

#[test]
fn a_rule_of_the_users_sees_default_tags_and_no_built_in_rule_asks_for_them() {
    let rule = r#"- id: acme-vpc-without-team
  title: Network has no team
  severity: high
  targets: [{ terraform: [aws_vpc], path: tags_all.Team }]
  expect: { present: true }
  why: Nobody knows whom to ask.
  fix: Add the tag.
  bad: |
    resource "aws_vpc" "a" { # expect
    }
  good: |
    provider "aws" {
      default_tags {
        tags = { Team = "net" }
      }
    }
    resource "aws_vpc" "a" {
    }
"#;
    let main =
        "provider \"aws\" {\n  default_tags {\n    tags = { Team = \"net\" }\n  }\n}\nresource \"aws_vpc\" \"a\" {}\n";
    for (text, code) in [(main, 0), ("resource \"aws_vpc\" \"a\" {}\n", 1)] {
        let folder = tree(&[("main.tf", text), ("policy/team.yaml", rule)]);
        let output = gate(folder.path(), &["scan", "--policy", "policy", "--select", "acme-vpc-without-team"]);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    }
    // They are left out where only built-in rules run.
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut folders = vec![policies];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let text = std::fs::read_to_string(&entry).unwrap();
                assert!(!text.contains("tags_all") && !text.contains("effective_labels"), "{}", entry.display());
            }
        }
    }
}

#[test]
fn paths_begin_at_the_folder_of_the_root_module_wherever_it_lies() {
    let main = r#"module "queue" {
  source = "../../modules/queue"
  policy = "./policy.json"
}
output "here" {
  value = {
    module = path.module
    root   = path.root
    shared = file("${path.module}/../shared/names.txt")
    also   = file("../shared/names.txt")
    cwd    = file("${path.cwd}/policy.json")
    full   = file(abspath("policy.json"))
    hash   = filesha1("${path.cwd}/../shared/names.txt")
    there  = fileexists(abspath("policy.json"))
    set    = fileset("${path.cwd}/../shared", "*.txt")
    filled = templatefile("${path.cwd}/../shared/names.txt", {})
    last   = basename(dirname(abspath("keys/id.pub")))
    hidden = basename(abspath(".env"))
  }
}
output "queue" { value = module.queue.all }
output "where" { value = abspath(".") }
"#;
    let queue = r#"variable "policy" {}
output "all" {
  value = {
    module = path.module
    root   = path.root
    given  = file(var.policy)
    own    = file("${path.module}/policy.json")
    full   = file(abspath("${path.module}/policy.json"))
    up     = file("${path.module}/../../stacks/shared/names.txt")
    plain  = file("policy.json")
  }
}
"#;
    let folder = tree(&[
        ("stacks/app/main.tf", main),
        ("stacks/app/policy.json", "root's"),
        ("stacks/shared/names.txt", "shared"),
        ("modules/queue/main.tf", queue),
        ("modules/queue/policy.json", "module's"),
    ]);
    let model = inspected(folder.path());
    assert_eq!(model["problems"], serde_json::json!([]));
    let outputs = &model["terraform"][0]["outputs"];
    let here = serde_json::json!({
        "module": ".", "root": ".", "shared": "shared", "also": "shared", "cwd": "root's", "full": "root's",
        "hash": "d18aac96b905b4b3c839891b7a91c9414149514c", "there": true, "set": ["names.txt"], "filled": "shared",
        "last": "keys", "hidden": ".env",
    });
    let queue = serde_json::json!({
        "module": "../../modules/queue", "root": ".", "given": "root's", "own": "module's", "full": "module's",
        "up": "shared", "plain": "root's",
    });
    assert_eq!(outputs["here"]["value"], here);
    assert_eq!(outputs["queue"]["value"], queue);
    // Where the tree lies on a machine is no part of what is judged.
    assert_eq!(outputs["where"]["unknown"], true);
}

#[test]
fn cycles_of_every_kind_end_and_the_rest_is_judged() {
    let main = r#"locals {
  x = local.y
  y = [for one in [1] : local.x]
}
module "a" {
  source = "./a"
  in     = module.b.out
}
module "b" {
  source = "./b"
  in     = module.a.out
}
module "itself" {
  source = "./"
}
resource "aws_eip" "counted" {
  count = length(aws_eip.counted)
}
resource "aws_eip" "one" {
  for_each = toset(aws_eip.other[*].id)
}
resource "aws_eip" "other" {
  for_each = aws_eip.one
}
resource "aws_db_instance" "orders" {
  identifier          = aws_db_instance.orders.identifier
  publicly_accessible = true
}
"#;
    let passes = |other: &str| {
        format!(
            "variable \"in\" {{}}\noutput \"out\" {{ value = var.in }}\nmodule \"other\" {{\n  source = \"../{other}\"\n  in     = 1\n}}\n"
        )
    };
    let files = [("main.tf", main), ("a/main.tf", &passes("b")), ("b/main.tf", &passes("a"))];
    let (code, findings, problems) = scan(&files, "aws-rds-publicly-accessible,tf-reference-cycle");
    assert_eq!(code, 2);
    let says = |text: &str| findings.iter().any(|one| one["message"].as_str().unwrap().contains(text));
    for text in [
        "publicly_accessible is true",
        "local.x depends on itself",
        "output.out depends on itself",
        "aws_eip.counted.count depends on itself",
        "aws_eip.one.for_each depends on itself",
        "aws_db_instance.orders.identifier depends on itself",
    ] {
        assert!(says(text), "{text}: {findings:?}");
    }
    let calls = problems.iter().filter(|one| one["message"].as_str().unwrap().contains("calls itself through"));
    assert_eq!(calls.count(), 3, "{problems:?}");
}

#[test]
fn a_value_that_no_name_leads_to_is_checked_all_the_same() {
    let refused: &[(&str, u64, &str)] = &[
        ("variable \"a\" {\n  type    = map(number)\n  default = { k = \"x\" }\n}\n", 3, "a number is required"),
        ("variable \"a\" {\n  nullable = false\n  default  = null\n}\n", 3, "takes no null"),
        ("variable \"a\" {\n  type     = string\n  nullable = false\n}\n", 1, "no default"),
    ];
    for (text, line, message) in refused {
        let mut files = vec![("main.tf", *text)];
        if message.contains("no default") {
            files.push(("terraform.tfvars", "a = null\n"));
        }
        let (_, _, problems) = scan(&files, PUBLIC);
        let found = problems.iter().find(|problem| problem["message"].as_str().unwrap().contains(message));
        let found = found.unwrap_or_else(|| panic!("{text}: {problems:?}"));
        assert_eq!(found["at"]["line"], *line, "{text}: {found}");
    }
}

#[cfg(unix)]
#[test]
fn a_module_outside_the_root_is_not_read_even_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(
        outside.path().join("main.tf"),
        "resource \"aws_db_instance\" \"x\" {\n  publicly_accessible = true\n}\n",
    )
    .unwrap();
    let folder = tree(&[(
        "main.tf",
        "module \"up\" {\n  source = \"../elsewhere\"\n}\nmodule \"linked\" {\n  source = \"./linked\"\n}\n",
    )]);
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked")).unwrap();
    let (code, report) = scanned(folder.path(), &["--select", PUBLIC]);
    assert_eq!((code, list(&report, "findings").len()), (2, 0), "{report}");
    let paths: Vec<&Value> = list(&report, "problems").iter().map(|one| &one["path"]).collect();
    assert_eq!(paths, ["linked", "main.tf", "main.tf"], "the link, and both calls: {report}");
}

#[test]
fn one_large_value_given_to_many_modules_is_converted_once() {
    let main = r#"locals {
  all = { for i in range(1000) : "key-${i}" => i }
}
module "each" {
  source   = "./each"
  for_each = local.all
  name     = each.key
  all      = local.all
}
"#;
    let each = r#"variable "name" { type = string }
variable "all" { type = map(string) }
resource "aws_eip" "one" {
  tags = { Name = lookup(var.all, var.name, "none") }
}
"#;
    let folder = tree(&[("main.tf", main), ("each/main.tf", each)]);
    let model = inspected(folder.path());
    let resources = list(&model["terraform"][0], "resources");
    assert_eq!(resources.len(), 1000);
    let seventh = resources.iter().find(|one| one["address"] == "module.each[\"key-7\"].aws_eip.one").unwrap();
    assert_eq!(seventh["values"]["tags"]["Name"], "7");
}

#[test]
fn instances_that_all_refer_to_each_other_meet_a_limit() {
    let text = r#"resource "aws_security_group" "a" {
  count = 1000
}

resource "aws_instance" "b" {
  count      = 1000
  depends_on = [aws_security_group.a]
}
"#;
    let (code, _, problems) = scan(&[("main.tf", text)], PUBLIC);
    assert_eq!(code, 2);
    assert!(problems[0]["message"].as_str().unwrap().contains("refer to each other more than"));
}

const CALLER: &str = "module \"db\" {\n  source = \"../examples/db\"\n  public = true\n}\n";

#[test]
fn an_excluded_folder_is_judged_where_something_judged_calls_it() {
    let db = "variable \"public\" {}\nresource \"aws_db_instance\" \"db\" {\n  publicly_accessible = true\n}\n";
    let files = [
        ("gate.yaml", "exclude: ['examples/**', '**/old.tf']\n"),
        ("prod/main.tf", CALLER),
        ("prod/old.tf", "resource \"aws_db_instance\" \"a\" {\n  publicly_accessible = true\n}\n"),
        ("examples/db/main.tf", db),
        ("examples/other/main.tf", db),
    ];
    let (code, findings, problems) = scan(&files, PUBLIC);
    assert_eq!(problems, Vec::<Value>::new());
    let paths: Vec<&str> = findings.iter().map(|one| one["at"]["path"].as_str().unwrap()).collect();
    assert_eq!(
        (code, paths),
        (1, vec!["examples/db/main.tf"]),
        "what nobody calls stays excluded, and single files do"
    );
}

#[test]
fn hidden_variables_decide_as_in_terraform() {
    let files = [("main.tf", DATABASE), (".evil.auto.tfvars", "public = true\n")];
    let (code, findings, _) = scan(&files, PUBLIC);
    assert_eq!((code, findings.len()), (1, 1));
}

#[test]
fn a_file_of_a_module_given_alone_is_judged_by_what_its_callers_pass() {
    let folder = tree(&[
        (".git/HEAD", ""),
        (
            "prod/main.tf",
            "module \"db\" {\n  source = \"../mods/db\"\n  public = true\n}\n\nresource \"aws_db_instance\" \"own\" {\n  publicly_accessible = true\n}\n",
        ),
        ("mods/db/main.tf", DATABASE),
    ]);
    let (code, report) = scanned(folder.path(), &["--select", PUBLIC, "mods/db/main.tf"]);
    let addresses: Vec<&str> = list(&report, "findings").iter().map(|one| text(&one["address"])).collect();
    assert_eq!((code, addresses), (1, vec!["module.db.aws_db_instance.orders"]));
}

/// The value of output `x` of a root with a child module `m`, called once plainly, by count and by key.
fn output(expression: &str) -> Value {
    let main = format!(
        "module \"m\" {{\n  source = \"./m\"\n}}\nmodule \"n\" {{\n  source = \"./m\"\n  count = 1\n}}\nmodule \"k\" {{\n  source = \"./m\"\n  for_each = {{ a = 1 }}\n}}\n\
         resource \"terraform_data\" \"list\" {{\n  input = [{{ x = 1 }}]\n}}\nresource \"terraform_data\" \"one\" {{\n  input = {{ x = 1 }}\n}}\n\
         resource \"aws_x\" \"y\" {{\n  tags = {{ x = 1 }}\n  thing {{\n    a = 1\n  }}\n}}\n\
         output \"x\" {{\n  value = {expression}\n}}\n"
    );
    let child = "output \"o\" {\n  value = 1\n}\noutput \"hidden\" {\n  value     = \"shown\"\n  sensitive = true\n}\n";
    let folder = tree(&[("main.tf", &main), ("m/main.tf", child)]);
    let model = inspected(folder.path());
    let roots = list(&model, "terraform");
    let root = roots.iter().find(|root| root["path"] == ".").unwrap_or_else(|| panic!("{model}"));
    root["outputs"]["x"]["value"].clone()
}

#[test]
fn try_catches_an_output_that_a_module_has_not_got() {
    for (expression, wanted) in [
        ("try(module.m.nope, \"no\")", "no"),
        ("try(module.n[0].nope, \"no\")", "no"),
        ("try(module.k[\"a\"].nope, \"no\")", "no"),
        ("can(module.m.nope) ? \"yes\" : \"no\"", "no"),
        ("can(module.m.o) ? \"yes\" : \"no\"", "yes"),
    ] {
        assert_eq!(output(expression), wanted, "{expression}");
    }
    let files = [
        ("main.tf", "module \"m\" {\n  source = \"./m\"\n}\noutput \"a\" {\n  value = \"${module.m.nope}\"\n}\n"),
        ("m/main.tf", "output \"o\" {\n  value = 1\n}\n"),
    ];
    let (code, findings, _) = scan(&files, "tf-undeclared-reference");
    assert_eq!((code, findings.len()), (1, 1), "without try it is a finding");
}

#[test]
fn only_a_nested_block_is_named_with_and_without_an_index() {
    for (expression, wanted) in [
        ("try(terraform_data.list.input.x, \"no\")", serde_json::json!("no")),
        ("try(terraform_data.one.input[0].x, \"no\")", serde_json::json!("no")),
        ("try(aws_x.y.tags[0], \"no\")", serde_json::json!("no")),
        ("aws_x.y.thing.a", serde_json::json!(1)),
        ("aws_x.y.thing[0].a", serde_json::json!(1)),
    ] {
        assert_eq!(output(expression), wanted, "{expression}");
    }
}

#[test]
fn a_sensitive_value_may_count_and_a_sensitive_output_is_what_it_is_to_its_caller() {
    assert_eq!(output("issensitive(module.m.hidden)"), false);
    assert_eq!(output("issensitive(module.k[\"a\"].hidden)"), false);
    let counted = "variable \"pw\" {\n  default   = \"x\"\n  sensitive = true\n}\nresource \"aws_db_instance\" \"a\" {\n  count               = var.pw == \"WANTED\" ? 1 : 0\n  publicly_accessible = true\n}\n";
    for (wanted, many) in [("x", 1), ("y", 0)] {
        let (_, findings, problems) = scan(&[("main.tf", &counted.replace("WANTED", wanted))], PUBLIC);
        assert_eq!((findings.len(), problems.len()), (many, 0), "{wanted}");
    }
}

/// The text of `data.aws_iam_policy_document.x` among these.
fn policy(documents: &str) -> Value {
    let main = format!("{documents}\noutput \"x\" {{\n  value = data.aws_iam_policy_document.x.json\n}}\n");
    let model = inspected(tree(&[("main.tf", &main)]).path());
    serde_json::from_str(model["terraform"][0]["outputs"]["x"]["value"].as_str().unwrap()).unwrap()
}

#[test]
fn a_policy_document_is_the_one_that_the_provider_makes() {
    let base = r#"data "aws_iam_policy_document" "base" {
  policy_id = "base"
  statement {
    sid           = ""
    actions       = ["s3:Get*", "s3:List*", "s3:Get*"]
    not_resources = []
    resources     = ["arn:aws:s3:::x/&{aws:username}"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::1:user/&{aws:username}"]
    }
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["a", "&{aws:x}"]
    }
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["b"]
    }
    condition {
      test     = "StringLike"
      variable = "s3:other"
      values   = ["c"]
    }
  }
}
"#;
    let wanted = serde_json::json!({
        "Version": "2012-10-17",
        "Id": "base",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["s3:List*", "s3:Get*"],
            "Resource": "arn:aws:s3:::x/${aws:username}",
            "Principal": { "AWS": "arn:aws:iam::1:user/${aws:username}" },
            "Condition": { "StringLike": { "s3:prefix": ["a", "${aws:x}", "b"], "s3:other": "c" } },
        }],
    });
    assert_eq!(policy(&base.replace("\"base\" {", "\"x\" {")), wanted);
    let merged = "data \"aws_iam_policy_document\" \"x\" {\n  version                 = \"2008-10-17\"\n  source_policy_documents = [data.aws_iam_policy_document.base.json]\n}\n";
    assert_eq!(policy(&format!("{base}{merged}")), wanted, "the id is adopted and the greater version kept");
    let empty = "data \"aws_iam_policy_document\" \"x\" {}\n";
    assert_eq!(policy(empty), serde_json::json!({ "Version": "2012-10-17" }));
}

/// What `gate console` answers in a folder.
fn console(folder: &Path, asked: &str) -> String {
    use std::io::Write;
    let mut child = command(folder, &["console"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn in_json_syntax_types_are_read_and_what_stands_for_itself_is_no_template() {
    let module = r#"{"variable": {
  "cfg": {"type": "object({public=optional(bool, true)})", "default": {}},
  "list": {"type": "list(string)", "default": ["${aws:username}", "%{if}"]},
  "given": {"type": "string", "description": "as in ${x}"}
},
"resource": {"terraform_data": {"r": {"input": ["${var.cfg.public}", "${var.list}", "${var.given}"]}}}}"#;
    let given = r#"{"given": "arn:aws:s3:::b/${aws:username}/*"}"#;
    let files = [("main.tf.json", module), ("terraform.tfvars.json", given)];
    let (_, _, problems) = scan(&files, PUBLIC);
    assert_eq!(problems, Vec::<Value>::new());
    let model = inspected(tree(&files).path());
    let expected = serde_json::json!([true, ["${aws:username}", "%{if}"], "arn:aws:s3:::b/${aws:username}/*"]);
    assert_eq!(model["terraform"][0]["resources"][0]["values"]["input"], expected);
    let wrong =
        r#"{"variable": {"a": {"type": "lists(string)"}, "b": {"type": "\"string\""}, "c": {"type": "list(st"}}}"#;
    let (_, _, problems) = scan(&[("main.tf.json", wrong)], PUBLIC);
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn a_type_in_quotes_is_refused_in_native_syntax() {
    let (_, _, problems) = scan(&[("main.tf", "variable \"a\" {\n  type    = \"list\"\n  default = []\n}\n")], PUBLIC);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0]["message"], "terraform refuses types in quotes: write list(string) without them");
}

#[test]
fn dynamic_blocks_of_json_syntax_are_expanded() {
    let module = r#"{"resource": {"aws_security_group": {
  "g": {
    "ingress": {"from_port": 22},
    "dynamic": {"ingress": {"for_each": [1, 2], "iterator": "it", "content": {"from_port": "${it.value}"}}}
  },
  "h": {"dynamic": [{"egress": [{"for_each": {"a": 80}, "content": [{"from_port": "${egress.value}", "description": "${egress.key}"}]}]}]},
  "i": {"rule": [{"dynamic": {"deep": {"for_each": [1], "content": {"v": "${deep.value}"}}}}]},
  "j": {"tags": {"dynamic": {"is": "a tag"}}}
}}}"#;
    let model = inspected(tree(&[("main.tf.json", module)]).path());
    let all = list(&model["terraform"][0], "resources");
    let values: Vec<&Value> = all.iter().map(|one| &one["values"]).collect();
    assert_eq!(values[0]["ingress"], serde_json::json!([{"from_port": 22}, {"from_port": 1}, {"from_port": 2}]));
    assert_eq!(values[1]["egress"], serde_json::json!([{"from_port": 80, "description": "a"}]));
    assert_eq!(values[2]["rule"], serde_json::json!([{"deep": [{"v": 1}]}]));
    assert_eq!(values[3]["tags"], serde_json::json!({"dynamic": {"is": "a tag"}}));
}

#[test]
fn a_file_of_an_environment_is_for_the_root_it_lies_below() {
    let files = [
        ("a/main.tf", DATABASE),
        ("b/main.tf", DATABASE),
        ("a/env/dev.tfvars", "public = true\n"),
        ("a/prod.tfvars", "public = false\n"),
        ("gate.yaml", "terraform:\n  environments:\n    dev: [a/env/dev.tfvars]\n    prod: [a/prod.tfvars]\n"),
    ];
    let (_, findings, _) = scan(&files, PUBLIC);
    assert_eq!(findings.len(), 1, "only a/ is public: {findings:?}");
    assert!(findings[0]["message"].as_str().unwrap().ends_with("(environment dev)"));
    let shared = [
        ("a/main.tf", DATABASE),
        ("b/main.tf", DATABASE),
        ("env/dev.tfvars", "public = true\n"),
        ("gate.yaml", "terraform:\n  environments:\n    dev: [env/dev.tfvars]\n"),
    ];
    let (_, findings, _) = scan(&shared, PUBLIC);
    assert_eq!(findings.len(), 1, "a file beside all roots is for all, and decides both at one place: {findings:?}");
}

#[test]
fn different_resources_at_one_place_are_no_instances_of_one() {
    let other = DATABASE.replace("orders", "users");
    let folder = tree(&[
        ("main.tf", &format!("{DATABASE}{}", &other[other.find("resource").unwrap()..])),
        ("terraform.tfvars", "public = true\n"),
    ]);
    let shown = printed(folder.path(), &["scan", "--select", PUBLIC]);
    assert!(!shown.contains("instances"), "{shown}");
    assert!(shown.contains("aws_db_instance.orders") && shown.contains("aws_db_instance.users"), "{shown}");
}

#[test]
fn keys_of_instances_are_written_as_terraform_writes_them() {
    let keyed = r#"resource "terraform_data" "k" {
  for_each = toset(["é", "a\"b", "new\nline", "$${x}", "%%{y}", "$x", "\u200b", "back\\slash", "\U0001F468\u200d", "\u0001"])
}
"#;
    let model = inspected(tree(&[("main.tf", keyed)]).path());
    let all = list(&model["terraform"][0], "resources").iter();
    let keys: Vec<&str> = all.map(|one| one["address"].as_str().unwrap()).collect();
    // From the plan that terraform makes of it.
    for key in ["é", "a\\\"b", "new\\nline", "$${x}", "%%{y}", "$x", "\\u200b", "back\\\\slash", "👨\\u200d", "\\u0001"]
    {
        assert!(keys.contains(&&*format!("terraform_data.k[\"{key}\"]")), "{key}: {keys:?}");
    }
}

#[test]
fn values_from_outside_and_defaults_call_nothing_and_name_nothing() {
    for (given, refused) in [
        ("a = upper(\"x\")\n", Some("functions are not allowed here: `upper`")),
        ("a = var.b\n", Some("variables are not allowed here: `var`")),
        ("a = true ? 1 : upper(\"x\")\n", None),
        ("a = [for x in [1 + 2] : x]\n", None),
    ] {
        let module = "variable \"a\" {}\nvariable \"b\" { default = 1 }\n";
        let (_, _, problems) = scan(&[("main.tf", module), ("terraform.tfvars", given)], PUBLIC);
        let told: Vec<&str> = problems.iter().map(|one| one["message"].as_str().unwrap()).collect();
        assert_eq!(told, refused.into_iter().collect::<Vec<_>>(), "{given}");
    }
    let (_, _, problems) = scan(&[("main.tf", "variable \"a\" { default = upper(\"x\") }\n")], PUBLIC);
    assert_eq!(problems.len(), 1);
}

#[test]
fn an_ephemeral_value_in_an_output_that_is_not_is_refused() {
    let variable = "variable \"e\" {\n  type      = string\n  ephemeral = true\n  default   = \"x\"\n}\n";
    let plain = format!("{variable}output \"o\" {{ value = var.e }}\n");
    let marked = format!("{variable}output \"o\" {{\n  value     = var.e\n  ephemeral = true\n}}\n");
    let problems = |files: &[(&str, &str)]| scan(files, PUBLIC).2.len();
    let call = "module \"m\" { source = \"./m\" }\n";
    assert_eq!(problems(&[("main.tf", &plain)]), 1);
    assert_eq!(problems(&[("main.tf", &marked)]), 1, "a root has none");
    assert_eq!(problems(&[("main.tf", call), ("m/main.tf", &plain)]), 1);
    assert_eq!(problems(&[("main.tf", call), ("m/main.tf", &marked)]), 0);
}

#[test]
fn a_console_tells_what_is_not_known_and_what_failed_and_hides_what_is_sensitive() {
    let module = "locals {\n  bad = upper([])\n}\nresource \"terraform_data\" \"x\" {}\n";
    let folder = tree(&[("main.tf", module)]);
    let asked = "[terraform_data.x.id, null]\n{a = sensitive(\"x\")}\nlocal.bad\nlocal.bad\n12345678901234567890123\n1e400\n[]\nexit\n1\n";
    let answered = console(folder.path(), asked);
    let (values, rest) = answered.split_once("error: ").unwrap();
    assert_eq!(values, "[\n  (unknown),\n  null\n]\n{\n  \"a\": (sensitive value)\n}\n");
    let rest: Vec<&str> = rest.lines().collect();
    assert!(rest[1].starts_with("error: upper"), "{rest:?}");
    assert_eq!(rest[2], "12345678901234567890123");
    assert_eq!(rest.last(), Some(&"[]"), "`exit` ends it");
}

#[test]
fn a_finding_tells_which_variable_or_local_set_the_value_and_what_gave_it() {
    let main = r#"variable "public" {
  type    = bool
  default = false
}
variable "name" {
  default = true
}
locals {
  envs = {
    dev  = false
    prod = true
  }
  merged = merge({ p = false }, { p = true })
}
resource "aws_db_instance" "a" {
  publicly_accessible = VALUE
}
"#;
    let told = |value: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let folder = tree(&[("main.tf", &main.replace("VALUE", value)), ("prod.tfvars", "\n\npublic = true\n")]);
        let mut scan = command(folder.path(), &["scan", "--format", "json", "--select", PUBLIC]);
        let report = json(&scan.args(arguments).envs(environment.iter().copied()).output().unwrap());
        let finding = &report["findings"][0];
        let place = format!("{}:{}", finding["at"]["path"].as_str().unwrap(), finding["at"]["line"]);
        (place, finding["related"][0]["message"].as_str().unwrap_or("").replace("the value is used here, set by ", ""))
    };
    let pair = |place: &str, what: &str| (place.to_string(), what.to_string());
    let plain = |value: &str| told(value, &[], &[]);
    assert_eq!(
        told("var.public", &["--var-file", "prod.tfvars"], &[]),
        pair("prod.tfvars:3", "var.public, given in prod.tfvars:3")
    );
    assert_eq!(told("var.public", &["--var", "public=true"], &[]), pair("main.tf:1", "var.public, given by --var"));
    assert_eq!(
        told("var.public", &["--tf-env"], &[("TF_VAR_public", "true")]),
        pair("main.tf:1", "var.public, given by TF_VAR_public")
    );
    assert_eq!(plain("var.name"), pair("main.tf:6", "default of var.name"));
    assert_eq!(plain("local.envs.prod"), pair("main.tf:11", "local.envs.prod"));
    assert_eq!(plain("lookup(local.envs, \"prod\", false)"), pair("main.tf:11", "local.envs"));
    assert_eq!(plain("local.merged.p"), pair("main.tf:13", "local.merged.p"));
}
