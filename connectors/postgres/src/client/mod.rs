//! Sessions at the server: how one is opened, kept, cancelled and given back.

mod pool;
mod running;
mod session;
mod snapshot;

pub(crate) use pool::Pool;
pub(crate) use running::Running;
pub(crate) use snapshot::Exported;
