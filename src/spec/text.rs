//! Text with `${…}` in it: its grammar, and the way from a character back to the bytes it was written
//! with. Knows nothing of what the names mean.

use std::ops::Range;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Text as it stands; `$${` is still escaped.
    Literal(String),
    /// What stands between `${` and `}`.
    Expression(Expression),
}

/// What stands in `${…}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression {
    /// Its bytes in the text.
    pub(crate) range: Range<usize>,
    pub(crate) form: Say,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Say {
    /// `alb.main.dns`, each step with its bytes.
    Name(Vec<(String, Range<usize>)>),
    /// `'text'`.
    Quoted(String),
    /// `lower(var.tag)`.
    Call(String, Vec<Expression>),
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) range: Range<usize>,
    pub(crate) title: String,
    pub(crate) hint: &'static str,
}

/// How deep calls may stand in calls.
const DEEPEST: usize = 16;

/// Takes a text apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece>, Fault> {
    let (mut pieces, mut literal, mut at) = (Vec::new(), String::new(), 0);
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        if text[at..open].ends_with('$') {
            literal.push_str(&text[at..open + 2]);
            at = open + 2;
            continue;
        }
        literal.push_str(&text[at..open]);
        let end = text[open..].find('}').ok_or_else(|| Fault {
            range: open..open + 2,
            title: "`${` without a closing `}`".to_owned(),
            hint: "close it, or write `$${` for a plain `${`",
        })?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        let inside = open + 2..open + end;
        pieces.push(Piece::Expression(Parser { text, at: inside.start, end: inside.end }.whole()?));
        at = open + end + 1;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// The names of the variables that a text mentions. A text that cannot be taken apart mentions none;
