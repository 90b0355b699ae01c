//! `discovery-service`: a name in a DNS namespace of AWS Cloud Map, under which the tasks of a service are found. ECS puts
//! them there as they start and takes them away as they stop.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_servicediscovery::operation::create_service::CreateServiceError as Refusal;
use aws_sdk_servicediscovery::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cloud_map::{self, short};
use super::listing::parents;
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::dns::unbuilt;
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Ready,
    Result, Sought, TagChange,
};

/// A name in a DNS namespace of AWS Cloud Map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscoveryService {
    /// The name, which no other service has in the namespace: `cache` of `cache.shop.internal`.
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The ARN of the namespace.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${dns-namespace.main.arn}"]))]
    pub namespace: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What is told of each instance.
    #[schemars(extend("x-replaces" = true, "examples" = [["A"]]))]
    pub records: BTreeSet<RecordType>,
    /// Seconds for which an answer may be kept.
    #[serde(default = "minute")]
    #[schemars(range(max = 2_147_483_647))]
    pub ttl: u32,
    /// Which of the instances are told.
    #[serde(default = "multivalue")]
    #[schemars(extend("x-replaces" = true))]
    pub routing_policy: RoutingPolicy,
    /// Whether ECS says which instances are healthy; others are not told then.
    #[serde(default = "yes")]
    #[schemars(extend("x-replaces" = true))]
    pub custom_health_check: bool,
}

fn minute() -> u32 {
    60
}

fn multivalue() -> RoutingPolicy {
    RoutingPolicy::Multivalue
}

fn yes() -> bool {
    true
}

words! {
    /// What a record says.
    RecordType as "a type of records" {
        /// An address.
        A = "A",
        /// An address of IPv6.
        Aaaa = "AAAA",
        /// A host and a port.
        Srv = "SRV",
        /// Another name.
        Cname = "CNAME",
    }
}

words! {
    /// Which of the instances are told.
    RoutingPolicy as "a routing policy" {
        /// Up to eight healthy ones.
        Multivalue = "MULTIVALUE",
        /// One at random.
        Weighted = "WEIGHTED",
    }
}

/// The longest description. Page "CreateService" of Cloud Map.
const LONGEST_DESCRIPTION: usize = 1024;
/// The longest name, and the longest label of one. Same page.
const LONGEST: (usize, usize) = (127, 63);

impl Kind for DiscoveryService {
    const NAME: &'static str = "discovery-service";
    const ABOUT: About = About {
        // Cloud Map lets go of a service when ECS has taken its tasks out of it.
        deadline: Duration::from_secs(15 * 60),
        exclusive: &["namespace", "name"],
        observed_after: &["dns-namespace"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if !self.name.contains("${") && !is_name(&self.name) {
            let title = format!("`{}` is no name for Cloud Map", self.name);
            let hint = "write up to 63 letters, digits, `-` and `_` between dots";
            check.error_with("E0384", "name", title, hint).alone = true;
        }
        if self.description.chars().count() > LONGEST_DESCRIPTION {
            let title = format!("a description has at most {LONGEST_DESCRIPTION} characters");
            check.error("E0384", "description", title).alone = true;
        }
        let types: Vec<&str> = self.records.iter().map(|it| it.word()).collect();
        match types.as_slice() {
            ["A" | "AAAA" | "SRV"] | ["A", "AAAA"] => {}
            ["CNAME"] if self.routing_policy == RoutingPolicy::Weighted => {}
            ["CNAME"] => {
                let title = "a name has one CNAME, and `MULTIVALUE` is for several records";
                check.error("E0384", "routing-policy", title);
            }
            [] => {
                check.error("E0384", "records", "no records are said that could be found");
            }
            types => {
                let title = format!("records of {} cannot stand together", types.join(" and "));
                let hint = "write \"A\", \"AAAA\", both of them, \"SRV\", or \"CNAME\"";
                check.error_with("E0384", "records", title, hint);
            }
        }
    }

    /// ListServices of the stack's namespaces and of those that are wanted, as a service in a list does not say
    /// where it is; and GetService of whatever else carries the tags.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let namespaces = parents(sought, "dns-namespace", "namespace", std::iter::empty());
        let mut found = concurrently(&namespaces, |arn| list(aws, arn)).await?.concat();
        let strays: Vec<&str> = owned
            .arns("servicediscovery", "service/")
            .filter(|arn| !found.iter().any(|one| one.arn == *arn))
            .collect();
        found.extend(concurrently(&strays, |arn| get(aws, arn)).await?.into_iter().flatten());
        let arns: Vec<&str> = found.iter().map(|one| one.arn.as_str()).collect();
        let tagged = cloud_map::all_tags(aws, &owned, &arns).await?;
        let mut seen = Vec::new();
        for (one, tags) in found.iter().zip(tagged) {
            let is_wanted = sought.wanted.iter().any(|it| {
                let is = |field: &str, text: &str| it.spec.text(field) == Some(text);
                is("name", &one.name) && is("namespace", &one.namespace)
            });
            if is_wanted || sought.is_ours(&tags) {
                seen.push(Observed {
                    earlier: Vec::new(),
                    id: one.arn.clone(),
                    live: Self::read(one)?,
                    outputs: Outputs::new(&one.arn, &one.name),
                    tags,
                    condition: Condition::Ready,
                });
            }
        }
        Ok(seen)
    }

