//! What the walk finds, claims, reads and refuses.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use gate::config::PathGlobs;
use gate::discover::{Discovered, MAX_BYTES, Walk, discover};
use gate::frontend::{Claim, Context, Frontend, Parsed, Settings};
use gate::problem::ProblemKind;
use gate::source::{FileId, Sources};
use support::tree;
use tempfile::TempDir;

/// A format of whole folders, certain by name, as Terraform's.
struct Modules;
/// A format that its text decides, as Kubernetes manifests.
struct Manifests;

impl Frontend for Modules {
    fn name(&self) -> &'static str {
        "modules"
    }
    fn claims(&self, path: &Path) -> Claim {
        if path.extension().is_some_and(|end| end == "tf") { Claim::Yes } else { Claim::No }
    }
    fn context(&self, _: &Path, text: &str) -> Context {
        let called = text.lines().filter_map(|line| line.strip_prefix("source = ")).map(str::to_string);
        Context {
            folders: std::iter::once(".".to_string()).chain(called).collect(),
            installed: vec![".terraform/modules".into()],
            ..Context::default()
        }
    }
    fn parse(&self, _: &Settings, _: &Sources, _: &[FileId]) -> Parsed {
        Parsed::default()
    }
}

impl Frontend for Manifests {
    fn name(&self) -> &'static str {
        "manifests"
    }
    fn claims(&self, path: &Path) -> Claim {
        if path.extension().is_some_and(|end| end == "yaml") { Claim::Maybe } else { Claim::No }
    }
    fn recognizes(&self, _path: &Path, text: &str) -> bool {
        text.contains("apiVersion:")
    }
    fn parse(&self, _: &Settings, _: &Sources, _: &[FileId]) -> Parsed {
        Parsed::default()
    }
}

const FORMATS: &[&dyn Frontend] = &[&Modules, &Manifests];

fn write(folder: &TempDir, path: &str, bytes: &[u8]) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn scan(paths: &[PathBuf]) -> Discovered {
    discover(&Walk::new(paths), FORMATS).unwrap()
}

fn scan_folder(folder: &TempDir) -> Discovered {
    scan(&[folder.path().to_path_buf()])
}

fn paths(found: &Discovered) -> Vec<&str> {
    found.sources.iter().map(|(_, source)| source.path()).collect()
}

fn problems(found: &Discovered) -> Vec<(ProblemKind, &str, &str)> {
    found.problems.iter().map(|one| (one.kind, one.path.as_str(), one.message.as_str())).collect()
}

#[test]
fn files_are_sorted_and_given_to_the_format_that_claims_them() {
    let folder = tree(&[
        ("b/main.tf", ""),
        ("a.tf", ""),
        ("k8s/web.yaml", "apiVersion: v1\n"),
        ("values.yaml", "replicas: 1\n"),
        ("README.md", ""),
    ]);
    let found = scan_folder(&folder);
    assert_eq!(paths(&found), ["a.tf", "b/main.tf", "k8s/web.yaml"]);
    assert_eq!(found.claims, [vec![FileId(0), FileId(1)], vec![FileId(2)]]);
    assert_eq!(found.seen, 5);
    assert_eq!(found.only, None);
    assert!(found.problems.is_empty() && found.skipped.is_empty());
    assert_eq!(found.root, folder.path().canonicalize().unwrap());
}

#[test]
fn an_empty_folder_yields_nothing_and_a_missing_path_is_an_error() {
    let folder = tree(&[]);
    assert!(scan_folder(&folder).sources.is_empty());
    let missing = [folder.path().join("nowhere")];
    let error = discover(&Walk::new(&missing), FORMATS).unwrap_err();
    assert!(error.to_string().ends_with("nowhere: no such file or folder"), "{error}");
}

#[test]
fn ignore_files_hold_without_a_repository_and_only_inside_the_root() {
    let folder = tree(&[
        (".gitignore", "*.tf\n"),
        ("infra/.gitignore", "build/\n*.gen.tf\n"),
        ("infra/.gateignore", "legacy\n!keep.gen.tf\n"),
        ("infra/main.tf", ""),
        ("infra/x.gen.tf", ""),
        ("infra/keep.gen.tf", ""),
        ("infra/build/main.tf", ""),
        ("infra/legacy/main.tf", ""),
        ("infra/sub/build/main.tf", ""),
        ("infra/sub/.gitignore", "!y.gen.tf\n"),
        ("infra/sub/y.gen.tf", ""),
        (".ignore", "infra\n"),
    ]);
    let found = scan(&[folder.path().join("infra")]);
    assert_eq!(paths(&found), ["keep.gen.tf", "main.tf", "sub/y.gen.tf"]);
    assert_eq!(paths(&scan_folder(&folder)), ["infra/keep.gen.tf", "infra/sub/y.gen.tf"]);
}

