//! B45: overlays of any key of the language.

use serde_json::{Value as Json, json};

use super::{LANGUAGE, in_env, loaded, request};
use crate::kind::{Field, Shape};
use crate::spec::Request;

/// Every key of a form, with the keys around it: `(path, form)`.
fn keys(shape: &Shape, path: &[String], into: &mut Vec<(Vec<String>, Shape)>) {
    let mut step = |name: &str, shape: &Shape| {
        let path: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
        into.push((path.clone(), shape.clone()));
        keys(shape, &path, into);
    };
    match shape {
        Shape::Struct { fields, .. } => {
            fields.iter().for_each(|(name, Field { shape, .. })| step(name, shape));
        }
        Shape::Map(values) => ["a", "b"].iter().for_each(|name| step(name, values)),
        _ => {}
    }
}

/// A value of a form; `other` values differ from the first ones wherever they can.
fn sample(shape: &Shape, other: u8) -> Option<Json> {
    Some(match shape {
        Shape::Bool => json!(other == 0),
        Shape::Integer { .. } => json!(5 + other),
        Shape::Number => json!(0.5 + f64::from(other)),
        Shape::Text { format: Some(_) } => json!(format!("{other}s")),
        Shape::Text { format: None } => json!(format!("text{other}")),
        Shape::Choice(words) => json!(words[usize::from(other) % words.len()]),
        Shape::List(items) | Shape::Set(items) => json!([sample(items, other)?]),
        Shape::Map(_) | Shape::Struct { .. } | Shape::Any => return None,
    })
}

fn put(into: &mut Json, path: &[String], value: Json) {
    let (last, steps) = path.split_last().unwrap();
    let mut table = into;
    for step in steps {
        table = table.as_object_mut().unwrap().entry(step).or_insert(json!({}));
    }
    table[last] = value;
}

fn leaves() -> Vec<(Vec<String>, Shape)> {
    let mut all = Vec::new();
    keys(&LANGUAGE.root, &[], &mut all);
    // Only one of the variants of a thing can be written.
    all.retain(|(path, shape)| {
        sample(shape, 0).is_some() && !path.ends_with(&["health".into(), "command".into()])
    });
    all
}

/// B45: an overlay of any key, in any of the overlays, leaves all its siblings as in the base.
#[test]
fn an_overlay_of_any_key_leaves_its_siblings() {
    let leaves = leaves();
    assert!(leaves.len() > 30, "{}", leaves.len());
    let mut base = json!({});
    leaves.iter().for_each(|(path, shape)| put(&mut base, path, sample(shape, 0).unwrap()));
    let base_text = toml::to_string(&base).unwrap();
    for (path, shape) in &leaves {
        let mut overlay = json!({});
        put(&mut overlay, path, sample(shape, 1).unwrap());
        let mut expected = base.clone();
        put(&mut expected, path, sample(shape, 1).unwrap());
        let overlay_text = toml::to_string(&overlay).unwrap();
        let in_spec = toml::to_string(&json!({ "env": { "dev": overlay } })).unwrap();
        let both = format!("{base_text}\n{in_spec}");
        let inline = loaded(&in_env("dev"), &[("ecsctl.toml", &both)]);
        let beside = [("ecsctl.toml", base_text.as_str()), ("ecsctl.dev.toml", &overlay_text)];
        let beside = loaded(&in_env("dev"), &beside);
        let value = sample(shape, 1).unwrap();
        let set = Request { set: vec![(path.join("."), value.to_string())], ..request() };
        let set = loaded(&set, &[("ecsctl.toml", &base_text)]);
        for spec in [inline, beside, set] {
            assert_eq!(spec.document, expected, "{}", path.join("."));
        }
    }
}