/// whoever fills it in says what is wrong with it.
pub(crate) fn variables(text: &str) -> Vec<String> {
    fn within(expression: &Expression, found: &mut Vec<String>) {
        match &expression.form {
            Say::Name(steps) => match steps.as_slice() {
                [(var, _), (name, _)] if var == "var" => found.push(name.clone()),
                _ => {}
            },
            Say::Quoted(_) => {}
            Say::Call(_, arguments) => arguments.iter().for_each(|one| within(one, found)),
        }
    }
    let mut found = Vec::new();
    for piece in parse(text).unwrap_or_default() {
        if let Piece::Expression(expression) = piece {
            within(&expression, &mut found);
        }
    }
    found
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl Parser<'_> {
    fn whole(mut self) -> Result<Expression, Fault> {
        let start = self.at;
        let expression = self.expression(0)?;
        self.blank();
        match self.at == self.end {
            true => Ok(expression),
            false => Err(self.fault(start..self.end)),
        }
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, Fault> {
        self.blank();
        let start = self.at;
        if depth > DEEPEST {
            return Err(self.fault(start..self.end));
        }
        if let Some(quote) = self.peek().filter(|next| ['\'', '"'].contains(next)) {
            let rest = &self.text[start + 1..self.end];
            let length = rest.find(quote).ok_or_else(|| self.fault(start..self.end))?;
            self.at = start + length + 2;
            let form = Say::Quoted(rest[..length].to_owned());
            return Ok(Expression { range: start..self.at, form });
        }
        let steps = self.name()?;
        let form = match (steps.as_slice(), self.peek()) {
            ([(name, _)], Some('(')) => Say::Call(name.clone(), self.arguments(depth)?),
            _ => Say::Name(steps),
        };
        Ok(Expression { range: start..self.at, form })
    }

    fn name(&mut self) -> Result<Vec<(String, Range<usize>)>, Fault> {
        let mut steps = Vec::new();
        loop {
            let start = self.at;
            let rest = &self.text[start..self.end];
            let length = rest.find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
            self.at = start + length.unwrap_or(rest.len());
            if self.at == start {
                return Err(self.fault(start..self.end));
            }
            steps.push((self.text[start..self.at].to_owned(), start..self.at));
            if self.peek() != Some('.') {
                return Ok(steps);
            }
            self.at += 1;
        }
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<Expression>, Fault> {
        let open = self.at;
        let mut arguments = Vec::new();
        loop {
            self.at += 1;
            arguments.push(self.expression(depth + 1)?);
            self.blank();
            match self.peek() {
                Some(',') => {}
                Some(')') => {
                    self.at += 1;
                    return Ok(arguments);
                }
                _ => return Err(self.fault(open..self.end)),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..self.end].chars().next()
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..self.end];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn fault(&self, range: Range<usize>) -> Fault {
        let whole = self.text[..self.end].rfind("${").map_or(range.start, |open| open + 2);
        Fault {
            title: format!("`${{{}}}` cannot be read", &self.text[whole..self.end]),
            range: if range.is_empty() { whole..self.end } else { range },
            hint: "write a name such as `${var.tag}` or a call such as `${lower(var.tag)}`",
        }
    }
}

/// The bytes of `written` — a TOML string, quotes and all — that say the bytes `range` of the text it
/// means. `None` when it is no such string.
pub(crate) fn written_range(
    written: &str,
    text: &str,
    range: &Range<usize>,
) -> Option<Range<usize>> {
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let quote = quotes.into_iter().find(|quote| {
        written.len() >= 2 * quote.len() && written.starts_with(quote) && written.ends_with(quote)
    })?;
    let inner = &written[quote.len()..written.len() - quote.len()];
    let mut at = quote.len();
    let mut rest = inner;
    if quote.len() == 3 {
        // A newline right after the opening quotes is no part of the text.
        let trimmed = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
        at += rest.len() - trimmed.len();
        rest = trimmed;
    }
    let (mut said, mut start) = (0, None);
    loop {
        if said >= range.start && start.is_none() {
            start = Some(at);
        }
        if said >= range.end {
            return Some(start?..at);
        }
        let (length, meaning) = next_char(rest, quote.starts_with('"'))?;
        if !text[said..].is_char_boundary(meaning.min(text.len() - said)) {
            return None;
        }
        said += meaning;
        at += length;
        rest = &rest[length..];
    }
}

/// How many bytes the next character is written with, and how many it means.
fn next_char(rest: &str, escapes: bool) -> Option<(usize, usize)> {
    let first = rest.chars().next()?;
    if first != '\\' || !escapes {
        return Some((first.len_utf8(), first.len_utf8()));
    }
    let second = rest[1..].chars().next()?;
    let digits = match second {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        // A backslash at the end of a line swallows the blanks up to the next word.
        blank if blank.is_whitespace() => {
            return Some((rest.len() - rest[1..].trim_start().len(), 0));
        }
        plain => return Some((1 + plain.len_utf8(), 1)),
    };
    let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code)?.len_utf8()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_calls_and_escapes() {
        let pieces = parse("a$${x}${ lower(var.tag) }b").unwrap();
        let Piece::Expression(call) = &pieces[1] else { panic!("an expression") };
        assert_eq!(pieces[0], Piece::Literal("a$${x}".into()));
        assert_eq!(call.range, 9..23);
        assert_eq!(pieces[2], Piece::Literal("b".into()));
        let Say::Call(name, arguments) = &call.form else { panic!("a call") };
        let steps = vec![("var".to_owned(), 15..18), ("tag".to_owned(), 19..22)];
        assert_eq!((name.as_str(), &arguments[0].form), ("lower", &Say::Name(steps)));
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at() {
        assert_eq!(parse("ab${x").unwrap_err().range, 2..4);
        assert_eq!(parse("ab${}").unwrap_err().title, "`${}` cannot be read");
        assert_eq!(parse("${a b}").unwrap_err().range, 2..5);
        assert_eq!(parse("${join(a}").unwrap_err().range, 6..8);
    }

    #[test]
    fn ranges_are_found_behind_escapes() {
        let at = |written: &str, text: &str, range| {
            written_range(written, text, &range).map(|range| written[range].to_owned())
        };
        assert_eq!(at(r#""a\tb${x}""#, "a\tb${x}", 5..6).as_deref(), Some("x"));
        assert_eq!(at(r#""\u00e9${x}""#, "é${x}", 4..5).as_deref(), Some("x"));
        assert_eq!(at("'''\n${x}'''", "${x}", 2..3).as_deref(), Some("x"));
        assert_eq!(at("\"\"\"a\\\n   b${x}\"\"\"", "ab${x}", 4..5).as_deref(), Some("x"));
        assert_eq!(at("5", "5", 0..1), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_points_inside(text in "[$ {}a-c.(),'é]{0,24}") {
            if let Err(fault) = parse(&text) {
                prop_assert!(text.get(fault.range).is_some());
            }
        }

        /// What is written by TOML's own writer is found again, character by character.
        #[test]
        fn written_ranges_are_exact(text in "[a-c\\\\\"\n\té$]{0,12}", at in 0usize..12) {
            let written = toml::Value::String(text.clone()).to_string();
            let chars: Vec<(usize, char)> = text.char_indices().collect();
            if let Some((start, char)) = chars.get(at) {
                let range = written_range(&written, &text, &(*start..start + char.len_utf8()));
                let found = &written[range.unwrap()];
                prop_assert!(found.starts_with('\\') || found == char.to_string());
            }
        }
    }
}
