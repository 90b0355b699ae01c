//! What the kinds of EC2 share when they list.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Subnet};

use super::{Aws, batched};
use crate::kind::{Given, Result, Site};

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

/// DescribeSubnets: where the subnets of a network are that exists already.
pub(super) async fn sites(aws: &Aws, given: &Given) -> Result<BTreeMap<String, Site>> {
    let ids: Vec<String> = given.subnets.values().flatten().cloned().collect();
    let found = batched(&ids, FILTER_VALUES, |ids| async move {
        let call = aws.ec2.describe_subnets().filters(filter("subnet-id", ids));
        let pages = call.into_paginator().page_size(PAGE).items();
        let found: Vec<Subnet> = pages.send().try_collect().await?;
        Ok(found)
    })
    .await?;
    let site = |subnet: &Subnet| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let site = Site { vpc: text(subnet.vpc_id()), zone: text(subnet.availability_zone()) };
        (text(subnet.subnet_id()), site)
    };
    Ok(found.iter().map(site).collect())
}
