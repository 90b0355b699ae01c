//! Who depends on whom: edges from references and awaited readiness, an order, cycles shown as a path.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::kinds;
use crate::value::Value;

/// The dependencies among declared resources.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    needs: BTreeMap<Address, BTreeSet<Address>>,
    order: Vec<Address>,
}

/// A way from a resource through its dependencies back to itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → "))]
pub struct Cycle(pub Vec<Address>);

impl Graph {
    /// The graph of declarations. References to what is not declared make no edge.
    pub fn of<'a>(
        declared: impl IntoIterator<Item = (&'a Address, &'a Value)>,
    ) -> Result<Self, Cycle> {
        let declared: BTreeMap<&Address, &Value> = declared.into_iter().collect();
        let refers = |spec: &Value| -> BTreeSet<Address> {
            let of = spec.outputs().into_iter().map(|output| &output.of);
            of.filter(|address| declared.contains_key(address)).cloned().collect()
        };
        let needs = declared.iter().map(|(at, spec)| ((*at).clone(), refers(spec))).collect();
        let mut graph = Self { needs, order: Vec::new() };
        graph.order = graph.sort()?;
        graph.await_readiness();
        graph.order = graph.sort()?;
        Ok(graph)
    }

    /// What `address` needs directly.
    pub fn needs(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.needs.get(address).into_iter().flatten()
    }

    /// All resources, each after what it needs; the same for the same declarations.
    pub fn order(&self) -> &[Address] {
        &self.order
    }

    /// All edges: who needs whom.
    pub fn edges(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.needs.iter().flat_map(|(from, needs)| needs.iter().map(move |to| (from, to)))
    }

    /// Adds the edges that [`crate::kind::Awaits`] describes, but for those that would make a cycle:
    /// the route table of the private subnets needs the NAT gateway, and is not awaited by it.
    fn await_readiness(&mut self) {
        let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for (from, to) in self.edges() {
            users.entry(to).or_default().push(from);
        }
        let mut found = Vec::new();
        for (address, needs) in &self.needs {
            let Some(kind) = kinds::find(&address.kind) else { continue };
            for awaits in kind.about().awaits {
                let shared = needs.iter().filter(|need| need.kind == awaits.of);
                let others = shared.flat_map(|need| users.get(need).into_iter().flatten());
                let awaited = others.filter(|other| awaits.by.contains(&other.kind.as_str()));
                found.extend(awaited.map(|other| (address.clone(), (*other).clone())));
            }
        }
        for (address, other) in found {
            if address != other && !self.reaches(&other, &address) {
                self.needs.entry(address).or_default().insert(other);
            }
        }
    }

    fn reaches(&self, from: &Address, to: &Address) -> bool {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(at) = todo.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                todo.extend(self.needs(at));
            }
        }
        false
    }

    /// Depth first, in the order of addresses. `way` holds the path so far, to show a cycle.
    fn sort(&self) -> Result<Vec<Address>, Cycle> {
        let (mut order, mut placed) = (Vec::new(), BTreeSet::new());
        for start in self.needs.keys() {
            let mut way: Vec<(&Address, Vec<&Address>)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(address) = next.take() {
                    if placed.contains(address) {
                        // Somebody else has placed it.
                    } else if let Some(at) = way.iter().position(|(step, _)| *step == address) {
                        let steps = way[at..].iter().map(|(step, _)| (*step).clone());
                        return Err(Cycle(steps.chain([address.clone()]).collect()));
                    } else {
                        way.push((address, self.needs(address).collect()));
                    }
                }
                let Some((address, left)) = way.last_mut() else { break };
                next = left.pop();
                if next.is_none() {
                    placed.insert(*address);
                    order.push((*address).clone());
                    way.pop();
                }
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Result<Graph, Cycle> {
        let declared: Vec<(Address, Value)> = edges
            .iter()
            .map(|(from, to)| {
                let refs: Vec<String> = to.iter().map(|to| format!("${{node.{to}.id}}")).collect();
                (Address::new("node", *from), Value::lift(refs.into()).unwrap())
            })
            .collect();
        Graph::of(declared.iter().map(|(at, spec)| (at, spec)))
    }

    #[test]
    fn a_cycle_is_shown_as_a_path() {
        let cycle = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]).unwrap_err();
        assert_eq!(cycle.to_string(), "node.b → node.c → node.b");
    }

    proptest! {
        #[test]
        fn everything_comes_after_what_it_needs(
            picks in prop::collection::vec(prop::collection::vec(0..20usize, 0..4), 1..20),
        ) {
            let names: Vec<String> = (0..picks.len()).map(|i| format!("n{i}")).collect();
            let edges: Vec<(&str, Vec<&str>)> = picks.iter().enumerate().map(|(i, to)| {
                let below = to.iter().filter(|to| **to < i).map(|to| names[*to].as_str());
                (names[i].as_str(), below.collect())
            }).collect();
            let edges: Vec<(&str, &[&str])> =
                edges.iter().map(|(from, to)| (*from, to.as_slice())).collect();
            let graph = graph(&edges).unwrap();
            let place = |at: &Address| graph.order().iter().position(|other| other == at);
            prop_assert_eq!(graph.order().len(), names.len());
            for (from, to) in graph.edges() {
                prop_assert!(place(to) < place(from));
            }
        }
    }
}
