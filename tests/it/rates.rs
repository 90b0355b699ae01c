//! AWS's documented rates, kept by a proxy between the binary and the test AWS: a stack of many services
//! is planned, made and destroyed within them, nearly nothing is refused, and nobody hears of it.

use std::time::{Duration, Instant};

use crate::harness::Session;
use crate::harness::proxy::Proxy;
use crate::harness::proxy::rates::{Allowance, Use};
use crate::harness::stack::with_services;

/// Of all calls, at most this share may be refused.
const REFUSED: f64 = 0.02;

/// An apply may take this many times what the rates allow …
const SLACK: f64 = 1.3;

/// … and this for what is not calls in a row of one bucket: the network and the cluster before the first
/// target group, and the last service's tasks, which the test AWS starts as slowly as the real one in small.
const AROUND: Duration = Duration::from_secs(10);

/// No command on the greatest stack takes longer.
const PATIENCE: Duration = Duration::from_secs(900);

/// What a user would see of a refusal.
const TELLING: [&str; 5] =
    ["hrottl", "imitExceeded", "ate exceeded", "TooMany", "the test has it so"];

/// What is run on each stack, in this order. The plan after the apply is empty.
const COMMANDS: [&[&str]; 4] =
    [&["plan"], &["apply", "--yes"], &["plan", "--detailed-exitcode"], &["destroy", "--yes"]];

/// What a command took.
struct Took {
    command: &'static str,
    calls: usize,
    refused: usize,
    wall: Duration,
    /// What the scarcest of the rates allows.
    allowed: Duration,
}

/// Runs everything on a stack with that many services.
#[expect(clippy::print_stdout, reason = "the figures, for whoever asks with --nocapture")]
fn live(services: usize) -> Vec<Took> {
    let mut session = Session::with(&with_services(services));
    session.patience = PATIENCE;
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    let allowance = Allowance::default();
    proxy.plan(allowance.plan());
    let run = |arguments: &&'static [&'static str]| {
        let began = Instant::now();
        let output = session.run_through(&proxy, arguments).exits(0);
        let wall = began.elapsed();
        for word in TELLING {
            assert!(!output.stdout.contains(word) && !output.stderr.contains(word), "{output:?}");
        }
        let used = allowance.take();
        let sum = |part: fn(&Use) -> usize| used.values().map(part).sum::<usize>();
        let took = Took {
            command: arguments[0],
            calls: proxy.take().values().sum(),
            refused: sum(|used| used.refused),
            wall,
            allowed: used.values().map(|used| used.allowed).max().unwrap_or_default(),
        };
        println!("{services} services, {took}");
        for (bucket, Use { served, refused, allowed }) in used {
            if refused > 0 || !allowed.is_zero() {
                println!("    {served} served, {refused} refused, {allowed:.1?}: {bucket}");
            }
        }
        took
    };
    let took: Vec<Took> = COMMANDS.iter().map(run).collect();
    let left = session.objects();
    assert!(left.iter().all(|object| object.kind == "task"), "left behind: {left:?}");
    took
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, calls, refused, wall, allowed } = self;
        let share = 100.0 * *refused as f64 / *calls as f64;
        write!(
            f,
            "{command}: {calls} calls, {refused} of them refused ({share:.2} %), {wall:.1?} \
             where the rates allow {allowed:.1?}"
        )
    }
}

/// B41: more calls than several buckets hold. The destroy begins with what the apply has left in them, and
/// as many calls as are under way at once may be refused before it knows: of a small stack's destroy alone
/// that is more.
#[test]
fn b41_hardly_a_call_is_refused_for_its_pace() {
    let took = live(15);
    let sum = |part: fn(&Took) -> usize| took.iter().map(part).sum::<usize>();
    let (calls, refused) = (sum(|took| took.calls), sum(|took| took.refused));
    assert!(refused as f64 <= REFUSED * calls as f64, "{refused} of {calls}");
}

/// B41: 200 services, and in hardly more time than AWS allows.
#[test]
#[ignore = "takes minutes: tests/run soak"]
fn b41_200_services_go_as_fast_as_the_rates_allow() {
    for took in live(200) {
        assert!(took.refused as f64 <= REFUSED * took.calls as f64, "{took}");
        assert!(took.wall <= took.allowed.mul_f64(SLACK) + AROUND, "{took}");
    }
}
