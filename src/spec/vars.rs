//! `[vars]`: what a variable's value is, and whether it may be that.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::diag::Diagnostic;

use super::Request;
use super::node::{Entry, Node};
use super::rules::Shorthand;
use super::sources::Sources;
use crate::nearest::nearest;

/// A variable. A plain value stands for one with that default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(extend("x-shorthand" = "variable"))]
pub struct Variable {
    /// What its value is; left out, what its default is, or else text.
    #[serde(rename = "type")]
    pub type_: Option<Type>,
    /// Its value when none is given. Without one, a value must be given.
    pub default: Option<Json>,
    /// What it is for; shown when it is missing.
    pub help: Option<String>,
    /// The environment variable that gives its value.
    pub from_env: Option<String>,
}

/// What a variable's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
}

/// `tag = "latest"` for `tag = { default = "latest" }`.
pub(crate) const SHORTHAND: Shorthand = Shorthand {
    name: "variable",
    example: "{ type = \"string\", default = \"latest\" }",
    parse: |value| match value {
        Json::Array(_) => Err("a variable's value is text, a number, true or false".to_owned()),
        plain => Ok(serde_json::json!({ "default": plain })),
    },
};

/// Gives every variable its value: `--var`, then the environment, then the default.
pub(crate) fn values(
    vars: Option<&Entry>,
    request: &Request,
    sources: &Sources,
    found: &mut Vec<Diagnostic>,
) -> (BTreeMap<String, Json>, BTreeSet<String>) {
    let (mut values, mut without) = (BTreeMap::new(), BTreeSet::new());
    let declared = || vars.and_then(|entry| entry.value.table()).into_iter().flatten();
    for (name, entry) in declared() {
        let told = match serde_json::from_value(entry.value.to_json()) {
            Ok(variable) => value(name, &variable, &entry.value, request),
            // What is wrong with the declaration has been said.
            Err(_) => Ok(None),
        };
        match told {
            Ok(Some(value)) => {
                values.insert(name.clone(), value);
                continue;
            }
            Ok(None) => {}
            Err(error) => found.push(error.at_span(sources.span(entry.key), "")),
        }
        without.insert(name.clone());
    }
    for name in request.vars.keys().filter(|name| !declared().any(|(other, _)| other == *name)) {
        let error = Diagnostic::error("E0115", format!("there is no variable `{name}`"));
        found.push(match nearest(name, declared().map(|(name, _)| name.as_str())) {
            Some(near) => error.hint(format!("write `--var {near}=…`")),
            None => error.hint(format!("declare it under `[vars]`, or leave out `--var {name}=…`")),
        });
    }
    (values, without)
}

fn value(
    name: &str,
    variable: &Variable,
    node: &Node,
    request: &Request,
) -> Result<Option<Json>, Diagnostic> {
    let by_default = match &variable.default {
        Some(Json::Number(_)) => Type::Number,
        Some(Json::Bool(_)) => Type::Bool,
        _ => Type::String,
    };
    let type_ = variable.type_.unwrap_or(by_default);
    let from_env = variable.from_env.as_ref().and_then(|name| request.environment.get(name));
    if let Some(text) = request.vars.get(name).or(from_env) {
        return typed(text, type_).map(Some).ok_or_else(|| wrong(name, text, type_));
    }
    let Some(default) = &variable.default else {
        let mut error = Diagnostic::error("E0116", format!("the variable `{name}` has no value"));
        let how = match &variable.from_env {
            Some(from) => format!("set {from}, or give `--var {name}=…`"),
            None => format!("give `--var {name}=…`"),
        };
        error.hint = Some(match &variable.help {
            Some(help) => format!("{how}: {help}"),
            None => how,
        });
        return Err(error);
    };
    let fits = match (default, type_) {
        (Json::String(text), Type::String) => Some(Json::from(text.as_str())),
        (Json::String(text), type_) => typed(text, type_),
        (Json::Number(number), Type::String) if number.is_i64() => Some(number.to_string().into()),
        (Json::Number(_), Type::Number) | (Json::Bool(_), Type::Bool) => Some(default.clone()),
        _ => None,
    };
    let said = node.get("default").map_or(node, |entry| &entry.value);
    fits.map(Some).ok_or_else(|| wrong(name, &said.to_json().to_string(), type_))
}

fn typed(text: &str, type_: Type) -> Option<Json> {
    match type_ {
        Type::String => Some(text.into()),
        Type::Bool => text.parse::<bool>().ok().map(Json::from),
        Type::Number => match text.parse::<i64>() {
            Ok(whole) => Some(whole.into()),
            Err(_) => text.parse().ok().and_then(serde_json::Number::from_f64).map(Json::Number),
        },
    }
}

fn wrong(name: &str, text: &str, type_: Type) -> Diagnostic {
    let (what, how) = match type_ {
        Type::String => ("text", "\"text\""),
        Type::Number => ("a number", "5"),
        Type::Bool => ("true or false", "true"),
    };
    Diagnostic::error("E0117", format!("the variable `{name}` is {what}, not `{text}`"))
        .hint(format!("give for example `--var {name}={how}`"))
}
