//! `[service.x.route.y]` and `[nlb.x]`: what they come to.

use super::{addresses, example, load, made, show};
use crate::blueprint::urls;

const HEAD: &str = "ecsctl = 1\nstack = \"s\"\nregion = \"eu-west-1\"\n";

#[test]
fn the_broker_has_all_sorts_of_target_groups() {
    let (document, options) = example("mqtt/ecsctl.toml", None);
    let all = made(&(document.clone(), options));
    let of = |kinds: &[&str]| {
        let lines = addresses(&all);
        let wanted = |line: &&str| kinds.iter().any(|kind| line.starts_with(&format!("{kind}:")));
        lines.lines().filter(wanted).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(of(&["load-balancer", "target-group", "listener", "listener-rule", "certificate", "dns-record"]), @"");
    insta::assert_snapshot!(show(&all, "load-balancer.nlb-main"), @"");
    insta::assert_snapshot!(show(&all, "security-group.nlb-main"), @"");
    insta::assert_snapshot!(show(&all, "target-group.broker-coap"), @"");
    insta::assert_snapshot!(show(&all, "target-group.broker-secure"), @"");
    insta::assert_snapshot!(show(&all, "listener.broker-secure"), @"");
    insta::assert_snapshot!(show(&all, "security-group.broker"), @"");
    insta::assert_snapshot!(show(&all, "listener-rule.broker-metrics"), @"");
    insta::assert_snapshot!(show(&all, "listener-rule.dashboard"), @"");
    let urls = urls(&document).into_iter().map(|(name, url)| format!("{name} {url}"));
    insta::assert_snapshot!(urls.collect::<Vec<_>>().join("\n"), @"");
}

/// The service registers with each of its target groups, in the order of their names.
#[test]
fn a_service_has_a_target_group_for_each_route() {
    let all = made(&example("mqtt/ecsctl.toml", None));
    let shown = show(&all, "service.broker");
    let own = shown
        .lines()
        .filter(|line| line.starts_with("load-balancers") || line.starts_with("health"));
    insta::assert_snapshot!(own.collect::<Vec<_>>().join("\n"), @"");
    let shown = show(&all, "task-definition.broker");
    let own = shown.lines().filter(|line| line.contains(".ports"));
    insta::assert_snapshot!(own.collect::<Vec<_>>().join("\n"), @"");
}

/// Requests and alarms are counted where `http` is, or the only route of its sort; who takes connections has tasks
/// that are healthy, too.
#[test]
fn what_is_counted_is_of_one_target_group() {
    let counted = |more: &str| {
        let text = format!("{HEAD}[service.web]\nimage = \"i\"\nport = 80\n{more}");
        let expansion =
            crate::blueprint::expand(&load(&text, None).0, Default::default(), &Default::default());
        let faults = expansion.faults.iter().map(super::line);
        let alarms = expansion.declarations.iter().filter(|one| one.address.kind == "alarm");
        let alarms = alarms.map(|one| {
            format!(
                "{} {} {}",
                one.address.name, one.spec["namespace"], one.spec["dimensions"]["TargetGroup"]
            )
        });
        faults.chain(alarms).collect::<Vec<_>>().join("\n")
    };
    let errors = "alarms.errors = 1\n";
    let tcp = "[service.web.route.feed]\ntcp = 9000\n";
    let admin = "[service.web.route.admin]\npath = \"/admin\"\n";
    insta::assert_snapshot!(counted(&format!("http = \"/*\"\n{errors}{tcp}{admin}")), @"");
    insta::assert_snapshot!(counted(&format!("{errors}{tcp}{admin}")), @"");
    insta::assert_snapshot!(counted(&format!("{errors}{tcp}")), @"");
    insta::assert_snapshot!(counted(&format!("alarms.unhealthy = 1\n{tcp}")), @"");
    insta::assert_snapshot!(counted(&format!("{errors}{admin}[service.web.route.more]\npath = \"/more\"\n")), @"");
}

/// Who asks for more comes first; who asks for the same and shares it has one rule.
#[test]
fn rules_stand_in_the_order_of_what_they_ask_for() {
    let text = format!(
        "{HEAD}[service.a]\nimage = \"i\"\nport = 80\n[service.b]\nimage = \"i\"\nport = 80\n\
         http = {{ headers = {{ X-Beta = [\"yes\"] }} }}\n[service.c]\nimage = \"i\"\nport = 80\nhttp = \"/c/*\"\n"
    );
    let all = made(&load(&text, None));
    let rules = all.iter().filter(|one| one.address.kind == "listener-rule");
    let mut rules: Vec<_> =
        rules.map(|one| (one.spec["priority"].as_u64(), one.address.name.clone())).collect();
    rules.sort();
    let names: Vec<&str> = rules.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a"], "{rules:?}");
}

/// On instances a network load balancer leads to any of their ephemeral ports; and the logs lie where it is said.
#[test]
fn on_instances_and_with_logs() {
    let text = format!(
        "{HEAD}[capacity.own]\ntype = \"ec2\"\ninstances = [\"t3.small\"]\n\
         [alb.main]\nlogs = \"s3://my-logs/web\"\n[nlb.edge]\npublic = false\nlogs = \"s3://my-logs\"\n\
         [service.web]\nimage = \"i\"\nport = 80\ncapacity = \"own\"\nnetwork-mode = \"bridge\"\n\
         env.EDGE = \"${{nlb.edge.dns}}\"\n[service.web.route.feed]\ntcp = 9000\n"
    );
    let all = made(&load(&text, None));
    insta::assert_snapshot!(show(&all, "security-group.capacity-own"), @"");
    insta::assert_snapshot!(show(&all, "load-balancer.nlb-edge"), @"");
    insta::assert_snapshot!(show(&all, "load-balancer.main"), @"");
    insta::assert_snapshot!(show(&all, "target-group.web-feed"), @"");
    let shown = show(&all, "task-definition.web");
    let edge = shown.lines().find(|line| line.contains("EDGE"));
    insta::assert_snapshot!(edge.unwrap(), @"");
}
