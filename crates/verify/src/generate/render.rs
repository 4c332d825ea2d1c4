//! A query as text that both PostgreSQL 15 and this server read.

use super::ast::{Body, Expr, From, Item, JoinKind, Kind, Query, Select, Ty};
use crate::Value;
use crate::value::plain;

/// Renders a query; `name` gives the (quoted, qualified) name of a table of the universe.
pub fn render(query: &Query, name: &dyn Fn(usize) -> String) -> String {
    let mut out = String::new();
    Printer {
        out: &mut out,
        name,
    }
    .query(query);
    out
}

/// A name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name in double quotes where it needs them.
fn ident(name: &str) -> String {
    // PostgreSQL's reserved words, and some that another parser may take for more than a name.
    const RESERVED: &[&str] = &[
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "between",
        "binary",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "date",
        "day",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "empty",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "intersect",
        "interval",
        "into",
        "is",
        "isnull",
        "join",
        "lateral",
        "leading",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "natural",
        "not",
        "notnull",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "overlaps",
        "placing",
        "position",
        "primary",
        "rank",
        "references",
        "returning",
        "right",
        "row",
        "select",
        "session_user",
        "similar",
        "some",
        "substring",
        "symmetric",
        "table",
        "tablesample",
        "then",
        "time",
        "times",
        "timestamp",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
    ];
    let simple = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if simple && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text in single quotes, under `standard_conforming_strings`.
pub fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

struct Printer<'a> {
    out: &'a mut String,
    name: &'a dyn Fn(usize) -> String,
}

