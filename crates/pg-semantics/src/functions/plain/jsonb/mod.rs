//! `->`, `@>` and the other operators of JSON values, and their functions.
//!
//! A value of `json` keeps its text, one of `jsonb` was printed anew when it was made; a part of
//! either is a part of that text.

mod value;

use inflowave_types::{Error, SqlState};

use super::{Arg, Body, Out, Overload, Plain, T};
pub(crate) use value::read;
use value::{Json, Part, unique};

const fn of(args: &'static [T], result: T, body: Body) -> Overload {
    Overload { args, result, body }
}

const ONE: &[T] = &[T::Json];
const KEY: &[T] = &[T::Json, T::Text];
const INDEX: &[T] = &[T::Json, T::Int8];
const PATH: &[T] = &[T::Json, T::Texts];
const TWO: &[T] = &[T::Json, T::Json];
const SET: &[T] = &[T::Json, T::Texts, T::Json];
const SET_OR: &[T] = &[T::Json, T::Texts, T::Json, T::Bool];

pub(crate) const GET: &str = "pg_json_get";
pub(crate) const GET_TEXT: &str = "pg_json_get_text";
pub(crate) const PATH_GET: &str = "pg_json_path";
pub(crate) const PATH_TEXT: &str = "pg_json_path_text";
pub(crate) const CONTAINS: &str = "pg_jsonb_contains";
pub(crate) const HAS: &str = "pg_jsonb_has";
pub(crate) const HAS_ANY: &str = "pg_jsonb_has_any";
pub(crate) const HAS_ALL: &str = "pg_jsonb_has_all";
pub(crate) const CONCAT: &str = "pg_jsonb_concat";
pub(crate) const DELETE: &str = "pg_jsonb_delete";
pub(crate) const DELETE_PATH: &str = "pg_jsonb_delete_path";

macro_rules! both {
    ($json:literal, $jsonb:literal, $overloads:expr) => {
        [
            Plain {
                name: $json,
                overloads: $overloads,
            },
            Plain {
                name: $jsonb,
                overloads: $overloads,
            },
        ]
    };
}

const TYPEOF: [Plain; 2] = both!(
    "json_typeof",
    "jsonb_typeof",
    &[of(ONE, T::Text, |_, args| {
        Ok(Out::Text(kind(&read(args[0].text())?.json).to_owned()))
    })]
);
const LENGTH: [Plain; 2] = both!(
    "json_array_length",
    "jsonb_array_length",
    &[of(ONE, T::Int4, |_, args| {
        match read(args[0].text())?.json {
            Json::Array(items) => Ok(Out::Int(items.len() as i64)),
            Json::Object(_) => Err(invalid("cannot get array length of a non-array")),
            _ => Err(invalid("cannot get array length of a scalar")),
        }
    })]
);
const STRIP: [Plain; 2] = both!(
    "json_strip_nulls",
    "jsonb_strip_nulls",
    &[of(ONE, T::Json, |_, args| {
        let mut json = read(args[0].text())?.json;
        strip(&mut json);
        Ok(Out::Text(json.printed()))
    })]
);
const ELEMENTS: [Plain; 2] = both!(
    "pg_json_elements",
    "pg_jsonb_elements",
    &[of(ONE, T::Jsons, |_, args| elements(args[0].text(), false))]
);
const ELEMENTS_TEXT: [Plain; 2] = both!(
    "pg_json_elements_text",
    "pg_jsonb_elements_text",
    &[of(ONE, T::Texts, |_, args| elements(args[0].text(), true))]
);
const EACH: [Plain; 2] = both!(
    "pg_json_fields",
    "pg_jsonb_fields",
    &[of(ONE, T::Fields(false), |_, args| each(
        args[0].text(),
        false
    ))]
);
const EACH_TEXT: [Plain; 2] = both!(
    "pg_json_fields_text",
    "pg_jsonb_fields_text",
    &[of(ONE, T::Fields(true), |_, args| each(
        args[0].text(),
        true
    ))]
);
const KEYS: [Plain; 2] = both!(
    "pg_json_keys",
    "pg_jsonb_keys",
    &[of(ONE, T::Texts, |_, args| {
        match read(args[0].text())?.json {
            Json::Object(fields) => Ok(Out::Texts(
                fields.into_iter().map(|(k, _)| Some(k)).collect(),
            )),
            Json::Array(_) => Err(invalid("cannot call jsonb_object_keys on an array")),
            _ => Err(invalid("cannot call jsonb_object_keys on a scalar")),
        }
    })]
);

