//! The files by which others call gate: the hooks for pre-commit and the action for workflows.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use serde_yaml::Value;
use support::run::{code, gate};
use support::tree;

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

#[test]
fn hooks_take_every_text_that_is_not_installed() {
    for hook in read(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        let exclude = regex::Regex::new(hook["exclude"].as_str().unwrap()).unwrap();
        // A pattern of names would leave out `.env`, `id_rsa` and the next format that somebody keeps a password in.
        assert!(hook.get("files").is_none());
        assert_eq!(hook["types"], serde_yaml::from_str::<Value>("[text]").unwrap());
        for path in ["main.tf", "in fra/x.tf.json", "Dockerfile", ".env", ".ssh/id_rsa", "app.py", "README.md"] {
            assert!(!exclude.is_match(path), "{path}");
        }
        for path in ["infra/.terraform/modules/vpc/main.tf", "node_modules/a/index.js"] {
            assert!(exclude.is_match(path), "{path}");
        }
        // Several processes at once would print over each other; excludes hold for files that are passed too.
        assert_eq!(hook["require_serial"], true);
        assert!(hook["entry"].as_str().unwrap().starts_with("gate scan --force-exclude"));
    }
}

#[test]
fn hooks_see_secrets_in_files_of_any_name_and_pass_the_rest() {
    let body = "0Zr7tQw3LpX9vJ2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9\n".repeat(40);
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA{body}-----END RSA PRIVATE KEY-----\n");
    let secrets = [
        (".env", "DB_PASSWORD=Zr7tQw3LpX9v\n"),
        ("app.py", "TOKEN = \"ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6\"\n"),
        ("id_rsa", key.as_str()),
    ];
    let clean = [("README.md", "# Shop\n"), ("shop.py", "total = 1\n"), ("LICENSE", "Anybody may.\n")];
    let folder = tree(&[&secrets[..], &clean[..]].concat());
    for hook in read(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        for (path, _) in secrets {
            assert_eq!(code(&run(hook, None, folder.path(), &[path])), 1, "{path}");
        }
        assert_eq!(code(&run(hook, None, folder.path(), &clean.map(|(path, _)| path))), 0);
    }
}

/// Runs a hook as pre-commit does: the words of its entry, its arguments or those that a user gives instead, the files.
fn run(hook: &Value, own: Option<&[&str]>, folder: &Path, files: &[&str]) -> Output {
    let mut words = hook["entry"].as_str().unwrap().split(' ').skip(1).collect::<Vec<_>>();
    let given = hook["args"].as_sequence().unwrap().iter().map(|argument| argument.as_str().unwrap());
    words.extend(own.map_or(given.collect(), <[&str]>::to_vec));
    words.extend(files);
    gate(folder, &words)
}

const OPEN: &str = "resource \"aws_db_instance\" \"a\" {\n  publicly_accessible = true\n}\n";

