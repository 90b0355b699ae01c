//! Identifiers and outputs in the forms that AWS gives them.

use std::collections::BTreeMap;

use crate::cloud::Surroundings;
use crate::kind::Registered;
use crate::value::Value;

/// What the forms are filled in from.
pub(super) struct Facts<'a> {
    pub(super) surroundings: &'a Surroundings,
    pub(super) iam_path: String,
    /// The declaration.
    pub(super) spec: &'a Value,
    /// A number that no other resource has had.
    pub(super) serial: u64,
    /// The revision, for task definitions; the version, for launch templates.
    pub(super) revision: u64,
}

/// Kinds and the forms of their identifiers. `{hex}` is 17 digits; any other word in braces is a fact
/// or a field of the declaration.
const FORMS: &[(&str, &str)] = &[
    ("vpc", "vpc-{hex}"),
    ("subnet", "subnet-{hex}"),
    ("internet-gateway", "igw-{hex}"),
    ("elastic-ip", "eipalloc-{hex}"),
    ("nat-gateway", "nat-{hex}"),
    ("route-table", "rtb-{hex}"),
    ("vpc-endpoint", "vpce-{hex}"),
    ("security-group", "sg-{hex}"),
    ("security-group-rule", "sgr-{hex}"),
    ("cluster", "arn:aws:ecs:{region}:{account}:cluster/{name}"),
    ("instance-profile", "arn:aws:iam::{account}:instance-profile{path}{name}"),
    ("launch-template", "lt-{hex}"),
    (
        "auto-scaling-group",
        "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex}:autoScalingGroupName/{name}",
    ),
    ("capacity-provider", "arn:aws:ecs:{region}:{account}:capacity-provider/{name}"),
    ("managed-capacity", "arn:aws:ecs:{region}:{account}:capacity-provider/{name}"),
    ("service", "arn:aws:ecs:{region}:{account}:service/{cluster/}/{name}"),
    ("task-definition", "arn:aws:ecs:{region}:{account}:task-definition/{name}:{revision}"),
    (
        "load-balancer",
        "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{sort}/{name}/{hex}",
    ),
    ("target-group", "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}"),
    ("listener", "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/{hex}"),
    ("listener-rule", "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/{hex}"),
    ("role", "arn:aws:iam::{account}:role{path}{name}"),
    ("log-group", "arn:aws:logs:{region}:{account}:log-group:{name}"),
    ("schedule-group", "arn:aws:scheduler:{region}:{account}:schedule-group/{name}"),
    ("schedule", "arn:aws:scheduler:{region}:{account}:schedule/{group}/{hex}"),
    ("repository", "arn:aws:ecr:{region}:{account}:repository/{name}"),
    ("scalable-target", "arn:aws:application-autoscaling:{region}:{account}:scalable-target/{hex}"),
    (
        "scaling-policy",
        "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{hex}:resource/ecs/{resource-id}:policyName/{name}",
    ),
    (
        "scheduled-action",
        "arn:aws:autoscaling:{region}:{account}:scheduledAction:{hex}:resource/ecs/{resource-id}:scheduledActionName/{name}",
    ),
    ("alarm", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"),
    ("dashboard", "arn:aws:cloudwatch::{account}:dashboard/{name}"),
    ("namespace", "arn:aws:servicediscovery:{region}:{account}:namespace/ns-{hex}"),
    ("dns-namespace", "arn:aws:servicediscovery:{region}:{account}:namespace/ns-{hex}"),
    ("discovery-service", "arn:aws:servicediscovery:{region}:{account}:service/srv-{hex}"),
    ("certificate", "arn:aws:acm:{region}:{account}:certificate/{hex}"),
    ("dns-record", "Z0123456789EXAMPLE/{name}/{type}"),
];

impl Facts<'_> {
    /// The identifier of a resource of the kind `kind`.
    pub(super) fn id(&self, kind: &str) -> String {
        let form = FORMS.iter().find(|(name, _)| *name == kind).map(|(_, form)| *form);
        let Some(form) = form else { return format!("{kind}-{:017x}", self.serial) };
        let mut id = String::new();
        for (index, piece) in form.split(['{', '}']).enumerate() {
            if index % 2 == 0 { id.push_str(piece) } else { id.push_str(&self.fact(piece)) }
        }
        id
    }

    fn fact(&self, word: &str) -> String {
        match word {
            "hex" => format!("{:017x}", self.serial),
            "region" => self.surroundings.region.clone(),
            "account" => self.surroundings.account.clone(),
            "revision" => self.revision.to_string(),
            "path" => self.iam_path.clone(),
            "sort" => if self.text("type") == "network" { "net" } else { "app" }.to_owned(),
            // The last part of an ARN in a field.
            _ => match word.strip_suffix('/') {
                Some(field) => self.text(field).rsplit('/').next().unwrap_or_default().to_owned(),
                None => self.text(word).to_owned(),
            },
        }
    }

    fn text(&self, field: &str) -> &str {
        self.spec.text(field).unwrap_or_default()
    }

    /// The outputs of a resource of the kind `kind` with the identifier `id`.
    pub(super) fn outputs(&self, kind: &Registered, id: &str) -> BTreeMap<String, String> {
        let names = kind.output_shape().fields().into_iter().flat_map(|fields| fields.keys());
        names.map(|name| (name.clone(), self.output(name, id))).collect()
    }

    fn output(&self, output: &str, id: &str) -> String {
        let Surroundings { account, region, .. } = self.surroundings;
        let (name, serial) = (self.text("name"), self.serial);
        match output {
            "id" | "arn" => id.to_owned(),
            "dns" => format!("{name}-{serial}.{region}.elb.amazonaws.com"),
            "zone-id" => "Z35SXDOTRQ7X7K".to_owned(),
            "uri" => format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"),
            "public-ip" => format!("203.0.113.{}", serial % 250 + 1),
            "family" => name.to_owned(),
            "revision" => format!("{name}:{}", self.revision),
            "arn-suffix" => resource(id).trim_start_matches("loadbalancer/").to_owned(),
            "resource-id" => resource(self.text("service")).to_owned(),
            "version" => self.revision.to_string(),
            field => self.text(field).to_owned(),
        }
    }
}

/// What stands after the account in an ARN.
fn resource(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}
