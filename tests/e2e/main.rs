//! The whole server, against real sources, in one test binary.
//!
//! A test that needs a server which is not there prints `skipped: ..`; `cargo xtask test` starts
//! what the machine can have, and with `--strict` a skip is a failure.

// Tests tell what they skip.
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod access;
mod bounds;
mod catalogs;
mod clients;
mod command;
mod conformance;
mod drivers;
mod durable;
mod errors;
mod explain;
mod generated;
mod hostile;
mod isolation;
mod log;
mod mutation;
mod object_stores;
mod planted;
mod process;
mod psql;
mod psql_catalog;
mod psql_scripts;
mod readme;
mod reference;
mod server;
mod slt;
mod stopping;
mod tpch;
mod tpch_data;
mod verify;
mod views;
