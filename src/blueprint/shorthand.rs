//! Scalars, and lists, that stand for tables: `size = "0.5vcpu/1GB"`.

use serde_json::{Value as Json, json};

use super::measure::{Cpu, Memory, Seconds};
use crate::kinds::types::Number;
use crate::kinds::types::forms::path_pattern;
use crate::spec::Shorthand;

/// The shorthands that documents hold.
pub fn shorthands() -> &'static [Shorthand] {
    const SHORTHANDS: &[Shorthand] = &[
        Shorthand { name: "count", example: "2", parse: count },
        Shorthand { name: "http", example: "\"/api/*\"", parse: http },
        Shorthand { name: "health", example: "\"/healthz\"", parse: health },
        Shorthand { name: "size", example: "\"0.5vcpu/1GB\"", parse: size },
        Shorthand { name: "deploy", example: "\"rolling\"", parse: deploy },
        Shorthand { name: "connect", example: "true", parse: connect },
        Shorthand { name: "insights", example: "\"enhanced\"", parse: insights },
        Shorthand { name: "discover", example: "true", parse: discover },
        Shorthand { name: "domain", example: "\"shop.example.com\"", parse: domain },
        Shorthand { name: "vpc", example: "\"vpc-0123456789abcdef0\"", parse: vpc },
        Shorthand { name: "subnets", example: "[\"subnet-0123456789abcdef0\"]", parse: subnets },
    ];
    SHORTHANDS
}

/// A whole number, also as text: `"2"` is what a variable gives.
fn count(scalar: &Json) -> Result<Json, String> {
    let tasks = match scalar {
        Json::String(text) => text.parse().ok(),
        number => number.as_i64(),
    };
    match tasks {
        Some(tasks) => Ok(json!({ "tasks": tasks })),
        None => {
            Err("write a number of tasks such as 2, or a table with `min` and `max`".to_owned())
        }
    }
}

fn http(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::Bool(enabled) => Ok(json!({ "enabled": enabled })),
        Json::String(path) if path_pattern(path).is_ok() => Ok(json!({ "path": path })),
        _ => Err("write a path such as \"/api/*\", or false".to_owned()),
    }
}

/// A path has no spaces: `/bin/check --fast` is a command.
fn health(scalar: &Json) -> Result<Json, String> {
    match scalar.as_str() {
        Some(path) if path.starts_with('/') && !path.contains(' ') => Ok(json!({ "path": path })),
        Some(command) if !command.trim().is_empty() => Ok(json!({ "command": command })),
        _ => Err("write a path such as \"/healthz\", or a command".to_owned()),
    }
}

fn size(scalar: &Json) -> Result<Json, String> {
    let expected = || "write CPU and memory such as \"0.5vcpu/1GB\"".to_owned();
    let (cpu, memory) =
        scalar.as_str().and_then(|text| text.split_once('/')).ok_or_else(expected)?;
    let (cpu, memory) = (cpu.trim(), memory.trim());
    cpu.parse::<Cpu>()?;
    memory.parse::<Memory>()?;
    Ok(json!({ "cpu": cpu, "memory": memory }))
}

/// CPU units and mebibytes of a size such as `1vcpu/2GB`.
pub fn sizes(text: &str) -> Result<(u32, u32), String> {
    let size = size(&text.into())?;
    let part = |key: &str| size[key].as_str().unwrap_or_default();
    Ok((part("cpu").parse::<Cpu>()?.0, part("memory").parse::<Memory>()?.0))
}

/// A strategy; of requests that move in steps, the share of a step and how long it is looked at.
fn deploy(scalar: &Json) -> Result<Json, String> {
    let wrong = || {
        "write \"rolling\", \"blue-green\", \"canary 10% 5m\", \"linear 20% 3m\", or a table"
            .to_owned()
    };
    let words: Vec<&str> = scalar.as_str().unwrap_or_default().split_whitespace().collect();
    let share = |text: &str| {
        let share = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        share.filter(|share| share.is_finite()).map(Number).ok_or_else(wrong)
    };
    match words.as_slice() {
        [strategy @ ("rolling" | "blue-green" | "canary" | "linear")] => {
            Ok(json!({ "strategy": strategy }))
        }
        [strategy @ ("canary" | "linear"), percent] => {
            Ok(json!({ "strategy": strategy, "percent": share(percent)? }))
        }
        [strategy @ ("canary" | "linear"), percent, step] => {
            step.parse::<Seconds>()?;
            Ok(json!({ "strategy": strategy, "percent": share(percent)?, "step": step }))
        }
        _ => Err(wrong()),
    }
}

/// Whether; or what is spoken.
fn connect(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::Bool(enabled) => Ok(json!({ "enabled": enabled })),
        Json::String(word) if ["tcp", "http", "http2", "grpc"].contains(&word.as_str()) => {
            Ok(json!({ "protocol": word }))
        }
        _ => {
            Err("write true, or what is spoken: \"http\", \"http2\", \"grpc\" or \"tcp\""
                .to_owned())
        }
    }
}

/// Whether, or more than usual.
fn insights(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::Bool(enabled) => Ok(json!({ "enabled": enabled })),
        Json::String(word) if word == "enhanced" => Ok(json!({ "enhanced": true })),
        _ => Err("write true, false or \"enhanced\"".to_owned()),
    }
}

