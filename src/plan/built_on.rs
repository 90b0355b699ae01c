//! What is replaced along with what stands on it, one on one: an Auto Scaling group is one capacity
//! provider's, and a provider stays for as long as a service runs on it. So a provider that has to make
//! room for another, while it is in use, leaves its group behind, and the other gets a group of its own.

use std::collections::BTreeSet;

use super::Edit;
use crate::address::{Address, Path};
use crate::desired::Desired;
use crate::kind::{Live, Registered};
use crate::kinds;
use crate::value::Value;

/// What stands on what, as far as it matters to who goes and who stays.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    /// The live objects that will make room, though what they stand on is still wanted.
    going: BTreeSet<usize>,
    /// The live objects that nothing else can be built on.
    spent: BTreeSet<usize>,
}

impl Grounds {
    /// Looks at what there is. `replaced_by` says which fields make another of a live object that is
    /// declared.
    pub(super) fn of(
        desired: &Desired,
        live: &[&Live],
        replaced_by: impl Fn(&Registered, &Address, &Live) -> Vec<Path>,
    ) -> Self {
        let mut grounds = Self::default();
        for (index, object) in live.iter().enumerate() {
            let Some(kind) = kinds::find(&object.kind) else { continue };
            let Some(field) = kind.about().built_on else { continue };
            let ground =
                object.spec.text(field).and_then(|id| live.iter().position(|it| it.id == id));
            let Some(ground) = ground else { continue };
            let Some(of) = live[ground].address.as_ref() else { continue };
            let wants = |address: &Address| {
                let spec = &desired.resources.get(address)?.spec;
                Some(spec.get(field)?.outputs().iter().any(|output| output.of == *of))
            };
            let own = object.address.as_ref();
            let is_declared = own.is_some_and(|address| desired.resources.contains_key(address));
            let stays = own.is_some_and(|address| {
                wants(address) == Some(true)
                    && replaced_by(kind, address, object).iter().all(|path| path.0 == [field])
            });
            let of_kind = desired.resources.keys().filter(|address| address.kind == object.kind);
            let is_wanted = of_kind.clone().any(|address| wants(address) == Some(true));
            if stays || !(is_wanted || is_declared) {
                continue;
            }
            grounds.going.insert(index);
            if is_wanted && is_in_use(object, live, desired) {
                grounds.spent.insert(ground);
            }
        }
        grounds
    }

    /// Whether nothing else can be built on a live object.
    pub(super) fn is_spent(&self, object: usize) -> bool {
        self.spent.contains(&object)
    }

    /// Whether something that stays mentions a live object.
    pub(super) fn carries(&self, object: usize, live: &[&Live]) -> bool {
        let id = &live[object].id;
        let mut others = live.iter().enumerate().filter(|(other, _)| *other != object);
        others.any(|(other, it)| !self.going.contains(&other) && it.spec.mentions(id))
    }
}

/// Whether something that is declared, and not of its own kind, mentions `object`.
fn is_in_use(object: &Live, live: &[&Live], desired: &Desired) -> bool {
    let about = kinds::find(&object.kind).map(|kind| kind.about());
    let names = about.iter().flat_map(|about| about.mentioned_as);
    let ids: Vec<&String> =
        names.filter_map(|name| object.outputs.get(*name)).chain([&object.id]).collect();
    live.iter().any(|user| {
        let is_declared =
            user.address.as_ref().is_some_and(|address| desired.resources.contains_key(address));
        let mentions = || user.spec.texts().iter().any(|text| ids.iter().any(|id| id == text));
        user.kind != object.kind && is_declared && mentions()
    })
}

/// What tells a successor from what it replaces when nothing else does.
pub(super) fn renaming(live: &Live, spec: &Value) -> Option<Edit> {
    let (old, new) = (live.spec.get("name")?, spec.get("name")?);
    let edit = Edit {
        path: Path::of(["name"]),
        old: Some(old.clone()),
        new: Some(new.clone()),
        replaces: true,
    };
    (old != new).then_some(edit)
}
