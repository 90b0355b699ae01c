//! Services that find each other: namespaces, Service Connect, and the order in which services come.

use serde_json::{Value as Json, json};

use super::life::{HEAD, Life, RUNNING};

#[test]
fn namespace() {
    let life = Life::begin("\n[aws.namespace.main]\n");
    let address = "namespace.main";
    life.changes(
        address,
        &[("namespace.main]\n", "namespace.main]\ndescription = \"shop\"\n")],
        &["UpdateHttpNamespace"],
    );
    let arn = life.object(address).arn;
    life.drifts("update namespace.main", async |aws| {
        let call = aws.discovery.untag_resource().resource_arn(&arn).tag_keys("Name");
        call.send().await.expect("a change");
    });
    life.replaces(
        address,
        &[("description", "name = \"shop.test\"\ndescription")],
        &["CreateHttpNamespace", "DeleteNamespace"],
    );
    life.ends();
}

/// B7: its part in a namespace is changed in place; and what ECS makes there goes with the service.
#[test]
fn b7_service_connect() {
    let spec = format!(
        "{}\n[aws.namespace.main]\n\n[aws.namespace.other]\n",
        RUNNING.replace("container-port = 8080 }]", "container-port = 8080, name = \"web\" }]")
    );
    let life = Life::begin(&spec);
    let offered = |namespace: &str, name: &str| {
        format!(
            "desired-count = 1\n[aws.service.web.service-connect-configuration]\nenabled = true\n\
             namespace = \"${{namespace.{namespace}.arn}}\"\n\
             services.web = {{ discovery-name = \"{name}\", dns-name = \"{name}\", port = 80 }}\n\
             [aws.service.web.unused]"
        )
    };
    // Keys behind a header belong to it: the table stands at the end.
    let table = |namespace: &str, name: &str| {
        offered(namespace, name)
            .replace("desired-count = 1\n", "assign-public-ip = true\n\n")
            .replace("\n[aws.service.web.unused]", "\n")
    };
    let names = || {
        let found = life.session.objects().into_iter();
        let found = found.filter(|one| one.kind == "discovery-service");
        found.map(|one| one.id).collect::<Vec<_>>()
    };
    let service = "service.web";
    life.changes(
        service,
        &[("assign-public-ip = true\n", &table("main", "web"))],
        &["UpdateService"],
    );
    assert_eq!(names(), ["web"]);
    life.changes(
        service,
        &[("port = 80 }", "port = 80, timeout = { idle-timeout-seconds = 60 } }")],
        &["UpdateService"],
    );
    life.changes(
        service,
        &[("{ discovery-name = \"web\"", "{ discovery-name = \"shop\"")],
        &["UpdateService"],
    );
    assert_eq!(names(), ["shop"], "the old name goes with the old deployment");
    life.changes(
        service,
        &[("${namespace.main.arn}", "${namespace.other.arn}")],
        &["UpdateService"],
    );
    let arn = life.object(service).arn;
    life.drifts("update service.web", async |aws| {
        let off = aws_sdk_ecs::types::ServiceConnectConfiguration::builder().enabled(false).build();
        let cluster = arn.split('/').nth(1).expect("a service's ARN names its cluster");
        let call = aws.ecs.update_service().cluster(cluster).service(&arn);
        call.service_connect_configuration(off).send().await.expect("a change");
    });
    life.changes(service, &[("enabled = true\n", "enabled = false\n"), ("namespace = \"${namespace.other.arn}\"\n", ""), ("services.web = { discovery-name = \"shop\", dns-name = \"web\", port = 80, timeout = { idle-timeout-seconds = 60 } }\n", "")], &["UpdateService"]);
    assert_eq!(names(), [""; 0]);
    life.ends();
}

/// ECS takes its Cloud Map services away some time after the service that they are of: until then the namespace
/// cannot go, and is waited for.
#[test]
fn b26_a_namespace_goes_when_ecs_has_let_go_of_it() {
    let life = Life::begin(SHOP);
    life.session.set(&json!({ "discovery-sweep": 1.5 }));
    life.session.run(&["destroy", "--yes"]).exits(0);
    let calls = life.session.calls();
    let refused = calls.refused();
    let held = refused.iter().any(|call| {
        call.operation == "DeleteNamespace" && call.error.as_deref() == Some("ResourceInUse")
    });
    assert!(held, "nobody held it: {calls:?}");
    let left = life.session.objects();
    assert!(left.is_empty(), "left behind: {left:#?}");
}

/// Three services in a row: `web` looks for `api`, and `api` comes after `cache`.
const SHOP: &str = r#"
[service.web]
image   = "shop/web:7"
public  = false
env.API = "${service.api.url}"

[service.api]
image   = "shop/api:7"
port    = 8080
public  = false
connect = "http"
after   = ["cache"]

[service.cache]
image  = "valkey/valkey:8"
port   = 6379
public = false
"#;

/// The names of services in the order of the calls `operation`.
fn order(life: &Life, operation: &str, key: &str) -> Vec<String> {
    let inputs = life.session.inputs(operation);
    let name = |input: &Json| {
        let text = input[key].as_str().expect("a service's name");
        text.rsplit(['/', '-']).next().expect("a name").to_owned()
    };
    inputs.iter().map(name).collect()
}

/// A client knows the names that were there when it started: so it starts when the service it looks for is
/// reached; and what comes after another is made after it, changed after it, and gone before it.
#[test]
fn services_come_one_after_the_other() {
    let life = Life::begin(SHOP);
    assert_eq!(order(&life, "CreateService", "serviceName"), ["cache", "api", "web"]);
    let environment = life.session.inputs("RegisterTaskDefinition");
    let sent = serde_json::to_string(&environment).expect("JSON");
    assert!(sent.contains("http://api:8080"), "{sent}");
    // All three at once: each waits for the rollout of the one before.
    life.session.replace("shop/web:7", "shop/web:8");
    life.session.replace("shop/api:7", "shop/api:8");
    life.session.replace("valkey:8", "valkey:9");
    life.apply();
    assert_eq!(order(&life, "UpdateService", "service"), ["cache", "api", "web"]);
    life.nothing_is_left();
    // Another order is no rollout.
    life.changes("service.api", &[("after   = [\"cache\"]\n", "")], &["UntagResource"]);
    life.changes(
        "service.cache",
        &[("valkey/valkey:9\"\n", "valkey/valkey:9\"\nafter = [\"web\"]\n")],
        &["TagResource"],
    );
    // N8: from the tags alone.
    life.forget();
    life.session.forget_calls();
    life.session.write("ecsctl.toml", HEAD);
    life.session.run(&["destroy", "--yes"]).exits(0);
    assert_eq!(order(&life, "DeleteService", "service"), ["cache", "web", "api"]);
    let left = life.session.objects();
    assert!(left.is_empty(), "left behind: {left:#?}");
}

/// Whoever is not let in would find the name and never an answer.
#[test]
fn clients_are_let_in() {
    let life = Life::begin(SHOP);
    let calls = life.session.calls();
    assert!(calls.position("AuthorizeSecurityGroupIngress").is_some(), "{calls:?}");
    life.session.run(&["render"]).exits(0).says("security-group-rule.api-from-web-tcp-8080");
    life.ends();
}
