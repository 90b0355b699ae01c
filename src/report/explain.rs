//! The pages of docs/errors, in the binary.

/// Code and page, sorted.
const PAGES: &[(&str, &str)] = &[
    ("E0221", include_str!("../../docs/errors/E0221.md")),
    ("E0222", include_str!("../../docs/errors/E0222.md")),
    ("E0223", include_str!("../../docs/errors/E0223.md")),
    ("E0224", include_str!("../../docs/errors/E0224.md")),
    ("E0225", include_str!("../../docs/errors/E0225.md")),
    ("E0226", include_str!("../../docs/errors/E0226.md")),
    ("E0227", include_str!("../../docs/errors/E0227.md")),
    ("E0228", include_str!("../../docs/errors/E0228.md")),
    ("E0230", include_str!("../../docs/errors/E0230.md")),
    ("E0231", include_str!("../../docs/errors/E0231.md")),
    ("E0232", include_str!("../../docs/errors/E0232.md")),
    ("E0233", include_str!("../../docs/errors/E0233.md")),
    ("E0234", include_str!("../../docs/errors/E0234.md")),
    ("E0235", include_str!("../../docs/errors/E0235.md")),
    ("E0236", include_str!("../../docs/errors/E0236.md")),
    ("E0237", include_str!("../../docs/errors/E0237.md")),
    ("E0238", include_str!("../../docs/errors/E0238.md")),
    ("E0239", include_str!("../../docs/errors/E0239.md")),
];

/// The page of an error.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}

/// All codes with the first line of their page.
pub fn list() -> String {
    let title =
        |page: &'static str| page.lines().next().unwrap_or_default().trim_start_matches('#');
    let line = |(code, page): &(&str, &'static str)| match title(page).trim() {
        title if title.starts_with(code) => format!("{title}\n"),
        title => format!("{code}  {title}\n"),
    };
    PAGES.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs_err::read_to_string(path).unwrap());
            }
        }
    }

    /// Every `"E0123"` in the sources.
    fn codes() -> BTreeSet<String> {
        let mut texts = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        let mut found = BTreeSet::new();
        for text in &texts {
            for (at, _) in text.match_indices("\"E0") {
                let code = text.get(at + 1..at + 6).filter(|_| text[at + 6..].starts_with('"'));
                found.extend(code.filter(|code| code[1..].bytes().all(|b| b.is_ascii_digit())));
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_code_has_its_page() {
        let known: BTreeSet<String> = PAGES.iter().map(|(code, _)| (*code).to_owned()).collect();
        let missing: Vec<String> = codes().difference(&known).cloned().collect();
        assert!(missing.is_empty(), "codes without a page: {missing:?}");
    }

    #[test]
    fn every_page_is_listed_in_order_and_short() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
        let mut files: Vec<String> = fs_err::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let listed: Vec<&str> = PAGES.iter().map(|(code, _)| *code).collect();
        assert_eq!(files, listed);
        for (code, page) in PAGES {
            assert!(page.lines().count() <= 25 && page.contains(code), "{code}");
        }
    }
}
