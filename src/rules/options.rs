//! What the configuration tells rules beside turning them on and off: facts about an organization that several rules read.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Options of all rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Options of rules about Dockerfiles.
    pub dockerfile: DockerfileOptions,
    /// Options of rules about Kubernetes.
    pub kubernetes: KubernetesOptions,
}

/// Options where nothing is configured.
static NONE: Options = Options {
    dockerfile: DockerfileOptions { trusted_registries: None, labels: BTreeMap::new(), strict_labels: false },
    kubernetes: KubernetesOptions { minor: None },
};

impl Options {
    /// Options where nothing is configured.
    pub fn none() -> &'static Options {
        &NONE
    }
}

/// Options of rules about Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesOptions {
    /// The minor version of Kubernetes 1 that the cluster runs; none where the newest is meant.
    pub minor: Option<u8>,
}

/// Options of rules about Dockerfiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerfileOptions {
    /// Registries that images may come from, `*` first for any subdomain; none where all are trusted.
    pub trusted_registries: Option<Vec<String>>,
    /// Labels that images must have, with the kind of their values.
    pub labels: BTreeMap<String, LabelKind>,
    /// Whether images may have no others.
    pub strict_labels: bool,
}

/// The kind of a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// Any text but an empty one.
    Text,
    /// Any text.
    RawText,
    /// An absolute address.
    Url,
    /// A time as in RFC 3339.
    Rfc3339,
    /// An id of the SPDX list of licenses.
    Spdx,
    /// A git commit, of 7 or 40 digits.
    Hash,
    /// A semantic version.
    Semver,
    /// An e-mail address.
    Email,
}

impl LabelKind {
    /// What a value of this kind is called.
    pub fn noun(self) -> &'static str {
        match self {
            LabelKind::Text | LabelKind::RawText => "text",
            LabelKind::Url => "URL",
            LabelKind::Rfc3339 => "time of RFC 3339",
            LabelKind::Spdx => "SPDX license id",
            LabelKind::Hash => "git hash",
            LabelKind::Semver => "semantic version",
            LabelKind::Email => "e-mail address",
        }
    }
}
