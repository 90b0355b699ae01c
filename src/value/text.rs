//! Text that mentions outputs, as it is written: `http://${load-balancer.main.dns}/`.

use std::fmt::Write as _;

use super::{Known, Part, Value};
use crate::address::{Address, Output, SURROUNDINGS};

/// A `${…}` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// `${` without `}`.
    #[error("`${{` without a closing `}}`")]
    Unclosed,
    /// Not `kind.name.output` and not `aws.fact`.
    #[error("`${{{0}}}` is not a reference such as `${{vpc.main.id}}`")]
    Shape(String),
}

/// Reads text that may mention outputs. `$${` stands for a literal `${`. A reference without an
/// output's name (`${vpc.main}`) means the output `id`.
pub fn parse_text(text: &str) -> Result<Value, BadReference> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            literal.push_str(&rest[..at - 1]);
            literal.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        literal.push_str(&rest[..at]);
        let end = rest[at..].find('}').ok_or(BadReference::Unclosed)? + at;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Output(parse_output(&rest[at + 2..end])?));
        rest = &rest[end + 1..];
    }
    literal.push_str(rest);
    if parts.is_empty() {
        return Ok(Value::Text(literal));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(Value::Pending(parts))
}

fn parse_output(text: &str) -> Result<Output, BadReference> {
    let steps: Vec<&str> = text.trim().split('.').collect();
    match steps.as_slice() {
        [SURROUNDINGS, fact] => Ok(Output::surroundings(fact)),
        [kind, name] => Ok(Output::new(Address::new(*kind, *name), "id")),
        [kind, name, output] => Ok(Output::new(Address::new(*kind, *name), *output)),
        _ => Err(BadReference::Shape(text.to_owned())),
    }
}

pub(super) fn unparse(parts: &[Part]) -> String {
    parts.iter().fold(String::new(), |mut text, part| {
        match part {
            Part::Literal(literal) => text.push_str(&literal.replace("${", "$${")),
            Part::Output(output) => {
                write!(text, "${{{output}}}").expect("writing to a string succeeds");
            }
        }
        text
    })
}

/// The text, as far as the outputs are known.
pub(super) fn resolve(parts: &[Part], known: &Known) -> Value {
    let literal = |part: &Part| match part {
        Part::Literal(literal) => Some(literal.clone()),
        Part::Output(output) => known.get(output).map(str::to_owned),
    };
    match parts.iter().map(literal).collect() {
        Some(text) => Value::Text(text),
        None => {
            let parts = parts.iter().map(|part| literal(part).map_or(part.clone(), Part::Literal));
            Value::Pending(parts.collect())
        }
    }
}

/// What may follow an identifier: an image begins with its repository, a policy's resource with a log
/// group's ARN and `:*` behind it.
const SEPARATORS: [u8; 3] = *b":/@";

/// The text, and its beginnings up to each separator: every identifier that it may mention.
pub fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes().iter().enumerate();
    let cuts = bytes.filter(|(_, byte)| SEPARATORS.contains(byte)).map(|(at, _)| &text[..at]);
    cuts.chain([text])
}

/// Whether `id` is among the [`beginnings`] of `text`.
pub fn mentions(text: &str, id: &str) -> bool {
    let rest = text.as_bytes().strip_prefix(id.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| SEPARATORS.contains(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(pairs: &[(&str, &str)]) -> Known {
        let mut known = Known::new();
        for (output, text) in pairs {
            known.insert(parse_output(output).unwrap(), (*text).to_owned());
        }
        known
    }

    #[test]
    fn text_without_references_is_text() {
        assert_eq!(parse_text("plain $ {x}").unwrap(), Value::Text("plain $ {x}".into()));
        assert_eq!(parse_text("$${HOME}/bin").unwrap(), Value::Text("${HOME}/bin".into()));
    }

    #[test]
    fn references_resolve_part_by_part() {
        let text = parse_text("http://${load-balancer.main.dns}:${aws.region}/").unwrap();
        let half = text.resolve(&known(&[("aws.region", "eu-west-1")]));
        assert_eq!(half.to_source(), "http://${load-balancer.main.dns}:eu-west-1/");
        let whole = half.resolve(&known(&[("load-balancer.main.dns", "lb.test")]));
        assert_eq!(whole, Value::Text("http://lb.test:eu-west-1/".into()));
    }

    #[test]
    fn a_reference_without_an_output_means_the_id() {
        let Value::Pending(parts) = parse_text("${vpc.main}").unwrap() else { panic!("pending") };
        assert_eq!(parts, [Part::Output(Output::new(Address::new("vpc", "main"), "id"))]);
    }

    #[test]
    fn broken_references_are_refused() {
        assert_eq!(parse_text("${vpc.main"), Err(BadReference::Unclosed));
        assert_eq!(parse_text("${x}"), Err(BadReference::Shape("x".into())));
    }

    proptest! {
        #[test]
        fn an_id_is_mentioned_that_is_a_beginning(text in "[ab:/@]{0,6}", id in "[ab:/@]{0,4}") {
            prop_assert_eq!(mentions(&text, &id), beginnings(&text).any(|part| part == id));
        }

        #[test]
        fn reading_text_never_panics(text in "\\PC{0,40}") {
            let _ = parse_text(&text);
        }
    }
}
