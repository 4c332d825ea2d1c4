//! The time of the statement: one value for all of its rows.

use std::sync::Arc;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::udf;
use crate::temporal::{MICROS_PER_DAY, local_of, zone};
use crate::types;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    [Clock::Instant, Clock::Date, Clock::Timestamp, Clock::Time]
        .into_iter()
        .map(|clock| udf(Now::new(clock)))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Clock {
    /// `now()`
    Instant,
    /// `current_date`
    Date,
    /// `localtimestamp`
    Timestamp,
    /// `localtime`
    Time,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    clock: Clock,
    aliases: Vec<String>,
    signature: Signature,
}

impl Now {
    fn new(clock: Clock) -> Self {
        let aliases: &[&str] = match clock {
            Clock::Instant => &[
                "current_timestamp",
                "transaction_timestamp",
                "statement_timestamp",
            ],
            Clock::Date => &["today"],
            Clock::Timestamp | Clock::Time => &[],
        };
        Now {
            clock,
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            signature: Signature::nullary(Volatility::Stable),
        }
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        match self.clock {
            Clock::Instant => "now",
            Clock::Date => "current_date",
            Clock::Timestamp => "localtimestamp",
            Clock::Time => "localtime",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.clock {
            Clock::Instant => types::timestamptz(),
            Clock::Date => DataType::Date32,
            Clock::Timestamp => types::TIMESTAMP,
            Clock::Time => types::TIME,
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} is replaced by its value while planning", self.name())
    }

    fn simplify(&self, _: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let start: DateTime<Utc> = info.query_execution_start_time().unwrap_or_else(Utc::now);
        let micros = start.timestamp_micros();
        let local = local_of(micros, zone(info.config_options())?);
        let value = match self.clock {
            Clock::Instant => ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())),
            Clock::Date => ScalarValue::Date32(Some(local.div_euclid(MICROS_PER_DAY) as i32)),
            Clock::Timestamp => ScalarValue::TimestampMicrosecond(Some(local), None),
            Clock::Time => ScalarValue::Time64Microsecond(Some(local.rem_euclid(MICROS_PER_DAY))),
        };
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
    }
}
