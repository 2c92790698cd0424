//! What workflows and values of charts say otherwise than it looks.

#![allow(clippy::unwrap_used)]

mod support;

use support::report::list;
use support::run::scanned;
use support::tree;

/// The lines of a workflow on which a version is read as a shorter number.
fn shortened(text: &str) -> Vec<u64> {
    let folder = tree(&[(".github/workflows/ci.yml", text)]);
    let (_, report) = scanned(folder.path(), &["--select", "yaml-shortened-version"]);
    list(&report, "findings").iter().map(|one| one["at"]["line"].as_u64().unwrap()).collect()
}

#[test]
fn versions_that_lose_a_zero_are_found_by_the_names_that_workflows_give_them() {
    let text = "\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: [3.8, 3.9, 3.10] # here
        pg: [9.10] # here
        ruby: [3.0, 3.1]
        py:
          - 3.9
          - 3.10 # here
        timeout: [1.50]
        sample-rate: [0.10]
        include:
          - go: 1.20 # here
            loss_ratio: 0.10
    env:
      PYTHON: 3.10 # here
      RATIO: 0.50
    steps:
      - uses: acme/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3
        with: { golang: 1.20, threshold: 0.80 } # here
      - run: make
        timeout-minutes: 1.50
        with: { php-version: 8.10 } # here
";
    let wanted: Vec<u64> =
        (1..).zip(text.lines()).filter(|(_, line)| line.ends_with("# here")).map(|(n, _)| n).collect();
    assert_eq!(shortened(text), wanted);
}

#[test]
fn a_matrix_is_one_below_a_strategy_only() {
    let text = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    env: { MATRIX: 1.10 }\n    steps:\n      - run: make\n        with:\n          matrix: { size: 1.10 }\n";
    assert_eq!(shortened(text), Vec::<u64>::new());
}

/// The lines of a chart's values with findings of a rule.
fn in_values(rule: &str, text: &str) -> Vec<u64> {
    let folder = tree(&[("values.yaml", text), (".github/workflows/ci.yml", "on: push\njobs: {}\n")]);
    let (_, report) = scanned(folder.path(), &["--select", rule]);
    list(&report, "findings").iter().map(|one| one["at"]["line"].as_u64().unwrap()).collect()
}

#[test]
fn keys_of_values_that_become_booleans_are_found() {
    let text = "flags:\n  on: a\n  \"off\": b\n  true: c\npoint: {x: 1, y: 2}\nnotes: d\n";
    assert_eq!(in_values("yaml-truthy-scalar", text), [2, 5]);
}

#[test]
fn tags_of_images_that_become_other_numbers_are_found() {
    let text = "imageTag: 1.20\nimage_tag: 1.20\nimage: {tag: 1234567}\nweb: {tag: 12345e7}\ndb: {tag: 16}\ncache: {tag: \"1.20\"}\n\
                percentage: 1.20\nsize: 1234567\n";
    assert_eq!(in_values("yaml-shortened-version", text), [1, 2, 3, 4]);
}
