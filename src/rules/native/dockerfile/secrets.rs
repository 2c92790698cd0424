//! Secrets that end up in an image.

use super::{Cx, Findings, Native, acting, report};
use crate::model::dockerfile::{Dockerfile, Word};
use crate::secret::is_secret_name;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-secret-named-variable", Native::Dockerfile(secret_variable)),
    ("docker-secret-file-copied", Native::Dockerfile(secret_file)),
];

/// The id of an access key is no secret, but nobody sets it without the key.
fn names_secret(name: &str) -> bool {
    is_secret_name(name) || name.to_ascii_uppercase().ends_with("ACCESS_KEY_ID")
}

/// Whether a name says that its value is what a client authenticates by, as `NPM_AUTH`: no more than the last word does, and
/// `AUTH=basic` or `WITH_AUTH=1` is a switch.
fn names_auth(name: &str, value: Option<&str>) -> bool {
    const SWITCHES: &[&str] =
        &["enable", "enabled", "disable", "disabled", "require", "use", "with", "no", "has", "is", "allow"];
    let name = name.to_ascii_lowercase();
    let mut words = name.rsplit(['_', '-']);
    let is_value = |value: &str| !matches!(value, "0" | "1") && !looks_like_switch(value);
    words.next() == Some("auth") && !words.any(|word| SWITCHES.contains(&word)) && value.is_none_or(is_value)
}

/// Whether a value turns something on or off, or chooses a way to do it.
fn looks_like_switch(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "basic", "digest", "bearer",
        "trust", "token", "jwt", "oauth", "oauth2", "oidc", "ldap", "saml", "local", "password", "md5",
    ];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn secret_variable(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for outer in &file.instructions {
        let instruction = acting(outer);
        let is_env = instruction.keyword == "ENV";
        if !is_env && instruction.keyword != "ARG" {
            continue;
        }
        // An empty ENV gives nothing away; an ARG without a default is given a value by the build.
        let is_told = |(name, value): &&(Word, Option<Word>)| {
            let given = value.as_ref().map(|value| value.text.trim_matches(['"', '\'']));
            (names_secret(&name.text) || names_auth(&name.text, given))
                && (!is_env || given.is_some_and(|value| !value.is_empty()))
        };
        let told: Vec<&(Word, Option<Word>)> = instruction.pairs().iter().filter(is_told).collect();
        if let Some((name, _)) = told.first() {
            let span = cx.sources.get(file.file).first_line(outer.span);
            let subject = format!("{} {}", instruction.keyword, name.text);
            let found = out.at(span, instruction.keyword.to_lowercase(), kept(&subject, file.ships(outer)));
            found.holds(&secrets(file, &told)).is_milder = !file.ships(outer);
        }
    }
}

/// What these variables are set to, whatever else their instruction sets; the names of those that a build gives their values.
fn secrets(file: &Dockerfile, told: &[&(Word, Option<Word>)]) -> String {
    let secret = |(name, value): &&(Word, Option<Word>)| {
        let text = value.as_ref().map_or(name.text.as_str(), |value| value.text.trim_matches(['"', '\'']));
        file.with_variables(text).into_owned()
    };
    let mut secrets: Vec<String> = told.iter().map(secret).collect();
    secrets.sort_unstable();
    secrets.join(" ")
}

/// What becomes of a secret in a layer: one that ships gives it to everybody who pulls the image.
pub fn kept(subject: &str, ships: bool) -> String {
    match ships {
        true => format!("{subject} stays in the history of the image that ships, wanted a secret mount"),
        false => format!("{subject} stays in the build's cache, in a stage that does not ship, wanted a secret mount"),
    }
}

/// Names of files that hold keys or passwords by convention.
const FILES: &[&str] = &[
    ".env",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".npmrc",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".pypirc",
    ".dockercfg",
    ".htpasswd",
    ".pgpass",
    ".my.cnf",
    "kubeconfig",
    ".ssh",
    ".gnupg",
];

fn is_secret_file(path: &str) -> bool {
    let path = path.trim_matches(['"', '\'']).trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    let is_public = ["public", "pub", "cert", "chain", "ca.", "ca-", "bundle"].iter().any(|word| name.contains(word));
    FILES.contains(&name.as_str())
        || name.starts_with(".env.")
            && !["example", "sample", "template", "dist"].iter().any(|word| name.contains(word))
        || path.ends_with(".aws/credentials")
        || path.ends_with(".docker/config.json")
        || [".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"].iter().any(|end| name.ends_with(end))
            && !is_public
        || name.ends_with(".pem") && (name.contains("key") || name.contains("private"))
}

fn secret_file(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for copy in file.instructions.iter().filter(|one| matches!(acting(one).keyword, "COPY" | "ADD")) {
        let words = acting(copy).words();
        let sources = &words[..words.len().saturating_sub(1)];
        if let Some(word) = sources.iter().find(|word| is_secret_file(&word.text)) {
            let ships = file.ships(copy);
            let source = acting(copy).flag("from").map(|from| format!(" from {}", from.value)).unwrap_or_default();
            report(cx, file, copy, kept(&format!("the copy of {}{source}", word.text), ships), out);
            if let Some(found) = out.found.last_mut() {
                found.is_milder = !ships;
            }
        }
    }
}
