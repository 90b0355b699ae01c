//! The reports for programs; docs/formats.md describes them. Each begins with `"format": 1`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::picture::Picture;
use super::status::Status;
use super::summary::Outputs;
use super::{diagnostics, trouble};
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::kind::{Error, StackId, TagChange};
use crate::plan::{Action, Because, Counts, Edit, Plan, Purpose, StepId};
use crate::run::event::Outcome;
use crate::spec::Sources;
use crate::value::Value;

/// The version of these documents. It changes when a reader of the old one would misread the new.
const FORMAT: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlanDocument<'a> {
    format: u32,
    stack: &'a StackId,
    account: &'a str,
    purpose: Purpose,
    counts: Counts,
    unchanged: usize,
    steps: Vec<StepDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepDocument<'a> {
    address: &'a Address,
    verb: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Because>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<EditDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a TagChange>,
    #[serde(skip_serializing_if = "is_null")]
    spec: &'a Value,
    after: &'a [StepId],
    seconds: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EditDocument<'a> {
    path: String,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
    replaces: bool,
}

fn is_null(value: &&Value) -> bool {
    **value == Value::Null
}

/// A plan.
pub fn plan(plan: &Plan) -> String {
    let edit = |edit: &'_ Edit| edit.path.to_string();
    let steps = plan.steps.iter().map(|step| {
        let edits = step.edits.iter().map(|it| EditDocument {
            path: edit(it),
            old: it.old.as_ref(),
            new: it.new.as_ref(),
            replaces: it.replaces,
        });
        let document = StepDocument {
            address: &step.address,
            verb: step.verb(),
            id: None,
            because: None,
            waits_for: None,
            edits: edits.collect(),
            tags: None,
            spec: &step.spec,
            after: &step.after,
            seconds: step.seconds,
        };
        match &step.action {
            Action::Create { replaces } => StepDocument { id: replaces.as_deref(), ..document },
            Action::Update { id, tags, was: _, adopts: _ } => {
                let tags = Some(tags).filter(|tags| !tags.is_empty());
                StepDocument { id: Some(id), tags, ..document }
            }
            Action::Widen { id, was: _ } => StepDocument { id: Some(id), ..document },
            Action::Delete { id, because, was: _ } => {
                StepDocument { id: Some(id), because: Some(*because), ..document }
            }
            Action::Settle { id, why } => {
                let id = Some(id.as_str()).filter(|id| !id.is_empty());
                StepDocument { id, waits_for: Some(why), ..document }
            }
        }
    });
    written(&PlanDocument {
        format: FORMAT,
        stack: &plan.stack,
        account: &plan.account,
        purpose: plan.purpose,
        counts: plan.counts(),
        unchanged: plan.unchanged,
        steps: steps.collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct OutcomeDocument<'a> {
    format: u32,
    stack: &'a StackId,
    purpose: Purpose,
    complete: bool,
    interrupted: bool,
    milliseconds: u128,
    steps: Vec<ResultDocument<'a>>,
    outputs: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ResultDocument<'a> {
    address: &'a Address,
    verb: &'static str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a Address>,
}

/// How a run ended.
pub fn outcome(plan: &Plan, outcome: &Outcome, outputs: &Outputs, took: Duration) -> String {
    let steps = plan.steps.iter().enumerate().map(|(id, step)| {
        let because = outcome.skipped.get(&id).map(|because| &plan.steps[*because].address);
        let error = outcome.failed.get(&id);
        let result = match (error, because) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "skipped",
            (None, None) if outcome.done.contains(&id) => "done",
            (None, None) => "interrupted",
        };
        ResultDocument { address: &step.address, verb: step.verb(), result, error, because }
    });
    written(&OutcomeDocument {
        format: FORMAT,
        stack: &plan.stack,
        purpose: plan.purpose,
        complete: outcome.is_complete(),
        interrupted: outcome.was_interrupted,
        milliseconds: took.as_millis(),
        steps: steps.collect(),
        outputs: outputs.iter().cloned().collect(),
    })
}

/// How a stack is.
pub fn status(status: &Status) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        status: &'a Status,
    }
    written(&Document { format: FORMAT, status })
}

