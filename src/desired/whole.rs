//! From a spec as it was loaded to all that it declares; or to all that is wrong with it, of whatever
//! stage: its text, its sections, its declarations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use super::Desired;
use crate::blueprint::{self, Declaration, Expansion, Launch, Options};
use crate::diag::{Diagnostic, Place, Severity, THE_OTHER};
use crate::graph::Graph;
use crate::kind::TAG_STORE;
use crate::spec::{Rejected, Sources, Spec, State, Unread};

/// A stack as its spec declares it.
#[derive(Debug)]
pub struct Whole {
    /// What is declared.
    pub desired: Desired,
    /// Who needs whom.
    pub graph: Graph,
    /// The declarations as they were made, with the keys that they come from.
    pub drafts: Vec<Declaration>,
    /// Where it answers; the texts mention outputs.
    pub urls: BTreeMap<String, String>,
    /// How its tasks are started by hand, by name; the texts mention outputs.
    pub launches: BTreeMap<String, Launch>,
    /// How long after the apply that brings it the stack may be destroyed.
    pub ttl: Option<Duration>,
    /// Where locks and journals lie.
    pub state: State,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
    /// The texts.
    pub sources: Sources,
}

/// All that a loaded spec declares. What one stage finds wrong does not keep the next from looking at
/// everything else; what only follows from it is not said.
pub fn of(loaded: Result<Spec, Rejected>) -> Result<Whole, Rejected> {
    match loaded {
        Ok(spec) => declared(spec),
        Err(rejected) => Err(look_on(rejected)),
    }
}

fn declared(spec: Spec) -> Result<Whole, Rejected> {
    let options = Options::of(&spec);
    let Spec { id, mut tags, ttl, protect, state, document, sources, mut warnings } = spec;
    // Whoever destroys the stack by its tags alone has to know.
    tags.extend(state.store.clone().map(|store| (TAG_STORE.to_owned(), store)));
    let mut desired = Desired { tags, protect, ..Desired::nothing(id) };
    let judged = judge(&mut desired, document, options, Unread::default());
    warnings.extend(judged.found.into_iter().map(|one| later_first(one, &sources)));
    match judged.graph {
        Some(graph) => {
            let Judged { drafts, urls, launches, .. } = judged;
            Ok(Whole { desired, graph, drafts, urls, launches, ttl, state, warnings, sources })
        }
        None => Err(Rejected { diagnostics: warnings, sources, rest: None }),
    }
}

/// What is wrong beyond what kept the spec from being read.
fn look_on(rejected: Rejected) -> Rejected {
    let Rejected { mut diagnostics, sources, rest } = rejected;
    if let Some(rest) = rest {
        let options = Options::of_rest(&rest);
        let mut desired = Desired { protect: rest.protect, ..Desired::nothing(rest.id) };
        let mut found =
            judge(&mut desired.clone(), rest.document, options, rest.unread.clone()).found;
        // In a section that can be read in part, what is said of a value by itself is true all the same.
        let in_part = judge(&mut desired, rest.remains, options, Unread::default()).found;
        found.extend(in_part.into_iter().filter(|one| one.alone && is_in(one, &rest.unread)));
        // Nobody can say what is wrong with a value that is not known.
        let is_known =
            |one: &Diagnostic| !one.labels.iter().any(|it| sources.is_unknown(&it.place));
        let found = found.into_iter().filter(is_known);
        diagnostics.extend(found.map(|one| later_first(one, &sources)));
    }
    Rejected { diagnostics, sources, rest: None }
}

/// Whether it is said of something in a section that could not be read whole.
fn is_in(one: &Diagnostic, unread: &Unread) -> bool {
    let place = one.labels.first().map(|label| &label.place);
    matches!(place, Some(Place::Value(path) | Place::Key(path)) if unread.holds(path))
}

/// Of two that cannot both be, the one that is written later is pointed at: the other was there before.
fn later_first(mut one: Diagnostic, sources: &Sources) -> Diagnostic {
    if let [first, other] = one.labels.as_mut_slice()
        && other.text == THE_OTHER
        && let (Some(here), Some(there)) =
            (sources.locate(&first.place), sources.locate(&other.place))
        && here.file == there.file
        && here.range.start < there.range.start
    {
        std::mem::swap(&mut first.place, &mut other.place);
    }
    one
}

struct Judged {
    /// None when something is wrong.
    graph: Option<Graph>,
    drafts: Vec<Declaration>,
    urls: BTreeMap<String, String>,
    launches: BTreeMap<String, Launch>,
    found: Vec<Diagnostic>,
}

fn judge(desired: &mut Desired, document: Json, options: Options, mut unread: Unread) -> Judged {
    let (document, mut found) = blueprint::read(document, &mut unread);
    desired.given = blueprint::given(&document);
    let Expansion { declarations, faults, unread } = blueprint::expand(&document, options, &unread);
    found.extend(faults);
    let (graph, told) = match desired.assemble(&declarations, &unread) {
        Ok((graph, warnings)) => (Some(graph), warnings),
        Err(errors) => (None, errors),
    };
    let mut new: Vec<Diagnostic> = told.into_iter().filter(|one| !is_told(one, &found)).collect();
    // What several resources have of one key is wrong once.
    let mut seen = Vec::new();
    new.retain(|one| {
        !seen.contains(one) && {
            seen.push(one.clone());
            true
        }
    });
    found.extend(new);
    let is_wrong = found.iter().any(|one| one.severity == Severity::Error);
    let (urls, launches) = (blueprint::urls(&document), blueprint::launches(&document, options));
    Judged { graph: graph.filter(|_| !is_wrong), drafts: declarations, urls, launches, found }
}

/// Whether something wrong has been told of the very place; kinds stumble over it again.
fn is_told(one: &Diagnostic, faults: &[Diagnostic]) -> bool {
    let Some(place) = one.labels.first().map(|label| &label.place) else { return false };
    let mut told = faults.iter().flat_map(|fault| &fault.labels).map(|label| &label.place);
    told.any(|there| match (place, there) {
        (Place::Value(here), Place::Value(there)) => {
            here.starts_with(there) || there.starts_with(here)
        }
        (Place::Value(here) | Place::Key(here), Place::Key(there)) => here == there,
        (Place::Key(_), Place::Value(_)) | (Place::Span(_), _) | (_, Place::Span(_)) => false,
    })
}
