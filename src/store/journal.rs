//! The journal of a run: a file with a line an event, of which a copy lies where others can read it.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::run::event::Event;
use crate::run::journal::Journal;

/// So much room is there before a run begins: more than a step's events ever took.
const ROOM: usize = 4096;

/// What a run has written down.
#[derive(Debug)]
pub struct Recorded {
    /// Where.
    pub place: String,
    /// What happened.
    pub events: Vec<Event>,
    /// The first line that cannot be read, from 1; nothing behind it is known.
    pub damaged: Option<usize>,
}

impl Recorded {
    /// What stands in a journal, as far as it can be read.
    pub(super) fn read(place: String, text: &[u8]) -> Self {
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        // A run may have been cut at any byte; only lines that were ended must be whole.
        lines.pop();
        let read = lines.iter().map_while(|line| serde_json::from_slice(line).ok());
        let events: Vec<Event> = read.collect();
        let damaged = (events.len() < lines.len()).then_some(events.len() + 1);
        Self { place, events, damaged }
    }
}

/// A journal in a file: a line an event, on the disk before `record` returns.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
}

impl FileJournal {
    /// Begins the journal of a run of so many steps. There must be room for all of it: a disk that fills up
    /// half way would stop the run there.
    pub(super) fn begin(path: &Path, steps: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let mut options = fs_err::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let (file, path) = options.open(path)?.into_parts();
        let mut journal = Self { path, file };
        if let Err(error) = journal.reserve(steps) {
            drop(fs_err::remove_file(&journal.path));
            return Err(error);
        }
        Ok(journal)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn reserve(&mut self, steps: usize) -> io::Result<()> {
        let room = vec![0; ROOM];
        for _ in 0..=steps {
            self.file.write_all(&room)?;
        }
        self.file.sync_all()?;
        self.file.set_len(0)?;
        self.file.rewind()
    }
}

impl Journal for FileJournal {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}
