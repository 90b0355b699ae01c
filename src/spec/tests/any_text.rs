//! Whatever a text says, it is read or refused, and diagnostics point inside it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;

use super::{HEAD, LANGUAGE, files, in_env, request};
use crate::diag::Place;
use crate::report::Look;
use crate::report::diagnostics::render;
use crate::spec::{Request, load};

/// Bits of specs, right and wrong, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let bits = prop_oneof![
        Just("[service.web]\n"),
        Just("[service.a.container.b]\n"),
        Just("[[service]]\n"),
        Just("[env.dev]\n"),
        Just("[env.dev.service.web]\n"),
        Just("[vars]\n"),
        Just("[defaults.service]\n"),
        Just("image = \"${repo.web}:${var.tag}\"\n"),
        Just("tag = \"é\"\n"),
        Just("port = 99999\n"),
        Just("health = { path = \"/\" }\n"),
        Just("[service.web.health]\n"),
        Just("health.command = \"é\"\n"),
        Just("include = [\"*.toml\"]\n"),
        Just("in = \"a.b\"\n"),
        Just("unset = [\"a\", \"service.web\"]\n"),
        Just("domain = \"x\"\n"),
        Just("env = { A = '${\"é\"}', \"é\" = 1 }\n"),
        Just("[aws.vpc.main]\ncidr = 1\n"),
        Just("[aws]\nx = 1\n"),
        Just("\"\" = 1\n"),
        Just("a.b.c = nan\n"),
        Just("x = \"\\u00e9${é}\"\n"),
        Just("service = 1\n"),
        Just("vars = 5\n"),
        Just("env = []\n"),
        Just("tags = { \"aws:x\" = 1 }\n"),
        Just("=\n"),
        Just("]\n"),
        Just("x = '''\n${a.b.c.d}'''\n"),
        Just("ttl = \"é\"\n"),
        Just("command = [[1]]\n"),
        Just("\u{feff}"),
    ];
    prop::collection::vec(bits, 0..12).prop_map(|bits| bits.concat())
}

fn never_panics(text: &str, raw: bool) -> Result<(), TestCaseError> {
    let text = if raw { text.to_owned() } else { format!("{HEAD}{text}") };
    let files = BTreeMap::from([
        (PathBuf::from("ecsctl.toml"), text.clone()),
        (PathBuf::from("other.toml"), text),
    ]);
    let request = Request { set: vec![("service.web.port".into(), "x".into())], ..in_env("dev") };
    let (diagnostics, sources) = match load(&request, &LANGUAGE, &files) {
        Ok(spec) => (spec.warnings, spec.sources),
        Err(rejected) => {
            prop_assert!(!rejected.diagnostics.is_empty());
            (rejected.diagnostics, rejected.sources)
        }
    };
    for label in diagnostics.iter().flat_map(|one| &one.labels) {
        if let Place::Span(span) = &label.place {
            let text = sources.text(&span.file).unwrap();
            prop_assert!(text.get(span.start..span.end).is_some(), "{span:?}");
        }
    }
    render(&diagnostics, &sources, Look::PLAIN);
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        never_panics(&text, true)?;
    }

    #[test]
    fn any_fragments_are_read_or_refused(text in fragments()) {
        never_panics(&text, false)?;
    }
}

#[test]
fn depth_is_bounded() {
    for text in ["a.".repeat(50_000) + "a = 1", format!("[{}a]", "a.".repeat(50_000))] {
        never_panics(&text, true).unwrap();
    }
    never_panics(&format!("a = {}", "[".repeat(50_000)), true).unwrap();
    let bush = format!("{}1{}", format!("{{{}a = ", "a.".repeat(70)).repeat(9), "}".repeat(9));
    never_panics(&format!("a = {bush}"), true).unwrap();
    never_panics(&format!("a = \"${{{}\"", "lower(".repeat(50_000) + "}"), false).unwrap();
    let set = Request { set: vec![("a.".repeat(50_000) + "a", "1".into())], ..request() };
    assert!(load(&set, &LANGUAGE, &files(&[("ecsctl.toml", "")])).is_err());
    let place = format!("in = \"{}a\"\n", "a.".repeat(50_000));
    assert!(
        load(
            &request(),
            &LANGUAGE,
            &files(&[("ecsctl.toml", "include = [\"b.toml\"]"), ("b.toml", &place)])
        )
        .is_err()
    );
}
