//! One test's world: an account of the test AWS that nobody else uses, a folder, and the binary run in
//! both.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_route53::types::HostedZoneConfig;
use ecsctl::cloud::aws::{Aws, Cache};
use serde_json::{Value as Json, json};

use super::proxy::Proxy;
use super::server::{Call, Object, Server};

/// The region of every test.
const REGION: &str = "us-east-1";

/// A command that takes longer on the test AWS hangs, as a rule.
const PATIENCE: Duration = Duration::from_secs(180);

/// The binary as it is when the first test asks for it: a build of another checkout into the same target
/// folder does not change what is tested.
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ecsctl-{}", std::process::id()));
    drop(fs_err::remove_file(&own));
    match fs_err::hard_link(env!("CARGO_BIN_EXE_ecsctl"), &own) {
        Ok(()) => own,
        Err(_) => PathBuf::from(env!("CARGO_BIN_EXE_ecsctl")),
    }
});

/// One test's account and folder.
pub(crate) struct Session {
    /// The folder in which commands run.
    pub(crate) folder: PathBuf,
    /// The account's number.
    pub(crate) account: String,
    /// A command that takes longer hangs.
    pub(crate) patience: Duration,
}

impl Session {
    /// A new account and an empty folder.
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let account = format!("{number:012}");
        let process = std::process::id();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{process}-{number}"));
        fs_err::create_dir_all(&folder).expect("a folder for the test");
        Self { folder, account, patience: PATIENCE }
    }

    /// A new account, and a folder with `spec` as its `ecsctl.toml`.
    pub(crate) fn with(spec: &str) -> Self {
        let session = Self::new();
        session.write("ecsctl.toml", spec);
        session
    }

    /// Writes a file of the folder.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody reads a test's files while it writes them"
    )]
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("the test's folder can be written");
    }

    /// Copies a file of the project into the folder.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
        fs_err::copy(from, self.folder.join(to)).expect("a file of the project");
    }

    /// Writes `text` in the place of `old` in `ecsctl.toml`, which has it.
    pub(crate) fn replace(&self, old: &str, text: &str) {
        let spec = fs_err::read_to_string(self.folder.join("ecsctl.toml")).expect("the spec");
        assert!(spec.contains(old), "the spec does not have {old:?}:\n{spec}");
        self.write("ecsctl.toml", &spec.replace(old, text));
    }

    /// Runs the binary to its end, without a terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments), arguments, self.patience, |_| {})
    }

    /// The same, but all calls go through `proxy`, which may kill it.
    pub(crate) fn run_through(&self, proxy: &Proxy, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("AWS_ENDPOINT_URL", &proxy.url);
        let output = finish(command, arguments, self.patience, |child| proxy.aim(child));
        proxy.settle();
        output
    }

    /// The binary with `arguments`, in the test's folder, account and nothing else.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&BINARY, arguments)
    }

    /// Any binary with `arguments`, in the test's folder, account and nothing else.
    pub(crate) fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.envs(self.environment());
        command
    }

    /// Where the test AWS listens: `http://127.0.0.1:4566`.
    pub(crate) fn endpoint(&self) -> String {
        Server::get().url()
    }

    /// All that the binary finds in its environment.
    fn environment(&self) -> [(&'static str, String); 8] {
        [
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("HOME", self.folder.display().to_string()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.account.clone()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("RUST_BACKTRACE", "1".to_owned()),
        ]
    }

    /// Everything in the account, as `kind id`, sorted.
    pub(crate) fn objects(&self) -> Vec<Object> {
        let mut objects = Server::get().objects(&self.account);
        objects.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
        objects
    }

    /// The one object of `kind` whose tag says that it stands at `address`.
    pub(crate) fn object(&self, address: &str) -> Object {
        let mut found = self.objects();
        // Tasks, their interfaces and volumes may carry the tags of their service, instances those of their group.
        found.retain(|object| {
            !["task", "network-interface", "volume", "instance"].contains(&object.kind.as_str())
        });
        found.retain(|object| object.tags.get("ecsctl:id").is_some_and(|id| id == address));
        assert_eq!(found.len(), 1, "not one object at {address}: {found:?}");
        found.remove(0)
    }

    /// The calls since the account was made or [`Session::forget_calls`].
    pub(crate) fn calls(&self) -> Calls {
        Calls(Server::get().calls(&self.account))
    }

    /// What the calls of one operation were sent, as far back as [`Session::calls`] goes.
    pub(crate) fn inputs(&self, operation: &str) -> Vec<Json> {
        Server::get().inputs(&self.account, operation)
    }

    /// Lets [`Session::calls`] begin anew.
    pub(crate) fn forget_calls(&self) {
        Server::get().forget_calls(&self.account);
    }

    /// Changes settings of the account: `json!({"nat-pending": 2})`.
    pub(crate) fn set(&self, settings: &Json) {
        Server::get().set(&self.account, settings);
    }

    /// From now on the test AWS watches whether load balancers have somebody to ask.
    pub(crate) fn watch_traffic(&self) {
        self.set(&serde_json::json!({ "check-ingress": 1 }));
    }

    /// The moments at which requests that had been answered were not any more.
    pub(crate) fn gaps(&self) -> Vec<Json> {
        Server::get().gaps(&self.account)
    }

    /// Does what a schedule does when it is its time: the ARNs of its tasks, or why there are none.
    pub(crate) fn fire(&self, schedule: &str) -> Json {
        Server::get().fire(&self.account, schedule)
    }

    /// What `docker push` does: `{"repository": NAME, "tag": TAG}`.
    pub(crate) fn push(&self, image: &Json) -> Json {
        Server::get().push(&self.account, image)
    }

    /// Calls an operation of a service for which there is no client here: `ssm`, `AmazonSSM.PutParameter`.
    pub(crate) fn call(&self, service: &str, target: &str, input: &Json) -> Json {
        Server::get().call(&self.account, service, target, input)
    }

    /// A parameter of SSM and a secret of Secrets Manager, as somebody else made them.
    pub(crate) fn secrets(&self, parameter: &str, secret: &str) {
        let parameter = json!({"Name": parameter, "Value": "x", "Type": "SecureString"});
        self.call("ssm", "AmazonSSM.PutParameter", &parameter);
        let secret = json!({"Name": secret, "SecretString": "{\"url\": \"x\"}"});
        self.call("secretsmanager", "secretsmanager.CreateSecret", &secret);
    }

    /// A public hosted zone; its id.
    pub(crate) fn zone(&self, name: &str) -> String {
        self.behind_its_back(async |aws| {
            let call = aws.dns.create_hosted_zone().name(name).caller_reference(name);
            let call = call.hosted_zone_config(HostedZoneConfig::builder().build());
            let made = call.send().await.expect("a zone");
            let zone = made.hosted_zone().expect("the zone");
            zone.id().trim_start_matches("/hostedzone/").to_owned()
        })
    }

    /// Does something in the account behind the tool's back.
    pub(crate) fn behind_its_back<T>(&self, act: impl AsyncFnOnce(&Aws) -> T) -> T {
        let (config, cache) = (self.config(), Cache::in_memory());
        runtime().block_on(async { act(&Aws::new(&config, cache)).await })
    }

    /// A new bucket, as `s3://NAME/tests`.
    pub(crate) fn bucket(&self) -> String {
        let name = format!("shared-{}", self.account);
        let client = aws_sdk_s3::Client::new(&self.config());
        let made = runtime().block_on(client.create_bucket().bucket(&name).send());
        made.expect("a new bucket");
        format!("s3://{name}/tests")
    }

    /// A bucket to which load balancers of the account may write; its name.
    pub(crate) fn bucket_for_logs(&self) -> String {
        let name = self.bucket().trim_start_matches("s3://").trim_end_matches("/tests").to_owned();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{name}/*"),
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}}]});
        let client = aws_sdk_s3::Client::new(&self.config());
        let call = client.put_bucket_policy().bucket(&name).policy(policy.to_string());
        runtime().block_on(call.send()).expect("a policy");
        name
    }

    fn config(&self) -> SdkConfig {
        let credentials = Credentials::new(&self.account, "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(Server::get().url())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }
}

impl Drop for Session {
    /// The folder of a test that failed stays, to be looked at.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs_err::remove_dir_all(&self.folder));
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// Runs `command` to its end; `started` may end it from another thread.
fn finish(
    mut command: Command,
    arguments: &[&str],
    patience: Duration,
    started: impl FnOnce(Arc<Mutex<Child>>),
) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let stdout = read(child.stdout.take().expect("a piped stdout"));
    let stderr = read(child.stderr.take().expect("a piped stderr"));
    let child = Arc::new(Mutex::new(child));
    let own = || child.lock().expect("no holder panics");
    started(child.clone());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = own().try_wait().expect("the binary can be waited for") {
            break status;
        }
        if began.elapsed() > patience {
            own().kill().expect("the binary can be ended");
            let [stdout, stderr] = [stdout, stderr].map(|said| said.join().unwrap_or_default());
            panic!("{arguments:?} hangs:\n{stdout}\n{stderr}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Output {
        command: arguments.join(" "),
        stdout: stdout.join().expect("stdout is text"),
        stderr: stderr.join().expect("stderr is text"),
        code: status.code(),
    }
}

fn read(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("the binary writes UTF-8");
        text
    })
}

/// What a command said, and how it ended.
pub(crate) struct Output {
    command: String,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
    /// Its exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
}

impl Output {
    /// Fails with everything that was said unless the command ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert!(self.code == Some(code), "not the exit code {code}:\n{self:?}");
        self
    }

    /// Fails unless `text` was said, on either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "does not say {text:?}:\n{self:?}"
        );
        self
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code;
        writeln!(f, "$ ecsctl {} # exit code {code:?}", self.command)?;
        writeln!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Whether an operation changes something.
pub(crate) fn is_change(operation: &str) -> bool {
    !["Describe", "List", "Get", "BatchGet"].iter().any(|read| operation.starts_with(read))
}

/// Calls in their order.
#[derive(Clone)]
pub(crate) struct Calls(Vec<Call>);

impl Calls {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many there are of an operation.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.0.iter().filter(|call| call.operation == operation).count()
    }

    /// The operations that change something, in their order. S3 keeps the lock, and nothing of a stack.
    pub(crate) fn changes(&self) -> Vec<&str> {
        self.all_changes().map(|call| call.operation.as_str()).collect()
    }

    fn all_changes(&self) -> impl Iterator<Item = &Call> {
        self.0.iter().filter(|call| is_change(&call.operation) && call.service != "s3")
    }

    /// Who changed something outside of S3, in the order of the calls; each once for as long as nobody
    /// else did.
    pub(crate) fn callers(&self) -> Vec<&str> {
        let mut callers: Vec<&str> =
            self.all_changes().filter_map(|call| call.caller.as_deref()).collect();
        callers.dedup();
        callers
    }

    /// The calls that were refused.
    pub(crate) fn refused(&self) -> Vec<&Call> {
        self.0.iter().filter(|call| call.status >= 400).collect()
    }

    /// What one must be allowed in IAM to make them.
    pub(crate) fn actions(&self) -> BTreeSet<String> {
        let action = |call: &Call| {
            let service = if call.service == "tagging" { "tag" } else { call.service.as_str() };
            format!("{service}:{}", call.operation)
        };
        self.0.iter().map(action).collect()
    }

    /// Where an operation was called first.
    pub(crate) fn position(&self, operation: &str) -> Option<usize> {
        self.0.iter().position(|call| call.operation == operation)
    }
}

impl std::fmt::Debug for Calls {
    /// One line a run of equal calls.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for run in self.0.chunk_by(|a, b| a == b) {
            let Call { service, operation, status, error, caller: _ } = &run[0];
            let times = run.len();
            write!(text, "\n{times:>4} × {service} {operation} {status}")?;
            if let Some(error) = error {
                write!(text, " {error}")?;
            }
        }
        f.write_str(&text)
    }
}
