//! From the spec's text to what is declared: the glue between loader, blueprint and declarations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::{Exit, Failure};
use crate::address::Address;
use crate::blueprint::{self, Document};
use crate::desired::Desired;
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::kind::StackId;
use crate::kinds;
use crate::nearest::nearest;
use crate::report::diagnostics;
use crate::report::summary::Outputs;
use crate::spec::{self, Disk, KindWords, Language, Rejected, Request, Sources, Spec};
use crate::value::{Known, Value, parse_text};

/// The name of the environment when none is chosen.
const DEFAULT_ENV: &str = "default";

/// A stack as its spec declares it.
pub(super) struct Stack {
    /// What is declared.
    pub(super) desired: Desired,
    /// Who needs whom.
    pub(super) graph: Graph,
    /// Where it answers.
    pub(super) urls: Urls,
    /// How long after its creation it may be destroyed.
    pub(super) ttl: Option<Duration>,
    /// What is worth a look; told on stderr already.
    pub(super) warnings: Vec<Diagnostic>,
    /// The texts.
    pub(super) sources: Box<Sources>,
}

/// Names to texts that mention outputs: `url` → `http://${load-balancer.main.dns}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Urls(pub(super) BTreeMap<String, String>);

impl Urls {
    /// The outputs of the stack that are known: where it answers first, then where its images go.
    pub(super) fn outputs(&self, known: &Known) -> Outputs {
        let url = |(name, text): (&String, &String)| match parse_text(text).ok()?.resolve(known) {
            Value::Text(url) => Some((name.clone(), url)),
            _ => None,
        };
        let of_repositories = known
            .iter()
            .filter(|(output, _)| output.of.kind == "repository" && output.name == "uri");
        let repositories =
            of_repositories.map(|(output, uri)| (format!("repo.{}", output.of.name), uri.clone()));
        self.0.iter().filter_map(url).chain(repositories).collect()
    }
}

/// The language that this version speaks.
pub(super) fn language() -> Language {
    let words = |kind: &'static crate::kind::Registered| {
        let outputs =
            kind.outputs().fields().into_iter().flatten().map(|it| it.0.clone()).collect();
        (kind.name(), KindWords { shape: kind.shape(), outputs })
    };
    Language {
        root: crate::kind::Shape::of::<Document>(),
        shorthands: blueprint::shorthands(),
        formats: blueprint::formats(),
        later: blueprint::later(),
        variants: &[("health", &["path", "command"])],
        references: blueprint::references(),
        kinds: kinds::all().iter().map(words).collect(),
    }
}

/// What the options say about the spec.
fn request(cx: &Context) -> Request {
    let options = &cx.options;
    Request {
        file: options.file.clone(),
        env: options.env.clone(),
        vars: options.var.iter().cloned().collect(),
        set: options.set.clone(),
        environment: cx.environment.clone(),
        region: options.region.clone().or_else(|| region_of(&cx.environment)),
        git_sha: git_sha(&options.file),
    }
}

/// Reads of the spec that the options name which stack it is, and whether it is protected.
pub(super) fn identify(cx: &Context) -> Result<Spec, Failure> {
    let spec = spec::identify(&request(cx), &language(), &Disk).map_err(rejected)?;
    require_region(cx, &spec)?;
    Ok(spec)
}

/// Fails if the command line means another region than the spec: a stack lives where its spec says, and
/// whoever names a region must not get another.
fn require_region(cx: &Context, spec: &Spec) -> Result<(), Failure> {
    match &cx.options.region {
        Some(region) if *region != spec.id.region => {
            let said = &spec.id.region;
            let title = format!("`--region {region}`, but the spec says `region = \"{said}\"`");
            let hint = format!("leave `--region` out, or add `--set region={region}`");
            Err(Failure::told(Exit::Usage, Diagnostic::error("E0306", title).hint(hint)))
        }
        _ => Ok(()),
    }
}

