//! The options that all commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// The spec when none is named.
pub(super) const DEFAULT_FILE: &str = "ecsctl.toml";

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
    #[arg(long, global = true, value_name = "DIR", default_value = "state")]
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

    #[test]
    fn pairs_have_a_name() {
        assert_eq!(key("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert_eq!(key("a.b"), Err("write KEY=VALUE".to_owned()));
        assert_eq!(variable("=x"), Err("write NAME=VALUE".to_owned()));
    }
}
