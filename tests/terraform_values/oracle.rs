//! What the installed `terraform` says of expressions, hundreds at a time.
//!
//! Each expression is a local value in a file of its own, with outputs that show it. One plan tells all that are wrong;
//! without those, the next plan tells the values of the rest.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// What terraform says of one expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Its JSON text, its type as the console writes it, and whether a part is sensitive.
    Value { json: String, ty: String, is_sensitive: bool },
    /// Not known before apply.
    Unknown,
    /// Refused, for this reason.
    Refused(String),
    /// A value that has no JSON text, such as infinity.
    Unwritable,
}

/// `terraform` with nothing of the machine's configuration and no network.
pub fn terraform(folder: &Path) -> Command {
    let mut command = Command::new("terraform");
    command
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", folder.join(".terraformrc"))
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        .stdin(Stdio::null());
    command
}

/// Whether there is a terraform of the minor version whose behaviour is held here.
pub fn is_installed() -> bool {
    let output = Command::new("terraform").args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1").output();
    let Ok(output) = output else { return false };
    let version: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    version["terraform_version"].as_str().is_some_and(|version| version.starts_with("1.11."))
}

/// Asks about all expressions; `folder` holds the files that they read.
pub fn ask(folder: &Path, expressions: &[String]) -> Vec<Verdict> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; expressions.len()];
    let mut sensitive = vec![false; expressions.len()];
    std::fs::write(folder.join(".terraformrc"), "").expect("the folder can be written");
    for (index, expression) in expressions.iter().enumerate() {
        write(folder, index, expression, false);
    }
    loop {
        let output = terraform(folder)
            .args(["plan", "-json", "-refresh=false", "-input=false", "-lock=false", "-out=plan.bin"])
            .output()
            .expect("terraform starts");
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        let mut marked = Vec::new();
        let mut others = Vec::new();
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Json>(line) else { continue };
            let diagnostic = &line["diagnostic"];
            if diagnostic["severity"] != "error" {
                continue;
            }
            let summary = diagnostic["summary"].as_str().unwrap_or_default();
            let message = format!("{summary}: {}", diagnostic["detail"].as_str().unwrap_or_default());
            let file = diagnostic["range"]["filename"].as_str().unwrap_or_default();
            let index = file.strip_prefix('e').and_then(|rest| rest.strip_suffix(".tf")?.parse::<usize>().ok());
            let Some(index) = index else {
                others.push(message);
                continue;
            };
            if summary == "Output refers to sensitive values" {
                marked.push(index);
            } else {
                refused.insert(index, message);
            }
        }
        for (index, message) in &refused {
            let is_encoding = message.contains("\"jsonencode\" failed: cannot serialize infinity");
            verdicts[*index] = Some(if is_encoding { Verdict::Unwritable } else { Verdict::Refused(message.clone()) });
            std::fs::remove_file(folder.join(format!("e{index}.tf"))).expect("the file was written");
        }
        for index in marked {
            if verdicts[index].is_none() && !std::mem::replace(&mut sensitive[index], true) {
                write(folder, index, &expressions[index], true);
            }
        }
        if output.status.success() {
            break;
        }
        assert!(!refused.is_empty() || others.is_empty(), "terraform refuses the module: {others:?}");
    }
    let shown = terraform(folder).args(["show", "-json", "plan.bin"]).output().expect("terraform starts");
    let shown: Json = serde_json::from_slice(&shown.stdout).expect("the plan is JSON");
    let outputs = &shown["planned_values"]["outputs"];
    for index in 0..expressions.len() {
        let _ = std::fs::remove_file(folder.join(format!("e{index}.tf")));
    }
    verdicts
        .into_iter()
        .enumerate()
        .map(|(index, verdict)| {
            verdict.unwrap_or_else(|| {
                let (json, whole) = (&outputs[format!("v{index}")]["value"], &outputs[format!("t{index}")]["type"]);
                match json.as_str() {
                    Some(json) => Verdict::Value {
                        json: json.to_string(),
                        ty: type_text(&whole[1][0]),
                        is_sensitive: sensitive[index],
                    },
                    None => Verdict::Unknown,
                }
            })
        })
        .collect()
}

fn write(folder: &Path, index: usize, expression: &str, is_sensitive: bool) {
    // The value stands in a tuple, for an output that is null leaves no trace in the plan.
    let text = format!(
        "locals {{\ne{index} = (\n{expression}\n)\n}}\noutput \"v{index}\" {{\nvalue = jsonencode(local.e{index})\nsensitive = \
         {is_sensitive}\n}}\noutput \"t{index}\" {{\nvalue = [local.e{index}]\nsensitive = {is_sensitive}\n}}\n"
    );
    std::fs::write(folder.join(format!("e{index}.tf")), text).expect("the folder can be written");
}

/// A type in the plan's JSON, as the console writes types.
fn type_text(json: &Json) -> String {
    let Some(parts) = json.as_array() else { return json.as_str().unwrap_or_default().to_string() };
    let name = parts[0].as_str().unwrap_or_default();
    match &parts[1] {
        Json::Array(items) if name == "tuple" => {
            let items: Vec<String> = items.iter().map(type_text).collect();
            format!("tuple([{}])", items.join(", "))
        }
        Json::Object(attributes) => {
            let mut attributes: Vec<(&String, &Json)> = attributes.iter().collect();
            attributes.sort_by_key(|(name, _)| *name);
            let attributes: Vec<String> =
                attributes.into_iter().map(|(name, ty)| format!("{name}={}", type_text(ty))).collect();
            format!("object({{{}}})", attributes.join(", "))
        }
        element => format!("{name}({})", type_text(element)),
    }
}
