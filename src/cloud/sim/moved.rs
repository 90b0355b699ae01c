//! What moves a field of others moves it at once into its bounds ([`crate::kind::MovedBy`]): the scalable
//! target of a service its task count.

use super::world::World;
use crate::kind::{Heed, MovedBy};
use crate::kinds;
use crate::value::Value;

impl World {
    /// Moves what a new or changed resource of the kind `by` moves.
    pub(super) fn move_others(&mut self, by: &str, mover: &Value) {
        let objects = self.objects.iter_mut().filter(|(id, _)| mover.mentions(id));
        for (_, object) in objects {
            let Some(kind) = kinds::find(&object.kind) else { continue };
            let moved = kind.about().moved_by.iter();
            for moved in moved.filter(|moved| moved.by == by && moved.heed == Heed::Live) {
                if let Some(now) = clamped(moved, mover, &object.spec) {
                    object.spec.set(moved.field, Value::Number(now.into()));
                }
            }
        }
    }
}

fn clamped(moved: &MovedBy, mover: &Value, spec: &Value) -> Option<u64> {
    let (least, most) = moved.within;
    let (least, most) = (mover.number(least)?, mover.number(most)?);
    Some(spec.number(moved.field)?.max(least).min(most))
}