/// Who needs whom.
pub fn graph(stack: &StackId, picture: &Picture) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        stack: &'a StackId,
        resources: Vec<Resource<'a>>,
    }
    #[derive(Serialize)]
    struct Resource<'a> {
        address: &'a Address,
        needs: Vec<&'a Address>,
    }
    let needs = picture.needs().into_iter();
    let resources = needs.map(|(address, needs)| Resource { address, needs }).collect();
    written(&Document { format: FORMAT, stack, resources })
}

/// What is wrong, or worth a look.
pub fn diagnostics(found: &[Diagnostic], sources: &Sources) -> String {
    #[derive(Serialize)]
    struct Document {
        format: u32,
        diagnostics: serde_json::Value,
    }
    written(&Document { format: FORMAT, diagnostics: diagnostics::to_json(found, sources) })
}

/// An error of AWS: as a diagnostic like all others, and in AWS's own words.
pub fn error(error: &Error) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        diagnostics: serde_json::Value,
        error: &'a Error,
    }
    let found = [trouble::diagnostic(error)];
    let diagnostics = diagnostics::to_json(&found, &Sources::default());
    written(&Document { format: FORMAT, diagnostics, error })
}

fn written(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("reports hold text keys and finite numbers only") + "\n"
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::kind::Class;
    use crate::report::sample;

    #[test]
    fn a_plan_has_a_step_for_each_deed() {
        let mut sample = sample::change();
        sample.steps.drain(4..);
        assert_snapshot!(plan(&sample), @r#"
        {
          "format": 1,
          "stack": {
            "stack": "shop",
            "env": "prod",
            "region": "eu-west-1"
          },
          "account": "123456789012",
          "purpose": "apply",
          "counts": {
            "create": 0,
            "update": 2,
            "replace": 1,
            "delete": 0,
            "adopt": 0,
            "settle": 0
          },
          "unchanged": 23,
          "steps": [
            {
              "address": "task-definition.web",
              "verb": "update",
              "id": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-prod-web:41",
              "edits": [
                {
                  "path": "containers.web.environment.LEVEL",
                  "old": null,
                  "new": "info",
                  "replaces": false
                },
                {
                  "path": "containers.web.image",
                  "old": "httpd:2.4",
                  "new": "httpd:2.5",
                  "replaces": false
                }
              ],
              "spec": {
                "cpu": 256
              },
              "after": [],
              "seconds": 1
            },
            {
              "address": "service.web",
              "verb": "update",
              "id": "arn:aws:ecs:::service/web",
              "edits": [
                {
                  "path": "task-definition",
                  "old": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-prod-web:41",
                  "new": "${task-definition.web.arn}",
                  "replaces": false
                }
              ],
              "spec": {},
              "after": [
                0
              ],
              "seconds": 1
            },
            {
              "address": "target-group.web",
              "verb": "replace",
              "id": "arn:tg-old",
              "edits": [
                {
                  "path": "port",
                  "old": 80,
                  "new": 8080,
                  "replaces": true
                }
              ],
              "spec": {
                "port": 8080
              },
              "after": [],
              "seconds": 1
            },
            {
              "address": "target-group.web",
              "verb": "delete",
              "id": "arn:tg-old",
              "because": "replaced",
              "after": [],
              "seconds": 1
            }
          ]
        }
        "#);
    }

    #[test]
    fn an_outcome_names_every_step() {
        let error = Error::new(Class::Denied, "not allowed");
        let ended = Outcome {
            done: vec![0],
            failed: [(1, error)].into(),
            skipped: [(2, 1), (3, 1)].into(),
            ..Outcome::default()
        };
        let mut sample = sample::change();
        sample.steps.drain(4..);
        assert_snapshot!(outcome(&sample, &ended, &Outputs::new(), Duration::from_millis(1500)), @r#"
        {
          "format": 1,
          "stack": {
            "stack": "shop",
            "env": "prod",
            "region": "eu-west-1"
          },
          "purpose": "apply",
          "complete": false,
          "interrupted": false,
          "milliseconds": 1500,
          "steps": [
            {
              "address": "task-definition.web",
              "verb": "update",
              "result": "done"
            },
            {
              "address": "service.web",
              "verb": "update",
              "result": "failed",
              "error": {
                "class": "denied",
                "message": "not allowed"
              }
            },
            {
              "address": "target-group.web",
              "verb": "replace",
              "result": "skipped",
              "because": "service.web"
            },
            {
              "address": "target-group.web",
              "verb": "delete",
              "result": "skipped",
              "because": "service.web"
            }
          ],
          "outputs": {}
        }
        "#);
    }
}
