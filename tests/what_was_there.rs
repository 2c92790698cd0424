//! What was there before a change, and what only looks like it: another secret in the same place, another file with the same hole.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};
use support::run::scanned;

/// Two tokens of one kind, put together so that this file holds none.
fn tokens() -> [String; 2] {
    ["aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3", "Zk3Vq8XwT1mNcB7sLpR5yHjD2fGaE9uKo4Wi"].map(|rest| format!("ghp_{rest}"))
}

/// One file with a secret in place of each `?` in one form, and then in another.
fn with_secrets(path: &str, [form, secret]: [&str; 2], to: &str, [other, then]: [&str; 2]) -> Judged {
    let (before, after) = (form.replace('?', secret), other.replace('?', then));
    let change = Change::from(&[(path, before.as_str())]);
    let change = if path == to { change } else { change.remove(path) };
    change.write(to, &after).judged(&[])
}

const LOCAL: &str = "locals {\n  token = \"?\"\n}\n";

const LAMBDA: &str = "resource \"aws_lambda_function\" \"api\" {\n  function_name = \"api\"\n  environment {\n    variables = {\n      \
                      T = \"?\"\n    }\n  }\n}\n";

const SHOP: &str = "services:\n  shop:\n    image: shop:1.2.3\n    environment:\n      TOKEN: ?\n";

const ADDRESS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n  namespace: shop\ndata:\n  url: \
                       postgres://app:?@db.internal-acme.net/app\n";

const VARIABLE: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: shop\n  namespace: shop\nspec:\n  containers:\n  - name: \
                        shop\n    image: acme.test/shop:1.2.3\n    env:\n    - name: AWS_SECRET_ACCESS_KEY\n      value: ?\n";

#[test]
fn another_secret_is_new_wherever_it_stands() {
    let [first, second] = &tokens();
    let quoted = SHOP.replace('?', "\"?\"");
    let item = SHOP.replace("TOKEN: ?", "- TOKEN=?");
    let default = "variable \"api_token\" {\n  default = \"?\"\n}\n";
    let database = "variable \"pw\" {\n  default = \"?\"\n}\nresource \"aws_db_instance\" \"db\" {\n  storage_encrypted = true\n  password = var.pw\n}\n";
    let block = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\n  namespace: shop\nstringData:\n  token: |\n    ?\n    rest\n";
    for (path, form) in [
        ("main.tf", LOCAL),
        ("main.tf", LAMBDA),
        ("main.tf", default),
        ("main.tf", database),
        ("compose.yaml", SHOP),
        ("compose.yaml", &quoted),
        ("compose.yaml", &item),
        ("shop.yaml", ADDRESS),
        ("shop.yaml", block),
    ] {
        let judged = with_secrets(path, [form, first], path, [form, second]);
        assert!(!judged.of("new").is_empty(), "{form}");
        assert_eq!((judged.code, judged.of("old")), (1, vec![]), "{form}");
    }
    for (to, form) in [("other/main.tf", LOCAL), ("other/main.tf", LAMBDA), ("compose.yaml", &quoted)] {
        let judged = with_secrets("main.tf", [LOCAL, first], to, [form, second]);
        assert_eq!((judged.of("new").len(), judged.of("old")), (1, vec![]), "{form}");
    }
}

#[test]
fn a_secret_is_the_same_in_any_notation() {
    let [first, _] = &tokens();
    let key = format!("wJalrXUtnFEMI{}", "K7MDENGbPxRfiCYzz3xqMPLE99k");
    let quoted = SHOP.replace('?', "\"?\"");
    let item = SHOP.replace("TOKEN: ?", "- TOKEN=?");
    let swapped =
        VARIABLE.replace("name: AWS_SECRET_ACCESS_KEY\n      value: ?", "value: ?\n      name: AWS_SECRET_ACCESS_KEY");
    let access = LAMBDA.replace("T =", "AWS_SECRET_ACCESS_KEY =");
    let local = LOCAL.replace("token", "password");
    let default = "variable \"password\" {\n  default = \"?\"\n}\n";
    for (path, secret, one, other) in [
        ("compose.yaml", first, SHOP, &*quoted),
        ("compose.yaml", first, SHOP, &item),
        ("shop.yaml", &key, VARIABLE, &swapped),
        ("main.tf", first, LOCAL, LAMBDA),
        ("main.tf", &key, &access, &local),
        ("main.tf", &key, &local, default),
    ] {
        for [from, to] in [[one, other], [other, one]] {
            with_secrets(path, [from, secret], path, [to, secret]).assert_unchanged(&format!("{from} to {to}"));
        }
    }
}

