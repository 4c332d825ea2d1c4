//! What a store refused or failed to do, told without its own words: an error of `object_store`
//! holds the address that was asked, signed queries included, and what the server answered.

use std::error::Error as StdError;

use inflowave_types::{Error, SqlState};
use object_store::client::{HttpError, HttpErrorKind};

use super::address::Kind;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Looking for objects, before a query is planned.
    Listing,
    /// Reading an object that was listed.
    Reading,
}

/// `root` is the bucket or server, `key` what was asked of it.
pub fn told(kind: Kind, root: &str, key: &str, doing: Doing, error: &object_store::Error) -> Error {
    let object = object(root, key);
    let code = code(error);
    let missing_bucket = matches!(
        code.as_deref(),
        Some("NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName")
    );
    if missing_bucket {
        return Error::new(
            SqlState::UndefinedFile,
            format!("bucket \"{root}\" does not exist"),
        )
        .with_hint("Check the name in the path of the catalog, and its region and endpoint.");
    }
    if knows_no_ranges(error) {
        return Error::unsupported(format!(
            "{} does not answer requests for a part of {object}",
            kind.name()
        ))
        .with_hint("Parquet files and large files need a server that knows range requests.");
    }
    use object_store::Error as E;
    // Errors of listings have no kinds of their own, so that the status is looked at first.
    match (error, status(error)) {
        (_, Some(404)) | (E::NotFound { .. }, _) => missing(root, key),
        (_, Some(304 | 412)) | (E::Precondition { .. } | E::NotModified { .. }, _) => {
            changed(&object, "it was written anew")
        }
        (_, Some(401)) | (E::Unauthenticated { .. }, _) => {
            refused(kind, root, code.as_deref(), true)
        }
        (_, Some(403)) | (E::PermissionDenied { .. }, _) => {
            let of_credentials = ["Key", "Signature", "Token", "Authentication"];
            let unknown =
                |code: &str| of_credentials.iter().any(|part| code.contains(part));
            refused(kind, root, code.as_deref(), code.as_deref().is_some_and(unknown))
        }
        (E::InvalidPath { .. }, _) => Error::unsupported(format!(
            "\"{root}\" holds an object whose key has an empty part, a part \"..\" or a control character"
        ))
        .with_hint("Point the catalog at a prefix without such keys, or rename the object."),
        (E::NotSupported { .. } | E::NotImplemented { .. }, _) => {
            Error::unsupported(format!("{} cannot do this for {object}", kind.name()))
        }
        (_, Some(status)) => answered(kind, root, &object, doing, status, code.as_deref()),
        (_, None) => failed(kind, root, &object, doing, error),
    }
}

/// There is no such object.
pub fn missing(root: &str, key: &str) -> Error {
    Error::new(
        SqlState::UndefinedFile,
        format!("{} does not exist", object(root, key)),
    )
    .with_hint("Check the path of the catalog, or that the object was not moved.")
}

/// The object is not the version that was planned with.
pub fn changed(object: &str, what: &str) -> Error {
    Error::new(
        SqlState::InvalidTableDefinition,
        format!("{object} has changed since the query was planned: {what}"),
    )
    .with_hint("Run the statement again.")
    .retryable()
}

pub fn object(root: &str, key: &str) -> String {
    if key.is_empty() {
        format!("\"{root}\"")
    } else {
        format!("\"{root}/{key}\"")
    }
}

fn refused(kind: Kind, root: &str, code: Option<&str>, unknown: bool) -> Error {
    let answered = in_brackets(code);
    if unknown {
        return Error::new(
            SqlState::InvalidAuthorization,
            format!("{} did not accept the credentials for \"{root}\"{answered}", kind.name()),
        )
        .with_hint("Check the credentials of the catalog, whether they have expired, and the clock of this machine.");
    }
    Error::new(
        SqlState::InsufficientPrivilege,
        format!("{} denied access to \"{root}\"{answered}", kind.name()),
    )
    .with_hint(match kind {
        Kind::Http => "Check the address, and give a token by the parameter bearer_token if the server asks for one.",
        _ => "Let the credentials of the catalog list and read the bucket; a wrong key or region can also be the cause.",
    })
}

fn in_brackets(code: Option<&str>) -> String {
    code.map(|c| format!(" ({c})")).unwrap_or_default()
}

