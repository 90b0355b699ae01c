//! Whether the network that exists already is what the spec takes it for, and what stands for it meanwhile.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Output, Path};
use crate::desired::Desired;
use crate::diag::Diagnostic;
use crate::kind::{Found, Given, Site, StackId, Tags, VPC_FACT, Which, subnets_fact};
use crate::value::{Known, Part, Value};

/// A service, and a task, is in so many subnets at most. Page "AwsVpcConfiguration".
const SUBNETS: usize = 16;

/// What the tags of a spec mean at this moment: which VPC, and which subnets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    vpc: Known,
    subnets: BTreeMap<Output, Vec<String>>,
}

/// What the tags mean; or everything that is wrong with the network, given what there is of it.
pub fn stand(given: &Given, found: &Found, stack: &StackId) -> Result<Standing, Vec<Diagnostic>> {
    let mut told = Telling { stack, wrong: Vec::new() };
    told.vpc(given, found);
    for (key, which) in &given.subnets {
        let none = BTreeMap::new();
        told.subnets(key, which, found.subnets.get(key).unwrap_or(&none), given, found);
    }
    if !told.wrong.is_empty() {
        return Err(told.wrong);
    }
    let mut standing = Standing::default();
    if let (Which::Tagged(_), Some(vpc)) = (&given.vpc, found.vpcs.first()) {
        standing.vpc.insert(Output::surroundings(VPC_FACT), vpc.clone());
    }
    for (key, sites) in &found.subnets {
        if let Some(Which::Tagged(_)) = given.subnets.get(key) {
            let fact = Output::surroundings(&subnets_fact(key));
            standing.subnets.insert(fact, sites.keys().cloned().collect());
        }
    }
    Ok(standing)
}

/// What is wrong with a network.
struct Telling<'a> {
    stack: &'a StackId,
    wrong: Vec<Diagnostic>,
}

impl Telling<'_> {
    fn say(&mut self, code: &'static str, key: &[&str], title: String, hint: &str) {
        let place = Path::of(["network"].iter().chain(key).copied());
        self.wrong.push(Diagnostic::error(code, title).at(place, "").hint(hint));
    }

    /// E0380, E0381: tags that nobody carries, or too many.
    fn vpc(&mut self, given: &Given, found: &Found) {
        let Which::Tagged(tags) = &given.vpc else { return };
        let (tags, region) = (spelt(tags), &self.stack.region);
        match found.vpcs.len() {
            0 => {
                let title = format!("no VPC in {region} has {tags}");
                let hint = "look at the tags in the region and account of the stack";
                self.say("E0380", &["vpc"], title, hint);
            }
            1 => {}
            count => {
                let title =
                    format!("{count} VPCs in {region} have {tags}: {}", listed(&found.vpcs));
                let hint = "write a tag that only one of them has, or its id";
                self.say("E0381", &["vpc"], title, hint);
            }
        }
    }

    fn subnets(
        &mut self,
        key: &str,
        which: &Which<BTreeSet<String>>,
        sites: &BTreeMap<String, Site>,
        given: &Given,
        found: &Found,
    ) {
        // As long as nobody knows which VPC is meant, nobody knows what is in it.
        let vpc = found.vpcs.first().filter(|_| found.vpcs.len() == 1);
        match (which, vpc) {
            (Which::Named(ids), vpc) => self.named(key, ids, sites, vpc),
            (Which::Tagged(tags), Some(vpc)) => self.tagged(key, tags, sites, vpc),
            (Which::Tagged(_), None) => return,
        }
        if let Some(least) = given.balanced.get(key) {
            self.zones(key, which, sites, *least);
        }
    }

    /// E0333: whether what is named is there, and in the VPC.
    fn named(
        &mut self,
        key: &str,
        ids: &BTreeSet<String>,
        sites: &BTreeMap<String, Site>,
        vpc: Option<&String>,
    ) {
        let place = ["subnets", key];
        for id in ids {
            let Some(site) = sites.get(id) else {
                let title = format!("there is no subnet {id} in {}", self.stack.region);
                let hint = "look for it in the region and account of the stack";
                self.say("E0333", &place, title, hint);
                continue;
            };
            if let Some(vpc) = vpc.filter(|vpc| **vpc != site.vpc) {
                let title = format!("{id} is in {}, and not in {vpc}", site.vpc);
                let hint = "write subnets of the VPC that `network.vpc` means";
                self.say("E0333", &place, title, hint);
            }
        }
    }

    /// E0380, E0381: whether a sensible number carries the tags.
    fn tagged(&mut self, key: &str, tags: &Tags, sites: &BTreeMap<String, Site>, vpc: &str) {
        let (place, tags) = (["subnets", key], spelt(tags));
        if sites.is_empty() {
            let title = format!("no subnet of {vpc} has {tags}");
            let hint = "look at the tags of its subnets, or write the subnets' ids";
            self.say("E0380", &place, title, hint);
        }
        if sites.len() > SUBNETS {
            let title = format!("{} subnets of {vpc} have {tags}", sites.len());
            let hint = format!("write a tag that at most {SUBNETS} have: ECS takes no more");
            self.say("E0381", &place, title, &hint);
        }
    }

    /// E0333, E0382: a load balancer has one subnet a zone, and may need two zones at `least`.
    fn zones(
        &mut self,
        key: &str,
        which: &Which<BTreeSet<String>>,
        sites: &BTreeMap<String, Site>,
        least: usize,
    ) {
        let place = ["subnets", key];
        let all: BTreeSet<&str> = sites.values().map(|site| site.zone.as_str()).collect();
        if let (Which::Tagged(tags), [zone]) = (which, Vec::from_iter(all).as_slice())
            && least > 1
        {
            let ids = listed(sites.keys());
            let title = format!("the subnets that have {} are all in {zone}: {ids}", spelt(tags));
            let hint = "write a tag of subnets in two zones, which a load balancer needs";
            return self.say("E0382", &place, title, hint);
        }
        let mut zones: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, site) in sites {
            if let Some(first) = zones.insert(&site.zone, id) {
                let title = format!("{first} and {id} are both in {}", site.zone);
                let hint = match which {
                    Which::Named(_) => "write one subnet a zone: a load balancer takes no more",
                    Which::Tagged(_) => {
                        "write a tag of one subnet a zone, or ids: a load balancer takes no more"
                    }
                };
                self.say("E0333", &place, title, hint);
            }
        }
    }
}

