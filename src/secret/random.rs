//! Whether a text was drawn at random, or chosen as a password, rather than written as a word or a name.

use super::value::entropy;

/// Shortest token or key that is told from a name by its characters alone.
const MIN_TOKEN: usize = 16;
/// As above, of hexadecimal digits.
const MIN_HEX: usize = 24;
/// Shortest password that counts without a known place.
const MIN_PASSWORD: usize = 8;
/// Longer texts are data.
const MAX_SECRET: usize = 400;

/// What a text is made of.
#[derive(Debug, Default)]
struct Makeup {
    lower: usize,
    upper: usize,
    digits: usize,
    symbols: usize,
    /// Groups of digits, each between other characters.
    digit_groups: usize,
    is_hex: bool,
    is_plain: bool,
}

impl Makeup {
    fn of(text: &str) -> Makeup {
        let mut makeup = Makeup { is_hex: true, is_plain: true, ..Makeup::default() };
        let mut before = b' ';
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' => makeup.lower += 1,
                b'A'..=b'Z' => makeup.upper += 1,
                b'0'..=b'9' => {
                    makeup.digits += 1;
                    makeup.digit_groups += usize::from(!before.is_ascii_digit());
                }
                b'!'..=b'~' => makeup.symbols += 1,
                _ => makeup.is_plain = false,
            }
            makeup.is_hex &= byte.is_ascii_hexdigit();
            before = byte;
        }
        makeup
    }

    fn letters(&self) -> usize {
        self.lower + self.upper
    }
}

/// Whether a value of a token or key was drawn at random: no name, word, date or version is.
pub(super) fn is_random(text: &str) -> bool {
    let length = text.len();
    let makeup = Makeup::of(text);
    if !(MIN_TOKEN..=MAX_SECRET).contains(&length) || !makeup.is_plain || makeup.letters() < 3 || makeup.digits == 0 {
        return false;
    }
    let bits = entropy(text);
    if makeup.is_hex {
        let is_one_case = makeup.lower == 0 || makeup.upper == 0;
        return is_one_case && length >= MIN_HEX && bits >= 3.0 && makeup.digit_groups >= 3;
    }
    // The alphabets of tokens hold few symbols; expressions, formats and markup hold others.
    let joins = text.bytes().filter(|byte| b"+/=_-.~".contains(byte)).count();
    if makeup.symbols > joins && !is_drawn_from_all(text, &makeup) || joins * 6 > length || joins > 0 && is_name(text) {
        return false;
    }
    let alphabet: f64 = if makeup.upper == 0 || makeup.lower == 0 { 36.0 } else { 62.0 };
    let most = (length as f64).log2().min(alphabet.log2());
    bits >= 0.75 * most && !is_wordy(text) && makeup.digit_groups * 12 >= length.min(36)
}

/// Whether a value is so unlike words and names that it is the secret wherever it stands again.
pub fn is_distinct(text: &str) -> bool {
    is_chosen(text) || is_random(text)
}

/// Keys such as those of Django: any character, and many that stand in no name.
fn is_drawn_from_all(text: &str, makeup: &Makeup) -> bool {
    let strong = text.bytes().filter(|byte| b"!@#$%^&*+=~?".contains(byte)).count();
    let others = text.bytes().filter(|byte| b"\"'`\\,;:<>|/ {}[]".contains(byte)).count();
    text.len() >= 20 && strong >= 2 && others * 12 <= text.len() && makeup.letters() * 3 >= text.len()
}

/// Characters in runs that read like words: four letters in a row of one case, or after a capital, with vowels between.
fn in_words(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut count = 0;
    let mut start = 0;
    while start < bytes.len() {
        let mut end = start + 1;
        if bytes[start].is_ascii_alphabetic() {
            let goes_on = |index: usize| match bytes[index - 1].is_ascii_uppercase() && index - start > 1 {
                true => bytes[index].is_ascii_uppercase(),
                false => {
                    bytes[index].is_ascii_lowercase()
                        || index == start + 1 && bytes[start].is_ascii_uppercase() && bytes[index].is_ascii_uppercase()
                }
            };
            while end < bytes.len() && goes_on(end) {
                end += 1;
            }
            let run = &bytes[start..end];
            if reads_like_words(run) {
                count += run.len();
            }
        }
        start = end;
    }
    count
}

/// Whether letters could be words: of vowels there are enough and not too many, which of short runs chance brings about, and
/// nowhere do four consonants stand together, which in long ones chance hardly avoids.
fn reads_like_words(run: &[u8]) -> bool {
    let is_vowel = |byte: &u8| b"aeiouyAEIOUY".contains(byte);
    let vowels = run.iter().filter(|byte| is_vowel(byte)).count();
    let least = if run.len() > 7 { 30 } else { 20 };
    run.len() >= 4
        && vowels * 100 >= run.len() * least
        && vowels * 3 <= run.len() * 2
        && run.split(is_vowel).all(|consonants| consonants.len() < 4)
}

/// Whether the longer part of a text is words: `loadTokenFromVault2`.
pub(super) fn is_wordy(text: &str) -> bool {
    in_words(text) * 2 >= text.len()
}

/// Texts in names of algorithms and formats, which mix letters and digits as passwords do.
const TECHNICAL: &[&str] = &[
    "base64",
    "base32",
    "sha1",
    "sha2",
    "sha3",
    "sha5",
    "md5",
    "utf8",
    "utf-8",
    "utf16",
    "oauth",
    "x509",
    "i18n",
    "l10n",
    "ipv4",
    "ipv6",
    "http",
    "pkcs",
    "hmac",
    "pbkdf",
    "bcrypt",
    "iso8",
    "latin1",
    "win32",
    "amd64",
    "x86",
    "arm64",
    "int32",
    "int64",
    "ed25519",
    "secp256",
    "curve25519",
    "argon2",
    "varchar",
    "k8s",
];

