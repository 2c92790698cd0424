//! `gate` reads Terraform, Dockerfiles, Compose files and Kubernetes manifests, judges them by rules and gives a verdict.
//!
//! Discover → parse → assemble → judge → decide → report. Invariants:
//! frontends know syntax and no rules; rules know the model and no syntax; reports know findings and nothing else.
//! [`source`] alone knows what a line is. Parsing never fails as a whole: it yields a tree and problems.
//! Rules do no I/O, read no clock and keep no state. Output is a function of the input.
//! Nothing in the scanned tree is executed, fetched, or trusted to weaken its own verdict.

pub mod address;
pub mod arguments;
pub mod baseline;
pub mod cli;
pub mod compare;
pub mod config;
pub mod confine;
pub mod discover;
pub mod duration;
pub mod escape;
pub mod filesystem;
pub mod finding;
pub mod frontend;
pub mod import;
pub mod init;
pub mod inspect;
pub mod migrate;
pub mod model;
pub mod path;
pub mod problem;
pub mod report;
pub mod rules;
pub mod run;
pub mod scan;
pub mod secret;
pub mod settings_yaml;
pub mod severity;
pub mod source;
pub mod spelling;
pub mod suppress;
pub mod testing;
pub mod write;
