//! `IncompatibleProtocols`: which listeners a load balancer has, and to which target groups they lead.

use super::world::World;
use crate::kind::{Class, Error, Registered, Result};
use crate::kinds::listener::{mismatched, misplaced};
use crate::value::Value;

impl World {
    /// A listener that speaks otherwise than its load balancer, or leads to whom it cannot.
    pub(super) fn refuse_protocols(&self, kind: &Registered, spec: &Value) -> Result<()> {
        let listener = match kind.name() {
            "listener" => Some(spec),
            "listener-rule" => self.mentioned("listener", spec).next(),
            _ => None,
        };
        let Some(listener) = listener else { return Ok(()) };
        let balancers = self.mentioned("load-balancer", spec);
        let placed = balancers.filter_map(|balancer| misplaced(listener, balancer));
        let groups = self.mentioned("target-group", spec);
        let led = groups.filter_map(|group| mismatched(listener, group));
        match placed.chain(led).next() {
            Some(why) => Err(Error::new(Class::Other, format!("IncompatibleProtocols: {why}"))),
            None => Ok(()),
        }
    }

    /// The objects of a kind that a declaration names.
    fn mentioned<'a>(&'a self, kind: &'a str, spec: &'a Value) -> impl Iterator<Item = &'a Value> {
        let of_kind = self.objects.iter().filter(move |(_, object)| object.kind == kind);
        of_kind.filter(|(id, _)| spec.mentions(id)).map(|(_, object)| &object.spec)
    }
}
