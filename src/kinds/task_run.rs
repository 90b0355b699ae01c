//! `task-run`: a task that has to succeed before a service gets another revision.
//!
//! It is a deed, and nothing of it stays. It is done for what its service serves; so it is due whenever the
//! service is about to serve something else. What an earlier run has started or finished for the same
//! revision is found by the name that it was started by, for as long as ECS remembers tasks (an hour).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::service::Network;
use super::types::capacity;
use super::types::outputs::Id as Outputs;
use crate::address::Address;
use crate::cloud::aws::ecs::short;
use crate::cloud::aws::{Aws, task};
use crate::kind::{
    About, After, Awaits, Check, Condition, Cx, End, Error, How, Kind, Live, Made, Observed, Order,
    Overrides, Ready, Remains, Result, RolloutFailure, Sought, Strategy, Stream, TAG_ENV, TAG_ID,
    TAG_STACK, TagChange, Tags, Task, Unit, Wanted,
};
use crate::value::Value;

/// A task that has to succeed before a service gets another revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TaskRun {
    /// The service that waits for it, by its name in the spec.
    pub service: String,
    /// The ARN of the revision that the service is to get.
    #[schemars(extend("examples" = ["${task-definition.web.arn}"]))]
    pub before: String,
    /// The family of the task that runs. Its newest revision is meant.
    #[schemars(extend("examples" = ["${task-definition.migrate.family}"]))]
    pub family: String,
    /// The container whose exit code counts.
    pub container: String,
    /// The cluster's ARN.
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: String,
    /// The capacity providers that may run it; left out, Fargate does.
    #[serde(default)]
    pub capacity_provider_strategy: Strategy,
    /// Where the task's interface is, for task definitions with `awsvpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Seconds after which it is stopped and has failed, at most 21600.
    #[serde(default = "an_hour")]
    pub timeout: u32,
    /// Where its output lies: of one that failed the last lines are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
}

/// Where the output of a task lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// The log group.
    pub group: String,
    /// What the streams' names begin with.
    pub prefix: String,
}

fn an_hour() -> u32 {
    3600
}

/// The longest that a rollout may be held up.
const LONGEST: u32 = 21_600;

/// How many of the last lines of output are told of a task that failed.
const LINES: usize = 5;

/// Seconds for which ECS remembers a task that has stopped, less some: RunTask remembers its tokens for
/// longer, and answers with a task that nobody can ask for any more.
const REMEMBERED: i64 = 50 * 60;

impl Kind for TaskRun {
    const NAME: &'static str = "task-run";
    const ABOUT: About = About {
        seconds: 45,
        // More than the longest timeout, which is what ends a wait.
        deadline: Duration::from_secs(LONGEST as u64 + 1800),
        // What it is done for, and all that it mentions.
        observed_after: &["service", "task-definition"],
        awaits: &[
            Awaits { of: &["security-group"], by: &["security-group-rule"] },
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["vpc-endpoint"] },
        ],
        remains: Remains::Nothing,
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check.within("E0298", "timeout", (Some(self.timeout), Unit::Seconds), 1..=LONGEST);
        capacity::check(&self.capacity_provider_strategy, "capacity-provider-strategy", check);
    }

    async fn observe(_aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        Ok(sought.wanted.iter().filter_map(|wanted| done(wanted, sought)).collect())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.run(cx).await
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.run(cx).await
    }

    async fn delete(_was: &Self, _cx: &Cx<'_>) -> Result<()> {
        Ok(())
    }

    async fn tag(_cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        Ok(())
    }

    async fn ready(cx: &Cx<'_>, _after: After) -> Result<Ready> {
        let followed = cx.watch.and_then(|watch| serde_json::from_str::<Watch>(watch).ok());
        let Some(watch) = followed else { return Ok(Ready::Yes) };
        let Some(task) = task::look(cx.aws, &watch.task, &watch.run.container).await? else {
            return Ok(wait("not visible yet".to_owned()));
        };
        match &task.end {
            Some(end) if end.is_good() => Ok(Ready::Yes),
            Some(end) => Err(watch.failed(cx, end).await),
            None if now() - task.created > i64::from(watch.run.timeout) => {
                task::stop(cx.aws, &watch.task, "ecsctl: it took longer than its timeout").await?;
                let why = format!("it took longer than {} s and was stopped", watch.run.timeout);
                let end = End { how: How::Stopped, code: None, why };
                Err(watch.failed(cx, &end).await)
            }
            None => Ok(wait(format!("task {} is {}", short(&task.arn), task.status))),
        }
    }
}

