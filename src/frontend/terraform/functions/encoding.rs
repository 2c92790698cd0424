//! Encodings: Base64, URLs, character sets.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::charset;
use super::{Function, STRING, Want, bounded, function, text};
use crate::frontend::terraform::value::Type;

pub(super) const FUNCTIONS: &[Function] = &[
    function("base64decode", &[STRING], Want::String, |a, at| {
        let bytes = decode(text(&a[0]))?;
        bounded(String::from_utf8(bytes).map_err(|_| "the result is not UTF-8")?, at)
    }),
    function("base64encode", &[STRING], Want::String, |a, at| bounded(STANDARD.encode(text(&a[0])), at)),
    // Other compressors than Go's give other bytes, and Go promises none from one version to the next.
    function("base64gzip", &[STRING], Want::String, |_, at| {
        let reason = "the bytes of compressed text depend on the version of terraform";
        Ok(super::super::eval::not_null(super::super::eval::unknown(Type::String, reason, None, at.span)))
    }),
    function("textdecodebase64", &[STRING, STRING], Want::String, |a, at| {
        let decoded = charset::decode(&decode(text(&a[0]))?, text(&a[1]))?;
        bounded(decoded, at)
    }),
    function("textencodebase64", &[STRING, STRING], Want::String, |a, at| {
        let bytes = charset::encode(text(&a[0]), text(&a[1]))?;
        bounded(STANDARD.encode(bytes), at)
    }),
    function("urlencode", &[STRING], Want::String, |a, at| bounded(urlencode(text(&a[0])), at)),
];

/// Standard Base64 with padding; line breaks are skipped, as Go does.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    // The last bits that no byte uses may be anything.
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let compact: String = text.chars().filter(|char| !matches!(char, '\n' | '\r')).collect();
    LENIENT.decode(compact).map_err(|error| format!("invalid Base64: {error}"))
}

fn urlencode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
            b' ' => "+".into(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
