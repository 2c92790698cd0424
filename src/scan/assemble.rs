//! From files to the model that rules judge.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::discover::Discovered;
use crate::frontend::{FRONTENDS, Parsed, Settings};
use crate::model::{Edge, Graph, Model, ResourceId, Secret};
use crate::problem::{Problem, ProblemKind};
use crate::rules::engine::panic_text;
use crate::rules::native::secrets::named::Named;
use crate::secret;
use crate::source::{FileId, Sources, Span};
use crate::suppress;

/// Everything that was read, before rules run.
pub struct Assembled {
    /// The model.
    pub model: Model,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Comments, for suppressions.
    pub comments: Vec<Span>,
    /// Values that no output shows, of environments whose model is gone.
    pub named: Vec<Named>,
    /// Files read, by format.
    pub files_read: Vec<(&'static str, usize)>,
    /// The same files, by their ids.
    read: FxHashSet<FileId>,
}

impl Assembled {
    /// Whether the file turned out to be of the format that claims it.
    pub fn is_read(&self, file: FileId) -> bool {
        self.read.contains(&file)
    }
}

/// Runs every frontend over its files and joins what they yield into one model.
pub fn assemble(settings: &Settings, discovered: &Discovered) -> Assembled {
    assemble_with(settings, discovered, secrets(&discovered.sources))
}

/// The same with the credentials in the texts, which no setting changes.
pub(crate) fn assemble_with(settings: &Settings, discovered: &Discovered, secrets: Vec<Secret>) -> Assembled {
    let sources = &discovered.sources;
    let parsed = FRONTENDS
        .par_iter()
        .zip(&discovered.claims)
        .map(|(frontend, files)| {
            catch_unwind(AssertUnwindSafe(|| frontend.parse(settings, sources, files)))
                .unwrap_or_else(|panic| broken_frontend(frontend.name(), &panic_text(&*panic)))
        })
        .collect();
    let mut assembled = join(sources, parsed);
    assembled.model.secrets = secrets;
    // Of texts that no frontend reads, the comments beside what is found may say that it is accepted.
    let unread = |secret: &&Secret| !assembled.read.contains(&secret.span.file);
    let places: Vec<Span> = assembled.model.secrets.iter().filter(unread).map(|secret| secret.span).collect();
    assembled.comments.extend(suppress::comments_near(sources, &places));
    let texts = sources.iter().filter(|(file, source)| source.is_judged() && !assembled.read.contains(file));
    assembled.comments.extend(texts.flat_map(|(file, source)| suppress::own_comments(file, source)));
    let is_image =
        |secret: &&Secret| assembled.model.dockerfiles.binary_search_by_key(&secret.span.file, |one| one.file).is_ok();
    let places: Vec<Span> = assembled.model.secrets.iter().filter(is_image).map(|secret| secret.span).collect();
    assembled.comments.extend(suppress::comments_in_scripts(sources, &places));
    assembled.comments.sort();
    assembled.comments.dedup();
    assembled
}

/// Credentials of known forms in all texts, whatever their format and wherever they stand.
pub fn secrets(sources: &Sources) -> Vec<Secret> {
    let files: Vec<_> = sources.iter().filter(|(_, source)| source.is_judged()).collect();
    let found = files.par_iter().flat_map_iter(|(file, source)| {
        secret::find_in_file(source.path(), source.text()).into_iter().map(|hit| Secret {
            span: Span::new(*file, hit.start as u32, hit.end as u32),
            kind: hit.kind,
            what: hit.what,
        })
    });
    found.collect()
}

/// A frontend that broke loses its own files, not the scan.
fn broken_frontend(name: &str, reason: &str) -> Parsed {
    let problem = Problem::with_path(ProblemKind::Unread, "", format!("the {name} reader broke: {reason}"))
        .help("this is a defect of gate: please report it with the file that causes it");
    Parsed { problems: vec![problem], ..Parsed::default() }
}

/// Joins what the frontends yield; resources are numbered through.
fn join(sources: &Sources, parsed: Vec<Parsed>) -> Assembled {
    let mut model = Model::default();
    let mut edges = Vec::new();
    let mut assembled = Assembled {
        model: Model::default(),
        problems: Vec::new(),
        comments: Vec::new(),
        named: Vec::new(),
        files_read: Vec::new(),
        read: FxHashSet::default(),
    };
    let total: usize = parsed.iter().map(|part| part.resources.len()).sum();
    for (frontend, part) in FRONTENDS.iter().zip(parsed) {
        let base = model.resources.len() as u32;
        edges.extend(part.edges.into_iter().map(|edge| Edge {
            from: ResourceId(base + edge.from),
            attribute: edge.attribute,
            to: ResourceId(base + edge.to),
        }));
        if model.resources.is_empty() {
            // Most scans are of one format: what is large already is not copied.
            model.resources = part.resources;
        } else {
            model.resources.reserve_exact(total - model.resources.len());
            model.resources.extend(part.resources);
        }
        model.observations.extend(part.observations);
        model.moves.extend(part.moves);
        model.dockerfiles.extend(part.dockerfiles);
        model.dockerignores.extend(part.dockerignores);
        model.image_builds.extend(part.image_builds);
        assembled.problems.extend(part.problems);
        assembled.comments.extend(part.comments);
        if !part.read.is_empty() {
            assembled.files_read.push((frontend.name(), part.read.len()));
            assembled.read.extend(part.read);
        }
    }
    for problem in &mut assembled.problems {
        if let (true, Some(span)) = (problem.path.is_empty(), problem.span) {
            problem.path = sources.get(span.file).path().to_string();
        }
    }
    // Some stand in Compose files. Rules look for them by their file.
    model.dockerfiles.sort_by_key(|file| file.file);
    model.graph = Graph::new(edges);
    model.mark_targets();
    assembled.comments.sort();
    assembled.model = model;
    assembled
}
