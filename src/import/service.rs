//! A service as DescribeServices tells it, and its task definition → `[aws.service.NAME]` and
//! `[aws.task-definition.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::task_definition::{
    Definition, KIND as DEFINITION, declared, object, place, region, tags,
};
use super::write::{Sheet, escaped};
use super::{About, Imported, Note, Tags, legalised, rules};
use crate::address::Address;
use crate::diag::Diagnostic;

const WHAT: &str = "a service";
const KIND: &str = "service";

/// Reads the object of one service, and the reply about the task definition that it runs.
pub fn service(
    service: &Map<String, Json>,
    definition: &str,
    about: &About,
) -> Result<Imported, Diagnostic> {
    let definition = Definition::read(&object(definition, about, "a task definition")?, about)?;
    let mut document = service.clone();
    // What is not told is off; a declaration that does not say it means that it is on.
    document.entry("availabilityZoneRebalancing").or_insert_with(|| json!("DISABLED"));
    if let Some(deployment) = document.get_mut("deploymentConfiguration") {
        without_steps(deployment);
    }
    // Deployments tell what a service itself does not.
    document.extend(connect(service).map(|it| ("serviceConnectConfiguration".to_owned(), it)));
    document.extend(volumes(service).map(|told| ("volumeConfigurations".to_owned(), told)));
    let (mut fields, mut notes) = declared(KIND, rules::SERVICE, &document, about, WHAT)?;
    let text = |member: &str| service.get(member).and_then(Json::as_str).unwrap_or_default();
    let name = legalised(text("serviceName")).unwrap_or_else(|| "service".to_owned());
    place(&mut notes, &["aws", KIND, &name]);
    fields["task-definition"] = json!(format!("${{{DEFINITION}.{}.arn}}", definition.name));

    let own = tags(service.get("tags"));
    let common = common(&own, &definition.tags);
    notes.extend(lost(&own, &common, &["aws", KIND, &name]));
    notes.extend(lost(&definition.tags, &common, &["aws", DEFINITION, &definition.name]));
    notes.extend(definition.notes);

    let region = region(text("serviceArn")).or(about.region.clone());
    let about = About { region, ..about.clone() };
    let mut sheet = Sheet::new(&about, text("serviceName"), &common, &notes);
    let adopts = [Address::new(KIND, &name), Address::new(DEFINITION, &definition.name)]
        .map(|a| a.to_string());
    let each: Vec<String> = adopts.iter().map(|address| format!("--adopt {address}")).collect();
    let command = format!("  ecsctl apply {}", each.join(" "));
    let count = "Where autoscaling holds the number of its tasks, leave `desired-count` out.";
    sheet.comment(&["It is there already, and is taken over by", &command, count]);
    sheet.entry(&["aws", KIND, &name], &fields);
    sheet.entry(&["aws", DEFINITION, &definition.name], &definition.fields);
    Ok(Imported { text: sheet.done(), notes, adopts: adopts.to_vec() })
}

/// Where tasks are replaced one by one, the time for which two revisions stand is nothing.
fn without_steps(deployment: &mut Json) {
    let strategy = deployment.get("strategy").and_then(Json::as_str).unwrap_or("ROLLING");
    if strategy == "ROLLING" && deployment["bakeTimeInMinutes"] == 0 {
        deployment.as_object_mut().map(|members| members.remove("bakeTimeInMinutes"));
    }
}

/// The service's part in Service Connect; a name that is not told is the port's.
fn connect(service: &Map<String, Json>) -> Option<Json> {
    let mut deployments = service.get("deployments")?.as_array()?.iter();
    let primary = deployments.find(|deployment| deployment["status"] == "PRIMARY")?;
    let mut connect = primary.get("serviceConnectConfiguration")?.clone();
    connect.get("enabled").filter(|enabled| **enabled == true)?;
    let offered = connect.get_mut("services").and_then(Json::as_array_mut);
    for one in offered.into_iter().flatten().filter_map(Json::as_object_mut) {
        let name = one.get("portName").cloned().unwrap_or_default();
        one.entry("discoveryName").or_insert(name);
    }
    Some(connect)
}

/// Its EBS volumes, of which only its deployments tell; their one kind of tags stands in a list.
fn volumes(service: &Map<String, Json>) -> Option<Json> {
    let deployments = service.get("deployments")?.as_array()?;
    let primary = deployments.iter().find(|one| one["status"] == "PRIMARY")?;
    let mut volumes = primary.get("volumeConfigurations")?.clone();
    let disks = volumes.as_array_mut()?.iter_mut();
    for disk in disks.filter_map(|one| one.get_mut("managedEBSVolume")?.as_object_mut()) {
        let Some(tagging) = disk.remove("tagSpecifications") else { continue };
        for member in ["tags", "propagateTags"] {
            let told = tagging.pointer(&format!("/0/{member}"));
            disk.extend(told.map(|told| (member.to_owned(), told.clone())));
        }
    }
    Some(volumes)
}

/// The tags that both carry: a stack's tags are those of all that is in it.
fn common(one: &Tags, other: &Tags) -> Tags {
    let both = one.iter().filter(|(key, value)| other.get(*key) == Some(value));
    both.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The tags that go when it is taken over.
fn lost(own: &Tags, kept: &Tags, header: &[&str]) -> Vec<Note> {
    let gone = own.iter().filter(|(key, _)| !kept.contains_key(*key));
    let note = |(key, value): (&String, &String)| Note {
        table: header.iter().map(|step| (*step).to_owned()).collect(),
        place: format!("tags.{key}"),
        value: json!(escaped(value)),
        why: "only one of the two carries it; the tags of a stack are those of all that is in it"
            .to_owned(),
    };
    gone.map(note).collect()
}
