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
