//! What the kinds of Application Auto Scaling share: what belongs to a scalable target has no tags, and is
//! found through it.

use std::collections::{BTreeMap, BTreeSet};

use super::listing;
use crate::address::Address;
use crate::kind::{Kind, Sought, TAG_ENV, TAG_ID, TAG_STACK, Tags, Wanted};

/// The resource id of an ECS service: `service/<cluster>/<name>`.
pub(super) fn resource_id(service: &str) -> &str {
    listing::resource(service)
}

/// So many scalable targets are asked after one by one. Of more everything is listed.
const FEW: usize = 3;

/// Where policies or scheduled actions are looked for.
pub(super) struct Parts<'a> {
    sought: &'a Sought<'a>,
    /// The tags of the scalable targets that are there, by resource id.
    targets: BTreeMap<&'a str, &'a Tags>,
    wanted: BTreeSet<&'a str>,
}

impl<'a> Parts<'a> {
    /// Looks on the stack's own scalable targets, and on those that wanted parts name.
    pub(super) fn new(sought: &'a Sought<'a>) -> Self {
        let before = sought.before.iter().filter(|live| live.kind == "scalable-target");
        let targets = before.filter_map(|live| Some((live.outputs.get("resource-id")?, live)));
        Self {
            sought,
            targets: targets.map(|(id, live)| (id.as_str(), &live.tags)).collect(),
            wanted: sought.wanted.iter().filter_map(|it| it.spec.text("resource-id")).collect(),
        }
    }

    /// The resource ids of the listings that are needed; `None` lists everything.
    pub(super) fn listings(&self) -> Vec<Option<String>> {
        let all: BTreeSet<&str> = self.own().chain(self.wanted.iter().copied()).collect();
        match all.len() {
            0..=FEW => all.into_iter().map(|id| Some(id.to_owned())).collect(),
            _ => vec![None],
        }
    }

    /// Whether what belongs to the resource is the stack's, or may be wanted.
    pub(super) fn concern(&self, resource_id: &str) -> bool {
        self.wanted.contains(resource_id) || self.own().any(|own| own == resource_id)
    }

    /// The tags that a part of the resource would have: whatever is part of the stack's own scalable target
    /// is the stack's, and which part it is, its name says.
    pub(super) fn tags<K: Kind>(&self, resource_id: &str, name: &str) -> Tags {
        let Some(parent) = self.targets.get(resource_id) else { return Tags::new() };
        let kept = parent.iter().filter(|(key, _)| [TAG_STACK, TAG_ENV].contains(&key.as_str()));
        let mut tags: Tags = kept.map(|(key, text)| (key.clone(), text.clone())).collect();
        // One that is to move to another target is known by its name.
        let named = || self.sought.wanted.iter().filter(|it| it.spec.text("name") == Some(name));
        let here = |it: &&Wanted<'_>| it.spec.text("resource-id") == Some(resource_id);
        let wanted = named().find(here).or_else(|| named().next());
        let address = wanted.map_or_else(
            || {
                let prefix = format!("{}-", self.sought.stack.prefix());
                Address::new(K::NAME, name.strip_prefix(&prefix).unwrap_or(name))
            },
            |wanted| wanted.address.clone(),
        );
        tags.insert(TAG_ID.to_owned(), address.to_string());
        tags
    }

    fn own(&self) -> impl Iterator<Item = &'a str> {
        let own = self.targets.iter().filter(|(_, tags)| self.sought.is_ours(tags));
        own.map(|(id, _)| *id)
    }
}
