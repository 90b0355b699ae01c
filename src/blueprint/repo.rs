//! `[repo.x]`: an ECR repository.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::sheet::Sheet;
use crate::address::Path;

/// An ECR repository for the stack's own images.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repo {
    /// How many images are kept; 30 when left out.
    #[schemars(range(min = 1))]
    pub keep: Option<u32>,
    /// Whether a tag can be pushed only once; true when left out.
    pub immutable: Option<bool>,
    /// Whether images are scanned when they are pushed; true when left out.
    pub scan: Option<bool>,
}

/// How many images are kept when nothing is said.
const KEEP: u32 = 30;

impl Repo {
    /// The repository.
    pub(super) fn expand(&self, name: &str, sheet: &mut Sheet) {
        let section = Path::of(["repo", name]);
        let mutability = match self.immutable.unwrap_or(true) {
            true => "IMMUTABLE",
            false => "MUTABLE",
        };
        let lifecycle = expire_all_but(self.keep.unwrap_or(KEEP));
        let repository = Declaration::new("repository", name, &section)
            .from("image-tag-mutability", mutability, section.join("immutable"))
            .from("scan-on-push", self.scan.unwrap_or(true), section.join("scan"))
            .from("lifecycle-policy", lifecycle, section.join("keep"));
        sheet.add(repository);
    }
}

fn expire_all_but(count: u32) -> Json {
    json!({ "rules": [{
        "rulePriority": 1,
        "description": format!("keep the newest {count}"),
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": count,
        },
        "action": { "type": "expire" },
    }] })
}
