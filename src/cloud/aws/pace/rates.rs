//! AWS's documented rates: which calls share a bucket, how large it is, how fast it fills.
//!
//! Sources: "Request throttling for the Amazon ECS API", "Request throttling for the Amazon EC2 API",
//! "Request throttling for the Elastic Load Balancing API", "CloudWatch Logs quotas", "CloudWatch service
//! quotas", "Quotas for Amazon EventBridge Scheduler", and where it is named below. Where AWS publishes nothing, a
//! guess that a refusal corrects.

/// A bucket: calls that fit `operations` take from it. `*` at the end stands for any rest.
#[derive(Debug)]
pub(super) struct Rate {
    pub(super) service: &'static str,
    pub(super) operations: &'static [&'static str],
    /// How many calls may come at once.
    pub(super) burst: f64,
    /// Calls a second, in the long run.
    pub(super) per_second: f64,
    /// The same, after a refusal: what is certain where AWS's pages contradict each other or say nothing.
    pub(super) per_second_at_least: f64,
}

const fn rate(
    service: &'static str,
    operations: &'static [&'static str],
    burst: f64,
    per_second: f64,
) -> Rate {
    Rate { service, operations, burst, per_second, per_second_at_least: per_second }
}

/// One whose rate is a hope, and what is left of it once a call was refused.
const fn hope(
    service: &'static str,
    operations: &'static [&'static str],
    burst: f64,
    (per_second, per_second_at_least): (f64, f64),
) -> Rate {
    Rate { service, operations, burst, per_second, per_second_at_least }
}

