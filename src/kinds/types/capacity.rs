//! How tasks are shared out among capacity providers.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::CapacityProviderStrategyItem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Check;

/// Shares by the capacity provider's name. Page "CapacityProviderStrategyItem".
pub type Strategy = BTreeMap<String, Share>;

/// One provider's share of the tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Share {
    /// How many tasks run here before any share is counted, 0–100000. One provider may have one.
    pub base: u32,
    /// The share of the remaining tasks in proportion to the other weights, 0–1000.
    pub weight: u32,
}

/// The strategy as the API wants it.
pub fn items(strategy: &Strategy) -> Vec<CapacityProviderStrategyItem> {
    let item = |(provider, share): (&String, &Share)| {
        CapacityProviderStrategyItem::builder()
            .capacity_provider(provider)
            .base(i32::try_from(share.base).unwrap_or(i32::MAX))
            .weight(i32::try_from(share.weight).unwrap_or(i32::MAX))
            .build()
            .expect("the provider is set")
    };
    strategy.iter().map(item).collect()
}

/// The strategy as the API tells it.
pub fn read(items: &[CapacityProviderStrategyItem]) -> Strategy {
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    let share = |item: &CapacityProviderStrategyItem| {
        let share = Share { base: number(item.base()), weight: number(item.weight()) };
        (item.capacity_provider().to_owned(), share)
    };
    items.iter().map(share).collect()
}

/// Whether Fargate provides it.
pub fn is_fargate(provider: &str) -> bool {
    matches!(provider, "FARGATE" | "FARGATE_SPOT")
}

/// Says what is wrong with the strategy in the field `field`.
pub fn check(strategy: &Strategy, field: &str, check: &mut Check<'_>) {
    if strategy.is_empty() {
        return;
    }
    let fargate = strategy.keys().filter(|provider| is_fargate(provider)).count();
    let rules = [
        (strategy.len() > 20, "a strategy has at most 20 capacity providers"),
        (
            strategy.values().filter(|share| share.base > 0).count() > 1,
            "only one capacity provider of a strategy may have a `base`",
        ),
        (
            strategy.values().all(|share| share.weight == 0),
            "a strategy needs at least one `weight` above 0",
        ),
        (
            strategy.values().any(|share| share.weight > 1000 || share.base > 100_000),
            "a `weight` is at most 1000 and a `base` at most 100000",
        ),
        (
            fargate > 0 && fargate < strategy.len(),
            "a strategy cannot mix Fargate with other capacity providers",
        ),
    ];
    for (_, title) in rules.into_iter().filter(|(broken, _)| *broken) {
        check.error("E0252", field, title);
    }
}
