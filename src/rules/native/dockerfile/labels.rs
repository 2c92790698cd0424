//! Labels: their keys, and the schema of an organization.

use std::sync::LazyLock;

use regex::Regex;

use super::{Cx, Findings, Native, of_keyword, report};
use crate::model::dockerfile::{Dockerfile, Instruction, Stage, Word};
use crate::rules::options::LabelKind;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-malformed-label-key", Native::Dockerfile(malformed_key)),
    ("docker-missing-label", Native::Dockerfile(missing)),
    ("docker-superfluous-label", Native::Dockerfile(superfluous)),
    ("docker-empty-label", Native::Dockerfile(empty)),
    ("docker-label-invalid-url", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Url, out))),
    ("docker-label-invalid-time", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Rfc3339, out))),
    ("docker-label-invalid-spdx", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Spdx, out))),
    ("docker-label-invalid-git-hash", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Hash, out))),
    ("docker-label-invalid-semver", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Semver, out))),
    ("docker-label-invalid-email", Native::Dockerfile(|cx, file, out| typed(cx, file, LabelKind::Email, out))),
];

/// Docker's guidelines for keys: <https://docs.docker.com/engine/manage-resources/labels/>.
fn is_well_formed(key: &str) -> bool {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[a-z](?:[a-z0-9._/-]*[a-z0-9])?$").expect("the pattern is fixed"));
    let reserved = ["com.docker.", "io.docker.", "org.dockerproject."];
    PATTERN.is_match(key)
        && !key.contains("..")
        && !key.contains("--")
        && !reserved.iter().any(|prefix| key.starts_with(prefix))
}

fn malformed_key(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for label in of_keyword(file, "LABEL") {
        if let Some((key, _)) = label.pairs().iter().find(|(key, _)| !is_well_formed(bare(&key.text))) {
            let message =
                format!("label key {:?} is malformed, wanted lower case such as org.example.name", bare(&key.text));
            report(cx, file, label, message, out);
        }
    }
}

fn bare(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

fn labels_of<'f>(file: &'f Dockerfile, stage: &'f Stage) -> impl Iterator<Item = &'f (Word, Option<Word>)> {
    file.of(stage).iter().filter(|one| one.keyword == "LABEL").flat_map(Instruction::pairs)
}

fn missing(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in file.stages.iter().filter(|stage| stage.base.is_some()) {
        if stage.is_base || stage.is_source {
            continue;
        }
        for name in cx.options.dockerfile.labels.keys() {
            let has = file.lineage(stage).any(|stage| labels_of(file, stage).any(|(key, _)| bare(&key.text) == name));
            if !has {
                let at = cx.sources.get(file.file).first_line(stage.head);
                out.at(at, "label", format!("label {name} is missing"));
            }
        }
    }
}

fn superfluous(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let options = &cx.options.dockerfile;
    if !options.strict_labels {
        return;
    }
    for label in of_keyword(file, "LABEL") {
        let unknown = label.pairs().iter().find(|(key, _)| !options.labels.contains_key(bare(&key.text)));
        if let Some((key, _)) = unknown {
            report(cx, file, label, format!("label {} is not in the schema", bare(&key.text)), out);
        }
    }
}

/// Labels of this kind with their values; an instruction counts once.
fn of_kind<'f>(
    cx: &'f Cx<'_>,
    file: &'f Dockerfile,
    kind: LabelKind,
) -> impl Iterator<Item = (&'f Instruction, &'f str, &'f str)> {
    of_keyword(file, "LABEL").flat_map(move |label| {
        let pairs = label.pairs().iter();
        pairs.filter_map(move |(key, value)| {
            let key = bare(&key.text);
            let is_kind = cx.options.dockerfile.labels.get(key) == Some(&kind);
            is_kind.then(|| (label, key, value.as_ref().map_or("", |value| bare(&value.text))))
        })
    })
}

fn empty(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (label, key, value) in of_kind(cx, file, LabelKind::Text) {
        if value.is_empty() {
            report(cx, file, label, format!("label {key} is empty"), out);
        }
    }
}

fn typed(cx: &Cx, file: &Dockerfile, kind: LabelKind, out: &mut Findings) {
    for (label, key, value) in of_kind(cx, file, kind) {
        if value.contains('$') {
            out.undecided();
        } else if !fits(kind, value) {
            report(cx, file, label, format!("label {key} is no {}", kind.noun()), out);
        }
    }
}

fn fits(kind: LabelKind, value: &str) -> bool {
    static URL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$").expect("the pattern is fixed"));
    static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$")
            .expect("the pattern is fixed")
    });
    match kind {
        LabelKind::Text | LabelKind::RawText => true,
        LabelKind::Url => URL.is_match(value),
        LabelKind::Email => EMAIL.is_match(value),
        LabelKind::Hash => {
            matches!(value.len(), 7 | 40) && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        LabelKind::Semver => semver::Version::parse(value).is_ok(),
        LabelKind::Spdx => spdx::license_id(value).is_some_and(|id| id.name == value && !id.is_deprecated()),
        LabelKind::Rfc3339 => is_rfc3339(value),
    }
}

fn is_rfc3339(value: &str) -> bool {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$",
        )
        .expect("the pattern is fixed")
    });
    PATTERN.captures(value).is_some_and(|found| crate::suppress::Date::parse(&found[1]).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_to_their_kind() {
        for (kind, good, bad) in [
            (LabelKind::Url, "https://acme.test/app", "acme.test"),
            (LabelKind::Rfc3339, "2026-02-28T10:26:33.5+01:00", "2026-02-29T10:26:33Z"),
            (LabelKind::Spdx, "Apache-2.0", "apache2"),
            (LabelKind::Hash, "2dbfae9", "2dbfae99"),
            (LabelKind::Semver, "1.2.3-rc.1", "1.2"),
            (LabelKind::Email, "ops@acme.test", "ops at acme"),
        ] {
            assert!(fits(kind, good) && !fits(kind, bad), "{kind:?}");
        }
    }
}