/// An answer that is no success.
fn answered(
    kind: Kind,
    root: &str,
    object: &str,
    doing: Doing,
    status: u16,
    code: Option<&str>,
) -> Error {
    let name = kind.name();
    let code = in_brackets(code);
    match status {
        416 => changed(object, "its size is another"),
        300..400 => Error::new(
            SqlState::ForeignDataWrapperError,
            format!("{name} answered with a redirect for {object}: {status}{code}"),
        )
        .with_hint(match kind {
            Kind::Http => "Give the address that it leads to, or set follow_redirects = true in the configuration.",
            _ => "Check the region and the endpoint of the catalog.",
        }),
        429 | 500.. => {
            let state = match doing {
                Doing::Listing => SqlState::ConnectionUnableToEstablish,
                Doing::Reading => SqlState::ConnectionFailure,
            };
            let message =
                format!("{name} at \"{root}\" failed to answer: {status}{code}, after all retries");
            Error::new(state, message)
                .with_hint("Try again later; retries_max and retry_timeout_s of the catalog say how long it is tried.")
                .retryable()
        }
        _ => Error::new(
            SqlState::ForeignDataWrapperError,
            format!("{name} refused a request for {object}: {status}{code}"),
        )
        .with_hint("Check the path, the region and the endpoint of the catalog."),
    }
}

/// No answer, or one that cannot be read.
fn failed(
    kind: Kind,
    root: &str,
    object: &str,
    doing: Doing,
    error: &object_store::Error,
) -> Error {
    let name = kind.name();
    let why = root_cause(error);
    match http_kind(error) {
        Some(kind)
            if kind == HttpErrorKind::Connect
                || kind == HttpErrorKind::Timeout && doing == Doing::Listing =>
        {
            Error::new(
                SqlState::ConnectionUnableToEstablish,
                format!("{name} at \"{root}\" cannot be reached: {why}"),
            )
            .with_hint("Check the endpoint and region of the catalog, and that this machine may connect to it.")
            .retryable()
        }
        Some(_) => Error::new(
            SqlState::ConnectionFailure,
            format!("the connection to {name} was lost while {object} was read: {why}"),
        )
        .with_hint("Run the statement again; request_timeout_s of the catalog is how long a silence may last.")
        .retryable(),
        None => Error::new(
            SqlState::ForeignDataWrapperError,
            format!("{name} gave an answer for {object} that cannot be read: {why}"),
        )
        .with_hint("Check that the endpoint of the catalog is a store of that kind."),
    }
}

fn knows_no_ranges(error: &object_store::Error) -> bool {
    chain(error).map(ToString::to_string).any(|text| {
        text.starts_with("Range request not supported")
            || text.starts_with("Received non-partial response")
    })
}

fn chain<'a>(error: &'a object_store::Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first: &'a (dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |e| (*e).source())
}

fn http_kind(error: &object_store::Error) -> Option<HttpErrorKind> {
    chain(error).find_map(|e| e.downcast_ref::<HttpError>().map(HttpError::kind))
}

/// What the server said, in the innermost error that tells it.
fn answer(error: &object_store::Error) -> Option<String> {
    let texts = chain(error).map(ToString::to_string);
    texts.filter(|t| t.starts_with("Server returned")).last()
}

fn status(error: &object_store::Error) -> Option<u16> {
    // S3 has the bucket in another region, and does not say where to go.
    let mut texts = chain(error).map(ToString::to_string);
    if texts.any(|text| text.starts_with("Received redirect without")) {
        return Some(301);
    }
    let answer = answer(error)?;
    let number = answer.strip_prefix("Server returned non-2xx status code: ")?;
    number.get(..3)?.parse().ok()
}

/// The error's name in an XML answer: a word, not a sentence, which could repeat what we sent.
fn code(error: &object_store::Error) -> Option<String> {
    let answer = answer(error)?;
    let (_, behind) = answer.split_once("<Code>")?;
    let (code, _) = behind.split_once("</Code>")?;
    let word = (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    word.then(|| code.to_owned())
}

/// The innermost cause: of the system or of a decoder, which know no address.
fn root_cause(error: &object_store::Error) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    let innermost = chain(error).last().map(ToString::to_string);
    let text = innermost.unwrap_or_default();
    let text = match text.contains("://") || text.contains("sig=") {
        true => "no details".to_owned(),
        false => text,
    };
    text.chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_CHARS_MAX)
        .collect()
}
