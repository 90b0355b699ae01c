//! Metrics of CloudWatch, and what is reckoned from them: for alarms, and for policies that follow them.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_cloudwatch::types as cloudwatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::words;
use crate::cloud::aws::numbers::{int, number};

/// The dimensions of a metric by name.
pub type Dimensions = BTreeMap<String, String>;

/// Metrics and expressions by the ids that expressions call them.
pub type Queries = BTreeMap<String, Query>;

words! {
    /// What is made of a metric's values within a period.
    Statistic as "a statistic" {
        /// Their mean.
        Average = "Average",
        /// The least.
        Minimum = "Minimum",
        /// The greatest.
        Maximum = "Maximum",
        /// How many there are.
        SampleCount = "SampleCount",
        /// Their sum.
        Sum = "Sum",
    }
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Metric {
    /// Its namespace, such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// Its name.
    pub metric_name: String,
    /// Its dimensions, by name.
    #[serde(default)]
    pub dimensions: Dimensions,
}

/// A metric that is fetched, or an expression over others. Page "MetricDataQuery".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Query {
    /// An expression, such as `errors / requests`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// The metric, when it is no expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The metric's statistic: `Average`, `Sum`, `p99`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat: Option<String>,
    /// Seconds of a period. Alarms only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u32>,
    /// The unit that the metric's values must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The number of the account that has the metric, if it is another. Alarms only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Whether this is the one that counts; one of them is.
    #[serde(default = "yes")]
    pub return_data: bool,
}

fn yes() -> bool {
    true
}

/// What is wrong with metrics and expressions of which one counts, and with which.
pub fn flaw(queries: &Queries) -> Option<(String, String)> {
    for (id, query) in queries {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(is_word) {
            let rule = "a lower-case letter, then letters, digits and `_`";
            return Some((id.clone(), format!("`{id}` is no id of a metric: {rule}")));
        }
        match (&query.expression, &query.metric) {
            (Some(_), None) => {}
            (None, Some(_)) if query.stat.is_some() => {}
            (None, Some(_)) => return Some((id.clone(), "a metric needs its `stat`".to_owned())),
            _ => {
                let rule = "it is either an `expression` or a `metric`";
                return Some((id.clone(), format!("what `{id}` is cannot be told: {rule}")));
            }
        }
    }
    let counting = queries.values().filter(|query| query.return_data).count();
    (counting != 1).then(|| {
        let rule = "`return-data = false` belongs to all others";
        (String::new(), format!("{counting} of the metrics count, and it must be one: {rule}"))
    })
}

/// As CloudWatch wants them.
pub fn for_alarm(queries: &Queries) -> Vec<cloudwatch::MetricDataQuery> {
    let one = |(id, query): (&String, &Query)| {
        let stat = query.metric.as_ref().map(|metric| {
            cloudwatch::MetricStat::builder()
                .metric(
                    cloudwatch::Metric::builder()
                        .namespace(&metric.namespace)
                        .metric_name(&metric.metric_name)
                        .set_dimensions(Some(dimensions(&metric.dimensions)))
                        .build(),
                )
                .set_period(query.period.map(int))
                .set_stat(query.stat.clone())
                .set_unit(query.unit.as_deref().map(Into::into))
                .build()
        });
        // What fetches a metric has the period there.
        let period = query.period.filter(|_| query.metric.is_none());
        cloudwatch::MetricDataQuery::builder()
            .id(id)
            .set_expression(query.expression.clone())
            .set_metric_stat(stat)
            .set_label(query.label.clone())
            .set_period(period.map(int))
            .set_account_id(query.account_id.clone())
            .return_data(query.return_data)
            .build()
    };
    queries.iter().map(one).collect()
}

/// As CloudWatch tells them.
pub fn of_alarm(told: &[cloudwatch::MetricDataQuery]) -> Queries {
    let one = |told: &cloudwatch::MetricDataQuery| {
        let stat = told.metric_stat();
        let metric = stat.and_then(cloudwatch::MetricStat::metric).map(|metric| Metric {
            namespace: text(metric.namespace()),
            metric_name: text(metric.metric_name()),
            dimensions: read_dimensions(metric.dimensions()),
        });
        let query = Query {
            expression: told.expression().map(str::to_owned),
            metric,
            stat: stat.and_then(|stat| stat.stat()).map(str::to_owned),
            period: stat.and_then(|stat| stat.period()).or(told.period()).map(number),
            unit: stat.and_then(|stat| stat.unit()).map(|unit| unit.as_str().to_owned()),
            label: told.label().map(str::to_owned),
            account_id: told.account_id().map(str::to_owned),
            return_data: told.return_data().unwrap_or(true),
        };
        (text(told.id()), query)
    };
    told.iter().map(one).collect()
}

