//! Makes corpora to measure with: `cargo run --release --example corpus -- KIND AMOUNT SEED FOLDER`.
//!
//! AMOUNT is a number of files (`1000`) or a size (`500kB`, `5MB`). The same arguments give the same bytes on every machine.

#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "mod.rs"]
mod corpus;

use std::path::Path;
use std::process::ExitCode;

use corpus::{Amount, KINDS};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [kind, amount, seed, folder] => make(kind, amount, seed, Path::new(folder)),
        _ => Err("wants KIND AMOUNT SEED FOLDER".to_string()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("corpus: {message}\nkinds:");
            KINDS.iter().for_each(|(name, meaning, _)| eprintln!("  {name:16} {meaning}"));
            ExitCode::from(2)
        }
    }
}

fn make(kind: &str, amount: &str, seed: &str, folder: &Path) -> Result<String, String> {
    let (.., maker) = KINDS.iter().find(|(name, ..)| *name == kind).ok_or(format!("no kind '{kind}'"))?;
    let amount = read_amount(amount).ok_or(format!("'{amount}' is no amount: write 1000, 500kB or 5MB"))?;
    let seed = seed.parse().map_err(|_| format!("'{seed}' is no seed: write a whole number"))?;
    let files = maker(amount, &mut corpus::random::Random::new(seed));
    let mut size = 0;
    for file in &files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, &file.text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        size += file.text.len();
    }
    Ok(format!("{} files, {size} bytes in {}", files.len(), folder.display()))
}

fn read_amount(text: &str) -> Option<Amount> {
    let bytes = |number: &str, unit: usize| Some(Amount::Bytes(number.parse::<usize>().ok()?.checked_mul(unit)?));
    match (text.strip_suffix("kB"), text.strip_suffix("MB")) {
        (Some(number), _) => bytes(number, 1000),
        (_, Some(number)) => bytes(number, 1_000_000),
        _ => text.parse().ok().map(Amount::Files),
    }
}
