//! What others make, and this stack only looks at: an image that somebody pushes. Nothing is done to it;
//! it is there, or is waited for, or is in the way of everything.

use std::collections::BTreeMap;

use super::{Action, refused};
use crate::address::{Address, Path};
use crate::diag::Diagnostic;
use crate::kind::{Condition, Live, Remains};
use crate::kinds;
use crate::value::Value;

/// What comes of a look at one of them.
pub(super) enum Seen {
    /// It is there, with what others may refer to.
    There(BTreeMap<String, String>),
    /// It is waited for.
    Awaited(Action),
    /// Nothing can be done while it is as it is.
    InTheWay(Diagnostic),
}

/// Those that were seen, by address, and all others.
pub(super) fn apart(live: Vec<&Live>) -> (BTreeMap<&Address, &Live>, Vec<&Live>) {
    let (given, others): (Vec<&Live>, Vec<&Live>) =
        live.into_iter().partition(|live| live.is_given());
    let by_address = given.into_iter().filter_map(|live| Some((live.address.as_ref()?, live)));
    (by_address.collect(), others)
}

/// What to think of what was seen. `spec` is what the plan knows of the declaration: what was seen may stand
/// in something that is about to be replaced. `section` asks for it.
pub(super) fn seen(seen: Option<&Live>, spec: &Value, until: &str, section: &Path) -> Seen {
    match seen.filter(|live| live.spec == *spec) {
        Some(Live { condition: Condition::Unfit(unfit), .. }) => {
            Seen::InTheWay(refused::unfit(unfit, section))
        }
        Some(live) => Seen::There(live.outputs.clone()),
        None => Seen::Awaited(Action::Settle { id: String::new(), why: format!("until {until}") }),
    }
}

/// The tags of images by their digests, those of the revisions that are about to go included.
pub(super) fn images(given: &BTreeMap<&Address, &Live>) -> BTreeMap<String, String> {
    let each = given
        .values()
        .flat_map(|live| std::iter::once((&live.id, &live.spec)).chain(&live.earlier));
    each.filter_map(|(id, spec)| Some((id.clone(), spec.text("tag")?.to_owned()))).collect()
}

impl Live {
    /// Whether it is somebody else's to make.
    pub fn is_given(&self) -> bool {
        let about = kinds::find(&self.kind).map(|kind| kind.about());
        about.is_some_and(|about| matches!(about.remains, Remains::Given { .. }))
    }
}
