//! The commands as a user meets them, on the simulator: all of stdout, stderr and the exit code.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use insta::assert_snapshot;
use serde_json::Value as Json;

/// The six-line spec.
const SPEC: &str = r#"ecsctl = 1
stack  = "hello"
region = "us-east-1"

[service.web]
image = "httpd:2.4"
port  = 80
"#;

/// A folder in which commands run, on a simulated account of its own.
struct Desk {
    folder: PathBuf,
}

/// What came of a command.
struct Came {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Desk {
    fn empty() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("cli-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs_err::create_dir_all(&folder).expect("a folder for the test");
        Self { folder }
    }

    fn with(spec: &str) -> Self {
        let desk = Self::empty();
        desk.write(spec);
        desk
    }

    fn write(&self, spec: &str) {
        ecsctl::store::write_atomic(&self.folder.join("ecsctl.toml"), spec.as_bytes())
            .expect("the folder can be written");
    }

    /// `ecsctl` without a terminal; nothing of this process's environment reaches it.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecsctl"));
        command.args(line.split_whitespace()).current_dir(&self.folder).env_clear();
        command.env("ECSCTL_CLOUD", "sim").env("ECSCTL_SIM_SCALE", "0.0005");
        command.env("TMPDIR", &self.folder).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Came {
        self.came(&mut self.command(line))
    }

    fn came(&self, command: &mut Command) -> Came {
        let output = command.output().expect("the binary runs");
        Came {
            stdout: String::from_utf8(output.stdout).expect("stdout is text"),
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
            code: output.status.code(),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.folder);
    }
}

impl Came {
    /// Everything, without what differs from run to run: times, identifiers, the order of progress.
    fn text(&self) -> String {
        let mut progress: Vec<String> = self.stderr.lines().map(masked).collect();
        if self.stdout.contains("Done in") || self.stdout.contains("Not done") {
            progress.sort();
        }
        let stdout: Vec<String> = self.stdout.lines().map(masked).collect();
        let code = self.code.expect("no signal ended it");
        let mut parts = Vec::new();
        if !stdout.is_empty() {
            parts.push(stdout.join("\n"));
        }
        if !progress.is_empty() {
            parts.push(format!("--- stderr\n{}", progress.join("\n")));
        }
        parts.push(format!("--- exit {code}"));
        parts.join("\n")
    }

    fn json(&self) -> Json {
        let document: Json = serde_json::from_str(&self.stdout).expect("stdout is a JSON document");
        assert_eq!(document["format"], 1);
        let begin: String = self.stdout.split_whitespace().take(2).collect();
        assert!(begin.starts_with("{\"format\":"), "{}", self.stdout);
        document
    }

    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }
}

/// `(0.3 s)` → `(T)`, `Done in 0.3 s` → `Done in T`, moments → `DAY TIME UTC`, identifiers → `ID`.
fn masked(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(identifier).collect();
    for at in 1..words.len() {
        let unit = words[at].trim_end_matches([')', ':', '.']).to_owned();
        let number = words[at - 1].trim_start_matches('(').to_owned();
        if unit == "s" && number.parse::<f64>().is_ok() {
            words[at - 1] = words[at - 1].replace(&number, "T");
            words[at] = words[at].replacen('s', "", 1);
        }
    }
    for at in 2..words.len() {
        if words[at].starts_with("UTC") {
            (words[at - 2], words[at - 1]) = ("DAY".to_owned(), "TIME".to_owned());
        }
    }
    words.join(" ").replace("T )", "T)").replace("T :", "T:")
}

/// Identifiers are counted in the order in which things are made, which differs from run to run.
fn identifier(word: &str) -> String {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let runs: Vec<&str> = word.split(|c| !is_hex(c)).filter(|run| run.len() == 17).collect();
    let word = runs.iter().fold(word.to_owned(), |word, run| word.replace(run, "ID"));
    match (word.find("main-"), word.find(".us-east-1.elb")) {
        (Some(start), Some(end)) => format!("{}N{}", &word[..start + 5], &word[end..]),
        _ => word,
    }
}

#[test]
fn help() {
    let desk = Desk::empty();
    let mut text = desk.run("--help").exits(0).stdout;
    assert_eq!(desk.run("help").exits(0).stdout, text);
    for command in [
        "demo",
        "init",
        "import",
        "import taskdef",
        "import service",
        "import compose",
        "import dockerrun",
        "check",
        "render",
        "plan",
        "apply",
        "destroy",
        "policy",
        "policy run",
        "status",
        "graph",
        "ecr",
        "ecr login",
        "ecr registry",
        "schema",
        "explain",
        "state",
        "state show",
        "state rebuild",
        "lock",
        "lock show",
        "completions",
        "man",
        "version",
    ] {
        let help = desk.run(&format!("{command} -h")).exits(0).stdout;
        assert_eq!(desk.run(&format!("{command} --help")).exits(0).stdout, help);
        assert!(help.lines().count() <= 30, "{help}");
        assert!(help.lines().all(|line| line.len() <= 100), "{help}");
        let own = help.split("Shared options:").next().unwrap().trim_end();
        text.push_str(&format!("\n$ ecsctl {command} -h\n{own}\n"));
    }
    assert_snapshot!("help", text);
}

/// A command's help has no option that does nothing there.
#[test]
fn help_shows_what_means_something() {
    let desk = Desk::empty();
    let shared = |command: &str| {
        let help = desk.run(&format!("{command} --help")).exits(0).stdout;
        let shared = help.split_once("Shared options:").map_or("", |(_, shared)| shared);
        let words = shared.split_whitespace().filter(|word| word.starts_with("--"));
        words.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shared("man") + &shared("completions") + &shared("explain"), "");
    assert_eq!(shared("demo"), "--color --verbose --log");
    assert_eq!(shared("version"), "--format");
    for command in ["import compose", "ecr login"] {
        assert_eq!(shared(command), "--profile --region --color --log");
    }
    assert!(shared("plan").contains("--file"));
}

