//! Names that rules have and give: whose an alias is, and which rules one implies.

use super::Rule;

/// What is wrong with the names of rules that are read together, with the index of a rule each: an id and an alias belong to one
/// rule, a shared alias to several that all say so.
pub fn wrong_names(rules: &[&Rule]) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut holders: std::collections::BTreeMap<String, Vec<(usize, &str, bool)>> = Default::default();
    for (index, rule) in rules.iter().enumerate() {
        for name in std::iter::once(&rule.id).chain(&rule.aliases) {
            let is_shared = rule.shared_aliases.contains(name);
            holders.entry(name.to_lowercase()).or_default().push((index, name, is_shared));
        }
    }
    for all in holders.values() {
        let (first, name, _) = all[0];
        match &all[1..] {
            [] if all[0].2 => wrong.push((first, format!("no other rule has '{name}' among its `shared-aliases`"))),
            [] => {}
            others if all.iter().all(|(_, _, is_shared)| *is_shared) => {
                let twice = others.iter().find(|(index, ..)| *index == first);
                wrong.extend(twice.map(|(index, ..)| (*index, format!("'{name}' stands there twice"))));
            }
            others => wrong.extend(others.iter().map(|(index, name, _)| {
                let other = &rules[first].id;
                (
                    *index,
                    format!("'{name}' belongs to rule '{other}' already; if both cover it, each says `shared-aliases`"),
                )
            })),
        }
    }
    wrong.extend(wrong_implications(rules));
    wrong.sort();
    wrong
}

/// What rules wrongly say that they imply: what no other rule is, and what implies them in turn, so that both would be silent.
fn wrong_implications(rules: &[&Rule]) -> Vec<(usize, String)> {
    let find = |id: &String| rules.iter().position(|rule| rule.id == *id);
    let mut wrong = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut open: Vec<usize> = Vec::new();
        for id in &rule.implies {
            match find(id) {
                Some(other) => open.push(other),
                None => wrong.push((index, format!("implies '{id}', which is no rule here"))),
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        while let Some(next) = open.pop().filter(|_| !seen.contains(&index)) {
            if seen.insert(next) {
                open.extend(rules[next].implies.iter().filter_map(find));
            }
        }
        if seen.contains(&index) {
            wrong.push((index, "implies itself, so that nobody would be told".into()));
        }
    }
    wrong
}
