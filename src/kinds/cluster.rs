//! `cluster`: an ECS cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, Cluster as Description, ClusterField, ClusterSetting,
    ClusterSettingName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::capacity;
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::{Aws, batched, ecs, linked, tags, task};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Ready, Result, Sought, Strategy, TagChange, Unfit,
};

/// An ECS cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What CloudWatch Container Insights collects; left out, whatever the account's default made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insights: Option<Insights>,
    /// Which of Fargate's capacity providers services and tasks may use: `FARGATE`, `FARGATE_SPOT`.
    /// Others, each a `capacity-provider`, say themselves which cluster they belong to: their instances
    /// have to know the cluster before they are there.
    #[serde(default)]
    pub capacity_providers: BTreeSet<String>,
    /// How tasks are shared out among these when neither a launch type nor a strategy is given.
    #[serde(default)]
    pub default_capacity_provider_strategy: Strategy,
}

words! {
    /// What CloudWatch Container Insights collects.
    Insights as "a setting of Container Insights" {
        /// Nothing.
        Disabled = "disabled",
        /// Metrics of cluster and services.
        Enabled = "enabled",
        /// Metrics of tasks and containers too.
        Enhanced = "enhanced",
    }
}

impl Kind for Cluster {
    const NAME: &'static str = "cluster";
    const ABOUT: About = About {
        seconds: 5,
        exclusive: &["name"],
        deadline: Duration::from_secs(600),
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: false }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_pending = self.name.contains("${");
        if !is_pending && (self.name.len() > 255 || !self.name.chars().all(is_legal)) {
            let title = format!("`{}` is not a name of a cluster", self.name);
            let hint = "use at most 255 letters, digits, `-` and `_`";
            check.error_with("E0230", "name", title, hint).alone = true;
        }
        let strategy = &self.default_capacity_provider_strategy;
        capacity::check(strategy, "default-capacity-provider-strategy", check);
        for provider in self.capacity_providers.iter().filter(|name| !capacity::is_fargate(name)) {
            check.error_with(
                "E0252",
                "capacity-providers",
                format!("`{provider}` is not one of Fargate's capacity providers"),
                "declare a `capacity-provider`, whose `cluster` is this one",
            );
        }
        let named = strategy.iter().map(|share| &share.capacity_provider);
        for provider in named.filter(|name| !self.capacity_providers.contains(*name)) {
            check.error_with(
                "E0252",
                "default-capacity-provider-strategy",
                format!("`{provider}` is not a capacity provider of this cluster"),
                format!("add `{provider}` to `capacity-providers`"),
            );
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let by_tag = owned.arns("ecs", "cluster/").filter_map(|arn| arn.rsplit('/').next());
        let names = sought.names(by_tag);
        let found = batched(&names, 100, |chunk| describe(aws, chunk)).await?;
        found.iter().filter_map(|cluster| observed(cluster).transpose()).collect()
    }

