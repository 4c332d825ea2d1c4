//! The one error that crosses crate borders: what failed, for whom, and what to do next.
//!
//! A message is lowercase and names the object; a hint is a full sentence. A crate with errors of
//! its own converts them into this one where they leave the crate.

use std::fmt;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! sql_states {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// PostgreSQL's five-character error code
        /// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SqlState { $($(#[$doc])* $name,)* }

        impl SqlState {
            /// Every code that this server raises.
            pub const ALL: &'static [SqlState] = &[$(SqlState::$name,)*];

            /// The five characters, such as `22003`.
            pub const fn code(self) -> &'static str {
                match self { $(SqlState::$name => $code,)* }
            }
        }
    };
}

sql_states! {
    /// No error: the code of a notice.
    SuccessfulCompletion = "00000",
    /// No error: the code of a warning.
    Warning = "01000",
    /// A source cannot be reached.
    ConnectionUnableToEstablish = "08001",
    /// A source refused the connection.
    ConnectionRejected = "08004",
    /// A source went away in the middle of its work.
    ConnectionFailure = "08006",
    /// A client broke the wire protocol.
    ProtocolViolation = "08P01",
    FeatureNotSupported = "0A000",
    DataException = "22000",
    NumericValueOutOfRange = "22003",
    NullValueNotAllowed = "22004",
    InvalidDatetimeFormat = "22007",
    DatetimeFieldOverflow = "22008",
    IntervalFieldOverflow = "22015",
    InvalidEscapeSequence = "22025",
    InvalidUseOfEscapeCharacter = "2200C",
    DivisionByZero = "22012",
    InvalidParameterValue = "22023",
    SubstringError = "22011",
    ArraySubscriptError = "2202E",
    InvalidTextRepresentation = "22P02",
    InvalidBinaryRepresentation = "22P03",
    CharacterNotInRepertoire = "22021",
    UntranslatableCharacter = "22P05",
    InvalidRegularExpression = "2201B",
    InvalidArgumentForLogarithm = "2201E",
    InvalidArgumentForPowerFunction = "2201F",
    InvalidArgumentForWidthBucketFunction = "2201G",
    InvalidRowCountInLimit = "2201W",
    InvalidRowCountInOffset = "2201X",
    CardinalityViolation = "21000",
    ActiveSqlTransaction = "25001",
    ReadOnlySqlTransaction = "25006",
    InFailedSqlTransaction = "25P02",
    NoActiveSqlTransaction = "25P01",
    IdleInTransactionSessionTimeout = "25P03",
    /// What a transaction reads is not there any more: it can be run again.
    SerializationFailure = "40001",
    InvalidSqlStatementName = "26000",
    InvalidAuthorization = "28000",
    DependentObjectsStillExist = "2BP01",
    InvalidPassword = "28P01",
    InvalidCursorName = "34000",
    InvalidCatalogName = "3D000",
    InvalidSavepoint = "3B001",
    InvalidSchemaName = "3F000",
    SyntaxError = "42601",
    InsufficientPrivilege = "42501",
    UndefinedColumn = "42703",
    AmbiguousColumn = "42702",
    UndefinedFunction = "42883",
    AmbiguousFunction = "42725",
    InvalidName = "42602",
    UndefinedTable = "42P01",
    UndefinedObject = "42704",
    UndefinedParameter = "42P02",
    DuplicateCursor = "42P03",
    DuplicatePreparedStatement = "42P05",
    DuplicateTable = "42P07",
    DuplicateColumn = "42701",
    DuplicateDatabase = "42P04",
    InvalidObjectDefinition = "42P17",
    WrongObjectType = "42809",
    NameTooLong = "42622",
    ReservedName = "42939",
    DuplicateObject = "42710",
    InvalidGrantOperation = "0LP01",
    DatatypeMismatch = "42804",
    CannotCoerce = "42846",
    IndeterminateDatatype = "42P18",
    GroupingError = "42803",
    WindowingError = "42P20",
    InvalidColumnReference = "42P10",
    InvalidTableDefinition = "42P16",
    DiskFull = "53100",
    OutOfMemory = "53200",
    TooManyConnections = "53300",
    ConfigurationLimitExceeded = "53400",
    ProgramLimitExceeded = "54000",
    StatementTooComplex = "54001",
    TooManyColumns = "54011",
    TooManyArguments = "54023",
    ObjectNotInPrerequisiteState = "55000",
    ObjectInUse = "55006",
    CantChangeRuntimeParam = "55P02",
    QueryCanceled = "57014",
    AdminShutdown = "57P01",
    CannotConnectNow = "57P03",
    IdleSessionTimeout = "57P05",
    IoError = "58030",
    UndefinedFile = "58P01",
    ConfigFileError = "F0000",
    /// A source refused a query or broke its contract.
    ForeignDataWrapperError = "HV000",
    /// A stored value that its declared type cannot hold.
    DataCorrupted = "XX001",
    InternalError = "XX000",
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A failed operation, told to a person and to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    sqlstate: SqlState,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    position: Option<u32>,
    retryable: bool,
}

impl Error {
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            retryable: false,
        }))
    }

    /// A defect of ours: the message must not carry data.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(SqlState::InternalError, message)
    }

    /// `0A000`.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(SqlState::FeatureNotSupported, message)
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// A full sentence that says what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Where in the statement, in characters from 1.
    #[must_use]
    pub fn with_position(mut self, position: u32) -> Self {
        self.0.position = Some(position);
        self
    }

    /// For a text that is not the statement's own: a view's.
    #[must_use]
    pub fn without_position(mut self) -> Self {
        self.0.position = None;
        self
    }

    /// Puts what was being done in front: `catalog "crm": connection refused`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// The same statement may succeed when sent again.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
    /// Characters from 1.
    pub fn position(&self) -> Option<u32> {
        self.0.position
    }
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_five_characters_and_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for state in SqlState::ALL {
            let code = state.code();
            assert_eq!(code.len(), 5, "{code}");
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
            );
            assert!(seen.insert(code), "{code} stands twice");
        }
    }

    #[test]
    fn context_stands_in_front_and_keeps_the_code() {
        let error = Error::new(SqlState::DivisionByZero, "division by zero").context("query 7");
        assert_eq!(error.to_string(), "query 7: division by zero");
        assert_eq!(error.sqlstate().code(), "22012");
    }
}
