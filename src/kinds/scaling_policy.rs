//! `scaling-policy`: when the task count of a scalable target changes, and by how much.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::types as sdk;
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalingPolicy as Description, ServiceNamespace,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scaling::Parts;
use super::types::Number;
use super::types::metric::{self, Dimensions, Queries, Statistic};
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, Check, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming, Observed,
    Remains, Result, Sought, TagChange, Unit,
};

/// A policy of a scalable target. It has no tags: whatever is on a scalable target of the stack is the
/// stack's, and goes when nobody declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScalingPolicy {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The resource id of its scalable target.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${scalable-target.web.resource-id}"]))]
    pub resource_id: String,
    /// What makes it scale.
    #[serde(default = "tracking")]
    #[schemars(extend("x-replaces" = true))]
    pub policy_type: PolicyType,
    /// The metric that is kept at a value, for `TargetTrackingScaling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_tracking: Option<TargetTracking>,
    /// The steps that an alarm sets off, for `StepScaling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_scaling: Option<StepScaling>,
}

fn tracking() -> PolicyType {
    PolicyType::TargetTracking
}

words! {
    /// What makes a policy scale.
    PolicyType as "a type of scaling policy" {
        /// A metric that is kept at a value; Application Auto Scaling makes the alarms.
        TargetTracking = "TargetTrackingScaling",
        /// An alarm of which it is an action.
        Step = "StepScaling",
    }
}

/// Keeps a metric at a value. Page "TargetTrackingScalingPolicyConfiguration".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct TargetTracking {
    /// The value.
    pub target_value: Number,
    /// One of AWS's own metrics; else `customized-metric` says which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predefined_metric: Option<PredefinedMetric>,
    /// Any metric, or what is reckoned from several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customized_metric: Option<CustomizedMetric>,
    /// Seconds after tasks were added before more are.
    #[serde(default = "five_minutes")]
    pub scale_out_cooldown: u32,
    /// Seconds after tasks were taken away before more are.
    #[serde(default = "five_minutes")]
    pub scale_in_cooldown: u32,
    /// Whether it only ever adds tasks.
    #[serde(default)]
    pub disable_scale_in: bool,
}

/// What Application Auto Scaling makes of a cooldown of ECS that is left out.
fn five_minutes() -> u32 {
    300
}

/// One of AWS's own metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PredefinedMetric {
    /// Which.
    #[serde(rename = "type")]
    pub metric_type: MetricType,
    /// Whose requests, for `ALBRequestCountPerTarget`: the load balancer's and the target group's ARN
    /// suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${load-balancer.main.arn-suffix}/${target-group.web.arn-suffix}"]))]
    pub resource_label: Option<String>,
}

words! {
    /// AWS's own metrics of ECS services.
    MetricType as "a predefined metric" {
        /// The service's CPU, in percent of what its tasks reserve.
        Cpu = "ECSServiceAverageCPUUtilization",
        /// Its memory, in percent of what its tasks reserve.
        Memory = "ECSServiceAverageMemoryUtilization",
        /// Requests a target and minute.
        Requests = "ALBRequestCountPerTarget",
        /// CPU, every 20 seconds.
        FastCpu = "ECSServiceAverageCPUUtilizationHighResolution",
        /// Memory, every 20 seconds.
        FastMemory = "ECSServiceAverageMemoryUtilizationHighResolution",
    }
}

/// Any metric, or what is reckoned from several. Page "CustomizedMetricSpecification".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CustomizedMetric {
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Its dimensions, by name.
    pub dimensions: Dimensions,
    /// Its statistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<Statistic>,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Metrics and expressions by id, instead of all of these.
    pub metrics: Queries,
}

