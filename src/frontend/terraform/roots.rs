//! Which folders are root modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::module::{Declaration, Module};
use super::{Folder, Terraform, installed, load};
use crate::frontend::{Before, Frontend, Settings};
use crate::path::folder_of;
use crate::source::Sources;

/// The root modules, sorted: folders that no module of the tree calls, one of each ring of modules that only call each other, and
/// those that are roots whoever calls them. Installed code is judged through its callers.
pub(super) fn of(
    modules: &FxHashMap<String, Arc<Module>>,
    folders: &FxHashMap<String, Folder>,
    settings: &Settings,
    sources: &Sources,
) -> Vec<String> {
    let mut names: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
    if !names.iter().all(|folder| installed::is_installed(folder)) {
        names.retain(|folder| !installed::is_installed(folder));
    }
    let calls: BTreeMap<&str, Vec<String>> =
        names.iter().map(|name| (*name, modules[*name].called_folders().collect())).collect();
    let mut called: BTreeSet<&str> = calls
        .iter()
        .flat_map(|(caller, folders)| folders.iter().filter(move |folder| folder != caller))
        .filter_map(|folder| names.get(folder.as_str()).copied())
        .collect();
    if !called.is_empty() {
        let were = settings.before.as_ref().map(|before| before.roots(modules, sources)).unwrap_or_default();
        called.retain(|folder| !is_applied(&modules[*folder], &folders[*folder]) && !were.contains(*folder));
    }
    let mut reached = BTreeSet::new();
    let mut roots = Vec::new();
    for name in names.difference(&called).chain(called.iter()) {
        if called.contains(name) && reached.contains(name) {
            continue;
        }
        roots.push(name.to_string());
        let mut open = vec![*name];
        while let Some(folder) = open.pop() {
            if reached.insert(folder) {
                open.extend(calls[folder].iter().filter_map(|next| names.get(next.as_str())));
            }
        }
    }
    roots.sort();
    roots
}

/// Whether a module bears the marks of one that is applied by itself: where its state lies, and values that are loaded for a root
/// alone. Terraform passes over both in a module that is called.
fn is_applied(module: &Module, folder: &Folder) -> bool {
    let mut blocks = module.settings.iter().flat_map(|one| {
        let inner = one.file.blocks(one.block.body).iter();
        inner.map(|block| one.file.text(block.kind))
    });
    !folder.variables.is_empty() || blocks.any(|kind| matches!(kind, "backend" | "cloud"))
}

impl Before {
    /// Folders that hold a module in the base which nothing called there: they stay roots, whoever calls them now. Folders that are
    /// read only because they are called are none: nobody judged them by themselves.
    fn roots(&self, modules: &FxHashMap<String, Arc<Module>>, sources: &Sources) -> FxHashSet<String> {
        let others = load(&self.sources, self.of_format(Terraform.name())).modules;
        let met = sources.iter().filter(|(file, source)| !self.needed.contains(file) && is_of_module(source.path()));
        let mut roots: FxHashSet<String> = met
            .map(|(file, source)| (self.unchanged.contains(&file), named(folder_of(source.path()))))
            .filter(|(is_unchanged, folder)| *is_unchanged || others.contains_key(*folder))
            .map(|(_, folder)| folder.to_string())
            .collect();
        // The base has the calls of files that are the same, and those of the texts that are others now.
        let is_unchanged = |call: &Declaration| {
            let mut files = call.overrides.iter().map(|(file, _)| file.id);
            self.unchanged.contains(&call.file.id) && files.all(|file| self.unchanged.contains(&file))
        };
        let still = modules.values().map(|module| (module, module.folders_called_by(is_unchanged).collect()));
        let then = others.values().map(|module| (module, module.called_folders().collect()));
        for (caller, called) in still.chain(then) {
            let called: Vec<String> = called;
            called.iter().filter(|folder| **folder != caller.folder).for_each(|folder| _ = roots.remove(folder));
        }
        roots
    }
}

/// Whether a file of this name declares something, and does not only set variables.
fn is_of_module(path: &str) -> bool {
    super::is_named(path) && !path.ends_with(".tfvars") && !path.ends_with(".tfvars.json")
}

/// A folder as modules are called: `.` for the root of the scan.
fn named(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}
