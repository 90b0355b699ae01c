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

/// When EventBridge Scheduler does something: `cron(…)` with six fields, `rate(…)` or `at(…)` (user guide,
/// "Schedule types").
pub fn schedule(text: &str) -> Result<(), String> {
    let inner = |form: &str| text.strip_prefix(form)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(fields) = inner("cron") {
        return cron(fields);
    }
    if let Some(rate) = inner("rate") {
        let is_unit = |unit| ["minute", "hour", "day"].contains(&str::trim_end_matches(unit, 's'));
        let parts: Vec<&str> = rate.split(' ').collect();
        let is_rate = matches!(parts.as_slice(), [number, unit]
            if number.parse().is_ok_and(|number: u32| number > 0) && is_unit(*unit));
        let wrong = || format!("`{text}` is no rate such as `rate(5 minutes)`");
        return if is_rate { Ok(()) } else { Err(wrong()) };
    }
    match inner("at") {
        Some(moment) if is_moment(moment) => Ok(()),
        Some(_) => Err(format!("`{text}` is no moment such as `at(2027-01-31T23:00:00)`")),
        None => Err(format!("`{text}` is neither `cron(…)` nor `rate(…)` nor `at(…)`")),
    }
}

/// `2027-01-31T23:00:00`.
fn is_moment(text: &str) -> bool {
    let form = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    form.eq(*b"0000-00-00T00:00:00")
}

/// The fields of `cron(…)`: their names, and the numbers that they may hold.
const CRON: [(&str, RangeInclusive<u32>); 6] = [
    ("minutes", 0..=59),
    ("hours", 0..=23),
    ("day of the month", 1..=31),
    ("month", 1..=12),
    ("day of the week", 1..=7),
    ("year", 1970..=2199),
];

fn cron(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        let count = fields.len();
        return Err(format!("`cron({text})` has {count} fields; AWS's has 6, the year last"));
    };
    for (field, (name, legal)) in fields.iter().zip(CRON) {
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "*,-/?#".contains(c);
        let items = field.split([',', '-', '#']).filter_map(|item| item.split('/').next());
        let mut numbers = items.filter_map(|item| item.parse::<u32>().ok());
        if !field.chars().all(fits) || !numbers.all(|number| legal.contains(&number)) {
            return Err(format!("`{field}` in `cron({text})` is no {name}"));
        }
    }
    match [day, weekday].into_iter().filter(|field| **field == "?").count() {
        1 => Ok(()),
        _ => {
            let why = "of the days of the month and of the week exactly one is `?`";
            Err(format!("`cron({text})` is ambiguous: {why}"))
        }
    }
}

/// A name of the time zone database, such as `Europe/Berlin` (CreateSchedule).
pub fn timezone(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    match is_word(text, 50) && text.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{text}` is no time zone such as `Europe/Berlin`")),
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
        let times = [
            "cron(0 3 * * ? *)",
            "cron(0/15 8-18 ? * MON-FRI *)",
            "rate(1 hour)",
            "rate(5 minutes)",
            "at(2027-01-31T23:00:00)",
            "cron(0 3 * * * *)",
            "cron(0 3 * * ?)",
            "cron(0 25 * * ? *)",
            "rate(0 hours)",
            "rate(5 weeks)",
            "at(tomorrow)",
            "0 3 * * *",
        ];
        insta::assert_snapshot!(told(schedule, &times), @"cron(0 3 * * * *) | cron(0 3 * * ?) | cron(0 25 * * ? *) | rate(0 hours) | rate(5 weeks) | at(tomorrow) | 0 3 * * *");
        insta::assert_snapshot!(told(timezone, &["UTC", "Europe/Berlin", "Etc/GMT+1", "Berlin time", ""]), @"Berlin time |");
        insta::assert_snapshot!(told(log_group, &[" ", "", "/shop/web", "a b", "shop#1"]), @"  |  | a b");
        insta::assert_snapshot!(told(managed_policy, &["foo", "arn:aws:iam::aws:policy/A", "arn:aws:s3:::b"]), @"foo | arn:aws:s3:::b");
    }
}
