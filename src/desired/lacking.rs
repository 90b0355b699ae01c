//! What a declaration lacks: the fields that its kind must have, all at once and not only the first
//! that the kind would stumble over.

use serde_json::Value as Json;

use crate::address::Path;
use crate::blueprint::{self, Declaration};
use crate::diag::Diagnostic;
use crate::kind::Shape;
use crate::spec;

/// Tells every required field that nobody gives.
pub(super) fn fields(draft: &Declaration, document: &Json, shape: &Shape) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    look(&mut Vec::new(), document, shape, &mut found);
    let told = found.into_iter().map(|(way, shape)| tell(draft, &way, shape));
    told.collect()
}

/// Collects the ways to required fields that are not there, with their forms.
fn look<'a>(
    way: &mut Vec<String>,
    document: &Json,
    shape: &'a Shape,
    found: &mut Vec<(Vec<String>, &'a Shape)>,
) {
    let mut within = |step: &str, value: &Json, shape: &'a Shape| {
        way.push(step.to_owned());
        match value {
            Json::Null => found.push((way.clone(), shape)),
            value => look(way, value, shape, found),
        }
        way.pop();
    };
    match (shape, document) {
        (Shape::Struct { fields, .. }, Json::Object(given)) => {
            for (name, field) in fields {
                match given.get(name) {
                    Some(value) if !value.is_null() => within(name, value, &field.shape),
                    _ if field.required => within(name, &Json::Null, &field.shape),
                    _ => {}
                }
            }
        }
        (Shape::Map(values), Json::Object(given)) => {
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                within(name, value, values);
            }
        }
        (Shape::List(items) | Shape::Set(items), Json::Array(given)) => {
            for (index, item) in given.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                within(&index.to_string(), item, items);
            }
        }
        _ => {}
    }
}

fn tell(draft: &Declaration, way: &[String], shape: &Shape) -> Diagnostic {
    let address = &draft.address;
    let (field, around) = way.split_last().expect("a field that lacks has a name");
    let title = match around {
        [] => format!("{address} lacks `{field}`"),
        around => format!("`{}` of {address} lacks `{field}`", around.join(".")),
    };
    let start = ["aws", &address.kind, &address.name].map(str::to_owned);
    let path: Vec<String> = start.into_iter().chain(way.iter().cloned()).collect();
    let hint = spec::example(&path, shape, &blueprint::language());
    Diagnostic::error("E0109", title)
        .at_key(draft.origin(&Path::of(around)).clone(), "")
        .hint(format!("add for example {hint}"))
}
