//! Scans: all eight columns, and two. PostgreSQL also against COPY.

use super::{Case, Place, Question, Source};
use crate::Result;
use crate::reader::copy::Copy;

pub async fn cases(place: &Place) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (name, columns) in [
        ("scan, all columns", "*"),
        ("scan, 2 columns", "id, amount"),
    ] {
        let question = Question {
            name: name.to_owned(),
            sql: format!("select {columns} from {{t}}"),
            column: 0,
        };
        for source in Source::ALL {
            let mut case = place.case(&question, source).await?;
            if source == Source::Postgres {
                let sql = question.sql.replace("{t}", &source.native());
                case.peers.push(Copy::open(&place.postgres, sql));
            }
            cases.push(case);
        }
    }
    Ok(cases)
}
