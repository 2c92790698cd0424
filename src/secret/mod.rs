//! Finds credentials in text, and tells secret from harmless names and values. Knows no format and no rule.
//!
//! [`find`] runs one automaton over the beginnings of all known credentials, and a pattern only where one begins, so that
//! text without credentials costs one pass. [`is_secret_name`] and [`is_literal_secret`] judge an assignment by its name and
//! its value.

mod find;
mod key;
mod name;
mod patterns;
mod url;
mod value;

pub use find::{find, prepare};
pub use name::is_secret_name;
pub use value::{is_literal_secret, is_reference, looks_like_placeholder};

/// What a credential opens, as far as rules tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A private key, in PEM or a form of its own.
    PrivateKey,
    /// An access key of AWS.
    AwsKey,
    /// A token of a service, or a signed JWT.
    ServiceToken,
    /// A user's password in a URL, a connection string or a header.
    Connection,
}

/// One credential in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset one past its last byte.
    pub end: usize,
    /// What it opens.
    pub kind: Kind,
    /// What it is, for people: `GitHub token`.
    pub what: &'static str,
}

/// Bytes of a line past which a text was written by a program.
const LONG_LINE: usize = 5_000;

/// As [`find`], for a file of this name. Lock files and generated code are full of random text, and are searched only for
/// what nothing else looks like.
pub fn find_in_file(path: &str, text: &str) -> Vec<Hit> {
    if is_lock_file(path) || is_generated(path, text) { find::find_certain(text) } else { find(text) }
}

fn is_lock_file(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "go.sum",
        "gradle.lockfile",
        "packages.lock.json",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".lock") || name.ends_with(".lock.hcl") || name.ends_with(".sum") || NAMES.contains(&name)
}

fn is_generated(path: &str, text: &str) -> bool {
    let ends = [".min.js", ".min.css", ".map", ".svg", ".ipynb"];
    ends.iter().any(|end| path.ends_with(end)) || text.lines().take(200).any(|line| line.len() > LONG_LINE)
}
