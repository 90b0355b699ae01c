//! What tests of kinds share: reading declarations and saying what is wrong with them.

use serde_json::Value;

use crate::address::Address;
use crate::kind::{Check, Kind, StackId};

fn read<K: Kind>(spec: Value) -> K {
    serde_json::from_value(spec).expect("the declaration is one of its kind")
}

/// Asserts that a declaration is the same after it was written and read again.
pub(super) fn reads_back<K: Kind>(spec: Value) {
    let once: K = read(spec);
    let written = serde_json::to_value(&once).expect("declarations are JSON documents");
    assert_eq!(read::<K>(written), once);
}

/// What is wrong with a declaration, a line each: code, field, title.
pub(super) fn flaws<K: Kind>(spec: Value) -> String {
    let stack = StackId { stack: "shop".into(), env: "prod".into(), region: "eu-west-1".into() };
    let address = Address::new(K::NAME, "web");
    let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
    read::<K>(spec).check(&mut check);
    let line = |found: &crate::diag::Diagnostic| {
        let place = match &found.labels[0].place {
            crate::diag::Place::Value(path) => path.0[3..].join("."),
            other => format!("{other:?}"),
        };
        format!("{} {place}: {}", found.code, found.title)
    };
    check.found.iter().map(line).collect::<Vec<_>>().join("\n")
}
