//! Compose files, as the Compose Specification has them read: variables, anchors, `extends`, override files, short and long
//! forms. What rules see of a service has the long form, whatever was written.
//!
//! A folder's `compose.yaml` and `compose.override.yaml` are one project, as `docker compose up` takes them. A file such as
//! `compose.prod.yaml` is laid over `compose.yaml` where it says nothing of the image of a service that stands there too, and
//! else is a project of its own. A file of another name is a Compose file if Compose would take all of its keys.
//!
//! A file of a Compose name that has no key of Compose's at the top is left alone: nothing would start from it.

mod built;
mod interpolate;
mod merge;
mod project;
mod shape;
mod short;

use std::path::Path;
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;
use rustc_hash::FxHashMap;

use self::interpolate::Variables;
use self::merge::{Tag, Tags};
use super::growth::Budget;
use super::kubernetes::Kubernetes;
use super::kubernetes::claim::is_object;
use super::yaml::block::Block;
use super::yaml::{self, Dialect};
use super::{Claim, Context, Frontend, Parsed, Settings, dockerfile};
use crate::model::{Node, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources};

/// The Compose frontend.
pub struct Compose;

/// Names that `docker compose` finds by itself, best first.
const BASES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Names that it lays over them.
const OVERRIDES: &[&str] =
    &["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// The file of variables beside them.
const VARIABLES: &str = ".env";

/// Keys at the top that make a file a Compose file. Source: the Compose Specification.
const SECTIONS: &[&str] = &["services", "include", "networks", "volumes", "secrets", "configs", "models"];

/// Files beside one that are named in it; more are left out.
const MAX_NAMED: usize = 200;

/// Whether a name says that the file is Compose's.
fn is_named(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
    let after = stem.strip_prefix("docker-compose").or_else(|| stem.strip_prefix("compose"));
    let is_long = stem.starts_with("docker-compose");
    after.is_some_and(|after| after.is_empty() || after.starts_with('.') || is_long && after.starts_with(['-', '_']))
}

impl Frontend for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }

    fn claims(&self, path: &Path) -> Claim {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        match is_named(&name) {
            true => Claim::Yes,
            false if is_yaml || name == VARIABLES => Claim::Maybe,
            false => Claim::No,
        }
    }

    /// A text with a key of Compose's at the beginning of a line, and no manifest. Variables are read where a file asks for them.
    fn recognizes(&self, path: &Path, text: &str) -> bool {
        static SECTION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?m)^(?:services|networks|volumes):").expect("the pattern is constant"));
        if path.file_name().is_some_and(|name| name == VARIABLES) {
            return true;
        }
        SECTION.is_match(text) && !is_object(text)
    }

    /// Files of the same folder, variables, files that are extended or included, Dockerfiles that are built.
    fn context(&self, _path: &Path, text: &str) -> Context {
        static NAMED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?m)(?:^|[\s{,])(?:(file|path|context|build|dockerfile|include):|(-))[ \t]+["']?([^\s"'#${},\[\]]+)"#)
                .expect("the pattern is constant")
        });
        let mut files = Vec::new();
        let (mut contexts, mut dockerfiles) = (vec![".".to_string()], vec!["Dockerfile".to_string()]);
        if text.contains("services:") || text.contains("include:") {
            files.push(VARIABLES.to_string());
        }
        for found in NAMED.captures_iter(text).take(10 * MAX_NAMED) {
            let value = found[3].to_string();
            match found.get(1).map_or("", |key| key.as_str()) {
                "context" | "build" if !value.contains("://") => contexts.push(value),
                "dockerfile" => dockerfiles.push(value),
                _ if value.ends_with(".yaml") || value.ends_with(".yml") => files.push(value),
                _ => {}
            }
        }
        let has_build = text.contains("build");
        let built = contexts.iter().flat_map(|context| dockerfiles.iter().map(move |file| format!("{context}/{file}")));
        files.extend(built.take(if has_build { MAX_NAMED } else { 0 }));
        files.truncate(MAX_NAMED);
        let named = built::named_in(text).into_iter().take(MAX_NAMED);
        let named = named.map(|path| (Frontend::name(&dockerfile::Dockerfile), path)).collect();
        Context { folders: vec![".".into()], files, named, ..Context::default() }
    }

    fn parse(&self, settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let mut read: Vec<File<'_>> = files
            .par_iter()
            .filter(|file| sources.get(**file).name() != VARIABLES)
            .map(|file| File::read(*file, sources.get(*file)))
            .collect();
        let mut grown = Vec::new();
        let variables: FxHashMap<&str, Variables> = files
            .iter()
            .map(|file| sources.get(*file))
            .filter(|source| source.name() == VARIABLES)
            .map(|source| {
                let mut budget = Budget::default();
                let variables = interpolate::variables(source.text(), &mut budget);
                grown.extend(budget.problem(source.path()));
                (source.folder(), variables)
            })
            .collect();
        project::mark_included(&mut read);
        let mut parsed = project::parse(&read, &variables);
        parsed.problems.extend(grown);
        built::tell_unread(settings, sources, &mut parsed);
        let mut manifests = Vec::new();
        for file in read {
            match file.nature {
                Nature::Compose => {
                    written_out(&file, sources.get(file.id), &mut parsed);
                    parsed.problems.extend(file.problems);
                    parsed.comments.extend(file.comments);
                    if !file.roots.is_empty() {
                        parsed.read.push(file.id);
                    }
                }
                Nature::Manifest => manifests.push(file.id),
                Nature::Fragment => parsed.problems.extend(file.problems.into_iter().filter(|_| file.is_named)),
            }
        }
        if !manifests.is_empty() {
            // A manifest under a name of Compose's is judged as what it is.
            parsed.add(Kubernetes.parse(settings, sources, &manifests));
        }
        parsed
    }
}

