//! How a stack is, for people: what serves, where it answers, when it expires.

use serde::Serialize;

use super::{Look, Tone, words};
use crate::address::Address;
use crate::kind::StackId;

/// How a stack is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The stack.
    pub stack: StackId,
    /// The account.
    pub account: String,
    /// Where it answers.
    pub urls: Vec<String>,
    /// The moment after which it may be destroyed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its services.
    pub services: Vec<Service>,
    /// Other resources that are not ready, and why.
    pub unsettled: Vec<Unsettled>,
    /// How many resources it owns.
    pub resources: usize,
}

/// How a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Service {
    /// Its address.
    pub address: Address,
    /// The task definition that serves, `family:revision`.
    pub task_definition: String,
    /// How many tasks are wanted.
    pub desired: Option<u64>,
    /// How many tasks run, where AWS was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
    /// What it is doing: `steady`, or the state of its rollout.
    pub state: String,
}

/// A resource that is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unsettled {
    /// Its address, or its kind and identifier if its tags do not say.
    pub resource: String,
    /// What it is doing.
    pub why: String,
}

/// The status for people.
pub fn human(status: &Status, look: Look) -> String {
    let StackId { stack, env, region } = &status.stack;
    let name = look.paint(Tone::Heading, &format!("{stack}/{env}"));
    let count = words::count(status.resources, "resource");
    let mut text = format!("{name}  {region}  {}  {count}\n", status.account);
    for url in &status.urls {
        text.push_str(&format!("url      {url}\n"));
    }
    if let Some(expires) = &status.expires {
        text.push_str(&format!("expires  {expires}\n"));
    }
    if !status.services.is_empty() {
        text.push('\n');
    }
    let widest = status.services.iter().map(|service| words::address(&service.address).len());
    let width = widest.max().unwrap_or(0);
    for service in &status.services {
        let of =
            look.paint(Tone::Address, &words::padded(&words::address(&service.address), width));
        let desired = service.desired.map_or("?".to_owned(), |count| count.to_string());
        let tasks = match service.running {
            Some(running) => format!("{running} of {desired} tasks running"),
            None => format!("{desired} tasks wanted"),
        };
        let tone = if service.state == "steady" { Tone::Good } else { Tone::Warning };
        let state = look.paint(tone, &service.state);
        text.push_str(&format!("{of}  {}  {tasks}  {state}\n", service.task_definition));
    }
    if !status.unsettled.is_empty() {
        text.push('\n');
    }
    for Unsettled { resource, why } in &status.unsettled {
        text.push_str(&format!("{}  {why}\n", look.paint(Tone::Warning, resource)));
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn services_tell_what_they_run() {
        let [stack, env, region] = ["shop", "dev", "eu-west-1"].map(str::to_owned);
        let status = Status {
            stack: StackId { stack, env, region },
            account: "123456789012".into(),
            urls: vec!["http://main.elb.test".into()],
            expires: Some("2026-11-21T16:00:00Z".into()),
            services: vec![Service {
                address: Address::new("service", "web"),
                task_definition: "shop-dev-web:41".into(),
                desired: Some(2),
                running: Some(1),
                state: "1 of 2 tasks running".into(),
            }],
            unsettled: vec![Unsettled {
                resource: "nat-gateway.main".into(),
                why: "pending".into(),
            }],
            resources: 31,
        };
        assert_snapshot!(human(&status, Look::PLAIN), @"
        shop/dev  eu-west-1  123456789012  31 resources
        url      http://main.elb.test
        expires  2026-11-21T16:00:00Z

        service web  shop-dev-web:41  1 of 2 tasks running  1 of 2 tasks running

        nat-gateway.main  pending
        ");
    }
}
