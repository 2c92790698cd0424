resource "aws_lb" "main" {
  name = var
  tags = local[0]
}
