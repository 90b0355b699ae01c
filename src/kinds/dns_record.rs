//! `dns-record`: a record set in a Route 53 hosted zone, or an alias. Whose it is, says a [`mark`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_route53::types::{AliasTarget, ChangeAction, ResourceRecord, ResourceRecordSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::forms;
use super::{certificate, mark};
use crate::cloud::aws::dns::{self, Place, Zone, plain};
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, After, Awaits, Check, Class, Condition, Cx, Error, Kind, Made, Observed, Ready, Result,
    Sought, TAG_ID, TagChange, Tags, Told,
};
use crate::value::Value;

/// A record in a hosted zone of Route 53. The zone is looked up, not made; and a record that is there
/// already is never taken over unasked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsRecord {
    /// Its name, in small letters: `shop.example.com`; `*.example.com` is any.
    #[schemars(extend("x-replaces" = true, "examples" = ["shop.example.com"]))]
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(extend("x-replaces" = true, "enum" = TYPES))]
    pub kind: String,
    /// The id of its hosted zone; left out, the public zone of the account that answers for the name: of
    /// several the one with the longest name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub zone_id: Option<String>,
    /// Its values, as zone files have them: those of `TXT` in quotation marks.
    #[serde(default)]
    pub values: BTreeSet<String>,
    /// Seconds for which others may remember the values: 300 when left out. An alias has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 2_147_483_647))]
    pub ttl: Option<u32>,
    /// What it stands for, in place of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
}

/// What an alias stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alias {
    /// The name in DNS of what it stands for.
    #[schemars(extend("examples" = ["${load-balancer.main.dns}"]))]
    pub dns_name: String,
    /// The id of the hosted zone of that name, which is AWS's.
    #[schemars(extend("examples" = ["${load-balancer.main.zone-id}"]))]
    pub zone_id: String,
    /// Whether Route 53 takes it for healthy only if the target is.
    #[serde(default)]
    pub evaluate_target_health: bool,
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Outputs {
    /// Zone, name and type: `Z0123456789/shop.example.com/A`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The types that a record may have: `RRType` without those that belong to the zone itself.
const TYPES: [&str; 14] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "PTR", "SRV", "SSHFP", "SVCB",
    "TLSA", "TXT",
];
/// For a record whose declaration says nothing: what AWS's console proposes.
const TTL: u32 = 300;
/// How long to wait between two looks: changes reach all name servers within a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Kind for DnsRecord {
    const NAME: &'static str = "dns-record";
    const ABOUT: About = About {
        seconds: 60,
        exclusive: &["name", "type"],
        observed_after: &["certificate", "listener"],
        mentioned_as: &["id"],
        // A name leads nowhere before something listens; and what listens outlives the name.
        awaits: &[Awaits { of: &["load-balancer"], by: &["listener"] }],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check.form("E0286", "name", &self.name, forms::record_name);
        match (&self.alias, self.values.is_empty()) {
            (None, true) => {
                let hint = "write `values`, or what it is an `alias` of";
                check.error_with("E0286", "values", "a record needs values", hint);
            }
            (Some(_), false) => {
                let title = "a record has values or is an alias, and not both";
                check.error("E0286", "values", title);
            }
            _ => {}
        }
        if self.alias.is_some() && self.ttl.is_some() {
            check.error("E0286", "ttl", "an alias lives as long as what it stands for");
        }
        if self.kind == "CNAME" && self.values.len() > 1 {
            check.error("E0286", "values", "a record of the type `CNAME` has one value");
        }
        let is_quoted = |text: &str| text.len() > 1 && text.starts_with('"') && text.ends_with('"');
        let bare = |text: &&String| !text.contains("${") && !is_quoted(text);
        if self.kind == "TXT"
            && let Some(bare) = self.values.iter().find(bare)
        {
            let title = format!("`{bare}` stands in no quotation marks");
            check.error_with("E0286", "values", title, format!("write '\"{bare}\"'"));
        }
    }

    /// A listing of the stack's marks in each zone, and a look at each record: Route 53 has no batches.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let wanted = wanted(aws, sought).await?;
        let mut zones = match sought.told {
            Told::Spec => of_certificates(aws, sought).await?,
            Told::Name => all(aws).await?,
        };
        zones.extend(around(aws, &wanted).await?);
        let zones: Vec<Zone> = zones.into_values().collect();
        let own = |zone| mark::own(aws, sought.stack, zone, Self::NAME);
        let own = concurrently(&zones, own).await?;
        let mut found: BTreeMap<Place, Option<Tags>> =
            wanted.keys().map(|place| (place.clone(), None)).collect();
        found.extend(own.into_iter().flatten().map(|(place, tags)| (place, Some(tags))));
        let found: Vec<(Place, Option<Tags>)> = found.into_iter().collect();
        let looks = concurrently(&found, |(place, tags)| look(aws, &zones, place, tags.as_ref()));
        let mut seen: Vec<Observed<Self>> = looks.await?.into_iter().flatten().collect();
        for record in seen.iter_mut().filter(|record| is_astray(record, sought, &wanted)) {
            record.condition = Condition::Broken("another zone answers for its name".to_owned());
        }
        Ok(seen)
    }

    /// The record and its mark, in one change: CREATE and not UPSERT, so that nobody's record is
    /// overwritten. What a CNAME cannot stand beside goes in the same change, so that the name is never
    /// without a record.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let zone = zone(cx.aws, self.zone_id.as_deref(), &self.name).await?;
        let place = Place::new(&zone.id, &self.name, &self.kind);
        let there = dns::record(cx.aws, &place).await?;
        if there.is_some() {
            cx.require_ours(&mark::tags(cx.aws, &zone, &place).await?)?;
        }
        let before = yielding(cx, &place).await?;
        self.put(cx, (&zone, &place), there, before).await
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let place = place(cx.id)?;
        let zone = zone(cx.aws, Some(&place.zone), &place.name).await?;
        let there = dns::record(cx.aws, &place).await?;
        self.put(cx, (&zone, &place), there, Vec::new()).await
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let place = place(cx.id)?;
        let zone = match zone(cx.aws, Some(&place.zone), &place.name).await {
            Err(error) if error.class == Class::Absent => return Ok(()),
            zone => zone?,
        };
        remove(cx, &zone, &place).await
    }

    async fn tag(cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        let place = place(cx.id)?;
        let zone = zone(cx.aws, Some(&place.zone), &place.name).await?;
        let at = mark::place(cx.stack, &zone, &place);
        let mark = mark::write(&at, &place, cx.tags)?;
        dns::change(cx.aws, &place.zone, vec![(ChangeAction::Upsert, mark)]).await?;
        Ok(())
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let Some(change) = cx.watch.filter(|_| after == After::Change) else {
            return Ok(Ready::Yes);
        };
        match dns::is_everywhere(cx.aws, change).await {
            Ok(false) => {
                let why = "not on all name servers yet".to_owned();
                Ok(Ready::NotYet { why, look_again: LOOK_AGAIN })
            }
            // Route 53 forgets its changes after a while.
            Ok(true) => Ok(Ready::Yes),
            Err(error) if error.class == Class::Absent => Ok(Ready::Yes),
            Err(error) => Err(error),
        }
    }
}

