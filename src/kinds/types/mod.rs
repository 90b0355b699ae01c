//! The types of kinds' fields: canonical on construction, so that equal things are equal text.
