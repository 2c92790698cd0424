//! Terraform as teams write it: root modules ("stacks") that call local modules, with variables, locals, `count`, `for_each`,
//! `dynamic`, functions, templates and policies, mostly sound and here and there not.

use super::File;
use super::random::{Random, fill};

const WORDS: &[&str] = &[
    "billing", "orders", "catalog", "search", "media", "identity", "ledger", "mailer", "reports", "gateway", "events",
    "pricing", "shipping", "audit", "profile", "webhooks",
];

/// The local modules that every stack calls.
pub fn modules() -> Vec<File> {
    let file = |path: &str, text: &str| File { path: format!("modules/{path}"), text: text.trim_start().to_string() };
    vec![
        file("network/main.tf", NETWORK),
        file("network/variables.tf", NETWORK_VARIABLES),
        file("network/outputs.tf", NETWORK_OUTPUTS),
        file("service/main.tf", SERVICE),
        file("service/variables.tf", SERVICE_VARIABLES),
        file("service/outputs.tf", "output \"queue_arn\" {\n  value = aws_sqs_queue.work.arn\n}\n"),
    ]
}

/// One root module in its own folder, about ten kilobytes.
pub fn stack(random: &mut Random, number: usize) -> Vec<File> {
    let name = format!("{}-{number:04}", random.pick(WORDS));
    let folder = format!("stacks/{name}");
    let mut data = String::new();
    for index in 0..random.between(4, 8) {
        data.push_str(&component(random, index as usize));
    }
    let region = random.pick(&["eu-central-1", "us-east-1", "eu-west-1"]);
    let main = fill(ROOT, &[("@name", &name), ("@region", region)]);
    let variables = fill(ROOT_VARIABLES, &[("@region", region)]);
    let instances = random.between(1, 4).to_string();
    let values = fill(
        "environment   = \"prod\"\nregion        = \"@region\"\nvpc_cidr      = \"10.@octet.0.0/16\"\nbastion_count = @count\n",
        &[("@region", region), ("@octet", &(number % 256).to_string()), ("@count", &instances)],
    );
    let file = |path: &str, text: String| File { path: format!("{folder}/{path}"), text };
    vec![
        file("main.tf", main),
        file("data.tf", data),
        file("variables.tf", variables),
        file("outputs.tf", OUTPUTS.trim_start().to_string()),
        file("terraform.tfvars", values),
    ]
}

/// One file of at least `size` bytes that needs nothing beside it.
pub fn single(random: &mut Random, size: usize) -> String {
    let mut text = fill(ROOT_VARIABLES, &[("@region", "eu-central-1")]);
    text.push_str("\nlocals {\n  tags = { Environment = var.environment, ManagedBy = \"terraform\" }\n}\n");
    let mut number = 0;
    while text.len() < size {
        text.push_str(&component(random, number));
        number += 1;
    }
    text
}

/// A small file: one resource or two.
pub fn small(random: &mut Random, number: usize) -> String {
    let name = format!("{}_{number}", random.pick(WORDS));
    match random.between(0, 3) {
        0 => fill(SMALL_QUEUE, &[("@name", &name)]),
        1 => fill(SMALL_GROUP, &[("@name", &name), ("@cidr", random.mostly("10.0.0.0/8", "0.0.0.0/0"))]),
        _ => fill(SMALL_LOGS, &[("@name", &name), ("@days", random.pick(&["30", "90", "365"]))]),
    }
}

/// A file of ten lines.
pub const TEN_LINES: &str = r#"resource "aws_s3_bucket" "logs" {
  bucket = "example-logs"
}

resource "aws_db_instance" "main" {
  engine              = "postgres"
  instance_class      = "db.t4g.medium"
  storage_encrypted   = true
  publicly_accessible = false
}
"#;

/// One attribute whose object has keys until `size` bytes are reached.
pub fn object(size: usize) -> String {
    let mut text = String::from("locals {\n  ports = {\n");
    let mut number = 0;
    while text.len() < size {
        text.push_str(&format!("    service_{number:06} = {}\n", 1024 + number % 60_000));
        number += 1;
    }
    text.push_str("  }\n}\n");
    text
}