/// Reads the Dockerfiles that are written out in a file (`dockerfile_inline`).
fn written_out(file: &File<'_>, source: &Source, parsed: &mut Parsed) {
    let services = file.roots.iter().flat_map(|root| root.get("services").entries());
    for service in services {
        let Some(text) = service.node.at("build.dockerfile_inline").known() else { continue };
        let Some(block) = Block::new(text, source) else { continue };
        let Some(masked) = block.masked(source) else {
            let message =
                format!("services.{}.build.dockerfile_inline is no literal block: it was not judged", service.key);
            let help = "write it below `dockerfile_inline: |`, a line for each of its lines";
            parsed.problems.push(Problem::at(ProblemKind::Unread, text.span, message).help(help));
            continue;
        };
        parsed.add(dockerfile::read_indented(file.id, &Source::new(file.path, masked), block.indent(source)));
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// A Compose file.
    Compose,
    /// A Kubernetes manifest.
    Manifest,
    /// Something else, that a Compose file may still extend.
    Fragment,
}

/// One file as it was read.
struct File<'s> {
    id: FileId,
    path: &'s str,
    folder: &'s str,
    name: &'s str,
    /// Whether its name says what it is.
    is_named: bool,
    nature: Nature,
    /// The maps of its documents: later ones lie over earlier ones.
    roots: Vec<Node>,
    tags: Tags,
    /// Services by name: the document and the place in it of each.
    services: FxHashMap<std::sync::Arc<str>, Vec<(usize, usize)>>,
    problems: Vec<Problem>,
    comments: Vec<crate::source::Span>,
}

