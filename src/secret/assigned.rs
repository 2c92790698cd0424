//! Literals that names call secrets: a name, what is assigned to it, and whether that is more than a stand-in.

use super::file::Syntax;
use super::find::floor;
use super::name::{Promise, is_secret_name, promise};
use super::random::{is_chosen, is_random};
use super::value::{is_literal_secret, is_sample, may_be_secret};
use super::{Hit, Kind, reader};

/// Bytes of a name on either side of the text that makes it one of a secret.
const MAX_NAME: usize = 60;
/// Bytes before a name among which a session of an interpreter is looked for.
const SESSION: usize = 400;

/// The literal assigned to the name a part of which stands at `start..end`. Where it is to be hidden, the name alone decides
/// whether it is a secret.
pub(super) fn to_name(text: &str, start: usize, end: usize, syntax: Syntax, is_to_hide: bool) -> Option<Hit> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    let length = bytes[end..].iter().take(MAX_NAME + 1).take_while(|byte| is_name(byte)).count();
    let name_end = end + length;
    if length > MAX_NAME || name_end >= bytes.len() {
        return None;
    }
    // Most names in code are followed by none of these; in YAML the name in a pair may end a line.
    let is_followed = matches!(
        bytes[name_end],
        b' ' | b'\t' | b'=' | b':' | b'"' | b'\'' | b'`' | b']' | b'[' | b'>' | b'<' | b'(' | b'\\' | b'?'
    );
    let ends_line = || syntax == Syntax::Yaml && matches!(bytes[name_end], b'\r' | b'\n' | b',');
    if !is_followed && !ends_line() {
        return None;
    }
    let name_start = start - bytes[..start].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let (from, to) = reader::literal_after(bytes, (name_start, name_end), syntax, is_to_hide)?;
    // Where a value is followed no further a character may go on.
    let to = if is_to_hide { floor(text, to) } else { to };
    // Inside of a text, characters may be of any length; at its ends stand signs.
    let (name, value) = (text.get(name_start..name_end)?, text.get(from..to)?);
    let what = match is_to_hide {
        // What is found is hidden, whatever else the name says.
        true => {
            (is_secret_name(name) && may_be_secret(value) || judged(name, value).is_some()).then_some("secret value")?
        }
        false => judged(name, value).filter(|_| !is_in_session(text, name_start))?,
    };
    Some(Hit { start: from, end: to, kind: Kind::Literal, what })
}

/// What a value is, if it is a secret under this name.
fn judged(name: &str, value: &str) -> Option<&'static str> {
    let (value, is_encoded) = value.strip_prefix("base64:").map_or((value, false), |rest| (rest, true));
    // The cheapest first: almost no value is one.
    let (is_chosen, is_random) = (is_chosen(value), is_random(value));
    if !is_chosen && !is_random || !is_literal_secret(value) || is_sample(value) || is_made_up(value) {
        return None;
    }
    let promise = promise(name.trim_matches(['-', '.', '$']));
    // Of the keys of applications, which others are told, Laravel's encrypts, and says how it is written.
    let is_laravel = || (is_encoded && name.ends_with("APP_KEY")).then_some(Promise::Token);
    let (is_secret, what) = match promise.or_else(is_laravel)? {
        Promise::Password => (is_chosen, "password"),
        Promise::Token => (is_random, "secret value"),
    };
    (is_secret && !names_itself(name, value)).then_some(what)
}

/// `my-token-1` of a token is a name for it; `Pass1234` of a password is not.
fn names_itself(name: &str, value: &str) -> bool {
    let plain = |text: &str| -> String {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
    };
    let (name, value) = (plain(name), plain(value));
    let names = ["password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "credential"];
    name.contains(&value) || names.iter().any(|word| value.contains(word))
}

/// Whether a line above is one of an interpreter's session, which documents something.
fn is_in_session(text: &str, at: usize) -> bool {
    let before = &text.as_bytes()[at.saturating_sub(SESSION)..at];
    before.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b">>> "))
}

/// Tokens of the documents that define OAuth, which libraries repeat.
const OF_STANDARDS: &[&str] = &[
    "ad180jjd733klru7",
    "kkk9d7dh3k39sjv7",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "2YotnFZFEjr1zCsicMWpAA",
    "7Fjfp0ZBr1KtDRbnfVdmIw",
    "SplxlOBeZQQYbYS6WxSbIA",
    "hdhd0244k9j7ao03",
    "hh5s93j4hdidpola",
    "kd94hf93k423kf44",
    "pfkkdhi9sl3r7s00",
    "nnch734d00sl2jdk",
    "dpf43f3p2l4k3l03",
];