/// Steps that an alarm sets off. Page "StepScalingPolicyConfiguration".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct StepScaling {
    /// What the numbers of the steps are.
    pub adjustment_type: AdjustmentType,
    /// The steps: how far beyond the alarm's threshold, and what then.
    #[schemars(extend("examples" = [[{ "metric-interval-lower-bound": 0, "scaling-adjustment": 2 }]]))]
    pub step_adjustments: BTreeSet<StepAdjustment>,
    /// The least number of tasks, for `PercentChangeInCapacity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_adjustment_magnitude: Option<u32>,
    /// Seconds before the next step.
    #[serde(default = "five_minutes")]
    pub cooldown: u32,
    /// What is made of the metric's values.
    #[serde(default = "mean")]
    pub metric_aggregation_type: Aggregation,
}

fn mean() -> Aggregation {
    Aggregation::Average
}

words! {
    /// What the numbers of steps are.
    AdjustmentType as "a type of adjustment" {
        /// Tasks more or less.
        Change = "ChangeInCapacity",
        /// Per cent of the tasks, more or less.
        Percent = "PercentChangeInCapacity",
        /// The tasks that there shall be.
        Exact = "ExactCapacity",
    }
}

words! {
    /// What is made of a metric's values.
    Aggregation as "an aggregation of metrics" {
        /// Their mean.
        Average = "Average",
        /// The least.
        Minimum = "Minimum",
        /// The greatest.
        Maximum = "Maximum",
    }
}

/// A step. Page "StepAdjustment".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepAdjustment {
    /// From how far beyond the threshold; left out, from any distance below the upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_interval_lower_bound: Option<Number>,
    /// Up to how far beyond the threshold; left out, to any distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_interval_upper_bound: Option<Number>,
    /// By how much.
    pub scaling_adjustment: i32,
}

impl Kind for ScalingPolicy {
    const NAME: &'static str = "scaling-policy";
    const ABOUT: About = About {
        exclusive: &["resource-id", "name"],
        naming: Some(Naming { max: 256, style: NameStyle::Dashed, suffix: false }),
        observed_after: &["scalable-target"],
        remains: Remains::Untagged,
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let words = match self.policy_type {
            PolicyType::TargetTracking => ("target-tracking", "step-scaling"),
            PolicyType::Step => ("step-scaling", "target-tracking"),
        };
        let is_said = |field| match field {
            "step-scaling" => self.step_scaling.is_some(),
            _ => self.target_tracking.is_some(),
        };
        let (own, other) = words;
        if !is_said(own) {
            let title = format!("a policy of type {} needs `{own}`", self.policy_type.word());
            check.error("E0281", "policy-type", title);
        }
        if is_said(other) {
            let title =
                format!("`{other}` is nothing to a policy of type {}", self.policy_type.word());
            check.error("E0281", other, title);
        }
        if let Some(tracking) = &self.target_tracking {
            tracking.check(check);
        }
        if let Some(steps) = &self.step_scaling {
            steps.check(check);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let parts = Parts::new(sought);
        let listings = parts.listings();
        let found = concurrently(&listings, |resource| list(aws, resource.clone())).await?.concat();
        let found = found.iter().filter(|one| parts.concern(one.resource_id()));
        // A predictive policy is nobody's here: it cannot be declared.
        let known = found.filter(|one| PolicyType::read(one.policy_type().as_str()).is_ok());
        known.map(|one| observed(one, &parts)).collect()
    }

    /// PutScalingPolicy changes the one that is there. One that this takes the place of goes first: a
    /// scalable target has only one policy for a metric.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        if !cx.beside.is_empty() {
            let there = list(cx.aws, Some(self.resource_id.clone())).await?;
            let is_old = |one: &&Description| cx.beside.iter().any(|old| old == one.policy_arn());
            for old in there.iter().filter(is_old) {
                remove(cx.aws, old.resource_id(), old.policy_name()).await?;
            }
        }
        self.put(cx).await
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put(cx).await
    }

    /// DeleteScalingPolicy, unless another one has taken its place. The alarms of target tracking go with it.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let there = list(cx.aws, Some(was.resource_id.clone())).await?;
        match there.iter().any(|one| one.policy_arn() == cx.id) {
            true => remove(cx.aws, &was.resource_id, &was.name).await,
            false => Ok(()),
        }
    }

    async fn tag(_cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        Ok(())
    }
}

