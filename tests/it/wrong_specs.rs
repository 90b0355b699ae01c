//! Wrong specs and their exact diagnostics, of text, sections and declarations:
//! tests/specs/wrong/NAME.toml against tests/specs/snapshots/NAME.snap. Files of an include lie in tests/specs/wrong/NAME/; options stand in
//! a first line `#! -e prod --var tag=1 --set service.web.count=2`; `--kinds all` for the real kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ecsctl::kind::Shape;
use ecsctl::report::diagnostics::{render, to_json};
use ecsctl::report::{Colour, Look};
use ecsctl::spec::{KindWords, Language, Rejected, Request, load};
use ecsctl::{blueprint, desired};
use proptest::prelude::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs/wrong");

/// Two kinds of the tests' own: the words of an error about text must not change when a kind is added.
static KINDS: LazyLock<[(&str, Shape); 2]> = LazyLock::new(|| {
    let of = |properties: serde_json::Value| {
        let schema = serde_json::json!({ "type": "object", "properties": properties });
        Shape::from_schema(&schema)
    };
    [
        (
            "log-group",
            of(serde_json::json!({
                "name": { "type": "string" },
                "retention-in-days": { "type": "integer", "minimum": 0 },
            })),
        ),
        ("vpc", of(serde_json::json!({ "cidr": { "type": "string" } }))),
    ]
});

fn language(text: &str) -> Language {
    let real = blueprint::language();
    if text.lines().next().is_some_and(|line| line.contains("--kinds all")) {
        return real;
    }
    let outputs = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let kinds = KINDS
        .iter()
        .map(|(name, shape)| (*name, KindWords { shape, outputs: outputs(&["id", "arn"]) }));
    Language { kinds: kinds.collect(), ..real }
}

fn request(name: &str, text: &str) -> Request {
    let options = text.lines().next().and_then(|line| line.strip_prefix("#! "));
    let mut request = Request { file: PathBuf::from(format!("{name}.toml")), ..Request::default() };
    let mut words = options.unwrap_or_default().split_whitespace();
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        let (key, text) = value.split_once('=').unwrap_or((value, ""));
        match option {
            "-e" => request.env = Some(value.to_owned()),
            "--var" => drop(request.vars.insert(key.to_owned(), text.to_owned())),
            "--kinds" => {}
            "--set" => request.set.push((key.to_owned(), text.to_owned())),
            other => panic!("{name}: what is {other}?"),
        }
    }
    request
}

fn rejected(name: &str, files: &BTreeMap<PathBuf, String>) -> Rejected {
    let text = &files[Path::new(&format!("{name}.toml"))];
    desired::of(load(&request(name, text), &language(text), files)).map(|_| ()).expect_err(name)
}

/// Every file under the folder, by its path in it.
fn files() -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![PathBuf::from(FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(FOLDER).expect("below the folder").to_owned();
                all.insert(name, std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    all
}

/// The specs themselves: the files directly in the folder, without overlays such as `x.prod.toml`.
fn names(files: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let direct = files.keys().filter(|path| path.components().count() == 1);
    let names = direct.filter_map(|path| path.to_str()?.strip_suffix(".toml"));
    names.filter(|name| !name.contains('.')).map(str::to_owned).collect()
}

#[test]
fn every_wrong_spec_has_its_exact_diagnostic() {
    let files = files();
    let names = names(&files);
    assert!(names.len() >= 40, "only {} wrong specs", names.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../specs/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            let rejected = rejected(&name, &files);
            let text = render(&rejected.diagnostics, &rejected.sources, Look::PLAIN);
            insta::assert_snapshot!(name, text);
        }
    });
}

#[test]
fn every_diagnostic_of_text_has_a_code_with_a_page_and_a_hint_or_a_label() {
    let files = files();
    let mut codes = BTreeSet::new();
    for name in names(&files) {
        let found = rejected(&name, &files).diagnostics;
        for one in found.into_iter().filter(|one| one.code.starts_with("E01")) {
            let said = one.hint.is_some() || one.labels.iter().any(|label| !label.text.is_empty());
            assert!(said, "{name}: {one:?} does not say what to do");
            codes.insert(one.code);
        }
    }
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
    for code in &codes {
        assert!(pages.join(format!("{code}.md")).is_file(), "{code} has no page");
    }
    let pages = std::fs::read_dir(pages).unwrap().map(|entry| entry.unwrap().file_name());
    let text_pages = pages.filter(|name| name.to_str().is_some_and(|name| name.starts_with("E01")));
    assert_eq!(
        text_pages.count(),
        codes.len(),
        "an E01 page without a wrong spec; seen: {codes:?}"
    );
}

