//! ecsctl: declarative deployments for Amazon ECS.
//!
//! ```text
//!  stack.toml ─spec─▶ blueprint ─expand─▶ declarations ─graph─▶ Graph ─┐
//!  AWS / sim ──────────cloud────────────▶ Snapshot ────────────────────┴─plan─▶ Plan ─run─▶ events ─▶ report, journal
//! ```
//!
//! The layers, and who may use whom, are in docs/ARCHITECTURE.md; a test compares them with the code.

pub mod address;
pub mod blueprint;
pub mod cli;
pub mod cloud;
pub mod desired;
pub mod diag;
pub mod graph;
pub mod import;
pub mod kind;
pub mod kinds;
mod nearest;
pub mod plan;
pub mod report;
pub mod run;
pub mod snapshot;
pub mod spec;
pub mod store;
pub mod value;
