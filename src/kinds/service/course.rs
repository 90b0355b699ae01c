//! The course of a deployment that moves requests: its steps and how long it may take, as a declaration
//! says. The plan tells it, the executor is patient by it, and the simulator follows it.

use std::time::Duration;

use crate::value::Value;

/// The course of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The API's word for the strategy.
    strategy: String,
    /// The parts of the requests that the new revision has in turn, in percent, each with the minutes for
    /// which it stays so.
    pub steps: Vec<(f64, u64)>,
    /// Minutes for which both revisions stand when all requests have moved.
    pub bake: u64,
    /// The stages at which somebody is asked, in the API's words, each with the minutes for which an
    /// answer is waited for.
    pub pauses: Vec<(String, u64)>,
    /// Minutes for which functions may be waited for.
    hooks: u64,
}

impl Course {
    /// The course that the declaration of a service describes; `None` if its tasks are replaced one by one.
    pub fn of(service: &Value) -> Option<Self> {
        let deployment = service.get("deployment")?;
        let strategy = deployment.text("strategy").filter(|word| *word != "ROLLING")?.to_owned();
        let part = |of: &str, field: &str| fraction(deployment.get(of)?.get(field)?);
        let minutes = |of: &str, field: &str| deployment.get(of)?.number(field);
        let steps = match strategy.as_str() {
            "CANARY" => {
                let first = part("canary", "percent").unwrap_or(5.0);
                vec![(first, minutes("canary", "bake-time-in-minutes").unwrap_or(10)), (100.0, 0)]
            }
            "LINEAR" => {
                let each = part("linear", "step-percent").unwrap_or(10.0).max(1.0);
                let pause = minutes("linear", "step-bake-time-in-minutes").unwrap_or(6);
                let count = (100.0 / each).ceil() as u64;
                let step = |number| ((each * number as f64).min(100.0), pause);
                (1..count).map(step).chain([(100.0, 0)]).collect()
            }
            _ => vec![(100.0, 0)],
        };
        let bake = deployment.number("bake-time-in-minutes").unwrap_or(0);
        let mut course = Self { strategy, steps, bake, pauses: Vec::new(), hooks: 0 };
        if let Some(Value::List(hooks)) = deployment.get("lifecycle-hooks") {
            hooks.iter().for_each(|hook| course.hold(hook));
        }
        Some(course)
    }

    fn hold(&mut self, hook: &Value) {
        let waits = hook.get("timeout").and_then(|timeout| timeout.number("timeout-in-minutes"));
        let waits = waits.unwrap_or(super::shifting::A_DAY.into());
        let stages = hook.get("lifecycle-stages").map(Value::texts).unwrap_or_default();
        match hook.text("target-type") {
            Some("PAUSE") => {
                self.pauses.extend(stages.into_iter().map(|stage| (stage.to_owned(), waits)));
            }
            _ => self.hooks += waits * stages.len() as u64,
        }
    }

    /// How much longer than any other a deployment may take that takes this course.
    pub fn lasts(&self) -> Duration {
        let steps: u64 = self.steps.iter().map(|(_, minutes)| minutes).sum();
        let pauses: u64 = self.pauses.iter().map(|(_, minutes)| minutes).sum();
        Duration::from_secs(60 * (steps + self.bake + pauses + self.hooks))
    }

    /// `canary 10 % for 5m, then 100 %, bake 5m`.
    pub fn told(&self) -> String {
        let first = self.steps.first().copied().unwrap_or((100.0, 0));
        let mut text = match self.strategy.as_str() {
            "CANARY" => format!("canary {} % for {}, then 100 %", first.0, time(first.1)),
            "LINEAR" => format!("linear {} % every {}", first.0, time(first.1)),
            _ => "blue/green".to_owned(),
        };
        if self.bake > 0 {
            text.push_str(&format!(", bake {}", time(self.bake)));
        }
        for (stage, _) in &self.pauses {
            text.push_str(&format!(", pause at {}", said(stage)));
        }
        text
    }
}

/// A stage as specs say it: `POST_TEST_TRAFFIC_SHIFT` is `post-test-traffic`.
pub fn said(stage: &str) -> String {
    let words = stage.to_lowercase().replace('_', "-");
    words.strip_suffix("-shift").unwrap_or(&words).to_owned()
}

/// `5m`, `2h`.
pub(super) fn time(minutes: u64) -> String {
    match minutes {
        hours if hours > 0 && hours.is_multiple_of(60) => format!("{}h", hours / 60),
        minutes => format!("{minutes}m"),
    }
}

fn fraction(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn told(deployment: &Json) -> String {
        let service = Value::lift(json!({ "deployment": deployment })).unwrap();
        let course = Course::of(&service);
        course.map_or("-".to_owned(), |it| format!("{} ({}s)", it.told(), it.lasts().as_secs()))
    }

    #[test]
    fn a_course_is_told_and_takes_its_time() {
        let canary = json!({ "percent": 10, "bake-time-in-minutes": 5 });
        let linear = json!({ "step-percent": 30.5, "step-bake-time-in-minutes": 60 });
        let hooks = json!([
            { "target-type": "PAUSE", "lifecycle-stages": ["POST_TEST_TRAFFIC_SHIFT"],
              "timeout": { "timeout-in-minutes": 30 } },
            { "target-type": "AWS_LAMBDA", "lifecycle-stages": ["PRE_SCALE_UP"] },
        ]);
        insta::assert_snapshot!(told(&json!({ "strategy": "ROLLING" })), @"-");
        insta::assert_snapshot!(told(&json!({ "strategy": "CANARY", "canary": canary, "bake-time-in-minutes": 5 })), @"canary 10 % for 5m, then 100 %, bake 5m (600s)");
        insta::assert_snapshot!(told(&json!({ "strategy": "LINEAR", "linear": linear })), @"linear 30.5 % every 1h (10800s)");
        insta::assert_snapshot!(told(&json!({ "strategy": "BLUE_GREEN", "bake-time-in-minutes": 90, "lifecycle-hooks": hooks })), @"blue/green, bake 90m, pause at post-test-traffic (93600s)");
    }
}
