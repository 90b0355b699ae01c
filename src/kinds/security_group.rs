//! `security-group`: a firewall around network interfaces, with its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{
    ResourceType, SecurityGroup as Description, SecurityGroupRule as RuleDescription,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::security_group_rule::{
    DECLARED_TWICE, Direction, Group, direction, id, list, read, stands_alone,
};
use super::types::{Changes, Rule, TEXT_HINT, text_fault};
use crate::cloud::aws::ec2::{FILTER_VALUES, PAGE, filter};
use crate::cloud::aws::{Aws, batched, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TagChange,
};
use crate::value::Value;

/// A firewall around network interfaces. Its rules are owned whole, but for those that are declared
/// as `security-group-rule`, which groups need that name each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecurityGroup {
    /// Its name, the only one of its VPC without regard to case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What it is for. AWS wants one and never changes it.
    #[serde(default = "description")]
    #[schemars(extend("x-replaces" = true))]
    pub description: String,
    /// The VPC's id.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// What may come in.
    #[serde(default)]
    pub ingress: BTreeSet<Rule>,
    /// What may go out; left out, everything over IPv4.
    #[serde(default = "everything")]
    pub egress: BTreeSet<Rule>,
}

fn description() -> String {
    "managed by ecsctl".to_owned()
}

/// The egress of a new group.
fn everything() -> BTreeSet<Rule> {
    BTreeSet::from([Rule::allow_all()])
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its id, `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Kind for SecurityGroup {
    const NAME: &'static str = "security-group";
    const ABOUT: About = About {
        exclusive: &["vpc-id", "name"],
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: true }),
        // Network interfaces of tasks and load balancers go minutes after their owners.
        deadline: Duration::from_secs(15 * 60),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        self.check_texts(check);
        check_rules(&self.ingress, "ingress", check);
        check_rules(&self.egress, "egress", check);
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_security_groups();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let mut groups: Vec<Description> =
            call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        let others = under_wanted_names(aws, sought, &groups).await?;
        groups.extend(others);
        let ids: Vec<String> =
            groups.iter().filter_map(|group| group.group_id().map(str::to_owned)).collect();
        let mut rules: BTreeMap<String, Vec<RuleDescription>> = BTreeMap::new();
        for rule in list(aws, &ids).await? {
            rules.entry(rule.group_id().unwrap_or_default().to_owned()).or_default().push(rule);
        }
        let of = |group: &Description| rules.get(group.group_id()?).map(Vec::as_slice);
        groups.iter().map(|group| observed(group, of(group).unwrap_or_default())).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_security_group().group_name(&self.name);
        let call = call.description(&self.description).vpc_id(&self.vpc_id);
        let tags = tags::ec2::specification(ResourceType::SecurityGroup, cx.tags);
        let made = call.tag_specifications(tags).send().await;
        let made = made.map_err(|error| Error::from(error).while_creating()).exists_is_fine()?;
        let (id, rules) = match made {
            Some(made) => {
                let id = made.group_id.ok_or_else(|| Error::incomplete("the new group's id"))?;
                let rules = list(cx.aws, std::slice::from_ref(&id)).await?;
                if rules.is_empty() {
                    // AWS has put in a rule that lets everything out. Not to see it would leave it in.
                    return Err(Error::new(Class::Eventual, "its rules are not visible yet"));
                }
                (id, rules)
            }
            None => {
                let id = self.find_ours(cx).await?;
                let rules = list(cx.aws, std::slice::from_ref(&id)).await?;
                (id, rules)
            }
        };
        self.converge(cx.aws, &id, &rules).await?;
        Ok(Made::new(&id, self.outputs(&id)))
    }

    /// Goes by the rules as they are now and not as they were: calls are refused as a whole when one
    /// rule of many is there, or gone, already.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let rules = list(cx.aws, &[cx.id.to_owned()]).await?;
        self.converge(cx.aws, cx.id, &rules).await?;
        Ok(Made::new(cx.id, self.outputs(cx.id)))
    }

    fn between(was: &Value, spec: &Value) -> Option<Value> {
        let mut between = None;
        for direction in ["ingress", "egress"] {
            let lists = (was.get(direction), spec.get(direction));
            let (Some(Value::List(old)), Some(Value::List(new))) = lists else { continue };
            let gone = old.iter().filter(|rule| !new.iter().any(|other| same(rule, other)));
            let both: Vec<Value> = new.iter().chain(gone).cloned().collect();
            if both.len() > new.len() {
                between.get_or_insert_with(|| spec.clone()).set(direction, Value::List(both));
            }
        }
        between
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_security_group().group_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

/// Whether two rules let the same traffic through, whatever is said of them.
fn same(one: &Value, other: &Value) -> bool {
    let traffic = |(field, _): &(&String, &Value)| *field != "description";
    one.fields().filter(traffic).eq(other.fields().filter(traffic))
}

impl SecurityGroup {
    fn outputs(&self, id: &str) -> Outputs {
        Outputs { id: id.to_owned(), name: self.name.clone() }
    }

    fn check_texts(&self, check: &mut Check<'_>) {
        if self.name.to_ascii_lowercase().starts_with("sg-") {
            let title = format!("the name `{}` begins with `sg-`", self.name);
            check.error_with("E0223", "name", title, "choose a name that does not look like an id");
        }
        if self.description.is_empty() {
            let title = "a security group needs a description";
            check.error_with("E0223", "description", title, "say what it is for, or leave it out");
        }
        for (field, text) in [("name", &self.name), ("description", &self.description)] {
            // What a reference stands for is not known yet, only what stands around it.
            if let Some(fault) = text_fault(text).filter(|_| !text.contains("${")) {
                let title = format!("a security group's {field} {fault}");
                check.error_with("E0223", field, title, TEXT_HINT);
            }
        }
    }

    /// Makes the group's in-line rules the declared ones. New ones stand before old ones go, so that
    /// traffic which both let through is never cut.
    async fn converge(&self, aws: &Aws, group: &str, rules: &[RuleDescription]) -> Result<()> {
        let directions = [(Direction::Ingress, &self.ingress), (Direction::Egress, &self.egress)];
        for (direction, wanted) in directions {
            let changes = Changes::between(&in_line(rules, direction)?, wanted);
            let group = Group { aws, id: group, direction };
            if !changes.authorize.is_empty() {
                group.authorize(&changes.authorize, None).await.map_err(look_again)?;
            }
            if !changes.describe.is_empty() {
                group.describe(&changes.describe).await.map_err(look_again)?;
            }
            if !changes.revoke.is_empty() {
                group.revoke(changes.revoke).await.map_err(look_again)?;
            }
        }
        Ok(())
    }

    /// The group that has the name already, if an attempt whose reply was lost has made it.
    async fn find_ours(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.ec2.describe_security_groups();
        let call = call.filters(filter("vpc-id", [&self.vpc_id]));
        let found = call.filters(filter("group-name", [&self.name])).send().await?;
        // The listing lags; or the name differs in case, which the filter minds and the create does not.
        let unseen = || {
            let message =
                format!("the name `{}` is taken by a group that is not listed", self.name);
            let hint = "look in the VPC for a group whose name differs in upper and lower case";
            Error::new(Class::Eventual, message).hinted(hint)
        };
        let group = found.security_groups().first().ok_or_else(unseen)?;
        cx.require_ours(&tags::ec2::read(group.tags()))?;
        group.group_id().map(str::to_owned).ok_or_else(|| Error::incomplete("a group's id"))
    }
}

/// The listing of rules lags behind: what it did not show is there, what it showed is gone. The next
/// attempt reads it again.
fn look_again(mut error: Error) -> Error {
    if error.is("InvalidPermission.Duplicate") {
        error.class = Class::Eventual;
        return error.hinted(DECLARED_TWICE);
    }
    if error.is("InvalidSecurityGroupRuleId.NotFound") {
        error.class = Class::Eventual;
    }
    error.while_creating()
}

/// The rules of one direction that belong to the group itself, by id.
fn in_line(rules: &[RuleDescription], of: Direction) -> Result<Vec<(String, Rule)>> {
    let own = rules.iter().filter(|rule| direction(rule) == of && !stands_alone(rule));
    own.map(|rule| Ok((id(rule)?, read(rule)))).collect()
}

/// DescribeSecurityGroups for wanted names that no group of the stack has: those are somebody else's.
async fn under_wanted_names(
    aws: &Aws,
    sought: &Sought<'_>,
    found: &[Description],
) -> Result<Vec<Description>> {
    let found: BTreeSet<_> =
        found.iter().filter_map(|group| Some((group.vpc_id()?, group.group_name()?))).collect();
    let wanted: BTreeSet<_> = sought
        .wanted
        .iter()
        .filter_map(|want| Some((want.spec.text("vpc-id")?, want.spec.text("name")?)))
        .filter(|want| !found.contains(want))
        .collect();
    let vpcs: BTreeSet<&str> = wanted.iter().map(|(vpc, _)| *vpc).collect();
    let names: Vec<&str> = wanted.iter().map(|(_, name)| *name).collect();
    let vpcs = &vpcs;
    let mut groups = batched(&names, FILTER_VALUES, |chunk| async move {
        let call = aws.ec2.describe_security_groups();
        let call = call.filters(filter("vpc-id", vpcs.iter().copied()));
        let call = call.filters(filter("group-name", chunk.iter().copied()));
        let pages = call.into_paginator().page_size(PAGE).items().send();
        pages.try_collect().await.map_err(Error::from)
    })
    .await?;
    groups.retain(|group: &Description| {
        matches!((group.vpc_id(), group.group_name()), (Some(vpc), Some(name)) if wanted.contains(&(vpc, name)))
    });
    Ok(groups)
}

fn observed(group: &Description, rules: &[RuleDescription]) -> Result<Observed<SecurityGroup>> {
    let id = group.group_id().ok_or_else(|| Error::incomplete("a security group's id"))?;
    let set = |direction| -> Result<BTreeSet<Rule>> {
        Ok(in_line(rules, direction)?.into_iter().map(|(_, rule)| rule).collect())
    };
    let live = SecurityGroup {
        name: group.group_name().unwrap_or_default().to_owned(),
        description: group.description().unwrap_or_default().to_owned(),
        vpc_id: group.vpc_id().unwrap_or_default().to_owned(),
        ingress: set(Direction::Ingress)?,
        egress: set(Direction::Egress)?,
    };
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        outputs: live.outputs(id),
        live,
        tags: tags::ec2::read(group.tags()),
        condition: Condition::Ready,
    })
}

fn check_rules(rules: &BTreeSet<Rule>, field: &str, check: &mut Check<'_>) {
    for fault in rules.iter().flat_map(Rule::faults) {
        check.error_with(fault.code, field, fault.title, fault.hint);
    }
    let rules: Vec<&Rule> = rules.iter().collect();
    if (1..rules.len()).any(|at| rules[..at].iter().any(|rule| rule.is_same(rules[at]))) {
        let title = "two rules differ in their description alone";
        check.error_with("E0224", field, title, "leave one of them out: AWS takes them for one");
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Tag;

    use super::*;
    use crate::address::Address;
    use crate::kind::{StackId, TAG_ID};

    fn declared(text: &str) -> SecurityGroup {
        toml::from_str(text).unwrap()
    }

    /// B1, B5: a declaration that says nothing of egress is what AWS makes.
    #[test]
    fn a_new_group_is_the_shortest_declaration() {
        let rule = RuleDescription::builder().security_group_rule_id("sgr-1").is_egress(true);
        let rule = rule.ip_protocol("-1").from_port(-1).to_port(-1).cidr_ipv4("0.0.0.0/0").build();
        let group = Description::builder().group_id("sg-1").vpc_id("vpc-1").group_name("web");
        let group = group.description("managed by ecsctl").build();
        let live = observed(&group, &[rule]).unwrap().live;
        assert_eq!(live, declared("name = 'web'\nvpc-id = 'vpc-1'"));
    }

    #[test]
    fn rules_that_stand_alone_are_not_the_groups() {
        let rule = |id: &str| RuleDescription::builder().security_group_rule_id(id);
        let tag = Tag::builder().key(TAG_ID).value("security-group-rule.peer").build();
        let rules = [rule("sgr-1").ip_protocol("tcp").build(), rule("sgr-2").tags(tag).build()];
        let own = in_line(&rules, Direction::Ingress).unwrap();
        assert_eq!(own.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["sgr-1"]);
        assert_eq!(in_line(&rules, Direction::Egress).unwrap(), []);
    }

    #[test]
    fn names_descriptions_and_rules_are_judged_offline() {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "eu-west-1".into() };
        let address = Address::new("security-group", "web");
        let faults = |text: &str| {
            let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
            declared(text).check(&mut check);
            let line =
                |fault: &crate::diag::Diagnostic| format!("{} {}\n", fault.code, fault.title);
            check.found.iter().map(line).collect::<String>()
        };
        assert_eq!(faults("vpc-id = '${vpc.main.id}'"), "");
        insta::assert_snapshot!(faults(
            "name = 'sg-web'\ndescription = 'naïve'\nvpc-id = 'vpc-1'
             egress = []
             ingress = [
                 { protocol = 'tcp', from-port = 80, to-port = 80, cidr = '0.0.0.0/0' },
                 { protocol = '6', from-port = 80, to-port = 80, cidr = '0.0.0.0/0', description = 'b' },
                 { protocol = 'tcp', from-port = 81, to-port = 80, cidr = '0.0.0.0/0' },
                 { protocol = 'all' },
             ]"
        ), @r"
        E0223 the name `sg-web` begins with `sg-`
        E0223 a security group's description cannot hold `ï`
        E0224 the rule names no peer
        E0222 ports 81 to 80 run backwards
        E0224 two rules differ in their description alone
        ");
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<SecurityGroup>(
            "name = 'web'
             vpc-id = '${vpc.main.id}'
             ingress = [{ protocol = 'TCP', from-port = 80, to-port = 80, cidr = '10.0.0.9/8' }]",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "name": "web",
          "description": "managed by ecsctl",
          "vpc-id": "${vpc.main.id}",
          "ingress": [
            {
              "protocol": "tcp",
              "from-port": 80,
              "to-port": 80,
              "cidr": "10.0.0.0/8"
            }
          ],
          "egress": [
            {
              "protocol": "all",
              "cidr": "0.0.0.0/0"
            }
          ]
        }
        "#);
    }
}
