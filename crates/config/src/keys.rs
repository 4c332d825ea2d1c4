//! Every key of `inflowave.toml`, as data: what reading it goes by, and the reference is made of.
//!
//! A key that does not stand here cannot be read: [`crate::raw`] asks for values by this table.

/// A section of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// As it stands between brackets.
    pub name: &'static str,
    /// One or more sentences.
    pub doc: &'static str,
}

/// A key of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub section: &'static str,
    pub name: &'static str,
    pub kind: KeyKind,
    /// Of a number, in words; empty for what has none.
    pub unit: &'static str,
    /// As TOML writes it; used when the key is not given.
    pub default: &'static str,
    /// As TOML writes it.
    pub example: &'static str,
    /// One or more sentences.
    pub doc: &'static str,
}

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An IP address and a port, as text.
    Address,
    /// A path, as text; a relative one starts at the folder of the file.
    Path,
    /// A list of such paths.
    Paths,
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of starts of URLs.
    Urls,
    /// A list of texts, none of which is empty.
    Texts,
    Boolean,
    /// A whole number within the bounds, both included.
    Integer {
        min: u64,
        max: u64,
    },
}

impl KeyKind {
    /// What is valid, as the end of a sentence.
    pub fn valid(self) -> String {
        match self {
            KeyKind::Address => "an address with a port, such as \"127.0.0.1:5480\"".to_owned(),
            KeyKind::Path => "a path, as text".to_owned(),
            KeyKind::Paths => "a list of paths, such as [\"/srv/lake\"]".to_owned(),
            KeyKind::Text => "a text".to_owned(),
            KeyKind::Choice(choices) => {
                let quoted: Vec<String> = choices.iter().map(|c| format!("\"{c}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
            KeyKind::Urls => {
                "a list of starts of URLs, such as [\"s3://lake\", \"https://data.example.com\"]"
                    .to_owned()
            }
            KeyKind::Texts => "a list of texts, none of them empty".to_owned(),
            KeyKind::Boolean => "true or false".to_owned(),
            KeyKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
        }
    }
}

/// The sections, but for the catalogs.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "server",
        doc: "The server itself.",
    },
    Section {
        name: "limits",
        doc: "Every limit has a default; none is unlimited.",
    },
    Section {
        name: "access",
        doc: "Who may connect. What they may do is said in SQL: `CREATE USER`, `GRANT`.",
    },
    Section {
        name: "tls",
        doc: "Encryption of the Postgres wire. The files are read again when they change.",
    },
    Section {
        name: "secrets",
        doc: "What a statement may refer to as `${env:NAME}` and `${file:PATH}`. References in this file are free of these rules: who writes it runs the server.",
    },
    Section {
        name: "log",
        doc: "What the server writes to standard error. `INFLOWAVE_LOG` overrides the filter, `INFLOWAVE_LOG_FORMAT` the format.",
    },
];

/// The largest number that TOML writes.
const ANY: u64 = i64::MAX as u64;

/// Every key, but for those of catalogs, whose connectors know them.
pub const KEYS: &[Key] = &[
    Key {
        section: "server",
        name: "pg_listen",
        kind: KeyKind::Address,
        unit: "",
        default: "\"127.0.0.1:5480\"",
        example: "\"127.0.0.1:0\"",
        doc: "Where the Postgres wire listens. Port 0 takes a free port, which is printed. `--pg-listen` of `inflowave serve` overrides it.",
    },
    Key {
        section: "server",
        name: "data_dir",
        kind: KeyKind::Path,
        unit: "",
        default: "\"inflowave-data\"",
        example: "\"/var/lib/inflowave\"",
        doc: "Where the server keeps what it writes: the metastore and spill files. `--data-dir` of `inflowave serve` overrides it.",
    },
    Key {
        section: "server",
        name: "file_roots",
        kind: KeyKind::Paths,
        unit: "",
        default: "[]",
        example: "[\"/srv/lake\"]",
        doc: "The folders below which a catalog that is made by SQL may read files. Catalogs of this file are free.",
    },
    Key {
        section: "server",
        name: "url_roots",
        kind: KeyKind::Urls,
        unit: "",
        default: "[]",
        example: "[\"s3://lake\", \"http://minio:9000\", \"postgres://db.example:5432\"]",
        doc: "The URLs below which a catalog that is made by SQL may read files and reach services and databases: a scheme (`s3://`), a bucket, a server, or a path there; of a database server without its user. Catalogs of this file are free.",
    },
    Key {
        section: "limits",
        name: "memory_bytes_max",
        kind: KeyKind::Integer {
            min: 64 << 20,
            max: ANY,
        },
        unit: "bytes",
        default: "1073741824",
        example: "8589934592",
        doc: "Memory of all running queries together. Beyond it they spill, and what cannot spill fails with 53200.",
    },
    Key {
        section: "limits",
        name: "spill_bytes_max",
        kind: KeyKind::Integer { min: 0, max: ANY },
        unit: "bytes",
        default: "10737418240",
        example: "107374182400",
        doc: "Spill files of all running queries together.",
    },
    Key {
        section: "limits",
        name: "sessions_max",
        kind: KeyKind::Integer { min: 1, max: ANY },
        unit: "connections",
        default: "200",
        example: "1000",
        doc: "Connections at once. One more is refused with 53300.",
    },
    Key {
        section: "limits",
        name: "sessions_reserved",
        kind: KeyKind::Integer { min: 0, max: ANY },
        unit: "connections",
        default: "3",
        example: "10",
        doc: "Of them, those that only superusers may open.",
    },
    Key {
        section: "access",
        name: "superuser",
        kind: KeyKind::Text,
        unit: "",
        default: "\"\"",
        example: "\"admin\"",
        doc: "A role that is always there and may do everything. Without it, the first user is made by `inflowave sql`, which works in the server's own folder: `CREATE USER admin SUPERUSER PASSWORD '..'`.",
    },
    Key {
        section: "access",
        name: "superuser_password",
        kind: KeyKind::Text,
        unit: "",
        default: "\"\"",
        example: "\"${env:ADMIN_PASSWORD}\"",
        doc: "Its password, or its SCRAM verifier. Without it, `ALTER USER` gives it one.",
    },
    Key {
        section: "access",
        name: "rules",
        kind: KeyKind::Texts,
        unit: "",
        default: "[\"host all all 127.0.0.1/32 scram-sha-256\", \"host all all ::1/128 scram-sha-256\", \"hostssl all all all scram-sha-256\"]",
        example: "[\"hostssl all +staff 10.0.0.0/8 scram-sha-256\", \"host all all 127.0.0.1/32 trust\"]",
        doc: "Who has to prove what: the first that fits a client decides, and one that none fits is refused. Each is `host|hostssl|hostnossl DATABASES USERS ADDRESS METHOD`, as in `pg_hba.conf`. Databases and users are `all`, or names with commas between them; `+role` means its members. An address is `all`, an IP address or a network. The methods are `scram-sha-256`; `cert`, a client certificate whose common name is the user's; `password`, in clear over TLS; `trust`, from loopback addresses only; `reject`.",
    },
    Key {
        section: "tls",
        name: "certificate",
        kind: KeyKind::Path,
        unit: "",
        default: "\"\"",
        example: "\"server.crt\"",
        doc: "The server's certificate, and those between it and its authority, in PEM. Without it, clients that ask for TLS are refused it.",
    },
    Key {
        section: "tls",
        name: "key",
        kind: KeyKind::Path,
        unit: "",
        default: "\"\"",
        example: "\"server.key\"",
        doc: "The key of the certificate, in PEM.",
    },
    Key {
        section: "tls",
        name: "client_authorities",
        kind: KeyKind::Path,
        unit: "",
        default: "\"\"",
        example: "\"clients.crt\"",
        doc: "The authorities of client certificates, in PEM. Without it, none is asked for.",
    },
    Key {
        section: "limits",
        name: "statement_bytes_max",
        kind: KeyKind::Integer {
            min: 1024,
            max: ANY,
        },
        unit: "bytes",
        default: "16777216",
        example: "1048576",
        doc: "The text of one statement.",
    },
    Key {
        section: "limits",
        name: "statement_depth_max",
        kind: KeyKind::Integer { min: 10, max: ANY },
        unit: "levels",
        default: "200",
        example: "100",
        doc: "How deep expressions, subqueries and parentheses may nest. A deeper statement is refused with 54001.",
    },
    Key {
        section: "limits",
        name: "metadata_ttl_s",
        kind: KeyKind::Integer { min: 0, max: ANY },
        unit: "seconds",
        default: "30",
        example: "300",
        doc: "How long the columns of a source's table are believed. `REFRESH CATALOG` reads them anew.",
    },
    Key {
        section: "limits",
        name: "batch_rows",
        kind: KeyKind::Integer {
            min: 1,
            max: 65_536,
        },
        unit: "rows",
        default: "8192",
        example: "4096",
        doc: "Rows of one Arrow batch.",
    },
    Key {
        section: "limits",
        name: "history_rows_max",
        kind: KeyKind::Integer { min: 0, max: ANY },
        unit: "queries",
        default: "1000",
        example: "10000",
        doc: "Finished queries kept in `system.runtime.queries`.",
    },
    Key {
        section: "secrets",
        name: "env_prefixes",
        kind: KeyKind::Texts,
        unit: "",
        default: "[\"INFLOWAVE_\"]",
        example: "[\"CRM_\", \"LAKE_\"]",
        doc: "`${env:NAME}` in SQL is read only if NAME starts with one of these; with an empty list, no variable is.",
    },
    Key {
        section: "secrets",
        name: "file_roots",
        kind: KeyKind::Paths,
        unit: "",
        default: "[]",
        example: "[\"/run/secrets\"]",
        doc: "`${file:PATH}` in SQL is read only below one of these folders.",
    },
    Key {
        section: "secrets",
        name: "allow_literals",
        kind: KeyKind::Boolean,
        unit: "",
        default: "false",
        example: "true",
        doc: "A secret may be given in clear in SQL. It is then kept in clear in the metastore, which only the server's user can read.",
    },
    Key {
        section: "log",
        name: "format",
        kind: KeyKind::Choice(&["text", "json"]),
        unit: "",
        default: "\"text\"",
        example: "\"json\"",
        doc: "A line for a person, or a JSON object a line.",
    },
    Key {
        section: "log",
        name: "filter",
        kind: KeyKind::Text,
        unit: "",
        default: "\"\"",
        example: "\"warn,inflowave=info,inflowave::query=warn\"",
        doc: "What is written: a level (error, warn, info, debug, trace), and target=level for parts, separated by commas. Queries end with a line of the target `inflowave::query`. Empty is `warn,inflowave=info` for a server, and warnings for a command.",
    },
    Key {
        section: "log",
        name: "statements",
        kind: KeyKind::Boolean,
        unit: "",
        default: "false",
        example: "true",
        doc: "The texts of statements are written with their ends. They can hold data.",
    },
];
