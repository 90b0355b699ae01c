//! The target groups of a service that moves from one to another.

use crate::value::Value;

/// See [`crate::kind::Kind::between`]: the new tasks register with the old target groups as well, so
/// that the load balancer finds them wherever it looks, until it looks in the new ones only.
pub(super) fn between(was: &Value, spec: &Value) -> Option<Value> {
    let (Value::List(old), Value::List(new)) = (was.get(FIELD)?, spec.get(FIELD)?) else {
        return None;
    };
    // Where ECS moves the requests itself, it knows where the old tasks are.
    if new.iter().any(|balancer| balancer.get(ADVANCED).is_some()) {
        return None;
    }
    let stays = |group: &Value| new.iter().any(|other| other.get(GROUP) == Some(group));
    let each = old.iter().flat_map(|one| groups(one).map(move |group| (one, group)));
    let gone = each.filter(|(_, group)| !stays(group));
    let kept = gone.filter_map(|(one, group)| stand_in(one, group, old, new));
    let kept: Vec<Value> = kept.collect();
    if kept.is_empty() || new.len() + kept.len() > MOST_GROUPS {
        return None;
    }
    let mut between = spec.clone();
    between.set(FIELD, Value::List(new.iter().cloned().chain(kept).collect()));
    Some(between)
}

/// The target groups in which a service's tasks may be: its own, and the other one.
fn groups(balancer: &Value) -> impl Iterator<Item = &Value> {
    let alternate = balancer.get(ADVANCED).and_then(|advanced| advanced.get(ALTERNATE));
    balancer.get(GROUP).into_iter().chain(alternate)
}

/// The target groups `wanted`, while ECS moves the tasks that serve from one of a pair to the other: a
/// group that stands in its alternate's place `now` stays there.
pub fn moved(wanted: &Value, now: &Value) -> Option<Value> {
    let (Value::List(wanted), Value::List(now)) = (wanted, now) else { return None };
    let placed = |balancer: &Value| {
        let advanced = balancer.get(ADVANCED)?;
        let (own, other) = (balancer.get(GROUP)?, advanced.get(ALTERNATE)?);
        let mut pairs = now.iter().filter_map(|it| Some((it.get(GROUP)?, it.get(ADVANCED)?)));
        let has_moved = |(first, second): (&Value, &Value)| {
            let second = second.get(ALTERNATE);
            (first == other && second != Some(other)) || (second == Some(own) && first != own)
        };
        pairs.any(has_moved).then(|| turn(balancer)).flatten()
    };
    let each = wanted.iter().map(|one| placed(one).unwrap_or_else(|| one.clone()));
    Some(Value::List(each.collect()))
}

/// The target groups `balancers`, each of which has changed places with its alternate; `None` if none has
/// one.
pub fn turned(balancers: &Value) -> Option<Value> {
    let Value::List(each) = balancers else { return None };
    let has_pairs = each.iter().any(|balancer| balancer.get(ADVANCED).is_some());
    let turned = each.iter().map(|one| turn(one).unwrap_or_else(|| one.clone()));
    has_pairs.then(|| Value::List(turned.collect()))
}

fn turn(balancer: &Value) -> Option<Value> {
    let mut advanced = balancer.get(ADVANCED)?.clone();
    let (own, other) = (balancer.get(GROUP)?.clone(), advanced.get(ALTERNATE)?.clone());
    let mut turned = balancer.clone();
    advanced.set(ALTERNATE, own);
    turned.set(GROUP, other);
    turned.set(ADVANCED, advanced);
    Some(turned)
}

/// The rules by which requests come to a service whose deployments move them, each with the target group
/// of the revision that serves and the other one.
pub fn rules(service: &Value) -> Vec<(&str, &str, &str)> {
    let Some(Value::List(balancers)) = service.get(FIELD) else { return Vec::new() };
    let each = balancers.iter().flat_map(|balancer| {
        let advanced = balancer.get(ADVANCED)?;
        let groups = (balancer.text(GROUP)?, advanced.text(ALTERNATE)?);
        let rules = ["production-listener-rule", "test-listener-rule"];
        let rules = rules.into_iter().filter_map(|field| advanced.text(field));
        Some(rules.map(move |rule| (rule, groups.0, groups.1)).collect::<Vec<_>>())
    });
    each.flatten().collect()
}

