//! Calls, time and memory of ecsctl on the stacks of `harness/stack.rs`: one for several numbers of services
//! and several latencies, and one with every kind. Prints Markdown; benches/README.md has the last figures.
//!
//!     tests/run bench [--services 1,10,50,200] [--latency 0,50]

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that tells what it measures"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::harness::Session;
use self::harness::proxy::{Counts, Fault, Proxy};
use self::harness::session::is_change;
use self::harness::stack::{OBJECTS_PER_SERVICE, OBJECTS_SHARED, with_every_kind, with_services};
use self::measure::Cost;

#[path = "../tests/it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
mod harness;
mod measure;

/// What is run on each stack, in this order.
const PHASES: &[(&str, &[&str])] = &[
    ("plan of an empty account", &["plan"]),
    ("apply", &["apply", "--yes"]),
    ("first plan after it", &["plan", "--detailed-exitcode"]),
    ("empty plan", &["plan", "--detailed-exitcode"]),
    ("empty plan without cache", &["plan", "--detailed-exitcode"]),
    ("destroy", &["destroy", "--yes"]),
];

/// The phase that is held against the budget.
const BUDGETED: &str = "empty plan";

/// What of the shared objects is part of another, and not listed by the server by itself: routes,
/// associations, rules, policies.
const PARTS: usize = 10;

/// The services and the daemon of the stack with every kind.
const SERVICES: usize = 6;

/// How large a stack is.
#[derive(Clone, Copy)]
struct Stack {
    services: usize,
    /// How many objects it has, if that is known.
    objects: Option<usize>,
}

/// What one phase took.
struct Row {
    stack: Stack,
    latency: u64,
    phase: &'static str,
    counts: Counts,
    cost: Cost,
}

impl Row {
    fn calls(&self) -> usize {
        self.counts.values().sum()
    }

