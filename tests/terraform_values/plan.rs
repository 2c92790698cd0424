//! Random modules hold the same values for gate as in terraform's plan.
//!
//! `GATE_DIFFERENTIAL_MODULES` makes the run longer, `GATE_DIFFERENTIAL_SEED` another one. Without terraform 1.11 on the path
//! nothing is compared.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::generator::Random;
use super::support::run::inspected;
use super::{module, number, oracle};

#[test]
fn random_modules_mean_what_terraform_says() {
    if !oracle::is_installed() {
        eprintln!("skipped: there is no terraform 1.11 to compare with");
        return;
    }
    let count = number("GATE_DIFFERENTIAL_MODULES", 20);
    let seed = number("GATE_DIFFERENTIAL_SEED", 1);
    let (mut planned, mut values) = (0, 0);
    let mut differences = Vec::new();
    for index in 0..count {
        let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(index));
        let folder = tempfile::tempdir().unwrap();
        let mut shown = String::new();
        for (name, text) in module::tree(&mut random) {
            let path = folder.path().join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if !name.ends_with(".json") {
                shown.push_str(&format!("--- {name}\n{text}"));
            }
            std::fs::write(path, text).unwrap();
        }
        let model = inspected(folder.path());
        let found = match plan(folder.path()) {
            Ok((plan, state)) => {
                planned += 1;
                values += facts_of_plan(&plan).len();
                let (plan, state, model) = (facts_of_plan(&plan), facts_of_state(&state), facts_of_model(&model));
                compared(&plan, &model).or_else(|| contradicted(&state, &model))
            }
            // Gate goes on with one instance for those that are not known.
            Err(message)
                if message.contains("will be known only after apply") || message.contains("cannot be determined") =>
            {
                None
            }
            Err(message) if model["problems"].as_array().is_none_or(Vec::is_empty) => {
                Some(format!("terraform refuses: {message}"))
            }
            Err(_) => None,
        };
        differences.extend(found.map(|found| format!("module {index}: {found}\n{shown}")));
    }
    eprintln!("{count} modules, {planned} of them planned, with {values} outputs and resources");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// The plan and what is there once it is applied, or the errors.
fn plan(folder: &Path) -> Result<(Json, Json), String> {
    std::fs::write(folder.join(".terraformrc"), "").unwrap();
    let arguments = ["plan", "-json", "-refresh=false", "-input=false", "-lock=false", "-out=plan.bin"];
    let output = oracle::terraform(folder).args(arguments).output().unwrap();
    if !output.status.success() {
        let lines =
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Json>(line).ok());
        let text = |line: Json| {
            let diagnostic = &line["diagnostic"];
            let is_error = diagnostic["severity"] == "error";
            is_error.then(|| format!("{} {}", diagnostic["summary"], diagnostic["detail"]))
        };
        return Err(lines.filter_map(text).collect::<Vec<_>>().join("\n"));
    }
    let json = |arguments: &[&str]| -> Json {
        let shown = oracle::terraform(folder).args(arguments).output().unwrap();
        serde_json::from_slice(&shown.stdout).unwrap_or_default()
    };
    let plan = json(&["show", "-json", "plan.bin"]);
    oracle::terraform(folder).args(["apply", "-json", "-lock=false", "plan.bin"]).output().unwrap();
    Ok((plan, json(&["show", "-json"])))
}

/// A value, and `true` where a part of it is not known.
type Fact = (Json, Json);

fn facts_of_plan(plan: &Json) -> BTreeMap<String, Fact> {
    let mut facts = BTreeMap::new();
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        facts.insert(format!("output.{name}"), (change["after"].clone(), change["after_unknown"].clone()));
    }
    for change in plan["resource_changes"].as_array().into_iter().flatten() {
        let (after, unknown) = (&change["change"]["after"]["input"], &change["change"]["after_unknown"]["input"]);
        facts.insert(change["address"].as_str().unwrap().into(), (after.clone(), unknown.clone()));
    }
    facts
}

fn facts_of_state(state: &Json) -> BTreeMap<String, Json> {
    fn add(module: &Json, facts: &mut BTreeMap<String, Json>) {
        for resource in module["resources"].as_array().into_iter().flatten() {
            facts.insert(resource["address"].as_str().unwrap().into(), resource["values"]["input"].clone());
        }
        module["child_modules"].as_array().into_iter().flatten().for_each(|child| add(child, facts));
    }
    let mut facts = BTreeMap::new();
    add(&state["values"]["root_module"], &mut facts);
    for (name, output) in state["values"]["outputs"].as_object().into_iter().flatten() {
        facts.insert(format!("output.{name}"), output["value"].clone());
    }
    facts
}

