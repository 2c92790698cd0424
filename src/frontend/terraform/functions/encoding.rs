//! Encodings: JSON, CSV, Base64, URLs, character sets.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::{ANY, Answer, Function, Place, STRING, Val, Want, bounded, few, function, string, text};
use crate::frontend::terraform::value::lower::{encode_json, from_json};
use crate::frontend::terraform::value::{AttributeType, Kind, Member, Type, Unknown};

pub(super) const FUNCTIONS: &[Function] = &[
    function("base64decode", &[STRING], Want::String, |a, at| {
        let bytes = decode(text(&a[0]))?;
        bounded(String::from_utf8(bytes).map_err(|_| "the result is not UTF-8")?, at)
    }),
    function("base64encode", &[STRING], Want::String, |a, at| bounded(STANDARD.encode(text(&a[0])), at)),
    function("base64gzip", &[STRING], Want::String, |_, at| {
        let reason = "compressed text is not computed";
        Ok(super::super::eval::not_null(super::super::eval::unknown(Type::String, reason, None, at.span)))
    }),
    function("csvdecode", &[STRING], Want::List(&Want::Any), csv_decode),
    function("jsondecode", &[STRING], Want::Any, |a, at| {
        let json: serde_json::Value =
            serde_json::from_str(text(&a[0])).map_err(|error| format!("invalid JSON: {error}"))?;
        Ok(from_json(&json, at.span))
    }),
    function("jsonencode", &[ANY.null().unknown()], Want::String, json_encode),
    function("rsadecrypt", &[STRING, STRING], Want::String, |_, at| {
        let reason = "gate decrypts nothing";
        Ok(super::super::eval::unknown(Type::String, reason, None, at.span))
    }),
    function("textdecodebase64", &[STRING, STRING], Want::String, |a, at| {
        let charset = charset(text(&a[1]))?;
        let bytes = decode(text(&a[0]))?;
        let (decoded, had_errors) = charset.decode_without_bom_handling(&bytes);
        if had_errors {
            return Err(format!("the bytes are no text in {}", text(&a[1])));
        }
        bounded(decoded.into_owned(), at)
    }),
    function("textencodebase64", &[STRING, STRING], Want::String, |a, at| {
        let charset = charset(text(&a[1]))?;
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| text(&a[0]).encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
        let bytes = match charset.name() {
            "UTF-16LE" => utf16(u16::to_le_bytes),
            "UTF-16BE" => utf16(u16::to_be_bytes),
            _ => {
                let (bytes, _, had_errors) = charset.encode(text(&a[0]));
                if had_errors {
                    return Err(format!("the text can't be written in {}", text(&a[1])));
                }
                bytes.into_owned()
            }
        };
        bounded(STANDARD.encode(bytes), at)
    }),
    function("urlencode", &[STRING], Want::String, |a, at| bounded(urlencode(text(&a[0])), at)),
];

/// Standard Base64 with padding; line breaks are skipped, as Go does.
fn decode(text: &str) -> Result<Vec<u8>, String> {
    // The last bits that no byte uses may be anything.
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let compact: String = text.chars().filter(|char| !matches!(char, '\n' | '\r')).collect();
    LENIENT.decode(compact).map_err(|error| format!("invalid Base64: {error}"))
}

fn charset(name: &str) -> Result<&'static encoding_rs::Encoding, String> {
    let charset = encoding_rs::Encoding::for_label(name.as_bytes());
    charset.ok_or_else(|| format!("there is no character set {name:?}"))
}

fn json_encode(arguments: &[Val], at: &Place) -> Answer {
    if arguments[0].has_unknown() {
        // The kind of value tells how its text begins.
        let prefix = match arguments[0].ty() {
            Type::Object(_) | Type::Map(_) => Some("{"),
            Type::Tuple(_) | Type::List(_) | Type::Set(_) => Some("["),
            _ => None,
        };
        let prefix = prefix.filter(|_| !arguments[0].is_unknown()).map(Arc::from);
        let open = super::open(Type::String, arguments, at);
        let Kind::Unknown(unknown) = &open.kind else { return Ok(open) };
        let unknown = Unknown { prefix, ..(**unknown).clone() };
        return Ok(open.with_kind(Kind::Unknown(unknown.into())).made_from(arguments[0].clone()));
    }
    Ok(bounded(encode_json(&arguments[0]), at)?.made_from(arguments[0].clone()))
}

fn csv_decode(arguments: &[Val], at: &Place) -> Answer {
    let mut reader = csv::ReaderBuilder::new().from_reader(text(&arguments[0]).as_bytes());
    let refused = |error: csv::Error| format!("invalid CSV: {error}");
    let names: Vec<Arc<str>> = reader.headers().map_err(refused)?.iter().map(Arc::from).collect();
    if names.is_empty() {
        return Err("the first line must name the columns".into());
    }
    let mut sorted = names.clone();
    sorted.sort();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("two columns have one name".into());
    }
    let attribute = |name: Arc<str>| AttributeType { name, ty: Type::String, optional: None };
    let ty = Type::Object(Arc::new(sorted.into_iter().map(attribute).collect()));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(refused)?;
        let member =
            |(name, field): (&Arc<str>, &str)| Member { key: name.clone(), key_span: at.span, val: string(field, at) };
        rows.push(Val::object(names.iter().zip(record.iter()).map(member).collect(), at.span));
        few(rows.len())?;
    }
    Ok(Val::list(ty, rows, at.span))
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
