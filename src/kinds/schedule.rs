//! `schedule`: a schedule of EventBridge Scheduler that runs a task of ECS.
//!
//! Schedules have no tags: a stack's are those in its groups, and each is called as its address is.

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput as Description;
use aws_sdk_scheduler::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::service::Network;
use super::types::capacity;
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use super::types::{Json, forms};
use crate::address::Address;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, Awaits, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Live, Made, Observed,
    Remains, Result, Share, Sought, Strategy, TAG_ID, TagChange, Unit,
};

/// A schedule of EventBridge Scheduler that runs a task of ECS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct Schedule {
    /// The name of the group that it lies in: one of this stack.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${schedule-group.main.name}"]))]
    pub group: String,
    /// When: `cron(0 3 * * ? *)`, `rate(1 hour)` or `at(2027-01-01T00:00:00)`.
    pub expression: String,
    /// The time zone in which that is meant, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub timezone: String,
    /// What it is for, up to 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it does anything.
    #[serde(default = "enabled")]
    pub state: State,
    /// Minutes within which it may start; left out, it starts at the time itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible_window_minutes: Option<u32>,
    /// The cluster's ARN.
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: String,
    /// The ARN of the role with which EventBridge Scheduler runs the task.
    #[schemars(extend("examples" = ["${role.report-schedule.arn}"]))]
    pub role_arn: String,
    /// The ARN of the task definition's revision.
    #[schemars(extend("examples" = ["${task-definition.report.arn}"]))]
    pub task_definition: String,
    /// How many tasks it starts, 1 to 10.
    #[serde(default = "one")]
    pub task_count: u32,
    /// On what they run; left out, the capacity providers decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<LaunchType>,
    /// The capacity providers that run them; left out, the cluster's default ones do.
    #[serde(default)]
    pub capacity_provider_strategy: Strategy,
    /// Fargate's platform version.
    #[serde(default = "latest")]
    pub platform_version: String,
    /// Where the tasks' interfaces are, for task definitions with `awsvpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Whose tags the tasks get; nobody's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagate_tags: Option<PropagateTags>,
    /// Whether ECS tags the tasks with the cluster's name.
    #[serde(default)]
    pub enable_ecs_managed_tags: bool,
    /// Whether commands may be run in the tasks (ECS Exec).
    #[serde(default)]
    pub enable_execute_command: bool,
    /// How often a start that ECS refused is tried again, 0 to 185 times.
    #[serde(default = "most_attempts")]
    pub maximum_retry_attempts: u32,
    /// Seconds after which it is not tried any more, 60 to 86400.
    #[serde(default = "one_day")]
    pub maximum_event_age_in_seconds: u32,
    /// The ARN of the SQS queue that gets what could not be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
    /// Overrides of RunTask, as a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Json>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn enabled() -> State {
    State::Enabled
}

fn one() -> u32 {
    1
}

fn latest() -> String {
    "LATEST".to_owned()
}

/// What EventBridge Scheduler takes when nothing is said. Page "RetryPolicy".
fn most_attempts() -> u32 {
    185
}

fn one_day() -> u32 {
    86_400
}

words! {
    /// Whether a schedule does anything.
    State as "a state of a schedule" {
        /// It does.
        Enabled = "ENABLED",
        /// It does not.
        Disabled = "DISABLED",
    }
}

words! {
    /// On what scheduled tasks run.
    LaunchType as "a launch type" {
        /// Fargate.
        Fargate = "FARGATE",
        /// Instances of one's own.
        Ec2 = "EC2",
        /// Machines outside AWS.
        External = "EXTERNAL",
    }
}

words! {
    /// Whose tags scheduled tasks get.
    PropagateTags as "a source of tags" {
        /// The task definition's.
        TaskDefinition = "TASK_DEFINITION",
    }
}

