//! Character sets by the names that IANA has registered, as terraform knows them: browsers, whose names the library has, take some
//! sets for others.
//!
//! Source: the IANA registry of character sets.

use encoding_rs::Encoding;

const ASCII: &[&str] = &[
    "us-ascii",
    "us",
    "ansi_x3.4-1968",
    "ansi_x3.4-1986",
    "iso_646.irv:1991",
    "iso646-us",
    "iso-ir-6",
    "ibm367",
    "cp367",
    "csascii",
];

const LATIN: &[&str] =
    &["iso-8859-1", "iso_8859-1", "iso_8859-1:1987", "iso-ir-100", "latin1", "l1", "ibm819", "cp819", "csisolatin1"];

/// Names that only browsers know, or that terraform has no table for.
const FOREIGN: &[&str] = &[
    "ascii",
    "big5-hkscs",
    "cn-big5",
    "chinese",
    "dos-874",
    "gb2312",
    "gb_2312",
    "gb_2312-80",
    "csgb2312",
    "iso-10646-ucs-2",
    "iso-ir-58",
    "koi",
    "koi8",
    "koi8_r",
    "korean",
    "ks_c_5601-1987",
    "ks_c_5601-1989",
    "ksc5601",
    "ksc_5601",
    "logical",
    "shift-jis",
    "sjis",
    "sun_eu_greek",
    "tis-620",
    "ucs-2",
    "unicode",
    "utf8",
    "visual",
    "windows-31j",
];

/// A character set.
enum Charset {
    /// Each byte is the character with its number, below this one.
    Bytes(u32),
    /// UTF-16 that begins with a mark of its order.
    Marked,
    Little,
    Big,
    Other(&'static Encoding),
}

fn charset(name: &str) -> Result<Charset, String> {
    let lower = name.to_ascii_lowercase();
    let unknown = || format!("there is no character set {name:?}");
    let is_foreign = FOREIGN.contains(&lower.as_str())
        || ["x-", "unicode", "iso8859", "iso88", "cp125"].iter().any(|begin| lower.starts_with(begin));
    match lower.as_str() {
        name if ASCII.contains(&name) => return Ok(Charset::Bytes(0x80)),
        name if LATIN.contains(&name) => return Ok(Charset::Bytes(0x100)),
        "utf-16" | "csutf16" => return Ok(Charset::Marked),
        "csutf8" => return Ok(Charset::Other(encoding_rs::UTF_8)),
        _ if is_foreign => return Err(unknown()),
        _ => {}
    }
    Ok(match Encoding::for_label(lower.as_bytes()).ok_or_else(unknown)? {
        known if known == encoding_rs::UTF_16LE => Charset::Little,
        known if known == encoding_rs::UTF_16BE => Charset::Big,
        known => Charset::Other(known),
    })
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// The bytes of a text in the character set of this name.
pub(super) fn encode(text: &str, name: &str) -> Result<Vec<u8>, String> {
    let refused = || format!("the text can't be written in {name}");
    match charset(name)? {
        Charset::Bytes(end) => {
            let byte = |char: char| (u32::from(char) < end).then_some(u32::from(char) as u8);
            text.chars().map(byte).collect::<Option<Vec<u8>>>().ok_or_else(refused)
        }
        Charset::Marked => Ok(utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
        Charset::Little => Ok(utf16(text, u16::to_le_bytes)),
        Charset::Big => Ok(utf16(text, u16::to_be_bytes)),
        Charset::Other(charset) => match charset.encode(text) {
            (_, _, true) => Err(refused()),
            (bytes, ..) => Ok(bytes.into_owned()),
        },
    }
}

/// The text that bytes are in the character set of this name.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<String, String> {
    let refused = || format!("the bytes are no text in {name}");
    let plain = |charset: &'static Encoding| match charset.decode_without_bom_handling(bytes) {
        (_, true) => Err(refused()),
        (text, false) => Ok(text.into_owned()),
    };
    match charset(name)? {
        Charset::Bytes(end) => {
            let char = |byte: &u8| Some(char::from(*byte)).filter(|char| u32::from(*char) < end);
            bytes.iter().map(char).collect::<Option<String>>().ok_or_else(refused)
        }
        Charset::Marked => {
            let order = if bytes.starts_with(&[0xff, 0xfe]) { encoding_rs::UTF_16LE } else { encoding_rs::UTF_16BE };
            plain(order).map(|text| text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
        }
        Charset::Little => plain(encoding_rs::UTF_16LE),
        Charset::Big => plain(encoding_rs::UTF_16BE),
        Charset::Other(charset) => plain(charset),
    }
}