/// One list on one line of at least `size` bytes.
pub fn line(size: usize) -> String {
    let mut text = String::from("locals {\n  hosts = [");
    let mut number = 0;
    while text.len() < size {
        text.push_str(&format!("\"host-{number}.internal.example.com\", "));
        number += 1;
    }
    text.push_str("]\n}\n");
    text
}

/// Resources that belong together; `number` keeps their names apart.
fn component(random: &mut Random, number: usize) -> String {
    let word = random.pick(WORDS);
    let name = format!("{word}_{number}");
    let dashed = format!("{word}-{number}");
    let flag = random.mostly("true", "false");
    let open = random.mostly("false", "true");
    let cidr = random.mostly("10.0.0.0/8", "0.0.0.0/0");
    let port = random.pick(&["22", "443", "5432", "6379", "8080"]);
    let days = random.pick(&["7", "14", "30", "365"]);
    let action = random.mostly("s3:GetObject", "s3:*");
    let values = [
        ("@name", name.as_str()),
        ("@dashed", dashed.as_str()),
        ("@flag", flag),
        ("@open", open),
        ("@cidr", cidr),
        ("@port", port),
        ("@days", days),
        ("@action", action),
    ];
    fill(random.pick(&[BUCKET, DATABASE, INSTANCES, FUNCTION, GROUP, CLUSTER]), &values)
}

const ROOT: &str = r#"terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.60"
    }
  }

  backend "s3" {
    bucket  = "example-terraform-state"
    key     = "@name/terraform.tfstate"
    region  = "@region"
    encrypt = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

locals {
  name = "@name-${var.environment}"
  tags = merge(var.tags, {
    Stack       = "@name"
    Environment = var.environment
    ManagedBy   = "terraform"
  })

  zones = [for suffix in ["a", "b", "c"] : "${var.region}${suffix}"]

  services = {
    api    = { cpu = 512, memory = 1024, port = 8080, public = true }
    worker = { cpu = 256, memory = 512, port = 9090, public = false }
    admin  = { cpu = 256, memory = 512, port = 8081, public = false }
  }
}

# The network comes first: everything else lies in its private subnets.
module "network" {
  source = "../../modules/network"

  name  = local.name
  cidr  = var.vpc_cidr
  zones = local.zones
  tags  = local.tags
}

module "service" {
  source   = "../../modules/service"
  for_each = local.services

  name       = "${local.name}-${each.key}"
  cpu        = each.value.cpu
  memory     = each.value.memory
  port       = each.value.port
  public     = each.value.public
  vpc_id     = module.network.vpc_id
  subnet_ids = module.network.private_subnet_ids
  tags       = merge(local.tags, { Service = each.key })
}

"#;

const ROOT_VARIABLES: &str = r#"variable "environment" {
  description = "Where this runs."
  type        = string
  default     = "dev"

  validation {
    condition     = contains(["dev", "test", "prod"], var.environment)
    error_message = "The environment is dev, test or prod."
  }
}

variable "region" {
  description = "The region of every resource."
  type        = string
  default     = "@region"
}

variable "vpc_cidr" {
  description = "The address range of the network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "bastion_count" {
  description = "How many machines to keep for maintenance."
  type        = number
  default     = 1
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "allowed_ports" {
  description = "Ports that are open to the company's network."
  type        = list(number)
  default     = [443, 8443]
}
"#;

const OUTPUTS: &str = r#"
output "vpc_id" {
  description = "The network of this stack."
  value       = module.network.vpc_id
}

output "queues" {
  description = "The work queue of each service."
  value       = { for name, service in module.service : name => service.queue_arn }
}
"#;

const BUCKET: &str = r#"
# Objects of @dashed, kept by version.
resource "aws_s3_bucket" "@name" {
  bucket        = "example-@dashed-${var.environment}"
  force_destroy = var.environment != "prod"

  tags = merge(local.tags, {
    Name = "@dashed"
  })
}

resource "aws_s3_bucket_public_access_block" "@name" {
  bucket = aws_s3_bucket.@name.id

  block_public_acls       = @flag
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = @flag
}

resource "aws_s3_bucket_server_side_encryption_configuration" "@name" {
  bucket = aws_s3_bucket.@name.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
    bucket_key_enabled = true
  }
}

