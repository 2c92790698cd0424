//! Settings of other tools as entries of `gate.yaml`, as far as both mean the same.

use std::path::Path;

use serde_yaml::Value;

use crate::filesystem::FileSystem;
use crate::rules::Catalog;
use crate::settings_yaml;
use crate::suppress::Date;

/// A file of settings is a page of text.
const MAX_BYTES: u64 = 1 << 20;

/// What a `gate.yaml` would say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Rules not to run.
    pub ignore_rules: Vec<(String, String)>,
    /// Findings that are accepted: rule, files, last day, reason.
    pub ignore: Vec<Entry>,
    /// What could not be taken over, and what need not be.
    pub notes: Vec<String>,
}

/// An entry of `ignore`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entry {
    rule: String,
    paths: Vec<String>,
    until: Option<Date>,
    reason: String,
}

/// Reads the settings of other tools in a folder.
pub fn propose(files: &dyn FileSystem, folder: &Path, catalog: &Catalog) -> Proposal {
    let mut proposal = Proposal::default();
    for (name, read) in FILES {
        let path = folder.join(name);
        // A link could lead out of the tree.
        if !matches!(files.kind(&path), Ok(crate::filesystem::Kind::File)) {
            continue;
        }
        match files.text(&path, MAX_BYTES) {
            Ok(text) => {
                if let Err(reason) = read(name, &text, catalog, &mut proposal) {
                    proposal.notes.push(format!("{name}: {reason}"));
                }
            }
            Err(error) => proposal.notes.push(format!("{name}: {error}")),
        }
    }
    proposal
}

type Read = fn(&str, &str, &Catalog, &mut Proposal) -> Result<(), String>;

const FILES: &[(&str, Read)] = &[
    (".checkov.yaml", checkov),
    (".checkov.yml", checkov),
    (".trivyignore", trivyignore),
    (".trivyignore.yaml", trivyignore_yaml),
    (".kube-linter.yaml", kube_linter),
    (".kube-linter.yml", kube_linter),
    (".hadolint.yaml", hadolint),
    (".hadolint.yml", hadolint),
    ("trivy.yaml", untaken),
    (".tfsec/config.yml", untaken),
    (".tfsec/config.yaml", untaken),
    (".tfsec/config.json", untaken),
    ("kics.config", untaken),
    (".gitleaks.toml", untaken),
    (".gitleaksignore", untaken),
    (".secrets.baseline", untaken),
];

fn yaml(text: &str) -> Result<Value, String> {
    settings_yaml::read(text).map_err(|reason| format!("is no YAML: {reason}"))
}

/// A list, or a text with commas.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(items) => items.iter().flat_map(names).collect(),
        Value::String(text) => {
            text.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

/// The names of the rules that gate has for that of another tool: their ids, or a pattern as it stands.
fn rules_of(name: &str, catalog: &Catalog) -> Vec<String> {
    let named = catalog.named(name);
    if !named.is_empty() {
        return named.iter().map(|rule| catalog.rules()[*rule].id.clone()).collect();
    }
    let is_pattern = name.ends_with('*') && catalog.matching(name).is_ok_and(|rules| !rules.is_empty());
    if is_pattern { vec![name.to_string()] } else { Vec::new() }
}

fn take(file: &str, key: &str, value: &Value, catalog: &Catalog, notes: &mut Vec<String>) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    for name in names(value) {
        let named = rules_of(&name, catalog);
        if named.is_empty() {
            notes.push(format!("{file}: `{name}` of `{key}` is no rule of gate's"));
        }
        rules.extend(named.into_iter().map(|rule| (rule, name.clone())));
    }
    rules
}

fn checkov(file: &str, text: &str, catalog: &Catalog, out: &mut Proposal) -> Result<(), String> {
    let settings = yaml(text)?;
    for (key, value) in settings.as_mapping().into_iter().flatten() {
        let Some(key) = key.as_str() else { continue };
        match key {
            "skip-check" => {
                let rules = take(file, key, value, catalog, &mut out.notes);
                out.ignore_rules.extend(rules);
            }
            // Of one tool's rules: in gate.yaml it would hold for secrets, Dockerfiles and all else too.
            "soft-fail" | "check" => out.notes.push(format!(
                "{file}: `{key}` speaks of Checkov's rules alone; see `fail-on`, `select` and `rules` of gate.yaml"
            )),
            "baseline" => out.notes.push(format!("{file}: write a baseline of gate's: `gate baseline write`")),
            "quiet" | "compact" | "output" | "output-file-path" | "framework" | "directory" | "file" | "branch" => {}
            _ => out.notes.push(format!("{file}: `{key}` has no counterpart that means the same")),
        }
    }
    Ok(())
}

