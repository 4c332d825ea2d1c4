//! Which of PostgreSQL's types an expression has, where Arrow has one type for several: `CASE` over
//! `varchar`s is a `varchar`, the array of `oid`s an `oid[]`.
//!
//! What DataFusion drops of the metadata of columns is put back on the outputs of projections. An
//! array carries the type of its items itself: in the field of its items it would be a part of the
//! array's Arrow type.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, ExprSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{
    Distinct, DistinctOn, Expr, ExprSchemable, LogicalPlan, Projection, Union,
};
use datafusion::optimizer::AnalyzerRule;
use inflowave_types::PgType;

use crate::cast::pg_type;
use crate::functions;
use crate::type_planner::EXPLICIT;

#[derive(Debug)]
pub(crate) struct ResultTypes;

impl AnalyzerRule for ResultTypes {
    fn name(&self) -> &'static str {
        "pg_result_types"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut changed = false;
        plan.transform_up_with_subqueries(|node| {
            // What stands above a change says the fields of what stands below it.
            let node = match changed {
                true => node.recompute_schema()?,
                false => node,
            };
            let done = match node {
                LogicalPlan::Projection(projection) => project(projection)?,
                LogicalPlan::Union(union) => unite(union)?,
                LogicalPlan::Distinct(Distinct::On(distinct)) => first_of_each(distinct)?,
                other => Transformed::no(other),
            };
            changed |= done.transformed;
            Ok(done)
        })
        .map(|t| t.data)
    }
}

fn project(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let Some(exprs) = tagged(&projection.expr, &projection.input)? else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let projection = Projection::try_new(exprs, projection.input)?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

fn first_of_each(distinct: DistinctOn) -> Result<Transformed<LogicalPlan>> {
    let Some(exprs) = tagged(&distinct.select_expr, &distinct.input)? else {
        let distinct = Distinct::On(distinct);
        return Ok(Transformed::no(LogicalPlan::Distinct(distinct)));
    };
    let distinct =
        DistinctOn::try_new(distinct.on_expr, exprs, distinct.sort_expr, distinct.input)?;
    let distinct = Distinct::On(distinct);
    Ok(Transformed::yes(LogicalPlan::Distinct(distinct)))
}

/// Outputs over `input` with the types that they do not say; `None` if there is none.
fn tagged(outputs: &[Expr], input: &LogicalPlan) -> Result<Option<Vec<Expr>>> {
    let schema = input.schema();
    let mut marked = HashMap::new();
    for (index, expr) in outputs.iter().enumerate() {
        let (_, field) = expr.to_field(schema)?;
        if !field.metadata().contains_key(PgType::KEY)
            && let Tag::Is(tag) = tag(expr, schema, input)?
            && fits(tag, &field)
        {
            marked.insert(index, tag);
        }
    }
    if marked.is_empty() {
        return Ok(None);
    }
    let exprs = outputs.iter().cloned().enumerate();
    let exprs = exprs.map(|(index, expr)| match marked.get(&index) {
        Some(tag) => with_tag(expr, &tag.to_string()),
        None => expr,
    });
    Ok(Some(exprs.collect()))
}

/// Branches of a union whose columns say another type than the union's: DataFusion gives it the one
/// that any of them says.
fn unite(union: Union) -> Result<Transformed<LogicalPlan>> {
    let mut wanted = Vec::new();
    for at in 0..union.schema.fields().len() {
        let mut tags = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            tags.push(output(input, at)?);
        }
        let said = |t: &&Tag| matches!(t, Tag::Is(_));
        let first = tags.iter().find(said);
        let one = tags.iter().filter(said).all(|t| Some(t) == first);
        let common = common(tags.iter().copied());
        let now = pg_type(union.schema.field(at)).map_or(Tag::Plain, Tag::Is);
        let as_it_is = one && first.copied().unwrap_or(Tag::Plain) == common && now == common;
        wanted.push((!as_it_is).then_some(common));
    }
    if wanted.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for input in union.inputs {
        let columns = input.schema().iter().zip(&wanted);
        let columns = columns.map(|((qualifier, field), wanted)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            match (wanted, pg_type(field)) {
                (Some(Tag::Is(tag)), now) if now != Some(*tag) => {
                    with_tag(column, &tag.to_string())
                }
                (Some(Tag::Is(_)), _) => column,
                (Some(_), Some(_)) => with_tag(column, PLAIN),
                _ => column,
            }
        });
        let columns = columns.collect::<Vec<_>>();
        let projection = Projection::try_new(columns, input)?;
        inputs.push(Arc::new(LogicalPlan::Projection(projection)));
    }
    // The names and qualifiers of its columns stay.
    let fields = union.schema.iter().zip(&wanted);
    let fields = fields.map(|((qualifier, field), wanted)| {
        let mut field = field.as_ref().clone();
        if let Some(wanted) = wanted {
            let mut metadata = field.metadata().clone();
            let tag = match wanted {
                Tag::Is(tag) => tag.to_string(),
                _ => PLAIN.to_owned(),
            };
            metadata.insert(PgType::KEY.to_owned(), tag);
            field.set_metadata(metadata);
        }
        (qualifier.cloned(), Arc::new(field))
    });
    let schema =
        DFSchema::new_with_metadata(fields.collect(), union.schema.as_ref().metadata().clone())?;
    Ok(Transformed::yes(LogicalPlan::Union(Union {
        inputs,
        schema: Arc::new(schema),
    })))
}

