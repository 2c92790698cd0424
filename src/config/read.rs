//! From the text of a configuration to the configuration, with every mistake in its place.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::places::{Place, Step};
use super::wanted;
use super::{Config, Error, FailOn, Ignore, Named, PathGlobs, RuleSettings, form, invalid};
use crate::finding::Severity;
use crate::rules::Options;
use crate::rules::options::{DockerfileOptions, KubernetesOptions};
use crate::spelling::did_you_mean;
use crate::suppress::{DIALECTS, Date};

/// One file on its way to a [`Config`].
pub(super) struct Reader<'a> {
    pub path: &'a str,
    pub text: &'a str,
    /// What patterns are relative to.
    pub base: &'a Path,
    /// What policies and variables files are relative to.
    pub folder: &'a Path,
}

impl Reader<'_> {
    fn invalid(&self, at: Range<usize>, message: impl Into<String>, help: Option<&str>) -> Error {
        invalid(self.path, self.text, at, message.into(), help.map(str::to_string))
    }

    pub fn read(&self) -> Result<Config, Error> {
        let place = Place::read(self.text).map_err(|broken| self.invalid(broken.at, broken.message, broken.help))?;
        let file: Option<form::File> =
            serde_yaml::from_str(self.text).map_err(|error| self.mistyped(&place, &error))?;
        let file = file.unwrap_or_default();
        let key = |name| place.value(&[Step::Key(name)]);
        if file.version.is_some_and(|version| version != 1) {
            return Err(self.invalid(key("version"), "this version of the format is not known", Some("write 1")));
        }
        let mut names = Vec::new();
        for (name, tokens) in [("select", &file.select), ("ignore-rules", &file.ignore_rules)] {
            for (index, token) in tokens.iter().enumerate() {
                names.push((Named::Token, token.clone(), place.value(&[Step::Key(name), Step::Index(index)])));
            }
        }
        for rule in file.rules.keys() {
            names.push((Named::Rule, rule.clone(), place.key(&[Step::Key("rules")], rule)));
        }
        let mut ignore = Vec::new();
        let require_reason = file.require_reason.unwrap_or(true);
        for (index, entry) in file.ignore.iter().enumerate() {
            let way = [Step::Key("ignore"), Step::Index(index)];
            names.push((Named::Rule, entry.rule.clone(), place.value(&[way[0], way[1], Step::Key("rule")])));
            ignore.push(self.ignore(&place, way, entry, require_reason)?);
        }
        let mut paths = Vec::new();
        let policies =
            self.below(&file.policies, &mut paths, |index| place.value(&[Step::Key("policies"), Step::Index(index)]))?;
        let baseline: Vec<String> = file.baseline.iter().cloned().collect();
        let baseline = self.below(&baseline, &mut paths, |_| key("baseline"))?.pop();
        let var_files = self.below(&file.terraform.var_files, &mut paths, |index| {
            place.value(&[Step::Key("terraform"), Step::Key("var-files"), Step::Index(index)])
        })?;
        // Whether they are there is for the scan to say: tools write them just before it.
        let imports = self
            .below(&file.imports, &mut Vec::new(), |index| place.value(&[Step::Key("imports"), Step::Index(index)]))?;
        let mut environments = Vec::new();
        for (name, files) in &file.terraform.environments {
            let files = self.below(files, &mut paths, |index| {
                place.value(&[Step::Key("terraform"), Step::Key("environments"), Step::Key(name), Step::Index(index)])
            })?;
            environments.push((name.clone(), files));
        }
        let exclude = self.globs(&file.exclude, |index| place.value(&[Step::Key("exclude"), Step::Index(index)]))?;
        let rules = file.rules.into_iter().map(|(name, rule)| {
            let ignorable = rule.ignorable.unwrap_or(true);
            (name, RuleSettings { severity: rule.severity, enabled: rule.enabled, ignorable })
        });
        let kubernetes = KubernetesOptions { minor: self.minor(file.kubernetes.version.as_deref(), &place)? };
        Ok(Config {
            path: self.path.to_string(),
            fail_on: file.fail_on.map(threshold),
            strict: file.strict,
            exclude,
            imports,
            policies,
            baseline,
            select: file.select,
            ignore_rules: file.ignore_rules,
            rules: rules.collect(),
            ignore,
            dialects: file.dialects.map_or_else(|| DIALECTS.to_vec(), |list| list.into_iter().map(dialect).collect()),
            require_reason,
            accept_unread_modules: file.accept_unread.contains(&form::Unread::Modules),
            var_files,
            environments,
            options: Options { dockerfile: dockerfile_options(file.dockerfile), kubernetes },
            hadolint: None,
            text: self.text.to_string(),
            names,
            paths,
            folder: self.folder.to_path_buf(),
        })
    }

    /// The minor version of Kubernetes in `1.31`, `v1.31` or `1.31.2`.
    fn minor(&self, version: Option<&str>, place: &Place) -> Result<Option<u8>, Error> {
        let Some(version) = version else { return Ok(None) };
        let parts = version.trim_start_matches('v').strip_prefix("1.").map(|rest| rest.split('.').next());
        parts.flatten().and_then(|minor| minor.parse().ok()).map(Some).ok_or_else(|| {
            let at = place.value(&[Step::Key("kubernetes"), Step::Key("version")]);
            self.invalid(at, format!("`{version}` is no version of Kubernetes"), Some("write it as \"1.31\""))
        })
    }

    fn ignore(
        &self,
        place: &Place,
        way: [Step<'_>; 2],
        entry: &form::Ignore,
        require_reason: bool,
    ) -> Result<Ignore, Error> {
        let at = |key| place.value(&[way[0], way[1], Step::Key(key)]);
        let whole = place.value(&way);
        let reason = entry.reason.as_deref().unwrap_or("").trim().to_string();
        if reason.is_empty() && require_reason {
            let help = "add `reason:`, or set `require-reason: false`";
            return Err(self.invalid(whole, "this entry has no reason", Some(help)));
        }
        let until = match &entry.until {
            None => None,
            Some(text) => Some(Date::parse(text).ok_or_else(|| {
                self.invalid(at("until"), format!("`{text}` is not a date"), Some("write it as 2027-03-01"))
            })?),
        };
        let globs = |paths: &Vec<String>| {
            self.globs(paths, |index| place.value(&[way[0], way[1], Step::Key("paths"), Step::Index(index)]))
        };
        let line =
            self.text.as_bytes()[..whole.start.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count();
        Ok(Ignore {
            rule: entry.rule.clone(),
            paths: entry.paths.as_ref().map(globs).transpose()?,
            address: entry.address.clone(),
            reason,
            until,
            owner: entry.owner.clone(),
            line: line as u32 + 1,
        })
    }

    fn globs(&self, patterns: &[String], at: impl Fn(usize) -> Range<usize>) -> Result<PathGlobs, Error> {
        PathGlobs::new(self.base, patterns).map_err(|(index, reason)| {
            self.invalid(at(index), format!("`{}` is no pattern: {reason}", patterns[index]), None)
        })
    }

    /// Paths that stay below the folder of the file: what the tree brings along can't point out of it.
    fn below(
        &self,
        paths: &[String],
        places: &mut Vec<(PathBuf, Range<usize>)>,
        at: impl Fn(usize) -> Range<usize>,
    ) -> Result<Vec<PathBuf>, Error> {
        let mut below = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            let parts = || Path::new(path).components();
            if path.is_empty() || !parts().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
                let help = "name a path in this folder or below; for others there is the command line";
                return Err(self.invalid(
                    at(index),
                    format!("`{path}` leads out of the folder of this file"),
                    Some(help),
                ));
            }
            let full = self.folder.join(path);
            places.push((full.clone(), at(index)));
            below.push(full);
        }
        Ok(below)
    }

    /// An error of the YAML reader, with the key that was meant.
    fn mistyped(&self, place: &Place, error: &serde_yaml::Error) -> Error {
        let text = error.to_string();
        let offset = error.location().map_or(0, |location| location.index());
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let (kind, word, known) = match quoted.split_first() {
            Some((word, known)) if message.contains("unknown field `") => ("key", *word, known),
            Some((word, known)) if message.contains("unknown variant `") => ("value", *word, known),
            Some((word, _)) if message.contains("missing field `") => {
                return self.invalid(offset..offset, format!("the key `{word}` is missing"), None);
            }
            _ => {
                let (message, help) = wanted::told(message);
                return self.invalid(offset..self.text.len(), message, help);
            }
        };
        let at = match kind {
            "key" => place.nearest_key(word, offset).unwrap_or(offset..offset),
            _ => offset..self.text.len(),
        };
        let all = || known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let help = did_you_mean(word, known).unwrap_or_else(|| format!("known are {}", all()));
        self.invalid(at, format!("unknown {kind} `{word}`"), Some(&help))
    }
}

