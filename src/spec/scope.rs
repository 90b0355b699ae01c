//! What the names in `${…}` mean: variables and the environment now, resources later. Lowers names of
//! sections (`${repo.api}`) to names of kinds (`${repository.api.uri}`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value as Json;

use super::Language;
use super::names::Names;
use super::rules::Reference;
use super::text::{Expression, Piece, Say, parse};
use crate::nearest::nearest;

/// The name of what the blueprint makes without being asked: `[network]`'s VPC, the load balancer.
const MAIN: &str = "main";
/// What is known of the surroundings, besides `zone-1`, `zone-2` …
const FACTS: [&str; 3] = ["region", "account", "partition"];

/// What is wrong with a text, and where in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mistake {
    pub(crate) code: &'static str,
    pub(crate) range: Range<usize>,
    pub(crate) title: String,
    pub(crate) label: String,
    pub(crate) hint: Option<String>,
}

impl Mistake {
    fn new(code: &'static str, range: &Range<usize>, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { code, range: range.clone(), title, label: String::new(), hint: None }
    }

    fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What may be named.
pub(crate) struct Scope<'a> {
    pub(crate) language: &'a Language,
    pub(crate) vars: &'a BTreeMap<String, Json>,
    /// Variables that are known by name only: their texts stay as they are.
    pub(crate) unset: &'a BTreeSet<String>,
    pub(crate) names: Names,
    pub(crate) stack: &'a str,
    pub(crate) env: &'a str,
    pub(crate) git_sha: Option<&'a str>,
}

/// A part of what a text means.
enum Part {
    /// As it was written, `$${` still escaped.
    Written(String),
    /// Known now.
    Known(Json),
    /// Known later: the name of an output of a kind.
    Later(String),
}

impl Part {
    /// The part as text that may be read as a text once more.
    fn text(&self) -> String {
        match self {
            Self::Written(text) => text.clone(),
            Self::Known(value) => plain(value).replace("${", "$${"),
            Self::Later(name) => format!("${{{name}}}"),
        }
    }
}

