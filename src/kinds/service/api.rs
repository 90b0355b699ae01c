//! The service in the SDK's types, both ways, and the calls on it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::client::Client;
use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types as sdk;

use super::connect::ServiceConnect;
use super::placement::{PlacementConstraint, PlacementStrategy};
use super::registries;
use super::rollout::{Watch, progress};
use super::shifting::{Advanced, Canary, DeploymentAlarms, LifecycleHook, Linear};
use super::volumes;
use super::{
    CircuitBreaker, Controller, Deployment, DeploymentStrategy, LaunchType, LoadBalancer, Network,
    PropagateTags, Rebalancing, SchedulingStrategy, Service, succession,
};
use crate::cloud::aws::ecs::{SERVICES, describe_services, place, short};
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, concurrently, ecs, tags};
use crate::kind::{Condition, Cx, Error, Forgive as _, Made, Observed, Result, Sought};
use crate::kinds::types::capacity;
use crate::kinds::types::outputs::Named as Outputs;

/// DescribeServices in portions of ten, a cluster at a time. A cluster that is not there has no
/// services and is not asked for: it shows as a reference that is still pending.
pub(super) async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Service>>> {
    let owned = aws.owned(sought.stack).await?;
    let by_tag = owned.arns("ecs", "service/").filter_map(place);
    let wanted = sought
        .wanted
        .iter()
        .filter_map(|want| Some((short(want.spec.text("cluster")?), want.spec.text("name")?)));
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (cluster, name) in by_tag.chain(wanted) {
        names.entry(cluster).or_default().insert(name);
    }
    let portions: Vec<(&str, Vec<String>)> = names
        .into_iter()
        .flat_map(|(cluster, names)| {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            names.chunks(SERVICES).map(|chunk| (cluster, chunk.to_vec())).collect::<Vec<_>>()
        })
        .collect();
    let found = concurrently(&portions, |(cluster, names)| async move {
        let field = Some(sdk::ServiceField::Tags);
        describe_services(&aws.ecs, cluster, names.clone(), field).await
    });
    let found = found.await?.concat();
    let found: Vec<Observed<Service>> =
        found.iter().filter_map(|service| observed(service).transpose()).collect::<Result<_>>()?;
    aws.spare(found.iter().map(|service| service.live.task_definition.as_str())).await;
    Ok(found)
}

fn observed(service: &sdk::Service) -> Result<Option<Observed<Service>>> {
    let Some(condition) = condition(service) else { return Ok(None) };
    let arn = arn(service)?;
    let mut tags = tags::ecs::read(service.tags());
    let after = succession::taken_out(&mut tags, arn);
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: Service { after, ..Service::read(service)? },
        outputs: Outputs::of(arn),
        tags,
        condition,
    }))
}

/// `None` for an INACTIVE service: it is a ghost.
fn condition(service: &sdk::Service) -> Option<Condition> {
    match service.status() {
        Some("INACTIVE") => None,
        Some("DRAINING") => Some(Condition::Leaving(draining(service))),
        _ if is_rolling(service) => Some(Condition::Settling(progress(service))),
        _ => Some(Condition::Ready),
    }
}

/// Says how far a service is that is being deleted.
pub(super) fn draining(service: &sdk::Service) -> String {
    match service.running_count() {
        0 => "draining".to_owned(),
        1 => "draining, 1 task running".to_owned(),
        more => format!("draining, {more} tasks running"),
    }
}

/// The deployment that is to serve, or does.
pub(super) fn primary(service: &sdk::Service) -> Option<&sdk::Deployment> {
    service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"))
}

fn is_rolling(service: &sdk::Service) -> bool {
    let Some(primary) = primary(service) else { return false };
    match primary.rollout_state() {
        Some(state) => *state == sdk::DeploymentRolloutState::InProgress,
        // Only rolling deployments have a state.
        None => {
            service.deployments().len() > 1 || service.running_count() < service.desired_count()
        }
    }
}

/// The revision that serves. When the newest rollout failed and nothing was put back, that is what
/// the tasks run that are left; the plan then shows what is wanted as a change, and trying again is
/// an update like any other.
pub(super) fn serving(service: &sdk::Service) -> &str {
    let failed = primary(service).is_some_and(|primary| {
        primary.rollout_state() == Some(&sdk::DeploymentRolloutState::Failed)
    });
    if !failed {
        return service.task_definition().unwrap_or_default();
    }
    let left = service.deployments().iter().find(|deployment| {
        deployment.status() != Some("PRIMARY") && deployment.running_count() > 0
    });
    left.and_then(|deployment| deployment.task_definition()).unwrap_or_default()
}