    /// CreateService. The name may be taken by an attempt whose reply was lost, or by something else.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let health =
            self.custom_health_check.then(|| sdk::HealthCheckCustomConfig::builder().build());
        let call = cx.aws.discovery.create_service().name(&self.name);
        let call = call.namespace_id(short(&self.namespace)).creator_request_id(cx.token);
        let call = call.description(&self.description).dns_config(self.dns()?);
        let call = call.set_health_check_custom_config(health);
        let arn = match call.set_tags(cloud_map::created(cx.tags)).send().await {
            Ok(made) => made.service.and_then(|service| service.arn),
            Err(error) => match error.as_service_error() {
                Some(Refusal::ServiceAlreadyExists(there)) => {
                    let arn = there.service_arn().map(str::to_owned);
                    let arn = arn.ok_or_else(|| Error::from(error))?;
                    cx.require_ours(&cloud_map::read_tags(cx.aws, &arn).await?)?;
                    Some(arn)
                }
                _ => return Err(error.into()),
            },
        };
        let arn = arn.ok_or_else(|| Error::incomplete("the service's ARN"))?;
        Ok(Made::new(&arn, Outputs::new(&arn, &self.name)))
    }

    /// UpdateService. What is left out of the records is deleted: so all are sent.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let dns = sdk::DnsConfigChange::builder().set_dns_records(Some(self.records()?));
        let dns = dns.build().map_err(unbuilt)?;
        let change = sdk::ServiceChange::builder().description(&self.description).dns_config(dns);
        let call = cx.aws.discovery.update_service().id(short(cx.id)).service(change.build());
        let begun = call.send().await.map_err(Error::from)?;
        let made = Made::new(cx.id, Outputs::new(cx.id, &self.name));
        Ok(Made { watch: begun.operation_id, ..made })
    }

    /// DeleteService. While a task is in it: `ResourceInUse`.
    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.discovery.delete_service().id(short(cx.id));
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        cloud_map::change_tags(cx, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        match after {
            After::Change => cloud_map::changed(cx).await,
            After::Delete => Ok(Ready::Yes),
        }
    }
}

/// Labels of letters, digits, `-` and `_` with dots between them. Page "CreateService" of Cloud Map.
fn is_name(name: &str) -> bool {
    let is_end = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_label = |label: &str| {
        (1..=LONGEST.1).contains(&label.len())
            && label.starts_with(is_end)
            && label.ends_with(is_end)
            && label.chars().all(|c| is_end(c) || c == '-')
    };
    name.len() <= LONGEST.0 && name.split('.').all(is_label)
}

/// A service as Cloud Map tells it.
#[derive(Debug, Clone)]
struct Found {
    arn: String,
    name: String,
    /// The ARN of its namespace.
    namespace: String,
    description: String,
    dns: Option<sdk::DnsConfig>,
    custom_health_check: bool,
}

/// The services of a namespace, a hundred a page.
async fn list(aws: &Aws, namespace: &str) -> Result<Vec<Found>> {
    let filter = sdk::ServiceFilter::builder().name(sdk::ServiceFilterName::NamespaceId);
    let filter = filter.values(short(namespace)).build().map_err(unbuilt)?;
    let mut pages = aws.discovery.list_services().filters(filter).into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        match page.map_err(Error::from) {
            Ok(page) => listed.extend(page.services.unwrap_or_default()),
            Err(error) if error.class == Class::Absent => break,
            Err(error) => return Err(error),
        }
    }
    let found = listed.into_iter().map(|one| Found {
        arn: one.arn.unwrap_or_default(),
        name: one.name.unwrap_or_default(),
        namespace: namespace.to_owned(),
        description: one.description.unwrap_or_default(),
        dns: one.dns_config,
        custom_health_check: one.health_check_custom_config.is_some(),
    });
    Ok(found.collect())
}

