//! A comment as it is kept.

/// What a comment is on. A part that does not apply is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub catalog: String,
    pub schema: String,
    pub relation: String,
    pub column: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// `catalog`, `table`, `view` or `column`.
    pub object_type: String,
    pub target: Target,
    pub text: String,
}