pub(super) const ALL: &[Plain] = &[
    TYPEOF[0],
    TYPEOF[1],
    LENGTH[0],
    LENGTH[1],
    STRIP[0],
    STRIP[1],
    ELEMENTS[0],
    ELEMENTS[1],
    ELEMENTS_TEXT[0],
    ELEMENTS_TEXT[1],
    EACH[0],
    EACH[1],
    EACH_TEXT[0],
    EACH_TEXT[1],
    KEYS[0],
    KEYS[1],
    Plain {
        name: GET,
        overloads: &[
            of(KEY, T::Json, |_, args| by_key(args, as_json)),
            of(INDEX, T::Json, |_, args| by_index(args, as_json)),
        ],
    },
    Plain {
        name: GET_TEXT,
        overloads: &[
            of(KEY, T::Text, |_, args| by_key(args, as_text)),
            of(INDEX, T::Text, |_, args| by_index(args, as_text)),
        ],
    },
    Plain {
        name: PATH_GET,
        overloads: &[of(PATH, T::Json, |_, args| by_path(args, as_json))],
    },
    Plain {
        name: PATH_TEXT,
        overloads: &[of(PATH, T::Text, |_, args| by_path(args, as_text))],
    },
    Plain {
        name: CONTAINS,
        overloads: &[of(TWO, T::Bool, |_, args| {
            let (a, b) = (read(args[0].text())?.json, read(args[1].text())?.json);
            Ok(Out::Bool(contains(&a, &b, true)))
        })],
    },
    Plain {
        name: HAS,
        overloads: &[of(KEY, T::Bool, |_, args| {
            let json = read(args[0].text())?.json;
            Ok(Out::Bool(has(&json, args[1].text())))
        })],
    },
    Plain {
        name: HAS_ANY,
        overloads: &[of(PATH, T::Bool, |_, args| {
            let json = read(args[0].text())?.json;
            Ok(Out::Bool(keys(args).any(|key| has(&json, key))))
        })],
    },
    Plain {
        name: HAS_ALL,
        overloads: &[of(PATH, T::Bool, |_, args| {
            let json = read(args[0].text())?.json;
            Ok(Out::Bool(keys(args).all(|key| has(&json, key))))
        })],
    },
    Plain {
        name: CONCAT,
        overloads: &[of(TWO, T::Json, |_, args| {
            let (a, b) = (read(args[0].text())?, read(args[1].text())?);
            Ok(Out::Text(concat(a, b).printed()))
        })],
    },
    Plain {
        name: DELETE,
        overloads: &[
            of(KEY, T::Json, |_, args| {
                let keys = [Some(args[1].text().to_owned())];
                delete_keys(args[0].text(), &keys)
            }),
            of(PATH, T::Json, |_, args| match &args[1] {
                Arg::Texts(keys) => delete_keys(args[0].text(), keys),
                _ => Ok(Out::Null),
            }),
            of(INDEX, T::Json, |_, args| {
                let mut json = read(args[0].text())?.json;
                match &mut json {
                    Json::Array(items) => {
                        if let Some(at) = place(args[1].int(), items.len()) {
                            items.remove(at);
                        }
                    }
                    Json::Object(_) => {
                        return Err(invalid("cannot delete from object using integer index"));
                    }
                    _ => return Err(invalid("cannot delete from scalar")),
                }
                Ok(Out::Text(json.printed()))
            }),
        ],
    },
    Plain {
        name: DELETE_PATH,
        overloads: &[of(PATH, T::Json, |_, args| {
            let mut json = read(args[0].text())?.json;
            if !matches!(json, Json::Array(_) | Json::Object(_)) {
                return Err(invalid("cannot delete path in scalar"));
            }
            if let Arg::Texts(path) = &args[1]
                && !is_empty(&json)
            {
                change(&mut json, path, 0, &Change::Delete)?;
            }
            Ok(Out::Text(json.printed()))
        })],
    },
    Plain {
        name: "jsonb_set",
        overloads: &[
            of(SET, T::Json, |_, args| set(args, true)),
            of(SET_OR, T::Json, |_, args| {
                set(args, args[3] == Arg::Bool(true))
            }),
        ],
    },
    Plain {
        name: "jsonb_insert",
        overloads: &[
            of(SET, T::Json, |_, args| insert(args, false)),
            of(SET_OR, T::Json, |_, args| {
                insert(args, args[3] == Arg::Bool(true))
            }),
        ],
    },
    Plain {
        name: "jsonb_pretty",
        overloads: &[of(ONE, T::Text, |_, args| {
            let mut out = String::new();
            pretty(&read(args[0].text())?.json, 0, &mut out);
            Ok(Out::Text(out))
        })],
    },
];

