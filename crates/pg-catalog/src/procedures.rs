//! The functions that a statement can call, for `pg_proc`.
//!
//! Those that PostgreSQL has too are listed as it lists them, overload by overload, over the types
//! that the server has. Those that it does not have are listed by what they say of their arguments.
//! What rows of other catalogs name is listed, too: how values are read and written, what is behind an
//! operator or a cast.

use std::collections::{BTreeSet, HashMap, HashSet};

use arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::{Signature, TypeSignature, Volatility};
use inflowave_engine::StatementView;
use inflowave_query_api::WireType;

use crate::data::{FUNCTIONS, FunctionSpec, SUPPORT_FUNCTIONS};
use crate::oid::Taken;
use crate::type_name;

/// `"any"`.
const ANY: u32 = 2276;
/// Overloads listed of a function that PostgreSQL does not have, at most.
const OVERLOADS_MAX: usize = 12;

#[derive(Debug)]
pub(crate) struct Procedures {
    /// By name, then OID.
    pub all: Vec<FunctionSpec>,
    by_oid: HashMap<u32, usize>,
}

impl Procedures {
    pub fn of(view: &StatementView) -> Procedures {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        names.extend(view.scalar_functions().map(|(name, _)| name.as_str()));
        names.extend(view.aggregate_functions().map(|(name, _)| name.as_str()));
        names.extend(view.window_functions().map(|(name, _)| name.as_str()));
        names.extend(view.table_functions().map(String::as_str));
        let known: HashSet<&str> = FUNCTIONS.iter().map(|f| f.name.as_str()).collect();
        let familiar = FUNCTIONS.iter().filter(|f| names.contains(f.name.as_str()));
        let listed = familiar.chain(SUPPORT_FUNCTIONS.iter());
        let mut all: Vec<FunctionSpec> = listed.cloned().collect();
        let of_postgresql = FUNCTIONS.iter().chain(SUPPORT_FUNCTIONS.iter());
        let mut taken = Taken::with(of_postgresql.map(|f| f.oid));
        // What stands for an operator or a cast in a plan is called pg_.. and no function of SQL.
        let foreign = |name: &str| !known.contains(name) && !name.starts_with("pg_");
        let mut add = |name: &str, kind, signature: &Signature, result: &ResultType| {
            let overloads = overloads(signature);
            for arguments in overloads {
                all.push(described(
                    name, kind, signature, &arguments, result, &mut taken,
                ));
            }
        };
        let mut scalars: Vec<_> = view.scalar_functions().collect();
        scalars.sort_by_key(|(name, _)| *name);
        for (name, function) in scalars.into_iter().filter(|(name, _)| foreign(name)) {
            add(name, "f", function.signature(), &|a| {
                function.return_type(a).ok()
            });
        }
        let mut aggregates: Vec<_> = view.aggregate_functions().collect();
        aggregates.sort_by_key(|(name, _)| *name);
        for (name, function) in aggregates.into_iter().filter(|(name, _)| foreign(name)) {
            add(name, "a", function.signature(), &|a| {
                function.return_type(a).ok()
            });
        }
        let mut windows: Vec<_> = view.window_functions().collect();
        windows.sort_by_key(|(name, _)| *name);
        for (name, function) in windows.into_iter().filter(|(name, _)| foreign(name)) {
            add(name, "w", function.signature(), &|_| None);
        }
        all.sort_by(|a, b| (&a.name, a.oid).cmp(&(&b.name, b.oid)));
        let by_oid = all.iter().enumerate().map(|(i, f)| (f.oid, i)).collect();
        Procedures { all, by_oid }
    }

    pub fn get(&self, oid: u32) -> Option<&FunctionSpec> {
        self.by_oid.get(&oid).map(|i| &self.all[*i])
    }
}

type ResultType<'a> = dyn Fn(&[DataType]) -> Option<DataType> + 'a;

/// What a function takes; `None` where it takes anything.
fn overloads(signature: &Signature) -> Vec<Option<Vec<DataType>>> {
    if matches!(signature.type_signature, TypeSignature::Nullary) {
        return vec![Some(Vec::new())];
    }
    let mut seen = HashSet::new();
    let mut all: Vec<Option<Vec<DataType>>> = Vec::new();
    for types in signature.type_signature.get_example_types() {
        let oids: Option<Vec<u32>> = types.iter().map(oid_of).collect();
        if oids.is_some_and(|oids| seen.insert(oids)) {
            all.push(Some(types));
        }
        if all.len() == OVERLOADS_MAX {
            break;
        }
    }
    if all.is_empty() {
        all.push(None);
    }
    all
}

fn oid_of(t: &DataType) -> Option<u32> {
    WireType::of(&Field::new("", t.clone(), true))
        .ok()
        .map(|t| t.oid)
}

fn described(
    name: &str,
    kind: &'static str,
    signature: &Signature,
    arguments: &Option<Vec<DataType>>,
    result: &ResultType,
    taken: &mut Taken,
) -> FunctionSpec {
    let given = arguments.as_deref();
    let oids: Vec<u32> = match given {
        Some(types) => types.iter().map(|t| oid_of(t).unwrap_or(ANY)).collect(),
        None => vec![ANY],
    };
    let result = given
        .and_then(result)
        .and_then(|t| oid_of(&t))
        .unwrap_or(ANY);
    let texts: Vec<String> = oids.iter().map(|o| type_name::format(*o, None)).collect();
    let arguments_text = match given {
        Some(_) => texts.join(", "),
        None => format!("VARIADIC {}", texts.join(", ")),
    };
    let path: Vec<&str> = ["function", name, kind]
        .into_iter()
        .chain(texts.iter().map(String::as_str))
        .collect();
    FunctionSpec {
        oid: taken.take(&path),
        name: name.to_owned(),
        kind,
        volatility: match signature.volatility {
            Volatility::Immutable => "i",
            Volatility::Stable => "s",
            Volatility::Volatile => "v",
        },
        strict: false,
        returns_set: false,
        leakproof: false,
        parallel: "s",
        defaults: 0,
        variadic: if given.is_none() { ANY } else { 0 },
        result,
        result_text: type_name::format(result, None),
        arguments: oids,
        arguments_text,
    }
}

/// The name that a `regproc` is printed as; its number where there is none.
pub(crate) fn name_of(oid: u32, procedures: &Procedures) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let known = procedures.get(oid).map(|f| f.name.as_str());
    known.map_or_else(|| oid.to_string(), str::to_owned)
}
