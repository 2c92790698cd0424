//! The files by which others call gate: the hooks for pre-commit and the action for workflows.

#![allow(clippy::unwrap_used)]

mod support;

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

#[cfg(unix)]
mod base {
    //! The commit that the action holds a change against.

    use std::path::PathBuf;
    use std::process::Command;

    use tempfile::TempDir;

    use crate::support::git::git;

    /// A repository with a base, and a commit of the author's beside it that allows everything.
    struct Clone {
        folder: TempDir,
        base: String,
        author: String,
    }

    fn clone() -> Clone {
        let folder = TempDir::new().unwrap();
        let commit = |text: &str| {
            std::fs::write(folder.path().join("gate.yaml"), text).unwrap();
            git(folder.path(), &["add", "."]);
            git(folder.path(), &["commit", "--quiet", "--message", "x"]);
            git(folder.path(), &["rev-parse", "HEAD"])
        };
        git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
        let base = commit("fail-on: low\n");
        let author = commit("fail-on: never\n");
        Clone { folder, base, author }
    }

    impl Clone {
        /// Checks out a merge with these parents and gives its name.
        fn merge(&self, parents: [&str; 2]) -> String {
            let tree = format!("{}^{{tree}}", self.author);
            let [first, second] = parents;
            let merge = git(self.folder.path(), &["commit-tree", &tree, "-p", first, "-p", second, "-m", "merge"]);
            git(self.folder.path(), &["checkout", "--quiet", "--detach", &merge]);
            merge
        }

        /// What the action's step says: its exit code, its log, and the base.
        fn step(&self, event: &str, sha: &str, base: &str) -> (i32, String, String) {
            let action = super::read("action.yml");
            let steps = action["runs"]["steps"].as_sequence().unwrap();
            let script = steps.iter().find(|step| step["id"] == "base").unwrap()["run"].as_str().unwrap();
            let outputs: PathBuf = self.folder.path().join(".git/outputs");
            std::fs::write(&outputs, "").unwrap();
            let output = Command::new("bash")
                .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script])
                .current_dir(self.folder.path())
                .env("INPUT_BASE", "auto")
                .env("EVENT_BASE", base)
                .env("GITHUB_EVENT_NAME", event)
                .env("GITHUB_SHA", sha)
                .env("GITHUB_OUTPUT", &outputs)
                .output()
                .unwrap();
            let revision = std::fs::read_to_string(&outputs).unwrap();
            let log = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.code().unwrap(), log, revision.trim().trim_start_matches("revision=").to_string())
        }
    }

    #[test]
    fn is_the_first_parent_of_what_github_has_merged() {
        let clone = clone();
        let merge = clone.merge([&clone.base, &clone.author]);
        // The branch has moved on since the event.
        let (code, log, base) = clone.step("pull_request", &merge, &clone.author);
        assert_eq!((code, base), (0, clone.base.clone()), "{log}");
    }

    #[test]
    fn is_never_a_parent_that_the_author_has_chosen() {
        let clone = clone();
        let merge = clone.merge([&clone.author, &clone.base]);
        for (event, sha) in [("pull_request", &clone.base), ("pull_request_target", &merge), ("merge_group", &merge)] {
            let (code, log, base) = clone.step(event, sha, &clone.base);
            assert_eq!((code, base), (0, clone.base.clone()), "{event}: {log}");
        }
    }

    #[test]
    fn is_asked_for_where_it_is_not_known() {
        let clone = clone();
        let (code, log, base) = clone.step("pull_request", &clone.base, &"1".repeat(40));
        assert_eq!((code, base.as_str()), (2, ""));
        assert!(log.contains("::error") && log.contains("fetch-depth: 0"), "{log}");
    }
}
