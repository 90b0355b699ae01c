//! One edit in the form in which people compare: text word by word, documents as a diff of lines,
//! sets as what comes and what goes.

use std::collections::BTreeSet;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::documents::{document, lines};
use super::unknowns::Unknowns;
use super::{Colour, Detail, Look, Tone, words};
use crate::plan::Edit;
use crate::value::{Part, Value};

/// Text that is longer than this loses what both sides have in common at its beginning.
const COMFORTABLE: usize = 40;
/// So many items of a set are told on one line.
const ITEMS_A_LINE: usize = 3;

/// An edit, ready to be laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The field.
    pub(super) label: String,
    /// What goes beside the field.
    pub(super) beside: String,
    /// What goes below it.
    pub(super) below: Vec<String>,
}

/// The edit for people.
pub(super) fn show(edit: &Edit, unknowns: &Unknowns<'_>, look: Look) -> Shown {
    match (&edit.old, &edit.new) {
        (Some(old), Some(new)) => change(edit.path.to_string(), old, new, unknowns, look),
        (None, Some(new)) => one_sided(edit, new, unknowns, Side::Comes, look),
        (Some(old), None) => one_sided(edit, old, unknowns, Side::Goes, look),
        (None, None) => {
            Shown { label: edit.path.to_string(), beside: String::new(), below: vec![] }
        }
    }
}

/// One value on one line: text without quotes where that is clear.
pub(super) fn inline(value: &Value, unknowns: &Unknowns<'_>, look: Look) -> String {
    match value {
        Value::Pending(parts) => pending(value, parts, unknowns, look),
        Value::Text(text) if is_clear(text) => words::shortened(&unknowns.named(text), look),
        Value::Null => "nothing".to_owned(),
        _ => words::shortened(&value.to_string(), look),
    }
}

fn is_clear(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(['\n', '"'])
}

fn pending(value: &Value, parts: &[Part], unknowns: &Unknowns<'_>, look: Look) -> String {
    let note = look.paint(Tone::Dim, &unknowns.note(value).unwrap_or_default());
    match (parts, value.to_source()) {
        ([_, _, ..], serde_json::Value::String(text)) => {
            format!("{} {note}", words::shortened(&text, look))
        }
        _ => note,
    }
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Comes,
    Goes,
}

impl Side {
    fn sign(self) -> (&'static str, Tone) {
        match self {
            Self::Comes => ("+", Tone::Added),
            Self::Goes => ("-", Tone::Removed),
        }
    }
}

/// A field that comes or goes. Within a map it is told as `KEY = value` beside the map's name.
fn one_sided(edit: &Edit, value: &Value, unknowns: &Unknowns<'_>, side: Side, look: Look) -> Shown {
    let (sign, tone) = side.sign();
    let (label, head) = match edit.path.0.split_last() {
        Some((key, parent)) if !parent.is_empty() => (parent.join("."), format!("{sign} {key}")),
        _ => (edit.path.to_string(), sign.to_owned()),
    };
    if let Some(document) = document(value, unknowns) {
        let below = document.lines().map(|line| look.paint(tone, &format!("{sign} {line}")));
        return Shown { label, beside: look.paint(tone, &head), below: below.collect() };
    }
    let shown = match value {
        Value::Text(text) => words::shortened(&format!("{text:?}"), look),
        _ => inline(value, unknowns, look),
    };
    let joint = if head == sign { " " } else { " = " };
    Shown { label, beside: look.paint(tone, &format!("{head}{joint}{shown}")), below: vec![] }
}

fn change(label: String, old: &Value, new: &Value, unknowns: &Unknowns<'_>, look: Look) -> Shown {
    if let (Value::List(old), Value::List(new)) = (old, new)
        && old.iter().chain(new).all(is_scalar)
    {
        return items(label, old, new, unknowns, look);
    }
    if let (Some(old), Some(new)) = (text_of(old, new, unknowns), text_of(new, old, unknowns)) {
        return Shown { label, beside: String::new(), below: lines(&old, &new, look) };
    }
    let beside = match (old, new) {
        (Value::Text(old), Value::Text(new)) if is_clear(old) && is_clear(new) => {
            text(&unknowns.named(old), &unknowns.named(new), look)
        }
        _ => {
            let (old, new) = (inline(old, unknowns, look), inline(new, unknowns, look));
            format!("{} → {}", look.paint(Tone::Removed, &old), look.paint(Tone::Added, &new))
        }
    };
    Shown { label, beside, below: vec![] }
}

/// A side of a change as a document. An empty list beside one of tables is one without lines.
fn text_of(side: &Value, other: &Value, unknowns: &Unknowns<'_>) -> Option<String> {
    match (side, other) {
        (Value::List(items), Value::List(_)) if items.is_empty() => Some(String::new()),
        _ => document(side, unknowns),
    }
}

pub(super) fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Map(_) | Value::List(_))
}

