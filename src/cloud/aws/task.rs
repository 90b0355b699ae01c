//! One-off tasks: RunTask, DescribeTasks, StopTask, and what their containers write to CloudWatch Logs.

use aws_sdk_ecs::types as sdk;
use futures::future::BoxFuture;

use super::{Aws, batched, ecs, tags};
use crate::cloud::Tasks;
use crate::kind::{Class, End, Error, How, Lines, Order, Overrides, Result, StackId, Stream, Task};

/// Tasks that DescribeTasks takes in a call.
const PORTION: usize = 100;

impl Tasks for Aws {
    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move {
            let task = start(self, order).await?;
            task.task_arn.ok_or_else(|| Error::incomplete("the task's ARN"))
        })
    }

    fn task<'a>(&'a self, arn: &'a str, container: &'a str) -> BoxFuture<'a, Result<Option<Task>>> {
        Box::pin(async move { Ok(find(self, arn).await?.map(|task| read(&task, container))) })
    }

    fn stop<'a>(&'a self, arn: &'a str, why: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(stop(self, arn, why))
    }

    fn lines<'a>(
        &'a self,
        stream: &'a Stream,
        from: Option<String>,
    ) -> BoxFuture<'a, Result<Lines>> {
        Box::pin(lines(self, stream, from))
    }
}

/// RunTask: one task, with the tags of its task definition. What cannot be placed is a failure in a reply
/// that is a success.
pub async fn start(aws: &Aws, order: &Order) -> Result<sdk::Task> {
    let on_demand = order.strategy.is_empty();
    let strategy = Some(ecs::strategy(&order.strategy)).filter(|_| !on_demand);
    let call = aws
        .ecs
        .run_task()
        .cluster(&order.cluster)
        .task_definition(&order.task_definition)
        .set_launch_type(on_demand.then_some(sdk::LaunchType::Fargate))
        .set_capacity_provider_strategy(strategy)
        .set_network_configuration(interface(order))
        .propagate_tags(sdk::PropagateTags::TaskDefinition)
        .started_by(&order.started_by)
        .client_token(&order.token)
        .set_overrides(overrides(&order.overrides));
    let reply = call.send().await.map_err(|error| Error::from(error).while_creating())?;
    if let Some(failure) = reply.failures().first() {
        let reason = failure.detail().or(failure.reason()).unwrap_or("no reason given");
        let error = Error::new(Class::Other, format!("ECS cannot start the task: {reason}"));
        return Err(error.hinted("try again later, or elsewhere: capacity comes and goes"));
    }
    let task = reply.tasks.unwrap_or_default().into_iter().next();
    task.ok_or_else(|| Error::incomplete("the task"))
}

/// `None` where it has no address of its own.
fn interface(order: &Order) -> Option<sdk::NetworkConfiguration> {
    let public = if order.has_public_address { "ENABLED" } else { "DISABLED" };
    let interface = sdk::AwsVpcConfiguration::builder()
        .set_subnets(Some(order.subnets.clone()))
        .set_security_groups(Some(order.security_groups.clone()))
        .assign_public_ip(public.into())
        .build()
        .expect("the subnets are set");
    let network = sdk::NetworkConfiguration::builder().awsvpc_configuration(interface).build();
    Some(network).filter(|_| !order.subnets.is_empty())
}

/// `None` when all is as the task definition says.
fn overrides(all: &Overrides) -> Option<sdk::TaskOverride> {
    let Overrides { container, command, environment, size } = all;
    if command.is_none() && environment.is_empty() && size.is_none() {
        return None;
    }
    let variable = |(name, value): (&String, &String)| {
        sdk::KeyValuePair::builder().name(name).value(value).build()
    };
    let own = sdk::ContainerOverride::builder()
        .name(container)
        .set_command(command.clone())
        .set_environment(Some(environment.iter().map(variable).collect()))
        .build();
    let (cpu, memory) = size.map(|(cpu, memory)| (cpu.to_string(), memory.to_string())).unzip();
    let task = sdk::TaskOverride::builder().container_overrides(own);
    Some(task.set_cpu(cpu).set_memory(memory).build())
}

/// DescribeTasks of one task. What is not there is a failure in the reply.
async fn find(aws: &Aws, arn: &str) -> Result<Option<sdk::Task>> {
    let call = aws.ecs.describe_tasks().set_cluster(cluster(arn)).tasks(arn);
    Ok(call.send().await?.tasks.unwrap_or_default().into_iter().next())
}

/// How a task does.
pub async fn look(aws: &Aws, arn: &str, container: &str) -> Result<Option<Task>> {
    aws.task(arn, container).await
}

/// The tasks of a family, running or stopped within the last hour, that were started by `started_by`.
/// ListTasks takes that filter with no other, and alone it lists what runs.
pub async fn started_by(
    aws: &Aws,
    cluster: &str,
    family: &str,
    started_by: &str,
) -> Result<Vec<sdk::Task>> {
    let mut arns = Vec::new();
    for status in [sdk::DesiredStatus::Running, sdk::DesiredStatus::Stopped] {
        let call = aws.ecs.list_tasks().cluster(cluster).family(family).desired_status(status);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            arns.extend(page.map_err(Error::from)?.task_arns.unwrap_or_default());
        }
    }
    let mut tasks = batched(&arns, PORTION, |arns| async move {
        let call = aws.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec()));
        Ok(call.send().await.map_err(Error::from)?.tasks.unwrap_or_default())
    })
    .await?;
    tasks.retain(|task| task.started_by() == Some(started_by));
    Ok(tasks)
}

