//! Just enough HTTP to ask the test server's control endpoints.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value as Json;

/// Sends one request to `address` (`127.0.0.1:4566`), with `headers` of its own that each end with
/// a line break, and reads the JSON that comes back.
pub(super) fn request(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Json {
    let mut stream = TcpStream::connect(address).expect("the test server listens");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\
         {headers}connection: close\r\n\r\n{body}"
    )
    .expect("the test server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the test server answers");
    let (head, content) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.lines().next().unwrap_or_default();
    assert!(status.contains(" 200 "), "{method} {path}: {status}: {content}");
    serde_json::from_str(content).expect("the control endpoints answer in JSON")
}
