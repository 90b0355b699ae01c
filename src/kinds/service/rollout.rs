//! Following one deployment to its end (B15, N5).
//!
//! A service that is stable is no sign of success: it is stable after a rollback, too. So the wait is
//! for *that* deployment which the change started, by its number, and the verdict is whether the
//! revision that was asked for serves. Nothing here stops a deployment (B16).

use std::time::Duration;

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::{DeploymentRolloutState as State, ServiceDeploymentStatus as Status};
use serde::{Deserialize, Serialize};

use super::api::{draining, primary, serving};
use super::stage::stage;
use crate::cloud::aws::Aws;
use crate::cloud::aws::ecs::{place, short};
use crate::cloud::aws::task::explain;
use crate::kind::{Class, Cx, Error, Ready, Result, RolloutFailure, STAGE};

/// The deployment that is followed. Kept as text in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Watch {
    /// `ecs-svc/<number>`.
    pub(super) deployment: String,
    /// The revision that was asked for.
    pub(super) task_definition: String,
    /// Whether it was there before: then it may have come to its end long ago, and what is waited for is
    /// that as many tasks run as are wanted.
    #[serde(default)]
    pub(super) is_earlier: bool,
}

impl Watch {
    /// The primary deployment of a service that was just created or rolled, as text.
    pub(super) fn started(service: &sdk::Service) -> Option<String> {
        serde_json::to_string(&Self::of(service)?).ok()
    }

    /// The primary deployment of a service that was changed or found, as text.
    pub(super) fn earlier(service: &sdk::Service) -> Option<String> {
        let watch = Self { is_earlier: true, ..Self::of(service)? };
        serde_json::to_string(&watch).ok()
    }

    fn of(service: &sdk::Service) -> Option<Self> {
        let primary = primary(service)?;
        Some(Self {
            deployment: primary.id()?.to_owned(),
            task_definition: primary.task_definition()?.to_owned(),
            is_earlier: false,
        })
    }

    /// The number that the deployment shares with its service revision.
    fn number(&self) -> &str {
        short(&self.deployment)
    }
}

/// How a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The revision that was asked for serves.
    Serves,
    /// On the way: says how far.
    Waiting(String),
    /// It will not serve.
    Lost {
        /// Whether ECS has put the earlier revision back.
        rolled_back: bool,
        /// The reason that ECS gives.
        reason: String,
    },
}

/// Begins to follow what an interrupted run left behind: the deployment that is to bring the revision
/// `wanted`. From here on it is that one and no other, so that a rollback is not taken for an end.
pub(super) async fn follow(cx: &Cx<'_>, wanted: &str) -> Result<Option<String>> {
    let Some(service) = cx.aws.services.get(cx.id).await? else { return Ok(None) };
    match primary(&service).and_then(sdk::Deployment::task_definition) {
        Some(other) if other != wanted => Err(Error::rollout(RolloutFailure {
            requested: short(wanted).to_owned(),
            serving: Some(short(serving(&service)).to_owned()).filter(|name| !name.is_empty()),
            rolled_back: true,
            reason: format!("{} took its place since the plan was made", short(other)),
            evidence: Vec::new(),
        })),
        _ => Ok(Watch::earlier(&service)),
    }
}

