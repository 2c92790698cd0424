//! Suppressions: comments, annotations and entries of `gate.yaml` that take findings out of the verdict.

mod date;

pub use date::Date;

/// Names of the tools whose suppressions are understood.
pub const DIALECTS: &[&str] = &["checkov", "trivy", "tfsec", "hadolint", "kics", "kube-linter"];
