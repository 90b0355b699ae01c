//! From files to the base document and the overlays beside it: includes, `in`, and their mishaps.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, reason};

use super::files::{Files, matching};
use super::merge::union;
use super::node::{Entry, Form, Layer, Mark, Node, Table};
use super::parse::parse;
use super::sources::Sources;

/// How many steps an `in` may have: no table of any language lies as deep.
const DEEPEST_IN: usize = 8;

/// Reads files into one tree.
pub(crate) struct Reader<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) sources: Sources,
    pub(crate) found: Vec<Diagnostic>,
    /// The files being read, outermost first.
    open: Vec<PathBuf>,
    /// The files read so far: one that is included twice is read once.
    done: BTreeSet<PathBuf>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(files: &'a dyn Files) -> Self {
        let sources = Sources::default();
        Self { files, sources, found: Vec::new(), open: Vec::new(), done: BTreeSet::new() }
    }

    /// The spec and everything it includes, as one table.
    pub(crate) fn spec(&mut self, file: &Path) -> Option<Node> {
        match self.files.read(file) {
            Ok(text) => Some(self.document(file, text, Layer::Base)),
            Err(error) => {
                let name = file.display();
                let title = format!("`{name}` cannot be read: {}", reason(&error));
                let hint = match error.kind() {
                    io::ErrorKind::NotFound => {
                        "name the spec with -f FILE, or begin one with `ecsctl init`"
                    }
                    io::ErrorKind::IsADirectory => "name the file in it: -f FOLDER/ecsctl.toml",
                    io::ErrorKind::InvalidData => "save it as UTF-8, or name the spec with -f FILE",
                    _ => "let it be read, or name the spec with -f FILE",
                };
                self.found.push(Diagnostic::error("E0104", title).hint(hint));
                None
            }
        }
    }

    /// The overlay `<spec>.<env>.toml` beside the spec, if there is one.
    pub(crate) fn overlay(&mut self, spec: &Path, env: &str) -> Option<Node> {
        let file = spec.with_file_name(overlay_name(spec, env));
        let text = self.files.read(&file).ok()?;
        Some(self.document(&file, text, Layer::EnvFile))
    }

    /// The environments that have a file beside the spec.
    pub(crate) fn overlays(&self, spec: &Path) -> BTreeSet<String> {
        let folder = spec.parent().unwrap_or(Path::new(""));
        let names = self.files.list(folder).unwrap_or_default();
        names.iter().filter_map(|name| overlay_env(spec, name)).collect()
    }

    fn document(&mut self, file: &Path, text: String, layer: Layer) -> Node {
        let source = self.sources.add(file.display().to_string(), text);
        self.done.insert(file.to_owned());
        self.open.push(file.to_owned());
        let (mut node, errors) = parse(&self.sources, source, layer);
        self.found.extend(errors);
        let include = node.take("include");
        let place = node.take("in");
        if let Some(place) = place {
            node = self.moved(node, &place);
        }
        let patterns = include.map(|entry| self.patterns(&entry)).unwrap_or_default();
        for item in patterns {
            node = self.included(node, &item, file, layer);
        }
        self.open.pop();
        node
    }

    /// The patterns of an `include`, each with its place.
    fn patterns(&mut self, include: &Entry) -> Vec<(String, Mark)> {
        let items = match &include.value.form {
            Form::List(items) => items.as_slice(),
            Form::Scalar(_) | Form::Table(_) => std::slice::from_ref(&include.value),
        };
        let texts: Option<Vec<_>> =
            items.iter().map(|item| Some((item.text()?.to_owned(), item.mark))).collect();
        texts.unwrap_or_else(|| {
            let span = self.sources.span(include.value.mark);
            self.found.push(
                Diagnostic::error("E0108", "`include` is not a list of files")
                    .at_span(span, "")
                    .hint("write for example `include = [\"services/*.toml\"]`"),
            );
            Vec::new()
        })
    }

    fn included(&mut self, into: Node, item: &(String, Mark), from: &Path, layer: Layer) -> Node {
        let (pattern, mark) = item;
        let folder = from.parent().unwrap_or(Path::new(""));
        let mut files = matching(self.files, &folder.join(pattern));
        if pattern.contains('*') {
            // A pattern never means the spec itself or the overlays beside it.
            let spec = self.open.first().cloned().unwrap_or_default();
            files.retain(|file| !self.open.contains(file) && !is_overlay(&spec, file));
        }
        if files.is_empty() {
            let title = format!("no file is called `{pattern}`");
            self.complain(
                "E0104",
                title,
                *mark,
                "name files beside this one, such as `tasks.toml`",
            );
        }
        files.into_iter().fold(into, |into, file| self.one(into, &file, *mark, layer))
    }

    fn one(&mut self, into: Node, file: &Path, mark: Mark, layer: Layer) -> Node {
        if self.open.iter().any(|open| open == file) {
            let chain = self.open.iter().map(PathBuf::as_path).chain([file]);
            let chain: Vec<String> = chain.map(|file| format!("`{}`", file.display())).collect();
            let title = format!("files include each other: {}", chain.join(" → "));
            self.complain("E0105", title, mark, "include each file from one place");
            return into;
        }
        if self.done.contains(file) {
            return into;
        }
        match self.files.read(file) {
            Ok(text) => {
                let node = self.document(file, text, layer);
                union(into, node, &self.sources, &mut self.found)
            }
            Err(error) => {
                let title = format!("`{}` cannot be read: {}", file.display(), reason(&error));
                self.complain("E0104", title, mark, "mend the path, or remove it");
                into
            }
        }
    }

    /// What a file that starts with `in = "service.web"` says, at its place.
    fn moved(&mut self, node: Node, place: &Entry) -> Node {
        let (mark, layer) = (place.value.mark, node.layer);
        let steps: Vec<&str> =
            place.value.text().map_or(Vec::new(), |text| text.split('.').collect());
        let named = (1..=DEEPEST_IN).contains(&steps.len());
        if !named || steps.iter().any(|step| step.is_empty()) {
            let title = "`in` does not name a table".to_owned();
            self.complain("E0106", title, mark, "write for example `in = \"service.web\"`");
            return node;
        }
        if self.open.len() == 1 {
            let title = "`in` stands in a file that nothing includes".to_owned();
            self.complain("E0106", title, place.key, "write `in` in included files only");
        }
        steps.iter().rev().fold(node, |value, step| {
            let entry = Entry { key: mark, value };
            Node {
                mark,
                layer,
                variants: &[],
                form: Form::Table(Table::from([((*step).to_owned(), entry)])),
            }
        })
    }

    fn complain(&mut self, code: &'static str, title: String, mark: Mark, hint: &str) {
        let span = self.sources.span(mark);
        self.found.push(Diagnostic::error(code, title).at_span(span, "").hint(hint));
    }
}

/// `ecsctl.dev.toml` for `ecsctl.toml`.
pub(crate) fn overlay_name(spec: &Path, env: &str) -> String {
    format!("{}.{env}.toml", stem(spec))
}

fn stem(spec: &Path) -> String {
    spec.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn overlay_env(spec: &Path, name: &str) -> Option<String> {
    let middle = name.strip_prefix(&stem(spec))?.strip_prefix('.')?.strip_suffix(".toml")?;
    (!middle.is_empty() && !middle.contains('.')).then(|| middle.to_owned())
}

fn is_overlay(spec: &Path, file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    spec.parent() == file.parent() && overlay_env(spec, &name).is_some()
}
