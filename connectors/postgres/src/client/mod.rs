//! Sessions at the server: how one is opened, kept, cancelled and given back.

mod pool;
mod running;
mod session;

pub(crate) use pool::Pool;
pub(crate) use running::Running;
