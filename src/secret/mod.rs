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

pub use find::{Search, find, find_certain};
pub use name::is_secret_name;
pub use value::{is_literal_secret, looks_like_placeholder};

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