/// `AVD-AWS-0089 exp:2027-01-31 # why`, an id a line.
fn trivyignore(file: &str, text: &str, catalog: &Catalog, out: &mut Proposal) -> Result<(), String> {
    let mut above = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            above = comment.trim().to_string();
            continue;
        }
        let (words, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = words.split_whitespace();
        let Some(id) = words.next() else {
            above.clear();
            continue;
        };
        let until = words.find_map(|word| word.strip_prefix("exp:")).map(|day| (day, Date::parse(day)));
        let reason = if comment.trim().is_empty() { above.clone() } else { comment.trim().to_string() };
        match until {
            Some((day, None)) => out.notes.push(format!("{file}: `{day}` of `{id}` is not a date")),
            Some((_, until)) => accept(file, id, Vec::new(), until, reason, catalog, out),
            None => accept(file, id, Vec::new(), None, reason, catalog, out),
        }
    }
    Ok(())
}

fn trivyignore_yaml(file: &str, text: &str, catalog: &Catalog, out: &mut Proposal) -> Result<(), String> {
    let settings = yaml(text)?;
    for section in ["misconfigurations", "vulnerabilities", "secrets"] {
        for entry in settings.get(section).and_then(Value::as_sequence).into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("").to_string();
            let id = text("id");
            let day = text("expired_at");
            let until = Date::parse(&day);
            if !day.is_empty() && until.is_none() {
                out.notes.push(format!("{file}: `{day}` of `{id}` is not a date"));
                continue;
            }
            let paths = entry.get("paths").map(names).unwrap_or_default();
            accept(file, &id, paths, until, text("statement"), catalog, out);
        }
    }
    Ok(())
}

/// An id of Trivy's: a rule of gate's, or a vulnerability that only imported results can have. The day of Trivy is the first on
/// which the entry no longer acts, gate's the last on which it does.
fn accept(
    file: &str,
    id: &str,
    paths: Vec<String>,
    until: Option<Date>,
    reason: String,
    catalog: &Catalog,
    out: &mut Proposal,
) {
    let is_vulnerability = ["CVE-", "GHSA-"].iter().any(|prefix| id.starts_with(prefix));
    let rules = match is_vulnerability {
        true => vec![format!("trivy/{id}")],
        false => rules_of(id, catalog).into_iter().filter(|rule| !rule.ends_with('*')).collect(),
    };
    if rules.is_empty() {
        out.notes.push(format!("{file}: `{id}` is no rule of gate's"));
    }
    let reason = if reason.is_empty() { format!("accepted in {file}") } else { reason };
    let until = until.map(Date::previous);
    out.ignore.extend(rules.into_iter().map(|rule| Entry {
        rule,
        paths: paths.clone(),
        until,
        reason: reason.clone(),
    }));
}

fn kube_linter(file: &str, text: &str, catalog: &Catalog, out: &mut Proposal) -> Result<(), String> {
    let settings = yaml(text)?;
    let Some(checks) = settings.get("checks") else { return Ok(()) };
    if let Some(value) = checks.get("exclude") {
        let rules = take(file, "exclude", value, catalog, &mut out.notes);
        out.ignore_rules.extend(rules);
    }
    for key in ["include", "addAllBuiltIn", "doNotAutoAddDefaults", "ignorePaths"] {
        if checks.get(key).is_some() {
            out.notes.push(format!("{file}: `{key}` has no counterpart that means the same"));
        }
    }
    Ok(())
}

fn hadolint(file: &str, text: &str, _: &Catalog, out: &mut Proposal) -> Result<(), String> {
    out.notes.push(format!("{file} is read as it is: it need not be repeated in gate.yaml"));
    let settings = yaml(text)?;
    for key in ["failure-threshold", "no-fail"].into_iter().filter(|key| settings.get(key).is_some()) {
        out.notes.push(format!("{file}: `{key}` speaks of hadolint's rules alone; see `fail-on` of gate.yaml"));
    }
    Ok(())
}

