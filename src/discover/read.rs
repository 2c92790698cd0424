//! Reads candidates, each once and in parallel, and settles whose they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rayon::prelude::*;

use super::walk::{Candidate, Scope, is_certain};
use super::{escaped, io_reason, relative};
use crate::frontend::Claim;
use crate::problem::{Problem, ProblemKind};

/// What of a file too large to read is looked at to tell its format. Nobody keeps larger ones under version control, and whoever
/// has a larger one is told.
const MAX_SEARCHED_BYTES: u64 = 128 << 20;

/// What stands in a file whose content Git LFS keeps elsewhere.
const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/";

/// A file that was read.
#[derive(Debug)]
pub(super) struct Text {
    /// Relative to the root.
    pub path: String,
    pub text: String,
    /// Index of its frontend; none for a text that was kept for what is in it.
    pub frontend: Option<usize>,
    /// Whether it is to be judged, and not read for others' sake only.
    pub asked: bool,
}

/// What reading left over.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub problems: Vec<Problem>,
    pub skipped: Vec<(String, String)>,
    /// Texts of no format that were looked at.
    pub searched: usize,
}

impl Outcome {
    pub fn join(&mut self, other: Outcome) {
        self.problems.extend(other.problems);
        self.skipped.extend(other.skipped);
        self.searched += other.searched;
    }
}

/// One file.
enum Read1 {
    Text(Text),
    Problem(Problem),
    Skipped(String, String),
    /// Of no format; whether it was looked at nevertheless.
    Foreign(bool),
}

/// Reads all candidates; the order of the texts is that of the candidates.
pub(super) fn all(candidates: Vec<Candidate>, scope: &Scope<'_>, max_bytes: u64) -> (Vec<Text>, Outcome) {
    let read: Vec<Read1> = candidates.par_iter().map(|candidate| one(candidate, scope, max_bytes)).collect();
    let (mut texts, mut outcome) = (Vec::new(), Outcome::default());
    for one in read {
        match one {
            Read1::Text(text) => {
                outcome.searched += usize::from(text.frontend.is_none());
                texts.push(text);
            }
            Read1::Problem(problem) => outcome.problems.push(problem),
            Read1::Skipped(path, reason) => outcome.skipped.push((path, reason)),
            Read1::Foreign(searched) => outcome.searched += usize::from(searched),
        }
    }
    (texts, outcome)
}

fn one(candidate: &Candidate, scope: &Scope<'_>, max_bytes: u64) -> Read1 {
    let name = escaped(&candidate.path);
    let problem =
        |kind, message: String, help: &str| Read1::Problem(Problem::with_path(kind, &name, message).help(help));
    let bytes = match bytes(scope, candidate, max_bytes + 1) {
        Ok(bytes) => bytes,
        Err(reason) if candidate.claims.is_empty() => return Read1::Skipped(name, reason),
        Err(reason) => return problem(ProblemKind::Unread, reason, "make it readable, or exclude it in gate.yaml"),
    };
    if bytes.len() as u64 > max_bytes {
        return match may_have_owner(scope, candidate, &bytes) {
            true => problem(
                ProblemKind::Limit,
                format!("is larger than the limit of {}", size(max_bytes)),
                "split it, or exclude it in gate.yaml",
            ),
            false if candidate.claims.is_empty() && is_binary(&bytes) => Read1::Foreign(false),
            false => Read1::Skipped(name, format!("larger than {} and of no format that is read", size(max_bytes))),
        };
    }
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(broken) => {
            return match owner(scope, candidate, &broken.text) {
                Some(_) => problem(ProblemKind::Unread, broken.reason, broken.help),
                None => kept(scope, candidate, broken.text),
            };
        }
    };
    if text.starts_with(LFS_POINTER) && !candidate.claims.is_empty() {
        // Data under a name that leaves its format open, as the base has it, is nothing that a change hides.
        let is_old = || {
            let full = scope.root.join(&candidate.path);
            scope.change.is_some_and(|change| change.base.has_bytes(&full, text.as_bytes()))
        };
        return match !is_certain(&candidate.claims) && is_old() {
            true => Read1::Skipped(name, "a Git LFS pointer, as before the change".into()),
            false => problem(
                ProblemKind::Unread,
                "is a Git LFS pointer: what it stands for is not here".into(),
                "fetch it with `git lfs pull`, or exclude it in gate.yaml",
            ),
        };
    }
    let Some(frontend) = owner(scope, candidate, &text) else { return kept(scope, candidate, text) };
    match relative(&candidate.path) {
        Some(path) => Read1::Text(Text { path, text, frontend: Some(frontend), asked: candidate.asked }),
        None => problem(ProblemKind::Unread, "its name is not UTF-8".into(), "rename it"),
    }
}

