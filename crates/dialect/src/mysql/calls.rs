//! Arithmetic, casts and functions: exact where the digits of the server's types hold them.

use arrow::datatypes::DataType;
use inflowave_connector_api::vocabulary;

use super::MySql;
use super::text::{is_unsigned, utf8mb4};
use crate::Dialect;
use crate::decimal::{decimal_scale, widens};
use crate::dialect::{date_field, substring_of};
use crate::value::{Answer, Arithmetic, Kind, Value, refuse};

/// `DECIMAL(65, 30)` is the widest; more is cut without an error.
pub(super) const DIGITS_MAX: u32 = 65;
pub(super) const SCALE_MAX: u32 = 30;

impl MySql {
    fn refuses_arithmetic<T>(&self) -> Answer<T> {
        refuse(format!(
            "integers of {} overflow at other widths than ours",
            self.name()
        ))
    }

    /// An operand of decimal arithmetic: an unsigned integer would fail below zero.
    fn operand(&self, value: &Value) -> String {
        match &value.raw {
            Some(raw) if is_unsigned(raw) => {
                format!(
                    "CAST({} AS DECIMAL({}, {}))",
                    value.sql, value.digits.0, value.digits.1
                )
            }
            _ => value.sql.clone(),
        }
    }

    pub(super) fn calculation(
        &self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        result: &DataType,
    ) -> Answer<String> {
        if left.kind()? == Kind::Int {
            let word = match op {
                Arithmetic::Div => "DIV",
                Arithmetic::Rem => "%",
                _ => return self.refuses_arithmetic(),
            };
            return match right.integer_literal() {
                Some(n) if n > 0 => Ok(format!("({} {word} {})", left.sql, right.sql)),
                _ => refuse(format!(
                    "a division by zero is NULL in {}: it needs a constant divisor above 0",
                    self.name()
                )),
            };
        }
        decimal_scale(op, left, right, result)?;
        let (l, r) = (left.digits, right.digits);
        let (all, behind) = match op {
            Arithmetic::Mul => (l.0 + r.0, l.1 + r.1),
            _ => {
                let behind = l.1.max(r.1);
                let whole = l.0.saturating_sub(l.1).max(r.0.saturating_sub(r.1));
                (whole + behind + 1, behind)
            }
        };
        if all > DIGITS_MAX || behind > SCALE_MAX {
            return refuse(format!(
                "a decimal of {all} digits with {behind} behind the point is more than {} has",
                self.name()
            ));
        }
        Ok(format!(
            "({} {} {})",
            self.operand(left),
            op.symbol(),
            self.operand(right)
        ))
    }

    pub(super) fn minus(&self, value: &Value) -> Answer<String> {
        match value.kind()? {
            Kind::Int => self.refuses_arithmetic(),
            Kind::Decimal => Ok(format!("(- {})", self.operand(value))),
            Kind::Float => Ok(format!("(- {})", value.sql)),
            _ => refuse("a minus over what is not a number is computed here"),
        }
    }

    pub(super) fn cast_value(&self, value: &Value, to: &DataType) -> Answer<String> {
        let sql = &value.sql;
        let digits = |t: &DataType| Value::computed(String::new(), t.clone()).digits;
        match (value.kind()?, Kind::of(to)?) {
            (Kind::Null, _) => Ok(sql.clone()),
            // Integers have one width in expressions.
            (Kind::Int, Kind::Int) if digits(&value.data_type).0 <= digits(to).0 => Ok(sql.clone()),
            (Kind::Int, Kind::Decimal) => {
                let ((whole, _), (all, behind)) = (digits(&value.data_type), digits(to));
                let fits = all.saturating_sub(behind) >= whole.min(19)
                    && all <= DIGITS_MAX
                    && behind <= SCALE_MAX;
                match fits {
                    true => Ok(format!("CAST({sql} AS DECIMAL({all}, {behind}))")),
                    false => refuse(format!(
                        "{} cuts a decimal that is too long and gives no error",
                        self.name()
                    )),
                }
            }
            (Kind::Decimal, Kind::Decimal) if widens(&value.data_type, to) => Ok(sql.clone()),
            // Floats are doubles in expressions.
            (Kind::Float, Kind::Float) if *to == DataType::Float64 => Ok(sql.clone()),
            (Kind::Date, Kind::Timestamp { utc: false }) => {
                Ok(format!("CAST({sql} AS DATETIME(6))"))
            }
            (Kind::Timestamp { utc: false }, Kind::Date) => Ok(format!("CAST({sql} AS DATE)")),
            _ => refuse(format!(
                "a cast from {} to {to} is computed here",
                value.data_type
            )),
        }
    }

    pub(super) fn call(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        match (name, args) {
            ("abs", [value]) if value.kind()? == Kind::Decimal => {
                Ok(format!("ABS({})", self.operand(value)))
            }
            ("date_part" | vocabulary::EXTRACT, _) => {
                let (part, value) = date_field(args)?;
                let part = part.to_ascii_uppercase();
                let sql = format!("EXTRACT({part} FROM {})", value.sql);
                match result {
                    DataType::Int32 | DataType::Int64 => Ok(sql),
                    DataType::Float64 => Ok(format!("({sql} + 0e0)")),
                    DataType::Decimal128(p, s) if u32::from(*p) <= DIGITS_MAX => {
                        let whole = i32::from(*p) - i32::from(*s);
                        match whole >= 4 && i32::from(*s) <= 30 {
                            true => Ok(format!("CAST({sql} AS DECIMAL({p}, {s}))")),
                            false => refuse("date_part of few digits is computed here"),
                        }
                    }
                    other => refuse(format!("date_part as {other} is computed here")),
                }
            }
            ("substr" | "substring", _) => {
                let (text, start, length) = substring_of(args)?;
                let length = length.map(|n| format!(", {n}")).unwrap_or_default();
                Ok(format!("SUBSTRING({}, {start}{length})", utf8mb4(text)))
            }
            ("character_length" | "char_length" | "length", [text])
                if text.kind()? == Kind::Text =>
            {
                Ok(format!("CHAR_LENGTH({})", utf8mb4(text)))
            }
            _ => refuse(format!("the function {name} is computed here")),
        }
    }
}
