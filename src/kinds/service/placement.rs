//! On which of a cluster's instances tasks are put: constraints, strategies, and the cluster query language
//! as far as it can be checked offline. Not for Fargate.

use std::borrow::Cow;
use std::collections::VecDeque;

use aws_sdk_ecs::types as sdk;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::{SchedulingStrategy, Service};
use crate::kind::{Check, Result};
use crate::kinds::types::words::words;

/// What instances must be like. Page "PlacementConstraint".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlacementConstraint {
    /// Whether each task is on another instance, or on one of those that `expression` describes.
    #[serde(rename = "type")]
    pub kind: ConstraintType,
    /// What the instances are like, in the cluster query language; only for `memberOf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["attribute:ecs.instance-type =~ m7g.*"]))]
    pub expression: Option<String>,
}

words! {
    /// What is asked of instances.
    ConstraintType as "a placement constraint" {
        /// Each task is on an instance of its own.
        DistinctInstance = "distinctInstance",
        /// The instance is one of those that an expression describes.
        MemberOf = "memberOf",
    }
}

/// A rule by which one of the instances that may run a task is chosen. Page "PlacementStrategy".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlacementStrategy {
    /// How it is chosen.
    #[serde(rename = "type")]
    pub kind: StrategyType,
    /// What is spread over: `instanceId` or an attribute such as `attribute:ecs.availability-zone`; what is
    /// filled up: `cpu` or `memory`. Not for `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["attribute:ecs.availability-zone"]))]
    pub field: Option<PlacementField>,
}

words! {
    /// How an instance is chosen.
    StrategyType as "a placement strategy" {
        /// The one with the fewest tasks.
        Spread = "spread",
        /// The one with the least left.
        Binpack = "binpack",
        /// Any.
        Random = "random",
    }
}

/// What a strategy goes by. ECS gives `cpu` and `memory` back in capitals, and `instanceId` for `host`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PlacementField(String);

impl From<&str> for PlacementField {
    fn from(text: &str) -> Self {
        Self(match text {
            "CPU" => "cpu".to_owned(),
            "MEMORY" => "memory".to_owned(),
            "host" => "instanceId".to_owned(),
            other => other.to_owned(),
        })
    }
}

impl<'de> Deserialize<'de> for PlacementField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

impl JsonSchema for PlacementField {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PlacementField".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl PlacementConstraint {
    pub(super) fn write(&self) -> sdk::PlacementConstraint {
        sdk::PlacementConstraint::builder()
            .r#type(self.kind.word().into())
            .set_expression(self.expression.clone())
            .build()
    }

    pub(super) fn read(found: &sdk::PlacementConstraint) -> Result<Self> {
        let kind = found.r#type().map_or("memberOf", sdk::PlacementConstraintType::as_str);
        let expression = found.expression().filter(|text| !text.is_empty());
        let kind = ConstraintType::read(kind)?;
        Ok(Self { kind, expression: expression.map(str::to_owned) })
    }
}

impl PlacementStrategy {
    pub(super) fn write(&self) -> sdk::PlacementStrategy {
        sdk::PlacementStrategy::builder()
            .r#type(self.kind.word().into())
            .set_field(self.field.as_ref().map(|field| field.0.clone()))
            .build()
    }

    pub(super) fn read(found: &sdk::PlacementStrategy) -> Result<Self> {
        let kind = found.r#type().map_or("random", sdk::PlacementStrategyType::as_str);
        let field = found.field().filter(|field| !field.is_empty());
        let kind = StrategyType::read(kind)?;
        Ok(Self { kind, field: field.map(PlacementField::from) })
    }

    /// Whether it keeps availability zones even.
    pub(super) fn evens_zones(&self) -> bool {
        let field = self.field.as_ref().map(|field| field.0.as_str());
        self.kind == StrategyType::Spread && field == Some("attribute:ecs.availability-zone")
    }
}

