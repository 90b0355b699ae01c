//! The door to files: the loader asks for texts and for the names in a folder, and for nothing else.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where texts come from.
pub trait Files {
    /// The text of a file.
    fn read(&self, file: &Path) -> io::Result<String>;
    /// The names in a folder, files and folders, in any order. The empty path is the current folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, file: &Path) -> io::Result<String> {
        fs_err::read_to_string(file)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let here = Path::new(".");
        let folder = if folder.as_os_str().is_empty() { here } else { folder };
        fs_err::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

/// Texts by path: for tests, and for a spec that is not in a file.
impl Files for BTreeMap<PathBuf, String> {
    fn read(&self, file: &Path) -> io::Result<String> {
        let text = self.get(file).cloned();
        text.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let inside = self.keys().filter_map(|path| path.strip_prefix(folder).ok());
        let names = inside.filter_map(|rest| rest.components().next());
        Ok(names.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect())
    }
}

/// The files that a pattern means, sorted: `*` in any step stands for any characters.
pub(crate) fn matching(files: &dyn Files, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut wild = false;
    for step in pattern.components() {
        let step = step.as_os_str().to_string_lossy();
        // Below a star only what is there counts; a plain name is missed when it is read.
        wild |= step.contains('*');
        if wild {
            found = found.iter().flat_map(|folder| entries(files, folder, &step)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(&*step));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn entries(files: &dyn Files, folder: &Path, pattern: &str) -> Vec<PathBuf> {
    // A folder that is not there holds nothing: that nothing matched is said by the caller.
    let names = files.list(folder).unwrap_or_default();
    names.iter().filter(|name| fits(pattern, name)).map(|name| folder.join(name)).collect()
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| fits(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_in_any_step() {
        let files: BTreeMap<PathBuf, String> = ["a/x.toml", "a/y.txt", "b/x.toml", "c.toml"]
            .map(|path| (PathBuf::from(path), String::new()))
            .into();
        let found = |pattern: &str| matching(&files, Path::new(pattern));
        assert_eq!(found("*/x.toml"), [Path::new("a/x.toml"), Path::new("b/x.toml")]);
        assert_eq!(found("a/*"), [Path::new("a/x.toml"), Path::new("a/y.txt")]);
        assert_eq!(found("*.toml"), [Path::new("c.toml")]);
        assert_eq!(found("d.toml"), [Path::new("d.toml")]);
        assert!(found("z/*.toml").is_empty());
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(fits("a*b*c", "a--b--c") && fits("*", "") && fits("é*", "éé"));
        assert!(!fits("a*b", "a--c") && !fits("ab", "a"));
    }
}
