//! Which of the instances run a service's tasks: `place = { spread = ["az"], binpack = "memory" }`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::capacity::ATTRIBUTE;

/// Which of the instances run a service's tasks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Place {
    /// What tasks are spread over, one after the other: `az`, `instance`, or an attribute.
    #[serde(default)]
    pub spread: Vec<String>,
    /// What instances are filled up by before others are used.
    pub binpack: Option<Resource>,
    /// Whether an instance is taken at random.
    #[serde(default)]
    pub random: bool,
    /// Whether an instance runs one task of the service at most.
    #[serde(default)]
    pub distinct: bool,
    /// What instances must be like, in the cluster query language: `"attribute:ecs.instance-type =~ m7g.*"`.
    #[serde(rename = "where")]
    pub condition: Option<String>,
}

/// What instances are filled up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
}

impl Place {
    /// The rules by which an instance is chosen, in order.
    pub(super) fn strategy(&self) -> Vec<Json> {
        let spread = self.spread.iter().map(|over| {
            let field = match over.as_str() {
                "az" => "attribute:ecs.availability-zone",
                "instance" => "instanceId",
                attribute => attribute,
            };
            json!({ "type": "spread", "field": field })
        });
        let binpack = self.binpack.map(|resource| {
            let field = match resource {
                Resource::Cpu => "cpu",
                Resource::Memory => "memory",
            };
            json!({ "type": "binpack", "field": field })
        });
        let random = self.random.then(|| json!({ "type": "random" }));
        spread.chain(binpack).chain(random).collect()
    }

    /// What instances must be like.
    pub(super) fn constraints(&self) -> Vec<Json> {
        let distinct = self.distinct.then(|| json!({ "type": "distinctInstance" }));
        let member = self.condition.as_deref().map(member_of);
        distinct.into_iter().chain(member).collect()
    }

    /// Whether ECS may move tasks to keep zones even: not when something else is told to be kept.
    pub(super) fn goes_with_rebalancing(&self) -> bool {
        let first =
            self.strategy().first().and_then(|rule| rule["field"].as_str().map(str::to_owned));
        let zone = "ecs.availability-zone";
        let evens = self.strategy().is_empty() || first.is_some_and(|field| field.ends_with(zone));
        evens && !self.condition.as_ref().is_some_and(|text| text.contains(zone))
    }
}

fn member_of(expression: &str) -> Json {
    json!({ "type": "memberOf", "expression": expression })
}

/// The constraint that keeps tasks on the instances of one capacity.
pub(super) fn within(pool: &str) -> Json {
    member_of(&format!("attribute:{ATTRIBUTE} == {pool}"))
}
