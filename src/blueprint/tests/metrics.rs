//! What is measured: alarms, and the dashboard.

use serde_json::Value as Json;

use super::{example, load, made, show};

#[test]
fn alarms_watch_what_the_tasks_use_and_how_they_answer() {
    let declarations = made(&example("autoscaling/ecsctl.toml", None));
    let of = |kind: &str| {
        let kinds = declarations.iter().filter(|one| one.address.kind == kind);
        kinds.map(|one| one.address.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(of("alarm"), @"alb-main-errors alb-main-latency alb-main-web-unhealthy burst web-cpu web-errors web-latency web-memory web-unhealthy");
    insta::assert_snapshot!(of("scaling-policy"), @"backlog burst web-cpu web-memory web-requests");
    insta::assert_snapshot!(show(&declarations, "alarm.alb-main-errors"), @r#"
    alarm-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    comparison-operator = "GreaterThanThreshold"
    dimensions.LoadBalancer = "${load-balancer.main.arn-suffix}"
    evaluation-periods = 3
    metric-name = "HTTPCode_ELB_5XX_Count"
    namespace = "AWS/ApplicationELB"
    ok-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    period = 60
    statistic = "Sum"
    threshold = 10
    treat-missing-data = "notBreaching"
    alarm-actions <- alb.main.alarms.notify
    ok-actions <- alb.main.alarms.notify
    threshold <- alb.main.alarms.errors
    "#);
    insta::assert_snapshot!(show(&declarations, "alarm.alb-main-web-unhealthy"), @r#"
    alarm-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    comparison-operator = "GreaterThanOrEqualToThreshold"
    dimensions.LoadBalancer = "${load-balancer.main.arn-suffix}"
    dimensions.TargetGroup = "${target-group.web.arn-suffix}"
    evaluation-periods = 3
    metric-name = "UnHealthyHostCount"
    namespace = "AWS/ApplicationELB"
    ok-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    period = 60
    statistic = "Maximum"
    threshold = 1
    treat-missing-data = "notBreaching"
    alarm-actions <- alb.main.alarms.notify
    ok-actions <- alb.main.alarms.notify
    threshold <- alb.main.alarms.unhealthy
    "#);
    insta::assert_snapshot!(show(&declarations, "alarm.web-latency"), @r#"
    alarm-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    comparison-operator = "GreaterThanThreshold"
    dimensions.LoadBalancer = "${load-balancer.main.arn-suffix}"
    dimensions.TargetGroup = "${target-group.web.arn-suffix}"
    evaluation-periods = 3
    extended-statistic = "p99"
    metric-name = "TargetResponseTime"
    namespace = "AWS/ApplicationELB"
    ok-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    period = 60
    threshold = 2
    treat-missing-data = "notBreaching"
    alarm-actions <- service.web.alarms.notify
    ok-actions <- service.web.alarms.notify
    threshold <- service.web.alarms.latency
    "#);
    insta::assert_snapshot!(show(&declarations, "alarm.web-cpu"), @r#"
    alarm-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    comparison-operator = "GreaterThanThreshold"
    dimensions.ClusterName = "${cluster.main.name}"
    dimensions.ServiceName = "${service.web.name}"
    evaluation-periods = 3
    metric-name = "CPUUtilization"
    namespace = "AWS/ECS"
    ok-actions = ["arn:aws:sns:eu-west-1:123456789012:ops"]
    period = 60
    statistic = "Average"
    threshold = 90
    alarm-actions <- service.web.alarms.notify
    ok-actions <- service.web.alarms.notify
    threshold <- service.web.alarms.cpu
    "#);
}

/// Each load balancer, service and daemon has a heading and its graphs below it, side by side, within the grid.
#[test]
fn a_dashboard_shows_all_that_serves() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            dashboard = true
            [cluster]
            insights = true
            [service.web]
            image = "web"
            port = 3000
            alarms = { errors = 20 }
            deploy = { strategy = "blue-green", alarms = ["errors"] }
            [service.worker]
            image = "worker"
            [service.broker]
            image = "broker"
            port = 1883
            route.mqtt = { tcp = 1883 }
        "#,
        None,
    );
    let declarations = made(&document);
    let dashboard = declarations.iter().find(|one| one.address.kind == "dashboard").unwrap();
    let widgets = dashboard.spec["body"]["widgets"].as_array().unwrap();
    let told = |widget: &Json| {
        let (place, properties) =
            (["x", "y", "width"].map(|key| &widget[key]), &widget["properties"]);
        let title = properties["title"].as_str().or(properties["markdown"].as_str()).unwrap();
        let lines = properties["metrics"].as_array().into_iter().flatten();
        let label = |line: &Json| line.as_array().unwrap().last().unwrap()["label"].to_string();
        let lines: Vec<String> = lines.map(label).collect();
        let told = format!("{} {} {}: {title} {}", place[0], place[1], place[2], lines.join(", "));
        told.trim_end().to_owned()
    };
    insta::assert_snapshot!(widgets.iter().map(told).collect::<Vec<_>>().join("\n"), @r###"
    0 0 24: ## load balancer main
    0 1 8: requests a minute "requests", "errors of tasks (5xx)", "errors of its own (5xx)"
    8 1 8: seconds until an answer "half of all", "99 of 100"
    16 1 8: connections "open", "rejected"
    0 7 24: ## network load balancer main
    0 8 8: connections "open", "new in a minute"
    8 8 8: bytes a minute "bytes"
    16 8 8: connections reset in a minute "by clients", "by tasks", "by the load balancer"
    0 14 24: ## service broker
    0 15 12: per cent in use "CPU", "memory"
    12 15 12: tasks "wanted", "running", "healthy", "unhealthy"
    0 21 24: ## service web
    0 22 6: per cent in use "CPU", "memory"
    6 22 6: tasks "wanted", "running", "healthy, web", "unhealthy, web", "healthy, web-other", "unhealthy, web-other"
    12 22 6: requests a minute "requests, web", "errors (5xx), web", "requests, web-other", "errors (5xx), web-other"
    18 22 6: seconds until an answer "half of all, web", "99 of 100, web", "half of all, web-other", "99 of 100, web-other"
    0 28 24: ## service worker
    0 29 12: per cent in use "CPU", "memory"
    12 29 12: tasks "wanted", "running"
    "###);
    let line = &widgets[12]["properties"]["metrics"][0];
    insta::assert_snapshot!(line.to_string(), @r#"["AWS/ECS","CPUUtilization","ClusterName","${cluster.main.name}","ServiceName","${service.web.name}",{"label":"CPU","stat":"Average"}]"#);
}
