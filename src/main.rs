//! Parses arguments, runs, exits.

fn main() {}
