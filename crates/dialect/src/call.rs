//! Casts and calls of functions.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;
use inflowave_connector_api::vocabulary;
use inflowave_types::PgType;

use crate::compare::compare;
use crate::expr::Printer;
use crate::value::{Answer, Arithmetic, Compare, Kind, Value, refuse};

impl Printer<'_> {
    pub(crate) fn call(&mut self, whole: &Expr, call: &ScalarFunction) -> Answer<Value> {
        let result = self.data_type(whole)?;
        let name = call.func.name();
        match name {
            vocabulary::INT_ADD => return self.checked(Arithmetic::Add, &call.args, result),
            vocabulary::INT_SUB => return self.checked(Arithmetic::Sub, &call.args, result),
            vocabulary::INT_MUL => return self.checked(Arithmetic::Mul, &call.args, result),
            vocabulary::INT_NEG | vocabulary::FLOAT_NEG => {
                let [arg] = call.args.as_slice() else {
                    return refuse("a minus of another shape");
                };
                let value = self.value(arg)?;
                return Ok(Value::computed(self.d.negate(&value)?, result));
            }
            vocabulary::INT_MOD => return self.checked(Arithmetic::Rem, &call.args, result),
            vocabulary::NUMERIC_ADD => return self.decimal(Arithmetic::Add, &call.args, result),
            vocabulary::NUMERIC_SUB => return self.decimal(Arithmetic::Sub, &call.args, result),
            vocabulary::NUMERIC_MUL => return self.decimal(Arithmetic::Mul, &call.args, result),
            vocabulary::FLOAT_ADD
            | vocabulary::FLOAT_SUB
            | vocabulary::FLOAT_MUL
            | vocabulary::FLOAT_DIV => {
                return refuse("float arithmetic is computed here, so that every digit is ours");
            }
            vocabulary::TEMPORAL_ADD | vocabulary::TEMPORAL_SUB => {
                return refuse("arithmetic over dates and times is computed here");
            }
            vocabulary::NUMERIC_DIV => {
                return refuse(format!(
                    "the digits of a quotient of decimals in {} are not ours",
                    self.d.name()
                ));
            }
            vocabulary::CAST => {
                let Some(arg) = call.args.first() else {
                    return refuse("a cast of another shape");
                };
                let value = self.value(arg)?;
                let to = call_field(self, whole);
                return self.cast_to(value, &result, &to);
            }
            "coalesce" => return self.coalesce(&call.args, result),
            "nullif" => return self.nullif(&call.args, result),
            _ => {}
        }
        let args = call
            .args
            .iter()
            .map(|arg| self.value(arg))
            .collect::<Answer<Vec<_>>>()?;
        let sql = self.d.function(name, &args, &result)?;
        Ok(Value::computed(sql, result))
    }

    fn checked(&mut self, op: Arithmetic, args: &[Expr], result: DataType) -> Answer<Value> {
        let [left, right] = args else {
            return refuse("arithmetic of another shape");
        };
        let (left, right) = (self.value(left)?, self.value(right)?);
        if left.data_type != result || right.data_type != result {
            return refuse("arithmetic over integers of different widths is computed here");
        }
        self.arithmetic(op, &left, &right, result)
    }

    fn decimal(&mut self, op: Arithmetic, args: &[Expr], result: DataType) -> Answer<Value> {
        let [left, right] = args else {
            return refuse("arithmetic of another shape");
        };
        let (left, right) = (self.value(left)?, self.value(right)?);
        self.arithmetic(op, &left, &right, result)
    }

    fn coalesce(&mut self, args: &[Expr], result: DataType) -> Answer<Value> {
        let args = args
            .iter()
            .map(|arg| self.branch(arg, &result))
            .collect::<Answer<Vec<_>>>()?;
        let sql = match args.as_slice() {
            // SQLite wants two arguments at least.
            [one] => one.clone(),
            _ => format!("COALESCE({})", args.join(", ")),
        };
        Ok(Value::computed(sql, result))
    }

    fn nullif(&mut self, args: &[Expr], result: DataType) -> Answer<Value> {
        let [value, other] = args else {
            return refuse("nullif of another shape");
        };
        let (value, other) = (self.value(value)?, self.value(other)?);
        if value.data_type != result {
            return refuse("nullif over different types is computed here");
        }
        let equal = compare(self.d, Compare::Eq, &value, &other)?;
        // NULLIF itself compares text by the column's collation.
        let sql = if value.kind()? == Kind::Text {
            if value.facts.is_none() {
                return refuse("nullif over a computed text is computed here");
            }
            let value = self.d.text_result(&value);
            format!("(CASE WHEN {equal} THEN NULL ELSE {value} END)")
        } else {
            format!("NULLIF({}, {})", value.sql, other.sql)
        };
        Ok(Value::computed(sql, result))
    }

    /// A cast with the meaning of PostgreSQL; one between representations of text is none.
    pub(crate) fn cast_to(
        &mut self,
        value: Value,
        to: &DataType,
        metadata: &HashMap<String, String>,
    ) -> Answer<Value> {
        let pg_type = metadata.get(PgType::KEY).and_then(|t| t.parse().ok());
        if matches!(
            pg_type,
            Some(PgType::Varchar(Some(_)) | PgType::Bpchar(_) | PgType::Json | PgType::Jsonb)
        ) {
            return refuse("a cast to a text type that changes its value is computed here");
        }
        let (from_kind, to_kind) = (value.kind()?, Kind::of(to)?);
        if value.data_type == *to || (from_kind == Kind::Text && to_kind == Kind::Text) {
            return Ok(Value {
                data_type: to.clone(),
                ..value
            });
        }
        let sql = self.d.cast(&value, to)?;
        let mut out = Value::computed(sql, to.clone());
        if out.kind()? == Kind::Decimal && value.kind()? == Kind::Decimal {
            out.digits = value.digits;
        }
        Ok(out)
    }
}

/// The metadata of the field that a call gives.
fn call_field(printer: &Printer<'_>, whole: &Expr) -> HashMap<String, String> {
    use datafusion_expr::ExprSchemable;
    whole
        .to_field(printer.scope.schema.as_ref())
        .map(|(_, field)| field.metadata().clone())
        .unwrap_or_default()
}