impl Kind for Schedule {
    const NAME: &'static str = "schedule";
    const ABOUT: About = About {
        observed_after: &["schedule-group"],
        // It may run at any moment from then on.
        awaits: &[
            Awaits { of: &["security-group"], by: &["security-group-rule"] },
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["vpc-endpoint"] },
        ],
        remains: Remains::Untagged,
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check.form("E0296", "expression", &self.expression, forms::schedule);
        check.form("E0296", "timezone", &self.timezone, forms::timezone);
        let numbers = [
            ("flexible-window-minutes", self.flexible_window_minutes, Unit::Times, 1..=1440),
            ("task-count", Some(self.task_count), Unit::Times, 1..=10),
            ("maximum-retry-attempts", Some(self.maximum_retry_attempts), Unit::Times, 0..=185),
            (
                "maximum-event-age-in-seconds",
                Some(self.maximum_event_age_in_seconds),
                Unit::Seconds,
                60..=86_400,
            ),
        ];
        for (field, value, unit, legal) in numbers {
            check.within("E0298", field, (value, unit), legal);
        }
        capacity::check(&self.capacity_provider_strategy, "capacity-provider-strategy", check);
        if self.launch_type.is_some() && !self.capacity_provider_strategy.is_empty() {
            let title =
                "a schedule has a launch type or a capacity provider strategy, and not both";
            check.error_with("E0252", "launch-type", title, "leave `launch-type` out");
        }
        if check.address.name.len() > LONGEST {
            let title = format!(
                "`{}` is longer than the 64 characters of a schedule's name",
                check.address.name
            );
            check.error("E0298", "", title);
        }
    }

    /// ListSchedules of each of the stack's groups, and GetSchedule of each in it.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let ours = sought.before.iter().filter(|live| sought.is_ours(&live.tags));
        let groups: Vec<&Live> = ours.copied().collect();
        let found = concurrently(&groups, |group| async move {
            let name = group.spec.text("name").unwrap_or_default();
            let names = list(aws, name).await?;
            let each = concurrently(&names, |own| read(aws, name, own)).await?;
            each.into_iter()
                .flatten()
                .map(|found| observed(&found, group))
                .collect::<Result<Vec<_>>>()
        });
        let found: Vec<Observed<Self>> = found.await?.into_iter().flatten().collect();
        aws.spare(found.iter().map(|schedule| schedule.live.task_definition.as_str())).await;
        Ok(found)
    }

    /// CreateSchedule. One that is there already, in the stack's own group, is from an attempt whose reply
    /// was lost.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.scheduler.create_schedule().name(&cx.address.name);
        let call = call.group_name(&self.group).client_token(cx.token);
        let sent = call
            .schedule_expression(&self.expression)
            .schedule_expression_timezone(&self.timezone)
            .set_description(self.description.clone())
            .state(self.state.word().into())
            .flexible_time_window(self.window())
            .target(self.target())
            .send()
            .await
            .map_err(|error| soon(error.into()));
        match sent.exists_is_fine()? {
            Some(made) => Ok(Made::new(&made.schedule_arn, Outputs::of(&made.schedule_arn))),
            None => self.put(cx).await,
        }
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put(cx).await
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.scheduler.delete_schedule().group_name(&was.group);
        // Somebody's else, in the stack's group, need not have the name of an address.
        let name = cx.id.rsplit('/').next().unwrap_or_default();
        let call = call.name(name).client_token(cx.token);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(_cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        Ok(())
    }
}

/// The longest name. Page "CreateSchedule".
const LONGEST: usize = 64;

impl Schedule {
    /// UpdateSchedule: what is not said in it is at its default afterwards.
    async fn put(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.scheduler.update_schedule().name(&cx.address.name);
        let sent = call
            .group_name(&self.group)
            .schedule_expression(&self.expression)
            .schedule_expression_timezone(&self.timezone)
            .set_description(self.description.clone())
            .state(self.state.word().into())
            .flexible_time_window(self.window())
            .target(self.target())
            .send()
            .await
            .map_err(|error| soon(error.into()))?;
        Ok(Made::new(&sent.schedule_arn, Outputs::of(&sent.schedule_arn)))
    }

    fn window(&self) -> sdk::FlexibleTimeWindow {
        let mode = match self.flexible_window_minutes {
            Some(_) => sdk::FlexibleTimeWindowMode::Flexible,
            None => sdk::FlexibleTimeWindowMode::Off,
        };
        sdk::FlexibleTimeWindow::builder()
            .mode(mode)
            .set_maximum_window_in_minutes(self.flexible_window_minutes.map(int))
            .build()
            .expect("the mode is set")
    }

    fn target(&self) -> sdk::Target {
        let network = self.network.as_ref().map(|network| {
            sdk::NetworkConfiguration::builder().awsvpc_configuration(interface(network)).build()
        });
        let is_fargate = self.launch_type == Some(LaunchType::Fargate);
        let has_platform = is_fargate || self.platform_version != "LATEST";
        let task = sdk::EcsParameters::builder()
            .task_definition_arn(&self.task_definition)
            .task_count(int(self.task_count))
            .set_launch_type(self.launch_type.map(|launch| launch.word().into()))
            .set_capacity_provider_strategy(self.shares())
            .set_platform_version(has_platform.then(|| self.platform_version.clone()))
            .set_network_configuration(network)
            .set_propagate_tags(self.propagate_tags.map(|whose| whose.word().into()))
            .enable_ecs_managed_tags(self.enable_ecs_managed_tags)
            .enable_execute_command(self.enable_execute_command)
            .build()
            .expect("the task definition is set");
        let retries = sdk::RetryPolicy::builder()
            .maximum_retry_attempts(int(self.maximum_retry_attempts))
            .maximum_event_age_in_seconds(int(self.maximum_event_age_in_seconds));
        let letters = |arn: &String| sdk::DeadLetterConfig::builder().arn(arn).build();
        sdk::Target::builder()
            .arn(&self.cluster)
            .role_arn(&self.role_arn)
            .ecs_parameters(task)
            .retry_policy(retries.build())
            .set_dead_letter_config(self.dead_letter_queue.as_ref().map(letters))
            .set_input(self.input.as_ref().map(Json::text))
            .build()
            .expect("cluster and role are set")
    }

