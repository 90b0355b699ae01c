//! The documentation is true: its transcripts are run, on the simulator, and their output compared.
//!
//! In a document, a fence ` ```toml ecsctl.toml ` is a file that is there from then on; a fence
//! ` ```console ` is a transcript: a line `$ command` is run by the shell, the lines behind it are all
//! that the command says. In these, `[..]` stands for any text within a line, a line `...` for any
//! lines. All fences of a document share a folder and an account. What is not to be run has another
//! language, such as `sh`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ecsctl::kinds;
use ecsctl::report::reference;

use crate::harness::Session;

#[test]
fn the_transcripts_of_the_readme_are_true() {
    check("README.md");
}

#[test]
fn the_transcripts_of_the_tour_are_true() {
    check("docs/tour.md");
}

/// A page a kind, as `ecsctl explain` shows it, with all of its tables; and a list of them.
#[expect(clippy::disallowed_methods, reason = "pages are written anew as snapshots are")]
#[test]
fn the_pages_of_the_kinds_are_those_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds");
    let mut pages: BTreeMap<String, String> = kinds::all()
        .iter()
        .map(|kind| (format!("{}.md", kind.name()), reference::whole_page(kind)))
        .collect();
    pages.insert("README.md".to_owned(), reference::kinds_page());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs_err::create_dir_all(&folder).expect("a folder");
        for (name, page) in &pages {
            fs_err::write(folder.join(name), page).expect("a page");
        }
    }
    let mut found = BTreeMap::new();
    for entry in fs_err::read_dir(&folder).expect("the pages") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        found.insert(name, fs_err::read_to_string(entry.path()).expect("a page"));
    }
    let differ = |name: &&String| pages.get(*name) != found.get(*name);
    let stale: BTreeSet<&String> = pages.keys().chain(found.keys()).filter(differ).collect();
    assert!(stale.is_empty(), "write docs/kinds anew with INSTA_UPDATE=always: {stale:?}");
}

/// Each promise names tests that are there; each number in the sources is that of a promise.
#[test]
fn the_promises_are_proven() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promises = fs_err::read_to_string(root.join("docs/promises.md")).expect("the promises");
    let sources: String =
        ["src", "tests/it"].iter().map(|folder| sources(&root.join(folder))).collect();
    let mut promised = BTreeSet::new();
    for row in promises.lines().filter(|line| line.starts_with("| B") || line.starts_with("| N")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        promised.insert(cells[1]);
        let tests: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            let there = format!("fn {test}(");
            assert!(sources.contains(&there), "{}: there is no test `{test}`", cells[1]);
        }
    }
    for line in sources.lines().filter(|line| line.trim_start().starts_with("//")) {
        for word in line.split(|c: char| !c.is_ascii_alphanumeric()) {
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let number = word.strip_prefix(['B', 'N']);
            if number.is_some_and(is_number) {
                assert!(promised.contains(word), "{word} is no promise: {line}");
            }
        }
    }
}

/// All Rust text below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs_err::read_dir(folder).expect("a folder of the project");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let text = |path: &PathBuf| match path.is_dir() {
        true => sources(path),
        false if path.extension().is_some_and(|it| it == "rs") => {
            fs_err::read_to_string(path).expect("a source")
        }
        false => String::new(),
    };
    paths.iter().map(text).collect()
}

/// A piece of a document that counts.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// A file, and its text.
    File(&'a str, String),
    /// A command, and what it is to say.
    Command(&'a str, Vec<&'a str>),
}

fn check(document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs_err::read_to_string(path).expect("the document");
    let pieces = pieces(&text);
    let commands = pieces.iter().filter(|piece| matches!(piece, Piece::Command(..))).count();
    assert!(commands > 0, "{document} has no transcript");
    let session = Session::new();
    link(&session);
    let mut code = 0;
    for piece in pieces {
        match piece {
            Piece::File(name, text) => session.write(name, &text),
            Piece::Command(command, expected) => {
                let (said, ended) = run(&session, command, code);
                code = ended;
                let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
                assert!(
                    matches(&expected, &lines),
                    "{document}: `{command}` says something else (exit code {code}):\n{said}\n\
                     --- the document says\n{}",
                    expected.join("\n")
                );
            }
        }
    }
}

