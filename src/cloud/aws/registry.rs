//! The password of the account's image registry. It is handed on and kept nowhere: neither in what is
//! logged nor in what is remembered.

use std::fmt;

use aws_smithy_types::base64;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::Aws;
use crate::kind::{Error, Result};

/// How to log in to a registry.
pub struct Login {
    /// The registry's host name.
    pub registry: String,
    /// User and password as docker keeps them: `AWS:…` in base64.
    pub token: String,
    /// Seconds of Unix time at which it runs out.
    pub expires: Option<i64>,
}

impl Login {
    /// The password alone.
    pub fn password(&self) -> Option<String> {
        let both = String::from_utf8(base64::decode(&self.token).ok()?).ok()?;
        both.split_once(':').map(|(_, password)| password.to_owned())
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Aws {
    /// GetAuthorizationToken. It opens every registry that the caller may use in this region.
    pub async fn login(&self) -> Result<Login> {
        tracing::debug!("GetAuthorizationToken is called; the log of it is left out");
        // The SDK logs replies whole when it logs everything.
        let call = self.ecr.get_authorization_token().send();
        let told = call.with_subscriber(NoSubscriber::new()).await?;
        let missing = || Error::incomplete("a token of the registry");
        let data = told.authorization_data().first().ok_or_else(missing)?;
        let endpoint = data.proxy_endpoint().ok_or_else(missing)?;
        Ok(Login {
            registry: endpoint.trim_start_matches("https://").to_owned(),
            token: data.authorization_token().ok_or_else(missing)?.to_owned(),
            expires: data.expires_at().map(aws_smithy_types::DateTime::secs),
        })
    }
}
