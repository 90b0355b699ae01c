//! Why there can be no plan: what stands in its way, and what to do about it.

use crate::address::Address;
use crate::diag::Diagnostic;
use crate::kind::{Live, StackId, TAG_STACK};

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

/// What could not be found again once it is taken over: IAM lists by path and not by tag, so a role
/// elsewhere would be lost as soon as no spec names it.
pub(super) fn unfindable(address: &Address, live: &Live, stack: &StackId) -> Option<Diagnostic> {
    let root = stack.iam_path();
    let path = live.spec.text("path").filter(|path| !path.starts_with(&root))?;
    let title = format!("{address} cannot be adopted: its path is `{path}`");
    let hint = format!(
        "a stack's roles are found by their path, `{root}`: choose another name, so that a new one is \
         made there"
    );
    Some(Diagnostic::error("E0211", title).hint(hint))
}
