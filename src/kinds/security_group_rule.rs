//! `security-group-rule`: a rule that stands outside its group, so that two groups can name each
//! other. Also the calls on rules that [`super::security_group`] makes.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroupRule as Description,
    SecurityGroupRuleDescription, TagSpecification, UserIdGroupPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Id as Outputs;
use super::types::{Cidr, Protocol, Rule};
use crate::cloud::aws::ec2::{FILTER_VALUES, PAGE, filter};
use crate::cloud::aws::{Aws, batched, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Result, Sought,
    TAG_ID, TagChange,
};

/// A rule that stands outside its security group, for groups that name each other: the groups come
/// first, then the rules. The group that it belongs to leaves it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecurityGroupRule {
    /// The id of the group that it belongs to.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${security-group.web.id}"]))]
    pub security_group_id: String,
    /// Which traffic it lets through.
    #[schemars(extend("x-replaces" = true))]
    pub direction: Direction,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `all`, or a protocol's number.
    #[schemars(extend("x-replaces" = true))]
    pub protocol: Protocol,
    /// The first port; for ICMP the type. Left out for `all`, and for all of ICMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub from_port: Option<i32>,
    /// The last port; for ICMP the code, -1 for every code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub to_port: Option<i32>,
    /// The peer: an IPv4 block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub cidr: Option<Cidr>,
    /// The peer: an IPv6 block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub cidr_ipv6: Option<Cidr>,
    /// The peer: the members of a security group, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub security_group: Option<String>,
    /// The peer: the blocks of a managed prefix list, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub prefix_list: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Which traffic a rule lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// What comes in.
    Ingress,
    /// What goes out.
    Egress,
}

/// What to do when a rule is declared in its group and outside of it.
pub(super) const DECLARED_TWICE: &str =
    "declare the rule once: in the group, or as a `security-group-rule`";

impl Kind for SecurityGroupRule {
    const NAME: &'static str = "security-group-rule";
    const ABOUT: About = About {
        // A group does not hold one rule twice, and most fields do not tell two rules apart.
        exclusive: &[
            "security-group-id",
            "direction",
            "protocol",
            "from-port",
            "to-port",
            "cidr",
            "cidr-ipv6",
            "security-group",
            "prefix-list",
        ],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        for fault in self.rule().faults() {
            check.error_with(fault.code, fault.field, fault.title, fault.hint);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_security_group_rules();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let found: Vec<Description> =
            call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        found.iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let tags = tags::ec2::specification(ResourceType::SecurityGroupRule, cx.tags);
        let group = Group { aws: cx.aws, id: &self.security_group_id, direction: self.direction };
        let id = match group.authorize(&[self.rule()], Some(tags)).await.exists_is_fine()? {
            Some(made) => made.first().map(id).transpose()?,
            None => self.find_ours(cx).await?,
        };
        let id = id.ok_or_else(|| Error::new(Class::Eventual, "the rule is not visible yet"))?;
        Ok(Made::new(&id, Outputs::of(&id)))
    }

    /// Only the description is left to change.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let group = Group { aws: cx.aws, id: &self.security_group_id, direction: self.direction };
        group.describe(&[(cx.id.to_owned(), self.description.clone())]).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let group = Group { aws: cx.aws, id: &was.security_group_id, direction: was.direction };
        group.revoke(vec![cx.id.to_owned()]).await.absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

impl SecurityGroupRule {
    fn rule(&self) -> Rule {
        Rule {
            protocol: self.protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            cidr: self.cidr.clone(),
            cidr_ipv6: self.cidr_ipv6.clone(),
            security_group: self.security_group.clone(),
            prefix_list: self.prefix_list.clone(),
            description: self.description.clone(),
        }
    }

    /// The rule that is in the way of this one, if an attempt whose reply was lost has made it.
    async fn find_ours(&self, cx: &Cx<'_>) -> Result<Option<String>> {
        let wanted = self.rule();
        let found = list(cx.aws, std::slice::from_ref(&self.security_group_id)).await?;
        let same =
            |live: &&Description| direction(live) == self.direction && read(live).is_same(&wanted);
        let Some(live) = found.iter().find(same) else { return Ok(None) };
        let ours = cx.require_ours(&tags::ec2::read(live.tags()));
        ours.map_err(|error| error.hinted(DECLARED_TWICE))?;
        id(live).map(Some)
    }
}

fn observed(found: &Description) -> Result<Observed<SecurityGroupRule>> {
    let id = id(found)?;
    let rule = read(found);
    Ok(Observed {
        earlier: Vec::new(),
        id: id.clone(),
        live: SecurityGroupRule {
            security_group_id: found.group_id().unwrap_or_default().to_owned(),
            direction: direction(found),
            protocol: rule.protocol,
            from_port: rule.from_port,
            to_port: rule.to_port,
            cidr: rule.cidr,
            cidr_ipv6: rule.cidr_ipv6,
            security_group: rule.security_group,
            prefix_list: rule.prefix_list,
            description: rule.description,
        },
        outputs: Outputs::of(&id),
        tags: tags::ec2::read(found.tags()),
        condition: Condition::Ready,
    })
}

/// The rules of one group in one direction, for the calls that change them.
pub(super) struct Group<'a> {
    pub(super) aws: &'a Aws,
    pub(super) id: &'a str,
    pub(super) direction: Direction,
}

impl Group<'_> {
    /// AuthorizeSecurityGroupIngress or …Egress: all of the rules or, on an error, none.
    pub(super) async fn authorize(
        &self,
        rules: &[Rule],
        tags: Option<TagSpecification>,
    ) -> Result<Vec<Description>> {
        let ec2 = &self.aws.ec2;
        let permissions = Some(rules.iter().map(permission).collect());
        let tags = tags.map(|tags| vec![tags]);
        let made = match self.direction {
            Direction::Ingress => {
                let call = ec2.authorize_security_group_ingress().group_id(self.id);
                let call = call.set_ip_permissions(permissions).set_tag_specifications(tags);
                call.send().await.map(|made| made.security_group_rules).map_err(Error::from)
            }
            Direction::Egress => {
                let call = ec2.authorize_security_group_egress().group_id(self.id);
                let call = call.set_ip_permissions(permissions).set_tag_specifications(tags);
                call.send().await.map(|made| made.security_group_rules).map_err(Error::from)
            }
        };
        Ok(made.map_err(Error::while_creating)?.unwrap_or_default())
    }

