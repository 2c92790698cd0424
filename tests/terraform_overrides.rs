//! Override files: what they change, and what terraform does not let them change.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::report::{list, text};
use support::run::{inspected, scanned};
use support::tree;

/// The resources by address.
fn resources(files: &[(&str, &str)]) -> Vec<(String, Value)> {
    let model = inspected(tree(files).path());
    let all = list(&model["terraform"][0], "resources").iter();
    all.map(|one| (text(&one["address"]).into(), one["values"].clone())).collect()
}

fn problems(files: &[(&str, &str)]) -> Vec<(String, u64)> {
    let (_, report) = scanned(tree(files).path(), &[]);
    let all = list(&report, "problems").iter();
    all.map(|one| (text(&one["message"]).into(), one["at"]["line"].as_u64().unwrap())).collect()
}

#[test]
fn a_provider_is_changed_by_argument_and_by_alias() {
    let base = "provider \"aws\" {\n  default_tags {\n    tags = { owner = \"web\" }\n  }\n}\nprovider \"aws\" {\n  alias = \"eu\"\n  default_tags {\n    tags = { owner = \"eu\" }\n  }\n}\nresource \"aws_s3_bucket\" \"a\" {}\nresource \"aws_s3_bucket\" \"b\" { provider = aws.eu }\n";
    let changed = "provider \"aws\" { region = \"us-east-1\" }\nprovider \"aws\" {\n  alias = \"eu\"\n  default_tags {\n    tags = { owner = \"other\" }\n  }\n}\n";
    let files = [("main.tf", base), ("aws_override.tf", changed)];
    let all = resources(&files);
    assert_eq!(all[0].1["tags_all"], json!({"owner": "web"}), "the region says nothing of tags");
    assert_eq!(all[1].1["tags_all"], json!({"owner": "other"}));
    let unknown = "provider \"aws\" { alias = \"us\" }\n";
    let told = problems(&[("main.tf", base), ("aws_override.tf", unknown)]);
    assert_eq!(told.len(), 1);
    assert!(told[0].0.starts_with("there is no provider \"aws\" with the alias \"us\""), "{told:?}");
}

#[test]
fn a_lifecycle_is_changed_by_argument() {
    let base = "resource \"aws_db_instance\" \"x\" {\n  lifecycle {\n    prevent_destroy = true\n    ignore_changes  = [tags]\n  }\n}\n";
    let changed = "resource \"aws_db_instance\" \"x\" {\n  lifecycle {\n    create_before_destroy = true\n    prevent_destroy       = false\n  }\n}\n";
    let all = resources(&[("main.tf", base), ("override.tf", changed)]);
    let expected = json!([{"create_before_destroy": true, "prevent_destroy": false, "ignore_changes": "[tags]"}]);
    assert_eq!(all[0].1["lifecycle"], expected);
}

#[test]
fn of_count_and_for_each_in_two_files_count_decides() {
    let counted = "resource \"terraform_data\" \"c\" { count = 2 }\n";
    let keyed = "resource \"terraform_data\" \"c\" { for_each = toset([\"a\"]) }\n";
    let output = "output \"all\" { value = length(terraform_data.c[1].id) > 0 ? terraform_data.c[*].input : [] }\n";
    for (base, changed) in [(counted, keyed), (keyed, counted)] {
        let base = format!("{base}{output}");
        let files = [("main.tf", &*base), ("override.tf", changed)];
        let addresses: Vec<String> = resources(&files).into_iter().map(|(address, _)| address).collect();
        assert_eq!(addresses, ["terraform_data.c[0]", "terraform_data.c[1]"]);
        assert_eq!(problems(&files), []);
    }
}

#[test]
fn count_and_for_each_in_one_block_are_refused() {
    let both = "resource \"terraform_data\" \"c\" {\n  count    = 2\n  for_each = toset([\"a\"])\n}\n";
    let told = problems(&[("main.tf", both)]);
    assert_eq!(told, [("a block takes either `count` or `for_each`; terraform refuses both".to_string(), 3)]);
}

