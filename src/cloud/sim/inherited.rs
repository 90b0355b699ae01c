//! What resources are by those who use them, and by nothing that they say themselves: the load balancer
//! of a target group ([`crate::kind::Inherits`]).

use super::world::World;
use crate::kind::{Class, Error, Live, Registered, Result};
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
        let inherits = kinds::find(&live.kind).and_then(|kind| kind.about().inherits);
        let found = self.users(&live.id).next().cloned();
        if let Some((inherits, value)) = inherits.zip(found) {
            live.spec.set(inherits.field, value);
        }
        live
    }

    /// `TargetGroupAssociationLimit`: a target group is one load balancer's.
    pub(super) fn refuse_second(&self, kind: &Registered, spec: &Value) -> Result<()> {
        let Some(said) = self.passes_on(kind.name(), spec) else { return Ok(()) };
        for used in self.objects.keys().filter(|id| spec.mentions(id)) {
            if let Some(other) = self.users(used).find(|other| *other != said) {
                let text = format!("{used} belongs to {other} and not to {said}");
                return Err(Error::new(Class::Other, text));
            }
        }
        Ok(())
    }

    /// What those who use a resource pass on to it.
    fn users<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Value> {
        let users = self.objects.values().filter(move |object| object.spec.mentions(id));
        users.filter_map(|user| self.passes_on(&user.kind, &user.spec))
    }

    /// What those inherit whom a resource of this kind uses.
    fn passes_on<'a>(&'a self, kind: &str, spec: &'a Value) -> Option<&'a Value> {
        let inherits = kinds::all().iter().find_map(|kind| kind.about().inherits)?;
        if kind == inherits.of {
            return spec.get(inherits.field);
        }
        let between = || self.objects.iter().filter(|(_, object)| object.kind == inherits.of);
        let own = (kind == inherits.through).then(between)?.find(|(id, _)| spec.mentions(id));
        own.and_then(|(_, object)| object.spec.get(inherits.field))
    }
}
