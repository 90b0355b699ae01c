//! Durations, sizes, shares: texts with a unit, read once, when the document is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ipnet::Ipv4Net;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::spec::{duration, measured, whole};

/// Text of the form `name`: its type in documents is `$type`.
macro_rules! written {
    ($type:ident, $name:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "x-format": $name })
            }
        }
    };
}

/// A span of time in seconds: `"90s"`, `"5m"`, `"2h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u32);
written!(Seconds, "duration");

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = duration(text).and_then(|span| u32::try_from(span.as_secs()).ok());
        seconds.map(Self).ok_or_else(|| {
            format!("`{text}` is not a duration: a whole number and s, m, h or d, such as \"30s\"")
        })
    }
}

/// How long logs are kept, in days; 0 is for ever: `"7d"`, `"2w"`, `"forever"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(pub u32);
written!(Days, "days");

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "forever" {
            return Ok(Self(0));
        }
        let days = measured(text, &[("d", 1), ("w", 7)]).filter(|days| *days > 0);
        days.map(Self).ok_or_else(|| {
            format!(
                "`{text}` is not a time to keep things: write days, such as \"7d\", or \"forever\""
            )
        })
    }
}

/// Processor time in units of 1/1024 vCPU: `"0.5vcpu"`, `"32cpu"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu(pub u32);
written!(Cpu, "cpu");

impl FromStr for Cpu {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = match text.strip_suffix("vcpu") {
            Some(number) => fraction(number, 1024),
            None => measured(text, &[("cpu", 1)]),
        };
        units.filter(|units| *units > 0).map(Self).ok_or_else(|| {
            format!("`{text}` is not an amount of CPU such as \"0.5vcpu\" or \"512cpu\"")
        })
    }
}

/// Memory in MiB: `"512MB"`, `"1GB"`, `"0.5GB"`. As everywhere in ECS, 1 GB is 1024 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(pub u32);
written!(Memory, "memory");

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mebibytes = match text.strip_suffix("GB") {
            Some(number) => fraction(number, 1024),
            None => measured(text, &[("MB", 1)]),
        };
        mebibytes.filter(|size| *size > 0).map(Self).ok_or_else(|| {
            format!("`{text}` is not an amount of memory such as \"512MB\" or \"1GB\"")
        })
    }
}

/// The memory that is reserved and the most there may be, in MiB: `"256MB..512MB"`; one of them alone:
/// `"256MB.."`, `"..512MB"`; or both at once: `"512MB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What is reserved.
    pub soft: Option<Memory>,
    /// Whoever takes more is ended.
    pub hard: Option<Memory>,
}
written!(Limits, "memory-limits");

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((soft, hard)) = text.split_once("..") else {
            let hard = Some(text.parse()?);
            return Ok(Self { soft: None, hard });
        };
        let side = |text: &str| match text {
            "" => Ok(None),
            text => text.parse::<Memory>().map(Some),
        };
        let limits = Self { soft: side(soft)?, hard: side(hard)? };
        match (limits.soft, limits.hard) {
            (None, None) => Err(format!("`{text}` says nothing of memory")),
            (Some(soft), Some(hard)) if soft.0 > hard.0 => {
                Err(format!("`{text}` reserves more than there may be"))
            }
            _ => Ok(limits),
        }
    }
}

/// vCPUs of instances, from the least to the most: `"4..16"`, `"4.."`, or `"4"` for just so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vcpus {
    /// The least.
    pub min: u32,
    /// The most; no bound where there is none.
    pub max: Option<u32>,
}
written!(Vcpus, "vcpus");

impl FromStr for Vcpus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a number of vCPUs such as \"4..16\" or \"4..\"");
        let number = |text: &str| whole(text).filter(|number| *number > 0).ok_or_else(wrong);
        let (min, max) = ends(text, number)?;
        match max.is_some_and(|max| max < min) {
            true => Err(wrong()),
            false => Ok(Self { min, max }),
        }
    }
}

/// Memory of instances, from the least to the most: `"16GB..64GB"`, `"16GB.."`, or `"16GB"` for just so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySpan {
    /// The least.
    pub min: Memory,
    /// The most; no bound where there is none.
    pub max: Option<Memory>,
}
written!(MemorySpan, "memory-span");

impl FromStr for MemorySpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (min, max) = ends(text, str::parse::<Memory>)?;
        match max.is_some_and(|max| max.0 < min.0) {
            true => Err(format!("`{text}` begins with more than it ends with")),
            false => Ok(Self { min, max }),
        }
    }
}

