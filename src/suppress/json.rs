//! Suppressions in JSON, which has no comments: a member `"//"`, which Terraform passes over, or `"$comment"`, as JSON Schema has
//! it. What such a text says, it says of the object around it.

use std::ops::Range;

/// A text that may hold a suppression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remark {
    /// The member.
    pub at: Range<usize>,
    pub text: String,
    /// The object, with its own name where it has one.
    pub object: Range<usize>,
    /// Whether that is all of the file.
    pub is_outermost: bool,
}

/// An object or list that is not closed yet.
struct Open {
    start: usize,
    is_object: bool,
    /// The name of the member at hand; none before its end.
    name: Option<Range<usize>>,
    is_value: bool,
    remarks: Vec<(Range<usize>, String)>,
}

/// All remarks with this word, in the order in which their objects end. What is no JSON has none from where it is broken.
pub(super) fn remarks(text: &str, needle: &str) -> Vec<Remark> {
    if !text.contains(needle) {
        return Vec::new();
    }
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let Some(end) = end_of_string(bytes, at) else { break };
                if let Some(object) = open.last_mut().filter(|one| one.is_object) {
                    match (object.is_value, object.name.clone()) {
                        (false, _) => object.name = Some(at..end),
                        (true, Some(name)) if is_remark(&text[name.clone()]) && text[at..end].contains(needle) => {
                            if let Ok(said) = serde_json::from_str(&text[at..end]) {
                                object.remarks.push((name.start..end, said));
                            }
                        }
                        _ => {}
                    }
                }
                at = end;
                continue;
            }
            sign @ (b'{' | b'[') => {
                let name = open.last().and_then(|outer| outer.name.as_ref()).map(|name| name.start);
                let start = name.unwrap_or(at);
                open.push(Open { start, is_object: sign == b'{', name: None, is_value: false, remarks: Vec::new() });
            }
            b'}' | b']' => {
                let Some(closed) = open.pop() else { break };
                let is_outermost = open.is_empty();
                found.extend(closed.remarks.into_iter().map(|(at_member, text)| Remark {
                    at: at_member,
                    text,
                    object: closed.start..at + 1,
                    is_outermost,
                }));
            }
            b':' => open.iter_mut().last().into_iter().for_each(|one| one.is_value = true),
            b',' => open.iter_mut().last().into_iter().for_each(|one| (one.name, one.is_value) = (None, false)),
            // What some write as comments holds no strings.
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let Some(length) = text[at + 2..].find("*/") else { break };
                at += length + 4;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_remark(name: &str) -> bool {
    matches!(name, "\"//\"" | "\"$comment\"")
}

/// Where the string ends that begins here.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(String, &str, bool)> {
        let of = |one: Remark| (one.text, &text[one.object], one.is_outermost);
        remarks(text, "gate:").into_iter().map(of).collect()
    }

    #[test]
    fn a_remark_speaks_of_the_object_around_it() {
        let inner = r#""b": {"//": "gate: x \"y\"", "c": [1, "}"]}"#;
        let text = format!(r#"{{"a": 1, {inner}, "d": [{{"$comment": "gate: z"}}], "//": "gate: all"}}"#);
        assert_eq!(
            said(&text),
            [
                ("gate: x \"y\"".to_string(), inner, false),
                ("gate: z".into(), r#"{"$comment": "gate: z"}"#, false),
                ("gate: all".into(), text.as_str(), true)
            ]
        );
    }

    #[test]
    fn nothing_else_is_a_remark() {
        for text in [
            r#"{"a": "gate: x"}"#,
            r#"{"//": {"a": "gate: x"}}"#,
            r#"{"//": ["gate: x"]}"#,
            r#"["//", "gate: x"]"#,
            r#"{"a": "//", "b": "gate: x"}"#,
            r#"{"//": "other"}"#,
            r#"// "{"//": "gate: x"}"#,
            r#"/* { "//": "gate: x" } */ {}"#,
            r#"{"//": "gate: x""#,
            r#"{"//": "gate: x"#,
            "}{\"",
            "\"\\",
        ] {
            assert_eq!(said(text), [], "{text}");
        }
        assert!(remarks(&("[".repeat(1_000_000) + "\"gate:\""), "gate:").is_empty(), "deep nesting costs no stack");
    }
}