/// What the new tasks offer in the target group `group` of `gone`: the same container, at the port at which it
/// listens now. `None` when it cannot be said which container that is.
fn stand_in(gone: &Value, group: &Value, old: &[Value], new: &[Value]) -> Option<Value> {
    let same = |field: &'static str| move |one: &&Value| one.get(field) == gone.get(field);
    let mut named = new.iter().filter(same(CONTAINER));
    // Of a container that answers at several ports, the one at the same port stands in.
    let named = named.clone().find(same(PORT)).or_else(|| named.next());
    let answering = match (named, old, new) {
        (Some(named), _, _) => named,
        (None, [_], [only]) => only,
        _ => return None,
    };
    let mut stand_in = answering.clone();
    stand_in.set(GROUP, group.clone());
    Some(stand_in)
}

/// How many target groups a service has at most: quota "Target groups per service".
const MOST_GROUPS: usize = 5;
const FIELD: &str = "load-balancers";
const GROUP: &str = "target-group-arn";
const CONTAINER: &str = "container-name";
const PORT: &str = "container-port";
const ADVANCED: &str = "advanced";
const ALTERNATE: &str = "alternate-target-group-arn";

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

    /// Of several target groups each has its stand-in: the same container at the same port.
    #[test]
    fn b10_each_port_has_its_own_stand_in() {
        let was = service(&json!([balancer("a", "web", 80), balancer("old", "web", 1883)]));
        let spec = service(&json!([balancer("a", "web", 80), balancer("new", "web", 1883)]));
        let all = json!([
            balancer("a", "web", 80),
            balancer("new", "web", 1883),
            balancer("old", "web", 1883),
        ]);
        assert_eq!(between(&was, &spec), Some(service(&all)));
    }

    fn pair(group: &str, alternate: &str) -> Json {
        let mut pair = balancer(group, "web", 80);
        pair["advanced"] = json!({ "alternate-target-group-arn": alternate });
        pair
    }

    /// B4: which of the two groups has the tasks that serve is for ECS to say.
    #[test]
    fn b4_groups_that_have_changed_places_stay_so() {
        let list = |balancers: &Json| Value::lift(balancers.clone()).unwrap();
        let left = |wanted: Json, now: Json| {
            moved(&list(&json!([wanted])), &list(&json!([now]))).map(|it| it.to_source()[0].clone())
        };
        assert_eq!(left(pair("a", "b"), pair("b", "a")), Some(pair("b", "a")));
        assert_eq!(left(pair("a", "b"), pair("a", "b")), Some(pair("a", "b")));
        assert_eq!(left(pair("new", "b"), pair("b", "a")), Some(pair("b", "new")));
        assert_eq!(left(pair("a", "b"), balancer("a", "web", 80)), Some(pair("a", "b")));
    }

    /// Back to tasks one by one: wherever requests are led to, new tasks answer.
    #[test]
    fn b10_a_pair_is_let_go_of_when_nothing_leads_to_it() {
        let was = service(&json!([pair("b", "a")]));
        let spec = service(&json!([balancer("a", "web", 80)]));
        let both = service(&json!([balancer("a", "web", 80), balancer("b", "web", 80)]));
        assert_eq!(between(&was, &spec), Some(both.clone()));
        assert_eq!(between(&service(&json!([pair("a", "b")])), &spec), Some(both));
        assert_eq!(between(&spec, &was), None);
    }

    #[test]
    fn a_port_or_a_group_more_takes_nothing_away() {
        let was = service(&json!([balancer("a", "web", 80)]));
        let spec = service(&json!([balancer("a", "web", 8080), balancer("b", "web", 8080)]));
        assert_eq!(between(&was, &spec), None);
        assert_eq!(between(&spec, &service(&json!([]))), None);
    }
}
