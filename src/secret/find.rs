//! The search: one automaton over all keywords, and a look at each place where one stands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

use super::file::Syntax;
use super::keywords::{NAMES, SPECIAL, Target, spellings};
use super::lines::Lines;
use super::patterns::{Form, PATTERNS, Pattern};
use super::{Hit, Kind, assigned, command, key, name, random, store, url, value};

/// Credentials of one text that are reported; a text with more is a list of them.
const MAX_HITS: usize = 500;
/// Bytes after a keyword that a pattern may look at.
const WINDOW: usize = 2600;
/// Bytes that the name of a variable may go on after its keyword.
const MAX_NAME: usize = 40;
/// What stands between a name and the value assigned to it: `=`, `: "`, `" => "`, or the member `value` of a pair.
const ASSIGNS: &str = concat!(
    r#"["'`\])]{0,3}"#,
    r#"(?:\s{0,8}(?::=|=>|==?|:)\s{0,8}|,?\s{1,40}["']?[Vv]alue["']?\s{0,8}[:=]\s{0,8}|\s{0,3},\s{0,3}|\s)"#,
    r#"["'`(]{0,2}"#
);

/// Literals of one text that are reported beside credentials of known forms.
const MAX_LITERALS: usize = 200;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    /// Every known credential, and literals of secret names in a file of this syntax.
    Names(Syntax),
    /// As names, and whatever else may be a secret by its name, as much as there is: for what is shown.
    Shown(Syntax),
    /// Every known credential.
    Known,
    /// Only what nothing else looks like: for lock files and generated code.
    Certain,
}

/// Bytes in all up to which the automaton that is built in a fifth of the time finds them sooner than the one that searches
/// four times as fast.
const SMALL: usize = 256 << 10;

struct Detector {
    small: AhoCorasick,
    large: OnceLock<AhoCorasick>,
    /// Bytes searched by this process; what is found does not depend on it.
    searched: AtomicUsize,
    keywords: Vec<String>,
    /// For each keyword, what it leads to.
    targets: Vec<Vec<Target>>,
    patterns: Vec<(&'static Pattern, OnceLock<Option<Regex>>)>,
}

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

/// Builds what every search needs, which costs as much as a megabyte of text: best while something else is read.
pub fn prepare() {
    LazyLock::force(&DETECTOR);
}

/// Every credential of a text, in order, none inside another.
pub fn find(text: &str) -> Vec<Hit> {
    DETECTOR.find(text, Search::Known)
}

/// As [`find`], with literals that are assigned to names of secrets.
pub(super) fn find_all(text: &str, syntax: Syntax) -> Vec<Hit> {
    DETECTOR.find(text, Search::Names(syntax))
}

/// As [`find_all`], with every literal whose name alone calls it a secret; in no order, and one may lie in another.
pub(super) fn find_to_hide(text: &str, syntax: Syntax) -> Vec<Hit> {
    DETECTOR.find(text, Search::Shown(syntax))
}

/// As [`find`], for generated text.
pub(super) fn find_certain(text: &str) -> Vec<Hit> {
    DETECTOR.find(text, Search::Certain)
}

impl Detector {
    fn new() -> Detector {
        let patterns: Vec<_> = PATTERNS.iter().copied().flatten().map(|pattern| (pattern, OnceLock::new())).collect();
        let mut keywords: BTreeMap<String, Vec<Target>> = BTreeMap::new();
        for (keyword, target) in SPECIAL {
            keywords.entry((*keyword).into()).or_default().push(*target);
        }
        for name in NAMES {
            for spelling in spellings(name, Form::Assigned) {
                keywords.entry(spelling).or_default().push(Target::Name);
            }
        }
        for (index, (pattern, _)) in patterns.iter().enumerate() {
            for keyword in pattern.keywords {
                for spelling in spellings(keyword, pattern.form) {
                    keywords.entry(spelling).or_default().push(Target::Pattern(index));
                }
            }
        }
        let (keywords, targets): (Vec<String>, Vec<_>) = keywords.into_iter().unzip();
        Detector {
            small: automaton(&keywords, AhoCorasickKind::ContiguousNFA),
            large: OnceLock::new(),
            searched: AtomicUsize::new(0),
            keywords,
            targets,
            patterns,
        }
    }

    fn automaton(&self, length: usize) -> &AhoCorasick {
        match self.searched.fetch_add(length, Ordering::Relaxed) + length {
            ..SMALL => &self.small,
            _ => self.large.get_or_init(|| automaton(&self.keywords, AhoCorasickKind::DFA)),
        }
    }