#[test]
fn hidden_files_and_folders_stay_out_except_github() {
    let folder = tree(&[
        (".hidden/main.tf", ""),
        (".x.tf", ""),
        (".github/deploy.yaml", "apiVersion: v1\n"),
        (".git/config.tf", ""),
    ]);
    assert_eq!(paths(&scan_folder(&folder)), [".github/deploy.yaml"]);
}

#[test]
fn hidden_variables_that_terraform_loads_by_itself_are_read() {
    let folder = tree(&[
        ("main.tf", ""),
        (".evil.auto.tfvars", "open = true\n"),
        (".more.auto.tfvars.json", "{}"),
        (".terraform.tfvars", ""),
        (".x.tf", ""),
    ]);
    let found = discover(&Walk::new(&[folder.path().to_path_buf()]), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(paths(&found), [".evil.auto.tfvars", ".more.auto.tfvars.json", "main.tf"]);
}

#[test]
fn a_named_file_is_taken_though_hidden_or_ignored_and_obeys_excludes_when_forced() {
    let folder = tree(&[(".gitignore", "gen\n"), ("gen/.x.tf", ""), ("gen/y.tf", ""), ("gen/notes.txt", "")]);
    let named = [folder.path().join("gen/.x.tf"), folder.path().join("gen/notes.txt")];
    let found = scan(&named);
    assert_eq!(paths(&found), [".x.tf", "y.tf"]);
    assert_eq!(found.only, Some([FileId(0)].into()), "the file beside it is context");
    assert_eq!(found.skipped, [("notes.txt".to_string(), "no format that is read has files of this name".to_string())]);

    let root = folder.path().canonicalize().unwrap();
    let exclude = PathGlobs::new(&root, &["gen/**"]).unwrap();
    let mut walk = Walk { exclude: Some(&exclude), ..Walk::new(&named[..1]) };
    assert_eq!(discover(&walk, FORMATS).unwrap().sources.len(), 2);
    walk.force_exclude = true;
    assert!(discover(&walk, FORMATS).unwrap().sources.is_empty());
}

#[test]
fn excludes_are_relative_to_the_folder_of_the_configuration() {
    let folder = tree(&[("a/tests/x.tf", ""), ("a/x.tf", ""), ("b/c/x.tf", ""), ("b/x.tf", ""), ("b/old_1.tf", "")]);
    let root = folder.path().canonicalize().unwrap();
    let exclude = PathGlobs::new(&root, &["tests", "b/c/", "old_*.tf"]).unwrap();
    for (start, expected) in [("", &["a/x.tf", "b/x.tf"][..]), ("b", &["x.tf"][..])] {
        let given = [folder.path().join(start)];
        let found = discover(&Walk { exclude: Some(&exclude), ..Walk::new(&given) }, FORMATS).unwrap();
        let only = found.only.clone().unwrap_or_else(|| found.sources.iter().map(|(file, _)| file).collect());
        let judged: Vec<&str> = only.iter().map(|file| found.sources.get(*file).path()).collect();
        assert_eq!(judged, expected);
        assert_eq!(found.excluded.len(), 1, "a file excluded from a module that is scanned is its context");
    }
}

#[test]
fn a_file_given_alone_brings_its_folder_and_the_modules_it_calls_as_context() {
    let folder = tree(&[
        ("live/main.tf", "source = ../mods/db\nsource = ../../outside\n"),
        ("live/vars.tf", ""),
        ("live/.terraform/modules/vpc/nested/main.tf", ""),
        ("live/other/main.tf", ""),
        ("mods/db/main.tf", "source = ../kms\n"),
        ("mods/kms/main.tf", "source = ../db\n"),
        ("Chart.yaml", ""),
        ("app.yaml", "apiVersion: v1\n"),
    ]);
    let found = scan(&[folder.path().join("live/main.tf"), folder.path().join("app.yaml")]);
    assert_eq!(
        paths(&found),
        [
            "app.yaml",
            "live/.terraform/modules/vpc/nested/main.tf",
            "live/main.tf",
            "live/vars.tf",
            "mods/db/main.tf",
            "mods/kms/main.tf"
        ]
    );
    assert_eq!(found.only, Some([FileId(0), FileId(2)].into()));
}

#[test]
fn a_terraform_file_given_alone_is_read_with_its_module_and_what_that_calls() {
    let folder = tree(&[
        ("live/main.tf", "module \"db\" {\n  source = \"../mods/db\"\n}\n"),
        ("live/variables.tf", ""),
        ("mods/db/main.tf.json", "{\"module\": {\"k\": {\"source\": \"./../kms\"}}}"),
        ("mods/kms/main.tf", ""),
        ("mods/other/main.tf", ""),
    ]);
    let found = discover(&Walk::new(&[folder.path().join("live/main.tf")]), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(paths(&found), ["main.tf", "variables.tf"], "what lies outside the root stays unread");
    fs::create_dir(folder.path().join(".git")).unwrap();
    let found = discover(&Walk::new(&[folder.path().join("live/main.tf")]), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(found.sources.len(), 4, "of a file in a repository the root is the repository");
    let given = [folder.path().join("live/main.tf"), folder.path().join("mods/other/main.tf")];
    let found = discover(&Walk::new(&given), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(
        paths(&found),
        ["live/main.tf", "live/variables.tf", "mods/db/main.tf.json", "mods/kms/main.tf", "mods/other/main.tf"]
    );
    assert_eq!(found.only, Some([FileId(0), FileId(4)].into()));
}

#[test]
fn a_module_given_alone_is_read_with_those_who_call_it() {
    let call = |to: &str| format!("module \"m\" {{\n  source = \"{to}\"\n}}\n");
    let folder = tree(&[
        ("live/main.tf", &call("../mods/app")),
        ("live/prod.auto.tfvars", ""),
        ("mods/app/main.tf", &call("../db")),
        ("mods/db/main.tf", ""),
        ("other/main.tf", &call("../mods/none")),
        ("k8s/app.yaml", "apiVersion: v1\nkind: Pod\n"),
    ]);
    let given = [folder.path().join("mods/db/main.tf")];
    let found = discover(&Walk::new(&given), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(paths(&found), ["main.tf"], "who calls it lies outside of the root");
    fs::create_dir(folder.path().join(".git")).unwrap();
    let given = [folder.path().join("mods/db/main.tf"), folder.path().join("k8s/app.yaml")];
    let found = discover(&Walk::new(&given), gate::frontend::FRONTENDS).unwrap();
    assert_eq!(
        paths(&found),
        ["k8s/app.yaml", "live/main.tf", "live/prod.auto.tfvars", "mods/app/main.tf", "mods/db/main.tf"]
    );
    assert_eq!(found.only, Some([FileId(0), FileId(4)].into()));
}

#[test]
fn installed_modules_are_context_of_a_whole_scan_too() {
    let folder = tree(&[("main.tf", ""), (".gitignore", ".terraform\n"), (".terraform/modules/vpc/main.tf", "")]);
    let found = scan_folder(&folder);
    assert_eq!(paths(&found), [".terraform/modules/vpc/main.tf", "main.tf"]);
    assert_eq!(found.only, Some([FileId(1)].into()));
}

#[test]
fn text_that_is_not_utf8_is_a_problem_only_where_a_format_owns_it() {
    let folder = tree(&[]);
    write(&folder, "bom.tf", b"\xef\xbb\xbflocals {}\n");
    write(&folder, "latin.tf", b"# ok\n# caf\xe9\n");
    write(&folder, "nul.tf", b"a\n\0");
    write(&folder, "foreign.yaml", b"title: caf\xe9\n");
    write(&folder, "claimed.yaml", b"apiVersion: caf\xe9\n");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    write(&folder, "wide.yaml", &[&b"\xff\xfe"[..], &utf16("apiVersion: v1\n")].concat());
    write(&folder, "wide-foreign.yaml", &[&b"\xff\xfe"[..], &utf16("a: 1\n")].concat());
    let found = scan_folder(&folder);
    assert_eq!(paths(&found), ["bom.tf"]);
    assert_eq!(found.sources.get(FileId(0)).text(), "locals {}\n");
    assert_eq!(
        problems(&found),
        [
            (ProblemKind::Unread, "claimed.yaml", "is not UTF-8 (line 1)"),
            (ProblemKind::Unread, "latin.tf", "is not UTF-8 (line 2)"),
            (ProblemKind::Unread, "nul.tf", "holds a NUL byte (line 2): not text"),
            (ProblemKind::Unread, "wide.yaml", "is UTF-16, not UTF-8"),
        ]
    );
    assert!(found.problems.iter().all(|problem| problem.help.is_some()));
}

#[test]
fn a_file_past_the_limit_closes_the_gate_only_where_a_format_owns_it() {
    let folder = tree(&[
        ("big.tf", &"#\n".repeat(60)),
        ("big.yaml", &"a: 1\n".repeat(60)),
        ("manifest.yaml", &"apiVersion: v1\n".repeat(60)),
        ("at-limit.tf", &"#".repeat(100)),
    ]);
    let given = [folder.path().to_path_buf()];
    let found = discover(&Walk { max_bytes: 100, ..Walk::new(&given) }, FORMATS).unwrap();
    assert_eq!(paths(&found), ["at-limit.tf"]);
    assert_eq!(
        problems(&found),
        [
            (ProblemKind::Limit, "big.tf", "is larger than the limit of 100 bytes"),
            (ProblemKind::Limit, "manifest.yaml", "is larger than the limit of 100 bytes"),
        ]
    );
    assert_eq!(found.skipped.len(), 1);
    assert_eq!(Walk::new(&given).max_bytes, MAX_BYTES);
}

#[test]
fn an_object_behind_any_number_of_comments_is_missed_where_the_file_is_too_large() {
    let comments = "# nothing\n".repeat(20_000);
    let folder = tree(&[
        ("pod.yaml", &format!("{comments}apiVersion: v1\n")),
        ("data.yaml", &comments),
        ("more.yaml", &format!("a: 1\n---\n{comments}---\napiVersion: v1\n")),
    ]);
    let given = [folder.path().to_path_buf()];
    let found = discover(&Walk { max_bytes: 100, ..Walk::new(&given) }, FORMATS).unwrap();
    let limit = "is larger than the limit of 100 bytes";
    assert_eq!(problems(&found), [(ProblemKind::Limit, "more.yaml", limit), (ProblemKind::Limit, "pod.yaml", limit)]);
    assert_eq!(found.skipped.len(), 1);
}

#[test]
fn a_manifest_is_one_whatever_it_is_called_and_however_its_keys_are_written() {
    let escaped = "\"api\\u0056ersion\": v1\n\"k\\x69nd\": Pod\n";
    let json = "{\"api\\u0056ersion\": \"v1\", \"kind\": \"Pod\"}";
    let folder = tree(&[
        ("a/package.json", json),
        ("a/package-lock.json", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}"),
        ("a/pnpm-lock.yaml", "apiVersion: v1\nkind: Pod\n"),
        ("a/values.yaml", escaped),
        ("a/action.yml", &format!("{escaped}runs: {{}}\n")),
        ("a/services.yaml", &format!("{escaped}services: {{}}\n")),
        ("a/compose.json", json),
        ("a/return.yaml", "apiVersion: v1\rkind: Pod\r"),
        ("b/package.json", "{\"name\": \"x\", \"dependencies\": {\"kind-of\": \"6\"}}"),
        ("b/pnpm-lock.yaml", "lockfileVersion: 9\n"),
        ("b/values.yaml", "target: {apiVersion: v1, kind: Pod}\n"),
    ]);
    let found = discover(&Walk::new(&[folder.path().to_path_buf()]), gate::frontend::FRONTENDS).unwrap();
    let manifests = found.claims.last().unwrap().iter().map(|file| found.sources.get(*file).path());
    assert_eq!(
        manifests.collect::<Vec<_>>(),
        [
            "a/action.yml",
            "a/compose.json",
            "a/package-lock.json",
            "a/package.json",
            "a/pnpm-lock.yaml",
            "a/return.yaml",
            "a/services.yaml",
            "a/values.yaml"
        ]
    );
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let files: Vec<(String, String)> = (0..400)
        .map(|n| (format!("d{}/e{}/f{n}.tf", n % 7, n % 3), String::new()))
        .chain((0..50).map(|n| (format!("d{}/{n}.yaml", n % 5), "apiVersion: v1".into())))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = tree(&files);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| scan_folder(&folder))
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(paths(&one), paths(&four));
    assert_eq!(one.claims, four.claims);
    assert_eq!(one.seen, 450);
}

#[test]
fn the_prefix_leads_from_the_repository_to_the_root() {
    let folder = tree(&[(".git/HEAD", ""), ("infra/prod/main.tf", "")]);
    assert_eq!(scan(&[folder.path().join("infra/prod")]).prefix, "infra/prod/");
    assert_eq!(scan_folder(&folder).prefix, "");
}

#[test]
fn several_paths_share_a_root_and_overlaps_are_read_once() {
    let folder = tree(&[("a/x.tf", ""), ("b/y.tf", "")]);
    let found = scan(&[folder.path().join("a"), folder.path().join("b"), folder.path().join("a/x.tf")]);
    assert_eq!(paths(&found), ["a/x.tf", "b/y.tf"]);
    assert_eq!(found.only, None);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_out_of_the_root_closes_where_a_tool_would_read_behind_it() {
        let outside = tree(&[("pod.yaml", "apiVersion: v1\nkind: Pod\n"), ("words.yaml", "hello: world\n")]);
        let folder = tree(&[("main.tf", ""), ("node_modules/x/index.js", "")]);
        let link = |name: &str, from: &str| symlink(outside.path().join(name), folder.path().join(from)).unwrap();
        link("pod.yaml", "new.yaml");
        link("words.yaml", "words.yaml");
        link("", "all");
        link("", "node_modules/own");
        let found = scan_folder(&folder);
        let told: Vec<&str> = found.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(told, ["all", "new.yaml"], "what is installed, and texts of no format, are nobody's");
    }

    #[test]
    fn links_are_not_followed_out_of_the_root_nor_in_circles() {
        let outside = tree(&[("secret.tf", "password"), ("secret.yaml", "apiVersion: v1")]);
        let folder =
            tree(&[("shared/providers.tf", ""), ("shared/app.yaml", "apiVersion: v1\n"), ("live/main.tf", "")]);
        let link = |to: &Path, from: &str| symlink(to, folder.path().join(from)).unwrap();
        link(Path::new("../shared/providers.tf"), "live/providers.tf");
        link(Path::new("shared/app.yaml"), "app.yaml");
        link(Path::new("/"), "slash");
        link(Path::new("."), "circle");
        link(Path::new("self.tf"), "self.tf");
        link(Path::new("nothing.tf"), "dangling.tf");
        link(&outside.path().join("secret.tf"), "leak.tf");
        link(&outside.path().join("secret.yaml"), "leak.yaml");
        link(Path::new("/dev/zero"), "zero.tf");
        link(Path::new("/dev/zero"), ".gitignore");
        let found = scan_folder(&folder);
        assert_eq!(
            paths(&found),
            ["live/main.tf", "live/providers.tf", "shared/app.yaml", "shared/providers.tf"],
            "a module is what its folder shows"
        );
        assert_eq!(
            problems(&found),
            [
                (ProblemKind::Unread, "dangling.tf", "link to nothing"),
                (ProblemKind::Unread, "leak.tf", "link that leads out of the scanned folder, not followed"),
                (ProblemKind::Unread, "leak.yaml", "link that leads out of the scanned folder, not followed"),
                (ProblemKind::Unread, "self.tf", "too many levels of symbolic links"),
                (ProblemKind::Unread, "slash", "link that leads out of the scanned folder, not followed"),
                (ProblemKind::Unread, "zero.tf", "link that leads out of the scanned folder, not followed"),
            ],
            "what Terraform would read is missed"
        );
        let skipped: Vec<&str> = found.skipped.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(skipped, [".gitignore", "app.yaml", "circle"]);
    }

    #[test]
    fn what_nobody_reads_where_it_lies_is_read_through_its_link() {
        let manifest = "apiVersion: v1\n";
        let folder = tree(&[
            ("k8s/p.data", manifest),
            (".g/p.yaml", manifest),
            (".h/x.yaml", manifest),
            (".prod/main.tf", ""),
            (".prod/sub/app.yaml", manifest),
            ("skipped/main.tf", ""),
            (".gitignore", "skipped\n"),
            ("seen/app.yaml", manifest),
        ]);
        let link = |to: &str, from: &str| symlink(to, folder.path().join(from)).unwrap();
        link("p.data", "k8s/data.yaml");
        link("../.g/p.yaml", "k8s/hidden.yaml");
        link("../seen/app.yaml", "k8s/seen.yaml");
        link(".prod", "prod");
        link(".prod", "stage");
        link("../prod", ".prod/circle");
        link("../.h", ".prod/more");
        link("..", "k8s/up");
        link("skipped", "kept");
        link("../.prod/sub/app.yaml", "k8s/twice.yaml");
        let found = scan_folder(&folder);
        assert_eq!(
            paths(&found),
            [
                "k8s/data.yaml",
                "k8s/hidden.yaml",
                "kept/main.tf",
                "prod/main.tf",
                "prod/more/x.yaml",
                "prod/sub/app.yaml",
                "seen/app.yaml"
            ]
        );
        assert!(found.problems.is_empty(), "{:?}", found.problems);
    }

    #[test]
    fn links_to_links_without_end_are_entered_once() {
        let folder = tree(&[]);
        for level in 0..30 {
            fs::create_dir(folder.path().join(format!(".d{level}"))).unwrap();
            for name in ["a", "b"] {
                let from = folder.path().join(format!(".d{level}/{name}"));
                symlink(format!("../.d{}", level + 1), from).unwrap();
            }
        }
        write(&folder, ".d30/main.tf", b"");
        symlink(".d0", folder.path().join("top")).unwrap();
        assert_eq!(scan_folder(&folder).sources.len(), 1);
    }

    #[test]
    fn a_named_link_is_held_to_the_same_rule() {
        let outside = tree(&[("secret.tf", "")]);
        let folder = tree(&[("x.tf", "")]);
        symlink(outside.path().join("secret.tf"), folder.path().join("leak.tf")).unwrap();
        let found = scan(&[folder.path().join("leak.tf")]);
        assert!(found.sources.is_empty());
        assert_eq!(found.problems[0].kind, ProblemKind::Unread);
    }

    #[test]
    fn special_files_are_never_opened_and_missed_where_a_format_owns_them() {
        let folder = tree(&[("main.tf", "")]);
        let _other = std::os::unix::net::UnixListener::bind(folder.path().join("socket.yaml")).unwrap();
        let socket = folder.path().join("socket.tf");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let found = scan_folder(&folder);
        assert_eq!(paths(&found), ["main.tf"]);
        assert_eq!(problems(&found), [(ProblemKind::Unread, "socket.tf", "not a regular file")]);
        assert_eq!(found.skipped, [("socket.yaml".to_string(), "not a regular file".to_string())]);
        assert_eq!(scan(&[socket]).problems[0].message, "is not a regular file");
    }

    #[test]
    fn what_may_not_be_read_is_a_problem() {
        let folder = tree(&[("locked/main.tf", ""), ("closed.tf", "")]);
        let lock = |path: &str, mode| {
            fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        lock("locked", 0o000);
        lock("closed.tf", 0o000);
        // Root reads everything.
        let is_root = fs::read_dir(folder.path().join("locked")).is_ok();
        let found = scan_folder(&folder);
        lock("locked", 0o700);
        if !is_root {
            assert_eq!(
                problems(&found),
                [
                    (ProblemKind::Unread, "closed.tf", "no permission to read it"),
                    (ProblemKind::Unread, "locked", "folder was not listed: no permission to read it"),
                ]
            );
        }
    }

    #[test]
    fn names_that_are_not_utf8_are_named_escaped_and_odd_ones_are_read() {
        let folder = tree(&[("new\nline.tf", ""), ("a b;c.tf", "")]);
        fs::write(folder.path().join(OsStr::from_bytes(b"caf\xe9.tf")), "").unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"caf\xe9.yaml")), "a: 1").unwrap();
        let found = scan_folder(&folder);
        assert_eq!(paths(&found), ["a b;c.tf", "new\nline.tf"]);
        assert_eq!(problems(&found), [(ProblemKind::Unread, "caf\\xe9.tf", "its name is not UTF-8")]);
    }

    #[test]
    fn a_very_deep_tree_is_walked() {
        let folder = tree(&[]);
        let mut path = folder.path().to_path_buf();
        for _ in 0..900 {
            path.push("d");
        }
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("deep.tf"), "").unwrap();
        assert_eq!(scan_folder(&folder).sources.len(), 1);
    }
}
