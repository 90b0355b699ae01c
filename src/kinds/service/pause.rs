//! Deployments that wait for somebody: where they do, and the word that lets them go on or back.
//!
//! Page "ContinueServiceDeployment".

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::DeploymentLifecycleHookStatus as HookStatus;
use aws_smithy_types::date_time::Format;

use super::api::primary;
use super::course::said;
use crate::cloud::aws::Aws;
use crate::cloud::aws::ecs::short;
use crate::kind::{Onward, Pause, Result};

/// The pause at which the newest deployment of the service with this ARN waits, if it does.
pub async fn of(aws: &Aws, service: &str) -> Result<Option<Pause>> {
    match aws.services.get(service).await? {
        Some(service) => at(aws, &service).await,
        None => Ok(None),
    }
}

/// The same of a service as it was just read.
pub(super) async fn at(aws: &Aws, service: &sdk::Service) -> Result<Option<Pause>> {
    let Some(arn) = service.current_service_deployment() else { return Ok(None) };
    let Some(record) = aws.deployments.get(arn).await? else { return Ok(None) };
    let Some((stage, hook)) = held(&record) else { return Ok(None) };
    let until = hook.expires_at().and_then(|moment| moment.fmt(Format::DateTime).ok());
    let definition = primary(service).and_then(sdk::Deployment::task_definition);
    Ok(Some(Pause {
        deployment: arn.to_owned(),
        hook: hook.hook_id().unwrap_or_default().to_owned(),
        stage: said(stage),
        requested: short(definition.unwrap_or_default()).to_owned(),
        until,
    }))
}

/// ContinueServiceDeployment.
pub async fn end(aws: &Aws, pause: &Pause, onward: Onward) -> Result<()> {
    let action = match onward {
        Onward::Continue => sdk::DeploymentLifecycleHookAction::Continue,
        Onward::RollBack => sdk::DeploymentLifecycleHookAction::Rollback,
    };
    let call = aws.ecs.continue_service_deployment().service_deployment_arn(&pause.deployment);
    call.hook_id(&pause.hook).action(action).send().await?;
    Ok(())
}

/// The stage at which a deployment waits for somebody, and the hook that makes it wait.
pub(super) fn held(
    record: &sdk::ServiceDeployment,
) -> Option<(&str, &sdk::DeploymentLifecycleHookDetail)> {
    let waits = |hook: &&sdk::DeploymentLifecycleHookDetail| {
        hook.status() == Some(&HookStatus::AwaitingAction)
            && hook.target_type() == Some(&sdk::DeploymentLifecycleHookTargetType::Pause)
    };
    let hook = record.lifecycle_hook_details().iter().find(waits)?;
    Some((record.lifecycle_stage().map_or("", |stage| stage.as_str()), hook))
}
