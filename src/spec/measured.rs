//! Whole numbers with a unit, such as spans of time, read in one way wherever they stand.

use std::time::Duration;

/// A whole number with one of the units, in the smallest of them.
pub fn measured(text: &str, units: &[(&str, u32)]) -> Option<u32> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    whole(number)?.checked_mul(factor)
}

/// Digits only: `parse` alone would also take `+5`.
pub fn whole(number: &str) -> Option<u32> {
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
}

/// A span of time: `"90s"`, `"5m"`, `"2h"`, `"7d"`, `"2w"`.
pub fn duration(text: &str) -> Option<Duration> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 7 * 86400)];
    measured(text, &units).map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_have_a_unit() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2w"), Some(Duration::from_secs(14 * 86400)));
        for text in ["", "s", "30", "30 s", "+5s", "-5s", "1.5s", "9999999999s", "9999999w", "5ä"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
