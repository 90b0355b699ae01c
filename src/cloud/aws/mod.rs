//! AWS through the SDK: the clients, and what all kinds share when they call them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_config::SdkConfig;
use futures::future::BoxFuture;
use tokio::sync::{Mutex, OnceCell};

pub use self::bucket::Bucket;
pub use self::cache::Cache;
pub use self::calls::{batched, concurrently};
pub use self::coalesce::Coalesced;
pub use self::connect::{ConnectError, Connection};
pub(crate) use self::error::classify;
pub use self::owned::Owned;
pub use self::registry::Login;
use super::{Cloud, Pauses, Surroundings};
use crate::kind::{
    Deed, Done, Error, Found, Given, Health, Live, Onward, Pause, Ready, Registered, Result,
    Sought, StackId,
};
use crate::store::Right;

mod bucket;
mod cache;
mod calls;
mod coalesce;
mod connect;
pub mod dns;
pub mod ec2;
pub mod ecs;
mod error;
mod heard;
pub mod linked;
pub mod numbers;
pub mod once;
mod owned;
mod pace;
mod registry;
pub mod tags;
pub mod task;

/// The clients of one account and region.
#[derive(Debug)]
pub struct Aws {
    /// Amazon ECS.
    pub ecs: aws_sdk_ecs::Client,
    /// Amazon EC2, for the network.
    pub ec2: aws_sdk_ec2::Client,
    /// Elastic Load Balancing v2.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// EC2 Auto Scaling.
    pub autoscaling: aws_sdk_autoscaling::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Amazon ECR.
    pub ecr: aws_sdk_ecr::Client,
    /// Application Auto Scaling.
    pub scaling: aws_sdk_applicationautoscaling::Client,
    /// CloudWatch, for alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// EventBridge Scheduler.
    pub scheduler: aws_sdk_scheduler::Client,
    /// AWS Cloud Map.
    pub discovery: aws_sdk_servicediscovery::Client,
    /// AWS Certificate Manager.
    pub acm: aws_sdk_acm::Client,
    /// Amazon Route 53.
    pub dns: aws_sdk_route53::Client,
    /// What never changes once it has been read: task definition revisions.
    pub cache: Cache,
    /// ECS services by ARN, for the waits of a run: ten a call.
    pub services: Coalesced<aws_sdk_ecs::types::Service>,
    /// ECS's records of deployments by ARN, for the waits of a run: twenty a call.
    pub deployments: Coalesced<aws_sdk_ecs::types::ServiceDeployment>,
    /// Held while the list of a cluster's capacity providers is read and written back.
    pub cluster_providers: Mutex<()>,
    sts: aws_sdk_sts::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
    owned: Mutex<BTreeMap<String, Arc<Owned>>>,
    revisions_in_use: Mutex<BTreeSet<String>>,
    zones: OnceCell<dns::Zones>,
    attempts: once::Attempts,
    linked: Mutex<linked::Roles>,
    config: SdkConfig,
    gate: pace::Gate,
}

impl Aws {
    /// Clients for what the standard chain of aws-config found: region, credentials, endpoint.
    pub fn new(config: &SdkConfig, cache: Cache) -> Self {
        Self::behind(config, cache, pace::Gate::default())
    }

