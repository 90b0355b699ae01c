//! What a load balancer asks a service's tasks to find out whether they are healthy.

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::member::Members;
use super::service::{Health, Service};
use crate::address::Path;

/// What is written of health, closest to the load balancer first, each with where it is written. There
/// is always a last one, which is where one would write what nobody has written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers(Vec<(Path, Health)>);

impl Layers {
    /// What the service `section` says of the container that answers.
    pub(super) fn new(
        service: &Service,
        section: &Path,
        answering: &str,
        members: &Members,
    ) -> Self {
        let http = service.http.as_ref().and_then(|http| http.health.as_ref());
        let member = members.get(answering);
        let container = member.and_then(|member| {
            Some((member.keys.join("health"), member.container.health.as_ref()?))
        });
        let layers = [
            http.map(|health| (section.join("http").join("health"), health)),
            container,
            service.health.as_ref().map(|health| (section.join("health"), health)),
        ];
        let nobody = (section.join("health"), &Health::default());
        // Times beside a command alone are that command's.
        let layers = layers.into_iter().flatten().chain([nobody]);
        let layers = layers.filter(|(_, it)| it.path.is_some() || it.command.is_none());
        Self(layers.map(|(keys, health)| (keys, health.clone())).collect())
    }

    /// Gives a target group its health check. What is written closest wins, key by key.
    pub(super) fn check(&self, mut group: Declaration) -> Declaration {
        let interval = self.find(|health| health.interval).map_or(10, |interval| interval.0);
        let mut check = json!({
            "path": "/",
            "interval-seconds": interval,
            // An answer must come before the next question; AWS waits two seconds for it at least.
            "timeout-seconds": interval.saturating_sub(1).clamp(2, 5),
            "healthy-threshold": 2,
            "unhealthy-threshold": 2,
            "matcher": "200-399",
        });
        for (field, key, said) in FIELDS {
            let written = self.0.iter().find_map(|(keys, health)| Some((keys, said(health)?)));
            let keys = match written {
                Some((keys, value)) => {
                    check[field] = value;
                    keys
                }
                None => &self.0[self.0.len() - 1].0,
            };
            group = group.decided(["health-check", field], keys.join(key));
        }
        group.with("health-check", check)
    }

    fn find<T>(&self, said: impl Fn(&Health) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|(_, health)| said(health))
    }
}

/// A field of a target group's health check, the key that says it, and what that key says.
type Field = (&'static str, &'static str, fn(&Health) -> Option<Json>);

const FIELDS: [Field; 6] = [
    ("path", "path", |health| health.path.clone().map(Json::from)),
    ("interval-seconds", "interval", |health| health.interval.map(|time| time.0.into())),
    ("timeout-seconds", "timeout", |health| health.timeout.map(|time| time.0.into())),
    ("healthy-threshold", "healthy", |health| health.healthy.map(Json::from)),
    ("unhealthy-threshold", "unhealthy", |health| health.unhealthy.map(Json::from)),
    ("matcher", "codes", |health| health.codes.clone().map(Json::from)),
];
