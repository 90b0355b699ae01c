//! What a listener or a rule does with a request.
//!
//! Source: `Action` in the API reference of Elastic Load Balancing v2.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Value;

/// What is done with a request: exactly one of these. Anything else that AWS can do (authentication)
/// reads as none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Action {
    /// The ARN of the target group that gets the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<String>,
    /// Target groups that share the requests, 2 to 5.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weighted: BTreeSet<Share>,
    /// Sends the client elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Answers without asking anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_response: Option<FixedResponse>,
}

/// A target group's share of requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Share {
    /// The target group's ARN.
    pub target_group_arn: String,
    /// Its share relative to the others', 0 to 999. A group with 0 gets nothing, but its targets'
    /// health is checked.
    pub weight: u32,
}

/// Where a client is sent. What is left out stays as it was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    #[serde(default = "same_protocol")]
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "#{protocol}"]))]
    pub protocol: String,
    /// The host; may hold `#{host}`.
    #[serde(default = "same_host")]
    pub host: String,
    /// The port, 1 to 65535, or `#{port}`.
    #[serde(default = "same_port")]
    pub port: String,
    /// The path, beginning with `/`; may hold `#{host}`, `#{path}` and `#{port}`.
    #[serde(default = "same_path")]
    pub path: String,
    /// The query without the `?`; may hold `#{query}`.
    #[serde(default = "same_query")]
    pub query: String,
    /// 301, permanently, or 302, for now.
    #[serde(default = "permanently")]
    pub status: u16,
}

/// An answer that the load balancer gives by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FixedResponse {
    /// The status, 200 to 599 but not 3xx.
    pub status: u16,
    /// The content's type.
    #[serde(default = "plain_text")]
    #[schemars(extend("enum" = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"]))]
    pub content_type: String,
    /// The body, up to 1024 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

fn same_protocol() -> String {
    "#{protocol}".to_owned()
}

fn same_host() -> String {
    "#{host}".to_owned()
}

fn same_port() -> String {
    "#{port}".to_owned()
}

fn same_path() -> String {
    "/#{path}".to_owned()
}

fn same_query() -> String {
    "#{query}".to_owned()
}

fn permanently() -> u16 {
    301
}

fn plain_text() -> String {
    "text/plain".to_owned()
}

/// How many target groups an action forwards to at most.
const MOST_GROUPS: usize = 5;

impl Action {
    /// Why AWS would refuse the action, and in which of its fields.
    pub fn flaw(&self) -> Option<(&'static str, String)> {
        let ways = [
            self.forward.is_some(),
            !self.weighted.is_empty(),
            self.redirect.is_some(),
            self.fixed_response.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            let title = "an action is exactly one of `forward`, `weighted`, `redirect` and `fixed-response`";
            return Some(("", title.to_owned()));
        }
        if let Some(title) = self.flaw_of_shares() {
            return Some(("weighted", title));
        }
        match (&self.redirect, &self.fixed_response) {
            (Some(redirect), _) => redirect.flaw().map(|title| ("redirect", title)),
            (_, Some(answer)) => answer.flaw().map(|title| ("fixed-response", title)),
            (None, None) => None,
        }
    }

    fn flaw_of_shares(&self) -> Option<String> {
        let groups: BTreeSet<&str> =
            self.weighted.iter().map(|share| share.target_group_arn.as_str()).collect();
        match (self.weighted.len(), groups.len()) {
            (0, _) => None,
            (shares, groups) if shares > groups => {
                Some("a target group has two weights".to_owned())
            }
            (1, _) => Some("one target group alone is a `forward`".to_owned()),
            (shares, _) if shares > MOST_GROUPS => {
                Some(format!("{shares} target groups; AWS takes 2 to {MOST_GROUPS}"))
            }
            _ => {
                let heavy = self.weighted.iter().find(|share| share.weight > 999)?;
                Some(format!("a weight is 0 to 999, not {}", heavy.weight))
            }
        }
    }

    /// See [`crate::kind::Kind::between`]: what got requests still gets them all, and what is to get
    /// them gets none yet. That ties it to the load balancer, without which ECS refuses to use it.
    pub(in crate::kinds) fn between(was: &Value, spec: &Value) -> Option<Value> {
        let (old, new) = (shares(was), shares(spec));
        let has =
            |shares: &[(Value, Value)], group: &Value| shares.iter().any(|(one, _)| one == group);
        if new.is_empty() || old.iter().all(|(group, _)| has(&new, group)) {
            return None;
        }
        let joins = new.into_iter().map(|(group, _)| group).filter(|group| !has(&old, group));
        let none = Value::Number(0.into());
        let joins: Vec<_> = joins.map(|group| (group, none.clone())).collect();
        if old.len() + joins.len() > MOST_GROUPS {
            return None;
        }
        Some(weighted(old.into_iter().chain(joins)))
    }