data "aws_iam_policy_document" "@name" {
  statement {
    sid       = "Readers"
    effect    = "Allow"
    actions   = ["@action", "s3:ListBucket"]
    resources = [aws_s3_bucket.@name.arn, "${aws_s3_bucket.@name.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:role/@dashed-reader"]
    }
  }
}

resource "aws_s3_bucket_policy" "@name" {
  bucket = aws_s3_bucket.@name.id
  policy = data.aws_iam_policy_document.@name.json
}
"#;

const DATABASE: &str = r#"
resource "aws_kms_key" "@name" {
  description             = "Data at rest of @dashed"
  deletion_window_in_days = 30
  enable_key_rotation     = @flag
}

resource "aws_db_instance" "@name" {
  identifier                   = "@dashed-${var.environment}"
  engine                       = "postgres"
  engine_version               = "16.3"
  instance_class               = var.environment == "prod" ? "db.r6g.large" : "db.t4g.medium"
  allocated_storage            = 100
  max_allocated_storage        = 500
  storage_encrypted            = @flag
  kms_key_id                   = aws_kms_key.@name.arn
  username                     = "app"
  manage_master_user_password  = true
  publicly_accessible          = @open
  multi_az                     = var.environment == "prod"
  backup_retention_period      = @days
  deletion_protection          = var.environment == "prod" ? true : false
  performance_insights_enabled = true
  auto_minor_version_upgrade   = true
  skip_final_snapshot          = var.environment != "prod"
  final_snapshot_identifier    = format("%s-final-%s", "@dashed", var.environment)

  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  tags = local.tags
}
"#;

const INSTANCES: &str = r#"
resource "aws_instance" "@name" {
  count = var.bastion_count

  ami                         = "ami-0123456789abcdef0"
  instance_type               = "t3.small"
  associate_public_ip_address = @open
  monitoring                  = true

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    encrypted   = @flag
    volume_size = 20 + count.index * 10
    volume_type = "gp3"
  }

  user_data = <<-EOT
    #!/bin/sh
    set -eu
    hostnamectl set-hostname "@dashed-${count.index}"
    apt-get update
    apt-get install -y --no-install-recommends postgresql-client
  EOT

  tags = merge(local.tags, { Name = "@dashed-${count.index}" })
}
"#;

