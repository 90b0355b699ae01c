//! Certificates and DNS records, each by itself; and stacks that answer under a domain.

use aws_sdk_acm::types::CertificateStatus;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use ecsctl::cloud::aws::Aws;
use serde_json::json;

use super::life::{HEAD, Life};
use crate::harness::{Object, Session};

/// An account with the zones of `example.com` and `example.org`.
fn with_zones() -> Session {
    let session = Session::new();
    for name in ["example.com", "example.org"] {
        session.zone(name);
    }
    session
}

/// Another folder, in the same account.
fn beside(session: &Session) -> Session {
    let mut other = Session::new();
    other.account.clone_from(&session.account);
    other
}

fn text(name: &str, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().expect("a value");
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::Txt).ttl(300);
    set.resource_records(value).build().expect("a record")
}

async fn change(aws: &Aws, zone: &str, action: ChangeAction, set: ResourceRecordSet) {
    let change = Change::builder().action(action).resource_record_set(set).build();
    let batch = ChangeBatch::builder().changes(change.expect("a change")).build();
    let call = aws.dns.change_resource_record_sets().hosted_zone_id(zone);
    call.change_batch(batch.expect("a batch")).send().await.expect("a change");
}

/// The records at a name, as `type id`, of which the zone's own are none.
fn records(session: &Session) -> Vec<Object> {
    let mut found = session.objects();
    found.retain(|object| object.kind == "dns-record");
    found
}

const RECORD: &str = r#"
[aws.dns-record.note]
name = "note.example.com"
type = "TXT"
values = ['"one"']
"#;

#[test]
fn dns_record() {
    let session = Session::new();
    let (zone, other) = (session.zone("example.com"), session.zone("deep.example.com"));
    let deep = "[aws.dns-record.deep]\nname = \"a.deep.example.com\"\ntype = \"A\"\nvalues = [\"10.0.0.1\"]";
    let life = Life::begin_in(session, &format!("{RECORD}{deep}"));
    assert!(life.object("dns-record.deep").id.starts_with(&other), "the longest zone answers");
    let note = "dns-record.note";
    assert!(life.object(note).id.starts_with(&zone));
    let changed = ["ChangeResourceRecordSets"];
    life.changes(note, &[("['\"one\"']", "['\"one\"', '\"two\"']")], &changed);
    life.changes(note, &[("type = \"TXT\"", "type = \"TXT\"\nttl = 60")], &changed);
    let named = "tags = { owner = \"Zoë\" }\n";
    life.session.replace(HEAD, &format!("{HEAD}{named}"));
    life.apply();
    life.nothing_is_left();
    life.replaces(note, &[("note.example", "memo.example")], &changed);
    life.replaces(
        "dns-record.deep",
        &[("\"A\"", "\"AAAA\""), ("10.0.0.1", "2001:db8::1")],
        &changed,
    );
    // A CNAME stands beside no other record of its name; it goes in the very change that brings the other.
    let deep = "dns-record.deep";
    life.replaces(deep, &[("\"AAAA\"", "\"CNAME\""), ("2001:db8::1", "b.example.com")], &changed);
    life.replaces(deep, &[("\"CNAME\"", "\"A\""), ("b.example.com", "10.0.0.2")], &changed);
    // To another zone, where nothing else of the stack stands, and back to the one that answers.
    let moved = format!("[\"10.0.0.2\"]\nzone-id = \"{zone}\"");
    life.replaces(deep, &[("[\"10.0.0.2\"]", &moved)], &changed);
    assert!(life.object(deep).id.starts_with(&zone));
    assert_eq!(records(&life.session).len(), 4, "{:#?}", life.session.objects());
    life.replaces(deep, &[(&moved, "[\"10.0.0.2\"]")], &changed);
    assert!(life.object(deep).id.starts_with(&other));
    assert_eq!(records(&life.session).len(), 4, "{:#?}", life.session.objects());
    let set = text("memo.example.com", "\"three\"");
    life.drifts("update dns-record.note", async |aws| {
        change(aws, &zone, ChangeAction::Upsert, set.clone()).await;
    });
    let by_hand = async |aws: &Aws| {
        let found = aws.dns.list_resource_record_sets().hosted_zone_id(&zone).send().await;
        let found = found.expect("records").resource_record_sets;
        let ours = found.into_iter().find(|set| set.name().starts_with("memo"));
        change(aws, &zone, ChangeAction::Delete, ours.expect("the record")).await;
    };
    life.drifts("update dns-record.note", by_hand);
    // What is gone already is no obstacle.
    life.session.behind_its_back(by_hand);
    life.ends();
}

