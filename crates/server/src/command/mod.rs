//! One file for each command.

mod check;
mod demo;
mod serve;
mod sql;
mod verify;

pub use check::check;
pub use demo::demo;
pub use serve::serve;
pub use sql::sql;
pub use verify::{Verify, verify};
