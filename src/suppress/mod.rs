//! Suppressions: comments, annotations and entries of `gate.yaml` that take findings out of the verdict.
//!
//! Comments are those that parsers found, never text that looks like one; JSON has members in their place. A suppression names its rules; gate's own also
//! need a reason and may end on a day. Rules of their own tell of those that have ended, give no reason or have nothing to act
//! on; notes tell of what else does not act.

mod annotated;
mod date;
mod dialect;
mod edit;
mod json;
mod near;
mod placed;
mod reach;
mod rewrite;
mod rules;
mod told;
mod words;

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

pub(crate) use crate::rules::normal_name;
pub use date::Date;
pub use edit::{Changed, LineEdit, changed, edited};
pub use near::{comments_in_scripts, comments_near, has_own_comments, own_comments};
pub use rewrite::{Left, Rewriting, rewrite};
pub use told::{is_about_suppressions, speaks_of_suppressions};

use self::placed::{Placed, Taken};
use self::rules::Rules;
use crate::config::Config;
use crate::discover::Discovered;
use crate::finding::{Finding, Suppressed};
use crate::model::{Model, Resource};
use crate::problem::{Problem, ProblemKind};
use crate::rules::Catalog;
use crate::source::{FileId, Span};

/// Names of the tools whose suppressions are understood.
pub const DIALECTS: &[&str] = &[
    "checkov",
    "trivy",
    "tfsec",
    "hadolint",
    "kics",
    "kube-linter",
    "detect-secrets",
    "gitleaks",
    "buildkit",
    "sarif",
];

/// What suppressions are held against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The texts, and which of them were asked for.
    pub discovered: &'a Discovered,
    /// The model that was judged.
    pub model: &'a Model,
    /// Every comment, sorted.
    pub comments: &'a [Span],
    /// All rules.
    pub catalog: &'a Catalog,
    /// Indices of the rules that ran: a suppression of another rule is not called unused.
    pub selected: &'a [usize],
    /// Indices of rules that are turned off.
    pub ignored: &'a FxHashSet<usize>,
    /// The configuration in force.
    pub config: &'a Config,
    /// The day by which suppressions end.
    pub today: Date,
}

/// Findings after suppressions.
#[derive(Debug, Default)]
pub struct Decided {
    /// Findings in force, in the order in which they came, and those about suppressions.
    pub kept: Vec<Finding>,
    /// Findings taken out of the verdict, in the order in which they came.
    pub suppressed: Vec<Suppressed>,
    /// Suppressions that do not act, as far as no rule tells of them: notes; and files with too many.
    pub notes: Vec<Problem>,
}

/// Holds findings against all suppressions of the files and the configuration.
pub fn apply(findings: Vec<Finding>, cx: &Context<'_>) -> Decided {
    let rules = Rules::new(cx);
    let Taken { placed, mut notes, mut told, .. } = Taken::from_files(cx, &rules);
    let entries = entries(cx, &rules, &mut notes);
    let mut by_file: FxHashMap<FileId, Vec<usize>> = FxHashMap::default();
    for (index, one) in placed.iter().enumerate() {
        one.files().into_iter().for_each(|file| by_file.entry(file).or_default().push(index));
    }
    let mut held = Held {
        cx,
        owners: owners(cx.model, placed.is_empty()),
        unignorable: cx.config.unignorable(cx.catalog).into_iter().collect(),
        by_file,
        placed,
        entries,
        suppressed: Vec::new(),
        notes,
    };
    // Kept where they lie: of a tree with many findings no second list is made.
    let mut kept = findings;
    kept.retain(|finding| held.keeps(finding));
    let is_about = |rule: usize| is_about_suppressions(&cx.catalog.rules()[rule]);
    told.extend(held.placed.iter().flat_map(|one| one.unused(cx, &rules, |rule| !is_about(rule))));
    let mut about = told::findings(cx, told, &mut held.notes);
    // They may be suppressed as well; of a suppression that finds none of them there is no further word to have.
    about.retain(|finding| held.keeps(finding));
    kept.extend(about);
    let idle = held.placed.iter().flat_map(|one| one.unused(cx, &rules, is_about));
    kept.extend(told::findings(cx, idle, &mut held.notes));
    let Held { entries, suppressed, mut notes, .. } = held;
    // An entry may speak of a rule of gate's and of the same one of a tool's whose results are imported.
    let used: BTreeSet<u32> = entries.iter().filter(|entry| entry.used).map(|entry| entry.form.line).collect();
    let idle = entries.iter().filter(|entry| !used.contains(&entry.form.line));
    notes.extend(idle.filter_map(|entry| entry.unused(cx, &rules)));
    notes.sort();
    notes.dedup();
    Decided { kept, suppressed, notes }
}

