//! Which rules the names in suppressions mean.

use std::cell::{OnceCell, RefCell};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Context, wildcard};
use crate::rules::{Catalog, long_names, normal_name};

/// Patterns that are held against all names; more are the work of somebody who wants to cost time.
const MAX_PATTERNS: usize = 200;

/// Rules by their names, as suppressions write them.
pub(super) struct Rules<'a> {
    catalog: &'a Catalog,
    /// Made for the first suppression: most scans meet none.
    by_name: OnceCell<FxHashMap<String, Vec<usize>>>,
    by_pattern: RefCell<FxHashMap<String, Vec<usize>>>,
    pub ran: FxHashSet<usize>,
}

impl<'a> Rules<'a> {
    pub fn new(cx: &Context<'a>) -> Rules<'a> {
        let ran = cx.selected.iter().copied().collect();
        Rules { catalog: cx.catalog, by_name: OnceCell::new(), by_pattern: RefCell::default(), ran }
    }

    pub fn resolve(&self, name: &str) -> &[usize] {
        self.by_name().get(&normal_name(name)).map_or(&[], |rules| rules)
    }

    fn by_name(&self) -> &FxHashMap<String, Vec<usize>> {
        self.by_name.get_or_init(|| {
            let mut by_name: FxHashMap<String, Vec<usize>> = FxHashMap::default();
            for (index, rule) in self.catalog.rules().iter().enumerate() {
                for name in std::iter::once(&rule.id).chain(&rule.aliases).chain(&rule.accepted_as) {
                    let rules = by_name.entry(normal_name(name)).or_default();
                    if !rules.contains(&index) {
                        rules.push(index);
                    }
                }
            }
            by_name.extend(long_names::rules(&by_name));
            by_name
        })
    }

    /// What a name means where this tool reads it: Trivy takes patterns of its own names.
    pub fn means(&self, dialect: &str, name: &str) -> Vec<usize> {
        match is_pattern(dialect, name) {
            true => self.matching(&normal_name(name)),
            false => self.resolve(name).to_vec(),
        }
    }

    fn matching(&self, pattern: &str) -> Vec<usize> {
        let mut known = self.by_pattern.borrow_mut();
        if let Some(rules) = known.get(pattern) {
            return rules.clone();
        }
        if known.len() >= MAX_PATTERNS {
            return Vec::new();
        }
        let named = self.by_name().iter().filter(|(name, _)| wildcard(pattern, name));
        let of_trivy = named.filter(|(name, _)| is_of_trivy(name) || long_names::is_one(name));
        let mut rules: Vec<usize> = of_trivy.flat_map(|(_, rules)| rules.iter().copied()).collect();
        rules.sort_unstable();
        rules.dedup();
        known.insert(pattern.to_string(), rules.clone());
        rules
    }
}

/// Whether this tool takes a name for a pattern.
pub(super) fn is_pattern(dialect: &str, name: &str) -> bool {
    name.contains('*') && matches!(dialect, "trivy" | "tfsec")
}

/// Whether a name in its normal form is an id of Trivy's: `aws-0092`.
fn is_of_trivy(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(family, number)| {
        number.len() == 4
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && family.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}
