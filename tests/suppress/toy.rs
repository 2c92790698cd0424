//! Files, read by frontends or by small readers, with findings placed by hand, so that these tests rest on no rule.

use gate::config::Config;
use gate::discover::Discovered;
use gate::finding::{Finding, Related, Severity};
use gate::frontend::dockerfile::Dockerfile;
use gate::frontend::kubernetes::Kubernetes;
use gate::frontend::terraform::Terraform;
use gate::frontend::{Frontend, Settings};
use gate::model::{Model, Resource};
use gate::rules::Catalog;
use gate::source::{FileId, Source, Sources, Span};
use gate::suppress::{self, Context, Date, Decided};

/// Files, resources and findings, ready for suppressions.
#[derive(Clone)]
pub struct Scan {
    files: Vec<(String, String)>,
    resources: Vec<Resource>,
    comments: Vec<Span>,
    findings: Vec<Finding>,
    config: Config,
    today: String,
    running: Option<Vec<String>>,
    is_folder: bool,
    only_others: bool,
}

/// What came out, with the texts for lines.
pub struct Outcome {
    decided: Decided,
    sources: Sources,
}

impl std::ops::Deref for Outcome {
    type Target = Decided;
    fn deref(&self) -> &Decided {
        &self.decided
    }
}

impl Outcome {
    pub fn gone(&self) -> Vec<&str> {
        self.suppressed.iter().map(|one| &*one.finding.rule).collect()
    }

    pub fn said(&self) -> Vec<String> {
        let line = |span: Span| format!(":{}", self.sources.line(span));
        self.notes
            .iter()
            .map(|note| format!("{}{}: {}", note.path, note.span.map(line).unwrap_or_default(), note.message))
            .collect()
    }
}

impl Scan {
    fn of(path: &str, text: &str, resources: Vec<Resource>, comments: Vec<Span>) -> Scan {
        Scan {
            files: vec![(path.into(), text.into())],
            resources,
            comments,
            findings: Vec::new(),
            config: Config::default(),
            today: "2026-11-21".into(),
            running: None,
            is_folder: true,
            only_others: false,
        }
    }

    fn add(mut self, file: usize, rule: &str, start: usize, length: usize, address: Option<&str>) -> Scan {
        let at = Span::new(FileId(file as u32), start as u32, (start + length) as u32);
        let owner = self.resources.iter().find(|resource| match address {
            Some(address) => &*resource.address == address,
            None => resource.span.contains(at),
        });
        let related = owner.map_or(&[][..], |owner| &owner.calls);
        let related = related.iter().map(|call| Related { at: call.span, message: "is called here".into() }).collect();
        self.findings.push(Finding {
            address: owner.map_or("".into(), |owner| owner.address.clone()),
            related,
            scope: owner.map(|owner| owner.span),
            ..Finding::new(rule, Severity::Medium, String::new(), at)
        });
        self
    }

    /// A finding of `rule` where `snippet` first stands in the first file.
    pub fn found(self, rule: &str, snippet: &str) -> Scan {
        let start = self.files[0].1.find(snippet).unwrap_or_else(|| panic!("{snippet} is in {}", self.files[0].1));
        self.add(0, rule, start, snippet.lines().next().unwrap().len(), None)
    }

    pub fn found_at(self, rule: &str, start: usize, length: usize) -> Scan {
        self.add(0, rule, start, length, None)
    }

    pub fn found_in(self, path: &str, rule: &str, snippet: &str, address: &str) -> Scan {
        let file = self.files.iter().position(|(known, _)| known == path).unwrap();
        let start = self.files[file].1.find(snippet).unwrap();
        self.add(file, rule, start, snippet.len(), Some(address))
    }

    /// A finding on `origin` about the resource at `address` that uses the value at `used`.
    pub fn found_through(self, rule: &str, origin: &str, used: &str, address: &str) -> Scan {
        let (start, use_start) = (self.files[0].1.find(origin).unwrap(), self.files[0].1.find(used).unwrap());
        let mut scan = self.add(0, rule, start, origin.len(), Some(address));
        let at = Span::new(FileId(0), use_start as u32, (use_start + used.len()) as u32);
        scan.findings.last_mut().unwrap().related.push(Related { at, message: "the value is used here".into() });
        scan
    }

    pub fn with(&self, config: Config) -> Scan {
        Scan { config, ..self.clone() }
    }

