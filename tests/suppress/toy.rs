//! Files, read by frontends or by small readers, with findings placed by hand, so that these tests rest on no rule.

use std::sync::Arc;

use gate::config::Config;
use gate::discover::Discovered;
use gate::finding::{Finding, Related, Severity};
use gate::frontend::terraform::Terraform;
use gate::frontend::{Frontend, Settings};
use gate::model::{Entry, Model, Node, Resource};
use gate::rules::Catalog;
use gate::source::{FileId, Source, Sources, Span};
use gate::suppress::{self, Context, Date, Decided};
use granit_parser::{Event, Parser};

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
            rule: rule.into(),
            severity: Severity::Medium,
            message: String::new(),
            at,
            address: owner.map_or("".into(), |owner| owner.address.clone()),
            attribute: String::new(),
            related,
            scope: owner.map(|owner| owner.span),
            possible: false,
            sensitive: false,
            fingerprint: String::new(),
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
        let model = Model { resources: self.resources.clone(), ..Model::default() };
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

fn resource(format: &'static str, kind: &str, address: &str, body: Node, head: Span, span: Span) -> Resource {
    Resource {
        format,
        kind: kind.into(),
        api_version: "".into(),
        name: "".into(),
        address: address.into(),
        body,
        head,
        span,
        calls: Arc::new([]),
        root: "".into(),
    }
}

/// Lines with the offset of each.
fn offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
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

/// A Dockerfile: stages with a list of instructions.
pub fn docker(text: &str) -> Scan {
    let span = |start: usize, end: usize| Span::new(FileId(0), start as u32, end as u32);
    let (mut instructions, mut comments) = (Vec::<Span>::new(), Vec::new());
    let mut is_continued = false;
    for (start, line) in offsets(text) {
        let line = line.trim_end();
        let whole = span(start, start + line.len());
        if line.trim_start().starts_with('#') {
            // The parser directive is none.
            if !line.contains("syntax=") {
                comments.push(whole);
            }
            continue;
        }
        if is_continued {
            let last = instructions.last_mut().unwrap();
            *last = last.to(whole);
        } else if !line.is_empty() {
            instructions.push(whole);
        }
        is_continued = line.ends_with('\\');
    }
    let mut resources = Vec::new();
    let froms: Vec<usize> =
        (0..instructions.len()).filter(|at| text[instructions[*at].start as usize..].starts_with("FROM")).collect();
    for (stage, first) in froms.iter().enumerate() {
        let end = froms.get(stage + 1).copied().unwrap_or(instructions.len());
        let own = &instructions[*first..end];
        let whole = own[0].to(*own.last().unwrap());
        let items = own.iter().map(|at| Node::map(Vec::new(), *at)).collect();
        let list = Entry { key: "instructions".into(), key_span: own[0], node: Node::list(items, whole) };
        let body = Node::map(vec![list], whole);
        resources.push(resource("dockerfile", "stage", &format!("stage {stage}"), body, own[0], whole));
    }
    Scan::of("Dockerfile", text, resources, comments)
}

/// A manifest: one object a document.
pub fn yaml(text: &str) -> Scan {
    let mut comments = Vec::new();
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, at) = event.unwrap();
        let at = at.byte_range().unwrap();
        let at = Span::new(FileId(0), at.start as u32, at.end as u32);
        match event {
            Event::Comment(..) => comments.push(at),
            other => events.push((other, at)),
        }
    }
    let mut resources = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some((event, _)) = events.next() {
        if !matches!(event, Event::DocumentStart(..)) {
            continue;
        }
        let body = node(&mut events);
        let text = |path: &str| body.at(path).known().and_then(|node| node.as_str()).unwrap_or("").to_string();
        let (kind, name) = (text("kind"), text("metadata.name"));
        let kind_at = body.entries().iter().find(|entry| &*entry.key == "kind").unwrap().key_span;
        let span = body.span;
        resources.push(resource("kubernetes", &kind, &format!("{kind}/default/{name}"), body, kind_at, span));
    }
    Scan::of("pod.yaml", text, resources, comments)
}

fn node<'a>(events: &mut std::iter::Peekable<impl Iterator<Item = (Event<'a>, Span)>>) -> Node {
    let (event, start) = events.next().unwrap();
    match event {
        Event::Scalar(text, ..) => Node::string(&*text, start),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            while !matches!(events.peek(), Some((Event::SequenceEnd, _))) {
                items.push(node(events));
            }
            events.next();
            let span = items.iter().fold(start, |span, item| span.to(item.span));
            Node::list(items, span)
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            while !matches!(events.peek(), Some((Event::MappingEnd, _))) {
                let key = node(events);
                let value = node(events);
                entries.push(Entry { key: key.as_str().unwrap().into(), key_span: key.span, node: value });
            }
            events.next();
            let span = entries.iter().fold(start, |span, entry| span.to(entry.node.span));
            Node::map(entries, span)
        }
        other => panic!("{other:?}"),
    }
}
