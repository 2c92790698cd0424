//! Passwords in URLs, connection strings and headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::find::floor;
use super::random::is_chosen;
use super::value::{entropy, is_literal_secret, is_sample, looks_like_placeholder};
use super::{Hit, Kind};

/// Longest part between `://` and `@`.
const MAX_AUTHORITY: usize = 400;
/// How far around a password the rest of its connection string is looked at.
const AROUND: usize = 160;

/// The password in the user part of the URL whose `://` stands at `start..end`; of a name alone, the name if it is a token.
pub(super) fn in_url(text: &str, start: usize, end: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let stops = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"/?#\"'`<>\\|".contains(&byte);
    let length = bytes[end..].iter().take(MAX_AUTHORITY).take_while(|byte| !stops(**byte)).count();
    let authority = text.get(end..end + length)?;
    let at = authority.rfind('@')?;
    let (user_info, host) = (&authority[..at], &authority[at + 1..]);
    let scheme_start = start
        - bytes[..start]
            .iter()
            .rev()
            .take(20)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte))
            .count();
    let scheme = &text[scheme_start..start];
    // A directory's users have names with signs: `ldap://cn=admin,dc=acme:password@host`.
    let is_name = |user: &str| !user.contains(SIGNS) || scheme.starts_with("ldap") && !user.contains(['(', '[', '{']);
    if scheme.is_empty() || is_sample_host(host) || is_template(user_info) {
        return None;
    }
    let (from, secret, least) = match user_info.split_once(':') {
        Some((user, password)) if !is_name(user) || !is_password_in_url(scheme, password) => return None,
        Some((user, password)) if !is_stand_in(user, password, host) => (end + user.len() + 1, password, 0.0),
        Some(_) => return None,
        // A public key by design.
        None if host.contains("sentry") || scheme == "ssh" || scheme == "git" => return None,
        None if user_info.len() >= 24 && user_info.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
            (end, user_info, 3.0)
        }
        None => return None,
    };
    if entropy(secret) < least {
        return None;
    }
    Some(Hit { start: from, end: from + secret.len(), kind: Kind::Connection, what: "password in a URL" })
}

/// Signs that templates, lists and settings have, and passwords seldom.
const SIGNS: [char; 9] = ['{', '}', '[', ']', '(', ')', ',', ';', '='];

/// Whether signs stand around something that a password is put in place of: `{password}`, `[password]`, `%(password)s`.
fn is_template(user_info: &str) -> bool {
    let is_around = |open: char, close: char| {
        user_info.find(open).is_some_and(|from| user_info[from..].contains(close))
            || user_info.contains(&format!("{open}{open}"))
    };
    is_around('{', '}') || is_around('[', ']') || is_around('(', ')')
}

/// Whether a password in a URL is more than text between two signs: one with signs is known by what else it is made of.
fn is_password_in_url(scheme: &str, password: &str) -> bool {
    // The key to a vault of dotenv is long; the documents show the first digits of one.
    let is_short = scheme == "dotenv" && password.len() < 40;
    let plain = || -> String { password.chars().filter(|char| !SIGNS.contains(char)).collect() };
    !is_short && (!password.contains(SIGNS) || is_chosen(&plain()))
}

/// Passwords that stand for another, and those that open nothing but a machine's own services.
pub(super) fn is_stand_in(user: &str, password: &str, host: &str) -> bool {
    let is_near = !host.split(':').next().unwrap_or("").contains('.');
    let lower = password.to_ascii_lowercase();
    looks_like_placeholder(password)
        || password.starts_with(['$', '%', ':'])
        || matches!(
            lower.as_str(),
            "x" | "x-oauth-basic" | "oauth2" | "git" | "token" | "key" | "p" | "pw" | "pwd" | "anonymous" | "anoncvs"
        )
        || matches!(lower.as_str(), "pass" | "passwd" | "password" | "secret" | "pass123" | "123456" | "1234")
        || matches!(lower.as_str(), "secretkey" | "secret_key" | "accesskey" | "access_key" | "contraseña")
        || lower.starts_with("pserver:anon")
        || matches!((user, password), ("scott", "tiger") | ("guest", "guest"))
        || (is_near && lower == user.to_ascii_lowercase())
}

