//! What a kustomization names: files of any name, folders, and what lies elsewhere.

use super::{NAMES, items};
use crate::frontend::yaml;
use crate::model::Node;
use crate::source::FileId;

/// Files and folders, more of which are left out and told as missing.
const MAX_NAMED: usize = 10_000;

/// Whether a resource lies elsewhere: an address, or a repository's in short.
pub(super) fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/") || path.contains("?ref=")
}

/// Whether a text is a JSON patch, which only a kustomization can name.
pub(in crate::frontend::kubernetes) fn is_json_patch(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "---");
    let begins = lines.next().is_some_and(|line| line.starts_with('-') || line.starts_with('['));
    begins && ["op:", "\"op\""].iter().any(|key| text.contains(key)) && text.contains("path")
}

/// The local files that the text of a kustomization names, and those that make a kustomization of the folders that it names; and
/// the folders.
pub(in crate::frontend::kubernetes) fn named_in(text: &str) -> (Vec<String>, Vec<String>) {
    let read = yaml::read(FileId::OUTSIDE, text);
    read.documents.first().map(|document| named_by(&document.root)).unwrap_or_default()
}

/// The same of a kustomization that was read.
pub(super) fn named_by(root: &Node) -> (Vec<String>, Vec<String>) {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let path = |node: &Node| node.get("path").as_str().map(str::to_string);
    files.extend(["patches", "patchesJson6902"].iter().flat_map(|key| items(root, key)).filter_map(path));
    for key in ["resources", "bases", "components", "patchesStrategicMerge"] {
        for name in items(root, key).iter().filter_map(Node::as_str).filter(|name| !name.contains(['\n', '\0'])) {
            files.push(name.to_string());
            if key != "patchesStrategicMerge" && !is_remote(name) {
                files.extend(NAMES.map(|file| format!("{name}/{file}")));
                folders.push(name.to_string());
            }
        }
    }
    files.truncate(MAX_NAMED);
    folders.truncate(MAX_NAMED);
    (files, folders)
}
