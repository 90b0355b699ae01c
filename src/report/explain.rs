//! The pages of docs/errors, in the binary.

/// Code and page, sorted.
const PAGES: &[(&str, &str)] = &[
    ("E0101", include_str!("../../docs/errors/E0101.md")),
    ("E0102", include_str!("../../docs/errors/E0102.md")),
    ("E0103", include_str!("../../docs/errors/E0103.md")),
    ("E0104", include_str!("../../docs/errors/E0104.md")),
    ("E0105", include_str!("../../docs/errors/E0105.md")),
    ("E0106", include_str!("../../docs/errors/E0106.md")),
    ("E0107", include_str!("../../docs/errors/E0107.md")),
    ("E0108", include_str!("../../docs/errors/E0108.md")),
    ("E0109", include_str!("../../docs/errors/E0109.md")),
    ("E0110", include_str!("../../docs/errors/E0110.md")),
    ("E0111", include_str!("../../docs/errors/E0111.md")),
    ("E0112", include_str!("../../docs/errors/E0112.md")),
    ("E0113", include_str!("../../docs/errors/E0113.md")),
    ("E0114", include_str!("../../docs/errors/E0114.md")),
    ("E0115", include_str!("../../docs/errors/E0115.md")),
    ("E0116", include_str!("../../docs/errors/E0116.md")),
    ("E0117", include_str!("../../docs/errors/E0117.md")),
    ("E0118", include_str!("../../docs/errors/E0118.md")),
    ("E0119", include_str!("../../docs/errors/E0119.md")),
    ("E0120", include_str!("../../docs/errors/E0120.md")),
    ("E0121", include_str!("../../docs/errors/E0121.md")),
    ("E0122", include_str!("../../docs/errors/E0122.md")),
    ("E0123", include_str!("../../docs/errors/E0123.md")),
    ("E0124", include_str!("../../docs/errors/E0124.md")),
    ("E0125", include_str!("../../docs/errors/E0125.md")),
    ("E0201", include_str!("../../docs/errors/E0201.md")),
    ("E0202", include_str!("../../docs/errors/E0202.md")),
    ("E0203", include_str!("../../docs/errors/E0203.md")),
    ("E0204", include_str!("../../docs/errors/E0204.md")),
    ("E0205", include_str!("../../docs/errors/E0205.md")),
    ("E0206", include_str!("../../docs/errors/E0206.md")),
    ("E0207", include_str!("../../docs/errors/E0207.md")),
    ("E0210", include_str!("../../docs/errors/E0210.md")),
    ("E0211", include_str!("../../docs/errors/E0211.md")),
    ("E0212", include_str!("../../docs/errors/E0212.md")),
    ("E0213", include_str!("../../docs/errors/E0213.md")),
    ("E0220", include_str!("../../docs/errors/E0220.md")),
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
    ("E0240", include_str!("../../docs/errors/E0240.md")),
    ("E0241", include_str!("../../docs/errors/E0241.md")),
    ("E0242", include_str!("../../docs/errors/E0242.md")),
    ("E0243", include_str!("../../docs/errors/E0243.md")),
    ("E0244", include_str!("../../docs/errors/E0244.md")),
    ("E0245", include_str!("../../docs/errors/E0245.md")),
    ("E0246", include_str!("../../docs/errors/E0246.md")),
    ("E0247", include_str!("../../docs/errors/E0247.md")),
    ("E0248", include_str!("../../docs/errors/E0248.md")),
    ("E0249", include_str!("../../docs/errors/E0249.md")),
    ("E0250", include_str!("../../docs/errors/E0250.md")),
    ("E0251", include_str!("../../docs/errors/E0251.md")),
    ("E0252", include_str!("../../docs/errors/E0252.md")),
    ("E0253", include_str!("../../docs/errors/E0253.md")),
    ("E0254", include_str!("../../docs/errors/E0254.md")),
    ("E0255", include_str!("../../docs/errors/E0255.md")),
    ("E0256", include_str!("../../docs/errors/E0256.md")),
    ("E0257", include_str!("../../docs/errors/E0257.md")),
    ("E0258", include_str!("../../docs/errors/E0258.md")),
    ("E0259", include_str!("../../docs/errors/E0259.md")),
    ("E0260", include_str!("../../docs/errors/E0260.md")),
    ("E0261", include_str!("../../docs/errors/E0261.md")),
    ("E0262", include_str!("../../docs/errors/E0262.md")),
    ("E0263", include_str!("../../docs/errors/E0263.md")),
    ("E0264", include_str!("../../docs/errors/E0264.md")),
    ("E0265", include_str!("../../docs/errors/E0265.md")),
    ("E0266", include_str!("../../docs/errors/E0266.md")),
    ("E0267", include_str!("../../docs/errors/E0267.md")),
    ("E0268", include_str!("../../docs/errors/E0268.md")),
    ("E0270", include_str!("../../docs/errors/E0270.md")),
    ("E0271", include_str!("../../docs/errors/E0271.md")),
    ("E0272", include_str!("../../docs/errors/E0272.md")),
    ("E0273", include_str!("../../docs/errors/E0273.md")),
    ("E0274", include_str!("../../docs/errors/E0274.md")),
    ("E0275", include_str!("../../docs/errors/E0275.md")),
    ("E0276", include_str!("../../docs/errors/E0276.md")),
    ("E0277", include_str!("../../docs/errors/E0277.md")),
    ("E0280", include_str!("../../docs/errors/E0280.md")),
    ("E0281", include_str!("../../docs/errors/E0281.md")),
    ("E0282", include_str!("../../docs/errors/E0282.md")),
    ("E0283", include_str!("../../docs/errors/E0283.md")),
    ("E0284", include_str!("../../docs/errors/E0284.md")),
    ("E0285", include_str!("../../docs/errors/E0285.md")),
    ("E0286", include_str!("../../docs/errors/E0286.md")),
    ("E0287", include_str!("../../docs/errors/E0287.md")),
    ("E0288", include_str!("../../docs/errors/E0288.md")),
    ("E0290", include_str!("../../docs/errors/E0290.md")),
    ("E0291", include_str!("../../docs/errors/E0291.md")),
    ("E0292", include_str!("../../docs/errors/E0292.md")),
    ("E0295", include_str!("../../docs/errors/E0295.md")),
    ("E0296", include_str!("../../docs/errors/E0296.md")),
    ("E0297", include_str!("../../docs/errors/E0297.md")),
    ("E0298", include_str!("../../docs/errors/E0298.md")),
    ("E0301", include_str!("../../docs/errors/E0301.md")),
    ("E0302", include_str!("../../docs/errors/E0302.md")),
    ("E0303", include_str!("../../docs/errors/E0303.md")),
    ("E0304", include_str!("../../docs/errors/E0304.md")),
    ("E0305", include_str!("../../docs/errors/E0305.md")),
    ("E0306", include_str!("../../docs/errors/E0306.md")),
    ("E0307", include_str!("../../docs/errors/E0307.md")),
    ("E0308", include_str!("../../docs/errors/E0308.md")),
    ("E0309", include_str!("../../docs/errors/E0309.md")),
    ("E0310", include_str!("../../docs/errors/E0310.md")),
    ("E0311", include_str!("../../docs/errors/E0311.md")),
    ("E0312", include_str!("../../docs/errors/E0312.md")),
    ("E0313", include_str!("../../docs/errors/E0313.md")),
    ("E0314", include_str!("../../docs/errors/E0314.md")),
    ("E0316", include_str!("../../docs/errors/E0316.md")),
    ("E0317", include_str!("../../docs/errors/E0317.md")),
    ("E0318", include_str!("../../docs/errors/E0318.md")),
    ("E0320", include_str!("../../docs/errors/E0320.md")),
    ("E0321", include_str!("../../docs/errors/E0321.md")),
    ("E0322", include_str!("../../docs/errors/E0322.md")),
    ("E0323", include_str!("../../docs/errors/E0323.md")),
    ("E0330", include_str!("../../docs/errors/E0330.md")),
    ("E0331", include_str!("../../docs/errors/E0331.md")),
    ("E0332", include_str!("../../docs/errors/E0332.md")),
    ("E0333", include_str!("../../docs/errors/E0333.md")),
    ("E0340", include_str!("../../docs/errors/E0340.md")),
    ("E0341", include_str!("../../docs/errors/E0341.md")),
    ("E0342", include_str!("../../docs/errors/E0342.md")),
    ("E0343", include_str!("../../docs/errors/E0343.md")),
    ("E0350", include_str!("../../docs/errors/E0350.md")),
    ("E0351", include_str!("../../docs/errors/E0351.md")),
    ("E0352", include_str!("../../docs/errors/E0352.md")),
    ("E0353", include_str!("../../docs/errors/E0353.md")),
    ("E0354", include_str!("../../docs/errors/E0354.md")),
    ("E0355", include_str!("../../docs/errors/E0355.md")),
    ("E0356", include_str!("../../docs/errors/E0356.md")),
    ("E0357", include_str!("../../docs/errors/E0357.md")),
    ("E0358", include_str!("../../docs/errors/E0358.md")),
    ("E0359", include_str!("../../docs/errors/E0359.md")),
    ("E0360", include_str!("../../docs/errors/E0360.md")),
    ("E0361", include_str!("../../docs/errors/E0361.md")),
    ("E0362", include_str!("../../docs/errors/E0362.md")),
    ("E0363", include_str!("../../docs/errors/E0363.md")),
    ("E0370", include_str!("../../docs/errors/E0370.md")),
    ("E0371", include_str!("../../docs/errors/E0371.md")),
    ("E0372", include_str!("../../docs/errors/E0372.md")),
    ("E0373", include_str!("../../docs/errors/E0373.md")),
    ("E0374", include_str!("../../docs/errors/E0374.md")),
    ("E0375", include_str!("../../docs/errors/E0375.md")),
    ("E0376", include_str!("../../docs/errors/E0376.md")),
    ("E0377", include_str!("../../docs/errors/E0377.md")),
    ("E0378", include_str!("../../docs/errors/E0378.md")),
    ("E0380", include_str!("../../docs/errors/E0380.md")),
    ("E0381", include_str!("../../docs/errors/E0381.md")),
    ("E0382", include_str!("../../docs/errors/E0382.md")),
    ("E0383", include_str!("../../docs/errors/E0383.md")),
    ("E0384", include_str!("../../docs/errors/E0384.md")),
    ("E0385", include_str!("../../docs/errors/E0385.md")),
    ("E0386", include_str!("../../docs/errors/E0386.md")),
    ("E0387", include_str!("../../docs/errors/E0387.md")),
    ("E0390", include_str!("../../docs/errors/E0390.md")),
    ("E0391", include_str!("../../docs/errors/E0391.md")),
    ("E0392", include_str!("../../docs/errors/E0392.md")),
    ("E0393", include_str!("../../docs/errors/E0393.md")),
    ("E0395", include_str!("../../docs/errors/E0395.md")),
    ("E0396", include_str!("../../docs/errors/E0396.md")),
    ("E0401", include_str!("../../docs/errors/E0401.md")),
    ("E0402", include_str!("../../docs/errors/E0402.md")),
    ("E0403", include_str!("../../docs/errors/E0403.md")),
    ("E0404", include_str!("../../docs/errors/E0404.md")),
    ("E0405", include_str!("../../docs/errors/E0405.md")),
    ("E0406", include_str!("../../docs/errors/E0406.md")),
    ("E0407", include_str!("../../docs/errors/E0407.md")),
    ("E0408", include_str!("../../docs/errors/E0408.md")),
    ("E0409", include_str!("../../docs/errors/E0409.md")),
    ("E0410", include_str!("../../docs/errors/E0410.md")),
    ("E0411", include_str!("../../docs/errors/E0411.md")),
    ("E0412", include_str!("../../docs/errors/E0412.md")),
    ("E0413", include_str!("../../docs/errors/E0413.md")),
];

/// The page of an error.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}

/// The codes around a number that is none: the last before it and the first after it, as far as they are.
pub fn around(number: u32) -> Vec<&'static str> {
    let number_of = |code: &str| code[1..].parse::<u32>().unwrap_or(0);
    let codes = || PAGES.iter().map(|(code, _)| *code);
    let before = codes().rev().find(|code| number_of(code) < number);
    let after = codes().find(|code| number_of(code) > number);
    before.into_iter().chain(after).collect()
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
        assert!(missing.is_empty(), "write docs/errors/<code>.md and list it above: {missing:?}");
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
        assert_eq!(listed, files, "PAGES lists what is in docs/errors, in order");
        for (code, page) in PAGES {
            assert!(page.lines().count() <= 25 && page.contains(code), "{code}");
        }
    }
}
