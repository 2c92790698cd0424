//! Variables in Compose files, and the `.env` file that gives them values.
//!
//! Compose takes a variable from its environment, else from `.env`, else its default. The environment of whoever starts
//! the project is not in the tree: a variable that neither `.env` nor a default gives a value is unknown.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::frontend::growth::Budget;
use crate::model::{Entry, Map, Node, Unknown, Value};

/// Values of variables by name.
pub(super) type Variables = FxHashMap<String, String>;

/// Defaults within defaults that are followed; Compose files have two or three.
const MAX_DEPTH: usize = 32;

/// What became of a text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filled {
    /// The text; `${NAME}` stands where a variable has no value.
    text: String,
    /// The variables without a value.
    missing: Vec<String>,
}

/// A value with its variables filled in; none where it has none. `wrong` is told where a text is no valid template.
pub(super) fn node(
    node: &Node,
    variables: &Variables,
    budget: &mut Budget,
    wrong: &mut dyn FnMut(&Node, String),
) -> Option<Node> {
    match &node.value {
        Value::String(text) if text.contains('$') => match fill(text, variables, budget, 0) {
            Ok(filled) if filled.missing.is_empty() => {
                Some(Node { value: Value::String(filled.text.into()), ..node.clone() })
            }
            Ok(filled) => {
                let reason = format!("{} has no value in .env and no default", filled.missing.join(", "));
                Some(unknown(node, reason, filled.missing, Some(filled.text.into())))
            }
            Err(message) => {
                let reason = format!("{message} in {text:?}");
                wrong(node, reason.clone());
                Some(unknown(node, reason, Vec::new(), None))
            }
        },
        Value::List(items) => {
            let changed: Vec<Option<Node>> =
                items.iter().map(|item| self::node(item, variables, budget, wrong)).collect();
            changed.iter().any(Option::is_some).then(|| {
                let items = changed.into_iter().zip(items.iter()).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
                Node { value: Value::List(items.collect()), ..node.clone() }
            })
        }
        Value::Map(map) => {
            let entries = map.entries();
            let changed: Vec<Option<Node>> =
                entries.iter().map(|entry| self::node(&entry.node, variables, budget, wrong)).collect();
            changed.iter().any(Option::is_some).then(|| {
                let entries = changed.into_iter().zip(entries).map(|(new, old)| match new {
                    Some(node) => Entry { node, ..old.clone() },
                    None => old.clone(),
                });
                Node { value: Value::Map(Arc::new(Map::new(entries.collect()))), ..node.clone() }
            })
        }
        _ => None,
    }
}

fn unknown(node: &Node, reason: String, references: Vec<String>, template: Option<Arc<str>>) -> Node {
    let unknown = Unknown { reason, references, not_null: true, template, arms: None };
    Node { value: Value::Unknown(Arc::new(unknown)), ..node.clone() }
}

/// Fills in `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${NAME:+other}` (without the colon an empty value
/// counts as one) and `$$`. Another `$` stands for itself, as in Compose.
fn fill(text: &str, variables: &Variables, budget: &mut Budget, depth: usize) -> Result<Filled, String> {
    if depth > MAX_DEPTH {
        return Err(format!("defaults are nested deeper than {MAX_DEPTH}"));
    }
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.text.push('$');
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = closing(inner).ok_or("a `${` without `}`")?;
            braced(&inner[..end], variables, budget, depth, &mut filled)?;
            rest = &inner[end + 1..];
        } else {
            let name = &rest[..name_length(rest)];
            match variables.get(name) {
                _ if name.is_empty() => filled.text.push('$'),
                Some(value) => filled.put(value, budget)?,
                None => filled.leave(name),
            }
            rest = &rest[name.len()..];
        }
    }
    filled.text.push_str(rest);
    Ok(filled)
}

impl Filled {
    fn leave(&mut self, name: &str) {
        self.text.push_str("${");
        self.text.push_str(name);
        self.text.push('}');
        if !self.missing.iter().any(|known| known == name) {
            self.missing.push(name.to_string());
        }
    }

    fn put(&mut self, value: &str, budget: &mut Budget) -> Result<(), String> {
        if !budget.spend(value.len()) {
            return Err("variables that grow too long".into());
        }
        self.text.push_str(value);
        Ok(())
    }

    fn add(&mut self, other: Filled) {
        self.text.push_str(&other.text);
        self.missing.extend(other.missing);
    }
}

