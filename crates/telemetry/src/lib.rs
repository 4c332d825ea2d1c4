//! What the process says of itself to its operator: the log.
//!
//! **Owns**: the form of the log, its filter, what becomes of a panic.
//! **Never**: what is said. Crates say it where it happens, by `tracing`; what concerns a query has
//! the field `query_id`. A query's outcome is said once, at its end, by the engine.
//! **Start reading at**: [`start`].

mod panic;

use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::str::FromStr;

use inflowave_types::{Error, Result, SqlState};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Overrides the configured filter.
pub const FILTER_ENV: &str = "INFLOWAVE_LOG";
/// Overrides the configured form.
pub const FORMAT_ENV: &str = "INFLOWAVE_LOG_FORMAT";

/// What a server says by default: starts and ends, every query's outcome, whatever went wrong.
pub const SERVER_FILTER: &str = "warn,inflowave=info";
/// What a command says: what it does not print itself.
pub const COMMAND_FILTER: &str = "warn,inflowave::query=off";

/// How the log is written, to standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: Format,
    /// Directives of `tracing_subscriber::EnvFilter`, separated by commas: a level
    /// (`error`, `warn`, `info`, `debug`, `trace`), or `target=level`. The outcomes of queries have
    /// the target `inflowave::query`.
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A line for a person.
    #[default]
    Text,
    /// An object a line; the fields of an event stand at its top.
    Json,
}

impl Format {
    /// Its names, for messages.
    pub const NAMES: [&str; 2] = ["text", "json"];
}

impl FromStr for Format {
    type Err = ();

    fn from_str(name: &str) -> std::result::Result<Self, ()> {
        match name {
            "text" => Ok(Format::Text),
            "json" => Ok(Format::Json),
            _ => Err(()),
        }
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Text => Self::NAMES[0],
            Format::Json => Self::NAMES[1],
        })
    }
}

/// Starts the log of the process, once. The variables [`FILTER_ENV`] and [`FORMAT_ENV`] come first.
///
/// # Errors
/// `22023` for a filter that cannot be read, and for an unknown form.
pub fn start(log: &Log) -> Result<()> {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let log = Log {
        format: match variable(FORMAT_ENV) {
            Some(name) => name.parse().map_err(|()| no_format(&name))?,
            None => log.format,
        },
        filter: variable(FILTER_ENV).unwrap_or_else(|| log.filter.clone()),
    };
    subscriber(&log, io::stderr, io::stderr().is_terminal())?
        .try_init()
        .map_err(|e| Error::internal(format!("the log cannot be started: {e}")))?;
    panic::to_log();
    Ok(())
}

/// Is the filter one that can be read?
///
/// # Errors
/// `22023` naming the part that cannot be.
pub fn filter(directives: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(directives).map_err(|e| {
        Error::new(
            SqlState::InvalidParameterValue,
            format!("the log's filter \"{directives}\" cannot be read: {e}"),
        )
        .with_hint(
            "Write a level (error, warn, info, debug, trace), and target=level for parts, \
             separated by commas, such as warn,inflowave=info.",
        )
    })
}

fn no_format(name: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("{FORMAT_ENV} is \"{name}\""),
    )
    .with_hint(format!("The forms are {}.", Format::NAMES.join(" and ")))
}

fn subscriber<W>(
    log: &Log,
    writer: W,
    colours: bool,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&log.filter)?)
        .with_writer(writer)
        .with_ansi(colours && log.format == Format::Text);
    Ok(match log.format {
        Format::Text => Box::new(builder.finish()),
        Format::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .finish(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(format: Format, filter: &str) -> String {
        let kept = Kept::default();
        let log = Log {
            format,
            filter: filter.to_owned(),
        };
        let writer = kept.clone();
        let subscriber = subscriber(&log, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let error: Option<&str> = None;
            tracing::info!(target: "inflowave::query", query_id = 7, user = "a\n\"b", error, "query ended");
            tracing::info!(target: "some::driver", "chatter");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_has_an_object_a_line_and_the_fields_on_top() {
        let said = said(Format::Json, SERVER_FILTER);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 1, "{said}");
        let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(line["query_id"], 7);
        assert_eq!(line["user"], "a\n\"b");
        assert_eq!(line["message"], "query ended");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["target"], "inflowave::query");
        assert!(line.get("error").is_none(), "{line}");
    }

    #[test]
    fn text_is_one_line_without_colours() {
        let said = said(Format::Text, SERVER_FILTER);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("query ended query_id=7"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn what_is_filtered_is_not_said() {
        assert_eq!(said(Format::Text, "warn"), "");
        let error = filter("inflowave=loud").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22023");
        assert!(error.message().contains("loud"), "{error:?}");
    }
}
