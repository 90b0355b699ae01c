//! Deployments that move requests from one revision to the next: in what steps, what is looked at
//! meanwhile, and between which target groups.
//!
//! Pages "Amazon ECS blue/green deployments", "Canary deployments", "Linear deployments", "Lifecycle hooks".

use std::collections::BTreeSet;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cloud::aws::numbers::{int, number};
use crate::kind::Result;
use crate::kinds::types::Number;
use crate::kinds::types::words::words;

/// What ECS moves requests with: the service's other target group, and the rules that it rewrites.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct Advanced {
    /// The ARN of the other target group. Which of the two has the tasks that serve changes with each
    /// deployment: that they have changed places is no difference.
    #[schemars(extend("examples" = ["${target-group.web-other.arn}"]))]
    pub alternate_target_group_arn: String,
    /// The ARN of the listener rule by which requests come: ECS moves its weights.
    #[schemars(extend("examples" = ["${listener-rule.web.arn}"]))]
    pub production_listener_rule: String,
    /// The ARN of the listener rule by which tests reach the new revision before anybody else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_listener_rule: Option<String>,
    /// The ARN of the role with which ECS changes the rules.
    #[schemars(extend("examples" = ["${role.web-traffic.arn}"]))]
    pub role_arn: String,
}

impl Advanced {
    pub(super) fn write(&self) -> sdk::AdvancedConfiguration {
        let Self {
            alternate_target_group_arn,
            production_listener_rule,
            test_listener_rule,
            role_arn,
        } = self;
        sdk::AdvancedConfiguration::builder()
            .alternate_target_group_arn(alternate_target_group_arn)
            .production_listener_rule(production_listener_rule)
            .set_test_listener_rule(test_listener_rule.clone())
            .role_arn(role_arn)
            .build()
    }

    pub(super) fn read(found: &sdk::AdvancedConfiguration) -> Option<Self> {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            alternate_target_group_arn: text(found.alternate_target_group_arn())?,
            production_listener_rule: text(found.production_listener_rule()).unwrap_or_default(),
            test_listener_rule: text(found.test_listener_rule()),
            role_arn: text(found.role_arn()).unwrap_or_default(),
        })
    }
}

/// A small part of the requests first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Canary {
    /// The part, in percent: 0.1 to 100.
    pub percent: Number,
    /// Minutes for which it is looked at before the rest follows, 0 to 1440.
    pub bake_time_in_minutes: u32,
}

impl Default for Canary {
    fn default() -> Self {
        Self { percent: Number(5.0), bake_time_in_minutes: 10 }
    }
}

impl Canary {
    pub(super) fn write(self) -> sdk::CanaryConfiguration {
        let Self { percent, bake_time_in_minutes } = self;
        sdk::CanaryConfiguration::builder()
            .canary_percent(percent.0)
            .canary_bake_time_in_minutes(int(bake_time_in_minutes))
            .build()
    }

    pub(super) fn read(found: &sdk::CanaryConfiguration) -> Self {
        let usual = Self::default();
        let minutes = found.canary_bake_time_in_minutes();
        Self {
            percent: found.canary_percent().map_or(usual.percent, Number),
            bake_time_in_minutes: minutes.map_or(usual.bake_time_in_minutes, number),
        }
    }
}

/// The requests in equal steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Linear {
    /// The part that each step moves, in percent: 3 to 100.
    pub step_percent: Number,
    /// Minutes between two steps, 0 to 1440.
    pub step_bake_time_in_minutes: u32,
}

impl Default for Linear {
    fn default() -> Self {
        Self { step_percent: Number(10.0), step_bake_time_in_minutes: 6 }
    }
}

impl Linear {
    pub(super) fn write(self) -> sdk::LinearConfiguration {
        let Self { step_percent, step_bake_time_in_minutes } = self;
        sdk::LinearConfiguration::builder()
            .step_percent(step_percent.0)
            .step_bake_time_in_minutes(int(step_bake_time_in_minutes))
            .build()
    }

    pub(super) fn read(found: &sdk::LinearConfiguration) -> Self {
        let usual = Self::default();
        let minutes = found.step_bake_time_in_minutes();
        Self {
            step_percent: found.step_percent().map_or(usual.step_percent, Number),
            step_bake_time_in_minutes: minutes.map_or(usual.step_bake_time_in_minutes, number),
        }
    }
}

/// What is asked at a stage of a deployment before it goes on: a function, or somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LifecycleHook {
    /// Who is asked.
    #[serde(default = "lambda")]
    pub target_type: HookTarget,
    /// The ARN of the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_target_arn: Option<String>,
    /// The ARN of the role with which ECS calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// At which stages.
    pub lifecycle_stages: BTreeSet<LifecycleStage>,
    /// What happens when nobody answers; AWS waits a day and rolls back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HookTimeout>,
}

fn lambda() -> HookTarget {
    HookTarget::Lambda
}

