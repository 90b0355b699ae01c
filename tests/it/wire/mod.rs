//! The built binary against a strict AWS API server on loopback: the real SDK, real requests.

mod balancing;
mod capacity;
mod containers;
mod discovery;
mod domains;
mod guards;
mod images;
mod import;
mod interruptions;
mod life;
mod locks;
mod managed;
mod network;
mod registry;
mod replacing;
mod roles;
mod rollouts;
mod scaling;
mod server;
mod shifting;
mod stacks;
mod stores;
mod tasks;
mod volumes;
