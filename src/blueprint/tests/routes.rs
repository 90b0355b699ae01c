//! `[service.x.route.y]` and `[nlb.x]`: what they come to.

use std::collections::BTreeMap;

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
    insta::assert_snapshot!(of(&["load-balancer", "target-group", "listener", "listener-rule", "certificate", "dns-record"]), @"
    certificate: nlb-main
    dns-record: nlb-main-mqtt-example-com
    listener: broker-coap broker-plain broker-secure main-http
    listener-rule: broker-metrics dashboard
    load-balancer: main nlb-main
    target-group: broker-coap broker-metrics broker-plain broker-secure dashboard dashboard-next
    ");
    let urls = urls(&document).into_iter().map(|(name, url)| format!("{name} {url}"));
    insta::assert_snapshot!(urls.collect::<Vec<_>>().join("\n"), @"
    url http://${load-balancer.main.dns}
    url-broker-coap udp://${dns-record.nlb-main-mqtt-example-com.name}:5683
    url-broker-plain tcp://${dns-record.nlb-main-mqtt-example-com.name}:1883
    url-broker-secure tls://${dns-record.nlb-main-mqtt-example-com.name}:8883
    ");
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
    let shown = show(&all, "task-definition.web");
    assert!(shown.contains("EDGE = \"${load-balancer.nlb-edge.dns}\""), "{shown}");
    let shown = show(&all, "security-group.capacity-own");
    assert!(shown.contains("${security-group.nlb-edge.id}"), "{shown}");
    let shown = show(&all, "load-balancer.main");
    assert!(shown.contains("access-logs.bucket = \"my-logs\""), "{shown}");
    let shown = show(&all, "target-group.web-feed");
    assert!(shown.contains("target-type = \"instance\""), "{shown}");
}

/// In how many zones load balancers need subnets: what needs most decides.
#[test]
fn load_balancers_of_an_existing_network_need_zones() {
    const STACK: &str = r#"
ecsctl = 1
stack = "tenant"
network.vpc = { tags = { Name = "prod" } }
network.subnets.public.tags = { Tier = "public" }
network.subnets.private.tags = { Tier = "private" }
"#;
    let zones = |text: &str| {
        let (document, _) = load(&format!("{STACK}{text}"), None);
        crate::blueprint::given(&document).expect("an existing network").balanced
    };
    let tcp = "[nlb.tcp]\n[service.broker]\nimage = \"b:1\"\n\
               route.tcp = { nlb = \"tcp\", tcp = 1883 }\n";
    let public = |zones| BTreeMap::from([("public".to_owned(), zones)]);
    assert_eq!(zones(""), BTreeMap::new());
    assert_eq!(zones(tcp), public(1));
    assert_eq!(zones(&format!("{tcp}[service.web]\nimage = \"w:1\"\nport = 80\n")), public(2));
}

/// AWS takes five values in a rule: none is spent on what all requests have.
#[test]
fn conditions_leave_out_what_says_nothing() {
    let beta = "[service.web]\nimage = \"web:1\"\nport = 80\n[service.web.route.beta]\n\
                queries = [\"a=1\"]\nheaders = { X-A = [\"1\", \"2\"] }\nmethods = [\"GET\", \"HEAD\"]\n";
    let document = load(&format!("{HEAD}{beta}"), None);
    let rule = show(&made(&document), "listener-rule.web-beta");
    assert!(rule.contains("conditions.methods"), "{rule}");
    assert!(!rule.contains("conditions.paths ="), "{rule}");
}
