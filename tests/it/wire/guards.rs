//! What is never done unasked.

use aws_sdk_ec2::types::Tag;

use super::life::{HEAD, Life};
use crate::harness::Session;

const NAMED: &str = r#"
[aws.log-group.web]
retention-in-days = 14

[aws.repository.web]

[aws.cluster.main]

[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.target-group.web]
port = 80
vpc-id = "${vpc.main.id}"
"#;

#[test]
fn nothing_is_changed_without_a_yes() {
    let life = Life::bare(NAMED);
    life.session.run(&["apply"]).exits(3).says("--yes");
    assert!(life.session.calls().changes().is_empty());
    life.apply();
    life.session.forget_calls();
    life.session.run(&["destroy"]).exits(3).says("--yes");
    assert!(life.session.calls().changes().is_empty());
    life.nothing_is_left();
    life.ends();
}

#[test]
fn a_protected_stack_is_not_destroyed() {
    let life = Life::begin(NAMED);
    life.edit(&[("[aws.log-group.web]", "[env.prod]\nprotect = true\n\n[aws.log-group.web]")]);
    life.session.forget_calls();
    life.session.run(&["destroy", "--yes", "-e", "prod"]).exits(3).says("protect");
    assert!(life.session.calls().changes().is_empty());
    life.ends();
}

/// What lost its tags behind our back is not made a second time, and not left behind.
#[test]
fn what_has_lost_its_tags_is_told() {
    let life = Life::begin(
        "[aws.vpc.main]\ncidr = \"10.0.0.0/16\"\n[aws.subnet.a]\nvpc-id = \"${vpc.main.id}\"\n\
         cidr-block = \"10.0.0.0/24\"\navailability-zone = \"us-east-1a\"\n\
         [aws.security-group.a]\nvpc-id = \"${vpc.main.id}\"\ndescription = \"a\"\n",
    );
    let vpc = life.session.object("vpc.main");
    let tag = |key: &str| Tag::builder().key(key).value(&vpc.tags[key]).build();
    let tags = ["ecsctl:stack", "ecsctl:env", "ecsctl:id"].map(tag).to_vec();
    life.session.behind_its_back(async |aws| {
        let call = aws.ec2.delete_tags().resources(&vpc.id).set_tags(Some(tags.clone()));
        call.send().await.expect("no tags");
    });
    life.session.forget_calls();
    let told = life.session.run(&["apply", "--yes"]).exits(3);
    let told = told.says(&format!("error[E0213]: {} has lost the tags of vpc.main", vpc.id));
    let told = told.says("`ecsctl:stack=life`, `ecsctl:env=default` and `ecsctl:id=vpc.main`");
    assert_eq!(told.stderr.matches("E0213").count(), 1, "{told:?}");
    assert!(life.session.calls().changes().is_empty());
    life.session.behind_its_back(async |aws| {
        let call = aws.ec2.create_tags().resources(&vpc.id).set_tags(Some(tags.clone()));
        call.send().await.expect("tags");
    });
    life.nothing_is_left();
    life.ends();
}

/// B8: what has a wanted name already and is not ours is found before anything is changed, and taken
/// over only by name.
#[test]
fn b8_a_foreign_object_of_the_same_name_is_refused_before_any_change() {
    let session = Session::new();
    session.behind_its_back(async |aws| {
        let name = "/ecsctl/life/default/web";
        aws.logs.create_log_group().log_group_name(name).send().await.expect("a log group");
        aws.ecr
            .create_repository()
            .repository_name("life/default/web")
            .send()
            .await
            .expect("a repository");
        aws.ecs.create_cluster().cluster_name("life-default-main").send().await.expect("a cluster");
    });
    session.forget_calls();
    session.write("ecsctl.toml", &format!("{}{NAMED}", super::life::HEAD));
    let addresses = ["log-group.web", "repository.web", "cluster.main"];
    let mut adopt = vec!["apply", "--yes"];
    for address in addresses {
        let output = session.run(&["apply", "--yes"]);
        assert!([1, 3].map(Some).contains(&output.code), "{output:?}");
        output.says(&format!("--adopt {address}"));
        adopt.extend(["--adopt", address]);
    }
    assert!(session.calls().changes().is_empty(), "{:?}", session.calls());
    session.run(&adopt).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    for address in addresses {
        assert_eq!(session.object(address).tags["ecsctl:id"], address);
    }
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty());
}

