//! Which live objects mention which: an index of ids, so that a thousand objects are no matter.

use std::collections::{BTreeSet, HashMap};

use crate::kind::{About, Live};
use crate::kinds;
use crate::value::{Value, beginnings};

/// For each live object: which others it mentions, and which mention it.
#[derive(Debug)]
pub(super) struct Holders {
    mentions: Vec<BTreeSet<usize>>,
    mentioned_by: Vec<BTreeSet<usize>>,
    follows: Vec<BTreeSet<usize>>,
}

impl Holders {
    /// Reads the ids out of the objects' documents.
    pub(super) fn of(live: &[&Live]) -> Self {
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (index, object) in live.iter().enumerate() {
            by_id.insert(&object.id, index);
            let about = kinds::find(&object.kind).map_or(About::DEFAULT, |kind| kind.about());
            let ids = about.mentioned_as.iter().filter_map(|name| object.outputs.get(*name));
            by_id.extend(ids.map(|id| (id.as_str(), index)));
            by_id.extend(object.earlier.keys().map(|id| (id.as_str(), index)));
        }
        let mut mentions = vec![BTreeSet::new(); live.len()];
        let mut mentioned_by = vec![BTreeSet::new(); live.len()];
        let mut follows = vec![BTreeSet::new(); live.len()];
        for (index, object) in live.iter().enumerate() {
            let kind = kinds::find(&object.kind);
            // Nobody mentions another by a name of its own, though the two may be called the same.
            let holds = |field: &str| {
                field != "name" && !kind.is_some_and(|kind| kind.is_set_by_use(field))
            };
            let only_follows =
                |field: &str| kind.is_some_and(|kind| kind.about().comes_after.contains(&field));
            let (first, fields): (Vec<_>, Vec<_>) = object
                .spec
                .fields()
                .filter(|(field, _)| holds(field))
                .partition(|(field, _)| only_follows(field));
            let first = first.into_iter().flat_map(|(_, value)| value.texts());
            follows[index].extend(first.filter_map(|id| by_id.get(id).copied()));
            let fields = fields.into_iter();
            let values = fields.map(|(_, value)| value).chain(object.earlier.values());
            for text in values.flat_map(Value::texts) {
                for other in beginnings(text).filter_map(|id| by_id.get(id).copied()) {
                    if other != index {
                        mentions[index].insert(other);
                        mentioned_by[other].insert(index);
                    }
                }
            }
        }
        Self { mentions, mentioned_by, follows }
    }

    /// What came before the object, and holds nothing of it.
    pub(super) fn follows(&self, object: usize) -> &BTreeSet<usize> {
        &self.follows[object]
    }

    /// What the object mentions.
    pub(super) fn mentions(&self, object: usize) -> &BTreeSet<usize> {
        &self.mentions[object]
    }

    /// What mentions the object.
    pub(super) fn mentioned_by(&self, object: usize) -> &BTreeSet<usize> {
        &self.mentioned_by[object]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::kind::{Condition, Tags};

    fn live(id: &str, spec: serde_json::Value) -> Live {
        Live {
            kind: "node".into(),
            address: None,
            id: id.into(),
            spec: Value::plain(spec),
            outputs: BTreeMap::new(),
            tags: Tags::new(),
            condition: Condition::Ready,
            earlier: BTreeMap::new(),
        }
    }

    #[test]
    fn finds_ids_whole_and_at_the_beginning() {
        let repository = live("1.dkr.ecr.test/shop", json!({}));
        let task = live("task:1", json!({"image": "1.dkr.ecr.test/shop:v1", "n": ["task:12"]}));
        let holders = Holders::of(&[&repository, &task]);
        assert_eq!(holders.mentioned_by(0).iter().collect::<Vec<_>>(), [&1]);
        assert!(holders.mentioned_by(1).is_empty());
    }
}