    /// The same, behind a gate.
    fn behind(config: &SdkConfig, cache: Cache, gate: pace::Gate) -> Self {
        let ecs = aws_sdk_ecs::Client::new(config);
        Self {
            services: ecs::services(&ecs),
            deployments: ecs::deployments(&ecs),
            ecs,
            ec2: aws_sdk_ec2::Client::new(config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            autoscaling: aws_sdk_autoscaling::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            ecr: aws_sdk_ecr::Client::new(config),
            scaling: aws_sdk_applicationautoscaling::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            scheduler: aws_sdk_scheduler::Client::new(config),
            discovery: aws_sdk_servicediscovery::Client::new(config),
            acm: aws_sdk_acm::Client::new(config),
            dns: aws_sdk_route53::Client::new(config),
            revisions_in_use: Mutex::default(),
            cluster_providers: Mutex::default(),
            sts: aws_sdk_sts::Client::new(config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(config),
            cache,
            owned: Mutex::default(),
            zones: OnceCell::new(),
            attempts: once::Attempts::default(),
            linked: Mutex::default(),
            config: config.clone(),
            gate,
        }
    }

    /// From now on no call goes out unless the lock is still held.
    pub fn guard(&self, right: Arc<Right>) {
        self.gate.guard(right);
    }

    /// Revisions that a service or a schedule was seen to name, by ARN: none of them is to be cleared away.
    pub async fn spare<'a>(&self, revisions: impl Iterator<Item = &'a str>) {
        self.revisions_in_use.lock().await.extend(revisions.map(str::to_owned));
    }

    /// What is not to be cleared away.
    pub async fn spared(&self) -> BTreeSet<String> {
        self.revisions_in_use.lock().await.clone()
    }

    /// Everything outside EC2 and IAM that carries the stack's tags; read once, then remembered until
    /// [`Aws::forget_owned`].
    pub async fn owned(&self, stack: &StackId) -> Result<Arc<Owned>> {
        let mut known = self.owned.lock().await;
        let key = stack.prefix();
        if let Some(owned) = known.get(&key) {
            return Ok(owned.clone());
        }
        let owned = Arc::new(Owned::read(&self.tagging, stack).await?);
        known.insert(key, owned.clone());
        Ok(owned)
    }

    /// The account's hosted zones. A command reads them once: it makes none.
    pub async fn zones(&self) -> Result<&dns::Zones> {
        self.zones.get_or_try_init(|| dns::Zones::read(&self.dns)).await
    }

    /// Makes the next [`Aws::owned`] read again: something may have been made or deleted meanwhile.
    pub async fn forget_owned(&self) {
        self.owned.lock().await.clear();
    }
}

impl Cloud for Aws {
    /// GetCallerIdentity and DescribeAvailabilityZones.
    fn surroundings(&self) -> BoxFuture<'_, Result<Surroundings>> {
        Box::pin(async move {
            self.forget_owned().await;
            let (caller, zones) = tokio::try_join!(
                async { Ok::<_, Error>(self.sts.get_caller_identity().send().await?) },
                async { Ok(self.ec2.describe_availability_zones().send().await?) },
            )?;
            let open = zones.availability_zones().iter().filter(|zone| {
                zone.zone_type().is_none_or(|kind| kind == "availability-zone")
                    && zone.state().is_none_or(|state| state.as_str() == "available")
            });
            let mut names: Vec<String> =
                open.filter_map(|zone| zone.zone_name().map(str::to_owned)).collect();
            names.sort();
            let arn = caller.arn().unwrap_or("arn:aws");
            Ok(Surroundings {
                account: caller.account().unwrap_or_default().to_owned(),
                region: self.region(),
                partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
                zones: names,
            })
        })
    }

    fn find<'a>(&'a self, given: &'a Given) -> BoxFuture<'a, Result<Found>> {
        Box::pin(ec2::find(self, given))
    }

    fn observe<'a>(
        &'a self,
        kind: &'static Registered,
        sought: Sought<'a>,
    ) -> BoxFuture<'a, Result<Vec<Live>>> {
        kind.observe(self, sought)
    }

    fn perform<'a>(&'a self, stack: &'a StackId, deed: &'a Deed) -> BoxFuture<'a, Result<Done>> {
        match crate::kinds::find(&deed.address.kind) {
            Some(kind) => kind.perform(self, stack, deed),
            None => Box::pin(async { Err(unknown(deed)) }),
        }
    }

    fn ready<'a>(
        &'a self,
        stack: &'a StackId,
        deed: &'a Deed,
        done: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>> {
        match crate::kinds::find(&deed.address.kind) {
            Some(kind) => kind.ready(self, stack, deed, done),
            None => Box::pin(async { Err(unknown(deed)) }),
        }
    }

    fn health<'a>(
        &'a self,
        services: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Health>>> {
        Box::pin(crate::kinds::service::health::of(self, services))
    }

    fn stacks(&self) -> BoxFuture<'_, Result<BTreeSet<(String, String)>>> {
        Box::pin(owned::stacks(&self.tagging, PAGES))
    }
}

impl Pauses for Aws {
    fn pause<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<Pause>>> {
        Box::pin(crate::kinds::service::pause::of(self, service))
    }

    fn end<'a>(
        &'a self,
        _service: &'a str,
        pause: &'a Pause,
        onward: Onward,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(crate::kinds::service::pause::end(self, pause, onward))
    }
}

/// So many pages of tags are read when somebody may have mistyped a stack's name.
const PAGES: usize = 5;

fn unknown(deed: &Deed) -> Error {
    Error::new(crate::kind::Class::Other, format!("there is no kind `{}`", deed.address.kind))
}
