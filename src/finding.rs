//! What rules find, ready for reports: places resolved, nothing left to look up in the model.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
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
    /// Path of the attribute inside the resource that was judged (`ingress.cidr_blocks`); may be empty.
    pub attribute: String,
    /// Module calls and origins of the value, outermost first.
    pub related: Vec<Related>,
    /// The root of the resource, which tells its instances apart: the root module that made it, the kustomization, the file; empty
    /// for findings about a file.
    pub root: Arc<str>,
    /// All of the resource, for suppressions on its header.
    pub scope: Option<Span>,
    /// Set when the finding holds for some values of an unknown only.
    pub possible: bool,
    /// The environments of `terraform.environments` in which it holds; empty where it holds in all, or there are none.
    pub environments: Vec<Arc<str>>,
    /// The place holds a secret: reports hide the text under it.
    pub sensitive: bool,
    /// The container of a pod or task that it speaks of; none where it speaks of all.
    pub container: Option<Arc<str>>,
    /// A hash of the value that was judged, of a sensitive finding of the secret itself, in whatever form it is written; 0 where
    /// nothing is there. No report has it: a short secret could be guessed from it.
    pub value: u64,
    /// Which of the things that a list must hold it lacks, a bit for each that the rule names.
    pub lacks: u64,
    /// Rule, address, attribute and the normalized text of the value; free of line numbers.
    pub fingerprint: Fingerprint,
    /// How it stands to the base of a change or to a baseline; none where nothing was compared.
    pub status: Option<Status>,
    /// The other tools that say it, by their imported results, sorted; empty where gate alone does.
    pub tools: Vec<Arc<str>>,
    /// Where the value is used that was judged, though [`Finding::at`] be the line that decided it. Empty where another tool
    /// speaks of a file and of none of its lines.
    pub judged: Span,
}

impl Finding {
    /// A finding about a file, with nothing but what all have; its fingerprint is zero.
    pub fn new(rule: impl Into<Arc<str>>, severity: Severity, message: String, at: Span) -> Finding {
        Finding {
            rule: rule.into(),
            severity,
            message,
            at,
            address: "".into(),
            attribute: String::new(),
            related: Vec::new(),
            root: "".into(),
            scope: None,
            possible: false,
            environments: Vec::new(),
            sensitive: false,
            container: None,
            value: 0,
            lacks: 0,
            fingerprint: Fingerprint::default(),
            status: None,
            tools: Vec::new(),
            judged: at,
        }
    }

    /// Whether a reader could not tell one from the other: instances that several roots make of one module.
    pub fn reads_like(&self, other: &Finding) -> bool {
        (self.at, &self.rule, &self.address, &self.message) == (other.at, &other.rule, &other.address, &other.message)
    }

    /// Stands for another one that reads like it, too, and says so: of several values none is the one that was judged, and several
    /// secrets are others than one.
    pub fn takes_in(&mut self, other: &Finding) -> bool {
        if self.value != other.value {
            self.value = if self.sensitive { self.value.wrapping_add(other.value) } else { 0 };
        }
        self.lacks |= other.lacks;
        true
    }

    /// Whether it closes the gate if it is severe enough: what was there before the change does not.
    pub fn counts(&self) -> bool {
        self.status != Some(Status::Old)
    }
}

/// A hash of what makes findings one: half of a SHA-256, written as 32 hexadecimal digits. In bytes, since a repository has
/// thousands of findings and a text costs three times as much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of these parts, none of which runs into the next.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Fingerprint {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Fingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Fingerprint, Self::Err> {
        let is_hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hexadecimal.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(|number| Fingerprint(number.to_be_bytes())).ok_or("a fingerprint has 32 hexadecimal digits")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
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

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let one = Fingerprint::of(["aws-ec2-open-ssh", "aws_security_group.bastion"]);
        assert_ne!(one, Fingerprint::of(["aws-ec2-open-sshaws_security_group.bastion"]));
        assert_eq!(one.to_string().parse(), Ok(one));
        let zero = Fingerprint::default();
        assert_eq!(zero.to_string(), "0".repeat(32));
        for text in ["", "12", &format!("+{}", "1".repeat(31)), &"g".repeat(32), &"1".repeat(33)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
