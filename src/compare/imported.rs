//! What another tool would have said of the base: nobody has asked it, so that the places that it names must tell.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::{Base, Before, Head, is_imported};
use crate::filesystem::FileSystem;
use crate::finding::Finding;
use crate::source::{FileId, Span};

/// The folder in which Terraform keeps what it installs, and where in it the code of modules lies.
const INSTALLED: &str = ".terraform";
const MODULES: &str = "modules/";

/// The places of the base, as results of other tools name them.
pub(super) struct Places<'a> {
    base: &'a Base<'a>,
    head: &'a Head<'a>,
    before: &'a Before,
    /// Folders of installed modules that the base made resources of.
    called: FxHashSet<&'a str>,
    /// Files that the base has just so under a name that is gone.
    renamed: FxHashSet<FileId>,
}

impl<'a> Places<'a> {
    /// Those that these findings of the head name, among others.
    pub fn of(base: &'a Base<'a>, head: &'a Head<'a>, before: &'a Before, findings: &[&Finding]) -> Places<'a> {
        let sources = &before.plan.discovered.sources;
        let resources = before.model.resources.iter();
        let called = resources.filter_map(|one| Some(installed(sources.get(one.span.file).path())?.1)).collect();
        Places { base, head, before, called, renamed: renamed(base, head, findings) }
    }

    /// Whether the base has all places of a finding of the head: what another tool says follows from them.
    pub fn have(&self, finding: &Finding) -> bool {
        // A package of a lock file stands in no line that the tool knows of.
        let is_whole = finding.judged.start == finding.judged.end;
        let is_there = |place: Span, is_whole| match self.head.discovered.sources.get(place.file).lines() {
            Some(_) if self.renamed.contains(&place.file) => true,
            Some(_) => {
                self.has_called(place)
                    && self.before.plan.has_line(self.head.discovered, &self.base.commit, place, is_whole)
            }
            None => false,
        };
        is_there(finding.at, is_whole)
            && finding.related.iter().all(|place| is_there(place.at, false) || self.is_elsewhere(place.at))
    }

    /// Whether a place is a mere name that leads out of the repository, of which no change tells anything.
    fn is_elsewhere(&self, place: Span) -> bool {
        let source = self.head.discovered.sources.get(place.file);
        let path = self.head.discovered.root.join(source.path());
        source.lines().is_none() && self.base.commit.inside(&path).is_none()
    }

    /// Whether the base had the code at a place, if that is none of its own but of a module that was installed: only where it
    /// called the module, since the folder on disk is that of the head.
    fn has_called(&self, place: Span) -> bool {
        let path = self.head.discovered.sources.get(place.file).path();
        let is_committed = || self.base.commit.inside(&self.head.discovered.root.join(path)).is_some();
        installed(path).is_none_or(|(root, module)| {
            is_committed() || !self.before.plan.touched.contains(root) || self.called.contains(module)
        })
    }
}

/// The files of findings of other tools whose text the base has under another name, which the head has not any more. Each file that is
/// gone goes on as one at most.
fn renamed(base: &Base<'_>, head: &Head<'_>, findings: &[&Finding]) -> FxHashSet<FileId> {
    let (sources, root) = (&head.discovered.sources, &head.discovered.root);
    let imported = findings.iter().filter(|finding| is_imported(finding));
    let named = imported.flat_map(|one| one.related.iter().map(|place| place.at).chain([one.at])).map(|at| at.file);
    let named: FxHashSet<FileId> = named.collect();
    let mut came: Vec<&FileId> = named
        .iter()
        .filter(|file| sources.get(**file).lines().is_some())
        .filter(|file| base.commit.kind(&root.join(sources.get(**file).path())).is_err())
        .collect();
    if came.is_empty() {
        return FxHashSet::default();
    }
    came.sort_unstable_by_key(|file| sources.get(**file).path());
    let is_gone = |path: &&PathBuf| !base.tip.has(path) || base.walk.files.kind(path).is_err();
    let there = base.commit.files_below(root);
    let mut gone = base.commit.texts(there.iter().filter(is_gone));
    let mut is_renamed = |file: &&FileId| {
        let text = sources.get(**file).text().as_bytes();
        // A byte order mark is no part of the text.
        gone.take(text) || gone.take(&[b"\xef\xbb\xbf", text].concat())
    };
    came.into_iter().filter(|file| is_renamed(file)).copied().collect()
}

/// The root module for which Terraform has installed the file at a path, and the folder of the installed module that it is of, or of
/// all that is installed where it is of none; none for other files.
fn installed(path: &str) -> Option<(&str, &str)> {
    let at = match Path::new(path).starts_with(INSTALLED) {
        true => 0,
        false => path.find(&format!("/{INSTALLED}/"))? + 1,
    };
    let root = if at == 0 { "." } else { &path[..at - 1] };
    let begin = at + INSTALLED.len();
    let module = path[begin..].strip_prefix('/')?.strip_prefix(MODULES).and_then(|name| name.find('/'));
    let end = module.map_or(begin, |length| begin + 1 + MODULES.len() + length);
    Some((root, &path[..end]))
}

#[cfg(test)]
mod tests {
    use super::installed;

    #[test]
    fn installed_code_is_of_a_root_and_a_module() {
        assert_eq!(installed(".terraform/modules/vpc/a/main.tf"), Some((".", ".terraform/modules/vpc")));
        let nested = "live/prod/.terraform/modules/app.db/main.tf";
        assert_eq!(installed(nested), Some(("live/prod", "live/prod/.terraform/modules/app.db")));
        assert_eq!(installed("a/.terraform/modules/modules.json"), Some(("a", "a/.terraform")));
        assert_eq!(installed("a.terraform/x/main.tf"), None);
    }
}