    /// The action `wanted`, while ECS moves the requests among its target groups: who gets them `now`
    /// goes on getting them. What is new among the groups gets none yet. `None` when none of the groups
    /// gets anything now: then it is as it is declared.
    pub fn moved(wanted: &Value, now: &Value) -> Option<Value> {
        let now = shares(now);
        let weight = |group: &Value| {
            let mut own = now.iter().filter(|(one, _)| one == group);
            own.next().map_or(Value::Number(0.into()), |(_, weight)| weight.clone())
        };
        let groups = shares(wanted).into_iter().map(|(group, _)| (weight(&group), group));
        let moved: Vec<(Value, Value)> = groups.map(|(weight, group)| (group, weight)).collect();
        let is_idle = moved.iter().all(|(_, weight)| *weight == Value::Number(0.into()));
        match moved.as_slice() {
            _ if is_idle => None,
            [_] => Some(wanted.clone()),
            _ => Some(weighted(moved)),
        }
    }

    /// The action `now`, when ECS has given these target groups other weights. Others keep theirs.
    pub fn led(now: &Value, weights: &[(String, u64)]) -> Value {
        let text = |group: &str| Value::Text(group.to_owned());
        let is_led = |group: &Value| weights.iter().any(|(led, _)| *group == text(led));
        let others = shares(now).into_iter().filter(|(group, _)| !is_led(group));
        let led =
            weights.iter().map(|(group, weight)| (text(group), Value::Number((*weight).into())));
        weighted(led.chain(others))
    }

    /// This action, where it was `was` when it was decided on and is `now`: the weights of target groups
    /// that somebody else has moved meanwhile stay, unless none of the groups got anything by them.
    pub(in crate::kinds) fn since(&self, was: &Self, now: &Self) -> Self {
        let weight = |of: &Self, group: &str| {
            let own = of.weighted.iter().find(|share| share.target_group_arn == group);
            own.map(|share| share.weight)
        };
        let has_moved = now.weighted != was.weighted && !now.weighted.is_empty();
        let kept = self.weighted.iter().map(|share| {
            let kept = weight(now, &share.target_group_arn).unwrap_or(0);
            Share { weight: kept, ..share.clone() }
        });
        let kept: BTreeSet<Share> = kept.collect();
        match has_moved && kept.iter().any(|share| share.weight > 0) {
            true => Self { weighted: kept, ..Self::default() },
            false => self.clone(),
        }
    }

    /// The action as AWS takes it; `None` when it is none of the ways.
    pub(in crate::kinds) fn to_sdk(&self) -> Option<sdk::Action> {
        let action = sdk::Action::builder();
        if !self.weighted.is_empty() {
            let tuples = self.weighted.iter().map(Share::to_sdk).collect();
            let config = sdk::ForwardActionConfig::builder().set_target_groups(Some(tuples));
            let action = action.r#type(sdk::ActionTypeEnum::Forward);
            return Some(action.forward_config(config.build()).build());
        }
        let action = match (&self.forward, &self.redirect, &self.fixed_response) {
            (Some(group), _, _) => {
                action.r#type(sdk::ActionTypeEnum::Forward).target_group_arn(group)
            }
            (_, Some(redirect), _) => {
                action.r#type(sdk::ActionTypeEnum::Redirect).redirect_config(redirect.to_sdk())
            }
            (_, _, Some(answer)) => action
                .r#type(sdk::ActionTypeEnum::FixedResponse)
                .fixed_response_config(answer.to_sdk()),
            (None, None, None) => return None,
        };
        Some(action.build())
    }

    /// A plain forward reads back both as a target group and as a configuration with one of weight 1.
    fn forwarding(action: &sdk::Action) -> Self {
        let groups = action.forward_config().map(sdk::ForwardActionConfig::target_groups);
        let forward = match groups.unwrap_or_default() {
            [] => action.target_group_arn(),
            [group] => group.target_group_arn(),
            groups => {
                return Self {
                    weighted: groups.iter().map(Share::from).collect(),
                    ..Self::default()
                };
            }
        };
        Self { forward: forward.map(str::to_owned), ..Self::default() }
    }

