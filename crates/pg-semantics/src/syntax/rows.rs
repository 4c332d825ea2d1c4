//! Functions that give rows. Each is a function that gives a list, and `unnest` of it: in a list of
//! outputs as it stands there, in `FROM` a relation, of a subquery where its rows have columns.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart,
    SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableFunctionArgs, UnaryOperator, Value,
    visit_expressions, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::{call, qualified};
use crate::functions::{NUMBERED, SERIES, SUBSCRIPTS};

struct OfRows {
    name: &'static str,
    /// The function that gives a list; `None` of `unnest`, which takes one.
    list: Option<&'static str>,
    /// What the items of the list are made of; none of single values, whose column is called as
    /// the table is.
    columns: &'static [&'static str],
    /// What its column of single values is called, if not as the table is.
    column: Option<&'static str>,
}

impl OfRows {
    const fn called(mut self, column: &'static str) -> OfRows {
        self.column = Some(column);
        self
    }
}

const fn of_rows(
    name: &'static str,
    list: &'static str,
    columns: &'static [&'static str],
) -> OfRows {
    OfRows {
        name,
        list: Some(list),
        columns,
        column: None,
    }
}

const FUNCTIONS: &[OfRows] = &[
    OfRows {
        name: "unnest",
        list: None,
        columns: &[],
        column: None,
    },
    of_rows("generate_series", SERIES, &[]),
    of_rows("generate_subscripts", SUBSCRIPTS, &[]),
    of_rows("_pg_expandarray", NUMBERED, &["x", "n"]),
    of_rows(
        "aclexplode",
        "pg_acl_items",
        &["grantor", "grantee", "privilege_type", "is_grantable"],
    ),
    of_rows("regexp_matches", "pg_regexp_matches", &["regexp_matches"]),
    of_rows("json_array_elements", "pg_json_elements", &["value"]).called("value"),
    of_rows("json_array_elements_text", "pg_json_elements_text", &[]).called("value"),
    of_rows("json_object_keys", "pg_json_keys", &[]),
    of_rows("json_each", "pg_json_fields", &["key", "value"]),
    of_rows("json_each_text", "pg_json_fields_text", &["key", "value"]),
    of_rows("jsonb_array_elements", "pg_jsonb_elements", &["value"]).called("value"),
    of_rows("jsonb_array_elements_text", "pg_jsonb_elements_text", &[]).called("value"),
    of_rows("jsonb_object_keys", "pg_jsonb_keys", &[]),
    of_rows("jsonb_each", "pg_jsonb_fields", &["key", "value"]),
    of_rows("jsonb_each_text", "pg_jsonb_fields_text", &["key", "value"]),
    of_rows("regexp_split_to_table", "regexp_split_to_array", &[]),
    of_rows("string_to_table", "pg_string_items", &[]),
    of_rows(
        "pg_options_to_table",
        "pg_option_items",
        &["option_name", "option_value"],
    ),
    of_rows("pg_partition_ancestors", "pg_partition_parents", &["relid"]),
    of_rows(
        "pg_partition_tree",
        "pg_partition_items",
        &["relid", "parentrelid", "isleaf", "level"],
    ),
    of_rows(
        "ts_token_type",
        "pg_token_types",
        &["tokid", "alias", "description"],
    ),
];

/// Functions that give the rows of a view of the system catalog.
const VIEWS: [(&str, &str); 2] = [
    ("pg_show_all_settings", "pg_settings"),
    ("pg_available_extensions", "pg_available_extensions"),
];

/// Functions that the planner has as tables.
const TABLE_FUNCTIONS: [&str; 4] = [
    "generate_series",
    "range",
    "pg_timezone_names",
    "pg_get_keywords",
];

/// The alias of a `generate_series` that stays as it is.
const DONE: &str = "__series";

const INFORMATION_SCHEMA: &str = "information_schema";

