//! How fast calls go out: one layer below all clients, which knows nothing of steps or kinds.
//!
//! A call takes a token from the bucket of its operation and a place in the window of its service. One that
//! AWS refuses because it came too fast had no effect; it is sent again from here, later, so that nobody
//! above hears of it. The account may be busy with others' calls, too: a refusal empties the bucket here as
//! well and makes the window smaller, answers make it larger again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use self::bucket::Bucket;
use self::rates::RATES;
use self::window::Window;
use crate::store::Right;

mod bucket;
mod rates;
mod window;

/// How often a call is sent again from here before it is AWS's error to tell.
const RESENDS: u32 = 12;

/// How long a refused call waits before it is sent again; each time twice as long, up to 32 times.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// What a code begins with that says that the call came too fast, in all protocols.
const REFUSALS: [&str; 6] = [
    "Throttling",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "RequestThrottled",
    "SlowDown",
];
/// What stands before a code: `<Code>` in XML, `"__type":` in JSON, perhaps with a name space.
const BEFORE_CODES: [&str; 2] = ["<Code>", "\"__type\""];

/// The one HTTP client of all services: the SDK's default, paced.
pub(super) fn client(gate: Gate) -> SharedHttpClient {
    let inner = Builder::new().build_with_connector_fn(|settings, components| {
        let mode = tls::rustls_provider::CryptoMode::AwsLc;
        let mut builder = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(mode));
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.set_proxy_config(Some(ProxyConfig::from_env()));
        builder.build()
    });
    SharedHttpClient::new(Paced { inner, pace: Arc::new(Pace { gate, ..Pace::default() }) })
}

#[derive(Debug)]
struct Paced {
    inner: SharedHttpClient,
    pace: Arc<Pace>,
}

impl HttpClient for Paced {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(PacedConnector { inner, pace: Arc::clone(&self.pace) })
    }
}

#[derive(Debug)]
struct PacedConnector {
    inner: SharedHttpConnector,
    pace: Arc<Pace>,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, pace) = (self.inner.clone(), Arc::clone(&self.pace));
        HttpConnectorFuture::new(async move { pace.send(&inner, request).await })
    }
}

/// The services that stacks are made of.
const OF_STACKS: [&str; 13] = [
    "ec2",
    "ecs",
    "elasticloadbalancing",
    "iam",
    "logs",
    "ecr",
    "acm",
    "route53",
    "autoscaling",
    "application-autoscaling",
    "monitoring",
    "scheduler",
    "servicediscovery",
];

/// What no call passes once the lock is somebody else's (N9). It stands right before the network: a call may
/// have waited for its turn for minutes, or the machine slept.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<OnceLock<Arc<Right>>>);

impl Gate {
    /// Sets the right that is asked for. The first one counts: a process holds one lock.
    pub(super) fn guard(&self, right: Arc<Right>) {
        drop(self.0.set(right));
    }

    /// Lets a call pass. The lock itself may lie in S3, and credentials are fetched to look at it.
    async fn pass(&self, service: &str) -> Result<(), ConnectorError> {
        match self.0.get().filter(|_| OF_STACKS.contains(&service)) {
            Some(right) => right.check().await.map_err(|lost| ConnectorError::user(lost.into())),
            None => Ok(()),
        }
    }
}

/// Buckets and windows of all services.
#[derive(Debug)]
struct Pace {
    gate: Gate,
    /// One for each of the [`RATES`].
    buckets: Vec<Bucket>,
    windows: Mutex<BTreeMap<String, Arc<Window>>>,
}

impl Default for Pace {
    fn default() -> Self {
        let (gate, windows) = (Gate::default(), Mutex::default());
        Self { gate, buckets: RATES.iter().map(Bucket::new).collect(), windows }
    }
}

