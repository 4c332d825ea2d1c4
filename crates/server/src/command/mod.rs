//! One file for each command.

mod demo;
mod serve;
mod sql;

pub use demo::demo;
pub use serve::serve;
pub use sql::sql;
