//! Elastic Beanstalk's Dockerrun.aws.json → `[service.app]`: one container in version 1, the
//! containers of one task in version 2.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::members::{Members, word};
use super::task_definition::object;
use super::write::{Sheet, escaped};
use super::{About, Imported, Tags, legalised, unreadable, words};
use crate::diag::Diagnostic;
use crate::kinds::types::cpu_memory::{Cpu, Memory, fargate_least};

const WHAT: &str = "a Dockerrun.aws.json";
/// The service that it becomes: the file says no name.
const NAME: &str = "app";

/// Reads a Dockerrun file of either version.
pub fn dockerrun(text: &str, about: &About) -> Result<Imported, Diagnostic> {
    let document = object(text, about, WHAT)?;
    let version = document.get("AWSEBDockerrunVersion").and_then(word);
    let table = ["service", NAME].map(str::to_owned);
    let mut members = Members::of(&Json::Object(document), &[], &table);
    members.take("AWSEBDockerrunVersion");
    let fields = match version.as_deref() {
        Some("1") => single(&mut members),
        Some("2") => several(&mut members),
        Some("3") => {
            let hint = "write `ecsctl import compose docker-compose.yml`";
            return Err(unreadable(about, WHAT, "version 3 is beside a compose file").hint(hint));
        }
        _ => return Err(unreadable(about, WHAT, "its `AWSEBDockerrunVersion` is neither 1 nor 2")),
    };
    if !fields.contains_key("image") && !fields.contains_key("container") {
        return Err(unreadable(about, WHAT, "it has no image"));
    }
    let notes = members.rest(&why);
    let name = about.folder.clone().unwrap_or_default();
    let mut sheet = Sheet::new(about, &name, &Tags::new(), &notes);
    sheet.entry(&["service", NAME], &Json::Object(fields));
    Ok(Imported { text: sheet.done(), notes, adopts: Vec::new() })
}

/// Version 1.
fn single(members: &mut Members) -> Map<String, Json> {
    let mut fields = Map::new();
    let mut image = members.inner("Image");
    image.take("Update");
    if let Some(name) = image.word("Name") {
        fields.insert("image".to_owned(), json!(escaped(&name)));
    }
    members.join(image, &why);
    for (key, ours) in [("Entrypoint", "entrypoint"), ("Command", "command")] {
        if let Some(said) = members.words(key, words::split) {
            let said: Vec<String> = said.iter().map(|word| escaped(word)).collect();
            fields.insert(ours.to_owned(), json!(said));
        }
    }
    let ports = members.take("Ports");
    for (index, port) in ports.iter().filter_map(Json::as_array).flatten().enumerate() {
        let number =
            port.get("ContainerPort").and_then(word).and_then(|port| port.parse::<u16>().ok());
        match number.filter(|_| index == 0) {
            Some(number) => drop(fields.insert("port".to_owned(), json!(number))),
            None => members.note(
                &["Ports", &index.to_string()],
                port,
                "a container listens on one port here",
            ),
        }
    }
    fields
}

/// Version 2: the containers are those of a task definition.
fn several(members: &mut Members) -> Map<String, Json> {
    let definitions = members.take("containerDefinitions");
    let scratch = scratch(members);
    let mut task =
        Task { containers: Map::new(), volumes: Map::new(), http: None, memory: 0, cpu: 0 };
    for definition in definitions.iter().filter_map(Json::as_array).flatten() {
        let own = definition.get("name").and_then(Json::as_str).unwrap_or("container");
        let place = ["containerDefinitions".to_owned(), own.to_owned()];
        let own = legalised(own).unwrap_or_else(|| "container".to_owned());
        let table = ["service", NAME, "container", &own].map(str::to_owned);
        let mut inner = Members::of(definition, &place, &table);
        inner.take("name");
        let fields = task.container(&own, &mut inner, &scratch);
        members.notes.extend(inner.rest(&why));
        task.containers.insert(own, Json::Object(fields));
    }
    task.fields()
}

/// The volumes that are no path of the host, and so can be taken over.
fn scratch(members: &mut Members) -> Vec<String> {
    let mut scratch = Vec::new();
    for volume in members.take("volumes").iter().filter_map(Json::as_array).flatten() {
        let name = volume.get("name").and_then(Json::as_str).unwrap_or_default();
        match volume.pointer("/host/sourcePath") {
            None => scratch.push(name.to_owned()),
            Some(path) => members.note(&["volumes", name], path, HOST),
        }
    }
    scratch
}

const HOST: &str = "Fargate has no host whose paths could be mounted";

/// The one task of all containers.
struct Task {
    containers: Map<String, Json>,
    volumes: Map<String, Json>,
    /// The container that answers on the host's port 80.
    http: Option<String>,
    memory: u32,
    cpu: u32,
}

impl Task {
    fn container(
        &mut self,
        own: &str,
        members: &mut Members,
        scratch: &[String],
    ) -> Map<String, Json> {
        let mut fields = Map::new();
        for (key, ours) in [("image", "image"), ("user", "user"), ("workingDirectory", "directory")]
        {
            if let Some(text) = members.word(key) {
                fields.insert(ours.to_owned(), json!(escaped(&text)));
            }
        }
        for (key, ours) in [("command", "command"), ("entryPoint", "entrypoint")] {
            if let Some(said) = members.words(key, words::split) {
                let said: Vec<String> = said.iter().map(|word| escaped(word)).collect();
                fields.insert(ours.to_owned(), json!(said));
            }
        }
        if members.take("essential") == Some(json!(false)) {
            fields.insert("essential".to_owned(), json!(false));
        }
        if let Some(on) = members.take("readonlyRootFilesystem").and_then(|on| on.as_bool()) {
            fields.insert("readonly".to_owned(), json!(on));
        }
        let variables = pairs(members.take("environment").as_ref());
        if !variables.is_empty() {
            fields.insert("env".to_owned(), json!(variables));
        }
        self.size(members);
        self.ports(own, members, &mut fields);
        self.mounts(own, members, scratch);
        fields
    }