    /// The calls that change something.
    fn changes(&self) -> usize {
        let changes = self.counts.iter().filter(|(operation, _)| is_change(operation));
        changes.map(|(_, count)| count).sum()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let services = numbers(&arguments, "--services", &[1, 10, 50, 200]);
    let latencies = numbers(&arguments, "--latency", &[0, 50]);
    let (binary, build) = binary();
    println!(
        "Measured: {build} build, {} KiB, `--version` in {} ms.\n",
        size(&binary),
        start(&binary)
    );
    let mut rows = Vec::new();
    for &latency in &latencies {
        for &services in &services {
            let services = services as usize;
            let session = Session::with(&with_services(services));
            let objects = Some(OBJECTS_SHARED + OBJECTS_PER_SERVICE * services);
            let stack = Stack { services, objects };
            rows.extend(measure_stack(&binary, &session, stack, latency));
        }
    }
    print_costs(&rows);
    println!("\n\\* of changing calls: 1.3 for each object.\n");
    println!("### Every kind\n");
    let every_kind = Stack { services: SERVICES, objects: None };
    print_costs(&measure_stack(&binary, &with_every_kind(), every_kind, latencies[0]));
    println!();
    for phase in [BUDGETED, "apply", "destroy"] {
        print_operations(&rows, phase, latencies[0]);
    }
    print_growth(&rows, latencies[0]);
}

/// The numbers behind `name`, separated by commas.
fn numbers(arguments: &[String], name: &str, default: &[u64]) -> Vec<u64> {
    let given = arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let read = |text: &str| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number"));
    given.map_or_else(|| default.to_vec(), |text| text.split(',').map(read).collect())
}

/// The release build that lies beside this build, if there is one; else the one just built.
fn binary() -> (PathBuf, &'static str) {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_ecsctl"));
    let folder = built.parent().and_then(|profile| profile.parent());
    let release = folder.map(|target| target.join("release/ecsctl")).filter(|path| path.exists());
    match release {
        Some(release) => (release, "release"),
        None => (built, "dev (not optimised)"),
    }
}

fn size(binary: &Path) -> u64 {
    std::fs::metadata(binary).map_or(0, |file| file.len() / 1024)
}

/// Milliseconds that `ecsctl --version` takes, the median of eleven.
fn start(binary: &Path) -> u128 {
    let mut times: Vec<u128> = (0..11)
        .map(|_| {
            let started = std::time::Instant::now();
            let output = Command::new(binary).arg("--version").output().expect("the binary starts");
            assert!(output.status.success(), "--version: {output:?}");
            started.elapsed().as_millis()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// All phases on a stack, in an account of its own.
fn measure_stack(binary: &Path, session: &Session, stack: Stack, latency: u64) -> Vec<Row> {
    let services = stack.services;
    let upstream = session.endpoint();
    let upstream = upstream.trim_start_matches("http://");
    let proxy = Proxy::start(upstream).expect("a proxy");
    proxy.plan(Box::new(move |_| Some(Fault::Delay(Duration::from_millis(latency)))));
    let mut rows = Vec::new();
    for (phase, arguments) in PHASES {
        eprintln!("{services} services, {latency} ms: {phase}");
        if phase.ends_with("without cache") {
            fs_err::remove_dir_all(session.folder.join("state")).expect("a state that is there");
        }
        let mut command = session.command_of(binary, arguments);
        command.env("AWS_ENDPOINT_URL", &proxy.url);
        let said = session.folder.join("said");
        let file = fs_err::File::create(&said).expect("a file").into_file();
        let (cost, code) = measure::run(command, file).expect("the binary runs");
        let text = fs_err::read_to_string(&said).unwrap_or_default();
        assert_eq!(code, Some(0), "{phase} failed:\n{text}");
        rows.push(Row { stack, latency, phase, counts: proxy.take(), cost });
        let objects = session.objects().iter().filter(|object| object.kind != "task").count();
        if *phase == "apply" {
            let least = stack.objects.map_or(1, |objects| objects - PARTS);
            assert!(objects >= least, "{objects} objects, not {least}:\n{text}");
        }
        if *phase == "destroy" {
            assert_eq!(objects, 0, "left behind: {:?}", session.objects());
        }
    }
    rows
}

fn print_costs(rows: &[Row]) {
    println!(
        "| services | latency | phase | calls | budget | of these changes | wall | CPU | resident |"
    );
    println!("|---:|---:|---|---:|---:|---:|---:|---:|---:|");
    for row in rows {
        let Row { stack: Stack { services, objects }, latency, phase, cost, .. } = row;
        let budget = match (*phase, objects) {
            (BUDGETED, _) => format!("{}", 60 + 22 * services / 10),
            ("apply", Some(objects)) => format!("{}*", objects * 13 / 10),
            _ => String::new(),
        };
        let cpu =
            cost.cpu.map_or_else(|| "?".to_owned(), |cpu| format!("{:.2} s", cpu.as_secs_f64()));
        let resident =
            cost.resident.map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1024));
        println!(
            "| {services} | {latency} ms | {phase} | {} | {budget} | {} | {:.2} s | {cpu} | {resident} |",
            row.calls(),
            row.changes(),
            cost.wall.as_secs_f64(),
        );
    }
}

/// A table of operations, a column for each number of services.
fn print_operations(rows: &[Row], phase: &str, latency: u64) {
    let rows: Vec<&Row> =
        rows.iter().filter(|row| row.phase == phase && row.latency == latency).collect();
    let mut operations: Vec<&String> = rows.iter().flat_map(|row| row.counts.keys()).collect();
    operations.sort();
    operations.dedup();
    println!("### Calls of {phase}\n");
    let heads: Vec<String> = rows.iter().map(|row| format!("N = {}", row.stack.services)).collect();
    println!("| operation | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(heads.len()));
    for operation in operations {
        let counts: Vec<String> = rows
            .iter()
            .map(|row| row.counts.get(operation).copied().unwrap_or_default().to_string())
            .collect();
        println!("| {operation} | {} |", counts.join(" | "));
    }
    println!();
}

/// How calls grow from the least to the greatest stack.
fn print_growth(rows: &[Row], latency: u64) {
    println!("### Growth\n\n| phase | calls a service | once |\n|---|---:|---:|");
    for (phase, _) in PHASES {
        let mut of = rows.iter().filter(|row| row.phase == *phase && row.latency == latency);
        let (Some(first), Some(last)) = (of.next(), of.next_back()) else { continue };
        let services = (last.stack.services - first.stack.services).max(1);
        let each = (last.calls() as f64 - first.calls() as f64) / services as f64;
        let once = first.calls() as f64 - each * first.stack.services as f64;
        println!("| {phase} | {each:.2} | {once:.0} |");
    }
}
