//! CPU units and mebibytes: whole numbers, read from `512`, `"512"`, `"0.5 vCPU"`, `"1 GB"`; and the
//! sizes that Fargate has.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// CPU units, 1024 to a virtual CPU. Displayed as `0.5 vCPU`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Cpu(pub u32);

/// Mebibytes, 1024 to what ECS calls a GB. Displayed as `512 MB` or `2 GB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Memory(pub u32);

impl Cpu {
    /// Reads `512`, `0.5 vCPU` or `.5vcpu`.
    pub fn parse(text: &str) -> Option<Self> {
        amount(text, &[("vcpu", 1024)]).map(Self)
    }

    /// The form of the blueprint's `size`: `0.5vcpu`.
    pub fn short(self) -> String {
        format!("{}vcpu", of_1024(self.0))
    }
}

impl Memory {
    /// Reads `512`, `512 MB`, `1 GB` or `1GiB`.
    pub fn parse(text: &str) -> Option<Self> {
        amount(text, &[("mib", 1), ("mb", 1), ("gib", 1024), ("gb", 1024)]).map(Self)
    }

    /// The form of the blueprint's `size`: `512MB`, `2GB`.
    pub fn short(self) -> String {
        self.to_string().replace(' ', "")
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} vCPU", of_1024(self.0))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            less if less < 1024 => write!(f, "{less} MB"),
            more => write!(f, "{} GB", of_1024(more)),
        }
    }
}

/// 512 as `0.5`: 1024 are one.
fn of_1024(units: u32) -> f64 {
    f64::from(units) / 1024.0
}

/// A number with one of the units, case and blanks aside. What is no whole number then is refused.
fn amount(text: &str, units: &[(&str, u32)]) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)))
        .unwrap_or((&text, 1));
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let product = number.parse::<f64>().ok()? * f64::from(factor);
    let fits = product.fract() == 0.0 && product <= f64::from(u32::MAX);
    // Whole and within range, as just seen: nothing is cut off.
    fits.then_some(product as u32)
}

/// A number, or text that `parse` reads.
fn number_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl Fn(&str) -> Option<u32>,
    example: &str,
) -> Result<u32, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => {
            let whole = number.as_u64().and_then(|number| u32::try_from(number).ok());
            whole.ok_or_else(|| D::Error::custom(format!("`{number}` is not {example}")))
        }
        serde_json::Value::String(text) => {
            parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not {example}")))
        }
        other => Err(D::Error::custom(format!("`{other}` is not {example}"))),
    }
}

impl<'de> Deserialize<'de> for Cpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |text: &str| Self::parse(text).map(|cpu| cpu.0);
        number_or_text(deserializer, parse, "CPU units such as 512 or \"0.5 vCPU\"").map(Self)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |text: &str| Self::parse(text).map(|memory| memory.0);
        number_or_text(deserializer, parse, "mebibytes such as 1024 or \"1 GB\"").map(Self)
    }
}

/// A number, or text with a unit. What is compared is always the number.
fn either(about: &str) -> Schema {
    json_schema!({
        "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }],
        "description": about,
    })
}

impl JsonSchema for Cpu {
    fn schema_name() -> Cow<'static, str> {
        "Cpu".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        either("CPU units (1024 are one virtual CPU), or text such as `0.5 vCPU`.")
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        either("Mebibytes, or text such as `512 MB` or `2 GB`.")
    }
}

/// What Fargate offers for one number of CPU units. Page "Task definition parameters for Fargate".
struct Size {
    cpu: u32,
    memories: &'static [Span],
}

/// Memories from `from` to `to` by steps of `by`, in GB; those below 1 GB in fractions.
struct Span {
    from: u32,
    to: u32,
    by: u32,
}

const fn span(from: u32, to: u32, by: u32) -> Span {
    Span { from: from * 1024, to: to * 1024, by: by * 1024 }
}

const HALF: Span = Span { from: 512, to: 512, by: 512 };

const SIZES: [Size; 8] = [
    Size { cpu: 256, memories: &[HALF, span(1, 2, 1)] },
    Size { cpu: 512, memories: &[span(1, 4, 1)] },
    Size { cpu: 1024, memories: &[span(2, 8, 1)] },
    Size { cpu: 2048, memories: &[span(4, 16, 1)] },
    Size { cpu: 4096, memories: &[span(8, 30, 1)] },
    Size { cpu: 8192, memories: &[span(16, 60, 4)] },
    Size { cpu: 16384, memories: &[span(32, 120, 8)] },
    Size { cpu: 32768, memories: &[span(60, 60, 1), span(120, 120, 1), span(244, 244, 1)] },
];