#[test]
fn diagnostics_are_json_too() {
    let rejected = rejected("unknown-key", &files());
    let json = to_json(&rejected.diagnostics, &rejected.sources);
    insta::assert_snapshot!(format!("{json:#}"), @r#"
    [
      {
        "code": "E0107",
        "hint": "did you mean `container`?",
        "labels": [
          {
            "bytes": [
              109,
              118
            ],
            "column": 20,
            "file": "unknown-key.toml",
            "line": 8,
            "text": "did you mean `container`?"
          }
        ],
        "severity": "error",
        "title": "unknown key `contanier` in service `scorekeep`"
      }
    ]
    "#);
}

#[test]
fn colours_and_width_are_the_terminals() {
    let rejected = rejected("unknown-key", &files());
    let coloured = render(
        &rejected.diagnostics,
        &rejected.sources,
        Look { colour: Colour::On, width: 60, ..Look::PLAIN },
    );
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let plain = render(&rejected.diagnostics, &rejected.sources, Look::PLAIN);
    assert!(!plain.contains('\u{1b}'));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The examples, each with a line broken, and each line broken in three ways.
fn broken() -> Vec<String> {
    let names = ["hello-world.toml", "hello-world-ecr/ecsctl.toml", "scorekeep/ecsctl.toml"];
    const MORE: [&str; 7] = [
        "mqtt/ecsctl.toml",
        "shop/ecsctl.toml",
        "autoscaling/ecsctl.toml",
        "private/ecsctl.toml",
        "existing-network/ecsctl.toml",
        "tagged-network/ecsctl.toml",
        "discovery/ecsctl.toml",
    ];
    let mut all = Vec::new();
    for name in names.iter().chain(&MORE) {
        let text = std::fs::read_to_string(folder().join(name)).expect("an example");
        for (number, line) in text.lines().enumerate() {
            let ways = match (line.strip_prefix('['), line.split_once('=')) {
                (Some(header), _) => {
                    vec![format!("[x{header}"), format!("[{}", header.to_uppercase())]
                }
                (None, Some((key, value))) => vec![
                    format!("x{line}"),
                    format!("{key} = {{ x = {{ y = 1 }} }}"),
                    format!("{key} = [[{}]]", value.split('#').next().unwrap_or_default()),
                    line.replace("${", "${x"),
                ],
                (None, None) => continue,
            };
            for way in ways {
                let lines = text.lines().enumerate();
                let lines = lines.map(|(at, old)| if at == number { &way } else { old });
                all.push(lines.map(|line| format!("{line}\n")).collect());
            }
        }
    }
    all
}

/// Where there was nothing wrong, an error in the text is followed by none that only comes of it.
#[test]
fn what_cannot_be_read_has_no_consequences() {
    let language = blueprint::language();
    let file = PathBuf::from("ecsctl.toml");
    let mut told = 0;
    for text in broken() {
        let envs = ["dev", "prod"].into_iter().filter(|env| text.contains(&format!("[env.{env}]")));
        for env in envs.map(Some).chain([None]) {
            // Without a value of the variable, images are not known either.
            let tag = (env.is_none() && text.contains("${var.tag}")).then_some(("tag", "v1"));
            let request = Request {
                file: file.clone(),
                env: env.map(str::to_owned),
                vars: tag.into_iter().map(|(tag, v1)| (tag.to_owned(), v1.to_owned())).collect(),
                region: Some("eu-west-1".to_owned()),
                ..Request::default()
            };
            let mut files = BTreeMap::from([(file.clone(), text.clone())]);
            let tasks = folder().join("scorekeep/tasks.toml");
            let tasks = std::fs::read_to_string(tasks).expect("an example");
            files.insert(PathBuf::from("tasks.toml"), tasks);
            let Err(rejected) = desired::of(load(&request, &language, &files)) else { continue };
            let of_text = |code: &str| code.starts_with("E01");
            let codes: Vec<&str> = rejected.diagnostics.iter().map(|one| one.code).collect();
            if codes.iter().any(|code| of_text(code)) {
                let shown = render(&rejected.diagnostics, &rejected.sources, Look::PLAIN);
                assert!(codes.into_iter().all(of_text), "{text}\n{shown}");
                told += 1;
            }
        }
    }
    assert!(told > 300, "only {told} specs were wrong");
}

/// Wrong specs with a piece cut out and another put in.
fn mutilated() -> impl Strategy<Value = (String, String)> {
    let files = files();
    let text = |name: String| (name.clone(), files[Path::new(&format!("{name}.toml"))].clone());
    let all: Vec<(String, String)> = names(&files).into_iter().map(text).collect();
    const PIECES: [&str; 8] = ["", "\"", "[", "= {", "${", "é\n\t'''", "service.web.", "\u{7f}"];
    let (spec, piece) = (prop::sample::select(all), prop::sample::select(&PIECES[..]));
    let parts = (spec, piece, any::<prop::sample::Index>(), 0usize..40);
    parts.prop_map(|((name, text), piece, at, length)| {
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        (name, format!("{}{piece}{}", &text[..start], &text[end..]))
    })
}

proptest! {
    /// Nothing is too wrong to be told, and nothing that is found is left untold.
    #[test]
    fn every_mutilated_spec_is_loaded_or_told((name, text) in mutilated()) {
        let file = PathBuf::from(format!("{name}.toml"));
        let request = Request { file: file.clone(), ..Request::default() };
        let loaded = load(&request, &language(&text), &BTreeMap::from([(file, text)]));
        let (diagnostics, sources) = match desired::of(loaded) {
            Ok(whole) => (whole.warnings, whole.sources),
            Err(rejected) => (rejected.diagnostics, rejected.sources),
        };
        let text = render(&diagnostics, &sources, Look { width: 40, ..Look::PLAIN });
        let told = diagnostics.iter().all(|one| text.contains(&format!("[{}]", one.code)));
        prop_assert!(told, "{}", text);
        let json = to_json(&diagnostics, &sources);
        prop_assert_eq!(json.as_array().map(Vec::len), Some(diagnostics.len()));
    }
}
