//! One measurement per stage of the pipeline, each on one thread: `cargo bench --bench stages`.
//!
//! `cargo bench --bench stages -- parse` runs those whose name holds `parse`. Whole scans beside other scanners are
//! `benches/compare`'s business.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use gate::config::Config;
use gate::discover::{self, Discovered, Walk};
use gate::frontend::terraform::syntax;
use gate::frontend::{FRONTENDS, Settings, yaml};
use gate::report::{FORMATS, Style};
use gate::rules::{Catalog, Cx, Selection, judge};
use gate::scan::{self, Assembled, Request};
use gate::secret;
use gate::severity::Severity;
use gate::source::{FileId, Source, Sources};
use gate::suppress::Date;

#[path = "../examples/corpus/mod.rs"]
mod corpus;

use corpus::random::Random;
use corpus::{Amount, KINDS};

const SEED: u64 = 1;

/// The files of a corpus, as `gate` would have read them.
fn files(kind: &str, size: usize) -> Vec<corpus::File> {
    let (.., maker) = KINDS.iter().find(|(name, ..)| *name == kind).expect("a known kind");
    let mut files = maker(Amount::Bytes(size), &mut Random::new(SEED));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn discovered(files: Vec<corpus::File>) -> Discovered {
    let mut claims = vec![Vec::new(); FRONTENDS.len()];
    let mut sources = Sources::default();
    for file in files {
        let owner =
            FRONTENDS.iter().position(|frontend| frontend.claims(Path::new(&file.path)) != gate::frontend::Claim::No);
        let id = sources.add(Source::new(file.path, file.text));
        claims[owner.expect("corpora hold files that are judged")].push(id);
    }
    Discovered { sources, claims, is_folder: true, ..Discovered::default() }
}

/// Parsers of one text: throughput in bytes.
fn parsers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.sample_size(20);
    for kind in ["terraform-file", "object", "line"] {
        let text = files(kind, 1_000_000).remove(0).text;
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("hcl", kind), |bencher| {
            bencher.iter(|| syntax::parse(FileId(0), black_box(text.as_str()).into()));
        });
    }
    let variables: String = (0..20_000).map(|number| format!("name_{number} = [\"{number}\", true]\n")).collect();
    group.throughput(Throughput::Bytes(variables.len() as u64));
    group.bench_function("tfvars", |bencher| {
        bencher.iter(|| syntax::parse(FileId(0), black_box(variables.as_str()).into()));
    });
    let manifests = files("kubernetes-file", 1_000_000).remove(0).text;
    group.throughput(Throughput::Bytes(manifests.len() as u64));
    group.bench_function("yaml", |bencher| bencher.iter(|| yaml::read(FileId(0), black_box(&manifests))));
    group.finish();
}

/// From texts to the common model: for Dockerfiles parsing, for Terraform parsing and evaluation.
fn frontends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("assemble");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
    for kind in ["terraform", "kubernetes", "dockerfile"] {
        let discovered = discovered(files(kind, 1_000_000));
        let size: usize = discovered.sources.iter().map(|(_, source)| source.text().len()).sum();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(kind, |bencher| bencher.iter(|| assemble(&discovered)));
    }
    group.finish();
}

fn assemble(discovered: &Discovered) -> Assembled {
    scan::assemble(&Settings::default(), black_box(discovered))
}

/// The rules over a model that stands: throughput in resources.
fn rules(criterion: &mut Criterion) {
    let catalog = Catalog::built_in();
    let selected = catalog.select(&Selection::default()).expect("the default selection");
    let mut group = criterion.benchmark_group("judge");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
    for kind in ["terraform", "kubernetes", "dockerfile"] {
        let discovered = discovered(files(kind, 1_000_000));
        let assembled = assemble(&discovered);
        group.throughput(Throughput::Elements(assembled.model.resources.len() as u64));
        let cx = Cx { model: &assembled.model, sources: &discovered.sources, options: gate::rules::Options::none() };
        group.bench_function(kind, |bencher| bencher.iter(|| judge(cx, &catalog, black_box(&selected))));
    }
    group.finish();
    criterion.bench_function("catalog/load and select", |bencher| {
        bencher.iter(|| {
            let catalog = Catalog::built_in();
            catalog.select(black_box(&Selection::default())).map(|selected| selected.len())
        });
    });
}

/// Every report format on the findings of one scan: throughput in findings.
fn reports(criterion: &mut Criterion) {
    let catalog = Catalog::built_in();
    let discovered = discovered(files("terraform", 1_000_000));
    let request = Request {
        base: None,
        baseline: None,
        catalog: &catalog,
        selected: catalog.select(&Selection::default()).expect("the default selection"),
        imports: Default::default(),
        ignored: Default::default(),
        asked: Default::default(),
        config: Config::default(),
        settings: Settings::default(),
        fail_on: Some(Severity::Medium),
        strict: false,
        require_files: false,
        suppress: true,
        today: Date::from_unix(0),
    };
    let report = scan::scan(&request, &discovered).expect("nothing is compared");
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10).throughput(Throughput::Elements(report.findings.len() as u64));
    for format in FORMATS {
        group.bench_function(format.name, |bencher| {
            bencher.iter(|| {
                let mut bytes = Vec::new();
                (format.write)(&report, Style { width: 100, ..Style::default() }, &mut bytes).map(|()| bytes.len())
            });
        });
    }
    group.finish();
}

/// The search for secrets, on code of this crate and on manifests: throughput in bytes. Known forms alone come first, so that
/// one run tells what names cost.
fn search(criterion: &mut Criterion) {
    fn read(folder: &Path, text: &mut String) {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").flatten().map(|one| one.path()).collect();
        entries.sort();
        for path in entries {
            match path.is_dir() {
                true => read(&path, text),
                false => text.push_str(&std::fs::read_to_string(&path).expect("code is text")),
            }
        }
    }
    let mut code = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let manifests = files("kubernetes-file", 1_000_000).remove(0).text;
    let mut group = criterion.benchmark_group("search");
    group.sample_size(20);
    for (path, text) in [("src/main.rs", code), ("config.yaml", manifests)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("known forms", path), |bencher| {
            bencher.iter(|| secret::find(black_box(&text)).len());
        });
        group.bench_function(BenchmarkId::new("and names", path), |bencher| {
            bencher.iter(|| secret::find_in_file(path, black_box(&text)).len());
        });
    }
    group.finish();
}

/// The walk over a tree of small files, with reading.
fn walk(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (.., maker) = KINDS.iter().find(|(name, ..)| *name == "tree").expect("a known kind");
    let files = maker(Amount::Files(2_000), &mut Random::new(SEED));
    for file in &files {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().expect("files lie in folders")).expect("a new folder");
        std::fs::write(path, &file.text).expect("a new file");
    }
    let paths = [PathBuf::from(folder.path())];
    let mut group = criterion.benchmark_group("discover");
    group.sample_size(10).throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("2,000 files", |bencher| bencher.iter(|| discover::discover(&Walk::new(&paths), FRONTENDS)));
    group.finish();
}

fn main() {
    // Fails only when the pool stands already, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(64 << 20).build_global();
    let mut criterion = Criterion::default().warm_up_time(Duration::from_millis(500)).configure_from_args();
    for stage in [parsers, frontends, rules, reports, search, walk] {
        stage(&mut criterion);
    }
    criterion.final_summary();
}
