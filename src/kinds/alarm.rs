//! `alarm`: a CloudWatch alarm on a metric, or on what is reckoned from several.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::{MetricAlarm as Description, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Number;
use super::types::metric::{self, Dimensions, Queries, Statistic};
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, batched, concurrently, tags};
use crate::kind::{
    About, Check, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming, Observed,
    Result, Sought, TagChange,
};

/// A metric alarm. The alarms that Application Auto Scaling makes for its own use carry no tags, and are
/// nobody's here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct Alarm {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What it is about, for whoever is woken by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The metric's namespace, such as `AWS/ECS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The metric's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The metric's dimensions, by name.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "ClusterName": "${cluster.main.name}", "ServiceName": "${service.web.name}" }]))]
    pub dimensions: Dimensions,
    /// The metric's statistic; or `extended-statistic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<Statistic>,
    /// A percentile such as `p99`, or a trimmed mean such as `tm90`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    /// Seconds of a period of the metric: 10, 20, 30 or a multiple of 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u32>,
    /// The unit that the metric's values must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Metrics and expressions by id, instead of a metric: the one that returns data is watched.
    #[serde(default)]
    pub metrics: Queries,
    /// How the value compares with the threshold.
    pub comparison_operator: Comparison,
    /// The threshold; or `threshold-metric-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Number>,
    /// The id of the expression that gives the threshold: a band of anomaly detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_metric_id: Option<String>,
    /// How many of the newest periods are looked at.
    #[serde(default = "one")]
    pub evaluation_periods: u32,
    /// How many of these must be beyond the threshold; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<u32>,
    /// What a period without data is.
    #[serde(default = "missing")]
    pub treat_missing_data: Missing,
    /// What too few samples of a percentile are.
    #[serde(default = "evaluate")]
    pub evaluate_low_sample_count_percentile: LowSamples,
    /// Whether its actions are carried out.
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    /// ARNs of what is done when it goes off: topics, scaling policies.
    #[serde(default)]
    pub alarm_actions: BTreeSet<String>,
    /// ARNs of what is done when all is well again.
    #[serde(default)]
    pub ok_actions: BTreeSet<String>,
    /// ARNs of what is done when there is no data.
    #[serde(default)]
    pub insufficient_data_actions: BTreeSet<String>,
}

fn one() -> u32 {
    1
}

fn missing() -> Missing {
    Missing::Missing
}

fn evaluate() -> LowSamples {
    LowSamples::Evaluate
}

fn yes() -> bool {
    true
}

words! {
    /// How a value compares with a threshold.
    Comparison as "a comparison" {
        /// It is as great, or greater.
        NotLess = "GreaterThanOrEqualToThreshold",
        /// It is greater.
        Greater = "GreaterThanThreshold",
        /// It is less.
        Less = "LessThanThreshold",
        /// It is as small, or less.
        NotGreater = "LessThanOrEqualToThreshold",
        /// It is outside of the band.
        Outside = "LessThanLowerOrGreaterThanUpperThreshold",
        /// It is below the band.
        Below = "LessThanLowerThreshold",
        /// It is above the band.
        Above = "GreaterThanUpperThreshold",
    }
}

words! {
    /// What a period without data is.
    Missing as "a treatment of missing data" {
        /// Bad.
        Breaching = "breaching",
        /// Good.
        NotBreaching = "notBreaching",
        /// No reason to change.
        Ignore = "ignore",
        /// Nothing that could be judged.
        Missing = "missing",
    }
}

words! {
    /// What too few samples of a percentile are.
    LowSamples as "a treatment of few samples" {
        /// Enough.
        Evaluate = "evaluate",
        /// No reason to change.
        Ignore = "ignore",
    }
}

