//! A command line and its words, as a shell reads and writes them.

/// The words of a line: blanks part them, quotes and backslashes keep them together.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (open, '\\') => {
                let Some(next) = letters.next() else { continue };
                let word = word.get_or_insert_default();
                // Between double quotes it escapes only what means something there.
                if open.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A line of which a shell makes these words.
pub(super) fn join(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,${}".contains(c);
    let quoted = |word: &String| match !word.is_empty() && word.chars().all(is_plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_a_shell_does() {
        for (line, words) in [
            ("npm  run start", vec!["npm", "run", "start"]),
            (r#"sh -c "echo \"a b\" 'c'""#, vec!["sh", "-c", r#"echo "a b" 'c'"#]),
            (r"a\ b 'c d'e ''", vec!["a b", "c de", ""]),
            (r#""\n""#, vec![r"\n"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn what_is_joined_is_split_again() {
        let words = ["curl", "-f", "it's", "", "a b", "\"x\""].map(str::to_owned);
        assert_eq!(split(&join(&words)), words);
    }
}