impl Printer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn list<T>(&mut self, items: &[T], separator: &str, mut each: impl FnMut(&mut Self, &T)) {
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.put(separator);
            }
            each(self, item);
        }
    }

    fn query(&mut self, query: &Query) {
        self.body(&query.body, false);
        if !query.order_by.is_empty() {
            let names: Vec<&str> = query
                .body
                .first()
                .items
                .iter()
                .map(|i| i.alias.as_str())
                .collect();
            self.put(" ORDER BY ");
            self.list(&query.order_by, ", ", |p, sort| {
                if sort.by_number {
                    p.put(&(sort.column + 1).to_string());
                } else {
                    p.put(names[sort.column]);
                }
                if sort.descending {
                    p.put(" DESC");
                }
                match sort.nulls_first {
                    Some(true) => p.put(" NULLS FIRST"),
                    Some(false) => p.put(" NULLS LAST"),
                    None => {}
                }
            });
        }
        if let Some(limit) = query.limit {
            self.put(&format!(" LIMIT {limit}"));
        }
        if let Some(offset) = query.offset {
            self.put(&format!(" OFFSET {offset}"));
        }
    }

    fn body(&mut self, body: &Body, nested: bool) {
        match body {
            Body::Select(select) => self.select(select),
            Body::Set {
                op,
                all,
                left,
                right,
            } => {
                if nested {
                    self.put("(");
                }
                self.body(left, true);
                self.put(&format!(" {op} "));
                if *all {
                    self.put("ALL ");
                }
                self.body(right, true);
                if nested {
                    self.put(")");
                }
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.put("SELECT ");
        if select.distinct {
            self.put("DISTINCT ");
        }
        self.list(&select.items, ", ", |p, Item { expr, alias }| {
            p.expr(expr);
            p.put(" AS ");
            p.put(alias);
        });
        self.put(" FROM ");
        self.from(&select.from);
        for (clause, conjuncts) in [(" WHERE ", &select.filter), (" HAVING ", &select.having)] {
            if clause == " HAVING " && !select.group_by.is_empty() {
                self.put(" GROUP BY ");
                self.list(&select.group_by, ", ", |p, e| p.expr(e));
            }
            if !conjuncts.is_empty() {
                self.put(clause);
                self.list(conjuncts, " AND ", |p, e| p.expr(e));
            }
        }
    }

    fn from(&mut self, from: &From) {
        match from {
            From::Table { table, alias } => {
                let name = (self.name)(*table);
                self.put(&format!("{name} AS {alias}"));
            }
            From::Query { query, alias } => {
                self.put("(");
                self.query(query);
                self.put(&format!(") AS {alias}"));
            }
            From::Join {
                kind,
                left,
                right,
                on,
            } => {
                self.from(left);
                self.put(match kind {
                    JoinKind::Inner => " JOIN ",
                    JoinKind::Left => " LEFT JOIN ",
                    JoinKind::Right => " RIGHT JOIN ",
                    JoinKind::Full => " FULL JOIN ",
                    JoinKind::Cross => " CROSS JOIN ",
                });
                let nested = matches!(**right, From::Join { .. });
                self.put(if nested { "(" } else { "" });
                self.from(right);
                self.put(if nested { ")" } else { "" });
                if *kind != JoinKind::Cross {
                    self.put(" ON ");
                    self.list(on, " AND ", |p, e| p.expr(e));
                }
            }
        }
    }

    fn operand(&mut self, expr: &Expr) {
        let atom = matches!(
            expr.kind,
            Kind::Column(_)
                | Kind::Literal { .. }
                | Kind::Call { .. }
                | Kind::Cast { .. }
                | Kind::Extract { .. }
                | Kind::Aggregate { .. }
                | Kind::Window { .. }
                | Kind::Scalar(_)
                | Kind::Binary { .. }
        );
        if atom {
            self.expr(expr);
        } else {
            self.put("(");
            self.expr(expr);
            self.put(")");
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Column(column) => {
                let text = format!("{}.{}", column.relation, ident(&column.name));
                self.put(&text);
            }
            Kind::Literal { value, bare } => {
                let text = literal(expr.ty, value, *bare);
                self.put(&text);
            }
            Kind::Not(arg) => {
                self.put("(NOT ");
                self.operand(arg);
                self.put(")");
            }
            Kind::Negate(arg) => {
                self.put("(- ");
                self.operand(arg);
                self.put(")");
            }
            Kind::Binary {
                op, left, right, ..
            } => {
                self.put("(");
                self.operand(left);
                self.put(&format!(" {op} "));
                self.operand(right);
                self.put(")");
            }
            Kind::IsNull { arg, negated } => {
                self.put("(");
                self.operand(arg);
                self.put(if *negated {
                    " IS NOT NULL)"
                } else {
                    " IS NULL)"
                });
            }
            Kind::InList { arg, list, negated } => {
                self.put("(");
                self.operand(arg);
                self.put(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list, ", ", |p, e| p.expr(e));
                self.put("))");
            }
            Kind::Quantified { arg, op, list, all } => {
                self.put("(");
                self.operand(arg);
                self.put(&format!(
                    " {op} {} (ARRAY[",
                    if *all { "ALL" } else { "ANY" }
                ));
                self.list(list, ", ", |p, e| p.expr(e));
                self.put("]))");
            }
            Kind::Between {
                arg,
                low,
                high,
                negated,
            } => {
                self.put("(");
                self.operand(arg);
                self.put(if *negated {
                    " NOT BETWEEN "
                } else {
                    " BETWEEN "
                });
                self.operand(low);
                self.put(" AND ");
                self.operand(high);
                self.put(")");
            }
            Kind::Like {
                arg,
                pattern,
                escape,
                insensitive,
                negated,
            } => {
                self.put("(");
                self.operand(arg);
                self.put(if *negated { " NOT" } else { "" });
                self.put(if *insensitive { " ILIKE " } else { " LIKE " });
                self.put(&string(pattern));
                if let Some(escape) = escape {
                    self.put(&format!(" ESCAPE {}", string(&escape.to_string())));
                }
                self.put(")");
            }
            Kind::Case { arms, otherwise } => {
                self.put("(CASE");
                for (when, then) in arms {
                    self.put(" WHEN ");
                    self.expr(when);
                    self.put(" THEN ");
                    self.expr(then);
                }
                if let Some(otherwise) = otherwise {
                    self.put(" ELSE ");
                    self.expr(otherwise);
                }
                self.put(" END)");
            }
            Kind::Call { name, args } => {
                self.put(&format!("{name}("));
                self.list(args, ", ", |p, e| p.expr(e));
                self.put(")");
            }
            Kind::Cast { arg, .. } => {
                self.put("CAST(");
                self.expr(arg);
                self.put(&format!(" AS {})", type_name(expr.ty)));
            }
            Kind::Extract { field, arg } => {
                self.put(&format!("extract({field} FROM "));
                self.expr(arg);
                self.put(")");
            }
            Kind::AddInterval { arg, interval } => {
                self.put("(");
                self.operand(arg);
                self.put(&format!(" + INTERVAL {})", string(interval)));
            }
            Kind::Aggregate {
                name,
                distinct,
                arg,
                filter,
            } => {
                self.put(&format!("{name}("));
                match arg {
                    None => self.put("*"),
                    Some(arg) => {
                        self.put(if *distinct { "DISTINCT " } else { "" });
                        self.expr(arg);
                    }
                }
                self.put(")");
                if let Some(filter) = filter {
                    self.put(" FILTER (WHERE ");
                    self.expr(filter);
                    self.put(")");
                }
            }
            Kind::Window {
                name,
                args,
                partition_by,
                order_by,
                rows_preceding,
            } => {
                self.put(&format!("{name}("));
                self.list(args, ", ", |p, e| p.expr(e));
                self.put(") OVER (");
                if !partition_by.is_empty() {
                    self.put("PARTITION BY ");
                    self.list(partition_by, ", ", |p, e| p.expr(e));
                }
                if !order_by.is_empty() {
                    self.put(if partition_by.is_empty() {
                        "ORDER BY "
                    } else {
                        " ORDER BY "
                    });
                    self.list(order_by, ", ", |p, sort| {
                        p.expr(&sort.expr);
                        p.put(if sort.descending { " DESC" } else { "" });
                    });
                }
                if let Some(n) = rows_preceding {
                    self.put(&format!(" ROWS BETWEEN {n} PRECEDING AND CURRENT ROW"));
                }
                self.put(")");
            }
            Kind::Exists { query, negated } => {
                self.put(if *negated {
                    "(NOT EXISTS ("
                } else {
                    "(EXISTS ("
                });
                self.query(query);
                self.put("))");
            }
            Kind::InQuery {
                arg,
                query,
                negated,
            } => {
                self.put("(");
                self.operand(arg);
                self.put(if *negated { " NOT IN (" } else { " IN (" });
                self.query(query);
                self.put("))");
            }
            Kind::Scalar(query) => {
                self.put("(");
                self.query(query);
                self.put(")");
            }
        }
    }
}

/// The name that both sides read in a cast.
pub fn type_name(ty: Ty) -> String {
    match ty {
        Ty::Bool => "boolean".to_owned(),
        Ty::Int2 => "smallint".to_owned(),
        Ty::Int4 => "integer".to_owned(),
        Ty::Int8 => "bigint".to_owned(),
        Ty::Float => "double precision".to_owned(),
        Ty::Numeric(p, s) => format!("numeric({p},{s})"),
        Ty::Text | Ty::Char => "text".to_owned(),
        Ty::Date => "date".to_owned(),
        Ty::Timestamp => "timestamp".to_owned(),
        Ty::TimestampTz => "timestamptz".to_owned(),
        Ty::Bytes => "bytea".to_owned(),
        Ty::Uuid => "uuid".to_owned(),
    }
}

fn literal(ty: Ty, value: &Value, bare: bool) -> String {
    let text = plain(value);
    match (ty, value) {
        (_, Value::Null) => format!("CAST(NULL AS {})", type_name(ty)),
        (Ty::Bool, _) => text,
        // PostgreSQL reads a minus in front of a literal as an operator.
        (Ty::Int4, Value::Int(i)) if *i > i64::from(i32::MIN) && *i < 0 => format!("({text})"),
        (Ty::Int4, Value::Int(i)) if *i >= 0 => text,
        (Ty::Int2 | Ty::Int4 | Ty::Int8, Value::Int(i64::MIN)) => {
            format!("CAST('{text}' AS {})", type_name(ty))
        }
        (Ty::Int2 | Ty::Int4 | Ty::Int8, _) => format!("CAST({text} AS {})", type_name(ty)),
        (Ty::Numeric(..), Value::Decimal(_)) if text.starts_with('-') => format!("({text})"),
        (Ty::Numeric(..), Value::Decimal(_)) => text,
        (Ty::Float, Value::Float(x)) if bare && x.is_finite() && !text.contains('e') => {
            // A numeric literal next to a float becomes a float.
            let text = if text.contains('.') {
                text
            } else {
                format!("{text}.0")
            };
            if text.starts_with('-') {
                format!("({text})")
            } else {
                text
            }
        }
        (Ty::Float, _) => format!("CAST('{text}' AS double precision)"),
        (Ty::Text, _) if !bare => format!("CAST({} AS text)", string(&text)),
        (Ty::Date, _) if !bare => format!("DATE {}", string(&text)),
        (Ty::Timestamp, _) if !bare => format!("TIMESTAMP {}", string(&text)),
        (Ty::TimestampTz, _) if !bare => format!("TIMESTAMPTZ {}", string(&text)),
        (Ty::Bytes | Ty::Uuid, _) if !bare => {
            format!("CAST({} AS {})", string(&text), type_name(ty))
        }
        _ => string(&text),
    }
}
