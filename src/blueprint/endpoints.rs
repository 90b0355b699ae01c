//! `[network] nat = "endpoints"`: private subnets that reach AWS's services, and nothing else.
//!
//! Which services, follows from what the other sections have come to: it is read off their declarations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::network::{Layout, Nat, VPC};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// Services that are reached by routes; the others have addresses. "Gateway endpoints" of the AWS PrivateLink
/// guide.
const GATEWAYS: [&str; 2] = ["dynamodb", "s3"];
/// What every task needs to start: the registry, the layers of its image, its log. "Amazon ECR interface VPC
/// endpoints" of the ECR user guide.
const OF_TASKS: [&str; 4] = ["ecr.api", "ecr.dkr", "logs", "s3"];
/// What the agent of an instance needs, or it takes the way through the internet. "Amazon ECS interface VPC
/// endpoints" of the developer guide.
const OF_INSTANCES: [&str; 3] = ["ecs", "ecs-agent", "ecs-telemetry"];
/// So many rules a security group has at most, unless the account may have more: "Amazon VPC quotas".
const RULES: usize = 60;
/// The security group of all endpoints.
const GROUP: &str = "endpoints";

/// The endpoints that the stack needs, if it has no other way, and those that it asks for.
pub(super) fn expand(network: &Layout, asked: &BTreeSet<String>, sheet: &mut Sheet) {
    let mut services = asked.clone();
    if network.nat() == Nat::Endpoints {
        services.extend(needed(sheet).into_iter().map(str::to_owned));
        check_images(sheet);
    }
    if services.iter().any(|service| !is_gateway(service)) {
        let group = group(network, sheet);
        sheet.add(group);
    }
    let tables = network.task_tables();
    for service in services {
        let endpoint = Declaration::new("vpc-endpoint", service.replace('.', "-"), &section())
            .with("vpc-id", VPC)
            .with("service-name", format!("com.amazonaws.${{aws.region}}.{service}"));
        sheet.add(match is_gateway(&service) {
            true => endpoint.with("type", "gateway").with("route-tables", tables.clone()),
            false => endpoint
                .with("type", "interface")
                .with("subnets", network.task_subnets())
                .with("security-groups", vec![format!("${{security-group.{GROUP}.id}}")])
                .with("private-dns-enabled", true),
        });
    }
}

/// The form of a service's short name.
pub(super) fn service(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    match begins && !text.ends_with(['.', '-']) && text.chars().all(legal) {
        true if text.starts_with("com.") => {
            Err(format!("`{text}` is more than a service's short name"))
        }
        true => Ok(()),
        false => Err(format!("`{text}` is no service such as `sqs`")),
    }
}

fn section() -> Path {
    Path::of(["network"]).join("endpoints")
}

fn is_gateway(service: &str) -> bool {
    GATEWAYS.contains(&service)
}

/// The services without which something of the stack would not start, or not do what it shall.
fn needed(sheet: &Sheet) -> BTreeSet<&'static str> {
    let mut needed = BTreeSet::new();
    for (_, container) in containers(sheet) {
        needed.extend(OF_TASKS);
        let secrets = container.get("secrets").and_then(Json::as_object);
        for from in
            secrets.into_iter().flat_map(|secrets| secrets.values()).filter_map(Json::as_str)
        {
            needed.insert(if from.contains(":secretsmanager:") { "secretsmanager" } else { "ssm" });
        }
    }
    let is_on = |service: &Declaration| service.spec["enable-execute-command"] == true;
    if sheet.of_kind("service").any(is_on) {
        needed.insert("ssmmessages");
    }
    let traces = |role: &Declaration| role.spec["inline"].get("xray").is_some();
    if sheet.of_kind("role").any(traces) {
        needed.insert("xray");
    }
    if sheet.of_kind("capacity-provider").next().is_some() {
        needed.extend(OF_INSTANCES);
    }
    needed
}

