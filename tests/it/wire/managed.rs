//! ECS Managed Instances: instances that ECS itself chooses, starts and ends.

use aws_sdk_ecs::types::{
    InstanceLaunchTemplateUpdate, ManagedInstancesMonitoringOptions,
    UpdateManagedInstancesProviderConfiguration,
};
use serde_json::json;

use super::life::Life;
use crate::harness::Session;

const MANAGED: &str = r#"
[capacity.gpu]
type = "managed"
need = { vcpu = "4..16", memory = "16GB..", gpu = "nvidia" }

[service.render]
image    = "acme/render:1"
capacity = "gpu"
size     = "1vcpu/2GB"

[service.probe]
image        = "acme/probe:1"
port         = 9000
public       = false
from         = ["render"]
capacity     = "gpu"
network-mode = "host"

[aws.managed-capacity.gpu]
monitoring = "BASIC"
"#;

fn instances(session: &Session) -> usize {
    session.objects().iter().filter(|object| object.kind == "instance").count()
}

#[test]
fn managed_capacity() {
    let life = Life::begin(MANAGED);
    assert!(instances(&life.session) > 0, "{:#?}", life.session.objects());
    let provider = "managed-capacity.gpu";
    for (old, new) in [
        ("vcpu = \"4..16\", memory = \"16GB..\"", "vcpu = \"2..\", memory = \"8GB..64GB\""),
        (", gpu = \"nvidia\"", ""),
        ("type = \"managed\"", "type = \"managed\"\nstorage = \"200GB\"\ninstances = [\"m7i.*\"]"),
        ("\"BASIC\"", "\"DETAILED\"\nscale-in-after = 600\npropagate-tags = false"),
        (
            "scale-in-after = 600",
            "scale-in-after = -1\nrequirements = { allowed-instance-types = [], \
             excluded-instance-types = [\"t3.*\"], cpu-manufacturers = [\"intel\"] }",
        ),
    ] {
        life.changes(provider, &[(old, new)], &["UpdateCapacityProvider"]);
    }
    let (name, cluster) = (life.object(provider).id, life.object("cluster.main").arn);
    life.drifts(&format!("update {provider}"), async |aws| {
        let found = aws.ecs.describe_capacity_providers().capacity_providers(&name).send().await;
        let found = found.expect("a description");
        let managed = found.capacity_providers()[0].managed_instances_provider();
        let role = managed.and_then(|it| it.infrastructure_role_arn()).expect("a role");
        let template = InstanceLaunchTemplateUpdate::builder()
            .monitoring(ManagedInstancesMonitoringOptions::Basic)
            .build();
        let change = UpdateManagedInstancesProviderConfiguration::builder()
            .infrastructure_role_arn(role)
            .instance_launch_template(template)
            .build();
        let call = aws.ecs.update_capacity_provider().name(&name).cluster(&cluster);
        let call = call.managed_instances_provider(change.expect("both are set"));
        call.send().await.expect("a change");
    });
    let session = life.ends();
    let calls = session.calls();
    let order = ["DeleteService", "DeleteCapacityProvider", "DeleteInstanceProfile", "DeleteVpc"];
    let places = order.map(|operation| calls.position(operation).expect("the call is made"));
    assert!(places.is_sorted(), "{calls:?}");
    let gone = [calls.position("DeleteCapacityProvider"), calls.position("DeleteCluster")];
    assert!(gone.is_sorted(), "{calls:?}");
}

/// Its successor stands before the service moves there, and only then it goes.
#[test]
fn managed_capacity_is_replaced() {
    let life = Life::begin(MANAGED);
    let order = ["CreateCapacityProvider", "UpdateService", "DeleteCapacityProvider"];
    let provider = "managed-capacity.gpu";
    life.replaces(
        provider,
        &[("type = \"managed\"", "type = \"managed\"\nspot = \"100%\"")],
        &order,
    );
    life.replaces(provider, &[("\"BASIC\"", "\"BASIC\"\nname = \"renamed\"")], &order);
    let order =
        ["CreateCluster", "CreateCapacityProvider", "CreateService", "DeleteCapacityProvider"];
    let other = "\nname = \"renamed\"";
    life.edit(&[(other, "")]);
    life.apply();
    let cluster = "\n[aws.cluster.main]\nname = \"elsewhere\"\n\n[aws.managed-capacity.gpu]";
    life.replaces(provider, &[("\n[aws.managed-capacity.gpu]", cluster)], &order);
    life.ends();
}

/// Instances of one's own and those that ECS manages take each other's place.
#[test]
fn a_capacity_becomes_managed() {
    let own = "\n[capacity.own]\ntype = \"ec2\"\ninstances = [\"m7i.large\"]\n\n\
               [service.web]\nimage = \"httpd:2.4\"\ncapacity = \"own\"\n";
    let life = Life::begin(own);
    for (old, new) in [("\"ec2\"", "\"managed\""), ("\"managed\"", "\"ec2\"")] {
        life.edit(&[(old, new)]);
        life.session.run(&["apply", "--yes"]).exits(0);
        life.nothing_is_left();
        assert!(instances(&life.session) > 0, "{:#?}", life.session.objects());
    }
    life.ends();
}

/// B12: new roles are waited for.
#[test]
fn b12_a_new_infrastructure_role_is_waited_for() {
    let life = Life::bare(MANAGED);
    life.session.set(&json!({ "role-visible-after": 1.0, "ec2-visible-after": 0.3 }));
    life.session.run(&["apply", "--yes"]).exits(0);
    assert!(!life.session.calls().refused().is_empty(), "the server did not hide anything");
    life.nothing_is_left();
    life.ends();
}
