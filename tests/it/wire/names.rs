//! Services that are found by DNS: namespaces with a zone, names in them, and the tasks behind the names.

use serde_json::{Value as Json, json};

use super::life::{Life, RUNNING, only_lookups_refused};
use crate::harness::Session;

const VPC: &str = "\n[aws.vpc.main]\ncidr = \"10.0.0.0/16\"\n";
const ZONE: &str = "\n[aws.dns-namespace.main]\nvpc-id = \"${vpc.main.id}\"\n";
const NAME: &str = "\n[aws.discovery-service.web]\nname = \"web\"\n\
                    namespace = \"${dns-namespace.main.arn}\"\nrecords = [\"A\"]\n";

/// The zones of Route 53, which come and go with their namespaces.
fn zones(session: &Session) -> Vec<String> {
    session.behind_its_back(async |aws| {
        let found = aws.dns.list_hosted_zones().send().await.expect("zones");
        found.hosted_zones().iter().map(|zone| zone.name().to_owned()).collect()
    })
}

/// The tasks behind a name.
fn instances(session: &Session, name: &str) -> Vec<Json> {
    let named = session.objects().into_iter();
    let mut named = named.filter(|one| one.kind == "discovery-service" && one.id == name);
    let id = named.next().expect("a name").arn;
    let id = id.rsplit('/').next().expect("an id").to_owned();
    session.behind_its_back(async |aws| {
        let found = aws.discovery.list_instances().service_id(id).send().await.expect("instances");
        let attributes = |one: &aws_sdk_servicediscovery::types::InstanceSummary| {
            json!(one.attributes().cloned().unwrap_or_default())
        };
        found.instances().iter().map(attributes).collect()
    })
}

#[test]
fn dns_namespace() {
    let life = Life::begin(&format!("{VPC}{ZONE}"));
    let address = "dns-namespace.main";
    assert_eq!(zones(&life.session), ["life-default.internal."]);
    life.changes(
        address,
        &[("dns-namespace.main]\n", "dns-namespace.main]\ndescription = \"shop\"\n")],
        &["UpdatePrivateDnsNamespace"],
    );
    let arn = life.object(address).arn;
    life.drifts("update dns-namespace.main", async |aws| {
        let call = aws.discovery.untag_resource().resource_arn(&arn).tag_keys("Name");
        call.send().await.expect("a change");
    });
    life.drifts("update dns-namespace.main", async |aws| {
        let change = aws_sdk_servicediscovery::types::PrivateDnsNamespaceChange::builder();
        let id = arn.rsplit('/').next().expect("an id");
        let call = aws.discovery.update_private_dns_namespace().id(id);
        call.namespace(change.description("mine").build()).send().await.expect("a change");
        std::thread::sleep(std::time::Duration::from_millis(500));
    });
    life.replaces(
        address,
        &[("description", "name = \"shop.test\"\ndescription")],
        &["CreatePrivateDnsNamespace", "DeleteNamespace"],
    );
    // With its VPC: the new zone is known in the new one.
    life.replaces(
        address,
        &[("10.0.0.0/16", "10.1.0.0/16")],
        &["CreateVpc", "CreatePrivateDnsNamespace", "DeleteNamespace"],
    );
    let session = life.ends();
    assert_eq!(zones(&session), [""; 0]);
}

#[test]
fn discovery_service() {
    let life = Life::begin(&format!("{VPC}{ZONE}{NAME}"));
    let address = "discovery-service.web";
    life.changes(address, &[("records =", "ttl = 5\nrecords =")], &["UpdateService"]);
    life.changes(address, &[("ttl = 5", "description = \"x\"\nttl = 5")], &["UpdateService"]);
    let arn = life.object(address).arn;
    life.drifts("update discovery-service.web", async |aws| {
        let call = aws.discovery.untag_resource().resource_arn(&arn).tag_keys("Name");
        call.send().await.expect("a change");
    });
    life.drifts("create discovery-service.web", async |aws| {
        let id = arn.rsplit('/').next().expect("an id");
        aws.discovery.delete_service().id(id).send().await.expect("a change");
    });
    // The same name with other records: the old one goes first.
    life.replaces(
        address,
        &[("[\"A\"]", "[\"A\", \"AAAA\"]")],
        &["DeleteService", "CreateService"],
    );
    life.replaces(address, &[("\"web\"", "\"shop\"")], &["CreateService", "DeleteService"]);
    life.replaces(
        address,
        &[("records =", "routing-policy = \"WEIGHTED\"\ncustom-health-check = false\nrecords =")],
        &["DeleteService", "CreateService"],
    );
    // With its namespace.
    life.replaces(
        address,
        &[("dns-namespace.main]\n", "dns-namespace.main]\nname = \"shop.test\"\n")],
        &["CreatePrivateDnsNamespace", "CreateService", "DeleteService", "DeleteNamespace"],
    );
    life.ends();
}

