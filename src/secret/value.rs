//! Values: what stands in for a secret, and what is one.

use super::random::is_distinct;
use super::template::without_templates;

/// Texts that only stand-ins hold.
const STAND_INS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "change_this",
    "changethis",
    "changeit",
    "replaceme",
    "replace-me",
    "replace_me",
    "replace-with",
    "replace_with",
    "replace with",
    "example",
    "placeholder",
    "dummy",
    "sample",
    "xxxx",
    "redacted",
    "your-",
    "your_",
    "yourpassword",
    "yoursecret",
    "yourtoken",
    "insert-",
    "insert_",
    "not-a-real",
    "not_a_real",
    "notreal",
    "fake",
    "tobedefined",
    "to-be-",
    "fill-me",
    "fill_me",
    "fillme",
    "<",
    "${",
    "{{",
    "$(",
    "#{",
    "%(",
    "****",
    "....",
];

/// Words that are no secret, whatever the name.
const PLAIN_WORDS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "disabled",
    "enabled",
    "required",
    "optional",
    "default",
    "auto",
    "todo",
    "tbd",
    "fixme",
    "n/a",
    "any",
    "all",
    "string",
    "header",
    "body",
    "query",
    "cookie",
    "bearer",
    "basic",
    "seconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "secret",
    "password",
    "token",
    "opaque",
    "plaintext",
    "plain",
    "encrypted",
    "generated",
    "automatic",
    "managed",
    "internal",
    "external",
    "public",
    "private",
];

/// Beginnings of references to where a secret is kept.
const REFERENCES: &[&str] = &[
    "arn:",
    "ref+",
    "vault:",
    "secret:",
    "secrets/",
    "secret/",
    "ssm:",
    "op://",
    "awssm:",
    "aws-sm:",
    "aws-ssm:",
    "gcp-sm:",
    "gcpsm:",
    "gsm:",
    "sm://",
    "akv:",
    "azurekv:",
    "keyvault:",
    "@microsoft.keyvault",
    "doppler:",
    "infisical:",
    "keyring:",
    "env:",
    "file:",
    "env.",
    "var.",
    "local.",
    "module.",
    "data.",
    "process.env",
    "os.environ",
    "secretref:",
    "secretkeyref",
    "kms:",
    "sops:",
    "{cipher}",
    "{vault}",
    "!vault",
    "$ansible_vault",
    "enc[",
    "enc:",
    "enc(",
    "lookup(",
    "valuefrom",
    "resolve:",
    "projects/",
    "sha256:",
    "sha512:",
    "sha1:",
    "md5:",
    "{sha",
    "{ssha",
    "$2a$",
    "$2b$",
    "$2y$",
    "$1$",
    "$5$",
    "$6$",
    "$argon2",
    "$y$",
    "pbkdf2",
    "scrypt:",
    "scram-sha-",
    "http://",
    "https://",
    "ssh-rsa ",
    "ssh-ed25519 ",
    "ecdsa-sha2-",
    "-----begin certificate",
    "-----begin public",
    "age1",
    // What a service hands to every browser, and sums of files that browsers check.
    "pk_live_",
    "pk_test_",
    "pk.eyj",
    "phc_",
    "sha256-",
    "sha384-",
    "sha512-",
];

/// Whether a text stands in for a secret that is given elsewhere: empty, a marked gap, a template, a word for nothing.
pub fn looks_like_placeholder(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    is_gap(value, &lower) || STAND_INS.iter().any(|mark| lower.contains(mark))
}

/// Whether all of a text says that something is to be put in its place.
fn is_gap(value: &str, lower: &str) -> bool {
    let is_one_character = || {
        let mut bytes = lower.bytes();
        bytes.next().is_none_or(|first| bytes.all(|byte| byte == first))
    };
    value.is_empty()
        || is_one_character()
        || matches!(lower, "true" | "false" | "none" | "null" | "nil" | "todo" | "tbd" | "unset" | "undefined")
        || lower.starts_with("todo")
        || (lower.starts_with('%') && lower.ends_with('%'))
        || (lower.starts_with("__") && lower.ends_with("__"))
        || (lower.starts_with('@') && lower.ends_with('@'))
        || (value.starts_with("[") && value.ends_with(']') && value.len() < 40)
}

