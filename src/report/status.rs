//! How a stack is, for people: what serves, where it answers, when it expires.

use jiff::Timestamp;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::{Look, Tone, words};
use crate::address::Address;
use crate::kind::{Deployment, Health, StackId, Stage};

/// The state of a service that runs what it should and does nothing else.
pub const STEADY: &str = "steady";

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
    /// The task definition that serves, `family:revision`; empty when nothing does.
    pub task_definition: String,
    /// What it is doing.
    pub state: String,
    /// The command that a paused deployment waits for.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub onward: Option<String>,
    /// Its tasks and its newest deployment.
    #[serde(flatten)]
    pub health: Option<Health>,
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
    let count = match status.resources {
        0 => "nothing of it is in AWS".to_owned(),
        count => words::count(count, "resource"),
    };
    let mut text = format!("{name}  {region}  {}  {count}\n", status.account);
    for url in &status.urls {
        text.push_str(&format!("url      {url}\n"));
    }
    if let Some(expires) = &status.expires {
        let moment = expires.parse().map_or_else(|_| expires.clone(), words::moment);
        text.push_str(&format!("expires  {moment}\n"));
    }
    let names = status.services.iter().map(|service| words::address(&service.address));
    let width = names.map(|name| name.width()).max().unwrap_or(0);
    let serve = status.services.iter().map(|service| service.task_definition.width());
    let serve = serve.max().unwrap_or(0);
    for service in &status.services {
        text.push_str(&format!("\n{}\n", line(service, (width, serve), look)));
        if let Some(deployment) = service.health.as_ref().and_then(|it| it.deployment.as_ref()) {
            let indent = " ".repeat(width);
            let told = told(deployment, &service.task_definition, look);
            text.push_str(&format!("{indent}  {told}\n"));
            if let Some(reason) = &deployment.reason {
                text.push_str(&format!("{indent}  reason: {reason}\n"));
            }
            if let Some(waits) = waits(deployment, service.onward.as_deref()) {
                text.push_str(&format!("{indent}  {waits}\n"));
            }
        }
    }
    if !status.unsettled.is_empty() {
        text.push('\n');
    }
    for Unsettled { resource, why } in &status.unsettled {
        text.push_str(&format!("{}  {why}\n", look.paint(Tone::Warning, resource)));
    }
    text
}

/// `service web  shop-dev-web:41  1 of 2 tasks running, 1 pending  rolling out`.
fn line(service: &Service, (name, serve): (usize, usize), look: Look) -> String {
    let Service { address, task_definition, state, onward: _, health } = service;
    let of = look.paint(Tone::Address, &words::padded(&words::address(address), name));
    let tone = if state == STEADY { Tone::Good } else { Tone::Warning };
    let state = look.paint(tone, state);
    let serves = match serve {
        0 => String::new(),
        serve => format!("{}  ", words::padded(task_definition, serve)),
    };
    let tasks =
        health.as_ref().map_or_else(String::new, |Health { running, desired, pending, .. }| {
            let noun = if *desired == 1 { "task" } else { "tasks" };
            let text = format!("{running} of {desired} {noun} running");
            match pending {
                0 => format!("{text}  "),
                pending => format!("{text}, {pending} pending  "),
            }
        });
    format!("{of}  {serves}{tasks}{state}")
}

/// `waits until … for: ecsctl continue web`.
fn waits(deployment: &Deployment, onward: Option<&str>) -> Option<String> {
    let until = deployment.pause.as_ref()?.until.as_ref().map(|until| {
        let moment = until.parse().map_or_else(|_| until.clone(), words::moment);
        format!(" until {moment}")
    });
    Some(format!("waits{} for: {}", until.unwrap_or_default(), onward?))
}

