//! Reading ECS services and the records of their deployments in batches: for observations, and for
//! the many waits of a run that share calls.

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{CapacityProviderStrategyItem, Service, ServiceDeployment, ServiceField};

use super::Coalesced;
use super::numbers::int;
use crate::kind::{Class, Error, Result, Share, Strategy};

/// Services that DescribeServices takes in a call.
pub const SERVICES: usize = 10;
/// Records that DescribeServiceDeployments takes in a call.
const RECORDS: usize = 20;

/// A strategy as the API wants it.
pub fn strategy(strategy: &Strategy) -> Vec<CapacityProviderStrategyItem> {
    let item = |share: &Share| {
        CapacityProviderStrategyItem::builder()
            .capacity_provider(&share.capacity_provider)
            .base(int(share.base))
            .weight(int(share.weight))
            .build()
            .expect("the provider is set")
    };
    strategy.iter().map(item).collect()
}

/// DescribeServices of one cluster, at most [`SERVICES`]. What is not there is a failure in the
/// reply and not in the list; neither are the services of a cluster that is not there.
pub async fn describe_services(
    ecs: &Client,
    cluster: &str,
    services: Vec<String>,
    field: Option<ServiceField>,
) -> Result<Vec<Service>> {
    let call = ecs.describe_services().cluster(cluster).set_services(Some(services));
    let call = call.set_include(field.map(|field| vec![field]));
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(found.services.unwrap_or_default()),
        Err(error) if error.class == Class::Absent => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Services by their ARNs.
pub(super) fn services(ecs: &Client) -> Coalesced<Service> {
    let ecs = ecs.clone();
    Coalesced::new(SERVICES, move |arns| by_arn(ecs.clone(), arns))
}

async fn by_arn(ecs: Client, arns: Vec<String>) -> Result<BTreeMap<String, Service>> {
    let mut clusters: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (arn, (cluster, _)) in arns.iter().filter_map(|arn| Some((arn, place(arn)?))) {
        clusters.entry(cluster).or_default().push(arn.clone());
    }
    let mut found = BTreeMap::new();
    for (cluster, arns) in clusters {
        for service in describe_services(&ecs, cluster, arns, None).await? {
            found.insert(service.service_arn().unwrap_or_default().to_owned(), service);
        }
    }
    Ok(found)
}

/// Records of deployments by their ARNs.
pub(super) fn deployments(ecs: &Client) -> Coalesced<ServiceDeployment> {
    let ecs = ecs.clone();
    Coalesced::new(RECORDS, move |arns| records(ecs.clone(), arns))
}

async fn records(ecs: Client, arns: Vec<String>) -> Result<BTreeMap<String, ServiceDeployment>> {
    let call = ecs.describe_service_deployments().set_service_deployment_arns(Some(arns));
    let found = call.send().await?.service_deployments.unwrap_or_default();
    let keyed = found
        .into_iter()
        .filter_map(|record| Some((record.service_deployment_arn()?.to_owned(), record)));
    Ok(keyed.collect())
}

/// `(cluster, name)` of `arn:…:service/<cluster>/<name>`.
pub fn place(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":service/")?.1.split_once('/')
}

/// The name at the end of an ARN; a name is its own end.
pub fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