    fn find(&self, text: &str, search: Search) -> Vec<Hit> {
        let mut found: Vec<(Kind, bool, Hit)> = Vec::new();
        let mut literals = 0;
        let is_shown = matches!(search, Search::Shown(_));
        // Names inside of what is hidden are not followed: whoever nests them would have all of it read for each.
        let mut hidden_to = 0;
        let mut lines = Lines::of(text);
        for place in self.automaton(text.len()).find_overlapping_iter(text) {
            let search = match search {
                Search::Names(_) | Search::Known if lines.is_long(place.start()) => Search::Certain,
                search => search,
            };
            for target in &self.targets[place.pattern().as_usize()] {
                let (certain, hit) = match target {
                    Target::Pattern(index) => {
                        let pattern = self.patterns[*index].0;
                        if search == Search::Certain && !pattern.certain {
                            continue;
                        }
                        (pattern.certain, self.matched(*index, text, place.start(), place.end()))
                    }
                    Target::Name
                    | Target::BearerHeader
                    | Target::Authorization
                    | Target::DockerAuth
                    | Target::Command
                    | Target::Directive => {
                        let (Search::Names(syntax) | Search::Shown(syntax)) = search else { continue };
                        if literals >= MAX_LITERALS && !is_shown {
                            continue;
                        }
                        let hit = match target {
                            Target::BearerHeader => store::in_bearer_header(text, place.start(), place.end()),
                            Target::Authorization => store::in_authorization(text, place.end()),
                            Target::DockerAuth => store::in_docker_auth(text, place.end()),
                            Target::Command => command::password(text, place.start(), place.end(), syntax),
                            Target::Directive => store::in_directive(text, place.end()),
                            _ if place.start() < hidden_to => None,
                            _ => assigned::to_name(text, place.start(), place.end(), syntax, is_shown),
                        };
                        literals += usize::from(hit.is_some());
                        hidden_to = hit.filter(|_| is_shown).map_or(hidden_to, |hit| hit.end.max(hidden_to));
                        (false, hit)
                    }
                    special => (true, find_special(*special, text, place.start(), place.end())),
                };
                if let Some(hit) = hit {
                    found.push((hit.kind, !certain, hit));
                }
            }
            if found.len() - literals >= MAX_HITS && !is_shown {
                break;
            }
        }
        if is_shown {
            // What one leaves of another would be seen.
            return found.into_iter().map(|(_, _, hit)| hit).collect();
        }
        // Of credentials in one place the most telling stays.
        found.sort_by_key(|(kind, uncertain, hit)| (*kind, *uncertain, hit.start, std::cmp::Reverse(hit.end)));
        let mut kept: BTreeMap<usize, Hit> = BTreeMap::new();
        for (_, _, hit) in found {
            let is_free = kept.range(..hit.end).next_back().is_none_or(|(_, other)| other.end <= hit.start);
            if is_free {
                kept.insert(hit.start, hit);
            }
        }
        kept.into_values().collect()
    }

    fn regex(&self, index: usize) -> Option<&Regex> {
        let (pattern, regex) = &self.patterns[index];
        let compiled = regex.get_or_init(|| {
            let text = match pattern.form {
                Form::Assigned => format!("^{ASSIGNS}({})", pattern.regex),
                _ => format!("^(?:{})", pattern.regex),
            };
            // Bytes that are no ASCII end every pattern.
            Regex::new(&text.replace(r"\s", "[ \\t\\r\\n]")).ok()
        });
        compiled.as_ref()
    }

    fn matched(&self, index: usize, text: &str, start: usize, end: usize) -> Option<Hit> {
        let pattern = self.patterns[index].0;
        let (from, keyword) = match pattern.form {
            Form::Token => (start, &text[start..end]),
            Form::Within(at) => (start.checked_sub(at)?, ""),
            // The name goes on to where something else than a name begins.
            Form::Assigned => (end + name_length(&text[end..])?, ""),
        };
        if pattern.form != Form::Assigned && !begins(text, from, keyword) {
            return None;
        }
        let window = text.get(from..floor(text, from + WINDOW))?;
        let (from_secret, to_secret) = match pattern.form {
            Form::Assigned => {
                let found = self.regex(index)?.captures(window)?;
                if !names_credential(&text[start..from]) {
                    return None;
                }
                let value = found.get(1)?;
                (value.start(), value.end())
            }
            _ => {
                let found = self.regex(index)?.captures(window)?;
                let secret = found.get(1).or_else(|| found.get(0))?;
                (secret.start(), secret.end())
            }
        };
        let secret = &window[from_secret..to_secret];
        if pattern.form == Form::Assigned && !is_assigned(&text[start..from], secret, &window[to_secret..]) {
            return None;
        }
        let next = window.as_bytes().get(to_secret).copied().unwrap_or(b' ');
        let goes_on =
            next.is_ascii_alphanumeric() || next == b'_' || (pattern.form == Form::Assigned && b"+/=-".contains(&next));
        let passes = pattern.check.is_none_or(|check| check(secret));
        if goes_on || !passes || value::entropy(secret) < pattern.entropy || value::is_sample(secret) {
            return None;
        }
        Some(Hit { start: from + from_secret, end: from + to_secret, kind: pattern.kind, what: pattern.what })
    }
}

fn automaton(keywords: &[String], kind: AhoCorasickKind) -> AhoCorasick {
    let builder = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(kind)).build(keywords);
    builder.expect("a few hundred short keywords fit")
}

