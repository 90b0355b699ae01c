//! `target-group`: where a load balancer sends requests. ECS registers the targets; they are no
//! part of it.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as Description, TargetGroupAttribute,
    TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{Pick, elb_tags, name_flaw, require_ours, resource};
use super::types::forms;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Inherits, Kind, Made, NameStyle,
    Naming, Observed, Result, Sought, TagChange, Unit,
};

/// A target group of a load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetGroup {
    /// Its name: up to 32 letters, digits and hyphens.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The port that targets get requests on unless they are registered with another.
    #[schemars(extend("x-replaces" = true))]
    pub port: u16,
    /// The protocol between load balancer and targets: HTTP and HTTPS of an `application` load balancer, the others of
    /// a `network` one.
    #[serde(default = "http")]
    #[schemars(extend("x-replaces" = true, "enum" = ["HTTP", "HTTPS", "TCP", "UDP", "TCP_UDP", "TLS"]))]
    pub protocol: String,
    /// The version of HTTP that targets speak, if they do.
    #[serde(default = "http1")]
    #[schemars(extend("x-replaces" = true, "enum" = ["HTTP1", "HTTP2", "GRPC"]))]
    pub protocol_version: String,
    /// The id of the VPC that the targets are in.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// The ARN of the load balancer that sends it requests: one, for as long as it lives. Left out, it
    /// is that of the listener or the rule that forwards to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true, "x-by-use" = true))]
    pub load_balancer_arn: Option<String>,
    /// What is registered: addresses (tasks with network mode `awsvpc`) or instances.
    #[serde(default = "ip")]
    #[schemars(extend("x-replaces" = true, "enum" = ["ip", "instance"]))]
    pub target_type: String,
    /// The family of the targets' addresses.
    #[serde(default = "ipv4")]
    #[schemars(extend("x-replaces" = true, "enum" = ["ipv4", "ipv6"]))]
    pub ip_address_type: String,
    /// How it is found out whether a target is healthy; what is left out stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Seconds that a target which leaves gets for its requests, 0 to 3600; AWS's default is 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deregistration_delay_seconds: Option<u32>,
    /// Seconds over which a new target gets its full share, 30 to 900, or 0 for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<u32>,
    /// Whether a client stays with its target, by a cookie of the load balancer's; of a network one, by the
    /// client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<bool>,
    /// Seconds for which a client stays with its target, 1 to 604800; AWS's default is 86400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stickiness_seconds: Option<u32>,
    /// How a target is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["round_robin", "least_outstanding_requests", "weighted_random", null]))]
    pub algorithm: Option<String>,
    /// Whether targets of a network load balancer see the clients' addresses. AWS's default is true, but for targets
    /// of the type `ip` behind TCP and TLS; for UDP it cannot be otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_client_ip: Option<bool>,
    /// Whether a network load balancer tells its targets of the client in front of each connection (PROXY protocol,
    /// version 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol_v2: Option<bool>,
    /// Whether a network load balancer ends the connections of a target that leaves when its time is over. AWS's
    /// default is true for UDP, and false otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_termination: Option<bool>,
}

/// The health check of a target group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// The path that is asked for, over HTTP and HTTPS; AWS's default is `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The port that is asked, or `traffic-port`, which is AWS's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The protocol that is spoken; AWS's default is `HTTP`, and `TCP` of a network load balancer: whoever takes a
    /// connection is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "TCP", null]))]
    pub protocol: Option<String>,
    /// Seconds from one question to the next, 5 to 300; AWS's default is 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// Seconds that an answer may take, 2 to 120 and less than the interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How many good answers make a target healthy, 2 to 10; AWS's default is 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_threshold: Option<u32>,
    /// How many bad answers make a target unhealthy, 2 to 10; AWS's default is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_threshold: Option<u32>,
    /// The statuses of good answers: `200`, `200,202`, `200-399`; of gRPC, 0 to 99.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matcher: Option<String>,
}

fn http() -> String {
    "HTTP".to_owned()
}

fn http1() -> String {
    "HTTP1".to_owned()
}

fn ip() -> String {
    "ip".to_owned()
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
    /// `targetgroup/<name>/<id>`, as the metrics of CloudWatch name it.
    pub arn_suffix: String,
}

