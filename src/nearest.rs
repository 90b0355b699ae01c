//! The nearest of some words to one that is none of them.

/// The word nearest to `word`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let ranked = words.into_iter().map(|other| (distance(word, other), other));
    let close = ranked.filter(|(far, other)| *far <= allowed && *far < other.chars().count());
    close.min().map(|(_, other)| other)
}

/// How many insertions, deletions, changes and swaps of neighbours turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: [Vec<usize>; 3] =
        [vec![], (0..=to.len()).collect(), Vec::with_capacity(to.len() + 1)];
    for (i, left) in from.iter().enumerate() {
        let [before, last, row] = &mut rows;
        row.clear();
        row.push(i + 1);
        for (j, right) in to.iter().enumerate() {
            let change = last[j] + usize::from(left != right);
            let mut best = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == to[j - 1] && from[i - 1] == *right {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        rows.rotate_left(1);
    }
    rows[1][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_small_and_other_words_are_far() {
        assert_eq!(distance("contanier", "container"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("contanier", ["image", "container", "count"]), Some("container"));
        assert_eq!(nearest("servce", ["service", "network"]), Some("service"));
        assert_eq!(nearest("zebra", ["service", "network"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
