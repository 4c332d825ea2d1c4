//! Names of output columns as PostgreSQL gives them (`FigureColname` in `parse_target.c`).

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, ObjectNamePart, OrderBy, OrderByKind, Query, Select,
    SelectItem, SetExpr, Statement, TrimWhereField, Value,
};

const UNKNOWN: &str = "?column?";

/// Names for the `width` output columns of a query; `None` where the planner's name stands.
pub(crate) fn output(statement: &Statement, width: usize) -> Vec<Option<String>> {
    let none = vec![None; width];
    let Statement::Query(query) = statement else {
        return none;
    };
    let Some(select) = first_select(&query.body) else {
        return match query.body.as_ref() {
            SetExpr::Values(_) => (1..=width).map(|i| Some(format!("column{i}"))).collect(),
            _ => none,
        };
    };
    let items: Vec<Item> = select.projection.iter().map(item).collect();
    let stars = items.iter().filter(|i| matches!(i, Item::Star)).count();
    let single = items.len() - stars;
    if stars > 1 || width < single || (stars == 0 && width != single) {
        // Which star gave how many columns is not known here.
        return none;
    }
    let mut names = Vec::with_capacity(width);
    for item in items {
        match item {
            Item::Star => names.extend(std::iter::repeat_n(None, width - single)),
            Item::Named(name) => names.push(Some(name)),
        }
    }
    names
}

/// Gives each output column that the planner could not tell from another its own name: DataFusion
/// refuses `SELECT 1, 1`, and `SELECT f(a) .. GROUP BY a ORDER BY 1`.
pub(crate) fn disambiguate(statement: &mut Statement) {
    if let Statement::Query(query) = statement {
        of_query(query);
    }
}

fn of_query(query: &mut Query) {
    of_branches(&mut query.body);
    if let (SetExpr::Select(select), Some(order_by)) = (query.body.as_mut(), &query.order_by) {
        of_positions(select, order_by);
        of_hidden(select, order_by);
    }
}

/// Aliases that `ORDER BY t.x` does not mean and the planner cannot tell from it: `f(t.x) AS x`.
fn of_hidden(select: &mut Select, order_by: &OrderBy) {
    let OrderByKind::Expressions(keys) = &order_by.kind else {
        return;
    };
    for (index, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::ExprWithAlias { expr, alias } = item else {
            continue;
        };
        let name = folded(alias);
        let qualified = keys.iter().any(|key| match &key.expr {
            Expr::CompoundIdentifier(parts) => {
                key.expr != *expr && parts.last().map(folded) == Some(name.clone())
            }
            _ => false,
        });
        let bare = keys.iter().any(|key| match &key.expr {
            Expr::Identifier(ident) => folded(ident) == name,
            _ => false,
        });
        if qualified && !bare {
            *alias = unique(&name, index);
        }
    }
}

/// The output columns that `ORDER BY` names by their positions.
fn of_positions(select: &mut Select, order_by: &OrderBy) {
    let OrderByKind::Expressions(keys) = &order_by.kind else {
        return;
    };
    let starred = |i: &SelectItem| {
        !matches!(
            i,
            SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }
        )
    };
    if select.projection.iter().any(starred) {
        return;
    }
    for key in keys {
        let Expr::Value(value) = &key.expr else {
            continue;
        };
        let Value::Number(position, _) = &value.value else {
            continue;
        };
        let index = position
            .parse::<usize>()
            .ok()
            .and_then(|p| p.checked_sub(1));
        let Some((index, item)) = index.and_then(|i| Some((i, select.projection.get_mut(i)?)))
        else {
            continue;
        };
        if let SelectItem::UnnamedExpr(expr) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        {
            *item = SelectItem::ExprWithAlias {
                alias: unique(&planned(expr), index),
                expr: expr.clone(),
            };
        }
    }
}

/// A name that no other column of the list has.
fn unique(text: &str, index: usize) -> Ident {
    Ident::with_quote('"', format!("{text} {index}"))
}

/// Each branch of a `UNION` on its own: behind the first one names do not matter.
fn of_branches(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => of_select(select),
        SetExpr::Query(query) => of_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            of_branches(left);
            of_branches(right);
            of_right(right);
        }
        _ => {}
    }
}

