//! `timezone(zone, x)`, which is `x AT TIME ZONE zone`.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_types::SqlState;

use super::integer::scalar_if;
use super::math::no_function;
use crate::raise::raise;
use crate::temporal::{Zone, local_of, utc_of};
use crate::types::{self, Category, category};

/// A timestamp becomes the instant at which a clock of the zone shows it; an instant becomes what
/// that clock shows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeZone {
    signature: Signature,
}

impl TimeZone {
    pub(super) fn new() -> Self {
        TimeZone {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for TimeZone {
    fn name(&self) -> &'static str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [z, t]
                if types::is_text(z)
                    && matches!(category(t), Category::DateTime | Category::Null) =>
            {
                let t = match t {
                    DataType::Timestamp(_, None) => types::TIMESTAMP,
                    _ => types::timestamptz(),
                };
                Ok(vec![DataType::Utf8View, t])
            }
            _ => Err(no_function(self.name(), given)),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match given[1] {
            DataType::Timestamp(_, None) => types::timestamptz(),
            _ => types::TIMESTAMP,
        })
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let names = cast(&arrays[0], &DataType::Utf8View)?;
        let local = matches!(arrays[1].data_type(), DataType::Timestamp(_, None));
        let mut known: Option<(String, Zone)> = None;
        let mut out = arrow::array::TimestampMicrosecondBuilder::with_capacity(names.len());
        let values = arrays[1].as_primitive::<TimestampMicrosecondType>();
        for (name, value) in names.as_string_view().iter().zip(values) {
            let (Some(name), Some(value)) = (name, value) else {
                out.append_null();
                continue;
            };
            let zone = match &known {
                Some((last, zone)) if last == name => *zone,
                _ => {
                    let zone = Zone::parse(name).ok_or_else(|| {
                        raise(
                            SqlState::InvalidParameterValue,
                            format!("time zone \"{name}\" not recognized"),
                        )
                    })?;
                    known = Some((name.to_owned(), zone));
                    zone
                }
            };
            out.append_value(if local {
                utc_of(value, zone)
            } else {
                local_of(value, zone)
            });
        }
        let result = out
            .finish()
            .with_data_type(args.return_field.data_type().clone());
        scalar_if(args.args.iter(), Arc::new(result))
    }
}