    fn shares(&self) -> Option<Vec<sdk::CapacityProviderStrategyItem>> {
        let item = |share: &Share| {
            sdk::CapacityProviderStrategyItem::builder()
                .capacity_provider(&share.capacity_provider)
                .base(int(share.base))
                .weight(int(share.weight))
                .build()
                .expect("the provider is set")
        };
        let strategy = &self.capacity_provider_strategy;
        Some(strategy.iter().map(item).collect()).filter(|_| !strategy.is_empty())
    }

    /// What a schedule is like. Of one that does something else than to run a task only its time is told:
    /// it is not what was declared in any case.
    fn read(found: &Description) -> Result<Self> {
        let target = found.target();
        let task = target.and_then(sdk::Target::ecs_parameters);
        let retries = target.and_then(sdk::Target::retry_policy);
        let window = found.flexible_time_window();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let launch = task.and_then(|task| task.launch_type());
        let tags = task.and_then(|task| task.propagate_tags());
        let network = task.and_then(|task| task.network_configuration()?.awsvpc_configuration());
        let letters = target.and_then(|target| target.dead_letter_config()?.arn());
        let input = target.and_then(sdk::Target::input).map(Json::parse).transpose();
        let broken = |error| Error::new(Class::Other, format!("its input is no JSON: {error}"));
        let platform = task.and_then(sdk::EcsParameters::platform_version);
        let attempts = retries.and_then(sdk::RetryPolicy::maximum_retry_attempts);
        let age = retries.and_then(sdk::RetryPolicy::maximum_event_age_in_seconds);
        let flag = |flag: Option<bool>| flag.unwrap_or(false);
        Ok(Self {
            group: text(found.group_name()),
            expression: text(found.schedule_expression()),
            timezone: found.schedule_expression_timezone().unwrap_or("UTC").to_owned(),
            description: found.description().filter(|text| !text.is_empty()).map(str::to_owned),
            state: State::read(found.state().map_or("ENABLED", |state| state.as_str()))?,
            flexible_window_minutes: window.and_then(|w| w.maximum_window_in_minutes()).map(number),
            cluster: text(target.map(sdk::Target::arn)),
            role_arn: text(target.map(sdk::Target::role_arn)),
            task_definition: text(task.map(sdk::EcsParameters::task_definition_arn)),
            task_count: task.and_then(|task| task.task_count()).map_or(1, number),
            launch_type: launch.map(|launch| LaunchType::read(launch.as_str())).transpose()?,
            capacity_provider_strategy: task.map(strategy).unwrap_or_default(),
            platform_version: platform.unwrap_or("LATEST").to_owned(),
            network: network.map(seen),
            propagate_tags: tags.map(|tags| PropagateTags::read(tags.as_str())).transpose()?,
            enable_ecs_managed_tags: flag(task.and_then(|it| it.enable_ecs_managed_tags())),
            enable_execute_command: flag(task.and_then(|it| it.enable_execute_command())),
            maximum_retry_attempts: attempts.map_or_else(most_attempts, number),
            maximum_event_age_in_seconds: age.map_or_else(one_day, number),
            dead_letter_queue: letters.map(str::to_owned),
            input: input.map_err(broken)?,
        })
    }
}

fn interface(network: &Network) -> sdk::AwsVpcConfiguration {
    let Network { subnets, security_groups, assign_public_ip } = network;
    let public = if *assign_public_ip { "ENABLED" } else { "DISABLED" };
    let groups = Some(security_groups.iter().cloned().collect::<Vec<_>>());
    sdk::AwsVpcConfiguration::builder()
        .set_subnets(Some(subnets.iter().cloned().collect()))
        // A list of none is refused.
        .set_security_groups(groups.filter(|groups| !groups.is_empty()))
        .assign_public_ip(public.into())
        .build()
        .expect("the subnets are set")
}

