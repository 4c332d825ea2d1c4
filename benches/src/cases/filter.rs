//! Filters that keep few rows: by an indexed column (no index in Parquet), and by one without.

use super::{Case, Place, Question, Source};
use crate::Result;
use crate::data::Scale;

pub async fn cases(place: &Place, scale: Scale) -> Result<Vec<Case>> {
    let account = scale.accounts() / 2;
    let questions = [
        (
            "filter, indexed",
            format!("select * from {{t}} where account = {account}"),
        ),
        (
            "filter, not indexed",
            "select * from {t} where amount between 100.00 and 200.00".to_owned(),
        ),
    ];
    let mut cases = Vec::new();
    for (name, sql) in questions {
        let question = Question {
            name: name.to_owned(),
            sql,
            column: 0,
        };
        for source in Source::ALL {
            cases.push(place.case(&question, source).await?);
        }
    }
    Ok(cases)
}