/// A file whose settings gate does not take over.
fn untaken(file: &str, _: &str, _: &Catalog, out: &mut Proposal) -> Result<(), String> {
    out.notes.push(format!("{file}: is not taken over; see `exclude`, `ignore-rules` and `ignore` of gate.yaml"));
    Ok(())
}

impl Proposal {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ignore_rules.is_empty() && self.ignore.is_empty()
    }

    /// The text of a `gate.yaml`.
    pub fn yaml(&self) -> String {
        // JSON's strings are YAML's.
        let quoted = |text: &str| {
            Value::from(text).as_str().map(|text| serde_json::Value::from(text).to_string()).unwrap_or_default()
        };
        let mut text = String::from("version: 1\n");
        if !self.ignore_rules.is_empty() {
            text.push_str("ignore-rules:\n");
        }
        let mut seen = std::collections::BTreeSet::new();
        for (rule, was) in self.ignore_rules.iter().filter(|(rule, _)| seen.insert(rule.clone())) {
            let was = if was == rule { String::new() } else { format!(" # {}", crate::escape::plain(was)) };
            text.push_str(&format!("  - {}{was}\n", quoted(rule)));
        }
        if !self.ignore.is_empty() {
            text.push_str("ignore:\n");
        }
        for entry in &self.ignore {
            text.push_str(&format!("  - rule: {}\n", quoted(&entry.rule)));
            if !entry.paths.is_empty() {
                let paths: Vec<String> = entry.paths.iter().map(|path| quoted(path)).collect();
                text.push_str(&format!("    paths: [{}]\n", paths.join(", ")));
            }
            if let Some(until) = entry.until {
                text.push_str(&format!("    until: {}\n", quoted(&until.to_string())));
            }
            text.push_str(&format!("    reason: {}\n", quoted(&entry.reason)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn settings_of_other_tools_become_a_configuration() {
        let catalog = Catalog::built_in();
        let mut proposal = Proposal::default();
        checkov(
            ".checkov.yaml",
            "skip-check:\n  - CKV_AWS_17\n  - CKV_NONE_1\nsoft-fail: true\ncheck: [CKV_AWS_20]\nexternal-checks-dir: [x]\n",
            &catalog,
            &mut proposal,
        )
        .expect("YAML");
        let ignored = "# legacy, moves in spring\nAVD-AWS-0180 exp:2027-03-02\n\nCVE-2031-0001 # not reachable\nAVD-NONE-1\nAWS-0080 exp:soon\n";
        trivyignore(".trivyignore", ignored, &catalog, &mut proposal).expect("lines");
        trivyignore_yaml(
            ".trivyignore.yaml",
            "misconfigurations:\n  - id: AVD-AWS-0180\n    paths: [old/main.tf]\n    statement: 'a \"demo\": #1'\n",
            &catalog,
            &mut proposal,
        )
        .expect("YAML");
        kube_linter(".kube-linter.yaml", "checks:\n  exclude: [latest-tag, none-such]\n", &catalog, &mut proposal)
            .expect("YAML");
        let text = proposal.yaml();
        let here = Path::new("/repo");
        let config = Config::parse("gate.yaml", &text, here, here).expect("what is proposed is a configuration");
        config.check(&catalog).expect("its rules are known");
        assert_eq!(config.ignore_rules.len(), 2, "{text}");
        assert!(config.fail_on.is_none() && config.select.is_empty(), "one tool's threshold is not that of all");
        let entries: Vec<(&str, Option<String>, &str)> = config
            .ignore
            .iter()
            .map(|entry| (entry.rule.as_str(), entry.until.map(|until| until.to_string()), entry.reason.as_str()))
            .collect();
        assert_eq!(
            entries,
            [
                ("aws-rds-publicly-accessible", Some("2027-03-01".into()), "legacy, moves in spring"),
                ("trivy/CVE-2031-0001", None, "not reachable"),
                ("aws-rds-publicly-accessible", None, "a \"demo\": #1"),
            ]
        );
        let told = proposal.notes.join("\n");
        for part in ["CKV_NONE_1", "external-checks-dir", "`soft-fail`", "`check`", "AVD-NONE-1", "soon", "none-such"] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