/// B7: a service joins a name, and leaves it, in place; and its tasks are there when the rollout is done.
#[test]
fn b7_a_service_has_a_name() {
    let second = NAME.replace("-service.web", "-service.shop").replace("\"web\"", "\"shop\"");
    let life = Life::begin(&format!("{RUNNING}{ZONE}{NAME}{second}"));
    let joined = |name: &str| {
        format!(
            "desired-count = 1\nservice-registries = [{{ registry-arn = \
             \"${{discovery-service.{name}.arn}}\" }}]\n"
        )
    };
    let service = "service.web";
    life.changes(service, &[("desired-count = 1\n", &joined("web"))], &["UpdateService"]);
    let there = instances(&life.session, "web");
    assert_eq!(there.len(), 1);
    assert!(there[0]["AWS_INSTANCE_IPV4"].as_str().is_some_and(|it| it.starts_with("10.0.")));
    life.changes(service, &[(&joined("web"), &joined("shop"))], &["UpdateService"]);
    assert_eq!(instances(&life.session, "shop").len(), 1);
    assert_eq!(instances(&life.session, "web"), [json!(null); 0]);
    let arn = life.object(service).arn;
    life.drifts("update service.web", async |aws| {
        let cluster = arn.split('/').nth(1).expect("a service's ARN names its cluster");
        let call = aws.ecs.update_service().cluster(cluster).service(&arn);
        call.set_service_registries(Some(Vec::new())).send().await.expect("a change");
    });
    life.changes(service, &[(&joined("shop"), "desired-count = 1\n")], &["UpdateService"]);
    life.ends();
}

/// What DNS says of tasks without addresses of their own: hosts and ports.
#[test]
fn tasks_on_instances_have_hosts_and_ports() {
    let spec = r#"
[network]
mode = "public"

[capacity.general]
type      = "ec2"
instances = ["t3.medium"]

[service.web]
image        = "httpd:2.4"
port         = 80
public       = false
capacity     = "general"
network-mode = "bridge"
discover     = "site"
"#;
    let life = Life::begin(spec);
    let found = instances(&life.session, "site");
    assert_eq!(found.len(), 1);
    let port = found[0]["AWS_INSTANCE_PORT"].as_str().expect("a port").parse::<u16>();
    assert!(port.is_ok_and(|port| port >= 32768), "{found:?}");
    life.ends();
}

/// ECS takes tasks out of Cloud Map some time after they have stopped: until then the name cannot go, and is
/// waited for.
#[test]
fn b26_a_name_goes_when_its_tasks_are_gone() {
    let session = Session::new();
    session.copy("examples/discovery/ecsctl.toml", "ecsctl.toml");
    session.run(&["apply", "--yes"]).exits(0);
    session.set(&json!({ "discovery-deregistration": 2.0 }));
    session.run(&["destroy", "--yes"]).exits(0);
    let calls = session.calls();
    let held = calls.refused().iter().any(|call| {
        call.operation == "DeleteService" && call.error.as_deref() == Some("ResourceInUse")
    });
    assert!(held, "nobody held it: {calls:?}");
    assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
    assert_eq!(zones(&session), [""; 0]);
}

/// The example: names that everybody is told who mentions them, doors that are open to them, and no order.
#[test]
fn discovery_lives() {
    let session = Session::new();
    session.copy("examples/discovery/ecsctl.toml", "ecsctl.toml");
    let plan = session.run(&["plan", "--format", "json"]).exits(0);
    // The names are known before anything is made.
    plan.says("http://api.directory-default.internal:8080");
    session.run(&["apply", "--yes"]).exits(0);
    only_lookups_refused(&session.calls());
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    let sent = json!(session.inputs("RegisterTaskDefinition")).to_string();
    for text in [
        "http://api.directory-default.internal:8080",
        "http://web.directory-default.internal:80",
        "cache:6379",
        "cache.directory-default.internal",
    ] {
        assert!(sent.contains(&format!("\"{text}\"")), "{text}: {sent}");
    }
    for name in ["web", "api", "cache"] {
        assert_eq!(instances(&session, name).len(), 1, "{name}");
    }
    let rendered = session.run(&["render"]).exits(0).stdout;
    for rule in [
        "api-from-web-tcp-8080",
        "web-from-api-tcp-80",
        "cache-from-api-tcp-6379",
        "cache-from-report-tcp-6379",
    ] {
        assert!(rendered.contains(&format!("security-group-rule.{rule}]")), "{rule}: {rendered}");
    }
    session.run(&["run", "report"]).exits(0);
    // Another name: whoever mentions it is told.
    session.forget_calls();
    session.replace("name = \"api\"", "name = \"backend\"");
    session.run(&["apply", "--yes"]).exits(0);
    let calls = session.calls();
    only_lookups_refused(&calls);
    let sent = json!(session.inputs("RegisterTaskDefinition")).to_string();
    assert!(sent.contains("http://backend.directory-default.internal:8080"), "{sent}");
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    // Another zone: everything moves.
    session.replace("mode = \"public\"", "mode = \"public\"\ndomain = \"shop.test\"");
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(zones(&session), ["shop.test."]);
    fs_err::remove_dir_all(session.folder.join("state")).expect("a state that is there");
    fs_err::remove_file(session.folder.join("ecsctl.toml")).expect("a spec that is there");
    let from_tags = ["destroy", "--stack", "directory", "--region", "us-east-1", "--yes"];
    session.run(&from_tags).exits(0);
    assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
    assert_eq!(zones(&session), [""; 0]);
}
