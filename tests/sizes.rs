//! A file is read as a whole by those who change it: none grows past what a person takes in.

use std::fs;
use std::path::Path;

/// Lines of a file of Rust, tests in it included.
const MAX_LINES: usize = 500;

fn long(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("its entries are readable").path();
        if path.is_dir() {
            long(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let lines = fs::read_to_string(&path).expect("code is text").lines().count();
            if lines > MAX_LINES {
                found.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
}

#[test]
fn no_file_of_code_is_too_long() {
    let mut found = Vec::new();
    long(Path::new("src"), &mut found);
    assert!(found.is_empty(), "divide them by what they are about: {found:#?}");
}
