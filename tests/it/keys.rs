//! Every key of the language is used: by an example, a document or a test. What nobody writes anywhere is
//! not known to work.
//!
//! Specs are read with their environments, and what their sections stand for counts as well; task definitions
//! are imported. Of a text that is no spec, because a test puts it into one, a kind's key counts by its own
//! name alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ecsctl::import::{About, task_definition};
use ecsctl::kind::Shape;
use ecsctl::spec::{Language, Request, load};
use ecsctl::{blueprint, desired, kinds};
use serde_json::{Map, Value as Json};

/// The tables of the language. One that stands in several places, such as `health`, is one.
#[derive(Default)]
struct Tables(Vec<(Shape, String)>);

impl Tables {
    /// The first place of a table that may stand at `path`.
    fn place(&mut self, table: &Shape, path: &str) -> String {
        if let Some((_, place)) = self.0.iter().find(|(known, _)| known == table) {
            return place.clone();
        }
        self.0.push((table.clone(), path.to_owned()));
        path.to_owned()
    }

    /// All keys of a shape, as `service.http.path`: the names that users give are left out.
    fn keys(&mut self, shape: &Shape, path: &str, found: &mut BTreeSet<String>) {
        match shape {
            Shape::Struct { fields, .. } => {
                let place = self.place(shape, path);
                // What `[defaults]` may say is what the sections may say.
                for (name, field) in fields.iter().filter(|(name, _)| *name != "defaults") {
                    let key = key(&place, name);
                    if found.insert(key.clone()) {
                        self.keys(&field.shape, &key, found);
                    }
                }
            }
            Shape::Map(inner) | Shape::List(inner) | Shape::Set(inner) => {
                self.keys(inner, path, found);
            }
            Shape::Bool | Shape::Integer { .. } | Shape::Number | Shape::Text { .. } => {}
            Shape::Choice(_) | Shape::Any => {}
        }
    }
}

fn key(path: &str, name: &str) -> String {
    format!("{path}.{name}").trim_start_matches('.').to_owned()
}

/// What the texts of the project write.
struct Used<'l> {
    language: &'l Language,
    spec: Shape,
    tables: Tables,
    keys: BTreeSet<String>,
    /// The last words of keys in what is no spec by itself.
    words: BTreeSet<String>,
}

impl Used<'_> {
    fn walk(&mut self, shape: &Shape, value: &Json, path: &str) {
        match (shape, value) {
            (Shape::Struct { fields, .. }, Json::Object(table)) => {
                let place = self.tables.place(shape, path);
                for (name, value) in table {
                    let Some(field) = fields.get(name) else { continue };
                    let key = key(&place, name);
                    self.walk(&field.shape, value, &key);
                    self.keys.insert(key);
                }
            }
            (Shape::Struct { shorthand: Some(name), .. }, scalar) => {
                let known = self.language.shorthands.iter().find(|known| known.name == name);
                if let Some(Ok(table)) = known.map(|known| (known.parse)(scalar)) {
                    self.walk(shape, &table, path);
                }
            }
            (Shape::Map(inner), Json::Object(table)) => {
                table.values().for_each(|value| self.walk(inner, value, path));
            }
            (Shape::List(inner) | Shape::Set(inner), Json::Array(items)) => {
                items.iter().for_each(|item| self.walk(inner, item, path));
            }
            _ => {}
        }
    }

    /// A spec or a part of one, with all its environments.
    fn read(&mut self, text: &str) {
        let Ok(table) = toml::from_str::<Map<String, Json>>(text) else { return };
        let tree = Json::Object(table);
        if !self.is_spec(&tree) {
            self.words.extend(words(&tree));
        }
        let spec = self.spec.clone();
        self.walk(&spec, &tree, "");
        self.read_kinds(&tree);
        for overlay in tree["env"].as_object().into_iter().flat_map(Map::values) {
            self.walk(&spec, overlay, "");
            self.read_kinds(overlay);
        }
        if text.contains("ecsctl = 1") || text.contains("stack") {
            self.expand(text);
        }
    }

    /// Whether nothing but what a spec may say stands at the top.
    fn is_spec(&self, tree: &Json) -> bool {
        let known = self.spec.fields().expect("a spec is a table");
        tree.as_object().into_iter().flat_map(Map::keys).all(|name| known.contains_key(name))
    }

    fn read_kinds(&mut self, tree: &Json) {
        for (kind, named) in tree["aws"].as_object().into_iter().flatten() {
            let Some(kind) = kinds::find(kind) else { continue };
            for fields in named.as_object().into_iter().flat_map(Map::values) {
                self.walk(kind.shape(), fields, &format!("aws.{}", kind.name()));
            }
        }
    }

    /// What the sections of a spec stand for.
    fn expand(&mut self, text: &str) {
        let file = PathBuf::from("ecsctl.toml");
        let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/scorekeep/tasks.toml");
        let tasks = fs_err::read_to_string(tasks).expect("an example");
        let files =
            BTreeMap::from([(file.clone(), text.to_owned()), (PathBuf::from("tasks.toml"), tasks)]);
        let is_wanted = text.contains("var.tag");
        let tag = is_wanted.then(|| ("tag".to_owned(), "v1".to_owned()));
        let tag: BTreeMap<String, String> = tag.into_iter().collect();
        for env in [None, Some("dev"), Some("prod")] {
            let request = Request {
                file: file.clone(),
                env: env.map(str::to_owned),
                vars: tag.clone(),
                region: Some("eu-west-1".to_owned()),
                ..Request::default()
            };
            let Ok(whole) = desired::of(load(&request, self.language, &files)) else { continue };
            for draft in &whole.drafts {
                let Some(kind) = kinds::find(&draft.address.kind) else { continue };
                self.walk(kind.shape(), &draft.spec, &format!("aws.{}", kind.name()));
            }
        }
    }
}

