//! What is declared, complete: every expanded and hand-written declaration, merged, named, read by its
//! kind and checked. The planner and `render` start from here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::address::{Address, Path};
use crate::blueprint::Declaration;
use crate::diag::{Diagnostic, Severity};
use crate::graph::Graph;
use crate::kind::{
    Check, Given, Registered, StackId, TAG_ENV, TAG_ID, TAG_PROTECT, TAG_STACK, Tags,
};
use crate::spec::Unread;
use crate::value::Value;
use crate::{kinds, nearest, plan};

pub use self::whole::{Whole, of};

mod inherited;
mod lacking;
mod leading;
mod listening;
mod origins;
mod references;
mod whole;

/// A declaration that its kind has read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Declared {
    /// The document, canonical and with the kind's defaults.
    pub spec: Value,
    /// The section of the spec that it comes from.
    pub section: Path,
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
    /// The network that exists already, if the stack stands in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
}

impl Desired {
    /// A stack of which nothing is to be left.
    pub fn nothing(stack: StackId) -> Self {
        let (resources, tags) = (BTreeMap::new(), Tags::new());
        Self { stack, resources, tags, protect: false, given: None }
    }

    /// Adds declarations: named, read by their kinds and checked; or says everything that is wrong.
    /// With the graph come the warnings, which stop nothing. What `unread` sections may declare is not
    /// missed.
    pub fn assemble(
        &mut self,
        drafts: &[Declaration],
        unread: &Unread,
    ) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut found = Vec::new();
        for draft in drafts.iter().filter(|draft| !draft.is_partial) {
            match self.declare(draft, &mut found) {
                Ok(declared) => drop(self.resources.insert(draft.address.clone(), declared)),
                Err(wrong) => found.extend(wrong),
            }
        }
        found.extend(inherited::fill(&mut self.resources));
        found.extend(references::check(&self.resources, drafts, unread));
        found.extend(listening::check(&self.resources, drafts));
        found.extend(leading::check(&self.resources, drafts));
        let graph = Graph::of(self.specs());
        let is_wrong = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        match graph {
            Ok(graph) if !is_wrong => Ok((graph, found)),
            Ok(_) => Err(found),
            Err(cycle) => {
                found.push(references::circle(&cycle, &self.resources, drafts));
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
    ) -> Result<Declared, Vec<Diagnostic>> {
        let address = &draft.address;
        let kind = kinds::find(&address.kind).ok_or_else(|| vec![unknown_kind(address)])?;
        let mut spec = draft.spec.clone();
        if let (Some(naming), Json::Object(fields)) = (kind.about().naming, &mut spec) {
            let name = || plan::default_name(&self.stack, naming, &address.name).into();
            fields.entry("name").or_insert_with(name);
        }
        let lacking = lacking::fields(draft, &spec, kind.shape());
        if !lacking.is_empty() {
            return Err(lacking);
        }
        let spec = kind.parse(spec).map_err(|malformed| {
            let title = format!("`{}` of {address}: {}", malformed.path, malformed.message);
            vec![Diagnostic::error("E0201", title).at(draft.origin(&malformed.path).clone(), "")]
        })?;
        let mut check = Check { stack: &self.stack, address, found: Vec::new() };
        kind.check(&spec, &mut check);
        found
            .extend(check.found.into_iter().map(|diagnostic| origins::relocate(draft, diagnostic)));
        let spec = Value::lift(spec).map_err(|bad| {
            vec![Diagnostic::error("E0202", bad.to_string()).at(draft.section.clone(), "")]
        })?;
        Ok(Declared { spec, section: draft.section.clone() })
    }
}

fn unknown_kind(address: &Address) -> Diagnostic {
    let names = kinds::all().iter().map(Registered::name_of);
    let error = Diagnostic::error("E0201", format!("there is no kind `{}`", address.kind))
        .at_key(Path::of(["aws", &address.kind]), "");
    match nearest::nearest(&address.kind, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("run `ecsctl explain aws` to see all kinds"),
    }
}
