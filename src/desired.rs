//! What is declared, complete: every expanded and hand-written declaration, merged, named, read by its
//! kind and checked. The planner and `render` start from here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::address::{Address, Output, Path};
use crate::blueprint::Declaration;
use crate::diag::{Diagnostic, Place, Severity};
use crate::graph::Graph;
use crate::kind::{Check, Registered, StackId, TAG_ENV, TAG_ID, TAG_PROTECT, TAG_STACK, Tags};
use crate::value::Value;
use crate::{kinds, nearest, plan};

/// A declaration that its kind has read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Declared {
    /// The document, canonical and with the kind's defaults.
    pub spec: Value,
    /// The section of the spec that it comes from.
    pub section: Path,
    /// Where in the spec a top-level field comes from.
    pub sources: BTreeMap<String, Path>,
}

/// Everything that a stack declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Desired {
    /// The stack.
    pub stack: StackId,
    /// The declarations.
    pub resources: BTreeMap<Address, Declared>,
    /// Tags that every resource carries besides ecsctl's own.
    pub tags: Tags,
    /// Whether a destroy is refused.
    pub protect: bool,
}

impl Desired {
    /// A stack of which nothing is to be left.
    pub fn nothing(stack: StackId) -> Self {
        Self { stack, resources: BTreeMap::new(), tags: Tags::new(), protect: false }
    }

    /// Adds declarations: named, read by their kinds and checked; or says everything that is wrong.
    /// With the graph come the warnings, which stop nothing.
    pub fn assemble(
        &mut self,
        drafts: &[Declaration],
    ) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut found = Vec::new();
        for draft in drafts {
            match self.declare(draft, &mut found) {
                Ok(declared) => drop(self.resources.insert(draft.address.clone(), declared)),
                Err(diagnostic) => found.push(diagnostic),
            }
        }
        self.check_references(&mut found);
        let graph = Graph::of(self.specs());
        let is_wrong = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        match graph {
            Ok(graph) if !is_wrong => Ok((graph, found)),
            Ok(_) => Err(found),
            Err(cycle) => {
                let section = self.resources[&cycle.0[0]].section.clone();
                let title = format!("these resources need each other: {cycle}");
                found.push(Diagnostic::error("E0204", title).at(section, "part of the circle"));
                Err(found)
            }
        }
    }

    /// The declarations' documents by address.
    pub fn specs(&self) -> impl Iterator<Item = (&Address, &Value)> {
        self.resources.iter().map(|(address, declared)| (address, &declared.spec))
    }

    /// All tags of one resource.
    pub fn tags_of(&self, address: &Address) -> Tags {
        let mut tags = self.tags.clone();
        tags.insert("Name".into(), format!("{}-{}", self.stack.prefix(), address.name));
        tags.insert(TAG_STACK.into(), self.stack.stack.clone());
        tags.insert(TAG_ENV.into(), self.stack.env.clone());
        tags.insert(TAG_ID.into(), address.to_string());
        if self.protect {
            tags.insert(TAG_PROTECT.into(), "true".into());
        }
        tags
    }

    fn declare(
        &self,
        draft: &Declaration,
        found: &mut Vec<Diagnostic>,
    ) -> Result<Declared, Diagnostic> {
        let address = &draft.address;
        let kind = kinds::find(&address.kind).ok_or_else(|| unknown_kind(address))?;
        let mut spec = draft.spec.clone();
        if let (Some(naming), Json::Object(fields)) = (kind.about().naming, &mut spec) {
            let name = || plan::default_name(&self.stack, naming, &address.name).into();
            fields.entry("name").or_insert_with(name);
        }
        let spec = kind.parse(spec).map_err(|malformed| {
            let title = format!("`{}` of {address}: {}", malformed.path, malformed.message);
            Diagnostic::error("E0201", title).at(locate(draft, &malformed.path), "")
        })?;
        let mut check = Check { stack: &self.stack, address, found: Vec::new() };
        kind.check(&spec, &mut check);
        found.extend(check.found.into_iter().map(|diagnostic| relocate(draft, diagnostic)));
        let spec = Value::lift(spec).map_err(|bad| {
            Diagnostic::error("E0202", bad.to_string()).at(draft.section.clone(), "")
        })?;
        let (section, sources) = (draft.section.clone(), draft.sources.clone());
        Ok(Declared { spec, section, sources })
    }

    fn check_references(&self, found: &mut Vec<Diagnostic>) {
        for declared in self.resources.values() {
            for output in declared.spec.outputs() {
                if let Some(diagnostic) = self.check_reference(output) {
                    let diagnostic = diagnostic.at(declared.section.clone(), "refers to it");
                    if !found.contains(&diagnostic) {
                        found.push(diagnostic);
                    }
                }
            }
        }
    }

    fn check_reference(&self, output: &Output) -> Option<Diagnostic> {
        if output.is_surroundings() {
            let fact = output.of.name.as_str();
            let zone = fact.strip_prefix("zone-").is_some_and(|n| n.parse::<u8>().is_ok());
            let is_known = zone || ["account", "region", "partition"].contains(&fact);
            let title = format!("there is no `${{{output}}}`");
            let hint =
                "write `${aws.account}`, `${aws.region}`, `${aws.partition}` or `${aws.zone-1}`";
            return (!is_known).then(|| Diagnostic::error("E0203", title).hint(hint));
        }
        if !self.resources.contains_key(&output.of) {
            let names: Vec<String> = self.resources.keys().map(ToString::to_string).collect();
            let title = format!("no resource `{}` in this stack", output.of);
            let near = nearest::nearest(&output.of.to_string(), names.iter().map(String::as_str));
            let error = Diagnostic::error("E0203", title);
            return Some(match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("run `ecsctl render` to see all resources of the stack"),
            });
        }
        let outputs = kinds::find(&output.of.kind)?.output_shape();
        let names: Vec<&str> = outputs.fields()?.keys().map(String::as_str).collect();
        let title = format!("{} has no output `{}`", output.of, output.name);
        let hint = format!("its outputs are {}", names.join(", "));
        let is_known = names.contains(&output.name.as_str());
        (!is_known).then(|| Diagnostic::error("E0203", title).hint(hint))
    }
}

/// The place in the spec that says what stands at `path` of the document.
fn locate(draft: &Declaration, path: &Path) -> Path {
    let Some(first) = path.first() else { return draft.section.clone() };
    match draft.sources.get(first) {
        Some(source) if source.first() == Some("aws") => {
            Path(source.0.iter().chain(&path.0[1..]).cloned().collect())
        }
        Some(source) => source.clone(),
        None => draft.section.clone(),
    }
}

/// Kinds point at `aws.<kind>.<name>.<field>`; whoever wrote a blueprint section wants to see that.
fn relocate(draft: &Declaration, mut diagnostic: Diagnostic) -> Diagnostic {
    for label in &mut diagnostic.labels {
        if let Place::Value(path) = &mut label.place {
            *path = locate(draft, &Path(path.0.iter().skip(3).cloned().collect()));
        }
    }
    diagnostic
}

fn unknown_kind(address: &Address) -> Diagnostic {
    let names = kinds::all().iter().map(Registered::name_of);
    let error = Diagnostic::error("E0201", format!("there is no kind `{}`", address.kind))
        .at_key(Path::of(["aws", &address.kind]), "");
    match nearest::nearest(&address.kind, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("run `ecsctl schema` to see all kinds"),
    }
}
