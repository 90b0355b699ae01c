//! A folder as a place for objects.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::objects::{Found, Objects, Result, Version, Written};
use super::{private, write_state};

/// Whoever replaces an object holds the lock of this file meanwhile: for as long as it takes to write.
const GUARD: &str = "guard";

/// So many times it is tried, a moment apart.
const PATIENCE: u32 = 100;

/// Objects as files of a folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder `root`; nothing is created before something is written.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The file of an object.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn read(&self, key: &str) -> io::Result<Option<Found>> {
        let mut file = match fs_err::File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut body = Vec::new();
        file.read_to_end(&mut body)?;
        let modified = file.metadata()?.modified()?;
        let version = version(&body);
        // A clock that was set back makes nothing older.
        Ok(Some(Found { body, version, age: modified.elapsed().unwrap_or_default() }))
    }

    /// `None` while another process writes.
    fn try_replace(
        &self,
        key: &str,
        since: Option<&Version>,
        body: &[u8],
    ) -> io::Result<Option<Written>> {
        let path = self.path(key);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let guard = lockable(&path.with_extension(GUARD))?;
        match guard.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let found = self.read(key)?.map(|found| found.version);
        if found.as_ref() != since {
            return Ok(Some(Written::Overtaken));
        }
        write_state(&path, body)?;
        Ok(Some(Written::Done(version(body))))
    }

    fn keys(&self, prefix: &str) -> io::Result<Vec<String>> {
        let (folder, start) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let entries = match fs_err::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            keys.extend(name.starts_with(start).then(|| format!("{folder}/{name}")));
        }
        keys.sort();
        Ok(keys)
    }
}

impl Objects for Folder {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Found>>> {
        Box::pin(async move { Ok(self.read(key)?) })
    }

    fn put<'a>(&'a self, key: &'a str, body: Vec<u8>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(write_state(&self.path(key), &body)?) })
    }

    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a Version>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async move {
            // Another process holds the guard for as long as it takes to write, unless it stands still.
            for _ in 0..PATIENCE {
                match self.try_replace(key, version, &body)? {
                    Some(written) => return Ok(written),
                    None => pause().await,
                }
            }
            Err(io::Error::other("another process writes the lock, and does not come to an end")
                .into())
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move { Ok(self.keys(prefix)?) })
    }

    /// A file with the operating system's lock on it. `None` where the file system has no locks.
    fn vouch(&self, key: &str) -> Option<File> {
        let path = self.path(key);
        fs_err::create_dir_all(path.parent()?).ok()?;
        let file = lockable(&path).ok()?;
        if file.lock().is_err() {
            self.unvouch(key);
            return None;
        }
        Some(file)
    }

    fn unvouch(&self, key: &str) {
        // Left behind, it says that its owner is dead, and that is no harm.
        drop(fs_err::remove_file(self.path(key)));
    }

    fn is_dead(&self, key: &str) -> bool {
        let Ok(file) = File::open(self.path(key)) else { return false };
        file.try_lock().is_ok()
    }
}

fn version(body: &[u8]) -> Version {
    let digest = Sha256::digest(body);
    Version(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Opens a file to lock it, and makes it where it is not there.
fn lockable(path: &Path) -> io::Result<File> {
    Ok(private().create(true).truncate(false).open(path)?.into_parts().0)
}

async fn pause() {
    #[expect(clippy::disallowed_methods, reason = "another process is about to be done")]
    tokio::time::sleep(Duration::from_millis(20)).await;
}
