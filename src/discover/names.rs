//! What names of files and folders tell of them.

use std::ffi::OsStr;
use std::path::Path;

/// Hidden files and folders are tools' own, but `.github` is code, `.dockerignore` tells what a Dockerfile can copy, and
/// terraform loads `.x.auto.tfvars` as it does any other.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    let is_loaded = || [&b".auto.tfvars"[..], b".auto.tfvars.json"].iter().any(|end| bytes.ends_with(end));
    bytes.starts_with(b".") && name != ".github" && name != ".dockerignore" && !is_loaded()
}

/// Variables that Compose reads beside its file. A folder of this name is a tool's.
pub(super) fn is_variables_file(name: &OsStr) -> bool {
    name == ".env"
}

/// Folders of version control, and of what tools install and build; nobody commits them.
pub(super) fn is_installed(name: &OsStr) -> bool {
    const NAMES: &[&str] = &[
        ".git",
        ".hg",
        ".svn",
        ".jj",
        ".terraform",
        ".terragrunt-cache",
        ".venv",
        ".tox",
        ".nox",
        ".cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".gradle",
        ".next",
        ".nuxt",
        ".yarn",
        ".pnpm-store",
        ".eggs",
        "node_modules",
        "bower_components",
        "__pycache__",
        "site-packages",
    ];
    name.to_str().is_some_and(|name| NAMES.contains(&name))
}

/// Whether a file of this name may be a text: not an image, an archive, a program.
pub(super) fn may_be_text(path: &Path) -> bool {
    const BINARY: &[&str] = &[
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "avif",
        "bmp",
        "ico",
        "icns",
        "tif",
        "tiff",
        "psd",
        "heic",
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "odt",
        "ods",
        "zip",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "zst",
        "lz4",
        "7z",
        "rar",
        "tar",
        "jar",
        "war",
        "ear",
        "apk",
        "deb",
        "rpm",
        "dmg",
        "iso",
        "img",
        "class",
        "so",
        "dylib",
        "dll",
        "exe",
        "o",
        "a",
        "lib",
        "obj",
        "pdb",
        "rlib",
        "pyc",
        "pyo",
        "whl",
        "wasm",
        "woff",
        "woff2",
        "ttf",
        "otf",
        "eot",
        "mp3",
        "mp4",
        "m4a",
        "m4v",
        "wav",
        "ogg",
        "flac",
        "webm",
        "avi",
        "mov",
        "mkv",
        "db",
        "sqlite",
        "sqlite3",
        "parquet",
        "avro",
        "orc",
        "npy",
        "npz",
        "pt",
        "onnx",
        "safetensors",
        "gguf",
        "h5",
        "pkl",
        "bin",
        "der",
        "jks",
        "keystore",
        "p12",
        "pfx",
        "pack",
        "idx",
        "dwg",
        "glb",
        "fbx",
        "blend",
    ];
    let end = path.extension().and_then(OsStr::to_str).unwrap_or("");
    !BINARY.iter().any(|binary| end.eq_ignore_ascii_case(binary))
}
