//! `ecsctl run`: a task of the stack, once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::Args;
use sha2::{Digest as _, Sha256};

use super::context::Context;
use super::follow::{Follow, settled};
use super::options::{Format, key};
use super::stack::{Stack, load};
use super::world::{Door, block_on, stand};
use super::{Exit, Failure};
use crate::blueprint::{Launch, sizes};
use crate::diag::Diagnostic;
use crate::kind::{self, Order, Overrides, StackId, Stream};
use crate::kinds::types::cpu_memory::{Cpu, Memory, fargate_memories};
use crate::nearest::nearest;
use crate::plan::Standing;
use crate::report::summary::listed;
use crate::report::{task, trouble};
use crate::snapshot::{Snapshot, observe_of};
use crate::value::Value;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The task: NAME of a table `[task.NAME]`
    #[arg(value_name = "NAME")]
    task: String,
    /// An environment variable of its container; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key)]
    set_env: Vec<(String, String)>,
    /// CPU and memory of this run: 1vcpu/2GB
    #[arg(long, value_name = "SIZE", value_parser = sizes)]
    size: Option<(u32, u32)>,
    /// Prints the task's ARN and leaves it to itself
    #[arg(long)]
    no_wait: bool,
    /// What it runs, in place of its `command`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// An instance takes any size for which it has room.
fn refuse_size(launch: &Launch, size: Option<(u32, u32)>) -> Result<(), Failure> {
    let is_odd = |(cpu, memory)| !fargate_memories(Cpu(cpu)).contains(&Memory(memory));
    if !launch.is_on_fargate() || !size.is_some_and(is_odd) {
        return Ok(());
    }
    let fault = Diagnostic::error("E0240", "Fargate has no tasks of that size");
    Err(Failure::told(Exit::Usage, fault.hint("write one that it has, such as `--size 1vcpu/2GB`")))
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("run")?;
    let mut stack = load(cx)?;
    let launch = launch(&stack, &arguments.task)?;
    refuse_size(&launch, arguments.size)?;
    block_on(async {
        let ended = start(cx, &mut stack, launch, arguments).await;
        // The container's own exit codes are not to be mistaken for ours.
        ended.map_err(|failure| match failure {
            Failure::Cloud(error) => Failure::told(Exit::NotRun, trouble::diagnostic(&error)),
            other => other,
        })
    })
}

/// How the task is started.
fn launch(stack: &Stack, name: &str) -> Result<Launch, Failure> {
    if let Some(launch) = stack.launches.get(name) {
        return Ok(launch.clone());
    }
    let known: Vec<String> = stack.launches.keys().cloned().collect();
    let hint = match (nearest(name, known.iter().map(String::as_str)), known.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("declare it: a table `[task.{name}]`"),
        (None, known) => format!("choose one that there is: {}", listed(known, 8)),
    };
    let title = format!("there is no task `{name}` in this stack");
    Err(Failure::told(Exit::Usage, Diagnostic::error("E0320", title).hint(hint)))
}

async fn start(
    cx: &mut Context,
    stack: &mut Stack,
    launch: Launch,
    arguments: &Arguments,
) -> Result<Exit, Failure> {
    let door = Door::open(cx, &mut stack.desired.stack).await?;
    let standing = match is_sought(&launch) {
        true => stand(&door, &stack.desired, &stack.sources).await?,
        false => Standing::default(),
    };
    let standing_stack = standing.settle(&stack.desired);
    let snapshot = observe_of(door.cloud(), &standing_stack, &kinds_of(&launch)).await?;
    door.keep_cache();
    let id = stack.desired.stack.clone();
    let launch = applied(&launch, &standing, &snapshot, &id, &arguments.task)?;
    let order = order(&launch, arguments);
    let began = Instant::now();
    let arn = settled(|| door.tasks().start(&order)).await?;
    if arguments.no_wait {
        cx.print(&match cx.options.format {
            Format::Json => task::json(&id, &arn, None),
            Format::Human | Format::Markdown => format!("{arn}\n"),
        })?;
        return Ok(Exit::Done);
    }
    let stream = stream(&snapshot, &launch, &arn);
    let follow = Follow { tasks: door.tasks(), arn: &arn, launch: &launch, stream, began };
    let end = follow.run(cx).await?;
    if cx.options.format == Format::Json {
        cx.print(&task::json(&id, &arn, Some(&end.end)))?;
    }
    end.exit(cx, &arguments.task)
}