/// What is known of a column of a branch.
fn output(branch: &LogicalPlan, at: usize) -> Result<Tag> {
    Ok(match branch {
        LogicalPlan::Projection(p) => match p.expr.get(at) {
            // Its field can say the type of another branch.
            Some(expr) => tag(expr, p.input.schema(), &p.input)?,
            None => Tag::Plain,
        },
        LogicalPlan::SubqueryAlias(a) => output(&a.input, at)?,
        _ => pg_type(branch.schema().field(at)).map_or(Tag::Plain, Tag::Is),
    })
}

/// What no type is read from: the column has the type that its Arrow type says, whatever is said of
/// the others.
const PLAIN: &str = "plain";

/// The same under the same name, with its type in its metadata.
fn with_tag(expr: Expr, tag: &str) -> Expr {
    let metadata = HashMap::from([(PgType::KEY.to_owned(), tag.to_owned())]);
    let (qualifier, name) = expr.qualified_name();
    match expr {
        Expr::Alias(Alias {
            expr,
            relation,
            name,
            ..
        }) => expr.alias_qualified_with_metadata(relation, name, Some(metadata.into())),
        expr => expr.alias_qualified_with_metadata(qualifier, name, Some(metadata.into())),
    }
}

/// A value of the kind that the type's values are kept as, or an array of them.
fn fits(tag: PgType, field: &FieldRef) -> bool {
    let mut t = field.data_type();
    while let DataType::List(item) = t {
        t = item.data_type();
    }
    match tag {
        PgType::Oid
        | PgType::Xid
        | PgType::Regproc
        | PgType::Regprocedure
        | PgType::Regoperator
        | PgType::Regdictionary
        | PgType::Regconfig
        | PgType::Regcollation
        | PgType::Regclass
        | PgType::Regtype
        | PgType::Regnamespace
        | PgType::Regrole => *t == DataType::Int64,
        PgType::Int2vector | PgType::Oidvector => false,
        _ => matches!(t, DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8),
    }
}

/// What is known of an expression's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// A literal that takes the type of what stands beside it.
    Unknown,
    /// What its Arrow type says.
    Plain,
    Is(PgType),
}

/// The type that the values of all of them have.
fn common(tags: impl IntoIterator<Item = Tag>) -> Tag {
    let (mut all, mut unknown) = (Tag::Unknown, false);
    for tag in tags {
        all = match (all, tag) {
            (all, Tag::Unknown) => {
                unknown = true;
                all
            }
            (Tag::Unknown, tag) => tag,
            (Tag::Is(a), Tag::Is(b)) if a == b => all,
            // A number beside an OID becomes one.
            (Tag::Is(PgType::Oid), Tag::Plain) | (Tag::Plain, Tag::Is(PgType::Oid)) => {
                Tag::Is(PgType::Oid)
            }
            (Tag::Plain, _) => return Tag::Plain,
            // A `name` is none of the others without being told to be; they are names.
            (Tag::Is(PgType::Varchar(_) | PgType::Bpchar(_)), Tag::Is(PgType::Name)) => tag,
            // The first of those that can stand for each other.
            (Tag::Is(a), _) => Tag::Is(unlimited(a)),
        };
    }
    match all {
        Tag::Is(tag) if unknown => Tag::Is(unlimited(tag)),
        Tag::Unknown => Tag::Plain,
        all => all,
    }
}

/// The type without its length.
fn unlimited(tag: PgType) -> PgType {
    match tag {
        PgType::Varchar(_) => PgType::Varchar(None),
        PgType::Bpchar(_) => PgType::Bpchar(None),
        tag => tag,
    }
}

