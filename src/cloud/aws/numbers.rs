//! Numbers as the API has them, which are signed, and as they are here.

/// A number for the API. None that AWS takes is too large.
pub fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A number of the API's, none of which is negative.
pub fn number(int: i32) -> u32 {
    u32::try_from(int).unwrap_or(0)
}
