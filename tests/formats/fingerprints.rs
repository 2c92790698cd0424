//! What tells one finding from another from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{list, tree, value};

/// Fingerprints of a rule by address.
fn fingerprints(folder: &Path, rule: &str) -> BTreeMap<String, String> {
    let report = value(folder, "json");
    let findings = list(&report, "findings").iter().filter(|one| one["rule"] == rule);
    findings
        .map(|one| (one["address"].as_str().unwrap().to_string(), one["fingerprint"].as_str().unwrap().to_string()))
        .collect()
}

const QUEUE: &str =
    "resource \"aws_db_instance\" \"main\" {\n  count               = 2\n  publicly_accessible = true\n}\n";

#[test]
fn fingerprints_survive_moved_lines_renamed_files_and_reformatting() {
    let rule = "aws-rds-publicly-accessible";
    let before = fingerprints(tree(&[("main.tf", QUEUE)]).path(), rule);
    assert_eq!(before.len(), 2);
    let moved = format!("# A comment.\n\nvariable \"x\" {{}}\n\n{QUEUE}");
    let formatted =
        QUEUE.replace("  count               = 2\n  publicly_accessible =", "\tcount=2\n\n\tpublicly_accessible  =  ");
    for (name, text) in [("main.tf", moved.as_str()), ("db/storage.tf", QUEUE), ("main.tf", &formatted)] {
        assert_eq!(fingerprints(tree(&[(name, text)]).path(), rule), before, "{name}: {text}");
    }
}

#[test]
fn fingerprints_tell_instances_resources_and_values_apart() {
    let rule = "aws-rds-publicly-accessible";
    let before = fingerprints(tree(&[("main.tf", QUEUE)]).path(), rule);
    assert_ne!(before["aws_db_instance.main[0]"], before["aws_db_instance.main[1]"]);
    let renamed = fingerprints(tree(&[("main.tf", &QUEUE.replace("main", "orders"))]).path(), rule);
    let other = fingerprints(tree(&[("main.tf", &QUEUE.replace("= true", "= !false"))]).path(), rule);
    let all: BTreeSet<&String> = before.values().chain(renamed.values()).chain(other.values()).collect();
    assert_eq!(all.len(), 6);
}

#[test]
fn code_scanning_hashes_survive_lines_added_above() {
    let hash = |text: &str| {
        let log = value(tree(&[("main.tf", text)]).path(), "sarif");
        log["runs"][0]["results"][0]["partialFingerprints"]["primaryLocationLineHash"].clone()
    };
    assert_eq!(hash(QUEUE), hash(&format!("# A comment.\n\n{QUEUE}")));
}