/// What happens when nobody answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HookTimeout {
    /// For how long an answer is waited for, 1 to 20160.
    pub timeout_in_minutes: u32,
    /// What is done then.
    pub action: HookAction,
}

impl Default for HookTimeout {
    fn default() -> Self {
        Self { timeout_in_minutes: A_DAY, action: HookAction::Rollback }
    }
}

/// How long ECS waits for a hook unless it is told otherwise, in minutes.
pub(super) const A_DAY: u32 = 24 * 60;

words! {
    /// Who is asked.
    HookTarget as "a target of hooks" {
        /// A function.
        Lambda = "AWS_LAMBDA",
        /// Whoever calls ContinueServiceDeployment.
        Pause = "PAUSE",
    }
}

words! {
    /// What is done when nobody answers.
    HookAction as "an action of hooks" {
        /// The earlier revision is put back.
        Rollback = "ROLLBACK",
        /// The deployment goes on.
        Continue = "CONTINUE",
    }
}

words! {
    /// A stage of a deployment at which it can be held.
    LifecycleStage as "a stage of deployments" {
        /// Another deployment was under way.
        ReconcileService = "RECONCILE_SERVICE",
        /// No new task has started.
        PreScaleUp = "PRE_SCALE_UP",
        /// All new tasks run.
        PostScaleUp = "POST_SCALE_UP",
        /// Tests are led to them.
        TestTrafficShift = "TEST_TRAFFIC_SHIFT",
        /// Tests reach them.
        PostTestTrafficShift = "POST_TEST_TRAFFIC_SHIFT",
        /// Requests are about to be led to them.
        PreProductionTrafficShift = "PRE_PRODUCTION_TRAFFIC_SHIFT",
        /// Requests are led to them.
        ProductionTrafficShift = "PRODUCTION_TRAFFIC_SHIFT",
        /// All requests reach them.
        PostProductionTrafficShift = "POST_PRODUCTION_TRAFFIC_SHIFT",
    }
}

impl LifecycleHook {
    pub(super) fn write(&self) -> sdk::DeploymentLifecycleHook {
        let Self { target_type, hook_target_arn, role_arn, lifecycle_stages, timeout } = self;
        let stages = lifecycle_stages.iter().map(|stage| stage.word().into()).collect();
        sdk::DeploymentLifecycleHook::builder()
            .target_type(target_type.word().into())
            .set_hook_target_arn(hook_target_arn.clone())
            .set_role_arn(role_arn.clone())
            .set_lifecycle_stages(Some(stages))
            .set_timeout_configuration(timeout.map(HookTimeout::write))
            .build()
    }

    pub(super) fn read(found: &sdk::DeploymentLifecycleHook) -> Result<Self> {
        let target = found.target_type().map_or(Ok(lambda()), |it| HookTarget::read(it.as_str()));
        let stages = found.lifecycle_stages().iter();
        let timeout = found.timeout_configuration().map(HookTimeout::read);
        Ok(Self {
            target_type: target?,
            hook_target_arn: found.hook_target_arn().map(str::to_owned),
            role_arn: found.role_arn().map(str::to_owned),
            lifecycle_stages: stages
                .map(|stage| LifecycleStage::read(stage.as_str()))
                .collect::<Result<_>>()?,
            timeout: timeout.transpose()?,
        })
    }
}

impl HookTimeout {
    fn write(self) -> sdk::DeploymentLifecycleHookTimeoutConfiguration {
        let Self { timeout_in_minutes, action } = self;
        sdk::DeploymentLifecycleHookTimeoutConfiguration::builder()
            .timeout_in_minutes(int(timeout_in_minutes))
            .action(action.word().into())
            .build()
    }

    fn read(found: &sdk::DeploymentLifecycleHookTimeoutConfiguration) -> Result<Self> {
        let usual = Self::default();
        let action = found.action().map(|action| HookAction::read(action.as_str()));
        Ok(Self {
            timeout_in_minutes: found.timeout_in_minutes().map_or(A_DAY, number),
            action: action.transpose()?.unwrap_or(usual.action),
        })
    }
}

/// Alarms of CloudWatch that end a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DeploymentAlarms {
    /// Their names.
    #[schemars(extend("examples" = [["${alarm.web-errors.name}"]]))]
    pub alarm_names: BTreeSet<String>,
    /// Whether they do.
    pub enable: bool,
    /// Whether the last revision that was rolled out whole is put back then.
    pub rollback: bool,
}

impl DeploymentAlarms {
    pub(super) fn write(&self) -> sdk::DeploymentAlarms {
        let Self { alarm_names, enable, rollback } = self;
        sdk::DeploymentAlarms::builder()
            .set_alarm_names(Some(alarm_names.iter().cloned().collect()))
            .enable(*enable)
            .rollback(*rollback)
            .build()
            .expect("the names are set")
    }

    pub(super) fn read(found: &sdk::DeploymentAlarms) -> Self {
        Self {
            alarm_names: found.alarm_names().iter().cloned().collect(),
            enable: found.enable(),
            rollback: found.rollback(),
        }
    }
}
