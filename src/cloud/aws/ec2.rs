//! What the kinds of EC2 share when they list.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Subnet, Tag, Vpc};

use super::{Aws, batched};
use crate::kind::{Found, Given, Result, Site, Tags, Which};

/// The largest page of most listings (`MaxResults`).
pub const PAGE: i32 = 1000;
/// The largest page of DescribeRouteTables.
pub const ROUTE_TABLES_PAGE: i32 = 100;
/// How many values a filter may hold.
pub const FILTER_VALUES: usize = 200;

/// One filter. Asking by filter and not by id, because an unknown id fails the whole call.
pub fn filter<V: Into<String>>(name: &str, values: impl IntoIterator<Item = V>) -> Filter {
    let values = values.into_iter().map(Into::into).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// DescribeVpcs and DescribeSubnets: what there is of a network that exists already.
pub(super) async fn find(aws: &Aws, given: &Given) -> Result<Found> {
    let vpcs = match &given.vpc {
        Which::Named(id) => BTreeSet::from([id.clone()]),
        Which::Tagged(tags) => vpcs(aws, tags).await?,
    };
    let ids = given.subnets.values().flat_map(|which| match which {
        Which::Named(ids) => ids.iter().cloned().collect::<Vec<_>>(),
        Which::Tagged(_) => Vec::new(),
    });
    let ids: Vec<String> = ids.collect();
    let named = batched(&ids, FILTER_VALUES, |ids| subnets(aws, vec![filter("subnet-id", ids)]));
    let named: BTreeMap<String, Site> = named.await?.iter().map(site).collect();
    let mut found = Found { vpcs, subnets: BTreeMap::new() };
    for (key, which) in &given.subnets {
        let one = (found.vpcs.first(), found.vpcs.len());
        let there = match (which, one) {
            (Which::Named(ids), _) => {
                let site = |id: &String| Some((id.clone(), named.get(id)?.clone()));
                ids.iter().filter_map(site).collect()
            }
            (Which::Tagged(tags), (Some(vpc), 1)) => tagged_subnets(aws, vpc, tags).await?,
            (Which::Tagged(_), _) => BTreeMap::new(),
        };
        found.subnets.insert(key.clone(), there);
    }
    Ok(found)
}

/// The VPCs that carry all the tags.
async fn vpcs(aws: &Aws, tags: &Tags) -> Result<BTreeSet<String>> {
    let call = aws.ec2.describe_vpcs().set_filters(Some(with_tags(tags)));
    let pages = call.into_paginator().page_size(PAGE).items();
    let found: Vec<Vpc> = pages.send().try_collect().await?;
    let theirs = found.iter().filter(|vpc| carries(vpc.tags(), tags));
    Ok(theirs.filter_map(|vpc| vpc.vpc_id().map(str::to_owned)).collect())
}

/// The subnets of a VPC that carry all the tags.
async fn tagged_subnets(aws: &Aws, vpc: &str, tags: &Tags) -> Result<BTreeMap<String, Site>> {
    let mut filters = with_tags(tags);
    filters.push(filter("vpc-id", [vpc]));
    let found = subnets(aws, filters).await?;
    Ok(found.iter().filter(|subnet| carries(subnet.tags(), tags)).map(site).collect())
}

async fn subnets(aws: &Aws, filters: Vec<Filter>) -> Result<Vec<Subnet>> {
    let call = aws.ec2.describe_subnets().set_filters(Some(filters));
    let pages = call.into_paginator().page_size(PAGE).items();
    Ok(pages.send().try_collect().await?)
}

fn with_tags(tags: &Tags) -> Vec<Filter> {
    tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), [value])).collect()
}

/// Whether what a filter has found carries the very tags: a filter takes `*` and `?` for wildcards.
fn carries(found: &[Tag], tags: &Tags) -> bool {
    let is_there = |key: &str, value: &str| {
        found.iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
    };
    tags.iter().all(|(key, value)| is_there(key, value))
}

fn site(subnet: &Subnet) -> (String, Site) {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let site = Site { vpc: text(subnet.vpc_id()), zone: text(subnet.availability_zone()) };
    (text(subnet.subnet_id()), site)
}
