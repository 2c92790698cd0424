//! Compose files: what belongs together, what a service is after variables, `extends` and overrides, and hostile input.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

mod support;

use support::report::{expected, list, places, set, text};
use support::run::{inspected, scanned};
use support::tree;

/// The exit code, `path:line rule` of each finding, and the messages of problems.
fn scan(files: &[(&str, &str)], select: &str) -> (i32, BTreeSet<String>, Vec<String>) {
    judged(tree(files).path(), select)
}

fn judged(path: &Path, select: &str) -> (i32, BTreeSet<String>, Vec<String>) {
    let path = path.to_str().expect("UTF-8");
    let (code, report) = scanned(Path::new("."), &["--no-config", "--select", select, path]);
    let problems = list(&report, "problems").iter().map(|one| text(&one["message"]).to_string()).collect();
    (code, places(&report).into_iter().collect(), problems)
}

/// The values of a service as `gate inspect` shows them.
fn service(files: &[(&str, &str)], name: &str) -> Value {
    let folder = tree(files);
    let model = inspected(folder.path());
    let address = format!("services.{name}");
    let mut all = list(&model, "resources").iter();
    all.find(|one| one["address"] == address.as_str()).cloned().expect("the service is there")
}

#[test]
fn the_fixture_yields_exactly_what_it_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/compose");
    let broken = folder.join("broken");
    assert_eq!(judged(&broken, "default"), (1, expected(&broken), vec![]));
    assert_eq!(judged(&folder.join("kept"), "default"), (0, BTreeSet::new(), vec![]));
}

#[test]
fn an_override_appends_replaces_and_resets() {
    let files = [
        (
            "compose.yaml",
            "services:\n  web:\n    image: acme/web:1\n    command: [serve]\n    environment: [A=1, B=2]\n    ports: ['80:80', '81:81']\n    volumes: ['./a:/data']\n    dns: [10.0.0.1]\n    cap_add: [CHOWN]\n",
        ),
        (
            "compose.override.yaml",
            "services:\n  web:\n    command: [serve, --debug]\n    environment: {B: '3'}\n    ports: ['82:82']\n    volumes: ['./b:/data']\n    dns: !override [10.0.0.2]\n    cap_add: !reset []\n",
        ),
    ];
    let web = &service(&files, "web")["values"];
    assert_eq!(web["command"], serde_json::json!(["serve", "--debug"]));
    assert_eq!(web["environment"], serde_json::json!({"A": "1", "B": "3"}));
    let published: Vec<&str> =
        web["ports"].as_array().expect("ports").iter().filter_map(|port| port["published"].as_str()).collect();
    assert_eq!(published, ["80", "81", "82"]);
    assert_eq!(web["volumes"][0]["source"], "./b");
    assert_eq!(web["dns"], serde_json::json!(["10.0.0.2"]));
    assert!(web.get("cap_add").is_none());
}

#[test]
fn a_file_that_names_no_image_is_laid_over_the_base() {
    let base = "services:\n  web:\n    image: acme/web:1\n    privileged: true\n";
    let files = [("compose.yaml", base), ("compose.prod.yaml", "services:\n  web:\n    pid: host\n")];
    let wanted = set(&["compose.prod.yaml:3 compose-host-pid-namespace", "compose.yaml:4 container-privileged"]);
    assert_eq!(scan(&files, "container-privileged,compose-host-pid-namespace").1, wanted);
}

#[test]
fn variables_come_from_dotenv_and_are_unknown_without_a_value() {
    let compose = "services:\n  web:\n    image: acme/web:${TAG}\n    privileged: ${PRIVILEGED:-true}\n    user: ${USER_ID}\n    command: echo $$HOME\n";
    let web = service(&[("compose.yaml", compose), (".env", "TAG=1.2.3\n")], "web");
    assert_eq!(web["values"]["image"], "acme/web:1.2.3");
    assert_eq!(web["values"]["command"], "echo $HOME");
    assert_eq!(web["unknown"], serde_json::json!({"user": true}));
    let found = scan(&[("compose.yaml", compose)], "container-privileged,container-run-as-root").1;
    assert_eq!(found, set(&["compose.yaml:4 container-privileged"]));
}

