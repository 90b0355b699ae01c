//! After which other services a service comes. AWS knows nothing of it: it is kept in tags of the service, so
//! that a destroy, which has the tags alone, goes the way back.

use std::collections::BTreeSet;

use crate::cloud::aws::ecs::{place, short};
use crate::kind::{TagChange, Tags};

/// What the tags' keys begin with: `ecsctl:after`, `ecsctl:after-2` and so on.
const KEY: &str = "ecsctl:after";
/// The longest value of a tag. Page "Tagging your Amazon ECS resources".
const LONGEST: usize = 256;

/// The tags of a service in `cluster` that comes after the services with these ARNs: their names, and before
/// them the cluster's, if it is another.
pub(super) fn tags(after: &BTreeSet<String>, cluster: &str) -> Tags {
    let own = short(cluster);
    let words = after.iter().filter_map(|arn| place(arn)).map(|(cluster, name)| {
        if cluster == own { name.to_owned() } else { format!("{cluster}/{name}") }
    });
    let mut values: Vec<String> = Vec::new();
    for word in words {
        match values.last_mut() {
            Some(value) if value.len() + 1 + word.len() <= LONGEST => {
                value.push(' ');
                value.push_str(&word);
            }
            _ => values.push(word),
        }
    }
    let key =
        |index: usize| if index == 0 { KEY.to_owned() } else { format!("{KEY}-{}", index + 1) };
    values.into_iter().enumerate().map(|(index, value)| (key(index), value)).collect()
}

/// What makes the tags of `new` of those of `old`.
pub(super) fn change(new: &BTreeSet<String>, old: &BTreeSet<String>, cluster: &str) -> TagChange {
    TagChange::between(&tags(old, cluster), &tags(new, cluster))
}

/// Takes out of the tags of the service `arn` after which others it comes.
pub(super) fn taken_out(tags: &mut Tags, arn: &str) -> BTreeSet<String> {
    let values: Vec<String> =
        tags.iter().filter(|(key, _)| is_one(key)).map(|(_, value)| value.clone()).collect();
    tags.retain(|key, _| !is_one(key));
    let Some((cluster, name)) = place(arn) else { return BTreeSet::new() };
    let start = arn.strip_suffix(&format!("{cluster}/{name}")).unwrap_or_default();
    let other = |word: &str| match word.contains('/') {
        true => format!("{start}{word}"),
        false => format!("{start}{cluster}/{word}"),
    };
    values.iter().flat_map(|value| value.split_whitespace()).map(other).collect()
}

fn is_one(key: &str) -> bool {
    key.strip_prefix(KEY).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "arn:aws:ecs:eu-west-1:1:cluster/main";
    const WEB: &str = "arn:aws:ecs:eu-west-1:1:service/main/web";

    fn services(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| format!("arn:aws:ecs:eu-west-1:1:service/{name}")).collect()
    }

    #[test]
    fn what_is_put_into_tags_comes_out_again() {
        let after = services(&["main/api", "main/cache", "other/db"]);
        let mut written = tags(&after, CLUSTER);
        assert_eq!(written[KEY], "api cache other/db");
        written.insert("Name".to_owned(), "web".to_owned());
        assert_eq!(taken_out(&mut written, WEB), after);
        assert_eq!(written.into_keys().collect::<Vec<_>>(), ["Name"]);
    }

    #[test]
    fn no_value_is_too_long_and_none_stays_behind() {
        let names: Vec<String> =
            (0..40).map(|n| format!("main/a-rather-long-name-{n:02}")).collect();
        let many = services(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut written = tags(&many, CLUSTER);
        assert!(written.len() > 2 && written.values().all(|value| value.len() <= LONGEST));
        let less = change(&services(&["main/api"]), &many, CLUSTER);
        assert_eq!(less.unset.len(), written.len() - 1);
        assert_eq!(taken_out(&mut written, WEB), many);
        assert!(tags(&BTreeSet::new(), CLUSTER).is_empty());
    }
}
