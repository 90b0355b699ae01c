//! A task definition as the API takes and tells it → `[aws.task-definition.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::write::Sheet;
use super::{About, Imported, Note, Tags, api, legalised, rules, unreadable};
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::kinds;
use crate::value::Value;

const WHAT: &str = "a task definition";
/// What the keys of AWS's own tags and of ours begin with.
const RESERVED: [&str; 2] = ["aws:", "ecsctl:"];
pub(super) const KIND: &str = "task-definition";

/// Reads what RegisterTaskDefinition takes, or what DescribeTaskDefinition tells.
pub fn task_definition(text: &str, about: &About) -> Result<Imported, Diagnostic> {
    let document = object(text, about, WHAT)?;
    let read = Definition::read(&document, about)?;
    let region = about.region.clone().or_else(|| read.region.clone());
    let about = About { region, ..about.clone() };
    let mut sheet = Sheet::new(&about, &read.family, &read.tags, &read.notes);
    let address = Address::new(KIND, &read.name).to_string();
    let adopt = format!("  ecsctl apply --adopt {address}");
    sheet.comment(&["Where it is there already, it is taken over by", &adopt]);
    sheet.entry(&["aws", KIND, &read.name], &read.fields);
    Ok(Imported { text: sheet.done(), notes: read.notes, adopts: vec![address] })
}

/// A task definition that was read.
pub(super) struct Definition {
    /// The family.
    pub(super) family: String,
    /// The name of the entry.
    pub(super) name: String,
    /// The declaration, without what says nothing.
    pub(super) fields: Json,
    /// Its tags.
    pub(super) tags: Tags,
    /// The region that its ARN tells.
    pub(super) region: Option<String>,
    /// What is not taken over.
    pub(super) notes: Vec<Note>,
}

impl Definition {
    /// Reads the document of either operation.
    pub(super) fn read(document: &Map<String, Json>, about: &About) -> Result<Self, Diagnostic> {
        // What describe tells stands in `taskDefinition`, and the tags beside it.
        let inner = document.get("taskDefinition").and_then(Json::as_object).unwrap_or(document);
        if !inner.contains_key("containerDefinitions") {
            return Err(unreadable(about, WHAT, "it has no `containerDefinitions`").hint(
                "give the JSON that `aws ecs register-task-definition` takes, or that \
                       `aws ecs describe-task-definition` tells",
            ));
        }
        let mut inner = inner.clone();
        // What the API makes of it when it is left out is not what a declaration does.
        inner.entry("networkMode").or_insert_with(|| json!("bridge"));
        inner.entry("requiresCompatibilities").or_insert_with(|| json!([]));
        let (fields, mut notes) = declared(KIND, rules::TASK_DEFINITION, &inner, about, WHAT)?;
        let family = inner.get("family").and_then(Json::as_str).unwrap_or("task").to_owned();
        let name = legalised(&family).unwrap_or_else(|| "task".to_owned());
        let listed = document.get("tags").or_else(|| inner.get("tags"));
        let arn = inner.get("taskDefinitionArn").and_then(Json::as_str);
        place(&mut notes, &["aws", KIND, &name]);
        Ok(Self { family, name, fields, tags: tags(listed), region: arn.and_then(region), notes })
    }
}

/// A document as a declaration of `kind`: canonical, as one would write it.
pub(super) fn declared(
    kind: &str,
    rules: &[rules::Entry],
    document: &Map<String, Json>,
    about: &About,
    what: &str,
) -> Result<(Json, Vec<Note>), Diagnostic> {
    let kind = kinds::find(kind).expect("it is in the catalogue");
    let (fields, notes) = api::read(kind.shape(), rules, document);
    let whole = kind.parse(fields).map_err(|wrong| {
        Diagnostic::error("E0291", format!("`{}` is not {what} that can be: {wrong}", about.source))
    })?;
    Ok((kind.shape().telling(&Value::plain(whole), &|_| false).to_source(), notes))
}

/// Puts the notes below the entry that they are about.
pub(super) fn place(notes: &mut [Note], header: &[&str]) {
    for note in notes {
        let header = header.iter().map(|step| (*step).to_owned());
        note.table = header.chain(std::mem::take(&mut note.table)).collect();
    }
}

/// The text as a JSON object.
pub(super) fn object(
    text: &str,
    about: &About,
    what: &str,
) -> Result<Map<String, Json>, Diagnostic> {
    match serde_json::from_str(text) {
        Ok(Json::Object(document)) => Ok(document),
        Ok(_) => Err(unreadable(about, what, "it is no JSON object")),
        Err(error) => Err(unreadable(about, what, error)),
    }
}

/// Tags but AWS's and those of another stack.
pub(super) fn tags(listed: Option<&Json>) -> Tags {
    let pair = |tag: &Json| {
        let text = |member: &str| tag.get(member).and_then(Json::as_str).map(str::to_owned);
        Some((text("key")?, text("value").unwrap_or_default()))
    };
    let pairs = listed.and_then(Json::as_array).into_iter().flatten().filter_map(pair);
    pairs.filter(|(key, _)| !RESERVED.iter().any(|start| key.starts_with(start))).collect()
}

/// `eu-west-1` of `arn:aws:ecs:eu-west-1:…`.
pub(super) fn region(arn: &str) -> Option<String> {
    arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
}
