//! Keys that the language knows and this version does not do yet: refused by name, never accepted.

/// Patterns of paths (`*` is any one name; `=word` after a path is that value of it) and what they
/// would be about.
pub fn later() -> &'static [(&'static str, &'static str)] {
    &[
        ("limit", "spending limits"),
        ("task", "one-off and scheduled tasks"),
        ("daemon", "daemon services"),
        ("capacity", "EC2 and managed capacity"),
        ("nlb", "network load balancers"),
        ("moved", "renaming without replacing"),
        ("network.endpoints", "VPC endpoints"),
        ("network.nat=endpoints", "VPC endpoints"),
        ("network.vpc", "networks that exist already"),
        ("alb.*.domain", "domains, certificates and DNS records"),
        ("service.*.domain", "domains, certificates and DNS records"),
        ("service.*.connect", "Service Connect"),
        ("service.*.capacity", "EC2 and managed capacity"),
        ("service.*.network-mode", "EC2 and managed capacity"),
        ("service.*.memory", "EC2 and managed capacity"),
        ("service.*.place", "placement on EC2 capacity"),
        ("service.*.pin", "pinning images by digest"),
        ("service.*.container.*.pin", "pinning images by digest"),
        ("service.*.count.min", "autoscaling"),
        ("service.*.count.max", "autoscaling"),
        ("service.*.count.cpu", "autoscaling"),
        ("service.*.count.memory", "autoscaling"),
        ("service.*.count.requests", "autoscaling"),
        ("service.*.deploy.strategy=canary", "canary deployments"),
        ("service.*.deploy.strategy=linear", "linear deployments"),
        ("service.*.deploy.strategy=blue-green", "blue/green deployments"),
        ("service.*.deploy.percent", "canary and linear deployments"),
        ("service.*.deploy.step", "linear deployments"),
        ("service.*.deploy.bake", "canary, linear and blue/green deployments"),
        ("service.*.deploy.pause", "pauses in deployments"),
        ("service.*.deploy.hooks", "deployment hooks"),
        ("service.*.deploy.alarms", "deployment alarms"),
        ("service.*.volume.*.type", "EBS and EFS volumes"),
        ("service.*.volume.*.size", "EBS volumes"),
    ]
}
