//! Where the images of the tree are built: the stage of a Dockerfile that a Compose service's `build`, a step of a workflow or an
//! artifact of Skaffold names, by the service and by the name of the image; else the only Dockerfile of a folder called like the image.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::dockerfile::{Dockerfile, ImageBuild, Stage};
use crate::model::image::Image;
use crate::model::{Entry, Lookup, Model, Node, Resource, ResourceId, Value};
use crate::path::{folder_of, join};
use crate::source::Span;

/// A stage of a Dockerfile of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Built {
    /// Index among [`Model::dockerfiles`].
    pub dockerfile: usize,
    /// Index among its stages.
    pub stage: usize,
}

/// What is known of the build of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The stage that becomes the image.
    Stage(Built),
    /// The Dockerfile was not read, or a variable decides which it is.
    Unread,
    /// The Dockerfile was read and has no such stage.
    NoTarget,
}

impl Build {
    /// The stage that becomes the image, if it is known.
    pub fn stage(self) -> Option<Built> {
        match self {
            Build::Stage(built) => Some(built),
            Build::Unread | Build::NoTarget => None,
        }
    }
}

/// The builds of a tree.
#[derive(Debug, Default)]
pub struct Builds {
    by_service: FxHashMap<ResourceId, Build>,
    /// What others than services build.
    others: Vec<Built>,
    by_image: FxHashMap<String, Vec<Built>>,
    /// By the last part of an image's name: the Dockerfiles of folders of this name.
    by_folder: FxHashMap<String, Vec<Built>>,
    /// Folders that are taken as context, by the index of the Dockerfile.
    contexts: FxHashMap<usize, Vec<String>>,
}

impl Builds {
    /// Looks at all Compose services with `build`, and at the builds that others run.
    pub fn new(resources: &[Resource], dockerfiles: &[Arc<Dockerfile>], image_builds: &[ImageBuild]) -> Builds {
        let mut builds = Builds::default();
        let services = || {
            let all = resources.iter().enumerate();
            all.filter(|(_, one)| {
                one.format == "compose" && &*one.kind == "service" && !one.body.get("build").is_absent()
            })
        };
        if dockerfiles.is_empty() && services().next().is_none() {
            return builds;
        }
        let by_file: FxHashMap<_, _> = dockerfiles.iter().enumerate().map(|(index, file)| (file.file, index)).collect();
        // Those that stand in a Compose file are nobody else's.
        let is_inline = |one: &Resource| one.root.ends_with(".yaml") || one.root.ends_with(".yml");
        let stages = resources.iter().filter(|one| one.format == "dockerfile" && !is_inline(one));
        let by_path: FxHashMap<&str, usize> =
            stages.filter_map(|one| Some((&*one.root, *by_file.get(&one.span.file)?))).collect();
        for (index, service) in services() {
            let dockerfile = inline(service, dockerfiles).or_else(|| Some(*by_path.get(place(service)?.as_str())?));
            let build = dockerfile.zip(target(service)).map_or(Build::Unread, |(dockerfile, target)| {
                let stage = stage(&dockerfiles[dockerfile], target.as_deref());
                stage.map_or(Build::NoTarget, |stage| Build::Stage(Built { dockerfile, stage }))
            });
            let built = build.stage();
            builds.by_service.insert(ResourceId(index as u32), build);
            if let (Some(built), Some(context)) = (built, context(service)) {
                builds.contexts.entry(built.dockerfile).or_default().push(context);
            }
            let image = service.body.get("image").as_str();
            if let (Some(built), Some(image)) = (built, image) {
                builds.add(image, built);
            }
        }
        let built_at = |path: &str, target: Option<&str>| {
            let dockerfile = *by_path.get(path)?;
            Some(Built { dockerfile, stage: stage(&dockerfiles[dockerfile], target)? })
        };
        for build in image_builds {
            let Some(built) = built_at(&build.dockerfile, build.target.as_deref()) else { continue };
            builds.others.push(built);
            builds.contexts.entry(built.dockerfile).or_default().push(build.context.clone());
            build.images.iter().for_each(|image| builds.add(image, built));
        }
        for config in resources.iter().filter(|one| one.api_version.starts_with("skaffold/")) {
            let artifacts = config.body.at("build.artifacts").items();
            for artifact in artifacts {
                let built =
                    artifact_place(config, artifact).and_then(|(path, target)| built_at(&path, target.as_deref()));
                builds.others.extend(built);
                if let (Some(built), Some(image)) = (built, artifact.get("image").as_str()) {
                    builds.add(image, built);
                }
            }
        }
        let mut paths: Vec<(&&str, &usize)> = by_path.iter().collect();
        paths.sort();
        for (path, dockerfile) in paths {
            let folder = folder_of(path);
            let name = folder.rsplit('/').next().unwrap_or(folder);
            if let Some(stage) = dockerfiles[*dockerfile].stages.len().checked_sub(1).filter(|_| !name.is_empty()) {
                builds.by_folder.entry(name.into()).or_default().push(Built { dockerfile: *dockerfile, stage });
            }
        }
        builds
    }

