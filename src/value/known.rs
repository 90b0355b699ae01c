//! What is known about outputs at some moment: from a snapshot, or so far into an apply.

use std::collections::BTreeMap;

use crate::address::{Address, Output};

/// The texts of outputs, by whose and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<Address, BTreeMap<String, String>>);

impl Known {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The text of an output.
    pub fn get(&self, output: &Output) -> Option<&str> {
        self.0.get(&output.of)?.get(&output.name).map(String::as_str)
    }

    /// Learns the text of one output.
    pub fn insert(&mut self, output: Output, text: String) {
        self.0.entry(output.of).or_default().insert(output.name, text);
    }

    /// Learns outputs of one resource, by name.
    pub fn learn(&mut self, of: &Address, outputs: BTreeMap<String, String>) {
        match self.0.get_mut(of) {
            Some(known) => known.extend(outputs),
            None => drop(self.0.insert(of.clone(), outputs)),
        }
    }

    /// The outputs called `name` of all resources of a kind: whose, and the text.
    pub fn of_kind(&self, kind: &str, name: &str) -> impl Iterator<Item = (&Address, &str)> {
        let of_kind = self.0.iter().filter(move |(of, _)| of.kind == kind);
        of_kind.filter_map(move |(of, outputs)| Some((of, outputs.get(name)?.as_str())))
    }
}
