//! Ports as compose writes them: `"8080:80"`, `"127.0.0.1:53:53/udp"`, or a table.

use serde_json::{Value as Json, json};

use super::container::Reader;
use crate::import::members::word;

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    /// In the container.
    pub(super) target: u16,
    /// On the machine that compose runs on, if it is said.
    pub(super) published: Option<String>,
    /// Whether it is one of UDP.
    pub(super) udp: bool,
}

impl Port {
    /// Reads either form; a range of ports is none.
    pub(super) fn read(said: &Json) -> Option<Self> {
        if let Json::Object(table) = said {
            return Some(Self {
                target: table.get("target").and_then(word)?.parse().ok()?,
                published: table.get("published").and_then(word),
                udp: table.get("protocol").and_then(Json::as_str) == Some("udp"),
            });
        }
        let text = word(said)?;
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let (before, target) = match ports.rsplit_once(':') {
            Some((before, target)) => (Some(before), target),
            None => (None, ports),
        };
        let published = before.map(|before| before.rsplit(':').next().unwrap_or(before).to_owned());
        Some(Self { target: target.parse().ok()?, published, udp: protocol == "udp" })
    }
}

impl Reader<'_> {
    /// The ports that it publishes, or at least opens for others. One of each protocol is taken over.
    pub(super) fn listen(&mut self) -> Vec<Port> {
        let mut taken: Vec<Port> = Vec::new();
        for key in ["ports", "expose"] {
            let said = self.members.take(key);
            for (index, one) in said.iter().filter_map(Json::as_array).flatten().enumerate() {
                let text = match word(one) {
                    Some(text) => json!(self.variables.text(&text)),
                    None => one.clone(),
                };
                let way = [key, &index.to_string()];
                let Some(port) = Port::read(&text) else {
                    self.members.note(&way, one, "a container listens on single ports here");
                    continue;
                };
                let (ours, other) = if port.udp { ("udp", "port") } else { ("port", "udp") };
                if self.fields.get(other) == Some(&json!(port.target)) {
                    let why = "ECS maps a port of a container for one protocol only";
                    self.members.note(&way, one, why);
                    continue;
                }
                match self.fields.get(ours) {
                    None => self.set(ours, port.target),
                    Some(first) if *first == json!(port.target) => {}
                    Some(_) => {
                        let why = "a container listens on one port of each protocol here; others stand \
                                   in [aws.task-definition.NAME.containers.NAME]";
                        self.members.note(&way, one, why);
                        continue;
                    }
                }
                if key == "ports" {
                    taken.push(port);
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_port_is_read() {
        let read = |said: Json| Port::read(&said).map(|p| (p.target, p.published, p.udp));
        let published = |text: &str| Some(text.to_owned());
        assert_eq!(read(json!("80")), Some((80, None, false)));
        assert_eq!(read(json!(80)), Some((80, None, false)));
        assert_eq!(read(json!("8080:80")), Some((80, published("8080"), false)));
        assert_eq!(read(json!("127.0.0.1:53:53/udp")), Some((53, published("53"), true)));
        let table = json!({ "target": 80, "published": "8080", "protocol": "tcp", "mode": "host" });
        assert_eq!(read(table), Some((80, published("8080"), false)));
        assert_eq!(read(json!("3000-3005")), None);
    }
}
