//! Every built-in rule does what its examples say; `RULE=aws-rds` narrows the run to ids that start so.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use gate::testing::{Policies, Tally};

fn assert_passed(tally: &Tally) {
    let mut text = Vec::new();
    tally.write(&mut text).unwrap();
    assert!(tally.passed(), "\n{}", String::from_utf8_lossy(&text));
}

#[test]
fn every_bad_example_fires_where_it_is_marked_and_every_good_one_is_silent() {
    let prefix = std::env::var("RULE").unwrap_or_default();
    assert_passed(&Policies::built_in().run(&prefix));
}

#[test]
fn the_tests_beside_the_rego_modules_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/rego");
    let policies = Policies::load(&folder).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let tally = policies.run("");
    assert_passed(&tally);
    assert!(tally.tests > 0, "no test was found below {}", folder.display());
}
