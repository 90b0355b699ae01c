//! What there is: live AWS, observed in waves, batched by kind.
//!
//! A wave is every kind that is found without the others of its wave; its kinds are observed at the
//! same time. A child of something that is absent is absent without a call, because nothing tells
//! where to look for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use futures::future::try_join_all;

use crate::cloud::{Cloud, Surroundings};
use crate::desired::Desired;
use crate::kind::{Condition, Live, Registered, Resolved, Result, Sought, StackId, Told, Wanted};
use crate::kinds;
use crate::value::Known;

/// What there is at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where we looked.
    pub surroundings: Surroundings,
    /// Everything of the stack, and whatever stands under a wanted name. Several may claim one
    /// address after an interrupted replacement.
    pub live: Vec<Live>,
}

impl Snapshot {
    /// What belongs to `stack`, by its tags.
    pub fn ours<'a>(&'a self, stack: &'a StackId) -> impl Iterator<Item = &'a Live> {
        self.live.iter().filter(|live| is_ours(live, stack))
    }

    /// Everything that is known about outputs: the surroundings' and the stack's.
    pub fn known(&self, stack: &StackId) -> Known {
        let mut known = self.surroundings.known();
        self.ours(stack).for_each(|live| learn(live, &mut known));
        known
    }
}

/// Whether the tags say that it belongs to the stack and environment.
pub fn is_ours(live: &Live, stack: &StackId) -> bool {
    stack.owns(&live.tags)
}

/// Looks at everything that the stack owns or wants.
pub async fn observe(cloud: &dyn Cloud, desired: &Desired) -> Result<Snapshot> {
    see(cloud, desired, &|_| true).await
}

/// The same of some kinds only, and of those that they are found through.
pub async fn observe_of(
    cloud: &dyn Cloud,
    desired: &Desired,
    kinds: &BTreeSet<String>,
) -> Result<Snapshot> {
    let kinds = with_what_they_are_found_through(kinds);
    see(cloud, desired, &|kind| kinds.contains(kind.name())).await
}

/// Some kinds, and those that they are found through.
pub fn with_what_they_are_found_through(kinds: &BTreeSet<String>) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    let mut open: Vec<&Registered> = kinds.iter().filter_map(|kind| kinds::find(kind)).collect();
    while let Some(kind) = open.pop() {
        if all.insert(kind.name()) {
            open.extend(kind.about().observed_after.iter().filter_map(|it| kinds::find(it)));
        }
    }
    all
}

async fn see(
    cloud: &dyn Cloud,
    desired: &Desired,
    is_sought: &(dyn Fn(&Registered) -> bool + Sync),
) -> Result<Snapshot> {
    let surroundings = cloud.surroundings().await?;
    let mut known = surroundings.known();
    let mut live: Vec<Live> = Vec::new();
    for wave in WAVES.iter() {
        let wave: Vec<_> = wave.iter().copied().filter(|kind| is_sought(kind)).collect();
        let found = look(cloud, desired, &wave, &known, &live).await?;
        for seen in found.iter().filter(|seen| is_ours(seen, &desired.stack)) {
            learn(seen, &mut known);
        }
        live.extend(found);
    }
    live.sort_by(|a, b| (&a.kind, &a.address, &a.id).cmp(&(&b.kind, &b.address, &b.id)));
    Ok(Snapshot { surroundings, live })
}

/// Looks at the kinds of one wave, at the same time.
async fn look(
    cloud: &dyn Cloud,
    desired: &Desired,
    wave: &[&'static Registered],
    known: &Known,
    live: &[Live],
) -> Result<Vec<Live>> {
    let wanted: Vec<_> = wave.iter().map(|kind| wanted(desired, kind.name(), known)).collect();
    let before: Vec<_> = wave.iter().map(|kind| found_through(kind, live)).collect();
    let told = if desired.resources.is_empty() { Told::Name } else { Told::Spec };
    let looks = wave.iter().zip(&wanted).zip(&before).map(|((kind, wanted), before)| {
        cloud.observe(kind, Sought { stack: &desired.stack, told, wanted, before })
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

/// Adds the outputs of a live resource to what is known.
pub fn learn(live: &Live, known: &mut Known) {
    let Some(address) = &live.address else { return };
    if matches!(live.condition, Condition::Leaving(_) | Condition::Unfit(_)) {
        return;
    }
    known.learn(address, live.outputs.clone());
}

fn wanted<'a>(desired: &'a Desired, kind: &str, known: &'a Known) -> Vec<Wanted<'a>> {
    let of_kind = desired.specs().filter(|(address, _)| address.kind == kind);
    of_kind.map(|(address, spec)| Wanted { address, spec: Resolved::new(spec, known) }).collect()
}

fn found_through<'a>(kind: &Registered, live: &'a [Live]) -> Vec<&'a Live> {
    let after = kind.about().observed_after;
    live.iter().filter(|seen| after.contains(&seen.kind.as_str())).collect()
}

/// All kinds, each in a wave after those it is found through.
static WAVES: LazyLock<Vec<Vec<&'static Registered>>> = LazyLock::new(|| {
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    // The catalogue is small, and no chain in it is longer than itself.
    for _ in kinds::all() {
        for kind in kinds::all() {
            let after = kind.about().observed_after.iter();
            let deepest = after.map(|name| depth.get(name).map_or(0, |depth| depth + 1)).max();
            depth.insert(kind.name(), deepest.unwrap_or(0));
        }
    }
    let levels: BTreeSet<usize> = depth.values().copied().collect();
    let wave = |level| kinds::all().iter().filter(|kind| depth[kind.name()] == level).collect();
    levels.into_iter().map(wave).collect()
});
