//! Git, for tests that need a repository.

use std::path::Path;
use std::process::Command;

/// What git with these arguments prints in a folder, under a name of its own and without the settings of whoever runs the tests.
/// Fails where git does.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=dev", "-c", "user.email=dev@acme.example", "-c", "commit.gpgsign=false"];
    let output = Command::new("git")
        .args(identity)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is there");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_string()
}
