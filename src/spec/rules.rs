//! The rules by which a section's texts are read. The blueprint lists them; the loader applies them.

/// A scalar that stands for a table, named by `x-shorthand` in a schema.
#[derive(Debug, Clone, Copy)]
pub struct Shorthand {
    /// The name in the schema.
    pub name: &'static str,
    /// A scalar as it is written in TOML.
    pub example: &'static str,
    /// Reads the scalar as the table it stands for, or says what is wrong with it.
    pub parse: fn(&serde_json::Value) -> Result<serde_json::Value, String>,
}

/// A form that text must have, named by `x-format` in a schema.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name in the schema.
    pub name: &'static str,
    /// A text as it is written in TOML.
    pub example: &'static str,
    /// Says what is wrong with a text.
    pub check: fn(&str) -> Result<(), String>,
}

/// What `${<section>.<name>.<output>}` means in terms of kinds.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The section: `repo`.
    pub section: &'static str,
    /// The kind that the section's names stand for: `repository`.
    pub kind: &'static str,
    /// What goes before the section's names in those of the kind, where two sections stand for one kind.
    pub prefix: &'static str,
    /// Outputs as they are written, and the kind's outputs they mean.
    pub outputs: &'static [(&'static str, &'static str)],
    /// The output, as written, that is meant when none is.
    pub default: &'static str,
    /// Outputs of later work, and what they are about.
    pub later: &'static [(&'static str, &'static str)],
}

/// A key of later work, that is refused with a word about it.
#[derive(Debug, Clone, Copy)]
pub struct Later {
    /// The key's path, `*` for any name: `alb.*.domain`.
    pub path: &'static str,
    /// What it is: `a domain with its certificate`.
    pub what: &'static str,
}
