//! Finds credentials in text, and tells secret from harmless names and values. Knows no format and no rule.
//!
//! [`find`] runs one automaton over the beginnings of all known credentials, and a pattern only where one begins, so that
//! text without credentials costs one pass. [`find_in_file`] looks at names of secrets in the same pass, and reads what is
//! assigned to them in the syntax of the file. [`find_to_hide`] does the same for texts that are shown, where what is hidden in
//! vain costs nothing: it reads every value to its end. [`is_secret_name`] and [`is_literal_secret`] judge an assignment by its name and
//! its value.

mod assigned;
mod command;
mod file;
mod find;
mod hide;
mod key;
mod keywords;
mod lines;
mod name;
mod notebook;
mod patterns;
mod random;
mod reader;
mod store;
mod template;
mod url;
mod value;
mod whole;

use std::hash::{DefaultHasher, Hash, Hasher};

pub use file::{find_in_file, find_to_hide, in_lines};
pub use find::{find, prepare};
pub use hide::{HIDDEN, Known, shortened, without, without_secrets};
pub use name::is_secret_name;
pub use random::is_distinct;
pub use value::{is_literal_secret, is_reference, looks_like_placeholder, may_be_secret};

/// A hash of a secret, whatever quotes, blanks and line ends it is written with.
pub fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = text.replace("\\r", "\r").replace("\\n", "\n");
    let words = text.split(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`'));
    words.filter(|word| !word.is_empty()).for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

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
    /// Whatever a name says: a literal that something called a password or a token is set to.
    Literal,
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
