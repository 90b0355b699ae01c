//! The life of a stack in a test: each step is checked against the promises that hold for every kind.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecsctl::cloud::aws::Aws;
use serde_json::Value as Json;

use crate::harness::{Calls, Object, Session};

/// The top of each spec.
pub(super) const HEAD: &str = "ecsctl = 1\nstack = \"life\"\nregion = \"us-east-1\"\n";

/// One service on Fargate, in public subnets, without a load balancer.
pub(super) const RUNNING: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.a.id}", "${subnet.b.id}"]

[aws.security-group.tasks]
vpc-id = "${vpc.main.id}"

[aws.security-group.other]
vpc-id = "${vpc.main.id}"

[aws.role.execution]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }

[aws.role.task]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
inline.exec = { Statement = [{ Effect = "Allow", Action = "ssmmessages:*", Resource = "*" }] }

[aws.cluster.main]
capacity-providers = ["FARGATE", "FARGATE_SPOT"]

[aws.cluster.other]

[aws.task-definition.web]
cpu = 256
memory = 512
execution-role-arn = "${role.execution.arn}"
task-role-arn = "${role.task.arn}"
containers.app = { image = "httpd:2.4", ports = [{ container-port = 8080 }] }

[aws.service.web]
cluster = "${cluster.main.arn}"
task-definition = "${task-definition.web.arn}"
desired-count = 1
launch-type = "FARGATE"
deployment.circuit-breaker = { enable = true, rollback = true }

[aws.service.web.network]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.tasks.id}"]
assign-public-ip = true
"#;

/// The same behind a load balancer.
pub(super) static HTTP: LazyLock<String> = LazyLock::new(|| {
    let balanced = r#"
[aws.load-balancer.main]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.other.id}"]

[aws.listener.main]
load-balancer-arn = "${load-balancer.main.arn}"
port = 80
protocol = "HTTP"
default-action = { fixed-response = { status = 404 } }

[aws.target-group.web]
port = 8080
vpc-id = "${vpc.main.id}"
health-check = { interval-seconds = 10, healthy-threshold = 2 }
deregistration-delay-seconds = 30

[aws.listener-rule.web]
listener-arn = "${listener.main.arn}"
priority = 1
conditions = { paths = ["/*"] }
action = { forward = "${target-group.web.arn}" }
"#;
    let joins = "desired-count = 1\nload-balancers = [{ target-group-arn = \
                 \"${target-group.web.arn}\", container-name = \"app\", container-port = 8080 }]";
    format!("{}{balanced}", RUNNING.replace("desired-count = 1", joins))
});

/// A stack whose spec is in the session's folder.
pub(super) struct Life {
    /// Where it lives.
    pub(super) session: Session,
}

impl Life {
    /// Applies a spec without a head in an account of its own: nothing is refused, and then nothing is
    /// left to do (B1, N11), neither with what the run remembers nor without it (N2).
    pub(super) fn begin(spec: &str) -> Self {
        Self::begin_in(Session::new(), spec)
    }

    /// The same in an account in which something is there already.
    pub(super) fn begin_in(session: Session, spec: &str) -> Self {
        session.write("ecsctl.toml", &format!("{HEAD}{spec}"));
        let life = Self { session };
        life.apply();
        life.nothing_is_left();
        life.forget();
        life.nothing_is_left();
        life
    }

    /// A spec without a head in an account of its own, not applied yet.
    pub(super) fn bare(spec: &str) -> Self {
        Self { session: Session::with(&format!("{HEAD}{spec}")) }
    }

    /// Applies; nothing that changes something may be refused.
    pub(super) fn apply(&self) -> Calls {
        self.session.forget_calls();
        self.session.run(&["apply", "--yes"]).exits(0);
        let calls = self.session.calls();
        only_lookups_refused(&calls);
        calls
    }

    /// Plans, and finds nothing to do.
    pub(super) fn nothing_is_left(&self) {
        self.session.run(&["plan", "--detailed-exitcode"]).exits(0);
    }

    /// Forgets everything that earlier runs remember.
    pub(super) fn forget(&self) {
        fs_err::remove_dir_all(self.session.folder.join("state")).expect("a state that is there");
    }

    /// The plan's steps: `update vpc.main`.
    pub(super) fn planned(&self) -> Vec<String> {
        let output = self.session.run(&["plan", "--format", "json"]).exits(0);
        let plan: Json = serde_json::from_str(&output.stdout).expect("a plan in JSON");
        let steps = plan["steps"].as_array().expect("steps").iter();
        let text = |step: &Json, key: &str| step[key].as_str().expect("text").to_owned();
        steps.map(|step| format!("{} {}", text(step, "verb"), text(step, "address"))).collect()
    }