/// Whether a value assigned to a secret name is the secret itself: a literal that is no placeholder, reference, path, address
/// or plain word.
pub fn is_literal_secret(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let is_word = || PLAIN_WORDS.contains(&lower.as_str());
    value.len() >= 3
        && !looks_like_placeholder(value)
        && !is_reference(value)
        && !is_word()
        && !is_number(value)
        && !is_uuid(value)
        && !is_path(value)
        && !is_dotted_name(value)
        && !is_prose(value)
}

/// No stand-in and no reference is longer.
const MAX_HARMLESS: usize = 500;

/// Whether a value of a secret name may be the secret, or hold it, for whoever hides it: all but what [`is_literal_secret`]
/// tells for sure to be none. A password may hold the signs of a template, be a sentence or a UUID, and stand beside a
/// reference.
pub fn may_be_secret(value: &str) -> bool {
    let value = value.trim();
    if value.len() > MAX_HARMLESS {
        return true;
    }
    let literal = without_templates(value);
    let is_all = literal.len() == value.len();
    let lower = literal.to_ascii_lowercase();
    let is_word = || PLAIN_WORDS.contains(&lower.as_str());
    let is_mark = |mark: &&&str| mark.starts_with(|first: char| first.is_ascii_alphanumeric() || "*.".contains(first));
    let stands_in = || STAND_INS.iter().filter(is_mark).any(|mark| lower.contains(mark)) && !is_distinct(&literal);
    let refers = || REFERENCES.iter().any(|start| lower.starts_with(start)) || is_sealed(value);
    let least = literal.bytes().filter(|byte| is_all || byte.is_ascii_alphanumeric()).count();
    least >= 3
        && !is_gap(&literal, &lower)
        && !(stands_in() || refers() || is_word() || is_number(&literal))
        && !(is_all && (is_path(value) || is_dotted_name(value)))
}

fn is_number(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && value.len() < 6
}

/// Whether a value says where a secret is kept, or holds only what was made from it: a reference to a store, a hash, an
/// encrypted text.
pub fn is_reference(value: &str) -> bool {
    let value = value.trim();
    // Long texts begin with what they begin with.
    let head: String = value.chars().take(40).collect();
    let head = head.to_ascii_lowercase();
    // A tag of YAML has an argument; in quotes the sign is the first of a password.
    let is_tagged = || value.starts_with('!') && value.contains(' ');
    REFERENCES.iter().any(|start| head.starts_with(start)) || value.starts_with('$') || is_tagged() || is_sealed(value)
}

/// Whether a value is encrypted for whoever has a key: by Sealed Secrets, which begin with the length of a key of 512 bytes, or
/// by OpenPGP, as Renovate reads it.
fn is_sealed(value: &str) -> bool {
    let is_one = |start: &str, least: usize| value.len() >= least && value.starts_with(start);
    ["AgA", "AgB", "AgC", "AgD"].iter().any(|start| is_one(start, 200)) || is_one("wcFMA", 100)
}

pub(super) fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A file or the key of an entry in a store: words between slashes. Random text has slashes too, but no words.
fn is_path(value: &str) -> bool {
    let is_rooted =
        value.starts_with('/') || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/");
    let is_name = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:@".contains(&byte));
    let parts: Vec<&str> = value.split('/').collect();
    let is_plain = || parts.iter().all(|part| is_name(part));
    let is_wordy = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let capitals = part.bytes().filter(u8::is_ascii_uppercase).count();
        part.len() <= 40 && digits * 3 <= part.len() && (capitals * 2 <= part.len() || capitals + digits == 0)
    };
    let ends_in_file = || {
        let ends = [
            ".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".txt", ".env", ".p12", ".pfx", ".jks", ".conf", ".ini",
            ".xml",
        ];
        parts.len() == 1 && is_name(value) && ends.iter().any(|end| value.ends_with(end))
    };
    (is_rooted && is_plain() && (parts.len() > 2 || parts.iter().all(|part| is_wordy(part))))
        || (parts.len() > 1 && is_plain() && parts.iter().all(|part| is_wordy(part)))
        || ends_in_file()
}

/// `aws_db.main.password`, `config.database.secret`: a reference in some language.
pub(super) fn is_dotted_name(value: &str) -> bool {
    let is_word = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.len() <= 32
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
            && part.bytes().filter(u8::is_ascii_digit).count() * 4 <= part.len()
    };
    value.contains('.') && value.split('.').count() >= 2 && value.split('.').all(is_word)
}