/// `e` for `e.value` where `e` is the alias of a function whose column is called `value`: the row of a
/// single value is that value.
pub(super) fn whole_rows(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut aliases: Vec<(Ident, &'static str)> = Vec::new();
            for from in &select.from {
                let joined = from.joins.iter().map(|join| &join.relation);
                for factor in std::iter::once(&from.relation).chain(joined) {
                    let (name, alias) = match factor {
                        TableFactor::Table {
                            name,
                            alias: Some(alias),
                            args: Some(_),
                            ..
                        }
                        | TableFactor::Function {
                            name,
                            alias: Some(alias),
                            ..
                        } => (name, alias),
                        _ => continue,
                    };
                    let column = called(name).and_then(|f| f.column);
                    if let (Some(column), true) = (column, alias.columns.is_empty()) {
                        aliases.push((alias.name.clone(), column));
                    }
                }
            }
            if aliases.is_empty() {
                return;
            }
            let _ = visit_expressions_mut(select, |e: &mut Expr| {
                if let Expr::Identifier(ident) = e
                    && let Some((alias, column)) =
                        aliases.iter().find(|(a, _)| folded(a) == folded(ident))
                {
                    *e = Expr::CompoundIdentifier(vec![alias.clone(), Ident::new(*column)]);
                }
                ControlFlow::<()>::Continue(())
            });
        }
        SetExpr::SetOperation { left, right, .. } => {
            whole_rows(left);
            whole_rows(right);
        }
        _ => {}
    }
}

fn called(name: &ObjectName) -> Option<&'static OfRows> {
    let mut name = name.clone();
    qualified::unqualify(&mut name);
    let ident = match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => ident,
        [
            ObjectNamePart::Identifier(schema),
            ObjectNamePart::Identifier(ident),
        ] if schema.value.eq_ignore_ascii_case(INFORMATION_SCHEMA) => ident,
        _ => return None,
    };
    let name = folded(ident);
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// What stands for a call in an expression.
pub(super) fn in_expression(name: &ObjectName, args: &[FunctionArg]) -> Option<Expr> {
    let function = called(name)?;
    let list = function.list?;
    let items = call("unnest", vec![call(list, positional(args)?)]);
    Some(match function.columns {
        // A row of one column is that column.
        [column] => field(items, column),
        _ => items,
    })
}

/// - `pg_catalog.f(..)` loses its schema.
/// - In `generate_series(1, 3) s` the column is called `s` too.
/// - `generate_series` over more than literals becomes an `unnest` of the list, which the planner can
///   give columns from outside.
/// - Rows of more columns become a subquery that takes them apart.
pub(super) fn in_from(factor: &mut TableFactor) {
    // A function that is lateral in words is one that may be.
    if let TableFactor::Function {
        name,
        args,
        with_ordinality,
        alias,
        ..
    } = factor
    {
        *factor = TableFactor::Table {
            name: name.clone(),
            alias: alias.take(),
            args: Some(TableFunctionArgs {
                args: std::mem::take(args),
                settings: None,
            }),
            with_hints: Vec::new(),
            version: None,
            with_ordinality: *with_ordinality,
            partitions: Vec::new(),
            json_path: None,
            sample: None,
            index_hints: Vec::new(),
        };
    }
    match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            alias,
            with_ordinality,
            ..
        } => {
            let Some(function) = called(name) else {
                qualified::unqualify(name);
                fold_table(factor);
                of_view(factor);
                of_value(factor);
                return;
            };
            let Some(exprs) = positional(&args.args) else {
                return;
            };
            // What was rewritten is visited again.
            if alias.as_ref().is_some_and(|a| a.name.value == DONE) {
                return;
            }
            let (alias, numbered) = (alias.take(), *with_ordinality);
            qualified::unqualify(name);
            if function.name == "generate_series" && !numbered && exprs.iter().all(is_whole) {
                let small = exprs.iter().all(is_int4);
                let alias = named(alias, function.name);
                set_alias(factor, alias.clone());
                fold(factor);
                if small && let Some(narrow) = narrowed(factor, &alias) {
                    *factor = narrow;
                }
                return;
            }
            let list = match function.list {
                None if exprs.len() != 1 => {
                    *factor = unnest(exprs, named(alias, function.name));
                    return;
                }
                None => exprs.into_iter().next(),
                Some(list) => Some(call(list, exprs)),
            };
            if let Some(list) = list {
                *factor =
                    relation(function, list, alias, numbered).unwrap_or_else(|| factor.clone());
            }
        }
        TableFactor::UNNEST {
            alias,
            array_exprs,
            with_offset: false,
            with_ordinality,
            ..
        } if array_exprs.len() == 1 => {
            if *with_ordinality {
                let list = array_exprs.remove(0);
                let alias = alias.take();
                if let Some(numbered) = relation(&FUNCTIONS[0], list, alias, true) {
                    *factor = numbered;
                }
            } else {
                *alias = Some(named(alias.take(), "unnest"));
            }
        }
        _ => {}
    }
}

