//! Where results stand: from URIs to files of the scan. Nothing outside the root is looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::form::{Artifact, Described, Region, Run};
use crate::discover::{Discovered, MAX_BYTES, repository_of};
use crate::escape::plain;
use crate::filesystem::{Disk, FileSystem, Kind};
use crate::secret;
use crate::source::{ColumnUnit, FileId, Position, Source, Span};

/// Bytes of files that are read only to show places in them, all together.
const MAX_TOTAL_BYTES: u64 = 256 << 20;
/// How often a base may be relative to another.
const MAX_BASES: usize = 8;

/// A file as a tool names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// From the root of the file system.
    pub absolute: Option<String>,
    /// From a folder that is to be found out: as it stands, and decoded.
    pub relative: Vec<String>,
    /// For people: without what is secret in it.
    pub shown: String,
    /// Whether something is.
    pub is_secret: bool,
}

impl Named {
    fn new(name: &str, absolute: Option<String>, relative: Vec<String>) -> Named {
        // `postgres://user:password@host` may have lost a slash on its way.
        let whole = match name.split_once(":/") {
            Some((scheme, rest)) if !rest.starts_with('/') && has_scheme(name) => format!("{scheme}://{rest}"),
            _ => name.to_string(),
        };
        let masked = secret::without_secrets(&whole);
        let is_secret = masked != whole;
        Named { absolute, relative, shown: shown(if is_secret { &masked } else { name }), is_secret }
    }
}

/// What the names of a run are relative to.
pub(super) struct Bases<'a> {
    named: Option<&'a BTreeMap<String, Artifact>>,
    artifacts: &'a [Described],
    /// Folders, with a trailing `/`, in which the tool may have worked.
    folders: Vec<String>,
}

impl<'a> Bases<'a> {
    pub fn new(run: &'a Run) -> Bases<'a> {
        let named = run.original_uri_base_ids.as_ref();
        let directories =
            run.invocations.iter().flatten().filter_map(|invocation| invocation.working_directory.as_ref());
        let folders = named.into_iter().flat_map(|named| named.values()).chain(directories);
        let folders = folders
            .filter_map(|base| file_path(base.uri.as_deref()?))
            .map(|path| format!("{}/", path.trim_end_matches('/')));
        let folders = folders.filter(|folder| folder != "/").collect();
        Bases { named, artifacts: run.artifacts.as_deref().unwrap_or_default(), folders }
    }

    /// The file that is meant; none where the tool names none.
    pub fn resolve(&self, artifact: &Artifact) -> Option<Named> {
        let indexed = || {
            let index = usize::try_from(artifact.index?).ok()?;
            self.artifacts.get(index)?.location.as_ref()
        };
        let artifact = if artifact.uri.is_some() { artifact } else { indexed()? };
        let uri = artifact.uri.as_deref().filter(|uri| !uri.is_empty())?;
        // What a tool on another machine calls `/src/app.py`, with `/src` as one of its folders, is `app.py` here.
        let below = |path: &str| {
            let names = self.folders.iter().filter_map(|folder| path.strip_prefix(folder.as_str()));
            names.max_by_key(|name| name.len()).map(str::to_string)
        };
        if let Some(path) = file_path(uri) {
            let relative = below(&path).into_iter().collect();
            return Some(Named::new(&path, Some(path.clone()), relative));
        }
        if has_scheme(uri) {
            return Some(Named::new(uri, None, Vec::new()));
        }
        let decoded = decode(uri).unwrap_or_else(|| uri.to_string());
        let (folder, tail) = self.base(artifact);
        let absolute = folder.map(|folder| format!("{}/{tail}{decoded}", folder.trim_end_matches('/')));
        let absolute = absolute.or_else(|| decoded.starts_with('/').then(|| decoded.clone()));
        let mut relative: Vec<String> = absolute.as_deref().and_then(below).into_iter().collect();
        relative.push(format!("{tail}{}", decoded.trim_start_matches('/')));
        relative.push(decoded.trim_start_matches('/').to_string());
        relative.dedup();
        if decoded != uri {
            // Some tools write names as they are.
            relative.push(uri.to_string());
        }
        Some(Named::new(&decoded, absolute, relative))
    }

    /// The folder that a name is relative to by its base, if that is known, and what stands between the two.
    fn base(&self, artifact: &Artifact) -> (Option<String>, String) {
        let mut tail = String::new();
        let mut next = artifact.uri_base_id.as_ref();
        for _ in 0..MAX_BASES {
            let Some(base) = next.and_then(|id| self.named?.get(id)) else { break };
            let uri = base.uri.as_deref().unwrap_or("");
            if let Some(path) = file_path(uri) {
                return (Some(path), tail);
            }
            let part = decode(uri).unwrap_or_default();
            if !part.trim_matches('/').is_empty() {
                tail = format!("{}/{tail}", part.trim_matches('/'));
            }
            next = base.uri_base_id.as_ref();
        }
        (None, tail)
    }
}

/// The path of a `file:` URI of this machine.
fn file_path(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("file:").or_else(|| uri.strip_prefix("FILE:"))?;
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    let path = decode(path)?;
    // `/C:/repo` is a path of Windows.
    let drive = path.strip_prefix('/').filter(|rest| rest.as_bytes().get(1) == Some(&b':'));
    match drive {
        Some(path) => Some(path.to_string()),
        None => path.starts_with('/').then_some(path),
    }
}

/// Whether a URI is absolute; one letter and a colon begin a path of Windows.
fn has_scheme(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+.-".contains(char))
    })
}

