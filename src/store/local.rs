//! The store in a folder: `state/<stack>/<env>/`. Nothing in it is truth: it may be deleted whenever
//! no run is under way.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::kind::StackId;
use crate::run::event::Event;
use crate::run::journal::Journal;

/// The folder of one stack and environment.
#[derive(Debug, Clone)]
pub struct Local {
    folder: PathBuf,
}

/// Who holds the lock, for those who find it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Holder {
    /// The format of this text.
    pub format: u32,
    /// The run's name.
    pub run: String,
    /// The user and the machine.
    pub owner: String,
    /// The process.
    pub process: u32,
    /// Since when, RFC 3339.
    pub since: String,
    /// What it does: `apply` or `destroy`.
    pub purpose: String,
}

/// The right to change the stack, for as long as this lives. The operating system gives it back when
/// the process dies, however it dies: it cannot stick (B37).
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What a run has written down.
#[derive(Debug)]
pub struct Recorded {
    /// Where.
    pub file: PathBuf,
    /// What happened.
    pub events: Vec<Event>,
    /// The first line that cannot be read, from 1; nothing behind it is known.
    pub damaged: Option<usize>,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("another run holds the lock")]
    Held(Option<Box<Holder>>),
    /// The folder cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Local {
    /// The folder of `stack` under `root`. Nothing is created before something is written.
    pub fn new(root: &Path, stack: &StackId) -> Self {
        Self { folder: root.join(&stack.stack).join(&stack.env) }
    }

    /// Where observations that never change are kept.
    pub fn cache_file(&self) -> PathBuf {
        self.folder.join("cache.json")
    }

    /// Takes the lock, or says who has it.
    pub fn lock(&self, holder: &Holder) -> Result<Lock, LockError> {
        fs_err::create_dir_all(&self.folder)?;
        let path = self.folder.join("lock");
        let mut file =
            open_private(&path, fs_err::OpenOptions::new().create(true).truncate(false))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = fs_err::read(&path).unwrap_or_default();
                return Err(LockError::Held(serde_json::from_slice(&text).ok()));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec_pretty(holder).map_err(io::Error::other)?)?;
        file.sync_all()?;
        Ok(Lock { _file: file })
    }

    /// Opens the journal of a new run.
    pub fn journal(&self, run: &str) -> io::Result<FileJournal> {
        let folder = self.folder.join("runs");
        fs_err::create_dir_all(&folder)?;
        let path = folder.join(format!("{run}.jsonl"));
        let file = open_private(&path, fs_err::OpenOptions::new().create_new(true))?;
        Ok(FileJournal { file })
    }

    /// The names of the recorded runs, oldest first.
    pub fn runs(&self) -> io::Result<Vec<String>> {
        let folder = self.folder.join("runs");
        let entries = match fs_err::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".jsonl").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// What a run has written down, as far as it can be read.
    pub fn recorded(&self, run: &str) -> io::Result<Recorded> {
        let file = self.folder.join("runs").join(format!("{run}.jsonl"));
        let text = fs_err::read(&file)?;
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        // A run may have been cut at any byte; only lines that were ended must be whole.
        lines.pop();
        let read = lines.iter().map_while(|line| serde_json::from_slice(line).ok());
        let events: Vec<Event> = read.collect();
        let damaged = (events.len() < lines.len()).then_some(events.len() + 1);
        Ok(Recorded { file, events, damaged })
    }
}

fn open_private(path: &Path, options: &mut fs_err::OpenOptions) -> io::Result<File> {
    options.read(true).write(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    Ok(options.open(path)?.into_parts().0)
}

/// A journal in a file: a line an event, on the disk before `record` returns.
#[derive(Debug)]
pub struct FileJournal {
    file: File,
}

impl Journal for FileJournal {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str) -> Holder {
        let text = str::to_owned;
        Holder {
            format: 1,
            run: run.into(),
            owner: text("somebody@here"),
            process: 1,
            since: text("2026-01-01T00:00:00Z"),
            purpose: text("apply"),
        }
    }

    fn local(name: &str) -> Local {
        let root = std::env::temp_dir().join(format!("ecsctl-{name}-{}", std::process::id()));
        let _ = fs_err::remove_dir_all(&root);
        let (stack, env) = ("shop".into(), "dev".into());
        Local::new(&root, &StackId { stack, env, region: "us-east-1".into() })
    }

    #[test]
    fn one_holds_the_lock_and_the_other_hears_who() {
        let local = local("lock");
        let held = local.lock(&holder("first")).unwrap();
        match local.lock(&holder("second")) {
            Err(LockError::Held(Some(other))) => assert_eq!(other.run, "first"),
            other => panic!("not held: {other:?}"),
        }
        drop(held);
        local.lock(&holder("third")).unwrap();
    }

    /// B38: a journal that was cut, or that a newer version has written, is read as far as it goes.
    #[test]
    fn a_cut_journal_is_read_as_far_as_it_goes() {
        let local = local("journal");
        let mut journal = local.journal("one").unwrap();
        journal.record(&Event::Interrupted).unwrap();
        journal
            .file
            .write_all(b"{\"event\":\"from-the-future\",\"x\":1}\n{\"event\":\"inter")
            .unwrap();
        let read = local.recorded("one").unwrap();
        assert!(matches!(read.events.as_slice(), [Event::Interrupted, Event::Unknown]), "{read:?}");
        assert_eq!(read.damaged, None);
        journal.file.write_all(b"\n{\"event\":\"interrupted\"}\n").unwrap();
        let read = local.recorded("one").unwrap();
        assert_eq!((read.events.len(), read.damaged), (2, Some(3)));
        assert_eq!(local.runs().unwrap(), ["one"]);
    }
}