    pub fn on(&self, today: &str) -> Scan {
        Scan { today: today.into(), ..self.clone() }
    }

    pub fn running(&self, rules: &[&str]) -> Scan {
        Scan { running: Some(rules.iter().map(|rule| rule.to_string()).collect()), ..self.clone() }
    }

    /// As if files had been given instead of a folder.
    pub fn of_files(&self) -> Scan {
        Scan { is_folder: false, ..self.clone() }
    }

    pub fn only_others(&self) -> Scan {
        Scan { only_others: true, ..self.clone() }
    }

    pub fn apply(&self) -> Outcome {
        let catalog = catalog();
        let model = Model::of(self.resources.clone());
        let discovered = Discovered {
            sources: sources(&self.files),
            root: "/repo".into(),
            is_folder: self.is_folder,
            only: self.only_others.then(Default::default),
            ..Discovered::default()
        };
        let selected: Vec<usize> = match &self.running {
            None => (0..catalog.rules().len()).collect(),
            Some(rules) => rules.iter().map(|rule| catalog.find(rule).unwrap()).collect(),
        };
        let context = Context {
            discovered: &discovered,
            model: &model,
            comments: &self.comments,
            catalog: &catalog,
            ignored: &Default::default(),
            selected: &selected,
            config: &self.config,
            today: Date::parse(&self.today).unwrap(),
        };
        Outcome { decided: suppress::apply(self.findings.clone(), &context), sources: sources(&self.files) }
    }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::empty();
    for (id, aliases) in [
        ("aws-s3-public-acl", "CKV_AWS_20, AVD-AWS-0092, 38c5ee0d-7f22-4260-ab72-5073048df100"),
        ("aws-s3-logging", "CKV_AWS_18, AWS-0089"),
        ("aws-s3-versioning", "CKV_AWS_21"),
        ("aws-rds-public-access", "CKV_AWS_17"),
        ("docker-untagged", "DL3006"),
        ("docker-cd", "DL3003, CKV_DOCKER_10"),
        ("k8s-host-network", "KSV-0009, host-network, CKV_K8S_19"),
        ("k8s-image-tag", "KSV-0013, latest-tag"),
    ] {
        let rule = format!(
            "\
- id: {id}
  title: A rule for tests
  severity: medium
  aliases: [{aliases}]
  targets: [{{ terraform: [aws_s3_bucket], path: acl }}]
  fail: {{ equals: public-read }}
  why: Because.
  fix: Mend it.
  bad: |
    resource \"aws_s3_bucket\" \"x\" {{
      acl = \"public-read\" # expect
    }}
  good: |
    resource \"aws_s3_bucket\" \"x\" {{
    }}
"
        );
        catalog.add("toy.yaml", &rule).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    }
    catalog
}

/// A Terraform file.
pub fn hcl(text: &str) -> Scan {
    modules(&[("main.tf", text)])
}

/// Terraform files; those of the root module come first.
pub fn modules(files: &[(&str, &str)]) -> Scan {
    let files: Vec<(String, String)> = files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect();
    let (resources, comments) = read(&Terraform, &files);
    Scan { files, ..Scan::of("", "", resources, comments) }
}

/// What a frontend makes of files.
fn read(frontend: &dyn Frontend, files: &[(String, String)]) -> (Vec<Resource>, Vec<Span>) {
    let sources = sources(files);
    let ids: Vec<FileId> = sources.iter().map(|(id, _)| id).collect();
    let parsed = frontend.parse(&Settings::default(), &sources, &ids);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let mut comments = parsed.comments;
    comments.sort();
    (parsed.resources, comments)
}

fn sources(files: &[(String, String)]) -> Sources {
    Sources::new(files.iter().map(|(path, text)| Source::new(path.as_str(), text.as_str())).collect())
}

/// A Dockerfile.
pub fn docker(text: &str) -> Scan {
    one(&Dockerfile, "Dockerfile", text)
}

/// A manifest.
pub fn yaml(text: &str) -> Scan {
    one(&Kubernetes, "pod.yaml", text)
}

fn one(frontend: &dyn Frontend, path: &str, text: &str) -> Scan {
    let (resources, comments) = read(frontend, &[(path.to_string(), text.to_string())]);
    Scan::of(path, text, resources, comments)
}
