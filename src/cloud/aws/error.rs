//! What AWS's error codes mean. Codes and message fragments are data, one table each.
//!
//! Sources: the API pages' error lists and the request-throttling guides of the services.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::kind::{Class, Error};

/// Codes that mean the same whatever the message says. `*` at the end stands for any rest, at the
/// beginning for any start.
const CODES: &[(&str, Class)] = &[
    ("Throttling*", Class::Throttled),
    ("ThrottledException", Class::Throttled),
    ("RequestThrottled*", Class::Throttled),
    ("TooManyRequestsException", Class::Throttled),
    ("RequestLimitExceeded", Class::Throttled),
    ("SlowDown", Class::Throttled),
    ("BandwidthLimitExceeded", Class::Throttled),
    ("RequestTimeout*", Class::Transient),
    ("InternalError", Class::Transient),
    ("InternalFailure", Class::Transient),
    ("InternalServiceError*", Class::Transient),
    ("InternalServerError", Class::Transient),
    ("ServerException", Class::Transient),
    ("ServiceFailure*", Class::Transient),
    ("ServiceUnavailable*", Class::Transient),
    ("Unavailable", Class::Transient),
    ("ExpiredToken*", Class::Credentials),
    ("UnrecognizedClientException", Class::Credentials),
    ("InvalidClientTokenId", Class::Credentials),
    ("SignatureDoesNotMatch", Class::Credentials),
    ("AccessDenied*", Class::Denied),
    ("UnauthorizedOperation", Class::Denied),
    ("OptInRequired", Class::Denied),
    ("DependencyViolation", Class::InUse),
    ("InvalidGroup.InUse", Class::InUse),
    ("InvalidIPAddress.InUse", Class::InUse),
    ("DeleteConflict", Class::InUse),
    ("ResourceInUse*", Class::InUse),
    ("ClusterContains*", Class::InUse),
    ("UpdateInProgressException", Class::InUse),
    ("ConcurrentModification*", Class::InUse),
    ("EntityTemporarilyUnmodifiable", Class::InUse),
    ("OperationAbortedException", Class::InUse),
    ("InvalidPermission.Duplicate", Class::Exists),
    ("RouteAlreadyExists", Class::Exists),
    ("EntityAlreadyExists*", Class::Exists),
    ("ResourceAlreadyExistsException", Class::Exists),
    ("RepositoryAlreadyExistsException", Class::Exists),
    ("InvalidGroup.Duplicate", Class::Exists),
    ("Duplicate*", Class::Exists),
    ("PriorityInUse*", Class::Exists),
    ("Gateway.NotAttached", Class::Absent),
    ("NatGatewayNotFound", Class::Absent),
    ("NoSuchEntity*", Class::Absent),
    ("ServiceNotActiveException", Class::Absent),
    ("*NotFound", Class::Absent),
    ("*NotFoundException", Class::Absent),
    ("*LimitExceeded", Class::Quota),
    ("*LimitExceededException", Class::Quota),
    ("TooMany*", Class::Quota),
];

/// Codes whose meaning is in the message: code, fragment in lower case, class. They come first.
const MESSAGES: &[(&str, &str, Class)] = &[
    ("InvalidParameterException", "unable to assume the service linked role", Class::Eventual),
    ("InvalidParameterException", "verify that the ecs service role", Class::Eventual),
    ("InvalidParameterException", "does not have an associated load balancer", Class::Eventual),
    ("InvalidParameterException", "unable to assume", Class::Eventual),
    ("ClientException", "unable to assume", Class::Eventual),
    ("ClientException", "role is not valid", Class::Eventual),
    ("InvalidParameterException", "creation of service was not idempotent", Class::InUse),
    ("InvalidParameterException", "cannot be stopped while deployments are active", Class::InUse),
    ("InvalidParameterException", "unable to start a service that is still draining", Class::InUse),
    ("InvalidParameterException", "errorcode: invalidsubnetid.notfound", Class::Eventual),
    ("InvalidParameterException", "errorcode: invalidgroup.notfound", Class::Eventual),
    ("ClientException", "cluster was not active", Class::Eventual),
    ("InvalidParameterException", "cluster was not active", Class::Eventual),
    ("ClientException", "too many concurrent attempts", Class::Throttled),
    ("MalformedPolicyDocument", "invalid principal", Class::Eventual),
    ("AuthFailure", "you do not have permission to access the specified resource", Class::InUse),
    ("AuthFailure", "", Class::Credentials),
    ("InvalidParameterException", "service was not found", Class::Absent),
];

