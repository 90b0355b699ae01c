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

    /// The operation: of the JSON protocols in a header, of the query protocol in the form, of Route 53's
    /// in the address.
    pub(super) fn operation(&self) -> String {
        if let Some((_, operation)) = self.header("x-amz-target").and_then(|t| t.rsplit_once('.')) {
            return operation.to_owned();
        }
        let first_line = self.head.lines().next().unwrap_or_default();
        if self.service() == "route53" {
            let known = ROUTE_53.iter().find(|(method, part, _)| {
                first_line.starts_with(method) && first_line.contains(part)
            });
            return known.map_or(first_line, |(_, _, operation)| operation).to_owned();
        }
        self.field("Action").unwrap_or_else(|| first_line.to_owned())
    }

    /// What the operation is called with. A call that is made again may have its maps in another order.
    pub(super) fn input(&self) -> String {
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
        )
    }

    /// The answer of a service that has a fault.
    pub(super) fn failed(&self) -> Self {
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
