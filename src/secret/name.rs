//! Names of things that hold secrets.

/// Texts in names that say that the value is a secret.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "api_key",
    "private_key",
    "privatekey",
    "access_key",
    "accesskey",
    "credential",
    "pword",
    "auth_key",
    "authkey",
    "encryption_key",
    "signing_key",
    "account_key",
    "master_key",
    "shared_key",
    "storage_key",
    "client_key",
    "license_key",
    "webhook_key",
];

/// Whole words that say the same.
const SECRET_WORDS: &[&str] = &["pwd", "pass", "pw", "psk"];

/// Last words of names that speak about a secret: where it is, how long it lives, what it must look like.
const ABOUT: &[&str] = &[
    "account",
    "age",
    "algorithm",
    "alias",
    "arn",
    "arns",
    "attempts",
    "audience",
    "auth",
    "backend",
    "bits",
    "bytes",
    "change",
    "checksum",
    "class",
    "column",
    "config",
    "configuration",
    "count",
    "creation",
    "days",
    "description",
    "digest",
    "dir",
    "directory",
    "duration",
    "email",
    "enabled",
    "encoding",
    "endpoint",
    "engine",
    "env",
    "exists",
    "expiration",
    "expire",
    "expiry",
    "field",
    "file",
    "filename",
    "files",
    "format",
    "generator",
    "group",
    "hash",
    "header",
    "history",
    "hint",
    "host",
    "id",
    "identity",
    "ids",
    "index",
    "issuer",
    "key_id",
    "kind",
    "label",
    "length",
    "lifetime",
    "limit",
    "link",
    "list",
    "location",
    "management",
    "manager",
    "max",
    "method",
    "min",
    "mode",
    "mount",
    "name",
    "names",
    "namespace",
    "options",
    "param",
    "parameter",
    "path",
    "paths",
    "pattern",
    "permission",
    "permissions",
    "policies",
    "policy",
    "port",
    "prefix",
    "project",
    "provider",
    "ref",
    "reference",
    "refs",
    "regex",
    "region",
    "required",
    "requirement",
    "reset",
    "retention",
    "reuse",
    "role",
    "rotation",
    "rule",
    "rules",
    "scope",
    "scopes",
    "selector",
    "service",
    "settings",
    "size",
    "source",
    "spec",
    "state",
    "status",
    "stdin",
    "store",
    "stored",
    "suffix",
    "template",
    "ttl",
    "type",
    "types",
    "unit",
    "units",
    "uri",
    "url",
    "usage",
    "user",
    "username",
    "valid",
    "validation",
    "validity",
    "variable",
    "version",
    "versions",
    "volume",
    "volumes",
    "window",
    "words",
];

/// Words anywhere in a name that say that no secret is held.
const HARMLESS: &[&str] = &[
    "public",
    "enable",
    "disable",
    "require",
    "allow",
    "use",
    "is",
    "has",
    "no",
    "automount",
    "minimum",
    "maximum",
    "tokens",
    "tokenizer",
    "creation",
    "idempotency",
    "pagination",
    "continuation",
    "next",
    "secrets",
];

/// Whether a name says that its value is a secret: `db_password`, `GITHUB_TOKEN`, `clientSecret`; not `secret_name`,
/// `token_ttl` or `public_key`. Any way of joining words will do.
pub fn is_secret_name(name: &str) -> bool {
    let words = last_words(name);
    says_secret(&words, &words.join("_"))
}

/// The words of the last part of a path, which alone names the value.
fn last_words(name: &str) -> Vec<String> {
    words(name.rsplit(['/', ':']).next().unwrap_or(name))
}

/// Whether words, which are joined by `_` too, say that a value is a secret.
fn says_secret(words: &[String], joined: &str) -> bool {
    let says = SECRET.iter().any(|text| joined.contains(text))
        || words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()));
    if !says || words.iter().any(|word| HARMLESS.contains(&word.as_str())) {
        return false;
    }
    match words.last().map(String::as_str) {
        // `secret_key` holds one, `password_key` names the entry that does.
        Some("key") => {
            let before = words.len().checked_sub(2).map_or("", |index| words[index].as_str());
            !matches!(before, "password" | "passwd" | "token" | "username" | "user" | "credential" | "credentials")
        }
        Some(last) => !ABOUT.contains(&last),
        None => false,
    }
}