/// Where suppressions of files stand, each with a rule of which it reaches some of these findings.
pub fn acting<'f>(findings: impl Iterator<Item = &'f Finding>, cx: &Context<'_>) -> BTreeSet<(Span, usize)> {
    let Taken { placed, .. } = Taken::from_files(cx, &Rules::new(cx));
    let mut by_file: FxHashMap<FileId, Vec<&Placed>> = FxHashMap::default();
    for one in &placed {
        one.files().into_iter().for_each(|file| by_file.entry(file).or_default().push(one));
    }
    let owners = owners(cx.model, placed.is_empty());
    let mut acting = BTreeSet::new();
    for finding in findings {
        let Some(rule) = cx.catalog.find(&finding.rule) else { continue };
        let resources = resources_of(cx.model, &owners, finding);
        for one in files_of(finding, &resources).iter().filter_map(|file| by_file.get(file)).flatten() {
            if one.means(Some(rule), finding.sensitive) && one.reaches(finding, &resources, cx.discovered) {
                acting.insert((one.at, rule));
            }
        }
    }
    acting
}

/// All suppressions, against which findings are held.
struct Held<'c, 'a> {
    cx: &'c Context<'a>,
    placed: Vec<Placed>,
    by_file: FxHashMap<FileId, Vec<usize>>,
    entries: Vec<Entry<'a>>,
    owners: FxHashMap<&'a str, Vec<usize>>,
    unignorable: BTreeSet<&'a str>,
    suppressed: Vec<Suppressed>,
    notes: Vec<Problem>,
}

impl Held<'_, '_> {
    /// Whether no suppression takes a finding out of the verdict.
    fn keeps(&mut self, finding: &Finding) -> bool {
        let cx = self.cx;
        let resources = resources_of(cx.model, &self.owners, finding);
        let files = files_of(finding, &resources);
        let rule = cx.catalog.find(&finding.rule);
        let mut first: Option<usize> = None;
        let is_about = || rule.is_some_and(|rule| is_about_suppressions(&cx.catalog.rules()[rule]));
        let may = !self.unignorable.contains(&*finding.rule);
        for &index in files.iter().filter_map(|file| self.by_file.get(file)).flatten() {
            let one = &mut self.placed[index];
            if !one.means(rule, finding.sensitive) {
                continue;
            }
            // Whoever accepts all that is found in a place says nothing about suppressions there.
            if !one.names_rules() && is_about() {
                continue;
            }
            if !one.reaches(finding, &resources, cx.discovered) {
                continue;
            }
            one.use_for(rule);
            if !may {
                self.notes.push(one.note(cx, forbidden(&finding.rule, cx.config)));
            } else if first.is_none_or(|first| index < first) {
                first = Some(index);
            }
        }
        let mut by = first.map(|index| self.placed[index].suppressed(finding));
        for entry in &mut self.entries {
            if entry.rule != rule || !entry.reaches(finding, cx) {
                continue;
            }
            entry.used = true;
            if !may {
                let (message, help) = forbidden(&finding.rule, cx.config);
                self.notes.push(entry.note(cx, message, help));
            } else if by.is_none() {
                by = Some(entry.suppressed(finding));
            }
        }
        let is_kept = by.is_none();
        self.suppressed.extend(by);
        is_kept
    }
}

fn forbidden(rule: &str, config: &Config) -> (String, String) {
    let file = if config.path.is_empty() { "gate.yaml" } else { &config.path };
    (format!("{rule} can't be suppressed: {file} sets `ignorable: false` for it"), "mend the finding".into())
}

