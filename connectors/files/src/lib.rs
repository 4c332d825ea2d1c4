//! Files as tables: Parquet, CSV and JSON lines, read by DataFusion where they lie: in the file
//! system, in an object store, on a web server.
//!
//! **Owns**: the descriptor [`FilesConnector`], the way from a path or URL to tables, the schema of
//! a table, strict readers of CSV and JSON lines, our types for Parquet's.
//! **Never**: writing; a file outside the configured path; a client's choice of a path; credentials
//! that nobody asked for.
//! **Start reading at**: `layout.rs`, then `table.rs`; for stores `store/mod.rs`.
//!
//! # From a path to tables
//! The only schema is `files`. What `path` names decides on its tables:
//! - **a file** is one table, named by the file without its extension;
//! - **a folder**: each file in it is a table, and each subfolder is one table of all files below
//!   it. A folder whose subfolders are named `column=value` is itself one table;
//! - **a pattern** (`*`, `?`, `[..]`, `**`) is one table of all files that match, named by what
//!   stands before the first wildcard of its last part (`readings-*.parquet` is `readings`), or by
//!   the folder if nothing does.
//!
//! The parameter `table` gives a file or pattern another name. Where two files of a folder would
//! have one name, both keep their extension (`"orders.csv"`). Names that start with `.` or `_` are
//! hidden. A symbolic link is followed if it leads to a place inside the configured folder (for a
//! pattern: the folder before its first wildcard), else it is left out. The format goes by the
//! extension (`parquet`, `csv`, `tsv`, `json`, `jsonl`, `ndjson`) unless `format` says so; a table
//! has files of one format.
//!
//! Folders named `column=value` inside a table's folder are Hive partitions: the columns come
//! last, and are bigint, date or text, whichever all values fit; `__HIVE_DEFAULT_PARTITION__` is
//! NULL. A query that fixes them reads only the files it needs.
//!
//! # Object stores
//! `s3://bucket/..`, `gs://bucket/..`, `az://container/..` and
//! `abfss://container@account.dfs.core.windows.net/..` follow the rules above; `https://..` and
//! `http://..` are one file, because web servers list nothing.
//!
//! Each kind of store has its credentials, one of:
//! - **S3**: `access_key_id` with `secret_access_key`, and for temporary ones `session_token`; with
//!   the `region` of the bucket;
//! - **Google Cloud Storage**: `service_account`;
//! - **Azure**: `account_key` or `sas_token`, with the `account`;
//! - **a web server**: `bearer_token`, or none;
//! - any but the last: `anonymous = true`, or `instance_credentials = true` for those of the machine
//!   and of the server's environment, which are not used otherwise, and which SQL cannot ask for.
//!
//! A service other than the provider's own is an `endpoint`; one that is not encrypted needs
//! `allow_http = true`. Catalogs made by SQL reach only URLs below `[server] url_roots`.
//!
//! Objects are listed anew for each query, by pages and up to `listed_objects_max`. Parquet is read
//! by ranges, text in pieces; footers are kept up to `metadata_cache_bytes_max`, by version. Each read
//! asks for the version that was listed: an object that changed since is the error `42P16`, never a
//! mix. A store that cannot be reached is `08001`, one that is lost while it is read `08006`; `28000`
//! are credentials that are not known, `42501` is access that is denied, `58P01` a bucket or object
//! that is not there.
//!
//! # Columns
//! The files of a table are united by column names; a column that a file lacks is NULL there. One
//! that has different types in two files is an error that names both.
//!
//! **CSV**: types come from the first `infer_rows` rows: boolean (`true`, `false`), bigint, double
//! precision, date, timestamp (at most six digits behind the second), timestamptz, else text. A
//! number with a leading zero, or beyond 64 bits, is text. A later value that does not fit is an
//! error that names file, line, column and value. A field equal to `null_string` is NULL; it is
//! empty by default, so that an empty field of a text column is NULL, quoted or not.
//!
//! **JSON lines**: one object a line. Booleans, bigint, double precision and text; objects, arrays,
//! integers beyond 64 bits and columns of mixed kinds are `json` with the text of the file. Text is
//! never taken for a date. A key that the first `infer_rows` lines do not have is no column.
//!
//! **Parquet**: text is text, whatever its encoding; unsigned integers become the next wider signed
//! type (64 bits: numeric(20,0)), 8 bits smallint, 16-bit floats real; times are microseconds, and
//! a nanosecond value with more digits is an error (or cut off by `nanoseconds = "truncate"`);
//! INT96 is cut to microseconds; structs and maps are `json`; lists are arrays.

mod connector;
mod error;
mod layout;
mod location;
mod params;
mod parquet;
mod partitions;
mod schema;
mod source;
mod statistics;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use connector::FilesConnector;
