//! Gate as its users run it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// `gate` with these arguments in a folder, not yet started, for whoever sets its environment or its streams.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gate"));
    command.current_dir(folder).args(arguments);
    command
}

/// Runs `gate` with these arguments in a folder to its end.
pub fn gate(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("gate starts")
}

/// The exit code. Fails where a signal has ended gate.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("gate ends by itself: {output:?}"))
}

/// What stands on standard output, as JSON. Fails with all of the output where it is none.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

/// What `gate` with these arguments prints on standard output in a folder.
pub fn printed(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(gate(folder, arguments).stdout).expect("UTF-8")
}

/// The exit code of `gate` with these arguments in a folder, and what it prints, as JSON.
pub fn answered(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = gate(folder, arguments);
    (code(&output), json(&output))
}

/// The exit code of `gate scan` with more arguments in a folder, and its report as JSON.
pub fn scanned(folder: &Path, more: &[&str]) -> (i32, Value) {
    answered(folder, &[&["scan", "--format", "json"], more].concat())
}

/// The model of a folder, as `gate inspect` shows it.
pub fn inspected(folder: &Path) -> Value {
    answered(folder, &["inspect", "."]).1
}