/// StopTask. One that is gone has stopped.
pub async fn stop(aws: &Aws, arn: &str, why: &str) -> Result<()> {
    let call = aws.ecs.stop_task().set_cluster(cluster(arn)).task(arn).reason(why);
    match call.send().await.map_err(Error::from) {
        Err(error) if !error.message.contains("task was not found") => Err(error),
        _ => Ok(()),
    }
}

/// Stops the tasks of a cluster that carry the stack's tags.
pub async fn stop_all(aws: &Aws, cluster: &str, stack: &StackId) -> Result<()> {
    let mut pages = aws.ecs.list_tasks().cluster(cluster).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(page.map_err(Error::from)?.task_arns.unwrap_or_default());
    }
    for portion in arns.chunks(PORTION) {
        let call = aws.ecs.describe_tasks().cluster(cluster).include(sdk::TaskField::Tags);
        let found = call.set_tasks(Some(portion.to_vec())).send().await?;
        let ours = found.tasks().iter().filter(|task| stack.owns(&tags::ecs::read(task.tags())));
        for arn in ours.filter_map(|task| task.task_arn()) {
            stop(aws, arn, "ecsctl destroy: its cluster is deleted").await?;
        }
    }
    Ok(())
}

/// The task in plain words.
pub fn read(task: &sdk::Task, container: &str) -> Task {
    let status = task.last_status().unwrap_or("PENDING");
    let stopped = || {
        let how = match task.stop_code() {
            Some(sdk::TaskStopCode::TaskFailedToStart) => How::NeverStarted,
            Some(sdk::TaskStopCode::EssentialContainerExited) => How::Exited,
            _ => How::Stopped,
        };
        let own = task.containers().iter().find(|own| own.name() == Some(container));
        let code = own.and_then(|own| own.exit_code());
        End { how, code, why: explain(task) }
    };
    Task {
        arn: task.task_arn().unwrap_or_default().to_owned(),
        status: status.to_owned(),
        created: task.created_at().map(|moment| moment.secs()).unwrap_or_default(),
        end: (status == "STOPPED").then(stopped),
    }
}

/// Why a task stopped, in a line: its reason, and what its containers say.
pub fn explain(task: &sdk::Task) -> String {
    let stopped = task.stopped_reason().unwrap_or("a task stopped without a reason");
    let containers = task.containers().iter().filter_map(|container| {
        let name = container.name()?;
        match (container.exit_code(), container.reason()) {
            (Some(code), Some(reason)) => Some(format!("`{name}` exited with {code}: {reason}")),
            (Some(code), None) if code != 0 => Some(format!("`{name}` exited with {code}")),
            // What stopped the task is often said again of each container.
            (None, Some(reason)) if reason != stopped => Some(format!("`{name}`: {reason}")),
            _ => None,
        }
    });
    std::iter::once(stopped.to_owned()).chain(containers).collect::<Vec<_>>().join("; ")
}

/// GetLogEvents: a page, from the stream's beginning on. The driver makes the stream when there is
/// something to write.
pub async fn lines(aws: &Aws, stream: &Stream, from: Option<String>) -> Result<Lines> {
    let call = aws.logs.get_log_events().log_group_name(&stream.group);
    let call = call.log_stream_name(&stream.name).start_from_head(true);
    match call.set_next_token(from.clone()).send().await.map_err(Error::from) {
        Ok(page) => {
            let events = page.events.unwrap_or_default().into_iter();
            let lines = events.filter_map(|event| event.message).collect();
            Ok(Lines { lines, next: page.next_forward_token })
        }
        Err(error) if error.class == Class::Absent => Ok(Lines { lines: Vec::new(), next: from }),
        Err(error) => Err(error),
    }
}

/// The cluster in a task's ARN: `arn:…:task/<cluster>/<id>`.
fn cluster(arn: &str) -> Option<String> {
    let (cluster, _) = arn.split_once(":task/")?.1.split_once('/')?;
    Some(cluster.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(code: sdk::TaskStopCode, exit: Option<i32>) -> Task {
        let container = sdk::Container::builder().name("api").set_exit_code(exit);
        let task = sdk::Task::builder()
            .task_arn("arn:aws:ecs:eu-west-1:123456789012:task/shop-prod-main/0a1b")
            .last_status("STOPPED")
            .stop_code(code)
            .stopped_reason("because")
            .containers(container.build());
        read(&task.build(), "api")
    }

    #[test]
    fn only_an_end_of_its_own_with_exit_code_0_is_good() {
        let is_good = |code, exit| stopped(code, exit).end.expect("it has stopped").is_good();
        assert!(is_good(sdk::TaskStopCode::EssentialContainerExited, Some(0)));
        assert!(!is_good(sdk::TaskStopCode::EssentialContainerExited, Some(1)));
        assert!(!is_good(sdk::TaskStopCode::EssentialContainerExited, None));
        assert!(!is_good(sdk::TaskStopCode::UserInitiated, Some(0)));
        assert!(!is_good(sdk::TaskStopCode::TaskFailedToStart, None));
    }

    #[test]
    fn a_task_knows_its_cluster() {
        let task = stopped(sdk::TaskStopCode::UserInitiated, None);
        assert_eq!(cluster(&task.arn).as_deref(), Some("shop-prod-main"));
    }

    #[test]
    fn nothing_is_overridden_unless_it_is_said() {
        assert_eq!(overrides(&Overrides::default()), None);
        let said = Overrides { size: Some((512, 1024)), ..Overrides::default() };
        let told = overrides(&said).expect("something is said");
        assert_eq!((told.cpu(), told.memory()), (Some("512"), Some("1024")));
    }
}
