//! The only door to the world.
//!
//! There are two worlds and no third: AWS ([`aws`]) and the simulator ([`sim`]). Whoever plans or
//! runs sees the trait [`Cloud`] and nothing behind it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::address::Output;
use crate::kind::{
    Deed, Done, Found, Given, Health, Lines, Live, Onward, Order, Pause, Ready, Registered, Result,
    Sought, StackId, Stream, Task,
};
use crate::value::Known;

pub mod aws;
pub mod sim;

/// Where we are: what `${aws.…}` refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Surroundings {
    /// The account's number.
    pub account: String,
    /// The region.
    pub region: String,
    /// The partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The names of the region's availability zones that are open to the account, sorted.
    pub zones: Vec<String>,
}

impl Surroundings {
    /// The facts as outputs: `${aws.account}`, `${aws.region}`, `${aws.partition}`, `${aws.zone-1}` ….
    pub fn known(&self) -> Known {
        let facts =
            [("account", &self.account), ("region", &self.region), ("partition", &self.partition)];
        let mut known = Known::new();
        for (fact, text) in facts {
            known.insert(Output::surroundings(fact), text.clone());
        }
        for (index, zone) in self.zones.iter().enumerate() {
            known.insert(Output::surroundings(&format!("zone-{}", index + 1)), zone.clone());
        }
        known
    }
}

/// A world that resources live in. Each call makes one attempt; waiting and trying again are the
/// executor's.
pub trait Cloud: Send + Sync {
    /// Where we are.
    fn surroundings(&self) -> BoxFuture<'_, Result<Surroundings>>;

    /// What there is of a network that exists already, by ids and by tags.
    fn find<'a>(&'a self, given: &'a Given) -> BoxFuture<'a, Result<Found>>;

    /// Finds everything of one kind that belongs to the stack or stands under a wanted name.
    fn observe<'a>(
        &'a self,
        kind: &'static Registered,
        sought: Sought<'a>,
    ) -> BoxFuture<'a, Result<Vec<Live>>>;

    /// Makes one attempt at a deed.
    fn perform<'a>(&'a self, stack: &'a StackId, deed: &'a Deed) -> BoxFuture<'a, Result<Done>>;

    /// Looks once whether a deed has come to its end.
    fn ready<'a>(
        &'a self,
        stack: &'a StackId,
        deed: &'a Deed,
        done: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>>;

    /// How services do, by their ARNs. One batch; what is not there is left out.
    fn health<'a>(
        &'a self,
        services: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Health>>>;

    /// The stacks of which anything is in this account and region, as `(stack, env)`. For whoever has
    /// mistyped a name: it need not be quite complete.
    fn stacks(&self) -> BoxFuture<'_, Result<BTreeSet<(String, String)>>>;
}

/// A world in which deployments may wait for somebody's word. Each call makes one attempt.
pub trait Pauses: Send + Sync {
    /// The pause at which the deployment of a service waits, by the service's ARN.
    fn pause<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<Pause>>>;

    /// Ends a pause.
    fn end<'a>(
        &'a self,
        service: &'a str,
        pause: &'a Pause,
        onward: Onward,
    ) -> BoxFuture<'a, Result<()>>;
}

/// A world in which tasks can be run by hand. Each call makes one attempt, as those of [`Cloud`].
pub trait Tasks: Send + Sync {
    /// Starts one task and gives its ARN.
    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<String>>;

    /// How a task does. `container` is the one whose exit code counts. `None` if it is not there: not
    /// yet, or not any more.
    fn task<'a>(&'a self, arn: &'a str, container: &'a str) -> BoxFuture<'a, Result<Option<Task>>>;

    /// Asks for a task's end.
    fn stop<'a>(&'a self, arn: &'a str, why: &'a str) -> BoxFuture<'a, Result<()>>;

    /// What a container has said since `from`, or from the beginning.
    fn lines<'a>(
        &'a self,
        stream: &'a Stream,
        from: Option<String>,
    ) -> BoxFuture<'a, Result<Lines>>;
}