/// Names that the standards keep for examples, and a machine's own.
fn is_sample_host(host: &str) -> bool {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_address =
            address.contains(':') && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
        return !is_address || address.bytes().all(|byte| b"01:".contains(&byte));
    }
    let name = host.split(':').next().unwrap_or("").to_ascii_lowercase();
    name.is_empty()
        || matches!(name.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0" | "host" | "hostname" | "server" | "example")
        || ["example.com", "example.org", "example.net", "domain.com", "host.com", "company.com", "foo.com", "bar.com"]
            .iter()
            .any(|known| name == *known || name.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')))
        || [".example", ".test", ".invalid", ".localhost"].iter().any(|end| name.ends_with(end))
        || name.starts_with(['<', '[', '.'])
        || name.contains("your")
}

/// The password of a connection string `Server=…;User Id=…;Password=…`.
pub(super) fn in_connection_string(text: &str, start: usize, end: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map_or(b' ', |index| bytes[index]);
    let is_parameter = matches!(before, b'?' | b'&');
    let is_first = is_parameter || before.is_ascii_whitespace() || matches!(before, b';' | b'"' | b'\'' | b',');
    let stops = |byte: u8| {
        byte.is_ascii_whitespace() || b";\"'`<>\\".contains(&byte) || is_parameter && matches!(byte, b'&' | b'#')
    };
    let length = bytes[end..].iter().take(200).take_while(|byte| !stops(**byte)).count();
    let password = text.get(end..end + length)?;
    if !is_first
        || password.len() < 4
        || looks_like_placeholder(password)
        || is_sample(password)
        || password.starts_with(['$', '%', '{', '['])
    {
        return None;
    }
    let before = text[floor(text, start.saturating_sub(AROUND))..start].rsplit('\n').next().unwrap_or("");
    let after = text[end..floor(text, end + AROUND)].split('\n').next().unwrap_or("");
    let before = before.to_ascii_lowercase();
    let around = format!(" {before}={}", after.to_ascii_lowercase());
    let names = [
        "server=",
        "data source=",
        "host=",
        "addr=",
        "user id=",
        "uid=",
        "username=",
        "initial catalog=",
        "database=",
        "databasename=",
        "user=",
        "jdbc:",
    ];
    let count = |names: &[&str]| names.iter().filter(|name| around.contains(*name)).count();
    let is_of_words = || &text[start..end] == "password=" && !password.contains('(') && is_of_words(&around, password);
    let is_string = match is_parameter {
        true => before.contains("jdbc:") && is_literal_secret(password),
        false => around.contains(';') && count(&names) >= 2 || is_literal_secret(password) && is_of_words(),
    };
    let is_own = ["localhost", "127.0.0.1", "(localdb)"].iter().any(|host| around.contains(host));
    let is_named = matches!(password.to_ascii_lowercase().as_str(), "password" | "secret" | "passwd");
    (is_string && !is_own && !is_named).then_some(Hit {
        start: end,
        end: end + length,
        kind: Kind::Connection,
        what: ADDRESS,
    })
}

/// Whether a line in lower case holds a connection string of libpq, between the parts of which blanks stand alone. With commas they
/// are the arguments of a call.
fn is_of_words(line: &str, password: &str) -> bool {
    let words = line.replace(['"', '\'', '`'], " ");
    let places: Vec<usize> =
        [" host=", " user=", " dbname=", " port=", " sslmode="].iter().filter_map(|name| words.find(name)).collect();
    let (Some(first), Some(last)) = (places.iter().min(), places.iter().max()) else { return false };
    let between = &words[*first..*last];
    let is_list = between.contains(", ") || between.trim_end().ends_with(',');
    places.len() >= 2 && !is_list && !password.ends_with([',', ')'])
}

/// The password of an address of Go's driver for MySQL, `user:password@tcp(host:port)/db`; `start..end` is `@tcp(`.
pub(super) fn in_go_address(text: &str, start: usize, end: usize) -> Option<Hit> {
    let from = floor(text, start.saturating_sub(MAX_AUTHORITY));
    let stops = |char: char| char.is_whitespace() || "\"'`<>/=".contains(char);
    let user_info = text[from..start].rsplit(stops).next()?;
    let (user, password) = user_info.split_once(':')?;
    let host = text[end..floor(text, end + AROUND)].split(')').next()?;
    let from = start - password.len();
    is_password(user, password, host).then_some(Hit { start: from, end: start, kind: Kind::Connection, what: ADDRESS })
}

/// The password of `jdbc:oracle:thin:user/password@host:port`; `start` is where the user begins.
pub(super) fn in_oracle_address(text: &str, start: usize) -> Option<Hit> {
    let window = &text[start..floor(text, start + MAX_AUTHORITY)];
    let stops = |char: char| char.is_whitespace() || "\"'`<>".contains(char);
    let (user_info, rest) = window.split(stops).next()?.rsplit_once('@')?;
    let (user, password) = user_info.split_once('/')?;
    let host = rest.trim_start_matches('/').split(['/', ':']).next()?;
    let from = start + user.len() + 1;
    let hit = Hit { start: from, end: from + password.len(), kind: Kind::Connection, what: ADDRESS };
    is_password(user, password, host).then_some(hit)
}

/// What is found in the addresses of databases.
const ADDRESS: &str = "password in a connection string";

/// Whether a user's password for a host is one, and no stand-in or template.
fn is_password(user: &str, password: &str, host: &str) -> bool {
    let is_template = |text: &str| text.contains(['{', '}', '(', '%', '$', '<', '+']);
    !user.is_empty()
        && !is_template(user)
        && !password.contains(['{', '}', '(', '<'])
        && password.len() >= 4
        && is_literal_secret(password)
        && !is_sample(password)
        && !is_stand_in(user, password, host)
        && !is_sample_host(host)
}

/// The user and password of an `Authorization: Basic …` header; `start` is where they begin.
pub(super) fn in_basic_header(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let before = text[floor(text, start.saturating_sub(60))..start].to_ascii_lowercase();
    if !before.contains("authorization") {
        return None;
    }
    let length = bytes[start..]
        .iter()
        .take(400)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
        .count();
    let encoded = &text[start..start + length];
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    let (user, password) = decoded.split_once(':')?;
    let is_text = decoded.chars().all(|char| !char.is_control());
    // The users of the documents that define the header and OAuth.
    let is_known = user.eq_ignore_ascii_case("aladdin") || user == "s6BhdRkqt3";
    (length >= 12 && is_text && !is_known && !is_stand_in(user, password, "host.tld")).then_some(Hit {
        start,
        end: start + length,
        kind: Kind::Connection,
        what: "password in a Basic authorization header",
    })
}

#[cfg(test)]
mod tests {
    use crate::secret::find;

    fn found(text: &str) -> Vec<String> {
        find(text).into_iter().map(|hit| text[hit.start..hit.end].to_string()).collect()
    }

    #[test]
    fn a_constant_password_of_a_url_is_found() {
        assert_eq!(found("url: postgres://app:s3cr3t-Horse@db.internal:5432/app"), ["s3cr3t-Horse"]);
        assert_eq!(found("redis://:n0tSo-weak@cache:6379"), ["n0tSo-weak"]);
        for password in
            ["Yz9kQ7r2LmXc=", "ab12=Yz9kQ7==", "Yz9k;Q7r2LmXc", "Yz9k(Q7r2LmXc", "Yz9kQ7r2Lm,Xc", "Yz9k}Q7r2LmXc"]
        {
            assert_eq!(found(&format!("A=postgres://app:{password}@db.acme.io/app")), [password]);
        }
        assert_eq!(found("https://app:Yz9kQ7r2LmXc@[2001:4860:4860::8888]:8443/"), ["Yz9kQ7r2LmXc"]);
        assert_eq!(found("ldap://cn=admin,dc=acme:Yz9kQ7r2LmXc@dir.acme.io/"), ["Yz9kQ7r2LmXc"]);
        for text in [
            "postgres://app:${DB_PASSWORD}@db.internal/app",
            "postgres://app:$PASSWORD@db.internal/app",
            "postgres://user:password@db.internal/app",
            "postgres://postgres:postgres@db:5432/app",
            "postgres://app:s3cr3t-Horse@localhost/app",
            "https://app:s3cr3t-Horse@api.example.com/",
            "https://user:<password>@host.internal/",
            "https://api.internal/a:b@c",
            "git+ssh://git@github.com/acme/app",
            "https://acme.io/@scope/pkg",
            "{{scheme}}://{{user}}:{{pass}}@{{host}}",
            "f\"postgres://{user}:{password1}@{host}/app\"",
            "postgres://[user]:[passw0rd-1]@db.acme.io/app",
            "postgres://app:%(passw0rd1)s@db.acme.io/app",
            "postgres://app:Yz9kQ7r2LmXc@[host]/app",
            "postgres://app:Yz9kQ7r2LmXc@[::1]:5432/app",
            "oracle+oracledb://scott:tiger@oracle18c/xe",
            "cvs://:pserver:anoncvs@sources.redhat.com:/cvs/src",
            "amqp://guest:guest@mq.acme.io/",
            "https://ACCESSKEY:SECRETKEY@s3.acme.io/",
            "dotenv://:key_1234@dotenv.org/vault/.env.vault",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn connection_strings_and_headers_hold_passwords() {
        let text = "Server=tcp:sql.acme.io,1433;User ID=app;Password=s3cr3t-Horse;Encrypt=true";
        assert_eq!(found(text), ["s3cr3t-Horse"]);
        assert_eq!(found("Server=sql.acme.io;User ID=app;Password={password};"), [""; 0]);
        assert_eq!(found("curl --data password=hunter2horse"), [""; 0]);
        for text in [
            "url = \"jdbc:postgresql://db.acme.io/app?user=app&password=!&ssl=true\"",
            "jdbc:mysql://db.acme.io/app?useSSL=true&user=root&password=!",
            "\"jdbc:sqlserver://h.acme.io:1433;databaseName=x;user=sa;password=!\"",
            "dsn := \"host=db.acme.io port=5432 user=app password=! dbname=app\"",
            "\"user=app password=! dbname=app\"",
            "dsn := \"app:!@tcp(db.acme.io:3306)/app?parseTime=true\"",
            "DSN=app:!@tcp(db:3306)/app",
            "jdbc:oracle:thin:app/!@db.acme.io:1521/XE",
            "jdbc:oracle:thin:app/!@//db.acme.io:1521/XE",
        ] {
            assert_eq!(found(&text.replace('!', "s3cr3t-Horse")), ["s3cr3t-Horse"], "{text}");
        }
        for text in [
            "jdbc:postgresql://localhost/app?user=app&password=s3cr3t-Horse",
            "jdbc:postgresql://db.acme.io/app?user=app&password=${PASSWORD}",
            "jdbc:postgresql://db.acme.io/app?user=app&password=secret",
            "https://acme.io/login?user=app&password=s3cr3t-Horse",
            "host=db.acme.io user=app password=$PASSWORD dbname=app",
            "c = psycopg2.connect(host=host, port=port, user=user, password=password, dbname=db)",
            "c = psycopg2.connect(host=cfg.host, user=cfg.user, password=cfg.passwd)",
            "c = connect(host='db', user='app', password=DB_PASSWORD",
            "c = connect(host=HOST, user=USER, password=get_secret(\"x\"), port=1)",
            "def connect(host, port=5432, user=None, password=None, dbname=None): pass",
            "a user= and a password=s3cr3t-Horse",
            "fmt.Sprintf(\"%s:%s@tcp(%s:3306)/app\", user, password, host)",
            "root:root@tcp(db:3306)/app",
            "app:s3cr3t-Horse@tcp(127.0.0.1:3306)/app",
            "jdbc:oracle:thin:@db.acme.io:1521/XE",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        // deploy:c0rrect-horse
        assert_eq!(found("Authorization: Basic ZGVwbG95OmMwcnJlY3QtaG9yc2U="), ["ZGVwbG95OmMwcnJlY3QtaG9yc2U="]);
        assert_eq!(found("Basic ZGVwbG95OmMwcnJlY3QtaG9yc2U="), [""; 0]);
    }
}
