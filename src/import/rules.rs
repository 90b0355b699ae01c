//! Where the API's documents and our declarations differ in more than the spelling of a name. Pages
//! "RegisterTaskDefinition" and "Service" of the API reference.

/// What becomes of a member of an API's document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// The same under another name.
    Named(&'static str),
    /// A list of objects that is a table here, by one of their members; and of one of their members,
    /// or of all the others.
    Keyed { ours: &'static str, key: &'static str, value: Option<&'static str> },
    /// A list of objects of which one member counts; another is always the same.
    Items {
        ours: &'static str,
        member: &'static str,
        besides: Option<(&'static str, &'static str)>,
    },
    /// An object of which one member counts.
    Only { ours: &'static str, member: &'static str },
    /// An object, or a list of only one, whose members stand in the table itself.
    Spread,
    /// An object that means nothing unless one of its members is true.
    Switched { ours: &'static str, by: &'static str },
    /// A word that is a switch here.
    Flag { ours: &'static str, on: &'static str, off: &'static str },
    /// It can be nothing but this, and so is not said; written as JSON.
    Always(&'static str),
    /// AWS's own: nobody can set it.
    Own,
    /// AWS's own where this is in it.
    OwnWith(&'static str),
}

/// The table in a declaration, with `*` for any name in it; the API's member; what becomes of it.
pub(super) type Entry = (&'static str, &'static str, Rule);

const fn map(ours: &'static str, key: &'static str, value: &'static str) -> Rule {
    Rule::Keyed { ours, key, value: Some(value) }
}

const fn tables(ours: &'static str, key: &'static str) -> Rule {
    Rule::Keyed { ours, key, value: None }
}

/// Of task definitions.
pub(super) const TASK_DEFINITION: &[Entry] = &[
    ("", "family", Rule::Named("name")),
    ("", "containerDefinitions", tables("containers", "name")),
    ("", "volumes", tables("volumes", "name")),
    (
        "",
        "placementConstraints",
        Rule::Items {
            ours: "placement-constraints",
            member: "expression",
            besides: Some(("type", "memberOf")),
        },
    ),
    ("", "taskDefinitionArn", Rule::Own),
    ("", "revision", Rule::Own),
    ("", "status", Rule::Own),
    ("", "compatibilities", Rule::Own),
    ("", "requiresAttributes", Rule::Own),
    ("", "registeredAt", Rule::Own),
    ("", "registeredBy", Rule::Own),
    ("", "deregisteredAt", Rule::Own),
    ("", "deleteRequestedAt", Rule::Own),
    ("", "tags", Rule::Own),
    ("ephemeral-storage", "sizeInGiB", Rule::Named("size-in-gib")),
    ("proxy-configuration", "type", Rule::Always("\"APPMESH\"")),
    ("proxy-configuration", "properties", map("properties", "name", "value")),
    ("containers.*", "portMappings", Rule::Named("ports")),
    ("containers.*", "environment", map("environment", "name", "value")),
    (
        "containers.*",
        "environmentFiles",
        Rule::Items { ours: "environment-files", member: "value", besides: Some(("type", "s3")) },
    ),
    ("containers.*", "secrets", map("secrets", "name", "valueFrom")),
    ("containers.*", "dependsOn", map("depends-on", "containerName", "condition")),
    ("containers.*", "ulimits", tables("ulimits", "name")),
    ("containers.*", "systemControls", map("system-controls", "namespace", "value")),
    ("containers.*", "resourceRequirements", map("resource-requirements", "type", "value")),
    ("containers.*", "extraHosts", map("extra-hosts", "hostname", "ipAddress")),
    (
        "containers.*",
        "repositoryCredentials",
        Rule::Only { ours: "repository-credentials", member: "credentialsParameter" },
    ),
    ("containers.*", "restartPolicy", Rule::Switched { ours: "restart-policy", by: "enabled" }),
    ("containers.*", "firelensConfiguration", Rule::Named("firelens")),
    ("containers.*.log-configuration", "logDriver", Rule::Named("driver")),
    ("containers.*.log-configuration", "secretOptions", map("secret-options", "name", "valueFrom")),
    ("containers.*.linux-parameters", "tmpfs", tables("tmpfs", "containerPath")),
    ("volumes.*", "host", Rule::Only { ours: "host-path", member: "sourcePath" }),
    ("volumes.*", "efsVolumeConfiguration", Rule::Named("efs")),
    ("volumes.*.efs", "authorizationConfig", Rule::Spread),
    ("volumes.*", "dockerVolumeConfiguration", Rule::Named("docker")),
    ("volumes.*", "fsxWindowsFileServerVolumeConfiguration", Rule::Named("fsx")),
    ("volumes.*.fsx", "authorizationConfig", Rule::Spread),
    ("volumes.*", "s3filesVolumeConfiguration", Rule::Named("s3-files")),
];

/// Of services.
pub(super) const SERVICE: &[Entry] = &[
    ("", "serviceName", Rule::Named("name")),
    ("", "clusterArn", Rule::Named("cluster")),
    ("", "volumeConfigurations", map("volumes", "name", "managedEBSVolume")),
    ("volumes.*", "sizeInGiB", Rule::Named("size-in-gib")),
    ("volumes.*", "tags", map("tags", "key", "value")),
    ("", "networkConfiguration", Rule::Named("network")),
    ("network", "awsvpcConfiguration", Rule::Spread),
    (
        "network",
        "assignPublicIp",
        Rule::Flag { ours: "assign-public-ip", on: "ENABLED", off: "DISABLED" },
    ),
    ("", "deploymentConfiguration", Rule::Named("deployment")),
    ("deployment", "deploymentCircuitBreaker", Rule::Named("circuit-breaker")),
    ("deployment", "canaryConfiguration", Rule::Named("canary")),
    ("deployment.canary", "canaryPercent", Rule::Named("percent")),
    ("deployment.canary", "canaryBakeTimeInMinutes", Rule::Named("bake-time-in-minutes")),
    ("deployment", "linearConfiguration", Rule::Named("linear")),
    ("deployment.lifecycle-hooks.*", "timeoutConfiguration", Rule::Named("timeout")),
    ("load-balancers.*", "advancedConfiguration", Rule::Named("advanced")),
    ("service-connect-configuration", "services", tables("services", "portName")),
    ("service-connect-configuration.services.*", "clientAliases", Rule::Spread),
    ("service-connect-configuration.services.*.tls", "issuerCertificateAuthority", Rule::Spread),
    ("service-connect-configuration.log-configuration", "logDriver", Rule::Named("driver")),
    (
        "service-connect-configuration.log-configuration",
        "secretOptions",
        map("secret-options", "name", "valueFrom"),
    ),
    ("", "enableECSManagedTags", Rule::Named("enable-ecs-managed-tags")),
    ("", "deploymentController", Rule::Always("{\"type\":\"ECS\"}")),
    ("", "serviceArn", Rule::Own),
    ("", "status", Rule::Own),
    ("", "runningCount", Rule::Own),
    ("", "pendingCount", Rule::Own),
    ("", "deployments", Rule::Own),
    ("", "events", Rule::Own),
    ("", "createdAt", Rule::Own),
    ("", "createdBy", Rule::Own),
    ("", "platformFamily", Rule::Own),
    ("", "currentServiceDeployment", Rule::Own),
    ("", "currentServiceRevisions", Rule::Own),
    ("", "resourceManagementType", Rule::Own),
    ("", "tags", Rule::Own),
    ("", "roleArn", Rule::OwnWith(":role/aws-service-role/")),
];

/// The rule for a member, if it needs one.
pub(super) fn rule(rules: &[Entry], table: &str, member: &str) -> Option<Rule> {
    let found = rules.iter().find(|(at, name, _)| (*at, *name) == (table, member));
    found.map(|(_, _, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Path;
    use crate::kinds;

    /// Each rule leads to a field that there is: a field that is renamed takes its rule along.
    #[test]
    fn rules_lead_to_fields() {
        for (kind, rules) in [("task-definition", TASK_DEFINITION), ("service", SERVICE)] {
            let shape = kinds::find(kind).expect("it is in the catalogue").shape();
            for (table, member, rule) in rules {
                let ours = match rule {
                    Rule::Named(ours)
                    | Rule::Keyed { ours, .. }
                    | Rule::Items { ours, .. }
                    | Rule::Only { ours, .. }
                    | Rule::Switched { ours, .. }
                    | Rule::Flag { ours, .. } => Some(*ours),
                    Rule::Spread | Rule::Always(_) | Rule::Own | Rule::OwnWith(_) => None,
                };
                let way = Path::of(table.split('.').filter(|step| !step.is_empty()).chain(ours));
                assert!(shape.at(&way).is_some(), "{kind}: {member} leads to {way}");
            }
        }
    }
}
