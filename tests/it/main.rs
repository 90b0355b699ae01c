//! The one integration-test binary.

mod cli;
mod docs;
mod harness;
mod kinds;
mod layers;
mod wire;
