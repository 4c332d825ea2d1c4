//! Names of the functions that `pg-semantics` puts into plans and `dialect` prints to sources.
//!
//! Both crates stand on one floor and may not import each other, so that the names live below.

/// Integer `+`, checked: both arguments and the result have one integer type; overflow is `22003`.
pub const INT_ADD: &str = "pg_int_add";
/// Integer `-`, checked.
pub const INT_SUB: &str = "pg_int_sub";
/// Integer `*`, checked.
pub const INT_MUL: &str = "pg_int_mul";
/// Integer unary minus, checked.
pub const INT_NEG: &str = "pg_int_neg";
/// `numeric / numeric`: scale max(16, both scales), rounded half away from zero; `22012`.
pub const NUMERIC_DIV: &str = "pg_numeric_div";
/// A cast that can fail, with PostgreSQL's rounding and SQLSTATE. The target is the return type.
pub const CAST: &str = "pg_cast";
