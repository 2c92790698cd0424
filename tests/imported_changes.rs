//! What other tools say of a change: which of their results the base had already.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::change::{Change, Judged};

/// The place of a line of a file.
fn line(uri: &str, line: u32) -> Value {
    json!({"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}})
}

/// A result at the first of these places, which speaks of the others too.
fn result(places: &[Value]) -> Value {
    json!({
        "ruleId": "B602", "level": "error", "message": {"text": "unsafe"},
        "locations": &places[..1], "relatedLocations": &places[1..]
    })
}

/// The change as it is, with the results of a tool.
fn judged(change: &Change, results: &[Value]) -> Judged {
    let sarif = json!({
        "version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Bandit"}}, "results": results}]
    });
    let imported = support::tree(&[("bandit.sarif", &sarif.to_string())]);
    let path = imported.path().join("bandit.sarif");
    change.judged_as_it_is(&["--import", path.to_str().unwrap(), "--select", "container-privileged"])
}

#[test]
fn what_lies_outside_of_the_root_is_new_whether_this_machine_has_it_or_not() {
    let outside = support::tree(&[("gen.py", "eval(input())\n")]);
    let there = format!("file://{}/gen.py", outside.path().canonicalize().unwrap().display());
    let change = Change::from(&[("app.py", "x = 1\n"), ("same.py", "eval(x)\n")]).write("app.py", "x = 2\n");
    change.commit();
    for uri in [&there, "file:///nowhere/gen.py", "../gen.py", "image/app.py"] {
        let judged = judged(&change, &[result(&[line(uri, 1)])]);
        assert_eq!((judged.code, judged.of("new").len()), (1, 1), "{uri}");
    }
    let judged = judged(&change, &[result(&[line("same.py", 1), line(&there, 1), line("file:///nowhere/gen.py", 1)])]);
    assert_eq!((judged.code, judged.of("old").len()), (0, 1), "it is only related");
}

const CALL: &str = "module \"vpc\" {\n  source  = \"acme/vpc/aws\"\n  version = \"1.0.0\"\n}\n";

/// A change to a root module in `infra`, from one text to another, with what `terraform init` installed for the call of it.
fn installed(before: &str, after: &str) -> Change {
    let list = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/acme/vpc/aws","Version":"1.0.0","Dir":".terraform/modules/vpc"}]}"#;
    let change = Change::from(&[("infra/main.tf", before), (".gitignore", ".terraform\n"), ("other.tf", "")]);
    let change = change.write("infra/main.tf", after);
    change.commit();
    change
        .write("infra/.terraform/modules/modules.json", list)
        .write(
            "infra/.terraform/modules/vpc/main.tf",
            "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/8\"\n}\n",
        )
        .write("infra/.terraform/modules/vpc/outputs.tf", "output \"id\" {\n  value = aws_vpc.main.id\n}\n")
}

#[test]
fn what_lies_in_an_installed_module_is_old_where_the_base_calls_it() {
    let said = |change: &Change| {
        let results =
            ["main.tf", "outputs.tf"].map(|name| result(&[line(&format!("infra/.terraform/modules/vpc/{name}"), 1)]));
        judged(change, &results)
    };
    let new = said(&installed("# nothing\n", CALL));
    assert_eq!((new.code, new.of("new").len()), (1, 2), "the change calls it");
    let other = said(&installed(&CALL.replace("1.0.0", "0.9.0"), CALL));
    assert_eq!((other.code, other.of("new").len()), (1, 2), "the change takes another version");
    let old = said(&installed(CALL, &format!("# The network.\n{CALL}")));
    assert_eq!((old.code, old.of("old").len()), (0, 2), "a comment");
    let untouched = said(&installed(CALL, CALL).write("other.tf", "# more\n"));
    assert_eq!((untouched.code, untouched.of("old").len()), (0, 2), "another root");
}

#[test]
fn a_renamed_file_that_no_format_reads_keeps_its_results() {
    let text = "import subprocess\nsubprocess.call(x, shell=True)\n";
    let change = Change::from(&[("app.py", text), ("kept.py", text)]).remove("app.py").write("src/app.py", text);
    let said = |change: &Change, paths: &[&str]| {
        judged(change, &paths.iter().map(|path| result(&[line(path, 2)])).collect::<Vec<_>>())
    };
    assert_eq!(said(&change, &["src/app.py"]).of("old").len(), 1, "before the commit");
    change.commit();
    let renamed = said(&change, &["src/app.py", "kept.py"]);
    assert_eq!((renamed.code, renamed.of("old").len()), (0, 2));
    let copied = said(&change.write("src/copy.py", text), &["src/app.py", "src/copy.py", "kept.py"]);
    assert_eq!((copied.code, copied.of("old").len(), copied.of("new").len()), (1, 2, 1), "a file goes on as one");
}
