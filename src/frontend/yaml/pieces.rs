//! Where documents and lines end for the readers of YAML that are followed.

use std::borrow::Cow;

use super::Dialect;

/// The ranges between lines that begin with `---`, as kubectl's document reader cuts them.
pub(super) fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut line = 0;
    while line < text.len() {
        let end = text[line..].find('\n').map_or(text.len(), |length| line + length + 1);
        if let Some(rest) = text[line..end].strip_prefix("---") {
            let rest = rest.trim();
            if rest.is_empty() || rest.starts_with('#') {
                pieces.push((start, line));
                start = end;
            }
        }
        line = end;
    }
    pieces.push((start, text.len()));
    pieces
}

/// The text with line ends that the parser knows, every byte at its place: go-yaml ends lines at NEL, LS and PS too, as YAML 1.1
/// does, and the parser follows YAML 1.2.
pub(super) fn with_known_breaks(text: &str, dialect: Dialect) -> Cow<'_, str> {
    const BREAKS: [(&str, &str); 3] = [("\u{85}", " \n"), ("\u{2028}", "  \n"), ("\u{2029}", "  \n")];
    let mut known = Cow::Borrowed(text);
    if dialect == Dialect::GitHub || text.is_ascii() {
        return known;
    }
    for (written, plain) in BREAKS {
        if known.contains(written) {
            known = known.replace(written, plain).into();
        }
    }
    known
}
