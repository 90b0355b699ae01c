//! Service-linked roles: those with which AWS's services act in an account.
//!
//! They are the account's, and no stack's: nobody plans, tags or deletes one. AWS makes most of them itself,
//! and then fails for a while because it may not use yet what it has just made. So they are made here, before the
//! first thing that needs one (B13; docs/decisions/012-roles-of-the-account.md).

use std::collections::BTreeMap;

use aws_sdk_iam::types::Role as Description;

use super::Aws;
use crate::kind::{Class, Error, Result, STAGE};

/// Amazon ECS: clusters and services.
pub const ECS: &str = "ecs.amazonaws.com";
/// Amazon ECS, for the instances that it manages.
pub const ECS_COMPUTE: &str = "ecs-compute.amazonaws.com";
/// Elastic Load Balancing.
pub const BALANCING: &str = "elasticloadbalancing.amazonaws.com";
/// EC2 Auto Scaling: groups.
pub const GROUPS: &str = "autoscaling.amazonaws.com";
/// Application Auto Scaling of ECS services.
pub const SCALING: &str = "ecs.application-autoscaling.amazonaws.com";
/// Spot instances of EC2.
pub const SPOT: &str = "spot.amazonaws.com";

/// The path under which IAM keeps the role of each service: `/aws-service-role/ecs.amazonaws.com/`.
const PATH: &str = "/aws-service-role/";

/// What is known of a service's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The account has it.
    There,
    /// The account lacks it, and IAM did not let it be made.
    Refused,
}

/// The roles by service; `None` before they were looked for.
pub(super) type Roles = Option<BTreeMap<String, Role>>;

impl Aws {
    /// Makes something for which AWS needs the service-linked roles of `services`. One that the account lacks is
    /// made first, which is news to the user: the error tells it, and the step is tried again a moment later.
    pub async fn linked<T>(
        &self,
        services: &[&str],
        make: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let refused = self.link(services).await?;
        let made = make.await;
        match refused {
            Some(service) => made.map_err(|error| advised(error, &service)),
            None => made,
        }
    }

    /// Makes the roles that are not there. Gives a service whose role can not be made: AWS may make it all the
    /// same, when it needs it.
    async fn link(&self, services: &[&str]) -> Result<Option<String>> {
        if services.is_empty() {
            return Ok(None);
        }
        let mut roles = self.linked.lock().await;
        if roles.is_none() {
            *roles = Some(self.linked_roles().await?);
        }
        let known = roles.get_or_insert_default();
        let mut made = Vec::new();
        for service in services {
            if known.contains_key(*service) {
                continue;
            }
            let role = match self.link_one(service).await {
                Ok(name) => {
                    made.extend(name);
                    Role::There
                }
                Err(error) if error.class.is_retryable() => return Err(error),
                Err(error) => {
                    tracing::info!(%error, service, "no service-linked role");
                    Role::Refused
                }
            };
            known.insert((*service).to_owned(), role);
        }
        if !made.is_empty() {
            let roles = made.join(" and ");
            let news = format!("made {roles} for the account{STAGE}usable in a moment");
            return Err(Error::new(Class::Eventual, news));
        }
        let refused = services.iter().find(|service| known[**service] == Role::Refused);
        Ok(refused.map(|service| (*service).to_owned()))
    }

    /// CreateServiceLinkedRole: the role's name, unless somebody else was faster.
    async fn link_one(&self, service: &str) -> Result<Option<String>> {
        let call = self.iam.create_service_linked_role().aws_service_name(service);
        match call.send().await.map_err(Error::from) {
            Ok(made) => Ok(made.role.map(|role| role.role_name)),
            Err(error) if error.is("InvalidInput") && error.message.contains(TAKEN) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The services whose roles the account has. Whoever may not look is no worse off than before there was
    /// anything to look for.
    async fn linked_roles(&self) -> Result<BTreeMap<String, Role>> {
        let pages = self.iam.list_roles().path_prefix(PATH).max_items(1000);
        let listed = pages.into_paginator().items().send();
        let listed: Result<Vec<Description>> = listed.try_collect().await.map_err(Error::from);
        let listed = match listed {
            Err(error) if error.class == Class::Denied => Vec::new(),
            listed => listed?,
        };
        let service = |path: &str| Some(path.strip_prefix(PATH)?.trim_end_matches('/').to_owned());
        let services = listed.iter().filter_map(|role| service(role.path()));
        Ok(services.map(|service| (service, Role::There)).collect())
    }
}

/// What IAM says of a role that is there: "Service role name … has been taken in this account".
const TAKEN: &str = "has been taken in this account";

/// An error about a role that could not be made, with whom to ask for it.
fn advised(error: Error, service: &str) -> Error {
    let words = error.message.to_lowercase();
    let is_about_it = ["service linked role", "service-linked role", "servicelinkedrole", "assume"]
        .iter()
        .any(|word| words.contains(word));
    if !is_about_it {
        return error;
    }
    error.hinted(format!(
        "let an administrator of the account run `aws iam create-service-linked-role --aws-service-name \
         {service}`, once for good, or allow you `iam:CreateServiceLinkedRole`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_a_role_is_told_whom_to_ask() {
        let told = |message: &str| advised(Error::new(Class::Denied, message), BALANCING).hint;
        let denied =
            "User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: y";
        insta::assert_snapshot!(told(denied).unwrap_or_default(), @"let an administrator of the account run `aws iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com`, once for good, or allow you `iam:CreateServiceLinkedRole`");
        assert_eq!(told("The subnet is too small"), None);
    }
}