/// Another stack's objects are nobody's to take over.
#[test]
fn two_stacks_and_two_environments_live_side_by_side() {
    let life = Life::begin(NAMED);
    let before = life.session.objects();
    life.edit(&[("[aws.log-group.web]", "[env.dev]\n\n[aws.log-group.web]")]);
    life.session.run(&["apply", "--yes", "-e", "dev"]).exits(0);
    assert_eq!(life.session.objects().len(), 2 * before.len());
    life.nothing_is_left();
    life.session.run(&["plan", "--detailed-exitcode", "-e", "dev"]).exits(0);
    let destroy = ["destroy", "--yes", "--region", "us-east-1", "--stack"];
    life.session.run(&[destroy.as_slice(), &["lif"]].concat()).exits(0).says("life/default");
    life.session.run(&["destroy", "--yes", "-e", "dev"]).exits(0);
    assert_eq!(life.session.objects(), before);
    life.nothing_is_left();
    life.ends();
}

/// What is taken out of the spec goes; what somebody else made stays.
#[test]
fn only_what_is_ours_is_deleted() {
    let life = Life::begin(NAMED);
    life.session.behind_its_back(async |aws| {
        aws.logs
            .create_log_group()
            .log_group_name("/ecsctl/life/default/mine")
            .send()
            .await
            .expect("a group");
    });
    life.edit(&[("[aws.repository.web]\n", "")]);
    assert_eq!(life.planned(), ["delete repository.web"]);
    life.apply();
    life.nothing_is_left();
    life.session.run(&["destroy", "--yes"]).exits(0);
    let left: Vec<String> = life.session.objects().into_iter().map(|object| object.id).collect();
    assert_eq!(left, ["/ecsctl/life/default/mine"]);
}

/// A role elsewhere could not be found again by a destroy: it is not taken over.
#[test]
fn a_role_under_another_path_is_not_adopted() {
    let session = Session::new();
    let trust = r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ecs-tasks.amazonaws.com" } }] }"#;
    session.behind_its_back(async |aws| {
        let call = aws.iam.create_role().role_name("life-default-web");
        call.assume_role_policy_document(trust).send().await.expect("a role");
    });
    session.write("ecsctl.toml", &format!("{HEAD}\n[aws.role.web]\ntrust = '{trust}'\n"));
    let refused = session.run(&["apply", "--yes", "--adopt", "role.web"]).exits(3);
    refused.says("error[E0211]: role.web cannot be adopted: its path is `/`");
}

/// A destroy does not wait for what nobody takes away, and says what it is.
#[test]
fn what_is_not_ours_in_a_vpc_is_named() {
    let life = Life::begin("\n[aws.vpc.main]\ncidr = \"10.0.0.0/16\"\n");
    let vpc = life.object("vpc.main").id;
    let group = life.session.behind_its_back(async |aws| {
        let call = aws.ec2.create_security_group().group_name("by-hand").description("by hand");
        let made = call.vpc_id(&vpc).send().await.expect("a group");
        made.group_id().expect("its id").to_owned()
    });
    let failed = life.session.run(&["destroy", "--yes"]).exits(1);
    failed.says(&format!("what is not this stack's is in it: the security group {group}"));
    life.session.behind_its_back(async |aws| {
        aws.ec2.delete_security_group().group_id(&group).send().await.expect("a deletion");
    });
    life.ends();
}
