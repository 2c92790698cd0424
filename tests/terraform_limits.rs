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

/// Thirty locals, each made of the one before by an expression in which it is `@`.
fn chain(first: &str, of: &str) -> String {
    let mut locals = format!("locals {{\n  a0 = {first}\n");
    for level in 1..30 {
        locals += &format!("  a{level} = {}\n", of.replace('@', &format!("local.a{}", level - 1)));
    }
    locals + "}\n"
}

#[test]
fn what_doubles_ends_at_the_limit_whether_it_is_known_or_not() {
    let variables = "variable \"x\" {}\n";
    let seeds = ["var.x", "[\"x\", var.x]"];
    let grow = [
        "[@, @]",
        "{ a = @, b = @ }",
        "tolist([@, @])",
        "values({ a = @, b = @ })",
        "sensitive([@, @])",
        "jsonencode([@, @])",
        "yamlencode({ a = @, b = @ })",
        "[for x in [@, @] : x]",
        "zipmap([\"a\", \"b\"], [@, @])",
    ];
    for of in grow {
        for seed in seeds {
            let (found, limits) = limits(&[("main.tf", &format!("{variables}{}{DATABASE}", chain(seed, of)))]);
            assert_eq!(found, ["aws_db_instance.literal"], "{of} of {seed}");
            assert!(!limits.is_empty(), "{of} of {seed}");
        }
    }
}

#[test]
fn what_is_joined_with_itself_does_not_grow_where_it_is_not_known() {
    for of in ["concat(@, @)", "setunion(@, @)", "flatten([@, @])", "toset(concat(@, @))", "distinct(concat(@, @))"] {
        let (found, limits) = limits(&[("main.tf", &format!("variable \"x\" {{}}\n{}{DATABASE}", chain("var.x", of)))]);
        assert_eq!((found.len(), limits.len()), (1, 0), "{of}: {limits:?}");
    }
}

#[test]
fn types_that_double_end_at_the_limit() {
    let mut main = "resource \"terraform_data\" \"a0\" { input = \"x\" }\n".to_string();
    for level in 1..60 {
        let below = format!("terraform_data.a{}.output", level - 1);
        main += &format!("resource \"terraform_data\" \"a{level}\" {{ input = tolist([[{below}, {below}]]) }}\n");
    }
    let (found, limits) = limits(&[("main.tf", &format!("{main}{DATABASE}"))]);
    assert_eq!(found, ["aws_db_instance.literal"]);
    assert!(!limits.is_empty());
}

#[test]
fn instances_of_large_values_end_together_and_the_rest_is_judged() {
    let many = "resource \"aws_s3_bucket\" \"many\" {\n  count = 9999\n  tags  = local.tags\n}\nresource \"aws_db_instance\" \"more\" {\n  count               = 9999\n  publicly_accessible = true\n}\n";
    let locals = "locals {\n  tags = { for i in range(1000) : i => range(10) }\n}\n";
    let folder = tree(&[("main.tf", &format!("{locals}{many}{DATABASE}"))]);
    let (_, report) = scanned(folder.path(), &["--select", "aws-rds-publicly-accessible"]);
    let found: Vec<&str> = list(&report, "findings").iter().map(|one| text(&one["address"])).collect();
    assert_eq!(found, ["aws_db_instance.more[0]", "aws_db_instance.literal"]);
    let told = list(&report, "problems").iter().filter(|one| one["kind"] == "limit");
    let told: Vec<&str> = told.map(|one| text(&one["message"])).collect();
    assert!(told.iter().any(|one| one.ends_with(" of 9999 instances are")), "{told:?}");
    assert!(report["counts"]["resources"].as_u64().unwrap() < 300);
}

#[test]
fn modules_in_modules_of_a_thousand_instances_are_not_thought_of_one_by_one() {
    let call = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n  count  = 1000\n}}\n");
    let folders = [
        ("main.tf", call("./a") + DATABASE),
        ("a/main.tf", call("../b")),
        ("b/main.tf", call("../c")),
        ("c/main.tf", "output \"x\" { value = 1 }\n".to_string()),
    ];
    let files: Vec<(&str, &str)> = folders.iter().map(|(path, text)| (*path, &**text)).collect();
    let (found, limits) = limits(&files);
    assert_eq!(found, ["aws_db_instance.literal"]);
    let told = "the calls of modules make more than 50000 instances: those from here on are not judged";
    assert!(!limits.is_empty() && limits.iter().all(|(message, _)| message == told), "{limits:?}");
}

#[test]
fn lists_that_grow_too_long_are_a_limit_and_no_mistake_that_try_could_catch() {
    let group = "resource \"aws_db_instance\" \"many\" { publicly_accessible = try(length(local.a29) > 1, false) }\n";
    let text = format!("{}{group}{DATABASE}", chain("[\"x\"]", "concat(@, @)"));
    let (found, limits) = limits(&[("main.tf", &text)]);
    assert_eq!(found, ["aws_db_instance.literal"]);
    assert_eq!(limits, [("concat: more than 100000 elements".to_string(), 19)]);
}