/// CreateService. The name may be taken by an attempt whose reply was lost, by something else, or by
/// a namesake that is still draining.
pub(super) async fn create(spec: &Service, cx: &Cx<'_>) -> Result<Made<Outputs>> {
    let mut tags = cx.tags.clone();
    tags.extend(succession::tags(&spec.after, &spec.cluster));
    let call = creation(&cx.aws.ecs, spec)
        .client_token(cx.token)
        .set_tags(tags::some(&tags, tags::ecs::tag));
    let made = match call.send().await.map_err(|error| Error::from(error).while_creating()) {
        Ok(made) => made.service,
        Err(error) if error.message.to_lowercase().contains("not idempotent") => {
            Some(standing(spec, cx).await?.ok_or(error)?)
        }
        Err(error) => return Err(error),
    };
    let service = made.ok_or_else(|| Error::incomplete("the service"))?;
    let arn = arn(&service)?;
    Ok(Made { watch: Watch::started(&service), ..Made::new(arn, Outputs::of(arn)) })
}

/// The ACTIVE service that has the name, if it is this very one.
async fn standing(spec: &Service, cx: &Cx<'_>) -> Result<Option<sdk::Service>> {
    let names = vec![spec.name.clone()];
    let field = Some(sdk::ServiceField::Tags);
    let found = describe_services(&cx.aws.ecs, short(&spec.cluster), names, field).await?;
    let Some(service) = found.into_iter().find(|service| service.status() == Some("ACTIVE")) else {
        return Ok(None);
    };
    cx.require_ours(&tags::ecs::read(service.tags()))?;
    Ok(Some(service))
}

/// CreateService, but for token and tags.
pub(super) fn creation(ecs: &Client, spec: &Service) -> CreateServiceFluentBuilder {
    let Service {
        name,
        cluster,
        task_definition,
        desired_count,
        launch_type,
        capacity_provider_strategy,
        platform_version,
        placement_constraints,
        placement_strategy,
        network,
        load_balancers,
        volumes,
        health_check_grace_period_seconds,
        deployment,
        deployment_controller,
        scheduling_strategy,
        enable_execute_command,
        enable_ecs_managed_tags,
        propagate_tags,
        availability_zone_rebalancing,
        service_connect_configuration,
        service_registries,
        // In the tags.
        after: _,
    } = spec;
    // A number is mandatory; where autoscaling holds it, it begins with one.
    let count = match scheduling_strategy {
        SchedulingStrategy::Replica => Some(desired_count.unwrap_or(1)),
        SchedulingStrategy::Daemon => *desired_count,
    };
    let strategy = capacity_provider_strategy.as_ref().filter(|strategy| !strategy.is_empty());
    let grace = Some(*health_check_grace_period_seconds).filter(|seconds| *seconds != 0);
    let connect = Some(service_connect_configuration).filter(|connect| connect.enabled);
    ecs.create_service()
        .service_name(name)
        .cluster(cluster)
        .task_definition(task_definition)
        .set_desired_count(count.map(int))
        .set_launch_type(launch_type.map(|launch| launch.word().into()))
        .set_capacity_provider_strategy(strategy.map(ecs::strategy))
        .set_platform_version(spec.has_platform().then(|| platform_version.clone()))
        .set_placement_constraints(some(placement_constraints, PlacementConstraint::write))
        .set_placement_strategy(some(placement_strategy, PlacementStrategy::write))
        .set_network_configuration(network.as_ref().map(Network::write))
        .set_load_balancers(Some(balancers(load_balancers)).filter(|list| !list.is_empty()))
        .set_volume_configurations(Some(volumes::items(volumes)).filter(|list| !list.is_empty()))
        .set_health_check_grace_period_seconds(grace.map(int))
        .deployment_configuration(deployment.write(None))
        .set_deployment_controller(deployment_controller.write())
        .scheduling_strategy(scheduling_strategy.word().into())
        .enable_execute_command(*enable_execute_command)
        .enable_ecs_managed_tags(*enable_ecs_managed_tags)
        .propagate_tags(propagate_tags.word().into())
        .availability_zone_rebalancing(availability_zone_rebalancing.word().into())
        .set_service_connect_configuration(connect.map(ServiceConnect::write))
        .set_service_registries(
            Some(registries::write(service_registries)).filter(|list| !list.is_empty()),
        )
}

