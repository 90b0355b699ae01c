//! Policy documents of IAM: equal things are equal text.
//!
//! Source: "Grammar of the IAM JSON policy language" in the IAM user guide.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A policy document in its canonical form. It may be written as a table or as a text that holds
/// JSON.
///
/// A single statement, action, resource, principal or condition value is a list of one; all these
/// lists but that of the statements are sorted; truth values and numbers in conditions are text; an
/// account's number as principal is its root's ARN, as IAM rewrites it; a version that is left out
/// is `2012-10-17`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Policy(Value);

/// The version of today's policy language.
const VERSION: &str = "2012-10-17";

/// What IAM takes a document without a version for.
const OLD_VERSION: &str = "2008-10-17";

impl Policy {
    /// The canonical form of a document that somebody wrote.
    pub fn new(document: Value) -> Self {
        Self(canonical(document, VERSION))
    }

    /// The document as IAM gives it back: URL-encoded by RFC 3986.
    pub fn read(encoded: &str) -> Result<Self, String> {
        let text = decode(encoded);
        let document = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self(canonical(document, OLD_VERSION)))
    }

    /// The document as IAM takes it: no white space, which IAM does not count anyway.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The version, if it is text.
    pub fn version(&self) -> Option<&str> {
        self.0.get("Version").and_then(Value::as_str)
    }

    /// The statements; none if the document has not the form of a policy.
    pub fn statements(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let list = self.0.get("Statement").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object)
    }

    /// Why the document has not the form of a policy, if so. `principals` says whether the
    /// statements name principals, as those of a trust policy do, or resources.
    pub fn flaw(&self, principals: Names) -> Option<String> {
        let Some(statements) = self.0.get("Statement").and_then(Value::as_array) else {
            return Some("a policy needs a `Statement`".to_owned());
        };
        match self.version() {
            Some(VERSION | OLD_VERSION) => {}
            _ => return Some(format!("`Version` must be \"{VERSION}\" or \"{OLD_VERSION}\"")),
        }
        if statements.is_empty() {
            return Some("a policy needs a statement".to_owned());
        }
        statements.iter().enumerate().find_map(|(index, statement)| {
            let flaw = match statement.as_object() {
                Some(statement) => statement_flaw(statement, principals)?,
                None => "is not a table".to_owned(),
            };
            Some(format!("statement {} {flaw}", index + 1))
        })
    }
}

/// What the statements of a policy name besides actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// A trust policy names who may assume the role.
    Principals,
    /// A role's own policy names what may be acted on.
    Resources,
}

fn statement_flaw(statement: &Map<String, Value>, names: Names) -> Option<String> {
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Some("needs an `Effect`, \"Allow\" or \"Deny\"".to_owned());
    }
    let (needed, foreign) = match names {
        Names::Principals => ("Principal", "Resource"),
        Names::Resources => ("Resource", "Principal"),
    };
    let has =
        |key: &str| statement.contains_key(key) || statement.contains_key(&format!("Not{key}"));
    if let Some(key) = ["Action", needed].into_iter().find(|key| !has(key)) {
        return Some(format!("needs `{key}` or `Not{key}`"));
    }
    has(foreign).then(|| format!("may not have `{foreign}` here"))
}

fn canonical(document: Value, version: &str) -> Value {
    let Value::Object(mut policy) = document else { return document };
    policy.entry("Version").or_insert_with(|| version.into());
    if let Some(statements) = policy.remove("Statement") {
        let statements = list(statements).into_iter().map(statement).collect();
        policy.insert("Statement".to_owned(), Value::Array(statements));
    }
    Value::Object(policy)
}

fn statement(value: Value) -> Value {
    let Value::Object(statement) = value else { return value };
    let part = |(key, value): (String, Value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => sorted(value),
            "Principal" | "NotPrincipal" => principals(value),
            "Condition" => each(value, |_, tests| each(tests, |_, values| sorted(values))),
            _ => value,
        };
        (key, value)
    };
    Value::Object(statement.into_iter().map(part).collect())
}

/// `"*"` stays as it is: it is not quite the same as `{"AWS": "*"}`.
fn principals(value: Value) -> Value {
    each(value, |kind, names| match (kind, sorted(names)) {
        ("AWS", Value::Array(names)) => sorted(names.into_iter().map(root_of_account).collect()),
        (_, names) => names,
    })
}

fn root_of_account(name: Value) -> Value {
    match name.as_str() {
        Some(account) if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => {
            format!("arn:aws:iam::{account}:root").into()
        }
        _ => name,
    }
}

fn each(value: Value, change: impl Fn(&str, Value) -> Value) -> Value {
    let Value::Object(map) = value else { return value };
    let changed = map.into_iter().map(|(key, value)| {
        let value = change(&key, value);
        (key, value)
    });
    Value::Object(changed.collect())
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        single => vec![single],
    }
}

/// A list of texts, each once, in order.
fn sorted(value: Value) -> Value {
    let text = |item: Value| match item {
        Value::Bool(_) | Value::Number(_) => Value::String(item.to_string()),
        other => other,
    };
    let mut items: Vec<Value> = list(value).into_iter().map(text).collect();
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    items.dedup();
    Value::Array(items)
}