impl<'s> File<'s> {
    fn read(id: FileId, source: &'s Source) -> File<'s> {
        let path = source.path();
        let documents = yaml::read_as(id, source.text(), Dialect::Compose);
        let mut problems = documents.problems;
        for twice in documents.observations.iter().filter(|one| one.name == "yaml-duplicate-key") {
            let key = twice.message.split('"').nth(1).unwrap_or("").to_string();
            let message = format!("key \"{key}\" stands twice in this mapping");
            let help = "Compose refuses the file; the last of the two is judged";
            problems.push(Problem::at(ProblemKind::Syntax, twice.span, message).help(help));
        }
        let tag = |name: &str| match name.trim_start_matches('!') {
            "reset" => Some(Tag::Reset),
            "override" => Some(Tag::Override),
            _ => None,
        };
        let tags = documents.tagged.iter().filter_map(|(key, name)| Some((*key, tag(name)?))).collect();
        let mut file = File {
            id,
            path,
            folder: source.folder(),
            name: source.name(),
            is_named: is_named(source.name()),
            nature: Nature::Fragment,
            roots: Vec::new(),
            tags,
            services: FxHashMap::default(),
            problems,
            comments: documents.comments,
        };
        let is_broken = !file.problems.is_empty();
        for document in documents.documents {
            match &document.root.value {
                Value::Map(_) => file.roots.push(document.root),
                _ if file.is_named => {
                    let message = format!("the file is {}, wanted a map with services", shape::kind(&document.root));
                    let help = "Compose refuses it; write `services:`, or give the file another name";
                    file.problems.push(Problem::at(ProblemKind::Syntax, document.span, message).help(help));
                }
                _ => {}
            }
        }
        let is_manifest = is_object(source.text());
        if file.is_named && !is_broken && !is_manifest && !file.roots.iter().any(has_section) {
            let mut entries = file.roots.iter().flat_map(Node::entries);
            if let Some(entry) = entries.find(|entry| !is_top(&entry.key)) {
                let message =
                    format!("{:?} is no section of a Compose file, and none of its sections is there", entry.key);
                let help = "Compose refuses it; write services below `services:`, or give the file another name";
                file.problems.push(Problem::at(ProblemKind::Syntax, entry.key_span, message).help(help));
            }
        }
        file.nature = match () {
            () if is_manifest => Nature::Manifest,
            () if file.is_named && (is_broken || file.roots.iter().any(has_section)) => Nature::Compose,
            () if !file.is_named && !file.roots.is_empty() && file.roots.iter().all(is_plainly_compose) => {
                Nature::Compose
            }
            () => Nature::Fragment,
        };
        for (document, root) in file.roots.iter().enumerate() {
            let services = root.get("services").entries();
            for (place, entry) in services.iter().enumerate() {
                file.services.entry(entry.key.clone()).or_default().push((document, place));
            }
        }
        file
    }

    /// Whether it says what a service runs.
    fn has_image(&self, service: &str) -> bool {
        let said = |key: &str| !service_nodes(self, service).all(|node| node.get(key).is_absent());
        said("image") || said("build") || said("extends")
    }
}

/// What the documents of a file say of a service.
fn service_nodes<'f>(file: &'f File<'_>, name: &str) -> impl Iterator<Item = &'f Node> {
    let places = file.services.get(name).map(Vec::as_slice).unwrap_or_default();
    places.iter().filter_map(|(document, place)| {
        file.roots[*document].get("services").known()?.entries().get(*place).map(|entry| &entry.node)
    })
}

fn has_section(root: &Node) -> bool {
    SECTIONS
        .iter()
        .any(|section| !matches!(root.get(section), crate::model::Lookup::Absent(node) if std::ptr::eq(node, root)))
}

/// Whether a key may stand at the top of a Compose file.
fn is_top(key: &str) -> bool {
    SECTIONS.contains(&key) || key == "version" || key == "name" || key.starts_with("x-")
}

/// Whether all keys are Compose's, and something in it would start or says that it is for Compose.
fn is_plainly_compose(root: &Node) -> bool {
    if !root.entries().iter().all(|entry| is_top(&entry.key)) {
        return false;
    }
    let Some(services) = root.get("services").known() else {
        return root.get("version").known().is_some() && has_section(root);
    };
    let is_service = |node: &Node| {
        let is_key = |key: &str| shape::form(key).is_some() || key.starts_with("x-");
        matches!(node.value, Value::Map(_)) && node.entries().iter().all(|entry| is_key(&entry.key))
    };
    let runs = |node: &Node| ["image", "build", "extends"].iter().any(|key| !node.get(key).is_absent());
    let entries = services.entries();
    entries.iter().all(|entry| is_service(&entry.node)) && entries.iter().any(|entry| runs(&entry.node))
}