#[test]
fn an_ignored_dotenv_decides_nothing() {
    let compose = "services:\n  web:\n    image: acme/web:${TAG}\n";
    let web = service(&[("compose.yaml", compose), (".env", "TAG=latest\n"), (".gitignore", ".env\n")], "web");
    assert_eq!(web["unknown"], serde_json::json!({"image": true}));
}

#[test]
fn the_user_of_a_built_service_is_that_of_its_stage() {
    let compose = "services:\n  api:\n    build: {context: ./api, target: run}\n";
    let dockerfile = "FROM alpine:3.21 AS run\nUSER 10001\nFROM run AS test\nUSER root\n";
    let files = [("compose.yaml", compose), ("api/Dockerfile", dockerfile)];
    assert_eq!(
        scan(&files, "container-run-as-root,compose-missing-user").1,
        set(&["api/Dockerfile:4 container-run-as-root"])
    );
    let files =
        [("compose.yaml", compose), ("api/Dockerfile", "FROM alpine:3.21 AS run\nFROM run AS test\nUSER 10001\n")];
    assert_eq!(scan(&files, "container-run-as-root").1, set(&["api/Dockerfile:1 container-run-as-root"]));
}

#[test]
fn a_file_given_alone_is_read_with_what_it_names() {
    let folder = tree(&[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n  job:\n    extends: {file: base.yml, service: job}\n    image: acme/job:${TAG}\n",
        ),
        ("base.yml", "services:\n  job:\n    privileged: true\n"),
        (".env", "TAG=latest\n"),
        ("api/Dockerfile", "FROM alpine:3.21\nHEALTHCHECK CMD true\nUSER 10001\n"),
    ]);
    let select = "container-privileged,container-unpinned-image,compose-missing-healthcheck";
    let (_, found, problems) = judged(&folder.path().join("compose.yaml"), select);
    assert_eq!(problems, Vec::<String>::new());
    let found: Vec<&str> = found.iter().map(|one| one.rsplit('/').next().unwrap_or(one)).collect();
    assert!(found.contains(&"compose.yaml:6 container-unpinned-image"), "{found:?}");
    assert!(found.contains(&"compose.yaml:4 compose-missing-healthcheck"), "{found:?}");
    assert!(!found.contains(&"compose.yaml:2 compose-missing-healthcheck"), "{found:?}");
}

#[test]
fn a_compose_file_is_known_by_its_name_or_by_all_of_its_keys() {
    let privileged = "services:\n  web:\n    image: acme/web:1\n    privileged: true\n";
    let values = "services:\n  web:\n    image: acme/web:1\n    privileged: true\n    replicaCount: 2\n";
    let files = [("stack.yml", privileged), ("values.yaml", values), ("docker-compose-ci.yml", privileged)];
    let wanted = set(&["docker-compose-ci.yml:4 container-privileged", "stack.yml:4 container-privileged"]);
    assert_eq!(scan(&files, "container-privileged"), (1, wanted, vec![]));
}

#[test]
fn a_manifest_under_a_compose_name_is_judged_as_a_manifest() {
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: acme/web:1\n      securityContext:\n        privileged: true\n";
    let wanted = set(&["compose.yaml:9 container-privileged"]);
    assert_eq!(scan(&[("compose.yaml", manifest)], "container-privileged").1, wanted);
}

#[test]
fn what_is_broken_closes_the_gate_and_the_rest_is_judged() {
    let (code, _, problems) = scan(&[("compose.yaml", "services:\n  web: [\n")], "all");
    assert_eq!((code, problems.len()), (2, 1));
    let text = "services:\n  web: nginx\n  api:\n    image: acme/api:1\n    ports: {a: b}\n    privileged: true\n";
    let (code, found, problems) = scan(&[("compose.yaml", text)], "container-privileged");
    assert_eq!((code, found), (2, set(&["compose.yaml:6 container-privileged"])));
    assert_eq!(problems, ["services.web is a text, wanted a map", "services.api.ports is a map, wanted a list"]);
    let (code, _, problems) = scan(&[("compose.yaml", "services: [web]\n")], "all");
    assert_eq!((code, &problems[..]), (2, &["services is a list, wanted a map from names".to_string()][..]));
}

