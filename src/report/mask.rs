//! What a report says, without the secrets of the tree: values pass through messages, addresses and reasons.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Report, RuleText};
use crate::finding::Finding;
use crate::problem::Problem;
use crate::rules::native::secrets::named::{self, is_word};
use crate::secret::{Known, is_distinct, is_secret_name};
use crate::source::{Sources, Span};

impl Report<'_> {
    /// Hides the secrets of the tree in all that is said. What the tree's own lines show is hidden where they are shown, and
    /// paths stay, since they are what they name.
    pub fn hide_secrets(&mut self) {
        let comparison = self.comparison.as_ref();
        let says_nothing = comparison.is_none_or(|one| one.fixed.is_empty() && one.proposed.is_empty());
        let skipped = &self.counts.files_skipped;
        if self.findings.is_empty()
            && self.suppressed.is_empty()
            && self.problems.is_empty()
            && skipped.is_empty()
            && says_nothing
        {
            return;
        }
        let mask = Mask(known(self));
        self.findings.iter_mut().for_each(|finding| mask.finding(finding));
        self.suppressed.iter_mut().for_each(|one| {
            mask.finding(&mut one.finding);
            mask.text(&mut one.reason);
            one.owner.iter_mut().for_each(|owner| mask.text(owner));
        });
        self.problems.iter_mut().for_each(|problem| mask.problem(problem));
        self.counts.files_skipped.iter_mut().for_each(|(_, reason)| mask.text(reason));
        self.rules.iter_mut().for_each(|rule| mask.rule(rule));
        if let Some(comparison) = &mut self.comparison {
            for fixed in &mut comparison.fixed {
                mask.text(&mut fixed.message);
                mask.shared(&mut fixed.address);
            }
            comparison.proposed.iter_mut().for_each(|proposal| mask.text(&mut proposal.message));
        }
    }
}

/// Hides the secrets of one tree in what is said of it.
struct Mask(Known);

impl Mask {
    fn text(&self, text: &mut String) {
        if let Cow::Owned(hidden) = self.0.hidden(text) {
            *text = hidden;
        }
    }

    fn shared(&self, text: &mut Arc<str>) {
        if let Cow::Owned(hidden) = self.0.hidden(text) {
            *text = hidden.into();
        }
    }

    fn finding(&self, finding: &mut Finding) {
        self.text(&mut finding.message);
        self.shared(&mut finding.address);
        self.text(&mut finding.attribute);
        finding.related.iter_mut().for_each(|place| self.text(&mut place.message));
    }

    /// Other tools name their rules after what they say. Who commits a report must not be told of the examples in it.
    fn rule(&self, rule: &mut RuleText) {
        let examples = rule.bad.iter_mut().chain(&mut rule.good).map(|(_, text)| text);
        let texts = examples.chain([&mut rule.title, &mut rule.why, &mut rule.fix]);
        texts.chain(&mut rule.tags).chain(&mut rule.aliases).for_each(|text| self.text(text));
    }

    fn problem(&self, problem: &mut Problem) {
        self.text(&mut problem.message);
        problem.help.iter_mut().for_each(|help| self.text(help));
    }
}

/// What finds the secrets that stand in any text, those that names call so, and those that findings are about.
pub(super) fn known(report: &Report) -> Known {
    let all = report.findings.iter().chain(report.suppressed.iter().map(|one| &one.finding));
    let sensitive = all.filter(|finding| finding.sensitive).filter_map(|finding| value(report.sources, finding.at));
    named::known(report.sources, &report.secrets, &report.named, sensitive.collect())
}

/// The secret at the place of a sensitive finding, without quotes. None for the name of one, where findings about values of
/// several lines stand, and for words, which may be said of anything.
fn value(sources: &Sources, at: Span) -> Option<&str> {
    let text = sources.slice(at).trim_matches(['"', '\'']);
    let after = sources.get(at.file).text().get(at.end as usize..)?.trim_start_matches(['"', '\'', ' ']);
    let is_name = after.starts_with([':', '=']) || is_secret_name(text) && !is_distinct(text);
    (!is_name && !is_word(text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::finding::Severity;
    use crate::report::sample;
    use crate::report::{FORMATS, Style};
    use crate::rules::Catalog;
    use crate::scan::rule_texts;
    use crate::secret;

    /// Reports lie in trees that are scanned.
    #[test]
    fn no_report_of_any_rule_holds_what_the_next_scan_takes_for_a_secret() {
        let catalog = Catalog::built_in();
        let ids: Vec<Arc<str>> = catalog.rules().iter().map(|rule| rule.id.as_str().into()).collect();
        let sources = sample::sources(&[("main.tf", "a\n")]);
        let at = sample::place(&sources, "main.tf", "a");
        let findings = ids.iter().map(|id| sample::finding(at, id, Severity::High, None)).collect();
        let mut report = sample::report(&sources, findings, None);
        report.rules = rule_texts(&catalog, ids.iter());
        report.hide_secrets();
        for format in FORMATS {
            let text = sample::written(&report, format.name, Style::default());
            for path in ["report.sarif", "report.json", "report.xml", "report.yaml"] {
                let hits = secret::find_in_file(path, &text);
                let found: Vec<&str> = hits.iter().map(|hit| &text[hit.start..hit.end]).collect();
                assert_eq!(found, [""; 0], "{} as {path}", format.name);
            }
        }
    }
}
