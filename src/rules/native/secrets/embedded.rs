//! Secrets inside of the texts that are values of a model: whatever the thing around them means, a header is a header, and an
//! option of a command one of a command.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

/// How far before a secret it is looked for what it belongs to.
const BEFORE: usize = 300;

/// Whether the secret that begins at `start` belongs to a header, a long option of a command, a variable that a script sets, or
/// JSON in quotes, rather than to a name of the format itself: that one is for the rules about the format to judge. `is_terraform`: names in
/// capitals may be arguments, and only an `export` makes one a variable.
pub(super) fn is_embedded(text: &str, start: usize, is_terraform: bool) -> bool {
    static ON_LINE: LazyLock<RegexSet> = LazyLock::new(|| {
        let header = r#"["'][A-Za-z][A-Za-z0-9-]*: ?$"#;
        let scheme = r#"(?i)authorization["']?\s*[:=]\s*["']?(?:bearer|token|apikey|geniekey|bot) $"#;
        let option = r#"--[A-Za-z][A-Za-z0-9_.-]*(?:=|\s+|["']\s*,\s*)["']?$"#;
        let exported = r#"\bexport [A-Za-z_][A-Za-z0-9_]*=\\?["']?$"#;
        let directive = r#"(?:proxy_set_header|add_header|fastcgi_param)\s+\S+\s+["']$"#;
        let server = r#"\b(?:requirepass|masterauth|(?i:identified by))\s+["']?$"#;
        let json = r#"'\s*[{\[][^']*"[A-Za-z_][A-Za-z0-9_.-]*"\s*:\s*"$"#;
        RegexSet::new([header, scheme, option, exported, directive, server, json]).expect("the patterns are fixed")
    });
    // An item that is such an assignment alone is a member of a list of variables.
    static VARIABLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"[\s;&|"'(][A-Z][A-Z0-9_]*=\\?["']?$"#).expect("the pattern is fixed"));
    static ITEM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"^\s*(?:- )?["']?[A-Z][A-Z0-9_]*=["']?$"#).expect("the pattern is fixed"));
    static OPTION_ABOVE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"^\s*- ["']?--[A-Za-z][A-Za-z0-9_.-]*["']?\s*$"#).expect("the pattern is fixed"));
    let mut from = start.saturating_sub(BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut lines = text[from..start].rsplit('\n');
    let line = lines.next().unwrap_or("");
    let is_item = || line.trim_start().trim_end_matches(['"', '\'']) == "- ";
    ON_LINE.is_match(line)
        || !is_terraform && VARIABLE.is_match(line) && !ITEM.is_match(line)
        || is_item() && lines.next().is_some_and(|above| OPTION_ABOVE.is_match(above))
}

/// Whether the secret that begins at `start` is the password that a command on its line is given without a name.
pub(super) fn is_of_command(text: &str, start: usize) -> bool {
    static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
        let login = r#"curl\s[^\n]*(?:-[A-Za-z]*[uU]|--user|--proxy-user)[ =]?["']?[^\s"':]*:"#;
        let option = r#"(?:(?:mysql|mysqldump|mysqladmin|mariadb|sshpass|docker login|podman login)\s[^\n]*-p|redis-cli\s[^\n]*-a) ?["']?"#;
        Regex::new(&format!(r"\b(?:{login}|{option})$")).expect("the pattern is fixed")
    });
    let mut from = start.saturating_sub(BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    COMMAND.is_match(text[from..start].rsplit('\n').next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::{is_embedded, is_of_command};

    #[test]
    fn passwords_of_commands_are_told_by_the_option_before_them() {
        for line in
            ["command: mysql -uroot -p?", "- curl -fsSu 'a:?' x", "- sshpass -p ? ssh", "run: redis-cli -h db -a ?"]
        {
            assert!(is_of_command(line, line.find('?').unwrap_or_default()), "{line}");
        }
        for line in ["command: app -p ?", "password: ?", "- curl https://acme.io:?"] {
            assert!(!is_of_command(line, line.find('?').unwrap_or_default()), "{line}");
        }
    }

    #[test]
    fn headers_options_and_variables_of_scripts_are_no_names_of_a_format() {
        for line in [
            "RUN curl -H \"X-Api-Key: ?\" https://acme.io",
            "  Authorization: \"Bearer ?\"",
            "RUN curl -H 'Authorization: token ?' https://acme.io",
            "CMD app --db-password ?",
            "CMD [\"app\", \"--db-password\", \"?\"]",
            "command: app --db-password=?",
            "  args:\n  - --db-password\n  - ?",
            "  args:\n  - \"--db-password\"\n  - \"?\"",
            "  command = \"export PGPASSWORD=? && psql\"",
            "    proxy_set_header X-Api-Key \"?\";",
            "command: redis-server --requirepass ?",
            "RUN echo '{\"db\": {\"password\": \"?\"}}' > x",
        ] {
            assert!(is_embedded(line, line.find('?').unwrap_or_default(), true), "{line}");
        }
        let script = "command: [sh, -c, \"PGPASSWORD=? psql\"]";
        assert!(is_embedded(script, script.find('?').unwrap_or_default(), false));
        for line in [
            "  DB_PASSWORD: ?",
            "  password = \"?\"",
            "  - DB_PASSWORD=?",
            "  - \"DB_PASSWORD=?\"",
            "DB_PASSWORD=?",
            "# password = \"?\"",
            "  value: ?",
            "  - ?",
        ] {
            assert!(!is_embedded(line, line.find('?').unwrap_or_default(), false), "{line}");
        }
    }
}
