//! A proxy on loopback between ecsctl and the test AWS: counts the calls by operation and makes each
//! take as long as a call over a network does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls by operation.
pub(crate) type Counts = BTreeMap<String, usize>;

/// A proxy that listens until the process ends.
pub(crate) struct Proxy {
    /// What goes into `AWS_ENDPOINT_URL`.
    pub(crate) url: String,
    counts: Arc<Mutex<Counts>>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `upstream` (`127.0.0.1:4566`), each request
    /// `latency` late.
    pub(crate) fn start(upstream: &str, latency: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let counts = Arc::new(Mutex::new(Counts::new()));
        let (upstream, shared) = (upstream.to_owned(), counts.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, counts) = (upstream.clone(), shared.clone());
                // A connection that breaks is the client's to notice.
                std::thread::spawn(move || drop(serve(client, &upstream, latency, &counts)));
            }
        });
        Ok(Self { url, counts })
    }

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().expect("no holder panics"))
    }
}

/// One client connection, and one upstream for it.
fn serve(
    client: TcpStream,
    upstream: &str,
    latency: Duration,
    counts: &Mutex<Counts>,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut to_client = client.try_clone()?;
    let mut to_server = server.try_clone()?;
    let mut from_client = BufReader::new(client);
    let mut from_server = BufReader::new(server);
    while let Some(request) = Message::read(&mut from_client)? {
        *counts.lock().expect("no holder panics").entry(request.operation()).or_default() += 1;
        std::thread::sleep(latency);
        to_server.write_all(&request.bytes())?;
        let Some(response) = Message::read(&mut from_server)? else { break };
        to_client.write_all(&response.bytes())?;
    }
    Ok(())
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
        let form = String::from_utf8_lossy(&self.body);
        let action = form.split('&').find_map(|field| field.strip_prefix("Action="));
        action
            .map_or_else(|| self.head.lines().next().unwrap_or_default().to_owned(), str::to_owned)
    }
}
