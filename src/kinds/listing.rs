//! Picking a stack's things out of a listing of everything in the account.
//!
//! Elastic Load Balancing and ECR fail a whole call for one unknown name or ARN, and the index of
//! tags both lags and remembers the deleted. One listing has neither fault, and costs a call per
//! page.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::aws::{Aws, Owned, tags};
use crate::kind::{Cx, NameStyle, Result, Sought, Tags};

/// What a stack is looking for.
pub(super) struct Pick<'a> {
    sought: &'a Sought<'a>,
    owned: &'a Owned,
    wanted: BTreeSet<&'a str>,
    prefix: String,
}

impl<'a> Pick<'a> {
    /// Looks for what `owned` knows, for the wanted names, and for names such as the stack's own
    /// are.
    pub(super) fn new(sought: &'a Sought<'a>, owned: &'a Owned, style: NameStyle) -> Self {
        let mut prefix = match style {
            NameStyle::Dashed | NameStyle::Managed => format!("{}-", sought.stack.prefix()),
            NameStyle::Internal => sought.stack.prefix(),
            NameStyle::Rooted => format!("/ecsctl/{}/{}/", sought.stack.stack, sought.stack.env),
            NameStyle::Slashed => format!("{}/{}/", sought.stack.stack, sought.stack.env),
        };
        // Names that AWS's limit bites are cut further on and end in a digest.
        prefix.truncate(20);
        let wanted = sought.wanted.iter().filter_map(|want| want.spec.text("name")).collect();
        Self { sought, owned, wanted, prefix }
    }

    /// Whether the tags of this must be looked at. What a run that was cut short made a moment ago
    /// is not in the index yet, and a successor has not the wanted name: it is known by its
    /// beginning.
    pub(super) fn may_concern(&self, arn: &str, name: &str) -> bool {
        self.owned.tags(arn).is_some() || self.is_wanted(name) || name.starts_with(&self.prefix)
    }

    /// Whether this is the stack's, or stands under a wanted name.
    pub(super) fn concerns(&self, name: &str, tags: &Tags) -> bool {
        self.is_wanted(name) || self.sought.is_ours(tags)
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.wanted.contains(name)
    }
}

/// The tags of things of Elastic Load Balancing by ARN: from the index, or else by DescribeTags.
pub(super) async fn elb_tags(
    aws: &Aws,
    owned: &Owned,
    arns: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, Tags>> {
    let (mut known, mut unknown) = (BTreeMap::new(), Vec::new());
    for arn in arns {
        match owned.tags(arn) {
            Some(tags) => {
                known.insert(arn.to_owned(), tags.clone());
            }
            None => unknown.push(arn.to_owned()),
        }
    }
    known.extend(tags::elb::read(aws, &unknown).await?);
    Ok(known)
}

/// The stack's own among what was observed before, of the kind `kind`: their ARNs.
pub(super) fn own<'a>(sought: &Sought<'a>, kind: &str) -> BTreeSet<&'a str> {
    let before = sought.before.iter().filter(|live| live.kind == kind);
    before.filter(|live| sought.is_ours(&live.tags)).map(|live| live.id.as_str()).collect()
}

/// The ARNs of what things that have no listing of their own are found through: the stack's own of
/// the kind `kind`, those that wanted things name in the field `field`, and the `known` ones.
pub(super) fn parents(
    sought: &Sought<'_>,
    kind: &str,
    field: &str,
    known: impl Iterator<Item = String>,
) -> Vec<String> {
    let wanted = sought.wanted.iter().filter_map(|want| want.spec.text(field));
    let named = own(sought, kind).into_iter().chain(wanted).map(str::to_owned);
    let all: BTreeSet<String> = named.chain(known).collect();
    all.into_iter().collect()
}

/// The parent's ARN in its child's, which is longer by an id and begins with `from` instead of
/// `to`.
pub(super) fn parent(child: &str, from: &str, to: &str) -> Option<String> {
    let (parent, _) = child.rsplit_once('/')?;
    let rest = resource(parent).strip_prefix(from)?;
    let start = parent.strip_suffix(resource(parent))?;
    Some(format!("{start}{to}{rest}"))
}

/// For a create that found its name taken: see [`Cx::require_ours`].
pub(super) async fn require_ours(cx: &Cx<'_>, arn: &str) -> Result<()> {
    let read = tags::elb::read(cx.aws, &[arn.to_owned()]).await?;
    cx.require_ours(&read.into_iter().map(|(_, tags)| tags).next().unwrap_or_default())
}

/// The resource part of an ARN: what stands after the account.
pub(super) fn resource(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

/// Why Elastic Load Balancing would refuse a name, if so. A name that mentions outputs is not
/// judged.
pub(super) fn name_flaw(name: &str) -> Option<String> {
    if name.is_empty() || name.contains("${") {
        return None;
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.len() > 32 {
        return Some(format!("`{name}` has {} characters; AWS takes 32", name.chars().count()));
    }
    if !name.chars().all(legal) || name.starts_with('-') || name.ends_with('-') {
        let rule = "letters, digits and hyphens, and no hyphen at its ends";
        return Some(format!("`{name}` is not a name of {rule}"));
    }
    name.starts_with("internal-").then(|| format!("`{name}` may not begin with `internal-`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::kind::{Resolved, StackId, Told, Wanted};
    use crate::value::{Known, Value};

    const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/5/f/9";

    #[test]
    fn parents_are_in_their_childrens_arns() {
        let listener = parent(RULE, "listener-rule/", "listener/").unwrap();
        assert_eq!(listener, "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/web/5/f");
        let balancer = parent(&listener, "listener/", "loadbalancer/").unwrap();
        assert_eq!(balancer, "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/5");
        assert_eq!(parent(RULE, "listener/", "loadbalancer/"), None);
    }

    /// N1: what a run that was cut short made a moment ago is not in the index yet.
    #[test]
    fn what_the_index_does_not_know_is_known_by_its_name() {
        let stack =
            StackId { stack: "shop".into(), env: "prod".into(), region: "eu-west-1".into() };
        let spec = Value::plain(serde_json::json!({ "name": "chosen" }));
        let (address, known) = (Address::new("load-balancer", "web"), Known::new());
        let wanted = [Wanted { address: &address, spec: Resolved::new(&spec, &known) }];
        let sought = Sought { stack: &stack, told: Told::Spec, wanted: &wanted, before: &[] };
        let owned = Owned::default();
        let pick = Pick::new(&sought, &owned, NameStyle::Dashed);
        for name in ["chosen", "shop-prod-web", "shop-prod-web-1a2b3c"] {
            assert!(pick.may_concern("arn", name), "{name}");
        }
        assert!(!pick.may_concern("arn", "shop-dev-web"));
        let foreign = Tags::new();
        assert!(pick.concerns("chosen", &foreign) && !pick.concerns("shop-prod-web", &foreign));
    }

    /// B11.
    #[test]
    fn names_are_those_that_aws_takes() {
        for good in ["", "a", "shop-prod-web-1a2b3c", "${stack.name}"] {
            assert_eq!(name_flaw(good), None);
        }
        for bad in ["-a", "a-", "a_b", "internal-a", "a12345678901234567890123456789012"] {
            assert!(name_flaw(bad).is_some(), "{bad}");
        }
    }
}