fn fold_table(factor: &mut TableFactor) {
    let known = match factor {
        TableFactor::Table { name, .. } => match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => {
                TABLE_FUNCTIONS.contains(&folded(ident).as_str())
            }
            _ => false,
        },
        _ => false,
    };
    if known {
        fold(factor);
    }
}

/// The planner finds tables by their names as they are written.
fn fold(factor: &mut TableFactor) {
    if let TableFactor::Table { name, .. } = factor
        && let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
    {
        *ident = Ident::new(folded(ident));
    }
}

fn of_view(factor: &mut TableFactor) {
    if let TableFactor::Table { name, args, .. } = factor
        && let [ObjectNamePart::Identifier(ident)] = name.0.as_slice()
        && let Some((_, view)) = VIEWS
            .iter()
            .find(|(f, _)| ident.value.eq_ignore_ascii_case(f))
    {
        *args = None;
        *name = ObjectName::from(vec![Ident::new("pg_catalog"), Ident::new(*view)]);
    }
}

/// A function that gives one value is a relation of one row; what is no table function is one.
fn of_value(factor: &mut TableFactor) {
    if let TableFactor::Table {
        name,
        args: Some(args),
        alias,
        with_ordinality: false,
        ..
    } = factor
        && let [ObjectNamePart::Identifier(ident)] = name.0.as_slice()
        && !TABLE_FUNCTIONS
            .iter()
            .any(|f| ident.value.eq_ignore_ascii_case(f))
        && let Some(args) = positional(&args.args)
    {
        let function = folded(ident);
        let alias = named(alias.take(), &function);
        let lateral = match args.iter().any(names_columns) {
            true => "LATERAL ",
            false => "",
        };
        let value = parsed(&format!(
            "{lateral}(SELECT {} AS {}) AS \"__alias\"",
            call(&function, args),
            Ident::with_quote('"', called_as(&alias))
        ));
        if let Some(mut value) = value {
            set_alias(&mut value, alias);
            *factor = value;
        }
    }
}

fn unnest(lists: Vec<Expr>, alias: TableAlias) -> TableFactor {
    TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs: lists,
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    }
}

