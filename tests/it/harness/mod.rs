//! What tests of the built binary stand on: a test AWS per process, an account and a folder per test.
//!
//! Nothing here can reach a real account: the binary runs with an environment of its own, whose
//! endpoint is the loopback interface and whose credentials no AWS would take.

pub(crate) use self::server::Object;
pub(crate) use self::session::{Calls, Session};

mod http;
pub(crate) mod proxy;
mod server;
pub(crate) mod session;
pub(crate) mod stack;

/// A number that whoever runs the tests may choose in the environment: `ECSCTL_TEST_SEED` ….
pub(crate) fn chosen(name: &str, default: u64) -> u64 {
    let text = std::env::var_os(name).map(|text| text.to_string_lossy().into_owned());
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
