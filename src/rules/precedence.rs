//! One cause is one finding: where several rules speak of the same place, the most telling one stays.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Drops what the rule of another finding at the same place of the same resource implies, unless its own rule was `asked`. What
/// is only possible drops nothing that is certain.
pub fn one_per_cause(findings: &mut Vec<Finding>, rules: &[Rule], asked: &FxHashSet<usize>) {
    let asked: FxHashSet<&str> = asked.iter().map(|index| rules[*index].id.as_str()).collect();
    let implications: FxHashMap<&str, &[String]> = rules
        .iter()
        .filter(|rule| !rule.implies.is_empty())
        .map(|rule| (rule.id.as_str(), rule.implies.as_slice()))
        .collect();
    type Place = (Span, Arc<str>);
    let place = |finding: &Finding| -> Place { (finding.at, finding.address.clone()) };
    let mut implied: FxHashMap<(Place, &str), bool> = FxHashMap::default();
    for finding in findings.iter() {
        let silenced = implications.get(&*finding.rule).copied().unwrap_or_default();
        for rule in silenced.iter().filter(|rule| !asked.contains(rule.as_str())) {
            *implied.entry((place(finding), rule)).or_default() |= !finding.possible;
        }
    }
    if !implied.is_empty() {
        findings.retain(|finding| match implied.get(&(place(finding), &*finding.rule)) {
            Some(is_certain) => !is_certain && !finding.possible,
            None => true,
        });
    }
}

fn rank(finding: &Finding) -> (Reverse<Severity>, bool, Reverse<u32>) {
    (Reverse(finding.severity), finding.rule.starts_with("general-"), Reverse(finding.at.end - finding.at.start))
}
