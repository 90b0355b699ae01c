//! YAML as a document: merge keys (`<<`) are what they stand for, numbers with a point stay the text
//! that they are (a variable `1.10` is not `1.1`).

use serde_json::{Map, Value as Json, json};
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlLoader};

/// Reads the first document of a text.
pub(super) fn read(text: &str) -> Result<Json, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    documents.first().map_or(Ok(Json::Null), json)
}

fn json(yaml: &Yaml) -> Result<Json, String> {
    Ok(match yaml {
        Yaml::Real(text) | Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(bool) => json!(bool),
        Yaml::Null => Json::Null,
        Yaml::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Hash(entries) => Json::Object(object(entries)?),
        Yaml::Alias(_) => return Err("an alias names nothing".to_owned()),
        Yaml::BadValue => return Err("a value cannot be read".to_owned()),
    })
}

/// A table. What is merged in counts where the table itself says nothing; of several, the first.
fn object(entries: &Hash) -> Result<Map<String, Json>, String> {
    let mut object = Map::new();
    let mut merged = Vec::new();
    for (key, value) in entries {
        let key = match key {
            Yaml::Real(text) | Yaml::String(text) => text.clone(),
            Yaml::Integer(number) => number.to_string(),
            Yaml::Boolean(bool) => bool.to_string(),
            _ => return Err("a key is no text".to_owned()),
        };
        match (key.as_str(), value) {
            ("<<", Yaml::Hash(other)) => merged.push(other),
            ("<<", Yaml::Array(others)) => merged.extend(others.iter().filter_map(Yaml::as_hash)),
            ("<<", _) => return Err("`<<` merges tables, and nothing else".to_owned()),
            _ => drop(object.insert(key, json(value)?)),
        }
    }
    for other in merged {
        for (key, value) in self::object(other)? {
            object.entry(key).or_insert(value);
        }
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_keys_are_what_they_stand_for() {
        let text = "
a: &a { x: 1, y: 1.10 }
b: &b { x: 2, z: no }
c: { <<: [*a, *b], x: ~ }
d: { <<: *b, 80: 0x10 }
";
        let expected = json!({
            "a": { "x": 1, "y": "1.10" }, "b": { "x": 2, "z": "no" },
            "c": { "x": null, "y": "1.10", "z": "no" }, "d": { "80": 16, "x": 2, "z": "no" },
        });
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(""), Ok(Json::Null));
        assert!(read("a: *nowhere").is_err() && read("a: [").is_err() && read("<<: 1").is_err());
    }
}
