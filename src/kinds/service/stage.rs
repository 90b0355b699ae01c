//! What a deployment that moves requests is about, in words. Of its tasks more is said in `rollout`.

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::{
    DeploymentStrategy as Strategy, ServiceDeploymentLifecycleStage as Stage,
    ServiceDeploymentStatus as Status,
};

use super::course::{said, time};
use super::pause::held;

/// `paused at post-test-traffic: ecsctl continue web`, `canary: 10 % of the requests for 5m`. `None` when
/// it is not under way, or when all there is to say is how many tasks run.
pub(super) fn stage(record: &sdk::ServiceDeployment, name: &str) -> Option<String> {
    let configuration = record.deployment_configuration()?;
    let strategy = configuration.strategy().filter(|it| **it != Strategy::Rolling)?;
    if record.status() != Some(&Status::InProgress) {
        return None;
    }
    if let Some((stage, _)) = held(record) {
        return Some(format!("paused at {}: `ecsctl continue {name}`", said(stage)));
    }
    let target = record.target_service_revision();
    let share = target.and_then(|target| target.requested_production_traffic_weight());
    Some(match (record.lifecycle_stage()?, share) {
        (Stage::ScaleUp, _) => return None,
        (Stage::ProductionTrafficShift, Some(share)) if share > 0.0 && share < 100.0 => {
            let (word, minutes) = match strategy {
                Strategy::Canary => {
                    let canary = configuration.canary_configuration();
                    ("canary", canary.and_then(|it| it.canary_bake_time_in_minutes()))
                }
                _ => {
                    let linear = configuration.linear_configuration();
                    ("linear", linear.and_then(|it| it.step_bake_time_in_minutes()))
                }
            };
            format!("{word}: {share} % of the requests{}", lasting(minutes))
        }
        (Stage::BakeTime, _) => {
            format!("bake: all requests{}", lasting(configuration.bake_time_in_minutes()))
        }
        (stage, _) => said(stage.as_str()),
    })
}

fn lasting(minutes: Option<i32>) -> String {
    match minutes.and_then(|minutes| u64::try_from(minutes).ok()) {
        None | Some(0) => String::new(),
        Some(minutes) => format!(" for {}", time(minutes)),
    }
}
