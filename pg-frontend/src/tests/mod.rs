//! The wire over a real loopback socket, against an engine that does what its statements say.

mod client;
mod driver;
mod extended;
mod fake;
mod fuzz;
mod portal;
mod session;
mod startup;
mod stream;
mod trouble;
