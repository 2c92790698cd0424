//! Users as container runtimes name them: `app`, `1000`, `app:staff`, `0:0`.

/// The user without the group.
pub fn name(text: &str) -> &str {
    text.split(':').next().unwrap_or("")
}

/// The number that a name is, in any spelling that Go's `strconv.Atoi` takes: `00`, `+0`.
pub fn number(name: &str) -> Option<i64> {
    name.parse().ok()
}

/// Whether a user is root, or what is root on Windows.
pub fn is_root(text: &str) -> bool {
    let name = name(text);
    name == "root" || number(name) == Some(0) || name.eq_ignore_ascii_case("ContainerAdministrator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_told_by_its_name_and_by_its_number() {
        for text in ["root", "0", "00", "+0", "-0", "0:1000", "root:app", "containeradministrator"] {
            assert!(is_root(text), "{text}");
        }
        for text in ["app", "1000", "", "0x0", "0_0", "roots", ":0", "+", "99999999999999999999"] {
            assert!(!is_root(text), "{text}");
        }
    }
}
