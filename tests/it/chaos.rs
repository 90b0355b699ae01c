//! Whatever dies, whenever: the next run of the same command finishes the job, with nothing made twice,
//! nothing lost and nothing done by hand.
//!
//! A stack of the size of a small product is made, changed and destroyed, with trouble at each call that
//! changes something. What then stands is compared with what an undisturbed life leaves.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::proxy::{Fault, Plan, Proxy, Side};
use crate::harness::session::Output;
use crate::harness::{Session, chosen};

/// Lives that are lived at once, in all tests here. Most of a life is waiting; but each needs answers of the one
/// server, and with too many of them it is the machine that fails.
const WIDTH: usize = 10;

/// How many more may begin.
static FREE: Mutex<usize> = Mutex::new(WIDTH);
/// Told when one has ended.
static ENDED: Condvar = Condvar::new();

/// The right to live a life.
struct Place;

impl Place {
    fn take() -> Self {
        let free = FREE.lock().expect("no holder panics");
        *ENDED.wait_while(free, |free| *free == 0).expect("no holder panics") -= 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *FREE.lock().expect("no holder panics") += 1;
        ENDED.notify_one();
    }
}

/// How long the test AWS may take to let go of what is on its way out.
const LETS_GO: Duration = Duration::from_secs(3);

/// A part of a life: a command, after edits of the spec.
struct Stage {
    command: &'static str,
    edits: &'static [(&'static str, &'static str)],
}

const STAGES: [Stage; 3] = [
    Stage { command: "apply", edits: &[("count  = 2", SCALED)] },
    Stage {
        command: "apply",
        edits: &[
            // Another revision, target group and two security groups, and another load balancer; so the
            // listener, the rule and the service move; under a domain, with a certificate and a record. A
            // subnet goes over to another route table.
            ("port  = 8080", "port  = 8081"),
            ("public = true", "public = false\ndomain = \"scorekeep.example.com\""),
            ("[env.prod]", REPLACED),
            // The policy follows the target group; another takes the place of one; an alarm changes.
            ("cpu = 60", "memory = 60"),
            ("errors = 5", "errors = 6"),
            // It is found under another name.
            ("{ name = \"score\"", "{ name = \"scores\", ttl = \"5s\""),
            // Everything in place.
            ("team = \"games\"", "team = \"toys\""),
        ],
    },
    Stage { command: "destroy", edits: &[] },
];

/// The count follows the load, and the service has a name in DNS.
const SCALED: &str = "count  = { min = 2, max = 4, cpu = 60, requests = 800 }\nalarms = { errors = 5 }\ndiscover = { name = \"score\", container = \"api\" }";

const REPLACED: &str = r#"[aws.target-group.scorekeep]
protocol-version = "HTTP2"
[aws.security-group.scorekeep]
description = "another"
[aws.security-group.alb-main]
description = "another"
[aws.route-table.public]
subnets = ["${subnet.public-a.id}"]
[aws.route-table.other]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.public-b.id}"]

[env.prod]"#;

/// What an undisturbed life has after each stage, and how many calls that change something it took.
struct Calm {
    objects: Vec<String>,
    changes: usize,
}

static CALM: LazyLock<Vec<Calm>> = LazyLock::new(|| {
    let life = Life::begin(false);
    let live = |stage: &Stage| {
        life.edit(stage);
        life.proxy.plan(pass());
        life.session.run_through(&life.proxy, &stage.arguments()).exits(0);
        Calm { changes: life.proxy.changes(), objects: life.objects() }
    };
    STAGES.iter().map(live).collect()
});

/// The weather in which a stack lives.
struct Weather {
    /// What a failure calls it.
    name: String,
    /// How many runs of a stage it troubles at most.
    storms: usize,
    /// Whether a stage that none of these brought to its end may have a run in peace.
    peace: bool,
    /// For how many seconds new objects of EC2, and new roles, cannot be seen.
    late: f64,
    /// Whether the lock and the journals lie in S3.
    shared: bool,
    /// The trouble of a run.
    plan: Box<dyn Fn() -> Plan + Send + Sync>,
}

