//! `dns-namespace`: a private DNS namespace of AWS Cloud Map: a domain that the name server of one VPC answers for. The
//! hosted zone of Route 53 that it consists of comes and goes with it.

use std::time::Duration;

use aws_sdk_route53::types::Vpc;
use aws_sdk_servicediscovery::operation::create_private_dns_namespace::CreatePrivateDnsNamespaceError as Refusal;
use aws_sdk_servicediscovery::types::{NamespaceSummary, NamespaceType, PrivateDnsNamespaceChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cloud_map::{self, short};
use super::listing::Pick;
use super::types::forms::domain;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, After, Check, Condition, Cx, Error, Kind, Made, NameStyle, Naming, Observed, Ready,
    Result, Sought, TagChange,
};

/// A private DNS namespace of AWS Cloud Map: a domain that is known in one VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsNamespace {
    /// The domain, which no other namespace has in the VPC.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The id of the VPC in which it is known.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// The longest description. Page "CreatePrivateDnsNamespace".
const LONGEST_DESCRIPTION: usize = 1024;
/// The longest label of a domain.
const LABEL: usize = 63;

impl Kind for DnsNamespace {
    const NAME: &'static str = "dns-namespace";
    const ABOUT: About = About {
        // Route 53 makes the zone.
        seconds: 45,
        // Cloud Map lets go of a namespace when its services are gone.
        deadline: Duration::from_secs(15 * 60),
        exclusive: &["name", "vpc-id"],
        naming: Some(Naming { max: LABEL, style: NameStyle::Internal, suffix: false }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let name = &self.name;
        let is_judged = !name.is_empty() && !name.contains("${");
        if is_judged && (domain(name).is_err() || name.starts_with('*')) {
            let title = format!("`{name}` is no domain of which a VPC could have names");
            check.error_with("E0384", "name", title, "write for example `shop.internal`").alone =
                true;
        }
        if self.description.chars().count() > LONGEST_DESCRIPTION {
            let title = format!("a description has at most {LONGEST_DESCRIPTION} characters");
            check.error("E0384", "description", title).alone = true;
        }
    }

    /// ListNamespaces; and GetHostedZone, because only the zone says in which VPC it is known.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let pick = Pick::new(sought, &owned, NameStyle::Internal);
        let found = cloud_map::namespaces(aws, &pick, &owned, NamespaceType::DnsPrivate).await?;
        let vpcs = concurrently(&found, |(one, _)| vpcs(aws, one)).await?;
        let wanted = |name: &str| {
            let mut named = sought.wanted.iter().filter(|it| it.spec.text("name") == Some(name));
            named.find_map(|it| it.spec.text("vpc-id"))
        };
        let seen = found.into_iter().zip(vpcs).map(|((one, tags), vpcs)| {
            let (arn, name) = (one.arn().unwrap_or_default(), one.name().unwrap_or_default());
            // Somebody may have let another VPC know it, too.
            let vpc = vpcs.iter().find(|vpc| Some(vpc.as_str()) == wanted(name)).or(vpcs.first());
            Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                live: Self {
                    name: name.to_owned(),
                    vpc_id: vpc.cloned().unwrap_or_default(),
                    description: one.description().unwrap_or_default().to_owned(),
                },
                outputs: Outputs::new(arn, name),
                tags,
                condition: Condition::Ready,
            }
        });
        Ok(seen.collect())
    }

    /// CreatePrivateDnsNamespace begins an operation, and its end says which namespace it has made.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let begun = cx.aws.once::<Self>(cx, self.begin(cx)).await?;
        let arn = cloud_map::finished(cx.aws, begun).await?;
        Ok(Made::new(&arn, Outputs::new(&arn, &self.name)))
    }

    /// UpdatePrivateDnsNamespace.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let change = PrivateDnsNamespaceChange::builder().description(&self.description).build();
        let call = cx.aws.discovery.update_private_dns_namespace().id(short(cx.id));
        let call = call.namespace(change).updater_request_id(cx.token);
        let begun = call.send().await.map_err(Error::from)?;
        let made = Made::new(cx.id, Outputs::new(cx.id, &self.name));
        Ok(Made { watch: begun.operation_id, ..made })
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        cloud_map::delete_namespace(cx).await
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        cloud_map::change_tags(cx, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        cloud_map::namespace_ready(cx, after).await
    }
}

impl DnsNamespace {
    /// The operation that makes it; or the ARN of the one that has the name, if it is this very one.
    async fn begin(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.discovery.create_private_dns_namespace().name(&self.name);
        let call = call.vpc(&self.vpc_id).creator_request_id(cx.token);
        let call = call.description(&self.description).set_tags(cloud_map::created(cx.tags));
        let operation = match call.send().await {
            Ok(begun) => begun.operation_id,
            Err(error) => match error.as_service_error() {
                Some(Refusal::DuplicateRequest(same)) => {
                    same.duplicate_operation_id().map(str::to_owned)
                }
                Some(Refusal::NamespaceAlreadyExists(there)) => {
                    let id = there.namespace_id().map(str::to_owned);
                    let id = id.ok_or_else(|| Error::from(error))?;
                    return cloud_map::standing(cx, &id).await;
                }
                _ => return Err(error.into()),
            },
        };
        cloud_map::begun(operation)
    }
}

/// The ids of the VPCs that know the zone of a namespace; none when the zone is gone.
async fn vpcs(aws: &Aws, namespace: &NamespaceSummary) -> Result<Vec<String>> {
    let properties = namespace.properties().and_then(|it| it.dns_properties());
    let Some(zone) = properties.and_then(|it| it.hosted_zone_id()) else { return Ok(Vec::new()) };
    match aws.dns.get_hosted_zone().id(zone).send().await.map_err(Error::from) {
        Ok(found) => {
            let id = |vpc: &Vpc| vpc.vpc_id().map(str::to_owned);
            Ok(found.vpcs().iter().filter_map(id).collect())
        }
        Err(error) if error.is("NoSuchHostedZone") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn it_reads_back() {
        reads_back::<DnsNamespace>(json!({
            "name": "shop-prod.internal", "vpc-id": "vpc-1", "description": "shop",
        }));
    }

    #[test]
    fn what_cloud_map_would_refuse_is_refused() {
        let told = |name: &str, description: &str| {
            flaws::<DnsNamespace>(
                json!({ "name": name, "vpc-id": "vpc-1", "description": description }),
            )
        };
        assert_eq!(told("shop.internal", ""), "");
        insta::assert_snapshot!(told("my shop", &"x".repeat(1025)), @"
        E0384 name: `my shop` is no domain of which a VPC could have names
        E0384 description: a description has at most 1024 characters
        ");
        insta::assert_snapshot!(told("*.shop.internal", ""), @"E0384 name: `*.shop.internal` is no domain of which a VPC could have names");
    }
}
