//! Names of things that hold secrets.

mod vocabulary;

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use vocabulary::{ABOUT, ABOUT_TEXTS, HARMLESS, MADE_UP, PARTS, PLURALS, SECRET, SECRET_WORDS};

/// Whether a name says that its value is a secret: `db_password`, `GITHUB_TOKEN`, `clientSecret`; not `secret_name`,
/// `token_ttl` or `public_key`. Any way of joining words will do.
pub fn is_secret_name(name: &str) -> bool {
    thread_local! {
        /// The same few names stand in all files: what was said of them.
        static KNOWN: RefCell<FxHashMap<Box<str>, bool>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(said) = known.get(name) {
            return *said;
        }
        let words = last_words(name);
        let said = says_secret(name, &words, &words.join("_"), HARMLESS);
        if name.len() <= MAX_REMEMBERED_BYTES && known.len() < MAX_REMEMBERED {
            known.insert(name.into(), said);
        }
        said
    })
}

/// Names that are remembered, and their bytes.
const MAX_REMEMBERED: usize = 2_000;
const MAX_REMEMBERED_BYTES: usize = 64;

/// The words of the last part of a path, which alone names the value.
fn last_words(name: &str) -> Vec<String> {
    words(name.rsplit(['/', ':']).next().unwrap_or(name))
}

/// Whether the words of a name, which are joined by `_` too, say that a value is a secret, and none of the `harmless` ones that it
/// is none.
fn says_secret(name: &str, words: &[String], joined: &str, harmless: &[&str]) -> bool {
    let is_variable = is_variable(name);
    if is_variable && words.len() > 1 && words.last().is_some_and(|last| last == "pat") {
        return true;
    }
    let Some((first, last)) = secret_words(words, joined) else { return false };
    // What the frameworks of browsers call public is shipped to them; no password is.
    let is_public = || words.iter().any(|word| word == "public") && !is_password(words, joined);
    let is_harmless = |index: usize| harmless.contains(&words[index].as_str());
    let says_harmless = match is_variable {
        true => is_public() || (first.saturating_sub(1)..words.len().min(last + 2)).any(is_harmless),
        false => (0..words.len()).any(is_harmless),
    };
    if says_harmless {
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

/// Whether a name is written as variables of an environment are: in capitals.
fn is_variable(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase()) && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The first and the last of the words that call a value a secret.
fn secret_words(words: &[String], joined: &str) -> Option<(usize, usize)> {
    let word_at = |offset: usize| joined[..offset].matches('_').count();
    let mut found: Option<(usize, usize)> = None;
    let mut add = |first: usize, last: usize| {
        found = Some(found.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
    };
    for text in SECRET {
        if let Some(at) = joined.find(text) {
            add(word_at(at), word_at(at + text.len()));
        }
    }
    for (index, word) in words.iter().enumerate() {
        if SECRET_WORDS.contains(&word.as_str()) {
            add(index, index);
        }
    }
    found
}

fn is_password(words: &[String], joined: &str) -> bool {
    ["password", "passwd", "passphrase", "passcode", "pword"].iter().any(|text| joined.contains(text))
        || words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
}

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
    // A variable may hold several: what it holds decides.
    let harmless = if is_variable(name) { &HARMLESS[..HARMLESS.len() - PLURALS] } else { HARMLESS };
    if !says_secret(name, &words, &joined, harmless) || is_made_up(name, &words, &joined) || is_for_browsers(&joined) {
        return None;
    }
    Some(if is_password(&words, &joined) { Promise::Password } else { Promise::Token })
}

/// Whether a name says that its value is no secret in use.
fn is_made_up(name: &str, words: &[String], joined: &str) -> bool {
    // `sha256` is a digest as well.
    let plain = |word: &str| word.trim_end_matches(|end: char| end.is_ascii_digit()).to_string();
    let is_digest = |word: &String| matches!(&**word, "md4" | "md5");
    if words.iter().any(|word| MADE_UP.contains(&plain(word).as_str()) || is_digest(word)) {
        return true;
    }
    // `ClearTextPassword` holds no text about one.
    let is_in_the_clear = ["clear_text_", "cleartext_", "plain_text_"].iter().any(|text| joined.contains(text));
    let (first, _) = secret_words(words, joined).unwrap_or((words.len(), words.len()));
    let beside = if is_variable(name) { first } else { first.saturating_sub(1) };
    let is_about = |word: &String| ABOUT_TEXTS.contains(&plain(word).as_str()) && !(is_in_the_clear && word == "text");
    let has_password = is_password(words, joined);
    // Parts of systems have passwords, and tokens that are none: `redis_cache_password`, but `syncToken`.
    let is_part = |index: usize| index < first && has_password && PARTS.contains(&words[index].as_str());
    words.iter().enumerate().skip(beside).any(|(index, word)| is_about(word) && !is_part(index))
}

/// Keys with which a browser may search, and no more.
fn is_for_browsers(joined: &str) -> bool {
    joined.contains("search_only") || joined.contains("algolia") && joined.contains("search")
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
            "NEXT_AUTH_SECRET",
            "NO_REPLY_SMTP_PASSWORD",
            "PUBLIC_SFTP_PASSWORD",
            "GITHUB_PAT",
            "JWT_KEY",
            "SUPABASE_SERVICE_ROLE_KEY",
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
            "password_expires_at",
            "password_changed_at",
            "NEXT_TOKEN",
            "MAX_TOKENS",
            "NEXT_PUBLIC_MAPS_API_KEY",
            "REQUIRE_PASSWORD",
            "joe_pat",
            "PAT",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn words_of_screens_speak_beside_a_secret_and_not_in_variables() {
        for name in [
            "REDIS_CACHE_PASSWORD",
            "SCHEMA_REGISTRY_PASSWORD",
            "MESSAGE_BROKER_PASSWORD",
            "EVENT_STORE_PASSWORD",
            "EVENT_HUB_ACCESS_KEY",
            "FB_PAGE_ACCESS_TOKEN",
            "SITE_ADMIN_PASSWORD",
            "ROUTE53_SECRET_KEY",
            "API_TOKENS",
            "APP_SECRETS",
            "messageBrokerPassword",
            "redis_cache_password",
            "spring.cache.password",
            "clearTextPassword",
        ] {
            assert!(promise(name).is_some(), "{name}");
        }
        for name in [
            "errorToken",
            "syncToken",
            "confirmPassword",
            "resetPasswordToken",
            "PASSWORD_ERROR",
            "passwordInput",
            "page_token",
            "TEST_API_TOKEN",
            "password_md5",
            "max_tokens",
            "algolia_search_api_key",
        ] {
            assert!(promise(name).is_none(), "{name}");
        }
    }
}
