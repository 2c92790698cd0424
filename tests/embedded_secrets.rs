//! Secrets inside of other texts: of files with long lines, values of manifests, commands and headers.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::report::places;
use support::run::scanned;
use support::tree;

/// A value that nothing but what stands around it makes a secret.
fn literal() -> String {
    format!("h7Gk29fL{}", "q0ZpXw3R")
}

/// `line rule` of the findings about secrets in a file of one tree, in which every `?` is such a value.
fn found(path: &str, text: &str) -> Vec<String> {
    let folder = tree(&[(path, &text.replace('?', &literal()))]);
    let (_, report) = scanned(Path::new("."), &[folder.path().to_str().unwrap()]);
    let mut found = places(&report);
    let words = ["committed", "password-literal", "credential-in-url", "plaintext", "hardcoded", "-secret"];
    found.retain(|one| words.iter().any(|word| one.contains(word)));
    found.sort();
    found.iter().map(|one| one[path.len() + 1..].to_string()).collect()
}

#[test]
fn one_long_line_hides_no_other_line() {
    let long = "k8Zr3Lm1Xc7Vb5Nk".repeat(400);
    let rule = "general-secret-literal-committed";
    assert_eq!(found(".env", &format!("CERT_B64={long}\nDB_PASSWORD=?\n")), [format!("2 {rule}")]);
    assert_eq!(found("values.yaml", &format!("logo: {long}\ndb:\n  password: ?\n")), [format!("3 {rule}")]);
    // What a program wrote in one line is full of such texts.
    assert_eq!(found("a.js", &format!("var a = '{long}', password = '?';\n")), [""; 0]);
}

#[test]
fn a_name_and_its_value_may_be_two_members() {
    let rule = "general-secret-literal-committed";
    let text = "env:\n  - name: DB_PASSWORD\n    value: ?\n  - name: \"DB_TOKEN\"\n    value: \"?\"\n  - {name: DB_PASS, value: ?}\n";
    let lines = [3, 5, 6].map(|line| format!("{line} {rule}"));
    assert_eq!(found("values.yaml", text), lines);
}

#[test]
fn passwords_of_commands_are_found_in_scripts() {
    let rule = "general-secret-literal-committed";
    let script = "#!/bin/sh\ncurl -u deploy:? https://acme.io/\nmysql -uroot -p? shop\nsshpass -p '?' ssh acme.io\n";
    assert_eq!(found("deploy.sh", script), [2, 3, 4].map(|line| format!("{line} {rule}")));
    let workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: redis-cli -a ? ping\n";
    assert_eq!(found(".github/workflows/ci.yml", workflow), [format!("6 {rule}")]);
    assert_eq!(found("Dockerfile", "FROM alpine:3.20\nRUN curl -u deploy:? https://acme.io/\n").len(), 1);
}

#[test]
fn code_of_notebooks_is_read() {
    let cell = |source: &str| {
        format!("{{\"cells\": [\n {{\"cell_type\": \"code\", \"source\": [\n  \"{source}\\n\"\n ]}}\n]}}\n")
    };
    let rule = "general-secret-literal-committed";
    for source in ["password = '?'", "password = \\\"?\\\"", "os.environ[\\\"API_TOKEN\\\"] = \\\"?\\\""] {
        assert_eq!(found("a.ipynb", &cell(source)), [format!("3 {rule}")], "{source}");
    }
    let output =
        "{\"cells\": [{\"cell_type\": \"code\", \"outputs\": [{\"text\": \"password = '?'\"}], \"source\": []}]}";
    assert_eq!(found("a.ipynb", output), [""; 0]);
}

#[test]
fn what_is_sealed_may_be_committed() {
    let sealed = "AgB".to_string() + &"k8Zr3Lm1Xc7Vb5Nk".repeat(40);
    let text = format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: a\nspec:\n  encryptedData:\n    password: \
         {sealed}\n    api_token: {}\n",
        &sealed[..120]
    );
    assert_eq!(found("sealed.yaml", &text), [""; 0]);
    assert_eq!(found("values.yaml", &format!("sealedSecret: {sealed}\n")), [""; 0]);
}

