//! Passwords that commands are given without a name: `curl -u user:password`, `mysql -ppassword`, `docker login -p password`.
//! Those with a name (`--password=…`, `PGPASSWORD=…`) are found in any text.

use crate::model::shell::{Command, Word};
use crate::secret::{is_literal_secret, is_secret_name};

/// Programs that log into a registry: `login -u user -p password`.
const REGISTRY_CLIENTS: &[&str] =
    &["docker", "podman", "buildah", "skopeo", "nerdctl", "helm", "oras", "crane", "regctl"];

/// Programs with the short option that is given a password as the next word.
const PASSWORD_OPTIONS: &[(&str, &str)] = &[
    ("redis-cli", "-a"),
    ("mongo", "-p"),
    ("mongosh", "-p"),
    ("mongodump", "-p"),
    ("mongorestore", "-p"),
    ("ldapadd", "-w"),
    ("ldapmodify", "-w"),
    ("ldapsearch", "-w"),
];

/// Long options that are given a secret as the next word.
const LONG_OPTIONS: &[&str] = &[
    "--password",
    "--passwd",
    "--token",
    "--auth-token",
    "--access-token",
    "--api-key",
    "--secret-key",
    "--client-secret",
];

/// The position of the word that holds a password of a command.
pub(super) fn password_of(command: &Command) -> Option<usize> {
    let words = &command.words;
    let first = words.len() - command.arguments().len();
    let arguments = command.arguments();
    let name = command.name();
    let found = match name {
        "curl" => arguments.iter().enumerate().find_map(|(at, word)| {
            let (value, at) = curl_user(arguments, at, word)?;
            let (_, password) = value.split_once(':')?;
            is_literal(arguments.get(at)?, password).then_some(at)
        }),
        "mysql" | "mysqldump" | "mysqladmin" | "mysqlimport" | "mariadb" | "mariadb-dump" | "mariadb-admin" => {
            arguments.iter().position(|word| word.text.strip_prefix("-p").is_some_and(|value| is_literal(word, value)))
        }
        "sshpass" => {
            let option = arguments.first()?;
            match option.text.strip_prefix("-p")? {
                "" => arguments.get(1).filter(|word| is_literal(word, &word.text)).map(|_| 1),
                value => is_literal(option, value).then_some(0),
            }
        }
        "npm" | "pnpm" | "yarn" | "aws" => {
            let set = arguments.iter().position(|word| word.text == "set")?;
            let (key, value) = (arguments.get(set + 1)?, arguments.get(set + 2));
            match key.text.split_once('=') {
                Some((key_name, value)) => (is_secret_name(key_name) && is_literal(key, value)).then_some(set + 1),
                None => {
                    value.filter(|value| is_secret_name(&key.text) && is_literal(value, &value.text)).map(|_| set + 2)
                }
            }
        }
        _ if REGISTRY_CLIENTS.contains(&name) && command.has("login") => after(arguments, "-p"),
        _ => PASSWORD_OPTIONS
            .iter()
            .find(|(program, _)| *program == name)
            .and_then(|(_, option)| after(arguments, option)),
    };
    found.or_else(|| LONG_OPTIONS.iter().find_map(|option| after(arguments, option))).map(|at| first + at)
}

/// The position of the literal that follows an option.
fn after(arguments: &[Word], option: &str) -> Option<usize> {
    let at = arguments.iter().position(|word| word.text == option)? + 1;
    arguments.get(at).filter(|word| !word.text.starts_with('-') && is_literal(word, &word.text)).map(|_| at)
}

/// The user and password that an option of curl is given, and the word that holds them.
fn curl_user<'c>(arguments: &'c [Word], at: usize, word: &'c Word) -> Option<(&'c str, usize)> {
    // Letters of options that take what follows them for their value.
    const VALUED: &str = "odHXAeFTwxCmbcrEKDQYyzt";
    let next = || arguments.get(at + 1).map(|word| (word.text.as_str(), at + 1));
    if let Some(long) = word.text.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        return match value {
            _ if !matches!(name, "user" | "proxy-user") => None,
            Some(value) => Some((value, at)),
            None => next(),
        };
    }
    let letters = word.text.strip_prefix('-')?;
    let user = letters.find(['u', 'U']).filter(|user| !letters[..*user].contains(|char| VALUED.contains(char)))?;
    match &letters[user + 1..] {
        "" => next(),
        value => Some((value, at)),
    }
}

/// Whether a part of a word is a secret as it stands, and no variable or substitution decides it.
fn is_literal(word: &Word, part: &str) -> bool {
    !(word.expands && part.contains(['$', '`', '%'])) && is_literal_secret(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shell::{Language, commands};

    fn password(text: &str) -> Option<String> {
        let found = commands(text, Language::Posix);
        found.list.iter().find_map(|one| Some(one.words[password_of(one)?].text.clone()))
    }

    #[test]
    fn passwords_without_a_name_are_known_by_their_program() {
        for (text, wanted) in [
            ("curl -u admin:hunter2hunter2 https://acme.test/x", "admin:hunter2hunter2"),
            ("curl -fsSLu 'admin:hunter2 hunter2' https://acme.test/x", "admin:hunter2 hunter2"),
            ("curl --user=admin:hunter2hunter2 https://acme.test/x", "--user=admin:hunter2hunter2"),
            ("apk add mysql && mysql -uroot -phunter2hunter2 -e 'select 1'", "-phunter2hunter2"),
            ("sudo docker login -u x -p hunter2hunter2 registry.acme.test", "hunter2hunter2"),
            ("sshpass -p hunter2hunter2 ssh -p 2222 acme.test", "hunter2hunter2"),
            ("sshpass -phunter2hunter2 scp a b:", "-phunter2hunter2"),
            ("redis-cli -a hunter2hunter2 ping", "hunter2hunter2"),
            ("npm config set //registry.acme.test/:_authToken hunter2hunter2", "hunter2hunter2"),
            ("aws configure set aws_secret_access_key hunter2hunter2", "hunter2hunter2"),
            ("vault login --token hunter2hunter2", "hunter2hunter2"),
        ] {
            assert_eq!(password(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn variables_stand_ins_and_other_options_are_no_passwords() {
        for text in [
            "curl -u admin:$PASS https://acme.test/x",
            "curl -u \"admin:${PASS}\" -o out:put https://acme.test/x",
            "curl -u $(cat /run/secrets/login) https://acme.test/x",
            "curl -u admin:changeme -u token: https://acme.test/x",
            "curl -sSLo /usr/bin/u:v https://acme.test/x",
            "mysql -uroot -p$PASS; mysql -uroot -p -P 3306",
            "docker login -u x --password-stdin registry.acme.test",
            "docker run -p 8080:80 acme/web; mkdir -p hunter2hunter2",
            "sshpass -e ssh -p 2222 acme.test",
            "npm config set strict-ssl true",
            "adduser --disabled-password hunter2hunter2",
            "vault login --token \"$TOKEN\"",
        ] {
            assert_eq!(password(text), None, "{text}");
        }
    }
}
