//! The test AWS: `tests/aws/server.py`, started when the first test asks for it. It ends with this
//! process, because its standard input does.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value as Json;

use super::http;

/// One call that an account received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Call {
    /// `ecs`, `ec2`, `elasticloadbalancing` ….
    pub(crate) service: String,
    /// `CreateService` ….
    pub(crate) operation: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// AWS's error code, if it was refused.
    pub(crate) error: Option<String>,
    /// The caller, as it called itself in AWS_SDK_UA_APP_ID.
    pub(crate) caller: Option<String>,
}

/// Something that exists in an account.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Object {
    /// `vpc`, `targetgroup`, `task-definition` ….
    pub(crate) kind: String,
    /// Its name or id.
    pub(crate) id: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its tags.
    pub(crate) tags: std::collections::BTreeMap<String, String>,
}

/// The server of this process.
pub(super) struct Server {
    /// `127.0.0.1:4566`.
    address: String,
    /// Never used again: the server lives as long as these are open.
    _alive: (Child, ChildStdin),
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

impl Server {
    /// The one server, running.
    pub(super) fn get() -> &'static Self {
        &SERVER
    }

    /// What goes into `AWS_ENDPOINT_URL`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything in an account that AWS did not put there itself.
    pub(super) fn objects(&self, account: &str) -> Vec<Object> {
        let found = self.control("GET", "objects", account, "");
        serde_json::from_value(found).expect("a list of objects")
    }

    /// The calls that an account received, in their order.
    pub(super) fn calls(&self, account: &str) -> Vec<Call> {
        let found = self.control("GET", "calls", account, "");
        serde_json::from_value(found).expect("a list of calls")
    }

    /// What the calls of one operation were sent, in their order.
    pub(super) fn inputs(&self, account: &str, operation: &str) -> Vec<Json> {
        let found = self.control("GET", "calls", &format!("{account}&input=1"), "");
        let calls = found.as_array().expect("a list of calls").iter();
        let calls = calls.filter(|call| call["operation"] == operation);
        calls.map(|call| call["input"].clone()).collect()
    }

    /// When requests stopped being answered.
    pub(super) fn gaps(&self, account: &str) -> Vec<Json> {
        let found = self.control("GET", "gaps", account, "");
        serde_json::from_value(found).expect("a list of gaps")
    }

    /// Forgets the calls.
    pub(super) fn forget_calls(&self, account: &str) {
        self.control("DELETE", "calls", account, "");
    }

    /// Changes settings of an account.
    pub(super) fn set(&self, account: &str, settings: &Json) {
        self.control("POST", "settings", account, &settings.to_string());
    }

    /// Does what a schedule does when it is its time.
    pub(super) fn fire(&self, account: &str, schedule: &str) -> Json {
        let body = serde_json::json!({ "schedule": schedule }).to_string();
        self.control("POST", "fire", account, &body)
    }

    /// What `docker push` does.
    pub(super) fn push(&self, account: &str, image: &Json) -> Json {
        self.control("POST", "push", account, &image.to_string())
    }

    /// One call of a service that speaks AWS's JSON protocol.
    pub(super) fn call(&self, account: &str, service: &str, target: &str, input: &Json) -> Json {
        let headers = format!(
            "content-type: application/x-amz-json-1.1\r\nx-amz-target: {target}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=none\r\n"
        );
        http::request(&self.address, "POST", "/", &headers, &input.to_string())
    }

    fn control(&self, method: &str, what: &str, account: &str, body: &str) -> Json {
        let path = format!("/_ecsctl/{what}?account={account}");
        http::request(&self.address, method, &path, "", body)
    }

    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/server.py");
        let mut child = Command::new(python())
            .arg(script)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test server starts");
        let stdin = child.stdin.take().expect("a piped stdin");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a piped stdout"))
            .read_line(&mut first)
            .expect("the test server says where it listens");
        let address = first.trim().strip_prefix("listening on http://");
        let address =
            address.unwrap_or_else(|| panic!("the test server said {first:?}")).to_owned();
        Self { address, _alive: (child, stdin) }
    }
}

/// The interpreter in whose environment moto is installed.
#[expect(clippy::disallowed_methods, reason = "tests/run says through the environment where it is")]
fn python() -> PathBuf {
    let python = std::env::var("ECSCTL_TEST_PYTHON").map(PathBuf::from).ok();
    let python = python.or_else(installed_before);
    python.filter(|python| python.exists()).unwrap_or_else(|| {
        panic!("the test AWS server is not installed: run the tests with `tests/run test`")
    })
}

/// What an earlier `tests/run` installed for the requirements as they are now.
#[expect(clippy::disallowed_methods, reason = "as tests/run finds its cache")]
fn installed_before() -> Option<PathBuf> {
    use sha2::Digest as _;

    let cache = match std::env::var("XDG_CACHE_HOME") {
        Ok(cache) => PathBuf::from(cache),
        Err(_) => PathBuf::from(std::env::var("HOME").ok()?).join(".cache"),
    };
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/requirements.txt");
    let digest = sha2::Sha256::digest(fs_err::read(requirements).ok()?);
    let digest: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Some(cache.join(format!("ecsctl/aws-{digest}/bin/python")))
}