#[test]
fn services_in_a_circle_and_services_that_are_not_there_are_told() {
    let text = "services:\n  a: {extends: b, image: 'x:1', privileged: true}\n  b: {extends: a}\n  c: {extends: d, image: 'x:1'}\n";
    let (code, found, problems) = scan(&[("compose.yaml", text)], "container-privileged");
    assert_eq!(code, 2);
    assert!(found.contains("compose.yaml:2 container-privileged"));
    assert!(problems.iter().any(|one| one.contains("in a circle")), "{problems:?}");
    assert!(problems.iter().any(|one| one.contains("there is no service \"d\"")), "{problems:?}");
}

#[test]
fn a_long_row_of_services_an_alias_bomb_and_deep_nesting_are_refused() {
    let row: String = (0..5_000).map(|at| format!("  s{at}: {{extends: s{}, image: 'x:1'}}\n", at + 1)).collect();
    let (code, _, problems) = scan(&[("compose.yaml", &format!("services:\n{row}"))], "container-privileged");
    assert_eq!(code, 2);
    assert!(problems.iter().any(|one| one.contains("extend each other in a row")), "{problems:?}");
    let mut bomb = String::from("x-0: &a0 {k: [1,1,1,1,1,1,1,1,1,1]}\n");
    for level in 1..12 {
        let below = level - 1;
        bomb.push_str(&format!("x-{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}, *a{below}]\n"));
    }
    bomb.push_str("services: {web: {image: 'x:1'}}\n");
    assert_eq!(scan(&[("compose.yaml", &bomb)], "container-privileged").0, 2);
    let deep = format!("services: {}{}\n", "{a: ".repeat(50_000), "}".repeat(50_000));
    assert_eq!(scan(&[("compose.yaml", &deep)], "container-privileged").0, 2);
}

#[test]
fn a_file_named_for_compose_that_has_none_of_its_sections_is_told() {
    let (code, _, problems) = scan(&[("docker-compose.yml", "web:\n  image: nginx\n  privileged: true\n")], "all");
    assert_eq!((code, problems.len()), (2, 1), "{problems:?}");
    assert!(problems[0].starts_with("\"web\" is no section of a Compose file"), "{problems:?}");
    let (code, _, problems) = scan(&[("compose.yaml", "version: '3'\nx-common: &a { image: nginx }\n")], "all");
    assert_eq!((code, problems.len()), (0, 0), "{problems:?}");
}

#[test]
fn included_files_join_the_project_with_a_folder_of_their_own() {
    let files = [
        (
            "compose.yaml",
            "include:\n  - db/stack.yml\n  - path: [shared/cache.yaml, shared/cache.local.yaml]\n    project_directory: tools\nservices:\n  web:\n    image: web:1.2.3\n    depends_on: [db, cache]\n",
        ),
        ("db/stack.yml", "x-own: 1\nservices:\n  db:\n    image: postgres:${VERSION}\n    privileged: true\n"),
        ("db/.env", "VERSION=16.4\n"),
        ("shared/cache.yaml", "services:\n  cache:\n    build: .\n"),
        ("shared/cache.local.yaml", "services:\n  cache:\n    network_mode: host\n"),
        ("tools/Dockerfile", "FROM redis:7.4.1\nUSER 10001\n"),
        ("shared/Dockerfile", "FROM redis:7.4.1\n"),
    ];
    let (code, found, problems) = scan(&files, "container-privileged,compose-host-network,compose-missing-user");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(code, 1);
    let wanted = [
        "compose.yaml:6 compose-missing-user",
        "db/stack.yml:3 compose-missing-user",
        "db/stack.yml:5 container-privileged",
        "shared/cache.local.yaml:3 compose-host-network",
    ];
    assert_eq!(found, set(&wanted));
    assert_eq!(service(&files, "db")["values"]["image"], "postgres:16.4");
}