    fn add(&mut self, image: &str, built: Built) {
        let Some(name) = repository(image) else { return };
        let known = self.by_image.entry(name).or_default();
        if !known.contains(&built) {
            known.push(built);
        }
    }

    /// The folders that are taken as context for the Dockerfile at this index; none where nothing in the tree builds it.
    pub fn contexts(&self, dockerfile: usize) -> &[String] {
        self.contexts.get(&dockerfile).map(Vec::as_slice).unwrap_or_default()
    }

    /// How the image of a service is built; none for one that is only pulled.
    pub fn of(&self, service: ResourceId) -> Option<Build> {
        self.by_service.get(&service).copied()
    }

    /// The stages that are built under the name of an image, whatever its tag; several where services disagree, none where
    /// nothing in the tree says that it builds it. An image of a registry of one's own is taken to be built by the Dockerfile of
    /// the folder that is called like it, if there is only one such.
    pub fn of_image(&self, image: &str) -> &[Built] {
        let named = repository(image).and_then(|name| self.by_image.get(&name)).map(Vec::as_slice).unwrap_or_default();
        if !named.is_empty() {
            return named;
        }
        let Some(parsed) = Image::parse(image) else { return &[] };
        let is_own = parsed.registry.is_some_and(|registry| !PUBLIC.iter().any(|public| registry.ends_with(public)));
        let name = parsed.repository.rsplit('/').next().unwrap_or_default();
        match self.by_folder.get(name).map(Vec::as_slice) {
            Some(only @ [_]) if is_own => only,
            _ => &[],
        }
    }

    /// All stages that are built.
    fn stages(&self) -> Vec<Built> {
        let built = self.by_service.values().filter_map(|build| build.stage());
        let mut built: Vec<Built> = built.chain(self.others.iter().copied()).collect();
        built.sort();
        built.dedup();
        built
    }
}

impl Model {
    /// The builds of the tree. Resources must not change once it was asked for.
    pub fn builds(&self) -> &Builds {
        self.builds.get_or_init(|| Builds::new(&self.resources, &self.dockerfiles, &self.image_builds))
    }

    /// The Dockerfile and stage of a build.
    pub fn built(&self, built: Built) -> (&Dockerfile, &Stage) {
        let file = &self.dockerfiles[built.dockerfile];
        (file, &file.stages[built.stage])
    }

    /// Tells Dockerfiles which of their stages are built by name, so that rules about images judge those too. What was told
    /// before no longer counts.
    pub fn mark_targets(&mut self) {
        let mut finals: FxHashMap<Span, bool> = FxHashMap::default();
        for file in &mut self.dockerfiles {
            if file.targets.is_empty() {
                continue;
            }
            let targets = std::mem::take(&mut Arc::make_mut(file).targets);
            finals.extend(targets.into_iter().map(|target| (file.stages[target].span, false)));
        }
        for built in Builds::new(&self.resources, &self.dockerfiles, &self.image_builds).stages() {
            let file = &mut self.dockerfiles[built.dockerfile];
            if built.stage + 1 < file.stages.len() {
                Arc::make_mut(file).targets.push(built.stage);
                finals.insert(file.stages[built.stage].span, true);
            }
        }
        if finals.is_empty() {
            return;
        }
        for resource in self.resources.iter_mut().filter(|one| one.format == "dockerfile") {
            let Some(is_final) = finals.get(&resource.span) else { continue };
            let entries = resource.body.entries().iter().map(|entry| match &*entry.key {
                "final" => {
                    Entry { node: Node { value: Value::Bool(*is_final), ..entry.node.clone() }, ..entry.clone() }
                }
                _ => entry.clone(),
            });
            resource.body = Node::map(entries.collect(), resource.body.span);
        }
    }
}

