//! `ecsctl init`: a first spec, that plans as it stands.

use std::io::Write as _;

use clap::Args;

use super::context::Context;
use super::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The name of the stack
    #[arg(default_value = "hello-world")]
    pub(super) stack: String,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let file = cx.options.file.clone();
    if file.exists() {
        let why = format!("`{}` exists already", file.display());
        let hint = "name another file with `--file`".to_owned();
        return Err(Failure::Refused(why, hint));
    }
    let region = cx.options.region.as_deref().unwrap_or("us-east-1");
    // Readable by whoever reads the repository, unlike what lies in the state folder.
    let mut new = fs_err::OpenOptions::new().write(true).create_new(true).open(&file)?;
    new.write_all(spec(&arguments.stack, region).as_bytes())?;
    cx.say(&format!("wrote {}; now `ecsctl plan` shows what it stands for", file.display()))?;
    Ok(Exit::Done)
}

/// The spec. `httpd` answers on port 80 by itself, so it works before anything is built.
pub(super) fn spec(stack: &str, region: &str) -> String {
    format!(
        "\
ecsctl = 1                # the version of this language
stack  = \"{stack}\"
region = \"{region}\"

[service.web]             # a Fargate service behind a load balancer, in a network of its own
image = \"httpd:2.4\"       # any image that the tasks can pull
port  = 80                # the port that the container listens on
"
    )
}
