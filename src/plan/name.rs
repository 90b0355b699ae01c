//! Names in AWS: the default ones, short enough for AWS's limits and distinct; and those of
//! successors, which must stand beside what they replace.

use sha2::{Digest as _, Sha256};

use crate::kind::{NameStyle, Naming, StackId};

/// Characters of the digest in a name.
const DIGEST: usize = 6;

/// The name of a resource whose declaration gives none: `<stack>-<env>-<name>`, cut and made distinct
/// by a digest where AWS's limit bites (PROMISES B11).
pub fn default_name(stack: &StackId, naming: Naming, name: &str) -> String {
    let StackId { stack, env, .. } = stack;
    let full = match naming.style {
        NameStyle::Dashed => format!("{stack}-{env}-{name}"),
        NameStyle::Rooted => format!("/ecsctl/{stack}/{env}/{name}"),
        NameStyle::Slashed => format!("{stack}/{env}/{name}"),
    };
    // Room for a successor's suffix, so that the name of a successor needs no cutting.
    let room = naming.max - if naming.suffix { DIGEST + 1 } else { 0 };
    if full.len() <= room {
        return full;
    }
    let cut = full[..room - DIGEST - 1].trim_end_matches(['-', '/']);
    format!("{cut}-{}", digest(&full))
}

/// The name of what takes the place of the object `id`.
pub(super) fn successor(base: &str, id: &str) -> String {
    format!("{base}-{}", digest(id))
}

/// Whether `live` is `base`, or the name of a successor of something called so.
pub(super) fn is_name_or_successor(live: &str, base: &str) -> bool {
    let rest = live.strip_prefix(base);
    let suffix = rest.and_then(|rest| rest.strip_prefix('-'));
    rest == Some("")
        || suffix.is_some_and(|suffix| {
            suffix.len() == DIGEST && suffix.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
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
        let successor = successor("shop-prod-web", "arn:1");
        assert!(is_name_or_successor(&successor, "shop-prod-web"));
        assert!(!is_name_or_successor("shop-prod-web-api", "shop-prod-web"));
    }

    proptest! {
        /// B11: valid, distinct, stable.
        #[test]
        fn any_names_fit(a in "[a-z][a-z0-9-]{0,62}[a-z0-9]", b in "[a-z][a-z0-9-]{0,62}[a-z0-9]") {
            let (first, second) = (name("shop", "prod", &a), name("shop", "prod", &b));
            prop_assert!(first.len() <= 25 && !first.ends_with('-'));
            prop_assert!(successor(&first, "x").len() <= 32);
            prop_assert_eq!(first == second, a == b);
            prop_assert_eq!(&first, &name("shop", "prod", &a));
        }
    }
}
