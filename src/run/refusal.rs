//! A refusal as it is told: what it quotes of the tree, names and texts of files, acts in no terminal and no log.

use std::fmt;
use std::io::{self, Write};

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::Error;
use crate::escape::{log_line, plain};

/// An error whose message and help are inert; its excerpt is so where it is made.
#[derive(Debug)]
struct Refusal {
    message: String,
    help: Option<String>,
    of: Error,
}

impl Error {
    /// Writes what is wrong and what to do.
    pub fn tell(self, out: &mut dyn Write) -> io::Result<()> {
        let refusal = Refusal {
            message: inert(&self.to_string()),
            help: self.help().map(|help| inert(&help.to_string())),
            of: self,
        };
        let told = format!("{:?}", miette::Report::new(refusal));
        told.lines().try_for_each(|line| writeln!(out, "{}", log_line(line)))
    }
}

/// A text of some lines.
fn inert(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl Diagnostic for Refusal {
    fn severity(&self) -> Option<Severity> {
        self.of.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.of.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.of.labels()
    }
}
