//! The lists behind functions that give rows.

use super::{Spec, spec, text};
use crate::snapshot::Snapshot;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    // aclexplode
    spec(
        "pg_acl_items",
        (1, 1),
        "_(grantor oid, grantee oid, privilege_type text, is_grantable bool)",
        |snapshot, args| {
            let Value::List(items) = &args[0] else {
                return Ok(Value::Null);
            };
            let privileges = items.iter().flat_map(|item| granted(snapshot, text(item)));
            Ok(Value::List(privileges.collect()))
        },
    ),
    // pg_options_to_table
    spec(
        "pg_option_items",
        (1, 1),
        "_(option_name text, option_value text)",
        |_, args| {
            let Value::List(options) = &args[0] else {
                return Ok(Value::Null);
            };
            let pairs = options.iter().map(|option| {
                Value::List(match text(option).split_once('=') {
                    Some((name, value)) => vec![name.into(), value.into()],
                    None => vec![text(option).into(), Value::Null],
                })
            });
            Ok(Value::List(pairs.collect()))
        },
    ),
    // pg_partition_tree and pg_partition_ancestors have no rows for what is no partition and has
    // none: no relation here has.
    spec(
        "pg_partition_items",
        (1, 1),
        "_(relid regclass, parentrelid regclass, isleaf bool, level int4)",
        |_, _| Ok(Value::List(Vec::new())),
    ),
    spec(
        "pg_partition_parents",
        (1, 1),
        "_(relid regclass)",
        |_, _| Ok(Value::List(Vec::new())),
    ),
    // ts_token_type: of the one parser that there is, whichever its name or OID.
    spec(
        "pg_token_types",
        (1, 1),
        "_(tokid int4, alias text, description text)",
        |_, _| {
            let types = (1_i32..).zip(TOKEN_TYPES);
            let types = types.map(|(id, (alias, description))| {
                Value::List(vec![id.into(), (*alias).into(), (*description).into()])
            });
            Ok(Value::List(types.collect()))
        },
    ),
];

/// The privileges of an `aclitem`, in its order: `grantee=letters/grantor`.
fn granted(snapshot: &Snapshot, item: &str) -> Vec<Value> {
    let Some((item, grantor)) = item.rsplit_once('/') else {
        return Vec::new();
    };
    let Some((grantee, letters)) = item.rsplit_once('=') else {
        return Vec::new();
    };
    let roles = snapshot.roles();
    let role = |name: &str| {
        let name = match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name.to_owned(),
        };
        let role = roles.iter().find(|role| role.info.name == name);
        Value::from(role.map_or(0, |role| role.oid))
    };
    let (grantee, grantor) = (role(grantee), role(grantor));
    let mut privileges = Vec::new();
    let mut letters = letters.chars().peekable();
    while let Some(letter) = letters.next() {
        let grantable = letters.next_if_eq(&'*').is_some();
        if let Some((_, privilege)) = PRIVILEGES.iter().find(|(l, _)| *l == letter) {
            privileges.push(Value::List(vec![
                grantor.clone(),
                grantee.clone(),
                (*privilege).into(),
                grantable.into(),
            ]));
        }
    }
    privileges
}

const PRIVILEGES: [(char, &str); 14] = [
    ('a', "INSERT"),
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('T', "TEMPORARY"),
    ('c', "CONNECT"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
];

const TOKEN_TYPES: [(&str, &str); 23] = [
    ("asciiword", "Word, all ASCII"),
    ("word", "Word, all letters"),
    ("numword", "Word, letters and digits"),
    ("email", "Email address"),
    ("url", "URL"),
    ("host", "Host"),
    ("sfloat", "Scientific notation"),
    ("version", "Version number"),
    ("hword_numpart", "Hyphenated word part, letters and digits"),
    ("hword_part", "Hyphenated word part, all letters"),
    ("hword_asciipart", "Hyphenated word part, all ASCII"),
    ("blank", "Space symbols"),
    ("tag", "XML tag"),
    ("protocol", "Protocol head"),
    ("numhword", "Hyphenated word, letters and digits"),
    ("asciihword", "Hyphenated word, all ASCII"),
    ("hword", "Hyphenated word, all letters"),
    ("url_path", "URL path"),
    ("file", "File or path name"),
    ("float", "Decimal notation"),
    ("int", "Signed integer"),
    ("uint", "Unsigned integer"),
    ("entity", "XML entity"),
];
