//! What holds for every scan, whatever the input: it is read whole or says what was not, all places lie in the texts, no check
//! breaks, the same tree gives the same answer, and every report can be written and read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use gate::config::Config;
use gate::discover::{self, Discovered, Walk};
use gate::filesystem::Files;
use gate::finding::Finding;
use gate::frontend::{Claim, FRONTENDS, Settings};
use gate::model::{Node, Value};
use gate::problem::{Problem, ProblemKind};
use gate::report::{FORMATS, Report, Style};
use gate::rules::{Catalog, Check, Cx, Judged, Options, Selection, judge};
use gate::scan::{self, Assembled, Request};
use gate::severity::Severity;
use gate::source::{Sources, Span};
use gate::suppress::Date;

use super::tree::{ROOT, Tree};

/// Rules with the indices of those that run: all of them.
pub struct Rules {
    /// The rules.
    pub catalog: Catalog,
    /// Their indices.
    pub selected: Vec<usize>,
}

/// All built-in rules but those in Rego, whose modules would be compiled for every input.
pub static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::of(Catalog::built_in());
    rules.selected.retain(|rule| !matches!(rules.catalog.rules()[*rule].check, Check::Rego(_)));
    rules
});

impl Rules {
    /// All rules of a catalog.
    pub fn of(catalog: Catalog) -> Rules {
        let all = Selection { select: vec!["all".into()], ignore: Vec::new() };
        let selected = catalog.select(&all).expect("`all` is a selection");
        Rules { catalog, selected }
    }
}

/// A tree after all stages but the reports.
pub struct Scan {
    /// The texts.
    pub discovered: Discovered,
    /// The model.
    pub assembled: Assembled,
    /// The findings.
    pub judged: Judged,
}

/// What frontends are told of a tree.
pub fn settings(tree: &Tree) -> Settings {
    Settings { files: Files::new(tree.clone()), root: PathBuf::from(ROOT), ..Settings::default() }
}

/// The texts of a tree.
pub fn discover(tree: &Tree) -> Discovered {
    let paths = [PathBuf::from(ROOT)];
    let keep: discover::Keep = |path, text| !gate::secret::find_in_file(path, text).is_empty();
    let walk = Walk { files: tree, keep: Some(keep), max_bytes: 1 << 20, ..Walk::new(&paths) };
    discover::discover_at(Path::new(ROOT), &walk, FRONTENDS).expect("the root of a tree is there")
}

/// Reads and judges a tree by these rules.
pub fn scan(tree: &Tree, rules: &Rules) -> Scan {
    let discovered = discover(tree);
    let assembled = scan::assemble(&settings(tree), &discovered);
    let options = Options::default();
    let cx = Cx { model: &assembled.model, sources: &discovered.sources, options: &options };
    let judged = judge(cx, &rules.catalog, &rules.selected);
    Scan { discovered, assembled, judged }
}

/// Scans a tree by the built-in rules and checks all that holds for every scan. What costs much is checked for a part of the
/// inputs, which the input itself decides.
pub fn check(input: &[u8], tree: &Tree) -> Scan {
    let scan = scan(tree, &RULES);
    check_places(&scan);
    check_nothing_broke(scan.assembled.problems.iter().chain(&scan.judged.problems).chain(&scan.discovered.problems));
    check_nothing_is_lost(tree, &scan);
    match share(input) {
        0 | 1 => assert_eq!(outline(&scan), outline(&self::scan(tree, &RULES)), "two scans of one tree differ"),
        2 => check_reports(tree),
        3 => check_moved(tree, &scan),
        _ => {}
    }
    scan
}

/// A number below 8, the same for the same input.
pub fn share(input: &[u8]) -> u32 {
    // FNV-1a, whose upper bits are the good ones.
    let hash = input.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash >> 29
}

