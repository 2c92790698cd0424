//! A bound on what parsing a module costs. The Rego engine reads the first element of an array, set or object twice, once to see
//! whether it is a comprehension; brackets that begin with brackets therefore double the work with each level.

use crate::rules::schema::Mistake;

/// How often brackets may be parsed in all. Reached by about twenty that each begin with the next, which takes about a second.
const MAX_PARSED: u64 = 4_000_000;

/// What is open at a place of the text.
struct Open {
    /// How often a bracket at this place is parsed.
    times: u64,
    /// Whether the place lies in the first element.
    is_first: bool,
}

/// Refuses a text whose brackets take too long to parse, at the line where it becomes too much.
pub fn check(text: &str) -> Result<(), Mistake> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let (mut parsed, mut line, mut at) = (0_u64, 1, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => line += 1,
            b'#' => at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at) - 1,
            quote @ (b'"' | b'`') => {
                let end = end_of_string(bytes, at + 1, quote);
                line += bytes[at..end].iter().filter(|byte| **byte == b'\n').count();
                at = end;
                continue;
            }
            bracket @ (b'[' | b'{' | b'(') => {
                let times = match open.last() {
                    None => 1,
                    Some(Open { times, is_first: true }) if bracket != b'(' => times.saturating_mul(2),
                    Some(Open { times, .. }) => *times,
                };
                parsed = parsed.saturating_add(times);
                if parsed > MAX_PARSED {
                    let message = "brackets that begin with brackets are nested too deep to parse".into();
                    let help = Some("give the inner values names of their own".into());
                    return Err(Mistake { line, message, help });
                }
                open.push(Open { times, is_first: true });
            }
            b']' | b'}' | b')' => drop(open.pop()),
            b',' => open.iter_mut().last().into_iter().for_each(|open| open.is_first = false),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Offset past the closing quote; past a line end that no such string holds, since the parser fails there.
fn end_of_string(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if quote == b'"' => return at,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(value: &str) -> String {
        format!("package a\n\nimport rego.v1\n\nx := {value}\n")
    }

    #[test]
    fn brackets_whose_parsing_doubles_with_each_level_are_refused_where_they_stand() {
        for open in ["[", "{", "{\"a\": ", "[ # [\n", "(["] {
            let mistake = check(&module(&open.repeat(200))).expect_err("200 levels are refused");
            assert!(mistake.line >= 5, "{mistake:?}");
        }
        assert!(crate::rules::rego::read("x.rego", &module(&"[".repeat(40))).is_err());
    }

    #[test]
    fn what_people_write_is_parsed() {
        let pod = r#"{"spec": {"jobTemplate": {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"values": ["a"]}]}]}}}}}}}}}"#;
        let many = vec![pod; 20].join(", ");
        for value in [pod, &format!("[{many}]"), &format!("\"{}\"", "[".repeat(200)), &format!("`{}`", "{".repeat(200))]
        {
            assert_eq!(check(&module(value)), Ok(()), "{value}");
        }
        let flat = format!("[{}]", vec!["[1, [2, [3]]]"; 10_000].join(", "));
        assert_eq!(check(&module(&flat)), Ok(()));
    }
}
