//! What a resource is by those who use it: the field that [`Inherits`] describes, filled in where it is
//! left out. A target group belongs to one load balancer for as long as it lives, and nothing in its
//! own declaration says to which.

use std::collections::BTreeMap;

use super::Declared;
use crate::address::{Address, Path};
use crate::diag::Diagnostic;
use crate::kind::Inherits;
use crate::kinds;
use crate::value::Value;

/// Fills the fields in, and says which resources would have to be two things at once.
pub(super) fn fill(resources: &mut BTreeMap<Address, Declared>) -> Vec<Diagnostic> {
    let mut given: BTreeMap<Address, BTreeMap<String, (Value, Path)>> = BTreeMap::new();
    for (user, declared) in &*resources {
        for output in declared.spec.outputs() {
            let found = inherits(&output.of).and_then(|it| value(resources, user, it));
            if let Some(value) = found {
                let values = given.entry(output.of.clone()).or_default();
                values.entry(value.to_string()).or_insert((value, declared.section.clone()));
            }
        }
    }
    let mut wrong = Vec::new();
    for (address, values) in given {
        let Some((inherits, declared)) = inherits(&address).zip(resources.get_mut(&address)) else {
            continue;
        };
        let field = inherits.field;
        if values.len() > 1 {
            let title = format!("{address} can have one `{field}` only");
            let hint = format!("declare a {} for each", address.kind);
            let error = Diagnostic::error("E0207", title).hint(hint);
            wrong.push(values.into_iter().fold(error, |error, (value, (_, section))| {
                error.at_key(section, format!("uses it with {value}"))
            }));
        } else if matches!(declared.spec.get(field), None | Some(Value::Null)) {
            values.into_values().for_each(|(value, _)| declared.spec.set(field, value));
        }
    }
    wrong
}

fn inherits(address: &Address) -> Option<Inherits> {
    kinds::find(&address.kind)?.about().inherits
}

/// The field's value as the user says it.
fn value(
    resources: &BTreeMap<Address, Declared>,
    user: &Address,
    inherits: Inherits,
) -> Option<Value> {
    let spec = &resources.get(user)?.spec;
    if user.kind == inherits.of {
        return spec.get(inherits.field).cloned();
    }
    if user.kind != inherits.through {
        return None;
    }
    let between = spec.outputs().into_iter().find(|output| output.of.kind == inherits.of)?;
    resources.get(&between.of)?.spec.get(inherits.field).cloned()
}