/// The service with the ARN; none if it has gone since it was listed.
async fn get(aws: &Aws, arn: &str) -> Result<Option<Found>> {
    let found = match aws.discovery.get_service().id(short(arn)).send().await.map_err(Error::from) {
        Ok(found) => found.service,
        Err(error) if error.class == Class::Absent => None,
        Err(error) => return Err(error),
    };
    let around = arn.split_once(":service/").map_or("", |(around, _)| around);
    Ok(found.map(|one| Found {
        arn: arn.to_owned(),
        namespace: format!("{around}:namespace/{}", one.namespace_id().unwrap_or_default()),
        name: one.name.unwrap_or_default(),
        description: one.description.unwrap_or_default(),
        dns: one.dns_config,
        custom_health_check: one.health_check_custom_config.is_some(),
    }))
}

impl DiscoveryService {
    fn dns(&self) -> Result<sdk::DnsConfig> {
        let records = Some(self.records()?);
        let dns = sdk::DnsConfig::builder().routing_policy(self.routing_policy.word().into());
        dns.set_dns_records(records).build().map_err(unbuilt)
    }

    fn records(&self) -> Result<Vec<sdk::DnsRecord>> {
        let record = |record: &RecordType| {
            let record = sdk::DnsRecord::builder().r#type(record.word().into());
            record.ttl(i64::from(self.ttl)).build().map_err(unbuilt)
        };
        self.records.iter().map(record).collect()
    }

    fn read(found: &Found) -> Result<Self> {
        let dns = found.dns.as_ref();
        let records = dns.map(|dns| dns.dns_records()).unwrap_or_default();
        let policy = dns.and_then(|dns| dns.routing_policy());
        let policy = policy.map(|policy| RoutingPolicy::read(policy.as_str())).transpose()?;
        let types = records.iter().map(|record| RecordType::read(record.r#type().as_str()));
        let ttl = records.first().and_then(|record| u32::try_from(record.ttl()).ok());
        Ok(Self {
            name: found.name.clone(),
            namespace: found.namespace.clone(),
            description: found.description.clone(),
            records: types.collect::<Result<_>>()?,
            ttl: ttl.unwrap_or_else(minute),
            routing_policy: policy.unwrap_or_else(multivalue),
            custom_health_check: found.custom_health_check,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn with(changes: &Json) -> Json {
        let mut spec = json!({ "name": "cache", "namespace": "arn:ns-1", "records": ["A"] });
        for (key, value) in changes.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec
    }

    #[test]
    fn it_reads_back() {
        reads_back::<DiscoveryService>(with(&json!({
            "description": "shop", "records": ["AAAA", "A"], "ttl": 5,
            "routing-policy": "WEIGHTED", "custom-health-check": false,
        })));
    }

    /// What is sent, is what is seen afterwards.
    #[test]
    fn b1_what_cloud_map_stores_is_no_difference() {
        for changes in [json!({}), json!({ "records": ["SRV"], "ttl": 10 })] {
            let spec: DiscoveryService = serde_json::from_value(with(&changes)).unwrap();
            let stored = Found {
                arn: "arn".into(),
                name: "cache".into(),
                namespace: "arn:ns-1".into(),
                description: String::new(),
                dns: Some(spec.dns().unwrap()),
                custom_health_check: true,
            };
            assert_eq!(DiscoveryService::read(&stored).unwrap(), spec);
        }
    }

    #[test]
    fn what_cloud_map_would_refuse_is_refused() {
        let told = |changes: &Json| flaws::<DiscoveryService>(with(changes));
        for fine in [json!({}), json!({ "name": "_cache._tcp", "records": ["SRV"] })] {
            assert_eq!(told(&fine), "");
        }
        assert_eq!(told(&json!({ "records": ["CNAME"], "routing-policy": "WEIGHTED" })), "");
        insta::assert_snapshot!(told(&json!({ "name": "-a", "description": "x".repeat(1025), "records": [] })), @"
        E0384 name: `-a` is no name for Cloud Map
        E0384 description: a description has at most 1024 characters
        E0384 records: no records are said that could be found
        ");
        insta::assert_snapshot!(told(&json!({ "records": ["A", "SRV"] })), @"E0384 records: records of A and SRV cannot stand together");
        insta::assert_snapshot!(told(&json!({ "records": ["CNAME"] })), @"E0384 routing-policy: a name has one CNAME, and `MULTIVALUE` is for several records");
    }
}