/// The stack in an account of its own, with a proxy before it.
struct Life {
    session: Session,
    proxy: Proxy,
}

impl Life {
    fn begin(shared: bool) -> Self {
        let session = Session::new();
        session.copy("examples/scorekeep/ecsctl.toml", "ecsctl.toml");
        if shared {
            let state = format!("[state]\nlease = \"2s\"\nstore = \"{}\"\n", session.bucket());
            session.replace("[vars]", &format!("{state}\n[vars]"));
        }
        session.copy("examples/scorekeep/tasks.toml", "tasks.toml");
        session.secrets("/scorekeep/session-key", "scorekeep/db");
        session.zone("example.com");
        let upstream = session.endpoint();
        let proxy = Proxy::start(upstream.trim_start_matches("http://")).expect("a proxy");
        Self { session, proxy }
    }

    fn edit(&self, stage: &Stage) {
        for (old, new) in stage.edits {
            self.session.replace(old, new);
        }
    }

    /// All stages; how often the weather struck, and how many calls there were.
    fn live(&self, weather: &Weather) -> (usize, usize) {
        let late = weather.late;
        self.session.set(&json!({"ec2-visible-after": late, "role-visible-after": late}));
        let mut struck = 0;
        for (number, (stage, calm)) in STAGES.iter().zip(&*CALM).enumerate() {
            self.edit(stage);
            let met = self.stand(stage, weather);
            struck += met.len();
            let stage = format!("stage {} ({}), {met:#?}", number + 1, stage.command);
            if !calm.objects.is_empty() {
                let left = self.session.run(&["plan", "--detailed-exitcode", "--var", "tag=v1"]);
                assert!(left.code == Some(0), "{stage}: something is left to do: {left:?}");
            }
            self.stands(&calm.objects, &stage);
        }
        (struck, self.proxy.take().values().sum())
    }

    /// Runs a stage until it is through; what struck.
    fn stand(&self, stage: &Stage, weather: &Weather) -> Vec<String> {
        let mut met = Vec::new();
        for run in 0.. {
            let storm = run < weather.storms;
            self.proxy.plan(if storm { (weather.plan)() } else { pass() });
            let output = self.session.run_through(&self.proxy, &stage.arguments());
            met.extend(self.proxy.struck());
            if output.code == Some(0) {
                break;
            }
            let again =
                run + 1 < weather.storms || (storm && weather.peace) || stood_still(&output);
            assert!(again, "{} after {met:#?}: {output:?}", stage.command);
        }
        met
    }

