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
/// `numeric + numeric` whose worst case does not fit the result type, so that it is checked; where it
/// always fits, a plan holds the plain operator. Printed as `+`.
pub const NUMERIC_ADD: &str = "pg_numeric_add";
/// `numeric - numeric`, checked. Printed as `-`.
pub const NUMERIC_SUB: &str = "pg_numeric_sub";
/// `numeric * numeric`, checked. Printed as `*`.
pub const NUMERIC_MUL: &str = "pg_numeric_mul";
/// Integer `%` whose divisor may be -1 (`MIN % -1` is 0) or 0 (`22012`). Printed as `%`.
pub const INT_MOD: &str = "pg_int_mod";
/// Float `+`, checked: a finite sum that becomes infinite is `22003`; a NaN is the one NaN.
pub const FLOAT_ADD: &str = "pg_float_add";
/// Float `-`, checked.
pub const FLOAT_SUB: &str = "pg_float_sub";
/// Float `*`, checked; a product of what is not 0 that becomes 0 is `22003` too.
pub const FLOAT_MUL: &str = "pg_float_mul";
/// Float `/`, checked; `22012` for 0.
pub const FLOAT_DIV: &str = "pg_float_div";
/// Float unary minus; the negative of NaN is the one NaN.
pub const FLOAT_NEG: &str = "pg_float_neg";
/// `date + integer`, `date + time`, `timestamptz + interval`, `time + interval`. Printed as `+`.
pub const TEMPORAL_ADD: &str = "pg_temporal_add";
/// `date - integer`, `date - date` (an int4), `timestamp - timestamp` (an interval) and the like.
/// Printed as `-`.
pub const TEMPORAL_SUB: &str = "pg_temporal_sub";
/// `interval * float8`. Printed as `*`.
pub const INTERVAL_MUL: &str = "pg_interval_mul";
/// `interval / float8`. Printed as `/`.
pub const INTERVAL_DIV: &str = "pg_interval_div";
/// `extract(field from x)`: the field's name as a text literal, then `x`; the result is numeric.
pub const EXTRACT: &str = "pg_extract";
/// A cast that can fail, with PostgreSQL's rounding and SQLSTATE. The target is the return type.
pub const CAST: &str = "pg_cast";
/// An item of an array: the array, and a number for each of its dimensions.
pub const SUBSCRIPT: &str = "pg_array_subscript";
