//! A proxy on loopback between ecsctl and the test AWS: it counts the calls, and it troubles those that a
//! plan picks as networks, AWS and machines do.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use self::message::Message;
use super::session::is_change;

mod message;
pub(crate) mod rates;

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
    /// `ec2` ….
    pub(crate) service: &'a str,
    /// `CreateVpc` ….
    pub(crate) operation: &'a str,
    /// What it is called with.
    pub(crate) input: &'a str,
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
        let (operation, input) = (request.operation(), request.input());
        *state.counts.entry(operation.clone()).or_default() += 1;
        let (change, attempt) = if is_change(&operation) {
            let next = state.changes.len() + 1;
            let call = (operation.clone(), input.clone());
            let (change, attempts) = state.changes.entry(call).or_insert((next, 0));
            *attempts += 1;
            (Some(*change), *attempts)
        } else {
            (None, 1)
        };
        let service = request.service();
        let seen = Seen { service, operation: &operation, input: &input, change, attempt };
        let fault = (state.plan)(&seen);
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
