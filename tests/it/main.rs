//! The one integration-test binary.

mod chaos;
mod cli;
mod docs;
mod harness;
mod keys;
mod kinds;
mod layers;
mod random;
mod rates;
mod wire;
mod wrong_specs;
