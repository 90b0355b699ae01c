//! The text of a spec: a head, tables, and comments where something is not taken over.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::{About, Note, Tags, legalised};
use crate::spec::{inline, is_deep, key};

/// A spec that is being written.
pub(super) struct Sheet {
    text: String,
    notes: Vec<Note>,
    /// Whether a comment stands right before what comes.
    is_commented: bool,
}

impl Sheet {
    /// The head: where it comes from, the stack, the region, the tags of all there is.
    pub(super) fn new(about: &About, name: &str, tags: &Tags, notes: &[Note]) -> Self {
        let stack = legalised(name).unwrap_or_else(|| "imported".to_owned());
        let About { source, command, region, .. } = about;
        let region = match region {
            Some(region) => format!("region = {}", inline(&json!(region))),
            None => "# region = \"us-east-1\"   # left out, that of the surroundings".to_owned(),
        };
        let mut text = format!(
            "# Made of {} by `ecsctl {command}`.\necsctl = 1\nstack  = \"{stack}\"\n{region}\n",
            one_line(source)
        );
        if !tags.is_empty() {
            text.push_str("\n[tags]\n");
            lines(tags.iter().map(|(name, value)| (name, json!(escaped(value)))), &mut text);
        }
        Self { text, notes: notes.to_vec(), is_commented: false }
    }

    /// A paragraph of comment.
    pub(super) fn comment(&mut self, lines: &[&str]) {
        self.text.push('\n');
        for line in lines {
            self.text.push_str(&format!("# {line}\n"));
        }
        self.is_commented = true;
    }

    /// An entry `[header]` with what is not taken over of it. `${` in `value` is ours.
    pub(super) fn entry(&mut self, header: &[&str], value: &Json) {
        let header: Vec<String> = header.iter().map(|step| (*step).to_owned()).collect();
        if !std::mem::take(&mut self.is_commented) {
            self.text.push('\n');
        }
        let notes = std::mem::take(&mut self.notes);
        let (mut own, others): (Vec<Note>, Vec<Note>) =
            notes.into_iter().partition(|note| note.table.starts_with(&header));
        own.iter_mut().for_each(|note| note.table.drain(..header.len()).for_each(drop));
        self.notes = others;
        table(&header, value, &own.iter().collect::<Vec<_>>(), &mut self.text);
    }

    /// The text. What belongs to none of the entries stands at the end.
    pub(super) fn done(mut self) -> String {
        if !self.notes.is_empty() {
            self.text.push('\n');
        }
        for note in &self.notes {
            self.text.push_str(&format!("# not taken over: {}\n", one_line(&note.line())));
        }
        self.text
    }
}

/// A table, and those in it that need a header of their own. The notes' tables are below this one.
fn table(header: &[String], value: &Json, notes: &[&Note], into: &mut String) {
    let nothing = Map::new();
    let fields = value.as_object().unwrap_or(&nothing);
    let depth = header.len();
    let (deep, simple): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_deep(value));
    let step = |note: &&Note, name: &str| note.table.first().is_some_and(|step| step == name);
    let own = |note: &&&Note| !deep.iter().any(|(name, _)| step(note, name));
    let own: Vec<&&Note> = notes.iter().filter(own).collect();
    if !simple.is_empty() || deep.is_empty() || !own.is_empty() {
        let header: Vec<String> = header.iter().map(|step| key(step)).collect();
        writeln!(into, "[{}]", header.join(".")).expect("writing to a string succeeds");
    }
    for note in own {
        writeln!(into, "# not taken over: {}", one_line(&note.line()))
            .expect("writing to a string succeeds");
    }
    lines(simple.into_iter().map(|(name, value)| (name, value.clone())), into);
    for (name, value) in &deep {
        let inside: Vec<Note> = notes
            .iter()
            .filter(|note| step(note, name))
            .map(|note| Note { table: note.table[1..].to_vec(), ..(*note).clone() })
            .collect();
        let mut header = header[..depth].to_vec();
        header.push((*name).clone());
        table(&header, value, &inside.iter().collect::<Vec<_>>(), into);
    }
}

fn lines<'n>(fields: impl Iterator<Item = (&'n String, Json)>, into: &mut String) {
    let lines: Vec<(String, String)> =
        fields.map(|(name, value)| (key(name), inline(&value))).collect();
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in lines {
        writeln!(into, "{name:width$} = {value}").expect("writing to a string succeeds");
    }
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// Text that is meant as it stands: in a spec, `${` begins a reference.
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}
