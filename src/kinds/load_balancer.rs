//! `load-balancer`: an Application Load Balancer, which knows HTTP, or a Network Load Balancer, which passes on
//! what comes over TCP, UDP and TLS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::Filter;
use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as Description, LoadBalancerAttribute, LoadBalancerSchemeEnum,
    LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{Pick, elb_tags, name_flaw, require_ours, resource};
use crate::cloud::aws::{Aws, concurrently, linked, tags};
use crate::kind::{
    About, After, Awaits, Check, Class, Condition, Cx, Error, Forgive as _, Gate, Kind, Made,
    NameStyle, Naming, Observed, Ready, Result, Sought, TagChange, Unfit, Unit, are_several,
};

/// An Application Load Balancer or a Network Load Balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoadBalancer {
    /// Its name: up to 32 letters, digits and hyphens.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What it knows of what it passes on: requests over HTTP (`application`), or connections (`network`).
    #[serde(default = "application", rename = "type")]
    #[schemars(extend("x-replaces" = true, "enum" = ["application", "network"]))]
    pub kind: String,
    /// The id of the VPC of its subnets. AWS reads it off the subnets and never changes it: written, it
    /// makes a load balancer whose subnets move to another VPC be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub vpc_id: Option<String>,
    /// Whether it has public addresses.
    #[serde(default = "internet_facing")]
    #[schemars(extend("x-replaces" = true, "enum" = ["internet-facing", "internal"]))]
    pub scheme: String,
    /// The ids of its subnets, one in each availability zone; in two of them or more, unless it is a `network` one.
    #[schemars(extend("examples" = [["${subnet.public-a.id}", "${subnet.public-b.id}"]]))]
    pub subnets: BTreeSet<String>,
    /// The ids of its security groups; left out, those it has stay: of a new one, the VPC's
    /// default. A `network` one that begins with none can never have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<BTreeSet<String>>,
    /// The addresses it answers on.
    #[serde(default = "ipv4")]
    #[schemars(extend("enum" = ["ipv4", "dualstack", "dualstack-without-public-ipv4"]))]
    pub ip_address_type: String,
    /// Where it writes what came to it; nowhere when left out. Of a `network` one that is what came over TLS.
    #[serde(default)]
    pub access_logs: AccessLogs,
    /// Whether each of its zones sends to the targets in all of them. Of a `network` one AWS's default is false;
    /// an `application` one always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_zone: Option<bool>,
    /// Seconds after which an idle connection is closed, 1 to 4000; AWS's default is 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u32>,
    /// Seconds for which a client's connection is kept at most, 60 to 604800; AWS's default is
    /// 3600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_keep_alive: Option<u32>,
    /// Whether AWS refuses to delete it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    /// Whether clients may speak HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http2: Option<bool>,
    /// Whether header fields with invalid names are removed instead of passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_invalid_header_fields: Option<bool>,
    /// Whether the `Host` header is passed on as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_host_header: Option<bool>,
}

/// Where a load balancer writes what came to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct AccessLogs {
    /// The bucket, in the same region, whose policy lets Elastic Load Balancing write to it; without one nothing is
    /// written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// What the names of the objects begin with, before `AWSLogs/`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

fn application() -> String {
    "application".to_owned()
}

fn internet_facing() -> String {
    "internet-facing".to_owned()
}

fn ipv4() -> String {
    "ipv4".to_owned()
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its ARN.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its DNS name.
    pub dns: String,
    /// The id of the hosted zone of its DNS name, for alias records.
    pub zone_id: String,
    /// `app/<name>/<id>` or `net/<name>/<id>`, as the metrics of CloudWatch name it.
    pub arn_suffix: String,
}

