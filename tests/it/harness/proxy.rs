//! A proxy on loopback between ecsctl and the test AWS: it counts the calls, and it troubles those that a
//! plan picks as networks, AWS and machines do.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::session::is_change;

/// Calls by operation.
pub(crate) type Counts = BTreeMap<String, usize>;

/// On which side of a call's effect something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The call never reaches AWS.
    Before,
    /// AWS has done its work.
    After,
}

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The binary is killed.
    Kill(Side),
    /// The answer is 500.
    Fail(Side),
    /// AWS has done its work, but a gateway before it answers: 502, and no word of the service.
    Gateway,
    /// The connection ends without an answer.
    Drop(Side),
    /// It is one call too many.
    Throttle,
    /// It takes so much longer.
    Delay(Duration),
    /// Half of the answer comes.
    Truncate,
    /// Bytes in the middle of the answer are others, if it is a success: a refusal that cannot be read is
    /// one all the same.
    Corrupt,
    /// The connection ends before the call is made, and no other is accepted for so long.
    Refuse(Duration),
}

/// A call that arrives, as a plan judges it.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// `CreateVpc` ….
    pub(crate) operation: &'a str,
    /// Of the calls that change something, the how manieth it is, from 1. Made again, it is the same.
    pub(crate) change: Option<usize>,
    /// How often it has been made, from 1.
    pub(crate) attempt: usize,
}

