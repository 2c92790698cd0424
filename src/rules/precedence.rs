//! One secret is one finding: where several rules speak of the same place, the most telling one stays.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::{Finding, Severity};
use crate::source::FileId;

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

fn rank(finding: &Finding) -> (Reverse<Severity>, bool, Reverse<u32>) {
    (Reverse(finding.severity), finding.rule.starts_with("general-"), Reverse(finding.at.end - finding.at.start))
}
