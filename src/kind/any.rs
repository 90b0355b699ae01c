//! [`Kind`] without its type: what planner, executor and reports work with.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    About, After, Check, Class, Condition, Cx, Error, Field, Kind, Made, Ready, Result, Shape,
    Sought, StackId, TAG_ID, TagChange, Tags,
};
use crate::address::{Address, Path};
use crate::cloud::aws::Aws;
use crate::value::Value;

/// A resource as it is, with its type taken off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Live {
    /// The kind's name.
    pub kind: String,
    /// The address in its [`TAG_ID`] tag, if it has a readable one.
    pub address: Option<Address>,
    /// AWS's identifier.
    pub id: String,
    /// What it is like, in the words of a declaration.
    pub spec: Value,
    /// What others may refer to.
    pub outputs: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
    /// What state it is in.
    pub condition: Condition,
    /// Earlier revisions that somebody still uses, by id: what they mention is still held.
    #[serde(default)]
    pub earlier: BTreeMap<String, Value>,
}

/// What is to be done to one resource; everything in it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Deed {
    /// The resource.
    pub address: Address,
    /// What to do.
    pub act: Act,
    /// All tags that the resource is to carry.
    pub tags: Tags,
    /// An idempotency token of 32 characters, the same for each attempt.
    pub token: String,
}

/// The ways to act on a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// Make it.
    Create {
        /// The declaration.
        spec: Value,
        /// The ids of what carries the address already, and will go.
        #[serde(default)]
        beside: Vec<String>,
    },
    /// Change it.
    Update {
        /// AWS's identifier.
        id: String,
        /// What was observed.
        was: Value,
        /// The declaration; `None` when only tags change.
        spec: Option<Value>,
        /// The change of tags.
        tags: TagChange,
    },
    /// Remove it.
    Delete {
        /// AWS's identifier.
        id: String,
        /// What was observed.
        was: Value,
    },
    /// Only wait until it is ready.
    Settle {
        /// AWS's identifier.
        id: String,
        /// The declaration.
        spec: Value,
    },
}

impl Act {
    /// What carries the address already, and is not what is made.
    fn beside(&self) -> &[String] {
        match self {
            Self::Create { beside, .. } => beside,
            _ => &[],
        }
    }

    /// What the wait that follows is about.
    pub fn after(&self) -> After {
        match self {
            Self::Delete { .. } => After::Delete,
            Self::Create { .. } | Self::Update { .. } | Self::Settle { .. } => After::Change,
        }
    }

    /// The identifier that is known beforehand; empty for a create.
    pub fn id(&self) -> &str {
        match self {
            Self::Create { .. } => "",
            Self::Update { id, .. } | Self::Delete { id, .. } | Self::Settle { id, .. } => id,
        }
    }
}

/// What came of a deed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// AWS's identifier.
    pub id: String,
    /// What others may refer to, as far as the deed tells.
    pub outputs: BTreeMap<String, String>,
    /// What `ready` is to follow besides the id.
    pub watch: Option<String>,
}

/// A declaration that is not one of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Malformed {
    /// The field.
    pub path: Path,
    /// What is wrong with it.
    pub message: String,
}

/// What the engine sees of a kind.
pub trait AnyKind: Send + Sync {
    /// The kind's name.
    fn name(&self) -> &'static str;
    /// What the engine must know of the kind as a whole.
    fn about(&self) -> About;
    /// The JSON schema of a declaration.
    fn schema(&self) -> Json;
    /// The names and descriptions of the outputs.
    fn outputs(&self) -> Shape;
    /// Reads a declaration and writes it back in full: canonical, with defaults.
    fn parse(&self, spec: Json) -> Result<Json, Malformed>;
    /// Says offline what is wrong with a declaration that `parse` has read.
    fn check(&self, spec: &Json, check: &mut Check<'_>);
    /// See [`Kind::between`].
    fn between(&self, was: &Value, spec: &Value) -> Option<Value>;
    /// See [`Kind::deadline`].
    fn deadline(&self, spec: &Value) -> Duration;
    /// See [`Kind::observe`].
    fn observe<'a>(&'a self, aws: &'a Aws, sought: Sought<'a>) -> BoxFuture<'a, Result<Vec<Live>>>;
    /// Makes one attempt at a deed.
    fn perform<'a>(
        &'a self,
        aws: &'a Aws,
        stack: &'a StackId,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<Done>>;
    /// Looks once whether a deed has come to its end.
    fn ready<'a>(
        &'a self,
        aws: &'a Aws,
        stack: &'a StackId,
        deed: &'a Deed,
        done: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>>;
}

/// A kind in the registry: its erased face and, read once, the form of its documents.
pub struct Registered {
    kind: &'static dyn AnyKind,
    shape: OnceLock<Shape>,
    outputs: OnceLock<Shape>,
}

impl Registered {
    /// An entry for `kind`.
    pub fn new(kind: &'static dyn AnyKind) -> Self {
        Self { kind, shape: OnceLock::new(), outputs: OnceLock::new() }
    }

    /// The kind's name: [`AnyKind::name`] as a plain function.
    pub fn name_of(&self) -> &'static str {
        self.kind.name()
    }

    /// The form of a declaration.
    pub fn shape(&self) -> &Shape {
        self.shape.get_or_init(|| Shape::from_schema(&self.kind.schema()))
    }

    /// The names and descriptions of the outputs.
    pub fn output_shape(&self) -> &Shape {
        self.outputs.get_or_init(|| self.kind.outputs())
    }

    /// Whether a change of the top-level field `field` replaces the resource.
    pub fn replaces(&self, field: &str) -> bool {
        self.field(field).is_some_and(|field| field.replaces)
    }

    /// Whether AWS sets this top-level field when the resource is first used.
    pub fn is_set_by_use(&self, field: &str) -> bool {
        self.field(field).is_some_and(|field| field.by_use)
    }

    /// Whether this top-level field names what the resource stands in.
    pub fn is_within(&self, field: &str) -> bool {
        self.field(field).is_some_and(|field| field.within)
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.shape().fields()?.get(name)
    }
}