/// Looks once how far the deployment is that is followed.
pub(super) async fn ready(cx: &Cx<'_>) -> Result<Ready> {
    let Some(service) = cx.aws.services.get(cx.id).await? else {
        return Ok(wait("not visible yet".to_owned(), 1));
    };
    if let Some(status @ ("INACTIVE" | "DRAINING")) = service.status() {
        let message = format!("the service is {status}: it was deleted meanwhile");
        return Err(Error::new(Class::Other, message));
    }
    let followed = cx.watch.and_then(|watch| serde_json::from_str::<Watch>(watch).ok());
    let Some(watch) = followed.or_else(|| Watch::of(&service)) else {
        return Ok(wait("no deployment yet".to_owned(), 1));
    };
    let (service, record, verdict) = verdict(cx, service, &watch).await?;
    match verdict {
        // A change of the count alone starts no deployment; the tasks are what is waited for.
        Verdict::Serves
            if watch.is_earlier && service.running_count() != service.desired_count() =>
        {
            Ok(wait(progress(&service), 2))
        }
        Verdict::Serves => Ok(Ready::Yes),
        Verdict::Waiting(why) => {
            let stage = record.and_then(|record| stage(&record, &cx.address.name));
            let why = stage.map_or_else(|| why.clone(), |stage| format!("{stage}{STAGE}{why}"));
            let all_run = service.running_count() == service.desired_count();
            Ok(wait(why, if all_run { 2 } else { 5 }))
        }
        Verdict::Lost { rolled_back, reason } => {
            let evidence = evidence(cx.aws, cx.id, &service, &watch).await;
            Err(Error::rollout(RolloutFailure {
                requested: short(&watch.task_definition).to_owned(),
                serving: Some(short(serving(&service)).to_owned()).filter(|name| !name.is_empty()),
                rolled_back,
                reason,
                evidence,
            }))
        }
    }
}

/// The verdict. A bad one is looked at twice: the record may be newer than the service as it was
/// read, and what is said about a failure must be of one moment.
async fn verdict(
    cx: &Cx<'_>,
    service: sdk::Service,
    watch: &Watch,
) -> Result<(sdk::Service, Option<sdk::ServiceDeployment>, Verdict)> {
    let record = record(cx.aws, &service, watch).await?;
    let verdict = judge(watch, &service, record.as_ref());
    if !matches!(verdict, Verdict::Lost { .. }) {
        return Ok((service, record, verdict));
    }
    let service = cx.aws.services.get(cx.id).await?.unwrap_or(service);
    let verdict = judge(watch, &service, record.as_ref());
    Ok((service, record, verdict))
}

/// Looks once whether a deleted service is gone: INACTIVE, or not even that any more (B25).
pub(super) async fn gone(cx: &Cx<'_>) -> Result<Ready> {
    match cx.aws.services.get(cx.id).await? {
        Some(service) if service.status() != Some("INACTIVE") => Ok(wait(draining(&service), 2)),
        _ => Ok(Ready::Yes),
    }
}

fn wait(why: String, seconds: u64) -> Ready {
    Ready::NotYet { why, look_again: Duration::from_secs(seconds) }
}

/// ECS's record of the deployment that is followed. The service names the record of its newest one;
/// only when that is another is there a listing, and then the end is near.
async fn record(
    aws: &Aws,
    service: &sdk::Service,
    watch: &Watch,
) -> Result<Option<sdk::ServiceDeployment>> {
    if let Some(arn) = service.current_service_deployment()
        && let Some(record) = aws.deployments.get(arn).await?
        && is_of(record.target_service_revision().and_then(|revision| revision.arn()), watch)
    {
        return Ok(Some(record));
    }
    let ours = service.deployments().iter().find(|found| found.id() == Some(&watch.deployment));
    let unfinished = ours.is_some_and(|deployment| {
        deployment.status() == Some("PRIMARY") && deployment.rollout_state() != Some(&State::Failed)
    });
    if unfinished {
        return Ok(None);
    }
    let listed = records(aws, service).await?;
    let mut ours = listed.iter().filter(|one| is_of(one.target_service_revision_arn(), watch));
    match ours.next().and_then(|brief| brief.service_deployment_arn()) {
        Some(arn) => aws.deployments.get(arn).await,
        None => Ok(None),
    }
}

/// ListServiceDeployments: a service's deployments of which ECS keeps a record.
pub(super) async fn records(
    aws: &Aws,
    service: &sdk::Service,
) -> Result<Vec<sdk::ServiceDeploymentBrief>> {
    let Some((cluster, _)) = service.service_arn().and_then(place) else { return Ok(Vec::new()) };
    let call = aws.ecs.list_service_deployments().cluster(cluster);
    let listed = call.set_service(service.service_arn().map(str::to_owned)).send().await?;
    Ok(listed.service_deployments.unwrap_or_default())
}

/// Whether a service revision's ARN ends with the deployment's number.
fn is_of(revision: Option<&str>, watch: &Watch) -> bool {
    revision.is_some_and(|arn| short(arn) == watch.number())
}

