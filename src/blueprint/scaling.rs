//! `count = { min = 3, max = 12, cpu = 60 }`: the scalable target of a service, and the policies that scale
//! it.

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::route::{Lead, Route, counted, is_public, wants_alb};
use super::service::{Count, Service};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// How many tasks a service has, or begins with; and which key says so.
pub(super) fn count(service: &Service, section: &Path) -> (u32, Path) {
    let (count, key) = (service.count.unwrap_or_default(), section.join("count"));
    match (count.tasks, count.max) {
        (None, Some(_)) => (least(count), key.join("min")),
        (tasks, _) => (tasks.unwrap_or(1), key),
    }
}

fn least(count: Count) -> u32 {
    count.min.unwrap_or(1)
}

/// What scales the service `name`, if something does.
pub(super) fn expand(name: &str, service: &Service, routes: &[Route], sheet: &mut Sheet) {
    let keys = Path::of(["service", name, "count"]);
    let Some(count) = service.count else { return };
    let Some(most) = bound(count, &keys, sheet) else { return };
    let target = Declaration::new("scalable-target", name, &Path::of(["service", name]))
        .with("service", format!("${{service.{name}.arn}}"))
        .from("min-capacity", least(count), keys.join("min"))
        .from("max-capacity", most, keys.join("max"));
    let resource = target.output("resource-id");
    sheet.add(target);
    let mut follow = |key: &str, metric: Json, value: u32| {
        let tracking = json!({ "target-value": value, "predefined-metric": metric });
        let section = Path::of(["service", name]);
        let policy = Declaration::new("scaling-policy", format!("{name}-{key}"), &section)
            .with("resource-id", resource.as_str())
            .from("target-tracking", tracking, keys.join(key));
        sheet.add(policy);
    };
    if let Some(share) = count.cpu {
        follow("cpu", json!({ "type": "ECSServiceAverageCPUUtilization" }), share);
    }
    if let Some(share) = count.memory {
        follow("memory", json!({ "type": "ECSServiceAverageMemoryUtilization" }), share);
    }
    let Some(requests) = count.requests else { return };
    match counted(routes) {
        Some(route) => {
            let (balancer, group) = route.suffixes(&route.group);
            let label = format!("{balancer}/{group}");
            let metric = json!({ "type": "ALBRequestCountPerTarget", "resource-label": label });
            follow("requests", metric, requests);
        }
        None => uncounted("requests", keys.join("requests"), (service, routes), sheet),
    }
}

/// The most tasks, if they are scaled; what is wrong with the bounds otherwise is told.
fn bound(count: Count, keys: &Path, sheet: &mut Sheet) -> Option<u32> {
    let Count { tasks, min, max, cpu, memory, requests } = count;
    let scales = [("cpu", cpu), ("memory", memory), ("requests", requests), ("min", min)];
    let said = scales.into_iter().find(|(_, value)| value.is_some()).map(|(key, _)| key);
    let fault = match (tasks, max, said) {
        (None, Some(_), _) => return max,
        (_, None, None) => return None,
        (None, None, Some(key)) => {
            Diagnostic::error("E0280", "how far the tasks are scaled is not said")
                .at(keys.join(key), "")
                .hint("add `max`, the most that there may be")
        }
        (Some(_), _, _) => {
            let title = "the tasks are either so many, or scaled";
            let key = said.filter(|_| max.is_none()).unwrap_or("max");
            Diagnostic::error("E0280", title)
                .at(keys.join(key), "")
                .hint("leave out `tasks`, or everything else")
        }
    };
    sheet.fault(fault);
    None
}

/// Says that only a load balancer counts what `key` is about, and there is none. What is wrong with one has
/// been said.
pub(super) fn uncounted(
    key: &str,
    keys: Path,
    (service, routes): (&Service, &[Route]),
    sheet: &mut Sheet,
) {
    let asked = routes.iter().filter(|route| matches!(route.lead, Lead::Requests(_))).count();
    let title = match (routes, asked) {
        ([], _) if is_public(service) => return,
        ([], _) => format!("no load balancer counts `{key}`: the service is behind none"),
        (_, 0) if wants_alb(service) => return,
        (_, 0) => format!("a network load balancer does not count `{key}`"),
        _ => format!("in which of the service's routes `{key}` is counted is not said"),
    };
    let hint = match routes {
        [] => "leave it out, or give the service `http`",
        _ => "leave it out, or let the route that counts be `http`",
    };
    sheet.fault(Diagnostic::error("E0284", title).at(keys, "").hint(hint));
}
