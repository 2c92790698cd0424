//! Writes the inputs that the fuzzer begins with, a folder for each target: `cargo run --example fuzz_seeds -- fuzz/corpus`.

use std::io::{self, Write};
use std::path::Path;

// The checks themselves are for the fuzzer and the tests.
#[allow(dead_code)]
#[path = "../fuzz/checks/mod.rs"]
mod checks;

use checks::TARGETS;
use checks::seeds::seeds;

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return writeln!(io::stderr(), "name the folder to write to: fuzz/corpus");
    };
    for target in TARGETS {
        let corpus = Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&corpus)?;
        let seeds = seeds(Path::new(env!("CARGO_MANIFEST_DIR")), target.name);
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(corpus.join(format!("seed-{number:04}")), seed)?;
        }
        writeln!(io::stdout(), "{}: {} seeds", target.name, seeds.len())?;
    }
    Ok(())
}