/// The relation that a list of values, or of rows, is.
fn relation(
    function: &OfRows,
    list: Expr,
    alias: Option<TableAlias>,
    numbered: bool,
) -> Option<TableFactor> {
    if function.columns.is_empty() && !numbered {
        let mut alias = alias;
        if let (Some(column), None) = (
            function.column,
            alias.as_ref().and_then(|a| a.columns.first()),
        ) {
            let alias = alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: Ident::new(function.name),
                columns: Vec::new(),
                at: None,
            });
            alias.columns = vec![TableAliasColumnDef {
                name: Ident::new(column),
                data_type: None,
            }];
        }
        return Some(unnest(vec![list], named(alias, function.name)));
    }
    let mut alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(function.name),
        columns: Vec::new(),
        at: None,
    });
    // Each row of the items, and its number behind it.
    let (list, fields) = match (numbered, function.columns) {
        (false, columns) => {
            // A value without a name of its own is called as the relation is.
            let called = |c: &str| match c == function.name {
                true => called_as(&alias),
                false => c.to_owned(),
            };
            let fields = columns.iter().map(|c| (field(row(), c), called(c)));
            (list, fields.collect::<Vec<_>>())
        }
        (true, columns) => {
            let item = field(row(), "x");
            let mut fields: Vec<(Expr, String)> = match columns {
                [] => {
                    let name = function
                        .column
                        .map_or_else(|| called_as(&alias), str::to_owned);
                    vec![(item, name)]
                }
                columns => columns
                    .iter()
                    .map(|c| (field(item.clone(), c), (*c).to_owned()))
                    .collect(),
            };
            fields.push((bigint(field(row(), "n")), "ordinality".to_owned()));
            (call(NUMBERED, vec![list]), fields)
        }
    };
    let outputs: Vec<String> = fields
        .iter()
        .map(|(expr, name)| format!("{expr} AS {}", Ident::with_quote('"', name)))
        .collect();
    let lateral = if names_columns(&list) { "LATERAL " } else { "" };
    // The columns that the alias names are those of the subquery, and then the rest as they are.
    let columns = std::mem::take(&mut alias.columns);
    let mut factor = parsed(&format!(
        "{lateral}(SELECT {} FROM UNNEST({list}) AS \"__rows\"(\"__row\")) AS \"__alias\"",
        outputs.join(", ")
    ))?;
    alias.columns = columns;
    set_alias(&mut factor, alias);
    Some(factor)
}

fn bigint(number: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(number),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

fn called_as(alias: &TableAlias) -> String {
    folded(&alias.name)
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        None => ident.value.to_lowercase(),
        Some(_) => ident.value.clone(),
    }
}

fn row() -> Expr {
    Expr::Identifier(Ident::with_quote('"', "__row"))
}

fn field(row: Expr, name: &str) -> Expr {
    let name = Expr::Value(Value::SingleQuotedString(name.to_owned()).into());
    call("get_field", vec![row, name])
}

/// `generate_series` of integers, of which DataFusion makes bigints.
fn narrowed(factor: &TableFactor, alias: &TableAlias) -> Option<TableFactor> {
    let mut inner = factor.clone();
    let name = alias.columns.first()?.name.clone();
    let series = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', DONE),
        columns: vec![TableAliasColumnDef {
            name: Ident::with_quote('"', "__value"),
            data_type: None,
        }],
        at: None,
    };
    set_alias(&mut inner, series);
    let mut factor = parsed(&format!(
        "(SELECT CAST(\"__value\" AS integer) AS {} FROM {inner}) AS \"__alias\"",
        Ident::with_quote('"', called_as(alias))
    ))?;
    let mut alias = alias.clone();
    alias.columns = vec![TableAliasColumnDef {
        name,
        data_type: None,
    }];
    set_alias(&mut factor, alias);
    Some(factor)
}

/// A relation that this module wrote.
fn parsed(text: &str) -> Option<TableFactor> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    parser.parse_table_factor().ok()
}

fn set_alias(factor: &mut TableFactor, new: TableAlias) {
    if let TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } = factor {
        *alias = Some(new);
    }
}

/// The alias with a name for the one column.
fn named(alias: Option<TableAlias>, function: &str) -> TableAlias {
    let mut alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(function),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        alias.columns = vec![TableAliasColumnDef {
            name: alias.name.clone(),
            data_type: None,
        }];
    }
    alias
}

fn positional(args: &[FunctionArg]) -> Option<Vec<Expr>> {
    let args = args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    args.collect()
}

/// Can it speak of columns of what stands before it?
fn names_columns(expr: &Expr) -> bool {
    visit_expressions(expr, |e| match e {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// Is it a whole number? Of these the planner makes a table, however many there are.
fn is_whole(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse::<i64>().is_ok(),
            _ => false,
        },
        Expr::Nested(inner)
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr: inner,
        } => is_whole(inner),
        Expr::Cast {
            expr: inner,
            data_type,
            ..
        } => super::is_integer(data_type) && is_whole(inner),
        _ => false,
    }
}

/// Is it a number that is an integer?
fn is_int4(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse::<i32>().is_ok(),
            _ => false,
        },
        Expr::Nested(inner)
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr: inner,
        } => is_int4(inner),
        _ => false,
    }
}
