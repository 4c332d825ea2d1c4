//! An aggregate: count and sum of a numeric by day, about 1,500 groups.

use super::{Case, Place, Question, Source};
use crate::Result;

pub async fn cases(place: &Place) -> Result<Vec<Case>> {
    let question = Question {
        name: "aggregate, by day".to_owned(),
        sql: "select day, count(*), {sum} from {t} group by day".to_owned(),
        column: 2,
    };
    let mut cases = Vec::new();
    for source in Source::ALL {
        cases.push(place.case(&question, source).await?);
    }
    Ok(cases)
}
