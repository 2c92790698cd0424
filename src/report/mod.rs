//! Output formats. Reports know findings, problems, counts, rule texts and what is to be hidden, and nothing else of the model.
//!
//! A new format is one file here and one entry in [`FORMATS`].

pub(crate) mod encode;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod markdown;
mod mask;
#[cfg(test)]
mod sample;
pub mod sarif;
mod snippet;
pub mod text;

use std::io::{self, Write};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};

use crate::finding::{Finding, Severity, Status, Suppressed};
use crate::model::Secret;
use crate::problem::Problem;
use crate::rules::native::secrets::named::Named;
use crate::source::{Sources, Span};

/// Everything a report may say. Sorted: findings by path, line, column, rule; problems by path and place.
pub struct Report<'a> {
    /// Texts of all files read.
    pub sources: &'a Sources,
    /// The secrets in them, whatever rules have run.
    pub secrets: Vec<Secret>,
    /// The values of the model that names call secrets.
    pub named: Vec<Named>,
    /// Findings in force.
    pub findings: Vec<Finding>,
    /// Findings taken out of the verdict.
    pub suppressed: Vec<Suppressed>,
    /// What could not be read or judged.
    pub problems: Vec<Problem>,
    /// What every rule with a finding says to people, by rule id (sorted).
    pub rules: Vec<RuleText>,
    /// What was done.
    pub counts: Counts,
    /// The threshold: findings at or above it fail. None for `never`.
    pub fail_on: Option<Severity>,
    /// Whether all problems and what is possible only count (`--strict`).
    pub strict: bool,
    /// What the run exits with.
    pub verdict: Verdict,
    /// Path from the root of the repository to the root of the scan (`""` or `infra/`), put before every path in SARIF.
    pub prefix: String,
    /// What the findings were compared with, and what came of it; none where they stand for themselves.
    pub comparison: Option<Comparison>,
}

/// What a change did, beside the [`crate::finding::Status`] of every finding.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// What was compared with, for people: `main (1a2b3c4d5e6f)`, `the baseline .gate-baseline.json`.
    pub against: String,
    /// Whether a baseline file accepts what is old, so that code scanning is not told of it.
    pub accepted: bool,
    /// Findings that are gone, by path and line.
    pub fixed: Vec<Fixed>,
    /// What the change adds that would weaken the verdict, and that does not act before it is merged; by path and place.
    pub proposed: Vec<Proposal>,
}

/// A finding that is gone. Its place is in the texts before the change, which the report does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed {
    /// Path relative to the root of the scan.
    pub path: String,
    /// Line, from 1, before the change; 0 where nobody knows.
    pub line: u32,
    /// The rule's id.
    pub rule: Arc<str>,
    /// Its severity.
    pub severity: Severity,
    /// What it said.
    pub message: String,
    /// Address of the resource; empty for findings about a file.
    pub address: Arc<str>,
    /// As [`Finding::root`]; empty where nobody knows.
    pub root: Arc<str>,
}

/// Something in the change that would weaken the verdict: a suppression, a setting, a policy that is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proposal {
    /// Path relative to the root of the scan.
    pub path: String,
    /// Where, if it stands in a text of the scan.
    pub at: Option<Span>,
    /// What it would do: lower case, no full stop.
    pub message: String,
}

