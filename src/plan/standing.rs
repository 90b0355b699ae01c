//! Whether the network that exists already is what the spec takes it for.

use std::collections::BTreeMap;

use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::{Given, Site, StackId};

/// E0333: what is wrong with the subnets that the spec names, given where they are.
pub fn misplaced(
    given: &Given,
    found: &BTreeMap<String, Site>,
    stack: &StackId,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let mut say = |title: String, key: &str, hint: &str| {
        let place = Path::of(["network", "subnets", key]);
        wrong.push(Diagnostic::error("E0333", title).at(place, "").hint(hint));
    };
    for (key, ids) in &given.subnets {
        let mut zones: BTreeMap<&str, &str> = BTreeMap::new();
        for id in ids {
            let Some(site) = found.get(id) else {
                let title = format!("there is no subnet {id} in {}", stack.region);
                say(title, key, "look for it in the region and account of the stack");
                continue;
            };
            if site.vpc != given.vpc {
                let title = format!("{id} is in {}, and not in {}", site.vpc, given.vpc);
                say(title, key, "write subnets of the VPC that `network.vpc` names");
            }
            if let Some(first) = zones.insert(&site.zone, id)
                && given.balanced.contains(key)
            {
                let title = format!("{first} and {id} are both in {}", site.zone);
                say(title, key, "write one subnet a zone: a load balancer takes no more");
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_held_against_what_is_there() {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "eu-west-1".into() };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let given = Given {
            vpc: "vpc-1".into(),
            subnets: BTreeMap::from([
                ("public".to_owned(), ids(&["subnet-1", "subnet-2"])),
                ("private".to_owned(), ids(&["subnet-3", "subnet-4", "subnet-5"])),
            ]),
            balanced: ids(&["public"]),
        };
        let told = |sites: &[(&str, &str, &str)]| {
            let site = |(id, vpc, zone): &(&str, &str, &str)| {
                ((*id).to_owned(), Site { vpc: (*vpc).to_owned(), zone: (*zone).to_owned() })
            };
            let found = misplaced(&given, &sites.iter().map(site).collect(), &stack);
            found.into_iter().map(|one| one.title).collect::<Vec<_>>().join("\n")
        };
        let private = [("subnet-3", "vpc-1", "a"), ("subnet-4", "vpc-1", "a")];
        let fine =
            [("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-1", "b"), ("subnet-5", "vpc-1", "b")];
        assert_eq!(told(&[fine.as_slice(), &private].concat()), "");
        let wrong = [("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-2", "a")];
        insta::assert_snapshot!(told(&[wrong.as_slice(), &private].concat()), @"
        there is no subnet subnet-5 in eu-west-1
        subnet-2 is in vpc-2, and not in vpc-1
        subnet-1 and subnet-2 are both in a
        ");
    }
}
