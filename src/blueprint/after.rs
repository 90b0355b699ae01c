//! `after`: what comes first. A list names services of the stack; a table says of each container of the same
//! task what it must have come to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

use super::service::Until;

/// What comes before a service: `["api"]`, or `{ db = "healthy" }`; and both as
/// `{ db = "healthy", api = "ready" }`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct After {
    /// Containers of the same task, and what they must have come to before the one starts that has the
    /// service's name.
    pub containers: BTreeMap<String, Until>,
    /// Services of the stack that are ready before this one is made or changed.
    pub services: BTreeSet<String>,
}

/// The word for a service.
const READY: &str = "ready";
/// The words for a container.
const WORDS: [&str; 4] = ["start", "complete", "success", "healthy"];

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = |why: String| <D::Error as serde::de::Error>::custom(why);
        match Json::deserialize(deserializer)? {
            names @ Json::Array(_) => {
                let services = serde_json::from_value(names)
                    .map_err(|_| error("a list here holds names of services".to_owned()))?;
                Ok(Self { services, ..Self::default() })
            }
            Json::Object(table) => {
                let mut after = Self::default();
                for (name, word) in table {
                    if word == READY {
                        after.services.insert(name);
                        continue;
                    }
                    let until = serde_json::from_value(word.clone()).map_err(|_| {
                        let words = WORDS.join("`, `");
                        error(format!("{word} is none of `{words}`, or `{READY}` for a service"))
                    })?;
                    after.containers.insert(name, until);
                }
                Ok(after)
            }
            other => Err(error(format!("`{other}` is neither a list of services nor a table"))),
        }
    }
}

impl JsonSchema for After {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "After".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = WORDS.into_iter().chain([READY]).collect();
        let word = json!({ "type": "string", "enum": words });
        json_schema!({
            "type": ["array", "object"], "items": { "type": "string" },
            "additionalProperties": word, "x-any": true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(said: &Json) -> Result<After, String> {
        After::deserialize(said).map_err(|why| why.to_string())
    }

    #[test]
    fn a_list_names_services_and_a_table_containers() {
        let services = BTreeSet::from(["api".to_owned()]);
        let after = read(&json!(["api"])).unwrap();
        assert_eq!((after.services, after.containers.len()), (services.clone(), 0));
        let after = read(&json!({ "db": "healthy", "api": "ready" })).unwrap();
        assert_eq!(after.services, services);
        assert_eq!(after.containers, BTreeMap::from([("db".to_owned(), Until::Healthy)]));
        insta::assert_snapshot!(read(&json!({ "db": "well" })).unwrap_err(), @r#""well" is none of `start`, `complete`, `success`, `healthy`, or `ready` for a service"#);
        insta::assert_snapshot!(read(&json!([1])).unwrap_err(), @"a list here holds names of services");
        insta::assert_snapshot!(read(&json!(true)).unwrap_err(), @"`true` is neither a list of services nor a table");
    }
}
