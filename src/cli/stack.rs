//! From the spec's text to what is declared: the glue between loader, blueprint and declarations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::git;
use super::{Exit, Failure};
use crate::address::Address;
use crate::blueprint::{self, Declaration, Launch};
use crate::desired::{self, Desired, Whole};
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::kind::StackId;
use crate::nearest::nearest;
use crate::report::diagnostics;
use crate::report::summary::Outputs;
use crate::spec::{self, Disk, Rejected, Request, Sources, Spec, State};
use crate::value::{Known, Value, parse_text};

/// The name of the environment when none is chosen.
const DEFAULT_ENV: &str = "default";

/// A stack as its spec declares it.
pub(super) struct Stack {
    /// What is declared.
    pub(super) desired: Desired,
    /// Who needs whom.
    pub(super) graph: Graph,
    /// The declarations as they were made, by address: they know which keys they come from.
    pub(super) drafts: BTreeMap<Address, Declaration>,
    /// Where it answers.
    pub(super) urls: Urls,
    /// How its tasks are started by hand.
    pub(super) launches: BTreeMap<String, Launch>,
    /// How long after the apply that brings it the stack may be destroyed.
    pub(super) ttl: Option<Duration>,
    /// Where locks and journals lie.
    pub(super) state: State,
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
        let repositories = known.of_kind("repository", "uri");
        let repositories =
            repositories.map(|(of, uri)| (format!("repo.{}", of.name), uri.to_owned()));
        self.0.iter().filter_map(url).chain(repositories).collect()
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
        git_sha: git::commit(&options.file),
    }
}

/// Reads of the spec that the options name which stack it is, and whether it is protected.
pub(super) fn identify(cx: &Context) -> Result<Spec, Failure> {
    let spec = spec::identify(&request(cx), &blueprint::language(), &Disk).map_err(rejected)?;
    require_region(cx, &spec.id)?;
    Ok(spec)
}

/// Fails if the command line means another region than the spec: a stack lives where its spec says, and
/// whoever names a region must not get another.
fn require_region(cx: &Context, stack: &StackId) -> Result<(), Failure> {
    match &cx.options.region {
        Some(region) if *region != stack.region => {
            let said = &stack.region;
            let title = format!("`--region {region}`, but the spec says `region = \"{said}\"`");
            let hint = format!("leave `--region` out, or add `--set region={region}`");
            Err(Failure::told(Exit::Usage, Diagnostic::error("E0306", title).hint(hint)))
        }
        _ => Ok(()),
    }
}

/// Reads the spec that the options name, and expands it. Warnings go to stderr.
pub(super) fn load(cx: &mut Context) -> Result<Stack, Failure> {
    let loaded = spec::load(&request(cx), &blueprint::language(), &Disk);
    let stack = Stack::from(desired::of(loaded).map_err(rejected)?);
    require_region(cx, &stack.desired.stack)?;
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

impl From<Whole> for Stack {
    fn from(whole: Whole) -> Self {
        let Whole { desired, graph, drafts, urls, launches, ttl, state, warnings, sources } = whole;
        let drafts = drafts.into_iter().map(|draft| (draft.address.clone(), draft)).collect();
        let (urls, sources) = (Urls(urls), Box::new(sources));
        Self { desired, graph, drafts, urls, launches, ttl, state, warnings, sources }
    }
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

/// The region that the environment names.
pub(super) fn region_of(environment: &BTreeMap<String, String>) -> Option<String> {
    let set = |name| environment.get(name).filter(|region| !region.is_empty()).cloned();
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}
