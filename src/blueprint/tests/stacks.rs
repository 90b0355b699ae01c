//! Several services, HTTPS, declarations by hand.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{addresses, example, load, made, show};
use crate::address::Path;
use crate::blueprint::urls;

#[test]
fn services_share_a_load_balancer_and_reach_each_other() {
    let declarations = made(&example("shop/ecsctl.toml", None));
    insta::assert_snapshot!(addresses(&declarations), @"
    cluster: main
    elastic-ip: nat-a
    internet-gateway: main
    listener: main-http
    listener-rule: api web
    load-balancer: main
    log-group: api cache web
    namespace: main
    nat-gateway: a
    role: api-execution api-task cache-execution cache-task cache-volumes web-execution web-task
    route-table: private public
    security-group: alb-main api cache web
    security-group-rule: api-from-web-tcp-8080 cache-from-api-tcp-6379
    service: api cache web
    subnet: private-a private-b public-a public-b
    target-group: api web
    task-definition: api cache web
    vpc: main
    40 in all
    ");
    let priority = |name: &str| {
        let rule = declarations
            .iter()
            .find(|one| one.address.kind == "listener-rule" && one.address.name == name);
        rule.unwrap().spec["priority"].as_u64().unwrap()
    };
    assert_eq!(priority("api"), 10, "as it is written");
    assert!(priority("web") > 1000, "behind the user's own");
}

#[test]
fn a_certificate_makes_https_and_a_redirect() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [alb.main]
            certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/0"
            [service.web]
            image = "web"
            port = 3000
        "#,
        None,
    );
    let declarations = made(&document);
    insta::assert_snapshot!(show(&declarations, "listener.main-http"), @r#"
    default-action.redirect.port = "443"
    default-action.redirect.protocol = "HTTPS"
    default-action.redirect.status = 301
    load-balancer-arn = "${load-balancer.main.arn}"
    port = 80
    protocol = "HTTP"
    "#);
    insta::assert_snapshot!(show(&declarations, "listener.main-https"), @r#"
    certificate-arn = "arn:aws:acm:eu-west-1:123456789012:certificate/0"
    default-action.fixed-response.body = "no service answers here"
    default-action.fixed-response.content-type = "text/plain"
    default-action.fixed-response.status = 404
    load-balancer-arn = "${load-balancer.main.arn}"
    port = 443
    protocol = "HTTPS"
    ssl-policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    certificate-arn <- alb.main.certificate
    "#);
    let rule = show(&declarations, "listener-rule.web");
    assert!(rule.contains("${listener.main-https.arn}"), "{rule}");
    assert_eq!(urls(&document.0)["url"], "https://${load-balancer.main.dns}");
}

#[test]
fn what_is_written_by_hand_is_laid_over() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [service.worker]
            image = "acme/worker:1.4"
            [aws.service.worker]
            enable-ecs-managed-tags = true
            deployment.maximum-percent = 150
            [aws.log-group.audit]
            retention-in-days = 365
        "#,
        None,
    );
    let declarations = made(&document);
    let worker = declarations.iter().find(|one| one.address.kind == "service").unwrap();
    assert_eq!(worker.spec["enable-ecs-managed-tags"], true);
    assert_eq!(worker.spec["deployment"]["maximum-percent"], 150);
    assert_eq!(worker.spec["deployment"]["minimum-healthy-percent"], 100, "the rest stays");
    assert_eq!(
        worker.origin(&Path::of(["deployment", "maximum-percent"])).to_string(),
        "aws.service.worker.deployment.maximum-percent"
    );
    let audit = show(&declarations, "log-group.audit");
    insta::assert_snapshot!(audit, @"
    retention-in-days = 365
    retention-in-days <- aws.log-group.audit.retention-in-days
    ");
}

