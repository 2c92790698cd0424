variable "name" {
  type    = string
  default = "shop"
}

variable "ports" {
  type    = list(number)
  default = [80, 443, 8080]
}

variable "unknown" {
  type = string
}

variable "secret" {
  type      = string
  default   = "s"
  sensitive = true
}

locals {
  tags  = { owner = "ops", env = "prod" }
  cidrs = toset(["10.0.0.0/16", "10.1.0.0/16"])
  users = [{ name = "a", admin = true }, { name = "b", admin = false }]
}

resource "aws_s3_bucket" "one" {
  count  = 2
  bucket = "bucket-${count.index}"
}

# file: files/data.json
{"a": [1, 2.5, null, "x"], "b": {"c": true}}
# file: files/data.yaml
a: &a [1, yes, 0o17]
b: *a
# file: files/greeting.tftpl
%{ for user in users ~}
Hello ${user.name}!
%{ endfor ~}
