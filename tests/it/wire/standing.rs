//! Networks of somebody else's that are found by their tags.

use super::life::only_lookups_refused;
use super::permits;
use super::stacks::foreign_network;
use crate::harness::Session;
use crate::harness::session::is_change;

/// Tags something behind the tool's back.
fn tag(session: &Session, ids: &[&str], pairs: &[(&str, &str)]) {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    session.behind_its_back(async |aws| {
        let tags = pairs
            .iter()
            .map(|(key, value)| aws_sdk_ec2::types::Tag::builder().key(*key).value(*value).build());
        let call = aws.ec2.create_tags().set_resources(Some(ids));
        call.set_tags(Some(tags.collect())).send().await.expect("tags");
    });
}

/// Takes a tag away again.
fn untag(session: &Session, id: &str, key: &str) {
    session.behind_its_back(async |aws| {
        let tag = aws_sdk_ec2::types::Tag::builder().key(key).build();
        let call = aws.ec2.delete_tags().resources(id).tags(tag);
        call.send().await.expect("no such tag any more");
    });
}

/// The example, and a network whose parts carry the tags that it names.
fn tagged() -> (Session, String, Vec<String>) {
    let session = Session::new();
    session.copy("examples/tagged-network/ecsctl.toml", "ecsctl.toml");
    let (vpc, subnets) = foreign_network(&session);
    tag(&session, &[&vpc], &[("Name", "prod")]);
    tag(&session, &[&subnets[0], &subnets[1]], &[("Tier", "public")]);
    tag(&session, &[&subnets[2], &subnets[3]], &[("Tier", "private"), ("Team", "shop")]);
    (session, vpc, subnets)
}

/// Found, used, left as it was; and when others carry the tags, the tasks move.
#[test]
fn tagged_network_lives() {
    let (session, vpc, subnets) = tagged();
    // What looks alike to a filter of EC2, and is somebody else's.
    session.replace("Name = \"prod\"", "Name = \"pr?d\"");
    session.run(&["plan"]).exits(3).says("no VPC in us-east-1 has the tag `Name = pr?d`");
    session.replace("Name = \"pr?d\"", "Name = \"prod\"");
    let before = session.objects();
    session.forget_calls();
    session.run(&["render"]).exits(0).says("${aws.vpc}").says("${aws.subnets-private}");
    assert_eq!(session.calls().len(), 0, "nobody has to be asked for that");
    let plan = session.run(&["plan", "--format", "json"]).exits(0);
    plan.says(&vpc).says(&subnets[2]).says(&subnets[3]);
    session.run(&["apply", "--yes"]).exits(0);
    let calls = session.calls();
    only_lookups_refused(&calls);
    let of_networks = ["Vpc", "Subnet", "InternetGateway", "RouteTable", "NatGateway"];
    let touched =
        |call: &&str| is_change(call) && of_networks.iter().any(|noun| call.ends_with(noun));
    assert_eq!(calls.changes().into_iter().find(touched), None, "{calls:?}");
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    session.run(&["status"]).exits(0);
    let called = permits::runs(&session, &["migrate"]);
    permits::is_allowed(&called, &permits::actions(&permits::policy(&session, &[])));
    // Another subnet carries the tags, and one no more.
    untag(&session, &subnets[2], "Team");
    tag(&session, &[&subnets[0]], &[("Team", "shop"), ("Tier", "private")]);
    tag(&session, &[&subnets[2]], &[("Tier", "public")]);
    session.forget_calls();
    session.run(&["apply", "--yes"]).exits(0);
    let calls = session.calls();
    let mut changes = calls.changes();
    changes.sort_unstable();
    assert_eq!(changes, ["SetSubnets", "UpdateService"], "{calls:?}");
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    tag(&session, &[&subnets[0]], &[("Tier", "public")]);
    tag(&session, &[&subnets[2]], &[("Team", "shop"), ("Tier", "private")]);
    untag(&session, &subnets[0], "Team");
    // A destroy needs nobody who carries any tags.
    untag(&session, &vpc, "Name");
    session.run(&["plan"]).exits(3).says("no VPC in us-east-1 has the tag `Name = prod`");
    session.run(&["destroy", "--yes"]).exits(0);
    tag(&session, &[&vpc], &[("Name", "prod")]);
    assert_eq!(session.objects(), before, "somebody else's network is another one");
}

/// Whatever is not clear is told before anything is done.
#[test]
fn what_tags_mean_must_be_clear() {
    let (session, vpc, subnets) = tagged();
    let other = session.behind_its_back(async |aws| {
        let made = aws.ec2.create_vpc().cidr_block("10.30.0.0/16").send().await.expect("a VPC");
        made.vpc().and_then(|vpc| vpc.vpc_id()).expect("its id").to_owned()
    });
    session.forget_calls();
    tag(&session, &[&other], &[("Name", "prod")]);
    let told = session.run(&["apply", "--yes"]).exits(3);
    told.says("error[E0381]: 2 VPCs in us-east-1 have the tag `Name = prod`")
        .says(&vpc)
        .says(&other);
    tag(&session, &[&other], &[("Name", "prod-2")]);
    untag(&session, &subnets[1], "Tier");
    let told = session.run(&["apply", "--yes"]).exits(3);
    let found = format!("are all in us-east-1a: {}", subnets[0]);
    told.says("error[E0382]: the subnets that have the tag `Tier = public`").says(&found);
    untag(&session, &subnets[0], "Tier");
    let told = session.run(&["apply", "--yes"]).exits(3);
    told.says(&format!("error[E0380]: no subnet of {vpc} has the tag `Tier = public`"));
    tag(&session, &[&subnets[0], &subnets[1], &subnets[2]], &[("Tier", "public")]);
    session.run(&["apply", "--yes"]).exits(3).says("are both in us-east-1a");
    let changes = session.calls();
    let own = |call: &&str| !matches!(*call, "CreateTags" | "DeleteTags");
    assert_eq!(changes.changes().into_iter().find(own), None, "{changes:?}");
}

/// A plan that is kept is of the network that was found; when others carry the tags, it is out of date.
#[test]
fn a_kept_plan_keeps_to_its_network() {
    let (session, _, subnets) = tagged();
    session.run(&["plan", "--out", "first.plan"]).exits(0);
    tag(&session, &[&subnets[1]], &[("Tier", "private"), ("Team", "shop")]);
    tag(&session, &[&subnets[3]], &[("Tier", "public")]);
    session.forget_calls();
    let told = session.run(&["apply", "first.plan", "--yes"]).exits(3);
    told.says("error[E0406]: the plan is out of date");
    assert_eq!(session.calls().changes(), [""; 0]);
    session.run(&["plan", "--out", "second.plan"]).exits(0);
    session.run(&["apply", "second.plan", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    session.run(&["destroy", "--yes"]).exits(0);
}
