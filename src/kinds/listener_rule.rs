//! `listener-rule`: which requests of a listener go elsewhere than its default action says.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types as sdk;
use aws_sdk_elasticloadbalancingv2::types::{Rule as Description, RuleCondition, RulePriorityPair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{elb_tags, own, parents};
use super::types::outputs::Arn as Outputs;
use super::types::{Action, forms};
use crate::cloud::aws::{Aws, batched, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, MovedBy, Moves, Observed,
    Result, Sought, TAG_ENV, TAG_ID, TAG_STACK, TagChange, Tags,
};
use crate::value::Value;

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ListenerRule {
    /// The ARN of its listener.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${listener.main-http.arn}"]))]
    pub listener_arn: String,
    /// Its place in the order, 1 to 50000: the least that fits a request takes it.
    pub priority: u32,
    /// Which requests it takes: those that all of the conditions fit.
    pub conditions: Conditions,
    /// What is done with them.
    pub action: Action,
}

/// The conditions of a rule. Each that is written must fit; within one, any of its values will do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conditions {
    /// Hosts; `*` and `?` are wild.
    #[serde(default)]
    pub hosts: BTreeSet<String>,
    /// Paths, with their case; `*` and `?` are wild.
    #[serde(default)]
    pub paths: BTreeSet<String>,
    /// Methods, such as `GET`.
    #[serde(default)]
    pub methods: BTreeSet<String>,
    /// Header fields by name; `*` and `?` are wild in their values.
    #[serde(default)]
    pub headers: BTreeMap<String, BTreeSet<String>>,
    /// Parts of the query: `key=value`, or a value alone; `*` and `?` are wild.
    #[serde(default)]
    pub queries: BTreeSet<String>,
    /// The client's addresses, as CIDR blocks.
    #[serde(default)]
    pub sources: BTreeSet<String>,
}

impl Kind for ListenerRule {
    const NAME: &'static str = "listener-rule";
    const ABOUT: About = About {
        exclusive: &["listener-arn", "priority"],
        observed_after: &["listener"],
        moved_by: &[MovedBy { field: "action", by: "service", how: Moves::Shares }],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if !(1..=50_000).contains(&self.priority) {
            let title = format!("a rule's priority is 1 to 50000, not {}", self.priority);
            check.error("E0233", "priority", title).alone = true;
        }
        for path in &self.conditions.paths {
            check.form("E0233", "conditions.paths", path, forms::path_pattern);
        }
        for host in &self.conditions.hosts {
            check.form("E0233", "conditions.hosts", host, forms::host_pattern);
        }
        match self.conditions.count() {
            0 => {
                let hint = "write `conditions.paths = [\"/*\"]` to take every request";
                check.error_with("E0233", "conditions", "a rule needs a condition", hint);
            }
            1..=5 => {}
            count => {
                let title = format!("the conditions have {count} values; AWS takes 5 in a rule");
                check.error("E0233", "conditions", title);
            }
        }
        let wild = self.conditions.wildcards();
        if wild > 6 {
            let title = format!("the conditions have {wild} wildcards; AWS takes 6 in a rule");
            check.error("E0233", "conditions", title);
        }
        if let Some((field, flaw)) = self.action.flaw() {
            check.error("E0232", &format!("action.{field}"), flaw);
        }
    }