/// A place lies in its text, between characters.
pub fn check_span(sources: &Sources, span: Span, what: &str) {
    assert!((span.file.0 as usize) < sources.len(), "{what}: {span:?} is in no file");
    let source = sources.get(span.file);
    if source.lines().is_none() {
        return;
    }
    let text = source.text();
    let (start, end) = (span.start as usize, span.end as usize);
    assert!(start <= end && end <= text.len(), "{what}: {span:?} does not lie in {} bytes", text.len());
    assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{what}: {span:?} cuts a character");
}

fn check_places(scan: &Scan) {
    let sources = &scan.discovered.sources;
    let model = &scan.assembled.model;
    for resource in &model.resources {
        check_span(sources, resource.head, "head");
        check_span(sources, resource.span, "resource");
        resource.calls.iter().for_each(|call| check_span(sources, call.span, "call"));
        let mut open = vec![&resource.body];
        while let Some(node) = open.pop() {
            check_span(sources, node.span, "value");
            for step in node.trail.iter().flat_map(|trail| &trail.steps) {
                check_span(sources, step.span, &step.what);
            }
            open.extend(node.items());
            open.extend(node.entries().iter().map(|entry| &entry.node));
        }
    }
    scan.assembled.comments.iter().for_each(|comment| check_span(sources, *comment, "comment"));
    model.observations.iter().for_each(|seen| check_span(sources, seen.span, seen.name));
    model.secrets.iter().for_each(|secret| check_span(sources, secret.span, secret.what));
    for problem in scan.assembled.problems.iter().chain(&scan.judged.problems) {
        problem.span.iter().for_each(|span| check_span(sources, *span, &problem.message));
    }
    check_findings(sources, &scan.judged.findings);
}

/// The places of findings, and that each says something.
pub fn check_findings(sources: &Sources, findings: &[Finding]) {
    for finding in findings {
        check_span(sources, finding.at, &finding.message);
        check_span(sources, finding.judged, &finding.message);
        finding.scope.iter().for_each(|scope| check_span(sources, *scope, &finding.message));
        finding.related.iter().for_each(|place| check_span(sources, place.at, &place.message));
        assert!(!finding.message.is_empty(), "{} says nothing", finding.rule);
    }
}

/// No reader and no rule panicked. Under a fuzzer a panic ends the process before it is caught.
pub fn check_nothing_broke<'p>(problems: impl Iterator<Item = &'p Problem>) {
    for problem in problems {
        let is_caught = problem.kind == ProblemKind::Rule || problem.message.contains(" reader broke: ");
        assert!(!is_caught, "{}: {}", problem.path, problem.message);
    }
}

/// Every file whose name says for certain that it is of a format was read, or a problem tells of it.
fn check_nothing_is_lost(tree: &Tree, scan: &Scan) {
    let Scan { discovered, assembled, .. } = scan;
    let is_told = |path: &str| {
        let mut problems = discovered.problems.iter().chain(&assembled.problems);
        problems.any(|problem| problem.path == path && problem.kind.closes())
    };
    let names = || tree.files().map(|(path, _)| path);
    let is_ignored = names().any(|path| path.ends_with("ignore"));
    for path in names().filter(|_| !is_ignored) {
        let is_claimed = FRONTENDS.iter().any(|frontend| frontend.claims(Path::new(path)) == Claim::Yes);
        let is_hidden = path.split('/').any(|part| part.starts_with('.'));
        let is_known = discovered.sources.iter().any(|(_, source)| source.path() == path);
        assert!(is_known || is_told(path) || is_hidden || !is_claimed, "{path} is lost");
    }
    for (frontend, files) in FRONTENDS.iter().zip(&discovered.claims) {
        for file in files {
            let source = discovered.sources.get(*file);
            let path = Path::new(source.path());
            // What Docker ignores is read beside the Dockerfile; what is empty may be of no format.
            let is_certain = frontend.claims(path) == Claim::Yes && frontend.recognizes(path, source.text());
            let is_beside = source.path().ends_with(".dockerignore") || path.ends_with(".env");
            let is_read = assembled.is_read(*file) || is_beside || is_told(source.path());
            assert!(!is_certain || is_read, "{} is claimed and lost", source.path());
        }
    }
}

