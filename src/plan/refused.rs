//! Why there can be no plan: what stands in its way, and what to do about it.

use super::Edit;
use crate::address::{Address, Path};
use crate::diag::Diagnostic;
use crate::kind::{Flaw, Live, Registered, StackId, TAG_ENV, TAG_ID, TAG_STACK, Unfit};
use crate::value::{Part, Value};

/// Something of that name stands there, and is not the stack's.
pub(super) fn foreign(address: &Address, live: &Live) -> Diagnostic {
    let title = format!("{address} exists already and is not this stack's: {}", live.id);
    let hint = match live.tags.get(TAG_STACK) {
        Some(owner) => format!("it belongs to the stack `{owner}`: choose another name"),
        None => format!("take it over with `--adopt {address}`, or choose another name"),
    };
    Diagnostic::error("E0210", title).hint(hint)
}

/// What is said when a protected stack is to be destroyed.
pub fn protected(stack: &StackId) -> Diagnostic {
    let StackId { stack, env, region: _ } = stack;
    let hint = "take `protect = true` out of the spec and apply that first";
    Diagnostic::error("E0212", format!("`{stack}/{env}` is protected")).hint(hint)
}

/// What somebody else makes is not what it has to be. `section` asks for it.
pub(super) fn unfit(unfit: &Unfit, section: &Path) -> Diagnostic {
    let code = match unfit.flaw {
        Flaw::Missing => "E0390",
        Flaw::Unusable => "E0391",
        Flaw::Hidden => "E0392",
    };
    Diagnostic::error(code, &unfit.why).at_key(section.clone(), "").hint(&unfit.hint)
}

/// Why something cannot be taken over, if it cannot. `edits` lead to what is declared.
pub(super) fn unadoptable(
    address: &Address,
    live: &Live,
    edits: &[Edit],
    stack: &StackId,
) -> Option<Diagnostic> {
    if let Some(owner) = live.tags.get(TAG_STACK) {
        let title = format!("{address} cannot be adopted: it belongs to the stack `{owner}`");
        return Some(Diagnostic::error("E0211", title));
    }
    unfindable(address, live, stack).or_else(|| {
        let edit = edits.iter().find(|edit| edit.replaces)?;
        let title = format!("{address} cannot be adopted: its `{}` would replace it", edit.path);
        let hint = format!("declare `{}` as it is now: {edit}", edit.path);
        Some(Diagnostic::error("E0211", title).hint(hint))
    })
}

/// What could not be found again once it is taken over: IAM lists by path and not by tag, so a role
/// elsewhere would be lost as soon as no spec names it.
fn unfindable(address: &Address, live: &Live, stack: &StackId) -> Option<Diagnostic> {
    let root = stack.iam_path();
    let path = live.spec.text("path").filter(|path| !path.starts_with(&root))?;
    let title = format!("{address} cannot be adopted: its path is `{path}`");
    let hint = format!(
        "a stack's roles are found by their path, `{root}`: choose another name, so that a new one is \
         made there"
    );
    Some(Diagnostic::error("E0211", title).hint(hint))
}

/// What an object of ours stands in although nobody claims it: it has lost its tags. Made anew, it would be
/// left behind, and all that stands in it would be replaced.
pub(super) fn lost(
    kind: &Registered,
    spec: &Value,
    ours: &[&Live],
    index: usize,
    stack: &StackId,
) -> impl Iterator<Item = Diagnostic> {
    let around = spec.fields().filter(|(field, _)| kind.is_within(field));
    around.filter_map(move |(field, declared)| {
        let Value::Pending(parts) = declared else { return None };
        let [Part::Output(output)] = parts.as_slice() else { return None };
        let (place, id) = (&output.of, ours[index].spec.text(field)?);
        let is_known = |live: &&Live| {
            live.address.as_ref() == Some(place) || live.outputs.values().any(|known| known == id)
        };
        if ours.iter().any(is_known) {
            return None;
        }
        let StackId { stack, env, region: _ } = stack;
        let title = format!("{id} has lost the tags of {place}: this stack's resources stand in it");
        let hint = format!(
            "give it back `{TAG_STACK}={stack}`, `{TAG_ENV}={env}` and `{TAG_ID}={place}`; or, if it never \
             was this stack's, rename what stands in it"
        );
        Some(Diagnostic::error("E0213", title).hint(hint))
    })
}
