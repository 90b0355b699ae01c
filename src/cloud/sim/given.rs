//! Networks that exist already: a simulated account has whatever is asked for.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::kind::{Found, Given, Site, Tags, Which};

/// So many subnets carry the tags that are asked for.
const TAGGED: usize = 2;

/// The network, with subnets in one zone after the other.
pub(super) fn found(given: &Given, zones: &[String]) -> Found {
    let vpc = match &given.vpc {
        Which::Named(id) => id.clone(),
        Which::Tagged(tags) => format!("vpc-{}", digits("", tags)),
    };
    let subnets = given.subnets.iter().map(|(key, which)| {
        let ids: Vec<String> = match which {
            Which::Named(ids) => ids.iter().cloned().collect(),
            Which::Tagged(tags) => (0..TAGGED)
                .map(|index| format!("subnet-{}", digits(&format!("{vpc}{index}"), tags)))
                .collect(),
        };
        let sites = ids.into_iter().zip(zones.iter().cycle());
        let site =
            |(id, zone): (String, &String)| (id, Site { vpc: vpc.clone(), zone: zone.clone() });
        (key.clone(), sites.map(site).collect::<BTreeMap<_, _>>())
    });
    let subnets = subnets.collect();
    Found { vpcs: BTreeSet::from([vpc]), subnets }
}

/// The digits of an id: the same tags are always carried by the same.
fn digits(of: &str, tags: &Tags) -> String {
    let hash = Sha256::digest(format!("{of}{tags:?}").as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>() + "0"
}
