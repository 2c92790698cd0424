//! The form of a rule: one YAML entry with everything a person reads about it, its check and its examples.
//!
//! The build script and the loader of users' policies share this module, so both refuse the same mistakes with the same
//! words. It stands alone: it uses nothing of the crate but [`Severity`].

// The build script loads this file by its path, so that its part needs one too.
#[path = "schema/names.rs"]
mod names;
#[path = "schema/read.rs"]
mod read;

pub use names::wrong_names;
pub use read::{parse, parse_rego};
use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// A rule without its prose: what selecting and judging need.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// `<provider or tool>-<service>-<defect>`, kebab-case.
    pub id: String,
    /// One line that names the defect, at most 100 characters.
    pub title: String,
    /// Severity unless the configuration says otherwise.
    pub severity: Severity,
    /// Ids of the same control in other tools, those that it shares with other rules among them.
    pub aliases: Vec<String>,
    /// The aliases of a wider control elsewhere, which several rules cover together: each of them says so.
    pub shared_aliases: Vec<String>,
    /// Ids of narrower controls elsewhere: whoever accepts them there means this rule too. They don't select it.
    pub accepted_as: Vec<String>,
    /// Rules that say nothing more where this one finds something: theirs is the wider or the weaker claim about the same cause.
    pub implies: Vec<String>,
    /// Provider, service and subject; at most ten.
    pub tags: Vec<String>,
    /// Named sets of rules it belongs to: `hipaa`, `pss-restricted`.
    pub packs: Vec<String>,
    /// Framework and its references.
    pub compliance: Vec<(String, Vec<String>)>,
    /// Whether it runs when nothing is selected.
    pub default: bool,
    /// Whether the check guesses from names or shapes; false when it states facts.
    pub heuristic: bool,
    /// The message of a finding in place of the one made from the condition; `{address}`, `{name}`, `{path}` and `{value}` are
    /// replaced.
    pub message: Option<String>,
    /// Whether the value that it finds is a secret, which no report may show.
    pub sensitive: bool,
    /// How it is checked.
    pub check: Check,
}

/// What a person reads about a rule beside its title.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Prose {
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub fix: String,
    /// Examples that must fire, on the lines marked `# expect`.
    pub bad: Vec<Example>,
    /// Examples that must stay silent.
    pub good: Vec<Example>,
    /// The part of `gate.yaml` under which the examples are judged, for rules that do nothing without options.
    pub example_config: Option<String>,
}

/// One example, in one format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Example {
    /// The frontend's name: `terraform`, `kubernetes`, `dockerfile`.
    pub format: String,
    /// The text of the file.
    pub text: String,
}

/// The three kinds of check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Check {
    /// Selectors, a path and a condition.
    Table(Table),
    /// The name of a Rust function.
    Native(String),
    /// A Rego module: its text, compiled into the catalog, and the resources that it sees.
    Rego(Rego),
    /// Not at all: another tool has checked it, and its results are imported.
    Imported,
}

/// A Rego check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rego {
    /// Path of the module, for messages.
    pub path: String,
    /// The module's text.
    pub text: String,
    /// What the module is given; it runs only if there is such a resource.
    pub targets: Vec<Target>,
    /// The form in which it is given.
    pub input: Input,
    /// Which of its rules give findings: those called so, alone or with `_` and more after it.
    pub verdicts: Vec<String>,
}

/// What a Rego module finds in `input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// `{"resources": […]}` with all that the targets select.
    Resources,
    /// One object as it stands, the module being asked once for each.
    Document,
}

/// The rules of a Rego module that give findings, as OPA and conftest call them.
pub const VERDICTS: &[&str] = &["deny", "violation", "warn"];

/// A table check: for every target's resource that passes the filter, the demand is held against what the path leads to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Selectors, one or more.
    pub targets: Vec<Target>,
    /// Only resources for which this holds.
    pub filter: Option<Condition>,
    /// What must or must not be.
    pub demand: Demand,
    /// What a value that is not there means; by default a `fail` passes and an `expect` fails.
    pub absent: Option<Absent>,
}

/// One selector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The frontend's name, or `view`.
    pub format: String,
    /// Resource types or kinds; a trailing `*` matches any end.
    pub kinds: Vec<String>,
    /// Dotted path into the resource; lists fan out. Empty for the resource itself.
    pub path: String,
}

/// The demand of a table check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Demand {
    /// A finding wherever the condition holds.
    Fail(Condition),
    /// A finding for each of these conditions that does not hold. Where there are several, each value that an `each` among them
    /// leads to counts for itself: one that is bad hides no other.
    Expect(Vec<Condition>),
}

impl Demand {
    /// What is asked, one by one.
    pub fn conditions(&self) -> &[Condition] {
        match self {
            Demand::Fail(condition) => std::slice::from_ref(condition),
            Demand::Expect(conditions) => conditions,
        }
    }
}

/// What an absent value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Absent {
    /// The default is secure.
    Pass,
    /// The default is insecure.
    Fail,
}

/// A condition on one value, or on parts below it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Condition {
    /// The same scalar; strings that read as a boolean or number equal those.
    Equals(Scalar),
    /// Equal to one of these.
    In(Vec<Scalar>),
    /// A number below this.
    LessThan(f64),
    /// A number above this.
    MoreThan(f64),
    /// A string that the regular expression finds a match in.
    Matches(String),
    /// A string with this part, or a list with this element.
    Contains(Scalar),
    /// There and not null, or not.
    Present(bool),
    /// Absent, null, `""`, `[]` or `{}`, or none of these.
    Empty(bool),
    /// A value that the code holds itself, and not empty; what is computed or read from elsewhere is none. Or the opposite.
    Written(bool),
    /// A CIDR block (or a list with one) that stands for the internet: `0.0.0.0/0`, `::/0`, or wider than /8.
    CidrOpen(bool),
    /// A string that is or contains `*`.
    Wildcard(bool),
    /// The condition at a path below: some value there satisfies it.
    At(String, Box<Condition>),
    /// The condition at a path below: every value there satisfies it; holds where there is none.
    Each(String, Box<Condition>),
    /// At least one.
    Any(Vec<Condition>),
    /// All.
    All(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// A resource of one of these kinds that refers to this one, or is referred to, satisfies the condition.
    Linked(Vec<String>, Option<Box<Condition>>),
}

impl Table {
    /// Whether the check looks at nothing but the resource itself.
    pub fn is_local(&self) -> bool {
        !self.demand.conditions().iter().any(Condition::is_linked)
            && !self.filter.as_ref().is_some_and(Condition::is_linked)
    }
}

impl Condition {
    fn is_linked(&self) -> bool {
        match self {
            Condition::Linked(..) => true,
            Condition::At(_, inner) | Condition::Each(_, inner) | Condition::Not(inner) => inner.is_linked(),
            Condition::Any(all) | Condition::All(all) => all.iter().any(Condition::is_linked),
            _ => false,
        }
    }
}

/// A scalar in a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Bool(bool) => write!(f, "{bool}"),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::String(text) => write!(f, "{text:?}"),
        }
    }
}

/// A mistake in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line of the rule's entry, from 1.
    pub line: usize,
    /// What is wrong: names the rule and the key.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Formats that selectors and examples may name; a test holds this to the frontends.
pub const FORMATS: &[&str] = &["terraform", "kubernetes", "dockerfile", "compose", "yaml"];

/// Views that table rules may select, beside formats.
pub const VIEWS: &[&str] =
    &["pod", "container", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet"];