fn invalid(message: &str) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::Text(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

type Shown = fn(&str, &Part) -> Out;

fn as_json(text: &str, part: &Part) -> Out {
    Out::Text(text.get(part.span.clone()).unwrap_or_default().to_owned())
}

fn as_text(text: &str, part: &Part) -> Out {
    match &part.json {
        Json::Null => Out::Null,
        Json::Text(value) => Out::Text(value.clone()),
        _ => as_json(text, part),
    }
}

fn by_key(args: &[Arg], shown: Shown) -> Result<Out, Error> {
    let text = args[0].text();
    Ok(match field(&read(text)?.json, args[1].text()) {
        Some(part) => shown(text, part),
        None => Out::Null,
    })
}

/// The last of fields of one name.
fn field<'a>(json: &'a Json, key: &str) -> Option<&'a Part> {
    match json {
        Json::Object(fields) => {
            let found = fields.iter().rev().find(|(k, _)| k == key);
            found.map(|(_, part)| part)
        }
        _ => None,
    }
}

/// From the end where it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let at = match index < 0 {
        true => i64::try_from(length).ok()?.checked_add(index)?,
        false => index,
    };
    usize::try_from(at).ok().filter(|at| *at < length)
}

fn by_index(args: &[Arg], shown: Shown) -> Result<Out, Error> {
    let text = args[0].text();
    Ok(match &read(text)?.json {
        Json::Array(items) => match place(args[1].int(), items.len()) {
            Some(at) => shown(text, &items[at]),
            None => Out::Null,
        },
        _ => Out::Null,
    })
}

fn by_path(args: &[Arg], shown: Shown) -> Result<Out, Error> {
    let text = args[0].text();
    let Arg::Texts(path) = &args[1] else {
        return Ok(Out::Null);
    };
    let whole = read(text)?;
    let mut part = &whole;
    for step in path {
        let Some(step) = step else {
            return Ok(Out::Null);
        };
        let next = match &part.json {
            Json::Object(_) => field(&part.json, step),
            Json::Array(items) => {
                let at = step.trim().parse().ok().and_then(|i| place(i, items.len()));
                at.and_then(|at| items.get(at))
            }
            _ => None,
        };
        match next {
            Some(next) => part = next,
            None => return Ok(Out::Null),
        }
    }
    Ok(shown(text, part))
}

fn keys(args: &[Arg]) -> impl Iterator<Item = &str> {
    let keys = match args.get(1) {
        Some(Arg::Texts(keys)) => keys.as_slice(),
        _ => &[],
    };
    keys.iter().flatten().map(String::as_str)
}

fn has(json: &Json, key: &str) -> bool {
    match json {
        Json::Object(fields) => fields.iter().any(|(k, _)| k == key),
        Json::Array(items) => items
            .iter()
            .any(|i| matches!(&i.json, Json::Text(t) if t == key)),
        Json::Text(text) => text == key,
        _ => false,
    }
}

