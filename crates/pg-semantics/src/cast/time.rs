//! Casts among dates, times and intervals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use datafusion::common::Result;
use inflowave_types::SqlState;

use super::plain;
use crate::raise::raise_arrow;
use crate::temporal::{
    DATE_INFINITY, DATE_MINUS_INFINITY, MICROS_PER_DAY, TIMESTAMP_INFINITY,
    TIMESTAMP_MINUS_INFINITY, Zone, local_of, utc_of,
};
use crate::types;

pub(super) fn convert(array: &ArrayRef, to: &DataType, zone: Zone) -> Result<ArrayRef> {
    Ok(match (array.data_type(), to) {
        (DataType::Date32, DataType::Timestamp(_, tz)) => {
            let local = array
                .as_primitive::<Date32Type>()
                .try_unary::<_, TimestampMicrosecondType, ArrowError>(|days| {
                    Ok(match days {
                        DATE_INFINITY => TIMESTAMP_INFINITY,
                        DATE_MINUS_INFINITY => TIMESTAMP_MINUS_INFINITY,
                        days => i64::from(days).checked_mul(MICROS_PER_DAY).ok_or_else(|| {
                            raise_arrow(
                                SqlState::DatetimeFieldOverflow,
                                "date out of range for timestamp",
                            )
                        })?,
                    })
                })?;
            if tz.is_some() {
                Arc::new(
                    local
                        .unary::<_, TimestampMicrosecondType>(|v| utc_of(v, zone))
                        .with_data_type(to.clone()),
                )
            } else {
                Arc::new(local)
            }
        }
        (DataType::Timestamp(_, tz), _) => {
            let micros = cast(
                array,
                &DataType::Timestamp(TimeUnit::Microsecond, tz.clone()),
            )?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            match (tz.is_some(), to) {
                (false, DataType::Timestamp(_, Some(_))) => Arc::new(
                    micros
                        .unary::<_, TimestampMicrosecondType>(|v| utc_of(v, zone))
                        .with_data_type(to.clone()),
                ),
                (true, DataType::Timestamp(_, None)) => {
                    Arc::new(micros.unary::<_, TimestampMicrosecondType>(|v| local_of(v, zone)))
                }
                (zoned, DataType::Date32) => Arc::new(micros.unary::<_, Date32Type>(|v| match v {
                    TIMESTAMP_INFINITY => DATE_INFINITY,
                    TIMESTAMP_MINUS_INFINITY => DATE_MINUS_INFINITY,
                    v => {
                        let local = if zoned { local_of(v, zone) } else { v };
                        local.div_euclid(MICROS_PER_DAY) as i32
                    }
                })),
                (zoned, DataType::Time64(_)) => {
                    Arc::new(micros.unary::<_, Time64MicrosecondType>(|v| {
                        let local = if zoned { local_of(v, zone) } else { v };
                        local.rem_euclid(MICROS_PER_DAY)
                    }))
                }
                _ => plain(array, to)?,
            }
        }
        (DataType::Time64(_), DataType::Interval(_)) => {
            let micros = cast(array, &types::TIME)?;
            Arc::new(
                micros
                    .as_primitive::<Time64MicrosecondType>()
                    .unary::<_, IntervalMonthDayNanoType>(|v| {
                        IntervalMonthDayNanoType::make_value(0, 0, v * 1000)
                    }),
            )
        }
        (DataType::Interval(_), DataType::Time64(_)) => Arc::new(
            array
                .as_primitive::<IntervalMonthDayNanoType>()
                .unary::<_, Time64MicrosecondType>(|v| {
                    (v.nanoseconds / 1000).rem_euclid(MICROS_PER_DAY)
                }),
        ),
        _ => plain(array, to)?,
    })
}
