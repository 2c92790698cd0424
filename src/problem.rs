//! What went wrong without stopping the scan: a file that could not be read, a limit that was hit, a rule that broke.

use crate::source::Span;

/// Kinds of problems, as `gate inspect` and the reports name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// The text is not what its format allows.
    Syntax,
    /// An expression that its engine would refuse; the value counts as unknown.
    Evaluation,
    /// Something that belongs to the scan was not read: no permission, not UTF-8, a module that is not there.
    Unread,
    /// A called module that is fetched from elsewhere and not there. `accept-unread` speaks of these.
    UnreadModule,
    /// A limit on size, depth, instances or time was hit.
    Limit,
    /// A rule or policy failed while it ran.
    Rule,
    /// Checks of a rule met values that are not known; told one by one only where `--strict` counts them.
    Undecided,
    /// Worth telling, with no effect on the verdict.
    Note,
}

impl ProblemKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ProblemKind::Syntax => "syntax",
            ProblemKind::Evaluation => "evaluation",
            ProblemKind::Unread | ProblemKind::UnreadModule => "unread",
            ProblemKind::Limit => "limit",
            ProblemKind::Rule => "rule",
            ProblemKind::Undecided => "undecided",
            ProblemKind::Note => "note",
        }
    }

    /// Whether such a problem closes the gate with exit code 2: something claimed was not wholly read or judged.
    ///
    /// An evaluation problem does not: the value is unknown, and every check that meets it is counted as undecided. With
    /// `--strict` all problems close.
    pub fn closes(self) -> bool {
        !matches!(self, ProblemKind::Evaluation | ProblemKind::Undecided | ProblemKind::Note)
    }
}

/// One problem with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path relative to the root of the scan; empty when no file is concerned.
    pub path: String,
    /// Where in the file, if the file was read.
    pub span: Option<Span>,
    /// What kind of problem.
    pub kind: ProblemKind,
    /// What is wrong: lower case, no full stop, names the thing.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place in a file that was read; the path is filled in by [`Problem::in_file`].
    pub fn at(kind: ProblemKind, span: Span, message: impl Into<String>) -> Problem {
        Problem { path: String::new(), span: Some(span), kind, message: message.into(), help: None }
    }

    /// A problem with a whole file or folder.
    pub fn with_path(kind: ProblemKind, path: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { path: path.into(), span: None, kind, message: message.into(), help: None }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}
