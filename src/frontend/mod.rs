//! Input formats. Each turns files into resources of the common model; a new format is one file here and one entry in
//! [`FRONTENDS`].

pub mod compose;
pub mod dockerfile;
pub mod document;
mod growth;
pub mod kubernetes;
pub mod terraform;
mod workflow;
pub mod yaml;

use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::filesystem::{Files, Reach};
use crate::model::dockerfile::{Dockerfile, ImageBuild};
use crate::model::dockerignore::Dockerignore;
use crate::model::{Move, Observation, Resource};
use crate::problem::Problem;
use crate::source::{FileId, Sources, Span};

/// An edge before resources have their final ids: indices into [`Parsed::resources`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalEdge {
    /// Index of the resource that refers.
    pub from: u32,
    /// Its top-level argument.
    pub attribute: Arc<str>,
    /// Index of the resource referred to.
    pub to: u32,
}

/// How sure a frontend is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Not its format.
    No,
    /// Its text decides: the frontend looks again and may leave it, which is no problem.
    Maybe,
    /// Its format: what cannot be read of it closes the gate.
    Yes,
}

/// What one frontend made of all files it claims. Parsing never fails as a whole.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Resources in the order of files and places.
    pub resources: Vec<Resource>,
    /// Dockerfiles in full, for rules about instructions.
    pub dockerfiles: Vec<Arc<Dockerfile>>,
    /// Ignore files of the contexts that they are built from.
    pub dockerignores: Vec<Dockerignore>,
    /// Builds of images that something else than Compose runs.
    pub image_builds: Vec<ImageBuild>,
    /// References between them.
    pub edges: Vec<LocalEdge>,
    /// What was seen beside resources.
    pub observations: Vec<Observation>,
    /// What went on under another address.
    pub moves: Vec<Move>,
    /// What could not be read or evaluated.
    pub problems: Vec<Problem>,
    /// Every comment with its marks, for suppressions.
    pub comments: Vec<Span>,
    /// The files that turned out to be of this format.
    pub read: Vec<FileId>,
}

impl Parsed {
    /// Takes in what another file, or another part of this one, was made of.
    pub fn add(&mut self, part: Parsed) {
        // Whole, so that a list that the compiler does not see here is an error.
        let Parsed {
            resources,
            dockerfiles,
            dockerignores,
            image_builds,
            edges,
            observations,
            moves,
            problems,
            comments,
            read,
        } = part;
        let base = self.resources.len() as u32;
        self.edges.extend(edges.into_iter().map(|edge| LocalEdge {
            from: base + edge.from,
            to: base + edge.to,
            ..edge
        }));
        self.resources.extend(resources);
        self.dockerfiles.extend(dockerfiles);
        self.dockerignores.extend(dockerignores);
        self.image_builds.extend(image_builds);
        self.observations.extend(observations);
        self.moves.extend(moves);
        self.problems.extend(problems);
        self.comments.extend(comments);
        self.read.extend(read);
    }
}

/// What frontends are told beside the files.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where expressions read files.
    pub files: Files,
    /// The real folder that paths are relative to; reads by expressions (`file()`, local modules) stay below it.
    pub root: std::path::PathBuf,
    /// Which files below it expressions may read.
    pub reach: Reach,
    /// Variables files of `--var-file`, in order, among the sources of the scan.
    pub var_files: Vec<FileId>,
    /// Variables files of the environment that is judged, in order: each for the root module that it lies in or below.
    pub environment_files: Vec<FileId>,
    /// Environments that are judged one by one, each with more variables files; none means one run without.
    pub environments: Vec<Environment>,
    /// `--var name=value` arguments, in order.
    pub vars: Vec<(String, String)>,
    /// Whether `TF_VAR_*` of the environment count.
    pub tf_env: bool,
    /// Whether every resource carries what its provider's defaults make of it (`tags_all`). No built-in rule looks at it, and in
    /// large trees it weighs a tenth of all that is held.
    pub with_defaults: bool,
    /// The base of the change that is judged; none where there is no change, and for the base itself.
    pub before: Option<Arc<Before>>,
}

/// The base of a change, as far as it decides how files of the head are read: what the base judged by itself a change can't take
/// out of judgement by calling or naming it.
#[derive(Debug, Default)]
pub struct Before {
    /// Files of the head that the base has just so.
    pub unchanged: FxHashSet<FileId>,
    /// Files of the head that are read for the sake of others alone: nobody would judge them by themselves.
    pub needed: FxHashSet<FileId>,
    /// Texts of the base that are others in the head, or gone.
    pub sources: Sources,
    /// Those of each frontend, in the order of [`FRONTENDS`].
    pub claims: Vec<Vec<FileId>>,
    /// All files of the base.
    pub files: Files,
}

impl Before {
    /// The texts in [`Before::sources`] that are of this format.
    pub fn of_format(&self, name: &str) -> &[FileId] {
        let number = FRONTENDS.iter().position(|frontend| frontend.name() == name);
        number.and_then(|number| self.claims.get(number)).map_or(&[], |files| &files[..])
    }
}

/// An environment of Terraform: a name, and the variables files that make it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The name, as in `prod`.
    pub name: std::sync::Arc<str>,
    /// The files, in order, among the sources of the scan.
    pub var_files: Vec<FileId>,
}

/// Folders and files that a file needs read beside it, relative to its own folder (`.`, `../modules/db`); those outside the root
/// of the scan are left out. Their files are given to the frontend too, also where they are hidden or ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Folders whose own files are read.
    pub folders: Vec<String>,
    /// Folders that are read with all folders below: what was installed there, such as `.terraform/modules`.
    pub installed: Vec<String>,
    /// Single files, whichever frontend reads them: `.env`, `../api/Dockerfile`.
    pub files: Vec<String>,
    /// Single files that are of a format because this file says so, whatever they are called: the format and the path. They are
    /// judged where this file is, also where they are hidden, ignored or excluded.
    pub named: Vec<(&'static str, String)>,
}

/// An input format.
pub trait Frontend: Sync {
    /// The name in selectors, in the catalog and in reports.
    fn name(&self) -> &'static str;
    /// Whether a file of this name is of this format; `path` is relative to the root, with `/`.
    fn claims(&self, path: &Path) -> Claim;
    /// Whether the text of a file that may be of this format is.
    fn recognizes(&self, path: &Path, text: &str) -> bool {
        let _ = (path, text);
        true
    }
    /// What must be read beside a file of this format for it to be understood, as the other files of a module.
    fn context(&self, path: &Path, text: &str) -> Context {
        let _ = (path, text);
        Context::default()
    }
    /// Whether what a file does is decided by files that call it, so that these are looked for where it is given alone.
    fn is_called(&self) -> bool {
        false
    }
    /// Reads all files that are its own.
    fn parse(&self, settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed;
}

/// All formats. Where two may claim a file the first has it.
pub const FRONTENDS: &[&dyn Frontend] =
    &[&terraform::Terraform, &dockerfile::Dockerfile, &compose::Compose, &document::Document, &kubernetes::Kubernetes];
