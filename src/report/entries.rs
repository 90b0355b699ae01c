//! A plan resource by resource: what is done to each, why, and what changes. For people; how that is
//! laid out is up to `human` and `markdown`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::edits::{self, Shown};
use super::unknowns::Unknowns;
use super::{Detail, Look, Tone, documents, telling, words};
use crate::address::Address;
use crate::kind::{Remains, TagChange};
use crate::kinds;
use crate::kinds::service::course::Course;
use crate::plan::{Action, Because, Edit, Plan, Step};
use crate::value::Value;

/// What a plan does to one resource.
pub(super) struct Entry<'a> {
    /// `+`, `~`, `±`, `-`, `>` or `…`.
    pub(super) symbol: &'static str,
    /// What the symbol means, in a word.
    pub(super) verb: &'static str,
    /// How both look.
    pub(super) tone: Tone,
    /// The resource.
    pub(super) address: &'a Address,
    /// What tells a reader what it is, or why it happens.
    pub(super) facts: String,
    /// What changes.
    pub(super) edits: Vec<Shown>,
}

/// The entries: by kind in the order in which the plan meets the kinds, then by name.
pub(super) fn entries<'a>(plan: &'a Plan, look: Look) -> Vec<Entry<'a>> {
    let mut kinds: Vec<&str> = Vec::new();
    for step in &plan.steps {
        if !kinds.contains(&step.address.kind.as_str()) {
            kinds.push(&step.address.kind);
        }
    }
    let unknowns = Unknowns::of(plan);
    let mut by_address: BTreeMap<&Address, Vec<&Step>> = BTreeMap::new();
    for step in &plan.steps {
        by_address.entry(&step.address).or_default().push(step);
    }
    let mut entries: Vec<Entry<'a>> =
        by_address.values().flat_map(|steps| of_resource(steps, &unknowns, look)).collect();
    for entry in &mut entries {
        let gap = gap(&by_address[entry.address], plan);
        push_fact(entry, gap.as_deref());
    }
    entries.sort_by_key(|entry| kinds.iter().position(|kind| *kind == entry.address.kind));
    entries
}

/// A resource has one step; a replaced one has two or more, of which the create speaks for all, and one
/// that is widened has two, of which the update that ends it does.
fn of_resource<'a>(steps: &[&'a Step], unknowns: &Unknowns<'_>, look: Look) -> Vec<Entry<'a>> {
    let replaced_because = steps.iter().find_map(|step| match &step.action {
        Action::Delete { because, .. } => Some(*because),
        _ => None,
    });
    let widened = steps.iter().any(|step| matches!(step.action, Action::Widen { .. }));
    let told = steps.iter().filter(|step| {
        !matches!(
            &step.action,
            Action::Widen { .. } | Action::Delete { because: Because::Replaced, .. }
        ) || steps.len() == 1
    });
    let mut entries: Vec<Entry<'a>> =
        told.map(|step| of_step(step, replaced_because, unknowns, look)).collect();
    if let Some(entry) = entries.first_mut().filter(|_| widened) {
        push_fact(entry, Some(GOES_LAST));
    }
    entries
}

fn push_fact(entry: &mut Entry<'_>, fact: Option<&str>) {
    let facts = [Some(entry.facts.as_str()), fact].into_iter().flatten();
    entry.facts = facts.filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(", ");
}

/// That no task runs for a while: where the service has to wait for one that goes, itself or another.
fn gap(steps: &[&Step], plan: &Plan) -> Option<String> {
    let ends = |step: &Step| {
        step.address.kind == "service" && matches!(step.action, Action::Delete { .. })
    };
    let starts = steps.iter().filter(|step| step.address.kind == "service" && !ends(step));
    let mut before = starts.flat_map(|step| &step.after).map(|id| &plan.steps[*id]);
    let old = before.find(|step| ends(step))?;
    Some(match steps.iter().any(|step| step.address == old.address) {
        true => "the old one goes first: none of its tasks runs meanwhile".to_owned(),
        false => format!("when {} has gone, whose port it takes", words::address(&old.address)),
    })
}

/// Said of what is widened first.
const GOES_LAST: &str = "in two steps: the new first, then the old goes";

fn of_step<'a>(
    step: &'a Step,
    replaced_because: Option<Because>,
    unknowns: &Unknowns<'_>,
    look: Look,
) -> Entry<'a> {
    let kind = step.address.kind.as_str();
    let facts = || telling::facts(kind, &step.spec, unknowns, look);
    let entry = |symbol, verb, tone, facts| Entry {
        symbol,
        verb,
        tone,
        address: &step.address,
        facts,
        edits: edits_of(step, unknowns, look),
    };
    match &step.action {
        Action::Create { replaces: None } => entry("+", "create", Tone::Create, facts()),
        Action::Create { replaces: Some(_) } => {
            let mut why = why_replaced(step, replaced_because);
            if let Some(lost) = telling::lost(kind) {
                why.push_str(&format!(", the old goes {lost}"));
            }
            entry("±", "replace", Tone::Replace, look.paint(Tone::Replace, &why))
        }
        Action::Update { adopts: true, id, .. } => {
            let facts = format!("not ours so far: {}", words::shortened(id, look));
            entry(">", "take over", Tone::Settle, facts)
        }
        Action::Update { .. } | Action::Widen { .. } => {
            entry("~", "change", Tone::Update, rolls(step).unwrap_or_default())
        }
        Action::Delete { id, because, .. } => {
            let lost = telling::lost(kind).map(|lost| format!("  {lost}")).unwrap_or_default();
            let why = why_deleted(*because);
            let facts = format!("{}{why}{lost}", words::shortened(id, look));
            entry("-", "destroy", Tone::Delete, facts)
        }
        Action::Settle { why, .. } => entry("…", "wait", Tone::Settle, why.clone()),
    }
}

