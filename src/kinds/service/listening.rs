//! Whether somebody listens where a service's target groups send their requests. The spec is checked by
//! it, and the simulator refuses by it what ECS refuses.

use crate::address::Path;
use crate::value::Value;

/// A target group whose requests nobody takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// The way to what is wrong in the service's declaration.
    pub way: Path,
    /// What is wrong.
    pub title: String,
    /// What there is.
    pub hint: String,
}

/// Every target group of `service` for which `task` has no container, or not its port. CreateService:
/// "the container web did not have a container port 99 defined".
pub fn unheard(service: &Value, task: &Value) -> Vec<Unheard> {
    let Some(Value::List(balancers)) = service.get("load-balancers") else { return Vec::new() };
    let each = balancers.iter().enumerate();
    each.filter_map(|(index, balancer)| wrong(index, balancer, task)).collect()
}

fn wrong(index: usize, balancer: &Value, task: &Value) -> Option<Unheard> {
    let (name, port) = (balancer.text("container-name")?, balancer.number("container-port")?);
    let containers = task.get("containers")?;
    let way = |field: &str| Path::of(["load-balancers", &index.to_string(), field]);
    let Some(container) = containers.get(name) else {
        let names: Vec<String> = containers.fields().map(|(name, _)| name.clone()).collect();
        return Some(Unheard {
            way: way("container-name"),
            title: format!("the task has no container `{name}`"),
            hint: format!("name one that there is: {}", names.join(", ")),
        });
    };
    let ports = match container.get("ports") {
        Some(Value::List(ports)) => ports.as_slice(),
        _ => &[],
    };
    // What a range stands for is ECS's affair.
    let numbers: Option<Vec<u64>> =
        ports.iter().map(|port| port.number("container-port")).collect();
    let numbers = numbers.filter(|numbers| !numbers.contains(&port))?;
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    Some(Unheard {
        way: way("container-port"),
        title: format!("`{name}` does not listen on port {port}"),
        hint: match numbers.as_slice() {
            [] => format!("say that `{name}` does: it has no port"),
            [only] => format!("write {only}, the only port of `{name}`"),
            several => format!("write one of the ports of `{name}`: {}", several.join(", ")),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn told(container: &str, port: u16, ports: &Json) -> String {
        let service = json!({ "load-balancers": [
            { "target-group-arn": "group", "container-name": container, "container-port": port },
        ]});
        let task = json!({ "containers": { "web": { "ports": ports }, "log": {} } });
        let found = unheard(&Value::lift(service).unwrap(), &Value::lift(task).unwrap());
        let line = |it: &Unheard| format!("{}: {}; {}", it.way, it.title, it.hint);
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_container_and_the_port_must_be_there() {
        let ports = json!([{ "container-port": 80 }, { "container-port": 81 }]);
        insta::assert_snapshot!(told("wbe", 80, &ports), @"load-balancers.0.container-name: the task has no container `wbe`; name one that there is: log, web");
        insta::assert_snapshot!(told("web", 99, &ports), @"load-balancers.0.container-port: `web` does not listen on port 99; write one of the ports of `web`: 80, 81");
        insta::assert_snapshot!(told("log", 99, &ports), @"load-balancers.0.container-port: `log` does not listen on port 99; say that `log` does: it has no port");
        assert_eq!(told("web", 81, &ports), "");
        assert_eq!(told("web", 99, &json!([{ "container-port-range": "90-99" }])), "");
    }
}
