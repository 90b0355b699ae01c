//! What AWS's error codes mean. Codes and message fragments are data, one table each.
//!
//! Sources: the API pages' error lists and the request-throttling guides of the services.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::kind::{Class, Error};
use crate::store::Lost;

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
    ("ExpiredToken*", Class::Expired),
    ("RequestExpired", Class::Expired),
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
    ("PriorRequestNotComplete", Class::InUse),
    ("ConcurrentModification*", Class::InUse),
    ("ConcurrentUpdateException", Class::InUse),
    ("EntityTemporarilyUnmodifiable", Class::InUse),
    ("OperationAbortedException", Class::InUse),
    ("ResourceContention*", Class::InUse),
    ("ScalingActivityInProgress*", Class::InUse),
    ("ServiceLinkedRoleFailure", Class::Eventual),
    ("AlreadyExists*", Class::Exists),
    ("InvalidLaunchTemplateName.AlreadyExistsException", Class::Exists),
    ("InvalidPermission.Duplicate", Class::Exists),
    ("RouteAlreadyExists", Class::Exists),
    ("EntityAlreadyExists*", Class::Exists),
    ("ResourceAlreadyExistsException", Class::Exists),
    ("RepositoryAlreadyExistsException", Class::Exists),
    ("NamespaceAlreadyExists", Class::Exists),
    ("InvalidGroup.Duplicate", Class::Exists),
    ("Duplicate*", Class::Exists),
    ("PriorityInUse*", Class::Exists),
    ("Gateway.NotAttached", Class::Absent),
    ("NatGatewayNotFound", Class::Absent),
    ("NoSuchEntity*", Class::Absent),
    ("NoSuchHostedZone", Class::Absent),
    ("DashboardNotFoundError", Class::Absent),
    ("NoSuchChange", Class::Absent),
    ("ServiceNotActiveException", Class::Absent),
    ("*NotFound", Class::Absent),
    ("*NotFoundException", Class::Absent),
    ("*LimitExceeded", Class::Quota),
    ("*LimitExceededException", Class::Quota),
    ("ServiceQuotaExceededException", Class::Quota),
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
    // Managed instances that are gone since the list was read: the next attempt reads it again.
    ("InvalidParameterException", "the specified capacity provider '", Class::Eventual),
    ("ClientException", "capacity provider does not exist", Class::Absent),
    ("ClientException", "capacity provider already exists", Class::Exists),
    ("ClientException", "is in use and cannot be removed", Class::InUse),
    ("ValidationError", "autoscalinggroup name not found", Class::Absent),
    ("ValidationError", "valid fully-formed launch template", Class::Eventual),
    ("ValidationError", "the subnet id", Class::Eventual),
    ("MalformedPolicyDocument", "invalid principal", Class::Eventual),
    ("ValidationException", "eventbridge scheduler to assume the role", Class::Eventual),
    ("ConflictException", "already exists", Class::Exists),
    // The private name of an endpoint that is gone is free a moment later.
    ("InvalidParameter", "conflicting dns domain", Class::Eventual),
    ("AuthFailure", "you do not have permission to access the specified resource", Class::InUse),
    ("AuthFailure", "", Class::Credentials),
    ("InvalidParameterException", "service was not found", Class::Absent),
    ("ValidationException", "ecs service doesn't exist", Class::Eventual),
    ("ValidationException", "unable to assume iam role", Class::Eventual),
    ("ValidationException", "only one targettrackingscaling policy", Class::InUse),
    ("InvalidChangeBatch", "but it already exists", Class::Exists),
    ("ConflictException", "certificate", Class::InUse),
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
    "InvalidRouteTableId.NotFound",
    "InvalidSubnetId.NotFound",
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "TargetGroupNotFound",
    "LoadBalancerNotFound",
    "ListenerNotFound",
    "SubnetNotFound",
    "ClusterNotFoundException",
    "NamespaceNotFoundException",
    "NoSuchEntity",
    "ObjectNotFoundException",
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
            SdkError::DispatchFailure(_) => Some(Class::Unreachable),
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Some(Class::Transient),
            _ => None,
        };
        if let Some(lost) = causes(&error).find_map(|cause| cause.downcast_ref::<Lost>()) {
            return Self::new(Class::Unreachable, lost.to_string());
        }
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
    if !["credential", "imds", "profile", "sso"].iter().any(|word| words.contains(word)) {
        return Error::new(class, format!("AWS cannot be reached: {}", reason(text)));
    }
    if words.contains("expired") {
        return Error::new(Class::Expired, format!("the sign-in has expired: {}", reason(text)));
    }
    let message = match attempts(text) {
        Some(told) if told.is_empty() => "no AWS credentials were found".to_owned(),
        Some(told) => format!("no AWS credentials were found: {}", told.join("; ")),
        None => format!("the AWS credentials cannot be used: {}", reason(text)),
    };
    Error::new(Class::Credentials, message)
}