/// UpdateService. What is followed afterwards is the deployment that this started, if it did.
pub(super) async fn update(spec: &Service, was: &Service, cx: &Cx<'_>) -> Result<Made<Outputs>> {
    if spec.after != was.after {
        let change = succession::change(&spec.after, &was.after, &spec.cluster);
        tags::ecs::change(cx.aws, cx.id, &change).await?;
        if changed(spec, was).len() == 1 {
            return Ok(Made::new(cx.id, Outputs::of(cx.id)));
        }
    }
    let rolls = rolls(spec, was);
    let call = change(&cx.aws.ecs, spec, was).cluster(&spec.cluster).service(cx.id);
    let sent = call.send().await.map_err(|error| Error::from(error).while_creating())?;
    let service = sent.service().ok_or_else(|| Error::incomplete("the service"))?;
    let watch = if rolls { Watch::started(service) } else { Watch::earlier(service) };
    Ok(Made { watch, ..Made::new(cx.id, Outputs::of(cx.id)) })
}

/// What a change of a field does to the running tasks (B7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// UpdateService takes it in place; running tasks stay.
    Update,
    /// UpdateService starts a deployment.
    Deploy,
    /// It takes a deployment that UpdateService must be told to start.
    Force,
}

/// The effects of a change in each field that UpdateService takes. Page "UpdateService".
pub(super) const EFFECTS: [(&str, Effect); 20] = [
    // Wanted again after a rollout that failed, the revision is no change for ECS: so it is forced.
    ("task-definition", Effect::Force),
    ("desired-count", Effect::Update),
    ("launch-type", Effect::Force),
    ("capacity-provider-strategy", Effect::Force),
    ("platform-version", Effect::Deploy),
    ("placement-constraints", Effect::Update),
    ("placement-strategy", Effect::Update),
    ("network", Effect::Deploy),
    ("load-balancers", Effect::Deploy),
    ("volumes", Effect::Deploy),
    ("health-check-grace-period-seconds", Effect::Update),
    ("deployment", Effect::Update),
    ("deployment-controller", Effect::Update),
    ("enable-execute-command", Effect::Update),
    ("enable-ecs-managed-tags", Effect::Update),
    ("propagate-tags", Effect::Update),
    ("availability-zone-rebalancing", Effect::Update),
    ("service-connect-configuration", Effect::Deploy),
    ("service-registries", Effect::Deploy),
    ("after", Effect::Update),
];

/// The fields that are managed and differ.
fn changed(spec: &Service, was: &Service) -> BTreeSet<&'static str> {
    fn differs<T: PartialEq>(new: Option<&T>, old: Option<&T>) -> bool {
        new.is_some() && new != old
    }
    let fields = [
        ("task-definition", spec.task_definition != was.task_definition),
        ("desired-count", differs(spec.desired_count.as_ref(), was.desired_count.as_ref())),
        ("launch-type", differs(spec.launch_type.as_ref(), was.launch_type.as_ref())),
        (
            "capacity-provider-strategy",
            differs(
                spec.capacity_provider_strategy.as_ref(),
                was.capacity_provider_strategy.as_ref(),
            ),
        ),
        ("platform-version", spec.platform_version != was.platform_version),
        ("placement-constraints", spec.placement_constraints != was.placement_constraints),
        ("placement-strategy", spec.placement_strategy != was.placement_strategy),
        ("network", differs(spec.network.as_ref(), was.network.as_ref())),
        ("load-balancers", spec.load_balancers != was.load_balancers),
        ("volumes", spec.volumes != was.volumes),
        (
            "health-check-grace-period-seconds",
            spec.health_check_grace_period_seconds != was.health_check_grace_period_seconds,
        ),
        ("deployment", spec.deployment.differs(&was.deployment)),
        ("deployment-controller", spec.deployment_controller != was.deployment_controller),
        ("enable-execute-command", spec.enable_execute_command != was.enable_execute_command),
        ("enable-ecs-managed-tags", spec.enable_ecs_managed_tags != was.enable_ecs_managed_tags),
        ("propagate-tags", spec.propagate_tags != was.propagate_tags),
        (
            "availability-zone-rebalancing",
            spec.availability_zone_rebalancing != was.availability_zone_rebalancing,
        ),
        (
            "service-connect-configuration",
            spec.service_connect_configuration != was.service_connect_configuration,
        ),
        ("service-registries", spec.service_registries != was.service_registries),
        ("after", spec.after != was.after),
    ];
    fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}