/// The names of all keys of a tree.
fn words(tree: &Json) -> Vec<String> {
    match tree {
        Json::Object(table) => table
            .iter()
            .flat_map(|(name, value)| [vec![name.clone()], words(value)].concat())
            .collect(),
        Json::Array(items) => items.iter().flat_map(words).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}

/// All texts of these folders that may be a spec: files, fences of documents, and texts in sources.
fn texts(path: &Path, found: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs_err::read_dir(path).expect("a folder of the project") {
            texts(&entry.expect("an entry").path(), found);
        }
        return;
    }
    let text = |path: &Path| fs_err::read_to_string(path).expect("a text");
    match path.extension().and_then(|end| end.to_str()) {
        Some("toml") => found.push(text(path)),
        Some("json") if path.iter().any(|step| step == "task-definitions") => {
            let about = About::default();
            let imported = task_definition(&text(path), &about).expect("a task definition");
            found.push(imported.text);
        }
        Some("md") => found.extend(between(&text(path), "```toml", "\n```")),
        Some("rs") => {
            let source = text(path);
            found.extend(between(&source, "r#\"", "\"#"));
            found.extend(literals(&source));
        }
        _ => {}
    }
}

/// What stands between two marks, from the end of the first one's line on.
fn between(text: &str, start: &str, end: &str) -> Vec<String> {
    let parts = text.split(start).skip(1);
    let inside = parts.filter_map(|part| part.split_once(end).map(|(inside, _)| inside));
    inside
        .flat_map(|inside| [inside, inside.split_once('\n').map_or("", |(_, rest)| rest)])
        .map(unbrace)
        .collect()
}

/// The texts of a source; those that are no texts of TOML do not matter.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let source = source.replace("'\"'", "");
    let mut rest = source.as_str();
    while let Some((_, after)) = rest.split_once('"') {
        let mut text = String::new();
        let mut chars = after.char_indices();
        let mut end = after.len();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match chars.next().map(|(_, char)| char) {
                    Some('n') => text.push('\n'),
                    Some('\n') => {
                        let left = chars.as_str().trim_start();
                        let skipped = chars.as_str().len() - left.len();
                        for _ in 0..chars.as_str()[..skipped].chars().count() {
                            chars.next();
                        }
                    }
                    Some(char) => text.push(char),
                    None => {}
                },
                char => text.push(char),
            }
        }
        if text.contains('=') {
            found.push(unbrace(&text));
        }
        rest = &after[end..];
    }
    found
}

/// What `format!` makes of doubled braces.
fn unbrace(text: &str) -> String {
    text.replace("{{", "{").replace("}}", "}")
}

#[test]
fn every_key_is_used_by_an_example_a_document_or_a_test() {
    let language = blueprint::language();
    let spec = language.spec();
    let (mut tables, mut all) = (Tables::default(), BTreeSet::new());
    tables.keys(&spec, "", &mut all);
    for kind in kinds::all() {
        tables.keys(kind.shape(), &format!("aws.{}", kind.name()), &mut all);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for place in [
        "examples",
        "tests/it",
        "tests/import",
        "tests/specs/keys.toml",
        "tests/specs/everything.toml",
        "src",
        "README.md",
        "docs/tour.md",
        "docs/spec.md",
    ] {
        texts(&root.join(place), &mut found);
    }
    let (keys, words) = (BTreeSet::new(), BTreeSet::new());
    let mut used = Used { language: &language, spec, tables, keys, words };
    found.iter().for_each(|text| used.read(text));
    let is_named = |key: &str| {
        let of_kind = key.strip_prefix("aws.").and_then(|key| key.rsplit_once('.'));
        of_kind.is_some_and(|(_, last)| used.words.contains(last))
    };
    let mut unused: Vec<&String> = all.difference(&used.keys).collect();
    unused.retain(|key| !is_named(key));
    assert!(
        unused.is_empty(),
        "{} of {} keys are used nowhere: {unused:#?}",
        unused.len(),
        all.len()
    );
}
