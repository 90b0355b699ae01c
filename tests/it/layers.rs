//! The shape of the sources: who uses whom, how long files are, and that everything which must be
//! described is. The table is the one of docs/ARCHITECTURE.md, module by module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const WORDS: &[&str] = &["address", "value", "diag", "nearest"];
const FACE: &[&str] = &["kind"];
const TEXT: &[&str] = &["spec", "blueprint", "desired", "graph", "import"];
const CATALOGUE: &[&str] = &["kinds"];
const DECISIONS: &[&str] = &["plan", "snapshot"];
const DOOR: &[&str] = &["cloud"];
const DEEDS: &[&str] = &["run", "store"];
const WORLD: &[&str] = &["cloud::aws", "cloud::sim"];

/// Module, and the groups of modules that it may use besides itself.
const TABLE: &[(&str, &[&[&str]])] = &[
    ("address", &[WORDS]),
    ("value", &[WORDS]),
    ("diag", &[WORDS]),
    ("nearest", &[WORDS]),
    // The effects of a kind get the clients by name.
    ("kind", &[WORDS, &["cloud::aws"]]),
    ("spec", &[WORDS, FACE, CATALOGUE]),
    ("blueprint", &[WORDS, FACE, CATALOGUE, TEXT]),
    ("graph", &[WORDS, FACE, CATALOGUE]),
    ("import", &[WORDS, FACE, CATALOGUE, TEXT]),
    // It also needs what the planner knows of names.
    ("desired", &[WORDS, FACE, CATALOGUE, TEXT, &["plan"]]),
    ("plan", &[WORDS, FACE, CATALOGUE, TEXT, DECISIONS]),
    ("cloud", &[WORDS, FACE]),
    ("snapshot", &[WORDS, FACE, CATALOGUE, DOOR, &["desired"]]),
    ("run", &[WORDS, FACE, CATALOGUE, DOOR, &["plan"]]),
    ("store", &[WORDS, FACE, DOOR, DEEDS]),
    ("report", &[WORDS, FACE, CATALOGUE, TEXT, DECISIONS, DOOR, DEEDS]),
    ("cloud::aws", &[WORDS, FACE, CATALOGUE, DOOR, &["store"]]),
    ("cloud::sim", &[WORDS, FACE, CATALOGUE, DOOR, &["store"]]),
    ("kinds", &[WORDS, FACE, &["cloud::aws"]]),
    ("cli", &[WORDS, FACE, CATALOGUE, TEXT, DECISIONS, DOOR, DEEDS, WORLD, &["report"]]),
];

/// A file of `src`.
struct Source {
    /// Relative to `src`.
    path: String,
    /// Its whole text.
    text: String,
}

impl Source {
    /// The path of its module: `kinds/types/cidr.rs` is `[kinds, types, cidr]`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if path == "lib" || path == "main" { vec![] } else { path.split('/').collect() }
    }

    /// The code that ships: without comments and without tests, which may use what they like.
    fn code(&self) -> String {
        let shipped = self.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.map(|line| format!("{line}\n")).collect()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files(&root) {
        let name = path.strip_prefix(&root).expect("a file below src").display().to_string();
        let text = fs_err::read_to_string(&path).expect("sources are text");
        if name.ends_with(".rs") {
            found.push(Source { path: name, text });
        }
    }
    assert!(found.len() > 30, "only {} sources: is this the right folder?", found.len());
    found
}

/// All files below `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The layer's name of a module path: the first step, or two of them below `cloud`.
fn layer(module: &[&str]) -> String {
    match module {
        ["cloud", world @ ("aws" | "sim"), ..] => format!("cloud::{world}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

/// Every module path that the code names from the crate's root, or by going up: `crate::a::b`,
/// `crate::{a, b::{c, d}}`, `super::super::a`.
fn uses(source: &Source) -> Vec<Vec<String>> {
    let code = source.code();
    let own = source.module();
    let mut found = Vec::new();
    for (at, word) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
            continue;
        }
        let mut base: Vec<String> = Vec::new();
        let mut rest = &code[at..];
        if word == "super::" {
            base = own.iter().map(|step| (*step).to_owned()).collect();
            while let Some(up) = rest.strip_prefix("super::") {
                base.pop();
                rest = up;
            }
        } else {
            rest = &rest["crate::".len()..];
        }
        expand(&base, rest, &mut found);
    }
    found
}

/// Reads one use tree and adds the paths in it.
fn expand(base: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
    if let Some(group) = tree.strip_prefix('{') {
        let (mut depth, mut start) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    expand(base, group[start..at].trim(), found);
                    start = at + 1;
                    if c == '}' {
                        return;
                    }
                }
                _ => {}
            }
        }
        return;
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    if end == 0 {
        return;
    }
    let mut path = base.to_vec();
    path.push(tree[..end].to_owned());
    match tree[end..].strip_prefix("::") {
        Some(rest) => {
            let before = found.len();
            expand(&path, rest, found);
            if found.len() == before {
                found.push(path);
            }
        }
        None => found.push(path),
    }
}