/// Whether; or the name. Whether it is one, is the kind's to say.
fn discover(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::Bool(enabled) => Ok(json!({ "enabled": enabled })),
        Json::String(name) if !name.is_empty() => Ok(json!({ "name": name })),
        _ => Err("write true, or the name in DNS such as \"cache\"".to_owned()),
    }
}

/// One name, or a list of them. Whether they are domains, is the list's to say.
fn domain(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::String(_) => Ok(json!({ "names": [scalar] })),
        Json::Array(_) => Ok(json!({ "names": scalar })),
        _ => Err("write a domain such as \"shop.example.com\", or a list of them".to_owned()),
    }
}

/// An id. Whether it is one, is the table's to say.
fn vpc(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::String(_) => Ok(json!({ "id": scalar })),
        _ => Err("write the id of a VPC, or `{ tags = { Name = \"…\" } }`".to_owned()),
    }
}

fn subnets(scalar: &Json) -> Result<Json, String> {
    match scalar {
        Json::Array(_) => Ok(json!({ "ids": scalar })),
        _ => Err("write a list of ids, or `{ tags = { Name = \"…\" } }`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, scalar: &Json) -> Result<Json, String> {
        let shorthand = shorthands().iter().find(|shorthand| shorthand.name == name).unwrap();
        (shorthand.parse)(scalar)
    }

    #[test]
    fn a_scalar_becomes_the_table_it_stands_for() {
        assert_eq!(parse("count", &json!(2)), Ok(json!({ "tasks": 2 })));
        assert_eq!(parse("count", &json!("2")), Ok(json!({ "tasks": 2 })));
        assert_eq!(parse("http", &json!("/api/*")), Ok(json!({ "path": "/api/*" })));
        assert_eq!(parse("http", &json!(false)), Ok(json!({ "enabled": false })));
        assert_eq!(parse("health", &json!("/ok")), Ok(json!({ "path": "/ok" })));
        let command = "/bin/check --fast";
        assert_eq!(parse("health", &json!(command)), Ok(json!({ "command": command })));
        let size = json!({ "cpu": "0.5vcpu", "memory": "1GB" });
        assert_eq!(parse("size", &json!("0.5vcpu / 1GB")), Ok(size));
        assert_eq!(parse("deploy", &json!("rolling")), Ok(json!({ "strategy": "rolling" })));
        assert_eq!(parse("connect", &json!(true)), Ok(json!({ "enabled": true })));
        assert_eq!(parse("connect", &json!("grpc")), Ok(json!({ "protocol": "grpc" })));
        assert_eq!(parse("insights", &json!(false)), Ok(json!({ "enabled": false })));
        assert_eq!(parse("insights", &json!("enhanced")), Ok(json!({ "enhanced": true })));
        assert_eq!(parse("discover", &json!(true)), Ok(json!({ "enabled": true })));
        assert_eq!(parse("discover", &json!("cache")), Ok(json!({ "name": "cache" })));
        let names = json!({ "names": ["shop.example.com"] });
        assert_eq!(parse("domain", &json!("shop.example.com")), Ok(names.clone()));
        assert_eq!(parse("domain", &json!(["shop.example.com"])), Ok(names));
        assert_eq!(parse("vpc", &json!("vpc-1")), Ok(json!({ "id": "vpc-1" })));
        assert_eq!(parse("subnets", &json!(["subnet-1"])), Ok(json!({ "ids": ["subnet-1"] })));
        let canary = json!({ "strategy": "canary", "percent": 10, "step": "5m" });
        assert_eq!(parse("deploy", &json!("canary 10% 5m")), Ok(canary));
        let linear = json!({ "strategy": "linear", "percent": 12.5 });
        assert_eq!(parse("deploy", &json!("linear 12.5%")), Ok(linear));
        let blue_green = json!({ "strategy": "blue-green" });
        assert_eq!(parse("deploy", &json!("blue-green")), Ok(blue_green));
    }

    #[test]
    fn other_scalars_are_refused() {
        assert!(parse("count", &json!(1.5)).is_err());
        assert!(parse("count", &json!(true)).is_err());
        assert!(parse("http", &json!("api")).is_err());
        assert!(parse("health", &json!(" ")).is_err());
        assert!(parse("size", &json!("1GB")).is_err());
        assert!(parse("size", &json!("1GB/0.5vcpu")).is_err());
        assert!(parse("deploy", &json!("rolling 10%")).is_err());
        assert!(parse("connect", &json!("udp")).is_err());
        assert!(parse("insights", &json!("more")).is_err());
        assert!(parse("deploy", &json!("canary 5m")).is_err());
        assert!(parse("deploy", &json!("canary 10% 5")).is_err());
        assert!(parse("domain", &json!(true)).is_err());
        assert!(parse("discover", &json!(["cache"])).is_err());
        assert!(parse("vpc", &json!(["vpc-1"])).is_err());
        assert!(parse("subnets", &json!("subnet-1")).is_err());
    }

    #[test]
    fn every_example_is_one() {
        for shorthand in shorthands() {
            let example: Json = serde_json::from_str(shorthand.example).unwrap();
            assert!((shorthand.parse)(&example).is_ok(), "{}", shorthand.name);
        }
    }
}
