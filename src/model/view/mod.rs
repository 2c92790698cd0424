//! Meaning that several formats share, computed from the tree; every view keeps the nodes that it came from.

pub mod build;
pub mod cluster;
pub mod command;
pub mod compose;
pub mod flow;
pub mod helm;
pub mod iam;
pub mod network;
pub mod pod;
pub mod rule;
pub mod security_group;
pub mod selector;