impl Pace {
    /// Sends when there is a token and a place for it; and again when AWS says that it came too fast.
    async fn send(
        &self,
        inner: &SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let (service, operation) = (service(&request), operation(&request));
        let bucket = &self.buckets[rates::place(service, operation)];
        let window = self.window(service);
        let mut sent = 0;
        loop {
            bucket.take().await;
            // Whoever waits for a token takes nobody's place.
            let place = window.enter().await;
            self.gate.pass(service).await?;
            sent += 1;
            let again = request.try_clone().filter(|_| sent <= RESENDS);
            let Some(copy) = again else { return inner.call(request).await };
            let response = inner.call(copy).await?;
            let (response, refused) = was_refused(response).await?;
            if !refused {
                place.served();
                return Ok(response);
            }
            tracing::debug!(service, operation, sent, "refused for its pace");
            bucket.refused();
            place.refused();
            drop(place);
            sleep(FIRST_PAUSE.saturating_mul(1 << (sent - 1).min(5))).await;
        }
    }

    fn window(&self, service: &str) -> Arc<Window> {
        let mut windows = self.windows.lock().expect("no holder panics");
        let new = || Arc::new(Window::new());
        Arc::clone(windows.entry(service.to_owned()).or_insert_with(new))
    }
}

async fn sleep(wait: Duration) {
    #[expect(clippy::disallowed_methods, reason = "this is the pace layer")]
    tokio::time::sleep(wait).await;
}

/// The service that the request was signed for: `Credential=KEY/20261121/eu-west-1/ecs/aws4_request`.
fn service(request: &HttpRequest) -> &str {
    let signature = request.headers().get("authorization").unwrap_or_default();
    let scope = signature.split_once("Credential=").map_or("", |(_, rest)| rest);
    scope.split([',', ' ']).next().and_then(|scope| scope.split('/').nth(3)).unwrap_or_default()
}

/// The operation: of the JSON protocols in a header, of RPC v2 in the path, of the query protocols in the
/// form, of the REST protocols the first part of the path.
fn operation(request: &HttpRequest) -> &str {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default();
    }
    if let Some((_, operation)) = request.uri().rsplit_once("/operation/") {
        return operation;
    }
    let form = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    let mut fields = form.unwrap_or_default().split('&');
    let action = fields.find_map(|field| field.strip_prefix("Action="));
    action.unwrap_or_else(|| first_step(request.uri()))
}

/// `schedules` of `https://scheduler.eu-west-1.amazonaws.com/schedules/report?groupName=shop`.
fn first_step(uri: &str) -> &str {
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    path.split(['/', '?']).next().unwrap_or_default()
}

/// Whether AWS did nothing because the call came too fast. The body of an error is read for it.
async fn was_refused(mut response: HttpResponse) -> Result<(HttpResponse, bool), ConnectorError> {
    let status = response.status().as_u16();
    if !matches!(status, 400 | 429 | 503) {
        return Ok((response, false));
    }
    let read = ByteStream::new(response.take_body()).collect().await;
    let body = read.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let text = String::from_utf8_lossy(&body);
    // What speaks CBOR says the code of its query protocol in a header: `Throttling;Sender`.
    let header = response.headers().get("x-amzn-query-error");
    let is_refusal = |code: &str| REFUSALS.iter().any(|refusal| code.starts_with(refusal));
    let refused =
        status == 429 || header.is_some_and(is_refusal) || code(&text).is_some_and(is_refusal);
    *response.body_mut() = SdkBody::from(body);
    Ok((response, refused))
}

/// The error code in a body.
fn code(text: &str) -> Option<&str> {
    let code = match BEFORE_CODES.iter().find_map(|before| text.split_once(before)) {
        Some((_, rest)) => rest.trim_start_matches([':', ' ', '"']),
        None => cbor_code(text)?,
    };
    let code = &code[..code.find(['<', '"']).unwrap_or(code.len())];
    Some(code.rsplit('#').next().unwrap_or(code))
}

