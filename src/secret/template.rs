//! Templates in values: what is put in the place of a part of a text later.

use super::random::is_distinct;

/// A text without what is put in its place later: `${var.a}`, `{{ .Values.a }}`, `$(command)`, `$NAME`, `<password>`.
pub(super) fn without_templates(value: &str) -> String {
    let mut literal = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(['$', '{', '#', '%', '<']) {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        let template = template(rest).filter(|length| !rest.starts_with('<') || *length == value.len());
        // A sign that is written twice is one.
        let shown = if rest.starts_with("$$") || rest.starts_with("%%") { 2 } else { 1 };
        if template.is_none() {
            literal.push_str(&rest[..shown]);
        }
        rest = &rest[template.unwrap_or(shown)..];
    }
    literal.push_str(rest);
    literal
}

/// The length of the template that begins here, if it holds no literal itself.
fn template(text: &str) -> Option<usize> {
    let to = |end: &str| text.find(end).map(|at| at + end.len());
    if text.starts_with("${{") || text.starts_with("{{") {
        return to("}}");
    }
    if text.starts_with("$(") {
        return to(")").or(Some(text.len()));
    }
    if let Some(inside) = text.strip_prefix("${") {
        let inside = &inside[..inside.find('}')?];
        // What stands after such a sign is the value where there is no other: `${PASSWORD:-x}`.
        let default = inside.split_once(':').filter(|(name, _)| !name.contains(char::is_whitespace));
        let has_default = default.is_some_and(|(_, value)| !value.is_empty() && !value.starts_with('?'));
        return (!has_default && !inside.contains(['"', '\''])).then_some(inside.len() + 3);
    }
    match text.as_bytes() {
        [b'#', b'{', ..] => to("}"),
        [b'%', b'(', ..] => to(")s"),
        [b'<', ..] => to(">"),
        [b'$', ..] => {
            let name = text[1..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            (name > 0 && !is_distinct(&text[1..=name])).then_some(1 + name)
        }
        _ => None,
    }
}