/// Both ends of a span; one alone is both.
fn ends<T: Copy>(
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<(T, Option<T>), String> {
    match text.split_once("..") {
        None => read(text).map(|only| (only, Some(only))),
        Some((min, "")) => Ok((read(min)?, None)),
        Some((min, max)) => Ok((read(min)?, Some(read(max)?))),
    }
}

/// Disk space in GiB: `"30GB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gigabytes(pub u32);
written!(Gigabytes, "gigabytes");

impl FromStr for Gigabytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = measured(text, &[("GB", 1)]).filter(|size| *size > 0).map(Self);
        size.ok_or_else(|| format!("`{text}` is not an amount of disk space such as \"30GB\""))
    }
}

/// A share of a hundred: `"50%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(pub u32);
written!(Percent, "percent");

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = measured(text, &[("%", 1)]).filter(|share| *share <= 100).map(Self);
        share.ok_or_else(|| format!("`{text}` is not a share such as \"50%\", at most \"100%\""))
    }
}

/// Where in S3: `"s3://bucket/prefix"`, or the bucket alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Path {
    /// The bucket.
    pub bucket: String,
    /// What the names of objects begin with, if anything.
    pub prefix: String,
}
written!(S3Path, "s3-path");

impl FromStr for S3Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a place in S3 such as \"s3://bucket/prefix\"");
        let place = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(fits);
        // An output is judged by AWS.
        if !is_bucket && !bucket.contains("${") {
            return Err(wrong());
        }
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

/// An IPv4 network, its host bits cleared: `"10.0.0.0/16"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr(pub Ipv4Net);
written!(Cidr, "cidr");

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let net = text.parse::<Ipv4Net>().map(|net| Self(net.trunc()));
        net.map_err(|_| format!("`{text}` is not an IPv4 network such as \"10.0.0.0/16\""))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A decimal number times `scale`, if that is whole: `0.25` of 1024 is 256.
fn fraction(number: &str, scale: u32) -> Option<u32> {
    let (wholes, digits) = number.split_once('.').unwrap_or((number, "0"));
    if digits.len() > 5 {
        return None;
    }
    let ones = u64::from(whole(wholes)?) * u64::from(scale);
    let power = 10_u64.pow(u32::try_from(digits.len()).ok()?);
    let rest = u64::from(whole(digits)?) * u64::from(scale);
    (rest % power == 0).then(|| u32::try_from(ones + rest / power).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        assert_eq!("90s".parse(), Ok(Seconds(90)));
        assert_eq!("5m".parse(), Ok(Seconds(300)));
        assert_eq!("2w".parse(), Ok(Days(14)));
        assert_eq!("forever".parse(), Ok(Days(0)));
        assert_eq!("0.25vcpu".parse(), Ok(Cpu(256)));
        assert_eq!("32cpu".parse(), Ok(Cpu(32)));
        assert_eq!("0.5GB".parse(), Ok(Memory(512)));
        assert_eq!("100%".parse(), Ok(Percent(100)));
        let place = |text: &str| text.parse::<S3Path>().map(|it| (it.bucket, it.prefix));
        assert_eq!(place("s3://logs"), Ok(("logs".to_owned(), String::new())));
        assert_eq!(place("s3://logs/a/b/"), Ok(("logs".to_owned(), "a/b".to_owned())));
        assert!(place("s3://logs-${aws.account}").is_ok());
        assert!(
            place("logs/a").is_err() && place("s3://Logs").is_err() && place("s3:///a").is_err()
        );
        let limits = |soft, hard| Ok(Limits { soft, hard });
        assert_eq!("256MB..1GB".parse(), limits(Some(Memory(256)), Some(Memory(1024))));
        assert_eq!("256MB..".parse(), limits(Some(Memory(256)), None));
        assert_eq!("1GB".parse(), limits(None, Some(Memory(1024))));
        assert_eq!("4..16".parse(), Ok(Vcpus { min: 4, max: Some(16) }));
        assert_eq!("4..".parse(), Ok(Vcpus { min: 4, max: None }));
        let exactly = MemorySpan { min: Memory(1024), max: Some(Memory(1024)) };
        assert_eq!("1GB".parse(), Ok(exactly));
        assert!("16..4".parse::<Vcpus>().is_err() && "..4".parse::<Vcpus>().is_err());
        assert!("2GB..1GB".parse::<MemorySpan>().is_err());
        assert_eq!(
            "10.1.2.3/16".parse::<Cidr>().map(|cidr| cidr.to_string()),
            Ok("10.1.0.0/16".into())
        );
    }

    #[test]
    fn other_text_is_refused_with_an_example() {
        let told = "30".parse::<Seconds>().unwrap_err();
        assert!(told.contains("\"30s\""), "{told}");
        assert!("101%".parse::<Percent>().is_err());
        assert!("0.3vcpu".parse::<Cpu>().is_err(), "307.2 units are not whole");
        assert!("0MB".parse::<Memory>().is_err());
        assert!("..".parse::<Limits>().is_err() && "1GB..1MB".parse::<Limits>().is_err());
        assert!("10.0.0.0".parse::<Cidr>().is_err());
    }
}