    /// The object at `address`, which is not a task that merely carries its service's tags.
    pub(super) fn object(&self, address: &str) -> Object {
        self.session.object(address)
    }

    /// Edits the spec: the object at `address` is changed in place, by these calls (each at least once)
    /// and no others, and then nothing is left.
    pub(super) fn changes(&self, address: &str, edits: &[(&str, &str)], calls: &[&str]) {
        let before = self.object(address);
        self.edit(edits);
        assert_eq!(self.planned(), [format!("update {address}")]);
        let made = self.apply();
        let distinct: BTreeSet<&str> = made.changes().into_iter().collect();
        assert_eq!(distinct, calls.iter().copied().collect(), "{address}: {made:?}");
        assert_eq!(self.object(address).arn, before.arn, "{address} is another one");
        self.nothing_is_left();
    }

    /// Edits the spec: the object at `address` is replaced, `calls` being made in this order, and then
    /// nothing is left.
    pub(super) fn replaces(&self, address: &str, edits: &[(&str, &str)], calls: &[&str]) {
        let before = self.object(address);
        self.edit(edits);
        let planned = self.planned();
        assert!(planned.contains(&format!("replace {address}")), "{planned:?}");
        let made = self.apply();
        let mut wanted = calls.iter().peekable();
        for call in made.changes() {
            wanted.next_if(|wanted| **wanted == call);
        }
        assert!(wanted.peek().is_none(), "{address}: not in the order {calls:?}: {made:?}");
        assert_ne!(self.object(address).arn, before.arn, "{address} is still the old one");
        self.nothing_is_left();
    }

    /// Something is done behind the tool's back: the next plan has the step `seen`, and applying it leaves
    /// nothing to do (B6).
    pub(super) fn drifts(&self, seen: &str, act: impl AsyncFnOnce(&Aws)) {
        self.session.behind_its_back(act);
        let planned = self.planned();
        assert!(planned.iter().any(|step| step == seen), "no `{seen}` in {planned:?}");
        self.apply();
        self.nothing_is_left();
    }

    /// Destroys it from its tags and the spec's head alone; nothing stays (N8), and to do it again is
    /// nothing.
    pub(super) fn ends(self) -> Session {
        self.session.forget_calls();
        self.session.run(&["destroy", "--yes"]).exits(0);
        let calls = self.session.calls();
        only_lookups_refused(&calls);
        let left = self.session.objects();
        assert!(left.is_empty(), "left behind: {left:#?}");
        self.session.run(&["destroy", "--yes"]).exits(0);
        let again = self.session.calls();
        assert_eq!(again.changes().len(), calls.changes().len(), "{again:?}");
        self.session
    }

    /// The revision that the service `name` runs.
    pub(super) fn serving(&self, name: &str) -> String {
        let arn = self.object(&format!("service.{name}")).arn;
        let cluster = arn.split('/').nth(1).expect("a service's ARN names its cluster").to_owned();
        self.session.behind_its_back(async |aws| {
            let found = aws.ecs.describe_services().cluster(cluster).services(arn).send().await;
            let found = found.expect("a description");
            found.services()[0].task_definition().expect("a revision").to_owned()
        })
    }

    pub(super) fn edit(&self, edits: &[(&str, &str)]) {
        for (old, new) in edits {
            self.session.replace(old, new);
        }
    }
}

/// Whatever was refused only asked whether something is there (B9 and its like).
pub(super) fn only_lookups_refused(calls: &Calls) {
    let absent = |code: &str| {
        code.contains("NotFound")
            || ["NoSuchEntity", "NoSuchKey"].iter().any(|it| code.starts_with(it))
    };
    let refused: Vec<_> = calls
        .refused()
        .into_iter()
        .filter(|call| {
            let code = call.error.as_deref().unwrap_or_default();
            match call.operation.as_str() {
                // It has no error of its own for a family that is not there.
                "DescribeTaskDefinition" => code != "ClientException",
                // A subnet that has a table gets another by another call.
                "AssociateRouteTable" => code != "Resource.AlreadyAssociated",
                operation if operation.starts_with("Describe") => !absent(code),
                operation if operation.starts_with("Get") => !absent(code),
                _ => true,
            }
        })
        .collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
}
