//! What is assigned to a name, in the syntax of its file.

use super::file::Syntax;
use super::name::{Promise, promise};
use super::random::{is_chosen, is_random};
use super::value::{is_literal_secret, is_sample};
use super::{Hit, Kind};

/// Bytes of a name on either side of the text that makes it one of a secret.
const MAX_NAME: usize = 60;
/// Blanks between the parts of an assignment.
const MAX_BLANKS: usize = 40;
/// Longest literal that is read.
const MAX_VALUE: usize = 500;

/// The literal assigned to the name a part of which stands at `start..end`.
pub(super) fn to_name(text: &str, start: usize, end: usize, syntax: Syntax) -> Option<Hit> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    let length = bytes[end..].iter().take(MAX_NAME + 1).take_while(|byte| is_name(byte)).count();
    let name_end = end + length;
    if length > MAX_NAME || name_end >= bytes.len() {
        return None;
    }
    // Most names in code are followed by none of these.
    if !matches!(
        bytes[name_end],
        b' ' | b'\t' | b'=' | b':' | b'"' | b'\'' | b'`' | b']' | b'[' | b'>' | b'(' | b'\\' | b'?'
    ) {
        return None;
    }
    let name_start = start - bytes[..start].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let mut reader = Reader { bytes, at: name_end, syntax, name_start, name_end };
    let (from, to) = reader.value()?;
    // Inside of a text, characters may be of any length; at its ends stand signs.
    let (name, value) = (text.get(name_start..name_end)?, text.get(from..to)?);
    let what = judged(name, value)?;
    Some(Hit { start: from, end: to, kind: Kind::Literal, what })
}

/// What a value is, if it is a secret under this name.
fn judged(name: &str, value: &str) -> Option<&'static str> {
    let is_secret = |promise| match promise {
        Promise::Password => is_chosen(value),
        Promise::Token => is_random(value),
    };
    // The cheapest first: almost no value is one.
    if !is_chosen(value) && !is_random(value) || !is_literal_secret(value) || is_sample(value) || is_made_up(value) {
        return None;
    }
    let promise = promise(name.trim_matches(['-', '.', '$']))?;
    (is_secret(promise) && !names_itself(name, value)).then_some(match promise {
        Promise::Password => "password",
        Promise::Token => "secret value",
    })
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

