//! How services do: DescribeServices, and ECS's records of their newest deployments.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::{DeploymentRolloutState as State, ServiceDeploymentStatus as Status};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures::future::try_join_all;

use super::api::{primary, serving};
use super::pause;
use super::rollout::records;
use crate::cloud::aws::ecs::short;
use crate::cloud::aws::{Aws, batched, concurrently};
use crate::kind::{Deployment, Error, Health, Result, Stage};

/// Revisions that DescribeServiceRevisions takes in a call.
const REVISIONS: usize = 20;

/// How the services with these ARNs do: ten services or twenty revisions a call, and a listing each.
pub async fn of(aws: &Aws, arns: &[String]) -> Result<BTreeMap<String, Health>> {
    let services = try_join_all(arns.iter().map(|arn| aws.services.get(arn))).await?;
    let services: Vec<sdk::Service> = services.into_iter().flatten().collect();
    let records = concurrently(&services, |service| newest(aws, service)).await?;
    let target = |record: &sdk::ServiceDeploymentBrief| {
        record.target_service_revision_arn().map(str::to_owned)
    };
    let targets: Vec<String> = records.iter().flatten().filter_map(target).collect();
    let requested = task_definitions(aws, &targets).await?;
    let each = services.iter().zip(&records).filter_map(|(service, record)| {
        let requested = record.as_ref().and_then(target).and_then(|arn| requested.get(&arn));
        let arn = service.service_arn()?.to_owned();
        Some((arn, health(service, record.as_ref(), requested.map(String::as_str))))
    });
    let mut found: BTreeMap<String, Health> = each.collect();
    let may_wait: Vec<&sdk::Service> = services.iter().filter(|one| moves_requests(one)).collect();
    let pauses = concurrently(&may_wait, |service| pause::at(aws, service)).await?;
    for (service, pause) in may_wait.into_iter().zip(pauses) {
        let health = service.service_arn().and_then(|arn| found.get_mut(arn));
        if let Some(deployment) = health.and_then(|health| health.deployment.as_mut()) {
            deployment.pause = pause.filter(|_| deployment.state == Stage::UnderWay);
        }
    }
    Ok(found)
}

/// Whether its deployments may wait for somebody.
fn moves_requests(service: &sdk::Service) -> bool {
    let strategy = service.deployment_configuration().and_then(|it| it.strategy());
    strategy.is_some_and(|strategy| *strategy != sdk::DeploymentStrategy::Rolling)
}

/// The record of the newest deployment. The service itself names one, too, but
/// after a rollback that is the one which was put back.
async fn newest(aws: &Aws, service: &sdk::Service) -> Result<Option<sdk::ServiceDeploymentBrief>> {
    let created =
        |record: &sdk::ServiceDeploymentBrief| record.created_at().map(DateTime::as_nanos);
    Ok(records(aws, service).await?.into_iter().max_by_key(created))
}

/// DescribeServiceRevisions: which task definitions service revisions run, by their ARNs.
async fn task_definitions(aws: &Aws, revisions: &[String]) -> Result<BTreeMap<String, String>> {
    let found = batched(revisions, REVISIONS, |arns| async {
        let call = aws.ecs.describe_service_revisions();
        let sent = call.set_service_revision_arns(Some(arns.to_vec())).send().await;
        Ok(sent.map_err(Error::from)?.service_revisions.unwrap_or_default())
    });
    let named = |found: sdk::ServiceRevision| {
        Some((found.service_revision_arn?, short(&found.task_definition?).to_owned()))
    };
    Ok(found.await?.into_iter().filter_map(named).collect())
}

/// How a service does. `requested` is the task definition that the deployment of the record was to
/// bring.
pub(super) fn health(
    service: &sdk::Service,
    record: Option<&sdk::ServiceDeploymentBrief>,
    requested: Option<&str>,
) -> Health {
    let number = |count: i32| u32::try_from(count).unwrap_or(0);
    let deployment = match (record, requested) {
        (Some(record), Some(requested)) => Some(recorded(service, record, requested)),
        _ => primary(service).map(|primary| unrecorded(service, primary)),
    };
    Health {
        desired: number(service.desired_count()),
        running: number(service.running_count()),
        pending: number(service.pending_count()),
        deployment,
    }
}

fn recorded(
    service: &sdk::Service,
    record: &sdk::ServiceDeploymentBrief,
    requested: &str,
) -> Deployment {
    let newest = primary(service);
    let has_failed = newest.is_some_and(|newest| newest.rollout_state() == Some(&State::Failed));
    let state = match record.status() {
        Some(Status::Successful) => Stage::Serves,
        Some(Status::RollbackSuccessful) => Stage::RolledBack,
        Some(Status::RollbackRequested | Status::RollbackInProgress) => Stage::RollingBack,
        Some(Status::RollbackFailed) => Stage::Failed,
        // When there is nothing to put back, the circuit breaker stops the deployment.
        _ if has_failed => Stage::Failed,
        Some(Status::Stopped | Status::StopRequested) => Stage::Stopped,
        _ => Stage::UnderWay,
    };
    let given_up = newest.filter(|_| has_failed).and_then(sdk::Deployment::rollout_state_reason);
    let reason = given_up.or(record.status_reason());
    Deployment {
        state,
        requested: requested.to_owned(),
        serving: now_serving(service),
        began: moment(record.started_at().or(record.created_at())),
        ended: moment(record.finished_at()),
        reason: reason.filter(|_| is_bad(state)).map(str::to_owned),
        pause: None,
    }
}

/// From the service alone, for deployments of which ECS keeps no record.
fn unrecorded(service: &sdk::Service, primary: &sdk::Deployment) -> Deployment {
    let state = match primary.rollout_state() {
        Some(State::Failed) => Stage::Failed,
        Some(State::InProgress) => Stage::UnderWay,
        None if service.deployments().len() > 1 => Stage::UnderWay,
        _ => Stage::Serves,
    };
    let ended = primary.updated_at().filter(|_| state != Stage::UnderWay);
    Deployment {
        state,
        requested: short(primary.task_definition().unwrap_or_default()).to_owned(),
        serving: now_serving(service),
        began: moment(primary.created_at()),
        ended: moment(ended),
        reason: primary.rollout_state_reason().filter(|_| is_bad(state)).map(str::to_owned),
        pause: None,
    }
}

/// Whether there is a reason worth telling: of what goes well ECS gives one, too.
fn is_bad(state: Stage) -> bool {
    match state {
        Stage::UnderWay | Stage::Serves => false,
        Stage::RollingBack | Stage::RolledBack | Stage::Failed | Stage::Stopped => true,
    }
}

/// The revision whose tasks serve: while a rollout is under way the earlier one, as long as tasks of it
/// run.
fn now_serving(service: &sdk::Service) -> Option<String> {
    let is_up = |deployment: &&sdk::Deployment| deployment.running_count() > 0;
    let under_way =
        primary(service).filter(|primary| primary.rollout_state() == Some(&State::InProgress));
    let arn = match under_way {
        Some(primary) => {
            let mut others =
                service.deployments().iter().filter(|other| other.id() != primary.id());
            let up = others.find(is_up).or(Some(primary).filter(is_up));
            up.and_then(sdk::Deployment::task_definition).unwrap_or_default()
        }
        None => serving(service),
    };
    Some(short(arn).to_owned()).filter(|name| !name.is_empty())
}

fn moment(moment: Option<&DateTime>) -> Option<String> {
    // Fractions of a second tell nobody anything.
    let whole = DateTime::from_secs(moment?.secs());
    whole.fmt(Format::DateTime).ok()
}
