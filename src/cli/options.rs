//! The options that all commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// The spec when none is named.
pub(super) const DEFAULT_FILE: &str = "ecsctl.toml";
/// Where lock, journals and caches are kept when nobody says it.
const DEFAULT_STATE: &str = "state";

/// Which world is meant. (Doc comments on the words would give each help a second, long form.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum World {
    // AWS.
    Aws,
    // A simulated account, kept in the state folder; nothing touches the network.
    Sim,
}

/// The form of what goes to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    // For people.
    #[default]
    Human,
    // For programs; see docs/formats.md.
    Json,
    // For comments on change requests; plans only.
    Markdown,
}

/// When colours are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColourChoice {
    // On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    // Always.
    Always,
    // Never.
    Never,
}

/// The options that all commands share.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shared options")]
pub(super) struct Options {
    /// The spec
    #[arg(short, long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(super) file: PathBuf,
    /// The environment: a table `[env.NAME]` of the spec
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// The value of a variable of the spec; may be repeated
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) var: Vec<(String, String)>,
    /// Overrides a key of the spec; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key)]
    pub(super) set: Vec<(String, String)>,
    /// What is written: human, json, or for plans markdown
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub(super) format: Format,
    /// aws, or sim: a simulated account [default: ECSCTL_CLOUD, or aws]
    #[arg(long, global = true, value_enum, hide_possible_values = true)]
    pub(super) cloud: Option<World>,
    /// Where lock, journals and caches are kept
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_STATE)]
    pub(super) state: PathBuf,
    /// The same for several machines: s3://BUCKET/PREFIX [default: ECSCTL_STORE]
    #[arg(long, global = true, value_name = "PLACE", value_parser = shared)]
    pub(super) store: Option<String>,
    /// The profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// The region, where the spec names none
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) region: Option<String>,
    /// When to write colours: auto, always or never
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub(super) color: ColourChoice,
    /// Tells everything in full length
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Logs calls to stderr: error to trace, or a filter [default: ECSCTL_LOG]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(super) log: Option<String>,
}

impl Options {
    /// What another command needs to be about the same stack in the same account, as a shell reads it.
    pub(super) fn again(&self) -> Vec<String> {
        let path = |path: &PathBuf, usual: &str| {
            let text = path.display().to_string();
            (text != usual).then_some(text)
        };
        let pair = |(key, value): &(String, String)| format!("{key}={value}");
        let world = self.cloud.map(|world| match world {
            World::Aws => "aws".to_owned(),
            World::Sim => "sim".to_owned(),
        });
        let single = [
            ("--file", path(&self.file, DEFAULT_FILE)),
            ("--env", self.env.clone()),
            ("--cloud", world),
            ("--state", path(&self.state, DEFAULT_STATE)),
            ("--store", self.store.clone()),
            ("--profile", self.profile.clone()),
            ("--region", self.region.clone()),
        ];
        let single = single.into_iter().filter_map(|(option, value)| Some((option, value?)));
        let variables = self.var.iter().map(|one| ("--var", pair(one)));
        let keys = self.set.iter().map(|one| ("--set", pair(one)));
        let all = single.chain(variables).chain(keys);
        all.flat_map(|(option, value)| [option.to_owned(), quoted(&value)]).collect()
    }
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn shared(text: &str) -> Result<String, String> {
    crate::spec::place(text).map(|_| text.to_owned())
}

/// Reads `90s`, `5m` or `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::spec::duration(text).ok_or_else(|| "write for example 90s, 5m or 1h".to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    pair(text, "NAME=VALUE")
}

pub(super) fn key(text: &str) -> Result<(String, String), String> {
    pair(text, "KEY=VALUE")
}

fn pair(text: &str, form: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("write {form}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn another_command_is_about_the_same() {
        let again = |line: &[&str]| {
            let line = ["x"].into_iter().chain(line.iter().copied());
            <Line as clap::Parser>::parse_from(line).options.again().join(" ")
        };
        assert_eq!(again(&["--format", "json", "-v"]), "");
        let line = ["-f", "a b.toml", "--env", "prod", "--var", "tag=it's", "--cloud", "sim"];
        insta::assert_snapshot!(again(&line), @r"--file 'a b.toml' --env prod --cloud sim --var 'tag=it'\''s'");
    }

    #[test]
    fn pairs_have_a_name() {
        assert_eq!(key("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert_eq!(key("a.b"), Err("write KEY=VALUE".to_owned()));
        assert_eq!(variable("=x"), Err("write NAME=VALUE".to_owned()));
    }
}
