//! The one integration-test binary.

mod docs;
mod harness;
mod kinds;
mod layers;
mod random;
mod wire;