/// B8: what somebody else wrote is seen before anything is changed, and is taken over by name alone.
#[test]
fn b8_a_record_that_is_there_is_not_overwritten() {
    let session = Session::new();
    let zone = session.zone("example.com");
    session.behind_its_back(async |aws| {
        change(aws, &zone, ChangeAction::Create, text("note.example.com", "\"mine\"")).await;
    });
    session.write("ecsctl.toml", &format!("{HEAD}{RECORD}"));
    session.forget_calls();
    session.run(&["apply", "--yes"]).exits(3).says("E0210").says("--adopt dns-record.note");
    assert!(session.calls().changes().is_empty(), "{:?}", session.calls());
    session.run(&["apply", "--yes", "--adopt", "dns-record.note"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    // Another stack is told whose it is.
    let foreign = beside(&session);
    foreign.write("ecsctl.toml", &format!("{}{RECORD}", HEAD.replace("life", "other")));
    foreign.run(&["apply", "--yes"]).exits(3).says("belongs to the stack `life`");
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty(), "{:#?}", session.objects());
}

const CERTIFICATE: &str = r#"
[aws.certificate.main]
names = ["shop.example.com", "*.shop.example.com"]
validated-by = "route-53"
"#;

#[test]
fn certificate() {
    let life = Life::begin_in(with_zones(), CERTIFICATE);
    let main = "certificate.main";
    assert_eq!(records(&life.session).len(), 2, "a proof and its mark");
    life.changes(
        main,
        &[("[aws.cert", "[tags]\nteam = \"games\"\n\n[aws.cert")],
        &["AddTagsToCertificate"],
    );
    life.changes(main, &[("games", "toys")], &["AddTagsToCertificate"]);
    life.changes(main, &[("[tags]\nteam = \"toys\"\n", "")], &["RemoveTagsFromCertificate"]);
    // The proof of a name that stays is the successor's as well.
    life.replaces(
        main,
        &[("\"*.shop.example.com\"", "\"shop.example.org\"")],
        &["RequestCertificate", "ChangeResourceRecordSets", "DeleteCertificate"],
    );
    assert_eq!(records(&life.session).len(), 4, "{:?}", records(&life.session));
    life.replaces(
        main,
        &[("\"shop.example.com\", ", "")],
        &["RequestCertificate", "ChangeResourceRecordSets", "DeleteCertificate"],
    );
    assert_eq!(records(&life.session).len(), 2, "{:?}", records(&life.session));
    life.replaces(
        main,
        &[("validated-by", "key-algorithm = \"EC_prime256v1\"\nvalidated-by")],
        &["RequestCertificate", "DeleteCertificate"],
    );
    // Without the record ACM could not renew it.
    life.drifts("update certificate.main", async |aws| {
        let zones = aws.zones().await.expect("zones");
        let zone = &zones.of("shop.example.org").expect("a zone").id;
        let found = aws.dns.list_resource_record_sets().hosted_zone_id(zone).send().await;
        let found = found.expect("records").resource_record_sets;
        let proof = found.into_iter().find(|set| *set.r#type() == RrType::Cname);
        change(aws, zone, ChangeAction::Delete, proof.expect("a proof")).await;
    });
    let arn = life.object(main).arn;
    life.drifts("create certificate.main", async |aws| {
        aws.acm.delete_certificate().certificate_arn(&arn).send().await.expect("a deletion");
    });
    life.ends();
}

/// ACM wants one and the same record for all certificates of a name: what another has brought stays.
#[test]
fn a_proof_that_is_there_is_used_and_left() {
    let session = with_zones();
    session.write("ecsctl.toml", &format!("{HEAD}{CERTIFICATE}"));
    session.run(&["apply", "--yes"]).exits(0);
    let other = beside(&session);
    other.write("ecsctl.toml", &format!("{}{CERTIFICATE}", HEAD.replace("life", "other")));
    other.run(&["apply", "--yes"]).exits(0);
    assert_eq!(records(&session).len(), 2, "{:?}", records(&session));
    // The other's certificate is for the same name: the record stays although its maker goes.
    session.run(&["destroy", "--yes"]).exits(0);
    other.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(records(&session).len(), 2, "{:?}", records(&session));
    other.run(&["destroy", "--yes"]).exits(0);
}

/// Somebody else makes the records: the step says which, and waits.
#[test]
fn a_certificate_that_is_proved_elsewhere_is_waited_for() {
    let life = Life::bare(&CERTIFICATE.replace("validated-by = \"route-53\"\n", ""));
    let mut apply = life.session.command(&["apply", "--yes"]).spawn().expect("the binary starts");
    while life.session.calls().count("DescribeCertificate") < 3 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(apply.try_wait().expect("a status").is_none(), "it did not wait");
    apply.kill().expect("it can be killed");
    apply.wait().expect("its end");
    assert_eq!(life.planned(), ["settle certificate.main"]);
    let zone = life.session.zone("example.com");
    life.session.behind_its_back(async |aws| {
        let listed = aws.acm.list_certificates().send().await.expect("certificates");
        let arn = listed.certificate_summary_list()[0].certificate_arn().expect("an ARN");
        let found = aws.acm.describe_certificate().certificate_arn(arn).send().await;
        let found = found.expect("a description").certificate.expect("a certificate");
        assert_eq!(found.status(), Some(&CertificateStatus::PendingValidation));
        let proof = found.domain_validation_options()[0].resource_record().expect("a record");
        let value = ResourceRecord::builder().value(proof.value()).build().expect("a value");
        let set = ResourceRecordSet::builder().name(proof.name()).r#type(RrType::Cname).ttl(60);
        let set = set.resource_records(value).build().expect("a record");
        change(aws, &zone, ChangeAction::Create, set).await;
    });
    life.session.run(&["apply", "--yes"]).exits(0);
    life.nothing_is_left();
    life.session.run(&["destroy", "--yes"]).exits(0);
    let left = life.session.objects();
    assert_eq!(left.len(), 1, "the record that somebody made stays: {left:?}");
}

const SHOP: &str = r#"
[network]
mode = "public"

[alb.main]
domain = "shop.example.com"

[service.web]
image = "httpd:2.4"
port  = 80

[service.api]
image  = "shop/api:7"
port   = 8080
domain = ["api.example.com", "api.example.org"]
"#;

/// From the first apply to the last destroy: HTTPS waits for the certificate, domains come and go, and no
/// listener is ever without one.
#[test]
fn a_stack_answers_under_its_domains() {
    let session = with_zones();
    session.write("ecsctl.toml", &format!("{HEAD}{SHOP}"));
    let life = Life { session };
    let first = life.apply();
    life.session.run(&["apply", "--yes"]).exits(0);
    life.nothing_is_left();
    life.forget();
    life.nothing_is_left();
    let listeners = first.count("CreateListener");
    assert_eq!(listeners, 2, "{first:?}");
    assert!(first.position("RequestCertificate") < first.position("CreateListener"));
    for name in ["main-shop-example-com", "main-api-example-com", "main-api-example-org"] {
        life.object(&format!("dns-record.{name}"));
    }
    life.session.run(&["status"]).exits(0).says("https://shop.example.com");
    // Another domain: the new certificate is shown before the old one goes, and its record goes with it.
    let certificate = life.object("certificate.main").arn;
    life.edit(&[("\"api.example.com\", \"api.example.org\"", "\"api.example.com\"")]);
    let moved = life.apply();
    life.nothing_is_left();
    assert_ne!(life.object("certificate.main").arn, certificate);
    assert!(moved.position("ModifyListener") < moved.position("DeleteCertificate"), "{moved:?}");
    assert!(!records(&life.session).iter().any(|one| one.id.contains("example.org")));
    // None at all: the certificate goes after its listener.
    life.edit(&[
        ("domain = \"shop.example.com\"", ""),
        ("domain = [\"api.example.com\"]", "http = \"/api/*\""),
    ]);
    life.apply();
    life.nothing_is_left();
    assert!(records(&life.session).is_empty(), "{:?}", records(&life.session));
    life.edit(&[("[alb.main]\n", "[alb.main]\ndomain = \"shop.example.org\"\n")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// N1, N8: killed while ACM looks, and destroyed from the tags alone.
#[test]
fn n1_a_stack_that_is_killed_while_it_waits_for_its_certificate_is_taken_up() {
    let session = with_zones();
    session.write("ecsctl.toml", &format!("{HEAD}{SHOP}"));
    session.set(&json!({ "certificate-issued": 6 }));
    let mut apply = session.command(&["apply", "--yes"]).spawn().expect("the binary starts");
    while session.calls().count("RequestCertificate") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    apply.kill().expect("it can be killed");
    apply.wait().expect("its end");
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(session.calls().count("DeleteCertificate"), 0, "{:?}", session.calls());
    let certificates = session.objects().into_iter().filter(|one| one.kind == "certificate");
    assert_eq!(certificates.count(), 1);
    fs_err::remove_file(session.folder.join("ecsctl.toml")).expect("a spec that is there");
    let command = ["destroy", "--stack", "life", "--region", "us-east-1", "--yes"];
    session.run(&command).exits(0);
    assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
}

/// Before anything is made it is said that nobody answers for a domain.
#[test]
fn a_domain_without_a_zone_is_told_before_anything_is_made() {
    let session = Session::new();
    session.write("ecsctl.toml", &format!("{HEAD}{SHOP}"));
    let told = "no public hosted zone in this account answers for `";
    session.run(&["apply", "--yes"]).exits(1).says(told).says("create the zone of its domain");
    assert!(session.calls().changes().is_empty(), "{:?}", session.calls());
    assert!(session.objects().is_empty());
}

/// TLS is given up, and the certificate goes with it: on AWS as in the simulator.
#[test]
fn a_listener_that_gives_up_tls_lets_go_of_its_certificate() {
    const STACK: &str = r#"
network.mode = "public"

[nlb.main]
domain = "mq.example.com"

[service.web]
image = "httpd:2.4"

[service.web.route.secure]
tls  = 8883
port = 80
"#;
    let session = Session::with(&format!("{HEAD}{STACK}"));
    session.zone("example.com");
    let edits = [("domain = \"mq.example.com\"", "public = true"), ("tls  = 8883", "tcp  = 8883")];
    for cloud in ["aws", "sim"] {
        let run = |command: &[&str]| session.run(&[command, &["--cloud", cloud]].concat()).exits(0);
        run(&["apply", "--yes"]);
        for (old, new) in edits {
            session.replace(old, new);
        }
        run(&["apply", "--yes"]);
        run(&["plan", "--detailed-exitcode"]);
        run(&["destroy", "--yes"]);
        for (old, new) in edits {
            session.replace(new, old);
        }
    }
}
