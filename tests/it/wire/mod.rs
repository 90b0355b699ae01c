//! The built binary against a strict AWS API server on loopback: the real SDK, real requests.

mod life;
mod network;
mod server;
