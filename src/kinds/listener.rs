//! `listener`: a port of a load balancer, and what is done with requests that no rule takes.

use aws_sdk_elasticloadbalancingv2::types::{Certificate, Listener as Description, ProtocolEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{elb_tags, own, parents, require_ours};
use super::types::Action;
use super::types::outputs::Arn as Outputs;
use crate::cloud::aws::{Aws, batched, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Result, Sought,
    TagChange,
};
use crate::value::Value;

/// A listener of a load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// The ARN of its load balancer.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${load-balancer.main.arn}"]))]
    pub load_balancer_arn: String,
    /// The port it listens on.
    #[schemars(extend("x-replaces" = true))]
    pub port: u16,
    /// The protocol that clients speak: HTTP and HTTPS with an `application` load balancer, the others with a
    /// `network` one.
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "TCP", "UDP", "TCP_UDP", "TLS"]))]
    pub protocol: String,
    /// The ARN of the certificate that it shows; needed for HTTPS and TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// The name of the policy that says which versions and ciphers of TLS are spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// What is done with requests that no rule takes. With a `network` load balancer there are no rules: all goes to
    /// a target group, or to several by weight.
    pub default_action: Action,
}

impl Kind for Listener {
    const NAME: &'static str = "listener";
    const ABOUT: About = About {
        exclusive: &["load-balancer-arn", "port"],
        observed_after: &["load-balancer"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if self.port == 0 {
            check.error("E0231", "port", "a listener's port is 1 to 65535").alone = true;
        }
        if let Some((field, flaw)) = self.default_action.flaw() {
            check.error("E0232", &format!("default-action.{field}"), flaw);
        }
        let secure = is_secure(&self.protocol);
        if secure && self.certificate_arn.is_none() {
            let bare = if self.protocol == "TLS" { "TCP" } else { "HTTP" };
            let title = format!("{} needs a certificate", self.protocol);
            let hint = format!("write `certificate-arn`, or `protocol = \"{bare}\"`");
            check.error_with("E0232", "protocol", title, hint);
        }
        let forwards =
            self.default_action.forward.is_some() || !self.default_action.weighted.is_empty();
        if is_of_network(&self.protocol) && !forwards {
            let title = format!("a listener for {} can only forward", self.protocol);
            check.error_with("E0374", "default-action", title, "write `{ forward = \"…\" }`");
        }
        for (field, text) in
            [("certificate-arn", &self.certificate_arn), ("ssl-policy", &self.ssl_policy)]
        {
            if !secure && text.is_some() {
                let title = format!("`{field}` is for HTTPS and TLS listeners only");
                check.error("E0232", field, title);
            }
        }
        let region = &check.stack.region;
        let flaw = self.certificate_arn.as_ref().and_then(|arn| certificate_flaw(arn, region));
        if let Some(flaw) = flaw {
            let region = if region.is_empty() { "eu-west-1" } else { region };
            let arn = format!("arn:aws:acm:{region}:123456789012:certificate/…");
            let hint = format!("name a certificate of ACM in the same region, such as `{arn}`");
            check.error_with("E0232", "certificate-arn", flaw, hint);
        }
    }

    /// Listeners are found through their load balancers: a call for each of these, and no ghosts.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let known = ["listener/app/", "listener/net/"];
        let known = known.into_iter().flat_map(|prefix| owned.arns("elasticloadbalancing", prefix));
        let known = known.filter_map(parent);
        let parents = parents(sought, "load-balancer", "load-balancer-arn", known);
        let mut found = batched(&parents, 1, |arns| list(aws, &arns[0])).await?;
        let wanted = |one: &Description| {
            sought.wanted.iter().any(|want| {
                let port = want.spec.get("port").map(ToString::to_string);
                want.spec.text("load-balancer-arn") == one.load_balancer_arn()
                    && port == one.port().map(|port| port.to_string())
            })
        };
        // On load balancers of others, only what the index knows or what is wanted is looked at.
        let ours = own(sought, "load-balancer");
        found.retain(|one| {
            let of_ours = one.load_balancer_arn().is_some_and(|parent| ours.contains(parent));
            of_ours || owned.tags(arn(one)).is_some() || wanted(one)
        });
        let mut tags = elb_tags(aws, &owned, found.iter().map(arn)).await?;
        let observed = found.iter().filter_map(|one| {
            let tags = tags.remove(arn(one)).unwrap_or_default();
            (sought.is_ours(&tags) || wanted(one)).then(|| Observed {
                earlier: Vec::new(),
                id: arn(one).to_owned(),
                live: Self::from(one),
                outputs: Outputs::of(arn(one)),
                tags,
                condition: Condition::Ready,
            })
        });
        Ok(observed.collect())
    }