/// Words in secrets that open nothing.
fn is_made_up(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "test", "demo", "foobar", "foo-bar", "lorem", "12345", "abc123", "123abc", "abcdef", "asdf", "1q2w3e", "fixme",
    ];
    let lower = value.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Goes from the end of a name to the value.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
    name_start: usize,
    name_end: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> u8 {
        self.bytes.get(self.at + count).copied().unwrap_or(b'\n')
    }

    /// Skips a byte if it is the wanted one.
    fn takes(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == wanted;
        self.at += usize::from(is_there);
        is_there
    }

    fn blanks(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take(MAX_BLANKS).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// The byte before the name.
    fn before(&self) -> u8 {
        self.name_start.checked_sub(1).map_or(b'\n', |index| self.bytes[index])
    }

    /// Where the literal stands.
    fn value(&mut self) -> Option<(usize, usize)> {
        // In a text inside of another, the quotes are escaped.
        let escaped = self.peek() == b'\\' && is_quote(self.ahead(1));
        self.at += usize::from(escaped);
        let quoted_name = is_quote(self.peek()) && self.before() == self.peek();
        if is_quote(self.peek()) && !quoted_name || self.peek() == b'\\' {
            return None;
        }
        self.at += usize::from(quoted_name);
        if quoted_name {
            self.takes(b']');
        } else if self.takes(b'[') {
            while self.peek().is_ascii_alphanumeric() || self.peek() == b'_' {
                self.at += 1;
            }
            if !self.takes(b']') {
                return None;
            }
        }
        self.takes(b'?');
        let blanks = self.blanks();
        let byte = self.peek();
        match byte {
            b':' => self.after_colon(escaped),
            b'=' => self.after_equals(blanks),
            b'|' if self.ahead(1) == b'|' && self.ahead(2) == b'=' => {
                self.at += 3;
                self.blanks();
                self.quoted(false)
            }
            b'?' if self.ahead(1) == b'=' => {
                self.at += 1;
                self.after_equals(blanks)
            }
            b',' if quoted_name => {
                self.at += 1;
                self.blanks_and_line();
                self.of_pair(self.is_argument())
            }
            b'(' if !quoted_name && blanks == 0 && self.is_setter() => {
                self.at += 1;
                let value = self.quoted(false)?;
                (self.peek() == b')').then_some(value)
            }
            b'>' if !quoted_name && blanks == 0 && self.before() == b'<' => self.element(),
            _ if quoted_name && blanks > 0 => self.of_pair(false),
            _ if blanks > 0 => self.after_blank(),
            _ => None,
        }
    }

    fn blanks_and_line(&mut self) {
        self.blanks();
        self.takes(b'\r');
        if self.takes(b'\n') {
            self.blanks();
        }
    }

    fn after_colon(&mut self, escaped: bool) -> Option<(usize, usize)> {
        self.at += 1;
        if self.takes(b'=') {
            self.blanks();
            return self.quoted_or_rest(false);
        }
        let blanks = self.blanks();
        if escaped {
            return self.quoted(true);
        }
        if self.syntax == Syntax::Code && self.peek().is_ascii_alphabetic() | matches!(self.peek(), b'&' | b'\'') {
            if let Some(value) = self.quoted(false) {
                return Some(value);
            }
            // The name of a type stands between.
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let is_type = |byte: &&u8| byte.is_ascii_alphanumeric() || b"&'_<>[]? .|".contains(byte);
            self.at += rest.iter().take(MAX_BLANKS).take_while(is_type).count();
            return (self.takes(b'=') && self.peek() != b'=' && self.peek() != b'>')
                .then(|| self.blanks())
                .and_then(|_| self.quoted(false));
        }
        match self.syntax {
            Syntax::Yaml if blanks == 0 && !is_quote(self.peek()) => None,
            Syntax::Shell => self.quoted(false),
            _ => self.quoted_or_rest(false),
        }
    }

    fn after_equals(&mut self, blanks: usize) -> Option<(usize, usize)> {
        self.at += 1;
        match self.peek() {
            b'=' | b'~' => return None,
            b'>' => self.at += 1,
            _ => {}
        }
        let more = self.blanks();
        // In shells and the scripts of manifests, blanks end words.
        let is_word = blanks + more == 0;
        if matches!(self.syntax, Syntax::Shell | Syntax::Yaml) && !is_word {
            return self.quoted(false);
        }
        self.quoted_or_rest(is_word && self.syntax != Syntax::Lines)
    }

    /// `--password x`, `#define PASSWORD "x"`, `Password string = "x"`, `PASSWORD 'x'`.
    fn after_blank(&mut self) -> Option<(usize, usize)> {
        let line = self.bytes[..self.name_start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let before = self.bytes.get(line.max(self.name_start.saturating_sub(200))..self.name_start)?;
        let is_flag = self.bytes[self.name_start..].starts_with(b"--");
        if is_flag && matches!(self.syntax, Syntax::Shell | Syntax::Yaml) {
            return self.quoted_or_rest(true);
        }
        let is_define = before.trim_ascii() == b"#define";
        let is_statement = matches!(&self.bytes[self.name_start..self.name_end], b"PASSWORD" | b"password");
        if is_define
            || is_statement && before.to_ascii_lowercase().windows(5).any(|part| part == b"user " || part == b"role ")
        {
            return self.quoted(false);
        }
        if self.syntax != Syntax::Code {
            return None;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_type = rest.starts_with(b"string") || rest.starts_with(b"As String") || rest.starts_with(b"String");
        if !is_type {
            return None;
        }
        self.at += rest.iter().take(MAX_BLANKS).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b' ').count();
        (self.takes(b'=') && self.peek() != b'=').then(|| self.blanks()).and_then(|_| self.quoted(false))
    }

    /// The value beside a name in a pair: `"name": "PASSWORD", "value": "x"`, `name="password" value="x"`.
    fn of_pair(&mut self, is_argument: bool) -> Option<(usize, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let quote = rest.first().copied().filter(|byte| is_quote(*byte));
        let word = &rest[usize::from(quote.is_some())..];
        if word.len() > 5 && word[..5].eq_ignore_ascii_case(b"value") {
            self.at += 5 + usize::from(quote.is_some());
            if quote.is_some_and(|quote| !self.takes(quote)) {
                return None;
            }
            self.blanks();
            if !self.takes(b':') && !self.takes(b'=') {
                return None;
            }
            self.blanks();
            return self.quoted(false);
        }
        let value = is_argument.then(|| self.quoted(false)).flatten()?;
        self.blanks();
        matches!(self.peek(), b')' | b',').then_some(value)
    }

    /// Whether the name is the first argument of a call, as in `define("DB_PASSWORD", "x")`.
    fn is_argument(&self) -> bool {
        let mut before = self.bytes[..self.name_start.saturating_sub(1)].iter().rev().skip_while(|byte| **byte == b' ');
        before.next() == Some(&b'(') && before.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    /// `setPassword("x")`, `.password("x")`, `withToken("x")`.
    fn is_setter(&self) -> bool {
        let name = &self.bytes[self.name_start..self.name_end];
        let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        let is_set = [&b"set"[..], b"Set", b"with", b"With"].iter().any(|start| last.starts_with(start));
        is_set || name.contains(&b'.') && matches!(last, b"password" | b"secret" | b"token" | b"apiKey" | b"api_key")
    }

    /// The text of `<password>x</password>`.
    fn element(&mut self) -> Option<(usize, usize)> {
        self.at += 1;
        let from = self.at;
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| matches!(byte, b'<' | b'\n'))?;
        rest[length..].starts_with(b"</").then_some((from, from + length))
    }

    fn quoted_or_rest(&mut self, is_word: bool) -> Option<(usize, usize)> {
        if is_quote(self.peek()) || self.syntax == Syntax::Code {
            return self.quoted(false);
        }
        let from = self.at;
        let is_shell = is_word || self.syntax == Syntax::Shell;
        let ends = |byte: &u8| {
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
                || is_shell && matches!(byte, b';' | b'&' | b'|' | b'\\' | b')')
        };
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().take(MAX_VALUE).position(ends).unwrap_or(rest.len().min(MAX_VALUE));
        let value = &rest[..length];
        self.at += length;
        self.blanks();
        let is_end = matches!(self.peek(), b'\r' | b'\n' | b'#') || self.peek() == b';';
        // A template, an expression, another structure.
        let is_reference = value.contains(&b'"')
            || value.contains(&b'\'')
            || value.contains(&b'`')
            || value.first().is_some_and(|first| b"$&*!|>{[%(<@".contains(first))
            || is_shell && value.contains(&b'$')
            || value.ends_with(b",")
            || value.ends_with(b"}");
        (!is_reference && (is_end || is_shell)).then_some((from, from + length))
    }

    /// A literal in quotes that nothing is joined to.
    fn quoted(&mut self, escaped: bool) -> Option<(usize, usize)> {
        if matches!(self.peek(), b'b' | b'u' | b'B' | b'U' | b'L' | b'@' | b'N') && is_quote(self.ahead(1)) {
            self.at += 1;
        }
        if escaped && !self.takes(b'\\') {
            return None;
        }
        let quote = Some(self.peek()).filter(|byte| is_quote(*byte))?;
        let from = self.at + 1;
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().take(MAX_VALUE).position(|byte| *byte == quote || matches!(byte, b'\n' | b'\\'))?;
        let is_closed = match escaped {
            true => rest[length..].starts_with(&[b'\\', quote]),
            false => rest[length] == quote,
        };
        self.at = from + length + 1 + usize::from(escaped);
        let mut next = self.bytes.get(self.at..)?.iter().skip_while(|byte| matches!(byte, b' ' | b'\t'));
        let next = next.next().copied().unwrap_or(b'\n');
        let is_open = matches!(next, b'+' | b'%' | b'[' | b'?' | b'$') || next == quote;
        // Shells replace names in these.
        let value = &rest[..length];
        let is_template = value.contains(&b'$') && (self.syntax == Syntax::Shell && quote != b'\'' || quote == b'`');
        (is_closed && !is_open && !is_template).then_some((from, from + length))
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

#[cfg(test)]
mod tests {
    use crate::secret::find_in_file;

    /// The secrets found in a file.
    fn found(path: &str, text: &str) -> Vec<String> {
        find_in_file(path, text).into_iter().map(|hit| text[hit.start..hit.end].to_string()).collect()
    }

    const SECRET: &str = "h7Gk29fLq0ZpXw3R";

    #[test]
    fn assignments_are_read_in_the_syntax_of_their_file() {
        for (path, line) in [
            (".env", "DB_PASSWORD=?"),
            (".env", "export DB_PASSWORD=\"?\""),
            (".env", "DB_PASSWORD=? # of the shop"),
            (".github/workflows/ci.yaml", "env:\n  DB_PASSWORD: ?"),
            (".github/workflows/ci.yaml", "run: |\n  PGPASSWORD=? psql -h db\n"),
            ("config.yaml", "db:\n  password: '?'\n"),
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
        ] {
            assert_eq!(found(path, &line.replace('?', SECRET)), [SECRET], "{path}: {line}");
        }
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
