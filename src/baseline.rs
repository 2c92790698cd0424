//! The baseline: findings that are accepted as they are, in a file, for places without git's history.
//!
//! The file is a JSON array with one object on each line, sorted, without lines of code, dates or versions, so that git merges
//! it and a difference shows what changed. Findings are matched by fingerprint and path, each entry once.

use std::io::{self, Write};

use miette::Diagnostic;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::finding::{Finding, Fingerprint, Severity, Status};
use crate::report::{Comparison, Fixed};
use crate::rules::Catalog;
use crate::source::Sources;

/// The name of the file unless told otherwise.
pub const NAME: &str = ".gate-baseline.json";

/// Bytes of a baseline: some hundred thousand entries.
pub const MAX_BYTES: u64 = 64 << 20;

/// A baseline that can't be used.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}: {message}")]
#[diagnostic(help("write it anew: gate baseline write"))]
pub struct Error {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// One accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Path from the root of the repository.
    path: String,
    /// Address and attribute, for the reader.
    at: String,
    /// The rule's id.
    rule: String,
    /// As [`Finding::fingerprint`].
    fingerprint: Fingerprint,
}

/// Accepted findings.
#[derive(Debug, Clone)]
pub struct Baseline {
    path: String,
    entries: Vec<Entry>,
}

impl Baseline {
    /// Reads the text of a baseline; `path` is for messages.
    pub fn parse(path: &str, text: &str) -> Result<Baseline, Error> {
        let entries = serde_json::from_str(text)
            .map_err(|error| Error { path: path.into(), message: format!("is no baseline: {error}") })?;
        Ok(Baseline { path: path.into(), entries })
    }

    /// Marks what is accepted as old and all else as new, unless it is known to be old already. Tells what is gone, where no base
    /// has told it.
    pub fn apply(
        &self,
        findings: &mut [Finding],
        sources: &Sources,
        prefix: &str,
        catalog: &Catalog,
        comparison: Option<Comparison>,
    ) -> Comparison {
        let own: Vec<Entry> = findings.iter().map(|finding| entry(finding, sources, prefix)).collect();
        let mut matching = Matching { taken: vec![false; self.entries.len()], accepted: vec![false; own.len()] };
        matching.pass(&self.entries, &own, |one| Some((one.fingerprint, &one.path)));
        // After a rename: only where no doubt is left.
        let once = |all: &[Entry], is_left: &dyn Fn(usize) -> bool| {
            let mut counts: FxHashMap<Fingerprint, usize> = FxHashMap::default();
            for (_, one) in all.iter().enumerate().filter(|(at, _)| is_left(*at)) {
                *counts.entry(one.fingerprint).or_default() += 1;
            }
            counts
        };
        let entries = once(&self.entries, &|at| !matching.taken[at]);
        let findings_left = once(&own, &|at| !matching.accepted[at]);
        let is_once =
            |one: &Entry| entries.get(&one.fingerprint) == Some(&1) && findings_left.get(&one.fingerprint) == Some(&1);
        matching.pass(&self.entries, &own, |one| is_once(one).then_some(one.fingerprint));
        // A rule that has another name now: its old one is an alias. One of a wider control tells no rule, and of a rule that
        // kept its name another fingerprint is another finding.
        let id = |one: &Entry| match catalog.named(&one.rule) {
            [rule] => Some(catalog.rules()[*rule].id.clone()).filter(|id| **id != *one.rule),
            _ => None,
        };
        matching.pass_by(
            &self.entries,
            |one| Some((id(one)?, one.path.clone(), one.at.clone())),
            &own,
            |one| Some((one.rule.clone(), one.path.clone(), one.at.clone())),
        );
        for (finding, accepted) in findings.iter_mut().zip(&matching.accepted) {
            finding.status = match (finding.status, accepted) {
                (None | Some(Status::New), true) => Some(Status::Old),
                (None, false) => Some(Status::New),
                (status, _) => status,
            };
        }
        let name = format!("the baseline {}", self.path);
        let mut comparison = match comparison {
            // What a base had and the change has mended is told already; what the base had not was gone before.
            Some(comparison) => {
                return Comparison { against: format!("{} and {name}", comparison.against), ..comparison };
            }
            None => Comparison { against: name, accepted: true, ..Comparison::default() },
        };
        let gone = self.entries.iter().zip(&matching.taken).filter(|(_, taken)| !**taken);
        comparison.fixed.extend(gone.map(|(entry, _)| {
            let rule = catalog.find(&entry.rule).map(|rule| &catalog.rules()[rule]);
            Fixed {
                root: "".into(),
                path: entry.path.strip_prefix(prefix).unwrap_or(&entry.path).to_string(),
                line: 0,
                rule: entry.rule.as_str().into(),
                severity: rule.map_or(Severity::Low, |rule| rule.severity),
                message: format!("{} is no longer found", entry.at),
                address: entry.at.split('/').next().unwrap_or("").into(),
            }
        }));
        comparison.fixed.sort();
        comparison
    }
}

fn entry(finding: &Finding, sources: &Sources, prefix: &str) -> Entry {
    let at = match (&*finding.address, finding.attribute.as_str()) {
        ("", attribute) => attribute.to_string(),
        (address, "") => address.to_string(),
        (address, attribute) => format!("{address}/{attribute}"),
    };
    Entry {
        path: format!("{prefix}{}", sources.get(finding.at.file).path()),
        at,
        rule: finding.rule.to_string(),
        fingerprint: finding.fingerprint,
    }
}

/// Writes the baseline of these findings.
pub fn write<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    sources: &Sources,
    prefix: &str,
    out: &mut dyn Write,
) -> io::Result<usize> {
    let mut entries: Vec<Entry> = findings.map(|finding| entry(finding, sources, prefix)).collect();
    entries.sort();
    out.write_all(b"[")?;
    for (at, entry) in entries.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, entry)?;
    }
    out.write_all(b"\n]\n")?;
    Ok(entries.len())
}

struct Matching {
    taken: Vec<bool>,
    accepted: Vec<bool>,
}

impl Matching {
    /// Matches what is left by a key, each entry once.
    fn pass<'a, K: Eq + std::hash::Hash>(
        &mut self,
        entries: &'a [Entry],
        own: &'a [Entry],
        key: impl Fn(&'a Entry) -> Option<K>,
    ) {
        self.pass_by(entries, &key, own, &key);
    }

    /// Matches what is left by a key of the entries and one of the findings.
    fn pass_by<'a, K: Eq + std::hash::Hash>(
        &mut self,
        entries: &'a [Entry],
        entry_key: impl Fn(&'a Entry) -> Option<K>,
        own: &'a [Entry],
        own_key: impl Fn(&'a Entry) -> Option<K>,
    ) {
        let mut left: FxHashMap<K, Vec<usize>> = FxHashMap::default();
        for (at, entry) in entries.iter().enumerate().rev().filter(|(at, _)| !self.taken[*at]) {
            if let Some(key) = entry_key(entry) {
                left.entry(key).or_default().push(at);
            }
        }
        for (at, finding) in own.iter().enumerate() {
            if self.accepted[at] {
                continue;
            }
            if let Some(entry) = own_key(finding).and_then(|key| left.get_mut(&key)?.pop()) {
                self.taken[entry] = true;
                self.accepted[at] = true;
            }
        }
    }
}
