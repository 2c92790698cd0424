//! hadolint's configuration, read for the rules that both have: a repository that has one need not say things twice.
//! `gate.yaml` goes before it. Its thresholds and output options are those of hadolint and mean nothing here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::read::dockerfile_options;
use super::{Config, Error, MAX_BYTES, RuleSettings, form};
use crate::filesystem::{FileSystem, Kind};
use crate::finding::Severity;
use crate::path::shown;
use crate::rules::Catalog;
use crate::rules::options::LabelKind;
use crate::settings_yaml;

/// The names of the file, as hadolint looks for them in its working directory.
pub const NAMES: [&str; 2] = [".hadolint.yaml", ".hadolint.yml"];

/// The keys that mean something for rules; all others are left alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hadolint {
    ignored: Option<Vec<String>>,
    #[serde(rename = "override")]
    levels: Option<BTreeMap<String, Option<Vec<String>>>>,
    #[serde(rename = "trustedRegistries")]
    trusted_registries: Option<Vec<String>>,
    #[serde(rename = "label-schema")]
    label_schema: Option<BTreeMap<String, LabelKind>>,
    #[serde(rename = "strict-labels")]
    strict_labels: Option<bool>,
    #[serde(rename = "disable-ignore-pragma")]
    disable_ignore_pragma: Option<bool>,
}

/// The nearest file from the root of the scan up to that of its repository.
fn find(files: &dyn FileSystem, root: &Path) -> Option<PathBuf> {
    let top = crate::discover::repository_of(root).unwrap_or(root);
    let folders = root.ancestors().take_while(|folder| folder.starts_with(top));
    let mut paths = folders.flat_map(|folder| NAMES.map(|name| folder.join(name)));
    // A link could lead out of the tree.
    paths.find(|path| files.kind(path).is_ok_and(|kind| kind == Kind::File))
}

impl Config {
    /// Reads hadolint's configuration too, unless hadolint is none of the dialects that count.
    pub(super) fn with_hadolint(mut self, files: &dyn FileSystem, root: &Path) -> Result<Config, Error> {
        if !self.dialects.contains(&"hadolint") {
            return Ok(self);
        }
        let Some(path) = find(files, root) else { return Ok(self) };
        let unreadable = |reason: String| Error::Unreadable {
            path: shown(&path),
            reason,
            help: Some("mend it, or leave `hadolint` out of `dialects` in gate.yaml".into()),
        };
        let text = files.text(&path, MAX_BYTES).map_err(|error| unreadable(crate::discover::io_reason(&error)))?;
        let read: Option<Hadolint> = settings_yaml::read(&text).map_err(unreadable)?;
        self.hadolint = read;
        Ok(self)
    }

    /// Takes over what hadolint's configuration says of rules that the catalog has: rules of shell scripts are not among them.
    pub fn adopt_hadolint(&mut self, catalog: &Catalog) {
        let Some(hadolint) = self.hadolint.take() else { return };
        let settings = |config: &Config, rule: usize| {
            let named = config.rules.iter().find(|(name, _)| catalog.named(name).contains(&rule));
            named.map(|(_, settings)| *settings)
        };
        for code in hadolint.ignored.into_iter().flatten() {
            let rules = catalog.named(&code);
            let is_on = |rule: &usize| settings(self, *rule).and_then(|settings| settings.enabled) == Some(true);
            if !rules.is_empty() && !rules.iter().any(is_on) {
                self.ignore_rules.push(code);
            }
        }
        for (level, codes) in hadolint.levels.into_iter().flatten() {
            let severity = match level.as_str() {
                "error" => Severity::High,
                "warning" => Severity::Medium,
                "info" | "style" => Severity::Low,
                _ => continue,
            };
            for code in codes.into_iter().flatten() {
                let rules = catalog.named(&code);
                if rules.is_empty() || rules.iter().any(|rule| settings(self, *rule).is_some()) {
                    continue;
                }
                let is_off = rules.iter().any(|rule| !catalog.rules()[*rule].default);
                let enabled = is_off.then_some(true);
                self.rules.insert(code, RuleSettings { severity: Some(severity), enabled, ignorable: true });
            }
        }
        let theirs = dockerfile_options(form::Dockerfile {
            trusted_registries: hadolint.trusted_registries.filter(|list| !list.is_empty()),
            label_schema: hadolint.label_schema,
            strict_labels: hadolint.strict_labels,
        });
        let ours = &mut self.options.dockerfile;
        if ours.trusted_registries.is_none() {
            ours.trusted_registries = theirs.trusted_registries;
        }
        if ours.labels.is_empty() {
            (ours.labels, ours.strict_labels) = (theirs.labels, ours.strict_labels || theirs.strict_labels);
        }
        if hadolint.disable_ignore_pragma == Some(true) {
            self.dialects.retain(|dialect| *dialect != "hadolint");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopted(gate: &str, hadolint: &str) -> Config {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let root = folder.path().canonicalize().expect("the folder is there");
        std::fs::write(root.join(".hadolint.yaml"), hadolint).expect("the folder is writable");
        let config = Config::parse("gate.yaml", gate, &root, &root).expect("the configuration is right");
        let mut config =
            config.with_hadolint(&crate::filesystem::Disk, &root).expect("hadolint's configuration is right");
        config.adopt_hadolint(&Catalog::built_in());
        config
    }

    #[test]
    fn hadolint_settings_hold_for_the_same_rules() {
        let config = adopted(
            "",
            "ignored: [DL3008, SC2046]\noverride:\n  error: [DL3059]\n  warning: [DL3057]\ntrustedRegistries: [ghcr.io]\nlabel-schema:\n  maintainer: email\nno-fail: true\n",
        );
        assert_eq!(config.ignore_rules, ["DL3008"]);
        assert_eq!(config.rules["DL3059"].severity, Some(Severity::High));
        assert_eq!(config.rules["DL3057"].enabled, Some(true));
        assert_eq!(config.options.dockerfile.trusted_registries.as_deref(), Some(&["ghcr.io".to_string()][..]));
        assert_eq!(config.options.dockerfile.labels.len(), 1);
    }

    #[test]
    fn gate_yaml_goes_before_it() {
        let gate = "rules:\n  docker-unpinned-apt-package: { enabled: true, severity: low }\ndockerfile:\n  trusted-registries: [docker.io]\n";
        let config = adopted(gate, "ignored: [DL3008]\noverride:\n  error: [DL3008]\ntrustedRegistries: [ghcr.io]\n");
        assert!(config.ignore_rules.is_empty() && config.rules.len() == 1);
        assert_eq!(config.options.dockerfile.trusted_registries.as_deref(), Some(&["docker.io".to_string()][..]));
        let config = adopted("dialects: [checkov]\n", "ignored: [DL3008]\n");
        assert!(config.ignore_rules.is_empty());
    }
}
