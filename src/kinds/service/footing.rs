//! Whether a service and its task definition agree on what the tasks run on. The spec is checked by it.

use super::listening::Unheard;
use crate::address::Path;
use crate::kinds::types::capacity::is_fargate;
use crate::value::Value;

/// Everything on which `service` and `task` do not agree. CreateService: "Network Configuration must be
/// provided when networkMode 'awsvpc' is specified", and its like.
pub fn disagreements(service: &Value, task: &Value) -> Vec<Unheard> {
    let mut found = Vec::new();
    let mut tell = |field: &str, title: String, hint: &str| {
        found.push(Unheard { way: Path::of([field]), title, hint: hint.to_owned() });
    };
    if let Some(mode) = task.text("network-mode") {
        let has = matches!(service.get("network"), Some(Value::Map(_)));
        if mode == "awsvpc" && !has && !runs_on_fargate(service) {
            let title = "tasks with addresses of their own need subnets".to_owned();
            tell("network", title, "set `network.subnets` and `network.security-groups`");
        }
        if mode != "awsvpc" && has {
            let title =
                format!("tasks in the network mode `{mode}` have no addresses of their own");
            tell("network", title, "leave `network` out");
        }
    }
    if is_before_volumes(service) && has_files(task) {
        let title = "Fargate mounts EFS from platform version 1.4.0 on".to_owned();
        tell("platform-version", title, "leave `platform-version` out");
    }
    let Some(Value::List(compatible)) = task.get("requires-compatibilities") else { return found };
    let fits = |word: &str| compatible.iter().any(|one| one.as_text() == Some(word));
    let field = match service.get("launch-type") {
        Some(Value::Text(_)) => "launch-type",
        _ => "capacity-provider-strategy",
    };
    let (runs, word) = match runs_on_fargate(service) {
        true => ("Fargate", "FARGATE"),
        false if runs_on_managed(service) => ("instances that ECS manages", "MANAGED_INSTANCES"),
        false if runs_on_instances(service) => ("instances", "EC2"),
        false => return found,
    };
    if !fits(word) && !(word == "EC2" && (fits("MANAGED_INSTANCES") || fits("EXTERNAL"))) {
        let title = format!("the task definition is not made for {runs}");
        tell(field, title, &format!("let its `requires-compatibilities` have `{word}`"));
    }
    found
}

/// Whether the platform is older than EBS and EFS on Fargate.
fn is_before_volumes(service: &Value) -> bool {
    let old = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];
    service.text("platform-version").is_some_and(|version| old.contains(&version))
}

/// Whether the tasks mount a file system of EFS.
fn has_files(task: &Value) -> bool {
    match task.get("volumes") {
        Some(Value::Map(volumes)) => {
            volumes.values().any(|volume| matches!(volume.get("efs"), Some(Value::Map(_))))
        }
        _ => false,
    }
}

fn providers(service: &Value) -> Vec<&Value> {
    match service.get("capacity-provider-strategy") {
        Some(Value::List(shares)) => {
            shares.iter().filter_map(|share| share.get("capacity-provider")).collect()
        }
        _ => Vec::new(),
    }
}

fn runs_on_fargate(service: &Value) -> bool {
    service.text("launch-type") == Some("FARGATE")
        || providers(service).iter().any(|one| one.as_text().is_some_and(is_fargate))
}

fn runs_on_managed(service: &Value) -> bool {
    let is_managed = |one: &&Value| one.outputs().iter().any(|it| it.of.kind == "managed-capacity");
    service.text("launch-type") == Some("MANAGED_INSTANCES")
        || providers(service).iter().any(is_managed)
}

fn runs_on_instances(service: &Value) -> bool {
    service.text("launch-type") == Some("EC2") || !providers(service).is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn told(service: &Json, mode: &str, compatible: &str) -> String {
        let task = json!({ "network-mode": mode, "requires-compatibilities": [compatible] });
        let found =
            disagreements(&Value::lift(service.clone()).unwrap(), &Value::lift(task).unwrap());
        let line = |it: &Unheard| format!("{}: {}", it.way, it.title);
        found.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_service_fits_its_task_definition() {
        let network = json!({ "subnets": ["subnet-1"] });
        let own = json!([{ "capacity-provider": "${capacity-provider.own.name}", "weight": 1 }]);
        let bridge = json!({ "capacity-provider-strategy": own });
        let awsvpc = json!({ "capacity-provider-strategy": own, "network": network });
        let fargate = json!({ "launch-type": "FARGATE", "network": network });
        assert_eq!(told(&bridge, "bridge", "EC2"), "");
        assert_eq!(told(&awsvpc, "awsvpc", "EC2"), "");
        assert_eq!(told(&fargate, "awsvpc", "FARGATE"), "");
        let theirs = json!([{ "capacity-provider": "${managed-capacity.own.name}", "weight": 1 }]);
        let managed = json!({ "capacity-provider-strategy": theirs, "network": network });
        assert_eq!(told(&managed, "awsvpc", "MANAGED_INSTANCES"), "");
        insta::assert_snapshot!(told(&managed, "awsvpc", "EC2"), @"capacity-provider-strategy: the task definition is not made for instances that ECS manages");
        insta::assert_snapshot!(told(&bridge, "awsvpc", "EC2"), @"network: tasks with addresses of their own need subnets");
        insta::assert_snapshot!(told(&awsvpc, "bridge", "EC2"), @"network: tasks in the network mode `bridge` have no addresses of their own");
        insta::assert_snapshot!(told(&awsvpc, "awsvpc", "FARGATE"), @"capacity-provider-strategy: the task definition is not made for instances");
        insta::assert_snapshot!(told(&fargate, "awsvpc", "EC2"), @"launch-type: the task definition is not made for Fargate");
    }
}
