//! Variables that are made of each other, until they hold more than there is memory for.

#![allow(clippy::unwrap_used)]

mod support;

use support::report::{list, text};
use support::run::scanned;
use support::tree;

/// `A1=$A0$A0` and so on, each as long as two of the one before.
fn doubled(before: &str) -> String {
    let first = format!("{before}A0=xxxxxxxx\n");
    (1..60).map(|n| format!("{before}A{n}=$A{0}$A{0}\n", n - 1)).fold(first, |all, line| all + &line)
}

#[test]
fn variables_that_double_end_at_a_limit() {
    let image = "services:\n  web:\n    image: \"$A59\"\n";
    let wide = format!("services:\n  web:\n    image: \"{}\"\n", "$A16".repeat(60));
    for files in [
        vec![("Dockerfile", format!("FROM alpine:3.20\n{}USER $A59\n", doubled("ENV ")))],
        vec![("Dockerfile", format!("{}FROM alpine:$A59\nUSER app\n", doubled("ARG ")))],
        vec![("compose.yaml", image.to_string()), (".env", doubled(""))],
        vec![("compose.yaml", wide), (".env", doubled("").lines().take(17).collect::<Vec<_>>().join("\n"))],
    ] {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let (code, report) = scanned(tree(&files).path(), &[]);
        assert_eq!(code, 2, "{report}");
        let problems = list(&report, "problems");
        assert!(problems.iter().any(|one| text(&one["kind"]) == "limit"), "{problems:?}");
    }
}
