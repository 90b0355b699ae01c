//! What a kind of AWS resource is.
//!
//! One struct is a kind's declaration and its observation alike. Authors of a kind write plain typed
//! Rust against [`Kind`]; the engine sees [`AnyKind`] and [`Value`]; serde is the bridge, crossed in
//! `any.rs` only.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::about::{
    About, Awaits, Gate, Heed, Inherits, MovedBy, Moves, NameStyle, Naming, Remains,
};
pub use self::any::{Act, AnyKind, Deed, Done, Live, Malformed, Registered, of};
pub use self::check::{Check, Unit};
pub use self::error::{Class, Error, Forgive, Result, RolloutFailure};
pub use self::given::{
    Flaw, Found, Given, Site, Unfit, VPC_FACT, Which, are_several, is_sought, subnets_fact,
};
pub use self::health::{Deployment, Health, Onward, Pause, Stage};
pub use self::shape::{Field, Owned, Shape};
pub use self::task::{End, How, Lines, Order, Overrides, Share, Strategy, Stream, Task};
use crate::address::Address;
use crate::cloud::aws::Aws;
use crate::value::{Known, Value};

mod about;
mod any;
mod check;
mod error;
mod given;
mod health;
mod shape;
mod task;
mod telling;

/// Tags of a resource, key to value. Tags whose keys begin with `aws:` are AWS's and never here.
pub type Tags = BTreeMap<String, String>;

/// Which stack, in which environment, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackId {
    /// The stack's name.
    pub stack: String,
    /// The environment's name; `default` when none was chosen.
    pub env: String,
    /// The AWS region.
    pub region: String,
}

impl StackId {
    /// The IAM path under which all roles of the stack live.
    pub fn iam_path(&self) -> String {
        format!("/ecsctl/{}/{}/", self.stack, self.env)
    }

    /// Whether these tags say that a resource belongs to this stack and environment.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(TAG_STACK) == Some(&self.stack) && tags.get(TAG_ENV) == Some(&self.env)
    }

    /// What every name in AWS begins with: `<stack>-<env>`.
    pub fn prefix(&self) -> String {
        format!("{}-{}", self.stack, self.env)
    }
}

/// The tag that names the stack.
pub const TAG_STACK: &str = "ecsctl:stack";
/// The tag that names the environment.
pub const TAG_ENV: &str = "ecsctl:env";
/// The tag that holds the address.
pub const TAG_ID: &str = "ecsctl:id";
/// The tag of what is protected: a destroy refuses while anything carries it.
pub const TAG_PROTECT: &str = "ecsctl:protect";
/// The tag that says where the stack's lock lies, when machines share it.
pub const TAG_STORE: &str = "ecsctl:store";
/// The tag that holds how long the environment may live, as [`TAG_EXPIRES`] was reckoned with it.
pub const TAG_TTL: &str = "ecsctl:ttl";
/// The tag that holds the moment after which the environment may be destroyed, RFC 3339.
pub const TAG_EXPIRES: &str = "ecsctl:expires";

/// A declared resource that is looked for, as far as it is known: fields that mention resources which
/// are not there are still pending.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its declaration, resolved against what has been observed so far.
    pub spec: Resolved<'a>,
}

/// A document that is resolved when somebody reads it: most are looked for by their tags alone.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    spec: &'a Value,
    known: &'a Known,
    resolved: OnceLock<Value>,
}

impl<'a> Resolved<'a> {
    /// `spec` with what is `known` filled in.
    pub fn new(spec: &'a Value, known: &'a Known) -> Self {
        Self { spec, known, resolved: OnceLock::new() }
    }
}

impl Deref for Resolved<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.resolved.get_or_init(|| self.spec.resolve(self.known))
    }
}

/// How much an observation is told of its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// What is declared.
    Spec,
    /// Its name alone, as by a destroy: whatever carries its tags is to be found, whatever it takes.
    Name,
}

/// What an observation is about.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// The stack whose resources are looked for.
    pub stack: &'a StackId,
    /// Whether anything is declared, of this kind or another.
    pub told: Told,
    /// The declared resources of this kind. Empty when a stack is looked at by its tags alone.
    pub wanted: &'a [Wanted<'a>],
    /// What was observed before, of the kinds in [`About::observed_after`].
    pub before: &'a [&'a Live],
}

