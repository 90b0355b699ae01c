//! The plan: an ordered list of steps, and nothing else. Pure data, made by [`planner`], obeyed by
//! `run`, read by every report.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::diff::{Edit, diff};
pub use self::name::default_name;
pub use self::planner::{Options, plan};
pub use self::refused::protected;
pub use self::standing::{Standing, stand};
use crate::address::Address;
use crate::kind::{StackId, TagChange, Tags};
use crate::value::Value;

mod built_on;
mod diff;
mod given;
mod holders;
mod leaving;
mod moved;
mod name;
mod order;
mod parting;
mod planner;
mod refused;
mod ring;
mod seats;
mod standing;
mod widening;

/// A step's place in [`Plan::steps`].
pub type StepId = usize;

/// What the plan is to bring about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// What is declared.
    Apply,
    /// That nothing is left.
    Destroy,
}

/// All steps that lead from what is to what should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The stack.
    pub stack: StackId,
    /// The account that was looked at.
    pub account: String,
    /// What it is to bring about.
    pub purpose: Purpose,
    /// The steps. A step comes after all that it waits for.
    pub steps: Vec<Step>,
    /// How many declared resources are as they should be.
    pub unchanged: usize,
    /// The tags of images that steps name by their digests: for people, who know no digests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub images: BTreeMap<String, String>,
}

/// One thing to do to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// What to do.
    pub action: Action,
    /// The declaration: resolved as far as outputs are known, the rest pending. Null for a delete.
    pub spec: Value,
    /// Field by field, what differs. Empty for creates that replace nothing, and for deletes.
    pub edits: Vec<Edit>,
    /// All tags that the resource is to carry.
    pub tags: Tags,
    /// Steps that must be done before.
    pub after: Vec<StepId>,
    /// Seconds that it usually takes.
    pub seconds: u32,
}

/// The ways to bring a resource about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Make it; `replaces` is the id of the object whose place it takes.
    Create {
        /// The old object, which has a delete step of its own.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        replaces: Option<String>,
    },
    /// Change it in place.
    Update {
        /// AWS's identifier.
        id: String,
        /// What it is like now.
        was: Value,
        /// The change of tags.
        tags: TagChange,
        /// Whether it is taken over: it was not ours.
        adopts: bool,
    },
    /// Let it serve what it served and what it shall serve, until those who use it have moved. An
    /// update that takes the rest away comes after them.
    Widen {
        /// AWS's identifier.
        id: String,
        /// What it is like now.
        was: Value,
    },
    /// Remove it.
    Delete {
        /// AWS's identifier.
        id: String,
        /// What it is like now.
        was: Value,
        /// Why.
        because: Because,
    },
    /// Wait until it is ready: it is as it should be, but on its way.
    Settle {
        /// AWS's identifier.
        id: String,
        /// What it is doing.
        why: String,
    },
}

/// Why something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The stack is destroyed.
    Destroyed,
    /// It is no longer declared.
    Undeclared,
    /// Another takes its place.
    Replaced,
    /// An interrupted run left it behind.
    LeftOver,
    /// It failed and will not come back.
    Broken,
    /// It is being deleted already; its end is waited for.
    Leaving,
}

/// How many resources a plan touches, in the words of its last line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Resources to create.
    pub create: usize,
    /// Resources to change in place.
    pub update: usize,
    /// Resources to replace.
    pub replace: usize,
    /// Resources to delete.
    pub delete: usize,
    /// Resources to take over.
    pub adopt: usize,
    /// Resources to wait for.
    pub settle: usize,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many resources it touches. The delete of a replaced object counts with its successor, a
    /// widening with the update that ends it.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            match &step.action {
                Action::Create { replaces: None } => counts.create += 1,
                Action::Create { replaces: Some(_) } => counts.replace += 1,
                Action::Update { adopts: true, .. } => counts.adopt += 1,
                Action::Update { .. } => counts.update += 1,
                Action::Widen { .. } | Action::Delete { because: Because::Replaced, .. } => {}
                Action::Delete { .. } => counts.delete += 1,
                Action::Settle { .. } => counts.settle += 1,
            }
        }
        counts
    }

    /// The ids of what carries the address and is deleted.
    pub fn deleted_at(&self, address: &Address) -> Vec<String> {
        let ids = self.steps.iter().filter(|step| step.address == *address);
        ids.filter_map(|step| match &step.action {
            Action::Delete { id, .. } => Some(id.clone()),
            _ => None,
        })
        .collect()
    }

    /// The steps by address; a replaced resource has two, and one that is widened.
    pub fn by_address(&self) -> BTreeMap<&Address, Vec<StepId>> {
        let mut found: BTreeMap<&Address, Vec<StepId>> = BTreeMap::new();
        for (id, step) in self.steps.iter().enumerate() {
            found.entry(&step.address).or_default().push(id);
        }
        found
    }
}

impl Step {
    /// The verb, for logs and tests.
    pub fn verb(&self) -> &'static str {
        match &self.action {
            Action::Create { replaces: None } => "create",
            Action::Create { replaces: Some(_) } => "replace",
            Action::Update { adopts: true, .. } => "adopt",
            Action::Update { .. } => "update",
            Action::Widen { .. } => "widen",
            Action::Delete { .. } => "delete",
            Action::Settle { .. } => "settle",
        }
    }
}

/// The form for tests and logs: a line a step, a line an edit.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, step) in self.steps.iter().enumerate() {
            write!(f, "s{id} = {} {}", step.verb(), step.address)?;
            if !step.after.is_empty() {
                let after: Vec<String> = step.after.iter().map(|id| format!("s{id}")).collect();
                write!(f, " after {}", after.join(", "))?;
            }
            writeln!(f)?;
            for edit in &step.edits {
                writeln!(f, "     {edit}")?;
            }
            if let Action::Update { tags, .. } = &step.action {
                let set = tags.set.iter().map(|(key, value)| format!("     tag {key} = {value}"));
                let unset = tags.unset.iter().map(|key| format!("     no tag {key}"));
                for line in set.chain(unset) {
                    writeln!(f, "{line}")?;
                }
            }
        }
        Ok(())
    }
}
