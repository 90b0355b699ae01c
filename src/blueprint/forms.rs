//! The forms of text that documents hold.

use std::str::FromStr;

use super::measure::{
    Cidr, Cpu, Days, Gigabytes, Limits, Memory, MemorySpan, Percent, S3Path, Seconds, Vcpus,
};
use super::{endpoints, given};
use crate::kinds::types::forms::{
    domain, host_pattern, http_codes, log_group, managed_policy, path_pattern, schedule, timezone,
};
use crate::spec::Format;

/// The forms of text that documents hold.
pub fn formats() -> &'static [Format] {
    const FORMATS: &[Format] = &[
        Format { name: "duration", example: "\"30s\"", check: check::<Seconds> },
        Format { name: "days", example: "\"14d\"", check: check::<Days> },
        Format { name: "cpu", example: "\"0.5vcpu\"", check: check::<Cpu> },
        Format { name: "memory", example: "\"1GB\"", check: check::<Memory> },
        Format { name: "memory-limits", example: "\"256MB..512MB\"", check: check::<Limits> },
        Format { name: "memory-span", example: "\"16GB..64GB\"", check: check::<MemorySpan> },
        Format { name: "vcpus", example: "\"4..16\"", check: check::<Vcpus> },
        Format { name: "gigabytes", example: "\"30GB\"", check: check::<Gigabytes> },
        Format { name: "percent", example: "\"50%\"", check: check::<Percent> },
        Format { name: "cidr", example: "\"10.0.0.0/16\"", check: check::<Cidr> },
        Format { name: "s3-path", example: "\"s3://my-logs/shop\"", check: check::<S3Path> },
        Format { name: "image", example: "\"httpd:2.4\"", check: image },
        Format { name: "paths", example: "\"/api/*\"", check: path_pattern },
        Format { name: "host", example: "\"shop.example.com\"", check: host_pattern },
        Format { name: "domain", example: "\"shop.example.com\"", check: domain },
        Format { name: "aws-service", example: "\"sqs\"", check: endpoints::service },
        Format { name: "vpc-id", example: "\"vpc-0123456789abcdef0\"", check: given::vpc_id },
        Format {
            name: "subnet-id",
            example: "\"subnet-0123456789abcdef0\"",
            check: given::subnet_id,
        },
        Format { name: "codes", example: "\"200-399\"", check: http_codes },
        Format { name: "log-group", example: "\"/shop/web\"", check: log_group },
        Format { name: "directory", example: "\"/data\"", check: directory },
        Format { name: "schedule", example: "\"cron(0 3 * * ? *)\"", check: schedule },
        Format { name: "timezone", example: "\"Europe/Berlin\"", check: timezone },
        Format { name: "action", example: "\"s3:GetObject\"", check: action },
        Format { name: "resource", example: "\"arn:aws:s3:::my-bucket/*\"", check: resource },
        Format {
            name: "function",
            example: "\"arn:aws:lambda:eu-west-1:123456789012:function:smoke\"",
            check: function,
        },
        Format {
            name: "topic",
            example: "\"arn:aws:sns:eu-west-1:123456789012:ops\"",
            check: topic,
        },
        Format {
            name: "policy",
            example: "\"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"",
            check: managed_policy,
        },
    ];
    FORMATS
}

fn check<T: FromStr<Err = String>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ())
}

/// `[host/]name[:tag][@digest]`. A name without a letter is a slip: a port, or a tag alone.
fn image(text: &str) -> Result<(), String> {
    let name = text.split('@').next().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    let name = match name.split_once('/') {
        Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => name,
        _ => name,
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    match name.chars().all(fits) && name.contains(|c: char| c.is_ascii_lowercase()) {
        true => Ok(()),
        false => Err(format!("`{text}` is not an image: its name is in lower-case letters")),
    }
}

/// Where a volume appears in a container.
fn directory(text: &str) -> Result<(), String> {
    match text.starts_with('/') {
        true => Ok(()),
        false => Err(format!("`{text}` is not an absolute path")),
    }
}

/// IAM's grammar of policies: `*`, or a service and what is done there.
fn action(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-*?".contains(c);
    let is_action = text.split_once(':').is_some_and(|(service, what)| {
        !service.is_empty() && !what.is_empty() && service.chars().chain(what.chars()).all(fits)
    });
    match text == "*" || is_action {
        true => Ok(()),
        false => Err(format!("`{text}` is no action of IAM: a service, `:`, and what is done")),
    }
}

/// Who is asked whether a rollout goes on.
fn function(text: &str) -> Result<(), String> {
    match text.starts_with("arn:") && text.contains(":lambda:") {
        true => Ok(()),
        false => Err(format!("`{text}` is not the ARN of a Lambda function")),
    }
}

/// Who hears of alarms.
fn topic(text: &str) -> Result<(), String> {
    match text.starts_with("arn:") && text.contains(":sns:") {
        true => Ok(()),
        false => Err(format!("`{text}` is not the ARN of an SNS topic")),
    }
}

/// What a statement allows its actions on.
fn resource(text: &str) -> Result<(), String> {
    match text == "*" || (text.starts_with("arn:") && text.split(':').count() >= 6) {
        true => Ok(()),
        false => Err(format!("`{text}` is neither an ARN nor `*`")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn images_are_named() {
        let digest = format!("acme/api@sha256:{}", "0".repeat(64));
        for text in ["httpd", "a/b_c:1.4-RC", "localhost:5000/7zip", "ghcr.io/Acme/x", &digest] {
            assert_eq!(image(text).is_ok(), !text.contains("Acme"), "{text}");
        }
        for text in ["", "5", ":7", "my image", "Httpd", "host.io/", "1.4/2:3"] {
            assert!(image(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_example_has_its_form() {
        for format in formats() {
            assert_eq!((format.check)(format.example.trim_matches('"')), Ok(()), "{}", format.name);
        }
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let told = |name: &str, texts: &[&str]| {
            let format = formats().iter().find(|format| format.name == name).unwrap();
            let refused = texts.iter().filter(|text| (format.check)(text).is_err());
            refused.copied().collect::<Vec<_>>().join(" | ")
        };
        insta::assert_snapshot!(told("directory", &["d", "/d"]), @"d");
        insta::assert_snapshot!(told("action", &["s3", "s3:", "*", "s3:*", "dynamodb:*Item"]), @"s3 | s3:");
        insta::assert_snapshot!(told("resource", &["foo", "*", "arn:aws:s3:::b", "arn:x"]), @"foo | arn:x");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic(text in "[0-9.]{0,12}(s|d|vcpu|cpu|GB|MB|%|/[0-9]{0,3})?") {
            for format in formats() {
                let _ = (format.check)(&text);
            }
        }
    }
}
