//! `ecsctl status`: how the stack is, live.

use std::collections::BTreeMap;

use clap::Args;

use super::context::Context;
use super::options::{Format, Options};
use super::stack::{Urls, load, named};
use super::world::{Door, block_on};
use super::{Exit, Failure};
use crate::address::Address;
use crate::desired::Desired;
use crate::kind::{Condition, Health, Live, Pause, StackId, Stage, TAG_EXPIRES};
use crate::report::json;
use crate::report::status::{STEADY, Service, Status, Unsettled, human};
use crate::snapshot::{Snapshot, learn, observe};
use crate::value::Known;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The stack, when there is no spec; with --env unless that is `default`
    #[arg(long, value_name = "NAME")]
    pub(super) stack: Option<String>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("status")?;
    let (mut desired, urls) = match &arguments.stack {
        Some(stack) => (Desired::nothing(named(cx, stack)?), Urls::default()),
        None => {
            let stack = load(cx)?;
            (stack.desired, stack.urls)
        }
    };
    block_on(async {
        let door = Door::open(cx, &mut desired.stack).await?;
        let snapshot = observe(door.cloud(), &desired).await?;
        let of_services = snapshot.ours(&desired.stack).filter(|live| live.kind == "service");
        let services: Vec<String> = of_services.map(|live| live.id.clone()).collect();
        let health = match services.as_slice() {
            [] => BTreeMap::new(),
            services => door.cloud().health(services).await?,
        };
        let mut status = status(&desired.stack, &snapshot, &urls, health);
        for service in &mut status.services {
            service.onward = onward(service, &cx.options);
        }
        let text = match cx.options.format {
            Format::Json => json::status(&status),
            Format::Human | Format::Markdown => human(&status, cx.look),
        };
        cx.print(&text)?;
        if status.resources == 0 && arguments.stack.is_some() {
            door.say_what_else(cx, &desired.stack).await?;
        }
        Ok(Exit::Done)
    })
}

fn status(
    stack: &StackId,
    snapshot: &Snapshot,
    urls: &Urls,
    mut health: BTreeMap<String, Health>,
) -> Status {
    let ours: Vec<&Live> = snapshot.ours(stack).filter(|live| !live.is_given()).collect();
    let unsettled = ours.iter().filter(|live| live.kind != "service").filter_map(|live| {
        let why = doing(&live.condition)?;
        let resource = match &live.address {
            Some(address) => address.to_string(),
            None => format!("{} {}", live.kind, live.id),
        };
        Some(Unsettled { resource, why })
    });
    let services = ours.iter().filter(|live| live.kind == "service");
    Status {
        stack: stack.clone(),
        account: snapshot.surroundings.account.clone(),
        urls: answers_at(&ours, urls),
        expires: ours.iter().filter_map(|live| live.tags.get(TAG_EXPIRES)).max().cloned(),
        services: services.map(|live| service(live, health.remove(&live.id))).collect(),
        unsettled: unsettled.collect(),
        resources: ours.len(),
    }
}

/// Where the stack answers: as the spec says, or at its load balancers.
fn answers_at(ours: &[&Live], urls: &Urls) -> Vec<String> {
    let mut known = Known::new();
    ours.iter().for_each(|live| learn(live, &mut known));
    let mut addresses: Vec<String> = urls.outputs(&known).into_iter().map(|(_, url)| url).collect();
    addresses.retain(|url| url.starts_with("http"));
    if addresses.is_empty() {
        let names = known.of_kind("load-balancer", "dns");
        addresses.extend(names.map(|(_, dns)| format!("http://{dns}")));
    }
    addresses
}

fn service(live: &Live, health: Option<Health>) -> Service {
    let definition = live.spec.text("task-definition").unwrap_or_default();
    let stage = health.as_ref().and_then(|health| Some(health.deployment.as_ref()?.state));
    let is_short = health.as_ref().is_some_and(|health| health.running != health.desired);
    let state = match (&live.condition, stage) {
        (Condition::Settling(_), Some(Stage::RollingBack)) => "rolling back".to_owned(),
        (Condition::Settling(_), _) => match health.as_ref().and_then(pause) {
            Some(pause) => format!("paused at {}", pause.stage),
            None => "rolling out".to_owned(),
        },
        (Condition::Broken(_) | Condition::Leaving(_) | Condition::Unfit(_), _) => {
            doing(&live.condition).unwrap_or_default()
        }
        // The kind writes down what serves; a first rollout that failed leaves nothing.
        (Condition::Ready, _) if definition.is_empty() => "nothing serves".to_owned(),
        (Condition::Ready, _) if is_short => "not all tasks run".to_owned(),
        (Condition::Ready, _) => STEADY.to_owned(),
    };
    Service {
        address: live.address.clone().unwrap_or_else(|| Address::new("service", &live.id)),
        task_definition: definition.rsplit('/').next().unwrap_or_default().to_owned(),
        state,
        onward: None,
        health,
    }
}

/// Where the newest deployment waits for somebody.
fn pause(health: &Health) -> Option<&Pause> {
    health.deployment.as_ref()?.pause.as_ref()
}

/// The command that it waits for.
fn onward(service: &Service, options: &Options) -> Option<String> {
    service.health.as_ref().and_then(pause)?;
    let named = ["ecsctl", "continue", &service.address.name].map(str::to_owned);
    Some(named.into_iter().chain(options.again()).collect::<Vec<_>>().join(" "))
}

/// What a resource is doing that is not just there.
fn doing(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Ready => None,
        Condition::Settling(why) => Some(why.clone()),
        Condition::Broken(why) => Some(format!("broken: {why}")),
        Condition::Leaving(why) => Some(format!("leaving: {why}")),
        Condition::Unfit(unfit) => Some(unfit.why.clone()),
    }
}