/// The planner gives what has no name in a branch behind the first one that of the first one's
/// column, which another column of the branch can have.
fn of_right(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        // Its own order is by its names.
        SetExpr::Query(query) if query.order_by.is_none() => return of_right(&mut query.body),
        _ => return,
    };
    for (index, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            *item = SelectItem::ExprWithAlias {
                alias: unique("", index),
                expr: expr.clone(),
            };
        }
    }
}

fn of_select(select: &mut Select) {
    let mut seen: Vec<String> = Vec::new();
    let starred = select
        .projection
        .iter()
        .any(|i| matches!(item(i), Item::Star));
    for (index, item) in select.projection.iter_mut().enumerate() {
        let text = match item {
            // A star can give the column, too.
            SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
                if starred =>
            {
                *item = SelectItem::ExprWithAlias {
                    alias: unique(&expr.to_string(), index),
                    expr: expr.clone(),
                };
                continue;
            }
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(_)) => continue,
            SelectItem::UnnamedExpr(expr) => planned(expr),
            SelectItem::ExprWithAlias { alias, .. } => alias.to_string(),
            _ => continue,
        };
        // Two subqueries can have one name for the planner, whatever their texts are.
        let is_subquery = matches!(
            item,
            SelectItem::UnnamedExpr(e) if matches!(uncast(e), Expr::Subquery(_))
        );
        if !seen.contains(&text) && !is_subquery {
            seen.push(text);
            continue;
        }
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            continue;
        };
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: unique(&text, index),
        };
    }
}

/// DataFusion names a cast after what it casts.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => uncast(expr),
        other => other,
    }
}

/// What an expression is called by the planner, as far as it is known here: `date 'x'` is a cast, too.
fn planned(expr: &Expr) -> String {
    match uncast(expr) {
        Expr::TypedString(typed) => Expr::Value(typed.value.clone()).to_string(),
        other => other.to_string(),
    }
}

enum Item {
    Named(String),
    Star,
}

fn item(item: &SelectItem) -> Item {
    match item {
        SelectItem::UnnamedExpr(expr) => {
            Item::Named(name(expr).unwrap_or_else(|| UNKNOWN.to_owned()))
        }
        SelectItem::ExprWithAlias { alias, .. } => Item::Named(folded(alias)),
        _ => Item::Star,
    }
}

fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        None => ident.value.to_lowercase(),
        Some(_) => ident.value.clone(),
    }
}

fn last(name: &ObjectName) -> Option<String> {
    match name.0.last()? {
        ObjectNamePart::Identifier(ident) => Some(folded(ident)),
        _ => None,
    }
}

fn name(expr: &Expr) -> Option<String> {
    figured(expr).map(|figure| figure.name)
}

/// A name, and whether it is more than that of a type: an expression around it takes it over then.
struct Figure {
    name: String,
    is_strong: bool,
}

impl Figure {
    fn strong(name: impl Into<String>) -> Option<Self> {
        Some(Figure {
            name: name.into(),
            is_strong: true,
        })
    }

    fn weak(name: impl Into<String>) -> Option<Self> {
        Some(Figure {
            name: name.into(),
            is_strong: false,
        })
    }
}