/// All containers of all task definitions: where each stands, and what it is.
fn containers(sheet: &Sheet) -> impl Iterator<Item = ((&Declaration, &String), &Json)> {
    sheet.of_kind("task-definition").flat_map(|task| {
        let containers = task.spec["containers"].as_object().into_iter().flatten();
        containers.map(move |(name, container)| ((task, name), container))
    })
}

/// Lets in who is in a group of the stack: tasks and instances, and not what the load balancers' groups are for.
/// Where that would be too many rules, whoever is in the VPC.
fn group(network: &Layout, sheet: &Sheet) -> Declaration {
    let of_balancers: BTreeSet<&str> = sheet
        .of_kind("load-balancer")
        .filter_map(|balancer| balancer.spec["security-groups"].as_array())
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let groups = sheet.of_kind("security-group").map(|group| group.output("id"));
    let groups: Vec<String> =
        groups.filter(|group| !of_balancers.contains(group.as_str())).collect();
    let rule = |(field, source): (&str, String)| {
        let rule = [("protocol", json!("tcp")), ("from-port", json!(443)), ("to-port", json!(443))];
        let mut rule: BTreeMap<&str, Json> = rule.into_iter().collect();
        rule.insert(field, source.into());
        json!(rule)
    };
    let rules: Vec<Json> = match groups.len() <= RULES {
        true => groups.into_iter().map(|group| rule(("security-group", group))).collect(),
        false => vec![rule(("cidr", network.cidr().to_string()))],
    };
    Declaration::new("security-group", GROUP, &section())
        .with("description", "VPC endpoints")
        .with("vpc-id", VPC)
        .with("ingress", rules)
        // Nothing begins at an endpoint.
        .with("egress", json!([]))
}

/// E0331: images that no endpoint leads to.
fn check_images(sheet: &mut Sheet) {
    let out_of_reach = containers(sheet).filter_map(|((task, name), container)| {
        let image = container["image"].as_str()?;
        let host = public_host(image)?;
        let key = task.origin(&Path::of(["containers", name, "image"])).clone();
        Some((format!("`{image}` is on {host}, and no endpoint leads there"), key))
    });
    // A task before a service runs the same image.
    let faults: BTreeMap<String, Path> = out_of_reach.collect();
    for (title, key) in faults {
        let hint = "copy the image to a repository of ECR, or write `network.nat = \"single\"`";
        sheet.fault(Diagnostic::error("E0331", title).at(key, "").hint(hint));
    }
}

/// The registry of an image, if only the internet leads there. Of others than the well known ones nobody can
/// say where they are.
fn public_host(image: &str) -> Option<&str> {
    const HUB: &str = "Docker Hub";
    const HOSTS: [&str; 6] =
        ["public.ecr.aws", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io", "mcr.microsoft.com"];
    if image.starts_with("${") {
        return None;
    }
    match image.split_once('/').map(|(host, _)| host) {
        Some("docker.io" | "index.docker.io" | "registry-1.docker.io") | None => Some(HUB),
        Some(host) if HOSTS.contains(&host) => Some(host),
        Some(host) if host.contains(['.', ':', '$']) || host == "localhost" => None,
        Some(_) => Some(HUB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_only_the_internet_has_are_known() {
        assert_eq!(public_host("httpd:2.4"), Some("Docker Hub"));
        assert_eq!(public_host("shop/api:7"), Some("Docker Hub"));
        assert_eq!(public_host("docker.io/library/httpd"), Some("Docker Hub"));
        assert_eq!(public_host("public.ecr.aws/xray/aws-xray-daemon:3.x"), Some("public.ecr.aws"));
        let own = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1";
        for fine in ["${repository.web.uri}:1", own, "registry.internal:5000/a", "localhost/a"] {
            assert_eq!(public_host(fine), None, "{fine}");
        }
    }

    #[test]
    fn services_have_short_names() {
        for fine in ["sqs", "ecr.api", "bedrock-runtime", "s3"] {
            assert_eq!(service(fine), Ok(()), "{fine}");
        }
        for wrong in ["", "SQS", "sqs.", "com.amazonaws.eu-west-1.sqs", "a b", "-a"] {
            assert!(service(wrong).is_err(), "{wrong}");
        }
    }
}
