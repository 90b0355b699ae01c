//! The one integration-test binary.

mod harness;
mod kinds;
mod layers;
mod wire;