    /// Fails unless these objects stand, at once or soon.
    fn stands(&self, expected: &[String], stage: &str) {
        let since = Instant::now();
        while self.objects() != expected {
            let late = since.elapsed() > LETS_GO;
            assert!(!late, "{stage}: not what stands otherwise: {}", self.differs(expected));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn differs(&self, expected: &[String]) -> String {
        let (expected, found) = (expected.join("\n"), self.objects().join("\n"));
        similar::TextDiff::from_lines(&expected, &found)
            .unified_diff()
            .context_radius(0)
            .to_string()
    }

    /// Everything in the account by kind, address and tags, whatever its id.
    fn objects(&self) -> Vec<String> {
        let told = |mut object: crate::harness::Object| {
            // When the stage was run, and where the lock lies.
            for key in ["ecsctl:expires", "ecsctl:store"] {
                object.tags.remove(key);
            }
            format!("{} {:?}", object.kind, object.tags)
        };
        let mut objects: Vec<String> = self.session.objects().into_iter().map(told).collect();
        objects.sort();
        objects
    }
}

impl Stage {
    /// A run that was killed may have left its lock in S3.
    fn arguments(&self) -> [&'static str; 6] {
        [self.command, "--yes", "--var", "tag=v1", "--lock-timeout", "10s"]
    }
}

/// Whether no call to S3 was answered for as long as one is waited for. No weather here lasts so long: the
/// server or the machine had no time for it, and the lease ran out meanwhile.
fn stood_still(output: &Output) -> bool {
    output.stderr.contains("(all attempts including retries) occurred after 30s")
}

fn pass() -> Plan {
    Box::new(|_| None)
}

/// Lives in each weather, a few at once.
#[expect(clippy::print_stdout, reason = "the figures, for whoever asks with --nocapture")]
fn survive(weathers: Vec<Weather>) {
    let (began, lives) = (Instant::now(), weathers.len());
    let changes: Vec<usize> = CALM.iter().map(|calm| calm.changes).collect();
    let (queue, failures) = (Mutex::new(weathers.into_iter()), Mutex::new(Vec::new()));
    let (struck, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..WIDTH {
            scope.spawn(|| {
                let next = || queue.lock().expect("no holder panics").next();
                while let Some(weather) = next() {
                    let _place = Place::take();
                    let lived = catch_unwind(AssertUnwindSafe(|| {
                        Life::begin(weather.shared).live(&weather)
                    }));
                    match lived {
                        Ok((times, made)) => {
                            struck.fetch_add(times, Ordering::Relaxed);
                            calls.fetch_add(made, Ordering::Relaxed);
                        }
                        Err(panic) => {
                            let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                            let failure = format!("### {}: {why}", weather.name);
                            failures.lock().expect("no holder panics").push(failure);
                        }
                    }
                }
            });
        }
    });
    let (struck, calls, took) = (struck.into_inner(), calls.into_inner(), began.elapsed());
    println!(
        "{lives} lives of {changes:?} changing calls, struck {struck} times: {calls} calls, {took:.0?}"
    );
    let failures = failures.into_inner().expect("no holder panics");
    assert!(failures.is_empty(), "{} of {lives}:\n{}", failures.len(), failures.join("\n"));
}

/// Trouble at the `k`-th call that changes something.
fn nth(k: usize, fault: Fault) -> Plan {
    Box::new(move |seen| (seen.change == Some(k) && seen.attempt == 1).then_some(fault))
}

/// Trouble at each call that changes something, the first `times` that it is made.
fn each(fault: Fault, times: usize) -> Plan {
    Box::new(move |seen| (seen.change.is_some() && seen.attempt <= times).then_some(fault))
}

/// The most calls that change something, of all stages.
fn most() -> usize {
    CALM.iter().map(|calm| calm.changes).max().unwrap_or_default()
}

/// N1, B32, B35, B36, B37: killed before or after any call, the same command again finishes the job.
#[test]
fn n1_killed_at_any_call_the_next_run_finishes() {
    let sides = [Side::Before, Side::After];
    let cases = (1..=most()).flat_map(|k| sides.map(|side| (k, Fault::Kill(side))));
    let weather = |(k, fault)| Weather {
        name: format!("{fault:?} at change {k}"),
        storms: 1,
        peace: true,
        late: 0.0,
        shared: false,
        plan: Box::new(move || nth(k, fault)),
    };
    survive(cases.map(weather).collect());
}

/// How many lives share the calls whose replies are lost: each call's is, in one of them.
const SHARES: usize = 6;

/// N1, B35: a reply that is lost after the call took effect makes nothing twice, and the run goes on.
#[test]
fn n1_any_reply_may_be_lost() {
    let faults = [Fault::Drop(Side::After), Fault::Fail(Side::After)];
    let cases = (0..SHARES).flat_map(|share| faults.map(|fault| (share, fault)));
    let weather = |(share, fault)| Weather {
        name: format!("{fault:?} at changes {share}, {share} + {SHARES} …"),
        storms: 1,
        peace: false,
        late: 0.0,
        shared: false,
        plan: Box::new(move || {
            let picked = move |k: usize| k % SHARES == share;
            Box::new(move |seen| {
                (seen.attempt == 1 && seen.change.is_some_and(picked)).then_some(fault)
            })
        }),
    };
    survive(cases.map(weather).collect());
}

/// N1, B12, B41: so does trouble at every single call, with new objects that are not visible at once.
#[test]
fn n1_b41_every_call_may_fail_and_be_throttled() {
    let faults = [
        (Fault::Drop(Side::After), 1),
        (Fault::Drop(Side::Before), 1),
        (Fault::Fail(Side::After), 1),
        (Fault::Fail(Side::Before), 1),
        (Fault::Gateway, 1),
        (Fault::Truncate, 1),
        (Fault::Corrupt, 1),
        (Fault::Throttle, 3),
    ];
    let weather = |(fault, times)| Weather {
        name: format!("{fault:?} at each change, {times} times"),
        storms: 1,
        peace: false,
        late: 0.4,
        shared: false,
        plan: Box::new(move || each(fault, times)),
    };
    survive(faults.into_iter().map(weather).collect());
}

/// N1, B28: so does what instances are made of; and when each run is killed some changes later than the last.
#[test]
fn n1_b28_instances_come_and_go_in_any_weather() {
    come_and_go(&|session| session.copy("examples/batch/ecsctl.toml", "ecsctl.toml"));
}

/// N1: so do endpoints, and what their interfaces stand in.
#[test]
fn n1_endpoints_come_and_go_in_any_weather() {
    come_and_go(&|session| {
        session.write(
            "ecsctl.toml",
            r#"ecsctl = 1
stack  = "private"
region = "us-east-1"
[network]
nat       = "none"
endpoints = ["logs", "s3", "sqs"]
[aws.security-group.endpoints]
ingress = [{ protocol = "tcp", from-port = 443, to-port = 443, cidr = "10.0.0.0/16" }]
"#,
        );
    });
}

/// N1: so do network load balancers, with what leads through them and what logs they write.
#[test]
fn n1_network_load_balancers_come_and_go_in_any_weather() {
    come_and_go(&|session| {
        session.zone("example.com");
        session.copy("examples/mqtt/ecsctl.toml", "ecsctl.toml");
    });
}

/// N1: so do services that find each other by name and come one after the other, disks of tasks, and instances
/// that ECS manages.
#[test]
fn n1_connected_services_and_disks_change_in_any_weather() {
    change_in_any_weather(&CONNECTED);
}

/// N1: and they are killed at any call of a change.
#[test]
fn n1_connected_services_and_disks_are_killed_at_any_call() {
    change_killed_at_any_call(&CONNECTED);
}

/// N1: so do services whose requests move in steps, and whose rollout waits for somebody.
#[test]
fn n1_shifted_services_change_in_any_weather() {
    change_in_any_weather(&SHIFTED);
}

/// N1: and they are killed at any call of a change.
#[test]
fn n1_shifted_services_are_killed_at_any_call() {
    change_killed_at_any_call(&SHIFTED);
}

/// A stack, what is changed about it, and the service whose rollout waits for somebody meanwhile.
struct Plot {
    spec: &'static str,
    edits: &'static [(&'static str, &'static str)],
    waits: Option<&'static str>,
}

const CONNECTED: Plot = Plot {
    spec: r#"ecsctl = 1
stack  = "mesh"
region = "us-east-1"

[capacity.pool]
type = "managed"
need = { vcpu = "2..8" }

[service.cache]
image   = "valkey/valkey:8"
port    = 6379
public  = false
connect = true

[service.cache.volume.data]
type  = "ebs"
size  = "20GB"
mount = "/data"

[service.api]
image    = "shop/api:7"
port     = 8080
public   = false
connect  = true
capacity = "pool"
after    = ["cache"]
env      = { CACHE = "${service.cache.url}" }

[service.web]
image  = "shop/web:7"
port   = 3000
public = false
after  = ["api"]
env    = { API = "${service.api.url}" }
"#,
    edits: &[
        // The disks, the names, the instances: some in place, some replaced.
        ("size  = \"20GB\"", "size  = \"30GB\""),
        ("port    = 6379", "port    = 6380"),
        ("need = { vcpu = \"2..8\" }", "need = { vcpu = \"4..8\" }\nspot = \"100%\""),
        ("shop/api:7", "shop/api:8"),
        ("after  = [\"api\"]", "after  = [\"cache\"]"),
    ],
    waits: None,
};

const SHIFTED: Plot = Plot {
    spec: r#"ecsctl = 1
stack  = "steps"
region = "us-east-1"

[network]
mode = "public"

[service.web]
image  = "shop/web:7"
port   = 3000
deploy = { strategy = "blue-green", pause = "post-test-traffic", test-port = 9000, bake = "1m" }

[service.api]
image  = "shop/api:7"
port   = 8080
http   = "/api/*"
deploy = { strategy = "canary", percent = 10, step = "5m", alarms = ["errors"] }
alarms = { errors = 10 }

[service.old]
image  = "shop/old:7"
port   = 8081
http   = "/old/*"
deploy = "rolling"
"#,
    edits: &[
        ("shop/web:7", "shop/web:8"),
        ("shop/api:7", "shop/api:8"),
        ("port   = 8080", "port   = 8082"),
        // It begins to move requests, and has two target groups from then on.
        ("deploy = \"rolling\"", "deploy = \"linear 50% 1m\""),
    ],
    waits: Some("web"),
};

impl Plot {
    /// The stack in an account of its own.
    fn begin(&self) -> (Session, Proxy) {
        let session = Session::with(self.spec);
        let proxy = Proxy::start(session.endpoint().trim_start_matches("http://"));
        (session, proxy.expect("a proxy"))
    }