/// The kinds of what a launch mentions: all that a run looks at.
pub(super) fn kinds_of(launch: &Launch) -> BTreeSet<String> {
    let document = document(launch);
    let mentioned = document.outputs().into_iter().filter(|output| !output.is_surroundings());
    mentioned.map(|output| output.of.kind.clone()).collect()
}

/// Whether AWS has to be asked first what the tags mean that say where the task runs.
pub(super) fn is_sought(launch: &Launch) -> bool {
    let document = document(launch);
    let mut facts = document.outputs().into_iter().filter(|output| output.is_surroundings());
    facts.any(|fact| kind::is_sought(&fact.of.name))
}

/// A launch as a document.
fn document(launch: &Launch) -> Value {
    let document = serde_json::to_value(launch).ok().and_then(|it| Value::lift(it).ok());
    document.unwrap_or_default()
}

/// The launch with everything filled in that is there by now.
fn applied(
    launch: &Launch,
    standing: &Standing,
    snapshot: &Snapshot,
    stack: &StackId,
    name: &str,
) -> Result<Launch, Failure> {
    let known = snapshot.known(stack);
    let filled = standing.fill(&document(launch)).fill(&known);
    let filled = filled.ok().and_then(|filled| filled.lower().ok());
    let applied = filled.and_then(|document| serde_json::from_value(document).ok());
    applied.ok_or_else(|| {
        let title = format!("the task `{name}` is not there yet: the stack has not been applied");
        let hint = "apply it first: `ecsctl apply`";
        Failure::told(Exit::NotRun, Diagnostic::error("E0321", title).hint(hint))
    })
}

fn order(launch: &Launch, arguments: &Arguments) -> Order {
    let Launch { task_definition, container, cluster, subnets, security_groups, .. } = launch;
    // No two runs are the same: the token only keeps one of them from starting two tasks.
    let run = format!("{} {}", jiff::Timestamp::now(), std::process::id());
    let hash = Sha256::digest(run.as_bytes());
    let command = Some(arguments.command.clone()).filter(|command| !command.is_empty());
    let environment: BTreeMap<String, String> = arguments.set_env.iter().cloned().collect();
    Order {
        cluster: cluster.clone(),
        task_definition: task_definition.clone(),
        strategy: launch.strategy.clone(),
        subnets: subnets.clone(),
        security_groups: security_groups.clone(),
        has_public_address: launch.has_public_address,
        started_by: "ecsctl-run".to_owned(),
        token: hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        overrides: Overrides {
            container: container.clone(),
            command,
            environment,
            size: arguments.size,
        },
    }
}

/// Where the container writes to, if that is a log group: as its task definition says.
fn stream(snapshot: &Snapshot, launch: &Launch, arn: &str) -> Option<Stream> {
    let is_it = |live: &&crate::kind::Live| live.id == launch.task_definition;
    let spec = &snapshot.live.iter().find(is_it)?.spec;
    let container = spec.get("containers")?.get(&launch.container)?;
    let log = container.get("log-configuration")?;
    let options = log.get("options").filter(|_| log.text("driver") == Some("awslogs"))?;
    let prefix = options.text("awslogs-stream-prefix")?;
    let id = arn.rsplit('/').next().unwrap_or_default();
    Some(Stream {
        group: options.text("awslogs-group")?.to_owned(),
        name: format!("{prefix}/{}/{id}", launch.container),
    })
}
