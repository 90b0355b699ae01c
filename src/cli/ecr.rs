//! `ecsctl ecr`: the way into the account's image registry, for docker.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize as _;
use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::import::require_aws;
use super::stack::region_of;
use super::world::{block_on, connect};
use super::{Exit, Failure};
use crate::cloud::aws::{Cache, Login};
use crate::diag::{Diagnostic, reason};
use crate::report::words;
use crate::store::write_atomic;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints a password that docker takes for 12 hours; its user is AWS
    Login(LoginArguments),
    /// Prints the registry's address
    Registry,
}

#[derive(Debug, Args)]
struct LoginArguments {
    /// Writes it into docker's configuration, and prints nothing
    #[arg(long)]
    write: bool,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("ecr")?;
    require_aws(cx, "ecr")?;
    let region = cx.options.region.clone().or_else(|| region_of(&cx.environment));
    let login = block_on(async {
        let aws = connect(cx, &region.unwrap_or_default(), Cache::in_memory()).await?;
        Ok(aws.login().await?)
    })?;
    match &arguments.command {
        Command::Registry => cx.print(&format!("{}\n", login.registry))?,
        Command::Login(LoginArguments { write: true }) => write(cx, &login)?,
        Command::Login(LoginArguments { write: false }) => {
            let password = login.password().ok_or_else(|| {
                crate::kind::Error::incomplete("a password in the token of the registry")
            })?;
            cx.print(&format!("{password}\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// Writes the login into docker's configuration, where all else stays.
fn write(cx: &mut Context, login: &Login) -> Result<(), Failure> {
    let file = configuration(cx)?;
    // Who has linked it elsewhere means the file there.
    let file = fs_err::canonicalize(&file).unwrap_or(file);
    let before = match fs_err::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(&file, &reason(&error), MEND)),
    };
    let text = with(before.as_deref(), login).map_err(|(why, hint)| unusable(&file, &why, hint))?;
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder).map_err(|error| Failure::unwritable(&file, &error))?;
    }
    write_atomic(&file, text.as_bytes()).map_err(|error| Failure::unwritable(&file, &error))?;
    let end = login.expires.and_then(|end| Timestamp::from_second(end).ok()).map(words::moment);
    let end = end.map(|end| format!(", which lasts until {end}")).unwrap_or_default();
    cx.say(&format!("wrote the login of {} to {}{end}", login.registry, file.display()))
}

/// docker's configuration: in the folder DOCKER_CONFIG, or in the home folder.
fn configuration(cx: &Context) -> Result<PathBuf, Failure> {
    let set = |name: &str| cx.environment.get(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(set("HOME")?).join(".docker")));
    let usage = || {
        Failure::Usage(
            "neither DOCKER_CONFIG nor HOME says where docker's configuration is".to_owned(),
        )
    };
    Ok(folder.ok_or_else(usage)?.join("config.json"))
}

const MEND: &str = "mend the file, or pipe the password: `ecsctl ecr login | docker login -u AWS \
                    --password-stdin $(ecsctl ecr registry)`";

fn unusable(file: &Path, why: &str, hint: &str) -> Failure {
    let title = format!("docker's configuration `{}` cannot be used: {why}", file.display());
    Failure::told(Exit::Failed, Diagnostic::error("E0318", title).hint(hint))
}

/// The configuration with the login in it; or why not, and what to do. Where a helper keeps docker's
/// passwords, what stands in the file is not read.
fn with(before: Option<&str>, login: &Login) -> Result<String, (String, &'static str)> {
    let text = before.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("{}");
    let wrong = |why: &str| (why.to_owned(), MEND);
    let mut document: Map<String, Json> = serde_json::from_str(text)
        .map_err(|error| wrong(&format!("it is no JSON object: {error}")))?;
    let helper = match document.get("credHelpers").and_then(|all| all.get(&login.registry)) {
        Some(helper) => Some(helper),
        None => document.get("credsStore"),
    };
    if let Some(helper) = helper.and_then(Json::as_str).filter(|helper| !helper.is_empty()) {
        let why = format!("docker keeps this password in `docker-credential-{helper}`");
        let hint = "pipe it: `ecsctl ecr login | docker login -u AWS --password-stdin $(ecsctl ecr \
                    registry)`";
        return Err((why, hint));
    }
    let auths = document.entry("auths").or_insert_with(|| json!({}));
    let auths = auths.as_object_mut().ok_or_else(|| wrong("its `auths` is no object"))?;
    auths.insert(login.registry.clone(), json!({ "auth": login.token }));
    // As docker writes it.
    let mut text = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    document
        .serialize(&mut serde_json::Serializer::with_formatter(&mut text, form))
        .map_err(|error| wrong(&error.to_string()))?;
    Ok(String::from_utf8_lossy(&text).into_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn login() -> Login {
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com".to_owned();
        Login { registry, token: "QVdTOnNlY3JldA==".to_owned(), expires: None }
    }

    #[test]
    fn the_password_is_what_stands_behind_the_user() {
        assert_eq!(login().password().as_deref(), Some("secret"));
        assert!(!format!("{:?}", login()).contains("QVdT"));
    }

    #[test]
    fn what_stands_in_the_configuration_stays() {
        let before =
            r#"{"psFormat": "x", "auths": {"ghcr.io": {"auth": "eA=="}}, "credsStore": ""}"#;
        assert_snapshot!(with(Some(before), &login()).unwrap(), @r#"
        {
        	"auths": {
        		"123456789012.dkr.ecr.eu-west-1.amazonaws.com": {
        			"auth": "QVdTOnNlY3JldA=="
        		},
        		"ghcr.io": {
        			"auth": "eA=="
        		}
        	},
        	"credsStore": "",
        	"psFormat": "x"
        }
        "#);
        assert_snapshot!(with(None, &login()).unwrap(), @r#"
        {
        	"auths": {
        		"123456789012.dkr.ecr.eu-west-1.amazonaws.com": {
        			"auth": "QVdTOnNlY3JldA=="
        		}
        	}
        }
        "#);
    }

    #[test]
    fn where_a_helper_keeps_passwords_nothing_is_written() {
        let registry = login().registry;
        for wrong in [
            r#"{"credsStore": "desktop"}"#.to_owned(),
            format!(r#"{{"credsStore": "", "credHelpers": {{"{registry}": "ecr-login"}}}}"#),
            r#"{"auths": []}"#.to_owned(),
            "[".to_owned(),
        ] {
            assert!(with(Some(&wrong), &login()).is_err(), "{wrong}");
        }
        let elsewhere =
            format!(r#"{{"credsStore": "desktop", "credHelpers": {{"{registry}": ""}}}}"#);
        assert!(with(Some(&elsewhere), &login()).is_ok());
    }
}
