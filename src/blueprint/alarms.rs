//! `[service.x.alarms]` and `[alb.x.alarms]`: alarms of CloudWatch on what a service's tasks use, and on how
//! services and load balancers answer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Document;
use super::alb::Alb;
use super::balancers::Balancer;
use super::cluster::NAME;
use super::declaration::Declaration;
use super::measure::Seconds;
use super::route::{Lead, Route, counted};
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
    let route = counted(routes);
    // Who takes connections has tasks that are healthy, and others, too.
    let watched = route.or(routes.first().filter(|_| routes.len() == 1));
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

/// The alarms of the load balancers. Targets are those of services: each target group has an alarm of its own,
/// which says where they fail.
pub(super) fn expand_balancers(
    document: &Document,
    albs: &BTreeMap<String, Alb>,
    routes: &BTreeMap<String, Vec<Route>>,
    sheet: &mut Sheet,
) {
    for (name, alb) in albs {
        let Some(alarms) = &alb.alarms else { continue };
        let balancer = Balancer::Application(name.clone());
        let section = balancer.section();
        let watch = Watch { section: &section, notify: &alarms.notify };
        let dimensions = json!({ "LoadBalancer": format!("${{load-balancer.{name}.arn-suffix}}") });
        let latency = alarms.latency.map(|latency| latency.0);
        for (key, threshold, metric, statistic) in [
            ("errors", alarms.errors, "HTTPCode_ELB_5XX_Count", "Sum"),
            ("latency", latency, "TargetResponseTime", "p99"),
        ] {
            let Some(threshold) = threshold else { continue };
            let metric = answers("AWS/ApplicationELB", metric, statistic, &dimensions);
            sheet.add(watch.alarm(&format!("alb-{name}"), key, threshold, &metric));
        }
        let Some(threshold) = alarms.unhealthy else { continue };
        for route in routes.values().flatten().filter(|route| route.balancer == balancer) {
            for group in route.groups(&document.service[&route.service]) {
                let metric = of_targets(route, &group, "UnHealthyHostCount", "Maximum");
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

/// What a load balancer counts of a target group.
fn of_targets(route: &Route, group: &str, metric: &str, statistic: &str) -> Json {
    let namespace = match route.lead {
        Lead::Requests(_) => "AWS/ApplicationELB",
        Lead::Port(..) => "AWS/NetworkELB",
    };
    let (balancer, group) = route.suffixes(group);
    let dimensions = json!({ "LoadBalancer": balancer, "TargetGroup": group });
    answers(namespace, metric, statistic, &dimensions)
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
