//! What rules find, ready for reports: places resolved, nothing left to look up in the model.

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use crate::severity::Severity;
use crate::source::Span;

/// One violation of one rule at one place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The rule's severity, or what the configuration makes of it.
    pub severity: Severity,
    /// One sentence: the resource, the value seen, the value wanted. No full stop.
    pub message: String,
    /// The line to mend, never more than one line for something missing.
    pub at: Span,
    /// Address of the resource; empty for findings about a file.
    pub address: Arc<str>,
    /// The root of the resource: the folder of a root module, the file of an object or the kustomization that makes it; empty for
    /// findings about a file.
    pub root: Arc<str>,
    /// Path of the attribute inside the resource that was judged (`ingress.cidr_blocks`); may be empty.
    pub attribute: String,
    /// Module calls and origins of the value, outermost first.
    pub related: Vec<Related>,
    /// All of the resource, for suppressions on its header.
    pub scope: Option<Span>,
    /// Set when the finding holds for some values of an unknown only.
    pub possible: bool,
    /// The environments of `terraform.environments` in which it holds; empty where it holds in all, or there are none.
    pub environments: Vec<Arc<str>>,
    /// The place holds a secret: reports hide the text under it.
    pub sensitive: bool,
    /// It speaks of one container of a pod or task, and not of all.
    pub is_of_container: bool,
    /// Rule, address, attribute and the normalized text of the value; free of line numbers. Hexadecimal.
    pub fingerprint: String,
    /// How it stands to the base of a change or to a baseline; none where nothing was compared.
    pub status: Option<Status>,
    /// The other tools that say it, by their imported results, sorted; empty where gate alone does.
    pub tools: Vec<Arc<str>>,
    /// Where the value is used that was judged, though [`Finding::at`] be the line that decided it. Empty where another tool
    /// speaks of a file and of none of its lines.
    pub judged: Span,
}

impl Finding {
    /// A finding about a file, with nothing but what all have; its fingerprint is empty.
    pub fn new(rule: impl Into<Arc<str>>, severity: Severity, message: String, at: Span) -> Finding {
        Finding {
            rule: rule.into(),
            severity,
            message,
            at,
            address: "".into(),
            root: "".into(),
            attribute: String::new(),
            related: Vec::new(),
            scope: None,
            possible: false,
            environments: Vec::new(),
            sensitive: false,
            is_of_container: false,
            fingerprint: String::new(),
            status: None,
            tools: Vec::new(),
            judged: at,
        }
    }

    /// Whether it closes the gate if it is severe enough: what was there before the change does not.
    pub fn counts(&self) -> bool {
        self.status != Some(Status::Old)
    }
}

/// A hash of what makes findings one: hexadecimal, 32 characters. No part runs into the next.
pub fn fingerprint<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How a finding stands to what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It was not there.
    New,
    /// It was there and has become worse: a higher severity, a wider exposure.
    Worse,
    /// It was there.
    Old,
}

impl Status {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Worse => "worse",
            Status::Old => "old",
        }
    }
}

/// A second place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub at: Span,
    /// What is there: `module.db is called here`, `var.public gets its value here`.
    pub message: String,
}

/// A finding that a suppression took out of the verdict.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why, in the words of whoever suppressed it; empty when the dialect has no reason.
    pub reason: String,
    /// Where the suppression stands: a comment, an annotation, an entry of gate.yaml (then none).
    pub at: Option<Span>,
    /// The dialect: `gate`, `checkov`, `trivy`, `tfsec`, `hadolint`, `kics`, `kube-linter`, `config`, `sarif`.
    pub dialect: &'static str,
    /// Last day on which it acts, `2027-03-01`.
    pub until: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}
