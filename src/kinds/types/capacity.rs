//! How tasks are shared out among capacity providers.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::CapacityProviderStrategyItem;

use crate::kind::Check;
pub use crate::kind::{Share, Strategy};

/// The strategy as the API tells it.
pub fn read(items: &[CapacityProviderStrategyItem]) -> Strategy {
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    let share = |item: &CapacityProviderStrategyItem| Share {
        capacity_provider: item.capacity_provider().to_owned(),
        base: number(item.base()),
        weight: number(item.weight()),
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
    let providers: BTreeSet<&str> =
        strategy.iter().map(|share| share.capacity_provider.as_str()).collect();
    let fargate = providers.iter().filter(|provider| is_fargate(provider)).count();
    let rules = [
        (strategy.len() > 20, "a strategy has at most 20 capacity providers"),
        (providers.len() < strategy.len(), "a strategy names each of its capacity providers once"),
        (
            strategy.iter().filter(|share| share.base > 0).count() > 1,
            "only one capacity provider of a strategy may have a `base`",
        ),
        (
            strategy.iter().all(|share| share.weight == 0),
            "a strategy needs at least one `weight` above 0",
        ),
        (
            strategy.iter().any(|share| share.weight > 1000 || share.base > 100_000),
            "a `weight` is at most 1000 and a `base` at most 100000",
        ),
        (
            fargate > 0 && fargate < providers.len(),
            "a strategy cannot mix Fargate with other capacity providers",
        ),
    ];
    for (_, title) in rules.into_iter().filter(|(broken, _)| *broken) {
        check.error("E0252", field, title);
    }
}
