//! Dates and times of the wire as days and microseconds.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Days since 1970-01-01; `None` if no calendar has that day.
pub fn date_days(year: u16, month: u8, day: u8) -> Option<i32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years are counted from March, so that the leap day is the last one: Howard Hinnant,
    // "chrono-compatible low-level date algorithms", days_from_civil.
    let (year, month, day) = (i32::from(year), i32::from(month), i32::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Microseconds since 1970-01-01 00:00.
pub fn datetime_micros(date: (u16, u8, u8), time: (u8, u8, u8), micros: u32) -> Option<i64> {
    let days = i64::from(date_days(date.0, date.1, date.2)?);
    Some(days * SECONDS_PER_DAY * MICROS_PER_SECOND + day_micros(time, micros)?)
}

/// Microseconds since midnight, 24:00 included; `None` for the durations that `TIME` also holds.
pub fn time_micros(negative: bool, days: u32, time: (u8, u8, u8), micros: u32) -> Option<i64> {
    let of_day = day_micros(time, micros)?;
    let total = i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND + of_day;
    let of_one_day = total <= SECONDS_PER_DAY * MICROS_PER_SECOND;
    (of_one_day && (!negative || total == 0)).then_some(total)
}

fn day_micros((hour, minute, second): (u8, u8, u8), micros: u32) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * MICROS_PER_SECOND + i64::from(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(date_days(1970, 1, 1), Some(0));
        assert_eq!(date_days(1969, 12, 31), Some(-1));
        assert_eq!(date_days(2000, 2, 29), Some(11_016));
        assert_eq!(date_days(1, 1, 1), Some(-719_162));
        assert_eq!(date_days(9999, 12, 31), Some(2_932_896));
        assert_eq!(date_days(0, 1, 1), Some(-719_528));
    }

    #[test]
    fn days_that_do_not_exist() {
        for (y, m, d) in [
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(date_days(y, m, d), None);
        }
    }

    #[test]
    fn times() {
        assert_eq!(
            datetime_micros((1969, 12, 31), (23, 59, 59), 999_999),
            Some(-1)
        );
        assert_eq!(
            time_micros(false, 0, (23, 59, 59), 999_999),
            Some(86_399_999_999)
        );
        assert_eq!(time_micros(false, 1, (0, 0, 0), 0), Some(86_400_000_000));
        assert_eq!(time_micros(false, 1, (0, 0, 1), 0), None);
        assert_eq!(time_micros(true, 0, (0, 0, 1), 0), None);
        assert_eq!(time_micros(false, 34, (22, 59, 59), 0), None);
    }
}