    /// CreateListener gives back one of the same port and settings as if it had just made it, so
    /// the port is looked at first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let there = list(cx.aws, &self.load_balancer_arn).await?;
        let same = there.iter().find(|one| one.port() == Some(self.port.into()));
        let arn = match same.map(arn) {
            Some(arn) => {
                require_ours(cx, arn).await?;
                arn.to_owned()
            }
            None => self.make(cx).await?,
        };
        let outputs = Outputs::of(&arn);
        Ok(Made::new(arn, outputs))
    }

    /// ModifyListener leaves alone what it is not told.
    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let protocol = Some(self.protocol.as_str()).filter(|now| *now != was.protocol);
        let certificates =
            self.certificates().filter(|_| self.certificate_arn != was.certificate_arn);
        let policy = self.ssl_policy.clone().filter(|_| self.ssl_policy != was.ssl_policy);
        let action =
            self.default_action.to_sdk().filter(|_| self.default_action != was.default_action);
        let call = cx.aws.elb.modify_listener().listener_arn(cx.id);
        call.set_protocol(protocol.map(ProtocolEnum::from))
            .set_certificates(certificates)
            .set_ssl_policy(policy)
            .set_default_actions(action.map(|action| vec![action]))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// What gets requests still gets them all, and in the protocol that it knows.
    fn between(was: &Value, spec: &Value) -> Option<Value> {
        let speaks = |of: &Value| of.text("protocol").map(str::to_owned);
        let mut between = if speaks(was) == speaks(spec) { spec.clone() } else { was.clone() };
        between.set(
            "default-action",
            Action::between(was.get("default-action")?, spec.get("default-action")?)?,
        );
        Some(between)
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.elb.delete_listener().listener_arn(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::elb::change(cx.aws, cx.id, change).await
    }
}

impl Listener {
    /// CreateListener; the ARN.
    async fn make(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.elb.create_listener();
        let made = call
            .load_balancer_arn(&self.load_balancer_arn)
            .port(self.port.into())
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .set_certificates(self.certificates())
            .set_ssl_policy(self.ssl_policy.clone())
            .set_default_actions(self.default_action.to_sdk().map(|action| vec![action]))
            .set_tags(tags::some(cx.tags, tags::elb::tag))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        let arn = made.listeners().first().and_then(Description::listener_arn);
        arn.map(str::to_owned).ok_or_else(|| Error::incomplete("the listener's ARN"))
    }

    fn certificates(&self) -> Option<Vec<Certificate>> {
        let arn = self.certificate_arn.as_ref()?;
        Some(vec![Certificate::builder().certificate_arn(arn).build()])
    }
}

impl From<&Description> for Listener {
    fn from(one: &Description) -> Self {
        let secure = one.protocol().is_some_and(|protocol| is_secure(protocol.as_str()));
        let certificate = one.certificates().first().and_then(Certificate::certificate_arn);
        Self {
            load_balancer_arn: one.load_balancer_arn().unwrap_or_default().to_owned(),
            port: one.port().and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
            protocol: one.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
            // Of a listener that spoke TLS once they mean nothing.
            certificate_arn: certificate.filter(|_| secure).map(str::to_owned),
            ssl_policy: one.ssl_policy().filter(|_| secure).map(str::to_owned),
            default_action: Action::from_sdk(one.default_actions()),
        }
    }
}