/// The error code in a body of CBOR, and what follows: a text begins with its length, in the same byte when
/// it is short, or in one more.
fn cbor_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("__type")?;
    let length = if rest.starts_with('x') { 2 } else { 1 };
    rest.char_indices().nth(length).map(|(start, _)| &rest[start..])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_smithy_runtime_api::http::StatusCode;
    use tokio::time::Instant;

    use super::*;

    /// Refuses the first calls.
    #[derive(Debug)]
    struct Refusing {
        left: AtomicU32,
        status: u16,
        body: &'static str,
    }

    impl HttpConnector for Refusing {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let refuses = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let (status, body) = match refuses {
                Ok(_) => (self.status, self.body),
                Err(_) => (200, "done"),
            };
            let status = StatusCode::try_from(status).unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }

    fn request(target: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        let scope = "AWS4-HMAC-SHA256 Credential=AK/20261121/eu-west-1/ecs/aws4_request, Signed";
        request.headers_mut().insert("authorization", scope);
        request.headers_mut().insert("x-amz-target", target.to_owned());
        request
    }

    async fn sent(left: u32, status: u16, body: &'static str) -> (u16, String) {
        let inner = Refusing { left: AtomicU32::new(left), status, body };
        let inner = SharedHttpConnector::new(inner);
        let target = "AmazonEC2ContainerServiceV20141113.CreateService";
        let response = Pace::default().send(&inner, request(target)).await.unwrap();
        let body = response.body().bytes().map(<[u8]>::to_vec).unwrap();
        (response.status().as_u16(), String::from_utf8(body).unwrap())
    }

    /// B41: a throttle is nobody's business up above.
    #[tokio::test(start_paused = true)]
    async fn what_came_too_fast_is_sent_again() {
        let json = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;
        let query = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors>";
        for (status, body) in [(400, json), (503, query), (429, "")] {
            assert_eq!(sent(3, status, body).await, (200, "done".to_owned()), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_otherwise_is_passed_on_whole() {
        let body = r#"{"__type": "ClusterNotFoundException"}"#;
        assert_eq!(sent(1, 400, body).await, (400, body.to_owned()));
        assert_eq!(sent(1, 500, "ThrottlingException").await.0, 500, "it may have had an effect");
        let user = r#"{"__type": "ValidationException", "message": "not a name: Throttling"}"#;
        assert_eq!(sent(1, 400, user).await, (400, user.to_owned()));
        let refusal = r#"{"__type": "com.amazonaws#ThrottlingException"}"#;
        assert_eq!(sent(100, 400, refusal).await, (400, refusal.to_owned()), "not for ever");
    }

    /// B41: 25 registrations take what AWS's rate of one a second leaves after the first 20.
    #[tokio::test(start_paused = true)]
    async fn calls_keep_to_the_documented_rate() {
        let pace = Pace::default();
        let inner = Refusing { left: AtomicU32::new(0), status: 200, body: "" };
        let inner = SharedHttpConnector::new(inner);
        let started = Instant::now();
        let target = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition";
        let calls = (0..25).map(|_| pace.send(&inner, request(target)));
        futures::future::join_all(calls).await;
        assert_eq!(started.elapsed().as_secs(), 5);
    }

    /// CloudWatch answers in CBOR.
    #[tokio::test]
    async fn a_refusal_is_known_by_its_header_as_well() {
        let answer = |header: Option<&'static str>, body: &'static [u8]| async move {
            let status = StatusCode::try_from(400).unwrap();
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            if let Some(header) = header {
                response.headers_mut().insert("x-amzn-query-error", header);
            }
            was_refused(response).await.unwrap().1
        };
        assert!(answer(Some("Throttling;Sender"), b"\xa0").await);
        assert!(!answer(Some("ValidationError;Sender"), b"\xa0").await);
        assert!(answer(None, b"\xa1f__typesThrottlingException").await);
        assert!(!answer(None, b"\xa1f__typesValidationException").await);
    }

    #[test]
    fn a_request_says_whose_it_is() {
        let mut query = HttpRequest::new(SdkBody::from("Action=CreateVpc&Version=2016-11-15"));
        assert_eq!((service(&query), operation(&query)), ("", "CreateVpc"));
        query.headers_mut().insert("x-amz-target", "Logs_20140328.CreateLogGroup");
        assert_eq!(operation(&query), "CreateLogGroup");
        assert_eq!(service(&request("x")), "ecs");
        let mut rest = HttpRequest::new(SdkBody::empty());
        rest.set_uri("https://scheduler.eu-west-1.amazonaws.com/schedules/a?groupName=b").unwrap();
        assert_eq!(operation(&rest), "schedules");
    }
}