fn tag(expr: &Expr, schema: &DFSchema, input: &LogicalPlan) -> Result<Tag> {
    let of = |expr: &Expr| tag(expr, schema, input);
    Ok(match expr {
        Expr::Alias(alias) => match alias.metadata.as_ref().and_then(said) {
            Some(tag) => tag,
            None => of(&alias.expr)?,
        },
        Expr::Literal(value, None) if value.is_null() => Tag::Unknown,
        // The analyzer's own cast of a literal.
        Expr::Cast(cast) if cast.field.name() != EXPLICIT && is_literal(&cast.expr) => Tag::Unknown,
        Expr::Literal(ScalarValue::Utf8View(_) | ScalarValue::Utf8(_), None) => Tag::Unknown,
        Expr::Column(column) => match schema.field_from_column(column).map(pg_type) {
            Ok(Some(tag)) => Tag::Is(tag),
            _ => aggregated(column, input)?,
        },
        Expr::Case(case) => {
            // That of ELSE comes first.
            let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
            let results = case.else_expr.as_deref().into_iter().chain(results);
            let tags: Vec<Tag> = results.map(of).collect::<Result<_>>()?;
            // Without ELSE there is a NULL.
            common(
                tags.into_iter()
                    .chain(case.else_expr.is_none().then_some(Tag::Unknown)),
            )
        }
        Expr::ScalarFunction(f) => match f.func.name() {
            "coalesce" | "greatest" | "least" | "make_array" | "array" => {
                let tags: Vec<Tag> = f.args.iter().map(of).collect::<Result<_>>()?;
                common(tags)
            }
            functions::ARRAY_OR_EMPTY => match f.args.first() {
                Some(list) => of(list)?,
                None => Tag::Plain,
            },
            // `varchar` has no equality of its own: it is compared as text, and given as text.
            "nullif" => match f.args.first().map(of).transpose()? {
                Some(Tag::Is(PgType::Varchar(_))) => Tag::Plain,
                Some(Tag::Is(tag)) => Tag::Is(unlimited(tag)),
                _ => Tag::Plain,
            },
            _ => of_field(expr, schema)?,
        },
        Expr::ScalarSubquery(s) => match of_field(expr, schema)? {
            Tag::Plain if !s.subquery.schema().fields().is_empty() => {
                let column = Column::from(s.subquery.schema().qualified_field(0));
                aggregated(&column, &s.subquery)?
            }
            of => of,
        },
        _ => of_field(expr, schema)?,
    })
}

/// The type that an alias gives.
fn said(metadata: &FieldMetadata) -> Option<Tag> {
    let tag = metadata.inner().get(PgType::KEY)?;
    Some(tag.parse().map_or(Tag::Plain, Tag::Is))
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, None) => value.is_null() || value.try_as_str().is_some(),
        _ => false,
    }
}

fn of_field(expr: &Expr, schema: &DFSchema) -> Result<Tag> {
    let (_, field) = expr.to_field(schema)?;
    Ok(pg_type(&field).map_or(Tag::Plain, Tag::Is))
}

/// The type of an aggregate's result, of which a column above it speaks.
fn aggregated(column: &Column, input: &LogicalPlan) -> Result<Tag> {
    let aggregate = match input {
        LogicalPlan::Aggregate(aggregate) => aggregate,
        LogicalPlan::Filter(filter) => return aggregated(column, &filter.input),
        LogicalPlan::Sort(sort) => return aggregated(column, &sort.input),
        _ => return Ok(Tag::Plain),
    };
    let Ok(index) = aggregate.schema.index_of_column(column) else {
        return Ok(Tag::Plain);
    };
    let groups = aggregate.group_expr_len()?;
    let Some(expr) = index
        .checked_sub(groups)
        .and_then(|i| aggregate.aggr_expr.get(i))
    else {
        return Ok(Tag::Plain);
    };
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    let Expr::AggregateFunction(function) = expr else {
        return Ok(Tag::Plain);
    };
    let Some(argument) = function.params.args.first() else {
        return Ok(Tag::Plain);
    };
    let of = tag(argument, aggregate.input.schema(), &aggregate.input)?;
    Ok(match (function.func.name(), of) {
        ("array_agg", Tag::Is(tag)) => Tag::Is(unlimited(tag)),
        // PostgreSQL has these for few types: the others become text.
        ("min" | "max", Tag::Is(tag @ (PgType::Oid | PgType::Bpchar(_) | PgType::Inet))) => {
            Tag::Is(unlimited(tag))
        }
        _ => Tag::Plain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_type_is_postgresqls() {
        let varchar = |n| Tag::Is(PgType::Varchar(n));
        for (tags, expected) in [
            (vec![varchar(Some(3)), varchar(Some(3))], varchar(Some(3))),
            (vec![varchar(Some(3)), varchar(Some(4))], varchar(None)),
            (vec![varchar(Some(3)), Tag::Unknown], varchar(None)),
            (vec![varchar(Some(3)), Tag::Plain], varchar(None)),
            (vec![Tag::Plain, varchar(Some(3))], Tag::Plain),
            (
                vec![varchar(None), Tag::Is(PgType::Bpchar(None))],
                varchar(None),
            ),
            (
                vec![Tag::Is(PgType::Name), Tag::Plain],
                Tag::Is(PgType::Name),
            ),
            (
                vec![varchar(Some(3)), Tag::Is(PgType::Name)],
                Tag::Is(PgType::Name),
            ),
            (vec![Tag::Plain, Tag::Is(PgType::Oid)], Tag::Is(PgType::Oid)),
            (vec![Tag::Unknown, Tag::Unknown], Tag::Plain),
            (
                vec![Tag::Unknown, Tag::Is(PgType::Json)],
                Tag::Is(PgType::Json),
            ),
        ] {
            assert_eq!(common(tags.clone()), expected, "{tags:?}");
        }
    }
}
