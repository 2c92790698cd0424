//! The common model: what all frontends yield and all rules read. It knows no syntax and no rule.

mod arms;
pub mod dockerfile;
pub mod dockerignore;
pub mod graph;
pub mod image;
pub mod json;
pub mod kubernetes;
mod map;
mod names;
pub mod node;
pub mod shell;
pub mod user;
pub mod view;

pub use graph::{Edge, Graph};
pub use names::Names;
pub use node::{DECIDED, Entry, Lookup, Map, Node, Number, Step, Trail, Unknown, Value, hash_in_rule};

use std::sync::{Arc, OnceLock};

use crate::source::Span;

/// Index of a resource in [`Model::resources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub u32);

/// One thing that rules judge: a Terraform resource instance, a Kubernetes object, a Dockerfile stage,
/// a Compose service.
///
/// Terraform's other blocks are resources too, so that rules reach them: kinds `variable`, `output`, `module`,
/// `provider.aws`, `backend.s3`, `terraform`, `data.aws_iam_policy_document`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The name of the frontend that made it: `terraform`, `kubernetes`, `dockerfile`, `compose`.
    pub format: &'static str,
    /// The type: `aws_db_instance`, `Deployment`, `stage`, `service`.
    pub kind: Arc<str>,
    /// Version and group of a Kubernetes object (`apps/v1`); empty elsewhere.
    pub api_version: Arc<str>,
    /// The last part of the address: Terraform's name label, `metadata.name`, the stage's name or index.
    pub name: Arc<str>,
    /// What tells it from all others of its format: `module.db["a"].aws_db_instance.main[0]`,
    /// `Deployment/shop/web`, `stage build`, `services.web`.
    pub address: Arc<str>,
    /// The arguments, always a map.
    pub body: Node,
    /// The header: where a finding about something missing is placed. Never more than one line.
    pub head: Span,
    /// All of the block or object, for suppressions.
    pub span: Span,
    /// The chain of module calls that made it, outermost first.
    pub calls: Arc<[Call]>,
    /// The root it belongs to: the folder of the Terraform root module, the file of a manifest or Dockerfile.
    pub root: Arc<str>,
}

/// A module call on the way to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `module.db["a"]`, with the calls around it.
    pub address: Arc<str>,
    /// The header of the `module` block.
    pub span: Span,
}

/// Something a frontend saw that is no value of a resource but that rules speak of: a duplicate key, a tab, an undeclared
/// reference.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The name by which a rule asks for it, such as `yaml-duplicate-key`.
    pub name: &'static str,
    /// Where.
    pub span: Span,
    /// What was seen, for people, ready as a finding's message.
    pub message: String,
    /// Address of the resource it lies in, if any.
    pub address: Option<Arc<str>>,
}

/// A credential in the text of a file, wherever it stands there: one of a known form, or a literal that a name calls a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// Where.
    pub span: Span,
    /// What it opens.
    pub kind: crate::secret::Kind,
    /// What it is, for people: `GitHub token`.
    pub what: &'static str,
}

/// A `moved` block of Terraform: what had one address has another now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The root that it is in.
    pub root: Arc<str>,
    /// The address before, of a resource, an instance or a module: `aws_s3_bucket.web`.
    pub from: String,
    /// The address now.
    pub to: String,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Model {
    /// All resources, in the order of files and places.
    pub resources: Vec<Resource>,
    /// Dockerfiles in full.
    pub dockerfiles: Vec<Arc<dockerfile::Dockerfile>>,
    /// The ignore files of the contexts that they are built from.
    pub dockerignores: Vec<dockerignore::Dockerignore>,
    /// The builds of images that something else than Compose runs.
    pub image_builds: Vec<dockerfile::ImageBuild>,
    /// References between them.
    pub graph: Graph,
    /// What frontends saw beside resources.
    pub observations: Vec<Observation>,
    /// What went on under another address, as the text says.
    pub moves: Vec<Move>,
    /// Credentials in the texts, by place; none inside another.
    pub secrets: Vec<Secret>,
    /// Made by [`Model::cluster`].
    pub(crate) cluster: OnceLock<view::cluster::Cluster>,
    /// Made by [`Model::builds`].
    pub(crate) builds: OnceLock<view::build::Builds>,
}

impl Model {
    /// A model of these resources alone.
    pub fn of(resources: Vec<Resource>) -> Model {
        Model { resources, ..Model::default() }
    }

    /// The resource with this id.
    pub fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.0 as usize]
    }

    /// The credentials inside a place.
    pub fn secrets_in(&self, place: Span) -> impl Iterator<Item = &Secret> {
        let from =
            self.secrets.partition_point(|secret| (secret.span.file, secret.span.start) < (place.file, place.start));
        self.secrets[from..].iter().take_while(move |secret| place.contains(secret.span))
    }

    /// The objects of Kubernetes by what others find them by. Resources must not change once it was asked for.
    pub fn cluster(&self) -> &view::cluster::Cluster {
        self.cluster.get_or_init(|| view::cluster::Cluster::new(&self.resources))
    }

    /// All resources with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceId, &Resource)> {
        self.resources.iter().enumerate().map(|(index, resource)| (ResourceId(index as u32), resource))
    }

    /// The resources of one kind that an argument of `from` refers to.
    pub fn referred(&self, from: ResourceId, attribute: &str, kind: &str) -> Vec<ResourceId> {
        let edges = self.graph.outgoing_by(from, attribute).iter();
        edges.map(|edge| edge.to).filter(|to| &*self.resource(*to).kind == kind).collect()
    }

    /// The resources of one kind of which an argument refers to `to`.
    pub fn referring(&self, to: ResourceId, attribute: &str, kind: &str) -> Vec<ResourceId> {
        let edges = self.graph.incoming_by(to, attribute).iter();
        edges.map(|edge| edge.from).filter(|from| &*self.resource(*from).kind == kind).collect()
    }
}
