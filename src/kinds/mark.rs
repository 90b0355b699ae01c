//! Whose a DNS record is: records carry no tags, so a TXT record of ours in the same zone says it.
//!
//! The mark of a record is written in the very change that makes the record, and goes with it. All marks of
//! a stack stand together below `<env>.<stack>._ecsctl.<zone>`, where one listing finds them.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::address::Address;
use crate::cloud::aws::Aws;
use crate::cloud::aws::dns::{self, Place, Zone, below};
use crate::kind::{Result, StackId, TAG_ID, Tags};

/// Below which name of a zone all marks stand.
const ROOT: &str = "_ecsctl";
/// Seconds for which others may remember a mark. Nobody asks for it but us, and we ask Route 53 itself.
const TTL: i64 = 300;
/// The longest part of a name between two dots (RFC 1035).
const LABEL: usize = 63;
/// The longest string in a TXT record, which may have several (RFC 1035).
const STRING: usize = 255;

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Says {
    /// The record that it is about: `A shop.example.com`.
    record: String,
    /// The tags that the record would carry.
    tags: Tags,
}

/// The tags of the records in a zone that are the stack's own, of those that the kind `kind` has made.
pub(super) async fn own(
    aws: &Aws,
    stack: &StackId,
    zone: &Zone,
    kind: &str,
) -> Result<BTreeMap<Place, Tags>> {
    let found = below(aws, zone, &under(stack, &zone.name)).await?;
    let is_of_kind = |tags: &Tags| {
        let address = tags.get(TAG_ID).and_then(|id| id.parse::<Address>().ok());
        stack.owns(tags) && address.is_some_and(|address| address.kind == kind)
    };
    let marks = found.iter().filter_map(|set| read(&zone.id, set));
    Ok(marks.filter(|(_, tags)| is_of_kind(tags)).collect())
}

/// The tags of a record, whichever stack marked it; none if it is nobody's.
pub(super) async fn tags(aws: &Aws, zone: &Zone, place: &Place) -> Result<Tags> {
    let found = below(aws, zone, &format!("{ROOT}.{}", zone.name)).await?;
    let mut marks = found.iter().filter_map(|set| read(&zone.id, set));
    Ok(marks.find(|(marked, _)| marked == place).map(|(_, tags)| tags).unwrap_or_default())
}

/// Where the stack's mark of a record stands.
pub(super) fn place(stack: &StackId, zone: &Zone, of: &Place) -> Place {
    let record = digest(&record(of));
    Place::new(&zone.id, &format!("{record}.{}", under(stack, &zone.name)), "TXT")
}

/// The mark that gives `tags` to a record.
pub(super) fn write(at: &Place, of: &Place, tags: &Tags) -> Result<ResourceRecordSet> {
    let says = Says { record: record(of), tags: tags.clone() };
    let text = serde_json::to_string(&says).expect("tags are a document");
    let value = ResourceRecord::builder().value(quoted(text.as_bytes())).build();
    let value = value.map_err(dns::unbuilt)?;
    let set = ResourceRecordSet::builder().name(&at.name).r#type(RrType::Txt).ttl(TTL);
    set.resource_records(value).build().map_err(dns::unbuilt)
}

/// What a mark is about, and the tags that it gives.
fn read(zone: &str, set: &ResourceRecordSet) -> Option<(Place, Tags)> {
    let text = unquoted(set.resource_records().first()?.value());
    let Says { record, tags } = serde_json::from_slice(&text).ok()?;
    let (kind, name) = record.split_once(' ')?;
    Some((Place::new(zone, name, kind), tags))
}

fn record(of: &Place) -> String {
    format!("{} {}", of.kind, of.name)
}

fn under(stack: &StackId, zone: &str) -> String {
    format!("{}.{}.{ROOT}.{zone}", label(&stack.env), label(&stack.stack))
}

/// A name of the spec as a part of a DNS name; the longest are too long by one letter.
fn label(name: &str) -> String {
    if name.len() <= LABEL {
        return name.to_owned();
    }
    let kept = name.get(..40).unwrap_or(name);
    format!("{}-{}", kept.trim_end_matches('-'), digest(name))
}

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as the strings of a TXT record: what is not printable ASCII is written in octal, as "Supported DNS
/// record types" has it.
fn quoted(bytes: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    let string = |chunk: &[u8]| format!("\"{}\"", chunk.iter().map(byte).collect::<String>());
    bytes.chunks(STRING).map(string).collect::<Vec<_>>().join(" ")
}

fn unquoted(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest, mut inside) = (Vec::new(), text.as_bytes().iter(), false);
    while let Some(byte) = rest.next() {
        match *byte {
            b'"' => inside = !inside,
            b'\\' => {
                let digits = rest.as_slice().get(..3);
                let octal = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                    Some(octal) => {
                        bytes.push(octal);
                        rest.nth(2);
                    }
                    None => bytes.extend(rest.next()),
                }
            }
            byte if inside => bytes.push(byte),
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stack(env: &str) -> StackId {
        StackId { stack: "shop".into(), env: env.into(), region: "eu-west-1".into() }
    }

    #[test]
    fn a_mark_says_whose_a_record_is() {
        let zone = Zone { id: "Z1".into(), name: "example.com".into() };
        let of = Place::new("Z1", "shop.example.com", "A");
        let at = place(&stack("prod"), &zone, &of);
        insta::assert_snapshot!(at, @"Z1/da2cd2e4d79f.prod.shop._ecsctl.example.com/TXT");
        let tags = Tags::from([("owner".to_owned(), "Zoë \"Z\"".to_owned())]);
        let mark = write(&at, &of, &tags).unwrap();
        insta::assert_snapshot!(mark.resource_records()[0].value(), @r#""{\"record\":\"A shop.example.com\",\"tags\":{\"owner\":\"Zo\303\253 \\\"Z\\\"\"}}""#);
        assert_eq!(read("Z1", &mark), Some((of, tags)));
    }

    #[test]
    fn labels_are_never_too_long() {
        let long = "a-name-that-the-user-chose-and-that-is-as-long-as-names-may-be64";
        assert_eq!(long.len(), 64);
        assert!(label(long).len() <= LABEL && label(long) != label(&long[1..]));
        assert_eq!(label("prod"), "prod");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in "\\PC{0,700}") {
            prop_assert_eq!(unquoted(&quoted(text.as_bytes())), text.as_bytes());
        }

        #[test]
        fn no_text_is_too_much(text in "[\"\\\\0-9a ]{0,40}") {
            unquoted(&text);
        }
    }
}
