//! Ports of the instances that a service's tasks hold: two tasks cannot have the same on one instance. The plan is
//! ordered by it, and the simulator refuses by it what ECS would let wait for ever.

use std::collections::BTreeSet;

use crate::value::Value;

/// The seats that the tasks of a service take, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    cluster: String,
    /// The capacity providers, if the service names any.
    providers: BTreeSet<String>,
    /// Ports, each with its protocol.
    ports: BTreeSet<(u64, String)>,
}

impl Seats {
    /// The seats of `service`, which runs `task`; `None` if there are none, or if its cluster is yet to be made,
    /// where nobody else is.
    pub fn of(service: &Value, task: &Value) -> Option<Self> {
        let cluster = service.text("cluster")?.to_owned();
        let ports = ports(task);
        let strategy = match service.get("capacity-provider-strategy") {
            Some(Value::List(shares)) => shares.as_slice(),
            _ => &[],
        };
        let named = strategy.iter().filter_map(|share| share.get("capacity-provider"));
        // What is yet to be made is named by its output.
        let providers = named.map(ToString::to_string).collect();
        (!ports.is_empty()).then_some(Self { cluster, providers, ports })
    }

    /// A port that both may want of the same instance.
    pub fn contended(&self, other: &Self) -> Option<u64> {
        // Whoever names no provider runs on any instance of the cluster.
        let apart = !self.providers.is_empty()
            && !other.providers.is_empty()
            && self.providers.is_disjoint(&other.providers);
        let meet = self.cluster == other.cluster && !apart;
        let (port, _) = self.ports.intersection(&other.ports).next().filter(|_| meet)?;
        Some(*port)
    }
}

/// The ports of the instance: all with the network mode `host`, those that are not left to chance with `bridge`.
fn ports(task: &Value) -> BTreeSet<(u64, String)> {
    let field = match task.text("network-mode") {
        Some("host") => "container-port",
        Some("bridge") => "host-port",
        _ => return BTreeSet::new(),
    };
    let Some(Value::Map(containers)) = task.get("containers") else { return BTreeSet::new() };
    let of_container = |container: &Value| match container.get("ports") {
        Some(Value::List(ports)) => ports.clone(),
        _ => Vec::new(),
    };
    let mappings = containers.values().flat_map(of_container);
    let fixed = mappings.filter_map(|mapping| {
        let port = mapping.number(field).filter(|port| *port > 0)?;
        Some((port, mapping.text("protocol").unwrap_or("tcp").to_owned()))
    });
    fixed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn seats(provider: &Json, mode: &str, mapping: &Json) -> Option<Seats> {
        let task = json!({ "network-mode": mode, "containers": { "app": { "ports": [mapping] } } });
        let service = json!({ "cluster": "c", "capacity-provider-strategy": provider });
        Seats::of(&Value::plain(service), &Value::plain(task))
    }

    #[test]
    fn ports_of_the_same_instances_are_contended() {
        let udp = json!({ "container-port": 2000, "protocol": "udp" });
        let (none, a) = (json!(null), json!([{ "capacity-provider": "a" }]));
        let b = json!([{ "capacity-provider": "b" }]);
        let host = seats(&none, "host", &udp).unwrap();
        assert_eq!(host.contended(&host), Some(2000));
        let of = |provider: &Json| seats(provider, "host", &udp).unwrap();
        assert_eq!(host.contended(&of(&a)), Some(2000));
        assert_eq!(of(&a).contended(&of(&b)), None);
        let fixed = json!({ "container-port": 80, "host-port": 2000, "protocol": "udp" });
        assert_eq!(host.contended(&seats(&none, "bridge", &fixed).unwrap()), Some(2000));
        let tcp = json!({ "container-port": 80, "host-port": 2000, "protocol": "tcp" });
        assert_eq!(host.contended(&seats(&none, "bridge", &tcp).unwrap()), None);
        assert_eq!(seats(&none, "bridge", &json!({ "container-port": 80 })), None);
        assert_eq!(seats(&none, "bridge", &json!({ "container-port": 80, "host-port": 0 })), None);
        assert_eq!(seats(&none, "awsvpc", &udp), None);
    }
}