#[test]
fn what_else_an_instruction_sets_is_no_part_of_its_secret() {
    let image = |set: &str| format!("FROM alpine:3.20.1\n{set}\nUSER 1000\n");
    let [token, secret, other] = [&tokens()[0], "d8f7a9sd87f9a8s7df98a7sdf", "q0ZpXw3Rh7Gk29fLd8f7a9sd8"];
    let from = image("ENV API_TOKEN=?");
    for secret in [token, secret] {
        for to in ["ENV MODE=slow API_TOKEN=?", "env API_TOKEN=?", "ENV API_TOKEN=\"?\"", "ENV API_TOKEN ?"] {
            let judged = with_secrets("Dockerfile", [&from, secret], "Dockerfile", [&image(to), secret]);
            judged.assert_unchanged(to);
        }
    }
    let more = image(&format!("ENV API_TOKEN=? DB_PASSWORD={other}"));
    assert_eq!(with_secrets("Dockerfile", [&from, secret], "Dockerfile", [&more, secret]).code, 1);
    assert_eq!(with_secrets("Dockerfile", [&from, secret], "Dockerfile", [&from, other]).code, 1);
    let given = image("ARG GIVEN=?\nENV API_TOKEN=$GIVEN");
    assert_eq!(with_secrets("Dockerfile", [&given, secret], "Dockerfile", [&given, other]).code, 1);
}

const GROUP: &str = r#"resource "aws_security_group" "web" {
  name        = "web"
  description = "web"

  ingress {
    description = "shell"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;

#[test]
fn files_that_nobody_named_lend_nothing() {
    let group = |name: &str| GROUP.replace("\"web\" {", &format!("\"{name}\" {{"));
    let [token, _] = &tokens();
    let key = format!("API = '{token}'\n");
    let root = "FROM alpine:3.20.1\nRUN sudo ls\n";
    let open = group("web");
    for (path, text, to, copy) in [
        ("infra/main.tf", open.as_str(), "other/main.tf", group("shop").as_str()),
        ("a/app.py", &key, "b/app.py", &key),
        ("a/app.py", &key, "a/shop.py", &key),
        ("a/Dockerfile", root, "b/Dockerfile", root),
        ("a/Dockerfile", root, "a/shop.Dockerfile", root),
        (
            "infra/main.tf",
            &format!("locals {{\n  a = \"{token}\"\n}}\n"),
            "infra/b.tf",
            &format!("locals {{\n  b = \"{token}\"\n}}\n"),
        ),
    ] {
        for more in ["", "# a comment\n"] {
            let change = Change::from(&[(path, text)]).write(path, &format!("{text}{more}")).write(to, copy);
            change.commit();
            for paths in [&[to][..], &[to, "none.yaml"]] {
                std::fs::write(change.path().join("none.yaml"), "a: 1\n").unwrap();
                let (code, report) = scanned(change.path(), &[paths, &["--base", "main", "--fail-on", "low"]].concat());
                let judged = Judged { code, report };
                assert_eq!((judged.code, judged.of("old"), judged.fixed()), (1, vec![], vec![]), "{to} {more}");
            }
            let moved = change.remove(path);
            moved.commit();
            let (code, report) = scanned(moved.path(), &[to, "--base", "main", "--fail-on", "low"]);
            assert_eq!((code, Judged { code, report }.of("new").len()), (0, 0), "moved to {to} {more}");
        }
    }
}
