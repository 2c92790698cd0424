//! Files and paths. Only what lies below the root of the scan is read, links included.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use globset::{GlobBuilder, GlobMatcher};

use super::{
    Answer, Function, MAX_ELEMENTS, MAX_TEXT, PATH, Place, STRING, Val, Want, Withheld, bounded, function, open,
    string, text,
};
use crate::filesystem::{Kind, is_version_control};
use crate::frontend::terraform::value::{self, Type, Unknown};
use crate::problem::ProblemKind;
use crate::source::Span;

pub(super) const FUNCTIONS: &[Function] = &[
    function("abspath", &[STRING], Want::String, |a, at| {
        let path = text(&a[0]);
        if path.starts_with('/') {
            return Ok(string(clean(path), at));
        }
        Ok(absolute(&clean(path), at.span))
    }),
    function("basename", &[STRING.unknown()], Want::String, |a, at| match &a[0].kind {
        // The last part may be known where the folder is not.
        value::Kind::Unknown(unknown) => {
            let known = unknown.template.as_deref().and_then(|text| text.rsplit_once("}/"));
            let last = known.map(|(_, rest)| basename(rest));
            let last = last.filter(|last| !last.contains("${") && !matches!(*last, "." | ".."));
            Ok(match last {
                Some(last) => string(last, at),
                // The folder that terraform runs in has some name.
                None if below_cwd(&a[0]).is_some() => Val::unknown(
                    Unknown { not_empty: true, prefix: None, template: None, ..(**unknown).clone() },
                    at.span,
                ),
                None => open(Type::String, a, at),
            })
        }
        _ => Ok(string(basename(text(&a[0])), at)),
    }),
    function("dirname", &[STRING.unknown()], Want::String, |a, at| match &a[0].kind {
        value::Kind::Unknown(_) => match below_cwd(&a[0]).map(|path| clean(&path)) {
            Some(path) if path != "." && !path.starts_with("..") => Ok(absolute(&dirname(&path), at.span)),
            _ => Ok(open(Type::String, a, at)),
        },
        _ => Ok(string(dirname(text(&a[0])), at)),
    }),
    function("file", &[PATH], Want::String, |a, at| bounded(read_text(at, text(&a[0]))?, at)),
    function("filebase64", &[PATH], Want::String, |a, at| bounded(STANDARD.encode(read(at, text(&a[0]))?), at)),
    function("fileexists", &[PATH], Want::Bool, |a, at| match candidate(at, text(&a[0])) {
        Ok(path) if at.files.target(&path) == Some(Kind::Folder) => Err("it is a folder, not a file".into()),
        Ok(_) => Ok(Val::bool(true, at.span)),
        Err(Missing::NotThere) => Ok(Val::bool(false, at.span)),
        Err(missing) => Err(missing.told(at, text(&a[0]))),
    }),
    function("fileset", &[PATH, STRING], Want::Set(&Want::String), fileset),
    function("pathexpand", &[STRING], Want::String, |a, at| {
        let path = text(&a[0]);
        match path.strip_prefix('~') {
            None => Ok(string(path, at)),
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') => {
                Err("only the own home folder can be expanded".into())
            }
            Some(rest) => {
                let home = std::env::var("HOME").map_err(|_| "there is no home folder")?;
                Ok(string(clean(&format!("{home}/{rest}")), at))
            }
        }
    }),
];

/// Why a path leads to nothing.
enum Missing {
    NotThere,
    Outside,
    /// It is there, for a reason not to be read.
    Withheld(&'static str),
    /// It belongs to what is judged and lies outside of what was given.
    Unread,
}

impl Missing {
    /// Tells why a path was not read, also to whoever called the function.
    fn told(self, at: &Place, path: &str) -> String {
        let (kind, message, help) = match self {
            Missing::NotThere => return format!("there is no file {path:?}"),
            Missing::Outside => return format!("{path:?} lies outside the scanned folder"),
            Missing::Withheld(why) => {
                let help = "gate reads for a text under judgement what git tracks: commit it or `git add` it";
                (ProblemKind::Evaluation, format!("{path:?} {why} and was not read"), help)
            }
            Missing::Unread => {
                let message = format!("{path:?} lies outside the scanned folder and was not read");
                (ProblemKind::Unread, message, "scan the folder that holds it")
            }
        };
        at.withheld.set(Some(Withheld { kind, message: message.clone(), help }));
        message
    }
}

/// The real path of what a path names: relative to the folder that terraform runs in. What lies outside of all that is judged
/// is not even looked for.
fn candidate(at: &Place, path: &str) -> Result<PathBuf, Missing> {
    let root = at.files.real(at.root).map_err(|_| Missing::NotThere)?;
    // Dots are resolved in the text of the path, before any link is.
    let joined = match path.starts_with('/') {
        true => PathBuf::from(clean(path)),
        false => below(&root, &clean(&format!("{}/{path}", at.folder))),
    };
    let top = at.reach.top(&root);
    if !joined.starts_with(top) {
        return Err(Missing::Outside);
    }
    let withheld = |why: Option<&'static str>| why.map_or(Ok(()), |why| Err(Missing::Withheld(why)));
    if at.reach.is_version_control(&joined, &root) {
        withheld(at.reach.withholds(&joined, &root))?;
    }
    let real = at.files.real(&joined).map_err(|_| Missing::NotThere)?;
    if !real.starts_with(top) {
        return Err(Missing::Outside);
    }
    withheld(at.reach.withholds(&real, &root))?;
    if real.starts_with(&root) { Ok(real) } else { Err(Missing::Unread) }
}

/// A folder, and from there a relative path that is clean.
fn below(folder: &Path, path: &str) -> PathBuf {
    let mut joined = folder.to_path_buf();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                joined.pop();
            }
            part => joined.push(part),
        }
    }
    joined
}

