//! A scan of a folder that the change brings: what was renamed into it stood elsewhere, where the scan of the base does not look.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Base;
use super::renames::renames;
use crate::discover::{self, Discovered, Walk};
use crate::filesystem::{Commit, FileSystem, Kind};
use crate::frontend::FRONTENDS;

/// The base; where it does not have the folder that is scanned, with the files that the change moved into it under their new paths
/// too. Only what a scan of all of the base would have judged is moved: anything else is new here.
pub(super) fn commit(base: &Base<'_>, head: &Discovered) -> Result<Arc<Commit>, discover::Error> {
    let (commit, root) = (&base.commit, &head.root);
    let top = discover::repository_of(root).filter(|_| commit.target(root) != Some(Kind::Folder));
    let Some((top, folder)) = top.and_then(|top| Some((top, root.strip_prefix(top).ok()?.to_str()?))) else {
        return Ok(Arc::clone(commit));
    };
    let is_gone = |path: &PathBuf| base.walk.files.kind(path).is_err() && !base.tip.leaves_out(path);
    let gone: BTreeSet<PathBuf> = commit.files_below(top).into_iter().filter(is_gone).collect();
    let within = |path: &Path| gone.contains(&top.join(path));
    let all = [top.to_path_buf()];
    let walk = Walk { files: &**commit, paths: &all, within: Some(&within), also: &[], ..base.walk.clone() };
    let gone = discover::discover_at(top, &walk, FRONTENDS)?.sources;
    let gone: Vec<(&str, &str)> = gone.iter().map(|(_, source)| (source.path(), source.text())).collect();
    let came: Vec<String> =
        head.sources.iter().map(|(_, source)| format!("{}/{}", folder.replace('\\', "/"), source.path())).collect();
    let came: Vec<(&str, &str)> =
        came.iter().zip(head.sources.iter()).map(|(path, (_, source))| (path.as_str(), source.text())).collect();
    let files = renames(&gone, &came, |_| true);
    let mut moved: Vec<(PathBuf, PathBuf)> =
        files.into_iter().map(|(from, to)| (top.join(from), top.join(to))).collect();
    moved.sort();
    Ok(if moved.is_empty() { Arc::clone(commit) } else { Arc::new(commit.with_files_at(&moved)) })
}