    /// The soft limit is what is reserved; where there is none, it is the hard one.
    fn size(&mut self, members: &mut Members) {
        let mut number = |key: &str| {
            let number = members.take(key).and_then(|number| number.as_u64());
            number.and_then(|number| u32::try_from(number).ok())
        };
        let (hard, soft) = (number("memory"), number("memoryReservation"));
        self.memory = self.memory.saturating_add(hard.max(soft).unwrap_or(0));
        self.cpu = self.cpu.saturating_add(number("cpu").unwrap_or(0));
    }

    fn ports(&mut self, own: &str, members: &mut Members, fields: &mut Map<String, Json>) {
        let mappings = members.take("portMappings");
        for (index, mapping) in mappings.iter().filter_map(Json::as_array).flatten().enumerate() {
            let number =
                |key: &str| mapping.get(key).and_then(Json::as_u64).filter(|port| *port > 0);
            let udp = mapping.get("protocol").and_then(Json::as_str) == Some("udp");
            let ours = if udp { "udp" } else { "port" };
            let Some(port) = number("containerPort").filter(|_| !fields.contains_key(ours)) else {
                let why = "a container listens on one port of each protocol here";
                members.note(&["portMappings", &index.to_string()], mapping, why);
                continue;
            };
            fields.insert(ours.to_owned(), json!(port));
            let answers = number("hostPort") == Some(80) && !udp;
            if answers || (self.http.is_none() && !udp) {
                self.http = Some(own.to_owned());
            }
        }
    }

    fn mounts(&mut self, own: &str, members: &mut Members, scratch: &[String]) {
        let mounts = members.take("mountPoints");
        for mount in mounts.iter().filter_map(Json::as_array).flatten() {
            let text = |key: &str| mount.get(key).and_then(Json::as_str).unwrap_or_default();
            let (volume, path) = (text("sourceVolume"), text("containerPath"));
            let name = legalised(volume).unwrap_or_else(|| "volume".to_owned());
            let known = self.volumes.get(&name);
            let elsewhere = known.is_some_and(|known| known["mount"] != json!(path));
            if !scratch.iter().any(|name| name == volume) || elsewhere {
                let why = match () {
                    () if elsewhere => "a volume has one place in all containers here",
                    () if volume.starts_with("awseb-logs-") => "output goes to CloudWatch Logs",
                    () => HOST,
                };
                members.note(&["mountPoints", volume], mount, why);
                continue;
            }
            let volume = self
                .volumes
                .entry(name)
                .or_insert_with(|| json!({ "mount": path, "containers": [], "readonly": [] }));
            let is_readonly = mount.get("readOnly") == Some(&json!(true));
            let lists = ["containers"].into_iter().chain(is_readonly.then_some("readonly"));
            for list in lists {
                volume[list].as_array_mut().expect("it was made one").push(json!(own));
            }
        }
    }

    /// The service's keys.
    fn fields(mut self) -> Map<String, Json> {
        let mut fields = Map::new();
        let fits = fargate_least(Cpu(self.cpu), Memory(self.memory));
        if let Some((cpu, memory)) = fits.filter(|_| self.cpu > 0 || self.memory > 0) {
            fields.insert("size".to_owned(), json!(format!("{}/{}", cpu.short(), memory.short())));
        }
        match self.http {
            Some(container) => {
                fields.insert("http".to_owned(), json!({ "path": "/*", "container": container }));
            }
            None => drop(fields.insert("public".to_owned(), json!(false))),
        }
        for volume in self.volumes.values_mut() {
            if volume["readonly"] == json!([]) {
                volume.as_object_mut().expect("it was made one").remove("readonly");
            }
        }
        if !self.volumes.is_empty() {
            fields.insert("volume".to_owned(), Json::Object(self.volumes));
        }
        if !self.containers.is_empty() {
            fields.insert("container".to_owned(), Json::Object(self.containers));
        }
        fields
    }
}

/// A list of names and values as a table.
fn pairs(list: Option<&Json>) -> BTreeMap<String, String> {
    let pair = |item: &Json| {
        let text = |key: &str| item.get(key).and_then(word);
        Some((text("name")?, escaped(&text("value").unwrap_or_default())))
    };
    list.and_then(Json::as_array).into_iter().flatten().filter_map(pair).collect()
}

fn why(key: &str) -> &'static str {
    match key {
        "Volumes" | "mountPoints" | "volumesFrom" => HOST,
        "Logging" | "logConfiguration" => "output goes to CloudWatch Logs; see `logs`",
        "Authentication" | "authentication" => {
            "name a secret in `repository-credentials` of [aws.task-definition.app.containers.NAME]"
        }
        "links" => "the containers of a task reach each other at `localhost`",
        "hostname" => "a container is called like its entry",
        "privileged" | "dnsServers" | "extraHosts" => "Fargate does not have it",
        _ => "ecsctl does not know it",
    }
}