/// What is followed. Kept as text in the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Watch {
    /// The task's ARN.
    task: String,
    /// What it was started for.
    run: TaskRun,
}

impl TaskRun {
    /// Starts the task, unless it was started for the same revision and has not failed.
    async fn run(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let mark = mark(cx, &self.before);
        let earlier = task::started_by(cx.aws, &self.cluster, &self.family, &mark).await?;
        let earlier: Vec<Task> =
            earlier.iter().map(|found| task::read(found, &self.container)).collect();
        let counts = |found: &&Task| found.end.as_ref().is_none_or(End::is_good);
        let arn = match earlier.iter().find(counts) {
            Some(found) => found.arn.clone(),
            None => self.start(cx, mark, &earlier).await?,
        };
        let id = cx.address.to_string();
        let watch = Watch { task: arn, run: self.clone() };
        let watch = serde_json::to_string(&watch).ok();
        Ok(Made { watch, ..Made::new(&id, Outputs::of(&id)) })
    }

    /// RunTask. The token says for which revision, and after which failures: an attempt whose reply was
    /// lost, in this run or in one that crashed, is answered with the task that it started.
    async fn start(&self, cx: &Cx<'_>, mark: String, failed: &[Task]) -> Result<String> {
        let mut before: Vec<&str> = failed.iter().map(|task| task.arn.as_str()).collect();
        before.sort_unstable();
        let network = self.network.as_ref();
        let mut order = Order {
            cluster: self.cluster.clone(),
            task_definition: self.family.clone(),
            strategy: self.capacity_provider_strategy.clone(),
            subnets: network.iter().flat_map(|it| it.subnets.clone()).collect(),
            security_groups: network.iter().flat_map(|it| it.security_groups.clone()).collect(),
            has_public_address: network.is_some_and(|it| it.assign_public_ip),
            token: digest(&format!("{mark} {}", before.join(" "))),
            started_by: mark,
            overrides: Overrides::default(),
        };
        let mut task = task::start(cx.aws, &order).await?;
        if task.created_at().is_some_and(|created| now() - created.secs() > REMEMBERED) {
            order.token = digest(&format!("{} {:?}", order.token, task.task_arn()));
            task = task::start(cx.aws, &order).await?;
        }
        task.task_arn.ok_or_else(|| Error::incomplete("the task's ARN"))
    }
}

impl Watch {
    /// The rollout does not happen. What the task said last is told; that it cannot be read is no news.
    async fn failed(&self, cx: &Cx<'_>, end: &End) -> Error {
        let name = &cx.address.name;
        let reason = match (end.how, end.code) {
            (How::Exited, Some(code)) => format!("the task `{name}` before it exited with {code}"),
            (How::NeverStarted, _) => format!("the task `{name}` before it did not start"),
            _ => format!("the task `{name}` before it was stopped"),
        };
        let mut evidence = vec![end.why.clone()];
        evidence.extend(self.last_lines(cx.aws).await.unwrap_or_default());
        let serving = serving(cx, &self.run.service).await;
        let requested = short(&self.run.before).to_owned();
        Error::rollout(RolloutFailure { requested, serving, rolled_back: false, reason, evidence })
            .hinted("mend what it ran into, and apply again: the service was left as it is")
    }