impl Size {
    fn memories(&self) -> impl Iterator<Item = Memory> {
        let spans = self.memories.iter();
        spans.flat_map(|span| (span.from..=span.to).step_by(span.by as usize)).map(Memory)
    }
}

/// The memories that Fargate offers with `cpu`, ascending; none for a `cpu` that it does not have.
pub fn fargate_memories(cpu: Cpu) -> Vec<Memory> {
    SIZES.iter().filter(|size| size.cpu == cpu.0).flat_map(Size::memories).collect()
}

/// The CPU units that Fargate has, ascending.
pub fn fargate_cpus() -> impl Iterator<Item = Cpu> {
    SIZES.iter().map(|size| Cpu(size.cpu))
}

/// The least size of Fargate's that holds both.
pub fn fargate_least(cpu: Cpu, memory: Memory) -> Option<(Cpu, Memory)> {
    fargate_cpus().filter(|candidate| *candidate >= cpu).find_map(|candidate| {
        let enough = fargate_memories(candidate).into_iter().find(|it| *it >= memory)?;
        Some((candidate, enough))
    })
}

/// Sizes near one that Fargate does not have: the nearest memory for this CPU, and the least size
/// that holds both.
pub fn fargate_nearest(cpu: Cpu, memory: Memory) -> Vec<(Cpu, Memory)> {
    let distance = |candidate: &Memory| candidate.0.abs_diff(memory.0);
    let same_cpu = fargate_memories(cpu).into_iter().min_by_key(distance).map(|near| (cpu, near));
    let larger = fargate_least(cpu, memory);
    let mut near: Vec<_> = same_cpu.into_iter().chain(larger).collect();
    near.dedup();
    near
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_size_is_one_number() {
        for text in ["512", "0.5 vCPU", ".5vcpu", " 0.5VCPU "] {
            assert_eq!(Cpu::parse(text), Some(Cpu(512)), "{text}");
        }
        for text in ["1024", "1 GB", "1gb", "1GiB", "1024 MB", "1024MiB"] {
            assert_eq!(Memory::parse(text), Some(Memory(1024)), "{text}");
        }
        for text in ["", "vCPU", "-1", "1e3", "0.3 vCPU", "x", "inf", "NaN", "1 TB"] {
            assert_eq!(Cpu::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(Cpu(256).to_string(), "0.25 vCPU");
        assert_eq!(Memory(512).short(), "512MB");
        assert_eq!(Memory(1536).to_string(), "1.5 GB");
        assert_eq!(serde_json::from_str::<Cpu>("\"1 vCPU\"").unwrap(), Cpu(1024));
        assert_eq!(serde_json::to_string(&Memory(2048)).unwrap(), "2048");
        assert!(serde_json::from_str::<Memory>("\"much\"").is_err());
    }

    #[test]
    fn the_table_is_the_one_of_the_guide() {
        let count = |cpu| fargate_memories(Cpu(cpu)).len();
        let counts: Vec<_> = fargate_cpus().map(|cpu| count(cpu.0)).collect();
        assert_eq!(counts, [3, 4, 7, 13, 23, 12, 12, 3]);
        assert_eq!(fargate_memories(Cpu(256)), [Memory(512), Memory(1024), Memory(2048)]);
        assert_eq!(fargate_memories(Cpu(300)), []);
        let near = fargate_nearest(Cpu(512), Memory(5120));
        assert_eq!(near, [(Cpu(512), Memory(4096)), (Cpu(1024), Memory(5120))]);
    }

    proptest! {
        #[test]
        fn nearest_sizes_are_sizes(cpu in 0u32..40_000, memory in 0u32..300_000) {
            for (cpu, memory) in fargate_nearest(Cpu(cpu), Memory(memory)) {
                prop_assert!(fargate_memories(cpu).contains(&memory));
            }
        }

        #[test]
        fn what_is_displayed_reads_back(units in (0u32..1_000_000).prop_map(|n| n * 8)) {
            prop_assert_eq!(Cpu::parse(&Cpu(units).to_string()), Some(Cpu(units)));
            prop_assert_eq!(Memory::parse(&Memory(units).short()), Some(Memory(units)));
        }
    }
}
