//! The forms of text that documents hold, and what AWS takes of each: better said here than half way
//! through an apply.

use std::str::FromStr;

use super::measure::{Cidr, Cpu, Days, Gigabytes, Memory, Percent, Seconds};
use crate::spec::Format;

/// The forms of text that documents hold.
pub fn formats() -> &'static [Format] {
    const FORMATS: &[Format] = &[
        Format { name: "duration", example: "\"30s\"", check: check::<Seconds> },
        Format { name: "days", example: "\"14d\"", check: check::<Days> },
        Format { name: "cpu", example: "\"0.5vcpu\"", check: check::<Cpu> },
        Format { name: "memory", example: "\"1GB\"", check: check::<Memory> },
        Format { name: "gigabytes", example: "\"30GB\"", check: check::<Gigabytes> },
        Format { name: "percent", example: "\"50%\"", check: check::<Percent> },
        Format { name: "cidr", example: "\"10.0.0.0/16\"", check: check::<Cidr> },
        Format { name: "image", example: "\"httpd:2.4\"", check: image },
        Format { name: "paths", example: "\"/api/*\"", check: paths },
        Format { name: "host", example: "\"shop.example.com\"", check: host },
        Format { name: "codes", example: "\"200-399\"", check: codes },
        Format { name: "log-group", example: "\"/shop/web\"", check: log_group },
        Format { name: "directory", example: "\"/data\"", check: directory },
        Format { name: "action", example: "\"s3:GetObject\"", check: action },
        Format { name: "resource", example: "\"arn:aws:s3:::my-bucket/*\"", check: resource },
        Format {
            name: "policy",
            example: "\"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"",
            check: policy,
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

/// The paths that a load balancer compares with begin with `/`: another text would match nothing.
pub(super) fn paths(text: &str) -> Result<(), String> {
    let begins = text.starts_with(['/', '*', '?']);
    let wrong = || format!("`{text}` is no path: paths begin with `/`, and have no blanks");
    if begins && is_word(text, 128) { Ok(()) } else { Err(wrong()) }
}

/// ELB's condition `host-header`: a name, with wildcards.
fn host(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.*?_".contains(c);
    match is_word(text, 128) && text.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no name of a host")),
    }
}

/// The matcher of a target group that speaks HTTP: statuses and ranges of them, 200 to 499.
fn codes(text: &str) -> Result<(), String> {
    let status = |text: &str| text.parse::<u16>().ok().filter(|code| (200..=499).contains(code));
    let fits = |part: &str| match part.split_once('-') {
        Some((from, to)) => status(from).zip(status(to)).is_some_and(|(from, to)| from <= to),
        None => status(part).is_some(),
    };
    match text.split(',').all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no list of HTTP statuses from 200 to 499")),
    }
}

/// CreateLogGroup: `[.\-_/#A-Za-z0-9]+`, up to 512.
fn log_group(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    match is_word(text, 512) && text.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no name of a log group: letters, digits and `._-/#`")),
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

/// What a statement allows its actions on.
fn resource(text: &str) -> Result<(), String> {
    match text == "*" || (text.starts_with("arn:") && text.split(':').count() >= 6) {
        true => Ok(()),
        false => Err(format!("`{text}` is neither an ARN nor `*`")),
    }
}

/// A managed policy, of AWS's own or of an account's.
fn policy(text: &str) -> Result<(), String> {
    match text.starts_with("arn:") && text.contains(":iam::") && text.contains(":policy/") {
        true => Ok(()),
        false => Err(format!("`{text}` is not the ARN of a managed policy")),
    }
}

/// Whether it is a text of some length that can be seen.
fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
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
        insta::assert_snapshot!(told("host", &["a b", "", "*.shop.test", "shop.test"]), @"a b | ");
        insta::assert_snapshot!(told("paths", &["/a b", "a", "/a/*", "*.png", "/ä"]), @"/a b | a | /ä");
        insta::assert_snapshot!(told("codes", &["99", "200", "200,302", "200-499", "399-200", "", "200-500"]), @"99 | 399-200 |  | 200-500");
        insta::assert_snapshot!(told("log-group", &[" ", "", "/shop/web", "a b", "shop#1"]), @"  |  | a b");
        insta::assert_snapshot!(told("directory", &["d", "/d"]), @"d");
        insta::assert_snapshot!(told("action", &["s3", "s3:", "*", "s3:*", "dynamodb:*Item"]), @"s3 | s3:");
        insta::assert_snapshot!(told("resource", &["foo", "*", "arn:aws:s3:::b", "arn:x"]), @"foo | arn:x");
        insta::assert_snapshot!(told("policy", &["foo", "arn:aws:iam::aws:policy/A", "arn:aws:s3:::b"]), @"foo | arn:aws:s3:::b");
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