/// Whether what is assigned to a name is a credential, and no name, call or reference of some language: in these words stand, and
/// no digits.
fn is_assigned(name: &str, secret: &str, rest: &str) -> bool {
    // What stands for where it is kept, and what is called.
    const OTHERS: &[&str] = &["file", "files", "filename", "path", "dir", "name", "names", "url", "uri", "ref"];
    let is_other = || name::words(name).last().is_some_and(|last| OTHERS.contains(&last.as_str()));
    let has_digit = secret.bytes().any(|byte| byte.is_ascii_digit());
    let is_mixed = || {
        let has = |is: fn(&u8) -> bool| secret.as_bytes().iter().any(is);
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && value::entropy(secret) >= 3.5
    };
    let is_expression =
        rest.starts_with(['(', '[', '.']) || value::is_reference(secret) || value::is_dotted_name(secret);
    !is_expression && (has_digit || is_mixed()) && !random::is_wordy(secret) && !is_other()
}

/// Whether a credential may begin here: nothing that would belong to it stands before.
fn begins(text: &str, at: usize, keyword: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(before) = at.checked_sub(1).map(|index| bytes[index]) else { return true };
    // A sign ends whatever stands before it, and a part of a host follows another.
    let is_sign = keyword.bytes().next().is_some_and(|first| matches!(first, b'&' | b'?' | b'.'));
    if is_sign {
        return true;
    }
    if before.is_ascii_alphanumeric() {
        // The escape of a line end in a quoted text.
        return matches!(before, b'n' | b'r' | b't') && at >= 2 && bytes[at - 2] == b'\\';
    }
    // Short marks of letters and digits occur in encoded data.
    let is_plain = !keyword.is_empty() && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric());
    !(is_plain && matches!(before, b'+' | b'/' | b'_' | b'-'))
}

/// How many bytes of a name are left; none if there are too many.
fn name_length(text: &str) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let length = text.bytes().take(MAX_NAME + 1).take_while(is_name).count();
    (length <= MAX_NAME).then_some(length)
}

fn names_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "secret", "auth", "pass", "pwd", "credential", "api"].iter().any(|word| name.contains(word))
}

fn find_special(target: Target, text: &str, start: usize, end: usize) -> Option<Hit> {
    match target {
        Target::Pem => key::pem(text, start),
        Target::EncodedPem => key::encoded_pem(text, start),
        Target::Putty => key::putty(text, start),
        Target::Jwt => key::jwt(text, start),
        Target::Url => url::in_url(text, start, end),
        Target::ConnectionString => url::in_connection_string(text, start, end),
        Target::BasicHeader => url::in_basic_header(text, end),
        Target::GoAddress => url::in_go_address(text, start, end),
        Target::OracleUser => url::in_oracle_address(text, end),
        Target::Der => key::der(text, start),
        Target::Pattern(_)
        | Target::Name
        | Target::BearerHeader
        | Target::Authorization
        | Target::DockerAuth
        | Target::Command
        | Target::Directive => None,
    }
}

