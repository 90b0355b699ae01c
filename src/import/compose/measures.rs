//! Times and sizes as compose writes them.

use serde_json::{Value as Json, json};

use super::container::{Reader, why};
use crate::kinds::types::cpu_memory::{Cpu, Memory, fargate_least};

/// CPU units and mebibytes, as far as they are said.
pub(super) type Size = (Option<u32>, Option<u32>);

/// `1m30s`, `90s` or `500ms` as whole seconds, rounded up.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let mut total = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end =
            rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| end + at);
        let factor = match &rest[end..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" => 0.000_001,
            _ => return None,
        };
        total += number * factor;
        rest = &rest[unit_end..];
    }
    whole(total)
}

/// `512M`, `1gb` or a number of bytes as mebibytes, rounded up.
pub(super) fn mebibytes(text: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 1.0 / 1024.0 / 1024.0,
        "k" => 1.0 / 1024.0,
        "m" => 1.0,
        "g" => 1024.0,
        _ => return None,
    };
    whole(number * factor)
}

/// The next whole number. Neither less than nothing nor more than there is.
fn whole(number: f64) -> Option<u32> {
    let rounded = number.ceil();
    (0.0..=f64::from(u32::MAX)).contains(&rounded).then_some(rounded as u32)
}

/// What a compose service may use at most; or what is kept for it, where that is all that is said.
pub(super) fn size(reader: &mut Reader<'_>) -> Size {
    let members = &mut reader.members;
    let mut said: Size = (None, None);
    if members.has("deploy") {
        let mut deploy = members.inner("deploy");
        let mut resources = deploy.inner("resources");
        for part in ["limits", "reservations"] {
            let mut inner = resources.inner(part);
            let cpu = inner.word("cpus").and_then(|text| units(&text));
            let memory = inner.word("memory").and_then(|text| mebibytes(&text));
            said = (said.0.or(cpu), said.1.or(memory));
            resources.join(inner, &why);
        }
        deploy.join(resources, &why);
        if let Some(count) = deploy.take("replicas").and_then(|count| count.as_u64()) {
            reader.fields.insert("count".to_owned(), json!(count));
        }
        reader.members.join(deploy, &|key| match key {
            "restart_policy" => "ECS keeps the tasks of a service running",
            "update_config" | "rollback_config" => {
                "see `deploy`: a rollout that fails is rolled back"
            }
            "placement" | "mode" | "endpoint_mode" => "Fargate does not have it",
            _ => "ecsctl does not know it",
        });
    }
    let members = &mut reader.members;
    for key in ["cpus", "mem_limit", "mem_reservation"] {
        let Some(text) = members.word(key) else { continue };
        match key {
            "cpus" => said.0 = said.0.or(units(&text)),
            _ => said.1 = said.1.or(mebibytes(&text)),
        }
    }
    if let Some(count) = members.take("scale").and_then(|count| count.as_u64()) {
        reader.fields.entry("count").or_insert(json!(count));
    }
    said
}

fn units(cpus: &str) -> Option<u32> {
    whole(cpus.trim().parse::<f64>().ok()? * 1024.0)
}

/// What two containers of a task need together.
pub(super) fn sum(one: Size, other: Size) -> Size {
    let add = |one: Option<u32>, other: Option<u32>| match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    };
    (add(one.0, other.0), add(one.1, other.1))
}

/// Gives a service the least size of Fargate's that holds what was said.
pub(super) fn fit(size: Size, reader: &mut Reader<'_>) {
    if size == (None, None) {
        return;
    }
    let said: Json = json!({ "cpu": size.0, "memory": size.1 });
    let (cpu, memory) = (Cpu(size.0.unwrap_or(0)), Memory(size.1.unwrap_or(0)));
    let Some((cpu, memory)) = fargate_least(cpu, memory) else {
        reader.members.note(&["deploy", "resources"], &said, "Fargate has no size that holds it");
        return;
    };
    reader.set("size", format!("{}/{}", cpu.short(), memory.short()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_compose_reads_them() {
        for (text, time) in [
            ("1m30s", Some(90)),
            ("10s", Some(10)),
            ("500ms", Some(1)),
            ("1.5h", Some(5400)),
            ("5", None),
            ("x", None),
        ] {
            assert_eq!(seconds(text), time, "{text}");
        }
        for (text, size) in [
            ("512M", Some(512)),
            ("1gb", Some(1024)),
            ("1.5GiB", Some(1536)),
            ("1048577", Some(2)),
            ("x", None),
        ] {
            assert_eq!(mebibytes(text), size, "{text}");
        }
    }
}
