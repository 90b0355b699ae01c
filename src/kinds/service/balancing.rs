//! The target groups of a service that moves from one to another.

use crate::value::Value;

/// See [`crate::kind::Kind::between`]: the new tasks register with the old target groups as well, so
/// that the load balancer finds them wherever it looks, until it looks in the new ones only.
pub(super) fn between(was: &Value, spec: &Value) -> Option<Value> {
    let (Value::List(old), Value::List(new)) = (was.get(FIELD)?, spec.get(FIELD)?) else {
        return None;
    };
    let group = |balancer: &Value| balancer.get(GROUP).cloned();
    let gone = old.iter().filter(|one| !new.iter().any(|other| group(other) == group(one)));
    let kept: Vec<Value> = gone.filter_map(|one| stand_in(one, old, new)).collect();
    if kept.is_empty() || new.len() + kept.len() > MOST_GROUPS {
        return None;
    }
    let mut between = spec.clone();
    between.set(FIELD, Value::List(new.iter().cloned().chain(kept).collect()));
    Some(between)
}

/// What the new tasks offer in the target group of `gone`: the same container, at the port at which it
/// listens now. `None` when it cannot be said which container that is.
fn stand_in(gone: &Value, old: &[Value], new: &[Value]) -> Option<Value> {
    let named = new.iter().find(|one| one.text(CONTAINER) == gone.text(CONTAINER));
    let answering = match (named, old, new) {
        (Some(named), _, _) => named,
        (None, [_], [only]) => only,
        _ => return None,
    };
    let mut stand_in = answering.clone();
    stand_in.set(GROUP, gone.get(GROUP)?.clone());
    Some(stand_in)
}

/// How many target groups a service has at most: quota "Target groups per service".
const MOST_GROUPS: usize = 5;
const FIELD: &str = "load-balancers";
const GROUP: &str = "target-group-arn";
const CONTAINER: &str = "container-name";

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn service(balancers: &Json) -> Value {
        Value::lift(json!({ "name": "web", "load-balancers": balancers })).unwrap()
    }

    fn balancer(group: &str, container: &str, port: u16) -> Json {
        json!({ "target-group-arn": group, "container-name": container, "container-port": port })
    }

    #[test]
    fn b10_new_tasks_answer_in_both_groups() {
        let was = service(&json!([balancer("old", "web", 80)]));
        let spec = service(&json!([balancer("${target-group.web.arn}", "web", 8080)]));
        let both =
            json!(
                [balancer("${target-group.web.arn}", "web", 8080), balancer("old", "web", 8080),]
            );
        assert_eq!(between(&was, &spec), Some(service(&both)));
        let renamed = service(&json!([balancer("new", "app", 8080)]));
        let both = json!([balancer("new", "app", 8080), balancer("old", "app", 8080)]);
        assert_eq!(between(&was, &renamed), Some(service(&both)));
    }

    #[test]
    fn a_port_or_a_group_more_takes_nothing_away() {
        let was = service(&json!([balancer("a", "web", 80)]));
        let spec = service(&json!([balancer("a", "web", 8080), balancer("b", "web", 8080)]));
        assert_eq!(between(&was, &spec), None);
        assert_eq!(between(&spec, &service(&json!([]))), None);
    }
}
