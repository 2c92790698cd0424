//! The JSON form of arguments, as Go's `encoding/json` takes it.

use std::borrow::Cow;

/// The texts of a list; none where it is something else, which is the shell form then.
pub(super) fn texts(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(&whole(json)).ok()
}

/// The texts of a list that other text may follow.
pub(super) fn leading_texts(json: &str) -> Option<Vec<String>> {
    let json = whole(json);
    let mut lists = serde_json::Deserializer::from_str(&json).into_iter::<Vec<String>>();
    lists.next()?.ok()
}

/// The JSON with U+FFFD for each half of a pair that stands alone, as Go reads it; other readers refuse the whole.
fn whole(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return json.into();
    }
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let (written, length) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&rest[..12], 12),
            (Some(0xd800..=0xdfff), _) => ("\\ufffd", 6),
            _ => {
                // What is escaped begins no escape itself.
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (&rest[..length], length)
            }
        };
        whole.push_str(written);
        rest = &rest[length..];
    }
    whole.push_str(rest);
    whole.into()
}

/// The unit of UTF-16 that a text begins with as an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_a_character_of_its_own() {
        for (json, wanted) in [
            ("[\"a\\ud800\"]", "a\u{fffd}"),
            ("[\"\\udc00\\ud800b\"]", "\u{fffd}\u{fffd}b"),
            ("[\"\\ud83d\\ude00\"]", "\u{1f600}"),
            ("[\"\\ud800\\ud83d\\ude00\"]", "\u{fffd}\u{1f600}"),
            ("[\"\\\\ud800\"]", "\\ud800"),
        ] {
            assert_eq!(texts(json), Some(vec![wanted.to_string()]), "{json}");
        }
        assert_eq!([texts("[\"\\ud80\"]"), texts("[\"a\"] b"), texts("[1]")], [None, None, None]);
        assert_eq!(leading_texts("[\"a\"] # b"), Some(vec!["a".to_string()]));
    }
}
