//! Private keys and signed tokens, whose form is more than a pattern can say.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::find::floor;
use super::{Hit, Kind};

/// Bytes of a key that are looked at; an RSA key of 16,384 bits is smaller.
const MAX_KEY: usize = 16 << 10;
/// Bytes of a key file within which the private part begins.
const MAX_PUBLIC: usize = 4 << 10;
/// Base64 characters in a row below which a block holds no key: the first line of one has 64, but of the smallest.
const MIN_KEY_CHARACTERS: usize = 40;
/// Base64 characters below which a key of RSA, DSA or OpenSSH was cut: OpenSSH's of Ed25519 has almost 400.
const MIN_LONG_KEY: usize = 300;
/// Bytes within which a line of the key must stand, after headers such as `Proc-Type`.
const MAX_LEAD: usize = 1_000;

/// The private key whose `-----BEGIN ` stands at `start`.
pub(super) fn pem(text: &str, start: usize) -> Option<Hit> {
    let window = &text[start..floor(text, start + MAX_KEY)];
    let label_end = window["-----BEGIN ".len()..].find("-----").filter(|length| *length <= 40)?;
    let label = &window["-----BEGIN ".len()..][..label_end];
    if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") {
        return None;
    }
    let body_start = "-----BEGIN ".len() + label_end + "-----".len();
    let body = &window[body_start..];
    let end = body.find("-----").filter(|end| body[*end..].starts_with("-----END"));
    let inside = &body[..end.unwrap_or(body.len())];
    let holds_key = match end {
        Some(_) => longest_run(inside) >= MIN_KEY_CHARACTERS && is_whole(label, inside),
        None => begins_key(inside),
    };
    if !holds_key || is_stand_in(first_line(inside)) {
        return None;
    }
    // A block without an end is a key cut short: its first lines are a key to whoever has the rest.
    let end = match end {
        Some(end) => start + body_start + end + "-----END ".len() + label_end + "-----".len(),
        None => start + body_start,
    };
    let end = floor(text, end);
    let what = match label {
        _ if is_service_account(text, start) => "private key of a Google Cloud service account",
        _ if label.starts_with("PGP") => "PGP private key",
        _ if label.starts_with("OPENSSH") => "SSH private key",
        _ => "private key",
    };
    Some(Hit { start, end, kind: Kind::PrivateKey, what })
}

/// The most base64 characters in a row near the beginning. What is quoted, indented, or escaped in a literal of some language is the
/// same key.
fn longest_run(inside: &str) -> usize {
    let mut run = 0;
    let mut longest = 0;
    let mut is_escape = false;
    for byte in inside.bytes().take(MAX_LEAD) {
        run = match byte {
            b'n' | b'r' if is_escape => 0,
            byte if is_base64(byte) => run + 1,
            _ => 0,
        };
        longest = longest.max(run);
        is_escape = byte == b'\\';
    }
    longest
}

/// Whether a block with an end holds all of its key, and not the beginning that documentation shows.
fn is_whole(label: &str, inside: &str) -> bool {
    if inside.contains("...") || inside.contains('…') {
        return false;
    }
    let mut body = String::new();
    let mut is_escape = false;
    for char in inside.chars() {
        match char {
            'n' | 'r' if is_escape => {}
            char if char.is_ascii() && is_base64(char as u8) => body.push(char),
            _ => {}
        }
        is_escape = char == '\\';
    }
    let is_long_kind = ["RSA", "DSA", "OPENSSH"].iter().any(|kind| label.starts_with(kind));
    let least = if is_long_kind { MIN_LONG_KEY } else { 0 };
    body.len() >= least && der_length(&body).is_none_or(|length| is_long_enough(&body, length))
}

/// Whether nothing but blanks stands before the first line of a key.
fn begins_key(inside: &str) -> bool {
    let mut rest = inside.trim_start();
    while let Some(after) = ["\\n", "\\r"].iter().find_map(|escape| rest.strip_prefix(escape)) {
        rest = after.trim_start();
    }
    rest.bytes().take_while(|byte| is_base64(*byte)).count() >= MIN_KEY_CHARACTERS
}

/// How many bytes the outermost structure of a key in DER has, by its own word; none for what is not DER.
fn der_length(encoded: &str) -> Option<usize> {
    let head = STANDARD_NO_PAD.decode(encoded.get(..8)?).ok()?;
    match head[..] {
        [0x30, 0x82, high, low, ..] => Some(4 + (usize::from(high) << 8) + usize::from(low)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(length)),
        [0x30, length @ ..=0x7f, ..] => Some(2 + usize::from(length)),
        _ => None,
    }
}

