//! How `ecsctl run` starts a task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::balancers::Balancers;
use super::cluster::CLUSTER;
use super::ground::Ground;
use super::network::Layout;
use super::one_off::{Task, ground_of, source};
use super::rollout::interface;
use super::sheet::Sheet;
use super::{Document, Options};
use crate::address::Path;
use crate::kind::{Share, Strategy};
use crate::kinds::types::capacity::is_fargate;
use crate::spec::Unread;

/// How a task is started by hand. The texts mention outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Launch {
    /// The ARN of its task definition's newest revision.
    pub task_definition: String,
    /// The container that counts.
    pub container: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// The capacity providers that may run it; none is Fargate, on demand.
    pub strategy: Strategy,
    /// Where its interface may be; nowhere if it has no address of its own.
    pub subnets: Vec<String>,
    /// Its interface's security groups.
    pub security_groups: Vec<String>,
    /// Whether it gets a public address.
    pub has_public_address: bool,
    /// Seconds after which it is stopped.
    pub timeout: Option<u32>,
}

/// How each task is started by hand, by name. What is wrong with the sections has been told elsewhere.
pub fn launches(document: &Document, options: Options) -> BTreeMap<String, Launch> {
    let network = Layout::new(document.network.as_ref(), &Balancers::default(), options);
    let launch = |(name, task): (&String, &Task)| {
        let (home, container) = match &task.from {
            Some(from) => source(from, document)?,
            None => (name.clone(), name.clone()),
        };
        let mut quiet = Sheet::new(Unread::default());
        let ground = match &task.from {
            Some(_) => ground_of(&home, document, &mut quiet),
            None => Ground::of(&Path::default(), &task.shape(), &document.capacity, &mut quiet),
        };
        let interface = interface(&home, &ground, &network).unwrap_or_default();
        let ids = |field| serde_json::from_value(interface[field].clone()).unwrap_or_default();
        let shares = ground.shares().cloned().unwrap_or_default();
        let launch = Launch {
            task_definition: format!("${{task-definition.{name}.arn}}"),
            container,
            cluster: CLUSTER.to_owned(),
            strategy: serde_json::from_value(shares).unwrap_or_default(),
            subnets: ids("subnets"),
            security_groups: ids("security-groups"),
            has_public_address: interface["assign-public-ip"] == true,
            timeout: task.timeout.map(|time| time.0),
        };
        Some((name.clone(), launch))
    };
    document.task.iter().filter_map(launch).collect()
}

impl Launch {
    /// Whether Fargate runs it.
    pub fn is_on_fargate(&self) -> bool {
        let is_theirs = |share: &Share| is_fargate(&share.capacity_provider);
        self.strategy.iter().all(is_theirs)
    }
}
