//! The known forms of credentials, a row each, by what the providers document of them.

mod cloud;
mod code;
mod data;
mod service;

use super::Kind;

/// How a pattern finds its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The credential itself begins with a keyword.
    Token,
    /// A keyword stands so many bytes after the beginning of the credential.
    Within(usize),
    /// A keyword begins the name of something that the credential is assigned to.
    Assigned,
}

/// One form of credential.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    pub what: &'static str,
    pub kind: Kind,
    /// Texts without which there is no such credential.
    pub keywords: &'static [&'static str],
    pub form: Form,
    /// The whole credential, from its beginning; a first group is the secret part of it.
    pub regex: &'static str,
    /// Bits a character below which it stands for an example.
    pub entropy: f64,
    /// Whether nothing else looks like it, so that it is looked for in generated text too.
    pub certain: bool,
    /// A further condition on the credential.
    pub check: Option<fn(&str) -> bool>,
}

impl Pattern {
    const fn new(
        what: &'static str,
        keywords: &'static [&'static str],
        form: Form,
        regex: &'static str,
        certain: bool,
    ) -> Pattern {
        Pattern { what, kind: Kind::ServiceToken, keywords, form, regex, entropy: 3.0, certain, check: None }
    }

    const fn kind(self, kind: Kind) -> Pattern {
        Pattern { kind, ..self }
    }

    const fn entropy(self, entropy: f64) -> Pattern {
        Pattern { entropy, ..self }
    }

    /// Not looked for in generated text.
    const fn uncertain(self) -> Pattern {
        Pattern { certain: false, ..self }
    }

    const fn check(self, check: fn(&str) -> bool) -> Pattern {
        Pattern { check: Some(check), ..self }
    }
}

/// A credential that begins with one of these texts.
const fn token(what: &'static str, keywords: &'static [&'static str], regex: &'static str) -> Pattern {
    Pattern::new(what, keywords, Form::Token, regex, true)
}

/// A credential with a text at a fixed place inside.
const fn within(what: &'static str, keyword: &'static [&'static str], at: usize, regex: &'static str) -> Pattern {
    Pattern::new(what, keyword, Form::Within(at), regex, true)
}

/// A credential without a mark of its own, assigned to a name that begins with one of these words. The words are looked for
/// in lower case, in upper case and with a capital.
const fn assigned(what: &'static str, names: &'static [&'static str], value: &'static str) -> Pattern {
    Pattern::new(what, names, Form::Assigned, value, false)
}

/// All patterns, by subject.
pub(super) const PATTERNS: &[&[Pattern]] = &[cloud::PATTERNS, code::PATTERNS, data::PATTERNS, service::PATTERNS];