/// How the deployment stands, from the service as it is and ECS's record of the deployment.
pub(super) fn judge(
    watch: &Watch,
    service: &sdk::Service,
    record: Option<&sdk::ServiceDeployment>,
) -> Verdict {
    let ours = service.deployments().iter().find(|found| found.id() == Some(&watch.deployment));
    let is_primary = ours.is_some_and(|ours| ours.status() == Some("PRIMARY"));
    let state = ours.and_then(|deployment| deployment.rollout_state());
    let why = || reason(ours, record);
    match record.and_then(|record| record.status()) {
        Some(Status::Successful) => return Verdict::Serves,
        Some(Status::RollbackSuccessful) => {
            return Verdict::Lost { rolled_back: true, reason: why() };
        }
        Some(Status::RollbackFailed) => return Verdict::Lost { rolled_back: false, reason: why() },
        Some(Status::RollbackRequested | Status::RollbackInProgress) => {
            return Verdict::Waiting(format!("failed, being rolled back: {}", why()));
        }
        Some(Status::StopRequested) => return Verdict::Waiting("being stopped".to_owned()),
        Some(Status::Stopped) if is_primary => {
            return Verdict::Lost { rolled_back: false, reason: why() };
        }
        // Stopped and not primary: another deployment has taken over, and its end counts.
        _ => {}
    }
    if !is_primary {
        return successor(watch, service, &why());
    }
    match state {
        Some(State::Completed) => Verdict::Serves,
        Some(State::Failed) if may_roll_back(service) => {
            Verdict::Waiting(format!("failed, a rollback is awaited: {}", why()))
        }
        Some(State::Failed) => Verdict::Lost { rolled_back: false, reason: why() },
        // Only rolling deployments have a state; others have a record, and it says that they go on.
        None if record.is_none() && is_stable(service) => Verdict::Serves,
        _ => Verdict::Waiting(format!("{}{}", progress(service), failures(ours, record))),
    }
}

/// Whether there is something to put back, and something that does: the circuit breaker, an alarm, or a
/// deployment that moves requests.
fn may_roll_back(service: &sdk::Service) -> bool {
    let Some(configuration) = service.deployment_configuration() else { return false };
    let breaker = configuration.deployment_circuit_breaker();
    let alarms = configuration.alarms();
    let moves = configuration.strategy().is_some_and(|it| *it != sdk::DeploymentStrategy::Rolling);
    let does = breaker.is_some_and(|breaker| breaker.enable() && breaker.rollback())
        || alarms.is_some_and(|alarms| alarms.enable() && alarms.rollback())
        || moves;
    does && service.deployments().len() > 1
}

/// Another deployment is primary: a rollback, or somebody's later change. If it brings the very
/// revision that was asked for, it is as good.
fn successor(watch: &Watch, service: &sdk::Service, why: &str) -> Verdict {
    let Some(primary) = primary(service) else {
        return Verdict::Waiting("no deployment yet".to_owned());
    };
    let same = primary.task_definition() == Some(&watch.task_definition);
    let id = primary.id().unwrap_or("another one");
    match primary.rollout_state() {
        Some(State::Completed) if same => Verdict::Serves,
        Some(State::InProgress) | None if !is_stable(service) => {
            Verdict::Waiting(format!("superseded by deployment {id}: {}", progress(service)))
        }
        None if same => Verdict::Serves,
        _ => {
            let ours =
                service.deployments().iter().find(|found| found.id() == Some(&watch.deployment));
            let failed = ours.and_then(|ours| ours.rollout_state()) == Some(&State::Failed);
            let rolled_back = failed && may_roll_back(service);
            let reason = match why {
                "" => format!("superseded by deployment {id}"),
                why => why.to_owned(),
            };
            Verdict::Lost { rolled_back, reason }
        }
    }
}

fn is_stable(service: &sdk::Service) -> bool {
    service.deployments().len() == 1 && service.running_count() == service.desired_count()
}

