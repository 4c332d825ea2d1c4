//! From a fragment to the query that its source runs.

use inflowave_connector_api::{Fragment, RemoteQuery, Scope};
use inflowave_types::{Error, Result};

use crate::Dialect;
use crate::node::Compiler;
use crate::operator::{COMPILED_DEPTH_MAX, is_deeper};
use crate::select::names;

/// The fragment as SQL, its text values bound as parameters.
///
/// Columns come in the order of `schema`. Their names are those of its fields where these are short,
/// plain and unique, and else `c0`, `c1`, ..: read them by position. A type of the source may be
/// wider than the field's (`bigint` for Int32, a decimal of more digits). Without a field the query
/// selects a constant: the batches have no column, and only their row counts mean something.
///
/// # Errors
/// `XX000` if the fragment holds what [`crate::supports`] or [`crate::operator`] did not allow.
pub fn compile(d: &dyn Dialect, fragment: &Fragment) -> Result<RemoteQuery> {
    let (compiler, text) = print(d, fragment)?;
    let (text, params) = match compiler.binder.finish(d, &text)? {
        (_, params) if params.len() > d.params_max() => {
            (compiler.binder.finish_inline(d, &text)?, Vec::new())
        }
        bound => bound,
    };
    Ok(RemoteQuery {
        text,
        params,
        schema: fragment.schema(),
        origins: fragment.origins(),
    })
}

/// The same with every value written into the text, for statements that take no parameters.
///
/// # Errors
/// As [`compile`].
pub fn compile_inline(d: &dyn Dialect, fragment: &Fragment) -> Result<RemoteQuery> {
    let (compiler, text) = print(d, fragment)?;
    Ok(RemoteQuery {
        text: compiler.binder.finish_inline(d, &text)?,
        params: Vec::new(),
        schema: fragment.schema(),
        origins: fragment.origins(),
    })
}

/// The text with marks for its values.
fn print<'a>(d: &'a dyn Dialect, fragment: &Fragment) -> Result<(Compiler<'a>, String)> {
    let plan = fragment.plan();
    if is_deeper(plan, COMPILED_DEPTH_MAX) {
        return Err(Error::internal("a fragment that is too deep"));
    }
    let mut compiler = Compiler::new(d);
    let select = compiler.select(plan)?;
    let columns = select.outputs(d, &Scope::of(plan));
    let text = select.print(d, &columns, &names(plan.schema().as_arrow()), &[])?;
    let text = match compiler.correlates_text {
        true => d.correlated(text),
        false => text,
    };
    Ok((compiler, text))
}
