//! Simulated tasks: they take a while, say a line and end, well unless their image says otherwise.

use std::time::Duration;

use futures::future::BoxFuture;

use super::world::World;
use super::{Sim, rollout};
use crate::cloud::Tasks;
use crate::kind::{
    Act, Class, Deed, Done, End, Error, How, Lines, Order, Result, RolloutFailure, Stream, Task,
};
use crate::value::Value;

/// Seconds that a task of AWS takes here.
const LASTS: u32 = 20;

/// A task that was started.
#[derive(Debug)]
pub(super) struct Started {
    token: String,
    arn: String,
    ends: f64,
    /// Why it fails, if it does.
    broken: Option<String>,
    stopped: bool,
}

/// A task that has to succeed before a service gets another revision.
pub(super) fn run(world: &World, deed: &Deed) -> Result<Done> {
    let id = deed.address.to_string();
    let done = Done { outputs: [("id".to_owned(), id.clone())].into(), id, watch: None };
    let (Act::Create { spec, .. } | Act::Update { spec: Some(spec), .. }) = &deed.act else {
        return Ok(done);
    };
    match spec.text("family").and_then(|family| newest(world, family)).and_then(rollout::broken) {
        None => Ok(done),
        Some(why) => Err(Error::rollout(RolloutFailure {
            requested: short(spec.text("before").unwrap_or_default()),
            serving: None,
            rolled_back: false,
            reason: format!("the task `{}` before it failed", deed.address.name),
            evidence: vec![why],
        })),
    }
}

/// The newest revision of a family, or the revision itself.
fn newest<'w>(world: &'w World, name: &str) -> Option<&'w Value> {
    let mut all = world.objects.iter().filter(|(_, object)| object.kind == "task-definition");
    let is_it = |id: &str, spec: &Value| id == name || spec.text("name") == Some(name);
    all.find(|(id, object)| is_it(id, &object.spec)).map(|(_, object)| &object.spec)
}

fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

impl Sim {
    fn of<T>(&self, arn: &str, read: impl FnOnce(&mut Started) -> T) -> Option<T> {
        let mut tasks = self.tasks.lock().expect("no holder panics");
        tasks.iter_mut().find(|task| task.arn == arn).map(read)
    }

    fn begin(&self, order: &Order) -> Result<String> {
        let broken = match newest(&self.world(), &order.task_definition) {
            Some(spec) => rollout::broken(spec),
            None => {
                let why = format!("there is no {}", order.task_definition);
                return Err(Error::new(Class::Absent, why));
            }
        };
        let mut tasks = self.tasks.lock().expect("no holder panics");
        if let Some(task) = tasks.iter().find(|task| task.token == order.token) {
            return Ok(task.arn.clone());
        }
        let cluster = short(&order.cluster);
        let stem = order.cluster.split(":cluster/").next().unwrap_or_default();
        let arn = format!("{stem}:task/{cluster}/{:032x}", tasks.len() + 1);
        let ends = (self.clock)() + self.seconds(LASTS);
        let token = order.token.clone();
        tasks.push(Started { token, arn: arn.clone(), ends, broken, stopped: false });
        Ok(arn)
    }

    fn end(&self, task: &Started) -> Option<End> {
        if task.stopped {
            let why = "Task stopped by user".to_owned();
            return Some(End { how: How::Stopped, code: Some(143), why });
        }
        let is_over = (self.clock)() >= task.ends;
        is_over.then(|| match &task.broken {
            Some(why) => End { how: How::Exited, code: Some(1), why: why.clone() },
            None => {
                let why = "Essential container in task exited".to_owned();
                End { how: How::Exited, code: Some(0), why }
            }
        })
    }
}

impl Tasks for Sim {
    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move { self.begin(order) })
    }

    fn task<'a>(&'a self, arn: &'a str, _: &'a str) -> BoxFuture<'a, Result<Option<Task>>> {
        Box::pin(async move {
            let seen = self.of(arn, |task| {
                let end = self.end(task);
                let status = if end.is_some() { "STOPPED" } else { "RUNNING" };
                let created = (task.ends - Duration::from_secs(LASTS.into()).as_secs_f64()) as i64;
                Task { arn: arn.to_owned(), status: status.to_owned(), created, end }
            });
            Ok(seen)
        })
    }

    fn stop<'a>(&'a self, arn: &'a str, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.of(arn, |task| task.stopped = true);
            Ok(())
        })
    }

    /// A simulated container says that it is one, once.
    fn lines<'a>(&'a self, _: &'a Stream, from: Option<String>) -> BoxFuture<'a, Result<Lines>> {
        Box::pin(async move {
            let lines = match from {
                None => vec!["a simulated task: nothing runs".to_owned()],
                Some(_) => Vec::new(),
            };
            Ok(Lines { lines, next: Some("end".to_owned()) })
        })
    }
}
