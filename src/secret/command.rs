//! Passwords that commands in scripts are given without a name: `mysql -ppassword`, `curl -u user:password`.

use super::file::Syntax;
use super::random::is_chosen;
use super::value::{is_literal_secret, is_sample};
use super::{Hit, Kind};

/// Bytes of a command that are read.
const MAX_COMMAND: usize = 1_000;
/// Words of one, likewise.
const MAX_WORDS: usize = 60;

/// The password of the command whose name, and what stands behind it, is at `start..end`.
pub(super) fn password(text: &str, start: usize, end: usize, syntax: Syntax) -> Option<Hit> {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map_or(b'\n', |index| bytes[index]);
    let is_part = before.is_ascii_alphanumeric() || matches!(before, b'_' | b'-' | b'.');
    if is_part || !matches!(syntax, Syntax::Shell | Syntax::Yaml) {
        return None;
    }
    let words = words(&bytes[..bytes.len().min(end + MAX_COMMAND)], end);
    let of = |word: &Word| text.get(word.start..word.end);
    let after = |option: &str| words.windows(2).find(|pair| of(&pair[0]) == Some(option)).map(|pair| pair[1]);
    // `-psecret`, and `-p'secret'`.
    let joined = |option: &str| {
        let index = words.iter().position(|word| of(word).is_some_and(|text| text.starts_with(option)))?;
        let word = words[index];
        match word.start + option.len() {
            start if start < word.end => Some(Word { start, ..word }),
            _ => words.get(index + 1).copied().filter(|next| next.start == word.end + 1 && bytes[word.end] != b' '),
        }
    };
    // `-fsSu login`.
    let is_user = |text: &str| {
        text.strip_prefix('-')
            .is_some_and(|rest| rest.ends_with(['u', 'U']) && rest.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    let after_user = || words.windows(2).find(|pair| of(&pair[0]).is_some_and(is_user)).map(|pair| pair[1]);
    let found = match text[start..end].split(' ').next()? {
        "curl" => {
            let login = after("--user").or_else(|| after("--proxy-user")).or_else(after_user);
            let login = login.or_else(|| joined("--user=")).or_else(|| joined("-u"))?;
            let colon = of(&login)?.find(':')?;
            Word { start: login.start + colon + 1, ..login }
        }
        "redis-cli" => after("-a")?,
        "sshpass" => after("-p").or_else(|| joined("-p"))?,
        "docker" | "podman" => after("-p")?,
        _ => joined("-p")?,
    };
    let value = of(&found)?;
    let is_expanded = !found.is_verbatim && value.contains(['$', '`']) || value.contains("{{");
    let is_secret = !is_expanded && is_chosen(value) && is_literal_secret(value) && !is_sample(value);
    is_secret.then_some(Hit { start: found.start, end: found.end, kind: Kind::Literal, what: "password of a command" })
}

/// A word of a command: where it stands, without its quotes.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    /// Whether nothing in it is replaced.
    is_verbatim: bool,
}

/// The words from a place to the end of a command. Of a word that is quoted in part the rest is left out.
fn words(bytes: &[u8], from: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = from;
    while words.len() < MAX_WORDS {
        match bytes.get(at) {
            Some(b' ' | b'\t') => at += 1,
            Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\r' | b'\n')) => {
                at += 1;
                while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
                    at += 1;
                }
            }
            None | Some(b'\n' | b'\r' | b';' | b'|' | b'&' | b')' | b'#') => break,
            Some(quote @ (b'"' | b'\'')) => {
                let length = bytes[at + 1..].iter().position(|byte| byte == quote || *byte == b'\n');
                let Some(length) = length.filter(|length| bytes[at + 1 + length] == *quote) else { break };
                words.push(Word { start: at + 1, end: at + 1 + length, is_verbatim: *quote == b'\'' });
                at += length + 2;
            }
            Some(_) => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b";|&)\"'`".contains(byte);
                let length = bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at).max(1);
                words.push(Word { start: at, end: at + length, is_verbatim: false });
                at += length;
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use crate::secret::find_in_file;

    fn found(path: &str, text: &str) -> Vec<String> {
        find_in_file(path, text).into_iter().map(|hit| text[hit.start..hit.end].to_string()).collect()
    }

    #[test]
    fn passwords_without_a_name_are_known_by_their_command() {
        for line in [
            "curl -fsSu admin:? https://acme.io/x",
            "curl --user 'admin:?' https://acme.io/x",
            "curl --user=admin:? \\\n  https://acme.io/x",
            "mysql -uroot -p? -e 'select 1' shop",
            "sudo /usr/bin/mysqldump -u root -p'?' shop > dump.sql",
            "sshpass -p ? ssh -p 2222 acme.io",
            "redis-cli -h db \\\n  -a \"?\" ping",
            "docker login -u deploy -p ? registry.acme.io",
        ] {
            let line = line.replace('?', "h7Gk29fLq0ZpXw3R");
            assert_eq!(found("deploy.sh", &line), ["h7Gk29fLq0ZpXw3R"], "{line}");
            assert_eq!(found("ci.yaml", &format!("run: |\n  {line}\n")), ["h7Gk29fLq0ZpXw3R"], "{line}");
        }
    }

    #[test]
    fn variables_ports_and_other_commands_hold_no_password() {
        for line in [
            "curl -u \"admin:$PASSWORD1\" https://acme.io/x",
            "curl -u admin: https://acme.io/x -o a:h7Gk29fLq0ZpXw3R",
            "mysql -uroot -p -P3306 shop; mkdir -ph7Gk29fLq0ZpXw3R",
            "sshpass -e ssh -p 2222 acme.io",
            "docker login -u deploy --password-stdin",
            "libcurl -u admin:h7Gk29fLq0ZpXw3R",
            "curl -u \"{{ user1 }}:{{ password1 }}\" https://acme.io",
        ] {
            assert_eq!(found("deploy.sh", line), [""; 0], "{line}");
        }
        assert_eq!(found("README.md", "curl -u admin:h7Gk29fLq0ZpXw3R https://acme.io"), [""; 0]);
    }
}
