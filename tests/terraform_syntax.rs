//! The Terraform parser beside hcl-edit, on texts that both read, and on what hcl-edit is known to refuse.

use std::path::Path;

use gate::frontend::terraform::syntax::parse;
use gate::source::FileId;

fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|end| end == "tf" || end == "tfvars") {
            out.push(path);
        }
    }
}

#[test]
fn fixtures_have_the_blocks_and_arguments_that_hcl_edit_sees() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut paths);
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let parsed = parse(FileId(0), text.as_str().into());
        assert_eq!(parsed.problems, Vec::new(), "{}", path.display());
        let body: hcl_edit::structure::Body = text.parse().expect("hcl-edit reads the fixture");
        let file = &parsed.file;
        assert_eq!(file.blocks(file.root()).len(), body.blocks().count(), "{}", path.display());
        assert_eq!(file.attributes(file.root()).len(), body.attributes().count(), "{}", path.display());
        for (ours, theirs) in file.blocks(file.root()).iter().zip(body.blocks()) {
            assert_eq!(file.text(ours.kind), theirs.ident.as_str());
            assert_eq!(file.attributes(ours.body).len(), theirs.body.attributes().count(), "{}", path.display());
            assert_eq!(file.blocks(ours.body).len(), theirs.body.blocks().count(), "{}", path.display());
        }
    }
}

#[test]
fn what_terraform_accepts_and_hcl_edit_refuses_is_read() {
    for text in [
        "a = { x = 1, x = 2 }\n",
        "a = { for v in y : v => v.ok ?\n v.a : v.b }\n",
        "a = 1e400\n",
        "a = b.0.c.1\n",
        "a = b.1e5\n",
        "a = [for v in x : 1if v]\n",
        "a = [\r\n1\r\n]\r\n",
        "a = 1 # b\rc\n",
        "a = b.*.c[0]\n",
    ] {
        assert_eq!(parse(FileId(0), text.into()).problems, Vec::new(), "{text}");
    }
    let deep = format!("a = {}1{}\n", "[".repeat(150), "]".repeat(150));
    assert_eq!(parse(FileId(0), deep.as_str().into()).problems, Vec::new());
}

#[test]
fn what_terraform_refuses_is_refused_at_its_place() {
    for (text, at) in [
        ("a = 1 2\n", 6),
        ("a = \"x\\q\"\n", 6),
        ("a = 10.11.12.1\n", 10),
        ("a = b.0.1\n", 6),
        ("a = b[*].0.1\n", 9),
        ("a = [\r]\n", 5),
        ("a = 1\n\r", 6),
        ("a = \"x\ry\"\n", 4),
        ("a = <<EOT\nx\ry\nEOT\n", 11),
        ("a = \"\\U00110000\"\n", 5),
        ("a = \"\\ud800\"\n", 5),
        ("a = \"\\u+123\"\n", 5),
        ("a { b = 1 c = 2 }\n", 10),
        ("a = [1, 2\n", 10),
        ("a = <<EOT\nx\nEOT", 4),
    ] {
        let problems = parse(FileId(0), text.into()).problems;
        assert_eq!(problems.len(), 1, "{text}");
        assert_eq!(problems[0].span.map(|span| span.start), Some(at), "{text}: {}", problems[0].message);
    }
}

/// Texts on which a parser that looks back or ahead for every item takes the square of their length.
#[test]
fn the_cost_of_a_text_grows_with_its_length_only() {
    let many: String = (0..50_000).map(|number| format!("name_{number} = {number}\n")).collect();
    assert_eq!(parse(FileId(0), many.as_str().into()).problems, Vec::new());
    let twice = format!("{many}name_7 = 1\n");
    let problems = parse(FileId(0), twice.as_str().into()).problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "argument `name_7` is set twice in one block");
    for broken in ["a /*\n", "a = [1 2\n", "a = <<\n", "a {\n", "a = \"${\n", "a = (\n"] {
        assert!(!parse(FileId(0), broken.repeat(100_000).into()).problems.is_empty(), "{broken}");
    }
}

#[test]
fn a_text_broken_on_every_line_is_told_in_few_problems() {
    let problems = parse(FileId(0), "a = )\n".repeat(5_000).into()).problems;
    assert_eq!(problems.len(), 101);
    assert_eq!(problems[100].message, "4900 more syntax errors in this file are not told");
}

#[test]
fn an_error_costs_no_depth() {
    let text = format!("{}b = [[[[[1]]]]]\n", "a = [[[[[ 1 2 ]]]]]\n".repeat(90));
    let problems = parse(FileId(0), text.into()).problems;
    assert_eq!(problems.len(), 90);
    assert!(problems.iter().all(|problem| problem.message.starts_with("expected `]`")), "{problems:?}");
}

#[test]
fn a_comment_that_is_never_closed_is_told_at_its_mark() {
    let problems = parse(FileId(0), "a = 1\nb = 2 /* until\nc = 3\n".into()).problems;
    assert_eq!(problems[0].message, "this comment is never closed");
    assert_eq!(problems[0].span.map(|span| span.start), Some(12));
}