impl DnsRecord {
    /// Puts this in the place of what is there, and of others that make room. A DELETE names all that it removes: whatever somebody
    /// else has written meanwhile makes the whole change fail.
    async fn put(
        &self,
        cx: &Cx<'_>,
        (zone, place): (&Zone, &Place),
        there: Option<ResourceRecordSet>,
        before: Vec<ResourceRecordSet>,
    ) -> Result<Made<Outputs>> {
        let set = self.to_sdk(place, there.as_ref().and_then(ResourceRecordSet::ttl))?;
        let mut changes: Vec<_> =
            before.into_iter().map(|set| (ChangeAction::Delete, set)).collect();
        let is_so = |there| Self::of(place, Some(there)) == Self::of(place, Some(&set));
        if !there.as_ref().is_some_and(is_so) {
            changes.extend(there.map(|there| (ChangeAction::Delete, there)));
            changes.push((ChangeAction::Create, set));
        }
        let at = mark::place(cx.stack, zone, place);
        changes.push((ChangeAction::Upsert, mark::write(&at, place, cx.tags)?));
        let watch = dns::change(cx.aws, &place.zone, changes).await?;
        Ok(Made { watch, ..Made::new(place.to_string(), outputs(place)) })
    }

    fn to_sdk(&self, place: &Place, ttl: Option<i64>) -> Result<ResourceRecordSet> {
        let set = ResourceRecordSet::builder().name(&place.name).r#type(self.kind.as_str().into());
        let set = match &self.alias {
            Some(alias) => {
                let target = AliasTarget::builder()
                    .dns_name(&alias.dns_name)
                    .hosted_zone_id(&alias.zone_id)
                    .evaluate_target_health(alias.evaluate_target_health);
                set.alias_target(target.build().map_err(dns::unbuilt)?)
            }
            None => {
                let value = |value: &String| ResourceRecord::builder().value(value).build();
                let values: Result<Vec<_>, _> = self.values.iter().map(value).collect();
                let ttl = self.ttl.map(i64::from).or(ttl).unwrap_or(i64::from(TTL));
                set.set_resource_records(Some(values.map_err(dns::unbuilt)?)).ttl(ttl)
            }
        };
        set.build().map_err(dns::unbuilt)
    }

