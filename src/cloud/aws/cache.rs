//! What never changes once it has been read, kept between runs: a hint for speed and never a truth.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value as Json;

/// Documents by ARN, in one file. Any trouble with the file means an empty cache.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    documents: Mutex<BTreeMap<String, Json>>,
}

impl Cache {
    /// A cache that is gone with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The cache in `file`, which need not exist. Unreadable text is an empty cache.
    pub fn at(file: PathBuf) -> Self {
        let read = fs_err::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file: Some(file), documents: Mutex::new(read.unwrap_or_default()) }
    }

    /// The document of `arn`, if it has been read before.
    pub fn get(&self, arn: &str) -> Option<Json> {
        self.documents.lock().expect("no holder panics").get(arn).cloned()
    }

    /// Remembers the document of `arn`.
    pub fn put(&self, arn: &str, document: Json) {
        self.documents.lock().expect("no holder panics").insert(arn.to_owned(), document);
    }

    /// Writes the cache to its file, if it has one, keeping only the entries in `keep`.
    pub fn save(&self, keep: impl Fn(&str) -> bool) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut documents = self.documents.lock().expect("no holder panics");
        documents.retain(|arn, _| keep(arn));
        let text = serde_json::to_vec(&*documents)?;
        if fs_err::read(file).is_ok_and(|old| old == text) {
            return Ok(());
        }
        crate::store::write_state(file, &text)
    }
}