/// `last deployment: shop-dev-web:42, done at …`, or how that went wrong.
fn told(deployment: &Deployment, shown: &str, look: Look) -> String {
    let Deployment { state, requested, serving, began, ended, reason: _, pause: _ } = deployment;
    let moment = |moment: &Option<String>, joint: &str| {
        let moment = moment.as_ref()?.parse::<Timestamp>().ok()?;
        Some(format!(" {joint} {}", words::moment(moment)))
    };
    let at = moment(ended, "at").unwrap_or_default();
    let since = moment(began, "since").unwrap_or_default();
    let now = match serving {
        Some(serving) if serving != requested && serving != shown => format!(", {serving} serves"),
        // The line above says it already; so it does that nothing serves.
        Some(_) | None => String::new(),
    };
    let (tone, text) = match state {
        Stage::Serves => (Tone::Dim, format!("last deployment: {requested}, done{at}")),
        Stage::UnderWay => (Tone::Warning, format!("deploying {requested}{since}{now}")),
        Stage::RollingBack => (Tone::Warning, format!("rolling {requested} back{since}{now}")),
        Stage::RolledBack => {
            (Tone::Error, format!("last deployment: {requested} was rolled back{at}{now}"))
        }
        Stage::Failed => (Tone::Error, format!("last deployment: {requested} failed{at}{now}")),
        Stage::Stopped => {
            (Tone::Error, format!("last deployment: {requested} was stopped{at}{now}"))
        }
    };
    look.paint(tone, &text)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::kind::Pause;

    fn service(name: &str, state: &str, deployment: Deployment) -> Service {
        let serves = deployment.serving.clone().unwrap_or_default();
        let running = if serves.is_empty() { 0 } else { 2 };
        let pending = u32::from(deployment.state == Stage::UnderWay);
        let health = Health { desired: 2, running, pending, deployment: Some(deployment) };
        let (address, health) = (Address::new("service", name), Some(health));
        Service { address, task_definition: serves, state: state.into(), onward: None, health }
    }

    fn deployment(state: Stage, serving: Option<&str>) -> Deployment {
        let is_over = !matches!(state, Stage::UnderWay | Stage::RollingBack);
        Deployment {
            state,
            requested: "shop-dev-web:42".into(),
            serving: serving.map(str::to_owned),
            began: Some("2026-11-21T08:10:00Z".into()),
            ended: is_over.then(|| "2026-11-21T08:12:59Z".into()),
            reason: (!matches!(state, Stage::Serves | Stage::UnderWay))
                .then(|| "tasks failed to start".into()),
            pause: None,
        }
    }

    /// A service whose canary waits for somebody.
    fn paused() -> Service {
        let pause = Pause {
            deployment: "arn".into(),
            hook: "hook-1".into(),
            stage: "post-test-traffic".into(),
            requested: "shop-dev-web:42".into(),
            until: Some("2026-11-22T08:12:59Z".into()),
        };
        let under_way = deployment(Stage::UnderWay, Some("shop-dev-web:41"));
        let held = Deployment { pause: Some(pause), ..under_way };
        Service {
            onward: Some("ecsctl continue paused --env dev".into()),
            ..service("paused", "paused at post-test-traffic", held)
        }
    }

    fn sample() -> Status {
        let [stack, env, region] = ["shop", "dev", "eu-west-1"].map(str::to_owned);
        let (old, new) = (Some("shop-dev-web:41"), Some("shop-dev-web:42"));
        Status {
            stack: StackId { stack, env, region },
            account: "123456789012".into(),
            urls: vec!["http://main.elb.test".into()],
            expires: Some("2026-11-21T16:00:00Z".into()),
            services: vec![
                service("api", "steady", deployment(Stage::Serves, new)),
                service("broken", "nothing serves", deployment(Stage::Failed, None)),
                service("new", "rolling out", deployment(Stage::UnderWay, None)),
                paused(),
                service("web", "rolling out", deployment(Stage::UnderWay, old)),
                service("worker", "steady", deployment(Stage::RolledBack, old)),
            ],
            unsettled: vec![Unsettled {
                resource: "nat-gateway.main".into(),
                why: "pending".into(),
            }],
            resources: 31,
        }
    }

    #[test]
    fn services_tell_what_they_run_and_how_their_last_deployment_went() {
        assert_snapshot!(human(&sample(), Look::PLAIN), @"
        shop/dev  eu-west-1  123456789012  31 resources
        url      http://main.elb.test
        expires  2026-11-21 16:00 UTC

        service api     shop-dev-web:42  2 of 2 tasks running  steady
                        last deployment: shop-dev-web:42, done at 2026-11-21 08:12 UTC

        service broken                   0 of 2 tasks running  nothing serves
                        last deployment: shop-dev-web:42 failed at 2026-11-21 08:12 UTC
                        reason: tasks failed to start

        service new                      0 of 2 tasks running, 1 pending  rolling out
                        deploying shop-dev-web:42 since 2026-11-21 08:10 UTC

        service paused  shop-dev-web:41  2 of 2 tasks running, 1 pending  paused at post-test-traffic
                        deploying shop-dev-web:42 since 2026-11-21 08:10 UTC
                        waits until 2026-11-22 08:12 UTC for: ecsctl continue paused --env dev

        service web     shop-dev-web:41  2 of 2 tasks running, 1 pending  rolling out
                        deploying shop-dev-web:42 since 2026-11-21 08:10 UTC

        service worker  shop-dev-web:41  2 of 2 tasks running  steady
                        last deployment: shop-dev-web:42 was rolled back at 2026-11-21 08:12 UTC
                        reason: tasks failed to start

        nat-gateway.main  pending
        ");
    }

    #[test]
    fn programs_are_told_the_same() {
        let mut sample = sample();
        sample.services.drain(..5);
        assert_snapshot!(crate::report::json::status(&sample), @r#"
        {
          "format": 1,
          "status": {
            "stack": {
              "stack": "shop",
              "env": "dev",
              "region": "eu-west-1"
            },
            "account": "123456789012",
            "urls": [
              "http://main.elb.test"
            ],
            "expires": "2026-11-21T16:00:00Z",
            "services": [
              {
                "address": "service.worker",
                "task-definition": "shop-dev-web:41",
                "state": "steady",
                "desired": 2,
                "running": 2,
                "pending": 0,
                "deployment": {
                  "state": "rolled-back",
                  "requested": "shop-dev-web:42",
                  "serving": "shop-dev-web:41",
                  "began": "2026-11-21T08:10:00Z",
                  "ended": "2026-11-21T08:12:59Z",
                  "reason": "tasks failed to start"
                }
              }
            ],
            "unsettled": [
              {
                "resource": "nat-gateway.main",
                "why": "pending"
              }
            ],
            "resources": 31
          }
        }
        "#);
    }
}
