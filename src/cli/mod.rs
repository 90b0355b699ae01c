//! The command line: what can be said, and who does it. One file a command.
//!
//! Nothing is set up before it is needed: `--version` touches no AWS crate.

use std::process::ExitCode;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::context::Context;
pub use self::exit::Exit;
use self::failure::Failure;
use self::options::Options;

mod apply;
mod carry;
mod check;
mod complaint;
mod completions;
mod context;
mod demo;
mod destroy;
mod ecr;
mod exit;
mod explain;
mod failure;
mod follow;
mod git;
mod graph;
mod import;
mod init;
mod lock;
mod locked;
mod man;
mod onward;
mod options;
mod plan;
mod policy;
mod render;
mod run;
mod saved;
mod schema;
mod signals;
mod stack;
mod state;
mod status;
mod version;
mod world;

/// Declarative deployments for Amazon ECS: a spec goes in, live AWS is compared with it, the plan is
/// shown, apply makes it true.
#[derive(Debug, Parser)]
#[command(name = "ecsctl", bin_name = "ecsctl", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole story on a simulated account, in under a minute
    Demo(demo::Arguments),
    /// Writes a first spec
    Init(init::Arguments),
    /// Makes a spec of a task definition, a service, a compose or a Dockerrun file
    Import(import::Arguments),
    /// Checks the spec; needs no network
    Check,
    /// Prints all that the spec declares, as [aws.KIND.NAME]; needs no network
    Render(render::Arguments),
    /// Compares the spec with what there is, and shows what apply would do
    Plan(plan::Arguments),
    /// Makes true what the spec declares
    Apply(apply::Arguments),
    /// Removes everything that belongs to the stack
    Destroy(destroy::Arguments),
    /// Runs a task of the stack once, and ends as its container does
    Run(run::Arguments),
    /// Prints what people must be allowed who work with the stack, for IAM
    Policy(policy::Arguments),
    /// Lets a paused rollout go on, or takes it back
    Continue(onward::Arguments),
    /// Shows how the stack is
    Status(status::Arguments),
    /// Draws who needs whom; needs no network
    Graph(graph::Arguments),
    /// Opens the account's image registry to docker
    Ecr(ecr::Arguments),
    /// Prints the JSON Schema of specs, for editors
    Schema,
    /// Explains an error, or a key of the language
    Explain(explain::Arguments),
    /// Looks after what is kept between runs
    State(state::Arguments),
    /// Shows who holds the lock of the stack
    Lock(lock::Arguments),
    /// Prints a completion script for a shell
    Completions(completions::Arguments),
    /// Prints the manual page
    Man,
    /// Prints the version
    Version,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let Cli { options, command } = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that cannot be written was not wanted.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let mut cx = Context::of_process(options);
    let exit = match log(&cx).and_then(|()| run(&mut cx, command)) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(&mut cx),
    };
    exit.into()
}

/// Commands that few of the shared options mean anything to, and which do.
const SIMPLE: [(&str, &[&str]); 9] = [
    ("completions", &[]),
    ("demo", &["color", "verbose", "log"]),
    ("ecr", &["profile", "region", "color", "log"]),
    ("explain", &[]),
    ("import", &["profile", "region", "color", "log"]),
    ("init", &["file", "color"]),
    ("man", &[]),
    ("schema", &[]),
    ("version", &["format"]),
];

/// Reads the command line. Shared options that do nothing for a command are not shown in its help.
fn parse() -> Result<Cli, clap::Error> {
    let mut definition = definition();
    // Only now the commands have the shared options, too.
    definition.build();
    for (command, meant) in SIMPLE {
        definition = definition.mut_subcommand(command, |command| hide(command, meant));
    }
    let matches = definition.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
}

/// Hides the shared options that are not `meant`, in the command and those below it.
fn hide(command: clap::Command, meant: &[&str]) -> clap::Command {
    let shared = Options::augment_args(clap::Command::new(""));
    let is_idle = |arg: &clap::Arg| {
        let id = arg.get_id();
        shared.get_arguments().any(|one| one.get_id() == id) && !meant.contains(&id.as_str())
    };
    let command = command.mut_args(|arg| if is_idle(&arg) { arg.hide(true) } else { arg });
    command.mut_subcommands(|inner| hide(inner, meant))
}

fn run(cx: &mut Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Demo(arguments) => demo::run(cx, &arguments),
        Command::Init(arguments) => init::run(cx, &arguments),
        Command::Import(arguments) => import::run(cx, &arguments),
        Command::Check => check::run(cx),
        Command::Render(arguments) => render::run(cx, &arguments),
        Command::Plan(arguments) => plan::run(cx, &arguments),
        Command::Apply(arguments) => apply::run(cx, &arguments),
        Command::Destroy(arguments) => destroy::run(cx, &arguments),
        Command::Run(arguments) => run::run(cx, &arguments),
        Command::Policy(arguments) => policy::run(cx, &arguments),
        Command::Continue(arguments) => onward::run(cx, &arguments),
        Command::Status(arguments) => status::run(cx, &arguments),
        Command::Graph(arguments) => graph::run(cx, &arguments),
        Command::Ecr(arguments) => ecr::run(cx, &arguments),
        Command::Schema => schema::run(cx),
        Command::Explain(arguments) => explain::run(cx, &arguments),
        Command::State(arguments) => state::run(cx, &arguments),
        Command::Lock(arguments) => lock::run(cx, &arguments),
        Command::Completions(arguments) => completions::run(cx, &arguments),
        Command::Man => man::run(cx),
        Command::Version => version::run(cx),
    }
}

/// The command line as clap sees it, for completions and the manual.
fn definition() -> clap::Command {
    Cli::command()
}

/// Starts the log on stderr, if one is wanted.
fn log(cx: &Context) -> Result<(), Failure> {
    let by_option = cx.options.log.as_ref().map(|filter| ("--log", filter));
    let by_variable = || Some(("ECSCTL_LOG", cx.environment.get("ECSCTL_LOG")?));
    let Some((said, filter)) = by_option.or_else(by_variable) else { return Ok(()) };
    let levels = "write error, warn, info, debug, trace, or a filter such as ecsctl=debug";
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|_| Failure::Usage(format!("{said} is `{filter}`: {levels}")))?;
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    // A second log in one process is no reason to stop.
    drop(log.try_init());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::definition().debug_assert();
    }
}