/// An entry of the configuration's `ignore`.
struct Entry<'a> {
    form: &'a crate::config::Ignore,
    rule: Option<usize>,
    used: bool,
}

fn entries<'a>(cx: &Context<'a>, rules: &Rules<'_>, notes: &mut Vec<Problem>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    for form in &cx.config.ignore {
        for rule in rules.resolve(&form.rule) {
            let entry = Entry { form, rule: Some(*rule), used: false };
            match form.until.filter(|until| *until < cx.today) {
                None => entries.push(entry),
                Some(until) => {
                    let message = format!("the entry for {} ended on {until}", form.rule);
                    notes.push(entry.note(cx, message, "mend the findings, or give it a later day".into()));
                }
            }
        }
    }
    entries
}

impl Entry<'_> {
    fn reaches(&self, finding: &Finding, cx: &Context<'_>) -> bool {
        let path = || cx.discovered.root.join(cx.discovered.sources.get(finding.at.file).path());
        self.form.paths.as_ref().is_none_or(|paths| paths.matches(&path()))
            && self.form.address.as_ref().is_none_or(|pattern| wildcard(pattern, &finding.address))
    }

    fn suppressed(&self, finding: &Finding) -> Suppressed {
        Suppressed {
            finding: finding.clone(),
            reason: self.form.reason.clone(),
            at: None,
            dialect: "config",
            until: self.form.until.map(|until| until.to_string()),
            owner: self.form.owner.clone(),
        }
    }

    /// The configuration is no file of the scan, so that its line stands in the text.
    fn note(&self, cx: &Context<'_>, message: String, help: String) -> Problem {
        let message = format!("line {}: {message}", self.form.line);
        Problem::with_path(ProblemKind::Note, &cx.config.path, message).help(help)
    }

    /// A scan of a part says nothing about entries for other parts.
    fn unused(&self, cx: &Context<'_>, rules: &Rules<'_>) -> Option<Problem> {
        let is_whole = cx.discovered.is_folder && cx.discovered.root == cx.config.folder;
        let ran = self.rule.is_some_and(|rule| rules.ran.contains(&rule));
        (is_whole && ran && !self.used)
            .then(|| self.note(cx, format!("the entry for {} suppresses nothing", self.form.rule), "remove it".into()))
    }
}

/// Resources by address; empty when nobody will ask.
fn owners(model: &Model, is_idle: bool) -> FxHashMap<&str, Vec<usize>> {
    let mut owners: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    if !is_idle {
        for (index, resource) in model.resources.iter().enumerate() {
            owners.entry(&resource.address).or_default().push(index);
        }
    }
    owners
}

/// The resources that a finding is about.
fn resources_of<'a>(model: &'a Model, owners: &FxHashMap<&str, Vec<usize>>, finding: &Finding) -> Vec<&'a Resource> {
    let found = owners.get(&*finding.address).into_iter().flatten().map(|index| &model.resources[*index]);
    let is_meant = |resource: &&Resource| {
        finding.scope.is_none_or(|scope| resource.span == scope)
            && (finding.root.is_empty() || resource.root == finding.root)
    };
    found.filter(is_meant).collect()
}

/// The files in which a suppression of a finding may stand.
fn files_of(finding: &Finding, resources: &[&Resource]) -> BTreeSet<FileId> {
    let calls = resources.iter().flat_map(|resource| resource.calls.iter()).map(|call| call.span.file);
    let related = finding.related.iter().map(|place| place.at.file);
    let scope = finding.scope.map(|scope| scope.file);
    calls.chain(related).chain(scope).chain([finding.at.file]).collect()
}

/// Whether `text` is `pattern`, in which `*` stands for any text. Linear in the pattern for each `*`.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("module.lab*.aws_db_instance.*", "module.lab[\"a\"].aws_db_instance.main", true),
            ("module.lab*.aws_db_instance.*", "module.lab.aws_s3_bucket.main", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("aws_s3_bucket.x", "aws_s3_bucket.x", true),
            ("aws_s3_bucket.x", "aws_s3_bucket.xy", false),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }
}
