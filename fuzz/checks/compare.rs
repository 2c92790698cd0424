//! Two versions of a tree, held against each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gate::baseline::{self, Baseline, Place, Standing};
use gate::compare::Base;
use gate::config::Config;
use gate::discover::{self, Discovered, Walk};
use gate::filesystem::{Files, Recording, Repository};
use gate::finding::{Finding, Status};
use gate::frontend::{FRONTENDS, Settings};
use gate::report::Report;
use gate::scan;
use gix::objs::tree::{Entry, EntryKind};
use tempfile::TempDir;

use super::judged::{self, RULES};
use super::tree::Tree;

/// The line after which the files stand that the change writes; a file without text is one that it removes.
const CHANGE: &[u8] = b"# change\n";

/// The base, a line `# change`, and what the change writes. A comparison knows every finding of the base again or says that it
/// is gone, whatever it judges anew and whatever it takes over; a tree beside itself has nothing new.
pub fn versions(input: &[u8]) {
    let at = input.windows(CHANGE.len()).position(|window| window == CHANGE).unwrap_or(input.len());
    let base = Tree::of(&input[..at], "main.tf");
    let change = Tree::of(input.get(at + CHANGE.len()..).unwrap_or(b""), "main.tf");
    let mut head: BTreeMap<&str, &[u8]> = base.files().collect();
    // Without a change the file `main.tf` is not removed.
    head.extend(change.files().filter(|(path, text)| *path != "main.tf" || !text.is_empty()));
    head.retain(|_, text| !text.is_empty());
    let base: BTreeMap<&str, &[u8]> = base.files().filter(|(_, text)| !text.is_empty()).collect();
    // Ignored files are judged in a comparison if git has them; and `.git` is git's own.
    let is_special = |path: &&str| path.ends_with("ignore") || path.split('/').any(|part| part.starts_with(".git"));
    let is_folder = |path: &&str| base.keys().chain(head.keys()).any(|other| other.starts_with(&format!("{path}/")));
    if base.keys().chain(head.keys()).any(|path| is_special(path) || is_folder(path)) {
        return;
    }
    let (was, is) = (whole(&base), whole(&head));
    let repository = Change::new(&base, &head);
    let compared = repository.judged(judged::share(input) == 0);
    let with = |wanted: &[Status]| compared.statuses.iter().filter(|status| wanted.contains(status)).count();
    assert_eq!(compared.statuses.len(), is, "the comparison has other findings than the head alone");
    let known = with(&[Status::Old, Status::Worse]) + compared.fixed;
    // Of what can't be read or decided any more nobody says that it is mended.
    assert!(
        known == was || known < was && (compared.is_open || holds_unknown(&head)),
        "findings of the base are lost or made: {} old, {} worse, {} new, {} gone",
        with(&[Status::Old]),
        with(&[Status::Worse]),
        with(&[Status::New]),
        compared.fixed
    );
    if base == head {
        assert_eq!(with(&[Status::New, Status::Worse]), 0, "something is new and nothing has changed");
    }
}

fn tree(files: &BTreeMap<&str, &[u8]>) -> Tree {
    let mut tree = Tree::of(b"", "empty.txt");
    files.iter().for_each(|(path, text)| tree.add(path, text.to_vec()));
    tree
}

/// Whether a value is unknown in these files: a finding whose value became unknown is neither there nor mended.
fn holds_unknown(files: &BTreeMap<&str, &[u8]>) -> bool {
    let tree = tree(files);
    let assembled = scan::assemble(&judged::settings(&tree), &judged::discover(&tree));
    assembled.model.resources.iter().any(|resource| resource.body.has_unknown())
}

/// How many findings there are in these files.
fn whole(files: &BTreeMap<&str, &[u8]>) -> usize {
    let tree = tree(files);
    let discovered = judged::discover(&tree);
    let request = scan::Request { suppress: false, ..judged::request(&tree, &RULES, Config::default()) };
    let report = scan::scan(&request, &discovered).expect("nothing is compared");
    accepted(&report);
    report.findings.len()
}

/// What a baseline accepts is all that it was written of.
fn accepted(report: &Report<'_>) {
    let mut text = Vec::new();
    let written =
        baseline::write(report.findings.iter(), report.sources, "", None, &mut text).expect("memory takes all");
    assert_eq!(written, baseline::Accepted { found: report.findings.len(), kept: 0 });
    let text = String::from_utf8(text).expect("a baseline is UTF-8");
    let baseline = Baseline::parse("baseline.json", &text).expect("what was written can be read");
    let mut findings: Vec<Finding> = report.findings.clone();
    let standing = |_: &str| Standing::Judged(Vec::new());
    let place = Place { sources: report.sources, prefix: "", is_whole: true, standing: &standing };
    let comparison = baseline.apply(&mut findings, &place, &RULES.catalog, None);
    assert!(findings.iter().all(|one| one.status == Some(Status::Old)), "a baseline does not accept its own findings");
    assert!(comparison.fixed.is_empty(), "what is there is gone");
}

