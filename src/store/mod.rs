//! Where journals, plans, caches and locks lie.

use std::io::{self, Write as _};
use std::path::Path;

pub mod local;

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
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(beside)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    drop(file);
    match written.and_then(|()| fs_err::rename(beside, path)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // The half-written file is of no use to anybody; the first error is the one to tell.
            drop(fs_err::remove_file(beside));
            Err(error)
        }
    }
}
