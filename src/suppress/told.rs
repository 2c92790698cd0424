//! Findings about suppressions themselves: those that have ended, give no reason, or have nothing to act on.

use super::Context;
use crate::finding::{Finding, Fingerprint};
use crate::problem::Problem;
use crate::rules::{Catalog, Check, Native, Rule, native};

/// What is wrong with a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Unused,
    Expired,
    Reasonless,
}

impl About {
    /// The rule that says it.
    fn rule(self) -> &'static str {
        match self {
            About::Unused => "gate-unused-suppression",
            About::Expired => "gate-expired-suppression",
            About::Reasonless => "gate-suppression-without-reason",
        }
    }
}

/// Whether a rule speaks of suppressions, and not of what they suppress.
pub fn is_about_suppressions(rule: &Rule) -> bool {
    matches!(&rule.check, Check::Native(name) if matches!(native::find(name), Some(Native::Suppressions)))
}

/// The same for the id of a rule.
pub fn speaks_of_suppressions(catalog: &Catalog, rule: &str) -> bool {
    catalog.find(rule).is_some_and(|rule| is_about_suppressions(&catalog.rules()[rule]))
}

/// What is said of suppressions as findings, sorted, each once: a line may say the same twice.
pub(super) fn findings(
    cx: &Context<'_>,
    told: impl IntoIterator<Item = (About, Problem)>,
    notes: &mut Vec<Problem>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (about, problem) in told {
        tell(cx, about, problem, &mut findings, notes);
    }
    let place = |finding: &Finding| (finding.at, finding.rule.clone(), finding.message.clone());
    findings.sort_by_cached_key(place);
    findings.dedup_by_key(|finding| place(finding));
    cx.config.adjust(cx.catalog, &mut findings);
    findings
}

/// A finding where its rule runs; a note where it does not, and nothing where somebody has turned it off.
fn tell(cx: &Context<'_>, about: About, problem: Problem, findings: &mut Vec<Finding>, notes: &mut Vec<Problem>) {
    let rule = cx.catalog.find(about.rule());
    match (rule, problem.span) {
        (Some(rule), _) if cx.ignored.contains(&rule) => {}
        (Some(index), Some(at)) if cx.selected.contains(&index) => {
            let rule = &cx.catalog.rules()[index];
            let text = cx.discovered.sources.get(at.file).slice(at);
            let identity: Vec<&str> = text.split_whitespace().collect();
            let parts = ["suppression", &rule.id, &problem.message, &identity.join(" ")];
            findings.push(Finding {
                fingerprint: Fingerprint::of(parts),
                ..Finding::new(rule.id.as_str(), rule.severity, problem.message, at)
            });
        }
        _ => notes.push(problem),
    }
}