/// E0275: constraints and strategies.
pub(super) fn check(spec: &Service, check: &mut Check<'_>) {
    let (constraints, rules) = (&spec.placement_constraints, &spec.placement_strategy);
    if spec.is_fargate() && !(constraints.is_empty() && rules.is_empty()) {
        let field = match constraints.is_empty() {
            true => "placement-strategy",
            false => "placement-constraints",
        };
        check.error("E0275", field, "on Fargate there are no instances to choose from");
    }
    if constraints.len() > 10 {
        check.error("E0275", "placement-constraints", "a task has at most 10 constraints");
    }
    if rules.len() > 5 {
        check.error("E0275", "placement-strategy", "a service has at most 5 strategies");
    }
    if spec.scheduling_strategy == SchedulingStrategy::Daemon && !rules.is_empty() {
        let title = "a daemon runs on each instance: there is none to choose";
        check.error("E0275", "placement-strategy", title);
    }
    for constraint in constraints {
        let title = match (constraint.kind, &constraint.expression) {
            (ConstraintType::MemberOf, Some(text)) => match flaw(text) {
                Some(why) => {
                    format!("`{text}` is no expression of the cluster query language: {why}")
                }
                None => continue,
            },
            (ConstraintType::MemberOf, None) => "`memberOf` needs an `expression`".to_owned(),
            (ConstraintType::DistinctInstance, Some(_)) => {
                "`distinctInstance` has no `expression`".to_owned()
            }
            (ConstraintType::DistinctInstance, None) => continue,
        };
        let hint = "write for example `attribute:ecs.instance-type =~ m7g.*`";
        check.error_with("E0275", "placement-constraints", title, hint);
    }
    for rule in rules {
        let field = rule.field.as_ref().map(|field| field.0.as_str());
        let (fits, hint) = match rule.kind {
            StrategyType::Spread => (
                field.is_some_and(|it| it == "instanceId" || is_attribute(it)),
                "spread over `instanceId` or an attribute such as `attribute:ecs.availability-zone`",
            ),
            StrategyType::Binpack => {
                (matches!(field, Some("cpu" | "memory")), "fill up by `cpu` or `memory`")
            }
            StrategyType::Random => (field.is_none(), "leave `field` out"),
        };
        if !fits {
            let told = field.map_or("nothing".to_owned(), |field| format!("`{field}`"));
            let title = format!("`{}` cannot go by {told}", rule.kind.word());
            check.error_with("E0275", "placement-strategy", title, hint);
        }
    }
}

fn is_attribute(text: &str) -> bool {
    text.strip_prefix("attribute:").is_some_and(|name| !name.is_empty() && name.chars().all(legal))
}

/// What the names of attributes are made of.
fn legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./\\".contains(c)
}

/// Why ECS would refuse an expression, if so: `subject operator [argument]`, joined by `and`, `or` and
/// `not`. Page "Create expressions to define container instances for Amazon ECS tasks".
fn flaw(text: &str) -> Option<String> {
    if text.contains("${") {
        return None;
    }
    if text.len() > 2000 {
        return Some("it has more than 2000 characters".to_owned());
    }
    let mut words = Words(words_of(text));
    words.any().and_then(|()| words.end()).err()
}

/// The words, and those brackets each as one that are not a regular expression's own.
fn words_of(text: &str) -> VecDeque<String> {
    let count = |text: &str, c: char| text.matches(c).count();
    let mut found = VecDeque::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        if let Some(inner) = rest.strip_prefix("not").filter(|inner| inner.starts_with('(')) {
            found.push_back("not".to_owned());
            rest = inner;
        }
        while count(rest, '(') > count(rest, ')') && rest.starts_with(['(', '!']) {
            found.push_back(rest[..1].to_owned());
            rest = &rest[1..];
        }
        let closed = rest.len() - count(rest, ')').saturating_sub(count(rest, '('));
        let (inner, brackets) = match rest.get(closed..) {
            Some(end) if end.chars().all(|c| c == ')') => rest.split_at(closed),
            _ => (rest, ""),
        };
        found.extend(Some(inner.to_owned()).filter(|inner| !inner.is_empty()));
        found.extend(brackets.chars().map(String::from));
    }
    found
}

