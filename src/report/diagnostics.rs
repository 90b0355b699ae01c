//! Diagnostics as rustc shows them, or as JSON. The only place that knows annotate-snippets.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value as Json, json};

use super::style::{Colour, Look, Tone};
use crate::diag::{Diagnostic, Label, Severity};
use crate::spec::{Located, Sources};

/// All diagnostics for people: errors first, in the order of the files, and their count at the end.
/// Nothing at all when there are none.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, look: Look) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    if let ([one], None) = (diagnostics, sources.files().next()) {
        return plain(one, look);
    }
    let renderer = match look.colour {
        Colour::On => Renderer::styled(),
        Colour::Off => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(look.width);
    let mut text = String::new();
    for diagnostic in sorted(diagnostics, sources) {
        text.push_str(&match sources.files().next() {
            Some(_) => renderer.render(&[group(diagnostic, sources)]) + "\n",
            None => plain(diagnostic, look),
        });
        text.push('\n');
    }
    text.push_str(&count(diagnostics));
    text.push('\n');
    text
}

/// One diagnostic that is about no text.
pub fn plain(diagnostic: &Diagnostic, look: Look) -> String {
    let (tone, level) = match diagnostic.severity {
        Severity::Error => (Tone::Error, "error"),
        Severity::Warning => (Tone::Warning, "warning"),
    };
    let label = look.paint(tone, &format!("{level}[{}]:", diagnostic.code));
    let hint = diagnostic
        .hint
        .as_ref()
        .map(|hint| format!("  {} {hint}\n", look.paint(Tone::Hint, "hint:")));
    format!("{label} {}\n{}", diagnostic.title, hint.unwrap_or_default())
}

/// All diagnostics for machines, in the order in which [`render`] shows them.
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Json {
    let one = |diagnostic: &Diagnostic| {
        let labels = diagnostic.labels.iter().filter_map(|label| place(label, sources));
        json!({
            "severity": diagnostic.severity,
            "code": diagnostic.code,
            "title": diagnostic.title,
            "labels": labels.collect::<Vec<_>>(),
            // People read what to do beside the place, too; programs need not look for it there.
            "hint": diagnostic.hint.as_ref().or_else(|| suggestion(diagnostic)),
        })
    };
    sorted(diagnostics, sources).into_iter().map(one).collect()
}

/// What the first label proposes.
fn suggestion(diagnostic: &Diagnostic) -> Option<&String> {
    let label = diagnostic.labels.first().map(|label| &label.text);
    label.filter(|text| !text.is_empty())
}

fn place(label: &Label, sources: &Sources) -> Option<Json> {
    let at = sources.locate(&label.place)?;
    let before = &at.text[..at.range.start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some(json!({
        "file": at.file,
        "line": before.matches('\n').count() + 1,
        "column": before[line_start..].chars().count() + 1,
        "bytes": [at.range.start, at.range.end],
        "text": label.text,
    }))
}

fn sorted<'d>(diagnostics: &'d [Diagnostic], sources: &Sources) -> Vec<&'d Diagnostic> {
    let mut all: Vec<&Diagnostic> = diagnostics.iter().collect();
    all.sort_by_cached_key(|diagnostic| {
        let at = diagnostic.labels.first().and_then(|label| sources.locate(&label.place));
        let at = at.map(|at| {
            let file = sources.files().position(|file| file == at.file);
            (file, at.range.start)
        });
        (diagnostic.severity, at, diagnostic.code, diagnostic.title.clone())
    });
    all
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.title.as_str()).id(diagnostic.code);
    let snippets = snippets(diagnostic, sources);
    let group = match (snippets.is_empty(), sources.files().next()) {
        // What is nowhere in the texts is at least about the spec.
        (true, Some(spec)) => Group::with_title(title).element(Origin::path(spec)),
        _ => Group::with_title(title).elements(snippets),
    };
    match &diagnostic.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// A place, how it is marked, and what is said there.
type Marked<'a> = (Located<'a>, AnnotationKind, &'a str);

/// One snippet a file, that of the primary label first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a Sources,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut files: Vec<(&str, Vec<Marked<'a>>)> = Vec::new();
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let Some(at) = sources.locate(&label.place) else { continue };
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let marked = (at, kind, label.text.as_str());
        match files.iter_mut().find(|(file, _)| *file == marked.0.file) {
            Some((_, all)) => all.push(marked),
            None => files.push((marked.0.file, vec![marked])),
        }
    }
    let snippet = |(file, marks): (&'a str, Vec<Marked<'a>>)| {
        let text = marks.first().map_or("", |(at, ..)| at.text);
        let annotations = marks.into_iter().map(|(at, kind, label)| {
            let annotation = kind.span(at.range);
            if label.is_empty() { annotation } else { annotation.label(label) }
        });
        Snippet::source(text).path(file).annotations(annotations)
    };
    files.into_iter().map(snippet).collect()
}

/// `3 errors, 1 warning`.
fn count(diagnostics: &[Diagnostic]) -> String {
    let of = |severity, word: &str| {
        let count = diagnostics.iter().filter(|one| one.severity == severity).count();
        match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            count => Some(format!("{count} {word}s")),
        }
    };
    let parts = [of(Severity::Error, "error"), of(Severity::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
