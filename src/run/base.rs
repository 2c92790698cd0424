//! `--base`: the commit that a change is held against, and what the change would do to the rules that it is held to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Value;

use super::{Error, MAX_POLICY_BYTES, load_policies, policy_files};
use crate::cli::{self, Trust};
use crate::config::{self, Config};
use crate::discover::{self, Discovered, MAX_BYTES};
use crate::filesystem::{Commit, Disk, FileSystem, Files, Repository};
use crate::report::Proposal;
use crate::rules::Catalog;
use crate::settings_yaml;

/// The two ends of a change.
pub(super) struct Opened {
    /// What people call the base: `main (1a2b3c4d5e6f)`.
    pub name: String,
    /// What they call the commit whose rules are in force.
    rules_name: String,
    /// The commit from which the change went apart: its findings are the old ones.
    pub base: Arc<Commit>,
    /// The commit that `--base` names: its rules are in force. From an older one the author of a change could choose.
    pub rules: Arc<Commit>,
    pub tip: Arc<Commit>,
    pub trusts_head: bool,
}

impl Opened {
    /// Opens what `--base` names; none where it is not given.
    pub fn find(arguments: &cli::Scan, root: &Path) -> Result<Option<Opened>, Error> {
        let Some(reference) = &arguments.base else { return Ok(None) };
        let Some(folder) = discover::repository_of(root) else {
            return Err(Error::Usage {
                message: format!("--base {reference}: {} lies in no git repository", root.display()),
                help: Some("scan a clone, or compare with a file: --baseline FILE".into()),
            });
        };
        let repository = Repository::open(folder)?;
        let mut rules = repository.named(reference)?;
        let mut base = repository.merge_base(&rules, reference)?;
        let tip = repository.head()?;
        base.followed_by(&tip);
        rules.followed_by(&tip);
        // A commit that is named by its hash needs no other name.
        let name = |commit: &Commit| match reference.starts_with(&commit.name()) {
            true => commit.name(),
            false => format!("{reference} ({})", commit.name()),
        };
        Ok(Some(Opened {
            name: name(&base),
            rules_name: name(&rules),
            base: Arc::new(base),
            rules: Arc::new(rules),
            tip: Arc::new(tip),
            trusts_head: arguments.trust == Some(Trust::Head),
        }))
    }

    /// Fails where something of the base was asked for that the clone has left out.
    pub fn assert_whole(&self) -> Result<(), Error> {
        [&self.base, &self.rules, &self.tip].into_iter().try_for_each(|commit| Ok(commit.assert_whole()?))
    }

    /// What rules are taken from.
    pub fn trusted(&self) -> Files {
        if self.trusts_head { Files::default() } else { Files::from(Arc::clone(&self.rules)) }
    }

    /// The configuration in force: that of the branch to merge into, though the change may bring one.
    pub fn config(&self, root: &Path, named: Option<&Path>) -> Result<Config, Error> {
        match named {
            None => Ok(config::load(&*self.trusted(), root, None)?),
            Some(path) => match self.named(path)? {
                Some(named) => Ok(config::load(&*named.files, root, Some(&named.path))?),
                None => Ok(Config::default()),
            },
        }
    }

    /// Adds the rules of what the configuration in force and the command line name to the catalog, without those that the change
    /// brings.
    pub fn load_policies(&self, catalog: &mut Catalog, policies: &[PathBuf]) -> Result<(), Error> {
        for path in policies {
            if let Some(named) = self.named(path)? {
                load_policies(&*named.files, catalog, [&named.path].into_iter())?;
            }
        }
        Ok(())
    }

    /// Variables files that the configuration in force names, where they lie in the head: one that the change has renamed is
    /// found by its text. Fails where one is gone.
    pub fn variables_files(
        &self,
        named: &[PathBuf],
        config: &Config,
        discovered: &Discovered,
    ) -> Result<Vec<PathBuf>, Error> {
        let follow = |path: &PathBuf| {
            let Some(text) = self.rules.text(path, MAX_BYTES).ok().filter(|_| Disk.target(path).is_none()) else {
                return Ok(path.clone());
            };
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let is_renamed = |full: &PathBuf| full.extension() == path.extension() && self.rules.kind(full).is_err();
            let same = discovered.sources.iter().filter(|(_, source)| source.text() == text);
            let mut same = same.map(|(_, source)| discovered.root.join(source.path()));
            same.find(is_renamed).ok_or_else(|| Error::Usage {
                message: format!(
                    "{}: is gone, and {} of {} names it: nobody can tell what the change does with its values",
                    shown(&discovered.root, path),
                    config.path,
                    self.rules_name,
                ),
                help: Some(format!(
                    "leave the file until a change of its own has taken it out of {}; \
                     a file that only has another name is found by its text",
                    config.path
                )),
            })
        };
        named.iter().map(follow).collect()
    }

