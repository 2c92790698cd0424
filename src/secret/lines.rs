//! Lines of which a program wrote one: data in base64, and code that was made small.

/// Bytes of a line past which a program wrote it.
const MAX_BYTES: usize = 5_000;

/// Tells of places in a text, from its beginning on, whether their line is long.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// The line of the place before.
    start: usize,
    end: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Lines<'t> {
        Lines { text, start: 0, end: 0 }
    }

    /// Whether the line of `at`, which is in no line before the last one asked for, was written by a program. Every byte is
    /// looked at twice at most.
    pub(super) fn is_long(&mut self, at: usize) -> bool {
        if at >= self.end {
            let between = self.text.get(self.end..at).unwrap_or_default();
            self.start = between.rfind('\n').map_or(self.start, |newline| self.end + newline + 1);
            let rest = self.text.get(at..).unwrap_or_default();
            self.end = at + rest.find('\n').unwrap_or(rest.len());
        }
        self.end - self.start > MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_long_by_themselves() {
        let text = format!("a\n{}\nb c\n\nd", "x".repeat(MAX_BYTES + 1));
        let mut lines = Lines::of(&text);
        let asked: Vec<bool> = [0, 2, 9, MAX_BYTES].iter().map(|at| lines.is_long(*at)).collect();
        assert_eq!(asked, [false, true, true, true]);
        assert!(!lines.is_long(text.find('b').unwrap_or_default()));
        assert!(!lines.is_long(text.find('c').unwrap_or_default()));
        assert!(!lines.is_long(text.len() - 1));
    }
}