    /// One run, while somebody lets go on what waits.
    fn run(&self, command: &str, session: &Session, proxy: &Proxy) -> Output {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            if let Some(name) = self.waits.filter(|_| command == "apply") {
                let over = &over;
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        session.run(&["continue", name, "--yes"]);
                        std::thread::sleep(Duration::from_millis(200));
                    }
                });
            }
            let output = session.run_through(proxy, &[command, "--yes"]);
            over.store(true, Ordering::Relaxed);
            output
        })
    }

    /// Runs until it is through, each run in its own weather.
    fn stand(&self, command: &str, life: (&Session, &Proxy), weather: &dyn Fn(usize) -> Plan) {
        let (session, proxy) = life;
        let mut met = Vec::new();
        for run in 0..60 {
            proxy.plan(weather(run));
            let output = self.run(command, session, proxy);
            met.extend(proxy.struck());
            if output.code == Some(0) {
                if command == "apply" {
                    let left = session.run(&["plan", "--detailed-exitcode"]);
                    assert_eq!(left.code, Some(0), "{met:#?}: something is left to do: {left:?}");
                }
                return;
            }
            assert_ne!(output.code, Some(4), "{met:#?}: nothing is wrong with it: {output:?}");
        }
        panic!("{command} does not come to its end: {met:#?}");
    }
}

