//! What a compose service says of the service as a whole: who reaches it, its volumes, its processor.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::container::Reader;
use super::spelled;
use crate::import::members::word;

/// Ports on which nobody speaks HTTP: what listens there is behind no load balancer.
const OTHERS: [u16; 14] =
    [22, 25, 53, 389, 1433, 1521, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 27017];

impl Reader<'_> {
    /// Everything that is the service's. Says whether it has a load balancer of its own.
    pub(super) fn service(&mut self, own: &str, users: &BTreeSet<String>, is_first: bool) -> bool {
        self.platform();
        self.volumes();
        if let Some(restart) = self.members.word("restart").filter(|restart| restart == "no") {
            self.members.note(
                &["restart"],
                &json!(restart),
                "ECS keeps the tasks of a service running",
            );
        }
        let published = self.listen();
        let tcp = published.iter().find(|port| !port.udp);
        let Some(port) = tcp.filter(|port| !OTHERS.contains(&port.target)) else {
            self.private(users, &published);
            return false;
        };
        let usual = [None, Some("80"), Some("443")];
        if !usual.contains(&port.published.as_deref()) {
            let why = "the load balancer listens on 80, or with a certificate on 443";
            self.members.note(&["ports"], &json!(port.published), why);
        }
        let mut http = json!({ "path": "/*" });
        if let Some(path) = self.fields.get("health").and_then(asked) {
            http["health"] = json!(path);
        }
        if !is_first {
            http["alb"] = json!(own);
        }
        let is_plain = http.as_object().is_some_and(|http| http.len() == 1);
        self.set("http", if is_plain { json!("/*") } else { http });
        !is_first
    }

    /// Behind no load balancer: whoever depends on it may connect.
    fn private(&mut self, users: &BTreeSet<String>, published: &[super::ports::Port]) {
        self.set("public", false);
        for port in published {
            let why = "only other services reach it: what a load balancer leads to speaks HTTP";
            self.members.note(&["ports"], &json!(port.published), why);
        }
        let listens = ["port", "udp"].iter().any(|key| self.fields.contains_key(*key));
        if listens && !users.is_empty() {
            self.set("from", users.iter().cloned().collect::<Vec<_>>());
        }
    }

    fn platform(&mut self) {
        match self.members.word("platform").as_deref() {
            None | Some("linux/amd64" | "linux/x86_64") => {}
            Some("linux/arm64" | "linux/arm64/v8") => self.set("arch", "arm64"),
            Some(other) => {
                self.members.note(&["platform"], &json!(other), "Fargate has x86_64 and arm64");
            }
        }
    }

    fn volumes(&mut self) {
        let said = self.members.take("volumes");
        let mut volumes = Map::new();
        for (index, one) in said.iter().filter_map(Json::as_array).flatten().enumerate() {
            let way = ["volumes", &index.to_string()];
            let Some(mount) = Mount::read(one) else {
                self.members.note(&way, one, "Fargate has no host whose paths could be mounted");
                continue;
            };
            let mut volume = json!({ "mount": mount.target });
            if self.fields.contains_key("container") {
                volume["containers"] = json!([self.members.table[1]]);
            }
            if mount.is_readonly {
                volume["readonly"] = json!([self.members.table[1]]);
            }
            let why = "only as scratch space: it is empty when its task starts, and goes with it";
            self.members.note(&way, one, why);
            volumes.insert(spelled(mount.name.as_deref().unwrap_or(&mount.target)), volume);
        }
        if !volumes.is_empty() {
            self.set("volume", volumes);
        }
    }
}

/// A volume that is not of the host.
struct Mount {
    name: Option<String>,
    target: String,
    is_readonly: bool,
}

impl Mount {
    fn read(said: &Json) -> Option<Self> {
        if let Json::Object(table) = said {
            let text = |key: &str| table.get(key).and_then(word);
            return matches!(text("type").as_deref(), Some("volume" | "tmpfs")).then_some(Self {
                name: text("source"),
                target: text("target")?,
                is_readonly: table.get("read_only") == Some(&Json::Bool(true)),
            });
        }
        let text = word(said)?;
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match parts.as_slice() {
            [target] => (None, *target, ""),
            [source, target] => (Some(*source), *target, ""),
            [source, target, options] => (Some(*source), *target, *options),
            _ => return None,
        };
        let is_path = |source: &str| source.starts_with(['.', '/', '~', '$']);
        if source.is_some_and(is_path) || !target.starts_with('/') {
            return None;
        }
        Some(Self {
            name: source.map(str::to_owned),
            target: target.to_owned(),
            is_readonly: options.split(',').any(|option| option == "ro"),
        })
    }
}

/// The path that a health check asks for: of `curl -f http://localhost:8080/healthz` it is `/healthz`.
fn asked(health: &Json) -> Option<String> {
    let command = health.get("command")?.as_str()?;
    let (_, rest) =
        ["://localhost", "://127.0.0.1"].iter().find_map(|host| command.split_once(host))?;
    let end = rest.find(|c: char| c.is_whitespace() || "'\"|;".contains(c)).unwrap_or(rest.len());
    let path = rest[..end].find('/').map(|at| &rest[at..end])?;
    (path.len() > 1 && !path.contains("${")).then(|| path.to_owned())
}
