//! Where locks, journals and caches lie: in a folder of this machine, or, for several machines, in a place
//! that they share. Nothing in it is truth: it may be deleted whenever no run is under way.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::folder::Folder;
pub use self::journal::{FileJournal, Recorded};
pub use self::lease::{Claim, Lease, LockError, Lost, Right, Taken};
use self::objects::Result;
pub use self::objects::{Found, Objects, StoreError, Version, Written};
pub use self::record::{Held, Holder, Record};
use crate::kind::StackId;

mod folder;
mod journal;
mod lease;
mod objects;
mod record;
#[cfg(test)]
mod tests;

/// How long a lock lasts without being renewed, unless the spec says otherwise.
pub const TERM: Duration = Duration::from_secs(60);

/// What is kept of one stack and environment.
#[derive(Debug, Clone)]
pub struct Store {
    local: Folder,
    /// A place that machines share, for the lock and the journals that others read.
    shared: Option<Arc<dyn Objects>>,
    folder: String,
}

impl Store {
    /// What is kept in the folder `root` of this machine. Nothing is created before something is
    /// written.
    pub fn local(root: &Path, stack: &StackId) -> Self {
        let folder = format!("{}/{}", stack.stack, stack.env);
        Self { local: Folder::new(root), shared: None, folder }
    }

    /// The same, with locks and journals in a place that several machines share.
    #[must_use]
    pub fn sharing(self, place: Arc<dyn Objects>) -> Self {
        Self { shared: Some(place), ..self }
    }

    /// Where observations that never change are kept: on this machine.
    pub fn cache_file(&self) -> PathBuf {
        self.local.path(&format!("{}/cache.json", self.folder))
    }

    /// A lock to take.
    pub fn claim(&self, holder: Holder, term: Duration) -> Claim {
        let own = || Arc::new(self.local.clone()) as Arc<dyn Objects>;
        let objects = self.shared.clone().unwrap_or_else(own);
        Claim { objects, folder: self.folder.clone(), holder, term }
    }

    /// How the lock stands; `None` when nobody holds it.
    pub async fn held(&self) -> Result<Option<Held>> {
        lease::look(self.common(), &self.folder, TERM).await
    }

    /// Begins the journal of a run of so many steps: on this machine, because each event is written down
    /// before it takes effect.
    pub fn journal(&self, run: &str, steps: usize) -> io::Result<FileJournal> {
        FileJournal::begin(&self.local.path(&self.run(run)), steps)
    }

    /// Copies a journal, as far as it has come, to where others read it.
    pub async fn publish(&self, run: &str) -> Result<()> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let text = fs_err::read(self.local.path(&self.run(run)))?;
        shared.put(&self.run(run), text).await
    }

    /// The names of the recorded runs, oldest first.
    pub async fn runs(&self) -> Result<Vec<String>> {
        let start = format!("{}/{RUNS}/", self.folder);
        let keys = self.common().list(&start).await?;
        let name = |key: &String| Some(key.strip_prefix(&start)?.strip_suffix(JOURNAL)?.to_owned());
        Ok(keys.iter().filter_map(name).collect())
    }

    /// What a run has written down, as far as it can be read.
    pub async fn recorded(&self, run: &str) -> Result<Recorded> {
        let key = self.run(run);
        let text = self.common().get(&key).await?.map(|found| found.body).unwrap_or_default();
        let place = match self.shared {
            Some(_) => key,
            None => self.local.path(&key).display().to_string(),
        };
        Ok(Recorded::read(place, &text))
    }

    /// Where what others read lies.
    fn common(&self) -> &dyn Objects {
        self.shared.as_deref().unwrap_or(&self.local)
    }

    fn run(&self, run: &str) -> String {
        format!("{}/{RUNS}/{run}{JOURNAL}", self.folder)
    }
}

/// The folder of the journals.
const RUNS: &str = "runs";
/// What the names of journals end with.
const JOURNAL: &str = ".jsonl";

/// For a file that only its owner may read.
fn private() -> fs_err::OpenOptions {
    let mut options = fs_err::OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file of the state folder, which is made where it is not there yet.
pub fn write_state(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    write_atomic(path, text)
}

/// Writes a file so that a reader sees the old text or the new one and never a part: beside, synced,
/// renamed. Readable by its owner only. Its folder has to be there.
pub fn write_atomic(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut beside = tempfile::Builder::new()
        .prefix(".")
        .suffix(".new")
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    beside.write_all(text)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}
