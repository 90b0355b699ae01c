//! `ecsctl status`: how the stack is, live.

use clap::Args;

use super::context::Context;
use super::options::Format;
use super::stack::{Urls, load, named};
use super::world::{Door, block_on};
use super::{Exit, Failure};
use crate::address::Address;
use crate::desired::Desired;
use crate::kind::{Condition, Live, StackId, TAG_EXPIRES};
use crate::report::json;
use crate::report::status::{Service, Status, Unsettled, human};
use crate::snapshot::{Snapshot, learn, observe};
use crate::value::Known;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The stack, when there is no spec; needs --region, and --env unless it is `default`
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
    let snapshot = block_on(async {
        let door = Door::open(cx, &mut desired.stack).await?;
        Ok(observe(door.cloud(), &desired).await?)
    })?;
    let status = status(&desired.stack, &snapshot, &urls);
    let text = match cx.options.format {
        Format::Json => json::status(&status),
        Format::Human | Format::Markdown => human(&status, cx.look),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

fn status(stack: &StackId, snapshot: &Snapshot, urls: &Urls) -> Status {
    let ours: Vec<&Live> = snapshot.ours(stack).collect();
    let mut known = Known::new();
    ours.iter().for_each(|live| learn(live, &mut known));
    let mut addresses: Vec<String> = urls.outputs(&known).into_iter().map(|(_, url)| url).collect();
    addresses.retain(|url| url.starts_with("http"));
    if addresses.is_empty() {
        let names = known.of_kind("load-balancer", "dns");
        addresses.extend(names.map(|(_, dns)| format!("http://{dns}")));
    }
    let unsettled = ours.iter().filter(|live| live.kind != "service").filter_map(|live| {
        let why = doing(&live.condition)?;
        let resource = match &live.address {
            Some(address) => address.to_string(),
            None => format!("{} {}", live.kind, live.id),
        };
        Some(Unsettled { resource, why })
    });
    Status {
        stack: stack.clone(),
        account: snapshot.surroundings.account.clone(),
        urls: addresses,
        expires: ours.iter().filter_map(|live| live.tags.get(TAG_EXPIRES)).max().cloned(),
        services: ours.iter().filter(|live| live.kind == "service").map(|it| service(it)).collect(),
        unsettled: unsettled.collect(),
        resources: ours.len(),
    }
}

fn service(live: &Live) -> Service {
    let definition = live.spec.text("task-definition").unwrap_or_default();
    let number = |text: Option<&String>| text.and_then(|text| text.parse().ok());
    let desired = live.spec.get("desired-count").and_then(|count| match count {
        crate::value::Value::Number(number) => {
            number.as_u64().and_then(|count| usize::try_from(count).ok())
        }
        _ => None,
    });
    Service {
        address: live.address.clone().unwrap_or_else(|| Address::new("service", &live.id)),
        task_definition: definition.rsplit('/').next().unwrap_or_default().to_owned(),
        desired,
        running: number(live.outputs.get("running")),
        state: match doing(&live.condition) {
            Some(doing) => doing,
            // The kind writes down what serves; a first rollout that failed leaves nothing.
            None if definition.is_empty() => "nothing serves".to_owned(),
            None => "steady".to_owned(),
        },
    }
}

/// What a resource is doing that is not just there.
fn doing(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Ready => None,
        Condition::Settling(why) => Some(why.clone()),
        Condition::Broken(why) => Some(format!("broken: {why}")),
        Condition::Leaving(why) => Some(format!("leaving: {why}")),
    }
}
