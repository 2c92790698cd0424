//! The heredocs that an instruction opens, as BuildKit finds them: words that are `<<NAME` as a whole, whatever the shell that
//! runs the line would make of them.

use super::lexer::{self, Failure};

/// How a heredoc ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delimiter {
    /// The line that ends it.
    pub name: String,
    /// Whether its lines lose leading tabs.
    pub strips_tabs: bool,
    /// Whether blanks stand before the name, which only newer builders take.
    pub is_apart: bool,
}

/// The delimiters in a line. Where its words cannot be told apart there are none.
pub(super) fn delimiters(line: &str) -> Result<Vec<Delimiter>, Failure> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    match lexer::split(line, true) {
        Ok(lexed) => Ok(lexed.words.iter().filter_map(|word| delimiter(word)).collect()),
        Err(Failure::Limit) => Err(Failure::Limit),
        Err(_) => Ok(Vec::new()),
    }
}

fn delimiter(word: &str) -> Option<Delimiter> {
    let rest = word.trim_start_matches(|char: char| char.is_ascii_digit()).strip_prefix("<<")?;
    let (rest, strips_tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let written = rest.trim_ascii_start();
    if written.contains('<') {
        return None;
    }
    let mut words = lexer::split(written, false).ok()?.words.into_iter();
    let (name, None) = (words.next()?, words.next()) else { return None };
    Some(Delimiter { name, strips_tabs, is_apart: written.len() < rest.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heredoc_is_a_word_of_its_own() {
        let names = |line: &str| -> Vec<String> {
            delimiters(line).expect("no limit").into_iter().map(|delimiter| delimiter.name).collect()
        };
        for (line, wanted) in [
            ("RUN <<EOT sh && cat <<-'END' 3<<\"x y\"", &["EOT", "END", "x y"][..]),
            ("RUN cat <<E\"O\"F >/a", &["EOF"]),
            ("RUN cat <<$EOT", &["$EOT"]),
            ("RUN cat <<EOT>/a", &["EOT>/a"]),
            ("RUN cat << EOT", &["EOT"]),
            ("RUN cat <<- EOT", &[]),
            ("RUN true a<<EOT", &[]),
            ("RUN '<<EOT' \"<<EOT\" <<<EOT \\<<EOT", &[]),
            ("RUN echo $((1<<2))", &[]),
            ("RUN exit $(( 0 <<EOT ))", &["EOT"]),
            ("RUN echo ${X:-a <<EOT }", &["EOT"]),
            ("RUN echo ${X^} <<EOT", &[]),
            ("RUN echo it's <<EOT", &[]),
            ("RUN echo ${X:0:1} <<EOT", &["EOT"]),
        ] {
            assert_eq!(names(line), wanted, "{line}");
        }
        assert_eq!(delimiters(&format!("RUN {} <<A", "${A:-".repeat(100))), Err(Failure::Limit));
    }
}
