//! AWS's documented rates as AWS keeps to them: a plan for the proxy that refuses calls whose bucket is
//! empty. The table is its own, written from AWS's pages and not from ecsctl's, which is held against it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::{Fault, Plan, Seen};

/// How long an answer is on its way, there and back: a refusal does not stop what is under way already.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Whether the operations of a line take from one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shared {
    /// They do.
    Together,
    /// Each has a bucket of its own.
    Each,
}

use Shared::{Each, Together};

/// A line of AWS's tables: `*` at the end of an operation stands for any rest.
struct Rate {
    service: &'static str,
    operations: &'static [&'static str],
    shared: Shared,
    /// The size of the bucket.
    burst: f64,
    /// What it is refilled with in a second.
    per_second: f64,
}

const fn rate(
    service: &'static str,
    operations: &'static [&'static str],
    shared: Shared,
    burst: f64,
    per_second: f64,
) -> Rate {
    Rate { service, operations, shared, burst, per_second }
}

/// The first line that fits is a call's: "Request throttling for the Amazon ECS API", "Request throttling
/// for the Amazon EC2 API", "Request throttling for the Elastic Load Balancing API", "CloudWatch Logs
/// quotas" and "CloudWatch service quotas", which give requests a second: a bucket holds those of one. ECR,
/// IAM, both kinds of auto scaling, Cloud Map and the tagging API publish none; STS publishes 600. ACM's are in "Quotas" of
/// its user guide, Route 53's in "Quotas" of its developer guide.
#[rustfmt::skip]
const RATES: &[Rate] = &[
    rate("ecs", &["CreateCluster", "DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders"], Together, 20.0, 1.0),
    rate("ecs", &["DescribeClusters", "ListClusters"], Together, 50.0, 20.0),
    rate("ecs", &["RegisterTaskDefinition", "DeregisterTaskDefinition"], Together, 20.0, 1.0),
    rate("ecs", &["DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"], Together, 50.0, 20.0),
    rate("ecs", &["DeleteTaskDefinitions"], Together, 5.0, 1.0),
    rate("ecs", &["CreateCapacityProvider", "UpdateCapacityProvider", "DeleteCapacityProvider"], Together, 10.0, 1.0),
    rate("ecs", &["DescribeCapacityProviders"], Together, 50.0, 20.0),
    rate("ecs", &["CreateService", "UpdateService", "DeleteService"], Together, 50.0, 5.0),
    rate("ecs", &["DescribeServices", "ListServices"], Together, 100.0, 20.0),
    rate("ecs", &["ListServicesByNamespace"], Together, 10.0, 1.0),
    rate("ecs", &["DescribeServiceDeployments", "ListServiceDeployments"], Together, 50.0, 20.0),
    rate("ecs", &["DescribeServiceRevisions"], Together, 50.0, 20.0),
    rate("ecs", &["RunTask", "StartTask", "StopTask", "ExecuteCommand", "PutAttributes"], Together, 100.0, 40.0),
    rate("ecs", &["DescribeTasks", "ListTasks", "DescribeContainerInstances", "ListContainerInstances", "ListAttributes"], Together, 100.0, 20.0),
    rate("ecs", &["TagResource", "UntagResource"], Together, 20.0, 10.0),
    rate("ecs", &["ListTagsForResource"], Together, 50.0, 20.0),
    rate("ecs", &["PutAccountSetting*", "DeleteAccountSetting"], Together, 10.0, 1.0),
    rate("ecs", &["ListAccountSettings"], Together, 50.0, 20.0),
    rate("ec2", &["CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"], Each, 4.0, 0.3),
    rate("ec2", &["CreateNatGateway", "DeleteNatGateway", "AssociateNatGatewayAddress"], Each, 10.0, 1.0),
    rate("ec2", &["CreateTags", "DeleteTags"], Each, 100.0, 10.0),
    rate("ec2", &["CreateNetworkInterface", "DeleteNetworkInterface"], Each, 100.0, 5.0),
    rate("ec2", &["Describe*", "Get*", "List*"], Together, 100.0, 20.0),
    rate("ec2", &["AuthorizeSecurityGroup*", "RevokeSecurityGroup*"], Together, 50.0, 5.0),
    rate("ec2", &["*"], Together, 50.0, 5.0),
    rate("elasticloadbalancing", &["CreateLoadBalancer", "SetSubnets"], Together, 10.0, 0.2),
    rate("elasticloadbalancing", &["RegisterTargets", "DeregisterTargets"], Together, 20.0, 4.0),
    // Another table on the same page says 200 and 50: whoever keeps to this one keeps to both.
    rate("elasticloadbalancing", &["Describe*"], Together, 40.0, 10.0),
    rate("elasticloadbalancing", &["*"], Together, 20.0, 3.0),
    rate("logs", &["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups"], Each, 10.0, 10.0),
    rate("logs", &["PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "TagResource", "UntagResource"], Each, 5.0, 5.0),
    rate("logs", &["ListTagsForResource"], Each, 30.0, 30.0),
    rate("logs", &["DescribeLogStreams", "GetLogEvents", "FilterLogEvents"], Each, 25.0, 25.0),
    rate("monitoring", &["DescribeAlarms"], Together, 9.0, 9.0),
    rate("monitoring", &["GetDashboard", "ListDashboards", "PutDashboard", "DeleteDashboards"], Each, 10.0, 10.0),
    rate("monitoring", &["PutMetricAlarm", "DeleteAlarms", "SetAlarmState"], Each, 3.0, 3.0),
    rate("scheduler", &["GetScheduleGroup", "CreateScheduleGroup", "DeleteScheduleGroup"], Each, 10.0, 10.0),
    rate("scheduler", &["CreateTag", "DeleteTag"], Each, 1.0, 1.0),
    rate("scheduler", &["*"], Each, 250.0, 250.0),
    rate("acm", &["RequestCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate"], Each, 5.0, 5.0),
    rate("acm", &["ListCertificates"], Each, 8.0, 8.0),
    rate("acm", &["DescribeCertificate", "DeleteCertificate", "ListTagsForCertificate"], Each, 10.0, 10.0),
    rate("route53", &["*"], Together, 5.0, 5.0),
    rate("sts", &["*"], Together, 600.0, 600.0),
];

/// EC2's lists that are dearer without a filter and without pages.
const WHOLE_LISTS: Rate = rate(
    "ec2",
    &["DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroups"],
    Together,
    50.0,
    10.0,
);

/// What all calls of a service take from besides.
const ALL_TOGETHER: Rate = rate("elasticloadbalancing", &["*"], Together, 40.0, 10.0);

/// A bucket of the account, by the line it is on and, if each has its own, the operation.
struct Bucket {
    rate: &'static Rate,
    tokens: f64,
    at: Instant,
    calls: Use,
}

/// What became of the calls of a bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Use {
    /// Those that were served.
    pub(crate) served: usize,
    /// Those that were refused.
    pub(crate) refused: usize,
    /// What the rate allows for those served, from a full bucket on.
    pub(crate) allowed: Duration,
}

/// An account's buckets, full at first.
#[derive(Clone, Default)]
pub(crate) struct Allowance(Arc<Mutex<BTreeMap<String, Bucket>>>);

impl Allowance {
    /// Refuses what comes too fast.
    pub(crate) fn plan(&self) -> Plan {
        let own = self.clone();
        Box::new(move |seen| {
            let served = own.serve(seen);
            Some(if served { Fault::Delay(ROUND_TRIP) } else { Fault::Throttle })
        })
    }

    /// What became of the calls since the last time, by bucket.
    pub(crate) fn take(&self) -> BTreeMap<String, Use> {
        let mut buckets = self.buckets();
        buckets.iter_mut().map(|(name, bucket)| (name.clone(), bucket.forget())).collect()
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.0.lock().expect("no holder panics")
    }

    /// Whether there is a token in each of the call's buckets; it is taken from all of them or from none.
    fn serve(&self, seen: &Seen<'_>) -> bool {
        let (mut buckets, lines) = (self.buckets(), lines(seen));
        for (name, rate) in &lines {
            buckets.entry(name.clone()).or_insert_with(|| Bucket::full(rate)).refill();
        }
        let empty = lines.iter().find(|(name, _)| buckets[name].tokens < 1.0);
        if let Some((name, _)) = empty {
            buckets.get_mut(name).expect("made above").calls.refused += 1;
            return false;
        }
        for (name, _) in &lines {
            let bucket = buckets.get_mut(name).expect("made above");
            bucket.tokens -= 1.0;
            bucket.calls.served += 1;
        }
        true
    }
}

impl Bucket {
    fn full(rate: &'static Rate) -> Self {
        Self { rate, tokens: rate.burst, at: Instant::now(), calls: Use::default() }
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.tokens = (self.tokens + grown).min(self.rate.burst);
        self.at = now;
    }

    fn forget(&mut self) -> Use {
        let beyond = (self.calls.served as f64 - self.rate.burst).max(0.0);
        let allowed = Duration::from_secs_f64(beyond / self.rate.per_second);
        Use { allowed, ..std::mem::take(&mut self.calls) }
    }
}

/// The buckets that a call takes from, by name.
fn lines(seen: &Seen<'_>) -> Vec<(String, &'static Rate)> {
    let fits = |rate: &Rate| rate.service == seen.service && rate.has(seen.operation);
    let is_whole = !["Filter.", "MaxResults="].iter().any(|part| seen.input.contains(part));
    let own = if is_whole && fits(&WHOLE_LISTS) {
        Some(("whole lists".to_owned(), &WHOLE_LISTS))
    } else {
        RATES.iter().find(|rate| fits(rate)).map(|rate| (rate.name(seen.operation), rate))
    };
    let all = fits(&ALL_TOGETHER).then(|| ("all".to_owned(), &ALL_TOGETHER));
    let named = |(name, rate): (String, &'static Rate)| (format!("{} {name}", rate.service), rate);
    own.into_iter().chain(all).map(named).collect()
}

impl Rate {
    fn has(&self, operation: &str) -> bool {
        self.operations.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => operation.starts_with(start),
            None => *pattern == operation,
        })
    }

    fn name(&self, operation: &str) -> String {
        match self.shared {
            Together => self.operations.join(", "),
            Each => operation.to_owned(),
        }
    }
}