/// A stack comes, changes and goes, though each run is troubled.
fn change_in_any_weather(plot: &Plot) {
    let live = |weather: &fn(usize) -> Plan| {
        let _place = Place::take();
        let (session, proxy) = plot.begin();
        plot.stand("apply", (&session, &proxy), weather);
        plot.edits.iter().for_each(|(old, new)| session.replace(old, new));
        plot.stand("apply", (&session, &proxy), weather);
        plot.stand("destroy", (&session, &proxy), weather);
        assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
    };
    std::thread::scope(|scope| {
        for weather in &WEATHERS {
            scope.spawn(move || live(weather));
        }
    });
}

/// Whether there is time for everything: `tests/run soak`.
fn is_soak() -> bool {
    chosen("ECSCTL_TEST_LIVES", LIVES) > LIVES
}

/// How many lives share the calls of a change before or after which a run dies.
const TURNS: usize = 3;

/// A stack changes there and back, and the run dies before or after each call in turn: each third one, but all
/// of them in a soak.
fn change_killed_at_any_call(plot: &Plot) {
    let live = |side: Side, first: usize| {
        let _place = Place::take();
        let (session, proxy) = plot.begin();
        plot.stand("apply", (&session, &proxy), &|_| pass());
        plot.edits.iter().for_each(|(old, new)| session.replace(old, new));
        plot.stand("apply", (&session, &proxy), &|_| pass());
        // As many calls as an undisturbed change takes.
        let most = proxy.changes();
        for (turn, k) in (first..=most).step_by(TURNS).enumerate() {
            for (old, new) in plot.edits {
                let (from, to) = if turn % 2 == 0 { (new, old) } else { (old, new) };
                session.replace(from, to);
            }
            let weather = |run: usize| if run == 0 { nth(k, Fault::Kill(side)) } else { pass() };
            plot.stand("apply", (&session, &proxy), &weather);
        }
        plot.stand("destroy", (&session, &proxy), &|_| pass());
        assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
    };
    let live = &live;
    std::thread::scope(|scope| {
        for (side, of_the_day) in [(Side::Before, 1), (Side::After, 2)] {
            for first in (1..=TURNS).filter(|first| is_soak() || *first == of_the_day) {
                scope.spawn(move || live(side, first));
            }
        }
    });
}