/// Whether the change starts a deployment.
fn rolls(spec: &Service, was: &Service) -> bool {
    let changed = changed(spec, was);
    EFFECTS.iter().any(|(field, effect)| changed.contains(field) && *effect != Effect::Update)
}

/// UpdateService, but for whose it is. Only what differs is sent: what is left out stays, and an
/// empty list removes.
pub(super) fn change(ecs: &Client, spec: &Service, was: &Service) -> UpdateServiceFluentBuilder {
    let changed = changed(spec, was);
    let has = |field: &str| changed.contains(field);
    let force = EFFECTS.iter().any(|(field, effect)| has(field) && *effect == Effect::Force);
    // A launch type is what is left when there is no strategy.
    let strategy = match &spec.capacity_provider_strategy {
        None if has("launch-type") && spec.launch_type.is_some() => Some(Vec::new()),
        strategy => {
            strategy.as_ref().filter(|_| has("capacity-provider-strategy")).map(ecs::strategy)
        }
    };
    let network = spec.network.as_ref().filter(|_| has("network"));
    let grace = has("health-check-grace-period-seconds");
    ecs.update_service()
        .set_task_definition(has("task-definition").then(|| spec.task_definition.clone()))
        .set_desired_count(spec.desired_count.filter(|_| has("desired-count")).map(int))
        .set_capacity_provider_strategy(strategy)
        .set_platform_version(has("platform-version").then(|| spec.platform_version.clone()))
        .set_placement_constraints(
            has("placement-constraints").then(|| {
                spec.placement_constraints.iter().map(PlacementConstraint::write).collect()
            }),
        )
        .set_placement_strategy(
            has("placement-strategy")
                .then(|| spec.placement_strategy.iter().map(PlacementStrategy::write).collect()),
        )
        .set_network_configuration(network.map(Network::write))
        .set_load_balancers(has("load-balancers").then(|| balancers(&spec.load_balancers)))
        .set_volume_configurations(has("volumes").then(|| volumes::items(&spec.volumes)))
        .set_health_check_grace_period_seconds(
            grace.then(|| int(spec.health_check_grace_period_seconds)),
        )
        .set_deployment_configuration(
            has("deployment").then(|| spec.deployment.write(Some(&was.deployment))),
        )
        .set_deployment_controller(
            has("deployment-controller").then(|| spec.deployment_controller.named()),
        )
        .set_enable_execute_command(
            has("enable-execute-command").then_some(spec.enable_execute_command),
        )
        .set_enable_ecs_managed_tags(
            has("enable-ecs-managed-tags").then_some(spec.enable_ecs_managed_tags),
        )
        .set_propagate_tags(has("propagate-tags").then(|| spec.propagate_tags.word().into()))
        .set_availability_zone_rebalancing(
            has("availability-zone-rebalancing")
                .then(|| spec.availability_zone_rebalancing.word().into()),
        )
        .set_service_connect_configuration(
            has("service-connect-configuration")
                .then(|| spec.service_connect_configuration.write()),
        )
        .set_service_registries(
            has("service-registries").then(|| registries::write(&spec.service_registries)),
        )
        .set_force_new_deployment(force.then_some(true))
}

/// DeleteService. `force` stops the tasks as well.
pub(super) async fn delete(cx: &Cx<'_>) -> Result<()> {
    let (cluster, _) = place(cx.id).ok_or_else(|| Error::incomplete("a service's cluster"))?;
    let call = cx.aws.ecs.delete_service().cluster(cluster).service(cx.id).force(true);
    call.send().await.map_err(Error::from).absent_is_fine()
}

impl Service {
    /// Whether the tasks run on Fargate, as far as the declaration tells.
    pub(super) fn is_fargate(&self) -> bool {
        let mut shares = self.capacity_provider_strategy.iter().flatten();
        self.launch_type == Some(LaunchType::Fargate)
            || shares.any(|share| capacity::is_fargate(&share.capacity_provider))
    }

    /// Whether a platform version means anything: EC2 refuses one.
    fn has_platform(&self) -> bool {
        self.is_fargate() || self.platform_version != "LATEST"
    }

