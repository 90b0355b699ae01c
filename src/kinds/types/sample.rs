//! For the kinds' tests: a declaration in full, and that it reads back as it was written.

use crate::kind::Kind;

/// The declaration `toml` with defaults filled in, as JSON.
pub(crate) fn in_full<K: Kind>(toml: &str) -> String {
    let declared: K = toml::from_str(toml).unwrap();
    let text = serde_json::to_string_pretty(&declared).unwrap();
    let again: K = serde_json::from_str(&text).unwrap();
    assert_eq!(again, declared, "{} does not read back what it writes", K::NAME);
    text
}