const FUNCTION: &str = r#"
resource "aws_iam_role" "@name" {
  name = "@dashed-${var.environment}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "@name" {
  name = "@dashed"
  role = aws_iam_role.@name.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["@action", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws:s3:::example-@dashed/*"]
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "@name" {
  name              = "/aws/lambda/@dashed"
  retention_in_days = @days
}

resource "aws_lambda_function" "@name" {
  function_name = "@dashed-${var.environment}"
  role          = aws_iam_role.@name.arn
  handler       = "main.handler"
  runtime       = "python3.12"
  filename      = "build/@dashed.zip"
  memory_size   = 512
  timeout       = 30

  environment {
    variables = {
      LOG_LEVEL   = upper("info")
      ENVIRONMENT = var.environment
      TABLE       = join("-", ["@dashed", var.environment, "table"])
    }
  }

  tracing_config {
    mode = "Active"
  }
}
"#;

const GROUP: &str = r#"
resource "aws_security_group" "@name" {
  name_prefix = "@dashed-"
  description = "Traffic of @dashed"

  dynamic "ingress" {
    for_each = toset([for port in var.allowed_ports : tostring(port)])
    content {
      description = "Port ${ingress.value} from the company's network"
      from_port   = tonumber(ingress.value)
      to_port     = tonumber(ingress.value)
      protocol    = "tcp"
      cidr_blocks = [var.vpc_cidr]
    }
  }

  ingress {
    description = "Maintenance"
    from_port   = @port
    to_port     = @port
    protocol    = "tcp"
    cidr_blocks = ["@cidr"]
  }

  egress {
    description = "Answers and updates"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }

  lifecycle {
    create_before_destroy = true
  }
}
"#;

const CLUSTER: &str = r#"
resource "aws_ecs_cluster" "@name" {
  name = "@dashed-${var.environment}"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "@name" {
  family                   = "@dashed"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512

  container_definitions = jsonencode([
    {
      name                   = "@dashed"
      image                  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/@dashed:1.4.2"
      essential              = true
      user                   = "10001"
      readonlyRootFilesystem = @flag
      portMappings           = [{ containerPort = @port, protocol = "tcp" }]
      environment            = [for name in ["REGION", "STAGE"] : { name = name, value = lower(name) }]
    },
  ])
}
"#;

const NETWORK: &str = r#"
locals {
  public  = { for index, zone in var.zones : zone => cidrsubnet(var.cidr, 8, index) }
  private = { for index, zone in var.zones : zone => cidrsubnet(var.cidr, 8, index + 100) }
}

resource "aws_vpc" "main" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  for_each = local.public

  vpc_id                  = aws_vpc.main.id
  cidr_block              = each.value
  availability_zone       = each.key
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-public-${each.key}" })
}

resource "aws_subnet" "private" {
  for_each = local.private

  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value
  availability_zone = each.key
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_flow_log" "main" {
  vpc_id               = aws_vpc.main.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = "arn:aws:s3:::example-flow-logs/${var.name}"
}
"#;

const NETWORK_VARIABLES: &str = r#"
variable "name" {
  type = string
}

variable "cidr" {
  type = string
}

variable "zones" {
  type = list(string)
}

variable "tags" {
  type    = map(string)
  default = {}
}
"#;

const NETWORK_OUTPUTS: &str = r#"
output "vpc_id" {
  value = aws_vpc.main.id
}

output "private_subnet_ids" {
  value = [for subnet in aws_subnet.private : subnet.id]
}
"#;

const SERVICE: &str = r#"
resource "aws_security_group" "service" {
  name        = var.name
  description = "Traffic of ${var.name}"
  vpc_id      = var.vpc_id

  ingress {
    description = var.public ? "The load balancer" : "The private network"
    from_port   = var.port
    to_port     = var.port
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }

  tags = var.tags
}

resource "aws_sqs_queue" "work" {
  name                       = "${var.name}-work"
  visibility_timeout_seconds = 120
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true
  tags                       = var.tags
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/ecs/${var.name}"
  retention_in_days = 90
  tags              = var.tags
}

resource "aws_cloudwatch_metric_alarm" "depth" {
  count = var.public ? 1 : 2

  alarm_name          = format("%s-depth-%02d", var.name, count.index)
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  period              = 60
  statistic           = "Maximum"
  threshold           = 100 * (count.index + 1)
  dimensions          = { QueueName = aws_sqs_queue.work.name }
}
"#;

const SERVICE_VARIABLES: &str = r#"
variable "name" {
  type = string
}

variable "cpu" {
  type    = number
  default = 256
}

variable "memory" {
  type    = number
  default = 512
}

variable "port" {
  type = number
}

variable "public" {
  type    = bool
  default = false
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "tags" {
  type    = map(string)
  default = {}
}
"#;

const SMALL_QUEUE: &str = r#"resource "aws_sqs_queue" "@name" {
  name                    = "@name"
  sqs_managed_sse_enabled = true
}
"#;

const SMALL_GROUP: &str = r#"resource "aws_security_group" "@name" {
  name        = "@name"
  description = "Web traffic"

  ingress {
    description = "Encrypted web traffic"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["@cidr"]
  }
}
"#;

const SMALL_LOGS: &str = r#"resource "aws_cloudwatch_log_group" "@name" {
  name              = "/app/@name"
  retention_in_days = @days
}

output "@name_arn" {
  value = aws_cloudwatch_log_group.@name.arn
}
"#;
