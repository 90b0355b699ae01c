//! The journal of a run: a file with a line an event, of which a copy lies where others can read it.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use super::private;
use crate::run::event::Event;
use crate::run::journal::Journal;

/// So much room a step's events have before a run begins; few take a quarter of it.
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
    file: File,
}

impl FileJournal {
    /// Begins the journal of a run of so many steps. There must be room for all of it: a disk that fills up
    /// half way would stop the run there.
    pub(super) fn begin(path: &Path, steps: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let mut file = private().create_new(true).open(path)?.into_parts().0;
        if let Err(error) = make_room(&mut file, steps) {
            drop(fs_err::remove_file(path));
            return Err(error);
        }
        Ok(Self { file })
    }
}

/// Fails unless there is room for the journal of so many steps. What others write meanwhile may still
/// take it.
fn make_room(file: &mut File, steps: usize) -> io::Result<()> {
    let room = vec![0; ROOM];
    for _ in 0..=steps {
        file.write_all(&room)?;
    }
    file.sync_all()?;
    file.set_len(0)?;
    file.rewind()
}

impl Journal for FileJournal {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}
