//! Texts for measurements: the same for the same seed on every machine. Nothing in them is taken from elsewhere.

pub mod dockerfile;
pub mod kubernetes;
pub mod random;
pub mod terraform;

use random::Random;

/// A file of a corpus.
pub struct File {
    /// Its place below the corpus' folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How much to make.
#[derive(Clone, Copy)]
pub enum Amount {
    /// At least so many bytes.
    Bytes(usize),
    /// At least so many files.
    Files(usize),
}

/// Makes the corpus of one kind.
pub type Maker = fn(Amount, &mut Random) -> Vec<File>;

/// Every kind: name, meaning, and how it is made.
pub const KINDS: &[(&str, &str, Maker)] = &[
    ("small", "one Terraform file of ten lines; the amount is ignored", |_, _| {
        one("main.tf", terraform::TEN_LINES.into())
    }),
    ("terraform", "root modules that call local modules", terraform_tree),
    ("terraform-file", "one Terraform file", |amount, random| one("main.tf", terraform::single(random, bytes(amount)))),
    ("kubernetes", "manifests, one application a file", |amount, random| {
        repeat(amount, |number| vec![file(format!("apps/{number:05}.yaml"), kubernetes::application(random, number))])
    }),
    ("kubernetes-file", "one file of many manifests", |amount, random| {
        one("all.yaml", kubernetes::single(random, bytes(amount)))
    }),
    ("dockerfile", "Dockerfiles, one a folder", |amount, random| {
        repeat(amount, |number| {
            vec![file(format!("app-{number:05}/Dockerfile"), dockerfile::dockerfile(random, number))]
        })
    }),
    ("tree", "small files of all formats among others, as in a monorepo", |amount, random| {
        repeat(amount, |number| vec![tree_file(number, random)])
    }),
    ("object", "one Terraform object of many keys", |amount, _| one("main.tf", terraform::object(bytes(amount)))),
    ("line", "one line of Terraform", |amount, _| one("main.tf", terraform::line(bytes(amount)))),
];

fn file(path: String, text: String) -> File {
    File { path, text }
}

fn one(path: &str, text: String) -> Vec<File> {
    vec![file(path.to_string(), text)]
}

/// The size of kinds that are one file; a number of files makes no sense there and is read as kilobytes.
fn bytes(amount: Amount) -> usize {
    match amount {
        Amount::Bytes(bytes) => bytes,
        Amount::Files(files) => files * 1000,
    }
}

fn repeat(amount: Amount, mut make: impl FnMut(usize) -> Vec<File>) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut size = 0;
    for number in 0.. {
        let enough = match amount {
            Amount::Bytes(bytes) => size >= bytes,
            Amount::Files(wanted) => files.len() >= wanted,
        };
        if enough {
            break;
        }
        let made = make(number);
        size += made.iter().map(|file| file.text.len()).sum::<usize>();
        files.extend(made);
    }
    files
}

fn terraform_tree(amount: Amount, random: &mut Random) -> Vec<File> {
    let mut files = repeat(amount, |number| terraform::stack(random, number));
    files.extend(terraform::modules());
    files
}

/// Twenty files a folder; four of ten are of no format that is judged.
fn tree_file(number: usize, random: &mut Random) -> File {
    let folder = format!("team-{:02}/service-{:04}", number / 1000, number / 20);
    match number % 10 {
        0..3 => file(format!("{folder}/{number}.tf"), terraform::small(random, number)),
        3..5 => file(format!("{folder}/{number}.yaml"), kubernetes::small(random, number)),
        5 => file(format!("{folder}/{number}.Dockerfile"), dockerfile::dockerfile(random, number)),
        6 | 7 => file(format!("{folder}/{number}.py"), format!("def handler(event):\n    return {number}\n")),
        _ => file(format!("{folder}/{number}.md"), format!("# Notes {number}\n\nNothing to see here.\n")),
    }
}