/// Words in secrets that open nothing.
fn is_made_up(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "test", "demo", "foobar", "foo-bar", "lorem", "12345", "abc123", "123abc", "abcdef", "asdf", "1q2w3e", "fixme",
    ];
    let lower = value.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word)) || OF_STANDARDS.contains(&value)
}

#[cfg(test)]
mod tests {
    use crate::secret::find_in_file;

    /// The secrets found in a file.
    fn found(path: &str, text: &str) -> Vec<String> {
        find_in_file(path, text).into_iter().map(|hit| text[hit.start..hit.end].to_string()).collect()
    }

    /// Put together here, so that this file holds no secret of its own.
    const SECRET: &str = concat!("h7Gk29fL", "q0ZpXw3R");

    #[test]
    fn assignments_are_read_in_the_syntax_of_their_file() {
        for (path, line) in [
            (".env", "DB_PASSWORD=?"),
            (".env", "export DB_PASSWORD=\"?\""),
            (".env", "DB_PASSWORD=? # of the shop"),
            (".github/workflows/ci.yaml", "env:\n  DB_PASSWORD: ?"),
            (".github/workflows/ci.yaml", "run: |\n  PGPASSWORD=? psql -h db\n"),
            ("config.yaml", "db:\n  password: '?'\n"),
            ("config.yaml", "db: {user: app, password: ?, port: 5432}\n"),
            ("config.yaml", "run: curl -H \"X-Api-Key: ?\" https://api.acme.io\n"),
            ("values.yaml", "env:\n  - name: DB_PASSWORD\n    value: ?\n"),
            ("values.yaml", "env:\r\n  - name: \"DB_PASSWORD\"\r\n    value: \"?\"\r\n"),
            ("values.yaml", "env:\n  - {name: DB_PASSWORD, value: ?}\n"),
            ("values.yaml", "env:\n  - {\"name\": \"DB_PASSWORD\", \"value\": \"?\"}\n"),
            ("values.yaml", "env:\n  - key: DB_PASSWORD\n    value: '?'\n"),
            ("values.yaml", "args: [\"--port=1\", \"--db-password=?\", \"-v\"]\n"),
            ("values.yaml", "args: [\"--db-password\", \"?\"]\n"),
            ("values.yaml", "args:\n  - --db-password\n  - ?\n"),
            ("values.yaml", "command: app --db-password ? --port 1\n"),
            ("values.yaml", "command: [sh, -c, \"export PGPASSWORD=?; run\"]\n"),
            ("values.yaml", "conf: |\n  proxy_set_header X-Api-Key \"?\";\n"),
            ("Dockerfile", "RUN export DB_PASSWORD=? && make\n"),
            ("Dockerfile", "ENV DB_PASSWORD ?\n"),
            ("Dockerfile", "CMD [\"app\", \"--db-password\", \"?\"]\n"),
            ("Dockerfile", "CMD [\"app\", \"--db-password=?\"]\n"),
            ("Dockerfile", "RUN curl -H \"X-Api-Key: ?\" https://acme.io/\n"),
            ("docker-run.sh", "DB_PASS=${DB_PASS:-?}"),
            ("App.java", "@Value(\"${db.password:?}\")"),
            ("app.js", "const secret = process.env.SECRET || '?'"),
            ("build.gradle", "    storePassword '?'\n"),
            ("a.py", "password = ('?')"),
            ("config.yaml", "db:\n  password: ? # the shop's\r\n"),
            ("c.json", "{\"db\": {\"password\": \"?\"}}"),
            ("c.json", "{\"name\": \"DB_PASSWORD\", \"value\": \"?\"}"),
            ("c.json", "{\"name\": \"DB_PASSWORD\",\n  \"value\": \"?\"}"),
            ("c.json", "{\"body\": \"{\\\"password\\\": \\\"?\\\"}\"}"),
            ("a.py", "PASSWORD = '?'"),
            ("a.py", "connect(host=host, password=\"?\")"),
            ("a.py", "os.environ[\"DB_PASSWORD\"] = \"?\""),
            ("a.py", "os.getenv('DB_PASSWORD', '?')"),
            ("a.py", "password: str = \"?\""),
            ("app.properties", "spring.datasource.password=?"),
            ("app.properties", "spring.datasource.password : ?"),
            ("app.ini", "[db]\npassword = ?\n"),
            ("my.cnf", "[client]\npassword=?\n"),
            ("app.toml", "api_key = \"?\""),
            ("deploy.sh", "export API_TOKEN=?"),
            ("deploy.sh", "API_TOKEN='?' ./deploy"),
            ("deploy.sh", "mysql --user=app --password=? shop"),
            ("deploy.sh", "login --password ? --user app"),
            ("app.js", "const apiKey = `?`;"),
            ("app.ts", "const apiKey: string = '?';"),
            ("app.ts", "  clientSecret: '?',"),
            ("App.java", "private static final String PASSWORD = \"?\";"),
            ("App.java", "config.setPassword(\"?\");"),
            ("main.go", "password := \"?\""),
            ("main.go", "const dbPassword string = \"?\""),
            ("main.go", "Password: \"?\","),
            ("app.rb", "password => '?'"),
            ("app.rb", ":password => '?'"),
            ("wp-config.php", "define( 'DB_PASSWORD', '?' );"),
            ("a.php", "$config['password'] = '?';"),
            ("a.cs", "var clientSecret = @\"?\";"),
            ("a.c", "#define WIFI_PASSWORD \"?\""),
            ("a.c", "const char password[] = \"?\";"),
            ("a.rs", "password: \"?\".to_string(),"),
            ("a.ps1", "$Password = '?'"),
            ("a.sql", "CREATE USER app WITH PASSWORD '?';"),
            ("server.xml", "<password>?</password>"),
            ("server.xml", "<Resource username=\"app\" password=\"?\"/>"),
            ("Web.config", "<add key=\"DbPassword\" value=\"?\" />"),
            ("beans.xml", "<property name=\"password\" value=\"?\"/>"),
            ("beans.xml", "<property name=\"password\">\n  <value>?</value>\n</property>"),
            ("beans.xml", "<entry key=\"password\">?</entry>"),
            ("res/values/keys.xml", "<string name=\"api_secret\">?</string>"),
            ("res/values/keys.xml", "<item name=\"client_secret\" type=\"string\">?</item>"),
            ("Info.plist", "<key>ApiKey</key>\n<string>?</string>"),
            ("Web.config", "<machineKey decryptionKey=\"?\" validation=\"SHA1\" />"),
            ("terraform.tfstate", "\"db_password\": {\n  \"sensitive\": true,\n  \"value\": \"?\"\n}"),
            (".gitlab-ci.yml", "variables:\n  DB_PASSWORD:\n    description: the shop\n    value: ?\n"),
            (".gitlab-ci.yml", "variables:\n  DB_PASSWORD: { value: \"?\" }\n"),
            ("config.fish", "set -gx API_TOKEN ?\n"),
            ("a.csh", "setenv API_TOKEN ?\n"),
            ("a.ps1", "Connect-Shop -Password \"?\"\n"),
            ("a.ps1", "$p = ConvertTo-SecureString \"?\" -AsPlainText -Force\n"),
            ("a.ps1", "f (ConvertTo-SecureString -String '?' -AsPlainText)\n"),
            (".env", "REDIS_CACHE_PASSWORD=?"),
            (".env", "GITHUB_PAT=?"),
        ] {
            assert_eq!(found(path, &line.replace('?', SECRET)), [SECRET], "{path}: {line}");
        }
    }

