//! A bucket of Amazon S3 as a place for objects that several machines share.
//!
//! Who replaces an object names the version that was read (`If-Match`) or that there was none
//! (`If-None-Match`): of several, S3 lets one through. "How to prevent object overwrites with conditional
//! writes" in the S3 user guide.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::ConfigBag;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::config::RuntimeComponents;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Intercept, SharedInterceptor};
use aws_sdk_s3::error::{BoxError, SdkError};
use aws_sdk_s3::types::Object;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::Format;
use futures::future::BoxFuture;

use super::Aws;
use crate::kind::{Class, Error};
use crate::store::{Found, Objects, StoreError, Version, Written};

type Result<T> = std::result::Result<T, StoreError>;

/// What S3 says when a condition of a write does not hold: the object has another version, another
/// write was under way, there is none any more.
const OVERTAKEN: [&str; 3] = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// A part of a bucket: the keys that begin with a prefix.
#[derive(Debug)]
pub struct Bucket {
    /// In the stack's region.
    client: Client,
    /// In the bucket's own region, once S3 has said that it is another.
    elsewhere: OnceLock<Client>,
    name: String,
    prefix: String,
}

impl Aws {
    /// The part of a bucket under `prefix`, whatever region it is in. No call is made.
    pub fn bucket(&self, name: &str, prefix: &str) -> Bucket {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        // What is asked for here is small, and a lease does not wait.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(10))
            .operation_timeout(Duration::from_secs(30));
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        let config = config.timeout_config(timeouts.build()).build();
        let (client, elsewhere) = (Client::from_conf(config), OnceLock::new());
        Bucket { client, elsewhere, name: name.to_owned(), prefix }
    }
}

impl Bucket {
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn told(&self, error: Error) -> StoreError {
        let name = &self.name;
        StoreError::Cloud(match error.code.as_deref() {
            // Without that right S3 does not say that there is none.
            Some("AccessDenied") => error.hinted(
                "the right to s3:GetObject and s3:PutObject, and to s3:ListBucket, is needed",
            ),
            Some("NoSuchBucket") => error.hinted(format!("make it first: `aws s3 mb s3://{name}`")),
            _ => error,
        })
    }

    /// Makes a call, and again where S3 says that the bucket is in another region ("Request routing" in the
    /// S3 user guide).
    async fn call<T, E, F>(&self, call: impl Fn(&Client) -> F) -> std::result::Result<T, Error>
    where
        F: Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
        Error: From<SdkError<E, HttpResponse>>,
    {
        let error = match call(self.elsewhere.get().unwrap_or(&self.client)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match region_told(&error) {
            Some(region) if self.elsewhere.get().is_none() => {
                let config = self.client.config().to_builder().region(Region::new(region)).build();
                let client = self.elsewhere.get_or_init(|| Client::from_conf(config));
                Ok(call(client).await?)
            }
            _ => Err(error.into()),
        }
    }

    /// GetObject.
    async fn read(&self, key: &str) -> Result<Option<Found>> {
        let clock = Clock::default();
        let read = self.call(|client| {
            let call = client.get_object().bucket(&self.name).key(self.key(key)).customize();
            call.interceptor(SharedInterceptor::new(clock.clone())).send()
        });
        let object = match read.await {
            Ok(object) => object,
            Err(error) if error.code.as_deref() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.told(error)),
        };
        let version = Version(object.e_tag().unwrap_or_default().to_owned());
        let age = clock.since(object.last_modified());
        let body = object.body.collect().await;
        let cut = |error| Error::new(Class::Transient, format!("the reply was cut off: {error}"));
        Ok(Some(Found { body: body.map_err(cut)?.into_bytes().to_vec(), version, age }))
    }

    /// PutObject, with the condition that nobody has written since.
    async fn write(&self, key: &str, since: Option<&Version>, body: Vec<u8>) -> Result<Written> {
        let write = self.call(|client| {
            let call = client.put_object().bucket(&self.name).key(self.key(key));
            let call = match since {
                Some(Version(tag)) => call.if_match(tag),
                None => call.if_none_match("*"),
            };
            call.body(ByteStream::from(body.clone())).send()
        });
        match write.await {
            Ok(made) => Ok(Written::Done(Version(made.e_tag().unwrap_or_default().to_owned()))),
            Err(error) if error.code.as_deref().is_some_and(|it| OVERTAKEN.contains(&it)) => {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(self.told(error)),
        }
    }
}

impl Objects for Bucket {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Found>>> {
        Box::pin(self.read(key))
    }

    fn put<'a>(&'a self, key: &'a str, body: Vec<u8>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let put = self.call(|client| {
                let call = client.put_object().bucket(&self.name).key(self.key(key));
                call.body(ByteStream::from(body.clone())).send()
            });
            put.await.map(drop).map_err(|error| self.told(error))
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a Version>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(self.write(key, version, body))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let list = self.call(|client| {
                let call = client.list_objects_v2().bucket(&self.name).prefix(self.key(prefix));
                let pages = call.into_paginator().send();
                pages.collect::<std::result::Result<Vec<_>, _>>()
            });
            let pages = list.await.map_err(|error| self.told(error))?;
            let found = pages.iter().flat_map(|page| page.contents()).filter_map(Object::key);
            let own = found.filter_map(|key| key.strip_prefix(&self.prefix));
            let mut keys: Vec<String> = own.map(str::to_owned).collect();
            keys.sort();
            Ok(keys)
        })
    }
}

/// The bucket's own region, as S3 tells whoever asks in another: 301, or 400 where the signature names it.
fn region_told<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let answer = error.raw_response().filter(|it| [301, 400].contains(&it.status().as_u16()))?;
    answer.headers().get("x-amz-bucket-region").map(str::to_owned)
}

/// S3's own clock, read off an answer.
#[derive(Debug, Clone, Default)]
struct Clock(Arc<Mutex<Option<DateTime>>>);

impl Clock {
    /// How long ago something was, in whole seconds.
    fn since(&self, then: Option<&DateTime>) -> Duration {
        let now = self.0.lock().expect("no holder panics").as_ref().map(DateTime::secs);
        let seconds = now.zip(then.map(DateTime::secs)).map_or(0, |(now, then)| now - then);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().expect("no holder panics") = date;
        Ok(())
    }
}