/// The reason that ECS gives, the most telling first.
fn reason(ours: Option<&sdk::Deployment>, record: Option<&sdk::ServiceDeployment>) -> String {
    let state = ours.filter(|ours| ours.rollout_state() == Some(&State::Failed));
    let state = state.and_then(|ours| ours.rollout_state_reason());
    let rollback = record.and_then(|record| record.rollback()).and_then(|back| back.reason());
    let status = record.and_then(|record| record.status_reason());
    state.or(rollback).or(status).unwrap_or_default().to_owned()
}

/// "2 of 4 tasks running, 1 pending (deployment ecs-svc/…)": of the primary deployment.
pub(super) fn progress(service: &sdk::Service) -> String {
    let Some(primary) = primary(service) else { return "no deployment yet".to_owned() };
    let desired = service.desired_count();
    let tasks = if desired == 1 { "task" } else { "tasks" };
    let mut text = format!("{} of {desired} {tasks} running", primary.running_count());
    if primary.pending_count() > 0 {
        text.push_str(&format!(", {} pending", primary.pending_count()));
    }
    let old = service.running_count() - primary.running_count();
    if old > 0 {
        text.push_str(&format!(", {old} of the earlier revision"));
    }
    match primary.id() {
        Some(id) => format!("{text} (deployment {id})"),
        None => text,
    }
}

/// How many tasks have failed, and how many may.
fn failures(ours: Option<&sdk::Deployment>, record: Option<&sdk::ServiceDeployment>) -> String {
    let failed = ours.map_or(0, |deployment| deployment.failed_tasks());
    let breaker = record.and_then(|record| record.deployment_circuit_breaker());
    match breaker.map(|breaker| breaker.threshold()) {
        _ if failed == 0 => String::new(),
        Some(most) if most > 0 => format!("; {failed} of at most {most} tasks failed"),
        _ => format!("; {failed} tasks failed"),
    }
}

/// How many facts of each sort are shown.
const FACTS: usize = 3;

/// What else is known: why tasks stopped, and the newest events. What cannot be read is left out: the
/// failure itself is the news.
async fn evidence(aws: &Aws, id: &str, service: &sdk::Service, watch: &Watch) -> Vec<String> {
    let tasks = stopped(aws, id).await.unwrap_or_default();
    let ours = |task: &&sdk::Task| {
        task.started_by() == Some(&watch.deployment)
            || task.task_definition_arn() == Some(&watch.task_definition)
    };
    let mut facts: Vec<String> = Vec::new();
    for fact in tasks.iter().filter(ours).map(explain) {
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    facts.truncate(FACTS);
    let since = service
        .deployments()
        .iter()
        .find(|found| found.id() == Some(&watch.deployment))
        .and_then(|deployment| deployment.created_at())
        .map(|moment| moment.as_secs_f64());
    let events = service.events().iter().filter(|event| {
        let at = event.created_at().map(|moment| moment.as_secs_f64());
        let recent = since.is_none_or(|since| at.is_none_or(|at| at >= since));
        recent && !event.message().is_some_and(is_routine)
    });
    facts.extend(events.take(FACTS).filter_map(|event| event.message().map(str::to_owned)));
    facts
}

/// Whether an event says only what every rollout does.
fn is_routine(message: &str) -> bool {
    ["has started", "has stopped", "registered", "has begun draining", "steady state"]
        .iter()
        .any(|words| message.contains(words))
}

/// ListTasks and DescribeTasks: tasks that have stopped. ECS remembers them for an hour.
async fn stopped(aws: &Aws, id: &str) -> Result<Vec<sdk::Task>> {
    let Some((cluster, name)) = place(id) else { return Ok(Vec::new()) };
    let call = aws.ecs.list_tasks().cluster(cluster).service_name(name);
    let call = call.desired_status(sdk::DesiredStatus::Stopped).max_results(100);
    let arns = call.send().await?.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let found = aws.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await?;
    let mut tasks = found.tasks.unwrap_or_default();
    let stopped_at = |task: &sdk::Task| task.stopped_at().map(|moment| moment.as_nanos());
    tasks.sort_by_key(|task| std::cmp::Reverse(stopped_at(task)));
    Ok(tasks)
}