    #[test]
    fn passwords_may_begin_with_a_sign() {
        for sign in ["!", "&", "*", "@", "#", "^", "~", "?", "=", ".", "-"] {
            let secret = format!("{sign}{SECRET}");
            for (path, line) in
                [("a.py", "db_password = \"%\""), (".env", "DB_PASSWORD='%'"), ("c.yaml", "password: \"%\"")]
            {
                assert_eq!(found(path, &line.replace('%', &secret)), [secret.as_str()], "{path}: {secret}");
            }
        }
        for sign in ["!", "*", "@", "^", "~", "?", "=", ".", "-"] {
            let secret = format!("{sign}{SECRET}");
            assert_eq!(found(".env", &format!("DB_PASSWORD={secret}\n")), [secret.as_str()], "{secret}");
        }
        for sign in ["^", "~", "=", "."] {
            let secret = format!("{sign}{SECRET}");
            assert_eq!(found("c.yaml", &format!("password: {secret}\n")), [secret.as_str()], "{secret}");
        }
        // Aliases, anchors and tags.
        for sign in ["!", "&", "*"] {
            assert_eq!(found("c.yaml", &format!("password: {sign}{SECRET}\n")), [""; 0], "{sign}");
        }
    }

    #[test]
    fn a_key_of_laravel_is_known_by_how_it_is_written() {
        assert_eq!(found(".env", &format!("APP_KEY=base64:{SECRET}\n")), [format!("base64:{SECRET}")]);
    }

