//! `image`: what a tag in a private registry of ECR stands for, so that tasks run that and nothing else (B23).
//!
//! Somebody pushes it; it is looked at before anything is changed, and waited for where its repository is still
//! empty. A task definition names it by its digest: a tag that moves on is seen as a change, and what a
//! revision was registered with stays what it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, ImageIdentifier, TagStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Flaw, Kind, Live, Made, Observed, Ready,
    Remains, Result, STAGE, Sought, TAG_ENV, TAG_ID, TAG_STACK, TagChange, Tags, Unfit, Wanted,
};
use crate::nearest::nearest;
use crate::value::Value;

/// What a tag in a private registry of ECR stands for. Others push it; it is only looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// Its repository: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
    #[schemars(extend("examples" = ["${repository.api.uri}"]))]
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// What has to be able to run it: `linux/amd64`, `linux/arm64`. An image that does not say what it is for
    /// is taken as it is.
    #[serde(default)]
    pub platforms: BTreeSet<String>,
}

/// What others may refer to.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// What it is pulled by, with the digest in place of the tag.
    pub id: String,
    /// What it is pulled by, with the digest in place of the tag.
    pub uri: String,
    /// The digest: `sha256:…`.
    pub digest: String,
}

/// How long somebody may take to push it.
const DEADLINE: Duration = Duration::from_secs(15 * 60);
/// Those that are asked for in one call. Page "BatchGetImage".
const BATCH: usize = 100;
/// Those of whose tags a reader is told.
const TOLD: usize = 5;

/// An index is what a tag stands for where there is one; it is asked for first. Page "Container image manifest
/// format support in Amazon ECR".
const MEDIA_TYPES: [&str; 5] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+json",
];

impl Kind for Image {
    const NAME: &'static str = "image";
    const ABOUT: About = About {
        seconds: 60,
        deadline: DEADLINE,
        // Its repository is found by that of the stack; of what was registered the tags are told.
        observed_after: &["repository", "task-definition"],
        remains: Remains::Given { until: "it is pushed" },
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_open = |text: &str| text.contains("${");
        if !is_open(&self.tag) && !is_tag(&self.tag) {
            let title = format!("`{}` is not a tag of an image", self.tag);
            let hint =
                "use up to 128 letters, digits and `._-`, and no `.` or `-` at its beginning";
            check.error_with("E0393", "tag", title, hint).alone = true;
        }
        if !is_open(&self.repository) && Place::of(&self.repository).is_none() {
            let title = format!("`{}` is not a repository of a registry of ECR", self.repository);
            let hint = "write `<account>.dkr.ecr.<region>.amazonaws.com/<name>`";
            check.error_with("E0393", "repository", title, hint).alone = true;
        }
        let is_platform = |text: &&String| text.split('/').count() >= 2 || is_open(text);
        if let Some(bad) = self.platforms.iter().find(|text| !is_platform(text)) {
            let title = format!("`{bad}` is not a platform");
            check.error_with("E0393", "platforms", title, "write for example `linux/arm64`");
        }
    }

    /// A call for each repository and hundred tags.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let mut by_repository: BTreeMap<String, Vec<(&Wanted<'_>, Self)>> = BTreeMap::new();
        for wanted in sought.wanted {
            // The repository is not there yet: so is the image.
            let Some(image) = read(wanted) else { continue };
            by_repository.entry(image.repository.clone()).or_default().push((wanted, image));
        }
        let repositories: Vec<_> = by_repository.into_iter().collect();
        let found = concurrently(&repositories, |(repository, images)| async move {
            let tags: BTreeSet<&str> = images.iter().map(|(_, image)| image.tag.as_str()).collect();
            let seen = Seen::of(aws, repository, &tags).await?;
            let each = images.iter().filter_map(|(wanted, image)| {
                Some(observed(wanted, image.clone(), seen.look(image)?, sought))
            });
            let mut each: Vec<_> = each.collect();
            if let Some(first) = each.first_mut() {
                first.earlier = seen.earlier(aws, repository, sought.before).await;
            }
            Ok(each)
        });
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Nobody makes it here.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let watch = self.settle(cx).await?;
        Ok(Made { watch, ..Made::new("", Outputs::default()) })
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.create(cx).await
    }

    async fn delete(_was: &Self, _cx: &Cx<'_>) -> Result<()> {
        Ok(())
    }

    async fn settle(&self, _cx: &Cx<'_>) -> Result<Option<String>> {
        Ok(serde_json::to_string(self).ok())
    }

    async fn tag(_cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        Ok(())
    }

    async fn ready(cx: &Cx<'_>, _after: After) -> Result<Ready> {
        let image = cx.watch.and_then(|watch| serde_json::from_str::<Self>(watch).ok());
        let Some(image) = image else { return Ok(Ready::Yes) };
        let place = image.place()?;
        let mut found = match place.manifests(cx.aws, &[&image.tag]).await {
            // A repository that was made a moment ago.
            Err(error) if error.class == Class::Absent => BTreeMap::new(),
            found => found?,
        };
        let Some(manifest) = found.remove(&image.tag) else { return Ok(image.awaited()) };
        match manifest.misfit(&image) {
            Some(unfit) => Err(Error::new(Class::Other, unfit.why).hinted(unfit.hint)),
            None => Ok(Ready::Found(image.outputs(&manifest.digest))),
        }
    }
}

