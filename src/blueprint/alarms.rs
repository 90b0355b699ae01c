//! `[service.x.alarms]` and `[alb.x.alarms]`: alarms of CloudWatch on what a service's tasks use, and on how
//! services and load balancers answer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Document;
use super::alb::Alb;
use super::cluster::NAME;
use super::declaration::Declaration;
use super::measure::Seconds;
use super::route::Route;
use super::scaling::uncounted;
use super::service::Service;
use super::sheet::Sheet;
use super::shift;
use crate::address::Path;

/// Minutes in which something must be so.
const MINUTES: u32 = 3;

/// What somebody is to hear of: alarms that go off when something was so for three minutes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BalancerAlarms {
    /// More answers than so many in a minute are errors (5xx) of the load balancer itself: no task answers it.
    pub errors: Option<u32>,
    /// One answer in a hundred takes longer, whichever service it is of.
    pub latency: Option<Seconds>,
    /// So many tasks of a service behind it fail their health checks, or more.
    #[schemars(range(min = 1))]
    pub unhealthy: Option<u32>,
    /// ARNs of SNS topics that hear of it, and of its end.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "topic"}))]
    pub notify: BTreeSet<String>,
}

/// The alarms of the service `name`.
pub(super) fn expand(name: &str, service: &Service, route: Option<&Route>, sheet: &mut Sheet) {
    let Some(alarms) = &service.alarms else { return };
    let section = Path::of(["service", name]);
    let watch = Watch { section: &section, notify: &alarms.notify };
    for (key, threshold, metric) in
        [("cpu", alarms.cpu, "CPUUtilization"), ("memory", alarms.memory, "MemoryUtilization")]
    {
        let Some(threshold) = threshold else { continue };
        sheet.add(watch.alarm(name, key, threshold, &usage(name, metric)));
    }
    let latency = alarms.latency.map(|latency| latency.0);
    for (key, threshold, metric, statistic) in [
        ("errors", alarms.errors, "HTTPCode_Target_5XX_Count", "Sum"),
        ("latency", latency, "TargetResponseTime", "p99"),
        ("unhealthy", alarms.unhealthy, "UnHealthyHostCount", "Maximum"),
    ] {
        let Some(threshold) = threshold else { continue };
        let Some(route) = route else {
            uncounted(key, section.join("alarms").join(key), service, sheet);
            continue;
        };
        for group in shift::groups(name, service) {
            let metric = answers(metric, statistic, &targets(route, &group));
            sheet.add(watch.alarm(&group, key, threshold, &metric));
        }
    }
}

/// The alarms of the load balancers. Targets are those of services: each target group has an alarm of its own,
/// which says where they fail.
pub(super) fn expand_balancers(
    document: &Document,
    albs: &BTreeMap<String, Alb>,
    routes: &BTreeMap<String, Route>,
    sheet: &mut Sheet,
) {
    for (name, alb) in albs {
        let Some(alarms) = &alb.alarms else { continue };
        let section = Path::of(["alb", name]);
        let watch = Watch { section: &section, notify: &alarms.notify };
        let dimensions = json!({ "LoadBalancer": format!("${{load-balancer.{name}.arn-suffix}}") });
        let latency = alarms.latency.map(|latency| latency.0);
        for (key, threshold, metric, statistic) in [
            ("errors", alarms.errors, "HTTPCode_ELB_5XX_Count", "Sum"),
            ("latency", latency, "TargetResponseTime", "p99"),
        ] {
            let Some(threshold) = threshold else { continue };
            let metric = answers(metric, statistic, &dimensions);
            sheet.add(watch.alarm(&format!("alb-{name}"), key, threshold, &metric));
        }
        let Some(threshold) = alarms.unhealthy else { continue };
        for (service, route) in routes.iter().filter(|(_, route)| route.alb == *name) {
            for group in shift::groups(service, &document.service[service]) {
                let metric = answers("UnHealthyHostCount", "Maximum", &targets(route, &group));
                let of = format!("alb-{name}-{group}");
                sheet.add(watch.alarm(&of, "unhealthy", threshold, &metric));
            }
        }
    }
}

/// The section whose alarms are made, and who hears of them.
struct Watch<'a> {
    section: &'a Path,
    notify: &'a BTreeSet<String>,
}

impl Watch<'_> {
    /// The alarm that `key` asks for.
    fn alarm(&self, of: &str, key: &str, threshold: u32, metric: &Json) -> Declaration {
        let keys = self.section.join("alarms");
        let mut alarm = Declaration::new("alarm", format!("{of}-{key}"), self.section)
            .with("period", 60)
            .with("evaluation-periods", MINUTES)
            .from("threshold", threshold, keys.join(key))
            .from("alarm-actions", json!(self.notify), keys.join("notify"))
            .from("ok-actions", json!(self.notify), keys.join("notify"));
        for (field, value) in metric.as_object().into_iter().flatten() {
            alarm = alarm.with(field, value.clone());
        }
        alarm
    }
}

/// What the tasks of the service `name` use, in per cent of what they reserve.
fn usage(name: &str, metric: &str) -> Json {
    let service = format!("${{service.{name}.name}}");
    json!({
        "namespace": "AWS/ECS", "metric-name": metric, "statistic": "Average",
        "comparison-operator": "GreaterThanThreshold",
        "dimensions": { "ClusterName": NAME, "ServiceName": service },
    })
}

/// The dimensions of a target group behind a load balancer.
fn targets(route: &Route, group: &str) -> Json {
    let (balancer, group) = route.suffixes(group);
    json!({ "LoadBalancer": balancer, "TargetGroup": group })
}

/// What a load balancer counts of answers and targets. No data means no requests.
fn answers(metric: &str, statistic: &str, dimensions: &Json) -> Json {
    let is_percentile = statistic.starts_with('p');
    let field = if is_percentile { "extended-statistic" } else { "statistic" };
    // Targets are counted, answers are measured.
    let operator = match metric {
        "UnHealthyHostCount" => "GreaterThanOrEqualToThreshold",
        _ => "GreaterThanThreshold",
    };
    json!({
        "namespace": "AWS/ApplicationELB", "metric-name": metric, (field): statistic,
        "comparison-operator": operator, "treat-missing-data": "notBreaching",
        "dimensions": dimensions,
    })
}