/// Whether base64 holds as much as a key says of itself. Of a tenth nobody can tell whether it was left out.
fn is_long_enough(encoded: &str, length: usize) -> bool {
    encoded.len() * 3 / 4 * 10 >= length * 9
}

/// Characters in base64 before the mark of a key whose length is told in two bytes.
const DER_HEAD: usize = 6;

/// A private key in DER that is written in base64 in one piece; at `start` stands what tells it from a public one.
pub(super) fn der(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let is_head = !bytes[start..].starts_with(b"M");
    let from = if is_head { start.checked_sub(DER_HEAD)? } else { start };
    if from > 0 && is_base64(bytes[from - 1]) && bytes[from - 1] != b'=' {
        return None;
    }
    let length = bytes[from..].iter().take(MAX_KEY).take_while(|byte| is_base64(**byte)).count();
    let encoded = text.get(from..from + length)?;
    let is_whole = is_long_enough(encoded, der_length(encoded)?);
    (is_whole && !is_stand_in(encoded)).then_some(Hit {
        start: from,
        end: from + length,
        kind: Kind::PrivateKey,
        what: "private key in DER",
    })
}

/// Keys begin with long runs of one character, so that only words tell a stand-in.
fn is_stand_in(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    ["example", "placeholder", "redacted", "changeme", "your", "snip"].iter().any(|mark| lower.contains(mark))
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or("")
}

/// Whether the member `private_key` of a service account's file holds the key.
fn is_service_account(text: &str, start: usize) -> bool {
    let from = floor(text, start.saturating_sub(600));
    text[from..start].contains("\"private_key_id\"")
}

/// A private key in PEM, encoded in base64 once more.
pub(super) fn encoded_pem(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    if start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
        return None;
    }
    let length = bytes[start..].iter().take(MAX_KEY).take_while(|byte| is_base64(**byte)).count();
    if length < 100 {
        return None;
    }
    let head = STANDARD_NO_PAD.decode(&text[start..start + 64]).ok()?;
    let head = String::from_utf8_lossy(&head);
    let label = head.strip_prefix("-----BEGIN ")?.split("-----").next()?;
    let is_key = label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK");
    is_key.then_some(Hit { start, end: start + length, kind: Kind::PrivateKey, what: "base64 of a private key" })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// A key file of PuTTY, which holds its private part in lines of its own.
pub(super) fn putty(text: &str, start: usize) -> Option<Hit> {
    let window = &text[start..floor(text, start + MAX_PUBLIC)];
    let private = window.find("Private-Lines:")?;
    let head = window.find('\n').unwrap_or(window.len());
    let holds_key = window[private..].lines().nth(1).is_some_and(|line| line.trim().len() >= MIN_KEY_CHARACTERS);
    holds_key.then_some(Hit { start, end: start + head, kind: Kind::PrivateKey, what: "PuTTY private key" })
}