/// Percent-encoding undone; none if what comes out is no text.
fn decode(uri: &str) -> Option<String> {
    let bytes = uri.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok().filter(|path| !path.contains('\0'))
}

fn shown(path: &str) -> String {
    plain(path.trim_start_matches("./")).chars().take(500).collect()
}

/// `a/./b/../c` as `a/c`; none if it leads out or is nothing.
fn normal(path: &str) -> Option<String> {
    let path = if path.contains('/') { path.to_string() } else { path.replace('\\', "/") };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Finds files for names, among those of the scan first.
pub(super) struct Places<'a> {
    discovered: &'a mut Discovered,
    /// Folders, relative to the root of the scan by what stands before a name in them; those above by what is taken off.
    folders: Vec<Folder>,
    by_path: FxHashMap<String, FileId>,
    by_name: FxHashMap<Named, FileId>,
    bytes_left: u64,
}

/// A folder in which a tool may have worked.
enum Folder {
    /// Below the root of the scan: put before a name.
    Below(String),
    /// The root, or above it: taken off a name.
    Above(String),
}

impl std::hash::Hash for Named {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.absolute, &self.relative, &self.shown).hash(state);
    }
}

impl<'a> Places<'a> {
    pub fn new(discovered: &'a mut Discovered) -> Places<'a> {
        let root = discovered.root.clone();
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
        let candidates = [here, Some(root.clone()), repository_of(&root).map(Path::to_path_buf)];
        let folder = |folder: PathBuf| {
            let text = |path: &Path| path.to_str().map(|path| format!("{path}/").trim_start_matches('/').to_string());
            match (root.strip_prefix(&folder), folder.strip_prefix(&root)) {
                (Ok(below), _) => text(below).map(Folder::Above),
                (_, Ok(below)) => text(below).map(Folder::Below),
                _ => None,
            }
        };
        let folders = candidates.into_iter().flatten().filter_map(folder).collect();
        let by_path = discovered.sources.iter().map(|(id, source)| (source.path().to_string(), id)).collect();
        Places { discovered, folders, by_path, by_name: FxHashMap::default(), bytes_left: MAX_TOTAL_BYTES }
    }

    /// The file of this name, which may be one that nobody has the text of.
    pub fn file(&mut self, named: &Named) -> FileId {
        if let Some(file) = self.by_name.get(named) {
            return *file;
        }
        let file = self.find(named);
        self.by_name.insert(named.clone(), file);
        file
    }

    fn find(&mut self, named: &Named) -> FileId {
        let mut paths: Vec<String> = Vec::new();
        let absolute = named.absolute.as_deref().and_then(|path| {
            let root = self.discovered.root.to_str()?.replace('\\', "/");
            normal(path.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/')?)
        });
        paths.extend(absolute);
        for name in &named.relative {
            for folder in &self.folders {
                paths.extend(match folder {
                    Folder::Below(before) => normal(&format!("{before}{name}")),
                    Folder::Above(before) => {
                        normal(name).and_then(|name| name.strip_prefix(before.as_str()).map(str::to_string))
                    }
                });
            }
        }
        for path in &paths {
            if let Some(file) = self.by_path.get(path) {
                return *file;
            }
            if let Some(file) = self.read(path) {
                return file;
            }
        }
        let path = paths.into_iter().next().filter(|_| !named.is_secret);
        self.named(path.unwrap_or_else(|| named.shown.clone()))
    }

    /// A file of which there is only the name.
    pub fn named(&mut self, path: String) -> FileId {
        if let Some(file) = self.by_path.get(&path) {
            return *file;
        }
        let file = self.discovered.sources.add(Source::unread(path.as_str()));
        self.by_path.insert(path, file);
        file
    }

    /// Reads a regular file below the root, by a way without links that lead out.
    fn read(&mut self, path: &str) -> Option<FileId> {
        let full = self.discovered.root.join(path);
        let is_below =
            Disk.kind(&full).ok()? == Kind::File && Disk.real(&full).ok()?.starts_with(&self.discovered.root);
        if !is_below {
            return None;
        }
        let text = Disk.text(&full, MAX_BYTES.min(self.bytes_left)).ok().filter(|text| !text.contains('\0'))?;
        self.bytes_left = self.bytes_left.saturating_sub(text.len() as u64);
        let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
        let file = self.discovered.sources.add(Source::aside(path, text));
        self.by_path.insert(path.to_string(), file);
        Some(file)
    }

    /// The line to mend and all of the region, and whether the file has such a line.
    pub fn spans(&self, file: FileId, region: Option<Region>, code_points: bool) -> (Span, Span, bool) {
        let source = self.discovered.sources.get(file);
        let region = region.unwrap_or_default();
        let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0);
        let first = number(region.start_line);
        let Some(lines) = source.lines() else {
            let line = first.unwrap_or(1);
            let at = Span::new(file, line - 1, line - 1);
            return (at, Span { end: number(region.end_line).unwrap_or(line).max(line) - 1, ..at }, true);
        };
        let unit = if code_points { ColumnUnit::CodePoint } else { ColumnUnit::Utf16 };
        if let (None, Some(offset)) = (first, region.char_offset.and_then(|offset| u32::try_from(offset).ok())) {
            let length = region.char_length.and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
            let start = source.offset_of_char(offset, unit);
            let end = source.offset_of_char(offset.saturating_add(length), unit);
            let whole = Span::new(file, start, end);
            return (line_of(source, whole), whole, true);
        }
        let first = first.unwrap_or(1);
        let is_there = first <= lines.max(1);
        let first = first.min(lines.max(1));
        let last = number(region.end_line).unwrap_or(first).clamp(first, lines.max(1));
        let at = |line, column| source.offset(Position { line, column }, unit);
        let start = at(first, number(region.start_column).unwrap_or(1));
        let end = match number(region.end_column) {
            Some(column) if last > first || Some(column) > number(region.start_column) => at(last, column),
            _ => at(last, u32::MAX),
        };
        let whole = Span::new(file, start, end.max(start));
        (line_of(source, whole), whole, is_there)
    }

    /// The scan, with the files that were read for places.
    pub fn discovered(&self) -> &Discovered {
        self.discovered
    }
}

/// The first line of a region without the blanks around it; the line itself where nothing of it is left.
fn line_of(source: &Source, whole: Span) -> Span {
    let first = source.first_line(whole);
    let text = source.slice(first);
    let blank = (text.len() - text.trim_start().len()) as u32;
    if blank < first.end - first.start {
        return Span { start: first.start + blank, ..first };
    }
    let line = source.line(whole.start);
    let start = source.offset(Position { line, column: 1 }, ColumnUnit::Utf16);
    let text = source.line_text(line);
    let blank = (text.len() - text.trim_start().len()) as u32;
    Span { start: start + blank, end: start + text.trim_end().len() as u32, ..whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_but_below() {
        assert_eq!(normal("./a//b/../c").as_deref(), Some("a/c"));
        assert_eq!(normal("a\\b.py").as_deref(), Some("a/b.py"));
        for path in ["..", "a/../../b", "", ".", "/../x"] {
            assert_eq!(normal(path), None, "{path}");
        }
        assert_eq!(file_path("file:///repo/a%20b.py").as_deref(), Some("/repo/a b.py"));
        assert_eq!(file_path("file:/repo/a.py").as_deref(), Some("/repo/a.py"));
        assert_eq!(file_path("file:///C:/repo/a.py").as_deref(), Some("C:/repo/a.py"));
        assert_eq!(file_path("file://host/share/a.py"), None);
        assert_eq!(file_path("file:///repo/%00"), None);
        assert!(
            has_scheme("https://x.example/a")
                && has_scheme("git::https://x")
                && !has_scheme("C:/a")
                && !has_scheme("a/b:c")
        );
        assert_eq!(decode("%zz%"), Some("%zz%".into()));
        assert_eq!(decode("%ff"), None);
    }
}
