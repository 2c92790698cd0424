//! What the fuzzer's binaries have in common.

use std::sync::LazyLock;

#[path = "../checks/mod.rs"]
pub mod checks;

/// Checks one input of the target with this name on one thread, so that a fuzzer sees one way through the code for one input.
pub fn run(name: &str, input: &[u8]) {
    static POOL: LazyLock<rayon::ThreadPool> = LazyLock::new(|| checks::pool(1));
    checks::check(name, input, &POOL);
}
