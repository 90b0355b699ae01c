//! A plan in a file: what `plan --out` writes and `apply FILE` obeys.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::stack::Urls;
use super::world::connect;
use super::{Exit, Failure};
use crate::address::Address;
use crate::cloud::aws::Cache;
use crate::desired::Desired;
use crate::diag::{Diagnostic, reason};
use crate::plan::{Options, Plan, Step};
use crate::report::summary::listed;
use crate::spec::{self, State};
use crate::store::Objects as _;

/// The version of these files.
const FORMAT: u32 = 1;
/// So many resources are named that have moved since.
const FEW: usize = 3;

/// What is read first: of another version nothing else may be understood.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

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
    /// Where locks and journals lie.
    #[serde(default)]
    pub(super) state: State,
}

impl Saved {
    /// Everything that is needed to apply `plan` later.
    pub(super) fn new(plan: Plan, desired: Desired, urls: Urls, options: &Options) -> Self {
        Self {
            format: FORMAT,
            plan,
            desired,
            urls,
            adopt: options.adopt.clone(),
            git: None,
            state: State::default(),
        }
    }

    /// Remembers the commit that the spec stands at.
    #[must_use]
    pub(super) fn at_commit(mut self, git: Option<String>) -> Self {
        self.git = git;
        self
    }

    /// Remembers where locks and journals lie.
    #[must_use]
    pub(super) fn sharing(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// Fails if the checkout has moved on to another commit since (B40).
    pub(super) fn require_commit(&self, now: Option<&str>) -> Result<(), Failure> {
        match (self.git.as_deref(), now) {
            (Some(then), Some(now)) if then != now => {
                let short = |sha: &str| sha.chars().take(7).collect::<String>();
                let (then, now) = (short(then), short(now));
                let title = format!("the plan was made at commit {then}, and this is {now}");
                let hint = "plan again, or check that commit out";
                Err(refused(Diagnostic::error("E0407", title).hint(hint)))
            }
            _ => Ok(()),
        }
    }

    /// What the user allowed when it was made.
    pub(super) fn options(&self) -> Options {
        Options { adopt: self.adopt.clone() }
    }

    /// Fails if a plan could not be written to `file`: better said before AWS is asked.
    pub(super) fn require_folder(file: &Path) -> Result<(), Failure> {
        let is_remote = Remote::of(file)?.is_some();
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder.filter(|folder| !is_remote && !folder.is_dir()) {
            Some(_) => Err(Failure::unwritable(file, &io::ErrorKind::NotADirectory.into())),
            None => Ok(()),
        }
    }

    /// Writes it, to a file or to a bucket.
    pub(super) async fn write(&self, cx: &Context, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        match Remote::of(file)? {
            Some(remote) => remote.write(cx, &self.desired.stack.region, text).await,
            None => crate::store::write_atomic(file, &text)
                .map_err(|error| Failure::unwritable(file, &error)),
        }
    }

    /// Reads one.
    pub(super) async fn read(cx: &Context, file: &Path) -> Result<Self, Failure> {
        let name = file.display();
        let text = match Remote::of(file)? {
            Some(remote) => remote.read(cx).await?,
            None => fs_err::read(file).map_err(|error| unreadable(file, &reason(&error)))?,
        };
        let version = serde_json::from_slice::<Version>(&text).map(|version| version.format);
        let why = match (version, serde_json::from_slice::<Self>(&text)) {
            (Ok(FORMAT), Ok(saved)) => return Ok(saved),
            (Ok(FORMAT), Err(_)) => "it is damaged, or of another version of ecsctl",
            (Ok(_), _) => "another version of ecsctl has written it",
            (Err(_), _) => "it is something else, or damaged",
        };
        let title = format!("`{name}` is no plan that can be applied: {why}");
        let hint = "make it anew with `ecsctl plan --out FILE`";
        Err(refused(Diagnostic::error("E0404", title).hint(hint)))
    }

    /// Fails if the world has moved so that other things would have to be done now.
    pub(super) fn require_same(&self, now: &Plan) -> Result<(), Failure> {
        if now.account != self.plan.account {
            let (then, now) = (&self.plan.account, &now.account);
            let title = format!("the plan was made for account {then}, and this is {now}");
            let hint = "choose the profile of that account, or plan again";
            return Err(refused(Diagnostic::error("E0405", title).hint(hint)));
        }
        let differ = |a: &Plan, b: &Plan| -> Vec<Address> {
            let missing = a.steps.iter().filter(|step| !b.steps.iter().any(|it| same(it, step)));
            missing.map(|step| step.address.clone()).collect()
        };
        let moved: BTreeSet<Address> =
            differ(now, &self.plan).into_iter().chain(differ(&self.plan, now)).collect();
        let names: Vec<String> = moved.iter().map(ToString::to_string).collect();
        let what = match names.as_slice() {
            [] => return Ok(()),
            _ if now.is_empty() => "nothing is left to do".to_owned(),
            [one] => format!("{one} would differ now"),
            many => format!("{} resources would differ now: {}", many.len(), listed(many, FEW)),
        };
        let title = format!("the plan is out of date: {what}");
        Err(refused(Diagnostic::error("E0406", title).hint("plan again")))
    }
}

/// A plan in a bucket: `s3://BUCKET/KEY`.
struct Remote {
    bucket: String,
    key: String,
}

impl Remote {
    /// The place, if the name is one of a bucket.
    fn of(file: &Path) -> Result<Option<Self>, Failure> {
        let Some(name) = file.to_str().filter(|name| name.starts_with("s3://")) else {
            return Ok(None);
        };
        match spec::place(name).map_err(Failure::Usage)? {
            (_, "") => Err(Failure::Usage(format!("`{name}` names a bucket and no plan in it"))),
            (bucket, key) => Ok(Some(Self { bucket: bucket.to_owned(), key: key.to_owned() })),
        }
    }

    async fn write(&self, cx: &Context, region: &str, text: Vec<u8>) -> Result<(), Failure> {
        let bucket = connect(cx, region, Cache::in_memory()).await?.bucket(&self.bucket, "");
        let failed = |error| Failure::store(&cx.options.state, error);
        bucket.put(&self.key, text).await.map_err(failed)
    }

    /// The region of the stack is not known yet: that of the options or of the profile has the bucket.
    async fn read(&self, cx: &Context) -> Result<Vec<u8>, Failure> {
        let region = cx.options.region.clone().unwrap_or_default();
        let bucket = connect(cx, &region, Cache::in_memory()).await?.bucket(&self.bucket, "");
        let failed = |error| Failure::store(&cx.options.state, error);
        let found = bucket.get(&self.key).await.map_err(failed)?;
        let name = format!("s3://{}/{}", self.bucket, self.key);
        found.map(|found| found.body).ok_or_else(|| unreadable(Path::new(&name), "there is none"))
    }
}

fn unreadable(file: &Path, why: &str) -> Failure {
    let title = format!("the plan `{}` cannot be read: {why}", file.display());
    let hint = "name a file that `ecsctl plan --out FILE` has written";
    Failure::told(Exit::Failed, Diagnostic::error("E0403", title).hint(hint))
}

fn refused(diagnostic: Diagnostic) -> Failure {
    Failure::told(Exit::Refused, diagnostic)
}

/// Whether two steps do the same, wherever they stand.
fn same(a: &Step, b: &Step) -> bool {
    a.address == b.address && a.action == b.action && a.spec == b.spec && a.edits == b.edits
}
