//! Service Connect: the name under which other services of a namespace reach this one, and its part in it as
//! their client. Page "ServiceConnectConfiguration".

use std::collections::BTreeMap;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Service;
use crate::address::Path;
use crate::kind::{Check, Error, Result};
use crate::kinds::service::listening::Unheard;
use crate::kinds::task_definition::container::LogConfiguration;
use crate::value::Value;

/// How the service finds others in a namespace, and others find it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(extend("x-whole" = true))]
pub struct ServiceConnect {
    /// Whether it takes part; everything else means nothing otherwise.
    pub enabled: bool,
    /// The namespace's ARN, or its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${namespace.main.arn}"]))]
    pub namespace: Option<String>,
    /// What others find here, by the names of the task definition's ports; nothing makes it a client of others.
    pub services: BTreeMap<String, Endpoint>,
    /// Where the proxy beside the containers writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<LogConfiguration>,
}

/// What others find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// The name of the Cloud Map service that ECS makes for it; one of a kind in the namespace.
    pub discovery_name: String,
    /// The name that clients use; left out, the discovery name, a dot and the namespace's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// The port that clients use.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// The port on which the proxy listens; left out, that of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_port_override: Option<u16>,
    /// When the proxy gives up.
    #[serde(default)]
    pub timeout: Timeout,
    /// Encrypts what goes between proxies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// When the proxy gives up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Timeout {
    /// Seconds for which a connection may be idle; 0 is for ever. Left out: 5 minutes for HTTP, an hour for TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<u32>,
    /// Seconds that an answer may take; 0 is for ever. Not for TCP. Left out: 15 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_request_timeout_seconds: Option<u32>,
}

/// Encryption between proxies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The ARN of the private certificate authority that signs.
    pub aws_pca_authority_arn: String,
    /// The KMS key that encrypts the private key; left out, AWS's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The role by which ECS asks for certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

/// The longest discovery name. Page "ServiceConnectService".
const LONGEST: usize = 64;
/// The longest name for clients. Page "ServiceConnectClientAlias".
const LONGEST_ALIAS: usize = 127;

/// E0341: what ECS refuses.
pub(super) fn check(spec: &Service, check: &mut Check<'_>) {
    let connect = &spec.service_connect_configuration;
    let field = |rest: &str| format!("service-connect-configuration.{rest}");
    if !connect.enabled {
        if *connect != ServiceConnect::default() {
            let title = "settings of Service Connect mean nothing while it is off";
            check.error_with("E0341", &field("enabled"), title, "set `enabled = true`");
        }
        return;
    }
    let legal = |text: &str, more: &str, longest: usize| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
        text.contains("${")
            || (1..=longest).contains(&text.len())
                && text.chars().all(fits)
                && !text.starts_with('-')
    };
    for (port, endpoint) in &connect.services {
        let place = |name: &str| field(&format!("services.{port}.{name}"));
        if !legal(&endpoint.discovery_name, "_-", LONGEST) {
            let title = format!("`{}` is no name for Cloud Map", endpoint.discovery_name);
            let hint = "write up to 64 small letters, digits, `_` and `-`";
            check.error_with("E0341", &place("discovery-name"), title, hint);
        }
        if let Some(name) = &endpoint.dns_name
            && !legal(name, "_-.", LONGEST_ALIAS)
        {
            let title = format!("`{name}` is no name that clients can use");
            let hint = "write up to 127 small letters, digits, `_`, `-` and `.`";
            check.error_with("E0341", &place("dns-name"), title, hint);
        }
    }
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (port, endpoint) in &connect.services {
        if let Some(first) = names.insert(&endpoint.discovery_name, port) {
            let title = format!("the ports `{first}` and `{port}` have the same discovery name");
            check.error("E0341", &field(&format!("services.{port}.discovery-name")), title);
        }
    }
}

