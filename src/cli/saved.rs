//! A plan in a file: what `plan --out` writes and `apply FILE` obeys.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Failure;
use super::stack::Urls;
use crate::address::Address;
use crate::desired::Desired;
use crate::plan::{Options, Plan, Step};
use crate::report::summary::listed;

/// The version of these files.
const FORMAT: u32 = 1;

/// A plan, and what it was made from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Saved {
    format: u32,
    /// The plan.
    pub(super) plan: Plan,
    /// What was declared.
    pub(super) desired: Desired,
    /// Where it answers.
    pub(super) urls: Urls,
    adopt: BTreeSet<Address>,
    /// The commit that the spec stood at.
    #[serde(default)]
    git: Option<String>,
}

impl Saved {
    /// Everything that is needed to apply `plan` later.
    pub(super) fn new(plan: Plan, desired: Desired, urls: Urls, options: &Options) -> Self {
        Self { format: FORMAT, plan, desired, urls, adopt: options.adopt.clone(), git: None }
    }

    /// Remembers the commit that the spec stands at.
    #[must_use]
    pub(super) fn at_commit(mut self, git: Option<String>) -> Self {
        self.git = git;
        self
    }

    /// Fails if the checkout has moved on to another commit since (B40).
    pub(super) fn require_commit(&self, now: Option<&str>) -> Result<(), Failure> {
        match (self.git.as_deref(), now) {
            (Some(then), Some(now)) if then != now => {
                let short = |sha: &str| sha.chars().take(7).collect::<String>();
                let (then, now) = (short(then), short(now));
                let why = format!("the plan was made at commit {then}, and this is {now}");
                Err(Failure::Refused(why, "plan again, or check that commit out".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What the user allowed when it was made.
    pub(super) fn options(&self) -> Options {
        Options { adopt: self.adopt.clone() }
    }

    /// Writes it.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        Ok(crate::store::write_atomic(file, &text)?)
    }

    /// Reads one.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs_err::read(file)?;
        serde_json::from_slice::<Self>(&text)
            .ok()
            .filter(|saved| saved.format == FORMAT)
            .ok_or_else(|| {
                let why = format!("`{}` is not a plan of this version", file.display());
                Failure::Refused(why, "make it anew with `ecsctl plan --out FILE`".to_owned())
            })
    }

    /// Fails if the world has moved so that other things would have to be done now.
    pub(super) fn require_same(&self, now: &Plan) -> Result<(), Failure> {
        if now.steps == self.plan.steps && now.account == self.plan.account {
            return Ok(());
        }
        let differ = |a: &Plan, b: &Plan| -> Vec<Address> {
            let missing = a.steps.iter().filter(|step| !b.steps.iter().any(|it| same(it, step)));
            missing.map(|step| step.address.clone()).collect()
        };
        let moved: BTreeSet<Address> =
            differ(now, &self.plan).into_iter().chain(differ(&self.plan, now)).collect();
        if moved.is_empty() && now.account == self.plan.account {
            return Ok(());
        }
        let names: Vec<String> = moved.iter().map(ToString::to_string).collect();
        let why = match names.as_slice() {
            [] => "the plan was made for another account".to_owned(),
            names => format!("the plan is out of date: {} would differ now", listed(names)),
        };
        Err(Failure::Refused(why, "plan again".to_owned()))
    }
}

/// Whether two steps do the same, wherever they stand.
fn same(a: &Step, b: &Step) -> bool {
    a.address == b.address && a.action == b.action && a.spec == b.spec && a.edits == b.edits
}