/// The nearest offset at or below `at` on which a character begins.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_pattern_compiles_and_begins_with_its_keyword() {
        let detector = Detector::new();
        for index in 0..detector.patterns.len() {
            let pattern = detector.patterns[index].0;
            assert!(detector.regex(index).is_some(), "{}: {}", pattern.what, pattern.regex);
            assert!(!pattern.keywords.is_empty(), "{}", pattern.what);
        }
        assert!(detector.patterns.len() >= 150, "{}", detector.patterns.len());
    }

    /// A text that a regular expression describes: each repetition as short as it may be, each choice by the seed.
    fn sample(hir: &regex_syntax::hir::Hir, seed: &mut u32, out: &mut String) {
        use regex_syntax::hir::HirKind;
        let mut next = |count: usize| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 8) as usize % count
        };
        match hir.kind() {
            HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).unwrap()),
            HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
                let all: Vec<char> =
                    class.ranges().iter().flat_map(|range| range.start()..=range.end()).take(200).collect();
                let plain: Vec<char> = all.iter().copied().filter(char::is_ascii_alphanumeric).collect();
                let from = if plain.is_empty() { &all } else { &plain };
                out.push(from[next(from.len())]);
            }
            HirKind::Repetition(repetition) => (0..repetition.min).for_each(|_| sample(&repetition.sub, seed, out)),
            HirKind::Capture(capture) => sample(&capture.sub, seed, out),
            HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, seed, out)),
            HirKind::Alternation(parts) => {
                let index = next(parts.len());
                sample(&parts[index], seed, out);
            }
            _ => {}
        }
    }

    #[test]
    fn every_pattern_finds_what_it_describes() {
        let mut missed = Vec::new();
        for pattern in PATTERNS.iter().copied().flatten() {
            let hir = regex_syntax::parse(pattern.regex).unwrap();
            let is_found = (1..40).any(|mut seed| {
                let mut secret = String::new();
                sample(&hir, &mut seed, &mut secret);
                let text = match pattern.form {
                    Form::Assigned => {
                        format!("export {}_SECRET_TOKEN=\"{secret}\"\n", pattern.keywords[0].to_uppercase())
                    }
                    _ => format!("a = \"{secret}\"\n"),
                };
                find(&text).iter().any(|hit| hit.what == pattern.what)
            });
            if !is_found {
                missed.push(pattern.what);
            }
        }
        assert_eq!(missed, [""; 0]);
    }

    fn whats(text: &str) -> Vec<&'static str> {
        find(text).into_iter().map(|hit| hit.what).collect()
    }

    /// Tokens are put together here, so that this file holds none.
    #[test]
    fn tokens_are_found_where_they_begin_and_end() {
        let body = "Zk3vQ9xLw7Rt2Yp8Nb5Mc1Hd6Jf4Gs0KaEuT";
        let text = format!("a: \"ghp_{body}\" # and glpat-{}", &body[..20]);
        let hits = find(&text);
        assert_eq!(hits.len(), 2, "{hits:?}");
        assert_eq!(&text[hits[0].start..hits[0].end], format!("ghp_{body}"));
        assert_eq!(whats(&format!("xghp_{body}")), [""; 0]);
        assert_eq!(whats(&format!("ghp_{}", "x".repeat(36))), [""; 0]);
        assert_eq!(whats(&format!("key\\nAKIA{}", "QWERTZUIOP234567")), ["AWS access key"]);
        assert_eq!(whats("AKIAIOSFODNN7EXAMPLE"), [""; 0]);
    }

    #[test]
    fn a_value_without_a_mark_is_known_by_the_name_before_it() {
        let secret = format!("{}{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2", "Gf4Ds6Pa0Oi+Uy/TrEwQ");
        for text in [
            format!("aws_secret_access_key = {secret}"),
            format!("\"AWS_SECRET_ACCESS_KEY\": \"{secret}\","),
            format!("- name: AWS_SECRET_ACCESS_KEY\n  value: {secret}\n"),
            format!("{{ name = \"AWS_SECRET_ACCESS_KEY\", value = \"{secret}\" }}"),
            format!("aws configure set aws_secret_access_key {secret}"),
            format!("ENV AWS_SECRET_ACCESS_KEY {secret}"),
        ] {
            assert_eq!(whats(&text), ["AWS secret access key"], "{text}");
        }
        let hex = "4f9c2b7e1d8a6035c4f9e2b7a1d86053";
        assert_eq!(whats(&format!("DATADOG_API_KEY={hex}")), ["Datadog key"]);
        assert_eq!(whats(&format!("datadog_checksum: {hex}")), [""; 0]);
    }

    #[test]
    fn generated_text_is_searched_for_what_is_certain() {
        let hex = "4f9c2b7e1d8a6035c4f9e2b7a1d86053";
        let text = format!("DATADOG_API_KEY={hex} https://u:p4ssw0rd-Zz@db.acme.io/x npm_{hex}Zk3v");
        assert_eq!(find(&text).len(), 3);
        assert_eq!(find_certain(&text).len(), 2);
    }

    /// A text made of keywords alone makes every look as long as it can be.
    #[test]
    fn hostile_texts_cost_no_more_than_their_length() {
        let parts = [
            "okta",
            "okta= ",
            "Password=abcd;",
            "-----BEGIN RSA PRIVATE KEY-----",
            "://a",
            " eyJ",
            "sk-proj-",
            "PuTTY-User-Key-File-",
            "key=",
            "key \"",
            "pass: '",
            "token ",
            "{secret:",
            "${key:-",
            "password = \"h7Gk29fLq0Z\"; ",
            "password: {value",
            "password:\n  value",
            "password\" value>",
            "Authorization: token ",
            "curl -u a ",
            "mysql -p",
            "MIIEpAIBAAKCAQEA",
        ];
        for part in parts {
            let text = part.repeat(100_000 / part.len());
            assert!(find(&text).len() <= MAX_HITS, "{part}");
            assert!(find_all(&text, Syntax::Yaml).len() <= MAX_HITS + MAX_LITERALS, "{part}");
        }
    }
}
