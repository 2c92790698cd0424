//! What git tracks at hand: the files of the commit, and those that are staged for the next.

use std::path::Path;

use super::Commit;

impl Commit {
    /// Whether git tracks the file or anything below the folder at this real path, in the commit or in the index. What lies in
    /// submodules is tracked there, and modules that were installed are part of what is judged.
    pub fn tracks_now(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.folder) else { return false };
        self.folders.contains_key(inside)
            || self.named(inside).is_some()
            || inside.ancestors().any(|above| self.submodules.contains_key(above))
            || is_installed(inside)
            || self.is_staged(inside)
    }

    fn is_staged(&self, inside: &Path) -> bool {
        let Ok(Some(index)) = self.repository.to_thread_local().try_index() else { return false };
        let Ok(path) = gix::path::into_bstr(inside) else { return false };
        let path = gix::path::to_unix_separators_on_windows(path).into_owned();
        if index.entry_by_path(path.as_ref()).is_some() {
            return true;
        }
        let mut below = path;
        below.push(b'/');
        index.prefixed_entries(below.as_ref()).is_some()
    }
}

/// Whether a path lies where `terraform init` installs modules.
fn is_installed(path: &Path) -> bool {
    let names: Vec<_> = path.iter().collect();
    names.windows(2).any(|pair| pair[0] == ".terraform" && pair[1] == "modules")
}