/// Puts `bin/ecsctl` into the folder: the binary, for the shell to find.
fn link(session: &Session) {
    let bin = session.folder.join("bin");
    fs_err::create_dir_all(&bin).expect("a folder");
    let link = fs_err::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ecsctl"), bin.join("ecsctl"));
    link.expect("a link");
}

/// Runs a command line after one that ended with `before`; what it says on both streams, in its order,
/// and the exit code.
fn run(session: &Session, line: &str, before: i32) -> (String, i32) {
    let transcript = session.folder.join(".transcript");
    let file = fs_err::File::create(&transcript).expect("a file");
    let (out, err) = (file.file().try_clone().expect("a handle"), file.into_file());
    let bin = session.folder.join("bin");
    // What waits for something in a loop must not wait for ever.
    let status = Command::new("timeout")
        .args(["120", "sh", "-c", &format!("(exit {before}); {line}")])
        .current_dir(&session.folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("HOME", &session.folder)
        .env("ECSCTL_CLOUD", "sim")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .status()
        .expect("a shell");
    let said = fs_err::read_to_string(&transcript).expect("text");
    fs_err::remove_file(&transcript).expect("a file that was made");
    (said, status.code().unwrap_or(-1))
}

/// The files and commands of a document, in its order.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language.split_once(' ').unwrap_or((language, "")) {
            ("console", _) => found.extend(transcript(&body)),
            (_, "") => {}
            (_, name) => found.push(Piece::File(name, format!("{}\n", body.join("\n")))),
        }
    }
    found
}

fn transcript<'a>(body: &[&'a str]) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    for line in body {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push(Piece::Command(command, Vec::new())),
            (None, Some(Piece::Command(_, expected))) => expected.push(line.trim_end()),
            (None, _) => panic!("a transcript begins with {line:?} and not with a command"),
        }
    }
    // An empty line before the next command or the end is there for the reader's eye.
    for piece in &mut found {
        let Piece::Command(_, expected) = piece else { continue };
        while expected.last().is_some_and(|line| line.is_empty()) {
            expected.pop();
        }
    }
    found
}

/// Whether the lines that were said are those that are expected; trailing empty lines do not count.
fn matches(expected: &[&str], said: &[&str]) -> bool {
    match (expected, said) {
        (["...", rest @ ..], _) => (0..=said.len()).any(|skip| matches(rest, &said[skip..])),
        ([], _) => said.iter().all(|line| line.is_empty()),
        ([first, rest @ ..], [line, others @ ..]) => fits(first, line) && matches(rest, others),
        (_, []) => false,
    }
}

/// Whether a line is as expected, with `[..]` for any text.
fn fits(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            line.char_indices()
                .map(|(at, _)| at)
                .chain([line.len()])
                .any(|at| fits(rest, &line[at..]))
        }),
    }
}

#[test]
fn the_reader_of_documents_finds_files_and_commands() {
    let text = "\
Write:

```toml ecsctl.toml
ecsctl = 1
```

```sh
curl nothing
```

```console
$ ecsctl plan
+ vpc [..]
...
30 to create

$ echo $?
2
```
";
    let expected = [
        Piece::File("ecsctl.toml", "ecsctl = 1\n".to_owned()),
        Piece::Command("ecsctl plan", vec!["+ vpc [..]", "...", "30 to create"]),
        Piece::Command("echo $?", vec!["2"]),
    ];
    assert_eq!(pieces(text), expected);
}

#[test]
fn wildcards_stand_for_text_and_for_lines() {
    assert!(fits("took [..] ms", "took 12 ms") && !fits("took [..] ms", "took 12 s"));
    assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d", ""]));
    assert!(!matches(&["a", "d"], &["a", "b", "d"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(matches(&["...", "b"], &["b"]));
}