/// Blank lines at the top of a file change no finding but its place, and no fingerprint.
fn check_moved(tree: &Tree, scan: &Scan) {
    let mut moved = Tree::of(b"", "empty.txt");
    for (path, text) in tree.files() {
        // Directives of a Dockerfile stand on the first line, and expressions may read files.
        let is_fixed = text.first().is_none_or(|first| *first == b'#' || !first.is_ascii())
            || !FRONTENDS.iter().any(|frontend| frontend.claims(Path::new(path)) != Claim::No)
            || scan.discovered.sources.iter().any(|(_, source)| source.text().contains("file"));
        moved.add(path, if is_fixed { text.to_vec() } else { [b"\n\n", text].concat() });
    }
    let keys = |scan: &Scan| {
        let key = |one: &Finding| {
            format!("{} {} {} {} {}", one.rule, one.address, one.attribute, one.message, one.fingerprint)
        };
        let mut keys: Vec<String> = scan.judged.findings.iter().map(key).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(scan), keys(&self::scan(&moved, &RULES)), "blank lines change what is found");
}

/// All that a scan says, as text.
pub fn outline(scan: &Scan) -> String {
    let mut out = String::new();
    for resource in &scan.assembled.model.resources {
        let _ = writeln!(out, "{} {} {} {:?}", resource.format, resource.root, resource.address, resource.span);
        write_node(&resource.body, &mut out);
    }
    let _ = writeln!(out, "{:?}", scan.assembled.model.graph.edges());
    let _ = writeln!(out, "{:?}\n{:?}", scan.assembled.problems, scan.assembled.comments);
    let _ = writeln!(out, "{:?}\n{:?}", scan.judged.findings, scan.judged.undecided);
    let _ = writeln!(out, "{:?}", scan.discovered.skipped);
    out
}

fn write_node(node: &Node, out: &mut String) {
    let _ = match &node.value {
        Value::List(items) => {
            items.iter().for_each(|item| write_node(item, out));
            writeln!(out, "list {:?}", node.span)
        }
        Value::Map(map) => {
            for entry in map.entries() {
                let _ = writeln!(out, "{}:", entry.key);
                write_node(&entry.node, out);
            }
            writeln!(out, "map {:?}", node.span)
        }
        Value::Unknown(unknown) => writeln!(out, "{} {:?}", unknown.reason, unknown.references),
        scalar => writeln!(out, "{scalar:?} {:?}", node.span),
    };
}

/// A request to scan a tree by these rules.
pub fn request<'r>(tree: &Tree, rules: &'r Rules, config: Config) -> Request<'r> {
    Request {
        catalog: &rules.catalog,
        selected: rules.selected.clone(),
        config,
        imports: Default::default(),
        ignored: Default::default(),
        asked: Default::default(),
        settings: settings(tree),
        fail_on: Some(Severity::Medium),
        strict: false,
        require_files: false,
        suppress: true,
        today: Date::from_unix(1_790_000_000),
        base: None,
        baseline: None,
    }
}

/// Reports of all formats on a tree.
fn check_reports(tree: &Tree) {
    let discovered = discover(tree);
    let request = request(tree, &RULES, Config::default());
    let report = scan::scan(&request, &discovered).expect("nothing is compared");
    check_report(&report);
}

/// A report can be written in all formats; those of machines can be read.
pub fn check_report(report: &Report<'_>) {
    for format in FORMATS {
        let style = Style { width: 100, show_suppressed: true, show_old: true, ..Style::default() };
        let mut bytes = Vec::new();
        (format.write)(report, style, &mut bytes).expect("memory takes all");
        let text = String::from_utf8(bytes).expect("reports are UTF-8");
        if matches!(format.name, "json" | "sarif" | "gitlab") {
            let read: Result<serde_json::Value, _> = serde_json::from_str(&text);
            assert!(read.is_ok(), "the {} report is no JSON: {read:?}", format.name);
        }
    }
}