#[test]
fn usage_errors_exit_with_64() {
    let desk = Desk::empty();
    assert_snapshot!(desk.run("plann").text(), @"
    --- stderr
    error: unrecognized subcommand 'plann'

      tip: some similar subcommands exist: 'explain', 'plan'

    Usage: ecsctl [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 64
    ");
    assert_snapshot!(desk.run("plan --var x").text(), @"
    --- stderr
    error: invalid value 'x' for '--var <NAME=VALUE>': write NAME=VALUE

    For more information, try '--help'.
    --- exit 64
    ");
    assert_snapshot!(desk.run("status --format markdown").text(), @"
    --- stderr
    error: `status` has no Markdown form; only `plan` has
      hint: see `ecsctl help`
    --- exit 64
    ");
    assert_snapshot!(desk.run("status --log bogus=zz").text(), @"
    --- stderr
    error: --log is `bogus=zz`: write error, warn, info, debug, trace, or a filter such as ecsctl=debug
      hint: see `ecsctl help`
    --- exit 64
    ");
    assert_snapshot!(desk.run("destroy --stack hello").text(), @"
    --- stderr
    error[E0306]: nobody says which AWS region is meant
      hint: say `--region`, or set AWS_REGION
    --- exit 1
    ");
    assert_snapshot!(desk.run("explain E9999").stderr, @"
    error: there is no error `E9999`; did you mean E0413?
      hint: see `ecsctl help`
    ");
    assert_snapshot!(desk.run("explain e0208").stderr, @"
    error: there is no error `e0208`; did you mean E0207 or E0210?
      hint: see `ecsctl help`
    ");
    assert_snapshot!(desk.run("explain nothing").stderr, @"
    error: there is no key `nothing`; `ecsctl explain` lists what there is
      hint: see `ecsctl help`
    ");
    assert_eq!(desk.run("explain E107").exits(0).stdout, desk.run("explain 107").exits(0).stdout);
}

#[test]
fn init_writes_a_spec_once() {
    let desk = Desk::empty();
    assert_snapshot!(desk.run("init shop --region eu-west-1").text(), @"
    --- stderr
    wrote ecsctl.toml; now `ecsctl plan` shows what it stands for
    --- exit 0
    ");
    assert_snapshot!(desk.run("init shop").text(), @"
    --- stderr
    error: refused: `ecsctl.toml` exists already
      hint: name another file with `--file`
    --- exit 3
    ");
    assert_snapshot!(desk.run("check").text(), @"
    shop/default is in order: it declares 22 resources
    --- exit 0
    ");
    assert_snapshot!(desk.run("init -f q.toml").stderr, @"wrote q.toml; now `ecsctl plan -f q.toml` shows what it stands for");
    assert_snapshot!(desk.run("init Bad_Name -f other.toml").text(), @"
    --- stderr
    error[E0113]: `Bad_Name` is not a name
      hint: write `ecsctl init bad-name`
    --- exit 64
    ");
    assert_snapshot!(desk.run("init -f no/such/folder.toml").text(), @"
    --- stderr
    error[E0410]: `no/such/folder.toml` cannot be written: there is no folder `no/such`
      hint: make the folder first: `mkdir -p no/such`
    --- exit 1
    ");
    assert!(!desk.folder.join("other.toml").exists() && !desk.folder.join("no").exists());
}

/// What is imported is written once, and can be planned.
#[test]
fn an_import_is_a_spec() {
    let desk = Desk::empty();
    let compose = "services: { web: { image: httpd, ports: [80], privileged: true } }";
    ecsctl::store::write_atomic(&desk.folder.join("compose.yaml"), compose.as_bytes())
        .expect("the folder can be written");
    let line = "import compose compose.yaml --out ecsctl.toml --region us-east-1";
    assert_snapshot!(desk.run(line).text(), @"
    --- stderr
    warning[E0292]: `services.web.privileged` is not taken over: Fargate does not have it
    wrote ecsctl.toml; now `ecsctl plan` shows what it stands for
    --- exit 0
    ");
    assert_snapshot!(desk.run(line).text(), @"
    --- stderr
    error: refused: `ecsctl.toml` exists already
      hint: name another file with `--out`
    --- exit 3
    ");
    desk.run("plan").exits(0);
    assert_snapshot!(desk.run("import compose no.yaml").text(), @"
    --- stderr
    error[E0290]: `no.yaml` cannot be read: there is no such file
    --- exit 64
    ");
    assert_snapshot!(desk.run("import taskdef compose.yaml").text(), @"
    --- stderr
    error[E0290]: `compose.yaml` is not a task definition: expected value at line 1 column 1
    --- exit 64
    ");
    assert_snapshot!(desk.run("ecr login").text(), @"
    --- stderr
    error[E0316]: `ecsctl ecr` asks AWS, and a simulated account is meant
      hint: leave `--cloud sim` and ECSCTL_CLOUD out
    --- exit 64
    ");
}

#[test]
fn a_wrong_spec_is_shown_with_its_place() {
    let desk = Desk::with(&SPEC.replace("image", "imgae"));
    assert_snapshot!(desk.run("check").text(), @r#"
    --- stderr
    error[E0107]: unknown key `imgae` in service `web`
     --> ecsctl.toml:6:1
      |
    6 | imgae = "httpd:2.4"
      | ^^^^^ did you mean `image`?

    1 error
    --- exit 64
    "#);
    let found = desk.run("check --format json").exits(64).json();
    assert_eq!(found["diagnostics"][0]["severity"], "error");
}

#[test]
fn a_missing_spec_is_named() {
    assert_snapshot!(Desk::empty().run("plan").text(), @"
    --- stderr
    error[E0104]: `ecsctl.toml` cannot be read: there is no such file
      hint: name the spec with -f FILE, or begin one with `ecsctl init`
    --- exit 64
    ");
}

/// Where something is that cannot be a spec, a new one is no help.
#[test]
fn what_is_no_spec_is_told_so() {
    let desk = Desk::empty();
    assert_snapshot!(desk.run("check -f .").stderr, @"
    error[E0104]: `.` cannot be read: it is a folder
      hint: name the file in it: -f FOLDER/ecsctl.toml
    ");
    ecsctl::store::write_atomic(&desk.folder.join("latin.toml"), b"# \xe9\n").unwrap();
    assert_snapshot!(desk.run("check -f latin.toml").stderr, @"
    error[E0104]: `latin.toml` cannot be read: it is not UTF-8 text
      hint: save it as UTF-8, or name the spec with -f FILE
    ");
}

/// The whole life of a stack. B1: after every apply the plan is empty. B33: nothing is left.
#[test]
fn a_stack_lives() {
    let desk = Desk::with(SPEC);
    assert_snapshot!(desk.run("plan").text(), @"
    hello/default  us-east-1  123456789012

    + create cluster main             hello-default-main
    + create elastic IP nat-a
    + create VPC main                 10.0.0.0/16
    + create internet gateway main
    + create subnet private-a         10.0.0.0/20  us-east-1a
    + create subnet private-b         10.0.16.0/20  us-east-1b
    + create subnet public-a          10.0.128.0/24  us-east-1a
    + create subnet public-b          10.0.129.0/24  us-east-1b
    + create security group alb-main  1 rule  load balancer main
    + create security group web       1 rule  service web
    + create route table private      1 route  2 subnets
    + create route table public       1 route  2 subnets
    + create load balancer main       internet-facing  2 subnets
    + create listener main-http       HTTP  port 80
    + create target group web         HTTP  port 80
    + create listener rule web        priority 49484
    + create log group web            /ecsctl/hello/default/web  retention in days 14
    + create NAT gateway a
    + create role web-execution       starts the tasks of web  1 inline policy
    + create role web-task            what the tasks of web may do  1 inline policy
    + create task definition web      cpu 256  memory 512  httpd:2.4
    + create service web              desired count 1

    22 to create, 0 to change, 0 to replace, 0 to destroy.
    note: 1 NAT gateway, about 33 USD a month; `network.mode = 'public'` needs none
    --- exit 0
    ");
    assert_snapshot!(desk.run("apply --yes").text(), @"
    hello/default  us-east-1  123456789012

    + create cluster main             hello-default-main
    + create elastic IP nat-a
    + create VPC main                 10.0.0.0/16
    + create internet gateway main
    + create subnet private-a         10.0.0.0/20  us-east-1a
    + create subnet private-b         10.0.16.0/20  us-east-1b
    + create subnet public-a          10.0.128.0/24  us-east-1a
    + create subnet public-b          10.0.129.0/24  us-east-1b
    + create security group alb-main  1 rule  load balancer main
    + create security group web       1 rule  service web
    + create route table private      1 route  2 subnets
    + create route table public       1 route  2 subnets
    + create load balancer main       internet-facing  2 subnets
    + create listener main-http       HTTP  port 80
    + create target group web         HTTP  port 80
    + create listener rule web        priority 49484
    + create log group web            /ecsctl/hello/default/web  retention in days 14
    + create NAT gateway a
    + create role web-execution       starts the tasks of web  1 inline policy
    + create role web-task            what the tasks of web may do  1 inline policy
    + create task definition web      cpu 256  memory 512  httpd:2.4
    + create service web              desired count 1

    22 to create, 0 to change, 0 to replace, 0 to destroy.
    note: 1 NAT gateway, about 33 USD a month; `network.mode = 'public'` needs none

    Done in T: 22 created.
    url = http://hello-default-main-N.us-east-1.elb.amazonaws.com
    --- stderr

    created NAT gateway a (T)
    created VPC main (T)
    created cluster main (T)
    created elastic IP nat-a (T)
    created internet gateway main (T)
    created listener main-http (T)
    created listener rule web (T)
    created load balancer main (T)
    created log group web (T)
    created role web-execution (T)
    created role web-task (T)
    created route table private (T)
    created route table public (T)
    created security group alb-main (T)
    created security group web (T)
    created service web (T)
    created subnet private-a (T)
    created subnet private-b (T)
    created subnet public-a (T)
    created subnet public-b (T)
    created target group web (T)
    created task definition web (T)
    --- exit 0
    ");
    assert_snapshot!(desk.run("plan --detailed-exitcode").text(), @"
    hello/default  us-east-1  123456789012

    Nothing to do: live AWS is as declared (22 resources).
    --- exit 0
    ");
    assert_snapshot!(desk.run("status").text(), @"
    hello/default  us-east-1  123456789012  22 resources
    url      http://hello-default-main-N.us-east-1.elb.amazonaws.com

    service web  hello-default-web:1  1 of 1 task running  steady
                 last deployment: hello-default-web:1, done at DAY TIME UTC
    --- exit 0
    ");
    desk.write(&SPEC.replace("2.4", "2.5"));
    assert_eq!(desk.run("plan --detailed-exitcode").code, Some(2));
    assert_snapshot!(desk.run("apply --yes").text(), @"
    hello/default  us-east-1  123456789012

    ~ change task definition web
        containers.web.image  httpd:2.4 → httpd:2.5
    ~ change service web          rolls :1 → a new revision
        task-definition  …task-definition/hello-default-web:1 → (known after task-definition.web is updated)

    0 to create, 2 to change, 0 to replace, 0 to destroy. 20 others are as declared.

    Done in T: 2 changed.
    url = http://hello-default-main-N.us-east-1.elb.amazonaws.com
    --- stderr

    changed service web (T)
    changed task definition web (T)
    --- exit 0
    ");
    assert_snapshot!(desk.run("destroy --yes").text(), @"
    hello/default  us-east-1  123456789012  everything is destroyed

    - destroy service web              …service/hello-default-main/hello-default-web
    - destroy cluster main             …cluster/hello-default-main
    - destroy listener rule web        …listener-rule/app/ID
    - destroy listener main-http       …listener/app/ID
    - destroy load balancer main       …loadbalancer/app/hello-default-main/ID
    - destroy route table private      rtb-ID
    - destroy route table public       rtb-ID
    - destroy NAT gateway a            nat-ID
    - destroy elastic IP nat-a         eipalloc-ID
    - destroy internet gateway main    igw-ID
    - destroy security group alb-main  sg-ID
    - destroy security group web       sg-ID
    - destroy subnet private-a         subnet-ID
    - destroy subnet private-b         subnet-ID
    - destroy subnet public-a          subnet-ID
    - destroy subnet public-b          subnet-ID
    - destroy target group web         …targetgroup/hello-default-web/ID
    - destroy task definition web      …task-definition/hello-default-web:2
    - destroy role web-execution       …role/ecsctl/hello/default/hello-default-web-execution
    - destroy role web-task            …role/ecsctl/hello/default/hello-default-web-task
    - destroy log group web            …log-group:/ecsctl/hello/default/web  with all its logs
    - destroy VPC main                 vpc-ID

    0 to create, 0 to change, 0 to replace, 22 to destroy.

    Done in T: 22 destroyed.
    --- stderr

    destroyed NAT gateway a (T)
    destroyed VPC main (T)
    destroyed cluster main (T)
    destroyed elastic IP nat-a (T)
    destroyed internet gateway main (T)
    destroyed listener main-http (T)
    destroyed listener rule web (T)
    destroyed load balancer main (T)
    destroyed log group web (T)
    destroyed role web-execution (T)
    destroyed role web-task (T)
    destroyed route table private (T)
    destroyed route table public (T)
    destroyed security group alb-main (T)
    destroyed security group web (T)
    destroyed service web (T)
    destroyed subnet private-a (T)
    destroyed subnet private-b (T)
    destroyed subnet public-a (T)
    destroyed subnet public-b (T)
    destroyed target group web (T)
    destroyed task definition web (T)
    --- exit 0
    ");
    assert_snapshot!(desk.run("destroy --yes").text(), @"
    hello/default  us-east-1  123456789012

    Nothing to do: there is no stack `hello/default` in account 123456789012 in us-east-1.
    --- exit 0
    ");
}

/// N2: the plan needs nothing of what is kept between runs.
#[test]
fn the_plan_is_the_same_without_state() {
    let desk = Desk::with(SPEC);
    desk.run("apply --yes").exits(0);
    fs_err::remove_dir_all(desk.folder.join("state/hello")).unwrap();
    desk.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn destroy_needs_no_spec() {
    let desk = Desk::with(SPEC);
    desk.run("apply --yes").exits(0);
    fs_err::remove_file(desk.folder.join("ecsctl.toml")).unwrap();
    desk.run("destroy --yes --stack hello --region us-east-1").exits(0);
    desk.write(SPEC);
    assert_eq!(desk.run("status --format json").exits(0).json()["status"]["resources"], 0);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let desk = Desk::with(SPEC);
    let refused = desk.run("apply").exits(3);
    assert_snapshot!(refused.stderr, @"
    error: refused: nothing is applied without a yes, and nobody is here to give it
      hint: look at the plan, then add `--yes`
    ");
    let refused = desk.run("apply --format json").exits(3);
    assert_eq!(refused.stdout, "");
    assert!(!desk.folder.join("state/sim-us-east-1.json").exists());
}

#[test]
fn a_protected_stack_is_not_destroyed() {
    let desk = Desk::with(&format!("protect = true\n{SPEC}"));
    assert_snapshot!(desk.run("destroy --yes").text(), @"
    --- stderr
    error[E0212]: `hello/default` is protected
      hint: take `protect = true` out of the spec and apply that first
    --- exit 3
    ");
    let told = desk.run("destroy --yes --format json").exits(3).json();
    assert_eq!(told["diagnostics"][0]["code"], "E0212");
}

/// B15: a rollout that was rolled back is no success.
#[test]
fn a_bad_image_exits_with_4() {
    let desk = Desk::with(SPEC);
    desk.run("apply --yes").exits(0);
    desk.write(&SPEC.replace("2.4", "bad-exit"));
    assert_snapshot!(desk.run("apply --yes").text(), @"
    hello/default  us-east-1  123456789012

    ~ change task definition web
        containers.web.image  httpd:2.4 → httpd:bad-exit
    ~ change service web          rolls :1 → a new revision
        task-definition  …task-definition/hello-default-web:1 → (known after task-definition.web is updated)

    0 to create, 2 to change, 0 to replace, 0 to destroy. 20 others are as declared.

    rollout failed: service web: hello-default-web:2 was rolled back, hello-default-web:1 serves
      reason: ECS deployment circuit breaker: tasks failed to start.
      - container `web`: Essential container in task exited (exit code 1)
      hint: see `ecsctl explain E0313`

    Not done after T: 1 changed. Mend the cause and run the same command again: it goes on from here.
    url = http://hello-default-main-N.us-east-1.elb.amazonaws.com
    --- stderr

    changed task definition web (T)
    failed service web: the rollout of hello-default-web:2 was rolled back: ECS deployment circuit breaker: tasks failed to start.
    --- exit 4
    ");
    desk.write(SPEC);
    desk.run("apply --yes").exits(0);
}

/// What only AWS can know is refused there: here the revision that a service runs is named by its ARN.
#[test]
fn a_port_that_the_running_revision_does_not_have_is_refused() {
    let desk = Desk::with(SPEC);
    desk.run("apply --yes").exits(0);
    let revision = "arn:aws:ecs:us-east-1:123456789012:task-definition/hello-default-web:1";
    let by_hand = format!("[aws.service.web]\ntask-definition = \"{revision}\"\n");
    desk.write(&format!("{SPEC}http.port = 99\n{by_hand}"));
    let came = desk.run("apply --yes").exits(1);
    assert!(came.stdout.contains("`web` does not listen on port 99"), "{}", came.text());
}

/// N14: a plan that was kept is applied as long as the same would be planned.
#[test]
fn a_kept_plan_is_obeyed_until_the_world_moves() {
    let desk = Desk::with(SPEC);
    desk.run("plan --out first.plan").exits(0);
    desk.run("apply first.plan --yes").exits(0);
    assert_snapshot!(desk.run("apply first.plan --yes").stderr, @"
    error[E0406]: the plan is out of date: nothing is left to do
      hint: plan again
    ");
    desk.write(&SPEC.replace("2.4", "2.5"));
    desk.run("plan --out second.plan").exits(0);
    desk.run("plan --out third.plan --set network.mode=public").exits(0);
    desk.run("apply second.plan --yes").exits(0);
    assert_snapshot!(desk.run("apply third.plan --yes").exits(3).stderr, @"
    error[E0406]: the plan is out of date: 2 resources would differ now: service.web, task-definition.web
      hint: plan again
    ");
    desk.run("plan --detailed-exitcode").exits(0);
}

/// A kept plan says already what was asked for: what would be passed over is refused, wherever it stands.
#[test]
fn a_kept_plan_takes_no_options_of_the_spec() {
    let desk = Desk::with(SPEC);
    desk.run("plan --out my.plan").exits(0);
    assert_snapshot!(desk.run("apply my.plan --yes -e prod").text(), @"
    --- stderr
    error[E0411]: `--env` cannot be used with a plan file: the plan says it already
      hint: leave `--env` out, or plan again with it: `ecsctl plan --env … --out FILE`
    --- exit 64
    ");
    desk.run("apply my.plan --yes --set service.web.count=2").exits(64);
    desk.run("--var tag=2.5 apply my.plan --yes").exits(64);
    desk.run("apply my.plan --yes").exits(0);
}

/// What the command line says and the spec does not mean is never passed over.
#[test]
fn a_region_or_an_address_that_is_not_of_the_spec_is_refused() {
    let desk = Desk::with(SPEC);
    assert_snapshot!(desk.run("plan --region us-west-2").text(), @r#"
    --- stderr
    error[E0306]: `--region us-west-2`, but the spec says `region = "us-east-1"`
      hint: leave `--region` out, or add `--set region=us-west-2`
    --- exit 64
    "#);
    assert_eq!(desk.run("destroy --yes --region us-west-2").code, Some(64));
    desk.run("plan --region us-west-2 --set region=us-west-2").exits(0);
    assert_snapshot!(desk.run("apply --yes --adopt cluster.mian").text(), @"
    --- stderr
    error[E0203]: no resource `cluster.mian` in this stack
      hint: did you mean `--adopt cluster.main`?
    --- exit 64
    ");
}

#[test]
fn a_plan_that_cannot_be_obeyed_says_why() {
    let desk = Desk::with(SPEC);
    assert_snapshot!(desk.run("apply none.plan").text(), @"
    --- stderr
    error[E0403]: the plan `none.plan` cannot be read: there is no such file
      hint: name a file that `ecsctl plan --out FILE` has written
    --- exit 1
    ");
    assert_snapshot!(desk.run("apply ecsctl.toml").text(), @"
    --- stderr
    error[E0404]: `ecsctl.toml` is no plan that can be applied: it is something else, or damaged
      hint: make it anew with `ecsctl plan --out FILE`
    --- exit 3
    ");
    assert_snapshot!(desk.run("plan --out no/such/folder.plan").text(), @"
    --- stderr
    error[E0410]: `no/such/folder.plan` cannot be written: there is no folder `no/such`
      hint: make the folder first: `mkdir -p no/such`
    --- exit 1
    ");
    desk.run("plan --out my.plan").exits(0);
    let text = fs_err::read_to_string(desk.folder.join("my.plan")).unwrap();
    let rewrite = |from: &str, to: &str| {
        let text = text.replace(from, to);
        ecsctl::store::write_atomic(&desk.folder.join("my.plan"), text.as_bytes()).unwrap();
    };
    rewrite("123456789012", "210987654321");
    assert_snapshot!(desk.run("apply my.plan").text(), @"
    --- stderr
    error[E0405]: the plan was made for account 210987654321, and this is 123456789012
      hint: choose the profile of that account, or plan again
    --- exit 3
    ");
    rewrite("\"format\": 1", "\"format\": 2");
    assert_snapshot!(desk.run("apply my.plan").text(), @"
    --- stderr
    error[E0404]: `my.plan` is no plan that can be applied: another version of ecsctl has written it
      hint: make it anew with `ecsctl plan --out FILE`
    --- exit 3
    ");
    let found = desk.run("apply my.plan --format json").exits(3).json();
    assert_eq!(found["diagnostics"][0]["code"], "E0404");
}

/// Whatever is wrong with the state folder is said in words, and nothing is begun.
#[test]
fn a_state_folder_that_is_none_is_said_so() {
    let desk = Desk::with(SPEC);
    let told = desk.run("plan --state ecsctl.toml").stderr;
    assert_snapshot!(told, @"
    error[E0401]: the state folder `ecsctl.toml` cannot be used: it is a file
      hint: name a folder that you may write with `--state`, or mend this one
    ");
    for command in ["plan", "apply --yes", "destroy --yes", "state show"] {
        let came = desk.run(&format!("{command} --state ecsctl.toml")).exits(1);
        assert_eq!((came.stderr.as_str(), came.stdout.as_str()), (told.as_str(), ""), "{command}");
    }
    fs_err::create_dir_all(desk.folder.join("state")).unwrap();
    let account = desk.folder.join("state/sim-us-east-1.json");
    ecsctl::store::write_atomic(&account, b"{").unwrap();
    assert_snapshot!(desk.run("plan").text(), @"
    --- stderr
    error[E0402]: `state/sim-us-east-1.json` is not a simulated account: EOF while parsing an object at line 1 column 1
      hint: mend the file, or delete it to begin with an empty account
    --- exit 1
    ");
    fs_err::remove_file(&account).unwrap();
    desk.run("apply --yes").exits(0);
    let runs = desk.folder.join("state/hello/default/runs");
    ecsctl::store::write_atomic(&runs.join("20260101T000000000Z-1.jsonl"), b"x\n").unwrap();
    assert_snapshot!(desk.run("state show").text(), @"
    20260101T000000000Z-1  unknown  the journal is damaged
    DAY TIME UTC  apply    22 of 22 steps done
    --- stderr
    warning[E0409]: the journal `state/hello/default/runs/20260101T000000000Z-1.jsonl` is damaged in line 1
      hint: delete it if you like: no plan depends on it
    --- exit 0
    ");
    let shown = desk.run("state show --format json").exits(0).json();
    assert_eq!(shown["runs"][1]["purpose"], "apply");
}

/// The command against AWS as it cannot be reached: nothing of this machine's configuration counts.
fn astray(desk: &Desk, line: &str, environment: &[(&str, &str)]) -> Came {
    let mut command = desk.command(line);
    command.env("ECSCTL_CLOUD", "aws").env("HOME", &desk.folder);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    desk.came(command.envs(environment.iter().copied()))
}

#[test]
fn the_way_to_aws_is_explained_where_it_fails() {
    let desk = Desk::with(SPEC);
    let keys = [("AWS_ACCESS_KEY_ID", "123456789012"), ("AWS_SECRET_ACCESS_KEY", "test")];
    assert_snapshot!(astray(&desk, "plan", &[]).text(), @"
    --- stderr
    error[E0301]: no AWS credentials were found
      hint: choose a profile with `--profile` or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    --- exit 1
    ");
    assert_snapshot!(astray(&desk, "plan --profile nobody", &keys).text(), @"
    --- stderr
    error[E0304]: there is no profile `nobody` in the AWS configuration
      hint: make one with `aws configure sso`: no profile is configured here
    --- exit 1
    ");
    assert_snapshot!(astray(&desk, "plan", &keys).text(), @"
    --- stderr
    error[E0305]: AWS cannot be reached: Connection refused
      hint: check the network, the region and AWS_ENDPOINT_URL
    --- exit 1
    ");
    let bare = [keys.as_slice(), &[("AWS_ENDPOINT_URL", "nonsense")]].concat();
    assert_snapshot!(astray(&desk, "plan", &bare).text(), @"
    --- stderr
    error[E0305]: AWS cannot be reached: failed to apply endpoint `nonsense`: endpoint must contain scheme
      hint: check the network, the region and AWS_ENDPOINT_URL
    --- exit 1
    ");
    assert_snapshot!(astray(&desk, "status --stack hello", &keys).text(), @"
    --- stderr
    error[E0306]: nobody says which AWS region is meant
      hint: say `--region`, or set AWS_REGION
    --- exit 1
    ");
    fs_err::create_dir_all(desk.folder.join(".aws")).unwrap();
    let profiles = b"[profile sandbox]\nregion = eu-west-1\n[profile shop]\n";
    ecsctl::store::write_atomic(&desk.folder.join(".aws/config"), profiles).unwrap();
    assert_snapshot!(astray(&desk, "plan", &[("AWS_PROFILE", "nobody")]).text(), @"
    --- stderr
    error[E0304]: there is no profile `nobody` in the AWS configuration
      hint: choose one that there is: sandbox, shop
    --- exit 1
    ");
    let found = astray(&desk, "plan --format json", &keys).exits(1).json();
    assert_eq!(found["diagnostics"][0]["code"], "E0305");
    assert_eq!(found["error"]["class"], "unreachable");
}

/// What a destroy needs of a spec is which stack it is.
#[test]
fn destroy_asks_for_no_variable_that_only_resources_need() {
    let vars = "[vars]\ntag = {}\nwhere = {}\n";
    let spec = format!("{}{vars}", SPEC.replace("2.4", "${var.tag}"));
    let desk = Desk::with(&spec);
    desk.run("apply --yes").exits(64);
    desk.run("apply --yes --var tag=2.4 --var where=x").exits(0);
    desk.run("destroy --yes --var tag=2.4").exits(0);
    let desk = Desk::with(&spec.replace("us-east-1", "${var.where}"));
    assert_snapshot!(desk.run("destroy --yes").text(), @"
    --- stderr
    error[E0116]: the variable `where` has no value
      --> ecsctl.toml:10:1
       |
    10 | where = {}
       | ^^^^^
       |
       = help: give `--var where=…`

    1 error
    --- exit 64
    ");
    desk.run("destroy --yes --var where=us-east-1").exits(0);
}

/// A variable whose name begins that of another one is another one.
#[test]
fn destroy_tells_variables_apart_that_begin_alike() {
    let vars = "[vars]\nwhere = {}\nwhereabouts = \"us-east-1\"\n";
    let spec = SPEC.replace("us-east-1", "${lower(var.whereabouts)}");
    let desk = Desk::with(&format!("{}{vars}", spec.replace("2.4", "${var.where}")));
    desk.run("destroy --yes").exits(0);
}

#[test]
fn a_stack_that_is_not_there_is_told_from_those_that_are() {
    let desk = Desk::with(SPEC);
    let region = "--region us-east-1";
    assert_snapshot!(desk.run(&format!("destroy --yes --stack hello {region}")).text(), @"
    hello/default  us-east-1  123456789012

    Nothing to do: there is no stack `hello/default` in account 123456789012 in us-east-1.
    --- stderr
    there is no stack at all in us-east-1
    --- exit 0
    ");
    desk.run("apply --yes").exits(0);
    assert_snapshot!(desk.run(&format!("destroy --yes --stack helo {region}")).text(), @"
    helo/default  us-east-1  123456789012

    Nothing to do: there is no stack `helo/default` in account 123456789012 in us-east-1.
    --- stderr
    did you mean `hello/default`? It is in us-east-1
    --- exit 0
    ");
    assert_snapshot!(desk.run(&format!("status --stack something-else {region}")).text(), @"
    something-else/default  us-east-1  123456789012  nothing of it is in AWS
    --- stderr
    stacks in us-east-1: hello/default
    --- exit 0
    ");
    assert_snapshot!(desk.run(&format!("destroy --yes --stack ../x {region}")).text(), @"
    --- stderr
    error[E0113]: `../x` is not a name
      hint: use lower-case letters, digits and dashes
    --- exit 64
    ");
}

#[test]
fn status_tells_a_rollout_that_failed() {
    let desk = Desk::with(&SPEC.replace("2.4", "bad-exit"));
    desk.run("apply --yes").exits(4);
    assert_snapshot!(desk.run("status").text(), @"
    hello/default  us-east-1  123456789012  22 resources
    url      http://hello-default-main-N.us-east-1.elb.amazonaws.com

    service web  0 of 1 task running  nothing serves
                 last deployment: hello-default-web:1 failed at DAY TIME UTC
                 reason: ECS deployment circuit breaker: tasks failed to start.
    --- exit 0
    ");
    assert_snapshot!(desk.run("plan").text(), @"
    hello/default  us-east-1  123456789012

    ~ change service web  rolls out :1: nothing serves yet
        task-definition  nothing → …task-definition/hello-default-web:1

    0 to create, 1 to change, 0 to replace, 0 to destroy. 21 others are as declared.
    --- exit 0
    ");
    desk.write(SPEC);
    desk.run("apply --yes").exits(0);
    desk.write(&SPEC.replace("2.4", "bad-pull"));
    desk.run("apply --yes").exits(4);
    assert_snapshot!(desk.run("status").text(), @"
    hello/default  us-east-1  123456789012  22 resources
    url      http://hello-default-main-N.us-east-1.elb.amazonaws.com

    service web  hello-default-web:2  1 of 1 task running  steady
                 last deployment: hello-default-web:3 was rolled back at DAY TIME UTC
                 reason: ECS deployment circuit breaker: tasks failed to start.
    --- exit 0
    ");
    let status = desk.run("status --format json").exits(0).json();
    let deployment = &status["status"]["services"][0]["deployment"];
    assert_eq!(deployment["state"], "rolled-back");
    assert_eq!(deployment["serving"], "hello-default-web:2");
}

#[test]
fn documents_for_programs_are_json() {
    let desk = Desk::with(SPEC);
    let plan = desk.run("plan --format json").exits(0).json();
    assert_eq!(plan["counts"]["create"], plan["steps"].as_array().unwrap().len());
    let outcome = desk.run("apply --yes --format json").exits(0).json();
    assert_eq!(outcome["complete"], true);
    assert!(outcome["outputs"]["url"].as_str().unwrap().starts_with("http://"));
    let status = desk.run("status --format json").exits(0).json();
    assert_eq!(status["status"]["services"][0]["state"], "steady");
    let rendered = desk.run("render --format json").exits(0).json();
    assert_eq!(rendered["resources"]["vpc.main"]["cidr"], "10.0.0.0/16");
    desk.run("check --format json").exits(0).json();
    let graph = desk.run("graph --format json").exits(0).json();
    let service =
        graph["resources"].as_array().unwrap().iter().find(|it| it["address"] == "service.web");
    assert!(service.unwrap()["needs"].as_array().unwrap().contains(&"cluster.main".into()));
    desk.run("version --format json").exits(0).json();
    desk.run("state show --format json").exits(0).json();
    assert_eq!(desk.run("state rebuild --format json").exits(0).json()["resources"], 22);
    desk.run("check --format json --set service.web.imgae=x").exits(64).json();
    let schema: Json = serde_json::from_str(&desk.run("schema").exits(0).stdout).unwrap();
    assert_eq!(schema["title"], "ecsctl spec");
}

/// Nobody is given something else than was asked for.
#[test]
fn a_form_that_a_command_does_not_have_is_refused() {
    let desk = Desk::with(SPEC);
    assert_snapshot!(desk.run("graph --as dot --format json").text(), @"
    --- stderr
    error: `--format json` and `--as dot` are two forms: leave one out
      hint: see `ecsctl help`
    --- exit 64
    ");
    for line in
        ["render --as toml --format json", "schema --format markdown", "explain --format markdown"]
    {
        desk.run(line).exits(64);
    }
    desk.run("render --as json --format json").exits(0).json();
}

/// Each value has an origin, within a container too; and the answer is a spec all the same.
#[test]
fn render_explains_each_value() {
    let desk = Desk::with(
        r#"
        ecsctl = 1
        stack = "shop"
        region = "us-east-1"
        [service.web]
        image = "httpd:2.4"
        port = 80
        xray = true
        env.LEVEL = "info"
        count = 2
        health.command = "curl -f localhost"
        [service.web.deploy]
        max = 150
        [aws.task-definition.web.containers.web]
        stop-timeout = 60
        [env.dev]
        service.web.env.LEVEL = "debug"
        "#,
    );
    let explained = desk.run("render --explain -e dev").exits(0).stdout;
    let of = |header: &str| {
        let lines = explained.lines().skip_while(|line| *line != header);
        let lines = lines
            .take_while(|line| !line.is_empty() && (*line == header || !line.starts_with('[')))
            .filter(|line| !line.ends_with("# default"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_snapshot!(of("[aws.task-definition.web]"), @r#"
    [aws.task-definition.web]
    cpu                                      = 256  # default of service.web.size.cpu
    execution-role-arn                       = "${role.web-execution.arn}"  # follows from [service.web], ecsctl.toml:5
    memory                                   = 512  # default of service.web.size.memory
    name                                     = "shop-dev-web"  # follows from stack, ecsctl.toml:3
    network-mode                             = "awsvpc"  # default of service.web.network-mode
    requires-compatibilities                 = ["FARGATE"]  # default of service.web.capacity
    runtime-platform.cpu-architecture        = "X86_64"  # default of service.web.arch
    runtime-platform.operating-system-family = "LINUX"  # follows from [service.web], ecsctl.toml:5
    task-role-arn                            = "${role.web-task.arn}"  # follows from [service.web], ecsctl.toml:5
    "#);
    assert_snapshot!(of("[aws.task-definition.web.containers.web]"), @r#"
    [aws.task-definition.web.containers.web]
    environment.AWS_XRAY_DAEMON_ADDRESS = "127.0.0.1:2000"  # ecsctl.toml:8
    environment.LEVEL                   = "debug"  # ecsctl.toml:17 (env dev)
    image                               = "httpd:2.4"  # ecsctl.toml:6
    linux-parameters                    = { init-process-enabled = true }  # default of service.web.init
    ports                               = [{ container-port = 80 }]  # ecsctl.toml:7
    stop-timeout                        = 60  # ecsctl.toml:15
    "#);
    assert_snapshot!(of("[aws.task-definition.web.containers.web.health-check]"), @r#"
    [aws.task-definition.web.containers.web.health-check]
    command      = ["CMD-SHELL", "curl -f localhost"]  # ecsctl.toml:11
    interval     = 10  # default of service.web.health.interval
    retries      = 3  # default of service.web.health.unhealthy
    start-period = 0  # default of service.web.health.start
    timeout      = 5  # default of service.web.health.timeout
    "#);
    assert_snapshot!(of("[aws.task-definition.web.containers.xray-daemon]"), @r#"
    [aws.task-definition.web.containers.xray-daemon]
    cpu              = 32  # ecsctl.toml:8
    essential        = false  # ecsctl.toml:8
    image            = "public.ecr.aws/xray/aws-xray-daemon:3.x"  # ecsctl.toml:8
    linux-parameters = { init-process-enabled = true }  # ecsctl.toml:8
    memory           = 256  # ecsctl.toml:8
    ports            = [{ container-port = 2000, protocol = "udp" }]  # ecsctl.toml:8
    "#);
    assert_snapshot!(of("[aws.service.web]"), @r#"
    [aws.service.web]
    availability-zone-rebalancing     = "ENABLED"  # ecsctl.toml:13
    capacity-provider-strategy        = [{ capacity-provider = "FARGATE", weight = 1 }]  # default of service.web.spot
    cluster                           = "${cluster.main.arn}"  # follows from [service.web], ecsctl.toml:5
    desired-count                     = 2  # ecsctl.toml:10
    enable-execute-command            = true  # default of service.web.exec
    health-check-grace-period-seconds = 60  # default of service.web.grace
    load-balancers                    = [{ container-name = "web", container-port = 80, target-group-arn = "${target-group.web.arn}" }]  # default of service.web.http
    name                              = "shop-dev-web"  # follows from stack, ecsctl.toml:3
    propagate-tags                    = "SERVICE"  # follows from [service.web], ecsctl.toml:5
    task-definition                   = "${task-definition.web.arn}"  # follows from [service.web], ecsctl.toml:5
    "#);
    assert_snapshot!(of("[aws.target-group.web]"), @r#"
    [aws.target-group.web]
    deregistration-delay-seconds = 30  # default of service.web.deregistration
    name                         = "shop-dev-web"  # follows from stack, ecsctl.toml:3
    port                         = 80  # follows from [service.web], ecsctl.toml:5
    protocol                     = "HTTP"  # follows from [service.web], ecsctl.toml:5
    target-type                  = "ip"  # default of service.web.network-mode
    vpc-id                       = "${vpc.main.id}"  # follows from [service.web], ecsctl.toml:5
    "#);
    assert_snapshot!(of("[aws.target-group.web.health-check]"), @r#"
    [aws.target-group.web.health-check]
    healthy-threshold   = 2  # default of service.web.health.healthy
    interval-seconds    = 10  # default of service.web.health.interval
    matcher             = "200-399"  # default of service.web.health.codes
    path                = "/"  # default of service.web.health.path
    port                = "traffic-port"  # default of service.web.health.port
    timeout-seconds     = 5  # default of service.web.health.timeout
    unhealthy-threshold = 2  # default of service.web.health.unhealthy
    "#);
    let plain = desk.run("render --format json -e dev").exits(0).json();
    desk.write(&format!(
        "ecsctl = 1\nstack = \"shop\"\nregion = \"us-east-1\"\n[env.dev]\n{explained}"
    ));
    assert_eq!(desk.run("render --format json -e dev").exits(0).json(), plain);
}

/// What `render` prints declares the same stack when it is written by hand.
#[test]
fn what_render_prints_is_a_spec() {
    let desk = Desk::with(SPEC);
    let before = desk.run("render --format json").exits(0).json();
    for command in ["render", "render -v"] {
        desk.write(SPEC);
        let rendered = desk.run(command).exits(0).stdout;
        // A policy is another's language.
        let mut own = rendered.lines().filter(|line| !line.starts_with("Statement"));
        assert!(own.all(|line| line.len() <= 180), "{rendered}");
        assert_eq!(rendered.contains("dns-servers"), command == "render -v", "{rendered}");
        let head = "ecsctl = 1\nstack = \"hello\"\nregion = \"us-east-1\"\n\n";
        desk.write(&format!("{head}{rendered}"));
        assert_eq!(desk.run("render --format json").exits(0).json(), before);
    }
}

/// Of a container that comes or goes is told what was said of it.
#[test]
fn a_plan_leaves_out_what_is_empty() {
    let desk = Desk::with(SPEC);
    desk.run("apply --yes").exits(0);
    desk.write(&format!("{SPEC}container.log.image = \"fluent:1\"\n"));
    let told = desk.run("plan").exits(0).stdout;
    let entry = |told: &str| told.split('~').nth(1).unwrap_or_default().trim_end().to_owned();
    assert_snapshot!(entry(&told), @r#"
    change task definition web
       containers  + log
         + {
         +   "image": "fluent:1",
         +   "linux-parameters": {
         +     "init-process-enabled": true
         +   },
         +   "log-configuration": {
         +     "driver": "awslogs",
         +     "options": {
         +       "awslogs-group": "/ecsctl/hello/default/web",
         +       "awslogs-region": "us-east-1",
         +       "awslogs-stream-prefix": "web"
         +     }
         +   }
         + }
    "#);
    assert!(desk.run("plan -v").exits(0).stdout.contains("dns-servers"));
}

/// B34: the moment of expiry is set when the ttl is, and no later plan moves it.
#[test]
fn an_environment_with_a_lifetime_says_when_it_ends() {
    let desk = Desk::with(&format!("ttl = \"8h\"\n{SPEC}"));
    desk.run("apply --yes").exits(0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    desk.run("plan --detailed-exitcode").exits(0);
    let status = desk.run("status --format json").exits(0).json();
    assert!(status["status"]["expires"].as_str().unwrap().ends_with('Z'));
}

/// Whoever needs an environment for longer says so; whoever keeps it takes the ttl out.
#[test]
fn a_lifetime_can_be_changed_and_taken_back() {
    let desk = Desk::with(&format!("ttl = \"8h\"\nnetwork.mode = \"public\"\n{SPEC}"));
    let expires = || {
        let status = desk.run("status --format json").exits(0).json();
        let moment = status["status"]["expires"].as_str()?;
        Some(moment.parse::<jiff::Timestamp>().unwrap().as_second())
    };
    desk.run("apply --yes").exits(0);
    let first = expires().unwrap();
    desk.run("plan --detailed-exitcode --set ttl=480m").exits(0);
    desk.run("plan --detailed-exitcode --set ttl=2d").exits(2);
    desk.run("apply --yes --set ttl=2d").exits(0);
    let later = expires().unwrap() - first;
    assert!((40 * 3600..40 * 3600 + 600).contains(&later), "{later}");
    desk.run("plan --detailed-exitcode --set ttl=2d").exits(0);
    desk.write(&format!("network.mode = \"public\"\n{SPEC}"));
    desk.run("apply --yes").exits(0);
    assert_eq!(expires(), None);
    let account = fs_err::read_to_string(desk.folder.join("state/sim-us-east-1.json")).unwrap();
    assert!(!account.contains("ecsctl:ttl"), "{account}");
}

#[test]
fn the_demo_tells_the_whole_story() {
    let came = Desk::empty().run("demo").exits(0);
    for part in ["Nothing to do", "was rolled back", "22 destroyed"] {
        assert!(came.stdout.contains(part), "{part}: {}", came.text());
    }
}

/// Whoever has seen enough of the demo is told neither to resume it nor that it failed.
#[cfg(unix)]
#[test]
fn an_interrupted_demo_ends_quietly() {
    let desk = Desk::empty();
    let mut demo = desk.command("demo");
    demo.env("ECSCTL_SIM_SCALE", "0.05").stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = demo.spawn().unwrap();
    let folder = || {
        let folders = fs_err::read_dir(&desk.folder).unwrap().map(|entry| entry.unwrap().path());
        folders.into_iter().find(|path| path.join("state/sim-us-east-1.json").exists())
    };
    while folder().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&running);
    let output = running.wait_with_output().unwrap();
    let told = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (told(&output.stdout), told(&output.stderr));
    assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
    assert!(!stdout.contains("resume") && !stderr.contains("error"), "{stdout}{stderr}");
    assert_eq!(folder(), None, "the folder is left");
}

#[test]
fn pictures_and_scripts_are_written() {
    let desk = Desk::with(SPEC);
    assert!(desk.run("graph --as mermaid").exits(0).stdout.starts_with("flowchart LR"));
    assert!(desk.run("graph --as dot").exits(0).stdout.contains("\"service.web\" ->"));
    assert!(desk.run("completions bash").exits(0).stdout.contains("_ecsctl"));
    assert!(desk.run("man").exits(0).stdout.contains("ECSCTL DESTROY"));
    assert!(desk.run("explain").exits(0).stdout.contains("E0230"));
    assert_eq!(desk.run("explain 408").stdout, desk.run("explain E0408").stdout);
}

/// A policy for people: without a network, and by the stack's own names.
#[test]
fn a_policy_for_whoever_runs_tasks() {
    let desk =
        Desk::with(&format!("{SPEC}\n[task.report]\nfrom = \"web\"\ncommand = [\"bin/report\"]\n"));
    let printed = desk.run("policy run --account 210987654321").exits(0).stdout;
    assert_snapshot!(printed, @r#"
    {
      "Statement": [
        {
          "Action": [
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeSecurityGroupRules",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ecs:DescribeTaskDefinition",
            "ecs:ListTaskDefinitions",
            "tag:GetResources"
          ],
          "Effect": "Allow",
          "Resource": [
            "*"
          ],
          "Sid": "Find"
        },
        {
          "Action": [
            "ecs:DescribeClusters",
            "ecs:DescribeServices"
          ],
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecs:us-east-1:210987654321:cluster/hello-default-main",
            "arn:aws:ecs:us-east-1:210987654321:service/hello-default-main/*"
          ],
          "Sid": "Look"
        },
        {
          "Action": [
            "ecs:RunTask"
          ],
          "Condition": {
            "ArnEquals": {
              "ecs:cluster": [
                "arn:aws:ecs:us-east-1:210987654321:cluster/hello-default-main"
              ]
            }
          },
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecs:us-east-1:210987654321:task-definition/hello-default-report:*"
          ],
          "Sid": "Run"
        },
        {
          "Action": [
            "ecs:TagResource"
          ],
          "Condition": {
            "StringEquals": {
              "ecs:CreateAction": "RunTask"
            }
          },
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecs:us-east-1:210987654321:task/hello-default-main/*"
          ],
          "Sid": "Mark"
        },
        {
          "Action": [
            "iam:PassRole"
          ],
          "Condition": {
            "StringEquals": {
              "iam:PassedToService": "ecs-tasks.amazonaws.com"
            }
          },
          "Effect": "Allow",
          "Resource": [
            "arn:aws:iam::210987654321:role/ecsctl/hello/default/hello-default-web-execution",
            "arn:aws:iam::210987654321:role/ecsctl/hello/default/hello-default-web-task"
          ],
          "Sid": "Pass"
        },
        {
          "Action": [
            "ecs:ListTasks"
          ],
          "Condition": {
            "ArnEquals": {
              "ecs:cluster": [
                "arn:aws:ecs:us-east-1:210987654321:cluster/hello-default-main"
              ]
            }
          },
          "Effect": "Allow",
          "Resource": [
            "*"
          ],
          "Sid": "List"
        },
        {
          "Action": [
            "ecs:DescribeTasks",
            "ecs:StopTask"
          ],
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecs:us-east-1:210987654321:task/hello-default-main/*"
          ],
          "Sid": "Follow"
        },
        {
          "Action": [
            "logs:GetLogEvents"
          ],
          "Effect": "Allow",
          "Resource": [
            "arn:aws:logs:us-east-1:210987654321:log-group:/ecsctl/hello/default/*:*"
          ],
          "Sid": "Read"
        },
        {
          "Action": [
            "ecs:ExecuteCommand"
          ],
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecs:us-east-1:210987654321:cluster/hello-default-main",
            "arn:aws:ecs:us-east-1:210987654321:task/hello-default-main/*"
          ],
          "Sid": "Enter"
        }
      ],
      "Version": "2012-10-17"
    }
    "#);
    let odd = desk.run("policy run --account 21").exits(64).stderr;
    assert!(odd.contains("an account has a number of 12 digits"), "{odd}");
    desk.run("policy run --format markdown").exits(64);
    let own = desk.run("policy run").exits(0).stdout;
    assert!(own.contains(":123456789012:cluster/hello-default-main"), "{own}");
    let desk = Desk::with("ecsctl = 1\nstack = \"images\"\nregion = \"eu-west-1\"\n[repo.base]\n");
    assert_snapshot!(desk.run("policy run").text(), @"
    --- stderr
    error[E0396]: nothing of this stack ever runs: it has no cluster
      hint: declare a service or a task
    --- exit 64
    ");
}

/// Sends a signal the way a terminal does.
#[cfg(unix)]
fn interrupt(process: &std::process::Child) {
    let sent = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .expect("`kill` runs");
    assert!(sent.success());
}

/// B37: while one run holds the lock the other hears who has it, and it never sticks. B16, B35: an
/// interrupt leaves a stack that the same command goes on with.
#[cfg(unix)]
#[test]
fn an_interrupted_run_is_resumed() {
    let desk = Desk::with(SPEC);
    let mut slow = desk.command("apply --yes");
    slow.env("ECSCTL_SIM_SCALE", "0.05").stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = slow.spawn().unwrap();
    let account = desk.folder.join("state/sim-us-east-1.json");
    while !account.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let locked = desk.run("apply --yes").exits(5);
    assert!(locked.stderr.contains("`ecsctl apply` of somebody@"), "{}", locked.stderr);
    let process = format!("(process {})", running.id());
    assert!(locked.stderr.contains(&process), "{}", locked.stderr);
    interrupt(&running);
    let output = running.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6), "{stdout}");
    assert!(stdout.contains("Run the same command again to resume."), "{stdout}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.matches("interrupted: nothing new is begun").count(), 1, "{stderr}");
    desk.run("apply --yes").exits(0);
    desk.run("plan --detailed-exitcode").exits(0);
}

/// Whoever reads the output may have seen enough.
#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::empty();
    let mut schema = desk.command("schema");
    let mut running = schema.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), [].as_slice()));
}

#[test]
fn colours_are_written_only_when_asked_for_or_seen() {
    let desk = Desk::with(SPEC);
    assert!(!desk.run("plan").exits(0).stdout.contains('\u{1b}'));
    assert!(desk.run("plan --color always").exits(0).stdout.contains('\u{1b}'));
}

/// A warning is told and stops nothing.
#[test]
fn a_warning_stops_nothing() {
    let size = "[aws.task-definition.web]\ncpu = 32768\nmemory = 70000\n";
    let desk = Desk::with(&format!("{SPEC}\n{size}"));
    assert_snapshot!(desk.run("check").text(), @"
    hello/default is in order: it declares 22 resources
    --- stderr
    warning[E0240]: 32 vCPU cannot have 68.359375 GB on Fargate
      --> ecsctl.toml:11:10
       |
    11 | memory = 70000
       |          ^^^^^

    1 warning
    --- exit 0
    ");
    let found = desk.run("check --format json").exits(0).json();
    assert_eq!(found["diagnostics"][0]["code"], "E0240");
}

/// The simulator knows tasks as well: they end well unless their image says otherwise.
#[test]
fn a_task_runs_on_the_simulator() {
    let task = "[task.migrate]\nfrom = \"web\"\ncommand = [\"up\"]\nwhen = \"before-deploy\"\n";
    let desk = Desk::with(&format!("{SPEC}\n{task}"));
    assert_snapshot!(desk.run("run migrate").text(), @"
    --- stderr
    error[E0321]: the task `migrate` is not there yet: the stack has not been applied
      hint: apply it first: `ecsctl apply`
    --- exit 125
    ");
    assert_snapshot!(desk.run("run migrat").text(), @"
    --- stderr
    error[E0320]: there is no task `migrat` in this stack
      hint: did you mean `migrate`?
    --- exit 64
    ");
    desk.run("apply --yes").exits(0);
    let ran = desk.run("run migrate -- down").exits(0);
    assert_eq!(ran.stdout, "a simulated task: nothing runs\n");
    let told = desk.run("run migrate --format json").exits(0).json();
    assert_eq!(told["end"]["exit-code"], 0);
    desk.write(&format!("{SPEC}\n{task}").replace("httpd:2.4", "httpd:bad-exit"));
    let output = desk.run("apply --yes").exits(4);
    assert!(output.stdout.contains("the task `migrate` before it failed"), "{}", output.stdout);
    desk.run("destroy --yes").exits(0);
}

/// Networks without NAT, those of somebody else, and network load balancers, on the simulated account.
#[test]
fn other_examples_live_on_the_simulator() {
    for example in ["private", "existing-network", "tagged-network", "discovery", "mqtt"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
        let spec = fs_err::read_to_string(format!("{folder}/{example}/ecsctl.toml"));
        let desk = Desk::with(&spec.expect("an example"));
        let came = desk.run("apply --yes");
        assert_eq!(came.code, Some(0), "{}{}", came.stdout, came.stderr);
        let note = "note: 7 interface endpoints in 2 zones, about 102 USD a month; a NAT gateway is about 33";
        assert_eq!(came.stdout.contains(note), example == "private", "{}", came.stdout);
        assert_eq!(desk.run("plan --detailed-exitcode").code, Some(0), "{example}");
        assert_eq!(desk.run("destroy --yes").code, Some(0), "{example}");
        let left = desk.run("plan --format json").stdout;
        assert!(!left.contains("\"verb\": \"update\""), "{left}");
    }
}

/// A rollout that is paused is let go on from another terminal; the simulator moves the requests as ECS does,
/// and no plan moves them back (B4).
#[test]
fn b4_a_paused_rollout_waits_for_continue_on_the_simulator() {
    let how = "deploy = { strategy = \"canary\", percent = 10, step = \"1m\", pause = \"post-test-traffic\" }\n";
    let spec = format!("{SPEC}{how}");
    let desk = Desk::with(&spec);
    desk.run("apply --yes").exits(0);
    let nobody_waits = desk.run("continue web --yes").exits(3);
    assert!(nobody_waits.stderr.contains("error[E0359]: no rollout of `web` waits for anybody"));
    desk.write(&spec.replace("httpd:2.4", "httpd:2.5"));
    let plan = desk.run("plan").exits(0).stdout;
    let course = "rolls :1 → a new revision  canary 10 % for 1m, then 100 %, bake 5m, pause at post-test-traffic";
    assert!(plan.contains(course), "{plan}");
    for (arguments, code) in
        [("continue web --yes --format json", 0), ("continue web --yes --rollback", 4)]
    {
        let mut command = desk.command("apply --yes");
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut run = run.expect("it starts");
        let mut progress = BufReader::new(run.stderr.take().expect("it is piped"));
        let mut said = String::new();
        while !said.contains("paused at post-test-traffic: `ecsctl continue web`") {
            let read = progress.read_line(&mut said).expect("progress is text");
            assert!(read > 0, "it has ended: {said}");
        }
        let came = desk.run(arguments).exits(0);
        if code == 0 {
            let told = came.json();
            assert_eq!(
                (&told["onward"], &told["pause"]["stage"]),
                (&"continue".into(), &"post-test-traffic".into())
            );
        }
        progress.read_to_string(&mut said).expect("progress is text");
        let output = run.wait_with_output().expect("it has ended");
        said.push_str(&String::from_utf8(output.stdout).expect("text"));
        assert_eq!(output.status.code(), Some(code), "{said}");
        if code == 0 {
            desk.run("plan --detailed-exitcode").exits(0);
            let account = fs_err::read_to_string(desk.folder.join("state/sim-us-east-1.json"))
                .expect("a file");
            assert!(account.contains("web-other"), "{account}");
        } else {
            assert!(
                said.contains("it was rolled back from the pause at post-test-traffic"),
                "{said}"
            );
        }
        desk.write(&spec.replace("httpd:2.4", "httpd:2.6"));
    }
    // Back to tasks one by one, in place.
    desk.write(&SPEC.replace("httpd:2.4", "httpd:2.6"));
    desk.run("apply --yes").exits(0);
    desk.run("plan --detailed-exitcode").exits(0);
    desk.run("destroy --yes").exits(0);
}
