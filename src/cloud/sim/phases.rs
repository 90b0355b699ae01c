//! What comes in a rollout that moves requests when its tasks run: pauses, steps, and the bake.

use serde::{Deserialize, Serialize};

use crate::kinds::service::course::{Course, said};
use crate::value::Value;

/// A part of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// Somebody has to say that it goes on.
    Pause(String),
    /// The new revision gets a part of the requests, in percent, for some seconds.
    Step(f64, f64),
    /// It gets all of them, and the earlier one still stands, for some seconds.
    Bake(f64),
}

/// The parts of a rollout, and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Phases {
    all: Vec<Phase>,
    at: usize,
    /// When the present one began; `None` as long as the tasks do not run.
    since: Option<f64>,
}

impl Phases {
    /// The phases of the rollouts of a service, where a minute of AWS lasts `minute` seconds.
    pub(super) fn of(service: &Value, minute: f64) -> Self {
        let Some(course) = Course::of(service) else { return Self::default() };
        // The stages after the requests have begun to move.
        let is_late = |stage: &str| {
            ["PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"].contains(&stage)
        };
        let pauses = |late: bool| {
            let stages = course.pauses.iter().map(|(stage, _)| stage);
            let fit = stages.filter(move |stage| is_late(stage) == late);
            fit.map(|stage| Phase::Pause(said(stage))).collect::<Vec<_>>()
        };
        let lasts = |minutes: u64| minutes as f64 * minute;
        let steps =
            course.steps.iter().map(|(share, minutes)| Phase::Step(*share, lasts(*minutes)));
        let mut all = pauses(false);
        all.extend(steps);
        all.extend(pauses(true));
        all.push(Phase::Bake(lasts(course.bake)));
        Self { all, at: 0, since: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether nothing is left of them.
    pub(super) fn are_over(&self) -> bool {
        self.at >= self.all.len()
    }

    /// The present one.
    pub(super) fn now(&self) -> Option<&Phase> {
        self.all.get(self.at)
    }

    /// Ends the present one.
    pub(super) fn pass(&mut self, now: f64) {
        self.at += 1;
        self.since = Some(now);
    }

    /// Begins at `begun`, and ends those whose time is over. Says whether anything changed.
    pub(super) fn advance(&mut self, begun: f64, now: f64) -> bool {
        let was = (self.at, self.since);
        self.since.get_or_insert(begun);
        while let Some(next) = self.next(begun).filter(|next| *next <= now) {
            self.pass(next);
        }
        (self.at, self.since) != was
    }

    /// When the present one ends by itself.
    pub(super) fn next(&self, begun: f64) -> Option<f64> {
        match self.now()? {
            Phase::Pause(_) => None,
            Phase::Step(_, lasts) | Phase::Bake(lasts) => Some(self.since.unwrap_or(begun) + lasts),
        }
    }

    /// The part of the requests that the new revision gets, in percent.
    pub(super) fn share(&self) -> u64 {
        let begun = self.since.map_or(0, |_| self.at + 1);
        let mut steps = self.all.iter().take(begun).filter_map(|phase| match phase {
            Phase::Step(share, _) => Some(share.round() as u64),
            Phase::Pause(_) | Phase::Bake(_) => None,
        });
        steps.next_back().unwrap_or(0)
    }

    /// What it is doing.
    pub(super) fn told(&self) -> Option<String> {
        Some(match self.now()? {
            Phase::Pause(stage) => format!("paused at {stage}"),
            Phase::Step(share, _) => format!("{share} % of the requests"),
            Phase::Bake(_) => "bake: all requests".to_owned(),
        })
    }
}
