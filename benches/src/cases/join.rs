//! A join of PostgreSQL, SQLite and Parquet, against the same tables all inside one PostgreSQL.

use super::{Case, Place};
use crate::Result;
use crate::data::SCHEMA;
use crate::reader::{ours::Ours, postgres::Postgres};

pub async fn cases(place: &Place) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (name, condition) in [
        ("join, all rows", ""),
        (
            "join, selective",
            "where i.day between date '2021-03-01' and date '2021-03-07' and a.region = 7 ",
        ),
    ] {
        let sql = |sum: &str, invoices: &str, accounts: &str, payments: &str| {
            format!(
                "select a.region, count(*), {sum} from {invoices} i \
                 join {accounts} a on a.account = i.account \
                 join {payments} p on p.invoice = i.id {condition}group by a.region"
            )
        };
        let ours = sql(
            "sum(p.received)",
            &format!("pg.{SCHEMA}.invoices"),
            "sqlite.main.accounts",
            "parquet.files.payments",
        );
        let peer = sql(
            "sum(p.received)::text",
            &format!("{SCHEMA}.invoices"),
            &format!("{SCHEMA}.accounts"),
            &format!("{SCHEMA}.payments"),
        );
        cases.push(Case {
            name: name.to_owned(),
            source: "PostgreSQL x SQLite x Parquet",
            ours: Ours::open(&place.engine, ours, 2).await?,
            peers: vec![Postgres::open(&place.postgres, peer, 2).await?],
        });
    }
    Ok(cases)
}
