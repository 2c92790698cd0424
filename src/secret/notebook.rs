//! Notebooks of Jupyter: code in texts of JSON, between what it put out.

/// Deeper nested texts are no notebooks.
const MAX_DEPTH: usize = 64;

/// What a notebook holds of code, each byte at the place at which it stands in the file, and blanks everywhere else: escapes are
/// read, and quotes stand beside what they quote. None for what is no JSON.
pub(super) fn sources(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut code: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect();
    // For each object and list around a place, the key that it is the value of, or that was last read in it.
    let mut keys: Vec<&str> = vec![""];
    let mut is_code = true;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' if keys.len() > MAX_DEPTH => return None,
            b'{' | b'[' => keys.push(keys.last().copied().unwrap_or("")),
            b'}' | b']' => {
                keys.pop().filter(|_| !keys.is_empty())?;
            }
            b'"' => {
                let end = string_end(bytes, at + 1)?;
                let inside = text.get(at + 1..end)?;
                let is_key = bytes[end + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                let key = keys.last_mut()?;
                match *key {
                    _ if is_key => *key = inside,
                    "cell_type" => is_code = inside == "code",
                    "source" | "input" if is_code => read(&bytes[at + 1..end], &mut code[at + 1..end]),
                    _ => {}
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    String::from_utf8(code).ok()
}

/// Where the string that begins at a place ends.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Writes what a string says over the blanks at its place.
fn read(string: &[u8], code: &mut [u8]) {
    let mut is_quoted = false;
    let mut at = 0;
    while at < string.len() {
        if string[at] != b'\\' {
            code[at] = string[at];
            at += 1;
            continue;
        }
        match string.get(at + 1) {
            Some(b'n') => {
                code[at + 1] = b'\n';
                is_quoted = false;
            }
            // A closing quote stands where its escape begins, so that no blank comes between it and the text.
            Some(b'"') => {
                code[at + usize::from(!is_quoted)] = b'"';
                is_quoted = !is_quoted;
            }
            Some(other @ (b'\\' | b'/')) => code[at + 1] = *other,
            _ => {}
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use crate::secret::{find_in_file, find_to_hide};

    const NOTEBOOK: &str = r#"{
 "cells": [
  {"cell_type": "markdown", "source": ["password = 'Tr0ub4dor&3-horse'\n"]},
  {
   "cell_type": "code",
   "outputs": [{"text": ["token = 'h7Gk29fLq0ZpXw3Rk8Tz'"], "data": {"image/png": "password='x9Kq2mZr'"}}],
   "source": [
    "import os\n",
    "password = 'BFJKeFVBLkFR!1'\n",
    "os.environ[\"API_TOKEN\"] = \"q8Zr3Lm1Xc7Vb5Nk9J\"\n"
   ]
  },
  {"cell_type": "code", "source": "x = \"a\\n\"\ndb_password = \"Zk3vQ9xLw7Rt\"\n"}
 ]
}
"#;

    #[test]
    fn code_is_searched_and_what_it_put_out_is_not() {
        let texts = |hits: Vec<crate::secret::Hit>| -> Vec<&str> {
            hits.into_iter().map(|hit| &NOTEBOOK[hit.start..hit.end]).collect()
        };
        let expected = ["BFJKeFVBLkFR!1", "q8Zr3Lm1Xc7Vb5Nk9J", "Zk3vQ9xLw7Rt"];
        assert_eq!(texts(find_in_file("a.ipynb", NOTEBOOK)), expected);
        let hidden: Vec<&str> =
            find_to_hide("a.ipynb", NOTEBOOK).into_iter().map(|(start, end)| &NOTEBOOK[start..end]).collect();
        assert!(expected.iter().all(|secret| hidden.contains(secret)), "{hidden:?}");
    }

    #[test]
    fn broken_notebooks_are_read_as_texts() {
        for text in ["{\"cells\": [\"source", "]]]", "{\"a\": \"\\", &"[".repeat(100_000)] {
            assert_eq!(super::sources(text), None, "{}", &text[..3]);
        }
        assert_eq!(super::sources("\"\u{e9}\\u00e9\""), Some(" ".repeat(10)));
    }
}