    async fn last_lines(&self, aws: &Aws) -> Option<Vec<String>> {
        let log = self.run.log.as_ref()?;
        let name = format!("{}/{}/{}", log.prefix, self.run.container, short(&self.task));
        let stream = Stream { group: log.group.clone(), name };
        let mut lines = task::lines(aws, &stream, None).await.ok()?.lines;
        Some(lines.split_off(lines.len().saturating_sub(LINES)))
    }
}

/// What the service serves meanwhile, if that can be found out.
async fn serving(cx: &Cx<'_>, service: &str) -> Option<String> {
    let owned = cx.aws.owned(cx.stack).await.ok()?;
    let id = Address::new("service", service).to_string();
    let is_it = |arn: &&str| owned.tags(arn).is_some_and(|tags| tags.get(TAG_ID) == Some(&id));
    let arn = owned.arns("ecs", "service/").find(is_it)?;
    let service = cx.aws.services.get(arn).await.ok()??;
    service.task_definition().map(|arn| short(arn).to_owned())
}

/// All that are wanted, as they were done last. Nothing of it needs a look at AWS.
pub fn lives(sought: &Sought<'_>) -> Vec<Live> {
    let live = |wanted: &Wanted<'_>| {
        let Observed { id, live, outputs, tags, condition, .. } = done(wanted, sought)?;
        Some(Live {
            kind: TaskRun::NAME.to_owned(),
            address: Some(wanted.address.clone()),
            id,
            spec: Value::plain(serde_json::to_value(live).ok()?),
            outputs: BTreeMap::from([("id".to_owned(), outputs.id)]),
            tags,
            condition,
            earlier: BTreeMap::new(),
        })
    };
    sought.wanted.iter().filter_map(live).collect()
}

/// As it was done last: for what the service serves now. `None` where there is no service: it is still to
/// be done.
fn done(wanted: &Wanted<'_>, sought: &Sought<'_>) -> Option<Observed<TaskRun>> {
    let name = wanted.spec.text("service")?;
    let is_it = |live: &&&Live| {
        let is_named = live.address.as_ref().is_some_and(|address| address.name == name);
        live.kind == "service"
            && is_named
            && sought.is_ours(&live.tags)
            && !matches!(live.condition, Condition::Leaving(_))
    };
    let service = sought.before.iter().find(is_it)?;
    let before = service.spec.text("task-definition").unwrap_or_default();
    let mut spec: TaskRun = serde_json::from_value(wanted.spec.to_source()).ok()?;
    before.clone_into(&mut spec.before);
    let id = wanted.address.to_string();
    let marks = [(TAG_STACK, &sought.stack.stack), (TAG_ENV, &sought.stack.env), (TAG_ID, &id)];
    let tags: Tags = marks.into_iter().map(|(key, mark)| (key.to_owned(), mark.clone())).collect();
    Some(Observed {
        earlier: Vec::new(),
        id: id.clone(),
        live: spec,
        outputs: Outputs::of(&id),
        tags,
        condition: Condition::Ready,
    })
}

/// What the tasks of one address for one revision are started by. RunTask takes letters, digits, `-`, `/`
/// and `_`.
fn mark(cx: &Cx<'_>, before: &str) -> String {
    format!("ecsctl/{}", digest(&format!("{} {} {before}", cx.stack.prefix(), cx.address)))
}

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// AWS tells when a task was ordered; how long ago that is, only a clock of ours can tell.
fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a look at a task is a look at the clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn wait(why: String) -> Ready {
    Ready::NotYet { why, look_again: Duration::from_secs(3) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn it_reads_back_and_is_bounded() {
        let spec = |timeout: u32| {
            json!({
                "service": "web", "before": "arn:t:2", "family": "shop-prod-migrate",
                "container": "api", "cluster": "arn:c", "network": { "subnets": ["subnet-1"] },
                "timeout": timeout,
            })
        };
        reads_back::<TaskRun>(spec(600));
        assert_eq!(flaws::<TaskRun>(spec(600)), "");
        insta::assert_snapshot!(flaws::<TaskRun>(spec(86_400)), @"E0298 timeout: `timeout` is at most 6h (21600 s)");
    }
}