    /// The canonical form of what AWS tells.
    pub(in crate::kinds) fn from_sdk(actions: &[sdk::Action]) -> Self {
        let [action] = actions else { return Self::default() };
        match action.r#type() {
            Some(sdk::ActionTypeEnum::Forward) => Self::forwarding(action),
            Some(sdk::ActionTypeEnum::Redirect) => {
                Self { redirect: action.redirect_config().map(Redirect::from), ..Self::default() }
            }
            Some(sdk::ActionTypeEnum::FixedResponse) => Self {
                fixed_response: action.fixed_response_config().map(FixedResponse::from),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

/// The action that shares requests out so.
fn weighted(shares: impl IntoIterator<Item = (Value, Value)>) -> Value {
    let share = |(group, weight)| {
        let fields = [("target-group-arn".to_owned(), group), ("weight".to_owned(), weight)];
        fields.into_iter().collect::<Value>()
    };
    let all = shares.into_iter().map(share).collect();
    [("weighted".to_owned(), Value::List(all))].into_iter().collect()
}

/// Who gets the requests that an action forwards, and in what shares.
fn shares(action: &Value) -> Vec<(Value, Value)> {
    if let Some(group) = action.get("forward") {
        return vec![(group.clone(), Value::Number(100.into()))];
    }
    let Some(Value::List(shares)) = action.get("weighted") else { return Vec::new() };
    let share = |share: &Value| {
        Some((share.get("target-group-arn")?.clone(), share.get("weight")?.clone()))
    };
    shares.iter().filter_map(share).collect()
}

impl Share {
    fn to_sdk(&self) -> sdk::TargetGroupTuple {
        let weight = i32::try_from(self.weight).unwrap_or(i32::MAX);
        let tuple = sdk::TargetGroupTuple::builder().target_group_arn(&self.target_group_arn);
        tuple.weight(weight).build()
    }
}

impl From<&sdk::TargetGroupTuple> for Share {
    fn from(tuple: &sdk::TargetGroupTuple) -> Self {
        Self {
            target_group_arn: tuple.target_group_arn().unwrap_or_default().to_owned(),
            weight: tuple.weight().and_then(|weight| weight.try_into().ok()).unwrap_or(1),
        }
    }
}

impl Redirect {
    fn flaw(&self) -> Option<String> {
        if ![301, 302].contains(&self.status) {
            return Some(format!("a redirect's status is 301 or 302, not {}", self.status));
        }
        let unchanged = same_protocol() == self.protocol
            && same_host() == self.host
            && same_port() == self.port
            && same_path() == self.path;
        unchanged.then(|| "the redirect leads back to where the request came from".to_owned())
    }

    fn to_sdk(&self) -> sdk::RedirectActionConfig {
        let status =
            sdk::RedirectActionStatusCodeEnum::from(format!("HTTP_{}", self.status).as_str());
        sdk::RedirectActionConfig::builder()
            .protocol(&self.protocol)
            .host(&self.host)
            .port(&self.port)
            .path(&self.path)
            .query(&self.query)
            .status_code(status)
            .build()
    }
}

impl From<&sdk::RedirectActionConfig> for Redirect {
    fn from(config: &sdk::RedirectActionConfig) -> Self {
        let or =
            |text: Option<&str>, default: fn() -> String| text.map_or_else(default, str::to_owned);
        let status = config.status_code().and_then(|code| code.as_str().strip_prefix("HTTP_"));
        Self {
            protocol: or(config.protocol(), same_protocol),
            host: or(config.host(), same_host),
            port: or(config.port(), same_port),
            path: or(config.path(), same_path),
            query: or(config.query(), same_query),
            status: status.and_then(|code| code.parse().ok()).unwrap_or_else(permanently),
        }
    }
}

impl FixedResponse {
    fn flaw(&self) -> Option<String> {
        if !matches!(self.status, 200..=299 | 400..=599) {
            return Some(format!("a fixed response cannot have the status {}", self.status));
        }
        let length = self.body.chars().count();
        (length > 1024).then(|| format!("the body has {length} characters; AWS takes 1024"))
    }

    fn to_sdk(&self) -> sdk::FixedResponseActionConfig {
        sdk::FixedResponseActionConfig::builder()
            .status_code(self.status.to_string())
            .content_type(&self.content_type)
            .set_message_body(Some(self.body.clone()).filter(|body| !body.is_empty()))
            .build()
    }
}

impl From<&sdk::FixedResponseActionConfig> for FixedResponse {
    fn from(config: &sdk::FixedResponseActionConfig) -> Self {
        Self {
            status: config.status_code().and_then(|status| status.parse().ok()).unwrap_or_default(),
            content_type: config.content_type().map_or_else(plain_text, str::to_owned),
            body: config.message_body().unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(document: serde_json::Value) -> Action {
        serde_json::from_value(document).unwrap()
    }

    /// What a listener would read back, sent as it was.
    fn round(written: &Action) -> Action {
        Action::from_sdk(&[written.to_sdk().unwrap()])
    }

    #[test]
    fn every_way_reads_back_as_written() {
        for document in [
            json!({ "forward": "arn:tg" }),
            json!({ "weighted": [
                { "target-group-arn": "a", "weight": 9 },
                { "target-group-arn": "b", "weight": 0 },
            ] }),
            json!({ "redirect": { "protocol": "HTTPS", "port": "443" } }),
            json!({ "fixed-response": { "status": 404 } }),
            json!({ "fixed-response": { "status": 503, "content-type": "text/html", "body": "x" } }),
        ] {
            let written = action(document);
            assert_eq!(round(&written), written);
            assert_eq!(written.flaw(), None);
            let text = serde_json::to_value(&written).unwrap();
            assert_eq!(action(text), written);
        }
    }

    /// B1: what the API adds to a plain forward is no difference.
    #[test]
    fn a_plain_forward_reads_back_in_two_ways() {
        let tuple = |arn: &str, weight| {
            sdk::TargetGroupTuple::builder().target_group_arn(arn).weight(weight).build()
        };
        let forward = |groups: Vec<sdk::TargetGroupTuple>| {
            let config =
                sdk::ForwardActionConfig::builder().set_target_groups(Some(groups)).build();
            let action = sdk::Action::builder().r#type(sdk::ActionTypeEnum::Forward).order(1);
            Action::from_sdk(&[action.forward_config(config).build()])
        };
        assert_eq!(forward(vec![tuple("a", 1)]), action(json!({ "forward": "a" })));
        let shared = json!({ "weighted": [
            { "target-group-arn": "a", "weight": 1 },
            { "target-group-arn": "b", "weight": 9 },
        ] });
        assert_eq!(forward(vec![tuple("a", 1), tuple("b", 9)]), action(shared));
    }

    /// B10: nobody loses his requests before somebody else can answer them.
    #[test]
    fn b10_between_two_groups_the_old_one_answers() {
        let old = Value::plain(json!({ "forward": "old" }));
        let new = Value::lift(json!({ "forward": "${target-group.web.arn}" })).unwrap();
        let between = Action::between(&old, &new).unwrap();
        assert_eq!(
            between.to_source(),
            json!({ "weighted": [
                { "target-group-arn": "old", "weight": 100 },
                { "target-group-arn": "${target-group.web.arn}", "weight": 0 },
            ] })
        );
        assert_eq!(Action::between(&between, &new).as_ref(), Some(&between), "as it stands");
        assert_eq!(Action::between(&new, &new), None);
        let elsewhere = Value::plain(json!({ "redirect": { "port": "443" } }));
        assert_eq!(Action::between(&old, &elsewhere), None);
        assert_eq!(Action::between(&elsewhere, &new), None);
    }

    #[test]
    fn flaws_are_named() {
        let flaw =
            |document| action(document).flaw().map(|(field, title)| format!("{field}: {title}"));
        let flaws = [
            json!({}),
            json!({ "forward": "a", "redirect": { "port": "443" } }),
            json!({ "weighted": [{ "target-group-arn": "a", "weight": 1 }] }),
            json!({ "weighted": [
                { "target-group-arn": "a", "weight": 1 },
                { "target-group-arn": "a", "weight": 2 },
            ] }),
            json!({ "weighted": [
                { "target-group-arn": "a", "weight": 1 },
                { "target-group-arn": "b", "weight": 1000 },
            ] }),
            json!({ "redirect": { "status": 307, "port": "443" } }),
            json!({ "redirect": { "query": "x" } }),
            json!({ "fixed-response": { "status": 302 } }),
            json!({ "fixed-response": { "status": 200, "body": "x".repeat(1025) } }),
        ];
        insta::assert_snapshot!(flaws.into_iter().filter_map(flaw).collect::<Vec<_>>().join("\n"), @r"
        : an action is exactly one of `forward`, `weighted`, `redirect` and `fixed-response`
        : an action is exactly one of `forward`, `weighted`, `redirect` and `fixed-response`
        weighted: one target group alone is a `forward`
        weighted: a target group has two weights
        weighted: a weight is 0 to 999, not 1000
        redirect: a redirect's status is 301 or 302, not 307
        redirect: the redirect leads back to where the request came from
        fixed-response: a fixed response cannot have the status 302
        fixed-response: the body has 1025 characters; AWS takes 1024
        ");
    }
}
