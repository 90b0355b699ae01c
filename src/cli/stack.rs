//! From the spec's text to what is declared: the glue between loader, blueprint and declarations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Failure;
use super::context::Context;
use crate::address::Address;
use crate::blueprint::{self, Declaration};
use crate::desired::{self, Desired, Whole};
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::kind::StackId;
use crate::report::diagnostics;
use crate::report::summary::Outputs;
use crate::spec::{self, Disk, Rejected, Request, Sources};
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
        let repositories = known.of_kind("repository", "uri");
        let repositories =
            repositories.map(|(of, uri)| (format!("repo.{}", of.name), uri.to_owned()));
        self.0.iter().filter_map(url).chain(repositories).collect()
    }
}

/// Reads the spec that the options name, and expands it. Warnings go to stderr.
pub(super) fn load(cx: &mut Context) -> Result<Stack, Failure> {
    let options = &cx.options;
    let request = Request {
        file: options.file.clone(),
        env: options.env.clone(),
        vars: options.var.iter().cloned().collect(),
        set: options.set.clone(),
        environment: cx.environment.clone(),
        region: options.region.clone().or_else(|| region_of(&cx.environment)),
        git_sha: git_sha(&options.file),
    };
    let loaded = spec::load(&request, &blueprint::language(), &Disk);
    let stack = Stack::from(desired::of(loaded).map_err(rejected)?);
    if !stack.warnings.is_empty() {
        let text = diagnostics::render(&stack.warnings, &stack.sources, cx.err_look);
        cx.say(text.trim_end())?;
    }
    Ok(stack)
}

fn rejected(rejected: Rejected) -> Failure {
    Failure::Wrong(rejected.diagnostics, Box::new(rejected.sources))
}

impl From<Whole> for Stack {
    fn from(whole: Whole) -> Self {
        let Whole { desired, graph, drafts, urls, ttl, warnings, sources } = whole;
        let drafts = drafts.into_iter().map(|draft| (draft.address.clone(), draft)).collect();
        let (urls, sources) = (Urls(urls), Box::new(sources));
        Self { desired, graph, drafts, urls, ttl, warnings, sources }
    }
}

/// The stack that `--stack` names, of which nothing is known but its name.
pub(super) fn named(cx: &Context, stack: &str) -> Result<StackId, Failure> {
    let region = cx.options.region.clone().or_else(|| region_of(&cx.environment));
    let region =
        region.ok_or_else(|| Failure::Usage("`--stack` needs `--region` too".to_owned()))?;
    let env = cx.options.env.clone().unwrap_or_else(|| DEFAULT_ENV.to_owned());
    Ok(StackId { stack: stack.to_owned(), env, region })
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
