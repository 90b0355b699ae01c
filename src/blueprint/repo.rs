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
    /// How many tags are kept, the newest: so many pushes later an image is gone, whether anything runs it or
    /// not. Left out, nothing is said about that: all are kept, unless somebody has set it otherwise.
    #[schemars(range(min = 11))]
    pub keep: Option<u32>,
    /// Whether a tag can be pushed only once; true when left out.
    pub immutable: Option<bool>,
    /// Whether images are scanned when they are pushed; true when left out.
    pub scan: Option<bool>,
}

/// Days after which leftovers without a tag go.
const LEFTOVERS: u32 = 30;

impl Repo {
    /// The repository.
    pub(super) fn expand(&self, name: &str, sheet: &mut Sheet) {
        let section = Path::of(["repo", name]);
        let mutability = match self.immutable.unwrap_or(true) {
            true => "IMMUTABLE",
            false => "MUTABLE",
        };
        let lifecycle = self.keep.map(|keep| expire_all_but(keep, mutability));
        let repository = Declaration::new("repository", name, &section)
            .from("image-tag-mutability", mutability, section.join("immutable"))
            .from("scan-on-push", self.scan.unwrap_or(true), section.join("scan"))
            .maybe("lifecycle-policy", lifecycle, section.join("keep"));
        sheet.add(repository);
    }
}

/// No image goes that a revision may name which is among a family's newest ten (B23). So tags are counted, of
/// which an image for two processors has one, and not images, of which it has four; and what has lost its tag
/// goes only where tags do not move. What an index refers to does not go before it.
fn expire_all_but(count: u32, mutability: &str) -> Json {
    let expire = json!({ "type": "expire" });
    let mut rules = vec![json!({
        "rulePriority": 1,
        "description": format!("keep the newest {count} tags"),
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": ["*"],
            "countType": "imageCountMoreThan",
            "countNumber": count,
        },
        "action": expire,
    })];
    if mutability == "IMMUTABLE" {
        rules.push(json!({
            "rulePriority": 2,
            "description": "clear leftovers away",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": LEFTOVERS,
            },
            "action": expire,
        }));
    }
    json!({ "rules": rules })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(repo: &Repo) -> Json {
        let mut sheet = Sheet::new(crate::spec::Unread::default());
        repo.expand("api", &mut sheet);
        let repository = sheet.of_kind("repository").next().expect("a repository");
        repository.spec.get("lifecycle-policy").cloned().unwrap_or_default()
    }

    /// B23: nothing goes unasked; nothing but tags is counted; what lost its tag because that moved on stays.
    #[test]
    fn b23_what_is_kept_outlives_ten_deployments() {
        assert_eq!(policy(&Repo::default()), Json::Null);
        let kept = |immutable| {
            let repo = Repo { keep: Some(11), immutable: Some(immutable), scan: None };
            let policy = policy(&repo);
            let rules = policy["rules"].as_array().cloned().unwrap_or_default();
            let text = |rule: &Json| {
                let selection = &rule["selection"];
                format!("{} {}", selection["tagStatus"], selection["countNumber"])
            };
            rules.iter().map(text).collect::<Vec<_>>().join(", ")
        };
        insta::assert_snapshot!(kept(false), @r#""tagged" 11"#);
        insta::assert_snapshot!(kept(true), @r#""tagged" 11, "untagged" 30"#);
    }
}
