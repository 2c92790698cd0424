//! What the running process can't do, though a file under judgement made it try.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use support::run::command;
use support::tree;

#[test]
fn the_kernel_keeps_the_process_from_programs_and_connections() {
    let folder = tree(&[("main.tf", "locals {\n  a = 1\n}\n")]);
    let mut console = command(folder.path(), &["console", "."]);
    let mut gate = console.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gate.stdin.take().unwrap();
    let mut answers = BufReader::new(gate.stdout.take().unwrap()).lines();
    writeln!(input, "local.a").unwrap();
    input.flush().unwrap();
    assert!(answers.next().unwrap().unwrap().contains('1'), "it works as before");
    // Field `Seccomp` of proc(5): 2 is a filter. Every thread has its own.
    let threads = std::fs::read_dir(format!("/proc/{}/task", gate.id())).unwrap();
    // One that has come to its end meanwhile has no status any more.
    let held: Vec<String> =
        threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("status")).ok()).collect();
    assert!(!held.is_empty(), "the process waits for more");
    for status in held {
        let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).map(str::trim);
        assert_eq!(mode, Some("2"));
    }
    drop(input);
    assert!(gate.wait().unwrap().success());
}
