//! Parses arguments, runs, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    ecsctl::cli::main()
}
