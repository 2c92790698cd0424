//! What the fuzzer checks, on a part of its seeds and a few mutations of each, and on inputs that once showed a defect.
//!
//! The mutations of a seed depend on the seed alone, so that a failure comes again. `fuzz/README.md` says how to fuzz.

#![allow(clippy::unwrap_used)]

#[path = "../fuzz/checks/mod.rs"]
mod checks;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use checks::seeds::seeds;

/// Numbers that follow from a seed: SplitMix64.
struct Random(u64);

impl Random {
    fn of(input: &[u8]) -> Random {
        Random(
            input
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A seed after a few of the changes that fuzzers make.
fn mutated(seed: &[u8], random: &mut Random) -> Vec<u8> {
    const PIECES: &[&str] = &[
        "\"",
        "${",
        "}",
        "{",
        "[",
        "]",
        "(",
        "\n",
        "#",
        "---\n",
        "<<EOT\n",
        "\\",
        "\u{e9}",
        "\u{1f600}",
        "\r\n",
        "\t",
        ":",
        "null",
        "0",
        "-1",
        "*",
        "&a ",
        "%{",
        "\u{0}",
        "//",
        "/*",
    ];
    let mut text = seed.to_vec();
    for _ in 0..=random.below(4) {
        let (from, to) = (random.below(text.len() + 1), random.below(text.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 64));
        match random.below(4) {
            0 => drop(text.drain(from..to)),
            1 => {
                let copy = text[from..to].to_vec();
                let at = random.below(text.len() + 1);
                text.splice(at..at, copy);
            }
            2 => drop(text.splice(from..from, PIECES[random.below(PIECES.len())].bytes())),
            _ => text.iter_mut().skip(from).take(1).for_each(|byte| *byte = random.next() as u8),
        }
    }
    text
}

/// Checks the inputs of a target that once failed, and `mutations` of about one in `part` of its seeds.
fn hold(target: &str, part: u64, mutations: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("fuzz/regressions").join(target);
    let kept = folder.read_dir().into_iter().flatten().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let mut inputs: Vec<Vec<u8>> = kept.collect();
    let all = seeds(root, target);
    assert!(!all.is_empty(), "{target} has no seeds");
    for seed in all {
        let mut random = Random::of(&seed);
        if random.next().is_multiple_of(part) {
            inputs.extend((0..mutations).map(|_| mutated(&seed, &mut random)));
            inputs.push(seed);
        }
    }
    let pool = checks::pool(0);
    for input in inputs {
        let held = catch_unwind(AssertUnwindSafe(|| checks::check(target, &input, &pool)));
        assert!(held.is_ok(), "{target} does not hold for {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn modules_of_terraform() {
    hold("terraform", 20, 3);
}

#[test]
fn expressions_of_terraform() {
    hold("expression", 10, 3);
}

#[test]
fn dockerfiles() {
    hold("dockerfile", 6, 3);
}

#[test]
fn manifests_of_kubernetes() {
    hold("kubernetes", 6, 3);
}

#[test]
fn projects_of_compose() {
    hold("compose", 1, 3);
}

#[test]
fn policies_in_rego() {
    hold("rego", 4, 2);
}

#[test]
fn suppressions() {
    hold("suppressions", 1, 3);
}

#[test]
fn results_of_other_tools() {
    hold("sarif", 1, 5);
}

#[test]
fn configurations() {
    hold("configuration", 10, 3);
}

#[test]
fn secrets() {
    hold("secrets", 6, 3);
}

#[test]
fn two_versions_of_a_tree() {
    hold("compare", 8, 1);
}
