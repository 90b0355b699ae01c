//! The loader against a small language of its own: sections of every form that a language can have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde_json::{Value as Json, json};

use super::rules::{Format, Later, Reference, Shorthand};
use super::*;
use crate::address::Path;
use crate::diag::Place;
use crate::kind::Shape;
use crate::report::Look;
use crate::report::diagnostics::render;

mod any_text;
mod overlay;

/// The sections.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
#[schemars(rename_all = "kebab-case")]
struct Root {
    network: Option<Network>,
    #[serde(default)]
    repo: BTreeMap<String, Repo>,
    #[serde(default)]
    service: BTreeMap<String, Service>,
    #[serde(default)]
    aws: BTreeMap<String, BTreeMap<String, Json>>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Network {
    cidr: Option<String>,
    mode: Option<Mode>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
#[schemars(rename_all = "kebab-case")]
enum Mode {
    Public,
    Private,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Repo {
    keep: Option<u32>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Service {
    image: String,
    port: Option<u16>,
    share: Option<f64>,
    public: Option<bool>,
    #[schemars(extend("x-format" = "seconds"))]
    grace: Option<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    from: BTreeSet<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    health: Option<Health>,
    #[serde(default)]
    container: BTreeMap<String, Container>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
#[schemars(extend("x-shorthand" = "health"))]
struct Health {
    path: Option<String>,
    command: Option<String>,
    interval: Option<u32>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Container {
    image: String,
    port: Option<u16>,
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| Language {
    root: Shape::of::<Root>(),
    shorthands: &[Shorthand {
        name: "health",
        example: "\"/ok\"",
        parse: |scalar| match scalar.as_str() {
            Some(path) if path.starts_with('/') => Ok(json!({ "path": path })),
            Some(command) => Ok(json!({ "command": command })),
            None => Err("write a path or a command".to_owned()),
        },
    }],
    formats: &[Format {
        name: "seconds",
        example: "\"30s\"",
        check: |text| match text.strip_suffix('s').and_then(|n| n.parse::<u32>().ok()) {
            Some(_) => Ok(()),
            None => Err(format!("`{text}` is not a time")),
        },
    }],
    later: &[Later { path: "service.*.domain", what: "domains" }],
    variants: &[("health", &["path", "command"])],
    references: &[
        Reference {
            section: "repo",
            kind: "repository",
            prefix: "",
            outputs: &[("uri", "uri")],
            default: "uri",
            later: &[],
        },
        Reference {
            section: "network",
            kind: "vpc",
            prefix: "",
            outputs: &[("id", "id")],
            default: "id",
            later: &[],
        },
    ],
    kinds: BTreeMap::from([("vpc", VPC.clone()), ("repository", REPOSITORY.clone())]),
});

static ANY: Shape = Shape::Any;
static VPC_SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    Shape::from_schema(&json!({ "type": "object", "properties": { "cidr": { "type": "string" } } }))
});
static VPC: LazyLock<KindWords> =
    LazyLock::new(|| KindWords { shape: &VPC_SHAPE, outputs: ["id".to_owned()].into() });
static REPOSITORY: LazyLock<KindWords> =
    LazyLock::new(|| KindWords { shape: &ANY, outputs: ["arn".to_owned()].into() });

const HEAD: &str = "ecsctl = 1\nstack = \"shop\"\nregion = \"eu-west-1\"\n";

fn files(texts: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
    let with_head = |(name, text): &(&str, &str)| {
        let head = if *name == "ecsctl.toml" { HEAD } else { "" };
        (PathBuf::from(name), format!("{head}{text}"))
    };
    texts.iter().map(with_head).collect()
}

fn request() -> Request {
    Request { file: "ecsctl.toml".into(), ..Request::default() }
}

fn in_env(env: &str) -> Request {
    Request { env: Some(env.to_owned()), ..request() }
}

#[track_caller]
fn loaded(request: &Request, texts: &[(&str, &str)]) -> Spec {
    load(request, &LANGUAGE, &files(texts)).unwrap_or_else(|rejected| {
        panic!("{}", render(&rejected.diagnostics, &rejected.sources, Look::PLAIN))
    })
}

#[track_caller]
fn refused(request: &Request, texts: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let rejected = load(request, &LANGUAGE, &files(texts)).map(|_| ()).unwrap_err();
    rejected.diagnostics.into_iter().map(|one| (one.code, one.title)).collect()
}

#[test]
fn a_spec_is_a_stack_and_its_sections() {
    let text = "ttl = \"8h\"\nprotect = true\ntags = { team = \"games\", floor = 3 }\n\
        [service.web]\nimage = \"httpd\"\nport = \"80\"\nhealth = \"/ok\"\ncommand = [\"a\", 5]\n";
    let spec = loaded(&request(), &[("ecsctl.toml", text)]);
    assert_eq!(spec.id.prefix(), "shop-default");
    assert_eq!(spec.id.region, "eu-west-1");
    assert_eq!((spec.ttl, spec.protect), (Some(Duration::from_secs(8 * 3600)), true));
    assert_eq!(spec.tags["floor"], "3");
    // Canonical: a number in quotes is a number, a number as text is text, a shorthand is a table.
    let web =
        json!({ "image": "httpd", "port": 80, "health": { "path": "/ok" }, "command": ["a", "5"] });
    assert_eq!(spec.document, json!({ "service": { "web": web } }));
}

#[test]
fn layers_lie_over_each_other_in_order() {
    let text = "[defaults.service]\nport = 1\ngrace = \"1s\"\nenv = { A = \"defaults\", B = \"defaults\" }\n\
        [service.web]\nimage = \"base\"\nenv = { B = \"base\", C = \"base\", D = \"base\" }\n\
        [env.dev.service.web]\nenv = { C = \"env\", D = \"env\" }\nport = 2\n\
        [env.prod.service.web]\nport = 9\n";
    let beside = "service.web.env.D = \"file\"\nservice.web.env.E = \"file\"\n";
    let mut request = in_env("dev");
    request.set = vec![("service.web.env.E".into(), "set it".into())];
    request.set.push(("service.web.share".into(), "0.5".into()));
    let spec = loaded(&request, &[("ecsctl.toml", text), ("ecsctl.dev.toml", beside)]);
    let web = &spec.document["service"]["web"];
    let env = json!({ "A": "defaults", "B": "base", "C": "env", "D": "file", "E": "set it" });
    assert_eq!(web["env"], env);
    assert_eq!((&web["port"], &web["share"]), (&json!(2), &json!(0.5)));
    let origin = |key: &str| {
        let path = Path::of(["service", "web"].into_iter().chain(key.split('.')));
        spec.sources.origin(&path).map(|origin| origin.to_string()).unwrap_or_default()
    };
    assert_eq!(origin("grace"), "ecsctl.toml:6 (defaults.service)");
    assert_eq!(origin("image"), "ecsctl.toml:9");
    assert_eq!(origin("env.C"), "ecsctl.toml:12 (env dev)");
    assert_eq!(origin("env.D"), "ecsctl.dev.toml:1");
    assert_eq!(origin("env.E"), "--set");
    assert_eq!(origin("public"), "");
}

#[test]
fn an_environment_file_is_enough_for_an_environment() {
    let files = [("ecsctl.toml", ""), ("ecsctl.qa.toml", "network.mode = \"public\"")];
    let spec = loaded(&in_env("qa"), &files);
    assert_eq!(spec.document["network"]["mode"], "public");
    assert_eq!(loaded(&in_env("default"), &files).id.env, "default");
}

#[test]
fn an_overlay_removes_what_it_unsets() {
    let text = "[defaults.service]\nport = 1\n[service.web]\nimage = \"a\"\nenv = { A = \"1\", B = \"2\" }\n\
        [service.worker]\nimage = \"b\"\n[env.dev]\nunset = [\"service.worker\", \"service.web.env\"]\n\
        service.web.env.C = \"3\"\n";
    let spec = loaded(&in_env("dev"), &[("ecsctl.toml", text)]);
    let web = json!({ "image": "a", "port": 1, "env": { "C": "3" } });
    assert_eq!(spec.document, json!({ "service": { "web": web } }));
}

#[test]
fn a_different_variant_replaces_and_the_same_one_merges() {
    let base =
        "[service.web]\nimage = \"a\"\nhealth = { path = \"/ok\", interval = 5 }\n[env.dev]\n";
    let health = |overlay: &str| {
        let text = format!("{base}service.web.health = {overlay}\n");
        loaded(&in_env("dev"), &[("ecsctl.toml", &text)]).document["service"]["web"]["health"]
            .clone()
    };
    assert_eq!(health("\"/other\""), json!({ "path": "/other", "interval": 5 }));
    assert_eq!(health("\"curl x\""), json!({ "command": "curl x" }));
    assert_eq!(health("{ interval = 9 }"), json!({ "path": "/ok", "interval": 9 }));
}

#[test]
fn included_files_flow_together() {
    let spec = loaded(
        &request(),
        &[
            ("ecsctl.toml", "include = [\"*.toml\", \"services/*.toml\"]\n[repo.a]\n"),
            ("more.toml", "include = [\"services/api.toml\"]\n[repo.b]\n"),
            (
                "services/api.toml",
                "in = \"service.api\"\nimage = \"api\"\n[container.side]\nimage = \"s\"\n",
            ),
            ("ecsctl.dev.toml", "[repo.not-this]\n"),
        ],
    );
    let api = json!({ "image": "api", "container": { "side": { "image": "s" } } });
    assert_eq!(spec.document, json!({ "repo": { "a": {}, "b": {} }, "service": { "api": api } }));
    let place = Place::Value(Path::of(["service", "api", "image"]));
    let located = spec.sources.locate(&place).unwrap();
    assert_eq!((located.file, &located.text[located.range]), ("services/api.toml", "\"api\""));
}

#[test]
fn variables_have_types_and_sources() {
    let text = "[vars]\ntag = { type = \"string\" }\ncount = 2\nshare = { type = \"number\", from-env = \"SHARE\" }\n\
        on = { default = \"true\", type = \"bool\" }\nname = \"a${b\"\nunused = 1\n\
        [service.web]\nimage = \"x:${var.tag}-${var.count}\"\nport = \"${var.count}\"\n\
        share = \"${var.share}\"\npublic = \"${var.on}\"\nenv = { N = \"${var.name}\", C = \"${var.count}\" }\n\
        [env.dev.vars]\ncount = 3\n";
    let mut request = in_env("dev");
    request.vars.insert("tag".into(), "1.10".into());
    request.environment.insert("SHARE".into(), "0.25".into());
    let spec = loaded(&request, &[("ecsctl.toml", text)]);
    let web = json!({
        "image": "x:1.10-3", "port": 3, "share": 0.25, "public": true,
        "env": { "N": "a$${b", "C": "3" },
    });
    assert_eq!(spec.document["service"]["web"], web);
    let warnings: Vec<_> = spec.warnings.iter().map(|one| one.title.as_str()).collect();
    assert_eq!(warnings, ["the variable `unused` is never used"]);
}

#[test]
fn texts_are_filled_in_and_names_lowered() {
    let text = "vars = { tag = \"V1\", none = \"\" }\n[repo.web]\n[aws.repository.hand]\n[service.web]\n\
        image = \"${repo.web}:${lower(var.tag)}\"\n[service.web.env]\n\
        A = \"${aws.region}/${stack.name}/${env.name}\"\nB = \"$${HOME} ${repo.web.uri}\"\n\
        C = \"${join('-', stack.name, repo.web, var.tag)}\"\nD = \"${default(var.none, 'x')}\"\n\
        E = \"${default(git.sha, 'dev')}\"\nF = \"${network}${vpc.main}${vpc.other.id}\"\n\
        G = \"${repo.hand.arn}\"\n";
    let spec = loaded(&in_env("default"), &[("ecsctl.toml", text)]);
    let web = &spec.document["service"]["web"];
    assert_eq!(web["image"], "${repository.web.uri}:v1");
    let env = json!({
        "A": "${aws.region}/shop/default",
        "B": "$${HOME} ${repository.web.uri}",
        "C": "shop-${repository.web.uri}-V1",
        "D": "x",
        "E": "dev",
        "F": "${vpc.main.id}${vpc.main.id}${vpc.other.id}",
        "G": "${repository.hand.arn}",
    });
    assert_eq!(web["env"], env);
    let request = Request { git_sha: Some("91be2c1".into()), ..request() };
    let spec = loaded(&request, &[("ecsctl.toml", text)]);
    assert_eq!(spec.document["service"]["web"]["env"]["E"], "91be2c1");
}

#[test]
fn an_environment_is_known_and_has_a_name() {
    let files = [("ecsctl.toml", "[env.dev]\n"), ("x.toml", "")];
    let there_is_none = ("E0114", "there is no environment `prod`".to_owned());
    assert_eq!(refused(&in_env("prod"), &files), [there_is_none]);
    let no_name = ("E0113", "`dev/../x` is not a name".to_owned());
    assert_eq!(refused(&in_env("dev/../x"), &files), [no_name]);
}

#[test]
fn defaults_are_held_against_the_form_of_their_entries() {
    let text = "[defaults.service]\ndomain = \"x\"\nprot = 1\n[service.web]\nimage = \"a\"\n";
    let refused = refused(&request(), &[("ecsctl.toml", text)]);
    let later = ("E0120", "`domain` is not there yet".to_owned());
    let unknown = ("E0107", "unknown key `prot` in `[defaults.service]`".to_owned());
    assert_eq!(refused, [later, unknown]);
}

#[test]
fn the_region_may_come_from_outside() {
    let mut files = BTreeMap::new();
    files.insert(PathBuf::from("ecsctl.toml"), "ecsctl = 1\nstack = \"a\"\n".to_owned());
    let outside = Request { region: Some("us-east-1".into()), ..request() };
    assert_eq!(load(&outside, &LANGUAGE, &files).unwrap().id.region, "us-east-1");
    let rejected = load(&request(), &LANGUAGE, &files).map(|_| ()).unwrap_err();
    assert_eq!(rejected.diagnostics[0].title, "the spec lacks `region`");
}

#[test]
fn a_spec_that_is_not_there_is_named() {
    let rejected = load(&request(), &LANGUAGE, &BTreeMap::new()).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(render(&rejected.diagnostics, &rejected.sources, Look::PLAIN), @"
    error[E0104]: `ecsctl.toml` cannot be read: there is no such file
      hint: name the spec with -f FILE, or begin one with `ecsctl init`
    ");
}

#[test]
fn what_is_not_written_is_found_at_what_is_around_it() {
    let spec =
        loaded(&request(), &[("ecsctl.toml", "[service.web]\nimage = \"a\"\nhealth = \"/ok\"\n")]);
    let at = |steps: &[&str]| {
        let place = Place::Value(Path::of(steps.iter().copied()));
        let located = spec.sources.locate(&place)?;
        Some(located.text[located.range].to_owned())
    };
    assert_eq!(at(&["service", "web", "port"]).as_deref(), Some("web"));
    assert_eq!(at(&["service", "web", "health", "path"]).as_deref(), Some("\"/ok\""));
    assert_eq!(at(&["service", "web"]).as_deref(), Some("web"));
    assert_eq!(at(&["network", "cidr"]), None);
}

#[test]
fn variables_of_other_environments_are_known_there() {
    let text = "[service.web]\nimage = \"a\"\n[env.prod]\nvars.x = \"1\"\nservice.web.env.A = \"${var.x}\"\n\
        service.web.port = \"${var.x}\"\nservice.web.grace = \"${var.x}s\"\n";
    loaded(&request(), &[("ecsctl.toml", text)]);
    let text = text.replace("[env.prod]", "[env.prod]\nservice.web.env.B = \"${var.y}\"");
    let refused = refused(&request(), &[("ecsctl.toml", &text)]);
    assert_eq!(refused, [("E0115", "there is no variable `y`".to_owned())]);
}

#[test]
fn two_hundred_services_load_in_no_time() {
    let mut text = String::from("[vars]\ntag = \"1\"\n[repo.app]\n[defaults.service]\nport = 80\n");
    for index in 0..200 {
        text += &format!(
            "[service.s{index}]\nimage = \"${{repo.app}}:${{var.tag}}\"\nhealth = \"/ok\"\n\
             env = {{ A = \"1\", B = \"2\", REGION = \"${{aws.region}}\" }}\n\
             [service.s{index}.container.side]\nimage = \"side\"\n"
        );
    }
    let begun = std::time::Instant::now();
    let spec = loaded(&request(), &[("ecsctl.toml", &text)]);
    let took = begun.elapsed();
    assert_eq!(spec.document["service"].as_object().map(serde_json::Map::len), Some(200));
    // Some 10 ms unoptimised; the bound only tells a slip in the order of growth.
    assert!(took < Duration::from_secs(1), "{took:?}");
}
