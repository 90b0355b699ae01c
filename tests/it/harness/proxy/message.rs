//! A request or a response as the proxy reads it, and what it answers itself.

use std::io::{self, BufRead};

/// Methods, parts of addresses, and the operations that they mean; the first that fits.
const ROUTE_53: [(&str, &str, &str); 4] = [
    ("POST", "/rrset", "ChangeResourceRecordSets"),
    ("GET", "/rrset", "ListResourceRecordSets"),
    ("GET", "/change/", "GetChange"),
    ("GET", "/hostedzone", "ListHostedZones"),
];

/// A request or a response, whose body has a `content-length`.
pub(super) struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    /// `None` at the end of the connection.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
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

    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// The service that it was signed for: `Credential=KEY/20261121/eu-west-1/ecs/aws4_request`.
    pub(super) fn service(&self) -> &str {
        let signature = self.header("authorization").unwrap_or_default();
        let scope = signature.split_once("Credential=").map_or("", |(_, scope)| scope);
        scope.split('/').nth(3).unwrap_or_default()
    }

    /// The operation: of the JSON protocols in a header, of RPC v2 in the path, of the query protocol in the
    /// form, of the REST protocols in the address; of S3's the SDK repeats it there.
    pub(super) fn operation(&self) -> String {
        if let Some((_, operation)) = self.header("x-amz-target").and_then(|t| t.rsplit_once('.')) {
            return operation.to_owned();
        }
        let line = self.head.lines().next().unwrap_or_default();
        if self.speaks_cbor() {
            let path = line.split(' ').nth(1).unwrap_or_default();
            return path.rsplit('/').next().unwrap_or_default().to_owned();
        }
        if self.service() == "route53" {
            let known = ROUTE_53
                .iter()
                .find(|(method, part, _)| line.starts_with(method) && line.contains(part));
            return known.map_or(line, |(_, _, operation)| operation).to_owned();
        }
        let end = |rest: &str| rest.split(['&', ' ']).next().unwrap_or_default().to_owned();
        let in_address = || line.split_once("x-id=").map(|(_, rest)| end(rest));
        let found = self.of_scheduler().or_else(|| self.field("Action")).or_else(in_address);
        found.unwrap_or_else(|| line.to_owned())
    }

    /// Whether it is of the protocol "Smithy RPC v2 CBOR".
    fn speaks_cbor(&self) -> bool {
        self.header("smithy-protocol") == Some("rpc-v2-cbor")
    }

    /// The operations of EventBridge Scheduler, which are methods and paths. A list is a `Get` as well.
    fn of_scheduler(&self) -> Option<String> {
        let mut words = self.head.split(' ').filter(|_| self.service() == "scheduler");
        let (method, path) = (words.next()?, words.next()?);
        let what = match path.split(['/', '?']).nth(1)? {
            "schedules" => "Schedule",
            "schedule-groups" => "ScheduleGroup",
            _ => "Tag",
        };
        let verb = match method {
            "GET" => "Get",
            "POST" => "Create",
            "PUT" => "Update",
            _ => "Delete",
        };
        Some(format!("{verb}{what}"))
    }

    /// What the operation is called with. A call that is made again may have its maps in another order.
    pub(super) fn input(&self) -> String {
        // What is meant stands in the path.
        if self.service() == "scheduler" {
            return self.head.lines().next().unwrap_or_default().to_owned();
        }
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
    pub(super) fn throttled(&self) -> Self {
        self.refused(
            (400, "ThrottlingException"),
            (503, "RequestLimitExceeded"),
            (400, "Throttling"),
            (503, "SlowDown"),
        )
    }

    /// The answer of a service that has a fault.
    pub(super) fn failed(&self) -> Self {
        let internal = (500, "InternalError");
        self.refused((500, "ServerException"), internal, (500, "InternalFailure"), internal)
    }

    /// An error of the JSON protocols, of EC2's, of the query protocol of the others, or of S3's.
    fn refused(
        &self,
        json: (u16, &str),
        ec2: (u16, &str),
        query: (u16, &str),
        s3: (u16, &str),
    ) -> Self {
        let text = "the test has it so";
        if self.speaks_cbor() {
            return Self::answer_in_cbor(json, text);
        }
        let (status, body) = if self.service() == "scheduler" {
            (json.0, format!(r#"{{"__type":"{}","Message":"{text}"}}"#, json.1))
        } else if self.header("x-amz-target").is_some() {
            (json.0, format!(r#"{{"__type":"{}","message":"{text}"}}"#, json.1))
        } else if self.service() == "s3" {
            (s3.0, format!("<Error><Code>{}</Code><Message>{text}</Message></Error>", s3.1))
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

    /// Two texts in a map. Each says its length first.
    fn answer_in_cbor((status, code): (u16, &str), message: &str) -> Self {
        let text = |text: &str| {
            let length = u8::try_from(text.len()).expect("a short text");
            [&[0x78, length], text.as_bytes()].concat()
        };
        let parts = ["__type", code, "message", message].map(text).concat();
        let body = [&[0xa2][..], &parts].concat();
        let fields = "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor";
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\n{fields}\r\ncontent-length: {length}\r\n\r\n");
        Self { head, body }
    }

    pub(super) fn bad_gateway() -> Self {
        Self::answer(502, "<html><h1>502 Bad Gateway</h1></html>".to_owned())
    }

    fn answer(status: u16, body: String) -> Self {
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", body.len());
        Self { head, body: body.into_bytes() }
    }

    pub(super) fn corrupted(mut self) -> Self {
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
