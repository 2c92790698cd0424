//! Checks written in Rust: a name, the view that the function takes, and the function.
//!
//! The engine walks; the function checks. Id, title, severity and prose are in `policies/`, never here.

mod aws;
mod bastion;
mod compose;
mod containers;
mod dockerfile;
mod ecs;
mod groups;
mod iam;
pub(super) mod kubernetes;
mod network;
mod privileges;
pub mod secrets;
mod subnets;
pub mod terraform;
mod waf;

use std::sync::Arc;

use crate::model::{DECIDED, Lookup, Model, Node, Resource, ResourceId, Value, hash_in_rule};
use crate::secret;
use crate::source::{Sources, Span};

use super::options::Options;

/// What a check is given beside its subject.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Everything that was read.
    pub model: &'a Model,
    /// The texts, for rules about layout.
    pub sources: &'a Sources,
    /// What the configuration tells rules.
    pub options: &'a Options,
}

/// The view that a native check takes. The engine calls the function once for each.
#[derive(Clone, Copy)]
pub enum Native {
    /// Each resource of these kinds of one format; a trailing `*` matches any end.
    Resource(&'static str, &'static [&'static str], fn(&Cx, ResourceId, &Resource, &mut Findings)),
    /// Each pod of a workload.
    Pod(fn(&Cx, ResourceId, crate::model::view::pod::Pod<'_>, &mut Findings)),
    /// Each Dockerfile.
    Dockerfile(fn(&Cx, &crate::model::dockerfile::Dockerfile, &mut Findings)),
    /// Once for the whole scan.
    Project(fn(&Cx, &mut Findings)),
    /// Once, with all rules at hand: what a namespace's admission refuses.
    Admission,
    /// Each observation of this name that a frontend made; its message is the finding's.
    Observed(&'static str),
    /// None by the engine: what is wrong with suppressions is known once they are held against findings.
    Suppressions,
}

/// Every native check by the name that rules use; one slice per subject.
pub const NATIVE: &[&[(&str, Native)]] = &[
    LANGUAGE,
    SUPPRESSIONS,
    aws::CHECKS,
    bastion::CHECKS,
    compose::CHECKS,
    compose::mounts::CHECKS,
    compose::ports::CHECKS,
    ecs::CHECKS,
    groups::CHECKS,
    subnets::CHECKS,
    waf::CHECKS,
    containers::CHECKS,
    dockerfile::build::CHECKS,
    dockerfile::caches::CHECKS,
    dockerfile::commands::CHECKS,
    dockerfile::instructions::CHECKS,
    dockerfile::labels::CHECKS,
    dockerfile::packages::CHECKS,
    dockerfile::secrets::CHECKS,
    dockerfile::stages::CHECKS,
    dockerfile::verification::CHECKS,
    iam::CHECKS,
    network::CHECKS,
    privileges::CHECKS,
    secrets::CHECKS,
    secrets::manifests::CHECKS,
    terraform::CHECKS,
];

/// What the frontends saw themselves.
const LANGUAGE: &[(&str, Native)] = &[
    ("terraform-undeclared-reference", Native::Observed("terraform-undeclared-reference")),
    ("terraform-duplicate-block", Native::Observed("terraform-duplicate-block")),
    ("terraform-missing-module-argument", Native::Observed("terraform-missing-module-argument")),
    ("terraform-unknown-module-argument", Native::Observed("terraform-unknown-module-argument")),
    ("terraform-cycle", Native::Observed("terraform-cycle")),
    ("yaml-duplicate-key", Native::Observed("yaml-duplicate-key")),
    ("yaml-tab", Native::Observed("yaml-tab")),
    ("yaml-truthy", Native::Observed("yaml-truthy")),
    ("yaml-octal", Native::Observed("yaml-octal")),
    ("yaml-shortened-version", Native::Observed("yaml-shortened-version")),
    ("yaml-extra-document", Native::Observed("yaml-extra-document")),
];

/// What suppressions are told themselves.
const SUPPRESSIONS: &[(&str, Native)] = &[
    ("gate-unused-suppression", Native::Suppressions),
    ("gate-expired-suppression", Native::Suppressions),
    ("gate-suppression-without-reason", Native::Suppressions),
];

/// The native check of this name.
pub fn find(name: &str) -> Option<Native> {
    NATIVE
        .iter()
        .chain(kubernetes::CHECKS)
        .copied()
        .flatten()
        .find(|(known, _)| *known == name)
        .map(|(_, native)| *native)
}

/// Takes what one rule finds in one subject.
#[derive(Default)]
pub struct Findings {
    /// The findings.
    pub found: Vec<Found>,
    /// How many checks met an unknown value and could not be decided.
    pub undecided: usize,
    resource: Option<ResourceId>,
}

/// One finding before the engine gives it rule, severity and fingerprint.
#[derive(Debug, Clone)]
pub struct Found {
    /// The resource that it speaks of.
    pub resource: Option<ResourceId>,
    /// The address, where there is one but no resource.
    pub address: Option<Arc<str>>,
    /// Where the value stands.
    pub at: Span,
    /// Where the value was decided, nearest step first.
    pub trail: Option<Arc<crate::model::Trail>>,
    /// Path of the attribute.
    pub attribute: String,
    /// The message, without the address.
    pub message: String,
    /// Further places.
    pub related: Vec<crate::finding::Related>,
    /// The place holds a secret that no report may print.
    pub sensitive: bool,
    /// It holds for one value of a conditional only, whose condition is not known.
    pub possible: bool,
    /// It is less severe than the rule says, by one step.
    pub is_milder: bool,
    /// The container of a pod or task that it speaks of; none where it speaks of all.
    pub container: Option<Arc<str>>,
    /// A hash of the value; 0 where nothing is there.
    pub value: u64,
    /// A hash of the secret that it speaks of, where the text at the place is another one.
    pub secret: Option<u64>,
    /// Which of the things that a list must hold it lacks, a bit for each that the rule names.
    pub lacks: u64,
    /// What tells a sensitive place from others in its fingerprint, since its text must not be guessed from that. Only what
    /// can't be guessed, such as a long random token, may stand here.
    pub identity: Option<String>,
}

impl Findings {
    /// For checks of this resource.
    pub fn of(resource: Option<ResourceId>) -> Findings {
        Findings { resource, ..Findings::default() }
    }

    /// Speaks of another resource from here on; project-wide checks say so before each finding.
    pub fn about(&mut self, resource: ResourceId) -> &mut Findings {
        self.resource = Some(resource);
        self
    }

    /// A finding about the value of `node`, at the path `attribute` of the resource. The node's trail moves the finding to
    /// the line that decided the value.
    pub fn fail(&mut self, node: &Node, attribute: impl Into<String>, message: impl Into<String>) -> &mut Found {
        let found = self.at(node.span, attribute, message);
        found.trail.clone_from(&node.trail);
        found.value = node.hash_of_value();
        found
    }

    /// As [`Findings::fail`], but at the place that chose the value: the resource that it was taken from is right in itself.
    pub fn fail_at_choice(
        &mut self,
        node: &Node,
        attribute: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Found {
        let found = self.at(node.span, attribute, message);
        found.value = node.hash_of_value();
        if let Some(trail) = &node.trail {
            let is_resource = |what: &str| what.starts_with("aws_") || what.starts_with("data.");
            let mut steps: Vec<_> = trail.steps.iter().take_while(|step| !is_resource(&step.what)).cloned().collect();
            // An output hands on what its module made.
            while steps.last().is_some_and(|step| &*step.what == DECIDED || step.what.starts_with("module.")) {
                steps.pop();
            }
            found.trail = (!steps.is_empty()).then(|| Arc::new(crate::model::Trail { steps }));
        }
        found
    }

    /// A finding at a place.
    pub fn at(&mut self, at: Span, attribute: impl Into<String>, message: impl Into<String>) -> &mut Found {
        self.found.push(Found {
            resource: self.resource,
            address: None,
            at,
            trail: None,
            attribute: attribute.into(),
            message: message.into(),
            related: Vec::new(),
            sensitive: false,
            possible: false,
            is_milder: false,
            container: None,
            value: 0,
            secret: None,
            lacks: 0,
            identity: None,
        });
        self.found.last_mut().expect("one was pushed")
    }

    /// A check that an unknown value leaves open: counted and shown, no finding (unless `--strict`).
    pub fn undecided(&mut self) {
        self.undecided += 1;
    }

    /// Fails at `node` when the lookup is the boolean `bad`, counts an unknown, passes otherwise. Absent counts as
    /// `default`; a bad default is reported at the nearest parent.
    pub fn boolean(&mut self, lookup: Lookup<'_>, attribute: &str, bad: bool, default: bool) {
        match lookup {
            Lookup::Unknown(_) => self.undecided(),
            Lookup::Known(node) if node.as_bool() == Some(bad) => {
                self.fail(node, attribute, format!("{attribute} is {bad}, wanted {}", !bad));
            }
            Lookup::Absent(node) if default == bad => {
                self.at(node.span, attribute, format!("{attribute} is not set and defaults to {bad}, wanted {}", !bad));
            }
            _ => {}
        }
    }
}

impl Found {
    /// Adds a place that explains the finding.
    pub fn related(&mut self, at: Span, message: impl Into<String>) -> &mut Found {
        self.related.push(crate::finding::Related { at, message: message.into() });
        self
    }

    /// Says that it speaks of the container of this name or title.
    pub fn of_container(&mut self, name: &str) -> &mut Found {
        self.message = format!("container {name}: {}", self.message);
        self.container = Some(name.into());
        self
    }

    /// Says that it speaks of a value in this rule or statement, which another one may have too.
    pub fn in_rule(&mut self, rule: &Node) -> &mut Found {
        if self.value != 0 {
            self.value = hash_in_rule(self.value, rule.hash_of_value());
        }
        self
    }

    /// Makes it one step less severe than its rule.
    pub fn milder(&mut self) -> &mut Found {
        self.is_milder = true;
        self
    }

    /// Keeps the value out of every report. The text at the place is the secret.
    pub fn sensitive(&mut self) -> &mut Found {
        self.sensitive = true;
        self
    }

    /// As [`Found::sensitive`], where the text at the place may be a reference to the secret, or more than it.
    pub fn holds(&mut self, secret: &str) -> &mut Found {
        self.secret = Some(secret::hash_of(secret));
        self.sensitive()
    }
}

/// A value as a message shows it: short, quoted, never a whole document.
pub fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", secret::shortened(text)),
        Value::List(items) if items.is_empty() => "empty".into(),
        Value::List(items) => match items.iter().map(show).collect::<Vec<_>>() {
            shown if shown.len() <= 3 => format!("[{}]", shown.join(", ")),
            shown => format!("[{}, … {} more]", shown[..2].join(", "), shown.len() - 2),
        },
        Value::Map(_) => "a block".into(),
        Value::Unknown(_) => "unknown".into(),
    }
}

/// As [`show`], for the value of an attribute: not where its name says that it is a secret.
pub fn show_of(attribute: &str, node: &Node) -> String {
    let is_secret = |node: &Node| node.as_str().is_some_and(secret::may_be_secret);
    match names_secret(attribute) && (is_secret(node) || node.items().iter().any(is_secret)) {
        true => format!("\"{}\"", secret::HIDDEN),
        false => show(node),
    }
}

/// Whether the last part of the path of an attribute is the name of a secret: `stages[].client_secret`.
pub fn names_secret(attribute: &str) -> bool {
    let last = attribute.rsplit('.').next().unwrap_or(attribute);
    secret::is_secret_name(last.split('[').next().unwrap_or(last))
}
