//! Places that keep credentials by their own grammar: files of clients, and headers.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::find::floor;
use super::random::{is_distinct, is_random};
use super::url::is_stand_in;
use super::value::{is_literal_secret, is_sample, is_uuid};
use super::{Hit, Kind};
use crate::path::name_of;

/// Bytes behind the name of a header in which its value begins and ends.
const MAX_HEADER: usize = 600;
/// Longest credential in such a place.
const MAX_LENGTH: usize = 2_000;

/// The token of an `Authorization: Bearer …` header; `start..end` is the scheme.
pub(super) fn in_bearer_header(text: &str, start: usize, end: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let before = &bytes[start.saturating_sub(60)..start];
    let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before).to_ascii_lowercase();
    if !before.windows(13).any(|part| part == b"authorization") {
        return None;
    }
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = bytes[end..].iter().take(MAX_LENGTH).take_while(is_token).count();
    let token = &text[end..end + length];
    let is_secret = is_random(token) && is_literal_secret(token) && !is_sample(token);
    // What no header may hold belongs to the secret all the same.
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"\"'`\\<>,;(){}[]|&$".contains(byte);
    let rest = &bytes[end + length..];
    let more = rest.iter().take(MAX_LENGTH).position(ends).unwrap_or(rest.len().min(MAX_LENGTH));
    let whole = text.get(end..end + length + more).unwrap_or(token);
    is_secret.then(|| literal(text, whole, "token in a Bearer authorization header"))
}

/// The token of an `Authorization` header of another scheme than Basic, or of one whose value stands in a member of its own;
/// `end` is the end of the word.
pub(super) fn in_authorization(text: &str, end: usize) -> Option<Hit> {
    static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let assigns = r#"^["'`\\)\]]{0,3}[ \t]{0,8}(?:=>|[:=,])?\s{0,40}(?:["']?[Vv]alue["']?\s{0,8}[:=]\s{0,8})?"#;
        let scheme = r#"[fbu]?[\\"'`]{0,2}((?i:bearer|token|apikey|bot)|GenieKey) (?:token=)?["']?"#;
        Regex::new(&format!("{assigns}{scheme}([A-Za-z0-9._~+/=-]{{16,400}})")).ok()
    });
    // A name that goes on is another.
    let next = text.as_bytes().get(end).copied().unwrap_or(b' ');
    if next.is_ascii_alphanumeric() || next == b'_' {
        return None;
    }
    let window = &text[end..floor(text, end + MAX_HEADER)];
    let found = VALUE.as_ref()?.captures(window)?;
    let (scheme, token) = (found.get(1)?.as_str(), found.get(2)?.as_str());
    let is_key = scheme == "GenieKey" && is_uuid(token) || is_random(token) && is_literal_secret(token);
    let what = match scheme.eq_ignore_ascii_case("bearer") {
        true => "token in a Bearer authorization header",
        false => "token in an authorization header",
    };
    (is_key && !is_sample(token)).then(|| literal(text, token, what))
}

/// The user and password in the `auth` of a registry in Docker's configuration; `end` is the end of the quoted name.
pub(super) fn in_docker_auth(text: &str, end: usize) -> Option<Hit> {
    let rest = text.get(end..)?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let encoded = &value[..value.as_bytes().iter().take(MAX_LENGTH).position(|byte| *byte == b'"')?];
    encodes_password(encoded).then(|| literal(text, encoded, "password of a container registry"))
}

/// The password after a directive of a server or a statement: `requirepass x`, `IDENTIFIED BY 'x'`; `end` is where it begins.
pub(super) fn in_directive(text: &str, end: usize) -> Option<Hit> {
    let rest = text[end..].trim_start_matches(' ');
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let value = &rest[usize::from(quote.is_some())..];
    let ends = |byte: &u8| match quote {
        Some(quote) => *byte == quote as u8 || *byte == b'\n',
        None => byte.is_ascii_whitespace() || b"\"';,&|)]".contains(byte),
    };
    let bytes = value.as_bytes();
    let length = bytes.iter().take(MAX_LENGTH).position(ends).unwrap_or(bytes.len().min(MAX_LENGTH));
    let password = value.get(..length)?;
    let is_secret = is_distinct(password) && is_literal_secret(password) && !is_sample(password);
    is_secret.then(|| literal(text, password, "password"))
}

/// Whether this is `user:password` in base64.
fn encodes_password(encoded: &str) -> bool {
    let Some(decoded) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let Some((user, password)) = decoded.split_once(':') else { return false };
    let is_text = decoded.chars().all(|char| !char.is_control());
    is_text && !user.is_empty() && password.len() >= 4 && !is_stand_in(user, password, "registry.tld")
}

/// Adds the passwords of files that are known by their name.
pub(super) fn of_file(path: &str, text: &str, hits: &mut Vec<Hit>) {
    let found = match name_of(path) {
        ".pgpass" | "pgpass" | "pgpass.conf" => in_pgpass(text),
        ".netrc" | "_netrc" | "netrc" | ".authinfo" => in_netrc(text),
        ".npmrc" => in_npmrc(text),
        "master.key" => rails_key(text),
        _ => return,
    };
    super::file::add(hits, found);
}

/// The key that Rails keeps beside its encrypted credentials.
fn rails_key(text: &str) -> Vec<Hit> {
    let key = text.trim();
    let is_key = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_random(key);
    if is_key { vec![literal(text, key, "master key of Rails")] } else { Vec::new() }
}