/// Dimensions as CloudWatch wants them.
pub fn dimensions(all: &Dimensions) -> Vec<cloudwatch::Dimension> {
    let one = |(name, value): (&String, &String)| {
        cloudwatch::Dimension::builder().name(name).value(value).build()
    };
    all.iter().map(one).collect()
}

/// Dimensions as CloudWatch tells them.
pub fn read_dimensions(told: &[cloudwatch::Dimension]) -> Dimensions {
    told.iter().map(|one| (text(one.name()), text(one.value()))).collect()
}

/// As Application Auto Scaling wants them.
pub fn for_policy(queries: &Queries) -> Vec<scaling::TargetTrackingMetricDataQuery> {
    let dimension = |(name, value): (&String, &String)| {
        scaling::TargetTrackingMetricDimension::builder()
            .name(name)
            .value(value)
            .build()
            .expect("name and value are set")
    };
    let one = |(id, query): (&String, &Query)| {
        let stat = query.metric.as_ref().map(|metric| {
            let dimensions = metric.dimensions.iter().map(dimension).collect();
            scaling::TargetTrackingMetricStat::builder()
                .metric(
                    scaling::TargetTrackingMetric::builder()
                        .namespace(&metric.namespace)
                        .metric_name(&metric.metric_name)
                        .set_dimensions(Some(dimensions))
                        .build(),
                )
                .stat(query.stat.clone().unwrap_or_default())
                .set_unit(query.unit.clone())
                .build()
                .expect("the statistic is set")
        });
        scaling::TargetTrackingMetricDataQuery::builder()
            .id(id)
            .set_expression(query.expression.clone())
            .set_metric_stat(stat)
            .set_label(query.label.clone())
            .return_data(query.return_data)
            .build()
            .expect("the id is set")
    };
    queries.iter().map(one).collect()
}

/// As Application Auto Scaling tells them.
pub fn of_policy(told: &[scaling::TargetTrackingMetricDataQuery]) -> Queries {
    let one = |told: &scaling::TargetTrackingMetricDataQuery| {
        let stat = told.metric_stat();
        let metric = stat.and_then(scaling::TargetTrackingMetricStat::metric).map(|metric| {
            let pairs = metric.dimensions().iter();
            Metric {
                namespace: text(metric.namespace()),
                metric_name: text(metric.metric_name()),
                dimensions: pairs.map(|d| (d.name().to_owned(), d.value().to_owned())).collect(),
            }
        });
        let query = Query {
            expression: told.expression().map(str::to_owned),
            metric,
            stat: stat.map(|stat| stat.stat().to_owned()),
            period: None,
            unit: stat.and_then(|stat| stat.unit()).map(str::to_owned),
            label: told.label().map(str::to_owned),
            account_id: None,
            return_data: told.return_data().unwrap_or(true),
        };
        (told.id().to_owned(), query)
    };
    told.iter().map(one).collect()
}

fn text(told: Option<&str>) -> String {
    told.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn queries(json: serde_json::Value) -> Queries {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn queries_read_back_as_written() {
        let written = queries(json!({
            "errors": { "metric": { "namespace": "A", "metric-name": "E", "dimensions": { "L": "x" } },
                "stat": "Sum", "unit": "Count", "return-data": false },
            "rate": { "expression": "errors / 2", "label": "the rate" },
        }));
        assert_eq!(of_policy(&for_policy(&written)), written);
        let mut of_an_alarm = written;
        for query in of_an_alarm.values_mut() {
            query.period = Some(60);
        }
        assert_eq!(of_alarm(&for_alarm(&of_an_alarm)), of_an_alarm);
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let told = |json| flaw(&queries(json)).map(|(_, flaw)| flaw).unwrap_or_default();
        insta::assert_snapshot!(told(json!({ "E": { "expression": "1" } })), @"`E` is no id of a metric: a lower-case letter, then letters, digits and `_`");
        insta::assert_snapshot!(told(json!({ "e": {} })), @"what `e` is cannot be told: it is either an `expression` or a `metric`");
        insta::assert_snapshot!(told(json!({ "e": { "metric": { "namespace": "A", "metric-name": "B" } } })), @"a metric needs its `stat`");
        insta::assert_snapshot!(told(json!({ "e": { "expression": "1" }, "f": { "expression": "e" } })), @"2 of the metrics count, and it must be one: `return-data = false` belongs to all others");
        assert_eq!(told(json!({ "e": { "expression": "1" } })), "");
    }
}