#[test]
fn commands_and_headers_of_images_are_read() {
    for line in [
        "RUN curl -H \"Authorization: Bearer ?\" https://api.acme.io/",
        "RUN curl -H \"X-Api-Key: ?\" https://api.acme.io/",
        "RUN app --db-password ?",
        "CMD app --db-password ?",
        "CMD [\"app\", \"--db-password\", \"?\"]",
        "CMD [\"app\", \"--db-password=?\"]",
        "RUN export DB_PASSWORD=? && make",
        "RUN echo '{\"password\": \"?\"}' > x",
    ] {
        assert_eq!(found("Dockerfile", &format!("FROM alpine:3.20\n{line}\n")).len(), 1, "{line}");
    }
}

#[test]
fn commands_and_files_in_manifests_are_read() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      image: a/a:1\n      ";
    for command in [
        "command: [\"app\", \"--db-password\", \"?\"]",
        "args:\n        - --db-password\n        - ?",
        "args: [\"--password=?\"]",
        "command: [sh, -c, \"export PGPASSWORD=?; run\"]",
        "args:\n        - |\n          mysql --password=?\n",
        "args:\n        - |\n          curl -u deploy:? https://api.acme.io\n",
        "args:\n        - |\n          curl -H \"Authorization: Bearer ?\" https://api.acme.io\n",
        "args:\n        - |\n          export PGPASSWORD=\"?\"\n",
    ] {
        assert_eq!(found("pod.yaml", &format!("{pod}{command}\n")).len(), 1, "{command}");
    }
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  ";
    for data in [
        "url: jdbc:sqlserver://db.acme.io;user=app;password=?",
        "app.json: '{\"clientSecret\": \"?\"}'",
        "app.json: |\n    {\"db\": {\"password\": \"?\"}}",
        "app.properties: |\n    db.password=?",
        "nginx.conf: |\n    proxy_set_header X-Api-Key \"?\";",
    ] {
        let found = found("map.yaml", &format!("{map}{data}\n"));
        assert_eq!(found.len(), 1, "{data}: {found:?}");
        assert!(found[0].ends_with(" k8s-configmap-secret"), "{data}: {found:?}");
    }
    for line in [
        "command: app --db-password=?",
        "command: redis-server --requirepass ?",
        "command: sh -c 'mysql -uroot -p? shop'",
        "entrypoint: [\"app\", \"--db-password\", \"?\"]",
        "labels:\n      customrequestheaders.Authorization: \"Bearer ?\"",
        "environment:\n      - DB_PASSWORD=?",
    ] {
        let text = format!("services:\n  a:\n    image: a/a:1\n    {line}\n");
        assert_eq!(found("compose.yaml", &text).len(), 1, "{line}");
    }
}

#[test]
fn commands_in_terraform_are_read() {
    let local = "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command = ";
    for command in [
        "\"curl -H 'Authorization: Bearer ?' https://api.acme.io\"",
        "\"curl -H 'X-Api-Key: ?' https://api.acme.io\"",
        "\"mysql --password=? -e 1\"",
        "\"app --db-password ?\"",
        "\"export PGPASSWORD=? && psql\"",
    ] {
        assert_eq!(found("main.tf", &format!("{local}{command}\n  }}\n}}\n")).len(), 1, "{command}");
    }
}

#[test]
fn comments_of_basic_accept_secrets() {
    let token = format!("ghp_{}", "q8Zr3Lm1Xc7Vb5Nk9Jh2Gf4Ds6Pa0OiUyTrE");
    for (path, line) in
        [("a.bat", "set T=! & REM gitleaks:allow"), ("a.vb", "Dim t = \"!\" ' pragma: allowlist secret")]
    {
        assert_eq!(found(path, &format!("{}\n", line.replace('!', &token))), [""; 0], "{path}");
    }
    let quoted = format!("x = ['{token}', 'gitleaks:allow']\n");
    assert_eq!(found("a.js", &quoted).len(), 1);
}