fn seen(found: &sdk::AwsVpcConfiguration) -> Network {
    Network {
        subnets: found.subnets().iter().cloned().collect(),
        security_groups: found.security_groups().iter().cloned().collect(),
        assign_public_ip: found.assign_public_ip() == Some(&sdk::AssignPublicIp::Enabled),
    }
}

/// A group, a role or a cluster that was made a moment ago is not visible to everybody yet.
fn soon(error: Error) -> Error {
    let class = if error.class == Class::Absent { Class::Eventual } else { error.class };
    Error { class, ..error }
}

/// ListSchedules: the names of a group's schedules.
async fn list(aws: &Aws, group: &str) -> Result<Vec<String>> {
    let call = aws.scheduler.list_schedules().group_name(group).max_results(100);
    let mut pages = call.into_paginator().items().send();
    let mut names = Vec::new();
    loop {
        match pages.next().await.transpose().map_err(Error::from) {
            Ok(Some(found)) => names.extend(found.name),
            Ok(None) => return Ok(names),
            // The group has gone since it was listed, and they with it.
            Err(error) if error.class == Class::Absent => return Ok(names),
            Err(error) => return Err(error),
        }
    }
}

/// GetSchedule.
async fn read(aws: &Aws, group: &str, name: &str) -> Result<Option<Description>> {
    let call = aws.scheduler.get_schedule().group_name(group).name(name);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// A schedule goes by its group's tags, and its name is that of its address.
fn observed(found: &Description, group: &Live) -> Result<Observed<Schedule>> {
    let arn = found.arn().ok_or_else(|| Error::incomplete("a schedule's ARN"))?;
    let address = Address::new(Schedule::NAME, found.name().unwrap_or_default());
    let mut tags = group.tags.clone();
    tags.insert(TAG_ID.to_owned(), address.to_string());
    Ok(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: Schedule::read(found)?,
        outputs: Outputs::of(arn),
        tags,
        condition: match &group.condition {
            Condition::Leaving(why) => Condition::Leaving(why.clone()),
            _ => Condition::Ready,
        },
    })
}

fn strategy(task: &sdk::EcsParameters) -> Strategy {
    let share = |item: &sdk::CapacityProviderStrategyItem| Share {
        capacity_provider: item.capacity_provider().to_owned(),
        base: number(item.base()),
        weight: number(item.weight()),
    };
    task.capacity_provider_strategy().iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn least() -> Value {
        json!({
            "group": "shop-prod-main", "expression": "rate(1 hour)", "cluster": "arn:c",
            "role-arn": "arn:r", "task-definition": "arn:t",
        })
    }

    #[test]
    fn it_reads_back() {
        reads_back::<Schedule>(least());
        let mut all = least();
        all["input"] = json!({ "cpu": "512" });
        all["network"] = json!({ "subnets": ["subnet-1"], "security-groups": ["sg-1"] });
        reads_back::<Schedule>(all);
    }

    /// B1: what is sent is what is seen.
    #[test]
    fn what_is_written_is_read() {
        let mut all = least();
        all["network"] = json!({ "subnets": ["subnet-1"], "assign-public-ip": true });
        all["launch-type"] = json!("FARGATE");
        all["maximum-retry-attempts"] = json!(2);
        all["flexible-window-minutes"] = json!(15);
        all["input"] = json!({ "cpu": "512" });
        for spec in [least(), all] {
            let spec: Schedule = serde_json::from_value(spec).unwrap();
            let found = Description::builder()
                .group_name(&spec.group)
                .schedule_expression(&spec.expression)
                .schedule_expression_timezone(&spec.timezone)
                .flexible_time_window(spec.window())
                .target(spec.target())
                .build();
            assert_eq!(Schedule::read(&found).unwrap(), spec);
        }
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let mut wrong = least();
        wrong["expression"] = json!("0 3 * * *");
        wrong["timezone"] = json!("Berlin time");
        wrong["task-count"] = json!(11);
        wrong["maximum-retry-attempts"] = json!(186);
        wrong["maximum-event-age-in-seconds"] = json!(30);
        insta::assert_snapshot!(flaws::<Schedule>(wrong), @"
        E0296 expression: `0 3 * * *` is neither `cron(…)` nor `rate(…)` nor `at(…)`
        E0296 timezone: `Berlin time` is no time zone such as `Europe/Berlin`
        E0298 task-count: `task-count` is at most 10
        E0298 maximum-retry-attempts: `maximum-retry-attempts` is at most 185
        E0298 maximum-event-age-in-seconds: `maximum-event-age-in-seconds` is at least 1m (60 s)
        ");
    }
}