    /// What a service is like. Defaults that ECS fills in are those of the fields (B5).
    pub(super) fn read(found: &sdk::Service) -> Result<Self> {
        let launch = found.launch_type().map(|launch| LaunchType::read(launch.as_str()));
        let scheduling = found.scheduling_strategy().map_or("REPLICA", |word| word.as_str());
        let propagate = found.propagate_tags().map_or("NONE", |word| word.as_str());
        let rebalancing =
            found.availability_zone_rebalancing().map_or("DISABLED", |word| word.as_str());
        let network = found.network_configuration();
        let network = network.and_then(|network| network.awsvpc_configuration());
        let grace = found.health_check_grace_period_seconds();
        Ok(Self {
            name: found.service_name().unwrap_or_default().to_owned(),
            cluster: found.cluster_arn().unwrap_or_default().to_owned(),
            task_definition: serving(found).to_owned(),
            desired_count: Some(number(found.desired_count())),
            launch_type: launch.transpose()?,
            capacity_provider_strategy: Some(capacity::read(found.capacity_provider_strategy())),
            platform_version: found.platform_version().unwrap_or("LATEST").to_owned(),
            placement_constraints: found
                .placement_constraints()
                .iter()
                .map(PlacementConstraint::read)
                .collect::<Result<_>>()?,
            placement_strategy: found
                .placement_strategy()
                .iter()
                .map(PlacementStrategy::read)
                .collect::<Result<_>>()?,
            network: network.map(Network::read),
            load_balancers: found.load_balancers().iter().filter_map(LoadBalancer::read).collect(),
            volumes: volumes::read(found)?,
            health_check_grace_period_seconds: grace.map_or(0, number),
            deployment: Deployment::read(found.deployment_configuration())?,
            deployment_controller: found
                .deployment_controller()
                .map_or(Ok(Controller::Ecs), |it| Controller::read(it.r#type().as_str()))?,
            scheduling_strategy: SchedulingStrategy::read(scheduling)?,
            enable_execute_command: found.enable_execute_command(),
            enable_ecs_managed_tags: found.enable_ecs_managed_tags(),
            propagate_tags: PropagateTags::read(propagate)?,
            availability_zone_rebalancing: Rebalancing::read(rebalancing)?,
            // Only deployments say it.
            service_connect_configuration: ServiceConnect::read(
                primary(found).and_then(|primary| primary.service_connect_configuration()),
            )?,
            service_registries: registries::read(found.service_registries()),
            after: BTreeSet::new(),
        })
    }
}

impl Network {
    fn write(&self) -> sdk::NetworkConfiguration {
        let Self { subnets, security_groups, assign_public_ip } = self;
        let public = if *assign_public_ip { "ENABLED" } else { "DISABLED" };
        let inner = sdk::AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets.iter().cloned().collect()))
            .set_security_groups(Some(security_groups.iter().cloned().collect()))
            .assign_public_ip(public.into())
            .build()
            .expect("the subnets are set");
        sdk::NetworkConfiguration::builder().awsvpc_configuration(inner).build()
    }

    fn read(found: &sdk::AwsVpcConfiguration) -> Self {
        Self {
            subnets: found.subnets().iter().cloned().collect(),
            security_groups: found.security_groups().iter().cloned().collect(),
            assign_public_ip: found.assign_public_ip() == Some(&sdk::AssignPublicIp::Enabled),
        }
    }
}

