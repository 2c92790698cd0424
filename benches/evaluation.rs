//! Evaluation of Terraform alone, after parsing, on one thread: `cargo bench --bench evaluation`.
//!
//! The goals: five megabytes with modules and 10,000 instances of one resource in half a second each, a firewall over every
//! port at no cost of its own, and time that grows with the input and not with its square.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use gate::frontend::terraform::{self, Loaded};
use gate::frontend::{FRONTENDS, Settings};
use gate::source::{FileId, Source, Sources};

#[allow(dead_code, reason = "one of several kinds of corpora is measured here")]
#[path = "../examples/corpus/mod.rs"]
mod corpus;

use corpus::random::Random;
use corpus::{Amount, KINDS};

const SEED: u64 = 1;

fn loaded(files: Vec<(String, String)>) -> (Sources, Loaded) {
    let mut sources = Sources::default();
    let ids: Vec<FileId> = files.into_iter().map(|(path, text)| sources.add(Source::new(path, text))).collect();
    let loaded = terraform::load(&sources, &ids);
    (sources, loaded)
}

fn one(text: String) -> Vec<(String, String)> {
    vec![("main.tf".to_string(), text)]
}

/// Root modules that call local modules, as teams write them.
fn stacks(bytes: usize) -> Vec<(String, String)> {
    let (.., maker) = KINDS.iter().find(|(name, ..)| *name == "terraform").expect("a known kind");
    let mut files: Vec<_> = maker(Amount::Bytes(bytes), &mut Random::new(SEED))
        .into_iter()
        .map(|file| (file.path, file.text))
        .filter(|(path, _)| FRONTENDS[0].claims(path.as_ref()) != gate::frontend::Claim::No)
        .collect();
    files.sort();
    files
}

/// One resource with so many instances, and another that refers to each by its key.
fn for_each(count: usize) -> Vec<(String, String)> {
    one(format!(
        r#"locals {{
  names = [for i in range({tens}) : [for j in range(10) : format("queue-%05d", i * 10 + j)]]
  all   = toset(flatten(local.names))
}}
resource "aws_sqs_queue" "work" {{
  for_each                  = local.all
  name                      = "example-${{each.key}}"
  message_retention_seconds = length(each.value) * 100
  tags                      = merge({{ Name = each.key }}, {{ Team = "data", Stage = "prod" }})
}}
resource "aws_sqs_queue_policy" "work" {{
  for_each  = local.all
  queue_url = aws_sqs_queue.work[each.key].url
  policy    = jsonencode({{ Statement = [{{ Effect = "Allow", Resource = aws_sqs_queue.work[each.key].arn }}] }})
}}
"#,
        tens = (count / 10).min(1000)
    ))
}

/// A firewall that opens every port in one range.
fn firewall() -> Vec<(String, String)> {
    one(r#"resource "aws_security_group" "open" {
  ingress {
    from_port   = 0
    to_port     = 200000
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "google_compute_firewall" "open" {
  name    = "open"
  network = "default"
  allow {
    protocol = "tcp"
    ports    = ["0-200000"]
  }
}
"#
    .to_string())
}

/// A module called once for each of many keys, whose outputs are gathered.
fn modules(count: usize) -> Vec<(String, String)> {
    let root = format!(
        r#"locals {{
  services = {{ for i in range({rows}) : "row${{i}}" => [for j in range(20) : "service-${{i}}-${{j}}"] }}
  by_name  = merge([for row, names in local.services : {{ for name in names : name => row }}]...)
}}
module "service" {{
  source   = "./service"
  for_each = local.by_name
  name     = each.key
  row      = each.value
  others   = local.by_name
}}
resource "aws_route53_record" "service" {{
  for_each = local.by_name
  name     = module.service[each.key].host
  records  = [module.service[each.key].address]
}}
output "hosts" {{
  value = {{ for name, one in module.service : name => one.host }}
}}
"#,
        rows = count / 20
    );
    let service = r#"variable "name" { type = string }
variable "row" { type = string }
variable "others" { type = map(string) }
locals {
  host = "${var.name}.${var.row}.example.com"
}
resource "aws_lb" "this" {
  name     = var.name
  internal = true
  tags     = { Row = lookup(var.others, var.name, "none") }
}
output "host" { value = local.host }
output "address" { value = aws_lb.this.dns_name }
"#;
    vec![("main.tf".to_string(), root), ("service/main.tf".to_string(), service.to_string())]
}

/// Large collections in locals, which functions go through and many instances look into.
fn collections(count: usize) -> Vec<(String, String)> {
    one(format!(
        r#"locals {{
  rows   = [for i in range({side}) : [for j in range({side}) : {{ key = "k-${{i}}-${{j}}", value = i * j, port = j }}]]
  flat   = flatten(local.rows)
  by_key = {{ for one in local.flat : one.key => one }}
  merged = merge([for row in local.rows : {{ for one in row : one.key => one.value }}]...)
  keys   = sort(distinct(concat(keys(local.by_key), keys(local.merged))))
  pairs  = setproduct(range({side}), toset([for i in range({side}) : "zone-${{i}}"]))
  groups = {{ for one in local.flat : "g${{one.port}}" => one.key... }}
  zipped = zipmap(local.keys, [for key in local.keys : upper(key)])
  unique = toset(local.flat)
  known  = [for key in local.keys : lookup(local.zipped, key, null) if contains(local.keys, key) == null]
}}
resource "aws_ssm_parameter" "each" {{
  for_each = local.by_key
  name     = each.key
  value    = jsonencode([local.by_key[each.key].value, local.zipped[each.key], local.merged[each.key]])
}}
"#,
        side = (count as f64).sqrt() as usize
    ))
}

/// Locals that each name the one before.
fn chain(count: usize) -> Vec<(String, String)> {
    let mut text = String::from("locals {\n  l0 = { a = 1 }\n");
    for index in 1..count {
        let before = if index % 100 == 0 { index / 100 } else { index - 1 };
        text.push_str(&format!("  l{index} = merge(local.l{before}, {{ b = {index} }})\n"));
    }
    text.push_str("}\n");
    one(text)
}

fn main() {
    // Fails only when the pool stands already, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(64 << 20).build_global();
    let mut criterion = Criterion::default().warm_up_time(Duration::from_millis(200)).configure_from_args();
    let mut group = criterion.benchmark_group("evaluate");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(2));
    type Files = Vec<(String, String)>;
    let cases: [(&str, usize, Files); 12] = [
        ("stacks, 5 MB", 1, stacks(5_000_000)),
        ("for_each", 1_000, for_each(1_000)),
        ("for_each", 10_000, for_each(10_000)),
        ("firewall", 1, firewall()),
        ("modules", 500, modules(500)),
        ("modules", 2_000, modules(2_000)),
        ("modules", 8_000, modules(8_000)),
        ("collections", 900, collections(900)),
        ("collections", 3_600, collections(3_600)),
        ("collections", 9_900, collections(9_900)),
        ("chain", 5_000, chain(5_000)),
        ("chain", 20_000, chain(20_000)),
    ];
    for (name, size, files) in cases {
        let (sources, loaded) = loaded(files);
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter(|| black_box(&loaded).evaluate(&Settings::default(), &sources));
        });
    }
    group.finish();
    criterion.final_summary();
}
