//! What holds for every built-in rule. Each test lists all rules that break its promise, not only the first.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use gate::frontend::FRONTENDS;
use gate::rules::native;
use gate::rules::schema::{Check, FORMATS, Rule, Target, VIEWS};
use gate::rules::{Catalog, Selection, rego};

/// SARIF readers cut longer texts.
const MAX_TEXT: usize = 1024;

fn broken(promise: impl Fn(usize, &Rule) -> Option<String>) -> Vec<String> {
    let catalog = Catalog::built_in();
    let rules = catalog.rules().iter().enumerate();
    rules.filter_map(|(index, rule)| Some(format!("{}: {}", rule.id, promise(index, rule)?))).collect()
}

fn assert_none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn targets(rule: &Rule) -> &[Target] {
    match &rule.check {
        Check::Table(table) => &table.targets,
        Check::Rego(rego) => &rego.targets,
        Check::Native(_) | Check::Imported => &[],
    }
}

#[test]
fn an_id_names_provider_subject_and_defect() {
    let is_kebab = |id: &str| {
        id.split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
    };
    assert_none(broken(|_, rule| {
        let parts = rule.id.split('-').count();
        (!is_kebab(&rule.id) || parts < 2 || rule.id.len() > 80).then(|| "wanted <provider>-<service>-<defect>".into())
    }));
}

#[test]
fn every_name_belongs_to_one_rule_or_to_several_that_share_it() {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let catalog = Catalog::built_in();
    for rule in catalog.rules() {
        let own = rule.aliases.iter().filter(|name| !rule.shared_aliases.contains(name));
        let names: BTreeSet<String> = own.chain([&rule.id]).map(|name| name.to_lowercase()).collect();
        for name in names {
            owners.entry(name).or_default().push(rule.id.clone());
        }
    }
    owners.retain(|_, rules| rules.len() > 1);
    assert_none(owners.into_iter().map(|(name, rules)| format!("{name}: {}", rules.join(", "))).collect());
    assert_none(broken(|index, rule| {
        let lost = rule.aliases.iter().chain([&rule.id]).find(|name| !catalog.named(name).contains(&index))?;
        Some(format!("{lost} does not lead to it"))
    }));
}

#[test]
fn no_id_or_alias_is_a_word_of_the_selection() {
    assert_none(broken(|_, rule| {
        let taken = rule.aliases.iter().chain([&rule.id]).find(|name| ["all", "default"].contains(&name.as_str()))?;
        Some(format!("{taken} means a set of rules"))
    }));
}

#[test]
fn the_default_selection_is_not_empty() {
    assert!(!Catalog::built_in().select(&Selection::default()).unwrap().is_empty());
}

#[test]
fn people_are_told_what_why_and_how() {
    let catalog = Catalog::built_in();
    assert_none(broken(|index, _| {
        let prose = catalog.prose(index);
        let missing = [
            ("why", prose.why.is_empty()),
            ("fix", prose.fix.is_empty()),
            ("bad", prose.bad.is_empty()),
            ("good", prose.good.is_empty()),
        ];
        let missing: Vec<&str> = missing.iter().filter(|(_, missing)| *missing).map(|(key, _)| *key).collect();
        (!missing.is_empty()).then(|| format!("has no {}", missing.join(", ")))
    }));
}

#[test]
fn texts_fit_into_reports() {
    let catalog = Catalog::built_in();
    assert_none(broken(|index, rule| {
        let prose = catalog.prose(index);
        let title = rule.title.chars().count() > 100 || rule.title.contains("Ensure") || rule.title.ends_with('.');
        let long = [&prose.why, &prose.fix].iter().any(|text| text.chars().count() > MAX_TEXT);
        if title {
            return Some("the title is longer than 100 characters, says \"Ensure\" or ends with a full stop".into());
        }
        if rule.tags.len() > 10 {
            return Some(format!("has more than ten tags: {}", rule.tags.join(", ")));
        }
        long.then(|| format!("`why` or `fix` is longer than {MAX_TEXT} characters"))
    }));
}