/// Every port that `service` offers and `task` does not have. CreateService: "portName(…) does not refer to any
/// named PortMapping in the task definition".
pub fn unnamed(service: &Value, task: &Value) -> Vec<Unheard> {
    const FIELD: &str = "service-connect-configuration";
    let offered = service.get(FIELD).and_then(|connect| connect.get("services"));
    let Some(offered) = offered else { return Vec::new() };
    let Some(containers) = task.get("containers") else { return Vec::new() };
    let ports = containers.fields().filter_map(|(_, container)| match container.get("ports") {
        Some(Value::List(ports)) => Some(ports.iter()),
        _ => None,
    });
    let ports: BTreeMap<&str, &Value> =
        ports.flatten().filter_map(|port| Some((port.text("name")?, port))).collect();
    let mut found = Vec::new();
    let mut tell = |way: &[&str], title: String, hint: String| {
        found.push(Unheard { way: Path::of(way.iter().copied()), title, hint });
    };
    for (name, endpoint) in offered.fields() {
        let way = [FIELD, "services", name.as_str()];
        let Some(port) = ports.get(name.as_str()) else {
            let title = format!("the task has no port named `{name}`");
            let hint = match ports.keys().copied().collect::<Vec<_>>().as_slice() {
                [] => "give the port of a container a `name`".to_owned(),
                names => format!("write one that there is: {}", names.join(", ")),
            };
            tell(&way, title, hint);
            continue;
        };
        if port.text("protocol") == Some("udp") {
            let title = format!("the port `{name}` is for UDP, and Service Connect for TCP");
            tell(&way, title, "offer a port for TCP".to_owned());
        }
        let timeout = endpoint.get("timeout").and_then(|it| it.get("per-request-timeout-seconds"));
        if port.text("app-protocol").is_none() && timeout.is_some() {
            let way = [&way[..], &["timeout", "per-request-timeout-seconds"]].concat();
            let title = format!("the port `{name}` is for TCP, which knows no requests");
            tell(&way, title, "give the port an `app-protocol`, or leave this out".to_owned());
        }
    }
    found
}

impl ServiceConnect {
    pub(super) fn write(&self) -> sdk::ServiceConnectConfiguration {
        let Self { enabled, namespace, services, log_configuration } = self;
        let services: Vec<_> =
            services.iter().map(|(port, endpoint)| endpoint.write(port)).collect();
        sdk::ServiceConnectConfiguration::builder()
            .enabled(*enabled)
            .set_namespace(namespace.clone())
            .set_services(Some(services).filter(|services| !services.is_empty()))
            .set_log_configuration(log_configuration.as_ref().map(LogConfiguration::write))
            .build()
    }

    /// What a deployment says. One that takes no part may say nothing at all.
    pub(super) fn read(found: Option<&sdk::ServiceConnectConfiguration>) -> Result<Self> {
        let Some(found) = found.filter(|found| found.enabled()) else {
            return Ok(Self::default());
        };
        let endpoint = |service: &sdk::ServiceConnectService| {
            Ok((service.port_name().to_owned(), Endpoint::read(service)?))
        };
        Ok(Self {
            enabled: true,
            namespace: found.namespace().map(str::to_owned),
            services: found.services().iter().map(endpoint).collect::<Result<_>>()?,
            log_configuration: found.log_configuration().map(LogConfiguration::read).transpose()?,
        })
    }
}

impl Endpoint {
    fn write(&self, name: &str) -> sdk::ServiceConnectService {
        let Self { discovery_name, dns_name, port, ingress_port_override, timeout, tls } = self;
        let alias = sdk::ServiceConnectClientAlias::builder();
        let alias = alias.port(i32::from(*port)).set_dns_name(dns_name.clone()).build();
        sdk::ServiceConnectService::builder()
            .port_name(name)
            .discovery_name(discovery_name)
            .client_aliases(alias.expect("the port is set"))
            .set_ingress_port_override(ingress_port_override.map(i32::from))
            .set_timeout(timeout.write())
            .set_tls(tls.as_ref().map(Tls::write))
            .build()
            .expect("the port's name is set")
    }

    /// Where nobody said the discovery name, it is the port's.
    fn read(found: &sdk::ServiceConnectService) -> Result<Self> {
        let alias = found.client_aliases().first();
        let discovery_name = found.discovery_name().unwrap_or(found.port_name());
        let port = alias.map(sdk::ServiceConnectClientAlias::port);
        Ok(Self {
            discovery_name: discovery_name.to_owned(),
            dns_name: alias.and_then(|alias| alias.dns_name()).map(str::to_owned),
            port: port
                .and_then(|port| u16::try_from(port).ok())
                .ok_or_else(|| Error::incomplete("the port of a client alias"))?,
            ingress_port_override: found
                .ingress_port_override()
                .and_then(|port| u16::try_from(port).ok()),
            timeout: Timeout::read(found.timeout()),
            tls: found.tls().and_then(Tls::read),
        })
    }
}

impl Timeout {
    fn write(&self) -> Option<sdk::TimeoutConfiguration> {
        let Self { idle_timeout_seconds, per_request_timeout_seconds } = self;
        let int = |seconds: &u32| i32::try_from(*seconds).unwrap_or(i32::MAX);
        let written = sdk::TimeoutConfiguration::builder()
            .set_idle_timeout_seconds(idle_timeout_seconds.as_ref().map(int))
            .set_per_request_timeout_seconds(per_request_timeout_seconds.as_ref().map(int));
        (*self != Self::default()).then(|| written.build())
    }

