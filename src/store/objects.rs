//! What a place must be able to do so that several runs, on several machines, may share it: keep small
//! objects, and replace one only if nobody else has done so since.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::kind::Error;

/// What tells one writing of an object from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// An object as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says.
    pub body: Vec<u8>,
    /// Which writing of it this is.
    pub version: Version,
    /// How long ago it was written, by the place's own clock.
    pub age: Duration,
}

/// What came of replacing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Done(Version),
    /// It has another version by now: nothing is written.
    Overtaken,
}

/// Why a place does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A folder cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// AWS says no.
    #[error(transparent)]
    Cloud(#[from] Error),
}

/// A result of a place.
pub(super) type Result<T> = std::result::Result<T, StoreError>;

/// A place. Keys are paths such as `shop/prod/lock.json`.
pub trait Objects: Debug + Send + Sync {
    /// The object, if there is one.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Found>>>;

    /// Writes the object, whatever there was.
    fn put<'a>(&'a self, key: &'a str, body: Vec<u8>) -> BoxFuture<'a, Result<()>>;

    /// Writes the object if it still has this version; with `None`, if there is none. Of several that
    /// try at once, one succeeds.
    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a Version>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Written>>;

    /// The keys that begin with `prefix`, sorted.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>>>;

    /// Something under this key that the operating system takes back when this process dies, where
    /// the place is this machine's own.
    fn vouch(&self, _key: &str) -> Option<File> {
        None
    }

    /// Removes what was vouched with under this key.
    fn unvouch(&self, _key: &str) {}

    /// Whether the process that vouched under this key is known to be dead. What it vouched with stays.
    fn is_dead(&self, _key: &str) -> bool {
        false
    }
}
