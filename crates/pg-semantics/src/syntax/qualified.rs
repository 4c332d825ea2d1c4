//! Names that say where a function, an operator or a collation is found.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, ObjectName, ObjectNamePart};
use inflowave_types::{Error, Result, SqlState};

/// The schema of all functions, types and operators.
const SCHEMA: &str = "pg_catalog";

/// Functions without brackets; as names of columns they would have to be quoted.
const BARE: [&str; 3] = ["current_schema", "current_role", "current_catalog"];

/// Texts are compared by their bytes, as these do.
const OUR_COLLATIONS: [&str; 5] = ["default", "C", "POSIX", "ucs_basic", "C.UTF-8"];

/// Takes away what says where something is found: there is only one place.
///
/// # Errors
/// `42883` for an operator and `42704` for a collation that there is not.
pub(super) fn resolve(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::Function(function) => unqualify(&mut function.name),
        Expr::Identifier(name) if name.quote_style.is_none() => {
            let bare = BARE
                .iter()
                .find(|bare| name.value.eq_ignore_ascii_case(bare));
            if let Some(bare) = bare {
                *expr = super::call(bare, Vec::new());
            }
        }
        Expr::BinaryOp {
            op: op @ BinaryOperator::PGCustomBinaryOperator(_),
            ..
        } => *op = operator(op)?,
        Expr::Collate {
            expr: inner,
            collation,
        } => {
            let mut name = collation.clone();
            unqualify(&mut name);
            let found = match name.0.as_slice() {
                [ObjectNamePart::Identifier(ident)] => {
                    let folded = match ident.quote_style {
                        None => ident.value.to_lowercase(),
                        Some(_) => ident.value.clone(),
                    };
                    OUR_COLLATIONS.contains(&folded.as_str())
                }
                _ => false,
            };
            if !found {
                return Err(Error::new(
                    SqlState::UndefinedObject,
                    format!("collation {collation} does not exist"),
                )
                .with_hint(format!(
                    "Texts are compared by their bytes: the collations are {}.",
                    OUR_COLLATIONS.join(", ")
                )));
            }
            // A name stays a name without it; anything else is one operand, as it was.
            *expr = match inner.as_ref() {
                simple @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) => {
                    simple.clone()
                }
                other => Expr::Nested(Box::new(other.clone())),
            };
            resolve(expr)?;
        }
        _ => {}
    }
    Ok(())
}

/// `pg_catalog.f` as `f`.
pub(super) fn unqualify(name: &mut ObjectName) {
    let first = match name.0.as_slice() {
        [ObjectNamePart::Identifier(first), _] => first,
        _ => return,
    };
    let same = match first.quote_style {
        None => first.value.eq_ignore_ascii_case(SCHEMA),
        Some(_) => first.value == SCHEMA,
    };
    if same {
        name.0.remove(0);
    }
}

/// `OPERATOR(pg_catalog.~)` as `~`.
fn operator(op: &BinaryOperator) -> Result<BinaryOperator> {
    let BinaryOperator::PGCustomBinaryOperator(parts) = op else {
        return Ok(op.clone());
    };
    let symbol = match parts.as_slice() {
        [symbol] => symbol.as_str(),
        [schema, symbol] if schema.trim_matches('"').eq_ignore_ascii_case(SCHEMA) => symbol,
        _ => "",
    };
    Ok(match symbol {
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        "^" => BinaryOperator::PGExp,
        "||" => BinaryOperator::StringConcat,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        _ => {
            return Err(Error::new(
                SqlState::UndefinedFunction,
                format!("operator does not exist: {}", parts.join(".")),
            ));
        }
    })
}
