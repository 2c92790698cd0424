//! What is fuzzed: a function for each kind of input, which panics when something does not hold that must hold for any input.
//!
//! The fuzzer (`fuzz/`) and the tests (`tests/fuzz.rs`) share these functions. An input is text that a person can read and
//! write: see [`tree::Tree::of`].

pub mod compare;
pub mod configuration;
pub mod dockerfile;
pub mod judged;
pub mod rego;
pub mod sarif;
pub mod secrets;
pub mod seeds;
pub mod suppressions;
pub mod terraform;
pub mod tree;
pub mod yaml;

/// One kind of input.
pub struct Target {
    /// The name of the fuzzer's binary, and of the folder of its inputs.
    pub name: &'static str,
    /// Panics if the input shows a defect.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "terraform", check: terraform::module },
    Target { name: "expression", check: terraform::expression },
    Target { name: "dockerfile", check: dockerfile::dockerfile },
    Target { name: "kubernetes", check: yaml::kubernetes },
    Target { name: "compose", check: yaml::compose },
    Target { name: "rego", check: rego::policy },
    Target { name: "suppressions", check: suppressions::comments },
    Target { name: "sarif", check: sarif::import },
    Target { name: "configuration", check: configuration::files },
    Target { name: "secrets", check: secrets::texts },
    Target { name: "compare", check: compare::versions },
];

/// Checks one input of the target with this name on a pool of threads.
pub fn check(name: &str, input: &[u8], pool: &rayon::ThreadPool) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target has this name");
    pool.install(|| (target.check)(input));
}

/// Threads with the stack that scans have; 0 means one for each core.
pub fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(64 << 20).build().expect("threads can be had")
}
