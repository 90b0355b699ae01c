//! Errors of AWS as diagnostics: which page explains one, and what can be done about it.

use crate::diag::Diagnostic;
use crate::kind::{Class, Error};

/// The code of the page that explains an error.
pub fn code(error: &Error) -> &'static str {
    match error.class {
        // AWS's own code is there only when AWS has answered.
        Class::Credentials if error.code.is_none() => "E0301",
        Class::Expired => "E0302",
        Class::Credentials => "E0303",
        Class::Unreachable => "E0305",
        Class::Denied => "E0307",
        Class::Throttled | Class::Transient => "E0308",
        Class::Quota => "E0309",
        Class::InUse => "E0310",
        Class::Exists => "E0311",
        Class::Absent | Class::Eventual => "E0312",
        Class::Rollout => "E0313",
        Class::Other => "E0314",
    }
}

/// What to do about an error: its own hint, or what helps against its class.
pub fn hint(error: &Error) -> Option<&str> {
    let usual = match error.class {
        Class::Credentials if error.code.is_none() => {
            "choose a profile with `--profile` or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        }
        Class::Expired => "sign in again (`aws sso login`), then run the same command again",
        Class::Credentials => "check the profile or the keys: they may be of another partition",
        Class::Unreachable => "check the network, the region and AWS_ENDPOINT_URL",
        Class::Denied => "let the caller do this in IAM, or use another profile",
        Class::Throttled | Class::Transient => "run the same command again",
        Class::Quota => "raise the quota in the Service Quotas console, or remove what is not used",
        Class::InUse => "find out what holds it, then run the same command again",
        Class::Rollout => "see `ecsctl explain E0313`",
        Class::Exists | Class::Absent | Class::Eventual | Class::Other => {
            return error.hint.as_deref();
        }
    };
    Some(error.hint.as_deref().unwrap_or(usual))
}

/// The error as a diagnostic.
pub fn diagnostic(error: &Error) -> Diagnostic {
    let hint = hint(error).map(str::to_owned);
    Diagnostic { hint, ..Diagnostic::error(code(error), error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_have_three_pages() {
        let mut error = Error::new(Class::Credentials, "none");
        assert_eq!(code(&error), "E0301");
        error.code = Some("InvalidClientTokenId".into());
        assert_eq!(code(&error), "E0303");
        assert_eq!(code(&Error::new(Class::Expired, "old")), "E0302");
    }

    #[test]
    fn the_hint_of_the_error_goes_first() {
        let error = Error::new(Class::Quota, "full");
        assert!(hint(&error).unwrap().contains("Service Quotas"));
        assert_eq!(hint(&error.hinted("do this")), Some("do this"));
    }
}