    /// What stands at a place; a record that is gone has no values.
    fn of(place: &Place, set: Option<&ResourceRecordSet>) -> Self {
        let values = set.into_iter().flat_map(ResourceRecordSet::resource_records);
        let alias = set.and_then(ResourceRecordSet::alias_target).map(|target| Alias {
            dns_name: plain(target.dns_name()),
            zone_id: target.hosted_zone_id().to_owned(),
            evaluate_target_health: target.evaluate_target_health(),
        });
        Self {
            name: place.name.clone(),
            kind: place.kind.clone(),
            zone_id: Some(place.zone.clone()),
            values: values.map(|record| record.value().to_owned()).collect(),
            ttl: set.and_then(ResourceRecordSet::ttl).and_then(|ttl| u32::try_from(ttl).ok()),
            alias,
        }
    }
}

/// The records that a successor at `place` replaces and cannot stand beside: a CNAME suffers no other of its
/// name. Their marks go with them, when they are deleted.
async fn yielding(cx: &Cx<'_>, place: &Place) -> Result<Vec<ResourceRecordSet>> {
    let old = cx.beside.iter().filter_map(|id| Place::read(id));
    let crowds = |old: &Place| {
        let is_one = [&old.kind, &place.kind].iter().any(|kind| *kind == "CNAME");
        (&old.zone, &old.name) == (&place.zone, &place.name) && old.kind != place.kind && is_one
    };
    let old: Vec<Place> = old.filter(crowds).collect();
    let found = concurrently(&old, |place| dns::record(cx.aws, place)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// The record at a place; `tags` are those that a mark of the stack gives it. Of one that is not the
/// stack's, the mark of another stack says whose it is.
async fn look(
    aws: &Aws,
    zones: &[Zone],
    place: &Place,
    tags: Option<&Tags>,
) -> Result<Option<Observed<DnsRecord>>> {
    let set = dns::record(aws, place).await?;
    let zone = zones.iter().find(|zone| zone.id == place.zone);
    let tags = match (tags, &set, zone) {
        (Some(tags), ..) => tags.clone(),
        (None, Some(_), Some(zone)) => mark::tags(aws, zone, place).await?,
        (None, ..) => return Ok(None),
    };
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: place.to_string(),
        live: DnsRecord::of(place, set.as_ref()),
        outputs: outputs(place),
        tags,
        condition: Condition::Ready,
    }))
}

/// Takes away a record and the stack's mark of it, as far as they are there.
pub(super) async fn remove(cx: &Cx<'_>, zone: &Zone, place: &Place) -> Result<()> {
    let mut changes = Vec::new();
    for place in [place, &mark::place(cx.stack, zone, place)] {
        let there = dns::record(cx.aws, place).await?;
        changes.extend(there.map(|there| (ChangeAction::Delete, there)));
    }
    dns::change(cx.aws, &zone.id, changes).await?;
    Ok(())
}

/// Where the wanted records are to stand, as far as that is known.
async fn wanted(aws: &Aws, sought: &Sought<'_>) -> Result<BTreeMap<Place, Zone>> {
    let mut places = BTreeMap::new();
    for want in sought.wanted {
        let spec = &want.spec;
        let (Some(name), Some(kind)) = (spec.text("name"), spec.text("type")) else { continue };
        let zone = zone(aws, spec.text("zone-id"), name).await?;
        places.insert(Place::new(&zone.id, name, kind), zone);
    }
    Ok(places)
}

/// The zones in which wanted records may stand, which may have moved from one to another.
async fn around(aws: &Aws, wanted: &BTreeMap<Place, Zone>) -> Result<BTreeMap<String, Zone>> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let zones = aws.zones().await?;
    let found = wanted.keys().flat_map(|place| zones.around(&place.name)).chain(wanted.values());
    Ok(found.map(|zone| (zone.id.clone(), zone.clone())).collect())
}

/// Whether a record stands where nobody asks for it: its declaration leaves the zone open, and by now another
/// one answers.
fn is_astray(
    record: &Observed<DnsRecord>,
    sought: &Sought<'_>,
    wanted: &BTreeMap<Place, Zone>,
) -> bool {
    let Some(at) = Place::read(&record.id) else { return false };
    let own = record.tags.get(TAG_ID);
    let mut open = sought.wanted.iter().filter(|want| {
        want.spec.text("zone-id").is_none() && Some(&want.address.to_string()) == own
    });
    let elsewhere =
        |place: &Place| place.zone != at.zone && (&place.name, &place.kind) == (&at.name, &at.kind);
    sought.is_ours(&record.tags) && open.next().is_some() && wanted.keys().any(elsewhere)
}