const WEATHERS: [fn(usize) -> Plan; 7] = [
    |run| nth(1 + 2 * run, Fault::Kill(Side::After)),
    |run| nth(2 + 3 * run, Fault::Kill(Side::Before)),
    |_| each(Fault::Drop(Side::After), 1),
    |_| each(Fault::Fail(Side::After), 1),
    |_| each(Fault::Fail(Side::Before), 1),
    |_| each(Fault::Corrupt, 1),
    |_| each(Fault::Throttle, 3),
];

/// The stack of a spec comes and goes, though each run is troubled.
fn come_and_go(write: &(dyn Fn(&Session) + Sync)) {
    let live = |weather: &fn(usize) -> Plan| {
        let _place = Place::take();
        let session = Session::new();
        write(&session);
        let upstream = session.endpoint();
        let proxy = Proxy::start(upstream.trim_start_matches("http://")).expect("a proxy");
        for command in ["apply", "destroy"] {
            let through = |run: usize| {
                proxy.plan(weather(run));
                session.run_through(&proxy, &[command, "--yes"]).code == Some(0)
            };
            assert!((0..60).any(through), "{command}: {:?}", proxy.struck());
            if command == "apply" {
                session.run(&["plan", "--detailed-exitcode"]).exits(0);
            }
        }
        assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
    };
    std::thread::scope(|scope| {
        for weather in &WEATHERS {
            scope.spawn(move || live(weather));
        }
    });
}

