//! Kinds, times and long texts in words that people read.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Detail, Look};
use crate::address::Address;

/// `nat-gateway` → `NAT gateway`.
pub(super) fn kind(kind: &str) -> String {
    let word = |word: &str| match word {
        "vpc" | "nat" | "ip" | "dns" => word.to_uppercase(),
        _ => word.to_owned(),
    };
    kind.split('-').map(word).collect::<Vec<_>>().join(" ")
}

/// `service.web` → `service web`.
pub(super) fn address(address: &Address) -> String {
    format!("{} {}", kind(&address.kind), address.name)
}

/// `0.3 s`, `18 s`, `3 min 20 s`, `1 h 5 min`.
pub fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `2026-11-21 08:12 UTC`.
pub fn moment(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `1 resource`, `2 resources`.
pub fn count(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// `text`, filled up with blanks to `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blanks))
}

/// How much room a value gets on a line before it is shortened.
const ROOM: usize = 64;

/// A text in at most [`ROOM`] columns, unless everything is told: an ARN without its head, anything
/// else without its middle.
pub(super) fn shortened(text: &str, look: Look) -> String {
    match look.detail {
        Detail::Full => text.to_owned(),
        Detail::Short => match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, _, _, _, resource] => format!("…{}", cut(resource, ROOM - 1)),
            _ => cut(&brief(text), ROOM),
        },
    }
}

/// What stands before the digest of an image.
const DIGEST: &str = "@sha256:";
/// So many of its 64 digits tell it from others; docker shows as many.
const DIGITS: usize = 12;

/// A text with the digests of images in it short: `api@sha256:0123456789ab…`.
pub(super) fn brief(text: &str) -> String {
    let mut pieces = text.split(DIGEST);
    let mut told = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(piece.len());
        let (digits, rest) = piece.split_at(end);
        told.push_str(DIGEST);
        match digits.len() {
            64 => told.push_str(&format!("{}…", &digits[..DIGITS])),
            _ => told.push_str(digits),
        }
        told.push_str(rest);
    }
    told
}

/// The head and the tail of a text that is wider than `width`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let tail_width = width.saturating_sub(1) / 2;
    let head = taken(text.chars(), width.saturating_sub(1 + tail_width));
    let tail: Vec<char> = taken(text.chars().rev(), tail_width);
    head.into_iter().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// As many of the first characters as fit into `width` columns.
fn taken(characters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_times_are_words() {
        assert_eq!(address(&Address::new("nat-gateway", "main")), "NAT gateway main");
        assert_eq!(kind("elastic-ip"), "elastic IP");
        let times = [0, 18, 200, 3900].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(times, ["0.0 s", "18 s", "3 min 20 s", "1 h 5 min"]);
        let counts = [count(1, "step"), count(2, "step"), count(0, "policy")];
        assert_eq!(counts, ["1 step", "2 steps", "0 policies"]);
    }

    #[test]
    fn long_text_loses_its_middle_and_an_arn_its_head() {
        assert_eq!(cut("abcdefghij", 7), "abc…hij");
        assert_eq!(cut("abc", 7), "abc");
        assert_eq!(cut("日本語日本語", 5), "日…語");
        let arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:41";
        assert_eq!(shortened(arn, Look::PLAIN), "…task-definition/web:41");
        let image = format!("shop/api@sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(shortened(&image, Look::PLAIN), "shop/api@sha256:0123456789ab…");
        assert_eq!(brief("a@sha256:12, b"), "a@sha256:12, b");
        assert_eq!(shortened(arn, Look { detail: Detail::Full, ..Look::PLAIN }), arn);
    }
}
