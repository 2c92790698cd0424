//! Conditionals whose condition is not known: a resource is judged with their first arms and with their second arms. What is bad
//! in both is a finding, what is bad in one is possible.

use std::collections::BTreeMap;

use super::engine::Ran;
use super::native::{Findings, Found};

/// Joins what rules make of a resource as it is, with the first arms, and with the second arms.
pub(super) fn weigh(judged: Vec<Ran>, first: Vec<Ran>, second: Vec<Ran>) -> Vec<Ran> {
    let mut broken = Vec::new();
    let mut by_rule: BTreeMap<usize, [Findings; 3]> = BTreeMap::new();
    let mut resource = None;
    for (world, results) in [judged, first, second].into_iter().enumerate() {
        for ran in results {
            resource = ran.resource;
            match ran.findings {
                Ok(findings) => by_rule.entry(ran.rule).or_default()[world] = findings,
                Err(reason) => broken.push(Ran { findings: Err(reason), ..ran }),
            }
        }
    }
    let joined = by_rule.into_iter().map(|(rule, [mut whole, first, second])| {
        let is_known = |found: &Found, all: &[Found]| all.iter().any(|one| is_same(one, found));
        // An arm decides what the whole leaves open.
        whole.undecided = whole.undecided.min(first.undecided.max(second.undecided));
        let mut more: Vec<Found> = Vec::new();
        for found in &first.found {
            if !is_known(found, &whole.found) {
                more.push(Found { possible: !is_known(found, &second.found), ..found.clone() });
            }
        }
        for found in second.found {
            if !is_known(&found, &whole.found) && !is_known(&found, &first.found) {
                more.push(Found { possible: true, ..found });
            }
        }
        whole.found.extend(more);
        Ran { rule, resource, findings: Ok(whole) }
    });
    joined.chain(broken).collect()
}

/// The same defect, though perhaps of another value.
fn is_same(a: &Found, b: &Found) -> bool {
    (a.resource, &a.address, &a.attribute, a.at) == (b.resource, &b.address, &b.attribute, b.at)
}