/// Numbers are equal whatever their scale is.
fn digits(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => digits(a) == digits(b),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(&a.json, &b.json))
        }
        (Json::Object(a), Json::Object(b)) => {
            let (a, b) = (unique(a), unique(b));
            let pairs = a.iter().zip(&b);
            a.len() == b.len()
                && pairs
                    .into_iter()
                    .all(|((k, v), (l, w))| k == l && equal(&v.json, &w.json))
        }
        (Json::Array(_) | Json::Object(_), _) | (_, Json::Array(_) | Json::Object(_)) => false,
        (Json::Number(_), _) | (_, Json::Number(_)) => false,
        (a, b) => a == b,
    }
}

/// At the top alone an array contains a value that stands in it.
fn contains(a: &Json, b: &Json, top: bool) -> bool {
    match (a, b) {
        (Json::Object(_), Json::Object(wanted)) => wanted.iter().all(|(key, value)| {
            field(a, key).is_some_and(|found| contains(&found.json, &value.json, false))
        }),
        (Json::Array(items), Json::Array(wanted)) => wanted.iter().all(|value| {
            items.iter().any(|item| match &value.json {
                Json::Array(_) | Json::Object(_) => contains(&item.json, &value.json, false),
                scalar => equal(&item.json, scalar),
            })
        }),
        (Json::Array(items), scalar) if top && !matches!(scalar, Json::Object(_)) => {
            items.iter().any(|item| equal(&item.json, scalar))
        }
        (a, b) => equal(a, b),
    }
}

fn concat(a: Part, b: Part) -> Json {
    let items = |part: Part| match part.json {
        Json::Array(items) => items,
        _ => vec![part],
    };
    match (a.json, b.json) {
        (Json::Object(mut fields), Json::Object(more)) => {
            fields.extend(more);
            Json::Object(fields)
        }
        (x, y) => {
            let (mut all, more) = (
                items(Part {
                    json: x,
                    span: a.span,
                }),
                items(Part {
                    json: y,
                    span: b.span,
                }),
            );
            all.extend(more);
            Json::Array(all)
        }
    }
}

fn delete_keys(text: &str, keys: &[Option<String>]) -> Result<Out, Error> {
    let mut json = read(text)?.json;
    let named = |key: &str| keys.iter().flatten().any(|k| k == key);
    match &mut json {
        Json::Object(fields) => fields.retain(|(key, _)| !named(key)),
        Json::Array(items) => {
            items.retain(|item| !matches!(&item.json, Json::Text(text) if named(text)));
        }
        _ => return Err(invalid("cannot delete from scalar")),
    }
    Ok(Out::Text(json.printed()))
}

enum Change {
    Delete,
    /// The value, and whether it is put where none is.
    Set(Json, bool),
    /// The value, and whether it comes behind what is there.
    Insert(Json, bool),
}

