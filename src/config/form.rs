//! The form of `gate.yaml`: its keys and their types, from which the published schema is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::rules::options::LabelKind;
use crate::severity::Severity;

/// Configuration of gate. Paths are relative to the folder of this file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    /// Version of this format.
    #[cfg_attr(test, schemars(range(min = 1, max = 1)))]
    pub version: Option<u64>,
    /// Least severity that closes the gate; medium unless set.
    pub fail_on: Option<Threshold>,
    /// Undecided checks and notes close the gate too.
    pub strict: bool,
    /// Files and folders that are not scanned, as patterns; one without `/` means a name at any depth.
    #[serde(deserialize_with = "or_empty")]
    pub exclude: Vec<String>,
    /// Results of other tools, as SARIF files, that join the verdict; a scan without one of them can't be decided.
    #[serde(deserialize_with = "or_empty")]
    pub imports: Vec<String>,
    /// Files and folders with rules of your own, YAML or Rego.
    #[serde(deserialize_with = "or_empty")]
    pub policies: Vec<String>,
    /// Baseline: a file of findings that are accepted, as `gate baseline write` makes it.
    pub baseline: Option<String>,
    /// Rules to run: ids, aliases, packs, prefixes, `default`, `all`.
    #[serde(deserialize_with = "or_empty")]
    pub select: Vec<String>,
    /// Rules not to run: ids, aliases, packs, prefixes.
    #[serde(deserialize_with = "or_empty")]
    pub ignore_rules: Vec<String>,
    /// Settings of single rules, by id or alias.
    #[serde(deserialize_with = "or_empty")]
    pub rules: BTreeMap<String, Rule>,
    /// Findings that are accepted.
    #[serde(deserialize_with = "or_empty")]
    pub ignore: Vec<Ignore>,
    /// Syntaxes of other tools whose suppressions act too; all unless set.
    pub dialects: Option<Vec<Dialect>>,
    /// Whether a suppression in gate's own syntax acts only with a reason; true unless set.
    pub require_reason: Option<bool>,
    /// What may stay unread without closing the gate.
    #[serde(deserialize_with = "or_empty")]
    pub accept_unread: Vec<Unread>,
    /// Settings for Terraform.
    #[serde(deserialize_with = "or_empty")]
    pub terraform: Terraform,
    /// Settings for Dockerfiles; what is not set here is taken from `.hadolint.yaml`.
    #[serde(deserialize_with = "or_empty")]
    pub dockerfile: Dockerfile,
    /// Settings for Kubernetes.
    #[serde(deserialize_with = "or_empty")]
    pub kubernetes: Kubernetes,
}

/// Least severity that closes the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Threshold {
    Critical,
    High,
    Medium,
    Low,
    #[serde(alias = "none")]
    Never,
}

/// Settings of one rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Rule {
    /// Severity in place of the rule's own.
    #[cfg_attr(test, schemars(with = "Option<SeverityName>"))]
    pub severity: Option<Severity>,
    /// Whether the rule runs.
    pub enabled: Option<bool>,
    /// Whether comments, annotations and entries of `ignore` may suppress it; true unless set.
    pub ignorable: Option<bool>,
}

/// Findings of one rule that are accepted, in some places or until some day.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Ignore {
    /// Id or alias of the rule.
    pub rule: String,
    /// Only in these files, as in `exclude`.
    #[serde(default)]
    pub paths: Option<Vec<String>>,
    /// Only for resources of this address; `*` stands for any text.
    #[serde(default)]
    pub address: Option<String>,
    /// Why that is right.
    #[serde(default)]
    pub reason: Option<String>,
    /// Last day on which the entry acts, as `2027-03-01`.
    #[cfg_attr(test, schemars(extend("format" = "date")))]
    #[serde(default)]
    pub until: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
}

/// A tool whose suppressions are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Dialect {
    Checkov,
    Trivy,
    Tfsec,
    Hadolint,
    Kics,
    KubeLinter,
    DetectSecrets,
    Gitleaks,
    Buildkit,
    // What imported results say of comments that their tools have understood.
    Sarif,
}

/// What may stay unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unread {
    /// Terraform modules that are fetched from elsewhere and not there.
    Modules,
}

/// Settings for Terraform.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Terraform {
    /// Variables files for root modules, in order.
    #[serde(deserialize_with = "or_empty")]
    pub var_files: Vec<String>,
    /// Environments by name, each with its variables files: every one is judged, and findings say where they hold. A file is
    /// for the root module it lies in or the nearest one above it; one above or beside all root modules is for all.
    #[serde(deserialize_with = "or_empty")]
    pub environments: BTreeMap<String, Vec<String>>,
}

/// Settings for Kubernetes.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Kubernetes {
    /// The version of the cluster, as `"1.31"`: what it still serves is deprecated and not removed. The newest unless set.
    pub version: Option<String>,
}

/// Settings for Dockerfiles.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dockerfile {
    /// Registries that images may come from; `*.acme.example` stands for all below, `*` for all. All are trusted unless set.
    pub trusted_registries: Option<Vec<String>>,
    /// Labels that images must have, with the kind of their values.
    pub label_schema: Option<BTreeMap<String, LabelKind>>,
    /// Whether images may have no other labels.
    pub strict_labels: Option<bool>,
}

#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
/// Severity of a rule.
enum SeverityName {
    Low,
    Medium,
    High,
    Critical,
}

/// A key without a value, as when all below it is commented out, is as good as none.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rewrite the file with `UPDATE_SCHEMA=1 cargo test --lib config`.
    #[test]
    fn the_published_schema_is_that_of_the_code() {
        let mut schema = serde_json::to_value(schemars::schema_for!(File)).expect("a schema is JSON");
        let head = schema.as_object_mut().expect("a schema is an object");
        head.insert("title".into(), "gate.yaml".into());
        let text = serde_json::to_string_pretty(&schema).expect("a value is JSON") + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gate.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &text).expect("the docs are writable");
        }
        assert_eq!(std::fs::read_to_string(path).expect("the schema is published"), text);
    }
}