    /// CreateCluster answers with the cluster that has the name already, whoever's it is and whatever
    /// it is like: so there is a look first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let standing = describe(cx.aws, std::slice::from_ref(&self.name)).await?;
        if let Some(cluster) = standing.iter().find(|cluster| cluster.status() == Some("ACTIVE")) {
            cx.require_ours(&tags::ecs::read(cluster.tags()))?;
            let arn = arn(cluster)?;
            self.adjust(&Self::read(cluster)?, cx.aws, arn).await?;
            return Ok(Made::new(arn, Outputs::of(arn)));
        }
        let strategy = ecs::strategy(&self.default_capacity_provider_strategy);
        let call = cx.aws.ecs.create_cluster().cluster_name(&self.name);
        let call = call
            .set_settings(self.settings())
            .set_capacity_providers(Some(self.capacity_providers.iter().cloned().collect()))
            .set_default_capacity_provider_strategy(Some(strategy))
            .set_tags(tags::some(cx.tags, tags::ecs::tag));
        let made = cx.aws.linked(&[linked::ECS], async { Ok(call.send().await?) }).await?;
        let cluster = made.cluster().ok_or_else(|| Error::incomplete("the cluster"))?;
        let arn = arn(cluster)?;
        // A name that was used within the last days gets Container Insights only when told again.
        let insights = Self::read(cluster)?.insights;
        if insights.is_some() && insights != self.insights {
            self.adjust(&Self { insights, ..self.clone() }, cx.aws, arn).await?;
        }
        Ok(Made::new(arn, Outputs::of(arn)))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.adjust(was, cx.aws, cx.id).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// An instance that was stopped before it was terminated stays registered, and keeps the cluster: what
    /// has no agent any more is deregistered. Whatever still works is somebody's, and is waited for.
    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ecs.delete_cluster().cluster(cx.id);
        match call.send().await.map_err(Error::from) {
            // Those of services have stopped by now: what is left was run by hand or by a schedule.
            Err(error) if error.is("ClusterContainsTasksException") => {
                task::stop_all(cx.aws, cx.id, cx.stack).await?;
                Err(error)
            }
            Err(error) if error.is("ClusterContainsContainerInstancesException") => {
                deregister_dead(cx.aws, cx.id).await?;
                Err(error)
            }
            other => other.absent_is_fine(),
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ecs::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let found = describe(cx.aws, &[cx.id.to_owned()]).await?;
        let condition = found.iter().find_map(condition);
        let wait = |why| Ready::NotYet { why, look_again: Duration::from_secs(2) };
        match (after, condition) {
            (After::Delete, None) | (After::Change, Some(Condition::Ready)) => Ok(Ready::Yes),
            (After::Delete, Some(Condition::Leaving(why))) => Ok(wait(why)),
            (After::Delete, Some(_)) => Ok(wait("being deleted".to_owned())),
            (After::Change, Some(Condition::Settling(why))) => Ok(wait(why)),
            (
                After::Change,
                Some(
                    Condition::Broken(why)
                    | Condition::Leaving(why)
                    | Condition::Unfit(Unfit { why, .. }),
                ),
            ) => Err(Error::new(Class::Other, format!("the cluster is of no use: {why}"))),
            (After::Change, None) => Ok(wait("not visible yet".to_owned())),
        }
    }
}

impl Cluster {
    fn settings(&self) -> Option<Vec<ClusterSetting>> {
        let setting = |insights: Insights| {
            let setting = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights);
            setting.value(insights.word()).build()
        };
        self.insights.map(|insights| vec![setting(insights)])
    }

    /// UpdateClusterSettings and PutClusterCapacityProviders, as far as something differs.
    async fn adjust(&self, was: &Self, aws: &Aws, id: &str) -> Result<()> {
        let Self { name: _, insights, capacity_providers, default_capacity_provider_strategy } =
            self;
        if insights.is_some() && *insights != was.insights {
            let call = aws.ecs.update_cluster_settings().cluster(id);
            call.set_settings(self.settings()).send().await?;
        }
        if *capacity_providers != was.capacity_providers
            || *default_capacity_provider_strategy != was.default_capacity_provider_strategy
        {
            let strategy = ecs::strategy(default_capacity_provider_strategy);
            put_providers(aws, id, |present| {
                let others = present.into_iter().filter(|name| !capacity::is_fargate(name));
                let providers = capacity_providers.iter().cloned().chain(others).collect();
                (providers, Some(strategy))
            })
            .await?;
        }
        Ok(())
    }

    fn read(cluster: &Description) -> Result<Self> {
        let insights = cluster
            .settings()
            .iter()
            .find(|setting| setting.name() == Some(&ClusterSettingName::ContainerInsights))
            .and_then(|setting| setting.value());
        let strategy = cluster.default_capacity_provider_strategy();
        let providers = cluster.capacity_providers().iter().cloned();
        Ok(Self {
            name: cluster.cluster_name().unwrap_or_default().to_owned(),
            insights: insights.map(Insights::read).transpose()?,
            capacity_providers: providers.filter(|name| capacity::is_fargate(name)).collect(),
            default_capacity_provider_strategy: capacity::read(strategy),
        })
    }
}

/// While capacity providers come and go, a cluster takes no other.
pub(super) const ATTACHING: &str = "UPDATE_IN_PROGRESS";