/// The declaration, once all of it is known.
fn read(wanted: &Wanted<'_>) -> Option<Image> {
    serde_json::from_value(wanted.spec.lower().ok()?).ok()
}

fn observed(
    wanted: &Wanted<'_>,
    image: Image,
    looked: Result<String, Unfit>,
    sought: &Sought<'_>,
) -> Observed<Image> {
    let (outputs, condition) = match looked {
        Ok(digest) => (Outputs::of(&image, &digest), Condition::Ready),
        Err(unfit) => (Outputs::default(), Condition::Unfit(unfit)),
    };
    Observed {
        id: outputs.id.clone(),
        live: image,
        outputs,
        tags: tags(wanted, sought),
        condition,
        earlier: Vec::new(),
    }
}

/// It carries none; this is whom it was looked at for.
fn tags(wanted: &Wanted<'_>, sought: &Sought<'_>) -> Tags {
    let id = wanted.address.to_string();
    let marks = [(TAG_STACK, &sought.stack.stack), (TAG_ENV, &sought.stack.env), (TAG_ID, &id)];
    marks.into_iter().map(|(key, mark)| (key.to_owned(), mark.clone())).collect()
}

impl Outputs {
    fn of(image: &Image, digest: &str) -> Self {
        let uri = format!("{}@{digest}", image.repository);
        Self { id: uri.clone(), uri, digest: digest.to_owned() }
    }
}

impl Image {
    /// `api:1.4`, for people.
    fn name(&self) -> String {
        let path = self.repository.split_once('/').map_or(self.repository.as_str(), |(_, it)| it);
        format!("{path}:{}", self.tag)
    }

    fn place(&self) -> Result<Place<'_>> {
        let wrong = || format!("`{}` is not a repository of a registry of ECR", self.repository);
        Place::of(&self.repository).ok_or_else(|| Error::new(Class::Other, wrong()))
    }

    fn outputs(&self, digest: &str) -> BTreeMap<String, String> {
        let Outputs { id, uri, digest } = Outputs::of(self, digest);
        [("id", id), ("uri", uri), ("digest", digest)]
            .map(|(name, text)| (name.to_owned(), text))
            .into()
    }

    /// Somebody has to do something: what, is said at once.
    fn awaited(&self) -> Ready {
        let Self { repository, tag, .. } = self;
        let why = format!(
            "nobody has pushed it yet{STAGE}`docker push {repository}:{tag}`, after `ecsctl ecr login --write`"
        );
        Ready::NotYet { why, look_again: Duration::from_secs(5) }
    }
}

/// Where a repository lies.
struct Place<'r> {
    registry: &'r str,
    region: &'r str,
    name: &'r str,
}

impl<'r> Place<'r> {
    /// Reads `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
    fn of(repository: &'r str) -> Option<Self> {
        let (host, name) = repository.split_once('/')?;
        let (registry, rest) = host.split_once(".dkr.ecr.")?;
        let (region, _) = rest.split_once(".amazonaws.")?;
        let is_account = registry.len() == 12 && registry.bytes().all(|c| c.is_ascii_digit());
        (is_account && !name.is_empty()).then_some(Self { registry, region, name })
    }

    /// The registry may be of another region than the stack.
    fn there(&self) -> Builder {
        Builder::new().region(Region::new(self.region.to_owned()))
    }

