//! The words of a suppression's own text: options wherever they stand, the rest is the reason.

/// The words of a text. An owner in quotes is one word, and an option begins one behind a comma too.
pub(super) fn words(text: &str, is_between: impl Fn(char) -> bool) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quoted_to) = (0, 0);
    for (at, sign) in text.char_indices().filter(|(_, sign)| !sign.is_alphanumeric()) {
        if at < quoted_to {
            continue;
        }
        let rest = &text[at + sign.len_utf8()..];
        let is_glued = matches!(sign, ',' | ';') && begins_option(rest);
        if is_between(sign) || is_glued {
            words.push(&text[start..at]);
            start = at + sign.len_utf8();
        } else if matches!(sign, '"' | '\'') && option(&text[start..at]).is_some_and(|(_, value)| value.is_empty()) {
            quoted_to = rest.find(sign).map_or(0, |length| at + 1 + length + 1);
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

fn begins_option(text: &str) -> bool {
    ["until=", "by="].iter().any(|option| text.starts_with(option))
}

/// The name and the value of `until=2027-03-01` and `by="the team"`, also in brackets; none for any other word.
pub(super) fn option(word: &str) -> Option<(&str, &str)> {
    const AROUND: &[char] = &['"', '\'', '`', '(', ')', '[', ']', ',', ';', '.'];
    let word = word.trim_start_matches(AROUND);
    let (name, value) = word.split_once('=').filter(|_| begins_option(word))?;
    Some((name, value.trim_matches(AROUND)))
}

/// A reason of another tool's, in which these words mean nothing, so that none of them is taken for an option.
pub(super) fn guarded(reason: &str) -> String {
    let words = words(reason, char::is_whitespace);
    if words.iter().all(|word| option(word).is_none()) {
        return reason.to_string();
    }
    let guard = |word: &&str| match option(word) {
        Some(_) => word.replacen('=', ": ", 1),
        None => word.to_string(),
    };
    words.iter().map(guard).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_in_quotes_is_one_word() {
        let of = |text| words(text, char::is_whitespace);
        assert_eq!(of("by=\"web team\" until=2025-01-01  a b"), ["by=\"web team\"", "until=2025-01-01", "a", "b"]);
        assert_eq!(of("node agent,until=2025-01-01;by=x"), ["node", "agent", "until=2025-01-01", "by=x"]);
        assert_eq!(of("by=\"web until=2025-01-01"), ["by=\"web", "until=2025-01-01"], "it ends nowhere");
        assert_eq!(of("the \"web until=x\" é"), ["the", "\"web", "until=x\"", "é"]);
    }

    #[test]
    fn options_are_found_in_brackets_and_before_commas() {
        assert_eq!(option("(until=2025-01-01)."), Some(("until", "2025-01-01")));
        assert_eq!(option("by='web team',"), Some(("by", "web team")));
        assert_eq!(option("standby=x"), None);
        assert_eq!(guarded("gone until=2025 (by=me)"), "gone until: 2025 (by: me)");
        assert_eq!(guarded("as  it  is"), "as  it  is");
    }
}
