//! Ports of the instances: of two services that want the same, the second waits for the first, on AWS for ever.

use super::world::World;
use crate::kind::{Class, Error, Registered, Result, TAG_ID, Tags};
use crate::kinds::service::seats::Seats;
use crate::value::Value;

impl World {
    /// Refuses tasks of a service whose port those of another hold that is going, or ought to have gone before:
    /// its predecessor. Where there are instances enough, others may share a port.
    pub(super) fn refuse_seated(
        &self,
        kind: &Registered,
        spec: &Value,
        tags: &Tags,
        but: Option<&str>,
    ) -> Result<()> {
        let Some(wanted) = self.seats(spec).filter(|_| kind.name() == "service") else {
            return Ok(());
        };
        for (id, object) in &self.objects {
            let yields = object.gone_at.is_some() || object.tags.get(TAG_ID) == tags.get(TAG_ID);
            if object.kind != "service" || Some(id.as_str()) == but || !yields {
                continue;
            }
            let port = self.seats(&object.spec).and_then(|held| held.contended(&wanted));
            if let Some(port) = port {
                let text = format!("the tasks of {id} hold the port {port} of the instances");
                return Err(Error::new(Class::Other, text));
            }
        }
        Ok(())
    }

    fn seats(&self, service: &Value) -> Option<Seats> {
        Seats::of(service, self.revisions.get(service.text("task-definition")?)?)
    }
}
