//! Route 53 as kinds need it: the zone that a name belongs to, one record set, one change of several.
//!
//! Kinds call it; what their record sets mean, and whose they are, it does not know.

use std::fmt;

use aws_config::retry::RetryConfig;
use aws_sdk_route53::config::Config;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, HostedZone, ResourceRecordSet, RrType,
};

use super::Aws;
use crate::kind::{Class, Error, Result};

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: String,
    /// Its name, without the dot at the end.
    pub name: String,
}

/// The account's hosted zones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zones {
    /// Those that the internet asks.
    public: Vec<Zone>,
    /// Those that VPCs ask.
    private: Vec<Zone>,
}

impl Zones {
    /// ListHostedZones: a call for a hundred zones serves all names, where ListHostedZonesByName would
    /// be a call for each beginning of each name.
    pub(super) async fn read(client: &aws_sdk_route53::Client) -> Result<Self> {
        let listing = client.list_hosted_zones().into_paginator().items().send();
        let found: Vec<HostedZone> = listing.try_collect().await?;
        // The id comes with a path before it, `/hostedzone/`, that no other call wants.
        let id = |zone: &HostedZone| zone.id().rsplit('/').next().unwrap_or_default().to_owned();
        let zone = |zone: &HostedZone| Zone { id: id(zone), name: plain(zone.name()) };
        let is_private = |zone: &&HostedZone| zone.config().is_some_and(|it| it.private_zone());
        let (private, public): (Vec<_>, Vec<_>) = found.iter().partition(is_private);
        let [public, private] = [public, private].map(|some| some.into_iter().map(zone).collect());
        Ok(Self { public, private })
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Zone> {
        self.public.iter().chain(&self.private)
    }

    /// The zone with this id.
    pub fn find(&self, id: &str) -> Option<&Zone> {
        self.all().find(|zone| zone.id == id)
    }

    /// Those that could hold a record of the name `name`.
    pub fn around(&self, name: &str) -> impl Iterator<Item = &Zone> {
        let name = name.trim_start_matches("*.");
        self.all().filter(move |zone| is_within(name, &zone.name))
    }

    /// The public zone that answers for `name`: of several the one with the longest name.
    pub fn of(&self, name: &str) -> Option<&Zone> {
        let name = name.trim_start_matches("*.");
        let answering = self.public.iter().filter(|zone| is_within(name, &zone.name));
        answering.max_by_key(|zone| zone.name.len())
    }

    /// The same; fails when there is none, or when two of one name leave open which is asked.
    pub fn require(&self, name: &str) -> Result<&Zone> {
        let Some(found) = self.of(name) else {
            let message = format!("no public hosted zone in this account answers for `{name}`");
            let hint = "create the zone of its domain in Route 53 and have the registrar name its name \
                        servers, or take the domain out of the spec";
            return Err(Error::new(Class::Other, message).hinted(hint));
        };
        let mut same = self.public.iter().filter(|it| it.name == found.name && it.id != found.id);
        let Some(other) = same.next() else { return Ok(found) };
        let (name, id, other) = (&found.name, &found.id, &other.id);
        let message = format!("two hosted zones are called `{name}`: {id} and {other}");
        let hint = "delete the one whose name servers the registrar does not name";
        Err(Error::new(Class::Other, message).hinted(hint))
    }
}

/// Whether `name` is `domain` or below it.
pub fn is_within(name: &str, domain: &str) -> bool {
    let above = name.strip_suffix(domain);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// A name as Route 53 tells it, in the form in which it is declared: without the dot at the end, and `*`
/// not as `\052`.
pub fn plain(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*").to_ascii_lowercase()
}

/// Where a record set stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The id of its zone.
    pub zone: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
}

impl Place {
    /// The place in the zone `zone` of `name`, for records of the type `kind`.
    pub fn new(zone: &str, name: &str, kind: &str) -> Self {
        Self { zone: zone.to_owned(), name: name.to_owned(), kind: kind.to_owned() }
    }

    /// Reads what `to_string` gives.
    pub fn read(id: &str) -> Option<Self> {
        let (zone, rest) = id.split_once('/')?;
        let (name, kind) = rest.rsplit_once('/')?;
        Some(Self::new(zone, name, kind))
    }

    /// Whether the record set stands here.
    fn has(&self, set: &ResourceRecordSet) -> bool {
        plain(set.name()) == self.name && set.r#type().as_str() == self.kind
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.zone, self.name, self.kind)
    }
}