    /// Rules are found through their listeners: a call for each of these, and no ghosts.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let known = owned.arns("elasticloadbalancing", "listener-rule/app/").filter_map(parent);
        let parents = parents(sought, "listener", "listener-arn", known);
        let mut found = batched(&parents, 1, |arns| list(aws, &arns[0])).await?;
        let wanted = |one: &Description| {
            sought.wanted.iter().any(|want| {
                let priority = want.spec.get("priority").map(ToString::to_string);
                want.spec.text("listener-arn") == parent(arn(one)).as_deref()
                    && priority.as_deref() == one.priority()
            })
        };
        // On listeners of others, only what the index knows or what is wanted is looked at.
        let ours = own(sought, "listener");
        found.retain(|one| {
            let of_ours = parent(arn(one)).is_some_and(|parent| ours.contains(parent.as_str()));
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

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.elb.create_rule().listener_arn(&self.listener_arn);
        let made = call
            .priority(priority(self.priority))
            .set_conditions(Some(self.conditions.to_sdk()))
            .set_actions(self.action.to_sdk().map(|action| vec![action]))
            .set_tags(tags::some(cx.tags, tags::elb::tag))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating());
        let arn = match made.exists_is_fine()? {
            Some(made) => made.rules().first().map(|one| arn(one).to_owned()),
            None => Some(self.made_before(cx).await?),
        };
        let arn = arn.ok_or_else(|| Error::incomplete("the rule's ARN"))?;
        let outputs = Outputs::of(&arn);
        Ok(Made::new(arn, outputs))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let conditions = (self.conditions != was.conditions).then(|| self.conditions.to_sdk());
        let action = match self.action != was.action {
            true => self.action_now(was, cx).await?.to_sdk(),
            false => None,
        };
        if conditions.is_some() || action.is_some() {
            let call = cx.aws.elb.modify_rule().rule_arn(cx.id);
            let call = call.set_conditions(conditions).set_actions(action.map(|one| vec![one]));
            call.send().await.map_err(|error| Error::from(error).while_creating())?;
        }
        if self.priority != was.priority {
            self.put_priority(cx).await?;
        }
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    fn between(was: &Value, spec: &Value) -> Option<Value> {
        let mut between = spec.clone();
        between.set("action", Action::between(was.get("action")?, spec.get("action")?)?);
        Some(between)
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.elb.delete_rule().rule_arn(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::elb::change(cx.aws, cx.id, change).await
    }
}

impl ListenerRule {
    /// The ARN of this very rule, made by an attempt whose reply was lost; the priority is taken.
    async fn made_before(&self, cx: &Cx<'_>) -> Result<String> {
        let there = list(cx.aws, &self.listener_arn).await?;
        let Some((holder, tags)) = self.holder(&there, cx).await? else {
            return Err(Error::new(Class::Eventual, "the priority was taken a moment ago"));
        };
        if tags.get(TAG_ID) == cx.tags.get(TAG_ID) && is_ours(&tags, cx) {
            return Ok(arn(holder).to_owned());
        }
        Err(self.taken(holder, &tags, cx))
    }

    /// The action, if ECS has moved requests since the rule was looked at: who gets them by now goes on
    /// getting them (B4).
    async fn action_now(&self, was: &Self, cx: &Cx<'_>) -> Result<Action> {
        if was.action.weighted.is_empty() || self.action.weighted.is_empty() {
            return Ok(self.action.clone());
        }
        let found = cx.aws.elb.describe_rules().rule_arns(cx.id).send().await?;
        let now = found.rules().first().map(|rule| Self::from(rule).action);
        Ok(now.map_or_else(|| self.action.clone(), |now| self.action.since(&was.action, &now)))
    }

    /// SetRulePriorities. Two rules of a stack may change places, or each take the place of the
    /// next: then whoever comes first puts the other where it came from.
    async fn put_priority(&self, cx: &Cx<'_>) -> Result<()> {
        let alone = set_priorities(cx.aws, vec![pair(cx.id, self.priority)]).await;
        if alone.exists_is_fine()?.is_some() {
            return Ok(());
        }
        let there = list(cx.aws, &self.listener_arn).await?;
        let from = there.iter().find(|one| arn(one) == cx.id).and_then(|one| one.priority());
        let holder = self.holder(&there, cx).await?;
        let (Some(from), Some((holder, tags))) = (from.and_then(|p| p.parse().ok()), holder) else {
            return Err(Error::new(Class::Eventual, "the priorities changed a moment ago"));
        };
        if arn(holder) == cx.id {
            return Ok(());
        }
        if !is_ours(&tags, cx) {
            return Err(self.taken(holder, &tags, cx));
        }
        let both = vec![pair(cx.id, self.priority), pair(arn(holder), from)];
        let swapped = set_priorities(cx.aws, both).await.exists_is_fine()?;
        swapped.ok_or_else(|| self.taken(holder, &tags, cx))
    }

    /// The rule that has this one's priority, with its tags.
    async fn holder<'a>(
        &self,
        there: &'a [Description],
        cx: &Cx<'_>,
    ) -> Result<Option<(&'a Description, Tags)>> {
        let priority = self.priority.to_string();
        let holder = there.iter().find(|one| one.priority() == Some(priority.as_str()));
        let Some(holder) = holder else { return Ok(None) };
        let tags = tags::elb::read(cx.aws, &[arn(holder).to_owned()]).await?;
        Ok(Some((holder, tags.into_iter().map(|(_, tags)| tags).next().unwrap_or_default())))
    }

    /// A rule of the same stack will let go of the priority; another's will not.
    fn taken(&self, holder: &Description, tags: &Tags, cx: &Cx<'_>) -> Error {
        let (class, whose) = match tags.get(TAG_ID).filter(|_| is_ours(tags, cx)) {
            Some(id) => (Class::InUse, format!("{id} of this stack")),
            None => (Class::Exists, arn(holder).to_owned()),
        };
        let message = format!("priority {} of the listener is taken by {whose}", self.priority);
        Error::new(class, message).hinted("give the rule another priority")
    }
}

fn is_ours(tags: &Tags, cx: &Cx<'_>) -> bool {
    [TAG_STACK, TAG_ENV].iter().all(|key| tags.get(*key) == cx.tags.get(*key))
}

fn pair(arn: &str, to: u32) -> RulePriorityPair {
    RulePriorityPair::builder().rule_arn(arn).priority(priority(to)).build()
}

async fn set_priorities(aws: &Aws, pairs: Vec<RulePriorityPair>) -> Result<()> {
    aws.elb.set_rule_priorities().set_rule_priorities(Some(pairs)).send().await?;
    Ok(())
}

fn priority(priority: u32) -> i32 {
    i32::try_from(priority).unwrap_or(i32::MAX)
}

impl Conditions {
    /// How many values there are; AWS counts them over the whole rule.
    fn count(&self) -> usize {
        let Self { hosts, paths, methods, headers, queries, sources } = self;
        let sets = [hosts, paths, methods, queries, sources].into_iter().chain(headers.values());
        sets.map(BTreeSet::len).sum()
    }