fn facts_of_model(model: &Json) -> BTreeMap<String, Fact> {
    let mut facts = BTreeMap::new();
    let root = &model["terraform"][0];
    for (name, output) in root["outputs"].as_object().into_iter().flatten() {
        facts.insert(format!("output.{name}"), (output["value"].clone(), output["unknown"].clone()));
    }
    for resource in root["resources"].as_array().into_iter().flatten() {
        let (value, unknown) = (&resource["values"]["input"], &resource["unknown"]["input"]);
        facts.insert(resource["address"].as_str().unwrap().into(), (value.clone(), unknown.clone()));
    }
    facts
}

fn compared(theirs: &BTreeMap<String, Fact>, ours: &BTreeMap<String, Fact>) -> Option<String> {
    for (name, (value, unknown)) in theirs {
        match ours.get(name) {
            // An output that is null leaves no trace in the plan, nor need it in the model.
            None if value.is_null() && *unknown != true => {}
            None => return Some(format!("gate has no {name}, in terraform {value} ({unknown})")),
            Some((own, own_unknown)) if same((own, own_unknown), (value, unknown)) => {}
            Some(own) => {
                return Some(format!("{name}\n    terraform {value} ({unknown})\n    gate      {} ({})", own.0, own.1));
            }
        }
    }
    let is_more = |(name, (value, unknown)): &(&String, &Fact)| {
        !theirs.contains_key(*name) && (!value.is_null() || !unknown.is_null())
    };
    ours.iter().find(is_more).map(|(name, fact)| format!("gate has {name}, {} ({})", fact.0, fact.1))
}

/// What gate says of a value must still be true once the plan is applied, also where the plan itself tells less.
fn contradicted(state: &BTreeMap<String, Json>, ours: &BTreeMap<String, Fact>) -> Option<String> {
    let (name, is) = state.iter().find(|(name, is)| ours.get(*name).is_some_and(|own| !covers(own, is)))?;
    Some(format!("{name}\n    applied   {is}\n    gate      {} ({})", ours[name].0, ours[name].1))
}

fn covers((value, unknown): &Fact, is: &Json) -> bool {
    let part = |of: &Json, name: &str| of.get(name).cloned().unwrap_or_default();
    let nth = |of: &Json, index: usize| of.get(index).cloned().unwrap_or_default();
    match (value, is) {
        _ if *unknown == true => true,
        // Of a text that encodes a value known in part, the model holds the value.
        (Json::Array(_) | Json::Object(_), Json::String(text)) => {
            serde_json::from_str(text).is_ok_and(|is: Json| covers(&(value.clone(), unknown.clone()), &is))
        }
        (Json::Array(own), Json::Array(is)) => {
            own.len() <= is.len()
                && (0..is.len()).all(|index| covers(&(nth(value, index), nth(unknown, index)), &is[index]))
        }
        (Json::Object(own), Json::Object(entries)) => own
            .keys()
            .chain(entries.keys())
            .all(|name| covers(&(part(value, name), part(unknown, name)), &part(is, name))),
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-12 * a.abs()
        }
        (own, is) => own == is,
    }
}

fn same(ours: (&Json, &Json), theirs: (&Json, &Json)) -> bool {
    let is_open = |unknown: &Json| *unknown == true;
    // Gate may know more: of a `try`, and of parts of outputs, the plan tells nothing where anything is not known.
    if is_open(theirs.1) {
        return true;
    }
    if is_open(ours.1) {
        return false;
    }
    match (ours.0, theirs.0) {
        (Json::Array(a), Json::Array(b)) => {
            // Where the last parts are not known, the plan leaves them out.
            let len = a.len().max(b.len()).max(theirs.1.as_array().map_or(0, Vec::len));
            (0..len).all(|index| {
                let part = |value: &Json| value.get(index).cloned().unwrap_or_default();
                same((&part(ours.0), &part(ours.1)), (&part(theirs.0), &part(theirs.1)))
            })
        }
        (Json::Object(a), Json::Object(b)) => {
            let names = a.keys().chain(b.keys()).chain(theirs.1.as_object().into_iter().flat_map(|one| one.keys()));
            names.into_iter().all(|name| {
                let part = |value: &Json| value.get(name).cloned().unwrap_or_default();
                same((&part(ours.0), &part(ours.1)), (&part(theirs.0), &part(theirs.1)))
            })
        }
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-12 * a.abs()
        }
        (a, b) => a == b,
    }
}
