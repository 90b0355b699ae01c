//! Services that are found by DNS.

use super::{addresses, example, load, made, show};

#[test]
fn a_service_has_a_name_in_a_zone_of_the_stack() {
    let declarations = made(&example("discovery/ecsctl.toml", None));
    insta::assert_snapshot!(show(&declarations, "dns-namespace.main"), @r#"vpc-id = "${vpc.main.id}""#);
    insta::assert_snapshot!(show(&declarations, "discovery-service.api"), @r#"
    name = "api"
    namespace = "${dns-namespace.main.arn}"
    records = ["A"]
    ttl = 5
    name <- service.api.discover.name
    namespace <- service.api.discover
    records <- service.api.discover.record
    ttl <- service.api.discover.ttl
    "#);
    let service = show(&declarations, "service.api");
    let registry = r#"service-registries = [{"registry-arn":"${discovery-service.api.arn}"}]"#;
    assert!(service.contains(registry), "{service}");
    // Each looks for the other, and neither comes first. Through Service Connect one would.
    assert!(!show(&declarations, "service.web").contains("after ="));
    assert!(service.contains(r#"after = ["${service.cache.arn}"]"#), "{service}");
}

/// Services take the name of Service Connect, if there is one; nobody else can.
#[test]
fn who_has_both_names_is_found_by_both() {
    let declarations = made(&example("discovery/ecsctl.toml", None));
    let task = show(&declarations, "task-definition.api");
    assert!(task.contains(r#"environment.CACHE = "cache:6379""#), "{task}");
    let web =
        r#"environment.WEB = "http://${discovery-service.web.name}.${dns-namespace.main.name}:80""#;
    assert!(task.contains(web), "{task}");
    let task = show(&declarations, "task-definition.report");
    let host =
        r#"environment.CACHE = "${discovery-service.cache.name}.${dns-namespace.main.name}""#;
    assert!(task.contains(host), "{task}");
}

/// Whoever mentions a name is let in, and nobody else.
#[test]
fn doors_are_open_to_who_asks() {
    let declarations = made(&example("discovery/ecsctl.toml", None));
    let all = addresses(&declarations);
    let rules = all.lines().filter(|line| line.contains("security-group-rule"));
    insta::assert_snapshot!(rules.collect::<Vec<_>>().join("\n"), @"security-group-rule: api-from-web-tcp-8080 cache-from-api-tcp-6379 cache-from-report-tcp-6379 web-from-api-tcp-80");
    insta::assert_snapshot!(show(&declarations, "security-group-rule.cache-from-report-tcp-6379"), @r#"
    description = "task report"
    direction = "ingress"
    from-port = 6379
    protocol = "tcp"
    security-group = "${security-group.report.id}"
    security-group-id = "${security-group.cache.id}"
    to-port = 6379
    security-group <- service.cache.from
    "#);
}

#[test]
fn tasks_of_instances_have_hosts_and_ports() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            network.domain = "shop.test"
            [capacity.general]
            type = "ec2"
            instances = ["t3.medium"]
            [service.cache]
            image = "valkey"
            port = 6379
            public = false
            capacity = "general"
            network-mode = "bridge"
            discover = { name = "redis", ttl = "1m" }
            [service.web]
            image = "web"
            public = false
            env.CACHE = "_srv://${service.cache.host}"
            [daemon.agent]
            image = "agent"
            env.CACHE = "${service.cache.host}"
        "#,
        None,
    );
    let declarations = made(&document);
    insta::assert_snapshot!(show(&declarations, "dns-namespace.main"), @r#"
    name = "shop.test"
    vpc-id = "${vpc.main.id}"
    name <- network.domain
    "#);
    insta::assert_snapshot!(show(&declarations, "discovery-service.cache"), @r#"
    name = "redis"
    namespace = "${dns-namespace.main.arn}"
    records = ["SRV"]
    ttl = 60
    name <- service.cache.discover.name
    namespace <- service.cache.discover
    records <- service.cache.discover.record
    ttl <- service.cache.discover.ttl
    "#);
    let service = show(&declarations, "service.cache");
    let registry = r#"service-registries = [{"container-name":"cache","container-port":6379,"registry-arn":"${discovery-service.cache.arn}"}]"#;
    assert!(service.contains(registry), "{service}");
    let task = show(&declarations, "task-definition.web");
    assert!(
        task.contains("_srv://${discovery-service.cache.name}.${dns-namespace.main.name}"),
        "{task}"
    );
    let all = addresses(&declarations);
    let rules = all.lines().filter(|line| line.contains("security-group-rule"));
    insta::assert_snapshot!(rules.collect::<Vec<_>>().join("\n"), @"security-group-rule: capacity-general-from-capacity-general-tcp-32768 capacity-general-from-web-tcp-32768");
}

#[test]
fn nobody_is_found_and_nothing_is_made_for_it() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [service.web]
            image = "web"
            port = 80
            discover = false
        "#,
        None,
    );
    let all = addresses(&made(&document));
    assert!(!all.contains("discovery-service") && !all.contains("dns-namespace"), "{all}");
}