    /// How many `*` and `?` there are, which AWS counts over the whole rule as well.
    fn wildcards(&self) -> usize {
        let Self { hosts, paths, headers, queries, methods: _, sources: _ } = self;
        let values = [hosts, paths, queries].into_iter().chain(headers.values()).flatten();
        values.map(|value| value.matches(['*', '?']).count()).sum()
    }

    fn to_sdk(&self) -> Vec<RuleCondition> {
        let values = |set: &BTreeSet<String>| Some(set.iter().cloned().collect::<Vec<_>>());
        let field = |name: &str| RuleCondition::builder().field(name);
        let mut conditions = Vec::new();
        if !self.hosts.is_empty() {
            let config = sdk::HostHeaderConditionConfig::builder().set_values(values(&self.hosts));
            conditions.push(field(HOST).host_header_config(config.build()));
        }
        if !self.paths.is_empty() {
            let config = sdk::PathPatternConditionConfig::builder().set_values(values(&self.paths));
            conditions.push(field(PATH).path_pattern_config(config.build()));
        }
        if !self.methods.is_empty() {
            let config = sdk::HttpRequestMethodConditionConfig::builder();
            let config = config.set_values(values(&self.methods)).build();
            conditions.push(field(METHOD).http_request_method_config(config));
        }
        for (name, set) in &self.headers {
            let config = sdk::HttpHeaderConditionConfig::builder().http_header_name(name);
            let config = config.set_values(values(set)).build();
            conditions.push(field(HEADER).http_header_config(config));
        }
        if !self.queries.is_empty() {
            let pairs = self.queries.iter().map(|text| query(text)).collect();
            let config = sdk::QueryStringConditionConfig::builder().set_values(Some(pairs));
            conditions.push(field(QUERY).query_string_config(config.build()));
        }
        if !self.sources.is_empty() {
            let config = sdk::SourceIpConditionConfig::builder().set_values(values(&self.sources));
            conditions.push(field(SOURCE).source_ip_config(config.build()));
        }
        conditions.into_iter().map(sdk::builders::RuleConditionBuilder::build).collect()
    }