/// A repository whose last commit is the change, and whose work tree has it.
struct Change {
    folder: TempDir,
    base: String,
}

struct Compared {
    statuses: Vec<Status>,
    fixed: usize,
    /// Whether something was not read, or not decided.
    is_open: bool,
}

impl Change {
    fn new(base: &BTreeMap<&str, &[u8]>, head: &BTreeMap<&str, &[u8]>) -> Change {
        let folder = tempfile::tempdir().expect("a folder");
        // The least that is a repository: `git init` would write a dozen files more for each input.
        let git = folder.path().join(".git");
        for below in ["objects", "refs"] {
            std::fs::create_dir_all(git.join(below)).expect("a folder");
        }
        std::fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n").expect("a file");
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("a file");
        let repository = gix::open_opts(folder.path(), gix::open::Options::isolated()).expect("a repository");
        let base = commit(&repository, base, None);
        let tip = commit(&repository, head, Some(base));
        std::fs::write(folder.path().join(".git/HEAD"), format!("{tip}\n")).expect("the folder is writable");
        for (path, text) in head {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Change { folder, base: base.to_string() }
    }

    fn judged(&self, is_shown: bool) -> Compared {
        let root = self.folder.path().canonicalize().expect("the folder is there");
        let repository = Repository::open(&root).expect("a repository");
        let commit = Arc::new(repository.named(&self.base).expect("the base is a parent"));
        let tip = Arc::new(repository.head().expect("the head is there"));
        let paths = [root.clone()];
        let change = discover::Change { base: &commit, rules: &commit, head: &tip };
        let keep: discover::Keep = |path, text| !gate::secret::find_in_file(path, text).is_empty();
        let walk = Walk { keep: Some(keep), max_bytes: 1 << 20, change: Some(&change), ..Walk::new(&paths) };
        let discovered: Discovered = discover::discover(&walk, FRONTENDS).expect("the folder is there");
        let recording = Arc::new(Recording::new(Files::default()));
        let base = Base {
            name: "base".into(),
            commit: Arc::clone(&commit),
            tip: Arc::clone(&tip),
            walk: walk.clone(),
            recording: Arc::clone(&recording),
            trusts_head: false,
            proposed: Vec::new(),
        };
        let request = scan::Request {
            base: Some(base),
            suppress: false,
            settings: Settings { files: Files::from(recording), root, ..Settings::default() },
            ..judged::request(&Tree::default(), &RULES, Config::default())
        };
        let report = scan::scan(&request, &discovered).expect("the base can be walked");
        judged::check_nothing_broke(report.problems.iter());
        judged::check_findings(&discovered.sources, &report.findings);
        if is_shown {
            judged::check_report(&report);
        }
        let statuses = report.findings.iter().map(|one| one.status.expect("all are compared")).collect();
        // A file that is there and that nobody reads any more tells nothing of what was found in it.
        let is_open = !report.counts.undecided.is_empty()
            || report.problems.iter().any(|problem| problem.kind.closes())
            || discovered.seen > discovered.sources.len();
        let fixed = report.comparison.as_ref().map_or(0, |comparison| comparison.fixed.len());
        Compared { statuses, fixed, is_open }
    }
}

fn commit(repository: &gix::Repository, files: &BTreeMap<&str, &[u8]>, parent: Option<gix::ObjectId>) -> gix::ObjectId {
    let files: Vec<(&Path, &[u8])> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
    let time = gix::date::Time { seconds: 1_790_000_000, offset: 0 };
    let author = gix::actor::Signature { name: "dev".into(), email: "dev@acme.example".into(), time };
    let commit = gix::objs::Commit {
        tree: folder(repository, &files),
        parents: parent.into_iter().collect(),
        author: author.clone(),
        committer: author,
        encoding: None,
        message: "a change".into(),
        extra_headers: Vec::new(),
    };
    repository.write_object(&commit).expect("an object").detach()
}

/// Writes a folder: what lies in it, by path from there.
fn folder(repository: &gix::Repository, files: &[(&Path, &[u8])]) -> gix::ObjectId {
    let mut entries = Vec::new();
    let mut below: BTreeMap<&std::ffi::OsStr, Vec<(&Path, &[u8])>> = BTreeMap::new();
    for (path, text) in files {
        let mut parts = path.components();
        let name = parts.next().expect("a path has a name").as_os_str();
        match parts.as_path() {
            rest if rest.as_os_str().is_empty() => {
                let oid = repository.write_blob(text).expect("an object").detach();
                let filename = name.as_encoded_bytes().into();
                entries.push(Entry { mode: EntryKind::Blob.into(), filename, oid });
            }
            rest => below.entry(name).or_default().push((rest, text)),
        }
    }
    for (name, files) in below {
        let oid = folder(repository, &files);
        entries.push(Entry { mode: EntryKind::Tree.into(), filename: name.as_encoded_bytes().into(), oid });
    }
    entries.sort();
    repository.write_object(&gix::objs::Tree { entries }).expect("an object").detach()
}