impl Report<'_> {
    /// Leaves one of those findings that read the same, since several roots make what stands in one place: the worst of them,
    /// which come first. What still stands in one root is not told as mended in another.
    pub fn tell_once(&mut self) {
        if let Some(comparison) = &mut self.comparison {
            let path = |finding: &Finding| self.sources.get(finding.at.file).path();
            let mut roots: FxHashMap<(&str, &str, &str), Vec<&str>> = FxHashMap::default();
            for one in self.findings.iter().filter(|one| !one.root.is_empty()) {
                roots.entry((path(one), &one.rule, &one.message)).or_default().push(&one.root);
            }
            comparison.fixed.retain(|one| {
                let standing = roots.get(&(one.path.as_str(), &*one.rule, one.message.as_str()));
                one.root.is_empty() || standing.is_none_or(|roots| roots.iter().all(|root| **root == *one.root))
            });
            comparison.fixed.dedup_by(|again, one| {
                (again.line, &again.rule, &again.message) == (one.line, &one.rule, &one.message)
                    && again.path == one.path
            });
        }
        self.findings.dedup_by(|again, one| {
            let is_told = again.reads_like(one);
            if is_told {
                one.tools.append(&mut again.tools);
                one.tools.sort();
                one.tools.dedup();
            }
            is_told
        });
        self.suppressed.sort_by(|a, b| {
            let key = |one: &Suppressed| (one.finding.at, one.at);
            (key(a), &a.finding.rule, &a.finding.address, &a.finding.message, &a.reason).cmp(&(
                key(b),
                &b.finding.rule,
                &b.finding.address,
                &b.finding.message,
                &b.reason,
            ))
        });
        self.suppressed.dedup_by(|again, one| {
            again.finding.reads_like(&one.finding) && (again.at, &again.reason) == (one.at, &one.reason)
        });
    }

    /// The findings in force, worst first; those of one severity by path, line and column.
    pub fn worst_first(&self) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    /// The findings that are shown to people, worst first: of those that were there before a change only what is asked for,
    /// below what the change makes.
    pub fn shown(&self, style: Style) -> Vec<&Finding> {
        let mut findings = self.worst_first();
        if self.comparison.is_some() {
            findings.retain(|finding| style.show_old || finding.counts());
            findings.sort_by_key(|finding| !finding.counts());
        }
        findings
    }

    /// How many findings in force have this status.
    pub fn with_status(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == Some(status)).count()
    }

    /// Whether a problem keeps the verdict from being whole.
    pub fn closes(&self, problem: &Problem) -> bool {
        self.strict || problem.kind.closes()
    }

    /// The problems that keep the verdict from being whole.
    pub fn closing(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| self.closes(problem))
    }

    /// Whether a finding would close the gate if it is severe enough: neither one that was there before, nor one that holds
    /// for some values of an unknown only, unless such count.
    pub fn may_close(&self, finding: &Finding) -> bool {
        finding.counts() && (self.strict || !finding.possible)
    }

    /// What was found, worst first, for the line of the verdict: `1 critical, 2 high, 1 possible high`; of a change what it
    /// makes: `1 new high`. `paint` is given every part with its severity.
    pub fn found(&self, paint: impl Fn(Severity, &str) -> String) -> String {
        let statuses: &[(Option<Status>, &str)] = match self.comparison {
            None => &[(None, "")],
            Some(_) => &[(Some(Status::New), "new "), (Some(Status::Worse), "worse ")],
        };
        let mut parts = Vec::new();
        for severity in Severity::ALL {
            for ((status, name), possible) in statuses.iter().flat_map(|one| [(one, false), (one, true)]) {
                let is_meant = |finding: &&Finding| {
                    (finding.severity, finding.possible) == (severity, possible)
                        && (self.comparison.is_none() || finding.status == *status)
                };
                let count = self.findings.iter().filter(is_meant).count();
                if count > 0 {
                    let possible = if possible { "possible " } else { "" };
                    parts.push(paint(severity, &format!("{count} {name}{possible}{}", severity.name())));
                }
            }
        }
        match (parts.is_empty(), &self.comparison) {
            (true, None) => "no finding".into(),
            (true, Some(_)) => "nothing new".into(),
            (false, _) => parts.join(", "),
        }
    }

    /// How the findings stand to what they were compared with, in a line; empty where nothing was compared.
    fn changes(&self, style: Style) -> String {
        let Some(comparison) = &self.comparison else { return String::new() };
        let old = self.with_status(Status::Old);
        let hidden = if old > 0 && !style.show_old { " (not shown; --show-old shows them)" } else { "" };
        format!(
            "{} new, {} worse, {} fixed, {old} old unchanged{hidden}",
            self.with_status(Status::New),
            self.with_status(Status::Worse),
            comparison.fixed.len()
        )
    }

    /// What the rule says to people.
    fn rule(&self, id: &str) -> Option<&RuleText> {
        let index = self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok()?;
        self.rules.get(index)
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was read and judged, nothing at or above the threshold. Exit code 0.
    Pass,
    /// Findings at or above the threshold. Exit code 1.
    Fail,
    /// Could not be decided. Exit code 2.
    Undecided,
}

impl Verdict {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Undecided => 2,
        }
    }
}

/// What a rule says to people.
#[derive(Debug, Clone)]
pub struct RuleText {
    /// Id.
    pub id: Arc<str>,
    /// One line.
    pub title: String,
    /// Default severity.
    pub severity: Severity,
    /// Ids of the same control in other tools.
    pub aliases: Vec<String>,
    /// Provider, service, packs.
    pub tags: Vec<String>,
    /// Framework and its references: `("hipaa", ["164.312(a)(1)"])`.
    pub compliance: Vec<(String, Vec<String>)>,
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub fix: String,
    /// Bad examples, by format.
    pub bad: Vec<(String, String)>,
    /// Good examples, by format.
    pub good: Vec<(String, String)>,
    /// Whether the check rests on heuristics (SARIF precision medium) or on facts (high).
    pub heuristic: bool,
}

/// What was done, for the last lines of every report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that the walk met.
    pub files_seen: usize,
    /// Files read and judged, by format.
    pub files_read: Vec<(&'static str, usize)>,
    /// Files of no format that were searched for secrets.
    pub files_searched: usize,
    /// Files that belong to a format but were not read, with the reason.
    pub files_skipped: Vec<(String, String)>,
    /// Resources in the model.
    pub resources: usize,
    /// Rules that ran.
    pub rules_run: usize,
    /// Checks that met an unknown value, by rule id.
    pub undecided: Vec<(Arc<str>, usize)>,
    /// Module calls whose source is not there.
    pub modules_unread: usize,
}

/// A list whose items are made one by one while it is written, so that long ones take no memory.
struct Each<F>(F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator<Item = serde_json::Value>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// How a report is to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Use colors (terminal only).
    pub color: bool,
    /// Columns of the terminal; 0 where nobody knows: prose is then wrapped at 80, and lines of the tree are not.
    pub width: usize,
    /// List suppressed findings.
    pub show_suppressed: bool,
    /// List findings that were there before the change.
    pub show_old: bool,
    /// Verdict and counts only.
    pub quiet: bool,
}

/// An output format.
pub struct Format {
    /// The name after `--format`.
    pub name: &'static str,
    /// Writes the whole report.
    pub write: fn(&Report, Style, &mut dyn Write) -> io::Result<()>,
}

/// All formats.
pub const FORMATS: &[Format] = &[
    Format { name: "text", write: text::write },
    Format { name: "json", write: json::write },
    Format { name: "sarif", write: sarif::write },
    Format { name: "github", write: github::write },
    Format { name: "html", write: html::write },
    Format { name: "gitlab", write: gitlab::write },
    Format { name: "junit", write: junit::write },
    Format { name: "markdown", write: markdown::write },
    Format { name: "comment", write: markdown::write_comment },
];