fn is_secure(protocol: &str) -> bool {
    matches!(protocol, "HTTPS" | "TLS")
}

/// A listener as it is without what means nothing to it. Page "ModifyListener": whoever stops speaking TLS loses
/// certificate and policy.
pub fn as_spoken(listener: &Value) -> Value {
    let secure = listener.text("protocol").is_some_and(is_secure);
    let of_tls = ["certificate-arn", "ssl-policy"];
    let left = listener.fields().filter(|(field, _)| secure || !of_tls.contains(&field.as_str()));
    left.map(|(field, value)| (field.clone(), value.clone())).collect()
}

/// Whether only network load balancers listen for the protocol.
fn is_of_network(protocol: &str) -> bool {
    !matches!(protocol, "HTTP" | "HTTPS")
}

/// Why ELB would not let a listener forward to a target group, if so, as far as both are known. Page "Listeners for
/// your Network Load Balancers": which protocols go together.
pub fn mismatched(listener: &Value, group: &Value) -> Option<String> {
    let speaks = listener.text("protocol")?;
    let hears = group.text("protocol")?;
    let goes = match speaks {
        "HTTP" | "HTTPS" => &["HTTP", "HTTPS"][..],
        "TCP" => &["TCP", "TCP_UDP"],
        "UDP" => &["UDP", "TCP_UDP"],
        "TCP_UDP" => &["TCP_UDP"],
        "TLS" => &["TCP", "TLS"],
        _ => return None,
    };
    let title = || format!("a listener for {speaks} cannot forward to a target group for {hears}");
    (!goes.contains(&hears)).then(title)
}

/// Why a load balancer would not have a listener, if so.
pub fn misplaced(listener: &Value, balancer: &Value) -> Option<String> {
    let protocol = listener.text("protocol")?;
    let balances = balancer.text("type")?;
    let title = || {
        let article = if balances == "application" { "an" } else { "a" };
        format!("{article} {balances} load balancer has no listener for {protocol}")
    };
    (is_of_network(protocol) != (balances == "network")).then(title)
}

/// The ARN of a listener's load balancer.
fn parent(arn: &str) -> Option<String> {
    super::listing::parent(arn, "listener/", "loadbalancer/")
}

/// DescribeListeners; none if the load balancer is not there.
async fn list(aws: &Aws, load_balancer: &str) -> Result<Vec<Description>> {
    let call = aws.elb.describe_listeners().load_balancer_arn(load_balancer).page_size(400);
    let listed = call.into_paginator().items().send().try_collect().await.map_err(Error::from);
    match listed {
        Err(error) if error.class == Class::Absent => Ok(Vec::new()),
        listed => listed,
    }
}

/// What keeps an ARN from being that of a certificate that a listener in `region` can show. Those of IAM
/// have no region. An output that is not known yet cannot be judged.
fn certificate_flaw(arn: &str, region: &str) -> Option<String> {
    if arn.contains("${") {
        return None;
    }
    let steps: Vec<&str> = arn.splitn(6, ':').collect();
    match steps.as_slice() {
        ["arn", _, "acm", its, _, resource] if resource.starts_with("certificate/") => {
            let is_elsewhere = !region.is_empty() && *its != region;
            is_elsewhere.then(|| format!("the certificate is in {its}, and the stack in {region}"))
        }
        ["arn", _, "iam", "", _, resource] if resource.starts_with("server-certificate/") => None,
        _ => Some(format!("`{arn}` is not the ARN of a certificate")),
    }
}