/// All zones, by their ids. Whoever may not list them has made no record.
async fn all(aws: &Aws) -> Result<BTreeMap<String, Zone>> {
    match aws.zones().await {
        Ok(zones) => Ok(zones.all().map(|zone| (zone.id.clone(), zone.clone())).collect()),
        Err(error) if error.class == Class::Denied => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// The zones in which the stack may have records that nobody declares any more: those of the names in its
/// certificates, and in those that its listeners show. To look at all would take every plan a call a zone.
async fn of_certificates(aws: &Aws, sought: &Sought<'_>) -> Result<BTreeMap<String, Zone>> {
    let own = sought.before.iter().filter(|live| sought.is_ours(&live.tags));
    let (mut names, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for live in own {
        let texts = live.spec.get("names").map(Value::texts).unwrap_or_default();
        names.extend(texts.into_iter().map(str::to_owned));
        shown.extend(live.spec.text("certificate-arn").filter(|arn| arn.contains(":acm:")));
    }
    let own = |arn: &&str| sought.before.iter().any(|live| live.id == **arn);
    let foreign: Vec<&str> = shown.into_iter().filter(|arn| !own(arn)).collect();
    let told = concurrently(&foreign, |arn| certificate::names(aws, arn)).await?;
    names.extend(told.into_iter().flatten());
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let zones = aws.zones().await?;
    let found = names.iter().filter_map(|name| zones.of(name));
    Ok(found.map(|zone| (zone.id.clone(), zone.clone())).collect())
}

/// The zone of a record: the one that is named, or the one that answers for its name.
async fn zone(aws: &Aws, id: Option<&str>, name: &str) -> Result<Zone> {
    let zones = aws.zones().await?;
    let Some(id) = id else { return Ok(zones.require(name)?.clone()) };
    let absent = || Error::new(Class::Absent, format!("there is no hosted zone `{id}` here"));
    zones.find(id).cloned().ok_or_else(absent)
}

fn place(id: &str) -> Result<Place> {
    Place::read(id).ok_or_else(|| Error::new(Class::Other, format!("`{id}` is no record's id")))
}

fn outputs(place: &Place) -> Outputs {
    Outputs { id: place.to_string(), name: place.name.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn alias() -> serde_json::Value {
        json!({ "dns-name": "lb-1.elb.amazonaws.com", "zone-id": "Z9", "evaluate-target-health": true })
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<DnsRecord>(
            json!({ "name": "*.shop.example.com", "type": "A", "alias": alias() }),
        );
        reads_back::<DnsRecord>(
            json!({ "name": "_a.example.com", "type": "TXT", "zone-id": "Z1", "values": ["\"a b\""], "ttl": 60 }),
        );
    }

    /// B1: what is written is what is read.
    #[test]
    fn a_record_set_says_what_was_declared() {
        let place = Place::new("Z1", "shop.example.com", "A");
        for spec in [json!({ "alias": alias() }), json!({ "values": ["10.0.0.1", "10.0.0.2"] })] {
            let mut spec = spec;
            spec["name"] = "shop.example.com".into();
            spec["type"] = "A".into();
            let declared: DnsRecord = serde_json::from_value(spec).unwrap();
            let set = declared.to_sdk(&place, None).unwrap();
            let seen = DnsRecord::of(&place, Some(&set));
            assert_eq!((&seen.values, &seen.alias), (&declared.values, &declared.alias));
            assert_eq!(seen.ttl, declared.alias.is_none().then_some(TTL));
            assert_eq!(declared.to_sdk(&place, Some(60)).unwrap().ttl(), seen.ttl.map(|_| 60));
        }
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let told = |spec| flaws::<DnsRecord>(spec);
        insta::assert_snapshot!(told(json!({ "name": "Shop.example.com", "type": "A" })), @r"
        E0286 name: `Shop.example.com` is no name of a record: small letters, digits, hyphens and dots
        E0286 values: a record needs values
        ");
        insta::assert_snapshot!(
            told(json!({ "name": "a.b", "type": "CNAME", "values": ["c", "d"], "alias": alias(), "ttl": 1 })),
            @r"
        E0286 values: a record has values or is an alias, and not both
        E0286 ttl: an alias lives as long as what it stands for
        E0286 values: a record of the type `CNAME` has one value
        "
        );
        insta::assert_snapshot!(
            told(json!({ "name": "a.b", "type": "TXT", "values": ["a", "${vpc.main.id}"] })),
            @"E0286 values: `a` stands in no quotation marks"
        );
    }
}
