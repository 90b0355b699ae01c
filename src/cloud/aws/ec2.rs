//! What the kinds of EC2 share when they list.

use aws_sdk_ec2::types::Filter;

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
