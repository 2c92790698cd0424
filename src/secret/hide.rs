//! Texts that are shown to people, with the credentials in them hidden.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{find_in_file, is_secret_name};

/// What stands in the place of a credential.
pub const HIDDEN: &str = "***";

/// A text without the credentials that can be told by what it says alone: those of known forms, literals of secret names, and
/// what the addresses in it hold of users and in parameters of secret names, however short.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let hits = find_in_file("", text);
    let known = match hits.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(without(text, hits.iter().map(|hit| (hit.start, hit.end)))),
    };
    let places = in_addresses(&known);
    match places.is_empty() {
        true => known,
        false => Cow::Owned(without(&known, places.into_iter())),
    }
}

/// Characters of a value that messages show.
const MAX_SHOWN: usize = 60;

/// The first characters of a text that messages cut.
fn head(text: &str) -> Option<&str> {
    text.char_indices().nth(MAX_SHOWN).map(|(end, _)| &text[..end])
}

/// A value as a message shows it: no longer than fits into a sentence. What is cut off can't be recognised any more, so what
/// the text itself says to be a secret is hidden before.
pub fn shortened(text: &str) -> Cow<'_, str> {
    if head(text).is_none() {
        return Cow::Borrowed(text);
    }
    let considered = text.char_indices().nth(MAX_KNOWN).map_or(text, |(end, _)| &text[..end]);
    let hidden = without_secrets(considered);
    match head(&hidden) {
        Some(head) => Cow::Owned(format!("{head}…")),
        None => hidden,
    }
}

/// Finds secrets by their own texts, wherever they stand again.
pub struct Known(Option<AhoCorasick>);

/// Shorter secrets stand in other words.
const MIN_KNOWN: usize = 8;
/// Longer ones are files, of which no sentence is made.
const MAX_KNOWN: usize = 1_000;

impl Known {
    /// Finds these texts, but for those that are too short to be told from words, and too long to stand in a line; of texts of
    /// several lines each line. Of what is so long that messages cut it also the part that they show is found.
    pub fn new(texts: Vec<&str>) -> Known {
        let mut texts: Vec<&str> = texts.into_iter().flat_map(str::lines).map(str::trim).collect();
        let heads: Vec<&str> = texts.iter().filter_map(|text| head(text)).collect();
        texts.extend(heads);
        texts.retain(|text| (MIN_KNOWN..=MAX_KNOWN).contains(&text.len()));
        texts.sort_unstable();
        texts.dedup();
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts).ok();
        Known(if texts.is_empty() { None } else { build() })
    }

    /// Where they stand in a text, in order, none over another.
    pub fn places(&self, text: &str) -> Vec<(usize, usize)> {
        self.0.iter().flat_map(|known| known.find_iter(text)).map(|place| (place.start(), place.end())).collect()
    }

    /// A text without them, and without what [`without_secrets`] hides.
    pub fn hidden<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let places = self.places(text);
        if places.is_empty() {
            return without_secrets(text);
        }
        let shown = without(text, places.into_iter());
        Cow::Owned(without_secrets(&shown).into_owned())
    }
}

/// A text without the parts at these places, which are sorted; of two that overlap the second is hidden from where the first
/// ends.
pub fn without(text: &str, places: impl Iterator<Item = (usize, usize)>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in places {
        let start = start.max(from);
        if let (true, Some(before)) = (start < end, text.get(from..start)) {
            shown.push_str(before);
            shown.push_str(HIDDEN);
            from = end;
        }
    }
    shown.push_str(text.get(from..).unwrap_or(""));
    shown
}

/// Where addresses hold credentials: `//user:HERE@`, `//HERE@` where no user logs in by a key, `?token=HERE`.
fn in_addresses(text: &str) -> Vec<(usize, usize)> {
    let is_open = |value: &str| !value.is_empty() && value != HIDDEN && !value.starts_with('$');
    let mut places = Vec::new();
    for (sign, _) in text.match_indices("//") {
        let rest = &text[sign + 2..];
        let end = rest.find(|char: char| char.is_whitespace() || "/?#\"'`<>".contains(char)).unwrap_or(rest.len());
        let Some(at) = rest[..end].rfind('@') else { continue };
        let (from, secret) = match rest[..at].split_once(':') {
            Some((user, password)) => (user.len() + 1, password),
            None if matches!(&rest[..at], "git" | "hg" | "svn") || text[..sign].ends_with("ssh:") => continue,
            None => (0, &rest[..at]),
        };
        if is_open(secret) {
            places.push((sign + 2 + from, sign + 2 + at));
        }
    }
    if text.contains("//") {
        for (name, (from, to)) in text.match_indices(['?', '&']).filter_map(|(at, _)| parameter(text, at + 1)) {
            let is_secret = is_secret_name(name) || matches!(name, "sshkey" | "sig" | "signature");
            if is_secret && is_open(&text[from..to]) {
                places.push((from, to));
            }
        }
        places.sort_unstable();
    }
    places
}

/// Longer names are none of parameters.
const MAX_NAME: usize = 60;

/// Name and place of the value of the parameter of an address that begins here.
fn parameter(text: &str, start: usize) -> Option<(&str, (usize, usize))> {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let length = text.as_bytes()[start..].iter().take(MAX_NAME + 1).take_while(is_name).count();
    let (name, rest) = text[start..].split_at(length);
    let value = rest.strip_prefix('=').filter(|_| (1..=MAX_NAME).contains(&length))?;
    let end = value.find(|char: char| char.is_whitespace() || "&#\"'`<>".contains(char)).unwrap_or(value.len());
    let from = start + length + 1;
    Some((name, (from, from + end)))
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn addresses_are_shown_without_what_opens_them() {
        for (text, shown) in [
            ("source \"git::https://a:pw@acme.io/m.git?ref=v1\"", "source \"git::https://a:***@acme.io/m.git?ref=v1\""),
            ("https://s3cret@acme.io/m//x", "https://***@acme.io/m//x"),
            ("git::ssh://git@acme.io/m.git", "git::ssh://git@acme.io/m.git"),
            ("ssh://deploy@acme.io/m.git", "ssh://deploy@acme.io/m.git"),
            ("https://acme.io/m.zip?token=abc&x=1", "https://acme.io/m.zip?token=***&x=1"),
            ("https://a:${var.token}@acme.io/", "https://a:${var.token}@acme.io/"),
            ("a // comment a@b", "a // comment a@b"),
            ("user@acme.io and a?password=x", "user@acme.io and a?password=x"),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(without_secrets(shown), shown);
        }
    }

    /// Every sign begins an address that never ends.
    #[test]
    fn hostile_texts_cost_no_more_than_their_length() {
        assert_eq!(without_secrets(&"//:".repeat(50_000)).len(), 150_000);
    }
}