/// Whether a value of a password mixes letters with digits or signs as people do who are asked to, and as programs do that
/// draw them.
pub(super) fn is_chosen(text: &str) -> bool {
    let makeup = Makeup::of(text);
    if !(MIN_PASSWORD..=MAX_SECRET).contains(&text.len())
        || !makeup.is_plain
        || makeup.letters() < 2
        || text.len() > 64 && !is_random(text)
    {
        return false;
    }
    let mut distinct: Vec<u8> = text.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = text.to_ascii_lowercase();
    if distinct.len() < 5 || is_date(text) || TECHNICAL.iter().any(|word| lower.contains(word)) && !is_random(text) {
        return false;
    }
    // Selectors, bound variables, lists, expressions, formats, addresses.
    let is_expression = begins_expression(text)
        || text.contains(['(', ')', '[', ']', '{', '}', '<', '>', '|', '\\', ',', ';', '"', '\'', '`', ' '])
        || text.contains("://")
        || text.contains("%s")
        || text.contains("%d");
    if is_expression && !is_random(text) {
        return false;
    }
    let is_mail = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    let is_setting = text.find('=').is_some_and(|sign| (1..text.len() - 2).contains(&sign));
    if is_mail || is_setting {
        return false;
    }
    if makeup.digits == 0 {
        // A sign at an end belongs to a sentence.
        let inside = &text.as_bytes()[1..text.len() - 1];
        let is_signed = inside.iter().any(|byte| b"!@#$^*".contains(byte));
        return is_signed
            && makeup.upper > 0
            && makeup.lower > 0
            && !text.contains(['/', ':', '.', '%', '&', '?', '=']);
    }
    let strong = text.bytes().filter(|byte| b"!@#$%^&*+?~".contains(byte)).count();
    strong > 0 || !is_name(text)
}

/// Whether the first sign begins something other than a password. Of a sign that begins one too, what follows it decides: `#form-2`
/// is a selector, and what would do as a password by itself none.
fn begins_expression(text: &str) -> bool {
    match text.as_bytes() {
        [b'@' | b'#' | b'.' | b'?' | b'-' | b'*' | b'~' | b'^' | b'=', ..] => {
            let rest = &text[1..];
            rest.contains(['-', '_', '.']) || !is_chosen(rest)
        }
        [b':' | b'/' | b'(' | b'[' | b'{' | b'<', ..] => true,
        _ => false,
    }
}

/// `2024-01-02`, and with a time after it.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_day = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => matches!(byte, b'-' | b'/'),
            _ => byte.is_ascii_digit(),
        });
    is_day && bytes[10..].iter().all(|byte| byte.is_ascii_digit() || b"TZtz:.+- ".contains(byte))
}

/// `user_2`, `v1.2-beta3`, `Login2`: words with numbers at their ends.
fn is_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '_', '.', '/', ':']).filter(|part| !part.is_empty()).collect();
    let is_numbered = |part: &&str| {
        let rest = part.trim_end_matches(|end: char| end.is_ascii_digit());
        rest.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    // Of one word with a long number, people make passwords.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    parts.iter().all(is_numbered) && (parts.len() > 1 || digits < 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_names_are_not() {
        for text in [
            "h7Gk29fLq0ZpXw3R",
            "4f9c2b7e1d8a6035c4f9e2b7a1d86053",
            "q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrE",
            "k3v9x0l2w7r1t5y8p4n6",
            "8Zr3Lm/1Xc7Vb5+Nk9Jh2Gf4==",
            "x7$k2!mz@q9w^vb3&n5*p1t#",
            // Letters of one case form runs that have vowels.
            "7PKFAULRQOF4TDNF32RYSCKMV7YG54ZM2PXOLDXF",
            "RSFAEZUVDGY2ULOGFF463XY3AIJKXUOMXLJBDRYO",
        ] {
            assert!(is_random(text), "{text}");
        }
        for text in [
            "my-client-secret-name-1",
            "getAccessTokenFromHeader2",
            "application/x-www-form-urlencoded",
            "2024-01-02T03:04:05Z",
            "com.acme.app.auth.token2",
            "arn-aws-iam-123456789012-role",
            "abcdefghijklmnopqrst",
            "12345678901234567890",
            "https-proxy-authorization-v1",
            "applicationconfiguration1",
            "classpath-exception-2.0",
            "cockroachdb-2024-10-01",
            "ConfluenceCloudOAuth2Api",
        ] {
            assert!(!is_random(text), "{text}");
        }
    }

    #[test]
    fn passwords_mix_characters_and_words_do_not() {
        for text in [
            "h7Gk29fLq0ZpXw3R",
            "c0rrect-horse",
            "Winter2024!",
            "winter2024",
            "P@ssw0rd!",
            "Tr0ub4dor&3",
            "S3cr3tHorse",
            "@Xk9Lq0ZpXw3R",
            "#Xk9Lq0ZpXw3R",
            "=Xk9Lq0ZpXw3R",
            "!Xk9Lq0ZpXw3R",
        ] {
            assert!(is_chosen(text), "{text}");
        }
        for text in [
            "Passwort",
            "reset-form",
            "new_user_2",
            "#login-form1",
            "a@acme.io1",
            "pbkdf2_sha256",
            "v1.2.3-beta4",
            "10.20.30.40",
            "forgotYours?",
            "hunter2",
            "key=value1",
            "fn(x1, y2)",
            "#input-28fa3",
            "@Password1",
            "2023-02-21T00:00:00.000Z",
            "2024-01-02T03:04:05+01:00",
        ] {
            assert!(!is_chosen(text), "{text}");
        }
    }
}