    fn read(found: Option<&sdk::TimeoutConfiguration>) -> Self {
        let number = |seconds: Option<i32>| seconds.and_then(|it| u32::try_from(it).ok());
        found.map_or(Self::default(), |found| Self {
            idle_timeout_seconds: number(found.idle_timeout_seconds()),
            per_request_timeout_seconds: number(found.per_request_timeout_seconds()),
        })
    }
}

impl Tls {
    fn write(&self) -> sdk::ServiceConnectTlsConfiguration {
        let Self { aws_pca_authority_arn, kms_key, role_arn } = self;
        let issuer = sdk::ServiceConnectTlsCertificateAuthority::builder();
        sdk::ServiceConnectTlsConfiguration::builder()
            .issuer_certificate_authority(
                issuer.aws_pca_authority_arn(aws_pca_authority_arn).build(),
            )
            .set_kms_key(kms_key.clone())
            .set_role_arn(role_arn.clone())
            .build()
    }

    fn read(found: &sdk::ServiceConnectTlsConfiguration) -> Option<Self> {
        let issuer = found.issuer_certificate_authority()?;
        Some(Self {
            aws_pca_authority_arn: issuer.aws_pca_authority_arn()?.to_owned(),
            kms_key: found.kms_key().map(str::to_owned),
            role_arn: found.role_arn().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds::checked::flaws;

    fn service(connect: &Json) -> Json {
        json!({
            "name": "api", "cluster": "c", "task-definition": "t", "launch-type": "EC2",
            "service-connect-configuration": connect,
        })
    }

    #[test]
    fn what_ecs_would_refuse_is_refused() {
        let endpoint =
            |name: &str| json!({ "discovery-name": name, "dns-name": "Api", "port": 80 });
        let services = json!({ "a": endpoint("api"), "b": endpoint("api"), "c": endpoint("-x") });
        let connect = json!({ "enabled": true, "namespace": "n", "services": services });
        insta::assert_snapshot!(flaws::<Service>(service(&connect)), @"
        E0341 service-connect-configuration.services.a.dns-name: `Api` is no name that clients can use
        E0341 service-connect-configuration.services.b.dns-name: `Api` is no name that clients can use
        E0341 service-connect-configuration.services.c.discovery-name: `-x` is no name for Cloud Map
        E0341 service-connect-configuration.services.c.dns-name: `Api` is no name that clients can use
        E0341 service-connect-configuration.services.b.discovery-name: the ports `a` and `b` have the same discovery name
        ");
        insta::assert_snapshot!(flaws::<Service>(service(&json!({ "namespace": "n" }))), @"E0341 service-connect-configuration.enabled: settings of Service Connect mean nothing while it is off");
        assert_eq!(flaws::<Service>(service(&json!({ "enabled": true, "namespace": "n" }))), "");
    }

    #[test]
    fn the_ports_offered_are_those_of_the_task() {
        let offered = |port: &str, timeout: &Json| {
            let endpoint =
                json!({ "discovery-name": "a", "dns-name": "a", "port": 80, "timeout": timeout });
            let connect = json!({ "enabled": true, "services": { port: endpoint } });
            let ports = json!([
                { "container-port": 80, "protocol": "tcp", "name": "web", "app-protocol": "http" },
                { "container-port": 81, "protocol": "tcp", "name": "raw" },
                { "container-port": 53, "protocol": "udp", "name": "dns" },
                { "container-port": 99, "protocol": "tcp" },
            ]);
            let task = json!({ "containers": { "app": { "ports": ports }, "log": {} } });
            let value = |json: Json| Value::lift(json).unwrap();
            let found = unnamed(&value(service(&connect)), &value(task));
            let line = |it: &Unheard| format!("{}: {}; {}", it.way, it.title, it.hint);
            found.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let slow = json!({ "per-request-timeout-seconds": 60 });
        assert_eq!(offered("web", &slow), "");
        assert_eq!(offered("raw", &json!({})), "");
        insta::assert_snapshot!(offered("raw", &slow), @"service-connect-configuration.services.raw.timeout.per-request-timeout-seconds: the port `raw` is for TCP, which knows no requests; give the port an `app-protocol`, or leave this out");
        insta::assert_snapshot!(offered("dns", &json!({})), @"service-connect-configuration.services.dns: the port `dns` is for UDP, and Service Connect for TCP; offer a port for TCP");
        insta::assert_snapshot!(offered("wbe", &json!({})), @"service-connect-configuration.services.wbe: the task has no port named `wbe`; write one that there is: dns, raw, web");
    }
}