impl Kind for Alarm {
    const NAME: &'static str = "alarm";
    const ABOUT: About = About {
        exclusive: &["name"],
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: false }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        self.check_metric(check);
        if self.threshold.is_some() == self.threshold_metric_id.is_some() {
            let title = "the threshold is either `threshold` or `threshold-metric-id`";
            check.error("E0283", "threshold", title);
        }
        let (all, some) = (self.evaluation_periods, self.datapoints_to_alarm.unwrap_or(1));
        if all == 0 {
            let title = "an alarm looks at one period at least";
            check.error("E0283", "evaluation-periods", title).alone = true;
        } else if !(1..=all).contains(&some) {
            let title =
                format!("of {all} periods 1 to {all} can be beyond the threshold, not {some}");
            check.error("E0283", "datapoints-to-alarm", title);
        }
        for (field, actions) in [
            ("alarm-actions", &self.alarm_actions),
            ("ok-actions", &self.ok_actions),
            ("insufficient-data-actions", &self.insufficient_data_actions),
        ] {
            if actions.len() > 5 {
                check.error("E0283", field, "an alarm has at most 5 actions of a state");
            }
            let mut odd = actions.iter().filter(|it| !it.starts_with("arn:") && !it.contains("${"));
            if let Some(action) = odd.next() {
                check.error("E0283", field, format!("`{action}` is not an ARN"));
            }
        }
    }

    /// Those whose names are the stack's own in one listing, and a hundred others a call.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let by_tag = owned.arns("cloudwatch", "alarm:").filter_map(name_of);
        let mut names = sought.names(by_tag);
        let prefix = format!("{}-", sought.stack.prefix());
        names.retain(|name| !name.starts_with(&prefix));
        let mut found = list(aws, &prefix).await?;
        found.extend(batched(&names, PORTION, |names| describe(aws, names)).await?);
        let owned = &owned;
        let observed = concurrently(&found, |one| async move {
            let arn = arn(one)?;
            let tags = match owned.tags(arn) {
                Some(tags) => tags.clone(),
                None => tags::cloudwatch::read(aws, arn).await?,
            };
            Ok(Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                live: Self::read(one)?,
                outputs: outputs(arn),
                tags,
                condition: Condition::Ready,
            })
        });
        let is_wanted =
            |name: &str| sought.wanted.iter().any(|want| want.spec.text("name") == Some(name));
        let mut observed = observed.await?;
        observed.retain(|one| sought.is_ours(&one.tags) || is_wanted(&one.live.name));
        Ok(observed)
    }

    /// PutMetricAlarm changes the one that is there, so it is looked at first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let there = describe(cx.aws, std::slice::from_ref(&self.name)).await?.pop();
        if let Some(there) = &there {
            cx.require_ours(&tags::cloudwatch::read(cx.aws, arn(there)?).await?)?;
        }
        self.put(cx, tags::some(cx.tags, tags::cloudwatch::tag)).await?;
        let made = describe(cx.aws, std::slice::from_ref(&self.name)).await?.pop();
        let made = made.ok_or_else(|| {
            Error::new(crate::kind::Class::Eventual, "the alarm is not visible yet")
        })?;
        let arn = arn(&made)?;
        Ok(Made::new(arn, outputs(arn)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put(cx, None).await?;
        Ok(Made::new(cx.id, outputs(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.cloudwatch.delete_alarms().alarm_names(&was.name);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::cloudwatch::change(cx.aws, cx.id, change).await
    }
}

impl Alarm {
    fn check_metric(&self, check: &mut Check<'_>) {
        let single = [self.namespace.is_some(), self.metric_name.is_some(), self.period.is_some()];
        let statistics = [self.statistic.is_some(), self.extended_statistic.is_some()];
        if !self.metrics.is_empty() {
            let others = single.iter().chain(&statistics).any(|is_said| *is_said);
            if others || self.unit.is_some() || !self.dimensions.is_empty() {
                let title =
                    "an alarm watches either one metric, or what is reckoned from `metrics`";
                check.error("E0283", "metrics", title);
            }
            // Of a band of anomaly detection two return data: the metric and the band.
            let flaw = metric::flaw(&self.metrics).filter(|_| self.threshold_metric_id.is_none());
            if let Some((id, flaw)) = flaw {
                check.error("E0283", &format!("metrics.{id}"), flaw);
            }
            return;
        }
        if single.contains(&false) {
            let title = "what is watched is told by `namespace`, `metric-name` and `period`, or by `metrics`";
            check.error("E0283", "metric-name", title);
        } else if statistics[0] == statistics[1] {
            let title = "the metric has one of `statistic` and `extended-statistic`";
            check.error("E0283", "statistic", title);
        }
        let is_legal = |period: &u32| {
            [10, 20, 30].contains(period) || (*period > 0 && period.is_multiple_of(60))
        };
        if let Some(period) = self.period.filter(|period| !is_legal(period)) {
            let title = format!("a period is 10, 20, 30 or a multiple of 60 seconds, not {period}");
            check.error("E0283", "period", title).alone = true;
        }
    }

    /// PutMetricAlarm. Tags are for a new alarm alone.
    async fn put(&self, cx: &Cx<'_>, tags: Option<Vec<Tag>>) -> Result<()> {
        let list = |actions: &BTreeSet<String>| Some(actions.iter().cloned().collect::<Vec<_>>());
        let percentile = self.extended_statistic.as_ref();
        let low = percentile.map(|_| self.evaluate_low_sample_count_percentile.word().to_owned());
        let dimensions = Some(metric::dimensions(&self.dimensions)).filter(|all| !all.is_empty());
        let metrics = Some(metric::for_alarm(&self.metrics)).filter(|all| !all.is_empty());
        let call = cx.aws.cloudwatch.put_metric_alarm().alarm_name(&self.name).set_tags(tags);
        call.set_alarm_description(self.description.clone())
            .set_namespace(self.namespace.clone())
            .set_metric_name(self.metric_name.clone())
            .set_dimensions(dimensions)
            .set_statistic(self.statistic.map(|statistic| statistic.word().into()))
            .set_extended_statistic(percentile.cloned())
            .set_period(self.period.map(int))
            .set_unit(self.unit.as_deref().map(Into::into))
            .set_metrics(metrics)
            .comparison_operator(self.comparison_operator.word().into())
            .set_threshold(self.threshold.map(|threshold| threshold.0))
            .set_threshold_metric_id(self.threshold_metric_id.clone())
            .evaluation_periods(int(self.evaluation_periods))
            .set_datapoints_to_alarm(self.datapoints_to_alarm.map(int))
            .treat_missing_data(self.treat_missing_data.word())
            .set_evaluate_low_sample_count_percentile(low)
            .actions_enabled(self.actions_enabled)
            .set_alarm_actions(list(&self.alarm_actions))
            .set_ok_actions(list(&self.ok_actions))
            .set_insufficient_data_actions(list(&self.insufficient_data_actions))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }

    fn read(one: &Description) -> Result<Self> {
        let statistic = one.statistic().map(|word| Statistic::read(word.as_str()));
        let comparison = one.comparison_operator().map_or("", |word| word.as_str());
        let low = one.evaluate_low_sample_count_percentile().unwrap_or("evaluate");
        let set = |actions: &[String]| actions.iter().cloned().collect();
        let text = |told: Option<&str>| told.filter(|it| !it.is_empty()).map(str::to_owned);
        Ok(Self {
            name: one.alarm_name().unwrap_or_default().to_owned(),
            description: text(one.alarm_description()),
            namespace: text(one.namespace()),
            metric_name: text(one.metric_name()),
            dimensions: metric::read_dimensions(one.dimensions()),
            statistic: statistic.transpose()?,
            extended_statistic: text(one.extended_statistic()),
            period: one.period().map(number),
            unit: one.unit().map(|unit| unit.as_str().to_owned()),
            metrics: metric::of_alarm(one.metrics()),
            comparison_operator: Comparison::read(comparison)?,
            threshold: one.threshold().map(Number).filter(|_| one.threshold_metric_id().is_none()),
            threshold_metric_id: text(one.threshold_metric_id()),
            evaluation_periods: one.evaluation_periods().map_or(1, number),
            datapoints_to_alarm: one.datapoints_to_alarm().map(number),
            treat_missing_data: Missing::read(one.treat_missing_data().unwrap_or("missing"))?,
            evaluate_low_sample_count_percentile: LowSamples::read(low)?,
            actions_enabled: one.actions_enabled().unwrap_or(true),
            alarm_actions: set(one.alarm_actions()),
            ok_actions: set(one.ok_actions()),
            insufficient_data_actions: set(one.insufficient_data_actions()),
        })
    }
}

/// How many names DescribeAlarms takes.
const PORTION: usize = 100;

/// DescribeAlarms by names.
async fn describe(aws: &Aws, names: &[String]) -> Result<Vec<Description>> {
    let call = aws.cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec()));
    let found = call.max_records(100).send().await.map_err(Error::from)?;
    Ok(metric_alarms(found.metric_alarms.unwrap_or_default()))
}

/// DescribeAlarms by what their names begin with.
async fn list(aws: &Aws, prefix: &str) -> Result<Vec<Description>> {
    let call = aws.cloudwatch.describe_alarms().alarm_name_prefix(prefix).max_records(100);
    let mut pages = call.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.map_err(Error::from)?.metric_alarms.unwrap_or_default());
    }
    Ok(metric_alarms(found))
}