#[test]
fn what_terraform_refuses_in_override_files_is_told() {
    let base = r#"variable "a" { default = 1 }
locals { b = 1 }
resource "terraform_data" "r" {}
output "c" { value = var.a }
"#;
    let condition = "condition = var.a == 1\n error_message = \"no\"\n";
    for (changed, refused) in [
        (
            format!("variable \"a\" {{\n validation {{\n {condition} }}\n}}\n"),
            "override files can't change `validation`",
        ),
        (
            format!("output \"c\" {{\n precondition {{\n {condition} }}\n}}\n"),
            "override files can't change `precondition`",
        ),
        (
            format!(
                "resource \"terraform_data\" \"r\" {{\n lifecycle {{\n precondition {{\n {condition} }}\n }}\n}}\n"
            ),
            "override files can't change `precondition`",
        ),
        (format!("check \"k\" {{\n assert {{\n {condition} }}\n}}\n"), "override files take no `check`"),
        ("moved {\n from = terraform_data.q\n to = terraform_data.r\n}\n".into(), "override files take no `moved`"),
        ("import {\n to = terraform_data.r\n id = \"x\"\n}\n".into(), "override files take no `import`"),
        ("resource \"terraform_data\" \"r\" { depends_on = [] }\n".into(), ""),
        ("output \"c\" { depends_on = [terraform_data.r] }\n".into(), "override files can't change `depends_on`"),
        ("locals { new = 1 }\n".into(), "there is no local \"new\" for this override file to change"),
    ] {
        let told = problems(&[("main.tf", base), ("override.tf", &changed)]);
        assert_eq!(told.len(), usize::from(!refused.is_empty()), "{changed}: {told:?}");
        assert!(told.iter().all(|(message, _)| message.starts_with(refused)), "{changed}: {told:?}");
    }
}

#[test]
fn what_opentofu_alone_reads_hides_nothing_from_terraform_and_the_other_way_round() {
    let database =
        |public: &str| format!("resource \"aws_db_instance\" \"x\" {{\n  publicly_accessible = {public}\n}}\n");
    let found = |base: &str, name: &str, changed: &str| {
        let files = [("main.tf", base), (name, changed)];
        let (_, report) = scanned(tree(&files).path(), &["--select", "aws-rds-publicly-accessible"]);
        let at = |one: &Value| (text(&one["at"]["path"]).to_string(), text(&one["address"]).to_string());
        list(&report, "findings").iter().map(at).collect::<Vec<_>>()
    };
    let address = "aws_db_instance.x".to_string();
    for name in ["override.tofu", "db_override.tofu"] {
        let (yes, no) = (database("true"), database("false"));
        assert_eq!(found(&yes, name, &no), [("main.tf".to_string(), address.clone())]);
        assert_eq!(found(&no, name, &yes), [(name.to_string(), address.clone())]);
    }
    let json = r#"{"resource": {"aws_db_instance": {"x": {"publicly_accessible": true}}}}"#;
    assert_eq!(found(&database("false"), "override.tofu.json", json).len(), 1);
    // To OpenTofu alone it is as any other.
    let folder = tree(&[("main.tofu", &database("true")), ("override.tofu", &database("false"))]);
    assert_eq!(list(&scanned(folder.path(), &["--select", "aws-rds-publicly-accessible"]).1, "findings").len(), 0);
}

#[test]
fn what_opentofu_makes_of_everything_else_is_told_as_not_judged() {
    let main = "variable \"public\" { default = true }\nresource \"aws_db_instance\" \"x\" {\n  publicly_accessible = var.public\n}\n";
    let files = [("main.tf", main), ("a_override.tofu", "variable \"public\" {\n  default = false\n}\n")];
    let (_, report) = scanned(tree(&files).path(), &["--select", "aws-rds-publicly-accessible"]);
    assert_eq!(list(&report, "findings").len(), 1);
    let told = list(&report, "problems");
    assert_eq!((told.len(), text(&told[0]["kind"])), (1, "unread"));
    let message = "terraform does not read this file: what variable \"public\" is for OpenTofu is not judged";
    assert_eq!(text(&told[0]["message"]), message);
}
