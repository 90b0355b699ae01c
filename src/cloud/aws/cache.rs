//! What never changes once it has been read, kept between runs: a hint for speed and never a truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value as Json;

/// Documents by ARN, in one file. Any trouble with the file means an empty cache.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    documents: BTreeMap<String, Json>,
    /// What somebody asked for or remembered in this process.
    used: BTreeSet<String>,
}

impl Cache {
    /// A cache that is gone with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The cache in `file`, which need not exist. Unreadable text is an empty cache.
    pub fn at(file: PathBuf) -> Self {
        let read = fs_err::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let known = Known { documents: read.unwrap_or_default(), used: BTreeSet::new() };
        Self { file: Some(file), known: Mutex::new(known) }
    }

    /// The document of `arn`, if it has been read before.
    pub fn get(&self, arn: &str) -> Option<Json> {
        let mut known = self.known.lock().expect("no holder panics");
        let found = known.documents.get(arn).cloned()?;
        known.used.insert(arn.to_owned());
        Some(found)
    }

    /// Remembers the document of `arn`.
    pub fn put(&self, arn: &str, document: Json) {
        let mut known = self.known.lock().expect("no holder panics");
        known.used.insert(arn.to_owned());
        known.documents.insert(arn.to_owned(), document);
    }

    /// Writes what was used since the start to the file, if there is one; the rest is forgotten.
    pub fn save(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut known = self.known.lock().expect("no holder panics");
        let Known { documents, used } = &mut *known;
        documents.retain(|arn, _| used.contains(arn));
        let text = serde_json::to_vec(documents)?;
        if fs_err::read(file).is_ok_and(|old| old == text) {
            return Ok(());
        }
        crate::store::write_state(file, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asks_for_any_more_is_forgotten() {
        let file = std::env::temp_dir().join(format!("ecsctl-cache-{}", std::process::id()));
        let cache = Cache::at(file.clone());
        cache.put("old", 1.into());
        cache.put("new", 2.into());
        cache.save().unwrap();
        let again = Cache::at(file.clone());
        assert_eq!(again.get("new"), Some(2.into()));
        again.save().unwrap();
        let third = Cache::at(file.clone());
        assert_eq!((third.get("old"), third.get("new")), (None, Some(2.into())));
        fs_err::remove_file(file).unwrap();
    }
}
