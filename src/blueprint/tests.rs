//! Whole stacks.
