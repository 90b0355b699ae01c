//! What AWS says word for word: for whoever must not lose what our types, or the SDK's, do not know.

use std::sync::{Arc, Mutex};

use aws_sdk_ecs::types::{ServiceField, TaskDefinitionField};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::Aws;
use crate::kind::{Class, Error, Result};

/// Keeps the text of the reply to a call.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn text(&self) -> String {
        self.0.lock().expect("no holder panics").clone()
    }
}

impl Intercept for Heard {
    fn name(&self) -> &'static str {
        "heard"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().expect("no holder panics") = String::from_utf8_lossy(body).into_owned();
        Ok(())
    }
}

impl Aws {
    /// DescribeServices of one service and its tags: the reply, which may also say that it is not
    /// there. `None` when the cluster is not.
    pub async fn service_as_told(&self, cluster: &str, service: &str) -> Result<Option<String>> {
        let heard = Heard::default();
        let call = self.ecs.describe_services().cluster(cluster).services(service);
        let call = call.include(ServiceField::Tags).customize().interceptor(heard.clone());
        match call.send().await.map_err(Error::from) {
            Ok(_) => Ok(Some(heard.text())),
            Err(error) if error.class == Class::Absent => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of the services of a cluster, as many as ListServices tells at once.
    pub async fn service_names(&self, cluster: &str) -> Result<Vec<String>> {
        let listed = self.ecs.list_services().cluster(cluster).max_results(100).send().await?;
        let arns = listed.service_arns().iter();
        Ok(arns.map(|arn| super::ecs::short(arn).to_owned()).collect())
    }

    /// DescribeTaskDefinition with its tags: the reply.
    pub async fn task_definition_as_told(&self, name: &str) -> Result<String> {
        let heard = Heard::default();
        let call = self.ecs.describe_task_definition().task_definition(name);
        let call = call.include(TaskDefinitionField::Tags).customize();
        call.interceptor(heard.clone()).send().await?;
        Ok(heard.text())
    }
}
