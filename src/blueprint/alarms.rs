//! `[service.x.alarms]`, `[alb.x.alarms]` and `[nlb.x.alarms]`: alarms of CloudWatch on what a service's
//! tasks use, and on how services and load balancers answer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Document;
use super::balancers::{Balancer, Balancers};
use super::cluster::NAME;
use super::declaration::Declaration;
use super::measure::Seconds;
use super::route::{Route, counted, watched};
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

/// What somebody is to hear of: alarms that go off when something was so for three minutes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NlbAlarms {
    /// So many tasks of a service behind it fail their health checks, or more.
    #[schemars(range(min = 1))]
    pub unhealthy: Option<u32>,
    /// ARNs of SNS topics that hear of it, and of its end.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "topic"}))]
    pub notify: BTreeSet<String>,
}

/// The alarms of the service `name`.
pub(super) fn expand(name: &str, service: &Service, routes: &[Route], sheet: &mut Sheet) {
    let Some(alarms) = &service.alarms else { return };
    let section = Path::of(["service", name]);
    let watch = Watch { section: &section, notify: &alarms.notify };
    for (key, threshold, metric) in
        [("cpu", alarms.cpu, "CPUUtilization"), ("memory", alarms.memory, "MemoryUtilization")]
    {
        let Some(threshold) = threshold else { continue };
        sheet.add(watch.alarm(name, key, threshold, &usage(name, metric)));
    }
    let (route, watched) = (counted(routes), watched(routes));
    let latency = alarms.latency.map(|latency| latency.0);
    for (key, threshold, route, metric, statistic) in [
        ("errors", alarms.errors, route, "HTTPCode_Target_5XX_Count", "Sum"),
        ("latency", latency, route, "TargetResponseTime", "p99"),
        ("unhealthy", alarms.unhealthy, watched, "UnHealthyHostCount", "Maximum"),
    ] {
        let Some(threshold) = threshold else { continue };
        let Some(route) = route else {
            uncounted(key, section.join("alarms").join(key), (service, routes), sheet);
            continue;
        };
        for of in shift::groups(name, service) {
            // Of two target groups the first has the alarms of the service's name.
            let group = if of == route.service { &route.group } else { &of };
            sheet.add(watch.alarm(
                &of,
                key,
                threshold,
                &of_targets(route, group, metric, statistic),
            ));
        }
    }
}

/// The alarms of the load balancers.
pub(super) fn expand_balancers(
    document: &Document,
    balancers: &Balancers,
    routes: &BTreeMap<String, Vec<Route>>,
    sheet: &mut Sheet,
) {
    let routes: Vec<&Route> = routes.values().flatten().collect();
    for (name, alb) in &balancers.albs {
        let Some(alarms) = &alb.alarms else { continue };
        let balancer = Balancer::Application(name.clone());
        let section = balancer.section();
        let watch = Watch { section: &section, notify: &alarms.notify };
        let dimensions = json!({ "LoadBalancer": balancer.suffix() });
        let latency = alarms.latency.map(|latency| latency.0);
        for (key, threshold, metric, statistic) in [
            ("errors", alarms.errors, "HTTPCode_ELB_5XX_Count", "Sum"),
            ("latency", latency, "TargetResponseTime", "p99"),
        ] {
            let Some(threshold) = threshold else { continue };
            let metric = answers(balancer.namespace(), metric, statistic, &dimensions);
            sheet.add(watch.alarm(&balancer.group(), key, threshold, &metric));
        }
        watch.targets(&balancer, alarms.unhealthy, (document, &routes), sheet);
    }
    for (name, nlb) in &balancers.nlbs {
        let Some(alarms) = &nlb.alarms else { continue };
        let balancer = Balancer::Network(name.clone());
        let section = balancer.section();
        let watch = Watch { section: &section, notify: &alarms.notify };
        watch.targets(&balancer, alarms.unhealthy, (document, &routes), sheet);
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

    /// What is behind a load balancer: each target group has an alarm of its own, which says where tasks fail.
    fn targets(
        &self,
        balancer: &Balancer,
        least: Option<u32>,
        (document, routes): (&Document, &[&Route]),
        sheet: &mut Sheet,
    ) {
        let Some(least) = least else { return };
        for route in routes.iter().filter(|route| route.balancer == *balancer) {
            for group in route.groups(&document.service[&route.service]) {
                let metric = of_targets(route, &group, "UnHealthyHostCount", "Maximum");
                let of = format!("{}-{group}", balancer.group());
                sheet.add(self.alarm(&of, "unhealthy", least, &metric));
            }
        }
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

/// What a load balancer counts of a target group.
fn of_targets(route: &Route, group: &str, metric: &str, statistic: &str) -> Json {
    let (balancer, group) = route.suffixes(group);
    let dimensions = json!({ "LoadBalancer": balancer, "TargetGroup": group });
    answers(route.balancer.namespace(), metric, statistic, &dimensions)
}

/// What a load balancer counts of answers and targets. No data means no requests.
fn answers(namespace: &str, metric: &str, statistic: &str, dimensions: &Json) -> Json {
    let is_percentile = statistic.starts_with('p');
    let field = if is_percentile { "extended-statistic" } else { "statistic" };
    // Targets are counted, answers are measured.
    let operator = match metric {
        "UnHealthyHostCount" => "GreaterThanOrEqualToThreshold",
        _ => "GreaterThanThreshold",
    };
    json!({
        "namespace": namespace, "metric-name": metric, (field): statistic,
        "comparison-operator": operator, "treat-missing-data": "notBreaching",
        "dimensions": dimensions,
    })
}