    #[test]
    fn expressions_references_and_names_are_no_literals() {
        for (path, line) in [
            ("a.py", "password = h7Gk29fLq0ZpXw3R"),
            ("a.py", "password = os.environ['DB_PASSWORD1']"),
            ("a.py", "if password == 'h7Gk29fLq0ZpXw3R':"),
            ("a.py", "password = 'h7Gk29fL' + suffix"),
            ("a.py", "password_hash = 'h7Gk29fLq0ZpXw3R'"),
            ("a.py", "PASSWORD_FIELD = 'user_password2'"),
            ("a.py", "token = 'TOKEN_IDENTIFIER_2'"),
            ("a.py", "token_url = 'h7Gk29fLq0ZpXw3R'"),
            ("a.js", "password: process.env.DB_PASSWORD1,"),
            ("a.js", "const token = `${prefix}-h7Gk29fLq0`;"),
            ("a.java", "String password = getPassword(\"h7Gk29fLq0ZpXw3R\");"),
            (".env", "DB_PASSWORD=${DB_PASSWORD_2}"),
            (".env", "DB_PASSWORD=changeme123"),
            (".env", "DB_PASSWORD=12345678"),
            (".env", "DB_PASSWORD="),
            (".env.example", "DB_PASSWORD=h7Gk29fLq0ZpXw3R"),
            ("config.yaml", "password: {{ .Values.password1 }}"),
            ("config.yaml", "password: !vault h7Gk29fLq0ZpXw3R"),
            ("config.yaml", "password: $(PASSWORD1)"),
            ("config.yaml", "password: at least 8 characters"),
            ("config.yaml", "apiKeySecretRef: h7Gk29fLq0ZpXw3R"),
            ("config.yaml", "token: 3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            ("app.ini", "password = <password1>"),
            ("app.ini", "password = %DB_PASSWORD1%"),
            ("app.properties", "password.hash=4f9c2b7e1d8a6035c4f9e2b7a1d86053"),
            ("deploy.sh", "PASSWORD=\"$(pass show db1)\""),
            ("deploy.sh", "PASSWORD=$1-x9"),
            ("a.py", "    >>> session.fetch()\n    {'oauth_token': 'h7Gk29fLq0ZpXw3R'}\n"),
            ("a.py", "    refresh_token='tGzv3JOkF0XG5Qx2TlKWIA',"),
            ("values.yaml", "- name: db-secret\n  key: password1\n"),
            ("values.yaml", "- name: DB_PASSWORD\n  value: $(PASSWORD1)\n"),
            ("values.yaml", "- name: DB_PASSWORD\n  valueFrom: h7Gk29fLq0ZpXw3R\n"),
            ("values.yaml", "- filename: DB_PASSWORD\n  value: h7Gk29fLq0ZpXw3R\n"),
            ("values.yaml", "args: [--password-stdin, h7Gk29fLq0ZpXw3R]\n"),
            ("values.yaml", "password:\n  from: vault\nvalue: h7Gk29fLq0ZpXw3R\n"),
            ("c.json", "{\"password\": {\"from\": \"vault\"}, \"value\": \"h7Gk29fLq0ZpXw3R\"}"),
            ("c.json", "{\"password_expires_at\": \"2023-02-21T00:00:00.000Z\"}"),
            ("a.ps1", "ConvertTo-SecureString $env:PASSWORD1 -AsPlainText\n"),
            ("keys.xml", "<string name=\"password_hint\">h7Gk29fLq0ZpXw3R</string>"),
            (".env", "APP_KEY=h7Gk29fLq0ZpXw3R"),
            (".env", "NEXT_PUBLIC_MAPS_API_KEY=h7Gk29fLq0ZpXw3R"),
            ("a.py", "stripe_key = \"pk_test_TYooMQauvdEDq54NiTphI7jx\""),
            ("a.py", "algolia_search_api_key = \"25626fae796133dc1e734c6bcaaeac3c\""),
            ("values.yaml", "args: [\"--password=$X-h7Gk29fLq0Z\"]\n"),
            ("tests/a.py", "password = 'h7Gk29fLq0ZpXw3R'"),
            ("a.py", "aws_secret_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'"),
        ] {
            assert_eq!(found(path, line), [""; 0], "{path}: {line}");
        }
    }

    #[test]
    fn a_credential_of_a_known_form_is_found_as_what_it_is() {
        let token = format!("ghp_{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrE");
        let hits = find_in_file("a.py", &format!("password = '{token}'"));
        assert_eq!(hits.iter().map(|hit| hit.what).collect::<Vec<_>>(), ["GitHub token"]);
    }
}