    fn from_sdk(told: &[RuleCondition]) -> Self {
        let mut all = Self::default();
        for one in told {
            // Hosts and paths read back in two ways.
            let plain = one.values();
            match one.field().unwrap_or_default() {
                HOST => {
                    let config = one.host_header_config().map(|config| config.values());
                    all.hosts.extend(config.unwrap_or(plain).iter().cloned());
                }
                PATH => {
                    let config = one.path_pattern_config().map(|config| config.values());
                    all.paths.extend(config.unwrap_or(plain).iter().cloned());
                }
                METHOD => {
                    let config = one.http_request_method_config();
                    all.methods.extend(config.into_iter().flat_map(|c| c.values()).cloned());
                }
                HEADER => {
                    let Some(config) = one.http_header_config() else { continue };
                    let name = config.http_header_name().unwrap_or_default().to_owned();
                    all.headers.entry(name).or_default().extend(config.values().iter().cloned());
                }
                QUERY => {
                    let config = one.query_string_config();
                    all.queries.extend(config.into_iter().flat_map(|c| c.values()).map(query_text));
                }
                SOURCE => {
                    let config = one.source_ip_config();
                    all.sources.extend(config.into_iter().flat_map(|c| c.values()).cloned());
                }
                _ => {}
            }
        }
        all
    }
}

const HOST: &str = "host-header";
const PATH: &str = "path-pattern";
const METHOD: &str = "http-request-method";
const HEADER: &str = "http-header";
const QUERY: &str = "query-string";
const SOURCE: &str = "source-ip";

fn query(text: &str) -> sdk::QueryStringKeyValuePair {
    let pair = sdk::QueryStringKeyValuePair::builder();
    match text.split_once('=') {
        Some((key, value)) => pair.key(key).value(value).build(),
        None => pair.value(text).build(),
    }
}

fn query_text(pair: &sdk::QueryStringKeyValuePair) -> String {
    let value = pair.value().unwrap_or_default();
    match pair.key().filter(|key| !key.is_empty()) {
        Some(key) => format!("{key}={value}"),
        None => value.to_owned(),
    }
}

impl From<&Description> for ListenerRule {
    fn from(one: &Description) -> Self {
        Self {
            listener_arn: parent(arn(one)).unwrap_or_default(),
            priority: one.priority().and_then(|text| text.parse().ok()).unwrap_or_default(),
            conditions: Conditions::from_sdk(one.conditions()),
            action: Action::from_sdk(one.actions()),
        }
    }
}

/// The ARN of a rule's listener.
fn parent(arn: &str) -> Option<String> {
    super::listing::parent(arn, "listener-rule/", "listener/")
}

/// DescribeRules, without the default one; none if the listener is not there.
async fn list(aws: &Aws, listener: &str) -> Result<Vec<Description>> {
    let call = aws.elb.describe_rules().listener_arn(listener).page_size(400);
    let listed = call.into_paginator().items().send().try_collect().await.map_err(Error::from);
    let mut rules: Vec<Description> = match listed {
        Err(error) if error.class == Class::Absent => return Ok(Vec::new()),
        listed => listed?,
    };
    rules.retain(|one| one.is_default() != Some(true));
    Ok(rules)
}

fn arn(one: &Description) -> &str {
    one.rule_arn().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn conditions_read_back_as_written() {
        let written: Conditions = serde_json::from_value(json!({
            "hosts": ["b.test", "a.test"],
            "paths": ["/api/*"],
            "methods": ["GET"],
            "headers": { "x-a": ["1", "2"], "x-b": ["3"] },
            "queries": ["v=1", "debug"],
            "sources": ["10.0.0.0/8"],
        }))
        .unwrap();
        assert_eq!(Conditions::from_sdk(&written.to_sdk()), written);
        assert_eq!(written.count(), 10);
        let text = serde_json::to_value(&written).unwrap();
        assert_eq!(serde_json::from_value::<Conditions>(text).unwrap(), written);
    }

    /// B1: the API shows hosts and paths in two ways.
    #[test]
    fn plain_values_count_when_there_is_no_configuration() {
        let told = RuleCondition::builder().field("path-pattern").values("/a").build();
        assert_eq!(Conditions::from_sdk(&[told]).paths, BTreeSet::from(["/a".to_owned()]));
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<ListenerRule>(json!({
            "listener-arn": "a", "priority": 1, "conditions": { "paths": ["/*"] },
            "action": { "forward": "b" },
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let rule = |priority: u32, conditions: serde_json::Value| {
            flaws::<ListenerRule>(json!({
                "listener-arn": "a", "priority": priority, "conditions": conditions,
                "action": { "fixed-response": { "status": 302 } },
            }))
        };
        insta::assert_snapshot!(rule(0, json!({})), @r"
        E0233 priority: a rule's priority is 1 to 50000, not 0
        E0233 conditions: a rule needs a condition
        E0232 action.fixed-response: a fixed response cannot have the status 302
        ");
        let six = json!({ "paths": ["/a", "/b", "c", "/d", "/e", "***?***"] });
        insta::assert_snapshot!(rule(1, six), @r"
        E0233 conditions.paths: `c` is no path: paths begin with `/`, and have no blanks
        E0233 conditions: the conditions have 6 values; AWS takes 5 in a rule
        E0233 conditions: the conditions have 7 wildcards; AWS takes 6 in a rule
        E0232 action.fixed-response: a fixed response cannot have the status 302
        ");
    }
}