/// Tags in a sentence.
fn spelt(tags: &Tags) -> String {
    let tags = tags.iter().map(|(key, value)| format!("`{key} = {value}`"));
    let noun = if tags.len() == 1 { "the tag" } else { "the tags" };
    format!("{noun} {}", tags.collect::<Vec<_>>().join(" and "))
}

fn listed<'i>(ids: impl IntoIterator<Item = &'i String>) -> String {
    ids.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl Standing {
    /// The declarations, with everything in them that tags mean. They themselves stay as they are: a plan that
    /// is kept asks again who carries the tags.
    pub fn settle<'d>(&self, desired: &'d Desired) -> Cow<'d, Desired> {
        if *self == Self::default() {
            return Cow::Borrowed(desired);
        }
        let mut settled = desired.clone();
        for declared in settled.resources.values_mut() {
            declared.spec = self.fill(&declared.spec);
        }
        Cow::Owned(settled)
    }

    /// A document with the VPC's id in its place, and in lists the ids of all the subnets in theirs.
    #[must_use]
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::List(items) => {
                Value::List(items.iter().flat_map(|item| self.items(item)).collect())
            }
            Value::Map(fields) => {
                fields.iter().map(|(field, value)| (field.clone(), self.fill(value))).collect()
            }
            Value::Pending(_) => value.resolve(&self.vpc),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => value.clone(),
        }
    }

    fn items(&self, item: &Value) -> Vec<Value> {
        if let Value::Pending(parts) = item
            && let [Part::Output(fact)] = parts.as_slice()
            && let Some(ids) = self.subnets.get(fact)
        {
            return ids.iter().cloned().map(Value::Text).collect();
        }
        vec![self.fill(item)]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn tags(value: &str) -> Tags {
        Tags::from([("Name".to_owned(), value.to_owned())])
    }

    fn sites(sites: &[(&str, &str, &str)]) -> BTreeMap<String, Site> {
        let site = |(id, vpc, zone): &(&str, &str, &str)| {
            ((*id).to_owned(), Site { vpc: (*vpc).to_owned(), zone: (*zone).to_owned() })
        };
        sites.iter().map(site).collect()
    }

    fn told(given: &Given, found: &Found) -> String {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "eu-west-1".into() };
        let wrong = stand(given, found, &stack).err().unwrap_or_default();
        let one = |one: Diagnostic| format!("{} {}", one.code, one.title);
        wrong.into_iter().map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn subnets_are_held_against_what_is_there() {
        let given = Given {
            vpc: Which::Named("vpc-1".into()),
            subnets: BTreeMap::from([
                ("public".to_owned(), Which::Named(ids(&["subnet-1", "subnet-2"]))),
                ("private".to_owned(), Which::Named(ids(&["subnet-3", "subnet-4", "subnet-5"]))),
            ]),
            balanced: BTreeMap::from([("public".to_owned(), 2)]),
        };
        let found = |public: &[(&str, &str, &str)], private: &[(&str, &str, &str)]| Found {
            vpcs: ids(&["vpc-1"]),
            subnets: BTreeMap::from([
                ("public".to_owned(), sites(public)),
                ("private".to_owned(), sites(private)),
            ]),
        };
        let private =
            [("subnet-3", "vpc-1", "a"), ("subnet-4", "vpc-1", "a"), ("subnet-5", "vpc-1", "b")];
        let public = [("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-1", "b")];
        assert_eq!(told(&given, &found(&public, &private)), "");
        let public = [("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-2", "a")];
        insta::assert_snapshot!(told(&given, &found(&public, &private[..2])), @"
        E0333 there is no subnet subnet-5 in eu-west-1
        E0333 subnet-2 is in vpc-2, and not in vpc-1
        E0333 subnet-1 and subnet-2 are both in a
        ");
    }

    #[test]
    fn tags_are_held_against_who_carries_them() {
        let given = Given {
            vpc: Which::Tagged(tags("prod")),
            subnets: BTreeMap::from([("public".to_owned(), Which::Tagged(tags("front")))]),
            balanced: BTreeMap::from([("public".to_owned(), 2)]),
        };
        let found = |vpcs: &[&str], public: &[(&str, &str, &str)]| Found {
            vpcs: ids(vpcs),
            subnets: BTreeMap::from([("public".to_owned(), sites(public))]),
        };
        let one = [("subnet-1", "vpc-1", "a")];
        let same = [("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-1", "a")];
        let many: Vec<String> = (10..27).map(|number| format!("subnet-{number}")).collect();
        let many: Vec<_> = many.iter().map(|id| (id.as_str(), "vpc-1", id.as_str())).collect();
        let cases = [
            found(&[], &[]),
            found(&["vpc-1", "vpc-2"], &[]),
            found(&["vpc-1"], &[]),
            found(&["vpc-1"], &one),
            found(&["vpc-1"], &same),
            found(&["vpc-1"], &many),
        ];
        let all: Vec<String> = cases.iter().map(|found| told(&given, found)).collect();
        insta::assert_snapshot!(all.join("\n\n"), @"
        E0380 no VPC in eu-west-1 has the tag `Name = prod`

        E0381 2 VPCs in eu-west-1 have the tag `Name = prod`: vpc-1, vpc-2

        E0380 no subnet of vpc-1 has the tag `Name = front`

        E0382 the subnets that have the tag `Name = front` are all in a: subnet-1

        E0382 the subnets that have the tag `Name = front` are all in a: subnet-1, subnet-2

        E0381 17 subnets of vpc-1 have the tag `Name = front`
        ");
        // A network load balancer is content with one zone.
        let given = Given { balanced: BTreeMap::from([("public".to_owned(), 1)]), ..given };
        assert_eq!(told(&given, &cases[3]), "");
        insta::assert_snapshot!(told(&given, &cases[4]), @"E0333 subnet-1 and subnet-2 are both in a");
    }

    #[test]
    fn what_tags_mean_is_filled_in() {
        let given = Given {
            vpc: Which::Tagged(tags("prod")),
            subnets: BTreeMap::from([
                ("public".to_owned(), Which::Named(ids(&["subnet-9"]))),
                ("private".to_owned(), Which::Tagged(tags("back"))),
            ]),
            balanced: BTreeMap::new(),
        };
        let found = Found {
            vpcs: ids(&["vpc-1"]),
            subnets: BTreeMap::from([
                ("public".to_owned(), sites(&[("subnet-9", "vpc-1", "a")])),
                (
                    "private".to_owned(),
                    sites(&[("subnet-1", "vpc-1", "a"), ("subnet-2", "vpc-1", "b")]),
                ),
            ]),
        };
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "eu-west-1".into() };
        let standing = stand(&given, &found, &stack).unwrap();
        let document = json!({
            "vpc-id": "${aws.vpc}", "subnets": ["${aws.subnets-private}", "subnet-9"],
            "other": ["${vpc.main.id}", "${aws.region}/${aws.vpc}"],
        });
        let filled = standing.fill(&Value::lift(document).unwrap());
        insta::assert_snapshot!(filled, @r#"{"other":["${vpc.main.id}","${aws.region}/vpc-1"],"subnets":["subnet-1","subnet-2","subnet-9"],"vpc-id":"vpc-1"}"#);
    }
}
