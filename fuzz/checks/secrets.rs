//! Credentials in texts of any kind.

use gate::secret;

use super::judged;
use super::tree::Tree;

/// A text, or several files. Hits lie in the text, in order, none in another; a line alone never breaks what judges names and
/// values.
pub fn texts(input: &[u8]) {
    let tree = Tree::of(input, "notes.txt");
    for (path, text) in tree.files() {
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let hits = secret::find_in_file(path, text);
        let mut at = 0;
        for hit in &hits {
            assert!(at <= hit.start && hit.start < hit.end && hit.end <= text.len(), "{hit:?} after {at}");
            assert!(text.is_char_boundary(hit.start) && text.is_char_boundary(hit.end), "{hit:?} cuts a character");
            at = hit.end;
        }
        assert_eq!(hits, secret::find_in_file(path, text));
        for line in text.lines().take(50) {
            let (name, value) = line.split_once(['=', ':']).unwrap_or((line, line));
            let _ = (secret::is_secret_name(name), secret::is_reference(value));
            let _ = (secret::looks_like_placeholder(value), secret::is_literal_secret(value));
        }
    }
    if judged::share(input) < 4 {
        judged::check(input, &tree);
    }
}
