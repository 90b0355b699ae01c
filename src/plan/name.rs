//! Names in AWS: the default ones, short enough for AWS's limits and distinct; and those of
//! successors, which must stand beside what they replace.

use sha2::{Digest as _, Sha256};

use crate::kind::{NameStyle, Naming, StackId};

/// Characters of the digest in a name.
const DIGEST: usize = 6;
/// The digest with its hyphen.
const SUFFIX: usize = DIGEST + 1;

/// What needs no name of its own in the stack's.
const MAIN: &str = "main";

/// The name of a resource whose declaration gives none: `<stack>-<env>-<name>`, cut and made distinct
/// by a digest where AWS's limit bites (B11).
pub fn default_name(stack: &StackId, naming: Naming, name: &str) -> String {
    let StackId { stack, env, .. } = stack;
    let full = match naming.style {
        NameStyle::Dashed => format!("{stack}-{env}-{name}"),
        NameStyle::Rooted => format!("/ecsctl/{stack}/{env}/{name}"),
        NameStyle::Managed => format!("{stack}-{env}-{name}-managed"),
        NameStyle::Slashed => format!("{stack}/{env}/{name}"),
        NameStyle::Internal if name == MAIN => format!("{stack}-{env}"),
        NameStyle::Internal => format!("{stack}-{env}-{name}"),
    };
    // Room for a successor's suffix, so that the name of a successor needs no cutting.
    let room = if naming.suffix { naming.max - SUFFIX } else { naming.max };
    let mut fitting = full.clone();
    if full.len() > room {
        let cut = full[..room - SUFFIX].trim_end_matches(['-', '/']);
        fitting = format!("{cut}-{}", digest(&full));
    }
    match naming.style {
        NameStyle::Internal => format!("{fitting}.internal"),
        _ => fitting,
    }
}

/// The name of what takes the place of the object `id`. A name that the user chose may have to be cut.
fn successor(base: &str, naming: Naming, id: &str) -> String {
    format!("{}-{}", stem(base, naming), digest(id))
}

/// The same, if it would otherwise have the very name of what it replaces.
pub(super) fn beside<'t>(
    base: &str,
    naming: Naming,
    id: &str,
    mut taken: impl Iterator<Item = &'t str>,
) -> Option<String> {
    let is_taken = naming.suffix && taken.any(|name| is_name_or_successor(name, base, naming));
    is_taken.then(|| successor(base, naming, id))
}

/// Whether `live` is `base`, or the name of a successor of something called so.
pub(super) fn is_name_or_successor(live: &str, base: &str, naming: Naming) -> bool {
    let suffix = live.strip_prefix(stem(base, naming)).and_then(|rest| rest.strip_prefix('-'));
    let is_digest =
        |text: &str| text.len() == DIGEST && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    live == base || suffix.is_some_and(is_digest)
}

fn stem(base: &str, naming: Naming) -> &str {
    let room = naming.max - SUFFIX;
    base.get(..room).unwrap_or(base).trim_end_matches('-')
}

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(DIGEST / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BALANCER: Naming = Naming { max: 32, style: NameStyle::Dashed, suffix: true };

    fn name(stack: &str, env: &str, name: &str) -> String {
        let stack = StackId { stack: stack.into(), env: env.into(), region: "us-east-1".into() };
        default_name(&stack, BALANCER, name)
    }

    #[test]
    fn short_names_stay_as_they_are() {
        assert_eq!(name("shop", "prod", "web"), "shop-prod-web");
        let next = successor("shop-prod-web", BALANCER, "arn:1");
        assert!(is_name_or_successor(&next, "shop-prod-web", BALANCER));
        assert!(!is_name_or_successor("shop-prod-web-api", "shop-prod-web", BALANCER));
        let chosen = "a-name-that-the-user-chose-long-x";
        let next = successor(chosen, BALANCER, "arn:1");
        assert!(next.len() <= 32 && is_name_or_successor(&next, chosen, BALANCER));
    }

    /// `internal` is the domain that is nobody's on the internet, for good.
    #[test]
    fn a_domain_is_the_stacks() {
        let naming = Naming { max: 63, style: NameStyle::Internal, suffix: false };
        let stack =
            |env: &str| StackId { stack: "shop".into(), env: env.into(), region: "r".into() };
        assert_eq!(default_name(&stack("prod"), naming, "main"), "shop-prod.internal");
        assert_eq!(default_name(&stack("prod"), naming, "eu"), "shop-prod-eu.internal");
        let long = default_name(&stack(&"x".repeat(63)), naming, "main");
        assert_eq!(long.len(), 63 + ".internal".len());
    }

    proptest! {
        /// B11: valid, distinct, stable.
        #[test]
        fn any_names_fit(a in "[a-z][a-z0-9-]{0,62}[a-z0-9]", b in "[a-z][a-z0-9-]{0,62}[a-z0-9]") {
            let (first, second) = (name("shop", "prod", &a), name("shop", "prod", &b));
            prop_assert!(first.len() <= 25 && !first.ends_with('-'));
            prop_assert!(successor(&first, BALANCER, "x").len() <= 32);
            prop_assert_eq!(first == second, a == b);
            prop_assert_eq!(&first, &name("shop", "prod", &a));
        }
    }
}
