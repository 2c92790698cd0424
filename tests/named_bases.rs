//! The commit that `--base` names: one that the clone has not whole, and names that stand for several.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::Change;
use support::git::git;
use support::run::{gate, scanned};

const DATABASE: &str = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";

const PUBLIC: &str = "aws-rds-publicly-accessible";

/// Exit code and messages of a scan, with the lines of a message joined.
fn said(folder: &std::path::Path, base: &str) -> (Option<i32>, String) {
    let output = gate(folder, &["scan", ".", "--base", base]);
    let words = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    (output.status.code(), words.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_clone_without_the_texts_of_the_base_decides_nothing() {
    let change = Change::from(&[("db.tf", DATABASE), ("other.tf", "# nothing\n")]);
    let change = change.write("db.tf", &format!("# The database.\n{DATABASE}"));
    change.commit();
    change.git(&["config", "uploadpack.allowFilter", "true"]);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", change.path().display());
    for filter in ["blob:none", "tree:0"] {
        let clone = folder.path().join(filter.replace(':', "-"));
        git(folder.path(), &["clone", "--quiet", "--filter", filter, &url, clone.to_str().unwrap()]);
        let (code, words) = said(&clone, "origin/main");
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("not in this clone") || words.contains("not all of its texts"), "{words}");
        assert!(words.contains("git fetch --refetch --no-filter"), "{words}");
        git(&clone, &["fetch", "--quiet", "--refetch", "--no-filter"]);
        let (code, report) = scanned(&clone, &[".", "--base", "origin/main"]);
        assert_eq!(code, 0, "{report}");
    }
}

#[test]
fn a_name_of_several_commits_is_none() {
    let change = Change::from(&[("db.tf", &DATABASE.replace("true", "false"))]).write("db.tf", DATABASE);
    change.commit();
    change.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    assert_eq!(said(change.path(), "origin/main").0, Some(1));
    for (make, kind) in [("tag", "tags"), ("branch", "heads")] {
        change.git(&[make, "origin/main", "main"]);
        assert_eq!(said(change.path(), "origin/main").0, Some(1), "a {make} of the same commit");
        change.git(&[make, "--force", "origin/main", "HEAD"]);
        for base in ["origin/main", "origin/main~0", "origin/main^{commit}"] {
            let (code, words) = said(change.path(), base);
            assert_eq!(code, Some(2), "{base}: {words}");
            let full = base.replace("origin/main", "refs/remotes/origin/main");
            assert!(words.contains("several commits") && words.replace(' ', "").contains(&full), "{base}: {words}");
            assert_eq!(said(change.path(), &full).0, Some(1), "{full}");
        }
        change.git(&["update-ref", "-d", &format!("refs/{kind}/origin/main")]);
    }
}

#[test]
fn where_merges_cross_what_either_side_had_was_there() {
    let database = |name: &str| DATABASE.replace("main", name);
    let (first, second) = (database("first"), database("second"));
    let change = Change::from(&[("db.tf", DATABASE), ("gone.tf", &database("gone"))]).write("first.tf", &first);
    change.commit();
    change.git(&["checkout", "--quiet", "main"]);
    let change = change.write("second.tf", &second).remove("gone.tf");
    change.commit();
    change.git(&["branch", "before"]);
    change.git(&["merge", "--quiet", "--no-edit", "change"]);
    change.git(&["checkout", "--quiet", "change"]);
    change.git(&["merge", "--quiet", "--no-edit", "before"]);
    let judged = change.judged(&[]);
    assert_eq!((judged.code, judged.of("new"), judged.fixed()), (0, vec![], vec![]));
    let change = change.write("third.tf", &database("third")).write("gone.tf", &database("gone"));
    assert_eq!(change.judged(&["--select", PUBLIC]).of("new").len(), 2);
}
