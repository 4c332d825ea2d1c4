//! SQL in, the remote SQL of a dialect out: plans made by DataFusion over tables that no source
//! stands behind.

mod fixture;
mod mysql;
mod postgres;
mod quoting;
mod sqlite;
mod structure;