/// Which change forces a replacement; without one, what is wrong with the old object.
fn why_replaced(step: &Step, because: Option<Because>) -> String {
    let forcing = step.edits.iter().filter(|edit| edit.replaces);
    let fields: Vec<String> = forcing.map(|edit| edit.path.to_string()).collect();
    match (fields.as_slice(), because) {
        ([], Some(Because::Broken)) => "it failed and will not come back".to_owned(),
        ([], _) => "what it is made of is replaced".to_owned(),
        ([one], _) => format!("a change of {one} forces it"),
        (many, _) => format!("changes of {} force it", many.join(", ")),
    }
}

fn why_deleted(because: Because) -> &'static str {
    match because {
        Because::Destroyed | Because::Replaced => "",
        Because::Undeclared => "  no longer declared",
        Because::LeftOver => "  left behind by an interrupted run",
        Because::Broken => "  failed and will not come back",
        Because::Leaving => "  on its way out already: its end is waited for",
    }
}

/// `rolls :41 → :42`, for whatever runs a task definition; [`REPLACES_TASKS`], for whatever runs
/// the same one in another way; and what a deed is done before.
fn rolls(step: &Step) -> Option<String> {
    let about = kinds::find(&step.address.kind)?.about();
    if about.remains == Remains::Nothing {
        return Some(format!("runs before service {} rolls", step.spec.text("service")?));
    }
    let changes = |field: &str| {
        step.edits.iter().find(|edit| edit.path.0.first().is_some_and(|first| first == field))
    };
    let fields = about.rolls;
    let Some(edit) = changes("task-definition").filter(|_| fields.contains(&"task-definition"))
    else {
        return fields.iter().any(|it| changes(it).is_some()).then(|| REPLACES_TASKS.to_owned());
    };
    let revision = |value: &Value| {
        let (_, revision) = value.as_text()?.rsplit_once(':')?;
        revision.parse::<u64>().ok()
    };
    let new = match edit.new.as_ref().and_then(revision) {
        Some(new) => format!(":{new}"),
        None => "a new revision".to_owned(),
    };
    match edit.old.as_ref()? {
        old if is_nothing(old) => Some(format!("rolls out {new}: nothing serves yet")),
        old => {
            let course = Course::of(&step.spec).map(|course| format!("  {}", course.told()));
            Some(format!("rolls :{} → {new}{}", revision(old)?, course.unwrap_or_default()))
        }
    }
}

/// Said of a service that runs the same revision in another way.
const REPLACES_TASKS: &str = "rolls: every task is replaced";

/// What a service shows as its revision when its first rollout has failed.
fn is_nothing(value: &Value) -> bool {
    value.as_text() == Some("")
}

fn edits_of(step: &Step, unknowns: &Unknowns<'_>, look: Look) -> Vec<Shown> {
    let mut shown: Vec<Shown> = step
        .edits
        .iter()
        .map(|edit| {
            let mut shown = match &edit.old {
                Some(old) if edit.path.0 == ["task-definition"] && is_nothing(old) => {
                    let edit = Edit { old: Some(Value::Null), ..edit.clone() };
                    edits::show(&edit, unknowns, look)
                }
                _ => edits::show(&brief(step, edit, look), unknowns, look),
            };
            if edit.replaces {
                shown.beside.push_str(&look.paint(Tone::Replace, "  (forces the replacement)"));
            }
            shown
        })
        .collect();
    match &step.action {
        Action::Update { tags, .. } => shown.extend(tag_edits(tags, look)),
        Action::Create { .. } if look.detail == Detail::Full && step.edits.is_empty() => {
            shown.extend(all_fields(&step.spec, unknowns, look));
        }
        _ => {}
    }
    shown
}

/// An edit without what says nothing of what comes or goes: a container has thirty fields, most of them
/// empty.
fn brief<'e>(step: &Step, edit: &'e Edit, look: Look) -> Cow<'e, Edit> {
    let shape = kinds::find(&step.address.kind).and_then(|kind| kind.shape().at(&edit.path));
    let (Some(shape), Detail::Short) = (shape, look.detail) else { return Cow::Borrowed(edit) };
    let told = |value: &Option<Value>| value.as_ref().map(|it| shape.telling(it, &|_| false));
    let is_empty = |side: &Option<Value>| match side {
        Some(Value::List(items)) => items.is_empty(),
        side => side.is_none(),
    };
    if is_empty(&edit.old) || is_empty(&edit.new) {
        return Cow::Owned(Edit { old: told(&edit.old), new: told(&edit.new), ..edit.clone() });
    }
    Cow::Borrowed(edit)
}

fn tag_edits(change: &TagChange, look: Look) -> Vec<Shown> {
    let set = change.set.iter().map(|(key, value)| {
        look.paint(Tone::Added, &format!("+ {key} = {:?}", words::shortened(value, look)))
    });
    let unset = change.unset.iter().map(|key| look.paint(Tone::Removed, &format!("- {key}")));
    let beside = set.chain(unset);
    beside.map(|beside| Shown { label: "tags".to_owned(), beside, below: Vec::new() }).collect()
}

/// Every field of what is created.
fn all_fields(spec: &Value, unknowns: &Unknowns<'_>, look: Look) -> Vec<Shown> {
    let Value::Map(fields) = spec else { return Vec::new() };
    let show = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::Map(_) | Value::List(_) => {
            let below = documents::pretty(value, unknowns).lines().map(str::to_owned).collect();
            Some(Shown { label: name.clone(), beside: String::new(), below })
        }
        leaf => {
            let beside = edits::inline(leaf, unknowns, look);
            Some(Shown { label: name.clone(), beside, below: Vec::new() })
        }
    };
    fields.iter().filter_map(show).collect()
}
