//! A panic is an event of the log like others, so that every line of it has one form.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};

/// In the place of the standard hook, which writes to standard error in a form of its own.
pub(crate) fn to_log() {
    std::panic::set_hook(Box::new(|info| {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        tracing::error!(
            cause = cause(info.payload()),
            place = info.location().map(tracing::field::display),
            thread = std::thread::current().name(),
            backtrace = backtrace.as_ref().map(tracing::field::display),
            "a panic: a defect of the server"
        );
    }));
}

fn cause(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "not a text"
    }
}