/// What comes into a list or a set and what leaves it. A mere change of order is shown whole.
fn items(
    label: String,
    old: &[Value],
    new: &[Value],
    unknowns: &Unknowns<'_>,
    look: Look,
) -> Shown {
    let text = |item: &Value| match item {
        Value::Pending(_) => inline(item, unknowns, Look { colour: Colour::Off, ..look }),
        item => words::shortened(&item.to_string(), look),
    };
    let texts = |items: &[Value]| items.iter().map(text).collect::<Vec<_>>();
    let (old, new) = (texts(old), texts(new));
    let sorted = |texts: &[String]| BTreeSet::from_iter(texts.to_vec());
    if old.len() == new.len() && sorted(&old) == sorted(&new) {
        let beside = format!("[{}] → [{}]", old.join(", "), new.join(", "));
        return Shown { label, beside, below: vec![] };
    }
    let mut changed = Vec::new();
    let mut same = 0;
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        if op.tag() == DiffTag::Equal {
            same += op.old_range().len();
            continue;
        }
        let mark = |side: Side, item: &String| {
            let (sign, tone) = side.sign();
            look.paint(tone, &format!("{sign} {item}"))
        };
        changed.extend(old[op.old_range()].iter().map(|item| mark(Side::Goes, item)));
        changed.extend(new[op.new_range()].iter().map(|item| mark(Side::Comes, item)));
    }
    if same > 0 {
        changed.push(look.paint(Tone::Dim, &format!("({same} as before)")));
    }
    if changed.len() <= ITEMS_A_LINE {
        return Shown { label, beside: changed.join("  "), below: vec![] };
    }
    Shown { label, beside: String::new(), below: changed }
}

/// `old → new`, word by word. Long text loses what both begin with.
fn text(old: &str, new: &str, look: Look) -> String {
    let (short_old, short_new) = match look.detail {
        Detail::Short => {
            let (old, new) = (words::brief(old), words::brief(new));
            let shortened = || (words::shortened(&old, look), words::shortened(&new, look));
            without_common_head(&old, &new).unwrap_or_else(shortened)
        }
        Detail::Full => (old.to_owned(), new.to_owned()),
    };
    // What was cut away may be the very difference.
    let (old, new) = if short_old == short_new {
        (old.to_owned(), new.to_owned())
    } else {
        (short_old, short_new)
    };
    let (old_words, new_words) = (split(&old), split(&new));
    let (mut left, mut right) = (String::new(), String::new());
    for op in capture_diff_slices(Algorithm::Myers, &old_words, &new_words) {
        let is_same = op.tag() == DiffTag::Equal;
        let tone = |plain, word| if is_same { plain } else { word };
        let piece = old_words[op.old_range()].concat();
        left.push_str(&look.paint(tone(Tone::Removed, Tone::RemovedWord), &piece));
        let piece = new_words[op.new_range()].concat();
        right.push_str(&look.paint(tone(Tone::Added, Tone::AddedWord), &piece));
    }
    format!("{left} → {right}")
}

fn without_common_head(old: &str, new: &str) -> Option<(String, String)> {
    if old.len().max(new.len()) <= COMFORTABLE {
        return None;
    }
    let common = old.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b);
    let last = common.filter(|((_, character), _)| matches!(character, '/' | ' ')).last();
    let at = last.map(|((at, _), _)| at).filter(|at| *at > 0)?;
    let rest = |text: &str| format!("…{}", words::cut(&text[at..], COMFORTABLE));
    Some((rest(old), rest(new)))
}

