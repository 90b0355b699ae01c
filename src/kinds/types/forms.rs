//! Texts of which AWS takes only some: better said offline than half way through an apply. Each check
//! gives what is wrong, in words.

use std::ops::RangeInclusive;

/// The paths that a load balancer compares with begin with `/`: another text would match nothing
/// (elbv2 `PathPatternConditionConfig`).
pub fn path_pattern(text: &str) -> Result<(), String> {
    let begins = text.starts_with(['/', '*', '?']);
    let wrong = || format!("`{text}` is no path: paths begin with `/`, and have no blanks");
    if begins && is_word(text, 128) { Ok(()) } else { Err(wrong()) }
}

/// A host, with wildcards (elbv2 `HostHeaderConditionConfig`).
pub fn host_pattern(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.*?_".contains(c);
    match is_word(text, 128) && text.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no name of a host")),
    }
}

/// A domain, or all that are one step below it: RequestCertificate's `DomainNameString`. In small letters,
/// because DNS and AWS make no difference, and a plan would.
pub fn domain(text: &str) -> Result<(), String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    match name.contains('.') && is_dns_name(name, "-") {
        true => Ok(()),
        false => {
            Err(format!("`{text}` is no domain: small letters, digits and hyphens between dots"))
        }
    }
}

/// The name of a DNS record ("DNS domain name format" of the Route 53 developer guide, without what it would
/// write in octal).
pub fn record_name(text: &str) -> Result<(), String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    match is_dns_name(name, "-_") {
        true => Ok(()),
        false => {
            let legal = "small letters, digits, hyphens and dots";
            Err(format!("`{text}` is no name of a record: {legal}"))
        }
    }
}

/// Labels of up to 63 letters, digits and `others`, between dots; a hyphen stands at no end of one.
fn is_dns_name(text: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || others.contains(c);
    let is_label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.chars().all(fits) && !ends
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The matcher of a target group that speaks HTTP: statuses and ranges of them (elbv2 `Matcher`).
pub fn http_codes(text: &str) -> Result<(), String> {
    codes(text, 200..=499, "HTTP statuses")
}

/// The matcher of a target group that speaks gRPC (elbv2 `Matcher`).
pub fn grpc_codes(text: &str) -> Result<(), String> {
    codes(text, 0..=99, "gRPC codes")
}

fn codes(text: &str, legal: RangeInclusive<u16>, what: &str) -> Result<(), String> {
    let code = |text: &str| text.parse().ok().filter(|code| legal.contains(code));
    let fits = |part: &str| match part.split_once('-') {
        Some((from, to)) => code(from).zip(code(to)).is_some_and(|(from, to)| from <= to),
        None => code(part).is_some(),
    };
    match text.split(',').all(fits) {
        true => Ok(()),
        false => {
            let (least, most) = legal.into_inner();
            Err(format!("`{text}` is no list of {what} from {least} to {most}"))
        }
    }
}

/// Of CreateLogGroup: `[.\-_/#A-Za-z0-9]+`, up to 512.
pub fn log_group(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    match is_word(text, 512) && text.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no name of a log group: letters, digits and `._-/#`")),
    }
}

/// A managed policy, of AWS's own or of an account's.
pub fn managed_policy(text: &str) -> Result<(), String> {
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
    use super::*;

    #[test]
    fn what_aws_refuses_is_refused() {
        let told = |check: fn(&str) -> Result<(), String>, texts: &[&str]| {
            let refused = texts.iter().filter(|text| check(text).is_err());
            refused.copied().collect::<Vec<_>>().join(" | ")
        };
        insta::assert_snapshot!(told(host_pattern, &["a b", "", "*.shop.test", "shop.test"]), @"a b | ");
        insta::assert_snapshot!(told(domain, &["a", "a.", "-a.test", "A.test", "*.a.test", "*.*.a", "a_b.test"]), @"a | a. | -a.test | A.test | *.*.a | a_b.test");
        insta::assert_snapshot!(told(record_name, &["_a.test", "a..test", "a.test.", "", "test"]), @"a..test | a.test. | ");
        insta::assert_snapshot!(told(path_pattern, &["/a b", "a", "/a/*", "*.png", "/ä"]), @"/a b | a | /ä");
        insta::assert_snapshot!(told(http_codes, &["99", "200", "200,302", "200-499", "399-200", "", "200-500"]), @"99 | 399-200 |  | 200-500");
        insta::assert_snapshot!(told(grpc_codes, &["0-99", "12", "200"]), @"200");
        insta::assert_snapshot!(told(log_group, &[" ", "", "/shop/web", "a b", "shop#1"]), @"  |  | a b");
        insta::assert_snapshot!(told(managed_policy, &["foo", "arn:aws:iam::aws:policy/A", "arn:aws:s3:::b"]), @"foo | arn:aws:s3:::b");
    }
}