/// An alarm on a PromQL query is nobody's here: it cannot be declared.
fn metric_alarms(mut found: Vec<Description>) -> Vec<Description> {
    found.retain(|one| one.comparison_operator().is_some());
    found
}

fn arn(one: &Description) -> Result<&str> {
    one.alarm_arn().ok_or_else(|| Error::incomplete("an alarm's ARN"))
}

/// The name in `arn:aws:cloudwatch:<region>:<account>:alarm:<name>`.
fn name_of(arn: &str) -> Option<&str> {
    arn.split_once(":alarm:").map(|(_, name)| name)
}

fn outputs(arn: &str) -> Outputs {
    Outputs::new(arn, name_of(arn).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<Alarm>(json!({
            "namespace": "AWS/ECS", "metric-name": "CPUUtilization", "statistic": "Average", "period": 60,
            "dimensions": { "ClusterName": "main" }, "comparison-operator": "GreaterThanThreshold",
            "threshold": 80,
        }));
        reads_back::<Alarm>(json!({
            "name": "slow", "metrics": { "m": { "expression": "1" } }, "threshold": 0.5,
            "comparison-operator": "LessThanThreshold", "evaluation-periods": 3,
            "datapoints-to-alarm": 2, "treat-missing-data": "notBreaching",
            "alarm-actions": ["arn:aws:sns:eu-west-1:1:ops"],
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<Alarm>(json!({
            "namespace": "A", "metric-name": "B", "period": 45, "statistic": "Sum",
            "extended-statistic": "p99", "comparison-operator": "LessThanThreshold",
            "datapoints-to-alarm": 2, "alarm-actions": ["ops"],
        })), @"
        E0283 statistic: the metric has one of `statistic` and `extended-statistic`
        E0283 period: a period is 10, 20, 30 or a multiple of 60 seconds, not 45
        E0283 threshold: the threshold is either `threshold` or `threshold-metric-id`
        E0283 datapoints-to-alarm: of 1 periods 1 to 1 can be beyond the threshold, not 2
        E0283 alarm-actions: `ops` is not an ARN
        ");
        insta::assert_snapshot!(flaws::<Alarm>(json!({
            "namespace": "A", "metrics": { "m": { "expression": "1" }, "n": { "expression": "2" } },
            "comparison-operator": "LessThanThreshold", "threshold": 1, "evaluation-periods": 0,
        })), @"
        E0283 metrics: an alarm watches either one metric, or what is reckoned from `metrics`
        E0283 metrics: 2 of the metrics count, and it must be one: `return-data = false` belongs to all others
        E0283 evaluation-periods: an alarm looks at one period at least
        ");
        insta::assert_snapshot!(flaws::<Alarm>(json!({
            "comparison-operator": "LessThanThreshold", "threshold": 1,
        })), @"E0283 metric-name: what is watched is told by `namespace`, `metric-name` and `period`, or by `metrics`");
    }
}