impl ScalingPolicy {
    async fn put(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.scaling.put_scaling_policy();
        let made = call
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(&self.resource_id)
            .policy_name(&self.name)
            .policy_type(self.policy_type.word().into())
            .set_target_tracking_scaling_policy_configuration(
                self.target_tracking.as_ref().map(TargetTracking::write),
            )
            .set_step_scaling_policy_configuration(
                self.step_scaling.as_ref().map(StepScaling::write),
            )
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        Ok(Made::new(made.policy_arn(), Outputs::new(made.policy_arn(), &self.name)))
    }
}

impl TargetTracking {
    fn check(&self, check: &mut Check<'_>) {
        let at = |field: &str| format!("target-tracking.{field}");
        if self.target_value.0 <= 0.0 {
            let title = "a metric cannot be kept at nothing, or less";
            check.error("E0281", &at("target-value"), title).alone = true;
        }
        match (&self.predefined_metric, &self.customized_metric) {
            (Some(metric), None) => metric.check(check),
            (None, Some(metric)) => metric.check(check),
            _ => {
                let title = "the metric is either `predefined-metric` or `customized-metric`";
                check.error("E0281", "target-tracking", title);
            }
        }
        for (field, seconds) in [
            ("scale-out-cooldown", self.scale_out_cooldown),
            ("scale-in-cooldown", self.scale_in_cooldown),
        ] {
            check.within("E0281", &at(field), (Some(seconds), Unit::Seconds), COOLDOWN);
        }
    }

    fn write(&self) -> sdk::TargetTrackingScalingPolicyConfiguration {
        let Self {
            target_value,
            predefined_metric,
            customized_metric,
            scale_out_cooldown,
            scale_in_cooldown,
            disable_scale_in,
        } = self;
        sdk::TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(target_value.0)
            .set_predefined_metric_specification(
                predefined_metric.as_ref().map(PredefinedMetric::write),
            )
            .set_customized_metric_specification(
                customized_metric.as_ref().map(CustomizedMetric::write),
            )
            .scale_out_cooldown(int(*scale_out_cooldown))
            .scale_in_cooldown(int(*scale_in_cooldown))
            .disable_scale_in(*disable_scale_in)
            .build()
            .expect("the value is set")
    }

    fn read(told: &sdk::TargetTrackingScalingPolicyConfiguration) -> Result<Self> {
        let predefined = told.predefined_metric_specification().map(PredefinedMetric::read);
        let customized = told.customized_metric_specification().map(CustomizedMetric::read);
        Ok(Self {
            target_value: Number(told.target_value()),
            predefined_metric: predefined.transpose()?,
            customized_metric: customized.transpose()?,
            scale_out_cooldown: told.scale_out_cooldown().map_or(five_minutes(), number),
            scale_in_cooldown: told.scale_in_cooldown().map_or(five_minutes(), number),
            disable_scale_in: told.disable_scale_in().unwrap_or_default(),
        })
    }
}

/// A day, and AWS takes no more.
const COOLDOWN: std::ops::RangeInclusive<u32> = 0..=86_400;

impl PredefinedMetric {
    fn check(&self, check: &mut Check<'_>) {
        const FIELD: &str = "target-tracking.predefined-metric.resource-label";
        let is_requests = self.metric_type == MetricType::Requests;
        match &self.resource_label {
            None if is_requests => {
                let hint =
                    "write `\"${load-balancer.NAME.arn-suffix}/${target-group.NAME.arn-suffix}\"`";
                let title = "whose requests are counted, `resource-label` says";
                check.error_with("E0281", FIELD, title, hint);
            }
            Some(_) if !is_requests => {
                let title = "`resource-label` belongs to `ALBRequestCountPerTarget`";
                check.error("E0281", FIELD, title);
            }
            _ => {}
        }
    }

