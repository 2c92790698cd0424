//! Image references, by the grammar of the distribution project: `[registry/]repository[:tag][@digest]`.

/// The parts of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image<'a> {
    /// Host and port, if named.
    pub registry: Option<&'a str>,
    /// The path without the registry.
    pub repository: &'a str,
    /// The tag, if named.
    pub tag: Option<&'a str>,
    /// The digest with its algorithm, if named.
    pub digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Takes a reference apart; None where a variable or template keeps parts of it unknown.
    pub fn parse(text: &'a str) -> Option<Image<'a>> {
        let text = text.trim();
        if text.is_empty() || text.contains(['$', '{', ' ']) {
            return None;
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let path_start = name.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match name[path_start..].split_once(':') {
            Some((last, tag)) => (&name[..path_start + last.len()], Some(tag)),
            None => (name, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), rest),
            _ => (None, name),
        };
        Some(Image { registry, repository, tag, digest })
    }

    /// Whether the reference always means the same image: it has a digest.
    pub fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// Whether the reference means whatever is newest: no digest, and no tag or `latest`.
    pub fn is_latest(&self) -> bool {
        self.digest.is_none() && self.tag.is_none_or(|tag| tag == "latest")
    }
}

/// Official images of Docker Hub that set no USER, by their names: whoever builds on them runs as root.
const ROOT: &[&str] = &[
    "alpine",
    "almalinux",
    "amazoncorretto",
    "amazonlinux",
    "archlinux",
    "bash",
    "buildpack-deps",
    "busybox",
    "centos",
    "debian",
    "eclipse-temurin",
    "elixir",
    "erlang",
    "fedora",
    "gcc",
    "golang",
    "gradle",
    "haskell",
    "httpd",
    "julia",
    "maven",
    "nginx",
    "node",
    "openjdk",
    "oraclelinux",
    "perl",
    "php",
    "python",
    "rockylinux",
    "ruby",
    "rust",
    "swift",
    "tomcat",
    "ubuntu",
];

/// Whether an image is one of those.
pub fn runs_as_root(image: &str) -> bool {
    let Some(image) = Image::parse(image) else { return false };
    let is_hub = matches!(image.registry, None | Some("docker.io" | "index.docker.io"));
    is_hub && ROOT.contains(&image.repository.strip_prefix("library/").unwrap_or(image.repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag_and_a_digest_pins() {
        let image = Image::parse("localhost:5000/team/api").expect("a plain reference");
        assert_eq!((image.registry, image.repository, image.tag), (Some("localhost:5000"), "team/api", None));
        assert!(image.is_latest());
        let image = Image::parse("nginx:1.27@sha256:abc").expect("a plain reference");
        assert!(image.is_pinned() && !image.is_latest());
        assert_eq!(Image::parse("repo/app:${TAG}"), None);
    }
}