/// Registries whose images are mostly other people's.
const PUBLIC: &[&str] =
    &["docker.io", "quay.io", "k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "public.ecr.aws", "elastic.co", "nvcr.io"];

/// The folder that a service is built in, relative to the root.
fn context(service: &Resource) -> Option<String> {
    let context = text_at(service.body.get("build").known()?, "context", ".")?;
    join(folder_of(&service.root), context)
}

/// The path of the Dockerfile of an artifact of Skaffold, relative to the root, and the stage that it names.
fn artifact_place(config: &Resource, artifact: &Node) -> Option<(String, Option<String>)> {
    // Builders of other kinds read no Dockerfile.
    if ["jib", "bazel", "buildpacks", "ko", "custom"].iter().any(|kind| !artifact.get(kind).is_absent()) {
        return None;
    }
    let context = text_at(artifact, "context", ".")?;
    let dockerfile = text_at(artifact, "docker.dockerfile", "Dockerfile")?;
    let target = artifact.at("docker.target").to_text();
    Some((join(&join(folder_of(&config.root), context)?, dockerfile)?, target))
}

/// The index of the Dockerfile that is written out in a service.
fn inline(service: &Resource, dockerfiles: &[Arc<Dockerfile>]) -> Option<usize> {
    // A variable in it changes nothing about where it stands.
    let text = match service.body.at("build.dockerfile_inline") {
        Lookup::Known(text) | Lookup::Unknown(text) => text,
        Lookup::Absent(_) => return None,
    };
    dockerfiles.iter().position(|file| {
        let first = file.instructions.first().filter(|_| file.file == text.span.file);
        first.is_some_and(|one| text.span.start <= one.span.start && one.span.start < text.span.end)
    })
}

/// The stage that a service names, if it names one; none where a variable decides it.
fn target(service: &Resource) -> Option<Option<String>> {
    match service.body.at("build.target") {
        Lookup::Known(node) => Some(node.to_text()),
        Lookup::Absent(_) => Some(None),
        Lookup::Unknown(_) => None,
    }
}

/// The path of the Dockerfile of a service, relative to the root; none for what is not in the tree.
pub fn place(service: &Resource) -> Option<String> {
    let (context, dockerfile) = named(service.body.get("build").known()?)?;
    if context.contains("://") || context.starts_with(['/', '~']) || context.starts_with("git@") {
        return None;
    }
    join(&join(folder_of(&service.root), context)?, dockerfile)
}

/// The context and the Dockerfile in it that a `build` names; none where a variable decides, or where it is written out.
pub fn named(build: &Node) -> Option<(&str, &str)> {
    let is_inline = !build.get("dockerfile_inline").is_absent();
    Some((text_at(build, "context", ".")?, text_at(build, "dockerfile", "Dockerfile")?)).filter(|_| !is_inline)
}

/// The text at a path, or the default where nothing is.
fn text_at<'n>(node: &'n Node, path: &str, default: &'n str) -> Option<&'n str> {
    match node.at(path) {
        Lookup::Known(node) => node.as_str(),
        Lookup::Absent(_) => Some(default),
        Lookup::Unknown(_) => None,
    }
}

/// The index of the stage that a build makes.
fn stage(file: &Dockerfile, target: Option<&str>) -> Option<usize> {
    let Some(target) = target.filter(|target| !target.is_empty()) else { return file.stages.len().checked_sub(1) };
    let wanted = target.to_lowercase();
    let named = file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(wanted.as_str()));
    named.or_else(|| wanted.parse().ok().filter(|index| *index < file.stages.len()))
}

/// The name of an image without tag and digest.
fn repository(image: &str) -> Option<String> {
    let image = Image::parse(image)?;
    Some(match image.registry {
        Some(registry) => format!("{registry}/{}", image.repository),
        None => image.repository.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_the_same_under_every_tag() {
        assert_eq!(
            repository("registry.acme.test:5000/shop/web:1.2").as_deref(),
            Some("registry.acme.test:5000/shop/web")
        );
        assert_eq!(repository("web@sha256:abc").as_deref(), Some("web"));
    }
}