pub(super) fn dockerfile_options(form: form::Dockerfile) -> DockerfileOptions {
    DockerfileOptions {
        trusted_registries: form.trusted_registries,
        labels: form.label_schema.unwrap_or_default(),
        strict_labels: form.strict_labels.unwrap_or(false),
    }
}

fn threshold(threshold: form::Threshold) -> FailOn {
    match threshold {
        form::Threshold::Critical => FailOn::Severity(Severity::Critical),
        form::Threshold::High => FailOn::Severity(Severity::High),
        form::Threshold::Medium => FailOn::Severity(Severity::Medium),
        form::Threshold::Low => FailOn::Severity(Severity::Low),
        form::Threshold::Never => FailOn::Never,
    }
}

fn dialect(dialect: form::Dialect) -> &'static str {
    match dialect {
        form::Dialect::Checkov => "checkov",
        form::Dialect::Trivy => "trivy",
        form::Dialect::Tfsec => "tfsec",
        form::Dialect::Hadolint => "hadolint",
        form::Dialect::Kics => "kics",
        form::Dialect::KubeLinter => "kube-linter",
        form::Dialect::DetectSecrets => "detect-secrets",
        form::Dialect::Gitleaks => "gitleaks",
        form::Dialect::Buildkit => "buildkit",
        form::Dialect::Sarif => "sarif",
    }
}
