//! The random queries over a user's own tables, pushed against local.
