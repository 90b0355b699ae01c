//! `[service.x.alarms]`: alarms of CloudWatch on what a service's tasks use, and on how they answer.

use serde_json::{Value as Json, json};

use super::cluster::NAME;
use super::declaration::Declaration;
use super::route::{Lead, Route, counted};
use super::scaling::uncounted;
use super::service::Service;
use super::sheet::Sheet;
use super::shift;
use crate::address::Path;

/// Minutes in which something must be so.
const MINUTES: u32 = 3;

/// The alarms of the service `name`.
pub(super) fn expand(name: &str, service: &Service, routes: &[Route], sheet: &mut Sheet) {
    let Some(alarms) = &service.alarms else { return };
    let keys = Path::of(["service", name, "alarms"]);
    let usage = |metric: &str| {
        let service = format!("${{service.{name}.name}}");
        json!({
            "namespace": "AWS/ECS", "metric-name": metric, "statistic": "Average",
            "comparison-operator": "GreaterThanThreshold",
            "dimensions": { "ClusterName": NAME, "ServiceName": service },
        })
    };
    let latency = alarms.latency.map(|latency| latency.0);
    let groups = shift::groups(name, service);
    let of_tasks = [
        ("cpu", alarms.cpu, usage("CPUUtilization")),
        ("memory", alarms.memory, usage("MemoryUtilization")),
    ];
    let route = counted(routes);
    // Who takes connections has tasks that are healthy, and others, too.
    let watched = route.or(routes.first().filter(|_| routes.len() == 1));
    let of_answers = |group| {
        [
            ("errors", alarms.errors, answers(group, route, "HTTPCode_Target_5XX_Count", "Sum")),
            ("latency", latency, answers(group, route, "TargetResponseTime", "p99")),
            (
                "unhealthy",
                alarms.unhealthy,
                answers(group, watched, "UnHealthyHostCount", "Maximum"),
            ),
        ]
        .map(move |(key, threshold, metric)| (group, key, threshold, metric))
    };
    let of_tasks = of_tasks.map(|(key, threshold, metric)| (name, key, threshold, Some(metric)));
    for (of, key, threshold, metric) in
        of_tasks.into_iter().chain(groups.iter().map(String::as_str).flat_map(of_answers))
    {
        let Some(threshold) = threshold else { continue };
        let Some(metric) = metric else {
            uncounted(key, keys.join(key), (service, routes), sheet);
            continue;
        };
        let mut alarm =
            Declaration::new("alarm", format!("{of}-{key}"), &Path::of(["service", name]))
                .with("period", 60)
                .with("evaluation-periods", MINUTES)
                .from("threshold", threshold, keys.join(key))
                .from("alarm-actions", json!(alarms.notify), keys.join("notify"))
                .from("ok-actions", json!(alarms.notify), keys.join("notify"));
        for (field, value) in metric.as_object().into_iter().flatten() {
            alarm = alarm.with(field, value.clone());
        }
        sheet.add(alarm);
    }
}

/// What a load balancer counts of the service's answers. No data means no requests.
fn answers(of: &str, route: Option<&Route>, metric: &str, statistic: &str) -> Option<Json> {
    let route = route?;
    // Of two target groups the first has the alarms of the service's name.
    let (balancer, group) =
        route.suffixes(if of == route.service { route.group.as_str() } else { of });
    let namespace = match route.lead {
        Lead::Requests(_) => "AWS/ApplicationELB",
        Lead::Port(..) => "AWS/NetworkELB",
    };
    let is_percentile = statistic.starts_with('p');
    let field = if is_percentile { "extended-statistic" } else { "statistic" };
    // Targets are counted, answers are measured.
    let operator = match metric {
        "UnHealthyHostCount" => "GreaterThanOrEqualToThreshold",
        _ => "GreaterThanThreshold",
    };
    Some(json!({
        "namespace": namespace, "metric-name": metric, (field): statistic,
        "comparison-operator": operator, "treat-missing-data": "notBreaching",
        "dimensions": { "LoadBalancer": balancer, "TargetGroup": group },
    }))
}