/// The record set at a place. Of several that share it, as those with weights do, the first.
pub async fn record(aws: &Aws, place: &Place) -> Result<Option<ResourceRecordSet>> {
    let call = aws.dns.list_resource_record_sets().hosted_zone_id(&place.zone);
    let call = call.start_record_name(&place.name).start_record_type(place.kind.as_str().into());
    let found = call.max_items(1).send().await?;
    Ok(found.resource_record_sets.into_iter().next().filter(|set| place.has(set)))
}

/// The record sets of a zone at `domain` and below it. Route 53 lists names from their last label on, so
/// they stand together.
pub async fn below(aws: &Aws, zone: &Zone, domain: &str) -> Result<Vec<ResourceRecordSet>> {
    let (mut found, mut start) = (Vec::new(), (domain.to_owned(), None::<RrType>));
    loop {
        let call = aws.dns.list_resource_record_sets().hosted_zone_id(&zone.id);
        let call = call.start_record_name(&start.0).set_start_record_type(start.1.clone());
        let page = call.send().await?;
        for set in page.resource_record_sets {
            if !is_within(&plain(set.name()), domain) {
                return Ok(found);
            }
            found.push(set);
        }
        match page.next_record_name.filter(|_| page.is_truncated) {
            Some(next) => start = (next, page.next_record_type),
            None => return Ok(found),
        }
    }
}

/// ChangeResourceRecordSets: all of the changes or none. Gives the id by which [`is_everywhere`] asks.
///
/// It is sent once. Were its answer lost and it sent again by the SDK, AWS would refuse to make what is
/// there by then; whoever tries again from above looks first.
pub async fn change(
    aws: &Aws,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<Option<String>> {
    if changes.is_empty() {
        return Ok(None);
    }
    let change = |(action, set)| Change::builder().action(action).resource_record_set(set).build();
    let changes = changes.into_iter().map(change).collect::<Result<Vec<_>, _>>();
    let batch =
        changes.and_then(|changes| ChangeBatch::builder().set_changes(Some(changes)).build());
    let batch = batch.map_err(unbuilt)?;
    let call = aws.dns.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    let once = Config::builder().retry_config(RetryConfig::disabled());
    let made = call.customize().config_override(once).send().await?;
    Ok(made.change_info().map(|info| info.id().to_owned()))
}

/// GetChange: whether all of Route 53's name servers answer with a change.
pub async fn is_everywhere(aws: &Aws, change: &str) -> Result<bool> {
    let found = aws.dns.get_change().id(change).send().await?;
    Ok(found.change_info().is_none_or(|info| *info.status() == ChangeStatus::Insync))
}

/// For what the SDK's builders find lacking.
pub fn unbuilt(error: impl fmt::Display) -> Error {
    Error::new(Class::Other, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(names: &[&str]) -> Zones {
        let zone = |(index, name): (usize, &&str)| Zone {
            id: format!("Z{index}"),
            name: (*name).to_owned(),
        };
        Zones { public: names.iter().enumerate().map(zone).collect(), private: Vec::new() }
    }

    #[test]
    fn the_longest_zone_answers() {
        let zones = zones(&["example.com", "shop.example.com", "ample.com", "example.org"]);
        let of = |name| zones.of(name).map(|zone| zone.id.as_str());
        assert_eq!(of("example.com"), Some("Z0"));
        assert_eq!(of("www.example.com"), Some("Z0"));
        assert_eq!(of("*.shop.example.com"), Some("Z1"));
        assert_eq!(of("a.b.shop.example.com"), Some("Z1"));
        assert_eq!(of("workshop.example.com"), Some("Z0"));
        assert_eq!(of("example.net"), None);
    }

    #[test]
    fn a_zone_that_is_not_there_or_not_certain_is_named() {
        let told =
            |names: &[&str]| zones(names).require("shop.example.com").unwrap_err().to_string();
        insta::assert_snapshot!(told(&[]), @"no public hosted zone in this account answers for `shop.example.com`");
        insta::assert_snapshot!(told(&["example.com", "example.com"]), @"two hosted zones are called `example.com`: Z1 and Z0");
    }

    #[test]
    fn places_are_read_back() {
        let place = Place::new("Z1", "*.example.com", "A");
        assert_eq!(Place::read(&place.to_string()), Some(place));
        assert_eq!(Place::read("Z1"), None);
        assert_eq!(plain("\\052.Example.com."), "*.example.com");
    }
}