fn figured(expr: &Expr) -> Option<Figure> {
    let strong = |expr: &Expr| figured(expr).filter(|figure| figure.is_strong);
    match expr {
        Expr::Identifier(ident) => Figure::strong(folded(ident)),
        Expr::CompoundIdentifier(parts) => Figure::strong(folded(parts.last()?)),
        Expr::Function(function) => Figure::strong(last(&function.name)?),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figured(inner),
        // `t.a[1]` is called as `a` is.
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut fields = access_chain.iter().rev();
            let field = fields.find_map(|access| match access {
                AccessExpr::Dot(field) => figured(field),
                AccessExpr::Subscript(_) => None,
            });
            field.or_else(|| figured(root))
        }
        Expr::Cast {
            expr, data_type, ..
        } => strong(expr).or_else(|| Figure::weak(type_name(&data_type.to_string()))),
        Expr::TypedString(typed) => Figure::weak(type_name(&typed.data_type.to_string())),
        Expr::Interval(_) => Figure::weak("interval"),
        Expr::Case { else_result, .. } => else_result
            .as_deref()
            .and_then(strong)
            .or_else(|| Figure::weak("case")),
        Expr::Extract { .. } => Figure::strong("extract"),
        Expr::Substring { .. } => Figure::strong("substring"),
        Expr::Position { .. } => Figure::strong("position"),
        Expr::Trim { trim_where, .. } => Figure::strong(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            Some(TrimWhereField::Both) | None => "btrim",
        }),
        Expr::Ceil { .. } => Figure::strong("ceil"),
        Expr::Floor { .. } => Figure::strong("floor"),
        Expr::Overlay { .. } => Figure::strong("overlay"),
        Expr::Exists { .. } => Figure::strong("exists"),
        Expr::Array(_) => Figure::strong("array"),
        Expr::Tuple(_) => Figure::strong("row"),
        Expr::AtTimeZone { .. } => Figure::strong("timezone"),
        Expr::Subquery(query) => Figure::strong(subquery(query)?),
        _ => None,
    }
}

fn subquery(query: &Query) -> Option<String> {
    match item(first_select(&query.body)?.projection.first()?) {
        Item::Named(name) if name != UNKNOWN => Some(name),
        _ => None,
    }
}

/// PostgreSQL's internal name of a type.
fn type_name(text: &str) -> String {
    let text = text.to_lowercase();
    let base = text.split(['(', '[']).next().unwrap_or_default().trim();
    let base = base.strip_prefix("pg_catalog.").unwrap_or(base);
    let base = base.trim_matches('"');
    match base {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "real" => "float4",
        "double precision" | "double" | "float" => "float8",
        "decimal" => "numeric",
        "boolean" => "bool",
        "character varying" => "varchar",
        "char" | "character" => "bpchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time without time zone" => "time",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    fn parse(sql: &str) -> Statement {
        Parser::parse_sql(&PostgreSqlDialect {}, sql)
            .unwrap()
            .remove(0)
    }

    fn names(sql: &str, width: usize) -> Vec<String> {
        output(&parse(sql), width)
            .into_iter()
            .map(|n| n.unwrap_or_else(|| "-".to_owned()))
            .collect()
    }

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn names_are_postgresqls() {
        assert_eq!(
            names(
                "select 1, a, T.B, sum(x), count(*), a + 1, 1::int, a::text, case when a then b end, \
                 coalesce(a, b), extract(year from d), date '2020-01-01', true, (select max(z) from t), x as \"Y\"",
                15
            ),
            [
                "?column?", "a", "b", "sum", "count", "?column?", "int4", "a", "case", "coalesce",
                "extract", "date", "?column?", "max", "Y"
            ]
        );
        assert_eq!(
            names("select t.a[1], f(x)[2], array(select 1)", 3),
            ["a", "f", "array"]
        );
        assert_eq!(names("select *, 1 from t", 3), ["-", "-", "?column?"]);
        assert_eq!(names("values (1, 2)", 2), ["column1", "column2"]);
        assert_eq!(
            names(
                "select case when a then 1 else t.b::text end, case when a then b else 1::text end, \
                 trim(trailing ';' from a), trim(leading ' ' from a), trim(a), 'x'::regclass::oid, \
                 case when a then 1 else coalesce(b, c) end",
                7
            ),
            ["b", "case", "rtrim", "ltrim", "btrim", "oid", "coalesce"]
        );
        assert_eq!(
            names("select upper(a) from t union select b from u", 1),
            ["upper"]
        );
    }

    #[test]
    fn equal_columns_become_different_ones() {
        let mut statement = parse("select 1, 1, a, a, sum(b) from t group by a");
        disambiguate(&mut statement);
        assert_eq!(
            statement.to_string(),
            "SELECT 1, 1 AS \"1 1\", a, a AS \"a 3\", sum(b) FROM t GROUP BY a"
        );
        let mut statement = parse("select t.a, t.* from t");
        disambiguate(&mut statement);
        assert_eq!(statement.to_string(), "SELECT t.a AS \"t.a 0\", t.* FROM t");
    }
}