impl Kind for LoadBalancer {
    const NAME: &'static str = "load-balancer";
    const ABOUT: About = About {
        seconds: 150,
        deadline: Duration::from_secs(15 * 60),
        exclusive: &["name"],
        gate: Gate::Exists,
        naming: Some(Naming { max: 32, style: NameStyle::Dashed, suffix: true }),
        awaits: &[
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["internet-gateway"] },
        ],
        // DNS records name it so, and go before it.
        mentioned_as: &["id", "arn", "dns"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if let Some(flaw) = name_flaw(&self.name) {
            check.error("E0230", "name", flaw).alone = true;
        }
        match self.is_network() {
            true => self.check_network(check),
            false => self.check_application(check),
        }
        let AccessLogs { bucket, prefix } = &self.access_logs;
        if bucket.is_empty() && !prefix.is_empty() {
            let title = "in which bucket the logs lie is not said";
            check.error_with("E0377", "access-logs", title, "add `bucket`");
        }
        if prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains("AWSLogs") {
            let title = format!("`{prefix}` cannot be what the names of logs begin with");
            let hint = "write it without `/` at its ends, and without `AWSLogs`, which follows it";
            check.error_with("E0377", "access-logs.prefix", title, hint);
        }
        let ranges = [
            ("idle-timeout", self.idle_timeout, 1..=4000),
            ("client-keep-alive", self.client_keep_alive, 60..=604_800),
        ];
        for (field, seconds, legal) in ranges {
            check.within("E0238", field, (seconds, Unit::Seconds), legal);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let pick = Pick::new(sought, &owned, NameStyle::Dashed);
        let mut found = list(aws).await?;
        found.retain(|one| pick.may_concern(arn(one), name(one)));
        let tags = elb_tags(aws, &owned, found.iter().map(arn)).await?;
        let tags = |one: &Description| tags.get(arn(one)).cloned().unwrap_or_default();
        found.retain(|one| pick.concerns(name(one), &tags(one)));
        concurrently(&found, |one| {
            let tags = tags(one);
            async move {
                let mut live = Self::from(one);
                // Of what is not ours only the name counts.
                if sought.is_ours(&tags) {
                    live.fill(&read_attributes(aws, arn(one)).await?);
                }
                let (outputs, condition) = (outputs(one), condition(one));
                Ok(Observed {
                    earlier: Vec::new(),
                    id: arn(one).to_owned(),
                    live,
                    outputs,
                    tags,
                    condition,
                })
            }
        })
        .await
    }

    /// CreateLoadBalancer gives back one of the same name and settings as if it had just made it,
    /// so the name is looked for first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let made = match by_name(cx.aws, &self.name).await? {
            Some(there) => {
                require_ours(cx, arn(&there)).await?;
                there
            }
            None => {
                let made = cx.aws.linked(&[linked::BALANCING], self.make(cx)).await?;
                // A new one writes no logs.
                self.put_attributes(&off(), arn(&made), cx.aws).await?;
                return Ok(Made::new(arn(&made), outputs(&made)));
            }
        };
        self.put_attributes(&BTreeMap::new(), arn(&made), cx.aws).await?;
        Ok(Made::new(arn(&made), outputs(&made)))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let elb = &cx.aws.elb;
        if self.subnets != was.subnets {
            let call = elb.set_subnets().load_balancer_arn(cx.id);
            let call = call.set_subnets(Some(self.subnets.iter().cloned().collect()));
            call.send().await.map_err(|error| Error::from(error).while_creating())?;
        }
        if self.security_groups.is_some() && self.security_groups != was.security_groups {
            let call = elb.set_security_groups().load_balancer_arn(cx.id);
            let groups = self.security_groups.clone().map(|groups| groups.into_iter().collect());
            let call = call.set_security_groups(groups);
            call.send().await.map_err(|error| Error::from(error).while_creating())?;
        }
        if self.ip_address_type != was.ip_address_type {
            let call = elb.set_ip_address_type().load_balancer_arn(cx.id);
            call.ip_address_type(self.ip_address_type.as_str().into()).send().await?;
        }
        self.put_attributes(&was.attributes(), cx.id, cx.aws).await?;
        let now = by_arn(cx.aws, cx.id).await?;
        Ok(Made::new(cx.id, outputs(&now)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.elb.delete_load_balancer().load_balancer_arn(cx.id);
        match call.send().await.map_err(Error::from).absent_is_fine() {
            Err(error) if error.is("OperationNotPermitted") => {
                Err(error.hinted("write `deletion-protection = false`, apply, then delete it"))
            }
            other => other,
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::elb::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        match (by_arn(cx.aws, cx.id).await, after) {
            (Err(error), After::Delete) if error.class == Class::Absent => interfaces(cx).await,
            (Err(error), _) => Err(error),
            (Ok(_), After::Delete) => Ok(not_yet("deleting")),
            (Ok(now), After::Change) => match condition(&now) {
                Condition::Ready => Ok(Ready::Yes),
                Condition::Settling(why) | Condition::Leaving(why) => Ok(not_yet(why)),
                Condition::Broken(why) | Condition::Unfit(Unfit { why, .. }) => {
                    Err(Error::new(Class::Other, why))
                }
            },
        }
    }
}

impl LoadBalancer {
    fn is_network(&self) -> bool {
        self.kind == NETWORK
    }

    fn check_application(&self, check: &mut Check<'_>) {
        let are_counted = !self.subnets.iter().any(|subnet| are_several(subnet));
        if are_counted && self.subnets.len() < 2 {
            let title = "an application load balancer needs subnets in two availability zones";
            check.error("E0235", "subnets", title);
        }
        if self.security_groups.as_ref().is_some_and(BTreeSet::is_empty) {
            let title = "an application load balancer needs a security group";
            check.error("E0235", "security-groups", title);
        }
        if self.cross_zone == Some(false) {
            let title = "an application load balancer always sends to the targets of all zones";
            check.error_with("E0377", "cross-zone", title, "leave `cross-zone` out");
        }
    }

    fn check_network(&self, check: &mut Check<'_>) {
        if self.subnets.is_empty() {
            check.error("E0235", "subnets", "a network load balancer needs a subnet");
        }
        if self.security_groups.as_ref().is_none_or(BTreeSet::is_empty) {
            let title = "a network load balancer that begins without a security group can never \
                         have one";
            let hint = "give it a security group from the beginning";
            check.error_with("E0235", "security-groups", title, hint);
        }
        let of_requests = [
            ("idle-timeout", self.idle_timeout.is_some()),
            ("client-keep-alive", self.client_keep_alive.is_some()),
            ("http2", self.http2.is_some()),
            ("drop-invalid-header-fields", self.drop_invalid_header_fields.is_some()),
            ("preserve-host-header", self.preserve_host_header.is_some()),
        ];
        for (field, _) in of_requests.into_iter().filter(|(_, is_said)| *is_said) {
            let title = format!("a network load balancer has no `{field}`: it knows no requests");
            check.error_with("E0377", field, title, format!("leave `{field}` out"));
        }
        if self.ip_address_type == "dualstack-without-public-ipv4" {
            let title = "a network load balancer cannot do without public IPv4 addresses";
            check.error_with("E0377", "ip-address-type", title, "write `dualstack`");
        }
    }

    /// CreateLoadBalancer.
    async fn make(&self, cx: &Cx<'_>) -> Result<Description> {
        let call = cx.aws.elb.create_load_balancer();
        let groups = self.security_groups.clone().map(|groups| groups.into_iter().collect());
        let made = call
            .name(&self.name)
            .r#type(LoadBalancerTypeEnum::from(self.kind.as_str()))
            .scheme(LoadBalancerSchemeEnum::from(self.scheme.as_str()))
            .set_subnets(Some(self.subnets.iter().cloned().collect()))
            .set_security_groups(groups)
            .ip_address_type(IpAddressType::from(self.ip_address_type.as_str()))
            .set_tags(tags::some(cx.tags, tags::elb::tag))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        let made = made.load_balancers.unwrap_or_default().into_iter().next();
        made.ok_or_else(|| Error::incomplete("the load balancer"))
    }

    /// The fields that are attributes, as AWS writes them: `LoadBalancerAttribute` in the API
    /// reference.
    fn attributes(&self) -> BTreeMap<&'static str, String> {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let truth = |value: Option<bool>| value.map(|value| value.to_string());
        [
            (IDLE_TIMEOUT, number(self.idle_timeout)),
            (CLIENT_KEEP_ALIVE, number(self.client_keep_alive)),
            (DELETION_PROTECTION, truth(self.deletion_protection)),
            (HTTP2, truth(self.http2)),
            (DROP_INVALID, truth(self.drop_invalid_header_fields)),
            (PRESERVE_HOST, truth(self.preserve_host_header)),
            (CROSS_ZONE, truth(self.cross_zone)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .chain(self.access_logs.attributes())
        .collect()
    }

    /// Takes over the attributes that AWS tells.
    fn fill(&mut self, told: &BTreeMap<String, String>) {
        let number = |key| told.get(key).and_then(|value| value.parse().ok());
        let truth = |key| told.get(key).and_then(|value| value.parse().ok());
        self.idle_timeout = number(IDLE_TIMEOUT);
        self.client_keep_alive = number(CLIENT_KEEP_ALIVE);
        self.deletion_protection = truth(DELETION_PROTECTION);
        self.http2 = truth(HTTP2);
        self.drop_invalid_header_fields = truth(DROP_INVALID);
        self.preserve_host_header = truth(PRESERVE_HOST);
        self.cross_zone = truth(CROSS_ZONE);
        self.access_logs = AccessLogs::of(told);
    }

    /// ModifyLoadBalancerAttributes, with those that are not as they were.
    async fn put_attributes(
        &self,
        were: &BTreeMap<&'static str, String>,
        arn: &str,
        aws: &Aws,
    ) -> Result<()> {
        let mut change = self.attributes();
        change.retain(|key, value| were.get(key) != Some(value));
        if change.is_empty() {
            return Ok(());
        }
        let attribute = |(key, value): (&'static str, String)| {
            LoadBalancerAttribute::builder().key(key).value(value).build()
        };
        let call = aws.elb.modify_load_balancer_attributes().load_balancer_arn(arn);
        let call = call.set_attributes(Some(change.into_iter().map(attribute).collect()));
        call.send().await.map_err(|error| self.explained(Error::from(error).while_creating()))?;
        Ok(())
    }

    /// ELB tries to write to the bucket as soon as it is told of it.
    fn explained(&self, error: Error) -> Error {
        let bucket = &self.access_logs.bucket;
        match error.is("InvalidConfigurationRequest") && !bucket.is_empty() {
            true => error.hinted(format!(
                "look whether the bucket `{bucket}` is in the same region, and its policy lets \
                 `logdelivery.elasticloadbalancing.amazonaws.com` put objects into it"
            )),
            false => error,
        }
    }
}

impl AccessLogs {
    /// As AWS writes them. Of what is off AWS keeps the bucket, which means nothing.
    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self.bucket.is_empty() {
            true => vec![(LOGS, false.to_string())],
            false => vec![
                (LOGS, true.to_string()),
                (LOGS_BUCKET, self.bucket.clone()),
                (LOGS_PREFIX, self.prefix.clone()),
            ],
        }
    }

    fn of(told: &BTreeMap<String, String>) -> Self {
        let text = |key| told.get(key).cloned().unwrap_or_default();
        match text(LOGS) == "true" {
            true => Self { bucket: text(LOGS_BUCKET), prefix: text(LOGS_PREFIX) },
            false => Self::default(),
        }
    }
}

/// The attributes of a load balancer of which nobody has said anything, as far as they are always managed.
fn off() -> BTreeMap<&'static str, String> {
    AccessLogs::default().attributes().into_iter().collect()
}

const NETWORK: &str = "network";
const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
const LOGS: &str = "access_logs.s3.enabled";
const LOGS_BUCKET: &str = "access_logs.s3.bucket";
const LOGS_PREFIX: &str = "access_logs.s3.prefix";
const IDLE_TIMEOUT: &str = "idle_timeout.timeout_seconds";
const CLIENT_KEEP_ALIVE: &str = "client_keep_alive.seconds";
const DELETION_PROTECTION: &str = "deletion_protection.enabled";
const HTTP2: &str = "routing.http2.enabled";
const DROP_INVALID: &str = "routing.http.drop_invalid_header_fields.enabled";
const PRESERVE_HOST: &str = "routing.http.preserve_host_header.enabled";

impl From<&Description> for LoadBalancer {
    fn from(one: &Description) -> Self {
        let subnets = one.availability_zones().iter().filter_map(|zone| zone.subnet_id());
        Self {
            name: name(one).to_owned(),
            kind: one.r#type().map_or_else(application, |kind| kind.as_str().to_owned()),
            vpc_id: one.vpc_id().map(str::to_owned),
            scheme: one.scheme().map_or_else(internet_facing, |scheme| scheme.as_str().to_owned()),
            subnets: subnets.map(str::to_owned).collect(),
            security_groups: Some(one.security_groups().iter().cloned().collect()),
            ip_address_type: one.ip_address_type().map_or_else(ipv4, |t| t.as_str().to_owned()),
            access_logs: AccessLogs::default(),
            cross_zone: None,
            idle_timeout: None,
            client_keep_alive: None,
            deletion_protection: None,
            http2: None,
            drop_invalid_header_fields: None,
            preserve_host_header: None,
        }
    }
}

/// DescribeLoadBalancers, all of the account: a page holds 400, and the quota is 50.
async fn list(aws: &Aws) -> Result<Vec<Description>> {
    let pages = aws.elb.describe_load_balancers().page_size(400).into_paginator();
    pages.items().send().try_collect().await.map_err(Error::from)
}

async fn by_name(aws: &Aws, name: &str) -> Result<Option<Description>> {
    let found = aws.elb.describe_load_balancers().names(name).send().await;
    match found.map_err(Error::from) {
        Ok(found) => Ok(found.load_balancers.unwrap_or_default().into_iter().next()),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// An error of the class [`Class::Absent`] when it is not there.
async fn by_arn(aws: &Aws, arn: &str) -> Result<Description> {
    let found = aws.elb.describe_load_balancers().load_balancer_arns(arn).send().await?;
    let found = found.load_balancers.unwrap_or_default().into_iter().next();
    found.ok_or_else(|| Error::new(Class::Absent, format!("there is no load balancer {arn}")))
}

/// DescribeLoadBalancerAttributes.
async fn read_attributes(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>> {
    let call = aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
    let told = call.send().await?;
    let pair = |attribute: &LoadBalancerAttribute| {
        Some((attribute.key()?.to_owned(), attribute.value()?.to_owned()))
    };
    Ok(told.attributes().iter().filter_map(pair).collect())
}

/// ELB answers *deleted* before it lets go of its network interfaces, which hold subnets, security
/// groups and the internet gateway.
async fn interfaces(cx: &Cx<'_>) -> Result<Ready> {
    let label = format!("ELB {}", suffix(cx.id));
    let filter = Filter::builder().name("description").values(label).build();
    let left = cx.aws.ec2.describe_network_interfaces().filters(filter).send().await?;
    Ok(match left.network_interfaces().len() {
        0 => Ready::Yes,
        1 => not_yet("1 network interface left"),
        left => not_yet(format!("{left} network interfaces left")),
    })
}

fn not_yet(why: impl Into<String>) -> Ready {
    Ready::NotYet { why: why.into(), look_again: Duration::from_secs(5) }
}

fn condition(one: &Description) -> Condition {
    let Some(state) = one.state() else { return Condition::Ready };
    match state.code() {
        Some(LoadBalancerStateEnum::Provisioning) => Condition::Settling("provisioning".to_owned()),
        Some(LoadBalancerStateEnum::Failed) => {
            Condition::Broken(state.reason().unwrap_or("it failed").to_owned())
        }
        // `active_impaired` serves, though it could not scale.
        _ => Condition::Ready,
    }
}

fn outputs(one: &Description) -> Outputs {
    Outputs {
        id: arn(one).to_owned(),
        arn: arn(one).to_owned(),
        name: name(one).to_owned(),
        // Case means nothing in DNS, and Route 53 answers in small letters.
        dns: one.dns_name().unwrap_or_default().to_ascii_lowercase(),
        zone_id: one.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
        arn_suffix: suffix(arn(one)).to_owned(),
    }
}

fn arn(one: &Description) -> &str {
    one.load_balancer_arn().unwrap_or_default()
}

fn name(one: &Description) -> &str {
    one.load_balancer_name().unwrap_or_default()
}

/// `app/<name>/<id>`, `net/<name>/<id>`.
fn suffix(arn: &str) -> &str {
    let resource = resource(arn);
    resource.strip_prefix("loadbalancer/").unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<LoadBalancer>(json!({ "subnets": ["a", "b"] }));
        reads_back::<LoadBalancer>(json!({
            "name": "shop", "scheme": "internal", "subnets": ["a", "b"], "security-groups": ["c"],
            "ip-address-type": "dualstack", "idle-timeout": 30, "client-keep-alive": 60,
            "deletion-protection": true, "http2": false, "drop-invalid-header-fields": true,
            "preserve-host-header": true,
        }));
        reads_back::<LoadBalancer>(json!({
            "name": "shop", "type": "network", "subnets": ["a"], "security-groups": ["c"],
            "cross-zone": true, "access-logs": { "bucket": "b", "prefix": "p" },
        }));
    }

    #[test]
    fn logs_that_are_off_have_no_bucket() {
        let on = AccessLogs { bucket: "b".into(), prefix: "p".into() };
        for logs in [on, AccessLogs::default()] {
            let told = logs.attributes().into_iter().map(|(key, value)| (key.to_owned(), value));
            assert_eq!(AccessLogs::of(&told.collect()), logs);
        }
        let told = [(LOGS, "false"), (LOGS_BUCKET, "b")];
        let told = told.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(AccessLogs::of(&told.into()), AccessLogs::default());
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<LoadBalancer>(json!({
            "name": "internal-shop", "subnets": ["a"], "security-groups": [], "idle-timeout": 4001,
            "client-keep-alive": 59,
        })), @"
        E0230 name: `internal-shop` may not begin with `internal-`
        E0235 subnets: an application load balancer needs subnets in two availability zones
        E0235 security-groups: an application load balancer needs a security group
        E0238 idle-timeout: `idle-timeout` is at most 4000s
        E0238 client-keep-alive: `client-keep-alive` is at least 1m (60 s)
        ");
        insta::assert_snapshot!(flaws::<LoadBalancer>(json!({
            "type": "network", "subnets": [], "http2": true, "access-logs": { "prefix": "/x" },
            "ip-address-type": "dualstack-without-public-ipv4",
        })), @"
        E0235 subnets: a network load balancer needs a subnet
        E0235 security-groups: a network load balancer that begins without a security group can never have one
        E0377 http2: a network load balancer has no `http2`: it knows no requests
        E0377 ip-address-type: a network load balancer cannot do without public IPv4 addresses
        E0377 access-logs: in which bucket the logs lie is not said
        E0377 access-logs.prefix: `/x` cannot be what the names of logs begin with
        ");
        insta::assert_snapshot!(flaws::<LoadBalancer>(json!({
            "subnets": ["a", "b"], "cross-zone": false,
        })), @"E0377 cross-zone: an application load balancer always sends to the targets of all zones");
    }
}