#[test]
fn a_rule_of_the_user_names_a_native_check_that_is_there() {
    let rule =
        |native: &str| format!("- id: acme-x\n  title: X\n  severity: low\n  native: {native}\n  why: x\n  fix: x\n");
    let refused = Catalog::built_in().add("rules.yaml", &rule("no-such-check")).expect_err("no check has this name");
    assert!(refused[0].message.contains("no native check 'no-such-check'"), "{refused:?}");
    assert_eq!(Catalog::built_in().add("rules.yaml", &rule("container-run-as-root")), Ok(1));
}

#[test]
fn every_native_rule_has_a_function() {
    assert_none(broken(|_, rule| match &rule.check {
        Check::Native(name) if native::find(name).is_none() => Some(format!("there is no native check {name}")),
        _ => None,
    }));
}

#[test]
fn every_native_check_is_used_and_named_once() {
    let catalog = Catalog::built_in();
    let used: BTreeSet<&str> = catalog
        .rules()
        .iter()
        .filter_map(|rule| match &rule.check {
            Check::Native(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = native::NATIVE.iter().copied().flatten().map(|(name, _)| *name).collect();
    let mut seen = BTreeSet::new();
    let twice = names.iter().filter(|name| !seen.insert(**name)).map(|name| format!("{name} is registered twice"));
    let idle = names.iter().filter(|name| !used.contains(**name)).map(|name| format!("no rule uses {name}"));
    assert_none(twice.chain(idle).collect());
}

#[test]
fn selectors_and_examples_name_formats_that_exist() {
    let names: BTreeSet<&str> = FRONTENDS.iter().map(|frontend| frontend.name()).collect();
    assert_eq!(FORMATS.iter().copied().collect::<BTreeSet<_>>(), names);
    let catalog = Catalog::built_in();
    assert_none(broken(|index, rule| {
        let unknown = targets(rule).iter().find(|target| match target.format.as_str() {
            "view" => target.kinds.iter().any(|kind| !VIEWS.contains(&kind.as_str())),
            format => !FORMATS.contains(&format),
        });
        let prose = catalog.prose(index);
        let example = prose.bad.iter().chain(&prose.good).find(|example| !FORMATS.contains(&example.format.as_str()));
        unknown.map(|target| target.format.clone()).or(example.map(|example| example.format.clone()))
    }));
}

#[test]
fn no_selector_kind_stands_twice_in_a_rule() {
    assert_none(broken(|_, rule| {
        let mut seen = BTreeSet::new();
        let twice = targets(rule).iter().flat_map(|target| {
            target.kinds.iter().map(move |kind| (target.format.as_str(), kind.as_str(), target.path.as_str()))
        });
        twice
            .into_iter()
            .find(|key| !seen.insert(*key))
            .map(|(_, kind, path)| format!("{kind} {path} is selected twice"))
    }));
}

/// The provider has both names for one type. Source: its documentation of `aws_lb`.
#[test]
fn who_selects_a_load_balancer_selects_it_under_both_names() {
    assert_none(broken(|_, rule| {
        let kinds: BTreeSet<&str> =
            targets(rule).iter().flat_map(|target| target.kinds.iter().map(String::as_str)).collect();
        let both =
            ["", "_listener", "_listener_certificate", "_listener_rule", "_target_group", "_target_group_attachment"];
        let names = both.map(|end| (format!("aws_lb{end}"), format!("aws_alb{end}")));
        let lone = names.iter().find(|(name, other)| kinds.contains(&**name) != kinds.contains(&**other));
        lone.map(|(name, other)| format!("selects one of {name} and {other}"))
    }));
}

#[test]
fn the_rego_modules_go_together() {
    let mistakes = rego::mistakes(&Catalog::built_in(), true);
    assert!(mistakes.is_empty(), "{mistakes:?}");
}