    fn write(&self) -> sdk::PredefinedMetricSpecification {
        sdk::PredefinedMetricSpecification::builder()
            .predefined_metric_type(self.metric_type.word().into())
            .set_resource_label(self.resource_label.clone())
            .build()
            .expect("the type is set")
    }

    fn read(told: &sdk::PredefinedMetricSpecification) -> Result<Self> {
        Ok(Self {
            metric_type: MetricType::read(told.predefined_metric_type().as_str())?,
            resource_label: told.resource_label().map(str::to_owned),
        })
    }
}

impl CustomizedMetric {
    fn check(&self, check: &mut Check<'_>) {
        const FIELD: &str = "target-tracking.customized-metric";
        let Self { namespace, metric_name, dimensions, statistic, unit, metrics } = self;
        let single = [namespace.is_some(), metric_name.is_some(), statistic.is_some()];
        if !metrics.is_empty() {
            if single.contains(&true) || unit.is_some() || !dimensions.is_empty() {
                let title = "a metric is either named, or reckoned from `metrics`";
                check.error("E0281", FIELD, title);
            }
            if let Some((id, flaw)) = metric::flaw(metrics) {
                check.error("E0281", &format!("{FIELD}.metrics.{id}"), flaw);
            }
            if let Some((id, _)) =
                metrics.iter().find(|(_, it)| it.period.is_some() || it.account_id.is_some())
            {
                let title = "`period` and `account-id` belong to the metrics of alarms";
                check.error("E0281", &format!("{FIELD}.metrics.{id}"), title);
            }
        } else if single.contains(&false) {
            let title = "a metric is told by `namespace`, `metric-name` and `statistic`";
            check.error("E0281", FIELD, title);
        }
    }

    fn write(&self) -> sdk::CustomizedMetricSpecification {
        let Self { namespace, metric_name, dimensions, statistic, unit, metrics } = self;
        let dimension = |(name, value): (&String, &String)| {
            let built = sdk::MetricDimension::builder().name(name).value(value).build();
            built.expect("name and value are set")
        };
        let dimensions: Vec<_> = dimensions.iter().map(dimension).collect();
        sdk::CustomizedMetricSpecification::builder()
            .set_namespace(namespace.clone())
            .set_metric_name(metric_name.clone())
            .set_dimensions(Some(dimensions).filter(|all| !all.is_empty()))
            .set_statistic(statistic.map(|statistic| statistic.word().into()))
            .set_unit(unit.clone())
            .set_metrics(Some(metric::for_policy(metrics)).filter(|all| !all.is_empty()))
            .build()
    }

    fn read(told: &sdk::CustomizedMetricSpecification) -> Result<Self> {
        let statistic = told.statistic().map(|word| Statistic::read(word.as_str()));
        let pairs = told.dimensions().iter();
        Ok(Self {
            namespace: told.namespace().map(str::to_owned),
            metric_name: told.metric_name().map(str::to_owned),
            dimensions: pairs.map(|it| (it.name().to_owned(), it.value().to_owned())).collect(),
            statistic: statistic.transpose()?,
            unit: told.unit().map(str::to_owned),
            metrics: metric::of_policy(told.metrics()),
        })
    }
}

impl StepScaling {
    fn check(&self, check: &mut Check<'_>) {
        const FIELD: &str = "step-scaling.step-adjustments";
        if !(1..=20).contains(&self.step_adjustments.len()) {
            check.error("E0281", FIELD, "a policy has 1 to 20 steps");
        }
        for step in &self.step_adjustments {
            let bounds = (step.metric_interval_lower_bound, step.metric_interval_upper_bound);
            let is_backward = matches!(bounds, (Some(from), Some(to)) if from >= to);
            if is_backward {
                check.error("E0281", FIELD, "a step's upper bound is greater than its lower bound");
            }
            if self.adjustment_type == AdjustmentType::Exact && step.scaling_adjustment < 0 {
                check.error("E0281", FIELD, "there are never less than 0 tasks");
            }
        }
        let is_percent = self.adjustment_type == AdjustmentType::Percent;
        if self.min_adjustment_magnitude.is_some() && !is_percent {
            let title = "`min-adjustment-magnitude` belongs to `PercentChangeInCapacity`";
            check.error("E0281", "step-scaling.min-adjustment-magnitude", title);
        }
        let cooldown = (Some(self.cooldown), Unit::Seconds);
        check.within("E0281", "step-scaling.cooldown", cooldown, COOLDOWN);
    }

