//! What several tests need. Each of them uses a part of it.

#![allow(dead_code, clippy::unwrap_used)]

pub mod change;
pub mod git;
pub mod report;
pub mod run;

use tempfile::TempDir;

/// A folder with these files, by path and text. It goes when the value does.
pub fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}