impl Kind for TargetGroup {
    const NAME: &'static str = "target-group";
    const ABOUT: About = About {
        exclusive: &["name"],
        alike_but_for: &["name", "port", "load-balancer-arn"],
        inherits: Some(Inherits {
            field: "load-balancer-arn",
            of: "listener",
            through: "listener-rule",
        }),
        naming: Some(Naming { max: 32, style: NameStyle::Dashed, suffix: true }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if let Some(flaw) = name_flaw(&self.name) {
            check.error("E0230", "name", flaw).alone = true;
        }
        if self.port == 0 {
            check.error("E0231", "port", "a target group's port is 1 to 65535").alone = true;
        }
        if self.slow_start.is_some_and(|seconds| !matches!(seconds, 0 | 30..=900)) {
            check
                .error("E0238", "slow-start", "a slow start takes 30 to 900 s, or 0 for none")
                .alone = true;
        }
        let delay = (self.deregistration_delay_seconds, Unit::Seconds);
        check.within("E0238", "deregistration-delay-seconds", delay, 0..=3600);
        let stickiness = (self.stickiness_seconds, Unit::Seconds);
        check.within("E0238", "stickiness-seconds", stickiness, 1..=604_800);
        self.check_protocol(check);
        if let Some(health) = &self.health_check {
            health.check(check);
            let asks =
                health.protocol.as_deref().unwrap_or(if self.is_http() { "HTTP" } else { TCP });
            health.check_protocol(asks, self.is_http(), check);
            if let Some(codes) = &health.matcher {
                let legal = match self.protocol_version.as_str() {
                    "GRPC" => forms::grpc_codes,
                    _ => forms::http_codes,
                };
                check.form("E0236", "health-check.matcher", codes, legal);
            }
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
                let (id, outputs) = (arn(one).to_owned(), outputs(arn(one)));
                Ok(Observed {
                    earlier: Vec::new(),
                    id,
                    live,
                    outputs,
                    tags,
                    condition: Condition::Ready,
                })
            }
        })
        .await
    }

    /// CreateTargetGroup gives back one of the same name and settings as if it had just made it, so
    /// the name is looked for first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let arn = match by_name(cx.aws, &self.name).await? {
            Some(arn) => {
                require_ours(cx, &arn).await?;
                arn
            }
            None => self.make(cx).await?,
        };
        self.put_attributes(&BTreeMap::new(), &arn, cx.aws).await?;
        let outputs = outputs(&arn);
        Ok(Made::new(arn, outputs))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_health_check(was, cx).await?;
        self.put_attributes(&was.attributes(), cx.id, cx.aws).await?;
        Ok(Made::new(cx.id, outputs(cx.id)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.elb.delete_target_group().target_group_arn(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::elb::change(cx.aws, cx.id, change).await
    }
}

fn number(value: Option<u32>) -> Option<i32> {
    value.map(|value| i32::try_from(value).unwrap_or(i32::MAX))
}

impl HealthCheck {
    /// E0378: what goes with the protocol in which it is asked.
    fn check_protocol(&self, asks: &str, is_http: bool, check: &mut Check<'_>) {
        if asks != TCP {
            return;
        }
        if is_http {
            let title = "who answers HTTP is asked over HTTP or HTTPS";
            let hint = "leave `protocol` out of `health-check`";
            check.error_with("E0378", "health-check.protocol", title, hint);
            return;
        }
        let of_http = [("path", self.path.is_some()), ("matcher", self.matcher.is_some())];
        for (field, _) in of_http.into_iter().filter(|(_, is_said)| *is_said) {
            let title = format!("a health check over TCP has no `{field}`: it only connects");
            let hint = format!("leave `{field}` out, or write `protocol = \"HTTP\"` beside it");
            check.error_with("E0378", &format!("health-check.{field}"), title, hint);
        }
    }

    fn check(&self, check: &mut Check<'_>) {
        let numbers = [
            ("interval-seconds", (self.interval_seconds, Unit::Seconds), 5..=300),
            ("timeout-seconds", (self.timeout_seconds, Unit::Seconds), 2..=120),
            ("healthy-threshold", (self.healthy_threshold, Unit::Times), 2..=10),
            ("unhealthy-threshold", (self.unhealthy_threshold, Unit::Times), 2..=10),
        ];
        for (field, value, legal) in numbers {
            check.within("E0236", &format!("health-check.{field}"), value, legal);
        }
        // Of an interval that is too short it has been said.
        if let (Some(timeout), Some(interval @ 5..)) = (self.timeout_seconds, self.interval_seconds)
            && timeout >= interval
        {
            let title =
                format!("an answer may take {timeout} s, but is asked for every {interval} s");
            let hint = "make `timeout-seconds` less than `interval-seconds`";
            check.error_with("E0236", "health-check.timeout-seconds", title, hint);
        }
        let rooted = |path: &str| path.starts_with('/') || path.starts_with("${");
        if let Some(path) = self.path.as_deref().filter(|path| !rooted(path)) {
            let title = format!("the path `{path}` does not begin with `/`");
            check.error("E0236", "health-check.path", title);
        }
        let port = |port: &str| {
            port == "traffic-port" || port.contains("${") || port.parse().is_ok_and(|p: u16| p > 0)
        };
        if let Some(bad) = self.port.as_deref().filter(|text| !port(text)) {
            let title = format!("`{bad}` is neither a port nor `traffic-port`");
            check.error("E0236", "health-check.port", title);
        }
    }

    /// What is written and was not so before.
    fn since(&self, was: &Self) -> Self {
        Self {
            path: self.path.clone().filter(|_| self.path != was.path),
            port: self.port.clone().filter(|_| self.port != was.port),
            protocol: self.protocol.clone().filter(|_| self.protocol != was.protocol),
            interval_seconds: self
                .interval_seconds
                .filter(|_| self.interval_seconds != was.interval_seconds),
            timeout_seconds: self
                .timeout_seconds
                .filter(|_| self.timeout_seconds != was.timeout_seconds),
            healthy_threshold: self
                .healthy_threshold
                .filter(|_| self.healthy_threshold != was.healthy_threshold),
            unhealthy_threshold: self
                .unhealthy_threshold
                .filter(|_| self.unhealthy_threshold != was.unhealthy_threshold),
            matcher: self.matcher.clone().filter(|_| self.matcher != was.matcher),
        }
    }

    fn protocol(&self) -> Option<ProtocolEnum> {
        self.protocol.as_deref().map(ProtocolEnum::from)
    }
}

impl TargetGroup {
    /// Whether an application load balancer sends to it.
    fn is_http(&self) -> bool {
        matches!(self.protocol.as_str(), "HTTP" | "HTTPS")
    }

    /// E0378: what only one sort of load balancer does. Page "TargetGroupAttribute".
    fn check_protocol(&self, check: &mut Check<'_>) {
        let protocol = self.protocol.as_str();
        let is_datagram = matches!(protocol, "UDP" | "TCP_UDP");
        let of_http = [
            ("protocol-version", self.protocol_version != http1()),
            ("slow-start", self.slow_start.is_some()),
            ("algorithm", self.algorithm.is_some()),
            ("stickiness-seconds", self.stickiness_seconds.is_some()),
        ];
        let of_network = [
            ("preserve-client-ip", self.preserve_client_ip.is_some()),
            ("proxy-protocol-v2", self.proxy_protocol_v2.is_some()),
            ("connection-termination", self.connection_termination.is_some()),
        ];
        let wrong = if self.is_http() { &of_network[..] } else { &of_http[..] };
        for (field, _) in wrong.iter().filter(|(_, is_said)| *is_said) {
            let title = format!("a target group for {protocol} has no `{field}`");
            check.error_with("E0378", field, title, format!("leave `{field}` out"));
        }
        if is_datagram && self.preserve_client_ip == Some(false) {
            let title = format!("targets behind {protocol} always see the clients' addresses");
            check.error_with("E0378", "preserve-client-ip", title, "leave it out");
        }
        if protocol == "TLS" && self.stickiness == Some(true) {
            let title = "clients cannot be made to stay with a target behind TLS";
            check.error_with("E0378", "stickiness", title, "leave it out");
        }
    }

    /// CreateTargetGroup; the ARN.
    async fn make(&self, cx: &Cx<'_>) -> Result<String> {
        let health = self.health_check.clone().unwrap_or_default();
        let call = cx.aws.elb.create_target_group();
        let made = call
            .name(&self.name)
            .port(self.port.into())
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .set_protocol_version(self.is_http().then(|| self.protocol_version.clone()))
            .vpc_id(&self.vpc_id)
            .target_type(TargetTypeEnum::from(self.target_type.as_str()))
            .ip_address_type(TargetGroupIpAddressTypeEnum::from(self.ip_address_type.as_str()))
            .set_health_check_protocol(health.protocol())
            .set_health_check_path(health.path)
            .set_health_check_port(health.port)
            .set_health_check_interval_seconds(number(health.interval_seconds))
            .set_health_check_timeout_seconds(number(health.timeout_seconds))
            .set_healthy_threshold_count(number(health.healthy_threshold))
            .set_unhealthy_threshold_count(number(health.unhealthy_threshold))
            .set_matcher(self.matcher(health.matcher))
            .set_tags(tags::some(cx.tags, tags::elb::tag))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        let arn = made.target_groups().first().and_then(Description::target_group_arn);
        arn.map(str::to_owned).ok_or_else(|| Error::incomplete("the target group's ARN"))
    }

    /// ModifyTargetGroup, with what is not as it was.
    async fn put_health_check(&self, was: &Self, cx: &Cx<'_>) -> Result<()> {
        let Some(health) = &self.health_check else { return Ok(()) };
        let health = health.since(was.health_check.as_ref().unwrap_or(&HealthCheck::default()));
        if health == HealthCheck::default() {
            return Ok(());
        }
        let call = cx.aws.elb.modify_target_group().target_group_arn(cx.id);
        call.set_health_check_protocol(health.protocol())
            .set_matcher(self.matcher(health.matcher))
            .set_health_check_path(health.path)
            .set_health_check_port(health.port)
            .set_health_check_interval_seconds(number(health.interval_seconds))
            .set_health_check_timeout_seconds(number(health.timeout_seconds))
            .set_healthy_threshold_count(number(health.healthy_threshold))
            .set_unhealthy_threshold_count(number(health.unhealthy_threshold))
            .send()
            .await?;
        Ok(())
    }

    fn matcher(&self, codes: Option<String>) -> Option<Matcher> {
        let codes = codes?;
        let matcher = Matcher::builder();
        let matcher = match self.protocol_version.as_str() {
            "GRPC" => matcher.grpc_code(codes),
            _ => matcher.http_code(codes),
        };
        Some(matcher.build())
    }

    /// The fields that are attributes, as AWS writes them: `TargetGroupAttribute` in the API
    /// reference.
    fn attributes(&self) -> BTreeMap<&'static str, String> {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let by = if self.is_http() { "lb_cookie" } else { "source_ip" };
        let kind = self.stickiness.filter(|sticky| *sticky).map(|_| by.to_owned());
        let truth = |value: Option<bool>| value.map(|value| value.to_string());
        [
            (DEREGISTRATION_DELAY, number(self.deregistration_delay_seconds)),
            (SLOW_START, number(self.slow_start)),
            (STICKINESS, truth(self.stickiness)),
            (STICKINESS_TYPE, kind),
            (STICKINESS_SECONDS, number(self.stickiness_seconds)),
            (ALGORITHM, self.algorithm.clone()),
            (PRESERVE_CLIENT_IP, truth(self.preserve_client_ip)),
            (PROXY_PROTOCOL, truth(self.proxy_protocol_v2)),
            (TERMINATION, truth(self.connection_termination)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }

    /// Takes over the attributes that AWS tells.
    fn fill(&mut self, told: &BTreeMap<String, String>) {
        let number = |key| told.get(key).and_then(|value| value.parse().ok());
        self.deregistration_delay_seconds = number(DEREGISTRATION_DELAY);
        self.slow_start = number(SLOW_START);
        let truth = |key| told.get(key).and_then(|value| value.parse().ok());
        self.preserve_client_ip = truth(PRESERVE_CLIENT_IP);
        self.proxy_protocol_v2 = truth(PROXY_PROTOCOL);
        self.connection_termination = truth(TERMINATION);
        self.stickiness = truth(STICKINESS);
        self.stickiness_seconds = number(STICKINESS_SECONDS);
        self.algorithm = told.get(ALGORITHM).cloned();
    }

    /// ModifyTargetGroupAttributes, with those that are not as they were.
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
            TargetGroupAttribute::builder().key(key).value(value).build()
        };
        let call = aws.elb.modify_target_group_attributes().target_group_arn(arn);
        let call = call.set_attributes(Some(change.into_iter().map(attribute).collect()));
        call.send().await.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

const TCP: &str = "TCP";
const PRESERVE_CLIENT_IP: &str = "preserve_client_ip.enabled";
const PROXY_PROTOCOL: &str = "proxy_protocol_v2.enabled";
const TERMINATION: &str = "deregistration_delay.connection_termination.enabled";
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";
const SLOW_START: &str = "slow_start.duration_seconds";
const STICKINESS: &str = "stickiness.enabled";
const STICKINESS_TYPE: &str = "stickiness.type";
const STICKINESS_SECONDS: &str = "stickiness.lb_cookie.duration_seconds";
const ALGORITHM: &str = "load_balancing.algorithm.type";

impl From<&Description> for TargetGroup {
    fn from(one: &Description) -> Self {
        Self {
            name: name(one).to_owned(),
            port: one.port().and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
            protocol: one.protocol().map_or_else(http, |protocol| protocol.as_str().to_owned()),
            protocol_version: one.protocol_version().map_or_else(http1, str::to_owned),
            vpc_id: one.vpc_id().unwrap_or_default().to_owned(),
            load_balancer_arn: one.load_balancer_arns().first().cloned(),
            target_type: one.target_type().map_or_else(ip, |kind| kind.as_str().to_owned()),
            ip_address_type: one.ip_address_type().map_or_else(ipv4, |t| t.as_str().to_owned()),
            health_check: Some(HealthCheck::from(one)),
            deregistration_delay_seconds: None,
            slow_start: None,
            stickiness: None,
            stickiness_seconds: None,
            algorithm: None,
            preserve_client_ip: None,
            proxy_protocol_v2: None,
            connection_termination: None,
        }
    }
}

impl From<&Description> for HealthCheck {
    fn from(one: &Description) -> Self {
        let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        // What was said of HTTP means nothing over TCP.
        let over_http = one.health_check_protocol() != Some(&ProtocolEnum::Tcp);
        let codes = one.matcher().filter(|_| over_http);
        let codes = codes.and_then(|m| m.http_code().or_else(|| m.grpc_code()));
        Self {
            path: one.health_check_path().filter(|_| over_http).map(str::to_owned),
            port: one.health_check_port().map(str::to_owned),
            protocol: one.health_check_protocol().map(|protocol| protocol.as_str().to_owned()),
            interval_seconds: number(one.health_check_interval_seconds()),
            timeout_seconds: number(one.health_check_timeout_seconds()),
            healthy_threshold: number(one.healthy_threshold_count()),
            unhealthy_threshold: number(one.unhealthy_threshold_count()),
            matcher: codes.map(str::to_owned),
        }
    }
}

/// DescribeTargetGroups, all of the account, 400 a page.
async fn list(aws: &Aws) -> Result<Vec<Description>> {
    let pages = aws.elb.describe_target_groups().page_size(400).into_paginator();
    pages.items().send().try_collect().await.map_err(Error::from)
}

/// The ARN of the target group called `name`, if there is one.
async fn by_name(aws: &Aws, name: &str) -> Result<Option<String>> {
    match aws.elb.describe_target_groups().names(name).send().await.map_err(Error::from) {
        Ok(found) => Ok(found.target_groups().first().map(|one| arn(one).to_owned())),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// DescribeTargetGroupAttributes.
async fn read_attributes(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>> {
    let told = aws.elb.describe_target_group_attributes().target_group_arn(arn).send().await?;
    let pair = |attribute: &TargetGroupAttribute| {
        Some((attribute.key()?.to_owned(), attribute.value()?.to_owned()))
    };
    Ok(told.attributes().iter().filter_map(pair).collect())
}

fn outputs(arn: &str) -> Outputs {
    let suffix = resource(arn).to_owned();
    let name = suffix.split('/').nth(1).unwrap_or_default().to_owned();
    Outputs { id: arn.to_owned(), arn: arn.to_owned(), name, arn_suffix: suffix }
}

fn arn(one: &Description) -> &str {
    one.target_group_arn().unwrap_or_default()
}

fn name(one: &Description) -> &str {
    one.target_group_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<TargetGroup>(json!({ "port": 80, "vpc-id": "a" }));
        reads_back::<TargetGroup>(json!({
            "name": "shop", "port": 80, "protocol": "HTTPS", "protocol-version": "GRPC",
            "vpc-id": "a", "target-type": "instance", "ip-address-type": "ipv6",
            "health-check": {
                "path": "/up", "port": "81", "protocol": "HTTP", "interval-seconds": 10,
                "timeout-seconds": 5, "healthy-threshold": 2, "unhealthy-threshold": 3,
                "matcher": "200-399",
            },
            "deregistration-delay-seconds": 30, "slow-start": 60, "stickiness": true,
            "stickiness-seconds": 600, "algorithm": "least_outstanding_requests",
        }));
    }

    #[test]
    fn protocols_have_fields_of_their_own() {
        reads_back::<TargetGroup>(json!({
            "port": 80, "vpc-id": "a", "protocol": "TCP", "stickiness": true,
            "health-check": { "protocol": "TCP", "port": "8080", "interval-seconds": 10 },
            "preserve-client-ip": true, "proxy-protocol-v2": true, "connection-termination": true,
        }));
        insta::assert_snapshot!(flaws::<TargetGroup>(json!({
            "port": 80, "vpc-id": "a", "protocol": "UDP", "protocol-version": "HTTP2", "slow-start": 30,
            "algorithm": "round_robin", "stickiness-seconds": 1, "preserve-client-ip": false,
            "health-check": { "path": "/", "matcher": "200" },
        })), @"
        E0378 protocol-version: a target group for UDP has no `protocol-version`
        E0378 slow-start: a target group for UDP has no `slow-start`
        E0378 algorithm: a target group for UDP has no `algorithm`
        E0378 stickiness-seconds: a target group for UDP has no `stickiness-seconds`
        E0378 preserve-client-ip: targets behind UDP always see the clients' addresses
        E0378 health-check.path: a health check over TCP has no `path`: it only connects
        E0378 health-check.matcher: a health check over TCP has no `matcher`: it only connects
        ");
        insta::assert_snapshot!(flaws::<TargetGroup>(json!({
            "port": 80, "vpc-id": "a", "proxy-protocol-v2": true, "health-check": { "protocol": "TCP" },
        })), @"
        E0378 proxy-protocol-v2: a target group for HTTP has no `proxy-protocol-v2`
        E0378 health-check.protocol: who answers HTTP is asked over HTTP or HTTPS
        ");
        insta::assert_snapshot!(flaws::<TargetGroup>(json!({
            "port": 80, "vpc-id": "a", "protocol": "TLS", "stickiness": true,
            "health-check": { "protocol": "HTTPS", "path": "/", "matcher": "200" },
        })), @"E0378 stickiness: clients cannot be made to stay with a target behind TLS");
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<TargetGroup>(json!({
            "name": "shop_web", "port": 0, "vpc-id": "a", "slow-start": 29,
            "deregistration-delay-seconds": 3601, "stickiness-seconds": 0,
            "health-check": {
                "path": "up", "port": "http", "interval-seconds": 5, "timeout-seconds": 5,
                "healthy-threshold": 1, "unhealthy-threshold": 11, "matcher": "600",
            },
        })), @"
        E0230 name: `shop_web` is not a name of letters, digits and hyphens, and no hyphen at its ends
        E0231 port: a target group's port is 1 to 65535
        E0238 slow-start: a slow start takes 30 to 900 s, or 0 for none
        E0238 deregistration-delay-seconds: `deregistration-delay-seconds` is at most 1h (3600 s)
        E0238 stickiness-seconds: `stickiness-seconds` is at least 1s
        E0236 health-check.healthy-threshold: `healthy-threshold` is at least 2
        E0236 health-check.unhealthy-threshold: `unhealthy-threshold` is at most 10
        E0236 health-check.timeout-seconds: an answer may take 5 s, but is asked for every 5 s
        E0236 health-check.path: the path `up` does not begin with `/`
        E0236 health-check.port: `http` is neither a port nor `traffic-port`
        E0236 health-check.matcher: `600` is no list of HTTP statuses from 200 to 499
        ");
    }
}