    fn write(&self) -> sdk::StepScalingPolicyConfiguration {
        let Self {
            adjustment_type,
            step_adjustments,
            min_adjustment_magnitude,
            cooldown,
            metric_aggregation_type,
        } = self;
        let step = |step: &StepAdjustment| {
            sdk::StepAdjustment::builder()
                .set_metric_interval_lower_bound(step.metric_interval_lower_bound.map(|it| it.0))
                .set_metric_interval_upper_bound(step.metric_interval_upper_bound.map(|it| it.0))
                .scaling_adjustment(step.scaling_adjustment)
                .build()
                .expect("the adjustment is set")
        };
        sdk::StepScalingPolicyConfiguration::builder()
            .adjustment_type(adjustment_type.word().into())
            .set_step_adjustments(Some(step_adjustments.iter().map(step).collect()))
            .set_min_adjustment_magnitude(min_adjustment_magnitude.map(int))
            .cooldown(int(*cooldown))
            .metric_aggregation_type(metric_aggregation_type.word().into())
            .build()
    }

    fn read(told: &sdk::StepScalingPolicyConfiguration) -> Result<Self> {
        let step = |told: &sdk::StepAdjustment| StepAdjustment {
            metric_interval_lower_bound: told.metric_interval_lower_bound().map(Number),
            metric_interval_upper_bound: told.metric_interval_upper_bound().map(Number),
            scaling_adjustment: told.scaling_adjustment(),
        };
        let kind = told.adjustment_type().map_or("ChangeInCapacity", |word| word.as_str());
        let aggregation = told.metric_aggregation_type().map_or("Average", |word| word.as_str());
        Ok(Self {
            adjustment_type: AdjustmentType::read(kind)?,
            step_adjustments: told.step_adjustments().iter().map(step).collect(),
            min_adjustment_magnitude: told.min_adjustment_magnitude().map(number),
            cooldown: told.cooldown().map_or(five_minutes(), number),
            metric_aggregation_type: Aggregation::read(aggregation)?,
        })
    }
}

fn observed(one: &Description, parts: &Parts<'_>) -> Result<Observed<ScalingPolicy>> {
    let (arn, name) = (one.policy_arn(), one.policy_name());
    let tracking = one.target_tracking_scaling_policy_configuration().map(TargetTracking::read);
    let steps = one.step_scaling_policy_configuration().map(StepScaling::read);
    Ok(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: ScalingPolicy {
            name: name.to_owned(),
            resource_id: one.resource_id().to_owned(),
            policy_type: PolicyType::read(one.policy_type().as_str())?,
            target_tracking: tracking.transpose()?,
            step_scaling: steps.transpose()?,
        },
        outputs: Outputs::new(arn, name),
        tags: parts.tags::<ScalingPolicy>(one.resource_id(), name),
        condition: Condition::Ready,
    })
}

/// DescribeScalingPolicies, of one resource or of all.
async fn list(aws: &Aws, resource: Option<String>) -> Result<Vec<Description>> {
    let call = aws.scaling.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs);
    let call = call.set_resource_id(resource);
    call.into_paginator().items().send().try_collect().await.map_err(Error::from)
}