const WITH_ARGUMENT: [&str; 20] = [
    "==",
    "equals",
    "!=",
    "not_equals",
    ">",
    "greater_than",
    ">=",
    "greater_than_equal",
    "<",
    "less_than",
    "<=",
    "less_than_equal",
    "in",
    "!in",
    "not_in",
    "=~",
    "matches",
    "!~",
    "not_matches",
    "contains",
];
const ALONE: [&str; 3] = ["exists", "!exists", "not_exists"];

/// A walk along the words of an expression.
struct Words(VecDeque<String>);

impl Words {
    fn next_is(&mut self, words: &[&str]) -> bool {
        let is = self.0.front().is_some_and(|word| words.contains(&word.as_str()));
        if is {
            self.0.pop_front();
        }
        is
    }

    fn any(&mut self) -> Result<(), String> {
        self.one()?;
        while self.next_is(&["and", "&&", "or", "||"]) {
            self.one()?;
        }
        Ok(())
    }

    fn one(&mut self) -> Result<(), String> {
        while self.next_is(&["not", "!"]) {}
        if self.next_is(&["("]) {
            self.any()?;
            return match self.next_is(&[")"]) {
                true => Ok(()),
                false => Err("a bracket is not closed".to_owned()),
            };
        }
        let subject = self.0.pop_front().ok_or("it ends too early")?;
        let plain = ["agentConnected", "agentVersion", "ec2InstanceId", "registeredAt"];
        let known = plain.contains(&subject.as_str())
            || matches!(subject.as_str(), "runningTasksCount" | "task:group")
            || is_attribute(&subject);
        if !known {
            return Err(format!("`{subject}` is nothing that instances have"));
        }
        let operator = self.0.pop_front().ok_or("an operator is missing")?;
        if ALONE.contains(&operator.as_str()) {
            return Ok(());
        }
        if !WITH_ARGUMENT.contains(&operator.as_str()) {
            return Err(format!("`{operator}` is no operator"));
        }
        self.argument(&operator)
    }

    /// A word; or, for `in`, a list in square brackets.
    fn argument(&mut self, operator: &str) -> Result<(), String> {
        let first = self.0.pop_front().ok_or(format!("nothing follows `{operator}`"))?;
        if !operator.ends_with("in") {
            return Ok(());
        }
        if !first.starts_with('[') {
            return Err(format!("a list such as `[a, b]` must follow `{operator}`"));
        }
        let mut last = first;
        while !last.ends_with(']') {
            last = self.0.pop_front().ok_or("a list is not closed")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        match self.0.pop_front() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is one word too many")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        for text in [
            "attribute:ecs.instance-type == t2.small",
            "attribute:ecs.instance-type =~ t2.*",
            "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
            "attribute:ecs.availability-zone == us-east-1a or (attribute:a exists and not attribute:b !exists)",
            "not(task:group == database)",
            "(attribute:a exists) and (attribute:b == (x|y))",
            "!(runningTasksCount == 1)",
            "task:group == service:production",
            "attribute:stack =~ (a|b)",
            "runningTasksCount > 1",
            "attribute:x == ${var.y}",
        ] {
            assert_eq!(flaw(text), None, "{text}");
        }
        let told = |text: &str| flaw(text).unwrap_or_default();
        insta::assert_snapshot!(told(""), @"it ends too early");
        insta::assert_snapshot!(told("ecs.instance-type == a"), @"`ecs.instance-type` is nothing that instances have");
        insta::assert_snapshot!(told("attribute:a = b"), @"`=` is no operator");
        insta::assert_snapshot!(told("attribute:a =="), @"nothing follows `==`");
        insta::assert_snapshot!(told("attribute:a in b"), @"a list such as `[a, b]` must follow `in`");
        insta::assert_snapshot!(told("(attribute:a exists"), @"a bracket is not closed");
        insta::assert_snapshot!(told("attribute:a == b c"), @"`c` is one word too many");
    }
}
