//! What resources are by those who use them, and by nothing that they say themselves: the load balancer
//! of a target group ([`crate::kind::Inherits`]).

use super::world::World;
use crate::kind::{Class, Error, Inherits, Live, Registered, Result};
use crate::kinds;
use crate::value::Value;

/// A declaration without the fields that AWS sets by use.
pub(super) fn without(kind: &Registered, spec: &Value) -> Value {
    let fields = spec.fields().filter(|(field, _)| !kind.is_set_by_use(field));
    fields.map(|(field, value)| (field.clone(), value.clone())).collect()
}

impl World {
    /// What is seen of a resource, with what it is by those who use it.
    pub(super) fn with_inherited(&self, mut live: Live) -> Live {
        if let Some(inherits) = kinds::find(&live.kind).and_then(inherits) {
            let found = self.passed_on(inherits, &live.id).next().cloned();
            if let Some(found) = found {
                live.spec.set(inherits.field, found);
            }
        }
        live
    }

    /// `TargetGroupAssociationLimit`: a target group is one load balancer's.
    pub(super) fn refuse_second(&self, kind: &Registered, spec: &Value) -> Result<()> {
        for (used, object) in self.objects.iter().filter(|(used, _)| spec.mentions(used)) {
            let Some(inherits) = kinds::find(&object.kind).and_then(inherits) else { continue };
            let Some(said) = self.passes_on(inherits, kind.name(), spec) else { continue };
            if let Some(other) = self.passed_on(inherits, used).find(|other| *other != said) {
                let text = format!("{used} belongs to {other} and not to {said}");
                return Err(Error::new(Class::Other, text));
            }
        }
        Ok(())
    }

    /// What those who use a resource pass on to it.
    fn passed_on<'a>(&'a self, inherits: Inherits, id: &'a str) -> impl Iterator<Item = &'a Value> {
        let users = self.objects.values().filter(move |object| object.spec.mentions(id));
        users.filter_map(move |user| self.passes_on(inherits, &user.kind, &user.spec))
    }

    /// What a user of the kind passes on to those it uses.
    fn passes_on<'a>(
        &'a self,
        inherits: Inherits,
        kind: &str,
        spec: &'a Value,
    ) -> Option<&'a Value> {
        if kind == inherits.of {
            return spec.get(inherits.field);
        }
        let between = || self.objects.iter().filter(|(_, object)| object.kind == inherits.of);
        let own = (kind == inherits.through).then(between)?.find(|(id, _)| spec.mentions(id));
        own.and_then(|(_, object)| object.spec.get(inherits.field))
    }
}

fn inherits(kind: &Registered) -> Option<Inherits> {
    kind.about().inherits
}
