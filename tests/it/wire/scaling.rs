//! Auto scaling and alarms: targets, policies, scheduled actions, and that nothing fights the scaler.

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalingPolicy, ScheduledAction, ServiceNamespace,
};
use ecsctl::cloud::aws::Aws;

use super::life::{HTTP, Life, RUNNING};
use crate::harness::Session;

const RESOURCE: &str = "service/life-default-main/life-default-web";

const TARGET: &str = r#"
[aws.scalable-target.web]
service = "${service.web.arn}"
min-capacity = 1
max-capacity = 4
"#;

/// What Application Auto Scaling says of the policies of the service, sorted by name.
fn policies(session: &Session) -> Vec<ScalingPolicy> {
    session.behind_its_back(async |aws| {
        let call = aws.scaling.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs);
        let found = call.resource_id(RESOURCE).send().await.expect("a list of policies");
        let mut found = found.scaling_policies.unwrap_or_default();
        found.sort_by(|a, b| a.policy_name().cmp(b.policy_name()));
        found
    })
}

/// The same of the scheduled actions.
fn actions(session: &Session) -> Vec<ScheduledAction> {
    session.behind_its_back(async |aws| {
        let call = aws.scaling.describe_scheduled_actions();
        let call = call.service_namespace(ServiceNamespace::Ecs).resource_id(RESOURCE);
        call.send().await.expect("a list").scheduled_actions.unwrap_or_default()
    })
}

/// Does what a scheduled action does when its time has come.
async fn bounds(aws: &Aws, min: i32, max: i32) {
    let call = aws.scaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call.resource_id(RESOURCE).min_capacity(min).max_capacity(max);
    call.send().await.expect("bounds can be changed");
}

/// Sets the count as the scaler does.
async fn scale(aws: &Aws, count: i32) {
    let call = aws.ecs.update_service().cluster("life-default-main").service("life-default-web");
    call.desired_count(count).send().await.expect("a service can be scaled");
}

fn count(session: &Session) -> i32 {
    session.behind_its_back(async |aws| {
        let call = aws.ecs.describe_services().cluster("life-default-main");
        let found = call.services("life-default-web").send().await.expect("a description");
        found.services()[0].desired_count()
    })
}

#[test]
fn scalable_target() {
    let life = Life::begin(&format!("{RUNNING}{TARGET}"));
    let target = "scalable-target.web";
    life.changes(target, &[("max-capacity = 4", "max-capacity = 6")], &["RegisterScalableTarget"]);
    life.changes(target, &[("min-capacity = 1", "min-capacity = 2")], &["RegisterScalableTarget"]);
    assert_eq!(count(&life.session), 2, "the count follows the bounds");
    life.changes(
        target,
        &[(
            "max-capacity = 6",
            "max-capacity = 6\nsuspended-state = { dynamic-scaling-in-suspended = true }",
        )],
        &["RegisterScalableTarget"],
    );
    life.changes(
        target,
        &[("\nsuspended-state = { dynamic-scaling-in-suspended = true }", "")],
        &["RegisterScalableTarget"],
    );
    life.drifts("update scalable-target.web", async |aws| bounds(aws, 1, 3).await);
    life.drifts("create scalable-target.web", async |aws| {
        let call =
            aws.scaling.deregister_scalable_target().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        call.resource_id(RESOURCE).send().await.expect("a deletion");
    });
    // Its service is deleted by hand; it stays behind, and is made anew with the next one.
    life.drifts("replace scalable-target.web", async |aws| {
        let call =
            aws.ecs.delete_service().cluster("life-default-main").service("life-default-web");
        call.force(true).send().await.expect("a deletion");
        gone(aws).await;
    });
    assert_eq!(count(&life.session), 2);
    life.ends();
}

