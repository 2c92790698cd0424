//! Dockerfiles as they are built: the stage that a workflow names, and what no builder takes.

use std::collections::BTreeSet;

use serde_json::Value;

mod support;

use support::report::{list, places, set, text};
use support::run::scanned;
use support::tree;

/// The exit code and the report.
fn scan(files: &[(&str, &str)], select: &str) -> (i32, Value) {
    scanned(tree(files).path(), &["--no-config", "--select", select])
}

/// `path:line rule severity` of each finding.
fn found(files: &[(&str, &str)], select: &str) -> BTreeSet<String> {
    let (_, report) = scan(files, select);
    let severities = list(&report, "findings").iter().map(|one| text(&one["severity"]));
    places(&report).iter().zip(severities).map(|(place, severity)| format!("{place} {severity}")).collect()
}

const STAGES: &str = "FROM debian:12.8 AS dev\nENV DB_PASSWORD=c0rrect-horse\nFROM debian:12.8 AS prod\nUSER 10001\n";
const RULES: &str = "docker-secret-named-variable,container-run-as-root";

#[test]
fn the_stage_that_a_workflow_names_ships() {
    let last_only = set(&["api/Dockerfile:2 docker-secret-named-variable medium"]);
    assert_eq!(found(&[("api/Dockerfile", STAGES)], RULES), last_only);
    let both =
        set(&["api/Dockerfile:1 container-run-as-root high", "api/Dockerfile:2 docker-secret-named-variable high"]);
    for workflow in [
        "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with: { context: api, target: dev, tags: 'acme/api:1' }\n",
        "jobs:\n  a:\n    steps:\n      - run: |\n          cd api\n          docker buildx build --target dev -t acme/api:$TAG .\n",
        "jobs:\n  a:\n    steps:\n      - run: docker build --target DEV -f api/Dockerfile .\n",
    ] {
        let files = [("api/Dockerfile", STAGES), (".github/workflows/ci.yml", workflow)];
        assert_eq!(found(&files, RULES), both, "{workflow}");
    }
    // Which stage a variable means is not known, and what is built elsewhere is another file.
    for workflow in [
        "jobs:\n  a:\n    steps:\n      - run: docker build --target \"$STAGE\" api\n",
        "jobs:\n  a:\n    steps:\n      - run: docker build --target dev web\n",
        "jobs:\n  a:\n    steps:\n      - run: docker build --target prod api\n",
    ] {
        let files = [("api/Dockerfile", STAGES), (".github/workflows/ci.yml", workflow)];
        assert_eq!(found(&files, RULES), last_only, "{workflow}");
    }
}

#[test]
fn a_workflow_says_the_name_of_the_image_that_it_builds() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: registry.acme.test/team/web:1.2\n      securityContext:\n        runAsNonRoot: true\n";
    let workflow =
        "jobs:\n  a:\n    steps:\n      - run: docker build -t registry.acme.test/team/web:${{ github.sha }} .\n";
    let files =
        [("Dockerfile", "FROM debian:12.8\nUSER app\n"), ("pod.yaml", pod), (".github/workflows/ci.yml", workflow)];
    let wanted = set(&["pod.yaml:8 k8s-non-root-image-user medium"]);
    assert_eq!(found(&files, "k8s-non-root-image-user"), wanted);
    assert_eq!(found(&files[..2], "k8s-non-root-image-user"), set(&[]));
}

#[test]
fn the_user_of_an_image_that_is_built_here_is_the_user_of_its_containers() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: registry.acme.test/team/web:1.2\n";
    let workflow = "jobs:\n  a:\n    steps:\n      - run: docker build -t registry.acme.test/team/web:1.2 .\n";
    for (user, is_root) in
        [("app", false), ("10001:10001", false), ("0", true), ("root:app", true), ("ContainerAdministrator", true)]
    {
        let dockerfile = format!("FROM registry.acme.test/base:1.0\nUSER {user}\n");
        let files = [("Dockerfile", dockerfile.as_str()), ("pod.yaml", pod), (".github/workflows/ci.yml", workflow)];
        let found = found(&files, "container-run-as-root");
        assert_eq!(found.iter().any(|one| one.starts_with("pod.yaml")), is_root, "{user}: {found:?}");
    }
}

#[test]
fn what_no_builder_takes_closes_the_gate_and_the_rest_is_judged() {
    let (code, report) = scan(&[("Dockerfile", "FROM debian:12.8\nCOPY app.py\nUSER root\n")], "container-run-as-root");
    assert_eq!(code, 2);
    let problem = &report["problems"][0];
    assert_eq!(
        (text(&problem["message"]), &problem["at"]["line"]),
        ("COPY lacks a source and a target", &Value::from(2))
    );
    assert_eq!(list(&report, "findings").len(), 1);
}

#[test]
fn a_finding_says_where_in_a_long_run_the_command_stands() {
    let file = "FROM debian:12.8\nRUN set -eux; \\\n    # the tool\n    curl -k https://acme.test/a -o /a\nRUN <<-EOF\n\techo é\n\tsudo true\nEOF\nRUN sudo true\n";
    let (_, report) = scan(&[("Dockerfile", file)], "docker-curl-without-verification,docker-sudo");
    let places: Vec<(u64, u64, String)> = list(&report, "findings")
        .iter()
        .map(|one| {
            let related = &one["related"][0];
            let place = related["at"]["line"].as_u64().unwrap_or(0);
            (one["at"]["line"].as_u64().expect("a line"), place, text(&related["message"]).to_string())
        })
        .collect();
    let here = "the command stands here".to_string();
    assert_eq!(places, [(2, 4, here.clone()), (5, 7, here), (9, 0, String::new())]);
}