#[test]
fn priorities_do_not_depend_on_other_services() {
    let spec = |names: &[&str]| {
        let services = names.iter().map(|name| {
            format!("[service.{name}]\nimage = \"i\"\nport = 80\nhttp = \"/{name}/*\"\n")
        });
        load(&format!("ecsctl = 1\nstack = \"shop\"\n{}", services.collect::<String>()), None)
    };
    let priorities = |names: &[&str]| -> BTreeMap<String, Json> {
        let declarations = made(&spec(names));
        let rules = declarations.into_iter().filter(|one| one.address.kind == "listener-rule");
        rules.map(|mut rule| (rule.address.name, rule.spec["priority"].take())).collect()
    };
    let few = priorities(&["api", "web"]);
    let many = priorities(&["admin", "api", "beta", "docs", "search", "web"]);
    assert!(few.iter().all(|(name, priority)| many[name] == *priority), "{few:?} {many:?}");
}

#[test]
fn domains_make_a_certificate_records_and_host_rules() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [alb.main]
            domain = "shop.example.com"
            [service.web]
            image = "web"
            port = 3000
            [service.api]
            image = "api"
            port = 3000
            domain = ["*.api.example.com", "api.example.com", "shop.example.com"]
        "#,
        None,
    );
    let declarations = made(&document);
    insta::assert_snapshot!(show(&declarations, "certificate.main"), @r#"
    names = ["*.api.example.com","api.example.com","shop.example.com"]
    validated-by = "route-53"
    names <- alb.main.domain
    "#);
    insta::assert_snapshot!(show(&declarations, "dns-record.main-any-api-example-com"), @r#"
    alias.dns-name = "${load-balancer.main.dns}"
    alias.zone-id = "${load-balancer.main.zone-id}"
    name = "*.api.example.com"
    type = "A"
    name <- service.api.domain
    "#);
    let named = addresses(&declarations);
    let records = named.lines().find(|line| line.starts_with("dns-record")).unwrap();
    insta::assert_snapshot!(records, @"dns-record: main-any-api-example-com main-api-example-com main-shop-example-com");
    let https = show(&declarations, "listener.main-https");
    assert!(https.contains("certificate-arn = \"${certificate.main.arn}\""), "{https}");
    let rule = show(&declarations, "listener-rule.api");
    assert!(rule.contains("conditions.hosts <- service.api.domain"), "{rule}");
    assert!(!show(&declarations, "listener-rule.web").contains("hosts"));
    let url = "https://${dns-record.main-shop-example-com.name}";
    assert_eq!(urls(&document.0)["url"], url);
}

/// Whoever has a certificate keeps it; the records are made all the same.
#[test]
fn a_given_certificate_is_shown_for_domains() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [alb.edge]
            certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/0"
            [service.web]
            image = "web"
            port = 3000
            domain = "shop.example.com"
        "#,
        None,
    );
    let declarations = made(&document);
    assert!(declarations.iter().all(|one| one.address.kind != "certificate"));
    let record = show(&declarations, "dns-record.edge-shop-example-com");
    assert!(record.contains("${load-balancer.edge.dns}"), "{record}");
    assert!(show(&declarations, "listener.edge-https").contains(":certificate/0\""));
}

