//! The files by which others call gate: the hooks for pre-commit and the action for workflows.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_yaml::Value;

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

#[test]
fn hooks_take_the_files_of_every_format_and_no_others() {
    for hook in read(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        let pattern = |key: &str| regex::Regex::new(hook[key].as_str().unwrap()).unwrap();
        let (files, exclude) = (pattern("files"), pattern("exclude"));
        let takes = |path: &str| files.is_match(path) && !exclude.is_match(path);
        for path in [
            "main.tf",
            "in fra/main.tofu",
            "x.tf.json",
            "prod.tfvars",
            "prod.tfvars.json",
            "k8s/api.yaml",
            "a.yml",
            "trust.json",
            "Dockerfile",
            "app/Dockerfile.dev",
            "Containerfile",
            "api.Dockerfile",
            "api.dockerfile",
        ] {
            assert!(takes(path), "{path}");
        }
        for path in ["main.py", "README.md", "Dockerfile_old", "infra/.terraform/modules/vpc/main.tf", "a.yaml.bak"] {
            assert!(!takes(path), "{path}");
        }
        // Several processes at once would print over each other; excludes hold for files that are passed too.
        assert_eq!(hook["require_serial"], true);
        assert!(hook["entry"].as_str().unwrap().starts_with("gate scan --force-exclude"));
    }
}

#[test]
fn no_input_of_the_action_stands_in_a_script() {
    let action = read("action.yml");
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let script = |step: &Value| step["run"].as_str().unwrap_or_default().to_string();
    let pinned = regex::Regex::new("@[0-9a-f]{40}$").unwrap();
    for step in steps {
        assert!(!script(step).contains("${{"), "{}", script(step));
        match step["uses"].as_str() {
            // What others may move is pinned by its digest.
            Some(uses) => assert!(pinned.is_match(uses), "{uses}"),
            None => assert_eq!(step["shell"], "bash"),
        }
    }
    let scripts: String = steps.iter().map(script).collect();
    let variables: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["env"].as_mapping())
        .flat_map(|env| env.keys().map(|name| name.as_str().unwrap()))
        .collect();
    for name in variables {
        assert!(
            scripts.contains(&format!("${name}")) || scripts.contains(&format!("${{{name}:-")),
            "{name} is not used"
        );
    }
    for (name, _) in action["inputs"].as_mapping().unwrap() {
        let wanted = format!("inputs.{}", name.as_str().unwrap());
        assert!(serde_yaml::to_string(&action["runs"]).unwrap().contains(&wanted), "{wanted} goes nowhere");
    }
    // What a step leaves in the environment, later steps inherit.
    assert!(!scripts.contains("GITHUB_ENV"));
    let last = steps.last().unwrap()["run"].as_str().unwrap();
    assert_eq!(last, "exit \"${EXIT_CODE:-2}\"");
}
