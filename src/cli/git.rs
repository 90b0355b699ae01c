//! Which commit a spec stands at, read from `.git` itself: nothing is run for it.

use std::path::{Path, PathBuf};

/// The commit that the spec's folder stands at.
pub(super) fn commit(spec: &Path) -> Option<String> {
    let folder = fs_err::canonicalize(std::path::absolute(spec).ok()?.parent()?).ok()?;
    // The first one counts, be it a file: above a submodule lies another repository, at another commit.
    let git = folder.ancestors().map(|at| at.join(".git")).find(|git| git.exists())?;
    let own = if git.is_dir() { git } else { pointed(&git, "gitdir: ")? };
    let head = read(&own.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else { return Some(head) };
    // A worktree has a HEAD of its own and shares the branches.
    let shared = pointed(&own.join("commondir"), "").unwrap_or_else(|| own.clone());
    let loose = [&own, &shared].into_iter().find_map(|at| read(&at.join(name)));
    loose.or_else(|| packed(&shared, name))
}

/// What a file that names a folder names. The name may be relative to the file's own folder.
fn pointed(file: &Path, before: &str) -> Option<PathBuf> {
    let text = read(file)?;
    Some(file.parent()?.join(text.strip_prefix(before)?))
}

/// A branch that has no file of its own.
fn packed(git: &Path, name: &str) -> Option<String> {
    let packed = read(&git.join("packed-refs"))?;
    let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(_, of)| *of == name).map(|(sha, _)| sha.to_owned())
}

fn read(file: &Path) -> Option<String> {
    Some(fs_err::read_to_string(file).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, gone when it is dropped.
    struct Tree(PathBuf);

    impl Tree {
        fn of(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = format!("ecsctl-git-{name}-{}", std::process::id());
            let tree = Self(std::env::temp_dir().join(folder));
            for (file, text) in files {
                let file = tree.0.join(file);
                fs_err::create_dir_all(file.parent().unwrap()).unwrap();
                crate::store::write_atomic(&file, text.as_bytes()).unwrap();
            }
            tree
        }

        fn commit(&self, spec: &str) -> Option<String> {
            commit(&self.0.join(spec))
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs_err::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_branch_is_looked_up_loose_and_packed() {
        let tree = Tree::of(
            "branch",
            &[
                (".git/HEAD", "ref: refs/heads/main\n"),
                (
                    ".git/packed-refs",
                    "# pack-refs with: peeled\naaa refs/heads/main\nbbb refs/heads/x\n",
                ),
                ("deep/ecsctl.toml", ""),
            ],
        );
        assert_eq!(tree.commit("deep/ecsctl.toml").as_deref(), Some("aaa"));
        crate::store::write_atomic(&tree.0.join(".git/HEAD"), b"ccc\n").unwrap();
        assert_eq!(tree.commit("deep/ecsctl.toml").as_deref(), Some("ccc"));
    }

    #[test]
    fn a_submodule_stands_at_its_own_commit() {
        let tree = Tree::of(
            "submodule",
            &[
                (".git/HEAD", "outer\n"),
                (".git/modules/sub/HEAD", "ref: refs/heads/main\n"),
                (".git/modules/sub/refs/heads/main", "inner\n"),
                ("sub/.git", "gitdir: ../.git/modules/sub\n"),
                ("sub/ecsctl.toml", ""),
                ("lost/.git", "gitdir: ../.git/modules/lost\n"),
                ("ecsctl.toml", ""),
            ],
        );
        assert_eq!(tree.commit("sub/ecsctl.toml").as_deref(), Some("inner"));
        assert_eq!(tree.commit("sub/../ecsctl.toml").as_deref(), Some("outer"));
        assert_eq!(tree.commit("lost/ecsctl.toml"), None, "never the commit of another repository");
    }

    #[test]
    fn a_worktree_shares_the_branches() {
        let tree = Tree::of(
            "worktree",
            &[
                ("main/.git/HEAD", "ref: refs/heads/main\n"),
                ("main/.git/refs/heads/main", "aaa\n"),
                ("main/.git/refs/heads/side", "bbb\n"),
                ("main/.git/packed-refs", "ccc refs/heads/other\n"),
                ("main/.git/worktrees/side/HEAD", "ref: refs/heads/side\n"),
                ("main/.git/worktrees/side/commondir", "../..\n"),
                ("side/.git", "gitdir: ../main/.git/worktrees/side\n"),
                ("side/ecsctl.toml", ""),
            ],
        );
        assert_eq!(tree.commit("side/ecsctl.toml").as_deref(), Some("bbb"));
        let head = tree.0.join("main/.git/worktrees/side/HEAD");
        crate::store::write_atomic(&head, b"ref: refs/heads/other\n").unwrap();
        assert_eq!(tree.commit("side/ecsctl.toml").as_deref(), Some("ccc"));
    }
}
