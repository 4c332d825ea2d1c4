//! The conformance suite of the testkit over every connector.

use inflowave_connector_api::Descriptor;
use inflowave_testkit::conformance;
use inflowave_testkit::oracle::Opener;
use inflowave_testkit::provision::{
    FilesFixture, MySqlCollation, MySqlFixture, POSTGRES_ENV, POSTGRES_ICU_ENV, PostgresFixture,
    SqliteFixture,
};

use crate::server;

fn descriptor(name: &str) -> &'static Descriptor {
    inflowave_bundle::connectors()
        .into_iter()
        .map(|c| c.descriptor())
        .find(|d| d.name == name)
        .unwrap()
}

const OPEN: &Opener = &|catalogs| Box::pin(server::service(catalogs));

conformance!(
    sqlite,
    async { SqliteFixture::new().map(Some) },
    descriptor("sqlite"),
    OPEN,
    server::run
);
conformance!(
    sqlite_strict,
    async { SqliteFixture::strict().map(Some) },
    descriptor("sqlite"),
    OPEN,
    server::run
);
conformance!(
    files,
    async { FilesFixture::new().map(Some) },
    descriptor("files"),
    OPEN,
    server::run
);
conformance!(
    postgres,
    PostgresFixture::from_env(POSTGRES_ENV),
    descriptor("postgres"),
    OPEN,
    server::run
);
conformance!(
    postgres_with_a_linguistic_collation,
    PostgresFixture::from_env(POSTGRES_ICU_ENV),
    descriptor("postgres"),
    OPEN,
    server::run
);
conformance!(
    mysql,
    MySqlFixture::from_env(MySqlCollation::Default),
    descriptor("mysql"),
    OPEN,
    server::run
);
conformance!(
    mysql_binary,
    MySqlFixture::from_env(MySqlCollation::Binary),
    descriptor("mysql"),
    OPEN,
    server::run
);
conformance!(
    mysql_padded_binary,
    MySqlFixture::from_env(MySqlCollation::PaddedBinary),
    descriptor("mysql"),
    OPEN,
    server::run
);