/// PutClusterCapacityProviders, which replaces both lists: `change` makes the new ones of the providers
/// that are there, and leaves the default strategy as it is when it gives none. The cluster and each of
/// its capacity providers write to the same list, so they take turns.
pub(super) async fn put_providers(
    aws: &Aws,
    id: &str,
    change: impl FnOnce(Vec<String>) -> (Vec<String>, Option<Vec<CapacityProviderStrategyItem>>),
) -> Result<()> {
    let _turn = aws.cluster_providers.lock().await;
    let found = describe(aws, &[id.to_owned()]).await?;
    let Some(cluster) = found.into_iter().find(|cluster| cluster.status() != Some("INACTIVE"))
    else {
        let error = Error::new(Class::Absent, format!("there is no cluster {id}"));
        return Err(Error { code: Some("ClusterNotFoundException".to_owned()), ..error });
    };
    let present = cluster.capacity_providers.unwrap_or_default();
    let (providers, strategy) = change(present.clone());
    if strategy.is_none() && providers == present {
        return Ok(());
    }
    if cluster.attachments_status.as_deref() == Some(ATTACHING) {
        return Err(Error::new(Class::InUse, "another of its capacity providers is on its way"));
    }
    let standing = cluster.default_capacity_provider_strategy.unwrap_or_default().into_iter();
    let kept = standing.filter(|item| providers.iter().any(|it| it == item.capacity_provider()));
    let strategy = strategy.unwrap_or_else(|| kept.collect());
    aws.ecs
        .put_cluster_capacity_providers()
        .cluster(id)
        .set_capacity_providers(Some(providers))
        .set_default_capacity_provider_strategy(Some(strategy))
        .send()
        .await?;
    Ok(())
}

/// DescribeClusters, up to a hundred names or ARNs. Missing ones are failures in the reply and
/// simply not in the list.
pub(super) async fn describe(aws: &Aws, names: &[String]) -> Result<Vec<Description>> {
    let found = aws
        .ecs
        .describe_clusters()
        .set_clusters(Some(names.to_vec()))
        .include(ClusterField::Settings)
        .include(ClusterField::Attachments)
        .include(ClusterField::Tags)
        .send()
        .await?;
    Ok(found.clusters.unwrap_or_default())
}

/// DeregisterContainerInstance for those whose agent is gone.
async fn deregister_dead(aws: &Aws, cluster: &str) -> Result<()> {
    let pages = aws.ecs.list_container_instances().cluster(cluster).into_paginator();
    let arns: Vec<String> = pages.items().send().try_collect().await.map_err(Error::from)?;
    let found = batched(&arns, 100, |chunk| async move {
        let call = aws.ecs.describe_container_instances().cluster(cluster);
        let found = call.set_container_instances(Some(chunk.to_vec())).send().await?;
        Ok(found.container_instances.unwrap_or_default())
    });
    for instance in found.await?.iter().filter(|instance| !instance.agent_connected()) {
        let call = aws.ecs.deregister_container_instance().cluster(cluster).force(true);
        let call = call.set_container_instance(instance.container_instance_arn.clone());
        call.send().await.map_err(Error::from).absent_is_fine()?;
    }
    Ok(())
}

fn observed(cluster: &Description) -> Result<Option<Observed<Cluster>>> {
    let Some(condition) = condition(cluster) else { return Ok(None) };
    let arn = arn(cluster)?;
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: Cluster::read(cluster)?,
        outputs: Outputs::of(arn),
        tags: tags::ecs::read(cluster.tags()),
        condition,
    }))
}

/// `None` for an INACTIVE cluster: it is a ghost.
fn condition(cluster: &Description) -> Option<Condition> {
    let attaching = cluster.attachments_status() == Some(ATTACHING);
    Some(match cluster.status().unwrap_or("ACTIVE") {
        "INACTIVE" => return None,
        "DEPROVISIONING" => Condition::Leaving("deprovisioning".to_owned()),
        "FAILED" => Condition::Broken("its capacity could not be provided".to_owned()),
        "PROVISIONING" => Condition::Settling("provisioning".to_owned()),
        _ if attaching => Condition::Settling("capacity providers are being attached".to_owned()),
        _ => Condition::Ready,
    })
}

fn arn(cluster: &Description) -> Result<&str> {
    cluster.cluster_arn().ok_or_else(|| Error::incomplete("a cluster's ARN"))
}