    /// BatchGetImage: what these tags stand for. Those that are not there are left out.
    async fn manifests(&self, aws: &Aws, tags: &[&str]) -> Result<BTreeMap<String, Manifest>> {
        let mut found = BTreeMap::new();
        for batch in tags.chunks(BATCH) {
            let ids = batch.iter().map(|tag| ImageIdentifier::builder().image_tag(*tag).build());
            let call = aws.ecr.batch_get_image().registry_id(self.registry);
            let call = call.repository_name(self.name).set_image_ids(Some(ids.collect()));
            let types = MEDIA_TYPES.iter().map(|it| (*it).to_owned()).collect();
            let call = call.set_accepted_media_types(Some(types));
            let reply = call.customize().config_override(self.there()).send().await?;
            for image in reply.images() {
                let id = image.image_id();
                let both = id.and_then(|id| Some((id.image_tag()?, id.image_digest()?)));
                let (tag, digest) = both.ok_or_else(|| Error::incomplete("an image's digest"))?;
                let platforms = platforms(image.image_manifest().unwrap_or_default());
                found.insert(tag.to_owned(), Manifest { digest: digest.to_owned(), platforms });
            }
            for failure in reply.failures() {
                let code = failure.failure_code().map_or("", |code| code.as_str());
                if !["ImageNotFound", "InvalidImageTag"].contains(&code) {
                    let reason = failure.failure_reason().unwrap_or("no reason given");
                    let mut error = Error::new(Class::Other, format!("{}: {reason}", self.name));
                    error.code = Some(code.to_owned());
                    return Err(error);
                }
            }
        }
        Ok(found)
    }

    /// DescribeImages: the tags in the repository, the newest first; of the first thousand images, which is a
    /// page. `None` where the caller may not look.
    async fn tags(&self, aws: &Aws) -> Result<Option<Vec<String>>> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let call = aws.ecr.describe_images().registry_id(self.registry).max_results(1000);
        let call = call.repository_name(self.name).filter(tagged);
        let reply = match call.customize().config_override(self.there()).send().await {
            Ok(reply) => reply,
            Err(error) => {
                return match Error::from(error) {
                    error if error.class == Class::Denied => Ok(None),
                    error => Err(error),
                };
            }
        };
        let mut images: Vec<&ImageDetail> = reply.image_details().iter().collect();
        let pushed = |image: &ImageDetail| image.image_pushed_at().map_or(0, |time| time.secs());
        images.sort_by_key(|image| std::cmp::Reverse(pushed(image)));
        Ok(Some(images.into_iter().flat_map(|image| image.image_tags().to_vec()).collect()))
    }

    /// DescribeImages: a tag of each of these digests. Nothing depends on them, so that no error counts: one that
    /// is not there fails all.
    async fn tags_of(&self, aws: &Aws, digests: &BTreeSet<&str>) -> BTreeMap<String, String> {
        let id = |digest: &&str| ImageIdentifier::builder().image_digest(*digest).build();
        let ids = digests.iter().take(BATCH).map(id).collect();
        let call = aws.ecr.describe_images().registry_id(self.registry);
        let call = call.repository_name(self.name).set_image_ids(Some(ids));
        let Ok(reply) = call.customize().config_override(self.there()).send().await else {
            return BTreeMap::new();
        };
        let tag = |image: &ImageDetail| {
            Some((image.image_digest()?.to_owned(), image.image_tags().first()?.clone()))
        };
        reply.image_details().iter().filter_map(tag).collect()
    }
}

/// What a tag stands for.
struct Manifest {
    digest: String,
    /// What it says that it is for; nothing where it does not.
    platforms: BTreeSet<String>,
}

impl Manifest {
    /// What speaks against using it.
    fn misfit(&self, image: &Image) -> Option<Unfit> {
        let missing = image.platforms.iter().find(|wanted| !self.platforms.contains(*wanted))?;
        if self.platforms.is_empty() {
            return None;
        }
        let there: Vec<&str> = self.platforms.iter().map(String::as_str).collect();
        let why =
            format!("`{}` is not for {missing}, but for {}", image.name(), there.join(" and "));
        let hint = format!(
            "build it with `--platform {missing}` and push it again, or write the `arch` it is for"
        );
        Some(Unfit { flaw: Flaw::Unusable, why, hint })
    }
}

/// The platforms in an index. What is in it besides (attestations) is for an unknown one. A manifest of one
/// image says it in its configuration only, which is a layer to fetch.
fn platforms(manifest: &str) -> BTreeSet<String> {
    let manifest: Json = serde_json::from_str(manifest).unwrap_or_default();
    let each = manifest.get("manifests").and_then(Json::as_array).into_iter().flatten();
    let platform = |entry: &Json| {
        let platform = entry.get("platform")?;
        let (os, processor) =
            (platform.get("os")?.as_str()?, platform.get("architecture")?.as_str()?);
        (os != "unknown").then(|| format!("{os}/{processor}"))
    };
    each.filter_map(platform).collect()
}