/// Words and what stands between them.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        if !character.is_alphanumeric() {
            words.extend([&text[start..at], &text[at..at + character.len_utf8()]]);
            start = at + character.len_utf8();
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::address::{Address, Path};

    fn shown(path: &[&str], old: Json, new: Json, look: Look) -> String {
        let side = |json: Json| (!json.is_null()).then(|| Value::lift(json).unwrap());
        let path = Path::of(path.iter().copied());
        let edit = Edit { path, old: side(old), new: side(new), replaces: false };
        let vpc = Address::new("vpc", "main");
        let images = BTreeMap::new();
        let unknowns = Unknowns { verbs: [(&vpc, "created")].into(), images: &images };
        let Shown { label, beside, below } = show(&edit, &unknowns, look);
        let mut text = format!("{label}: {beside}");
        for line in below {
            text.push_str(&format!("\n{line}"));
        }
        text
    }

    fn plain(path: &[&str], old: Json, new: Json) -> String {
        shown(path, old, new, Look::PLAIN)
    }

    #[test]
    fn text_is_compared_word_by_word() {
        assert_snapshot!(plain(&["image"], json!("httpd:2.4"), json!("httpd:2.5")), @"image: httpd:2.4 → httpd:2.5");
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api";
        let (old, new) = (json!(format!("{registry}:v1.8")), json!(format!("{registry}:v1.9")));
        assert_snapshot!(plain(&["containers", "api", "image"], old.clone(), new.clone()), @"containers.api.image: …/api:v1.8 → …/api:v1.9");
        let coloured = Look { colour: Colour::On, ..Look::PLAIN };
        let marked = shown(&["image"], old, new, coloured).replace('\u{1b}', "^");
        assert_snapshot!(marked, @"image: ^[31m…/api:v1.^[0m^[1m^[4m^[31m8^[0m → ^[32m…/api:v1.^[0m^[1m^[4m^[32m9^[0m");
    }

    #[test]
    fn keys_of_maps_and_fields_come_and_go() {
        assert_snapshot!(plain(&["environment", "LEVEL"], json!(null), json!("info")), @r#"environment: + LEVEL = "info""#);
        assert_snapshot!(plain(&["environment", "LEVEL"], json!("info"), json!(null)), @r#"environment: - LEVEL = "info""#);
        assert_snapshot!(plain(&["count"], json!(null), json!(2)), @"count: + 2");
    }

    #[test]
    fn what_is_not_known_yet_says_after_what_it_is() {
        assert_snapshot!(plain(&["vpc"], json!("vpc-1"), json!("${vpc.main.id}")), @"vpc: vpc-1 → (known after vpc.main is created)");
        assert_snapshot!(plain(&["url"], json!(null), json!("http://${vpc.main.id}/")), @"url: + http://${vpc.main.id}/ (known after vpc.main is created)");
    }

    #[test]
    fn what_is_not_known_yet_is_said_so_within_lists_and_documents_too() {
        let list = plain(&["subnets"], json!(["subnet-1"]), json!(["${vpc.main.id}"]));
        assert_snapshot!(list, @r#"subnets: - "subnet-1"  + (known after vpc.main is created)"#);
        let (old, new) = ("vpc-1", "${vpc.main.id}");
        let nested = |vpc: &str| json!([{"vpc": vpc, "url": format!("http://{vpc}/x")}]);
        assert_snapshot!(plain(&["rules"], nested(old), nested(new)), @r#"
        rules: 
          [
            {
        -     "url": "http://vpc-1/x",
        -     "vpc": "vpc-1"
        +     "url": "http://${vpc.main.id}/x" (known after vpc.main is created),
        +     "vpc": (known after vpc.main is created)
            }
          ]
        "#);
        let policy = |vpc: &str| json!({"Resource": [vpc]}).to_string();
        assert_snapshot!(plain(&["policy"], json!(policy(old)), json!(policy(new))), @r#"
        policy: 
          {
            "Resource": [
        -     "vpc-1"
        +     (known after vpc.main is created)
            ]
          }
        "#);
        assert_snapshot!(plain(&["rules"], json!(null), nested(new)), @r#"
        rules: +
        + [
        +   {
        +     "url": "http://${vpc.main.id}/x" (known after vpc.main is created),
        +     "vpc": (known after vpc.main is created)
        +   }
        + ]
        "#);
    }

    #[test]
    fn sets_show_what_comes_and_goes_and_lists_their_new_order() {
        assert_snapshot!(plain(&["subnets"], json!(["a", "b"]), json!(["b", "c"])), @r#"subnets: - "a"  + "c"  (1 as before)"#);
        assert_snapshot!(plain(&["subnets"], json!(["a"]), json!(["a", "b"])), @r#"subnets: + "b"  (1 as before)"#);
        assert_snapshot!(plain(&["command"], json!(["a", "b"]), json!(["b", "a"])), @r#"command: ["a", "b"] → ["b", "a"]"#);
    }

    #[test]
    fn the_first_and_the_last_table_of_a_list_come_and_go_like_others() {
        let rules = json!([{"port": 80, "from": "${vpc.main.id}"}]);
        assert_snapshot!(plain(&["ingress"], json!([]), rules), @r#"
        ingress: 
        + [
        +   {
        +     "from": (known after vpc.main is created),
        +     "port": 80
        +   }
        + ]
        "#);
        assert_snapshot!(plain(&["ingress"], json!([{"port": 80}]), json!([])), @r#"
        ingress: 
        - [
        -   {
        -     "port": 80
        -   }
        - ]
        "#);
    }

    #[test]
    fn documents_are_compared_line_by_line_with_context() {
        let statement = |action: &str| {
            json!({"Statement": [{"Action": [action], "Effect": "Allow", "Resource": "*"}],
                   "Version": "2012-10-17"})
        };
        let (old, new) = (statement("sns:Publish"), statement("sqs:SendMessage"));
        let in_text = plain(&["policy"], json!(old.to_string()), json!(new.to_string()));
        assert_eq!(in_text, plain(&["policy"], old, new));
        assert_snapshot!(in_text, @r#"
        policy: 
              {
                "Action": [
        -         "sns:Publish"
        +         "sqs:SendMessage"
                ],
                "Effect": "Allow",
        "#);
    }

    #[test]
    fn a_difference_is_never_shortened_away() {
        let long = |middle: &str| json!(format!("{0}{middle}{0}", "x".repeat(60)));
        let told = plain(&["note"], long("a"), long("b"));
        assert!(told.contains("xax") && told.contains("xbx"), "{told}");
    }
}
