//! Dashboards: those that are written by hand, and the one that `dashboard = true` makes.

use serde_json::Value as Json;

use super::life::{HEAD, Life};
use crate::harness::Session;

const DASHBOARD: &str = r##"
[aws.dashboard.main]
body = { widgets = [{ type = "text", properties = { markdown = "# one" } }] }
"##;

/// What a dashboard shows.
fn body(session: &Session, name: &str) -> Json {
    let name = name.to_owned();
    let body = session.behind_its_back(async |aws| {
        let found = aws.cloudwatch.get_dashboard().dashboard_name(name).send().await;
        found.expect("a dashboard").dashboard_body().expect("a body").to_owned()
    });
    serde_json::from_str(&body).expect("JSON")
}

fn titles(body: &Json) -> Vec<String> {
    let widgets = body["widgets"].as_array().expect("widgets").iter();
    let title = |widget: &Json| {
        let properties = &widget["properties"];
        let title = properties["markdown"].as_str().or(properties["title"].as_str());
        title.expect("a heading or a title").to_owned()
    };
    widgets.map(title).collect()
}

#[test]
fn dashboard() {
    let life = Life::begin(DASHBOARD);
    let dashboard = "dashboard.main";
    assert_eq!(life.object(dashboard).id, "life-default-main");
    life.changes(dashboard, &[("# one", "# two")], &["PutDashboard"]);
    life.changes(
        dashboard,
        &[("[aws.dash", "[tags]\nteam = \"shop\"\n\n[aws.dash")],
        &["TagResource"],
    );
    life.changes(dashboard, &[("[tags]\nteam = \"shop\"\n\n", "")], &["UntagResource"]);
    // Another spelling of the same document.
    let table = r##"{ widgets = [{ type = "text", properties = { markdown = "# two" } }] }"##;
    let text = r##"'{"widgets":[{"properties":{"markdown":"# two"},"type":"text"}]}'"##;
    life.edit(&[(table, text)]);
    life.nothing_is_left();
    life.replaces(
        dashboard,
        &[("[aws.dashboard.main]\n", "[aws.dashboard.main]\nname = \"life-default-shop\"\n")],
        &["PutDashboard", "DeleteDashboards"],
    );
    life.drifts("update dashboard.main", async |aws| {
        let call = aws.cloudwatch.put_dashboard().dashboard_name("life-default-shop");
        call.dashboard_body(r#"{ "widgets": [] }"#).send().await.expect("a change");
    });
    life.drifts("create dashboard.main", async |aws| {
        let call = aws.cloudwatch.delete_dashboards().dashboard_names("life-default-shop");
        call.send().await.expect("a deletion");
    });
    // B8: one of the same name that is not ours.
    life.edit(&[("life-default-shop", "life-default-theirs")]);
    life.session.behind_its_back(async |aws| {
        let call = aws.cloudwatch.put_dashboard().dashboard_name("life-default-theirs");
        call.dashboard_body(r#"{ "widgets": [] }"#).send().await.expect("a dashboard");
    });
    life.session.run(&["apply", "--yes"]).exits(1).says("something else has the name");
    assert_eq!(titles(&body(&life.session, "life-default-theirs")), [""; 0]);
    life.session.behind_its_back(async |aws| {
        let call = aws.cloudwatch.delete_dashboards().dashboard_names("life-default-theirs");
        call.send().await.expect("a deletion");
    });
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// The page follows the stack: what comes is shown, what is measured is, and what goes is not. It goes itself when
/// nobody asks for it.
#[test]
fn a_dashboard_shows_the_stack() {
    const STACK: &str = r#"
dashboard = true
network.mode = "public"

[service.web]
image = "httpd:2.4"
port  = 80

[service.worker]
image = "acme/worker:1"
"#;
    let life = Life::begin(STACK);
    let shown = || titles(&body(&life.session, "life-default-main"));
    insta::assert_snapshot!(shown().join(", "), @"## load balancer main, requests a minute, seconds until an answer, connections, ## service web, per cent in use, tasks, requests a minute, seconds until an answer, ## service worker, per cent in use");
    life.edit(&[("[service.web]", "[cluster]\ninsights = \"enhanced\"\n\n[service.web]")]);
    let mut planned = life.planned();
    planned.sort();
    assert_eq!(planned, ["update cluster.main", "update dashboard.main"]);
    life.apply();
    life.nothing_is_left();
    insta::assert_snapshot!(shown().join(", "), @"## load balancer main, requests a minute, seconds until an answer, connections, ## service web, per cent in use, tasks, requests a minute, seconds until an answer, ## service worker, per cent in use, tasks");
    life.edit(&[("dashboard = true\n", "")]);
    assert_eq!(life.planned(), ["delete dashboard.main"]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// Alarms of a load balancer: its own errors, all answers, and the targets of each service behind it.
#[test]
fn alarms_of_a_load_balancer() {
    const STACK: &str = r#"
network.mode = "public"

[alb.main.alarms]
errors    = 5
latency   = "2s"
unhealthy = 1
notify    = ["arn:aws:sns:us-east-1:123456789012:ops"]

[service.web]
image  = "httpd:2.4"
port   = 80
alarms = { errors = 5 }

[service.api]
image  = "acme/api:1"
port   = 8080
http   = "/api/*"
deploy = "blue-green"
"#;
    let life = Life::begin(STACK);
    let alarms = |life: &Life| {
        let objects = life.session.objects();
        let alarms = objects.iter().filter(|object| object.kind == "alarm");
        alarms.map(|object| object.id.replace("life-default-", "")).collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(alarms(&life), @"alb-main-api-other-unhealthy alb-main-api-unhealthy alb-main-errors alb-main-latency alb-main-web-unhealthy web-errors");
    life.changes("alarm.alb-main-latency", &[("\"2s\"", "\"3s\"")], &["PutMetricAlarm"]);
    life.edit(&[("unhealthy = 1\n", "")]);
    life.apply();
    life.nothing_is_left();
    insta::assert_snapshot!(alarms(&life), @"alb-main-errors alb-main-latency web-errors");
    life.ends();
}

/// The name of somebody else's dashboard would be found by nobody.
#[test]
fn a_dashboard_has_a_name_of_the_stack() {
    let session =
        Session::with(&format!("{HEAD}{}", DASHBOARD.replace("body", "name = \"mine\"\nbody")));
    session.run(&["plan"]).exits(64).says("E0395").says("begins with `life-default-`");
}