    /// UpdateSecurityGroupRuleDescriptionsIngress or …Egress, which leaves the rules standing.
    pub(super) async fn describe(&self, texts: &[(String, Option<String>)]) -> Result<()> {
        let ec2 = &self.aws.ec2;
        let text = |(id, text): &(String, Option<String>)| {
            let update = SecurityGroupRuleDescription::builder().security_group_rule_id(id);
            update.set_description(text.clone()).build()
        };
        let texts = Some(texts.iter().map(text).collect());
        match self.direction {
            Direction::Ingress => {
                let call = ec2.update_security_group_rule_descriptions_ingress();
                call.group_id(self.id).set_security_group_rule_descriptions(texts).send().await?;
            }
            Direction::Egress => {
                let call = ec2.update_security_group_rule_descriptions_egress();
                call.group_id(self.id).set_security_group_rule_descriptions(texts).send().await?;
            }
        }
        Ok(())
    }

    /// RevokeSecurityGroupIngress or …Egress.
    pub(super) async fn revoke(&self, ids: Vec<String>) -> Result<()> {
        let ec2 = &self.aws.ec2;
        match self.direction {
            Direction::Ingress => {
                let call = ec2.revoke_security_group_ingress().group_id(self.id);
                call.set_security_group_rule_ids(Some(ids)).send().await?;
            }
            Direction::Egress => {
                let call = ec2.revoke_security_group_egress().group_id(self.id);
                call.set_security_group_rule_ids(Some(ids)).send().await?;
            }
        }
        Ok(())
    }
}

/// DescribeSecurityGroupRules for all rules of some groups.
pub(super) async fn list(aws: &Aws, groups: &[String]) -> Result<Vec<Description>> {
    batched(groups, FILTER_VALUES, |chunk| async move {
        let call = aws.ec2.describe_security_group_rules();
        let call = call.filters(filter("group-id", chunk));
        let pages = call.into_paginator().page_size(PAGE).items().send();
        pages.try_collect().await.map_err(Error::from)
    })
    .await
}

/// Whether a rule stands outside its group, as a resource of its own.
pub(super) fn stands_alone(rule: &Description) -> bool {
    let address = tags::ec2::read(rule.tags()).remove(TAG_ID);
    let kind = address.as_deref().and_then(|text| text.split_once('.')).map(|(kind, _)| kind);
    kind == Some(SecurityGroupRule::NAME)
}

/// The rule's id.
pub(super) fn id(rule: &Description) -> Result<String> {
    let id = rule.security_group_rule_id().map(str::to_owned);
    id.ok_or_else(|| Error::incomplete("a security-group rule's id"))
}