#[test]
fn a_file_named_like_an_option_is_none() {
    let hooks = read(".pre-commit-hooks.yaml");
    let victim = tree(&[("x.yaml", "kept: 1\n")]);
    let victim = victim.path().join("x.yaml");
    let output = format!("--format=text={}", victim.display());
    for named in ["--exit-zero", "--config=e.yaml", "-x.tf", &output] {
        let folder = tree(&[("e.yaml", "fail-on: never\n"), ("main.tf", OPEN), (named, "# nothing\n")]);
        for hook in hooks.as_sequence().unwrap() {
            let passed = run(hook, None, folder.path(), &[named, "main.tf"]);
            assert_eq!(code(&passed), 1, "{named}: {passed:?}");
            assert!(String::from_utf8_lossy(&passed.stdout).contains("aws-rds-publicly-accessible"), "{passed:?}");
            let own = run(hook, Some(&["--fail-on=never", "--"]), folder.path(), &[named, "main.tf"]);
            assert_eq!(code(&own), 0, "{named}: {own:?}");
            // Whose arguments do not end with -- is told so.
            let refused = run(hook, Some(&["--fail-on=never"]), folder.path(), &[named, "main.tf"]);
            assert_eq!(code(&refused), 2, "{named}: {refused:?}");
            assert!(String::from_utf8_lossy(&refused.stderr).contains("put `--` before the files"), "{refused:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "kept: 1\n");
}

#[test]
fn options_are_options_where_no_file_has_their_name() {
    let folder = tree(&[("main.tf", OPEN), ("exit-zero", ""), ("-", "")]);
    assert_eq!(code(&gate(folder.path(), &["scan", "--exit-zero", "main.tf"])), 0);
    assert_eq!(code(&gate(folder.path(), &["scan", "--exit-zero", "--", "-", "main.tf"])), 0);
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

/// A step of the action, as a runner runs it.
#[cfg(unix)]
fn script(id: &str) -> Command {
    let action = read("action.yml");
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let script = steps.iter().find(|step| step["id"] == id).unwrap()["run"].as_str().unwrap();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]);
    command
}

#[cfg(unix)]
#[test]
fn the_action_builds_gate_where_nothing_of_the_checkout_is_read() {
    // rustup runs the toolchain that the nearest rust-toolchain.toml names, and cargo the wrapper of the nearest settings.
    let settings = "[toolchain]\npath = \"evil\"\n";
    let folder = tree(&[
        ("work/rust-toolchain.toml", settings),
        ("work/.cargo/config.toml", "[build]\nrustc-wrapper = \"./evil\"\n"),
        ("work/action/Cargo.toml", ""),
        ("runner/x", ""),
        (
            "bin/cargo",
            "#!/bin/bash\npwd > \"$RUNNER_TEMP/ran\"\nls >> \"$RUNNER_TEMP/ran\"\necho \"$@\" >> \"$RUNNER_TEMP/ran\"\n",
        ),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let cargo = root.join("bin/cargo");
    std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = script("install")
        .current_dir(root.join("work"))
        .env("PATH", format!("{}:/usr/bin:/bin", root.join("bin").display()))
        .envs([("RUNNER_TEMP", root.join("runner")), ("ACTION_PATH", root.join("work/action"))])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let ran = std::fs::read_to_string(root.join("runner/ran")).unwrap();
    let (at, rest) = ran.split_once('\n').unwrap();
    assert!(!Path::new(at).starts_with(root.join("work")), "{ran}");
    assert!(rest.starts_with("Cargo.toml\ninstall --locked --path . --root"), "{ran}");
    let action = read("action.yml");
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        // The step itself begins outside of what is judged.
        let builds = step["run"].as_str().is_some_and(|script| script.contains("cargo"));
        assert!(!builds || step["working-directory"] == "${{ github.action_path }}");
    }
}

#[cfg(unix)]
mod scan {
    //! The report that the action uploads.

    use std::path::Path;
    use std::process::Output;

    use crate::support::tree;

    /// What the step writes to its outputs, and its exit code, with these variables in a workspace.
    fn step(workspace: &Path, inputs: &[(&str, &str)]) -> (String, i32) {
        let (outputs, output) = run(workspace, inputs);
        (outputs, output.status.code().unwrap())
    }

    /// The same with its log.
    fn step_with_log(workspace: &Path, inputs: &[(&str, &str)]) -> (String, String) {
        let (outputs, output) = run(workspace, inputs);
        (outputs, [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat())
    }

    fn run(workspace: &Path, inputs: &[(&str, &str)]) -> (String, Output) {
        let runner = workspace.join("runner");
        std::fs::create_dir_all(runner.join("gate/bin")).unwrap();
        let gate = runner.join("gate/bin/gate");
        if !gate.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gate"), gate).unwrap();
        }
        let outputs = runner.join("outputs");
        std::fs::write(&outputs, "").unwrap();
        let output = super::script("scan")
            .current_dir(workspace)
            .envs([("RUNNER_TEMP", &runner), ("GITHUB_OUTPUT", &outputs)])
            .env("INPUT_PATH", "main.tf")
            .envs(inputs.iter().copied())
            .output()
            .unwrap();
        (std::fs::read_to_string(&outputs).unwrap(), output)
    }

    #[test]
    fn is_that_of_this_use_or_none() {
        let folder = tree(&[("main.tf", super::OPEN)]);
        for sarif in ["", "out/a b.sarif"] {
            let (first, _) = step(folder.path(), &[("INPUT_SARIF", sarif)]);
            assert!(first.contains("sarif-file=") && first.contains("exit-code=1"), "{first}");
            let (second, _) = step(folder.path(), &[("INPUT_SARIF", sarif), ("INPUT_FAIL_ON", "hihg")]);
            assert_eq!(second, "exit-code=2\n", "nothing to upload");
        }
    }

    #[test]
    fn that_is_missing_is_told_in_an_annotation_and_the_summary() {
        let folder = tree(&[("main.tf", super::OPEN), ("gate.yaml", "fail-on: \"50%\\e[31m ##[error]x\"\n")]);
        let summary = folder.path().join("summary.md");
        let inputs = [("INPUT_SUMMARY", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
        let (outputs, log) = step_with_log(folder.path(), &inputs);
        assert_eq!(outputs, "exit-code=2\n");
        let annotation = log.lines().find(|line| line.starts_with("::error title=gate could not judge::")).unwrap();
        assert!(annotation.contains("gate.yaml:1") && annotation.contains("50%25"), "{annotation}");
        let summary = std::fs::read_to_string(summary).unwrap();
        assert!(summary.contains("gate.yaml:1"), "{summary}");
        for text in [&log, &summary] {
            assert!(!text.contains('\u{1b}') && !text.contains("##[error]"), "{text}");
        }
    }

    #[test]
    fn is_kept_beside_that_of_another_use() {
        let folder = tree(&[("main.tf", super::OPEN)]);
        let [first, second] = [(); 2].map(|()| step(folder.path(), &[]).0);
        assert_ne!(first, second);
    }

    #[test]
    fn has_a_name_that_the_command_line_can_take() {
        let folder = tree(&[("main.tf", super::OPEN)]);
        assert_eq!(step(folder.path(), &[("INPUT_SARIF", "a,b.sarif")]), (String::new(), 2));
        assert!(!folder.path().join("a").exists());
    }
}

#[cfg(unix)]
mod base {
    //! The commit that the action holds a change against.

    use std::path::Path;

    use tempfile::TempDir;

    use super::script;
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
            self.step_in(self.folder.path(), ".", event, sha, base)
        }

        /// The same in a workspace, with an input `path`.
        fn step_in(&self, workspace: &Path, path: &str, event: &str, sha: &str, base: &str) -> (i32, String, String) {
            let outputs = self.folder.path().join(".git/outputs");
            std::fs::write(&outputs, "").unwrap();
            let output = script("base")
                .current_dir(workspace)
                .env("INPUT_BASE", "auto")
                .env("INPUT_PATH", path)
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
    fn is_that_of_the_repository_in_which_the_path_lies() {
        let clone = clone();
        let merge = clone.merge([&clone.base, &clone.author]);
        let workspace = clone.folder.path().parent().unwrap();
        let folder = clone.folder.path().file_name().unwrap().to_str().unwrap();
        for path in [folder, &format!("{folder}/gate.yaml")] {
            let (code, log, base) = clone.step_in(workspace, path, "pull_request", &merge, &clone.author);
            assert_eq!((code, base), (0, clone.base.clone()), "{path}: {log}");
        }
    }

    #[test]
    fn is_none_of_a_repository_that_the_change_brings() {
        let clone = clone();
        let merge = clone.merge([&clone.base, &clone.author]);
        // What a bare repository holds can be committed, with settings that start programs.
        git(clone.folder.path(), &["init", "--quiet", "--bare", "infra"]);
        let (code, log, base) = clone.step_in(clone.folder.path(), "infra", "pull_request", &merge, &clone.base);
        assert_eq!((code, base.as_str()), (2, ""), "{log}");
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