/// Reads the spec that the options name, and expands it. Warnings go to stderr.
pub(super) fn load(cx: &mut Context) -> Result<Stack, Failure> {
    let spec = spec::load(&request(cx), &language(), &Disk).map_err(rejected)?;
    require_region(cx, &spec)?;
    let stack = expand(spec)?;
    if !stack.warnings.is_empty() {
        let text = diagnostics::render(&stack.warnings, &stack.sources, cx.err_look);
        cx.say(text.trim_end())?;
    }
    Ok(stack)
}

impl Stack {
    /// Fails unless everything that is to be taken over is declared.
    pub(super) fn require_declared(&self, addresses: &[Address]) -> Result<(), Failure> {
        let unknown = addresses.iter().find(|at| !self.desired.resources.contains_key(at));
        let Some(unknown) = unknown else { return Ok(()) };
        let title = format!("no resource `{unknown}` in this stack");
        let known: Vec<String> = self.desired.resources.keys().map(ToString::to_string).collect();
        let near = nearest(&unknown.to_string(), known.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `--adopt {near}`?"),
            None => "see `ecsctl graph` for all addresses".to_owned(),
        };
        Err(Failure::told(Exit::Usage, Diagnostic::error("E0203", title).hint(hint)))
    }
}

fn rejected(rejected: Rejected) -> Failure {
    Failure::Wrong(rejected.diagnostics, Box::new(rejected.sources))
}

fn expand(spec: Spec) -> Result<Stack, Failure> {
    let sources = Box::new(spec.sources);
    let document: Document = match serde_json::from_value(spec.document) {
        Ok(document) => document,
        Err(error) => {
            let title = format!("the sections cannot be read: {error}");
            return Err(Failure::Wrong(vec![Diagnostic::error("E0201", title)], sources));
        }
    };
    let options = blueprint::Options { protected: spec.protect, expires: spec.ttl.is_some() };
    let mut desired =
        Desired { tags: spec.tags, protect: spec.protect, ..Desired::nothing(spec.id) };
    let expanded = blueprint::expand(&document, options);
    let found = expanded.and_then(|declarations| desired.assemble(&declarations));
    let (graph, found) = match found {
        Ok(graph) => graph,
        Err(found) => return Err(Failure::Wrong(found, sources)),
    };
    let urls = Urls(blueprint::urls(&document));
    let warnings = spec.warnings.into_iter().chain(found).collect();
    Ok(Stack { desired, graph, urls, ttl: spec.ttl, warnings, sources })
}

/// The stack that `--stack` names, of which nothing is known but its name. Its region is empty when
/// only the profile can say it.
pub(super) fn named(cx: &Context, stack: &str) -> Result<StackId, Failure> {
    let env = cx.options.env.as_deref().unwrap_or(DEFAULT_ENV);
    // Both become parts of paths.
    for name in [stack, env] {
        spec::legal_name(name).map_err(|title| {
            let hint = "use lower-case letters, digits and dashes";
            Failure::told(Exit::Usage, Diagnostic::error("E0113", title).hint(hint))
        })?;
    }
    let region = cx.options.region.clone().or_else(|| region_of(&cx.environment));
    let region = region.unwrap_or_default();
    Ok(StackId { stack: stack.to_owned(), env: env.to_owned(), region })
}

fn region_of(environment: &BTreeMap<String, String>) -> Option<String> {
    let set = |name| environment.get(name).filter(|region| !region.is_empty()).cloned();
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}

/// The commit that the spec's folder stands at, read from `.git` itself: nothing is run for it.
pub(super) fn git_sha(file: &std::path::Path) -> Option<String> {
    let folder = std::path::absolute(file).ok()?;
    let git = folder.ancestors().map(|at| at.join(".git")).find(|git| git.is_dir())?;
    let head = fs_err::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().to_owned()) };
    if let Ok(sha) = fs_err::read_to_string(git.join(name)) {
        return Some(sha.trim().to_owned());
    }
    let packed = fs_err::read_to_string(git.join("packed-refs")).ok()?;
    let line = packed.lines().find(|line| line.ends_with(&format!(" {name}")))?;
    Some(line.split(' ').next()?.to_owned())
}
