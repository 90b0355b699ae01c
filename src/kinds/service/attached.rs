//! Whether a service says of each volume that its task definition leaves to it what that is, and of no other.
//! The spec is checked by it, and the simulator refuses by it what ECS refuses.

use super::listening::Unheard;
use crate::address::Path;
use crate::value::Value;

/// Every volume of which only one of `service` and `task` speaks. CreateService: "The name of the volume must
/// match the name from the task definition".
pub fn unattached(service: &Value, task: &Value) -> Vec<Unheard> {
    let of_service = fields(service);
    let launched =
        |volume: &Value| matches!(volume.get("configured-at-launch"), Some(Value::Bool(true)));
    let of_task: Vec<&str> = match task.get("volumes") {
        Some(Value::Map(volumes)) => {
            let left = volumes.iter().filter(|(_, volume)| launched(volume));
            left.map(|(name, _)| name.as_str()).collect()
        }
        _ => Vec::new(),
    };
    let unknown = of_service.iter().filter(|name| !of_task.contains(name)).map(|name| Unheard {
        way: Path::of(["volumes", name]),
        title: format!("the task definition has no volume `{name}` that is configured at launch"),
        hint: format!("let it have `volumes.{name} = {{ configured-at-launch = true }}`"),
    });
    let unsaid = of_task.iter().filter(|name| !of_service.contains(name)).map(|name| Unheard {
        way: Path::of(["volumes"]),
        title: format!("the task definition leaves it to the service what the volume `{name}` is"),
        hint: format!("add `volumes.{name}`"),
    });
    unknown.chain(unsaid).collect()
}

fn fields(service: &Value) -> Vec<&str> {
    match service.get("volumes") {
        Some(Value::Map(volumes)) => volumes.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn told(of_service: &Json, of_task: &Json) -> String {
        let lift = |volumes: &Json| Value::lift(json!({ "volumes": volumes })).unwrap();
        let found = unattached(&lift(of_service), &lift(of_task));
        let line = |it: &Unheard| format!("{}: {}; {}", it.way, it.title, it.hint);
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn both_speak_of_the_same_volumes() {
        let ebs = json!({ "data": { "role-arn": "r", "size-in-gib": 20 } });
        let left = json!({ "data": { "configured-at-launch": true }, "tmp": {} });
        assert_eq!(told(&ebs, &left), "");
        insta::assert_snapshot!(told(&json!({}), &left), @"volumes: the task definition leaves it to the service what the volume `data` is; add `volumes.data`");
        insta::assert_snapshot!(told(&ebs, &json!({ "data": {} })), @"volumes.data: the task definition has no volume `data` that is configured at launch; let it have `volumes.data = { configured-at-launch = true }`");
    }
}
