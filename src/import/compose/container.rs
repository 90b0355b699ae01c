//! What a compose service says of its container.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::measures::seconds;
use super::spelled;
use crate::import::members::{Members, word};
use crate::import::spell::Variables;
use crate::import::words;

/// The condition of whoever waits until another has ended well.
pub(super) const ENDED: &str = "service_completed_successfully";

/// A compose service that is being read, and what it becomes.
pub(super) struct Reader<'v> {
    pub(super) members: Members,
    pub(super) variables: &'v mut Variables,
    pub(super) fields: Map<String, Json>,
    /// The services of the stack that this one can come after.
    pub(super) services: BTreeSet<String>,
}

impl Reader<'_> {
    pub(super) fn set(&mut self, key: &str, value: impl Into<Json>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// Everything that is one container's. Comes back with the repository that its image is pushed to,
    /// if there is none to pull it from.
    pub(super) fn container(
        &mut self,
        own: &str,
        beside: &[&str],
        builds: &mut BTreeMap<String, String>,
    ) -> Option<String> {
        let repository = self.image(own, builds);
        for (key, ours) in [("command", "command"), ("entrypoint", "entrypoint")] {
            if let Some(said) = self.members.words(key, words::split) {
                let said: Vec<String> = said.iter().map(|text| self.variables.text(text)).collect();
                self.set(ours, said);
            }
        }
        for (key, ours) in [("user", "user"), ("working_dir", "directory")] {
            if let Some(text) = self.members.word(key) {
                let text = self.variables.text(&text);
                self.set(ours, text);
            }
        }
        for (key, ours) in [("init", "init"), ("read_only", "readonly")] {
            if let Some(on) = self.members.take(key).and_then(|on| on.as_bool()) {
                self.set(ours, on);
            }
        }
        self.stop();
        self.environment();
        self.health();
        self.after(beside);
        repository
    }

    /// How long it may take to stop.
    fn stop(&mut self) {
        let Some(text) = self.members.word("stop_grace_period") else { return };
        let why = match seconds(&text) {
            Some(time) => {
                self.set("stop-timeout", format!("{}s", time.clamp(2, 120)));
                (time > 120).then_some("Fargate waits 2 minutes at most")
            }
            None => Some("it is no span of time"),
        };
        if let Some(why) = why {
            self.members.note(&["stop_grace_period"], &json!(text), why);
        }
    }

    fn image(&mut self, own: &str, builds: &mut BTreeMap<String, String>) -> Option<String> {
        let build = self.members.take("build");
        if let Some(image) = self.members.word("image") {
            if let Some(build) = build {
                let why = format!("build it and push it as `{image}` before `apply`");
                self.members.note(&["build"], &build, why);
            }
            let image = self.variables.text(&image);
            self.set("image", image);
            return None;
        }
        let build = build.unwrap_or(Json::Null);
        // What is built from the same sources is the same image.
        let repository = builds.entry(build.to_string()).or_insert_with(|| own.to_owned()).clone();
        let why = format!("build it and push it to the repository `{repository}` before `apply`");
        self.members.note(&["build"], &build, why);
        self.set("image", format!("${{repo.{repository}}}:latest"));
        Some(repository)
    }

    fn environment(&mut self) {
        let mut variables = Map::new();
        let said = self.members.take("environment").unwrap_or(Json::Null);
        let pairs: Vec<(String, Option<String>)> = match &said {
            Json::Object(entries) => {
                entries.iter().map(|(name, value)| (name.clone(), word(value))).collect()
            }
            Json::Array(items) => {
                let texts = items.iter().filter_map(word);
                let pair = |text: String| match text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (text, None),
                };
                texts.map(pair).collect()
            }
            _ => Vec::new(),
        };
        for (name, value) in pairs {
            // Without a value it is that of whoever calls compose.
            let value = value.unwrap_or_else(|| format!("${{{name}}}"));
            variables.insert(name, json!(self.variables.text(&value)));
        }
        if !variables.is_empty() {
            self.set("env", variables);
        }
    }

    fn health(&mut self) {
        if !self.members.has("healthcheck") {
            return;
        }
        let mut check = self.members.inner("healthcheck");
        let test = check.take("test");
        let is_off = check.take("disable") == Some(Json::Bool(true));
        let mut health = Map::new();
        for (key, ours, least, most) in [
            ("interval", "interval", 5, 300),
            ("timeout", "timeout", 2, 60),
            ("start_period", "start", 0, 300),
        ] {
            let Some(text) = check.word(key) else { continue };
            let time = seconds(&text).unwrap_or(least);
            if time != time.clamp(least, most) {
                check.note(&[key], &json!(text), format!("ECS takes {least} to {most} seconds"));
            }
            health.insert(ours.to_owned(), json!(format!("{}s", time.clamp(least, most))));
        }
        if let Some(retries) = check.take("retries").and_then(|number| number.as_u64()) {
            if retries != retries.clamp(1, 10) {
                check.note(&["retries"], &json!(retries), "ECS takes 1 to 10");
            }
            health.insert("unhealthy".to_owned(), json!(retries.clamp(1, 10)));
        }
        let command = test.as_ref().and_then(tested).filter(|_| !is_off);
        self.members.join(check, &why);
        let Some(command) = command else { return };
        health.insert("command".to_owned(), json!(self.variables.text(&command)));
        self.set("health", health);
    }

    /// Whom it waits for: containers of the same task, and services until they are ready. ECS knows no
    /// container that waits for another service.
    fn after(&mut self, beside: &[&str]) {
        let Some(said) = self.members.take("depends_on") else { return };
        let mut after = Map::new();
        for (other, condition) in dependencies(&json!({ "depends_on": said })) {
            if beside.contains(&other.as_str()) {
                let until = match condition.as_str() {
                    ENDED => "success",
                    "service_healthy" => "healthy",
                    _ => "start",
                };
                after.insert(spelled(&other), json!(until));
            } else if self.services.contains(&other) {
                after.insert(spelled(&other), json!("ready"));
            } else {
                let why = "a container waits for others of its task: let it try again until the other answers";
                self.members.note(&["depends_on", &other], &json!(condition), why);
            }
        }
        if after.values().all(|until| until == "ready") && !after.is_empty() {
            self.set("after", after.keys().cloned().collect::<Vec<_>>());
        } else if !after.is_empty() {
            self.set("after", after);
        }
    }

    /// What is said of a container beside others in a task.
    pub(super) fn sidecar(&mut self) {
        self.members.take("network_mode");
        let restart = self.members.word("restart");
        self.set("essential", restart.is_some_and(|restart| restart != "no"));
        self.listen();
    }
}