async fn remove(aws: &Aws, resource: &str, name: &str) -> Result<()> {
    let call = aws.scaling.delete_scaling_policy().service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call.resource_id(resource).policy_name(name);
    call.send().await.map_err(Error::from).absent_is_fine()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn policy(rest: serde_json::Value) -> serde_json::Value {
        let mut policy = json!({ "name": "cpu", "resource-id": "service/main/web" });
        let serde_json::Value::Object(rest) = rest else { unreachable!("a table") };
        policy.as_object_mut().unwrap().extend(rest);
        policy
    }

    /// B1: what is put is what is described.
    #[test]
    fn configurations_read_back_as_written() {
        let tracking = |json| -> TargetTracking { serde_json::from_value(json).unwrap() };
        for written in [
            tracking(
                json!({ "target-value": 60, "predefined-metric": { "type": "ECSServiceAverageCPUUtilization" } }),
            ),
            tracking(json!({
                "target-value": 0.5, "scale-in-cooldown": 60, "disable-scale-in": true,
                "customized-metric": { "namespace": "Shop", "metric-name": "Backlog",
                    "statistic": "Maximum", "unit": "Count", "dimensions": { "Queue": "orders" } },
            })),
            tracking(json!({ "target-value": 10, "customized-metric": { "metrics": {
                "m": { "metric": { "namespace": "A", "metric-name": "B" }, "stat": "Sum", "return-data": false },
                "e": { "expression": "m / 2" },
            } } })),
        ] {
            assert_eq!(TargetTracking::read(&written.write()).unwrap(), written);
        }
        let steps: StepScaling = serde_json::from_value(json!({
            "adjustment-type": "PercentChangeInCapacity", "min-adjustment-magnitude": 2,
            "step-adjustments": [
                { "metric-interval-lower-bound": 0, "metric-interval-upper-bound": 20, "scaling-adjustment": 10 },
                { "metric-interval-lower-bound": 20, "scaling-adjustment": 50 },
            ],
        }))
        .unwrap();
        assert_eq!(StepScaling::read(&steps.write()).unwrap(), steps);
        reads_back::<ScalingPolicy>(policy(json!({
            "policy-type": "StepScaling", "step-scaling": steps,
        })));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let told = |rest| flaws::<ScalingPolicy>(policy(rest));
        insta::assert_snapshot!(told(json!({ "step-scaling": {
            "adjustment-type": "ExactCapacity", "cooldown": 100_000, "min-adjustment-magnitude": 1,
            "step-adjustments": [{ "metric-interval-lower-bound": 2, "metric-interval-upper-bound": 1, "scaling-adjustment": -1 }],
        } })), @"
        E0281 policy-type: a policy of type TargetTrackingScaling needs `target-tracking`
        E0281 step-scaling: `step-scaling` is nothing to a policy of type TargetTrackingScaling
        E0281 step-scaling.step-adjustments: a step's upper bound is greater than its lower bound
        E0281 step-scaling.step-adjustments: there are never less than 0 tasks
        E0281 step-scaling.min-adjustment-magnitude: `min-adjustment-magnitude` belongs to `PercentChangeInCapacity`
        E0281 step-scaling.cooldown: `cooldown` is at most 1d (86400 s)
        ");
        insta::assert_snapshot!(told(json!({ "target-tracking": {
            "target-value": 0, "predefined-metric": { "type": "ALBRequestCountPerTarget" },
        } })), @"
        E0281 target-tracking.target-value: a metric cannot be kept at nothing, or less
        E0281 target-tracking.predefined-metric.resource-label: whose requests are counted, `resource-label` says
        ");
        insta::assert_snapshot!(told(json!({ "target-tracking": {
            "target-value": 1, "customized-metric": { "namespace": "A", "metrics": { "m": { "expression": "1", "period": 60 } } },
        } })), @"
        E0281 target-tracking.customized-metric: a metric is either named, or reckoned from `metrics`
        E0281 target-tracking.customized-metric.metrics.m: `period` and `account-id` belong to the metrics of alarms
        ");
        insta::assert_snapshot!(told(json!({ "target-tracking": {
            "target-value": 1, "customized-metric": { "namespace": "A" },
            "predefined-metric": { "type": "ECSServiceAverageCPUUtilization", "resource-label": "x" },
        } })), @"E0281 target-tracking: the metric is either `predefined-metric` or `customized-metric`");
    }
}