impl Sought<'_> {
    /// The names to look for: those of what carries the stack's tags, and the wanted ones (the field
    /// `name`), each once.
    pub fn names<'n>(&'n self, by_tag: impl IntoIterator<Item = &'n str>) -> Vec<String> {
        let wanted = self.wanted.iter().filter_map(|want| want.spec.text("name"));
        let all: BTreeSet<&str> = by_tag.into_iter().chain(wanted).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Whether these tags say that the resource belongs to this stack and environment.
    pub fn is_ours(&self, tags: &Tags) -> bool {
        self.stack.owns(tags)
    }
}

/// What state a resource is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It does its work.
    Ready,
    /// It is on its way there, or a rollout is under way.
    Settling(String),
    /// It failed and will not come back: it must be replaced.
    Broken(String),
    /// It is being deleted.
    Leaving(String),
    /// It is somebody else's ([`Remains::Given`]), and not what it has to be: nothing is done before they
    /// have mended it.
    Unfit(Unfit),
}

/// A resource as it is, in the words of its own declaration.
#[derive(Debug, Clone)]
pub struct Observed<K: Kind> {
    /// AWS's identifier, that `update` and `delete` get back.
    pub id: String,
    /// What it is like. Every field that AWS tells is filled in.
    pub live: K,
    /// What others may refer to.
    pub outputs: K::Outputs,
    /// Its tags. The address comes from [`TAG_ID`].
    pub tags: Tags,
    /// What state it is in.
    pub condition: Condition,
    /// For kinds whose updates renew them: earlier revisions that somebody still uses, by id.
    pub earlier: Vec<(String, K)>,
}

/// What came of a create or an update.
#[derive(Debug, Clone)]
pub struct Made<O> {
    /// AWS's identifier.
    pub id: String,
    /// What others may refer to.
    pub outputs: O,
    /// What `ready` is to follow besides the id: the deployment that was started. Kept in the journal.
    pub watch: Option<String>,
}

impl<O> Made<O> {
    /// Made, with nothing to follow but the resource itself.
    pub fn new(id: impl Into<String>, outputs: O) -> Self {
        Self { id: id.into(), outputs, watch: None }
    }
}

/// What was done to a resource that is now waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// It was created, updated, or was found on its way.
    Change,
    /// It was deleted.
    Delete,
}

/// What stands between the stage that something has come to and the rest of what is waited for, in
/// [`Ready::NotYet`]. Another stage is news.
pub const STAGE: &str = " – ";

/// Whether a resource is ready; the answer of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Ready, or gone if it was deleted.
    Yes,
    /// Ready, and only now it is known what others may refer to: the outputs by name.
    Found(BTreeMap<String, String>),
    /// Not yet: the fact that is waited for, and when to look again.
    NotYet {
        /// Says what is waited for: "pending", "2 of 4 tasks running".
        why: String,
        /// How long to wait before the next look.
        look_again: Duration,
    },
}

/// The surroundings of one call on one resource.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// The stack.
    pub stack: &'a StackId,
    /// The resource's address.
    pub address: &'a Address,
    /// AWS's identifier; empty in `create`.
    pub id: &'a str,
    /// All tags the resource is to carry.
    pub tags: &'a Tags,
    /// An idempotency token of 32 characters, the same whenever this step of this run is tried again.
    pub token: &'a str,
    /// In `create`, the ids of what carries the address already and will go: what the new one replaces.
    pub beside: &'a [String],
    /// What [`Made::watch`] said, in `ready`.
    pub watch: Option<&'a str>,
}

impl Cx<'_> {
    /// For a create that found the name taken: fails unless the tags say that it is this very
    /// resource, made by an attempt whose reply was lost.
    pub fn require_ours(&self, tags: &Tags) -> Result<()> {
        let own =
            [TAG_STACK, TAG_ENV, TAG_ID].iter().all(|key| tags.get(*key) == self.tags.get(*key));
        if own {
            return Ok(());
        }
        let message = format!("something else has the name of {} already", self.address);
        Err(Error::new(Class::Exists, message).hinted("plan again: the plan says whose it is"))
    }
}

/// A change of tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagChange {
    /// Tags to add or to change.
    pub set: Tags,
    /// Keys of tags to remove.
    pub unset: BTreeSet<String>,
}