/// What stands between `${` and `}`.
fn braced(
    body: &str,
    variables: &Variables,
    budget: &mut Budget,
    depth: usize,
    out: &mut Filled,
) -> Result<(), String> {
    let name = &body[..name_length(body)];
    let after = &body[name.len()..];
    let (counts_empty, operator) = match after.strip_prefix(':') {
        Some(operator) => (false, operator),
        None => (true, after),
    };
    let operation = operator.chars().next();
    let is_valid = match operation {
        None => counts_empty,
        Some(operation) => "-+?".contains(operation),
    };
    if name.is_empty() || !is_valid {
        return Err("a `${…}` that is no variable: `$$` stands for a dollar sign".into());
    }
    let argument = operator.get(1..).unwrap_or("");
    let value = variables.get(name).filter(|value| counts_empty || !value.is_empty());
    match (operation, value) {
        (Some('-'), None) => out.add(fill(argument, variables, budget, depth + 1)?),
        (Some('+'), Some(_)) => out.add(fill(argument, variables, budget, depth + 1)?),
        // Whether it is set is decided outside the tree.
        (Some('+'), None) => out.leave(name),
        (_, Some(value)) => out.put(value, budget)?,
        (_, None) => out.leave(name),
    }
    Ok(())
}

/// Where the brace is closed that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    let starts = text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(text.len());
    if starts { end } else { 0 }
}

/// The variables of a `.env` file, as Compose reads it: quotes, comments, `export`, values that use earlier ones. A value
/// that uses a variable without a value is left out: it is unknown.
pub(super) fn variables(text: &str, budget: &mut Budget) -> Variables {
    let mut variables = Variables::default();
    let mut rest = text;
    while !rest.is_empty() {
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let line = rest[..line_end].trim();
        let next = rest.get(line_end + 1..).unwrap_or("");
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, value)) = line.split_once(['=', ':']).filter(|_| !line.starts_with('#')) else {
            rest = next;
            continue;
        };
        let (name, value) = (name.trim(), value.trim_start());
        rest = next;
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let value = match quote {
            Some(quote) => {
                // A quoted value may go on over lines.
                let body = value.as_ptr() as usize - text.as_ptr() as usize + 1;
                match text[body..].find(quote) {
                    Some(length) => {
                        let end = body + length + 1;
                        let after = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
                        rest = &text[after..];
                        &text[body..body + length]
                    }
                    None => continue,
                }
            }
            None => value.split(" #").next().unwrap_or("").trim_end(),
        };
        let filled = match quote {
            Some('\'') => Some(value.to_string()),
            _ => {
                let filled = fill(value, &variables, budget, 0).ok().filter(|filled| filled.missing.is_empty());
                filled.map(|filled| filled.text)
            }
        };
        match filled {
            Some(value) => variables.insert(name.to_string(), value),
            None => variables.remove(name),
        };
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> (String, Vec<String>) {
        let variables = variables("TAG=1.2.3\nEMPTY=\n", &mut Budget::default());
        let filled = fill(text, &variables, &mut Budget::default(), 0).expect("a valid template");
        (filled.text, filled.missing)
    }

    fn known(text: &str) -> String {
        let (text, missing) = filled(text);
        assert!(missing.is_empty(), "{missing:?}");
        text
    }

    #[test]
    fn a_variable_has_the_value_of_dotenv_else_its_default() {
        assert_eq!(known("acme/web:${TAG:-latest}"), "acme/web:1.2.3");
        assert_eq!(known("acme/web:$TAG"), "acme/web:1.2.3");
        assert_eq!(known("acme/web:${OTHER:-latest}"), "acme/web:latest");
        assert_eq!(known("${EMPTY:-x}${EMPTY-y}"), "x");
        assert_eq!(known("${A:-${B:-${TAG}}}"), "1.2.3");
        assert_eq!(known("${TAG:+pinned}"), "pinned");
    }

    #[test]
    fn a_variable_without_value_and_default_is_unknown() {
        assert_eq!(filled("db:${PORT}/${PORT:?set it}"), ("db:${PORT}/${PORT}".into(), vec!["PORT".into()]));
        assert_eq!(filled("${A:-${B}}").1, ["B"]);
    }

    #[test]
    fn two_dollars_stand_for_one_and_a_lone_one_for_itself() {
        assert_eq!(known("echo $$HOME $1 $(date) $"), "echo $HOME $1 $(date) $");
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for text in ["${", "${}", "${1}", "${A", "${A!x}", "${A:}"] {
            assert!(fill(text, &Variables::default(), &mut Budget::default(), 0).is_err(), "{text}");
        }
        let nested = "${A:-".repeat(5_000) + &"}".repeat(5_000);
        assert!(fill(&nested, &Variables::default(), &mut Budget::default(), 0).is_err());
    }

    #[test]
    fn dotenv_has_quotes_comments_and_values_over_lines() {
        let text = "# a comment\nexport A=1 # why\nB='two $A'\nC=\"three $A\"\nD=\"x\ny\"\nE=${NOT_SET}\nF: yaml\r\nbroken\nG=\"open\nH=8\n";
        let variables = variables(text, &mut Budget::default());
        let get = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!([get("A"), get("B"), get("C")], [Some("1"), Some("two $A"), Some("three 1")]);
        assert_eq!([get("D"), get("E"), get("F")], [Some("x\ny"), None, Some("yaml")]);
        assert_eq!([get("G"), get("H")], [None, Some("8")]);
    }
}
