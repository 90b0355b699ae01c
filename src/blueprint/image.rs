//! The images of private ECR registries: what a tag stands for is looked up, and the task definition names
//! that. Images of other registries are left as they are written.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::member::Member;
use super::mention;
use super::sheet::{Sheet, section_of};
use crate::address::{Address, SURROUNDINGS};

/// The kind that looks it up.
pub(super) const KIND: &str = "image";
/// What the address of a repository of the stack begins with.
const OWN: &str = "${repository.";
/// What the others' have in their hosts.
const REGISTRY: &str = ".dkr.ecr.";

/// The image of a container, as its task definition has it.
pub(super) fn of(member: &Member, platform: &str, sheet: &mut Sheet) -> Option<String> {
    let text = member.container.image.as_deref()?;
    let pinned = member.container.pin.unwrap_or(true).then(|| Tagged::of(text)).flatten();
    let Some(Tagged { repository, tag }) = pinned else { return Some(text.to_owned()) };
    let key = member.key(["image"]);
    let section = section_of(&member.keys);
    let declaration = |name: &str| {
        Declaration::new(KIND, name, &section)
            .from("repository", repository, key.clone())
            .from("tag", tag, key.clone())
            .with("platforms", json!([platform]))
    };
    let base = name(repository, tag);
    let names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
    for name in names {
        let declaration = declaration(&name);
        let uri = declaration.output("uri");
        let taken = sheet.declarations.get_mut(&declaration.address);
        match taken.map(|other| join(other, &declaration)) {
            None => sheet.add(declaration),
            Some(true) => {}
            Some(false) => continue,
        }
        return Some(uri);
    }
    unreachable!("there are always further names")
}

/// An image that several containers have is looked up once, for all that they run on. Says whether the two are
/// the same.
pub(super) fn join(one: &mut Declaration, other: &Declaration) -> bool {
    let same = |field: &str| one.spec.get(field) == other.spec.get(field);
    let is_own =
        |it: &Declaration| it.address.kind == KIND && it.section.first() != Some(SURROUNDINGS);
    if !is_own(one) || !is_own(other) || !same("repository") || !same("tag") {
        return false;
    }
    let platforms = |it: &Declaration| it.spec["platforms"].as_array().cloned().unwrap_or_default();
    let texts = [platforms(one), platforms(other)].concat();
    let all: BTreeSet<&str> = texts.iter().filter_map(Json::as_str).collect();
    one.spec["platforms"] = json!(all);
    true
}

/// Leaves out what nobody runs: `[aws.task-definition.web]` may say otherwise than the section.
pub(super) fn drop_unused(sheet: &mut Sheet) {
    let start = format!("${{{KIND}.");
    let mut used: BTreeSet<Address> = BTreeSet::new();
    for declaration in sheet.declarations.values() {
        mention::walk(&declaration.spec, &mut |text| {
            let names = text.split(&start).skip(1).filter_map(|rest| rest.split('.').next());
            used.extend(names.map(|name| Address::new(KIND, name)));
        });
    }
    sheet.declarations.retain(|address, declaration| {
        address.kind != KIND
            || declaration.section.first() == Some(SURROUNDINGS)
            || used.contains(address)
    });
}

/// A tag in a private registry.
#[derive(Debug, PartialEq)]
struct Tagged<'t> {
    repository: &'t str,
    tag: &'t str,
}

impl<'t> Tagged<'t> {
    /// Reads `${repository.api.uri}:1.4` or `<account>.dkr.ecr.<region>.amazonaws.com/api:1.4`; without a tag
    /// docker's is meant. `None` for what has a digest already, and for other registries.
    fn of(text: &'t str) -> Option<Self> {
        if text.contains('@') {
            return None;
        }
        let end = match text.strip_prefix(OWN) {
            Some(rest) => OWN.len() + rest.find('}')? + 1,
            None => {
                let (host, path) = text.split_once('/')?;
                host.contains(REGISTRY).then_some(())?;
                host.len() + 1 + path.find(':').unwrap_or(path.len())
            }
        };
        let (repository, rest) = text.split_at(end);
        let tag = match rest {
            "" => "latest",
            _ => rest.strip_prefix(':')?,
        };
        Some(Self { repository, tag })
    }
}

/// `api-1-4` for the tag `1.4` in the repository `api`.
fn name(repository: &str, tag: &str) -> String {
    let stem = match repository.strip_prefix(OWN) {
        Some(rest) => rest.split(['.', '}']).next(),
        None => repository.rsplit('/').next(),
    };
    let text = format!("{}-{tag}", stem.unwrap_or_default()).to_lowercase();
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let parts: String = text.chars().map(legal).collect();
    parts.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_images_with_tags_are_told_apart() {
        fn found(text: &str) -> Option<(&str, &str)> {
            Tagged::of(text).map(|it| (it.repository, it.tag))
        }
        let own = "${repository.api.uri}";
        assert_eq!(found("${repository.api.uri}:1.4"), Some((own, "1.4")));
        assert_eq!(found(own), Some((own, "latest")));
        let other = "${aws.account}.dkr.ecr.${aws.region}.amazonaws.com/shared/base";
        let text = format!("{other}:v${{aws.region}}");
        assert_eq!(found(&text), Some((other, "v${aws.region}")));
        let digest = format!("{own}@sha256:00");
        for left in ["httpd:2.4", "public.ecr.aws/xray/daemon:3", "ghcr.io/a/b:1", &digest] {
            assert_eq!(found(left), None, "{left}");
        }
    }

    #[test]
    fn names_say_which_it_is() {
        assert_eq!(name("${repository.api.uri}", "1.4"), "api-1-4");
        assert_eq!(
            name("1.dkr.ecr.eu-west-1.amazonaws.com/shared/Base_x", "v1_RC"),
            "base-x-v1-rc"
        );
    }
}
