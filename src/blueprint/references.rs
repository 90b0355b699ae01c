//! What `${repo.api}` and its like mean in terms of kinds.

use crate::spec::Reference;

/// The sections that text may refer to.
pub fn references() -> &'static [Reference] {
    const REFERENCES: &[Reference] = &[
        Reference {
            section: "repo",
            kind: "repository",
            prefix: "",
            outputs: &[("uri", "uri"), ("arn", "arn"), ("name", "name")],
            default: "uri",
            later: &[],
        },
        Reference {
            section: "alb",
            kind: "load-balancer",
            prefix: "",
            outputs: &[("dns", "dns"), ("arn", "arn")],
            default: "dns",
            later: &[],
        },
        Reference {
            section: "nlb",
            kind: "load-balancer",
            prefix: "nlb-",
            outputs: &[("dns", "dns"), ("arn", "arn")],
            default: "dns",
            later: &[],
        },
        Reference {
            section: "cluster",
            kind: "cluster",
            prefix: "",
            outputs: &[("name", "name"), ("arn", "arn")],
            default: "name",
            later: &[],
        },
        Reference {
            section: "service",
            kind: "service",
            prefix: "",
            // Where it is, `mesh` puts in.
            outputs: &[
                ("name", "name"),
                ("arn", "arn"),
                ("url", "url"),
                ("host", "host"),
                ("port", "port"),
            ],
            default: "name",
            later: &[],
        },
    ];
    REFERENCES
}
