//! Links: what is read through them.

use std::path::PathBuf;

use super::walk::{Candidate, Found, Scope, is_certain, unread};
use super::{claims_of, io_reason};
use crate::filesystem::Kind;

const LEADS_OUT: &str = "link that leads out of the scanned folder, not followed";

impl Scope<'_> {
    /// Decides on a link by its name and by where it leads, without following it into a folder.
    pub fn link(&self, path: PathBuf, found: &mut Found) {
        let claims = claims_of(self.frontends, &path);
        let target = match self.files.real(&self.root.join(&path)) {
            Ok(target) => target,
            Err(error) => {
                let reason = match error.kind() {
                    std::io::ErrorKind::NotFound => "link to nothing".into(),
                    _ => io_reason(&error),
                };
                return found.lose(&path, &reason, &claims);
            }
        };
        let inside = target.starts_with(self.root);
        let kind = self.files.kind(&target).ok();
        let is_file = kind == Some(Kind::File);
        let is_certain = is_certain(&claims);
        if kind == Some(Kind::Folder) {
            let reason = if inside { "link to a folder, which is met where it lies" } else { LEADS_OUT };
            return found.skip(&path, reason);
        }
        match (inside, is_certain) {
            (true, true) if is_file => {
                found.candidates.push(Candidate { path, claims, searched: false, asked: true });
            }
            (true, _) if claims.is_empty() => {}
            (true, _) if is_file => found.skip(&path, "link to a file, which is met where it lies"),
            (_, true) if is_file => found.problems.push(
                unread(&path, LEADS_OUT)
                    .help("scan a folder that holds the link and the file, or exclude the link in gate.yaml"),
            ),
            (false, _) => found.lose(&path, LEADS_OUT, &claims),
            (true, _) => found.lose(&path, "link to something that is not a regular file", &claims),
        }
    }
}