/// What the SDK puts around a cause, outermost first.
const WRAPPING: &[&str] = &[
    "dispatch failure: ",
    "request has timed out: ",
    "failed to construct request: ",
    "other: ",
    "io error: ",
    "timeout: ",
    "client error (Connect): ",
    "tcp connect error: ",
    "dns error: ",
    "the credentials provider was not properly configured: ",
    "ProfileFile provider could not be built: ",
    "an error occurred while loading credentials: ",
];

/// The cause alone, without what the SDK puts around it and without a whole request in its midst.
fn reason(text: &str) -> String {
    let mut text = text;
    while let Some(rest) = WRAPPING.iter().find_map(|wrapping| text.strip_prefix(wrapping)) {
        text = rest;
    }
    match (text.split_once(" to request `Request {"), text.rsplit_once("}`: ")) {
        (Some((before, _)), Some((_, after))) => format!("{before}: {after}"),
        _ => without_number(text).to_owned(),
    }
}

/// `Connection refused (os error 111)` says nothing more by its number.
fn without_number(text: &str) -> &str {
    text.split_once(" (os error").map_or(text, |(words, _)| words)
}

/// The places where the SDK has looked for credentials and found something that is no good. `None`
/// when it has not come to looking at several.
fn attempts(text: &str) -> Option<Vec<String>> {
    const NOT_ENABLED: &str = ": the credential provider was not enabled";
    const NOT_THERE: [&str; 4] =
        ["variable not set", "was not set", "not configured", "AWS_EC2_METADATA_DISABLED"];
    let (_, tried) = text.split_once("no credentials found in chain. Attempted:")?;
    let tried = tried.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = tried.filter(|line| {
        !line.ends_with(NOT_ENABLED) && !NOT_THERE.iter().any(|words| line.contains(words))
    });
    Some(telling.map(|line| line.replace(NOT_ENABLED, "")).collect())
}

/// The error with its causes: the SDK's outermost text alone says only "dispatch failure".
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).fold(String::new(), |text, cause| match cause.to_string() {
        next if text.is_empty() => next,
        next if text.contains(&next) => text,
        next => format!("{text}: {next}"),
    })
}

/// The error, its cause, the cause's cause …
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
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
        assert_eq!(of("ObjectNotFoundException", "No scalable target found"), Class::Absent);
        let new = "ECS service doesn't exist: service/main/web";
        assert_eq!(of("ValidationException", new), Class::Eventual);
        assert_eq!(of("ExpiredTokenException", "The security token is expired"), Class::Expired);
        assert_eq!(of("InvalidClientTokenId", ""), Class::Credentials);
        assert_eq!(classify("", "", Some(503)), Class::Transient);
        assert_eq!(classify("", "error parsing XML", Some(200)), Class::Transient);
        assert_eq!(classify("", "error parsing XML", Some(400)), Class::Other);
    }

    #[test]
    fn what_got_no_answer_is_told_without_the_wrapping_of_the_sdk() {
        let told = |text: &str| {
            let error = of_transport(Class::Unreachable, text);
            format!("{:?}: {error}", error.class)
        };
        let refused = "dispatch failure: io error: client error (Connect): refused (os error 111)";
        assert_eq!(told(refused), "Unreachable: AWS cannot be reached: refused");
        let endpoint = "dispatch failure: other: failed to apply endpoint `x` to request `Request \
                        { body: SdkBody { inner: None } }`: endpoint must contain scheme";
        let expected = "Unreachable: AWS cannot be reached: failed to apply endpoint `x`: endpoint \
                        must contain scheme";
        assert_eq!(told(endpoint), expected);
        let nothing = "dispatch failure: other: the credential provider was not enabled: no \
                       credentials found in chain. Attempted:\n  Environment: the credential provider \
                       was not enabled: environment variable not set\n  Profile: the credential \
                       provider was not enabled";
        assert_eq!(told(nothing), "Credentials: no AWS credentials were found");
        let gone = format!("{nothing}: could not find source profile gone referenced from role");
        let expected = "Credentials: no AWS credentials were found: Profile: could not find source \
                        profile gone referenced from role";
        assert_eq!(told(&gone), expected);
        let sso = "dispatch failure: other: an error occurred while loading credentials: the SSO \
                   token has expired";
        assert_eq!(told(sso), "Expired: the sign-in has expired: the SSO token has expired");
    }
}
