//! Environments: the same tree judged once with the variables files of each, and the findings joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Assembled, Request, assemble_with};
use crate::discover::Discovered;
use crate::finding::Finding;
use crate::frontend::Settings;
use crate::model::Secret;
use crate::rules::native::secrets::named;
use crate::rules::{Cx, Judged, judge};

/// Judges the tree in every environment, or once where there is none. What was read is that of the last.
pub(crate) fn judge_each(
    request: &Request<'_>,
    settings: &Settings,
    discovered: &Discovered,
    secrets: Vec<Secret>,
) -> (Assembled, Judged) {
    let judged = |settings: &Settings| {
        let assembled = assemble_with(settings, discovered, secrets.clone());
        let cx = Cx { model: &assembled.model, sources: &discovered.sources, options: &request.config.options };
        let mut judged = judge(cx, request.catalog, &request.selected);
        judged.one_per_cause(request.catalog, &request.asked);
        (assembled, judged)
    };
    let mut runs = settings.environments.iter().map(|environment| {
        let environment_files = environment.var_files.clone();
        (environment.name.clone(), judged(&Settings { environment_files, ..settings.clone() }))
    });
    let Some((name, (mut assembled, first))) = runs.next() else { return judged(settings) };
    let mut names = vec![name];
    let mut all = vec![first];
    for (name, (next, judged)) in runs {
        names.push(name);
        all.push(judged);
        let last = std::mem::replace(&mut assembled, next);
        assembled.problems.extend(last.problems);
        assembled.named.extend(last.named);
        assembled.named.extend(named::values(&last.model, &discovered.sources));
    }
    (assembled, join(&names, all))
}

/// One finding for what several environments have in common, with the names of those in which it holds.
fn join(names: &[Arc<str>], all: Vec<Judged>) -> Judged {
    let mut joined = Judged::default();
    let mut undecided: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut findings: BTreeMap<_, Finding> = BTreeMap::new();
    for (name, judged) in names.iter().zip(all) {
        joined.problems.extend(judged.problems);
        for (rule, count) in judged.undecided {
            let most = undecided.entry(rule).or_default();
            *most = (*most).max(count);
        }
        for finding in judged.findings {
            let key = (
                finding.at,
                finding.rule.clone(),
                finding.address.clone(),
                finding.root.clone(),
                finding.attribute.clone(),
                finding.message.clone(),
            );
            let known = findings.entry(key).or_insert_with(|| finding.clone());
            known.takes_in(&finding);
            known.environments.push(name.clone());
        }
    }
    for mut finding in findings.into_values() {
        finding.environments.dedup();
        match &finding.environments[..] {
            here if here.len() == names.len() => finding.environments.clear(),
            [only] => finding.message.push_str(&format!(" (environment {only})")),
            several => finding.message.push_str(&format!(" (environments {})", several.join(", "))),
        }
        joined.findings.push(finding);
    }
    joined.undecided = undecided.into_iter().collect();
    joined.problems.sort();
    joined.problems.dedup();
    joined
}