/// What begins a text that names a place below the folder that terraform runs in.
const CWD: &str = "${path.cwd}";

/// The path, relative to the folder that terraform runs in, of a text that is unknown for nothing but this folder's place on
/// the machine, as `path.cwd` and `abspath` give it.
fn below_cwd(value: &Val) -> Option<String> {
    let value::Kind::Unknown(unknown) = &value.kind else { return None };
    let rest = unknown.template.as_deref()?.strip_prefix(CWD)?;
    ((rest.is_empty() || rest.starts_with('/')) && !rest.contains("${")).then(|| format!(".{rest}"))
}

/// A path as functions that read files take it: what is unknown only for the place of the folder that terraform runs in names
/// a file all the same.
pub fn readable(path: Val) -> Val {
    match below_cwd(&path) {
        Some(relative) => Val::string(relative, path.span).marked(path.marks),
        None => path,
    }
}

/// The bytes of a file.
pub(super) fn read(at: &Place, path: &str) -> Result<Vec<u8>, String> {
    let real = candidate(at, path).map_err(|missing| missing.told(at, path))?;
    let bytes = at.files.read(&real, MAX_TEXT as u64 + 1).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => format!("{path:?} is no file"),
        _ => error.to_string(),
    })?;
    if bytes.len() > MAX_TEXT {
        return Err(format!("{path:?} is larger than the limit"));
    }
    Ok(bytes)
}

/// The text of a file in UTF-8.
pub fn read_text(at: &Place, path: &str) -> Result<String, String> {
    String::from_utf8(read(at, path)?).map_err(|_| format!("{path:?} is no UTF-8 text"))
}

/// A path without doubled slashes, `.` and `..`, as Go's `filepath.Clean`.
fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    match (is_rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

/// The folder that terraform runs in: where on the machine it lies is not known.
pub fn working_folder(span: Span) -> Val {
    absolute(".", span)
}

/// The absolute path of a clean relative one: known but for the folder that terraform runs in.
fn absolute(path: &str, span: Span) -> Val {
    let unknown = Unknown {
        ty: Type::String,
        reason: "the folder that terraform runs in is not known".into(),
        references: vec!["path.cwd".into()],
        not_null: true,
        not_empty: true,
        prefix: Some("/".into()),
        template: Some(if path == "." { CWD.into() } else { format!("{CWD}/{path}").into() }),
        arms: None,
    };
    Val::unknown(unknown, span)
}

/// All but the last part of a path, as Go's `filepath.Dir`.
fn dirname(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

/// The last part of a path, as Go's `filepath.Base`.
fn basename(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn fileset(arguments: &[Val], at: &Place) -> Answer {
    let pattern = text(&arguments[1]);
    let folder = match candidate(at, text(&arguments[0])) {
        Ok(folder) => folder,
        // The pattern is not even looked at.
        Err(Missing::NotThere) => return Ok(Val::set(Type::String, Vec::new(), at.span)),
        Err(missing) => return Err(missing.told(at, text(&arguments[0]))),
    };
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("invalid pattern: {}", error.kind()))?
        .compile_matcher();
    let root = at.files.real(at.root).map_err(|error| error.to_string())?;
    let is_deep = pattern.contains("**") || pattern.contains('/');
    let mut walk = Matching { at, base: &folder, root: &root, glob, is_deep, found: Vec::new(), withheld: None };
    walk.folder(&folder)?;
    let Matching { found, withheld, .. } = walk;
    if let Some((path, why)) = withheld {
        let message = Missing::Withheld(why).told(at, &path);
        // Of those that are tracked at least each is judged.
        if found.is_empty() {
            return Err(message);
        }
    }
    Ok(Val::set(Type::String, found, at.span))
}

/// The files below a folder that a pattern matches.
struct Matching<'a> {
    at: &'a Place<'a>,
    base: &'a Path,
    root: &'a Path,
    glob: GlobMatcher,
    is_deep: bool,
    found: Vec<Val>,
    /// The first that matches and is not read, and why.
    withheld: Option<(String, &'static str)>,
}

impl Matching<'_> {
    /// Visits the files below a folder in order, without following links out of the root or back into their own folders.
    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let files = self.at.files;
        let Ok(mut entries) = files.list(folder) else { return Ok(()) };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries.into_iter().filter(|entry| self.at.reach.is_open || !is_version_control(&entry.name)) {
            let path = folder.join(&entry.name);
            let is_link = entry.kind == Kind::Link;
            if is_link && !files.real(&path).is_ok_and(|real| real.starts_with(self.root)) {
                continue;
            }
            if files.target(&path) == Some(Kind::Folder) {
                if self.is_deep && !is_link {
                    self.folder(&path)?;
                }
            } else if let Some(relative) = path.strip_prefix(self.base).ok().and_then(Path::to_str)
                && self.glob.is_match(relative)
            {
                self.file(&path, relative)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, relative: &str) -> Result<(), String> {
        match self.at.files.real(path).ok().and_then(|real| self.at.reach.withholds(&real, self.root)) {
            Some(why) => {
                self.withheld.get_or_insert_with(|| (relative.to_string(), why));
                Ok(())
            }
            None if self.found.len() >= MAX_ELEMENTS => Err(format!("more than {MAX_ELEMENTS} files")),
            None => {
                self.found.push(string(relative, self.at));
                Ok(())
            }
        }
    }
}