fn arn(one: &Description) -> &str {
    one.listener_arn().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<Listener>(
            json!({ "load-balancer-arn": "a", "port": 80, "protocol": "HTTP", "default-action": { "forward": "b" } }),
        );
        reads_back::<Listener>(json!({
            "load-balancer-arn": "a", "port": 443, "protocol": "HTTPS", "certificate-arn": "b",
            "ssl-policy": "c", "default-action": { "fixed-response": { "status": 404 } },
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<Listener>(json!({
            "load-balancer-arn": "a", "port": 0, "protocol": "HTTPS", "default-action": {},
        })), @r"
        E0231 port: a listener's port is 1 to 65535
        E0232 default-action: an action is exactly one of `forward`, `weighted`, `redirect` and `fixed-response`
        E0232 protocol: HTTPS needs a certificate
        ");
    }

    #[test]
    fn a_network_load_balancer_only_forwards() {
        insta::assert_snapshot!(flaws::<Listener>(json!({
            "load-balancer-arn": "a", "port": 1883, "protocol": "TCP", "ssl-policy": "c",
            "default-action": { "fixed-response": { "status": 404 } },
        })), @"
        E0374 default-action: a listener for TCP can only forward
        E0232 ssl-policy: `ssl-policy` is for HTTPS and TLS listeners only
        ");
        insta::assert_snapshot!(flaws::<Listener>(json!({
            "load-balancer-arn": "a", "port": 8883, "protocol": "TLS", "default-action": { "forward": "b" },
        })), @"E0232 protocol: TLS needs a certificate");
    }

    /// Who forwards to whom, a line for each protocol of a listener.
    #[test]
    fn protocols_go_together() {
        let all = ["HTTP", "HTTPS", "TCP", "UDP", "TCP_UDP", "TLS"];
        let one = |protocol: &str| Value::plain(json!({ "protocol": protocol }));
        let fits = |speaks: &str| {
            let own = all.iter().filter(|hears| mismatched(&one(speaks), &one(hears)).is_none());
            format!("{speaks}: {}", own.copied().collect::<Vec<_>>().join(" "))
        };
        insta::assert_snapshot!(all.map(fits).join("\n"), @"
        HTTP: HTTP HTTPS
        HTTPS: HTTP HTTPS
        TCP: TCP TCP_UDP
        UDP: UDP TCP_UDP
        TCP_UDP: TCP_UDP
        TLS: TCP TLS
        ");
        let network = Value::plain(json!({ "type": "network" }));
        let application = Value::plain(json!({ "type": "application" }));
        assert_eq!(misplaced(&one("TCP"), &network), None);
        assert_eq!(misplaced(&one("HTTPS"), &application), None);
        insta::assert_snapshot!(misplaced(&one("HTTP"), &network).unwrap(), @"a network load balancer has no listener for HTTP");
        insta::assert_snapshot!(misplaced(&one("UDP"), &application).unwrap(), @"an application load balancer has no listener for UDP");
    }

    /// B10: as long as the old target group gets what comes, it gets it in the protocol that it knows.
    #[test]
    fn b10_another_protocol_comes_last() {
        let listener = |protocol: &str, group: &str| {
            Value::plain(json!({ "protocol": protocol, "default-action": { "forward": group } }))
        };
        let speaks = |was: &str, now: &str| {
            let between = Listener::between(&listener(was, "a"), &listener(now, "b"));
            between.and_then(|it| it.text("protocol").map(str::to_owned)).unwrap_or_default()
        };
        assert_eq!(speaks("TCP", "TCP"), "TCP");
        assert_eq!(speaks("TCP", "TLS"), "TCP");
    }

    #[test]
    fn a_certificate_is_one_of_the_region() {
        let flaw = |arn| certificate_flaw(arn, "eu-west-1").unwrap_or_default();
        insta::assert_snapshot!(flaw("arn:bad"), @"`arn:bad` is not the ARN of a certificate");
        insta::assert_snapshot!(
            flaw("arn:aws:acm:us-east-1:123456789012:certificate/0"),
            @"the certificate is in us-east-1, and the stack in eu-west-1"
        );
        assert_eq!(flaw("arn:aws-cn:acm:eu-west-1:123456789012:certificate/0"), "");
        assert_eq!(flaw("arn:aws:iam::123456789012:server-certificate/web"), "");
        assert_eq!(flaw("${certificate.web.arn}"), "");
        assert_eq!(certificate_flaw("arn:aws:acm:us-east-1:1:certificate/0", ""), None);
    }
}
