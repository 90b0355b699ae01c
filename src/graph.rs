//! Who depends on whom: edges from references and awaited readiness, an order, cycles shown as a path.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::kinds;
use crate::value::Value;

/// The dependencies among declared resources. Inside, a resource is its place among the sorted
/// addresses.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    addresses: Vec<Address>,
    needs: Vec<BTreeSet<usize>>,
    /// Of the needs those that the resource only comes after.
    follows: Vec<BTreeSet<usize>>,
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
        let addresses: Vec<Address> = declared.keys().map(|address| (*address).clone()).collect();
        let refers = |spec: &Value| -> BTreeSet<usize> {
            let outputs = spec.outputs().into_iter();
            outputs.filter_map(|output| addresses.binary_search(&output.of).ok()).collect()
        };
        let needs = declared.values().map(|spec| refers(spec)).collect();
        let only_follows = |(address, spec): (&&Address, &&Value)| -> BTreeSet<usize> {
            let fields = kinds::find(&address.kind).map_or(&[][..], |it| it.about().comes_after);
            fields.iter().filter_map(|field| spec.get(field)).flat_map(refers).collect()
        };
        let follows = declared.iter().map(only_follows).collect();
        let mut graph = Self { addresses, needs, follows, order: Vec::new() };
        graph.sort()?;
        graph.await_readiness();
        graph.order = graph.all(graph.sort()?).cloned().collect();
        Ok(graph)
    }

    /// What `address` needs directly.
    pub fn needs(&self, address: &Address) -> impl Iterator<Item = &Address> {
        let place = self.addresses.binary_search(address).ok();
        self.all(place.into_iter().flat_map(|place| self.needs[place].iter().copied()))
    }

    /// Whether `from` needs `to` for nothing but to come after it.
    pub fn only_follows(&self, from: &Address, to: &Address) -> bool {
        let place = |address| self.addresses.binary_search(address).ok();
        place(from).zip(place(to)).is_some_and(|(from, to)| self.follows[from].contains(&to))
    }

    /// All resources, each after what it needs; the same for the same declarations.
    pub fn order(&self) -> &[Address] {
        &self.order
    }

    /// All edges: who needs whom.
    pub fn edges(&self) -> impl Iterator<Item = (&Address, &Address)> {
        let all = self.addresses.iter().zip(&self.needs);
        all.flat_map(|(from, needs)| self.all(needs.iter().copied()).map(move |to| (from, to)))
    }

    fn all(&self, places: impl IntoIterator<Item = usize>) -> impl Iterator<Item = &Address> {
        places.into_iter().map(|place| &self.addresses[place])
    }

    /// Adds the edges that [`crate::kind::Awaits`] describes, but for those that would make a cycle:
    /// the route table of the private subnets needs the NAT gateway, and is not awaited by it.
    fn await_readiness(&mut self) {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.addresses.len()];
        for (user, needs) in self.needs.iter().enumerate() {
            needs.iter().for_each(|need| users[*need].push(user));
        }
        let mut found = Vec::new();
        for (place, address) in self.addresses.iter().enumerate() {
            let Some(kind) = kinds::find(&address.kind) else { continue };
            for awaits in kind.about().awaits {
                let shared = awaits.of.iter().fold(vec![place], |at, kind| {
                    let needs = at.iter().flat_map(|place| &self.needs[*place]).copied();
                    needs.filter(|need| self.addresses[*need].kind == *kind).collect()
                });
                let others = shared.iter().flat_map(|need| &users[*need]);
                let is_awaited =
                    |other: &&usize| awaits.by.contains(&self.addresses[**other].kind.as_str());
                found.extend(others.filter(is_awaited).map(|other| (place, *other)));
            }
        }
        for (place, other) in found {
            if place != other && !self.reaches(other, place) {
                self.needs[place].insert(other);
            }
        }
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let (mut seen, mut todo) = (vec![false; self.needs.len()], vec![from]);
        while let Some(at) = todo.pop() {
            if at == to {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                todo.extend(&self.needs[at]);
            }
        }
        false
    }

    /// Depth first, in the order of addresses. `way` holds the path so far, to show a cycle.
    fn sort(&self) -> Result<Vec<usize>, Cycle> {
        let (mut order, mut placed) = (Vec::new(), vec![false; self.needs.len()]);
        for start in 0..self.needs.len() {
            let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(step) = next.take().filter(|step| !placed[*step]) {
                    if let Some(at) = way.iter().position(|(other, _)| *other == step) {
                        let steps = way[at..].iter().map(|(step, _)| *step).chain([step]);
                        return Err(Cycle(self.all(steps).cloned().collect()));
                    }
                    way.push((step, self.needs[step].iter().copied().collect()));
                }
                let Some((step, left)) = way.last_mut() else { break };
                next = left.pop();
                if next.is_none() {
                    placed[*step] = true;
                    order.push(*step);
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

    #[test]
    fn a_nat_gateway_awaits_the_internet_gateway_of_its_network() {
        let declared = [
            ("elastic-ip.nat", ""),
            ("internet-gateway.main", "${vpc.main.id}"),
            ("internet-gateway.other", "${vpc.other.id}"),
            ("nat-gateway.main", "${subnet.a.id} ${elastic-ip.nat.id}"),
            ("subnet.a", "${vpc.main.id}"),
            ("vpc.main", ""),
            ("vpc.other", ""),
        ];
        let declared = declared.map(|(address, refers)| {
            let (kind, name) = address.split_once('.').unwrap();
            (Address::new(kind, name), Value::lift(refers.into()).unwrap())
        });
        let graph = Graph::of(declared.iter().map(|(at, spec)| (at, spec))).unwrap();
        let gateway = Address::new("nat-gateway", "main");
        let needs: Vec<String> = graph.needs(&gateway).map(ToString::to_string).collect();
        assert_eq!(needs, ["elastic-ip.nat", "internet-gateway.main", "subnet.a"]);
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