impl Scope<'_> {
    /// What a text means: itself, with everything filled in that is known; or everything that is
    /// wrong with it. A text that is one variable and nothing else has the variable's type. Says
    /// which variables it mentions.
    pub(crate) fn fill(
        &self,
        text: &str,
        used: &mut BTreeSet<String>,
    ) -> Result<Json, Vec<Mistake>> {
        let pieces = parse(text).map_err(|fault| {
            vec![Mistake::new("E0118", &fault.range, fault.title).hint(fault.hint)]
        })?;
        let (mut parts, mut mistakes) = (Vec::new(), Vec::new());
        for piece in &pieces {
            match piece {
                Piece::Literal(literal) => parts.push(Part::Written(literal.clone())),
                Piece::Expression(expression) => match self.mean(expression, used) {
                    Ok(meant) => parts.extend(meant),
                    Err(mistake) => mistakes.push(mistake),
                },
            }
        }
        match (mistakes.is_empty(), parts.as_slice()) {
            (false, _) => Err(mistakes),
            (true, [Part::Known(value)]) if !value.is_string() => Ok(value.clone()),
            (true, parts) => Ok(parts.iter().map(Part::text).collect::<String>().into()),
        }
    }

    fn mean(
        &self,
        expression: &Expression,
        used: &mut BTreeSet<String>,
    ) -> Result<Vec<Part>, Mistake> {
        match &expression.form {
            Say::Quoted(text) => Ok(vec![Part::Known(text.as_str().into())]),
            Say::Name(steps) => self.name(steps, &expression.range, used).map(|part| vec![part]),
            Say::Call(function, arguments) => {
                self.call(function, arguments, &expression.range, used)
            }
        }
    }

    fn call(
        &self,
        function: &str,
        arguments: &[Expression],
        range: &Range<usize>,
        used: &mut BTreeSet<String>,
    ) -> Result<Vec<Part>, Mistake> {
        let arity = |form: &str| {
            let title = format!("`{function}` does not take {} arguments", arguments.len());
            Mistake::new("E0118", range, title).hint(format!("write `{form}`"))
        };
        match (function, arguments) {
            ("lower", [text]) => {
                let text = self.known(function, text, used)?;
                Ok(vec![Part::Known(text.to_lowercase().into())])
            }
            ("default", [text, otherwise]) => {
                let text = self.known(function, text, used)?;
                match text.is_empty() {
                    true => self.mean(otherwise, used),
                    false => Ok(vec![Part::Known(text.into())]),
                }
            }
            ("join", [separator, items @ ..]) if !items.is_empty() => {
                let separator = self.known(function, separator, used)?;
                self.join(&separator, items, used)
            }
            ("lower", _) => Err(arity("${lower(text)}")),
            ("default", _) => Err(arity("${default(text, 'otherwise')}")),
            ("join", _) => Err(arity("${join('-', first, second)}")),
            _ => {
                let title = format!("there is no function `{function}`");
                Err(Mistake::new("E0118", range, title).hint("use `default`, `lower` or `join`"))
            }
        }
    }

    fn join(
        &self,
        separator: &str,
        items: &[Expression],
        used: &mut BTreeSet<String>,
    ) -> Result<Vec<Part>, Mistake> {
        let mut parts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                parts.push(Part::Known(separator.into()));
            }
            parts.extend(self.mean(item, used)?);
        }
        Ok(parts)
    }

    /// The text of an argument that must be known now.
    fn known(
        &self,
        function: &str,
        argument: &Expression,
        used: &mut BTreeSet<String>,
    ) -> Result<String, Mistake> {
        // What git says is known to be unknown outside a repository: `default` is made for that.
        if let (Say::Name(steps), "default", None) = (&argument.form, function, self.git_sha)
            && steps.iter().map(|(step, _)| step.as_str()).eq(["git", "sha"])
        {
            return Ok(String::new());
        }
        let mut text = String::new();
        for part in self.mean(argument, used)? {
            match part {
                Part::Written(written) => text.push_str(&written),
                Part::Known(value) => text.push_str(&plain(&value)),
                Part::Later(name) => {
                    let title = format!("`{function}` cannot take `{name}`: it is known later");
                    let hint = "name variables, `env.name` or `git.sha` here";
                    return Err(Mistake::new("E0118", &argument.range, title).hint(hint));
                }
            }
        }
        Ok(text)
    }

    fn name(
        &self,
        steps: &[(String, Range<usize>)],
        range: &Range<usize>,
        used: &mut BTreeSet<String>,
    ) -> Result<Part, Mistake> {
        let words: Vec<&str> = steps.iter().map(|(step, _)| step.as_str()).collect();
        let known = |text: &str| Ok(Part::Known(text.into()));
        match words.as_slice() {
            ["var", name] => {
                used.insert((*name).to_owned());
                self.variable(name, &steps[1].1)
            }
            ["env", "name"] => known(self.env),
            ["stack", "name"] => known(self.stack),
            ["git", "sha"] => self.git_sha.map_or_else(
                || {
                    let error = Mistake::new("E0116", range, "`git.sha` is not known here");
                    Err(error
                        .hint("run inside a git repository, or write `${default(git.sha, 'dev')}`"))
                },
                known,
            ),
            ["aws", fact] => fact_of(fact, &steps[1].1),
            [one @ ("var" | "env" | "stack" | "git" | "aws"), ..] => {
                let title = format!("`{}` is nothing that can be named", words.join("."));
                let form = match *one {
                    "var" => "${var.NAME}",
                    "env" => "${env.name}",
                    "stack" => "${stack.name}",
                    "git" => "${git.sha}",
                    _ => "${aws.region}",
                };
                Err(Mistake::new("E0119", range, title).hint(format!("write `{form}`")))
            }
            _ => self.resource(&words, steps, range),
        }
    }

    fn variable(&self, name: &str, range: &Range<usize>) -> Result<Part, Mistake> {
        if let Some(value) = self.vars.get(name) {
            return Ok(Part::Known(value.clone()));
        }
        if self.unset.contains(name) {
            return Ok(Part::Later(format!("var.{name}")));
        }
        let all = self.vars.keys().chain(self.unset).map(String::as_str);
        let error = Mistake::new("E0115", range, format!("there is no variable `{name}`"));
        Err(match nearest(name, all) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => {
                error.hint(format!("declare it: `[vars]` with `{name} = {{ default = \"…\" }}`"))
            }
        })
    }

    fn resource(
        &self,
        words: &[&str],
        steps: &[(String, Range<usize>)],
        range: &Range<usize>,
    ) -> Result<Part, Mistake> {
        let first = words[0];
        if let Some(reference) = self.language.references.iter().find(|r| r.section == first) {
            return self.entry(reference, words, steps, range);
        }
        let Some(kind) = self.language.kinds.get(first) else {
            let sections = self.language.references.iter().map(|reference| reference.section);
            let kinds = self.language.kinds.keys().copied();
            let others = ["var", "env", "stack", "git", "aws"];
            let near = nearest(first, sections.chain(kinds).chain(others));
            let title = format!("`{first}` is nothing that can be named");
            let error = Mistake::new("E0119", &steps[0].1, title);
            return Err(match near {
                Some(near) => error.label(format!("did you mean `{near}`?")),
                None => error.hint(
                    "write for example `${var.tag}`, `${repo.api}` or `$${` for a plain `${`",
                ),
            });
        };
        // Whether it is there is only known when the sections have been expanded.
        match words {
            [_, _] => Ok(Part::Later(format!("{}.id", words.join(".")))),
            [_, _, output] if kind.outputs.contains(*output) => Ok(Part::Later(words.join("."))),
            [_, _, output] => {
                let outputs: Vec<&str> = kind.outputs.iter().map(String::as_str).collect();
                Err(no_output(first, output, &outputs, &steps[2].1))
            }
            _ => Err(misshapen(words, range)),
        }
    }

    fn entry(
        &self,
        reference: &Reference,
        words: &[&str],
        steps: &[(String, Range<usize>)],
        range: &Range<usize>,
    ) -> Result<Part, Mistake> {
        let single = self.language.is_single(reference.section);
        let (name, output) = match words {
            [_] if single => (MAIN, None),
            [_, output] if single => (MAIN, Some((*output, &steps[1].1))),
            [_, name] => (*name, None),
            [_, name, output] => (*name, Some((*output, &steps[2].1))),
            _ => return Err(misshapen(words, range)),
        };
        let (section, kind) = (reference.section, reference.kind);
        if name != MAIN && !self.names.has(reference, name) {
            let title = format!("there is no {section} `{name}`");
            let error = Mistake::new("E0119", &steps[1].1, title);
            return Err(match nearest(name, self.names.of(reference)) {
                Some(near) => error.label(format!("did you mean `{near}`?")),
                None => error.hint(format!("add `[{section}.{name}]`")),
            });
        }
        let (written, span) = output.unwrap_or((reference.default, range));
        if let Some((_, what)) = reference.later.iter().find(|(output, _)| *output == written) {
            let title = format!("`{}` is not there yet", words.join("."));
            let hint = format!("leave it out: {what} will come in a later version");
            return Err(Mistake::new("E0120", span, title).hint(hint));
        }
        let name = format!("{}{name}", reference.prefix);
        let means = reference.outputs.iter().find(|(as_written, _)| *as_written == written);
        let own = self.language.kinds.get(kind).filter(|kind| kind.outputs.contains(written));
        match (means, own) {
            (Some((_, output)), _) => Ok(Part::Later(format!("{kind}.{name}.{output}"))),
            (None, Some(_)) => Ok(Part::Later(format!("{kind}.{name}.{written}"))),
            (None, None) => {
                let outputs: Vec<&str> = reference.outputs.iter().map(|(name, _)| *name).collect();
                Err(no_output(section, written, &outputs, span))
            }
        }
    }
}

fn fact_of(fact: &str, range: &Range<usize>) -> Result<Part, Mistake> {
    let zone = fact.strip_prefix("zone-").is_some_and(|number| number.parse::<u8>().is_ok());
    if zone || FACTS.contains(&fact) {
        return Ok(Part::Later(format!("aws.{fact}")));
    }
    Err(no_output("aws", fact, &["region", "account", "partition", "zone-1"], range))
}

fn no_output(of: &str, output: &str, outputs: &[&str], range: &Range<usize>) -> Mistake {
    let error = Mistake::new("E0121", range, format!("`{of}` has no output `{output}`"));
    let error = match nearest(output, outputs.iter().copied()) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    };
    let all: Vec<String> = outputs.iter().map(|output| format!("`{output}`")).collect();
    error.hint(format!("use one of {}", all.join(", ")))
}

fn misshapen(words: &[&str], range: &Range<usize>) -> Mistake {
    let title = format!("`${{{}}}` is not a reference", words.join("."));
    let first = words[0];
    Mistake::new("E0118", range, title)
        .hint(format!("write `${{{first}.NAME}}` or `${{{first}.NAME.OUTPUT}}`"))
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