/// What was found in a repository.
enum Seen {
    /// What the tags stand for, and, where one is missing and the caller may look, which there are instead.
    Images(BTreeMap<String, Manifest>, Option<Vec<String>>),
    /// It cannot be looked at.
    Shut(Unfit),
}

impl Seen {
    async fn of(aws: &Aws, repository: &str, tags: &BTreeSet<&str>) -> Result<Self> {
        let Some(place) = Place::of(repository) else {
            let why = format!("`{repository}` is not a repository of a registry of ECR");
            let hint = "write `<account>.dkr.ecr.<region>.amazonaws.com/<name>`".to_owned();
            return Ok(Self::Shut(Unfit { flaw: Flaw::Missing, why, hint }));
        };
        let wanted: Vec<&str> = tags.iter().copied().collect();
        match place.manifests(aws, &wanted).await {
            Ok(found) if found.len() == wanted.len() => Ok(Self::Images(found, None)),
            Ok(found) => Ok(Self::Images(found, place.tags(aws).await?)),
            Err(error) if error.class == Class::Absent => {
                let why = format!("there is no repository `{}` in {}", place.name, place.region);
                let hint =
                    "make it, or correct the name; where a cache is filled by the first pull, \
                            write `pin = false`"
                        .to_owned();
                Ok(Self::Shut(Unfit { flaw: Flaw::Missing, why, hint }))
            }
            Err(error) if error.class == Class::Denied => {
                let why = format!("images in `{}` cannot be looked up: {error}", place.name);
                let hint =
                    "allow `ecr:BatchGetImage` on the repository, or write `pin = false`: the tag \
                            is then registered as it is"
                        .to_owned();
                Ok(Self::Shut(Unfit { flaw: Flaw::Hidden, why, hint }))
            }
            Err(error) => Err(error),
        }
    }

    /// What runs so far and no tag that is wanted stands for: for people, who know tags and no digests.
    async fn earlier(
        &self,
        aws: &Aws,
        repository: &str,
        revisions: &[&Live],
    ) -> Vec<(String, Image)> {
        let (Self::Images(found, _), Some(place)) = (self, Place::of(repository)) else {
            return Vec::new();
        };
        let texts = revisions.iter().flat_map(|live| live.spec.texts());
        let digests = texts.filter_map(|text| text.strip_prefix(repository)?.strip_prefix('@'));
        let is_new = |digest: &&str| found.values().any(|manifest| manifest.digest == **digest);
        let gone: BTreeSet<&str> = digests.filter(|digest| !is_new(digest)).collect();
        if gone.is_empty() {
            return Vec::new();
        }
        let tags = place.tags_of(aws, &gone).await.into_iter();
        let image = |(digest, tag)| {
            let image =
                Image { repository: repository.to_owned(), tag, platforms: BTreeSet::new() };
            (format!("{repository}@{digest}"), image)
        };
        tags.map(image).collect()
    }

    /// The digest of an image, or why it cannot be used. `None` if it is waited for.
    fn look(&self, image: &Image) -> Option<Result<String, Unfit>> {
        match self {
            Self::Shut(unfit) => Some(Err(unfit.clone())),
            Self::Images(found, there) => match found.get(&image.tag) {
                Some(manifest) => Some(match manifest.misfit(image) {
                    Some(unfit) => Err(unfit),
                    None => Ok(manifest.digest.clone()),
                }),
                // Nobody has pushed anything yet: whoever has made the repository is about to.
                None if there.as_ref().is_some_and(Vec::is_empty) => None,
                None => Some(Err(missing(image, there.as_deref().unwrap_or_default()))),
            },
        }
    }
}

/// Among other tags one that is not there is rather mistyped, or not built yet, than on its way.
fn missing(image: &Image, there: &[String]) -> Unfit {
    let why = format!("there is no image `{}`", image.name());
    let newest: Vec<&str> = there.iter().take(TOLD).map(String::as_str).collect();
    let push = format!("push it first (`docker push {}:{}`)", image.repository, image.tag);
    let hint = match nearest(&image.tag, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? Else {push}"),
        None if newest.is_empty() => push,
        None => format!("{push}, or choose another; the newest are `{}`", newest.join("`, `")),
    };
    Unfit { flaw: Flaw::Missing, why, hint }
}

