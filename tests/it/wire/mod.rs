//! The built binary against a strict AWS API server on loopback: the real SDK, real requests.

mod balancing;
mod capacity;
mod containers;
mod guards;
mod interruptions;
mod life;
mod locks;
mod network;
mod replacing;
mod roles;
mod rollouts;
mod server;
mod stacks;
mod stores;