/// Words in names of made up secrets, of what was made from one, and of texts about one.
const MADE_UP: &[&str] = &[
    "test",
    "tests",
    "testing",
    "mock",
    "mocked",
    "dummy",
    "fake",
    "sample",
    "example",
    "demo",
    "expected",
    "actual",
    "invalid",
    "wrong",
    "bad",
    "incorrect",
    "encrypted",
    "hashed",
    "hash",
    "digest",
    "sha",
    "md",
    "masked",
    "csrf",
    "xsrf",
    "page",
    "cursor",
    "sync",
    "placeholder",
    "label",
    "title",
    "message",
    "text",
    "error",
    "prompt",
    "help",
    "css",
    "xpath",
    "regex",
    "regexp",
    "pattern",
    "publishable",
    "anon",
    "site",
    "commit",
    "revision",
    "etag",
    "checksum",
    "design",
    "cache",
    "lexer",
    "parser",
    "syntax",
    "typeof",
    "i18n",
    "translation",
    "class",
    "icon",
    "button",
    "input",
    "event",
    "action",
    "command",
    "endpoint",
    "url",
    "uri",
    "route",
    "schema",
    "widget",
    "forgot",
    "reset",
    "change",
    "confirm",
    "unmasked",
];

/// What a name promises of a value whose form says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// A password: people choose them.
    Password,
    /// A token or a key: programs draw them.
    Token,
}

/// As [`is_secret_name`], for a name in any text: tells what it promises, and leaves out more.
pub(super) fn promise(name: &str) -> Option<Promise> {
    let words = last_words(name);
    let joined = words.join("_");
    if !says_secret(&words, &joined) {
        return None;
    }
    // `sha256` is a digest as well.
    let is_made_up = |word: &String| MADE_UP.contains(&word.trim_end_matches(|end: char| end.is_ascii_digit()));
    // `ClearTextPassword` holds no text about one.
    let is_in_the_clear = ["clear_text_", "cleartext_", "plain_text_"].iter().any(|text| joined.contains(text));
    if words.iter().any(|word| is_made_up(word) && !(is_in_the_clear && word == "text")) {
        return None;
    }
    let is_password =
        ["password", "passwd", "passphrase", "passcode", "pword"].iter().any(|text| joined.contains(text))
            || words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()));
    Some(if is_password { Promise::Password } else { Promise::Token })
}

/// The words of a name in lower case; digits at its end are left out.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_alphanumeric() {
            words.push(String::new());
        } else {
            let next_is_small = characters.peek().is_some_and(|next| next.is_lowercase());
            let begins = character.is_uppercase()
                && (before.is_lowercase() || before.is_ascii_digit() || (before.is_uppercase() && next_is_small));
            if begins {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(character.to_lowercase());
            }
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    while words.len() > 1 && words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        words.pop();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "password",
            "db_password",
            "DB_PASSWORD",
            "dbPassword",
            "masterUserPassword",
            "mysql-root-password",
            "DBPASSWORD",
            "db_pwd",
            "GITHUB_TOKEN",
            "authToken",
            "apiKey",
            "API_KEY",
            "STRIPE_SECRET_KEY",
            "client_secret",
            "private_key",
            "secret_key",
            "password2",
            "spring.datasource.password",
            "config/db/password",
            "REDIS_PASS",
            "aws_secret_access_key",
            "token_secret",
            "password_prod",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn names_about_secrets_are_harmless() {
        for name in [
            "secret_name",
            "secretName",
            "token_ttl",
            "public_key",
            "password_length",
            "http_tokens",
            "PASSWORD_FILE",
            "secret_arn",
            "passwordKey",
            "token_endpoint",
            "secretKeyRef",
            "automountServiceAccountToken",
            "password_policy",
            "access_key_id",
            "require_password",
            "creation_token",
            "compass",
            "bypass",
            "tokenizer",
            "use_token",
            "secrets",
            "api_key_source",
            "keyboard",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
