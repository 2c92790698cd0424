//! What `.dockerignore` leaves out of a build's context, as Docker's own matcher reads it: the last pattern that speaks of a file
//! or of a folder above it decides, and `!` takes one back in.

use regex::Regex;

use crate::source::{FileId, Span};

/// An ignore file. Lines that are no valid pattern, with which Docker builds nothing, are left out.
#[derive(Debug, Clone)]
pub struct Dockerignore {
    /// The file.
    pub file: FileId,
    patterns: Vec<Pattern>,
}

/// A line of an ignore file.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Where it stands.
    pub span: Span,
    /// The pattern without `!`, cleaned.
    pub text: String,
    /// Whether it takes back in what it matches.
    is_exception: bool,
    matcher: Regex,
}

/// Past this number of patterns the rest are not read: each path is held against all.
const MAX_PATTERNS: usize = 10_000;

impl Dockerignore {
    /// Reads the text of an ignore file.
    pub fn parse(file: FileId, text: &str) -> Dockerignore {
        let mut at = 0;
        let mut patterns = Vec::new();
        for raw in text.split_inclusive('\n') {
            let line = raw.trim();
            let start = at + (raw.len() - raw.trim_start().len());
            let span = Span::new(file, start as u32, (start + line.len()) as u32);
            at += raw.len();
            if !raw.starts_with('#') && patterns.len() < MAX_PATTERNS {
                patterns.extend(Pattern::parse(line, span));
            }
        }
        Dockerignore { file, patterns }
    }

    /// The pattern by which a path of the context, a file or folder, is left out; none if it is taken, or if an exception may
    /// take back something in it.
    pub fn ignoring(&self, path: &str) -> Option<&Pattern> {
        let path = clean(path);
        let mut ignoring: Option<&Pattern> = None;
        for pattern in &self.patterns {
            if pattern.is_exception == ignoring.is_some() && prefixes(&path).any(|part| pattern.matcher.is_match(part))
            {
                ignoring = (!pattern.is_exception).then_some(pattern);
            }
        }
        ignoring.filter(|_| !self.patterns.iter().any(|one| one.is_exception && one.may_lie_below(&path)))
    }
}

impl Pattern {
    fn parse(line: &str, span: Span) -> Option<Pattern> {
        let (is_exception, text) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
        let text = clean(text);
        if text.is_empty() {
            return None;
        }
        let matcher = Regex::new(&expression(&text)?).ok()?;
        Some(Pattern { span, text, is_exception, matcher })
    }

    /// Whether it may match something inside this folder.
    fn may_lie_below(&self, folder: &str) -> bool {
        let literal = self.text.split(['*', '?', '[', '\\']).next().unwrap_or("");
        folder == "."
            || literal.starts_with(&format!("{folder}/"))
            || literal.len() < self.text.len() && folder.starts_with(literal)
    }
}

/// A path without `.`, `..` where that can be told, and slashes at the ends; `.` for the context itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    match parts.is_empty() && !path.is_empty() {
        true => ".".into(),
        false => parts.join("/"),
    }
}

/// A path and the folders above it, shortest first.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain(std::iter::once(path))
}

/// The pattern as a regular expression; none where a bracket or backslash is left open.
fn expression(pattern: &str) -> Option<String> {
    let mut out = String::from("^(?s:");
    let mut chars = pattern.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                out.push_str(if chars.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                loop {
                    match chars.next()? {
                        ']' => break out.push(']'),
                        '-' => out.push('-'),
                        '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
                        member => out.push_str(&regex::escape(&member.to_string())),
                    }
                }
            }
            plain => out.push_str(&regex::escape(&plain.to_string())),
        }
    }
    out.push_str(")$");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(text: &str, path: &str) -> bool {
        Dockerignore::parse(FileId(0), text).ignoring(path).is_some()
    }

    #[test]
    fn a_pattern_leaves_out_a_path_and_all_below_it() {
        let text = "# build results\n/dist/\n*.log\nsrc/**/*.snap\n";
        for path in ["dist", "./dist/", "dist/app.js", "npm.log", "/npm.log", "src/a/b/x.snap", "src/x.snap"] {
            assert!(ignores(text, path), "{path}");
        }
        for path in ["distance", "logs/npm.log", "src", "# build results"] {
            assert!(!ignores(text, path), "{path}");
        }
        assert!(ignores("**/node_modules", "web/node_modules/left-pad"));
        assert!(
            ignores("secret[0-9].txt\na\\*b", "secret1.txt") && ignores("a\\*b", "a*b") && !ignores("a\\*b", "axb")
        );
    }

    #[test]
    fn the_last_pattern_decides_and_an_exception_keeps_its_folder() {
        let text = "*\n!src\n!docs/guide.md\nsrc/secret\n";
        assert!(ignores(text, "Makefile"));
        assert!(!ignores(text, "src/main.rs"));
        assert!(ignores(text, "src/secret/key"));
        assert!(!ignores(text, "docs"), "the guide in it is taken");
        assert!(!ignores(text, "."));
    }

    #[test]
    fn lines_that_are_no_pattern_ignore_nothing() {
        for text in ["", "!", "[", "\\", "[a", "   \n\t\n"] {
            assert!(!ignores(text, "a"), "{text:?}");
        }
    }
}