/// A text of no format, if it is worth keeping for what is in it.
fn kept(scope: &Scope<'_>, candidate: &Candidate, text: String) -> Read1 {
    let Some(keep) = scope.keep.filter(|_| candidate.searched) else { return Read1::Foreign(false) };
    if is_binary(text.as_bytes()) {
        return Read1::Foreign(false);
    }
    let path = escaped(&candidate.path);
    // Who breaks on a text must not lose the scan.
    match catch_unwind(AssertUnwindSafe(|| keep(&path, &text))) {
        Ok(false) => Read1::Foreign(true),
        Ok(true) | Err(_) => Read1::Text(Text { path, text, frontend: None, asked: candidate.asked }),
    }
}

/// Whether the first bytes are those of no text.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8 << 10).any(|byte| *byte == 0)
}

/// At most `limit` bytes.
fn bytes(scope: &Scope<'_>, candidate: &Candidate, limit: u64) -> Result<Vec<u8>, String> {
    scope.files.read(&scope.root.join(&candidate.path), limit).map_err(|error| io_reason(&error))
}

/// Whether a file that is not read belongs to a format, as far as its first bytes tell.
pub(super) fn is_owned(scope: &Scope<'_>, path: &Path, claims: &[(usize, Claim)]) -> bool {
    let candidate = Candidate { path: path.to_path_buf(), claims: claims.to_vec(), searched: false, asked: false };
    is_certain(claims)
        || !claims.is_empty()
            && bytes(scope, &candidate, super::MAX_BYTES)
                .is_ok_and(|begin| owner(scope, &candidate, &lossy(&begin)).is_some())
}

/// The first frontend that has the file by its name, or by its text where the name leaves it open.
fn owner(scope: &Scope<'_>, candidate: &Candidate, text: &str) -> Option<usize> {
    let owns = |(frontend, claim): &(usize, Claim)| {
        // One that breaks on the text gets the file, so that it breaks where that is reported.
        *claim == Claim::Yes
            || catch_unwind(AssertUnwindSafe(|| scope.frontends[*frontend].recognizes(&candidate.path, text)))
                .unwrap_or(true)
    };
    candidate.claims.iter().find(|claim| owns(claim)).map(|(frontend, _)| *frontend)
}

/// Whether a file of which the first bytes are at hand, and which is too large to be read, may belong to a format. What it begins
/// with tells nothing: an object may stand behind any number of comments.
fn may_have_owner(scope: &Scope<'_>, candidate: &Candidate, begin: &[u8]) -> bool {
    if candidate.claims.is_empty() || owner(scope, candidate, &lossy(begin)).is_some() {
        return !candidate.claims.is_empty();
    }
    match bytes(scope, candidate, MAX_SEARCHED_BYTES) {
        Ok(all) => all.len() as u64 == MAX_SEARCHED_BYTES || owner(scope, candidate, &lossy(&all)).is_some(),
        Err(_) => true,
    }
}

/// Text that is not what formats are written in, as near as it can be read, to tell whose it would be.
struct Broken {
    text: String,
    reason: String,
    help: &'static str,
}

fn decode(bytes: Vec<u8>) -> Result<String, Broken> {
    let help = "save it as UTF-8";
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes[..] {
        return Err(Broken { text: lossy(&bytes), reason: "is UTF-16, not UTF-8".into(), help });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        Broken { text: lossy(error.as_bytes()), reason: format!("is not UTF-8 (line {line})"), help }
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_string(),
        None => text,
    };
    match text.find('\0') {
        None => Ok(text),
        Some(at) => {
            let line = text[..at].matches('\n').count() + 1;
            let reason = format!("holds a NUL byte (line {line}): not text");
            Err(Broken { text, reason, help: "remove the byte, or exclude the file in gate.yaml" })
        }
    }
}

/// The text with a replacement for what can't be decoded.
fn lossy(bytes: &[u8]) -> String {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_string(),
    };
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}
