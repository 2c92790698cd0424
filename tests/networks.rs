//! Subnets and security groups across modules, repetitions and choices, as whole scans see them.

mod support;

use serde_json::Value;
use support::report::places;
use support::run::scanned;
use support::tree;

const RULES: &str = "aws-ecs-service-in-public-subnet,aws-rds-in-public-subnet,aws-vpc-private-subnet-with-internet-route,\
    aws-security-group-database-open-to-cidr,aws-vpc-shared-nat-gateway,aws-security-group-node-open-to-cidr";

/// Files written as `== name` and what follows it.
fn scan(text: &str) -> Value {
    let files = text.split("== ").skip(1).map(|file| file.split_once('\n').expect("a name and a text"));
    scanned(tree(&files.collect::<Vec<_>>()).path(), &["--no-config", "--select", RULES]).1
}

const TIERS: &str = r#"== network/main.tf
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}
resource "aws_subnet" "tier" {
  for_each   = { public = "10.0.0.0/24", app = "10.0.1.0/24" }
  vpc_id     = aws_vpc.main.id
  cidr_block = each.value
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.tier["public"].id
  route_table_id = aws_route_table.public.id
}
output "public" {
  value = [aws_subnet.tier["public"].id]
}
output "app" {
  value = [aws_subnet.tier["app"].id]
}
output "all" {
  value = values(aws_subnet.tier)[*].id
}
== service/main.tf
variable "subnets" {
  type = list(string)
}
resource "aws_ecs_service" "api" {
  name = "api"
  network_configuration {
    subnets = var.subnets
  }
}
"#;

fn service_in(output: &str) -> Value {
    scan(&format!(
        "{TIERS}== main.tf\nmodule \"network\" {{\n  source = \"./network\"\n}}\n\
         module \"service\" {{\n  source  = \"./service\"\n  subnets = module.network.{output}\n}}\n"
    ))
}

#[test]
fn a_service_is_blamed_where_its_caller_picks_the_public_tier() {
    assert_eq!(places(&service_in("public")), ["main.tf:6 aws-ecs-service-in-public-subnet"]);
}

#[test]
fn instances_of_one_repeated_subnet_are_told_apart() {
    assert_eq!(places(&service_in("app")), Vec::<String>::new());
    assert_eq!(service_in("app")["undecided"], service_in("public")["undecided"]);
}

#[test]
fn all_instances_of_mixed_tiers_are_not_guessed_about() {
    assert_eq!(places(&service_in("all")), Vec::<String>::new());
}

#[test]
fn the_registry_vpc_module_names_its_tiers() {
    let service = |name: &str, output: &str| {
        format!(
            "resource \"aws_ecs_service\" \"{name}\" {{\n  network_configuration {{\n    subnets = module.vpc.{output}\n  }}\n}}\n"
        )
    };
    let report = scan(&format!(
        "== main.tf\nmodule \"vpc\" {{\n  source  = \"terraform-aws-modules/vpc/aws\"\n  version = \"5.16.0\"\n}}\n{}{}",
        service("web", "public_subnets"),
        service("worker", "private_subnets")
    ));
    assert_eq!(places(&report), ["main.tf:7 aws-ecs-service-in-public-subnet"]);
}

#[test]
fn a_network_of_a_vpc_elsewhere_is_wide_whatever_its_size() {
    let report = scan(
        r#"== main.tf
data "aws_vpc" "shared" {
  tags = { Name = "shared" }
}
resource "aws_security_group" "db" {
  vpc_id = data.aws_vpc.shared.id
  ingress {
    protocol    = "tcp"
    from_port   = 5432
    to_port     = 5432
    cidr_blocks = [data.aws_vpc.shared.cidr_block, "10.3.7.0/24"]
  }
}
resource "aws_rds_cluster" "main" {
  engine                 = "aurora-postgresql"
  vpc_security_group_ids = [aws_security_group.db.id]
}
"#,
    );
    assert_eq!(places(&report), ["main.tf:10 aws-security-group-database-open-to-cidr"]);
}

#[test]
fn a_main_route_table_makes_subnets_without_one_of_their_own_public() {
    let report = scan(
        r#"== main.tf
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}
resource "aws_default_route_table" "main" {
  default_route_table_id = aws_vpc.main.default_route_table_id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_subnet" "data" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.9.0/24"
}
resource "aws_db_subnet_group" "main" {
  name       = "main"
  subnet_ids = [aws_subnet.data.id]
}
resource "aws_db_instance" "main" {
  engine               = "postgres"
  db_subnet_group_name = "main"
}
"#,
    );
    assert_eq!(
        places(&report),
        ["main.tf:14 aws-vpc-private-subnet-with-internet-route", "main.tf:24 aws-rds-in-public-subnet"]
    );
}

#[test]
fn the_default_vpc_is_public_even_when_a_data_source_finds_its_subnets() {
    let report = scan(
        r#"== main.tf
data "aws_vpc" "default" {
  default = true
}
data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}
data "aws_subnets" "inner" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
  tags = { Tier = "private" }
}
resource "aws_ecs_service" "api" {
  name = "api"
  network_configuration {
    subnets = data.aws_subnets.default.ids
  }
}
resource "aws_ecs_service" "worker" {
  name = "worker"
  network_configuration {
    subnets = data.aws_subnets.inner.ids
  }
}
"#,
    );
    assert_eq!(places(&report), ["main.tf:20 aws-ecs-service-in-public-subnet"]);
}

#[test]
fn a_group_with_the_tag_of_a_cluster_is_one_of_nodes() {
    let report = scan(
        r#"== main.tf
resource "aws_security_group" "workers" {
  tags = { "kubernetes.io/cluster/shop" = "owned" }
}
resource "aws_security_group_rule" "workers" {
  type              = "ingress"
  security_group_id = aws_security_group.workers.id
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["10.0.0.0/16"]
}
"#,
    );
    assert_eq!(places(&report), ["main.tf:10 aws-security-group-node-open-to-cidr"]);
}