#[expect(clippy::disallowed_methods, reason = "a test waits for what AWS does")]
async fn gone(aws: &Aws) {
    loop {
        let call = aws.ecs.describe_services().cluster("life-default-main");
        let found = call.services("life-default-web").send().await.expect("a description");
        if found.services()[0].status() == Some("INACTIVE") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// B3: with bounds of 2 to 10 and a live count of 7 no apply ever sends a count; one of 1 is raised to 2; and
/// without scaling the declared count holds again.
#[test]
fn b3_the_plan_never_fights_the_scaler() {
    let target = TARGET.replace("min-capacity = 1", "min-capacity = 2");
    let spec = RUNNING.replace("desired-count = 1", "desired-count = 2");
    let life = Life::begin(&format!("{spec}{}", target.replace("= 4", "= 10")));
    life.session.behind_its_back(async |aws| scale(aws, 7).await);
    life.nothing_is_left();
    // Another revision is rolled out, and the count stays.
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    life.apply();
    assert_eq!(count(&life.session), 7);
    life.drifts("update service.web", async |aws| scale(aws, 1).await);
    assert_eq!(count(&life.session), 2);
    life.session.behind_its_back(async |aws| scale(aws, 7).await);
    // Lower bounds take the count along.
    life.changes("scalable-target.web", &[("= 10", "= 5")], &["RegisterScalableTarget"]);
    assert_eq!(count(&life.session), 5);
    life.edit(&[(&target.replace("= 4", "= 5"), "")]);
    let planned = life.planned();
    assert_eq!(planned.len(), 2, "{planned:?}");
    assert!(planned.contains(&"delete scalable-target.web".to_owned()), "{planned:?}");
    assert!(planned.contains(&"update service.web".to_owned()), "{planned:?}");
    life.apply();
    assert_eq!(count(&life.session), 2);
    life.nothing_is_left();
    life.ends();
}

const POLICIES: &str = r#"
[aws.scaling-policy.cpu]
resource-id = "${scalable-target.web.resource-id}"
target-tracking = { target-value = 60, predefined-metric = { type = "ECSServiceAverageCPUUtilization" } }

[aws.scaling-policy.queue]
resource-id = "${scalable-target.web.resource-id}"

[aws.scaling-policy.queue.target-tracking]
target-value = 10.5
scale-in-cooldown = 60
disable-scale-in = true
customized-metric = { namespace = "Shop", metric-name = "Backlog", statistic = "Average", dimensions = { Queue = "orders" } }

[aws.scaling-policy.burst]
resource-id = "${scalable-target.web.resource-id}"
policy-type = "StepScaling"

[aws.scaling-policy.burst.step-scaling]
adjustment-type = "ChangeInCapacity"
cooldown = 60
step-adjustments = [
    { metric-interval-lower-bound = 0, metric-interval-upper-bound = 20, scaling-adjustment = 1 },
    { metric-interval-lower-bound = 20, scaling-adjustment = 3 },
]

[aws.alarm.burst]
namespace = "AWS/ECS"
metric-name = "CPUUtilization"
statistic = "Maximum"
period = 60
dimensions = { ClusterName = "${cluster.main.name}", ServiceName = "${service.web.name}" }
comparison-operator = "GreaterThanThreshold"
threshold = 70
alarm-actions = ["${scaling-policy.burst.arn}"]
"#;

#[test]
fn scaling_policy() {
    let life = Life::begin(&format!("{RUNNING}{TARGET}{POLICIES}"));
    let names = || -> Vec<String> {
        policies(&life.session).iter().map(|it| it.policy_name().to_owned()).collect()
    };
    assert_eq!(names(), ["life-default-burst", "life-default-cpu", "life-default-queue"]);
    let before = policies(&life.session);
    for (address, old, new) in [
        ("cpu", "target-value = 60", "scale-out-cooldown = 30, target-value = 55"),
        ("queue", "disable-scale-in = true\n", ""),
        ("queue", "dimensions = { Queue = \"orders\" }", "unit = \"Count\""),
        (
            "burst",
            "adjustment-type = \"ChangeInCapacity\"",
            "metric-aggregation-type = \"Maximum\"\nadjustment-type = \"PercentChangeInCapacity\"\nmin-adjustment-magnitude = 2",
        ),
    ] {
        life.edit(&[(old, new)]);
        assert_eq!(life.planned(), [format!("update scaling-policy.{address}")]);
        assert_eq!(life.apply().changes(), ["PutScalingPolicy"]);
        life.nothing_is_left();
    }
    life.edit(&[(
        "customized-metric = { namespace = \"Shop\", metric-name = \"Backlog\", statistic = \"Average\", unit = \"Count\" }",
        "customized-metric.metrics = { m = { metric = { namespace = \"Shop\", metric-name = \"Backlog\" }, stat = \"Sum\", return-data = false }, e = { expression = \"m / 60\", label = \"backlog\" } }",
    )]);
    life.apply();
    life.nothing_is_left();
    let arns = |found: &[ScalingPolicy]| -> Vec<String> {
        found.iter().map(|it| it.policy_arn().to_owned()).collect()
    };
    assert_eq!(arns(&policies(&life.session)), arns(&before), "changed in place");
    // Drift: one is gone, one has other numbers, and one is nobody's.
    life.drifts("create scaling-policy.cpu", async |aws| {
        let call = aws.scaling.delete_scaling_policy().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let call = call.resource_id(RESOURCE).policy_name("life-default-cpu");
        call.send().await.expect("a deletion");
    });
    let steps = policies(&life.session)[0].step_scaling_policy_configuration().cloned();
    life.drifts("delete scaling-policy.other", async |aws| {
        let call = aws.scaling.put_scaling_policy().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let call =
            call.resource_id(RESOURCE).policy_name("other").policy_type("StepScaling".into());
        let call = call.set_step_scaling_policy_configuration(steps);
        call.send().await.expect("a policy");
    });
    assert_eq!(names(), ["life-default-burst", "life-default-cpu", "life-default-queue"]);
    // Called otherwise, it takes the place of the one for the same metric.
    life.edit(&[("[aws.scaling-policy.cpu]", "[aws.scaling-policy.load]")]);
    life.session.run(&["apply", "--yes"]).exits(0);
    life.nothing_is_left();
    assert_eq!(names(), ["life-default-burst", "life-default-load", "life-default-queue"]);
    let session = life.ends();
    assert!(session.objects().is_empty(), "no alarm of target tracking is left");
}

const NIGHT: &str = r#"
[aws.scheduled-action.night]
resource-id = "${scalable-target.web.resource-id}"
schedule = "cron(0 20 * * ? *)"
timezone = "Europe/Berlin"
min-capacity = 0
max-capacity = 1

[aws.scheduled-action.morning]
resource-id = "${scalable-target.web.resource-id}"
schedule = "cron(0 6 * * ? *)"
min-capacity = 1
max-capacity = 4
"#;

/// B3: what a schedule has made of the bounds is no difference either.
#[test]
fn scheduled_action() {
    let life = Life::begin(&format!("{RUNNING}{TARGET}{NIGHT}"));
    for (old, new) in [
        ("cron(0 20 * * ? *)", "cron(30 20 * * ? *)"),
        ("timezone = \"Europe/Berlin\"\n", ""),
        (
            "max-capacity = 1\n",
            "max-capacity = 1\nstart-time = \"2027-01-01T00:00:00Z\"\nend-time = \"2028-01-01T00:00:00Z\"\n",
        ),
        ("start-time = \"2027-01-01T00:00:00Z\"\n", ""),
        ("min-capacity = 0\n", ""),
        ("max-capacity = 1\nend", "min-capacity = 0\nmax-capacity = 1\nend"),
    ] {
        life.edit(&[(old, new)]);
        assert_eq!(life.planned(), ["update scheduled-action.night"]);
        assert_eq!(life.apply().changes(), ["PutScheduledAction"]);
        life.nothing_is_left();
    }
    // It is night.
    life.session.behind_its_back(async |aws| {
        bounds(aws, 0, 1).await;
        scale(aws, 0).await;
    });
    life.nothing_is_left();
    // Whoever sets the bounds to what nobody declares is not heeded.
    life.drifts("update scalable-target.web", async |aws| bounds(aws, 3, 3).await);
    life.drifts("create scheduled-action.night", async |aws| {
        let call = aws.scaling.delete_scheduled_action().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let call = call.resource_id(RESOURCE).scheduled_action_name("life-default-night");
        call.send().await.expect("a deletion");
    });
    assert_eq!(actions(&life.session).len(), 2);
    let morning = "\n[aws.scheduled-action.morning]\nresource-id = \"${scalable-target.web.resource-id}\"\n\
                   schedule = \"cron(0 6 * * ? *)\"\nmin-capacity = 1\nmax-capacity = 4\n";
    life.edit(&[(morning, "")]);
    assert_eq!(life.planned(), ["delete scheduled-action.morning"]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

const ALARM: &str = r#"
[aws.alarm.errors]
namespace = "AWS/ApplicationELB"
metric-name = "HTTPCode_Target_5XX_Count"
statistic = "Sum"
period = 60
dimensions = { LoadBalancer = "${load-balancer.main.arn-suffix}", TargetGroup = "${target-group.web.arn-suffix}" }
comparison-operator = "GreaterThanThreshold"
threshold = 10
"#;

#[test]
fn alarm() {
    let life = Life::begin(&format!("{}{ALARM}", *HTTP));
    let alarm = "alarm.errors";
    for (old, new) in [
        ("threshold = 10", "threshold = 2.5\nevaluation-periods = 5\ndatapoints-to-alarm = 3"),
        (
            "period = 60",
            "period = 60\ntreat-missing-data = \"notBreaching\"\ndescription = \"the shop answers with errors\"",
        ),
        (
            "statistic = \"Sum\"",
            "extended-statistic = \"p99\"\nevaluate-low-sample-count-percentile = \"ignore\"",
        ),
        (
            "datapoints-to-alarm = 3",
            "actions-enabled = false\nalarm-actions = [\"arn:aws:sns:us-east-1:123456789012:ops\"]\nok-actions = [\"arn:aws:sns:us-east-1:123456789012:ops\"]\ninsufficient-data-actions = [\"arn:aws:sns:us-east-1:123456789012:ops\"]",
        ),
        ("actions-enabled = false\n", "unit = \"Count\"\n"),
        (
            "namespace = \"AWS/ApplicationELB\"\nmetric-name = \"HTTPCode_Target_5XX_Count\"\nextended-statistic = \"p99\"\nevaluate-low-sample-count-percentile = \"ignore\"\nperiod = 60\n",
            "metrics = { e = { expression = \"100 * m / 2\", period = 60 }, m = { metric = { namespace = \"Shop\", metric-name = \"Errors\" }, stat = \"Sum\", period = 60, unit = \"Count\", return-data = false } }\n",
        ),
    ] {
        let mut edits = vec![(old, new)];
        if new.starts_with("metrics") {
            edits.push(("dimensions = { LoadBalancer = \"${load-balancer.main.arn-suffix}\", TargetGroup = \"${target-group.web.arn-suffix}\" }\n", ""));
            edits.push(("unit = \"Count\"\nalarm", "alarm"));
        }
        life.changes(alarm, &edits, &["PutMetricAlarm"]);
    }
    life.replaces(
        alarm,
        &[("[aws.alarm.errors]", "[aws.alarm.errors]\nname = \"shop-errors\"")],
        &["PutMetricAlarm", "DeleteAlarms"],
    );
    life.drifts("update alarm.errors", async |aws| {
        let call = aws.cloudwatch.put_metric_alarm().alarm_name("shop-errors").metric_name("M");
        let call = call.namespace("N").period(60).statistic("Sum".into()).threshold(1.0);
        let call = call.evaluation_periods(1).comparison_operator("GreaterThanThreshold".into());
        call.send().await.expect("a change");
    });
    life.drifts("create alarm.errors", async |aws| {
        aws.cloudwatch.delete_alarms().alarm_names("shop-errors").send().await.expect("a deletion");
    });
    // B8: one of the same name that is not ours.
    life.edit(&[("name = \"shop-errors\"", "name = \"theirs\"")]);
    life.session.behind_its_back(async |aws| {
        let call = aws.cloudwatch.put_metric_alarm().alarm_name("theirs").metric_name("M");
        let call = call.namespace("N").period(60).statistic("Sum".into()).threshold(1.0);
        let call = call.evaluation_periods(1).comparison_operator("GreaterThanThreshold".into());
        call.send().await.expect("an alarm");
    });
    life.session.run(&["apply", "--yes"]).exits(1).says("something else has the name");
    life.session.behind_its_back(async |aws| {
        aws.cloudwatch.delete_alarms().alarm_names("theirs").send().await.expect("a deletion");
    });
    life.apply();
    life.nothing_is_left();
    life.ends();
}