/// `value` is a part of `text`.
fn literal(text: &str, value: &str, what: &'static str) -> Hit {
    let start = value.as_ptr() as usize - text.as_ptr() as usize;
    Hit { start, end: start + value.len(), kind: Kind::Literal, what }
}

/// `host:port:database:user:password`, with `\:` for a colon in a part.
fn in_pgpass(text: &str) -> Vec<Hit> {
    text.lines().filter_map(pgpass_password).map(|value| literal(text, value, "password")).collect()
}

fn pgpass_password(line: &str) -> Option<&str> {
    if line.starts_with('#') {
        return None;
    }
    let mut is_escaped = false;
    let mut colons = 0;
    for (index, byte) in line.bytes().enumerate() {
        if byte == b':' && !is_escaped {
            colons += 1;
            if colons == 4 {
                let password = line[index + 1..].trim_end();
                return is_literal_secret(password).then_some(password);
            }
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    None
}

/// `machine x login y password z`, on one line or several.
fn in_netrc(text: &str) -> Vec<Hit> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let mut hits = Vec::new();
    while let Some(word) = words.next() {
        if word == "password"
            && let Some(value) = words.next()
            && is_literal_secret(value)
        {
            hits.push(literal(text, value, "password"));
        }
    }
    hits
}

/// `_auth`, `_password` and tokens of registries.
fn in_npmrc(text: &str) -> Vec<Hit> {
    text.lines().filter_map(npmrc_secret).map(|value| literal(text, value, "password of a package registry")).collect()
}

fn npmrc_secret(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim().rsplit(':').next()?;
    let value = value.trim().trim_matches('"');
    let is_secret = matches!(name, "_auth" | "_password" | "_authToken");
    (is_secret && value.len() >= 8 && is_literal_secret(value)).then_some(value)
}

#[cfg(test)]
mod tests {
    use crate::secret::find_in_file;

    fn found(path: &str, text: &str) -> Vec<String> {
        find_in_file(path, text).into_iter().map(|hit| text[hit.start..hit.end].to_string()).collect()
    }

    #[test]
    fn files_of_clients_hold_passwords() {
        let netrc = "machine git.acme.io\n  login deploy\n  password c0rrect-horse\n";
        assert_eq!(found(".netrc", netrc), ["c0rrect-horse"]);
        assert_eq!(found("home/_netrc", "machine a login b password changeme\n"), [""; 0]);
        let pgpass = "# host:port:db:user:password\ndb.acme.io:5432:shop:ap\\:p:c0rrect-horse\n*:*:*:me:<password>\n";
        assert_eq!(found(".pgpass", pgpass), ["c0rrect-horse"]);
        // deploy:c0rrect-horse
        let npmrc = "//npm.acme.io/:_auth=ZGVwbG95OmMwcnJlY3QtaG9yc2U=\n//npm.acme.io/:_password=\"YzBycmVjdC1ob3JzZQ==\"\n\
                     //b.acme.io/:_authToken=${NPM_TOKEN}\n";
        assert_eq!(found(".npmrc", npmrc), ["ZGVwbG95OmMwcnJlY3QtaG9yc2U=", "YzBycmVjdC1ob3JzZQ=="]);
        let docker = "{\"auths\": {\"r.acme.io\": {\"auth\": \"ZGVwbG95OmMwcnJlY3QtaG9yc2U=\"}}}";
        assert_eq!(found(".docker/config.json", docker), ["ZGVwbG95OmMwcnJlY3QtaG9yc2U="]);
        assert_eq!(found("a.json", "{\"auth\": \"oauth2.tokens\"}"), [""; 0]);
        let key = "4f9c2b7e1d8a6035c4f9e2b7a1d86053";
        assert_eq!(found("config/master.key", &format!("{key}\n")), [key]);
    }

    #[test]
    fn headers_hold_tokens() {
        let text = "curl -H 'Authorization: Bearer h7Gk29fLq0ZpXw3Rk8Tz' https://api.acme.io";
        assert_eq!(found("a.sh", text), ["h7Gk29fLq0ZpXw3Rk8Tz"]);
        let hex = "d1a619588096b35bc4986e10b742c0bac7420056";
        for line in [
            "curl -H \"Authorization: token ?\" https://api.acme.io",
            "h = {\"Authorization\": \"Token ?\"}",
            "headers['Authorization'] = f'ApiKey ?'",
            "req.Header.Set(\"Authorization\", \"Bot ?\")",
            "Authorization: GenieKey ?",
            "Authorization: Token token=\"?\"",
            "{\"key\": \"Authorization\", \"value\": \"Bearer ?\"}",
            "{\n  \"key\": \"Authorization\",\n  \"value\": \"Bearer ?\"\n}",
            "-H 'Authorization: bearer ?'",
        ] {
            assert_eq!(found("a.py", &line.replace('?', hex)), [hex], "{line}");
        }
        for text in
            ["-H 'Authorization: Bearer $TOKEN'", "Authorization: Bearer <token>", "a Bearer h7Gk29fLq0ZpXw3Rk8Tz"]
        {
            assert_eq!(found("a.sh", text), [""; 0], "{text}");
        }
        // Such a token is none, and yet all of it is secret.
        assert_eq!(found("a.sh", "-H 'Authorization: Bearer h7Gk29fLq0ZpXw3Rk8Tz!x+y'"), ["h7Gk29fLq0ZpXw3Rk8Tz!x+y"]);
        let signature = "k3v9x0l2w7r1t5y8p4n6q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4D%3D";
        let text = format!("https://acme.blob.core.windows.net/a?sv=2024-08-04&sp=r&sig={signature}");
        assert_eq!(found("a.py", &text).len(), 1);
    }
}