/// A sentence: passphrases have few blanks, and keys in lines are no sentence.
fn is_prose(value: &str) -> bool {
    value.split_whitespace().count() >= 5 && !value.contains("-----BEGIN")
}

/// Whether a credential of a known form stands for one in documentation.
pub(super) fn is_sample(secret: &str) -> bool {
    const MARKS: &[&str] = &[
        "example",
        "xxxx",
        "placeholder",
        "changeme",
        "dummy",
        "redacted",
        "sample",
        "fake",
        "your",
        "insert",
        "replace",
        "0123456789",
        "1234567890",
        "123456789a",
        "abcdefgh",
        "deadbeef",
        "00000000",
        "11111111",
        "....",
        "****",
        "notreal",
        "not-a-real",
        "qwerty",
    ];
    let lower = secret.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark))
}

/// Shannon's entropy in bits a byte.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[byte as usize] += 1);
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|part| -part * part.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_references_paths_and_words_are_no_secrets() {
        for value in [
            "",
            "changeme",
            "CHANGE_ME",
            "<password>",
            "${DB_PASSWORD}",
            "{{ .Values.password }}",
            "xxxxxxxx",
            "********",
            "example",
            "your-token-here",
            "TODO",
            "true",
            "none",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db",
            "op://vault/db/pw",
            "vault:secret/data/db#password",
            "/run/secrets/db",
            "prod/db/password",
            "./key.pem",
            "secret.json",
            "hours",
            "required",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "sha256:9f86d081884c7d65",
            "$2b$12$abcdefghijklmnopqrstuv",
            "random_password.db.result",
            "https://acme.io/token",
            "The token that the service hands out",
            "$TOKEN",
            "%PASSWORD%",
            "__PASSWORD__",
            "8080",
            "ref+awssecrets://db/password",
            "ENC[AES256_GCM,data:abc]",
            "!Ref DatabasePassword",
            "@DB_PASSWORD@",
            "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K",
            "pk_live_9f8e7d6c5b4a39281706f5e4",
        ] {
            assert!(!is_literal_secret(value), "{value}");
        }
        for (start, length) in [("AgB", 700), ("AgA", 700), ("wcFMA", 300)] {
            let sealed = start.to_string() + &"k8Zr3Lm1Xc7Vb5Nk9Jh2".repeat(length / 20);
            assert!(!is_literal_secret(&sealed), "{sealed}");
            assert!(is_literal_secret(&sealed[..60]), "{sealed}");
        }
    }

    #[test]
    fn what_is_hidden_may_look_like_a_template_or_a_sentence() {
        for value in [
            "Qz7$${kk}Lm9",
            "${\"Qz7-kkLm\"}",
            "${var.prefix}-kkLm9",
            "${OTHER:-Qz7kkLm9}",
            "$Qz7kkLm9x4w",
            "Qz7<kk>Lm9",
            "!Qz7kkLm9",
            "correct horse battery staple again",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "hunter2",
        ] {
            assert!(may_be_secret(value), "{value}");
        }
        for value in [
            "",
            "ab",
            "${var.password}",
            "${user}:${password}",
            "${{ secrets.PASSWORD }}",
            "{{ .Values.password }}",
            "$(pass show db1)",
            "$PASSWORD",
            "${PASSWORD:?is not set}",
            "<password>",
            "changeme",
            "optional",
            "arn:aws:secretsmanager:eu-west-1:1:secret:db",
            "random_password.db.result",
            "/run/secrets/db",
            "3600",
        ] {
            assert!(!may_be_secret(value), "{value}");
        }
    }

    #[test]
    fn literals_are_secrets() {
        for value in [
            "hunter2",
            "correct-horse",
            "S3cr3t!",
            "p@ssw0rd",
            "Zk3vQ9xLw7Rt2Yp8",
            "k8Zr3Lm/1Xc7Vb5+Nk9Jh2Gf4",
            "abc123",
            "!Xk9Lq0ZpXw3R",
            "*Xk9Lq0ZpXw3R",
            "&Xk9Lq0ZpXw3R",
        ] {
            assert!(is_literal_secret(value), "{value}");
        }
    }
}
