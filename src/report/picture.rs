//! Pictures of a graph of resources: text, Mermaid (which code hosts draw in comments), DOT.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::address::Address;

/// Resources, and which of them needs which.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The resources.
    pub nodes: Vec<Address>,
    /// From the one that needs to the one that is needed.
    pub edges: Vec<(Address, Address)>,
}

impl Picture {
    /// Each resource, and below it what it needs.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (node, needs) in self.needs() {
            writeln!(text, "{node}").expect("writing to a string succeeds");
            for (index, need) in needs.iter().enumerate() {
                let branch = if index + 1 == needs.len() { "└─" } else { "├─" };
                writeln!(text, "  {branch} {need}").expect("writing to a string succeeds");
            }
        }
        text
    }

    /// Each resource, and those that it needs; both sorted.
    pub(super) fn needs(&self) -> BTreeMap<&Address, Vec<&Address>> {
        let mut needs: BTreeMap<&Address, Vec<&Address>> =
            self.nodes.iter().map(|node| (node, Vec::new())).collect();
        for (from, to) in self.sorted() {
            needs.entry(from).or_default().push(to);
        }
        needs
    }

    /// A Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        let index = self.index();
        for (node, id) in &index {
            writeln!(text, "  n{id}[\"{node}\"]").expect("writing to a string succeeds");
        }
        for (from, to) in self.sorted() {
            if let (Some(from), Some(to)) = (index.get(from), index.get(to)) {
                writeln!(text, "  n{from} --> n{to}").expect("writing to a string succeeds");
            }
        }
        text
    }

    /// A graph for Graphviz.
    pub fn dot(&self) -> String {
        let mut text = "digraph stack {\n  rankdir = LR;\n  node [shape = box];\n".to_owned();
        for node in self.index().keys() {
            writeln!(text, "  \"{node}\";").expect("writing to a string succeeds");
        }
        for (from, to) in self.sorted() {
            writeln!(text, "  \"{from}\" -> \"{to}\";").expect("writing to a string succeeds");
        }
        text + "}\n"
    }

    fn index(&self) -> BTreeMap<&Address, usize> {
        let ends = self.edges.iter().flat_map(|(from, to)| [from, to]);
        let all: std::collections::BTreeSet<&Address> = self.nodes.iter().chain(ends).collect();
        all.into_iter().enumerate().map(|(id, node)| (node, id)).collect()
    }

    fn sorted(&self) -> Vec<&(Address, Address)> {
        let mut edges: Vec<_> = self.edges.iter().collect();
        edges.sort();
        edges.dedup();
        edges
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn sample() -> Picture {
        let address = |text: &str| text.parse().unwrap();
        let edge = |from, to| (address(from), address(to));
        Picture {
            nodes: ["vpc.main", "subnet.a", "service.web"].map(address).to_vec(),
            edges: vec![
                edge("service.web", "subnet.a"),
                edge("subnet.a", "vpc.main"),
                edge("service.web", "vpc.main"),
            ],
        }
    }

    #[test]
    fn the_text_lists_what_each_needs() {
        assert_snapshot!(sample().text(), @"
        service.web
          ├─ subnet.a
          └─ vpc.main
        subnet.a
          └─ vpc.main
        vpc.main
        ");
    }

    #[test]
    fn mermaid_and_dot_are_complete() {
        assert_snapshot!(sample().mermaid(), @r#"
        flowchart LR
          n0["service.web"]
          n1["subnet.a"]
          n2["vpc.main"]
          n0 --> n1
          n0 --> n2
          n1 --> n2
        "#);
        assert_snapshot!(sample().dot(), @r#"
        digraph stack {
          rankdir = LR;
          node [shape = box];
          "service.web";
          "subnet.a";
          "vpc.main";
          "service.web" -> "subnet.a";
          "service.web" -> "vpc.main";
          "subnet.a" -> "vpc.main";
        }
        "#);
    }
}
