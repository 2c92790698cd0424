//! The last word, and the texts of the rules that reports quote.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Request;
use crate::finding::Finding;
use crate::problem::{Problem, ProblemKind};
use crate::report::text::count as count_of;
use crate::report::{Counts, RuleText, Verdict};
use crate::rules::Catalog;
use crate::rules::schema::Example;
use crate::suppress;

/// What could not be decided outweighs findings: the answer is not whole.
pub(super) fn decide(request: &Request<'_>, findings: &[Finding], problems: &[Problem], counts: &Counts) -> Verdict {
    let is_of_suppressions =
        |one: &Finding| one.counts() && suppress::speaks_of_suppressions(request.catalog, &one.rule);
    let strict_trouble = request.strict
        && (!counts.undecided.is_empty() || !problems.is_empty() || findings.iter().any(is_of_suppressions));
    if strict_trouble || problems.iter().any(|problem| problem.kind.closes()) {
        return Verdict::Undecided;
    }
    match request.fail_on {
        // What is possible only is shown, and closes the gate where undecided checks do.
        Some(threshold)
            if findings
                .iter()
                .any(|one| one.counts() && one.severity >= threshold && (request.strict || !one.possible)) =>
        {
            Verdict::Fail
        }
        _ => Verdict::Pass,
    }
}

/// What `--strict` counts of a rule.
pub(super) fn undecided(rule: &str, count: usize) -> Problem {
    let checks = count_of(count, "check");
    let message = format!("{rule} could not decide {checks}, since values are not known");
    Problem::with_path(ProblemKind::Undecided, "", message).help(
        "give the values (--var, --var-file), or leave the rule out; without --strict this does not close the gate",
    )
}

/// The texts of the named rules, sorted by id.
pub fn rule_texts<'a>(catalog: &Catalog, ids: impl Iterator<Item = &'a Arc<str>>) -> Vec<RuleText> {
    let ids: BTreeSet<&Arc<str>> = ids.collect();
    ids.into_iter().filter_map(|id| catalog.find(id)).map(|index| rule_text(catalog, index)).collect()
}

/// What the rule at this index of the catalog says to people.
pub fn rule_text(catalog: &Catalog, index: usize) -> RuleText {
    let rule = &catalog.rules()[index];
    let prose = catalog.prose(index);
    let pairs =
        |examples: &[Example]| examples.iter().map(|example| (example.format.clone(), example.text.clone())).collect();
    RuleText {
        id: rule.id.as_str().into(),
        title: rule.title.clone(),
        severity: rule.severity,
        aliases: rule.aliases.clone(),
        tags: rule.tags.iter().chain(&rule.packs).cloned().collect(),
        compliance: rule.compliance.clone(),
        why: prose.why.clone(),
        fix: prose.fix.clone(),
        bad: pairs(&prose.bad),
        good: pairs(&prose.good),
        heuristic: rule.heuristic,
    }
}
