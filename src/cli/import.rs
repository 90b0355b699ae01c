//! `ecsctl import`: a spec made of what says the same in another form, or runs already.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use super::context::Context;
use super::init::write_new;
use super::options::{DEFAULT_FILE, World};
use super::stack::region_of;
use super::world::{block_on, connect};
use super::{Exit, Failure};
use crate::cloud::aws::{Aws, Cache};
use crate::diag::{Diagnostic, reason};
use crate::import::{self, About, Imported};
use crate::nearest::nearest;
use crate::report::diagnostics;
use crate::report::summary::listed;

/// So many services are named to whoever may have mistyped one.
const SERVICES: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to write, which must not be there yet [default: stdout]
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A task definition: what `aws ecs` registers, or describes
    Taskdef(Source),
    /// A service that runs, with its task definition
    Service(Place),
    /// A compose file
    Compose(Source),
    /// A Dockerrun.aws.json of Elastic Beanstalk, version 1 or 2
    Dockerrun(Source),
}

#[derive(Debug, Args)]
struct Source {
    /// The file; `-` is stdin
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Place {
    /// The cluster's name or ARN
    #[arg(long, value_name = "NAME")]
    cluster: String,
    /// The service's name
    #[arg(long, value_name = "NAME")]
    service: String,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("import")?;
    if let Some(out) = arguments.out.as_ref().filter(|out| out.exists()) {
        let why = format!("`{}` exists already", out.display());
        return Err(Failure::Refused(why, "name another file with `--out`".to_owned()));
    }
    let imported = match &arguments.what {
        What::Taskdef(source) => read(cx, source, "taskdef", import::task_definition)?,
        What::Compose(source) => read(cx, source, "compose", import::compose)?,
        What::Dockerrun(source) => read(cx, source, "dockerrun", import::dockerrun)?,
        What::Service(place) => live(cx, place)?,
    };
    for note in &imported.notes {
        let title = format!("`{}` is not taken over: {}", note.place, note.why);
        let warning = diagnostics::plain(&Diagnostic::warning("E0292", title), cx.err_look);
        cx.say(warning.trim_end())?;
    }
    match &arguments.out {
        None => cx.print(&imported.text)?,
        Some(out) => {
            write_new(out, &imported.text).map_err(|error| Failure::unwritable(out, &error))?;
            cx.say(&told(out, &imported))?;
        }
    }
    Ok(Exit::Done)
}

fn told(out: &Path, imported: &Imported) -> String {
    let file = out.display();
    let named = match out == Path::new(DEFAULT_FILE) {
        true => String::new(),
        false => format!(" -f {file}"),
    };
    let each: Vec<String> = imported.adopts.iter().map(|at| format!(" --adopt {at}")).collect();
    format!("wrote {file}; now `ecsctl plan{named}{}` shows what it stands for", each.concat())
}

fn read(
    cx: &Context,
    source: &Source,
    command: &str,
    import: fn(&str, &About) -> Result<Imported, Diagnostic>,
) -> Result<Imported, Failure> {
    let file = &source.file;
    let text = match file == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => fs_err::read_to_string(file),
    };
    let text = text.map_err(|error| {
        let title = format!("`{}` cannot be read: {}", file.display(), reason(&error));
        Failure::told(Exit::Usage, Diagnostic::error("E0290", title))
    })?;
    let whole = fs_err::canonicalize(file).ok();
    let folder = whole.as_deref().and_then(Path::parent).and_then(Path::file_name);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let about = About {
        source: if name.is_empty() { "stdin".to_owned() } else { name.into_owned() },
        command: format!("import {command}"),
        region: region(cx),
        folder: folder.map(|name| name.to_string_lossy().into_owned()),
    };
    import(&text, &about).map_err(|wrong| Failure::told(Exit::Usage, wrong))
}

fn region(cx: &Context) -> Option<String> {
    cx.options.region.clone().or_else(|| region_of(&cx.environment))
}

/// A service as it is now.
fn live(cx: &Context, place: &Place) -> Result<Imported, Failure> {
    require_aws(cx, "import service")?;
    let Place { cluster, service } = place;
    let (told, definition) = block_on(async {
        let aws = connect(cx, &region(cx).unwrap_or_default(), Cache::in_memory()).await?;
        let told = aws.service_as_told(cluster, service).await?;
        let Some(told) = told.as_deref().and_then(standing) else {
            return Err(nowhere(&aws, place).await);
        };
        let definition = told.get("taskDefinition").and_then(Json::as_str).unwrap_or_default();
        let definition = aws.task_definition_as_told(definition).await?;
        Ok((told, definition))
    })?;
    let about = About {
        source: format!("service {service} in cluster {cluster}"),
        command: "import service".to_owned(),
        region: region(cx),
        folder: None,
    };
    import::service(&told, &definition, &about).map_err(|wrong| Failure::told(Exit::Usage, wrong))
}

/// The one service that a reply is about, unless it is deleted.
fn standing(reply: &str) -> Option<serde_json::Map<String, Json>> {
    let reply: Json = serde_json::from_str(reply).ok()?;
    let service = reply.pointer("/services/0")?.as_object()?.clone();
    (service.get("status").and_then(Json::as_str) != Some("INACTIVE")).then_some(service)
}

/// Says that there is no such service, and which there are.
async fn nowhere(aws: &Aws, place: &Place) -> Failure {
    let Place { cluster, service } = place;
    let title = format!("there is no service `{service}` in the cluster `{cluster}`");
    // Without a list, there is no hint.
    let names = aws.service_names(cluster).await.unwrap_or_default();
    let hint = match nearest(service, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => {
            format!("look at the names, and at `--profile`; the region is {}", aws.region())
        }
        None => format!("it has {}", listed(&names, SERVICES)),
    };
    Failure::told(Exit::Failed, Diagnostic::error("E0317", title).hint(hint))
}

/// Fails in the simulated account, which has nothing that others have made.
pub(super) fn require_aws(cx: &Context, command: &str) -> Result<(), Failure> {
    match cx.world()? {
        World::Aws => Ok(()),
        World::Sim => {
            let title = format!("`ecsctl {command}` asks AWS, and a simulated account is meant");
            let hint = "leave `--cloud sim` and ECSCTL_CLOUD out";
            Err(Failure::told(Exit::Usage, Diagnostic::error("E0316", title).hint(hint)))
        }
    }
}
