//! Paths by pattern, as `exclude` and `ignore` name them.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// Patterns relative to the folder of the configuration file.
///
/// `*` stays within a name, `**` crosses folders. A pattern without `/` means a name at any depth. A pattern that
/// matches a folder covers everything below it; one that ends in `/` or `/**` covers what is below and the folder itself.
#[derive(Debug, Clone, Default)]
pub struct PathGlobs {
    base: PathBuf,
    globs: Vec<GlobMatcher>,
}

impl PathGlobs {
    /// Compiles patterns; the error names the first that is none, by its index.
    pub fn new<S: AsRef<str>>(base: impl Into<PathBuf>, patterns: &[S]) -> Result<PathGlobs, (usize, String)> {
        let compile = |(index, pattern): (usize, &S)| compile(pattern.as_ref()).map_err(|reason| (index, reason));
        let globs = patterns.iter().enumerate().map(compile).collect::<Result<_, _>>()?;
        Ok(PathGlobs { base: base.into(), globs })
    }

    /// Whether `path` (absolute, without links) or a folder above it is meant. Paths outside the base never are.
    pub fn matches(&self, path: &Path) -> bool {
        let Ok(path) = path.strip_prefix(&self.base) else { return false };
        !self.globs.is_empty()
            && path
                .ancestors()
                .filter(|part| !part.as_os_str().is_empty())
                .any(|part| self.globs.iter().any(|glob| glob.is_match(part)))
    }
}

fn compile(pattern: &str) -> Result<GlobMatcher, String> {
    let trimmed = pattern.trim_start_matches("./");
    let below = trimmed.strip_suffix("/**").or_else(|| trimmed.strip_suffix('/')).unwrap_or(trimmed);
    if below.is_empty() {
        return Err("an empty pattern matches nothing".into());
    }
    let anchored = match below.strip_prefix('/') {
        Some(rest) => rest.to_string(),
        None if trimmed.trim_end_matches('/').contains('/') => below.to_string(),
        None => format!("**/{below}"),
    };
    let glob = GlobBuilder::new(&anchored).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
    Ok(glob.compile_matcher())
}