/// Codes that mean *not visible yet* when the call creates or changes something, and *gone* when it
/// reads or deletes: the things that a create refers to have been made a moment ago.
const PROPAGATION: &[&str] = &[
    "InvalidVpcID.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidGatewayID.NotFound",
    "InvalidAllocationID.NotFound",
    "InvalidNatGatewayID.NotFound",
    "NatGatewayNotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "TargetGroupNotFound",
    "LoadBalancerNotFound",
    "ListenerNotFound",
    "SubnetNotFound",
    "ClusterNotFoundException",
    "NoSuchEntity",
];

/// The class of an error code and message.
pub(crate) fn classify(code: &str, message: &str, status: Option<u16>) -> Class {
    let message = message.to_lowercase();
    let by_message =
        MESSAGES.iter().find(|(c, fragment, _)| *c == code && message.contains(fragment));
    if let Some((_, _, class)) = by_message {
        return *class;
    }
    if let Some((_, class)) = CODES.iter().find(|(pattern, _)| matches(pattern, code)) {
        return *class;
    }
    match status {
        // A success that cannot be read leaves open what has been done, as no answer does.
        Some(200..=299 | 500..=599) => Class::Transient,
        Some(429) => Class::Throttled,
        _ => Class::Other,
    }
}

fn matches(pattern: &str, code: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => code.ends_with(end),
        (None, Some(start)) => code.starts_with(start),
        (None, None) => code == pattern,
    }
}

impl Error {
    /// Reads *not found* as *not visible yet*: for creates and changes, whose ingredients were made a
    /// moment ago.
    #[must_use]
    pub fn while_creating(mut self) -> Self {
        if self.code.as_deref().is_some_and(|code| PROPAGATION.contains(&code)) {
            self.class = Class::Eventual;
        }
        self
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let unsent = match &error {
            SdkError::ConstructionFailure(_) => Some(Class::Credentials),
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => Some(Class::Transient),
            SdkError::ResponseError(_) => Some(Class::Transient),
            _ => None,
        };
        if let Some(class) = unsent {
            return of_transport(class, &chain(&error));
        }
        let code = error.code().map(str::to_owned);
        let message = error.message().map_or_else(|| chain(&error), str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let class = classify(code.as_deref().unwrap_or_default(), &message, status);
        Self {
            code,
            request_id: error.meta().extra("aws_request_id").map(str::to_owned),
            ..Self::new(class, message)
        }
    }
}

/// A call that got no answer: no credentials, no network, or nobody at the other end.
fn of_transport(class: Class, text: &str) -> Error {
    let words = text.to_lowercase();
    if words.contains("credential") || words.contains("imds") || words.contains("profile") {
        let message = format!("no usable AWS credentials: {text}");
        let hint = "choose a profile with `--profile` or AWS_PROFILE (`aws sso login` where it is \
                    an SSO profile), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        return Error::new(Class::Credentials, message).hinted(hint);
    }
    let message = format!("AWS cannot be reached: {text}");
    Error::new(class, message).hinted("check the network, the region and AWS_ENDPOINT_URL")
}

/// The error with its causes: the SDK's outermost text alone says only "dispatch failure".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_api_pages_say() {
        let of = |code, message| classify(code, message, None);
        assert_eq!(of("ThrottlingException", "Rate exceeded"), Class::Throttled);
        assert_eq!(of("RequestLimitExceeded", ""), Class::Throttled);
        assert_eq!(of("VpcLimitExceeded", ""), Class::Quota);
        assert_eq!(of("InvalidSubnetID.NotFound", ""), Class::Absent);
        assert_eq!(of("DependencyViolation", ""), Class::InUse);
        assert_eq!(of("InvalidParameterException", "Anything else"), Class::Other);
        let draining = "Creation of service was not idempotent.";
        assert_eq!(of("InvalidParameterException", draining), Class::InUse);
        assert_eq!(classify("", "", Some(503)), Class::Transient);
        assert_eq!(classify("", "error parsing XML", Some(200)), Class::Transient);
        assert_eq!(classify("", "error parsing XML", Some(400)), Class::Other);
    }
}
