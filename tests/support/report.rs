//! What stands in reports, and what the comments of a fixture expect there.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// The list under a key, such as `findings`. Fails with the whole value where there is none.
pub fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list in {value:#}"))
}

/// A text, empty where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Rule and line of each finding, as the report has them. Fails where one has none.
pub fn found(report: &Value) -> Vec<(&str, u64)> {
    let findings = list(report, "findings").iter();
    findings.map(|one| (one["rule"].as_str().unwrap(), one["at"]["line"].as_u64().unwrap())).collect()
}

/// `path:line rule` of each finding, as the report has them. Fails where one has no path or rule.
pub fn places(report: &Value) -> Vec<String> {
    let place = |one: &Value| {
        let at = &one["at"];
        format!("{}:{} {}", at["path"].as_str().unwrap(), at["line"], one["rule"].as_str().unwrap())
    };
    list(report, "findings").iter().map(place).collect()
}

/// These texts as a set.
pub fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| item.to_string()).collect()
}

/// `path:line rule` of what the comments of the files in a folder expect: `# expect: RULE, RULE` on its own line, and
/// `# expect-below: RULE, RULE` on the next.
pub fn expected(folder: &Path) -> BTreeSet<String> {
    fn add(root: &Path, folder: &Path, all: &mut BTreeSet<String>) {
        for entry in folder.read_dir().expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                add(root, &path, all);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let name = path.strip_prefix(root).expect("below the root").display();
            for (line, text) in (1..).zip(text.lines()) {
                let below = text.split_once("# expect-below: ").map(|(_, rules)| (line + 1, rules));
                let here = || text.split_once("# expect: ").map(|(_, rules)| (line, rules));
                if let Some((line, rules)) = below.or_else(here) {
                    all.extend(rules.split(", ").map(|rule| format!("{name}:{line} {rule}")));
                }
            }
        }
    }
    let mut all = BTreeSet::new();
    add(folder, folder, &mut all);
    all
}
