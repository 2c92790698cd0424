//! Conditionals whose condition is not known: a resource is judged in each of the worlds that they leave open. What is bad in all
//! of them is a finding, what is bad in some is possible.

use std::collections::BTreeMap;

use super::engine::Ran;
use super::native::{Findings, Found};

/// What one rule makes of a resource as it is, and in each of its worlds.
#[derive(Default)]
struct Weighed {
    whole: Findings,
    worlds: Vec<Findings>,
}

/// Joins what rules make of a resource as it is with what they make of it in each of its worlds.
pub(super) fn weigh(judged: Vec<Ran>, worlds: Vec<Vec<Ran>>) -> Vec<Ran> {
    let mut broken = Vec::new();
    let mut by_rule: BTreeMap<usize, Weighed> = BTreeMap::new();
    let mut resource = None;
    let count = worlds.len();
    for (world, results) in std::iter::once(judged).chain(worlds).enumerate() {
        for ran in results {
            resource = ran.resource;
            let findings = match ran.findings {
                Ok(findings) => findings,
                Err(reason) => {
                    broken.push(Ran { findings: Err(reason), ..ran });
                    continue;
                }
            };
            let weighed = by_rule.entry(ran.rule).or_default();
            weighed.worlds.resize_with(count, Findings::default);
            match world {
                0 => weighed.whole = findings,
                world => weighed.worlds[world - 1] = findings,
            }
        }
    }
    let joined = by_rule.into_iter().map(|(rule, Weighed { mut whole, worlds })| {
        // A world decides what the whole leaves open.
        whole.undecided = whole.undecided.min(worlds.iter().map(|world| world.undecided).max().unwrap_or(0));
        let mut more: Vec<Found> = Vec::new();
        for (nth, world) in worlds.iter().enumerate() {
            for found in &world.found {
                let is_told = worlds[..nth].iter().any(|earlier| is_among(found, &earlier.found));
                if !is_told && !is_among(found, &whole.found) {
                    let possible = !worlds.iter().all(|world| is_among(found, &world.found));
                    more.push(Found { possible, ..found.clone() });
                }
            }
        }
        whole.found.extend(more);
        Ran { rule, resource, findings: Ok(whole) }
    });
    joined.chain(broken).collect()
}

fn is_among(found: &Found, all: &[Found]) -> bool {
    all.iter().any(|one| is_same(one, found))
}

/// The same defect, though perhaps of another value.
fn is_same(a: &Found, b: &Found) -> bool {
    (a.resource, &a.address, &a.attribute, a.at) == (b.resource, &b.address, &b.attribute, b.at)
}