#[test]
fn services_run_on_instances() {
    let declarations = made(&example("batch/ecsctl.toml", None));
    let of = |address: &str| {
        let found = declarations.iter().find(|one| one.address.to_string() == address);
        &found.unwrap_or_else(|| panic!("no {address}")).spec
    };
    let template = of("launch-template.general");
    let image = template["image-id"].as_str().unwrap();
    assert!(image.ends_with("amazon-linux-2023/arm64/recommended/image_id"), "{image}");
    insta::assert_snapshot!(template["user-data"].as_str().unwrap(), @r#"
    #!/bin/bash
    cat >> /etc/ecs/ecs.config <<'END'
    ECS_CLUSTER=${cluster.main.name}
    ECS_INSTANCE_ATTRIBUTES={"ecsctl.capacity":"general"}
    ECS_ENABLE_TASK_IAM_ROLE=true
    ECS_RESERVED_MEMORY=128
    END
    "#);
    let instances = of("auto-scaling-group.general");
    assert_eq!(instances["spot-percentage"], 80);
    assert_eq!(instances.get("desired-capacity"), None, "the capacity provider holds it");
    // In bridge mode the instances are the targets, at any of the ephemeral ports.
    assert_eq!(of("target-group.worker")["target-type"], "instance");
    assert_eq!(of("service.worker").get("network"), None);
    let ingress = &of("security-group.capacity-general")["ingress"];
    assert_eq!(ingress[0]["security-group"], "${security-group.alb-main.id}");
    assert_eq!((&ingress[0]["from-port"], &ingress[0]["to-port"]), (&32768.into(), &65535.into()));
    let container = &of("task-definition.worker")["containers"]["worker"];
    assert_eq!(
        (&container["memory-reservation"], &container["memory"]),
        (&256.into(), &512.into())
    );
    assert_eq!(container["ports"][0].get("host-port"), None);
    // With an address of its own a task has a security group of its own, on instances as on Fargate.
    let store = of("security-group-rule.store-from-capacity-general-tcp-6379");
    assert_eq!(store["security-group"], "${security-group.capacity-general.id}");
    assert_eq!(of("service.store")["network"]["assign-public-ip"], false);
    let daemon = of("service.xray");
    assert_eq!(daemon["scheduling-strategy"], "DAEMON");
    assert_eq!(daemon.get("desired-count"), None);
    assert_eq!(of("task-definition.xray")["containers"]["xray"]["ports"][0]["host-port"], 2000);
    assert_eq!(of("task-definition.xray")["runtime-platform"]["cpu-architecture"], "ARM64");
    let fargate = of("service.web")["capacity-provider-strategy"].clone();
    assert_eq!(fargate[0]["capacity-provider"], "FARGATE");
}

/// Which endpoints there are, and who may use them.
#[test]
fn endpoints_lead_to_what_the_stack_needs() {
    let declarations = made(&example("private/ecsctl.toml", None));
    let endpoints = declarations.iter().filter(|one| one.address.kind == "vpc-endpoint");
    let endpoints: Vec<&str> = endpoints.map(|one| one.address.name.as_str()).collect();
    let (of_tasks, asked) = (["ecr-api", "ecr-dkr", "logs", "s3"], ["dynamodb", "sqs"]);
    let of_services = ["secretsmanager", "ssm", "ssmmessages"];
    let mut all = [of_tasks.as_slice(), &asked, &of_services].concat();
    all.sort_unstable();
    assert_eq!(endpoints, all);
    insta::assert_snapshot!(show(&declarations, "vpc-endpoint.ecr-api"), @r#"
    private-dns-enabled = true
    security-groups = ["${security-group.endpoints.id}"]
    service-name = "com.amazonaws.${aws.region}.ecr.api"
    subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    type = "interface"
    vpc-id = "${vpc.main.id}"
    "#);
    insta::assert_snapshot!(show(&declarations, "vpc-endpoint.s3"), @r#"
    route-tables = ["${route-table.private.id}"]
    service-name = "com.amazonaws.${aws.region}.s3"
    type = "gateway"
    vpc-id = "${vpc.main.id}"
    "#);
    let group = show(&declarations, "security-group.endpoints");
    let lets_in = |name: &str| group.contains(&format!("${{security-group.{name}.id}}"));
    assert!(lets_in("web") && lets_in("mailer") && !lets_in("alb-main"), "{group}");
    assert!(declarations.iter().all(|one| one.address.kind != "nat-gateway"));
}

/// Instances need more, and protected environments no shells.
#[test]
fn endpoints_follow_the_sections() {
    let of = |text: &str| {
        let head = "ecsctl = 1\nstack = \"s\"\n[network]\nnat = \"endpoints\"\n";
        let declarations = made(&load(&format!("{head}{text}"), None));
        let endpoints = declarations.iter().filter(|one| one.address.kind == "vpc-endpoint");
        endpoints.map(|one| one.address.name.clone()).collect::<Vec<_>>().join(" ")
    };
    let web = "[repo.r]\n[service.web]\nimage = \"${repo.r}:1\"\nexec = false\n";
    assert_eq!(of("[repo.r]"), "");
    assert_eq!(of(web), "ecr-api ecr-dkr logs s3");
    let traced = format!("{web}xray = true\ncontainer.xray-daemon.image = \"${{repo.r}}:xray\"\n");
    assert_eq!(of(&traced), "ecr-api ecr-dkr logs s3 xray");
    let pool = "capacity = \"own\"\n[capacity.own]\ntype = \"ec2\"\ninstances = [\"m7g.large\"]\n";
    let on_instances = of(&format!("{web}{pool}"));
    assert_eq!(on_instances, "ecr-api ecr-dkr ecs ecs-agent ecs-telemetry logs s3");
}

/// With NAT an endpoint is a shorter way.
#[test]
fn gateways_go_with_nat() {
    let text = "ecsctl = 1\nstack = \"s\"\n[network]\nnat = \"per-az\"\nendpoints = [\"s3\"]\n";
    let declarations = made(&load(text, None));
    let tables = "route-tables = [\"${route-table.private-a.id}\",\"${route-table.private-b.id}\"]";
    assert!(show(&declarations, "vpc-endpoint.s3").contains(tables));
    assert!(declarations.iter().all(|one| one.address.kind != "security-group"));
}

/// Nothing of somebody else's network is declared, and everything stands in it.
#[test]
fn a_network_that_exists_already_is_only_mentioned() {
    let declarations = made(&example("existing-network/ecsctl.toml", None));
    insta::assert_snapshot!(addresses(&declarations), @"
    cluster: main
    listener: main-http
    listener-rule: web
    load-balancer: main
    log-group: web worker
    role: web-execution web-task worker-execution worker-task
    security-group: alb-main web worker
    service: web worker
    target-group: web
    task-definition: web worker
    18 in all
    ");
    let balancer = show(&declarations, "load-balancer.main");
    assert!(balancer.contains("vpc-id = \"vpc-0123456789abcdef0\""), "{balancer}");
    assert!(balancer.contains("\"subnet-0a00000000000000a\",\"subnet-0b00000000000000b\""));
    let service = show(&declarations, "service.web");
    assert!(service.contains("\"subnet-0c00000000000000c\",\"subnet-0d00000000000000d\""));
    assert!(service.contains("network.assign-public-ip = false"), "{service}");
    let all: String = declarations.iter().map(|one| one.spec.to_string()).collect();
    assert!(!all.contains("${vpc."), "{all}");
}

/// B23: an image is looked up once, for all that it runs on, unless somebody says otherwise.
#[test]
fn private_images_are_looked_up_unless_told_otherwise() {
    let text = "ecsctl = 1\nstack = \"s\"\n[repo.r]\n\
        [service.a]\nimage = \"${repo.r}:1\"\narch = \"arm64\"\n\
        [service.a.container.side]\nimage = \"${repo.r}:2\"\npin = false\n\
        [service.b]\nimage = \"${repo.r}:1\"\n\
        [service.c]\nimage = \"${repo.r}:3\"\npin = false\n\
        [service.c.container.side]\nimage = \"${repo.r}:4\"\npin = true\n\
        [task.t]\nimage = \"${repo.r}:5\"\npin = false\n";
    let declarations = made(&load(text, None));
    let images = declarations.iter().filter(|one| one.address.kind == "image");
    let told = images.map(|one| format!("{} {}", one.address.name, one.spec["platforms"]));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    r-1 ["linux/amd64","linux/arm64"]
    r-4 ["linux/amd64"]
    "#);
}

/// Logs through a sidecar: the options of the driver that is given up go with it.
#[test]
fn options_of_a_driver_go_with_it() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [service.web]
            image = "web:1"
            [aws.task-definition.web.containers.router]
            image = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
            firelens = { type = "fluentbit" }
            [aws.task-definition.web.containers.web.log-configuration]
            driver = "awsfirelens"
            options = { Name = "cloudwatch_logs" }
            [service.api]
            image = "api:1"
            [aws.task-definition.api.containers.api.log-configuration]
            driver = "awslogs"
            options = { awslogs-stream-prefix = "other" }
        "#,
        None,
    );
    let declarations = made(&document);
    let web = show(&declarations, "task-definition.web");
    assert!(web.contains("log-configuration.options.Name"), "{web}");
    assert!(!web.contains("log-configuration.options.awslogs-group ="), "{web}");
    let api = show(&declarations, "task-definition.api");
    assert!(api.contains("log-configuration.options.awslogs-group ="), "{api}");
    assert!(api.contains("log-configuration.options.awslogs-stream-prefix = \"other\""), "{api}");
}