    /// What the change does to configuration, policies and ignore files.
    pub fn proposals(&self, root: &Path, config: &Config, arguments: &cli::Scan) -> Result<Vec<Proposal>, Error> {
        if self.trusts_head {
            return Ok(Vec::new());
        }
        // What the caller has put there is no part of the change.
        let is_of_change = |path: &PathBuf| !self.is_callers(path);
        let mut watched: BTreeSet<PathBuf> = BTreeSet::new();
        let mut policies: BTreeSet<PathBuf> = config.policies.iter().cloned().collect();
        let mut configs: BTreeSet<PathBuf> = BTreeSet::new();
        if !arguments.no_config {
            match &arguments.config {
                Some(path) => configs.extend(Some(std::path::absolute(path)?).filter(is_of_change)),
                None => {
                    let found = [config::find(&*self.base, root).ok(), config::find(&Disk, root).ok()];
                    configs.extend(found.into_iter().flatten().flatten());
                }
            }
            // A configuration that can't be read has no policies to tell of; that it can't is told by its text.
            if let Ok(proposed) = config::load(&Disk, root, arguments.config.as_deref()) {
                policies.extend(proposed.policies);
            }
        }
        for path in &arguments.policy {
            policies.insert(std::path::absolute(path)?);
        }
        for path in policies.into_iter().filter(is_of_change) {
            for files in [&*self.base as &dyn FileSystem, &Disk] {
                let mut found = Vec::new();
                if files.kind(&path).is_ok() {
                    policy_files(files, &path, &mut found)?;
                }
                watched.extend(found);
            }
        }
        let top = discover::repository_of(root).unwrap_or(root);
        for folder in root.ancestors().take_while(|folder| folder.starts_with(top)) {
            watched.extend(config::HADOLINT.map(|name| folder.join(name)));
        }
        for commit in [&self.base, &self.tip] {
            let is_ignore_file = |path: &PathBuf| path.file_name().is_some_and(|name| name == ".gateignore");
            watched.extend(commit.files_below(root).into_iter().filter(is_ignore_file));
        }
        if let Some(path) = arguments.baseline.as_ref().or(config.baseline.as_ref()) {
            watched.extend(Some(std::path::absolute(path)?).filter(is_of_change));
        }
        let mut proposals = Vec::new();
        for path in configs {
            let (before, now) = (text(&*self.base, &path), text(&Disk, &path));
            proposals.extend(settings(before.as_deref(), now.as_deref()).into_iter().map(|message| Proposal {
                path: shown(root, &path),
                at: None,
                message,
            }));
        }
        for path in watched {
            let message = match (text(&*self.base, &path), text(&Disk, &path)) {
                (None, None) => continue,
                (Some(before), Some(now)) if before == now => continue,
                (None, Some(_)) => "is new",
                (Some(_), None) => "is removed, and stays in force",
                (Some(_), Some(_)) => "is changed; what it said before stays in force",
            };
            proposals.push(Proposal { path: shown(root, &path), at: None, message: message.into() });
        }
        Ok(proposals)
    }
}

fn text(files: &dyn FileSystem, path: &Path) -> Option<String> {
    files.read(path, MAX_POLICY_BYTES).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A path as reports show it: relative to the root, also from above.
fn shown(root: &Path, path: &Path) -> String {
    for (up, folder) in root.ancestors().enumerate() {
        if let Ok(below) = path.strip_prefix(folder) {
            return format!("{}{}", "../".repeat(up), below.display());
        }
    }
    path.display().to_string()
}

/// The settings in which two configurations differ, for people.
fn settings(before: Option<&str>, now: Option<&str>) -> Vec<String> {
    let (before, now) = match (before, now) {
        (None, None) => return Vec::new(),
        (Some(before), Some(now)) if before == now => return Vec::new(),
        (Some(_), None) => return vec!["is removed, and stays in force".into()],
        (before, Some(now)) => (before.unwrap_or(""), now),
    };
    let map = |text: &str| match settings_yaml::read::<Value>(text) {
        Ok(Value::Mapping(map)) => Some(map),
        Ok(Value::Null) => Some(serde_yaml::Mapping::new()),
        _ => None,
    };
    let (Some(before), Some(now)) = (map(before), map(now)) else {
        return vec!["is changed, and is no configuration that can be read".into()];
    };
    let keys: BTreeSet<&str> = before.keys().chain(now.keys()).filter_map(Value::as_str).collect();
    let scalar = |value: Option<&Value>| match value {
        None => Some("not set".to_string()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Bool(bool)) => Some(bool.to_string()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => None,
    };
    let mut changed = Vec::new();
    for key in keys {
        let (before, now) = (before.get(key), now.get(key));
        if before == now {
            continue;
        }
        changed.push(match (scalar(before), scalar(now)) {
            (Some(before), Some(now)) => format!("`{key}` goes from {before} to {now}"),
            _ => {
                let count = |value: Option<&Value>| match value {
                    Some(Value::Sequence(items)) => items.len(),
                    Some(Value::Mapping(map)) => map.len(),
                    _ => 0,
                };
                match (count(before), count(now)) {
                    (0, 1) => format!("`{key}` is set, with one entry"),
                    (0, now) => format!("`{key}` is set, with {now} entries"),
                    (_, 0) => format!("`{key}` is emptied"),
                    (before, now) => format!("`{key}` is changed ({before} before, {now} now)"),
                }
            }
        });
    }
    changed
}
