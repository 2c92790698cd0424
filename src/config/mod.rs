//! `gate.yaml`: found, read and checked. One file, no layers, no home directory: the same answer on every machine.

mod globs;

pub use globs::PathGlobs;