/// A JSON Web Token with a signature. Tokens that their issuer hands to every browser are none to hide, nor is the example
/// of the format's own site.
pub(super) fn jwt(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    if start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || b"_-.".contains(&bytes[start - 1])) {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let part = |from: usize| {
        let length = bytes[from..].iter().take(MAX_KEY).take_while(|byte| is_part(**byte)).count();
        from + length
    };
    let header_end = part(start);
    if bytes.get(header_end) != Some(&b'.') || header_end - start < 16 {
        return None;
    }
    let claims_end = part(header_end + 1);
    if bytes.get(claims_end) != Some(&b'.') || !text[header_end + 1..claims_end].starts_with("eyJ") {
        return None;
    }
    let end = part(claims_end + 1);
    if end - claims_end < 21 {
        return None;
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let header = decode(&text[start..header_end])?;
    let claims = decode(&text[header_end + 1..claims_end])?;
    let header: serde_json::Value = serde_json::from_str(&header).ok()?;
    let claims: serde_json::Value = serde_json::from_str(&claims).ok()?;
    let signed = header.get("alg")?.as_str().is_some_and(|algorithm| !algorithm.eq_ignore_ascii_case("none"));
    let says = |name: &str, wanted: &str| claims.get(name).and_then(|value| value.as_str()) == Some(wanted);
    // Tokens of documentation claim anything but what a service would ask for.
    let claims_something =
        ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"].iter().any(|name| claims.get(name).is_some());
    let is_public = !claims_something || says("role", "anon") || says("sub", "1234567890") || says("name", "John Doe");
    (signed && !is_public).then_some(Hit { start, end, kind: Kind::ServiceToken, what: "JSON Web Token" })
}

#[cfg(test)]
mod tests {
    use crate::secret::find;

    /// A piece of a key.
    const BODY: &str = "q7Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrEwQhZx8CvBnMk3v9x0l2w7r1t5y8p";

    /// The body of a key of 2048 bits.
    fn rsa() -> String {
        format!("MIIEpAIBAAKCAQEA{}", BODY.repeat(25))
    }

    fn whats(text: &str) -> Vec<&'static str> {
        find(text).into_iter().map(|hit| hit.what).collect()
    }

    /// The label is put together here, so that this file holds no key.
    fn pem(kind: &str, body: &str, line_end: &str) -> String {
        format!("-----BEGIN {kind}PRIVATE KEY-----{line_end}{body}{line_end}-----END {kind}PRIVATE KEY-----")
    }

    #[test]
    fn a_private_key_is_found_in_lines_and_in_a_literal() {
        assert_eq!(whats(&pem("RSA ", &rsa(), "\n")), ["private key"]);
        assert_eq!(whats(&pem("OPENSSH ", &BODY.repeat(6), "\\n")), ["SSH private key"]);
        // Of Ed25519.
        let short = format!("MC4CAQAwBQYDK2VwBCIEI{}", &BODY[..43]);
        assert_eq!(whats(&pem("", &short, "\n")), ["private key"]);
        // Cut off behind its first lines.
        assert_eq!(
            whats(&format!("{}\n{BODY}\n", pem("RSA ", "", "\n").split("\n").next().unwrap_or(""))),
            ["private key"]
        );
        assert_eq!(whats(&pem("", "...", "\n")), [""; 0]);
        assert_eq!(whats(&pem("", "<your key>", "\n")), [""; 0]);
        assert_eq!(whats(&pem("RSA ", &format!("MIIEpAIBAAKCAQEA{BODY}"), " ")), [""; 0]);
        assert_eq!(whats(&pem("", &format!("MIIEpAIBAAKCAQEA{BODY}...{BODY}"), "\\n")), [""; 0]);
        assert_eq!(whats(&pem("", &format!("MIIEvQIBADAN{BODY}"), "\n")), [""; 0]);
        assert_eq!(whats(&format!("'-----BEGIN EC PRIVATE KEY-----[\\r\\n]{{0,9}}': '', '{BODY}'")), [""; 0]);
        assert_eq!(
            whats(
                "text.find(b\"-----BEGIN EC PRIVATE KEY-----\")\nif text_of_the_file is None: return parse_the_rest()"
            ),
            [""; 0]
        );
        assert_eq!(whats("-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA\n-----END CERTIFICATE-----"), [""; 0]);
    }

    #[test]
    fn a_key_in_base64_and_a_service_account_are_named() {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(pem("EC ", BODY, "\n"));
        let der = rsa();
        assert_eq!(whats(&format!("JWT_KEY={der}\n")), ["private key in DER"]);
        assert_eq!(
            whats(&format!("const key = \"{}\";", der.replace("IBAAKCAQEA", "IBADANBgkqhkiG9w0BAQEF"))),
            ["private key in DER"]
        );
        // The beginning of one, and a public key.
        assert_eq!(whats(&der[..200]), [""; 0]);
        assert_eq!(whats(&der.replace("MIIEpAIBAAKCAQEA", "MIIBCgKCAQEA")), [""; 0]);
        assert_eq!(whats(&format!("tls.key: {encoded}")), ["base64 of a private key"]);
        let file = format!("{{\"private_key_id\": \"1\", \"private_key\": \"{}\"}}", pem("", &rsa(), "\\n"));
        assert_eq!(whats(&file), ["private key of a Google Cloud service account"]);
    }

    #[test]
    fn a_signed_token_is_found_unless_it_is_public() {
        use base64::Engine as _;
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let token = |header: &str, claims: &str| format!("{}.{}.{}", part(header), part(claims), &BODY[..43]);
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        assert_eq!(whats(&token(header, r#"{"sub":"deploy","exp":1999999999}"#)), ["JSON Web Token"]);
        assert_eq!(whats(&token(header, r#"{"some":"payload of an example"}"#)), [""; 0]);
        assert_eq!(whats(&token(header, r#"{"iss":"supabase","role":"anon"}"#)), [""; 0]);
        assert_eq!(whats(&token(r#"{"alg":"none"}"#, r#"{"sub":"deploy"}"#)), [""; 0]);
    }
}
