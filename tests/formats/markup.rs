//! The formats that others parse line by line or by tags: workflow commands, JUnit's XML, Markdown.

use std::collections::BTreeMap;

use gate::report::Style;

use super::{POD_PATH, report, shop, tree, with_report, written};

/// `name`, properties and message of a workflow command, unescaped as the runner does it.
fn command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, data) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")).unwrap();
    let unescape = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties
        .split(',')
        .filter_map(|property| property.split_once('='))
        .map(|(key, value)| (key.to_string(), unescape(value)))
        .collect();
    (name.to_string(), properties, unescape(data))
}

#[test]
fn annotations_name_file_line_and_rule_and_escape_what_would_end_them() {
    let shop = shop();
    let text = report(&shop.path().join("deploy"), "github");
    let commands: Vec<_> = text.lines().map(command).collect();
    let (name, properties, data) = &commands[0];
    assert_eq!(name, "error");
    assert_eq!(properties["file"], "deploy/infra/main.tf");
    assert_eq!((properties["line"].as_str(), properties["col"].as_str()), ("9", "14"));
    assert_eq!(properties["title"], "aws-rds-publicly-accessible (critical)");
    assert_eq!(data, "module.stores[\"orders\"].aws_db_instance.this: publicly_accessible is true, wanted false");
    let pod = commands.iter().find(|(_, properties, _)| {
        properties.get("title").is_some_and(|title| title.starts_with("container-privileged"))
    });
    assert_eq!(pod.unwrap().1["file"], format!("deploy/{POD_PATH}"));
}

#[test]
fn annotations_keep_within_ten_of_a_kind_and_tell_how_many_are_missing() {
    let mut text = String::new();
    for number in 0..15 {
        text.push_str(&format!(
            "resource \"aws_db_instance\" \"d{number}\" {{\n  publicly_accessible = true\n}}\nresource \"aws_s3_bucket\" \"b{number}\" {{\n  bucket = \"b{number}\"\n}}\n"
        ));
    }
    let folder = tree(&[("main.tf", &text), ("broken.tf", "resource \"x\" \"y\" {\n")]);
    with_report(folder.path(), |report| {
        let text = written(report, "github", Style::default());
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for (name, ..) in text.lines().map(command) {
            *kinds.entry(name).or_default() += 1;
        }
        let expected = [("error", 10), ("notice", 10), ("warning", 10)].map(|(name, count)| (name.to_string(), count));
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
        // One notice tells the count; one error is the broken file.
        let missing = report.findings.len() + 1 - 29;
        assert!(text.ends_with(&format!("::{missing} more findings are in the log and the job summary\n")), "{text}");
        assert!(text.starts_with("::error file=broken.tf,line=1,"), "{text}");
    });
}

/// Checks that every element is closed and no markup stands in texts; gives the names of all elements.
pub(crate) fn elements(xml: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    while let Some(start) = rest.find('<') {
        assert_no_markup(&rest[..start]);
        let (tag, after) = rest[start + 1..].split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let is_empty = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert_eq!(attributes.matches('"').count() % 2, 0, "{tag}");
        assert_no_markup(attributes);
        seen.push(name.to_string());
        if !is_empty {
            open.push(name.to_string());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    seen
}

fn assert_no_markup(text: &str) {
    assert!(!text.contains(['<', '>']), "{text}");
    for (at, _) in text.match_indices('&') {
        let entity = text[at..].split_once(';').unwrap().0;
        assert!(["&amp", "&lt", "&gt", "&quot", "&#39", "&#35"].contains(&entity), "{entity}");
    }
}

#[test]
fn junit_is_well_formed_and_counts_what_it_holds() {
    let shop = shop();
    std::fs::write(shop.path().join("deploy/infra/broken.tf"), "resource \"x\" {\n").unwrap();
    with_report(&shop.path().join("deploy"), |report| {
        let xml = written(report, "junit", Style::default());
        let seen = elements(&xml);
        let count = |name: &str| seen.iter().filter(|one| *one == name).count();
        let errors = report.problems.iter().filter(|problem| problem.kind.closes()).count();
        assert_eq!((count("failure"), count("error")), (report.findings.len(), errors));
        let total = format!(
            "<testsuites name=\"gate\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\">",
            count("testcase"),
            count("failure")
        );
        assert!(xml.contains(&total), "{total}");
        assert!(xml.contains("classname=\"k8s/api|v2, 50%:&lt;b&gt;.yaml\""), "{xml}");
    });
    let clean = tree(&[("main.tf", "locals {\n  name = \"shop\"\n}\n")]);
    assert_eq!(elements(&report(clean.path(), "junit")), ["testsuites", "testsuite", "testcase"]);
}

#[test]
fn markdown_rows_have_four_cells_and_no_markup_from_the_tree() {
    let shop = shop();
    let text = report(&shop.path().join("deploy"), "markdown");
    assert!(text.starts_with("<!-- gate -->\n## ❌ gate is closed: "), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 5);
    for row in rows {
        let bars = row.match_indices('|').filter(|(at, _)| !row[..*at].ends_with('\\')).count();
        assert_eq!(bars, 5, "{row}");
        assert!(!row.contains(['<', '@', '`']), "{row}");
    }
    assert!(text.contains(r"deploy/k8s/api\|v2, 50%&#58;&lt;b&gt;.yaml"), "{text}");
}

#[test]
fn markdown_stays_below_the_size_that_drops_a_whole_summary() {
    let mut text = String::new();
    for number in 0..4_000 {
        text.push_str(&format!("resource \"aws_s3_bucket\" \"bucket_with_a_name_of_some_length_{number}\" {{\n  bucket = \"b{number}\"\n}}\n"));
    }
    let folder = tree(&[("main.tf", &text)]);
    let text = report(folder.path(), "markdown");
    assert!(text.len() > 500_000 && text.len() < 1 << 20, "{}", text.len());
    assert!(text.contains(" more findings do not fit here."));
}