/// Says what happens to a call; `None` lets it pass.
pub(crate) type Plan = Box<dyn FnMut(&Seen<'_>) -> Option<Fault> + Send>;

/// A proxy that listens until it is dropped.
pub(crate) struct Proxy {
    /// What goes into `AWS_ENDPOINT_URL`.
    pub(crate) url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    upstream: String,
    state: Mutex<State>,
    /// Connections that are open.
    open: AtomicUsize,
}

struct State {
    plan: Plan,
    counts: Counts,
    /// What has happened, in the order in which it did.
    struck: Vec<String>,
    /// Calls that change something by operation and input: which they are, how often they were made.
    changes: BTreeMap<(String, String), (usize, usize)>,
    victim: Option<Arc<Mutex<Child>>>,
    listens: Listens,
    /// How many binaries have been killed: what they still had to say is lost.
    killed: usize,
}

/// What the thread that accepts connections is to do after the next one.
enum Listens {
    On,
    NotFor(Duration),
    No,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `upstream` (`127.0.0.1:4566`).
    pub(crate) fn start(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = State {
            plan: Box::new(|_| None),
            counts: Counts::new(),
            struck: Vec::new(),
            changes: BTreeMap::new(),
            victim: None,
            listens: Listens::On,
            killed: 0,
        };
        let (upstream, state, open) = (upstream.to_owned(), Mutex::new(state), AtomicUsize::new(0));
        let shared = Arc::new(Shared { upstream, state, open });
        let listening = shared.clone();
        std::thread::spawn(move || listening.accept(listener, address));
        Ok(Self { url: format!("http://{address}"), address, shared })
    }

    /// From now on this happens; calls are numbered anew.
    pub(crate) fn plan(&self, plan: Plan) {
        let mut state = self.shared.state();
        state.plan = plan;
        state.changes.clear();
        state.struck.clear();
    }

    /// Whom [`Fault::Kill`] kills.
    pub(crate) fn aim(&self, child: Arc<Mutex<Child>>) {
        self.shared.state().victim = Some(child);
    }

    /// What has happened under the present plan.
    pub(crate) fn struck(&self) -> Vec<String> {
        self.shared.state().struck.clone()
    }

    /// How many different calls that change something came under the present plan.
    pub(crate) fn changes(&self) -> usize {
        self.shared.state().changes.len()
    }

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.shared.state().counts)
    }

    /// Waits until the calls of a binary that has ended have come to their end as well.
    pub(crate) fn settle(&self) {
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().listens = Listens::No;
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    fn accept(self: Arc<Self>, mut listener: TcpListener, address: SocketAddr) {
        loop {
            let Ok((client, _)) = listener.accept() else { return };
            let listens = std::mem::replace(&mut self.state().listens, Listens::On);
            match listens {
                Listens::On => {
                    self.open.fetch_add(1, Ordering::SeqCst);
                    let shared = self.clone();
                    std::thread::spawn(move || {
                        // A connection that breaks is the client's to notice.
                        drop(shared.serve(client));
                        shared.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
                Listens::NotFor(time) => {
                    drop((client, listener));
                    std::thread::sleep(time);
                    listener = TcpListener::bind(address).expect("the port it had");
                }
                Listens::No => return,
            }
        }
    }

    /// One client connection, and one upstream for it.
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        let killed = self.state().killed;
        let server = TcpStream::connect(&self.upstream)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut to_client = client.try_clone()?;
        let mut to_server = server.try_clone()?;
        let mut from_client = BufReader::new(client);
        let mut from_server = BufReader::new(server);
        while let Some(request) = Message::read(&mut from_client)? {
            let Some(fault) = self.judge(&request, killed) else { break };
            let mut forward = || -> io::Result<Option<Message>> {
                to_server.write_all(&request.bytes())?;
                Message::read(&mut from_server)
            };
            let answer = match fault {
                None => forward()?,
                Some(Fault::Delay(time)) => {
                    std::thread::sleep(time);
                    forward()?
                }
                Some(Fault::Throttle) => Some(request.throttled()),
                Some(Fault::Fail(Side::Before)) => Some(request.failed()),
                Some(Fault::Fail(Side::After)) => forward()?.map(|_| request.failed()),
                Some(Fault::Gateway) => forward()?.map(|_| Message::bad_gateway()),
                Some(Fault::Corrupt) => forward()?.map(Message::corrupted),
                Some(Fault::Truncate) => {
                    let bytes = forward()?.map(|answer| answer.bytes()).unwrap_or_default();
                    to_client.write_all(&bytes[..bytes.len() / 2])?;
                    None
                }
                Some(Fault::Drop(Side::Before)) => None,
                Some(Fault::Drop(Side::After)) => forward()?.and(None),
                Some(Fault::Kill(Side::Before)) => self.kill(),
                Some(Fault::Kill(Side::After)) => {
                    forward()?;
                    self.kill()
                }
                Some(Fault::Refuse(time)) => {
                    self.state().listens = Listens::NotFor(time);
                    // Wakes the thread that accepts.
                    drop(TcpStream::connect(to_client.local_addr()?));
                    None
                }
            };
            let Some(answer) = answer else { break };
            to_client.write_all(&answer.bytes())?;
        }
        Ok(())
    }

    /// What happens to a call. The outer `None`: whoever made it has been killed since it connected.
    fn judge(&self, request: &Message, killed: usize) -> Option<Option<Fault>> {
        let mut state = self.state();
        if state.killed != killed {
            return None;
        }
        let operation = request.operation();
        *state.counts.entry(operation.clone()).or_default() += 1;
        let (change, attempt) = if is_change(&operation) {
            let next = state.changes.len() + 1;
            let call = (operation.clone(), request.input());
            let (change, attempts) = state.changes.entry(call).or_insert((next, 0));
            *attempts += 1;
            (Some(*change), *attempts)
        } else {
            (None, 1)
        };
        let fault = (state.plan)(&Seen { operation: &operation, change, attempt });
        if let Some(fault) = fault {
            let number = change.map_or_else(String::new, |change| format!(" (change {change})"));
            state.struck.push(format!("{fault:?} at {operation}{number}, attempt {attempt}"));
        }
        Some(fault)
    }

    fn kill<T>(&self) -> Option<T> {
        let mut state = self.state();
        state.killed += 1;
        let victim = state.victim.take();
        // One that has just ended by itself needs no killing.
        drop(victim.map(|child| child.lock().expect("no holder panics").kill()));
        None
    }
}

/// A request or a response, whose body has a `content-length`.
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    /// `None` at the end of the connection.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head)? == 0 {
                return Ok(None);
            }
        }
        let mut message = Self { head, body: Vec::new() };
        let length = message.header("content-length").and_then(|length| length.parse().ok());
        message.body = vec![0; length.unwrap_or(0)];
        from.read_exact(&mut message.body)?;
        Ok(Some(message))
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim())
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// The operation: of the JSON protocols in a header, of the query protocol in the form.
    fn operation(&self) -> String {
        if let Some((_, operation)) = self.header("x-amz-target").and_then(|t| t.rsplit_once('.')) {
            return operation.to_owned();
        }
        let first_line = || self.head.lines().next().unwrap_or_default().to_owned();
        self.field("Action").unwrap_or_else(first_line)
    }

    /// What the operation is called with. A call that is made again may have its maps in another order.
    fn input(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        match serde_json::from_str::<serde_json::Value>(&body) {
            Ok(json) => json.to_string(),
            Err(_) => body.into_owned(),
        }
    }

    /// A field of the query protocol's form.
    fn field(&self, name: &str) -> Option<String> {
        let form = String::from_utf8_lossy(&self.body);
        let mut fields = form.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    }

    /// The answer of a service that is called too often, in the form of the request's protocol: pages
    /// "Common errors" of ECS and ELB, "Request throttling for the Amazon EC2 API".
    fn throttled(&self) -> Self {
        self.refused(
            (400, "ThrottlingException"),
            (503, "RequestLimitExceeded"),
            (400, "Throttling"),
        )
    }

    /// The answer of a service that has a fault.
    fn failed(&self) -> Self {
        self.refused((500, "ServerException"), (500, "InternalError"), (500, "InternalFailure"))
    }

    /// An error of the JSON protocols, of EC2's, or of the query protocol of the others.
    fn refused(&self, json: (u16, &str), ec2: (u16, &str), query: (u16, &str)) -> Self {
        let text = "the test has it so";
        let (status, body) = if self.header("x-amz-target").is_some() {
            (json.0, format!(r#"{{"__type":"{}","message":"{text}"}}"#, json.1))
        } else if self.field("Version").as_deref() == Some("2016-11-15") {
            let error = format!("<Error><Code>{}</Code><Message>{text}</Message></Error>", ec2.1);
            (
                ec2.0,
                format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"),
            )
        } else {
            let error = format!("<Code>{}</Code><Message>{text}</Message>", query.1);
            let error = format!("<Error><Type>Sender</Type>{error}</Error>");
            (query.0, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
        };
        Self::answer(status, body)
    }

    fn bad_gateway() -> Self {
        Self::answer(502, "<html><h1>502 Bad Gateway</h1></html>".to_owned())
    }

    fn answer(status: u16, body: String) -> Self {
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", body.len());
        Self { head, body: body.into_bytes() }
    }

    fn corrupted(mut self) -> Self {
        if !self.head.starts_with("HTTP/1.1 200") {
            return self;
        }
        let middle = self.body.len() / 2;
        for byte in self.body.iter_mut().skip(middle).take(8) {
            *byte = 0xff;
        }
        self
    }
}
