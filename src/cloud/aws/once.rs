//! Making a thing of EC2's once, though the call that makes it takes no token.
//!
//! Such a call is sent once and not repeated by the SDK. When its answer is lost, nobody knows whether the
//! thing was made: before it is made again it is looked for by its tags, for as long as EC2 may take
//! to show it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;

use super::Aws;
use crate::kind::{Class, Cx, Error, Kind, Observed, Result, Sought, TAG_ID, Told};

/// How long after a call whose answer was lost its work may still be invisible. EC2 promises nothing;
/// "eventual consistency" of its developer guide speaks of seconds.
const INVISIBLE: Duration = Duration::from_secs(15);

/// What came of the attempts so far, by the tokens of their steps.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeMap<String, Attempt>>);

#[derive(Debug, Clone)]
enum Attempt {
    /// It was sent, and there is no answer yet, or none came.
    Sent(Instant),
    /// It made the thing of this id.
    Made(String),
}

impl Attempts {
    fn get(&self, token: &str) -> Option<Attempt> {
        self.0.lock().expect("no holder panics").get(token).cloned()
    }

    fn put(&self, token: &str, attempt: Option<Attempt>) {
        let mut attempts = self.0.lock().expect("no holder panics");
        match attempt {
            Some(attempt) => drop(attempts.insert(token.to_owned(), attempt)),
            None => drop(attempts.remove(token)),
        }
    }
}

impl Aws {
    /// Makes one of the kind `K` once a step, however often the step is tried, and gives its id. `make`
    /// is one call, sent [`alone`].
    pub async fn once<K: Kind>(
        &self,
        cx: &Cx<'_>,
        make: impl Future<Output = Result<String>>,
    ) -> Result<String> {
        match self.attempts.get(cx.token) {
            Some(Attempt::Made(id)) => return Ok(id),
            Some(Attempt::Sent(at)) => {
                if let Some(id) = self.made_unanswered::<K>(cx).await? {
                    self.attempts.put(cx.token, Some(Attempt::Made(id.clone())));
                    return Ok(id);
                }
                if at.elapsed() < INVISIBLE {
                    let why = "a call got no answer: what it may have made is looked for";
                    return Err(Error::new(Class::Eventual, why));
                }
            }
            None => {}
        }
        self.attempts.put(cx.token, Some(Attempt::Sent(Instant::now())));
        let made = make.await;
        match &made {
            Ok(id) => self.attempts.put(cx.token, Some(Attempt::Made(id.clone()))),
            Err(error) if matches!(error.class, Class::Transient | Class::Unreachable) => {}
            // An answer, and it was no.
            Err(_) => self.attempts.put(cx.token, None),
        }
        made
    }

    /// What carries the address and was not there when the run began. By the listing of its kind, because
    /// DescribeTags goes on for a while to tell the tags of what has been deleted.
    async fn made_unanswered<K: Kind>(&self, cx: &Cx<'_>) -> Result<Option<String>> {
        let sought = Sought { stack: cx.stack, told: Told::Name, wanted: &[], before: &[] };
        let address = cx.address.to_string();
        let is_it = |found: &Observed<K>| {
            found.tags.get(TAG_ID) == Some(&address) && !cx.beside.contains(&found.id)
        };
        Ok(K::observe(self, &sought).await?.into_iter().find(is_it).map(|found| found.id))
    }
}

/// For `config_override` of a call that must not be repeated behind our back.
pub fn alone() -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Config::builder().retry_config(RetryConfig::disabled())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use aws_config::{BehaviorVersion, SdkConfig};

    use super::*;
    use crate::address::Address;
    use crate::cloud::aws::Cache;
    use crate::kind::{StackId, Tags};
    use crate::kinds::vpc::Vpc;

    /// N1: a second attempt of a step goes on with what the first one made; other steps do not.
    #[tokio::test]
    async fn a_step_makes_its_thing_once() {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let (aws, calls) = (Aws::new(&config, Cache::in_memory()), Cell::new(0));
        let make = || async {
            calls.set(calls.get() + 1);
            match calls.get() {
                1 => Err(Error::new(Class::Throttled, "slow down")),
                call => Ok(format!("vpc-{call}")),
            }
        };
        let (address, tags) = (Address::new("vpc", "main"), Tags::new());
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "r".into() };
        let cx = |token| Cx {
            aws: &aws,
            stack: &stack,
            address: &address,
            id: "",
            tags: &tags,
            token,
            beside: &[],
            watch: None,
        };
        assert!(aws.once::<Vpc>(&cx("step-1"), make()).await.is_err());
        assert_eq!(aws.once::<Vpc>(&cx("step-1"), make()).await.unwrap(), "vpc-2");
        assert_eq!(aws.once::<Vpc>(&cx("step-1"), make()).await.unwrap(), "vpc-2");
        assert_eq!(aws.once::<Vpc>(&cx("step-2"), make()).await.unwrap(), "vpc-3");
    }
}