/// N1: a subnet that somebody took away comes back. Its association has another id each time, and an
/// attempt after a lost reply looks for it.
#[test]
fn n1_a_subnet_comes_back_to_its_table_once() {
    let session = Session::with(
        r#"ecsctl = 1
stack  = "moves"
region = "us-east-1"
[aws.vpc.main]
cidr = "10.0.0.0/16"
[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"
[aws.route-table.one]
vpc-id = "${vpc.main.id}"
subnets = ["${subnet.a.id}"]
"#,
    );
    session.run(&["apply", "--yes"]).exits(0);
    let table = session.object("route-table.one").id;
    session.behind_its_back(async |aws| {
        let own = aws.ec2.describe_route_tables().route_table_ids(&table).send().await;
        let own = own.expect("the table").route_tables.expect("one").remove(0);
        let association = own.associations()[0].route_table_association_id().expect("an id");
        let other = aws.ec2.create_route_table().vpc_id(own.vpc_id().expect("a VPC")).send().await;
        let other = other.expect("a table").route_table.expect("one");
        let call = aws.ec2.replace_route_table_association().association_id(association);
        let call = call.route_table_id(other.route_table_id().expect("an id"));
        call.send().await.expect("the association");
    });
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    proxy.plan(each(Fault::Drop(Side::After), 1));
    session.run_through(&proxy, &["apply", "--yes"]).exits(0);
    assert!(proxy.take().contains_key("ReplaceRouteTableAssociation"), "{:?}", proxy.struck());
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
}

/// N1: an address that somebody has released is made again, and the dead one is not taken for what a
/// call without an answer has made.
#[test]
fn n1_what_is_gone_is_not_what_a_lost_call_has_made() {
    let spec = "ecsctl = 1\nstack = \"lost\"\nregion = \"us-east-1\"\n[aws.elastic-ip.a]\n";
    let session = Session::with(spec);
    session.run(&["apply", "--yes"]).exits(0);
    let id = session.object("elastic-ip.a").id;
    session.behind_its_back(async |aws| {
        aws.ec2.release_address().allocation_id(&id).send().await.expect("a release");
    });
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    proxy.plan(each(Fault::Drop(Side::After), 1));
    session.run_through(&proxy, &["apply", "--yes"]).exits(0);
    assert_ne!(session.object("elastic-ip.a").id, id);
    assert_eq!(proxy.struck().len(), 1);
}

/// N1, N9: neither does trouble with what lies in a store that machines share.
#[test]
fn n1_n9_trouble_with_the_lock_and_the_journals_stops_nothing() {
    let cases = FAULTS.iter().flat_map(|fault| [1, 2, 3].map(|number| (*fault, number)));
    let weather = |(fault, number)| Weather {
        name: format!("{fault:?} at write {number} to S3"),
        storms: 1,
        peace: matches!(fault, Fault::Kill(_)),
        late: 0.0,
        shared: true,
        plan: Box::new(move || {
            let mut writes = 0;
            Box::new(move |seen| {
                writes += usize::from(seen.operation == "PutObject");
                (seen.operation == "PutObject" && writes == number).then_some(fault)
            })
        }),
    };
    survive(cases.map(weather).collect());
}

/// Lives in random weather, unless `ECSCTL_TEST_LIVES` says otherwise.
const LIVES: u64 = 12;

/// N1: anything at any call, reads too, run after run; some runs hardly begin. In time it ends. With
/// another number in `ECSCTL_TEST_SEED` the weather is another.
#[test]
fn n1_anything_may_go_wrong_anywhere() {
    let weather = |seed| {
        let runs = AtomicU64::new(0);
        Weather {
            name: format!("seed {seed}"),
            storms: 4,
            peace: true,
            late: 0.1 * (seed / 4 % 4) as f64,
            shared: seed % 3 == 0,
            plan: Box::new(move || random(seed, runs.fetch_add(1, Ordering::Relaxed))),
        }
    };
    let first = chosen("ECSCTL_TEST_SEED", 1);
    survive((first..first + chosen("ECSCTL_TEST_LIVES", LIVES)).map(weather).collect());
}

/// Trouble at one call in ten to forty: for a seed and run the same, whatever order the calls come in.
fn random(seed: u64, run: u64) -> Plan {
    let sides = FAULTS.len() * 10 * usize::try_from(1 + seed % 4).expect("a small number");
    let mut counts = BTreeMap::<String, u64>::new();
    Box::new(move |seen| {
        let count = counts.entry(seen.operation.to_owned()).or_default();
        *count += 1;
        let mut dice = DefaultHasher::new();
        (seed, run, seen.operation, *count).hash(&mut dice);
        let roll = dice.finish() % u64::try_from(sides).expect("a small number");
        usize::try_from(roll).ok().and_then(|roll| FAULTS.get(roll).copied())
    })
}

const FAULTS: [Fault; 12] = [
    Fault::Kill(Side::Before),
    Fault::Kill(Side::After),
    Fault::Fail(Side::Before),
    Fault::Fail(Side::After),
    Fault::Drop(Side::Before),
    Fault::Drop(Side::After),
    Fault::Gateway,
    Fault::Throttle,
    Fault::Delay(Duration::from_millis(300)),
    Fault::Truncate,
    Fault::Corrupt,
    Fault::Refuse(Duration::from_millis(300)),
];
