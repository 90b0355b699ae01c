//! The law of kinds, as far as it can be tested without a world: every kind in the registry reads
//! back what it writes, and says what each of its fields is.

use ecsctl::kind::{Field, Moves, Registered, Shape};
use ecsctl::kinds;
use serde_json::{Map, Value as Json, json};

/// A document with the required fields only, each with the plainest value that its form allows.
fn least(kind: &Registered) -> Json {
    plainest(kind.shape(), None)
}

fn plainest(shape: &Shape, format: Option<&str>) -> Json {
    match shape {
        Shape::Bool => json!(false),
        Shape::Integer { min, max } => json!(min.unwrap_or(1).max(1).min(max.unwrap_or(i64::MAX))),
        Shape::Number => json!(1.0),
        Shape::Text { format: own } => json!(text(own.as_deref().or(format))),
        Shape::Choice(words) => json!(words[0]),
        Shape::List(_) | Shape::Set(_) => json!([]),
        Shape::Map(_) | Shape::Any => json!({}),
        Shape::Struct { fields, .. } => {
            let required = fields.iter().filter(|(_, field)| field.required);
            let plain =
                |(name, field): (&String, &Field)| (name.clone(), plainest(&field.shape, None));
            Json::Object(required.map(plain).collect::<Map<_, _>>())
        }
    }
}

/// A text that obeys the rule `format`.
fn text(format: Option<&str>) -> &'static str {
    match format {
        Some("cidr") => "10.0.0.0/16",
        _ => "text",
    }
}

#[test]
fn b1_what_a_kind_writes_it_reads_back_unchanged() {
    for kind in kinds::all() {
        let name = kind.name();
        let written = kind
            .parse(least(kind))
            .unwrap_or_else(|wrong| panic!("{name} does not read {}: {wrong}", least(kind)));
        let again = kind.parse(written.clone()).expect("what a kind writes it reads");
        assert_eq!(written, again, "{name} is not canonical at once");
    }
}

/// The schema tells the truth: what is not there is left out, and never written as something else.
#[test]
fn what_a_kind_writes_has_the_form_that_its_schema_describes() {
    for kind in kinds::all() {
        let written = kind.parse(least(kind)).expect("a kind reads the least");
        let mut wrong = Vec::new();
        hold_against(kind.name(), kind.shape(), &written, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

fn hold_against(place: &str, shape: &Shape, value: &Json, wrong: &mut Vec<String>) {
    let fits = match (shape, value) {
        (Shape::Any, _) | (Shape::Bool, Json::Bool(_)) => true,
        (Shape::Integer { .. } | Shape::Number, Json::Number(_)) => true,
        (Shape::Text { .. }, Json::String(_)) => true,
        (Shape::Choice(words), Json::String(word)) => words.contains(word),
        (Shape::List(items) | Shape::Set(items), Json::Array(values)) => {
            values.iter().for_each(|value| hold_against(place, items, value, wrong));
            true
        }
        (Shape::Map(items), Json::Object(values)) => {
            values.iter().for_each(|(key, value)| {
                hold_against(&format!("{place}.{key}"), items, value, wrong);
            });
            true
        }
        (Shape::Struct { fields, .. }, Json::Object(values)) => {
            for (key, value) in values {
                let place = format!("{place}.{key}");
                match fields.get(key) {
                    Some(field) => hold_against(&place, &field.shape, value, wrong),
                    None => wrong.push(format!("{place} is not in the schema")),
                }
            }
            true
        }
        _ => false,
    };
    if !fits {
        wrong.push(format!("{place} is {value}"));
    }
}

#[test]
fn kinds_refuse_fields_that_they_do_not_know() {
    for kind in kinds::all() {
        let mut document = least(kind);
        document["no-such-field"] = json!(1);
        assert!(kind.parse(document).is_err(), "{} takes any field", kind.name());
    }
}

#[test]
fn every_field_and_output_is_described() {
    let mut silent = Vec::new();
    for kind in kinds::all() {
        describe(kind.name(), kind.shape(), &mut silent);
        let outputs = kind.outputs();
        describe(&format!("{}: outputs", kind.name()), &outputs, &mut silent);
        let names = outputs.fields().expect("outputs are a struct");
        assert!(names.contains_key("id"), "{} has no output `id`", kind.name());
    }
    assert!(silent.is_empty(), "fields without a doc comment: {silent:#?}");
}

fn describe(place: &str, shape: &Shape, silent: &mut Vec<String>) {
    match shape {
        Shape::Struct { fields, .. } => {
            for (name, field) in fields {
                let place = format!("{place}.{name}");
                describe(&place, &field.shape, silent);
                if field.about.is_empty() {
                    silent.push(place);
                }
            }
        }
        Shape::List(items) | Shape::Set(items) | Shape::Map(items) => {
            describe(place, items, silent);
        }
        Shape::Bool
        | Shape::Integer { .. }
        | Shape::Number
        | Shape::Text { .. }
        | Shape::Choice(_)
        | Shape::Any => {}
    }
}

#[test]
fn what_the_engine_is_told_of_a_kind_is_about_fields_that_it_has() {
    for kind in kinds::all() {
        let name = kind.name();
        let about = kind.about();
        let fields = kind.shape().fields().expect("a declaration is a struct");
        for field in about.exclusive {
            assert!(fields.contains_key(*field), "{name}: no exclusive field `{field}`");
        }
        if about.naming.is_some() {
            assert!(fields.contains_key("name"), "{name}: named, but has no `name`");
        }
        let outputs = kind.outputs();
        for output in about.renews {
            assert!(outputs.fields().is_some_and(|o| o.contains_key(*output)), "{name}: {output}");
        }
        for awaits in about.awaits {
            for other in awaits.by.iter().chain(awaits.of) {
                assert!(kinds::find(other).is_some(), "{name} awaits `{other}`, which is no kind");
            }
        }
        for moved in about.moved_by {
            let mover = kinds::find(moved.by).unwrap_or_else(|| panic!("{name}: {}", moved.by));
            let its = mover.shape().fields().expect("a declaration is a struct");
            assert!(fields.contains_key(moved.field), "{name}: no field `{}`", moved.field);
            if let Moves::Number { within, .. } = moved.how {
                assert!([within.0, within.1].iter().all(|it| its.contains_key(*it)), "{name}");
            }
        }
        for other in about.observed_after {
            assert!(kinds::find(other).is_some(), "{name} is observed after no kind `{other}`");
        }
    }
}