/// The rule's direction.
pub(super) fn direction(rule: &Description) -> Direction {
    if rule.is_egress() == Some(true) { Direction::Egress } else { Direction::Ingress }
}

/// The rule in canonical form.
pub(super) fn read(rule: &Description) -> Rule {
    let peer = rule.referenced_group_info().and_then(|group| group.group_id());
    let rule = Rule {
        protocol: Protocol::from(rule.ip_protocol().unwrap_or_default()),
        from_port: rule.from_port(),
        to_port: rule.to_port(),
        cidr: rule.cidr_ipv4().map(Cidr::from),
        cidr_ipv6: rule.cidr_ipv6().map(Cidr::from),
        security_group: peer.map(str::to_owned),
        prefix_list: rule.prefix_list_id().map(str::to_owned),
        description: rule.description().map(str::to_owned),
    };
    rule.canonical()
}

/// The rule as the authorize calls want it.
fn permission(rule: &Rule) -> IpPermission {
    let text = || rule.description.clone();
    let cidr =
        |cidr: &Cidr| IpRange::builder().cidr_ip(cidr.as_str()).set_description(text()).build();
    let cidr_ipv6 =
        |cidr: &Cidr| Ipv6Range::builder().cidr_ipv6(cidr.as_str()).set_description(text()).build();
    let group =
        |id: &String| UserIdGroupPair::builder().group_id(id).set_description(text()).build();
    let list =
        |id: &String| PrefixListId::builder().prefix_list_id(id).set_description(text()).build();
    let (from, to) = rule.ports_on_the_wire();
    IpPermission::builder()
        .ip_protocol(rule.protocol.on_the_wire())
        .set_from_port(from)
        .set_to_port(to)
        .set_ip_ranges(rule.cidr.as_ref().map(|block| vec![cidr(block)]))
        .set_ipv6_ranges(rule.cidr_ipv6.as_ref().map(|block| vec![cidr_ipv6(block)]))
        .set_user_id_group_pairs(rule.security_group.as_ref().map(|id| vec![group(id)]))
        .set_prefix_list_ids(rule.prefix_list.as_ref().map(|id| vec![list(id)]))
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{ReferencedSecurityGroup, Tag};

    use super::*;

    #[test]
    fn a_rule_of_aws_is_read_in_canonical_form() {
        let peer = ReferencedSecurityGroup::builder().group_id("sg-2").user_id("123456789012");
        let live = Description::builder()
            .security_group_rule_id("sgr-1")
            .group_id("sg-1")
            .is_egress(true)
            .ip_protocol("-1")
            .from_port(-1)
            .to_port(-1)
            .referenced_group_info(peer.build())
            .description("")
            .build();
        let live = observed(&live).unwrap().live;
        insta::assert_snapshot!(serde_json::to_string_pretty(&live).unwrap(), @r#"
        {
          "security-group-id": "sg-1",
          "direction": "egress",
          "protocol": "all",
          "security-group": "sg-2"
        }
        "#);
        assert_eq!(live.rule().faults(), []);
    }

    #[test]
    fn a_rule_with_an_address_of_its_own_stands_alone() {
        let tagged = |id: &str| {
            Description::builder().tags(Tag::builder().key(TAG_ID).value(id).build()).build()
        };
        assert!(stands_alone(&tagged("security-group-rule.web")));
        assert!(!stands_alone(&tagged("security-group.web")));
        assert!(!stands_alone(&Description::builder().build()));
    }

    #[test]
    fn the_wire_has_minus_one_for_all_of_icmp_and_nothing_for_all() {
        let all = permission(&Rule::allow_all());
        assert_eq!((all.ip_protocol(), all.from_port(), all.to_port()), (Some("-1"), None, None));
        let ping = Rule { protocol: Protocol::from("icmp"), ..Rule::allow_all() };
        let ping = permission(&ping);
        assert_eq!((ping.from_port(), ping.to_port()), (Some(-1), Some(-1)));
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<SecurityGroupRule>(
            "security-group-id = '${security-group.web.id}'
             direction = 'ingress'
             protocol = '6'
             from-port = 8080
             to-port = 8080
             security-group = '${security-group.lb.id}'",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "security-group-id": "${security-group.web.id}",
          "direction": "ingress",
          "protocol": "tcp",
          "from-port": 8080,
          "to-port": 8080,
          "security-group": "${security-group.lb.id}"
        }
        "#);
    }
}