impl TagChange {
    /// What makes the tags `new` of the tags `old`.
    pub fn between(old: &Tags, new: &Tags) -> Self {
        if old == new {
            return Self::default();
        }
        let set = new.iter().filter(|(key, text)| old.get(*key) != Some(text));
        Self {
            set: set.map(|(key, text)| (key.clone(), text.clone())).collect(),
            unset: old.keys().filter(|key| !new.contains_key(*key)).cloned().collect(),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }
}

/// A kind of resource: one struct that is its declaration and its observation alike.
///
/// Rules for the struct: `#[serde(deny_unknown_fields, rename_all = "kebab-case")]`; every field has
/// a doc comment, which becomes its description in the schema and the docs. `Option<T>` (with
/// `skip_serializing_if`) means *not managed when left out*; a serde default means *managed at that
/// default*; a map or a set is owned whole. Sets are `BTreeSet`, keyed things `BTreeMap`; texts that
/// may hold references are `String`. `#[schemars(extend("x-replaces" = true))]` marks a field whose
/// change replaces the resource (top-level fields only); `"x-by-use" = true` beside it says that AWS
/// sets the field when the resource is first used; `"x-within" = true` that it names what the resource
/// stands in, and which AWS does not let go before. `extend("x-whole" = true)` on a struct says that it
/// is owned whole, and that an `Option` left out in it means *none*.
///
/// Effects contain no loop over time, no sleep and no retry; they make the calls of one attempt and
/// return. A lost reply or a crash may repeat any of them, so each must accept to find its work done:
/// "already exists" with our tags is success, "not found" on delete is success.
pub trait Kind:
    std::fmt::Debug
    + Clone
    + PartialEq
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Send
    + Sync
    + 'static
{
    /// The kind's name: `[aws.<NAME>.<name>]`.
    const NAME: &'static str;
    /// What the engine must know of the kind as a whole.
    const ABOUT: About = About::DEFAULT;

    /// What others may refer to, all text: `${kind.name.output}`. There is always an `id`.
    type Outputs: std::fmt::Debug + Clone + Serialize + JsonSchema + Send + Sync;

    /// Says offline what is wrong with a declaration. Texts may still hold `${…}`.
    fn check(&self, _check: &mut Check<'_>) {}

    /// Finds everything of this kind that carries the stack's tags, and whatever else stands under a
    /// wanted one's name. One batch: calls grow with pages, not with resources, where AWS allows it.
    fn observe(
        aws: &Aws,
        sought: &Sought<'_>,
    ) -> impl Future<Output = Result<Vec<Observed<Self>>>> + Send;

    /// Creates it with its tags in the create call itself.
    fn create(&self, cx: &Cx<'_>) -> impl Future<Output = Result<Made<Self::Outputs>>> + Send;

    /// Changes what differs from `was`. Fields that replace do not differ.
    fn update(
        &self,
        was: &Self,
        cx: &Cx<'_>,
    ) -> impl Future<Output = Result<Made<Self::Outputs>>> + Send;

    /// What stands while those who use it move from what it was to what it shall be, and serves both
    /// (B10): a security group that still lets the old port in. `None` when the change takes
    /// nothing away that anybody may rely on. Texts of `spec` may still be pending.
    fn between(_was: &Value, _spec: &Value) -> Option<Value> {
        None
    }

    /// How long a step may take that brings it to what it is declared as, before it is given up: longer
    /// than usual where the declaration itself asks AWS to take its time.
    fn deadline(_spec: &Value) -> Duration {
        Self::ABOUT.deadline
    }

    /// Deletes it. `was` is what was observed.
    fn delete(was: &Self, cx: &Cx<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Begins to wait for what is as it should be, but on its way: says what `ready` is to follow, as
    /// [`Made::watch`] does.
    fn settle(&self, _cx: &Cx<'_>) -> impl Future<Output = Result<Option<String>>> + Send {
        async { Ok(None) }
    }

    /// Changes its tags.
    fn tag(cx: &Cx<'_>, change: &TagChange) -> impl Future<Output = Result<()>> + Send;

    /// Looks once whether a change or a delete has come to its end. An `Err` ends the wait.
    fn ready(_cx: &Cx<'_>, _after: After) -> impl Future<Output = Result<Ready>> + Send {
        async { Ok(Ready::Yes) }
    }
}
