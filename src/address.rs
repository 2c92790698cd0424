//! Addresses of resources, `module.net["a"].aws_subnet.private[0]`, and references to them, as texts.

/// An address without the keys of its instances: `module.net.aws_subnet.private`. What a key holds, a dot or a bracket, is no part
/// of the address.
pub fn without_keys(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut depth, mut is_quoted, mut is_escaped) = (0u32, false, false);
    for char in address.chars() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '[' if !is_quoted => depth += 1,
            ']' if !is_quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(char),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_keys;

    #[test]
    fn keys_of_instances_are_no_part_of_an_address() {
        assert_eq!(without_keys("aws_subnet.a[\"x].y\"].id"), "aws_subnet.a.id");
        assert_eq!(without_keys("aws_subnet.a[\"x\\\"].module.y\"].id"), "aws_subnet.a.id");
        assert_eq!(without_keys("module.net[0].aws_subnet.a[*].id"), "module.net.aws_subnet.a.id");
    }
}