/// A list as CreateService wants it: none rather than an empty one.
fn some<'a, T: 'a, O>(
    items: impl IntoIterator<Item = &'a T>,
    write: impl Fn(&'a T) -> O,
) -> Option<Vec<O>> {
    let written: Vec<O> = items.into_iter().map(write).collect();
    Some(written).filter(|written| !written.is_empty())
}

fn balancers(set: &BTreeSet<LoadBalancer>) -> Vec<sdk::LoadBalancer> {
    let one = |balancer: &LoadBalancer| {
        sdk::LoadBalancer::builder()
            .target_group_arn(&balancer.target_group_arn)
            .container_name(&balancer.container_name)
            .container_port(i32::from(balancer.container_port))
            .set_advanced_configuration(balancer.advanced.as_ref().map(Advanced::write))
            .build()
    };
    set.iter().map(one).collect()
}

impl LoadBalancer {
    /// `None` for a Classic Load Balancer, which has no target group.
    fn read(found: &sdk::LoadBalancer) -> Option<Self> {
        Some(Self {
            target_group_arn: found.target_group_arn()?.to_owned(),
            container_name: found.container_name().unwrap_or_default().to_owned(),
            container_port: found
                .container_port()
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or_default(),
            advanced: found.advanced_configuration().and_then(Advanced::read),
        })
    }
}

impl Controller {
    fn named(self) -> sdk::DeploymentController {
        let named = sdk::DeploymentController::builder().r#type(self.word().into());
        named.build().expect("the type is set")
    }

    /// ECS is what a service has that says nothing.
    fn write(self) -> Option<sdk::DeploymentController> {
        (self != Self::Ecs).then(|| self.named())
    }
}

impl Deployment {
    /// Whether something differs that is managed.
    fn differs(&self, was: &Self) -> bool {
        let mut live = was.clone();
        live.bake_time_in_minutes = live.bake_time_in_minutes.filter(|_| self.has_bake_time());
        live.canary = live.canary.filter(|_| self.canary.is_some());
        live.linear = live.linear.filter(|_| self.linear.is_some());
        *self != live
    }

    fn has_bake_time(&self) -> bool {
        self.bake_time_in_minutes.is_some()
    }

    /// What is left out stays as it was: hooks and alarms that go are sent as none.
    fn write(&self, was: Option<&Self>) -> sdk::DeploymentConfiguration {
        let Self {
            minimum_healthy_percent,
            maximum_percent,
            circuit_breaker,
            strategy,
            bake_time_in_minutes,
            canary,
            linear,
            lifecycle_hooks,
            alarms,
        } = self;
        let breaker = sdk::DeploymentCircuitBreaker::builder()
            .enable(circuit_breaker.enable)
            .rollback(circuit_breaker.rollback)
            .build();
        let had = |has: &dyn Fn(&Self) -> bool| has(self) || was.is_some_and(has);
        let hooks = lifecycle_hooks.iter().map(LifecycleHook::write).collect();
        let has_hooks = had(&|it| !it.lifecycle_hooks.is_empty());
        let has_alarms = had(&|it| it.alarms != DeploymentAlarms::default());
        sdk::DeploymentConfiguration::builder()
            .minimum_healthy_percent(int(*minimum_healthy_percent))
            .maximum_percent(int(*maximum_percent))
            .deployment_circuit_breaker(breaker)
            .strategy(strategy.word().into())
            .set_bake_time_in_minutes(bake_time_in_minutes.map(int))
            .set_canary_configuration(canary.map(Canary::write))
            .set_linear_configuration(linear.map(Linear::write))
            .set_lifecycle_hooks(Some(hooks).filter(|_| has_hooks))
            .set_alarms(has_alarms.then(|| alarms.write()))
            .build()
    }

    fn read(found: Option<&sdk::DeploymentConfiguration>) -> Result<Self> {
        let usual = Self::default();
        let Some(found) = found else { return Ok(usual) };
        let breaker = found.deployment_circuit_breaker();
        Ok(Self {
            minimum_healthy_percent: found
                .minimum_healthy_percent()
                .map_or(usual.minimum_healthy_percent, number),
            maximum_percent: found.maximum_percent().map_or(usual.maximum_percent, number),
            circuit_breaker: breaker.map_or(usual.circuit_breaker, |breaker| CircuitBreaker {
                enable: breaker.enable(),
                rollback: breaker.rollback(),
            }),
            strategy: found
                .strategy()
                .map_or(Ok(usual.strategy), |word| DeploymentStrategy::read(word.as_str()))?,
            // Of a rolling deployment ECS says 0, which means nothing.
            bake_time_in_minutes: found.bake_time_in_minutes().map(number).filter(|minutes| {
                *minutes > 0 || found.strategy() != Some(&sdk::DeploymentStrategy::Rolling)
            }),
            canary: found.canary_configuration().map(Canary::read),
            linear: found.linear_configuration().map(Linear::read),
            lifecycle_hooks: found
                .lifecycle_hooks()
                .iter()
                .map(LifecycleHook::read)
                .collect::<Result<_>>()?,
            alarms: found.alarms().map(DeploymentAlarms::read).unwrap_or_default(),
        })
    }
}

fn arn(service: &sdk::Service) -> Result<&str> {
    service.service_arn().ok_or_else(|| Error::incomplete("a service's ARN"))
}