/// Whether one service connects to another: it depends on it, or links to it.
pub(super) fn uses(service: &Json, other: &str) -> bool {
    let links = service.get("links").and_then(Json::as_array).into_iter().flatten();
    let mut links = links.filter_map(word);
    dependencies(service).iter().any(|(name, _)| name == other)
        || links.any(|link| link.split(':').next() == Some(other))
}

/// The services that one depends on, with their conditions.
pub(super) fn dependencies(service: &Json) -> Vec<(String, String)> {
    const STARTED: &str = "service_started";
    match service.get("depends_on") {
        Some(Json::Array(names)) => {
            names.iter().filter_map(word).map(|name| (name, STARTED.to_owned())).collect()
        }
        Some(Json::Object(others)) => {
            let condition = |other: &Json| other.get("condition").and_then(word);
            let each = others.iter();
            each.map(|(name, other)| (name.clone(), condition(other).unwrap_or(STARTED.to_owned())))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The command of a health check; `None` for none.
fn tested(test: &Json) -> Option<String> {
    let Json::Array(items) = test else { return word(test) };
    let said: Vec<String> = items.iter().filter_map(word).collect();
    match said.split_first() {
        Some((first, rest)) if first == "CMD-SHELL" => Some(rest.join(" ")),
        Some((first, rest)) if first == "CMD" => Some(words::join(rest)),
        _ => None,
    }
}

/// Why a key of a compose service is not taken over.
pub(super) fn why(key: &str) -> &'static str {
    match key {
        "networks" | "network_mode" => {
            "a stack has one network; `from` says who may connect to whom"
        }
        "links" | "external_links" => {
            "a service is reached by its load balancer, or by Service Connect"
        }
        "container_name" | "hostname" | "domainname" => "a container is called like its service",
        "restart" => "ECS keeps the tasks of a service running",
        "env_file" => "the file is on this machine: write its variables into `env`",
        "secrets" => {
            "put it into SSM or Secrets Manager, and write `secrets = { NAME = \"ssm:/…\" }`"
        }
        "configs" => "put it into the image, or into `env`",
        "logging" => "output goes to CloudWatch Logs; see `logs`",
        "privileged"
        | "cap_add"
        | "devices"
        | "device_cgroup_rules"
        | "dns"
        | "dns_search"
        | "extra_hosts"
        | "ipc"
        | "pid"
        | "shm_size"
        | "security_opt"
        | "gpus"
        | "runtime"
        | "userns_mode"
        | "cgroup_parent"
        | "group_add"
        | "oom_score_adj"
        | "mem_swappiness"
        | "memswap_limit" => "Fargate does not have it",
        "ulimits" | "cap_drop" | "labels" | "sysctls" | "tty" | "stdin_open" => {
            "it can be said in [aws.task-definition.NAME.containers.NAME]"
        }
        "tmpfs" => "a volume of the task is scratch space as well: `volume.NAME.mount`",
        "profiles" => "say it in an environment: `[env.NAME] unset = […]`",
        "extends" => "import what `docker compose config` prints: there it is written out",
        "develop" | "pull_policy" | "attach" => "it is for work on one machine",
        _ => "ecsctl does not know it",
    }
}
