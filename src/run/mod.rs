//! Carrying a plan out: which step may run ([`schedule`], pure), running it ([`executor`]), and what
//! happened ([`event`]).

mod attempt;
pub mod event;
pub mod executor;
pub mod journal;
pub mod schedule;
#[cfg(test)]
mod tests;
