//! Service discovery: the name in Cloud Map under which ECS puts a service's tasks. Page "ServiceRegistry".

use std::collections::BTreeSet;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Service;
use crate::address::Path;
use crate::cloud::aws::numbers::int;
use crate::kind::Check;
use crate::kinds::service::listening::Unheard;
use crate::value::Value;

/// Where the tasks are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct ServiceRegistry {
    /// The ARN of the Cloud Map service.
    #[schemars(extend("examples" = ["${discovery-service.web.arn}"]))]
    pub registry_arn: String,
    /// The container whose port the SRV records tell; not for A records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// The port that SRV records tell of tasks with addresses of their own, in place of a container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// E0386: what ECS refuses.
pub(super) fn check(spec: &Service, check: &mut Check<'_>) {
    if spec.service_registries.len() > 1 {
        let title = "a service is found in one registry at most";
        check.error("E0386", "service-registries", title);
    }
    for (index, registry) in spec.service_registries.iter().enumerate() {
        let place = |field: &str| format!("service-registries.{index}.{field}");
        let ServiceRegistry { container_name, container_port, port, .. } = registry;
        match (container_name, container_port, port) {
            (None, None, _) | (Some(_), Some(_), None) => {}
            (Some(_), None, _) => {
                let title = "which port of the container is meant is not said";
                check.error_with("E0386", &place("container-name"), title, "add `container-port`");
            }
            (None, Some(_), _) => {
                let title = "which container the port belongs to is not said";
                check.error_with("E0386", &place("container-port"), title, "add `container-name`");
            }
            (Some(_), Some(_), Some(_)) => {
                let title = "the port is said twice";
                let hint = "leave `port` out, or `container-name` and `container-port`";
                check.error_with("E0386", &place("port"), title, hint);
            }
        }
    }
}

/// Every container, and port of one, that a registry is to tell and `task` does not have. CreateService: "the
/// container web did not have a container port 99 defined".
pub fn untold(service: &Value, task: &Value) -> Vec<Unheard> {
    let Some(Value::List(registries)) = service.get("service-registries") else {
        return Vec::new();
    };
    let Some(containers) = task.get("containers") else { return Vec::new() };
    let wrong = |(index, registry): (usize, &Value)| {
        let (name, port) = (registry.text("container-name")?, registry.number("container-port")?);
        let index = index.to_string();
        let tell = |field: &str, title: String, hint: &str| {
            let way = Path::of(["service-registries", &index, field]);
            Some(Unheard { way, title, hint: hint.to_owned() })
        };
        let Some(container) = containers.get(name) else {
            let title = format!("the task has no container `{name}`");
            return tell("container-name", title, "name one that there is");
        };
        let ports = match container.get("ports") {
            Some(Value::List(ports)) => ports.as_slice(),
            _ => &[],
        };
        if ports.iter().any(|it| it.number("container-port") == Some(port)) {
            return None;
        }
        let title = format!("`{name}` does not listen on port {port}");
        tell("container-port", title, "write a port that the container has")
    };
    registries.iter().enumerate().filter_map(wrong).collect()
}

/// As the API takes them.
pub(super) fn write(registries: &BTreeSet<ServiceRegistry>) -> Vec<sdk::ServiceRegistry> {
    let write = |registry: &ServiceRegistry| {
        let ServiceRegistry { registry_arn, container_name, container_port, port } = registry;
        sdk::ServiceRegistry::builder()
            .registry_arn(registry_arn)
            .set_container_name(container_name.clone())
            .set_container_port(container_port.map(|port| int(port.into())))
            .set_port(port.map(|port| int(port.into())))
            .build()
    };
    registries.iter().map(write).collect()
}

/// As the API tells them.
pub(super) fn read(found: &[sdk::ServiceRegistry]) -> BTreeSet<ServiceRegistry> {
    let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
    let read = |found: &sdk::ServiceRegistry| ServiceRegistry {
        registry_arn: found.registry_arn().unwrap_or_default().to_owned(),
        container_name: found.container_name().map(str::to_owned),
        container_port: port(found.container_port()),
        port: port(found.port()),
    };
    found.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds::checked::flaws;

    fn service(registries: &Json) -> Json {
        json!({
            "name": "api", "cluster": "c", "task-definition": "t", "launch-type": "EC2",
            "service-registries": registries,
        })
    }

    #[test]
    fn what_ecs_would_refuse_is_refused() {
        let told = |registries: &Json| flaws::<Service>(service(registries));
        assert_eq!(told(&json!([{ "registry-arn": "a" }])), "");
        insta::assert_snapshot!(told(&json!([{ "registry-arn": "a" }, { "registry-arn": "b" }])), @"E0386 service-registries: a service is found in one registry at most");
        insta::assert_snapshot!(told(&json!([{ "registry-arn": "a", "container-name": "web" }])), @"E0386 service-registries.0.container-name: which port of the container is meant is not said");
        insta::assert_snapshot!(told(&json!([{ "registry-arn": "a", "container-port": 80 }])), @"E0386 service-registries.0.container-port: which container the port belongs to is not said");
        let both = json!([
            { "registry-arn": "a", "container-name": "web", "container-port": 80, "port": 80 },
        ]);
        insta::assert_snapshot!(told(&both), @"E0386 service-registries.0.port: the port is said twice");
    }

    #[test]
    fn the_container_and_the_port_must_be_there() {
        let told = |container: &str, port: u16| {
            let registry = json!([{ "registry-arn": "a", "container-name": container, "container-port": port }]);
            let ports = json!([{ "container-port": 80 }]);
            let task = json!({ "containers": { "web": { "ports": ports } } });
            let lift = |json: Json| Value::lift(json).unwrap();
            let found = untold(&lift(service(&registry)), &lift(task));
            let line = |it: &Unheard| format!("{}: {}; {}", it.way, it.title, it.hint);
            found.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(told("web", 80), "");
        insta::assert_snapshot!(told("wbe", 80), @"service-registries.0.container-name: the task has no container `wbe`; name one that there is");
        insta::assert_snapshot!(told("web", 81), @"service-registries.0.container-port: `web` does not listen on port 81; write a port that the container has");
    }
}
