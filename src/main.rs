//! The `gate` program: parse the command line, run, turn the outcome into an exit code.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use gate::cli::Cli;

fn main() -> ExitCode {
    // A panic is caught where it happens and reported as a problem; its own message would only disturb the report.
    std::panic::set_hook(Box::new(|_| {}));
    // Before anything is read; where the kernel does not agree the code still opens and starts nothing.
    gate::confine::confine();
    let outcome = gate::arguments::check(std::env::args_os().skip(1))
        .and_then(|()| gate::run::run(Cli::parse(), &mut io::stdout().lock(), &mut io::stderr()));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // When even this can't be written the exit code has to tell.
            let _ = error.tell(&mut io::stderr());
            ExitCode::from(2)
        }
    }
}