/// Takes `%7B` for `{`. What is no such code stays as it is.
fn decode(encoded: &str) -> String {
    let bytes = encoded.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| encoded.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        super::json::read(from).map(Self::new)
    }
}

impl JsonSchema for Policy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        super::json::any("An IAM policy: a table, or a text that holds JSON.")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn policy(document: Value) -> Policy {
        Policy::new(document)
    }

    #[test]
    fn one_is_a_list_of_one_and_order_does_not_count() {
        let short = policy(json!({ "Statement": {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": { "Bool": { "aws:SecureTransport": true } },
        }}));
        let long = policy(json!({ "Version": "2012-10-17", "Statement": [{
            "Resource": ["*"], "Action": ["s3:GetObject"], "Effect": "Allow",
            "Condition": { "Bool": { "aws:SecureTransport": ["true"] } },
        }]}));
        assert_eq!(short, long);
        assert_eq!(short.flaw(Names::Resources), None);
    }

    #[test]
    fn an_account_is_its_root() {
        let trust = |who: Value| {
            policy(json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "AWS": who } } }))
        };
        let arn = "arn:aws:iam::123456789012:root";
        assert_eq!(trust(json!("123456789012")), trust(json!([arn])));
        assert_ne!(trust(json!("AROAEXAMPLE")), trust(json!(arn)));
    }

    #[test]
    fn what_iam_gives_back_is_decoded() {
        let read = Policy::read(
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow\
             %22%2C%22Action%22%3A%22logs%3A%2A%22%2C%22Resource%22%3A%22a%2Bb+c%C3%A9%22%7D%5D%7D",
        );
        let written = policy(json!({ "Statement": [
            { "Effect": "Allow", "Action": ["logs:*"], "Resource": ["a+b+cé"] }
        ]}));
        assert_eq!(read.unwrap(), written);
    }

    #[test]
    fn a_missing_version_is_the_old_one_when_read() {
        let read = Policy::read("{\"Statement\":[]}").unwrap();
        assert_eq!(read.version(), Some("2008-10-17"));
    }

    #[test]
    fn flaws_are_named() {
        let flaw = |names, document| policy(document).flaw(names).unwrap_or_default();
        let statement = |statement: Value| json!({ "Statement": [statement] });
        insta::assert_snapshot!(
            [
                flaw(Names::Resources, json!({})),
                flaw(Names::Resources, json!([])),
                flaw(Names::Resources, json!({ "Statement": [] })),
                flaw(Names::Resources, json!({ "Version": "2020", "Statement": [] })),
                flaw(Names::Resources, statement(json!({ "Effect": "allow" }))),
                flaw(Names::Resources, statement(json!({ "Effect": "Allow", "Action": "a:b" }))),
                flaw(Names::Principals, statement(json!({ "Effect": "Deny", "Principal": "*" }))),
                flaw(Names::Principals, statement(json!({
                    "Effect": "Allow", "Action": "a:b", "Principal": "*", "Resource": "*"
                }))),
                flaw(Names::Principals, statement(json!("x"))),
            ]
            .join("\n"),
            @r#"
            a policy needs a `Statement`
            a policy needs a `Statement`
            a policy needs a statement
            `Version` must be "2012-10-17" or "2008-10-17"
            statement 1 needs an `Effect`, "Allow" or "Deny"
            statement 1 needs `Resource` or `NotResource`
            statement 1 needs `Action` or `NotAction`
            statement 1 may not have `Resource` here
            statement 1 is not a table
            "#
        );
    }

    #[test]
    fn variables_of_iam_pass_through() {
        let own = "arn:aws:s3:::b/${aws:username}";
        let document =
            json!({ "Statement": { "Effect": "Allow", "Action": "a:b", "Resource": own } });
        assert!(policy(document).text().contains(own));
    }

    fn any_statement() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
        let names = |kind: &'static str| prop::collection::vec(kind, 1..5);
        (names("[a-c]{1,2}:[A-C]{1,2}"), names("arn:[a-c]{1,3}"))
    }

    proptest! {
        #[test]
        fn permuted_lists_are_equal((actions, resources) in any_statement(), turn in 0usize..5) {
            let document = |actions: &[String], resources: &[String]| policy(json!({ "Statement": [
                { "Effect": "Allow", "Action": actions, "Resource": resources }
            ]}));
            let (mut turned, mut reversed) = (actions.clone(), resources.clone());
            turned.rotate_left(turn % actions.len());
            reversed.reverse();
            prop_assert_eq!(document(&actions, &resources), document(&turned, &reversed));
        }

        #[test]
        fn canonical_is_canonical_already((actions, resources) in any_statement()) {
            let once = policy(json!({ "Statement": {
                "Effect": "Allow", "Action": actions, "Resource": resources[0]
            }}));
            let again: Policy = serde_json::from_value(serde_json::to_value(&once).unwrap()).unwrap();
            prop_assert_eq!(&Policy::read(&once.text()).unwrap(), &once);
            prop_assert_eq!(again, once);
        }

        #[test]
        fn decoding_never_panics(text in "\\PC{0,40}") {
            let _ = Policy::read(&text);
        }
    }
}