#[test]
fn modules_use_only_what_the_layers_allow() {
    let table: BTreeMap<&str, BTreeSet<&str>> = TABLE
        .iter()
        .map(|(module, groups)| {
            (*module, groups.iter().flat_map(|group| group.iter().copied()).collect())
        })
        .collect();
    let known: BTreeSet<&str> = table.keys().copied().collect();
    let mut wrong = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let own = layer(&source.module());
        if own.is_empty() {
            continue;
        }
        let Some(allowed) = table.get(own.as_str()) else {
            wrong.insert(format!("src/{}: the table does not know `{own}`", source.path));
            continue;
        };
        for path in uses(source) {
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            let used = layer(&steps);
            if used == own || !known.contains(used.as_str()) {
                continue;
            }
            seen.insert((own.clone(), used.clone()));
            if !allowed.contains(used.as_str()) {
                wrong.insert(format!("src/{}: `{own}` may not use `{used}`", source.path));
            }
        }
    }
    assert!(seen.len() > 20, "found only {seen:?}: does the reader still read?");
    assert!(wrong.is_empty(), "{}", listed(&wrong));
}

#[test]
fn only_the_world_names_the_sdk_and_only_the_style_names_colours() {
    let mut wrong = BTreeSet::new();
    for source in &sources() {
        let code = source.code();
        let world = source.path.starts_with("kinds/") || source.path.starts_with("cloud/aws/");
        if code.contains("aws_sdk_") && !world {
            wrong.insert(format!("src/{} names an aws_sdk crate", source.path));
        }
        if code.contains("anstyle") && source.path != "report/style.rs" {
            wrong.insert(format!("src/{} names anstyle", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", listed(&wrong));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = BTreeSet::new();
    for source in &sources() {
        let lines = source.text.lines().count();
        if lines > 400 && !source.path.starts_with("kinds/") {
            wrong.insert(format!("src/{} has {lines} lines, more than 400", source.path));
        }
        if !source.text.starts_with("//! ") {
            wrong.insert(format!("src/{} does not begin with what it is", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", listed(&wrong));
}

#[test]
fn every_error_code_has_its_page_and_every_page_its_code() {
    let used: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.is_test())
        .flat_map(|source| codes(&source.code(), '"'))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
    let pages: BTreeSet<String> = files(&folder)
        .iter()
        .filter_map(|page| Some(page.file_stem()?.to_str()?.to_owned()))
        .filter(|page| page.starts_with('E'))
        .collect();
    let missing: Vec<&String> = used.difference(&pages).collect();
    let idle: Vec<&String> = pages.difference(&used).collect();
    assert!(missing.is_empty(), "codes without a page under docs/errors: {missing:?}");
    assert!(idle.is_empty(), "pages under docs/errors whose code nothing uses: {idle:?}");
    for page in &pages {
        let text = fs_err::read_to_string(folder.join(format!("{page}.md"))).expect("a page");
        assert!(text.contains(page.as_str()), "docs/errors/{page}.md does not name its code");
        assert!(text.lines().count() <= 40, "docs/errors/{page}.md is longer than a page");
    }
}

/// The codes in `text` that stand between `mark`s.
fn codes(text: &str, mark: char) -> Vec<String> {
    let words = text.split(mark);
    let is_code = |word: &&str| {
        word.len() == 5 && word.starts_with('E') && word[1..].chars().all(|c| c.is_ascii_digit())
    };
    words.filter(is_code).map(str::to_owned).collect()
}

fn listed(wrong: &BTreeSet<String>) -> String {
    wrong.iter().map(|line| format!("\n  {line}")).collect()
}

#[test]
fn the_reader_of_uses_reads_them_all() {
    let source = Source {
        path: "plan/deep.rs".to_owned(),
        text: "use crate::{kinds, run::{Event, journal::{A, B}}};\n\
               fn f() -> crate::value::Value { super::super::store::x() }\n\
               // use crate::cli;\n\
               #[cfg(test)]\nmod tests { use crate::cli::Exit; }"
            .to_owned(),
    };
    let found: BTreeSet<String> = uses(&source)
        .iter()
        .map(|path| layer(&path.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    let expected = ["kinds", "run", "store", "value"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}