/// The first that fits is a call's bucket.
#[rustfmt::skip]
pub(super) const RATES: &[Rate] = &[
    rate("ecs", &["CreateCluster", "DeleteCluster", "UpdateCluster*", "PutClusterCapacityProviders"], 20.0, 1.0),
    rate("ecs", &["RegisterTaskDefinition", "DeregisterTaskDefinition"], 20.0, 1.0),
    rate("ecs", &["DeleteTaskDefinitions"], 5.0, 1.0),
    rate("ecs", &["CreateCapacityProvider", "UpdateCapacityProvider", "DeleteCapacityProvider"], 10.0, 1.0),
    rate("ecs", &["CreateService", "UpdateService", "DeleteService"], 50.0, 5.0),
    rate("ecs", &["DescribeServices", "ListServices"], 100.0, 20.0),
    rate("ecs", &["DescribeServiceDeployments", "DescribeServiceRevisions", "ListServiceDeployments"], 50.0, 20.0),
    rate("ecs", &["DescribeTaskDefinition", "ListTaskDefinition*"], 50.0, 20.0),
    rate("ecs", &["DescribeTasks", "ListTasks"], 100.0, 20.0),
    rate("ecs", &["RunTask", "StopTask"], 100.0, 40.0),
    rate("ecs", &["TagResource", "UntagResource"], 20.0, 10.0),
    rate("ecs", &["*"], 50.0, 20.0),
    rate("ec2", &["CreateNatGateway", "DeleteNatGateway"], 10.0, 1.0),
    rate("ec2", &["CreateVpcEndpoint"], 4.0, 0.3),
    rate("ec2", &["ModifyVpcEndpoint"], 4.0, 0.3),
    rate("ec2", &["DeleteVpcEndpoints"], 4.0, 0.3),
    rate("ec2", &["CreateTags", "DeleteTags"], 100.0, 10.0),
    rate("ec2", &["Describe*", "Get*"], 100.0, 20.0),
    rate("ec2", &["*"], 50.0, 5.0),
    rate("elasticloadbalancing", &["CreateLoadBalancer", "SetSubnets"], 10.0, 0.2),
    // The page gives two pairs of numbers, 40 and 10 or 200 and 50. Beyond the smaller burst the larger rate is
    // tried, which lets few calls be under way when the first is refused.
    hope("elasticloadbalancing", &["Describe*"], 40.0, (50.0, 10.0)),
    rate("elasticloadbalancing", &["*"], 20.0, 3.0),
    rate("logs", &["PutRetentionPolicy", "DeleteRetentionPolicy", "TagResource", "UntagResource"], 5.0, 5.0),
    rate("logs", &["ListTagsForResource"], 30.0, 30.0),
    rate("logs", &["GetLogEvents"], 25.0, 25.0),
    rate("logs", &["CreateLogGroup", "DeleteLogGroup"], 10.0, 10.0),
    rate("logs", &["*"], 10.0, 10.0),
    // Not published; of those that are, none is below 10 for changes and 500 for reads.
    hope("ecr", &["Create*", "Delete*", "Put*", "Set*", "Tag*", "Untag*"], 50.0, (20.0, 5.0)),
    hope("ecr", &["*"], 200.0, (100.0, 20.0)),
    hope("iam", &["*"], 50.0, (20.0, 5.0)),
    // Application Auto Scaling publishes nothing.
    hope("application-autoscaling", &["Describe*", "List*"], 20.0, (10.0, 3.0)),
    hope("application-autoscaling", &["*"], 20.0, (5.0, 2.0)),
    rate("monitoring", &["DescribeAlarms"], 9.0, 9.0),
    rate("monitoring", &["PutMetricAlarm", "DeleteAlarms", "SetAlarmState"], 3.0, 3.0),
    rate("monitoring", &["GetDashboard", "ListDashboards", "PutDashboard", "DeleteDashboards"], 10.0, 10.0),
    hope("monitoring", &["*"], 20.0, (10.0, 3.0)),
    // By the first part of the path: its calls have no other name. Tags change once a second; how often they
    // are read is not published.
    hope("scheduler", &["tags"], 5.0, (2.0, 1.0)),
    rate("scheduler", &["schedule-groups"], 10.0, 10.0),
    rate("scheduler", &["schedules"], 250.0, 250.0),
    // Cloud Map publishes rates of DiscoverInstances alone.
    hope("servicediscovery", &["*"], 20.0, (10.0, 3.0)),
    // "Quotas" of the ACM user guide, "API rate quotas".
    rate("acm", &["RequestCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate"], 5.0, 5.0),
    rate("acm", &["ListCertificates"], 8.0, 8.0),
    rate("acm", &["*"], 10.0, 10.0),
    // "Quotas" of the Route 53 developer guide: five a second in an account, whatever they do.
    rate("route53", &["*"], 5.0, 5.0),
    hope("autoscaling", &["Describe*"], 50.0, (20.0, 5.0)),
    hope("autoscaling", &["*"], 20.0, (10.0, 2.0)),
    rate("sts", &["*"], 100.0, 100.0),
    hope("tagging", &["*"], 20.0, (10.0, 5.0)),
    // 3,500 writes a second to a prefix; nobody needs them.
    rate("s3", &["*"], 100.0, 100.0),
    // Any other service.
    hope("", &["*"], 20.0, (10.0, 5.0)),
];

/// The place in [`RATES`] of a call's bucket.
pub(super) fn place(service: &str, operation: &str) -> usize {
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => *pattern == operation,
    };
    let is_it = |rate: &Rate| rate.service == service && rate.operations.iter().any(fits);
    RATES.iter().position(is_it).unwrap_or(RATES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_kind_share_a_bucket() {
        let same =
            |one: (&str, &str), other: (&str, &str)| place(one.0, one.1) == place(other.0, other.1);
        assert!(same(("ecs", "CreateService"), ("ecs", "DeleteService")));
        assert!(!same(("ecs", "CreateService"), ("ecs", "DescribeServices")));
        assert!(!same(("ec2", "DescribeVpcs"), ("elasticloadbalancing", "DescribeRules")));
        assert!(same(("s3", "GetObject"), ("s3", "PutObject")));
    }
}
