//! One cause is one finding: where several rules speak of the same place, the most telling one stays.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::schema::Rule;
use crate::finding::{Finding, Severity};
use crate::source::{FileId, Span};

/// Leaves one sensitive finding at each place: the most severe, and of equals the one that speaks of the thing at hand
/// rather than of secrets in general. Instances of one module have their findings at the same place, and keep them.
pub fn one_per_secret(findings: &mut Vec<Finding>) {
    let mut order: Vec<usize> = (0..findings.len()).filter(|index| findings[*index].sensitive).collect();
    order.sort_by_key(|index| rank(&findings[*index]));
    let mut taken: FxHashMap<FileId, BTreeMap<u32, usize>> = FxHashMap::default();
    let mut dropped: FxHashSet<usize> = FxHashSet::default();
    for index in order {
        let at = findings[index].at;
        let end = at.end.max(at.start + 1);
        let places = taken.entry(at.file).or_default();
        let over = places.range(..end).next_back().map(|(_, other)| *other).filter(|other| {
            let other = findings[*other].at;
            other.end.max(other.start + 1) > at.start
        });
        match over {
            Some(other) if findings[other].rule != findings[index].rule => {
                dropped.insert(index);
            }
            Some(_) => {}
            None => {
                places.insert(at.start, index);
            }
        }
    }
    let mut index = 0;
    findings.retain(|_| {
        index += 1;
        !dropped.contains(&(index - 1))
    });
}

/// What one rule says of one place.
pub struct Claim<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// The place.
    pub at: Span,
    /// Root and address of the resource.
    pub resource: (&'a str, &'a str),
    /// Whether it speaks of one container of the resource's pod, and not of the pod.
    pub is_of_container: bool,
    /// Whether it is only possible.
    pub is_possible: bool,
}

/// Drops what the rule of another finding implies, unless its own rule was `asked`.
pub fn one_per_cause(findings: &mut Vec<Finding>, rules: &[Rule], asked: &FxHashSet<usize>) {
    let claims: Vec<Claim<'_>> = findings
        .iter()
        .map(|finding| Claim {
            rule: &finding.rule,
            at: finding.at,
            resource: (&finding.root, &finding.address),
            is_of_container: finding.container.is_some(),
            is_possible: finding.possible,
        })
        .collect();
    let mut silenced = silenced(&claims, rules, asked).into_iter();
    findings.retain(|_| silenced.next() == Some(false));
}

/// Which claims the rule of another one implies: at the same place of the same resource, or of the pod where it speaks of a
/// container, since what the pod says holds for all of its containers. What is only possible silences nothing that is certain.
pub fn silenced(claims: &[Claim<'_>], rules: &[Rule], asked: &FxHashSet<usize>) -> Vec<bool> {
    let asked: FxHashSet<&str> = asked.iter().map(|index| rules[*index].id.as_str()).collect();
    let implications: FxHashMap<&str, &[String]> = rules
        .iter()
        .filter(|rule| !rule.implies.is_empty())
        .map(|rule| (rule.id.as_str(), rule.implies.as_slice()))
        .collect();
    // A place that is left out stands for all containers of the pod. The place, root and address, the rule.
    type Implied<'k> = (Option<Span>, (&'k str, &'k str), &'k str);
    let mut implied: FxHashMap<Implied<'_>, bool> = FxHashMap::default();
    for claim in claims {
        let silenced = implications.get(claim.rule).copied().unwrap_or_default();
        for rule in silenced.iter().filter(|rule| !asked.contains(rule.as_str())) {
            let within = (!claim.is_of_container).then_some(None);
            for place in [Some(Some(claim.at)), within].into_iter().flatten() {
                *implied.entry((place, claim.resource, rule)).or_default() |= !claim.is_possible;
            }
        }
    }
    let is_silenced = |claim: &Claim<'_>| {
        let within = claim.is_of_container.then_some(None);
        let mut places = [Some(Some(claim.at)), within].into_iter().flatten();
        places.any(|place| {
            let certain = implied.get(&(place, claim.resource, claim.rule));
            certain.is_some_and(|is_certain| *is_certain || claim.is_possible)
        })
    };
    claims.iter().map(is_silenced).collect()
}

/// What comes first stays. A name in any text tells least.
fn rank(finding: &Finding) -> (Reverse<Severity>, bool, bool, Reverse<u32>) {
    let is_general = finding.rule.starts_with("general-");
    let is_of_any_text = &*finding.rule == "general-secret-literal-committed";
    (Reverse(finding.severity), is_general, is_of_any_text, Reverse(finding.at.end - finding.at.start))
}
