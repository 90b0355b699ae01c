//! What something else moves is left where it is, as long as that is where it may be (B3, B4): the task
//! count of a service that is scaled, the number of a group's instances, the bounds that a schedule has set,
//! the target group that gets the requests since the last deployment.

use crate::address::Address;
use crate::desired::Desired;
use crate::kind::{About, Heed, Live, Moves};
use crate::kinds::service::balancing;
use crate::kinds::types::Action;
use crate::value::Value;

/// Takes the live values of what is moved into `spec`, which so neither differs nor sends them.
pub(super) fn leave(
    about: About,
    address: &Address,
    spec: &mut Value,
    live: &Live,
    (desired, all): (&Desired, &[&Live]),
) {
    for moved in about.moved_by {
        let (Some(now), Some(wanted)) = (live.spec.get(moved.field), spec.get(moved.field)) else {
            continue;
        };
        let refers = |spec: &Value| spec.outputs().iter().any(|output| output.of == *address);
        let mut movers = desired.specs().filter(|(of, spec)| of.kind == moved.by && refers(spec));
        let stays = match moved.how {
            Moves::Number { within, heed } => {
                let is_allowed = movers.any(|(of, declared)| {
                    let mut standing = all.iter().filter(|it| it.address.as_ref() == Some(of));
                    match standing.next().filter(|_| heed == Heed::Live) {
                        Some(mover) => allows(within, &mover.spec, now),
                        None => allows(within, declared, now),
                    }
                });
                is_allowed.then(|| now.clone())
            }
            Moves::Within { bounds, on: (table, switch) } => {
                let is_on = |mover: &Value| {
                    mover.get(table).and_then(|table| table.get(switch)) == Some(&Value::Bool(true))
                };
                let is_moved = movers.any(|(_, declared)| is_on(declared));
                (is_moved && allows(bounds, spec, now)).then(|| now.clone())
            }
            Moves::Shares => movers.next().and_then(|_| Action::moved(wanted, now)),
            Moves::Places => balancing::moved(wanted, now),
        };
        if let Some(stays) = stays {
            spec.set(moved.field, stays);
        }
    }
}

/// Whether what moves the field says that it may be `now`.
fn allows((least, most): (&str, &str), mover: &Value, now: &Value) -> bool {
    let bounds = mover.number(least).zip(mover.number(most));
    let now = match now {
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    bounds.zip(now).is_some_and(|((least, most), now)| (least..=most).contains(&now))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::address::Path;
    use crate::desired::Declared;
    use crate::kind::{Condition, StackId, Tags};
    use crate::kinds;

    const ARN: &str = "arn:aws:ecs:eu-west-1:1:service/main/web";

    fn live(address: &str, spec: serde_json::Value) -> Live {
        let address: Address = address.parse().unwrap();
        Live {
            kind: address.kind.clone(),
            address: Some(address),
            id: ARN.to_owned(),
            spec: Value::plain(spec),
            outputs: BTreeMap::new(),
            tags: Tags::new(),
            condition: Condition::Ready,
            earlier: BTreeMap::new(),
        }
    }

    /// What a declared count of 3 comes to, with a scalable target of 3 to 12 declared beside it, when the
    /// count is `now` and the target is as it is in `target`.
    fn count(now: u64, target: Option<(u64, u64)>) -> Option<u64> {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "r".into() };
        let mut desired = Desired::nothing(stack);
        let spec = json!({
            "service": "${service.web.arn}", "min-capacity": 3, "max-capacity": 12,
        });
        let spec = Value::lift(spec).unwrap();
        let declared = Declared { spec, section: Path::of(["service", "web"]) };
        desired.resources.insert("scalable-target.web".parse().unwrap(), declared);
        let service = live("service.web", json!({ "desired-count": now }));
        let target = target.map(|(least, most)| {
            let spec = json!({ "service": ARN, "min-capacity": least, "max-capacity": most });
            live("scalable-target.web", spec)
        });
        let all: Vec<&Live> = [&service].into_iter().chain(&target).collect();
        let mut spec = Value::plain(json!({ "desired-count": 3 }));
        let about = kinds::find("service").unwrap().about();
        let address = "service.web".parse().unwrap();
        leave(about, &address, &mut spec, &service, (&desired, &all));
        spec.number("desired-count")
    }

    #[test]
    fn b3_a_scaled_count_stays_within_the_bounds_that_hold_now() {
        assert_eq!(count(7, Some((3, 12))), Some(7));
        assert_eq!(count(1, Some((3, 12))), Some(3), "somebody has lowered it");
        assert_eq!(count(1, Some((1, 2))), Some(1), "a schedule has lowered the bounds");
        assert_eq!(count(7, None), Some(7), "nobody scales it yet, and so many there may be");
        assert_eq!(count(1, None), Some(3), "nobody scales it yet, and there are too few");
    }
}
