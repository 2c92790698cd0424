//! What grows past all measure in Terraform meets a limit that is told at its place, and the rest is judged.

#![allow(clippy::unwrap_used)]

mod support;

use support::report::{list, text};
use support::run::scanned;
use support::tree;

/// A database beside what grows: it is judged whatever becomes of the others.
const DATABASE: &str = "resource \"aws_db_instance\" \"literal\" { publicly_accessible = true }\n";

/// Scans files, one of which holds the database; gives the addresses of public databases, and the messages and lines of the
/// limits that were met.
fn limits(files: &[(&str, &str)]) -> (Vec<String>, Vec<(String, u64)>) {
    let (_, report) = scanned(tree(files).path(), &["--select", "aws-rds-publicly-accessible"]);
    let found = list(&report, "findings").iter().map(|one| text(&one["address"]).into()).collect();
    let problems = list(&report, "problems").iter().filter(|one| one["kind"] == "limit");
    (found, problems.map(|one| (text(&one["message"]).into(), one["at"]["line"].as_u64().unwrap())).collect())
}

#[test]
fn a_text_of_texts_ends_where_it_grows_too_long() {
    let mut locals = "locals {\n  a = \"0123456789012345678901234567890123456789\"\n".to_string();
    for (name, of) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        locals += &format!("  {name} = \"{}\"\n", format!("${{local.{of}}}").repeat(10));
    }
    let (found, limits) = limits(&[("main.tf", &format!("{locals}}}\n{DATABASE}"))]);
    assert_eq!(found, ["aws_db_instance.literal"]);
    assert_eq!(limits, [("a template grows past 8 MiB of text".to_string(), 8)]);
}

#[test]
fn long_texts_in_loops_take_steps_by_their_length() {
    let locals = r#"locals {
  text = join("", [for i in range(1000) : "01234567890123456789012345678901234567890123456789"])
  slow = [for i in range(1000) : [for j in range(1000) : sha512("${local.text}${i}${j}")]]
}
"#;
    let (found, limits) = limits(&[("main.tf", &format!("{locals}{DATABASE}"))]);
    assert_eq!(found, ["aws_db_instance.literal"]);
    assert_eq!(limits, [("the module takes too long to evaluate".to_string(), 3)]);
}

#[test]
fn the_texts_of_one_call_are_limited_together() {
    let folder = tree(&[(
        "main.tf",
        "locals {\n  text = join(\"\", [for i in range(1000) : \"0123456789\"])\n  all  = formatlist(\"%s%s\", local.text, range(1000))\n}\n",
    )]);
    let (_, report) = scanned(folder.path(), &[]);
    assert_eq!(report["problems"][0]["message"], "formatlist: the texts grow past the limit");
}

#[test]
fn modules_that_double_with_every_level_end_and_what_stands_above_and_beside_is_judged() {
    let name = |level: usize| format!("m{level}/main.tf");
    let twice = |level: usize| {
        format!("module \"a\" {{ source = \"../m{level}\" }}\nmodule \"b\" {{ source = \"../m{level}\" }}\n")
    };
    let mut files: Vec<(String, String)> = (1..60).map(|level| (name(level), twice(level + 1))).collect();
    files.push((name(60), DATABASE.to_string()));
    files.push(("z/main.tf".into(), DATABASE.to_string()));
    files.push((
        "main.tf".into(),
        format!("module \"a\" {{ source = \"./m1\" }}\nmodule \"z\" {{ source = \"./z\" }}\n{DATABASE}"),
    ));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let (found, limits) = limits(&files);
    assert_eq!(found, ["aws_db_instance.literal", "module.z.aws_db_instance.literal"]);
    let nested = "modules nested more than 32 deep";
    let told: Vec<&str> = limits.iter().map(|(message, _)| &**message).filter(|message| *message != nested).collect();
    assert!(!told.is_empty() && told.iter().all(|message| message.starts_with("the calls of modules make more than")));
}

#[test]
fn dynamic_blocks_within_dynamic_blocks_end_and_the_rest_of_the_file_is_judged() {
    let nested = r#"resource "aws_x" "x" {
  dynamic "a" {
    for_each = range(1000)
    content {
      dynamic "b" {
        for_each = range(1000)
        content {
          dynamic "c" {
            for_each = range(1000)
            content { v = 1 }
          }
        }
      }
    }
  }
}
"#;
    let (found, limits) = limits(&[("main.tf", &format!("{nested}{DATABASE}"))]);
    assert_eq!(found, ["aws_db_instance.literal"]);
    assert!(limits.iter().all(|(message, _)| message.starts_with("the dynamic blocks of this module make more than")));
    assert_eq!(limits.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [5, 8]);
}

#[test]
fn a_hundred_times_a_hundred_modules_are_judged_one_by_one() {
    let calls = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n  count  = 100\n}}\n");
    let (found, limits) =
        limits(&[("main.tf", &calls("./a")), ("a/main.tf", &calls("./b")), ("a/b/main.tf", DATABASE)]);
    assert_eq!((found.len(), limits.len()), (10_000, 0));
}
