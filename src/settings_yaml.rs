//! YAML of settings: texts of people that are read whole, without places, into values.

use serde::de::DeserializeOwned;

/// Brackets that may be open at once. Nobody's settings have a tenth of it.
const MAX_DEPTH: usize = 200;

/// Reads a text, or says why it can't be read.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    match is_deep(text) {
        true => Err(TOO_DEEP.into()),
        false => serde_yaml::from_str(text).map_err(|error| error.to_string()),
    }
}

/// What is said of a text that [`is_deep`].
pub const TOO_DEEP: &str = "is nested too deep";

/// Whether a text seems to nest brackets so deep that the time to read it grows with the square of its length, in `serde_yaml`
/// and in parsers of events alike: both ask every open bracket about each word.
pub fn is_deep(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    #[test]
    fn what_is_nested_deep_is_refused_at_once() {
        let deep = format!("ignored: {}", "[".repeat(200_000));
        assert_eq!(read::<Value>(&deep), Err(TOO_DEEP.to_string()));
        assert!(read::<Value>("ignored: [DL3008, {a: [b]}]\n").is_ok());
        assert!(!is_deep(&"exclude: ['a[0-9]/{b,c}']\n".repeat(500)), "patterns close what they open");
    }
}