/// What AWS and docker take for a tag.
fn is_tag(tag: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&tag.len()) && tag.chars().all(legal) && !tag.starts_with(['.', '-'])
}

/// In a simulated account every image of a repository that is there is there, too.
pub fn lives(sought: &Sought<'_>) -> Vec<Live> {
    let live = |wanted: &Wanted<'_>| {
        let outputs = simulated(&wanted.spec)?;
        Some(Live {
            kind: Image::NAME.to_owned(),
            address: Some(wanted.address.clone()),
            id: outputs["id"].clone(),
            spec: (*wanted.spec).clone(),
            outputs,
            tags: tags(wanted, sought),
            condition: Condition::Ready,
            earlier: BTreeMap::new(),
        })
    };
    sought.wanted.iter().filter_map(live).collect()
}

/// The outputs of a simulated image, once all of its declaration is known.
pub fn simulated(spec: &Value) -> Option<BTreeMap<String, String>> {
    let image: Image = serde_json::from_value(spec.lower().ok()?).ok()?;
    let hash = Sha256::digest(format!("{}:{}", image.repository, image.tag).as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(image.outputs(&format!("sha256:{hex}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api";

    fn image(tag: &str, platforms: &[&str]) -> Image {
        let platforms = platforms.iter().map(|it| (*it).to_owned()).collect();
        Image { repository: REPOSITORY.to_owned(), tag: tag.to_owned(), platforms }
    }

    #[test]
    fn it_reads_back_and_is_checked_offline() {
        reads_back::<Image>(json!({ "repository": REPOSITORY, "tag": "1.4" }));
        let open = json!({ "repository": "${repository.api.uri}", "tag": "v-${stack.name}" });
        assert_eq!(flaws::<Image>(open), "");
        let wrong =
            json!({ "repository": "docker.io/httpd", "tag": "a/b", "platforms": ["arm64"] });
        insta::assert_snapshot!(flaws::<Image>(wrong), @r"
        E0393 tag: `a/b` is not a tag of an image
        E0393 repository: `docker.io/httpd` is not a repository of a registry of ECR
        E0393 platforms: `arm64` is not a platform
        ");
    }

    #[test]
    fn an_index_says_what_it_is_for() {
        let of = |os: &str, processor: &str| json!({ "platform": { "os": os, "architecture": processor } });
        let index = json!({ "manifests": [of("linux", "arm64"), of("unknown", "unknown")] });
        let found = platforms(&index.to_string());
        assert_eq!(found.iter().collect::<Vec<_>>(), ["linux/arm64"]);
        let manifest = Manifest { digest: String::new(), platforms: found };
        assert_eq!(manifest.misfit(&image("1", &["linux/arm64"])), None);
        let misfit = manifest.misfit(&image("1", &["linux/amd64"])).unwrap();
        insta::assert_snapshot!(misfit.why, @"`shop/api:1` is not for linux/amd64, but for linux/arm64");
        // A single image does not say.
        let single = Manifest { digest: String::new(), platforms: platforms(r#"{"layers": []}"#) };
        assert_eq!(single.misfit(&image("1", &["linux/amd64"])), None);
    }

    #[test]
    fn a_tag_that_is_not_there_is_told_with_those_that_are() {
        let there = |tags: &[&str]| {
            Seen::Images(BTreeMap::new(), Some(tags.iter().map(|tag| (*tag).to_owned()).collect()))
        };
        let hint = |seen: Seen| seen.look(&image("v1.4.2", &[])).map(|it| it.unwrap_err().hint);
        assert_eq!(hint(there(&[])), None, "an empty repository is waited for");
        insta::assert_snapshot!(hint(there(&["v1.4.1", "main"])).unwrap(), @"did you mean `v1.4.1`? Else push it first (`docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:v1.4.2`)");
        insta::assert_snapshot!(hint(there(&["main", "dev"])).unwrap(), @"push it first (`docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:v1.4.2`), or choose another; the newest are `main`, `dev`");
    }

    #[test]
    fn repositories_are_read_off_their_addresses() {
        let place = Place::of(REPOSITORY).unwrap();
        assert_eq!(
            (place.registry, place.region, place.name),
            ("123456789012", "eu-west-1", "shop/api")
        );
        for other in
            ["httpd", "public.ecr.aws/xray/daemon", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"]
        {
            assert!(Place::of(other).is_none(), "{other}");
        }
    }
}
