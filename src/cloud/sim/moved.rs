//! What a change comes to. What moves a field of others moves it at once into its bounds
//! ([`crate::kind::MovedBy`]): the scalable target of a service its task count.

use super::world::World;
use crate::kind::{Heed, Moves, Registered};
use crate::kinds::{self, listener};
use crate::value::Value;

impl World {
    /// Moves what a new or changed resource of the kind `by` moves.
    pub(super) fn move_others(&mut self, by: &str, mover: &Value) {
        let objects = self.objects.iter_mut().filter(|(id, _)| mover.mentions(id));
        for (_, object) in objects {
            let Some(kind) = kinds::find(&object.kind) else { continue };
            let moved = kind.about().moved_by.iter();
            for moved in moved.filter(|moved| moved.by == by) {
                let Moves::Number { within, heed: Heed::Live } = moved.how else { continue };
                if let Some(now) = clamped(within, mover, object.spec.number(moved.field)) {
                    object.spec.set(moved.field, Value::Number(now.into()));
                }
            }
        }
    }
}

/// A live resource with a change in it: what the change does not mention stays.
pub(super) fn changed(kind: &Registered, was: &Value, spec: &Value) -> Value {
    if kind.shape().is_owned_whole() {
        return spec.clone();
    }
    let mut now = was.clone();
    spec.fields().for_each(|(field, value)| now.set(field, value.clone()));
    match kind.name() {
        "listener" => listener::as_spoken(&now),
        _ => now,
    }
}

fn clamped(within: (&str, &str), mover: &Value, now: Option<u64>) -> Option<u64> {
    let (least, most) = (mover.number(within.0)?, mover.number(within.1)?);
    Some(now?.max(least).min(most))
}