fn is_empty(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn part(json: Json) -> Part {
    Part { json, span: 0..0 }
}

/// `setPath` of PostgreSQL.
fn change(
    json: &mut Json,
    path: &[Option<String>],
    depth: usize,
    how: &Change,
) -> Result<(), Error> {
    let Some(step) = path.get(depth) else {
        return Ok(());
    };
    let Some(step) = step else {
        return Err(Error::new(
            SqlState::NullValueNotAllowed,
            format!("path element at position {} is null", depth + 1),
        ));
    };
    let last = depth + 1 == path.len();
    match json {
        Json::Object(fields) => {
            let found = fields.iter().rposition(|(key, _)| key == step);
            match (found, last) {
                (Some(at), false) => change(&mut fields[at].1.json, path, depth + 1, how)?,
                (None, false) => {}
                (Some(_), true) => match how {
                    Change::Delete => fields.retain(|(key, _)| key != step),
                    Change::Set(value, _) => {
                        fields.retain(|(key, _)| key != step);
                        fields.push((step.clone(), part(value.clone())));
                    }
                    Change::Insert(..) => {
                        return Err(invalid("cannot replace existing key")
                            .with_hint("Try using the function jsonb_set to replace key value."));
                    }
                },
                (None, true) => match how {
                    Change::Set(value, true) | Change::Insert(value, _) => {
                        fields.push((step.clone(), part(value.clone())));
                    }
                    _ => {}
                },
            }
        }
        Json::Array(items) => {
            let index: i64 = step.trim().parse().map_err(|_| {
                Error::new(
                    SqlState::InvalidTextRepresentation,
                    format!(
                        "path element at position {} is not an integer: \"{step}\"",
                        depth + 1
                    ),
                )
            })?;
            match (place(index, items.len()), last) {
                (Some(at), false) => change(&mut items[at].json, path, depth + 1, how)?,
                (None, false) => {}
                (Some(at), true) => match how {
                    Change::Delete => {
                        items.remove(at);
                    }
                    Change::Set(value, _) => items[at] = part(value.clone()),
                    Change::Insert(value, after) => {
                        items.insert(at + usize::from(*after), part(value.clone()));
                    }
                },
                (None, true) => match how {
                    Change::Set(value, true) | Change::Insert(value, _) => match index < 0 {
                        true => items.insert(0, part(value.clone())),
                        false => items.push(part(value.clone())),
                    },
                    _ => {}
                },
            }
        }
        _ => {}
    }
    Ok(())
}

fn set(args: &[Arg], create: bool) -> Result<Out, Error> {
    let value = read(args[2].text())?.json;
    changed(
        args,
        "cannot set path in scalar",
        &Change::Set(value, create),
    )
}

fn insert(args: &[Arg], after: bool) -> Result<Out, Error> {
    let value = read(args[2].text())?.json;
    changed(
        args,
        "cannot set path in scalar",
        &Change::Insert(value, after),
    )
}

fn changed(args: &[Arg], of_scalar: &str, how: &Change) -> Result<Out, Error> {
    let mut json = read(args[0].text())?.json;
    if !matches!(json, Json::Array(_) | Json::Object(_)) {
        return Err(invalid(of_scalar));
    }
    let idle = is_empty(&json) && matches!(how, Change::Set(_, false));
    if let Arg::Texts(path) = &args[1]
        && !idle
    {
        change(&mut json, path, 0, how)?;
    }
    Ok(Out::Text(json.printed()))
}

fn strip(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|(_, value)| value.json != Json::Null);
            fields
                .iter_mut()
                .for_each(|(_, value)| strip(&mut value.json));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| strip(&mut item.json)),
        _ => {}
    }
}

fn elements(text: &str, texts: bool) -> Result<Out, Error> {
    let shown: Shown = if texts { as_text } else { as_json };
    let whole = read(text)?;
    match &whole.json {
        Json::Array(items) => {
            let items = items.iter().map(|item| match shown(text, item) {
                Out::Text(text) => Some(text),
                _ => None,
            });
            Ok(Out::Texts(items.collect()))
        }
        Json::Object(_) => Err(invalid("cannot extract elements from an object")),
        _ => Err(invalid("cannot extract elements from a scalar")),
    }
}

fn each(text: &str, texts: bool) -> Result<Out, Error> {
    let shown: Shown = if texts { as_text } else { as_json };
    let whole = read(text)?;
    match &whole.json {
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                let value = match shown(text, value) {
                    Out::Text(text) => Some(text),
                    _ => None,
                };
                (key.clone(), value)
            });
            Ok(Out::Fields(fields.collect()))
        }
        _ => Err(invalid("cannot call jsonb_each on a non-object")),
    }
}

fn pretty(json: &Json, depth: usize, out: &mut String) {
    const INDENT: &str = "    ";
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&INDENT.repeat(depth));
    };
    match json {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                pretty(&item.json, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Json::Object(fields) => {
            out.push('{');
            for (at, (key, value)) in unique(fields).into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                value::quoted(out, key);
                out.push_str(": ");
                pretty(&value.json, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        scalar => scalar.write(out),
    }
}
