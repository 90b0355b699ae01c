//! `ecsctl init`: a first spec, that plans as it stands.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Args;

use super::context::Context;
use super::options::DEFAULT_FILE;
use super::{Exit, Failure};
use crate::diag::Diagnostic;
use crate::import::legalised;
use crate::spec;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The name of the stack
    #[arg(default_value = "hello-world")]
    pub(super) stack: String,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    spec::legal_name(&arguments.stack).map_err(|title| {
        let hint = format!("write `ecsctl init {}`", proposed(&arguments.stack));
        Failure::told(Exit::Usage, Diagnostic::error("E0113", title).hint(hint))
    })?;
    let file = cx.options.file.clone();
    if file.exists() {
        let why = format!("`{}` exists already", file.display());
        let hint = "name another file with `--file`".to_owned();
        return Err(Failure::Refused(why, hint));
    }
    let region = cx.options.region.as_deref().unwrap_or("us-east-1");
    write_new(&file, &text(&arguments.stack, region))
        .map_err(|error| Failure::unwritable(&file, &error))?;
    let named = match file == Path::new(DEFAULT_FILE) {
        true => String::new(),
        false => format!(" -f {}", file.display()),
    };
    cx.say(&format!(
        "wrote {}; now `ecsctl plan{named}` shows what it stands for",
        file.display()
    ))?;
    Ok(Exit::Done)
}

/// Writes a new file, all of it or none. Readable by whoever reads the repository, unlike what lies in
/// the state folder.
pub(super) fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut new = fs_err::OpenOptions::new().write(true).create_new(true).open(file)?;
    new.write_all(text.as_bytes()).inspect_err(|_| {
        // The first error is the one to tell.
        drop(fs_err::remove_file(file));
    })
}

/// A name that is legal, as near as can be.
fn proposed(name: &str) -> String {
    legalised(name).unwrap_or_else(|| "hello-world".to_owned())
}

/// The spec. `httpd` answers on port 80 by itself, so it works before anything is built.
fn text(stack: &str, region: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legal_name_is_proposed() {
        for (wrong, right) in
            [("Bad_Name", "bad-name"), ("--x--", "x"), ("Über", "ber"), ("_", "hello-world")]
        {
            assert_eq!(proposed(wrong), right);
            assert_eq!(spec::legal_name(right), Ok(()));
        }
        assert_eq!(spec::legal_name(&proposed(&"long_".repeat(30))), Ok(()));
    }
}
