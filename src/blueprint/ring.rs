//! Services of which each comes before the next, and the last before the first, because they look for each other by
//! the names of Service Connect.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Path;
use crate::diag::Diagnostic;

/// Why a service comes after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It looks for it by name.
    Seeks,
    /// The spec says so.
    After,
}

/// Of each service, those that come before it.
pub(super) type Order = BTreeMap<String, BTreeMap<String, Why>>;

/// The first ring in which somebody looks for somebody, as its members one before the other.
pub(super) fn find(order: &Order) -> Option<Vec<String>> {
    order.keys().find_map(|first| {
        let ring = way(order, first, first, &mut BTreeSet::new())?;
        let seeks = |(one, other): (&String, &String)| order[one][other] == Why::Seeks;
        let counts = pairs(&ring).any(seeks);
        counts.then_some(ring)
    })
}

/// A way from `from` to `to` along what comes before.
fn way(order: &Order, from: &str, to: &str, seen: &mut BTreeSet<String>) -> Option<Vec<String>> {
    for next in order.get(from)?.keys() {
        if next == to {
            return Some(vec![from.to_owned()]);
        }
        if seen.insert(next.clone())
            && let Some(mut rest) = way(order, next, to, seen)
        {
            rest.insert(0, from.to_owned());
            return Some(rest);
        }
    }
    None
}

/// Each member with the one that comes before it.
pub(super) fn pairs(ring: &[String]) -> impl Iterator<Item = (&String, &String)> {
    ring.iter().zip(ring.iter().cycle().skip(1))
}

/// E0383: says who looks for whom.
pub(super) fn wrong(ring: &[String], order: &Order) -> Diagnostic {
    let links = pairs(ring).map(|(one, other)| match order[one][other] {
        Why::Seeks => format!("`{one}` looks for `{other}` by name"),
        Why::After => format!("`{one}` comes `after` `{other}`"),
    });
    let title = format!(
        "each of these services would come first: {}",
        links.collect::<Vec<_>>().join(", ")
    );
    let sought = pairs(ring).find(|(one, other)| order[*one][*other] == Why::Seeks);
    let sought = sought.map_or(&ring[0], |(_, sought)| sought);
    let hint = format!(
        "write `discover` in place of `connect` in `{sought}`: a name of Service Connect must be there before \
         its clients start, and one of DNS is found at any time"
    );
    let place = Path::of(["service", sought, "connect"]);
    Diagnostic::error("E0383", title).at_key(place, "").hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(links: &[(&str, &str, Why)]) -> Order {
        let mut order = Order::new();
        for (one, other, why) in links {
            order.entry((*one).to_owned()).or_default().insert((*other).to_owned(), *why);
        }
        order
    }

    #[test]
    fn a_ring_is_found_and_told() {
        let ring = order(&[
            ("web", "api", Why::Seeks),
            ("api", "cache", Why::After),
            ("cache", "web", Why::Seeks),
            ("api", "mail", Why::Seeks),
        ]);
        let found = find(&ring).unwrap();
        insta::assert_snapshot!(wrong(&found, &ring).title, @"each of these services would come first: `api` comes `after` `cache`, `cache` looks for `web` by name, `web` looks for `api` by name");
        // An order alone is told elsewhere.
        assert_eq!(find(&order(&[("a", "b", Why::After), ("b", "a", Why::After)])), None);
        assert_eq!(find(&order(&[("a", "b", Why::Seeks), ("b", "c", Why::Seeks)])), None);
    }
}
