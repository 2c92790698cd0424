//! What a value should have been, in the words of who writes a `gate.yaml` and not of who reads it.

/// What stands in a message of the YAML reader for a kind of value, what it is for people, and how it is written.
const WANTED: &[(&str, &str, &str)] = &[
    ("struct File", "keys with values", "begin with `version: 1`; `gate init` writes a file with examples"),
    ("struct Rule", "keys with values", "write `{ enabled: false }` to turn a rule off, or `{ severity: high }`"),
    ("struct Ignore", "keys with values", "write `{ rule: ID, reason: why }`"),
    ("struct Terraform", "keys with values", "known are `var-files` and `environments`"),
    ("struct Kubernetes", "keys with values", "write `{ version: \"1.31\" }`"),
    ("struct Dockerfile", "keys with values", "known are `trusted-registries`, `label-schema` and `strict-labels`"),
    ("a map", "keys with values", "write `key: value`, a line for each"),
    ("u64", "a number", "write it without quotes"),
    ("a list", "a list", "write `[a, b]`, or a line with `- ` before each"),
    ("a sequence", "a list", "write `[a, b]`, or a line with `- ` before each"),
    ("a boolean", "true or false", "write it without quotes"),
    ("a string", "a text", "put it in quotes"),
    ("a YAML tag starting with '!'", "one word", "write it without brackets"),
];

/// What stands in such a message for what is there.
const THERE: &[(&str, &str)] = &[
    ("string ", "the text "),
    ("sequence", "a list"),
    ("map", "keys with values"),
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", "the word "),
    ("unit value", "nothing"),
];

/// A message of the YAML reader for people, with help.
pub(super) fn told(message: &str) -> (String, Option<&'static str>) {
    let parts =
        message.split_once("invalid type: ").and_then(|(way, rest)| Some((way, rest.rsplit_once(", expected ")?)));
    let Some((way, (there, wanted))) = parts else { return (message.to_string(), None) };
    let there = THERE.iter().find_map(|(name, words)| Some(format!("{words}{}", there.strip_prefix(name)?)));
    let known = WANTED.iter().find(|(name, ..)| *name == wanted);
    match (there, known) {
        (Some(there), Some((_, words, help))) => (format!("{way}{there} stands here, expected {words}"), Some(help)),
        _ => (message.to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_the_code_is_told() {
        for (message, wanted) in [
            (
                "rules.CKV_AWS_17: invalid type: string \"off\", expected struct Rule",
                "rules.CKV_AWS_17: the text \"off\" stands here, expected keys with values",
            ),
            ("invalid type: sequence, expected struct File", "a list stands here, expected keys with values"),
            (
                "version: invalid type: string \"1\", expected u64",
                "version: the text \"1\" stands here, expected a number",
            ),
        ] {
            let (message, help) = told(message);
            assert_eq!(message, wanted);
            assert!(help.is_some());
        }
        assert_eq!(told("something else"), ("something else".to_string(), None));
    }
}
