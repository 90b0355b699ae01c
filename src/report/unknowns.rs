//! What a plan says of values that nobody knows yet, or that say nothing to people.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::plan::{Action, Plan};
use crate::value::Value;

/// What a plan knows beside its steps: what will have happened when an output becomes known, and by which tags
/// images are known whose digests say nothing to people.
#[derive(Debug)]
pub(super) struct Unknowns<'a> {
    pub(super) verbs: BTreeMap<&'a Address, &'static str>,
    pub(super) images: &'a BTreeMap<String, String>,
}

impl<'a> Unknowns<'a> {
    /// The outputs that `plan` makes.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let verb = |action: &Action| match action {
            Action::Create { replaces: None } => Some("created"),
            Action::Create { replaces: Some(_) } => Some("replaced"),
            Action::Update { .. } => Some("updated"),
            Action::Settle { .. } => Some("ready"),
            Action::Widen { .. } | Action::Delete { .. } => None,
        };
        let made = plan.steps.iter().filter_map(|step| Some((&step.address, verb(&step.action)?)));
        Self { verbs: made.collect(), images: &plan.images }
    }

    /// An image with its tag beside its digest, as docker writes it: `api:1.4@sha256:…`.
    pub(super) fn named<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match (self.images.get(text), text.split_once('@')) {
            (Some(tag), Some((repository, digest))) => {
                Cow::Owned(format!("{repository}:{tag}@{digest}"))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// `(known after vpc.main is created)`.
    pub(super) fn note(&self, value: &Value) -> Option<String> {
        let of: BTreeSet<&Address> = value.outputs().into_iter().map(|output| &output.of).collect();
        let phrase = |of: &&Address| match self.verbs.get(of) {
            Some(verb) => format!("{of} is {verb}"),
            None => format!("{of} is known"),
        };
        let phrases: Vec<String> = of.iter().map(phrase).collect();
        (!phrases.is_empty()).then(|| format!("(known after {})", phrases.join(" and ")))
    }
}