#[test]
fn includes_in_a_circle_and_out_of_the_tree_are_told() {
    let files = [
        ("compose.yaml", "include: [other.yaml]\nservices:\n  web: { image: 'web:1', privileged: true }\n"),
        (
            "other.yaml",
            "include: [compose.yaml, ../outside.yaml, 'oci://registry.acme.example/stack:1']\nservices:\n  db: { image: 'db:1', privileged: true }\n",
        ),
    ];
    let (code, found, problems) = scan(&files, "container-privileged");
    assert_eq!(code, 2);
    assert_eq!(found, set(&["compose.yaml:3 container-privileged", "other.yaml:3 container-privileged"]));
    let told = problems.join("\n");
    for part in [
        "files include each other in a circle through \"compose.yaml\"",
        "include: the file is not among those that were read",
        "include: oci://registry.acme.example/stack:1 is elsewhere and was not read",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_dockerfile_in_a_compose_file_is_judged_where_it_stands() {
    let text = "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM debian:12.8 AS base\n        RUN <<EOF\n        cd /tmp && apt-get install nginx\n        EOF\n        FROM base\n        USER root\n    image: web:1\n  job:\n    build:\n      target: base\n      dockerfile_inline: |\n        FROM alpine:3.20.3 AS base\n        USER 10001\n        FROM base\n        RUN sudo true\n";
    let (_, found, problems) = scan(
        &[("compose.yaml", text)],
        "docker-apt-get-without-yes,docker-sudo,docker-cd-in-run,container-run-as-root,compose-missing-user",
    );
    assert_eq!(problems, Vec::<String>::new());
    let wanted = [
        "compose.yaml:7 docker-apt-get-without-yes",
        "compose.yaml:7 docker-cd-in-run",
        "compose.yaml:11 container-run-as-root",
        "compose.yaml:20 docker-sudo",
    ];
    assert_eq!(found, set(&wanted));
}

#[test]
fn a_dockerfile_in_quotes_is_told_and_not_passed_over() {
    let text = "services:\n  web:\n    build:\n      dockerfile_inline: \"FROM debian\\nUSER root\\n\"\n";
    let (code, _, problems) = scan(&[("compose.yaml", text)], "container-run-as-root");
    assert_eq!(code, 2);
    assert_eq!(problems, ["services.web.build.dockerfile_inline is no literal block: it was not judged"]);
}

#[test]
fn the_dockerfile_that_a_service_names_is_read_whatever_it_is_called() {
    let bad = "FROM debian\nUSER root\n";
    let services = "services:\n  a: { build: { context: web, dockerfile: build.txt } }\n  b:\n    build:\n      \"docker\\x66ile\": .hidden/x\n  c: { build: { dockerfile: '${FILE:-c.md}' } }\n  d: { build: .d }\n";
    let files = [
        ("compose.yaml", services),
        (".gitignore", "c.md\n"),
        ("web/build.txt", bad),
        ("build.txt", bad),
        (".hidden/x", bad),
        ("c.md", bad),
        (".d/Dockerfile", bad),
        ("Dockerfile-prod", bad),
        ("Dockerfile_x", bad),
        ("Dockerfile-notes", "How to build.\n"),
        ("Dockerfile-x.md", bad),
    ];
    let (_, found, problems) = scan(&files, "docker-untagged-base-image");
    let paths: BTreeSet<&str> = found.iter().filter_map(|one| one.split(':').next()).collect();
    let expected = [".d/Dockerfile", ".hidden/x", "Dockerfile-prod", "Dockerfile_x", "c.md", "web/build.txt"];
    assert_eq!((paths, problems), (expected.into(), vec![]));
}

#[test]
fn a_dockerfile_that_only_files_together_name_closes_the_gate_under_another_name() {
    let files = [
        ("compose.yaml", "services:\n  a: { build: { context: web } }\n"),
        ("compose.override.yaml", "services:\n  a: { build: { dockerfile: build.txt } }\n"),
        ("web/build.txt", "FROM debian\n"),
    ];
    let (code, _, problems) = scan(&files, "docker-untagged-base-image");
    assert_eq!((code, problems), (2, vec!["services.a: its Dockerfile web/build.txt was not read".to_string()]));
}