impl std::ops::Deref for Registered {
    type Target = dyn AnyKind;

    fn deref(&self) -> &Self::Target {
        self.kind
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.name())
    }
}

struct Of<K>(PhantomData<fn() -> K>);

/// The registry's constructor: `of::<Service>()`.
pub const fn of<K: Kind>() -> &'static dyn AnyKind {
    &Of::<K>(PhantomData)
}

/// No kind ever sees a placeholder: a document with unknown text in it cannot be lowered.
fn typed<K: Kind>(spec: &Value) -> Result<K> {
    let wrong = |error| format!("a {} cannot be read back: {error}", K::NAME);
    let unknown = |output| format!("${{{output}}} of a {} is still unknown", K::NAME);
    let plain = spec.lower().map_err(|output| Error::new(Class::Other, unknown(output)))?;
    K::deserialize(plain).map_err(|error| Error::new(Class::Other, wrong(error)))
}

fn document<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).expect("declarations and outputs are JSON documents")
}

fn texts<T: Serialize>(outputs: &T) -> BTreeMap<String, String> {
    let Json::Object(map) = document(outputs) else { return BTreeMap::new() };
    map.into_iter().filter_map(|(name, text)| Some((name, text.as_str()?.to_owned()))).collect()
}

fn done<O: Serialize>(made: Made<O>) -> Done {
    Done { id: made.id, outputs: texts(&made.outputs), watch: made.watch }
}

impl<K: Kind> AnyKind for Of<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn about(&self) -> About {
        K::ABOUT
    }

    fn schema(&self) -> Json {
        schemars::schema_for!(K).to_value()
    }

    fn outputs(&self) -> Shape {
        Shape::of::<K::Outputs>()
    }

    fn parse(&self, spec: Json) -> Result<Json, Malformed> {
        // Keeping track of the way takes longer than reading: only what is wrong is worth it.
        let typed = K::deserialize(&spec).or_else(|_| serde_path_to_error::deserialize(&spec));
        typed.map(|typed: K| document(&typed)).map_err(|error| {
            let steps = error.path().iter().map(ToString::to_string);
            Malformed { path: Path::of(steps), message: error.inner().to_string() }
        })
    }

    fn check(&self, spec: &Json, check: &mut Check<'_>) {
        if let Ok(typed) = K::deserialize(spec) {
            typed.check(check);
        }
    }

    fn between(&self, was: &Value, spec: &Value) -> Option<Value> {
        K::between(was, spec)
    }

    fn deadline(&self, spec: &Value) -> Duration {
        K::deadline(spec)
    }

    fn observe<'a>(&'a self, aws: &'a Aws, sought: Sought<'a>) -> BoxFuture<'a, Result<Vec<Live>>> {
        Box::pin(async move {
            let found = K::observe(aws, &sought).await?;
            let live = found.into_iter().map(|observed| Live {
                kind: K::NAME.to_owned(),
                address: observed.tags.get(TAG_ID).and_then(|id| id.parse().ok()),
                id: observed.id,
                spec: Value::plain(document(&observed.live)),
                outputs: texts(&observed.outputs),
                tags: observed.tags,
                condition: observed.condition,
                earlier: observed
                    .earlier
                    .iter()
                    .map(|(id, spec)| (id.clone(), Value::plain(document(spec))))
                    .collect(),
            });
            Ok(live.collect())
        })
    }

    fn perform<'a>(
        &'a self,
        aws: &'a Aws,
        stack: &'a StackId,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let cx = Cx {
                aws,
                stack,
                address: &deed.address,
                id: deed.act.id(),
                tags: &deed.tags,
                token: &deed.token,
                beside: deed.act.beside(),
                watch: None,
            };
            match &deed.act {
                Act::Create { spec, .. } => typed::<K>(spec)?.create(&cx).await.map(done),
                Act::Update { id, was, spec, tags } => {
                    if !tags.is_empty() {
                        K::tag(&cx, tags).await?;
                    }
                    match spec {
                        Some(spec) => {
                            typed::<K>(spec)?.update(&typed::<K>(was)?, &cx).await.map(done)
                        }
                        None => Ok(Done { id: id.clone(), ..Done::default() }),
                    }
                }
                Act::Delete { id, was } => {
                    K::delete(&typed::<K>(was)?, &cx).await?;
                    Ok(Done { id: id.clone(), ..Done::default() })
                }
                Act::Settle { id, spec } => {
                    let watch = typed::<K>(spec)?.settle(&cx).await?;
                    Ok(Done { id: id.clone(), watch, ..Done::default() })
                }
            }
        })
    }

    fn ready<'a>(
        &'a self,
        aws: &'a Aws,
        stack: &'a StackId,
        deed: &'a Deed,
        done: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>> {
        Box::pin(async move {
            let cx = Cx {
                aws,
                stack,
                address: &deed.address,
                id: &done.id,
                tags: &deed.tags,
                token: &deed.token,
                beside: deed.act.beside(),
                watch: done.watch.as_deref(),
            };
            K::ready(&cx, deed.act.after()).await
        })
    }
}
