//! The one integration-test binary.

mod wrong_specs;
